from odoo import api, models


class PartnerLoyaltyTouch(models.Model):
    _inherit = "partner.loyalty.touch"

    # === GETTERS ===#

    @api.model
    def _get_touch_kinds(self):
        return {**super()._get_touch_kinds(), "partner.loyalty.visit": ("visit",)}
