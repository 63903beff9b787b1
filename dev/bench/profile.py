"""Where the time of a work goes: by the method of the app that was waited in, and whether for PostgreSQL."""

from collections import defaultdict
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from odoo import sql_db
from odoo.tools.profiler import Profiler

# Between two looks; so rare that looking takes less than a hundredth of the time.
INTERVAL = 0.01
SHOWN = 6
OTHERS = "Odoo, outside the app"


class Part(NamedTuple):
    """What a method took.

    :param str method: name of the file and of the method
    :param float seconds: time in it, and in what it called of others
    :param float waited: how much of that PostgreSQL worked
    """

    method: str
    seconds: float
    waited: float


@contextmanager
def watch():
    """Look at what runs meanwhile.

    :return: a list that holds the parts in the end, the longest first
    :rtype: list[Part]
    """
    parts = []
    profiler = Profiler(db=None, collectors=["traces_async"], params={"traces_async_interval": INTERVAL})
    with profiler:
        yield parts
    parts += _add_up(profiler.collectors[0].entries)


def to_markdown(title, parts):
    """Return the lines of a section of the report."""
    total = sum(part.seconds for part in parts) or 1
    rest = parts[SHOWN:]
    if rest:
        others = Part(f"{len(rest)} others", sum(p.seconds for p in rest), sum(p.waited for p in rest))
        parts = [*parts[:SHOWN], others]
    return [
        "",
        f"## Where the time goes: {title}",
        "",
        "| method | time | share | PostgreSQL in it |",
        "|---|---|---|---|",
        *(
            f"| {part.method} | {part.seconds:.2f} s | {part.seconds / total:.0%} | "
            f"{part.waited / (part.seconds or 1):.0%} |"
            for part in parts
        ),
    ]


def _add_up(entries):
    seconds, waited = defaultdict(float), defaultdict(float)
    for entry, after in pairwise(entries):
        method, lasted = _get_method(entry["stack"]), after["start"] - entry["start"]
        seconds[method] += lasted
        waited[method] += lasted if _is_in_database(entry["stack"]) else 0
    parts = [Part(method, lasted, waited[method]) for method, lasted in seconds.items()]
    return sorted(parts, key=lambda part: -part.seconds)


def _get_method(stack):
    """Return the innermost method of the app."""
    for file, _line, name, _code in reversed(stack):
        if "/partner_loyalty" in file and "/bench/" not in file:
            return f"`{Path(file).stem}.{name}`"
    return OTHERS


def _is_in_database(stack):
    return bool(stack) and stack[-1][0] == sql_db.__file__
