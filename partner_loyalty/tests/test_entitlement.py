"""What a tier gives: granted once, claimed within its months, and kept by who loses the tier."""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import freeze_time, tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestEntitlement(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.silver, cls.gold = cls.program._get_tiers()
        cls.free = cls._create_reward(name="Visit", point_cost=0)

    @classmethod
    def _entitle(cls, tier=None, **values):
        return cls.env["partner.loyalty.tier.entitlement"].create(
            {
                "tier_id": (tier or cls.gold).id,
                "reward_id": cls.free.id,
                "date_from": "2026-01-01",
                "valid_months": 6,
                **values,
            }
        )

    def _set_tier(self, tier, member=None):
        """Put a member into a tier from today on."""
        period = (member or self.member).tier_period_ids._get_lasting()
        day = Date.subtract(self.program._get_today(), days=1)
        # Nobody writes the tier history by hand.
        period.sudo()._set_from(tier, day)
        self.program._refresh_tiers()

    def _run(self):
        """Run the nightly job, and return all that was granted so far, oldest first."""
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_evaluate_tiers").with_user(SUPERUSER_ID).method_direct_trigger()
        self.env.invalidate_all()
        claims = self.env["partner.loyalty.claim"].with_user(self.users["officer"])
        return claims.search([("source", "=", "tier")], order="id")

    # === ON REACHING ===#

    def test_who_reaches_a_tier_gets_it_once_as_a_draft_without_points(self):
        entitlement = self._entitle(quantity=2)
        self.assertFalse(self._run())
        self._set_tier(self.gold)
        claim = self._run()
        self.assertRecordValues(
            claim,
            [
                {
                    "member_id": self.member.id,
                    "reward_id": self.free.id,
                    "entitlement_id": entitlement.id,
                    "quantity": 2,
                    "point_amount": 0,
                    "state": "draft",
                    "expiry_date": Date.to_date("2026-09-17"),
                }
            ],
        )
        self.assertEqual(self._run(), claim, "A second run grants nothing.")
        claim.action_request()
        claim.with_user(self.users["manager"]).action_approve()
        claim.action_fulfill()
        self.assertEqual(self._run(), claim)

    def test_who_had_the_tier_before_gets_nothing_for_reaching_it(self):
        self._set_tier(self.gold)
        with freeze_time("2026-03-19 10:00:00"):
            self._entitle(date_from="2026-03-19")
            self.assertFalse(self._run())

    def test_a_joining_member_reaches_its_first_tier(self):
        self._entitle(self.silver)
        self.assertEqual(self._run().member_id, self.member + self.other)

    def test_falling_into_a_tier_is_not_reaching_it(self):
        self._set_tier(self.gold)
        self._entitle(self.silver, date_from="2026-03-18")
        with freeze_time("2026-03-19 10:00:00"):
            self._set_tier(self.silver)
            self.assertFalse(self._run())

    def test_who_reaches_it_again_gets_it_again(self):
        self._entitle()
        self._set_tier(self.gold)
        self._run()
        for day, tier in (("2026-03-19", self.silver), ("2026-03-20", self.gold)):
            with freeze_time(f"{day} 10:00:00"):
                self._set_tier(tier)
                claims = self._run()
        self.assertEqual(claims.mapped("expiry_date"), [Date.to_date("2026-09-17"), Date.to_date("2026-09-19")])

    def test_a_late_run_counts_the_months_from_the_decision_on(self):
        self._entitle(valid_months=1)
        self._set_tier(self.gold)
        self._set_tier(self.gold, self.other)
        with freeze_time("2026-04-17 10:00:00"):
            self.assertEqual(set(self._run().mapped("expiry_date")), {Date.to_date("2026-04-17")})
            self.env["partner.loyalty.claim"].search([("source", "=", "tier")])[0].unlink()
        with freeze_time("2026-04-18 10:00:00"):
            self.assertEqual(len(self._run()), 1, "What would have expired is not granted any more.")

    def test_pieces_that_are_claimed_one_by_one_are_granted_one_by_one(self):
        support = self._create_reward(kind="support", support_label="Hotline", point_cost=0)
        self._entitle(reward_id=support.id, quantity=3, valid_months=0)
        self._set_tier(self.gold)
        expected = {"quantity": 1, "expiry_date": False}
        self.assertRecordValues(self._run(), [expected] * 3)
        self.assertEqual(len(self._run()), 3)

    def test_many_are_granted_in_batches(self):
        self._entitle(self.silver)
        Entitlement = self.env["partner.loyalty.tier.entitlement"]
        self.assertEqual([len(Entitlement._grant_batch(self.program, 1)) for _run in range(3)], [1, 1, 0])

    # === EACH YEAR ===#

    def test_each_year_of_membership_gives_it_once(self):
        self._entitle(self.silver, occasion="year", date_from="2026-03-01")
        claims = self._run().filtered(lambda claim: claim.member_id == self.member)
        self.assertEqual(claims.expiry_date, Date.to_date("2026-08-31"))
        for day, count in (("2026-12-31", 1), ("2027-01-01", 2), ("2027-06-01", 2)):
            with self.subTest(day=day), freeze_time(f"{day} 10:00:00"):
                claims = self._run().filtered(lambda claim: claim.member_id == self.member)
                self.assertEqual(len(claims), count)
        self.assertEqual(claims[-1].expiry_date, Date.to_date("2027-06-30"))

    def test_a_tier_that_is_lost_and_reached_again_gives_it_once_a_year(self):
        self._entitle(occasion="year")
        for day, tier in (("2026-03-19", self.gold), ("2026-03-20", self.silver), ("2026-03-21", self.gold)):
            with freeze_time(f"{day} 10:00:00"):
                self._set_tier(tier)
                self.assertEqual(len(self._run()), 1)

    # === WHAT WAS GRANTED ===#

    def test_who_loses_the_tier_keeps_what_was_granted(self):
        self._entitle()
        self.free.tier_ids = self.gold
        self._set_tier(self.gold)
        claim = self._run()
        with freeze_time("2026-03-19 10:00:00"):
            self._set_tier(self.silver)
            self.assertEqual(self._run(), claim)
            claim.action_request()
        self.assertEqual(claim.state, "requested")

    def test_what_is_not_claimed_in_time_expires(self):
        self._entitle()
        self._set_tier(self.gold)
        claim = self._run()
        with freeze_time("2026-09-18 10:00:00"):
            with self.assertRefused("was to be claimed until 09/17/2026"):
                claim.action_request()
            with self.enter_registry_test_mode():
                cron = self.env.ref("partner_loyalty.ir_cron_expire_claims").with_user(SUPERUSER_ID)
                cron.method_direct_trigger()
            self.assertEqual(self._run().state, "expired", "It is not granted anew.")

    def test_only_active_members_get_what_can_be_had(self):
        self._entitle(self.silver)
        self.other.action_suspend()
        self.free.active = False
        self.assertFalse(self._run())
        self.free.active = True
        self.assertEqual(self._run().member_id, self.member)

    def test_nobody_sets_by_hand_what_a_tier_has_given(self):
        claim = self._create_claim()
        for name, value in {"source": "tier", "entitlement_key": "reach:1:1", "expiry_date": "2030-01-01"}.items():
            with self.subTest(field=name), self.assertRefused("use the buttons", AccessError):
                claim.write({name: value})

    # === SETTINGS ===#

    def test_a_tier_gives_rewards_of_its_own_program_once(self):
        self._entitle()
        with self.assertRefused("gives this reward already", ValidationError):
            self._entitle()
        program = self._create_program([{}], tiers=[("Basic", 0)], name="Other")
        with self.assertRefused("a reward of another program", ValidationError):
            self._entitle(program.tier_ids)
        for values in ({"quantity": 0}, {"quantity": 101}, {"valid_months": -1}, {"valid_months": 121}):
            with self.subTest(**values), self.assertRefused("enter a number in between", ValidationError):
                self._entitle(self.silver, **values)

    def test_it_is_shown_on_the_tier_and_the_member(self):
        self.gold.entitlement_ids = [Command.create({"reward_id": self.free.id, "date_from": "2026-01-01"})]
        self._set_tier(self.gold)
        claim = self._run()
        member = self.member.with_user(self.users["officer"])
        self.assertEqual((member.entitlement_ids.reward_id, member.claim_ids), (self.free, claim))
