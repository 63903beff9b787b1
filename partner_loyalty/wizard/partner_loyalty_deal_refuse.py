from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyDealRefuse(models.TransientModel):
    _name = "partner.loyalty.deal.refuse"
    _description = "Refuse Deal"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    deal_ids = fields.Many2many(
        comodel_name="partner.loyalty.deal",
        default=lambda self: self._get_active_records("partner.loyalty.deal"),
    )
    reason = fields.Char(required=True, help="Shown on the deal to who registered it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the deals; their customers are not protected.

        :raises UserError: when nothing is chosen
        """
        if not self.deal_ids:
            raise UserError(self.env._("Choose what to refuse."))
        self.deal_ids.action_refuse(self.reason)
