"""Rules of all kinds, each with sales and with what they earn, worked out by hand.

A setup has a name, the values of its rules, what happens, and what the buyer has earned after it. What happens is a
list of calls: ``sale`` with amounts (by default an invoice on 10 March), ``credit`` or ``pay`` of the sale with a
number, from 0 on. After each of them the ledger answers; in the end it has to be in line with the rules.
"""

from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


def sale(*amounts, **values):
    return "sale", amounts, values


def credit(number, amount=None, **values):
    return "credit", (number, amount), values


def pay(number, amount=None, **values):
    return "pay", (number, amount), values


def bands(*pairs):
    return [Command.create({"threshold": threshold, "rate": rate}) for threshold, rate in pairs]


MARGINAL = {"formula": "bands", "band_ids": bands((0, 2), (1000, 5), (5000, 8))}
TOTAL = {**MARGINAL, "band_kind": "total"}
TARGET = {"formula": "bands", "band_kind": "sum", "band_ids": bands((1000, 50), (5000, 400))}
POINTS = {"unit": "point"}
STEPS = {**POINTS, "formula": "per_amount", "rate": 1, "step_amount": 10}
SPLIT = sale(600, 400), sale(100, date="2026-03-20")

SETUPS = [
    # Percent
    ("percent of the untaxed amount", [{"rate": 7.5}], [sale(99.99)], 7.5),
    ("percent of several lines, rounded once", [{"rate": 33.33}], [sale(1, 1, 1)], 1.0),
    ("percent of a line at a discount of 100 %", [{"rate": 10}], [sale(100, discount=100)], 0),
    ("percent with a negative line", [{"rate": 10}], [sale(100, -30)], 7),
    ("percent less a credit note", [{"rate": 10}], [sale(100), credit(0, 40)], 6),
    ("percent credited in full", [{"rate": 10}], [sale(100, 50), credit(0)], 0),
    ("percent as points", [{**POINTS, "rate": 10}], [sale(123.45)], 12),
    ("a rate of zero", [{"rate": 0}], [sale(100)], 0),
    # So much for an amount
    ("so much per amount, in proportion", [STEPS], [sale(255)], 26),
    ("so much per amount, in proportion, as money", [{**STEPS, "unit": "money"}], [sale(255)], 25.5),
    ("so much per full amount", [{**STEPS, "step_kind": "full"}], [sale(255)], 25),
    ("so much per started amount", [{**STEPS, "step_kind": "started"}], [sale(255)], 26),
    ("started amounts of an even sum", [{**STEPS, "step_kind": "started"}], [sale(250)], 25),
    ("full amounts of two lines add up first", [{**STEPS, "step_kind": "full"}], [sale(15, 15)], 3),
    ("full amounts after a credit note", [{**STEPS, "step_kind": "full"}], [sale(255), credit(0, 20)], 23),
    ("started amounts credited in full", [{**STEPS, "step_kind": "started"}], [sale(255), credit(0)], 0),
    # Fixed and per unit
    ("fixed for a document", [{"formula": "fixed", "rate": 25}], [sale(10, 20), sale(5)], 50),
    ("fixed after a part was credited", [{"formula": "fixed", "rate": 25}], [sale(100), credit(0, 99)], 25),
    ("fixed after all was credited", [{"formula": "fixed", "rate": 25}], [sale(100), credit(0)], 0),
    ("so much per unit", [{"formula": "per_unit", "rate": 1.5}], [sale(10, quantity=4)], 6),
    ("so much per unit of two lines", [{"formula": "per_unit", "rate": 2}], [sale(10, 20, quantity=3)], 12),
    ("what is given away earns nothing per unit", [{"formula": "per_unit", "rate": 2}], [sale(10, 0, quantity=3)], 6),
    (
        "nor does a discount of 100 %",
        [{"formula": "per_unit", "rate": 2}],
        [sale(10, quantity=3, discount=100), sale(10, quantity=2)],
        4,
    ),
    ("so much per unit less what came back", [{"formula": "per_unit", "rate": 2}], [sale(10), credit(0)], 0),
    # On payment
    ("as the customer pays", [{"kind": "payment", "rate": 10}], [sale(100), pay(0, 40)], 4),
    ("paid in two parts", [{"kind": "payment", "rate": 10}], [sale(100), pay(0, 40), pay(0)], 10),
    (
        "a fixed sum as the customer pays",
        [{"kind": "payment", "formula": "fixed", "rate": 30}],
        [sale(100), pay(0, 50)],
        15,
    ),
    ("not paid yet", [{"kind": "payment", "rate": 10}], [sale(100)], 0),
    # Minimum
    ("below the minimum", [{"minimum_amount": 100}], [sale(99.99)], 0),
    ("at the minimum", [{"minimum_amount": 100}], [sale(60, 40)], 10),
    ("credited to below the minimum", [{"minimum_amount": 100}], [sale(150), credit(0, 60)], 0),
    ("credited to the minimum", [{"minimum_amount": 100}], [sale(150), credit(0, 50)], 10),
    (
        "the minimum is about the document and not what is paid of it",
        [{"kind": "payment", "minimum_amount": 100}],
        [sale(200), pay(0, 50)],
        5,
    ),
    # Caps
    ("at most so much for a document", [{"cap_document": 15}], [sale(200), sale(100)], 25),
    ("credited to below the cap of a document", [{"cap_document": 15}], [sale(200), credit(0, 150)], 5),
    ("at most so much in a month", [{"cap_member": 25}], [sale(100), sale(100), sale(100)], 25),
    (
        "another month has a cap of its own",
        [{"cap_member": 25}],
        [sale(300, date="2026-02-27"), sale(300, date="2026-03-01")],
        50,
    ),
    (
        "at most so much in a quarter",
        [{"cap_member": 25, "cap_period": "quarter"}],
        [sale(300, date="2026-02-27"), sale(300, date="2026-03-01")],
        25,
    ),
    ("a credit note makes room below the cap", [{"cap_member": 25}], [sale(200), sale(100), credit(0)], 10),
    (
        "what is sold first has the cap, though it is invoiced last",
        [{"cap_member": 25}],
        [sale(200, date="2026-03-12"), sale(100, date="2026-03-02")],
        25,
    ),
    ("both caps at once", [{"cap_document": 15, "cap_member": 25}], [sale(300), sale(90), sale(100)], 25),
    ("the cap of a document on payment", [{"kind": "payment", "cap_document": 6}], [sale(100), pay(0, 80)], 6),
    # Rates by category and tier
    ("the rate of a category", [{"rates": [("Tools", None, 4)]}], [sale(100, category="Tools")], 4),
    ("the rate of a category for those below it", [{"rates": [("Tools", None, 4)]}], [sale(100, category="Saws")], 4),
    (
        "the nearest category counts",
        [{"rates": [("Tools", None, 4), ("Saws", None, 3)]}],
        [sale(100, category="Saws")],
        3,
    ),
    ("other products have the rate of the rule", [{"rates": [("Tools", None, 4)]}], [sale(100)], 10),
    (
        "lines of two categories in one document, rounded once",
        [{"rate": 1, "rates": [("Tools", None, 3)]}],
        [sale((50.5, "Tools"), (0.5, None))],
        1.52,
    ),
    ("the rate of a tier", [{"tiers": True, "rates": [(None, "Silver", 6)]}], [sale(100)], 6),
    (
        "the rate of a category in a tier comes before that of the category",
        [{"tiers": True, "rates": [("Tools", None, 4), ("Tools", "Silver", 5)]}],
        [sale(100, category="Saws")],
        5,
    ),
    (
        "the rate of a category comes before that of the tier",
        [{"tiers": True, "rates": [("Tools", None, 4), (None, "Silver", 6)]}],
        [sale(100, category="Tools")],
        4,
    ),
    (
        "per unit by category",
        [{"formula": "per_unit", "rate": 1, "rates": [("Tools", None, 2)]}],
        [sale((10, "Tools"), (10, None), quantity=3)],
        9,
    ),
    # Bands, each its own rate
    ("within the first band", [MARGINAL], [sale(500)], 10),
    ("at the edge of a band", [MARGINAL], [sale(1000)], 20),
    ("in the second band", [MARGINAL], SPLIT, 25),
    ("in the third band", [MARGINAL], [sale(6000)], 300),
    ("a credit note falls back into the band below", [MARGINAL], [sale(1100), credit(0, 200)], 18),
    ("bands of two months", [MARGINAL], [sale(1000, date="2026-02-10"), sale(1000)], 40),
    ("bands of a quarter", [{**MARGINAL, "period": "quarter"}], [sale(1000, date="2026-02-10"), sale(1000)], 70),
    ("a gap below the first band", [{**MARGINAL, "band_ids": bands((1000, 5))}], [sale(1100)], 5),
    # Bands from the first unit
    ("from the first unit, in the first band", [TOTAL], [sale(999.99)], 20),
    ("from the first unit, a band is reached", [TOTAL], SPLIT, 55),
    ("from the first unit, fallen back again", [TOTAL], [sale(1100), credit(0, 200)], 18),
    ("from the first unit, credited in full", [TOTAL], [sale(1100), credit(0)], 0),
    # Sums for reaching a target
    ("a target that is not reached", [TARGET], [sale(999)], 0),
    ("a target that is reached by two sales", [TARGET], SPLIT, 50),
    ("the higher of two targets", [TARGET], [sale(5000)], 400),
    ("a target lost by a credit note", [TARGET], [sale(1100), credit(0, 200)], 0),
    (
        "percent of what exceeds a target",
        [{"formula": "bands", "band_ids": bands((1000, 10))}],
        [sale(1500)],
        50,
    ),
    # Bands on other measures
    (
        "bands on the quantity",
        [{**TOTAL, "measure": "quantity", "band_ids": bands((0, 0.5), (10, 1))}],
        [sale(5, quantity=4), sale(5, quantity=8)],
        12,
    ),
    (
        "bands on the quantity without what is given away",
        [{**TOTAL, "measure": "quantity", "band_ids": bands((0, 0.5), (10, 1))}],
        [sale(5, 0, quantity=6)],
        3,
    ),
    (
        "bands on the number of documents",
        [{**MARGINAL, **POINTS, "measure": "documents", "band_ids": bands((1, 10), (2, 25))}],
        [sale(5), sale(5), sale(5), credit(2)],
        10,
    ),
    (
        "growth against the same month a year before",
        [{**MARGINAL, "measure": "growth", "band_ids": bands((0, 10))}],
        [sale(400, date="2025-03-10"), sale(900)],
        50,
    ),
    (
        "no growth without sales a year before",
        [{**MARGINAL, "measure": "growth", "band_ids": bands((0, 10))}],
        [sale(400, date="2025-04-10"), sale(900)],
        0,
    ),
    (
        "growth is measured anew when last year changes",
        [{**MARGINAL, "measure": "growth", "band_ids": bands((0, 10))}],
        [sale(400, date="2025-03-10"), sale(900), credit(0, 100)],
        60,
    ),
    (
        "less than a year before is no growth",
        [{**MARGINAL, "measure": "growth"}],
        [sale(9, date="2025-03-10"), sale(5)],
        0,
    ),
    ("a cap on bands", [{**TOTAL, "cap_member": 40}], [sale(1100)], 40),
    # Several rules
    ("rules add up", [{"rate": 10}, {"rate": 1}], [sale(100)], 11),
    (
        "the first of a group counts",
        [
            {"rate": 4, "exclusive_group": "A", "category": "Tools", "sequence": 1},
            {"rate": 10, "exclusive_group": "A", "sequence": 2},
        ],
        [sale((100, "Saws"), (100, None))],
        14,
    ),
    (
        "another group adds up",
        [{"rate": 10, "exclusive_group": "A"}, {"rate": 1, "exclusive_group": "B"}],
        [sale(100)],
        11,
    ),
    (
        "the second of a group counts where the first has ended",
        [
            {"rate": 4, "exclusive_group": "A", "date_to": "2026-03-09", "sequence": 1},
            {"rate": 10, "exclusive_group": "A", "sequence": 2},
        ],
        [sale(100, date="2026-03-09"), sale(100)],
        14,
    ),
    # Budget
    ("within the budget", [{"budget": 30}], [sale(100), sale(100)], 20),
    ("the budget gives out", [{"budget": 15}], [sale(100), sale(100), sale(100)], 15),
    (
        "what comes back to a budget is not given out again",
        [{"budget": 15}],
        [sale(200), credit(0, 100), sale(100)],
        10,
    ),
    # Filter
    ("a category and those below it", [{"category": "Tools"}], [sale((100, "Saws"), (100, None))], 10),
    ("another category", [{"category": "Saws"}], [sale(100, category="Tools")], 0),
    # Other currencies
    ("in another currency, at the rate of the day", [{"rate": 10}], [sale(200, currency="USD")], 10),
    ("bands add up currencies after they were converted", [TOTAL], [sale(600), sale(1000, currency="USD")], 55),
]


@tagged("post_install", "-at_install")
class TestRuleSetups(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Category = cls.env["product.category"]
        tools = Category.create({"name": "Tools"})
        cls.categories = {"Tools": tools, "Saws": Category.create({"name": "Saws", "parent_id": tools.id})}
        cls.products = {
            name: cls._create_product(name=name, taxes_id=False, categ_id=category.id)
            for name, category in cls.categories.items()
        }
        cls.products[None] = cls.thing
        cls.currencies = {"USD": cls.setup_other_currency("USD", rates=[("2016-01-01", 2)])}

    def test_what_each_setup_earns(self):
        self.assertGreaterEqual(len(SETUPS), 60)
        for name, rules, events, expected in SETUPS:
            # Each setup is taken back, so that no other program answers the sales of the next.
            with self.subTest(setup=name), self.env.cr.savepoint() as savepoint:
                self._play(name, rules, events)
                self.assertEqual(self.member._get_account(rules[0].get("unit", "money")).balance, expected)
                self.assertInLine(self.program)
                savepoint.rollback()

    def _play(self, name, rules, events):
        self.partner = self._create_partner(name=name, is_company=True)
        tiers = [("Silver", 0), ("Gold", 500)] if rules[0].get("tiers") else []
        self.program = self._create_program(tiers=tiers, name=name)
        for rule in rules:
            self._create_setup_rule(rule)
        self.program.action_start()
        self.member = self._enroll(self.program, self.partner)
        self.sales = []
        for verb, args, values in events:
            getattr(self, f"_do_{verb}")(*args, **values)
            self._answer_documents()

    def _create_setup_rule(self, rule):
        values = {key: value for key, value in rule.items() if key not in ("tiers", "rates", "category")}
        if "category" in rule:
            values["domain"] = f"[('product_id.categ_id', 'child_of', {self.categories[rule['category']].id})]"
        tiers = {tier.name: tier for tier in self.program.tier_ids}
        values["tier_rate_ids"] = [
            Command.create(
                {
                    "categ_id": category and self.categories[category].id,
                    "tier_id": tier and tiers[tier].id,
                    "rate": rate,
                }
            )
            for category, tier, rate in rule.get("rates", ())
        ]
        self._create_rule(self.program, **values)

    def _do_sale(self, *amounts, date="2026-03-10", quantity=1, discount=0, category=None, currency=None):
        """Invoice some amounts, which are prices or pairs of a price and a category."""
        invoice = self._create_sale_invoice(self.partner, date=date, post=False)
        if currency:
            invoice.currency_id = self.currencies[currency]
        invoice.invoice_line_ids = [
            Command.create(
                {
                    "product_id": self.products[product].id,
                    "quantity": quantity,
                    "price_unit": price,
                    "discount": discount,
                    "tax_ids": [Command.clear()],
                }
            )
            for price, product in (amount if isinstance(amount, tuple) else (amount, category) for amount in amounts)
        ]
        invoice.action_post()
        self.sales.append(invoice)

    def _do_credit(self, number, amount):
        self._credit(self.sales[number], amount, date="2026-03-15")

    def _do_pay(self, number, amount):
        self._pay(self.sales[number], amount)
