"""What figures are about: a program, some days, and whom of it."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

from .periods import whole_months
from .window import Window


class Focus(NamedTuple):
    """What figures are about, and what they are compared with.

    :param program: ``partner.loyalty.program``
    :param date first: first day
    :param date last: last day
    :param str compare: with ``previous``, as many days just before, or with ``year``, the same days a year before
    :param tuple member_ids: only these members (roots); all by default
    :param int months: how long the calendar period is that the days are the beginning of; by default they stand alone
    :param SQL customers: ``SELECT`` of the partners that members are compared with; all customers by default
    """

    program: Any
    first: date
    last: date
    compare: str = "previous"
    member_ids: tuple | None = None
    customers: SQL | None = None
    months: int | None = None

    def get_previous(self):
        """Return the days before that these are compared with.

        :rtype: Focus
        """
        if self.compare == "year":
            first = self.first - relativedelta(years=1)
            # By the day after, so that the end of February is its end in a leap year, too.
            last = self.last + timedelta(days=1) - relativedelta(years=1) - timedelta(days=1)
            return self._replace(first=first, last=last)
        window = self.get_window().get_previous()
        return self._replace(first=window.first, last=window.last)

    def get_window(self):
        """Return the days and members as metrics take them.

        :rtype: Window
        """
        months = self.months or whole_months(self.first, self.last)
        return Window(self.first, self.last, months, self.member_ids, "root_id")

    def get_member_condition(self, column):
        """Return whether a member is meant.

        :param SQL column: id of the member
        :rtype: SQL
        """
        return SQL("TRUE") if self.member_ids is None else SQL("%s = ANY(%s)", column, list(self.member_ids))
