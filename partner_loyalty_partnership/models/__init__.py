from . import partner_loyalty_member
from . import partner_loyalty_tier
