from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestContribution(PartnerLoyaltyCommon):
    roles = ("salesperson",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # One euro is two dollars, and four from 15 March on.
        cls.dollar = cls.setup_other_currency("USD", rates=[("2016-01-01", 2), ("2026-03-15", 4)])

    def _get_contributions(self, document=None, partner=None, tz="UTC", **conditions):
        self.env.flush_all()
        domain = [(name, "=", value) for name, value in conditions.items()]
        if document:
            domain += [("document_model", "=", document._name), ("document_id", "=", document.id)]
        if partner:
            domain += [("partner_id", "=", partner.id)]
        return self.env["partner.loyalty.contribution"].with_context(tz=tz).search(domain, order="kind, role, id")

    def assertContributes(self, expected, document, **conditions):
        self.assertEqual(self._get_contributions(document, **conditions).mapped("amount"), expected)

    # === ROWS ===#

    def test_a_row_for_each_line_and_role(self):
        order = self._create_order(self.dealer_contact, 100, 50, loyalty_partner_id=self.referrer.id)
        rows = self._get_contributions(order)
        self.assertRecordValues(
            rows,
            [
                {
                    "kind": "order",
                    "role": role,
                    "partner_id": partner.id,
                    "customer_id": self.dealer.id,
                    "company_id": self.company.id,
                    "origin_model": "sale.order",
                    "origin_id": order.id,
                    "document_name": order.name,
                    "date": self._day(TODAY),
                    "rate_date": self._day(TODAY),
                    "amount": amount,
                    "currency_id": self.company.currency_id.id,
                    "quantity": 1,
                    "product_id": self.thing.id,
                }
                for role, partner in (("buyer", self.dealer), ("referrer", self.referrer))
                for amount in (100, 50)
            ],
        )

    def test_no_two_rows_have_the_same_id(self):
        order = self._create_order(self.dealer, 100, 50, loyalty_partner_id=self.referrer.id)
        invoice = order._create_invoices()
        invoice.action_post()
        for amount in (60, 40, 50):
            self._pay(invoice, amount)
        self._credit(invoice, 70)
        self.env.flush_all()
        Contribution = self.env["partner.loyalty.contribution"]
        ids = [row[0] for row in self.env.execute_query(Contribution._table_query)]
        own = self._get_contributions(partner=self.dealer) + self._get_contributions(partner=self.referrer)
        # In this order: the order, its invoice, a credit note, three payments and what was paid back; the first sale.
        self.assertEqual(len(own), 4 + 4 + 2 + 12 + 2 + 3)
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_credit_note_is_negative_and_belongs_to_its_invoice(self):
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        credit_note = self._credit(invoice, 30)
        self.assertRecordValues(
            self._get_contributions(credit_note, kind="invoice"),
            [
                {
                    "amount": -30,
                    "quantity": -1,
                    "origin_id": invoice.id,
                    "document_id": credit_note.id,
                    "date": self._day(TODAY),
                    "rate_date": self._day("2026-02-10"),
                }
            ],
        )

    def test_a_credit_note_without_an_invoice_stands_alone(self):
        credit_note = self._create_sale_invoice(self.dealer, 30, move_type="out_refund")
        self.assertRecordValues(
            self._get_contributions(credit_note),
            [{"amount": -30, "origin_id": credit_note.id, "rate_date": self._day(TODAY)}],
        )

    def test_an_invoice_written_over_a_credit_note_belongs_to_the_first_invoice(self):
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        credit_note = self._credit(invoice)
        again = credit_note._reverse_moves([{"invoice_date": TODAY, "date": TODAY}])
        again.action_post()
        rows = self._get_contributions(again, kind="invoice")
        self.assertEqual(rows.mapped("origin_id"), [invoice.id])
        self.assertEqual(abs(sum(rows.mapped("amount"))), 100)

    # === PAYMENTS ===#

    def test_each_payment_is_a_row_in_proportion_to_the_total(self):
        invoice = self._create_sale_invoice(self.dealer, 100, taxes=self.tax_sale_a, date="2026-02-10")
        self._pay(invoice, invoice.amount_total * 0.25, date="2026-02-20")
        self._pay(invoice, invoice.amount_total * 0.5, date="2026-03-10")
        rows = self._get_contributions(invoice, kind="payment").sorted("date")
        self.assertEqual(
            [(str(row.date), str(row.rate_date), round(row.amount, 6)) for row in rows],
            [("2026-02-20", "2026-02-10", 25), ("2026-03-10", "2026-02-10", 50)],
        )

    def test_a_write_off_at_payment_does_not_count(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._pay(
            invoice,
            90,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.assertEqual(invoice.amount_residual, 0)
        rows = self._get_contributions(invoice, kind="payment")
        self.assertAlmostEqual(sum(rows.mapped("amount")), 90)

    def test_a_write_off_by_journal_entry_does_not_count(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._pay(invoice, 80)
        receivable = self.company_data["default_account_receivable"]
        write_off = self.env["account.move"].create(
            {
                "line_ids": [
                    Command.create({"account_id": receivable.id, "partner_id": self.dealer.id, "credit": 20}),
                    Command.create({"account_id": self.company_data["default_account_expense"].id, "debit": 20}),
                ]
            }
        )
        write_off.action_post()
        (write_off + invoice).line_ids.filtered(lambda line: line.account_id == receivable).reconcile()
        self.assertEqual(invoice.amount_residual, 0)
        self.assertContributes([80], invoice, kind="payment")

    def test_an_invoice_settled_by_the_credit_note_of_another_sale_counts_as_paid(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        credit_note = self._create_sale_invoice(self.dealer, 40, move_type="out_refund")
        terms = (invoice + credit_note).line_ids.filtered(lambda line: line.display_type == "payment_term")
        terms.reconcile()
        self.assertContributes([40], invoice, kind="payment")
        self.assertContributes([-40], credit_note, kind="payment")

    def test_an_unpaid_invoice_has_no_payment(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self.assertContributes([], invoice, kind="payment")

    def test_two_instalments_are_paid_one_after_the_other(self):
        self.dealer.property_payment_term_id = self.pay_terms_b
        invoice = self._create_sale_invoice(self.dealer, 100)
        self.assertEqual(len(invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")), 2)
        self._pay(invoice, 30)
        self.assertAlmostEqual(sum(self._get_contributions(invoice, kind="payment").mapped("amount")), 30)
        self._pay(invoice, 70)
        self.assertAlmostEqual(sum(self._get_contributions(invoice, kind="payment").mapped("amount")), 100)

    # === FILTERS ===#

    def test_a_rule_filters_by_whatever_a_sale_has(self):
        tools = self.env["product.category"].create({"name": "Tools"})
        self.thing.categ_id = self.env["product.category"].create({"name": "Saws", "parent_id": tools.id})
        tag = self.env["res.partner.category"].create({"name": "Key Dealer"})
        self.dealer.write({"category_id": [Command.link(tag.id)], "country_id": self.env.ref("base.be").id})
        sale = {
            "team_id": self.env["crm.team"].create({"name": "Dealers"}).id,
            "invoice_user_id": self.users["salesperson"].id,
            "campaign_id": self.env["utm.campaign"].create({"name": "Spring"}).id,
        }
        filters = {
            "Team": [("team_id", "=", sale["team_id"])],
            "Salesperson": [("user_id", "=", sale["invoice_user_id"])],
            "Product": [("product_id", "=", self.thing.id)],
            "Category": [("product_id.categ_id", "child_of", tools.id)],
            "Tag": [("partner_id.category_id", "in", tag.ids)],
            "Country": [("partner_id.country_id.code", "=", "BE")],
            "Campaign": [("campaign_id.name", "=", "Spring")],
        }
        program = self._create_program([{"name": name, "domain": str(domain)} for name, domain in filters.items()])
        member, other = self._enroll(program, self.dealer, self.referrer)
        self._create_sale_invoice(self.dealer, 100, **sale)
        self._create_sale_invoice(self.referrer, 100, product=self.bonus_product)
        self._answer_documents()
        self.assertEqual(set(self._get_entries(member).mapped("rule_id.name")), set(filters))
        self.assertEntries(other, [])
        self.assertInLine(program)

    # === DOWN PAYMENTS ===#

    def _invoice_order(self, order, **values):
        wizard = self.env["sale.advance.payment.inv"].create({"sale_order_ids": [Command.set(order.ids)], **values})
        invoice = wizard._create_invoices(order)
        invoice.invoice_date = TODAY
        invoice.action_post()
        return invoice

    def test_a_down_payment_and_the_final_invoice_add_up_to_the_order(self):
        order = self._create_order(self.dealer, 200)
        deposit = self._invoice_order(order, advance_payment_method="percentage", amount=30)
        self.assertContributes([60], deposit, kind="invoice")
        self.assertContributes([200], order)
        final = self._invoice_order(order, advance_payment_method="delivered")
        rows = self._get_contributions(final, kind="invoice")
        self.assertEqual(sum(rows.mapped("amount")), 140)
        self.assertContributes([200], order, kind="order")

    # === CURRENCIES ===#

    def test_an_order_in_another_currency_counts_in_that_of_the_company(self):
        pricelist = self.env["product.pricelist"].create({"name": "Dollars", "currency_id": self.dollar.id})
        before = self._create_order(self.dealer, 100, 0.33, pricelist_id=pricelist.id, date="2026-03-10")
        after = self._create_order(self.dealer, 100, pricelist_id=pricelist.id, date="2026-03-15")
        self.assertRecordValues(
            self._get_contributions(before)[0],
            [
                {
                    "amount": 50,
                    "document_amount": 100,
                    "document_rate": 2,
                    "document_currency_id": self.dollar.id,
                    "currency_id": self.company.currency_id.id,
                }
            ],
        )
        self.assertContributes([50, 0.17], before)
        self.assertContributes([25], after, kind="order")

    def test_a_rate_changed_later_does_not_change_what_was_sold(self):
        pricelist = self.env["product.pricelist"].create({"name": "Dollars", "currency_id": self.dollar.id})
        order = self._create_order(self.dealer, 100, pricelist_id=pricelist.id, date="2026-03-10")
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-03-10", currency_id=self.dollar.id)
        self.env.flush_all()
        self.dollar.rate_ids.write({"rate": 8})
        self.assertContributes([50], order)
        self.assertContributes([50], invoice, kind="invoice")

    def test_an_invoice_in_another_currency_counts_its_payments_at_its_own_rate(self):
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-03-10", currency_id=self.dollar.id)
        self.assertContributes([50], invoice, kind="invoice")
        self._pay(invoice, 40, date="2026-03-16", currency_id=self.dollar.id)
        self.assertEqual(invoice.amount_residual, 60)
        self.assertAlmostEqual(sum(self._get_contributions(invoice, kind="payment").mapped("amount")), 20)
        # 15 euro are 60 dollars by then, and the rest.
        self._pay(invoice, 15, date="2026-03-16", currency_id=self.company.currency_id.id)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertAlmostEqual(sum(self._get_contributions(invoice, kind="payment").mapped("amount")), 50)

    def test_a_credit_note_in_another_currency_brings_a_paid_invoice_to_zero(self):
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-03-10", currency_id=self.dollar.id)
        self._pay(invoice, 40, date="2026-03-10", currency_id=self.dollar.id)
        credit_note = self._credit(invoice, date="2026-03-10")
        self.assertEqual(invoice.amount_residual, 0)
        rows = self._get_contributions(invoice, kind="payment") + self._get_contributions(credit_note, kind="payment")
        self.assertAlmostEqual(sum(rows.mapped("amount")), 0)

    # === TIME ZONES ===#

    def test_an_order_late_in_the_evening_belongs_to_the_day_of_the_time_zone(self):
        order = self._create_order(self.dealer, 100, date="2026-03-18 23:30:00")
        for zone, day in (
            ("UTC", "2026-03-18"),
            ("Pacific/Kiritimati", "2026-03-19"),
            ("Europe/Kyiv", "2026-03-19"),
            ("Pacific/Pago_Pago", "2026-03-18"),
        ):
            with self.subTest(zone=zone):
                self.env.invalidate_all()
                self.assertEqual(str(self._get_contributions(order, tz=zone).date), day)

    def test_a_program_counts_from_midnight_of_its_time_zone(self):
        for zone, expected in (("Pacific/Kiritimati", [10, 10]), ("UTC", [10]), ("Pacific/Pago_Pago", [])):
            with self.subTest(zone=zone):
                partner = self._create_partner(name=zone, is_company=True)
                program = self._create_program([{"kind": "order"}], tz=zone, date_from="2026-03-19", name=zone)
                member = self._enroll(program, partner, date_from="2026-03-19")
                for moment in ("2026-03-18 09:59:59", "2026-03-18 23:30:00", "2026-03-19 00:00:00"):
                    self._create_order(partner, 100, date=moment)
                with self._in_days(1):
                    self._answer_documents()
                    self.assertEntries(member, expected)
                    self.assertInLine(program)

    def test_a_program_counts_up_to_midnight_of_its_time_zone(self):
        partner = self._create_partner(name="Late", is_company=True)
        program = self._create_program([{"kind": "order"}], tz="Europe/Kyiv", date_to="2026-03-17")
        member = self._enroll(program, partner)
        for moment in ("2026-03-17 21:59:59", "2026-03-17 22:00:00"):
            self._create_order(partner, 100, date=moment)
        self._answer_documents()
        self.assertEntries(member, [10])

    # === COMPANIES AND CURRENCIES WITH OTHER DECIMALS ===#

    def test_the_currency_of_the_company_decides_how_money_is_rounded(self):
        for code, amount, expected in (("JPY", 1234, 123), ("KWD", 1.235, 0.124)):
            with self.subTest(code=code):
                currency = self._enable_currency(code)
                data = self.setup_other_company(name=code, currency_id=currency.id)
                program = self._create_program(
                    [{}],
                    company_id=data["company"].id,
                    payout_journal_id=False,
                    payout_product_id=False,
                    name=code,
                )
                member = self._enroll(program, self.dealer)
                journal = data["default_journal_sale"]
                self._create_sale_invoice(self.dealer, amount, journal_id=journal.id, product=self._sell_in(data))
                self._answer_documents()
                self.assertEntries(member, [expected])

    def _sell_in(self, data):
        account = data["default_account_revenue"]
        product = self._create_product(name="Elsewhere", taxes_id=False)
        product.with_company(data["company"]).property_account_income_id = account
        return product
