"""What buyers earn by the margin in set-ups as companies have them, worked out by hand.

A setup has a name, the values of its rules, what happens, and what the buyer has earned after it. What happens is a
list of calls: ``order`` with triples of price, cost and quantity (one by default; a fourth is the category),
``invoice`` of the order with a number, from 0 on, in full or in some quantities; ``pay`` and ``credit`` of the invoice
with a number, and ``take_back`` of some quantity of an order. After each of them the ledger answers; in the end it has
to be in line with the rules.
"""

from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyMarginCommon


def order(*lines, **values):
    return "order", lines, values


def invoice(number=0, *quantities, **values):
    return "invoice", (number, *quantities), values


def pay(number, amount=None):
    return "pay", (number, amount), {}


def credit(number, amount=None, **values):
    return "credit", (number, amount), values


def take_back(number, quantity):
    return "take_back", (number, quantity), {}


ORDER = {"kind": "order"}
PAYMENT = {"kind": "payment"}
BY_CATEGORY = {"rates": [("Tools", None, 20)]}

SETUPS = [
    # Orders
    ("the margin of an order", [ORDER], [order((100, 60))], 4),
    ("the margin of a quantity", [ORDER], [order((100, 60, 3))], 12),
    ("several lines, rounded once", [{**ORDER, "rate": 33.33}], [order((1, 0.9), (1, 0.9), (1, 0.9))], 0.1),
    ("a cost with many digits", [ORDER], [order((100, 33.333333, 3))], 20),
    ("a margin as points", [{**ORDER, "unit": "point"}], [order((100, 54.5))], 5),
    ("an order that is not invoiced", [{}], [order((100, 60))], 0),
    ("a returned unit in an order", [ORDER], [order((100, 60, 2), (100, 60, -1))], 4),
    # Invoices
    ("an invoice from an order", [{}], [order((100, 60)), invoice()], 4),
    ("a part of an order is invoiced", [{}], [order((100, 60, 4)), invoice(0, 1)], 4),
    ("an order is invoiced in two parts", [{}], [order((100, 60, 4)), invoice(0, 1), invoice()], 16),
    ("an invoice at another price", [{}], [order((100, 60)), invoice(0, price=90)], 3),
    ("an order credited in full", [{}], [order((100, 60, 4), (50, 70)), invoice(), credit(0)], 0),
    ("a unit of several is credited", [{}], [order((100, 60, 4)), invoice(), credit(0, 100)], 12),
    ("a price is reduced afterwards", [{}], [order((100, 60, 4)), invoice(), credit(0, 10)], 15.6),
    ("a reduced price is credited in full", [{}], [order((100, 60)), invoice(0, price=90), credit(0)], 0),
    (
        "one of two reduced prices is credited",
        [{}],
        [order((100, 60, 2), (100, 60)), invoice(0, price=90), credit(0, 90)],
        7,
    ),
    ("a price above the one of the invoice is credited", [{}], [order((100, 60, 4)), invoice(), credit(0, 110)], 11),
    (
        "a dozen is invoiced and some units credited",
        [{}],
        [order((240, 120, 1, None, "dozen")), invoice(), credit(0, 20, unit="unit")],
        11,
    ),
    (
        "a price is reduced for some units of a dozen",
        [{}],
        [order((240, 120, 1, None, "dozen")), invoice(), credit(0, 2, unit="unit")],
        11.9,
    ),
    (
        "the price of a whole dozen is reduced",
        [{}],
        [order((240, 120, 1, None, "dozen")), invoice(), credit(0, 24)],
        10.8,
    ),
    # What stands alone takes back
    (
        "a credit note that only its order lines link to the sale",
        [{}],
        [order((100, 60, 4)), invoice(), take_back(0, 3)],
        4,
    ),
    ("an order that returns", [ORDER], [order((100, 60, 4)), order((100, 60, -1))], 12),
    ("an order that returns what was sold at a loss", [ORDER], [order((100, 60)), order((50, 70, -1))], 4),
    ("an order in dozens, invoiced in units", [{}], [order((240, 120, 1, None, "dozen")), invoice(unit="unit")], 12),
    ("an order in units, invoiced in dozens", [{}], [order((20, 10, 12)), invoice(unit="dozen")], 12),
    # Payments
    ("not paid yet", [PAYMENT], [order((100, 60)), invoice()], 0),
    ("paid in part", [PAYMENT], [order((100, 60)), invoice(), pay(0, 40)], 1.6),
    ("paid in two parts", [PAYMENT], [order((100, 60)), invoice(), pay(0, 40), pay(0)], 4),
    ("paid in three parts that do not come out even", [PAYMENT], [order((100, 60)), invoice(), pay(0, 33.33)], 1.33),
    ("paid and then credited in full", [PAYMENT], [order((100, 60)), invoice(), pay(0), credit(0)], 0),
    ("paid and then a unit credited", [PAYMENT], [order((100, 60, 4)), invoice(), pay(0), credit(0, 100)], 12),
    ("a loss is paid in part", [PAYMENT], [order((100, 60), (50, 70)), invoice(), pay(0, 75)], 1),
    # Other currencies: two dollars for a euro, from 15 March on four
    ("an order in another currency", [ORDER], [order((200, 120), currency="USD")], 4),
    ("an invoice in another currency", [{}], [order((200, 120), currency="USD"), invoice()], 4),
    (
        "the cost is converted at the rate of the order",
        [{}],
        [order((200, 60), currency="USD"), invoice(date="2026-03-16")],
        2,
    ),
    (
        "a line in another currency is credited at the rate of another day",
        [{}],
        [order((200, 60), (200, 60), currency="USD"), invoice(date="2026-03-16"), credit(0, 200, date="2026-03-16")],
        2,
    ),
    ("a payment in another currency", [PAYMENT], [order((200, 120), currency="USD"), invoice(), pay(0, 100)], 2),
    # Costs that are not known
    ("a cost that is not known", [ORDER], [order((100, 0))], 0),
    ("a cost that is not known beside one that is", [ORDER], [order((100, 60), (50, 0))], 4),
    ("an unknown cost is invoiced and credited", [{}], [order((100, 60), (50, 0)), invoice(), credit(0)], 0),
    ("an invoice without an order", [{}], [("plain_invoice", (100,), {})], 0),
    ("a line without an order on an invoice", [{}], [order((100, 60)), invoice(more=50)], 4),
    # What costs nothing
    ("a discount is deducted in full", [ORDER], [order((100, 60), (-30, 0))], 1),
    ("a discount is invoiced and credited", [{}], [order((100, 60), (-30, 0)), invoice(), credit(0)], 0),
    ("a discount is paid in part", [PAYMENT], [order((100, 60), (-20, 0)), invoice(), pay(0, 40)], 1),
    ("something given away", [ORDER], [order((100, 60), (0, 15))], 2.5),
    ("something given away that cost nothing", [ORDER], [order((100, 60), (0, 0))], 4),
    # Losses
    ("a line at a loss", [ORDER], [order((100, 60), (50, 70))], 2),
    ("a document at a loss", [ORDER], [order((50, 70))], 0),
    ("a document at a loss leaves others alone", [ORDER], [order((50, 70)), order((100, 60))], 4),
    ("the line at a loss is credited", [{}], [order((50, 70), (100, 60)), invoice(), credit(0, 50)], 4),
    ("the line that earned is credited", [{}], [order((100, 60), (50, 70)), invoice(), credit(0, 100)], 0),
    # Rates by category and tier
    ("the rate of a category", [{**ORDER, **BY_CATEGORY}], [order((100, 60, 1, "Tools"))], 8),
    ("two categories", [{**ORDER, **BY_CATEGORY}], [order((100, 60, 1, "Tools"), (100, 60))], 12),
    (
        "two categories on payment",
        [{**PAYMENT, **BY_CATEGORY}],
        [*[order((100, 60, 1, "Tools"), (100, 60)), invoice()], pay(0, 50)],
        3,
    ),
    ("a loss at the rate of its category", [{**ORDER, **BY_CATEGORY}], [order((100, 110, 1, "Tools"), (100, 60))], 2),
    ("a loss of one category takes all", [{**ORDER, **BY_CATEGORY}], [order((100, 140, 1, "Tools"), (100, 60))], 0),
    ("unknown costs in two categories", [{**ORDER, **BY_CATEGORY}], [order((9, 0, 1, "Tools"), (9, 0), (100, 60))], 4),
    ("the rate of a tier", [{**ORDER, "tiers": True, "rates": [(None, "Silver", 6)]}], [order((100, 60))], 2.4),
    # Minimum: about the net amount
    ("below the minimum", [{**ORDER, "minimum_amount": 100}], [order((99, 10))], 0),
    ("at the minimum", [{**ORDER, "minimum_amount": 100}], [order((100, 90))], 1),
    ("at the minimum with an unknown cost", [{**ORDER, "minimum_amount": 100}], [order((60, 40), (40, 0))], 2),
    (
        "the minimum is about all categories",
        [{**ORDER, **BY_CATEGORY, "minimum_amount": 100}],
        [order((60, 20, 1, "Tools"), (40, 20))],
        10,
    ),
    ("credited to below the minimum", [{"minimum_amount": 100}], [order((75, 60, 2)), invoice(), credit(0, 75)], 0),
    (
        "the minimum is about the invoice and not what is paid of it",
        [{**PAYMENT, "minimum_amount": 100}],
        [order((100, 60)), invoice(), pay(0, 50)],
        2,
    ),
    # Limits
    ("at most so much for a document", [{**ORDER, "cap_document": 3}], [order((100, 60)), order((100, 80))], 5),
    ("at most so much in a month", [{**ORDER, "cap_member": 5}], [order((100, 60)), order((100, 60))], 5),
    (
        "both caps with categories",
        [{**ORDER, **BY_CATEGORY, "cap_document": 3, "cap_member": 5}],
        [order((100, 60)), order((100, 60, 1, "Tools"))],
        5,
    ),
    (
        "a credit note makes room below the cap",
        [{"cap_member": 5}],
        [order((100, 60)), invoice(), order((100, 60)), invoice(1), credit(0)],
        4,
    ),
    ("the budget gives out", [{**ORDER, "budget": 5}], [order((100, 60)), order((100, 60))], 5),
    # Several rules
    ("margin and turnover add up", [ORDER, {**ORDER, "formula": "percent", "rate": 1}], [order((100, 60))], 5),
    (
        "the first of a group earns by the margin, the second by turnover",
        [
            {**ORDER, "exclusive_group": "A", "category": "Tools", "sequence": 1},
            {**ORDER, "exclusive_group": "A", "formula": "percent", "rate": 1, "sequence": 2},
        ],
        [order((100, 60, 1, "Tools"), (100, 60))],
        5,
    ),
    ("a repeated order", [{"kind": "repeat_order"}], [order((100, 60)), order((100, 80), date="2026-03-11")], 2),
]


@tagged("post_install", "-at_install")
class TestMarginSetups(PartnerLoyaltyMarginCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tools = cls.env["product.category"].create({"name": "Tools"})
        cls.categories = {"Tools": tools}
        cls.products = {"Tools": cls._create_product(name="Saw", categ_id=tools.id, invoice_policy="order")}
        cls.products[None] = cls.thing
        cls.units = {
            "unit": cls.env.ref("uom.product_uom_unit"),
            "dozen": cls.env.ref("uom.product_uom_dozen"),
        }
        dollar = cls.setup_other_currency("USD", rates=[("2016-01-01", 2), ("2026-03-15", 4)])
        cls.pricelists = {"USD": cls.env["product.pricelist"].create({"name": "Dollar", "currency_id": dollar.id})}

    def test_what_each_setup_earns(self):
        for name, rules, events, expected in SETUPS:
            # Each setup is taken back, so that no other program answers the sales of the next.
            with self.subTest(setup=name), self.env.cr.savepoint() as savepoint:
                self._play(name, rules, events)
                self.assertEqual(self.member._get_account(rules[0].get("unit", "money")).balance, expected)
                self.assertInLine(self.program)
                self._assert_invariants()
                savepoint.rollback()

    def _play(self, name, rules, events):
        self.partner = self._create_partner(name=name, is_company=True)
        tiers = [("Silver", 0), ("Gold", 500)] if rules[0].get("tiers") else []
        self.program = self._create_program(tiers=tiers, name=name)
        for rule in rules:
            self._create_setup_rule(rule)
        self.program.action_start()
        self.member = self._enroll(self.program, self.partner)
        self.orders, self.invoices = [], []
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

    def _do_order(self, *lines, currency=None, **values):
        if currency:
            values["pricelist_id"] = self.pricelists[currency].id
        self.orders.append(
            self._create_costed_order(self.partner, *(self._prepare_line(*line) for line in lines), **values)
        )

    def _prepare_line(self, price, cost, quantity=1, category=None, unit="unit"):
        return {
            "product_id": self.products[category].id,
            "product_uom_id": self.units[unit].id,
            "product_uom_qty": quantity,
            "price_unit": price,
            "purchase_price": cost,
        }

    def _do_invoice(self, number, *quantities, price=None, unit=None, more=None, **values):
        invoice = self._invoice_order(self.orders[number], *quantities, post=False, **values)
        line = invoice.invoice_line_ids[:1]
        if price is not None:
            line.price_unit = price
        if unit:
            ratio = line.product_uom_id.factor / self.units[unit].factor
            line.write(
                {
                    "product_uom_id": self.units[unit].id,
                    "quantity": line.quantity * ratio,
                    "price_unit": line.price_unit / ratio,
                }
            )
        if more:
            invoice.invoice_line_ids = [
                Command.create({"product_id": self.thing.id, "price_unit": more, "tax_ids": [Command.clear()]})
            ]
        invoice.action_post()
        self.invoices.append(invoice)

    def _do_plain_invoice(self, amount):
        self.invoices.append(self._create_sale_invoice(self.partner, amount, date="2026-03-10"))

    def _do_credit(self, number, amount, date="2026-03-15", unit=None):
        credit_note = self._credit(self.invoices[number], amount, date=date, post=False)
        if unit:
            credit_note.invoice_line_ids.product_uom_id = self.units[unit]
            credit_note.invoice_line_ids.price_unit = amount
        credit_note.action_post()

    def _do_take_back(self, number, quantity):
        """Invoice less of an order than was invoiced before, which makes a credit note that knows no invoice."""
        self.orders[number].order_line.product_uom_qty -= quantity
        credit_note = self.orders[number]._create_invoices(final=True)
        credit_note.invoice_date = "2026-03-15"
        credit_note.action_post()
        self.assertRecordValues(credit_note, [{"move_type": "out_refund", "reversed_entry_id": False}])

    def _do_pay(self, number, amount):
        self._pay(self.invoices[number], amount)
