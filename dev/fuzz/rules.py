"""What a rule makes of sales, in plain Python: formulas, bands over a period, a minimum and limits."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from .ledger import ZERO, Terms

# How many months a calendar period has.
MONTHS = {"month": 1, "quarter": 3}
ROUNDINGS = {"half": ROUND_HALF_UP, "down": ROUND_DOWN, "up": ROUND_UP}
STEPS = {"full": ROUND_DOWN, "started": ROUND_UP}


def _rounded(amount):
    return amount.quantize(Decimal("1e-6"), ROUND_HALF_UP)


@dataclass(eq=False)
class Rule:
    """What sales are worth; ``tier_rates`` are rates by index of the tier, and ``bands`` are ``(from, rate)``.

    Minimum and caps do not apply where they are zero.
    """

    id: int
    kind: str
    role: str
    formula: str
    unit: str
    rate: Decimal
    terms: Terms
    rounding: Decimal
    rounding_method: str = "half"
    step_amount: Decimal = Decimal(1)
    step_kind: str = "part"
    tier_rates: dict = field(default_factory=dict)
    minimum_amount: Decimal = ZERO
    cap_document: Decimal = ZERO
    cap_member: Decimal = ZERO
    cap_period: str = "month"
    bands: list = field(default_factory=list)
    band_kind: str = "marginal"
    period: str = "month"
    date_from: date = date.min
    date_to: date = date.max

    # === Origins ===

    @property
    def reach(self):
        """Return the calendar period whose sales depend on each other; None where each stands for itself."""
        if self.formula == "bands":
            return self.period
        return self.cap_period if self.cap_member else None

    def start(self, day):
        """Return the first day of the period of a sale, or None."""
        if not self.reach:
            return None
        months = MONTHS[self.reach]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def key(self, origin):
        """Return what an origin earns for: itself and its period, or by bands the period alone."""
        return (None if self.formula == "bands" else origin), self.start(origin.day)

    def day(self, parts):
        """Return the day of what was earned: the latest that counts, or when a target was reached for good.

        :param list parts: ``(origin, partner, day, amount)``
        """
        latest = max(part[2] for part in parts)
        if self.formula != "bands" or self.band_kind != "sum":
            return latest
        origins = {}
        for origin, _partner, day, amount in parts:
            total, last = origins.get(origin, (ZERO, day))
            origins[origin] = total + amount, max(last, day)
        steps = sorted((day, origin.id, amount) for origin, (amount, day) in origins.items())
        total = _rounded(sum((amount for _day, _id, amount in steps), ZERO))
        reached = [start for start, _rate in self.bands if start <= total and total > 0]
        before, day = ZERO, latest
        for step_day, _id, amount in steps:
            if reached and (_rounded(before) < reached[-1] or before <= 0):
                day = step_day
            before += amount
        return day

    # === Formulas ===

    def earn(self, base, rate, whole):
        """Return what an origin earns before any cap.

        :param Decimal base: what counts of it
        :param Decimal rate: by the tier of the day of the sale
        :param whole: what the documents of it are worth, where only a part of that counts
        """
        net = base if whole is None else whole
        if self.minimum_amount and self.formula != "bands" and net < self.minimum_amount:
            return ZERO
        exact = getattr(self, f"_by_{self.formula}")(base, rate, whole).quantize(Decimal("1e-8"), ROUND_HALF_UP)
        return (exact / self.rounding).quantize(Decimal(1), ROUNDINGS[self.rounding_method]) * self.rounding

    def _by_percent(self, base, rate, _whole):
        return base * rate / 100

    def _by_per_amount(self, base, rate, _whole):
        if self.step_kind == "part":
            return base * rate / self.step_amount
        # What is credited counts like what is sold: a part of an amount is left out, or taken for a whole one.
        return (base / self.step_amount).quantize(
            Decimal(1), {"full": ROUND_DOWN, "started": ROUND_UP}[self.step_kind]
        ) * rate

    def _by_fixed(self, base, rate, whole):
        if base <= 0:
            return ZERO
        return rate * min(Decimal(1), base / whole if whole else Decimal(1))

    def _by_bands(self, base, _rate, _whole):
        if self.band_kind == "marginal":
            tops = [start for start, _rate in self.bands[1:]] + [max(base, self.bands[-1][0])]
            within = [max(ZERO, min(base, top) - start) for (start, _rate), top in zip(self.bands, tops, strict=True)]
            return sum((amount * rate / 100 for amount, (_start, rate) in zip(within, self.bands, strict=True)), ZERO)
        reached = [rate for start, rate in self.bands if start <= base and base > 0]
        rate = reached[-1] if reached else ZERO
        return rate if self.band_kind == "sum" else base * rate / 100

    # === Caps ===

    def limit(self, earned):
        """Return what caps leave of ``{key: (amount, day of the sale)}``, that one member has earned.

        Within a period the earliest sale has it first. A credit note makes room for what comes after.
        """
        order = sorted(earned, key=lambda key: (earned[key][1], key[0].id if key[0] else 0))
        left, upto = {}, {}
        for key in order:
            amount = earned[key][0]
            if self.formula != "bands":
                amount = self._at_most(amount, self.cap_document)
            before = upto.get(key[1], ZERO)
            upto[key[1]] = before + amount
            left[key] = self._at_most(before + amount, self.cap_member) - self._at_most(before, self.cap_member)
        return left

    def _at_most(self, amount, cap):
        """Return what a cap leaves of an amount; of the smallest step of the unit no part is given."""
        return min(amount, cap // self.rounding * self.rounding) if cap else amount
