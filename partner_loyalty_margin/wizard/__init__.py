from . import partner_loyalty_advice
