"""The time that a metric is measured over."""

from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

# The columns of a member that say whom its contributions count for.
HOLDERS = ("root_id", "turnover_root_id", "group_root_id")


class Window(NamedTuple):
    """Days and members that a metric is measured for.

    :param date first: first day; None where everything before counts
    :param date last: last day
    :param int months: how long the period is that the window is, or is the beginning of; None for one of days
    :param tuple member_ids: only these members, as ``by`` names them; all by default
    :param str by: column of the member that contributions are added up by, see ``HOLDERS``
    :param SQL spans: ``SELECT`` of ``root_id, first_day, last_day`` where members have days of their own, all of them
        within ``first`` and ``last``
    :param dict shared: names of queries that several metrics read, see :meth:`share`; None where each reads for itself
    """

    first: date | None
    last: date
    months: int | None = None
    member_ids: tuple | None = None
    by: str = "turnover_root_id"
    spans: SQL | None = None
    shared: dict | None = None

    def share(self, query):
        """Return a query to be read under a name, where that is wanted: metrics of the same rows then read them once.

        Whoever wants it passes an empty dict and puts :meth:`get_shared` before the query that joins the metrics.

        :rtype: SQL
        """
        if self.shared is None:
            return query
        name, _query = self.shared.setdefault(
            (query.code, repr(query.params)), (SQL.identifier(f"shared_{len(self.shared)}"), query)
        )
        return SQL("SELECT * FROM %s", name)

    def get_shared(self):
        """Return the ``WITH`` clause of what is shared, or nothing."""
        if not self.shared:
            return SQL()
        return SQL("WITH %s", SQL(", ").join(SQL("%s AS (%s)", *named) for named in self.shared.values()))

    @property
    def shift(self):
        """How far the period before lies back."""
        if self.months:
            return relativedelta(months=self.months)
        return timedelta(days=(self.last - self.first).days + 1)

    def get_previous(self):
        """Return the same days of the period before, for a comparison with it.

        Where the window is a whole month or several of them, so is the one before.
        """
        last = min(self.last - self.shift, self.first - timedelta(days=1))
        if self.months and self.last + timedelta(days=1) == self.first + self.shift:
            last = self.first - timedelta(days=1)
        if self.spans is None:
            return self._replace(first=self.first - self.shift, last=last)
        # Months differ in length by up to three days: the days of each member decide, and those of all let them.
        last = self.last - self.shift + timedelta(days=3)
        return self._replace(first=self.first - self.shift, last=last, spans=self._get_previous_spans())

    def _get_previous_spans(self):
        """Return the days of each member in the period before, whole months where they are whole."""
        return SQL(
            """SELECT root_id, (first_day - %(shift)s)::date AS first_day,
                      CASE WHEN last_day + 1 = (first_day + %(shift)s)::date THEN first_day - 1
                           ELSE LEAST((last_day - %(shift)s)::date, first_day - 1) END AS last_day
                 FROM (%(spans)s) AS span""",
            shift=SQL(
                "make_interval(months => %s, days => %s)",
                self.months or 0,
                0 if self.months else self.shift.days,
            ),
            spans=self.spans,
        )
