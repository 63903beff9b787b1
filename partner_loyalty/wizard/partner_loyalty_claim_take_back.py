from odoo import fields, models


class PartnerLoyaltyClaimTakeBack(models.TransientModel):
    """Takes back what members have got by claims; their points go back to where they came from."""

    _name = "partner.loyalty.claim.take.back"
    _description = "Take Back Reward"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "claim_ids"
    _refusal = "action_take_back"

    # === FIELDS ===#

    claim_ids = fields.Many2many(
        comodel_name="partner.loyalty.claim",
        default=lambda self: self._get_active_records("partner.loyalty.claim"),
    )
    reason = fields.Char(help="Shown on the claim to who asked for it.")
