from . import loyalty_card
from . import partner_loyalty_claim
from . import partner_loyalty_reward
from . import sale_order
