"""What is to know about a key figure besides its value."""

from typing import NamedTuple


class Kpi(NamedTuple):
    """A key figure of a program.

    :param str name: its value comes from ``_get_kpi_<name>``
    :param str label: what it is called
    :param str unit: ``money``, ``number``, ``percent``, ``points`` (of percent), ``days`` or ``hours``
    :param str direction: ``up`` where more is better, ``down`` where less is, nothing where neither is
    :param str formula: how it is worked out, in words
    :param str caveat: what it cannot show
    :param str drill: what is behind it comes from ``_get_drill_<drill>``; nothing where there is nothing to list
    """

    name: str
    label: str
    unit: str
    direction: str
    formula: str
    caveat: str
    drill: str = ""
