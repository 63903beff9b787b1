from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError

SURVEY_KINDS = ("training", "certification")


class PartnerLoyaltyClaimSurvey(models.AbstractModel):
    """Claims that a contact of the member makes use of: who it is, and what came of the training or certification."""

    _name = "partner.loyalty.claim.survey"
    _description = "Training or Certification Claimed"

    # === FIELDS ===#

    contact_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_contact_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="Who of the member takes part.",
    )
    answer_id = fields.Many2one(
        comodel_name="survey.user_input",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="What the contact answered; of a certification that was passed, the certificate.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_contact_id(self):
        for claim in self:
            claim.contact_id = claim.member_id.partner_id

    # === CONSTRAINT METHODS ===#

    @api.constrains("contact_id", "member_id")
    def _check_contact(self):
        for claim in self:
            if claim.contact_id and claim.contact_id.commercial_partner_id != claim.member_id.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s does not belong to %(member)s: choose one of its contacts.",
                        contact=claim.contact_id.display_name,
                        member=claim.member_id.partner_id.display_name,
                    )
                )

    # === ACTION METHODS ===#

    def action_send_invitation(self):
        """Send the invitations to trainings and certifications once more.

        :raises UserError: where the contact has no address, or nobody is invited
        """
        self.check_access("write")
        for claim in self:
            if claim.state != "approved" or claim.kind not in SURVEY_KINDS:
                raise UserError(self.env._("%s invites nobody: approve it first.", claim.name))
            if not claim.contact_id.email:
                raise UserError(claim._get_missing_address_text())
            claim._send_invitation()

    def action_view_answer(self):
        """Open what the contact answered."""
        self.ensure_one()
        return self.answer_id._get_records_action(context={})

    # === BUSINESS METHODS ===#

    def _invite_contact(self):
        """Open a training or certification for the contact, and send the link; without an address, say so."""
        self.ensure_one()
        # Neither surveys nor their answers are open to who hands out rewards, and the link is set by the program.
        claim_sudo = self.sudo()
        claim_sudo.answer_id = claim_sudo.reward_id.survey_id._create_answer(
            partner=claim_sudo.contact_id, check_attempts=False
        )
        if self.contact_id.email:
            self._send_invitation()
        else:
            self._message_log(body=self._get_missing_address_text())

    def _send_invitation(self):
        """Send the link by Odoo's own invitation, from who sees to the claim."""
        sender = self.user_id or self.env["res.users"].browse(SUPERUSER_ID)
        # Invitations are sent by the program, whoever hands out the reward.
        invites_sudo = self.env["survey.invite"].with_user(sender).sudo().with_context(lang=self.contact_id.lang)
        template_sudo = invites_sudo.env.ref("survey.mail_template_user_input_invite")
        answer_sudo = self.sudo().answer_id.with_env(invites_sudo.env)
        invite_sudo = invites_sudo.create(
            {
                "survey_id": answer_sudo.survey_id.id,
                "template_id": template_sudo.id,
                "partner_ids": self.contact_id.ids,
            }
        )
        invite_sudo._send_mail(answer_sudo)

    def _close_invitation(self):
        """Let the link of the contact lead nowhere any more, where it has not been followed to the end."""
        # Answers are not open to who cancels a claim.
        answer_sudo = self.sudo().answer_id
        if answer_sudo.state != "done":
            answer_sudo.deadline = fields.Datetime.now()

    def _get_missing_address_text(self):
        return self.env._(
            "%s has no e-mail address and was not invited: enter one, and send the invitation again.",
            self.contact_id.display_name,
        )

    @api.model
    def _take_answer(self, answer):
        """Fulfill the claim that a finished answer belongs to, where it is what was claimed.

        Who fails a certification may try it again: then another answer of the same contact counts.

        :param answer: ``survey.user_input``
        """
        claims = self.search(
            [
                ("state", "=", "approved"),
                ("kind", "in", SURVEY_KINDS),
                ("reward_id.survey_id", "=", answer.survey_id.id),
                "|",
                ("answer_id", "=", answer.id),
                ("contact_id", "in", answer.partner_id.ids),
            ],
            order="id",
        )
        claim = claims.filtered(lambda claim: claim.answer_id == answer) or claims[:1]
        if claim.reward_id._is_answered(answer):
            claim.answer_id = answer
            claim._fulfill()
