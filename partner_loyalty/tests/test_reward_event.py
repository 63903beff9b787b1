"""Seats at an event as a reward: who is invited, what they answer, how many there are, and who was there."""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import freeze_time, tagged

from .common_claim import ClaimCommon

STATES = ("draft", "requested", "approved", "fulfilled", "refused", "canceled", "expired")

# What may be done to an invitation after the event, by whom; every other pair is refused.
TRANSITIONS = {
    ("action_request", "draft"): ({"officer", "manager"}, "requested"),
    ("action_decline", "draft"): ({"officer", "manager"}, "canceled"),
    ("action_attend", "approved"): ({"officer", "manager"}, "fulfilled"),
    ("action_miss", "approved"): ({"officer", "manager"}, "fulfilled"),
}
ACTIONS = ("action_request", "action_decline", "action_attend", "action_miss")


@tagged("post_install", "-at_install")
class TestRewardEvent(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.event = cls._create_reward(
            name="Gala", kind="event", event_date="2026-05-02 18:00:00", event_place="Kyiv", stock=1, point_cost=0
        )
        cls.third = cls._enroll(cls.program, cls.stranger)

    def _invite(self, **values):
        wizards = self.env["partner.loyalty.invite"].with_user(self.users["officer"])
        wizard = wizards.create({"reward_id": self.event.id, "answer_date": "2026-04-15", **values})
        return (
            self.env["partner.loyalty.claim"].with_user(self.users["officer"]).search(wizard.action_invite()["domain"])
        )

    # === INVITATIONS ===#

    def test_members_are_invited_to_an_answer_by_a_day_at_no_points(self):
        self.dealer.email = "dealer@example.com"
        claims = self._invite().sorted("id")
        self.assertEqual(claims.member_id, self.member + self.other + self.third)
        expected = {
            "state": "draft",
            "source": "invitation",
            "point_amount": 0,
            "expiry_date": Date.to_date("2026-04-15"),
        }
        self.assertRecordValues(claims, [expected] * 3)
        mail = self.env["mail.mail"].search([("recipient_ids", "=", self.dealer.id)])
        self.assertEqual(mail.subject, "Dealer Club: invitation to Gala")
        self.assertIn("Kyiv", mail.body_html)

    def test_only_the_chosen_ones_are_invited_and_nobody_twice(self):
        silver, gold = self.program._get_tiers()
        self.third.sudo().tier_id = gold
        self.assertEqual(self._invite(tier_ids=[Command.set(gold.ids)]).member_id, self.third)
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Named", "partner_domain": "[('name', '=', 'Referrer')]"}
        )
        self._invite(segment_ids=[Command.set(segment.ids)], has_mail=False)
        invited = self.event.claim_ids.member_id
        self.assertEqual(invited, self.other + self.third)
        with self.assertRefused("invited already"):
            self._invite(tier_ids=[Command.set(gold.ids)])
        with self.assertRefused("invited already"):
            self._invite(member_ids=[Command.set(self.other.ids)])
        self.assertEqual(
            self._invite(tier_ids=[Command.set(silver.ids)]).member_id, self.other + self.third + self.member
        )

    def test_who_the_event_is_not_for_is_not_proposed(self):
        self.event.tier_ids = self.program._get_tiers()[1]
        self.third.sudo().tier_id = self.event.tier_ids
        self.member.action_suspend()
        self.assertEqual(self._invite().member_id, self.third)

    def test_the_answer_is_asked_for_between_today_and_the_event(self):
        for day in ("2026-03-17", "2026-05-03"):
            with self.subTest(day=day), self.assertRefused("choose a day in between"):
                self._invite(answer_date=day)
        with freeze_time("2026-05-02 18:00:00"), self.assertRefused("took place on"):
            self._invite()
        wizards = self.env["partner.loyalty.invite"].with_user(self.users["officer"])
        with self.assertRefused("is no event"):
            wizards.create({"reward_id": self.gift.id, "answer_date": "2026-04-15"}).action_invite()

    def test_who_does_not_answer_in_time_is_not_invited_any_more(self):
        claim = self._invite()[0]
        with freeze_time("2026-04-16 10:00:00"):
            with self.assertRefused("was to be claimed until 04/15/2026"):
                claim.action_request()
            with self.enter_registry_test_mode():
                cron = self.env.ref("partner_loyalty.ir_cron_expire_claims").with_user(SUPERUSER_ID)
                cron.method_direct_trigger()
            self.env.invalidate_all()
            self.assertEqual(claim.state, "expired")

    def test_one_seat_is_given_once(self):
        first, second, _third = self._invite()
        first.action_request()
        with self.assertRefused("0 are left"):
            second.action_request()
        first.action_cancel()
        second.action_request()

    def test_who_declines_says_why_and_can_be_invited_again(self):
        claim = self._invite(member_ids=[Command.set(self.member.ids)])
        wizards = self.env["partner.loyalty.claim.decline"].with_user(self.users["officer"])
        context = {"active_model": claim._name, "active_ids": claim.ids}
        wizards.with_context(context).create({"reason": "On holiday"}).action_refuse()
        self.assertRecordValues(claim, [{"state": "canceled", "cancel_reason": "On holiday"}])
        self.assertIn(self.member, self._invite().filtered(lambda claim: claim.state == "draft").member_id)

    def test_what_is_no_invitation_is_not_declined(self):
        with self.assertRefused("is no invitation"):
            self._create_claim().action_decline("No")

    def test_an_invitation_is_made_by_the_dialog_alone(self):
        with self.assertRefused("use the buttons", AccessError):
            self._create_claim(self.event, source="invitation")
        with self.assertRefused("cannot be had for points"):
            self._create_claim(self.event).action_request()
        with self.assertRefused("", AccessError):
            wizards = self.env["partner.loyalty.invite"].with_user(self.users["salesperson"])
            wizards.create({"reward_id": self.event.id, "answer_date": "2026-04-15"})

    def test_an_invitation_waits_for_the_member_and_for_nobody_else(self):
        claim = self._invite()[0]
        domain = [("res_model", "=", claim._name), ("res_id", "=", claim.id)]
        self.assertFalse(self.env["partner.loyalty.todo"].search(domain))
        claim.action_request()
        self.env.invalidate_all()
        self.assertEqual(self.env["partner.loyalty.todo"].search(domain).kind, "claim_approve")

    # === ATTENDANCE ===#

    def _accept(self):
        claim = self._invite(member_ids=[Command.set(self.member.ids)])
        claim.action_request()
        claim.with_user(self.users["manager"]).action_approve()
        return claim

    def test_who_was_there_is_known_after_the_event(self):
        claim = self._accept()
        for action in ("action_attend", "action_miss", "action_fulfill"):
            with self.subTest(action=action), self.assertRefused("only then it is known who was there"):
                getattr(claim, action)()
        for action, attendance in (("action_attend", "yes"), ("action_miss", "no"), ("action_fulfill", "yes")):
            with freeze_time("2026-05-03 10:00:00"), self.env.cr.savepoint() as savepoint:
                getattr(claim, action)()
                self.assertRecordValues(claim, [{"state": "fulfilled", "attendance": attendance}])
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_seat_of_something_else_has_no_attendance(self):
        with self.assertRefused("is no seat at an event"):
            self._approve(self._create_reward(point_cost=1)).action_attend()
        with self.assertRefused("use the buttons", AccessError):
            self._accept().attendance = "yes"

    def test_every_transition_by_every_role(self):
        invitation = self._invite(member_ids=[Command.set(self.member.ids)])
        for state in STATES:
            for action in ACTIONS:
                allowed, result = TRANSITIONS.get((action, state), (set(), None))
                for role in self.roles:
                    with self.subTest(state=state, action=action, role=role), self.env.cr.savepoint() as savepoint:
                        invitation.sudo()._set_decision(state)
                        self._try(invitation.with_user(self.users[role]), action, result if role in allowed else None)
                        savepoint.rollback()
                    self.env.invalidate_all()

    def _try(self, claim, action, result):
        arguments = ["No"] if action == "action_decline" else []
        # What is decided before the event is tried before it.
        moment = "2026-03-18 10:00:00" if claim.sudo().state == "draft" else "2026-05-03 10:00:00"
        with freeze_time(moment):
            if result:
                getattr(claim, action)(*arguments)
                self.assertEqual(claim.state, result)
            else:
                with self.assertRefused("", UserError):
                    getattr(claim, action)(*arguments)

    def test_a_reward_without_a_day_says_so(self):
        with self.assertRefused("enter when it takes place", ValidationError):
            self._create_reward(kind="event")
