from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ..wizard import partner_loyalty_apply_past
from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestApplyPast(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "accountant", "salesperson", "internal")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order(cls.dealer, 100, date="2026-01-10", loyalty_partner_id=cls.referrer.id)
        cls.invoice = cls._create_sale_invoice(cls.dealer, 600, date="2026-01-20")
        cls.late = cls._create_sale_invoice(cls.dealer, 100, date="2026-02-20")
        cls.other = cls._create_sale_invoice(cls.referrer, 50, date="2026-02-20")
        cls._write_marks()
        cls.env["partner.loyalty.touch"].sudo().search([]).unlink()
        cls.program = cls._create_program(
            [{"rate": 10}, {"kind": "order", "unit": "point", "rate": 1}], tiers=[("Silver", 0), ("Gold", 500)]
        )
        cls.program.rule_ids[0].tier_rate_ids = [cls._tier_rate(cls.program.tier_ids[1], 15)]
        cls.dealer_member, cls.other_member = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.manager = cls.users["manager"]

    def _open_wizard(self, user=None, **values):
        Wizard = self.env["partner.loyalty.apply.past"].with_user(user or self.manager)
        return Wizard.create({"program_id": self.program.id, **values})

    def _apply(self):
        wizard = self._open_wizard()
        wizard.action_preview()
        wizard.action_apply()

    def test_the_preview_shows_what_would_be_posted_and_posts_nothing(self):
        wizard = self._open_wizard()
        wizard.action_preview()
        self.assertRecordValues(
            wizard, [{"previewed": True, "entry_count": 4, "point_amount": 1, "money_amount": 60 + 15 + 5}]
        )
        self.assertEntries(self.dealer_member, [])
        self.assertFalse(self.dealer_member.tier_period_ids.evaluation_date, "Nor does it decide any tier.")

    def test_applying_posts_what_the_preview_showed(self):
        wizard = self._open_wizard()
        wizard.action_preview()
        wizard.action_apply()
        self.assertEntries(self.dealer_member, [60, 15])
        self.assertEntries(self.dealer_member, [1], unit="point")
        self.assertEntries(self.other_member, [5])
        self.assertEqual(self.dealer_member.tier_id.name, "Gold")
        entries = self.env["partner.loyalty.entry"].search([("program_id", "=", self.program.id)])
        self.assertEqual(len(entries), wizard.entry_count)
        self.assertEqual(entries.user_id, self.manager)

    def test_applying_again_posts_nothing(self):
        self._apply()
        again = self._open_wizard()
        again.action_preview()
        self.assertRecordValues(again, [{"entry_count": 0, "point_amount": 0, "money_amount": 0}])
        again.action_apply()
        self.assertEntries(self.dealer_member, [60, 15])
        self.assertFalse(self._compare(self.program))

    def test_lines_of_the_past_are_dated_by_their_sale(self):
        self._apply()
        self.assertRecordValues(
            self._get_entries(self.dealer_member),
            [
                {"date": self._day("2026-01-20"), "contribution_date": self._day("2026-01-20"), "prior_period": False},
                {"date": self._day("2026-02-20"), "contribution_date": self._day("2026-02-20"), "prior_period": False},
            ],
        )

    def test_lines_before_the_lock_date_are_dated_after_it(self):
        self.program.lock_date = "2026-01-31"
        self._apply()
        self.assertRecordValues(
            self._get_entries(self.dealer_member),
            [
                {"date": self._day("2026-02-01"), "contribution_date": self._day("2026-01-20"), "prior_period": True},
                {"date": self._day("2026-02-20"), "contribution_date": self._day("2026-02-20"), "prior_period": False},
            ],
        )

    def test_it_can_be_applied_to_chosen_members(self):
        wizard = self._open_wizard(member_ids=self.other_member.ids)
        wizard.action_preview()
        self.assertEqual(wizard.entry_count, 1)
        wizard.action_apply()
        self.assertEntries(self.other_member, [5])
        self.assertEntries(self.dealer_member, [])

    def test_nothing_is_applied_that_was_not_previewed(self):
        wizard = self._open_wizard(member_ids=self.other_member.ids)
        with self.assertRefused("Click “Preview” first"):
            wizard.action_apply()
        wizard.action_preview()
        wizard.member_ids = self.dealer_member
        with self.assertRefused("Click “Preview” first"):
            wizard.action_apply()
        self.assertEntries(self.dealer_member, [])

    def test_chunks_of_members_post_the_same_as_all_at_once(self):
        scopes = list(self.program._get_member_scopes(size=1))
        self.assertEqual(len(scopes), 2)
        figures = {"entries": 0, "points": 0, "money": 0, "members": 0}
        self.program._evaluate_tiers()
        for scope in scopes:
            self.program._reconcile_scope(scope, figures)
        self.assertEqual(figures, {"entries": 4, "points": 1, "money": 80, "members": 2})
        self.assertInLine(self.program)

    def test_rules_that_read_documents_together_find_what_each_finds_alone(self):
        rules = self._create_program(
            [
                {"rate": 10, "domain": "[('product_id.list_price', '>=', 0)]"},
                {"unit": "point", "formula": "fixed", "rate": 5, "minimum_amount": 80, "date_from": "2026-02-01"},
                {"rate": 3, "cap_member": 10, "date_to": "2026-02-28"},
                {"kind": "order", "role": "referrer", "rate": 2},
                {"kind": "order", "unit": "point", "rate": 1},
                {"kind": "order", "rate": 1, "domain": "[('amount', '>', 50)]"},
                {"formula": "bands", "band_ids": [Command.create({"threshold": 100, "rate": 4})]},
                {
                    "formula": "bands",
                    "measure": "growth",
                    "period": "month",
                    "band_ids": [Command.create({"threshold": 0, "rate": 4})],
                },
            ],
            tiers=[("Silver", 0)],
            name="Together",
        ).rule_ids
        self._create_sale_invoice(self.dealer, 40, date="2025-01-20")
        members = self._enroll(rules.program_id, self.dealer, self.referrer)
        scope = rules._get_member_scope(members.ids)
        get_query = self.env["partner.loyalty.difference"]._get_delta_query
        self.env.flush_all()
        together = self.env.execute_query(rules._get_common_query(scope, get_query))
        alone = [row for rule in rules for row in self.env.execute_query(get_query(rule, scope))]
        self.assertEqual(sorted(together), sorted(alone))
        self.assertEqual({row[0] for row in together}, set(rules.ids), "Each rule finds something.")

    def test_workers_post_the_same_chunk_by_chunk_in_the_name_of_who_asked(self):
        wizard = self._open_wizard()
        wizard.action_preview()
        with patch.object(partner_loyalty_apply_past, "BACKGROUND_SIZE", 1):
            action = wizard.action_apply()
        self.assertEqual(action["tag"], "display_notification")
        self.assertEntries(self.dealer_member, [])
        self._run_cron("ir_cron_compare_2")
        self.assertFalse(self._as_cron("partner.loyalty.chunk").search([]))
        self.assertInLine(self.program)
        entries = self.env["partner.loyalty.entry"].search([("program_id", "=", self.program.id)])
        self.assertEqual((len(entries), entries.user_id), (4, self.manager))
        self.assertEqual(self.dealer_member.tier_id.name, "Gold")

    def test_a_rule_that_fails_is_noted_and_the_others_are_applied(self):
        broken, other = self.program.rule_ids
        with patch.object(self.registry[broken._name], "_get_base", self._fail_for(broken)):
            self.program.with_user(self.manager).sudo()._apply_to_past_in_background()
            self._run_cron("ir_cron_compare_1")
        self.assertIn("No such base", broken.error)
        self.assertFalse(other.error)
        self.assertEntries(self.dealer_member, [])
        self.assertEntries(self.dealer_member, [1], unit="point")

    def _fail_for(self, broken):
        get_base = self.registry[broken._name]._get_base

        def fail(rule, query):
            if rule == broken:
                raise ValueError("No such base")
            return get_base(rule, query)

        return fail

    def test_the_night_does_not_stand_in_the_way_of_what_is_applied(self):
        Chunk = self._as_cron("partner.loyalty.chunk")
        Chunk._plan(self.program.with_env(Chunk.env), size=1)
        self.program.with_user(self.manager).sudo()._apply_to_past_in_background()
        chunks = Chunk.search([("program_id", "=", self.program.id)])
        self.assertEqual([bool(chunk.user_id) for chunk in chunks], [False, False, True])

    def test_a_draft_program_can_be_previewed_and_not_applied(self):
        program = self._create_program([{}], start=False, name="Draft")
        self._enroll(program, self.dealer)
        wizard = self._open_wizard(program_id=program.id)
        wizard.action_preview()
        self.assertEqual(wizard.entry_count, 2)
        with self.assertRefused():
            wizard.action_apply()
        self.assertFalse(self.env["partner.loyalty.entry"].search_count([("program_id", "=", program.id)]))

    def test_officers_neither_preview_nor_apply(self):
        wizard = self._open_wizard(user=self.env.user)
        for role in ("officer", "accountant", "salesperson", "internal"):
            refused = wizard.with_user(self.users[role])
            for action in (refused.action_preview, refused.action_apply):
                with self.subTest(role=role, action=action.__name__), self.assertRefused("", AccessError):
                    action()
        self.assertEntries(self.dealer_member, [])
