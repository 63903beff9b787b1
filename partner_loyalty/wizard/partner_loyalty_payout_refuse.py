from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyPayoutRefuse(models.TransientModel):
    _name = "partner.loyalty.payout.refuse"
    _description = "Refuse Payout"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    payout_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout",
        default=lambda self: self._get_active_records("partner.loyalty.payout"),
    )
    reason = fields.Char(required=True, help="Shown on the payout to who prepared it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the payouts; the money goes back to the balances.

        :raises UserError: when nothing is chosen
        """
        if not self.payout_ids:
            raise UserError(self.env._("Choose what to refuse."))
        self.payout_ids.action_refuse(self.reason)
