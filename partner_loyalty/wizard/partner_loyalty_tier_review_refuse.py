from odoo import fields, models


class PartnerLoyaltyTierReviewRefuse(models.TransientModel):
    """Sends tier reviews back; they are looked at once more, and nothing is published."""

    _name = "partner.loyalty.tier.review.refuse"
    _description = "Send Tier Review Back"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "review_ids"

    # === FIELDS ===#

    review_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier.review",
        relation="partner_loyalty_tier_review_refuse_rel",
        string="Tier Reviews",
        default=lambda self: self._get_active_records("partner.loyalty.tier.review"),
    )
    reason = fields.Char(help="Shown on the review to who looked at it.")
