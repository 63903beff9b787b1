from odoo import models
from odoo.exceptions import UserError

from ..const import NAMES_IN_MESSAGE


class PartnerLoyaltyRewardProject(models.AbstractModel):
    """Rewards that are joint projects: agreed on in a brief, done by milestones, and closed with a result."""

    _name = "partner.loyalty.reward.project"
    _description = "Joint Project as a Reward"

    # === BUSINESS METHODS ===#

    def _check_request_project(self, claim):
        """Check that the brief is there.

        :raises UserError: where it is not
        """
        if not (claim.note or "").strip():
            raise UserError(
                self.env._("Write the brief of %s first: what is planned, and what it is to bring.", claim.name)
            )

    def _fulfill_project(self, claim):
        """Check that all is done and written down.

        :raises UserError: where it is not
        """
        missing = claim.milestone_ids.filtered(lambda milestone: not milestone.is_done)
        if missing:
            raise UserError(
                self.env._(
                    "Milestones of %(claim)s are open: %(milestones)s. Mark them as done, or delete them.",
                    claim=claim.name,
                    milestones=", ".join(missing[:NAMES_IN_MESSAGE].mapped("name")),
                )
            )
        if not (claim.result or "").strip():
            raise UserError(self.env._("Write down first what came of %s.", claim.name))
