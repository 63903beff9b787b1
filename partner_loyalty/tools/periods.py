"""Calendar arithmetic, as pure functions of their arguments."""

from datetime import datetime, time, timedelta

import pytz
from dateutil.relativedelta import relativedelta


def month_start(day):
    """Return the first day of the month of ``day``."""
    return day.replace(day=1)


def month_end(day):
    """Return the last day of the month of ``day``."""
    return month_start(day) + relativedelta(months=1, days=-1)


MONTHS_BY_PERIOD = {"month": 1, "quarter": 3, "half": 6, "year": 12}


def period_start(day, period):
    """Return the first day of the calendar period of ``day``.

    :param str period: month, quarter, half or year
    """
    months = MONTHS_BY_PERIOD[period]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def period_end(start, period):
    """Return the last day of the calendar period that begins with ``start``."""
    return start + relativedelta(months=MONTHS_BY_PERIOD[period], days=-1)


def whole_months(first, last):
    """Return how many whole months lie between two days, both included; None where it is not whole months."""
    lasted = relativedelta(last + timedelta(days=1), first)
    return None if lasted.days else lasted.years * 12 + lasted.months


def trailing_months_start(day, months):
    """Return the first day of the ``months`` calendar months that end with the month of ``day``."""
    return month_start(day) - relativedelta(months=months - 1)


def utc_day_start(day, tz):
    """Return when ``day`` begins in the time zone ``tz``, as the naive UTC datetime that Odoo stores.

    Where a clock change skips midnight the day begins with the first moment that exists.
    """
    zone = pytz.timezone(tz or "UTC")
    midnight = datetime.combine(day, time.min)
    try:
        local = zone.localize(midnight, is_dst=None)
    except pytz.NonExistentTimeError:
        local = zone.normalize(zone.localize(midnight, is_dst=False))
    except pytz.AmbiguousTimeError:
        local = zone.localize(midnight, is_dst=True)
    return local.astimezone(pytz.utc).replace(tzinfo=None)


def utc_day_end(day, tz):
    """Return when the day after ``day`` begins; see :func:`utc_day_start`."""
    return utc_day_start(day + timedelta(days=1), tz)
