from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date, plaintext2html

from .partner_loyalty_inquiry import MAX_TEXT

SUBJECTS = [("program", "Program"), ("product", "Products"), ("service", "Service")]

# Up to these values somebody is not satisfied.
LOW_CSAT = 2
LAST_DETRACTOR = 6
FIRST_PROMOTER = 9


class PartnerLoyaltyFeedback(models.Model):
    """What a member thinks of us: an answer to the survey of satisfaction, or a comment from its pages.

    It never pays or promotes. What needs an answer waits for one, and the member reads what became of it.
    """

    _name = "partner.loyalty.feedback"
    _description = "Feedback of a Member"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.member.owned.mixin",
    ]
    _order = "id desc"
    _protected_fields = frozenset(
        {"answer_id", "answered_at", "company_id", "nps", "nps_group", "partner_id", "program_id", "source", "state"}
    )
    _protected_after_create_fields = frozenset({"contact_id", "csat", "date", "member_id", "text"})

    # === FIELDS ===#

    member_id = fields.Many2one(ondelete="cascade")
    contact_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_contact_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        domain="[('id', 'child_of', partner_id)]",
    )
    source = fields.Selection(
        selection=[("survey", "Survey"), ("comment", "Comment")], required=True, readonly=True, default="comment"
    )
    subject = fields.Selection(selection=SUBJECTS, string="About", required=True, default="program")
    date = fields.Date(required=True, default=fields.Date.context_today)
    csat = fields.Integer(
        string="Satisfaction", aggregator="avg", help="From 1, not at all, to 5, fully; 0 where nothing was said."
    )
    nps = fields.Integer(string="Would Recommend", readonly=True, aggregator=None, help="From 0 to 10.")
    nps_group = fields.Selection(
        selection=[("promoter", "Promoter"), ("passive", "Passive"), ("detractor", "Detractor")],
        string="Recommendation",
        readonly=True,
    )
    text = fields.Text(string="Comment")
    is_low = fields.Boolean(string="Not Satisfied", compute="_compute_is_low", store=True)
    user_id = fields.Many2one(
        comodel_name="res.users", string="Responsible", domain="[('share', '=', False)]", index="btree_not_null"
    )
    state = fields.Selection(
        selection=[("new", "New"), ("in_progress", "In Progress"), ("done", "Done")],
        required=True,
        default="new",
        readonly=True,
        tracking=True,
        group_expand=True,
        help="Praise without a word is done at once; the rest waits for an answer.",
    )
    answer = fields.Text(
        string="What Became of It", tracking=True, help="The member reads it on its pages and by mail."
    )
    answered_at = fields.Datetime(string="Answered on", readonly=True)
    answer_id = fields.Many2one(
        comodel_name="survey.user_input",
        string="Answer to the Survey",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        groups="survey.group_survey_user",
    )

    # === CONSTRAINTS ===#

    _csat_range = models.Constraint("CHECK (csat BETWEEN 0 AND 5)", "Satisfaction is from 1 to 5: choose one of these.")
    _nps_range = models.Constraint("CHECK (nps BETWEEN 0 AND 10)", "Who recommends says so from 0 to 10.")
    _answer_unique = models.UniqueIndex("(answer_id) WHERE answer_id IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_contact_id(self):
        for feedback in self:
            feedback.contact_id = feedback.contact_id or feedback.member_id.partner_id

    @api.depends("csat", "nps_group")
    def _compute_is_low(self):
        for feedback in self:
            feedback.is_low = 0 < feedback.csat <= LOW_CSAT or feedback.nps_group == "detractor"

    @api.depends("partner_id.display_name", "subject")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["subject"]._description_selection(self.env))
        for feedback in self:
            feedback.display_name = f"{feedback.partner_id.display_name or ''}: {labels.get(feedback.subject, '')}"

    # === CONSTRAINT METHODS ===#

    @api.constrains("text", "answer")
    def _check_texts(self):
        for feedback in self:
            for text in filter(None, (feedback.text, feedback.answer)):
                self.env["partner.loyalty.inquiry"]._check_text(text, MAX_TEXT)

    @api.constrains("contact_id", "member_id")
    def _check_contact(self):
        for feedback in self:
            if feedback.contact_id.commercial_partner_id != feedback.member_id.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s does not belong to %(member)s: choose one of its contacts.",
                        contact=feedback.contact_id.display_name,
                        member=feedback.member_id.partner_id.display_name,
                    )
                )

    @api.constrains("source", "text", "csat")
    def _check_says_something(self):
        for feedback in self:
            if feedback.source == "comment" and not feedback.csat and not (feedback.text or "").strip():
                raise ValidationError(self.env._("Write a comment, or say how satisfied you are."))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        for feedback in records:
            feedback._receive()
        return records

    # === ACTION METHODS ===#

    def action_take(self):
        """Say that somebody sees to it, and that it is the user."""
        self.check_access("write")
        taken = self.filtered(lambda feedback: feedback.state == "new")
        taken.user_id = self.env.user
        taken._set_state("in_progress")

    def action_answer(self):
        """Tell members what became of what they said.

        :raises UserError: where nothing is said about it
        """
        self.check_access("write")
        for feedback in self.filtered(lambda feedback: feedback.state != "done"):
            if not (feedback.answer or "").strip():
                raise UserError(
                    self.env._("Write into “What Became of It” what “%s” reads, then answer.", feedback.display_name)
                )
            feedback._send_answer()
            feedback._finish()

    def action_finish(self):
        """Put feedback aside that needs no answer."""
        self.check_access("write")
        self.filtered(lambda feedback: feedback.state != "done")._finish()

    # === BUSINESS METHODS ===#

    def _set_state(self, state, **vals):
        # The state is set by the program alone; each button has checked who may do so.
        self.sudo().write({"state": state, **vals})

    def _receive(self):
        """Plan an answer to what needs one; what is low is told to who is responsible."""
        self.ensure_one()
        if not self.is_low and not self.text:
            self._set_state("done")
            return
        # Whoever says something need not know who reads it.
        feedback_sudo = self.sudo()
        feedback_sudo.user_id = self.user_id or self._get_responsible()
        if self.is_low and feedback_sudo.user_id:
            user_sudo = feedback_sudo.user_id
            feedback_sudo.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.program_id._get_inquiry_deadline(),
                summary=self.with_context(lang=user_sudo.lang).env._(
                    "%s is not satisfied: find out why, and answer", self.partner_id.display_name
                ),
                user_id=user_sudo.id,
            )

    def _get_responsible(self):
        """Return who sees to what a member says; as it is for questions."""
        return self.env["partner.loyalty.inquiry"].new({"member_id": self.member_id.id})._get_responsible()

    def _finish(self):
        self._set_state("done", answered_at=fields.Datetime.now())
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def _send_answer(self):
        """Send the answer to who said something."""
        self.ensure_one()
        feedback = self.with_context(lang=self.contact_id.lang)
        feedback.message_notify(
            partner_ids=self.contact_id.ids,
            subject=feedback.env._("%s: what became of your feedback", feedback.program_id.name),
            body=plaintext2html(self.answer),
        )

    def _get_portal_text(self):
        """Return when the member said it, and how satisfied it was."""
        self.ensure_one()
        day = format_date(self.env, self.date)
        return self.env._("%(date)s, satisfied: %(csat)s of 5", date=day, csat=self.csat) if self.csat else day

    # === BUSINESS METHODS - SURVEYS ===#

    @api.model
    def _take_answer(self, answer):
        """Note how satisfied a member is, by a finished answer to the survey.

        :param answer: ``survey.user_input``
        :rtype: ``partner.loyalty.feedback``
        """
        member = answer.loyalty_member_id.root_id
        contact = answer.partner_id
        belongs = contact.commercial_partner_id == member.partner_id
        return self.create(
            {
                "member_id": member.id,
                "contact_id": (contact if belongs else member.partner_id).id,
                "source": "survey",
                "date": member.program_id._get_today(),
                "answer_id": answer.id,
                **self._read_answer(answer),
            }
        )

    @api.model
    def _read_answer(self, answer):
        """Return what an answer says of satisfaction: the lowest of several figures, and the comments.

        :rtype: dict
        """
        lines = answer.user_input_line_ids.filtered(lambda line: not line.skipped)
        values = {
            measure: [line._get_loyalty_number() for line in lines if line.question_id.loyalty_measure == measure]
            for measure in ("csat", "nps")
        }
        texts = [
            line.value_text_box or line.value_char_box
            for line in lines
            if line.question_id.loyalty_measure == "comment" or line.answer_type == "text_box"
        ]
        vals = {"text": "\n".join(filter(None, texts))[:MAX_TEXT] or False}
        if any(values["csat"]):
            vals["csat"] = min(5, max(1, min(filter(None, values["csat"]))))
        if values["nps"]:
            nps = min(10, max(0, min(values["nps"])))
            vals.update(nps=nps, nps_group=self._get_nps_group(nps))
        return vals

    @api.model
    def _get_nps_group(self, value):
        """Return who somebody is by how likely it recommends us."""
        if value <= LAST_DETRACTOR:
            return "detractor"
        return "promoter" if value >= FIRST_PROMOTER else "passive"
