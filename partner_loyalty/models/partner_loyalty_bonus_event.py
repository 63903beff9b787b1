from odoo import models
from odoo.tools import SQL

from ..const import AMOUNT_KINDS
from ..tools.schedule import EVENT_SCHEDULES
from ..tools.window import Window


class PartnerLoyaltyBonusEvent(models.AbstractModel):
    """What happens to members one by one and can start a bonus.

    An event is one method ``_get_event_query_<schedule>`` that returns ``member_id, day, key, facts``. The key makes it
    the same event again, also where its day is corrected later: nobody gets a bonus for it twice.
    """

    _name = "partner.loyalty.bonus.event"
    _description = "Event that Starts a Bonus"

    # === EVENTS ===#

    def _get_event_query(self):
        """Return the events of all members of the program, or None where the action does not follow any.

        :rtype: SQL | None
        """
        self.ensure_one()
        if self.schedule not in EVENT_SCHEDULES:
            return None
        return getattr(self, f"_get_event_query_{self.schedule}")()

    def _get_event_query_anniversary(self):
        """Each year that a membership has lasted; who joined on February 29 celebrates on the 28th in between."""
        return SQL(
            """
            SELECT member.id AS member_id, (member.date_from + make_interval(years => year.number))::date AS day,
                   'anniversary-' || year.number AS key, jsonb_build_object('years', year.number) AS facts
              FROM partner_loyalty_member member
        CROSS JOIN generate_series(1, 127) AS year(number)
             WHERE member.program_id = %s
            """,
            self.program_id.id,
        )

    def _get_event_query_joining(self):
        """Some days after a member has joined for the first time."""
        return SQL(
            """
            SELECT member.id AS member_id, member.date_from + %(days)s AS day, 'joining' AS key,
                   jsonb_build_object('days', %(days)s) AS facts
              FROM partner_loyalty_member member WHERE member.program_id = %(program)s
            """,
            days=self.joining_days,
            program=self.program_id.id,
        )

    def _get_event_query_tier(self):
        """The first day of another tier; the tier on joining is none."""
        return SQL(
            """
            SELECT period.member_id, period.date_from AS day, 'tier-' || period.date_from AS key,
                   jsonb_build_object('tier_id', tier.id) AS facts
              FROM partner_loyalty_tier_period period
              JOIN partner_loyalty_tier tier ON tier.id = period.tier_id
              JOIN partner_loyalty_tier previous ON previous.id = period.previous_tier_id
             WHERE period.program_id = %(program)s AND period.is_change AND %(direction)s
            """,
            program=self.program_id.id,
            direction={
                "up": SQL("%s > %s", self._get_tier_level("tier"), self._get_tier_level("previous")),
                "down": SQL("%s < %s", self._get_tier_level("tier"), self._get_tier_level("previous")),
            }.get(self.tier_change, SQL("TRUE")),
        )

    def _get_tier_level(self, alias):
        """Return what says which of two tiers is the higher one."""
        ranks = SQL("(%s::integer[])", self.program_id._get_tiers().ids)
        return SQL("array_position(%s, %s)", ranks, SQL.identifier(alias, "id"))

    def _get_event_query_first_sale(self):
        """The first sale since a member joined, of which something is left."""
        metric_sudo = self._get_recency_metric()
        rows = metric_sudo._get_contribution_rows(self.program_id, Window(None, self.program_id._get_today()))
        return SQL(
            """
            SELECT root_id AS member_id, MIN(day) AS day, 'first_sale' AS key, '{}'::jsonb AS facts
              FROM (SELECT root_id, MIN(date) AS day
                      FROM (%s) AS contribution GROUP BY root_id, origin_id
                    HAVING %s) document
          GROUP BY root_id
            """,
            rows,
            SQL("SUM(amount) > 0") if self.kind in AMOUNT_KINDS else SQL("TRUE"),
        )

    # === GETTERS ===#

    def _get_recency_metric(self):
        """Return a metric of the days since what the action counts has happened last, which nobody has saved."""
        # The engine looks past the sale record rules, as metrics that are saved do.
        metrics_sudo = self.env["partner.loyalty.metric"].sudo()
        return metrics_sudo.new(
            {"source": "contribution", "kind": self.kind, "role": self.role, "aggregate": "last", "domain": "[]"}
        )

    def _get_event_days(self, first, last):
        """Return the days from ``first`` to ``last`` on which members of the audience have an event not answered yet.

        :rtype: list[date]
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT day FROM (%s) audience WHERE %s AND day BETWEEN %s AND %s ORDER BY day",
                self._get_audience_query(),
                self._get_new_condition("audience"),
                first,
                last,
            )
        )
        return [day for (day,) in rows]
