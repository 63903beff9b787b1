"""The terms in the portal: what is in force, who has accepted what, and what happens until then."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.portal_terms import PartnerLoyaltyPortalTerms
from .common_portal import PortalCommon


@tagged("post_install", "-at_install")
class TestPortalTerms(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write({"terms": "<p>Be fair.</p>", "payout_needs_terms": True})
        cls.url = f"/my/loyalty/{cls.program.id}/terms"

    def _accept(self, role="owner", version=None, **kwargs):
        version = self.program.terms_version if version is None else version
        return self._send(f"{self.url}/accept", role, version=version, **kwargs)

    def test_until_they_are_accepted_all_pages_say_what_that_means(self):
        banner = "not paid out until you accept the terms"
        for path in ("", "/statement", "/payouts"):
            self.assertIn(banner, self._read(self._open(f"/my/loyalty/{self.program.id}{path}", "owner")))
        self._accept()
        self.assertNotIn(banner, self._read(self._open(f"/my/loyalty/{self.program.id}")))

    def test_the_owner_accepts_the_terms(self):
        text = self._read(self._open(self.url, "owner"))
        self.assertIn("Be fair.", text)
        self.assertIn("Nobody in your company has accepted", text)
        self.assertIn("you have accepted the terms", self._read(self._accept(), "alert-success"))
        acceptance = self.member.acceptance_ids
        self.assertRecordValues(
            acceptance,
            [{"contact_id": self.users["owner"].partner_id.id, "version": 1, "user_id": self.users["owner"].id}],
        )
        self.assertIn("Be fair.", acceptance.terms)
        self.assertFalse(self.member._get_payout_refusals())
        page = self._open(self.url)
        self.assertIn(f"by {self.users['owner'].name}", self._read(page))
        self.assertFalse(page.xpath("//form[contains(@action, 'accept')]"))

    def test_what_the_database_refuses_is_said_in_words(self):
        def clash(_controller, member_sudo, _version):
            member_sudo.env.cr.execute("UPDATE partner_loyalty_metric SET minimum_answers = 0")

        self.patch(PartnerLoyaltyPortalTerms, "_accept_terms", clash)
        with mute_logger("odoo.sql_db"):
            self.assertIn("enter 1 or more", self._read(self._accept(), "alert-danger"))

    def test_accepting_twice_is_noted_once(self):
        self._accept()
        self._accept()
        self.assertEqual(len(self.member.acceptance_ids), 1)

    def test_changed_terms_ask_again(self):
        self._accept()
        self.program.terms = "<p>Be very fair.</p>"
        text = self._read(self._open(self.url))
        self.assertIn("Version 1 was accepted on", text)
        self.assertIn("The terms have changed since.", text)
        self.assertIn("read them again", self._read(self._accept(version=1), "alert-danger"))
        self.assertIn("read them again", self._read(self._accept(version="latest"), "alert-danger"))
        self._accept()
        self.assertEqual(self.member.terms_state, "current")
        self.assertIn("Version 1", self._read(self._open(self.url)))

    @mute_logger("odoo.http")
    def test_others_than_the_owner_read_and_do_not_accept(self):
        for role in ("finance", "sales"):
            page = self._open(self.url, role)
            self.assertIn("The owner of your company accepts them", self._read(page))
            self.assertFalse(page.xpath("//form[contains(@action, 'accept')]"))
            self._accept(role, status=403)
        self._accept("other", status=404)
        self._accept("officer", status=404)
        self.assertFalse(self.member.acceptance_ids)

    @mute_logger("odoo.http")
    def test_accepting_needs_the_token_of_the_page(self):
        for token in (False, "wrong"):
            self._accept(status=400, token=token)
        self._open(f"{self.url}/accept", status=405)
        self.assertFalse(self.member.acceptance_ids)

    def test_an_officer_reads_them_and_accepts_nothing(self):
        page = self._open(f"/my/loyalty/as/{self.member.id}/terms", "officer")
        self.assertFalse(page.xpath("//form[contains(@action, 'accept')]"))
