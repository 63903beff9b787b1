from odoo import fields, models


class PartnerLoyaltyClaimRefuse(models.TransientModel):
    """Refuses claims; their points go back to where they came from."""

    _name = "partner.loyalty.claim.refuse"
    _description = "Refuse Claim"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "claim_ids"

    # === FIELDS ===#

    claim_ids = fields.Many2many(
        comodel_name="partner.loyalty.claim",
        default=lambda self: self._get_active_records("partner.loyalty.claim"),
    )
    reason = fields.Char(help="Shown on the claim to who asked for it.")
