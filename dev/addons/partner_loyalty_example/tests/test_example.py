"""The examples of the README do what it says."""

from odoo.exceptions import ValidationError
from odoo.fields import Date
from odoo.tests import tagged

from odoo.addons.partner_loyalty.tests.common_claim import ClaimCommon
from odoo.addons.partner_loyalty.tools.window import Window


@tagged("post_install", "-at_install")
class TestExample(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls._create_rule(
            cls.program, name="Showroom", kind="visit", role="member", formula="fixed", rate=25, unit="point"
        )

    def _bring(self, partner, name="Client", date="2026-03-10"):
        return self.env["partner.loyalty.visit"].create({"name": name, "partner_id": partner.id, "date": date})

    def _get_earned(self):
        entries = self._get_entries(self.member, "point")
        return sum(entries.filtered(lambda entry: entry.rule_id == self.rule).mapped("amount"))

    def test_a_visit_earns_and_what_is_deleted_is_taken_back(self):
        visit = self._bring(self.dealer)
        self._bring(self.stranger)
        self._answer_documents()
        self.assertEqual(self._get_earned(), 25)
        visit.unlink()
        self._answer_documents()
        self.assertEqual(self._get_earned(), 0)

    def test_a_visit_before_the_membership_earns_nothing(self):
        self._bring(self.dealer, date="2025-12-31")
        self._answer_documents()
        self.assertEqual(self._get_earned(), 0)

    def test_a_visit_that_moves_to_another_partner_earns_there(self):
        visit = self._bring(self.dealer)
        self._answer_documents()
        visit.partner_id = self.referrer
        self._answer_documents()
        self.assertEqual(self._get_earned(), 0)
        self.assertBalance(self.other, 25, unit="point")

    def test_visits_are_counted_by_the_metric(self):
        for name in ("One", "Two"):
            self._bring(self.dealer, name)
        metric = self.env.ref("partner_loyalty_example.partner_loyalty_metric_visits")
        values = metric._get_values(self.program, Window(Date.to_date("2026-03-01"), Date.to_date("2026-03-31")))
        self.assertEqual((values[self.member.id], values[self.other.id]), (2, 0))

    def test_a_unit_is_lent_for_so_many_days(self):
        reward = self._create_reward(name="Demo unit", kind="loan", loan_days=30, need_approval=False)
        claim = self._request(reward)
        claim.action_fulfill()
        self.assertEqual(claim.state, "fulfilled")
        self.assertEqual(claim.valid_until, Date.to_date("2026-04-17"))

    def test_a_loan_without_days_is_refused(self):
        with self.assertRefused("enter for how many days", ValidationError):
            self._create_reward(name="Demo unit", kind="loan")
