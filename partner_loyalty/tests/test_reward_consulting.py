"""Hours as a reward: counted down as they are spent, never more than there are."""

from functools import partial

from psycopg2 import errors

from odoo.exceptions import AccessError, ValidationError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_claim import ClaimCommon
from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestRewardConsulting(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consulting = cls._create_reward(name="Consulting", kind="consulting", hours=8)

    def _log(self, claim, hours, user="officer", **values):
        lines = self.env["partner.loyalty.claim.hour"].with_user(self.users[user])
        return lines.create({"claim_id": claim.id, "hours": hours, "name": "Workshop", **values})

    def test_hours_are_counted_down_and_what_is_used_up_is_fulfilled(self):
        claim = self._approve(self.consulting)
        self.assertEqual(claim.hour_text, "8 of 8 hours left")
        line = self._log(claim, 4.5)
        self.assertEqual(line.user_id, self.users["officer"])
        self.assertRecordValues(claim, [{"hour_text": "3.5 of 8 hours left", "hour_left": 3.5, "state": "approved"}])
        self._log(claim, 3.5)
        self.assertRecordValues(claim, [{"hour_text": "0 of 8 hours left", "state": "fulfilled"}])
        self.assertFalse(claim.activity_ids)

    def test_several_pieces_are_several_times_as_many_hours(self):
        reward = self._create_reward(kind="consulting", hours=2.25, point_cost=1)
        claim = self._approve(reward, quantity=3)
        self.assertEqual(claim.hour_text, "6.75 of 6.75 hours left")
        reward.hours = 1
        self.assertEqual(claim.hour_left, 6.75, "What was approved stands.")

    def test_never_more_than_there_are(self):
        claim = self._approve(self.consulting)
        line = self._log(claim, 6)
        with self.assertRefused("these would be 0.25 too many", ValidationError):
            self._log(claim, 2.25)
        with self.assertRefused("these would be 1 too many", ValidationError):
            line.hours = 9
        for hours in (0, -1):
            with self.subTest(hours=hours), self.assertRefused("above zero", ValidationError):
                self._log(claim, hours)

    def test_hours_are_spent_after_the_approval_and_not_in_the_future(self):
        claim = self._request(self.consulting)
        with self.assertRefused("is “To Approve”"):
            self._log(claim, 1)
        claim.with_user(self.users["manager"]).action_approve()
        with self.assertRefused("choose a day up to today", ValidationError):
            self._log(claim, 1, date="2026-03-19")
        self._log(claim, 1, date="2026-03-17")

    def test_the_rest_lapses_with_the_button_and_what_was_spent_stands(self):
        claim = self._approve(self.consulting)
        line = self._log(claim, 3)
        claim.action_fulfill()
        self.assertRecordValues(claim, [{"state": "fulfilled", "hour_left": 5}])
        for change in (lambda: self._log(claim, 1), lambda: line.write({"hours": 1}), line.unlink):
            with self.assertRefused("nothing can be changed any more"):
                change()

    def test_a_line_of_one_claim_does_not_move_to_another(self):
        claim, other = self._approve(self.consulting), self._create_claim(self.consulting)
        line = self._log(claim, 3)
        with self.assertRefused("nothing can be changed any more"):
            line.claim_id = other

    def test_the_hours_are_set_by_the_approval_alone(self):
        claim = self._approve(self.consulting)
        with self.assertRefused("use the buttons", AccessError):
            claim.hour_amount = 100
        with self.assertRefused("", AccessError):
            self._log(claim, 1, user="accountant")

    def test_a_reward_without_hours_says_so(self):
        with self.assertRefused("enter how many", ValidationError):
            self._create_reward(kind="consulting")
        with self.assertRefused("up to 10,000 hours", ValidationError):
            self._create_reward(kind="consulting", hours=-1)

    def test_other_rewards_have_no_hours(self):
        claim = self._approve(self._create_reward(point_cost=1))
        self.assertFalse(claim.hour_text)
        with self.assertRefused("too many", ValidationError):
            self._log(claim, 1)


@tagged("post_install", "-at_install")
class TestConcurrentHours(ConcurrencyCase):
    def test_no_more_hours_than_there_are_however_many_enter_some_at_once(self):
        with self._transaction() as env:
            vals = {"name": "Hours", "program_id": self.program_id, "kind": "consulting", "hours": 8}
            reward = env["partner.loyalty.reward"].create(vals)
            claim = env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": self.member_id})
            claim._set_decision("approved", hour_amount=8)
            claim_id = claim.id
        outcomes = self._run_together(lambda: self._log(claim_id), 8)
        self.assertEqual(sorted(outcomes), ["logged"] * 2 + ["refused"] * 6)
        with self._transaction() as env:
            claim = env["partner.loyalty.claim"].browse(claim_id)
            self.assertEqual(claim.hour_left, 2)
            claim.action_cancel()

    @staticmethod
    def _enter(env, claim_id):
        env["partner.loyalty.claim.hour"].create({"claim_id": claim_id, "name": "Workshop", "hours": 3})

    def _log(self, claim_id):
        """Enter hours as a click does, with the retries of a request, and once more where those were used up."""
        while True:
            try:
                with self._transaction() as env, mute_logger("odoo.sql_db", "odoo.service.model"):
                    retrying(partial(self._enter, env, claim_id), env)
                return "logged"
            except ValidationError:
                return "refused"
            except errors.OperationalError:
                continue
