"""A row of the table of results."""

from typing import NamedTuple


class Row(NamedTuple):
    """What one work took, beside what it is measured by.

    :param str work: what was done
    :param str ours: what the app took, such as ``2.12 s`` or ``27 queries``
    :param str reference: what the same took otherwise; empty where it is measured by nothing else
    :param float value: the number that has a target: a ratio, seconds, queries or megabytes
    :param float target: the highest value that is good, or the lowest where ``at_least``; None where there is none
    :param str unit: unit of the value: ``×``, ``s``, ``queries``, ``MB``, ``%``
    :param bool at_least: whether more is better
    :param str missed: why the target was missed, and what it would take; said only where it was
    """

    work: str
    ours: str
    reference: str
    value: float
    target: float | None
    unit: str = "×"
    at_least: bool = False
    missed: str = ""

    @property
    def is_reached(self):
        """Whether the value is as good as it is to be."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def to_markdown(self):
        """Return the row as one of a Markdown table."""
        value = format_number(self.value, self.unit)
        if self.target is None:
            return f"| {self.work} | {self.ours} | {self.reference} | {value} | | |"
        sign, verdict = "≥" if self.at_least else "≤", "reached" if self.is_reached else "missed"
        target = format_number(self.target, self.unit)
        return f"| {self.work} | {self.ours} | {self.reference} | {value} | {sign} {target} | {verdict} |"


def compare_seconds(work, seconds, reference, target, **options):
    """Return the row of a work that may take so many times what a reference takes.

    :param str work: what was done
    :param float seconds: what the app took
    :param float reference: what the same took otherwise
    :param float target: the highest ratio that is good
    :param options: more of :class:`Row`
    :rtype: Row
    """
    return Row(work, f"{seconds:.2f} s", f"{reference:.2f} s", seconds / reference, target, **options)


def format_number(number, unit):
    """Return a number with its unit, no more exact than it is."""
    text = f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) < 10 else f"{number:,.0f}"
    return f"{text}{unit}" if unit.startswith(("×", "%")) else f"{text} {unit}"
