from datetime import date

from odoo.tests import tagged

from odoo.addons.partner_loyalty.tests.common import TODAY, PartnerLoyaltyCommon
from odoo.addons.partner_loyalty.tools.window import Window


@tagged("post_install", "-at_install")
class TestDelivery(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.freight = cls._create_product(name="Freight", type="service", taxes_id=False)
        cls.carrier = cls.env["delivery.carrier"].create(
            {"name": "Freight", "product_id": cls.freight.id, "delivery_type": "fixed", "fixed_price": 20}
        )

    def _sell(self):
        """Confirm an order of 100 with delivery for 20, and invoice it."""
        order = self._create_order(self.dealer, 100, confirm=False)
        order.set_delivery_line(self.carrier, 20)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        return order, invoice

    def test_delivery_earns_nothing_on_orders_invoices_and_payments(self):
        program = self._create_program(
            [{"kind": kind, "name": kind, "rate": 10} for kind in ("order", "invoice", "payment")]
        )
        member = self._enroll(program, self.dealer)
        order, invoice = self._sell()
        self.assertEqual(order.amount_untaxed, 120)
        self._answer_documents()
        self.assertEntries(member, [10, 10])
        self._pay(invoice)
        self._answer_documents()
        self.assertEntries(member, [10, 10, 10])
        self._credit(invoice)
        self._answer_documents()
        self.assertBalance(member, 10)
        self.assertInLine(program)

    def test_a_fixed_sum_is_earned_in_full_once_all_is_paid(self):
        program = self._create_program([{"kind": "payment", "formula": "fixed", "rate": 30, "minimum_amount": 100}])
        member = self._enroll(program, self.dealer)
        _order, invoice = self._sell()
        self._pay(invoice)
        self._answer_documents()
        self.assertEntries(member, [30])

    def test_an_invoice_of_delivery_alone_earns_nothing(self):
        program = self._create_program([{"formula": "fixed", "rate": 30}, {"rate": 10}])
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 20, product=self.freight)
        self._answer_documents()
        self.assertEntries(member, [])

    def test_lines_without_a_product_count(self):
        program = self._create_program([{"rate": 10}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100, post=False)
        invoice.invoice_line_ids.product_id = False
        invoice.invoice_line_ids.price_unit = 100
        invoice.action_post()
        self._answer_documents()
        self.assertEntries(member, [10])

    def test_delivery_is_no_turnover(self):
        program = self._create_program([{}], tiers=[("Silver", 0)])
        member = self._enroll(program, self.dealer)
        _order, invoice = self._sell()
        self._create_sale_invoice(self.dealer, 20, product=self.freight)
        metric = program._get_turnover_metric()
        self.assertTrue(metric._is_measured_by_document())
        window = Window(date(2026, 3, 1), date.fromisoformat(TODAY))
        self.assertEqual(metric._get_values(program, window), {member.id: 100})
        self._credit(invoice)
        self.assertEqual(metric._get_values(program, window), {member.id: 0})
