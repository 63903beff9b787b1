from odoo import fields, models


class PartnerLoyaltyPayoutRefuse(models.TransientModel):
    """Refuses payouts; the money goes back to the balances."""

    _name = "partner.loyalty.payout.refuse"
    _description = "Refuse Payout"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "payout_ids"

    # === FIELDS ===#

    payout_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout",
        default=lambda self: self._get_active_records("partner.loyalty.payout"),
    )
    reason = fields.Char(help="Shown on the payout to who prepared it.")
