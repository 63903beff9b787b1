from odoo import fields, models


class PartnerLoyaltyRewardAward(models.AbstractModel):
    """Rewards that honor: a badge that the company holds, and its contacts who log in."""

    _name = "partner.loyalty.reward.award"
    _description = "Award as a Reward"

    # === FIELDS ===#

    badge_id = fields.Many2one(
        comodel_name="gamification.badge",
        index="btree_not_null",
        ondelete="restrict",
        help="The member holds it, and each of its contacts who has a login gets it as well.",
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_award(self):
        if not self.badge_id:
            return self.env._("“%s” gives a badge: choose which one.", self.name)
        return None

    def _fulfill_award(self, claim):
        """Give the badge."""
        # Badges are given by the program alone.
        self.env["partner.loyalty.badge"].sudo()._award([self._prepare_award_vals(claim)])

    def _undo_award(self, claim):
        """Take the badge from the company and its contacts."""
        # Badges are given and taken by the program alone.
        self.env["partner.loyalty.badge"].sudo().search([("claim_id", "=", claim.id)])._take_back()

    def _prepare_award_vals(self, claim):
        """Return the values of the badge that a claim gives.

        :param claim: ``partner.loyalty.claim``
        :rtype: dict
        """
        return {
            "member_id": claim.member_id.root_id.id,
            "badge_id": self.badge_id.id,
            "date": self.program_id._get_today(),
            "reason": self.name,
            "bonus_line_id": claim.bonus_line_id.id,
            "claim_id": claim.id,
        }
