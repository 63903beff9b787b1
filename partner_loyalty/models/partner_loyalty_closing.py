from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import format_date, formatLang

from ..tools import periods

# The steps of a month end, in their order; what each looks at is said by ``_find_<code>`` of the closing.
STEPS = [
    ("health", "Nightly Work and Ledger"),
    ("difference", "Differences to Confirm"),
    ("dispute", "Open Disputes"),
    ("tier", "Tier Reviews"),
    ("hold", "Payouts on Hold"),
    ("payout", "Payouts"),
    ("liability", "What Is Owed"),
    ("statement", "Statements"),
]

# Steps that are done when somebody says so, whatever is found.
MANUAL_STEPS = ("liability", "statement")


class PartnerLoyaltyClosing(models.Model):
    """The end of a month in one program: what is still open, who has looked at what, and the lock."""

    _name = "partner.loyalty.closing"
    _description = "Month Closing"
    _inherit = ["mail.thread", "partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _protected_fields = frozenset(
        {"checked_at", "company_id", "lock_reason", "locked_at", "locked_by_id", "owed_text", "paid_text", "state"}
    )
    _protected_after_create_fields = frozenset({"date", "program_id"})

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('state', '!=', 'draft')]",
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="Last Day",
        required=True,
        compute="_compute_date",
        store=True,
        readonly=False,
        precompute=True,
        help="The month that ends with it is closed.",
    )
    state = fields.Selection(
        selection=[("open", "Open"), ("locked", "Locked")],
        required=True,
        default="open",
        readonly=True,
        copy=False,
        tracking=True,
    )
    step_ids = fields.One2many(
        comodel_name="partner.loyalty.closing.step", inverse_name="closing_id", string="Steps", readonly=True
    )
    open_step_count = fields.Integer(string="Open Steps", compute="_compute_open_step_count")
    exception_ids = fields.One2many(
        comodel_name="partner.loyalty.closing.exception",
        inverse_name="closing_id",
        string="Who Is Not Paid, and Why",
        readonly=True,
    )
    # What was found is written down in all languages: whoever looks it up, others read it.
    owed_text = fields.Char(string="Owed on the Last Day", readonly=True, copy=False, translate=True)
    paid_text = fields.Char(string="Paid out in the Month", readonly=True, copy=False, translate=True)
    checked_at = fields.Datetime(string="Looked up on", readonly=True, copy=False)
    locked_by_id = fields.Many2one(comodel_name="res.users", string="Locked by", readonly=True, copy=False)
    locked_at = fields.Datetime(string="Locked on", readonly=True, copy=False)
    lock_reason = fields.Char(string="Locked with Open Steps because", readonly=True, copy=False)

    # === CONSTRAINTS ===#

    _program_date_unique = models.UniqueIndex(
        "(program_id, date)", "This month of the program is being closed already: open that page."
    )

    # === COMPUTE METHODS ===#

    @api.depends("program_id")
    def _compute_date(self):
        for closing in self:
            today = closing.program_id and closing.program_id._get_today()
            closing.date = today and periods.month_start(today) - timedelta(days=1)

    @api.depends("program_id.name", "date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for closing in self:
            month = closing.date and format_date(self.env, closing.date, date_format="LLLL y")
            closing.display_name = f"{closing.program_id.name or ''}, {month or ''}"

    @api.depends("step_ids.is_open")
    def _compute_open_step_count(self):
        for closing in self:
            closing.open_step_count = len(closing.step_ids.filtered("is_open"))

    # === CONSTRAINT METHODS ===#

    @api.constrains("date")
    def _check_date(self):
        for closing in self:
            if closing.date != periods.month_end(closing.date):
                raise ValidationError(self.env._("A month is closed with its last day: choose that one."))
            if closing.date >= closing.program_id._get_today():
                raise ValidationError(self.env._("This month is not over yet: close it afterwards."))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        closings = super().create(vals_list)
        # The steps are written by the program alone.
        closings.sudo()._refresh()
        return closings

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        if self.filtered(lambda closing: closing.state == "locked"):
            raise UserError(self.env._("A month that was locked is kept: only open ones can be deleted."))

    # === ACTION METHODS ===#

    def action_refresh(self):
        """Look up anew what is open."""
        self.check_access("write")
        # What is found is written by the program alone.
        self.filtered(lambda closing: closing.state == "open").sudo()._refresh()

    def action_lock(self, reason=None):
        """Lock the program up to the last day of the month.

        :param str reason: why steps that are open do not matter
        :raises UserError: where some are open and no reason is given
        """
        self.program_id.check_access("write")
        for closing in self:
            closing._check_not_locked()
            closing.action_refresh()
            closing._check_open_steps(reason)
            program = closing.program_id
            if not program.lock_date or program.lock_date < closing.date:
                program.lock_date = closing.date
            # The state is set by the program alone.
            closing.sudo().write(
                {
                    "state": "locked",
                    "locked_by_id": self.env.uid,
                    "locked_at": fields.Datetime.now(),
                    "lock_reason": (reason or "").strip() or False,
                }
            )

    def action_print_statements(self):
        """Open the statements of all members for the month."""
        self.ensure_one()
        members = self.env["partner.loyalty.member"].search(
            [("program_id", "=", self.program_id.id), ("merged_into_id", "=", False), ("account_ids.version", ">", 0)]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_statement_action")
        context = {
            "dialog_size": "extra-large",
            "default_member_ids": members.ids,
            "default_date_from": periods.month_start(self.date),
            "default_date_to": self.date,
        }
        return {**action, "context": context}

    # === BUSINESS METHODS ===#

    def _prepare_steps(self):
        """Write the steps of new closings, and those that have come since to begun ones."""
        for closing in self:
            known = closing.step_ids.mapped("code")
            closing.step_ids = [
                Command.create({"code": code, "sequence": number})
                for number, (code, _label) in enumerate(STEPS)
                if code not in known
            ]

    def _refresh(self):
        """Look up what is open, step by step, and write it down in each language."""
        self._prepare_steps()
        for closing in self:
            closing.exception_ids = [Command.clear()]
            for lang, _name in self.env["res.lang"].get_installed():
                closing.with_context(lang=lang)._write_down()
            closing.checked_at = fields.Datetime.now()

    def _write_down(self):
        """Write down what is open, in the language of the context."""
        # The preview of payouts is asked for by a step, and by the exceptions.
        lines = self._get_preview_lines()
        for step in self.step_ids:
            find = getattr(self, f"_find_{step.code}")
            count, text = find(lines) if step.code == "payout" else find()
            is_silent = not count and step.code not in (*MANUAL_STEPS, "health")
            step.write({"count": count, "text": self.env._("Nothing is open.") if is_silent else text})
        vals_list = self._get_exception_vals(lines)
        if not self.exception_ids:
            self.exception_ids = [Command.create(vals) for vals in vals_list]
        reasons = {(vals["member_id"], vals.get("payout_id", False)): vals["reason"] for vals in vals_list}
        for exception in self.exception_ids:
            exception.reason = reasons[exception.member_id.id, exception.payout_id.id]
        self.write({"owed_text": self._get_owed_text(), "paid_text": self._get_paid_text()})

    def _check_not_locked(self):
        self.ensure_one()
        if self.state == "locked":
            raise UserError(self.env._("“%s” is locked already.", self.display_name))

    def _check_open_steps(self, reason):
        """Check that a month with open steps is locked for a reason.

        :param str reason: what the user wrote, if anything
        :raises UserError: where there is none, naming the steps
        """
        self.ensure_one()
        labels = dict(self.step_ids._fields["code"]._description_selection(self.env))
        names = ", ".join(labels[step.code] for step in self.step_ids.filtered("is_open"))
        if names and not (reason or "").strip():
            raise UserError(self.env._("These steps are open: %s. Finish them, or say why they can wait.", names))

    # === BUSINESS METHODS - FINDINGS ===#

    def _find_health(self):
        """Return how much of the nightly work is behind or wrong, and what in words."""
        self.ensure_one()
        program = self.program_id
        failing = len(program.failing_rule_ids) + len(program.failing_bonus_ids)
        waiting = self.env["partner.loyalty.touch"].search_count([("rule_id", "=", False)])
        check = self.env["partner.loyalty.check"].search(
            [("program_id", "in", (False, program.id)), ("date", ">", self.date)], limit=1
        )
        texts = []
        if failing:
            texts.append(self.env._("Rules or bonus actions fail: %s", failing))
        if waiting:
            texts.append(self.env._("Documents wait to be answered: %s", waiting))
        if not check:
            texts.append(self.env._("The ledger was not checked since: click “Check Ledger” on the program"))
        elif check.state == "failed":
            texts.append(self.env._("The last check of the ledger found something wrong"))
        count = failing + waiting + (not check or check.state == "failed")
        return count, ". ".join(texts) or self.env._("All is up to date, and the ledger holds.")

    def _find_difference(self):
        count = self.env["partner.loyalty.difference"].search_count(
            [("program_id", "=", self.program_id.id), ("state", "=", "open")]
        )
        return count, self.env._("Differences that nobody has posted or dismissed: %s", count)

    def _find_dispute(self):
        count = self.env["partner.loyalty.inquiry"].search_count(
            [("program_id", "=", self.program_id.id), ("kind", "=", "dispute"), ("is_open", "=", True)]
        )
        return count, self.env._("Disputes that nobody has decided: %s", count)

    def _find_tier(self):
        count = self.env["partner.loyalty.tier.review"].search_count(
            [
                ("program_id", "=", self.program_id.id),
                ("state", "in", ("draft", "reviewed")),
                ("evaluation_date", "<=", self.date),
            ]
        )
        return count, self.env._("Tiers that were proposed and not published: %s", count)

    def _find_hold(self):
        payouts = self._get_payouts("held")
        total = formatLang(self.env, sum(payouts.mapped("amount")), currency_obj=self.currency_id)
        return len(payouts), self.env._("%(count)s payouts on hold, %(total)s in all", count=len(payouts), total=total)

    def _find_payout(self, lines):
        """Return how many payouts are missing or wait for somebody, and for whom in words.

        :param list lines: as of :meth:`_get_preview_lines`
        """
        missing = len([vals for vals in lines if not vals["reason"]])
        waiting = len(self._get_payouts("draft", "submitted", "second"))
        unbilled = len(self._get_payouts("approved").filtered(lambda payout: not payout._get_live_bill()))
        texts = []
        if missing:
            texts.append(self.env._("Members to prepare a payout for: %s", missing))
        if waiting:
            texts.append(self.env._("Payouts to submit or approve: %s", waiting))
        if unbilled:
            texts.append(self.env._("Approved payouts without a bill: %s", unbilled))
        return missing + waiting + unbilled, ". ".join(texts)

    def _find_liability(self):
        return 0, self._get_owed_text()

    def _find_statement(self):
        return 0, self.env._("Print them, or let the partners read them.")

    def _get_payouts(self, *decisions):
        """Return the payouts up to the last day that are in one of these states."""
        return self.env["partner.loyalty.payout"].search(
            Domain("program_id", "=", self.program_id.id)
            & Domain("decision", "in", decisions)
            & Domain("date", "<=", self.date)
        )

    def _get_preview_lines(self):
        """Return what preparing payouts of the last day would say about each member.

        :rtype: list[dict]
        """
        wizards = self.env["partner.loyalty.payout.prepare"]
        return wizards.new({"program_id": self.program_id.id, "date": self.date})._get_line_vals()

    def _get_exception_vals(self, lines):
        """Return who is not paid, or not yet, with the reason.

        :param list lines: as of :meth:`_get_preview_lines`
        :rtype: list[dict]
        """
        vals_list = [
            {"member_id": vals["member_id"], "amount": vals["balance"], "reason": vals["reason"]}
            for vals in lines
            if vals["reason"] and not vals["is_settled"]
        ]
        for payout in self._get_payouts("held"):
            vals_list.append(self._prepare_exception_vals(payout, self.env._("On hold: %s", payout.hold_reason)))
        for payout in self._get_payouts("approved"):
            if not payout._get_live_bill() and payout._get_missing_invoice_text():
                reason = self.env._("Waits for the partner's own invoice")
                vals_list.append(self._prepare_exception_vals(payout, reason))
        return vals_list

    @api.model
    def _prepare_exception_vals(self, payout, reason):
        return {"member_id": payout.member_id.id, "amount": payout.amount, "reason": reason, "payout_id": payout.id}

    def _get_owed_text(self):
        """Return what is owed to the members on the last day, in words: points, and money."""
        self.ensure_one()
        figures = self.program_id._get_liability(self.date)
        return self.env._(
            "%(money)s on the balances, %(points)s points; liability %(liability)s",
            money=formatLang(self.env, float(figures["money"]["balance"]), currency_obj=self.currency_id),
            points=formatLang(self.env, float(figures["point"]["balance"]), digits=self.program_id.point_digits),
            liability=formatLang(
                self.env,
                float(figures["money"]["liability"] + figures["point"]["liability"]),
                currency_obj=self.currency_id,
            ),
        )

    def _get_paid_text(self):
        """Return what was paid out in the month: payouts, and the bills that came of them."""
        self.ensure_one()
        payouts = self._get_payouts("approved").filtered(lambda payout: payout.date >= periods.month_start(self.date))
        billed = payouts.filtered(lambda payout: payout._get_live_bill())
        return self.env._(
            "Approved payouts: %(count)s, %(total)s; bills: %(billed)s, %(billed_total)s",
            count=len(payouts),
            total=formatLang(self.env, sum(payouts.mapped("amount")), currency_obj=self.currency_id),
            billed=len(billed),
            billed_total=formatLang(
                self.env,
                sum(abs(payout._get_live_bill().amount_untaxed_signed) for payout in billed),
                currency_obj=self.currency_id,
            ),
        )
