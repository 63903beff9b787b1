from . import partner_loyalty_visit
from . import partner_loyalty_contribution
from . import partner_loyalty_metric
from . import partner_loyalty_reward
from . import partner_loyalty_rule
from . import partner_loyalty_touch
