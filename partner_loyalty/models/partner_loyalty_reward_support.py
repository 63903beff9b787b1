from odoo import fields, models


class PartnerLoyaltyRewardSupport(models.AbstractModel):
    """Rewards that let a partner be served first for a time: who sells or helps sees it on partner, lead and order."""

    _name = "partner.loyalty.reward.support"
    _description = "Priority Support as a Reward"

    # === FIELDS ===#

    support_label = fields.Char(
        translate=True, help="What is shown to who sells and helps, such as “Answer within a day”."
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_support(self):
        if not self.support_label:
            return self.env._("“%s” gives priority support: enter what is shown to who serves the member.", self.name)
        return None

    def _fulfill_support(self, claim):
        """Let it be shown for the months of the reward."""
        claim._set_valid_until(self._get_end())
