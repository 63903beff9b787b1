"""One program as a sequence plays it: in the database and in the model, by terms that its seed decides."""

from datetime import timedelta
from decimal import Decimal

from odoo.fields import Command

from .ledger import Book, Terms
from .model import Member, Program
from .rules import Rule
from .world import BANDS, DIGITS, RULES, START, THRESHOLDS, TODAY


class Side:
    """One program in the database and in the model.

    :param Shop shop: the company that has it
    :param World world: has its partners
    :param random.Random random: decides the terms
    """

    def __init__(self, shop, world, random):
        self.shop, self.env, self.random = shop, shop.env, random
        self.record = shop.program
        self.step = Decimal(1).scaleb(-DIGITS[shop.currency])
        self.book = Book(TODAY, self.step)
        self.program = Program(self.book, START, self.step, thresholds=list(THRESHOLDS))
        self._choose_terms()
        for record, vals in zip(self.record.rule_ids.sorted("id"), RULES[shop.currency], strict=True):
            self.program.rules.append(self._make_rule(record, vals))
        self._enroll(world)
        self.payouts = {}  # id: account and debit in the model
        self.bonuses = []  # runs of bonus actions that can be taken back, with the lines of the model
        self.requests = []  # adjustments that wait: record, account and entry in the model
        self.orders, self.invoices = [], []

    def _choose_terms(self):
        """Choose how earnings mature and expire, how points are rounded, and how debts are recovered."""
        choice = self.random.choice
        self.terms = Terms(choice([0, 14]), choice(["never", "months", "year_end", "idle"]), choice([1, 3]))
        digits = choice([0, 2])
        self.point_step = Decimal(1).scaleb(-digits)
        self.book.recovery_share = choice([Decimal(100), Decimal(50), Decimal(25)])
        self.point_rounding = choice(["half", "half", "down", "up"])
        self.record.write(
            {
                "maturity_days": self.terms.maturity_days,
                "expiry_kind": self.terms.kind,
                "expiry_months": self.terms.months,
                "point_digits": digits,
                "point_rounding": self.point_rounding,
                "recovery_share": float(self.book.recovery_share),
            }
        )

    def _enroll(self, world):
        """Take the first members in; what the second sold before it joined is in the past of the program."""
        starts = {world.partners[0]: START, world.partners[1]: START + timedelta(days=31)}
        for partner, member in zip(starts, self.record._enroll(starts), strict=True):
            self.program.enroll(Member(member.id, partner.id, [[starts[partner], None]], self.book))

    # === Rules ===

    def _make_rule(self, record, vals):
        """Give a rule of the world the terms of this sequence; return it for the model."""
        is_point = vals["unit"] == "point"
        chosen = self._choose_rule_terms(vals)
        bands = chosen.pop("bands", [])
        record.write(
            {
                **{name: float(value) if isinstance(value, Decimal) else value for name, value in chosen.items()},
                "band_ids": [Command.create({"threshold": start, "rate": float(rate)}) for start, rate in bands],
            }
        )
        return Rule(
            id=record.id,
            terms=self.terms,
            rounding=self.point_step if is_point else self.step,
            rounding_method=self.point_rounding if is_point else "half",
            tier_rates={1: Decimal(str(vals["gold"]))} if "gold" in vals else {},
            bands=bands,
            **{name: vals[name] for name in ("kind", "role", "unit")},
            **{"formula": vals["formula"], "rate": Decimal(str(vals["rate"])), **chosen},
            step_amount=Decimal(vals.get("step_amount", 1)),
        )

    def _choose_rule_terms(self, vals):
        """Choose what is special about a rule: nothing, a minimum and limits, or bands over a period."""
        style = self.random.choice(["plain", "plain", "limits", "limits", "bands"])
        chosen = {"step_kind": self.random.choice(["part", "full", "started"])}
        if style == "bands":
            chosen |= self._choose_bands()
        if style == "limits":
            chosen["minimum_amount"] = Decimal(self.random.choice([0, 0, 60]))
            chosen["cap_document"] = Decimal(self.random.choice(["0", "0", "12.5"]))
        if style != "plain":
            cap = self.random.choice(["0", "20", "40.75"] if style == "limits" else ["0", "0", "20"])
            chosen |= {"cap_member": Decimal(cap), "cap_period": self.random.choice(["month", "month", "quarter"])}
        return chosen

    def _choose_bands(self):
        kind = self.random.choice(list(BANDS))
        period = self.random.choice(["month", "quarter"])
        return {"formula": "bands", "band_kind": kind, "bands": BANDS[kind], "period": period}
