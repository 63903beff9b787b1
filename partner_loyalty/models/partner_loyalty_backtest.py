import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date, formatLang, split_every

from ..const import LEDGER_DIGITS
from ..tools import periods
from .partner_loyalty_segment import UNREADABLE

# What a result depends on: where it changes, the result is forgotten.
INPUT_FIELDS = {"program_id", "reference_program_id", "date_from", "date_to", "uses_drafts"}

# Rows that one statement inserts.
BATCH_SIZE = 20000


class PartnerLoyaltyBacktest(models.Model):
    """What a program would have cost over a past period, beside what another one really posted.

    How it is worked out is in ``partner.loyalty.replay``.
    """

    _name = "partner.loyalty.backtest"
    _description = "Backtest"
    _inherit = ["partner.loyalty.replay", "partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _protected_fields = frozenset(
        {
            "difference",
            "earner_count",
            "loser_count",
            "member_count",
            "money_amount",
            "point_amount",
            "reference_money_amount",
            "reference_point_amount",
            "reference_total",
            "run_date",
            "same_count",
            "tier_down_count",
            "tier_up_count",
            "total",
            "turnover",
            "winner_count",
        }
    )

    # === DEFAULT METHODS ===#

    @api.model
    def _default_date_from(self):
        return periods.trailing_months_start(self._default_date_to(), 12)

    @api.model
    def _default_date_to(self):
        return periods.month_start(fields.Date.context_today(self)) - relativedelta(days=1)

    # === FIELDS ===#

    name = fields.Char(compute="_compute_name", store=True, readonly=False, required=True, precompute=True)
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        index=True,
        ondelete="cascade",
        help="The program to try, usually a draft. Nothing of the backtest stays in it.",
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    reference_program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        string="Compare with",
        compute="_compute_reference_program_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="set null",
        domain="[('state', '!=', 'draft')]",
        check_company=True,
        help="What this program really posted for the same period stands beside the backtest, and its members are the "
        "ones who are tried. Where empty, all customers of the period are.",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: self._default_date_from(),
        help="Everybody starts here in the lowest tier. Rules with dates of their own count on those days alone.",
    )
    date_to = fields.Date(string="Until", required=True, default=lambda self: self._default_date_to())
    has_drafts = fields.Boolean(compute="_compute_has_drafts")
    uses_drafts = fields.Boolean(
        string="Try Drafts",
        default=True,
        help="Drafts of next versions are in force over the whole period, in the place of the versions so far.",
    )
    run_date = fields.Datetime(string="Run on", readonly=True, copy=False)

    total = fields.Monetary(
        string="Cost", readonly=True, copy=False, help="Money and points, at the value of a point of the program."
    )
    money_amount = fields.Monetary(string="Money", readonly=True, copy=False)
    point_amount = fields.Float(string="Points", digits=LEDGER_DIGITS, readonly=True, copy=False)
    reference_total = fields.Monetary(
        string="Actually Posted",
        readonly=True,
        copy=False,
        help="What the other program holds for sales of the period, points at its own value of a point.",
    )
    reference_money_amount = fields.Monetary(string="Money Posted", readonly=True, copy=False)
    reference_point_amount = fields.Float(string="Points Posted", digits=LEDGER_DIGITS, readonly=True, copy=False)
    difference = fields.Monetary(readonly=True, copy=False, help="Above zero, the program costs more.")
    turnover = fields.Monetary(
        readonly=True, copy=False, help="Of the members in the period, as the program counts it for its tiers."
    )
    cost_share = fields.Float(
        string="Cost in % of Turnover", digits=(16, 2), compute="_compute_shares", aggregator=None
    )
    reference_cost_share = fields.Float(
        string="Posted in % of Turnover", digits=(16, 2), compute="_compute_shares", aggregator=None
    )
    member_count = fields.Integer(string="Members", readonly=True, copy=False)
    earner_count = fields.Integer(string="Members Who Earn", readonly=True, copy=False)
    winner_count = fields.Integer(string="Winners", readonly=True, copy=False)
    loser_count = fields.Integer(string="Losers", readonly=True, copy=False)
    same_count = fields.Integer(string="As They Are", readonly=True, copy=False)
    tier_up_count = fields.Integer(
        string="Tier Rises", readonly=True, copy=False, help="How often a member would have risen to a higher tier."
    )
    tier_down_count = fields.Integer(
        string="Tier Falls", readonly=True, copy=False, help="How often a member would have fallen to a lower tier."
    )
    has_unvalued_points = fields.Boolean(compute="_compute_has_unvalued_points")
    summary = fields.Char(compute="_compute_summary")
    line_ids = fields.One2many(comodel_name="partner.loyalty.backtest.line", inverse_name="backtest_id")
    member_ids = fields.One2many(comodel_name="partner.loyalty.backtest.member", inverse_name="backtest_id")

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to >= date_from)", "A period cannot end before it starts: choose a later end or an earlier start."
    )
    _date_from_plausible = models.Constraint(
        "CHECK (date_from >= '1900-01-01')",
        "A backtest starts in the year 1900 or later: enter all four digits of the year.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("program_id", "date_from", "date_to")
    def _compute_name(self):
        for backtest in self.filtered("program_id"):
            backtest.name = self.env._(
                "%(program)s, %(date_from)s to %(date_to)s", program=backtest.program_id.name, **backtest._get_dates()
            )

    @api.depends("program_id")
    def _compute_reference_program_id(self):
        for backtest in self:
            backtest.reference_program_id = backtest._get_largest_running_program()

    @api.depends("program_id.rule_ids.is_draft")
    def _compute_has_drafts(self):
        for backtest in self:
            backtest.has_drafts = any(backtest.program_id.rule_ids.mapped("is_draft"))

    @api.depends("total", "reference_total", "turnover")
    def _compute_shares(self):
        for backtest in self:
            turnover = max(backtest.turnover, 0)
            backtest.cost_share = turnover and 100 * backtest.total / turnover
            backtest.reference_cost_share = turnover and 100 * backtest.reference_total / turnover

    @api.depends("point_amount", "reference_point_amount", "program_id.point_value", "reference_program_id.point_value")
    def _compute_has_unvalued_points(self):
        for backtest in self:
            reference = backtest.reference_program_id
            backtest.has_unvalued_points = bool(
                (backtest.point_amount and not backtest.program_id.point_value)
                or (backtest.reference_point_amount and not reference.point_value)
            )

    @api.depends("run_date", "total", "reference_total", "turnover", "program_id.name", "reference_program_id.name")
    @api.depends_context("lang")
    def _compute_summary(self):
        for backtest in self:
            backtest.summary = backtest.run_date and " ".join(
                filter(None, (backtest._get_cost_sentence(), *backtest._get_extreme_sentences()))
            )

    # === CONSTRAINT METHODS ===#

    @api.constrains("date_to", "program_id")
    def _check_date_to_past(self):
        for backtest in self:
            if backtest.date_to > backtest.program_id._get_today():
                raise ValidationError(
                    self.env._("A backtest looks back: choose a period that ends today at the latest.")
                )

    # === CRUD METHODS ===#

    def write(self, vals):
        result = super().write(vals)
        if INPUT_FIELDS & vals.keys():
            # Results are set by the run alone; those of other choices are none.
            self.sudo().filtered("run_date")._forget_results()
        return result

    # === ACTION METHODS ===#

    def action_run(self):
        """Replay the program over the period and keep what came out of it.

        :raises UserError: where the program has no rule, or nobody was a member in the period
        """
        self.ensure_one()
        self.check_access("write")
        (self.program_id | self.reference_program_id).check_access("read")
        # The program is copied and enrolls and posts, which officers may not do; nothing of it stays.
        self.sudo()._run()

    def action_view_members(self):
        """Show who wins and who loses."""
        return self._get_members_action()

    def action_view_winners(self):
        """Show who would have got more."""
        return self._get_members_action(search_default_winners=True)

    def action_view_losers(self):
        """Show who would have got less."""
        return self._get_members_action(search_default_losers=True)

    def action_view_lines(self):
        """Show what each document would have earned."""
        return self._get_lines_action("list")

    def action_view_by_tier(self):
        """Show the cost by tier."""
        return self._get_lines_action("pivot", search_default_group_by_tier=True)

    def action_view_by_segment(self):
        """Show the cost by segment of the members."""
        return self._get_members_action("pivot", search_default_group_by_segment=True)

    def action_view_by_month(self):
        """Show the cost by month."""
        return self._get_lines_action("graph", search_default_group_by_month=True)

    def action_view_by_rule(self):
        """Show the cost by rule."""
        return self._get_lines_action("pivot", search_default_group_by_rule=True)

    # === BUSINESS METHODS - RUN ===#

    def _run(self):
        """Replay the program, read what the other one has posted, and store both side by side."""
        self.ensure_one()
        if not self.try_lock_for_update():
            raise UserError(self.env._("Somebody is running “%s” right now: reload the page in a minute.", self.name))
        self._forget_results()
        replay = self._replay()
        posted = self._get_reference_postings()
        self._insert_rows("line_ids", self._get_line_vals_list(replay.postings, posted))
        members = self._get_member_vals_list(replay, posted)
        self._insert_rows("member_ids", members)
        self._insert_segments()
        self.write(self._prepare_result_vals(replay, posted, members))

    def _forget_results(self):
        """Take away what an earlier run left: thousands of rows, which nothing hangs on."""
        for name in ("line_ids", "member_ids"):
            table = SQL.identifier(self.env[self._fields[name].comodel_name]._table)
            self.env.execute_query(SQL("DELETE FROM %s WHERE backtest_id = ANY(%s)", table, list(self.ids)))
        self.env.invalidate_all()
        self.write(dict.fromkeys(self._protected_fields, False))

    def _get_reference_postings(self):
        """Return what the other program really posted, with the rules and tiers that the tested one has for its own.

        :rtype: list[Posting]
        """
        reference = self.reference_program_id
        if not reference:
            return []
        return self._get_postings(
            reference,
            self._match(reference, "rule_ids"),
            self._match(reference, "tier_ids"),
        )

    def _match(self, reference, name):
        """Return which rule or tier of the tested program stands for which of the other: those of the same name.

        Where several have the same name, as versions of a rule have, the first stands for the first.

        :param str name: name of the field of programs
        :rtype: dict[int, int]
        """
        if reference == self.program_id:
            return {}
        own = defaultdict(list)
        for record in self.program_id.with_context(active_test=False)[name]:
            own[record.name].append(record.id)
        records = reference.with_context(active_test=False)[name]
        return {record.id: own[record.name].pop(0) for record in records if own[record.name]}

    # === BUSINESS METHODS - SEGMENTS ===#

    def _insert_segments(self):
        """Note which segments each member belongs to, for all segments in one statement."""
        source = self._get_source_program()
        queries = [self._get_segment_query(segment, source) for segment in self._get_segments()]
        if not queries:
            return
        self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_backtest_member_segment_rel (
                       partner_loyalty_backtest_member_id, partner_loyalty_segment_id)
                SELECT member.id, segment.segment_id
                  FROM partner_loyalty_backtest_member member
                  JOIN (%s) segment ON segment.partner_id = member.partner_id
                 WHERE member.backtest_id = %s
                """,
                SQL(" UNION ALL ").join(queries),
                self.id,
            )
        )
        self.env["partner.loyalty.backtest.member"].invalidate_model(["segment_ids"])

    @api.model
    def _get_segment_query(self, segment, program):
        """Return who belongs to a segment, as ``(segment_id, partner_id)``.

        :param program: the program whose memberships have to match; any where empty
        :rtype: SQL
        :raises UserError: where its filter cannot be read any more
        """
        try:
            query = (
                self.env["res.partner"].with_context(active_test=False)._search(segment._get_partner_domain(program))
            )
        except UNREADABLE as error:
            raise UserError(
                self.env._(
                    "The filter of the segment “%(segment)s” cannot be read: correct or archive the segment. "
                    "(%(error)s)",
                    segment=segment.name,
                    error=str(error)[:500],
                )
            ) from error
        return query.select(
            SQL("%s AS segment_id", segment.id), SQL("%s AS partner_id", SQL.identifier(query.table, "id"))
        )

    def _get_segments(self):
        """Return the segments that the cost is shown by."""
        return self.env["partner.loyalty.segment"].search([("company_id", "in", (False, self.company_id.id))])

    # === BUSINESS METHODS - RESULTS ===#

    def _get_line_vals_list(self, tried, posted):
        """Return the values of the lines: what was tried and what was posted of the same thing side by side.

        :param list tried: postings of the replay
        :param list posted: postings of the other program
        :rtype: list[dict]
        """
        sides = {}
        for side, postings in enumerate((tried, posted)):
            for posting in postings:
                sides.setdefault(posting.key, [None, None])[side] = posting
        return [self._prepare_line_vals(*pair) for pair in sides.values()]

    def _prepare_line_vals(self, tried, posted):
        """Return the values of a line; stored fields that others add to the lines are stored, too.

        :param tried: what the program would have posted, or None
        :param posted: what the other one has posted, or None
        :rtype: dict
        """
        head = tried or posted
        total, reference_total = self._get_value(tried), self._get_value(posted, self.reference_program_id)
        return {
            "backtest_id": self.id,
            "company_id": self.company_id.id,
            "partner_id": head.partner_id,
            "rule_id": head.rule_id,
            "tier_id": head.tier_id,
            "date": head.day,
            "origin_model": head.origin_model,
            "origin_id": head.origin_id,
            "period_start": head.period_start,
            "money_amount": tried.amount if tried and tried.unit == "money" else 0,
            "point_amount": tried.amount if tried and tried.unit == "point" else 0,
            "total": total,
            "reference_money_amount": posted.amount if posted and posted.unit == "money" else 0,
            "reference_point_amount": posted.amount if posted and posted.unit == "point" else 0,
            "reference_total": reference_total,
            "difference": total - reference_total,
        }

    def _get_member_vals_list(self, replay, posted):
        """Return the values of the members: all who were tried, and all who got something from the other program.

        :rtype: list[dict]
        """
        totals = self._get_totals(replay.postings)
        reference_totals = self._get_totals(posted, self.reference_program_id)
        reference_tiers = self._get_reference_tiers()
        return [
            self._prepare_member_vals(
                partner_id,
                totals.get(partner_id, Decimal()),
                reference_totals.get(partner_id, Decimal()),
                turnover=replay.turnover.get(partner_id, 0),
                tier_id=replay.tiers.get(partner_id),
                reference_tier_id=reference_tiers.get(partner_id),
            )
            for partner_id in sorted(replay.turnover.keys() | reference_totals.keys())
        ]

    def _prepare_member_vals(self, partner_id, total, reference_total, **values):
        """Return the values of the line about a member.

        :param int partner_id: id of the partner
        :param Decimal total: what it would have got, points at their value
        :param Decimal reference_total: what it has got
        :rtype: dict
        """
        difference = total - reference_total
        outcome = "winner" if difference > 0 else "loser" if difference < 0 else "same"
        return {
            "backtest_id": self.id,
            "company_id": self.company_id.id,
            "partner_id": partner_id,
            "total": total,
            "reference_total": reference_total,
            "difference": difference,
            "outcome": outcome if self.reference_program_id else None,
            **values,
        }

    def _prepare_result_vals(self, replay, posted, members):
        """Return the figures of a run.

        :param list members: values of the lines about members
        :rtype: dict
        """
        total, reference_total = (sum(vals[name] for vals in members) for name in ("total", "reference_total"))
        outcomes = [vals["outcome"] for vals in members]
        rises = [rose for _partner_id, rose in replay.moves]
        return {
            "run_date": fields.Datetime.now(),
            "total": total,
            "reference_total": reference_total,
            "difference": total - reference_total,
            "turnover": sum(replay.turnover.values()),
            "member_count": len(replay.turnover),
            "earner_count": sum(vals["total"] > 0 for vals in members),
            "winner_count": outcomes.count("winner"),
            "loser_count": outcomes.count("loser"),
            "same_count": outcomes.count("same"),
            "tier_up_count": rises.count(True),
            "tier_down_count": rises.count(False),
            **self._get_unit_totals(replay.postings),
            **self._get_unit_totals(posted, "reference_"),
        }

    @api.model
    def _get_unit_totals(self, postings, prefix=""):
        totals = {f"{prefix}money_amount": Decimal(), f"{prefix}point_amount": Decimal()}
        for posting in postings:
            totals[f"{prefix}{posting.unit}_amount"] += posting.amount
        return totals

    def _get_totals(self, postings, program=None):
        """Return what each partner got in the currency of the company, rounded once.

        :rtype: dict[int, Decimal]
        """
        totals = defaultdict(Decimal)
        for posting in postings:
            totals[posting.partner_id] += self._get_value(posting, program)
        step = self.program_id._get_currency_step()
        return {partner_id: total.quantize(step, ROUND_HALF_UP) for partner_id, total in totals.items()}

    def _get_value(self, posting, program=None):
        """Return what a posting is worth in the currency of the company, not rounded.

        :param posting: a ``Posting``, or None
        :param program: the program that posted it; the one that is tried by default
        :rtype: Decimal
        """
        if not posting or posting.unit == "money":
            return posting.amount if posting else Decimal()
        return posting.amount * Decimal(str((program or self.program_id).point_value))

    def _get_reference_tiers(self):
        """Return the tiers that members of the other program really had on the last day.

        :rtype: dict[int, int]
        """
        return self._get_last_tiers(self.reference_program_id) if self.reference_program_id else {}

    def _insert_rows(self, name, vals_list):
        """Insert what belongs to the backtest: thousands of rows, which need nothing that the ORM does.

        :param str name: name of a one2many field
        :param list vals_list: dicts with the same keys
        """
        model = self.env[self._fields[name].comodel_name]
        for chunk in split_every(BATCH_SIZE, vals_list):
            names = list(chunk[0])
            columns = SQL(", ").join(map(SQL.identifier, names))
            types = SQL(", ").join(
                SQL("%s %s", SQL.identifier(column), SQL(model._fields[column].column_type[1]))  # pylint: disable=sql-injection
                for column in names
            )
            self.env.execute_query(
                SQL(
                    "INSERT INTO %s (%s) SELECT %s FROM jsonb_to_recordset(%s::jsonb) AS vals(%s)",
                    SQL.identifier(model._table),
                    columns,
                    columns,
                    json.dumps(list(chunk), default=str),
                    types,
                )
            )
        self.invalidate_recordset([name])

    # === GETTERS ===#

    def _get_largest_running_program(self):
        """Return the running program of the company that has most members, if any.

        :rtype: ``partner.loyalty.program``
        """
        self.ensure_one()
        domain = [("company_id", "=", self.program_id.company_id.id), ("program_id.state", "=", "running")]
        groups = self.env["partner.loyalty.member"]._read_group(
            [*domain, ("merged_into_id", "=", False)], ["program_id"], order="__count DESC, program_id", limit=1
        )
        return groups[0][0] if groups else self.env["partner.loyalty.program"]

    def _get_cost_sentence(self):
        """Say in a sentence what the program would have cost."""
        terms = self._get_sentence_terms()
        if not self.reference_program_id:
            return self.env._(
                "Would have cost %(total)s from %(date_from)s to %(date_to)s (%(share)s %% of turnover): "
                "%(earners)s of %(members)s members earn something.",
                **terms,
            )
        if self.currency_id.is_zero(self.difference):
            return self.env._(
                "Costs as much as “%(reference)s” from %(date_from)s to %(date_to)s (%(share)s %% of turnover): "
                "%(winners)s win, %(losers)s lose, %(same)s stay as they are.",
                **terms,
            )
        if self.difference > 0:
            return self.env._(
                "Costs %(difference)s more than “%(reference)s” from %(date_from)s to %(date_to)s "
                "(%(share)s %% of turnover instead of %(reference_share)s %%): "
                "%(winners)s win, %(losers)s lose, %(same)s stay as they are.",
                **terms,
            )
        return self.env._(
            "Costs %(difference)s less than “%(reference)s” from %(date_from)s to %(date_to)s "
            "(%(share)s %% of turnover instead of %(reference_share)s %%): "
            "%(winners)s win, %(losers)s lose, %(same)s stay as they are.",
            **terms,
        )

    def _get_extreme_sentences(self):
        """Say who wins and loses most, or without a comparison who earns most.

        :rtype: list[str]
        """
        if not self.reference_program_id:
            top = self._get_extreme([("total", ">", 0)], "total DESC")
            return [top and self.env._("The largest earner is %(partner)s with %(amount)s.", **top)]
        winner = self._get_extreme([("outcome", "=", "winner")], "difference DESC")
        loser = self._get_extreme([("outcome", "=", "loser")], "difference")
        return [
            winner and self.env._("The largest winner is %(partner)s with %(amount)s more.", **winner),
            loser and self.env._("The largest loser is %(partner)s with %(amount)s less.", **loser),
        ]

    def _get_extreme(self, domain, order):
        member = self.env["partner.loyalty.backtest.member"].search(
            [("backtest_id", "=", self.id), *domain], order=f"{order}, id", limit=1
        )
        if not member:
            return {}
        amount = member.difference if self.reference_program_id else member.total
        return {"partner": member.partner_id.display_name or "", "amount": self._format_money(abs(amount))}

    def _get_sentence_terms(self):
        return {
            "reference": self.reference_program_id.name,
            "total": self._format_money(self.total),
            "difference": self._format_money(abs(self.difference)),
            "share": formatLang(self.env, self.cost_share, digits=1),
            "reference_share": formatLang(self.env, self.reference_cost_share, digits=1),
            "earners": self.earner_count,
            "members": self.member_count,
            "winners": self.winner_count,
            "losers": self.loser_count,
            "same": self.same_count,
            **self._get_dates(),
        }

    def _get_dates(self):
        return {
            "date_from": format_date(self.env, self.date_from),
            "date_to": format_date(self.env, self.date_to),
        }

    def _format_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _get_members_action(self, view_type="list", **context):
        return self._get_result_action("partner_loyalty.partner_loyalty_backtest_member_action", view_type, context)

    def _get_lines_action(self, view_type, **context):
        return self._get_result_action("partner_loyalty.partner_loyalty_backtest_line_action", view_type, context)

    def _get_result_action(self, xmlid, view_type, context):
        """Return the action that shows a part of the result, with one kind of view first."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {
            **action,
            "domain": [("backtest_id", "=", self.id)],
            "context": context,
            "views": sorted(action["views"], key=lambda view: view[1] != view_type),
        }
