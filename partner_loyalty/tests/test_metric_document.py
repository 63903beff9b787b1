"""Turnover is read from whole documents where that is enough: it has to be what their lines add up to."""

from datetime import date, timedelta
from random import Random
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.partner_loyalty.models.partner_loyalty_measure import PartnerLoyaltyMeasure

from .common import TODAY
from .test_metric import YEAR, MetricCommon

SEEDS = (1, 2, 3)
DOCUMENTS = 24
# What can be measured by whole documents: aggregate and field.
MEASURED = (
    ("sum", "amount"),
    ("average", "amount"),
    ("count", "amount"),
    ("distinct", "customer"),
    ("distinct", "campaign"),
    ("distinct", "month"),
)
WINDOWS = (
    YEAR,
    YEAR._replace(first=date(2026, 2, 1), last=date(2026, 2, 28)),
    YEAR._replace(first=None),
)


@tagged("post_install", "-at_install")
class TestMeasureByDocument(MetricCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dollar = cls.setup_other_currency("USD", rates=[("2016-01-01", 1.37), ("2026-02-10", 1.13)])
        cls.currencies = cls.company.currency_id | dollar
        cls.included = cls.tax_sale_a.copy({"name": "Included", "price_include_override": "tax_included"})
        cls.roundings = cls.env["account.cash.rounding"].create(
            [
                {
                    "name": strategy,
                    "strategy": strategy,
                    "rounding": 0.5,
                    "profit_account_id": cls.company_data["default_account_revenue"].id,
                    "loss_account_id": cls.company_data["default_account_expense"].id,
                }
                for strategy in ("add_invoice_line", "biggest_tax")
            ]
        )
        cls.campaigns = cls.env["utm.campaign"].create([{"name": name} for name in ("Spring", "Autumn")])

    # === SALES ===#

    def _play(self, random):
        """Invoice and credit at random; what is a draft or canceled must not count."""
        invoices = self.env["account.move"]
        for _number in range(DOCUMENTS):
            move = self.env["account.move"].create(self._draw_document(random))
            # Odoo posts no document with a negative total.
            if random.random() < 0.9 and move.amount_total >= 0:
                move.action_post()
                invoices += move.filtered(lambda posted: posted.move_type == "out_invoice")
        for invoice in invoices:
            self._play_afterwards(random, invoice)

    def _draw_document(self, random):
        partner = random.choice((self.dealer, self.dealer_contact, self.referrer, self.customer))
        rounding = random.choice((self.env["account.cash.rounding"], *self.roundings))
        return {
            "move_type": random.choice(("out_invoice", "out_invoice", "out_invoice", "out_refund", "out_receipt")),
            "partner_id": partner.id,
            "loyalty_partner_id": random.choice((False, self.referrer.id)) if partner == self.customer else False,
            "currency_id": random.choice(self.currencies).id,
            "invoice_date": date.fromisoformat(TODAY) - timedelta(days=random.randrange(70)),
            "invoice_cash_rounding_id": rounding.id,
            "campaign_id": random.choice((False, *self.campaigns.ids)),
            "invoice_line_ids": [
                *(Command.create(self._draw_line(random)) for _number in range(random.randint(1, 4))),
                Command.create({"display_type": "line_note", "name": "Thank you"}),
            ],
        }

    def _draw_line(self, random):
        taxes = random.choice((self.env["account.tax"], self.tax_sale_a, self.included))
        return {
            "name": "Sold",
            "product_id": random.choice((False, self.thing.id)),
            "quantity": random.choice((1, 3, 0.333, -0.5)),
            "price_unit": random.randint(1, 30000) / 100,
            "discount": random.choice((0, 0, 33.3, 100)),
            "tax_ids": [Command.set(taxes.ids)],
        }

    def _play_afterwards(self, random, invoice):
        """Credit an invoice in part or in full, invoice it again, or cancel it, or leave it as it is."""
        what = random.randrange(8)
        day = str(min(invoice.invoice_date + timedelta(days=random.randrange(20)), date.fromisoformat(TODAY)))
        if what == 0:
            invoice.button_draft()
            invoice.button_cancel()
        elif what == 1:
            self._credit(invoice, random.randint(1, 9000) / 100, date=day)
        elif what in (2, 3):
            credit_note = self._credit(invoice, date=day)
            if what == 3:
                credit_note._reverse_moves([{"invoice_date": day, "date": day}]).action_post()

    # === TESTS ===#

    def test_documents_come_to_what_their_lines_add_up_to(self):
        for seed in SEEDS:
            with self.env.cr.savepoint() as savepoint:
                self._play(Random(seed))
                rounded = self.env["account.move.line"].search_count([("display_type", "=", "rounding")])
                self.assertGreater(rounded, 2, "The sales have to be some that tell the two apart")
                for role in ("buyer", "referrer"):
                    for aggregate, field in MEASURED:
                        self._compare(f"seed {seed}: {role}, {aggregate} of {field}", role, aggregate, field)
                    self._compare_together(f"seed {seed}: {role}, together", role)
                savepoint.rollback()
            self.env.invalidate_all()

    def _compare(self, message, role, aggregate, field):
        metric = self._create_metric(kind="invoice", role=role, aggregate=aggregate, field=field)
        self.assertTrue(metric._is_measured_by_document())
        for window in WINDOWS:
            by_document = metric._get_values(self.program, window)
            with patch.object(PartnerLoyaltyMeasure, "_is_measured_by_document", return_value=False):
                by_line = metric._get_values(self.program, window)
            self.assertEqual(by_document, by_line, f"{message}, {window.first} to {window.last}")

    def _compare_together(self, message, role):
        """Compare metrics that are read in one go, as tiers do, with each of them read by line."""
        metrics = [
            self._create_metric(kind="invoice", role=role, aggregate=aggregate, field=field)
            for aggregate, field in MEASURED
        ]
        Decision = self.env["partner.loyalty.tier.decision"]
        due = Decision._get_due_query(self.program, SQL("TRUE"), SQL("TRUE"))
        rows = self.env.execute_query_dict(Decision._get_measured_query(self.program, YEAR, due, metrics))
        with patch.object(PartnerLoyaltyMeasure, "_is_measured_by_document", return_value=False):
            by_line = [metric._get_values(self.program, YEAR) for metric in metrics]
        self.assertEqual(len(rows), 3)
        for row in rows:
            together = [row[f"value_{number}"] for number in range(len(metrics))]
            self.assertEqual(together, [values[row["holder_id"]] for values in by_line], message)

    def test_cash_rounding_is_no_turnover(self):
        invoice = self._create_sale_invoice(self.dealer, 100.2, invoice_cash_rounding_id=self.roundings[0].id)
        self.assertEqual(invoice.amount_untaxed, 100)
        self.assertValue(self._get_shipped("turnover"), 100.2)
        # What rounds it is found by its line, whether or not the invoice still says why.
        self.roundings[0].unlink()
        self.assertFalse(invoice.invoice_cash_rounding_id)
        self.assertValue(self._get_shipped("turnover"), 100.2)

    def test_lines_are_read_where_a_metric_asks_for_what_only_they_know(self):
        for values in (
            {"aggregate": "sum", "field": "quantity"},
            {"aggregate": "distinct", "field": "product"},
            {"aggregate": "last"},
            {"aggregate": "sum", "field": "amount", "domain": f"[('product_id', '=', {self.thing.id})]"},
            {"aggregate": "sum", "field": "amount", "kind": "order"},
        ):
            with self.subTest(**values):
                self.assertFalse(self._create_metric(**{"kind": "invoice", **values})._is_measured_by_document())
        self.assertTrue(self.program._get_turnover_metric()._is_measured_by_document())
