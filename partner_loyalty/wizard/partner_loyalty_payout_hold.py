from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyPayoutHold(models.TransientModel):
    """Puts payouts on hold, with the reason."""

    _name = "partner.loyalty.payout.hold"
    _description = "Put Payout on Hold"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    payout_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout",
        default=lambda self: self._get_active_records("partner.loyalty.payout"),
    )
    reason = fields.Char(required=True, help="Shown on the payout to who prepared it.")

    # === ACTION METHODS ===#

    def action_hold(self):
        """Put on hold what the dialog was opened for.

        :raises UserError: when nothing is chosen
        """
        if not self.payout_ids:
            raise UserError(self.env._("Choose what to put on hold."))
        self.payout_ids.action_hold(self.reason)
