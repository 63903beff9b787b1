"""Pilots: who is drawn, what the control group goes without, what the comparison says, and who may decide."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..tools.trial import Estimate, estimate
from .common import PartnerLoyaltyCommon

START = "2026-04-01"
END = "2026-06-30"


class PilotCommon(PartnerLoyaltyCommon):
    """A program with eight members and a rule that gives ten percent, which is to be tried from April on."""

    roles = ("salesperson", "officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0)], date_from="2025-01-01")
        cls.rule = cls.program.rule_ids
        cls.partners = [cls._create_partner(name=f"Partner {number}", is_company=True) for number in range(8)]
        cls.members = cls._enroll(cls.program, *cls.partners, date_from="2025-01-01")
        cls.metric = cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover")

    @classmethod
    def _prepare_pilot(cls, **values):
        return {
            "name": "Ten percent",
            "program_id": cls.program.id,
            "hypothesis": "Who gets something buys more.",
            "metric_id": cls.metric.id,
            "rule_id": cls.rule.id,
            "date_from": START,
            "date_to": END,
            **values,
        }

    @classmethod
    def _create_pilot(cls, **values):
        return cls.env["partner.loyalty.pilot"].create(cls._prepare_pilot(**values))

    def _start_pilot(self, **values):
        """Start a pilot and return it with a member of each group."""
        pilot = self._create_pilot(**values)
        pilot.action_start()
        return pilot, *(self._get_arm(pilot, arm)[0] for arm in ("treatment", "control"))

    def _get_arm(self, pilot, arm):
        return pilot.member_ids.filtered(lambda line: line.arm == arm).member_id

    def _sell(self, member, amount=100, day="2026-04-10"):
        invoice = self._create_sale_invoice(member.partner_id, amount, date=day)
        self._answer_documents()
        return invoice

    def _get_earned(self, member):
        self.env.invalidate_all()
        return member.money_balance

    def _sell_before_and_since(self, pilot, with_it, without):
        """Sell to each member 100 more or less before, and then so much more."""
        for arm, growth in (("treatment", with_it), ("control", without)):
            for number, member in enumerate(self._get_arm(pilot, arm)):
                self._create_sale_invoice(member.partner_id, 100 + number, date="2026-03-20")
                self._create_sale_invoice(member.partner_id, 100 + 2 * number + growth, date="2026-04-10")


@tagged("post_install", "-at_install")
class TestPilotGroups(PilotCommon):
    def test_half_of_the_members_are_drawn_and_noted_with_what_they_had_before(self):
        self._create_sale_invoice(self.partners[0], 70, date="2026-03-10")
        pilot, _with_it, _without = self._start_pilot()
        self.assertEqual(pilot.state, "running")
        self.assertEqual(sorted(pilot.member_ids.mapped("arm")), ["control"] * 4 + ["treatment"] * 4)
        self.assertEqual(
            pilot.member_ids.member_id,
            self.members.sorted(lambda member: pilot.member_ids.member_id.ids.index(member.id)),
        )
        line = pilot.member_ids.filtered(lambda line: line.member_id == self.members[0])
        self.assertEqual((line.baseline, line.has_baseline, line.stratum), (70, True, "Silver, large"))

    def test_the_groups_can_be_drawn_again_by_the_seed_that_was_noted(self):
        pilot, _with_it, _without = self._start_pilot()
        self.assertTrue(pilot.seed)
        drawn = {line.member_id.id: line.arm for line in pilot.member_ids}
        self.assertEqual(pilot._draw(pilot._get_strata()), drawn)
        pilot.sudo().seed += 1
        others = [pilot._draw(pilot._get_strata())]
        for _number in range(5):
            pilot.sudo().seed += 1
            others.append(pilot._draw(pilot._get_strata()))
        self.assertTrue(any(other != drawn for other in others))

    def test_sizes_give_both_groups_their_share(self):
        for number, partner in enumerate(self.partners):
            self._create_sale_invoice(partner, 100 * number + 1, date="2026-02-10")
        pilot, _with_it, _without = self._start_pilot()
        large = pilot.member_ids.filtered(lambda line: line.stratum == "Silver, large")
        self.assertEqual(large.member_id, self.members[5:].sorted(lambda member: large.member_id.ids.index(member.id)))
        self.assertIn(large.mapped("arm").count("treatment"), (1, 2))

    def test_whom_the_rule_is_guaranteed_and_who_is_no_active_member_take_no_part(self):
        self.env["partner.loyalty.agreement"].create(
            {
                "name": "Promised",
                "member_id": self.members[0].id,
                "kind": "guarantee",
                "rule_id": self.rule.id,
                "date_from": "2026-01-01",
                "date_to": "2026-12-31",
            }
        )
        self.members[1].action_suspend()
        pilot, _with_it, _without = self._start_pilot()
        self.assertFalse(pilot.member_ids.member_id & self.members[:2])

    def test_members_of_segments_are_labelled_an_indication(self):
        segment = self.env["partner.loyalty.segment"].create(
            {
                "name": "First three",
                "partner_domain": f"[('id', 'in', {[partner.id for partner in self.partners[:3]]})]",
            }
        )
        pilot, _with_it, _without = self._start_pilot(assignment="segment", segment_ids=[Command.set(segment.ids)])
        self.assertEqual(
            self._get_arm(pilot, "treatment").partner_id.sorted("id").ids, [p.id for p in self.partners[:3]]
        )
        self._sell_before_and_since(pilot, 50, 0)
        with freeze_time("2026-07-01 10:00:00"):
            self._run_cron("ir_cron_measure_pilots")
        self.assertIn("an indication, not proof", pilot.verdict_text)

    def test_groups_that_were_not_alike_are_warned_of(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Giant", "partner_domain": f"[('id', 'in', {[partner.id for partner in self.partners[:2]]})]"}
        )
        for number, partner in enumerate(self.partners[:2]):
            self._create_sale_invoice(partner, 10000 + number, date="2026-03-10")
        pilot, _with_it, _without = self._start_pilot(assignment="segment", segment_ids=[Command.set(segment.ids)])
        self.assertIn("they were not alike", pilot.balance_text)


@tagged("post_install", "-at_install")
class TestPilotOfRule(PilotCommon):
    def test_the_control_group_earns_nothing_from_the_first_day_on(self):
        _pilot, with_it, without = self._start_pilot()
        for member in (with_it, without):
            self._sell(member, 100, "2026-03-31")
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [10, 10])
        for member in (with_it, without):
            self._sell(member, 100, START)
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [20, 10])
        # Also after the last day, until somebody decides.
        for member in (with_it, without):
            self._sell(member, 100, "2026-07-02")
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [30, 10])

    def test_who_joins_later_earns(self):
        self._start_pilot()
        member = self._enroll(self.program, self.dealer, date_from="2026-04-05")
        self._sell(member)
        self.assertEqual(self._get_earned(member), 10)

    def test_roll_out_lets_all_earn_from_the_next_day_and_gives_nothing_afterwards(self):
        pilot, _with_it, without = self._start_pilot()
        before = self._sell(without, 100, "2026-04-10")
        with freeze_time("2026-04-20 10:00:00"):
            pilot.action_roll_out()
            self.assertEqual((pilot.state, str(pilot.rollout_date)), ("rolled_out", "2026-04-21"))
            self._sell(without, 100, "2026-04-21")
            self.assertEqual(self._get_earned(without), 10)
            self._credit(before, date="2026-04-20")
            self._answer_documents()
        self.assertEqual(self._get_earned(without), 10)

    def test_stop_ends_the_rule_for_all_and_what_was_earned_stays(self):
        pilot, with_it, _without = self._start_pilot()
        self._sell(with_it, 100, "2026-04-10")
        with freeze_time("2026-04-20 10:00:00"):
            pilot.action_stop()
            self.assertEqual((pilot.state, str(self.rule.date_to)), ("stopped", "2026-04-20"))
            self._sell(with_it, 100, "2026-04-21")
        self.assertEqual(self._get_earned(with_it), 10)

    def test_the_next_version_of_the_rule_leaves_out_the_same_members(self):
        _pilot, with_it, without = self._start_pilot()
        with freeze_time("2026-04-05 10:00:00"):
            self._put_into_force(self.rule, "2026-04-06", rate=20)
        for member in (with_it, without):
            self._sell(member, 100, "2026-04-10")
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [20, 0])

    def test_another_rule_of_the_group_takes_over_for_the_control_group(self):
        self.rule.exclusive_group = "Commission"
        self._create_rule(self.program, name="Usual", rate=3, sequence=20, exclusive_group="Commission")
        _pilot, with_it, without = self._start_pilot()
        for member in (with_it, without):
            self._sell(member)
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [10, 3])

    def test_a_rule_by_bands_counts_what_came_before(self):
        bands = self._create_rule(
            self.program,
            name="Volume",
            formula="bands",
            period="year",
            rate=0,
            band_ids=[Command.create({"threshold": 0, "rate": 5})],
        )
        self.rule.action_archive()
        _pilot, with_it, without = self._start_pilot(rule_id=bands.id)
        for member in (with_it, without):
            self._sell(member, 100, "2026-03-20")
            self._sell(member, 100, "2026-04-10")
        self.assertEqual([self._get_earned(member) for member in (with_it, without)], [10, 5])

    def test_why_nothing_was_earned_says_that_it_is_tried(self):
        _pilot, _with_it, without = self._start_pilot()
        with freeze_time("2026-04-10 10:00:00"):
            invoice = self._sell(without)
            answers = self.env["partner.loyalty.why"]._explain(invoice)
        self.assertIn("tried with some members first", " ".join(answer["text"] for answer in answers))
        self.assertEqual(
            [row["rule"] for row in without._get_terms_on(self.rule.date_from or invoice.invoice_date)], []
        )

    def test_a_promotion_that_is_tried_is_compared_with_the_time_before_as_any_other(self):
        self.rule.write({"date_from": START, "date_to": END})
        pilot, _with_it, _without = self._start_pilot()
        self.assertTrue(self.rule.is_piloted)
        with freeze_time("2026-04-10 10:00:00"):
            self.assertTrue(self.rule._is_comparable())
        self.assertEqual(pilot.state, "running")

    def test_a_merge_takes_nothing_from_who_had_it(self):
        _pilot, with_it, without = self._start_pilot()
        self._sell(with_it)
        with freeze_time("2026-04-20 10:00:00"):
            self.env["base.partner.merge.automatic.wizard"]._merge(
                (with_it.partner_id | without.partner_id).ids, with_it.partner_id
            )
            self._answer_documents()
        root = with_it.root_id
        self.assertEqual(self._get_earned(root), 10)
        self._sell(root, 50, "2026-04-22")
        self.assertEqual(self._get_earned(root), 15)


@tagged("post_install", "-at_install")
class TestPilotOfOthers(PilotCommon):
    def test_a_bonus_action_gives_the_control_group_nothing_until_it_is_rolled_out(self):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Thanks",
                "program_id": self.program.id,
                "schedule": "month",
                "date_from": "2026-03-01",
                "effect_ids": [Command.create({"kind": "point", "amount": 5})],
            }
        )
        action.sudo().state = "running"
        pilot, with_it, without = self._start_pilot(tried="bonus", rule_id=False, action_id=action.id)
        with freeze_time("2026-05-02 10:00:00"):
            self._as_cron(action._name).browse(action.id)._run_safely()
            self.env.invalidate_all()
            # For March all, for April those who have it.
            self.assertEqual((with_it.point_balance, without.point_balance), (10, 5))
            pilot.action_roll_out()
        with freeze_time("2026-06-02 10:00:00"):
            self._as_cron(action._name).browse(action.id)._run_safely()
            self.env.invalidate_all()
            self.assertEqual((with_it.point_balance, without.point_balance), (15, 10))

    def test_a_reward_is_not_open_to_the_control_group(self):
        reward = self.env["partner.loyalty.reward"].create(
            {"name": "Chair", "program_id": self.program.id, "product_id": self.thing.id, "point_cost": 5}
        )
        pilot, with_it, without = self._start_pilot(tried="reward", rule_id=False, reward_id=reward.id)
        self.assertFalse(reward._get_refusal(without))
        with freeze_time("2026-04-10 10:00:00"):
            self.assertFalse(reward._get_refusal(with_it))
            self.assertIn("is not open to", reward.with_user(self.users["salesperson"])._get_refusal(without))
            pilot.action_roll_out()
        with freeze_time("2026-04-11 10:00:00"):
            self.assertFalse(reward._get_refusal(without))

    def test_a_reward_that_tiers_give_cannot_be_tried(self):
        reward = self.env["partner.loyalty.reward"].create(
            {"name": "Chair", "program_id": self.program.id, "product_id": self.thing.id, "point_cost": 5}
        )
        self.program.tier_ids.entitlement_ids = [Command.create({"reward_id": reward.id})]
        pilot = self._create_pilot(tried="reward", rule_id=False, reward_id=reward.id)
        with self.assertRefused("is given by Silver as well"):
            pilot.action_start()


@tagged("post_install", "-at_install")
class TestPilotComparison(PilotCommon):
    def test_a_planted_effect_is_found_and_is_the_difference_of_the_changes(self):
        pilot, _with_it, _without = self._start_pilot(by_size=False)
        self._sell_before_and_since(pilot, 40, 10)
        with freeze_time("2026-04-30 10:00:00"):
            pilot.action_measure()
        self.assertRecordValues(
            pilot,
            [
                {
                    "treatment_count": 4,
                    "control_count": 4,
                    "treatment_before": 101.5,
                    "treatment_now": 143,
                    "control_before": 101.5,
                    "control_now": 113,
                    "effect": 30,
                    "verdict": "works",
                    "has_interval": True,
                    "is_provisional": True,
                }
            ],
        )
        # Changes are 40 to 43 and 10 to 13: variance 5/3 each, 6 degrees of freedom, t 2.4469.
        self.assertAlmostEqual(pilot.effect_high - pilot.effect, 2.4469 * (2 * 5 / 3 / 4) ** 0.5, places=3)
        self.assertIn("Provisional", pilot.verdict_text)
        self.assertIn("works: for each member who has it, Turnover changed by +30.00", pilot.verdict_text)
        self.assertIn("+30.00", pilot.comparison)

    def test_what_all_grow_by_is_no_effect(self):
        pilot, _with_it, _without = self._start_pilot(by_size=False)
        self._sell_before_and_since(pilot, 40, 40)
        with freeze_time("2026-07-01 10:00:00"):
            self._run_cron("ir_cron_measure_pilots")
        self.assertEqual((pilot.effect, pilot.verdict, pilot.state), (0, "none", "ended"))
        self.assertFalse(pilot.is_provisional)
        self.assertIn("does not work", pilot.verdict_text)
        self.assertIn("an effect of 10 % can be ruled out", pilot.verdict_text)

    def test_what_takes_turnover_away_harms(self):
        pilot, _with_it, _without = self._start_pilot(by_size=False)
        self._sell_before_and_since(pilot, 0, 40)
        with freeze_time("2026-07-01 10:00:00"):
            pilot.action_measure()
        self.assertEqual((pilot.verdict, pilot.state), ("harms", "ended"))
        self.assertIn("-40.00", pilot.verdict_text)

    def test_one_giant_leaves_it_unclear(self):
        pilot, with_it, _without = self._start_pilot()
        self._sell_before_and_since(pilot, 0, 0)
        self._create_sale_invoice(with_it.partner_id, 100000, date="2026-04-11")
        with freeze_time("2026-07-01 10:00:00"):
            self._run_cron("ir_cron_measure_pilots")
        self.assertEqual(pilot.verdict, "unclear")
        self.assertIn("too few partners to tell", pilot.verdict_text)

    def test_without_any_sales_nothing_can_be_said(self):
        pilot, _with_it, _without = self._start_pilot()
        with freeze_time("2026-07-01 10:00:00"):
            self._run_cron("ir_cron_measure_pilots")
        self.assertEqual((pilot.verdict, pilot.has_interval), ("unclear", False))
        self.assertIn("nothing can be said of", pilot.verdict_text)

    def test_where_less_is_better_less_works(self):
        pilot = self._create_pilot(metric_id=self.env.ref("partner_loyalty.partner_loyalty_metric_recency").id)
        self.assertEqual(pilot._get_verdict(Estimate(-3, -5, -1), 1), "works")
        self.assertEqual(pilot._get_verdict(Estimate(3, 1, 5), 1), "harms")
        self.assertEqual(pilot._get_verdict(Estimate(0, -0.5, 5), 1), "none")
        self.assertEqual(pilot._get_verdict(Estimate(0, -5, 5), 1), "unclear")

    def test_the_end_asks_the_responsible_to_decide(self):
        pilot, _with_it, _without = self._start_pilot(user_id=self.users["manager"].id)
        with freeze_time("2026-07-01 10:00:00"):
            self._run_cron("ir_cron_measure_pilots")
            self.assertEqual(pilot.state, "ended")
            self.assertEqual(pilot.activity_ids.user_id, self.users["manager"])
            pilot.with_user(self.users["manager"]).action_roll_out()
        self.assertFalse(pilot.activity_ids)

    def test_before_the_start_it_is_told_what_could_be_shown(self):
        for number, partner in enumerate(self.partners):
            self._create_sale_invoice(partner, 1000, date="2025-11-10")
            self._create_sale_invoice(partner, 1000 + number, date="2026-02-10")
        pilot = self._create_pilot()
        self.assertFalse(pilot.is_too_small)
        # The change has a standard deviation of 2.449: (2.4469 + 0.9057) * 2.449 * sqrt(2/4).
        self.assertIn("can show an effect of 5.81", pilot.outlook_text)
        self._create_sale_invoice(self.partners[0], 50000, date="2026-02-10")
        self.env.invalidate_all()
        self.assertTrue(pilot.is_too_small)
        self.assertIn("more than the 10 % that would be worth having", pilot.outlook_text)

    def test_a_form_that_is_being_filled_in_tells_what_could_be_shown(self):
        with Form(self.env["partner.loyalty.pilot"].with_user(self.users["manager"])) as form:
            form.name = "Try"
            form.hypothesis = "It helps"
            form.program_id = self.program
            form.rule_id = self.rule
            form.metric_id = self.metric
            self.assertIn("4 would have it and 4 would not", form.outlook_text)


@tagged("post_install", "-at_install")
class TestPilotOwners(PilotCommon):
    """Eight members of five owners: three have the first as their head, and two more belong together."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.members[1] | cls.members[2]).head_id = cls.members[0]
        cls.members[4].head_id = cls.members[3]

    def _get_owners(self, pilot):
        """Return the groups that the members of each owner are in."""
        arms = {line.member_id: line.arm for line in pilot.member_ids}
        return [{arms[member] for member in self.members[first:last]} for first, last in ((0, 3), (3, 5))]

    def test_members_of_one_owner_are_drawn_into_one_group(self):
        pilot, _with_it, _without = self._start_pilot()
        self.assertEqual([len(arms) for arms in self._get_owners(pilot)], [1, 1])
        seen = set()
        for _number in range(20):
            pilot.sudo().seed += 1
            drawn = pilot._draw(pilot._get_strata())
            arms = [drawn[member.id] for member in self.members]
            self.assertEqual((len(set(arms[:3])), len(set(arms[3:5]))), (1, 1))
            seen.add(tuple(arms))
        self.assertGreater(len(seen), 3)

    def test_it_is_said_that_owners_are_compared(self):
        pilot = self._create_pilot()
        self.assertEqual(sum(pilot._count_groups()), 5)
        pilot.action_start()
        self.assertIn("8 members belong to 5 owners", pilot.balance_text)

    def test_an_owner_is_one_observation_by_the_average_of_its_members(self):
        """Were the eight counted one by one, the interval would be narrower than what is known."""
        pilot, _with_it, _without = self._start_pilot(by_size=False, by_tier=False)
        growths = dict(zip(self.members, (30, 60, 90, 10, 20, 5, 40, 12), strict=True))
        for member, growth in growths.items():
            self._create_sale_invoice(member.partner_id, 100, date="2026-03-20")
            self._create_sale_invoice(member.partner_id, 100 + growth, date="2026-04-10")
        with freeze_time("2026-07-01 10:00:00"):
            pilot.action_measure()
        owners = {0: 60, 3: 15, 5: 5, 6: 40, 7: 12}
        arms = {line.member_id: line.arm for line in pilot.member_ids}
        groups = [
            [growth for number, growth in owners.items() if arms[self.members[number]] == arm]
            for arm in ("treatment", "control")
        ]
        expected = estimate([tuple(groups)])
        self.assertAlmostEqual(pilot.effect, expected.effect, places=3)
        self.assertAlmostEqual(pilot.effect_high, expected.high, places=3)
        self.assertEqual((pilot.treatment_owner_count, pilot.control_owner_count), tuple(map(len, groups)))
        self.assertEqual(pilot.treatment_count + pilot.control_count, 8)
        for members, owners in zip((pilot.treatment_count, pilot.control_count), map(len, groups), strict=True):
            # Where each member of a group is an owner of its own, nothing needs to be said of owners.
            self.assertEqual(f"of {owners} owners" in pilot.comparison, owners < members)

    def test_where_all_belong_to_one_owner_nothing_can_be_compared(self):
        self.members[4].head_id = False
        self.members[1:].head_id = self.members[0]
        with self.assertRefused("both groups need two at least"):
            self._create_pilot().action_start()


@tagged("post_install", "-at_install")
class TestPilotRefusals(PilotCommon):
    def test_what_is_over_cannot_be_tried(self):
        pilot = self._create_pilot(date_from="2026-03-17")
        with self.assertRefused("cannot start before"):
            pilot.action_start()
        self._sell(self.members[0], day="2026-03-10")
        pilot.date_from = "2026-03-18"
        with self.assertRefused("cannot start before"):
            pilot.action_start()
        pilot.date_from = "2026-03-19"
        pilot.action_start()
        self.assertEqual(pilot.state, "running")

    def test_a_rule_that_ends_earlier_cannot_be_tried(self):
        self.rule.date_to = "2026-05-31"
        with self.assertRefused("is not in force on all days"):
            self._create_pilot().action_start()

    def test_two_pilots_cannot_try_the_same_at_once(self):
        self._start_pilot()
        with self.assertRefused("is tried by “Ten percent” already"):
            self._create_pilot(name="Again").action_start()

    def test_too_few_members_cannot_be_compared(self):
        with self.assertRefused("both groups need two at least"):
            self._create_pilot(share=5).action_start()

    def test_a_draft_program_tries_nothing(self):
        program = self._create_program([{}], start=False, name="Draft")
        with self.assertRefused("is not running"):
            self._create_pilot(program_id=program.id, rule_id=program.rule_ids.id).action_start()

    def test_what_was_drawn_for_stays_as_it_is(self):
        pilot, _with_it, _without = self._start_pilot()
        manager = pilot.with_user(self.users["manager"])
        for values in ({"date_to": "2026-12-31"}, {"metric_id": self.metric.id}, {"share": 10}):
            with self.subTest(values=values), self.assertRefused("has started"):
                manager.write(values)
        manager.name = "Another name"
        with self.assertRefused("has started"):
            manager.unlink()
        with self.assertRefused("has started"):
            manager.action_start()

    def test_states_groups_and_seeds_are_set_by_buttons_alone(self):
        pilot = self._create_pilot().with_user(self.users["manager"])
        for values in ({"state": "running"}, {"seed": 5}, {"rollout_date": START}, {"member_ids": []}):
            with self.subTest(values=values), self.assertRefused("cannot be set by hand", AccessError):
                pilot.write(values)
        pilot.action_start()
        with self.assertRefused("", AccessError):
            pilot.member_ids[0].arm = "control"

    def test_officers_look_and_do_not_decide(self):
        pilot, _with_it, _without = self._start_pilot()
        officer = pilot.with_user(self.users["officer"])
        self.assertTrue(officer.balance_text)
        for method in ("action_start", "action_roll_out", "action_stop", "action_measure"):
            with self.subTest(method=method), self.assertRefused("", AccessError):
                getattr(officer, method)()
        with self.assertRefused("", AccessError):
            pilot.with_user(self.users["salesperson"]).read(["name"])

    def test_bad_input_gets_a_sentence(self):
        other = self._create_program([{}], name="Other")
        for values, sentence in (
            ({"share": 0}, "Both groups need members"),
            ({"share": 100}, "Both groups need members"),
            ({"relevant_share": 0}, "more than nothing"),
            ({"date_to": START}, "two days at least"),
            ({"date_to": "2036-01-01"}, "three years at most"),
            ({"rule_id": False}, "tries nothing yet"),
            ({"rule_id": other.rule_ids.id}, "belongs to another program"),
            ({"assignment": "segment"}, "choose which"),
            ({"share": float("nan")}, "is not a number"),
        ):
            with self.subTest(values=values), self.assertRefused(sentence, ValidationError):
                self._create_pilot(**values)

    def test_a_decision_is_taken_once(self):
        pilot, _with_it, _without = self._start_pilot()
        pilot.action_roll_out()
        for method in ("action_roll_out", "action_stop", "action_measure"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(pilot, method)()

    def test_a_metric_that_a_pilot_needs_stays(self):
        metric = self.metric.copy()
        self._create_pilot(metric_id=metric.id)
        with self.assertRefused("is used by Ten percent"):
            metric.unlink()
