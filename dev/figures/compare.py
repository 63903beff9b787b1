"""Ask the app for its key figures, and compare them with those worked out anew."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from kit import say
from kit.say import Failure

from . import books
from .recompute import Days, Recompute

# Less than that is what binary numbers cannot hold; money is to be equal to far less than a cent.
TOLERANCE = Decimal("0.000001")
SHOWN = 20


class Comparison(NamedTuple):
    """How many figures were compared, how many of them have a value, and a sentence for each that differs."""

    program: str
    compared: int
    valued: int
    differences: list


def compare(env, connection, program, spans):
    """Compare the key figures of a program over several times, of all members and of some.

    :param env: environment of the app
    :param connection: a psycopg2 connection to the same database
    :param program: record of ``partner.loyalty.program``
    :param list spans: pairs of first and last day, each compared with the time before and with the year before
    :rtype: Comparison
    """
    rows = books.read(connection, program.id)
    compared, valued, differences = 0, 0, []
    for first, last, how in [(*span, how) for span in spans for how in ("previous", "year")]:
        days = Days(first, last, *_days_before(first, last, how))
        for roots in (None, _some_members(rows)):
            own = Recompute(rows, days, roots).figures()
            shown = _ask(env, program, first, last, how, roots)
            unknown = shown.keys() ^ own.keys()
            if unknown:
                raise Failure(f"Figures that only one side knows: {', '.join(sorted(unknown))}.", "Add the other side.")
            compared += len(own)
            valued += sum(1 for value in own.values() if value is not None)
            whom = "all members" if roots is None else f"{len(roots)} members"
            differences += [
                f"{program.name}, {first} to {last}, {how}, {whom}, {name}: app {shown[name]}, tables {own[name]}"
                for name in sorted(own)
                if not _is_equal(shown[name], own[name])
            ]
    return Comparison(program.name, compared, valued, differences)


def _ask(env, program, first, last, how, roots):
    """Return the figures of the app."""
    # The app is imported by Odoo under this name.
    from odoo.addons.partner_loyalty.tools.focus import Focus

    figures = env["partner.loyalty.kpi"]
    focus = Focus(program, first, last, how, member_ids=None if roots is None else tuple(roots))
    return figures._get_values(figures._get_facts(focus))


def _days_before(first, last, how):
    """Return the days to compare with: whole months where they are whole, else as many days; or those of last year."""
    if how == "year":
        year = relativedelta(years=1)
        return first - year, last + timedelta(days=1) - year - timedelta(days=1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        return first - relativedelta(months=months), first - timedelta(days=1)
    return first - (last - first) - timedelta(days=1), first - timedelta(days=1)


def _some_members(rows):
    """Return every second member that is no part of another one."""
    roots = sorted(member for member, _partner, merged in rows.rows["members"] if not merged)
    return set(roots[::2])


def _is_equal(shown, own):
    """Return whether two figures are the same, to far less than a cent."""
    if shown is None or own is None:
        return shown is own
    return abs(Decimal(shown) - Decimal(own)) <= TOLERANCE


def report(comparisons):
    """Print the outcome; stop on any difference."""
    for comparison in comparisons:
        say.note(
            f"{comparison.compared:>7,} figures of “{comparison.program}”, {comparison.valued:,} with a value, "
            f"{len(comparison.differences)} differ"
        )
    differences = [sentence for comparison in comparisons for sentence in comparison.differences]
    for sentence in differences[:SHOWN]:
        say.note(f"  {sentence}")
    if differences:
        raise Failure(f"{len(differences)} key figures differ.", "One of the two sides is wrong: work one out by hand.")


def spans_until(last):
    """Return the times to look at, the last of which ends on a day: months, a quarter, a year, and odd days.

    :rtype: list[tuple[date, date]]
    """
    month = last.replace(day=1)
    ends = [month - timedelta(days=1), month - relativedelta(months=2) - timedelta(days=1)]
    return [
        (month - relativedelta(months=1), ends[0]),
        (month - relativedelta(months=3), ends[0]),
        (month - relativedelta(months=5), ends[1]),
        (month - relativedelta(months=12), ends[0]),
        (last - timedelta(days=45), last),
        (last - timedelta(days=200), last - timedelta(days=100)),
    ]
