from odoo import models
from odoo.tools import SQL


class PartnerLoyaltyFormula(models.AbstractModel):
    _inherit = "partner.loyalty.formula"

    # === FORMULAS ===#

    def _get_formula_margin(self, base, rate, whole, quantity):
        """Percent of the margin. A part of a document may be below zero, see ``_get_exact``."""
        return SQL("%s * %s / 100", base, rate)
