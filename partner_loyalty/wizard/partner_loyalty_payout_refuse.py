from odoo import fields, models


class PartnerLoyaltyPayoutRefuse(models.TransientModel):
    _name = "partner.loyalty.payout.refuse"
    _description = "Refuse Payout"

    # === FIELDS ===#

    payout_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout",
        default=lambda self: self.env.context.get("active_ids"),
    )
    reason = fields.Char(required=True, help="Shown on the payout to who prepared it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the payouts; the money goes back to the balances."""
        self.payout_ids.action_refuse(self.reason)
