from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..const import COST_TYPES

# Rewards that post money to the statement cost what they post.
POSTING_KINDS = ("money", "mdf")

# What a metric counts, by the name of the fact: kind, role and calculation.
COUNTED = {
    "deals": ("deal", "referrer", "count", False),
    "certificates": ("certificate", "member", "count", False),
    "new_customers": ("new_customer", "referrer", "distinct", "customer"),
    "repeat_bought": ("repeat_order", "buyer", "count", False),
    "repeat_brought": ("repeat_order", "referrer", "count", False),
    "orders_bought": ("order", "buyer", "count", False),
    "orders_brought": ("order", "referrer", "count", False),
}


class PartnerLoyaltyKpiSource(models.AbstractModel):
    """What a program costs, who is in it, and how well it is run: the facts that are no sales."""

    _name = "partner.loyalty.kpi.source"
    _description = "Facts behind Key Figures"

    # === FACTS ===#

    @api.model
    def _get_member_facts(self, focus):
        """Return how many members there are: ``start``, ``end``, ``joined``, ``left`` and ``during`` the days."""
        self.env["partner.loyalty.member.period"].flush_model()
        self.env["partner.loyalty.member"].flush_model(["program_id", "root_id"])
        [row] = self.env.execute_query_dict(
            SQL(
                """
                SELECT COUNT(*) FILTER (WHERE at_start) AS start, COUNT(*) FILTER (WHERE at_end) AS end,
                       COUNT(*) FILTER (WHERE joined >= %(first)s) AS joined,
                       COUNT(*) FILTER (WHERE at_start AND NOT at_end) AS left, COUNT(*) FILTER (WHERE during) AS during
                  FROM (SELECT member.root_id, MIN(period.date_from) AS joined,
                               bool_or(period.date_from <= %(first)s AND %(to)s >= %(first)s) AS at_start,
                               bool_or(%(to)s >= %(last)s) AS at_end, bool_or(%(to)s >= %(first)s) AS during
                          FROM partner_loyalty_member member
                          JOIN partner_loyalty_member_period period ON period.member_id = member.id
                         WHERE member.program_id = %(program)s AND period.date_from <= %(last)s AND %(is_meant)s
                      GROUP BY member.root_id) member
                """,
                first=focus.first,
                last=focus.last,
                to=SQL("COALESCE(period.date_to, 'infinity')"),
                program=focus.program.id,
                is_meant=focus.get_member_condition(SQL("member.root_id")),
            )
        )
        return {f"members_{name}": count for name, count in row.items()}

    @api.model
    def _get_count_facts(self, focus):
        """Return what members did besides sales, as metrics count it: of all members together, in one query."""
        # Who may see the figures of a program need not see each document.
        Metric_sudo = self.env["partner.loyalty.metric"].sudo()
        self.env.flush_all()
        counts = SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s, COALESCE(SUM(value), 0)::bigint FROM (%s) AS counted",
                name,
                Metric_sudo.new(self._prepare_metric_vals(*counted))._get_value_query(
                    focus.program, focus.get_window()
                ),
            )
            for name, counted in COUNTED.items()
        )
        return dict(self.env.execute_query(counts))

    @api.model
    def _prepare_metric_vals(self, kind, role, aggregate, field):
        return {
            "source": "contribution",
            "kind": kind,
            "role": role,
            "aggregate": aggregate,
            "field": field,
            "domain": "[]",
        }

    @api.model
    def _get_cost_facts(self, focus):
        """Return what was earned in money and points by the day on the statement, and what rewards cost besides.

        ``cost_money`` and ``cost_points`` are what members earned, less what was taken back; ``cost_claims`` is the
        stated cost of rewards that were handed out without points, ``expired_money`` and ``expired_points`` what
        expired. Points are in points.
        """
        facts = {f"{kind}_{unit}": Decimal(0) for kind in ("cost", "expired") for unit in ("money", "points")}
        for unit, cost, expired in self.env.execute_query(self._get_earned_query(focus)):
            suffix = "points" if unit == "point" else unit
            facts |= {f"cost_{suffix}": Decimal(cost), f"expired_{suffix}": Decimal(expired)}
        [[claims]] = self.env.execute_query(self._get_claim_cost_query(focus))
        return {**facts, "cost_claims": Decimal(claims)}

    @api.model
    def _get_earned_query(self, focus):
        """Return by unit what was earned and what expired, as text, which keeps it exact.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.unit, COALESCE(SUM(entry.amount) FILTER (WHERE entry.type IN %(types)s), 0)::text,
                   COALESCE(-SUM(entry.amount) FILTER (WHERE entry.type IN ('expiry', 'expiry_return')), 0)::text
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE entry.program_id = %(program)s AND entry.date BETWEEN %(first)s AND %(last)s AND %(is_meant)s
          GROUP BY account.unit
            """,
            types=COST_TYPES,
            program=focus.program.id,
            first=focus.first,
            last=focus.last,
            is_meant=focus.get_member_condition(SQL("member.root_id")),
        )

    @api.model
    def _get_claim_cost_query(self, focus):
        """Return what rewards cost that nobody paid with points, and that post nothing themselves.

        :rtype: SQL
        """
        self.env["partner.loyalty.claim"].flush_model()
        self.env["partner.loyalty.reward"].flush_model(["kind", "unit_cost"])
        return SQL(
            """
            SELECT COALESCE(SUM(reward.unit_cost * claim.quantity), 0)::text
              FROM partner_loyalty_claim claim
              JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
              JOIN partner_loyalty_member member ON member.id = claim.member_id
             WHERE claim.program_id = %(program)s AND claim.state = 'fulfilled' AND COALESCE(claim.point_amount, 0) = 0
               AND reward.kind NOT IN %(posting)s AND %(day)s BETWEEN %(first)s AND %(last)s AND %(is_meant)s
            """,
            program=focus.program.id,
            posting=POSTING_KINDS,
            day=self._get_local_day(focus, SQL("claim.fulfilled_at")),
            first=focus.first,
            last=focus.last,
            is_meant=focus.get_member_condition(SQL("member.root_id")),
        )

    @api.model
    def _get_service_facts(self, focus):
        """Return how members were served: medians of hours and days, and scores; None where there are none."""
        return {
            "answer_hours": self._get_answer_hours(focus),
            "approve_days": self._get_payout_days(focus, SQL("payout.submitted_at"), SQL("payout.decided_at")),
            "pay_days": self._get_payout_days(focus, SQL("payout.decided_at"), self._get_paid_at()),
            "quality": self._get_quality(focus),
            "satisfaction": self._get_satisfaction(focus),
            "margin_rate": self._get_margin_rate(focus),
        }

    # === HOOKS ===#

    @api.model
    def _get_satisfaction(self, focus):
        """Return which percent of those who said how satisfied they are gave 4 or 5 of 5; None where nobody said.

        :rtype: float | None
        """
        self.env["partner.loyalty.feedback"].flush_model()
        [[share]] = self.env.execute_query(
            SQL(
                """
                SELECT 100.0 * AVG((feedback.csat >= 4)::integer)
                  FROM partner_loyalty_feedback feedback
                  JOIN partner_loyalty_member member ON member.id = feedback.member_id
                 WHERE feedback.program_id = %s AND feedback.source = 'survey' AND feedback.csat > 0
                   AND feedback.date BETWEEN %s AND %s AND %s
                """,
                focus.program.id,
                focus.first,
                focus.last,
                focus.get_member_condition(SQL("member.root_id")),
            )
        )
        return share

    @api.model
    def _get_margin_rate(self, focus):
        """Return the margin in percent of turnover: as known, or as stated in the program; None where neither is.

        :rtype: float | None
        """
        return focus.program.assumed_margin or None

    # === GETTERS ===#

    @api.model
    def _get_answer_hours(self, focus):
        """Return the median hours to the first answer of inquiries that were asked in these days."""
        # See _get_count_facts.
        inquiry_sudo = self.env["partner.loyalty.inquiry"].sudo()
        inquiry_sudo.flush_model(["answered_at", "asked_at", "member_id", "program_id"])
        return self._get_median(
            SQL(
                """SELECT EXTRACT(epoch FROM inquiry.answered_at - inquiry.asked_at) / 3600 AS value
                     FROM partner_loyalty_inquiry inquiry
                     JOIN partner_loyalty_member member ON member.id = inquiry.member_id
                    WHERE inquiry.program_id = %s AND inquiry.answered_at IS NOT NULL
                      AND %s BETWEEN %s AND %s AND %s""",
                focus.program.id,
                self._get_local_day(focus, SQL("inquiry.asked_at")),
                focus.first,
                focus.last,
                focus.get_member_condition(SQL("member.root_id")),
            )
        )

    @api.model
    def _get_payout_days(self, focus, start, end):
        """Return the median days from one moment of payouts to another that lies within these days.

        :param SQL start: moment that the time runs from
        :param SQL end: moment that it runs to
        """
        self.env["partner.loyalty.payout"].flush_model()
        return self._get_median(
            SQL(
                """SELECT EXTRACT(epoch FROM %(end)s - %(start)s) / 86400 AS value
                     FROM partner_loyalty_payout payout
                     JOIN partner_loyalty_member member ON member.id = payout.member_id
                    WHERE payout.program_id = %(program)s AND payout.state IN ('approved', 'billed', 'partial', 'paid')
                      AND %(end)s >= %(start)s AND %(day)s BETWEEN %(first)s AND %(last)s AND %(is_meant)s""",
                end=end,
                start=start,
                program=focus.program.id,
                day=self._get_local_day(focus, end),
                first=focus.first,
                last=focus.last,
                is_meant=focus.get_member_condition(SQL("member.root_id")),
            )
        )

    @api.model
    def _get_paid_at(self):
        """Return when the bill of a payout was paid in full: the end of the day of its last payment.

        :rtype: SQL
        """
        self.env["account.move"].flush_model(["payment_state"])
        return SQL(
            """(SELECT MAX(partial.max_date) + interval '1 day'
                  FROM account_move bill
                  JOIN account_move_line term ON term.move_id = bill.id AND term.display_type = 'payment_term'
                  JOIN account_partial_reconcile partial ON term.id IN (partial.debit_move_id, partial.credit_move_id)
                 WHERE bill.id = payout.bill_id AND payout.state = 'paid')"""
        )

    @api.model
    def _get_quality(self, focus):
        """Return the average service quality of those members that it is known of."""
        metric = self.env.ref("partner_loyalty.partner_loyalty_metric_service_quality", raise_if_not_found=False)
        if not metric:
            return None
        self.env.flush_all()
        # See _get_count_facts.
        query = metric.sudo()._get_value_query(focus.program, focus.get_window())
        [[average]] = self.env.execute_query(SQL("SELECT AVG(value)::float FROM (%s) AS measured", query))
        return average

    @api.model
    def _get_median(self, query):
        """Return the median of the values of a query; None where it has none.

        :param SQL query: ``SELECT`` of ``value``
        :rtype: float | None
        """
        [[value]] = self.env.execute_query(
            SQL("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY value::float) FROM (%s) AS measured", query)
        )
        return value

    @api.model
    def _get_local_day(self, focus, moment):
        """Return the day of a moment in the time zone of the program."""
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, focus.program.tz)
