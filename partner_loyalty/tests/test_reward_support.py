"""Priority support as a reward: who sees it, where and for how long."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestRewardSupport(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.support = cls._create_reward(kind="support", support_label="Answer within a day", months=2)
        cls.text = "Answer within a day until 05/17/2026"

    def _read(self, record):
        """Return what a salesperson sees."""
        record.invalidate_recordset(["loyalty_support"])
        return record.with_user(self.users["salesperson"]).loyalty_support

    def test_it_is_shown_on_the_company_its_contacts_leads_and_orders(self):
        order = self._create_order(self.dealer_contact, 100, confirm=False)
        lead = self.env["crm.lead"].create({"name": "Deal", "partner_id": self.dealer.id})
        for record in (order, lead):
            record.user_id = self.users["salesperson"]
        records = (self.dealer, self.dealer_contact, order, lead)
        for record in records:
            self.assertFalse(self._read(record))
        claim = self._approve(self.support)
        self.assertRecordValues(claim, [{"state": "fulfilled", "valid_until": self._day("2026-05-17")}])
        for record in records:
            with self.subTest(record=record):
                self.assertEqual(self._read(record), self.text)
        self.assertFalse(self._read(self.stranger))

    def test_it_ends_with_its_last_day_or_when_it_is_taken_back(self):
        claim = self._approve(self.support)
        with freeze_time("2026-05-17 10:00:00"):
            self.assertEqual(self._read(self.dealer), self.text)
        with freeze_time("2026-05-18 10:00:00"):
            self.assertFalse(self._read(self.dealer))
        claim.with_user(self.users["manager"]).action_take_back("Not agreed on")
        self.assertFalse(self._read(self.dealer))

    def test_of_several_the_one_that_lasts_longest_is_shown(self):
        self._approve(self.support)
        longer = self._create_reward(kind="support", support_label="Hotline", months=3, point_cost=1)
        self._approve(longer)
        self._approve(self._create_reward(kind="support", support_label="Chat", months=1, point_cost=1))
        self.assertEqual(self._read(self.dealer), "Hotline until 06/17/2026")

    def test_many_partners_are_looked_up_by_one_query(self):
        self._approve(self.support)
        partners = self.dealer + self.dealer_contact + self.referrer + self.stranger
        partners = partners.with_user(self.users["salesperson"])
        partners.mapped("commercial_partner_id.name")
        self.support.support_label  # noqa: B018 - the label is read once for all
        with self._record_queries() as queries:
            self.assertEqual(partners.mapped("loyalty_support"), [self.text, self.text, False, False])
        self.assertEqual(len([query for query in queries if "partner_loyalty_claim" in query]), 1)

    def test_who_sells_nothing_does_not_see_it(self):
        internal = self._create_role_user("internal", "base.group_user")
        with self.assertRefused("", AccessError):
            self.dealer.with_user(internal).read(["loyalty_support"])

    def test_a_reward_without_a_label_says_so(self):
        with self.assertRefused("enter what is shown", ValidationError):
            self._create_reward(kind="support")
