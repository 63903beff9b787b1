"""How amounts are brought to the smallest step of a unit."""

from odoo.tools import SQL


def get_rounded(amount, step, method="half"):
    """Return an amount in whole steps.

    Shares are quotients with many digits: what is beyond the eighth is noise and is cut off first.

    :param SQL amount: the exact amount
    :param str step: smallest step of the unit, as text that SQL reads exactly: ``"0.01"``
    :param str method: ``half``, ``down`` or ``up``
    :rtype: SQL
    """
    steps = SQL("ROUND(%s, 8) / %s::numeric", amount, step)
    rounded = {
        "down": SQL("TRUNC(%s)", steps),
        "up": SQL("SIGN(%(steps)s) * CEIL(ABS(%(steps)s))", steps=steps),
    }.get(method, SQL("ROUND(%s)", steps))
    return SQL("%s * %s::numeric", rounded, step)
