"""When an earning can be spent, and when it is gone."""

from typing import NamedTuple

from odoo.tools import SQL


class Terms(NamedTuple):
    """The terms of an earning.

    :param maturity_days: days of holdback after the sale
    :param expiry_kind: ``never``, ``months``, ``year_end`` or ``idle``
    :param expiry_months: months until expiry, by the kind
    """

    maturity_days: int = 0
    expiry_kind: str = "never"
    expiry_months: int = 0

    def get_columns(self, day):
        """Return the columns of the ledger for an earning of ``day``.

        :param SQL day: the day of the sale
        :return: the SQL of ``mature_date``, ``expiry_date`` and ``idle_months``
        :rtype: dict[str, SQL]
        """
        idle_months = self.expiry_months if self.expiry_kind == "idle" else None
        return {
            "mature_date": SQL("(%s + %s)", day, self.maturity_days),
            "expiry_date": self._get_expiry_day(day),
            "idle_months": SQL("%s::integer", idle_months),
        }

    def _get_expiry_day(self, day):
        """Return the last day on which an earning of ``day`` can be spent; NULL where the calendar does not say."""
        months_later = SQL("(%s + make_interval(months => %s))", day, self.expiry_months)
        if self.expiry_kind == "months":
            return SQL("%s::date", months_later)
        if self.expiry_kind == "year_end":
            return SQL("(date_trunc('year', %s) + interval '1 year - 1 day')::date", months_later)
        return SQL("NULL::date")
