from odoo import fields, models


class PartnerLoyaltyClaimDecline(models.TransientModel):
    """Notes that members decline what they were invited to, and why."""

    _name = "partner.loyalty.claim.decline"
    _description = "Decline Invitation"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "claim_ids"
    _refusal = "action_decline"

    # === FIELDS ===#

    claim_ids = fields.Many2many(
        comodel_name="partner.loyalty.claim",
        default=lambda self: self._get_active_records("partner.loyalty.claim"),
    )
    reason = fields.Char(help="What the member said.")
