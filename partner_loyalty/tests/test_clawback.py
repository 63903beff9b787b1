"""What is taken back after it was paid: the next payout nets it to the cent, and its statement shows how."""

import io
import re

from pypdf import PdfReader

from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestClawback(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A server of another database that happens to listen where styles are asked for would empty the page.
        cls.env["ir.config_parameter"].set_param("report.url", "http://127.0.0.1:9")
        cls.program = cls._create_program([{"name": "Paid sales", "kind": "payment", "rate": 10}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def _sell(self, amount, paid):
        """Invoice ``amount`` to the dealer, of which ``paid`` is paid."""
        invoice = self._create_sale_invoice(self.dealer, amount)
        self._pay(invoice, paid)
        self._answer_documents()
        return invoice

    def _pay_out(self, day=0):
        """Prepare, submit, approve and bill what is available, ``day`` days from now: payouts differ in their day."""
        with self._in_days(day):
            payout = self._bill_payout(self.member, date=f"2026-03-{18 + day}")
        self.assertEqual(payout.state, "billed")
        return payout

    def _get_statement(self, payout):
        """Return the statement as the partner reads it: the text of the PDF in one line."""
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        with self.allow_pdf_render():
            pdf, kind = report._render_qweb_pdf("partner_loyalty.partner_loyalty_payout_report_action", payout.ids)
        self.assertEqual(kind, "pdf")
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
        # Odoo keeps a minus sign and its number together with a character that has no width.
        return re.sub(r"\s+", " ", re.sub("[\u200b\u2060\ufeff]", "", text))

    def assertStatement(self, payout, opening, lines, closing):
        """Check the statement of a payout: what it adds up to, and that the PDF says the same, line by line.

        :param lines: pairs of document and amount; the document is a record
        """
        self.assertEqual(
            [(line.origin_model, line.origin_id, line.amount) for line in payout.line_ids],
            [(document._name, document.id, amount) for document, amount in lines],
        )
        self.assertRecordValues(payout, [{"opening_balance": opening, "closing_balance": closing}])
        self.assertAlmostEqual(opening + sum(amount for _document, amount in lines), closing)
        text = self._get_statement(payout)
        expected = [("Opening balance", opening), *((doc.name, amount) for doc, amount in lines)]
        for name, amount in (*expected, ("Closing balance", closing)):
            # The amount is the last one of its line: the explanation before it has amounts of its own.
            found = re.search(rf"{re.escape(name)}.*?(-?[\d,]+\.\d\d) €(?= \d+ \d\d/\d\d/| [A-Z]|$)", text)
            self.assertTrue(found, f"{name} is not on the statement: {text}")
            self.assertEqual(float(found[1].replace(",", "")), amount, f"{name} on the statement: {text}")
            text = text[found.end() :]
        return text

    # === CREDITED AFTER 40 % WAS PAID ===#

    def test_forty_percent_paid_and_paid_out_then_half_credited_takes_nothing_back(self):
        invoice = self._sell(1000.25, 400.10)
        first = self._pay_out()
        self.assertEqual(first.bill_id.amount_untaxed, 40.01)

        self._credit(invoice, 500.13)
        self.assertEqual(invoice.amount_residual, 100.02)
        self.assertFalse(self._answer_documents(), "The credit note nets what was open.")
        self.assertBalance(self.member, 0)

        sale = self._sell(333.33, 333.33)
        second = self._pay_out(day=1)
        self.assertEqual(second.bill_id.amount_untaxed, 33.33)
        self.assertStatement(first, 0, [(invoice, 40.01), (first, -40.01)], 0)
        self.assertStatement(second, 0, [(sale, 33.33), (second, -33.33)], 0)

    def test_the_rest_that_is_paid_after_half_was_credited_earns_to_the_cent(self):
        invoice = self._sell(100, 40)
        self._pay_out()
        self._credit(invoice, 50)
        self._pay(invoice, 10)
        self._answer_documents()
        self.assertEntries(self.member, [4, -4, 1])

    def test_forty_percent_paid_and_paid_out_then_all_credited_ends_at_zero(self):
        invoice = self._sell(100, 40)
        first = self._pay_out()
        self._credit(invoice)
        self._answer_documents()
        self.assertEntries(self.member, [4, -4, -4])
        self.assertEqual(self._get_earned(invoice), 0)
        self.assertBalance(self.member, -4)

        sale = self._sell(123.45, 123.45)
        second = self._pay_out(day=1)
        self.assertEqual(second.bill_id.amount_untaxed, 8.35)
        self.assertStatement(first, 0, [(invoice, 4), (first, -4)], 0)
        self.assertStatement(second, 0, [(invoice, -4), (sale, 12.35), (second, -8.35)], 0)

    # === CREDITED AFTER 80 % WAS PAID ===#

    def test_eighty_percent_paid_and_paid_out_then_half_credited_is_netted_to_the_cent(self):
        invoice = self._sell(1000, 800)
        first = self._pay_out()
        self._pay(first.bill_id)
        self.assertEqual(first.state, "paid")

        self._credit(invoice, 500)
        taken = self._answer_documents()
        self.assertRecordValues(
            taken, [{"type": "clawback", "amount": -30, "amount_open": -30, "origin_id": invoice.id, "revision": 1}]
        )
        self.assertRecordValues(self.member, [{"money_balance": -30, "money_available": 0}])

        sale = self._sell(777.77, 777.77)
        self.assertRecordValues(self.member, [{"money_balance": 47.78, "money_available": 47.78}])
        second = self._pay_out(day=1)
        self.assertEqual(second.bill_id.amount_untaxed, 47.78)
        rest = self.assertStatement(second, 0, [(invoice, -30), (sale, 77.78), (second, -47.78)], 0)
        self.assertIn("47.78", rest)
        self.assertBalance(self.member, 0)

    def test_every_line_of_the_statement_says_where_it_comes_from(self):
        invoice = self._sell(1000, 800)
        self._pay_out()
        self._credit(invoice, 500)
        self._answer_documents()
        sale = self._sell(777.77, 777.77)
        second = self._pay_out(day=1)
        back, earned, paid = second.line_ids
        self.assertEqual((back.origin_name, earned.origin_name), (invoice.display_name, sale.display_name))
        self.assertEqual((back.rule_id, earned.rule_id), (self.program.rule_ids, self.program.rule_ids))
        self.assertIn(
            "50.00 € in all, of which 80.00 € had been posted", back.explanation_text.replace("\N{NO-BREAK SPACE}", " ")
        )
        self.assertEqual(earned.explanation_text, "10 % of 777.77\N{NO-BREAK SPACE}€; Paid sales")
        self.assertEqual(paid.origin_name, second.name)
        self.assertEqual(paid.action_open_document()["res_id"], second.id)
        text = self._get_statement(second)
        for line in back + earned:
            self.assertIn(line.explanation_text.replace("\N{NO-BREAK SPACE}", " "), text)

    def test_what_is_taken_back_is_allocated_to_what_pays_it(self):
        invoice = self._sell(1000, 800)
        self._pay_out()
        self._credit(invoice, 500)
        self._answer_documents()
        self._sell(777.77, 777.77)
        second = self._pay_out(day=1)
        back, earned, paid = second.line_ids
        allocations = self.env["partner.loyalty.allocation"].search([("credit_entry_id", "=", earned.id)])
        self.assertRecordValues(
            allocations, [{"debit_entry_id": back.id, "amount": 30}, {"debit_entry_id": paid.id, "amount": 47.78}]
        )

    def test_a_new_sale_smaller_than_the_debt_leaves_the_rest_of_the_debt(self):
        invoice = self._sell(1000, 800)
        self._pay_out()
        self._credit(invoice, 500)
        self._answer_documents()
        self._sell(120, 120)
        self.assertRecordValues(self.member, [{"money_balance": -18, "money_available": 0}])
        with self._in_days(1):
            payout = self._create_payout(self.member, date="2026-03-19")
            with self.assertRefused("nothing is available"):
                payout.action_submit()

    def test_what_is_taken_back_before_the_payout_comes_off_its_own_earning(self):
        invoice = self._sell(1000, 800)
        other = self._sell(500, 500)
        self._credit(invoice, 500)
        self._answer_documents()
        lots = {entry.origin_id: entry.amount_open for entry in self._get_entries(self.member)[:2]}
        self.assertEqual(lots, {invoice.id: 50, other.id: 50})
        self.assertEqual(self._pay_out().amount, 100)

    def test_a_credit_note_while_the_payout_waits_for_approval_is_a_debt_for_the_next(self):
        invoice = self._sell(1000, 800)
        payout = self._submit_payout(self.member)
        self._credit(invoice, 500)
        self._answer_documents()
        payout.with_user(self.users["manager"]).action_approve()
        self.assertEqual(payout.with_user(self.env.user).bill_id.amount_untaxed, 80)
        self.assertBalance(self.member, -30)

    def test_a_credit_note_taken_back_after_the_debt_was_paid_is_earned_again(self):
        invoice = self._sell(1000, 800)
        self._pay_out()
        credit_note = self._credit(invoice, 500)
        self._answer_documents()
        self._sell(777.77, 777.77)
        self._pay_out(day=1)
        credit_note.button_draft()
        credit_note.button_cancel()
        self._answer_documents()
        self._pay(invoice, date=TODAY)
        self._answer_documents()
        self.assertEqual(self._get_earned(invoice), 100)

    def _get_earned(self, invoice):
        entries = self._get_entries(self.member).filtered(
            lambda entry: (entry.origin_model, entry.origin_id) == ("account.move", invoice.id)
        )
        return sum(entries.mapped("amount"))
