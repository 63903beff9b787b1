"""What holds for rules of every kind whatever is sold, tried on random sales.

A seed stands for one series of sales: ``Random(seed)`` draws the same ones again. A message that fails names the seed
and the sales, so that they can be played again. Sales are drawn first, as plain values, and played then; a number
in a sale is that of an earlier invoice, counted from zero.
"""

import json
from collections import defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import TODAY, PartnerLoyaltyCommon

SEEDS = (1, 2, 3)
CENT = Decimal("0.01")
FIRST_DAY, LAST_DAY = date(2026, 1, 20), date.fromisoformat(TODAY)


def bands(*pairs):
    return [Command.create({"threshold": threshold, "rate": rate}) for threshold, rate in pairs]


SALES_TABLES = (
    "account_move",
    "account_move_line",
    "account_partial_reconcile",
    "account_payment",
    "partner_loyalty_account",
    "partner_loyalty_entry",
    "partner_loyalty_member",
    "partner_loyalty_member_period",
    "sale_order",
    "sale_order_line",
)
STEPS = {"formula": "per_amount", "rate": 0.7, "step_amount": 10}
BANDS = {
    "amount": bands((0, 2), (400, 5), (900, 8)),
    "quantity": bands((1, 0.5), (6, 1.25), (20, 3)),
    "documents": bands((0, 10), (2, 25), (4, 40)),
    "growth": bands((0, 3), (300, 6)),
}
CAPPED = {
    "cap document": {"rate": 10, "cap_document": 20},
    "cap month": {"rate": 10, "cap_member": 45.5},
    "cap quarter": {"rate": 10, "cap_member": 70, "cap_period": "quarter"},
    "both caps": {"rate": 10, "cap_document": 20, "cap_member": 35},
    "cap per unit": {"formula": "per_unit", "rate": 1.25, "unit": "point", "cap_document": 5, "cap_member": 9},
    "cap fixed": {"formula": "fixed", "rate": 25, "cap_member": 45},
    "cap bands": {"formula": "bands", "band_kind": "total", "band_ids": BANDS["amount"], "cap_member": 40},
    "cap document on payment": {"kind": "payment", "rate": 10, "cap_document": 8},
    "cap month on payment": {"kind": "payment", "rate": 10, "cap_member": 25},
}
# Every formula with every choice that it has. What is not a field of a rule: see ``_prepare_setup``.
SETUPS = {
    "percent": {"rate": 7.5},
    "percent as points": {"rate": 3.3, "unit": "point"},
    "per amount": STEPS,
    "per full amount": {**STEPS, "step_kind": "full"},
    "per started amount": {**STEPS, "step_kind": "started"},
    "per unit": {"formula": "per_unit", "rate": 1.25},
    "fixed": {"formula": "fixed", "rate": 25},
    "minimum": {"rate": 10, "minimum_amount": 150},
    "percent by category": {"rate": 1.5, "category_rate": 4},
    "per unit by category": {"formula": "per_unit", "rate": 1, "category_rate": 2.25},
    "first of a group": {"rate": 4, "exclusive_group": "A", "sequence": 1, "category": True},
    "second of a group": {"rate": 9, "exclusive_group": "A", "sequence": 2},
    "percent on payment": {"kind": "payment", "rate": 7.5},
    "fixed on payment": {"kind": "payment", "formula": "fixed", "rate": 25},
    "bands on payment": {"kind": "payment", "formula": "bands", "band_ids": BANDS["amount"]},
    # What is measured and what the bands make of it do not know of each other: not all pairs are needed.
    **{
        f"{band_kind} bands by {measure}": {
            "formula": "bands",
            "band_kind": band_kind,
            "measure": measure,
            "band_ids": BANDS[measure],
        }
        for band_kind, measures in (
            ("marginal", BANDS),
            ("total", ("amount", "growth")),
            ("sum", ("quantity", "documents")),
        )
        for measure in measures
    },
    **CAPPED,
}


class Draw:
    """Draws sales that can be played, one after the other.

    :param Random rng: where chance comes from
    """

    def __init__(self, rng):
        self.rng = rng
        # By the number of each invoice: its amount, what was credited and what was paid of it, in cents; and its day.
        self.invoices = []

    def sales(self, count):
        """Return so many things that happen, as tuples of a verb and plain values."""
        return [self._draw_next() for _number in range(count)]

    def sale(self, years_ago=0):
        """Return an invoice: ``("sale", buyer, day, ((price in cents, quantity, is tool), ...))``."""
        lines = tuple(
            (self.rng.randrange(100, 25000), self.rng.randint(1, 4), self.rng.random() < 0.5)
            for _number in range(self.rng.randint(1, 2))
        )
        day = self.day(FIRST_DAY)
        self.invoices.append({"total": sum(price * quantity for price, quantity, _ in lines), "credit": 0, "paid": 0})
        self.invoices[-1]["day"] = day
        return "sale", self.rng.randint(0, 1), day.replace(year=day.year - years_ago), lines

    def day(self, first):
        return first + timedelta(days=self.rng.randint(0, (LAST_DAY - first).days))

    def _draw_next(self):
        verb = self.rng.choice(("sale", "sale", "credit", "pay", "pay", "unpay", "return"))
        if verb == "return":
            return "return", self.rng.randint(0, 1), self.day(FIRST_DAY), self.rng.randrange(100, 9000)
        event = verb != "sale" and self.invoices and getattr(self, f"_draw_{verb}")()
        return event or self.sale(years_ago=self.rng.random() < 0.2)

    def _draw_credit(self):
        number, invoice = self._draw_invoice()
        left = invoice["total"] - invoice["credit"]
        if not left:
            return None
        # In full where nothing was credited so far: the lines of the invoice come back as they are.
        amount = None if not invoice["credit"] and self.rng.random() < 0.4 else self.rng.randint(1, left)
        invoice["credit"] += amount or left
        return "credit", number, self.day(invoice["day"]), amount

    def _draw_pay(self):
        number, invoice = self._draw_invoice()
        left = invoice["total"] - invoice["credit"] - invoice["paid"]
        if left <= 0:
            return None
        amount = self.rng.choice((left, self.rng.randint(1, left)))
        invoice["paid"] += amount
        return "pay", number, self.day(invoice["day"]), amount

    def _draw_unpay(self):
        number, invoice = self._draw_invoice()
        if not invoice["paid"] or invoice["credit"]:
            return None
        invoice["paid"] = 0
        return "unpay", number

    def _draw_invoice(self):
        number = self.rng.randrange(len(self.invoices))
        return number, self.invoices[number]


@tagged("post_install", "-at_install")
class TestRuleProperties(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tools = cls.env["product.category"].create({"name": "Tools"})
        cls.tool = cls._create_product(name="Tool", taxes_id=False, categ_id=cls.tools.id)

    # === THE ORDER OF ANSWERING ===#

    def test_what_is_earned_does_not_depend_on_when_and_in_which_order_sales_are_answered(self):
        at_once, step_by_step, shuffled = clubs = [self._create_club(SETUPS) for _number in range(3)]
        for seed in SEEDS[:2]:
            rng = Random(seed)
            sales = Draw(rng).sales(8)
            with self._seed(seed, sales):
                self._begin(*clubs)
                marks = self._play_and_answer(sales, step_by_step, rng)
                self._answer_again(at_once, [marks])
                self._answer_again(shuffled, self._shuffle(marks, rng))
                expected = self._get_ledger(at_once)
                self.assertTrue(expected)
                self.assertEqual(self._get_ledger(step_by_step), expected)
                self.assertEqual(self._get_ledger(shuffled), expected)
                self.assertInLine(step_by_step)

    def test_a_budget_is_never_passed_in_whichever_order_sales_are_answered(self):
        budgets = {
            "percent": {"rate": 10, "budget": 60},
            "points": {"rate": 10, "unit": "point", "budget": 33},
            "bands": {"formula": "bands", "band_kind": "total", "band_ids": BANDS["amount"], "budget": 50},
            "cap": {"rate": 10, "cap_member": 30, "budget": 45},
            "payment": {"kind": "payment", "rate": 10, "budget": 20},
        }
        pressed = set()
        for seed in SEEDS:
            rng = Random(seed)
            sales = Draw(rng).sales(9)
            clubs = [self._create_club(budgets) for _number in range(2)]
            with self._seed(seed, sales):
                self._begin(*clubs)
                check = lambda club: self._check_budgets(club, budgets)  # noqa: E731
                marks = self._play_and_answer(sales, clubs[0], rng, check)
                self._answer_again(clubs[1], self._shuffle(marks, rng), check)
                pressed.update(clubs[1].rule_ids.filtered("used_up_on").mapped("name"))
        self.assertEqual(pressed, set(budgets), "These sales do not press on every budget.")

    def test_a_budget_that_one_version_has_used_up_is_not_given_out_again_by_the_next(self):
        club = self._create_club({"percent": {"rate": 10, "budget": 15}})
        self._begin(club)
        self._do_sale(0, date(2026, 2, 10), ((20000, 1, False),))
        self._answer_all()
        successor = self._put_into_force(club.rule_ids, "2026-03-01", budget=15)
        self._do_sale(1, LAST_DAY, ((20000, 1, False),))
        self._answer_all()
        self._do_credit(0, LAST_DAY, 10000)
        self._do_sale(1, LAST_DAY, ((30000, 1, False),))
        self._answer_all()
        self.assertEqual(sorted(self._get_ledger(club).values()), [10])
        successor.budget = 50
        self._do_sale(1, LAST_DAY, ((1000, 1, False),))
        self._answer_all()
        self.assertEqual(sorted(self._get_ledger(club).values()), [1, 10])

    def _check_budgets(self, club, budgets):
        spent = defaultdict(Decimal)
        for (rule, *_key), amount in self._get_ledger(club).items():
            spent[rule] += amount
        for rule, values in budgets.items():
            self.assertLessEqual(spent[rule], values["budget"], rule)

    # === SPLITTING ===#

    def test_splitting_a_sale_changes_what_stated_rules_say_and_nothing_else(self):
        for kind in ("invoice", "order"):
            club = self._create_club({**self._get_split_setups(), **self._get_one_by_one_setups()}, kind=kind)
            for seed in SEEDS:
                parts = [Draw(Random(seed + number)).sale()[-1] for number in (100, 200)]
                with self._seed(seed, parts, kind=kind):
                    self._check_split(club, parts)

    def _get_split_setups(self):
        """Return the set-ups that a splitting may change by one step of rounding at most, or not at all."""
        by_period = {
            f"{band_kind} {measure}": {
                "formula": "bands",
                "band_kind": band_kind,
                "measure": measure,
                "band_ids": BANDS[measure],
            }
            for band_kind in ("marginal", "total", "sum")
            for measure in ("amount", "quantity")
        }
        return {
            "per unit": SETUPS["per unit"],
            **by_period,
            "rounded percent": SETUPS["percent"],
            "rounded points": {**SETUPS["percent as points"]},
            "rounded per amount": SETUPS["per amount"],
            "rounded by category": SETUPS["percent by category"],
            "rounded below a cap of the month": {"rate": 10, "cap_member": 60},
        }

    def _get_one_by_one_setups(self):
        """Return the set-ups that look at documents, so that two of them earn otherwise than one."""
        return {
            "fixed": SETUPS["fixed"],
            "minimum": {"rate": 10, "minimum_amount": 250},
            "cap": {"rate": 10, "cap_document": 20},
            "full": {**STEPS, "step_kind": "full"},
            "started": {**STEPS, "step_kind": "started"},
            "documents": {"formula": "bands", "measure": "documents", "band_ids": BANDS["documents"]},
        }

    def _check_split(self, club, parts):
        self._begin(club)
        sell = self._do_sale if club.rule_ids[0].kind == "invoice" else self._do_order
        for buyer, lines in ((0, sum(parts, ())), (1, parts[0]), (1, parts[1])):
            sell(buyer, LAST_DAY, lines)
        self._answer_all()
        whole, split = (self._get_sums(club, partner) for partner in self.partners)
        for name in self._get_split_setups():
            step = 0 if not name.startswith("rounded") else 1 if "points" in name else CENT
            self.assertLessEqual(abs(whole[name] - split[name]), step, name)
        self._check_one_by_one(parts, whole, split)

    def _check_one_by_one(self, parts, whole, split):
        """Check the differences that are as they should be; all of these rules give 10 % or 0.70 for each 10.00."""
        amounts = [Decimal(sum(price * quantity for price, quantity, _ in lines)) / 100 for lines in parts]
        percent = [(amount / 10).quantize(CENT, "ROUND_HALF_UP") for amount in amounts]
        total = (sum(amounts) / 10).quantize(CENT, "ROUND_HALF_UP")
        rate = Decimal("0.7")
        self.assertEqual((whole["fixed"], split["fixed"]), (25, 50))
        self.assertEqual(whole["minimum"], total if sum(amounts) >= 250 else 0)
        self.assertEqual(
            split["minimum"], sum(part for part, amount in zip(percent, amounts, strict=True) if amount >= 250)
        )
        self.assertEqual(whole["cap"], min(total, 20))
        self.assertEqual(split["cap"], sum(min(part, 20) for part in percent))
        self.assertIn(whole["full"] - split["full"], (0, rate))
        self.assertIn(split["started"] - whole["started"], (0, rate))
        self.assertEqual((whole["documents"], split["documents"]), (10, 20))

    # === CAPS ===#

    def test_caps_are_not_passed_after_any_step(self):
        club = self._create_club(CAPPED)
        self.reached = set()
        for seed in SEEDS:
            rng = Random(seed)
            sales = Draw(rng).sales(10)
            with self._seed(seed, sales):
                self._begin(club)
                self._play_and_answer(sales, club, rng, self._check_caps)
                self.assertInLine(club)
        names = {
            (name, cap) for name, values in CAPPED.items() for cap in values if cap in ("cap_document", "cap_member")
        }
        self.assertEqual(self.reached, names, "These sales do not press on every cap.")

    def _check_caps(self, club):
        """Check caps by the days of invoices, and not by what the ledger says about periods."""
        by_document, by_period = defaultdict(Decimal), defaultdict(Decimal)
        for (rule, partner_id, origin_id, period_start), amount in self._get_ledger(club).items():
            day = self.env["account.move"].browse(origin_id).invoice_date or period_start
            length = 3 if CAPPED[rule].get("cap_period") == "quarter" else 1
            by_document[rule, partner_id, origin_id] += amount
            by_period[rule, partner_id, day.year, (day.month - 1) // length] += amount
        for cap, sums in (("cap_document", by_document), ("cap_member", by_period)):
            for (rule, *key), amount in sums.items():
                if cap in CAPPED[rule]:
                    limit = Decimal(str(CAPPED[rule][cap]))
                    self.assertLessEqual(amount, limit, f"{rule}: {cap} of {key}")
                    self.reached |= {(rule, cap)} if amount == limit else set()

    def test_limits_leave_whole_steps_of_the_unit(self):
        odd = {"money": {"rate": 10}, "points": {"rate": 10, "unit": "point"}}
        club = self._create_club(
            {
                f"{limit} of {name}": {**values, limit: 12.3456}
                for name, values in odd.items()
                for limit in ("cap_document", "cap_member", "budget")
            }
        )
        self._begin(club)
        for price in (30000, 7000):
            self._do_sale(0, LAST_DAY, ((price, 1, False),))
            self._answer_all()
        earned = self._get_sums(club, self.partners[0])
        self.assertEqual(
            {name: float(amount) for name, amount in earned.items()},
            {
                "cap_document of money": 12.34 + 7,
                "cap_member of money": 12.34,
                "budget of money": 12.34,
                "cap_document of points": 12 + 7,
                "cap_member of points": 12,
                "budget of points": 12,
            },
        )
        self.assertTrue(all(club.rule_ids.filtered("budget").mapped("used_up_on")))
        self.assertInLine(club)

    # === BANDS ===#

    def test_marginal_bands_neither_jump_nor_fall(self):
        for seed in range(20):
            rng = Random(seed)
            thresholds = sorted(rng.sample(range(0, 500000), rng.randint(1, 5)))
            pairs = [(threshold / 100, rng.randint(0, 10000) / 100) for threshold in thresholds]
            measure, unit = rng.choice(list(BANDS)), rng.choice(("money", "point"))
            with self.subTest(seed=seed, measure=measure, unit=unit, pairs=pairs):
                values = {"formula": "bands", "measure": measure, "unit": unit, "band_ids": bands(*pairs)}
                rule = self._create_rule(self._create_program(), **values)
                near = (-100, -1, Decimal("-0.0001"), 0, Decimal("0.0001"), 1, 100)
                bases = [Decimal(threshold) / 100 + shift for threshold in thresholds for shift in near]
                bases += [Decimal(rng.randint(-100000, 1000000)) / 100 for _number in range(50)]
                self._check_slope(rule, sorted(set(bases)), Decimal(str(max(rate for _from, rate in pairs))))

    def _check_slope(self, rule, bases, rate):
        divisor = 100 if rule.measure in ("amount", "growth") else 1
        step = Decimal(rule._get_rounding())
        earned = self._earn(rule, bases)
        for (base, amount), (next_base, next_amount) in pairwise(earned):
            self.assertGreaterEqual(next_amount, amount, (base, next_base))
            self.assertLessEqual(next_amount - amount, step + rate * (next_base - base) / divisor, (base, next_base))

    def _earn(self, rule, bases):
        """Return pairs of what was measured and what the rule makes of it, without any sales."""
        sums = SQL(
            "SELECT base, 1::numeric AS rate, NULL::numeric AS whole, NULL::numeric AS quantity"
            " FROM unnest(%s::numeric[]) AS measured(base)",
            [str(base) for base in bases],
        )
        earned = rule._get_earned_query(sums)
        rows = self.env.execute_query(SQL("SELECT base::text, amount::text FROM (%s) AS e ORDER BY e.base", earned))
        return [(Decimal(base), Decimal(amount)) for base, amount in rows]

    def test_at_the_edges_of_marginal_bands_a_cent_more_earns_no_more_than_its_share(self):
        club = self._create_club(
            {"marginal": {"formula": "bands", "band_ids": BANDS["amount"]}}, date_from="2025-01-01"
        )
        self._begin(club, date_from="2025-01-01")
        amounts = [40000 + cents for cents in (-1, 0, 1)] + [90000 + cents for cents in (-1, 0, 1)]
        # Each in a month of its own, so that nothing adds up.
        for month, amount in enumerate(amounts, 1):
            self._do_sale(0, date(2025, month, 15), ((amount, 1, False),))
        self._answer_all()
        earned = [amount for _key, amount in sorted(self._get_ledger(club).items(), key=lambda item: item[0][-1])]
        self.assertEqual(earned, [Decimal(text) for text in ("8.00", "8.00", "8.00", "33.00", "33.00", "33.00")])

    # === CREDIT NOTES ===#

    def test_a_sale_that_is_credited_in_full_leaves_all_as_if_it_had_not_been(self):
        club = self._create_club(SETUPS)
        unchanged = set(SETUPS)
        # Nothing of it is paid, or a part, or all; the last one was sold a year ago.
        for seed, paid, years_ago in ((1, 0.4, 0), (2, 1, 0), (3, 0, 1)):
            rng = Random(seed)
            draw = Draw(rng)
            sales = [draw.sale(years_ago=number == 0) for number in range(3)]
            _verb, buyer, day, _lines = sales[0]
            tool = rng.randrange(100, 25000), rng.randint(1, 4), True
            credited = "sale", buyer, day.replace(year=day.year + 1 - years_ago), (*draw.sale()[-1], tool)
            with self._seed(seed, [*sales, credited], paid=paid):
                unchanged -= self._check_credited_in_full(club, sales, credited, paid)
        self.assertFalse(unchanged, "No sale moved these.")

    def _check_credited_in_full(self, club, sales, credited, paid):
        """Sell something and take it back; return the rules that it moved in between."""
        self._begin(club)
        for event in sales:
            self._play(event)
        for number in range(len(sales)):
            self._pay(self.invoices[number])
        self._answer_all()
        before = self._get_ledger(club)
        self._play(credited)
        invoice = self.invoices[-1]
        if paid:
            self._pay(invoice, round(invoice.amount_total * paid, 2))
        self._answer_all()
        between = self._get_ledger(club)
        self._credit(invoice)
        self._answer_all()
        self.assertEqual(self._get_ledger(club), before)
        self.assertInLine(club)
        return {key[0] for key in between.keys() | before.keys() if between.get(key) != before.get(key)}

    # === HELPERS - PROGRAMS ===#

    @contextmanager
    def _seed(self, seed, sales, **params):
        """Try what a seed has drawn, and say all of it where that fails."""
        with self.subTest(seed=seed, **params):
            try:
                yield
            except AssertionError as error:
                raise AssertionError(f"{error}\nSeed {seed} drew {sales!r}.") from error

    def _create_club(self, setups, date_from="2026-01-01", **common):
        """Create a program with a rule for each set-up, which has its name; it does not run yet."""
        rules = [{"name": name, **self._prepare_setup(**common, **values)} for name, values in setups.items()]
        return self._create_program(rules, date_from=date_from, start=False)

    def _prepare_setup(self, category=None, category_rate=None, **values):
        """Return the values of a rule.

        :param bool category: whether only tools earn
        :param float category_rate: the rate of tools, where they have another one
        """
        if category:
            values["domain"] = json.dumps([["product_id.categ_id", "child_of", self.tools.id]])
        if category_rate:
            values["tier_rate_ids"] = [Command.create({"categ_id": self.tools.id, "rate": category_rate})]
        return values

    def _begin(self, *clubs, date_from="2026-01-01"):
        """Start with two buyers who have bought nothing so far, as members of some programs."""
        self.partners = self._create_partner(name="A", is_company=True) + self._create_partner(
            name="B", is_company=True
        )
        self.invoices = []
        for club in clubs:
            self._enroll(club, *self.partners, date_from=date_from)
        self._run_only(clubs[0])
        self._answer_all()

    def _run_only(self, club):
        """Let the ledger answer for one program, and leave all others alone."""
        programs = self.env["partner.loyalty.program"].search([("state", "=", "running")]) - club
        programs.state = "draft"
        club.state = "running"

    # === HELPERS - ANSWERING ===#

    def _play_and_answer(self, sales, club, rng, check=None):
        """Play sales and answer them as they come, one or a few at a time.

        :return: the marks that they left, as values
        """
        self._run_only(club)
        marks = []
        for number, event in enumerate(sales, 1):
            self._play(event)
            if number == len(sales) or rng.random() < 0.7:
                self._write_marks()
                waiting = self._as_cron("partner.loyalty.touch").search([])
                marks += waiting.read(["res_model", "res_id", "buyer_id", "referrer_id", "day"], load=None)
                self._answer_safely(club, waiting, check)
        unique = {tuple(sorted((name, mark[name]) for name in mark if name != "id")) for mark in marks}
        return [dict(mark) for mark in sorted(unique, key=str)]

    def _shuffle(self, marks, rng):
        """Return the marks in any order, those of one document at a time."""
        documents = defaultdict(list)
        for mark in marks:
            documents[mark["res_id"]].append(mark)
        return rng.sample(list(documents.values()), len(documents))

    def _answer_again(self, club, groups, check=None):
        """Answer groups of marks, one after the other, for a program that has not answered them so far."""
        self._run_only(club)
        for vals_list in groups:
            self._answer_safely(club, self._as_cron("partner.loyalty.touch").create(vals_list), check)

    def _answer_safely(self, club, marks, check=None):
        self._analyze()
        marks._answer(marks)
        # A rule that fails is noted, and lets the others go on.
        self.assertFalse(club.failing_rule_ids.mapped("error"))
        if check:
            check(club)

    def _answer_all(self):
        self._analyze()
        self._answer_marks()

    def _analyze(self):
        """Let PostgreSQL know of the sales: of what is not committed it does not, and plans as if there were none."""
        self.env.flush_all()
        self.env.cr.execute(SQL("ANALYZE %s", SQL(", ").join(map(SQL.identifier, SALES_TABLES))))

    def _get_ledger(self, club):
        """Return what the ledger holds by rule, buyer, document (0 for a period as a whole) and period, if not zero."""
        self.env.flush_all()
        query = SQL(
            """
            SELECT rule.name->>'en_US', member.partner_id, CASE entry.origin_model WHEN 'partner.loyalty.member' THEN 0
                       ELSE entry.origin_id END, entry.period_start, SUM(entry.amount)::text
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_rule rule ON rule.id = entry.rule_id
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE entry.program_id = %s AND member.partner_id = ANY(%s)
          GROUP BY 1, 2, 3, 4
            HAVING SUM(entry.amount) <> 0
            """,
            club.id,
            list(self.partners.ids),
        )
        return {tuple(key): Decimal(amount) for *key, amount in self.env.execute_query(query)}

    def _get_sums(self, club, partner):
        """Return what a buyer has earned by rule."""
        sums = defaultdict(Decimal)
        for (rule, partner_id, *_key), amount in self._get_ledger(club).items():
            if partner_id == partner.id:
                sums[rule] += amount
        return sums

    # === HELPERS - SALES ===#

    def _play(self, event):
        verb, *values = event
        getattr(self, f"_do_{verb}")(*values)

    def _do_sale(self, buyer, day, lines):
        invoice = self._create_sale_invoice(self.partners[buyer], date=day, post=False)
        invoice.invoice_line_ids = [
            Command.create(
                {
                    "product_id": (self.tool if is_tool else self.thing).id,
                    "quantity": quantity,
                    "price_unit": price / 100,
                    "tax_ids": [Command.clear()],
                }
            )
            for price, quantity, is_tool in lines
        ]
        invoice.action_post()
        self.invoices.append(invoice)

    def _do_order(self, buyer, day, lines):
        order = self._create_order(self.partners[buyer], confirm=False)
        order.order_line = [
            Command.create(
                {
                    "product_id": (self.tool if is_tool else self.thing).id,
                    "product_uom_qty": quantity,
                    "price_unit": price / 100,
                }
            )
            for price, quantity, is_tool in lines
        ]
        order.action_confirm()
        order.date_order = day

    def _do_credit(self, number, day, amount):
        self._credit(self.invoices[number], amount and amount / 100, date=day)

    def _do_pay(self, number, day, amount):
        self._pay(self.invoices[number], amount / 100, date=day)

    def _do_unpay(self, number):
        self._unreconcile(self.invoices[number])

    def _do_return(self, buyer, day, amount):
        """Credit something that no invoice is known of."""
        self._create_sale_invoice(self.partners[buyer], amount / 100, date=day, move_type="out_refund")
