"""A program that is duplicated: everything that says how it works comes along, and nothing of what has happened."""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestProgramCopy(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tier = cls.env["partner.loyalty.tier"].create(
            {"name": "Platinum", "program_id": cls.program.id, "threshold": 90000}
        )
        cls.vip = cls._create_reward(name="Weekend", tier_ids=[Command.set(cls.tier.ids)])
        cls.tier.entitlement_ids = [Command.create({"reward_id": cls.vip.id, "occasion": "year"})]
        cls.metric = cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover")
        cls.goal = cls.env["partner.loyalty.goal"].create(
            {"name": "Sell more", "program_id": cls.program.id, "metric_id": cls.metric.id, "target": 1000}
        )
        cls.action = cls.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Anniversary",
                "program_id": cls.program.id,
                "schedule": "anniversary",
                "tier_ids": [Command.set(cls.tier.ids)],
                "condition": "goal",
                "goal_id": cls.goal.id,
                "effect_ids": [
                    Command.create({"kind": "reward", "reward_id": cls.vip.id}),
                    Command.create({"kind": "point", "amount": 50}),
                ],
            }
        )

    def _copy(self, program=None):
        copy = (program or self.program).with_user(self.users["manager"]).copy()
        return copy.with_user(self.env.user)

    def _get_parts(self, model, program):
        return self.env[f"partner.loyalty.{model}"].search([("program_id", "=", program.id)])

    def test_all_that_says_how_it_works_comes_along(self):
        copy = self._copy()
        tier = copy.tier_ids.filtered(lambda tier: tier.name == "Platinum")
        self.assertEqual(copy.name, f"{self.program.name} (copy)")
        self.assertEqual(copy.tier_ids.mapped("name"), self.program.tier_ids.mapped("name"))
        self.assertEqual(copy.rule_ids.mapped("name"), self.program.rule_ids.mapped("name"))
        rewards = self._get_parts("reward", copy)
        self.assertEqual(sorted(rewards.mapped("name")), sorted(self._get_parts("reward", self.program).mapped("name")))
        vip = rewards.filtered(lambda reward: reward.name == "Weekend")
        self.assertEqual(vip.tier_ids, tier)
        self.assertRecordValues(tier.entitlement_ids, [{"reward_id": vip.id, "occasion": "year"}])
        goal = self._get_parts("goal", copy)
        self.assertRecordValues(goal, [{"name": "Sell more", "target": 1000, "metric_id": self.metric.id}])
        action = self._get_parts("bonus.action", copy)
        self.assertRecordValues(
            action, [{"name": "Anniversary", "state": "draft", "goal_id": goal.id, "tier_ids": tier.ids}]
        )
        self.assertEqual(action.effect_ids.mapped("kind"), ["reward", "point"])
        self.assertEqual(action.effect_ids.reward_id, vip)

    def test_the_original_stays_as_it_is(self):
        counts = {
            model: len(self._get_parts(model, self.program))
            for model in ("tier", "rule", "reward", "goal", "bonus.action", "tier.entitlement", "message.setting")
        }
        self._copy()
        for model, count in counts.items():
            self.assertEqual(len(self._get_parts(model, self.program)), count, model)
        self.assertEqual(self.action.effect_ids.reward_id, self.vip)

    def test_nothing_of_what_has_happened_comes_along(self):
        self._request()
        self.action.with_user(self.users["manager"]).action_start()
        copy = self._copy()
        self.assertRecordValues(
            copy, [{"state": "draft", "member_count": 0, "lock_date": False, "bonus_health": False}]
        )
        for model in ("member", "claim", "entry", "account", "bonus.run", "payout", "message"):
            self.assertFalse(self._get_parts(model, copy), model)
        self.assertEqual(self._get_parts("bonus.action", copy).mapped("state"), ["draft"])

    def test_members_of_the_copy_have_codes_of_their_own(self):
        copy = self._copy()
        copy.date_from = self.program.date_from
        copy.action_start()
        member = self._enroll(copy, self.dealer)
        self.assertNotEqual(member.referral_code, self.member.referral_code)

    def test_message_switches_come_along(self):
        setting = self.program.message_setting_ids.filtered(lambda setting: setting.kind == "earned")
        setting.write({"is_active": True, "period": "month"})
        welcome = self.program.message_setting_ids.filtered(lambda setting: setting.kind == "welcome")
        welcome.is_active = False
        settings = {setting.kind: setting for setting in self._copy().message_setting_ids}
        self.assertEqual(len(settings), len(self.program.message_setting_ids))
        self.assertRecordValues(settings["earned"], [{"is_active": True, "period": "month"}])
        self.assertFalse(settings["welcome"].is_active)

    def test_names_come_along_in_all_languages(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.vip.update_field_translations("name", {"uk_UA": "Вихідні"})
        vip = self._get_parts("reward", self._copy()).filtered(lambda reward: reward.name == "Weekend")
        self.assertEqual(vip.with_context(lang="uk_UA").name, "Вихідні")

    def test_what_was_archived_stays_where_it_is(self):
        self.vip.active = False
        copy = self._copy()
        self.assertNotIn("Weekend", self._get_parts("reward", copy).mapped("name"))
        self.assertFalse(self._get_parts("tier.entitlement", copy))
        self.assertFalse(self._get_parts("bonus.action", copy), "it gives what is archived")

    def test_a_copy_of_a_copy(self):
        copy = self._copy(self._copy())
        self.assertEqual(copy.name, f"{self.program.name} (copy) (copy)")
        self.assertEqual(len(self._get_parts("bonus.action", copy)), 1)

    def test_a_chosen_name_is_taken(self):
        self.assertEqual(self.program.copy({"name": "Next year"}).name, "Next year")

    def test_what_is_incomplete_is_said(self):
        # A reward may have become incomplete since it was saved.
        self.env.cr.execute("UPDATE partner_loyalty_reward SET product_id = NULL WHERE id = %s", self.vip.ids)
        self.env.invalidate_all()
        with self.assertRefused("Weekend", ValidationError):
            self._copy()

    def test_officers_copy_no_programs(self):
        with self.assertRefused("", AccessError):
            self.program.with_user(self.users["officer"]).copy()
