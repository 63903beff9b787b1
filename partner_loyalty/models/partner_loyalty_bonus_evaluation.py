import json

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import UNITS
from ..tools import schedule as schedules
from ..tools.domains import read_domain
from ..tools.periods import MONTHS_BY_PERIOD
from ..tools.rounding import get_rounded
from ..tools.window import Window

# Conditions on the place of a member among the others.
RANK_CONDITIONS = ("top_count", "top_share")
# Conditions on a value that is compared with another one.
COMPARED_CONDITIONS = ("value", "goal", "growth")
# Conditions on how long something has not happened: they hold once for each such time, however long it lasts.
SILENCE_CONDITIONS = ("inactive", "contact")

# Who is so close to the value has just missed it.
NEAR = "0.1"
# So many places behind the last one have just missed it.
NEXT_PLACES = 3

NO_VALUES = SQL("SELECT NULL::integer AS root_id, NULL::numeric AS value WHERE FALSE")


class PartnerLoyaltyBonusEvaluation(models.AbstractModel):
    """Who gets a bonus, how much, and who just missed it: for all members in one statement.

    Audience, then the value of each member, then the judgment by the condition, then the amounts.
    """

    _name = "partner.loyalty.bonus.evaluation"
    _description = "Evaluation of a Bonus Action"

    # === LINES ===#

    def _evaluate(self, occasion, run):
        """Write who gets a bonus and who just missed it as lines of a run; nothing is given yet.

        Whoever has got it for the same period or event is left out.

        :param Occasion occasion: what the run is about
        :param run: the ``partner.loyalty.bonus.run``
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.execute_query(self._get_line_query(occasion, run))
        self.env["partner.loyalty.bonus.line"].invalidate_model()

    def _get_line_query(self, occasion, run):
        """Return the statement that writes the lines; see :meth:`_evaluate`.

        :rtype: SQL
        """
        return SQL(
            """
            WITH audience AS MATERIALIZED (%(audience)s),
            measured AS (
                SELECT audience.*, COALESCE(measure.value, %(default)s)::numeric AS value
                  FROM audience LEFT JOIN (%(values)s) measure ON measure.root_id = audience.member_id
            ),
            judged AS (%(judged)s),
            keyed AS (SELECT judged.*, %(key)s AS period_key FROM judged),
            valued AS (SELECT keyed.*, %(points)s AS point_amount, %(money)s AS money_amount FROM keyed),
            decided AS (SELECT valued.*, is_given AND %(is_worth)s AS is_planned FROM valued)
            INSERT INTO partner_loyalty_bonus_line (
                   run_id, action_id, program_id, company_id, is_preview, member_id, state, period_key, date,
                   due_date, value, rank, gap, point_amount, money_amount, reason)
            SELECT %(run)s, %(action)s, %(program)s, %(company)s, %(is_preview)s, member_id,
                   CASE WHEN is_planned THEN %(planned)s WHEN is_missed THEN 'missed' ELSE 'unmet' END,
                   period_key, day, %(due)s, value, rank, CASE WHEN NOT is_given THEN gap END,
                   CASE WHEN is_planned THEN point_amount ELSE 0 END,
                   CASE WHEN is_planned THEN money_amount ELSE 0 END, %(reason)s
              FROM decided
             WHERE (is_planned OR is_missed OR %(is_event)s) AND %(is_new)s
          ORDER BY rank, value DESC, member_id
            """,
            run=run.id,
            is_preview=run.state == "preview",
            planned="preview" if run.state == "preview" else "planned",
            is_new=self._get_new_condition("decided", run),
            **self._get_evaluation_terms(occasion),
        )

    def _get_evaluation_terms(self, occasion):
        """Return the parts of the statement that writes the lines; see :meth:`_evaluate`.

        :rtype: dict
        """
        values, default = getattr(self, f"_get_values_{self.condition}")(occasion)
        return {
            "action": self.id,
            "program": self.program_id.id,
            "company": self.company_id.id,
            "audience": self._get_audience_query(occasion),
            "values": values,
            "default": default,
            "judged": self._get_judged_query(),
            "key": self._get_key(occasion),
            "points": self._get_amount("point"),
            "money": self._get_amount("money"),
            "is_worth": self._get_worth_condition(),
            "is_event": SQL("TRUE") if self.schedule in schedules.EVENT_SCHEDULES else SQL("FALSE"),
            "due": occasion.due,
            "reason": self._get_reason(occasion),
        }

    def _get_key(self, occasion):
        """Return what the bonus is given once for: the period, the event, or the time without anything happening."""
        if self.condition not in SILENCE_CONDITIONS or self.schedule in schedules.EVENT_SCHEDULES:
            return SQL("COALESCE(event_key, %s)", occasion.key or "")
        return SQL("'since-' || (%s::date - value::integer)", occasion.last)

    def _get_new_condition(self, alias, run=None):
        """Return whether a row of ``alias`` is about something that was not answered yet, also not by an undone run.

        :param str alias: relation with ``root_id`` and ``period_key``
        :param run: the run that is being written
        :rtype: SQL
        """
        is_event = self.schedule in schedules.EVENT_SCHEDULES
        answered = ("planned", "given", "undone", *(("missed", "unmet") if is_event else ()))
        return SQL(
            """NOT EXISTS (SELECT 1 FROM partner_loyalty_bonus_line known
                             JOIN partner_loyalty_bonus_run run ON run.id = known.run_id AND run.is_released IS NOT TRUE
                             JOIN partner_loyalty_member holder ON holder.id = known.member_id
                            WHERE known.action_id = %(action)s AND known.period_key = %(key)s
                              AND holder.root_id = %(root)s
                              AND (NOT known.is_preview AND known.state IN %(answered)s
                                   OR known.run_id = %(run)s AND known.state = 'preview'))""",
            action=self.id,
            key=SQL.identifier(alias, "period_key"),
            root=SQL.identifier(alias, "root_id"),
            answered=answered,
            run=run.id if run else 0,
        )

    # === AUDIENCE ===#

    def _get_audience(self):
        """Return members as the filters of the audience see them."""
        # What a manager filters by, salespeople and crons cannot see all of.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        return members_sudo.with_context(active_test=False, tz=self.program_id.tz)

    def _get_audience_domain(self):
        """Return who belongs to the audience, whatever the tier and the day.

        :rtype: Domain
        """
        domain = Domain([("program_id", "=", self.program_id.id), ("merged_into_id", "=", False)])
        domain &= read_domain(self.env, self.member_domain)
        if self.segment_ids:
            domain &= Domain.OR(
                Domain("partner_id", "any", segment._get_partner_domain(self.program_id))
                for segment in self.segment_ids
            )
        return domain

    def _get_audience_query(self, occasion=None):
        """Return the members the action is for: ``member_id, root_id, date_from, day, event_key, period_key, facts``.

        They are members on the day it is about, and have one of the tiers on it.

        :param Occasion occasion: what it is about; the events of all days by default
        :rtype: SQL
        """
        events = self._get_event_query()
        query = self._get_audience()._search(self._get_audience_domain())
        member = SQL.identifier(query.table, "id")
        day = SQL("%s::date", occasion.day if occasion else None)
        columns = [SQL("NULL::varchar AS event_key"), SQL("NULL::varchar AS period_key"), SQL("'{}'::jsonb AS facts")]
        if events:
            query.add_join("JOIN", "event", SQL("(%s)", events), SQL("event.member_id = %s", member))
            if occasion:
                query.add_where(SQL("event.day = %s", day))
            day = SQL("event.day")
            columns = [SQL("event.key AS event_key"), SQL("event.key AS period_key"), SQL("event.facts")]
        self._add_standing(query, member, day)
        if occasion:
            # The key depends on the value, which is not known yet.
            del columns[1]
        return query.select(
            SQL("%s AS member_id", member),
            SQL.identifier(query.table, "root_id"),
            SQL.identifier(query.table, "date_from"),
            SQL("%s AS day", day),
            *columns,
        )

    def _add_standing(self, query, member, day):
        """Keep those who are members on a day, and have one of the tiers of the action then."""
        query.add_where(self._get_lasting_condition("partner_loyalty_member_period", member, day))
        if self.tier_ids:
            in_tiers = SQL("AND lasting.tier_id = ANY(%s)", list(self.tier_ids.ids))
            query.add_where(self._get_lasting_condition("partner_loyalty_tier_period", member, day, in_tiers))

    def _get_lasting_condition(self, table, member, day, condition=None):
        """Return whether a member has a row in a table of periods that holds on a day."""
        return SQL(
            """EXISTS (SELECT 1 FROM %(table)s lasting
                        WHERE lasting.member_id = %(member)s AND lasting.date_from <= %(day)s
                          AND (lasting.date_to IS NULL OR lasting.date_to >= %(day)s) %(condition)s)""",
            table=SQL.identifier(table),
            member=member,
            day=day,
            condition=condition or SQL(),
        )

    # === VALUES ===#

    def _get_window(self, occasion):
        """Return the time that the metric is measured over.

        :rtype: Window
        """
        if self.condition == "goal":
            return self.goal_id._get_window(occasion.last)
        if self.measured_over == "schedule":
            return Window(occasion.first, occasion.last, MONTHS_BY_PERIOD.get(self.schedule))
        if self.measured_over == "all":
            return Window(None, occasion.last)
        months = MONTHS_BY_PERIOD[self.measured_over]
        return Window(schedules.trailing_start(occasion.last, months), occasion.last, months)

    def _get_metric(self):
        """Return what is measured, where something is."""
        return self.goal_id.metric_id if self.condition == "goal" else self.metric_id

    def _get_values_value(self, occasion):
        """Return the value of each member, and that of members without one.

        :rtype: tuple[SQL, SQL]
        """
        # Who sets up bonuses need not be allowed to see the documents behind the figures.
        metric_sudo = self._get_metric().sudo()
        return metric_sudo._get_value_query(self.program_id, self._get_window(occasion)), metric_sudo._get_zero()

    def _get_values_always(self, occasion):
        """Without a condition the metric, where there is one, only says how much."""
        return self._get_values_value(occasion) if self.metric_id else (NO_VALUES, SQL("NULL::numeric"))

    def _get_values_goal(self, occasion):
        """The value over the days of the goal: of each member, or of all together; none before they begin."""
        if occasion.last < self.goal_id.date_from:
            return NO_VALUES, SQL("NULL::numeric")
        values, zero = self._get_values_value(occasion)
        if self.goal_id.scope == "member":
            return values, zero
        query = SQL(
            """
            SELECT audience.member_id AS root_id, total.value
              FROM audience CROSS JOIN (SELECT COALESCE(SUM(value), 0) AS value FROM (%s) AS own) total
            """,
            values,
        )
        return query, zero

    def _get_values_top_count(self, occasion):
        return self._get_values_value(occasion)

    def _get_values_top_share(self, occasion):
        return self._get_values_value(occasion)

    def _get_values_growth(self, occasion):
        """By how many percent the value is more than before; members without any before have no growth."""
        # See _get_values_value.
        metric_sudo, window = self.metric_id.sudo(), self._get_window(occasion)
        before = window.get_previous()
        if self.growth_base == "year":
            first, last = schedules.a_year_before(window.first, window.last)
            before = window._replace(first=first, last=last)
        query = SQL(
            """
            SELECT root_id, ROUND(100 * (COALESCE(now.value, 0) - before.value) / before.value, 4) AS value
              FROM (%s) before LEFT JOIN (%s) now USING (root_id) WHERE before.value > 0
            """,
            metric_sudo._get_value_query(self.program_id, before),
            metric_sudo._get_value_query(self.program_id, window),
        )
        return query, SQL("NULL::numeric")

    def _get_values_streak(self, occasion):
        """In how many periods, counted back from the last one, the value was reached without a gap."""
        # See _get_values_value.
        metric_sudo, window, windows = self.metric_id.sudo(), self._get_window(occasion), []
        for number in range(self.streak_count):
            values = metric_sudo._get_value_query(self.program_id, window)
            windows.append(SQL("SELECT %s AS number, root_id, value FROM (%s) AS past", number, values))
            window = window.get_previous()
        query = SQL(
            """
            SELECT audience.member_id AS root_id, COALESCE(
                       MIN(step.number) FILTER (
                           WHERE (COALESCE(past.value, %(zero)s) %(operator)s %(threshold)s) IS NOT TRUE),
                       %(count)s)::numeric AS value
              FROM audience
        CROSS JOIN generate_series(0, %(count)s - 1) AS step(number)
         LEFT JOIN (%(windows)s) past ON past.root_id = audience.member_id AND past.number = step.number
          GROUP BY audience.member_id
            """,
            zero=metric_sudo._get_zero(),
            operator=self._get_operator(),
            threshold=self._get_threshold(),
            count=self.streak_count,
            windows=SQL(" UNION ALL ").join(windows),
        )
        return query, SQL("0")

    def _get_values_inactive(self, occasion):
        """How many days ago the last sale was, or joining where there was none."""
        metric_sudo = self._get_recency_metric()
        query = metric_sudo._get_value_query(self.program_id, Window(None, occasion.last))
        return query, SQL("GREATEST(0, %s::date - audience.date_from)", occasion.last)

    def _get_values_contact(self, occasion):
        """How many days ago the last meeting or call was, or joining where there was none.

        What counts: meetings in the calendar that a contact of the company has not declined, and calls and meetings
        that were planned on one of its contacts, its membership, an opportunity or an order, and marked as done.
        """
        query = SQL(
            """
            SELECT member.id AS root_id, (%(last)s::date - MAX(contact.day))::numeric AS value
              FROM partner_loyalty_member member
              JOIN res_partner person ON person.commercial_partner_id = member.partner_id
              JOIN (%(meetings)s UNION ALL %(calls)s) contact ON contact.partner_id = person.id
             WHERE member.program_id = %(program)s AND contact.day <= %(last)s
          GROUP BY member.id
            """,
            last=occasion.last,
            program=self.program_id.id,
            meetings=self._get_meeting_query(),
            calls=self._get_call_query(),
        )
        return query, SQL("GREATEST(0, %s::date - audience.date_from)", occasion.last)

    def _get_meeting_query(self):
        """Return who had a meeting on which day: ``partner_id, day``."""
        return SQL(
            """
            SELECT attendee.partner_id, %s AS day
              FROM calendar_attendee attendee
              JOIN calendar_event event ON event.id = attendee.event_id
             WHERE event.active AND attendee.state IS DISTINCT FROM 'declined'
            """,
            self._get_local_day(SQL("event.start")),
        )

    def _get_call_query(self):
        """Return whom somebody called or met on which day, by what was marked as done: ``partner_id, day``."""
        return SQL(
            """
            SELECT COALESCE(person.id, member.partner_id, lead.partner_id, sale.partner_id) AS partner_id, %s AS day
              FROM mail_message message
              JOIN mail_activity_type type ON type.id = message.mail_activity_type_id
         LEFT JOIN res_partner person ON message.model = 'res.partner' AND person.id = message.res_id
         LEFT JOIN partner_loyalty_member member
                ON message.model = 'partner.loyalty.member' AND member.id = message.res_id
         LEFT JOIN crm_lead lead ON message.model = 'crm.lead' AND lead.id = message.res_id
         LEFT JOIN sale_order sale ON message.model = 'sale.order' AND sale.id = message.res_id
             WHERE type.category IN ('phonecall', 'meeting')
            """,
            self._get_local_day(SQL("message.date")),
        )

    def _get_local_day(self, moment):
        return SQL("((%s AT TIME ZONE 'UTC') AT TIME ZONE %s)::date", moment, self.program_id.tz)

    # === JUDGMENT ===#

    def _get_judged_query(self):
        """Return who meets the condition and who nearly does, from ``measured``.

        Its columns and ``rank, total, gap, is_given, is_missed``.

        :rtype: SQL
        """
        if self.condition in RANK_CONDITIONS:
            return self._get_ranked_query()
        return SQL(
            """
            SELECT measured.*, NULL::integer AS rank, NULL::integer AS total, ABS(%(goal)s - value) AS gap,
                   COALESCE(%(given)s, FALSE) AS is_given,
                   COALESCE(NOT %(given)s AND ABS(%(goal)s - value) <= %(near)s, FALSE) AS is_missed
              FROM measured
            """,
            goal=self._get_goal(),
            given=self._get_given_condition(),
            near=SQL("1") if self.condition == "streak" else SQL("ABS(%s) * %s::numeric", self._get_goal(), NEAR),
        )

    def _get_ranked_query(self):
        """Return who has one of the places; members with the same value share a place, and all of them get it.

        Nobody has a place without a value, or with nothing where more is better.
        """
        upward = self.metric_id.direction == "up"
        return SQL(
            """
            SELECT winner.*, ABS(cutoff - value) AS gap, COALESCE(NOT is_given AND rank <= winners + %(next)s, FALSE)
                       AS is_missed
              FROM (SELECT placed.*, COUNT(*) FILTER (WHERE is_given) OVER () AS winners,
                           %(worst)s(value) FILTER (WHERE is_given) OVER () AS cutoff
                      FROM (SELECT ranked.*, COALESCE(rank <= %(limit)s, FALSE) AS is_given
                              FROM (SELECT measured.*, COUNT(*) OVER ()::integer AS total,
                                           CASE WHEN %(has_place)s THEN rank() OVER (
                                               PARTITION BY %(has_place)s ORDER BY value %(order)s)::integer END AS rank
                                      FROM measured) ranked) placed) winner
            """,
            next=NEXT_PLACES,
            worst=SQL("MIN") if upward else SQL("MAX"),
            limit=self._get_place_limit(),
            has_place=SQL("COALESCE(value > 0, FALSE)") if upward else SQL("value IS NOT NULL"),
            order=SQL("DESC") if upward else SQL("ASC"),
        )

    def _get_place_limit(self):
        """Return how many places there are."""
        if self.condition == "top_count":
            return SQL("%s", self.top_count)
        return SQL("CEIL(total * %s::numeric / 100)", str(self.top_share))

    def _get_goal(self):
        """Return the value that has to be reached."""
        if self.condition == "always":
            return SQL("NULL::numeric")
        if self.condition == "streak":
            return SQL("%s::numeric", self.streak_count)
        if self.condition in SILENCE_CONDITIONS:
            return SQL("%s::numeric", self.silent_days)
        return self._get_threshold()

    def _get_given_condition(self):
        """Return whether a value is good enough."""
        if self.condition == "always":
            return SQL("TRUE")
        operator = self._get_operator() if self.condition in COMPARED_CONDITIONS else SQL(">=")
        return SQL("(value %s %s)", operator, self._get_goal())

    def _get_threshold(self):
        return SQL("%s::numeric", f"{self._get_comparison()[1]:.4f}")

    def _get_operator(self):
        return {">=": SQL(">="), ">": SQL(">"), "<=": SQL("<="), "<": SQL("<")}[self._get_comparison()[0]]

    def _get_comparison(self):
        """Return what a value is compared with, and how.

        :rtype: tuple[str, float]
        """
        if self.condition == "goal":
            return "<=" if self.goal_id.direction == "down" else ">=", self.goal_id.target
        return self.operator, self.threshold

    # === AMOUNTS ===#

    def _get_amount(self, unit):
        """Return what a row gets in a unit: what all effects give, rounded once.

        :param str unit: ``point`` or ``money``
        :rtype: SQL
        """
        parts = [effect._get_amount() for effect in self.effect_ids.filtered(lambda effect: effect.kind == unit)]
        if not parts:
            return SQL("0::numeric")
        method = self.program_id.point_rounding if unit == "point" else "half"
        return get_rounded(SQL("(%s)", SQL(" + ").join(parts)), self._get_rounding(unit), method)

    def _get_rounding(self, unit):
        """Return the smallest step of a unit, as text that SQL reads exactly."""
        if unit == "point":
            return f"{10**-self.program_id.point_digits:.4f}"
        return f"{self.currency_id.rounding:.6f}"

    def _get_worth_condition(self):
        """Return whether a row gets anything: not so where the table of places gives nothing for its place."""
        units = [unit for unit, _label in UNITS]
        if not self.effect_ids or self.effect_ids.filtered(lambda effect: effect.kind not in units):
            return SQL("TRUE")
        return SQL("(point_amount > 0 OR money_amount > 0)")

    # === REASONS ===#

    def _get_reason(self, occasion):
        """Return why a row gets it or not, as JSON; see ``partner.loyalty.bonus.reason``.

        :param Occasion occasion: what the run is about
        :rtype: SQL
        """
        return SQL(
            """%(terms)s::jsonb || facts || jsonb_strip_nulls(jsonb_build_object(
                   'value', value::text, 'rank', rank, 'total', total,
                   'gap', CASE WHEN NOT is_given THEN gap::text END))""",
            terms=json.dumps(self._get_reason_terms(occasion)),
        )

    def _get_reason_terms(self, occasion):
        """Return what is the same in all reasons of a run.

        :rtype: dict
        """
        # See _get_values_value.
        metric_sudo = self._get_metric().sudo()
        terms = {"bonus_id": self.id, "bonus": self.name, "schedule": self.schedule, "condition": self.condition}
        if metric_sudo:
            window = self._get_window(occasion)
            terms |= {"metric_id": metric_sudo.id, "metric": metric_sudo.name, "metric_unit": metric_sudo.unit}
            terms |= {"from": window.first and str(window.first), "to": str(window.last)}
        if self.condition in (*COMPARED_CONDITIONS, "streak"):
            operator, threshold = self._get_comparison()
            terms |= {"operator": operator, "threshold": str(threshold)}
        if self.condition == "goal":
            terms |= {"goal_id": self.goal_id.id, "goal": self.goal_id.name, "scope": self.goal_id.scope}
        if self.condition == "streak":
            terms["times"] = self.streak_count
        if self.condition in SILENCE_CONDITIONS:
            terms |= {"silent_days": self.silent_days, "to": str(occasion.last)}
        return terms
