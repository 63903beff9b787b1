from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestTemplate(PartnerLoyaltyCommon):
    def _create_from(self, template):
        wizard = self.env["partner.loyalty.template"].with_user(self.users["manager"]).create({"template": template})
        return self.env["partner.loyalty.program"].browse(wizard.action_create()["res_id"])

    def test_each_template_makes_a_program_that_can_be_started(self):
        for template, rules in (("service", 3), ("academy", 2), ("live", 3)):
            with self.subTest(template=template):
                program = self._create_from(template)
                self.assertEqual((program.state, len(program.rule_ids), len(program.tier_ids)), ("draft", rules, 3))
                goals = self.env["partner.loyalty.goal"].search([("program_id", "=", program.id)])
                self.assertGreaterEqual(len(goals), 2)
                self.assertNotIn(False, goals.mapped("summary"))
                program.with_user(self.users["manager"]).action_start()
                self.assertEqual(program.state, "running")

    def test_sales_and_service_pays_as_customers_pay_by_tier(self):
        program = self._create_from("service")
        program.write({"date_from": "2026-01-01", "tz": "UTC"})
        program.action_start()
        member = self._enroll(program, self.dealer)
        self._pay(self._create_sale_invoice(self.dealer, 30000))
        self._answer_documents()
        self.assertEqual(sorted(self._get_entries(member).mapped("amount")), [50, 900])

    def test_live_gives_points_for_coming_back(self):
        program = self._create_from("live")
        program.write({"date_from": "2026-01-01", "tz": "UTC"})
        program.action_start()
        member = self._enroll(program, self.dealer)
        for day in ("10", "11"):
            self._create_order(self.dealer, 105, date=f"2026-03-{day} 10:00:00")
        self._answer_documents()
        self.assertBalance(member, 70, unit="point")

    def test_only_managers_create_programs(self):
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.template"].with_user(self.users["officer"]).create({"template": "live"})
