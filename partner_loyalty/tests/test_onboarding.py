"""The first steps after the installation: the panel that leads through them, and the tour to the first points."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PartnerLoyaltyCommon

STEPS = ("company_data", "loyalty_payout", "loyalty_program", "loyalty_member", "loyalty_portal")
ADMINISTRATOR = (
    "base.group_system,partner_loyalty.partner_loyalty_group_administrator,sales_team.group_sale_manager,"
    "base.group_partner_manager,product.group_product_manager"
)


class OnboardingCommon(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.street = False
        cls.newcomer = cls._create_role_user("newcomer", ADMINISTRATOR)

    def _get_panel(self, user=None):
        panel = self.env["onboarding.onboarding"].with_user(user or self.newcomer).get_partner_loyalty_panel()
        self.env.flush_all()
        return panel

    def _get_done(self, user=None):
        """Return the steps that the panel calls done, in short."""
        steps = self._get_panel(user)["steps"]
        self.assertEqual([step["method"].removeprefix("action_open_step_") for step in steps], list(STEPS))
        return [name for name, step in zip(STEPS, steps, strict=True) if step["state"] != "not_done"]

    def _open(self, step, user=None):
        steps = self.env["onboarding.onboarding.step"].with_user(user or self.newcomer)
        return getattr(steps, f"action_open_step_{step}")()


@tagged("post_install", "-at_install")
class TestOnboarding(OnboardingCommon):
    def test_steps_are_done_by_themselves(self):
        self.assertEqual(self._get_done(), [])
        self.company.street = "Main Street 1"
        self.assertEqual(self._get_done(), ["company_data"])
        program = self._create_program([{}], payout_journal_id=False)
        self.assertEqual(self._get_done(), ["company_data", "loyalty_program"])
        self._enroll(program, self.dealer)
        self.assertEqual(self._get_done(), ["company_data", "loyalty_program", "loyalty_member"])
        self.company.loyalty_payout_journal_id = self.purchase_journal
        self.company.loyalty_payout_product_id = self.bonus_product
        self.assertEqual(self._get_done(), list(STEPS[:4]))
        new_test_user(self.env, login="loyalty_joe", groups="base.group_portal", partner_id=self.dealer_contact.id)
        panel = self._get_panel()
        self.assertIn("All is set up", panel["completed"])
        self.assertFalse(self._get_panel(), "what is complete is said once")

    def test_who_has_set_up_everything_already_sees_no_panel(self):
        self.company.street = "Main Street 1"
        self._enroll(self._create_program([{}]), self.dealer)
        new_test_user(self.env, login="loyalty_joe", groups="base.group_portal", partner_id=self.dealer_contact.id)
        self.assertFalse(self._get_panel())

    def test_another_company_has_its_own_steps(self):
        self._create_program([{}])
        self.assertIn("loyalty_program", self._get_done())
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.newcomer.company_ids += other
        panel = self.env["onboarding.onboarding"].with_user(self.newcomer).with_company(other)
        states = [step["state"] for step in panel.get_partner_loyalty_panel()["steps"]]
        self.assertEqual(states, ["not_done"] * 5)

    def test_each_step_opens_its_dialog(self):
        self.assertEqual(self._open("loyalty_payout")["res_id"], self.company.id)
        self.assertEqual(self._open("loyalty_program")["res_model"], "partner.loyalty.template")
        with self.assertRefused("choose a template first", UserError):
            self._open("loyalty_member")
        with self.assertRefused("enroll partners first", UserError):
            self._open("loyalty_portal")
        program = self._create_program([{}])
        self.assertEqual(self._open("loyalty_program")["res_model"], "partner.loyalty.program")
        self.assertEqual(self._open("loyalty_member")["context"], {"default_program_id": program.id})
        self._enroll(program, self.dealer)
        wizard = self.env["portal.wizard"].browse(self._open("loyalty_portal")["res_id"])
        self.assertEqual(wizard.user_ids.partner_id, self.dealer | self.dealer_contact)

    def test_a_manager_sees_what_is_for_an_administrator(self):
        steps = self._get_panel(self.users["manager"])["steps"]
        allowed = [step["is_allowed"] for step in steps]
        self.assertEqual(allowed[:4], [False, False, True, True])

    def test_the_panel_is_for_managers(self):
        officer = self.env["onboarding.onboarding"].with_user(self.users["officer"])
        self.assertFalse(officer.get_partner_loyalty_panel())
        for method in ("action_close_panel_partner_loyalty", "action_show_panel_partner_loyalty"):
            with self.assertRefused("ask an administrator to make you one", AccessError):
                getattr(officer, method)()

    def test_the_panel_is_closed_and_brought_back(self):
        panel = self.env["onboarding.onboarding"].with_user(self.newcomer)
        self.assertTrue(panel.get_partner_loyalty_panel())
        panel.action_close_panel_partner_loyalty()
        self.assertFalse(panel.get_partner_loyalty_panel())
        settings = self.env["res.config.settings"].with_user(self.newcomer).create({})
        self.assertEqual(settings.action_show_loyalty_panel()["res_model"], "partner.loyalty.todo")
        self.assertTrue(panel.get_partner_loyalty_panel())

    def test_new_programs_take_journal_and_product_of_the_company(self):
        bare = self._create_program([{}], name="Older", payout_journal_id=False, payout_product_id=False)
        own = self._create_product(name="Own bonus", type="service")
        special = self._create_program([{}], name="Own product", payout_product_id=own.id)
        self.company.loyalty_payout_journal_id = self.purchase_journal
        self.company.loyalty_payout_product_id = self.bonus_product
        self.assertFalse(bare.payout_journal_id, "nothing happens behind anybody's back")
        program = self.env["partner.loyalty.program"].create({"name": "New"})
        self.assertEqual(program.payout_journal_id, self.purchase_journal)
        self.assertEqual(program.payout_product_id, self.bonus_product)
        self.company.with_user(self.newcomer).action_save_loyalty_payout()
        self.assertEqual((bare.payout_journal_id, bare.payout_product_id), (self.purchase_journal, self.bonus_product))
        self.assertEqual(special.payout_product_id, own)


@tagged("post_install", "-at_install")
class TestFirstRun(OnboardingCommon, HttpCase):
    def test_from_the_panel_to_the_first_points_by_clicking(self):
        self.start_tour("/odoo/loyalty-todo", "partner_loyalty_first_run", login=self.newcomer.login)
        self.env.invalidate_all()
        program = self.env["partner.loyalty.program"].search([("company_id", "=", self.company.id)])
        member = program.member_ids
        self.assertEqual(member.partner_id.name, "Harbor Trading")
        self.assertTrue(member.partner_id.is_company)
        order = self.env["sale.order"].search([("partner_id", "=", member.partner_id.id)])
        self.assertEqual(order.state, "sale")
        self.assertFalse(self._get_entries(member, "point"))
        self._answer_documents()
        self.assertIn(order.id, self._get_entries(member, "point").mapped("origin_id"))

    def test_the_panel_by_clicking(self):
        self._create_program([{}], payout_journal_id=False, payout_product_id=False)
        self.start_tour("/odoo/loyalty-todo", "partner_loyalty_panel", login=self.newcomer.login)
        self.env.invalidate_all()
        self.assertEqual(self.company.loyalty_payout_product_id, self.bonus_product)
        self.assertEqual(self.company.loyalty_payout_journal_id.type, "purchase")
