from datetime import timedelta
from itertools import pairwise

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES
from ..tools import periods
from ..tools.window import Window

# How long the period of each kind is that is measured, in months; a rolling one is as long as the program says.
PERIOD_MONTHS = {"quarter": 3, "year": 12, "anniversary": 12}


class PartnerLoyaltyTierPolicy(models.AbstractModel):
    """How a program decides on tiers: on which days, over which time, and how members rise and fall."""

    _name = "partner.loyalty.tier.policy"
    _description = "Tier Policy"

    # === FIELDS ===#

    tier_kind = fields.Selection(
        selection=CONTRIBUTION_KINDS,
        string="Turnover Counted at",
        required=True,
        default="invoice",
        help="Which sales make the turnover that decides the tier: orders, invoices or payments.",
    )
    tier_role = fields.Selection(
        selection=CONTRIBUTION_ROLES,
        string="Turnover of",
        required=True,
        default="buyer",
        help="Whether the tier follows what a member buys, or what it brings from others.",
    )
    tier_period = fields.Selection(
        selection=[
            ("rolling", "Last months, decided monthly"),
            ("quarter", "Calendar quarter, at its end"),
            ("year", "Calendar year, at its end"),
            ("anniversary", "Year of membership, at its end"),
        ],
        string="Measured over",
        required=True,
        default="rolling",
    )
    tier_months = fields.Integer(
        string="Months Measured", default=12, aggregator=None, help="So many whole calendar months count."
    )
    tier_mode = fields.Selection(
        selection=[("auto", "Automatically"), ("review", "Proposed, reviewed and published by people")],
        string="How Decided",
        required=True,
        default="auto",
        help="Whether tiers are in force as soon as they are decided, or people look at them first.",
    )
    tier_mails = fields.Boolean(
        string="E-mail to Members", help="Members whose tier has changed are told by e-mail when it is in force."
    )
    tier_upgrade = fields.Selection(
        selection=[("end", "When the period ends"), ("at_once", "At once, from the next day")],
        string="Rise",
        required=True,
        default="end",
    )
    tier_downgrade = fields.Selection(
        selection=[("deserved", "To the tier that is reached"), ("step", "One tier at a time"), ("never", "Never")],
        string="Fall",
        required=True,
        default="deserved",
    )
    tier_validity_months = fields.Integer(
        string="Valid for (Months)",
        aggregator=None,
        help="A tier that was reached, or reached again, is kept for at least so many months.",
    )
    tier_grace_months = fields.Integer(
        string="Grace Period (Months)",
        aggregator=None,
        help="Who does not reach its tier any more keeps it for so many months, and falls if it is not reached then.",
    )
    tier_checked_to = fields.Date(
        string="Rises Decided up to",
        readonly=True,
        copy=False,
        help="The last day whose sales were looked at for those who rise at once.",
    )

    # === CONSTRAINTS ===#

    _tier_months_range = models.Constraint(
        "CHECK (tier_months BETWEEN 1 AND 60)", "Tiers are measured over 1 to 60 months: choose a number in between."
    )
    _tier_validity_months_range = models.Constraint(
        "CHECK (tier_validity_months IS NULL OR tier_validity_months BETWEEN 0 AND 60)",
        "A tier is valid for 0 to 60 months: choose a number in between.",
    )
    _tier_grace_months_range = models.Constraint(
        "CHECK (tier_grace_months IS NULL OR tier_grace_months BETWEEN 0 AND 24)",
        "The grace period is 0 to 24 months: choose a number in between.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("tier_kind", "tier_role")
    def _check_tier_role(self):
        kind_roles = self.env["partner.loyalty.contribution"]._get_kind_roles()
        for program in self:
            if program.tier_role not in kind_roles[program.tier_kind]:
                raise ValidationError(
                    self.env._(
                        "The tiers of “%(program)s” cannot follow “%(role)s” where “%(kind)s” counts: "
                        "possible is %(roles)s.",
                        program=program.name,
                        **self.env["partner.loyalty.contribution"]._get_role_labels(
                            program.tier_kind, program.tier_role
                        ),
                    )
                )

    def _check_tiers_rise(self):
        """Check that every member has a tier, and that each tier asks for more than the one below it.

        :raises ValidationError: where it does not
        """
        for program in self:
            tiers = program._get_tiers()
            if tiers and tiers[0]._get_conditions():
                raise ValidationError(
                    self.env._(
                        "The lowest tier of “%(program)s” has to start at zero, so that every member has a tier: "
                        "set its turnover to 0, and ask for nothing else.",
                        program=program.name,
                    )
                )
            for lower, higher in pairwise(tiers):
                program._check_tier_asks_for_more(lower, higher)

    def _check_tier_asks_for_more(self, lower, higher):
        """Check two tiers that follow each other."""
        terms = {"lower": lower.name, "higher": higher.name}
        asked = {metric._origin.id: value for metric, value in lower._get_conditions()}
        for metric, value in higher._get_conditions():
            before = asked.get(metric._origin.id)
            if before is not None and (value > before if metric.direction == "down" else value < before):
                raise ValidationError(
                    self.env._(
                        "“%(higher)s” comes after “%(lower)s” and asks for less of “%(metric)s”: "
                        "change the value, or the order of the tiers.",
                        metric=metric.name,
                        **terms,
                    )
                )
        if lower._get_asked() == higher._get_asked():
            raise ValidationError(
                self.env._(
                    "“%(lower)s” and “%(higher)s” are reached by the same: change one of them, so that they differ.",
                    **terms,
                )
            )

    # === BUSINESS METHODS - TIERS ===#

    @api.model
    def _cron_evaluate_tiers(self):
        """Decide the tiers of the periods that have ended, and grant what they give, program by program."""
        programs = self.search([("state", "=", "running")])
        self.env["ir.cron"]._commit_progress(remaining=len(programs))
        for program in programs:
            self.env["partner.loyalty.tier.review"]._publish_due(program)
            program._evaluate_tiers()
            program._refresh_tiers()
            while self.env["partner.loyalty.tier.entitlement"]._grant_batch(program):
                self.env["ir.cron"]._commit_progress()
            self.env["ir.cron"]._commit_progress(1)

    def _refresh_tiers(self):
        """Bring up to date what follows from tiers and the calendar, and how far the next tier is from each member."""
        Member = self.env["partner.loyalty.member"]
        Member._refresh_by_date(self)
        for program in self:
            Member._refresh_benefits(program)
            Member._refresh_outlook(program)
            self.env["partner.loyalty.tier.period"]._queue_mails(program)

    def _start_tiers(self):
        """Put members who joined before their program had tiers into the lowest one, from today on."""
        for program in self:
            today = program._get_today()
            without = self.env["partner.loyalty.member"].search(
                [
                    ("program_id", "=", program.id),
                    ("merged_into_id", "=", False),
                    ("tier_period_ids", "=", False),
                    "|",
                    ("date_to", "=", False),
                    ("date_to", ">=", today),
                ]
            )
            if without:
                self.env["partner.loyalty.tier.period"]._start(without, today)
                self.env["partner.loyalty.member"]._refresh_by_date(program)

    def _evaluate_tiers(self):
        """Decide the tiers that are due, see :meth:`_decide_tiers`, and bring up to date what the calendar changes."""
        self.ensure_one()
        self._decide_tiers()
        self.env["partner.loyalty.member"]._refresh_by_date(self)

    def _decide_tiers(self):
        """Decide the tier of each member for each day of decision that has passed without one, in order.

        What counts is dated up to that day and within the membership. A decision is in force from the day after and
        is never taken back. Where people review tiers, it is proposed, and in force once it is published.

        :return: whether anything was due
        :rtype: bool
        """
        self.ensure_one()
        first = self.env["partner.loyalty.tier.period"]._get_first_undecided_day(self)
        if not first or not self.tier_ids:
            return False
        last, is_due = self._get_today() - timedelta(days=1), False
        if self.date_to:
            last = min(last, periods.month_end(self.date_to))
        for day in self._get_decision_days(first, last):
            self.env["partner.loyalty.tier.period"]._decide(self, day)
            is_due = True
        if self.tier_upgrade == "at_once" and last >= self.date_from:
            # Whoever may evaluate need not have the right to write programs.
            self.sudo().tier_checked_to = last
        return is_due

    def _get_decision_days(self, first, last):
        """Yield the days of a time on which something has to be decided, in order.

        Decisions on one day may add later ones, such as the end of a time of grace.

        :param date first: first day without a decision of some member
        :param date last: last day
        """
        day = first - timedelta(days=1)
        while day := self._get_next_decision_day(day + timedelta(days=1), last):
            yield day

    def _get_next_decision_day(self, first, last):
        """Return the first day of a time on which something has to be decided, or None."""
        days = [day for day in (self._get_next_period_end(first),) if day and day <= last]
        if self.tier_upgrade == "at_once":
            since = max(filter(None, (self.tier_checked_to and self.tier_checked_to + timedelta(days=1), first)))
            days += [since] if since <= last else []
        days += filter(None, [self.env["partner.loyalty.tier.period"]._get_own_decision_day(self, first, last)])
        return min(days, default=None)

    def _get_next_period_end(self, day):
        """Return when the period of all members ends that ``day`` lies in; None where each has its own."""
        if self.tier_period == "anniversary":
            return None
        period = "month" if self.tier_period == "rolling" else self.tier_period
        return periods.period_end(periods.period_start(day, period), period)

    # === GETTERS ===#

    def _get_tier_months(self):
        """Return how many months are measured."""
        self.ensure_one()
        return PERIOD_MONTHS.get(self.tier_period, self.tier_months)

    def _get_tier_window(self, day, is_trailing=False):
        """Return what is measured for a decision on a day.

        :param date day: the day of the decision; where the period goes on, what lies in it up to that day counts
        :param bool is_trailing: measure as long as a period lasts, up to the day, whichever period that lies in
        :rtype: Window
        """
        self.ensure_one()
        months, spans = self._get_tier_months(), None
        if self.tier_period == "rolling":
            first = periods.trailing_months_start(day, months)
        elif is_trailing:
            first = day + timedelta(days=1) - relativedelta(months=months)
        elif self.tier_period == "anniversary":
            first, spans = day - relativedelta(months=months), self._get_anniversary_spans(day)
        else:
            first = periods.period_start(day, self.tier_period)
        return Window(first, day, months, None, "group_root_id", spans)

    def _get_anniversary_spans(self, day):
        """Return the year of membership of each member up to a day, which may be the last of it.

        :return: ``SELECT`` of ``root_id, first_day, last_day``
        :rtype: SQL
        """
        return SQL(
            """
            SELECT member.id AS root_id, %(start)s AS first_day, %(day)s AS last_day
              FROM partner_loyalty_member member
             WHERE member.program_id = %(program)s AND member.date_from <= %(day)s
            """,
            start=self._get_membership_year_start(SQL("member.date_from"), SQL("%s::date", day)),
            day=SQL("%s::date", day),
            program=self.id,
        )

    @api.model
    def _get_membership_year_start(self, since, day):
        """Return the first day of the year of membership that a day lies in.

        Who joined on 29 February begins a new year on 28 February where there is no 29th.

        :param SQL since: first day of the membership
        :param SQL day: the day, not before that
        :rtype: SQL
        """
        return SQL(
            """(SELECT MAX(start) FROM (
                    SELECT (%(since)s + make_interval(years => lasted.years + more))::date AS start
                      FROM (SELECT date_part('year', age(%(day)s, %(since)s))::integer AS years) lasted,
                           generate_series(0, 1) more) AS year WHERE start <= %(day)s)""",
            since=since,
            day=day,
        )

    def _get_turnover_metric(self):
        """Return the turnover that tiers follow, as a metric that is not stored.

        :rtype: ``partner.loyalty.metric``
        """
        self.ensure_one()
        return self.env["partner.loyalty.metric"].new(
            {
                "name": self.env._("Turnover"),
                "source": "contribution",
                "kind": self.tier_kind,
                "role": self.tier_role,
                "aggregate": "sum",
                "field": "amount",
                "unit": "money",
                "direction": "up",
            }
        )

    def _get_tiers(self):
        """Return the tiers from the lowest to the highest, also those that are not stored yet.

        :rtype: recordset of ``partner.loyalty.tier``
        """
        self.ensure_one()
        return self.tier_ids.sorted(lambda tier: (tier.sequence, tier.threshold, tier._origin.id or 0))

    def _get_tier_metrics(self):
        """Return what decides tiers: the turnover first, then the metrics of their criteria.

        :rtype: list of ``partner.loyalty.metric``
        """
        self.ensure_one()
        return [self._get_turnover_metric(), *self.tier_ids.criterion_ids.metric_id]
