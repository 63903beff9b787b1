"""Advice on a program: what does nothing, who misses something by little, who is not there yet, and who may look."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestAdvice(PartnerLoyaltyCommon):
    """A program since 2025 with two members, in which everything does something."""

    roles = ("salesperson", "officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0)], date_from="2025-01-01")
        cls.rule = cls.program.rule_ids
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer, date_from="2025-01-01")
        for partner in (cls.dealer, cls.referrer):
            cls._create_role_user(f"login_{partner.id}", "base.group_portal", partner_id=partner.id)
        cls._create_sale_invoice(cls.dealer, 100, date="2026-03-01")

    def setUp(self):
        super().setUp()
        self._answer_documents()

    def _advise(self, user="officer"):
        self.env.invalidate_all()
        program = self.program.with_user(self.users[user])
        return self.env["partner.loyalty.advice"].with_user(self.users[user]).browse(program.action_advise()["res_id"])

    def _get_lines(self, kind):
        return self._advise().line_ids.filtered(lambda line: line.kind == kind)

    def assertFinding(self, kind, *texts, records=None):
        """Check that a kind has one finding with some texts that opens some records."""
        line = self._get_lines(kind)
        self.assertEqual(len(line), 1)
        for text in texts:
            self.assertIn(text, line.name)
        if records is not None:
            self.assertEqual((line.res_model, line.res_ids), (records._name, records.ids))
        return line

    def test_a_program_in_which_everything_does_something_gets_no_advice(self):
        self.assertFalse(self._advise().line_ids)

    def test_rules_that_nobody_has_earned_by(self):
        rule = self._create_rule(self.program, name="Rare", minimum_amount=10000)
        self._create_rule(self.program, name="New", minimum_amount=10000, date_from="2026-03-10")
        self._create_rule(self.program, name="Over", minimum_amount=10000, date_to="2026-03-10")
        line = self.assertFinding("rule", "Nobody has earned by “Rare” since 03/19/2025", records=rule)
        action = line.action_open()
        self.assertEqual((action["res_model"], action["res_id"]), ("partner.loyalty.rule", rule.id))
        self._create_sale_invoice(self.dealer, 20000)
        self._answer_documents()
        self.assertFalse(self._get_lines("rule"))

    def test_what_was_earned_long_ago_is_no_use_today(self):
        rule = self._create_rule(self.program, name="Old", domain=f"[('product_id', '=', {self.bonus_product.id})]")
        self._create_sale_invoice(self.dealer, 100, date="2025-03-01", product=self.bonus_product)
        self._answer_documents()
        self.assertTrue(rule.has_entries)
        self.assertFinding("rule", "“Old”")

    def test_rewards_that_nobody_claims_and_how_many_could(self):
        reward = self.env["partner.loyalty.reward"].create(
            {
                "name": "Chair",
                "program_id": self.program.id,
                "product_id": self.thing.id,
                "point_cost": 50,
                "date_from": "2026-01-01",
            }
        )
        self.assertFinding("reward", "since 01/01/2026, and no member has the points", records=reward)
        self._post_entry(self.member, 50, unit="point")
        self.assertEqual(self.assertFinding("reward", "Members who have the points for it: 1.").count, 1)
        reward.point_cost = 0
        self.assertFinding("reward", "Let a tier or a bonus action give it")
        reward.point_cost = 50
        self.env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": self.member.id})
        self.assertFalse(self._get_lines("reward"))

    def test_tiers_with_nobody_in_and_members_just_below(self):
        self.program.tier_ids = [Command.create({"name": "Gold", "threshold": 1000})]
        gold = self.program.tier_ids.filtered(lambda tier: tier.name == "Gold")
        self.env["partner.loyalty.member"]._refresh_outlook(self.program)
        self.assertFinding(
            "tier", "Nobody has the tier “Gold”. Members for whom it is the next one: 2", "at 10 %", records=gold
        )
        self.assertFalse(self._get_lines("near"))
        self._create_sale_invoice(self.dealer, 850, date="2026-03-02")
        self._answer_documents()
        self.env["partner.loyalty.member"]._refresh_outlook(self.program)
        self.assertFinding("near", "lack less than a tenth for “Gold”: 1.", records=self.member)

    def test_members_just_below_a_band(self):
        self._create_rule(
            self.program,
            name="Volume",
            formula="bands",
            period="month",
            band_ids=[Command.create({"threshold": 0, "rate": 1}), Command.create({"threshold": 105, "rate": 2})],
        )
        self._create_sale_invoice(self.referrer, 105, date="2026-03-02")
        self._create_sale_invoice(self.referrer, 100, date="2026-02-02")
        self._answer_documents()
        self.assertFinding("near", "the band from 105.00 of “Volume”", records=self.member)

    def _create_action(self, threshold):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Good month",
                "program_id": self.program.id,
                "schedule": "month",
                "date_from": "2026-01-01",
                "condition": "value",
                "metric_id": self.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                "threshold": threshold,
                "effect_ids": [Command.create({"kind": "point", "amount": 5})],
            }
        )
        action.sudo().state = "running"
        with freeze_time("2026-04-01 10:00:00"):
            self._as_cron(action._name).browse(action.id)._run_safely()
        return action

    def test_bonus_actions_that_reach_nobody_and_who_just_missed_them(self):
        action = self._create_action(threshold=105)
        self.assertFinding("bonus", "“Good month” has reached nobody since 01/01/2026 (runs: 3)", records=action)
        self.assertFinding("near", "just missed “Good month” in its last run: 1.")

    def test_bonus_actions_that_reach_somebody_are_all_right(self):
        self._create_action(threshold=50)
        self.assertFalse(self._get_lines("bonus"))

    def test_terms_that_were_not_accepted(self):
        self.program.terms = "<p>Be good</p>"
        acceptances = self.env["partner.loyalty.acceptance"]
        acceptances.create({"member_id": self.member.id, "contact_id": self.dealer.id})
        self.assertFinding("terms", "not accepted the terms in force: 1.", records=self.other)
        self.program.payout_needs_terms = True
        self.assertFinding("terms", "they are paid nothing")
        self.program.terms = "<p>Be better</p>"
        self.assertFinding("terms", ": 2.", records=self.member | self.other)

    def test_members_of_whom_nobody_can_log_in(self):
        member = self._enroll(self.program, self.stranger, date_from="2025-01-01")
        self.assertFinding("login", "nobody can log in and see what they have earned: 1.", records=member.partner_id)
        contact = self._create_partner(name="Eve", parent_id=self.stranger.id)
        self._create_role_user("eve", "base.group_portal", partner_id=contact.id)
        self.assertFalse(self._get_lines("login"))

    def test_without_known_costs_nothing_is_said_of_margins(self):
        self.assertFalse(self._get_lines("margin"))

    def test_officers_and_managers_look_and_salespeople_do_not(self):
        self.assertEqual(self._advise("manager").program_id, self.program)
        with self.assertRefused("", AccessError):
            self._advise("salesperson")

    def test_look_again_finds_what_has_changed(self):
        advice = self._advise("manager")
        self._create_rule(self.program, name="Rare", minimum_amount=10000)
        again = self.env["partner.loyalty.advice"].browse(advice.action_look_again()["res_id"])
        self.assertEqual(again.line_ids.mapped("kind"), ["rule"])
