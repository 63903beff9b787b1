"""Payouts in the portal: where each one is, what it is made of, and the invoice that the partner sends for it."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon

PDF = b"%PDF-1.4 not much"


@tagged("post_install", "-at_install")
class TestPortalPayout(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}/payouts"
        cls.env["ir.config_parameter"].sudo().set_param("report.url", "http://127.0.0.1:9")

    def _post(self, payout, filename="invoice.pdf", content=PDF, role="owner", **form):
        """Send the form of the invoice, and return the page that follows, or the answer."""
        data = {"invoice_number": "R-1", "invoice_date": "2026-03-18", "invoice_amount": "50,00", **form}
        files = {"invoice_file": (filename, content, "application/pdf")} if filename else None
        return self._send(f"{self.url}/{payout.id}/invoice", role, files=files, **data)

    def _approve_own(self):
        self.program.payout_document = "own"
        self._post_entry(self.member, 50)
        return self._approve_payout(self.member)

    # === LIST AND PAGE ===#

    def test_payouts_are_listed_with_their_state(self):
        self._post_entry(self.member, 50)
        payout = self._submit_payout(self.member)
        self._post_entry(self.member, 8)
        draft = self._create_payout(self.member, date="2026-03-17")
        page = self._open(self.url, "finance")
        text = self._read(page)
        for part in (payout.name, "50.00", "To Approve", "8.00"):
            self.assertIn(part, text)
        self.assertNotIn(draft.name, text)

    def test_without_payouts_it_says_when_there_will_be_some(self):
        self.assertIn("Nothing was paid out yet", self._read(self._open(self.url, "owner")))

    def test_a_payout_says_in_words_where_it_is(self):
        self._post_entry(self.member, 50)
        payout = self._submit_payout(self.member)
        url = f"{self.url}/{payout.id}"
        self.assertIn("A manager checks the payout", self._read(self._open(url, "owner")))
        payout.with_user(self.users["manager"]).action_hold("Ask Joe about it")
        text = self._read(self._open(url))
        self.assertIn("clarifying something", text)
        self.assertNotIn("Ask Joe", text)
        payout.with_user(self.users["manager"]).action_release()
        payout.with_user(self.users["manager"]).action_approve()
        self.assertIn("on its way into our books", self._read(self._open(url)))
        payout.sudo().bill_id.action_post()
        self.assertIn("will be paid next", self._read(self._open(url)))

    def test_a_refused_payout_says_that_the_money_is_back(self):
        self._post_entry(self.member, 50)
        payout = self._submit_payout(self.member)
        payout.with_user(self.users["manager"]).action_refuse("He is rude")
        text = self._read(self._open(f"{self.url}/{payout.id}", "owner"))
        self.assertIn("the money is back on your balance", text)
        self.assertNotIn("rude", text)

    def test_a_payout_shows_its_lines(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        payout = self._submit_payout(self.member)
        page = self._open(f"{self.url}/{payout.id}", "owner")
        self.assertIn(invoice.name, self._read(page, "o_loyalty_line"))

    def test_many_lines_are_left_to_the_pdf(self):
        for amount in (1, 2, 3):
            self._post_entry(self.member, amount)
        payout = self._submit_payout(self.member)
        with patch("odoo.addons.partner_loyalty.controllers.portal_payout.MAX_LINES", 2):
            page = self._open(f"{self.url}/{payout.id}", "owner")
        self.assertEqual(len(page.xpath("//li[contains(@class, 'o_loyalty_line')]")), 2)
        self.assertIn("There are more lines", self._read(page))

    def test_a_payout_is_printed(self):
        self._post_entry(self.member, 50)
        payout = self._submit_payout(self.member)
        self._log_in("finance")
        response = self.url_open(f"{self.url}/{payout.id}/pdf", allow_redirects=False)
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertIn(payout.name, response.text)

    # === WHOSE PAYOUTS ===#

    @mute_logger("odoo.http")
    def test_sales_open_no_payouts(self):
        payout = self._approve_own()
        for path in (self.url, f"{self.url}/{payout.id}", f"{self.url}/{payout.id}/pdf"):
            self._open(path, "sales", status=403)
        self._send(f"{self.url}/{payout.id}/invoice", status=403)
        self.assertFalse(self._open(f"/my/loyalty/{self.program.id}").xpath("//nav/a[contains(@href, 'payouts')]"))

    @mute_logger("odoo.http")
    def test_payouts_of_others_and_drafts_are_not_found(self):
        self._post_entry(self.member, 50)
        self._post_entry(self.other_member, 50)
        mine, other = self._create_payout(self.member), self._submit_payout(self.other_member)
        self._log_in("owner")
        for number in (mine.id, other.id, 0, 2**31, 2**80):
            for path in (f"{self.url}/{number}", f"{self.url}/{number}/pdf"):
                self._open(path, status=404)
            self._send(f"{self.url}/{number}/invoice", status=404)

    # === THE PARTNER'S INVOICE ===#

    def test_the_partner_sends_its_invoice(self):
        payout = self._approve_own()
        self.assertIn("Waits for your invoice", self._read(self._open(self.url, "owner")))
        self.assertIn("Send us your invoice", self._read(self._open(f"{self.url}/{payout.id}")))
        page = self._post(payout)
        self.assertIn("your invoice has arrived", self._read(page, "alert-success"))
        self.assertRecordValues(
            payout,
            [
                {
                    "invoice_number": "R-1",
                    "invoice_date": self._day("2026-03-18"),
                    "invoice_amount": 50,
                    "invoice_filename": "invoice.pdf",
                }
            ],
        )
        self.assertTrue(payout.invoice_file)
        self.assertEqual(payout.activity_ids.user_id, self.users["officer"])
        self.assertEqual(payout.message_ids[0].author_id, self.users["owner"].partner_id)
        payout.with_user(self.users["officer"]).action_bill()
        self.assertEqual(payout.bill_id.ref, "R-1")
        self.assertIn("takes no invoice", self._read(self._post(payout), "alert-danger"))

    def test_an_invoice_can_be_corrected_without_its_file(self):
        payout = self._approve_own()
        self._post(payout)
        self._post(payout, filename=None, invoice_number="R-2")
        self.assertEqual(payout.invoice_number, "R-2")
        self.assertEqual(payout.invoice_filename, "invoice.pdf")

    def test_invoices_that_cannot_be_right_are_refused_with_what_to_do(self):
        payout = self._approve_own()
        for form, words in (
            ({"invoice_amount": "49.99"}, "send an invoice about the amount of the payout"),
            ({"invoice_amount": "fifty"}, "Enter number, date and amount"),
            ({"invoice_amount": "NaN"}, "Enter number, date and amount"),
            ({"invoice_amount": "1e400"}, "Enter number, date and amount"),
            ({"invoice_amount": "-50"}, "Enter number, date and amount"),
            ({"invoice_amount": "9" * 40}, "Enter number, date and amount"),
            ({"invoice_number": " "}, "Enter number, date and amount"),
            ({"invoice_date": ""}, "Enter number, date and amount"),
            ({"invoice_date": "soon"}, "Enter number, date and amount"),
            ({"invoice_date": "2026-03-19"}, "cannot have this date"),
            ({"invoice_date": "0001-01-01"}, "cannot have this date"),
            ({"filename": None}, "Choose the PDF"),
            ({"content": b""}, "Choose the PDF"),
            ({"filename": "invoice.exe"}, "is no PDF"),
            ({"filename": "invoice.svg", "content": b"<svg onload='alert(1)'/>"}, "is no PDF"),
            ({"content": b"MZ program"}, "is no PDF"),
            ({"content": PDF + b"x" * 10 * 1024 * 1024}, "larger than 10 MB"),
        ):
            with self.subTest(form={name: str(value)[:20] for name, value in form.items()}):
                self.assertIn(words, self._read(self._post(payout, **form), "alert-danger"))
                self.assertFalse(payout.invoice_number)

    def test_amounts_are_read_as_people_write_them(self):
        payout = self._approve_own()
        for text in ("50", "50.00", "50,00", "0050,0", "\N{NO-BREAK SPACE}50"):
            with self.subTest(text=text):
                self.assertIn("has arrived", self._read(self._post(payout, invoice_amount=text), "alert-success"))

    def test_where_we_bill_no_invoice_is_taken(self):
        self._post_entry(self.member, 50)
        payout = self._approve_payout(self.member)
        self.assertNotIn("Send us your invoice", self._read(self._open(f"{self.url}/{payout.id}", "owner")))
        self.assertIn("takes no invoice", self._read(self._post(payout), "alert-danger"))

    @mute_logger("odoo.http")
    def test_an_invoice_needs_the_token_of_the_page(self):
        payout = self._approve_own()
        for token in (False, "wrong"):
            self._send(f"{self.url}/{payout.id}/invoice", "owner", status=400, token=token, invoice_number="R-1")
        self._open(f"{self.url}/{payout.id}/invoice", status=405)
        self.assertFalse(payout.invoice_number)

    @mute_logger("odoo.http")
    def test_an_officer_looks_at_payouts_and_sends_no_invoice(self):
        payout = self._approve_own()
        url = f"/my/loyalty/as/{self.member.id}/payouts/{payout.id}"
        self.assertFalse(self._open(url, "officer").xpath("//form[@method='post' and contains(@action, 'invoice')]"))
        self._send(f"{url}/invoice", status=404)
        self._send(f"{self.url}/{payout.id}/invoice", status=404)
        self._open(f"/my/loyalty/as/{self.other_member.id}/payouts/{payout.id}", status=404)

    def test_hostile_texts_are_text(self):
        payout = self._approve_own()
        for text in HOSTILE:
            with self.subTest(text=text[:30]):
                page = self._post(payout, filename=f"{text[:100]}.pdf".replace("/", ""), invoice_number=text)
                self.assertIn(" ".join(text[:64].split()), self._read(page))
                self.assertFalse(page.xpath("//img[@onerror]"))
