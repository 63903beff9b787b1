from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..const import AMOUNT_KINDS
from ..tools.window import Window

# Who may read what is said about a member behind its back; members themselves read their memberships, too.
STAFF = "partner_loyalty.partner_loyalty_group_officer,sales_team.group_sale_salesman"

# How far back the habits of a member reach, in months.
HABIT_MONTHS = 24
# With sales on fewer days, nothing is usual yet.
MINIMUM_SALES = 4
# Who sold something within so many days is not silent, however often it usually does.
SHORTEST_SILENCE = 14
# With fewer sales in an average quarter, their number says nothing.
MINIMUM_USUAL_COUNT = 3

# The days that lie between the sales of a member: usually, and in nine of ten cases at most.
RHYTHM = SQL(
    """
    SELECT root_id, COUNT(*) AS days, MAX(day) AS last_day,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS gap,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY gap) AS long_gap
      FROM (SELECT root_id, day, day - LAG(day) OVER (PARTITION BY root_id ORDER BY day) AS gap
              FROM (SELECT DISTINCT root_id, day FROM sale) AS one_day) step
  GROUP BY root_id
    """
)


class PartnerLoyaltyMemberWarning(models.AbstractModel):
    """Whether a member does less than it usually does: each is compared with its own past, and with nobody else.

    Recency: the days since the last sale, against the days that usually lie between two. Frequency and value: the
    last three months, against the average of the four quarters before, and never flagged where one of those was as
    weak, so that who buys once a year or by season is left alone.
    """

    _name = "partner.loyalty.member.warning"
    _description = "Early Warning about a Member"
    _inherit = ["partner.loyalty.warning.reason"]

    # === FIELDS ===#

    last_sale_date = fields.Date(string="Last Sale", readonly=True, copy=False, groups=STAFF)
    usual_interval = fields.Integer(
        string="Usual Days between Sales", readonly=True, copy=False, aggregator="avg", groups=STAFF
    )
    recent_count = fields.Integer(
        string="Sales in Three Months", readonly=True, copy=False, aggregator="avg", groups=STAFF
    )
    usual_count = fields.Float(
        string="Usual Sales in Three Months", digits=(12, 1), readonly=True, copy=False, aggregator="avg", groups=STAFF
    )
    value_change = fields.Float(
        string="Turnover against Usual (%)",
        digits=(12, 1),
        readonly=True,
        copy=False,
        aggregator="avg",
        groups=STAFF,
        help="The turnover of the last three months, against an average quarter of the twelve months before.",
    )
    is_quiet = fields.Boolean(
        string="Going Quiet",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="The member does less than it usually does.",
    )
    quiet_since = fields.Date(readonly=True, copy=False, groups=STAFF)
    quiet_reason = fields.Json(readonly=True, copy=False, groups=STAFF)
    quiet_text = fields.Char(string="Why Quiet", compute="_compute_quiet_text", groups=STAFF)
    keep_facts = fields.Json(
        readonly=True, copy=False, help="What the tier of a member that is about to fall asks for."
    )
    next_step_text = fields.Char(string="Next Step", compute="_compute_next_step_text")
    warning_count = fields.Integer(string="Early Warnings", compute="_compute_warning_count", groups=STAFF)

    # === COMPUTE METHODS ===#

    @api.depends("quiet_reason")
    @api.depends_context("lang")
    def _compute_quiet_text(self):
        for member in self:
            member.quiet_text = member._get_quiet_text(member.quiet_reason)

    @api.depends("keep_facts", "tier_missing", "tier_id", "next_tier_id", "risk_tier_id", "tier_decision_date")
    @api.depends_context("lang")
    def _compute_next_step_text(self):
        for member in self:
            member.next_step_text = member._get_next_step_text()

    def _compute_warning_count(self):
        counts = dict(
            self.env["partner.loyalty.warning"]._read_group([("member_id", "in", self.ids)], ["member_id"], ["__count"])
        )
        for member in self:
            member.warning_count = counts.get(member, 0)

    # === ACTION METHODS ===#

    def action_view_warnings(self):
        """Show when the member went quiet or came to the edge of its tier, and what became of it."""
        action = self._get_related_action("partner_loyalty.partner_loyalty_warning_action")
        return {**action, "context": {}}

    # === BUSINESS METHODS ===#

    @api.model
    def _refresh_warnings(self, program):
        """Compare all members of a program with their own past, and say who about to fall has to do what."""
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_member member
                   SET (last_sale_date, usual_interval, recent_count, usual_count, value_change, is_quiet,
                        quiet_since, quiet_reason) =
                       (habit.last_day, habit.usual_interval, habit.recent_count, habit.usual_count,
                        habit.value_change, habit.is_quiet, habit.quiet_since, habit.facts)
                  FROM (%(habits)s) habit
                 WHERE member.id = habit.member_id
                   AND (member.last_sale_date, member.usual_interval, member.recent_count, member.usual_count,
                        member.value_change, member.is_quiet, member.quiet_since, member.quiet_reason)
                       IS DISTINCT FROM
                       (habit.last_day, habit.usual_interval, habit.recent_count, habit.usual_count,
                        habit.value_change, habit.is_quiet, habit.quiet_since, habit.facts)
                """,
                habits=self._get_judged_query(program),
            )
        )
        self.env.invalidate_all()
        self._refresh_keep_facts(program)

    @api.model
    def _get_judged_query(self, program):
        """Return the habits of all members of a program, and whether each is quiet and why.

        Columns: ``member_id, last_day, usual_interval, recent_count, usual_count, value_change, is_quiet,
        quiet_since`` and ``facts``, which is empty for who is not.

        :rtype: SQL
        """
        today = program._get_today()
        return SQL(
            """
            SELECT judged.*, cardinality(causes) > 0 AS is_quiet,
                   CASE WHEN cardinality(causes) > 0 THEN COALESCE(known_since, %(today)s) END AS quiet_since,
                   CASE WHEN cardinality(causes) > 0 THEN jsonb_build_object(
                        'causes', to_jsonb(causes), 'role', %(role)s::varchar, 'interval', usual_interval,
                        'silent_days', %(today)s - last_day, 'recent_count', recent_count,
                        'usual_count', ROUND(usual_count)::integer, 'drop', -value_change) END AS facts
              FROM (SELECT member.id AS member_id, habit.last_day, habit.usual_interval, habit.recent_count,
                           habit.usual_count, habit.value_change,
                           CASE WHEN member.is_quiet THEN member.quiet_since END AS known_since,
                           CASE WHEN member.state = 'active' AND habit.days >= %(minimum)s
                                THEN %(causes)s ELSE '{}' END AS causes
                      FROM partner_loyalty_member member
                 LEFT JOIN (%(habits)s) habit ON habit.root_id = member.id
                     WHERE member.program_id = %(program)s) judged
            """,
            today=SQL("%s::date", today),
            role=program.tier_role,
            minimum=MINIMUM_SALES,
            causes=self._get_causes(today),
            habits=self._get_habit_query(program),
            program=program.id,
        )

    @api.model
    def _get_causes(self, today):
        """Return in what a member does less than it usually does, as an array.

        It has been silent for longer than twice its usual interval and longer than nine of ten of its intervals; or
        it sold less than half as often, or for less than half as much, and less than in any of the quarters before.
        """
        return SQL(
            """
            array_remove(ARRAY[
                CASE WHEN %(today)s - habit.last_day > GREATEST(2 * habit.gap, habit.long_gap, %(shortest)s)
                     THEN 'recency' END,
                CASE WHEN habit.usual_count >= %(usual)s AND 2 * habit.recent_count <= habit.usual_count
                      AND habit.recent_count < habit.least_count THEN 'frequency' END,
                CASE WHEN habit.value_change <= -50 AND habit.recent_value < habit.least_value
                     THEN 'value' END], NULL)
            """,
            today=SQL("%s::date", today),
            shortest=SHORTEST_SILENCE,
            usual=MINIMUM_USUAL_COUNT,
        )

    @api.model
    def _get_habit_query(self, program):
        """Return what is usual of the members who sold something, over what the tiers of the program follow.

        What was credited in full is no sale. Columns: ``root_id, days`` (on which there was a sale), ``last_day,
        gap, long_gap, usual_interval, recent_count, usual_count, least_count, recent_value, least_value``
        and ``value_change``.

        :rtype: SQL
        """
        today, metric = program._get_today(), program._get_turnover_metric()
        window = Window(today + relativedelta(days=1, months=-HABIT_MONTHS), today)
        return SQL(
            """
            WITH contribution AS MATERIALIZED (%(contributions)s),
            sale AS (
                SELECT root_id, MAX(date) FILTER (WHERE %(is_sale)s) AS day
                  FROM contribution GROUP BY root_id, origin_id HAVING %(is_left)s
            ),
            rhythm AS (%(rhythm)s),
            frequency AS (%(frequency)s),
            turnover AS (%(turnover)s)
            SELECT root_id, days, last_day, gap, long_gap,
                   CASE WHEN days >= %(minimum)s THEN ROUND(gap)::integer END AS usual_interval,
                   counts[5] AS recent_count, usual_count, least_count, amounts[5] AS recent_value, least_value,
                   ROUND(100 * (GREATEST(amounts[5], 0) - usual_value)
                         / NULLIF(GREATEST(usual_value, 0), 0), 1) AS value_change
              FROM rhythm JOIN frequency USING (root_id) JOIN turnover USING (root_id)
        CROSS JOIN LATERAL (SELECT ROUND(AVG(past), 1) AS usual_count, MIN(past) AS least_count
                              FROM unnest(counts[1:4]) past) usual_frequency
        CROSS JOIN LATERAL (SELECT AVG(past) AS usual_value, MIN(past) AS least_value
                              FROM unnest(amounts[1:4]) past) usual_turnover
            """,
            contributions=metric._get_contribution_rows(program, window),
            is_sale=SQL("amount > 0") if metric.kind in AMOUNT_KINDS else SQL("TRUE"),
            is_left=SQL("SUM(amount) > 0") if metric.kind in AMOUNT_KINDS else SQL("TRUE"),
            rhythm=RHYTHM,
            frequency=self._get_quarters_query(SQL("COUNT(*)"), "counts", SQL("sale"), SQL("day"), today),
            turnover=self._get_quarters_query(SQL("SUM(amount)"), "amounts", SQL("contribution"), SQL("date"), today),
            minimum=MINIMUM_SALES,
        )

    @api.model
    def _get_quarters_query(self, value, name, table, day, today):
        """Return what is added up in each of four quarters and in the three months after them, as an array.

        :param SQL value: what is added up
        :param str name: column of the array
        :param SQL table: table of a row for each sale or part of it, with the ``day`` that decides
        :param date today: last day of the three months
        :return: ``SELECT`` of ``root_id`` and the array
        :rtype: SQL
        """
        starts = [today + relativedelta(days=1, months=-3 * quarters) for quarters in range(5, 0, -1)]
        parts = [SQL("COALESCE(%s FILTER (WHERE quarter = %s), 0)::numeric", value, quarter) for quarter in range(1, 6)]
        return SQL(
            "SELECT root_id, ARRAY[%s] AS %s FROM (SELECT *, width_bucket(%s, %s::date[]) AS quarter FROM %s) AS dated"
            " GROUP BY root_id",
            SQL(", ").join(parts),
            SQL.identifier(name),
            day,
            starts,
            table,
        )

    # === BUSINESS METHODS - NEXT STEP ===#

    @api.model
    def _refresh_keep_facts(self, program):
        """Note for members who are about to fall what the tier that they have asks for."""
        members = self.search([("program_id", "=", program.id), ("risk_tier_id", "!=", False)])
        facts = SQL("SELECT NULL::integer AS member_id, NULL::jsonb AS facts WHERE FALSE")
        if members:
            facts = self._get_keep_query(program, members)
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_member member SET keep_facts = kept.facts
                  FROM partner_loyalty_member same LEFT JOIN (%s) kept ON kept.member_id = same.id
                 WHERE same.id = member.id AND member.program_id = %s
                   AND member.keep_facts IS DISTINCT FROM kept.facts
                """,
                facts,
                program.id,
            )
        )
        members.invalidate_model(["keep_facts"])

    @api.model
    def _get_keep_query(self, program, members):
        """Return what the tier of members asks for, and what they have of it: ``member_id, facts``.

        :param members: recordset of the members, all of the program
        :rtype: SQL
        """
        Decision, today = self.env["partner.loyalty.tier.decision"], program._get_today()
        # As in _get_due_query.
        holders = [(member.group_root_id if member.turnover_root_id == member else member).id for member in members]
        window = program._get_tier_window(program._get_next_period_end(today) or today)
        window = window._replace(member_ids=tuple(holders))
        metrics, tiers = program._get_tier_metrics(), program._get_tiers()
        columns = {metric._origin.id or None: SQL.identifier(f"value_{i}") for i, metric in enumerate(metrics)}
        due = Decision._get_due_query(program, SQL("member.id = ANY(%s)", members.ids), SQL("TRUE"))
        return SQL(
            """SELECT member_id, %(facts)s AS facts
                 FROM (SELECT measured.*, array_position(%(tiers)s, tier_id) AS rank
                         FROM (%(measured)s) measured) ranked""",
            facts=Decision._get_by_rank("rank", [tier._get_evidence(columns) for tier in tiers]),
            tiers=SQL("(%s::integer[])", tiers.ids),
            measured=Decision._get_measured_query(program, window, due, metrics),
        )

    def _get_next_step_text(self):
        """Say what is the least that a member has to do to keep its tier, or else to reach the next one."""
        self.ensure_one()
        is_keeping = bool(self.risk_tier_id)
        missing = self._get_missing(self.keep_facts or () if is_keeping else None)
        if not missing or not self.tier_decision_date:
            return ""
        step = self._get_missing_part(max(missing, key=self._get_done_part))
        date = format_date(self.env, self.tier_decision_date)
        if is_keeping:
            return self.env._(
                "To keep %(tier)s after %(date)s: %(step)s.", tier=self.tier_id.name, date=date, step=step
            )
        return self.env._("To reach %(tier)s by %(date)s: %(step)s.", tier=self.next_tier_id.name, date=date, step=step)

    @api.model
    def _get_done_part(self, fact):
        """Return which part of a condition is done, from 0 to 1.

        :param dict fact: see ``_get_missing``
        :rtype: Decimal
        """
        value, minimum = fact["value"] or Decimal(), fact["minimum"]
        part, whole = (minimum, value) if fact["direction"] == "down" else (value, minimum)
        return part / whole if whole else Decimal()
