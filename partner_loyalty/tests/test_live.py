"""What open pages of the portal are told: each login of the member, as far as it may see it."""

import json

from odoo.tests import tagged

from ..models.partner_loyalty_live import MOST_ENTRIES
from .common_portal import PortalCommon


@tagged("post_install", "-at_install")
class TestLive(PortalCommon):
    def _get_told(self):
        """Return what each login was told since the last time, by its role."""
        bus = self.env["bus.bus"].sudo()
        self._write_marks()
        told = {}
        partners = {user.partner_id.id: role for role, user in self.users.items()}
        for row in bus.search([]):
            message = json.loads(row.message)
            channel = json.loads(row.channel)
            if message["type"] == "partner_loyalty.earned":
                told.setdefault(partners[channel[2]], []).append(message["payload"])
        return told

    def test_each_login_is_told_what_was_earned(self):
        self._write_marks()
        self._post_entry(self.member, 12.5)
        self._post_entry(self.member, 7, unit="point")
        told = self._get_told()
        self.assertEqual(set(told), {"owner", "finance", "sales"})
        self.assertEqual([len(told[role]) for role in ("owner", "finance", "sales")], [2, 2, 1])
        self.assertEqual(told["sales"][0]["text"], "You have just earned 7 points.")
        self.assertEqual(told["sales"][0]["program_id"], self.program.id)
        money = next(payload for payload in told["owner"] if payload["unit"] == "money")
        self.assertIn("12.50", money["text"])
        self.assertIn("12.50", money["balance"])

    def test_what_is_taken_is_not_told(self):
        self._post_entry(self.member, 10)
        self.assertEqual(len(self._get_told()["owner"]), 1)
        self._post_entry(self.member, -4)
        self.assertEqual(len(self._get_told()["owner"]), 1)

    def test_an_earned_invoice_is_told_when_it_is_answered(self):
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertIn("10.00", self._get_told()["owner"][0]["text"])

    def test_each_login_reads_its_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.users["sales"].lang = "uk_UA"
        self._write_marks()
        self._post_entry(self.member, 1234.5, unit="point")
        self.assertIn("1", self._get_told()["sales"][0]["balance"])

    def test_a_run_over_many_tells_nobody(self):
        live = self.env["partner.loyalty.live"]
        entry = self._post_entry(self.member, 1)
        live._note([entry.id] * MOST_ENTRIES)
        self.assertFalse(self._get_told())

    def test_what_is_only_tried_is_not_told(self):
        self._create_sale_invoice(self.dealer, 100)
        self._write_marks()
        self.program._apply_to_past(dry_run=True)
        self.assertFalse(self._get_told())

    def test_what_comes_back_is_not_earned(self):
        self._post_entry(self.member, 10, entry_type="payout_return")
        self.assertFalse(self._get_told())

    def test_pages_say_of_which_program_they_are(self):
        page = self._open(f"/my/loyalty/{self.program.id}", "owner")
        self.assertEqual(page.xpath("//@data-loyalty-program"), [str(self.program.id)])
        self.assertEqual(sorted(page.xpath("//@data-loyalty-balance")), ["money", "point"])
        page = self._open(f"/my/loyalty/{self.program.id}", "sales")
        self.assertEqual(page.xpath("//@data-loyalty-balance"), ["point"])
