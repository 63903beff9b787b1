"""Promotions for those only who have joined their campaign."""

from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestParticipation(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campaign = cls.env["utm.campaign"].create({"title": "Spring"})
        cls.program = cls._create_program(
            [{"unit": "point", "date_from": "2026-03-01", "campaign_id": cls.campaign.id, "only_joined": True}]
        )
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)

    def _join(self, member, user=None):
        participations = self.env["partner.loyalty.participation"].with_user(user or self.users["officer"])
        return participations.create({"campaign_id": self.campaign.id, "member_id": member.id})

    def test_who_has_joined_earns_and_others_do_not(self):
        self._join(self.member)
        for partner in (self.dealer, self.referrer):
            self._create_sale_invoice(partner, 100)
        entries = self._answer_documents()
        self.assertEqual(entries.account_id.member_id, self.member)
        self.assertEqual(self.campaign.loyalty_participation_count, 1)
        self.assertInLine(self.program)

    def test_nobody_joins_twice(self):
        self._join(self.member)
        with self.assertRefused("takes part in this campaign already"):
            self._join(self.member)

    def test_of_sales_before_a_manager_decides(self):
        self._create_sale_invoice(self.dealer, 100)
        self.assertFalse(self._answer_documents())
        self._join(self.member)
        self.assertEqual(self._compare(self.program).mapped("target"), [10])
        self.assertEntries(self.member, [], unit="point")

    def test_what_somebody_has_earned_stays_when_it_is_taken_over(self):
        self._join(self.member)
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.member._merge_into(self.other)
        self.assertBalance(self.other, 10, unit="point")
        self.assertInLine(self.program)

    def test_a_backtest_looks_at_who_has_joined(self):
        self._join(self.member)
        for partner in (self.dealer, self.referrer):
            self._create_sale_invoice(partner, 100)
        vals = {"program_id": self.program.id, "date_from": "2026-01-01", "date_to": TODAY}
        backtest = self.env["partner.loyalty.backtest"].create(vals)
        backtest.action_run()
        self.assertEqual(backtest.point_amount, 10)

    def test_the_rule_stands_once_it_has_posted(self):
        self._join(self.member)
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        with self.assertRefused("has posted"):
            self.program.rule_ids.only_joined = False
