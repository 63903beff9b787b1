from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import format_date

from ..const import MAX_INTEGER
from ..tools import periods

# So many members are shown before the payouts are made; all of them count.
SHOWN_LINES = 500

# What is known of a member that its line does not show by itself.
INNER = ("disputed", "is_settled")


class PartnerLoyaltyPayoutPrepare(models.TransientModel):
    """Shows which members have matured money, and drafts their payouts."""

    _name = "partner.loyalty.payout.prepare"
    _description = "Prepare Payouts"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_program_id(self):
        return self._get_closing().program_id

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        default=lambda self: self._default_program_id(),
        domain="[('state', '!=', 'draft'), ('company_id', 'in', allowed_company_ids)]",
    )
    currency_id = fields.Many2one(related="program_id.currency_id")
    date = fields.Date(
        string="Matured until",
        required=True,
        compute="_compute_date",
        store=True,
        readonly=False,
        precompute=True,
        help="Money that has matured by this day is paid out. With a schedule it is the last day of a period.",
    )
    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        string="Only These Members",
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        help="All members where empty.",
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.payout.prepare.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )
    hidden_count = fields.Integer(compute="_compute_line_ids")
    date_warning = fields.Char(compute="_compute_line_ids")
    payable_count = fields.Integer(string="Payouts", compute="_compute_line_ids")
    payable_amount = fields.Monetary(string="Total", compute="_compute_line_ids")

    other_count = fields.Integer(compute="_compute_other_count")

    # === COMPUTE METHODS ===#

    @api.depends("program_id")
    def _compute_date(self):
        closing = self._get_closing()
        for wizard in self:
            if wizard.program_id and wizard.program_id == closing.program_id:
                wizard.date = closing.date
            else:
                wizard.date = (
                    wizard.program_id._get_payout_day() if wizard.program_id else fields.Date.context_today(wizard)
                )

    @api.depends("program_id", "member_ids")
    def _compute_other_count(self):
        chosen = self._get_active_records("partner.loyalty.member")
        for wizard in self:
            wizard.other_count = len(
                chosen.filtered(lambda member, wizard=wizard: member.program_id != wizard.program_id)
            )

    @api.depends("program_id", "date", "member_ids")
    def _compute_line_ids(self):
        for wizard in self:
            is_chosen = bool(wizard.program_id and wizard.date)
            wizard.date_warning = is_chosen and wizard._get_date_warning()
            lines = wizard._get_line_vals() if is_chosen and not wizard.date_warning else []
            wizard._add_notes(lines[:SHOWN_LINES])
            shown = [{name: vals[name] for name in vals if name not in INNER} for vals in lines[:SHOWN_LINES]]
            wizard.line_ids = [Command.clear(), *map(Command.create, shown)]
            wizard.hidden_count = max(0, len(lines) - SHOWN_LINES)
            payable = [vals["amount"] for vals in lines if not vals["reason"]]
            wizard.payable_count = len(payable)
            wizard.payable_amount = sum(payable)

    # === ACTION METHODS ===#

    def action_prepare(self):
        """Draft the payouts and show them.

        :raises UserError: when nothing can be paid out, with the reasons
        """
        self.ensure_one()
        # Who has money is looked up as far as the user may see it, which says nothing about a program of others.
        self.program_id.check_access("read")
        if warning := self._get_date_warning():
            raise UserError(warning)
        lines = self._get_line_vals()
        amounts = {vals["member_id"]: vals["amount"] for vals in lines if not vals["reason"]}
        if not amounts:
            raise UserError(self._get_nothing_to_pay_message(lines))
        payouts = self.env["partner.loyalty.payout"]._draft(self.program_id, self.date, amounts)
        if not self.member_ids:
            self.program_id._note_payouts_prepared(self.date)
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_payout_action")
        if len(payouts) == 1:
            return {**action, "views": [(False, "form")], "res_id": payouts.id}
        return {**action, "domain": [("id", "in", payouts.ids)]}

    # === GETTERS ===#

    @api.model
    def _get_closing(self):
        """Return the open month that the dialog was opened from; none where it was opened by itself.

        :rtype: ``partner.loyalty.closing``
        """
        closings, closing_id = self.env["partner.loyalty.closing"], self.env.context.get("loyalty_closing_id")
        if type(closing_id) is not int or not 0 < closing_id < MAX_INTEGER:
            return closings
        closing = closings.browse(closing_id).exists()
        closing = closing._filtered_access("read") if closings.has_access("read") else closings
        return closing.filtered(lambda closing: closing.state == "open")

    # === BUSINESS METHODS ===#

    def _get_line_vals(self):
        """Return for each member with a money balance what could be paid out, or why nothing.

        Who gets something comes first.

        :rtype: list[dict]
        """
        accounts = self.env["partner.loyalty.account"].search(self._get_account_domain())
        day = min(self.date, self.program_id._get_today())
        matured = accounts._get_available(day)
        available = accounts._get_available(day, for_payout=True) if self._has_disputes() else matured
        known = self._get_known_payouts()
        refusals = accounts.member_id._get_payout_refusals()
        lines = []
        for account in accounts:
            amount = available.get(account.id, 0)
            disputed = matured.get(account.id, 0) - amount
            reason = self._get_reason(account, amount, known, disputed) or refusals.get(account.member_id, False)
            lines.append(
                {
                    "member_id": account.member_id.id,
                    "balance": account.balance,
                    "amount": amount,
                    "disputed": disputed,
                    "reason": reason,
                    # Nothing is missing where a payout is on its way or there is nothing to pay.
                    "is_settled": account.member_id in known or not account.balance,
                }
            )
        return sorted(lines, key=lambda vals: bool(vals["reason"]))

    def _get_date_warning(self):
        """Say which day to choose, where the program pays out by the period; False where the day is right."""
        program = self.program_id
        if program.payout_schedule == "request":
            return False
        last = periods.period_end(program._get_payout_period_start(self.date), program.payout_schedule)
        if self.date == last:
            return False
        return self.env._(
            "“%(program)s” pays out by the period: choose its last day, such as %(day)s.",
            program=program.name,
            day=format_date(self.env, program._get_payout_day()),
        )

    def _get_account_domain(self):
        domain = [("program_id", "=", self.program_id.id), ("unit", "=", "money")]
        if self.member_ids:
            return [*domain, ("member_id", "in", self.member_ids.ids)]
        return [*domain, ("balance", "!=", 0)]

    def _get_known_payouts(self):
        """Return the drafts of members, and their payouts for this very day or period, by member.

        :rtype: dict
        """
        start = self.program_id._get_payout_period_start(self.date)
        same = Domain("period_start", "=", start) if start else Domain("date", "=", self.date)
        payouts = self.env["partner.loyalty.payout"].search(
            Domain("program_id", "=", self.program_id.id)
            & Domain("decision", "not in", ("refused", "canceled"))
            & (Domain("decision", "=", "draft") | same)
        )
        return {payout.member_id: payout for payout in payouts}

    def _has_disputes(self):
        """Return whether any member of the program disputes a line, so that it is not paid out."""
        # Whether something is disputed decides what is paid, whoever prepares it.
        inquiries_sudo = self.env["partner.loyalty.inquiry"].sudo()
        domain = [("program_id", "=", self.program_id.id), ("kind", "=", "dispute"), ("is_open", "=", True)]
        return bool(inquiries_sudo.search_count(domain, limit=1))

    def _get_reason(self, account, amount, known, disputed=0):
        """Say why a member gets no payout, or return False."""
        payout = known.get(account.member_id)
        if payout:
            return self._get_known_text(payout)
        if account.balance < 0 and not amount:
            return self.env._("Owes money: more was taken back than is there")
        if not account.balance:
            return self.env._("Nothing is on its balance")
        if not amount and disputed:
            return self.env._("Disputed: %s wait for a decision", self.currency_id.format(float(disputed)))
        if not amount:
            return self.env._("Held back: nothing has matured by this day")
        if amount < self.program_id.payout_minimum:
            return self.env._("Below the smallest payout of the program")
        return False

    def _get_known_text(self, payout):
        """Say which payout a member has already."""
        terms = {"payout": payout.name}
        if payout.decision == "held":
            return self.env._("On hold: %(payout)s (%(reason)s)", reason=payout.hold_reason, **terms)
        if payout.state in ("paid", "billed", "partial"):
            return self.env._("Paid out already: %(payout)s", **terms)
        return self.env._("Has a payout in progress, or one for this day: %(payout)s", **terms)

    def _add_notes(self, lines):
        """Say of members who are paid why they get less than their balance; of those that are shown alone.

        :param list lines: dicts as of :meth:`_get_line_vals`
        """
        currency = self.currency_id
        for vals in lines:
            disputed = float(vals["disputed"])
            rest = vals["balance"] - float(vals["amount"]) - disputed
            texts = []
            if currency.compare_amounts(rest, 0) > 0:
                texts.append(self.env._("%s matures later", currency.format(rest)))
            if disputed:
                texts.append(self.env._("%s is disputed", currency.format(disputed)))
            if texts and not vals["reason"]:
                vals["note"] = "; ".join(texts)

    def _get_nothing_to_pay_message(self, lines):
        if not lines:
            return self.env._("No member of “%(program)s” has any money on its balance.", program=self.program_id.name)
        members = self.env["partner.loyalty.member"]
        return (
            self.env._("Nothing can be paid out:")
            + "\n"
            + "\n".join(f"{members.browse(vals['member_id']).display_name}: {vals['reason']}" for vals in lines[:20])
        )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        members = self._get_active_records("partner.loyalty.member")
        if members:
            program = members.program_id[:1]
            chosen = members.filtered(lambda member: member.program_id == program)
            values["member_ids"] = [Command.set(chosen.ids)]
            values["program_id"] = program.id
        return values


class PartnerLoyaltyPayoutPrepareLine(models.TransientModel):
    """What one member would be paid, or the reason why nothing."""

    _name = "partner.loyalty.payout.prepare.line"
    _description = "Payout to Prepare"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(
        comodel_name="partner.loyalty.payout.prepare", required=True, ondelete="cascade", index=True
    )
    currency_id = fields.Many2one(related="member_id.currency_id")
    member_id = fields.Many2one(comodel_name="partner.loyalty.member", readonly=True)
    balance = fields.Monetary(readonly=True)
    amount = fields.Monetary(string="To Pay", readonly=True)
    reason = fields.Char(string="Why Not", readonly=True)
    note = fields.Char(string="Why Not All", readonly=True)
