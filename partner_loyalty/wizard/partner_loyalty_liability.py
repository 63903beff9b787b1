from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..const import LEDGER_DIGITS, UNITS


class PartnerLoyaltyLiability(models.TransientModel):
    """What a company owes its members as of any day, and the journal entry for it."""

    _name = "partner.loyalty.liability"
    _description = "Loyalty Liability"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    company_id = fields.Many2one(
        comodel_name="res.company", required=True, default=lambda self: self.env.company, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="As of",
        required=True,
        default=fields.Date.context_today,
        help="Lines dated up to this day count, also for a day long past.",
    )
    program_ids = fields.Many2many(
        comodel_name="partner.loyalty.program",
        string="Programs",
        domain="[('company_id', '=', company_id), ('state', '!=', 'draft')]",
        help="All programs of the company where empty.",
    )
    # Stored, or the form would lose its lines with the first button that saves it.
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.liability.line",
        inverse_name="wizard_id",
        compute="_compute_line_ids",
        store=True,
        compute_sudo=False,
    )
    expiry_line_ids = fields.One2many(
        comodel_name="partner.loyalty.liability.expiry.line",
        inverse_name="wizard_id",
        compute="_compute_line_ids",
        store=True,
        compute_sudo=False,
    )
    total = fields.Monetary(string="Liability", compute="_compute_line_ids", store=True, compute_sudo=False)

    # === COMPUTE METHODS ===#

    @api.depends_context("lang")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = self.env._("Liability")

    @api.depends("date", "program_ids", "company_id")
    def _compute_line_ids(self):
        for wizard in self:
            lines, expiry_lines = [], []
            programs = wizard._get_programs() if wizard.date else wizard.program_ids.browse()
            # The figures are read by SQL.
            programs.check_access("read")
            for program in programs:
                figures = program._get_liability(wizard.date)
                for unit, _label in UNITS:
                    keys = {"program_id": program.id, "unit": unit}
                    by_month = figures[unit].pop("by_month")
                    lines.append({**keys, **figures[unit]})
                    expiry_lines += [{**keys, "month": month, "amount": by_month[month]} for month in by_month]
            wizard.line_ids = [Command.clear(), *map(Command.create, filter(self._is_worth_showing, lines))]
            wizard.expiry_line_ids = [Command.clear(), *map(Command.create, expiry_lines)]
            wizard.total = sum((line["liability"] for line in lines), Decimal())

    # === ACTION METHODS ===#

    def action_print(self):
        """Print the report."""
        return self.env.ref("partner_loyalty.partner_loyalty_liability_report_action").report_action(self)

    def action_create_entry(self):
        """Make the journal entry of each program, as a draft, and the one that takes it back the next day.

        :raises UserError: where a program lacks its accounts, or nothing is owed
        """
        self.ensure_one()
        moves = self.env["account.move"]
        for program, lines in self.line_ids.grouped("program_id").items():
            amount = sum(lines.mapped("liability"))
            if amount:
                program._check_can_book_liability()
                moves |= moves.create(
                    [
                        self._prepare_move_vals(program, amount, self.date),
                        self._prepare_move_vals(program, -amount, self.date + timedelta(days=1)),
                    ]
                )
        if not moves:
            raise UserError(self.env._("Nothing is owed as of this day: there is nothing to book."))
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_journal_line")
        return {**action, "domain": [("id", "in", moves.ids)], "context": {}}

    # === BUSINESS METHODS ===#

    def _get_programs(self):
        # A form that is being filled in holds the chosen ones without their numbers, which the figures are read by.
        return self.program_ids._origin or self.env["partner.loyalty.program"].with_context(active_test=False).search(
            [("company_id", "=", self.company_id.id), ("state", "!=", "draft")]
        )

    @api.model
    def _is_worth_showing(self, line):
        return any(line[name] for name in ("balance", "matured", "pending", "debt"))

    def _prepare_move_vals(self, program, amount, day):
        """Return the values of a journal entry: expense against liability.

        :param program: whose liability it is
        :param amount: what is owed; negative for the entry that takes it back
        :param date day: date of the entry
        :rtype: dict
        """
        ref = self.env._("%(program)s, liability as of %(date)s", program=program.name, date=self.date)
        accounts = ((program.liability_expense_account_id, amount), (program.liability_account_id, -amount))
        return {
            "move_type": "entry",
            "journal_id": program.liability_journal_id.id,
            "date": day,
            "ref": ref,
            "line_ids": [
                Command.create({"account_id": account.id, "name": ref, "balance": balance})
                for account, balance in accounts
            ],
        }


class PartnerLoyaltyLiabilityLine(models.TransientModel):
    """What is owed in one program and unit."""

    _name = "partner.loyalty.liability.line"
    _description = "Loyalty Liability of a Program"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.liability", required=True, ondelete="cascade", index=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    unit = fields.Selection(selection=UNITS, readonly=True)
    balance = fields.Float(digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    matured = fields.Float(string="Available", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    pending = fields.Float(string="Held Back", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    debt = fields.Float(string="Owed by Members", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    breakage_rate = fields.Float(
        string="Breakage (%)",
        digits=(5, 2),
        readonly=True,
        aggregator=None,
        help="Of what has left the accounts of the program so far, the share that expired unused.",
    )
    breakage = fields.Float(string="Expected to Expire", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    liability = fields.Monetary(
        readonly=True, help="What is available and held back, less what is expected to expire, at the value of a point."
    )


class PartnerLoyaltyLiabilityExpiryLine(models.TransientModel):
    """What expires in one month, in one program and unit."""

    _name = "partner.loyalty.liability.expiry.line"
    _description = "Loyalty Liability by Month of Expiry"
    _inherit = ["partner.loyalty.wizard.mixin"]
    _order = "program_id, unit, month"

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.liability", required=True, ondelete="cascade", index=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    unit = fields.Selection(selection=UNITS, readonly=True)
    month = fields.Date(readonly=True)
    month_name = fields.Char(string="Expires in", compute="_compute_month_name")
    amount = fields.Float(digits=LEDGER_DIGITS, readonly=True, aggregator=None)

    # === COMPUTE METHODS ===#

    @api.depends("month")
    @api.depends_context("lang")
    def _compute_month_name(self):
        for line in self:
            if line.month:
                line.month_name = format_date(self.env, line.month, date_format="LLLL y")
            else:
                line.month_name = self.env._("Never")
