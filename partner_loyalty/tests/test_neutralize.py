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

    def test_nobody_is_written_to_and_no_stranger_applies_in_a_neutralized_copy(self):
        program = self._create_program([{}], is_public=True)
        member = self._enroll(program, self.dealer)
        settings = program.message_setting_ids
        settings.is_active = True
        message_sudo = self.env["partner.loyalty.message"].sudo()
        message = message_sudo.create(
            {
                "member_id": member.id,
                "program_id": program.id,
                "company_id": self.company.id,
                "kind": "welcome",
                "cause": "copy",
            }
        )
        self._neutralize()
        self.assertEqual(message.state, "muted")
        self.assertFalse(any(settings.mapped("is_active")))
        self.assertFalse(program.is_public)
        self.assertFalse(program.quality_survey_id | program.needs_survey_id | program.satisfaction_survey_id)

    def test_the_name_says_so_in_each_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        program = self._create_program([{}])
        program.with_context(lang="uk_UA").name = "Клуб"
        self._neutralize()
        self.assertEqual(program.with_context(lang="uk_UA").name, "Клуб (neutralized)")
        self.assertEqual(program.with_context(lang="en_US").name, "Dealer Club (neutralized)")


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
