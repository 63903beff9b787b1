from odoo import fields, models
from odoo.fields import Domain


class PartnerLoyaltyRewardEarly(models.AbstractModel):
    """Rewards that let a member order products before they are released for all."""

    _name = "partner.loyalty.reward.early"
    _description = "Early Access as a Reward"

    # === FIELDS ===#

    release_ids = fields.One2many(
        comodel_name="partner.loyalty.release", inverse_name="reward_id", string="Products", copy=True
    )
    by_tier = fields.Boolean(
        string="Without a Claim",
        help="Members of the tiers of the reward have it by themselves; all where it names none.",
    )

    # === CRUD METHODS ===#

    def write(self, vals):
        if {"active", "kind"} & vals.keys():
            self.env["partner.loyalty.release"]._forget_unreleased()
        return super().write(vals)

    def unlink(self):
        # The database deletes the releases along with their reward.
        self.env["partner.loyalty.release"]._forget_unreleased()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _get_missing_text_early(self):
        if not self.release_ids:
            return self.env._("“%s” gives early access: add at least one product with its days.", self.name)
        return None

    def _fulfill_early(self, claim):
        """Let the member order early for the months of the reward."""
        claim._set_valid_until(self._get_end())

    def _get_with_early_access(self, partner):
        """Return those of the rewards by which a company can order early today.

        :param partner: ``res.partner``
        """
        if not self:
            return self
        today = self[0].program_id._get_today()
        claimed = self.env["partner.loyalty.claim"].search(
            [
                ("reward_id", "in", self.ids),
                ("member_id.root_id.partner_id", "=", partner.id),
                ("state", "=", "fulfilled"),
                ("valid_until", ">=", today),
            ]
        )
        members = self.env["partner.loyalty.member"].search(
            Domain("partner_id", "=", partner.id)
            & Domain("program_id", "in", self.program_id.ids)
            & Domain([("state", "=", "active"), ("merged_into_id", "=", False)])
        )
        by_tier = self.filtered(
            lambda reward: (
                reward.by_tier
                and any(
                    member.program_id == reward.program_id
                    and (not reward.tier_ids or member.tier_id in reward.tier_ids)
                    for member in members
                )
            )
        )
        return claimed.reward_id | by_tier
