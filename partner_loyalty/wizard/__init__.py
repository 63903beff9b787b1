from . import partner_loyalty_apply_past
from . import partner_loyalty_enroll
from . import partner_loyalty_payout_prepare
from . import partner_loyalty_payout_refuse
