from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import MOMENT_KINDS, STAFF_GROUPS, UNITS
from ..tools import periods


class PartnerLoyaltyProgram(models.Model):
    _name = "partner.loyalty.program"
    _description = "Loyalty Program"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.term.mixin",
        "partner.loyalty.tier.policy",
        "partner.loyalty.payout.policy",
        "partner.loyalty.stack.policy",
        "partner.loyalty.program.advice",
        "partner.loyalty.program.bonus",
        "partner.loyalty.program.copy",
        "partner.loyalty.tier.review.mixin",
        "partner.loyalty.quality.mixin",
        "partner.loyalty.inquiry.policy",
        "partner.loyalty.feedback.policy",
        "partner.loyalty.program.leaderboard",
        "partner.loyalty.program.warning",
        "partner.loyalty.program.public",
        "partner.loyalty.program.message",
    ]
    _order = "sequence, id"
    _check_company_auto = True
    _protected_fields = frozenset({"payout_prepared_until", "terms_version", "tier_checked_to"})

    # === DEFAULT METHODS ===#

    @api.model
    def _default_tz(self):
        return self.env.user.tz or "UTC"

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        help="The company whose sales count and who pays. It cannot change once somebody is enrolled.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        selection=[("draft", "Draft"), ("running", "Running"), ("closed", "Closed")],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    date_from = fields.Date(
        string="Start",
        required=True,
        default=fields.Date.context_today,
        tracking=True,
        help="Sales before this day earn nothing.",
    )
    date_to = fields.Date(string="End", tracking=True, help="The last day whose sales earn something.")
    tz = fields.Selection(
        selection="_get_time_zones",
        string="Time Zone",
        required=True,
        default=lambda self: self._default_tz(),
        help="Decides on which day an order counts, and when a month ends.",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        tracking=True,
    )
    terms = fields.Html(
        string="Terms and Conditions", translate=True, help="What partners agree to; shown on their pages."
    )
    terms_version = fields.Integer(
        string="Version of the Terms", default=1, required=True, readonly=True, copy=False, aggregator=None
    )
    point_digits = fields.Integer(
        string="Decimals of Points", default=0, help="Points are rounded to this many decimals, once for each document."
    )
    point_rounding = fields.Selection(
        selection=[("half", "To the nearest"), ("down", "Down"), ("up", "Up")],
        string="Rounding of Points",
        required=True,
        default="half",
        help="How points are brought to their decimals; money is always rounded as its currency is.",
    )
    expiry_of_money = fields.Boolean(
        string="Money Expires, Too", help="Points expire as said; money only where this is set."
    )
    recovery_share = fields.Float(
        string="Recovered from Earnings (%)",
        digits=(5, 2),
        default=100,
        aggregator=None,
        help="Where a member owes money, at most so much of each later earning pays the debt; the rest is paid out.",
    )
    lock_date = fields.Date(
        copy=False,
        tracking=True,
        help="Statement lines up to this day stand. What changes later is posted on the first day after it.",
    )
    deal_protection_days = fields.Integer(
        string="Deal Protection (Days)",
        default=90,
        help="So long after the approval of a deal, no other partner's deal with the same customer is approved.",
    )
    point_value = fields.Float(
        string="Value of a Point",
        digits=(16, 6),
        aggregator=None,
        help="What a point is worth in the currency of the company, for the report of what is owed.",
    )
    assumed_margin = fields.Float(
        string="Assumed Margin (%)",
        digits=(5, 2),
        aggregator=None,
        groups=STAFF_GROUPS,
        help="What you keep of a sale before rewards, where the cost of what was sold is not known. The overview says "
        "by it whether the program pays for itself; it gives no return where it is zero.",
    )
    payout_journal_id = fields.Many2one(compute="_compute_payout_terms", store=True, readonly=False, precompute=True)
    payout_product_id = fields.Many2one(compute="_compute_payout_terms", store=True, readonly=False, precompute=True)
    liability_journal_id = fields.Many2one(
        comodel_name="account.journal",
        domain="[('type', '=', 'general')]",
        check_company=True,
        groups=STAFF_GROUPS,
        help="Entries about what is owed to members are drafted in this journal.",
    )
    liability_account_id = fields.Many2one(
        comodel_name="account.account",
        check_company=True,
        groups=STAFF_GROUPS,
        help="Holds what is owed to members.",
    )
    liability_expense_account_id = fields.Many2one(
        comodel_name="account.account",
        check_company=True,
        groups=STAFF_GROUPS,
        help="Bears the cost of what members have earned and not been paid yet.",
    )

    tier_ids = fields.One2many(comodel_name="partner.loyalty.tier", inverse_name="program_id", copy=True)
    rule_ids = fields.One2many(comodel_name="partner.loyalty.rule", inverse_name="program_id", copy=True)
    member_ids = fields.One2many(comodel_name="partner.loyalty.member", inverse_name="program_id")
    member_count = fields.Integer(compute="_compute_counts")
    difference_count = fields.Integer(compute="_compute_counts")
    payout_todo_count = fields.Integer(string="Payouts in Progress", compute="_compute_counts")
    point_balance = fields.Float(
        string="Points Owed",
        digits=(18, 4),
        compute="_compute_balances",
        # A point of one program is none of another.
        aggregator=None,
    )
    money_balance = fields.Monetary(string="Money Owed", compute="_compute_balances")
    failing_rule_ids = fields.Many2many(comodel_name="partner.loyalty.rule", compute="_compute_failing_rule_ids")

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A program cannot end before it starts: choose a later end or an earlier start.",
    )
    _date_from_plausible = models.Constraint(
        "CHECK (date_from >= '1900-01-01')",
        "A program starts in the year 1900 or later: enter all four digits of the year.",
    )
    _point_digits_range = models.Constraint(
        "CHECK (point_digits BETWEEN 0 AND 4)", "Points can have from 0 to 4 decimals: choose a number in between."
    )
    _recovery_share_range = models.Constraint(
        "CHECK (recovery_share > 0 AND recovery_share <= 100)",
        "The share of earnings that pays debts is above 0 and up to 100 percent: enter a number in between.",
    )
    _point_value_positive = models.Constraint(
        "CHECK (point_value >= 0)", "A point cannot be worth less than nothing: enter zero or more."
    )
    _assumed_margin_range = models.Constraint(
        "CHECK (assumed_margin >= 0 AND assumed_margin <= 100)",
        "A margin is from 0 to 100 percent: enter a number in between.",
    )
    _deal_protection_days_range = models.Constraint(
        "CHECK (deal_protection_days BETWEEN 0 AND 3650)",
        "A deal is protected for 0 to 3650 days: choose a number in between.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_ids")
    def _compute_counts(self):
        counts = {
            "member_count": self._count_by_program("partner.loyalty.member", [("merged_into_id", "=", False)]),
            "difference_count": self._count_by_program("partner.loyalty.difference", [("state", "=", "open")]),
            "payout_todo_count": self._count_by_program(
                "partner.loyalty.payout", [("state", "not in", ("paid", "refused", "canceled"))]
            ),
        }
        for program in self:
            for name, by_program in counts.items():
                program[name] = by_program.get(program, 0)

    @api.depends("member_ids")
    def _compute_balances(self):
        balances = {
            (program, unit): balance
            for program, unit, balance in self.env["partner.loyalty.account"]._read_group(
                [("program_id", "in", self.ids)], ["program_id", "unit"], ["balance:sum"]
            )
        }
        for program in self:
            program.point_balance = balances.get((program, "point"), 0)
            program.money_balance = balances.get((program, "money"), 0)

    @api.depends("rule_ids.error")
    def _compute_failing_rule_ids(self):
        for program in self:
            program.failing_rule_ids = program.with_context(active_test=False).rule_ids.filtered("error")

    @api.depends("company_id")
    def _compute_payout_terms(self):
        for program in self:
            program.payout_journal_id = program.company_id.loyalty_payout_journal_id
            program.payout_product_id = program.company_id.loyalty_payout_product_id

    # === CONSTRAINT METHODS ===#

    @api.constrains("company_id")
    def _check_company_fixed(self):
        for program in self:
            # The company of a member follows its program; that of its accounts stands.
            strangers = [("program_id", "=", program.id), ("company_id", "!=", program.company_id.id)]
            if self.env["partner.loyalty.account"].sudo().search_count(strangers, limit=1):
                raise ValidationError(
                    self.env._(
                        "“%(program)s” has members already, so its company stays: "
                        "duplicate the program for another company.",
                        program=program.name,
                    )
                )

    @api.constrains("lock_date")
    def _check_lock_date(self):
        for program in self:
            if program.lock_date and program.lock_date >= program._get_today():
                raise ValidationError(
                    self.env._(
                        "“%(program)s” can be locked up to yesterday at most: choose an earlier lock date.",
                        program=program.name,
                    )
                )

    @api.constrains("state", "date_from", "date_to")
    def _check_rules_when_running(self):
        for program in self:
            if program.state == "running":
                program._check_has_rules()

    # === CRUD METHODS ===#

    def write(self, vals):
        # Before the lock date is compared with the old one, which converts it.
        self._check_input(vals)
        if "lock_date" in vals:
            self._check_lock_date_moves_forward(fields.Date.to_date(vals["lock_date"]))
        revised = self.filtered(lambda program: "terms" in vals and program.terms != vals["terms"])
        result = super().write(vals)
        if "recovery_share" in vals:
            self._settle_debts()
        revised._raise_terms_version()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_members(self):
        programs = self.filtered("member_ids")
        if programs:
            raise UserError(
                self.env._(
                    "“%(program)s” has members with statements that must be kept: close or archive it instead.",
                    program=programs[0].name,
                )
            )

    # === ACTION METHODS ===#

    def action_start(self):
        """Start the program: from now on sales of its members earn. Bonus actions that wait for it start as well.

        :raises UserError: when the program has no rule, or such a bonus action is not complete
        """
        for program in self:
            program._check_has_rules()
        self.write({"state": "running"})
        self._start_waiting_bonus_actions()

    def action_close(self):
        """Close the program: sales after today earn nothing more; what was earned stays and can be paid."""
        for program in self:
            today = max(program._get_today(), program.date_from)
            if not program.date_to or program.date_to > today:
                program.date_to = today
            program.state = "closed"

    def action_check(self):
        """Check the ledger of the program from nothing, and show the report."""
        self.ensure_one()
        self.check_access("write")
        # The report is written by the program alone.
        check = self.env["partner.loyalty.check"].sudo()._run(self)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_check_action"),
            "views": [(False, "form")],
            "res_id": check.id,
        }

    def action_view_members(self):
        """Show the members of the program."""
        action = self._get_related_action("partner_loyalty.partner_loyalty_member_action")
        return {**action, "domain": [*action["domain"], ("merged_into_id", "=", False)]}

    def action_view_entries(self):
        """Show the statement lines of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_entry_action")

    def action_view_differences(self):
        """Show the differences that wait for a decision."""
        return self._get_related_action("partner_loyalty.partner_loyalty_difference_action")

    def action_view_payouts(self):
        """Show the payouts of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_payout_action")

    # === BUSINESS METHODS - RULES ===#

    def _get_rules_in_force(self):
        """Return the rules that sales can earn by, archived ones as well; drafts of next versions are none.

        :rtype: recordset of ``partner.loyalty.rule``
        """
        return self.with_context(active_test=False).rule_ids.filtered(lambda rule: not rule.is_draft)

    # === BUSINESS METHODS - LEDGER ===#

    def _settle_debts(self):
        """Let debts take from what is open as far as they may now."""
        accounts = self.env["partner.loyalty.account"].search([("program_id", "in", self.ids)])
        self.env["partner.loyalty.allocation"]._settle(accounts.ids)

    def _get_terms(self, unit):
        """Return when an earning matures and expires, unless its rule says otherwise.

        :param str unit: ``point`` or ``money``
        :rtype: Terms
        """
        terms = self._get_own_terms()
        if unit == "money" and not self.expiry_of_money:
            return terms._replace(expiry_kind="never")
        return terms

    def _raise_terms_version(self):
        """Count on the version of terms that somebody has accepted already: what they agreed to were others."""
        # Whoever writes the terms need not see who has accepted them.
        rows = (
            self.env["partner.loyalty.acceptance"]
            .sudo()
            ._read_group([("program_id", "in", self.ids)], ["program_id"], ["version:max"])
        )
        for program_sudo, version in rows:
            if version >= program_sudo.terms_version:
                program_sudo.terms_version = version + 1

    # === BUSINESS METHODS - LIABILITY ===#

    def _get_liability(self, day):
        """Return what is owed to members as of a day, by unit.

        ``matured`` and ``pending`` are what is open of earnings, ``debt`` what members owe, and ``balance`` the three
        together. Breakage is expected at ``expired / (expired + spent)`` of the past. ``liability`` is in the currency
        of the company, all else in the unit. ``by_month`` has what is open by the first day of the month in which it
        expires, None for never.

        :param date day: entries and allocations dated up to then count
        :return: the figures above by unit
        :rtype: dict[str, dict]
        """
        self.ensure_one()
        figures = {unit: self._get_empty_liability() for unit, _label in UNITS}
        for unit, month, *amounts in self.env.execute_query(self._get_liability_query(day)):
            matured, pending, debt = map(Decimal, amounts)
            figures[unit]["matured"] += matured
            figures[unit]["pending"] += pending
            figures[unit]["debt"] += debt
            if matured or pending:
                figures[unit]["by_month"][month] = matured + pending
        rates = dict(self.env.execute_query(self._get_breakage_query(day)))
        for unit, figure in figures.items():
            self._complete_liability(unit, figure, Decimal(rates.get(unit) or 0))
        return figures

    @api.model
    def _get_empty_liability(self):
        return {"matured": Decimal(), "pending": Decimal(), "debt": Decimal(), "by_month": {}}

    def _complete_liability(self, unit, figure, breakage_rate):
        """Add what follows from what is open: balance, expected breakage, and what is owed in money."""
        open_amount = figure["matured"] + figure["pending"]
        value = Decimal(str(self.point_value)) if unit == "point" else Decimal(1)
        breakage = (open_amount * breakage_rate / 100).quantize(Decimal("0.0001"))
        figure.update(
            balance=open_amount - figure["debt"],
            breakage_rate=breakage_rate,
            breakage=breakage,
            liability=((open_amount - breakage) * value).quantize(self._get_currency_step(), ROUND_HALF_UP),
        )

    def _get_currency_step(self):
        """Return the smallest step of the currency, exactly."""
        return Decimal(1).scaleb(-self.currency_id.decimal_places)

    def _get_liability_query(self, day):
        """Return what was open on a day: ``(unit, month of expiry, matured, pending, debt)``.

        :rtype: SQL
        """
        return SQL(
            """
            WITH used AS (%(used)s), activity AS (
                SELECT account.member_id, MAX(entry.contribution_date) AS day
                  FROM partner_loyalty_entry entry
                  JOIN partner_loyalty_account account ON account.id = entry.account_id
                 WHERE entry.program_id = %(program)s AND entry.date <= %(day)s AND entry.amount > 0
                   AND entry.type IN ('accrual', 'opening')
              GROUP BY account.member_id
            ), lot AS (
                SELECT account.unit, entry.amount - COALESCE(used.amount, 0) AS amount, entry.mature_date,
                       date_trunc('month', COALESCE(entry.expiry_date, activity.day
                           + make_interval(months => entry.idle_months)))::date AS month
                  FROM partner_loyalty_entry entry
                  JOIN partner_loyalty_account account ON account.id = entry.account_id
             LEFT JOIN used ON used.id = entry.id
             LEFT JOIN activity ON activity.member_id = account.member_id
                 WHERE entry.program_id = %(program)s AND entry.date <= %(day)s
            )
            SELECT unit, CASE WHEN amount > 0 THEN month END AS month,
                   COALESCE(SUM(amount) FILTER (WHERE amount > 0 AND mature_date <= %(day)s), 0)::text,
                   COALESCE(SUM(amount) FILTER (WHERE amount > 0 AND mature_date > %(day)s), 0)::text,
                   COALESCE(-SUM(amount) FILTER (WHERE amount < 0), 0)::text
              FROM lot WHERE amount <> 0
          GROUP BY unit, CASE WHEN amount > 0 THEN month END
          ORDER BY unit, month NULLS LAST
            """,
            program=self.id,
            day=day,
            used=self._get_used_query(day),
        )

    @api.model
    def _get_used_query(self, day):
        """Return by entry how much of it was allocated up to a day, with the sign of the entry."""
        return SQL(
            """
            SELECT id, SUM(amount) AS amount
              FROM (SELECT debit_entry_id AS id, -amount AS amount, date FROM partner_loyalty_allocation
                     UNION ALL
                    SELECT credit_entry_id, amount, date FROM partner_loyalty_allocation) side
             WHERE date <= %s
          GROUP BY id
            """,
            day,
        )

    def _get_breakage_query(self, day):
        """Return by unit which percent of what left the accounts up to a day had expired.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.unit, ROUND(100 * SUM(entry.amount) FILTER (WHERE entry.type LIKE 'expiry%%')
                       / NULLIF(SUM(entry.amount), 0), 2)::text
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
             WHERE entry.program_id = %s AND entry.date <= %s
               AND entry.type IN (
                   'expiry', 'expiry_return', 'payout', 'payout_return', 'redemption', 'redemption_return')
          GROUP BY account.unit
            """,
            self.id,
            day,
        )

    def _check_can_book_liability(self):
        """Check that the accounts are there.

        :raises UserError: where they are not
        """
        for program in self:
            if not (
                program.liability_journal_id and program.liability_account_id and program.liability_expense_account_id
            ):
                raise UserError(
                    self.env._(
                        "What is owed by “%(program)s” cannot be booked yet: "
                        "choose a journal and two accounts for it on the program.",
                        program=program.name,
                    )
                )

    # === BUSINESS METHODS - ENROLLMENT ===#

    def _enroll(self, dates):
        """Make partners members of this program.

        :param dict dates: first day of membership by ``res.partner`` record (a commercial partner)
        :return: the members, in the order of the partners
        :rtype: recordset of ``partner.loyalty.member``
        :raises UserError: when the program has no rule or has been closed
        :raises ValidationError: when a partner cannot be a member, see ``_get_cannot_enroll_reason``
        """
        self.ensure_one()
        self._check_can_take_members()
        partners = self.env["res.partner"].browse([partner.id for partner in dates])
        reasons = self._get_cannot_enroll_reason(partners)
        if reasons:
            raise ValidationError("\n".join(reasons.values()))
        return self.env["partner.loyalty.member"].create(
            [self._prepare_member_vals(partner, date_from) for partner, date_from in dates.items()]
        )

    def _prepare_member_vals(self, partner, date_from):
        """Return the values of a new member: its first membership period and its accounts come with it."""
        return {
            "program_id": self.id,
            "partner_id": partner.id,
            "period_ids": [fields.Command.create({"date_from": date_from})],
        }

    def _get_cannot_enroll_reason(self, partners):
        """Say why partners cannot become members.

        :param partners: recordset of commercial partners
        :return: sentence by partner, without those who can
        :rtype: dict
        """
        self.ensure_one()
        members = self.env["partner.loyalty.member"].search(
            [("program_id", "=", self.id), ("partner_id", "in", partners.ids), ("merged_into_id", "=", False)]
        )
        reasons = {}
        for partner in partners:
            terms = {"partner": partner.display_name, "program": self.name, "company": self.company_id.name}
            if not partner.active:
                reasons[partner] = self.env._("%(partner)s is archived: restore the contact first.", **terms)
            elif partner.company_id and partner.company_id != self.company_id:
                reasons[partner] = self.env._(
                    "%(partner)s belongs to another company than %(company)s: choose a program of its own company.",
                    **terms,
                )
            elif partner in members.partner_id:
                reasons[partner] = self.env._("%(partner)s is already a member of %(program)s.", **terms)
        return reasons

    def _check_can_take_members(self):
        """Check that programs have rules and are not closed.

        :raises UserError: where one is not
        """
        self._check_has_rules()
        for program in self.filtered(lambda program: program.state == "closed"):
            raise UserError(
                self.env._("“%(program)s” is closed: choose a program that is running.", program=program.name)
            )

    def _check_has_rules(self):
        for program in self:
            if not program.rule_ids:
                raise UserError(
                    self.env._(
                        "“%(program)s” has no rule yet, so its members would earn nothing: add a rule first.",
                        program=program.name,
                    )
                )

    # === BUSINESS METHODS - THE PAST ===#

    def _apply_to_past(self, members=None, dry_run=False, commit=False):
        """Bring the ledger in line with all documents since the start of the program, whether touched or not.

        This is for members or rules with a date in the past and for imported documents, after somebody has seen
        a preview. Tiers of past months are decided first, where no decision was taken yet.

        :param members: only these members; all by default
        :param bool dry_run: take everything back and only return the figures
        :param bool commit: commit after each chunk of members
        :return: ``{"entries": int, "points": Decimal, "money": Decimal, "members": int}``, money in company currency
        :rtype: dict
        :raises UserError: when the program has not started and this is no preview
        """
        self.ensure_one()
        if dry_run:
            with self.env.cr.savepoint() as savepoint:
                figures = self._reconcile_members(members)
                savepoint.rollback()
            self.env.invalidate_all()
            return figures
        self._check_can_apply()
        return self._reconcile_members(members, commit=commit)

    def _apply_to_past_in_background(self):
        """Let the workers of the nightly comparison apply the program, each a chunk of members at a time.

        Any number of hosts share it. See :meth:`_apply_to_past`.

        :raises UserError: when the program has not started
        """
        self.ensure_one()
        self._check_can_apply()
        self.env.flush_all()
        self._evaluate_tiers()
        chunks = self.env["partner.loyalty.chunk"]
        chunks._plan(self, user=self.env.user)
        chunks._wake_workers()

    def _check_can_apply(self):
        if self.state == "draft":
            raise UserError(
                self.env._("“%(program)s” is a draft: start it, then apply it to the past.", program=self.name)
            )

    def _reconcile_members(self, members=None, commit=False):
        """Decide the tiers and reconcile all rules, chunk by chunk of members; see :meth:`_apply_to_past`."""
        self.env.flush_all()
        self._evaluate_tiers()
        figures = {"entries": 0, "points": 0, "money": 0, "members": 0}
        for scope in self._get_member_scopes(members):
            self._reconcile_scope(scope, figures)
            if commit:
                self.env["ir.cron"]._commit_progress(len(scope.root_ids))
        return figures

    def _reconcile_scope(self, scope, figures):
        """Reconcile all rules over ``scope`` and add what was posted to ``figures``."""
        rows = self._get_rules_in_force()._reconcile(scope)
        accounts = self.env["partner.loyalty.account"].browse({account_id for _id, account_id, _amount in rows})
        units = {account.id: account.unit for account in accounts}
        for _id, account_id, amount in rows:
            figures["points" if units[account_id] == "point" else "money"] += amount
        figures["entries"] += len(rows)
        figures["members"] += len(scope.root_ids)

    def _get_member_scopes(self, members=None, size=1000):
        """Yield the members in chunks, as scopes to reconcile.

        :rtype: iterator of ``Scope``
        """
        roots = (members or self.member_ids).root_id
        for start in range(0, len(roots), size):
            yield self.env["partner.loyalty.rule"]._get_member_scope(roots.ids[start : start + size])

    # === BUSINESS METHODS - INTEGRITY ===#

    @api.model
    def _check_invariants(self):
        """Recompute from nothing what must always hold in the ledger.

        :return: a sentence for each violation, empty when all is well
        :rtype: list[str]
        """
        return [
            self.env._(
                "%(invariant)s: %(count)s violations, such as %(examples)s.",
                invariant=invariant.sentence,
                count=len(ids),
                examples=", ".join(map(str, ids[:5])),
            )
            for invariant, ids in self.env["partner.loyalty.invariant"]._find_violations()
            if ids
        ]

    # === BUSINESS METHODS - DEMO DATA ===#

    @api.model
    def _load_demo_story(self):
        """Play the year of sales of the demo data, once; called by its XML file alone."""
        from ..demo.story import Story  # demo data is no part of the app, so it is only read when it is installed

        Story(self.env).tell()

    # === GETTERS ===#

    @api.model
    def _get_time_zones(self):
        return [(name, name) for name in sorted(pytz.all_timezones, key=lambda name: (name.startswith("Etc/"), name))]

    def _get_today(self):
        """Return today's date in the time zone of the program."""
        self.ensure_one()
        return fields.Date.context_today(self.with_context(tz=self.tz))

    def _get_first_open_day(self):
        """Return the first day that entries may be dated, or None where nothing is locked."""
        self.ensure_one()
        return self.lock_date + timedelta(days=1) if self.lock_date else None

    def _check_lock_date_moves_forward(self, lock_date):
        for program in self:
            if program.lock_date and (not lock_date or lock_date < program.lock_date):
                raise ValidationError(
                    self.env._(
                        "“%(program)s” is locked up to %(date)s, and statements up to then have been relied on: "
                        "the lock date only moves forward.",
                        program=program.name,
                        date=program.lock_date,
                    )
                )

    def _has_merged_members(self):
        """Return whether any member of the program was merged into another.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM partner_loyalty_member WHERE program_id = %s AND merged_into_id IS NOT NULL LIMIT 1",
                    self.id,
                )
            )
        )

    def _get_membership_query(self):
        """Return which member a partner stands for: ``(partner_id, root_id)``, one row a partner.

        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            "(SELECT %s member.partner_id, member.root_id FROM partner_loyalty_member member"
            " WHERE member.program_id = %s)",
            # With it all members are read; without merges the partner of each is another one.
            SQL("DISTINCT") if self._has_merged_members() else SQL(),
            self.id,
        )

    def _get_contribution_query(
        self, kind, role, date_from, date_to, date_field="date", domain=(), within_membership=True
    ):
        """Return what the members contributed, as a query over contributions that others can join and group.

        Only contributions of the company count whose ``rate_date`` lies within the membership. The alias
        ``membership`` has the member that each row belongs to, in ``root_id``.

        :param str kind: kind of contribution
        :param str role: role of the member in it
        :param date date_from: first day, or None
        :param date date_to: last day, or None
        :param str date_field: ``date`` or ``rate_date``, which of the two the days are about
        :param list domain: further conditions on contributions
        :param bool within_membership: leave out what a partner did before it joined or after it left
        :rtype: Query
        """
        query = self._get_own_contribution_query(kind, role, date_from, date_to, date_field, domain)
        if self.env.context.get("loyalty_reading"):
            self._add_read_membership(query)
        else:
            self._add_membership(query, within_membership)
        return query

    def _get_own_contribution_query(self, kind, role, date_from, date_to, date_field="date", domain=()):
        """Return what anybody contributed in the company of the program; see :meth:`_get_contribution_query`.

        :rtype: Query
        """
        self.ensure_one()
        # The engine looks past the sale record rules: it runs for salespeople and crons alike, and returns no records.
        contribution_sudo = self.env["partner.loyalty.contribution"].sudo()
        contribution_sudo = contribution_sudo.with_context(
            tz=self.tz, active_test=False, loyalty_branch=(kind, role), loyalty_program_id=self.id
        )
        conditions = Domain(domain)
        if not self.env.context.get("loyalty_reading"):
            conditions &= Domain([("kind", "=", kind), ("role", "=", role), ("company_id", "=", self.company_id.id)])
        if date_from:
            conditions &= Domain(date_field, ">=", date_from)
        if date_to:
            conditions &= Domain(date_field, "<=", date_to)
        query = contribution_sudo._search(conditions)
        if kind in MOMENT_KINDS:
            self._add_moment_range(query, date_from, date_to)
        return query

    def _add_moment_range(self, query, date_from, date_to):
        """Say the range of days once more on the raw datetime, so that its index serves."""
        moment = SQL.identifier(query.table, "moment")
        if date_from:
            query.add_where(SQL("%s >= %s", moment, periods.utc_day_start(date_from, self.tz)))
        if date_to and date_to < date.max:
            query.add_where(SQL("%s < %s", moment, periods.utc_day_start(date_to + timedelta(days=1), self.tz)))

    def _add_membership(self, query, within_membership):
        """Join the member of each contribution, and keep those within the membership periods of its partner."""
        partner, rate_date = SQL.identifier(query.table, "partner_id"), SQL.identifier(query.table, "rate_date")
        query.add_join("JOIN", "membership", self._get_membership_query(), SQL("membership.partner_id = %s", partner))
        if not within_membership:
            return
        holder = SQL("period.member_id = membership.root_id")
        if self._has_merged_members():
            holder = SQL(
                """period.member_id IN (SELECT member.id FROM partner_loyalty_member member
                                         WHERE member.partner_id = membership.partner_id
                                           AND member.root_id = membership.root_id)"""
            )
        query.add_where(
            SQL(
                """EXISTS (SELECT 1 FROM partner_loyalty_member_period period
                            WHERE %(holder)s AND period.date_from <= %(day)s
                              AND (period.date_to IS NULL OR period.date_to >= %(day)s))""",
                holder=holder,
                day=rate_date,
            )
        )

    def _add_read_membership(self, query):
        """Name the member of each contribution, where the members were read together with the contributions."""
        partner, root = SQL.identifier(query.table, "partner_id"), SQL.identifier(query.table, "root_id")
        member = SQL("LATERAL (SELECT %s AS partner_id, %s AS root_id)", partner, root)
        query.add_join("JOIN", "membership", member, SQL("TRUE"))

    def _count_by_program(self, model, domain):
        groups = self.env[model]._read_group([("program_id", "in", self.ids), *domain], ["program_id"], ["__count"])
        return dict(groups)

    def _get_related_action(self, xmlid):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(xmlid),
            "domain": [("program_id", "=", self.id)],
            "context": {"default_program_id": self.id},
        }
