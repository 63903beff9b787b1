from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, clean_context


class PartnerLoyaltyPayout(models.Model):
    """Money on its way to a member: prepared by an officer, approved by a manager, billed, and paid with the bill."""

    _name = "partner.loyalty.payout"
    _description = "Loyalty Payout"
    _inherit = ["partner.loyalty.approval.mixin", "partner.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _decision_field = "decision"
    _requester_fields = ("prepared_by_id", "submitted_by_id")
    _protected_fields = frozenset(
        {
            "amount",
            "bill_id",
            "company_id",
            "decided_at",
            "decided_by_id",
            "decision",
            "entry_id",
            "name",
            "partner_id",
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

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, default="/")
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    program_id = fields.Many2one(related="member_id.program_id", store=True, index=True)
    partner_id = fields.Many2one(related="member_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="Matured until", required=True, readonly=True, help="What had matured by this day is paid out."
    )
    amount = fields.Monetary(readonly=True, tracking=True)
    decision = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("submitted", "Submitted"),
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
            ("approved", "Approved"),
            ("billed", "Billed"),
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
    bill_id = fields.Many2one(
        comodel_name="account.move", string="Vendor Bill", readonly=True, copy=False, index="btree_not_null"
    )
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
    _one_draft = models.UniqueIndex(
        "(member_id) WHERE decision = 'draft'",
        "There is a draft payout to this member already: submit or cancel that one first.",
    )
    _bill_unique = models.UniqueIndex("(bill_id) WHERE bill_id IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("decision", "bill_id.state", "bill_id.payment_state")
    def _compute_state(self):
        for payout in self:
            # Sales managers approve without any right on bills.
            bill_sudo = payout.bill_id.sudo()
            payout.state = payout.decision
            if payout.decision == "approved" and bill_sudo.state == "posted":
                payout.state = "paid" if bill_sudo.payment_state in ("paid", "in_payment") else "billed"

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

    # === ACTION METHODS ===#

    def action_submit(self):
        """Take the money off the balance and ask a manager for approval.

        :raises UserError: when less than the amount is available by now
        """
        self.check_access("write")
        payouts = self._get_in("draft")
        for payout in payouts:
            payout._debit()
            payout._set_decision("submitted", submitted_by_id=self.env.uid, submitted_at=fields.Datetime.now())
        payouts._notify_approvers()

    def action_approve(self):
        """Approve payouts and make their vendor bills, as drafts.

        :raises UserError: when the user may not approve one of them
        """
        payouts = self._get_in("submitted")
        payouts._check_can_decide()
        for payout in payouts:
            payout._set_decision("approved", **payout._prepare_decision_vals())
            payout._create_bill()
        payouts.activity_unlink(["mail.mail_activity_data_todo"])

    def action_recompute(self):
        """Bring the amount of drafts up to what is available now."""
        self.check_access("write")
        for payout in self._get_in("draft"):
            account = payout.member_id._get_account("money")
            # Amounts are set by the program alone.
            payout.sudo().amount = account._get_available(payout._get_cutoff()).get(account.id, 0)

    def action_view_bill(self):
        """Open the vendor bill."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.bill_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS - MONEY ===#

    def _debit(self):
        """Post the payout: the debit comes first and then has to find matured lots for all of it.

        :raises UserError: when it does not
        """
        self.ensure_one()
        Entry = self.env["partner.loyalty.entry"]
        account = self.member_id._get_account("money")
        vals = Entry._prepare_entry_vals(account, "payout", -self._get_exact_amount(), self)
        if vals["amount"] >= 0:
            raise UserError(self.env._("%(payout)s has no amount: nothing is available.", payout=self.name))
        entry = Entry._post_vals([vals])
        self.env["partner.loyalty.allocation"]._consume(entry, mature_by=self._get_cutoff())
        if entry.amount_open:
            raise UserError(
                self.env._(
                    "%(payout)s is for %(amount)s, and only part of that is available by now: "
                    "something was paid or taken back since. Click “Update Amount”.",
                    payout=self.name,
                    amount=self.currency_id.format(self.amount),
                )
            )
        # The link is set by the program alone.
        self.sudo().entry_id = entry

    def _get_cutoff(self):
        """Return the day by which money has to have matured to be in the payout; never a day to come."""
        self.ensure_one()
        return min(self.date, self.program_id._get_today())

    def _withdraw(self):
        for payout in self.filtered(lambda payout: payout.decision == "submitted"):
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

    def _get_exact_amount(self):
        """Return the amount as a Decimal."""
        self.ensure_one()
        self.flush_recordset(["amount"])
        query = SQL("SELECT COALESCE(amount, 0)::text FROM partner_loyalty_payout WHERE id = %s", self.id)
        return Decimal(self.env.execute_query(query)[0][0])

    # === BUSINESS METHODS - BILL ===#

    def _create_bill(self):
        """Make the draft vendor bill of an approved payout.

        :raises UserError: when the program lacks a journal or a product
        """
        self.ensure_one()
        self._check_can_bill()
        # The approver is a sales manager without accounting rights; the bill is a draft for the accountant to check.
        context = clean_context(self.env.context)
        move_sudo = self.env["account.move"].sudo().with_company(self.company_id).with_context(context)
        self.sudo().bill_id = move_sudo.create(self._prepare_vendor_bill_vals())

    def _check_can_bill(self):
        program = self.program_id
        if not program.payout_product_id or not program.payout_journal_id:
            raise UserError(
                self.env._(
                    "Payouts of “%(program)s” cannot be billed yet: "
                    "choose a bill journal and a bill product on the program.",
                    program=program.name,
                )
            )

    def _prepare_vendor_bill_vals(self):
        """Return the values of the vendor bill.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "move_type": "in_invoice",
            # The journal may be that of a parent company.
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "journal_id": self.program_id.payout_journal_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": self.program_id._get_today(),
            "ref": self.name,
            "invoice_origin": self.name,
            "loyalty_payout_id": self.id,
            "invoice_line_ids": [fields.Command.create(self._prepare_vendor_bill_line_vals())],
        }

    def _prepare_vendor_bill_line_vals(self):
        """Return the values of the line of the vendor bill.

        :rtype: dict
        """
        return {
            "product_id": self.program_id.payout_product_id.id,
            "name": self.env._("%(program)s, payout %(payout)s", program=self.program_id.name, payout=self.name),
            "quantity": 1,
            "price_unit": self.amount,
        }

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_approval_summary(self):
        return self.env._("Payouts to approve: %s", len(self))

    # === GETTERS ===#

    def _get_statement_lines(self):
        """Return the lines since the previous payout, and the balance before them.

        A draft shows what is on the account now. Opening balance, lines and closing balance add up.

        :rtype: tuple
        """
        self.ensure_one()
        account = self.member_id._get_account("money")
        last = self.entry_id.sequence or account.version
        first = self._get_previous_sequence(account, last)
        Entry = self.env["partner.loyalty.entry"]
        lines = Entry.search(
            [("account_id", "=", account.id), ("sequence", ">", first), ("sequence", "<=", last)], order="sequence"
        )
        before = Entry._read_group([("account_id", "=", account.id), ("sequence", "<=", first)], [], ["amount:sum"])
        return lines, before[0][0] or 0

    def _get_previous_sequence(self, account, last):
        """Return the number of the last line that an earlier payout has shown."""
        rows = self.env["partner.loyalty.payout"]._read_group(
            [
                ("member_id", "=", self.member_id.id),
                ("decision", "in", ("submitted", "approved")),
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
