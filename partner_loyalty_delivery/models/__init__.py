from . import partner_loyalty_contribution
