from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import NAMES_IN_MESSAGE, NO_PERIOD, STAFF_GROUPS
from .partner_loyalty_payout_bill import INVOICE_FIELDS


class PartnerLoyaltyPayout(models.Model):
    """Money on its way to a member: prepared by an officer, approved by a manager, billed, and paid with the bill."""

    _name = "partner.loyalty.payout"
    _description = "Loyalty Payout"
    _inherit = [
        "partner.loyalty.approval.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.payout.bill",
        "partner.loyalty.member.owned.mixin",
    ]
    _order = "date desc, id desc"
    _check_company_auto = True
    _decision_field = "decision"
    _waiting_decisions = ("submitted", "second")
    _cancelable_decisions = ("draft", "submitted", "second", "held", "approved")
    _requester_fields = ("prepared_by_id", "submitted_by_id")
    _protected_fields = frozenset(
        {
            "amount",
            "bank_account",
            "bill_amount",
            "bill_currency_id",
            "bill_error",
            "bill_id",
            "bill_rate",
            "company_id",
            "decided_at",
            "decided_by_id",
            "is_decided_alone",
            "decision",
            "entry_id",
            "first_approved_at",
            "first_approved_by_id",
            "hold_reason",
            "is_bill_pending",
            "name",
            "partner_id",
            "period_start",
            "prepared_by_id",
            "program_id",
            "refuse_reason",
            "state",
            "submitted_at",
            "submitted_by_id",
        }
    )
    _protected_after_create_fields = frozenset({"date", "member_id"})

    # === FIELDS ===#

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    member_id = fields.Many2one(readonly=True)
    date = fields.Date(
        string="Matured until", required=True, readonly=True, help="What had matured by this day is paid out."
    )
    period_start = fields.Date(
        string="First Day of the Period",
        compute="_compute_period_start",
        store=True,
        precompute=True,
        help="Of the month or quarter that is paid out; none where the program has no schedule.",
    )
    amount = fields.Monetary(readonly=True, tracking=True)
    decision = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("second", "Approved Once"),
            ("held", "On Hold"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("canceled", "Canceled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("submitted", "To Approve"),
            ("second", "Second Approval"),
            ("held", "On Hold"),
            ("approved", "Approved"),
            ("billed", "Billed"),
            ("partial", "Partly Paid"),
            ("paid", "Paid"),
            ("refused", "Refused"),
            ("canceled", "Canceled"),
        ],
        compute="_compute_state",
        store=True,
        tracking=True,
        group_expand=True,
        help="Approved: the bill is a draft. Billed: it is posted. Paid: it is paid.",
    )
    prepared_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Prepared by",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
    )
    submitted_by_id = fields.Many2one(comodel_name="res.users", string="Submitted by", readonly=True, copy=False)
    submitted_at = fields.Datetime(string="Submitted on", readonly=True, copy=False)
    entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry", string="Statement Line", readonly=True, copy=False, ondelete="restrict"
    )
    first_approved_by_id = fields.Many2one(
        comodel_name="res.users", string="First Approved by", readonly=True, copy=False
    )
    first_approved_at = fields.Datetime(string="First Approved on", readonly=True, copy=False)
    hold_reason = fields.Char(string="On Hold because", readonly=True, copy=False, tracking=True, groups=STAFF_GROUPS)
    # What managers tell who prepared it.
    refuse_reason = fields.Char(groups=STAFF_GROUPS)
    payout_document = fields.Selection(related="program_id.payout_document")
    line_ids = fields.Many2many(
        comodel_name="partner.loyalty.entry", string="Statement Lines", compute="_compute_statement"
    )
    opening_balance = fields.Monetary(compute="_compute_statement")
    closing_balance = fields.Monetary(compute="_compute_statement")

    # === CONSTRAINTS ===#

    _member_date_unique = models.UniqueIndex(
        "(member_id, date) WHERE decision NOT IN ('refused', 'canceled')",
        "There is a payout to this member for this day already: open that one.",
    )
    _member_period_unique = models.UniqueIndex(
        "(member_id, period_start) WHERE period_start IS NOT NULL AND decision NOT IN ('refused', 'canceled')",
        "There is a payout to this member for this period already: open that one.",
    )
    _one_draft = models.UniqueIndex(
        "(member_id) WHERE decision = 'draft'",
        "There is a draft payout to this member already: submit or cancel that one first.",
    )
    _bill_unique = models.UniqueIndex("(bill_id) WHERE bill_id IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("date", "member_id")
    def _compute_period_start(self):
        for payout in self:
            payout.period_start = payout.date and payout.program_id._get_payout_period_start(payout.date)

    @api.depends("decision", "bill_id.state", "bill_id.payment_state")
    def _compute_state(self):
        paid = {"paid": "paid", "in_payment": "paid", "partial": "partial"}
        for payout in self:
            # Sales managers approve without any right on bills.
            bill_sudo = payout._get_live_bill()
            payout.state = payout.decision
            if payout.decision == "approved" and bill_sudo.state == "posted":
                payout.state = paid.get(bill_sudo.payment_state, "billed")

    def _compute_statement(self):
        for payout in self:
            lines, opening = payout._get_statement_lines()
            payout.line_ids = lines
            payout.opening_balance = opening
            payout.closing_balance = opening + sum(lines.mapped("amount"))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        payouts = super().create(vals_list)
        # Number and amount are set by the program alone.
        for payout_sudo in payouts.sudo():
            sequence_sudo = self.env["ir.sequence"].sudo().with_company(payout_sudo.company_id)
            payout_sudo.name = sequence_sudo.next_by_code(self._name) or "/"
        payouts.action_recompute()
        return payouts

    def write(self, vals):
        # Before it is looked at in what state the payouts are.
        self._check_input(vals)
        if INVOICE_FIELDS & vals.keys() and not self.env.su:
            self._check_invoice_can_change()
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_submit(self):
        """Take the money off the balance and ask a manager for approval.

        :raises UserError: when less than the amount is available by now
        """
        self.check_access("write")
        payouts = self._get_in("draft")
        payouts._check_payable()
        payouts._debit()
        payouts._set_decision("submitted", submitted_by_id=self.env.uid, submitted_at=fields.Datetime.now())
        payouts._notify_approvers()

    def action_approve(self):
        """Approve payouts and make their bills, as drafts; large ones wait for a second manager.

        :raises UserError: when the user may not approve one of them
        """
        payouts = self._get_in("submitted", "second")
        payouts._check_can_decide()
        payouts.activity_unlink(["mail.mail_activity_data_todo"])
        first = payouts.filtered(lambda payout: payout._needs_second_approval())
        first._approve_once()
        payouts -= first
        payouts.program_id._check_can_bill()
        for payout in payouts:
            payout._set_decision("approved", **payout._prepare_decision_vals(), **payout._prepare_bill_terms())
        payouts._bill_soon()

    def action_hold(self, reason=None):
        """Put payouts on hold: their money stays reserved, and nobody approves them meanwhile.

        :param str reason: why, for who prepared them
        :raises UserError: when the user is no manager, or gives no reason that can be read
        """
        payouts = self._get_in("submitted", "second")
        payouts._check_is_manager()
        payouts._set_decision("held", hold_reason=payouts._read_reason(reason), **self._prepare_no_approval_vals())
        payouts.activity_unlink(["mail.mail_activity_data_todo"])

    def action_release(self):
        """Let payouts on hold be approved from the beginning."""
        payouts = self._get_in("held")
        payouts._check_is_manager()
        payouts._set_decision("submitted", hold_reason=False)
        payouts._notify_approvers()

    def action_ask_again(self):
        """Take an approval back, with the draft bill that came from it, and ask for it anew.

        :raises UserError: where the bill is posted
        """
        self.check_access("write")
        payouts = self._get_in("second", "approved")
        for payout in payouts:
            payout._ask_again(self.env._("Asked for by %s.", self.env.user.name))

    def action_recompute(self):
        """Bring the amount of drafts up to what is available now."""
        self.check_access("write")
        payouts = self._get_in("draft")
        accounts = payouts.member_id.account_ids.filtered(lambda account: account.unit == "money")
        for cutoff, group in payouts.grouped(lambda payout: payout._get_cutoff()).items():
            available = accounts._get_available(cutoff, for_payout=True)
            by_member = {account.member_id: available.get(account.id, 0) for account in accounts}
            # Amounts are set by the program alone.
            for payout_sudo in group.sudo():
                payout_sudo.amount = by_member.get(payout_sudo.member_id.with_env(self.env), 0)

    # === BUSINESS METHODS - PREPARING ===#

    @api.model
    def _draft(self, program, day, amounts):
        """Draft the payouts of members, in one statement: there may be thousands.

        :param program: ``partner.loyalty.program``
        :param date day: up to which day money had matured
        :param dict amounts: Decimal in the currency of the company, by id of the member
        :return: the payouts
        """
        self.browse().check_access("create")
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_payout (
                       name, member_id, program_id, partner_id, company_id, date, period_start, amount, decision, state,
                       prepared_by_id, create_uid, create_date, write_uid, write_date)
                SELECT payable.name, member.id, member.program_id, member.partner_id, program.company_id, %(day)s,
                       %(period)s::date, payable.amount, 'draft', 'draft', %(uid)s, %(uid)s, now() AT TIME ZONE 'UTC',
                       %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(names)s::varchar[], %(members)s::integer[], %(amounts)s::numeric[])
                           AS payable(name, member_id, amount)
                  JOIN partner_loyalty_member member ON member.id = payable.member_id
                  JOIN partner_loyalty_program program ON program.id = member.program_id
                 WHERE program.id = %(program)s
             RETURNING id
                """,
                day=day,
                period=program._get_payout_period_start(day) or None,
                uid=self.env.uid,
                names=self._get_new_names(program.company_id, len(amounts)),
                members=list(amounts),
                amounts=list(amounts.values()),
                program=program.id,
            )
        )
        self.env["partner.loyalty.member"].invalidate_model(["payout_count"])
        return self.browse(row[0] for row in rows)

    @api.model
    def _get_new_names(self, company, count):
        """Return so many numbers for payouts.

        :param company: ``res.company``
        :rtype: list[str]
        """
        # Numbers are drawn by the program alone.
        sequences_sudo = self.env["ir.sequence"].sudo().with_company(company)
        sequence_sudo = sequences_sudo.search(
            [("code", "=", self._name), ("company_id", "in", [company.id, False])], order="company_id", limit=1
        )
        if sequence_sudo.implementation != "standard" or sequence_sudo.use_date_range:
            return [sequences_sudo.next_by_code(self._name) or "/" for _number in range(count)]
        # Thousands of them in one statement, as Odoo draws them one by one.
        drawn = self.env.execute_query(
            SQL("SELECT nextval(%s) FROM generate_series(1, %s)", f"ir_sequence_{sequence_sudo.id:03d}", count)
        )
        prefix, suffix = sequence_sudo._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence_sudo.padding}d}{suffix}" for (number,) in drawn]

    # === BUSINESS METHODS - MONEY ===#

    def _debit(self):
        """Post the payouts: the debits come first and then have to find matured lots for all of them.

        :raises UserError: when they do not
        """
        self._check_have_amounts()
        Entry = self.env["partner.loyalty.entry"]
        rows = Entry._post(self._get_debit_source())
        for cutoff, payouts in self.grouped(lambda payout: payout._get_cutoff()).items():
            own = Entry.browse([row[0] for row in rows]).filtered(
                lambda entry, payouts=payouts: entry.origin_id in payouts._ids
            )
            self.env["partner.loyalty.allocation"]._consume(own, mature_by=cutoff, for_payout=True)
        entries = Entry.browse([row[0] for row in rows])
        by_payout = {entry.origin_id: entry for entry in entries}
        lacking = self.filtered(lambda payout: by_payout[payout.id].amount_open)
        if lacking:
            raise UserError(lacking[0]._get_lacking_text())
        # The link is set by the program alone.
        for payout_sudo in self.sudo():
            payout_sudo.entry_id = by_payout[payout_sudo.id]

    def _check_have_amounts(self):
        """Check that there is something to pay.

        :raises UserError: where there is not
        """
        for payout in self:
            if not payout.amount > 0:
                raise UserError(self.env._("%(payout)s has no amount: nothing is available.", payout=payout.name))

    def _get_lacking_text(self):
        """Return in words that less is available than the amount."""
        return self.env._(
            "%(payout)s is for %(amount)s, and only part of that is available by now: "
            "something was paid, taken back or disputed since. Click “Update Amount”.",
            payout=self.name,
            amount=self.currency_id.format(self.amount),
        )

    def _get_debit_source(self):
        """Return the debits of payouts, as a source for ``partner.loyalty.entry._post``.

        :rtype: SQL
        """
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT account.id AS account_id, 'payout' AS type, -payout.amount AS amount, NULL::integer AS rule_id,
                       %(model)s AS origin_model, payout.id AS origin_id, %(no_period)s::date AS period_start,
                       0 AS revision, %(today)s::date AS contribution_date, %(today)s::date AS date,
                       %(today)s::date AS mature_date, NULL::date AS expiry_date, NULL::integer AS idle_months,
                       NULL::integer AS reverses_id, NULL::varchar AS external_ref, '{}'::jsonb AS explanation
                  FROM partner_loyalty_payout payout
                  JOIN partner_loyalty_account account
                    ON account.member_id = payout.member_id AND account.unit = 'money'
                 WHERE payout.id = ANY(%(ids)s)
                """,
                model=self._name,
                no_period=NO_PERIOD,
                today=program._get_today(),
                ids=list(payouts.ids),
            )
            for program, payouts in self.grouped("program_id").items()
        )

    def _get_cutoff(self):
        """Return the day by which money has to have matured to be in the payout; never a day to come."""
        self.ensure_one()
        return min(self.date, self.program_id._get_today())

    def _withdraw(self):
        for payout in self.filtered("entry_id"):
            payout._return_money()
        return super()._withdraw()

    def _return_money(self):
        """Give the money of a submitted payout back to the lots it came from; of a merged member, it moves on."""
        self.ensure_one()
        self.entry_id._return("payout_return", self)
        # Who may refuse a payout has no right on the balance of a member.
        member_sudo = self.member_id.sudo()
        if member_sudo.merged_into_id:
            member_sudo._transfer_balance()

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_approval_summary(self):
        return self.env._("Payouts to approve: %s", len(self))

    def _check_payable(self):
        """Check that nothing forbids to pay the members.

        :raises UserError: with what does
        """
        refusals = self.member_id._get_payout_refusals()
        if refusals:
            names = [f"{member.display_name}: {refusal}" for member, refusal in refusals.items()]
            raise UserError(self.env._("These payouts cannot be made:\n%s", "\n".join(names[:NAMES_IN_MESSAGE])))

    def _check_is_manager(self):
        """Check that the user is a manager.

        :raises UserError: where it is somebody else
        """
        self.check_access("write")
        if not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            raise UserError(
                self.env._("%s can be put on hold and released by a loyalty manager only.", self._get_names())
            )

    def _check_can_cancel(self):
        """Check that an approved payout is withdrawn by a manager, and has no bill.

        :raises UserError: where it is otherwise
        """
        for payout in self.filtered(lambda payout: payout.decision in ("second", "held", "approved")):
            if not self.env.su and not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
                raise UserError(
                    self.env._("%s was approved or put on hold, so only a loyalty manager can cancel it.", payout.name)
                )
            if payout._get_live_bill():
                raise UserError(
                    self.env._(
                        "%(payout)s has the bill “%(bill)s”: cancel that one first, or ask for approval again.",
                        payout=payout.name,
                        bill=payout._get_live_bill().display_name,
                    )
                )

    def _check_invoice_can_change(self):
        """Check that the partner's invoice is entered between approval and bill.

        :raises UserError: where it is not the time
        """
        for payout in self:
            if payout.decision != "approved" or payout._get_live_bill():
                raise UserError(
                    self.env._(
                        "The partner's invoice for %s is entered after the approval, and before the bill.", payout.name
                    )
                )

    def _get_requesters(self):
        return super()._get_requesters() | self.first_approved_by_id

    def _get_refusal(self, user):
        if self.decision == "second" and user == self.first_approved_by_id and not self._is_decided_alone_by(user):
            return self.env._("You approved %s already: another manager has to approve it, too.", self.name)
        return super()._get_refusal(user)

    def _needs_second_approval(self):
        """Return whether another manager has to approve the payout after this one."""
        self.ensure_one()
        limit = self.program_id.payout_limit
        is_large = limit and self.currency_id.compare_amounts(self.amount, limit) >= 0
        return bool(is_large) and self.decision == "submitted" and not self._is_decided_alone_by(self.env.user)

    def _approve_once(self):
        """Note the first approval of large payouts, and ask for the second."""
        for payout in self:
            payout._set_decision(
                "second",
                first_approved_by_id=self.env.uid,
                first_approved_at=fields.Datetime.now(),
                bank_account=payout._get_bank_account(),
            )
        self._notify_approvers()

    def _ask_again(self, reason):
        """Take an approval back, with its draft bill.

        :param str reason: what has happened, for the log
        :raises UserError: where the bill is posted
        """
        self.ensure_one()
        bill_sudo = self._get_live_bill()
        if bill_sudo.state == "posted":
            raise UserError(
                self.env._(
                    "The bill “%(bill)s” of %(payout)s is posted: reset or reverse it first.",
                    bill=bill_sudo.display_name,
                    payout=self.name,
                )
            )
        # The draft bill came from the approval, and goes with it.
        bill_sudo.with_context(force_delete=True).unlink()
        self._set_decision("submitted", **self._prepare_no_approval_vals())
        self._message_log(body=self.env._("The approval was taken back. %s", reason))
        self._notify_approvers()

    def _prepare_no_approval_vals(self):
        """Return the values of a payout that nobody has approved."""
        return {
            "decided_by_id": False,
            "decided_at": False,
            "is_decided_alone": False,
            "first_approved_by_id": False,
            "first_approved_at": False,
            "is_bill_pending": False,
            "bill_error": False,
        }

    # === GETTERS ===#

    def _get_statement_lines(self):
        """Return the lines since the previous payout, and the balance before them.

        A draft shows what is on the account now. Opening balance, lines and closing balance add up.

        :rtype: tuple
        """
        self.ensure_one()
        account, first, last = self._get_statement_range()
        Entry = self.env["partner.loyalty.entry"]
        lines = Entry.search(
            [("account_id", "=", account.id), ("sequence", ">", first), ("sequence", "<=", last)], order="sequence"
        )
        before = Entry._read_group([("account_id", "=", account.id), ("sequence", "<=", first)], [], ["amount:sum"])
        return lines, before[0][0] or 0

    def _get_statement_range(self):
        """Return the account, the number of the last line before those of the payout, and that of its own last one.

        :rtype: tuple
        """
        self.ensure_one()
        account = self.member_id._get_account("money")
        last = self.entry_id.sequence or account.version
        return account, self._get_previous_sequence(account, last), last

    def _get_previous_sequence(self, account, last):
        """Return the number of the last line that an earlier payout has shown."""
        rows = self.env["partner.loyalty.payout"]._read_group(
            [
                ("member_id", "=", self.member_id.id),
                ("decision", "in", ("submitted", "second", "held", "approved")),
                ("entry_id.sequence", "<", last),
                ("id", "!=", self._origin.id),
            ],
            [],
            ["id:recordset"],
        )
        return max(rows[0][0].entry_id.mapped("sequence"), default=0)

    def _get_report_base_filename(self):
        """Return the file name of the statement."""
        self.ensure_one()
        return self.env._("Statement %s", self.name)
