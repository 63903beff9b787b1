from odoo import api, models


class PartnerLoyaltyStack(models.AbstractModel):
    _inherit = "partner.loyalty.stack"

    # === BUSINESS METHODS ===#

    @api.model
    def _get_margin(self, line):
        return line.margin if line.purchase_price else super()._get_margin(line)
