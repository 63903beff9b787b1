from odoo import api, fields, models
from odoo.exceptions import ValidationError

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltyTierReviewMixin(models.AbstractModel):
    """What waits for people in a program whose tiers they review."""

    _name = "partner.loyalty.tier.review.mixin"
    _description = "Tiers That Are Reviewed"

    # === FIELDS ===#

    tier_review_ids = fields.One2many(
        comodel_name="partner.loyalty.tier.review", inverse_name="program_id", string="Tier Reviews", groups=OFFICER
    )
    tier_review_count = fields.Integer(
        string="Tier Reviews in Progress", compute="_compute_tier_review_count", groups=OFFICER
    )

    # === COMPUTE METHODS ===#

    @api.depends("tier_review_ids.state")
    def _compute_tier_review_count(self):
        counts = self._count_by_program(
            "partner.loyalty.tier.review", [("state", "in", ("draft", "reviewed", "scheduled"))]
        )
        for program in self:
            program.tier_review_count = counts.get(program, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("tier_mode", "tier_upgrade")
    def _check_tier_mode(self):
        for program in self:
            if program.tier_mode == "review" and program.tier_upgrade == "at_once":
                raise ValidationError(
                    self.env._(
                        "“%(program)s” cannot let members rise at once where people review tiers first: "
                        "let them rise when the period ends, or have tiers decided automatically.",
                        program=program.name,
                    )
                )

    # === ACTION METHODS ===#

    def action_view_tier_reviews(self):
        """Show the tier reviews of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_tier_review_action")
