from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestNeutralize(PartnerLoyaltyCommon):
    """A copy for tests pays and mails nothing."""

    def _neutralize(self):
        self.env.flush_all()
        for query in get_neutralization_queries(["partner_loyalty"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()

    def test_no_scheduled_action_runs_in_a_neutralized_copy(self):
        crons = self.env["ir.cron"].sudo().search([("name", "like", "Loyalty:")])
        self.assertGreaterEqual(len(crons), 7)
        crons[0]._trigger()
        self._neutralize()
        self.assertFalse(any(crons.mapped("active")))
        self.assertFalse(self.env["ir.cron.trigger"].sudo().search([("cron_id", "in", crons.ids)]))

    def test_no_payout_is_billed_in_a_neutralized_copy(self):
        program = self._create_program([{}])
        member = self._enroll(program, self.dealer)
        self._post_entry(member, 10)
        payout = self._submit_payout(member)
        self._neutralize()
        self.assertIn("(neutralized)", program.name)
        with self.assertRefused("choose a bill journal"):
            payout.with_user(self.users["manager"]).action_approve()


@tagged("post_install", "-at_install")
class TestUninstallWarning(PartnerLoyaltyCommon):
    roles = ()

    def test_uninstalling_warns_of_the_statement_lines_that_are_lost(self):
        self._post_entry(self._enroll(self._create_program([{}]), self.dealer), 10)
        modules = self.env["ir.module.module"].sudo().search([("name", "in", ("partner_loyalty", "sale"))])
        for module in modules:
            with self.subTest(module=module.name):
                wizard = self.env["base.module.uninstall"].sudo().create({"module_ids": module.ids})
                self.assertGreater(wizard.loyalty_entry_count, 0)

    def test_uninstalling_something_else_does_not_warn(self):
        self._post_entry(self._enroll(self._create_program([{}]), self.dealer), 10)
        module = self.env["ir.module.module"].sudo().search([("name", "=", "survey_crm")])
        wizard = self.env["base.module.uninstall"].sudo().create({"module_ids": module.ids})
        self.assertEqual(wizard.loyalty_entry_count, 0)
