"""The pages about what a partner has by tapping and by clicking: on a phone and on a wide screen, by each right."""

from odoo.tests import tagged

from .common_portal import PortalCommon


class PortalBrowserCommon(PortalCommon):
    """A dealer with a line, points, a payout that waits for its invoice, and terms to accept."""

    def setUp(self):
        super().setUp()
        self.program.write({"payout_document": "own", "payout_needs_terms": False, "terms": "<p>Be fair.</p>"})
        self._create_sale_invoice(self.dealer, 600)
        self._answer_documents()
        self.payout = self._approve_payout(self.member)
        self._post_entry(self.member, 10)
        self._post_entry(self.member, 7, unit="point")
        self.program.payout_needs_terms = True

    def _start(self, role):
        url, name = f"/my/loyalty/{self.program.id}", f"partner_loyalty_portal_{role}"
        self.start_tour(url, name, login=self.users[role].login)
        self.env.invalidate_all()

    def _test_owner(self):
        self._start("owner")
        self.assertEqual(self.payout.invoice_number, "R-7")
        self.assertEqual(self.member.terms_state, "current")


@tagged("post_install", "-at_install")
class TestPortalOnPhone(PortalBrowserCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_the_owner_on_a_phone(self):
        self._test_owner()

    def test_sales_on_a_phone(self):
        self._start("sales")


@tagged("post_install", "-at_install")
class TestPortalOnWideScreen(PortalBrowserCommon):
    def test_the_owner_on_a_wide_screen(self):
        self._test_owner()

    def test_sales_on_a_wide_screen(self):
        self._start("sales")
