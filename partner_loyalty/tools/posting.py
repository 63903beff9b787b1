"""What a program has posted, read out of the ledger."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Posting(NamedTuple):
    """What a partner has got for a document by a rule, over all lines of its statement about it.

    :param period_start: for rules that look at a period, its first day
    :param tier_id: the tier whose rate applied, or None
    :param day: the day of the sale
    """

    partner_id: int
    rule_id: int | None
    origin_model: str
    origin_id: int
    period_start: date
    tier_id: int | None
    day: date
    unit: str
    amount: Decimal

    @property
    def key(self):
        """What it is about, whatever it is worth: a backtest has one line for each."""
        return self[:5]
