from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyRewardSurvey(models.AbstractModel):
    """Rewards that a contact takes part in: trainings, had when they are finished, and certifications, when passed."""

    _name = "partner.loyalty.reward.survey"
    _description = "Training or Certification as a Reward"

    # === FIELDS ===#

    survey_id = fields.Many2one(
        comodel_name="survey.survey",
        index="btree_not_null",
        ondelete="restrict",
        help="The contact is invited to it by e-mail as soon as the claim is approved.",
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_training(self):
        if not self.survey_id:
            return self.env._("“%s” invites to a training: choose its survey.", self.name)
        return None

    def _get_missing_text_certification(self):
        # Who hands out a reward need not see surveys.
        if not self.survey_id.sudo().certification:
            return self.env._("“%s” invites to a certification: choose a survey that is one.", self.name)
        return None

    def _start_training(self, claim):
        """Invite the contact."""
        claim._invite_contact()

    def _start_certification(self, claim):
        """Invite the contact."""
        claim._invite_contact()

    def _stop_training(self, claim):
        """Let nobody take part any more."""
        claim._close_invitation()

    def _stop_certification(self, claim):
        """Let nobody take part any more."""
        claim._close_invitation()

    def _fulfill_training(self, claim):
        """Check that the contact has finished it; the rest was done by taking part."""
        self._check_answered(claim)

    def _fulfill_certification(self, claim):
        """Check that the contact has passed it; Odoo keeps the certificate."""
        self._check_answered(claim)

    def _check_answered(self, claim):
        """Check that the contact has done what was claimed.

        :raises UserError: where it has not
        """
        # Who hands out a reward need not see answers.
        if not self._is_answered(claim.sudo().answer_id):
            terms = {"contact": claim.contact_id.display_name, "survey": self.survey_id.sudo().title}
            if self.kind == "certification":
                raise UserError(
                    self.env._(
                        "%(contact)s has not passed “%(survey)s” yet: the claim is fulfilled by itself then.", **terms
                    )
                )
            raise UserError(
                self.env._(
                    "%(contact)s has not finished “%(survey)s” yet: the claim is fulfilled by itself then.", **terms
                )
            )

    def _is_answered(self, answer):
        """Return whether an answer is what the reward asks for.

        :param answer: ``survey.user_input``
        """
        return answer.state == "done" and (self.kind == "training" or answer.scoring_success)
