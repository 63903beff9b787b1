"""When a bonus action is due, as pure functions of their arguments."""

from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from . import periods

# Schedules that measure a period of the calendar when it is over.
CALENDAR_SCHEDULES = ("day", "week", "month", "quarter", "year")

# Schedules that follow what happens to each member.
EVENT_SCHEDULES = ("anniversary", "joining", "tier", "first_sale")

DAY = timedelta(days=1)


class Occasion(NamedTuple):
    """A time for which an action runs once.

    :param str key: what makes it the same time again; None where each member has an event of its own
    :param date first: first day that is measured
    :param date last: last day that is measured
    :param date day: the day it is about: who belongs to the audience then
    :param date due: from this day on it runs; statement lines are dated by it, however late it is
    """

    key: str | None
    first: date
    last: date
    day: date
    due: date


def period_start(day, schedule):
    """Return the first day of the period of ``day``; weeks begin on Monday.

    :param str schedule: one of ``CALENDAR_SCHEDULES``
    """
    if schedule == "day":
        return day
    if schedule == "week":
        return day - timedelta(days=day.weekday())
    return periods.period_start(day, schedule)


def period_end(start, schedule):
    """Return the last day of the period that begins with ``start``."""
    if schedule == "day":
        return start
    if schedule == "week":
        return start + timedelta(days=6)
    return periods.period_end(start, schedule)


def calendar_occasion(schedule, day):
    """Return the occasion of the period that ``day`` lies in; it is due when the period is over."""
    first = period_start(day, schedule)
    last = period_end(first, schedule)
    return Occasion(f"{schedule}-{first}", first, last, last, last + DAY)


def ended_occasions(schedule, since, until):
    """Yield the occasions of periods that end from ``since`` to ``until``, the earliest first.

    :param date since: the period of this day is the first one
    :param date until: no period ends after it
    """
    occasion = calendar_occasion(schedule, since)
    while occasion.last <= until:
        yield occasion
        occasion = calendar_occasion(schedule, occasion.due)


def date_occasion(day):
    """Return the occasion of a day that was chosen: what lies before it is measured."""
    return Occasion(f"date-{day}", day - DAY, day - DAY, day, day)


def event_occasion(schedule, day):
    """Return the occasion of the events of a day.

    What lies before the day is measured, so that it makes no difference at which hour this runs. A first sale counts
    itself, so that it waits until the day is over.

    :param str schedule: one of ``EVENT_SCHEDULES``
    """
    if schedule == "first_sale":
        return Occasion(None, day, day, day, day + DAY)
    return Occasion(None, day - DAY, day - DAY, day, day)


def trailing_start(last, months):
    """Return the first day of the ``months`` that end with ``last``; whole months where that is the end of one."""
    return last + DAY - relativedelta(months=months)


def a_year_before(first, last):
    """Return the same days of the year before; the end of a month stays one, also in February.

    :rtype: tuple
    """
    year = relativedelta(years=1)
    if periods.month_end(last) == last:
        return first - year, periods.month_end(last - year)
    return first - year, last - year
