import base64

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, plaintext2html

from ..tools.files import get_refusal_of_file

OPEN_STATES = ("new", "in_progress")

# How many characters a subject and a text have at most, and how many files come with one message.
MAX_SUBJECT = 200
MAX_TEXT = 10000
MAX_FILES = 5
# So many inquiries of one member wait at once.
MAX_OPEN = 20


class PartnerLoyaltyInquiry(models.Model):
    """What a member asks, or a line of its statement that it does not agree with, until it is answered.

    The thread is its chatter: what is not internal there is read by the member. A line under an open dispute is left
    out of payouts.
    """

    _name = "partner.loyalty.inquiry"
    _description = "Question or Dispute"
    _inherit = [
        "portal.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.member.owned.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True
    _protected_fields = frozenset(
        {
            "adjustment_id",
            "answered_at",
            "asked_at",
            "company_id",
            "decided_at",
            "decided_by_id",
            "decision",
            "explanation",
            "held_entry_id",
            "partner_id",
            "program_id",
            "state",
        }
    )
    _protected_after_create_fields = frozenset({"claim_id", "entry_id", "kind", "member_id", "page", "payout_id"})

    # === FIELDS ===#

    name = fields.Char(string="Subject", required=True, tracking=True)
    kind = fields.Selection(
        selection=[("question", "Question"), ("dispute", "Dispute")], required=True, default="question"
    )
    contact_id = fields.Many2one(
        comodel_name="res.partner",
        string="Asked by",
        compute="_compute_contact_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        domain="[('id', 'child_of', partner_id)]",
        help="Who gets the answers by mail.",
    )
    text = fields.Text(required=True, help="What the member wrote.")
    page = fields.Char(string="Asked on the Page", readonly=True)
    entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        string="Statement Line",
        index="btree_not_null",
        ondelete="restrict",
        help="The line that the member does not agree with. It is not paid out before the dispute is decided.",
    )
    held_entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        help="After a merge, the line that brought the disputed amount to the statement that goes on.",
    )
    entry_text = fields.Char(string="How the line was worked out", related="entry_id.explanation_text")
    payout_id = fields.Many2one(comodel_name="partner.loyalty.payout", index="btree_not_null", ondelete="set null")
    claim_id = fields.Many2one(comodel_name="partner.loyalty.claim", index="btree_not_null", ondelete="set null")
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    state = fields.Selection(
        selection=[
            ("new", "New"),
            ("in_progress", "In Progress"),
            ("answered", "Answered"),
            ("closed", "Closed"),
        ],
        required=True,
        default="new",
        readonly=True,
        copy=False,
        tracking=True,
        group_expand=True,
    )
    is_open = fields.Boolean(string="Open", compute="_compute_is_open", search="_search_is_open")
    asked_at = fields.Datetime(
        string="Asked on", required=True, readonly=True, copy=False, default=lambda self: fields.Datetime.now()
    )
    date_deadline = fields.Date(
        string="Answer until",
        compute="_compute_date_deadline",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
    )
    is_overdue = fields.Boolean(string="Overdue", compute="_compute_is_overdue", search="_search_is_overdue")
    answered_at = fields.Datetime(
        string="Answered on", readonly=True, copy=False, help="When the member got an answer for the first time."
    )
    answer_hours = fields.Float(
        string="Hours to Answer",
        digits=(16, 1),
        compute="_compute_answer_hours",
        store=True,
        aggregator="avg",
        help="From the question to the first answer.",
    )
    decision = fields.Selection(
        selection=[("upheld", "Upheld"), ("explained", "Explained")],
        readonly=True,
        copy=False,
        tracking=True,
        help="Upheld: the line was wrong, and an adjustment makes up for it. Explained: the line stands.",
    )
    explanation = fields.Text(readonly=True, copy=False, help="What the member reads about the decision.")
    decided_by_id = fields.Many2one(comodel_name="res.users", string="Decided by", readonly=True, copy=False)
    decided_at = fields.Datetime(
        string="Decided on", readonly=True, copy=False, help="When the member was told of the decision."
    )
    adjustment_id = fields.Many2one(
        comodel_name="partner.loyalty.adjustment",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        help="It makes up for the line, once a manager has approved it.",
    )

    # === CONSTRAINTS ===#

    _dispute_has_line = models.Constraint(
        "CHECK ((kind = 'dispute') = (entry_id IS NOT NULL))",
        "A dispute is about one line of the statement: choose the line, or make it a question.",
    )
    _one_open_dispute = models.UniqueIndex(
        "(entry_id) WHERE kind = 'dispute' AND state IN ('new', 'in_progress')",
        "This line is disputed already: add to that dispute instead.",
    )
    _answered_idx = models.Index("(program_id, asked_at) WHERE answered_at IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_contact_id(self):
        for inquiry in self:
            belongs = inquiry.contact_id.commercial_partner_id == inquiry.member_id.partner_id
            inquiry.contact_id = inquiry.contact_id if belongs else inquiry.member_id.partner_id

    @api.depends("member_id")
    def _compute_user_id(self):
        for inquiry in self:
            inquiry.user_id = inquiry._get_responsible() if inquiry.member_id else inquiry.user_id

    @api.depends("member_id")
    def _compute_date_deadline(self):
        for inquiry in self:
            program = inquiry.member_id.program_id
            inquiry.date_deadline = inquiry.date_deadline or (program and program._get_inquiry_deadline())

    @api.depends("state")
    def _compute_is_open(self):
        for inquiry in self:
            inquiry.is_open = inquiry.state in OPEN_STATES

    def _search_is_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("state", "in", OPEN_STATES)

    @api.depends("state", "date_deadline")
    def _compute_is_overdue(self):
        for inquiry in self:
            today = inquiry.program_id._get_today() if inquiry.program_id else fields.Date.context_today(inquiry)
            until = inquiry.date_deadline
            inquiry.is_overdue = inquiry.state in OPEN_STATES and bool(until) and until < today

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("state", "in", OPEN_STATES) & Domain("date_deadline", "<", fields.Date.context_today(self))

    @api.depends("asked_at", "answered_at")
    def _compute_answer_hours(self):
        for inquiry in self:
            took = inquiry.answered_at and inquiry.answered_at - inquiry.asked_at
            inquiry.answer_hours = took.total_seconds() / 3600 if took else 0

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for inquiry in self:
            inquiry.access_url = f"/my/loyalty/{inquiry.program_id.id}/inquiries/{inquiry.id}"
        return result

    # === CONSTRAINT METHODS ===#

    @api.constrains("name", "text")
    def _check_texts(self):
        for inquiry in self:
            inquiry._check_text(inquiry.name, MAX_SUBJECT)
            inquiry._check_text(inquiry.text, MAX_TEXT)

    @api.constrains("contact_id", "member_id")
    def _check_contact(self):
        for inquiry in self:
            if inquiry.contact_id.commercial_partner_id != inquiry.member_id.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s does not belong to %(member)s: choose one of its contacts.",
                        contact=inquiry.contact_id.display_name,
                        member=inquiry.member_id.partner_id.display_name,
                    )
                )

    @api.constrains("entry_id", "payout_id", "claim_id", "member_id")
    def _check_subjects(self):
        for inquiry in self:
            # What it is about was checked to be the member's own, whoever looks at it.
            about_sudo = inquiry.sudo()
            members = about_sudo.entry_id.member_id | about_sudo.payout_id.member_id | about_sudo.claim_id.member_id
            if members.root_id - about_sudo.member_id.root_id:
                raise ValidationError(
                    self.env._(
                        "“%(inquiry)s” is about something of another member: choose what belongs to %(member)s.",
                        inquiry=inquiry.name,
                        member=inquiry.member_id.partner_id.display_name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._check_lines_undisputed([vals["entry_id"] for vals in vals_list if vals.get("entry_id")])
        inquiries = super().create(vals_list)
        inquiries._hold_lines()
        inquiries._plan_answers()
        for inquiry in inquiries:
            inquiry.message_subscribe(inquiry.contact_id.ids)
        return inquiries

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What members asked is kept: close it instead."))

    # === ACTION METHODS ===#

    def action_take(self):
        """Say that somebody looks into it, and that it is the user."""
        self.check_access("write")
        taken = self.filtered(lambda inquiry: inquiry.state in OPEN_STATES)
        taken.user_id = self.env.user
        taken._set_state("in_progress")
        taken._plan_answers()

    def action_answered(self):
        """Say that a question was answered, where that was by telephone, say.

        :raises UserError: where a dispute has no decision yet
        """
        self.check_access("write")
        inquiries = self.filtered(lambda inquiry: inquiry.state in OPEN_STATES)
        inquiries._check_decided()
        inquiries._mark_answered()

    def action_close(self):
        """Close inquiries that nothing is left to be said about.

        :raises UserError: where a dispute has no decision yet
        """
        self.check_access("write")
        inquiries = self.filtered(lambda inquiry: inquiry.state != "closed")
        inquiries._check_decided()
        inquiries.filtered("is_open")._mark_answered()
        inquiries._set_state("closed")

    def action_reopen(self):
        """Look into what was answered once more."""
        self.check_access("write")
        self.filtered(lambda inquiry: not inquiry.is_open)._reopen()

    def action_view_entry(self):
        """Open the statement line that is disputed."""
        self.ensure_one()
        return self.entry_id._get_records_action(context={})

    def action_view_adjustment(self):
        """Open the adjustment that makes up for the line."""
        self.ensure_one()
        return self.adjustment_id._get_records_action(context={})

    # === BUSINESS METHODS ===#

    @api.model
    def _check_text(self, text, most):
        """Check what somebody wrote.

        :param str text: subject or text
        :param int most: how many characters it has at most
        :raises ValidationError: where it is empty or too long
        """
        if not (text or "").strip():
            raise ValidationError(self.env._("Say what it is about: subject and text cannot be empty."))
        if len(text) > most:
            raise ValidationError(
                self.env._(
                    "That is %(length)s characters long, and can have %(most)s: shorten it, or attach a file.",
                    length=len(text),
                    most=most,
                )
            )

    @api.model
    def _check_lines_undisputed(self, entry_ids):
        """Check that lines are disputed by nobody yet; of two at the same moment the index refuses one.

        :param list entry_ids: ids of lines
        :raises ValidationError: where one is
        """
        # Whether a line is disputed does not depend on who asks.
        if self.sudo().search_count([("entry_id", "in", entry_ids), ("is_open", "=", True)], limit=1):
            raise ValidationError(self.env._("This line is disputed already: add to that dispute instead."))

    def _hold_lines(self):
        """Write the accounts of disputed lines, so that a payout at the same moment starts over and finds them."""
        # The balance is not for who asks to write, and stays as it is.
        accounts_sudo = self.sudo().entry_id.account_id
        if accounts_sudo:
            self.env.flush_all()
            self.env.execute_query(
                SQL("UPDATE partner_loyalty_account SET balance = balance WHERE id = ANY(%s)", list(accounts_sudo.ids))
            )

    @api.model
    def _get_held_query(self):
        """Return the ids of the lines that are left out of payouts.

        :rtype: SQL
        """
        return SQL(
            """SELECT COALESCE(held_entry_id, entry_id) FROM partner_loyalty_inquiry
                WHERE kind = 'dispute' AND state IN %s AND entry_id IS NOT NULL""",
            OPEN_STATES,
        )

    @api.model
    def _follow_transfer(self, entry_ids):
        """Hold back what disputed lines have become by a merge: each was moved by a line of its own.

        :param list entry_ids: ids of the lines that moved a balance
        """
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_inquiry inquiry SET held_entry_id = moved.id
                  FROM partner_loyalty_entry moved
                 WHERE moved.id = ANY(%s) AND inquiry.kind = 'dispute' AND inquiry.state IN %s
                   AND (moved.explanation->>'held')::integer = COALESCE(inquiry.held_entry_id, inquiry.entry_id)
                """,
                entry_ids,
                OPEN_STATES,
            )
        )
        self.invalidate_model(["held_entry_id"])

    def _set_state(self, state, **vals):
        # The state is set by the program alone; each button has checked who may do so.
        self.sudo().write({"state": state, **vals})

    def _mark_answered(self):
        """Note that the members have their answers."""
        for inquiry in self:
            inquiry._set_state("answered", answered_at=inquiry.answered_at or fields.Datetime.now())
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def _reopen(self):
        """Wait for an answer anew: the deadline starts over, and a decision counts no more.

        :raises ValidationError: where the line of one is disputed once more already
        """
        self._check_lines_undisputed(self.filtered(lambda inquiry: not inquiry.is_open).entry_id.ids)
        for inquiry in self:
            inquiry._set_state(
                "in_progress",
                adjustment_id=False,
                date_deadline=inquiry.program_id._get_inquiry_deadline(),
                decision=False,
            )
        self._hold_lines()
        self._plan_answers()

    def _check_decided(self):
        """Check that nobody answers a dispute without a decision.

        :raises UserError: where there is one
        """
        for inquiry in self.filtered(lambda inquiry: inquiry.kind == "dispute" and inquiry.is_open):
            if inquiry.adjustment_id:
                raise UserError(
                    self.env._(
                        "“%(inquiry)s” waits for %(adjustment)s: have a manager approve or refuse that first.",
                        inquiry=inquiry.name,
                        adjustment=inquiry.adjustment_id.name,
                    )
                )
            raise UserError(self.env._("“%s” is a dispute: decide on it with the button “Decide”.", inquiry.name))

    # === BUSINESS METHODS - DECISION ===#

    def _explain(self, text):
        """Let a disputed line stand, and say why.

        :param str text: what the member reads
        :raises UserError: where it is no open dispute
        """
        self._check_can_decide()
        for inquiry in self:
            inquiry._set_state(inquiry.state, decision="explained", explanation=text, decided_by_id=inquiry.env.uid)
            inquiry._tell_decision()

    def _uphold(self, text, amount):
        """Ask for an adjustment that makes up for a disputed line; the member reads of it once it is approved.

        :param str text: what the member reads
        :param float amount: what is added to the balance, or taken off it, in the unit of the line
        :return: the ``partner.loyalty.adjustment``
        :raises UserError: where it is no open dispute
        """
        self.ensure_one()
        self._check_can_decide()
        adjustment = self.env["partner.loyalty.adjustment"].create(self._prepare_adjustment_vals(amount))
        adjustment.action_request()
        self._set_state(
            "in_progress",
            adjustment_id=adjustment.id,
            decided_by_id=self.env.uid,
            decision="upheld",
            explanation=text,
        )
        return adjustment

    def _prepare_adjustment_vals(self, amount):
        """Return the values of the adjustment that makes up for the line.

        :rtype: dict
        """
        self.ensure_one()
        inquiry = self.with_context(lang=self.contact_id.lang)
        return {
            "member_id": self.member_id.root_id.id,
            "unit": self.entry_id.unit,
            "amount": amount,
            "reason": inquiry.env._(
                "Line %(number)s corrected: %(subject)s", number=self.entry_id.sequence, subject=self.name
            ),
        }

    def _check_can_decide(self):
        """Check that disputes wait for a decision, and that it is not about the own company of the user.

        :raises UserError: where it is otherwise
        """
        self.check_access("write")
        for inquiry in self:
            if inquiry.kind != "dispute" or not inquiry.is_open or inquiry.adjustment_id:
                raise UserError(self.env._("“%s” waits for no decision.", inquiry.name))
            if self.env.user.partner_id.commercial_partner_id == inquiry.partner_id:
                raise UserError(
                    self.env._("“%s” is of your own company: somebody else has to decide on it.", inquiry.name)
                )

    def _tell_decision(self):
        """Tell the member what was decided: in the thread, and by a message of the program."""
        for inquiry in self.with_context(loyalty_told_by_message=True):
            inquiry.message_post(
                body=plaintext2html(inquiry.explanation),
                author_id=inquiry.decided_by_id.partner_id.id,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
            inquiry._set_state(inquiry.state, decided_at=fields.Datetime.now())
        self._mark_answered()
        self.env["partner.loyalty.message"]._trigger()

    def _follow_adjustment(self, decision):
        """Tell of adjustments that were approved; where they came to nothing, decide anew.

        :param str decision: the state of the adjustment
        """
        if decision == "approved":
            self._tell_decision()
        elif decision in ("refused", "canceled"):
            for inquiry in self:
                inquiry._message_log(
                    body=self.env._(
                        "%s came to nothing: decide anew on the dispute.", inquiry.adjustment_id.display_name
                    )
                )
            self._reopen()

    # === BUSINESS METHODS - THREAD ===#

    def _message_post_after_hook(self, message, msg_values):
        """Override: what staff writes answers a question, and what the member writes asks anew."""
        result = super()._message_post_after_hook(message, msg_values)
        is_comment = message.message_type in ("comment", "email") and message.subtype_id == self.env.ref(
            "mail.mt_comment"
        )
        if is_comment and not message.is_internal:
            # Whoever may write into the thread need not be able to change the state.
            self.sudo()._follow_message(message)
        return result

    def _follow_message(self, message):
        """Bring the state in line with who has written last, and let the member read the files."""
        self.ensure_one()
        message.attachment_ids.generate_access_token()
        if message.author_id.commercial_partner_id == self.partner_id:
            if self.state in ("answered", "closed"):
                self._reopen()
        elif self.kind == "question" and self.is_open:
            self._mark_answered()
        elif self.state == "new":
            self._set_state("in_progress")

    @api.model
    def _ask(self, vals, files=()):
        """Write down what somebody of a member asks or disputes.

        :param dict vals: of the inquiry
        :param files: pairs of name and bytes in base64
        :rtype: ``partner.loyalty.inquiry``
        :raises UserError: where something cannot be taken
        """
        self._check_files(files)
        if self.search_count([("member_id", "=", vals["member_id"]), ("is_open", "=", True)]) >= MAX_OPEN:
            raise UserError(
                self.env._("%s of your questions wait for an answer: ask the next one after that.", MAX_OPEN)
            )
        inquiry = self.with_context(mail_create_nosubscribe=True).create(vals)
        inquiry._attach(files)
        return inquiry

    def _get_posts(self):
        """Return what the member reads of the thread, the oldest first: what it wrote, and what is not internal.

        :return: dicts of ``name``, ``date``, ``body``, ``files`` and ``is_own``
        :rtype: list[dict]
        """
        self.ensure_one()
        messages = self.message_ids.filtered(
            lambda message: message.subtype_id == self.env.ref("mail.mt_comment") and not message.is_internal
        )
        own = self.env["ir.attachment"].search([("res_model", "=", self._name), ("res_id", "=", self.id)])
        first = {
            "name": self.contact_id.name,
            "date": self.asked_at,
            "body": plaintext2html(self.text),
            # Those of messages come with them.
            "files": (own - self.message_ids.attachment_ids).filtered("access_token"),
            "is_own": True,
        }
        return [first] + [
            {
                "name": message.author_id.name or message.email_from,
                "date": message.date,
                "body": message.body,
                "files": message.attachment_ids,
                "is_own": message.author_id.commercial_partner_id == self.partner_id,
            }
            for message in messages.sorted("id")
        ]

    def _get_portal_title(self):
        """Return what it is, of when and by whom, for the member."""
        self.ensure_one()
        terms = {"date": format_date(self.env, self.asked_at), "contact": self.contact_id.name}
        if self.kind == "dispute":
            return self.env._("Dispute of %(date)s, %(contact)s", **terms)
        return self.env._("Question of %(date)s, %(contact)s", **terms)

    def _get_portal_promise(self):
        """Return by when the member has an answer, or False where it has one."""
        self.ensure_one()
        if not self.is_open or not self.date_deadline:
            return False
        day = format_date(self.env, self.date_deadline)
        if self.entry_id.unit == "money":
            return self.env._("Our answer comes by %s. Until then the line is not paid out.", day)
        return self.env._("Our answer comes by %s.", day)

    def _write_as(self, contact, text, files=()):
        """Let somebody of the member write into the thread.

        :param contact: ``res.partner`` who writes
        :param str text: what it says
        :param files: pairs of name and bytes in base64
        :return: the ``mail.message``
        :raises ValidationError: where text or files cannot be taken
        """
        self.ensure_one()
        self._check_text(text, MAX_TEXT)
        self._check_files(files)
        return self.message_post(
            body=plaintext2html(text),
            author_id=contact.id,
            email_from=contact.email_formatted,
            attachments=[(name, base64.b64decode(content)) for name, content in files],
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    def _attach(self, files):
        """Keep the files that came with what somebody of the member asked.

        :param files: pairs of name and bytes in base64, checked
        """
        self.ensure_one()
        values = {"res_model": self._name, "res_id": self.id}
        attachments = self.env["ir.attachment"].create(
            [{"name": name, "datas": content, **values} for name, content in files]
        )
        attachments.generate_access_token()

    @api.model
    def _check_files(self, files):
        """Check that files are few, and nothing that runs.

        :raises ValidationError: where one cannot be taken
        """
        if len(files) > MAX_FILES:
            raise ValidationError(self.env._("Attach up to %s files at once: send the others afterwards.", MAX_FILES))
        for name, content in files:
            refusal = get_refusal_of_file(self.env, name, content)
            if refusal:
                raise ValidationError(refusal)

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Override: of a decision the member reads in a message of the program, and not in two."""
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        if not self.env.context.get("loyalty_told_by_message"):
            return recipients
        return [recipient for recipient in recipients if not recipient["share"]]

    def _mail_get_partner_fields(self, introspect_fields=False):
        """Override: who asked gets the answers, and not the address of the company."""
        return ["contact_id"]

    # === BUSINESS METHODS - TO-DO ===#

    def _plan_answers(self):
        """Ask the responsible to answer in time."""
        self.activity_unlink(["mail.mail_activity_data_todo"])
        for inquiry in self.filtered("user_id"):
            inquiry.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=inquiry.date_deadline,
                summary=inquiry._get_todo_summary(),
                user_id=inquiry.user_id.id,
            )

    def _get_todo_summary(self):
        """Return what the to-do says, in the language of who has to do it."""
        inquiry = self.with_context(lang=self.user_id.lang)
        terms = {"partner": self.partner_id.display_name, "subject": self.name}
        if self.kind == "dispute":
            return inquiry.env._("Decide on the dispute of %(partner)s: %(subject)s", **terms)
        return inquiry.env._("Answer %(partner)s: %(subject)s", **terms)

    def _get_responsible(self):
        """Return who answers a member: its account manager, where that is an officer, or who is responsible.

        :rtype: ``res.users``
        """
        self.ensure_one()
        # Who asks need not be able to see the users.
        member_sudo = self.member_id.sudo()
        manager_sudo = member_sudo.partner_id.user_id
        is_officer = manager_sudo and manager_sudo.has_group("partner_loyalty.partner_loyalty_group_officer")
        is_in_company = member_sudo.company_id in manager_sudo.company_ids
        return manager_sudo if is_officer and is_in_company and manager_sudo.active else member_sudo.program_id.user_id
