"""Bonus actions: who gets what, what was given, taken back, refused, and what fails."""

from contextlib import contextmanager
from unittest.mock import patch

from lxml.etree import fromstring
from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import RecordCapturer, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.partner_loyalty.models.partner_loyalty_bonus_effect import PartnerLoyaltyBonusEffect

from .common import TODAY, PartnerLoyaltyCommon

LOGGER = "odoo.addons.partner_loyalty.models.partner_loyalty_bonus_action"
NARROW_SPACE = "\N{NO-BREAK SPACE}"


class BonusCommon(PartnerLoyaltyCommon):
    """Two members of a program with tiers whose sales earn nothing, so that all on their statements is a bonus."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 0}], tiers=[("Silver", 0), ("Gold", 1000)])
        cls.silver, cls.gold = cls.program.tier_ids
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.metric = cls.env["partner.loyalty.metric"].create(
            {"name": "Turnover", "kind": "invoice", "role": "buyer", "aggregate": "sum", "field": "amount"}
        )

    # === FACTORIES ===#

    @classmethod
    def _create_action(cls, effects=({},), start=True, **values):
        """Create a bonus action of 50 points a month, and start it.

        :param effects: dicts of values that differ from 50 points
        """
        condition = values.get("condition", "always")
        if condition in ("value", "top_count", "top_share", "streak", "growth"):
            values.setdefault("metric_id", cls.metric.id)
        tiers = values.pop("tier_ids", None)
        action = cls.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Bonus",
                "program_id": cls.program.id,
                "schedule": "month",
                "tier_ids": [Command.set(tiers.ids)] if tiers else [],
                "effect_ids": [Command.create({"kind": "point", "amount": 50, **effect}) for effect in effects],
                **values,
            }
        )
        if start:
            action.action_start()
        return action

    @classmethod
    def _sell(cls, partner, amount, day="2026-03-10", **values):
        return cls._create_sale_invoice(partner, amount, date=day, **values)

    def _enroll_sellers(self, *amounts):
        """Enroll a member for each amount, who turns over so much in March; return them in this order."""
        partners = [self._create_partner(name=f"Seller {amount}", is_company=True) for amount in amounts]
        for partner, amount in zip(partners, amounts, strict=True):
            if amount:
                self._sell(partner, amount)
        return self._enroll(self.program, *partners)

    # === RUNNING ===#

    def _run(self, action):
        """Run what is due, as the nightly job does."""
        self._as_cron("partner.loyalty.bonus.action").browse(action.id)._run_safely()
        self.env.invalidate_all()

    def _run_in_april(self, action):
        """Run the month of March on the day after it; return the run."""
        with freeze_time("2026-04-01 01:00:00"):
            self._run(action)
        self.assertFalse(action.error)
        return self._get_runs(action)[:1]

    def _run_cron(self):
        self._write_marks()
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_bonus").with_user(SUPERUSER_ID).method_direct_trigger()
        self.env.invalidate_all()

    def _get_runs(self, action):
        return self.env["partner.loyalty.bonus.run"].search([("action_id", "=", action.id), ("state", "!=", "preview")])

    def _get_lines(self, action, *states):
        domain = [("action_id", "=", action.id), ("state", "in", states or ("given",))]
        domain.append(("is_preview", "=", False))
        return self.env["partner.loyalty.bonus.line"].search(domain, order="id")

    def _get_names(self, action, *states):
        return self._get_lines(action, *states).partner_id.mapped("name")

    @contextmanager
    def _take_back(self):
        """Take back all that happens within."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCondition(BonusCommon):
    """Who gets it, and who just misses it by how much."""

    def _assert_march(self, action, given, missed=()):
        """Check who got the bonus of March and who just missed it, and that a preview says the same before."""
        with freeze_time("2026-04-01 00:30:00"):
            preview = action.run_ids.browse(action.action_preview()["res_id"])
            shown = [(line.partner_id, line.reason_text, line.point_amount, line.gap) for line in preview.line_ids]
        run = self._run_in_april(action)
        self.assertEqual(
            [(line.partner_id, line.reason_text, line.point_amount, line.gap) for line in run.line_ids], shown
        )
        self.assertEqual(self._get_names(action), list(given))
        self.assertEqual([(line.partner_id.name, line.gap) for line in self._get_lines(action, "missed")], list(missed))
        return run

    def test_without_a_condition_all_of_the_audience_get_it(self):
        action = self._create_action()
        self._assert_march(action, ["Dealer", "Referrer"])
        self.assertEqual(set(self._get_lines(action).mapped("reason_text")), {"All of the audience get it"})

    def test_a_value_that_is_reached_and_one_that_is_just_missed(self):
        self._enroll_sellers(1000, 899.99, 900, 1500, 0)
        action = self._create_action(condition="value", threshold=1000)
        self._assert_march(action, ["Seller 1500", "Seller 1000"], [("Seller 900", 100)])
        self.assertEqual(
            self._get_lines(action, "missed").reason_text,
            f"Turnover from 03/01/2026 to 03/31/2026: 900.00{NARROW_SPACE}€, "
            f"asked for: at least 1,000.00{NARROW_SPACE}€; missed by 100.00{NARROW_SPACE}€",
        )

    def test_each_operator_compares_as_it_says(self):
        self._enroll_sellers(99, 100, 101)
        for operator, given in ((">=", ["100", "101"]), (">", ["101"]), ("<=", ["0", "99", "100"]), ("<", ["0", "99"])):
            with self.subTest(operator=operator), self._take_back():
                action = self._create_action(condition="value", operator=operator, threshold=100)
                self._run_in_april(action)
                names = {name.removeprefix("Seller ") for name in self._get_names(action)}
                self.assertEqual(names - {"Dealer", "Referrer"}, set(given) - {"0"})
                self.assertEqual("Dealer" in names, "0" in given, "Who sold nothing has a turnover of zero.")

    def test_only_what_lies_in_the_period_counts(self):
        self._sell(self.dealer, 100, "2026-02-28")
        self._sell(self.dealer, 100, "2026-04-01")
        self._sell(self.referrer, 100, "2026-03-31")
        self._assert_march(self._create_action(condition="value", threshold=100), ["Referrer"])

    def test_the_metric_can_look_further_back_than_the_schedule(self):
        self.program.date_from = "2025-01-01"
        self.program.member_ids.period_ids.date_from = "2025-01-01"
        self._sell(self.dealer, 100, "2025-04-01")
        self._sell(self.referrer, 100, "2025-03-31")
        for measured, given in (("year", ["Dealer"]), ("quarter", []), ("all", ["Dealer", "Referrer"])):
            with self.subTest(measured=measured), self._take_back():
                action = self._create_action(condition="value", threshold=100, measured_over=measured)
                self._assert_march(action, given)

    def test_who_has_the_same_value_shares_a_place_and_all_of_them_get_it(self):
        self._enroll_sellers(500, 400, 400, 300, 300, 200, 100, 0)
        action = self._create_action(condition="top_count", top_count=2)
        run = self._assert_march(
            action,
            ["Seller 500", "Seller 400", "Seller 400"],
            [("Seller 300", 100), ("Seller 300", 100), ("Seller 200", 200)],
        )
        self.assertEqual(run.line_ids.mapped("rank"), [1, 2, 2, 4, 4, 6])
        self.assertEqual(
            run.line_ids[3].reason_text,
            f"Place 4 of 10 by Turnover from 03/01/2026 to 03/31/2026: 300.00{NARROW_SPACE}€; "
            f"missed by 100.00{NARROW_SPACE}€",
        )
        self.assertRecordValues(run, [{"given_count": 3, "missed_count": 3, "point_amount": 150, "money_amount": 0}])

    def test_nobody_has_a_place_who_sold_nothing(self):
        self._enroll_sellers(10)
        self._assert_march(self._create_action(condition="top_count", top_count=5), ["Seller 10"])

    def test_where_less_is_better_the_lowest_value_has_the_first_place(self):
        self.metric.direction = "down"
        self._enroll_sellers(30, 20, 10)
        self._assert_march(
            self._create_action(
                condition="top_count", top_count=1, member_domain="[('partner_id.name', 'like', 'Seller')]"
            ),
            ["Seller 10"],
            [("Seller 20", 10), ("Seller 30", 20)],
        )

    def test_the_best_per_cent_are_those_of_the_audience_rounded_up(self):
        self._enroll_sellers(90, 80, 70, 60, 50, 40, 30, 20, 10)
        for share, count in ((10, 2), (0.01, 1), (27.3, 4), (100, 9)):
            with self.subTest(share=share), self._take_back():
                action = self._create_action(condition="top_share", top_share=share)
                self._run_in_april(action)
                self.assertEqual(len(self._get_lines(action)), count)

    def test_a_streak_is_so_many_periods_in_a_row(self):
        self.program.member_ids.period_ids.date_from = "2026-01-01"
        self._enroll_sellers(100)
        for partner, days in (
            (self.dealer, ("2026-01-31", "2026-02-01", "2026-03-31")),
            (self.referrer, ("2026-01-10", "2026-01-20", "2026-03-05")),
        ):
            for day in days:
                self._sell(partner, 100, day)
        action = self._create_action(condition="streak", threshold=100, streak_count=3)
        self._assert_march(action, ["Dealer"])
        two = self._create_action(condition="streak", threshold=100, streak_count=2, name="Two")
        self._assert_march(two, ["Dealer"], [("Referrer", 1), ("Seller 100", 1)])
        self.assertEqual(
            self._get_lines(two, "missed")[0].reason_text,
            f"Turnover reached at least 100.00{NARROW_SPACE}€ in 1 of 2 periods in a row; missed by 1",
        )

    def test_growth_over_the_period_before(self):
        for partner, before, now in ((self.dealer, 1000, 1200), (self.referrer, 1000, 1185)):
            self._sell(partner, before, "2026-02-15")
            self._sell(partner, now)
        self._enroll_sellers(5000)
        action = self._create_action(condition="growth", threshold=20)
        self._assert_march(action, ["Dealer"], [("Referrer", 1.5)])
        self.assertEqual(
            self._get_lines(action, "missed").reason_text,
            "Turnover has changed by 18.5 %, asked for: at least 20 %; missed by 1.5 %",
        )

    def test_growth_over_the_same_period_a_year_before(self):
        self.program.date_from = "2025-01-01"
        self.member.period_ids.date_from = "2025-01-01"
        self._sell(self.dealer, 100, "2025-03-31")
        self._sell(self.dealer, 1000, "2026-02-15")
        self._sell(self.dealer, 150)
        self._assert_march(self._create_action(condition="growth", threshold=50, growth_base="year"), ["Dealer"])

    def test_who_has_not_bought_for_some_days_gets_it_once_for_that_time(self):
        self._sell(self.dealer, 100, "2026-02-10")
        self._sell(self.referrer, 100, "2026-02-25")
        self._sell(self.referrer, 100, "2026-03-25")
        action = self._create_action(schedule="day", condition="inactive", silent_days=40)
        for day in ("2026-03-22", "2026-03-23", "2026-03-30"):
            with freeze_time(f"{day} 01:00:00"):
                self._run(action)
        line = self._get_lines(action)
        self.assertRecordValues(line, [{"partner_id": self.dealer.id, "value": 40, "date": self._day("2026-03-22")}])
        self.assertEqual(line.reason_text, "Days without a sale: 40, asked for: 40")
        self._sell(self.dealer, 100, "2026-04-01")
        with freeze_time("2026-06-01 01:00:00"):
            self._run(action)
        self.assertEqual(
            self._get_lines(action).mapped(lambda line: (line.partner_id.name, str(line.date))),
            [("Dealer", "2026-03-22"), ("Referrer", "2026-05-04"), ("Dealer", "2026-05-11")],
        )

    def test_who_never_bought_is_inactive_since_joining(self):
        self.member.period_ids.date_from = "2026-03-01"
        self.other.period_ids.date_from = "2026-03-05"
        action = self._create_action(condition="inactive", silent_days=30)
        self._assert_march(action, ["Dealer"], [])
        self.assertEqual(self._get_lines(action).value, 30)

    def test_who_has_had_no_meeting_or_call_for_some_days(self):
        self._enroll(self.program, self.stranger)
        sellers = self._enroll_sellers(10, 20, 30)
        self._meet(self.dealer_contact, "2026-03-20 09:00:00")
        self._meet(self.stranger, "2026-03-20 09:00:00", state="declined")
        self._meet(self.referrer, "2026-04-02 09:00:00")
        self._call(sellers[0].partner_id, "2026-03-20 09:00:00")
        lead = self.env["crm.lead"].create({"name": "Chairs", "partner_id": sellers[1].partner_id.id})
        self._call(lead, "2026-03-20 09:00:00")
        self._call(sellers[2].partner_id, "2026-03-20 09:00:00", activity="mail.mail_activity_data_email")
        action = self._create_action(condition="contact", silent_days=30)
        self._assert_march(action, ["Referrer", "Stranger", "Seller 30"])
        self.assertEqual(self._get_lines(action)[0].reason_text, "Days without a meeting or call: 89, asked for: 30")

    def _meet(self, partner, start, state="accepted"):
        stop = start.replace("09:", "10:")
        event = self.env["calendar.event"].create(
            {"name": "Visit", "start": start, "stop": stop, "partner_ids": [Command.link(partner.id)]}
        )
        event.attendee_ids.state = state

    def _call(self, record, moment, activity="mail.mail_activity_data_call"):
        with freeze_time(moment):
            record.activity_schedule(activity, user_id=self.env.uid).action_feedback()

    # === GOALS ===#

    def _create_goal(self, **values):
        """Create a goal of 1000 euro a member in the first quarter."""
        return self.env["partner.loyalty.goal"].create(
            {
                "name": "Good quarter",
                "program_id": self.program.id,
                "metric_id": self.metric.id,
                "date_from": "2026-01-01",
                "date_to": "2026-03-31",
                "target": 1000,
                **values,
            }
        )

    def _create_goal_action(self, goal=None, effects=({},), **values):
        """Create an action that looks at a goal on the day after the quarter."""
        goal = goal or self._create_goal()
        values = {"schedule": "date", "date": "2026-04-01", **values}
        return self._create_action(effects, condition="goal", goal_id=goal.id, **values)

    def test_each_member_who_has_reached_its_goal_gets_it_and_who_just_has_not_is_told(self):
        sellers = self._enroll_sellers(400, 950, 100)
        self._sell(sellers[0].partner_id, 600, "2026-01-02")
        self._sell(sellers[2].partner_id, 2000, "2026-04-01")
        action = self._create_goal_action()
        self._assert_march(action, ["Seller 400"], [("Seller 950", 50)])
        self.assertEqual(
            self._get_lines(action, "missed").reason_text,
            f"“Good quarter”: Turnover from 01/01/2026 to 03/31/2026: 950.00{NARROW_SPACE}€, "
            f"asked for: at least 1,000.00{NARROW_SPACE}€; missed by 50.00{NARROW_SPACE}€",
        )
        self._run_in_april(action)
        self.assertEqual(len(self._get_runs(action)), 1)

    def test_a_goal_counts_as_far_as_it_has_come_on_the_day(self):
        self._sell(self.dealer, 1000, "2026-03-19")
        self._sell(self.referrer, 1000, "2026-03-20")
        action = self._create_goal_action(date="2026-03-20")
        with freeze_time("2026-03-25 01:00:00"):
            self._run(action)
        self.assertEqual(self._get_names(action), ["Dealer"])

    def test_all_of_the_audience_get_it_once_all_members_together_have_reached_the_goal(self):
        self._enroll_sellers(400)
        goal = self._create_goal(scope="program")
        domain = "[('partner_id.name', 'in', ('Dealer', 'Referrer'))]"
        action = self._create_goal_action(goal, member_domain=domain)
        self._sell(self.stranger, 5000)
        self._sell(self.dealer, 550)
        with self._take_back():
            self._assert_march(action, [], [("Dealer", 50), ("Referrer", 50)])
        self._sell(self.dealer, 50)
        self._assert_march(action, ["Dealer", "Referrer"])
        self.assertEqual(
            self._get_lines(action)[1].reason_text,
            "“Good quarter”, all members together: Turnover from 01/01/2026 to 03/31/2026: "
            f"1,000.00{NARROW_SPACE}€, asked for: at least 1,000.00{NARROW_SPACE}€",
        )

    def test_the_direction_of_the_metric_says_what_reaching_a_goal_means(self):
        self.metric.direction = "down"
        self._sell(self.dealer, 1000)
        self._sell(self.referrer, 1000.01)
        action = self._create_goal_action()
        self._assert_march(action, ["Dealer"], [("Referrer", 0.01)])
        self.assertIn("asked for: at most 1,000.00", self._get_lines(action).reason_text)

    def test_nobody_has_reached_a_goal_before_it_begins(self):
        self.metric.direction = "down"
        goal = self._create_goal(date_from="2026-04-01", date_to="2026-06-30")
        for scope in ("member", "program"):
            goal.scope = scope
            with self.subTest(scope=scope), self._take_back():
                self._assert_march(self._create_goal_action(goal), [])

    def test_by_periods_a_goal_that_was_reached_is_met_in_each_of_them(self):
        self._sell(self.dealer, 1000, "2026-03-20")
        action = self._create_goal_action(schedule="month", date=False)
        with freeze_time("2026-06-01 01:00:00"):
            self._run(action)
        self.assertEqual([(line.partner_id, line.value) for line in self._get_lines(action)], [(self.dealer, 1000)] * 3)

    def test_an_amount_can_go_by_what_each_member_reached_of_its_goal(self):
        self._sell(self.dealer, 1500)
        goal = self._create_goal()
        action = self._create_goal_action(goal, [{"basis": "metric", "amount": 1, "step": 100}])
        self.assertIn("Turnover", action.effect_ids.summary)
        with self.assertRefused("choose the metric, or a fixed amount", ValidationError):
            goal.scope = "program"
        self._run_in_april(action)
        self.assertEntries(self.member, [15], "point")

    def test_the_reason_names_the_goal_as_it_was_where_it_is_gone(self):
        self._sell(self.dealer, 1000)
        goal = self._create_goal()
        action = self._create_goal_action(goal)
        self._run_in_april(action)
        action.write({"condition": "always", "goal_id": False})
        goal.unlink()
        self.env.invalidate_all()
        self.assertIn("Good quarter", self._get_lines(action).reason_text)

    def test_an_action_that_waits_for_no_goal_or_for_one_of_another_program_is_refused(self):
        with self.assertRefused("waits for a goal: choose which one", ValidationError):
            self._create_action(condition="goal", start=False)
        other_program = self._create_program([{}], name="Other Club")
        goal = self._create_goal(program_id=other_program.id)
        with self.assertRefused("is a goal of another program", ValidationError):
            self._create_goal_action(goal, start=False)
        goal = self._create_goal()
        self._create_goal_action(goal, start=False)
        with self.assertRefused("is a goal of another program", ValidationError):
            goal.program_id = other_program

    # === AUDIENCE ===#

    def test_segments_and_filters_leave_out_others(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Dealers", "partner_domain": "[('name', '=', 'Dealer')]"}
        )
        by_segment = self._create_action(segment_ids=[Command.link(segment.id)])
        self._assert_march(by_segment, ["Dealer"])
        by_filter = self._create_action(member_domain="[('partner_id.name', '=', 'Referrer')]")
        self._assert_march(by_filter, ["Referrer"])
        both = self._create_action(
            segment_ids=[Command.link(segment.id)], member_domain="[('partner_id.name', '=', 'Dealer')]"
        )
        self._assert_march(both, ["Dealer"])

    def test_who_has_left_before_the_end_of_the_period_gets_nothing(self):
        self.member.period_ids.date_to = "2026-03-30"
        self._assert_march(self._create_action(), ["Referrer"])

    def test_who_joins_in_the_period_counts_with_what_came_after(self):
        self._sell(self.stranger, 100, "2026-03-19")
        self._sell(self.stranger, 100, "2026-03-21")
        self._enroll(self.program, self.stranger, date_from="2026-03-20")
        action = self._create_action(condition="value", threshold=100)
        self._assert_march(action, ["Stranger"])
        self.assertEqual(self._get_lines(action).value, 100)

    def test_a_segment_or_tier_that_an_action_is_for_is_not_deleted(self):
        segment = self.env["partner.loyalty.segment"].create({"name": "Dealers"})
        tier = self.env["partner.loyalty.tier"].create(
            {"name": "Platinum", "threshold": 5000, "program_id": self.program.id}
        )
        action = self._create_action(segment_ids=[Command.link(segment.id)], tier_ids=tier)
        for record in (segment, tier):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                record.unlink()
        self.env.invalidate_all()
        self.assertEqual((action.segment_ids, action.tier_ids), (segment, tier), "It is not for everybody now.")

    def test_members_of_other_programs_get_nothing(self):
        other_program = self._create_program([{}], name="Other Club")
        stranger = self._enroll(other_program, self.stranger)
        self._run_in_april(self._create_action())
        self.assertEntries(stranger, [], "point")


@tagged("post_install", "-at_install")
class TestEffect(BonusCommon):
    """What members get."""

    def test_a_fixed_amount_is_on_the_statement_with_its_reason(self):
        action = self._create_action(condition="value", threshold=100, name="Good month")
        self._sell(self.dealer, 150)
        self._run_in_april(action)
        line = self._get_lines(action)
        self.assertRecordValues(
            self._get_entries(self.member, "point"),
            [
                {
                    "type": "bonus",
                    "amount": 50,
                    "origin_model": "partner.loyalty.bonus.line",
                    "origin_id": line.id,
                    "origin_name": "Good month, 03/01/2026 – 03/31/2026",
                    "contribution_date": self._day("2026-03-31"),
                    "date": self._day("2026-04-01"),
                    "explanation_text": "Good month: Turnover from 03/01/2026 to 03/31/2026: "
                    f"150.00{NARROW_SPACE}€, asked for: at least 100.00{NARROW_SPACE}€",
                }
            ],
        )

    def test_several_effects_of_one_unit_are_one_line_and_units_stay_apart(self):
        effects = [{"amount": 10}, {"amount": 5}, {"kind": "money", "amount": 2.5}]
        self._run_in_april(self._create_action(effects))
        self.assertEntries(self.member, [15], "point")
        self.assertEntries(self.member, [2.5])

    def test_an_amount_by_the_metric_is_rounded_once_by_program_and_currency(self):
        self._sell(self.dealer, 149.99)
        effects = [
            {"basis": "metric", "amount": 1, "step": 100},
            {"kind": "money", "basis": "metric", "amount": 1, "step": 3},
        ]
        for method, points in (("half", [1]), ("down", [1]), ("up", [2])):
            with self.subTest(method=method), self._take_back():
                self.program.point_rounding = method
                self._run_in_april(self._create_action(effects, metric_id=self.metric.id))
                self.assertEntries(self.member, points, "point")
                self.assertEntries(self.member, [50])

    def test_points_can_have_decimals(self):
        self.program.point_digits = 2
        self._sell(self.dealer, 149.99)
        self._run_in_april(
            self._create_action([{"basis": "metric", "amount": 1, "step": 100}], metric_id=self.metric.id)
        )
        self.assertEntries(self.member, [1.5], "point")

    def test_who_would_get_nothing_is_not_listed_as_having_got_something(self):
        self._sell(self.dealer, 100)
        action = self._create_action([{"basis": "metric", "amount": 1, "step": 100}], metric_id=self.metric.id)
        self._run_in_april(action)
        self.assertEqual(self._get_names(action), ["Dealer"])
        self.assertFalse(self._get_lines(action, "missed", "unmet"))

    def test_a_table_of_places_gives_each_place_its_own(self):
        self._enroll_sellers(500, 400, 400, 300)
        places = [(1, 1, 100), (2, 3, 30)]
        ranks = [Command.create({"rank_from": a, "rank_to": b, "amount": amount}) for a, b, amount in places]
        action = self._create_action(
            [{"basis": "rank", "amount": 0, "rank_ids": ranks}], condition="top_count", top_count=10
        )
        self._run_in_april(action)
        amounts = [(line.rank, line.point_amount) for line in self._get_lines(action)]
        self.assertEqual(amounts, [(1, 100), (2, 30), (2, 30)])
        self.assertEqual(action.effect_ids.summary, "Points: 1: 100, 2–3: 30")

    def test_maturity_and_expiry_are_those_of_the_program(self):
        self.program.write({"maturity_days": 14, "expiry_kind": "months", "expiry_months": 6})
        self._run_in_april(self._create_action([{}, {"kind": "money", "amount": 5}]))
        self.assertRecordValues(
            self._get_entries(self.member, "point"),
            [{"mature_date": self._day("2026-04-14"), "expiry_date": self._day("2026-09-30")}],
        )
        self.assertFalse(self._get_entries(self.member).expiry_date, "Money does not expire here.")

    def test_a_bonus_for_who_has_not_bought_for_long_does_not_expire_at_once(self):
        self.program.write({"expiry_kind": "idle", "expiry_months": 1})
        self._run_in_april(self._create_action(condition="inactive", silent_days=60))
        with freeze_time("2026-04-20 10:00:00"):
            self.env["partner.loyalty.entry"]._expire(self.member.account_ids.ids)
            self.assertBalance(self.member, 50, "point")
        with freeze_time("2026-05-20 10:00:00"):
            self.env["partner.loyalty.entry"]._expire(self.member.account_ids.ids)
            self.assertBalance(self.member, 0, "point")

    def test_a_bonus_pays_a_debt_first(self):
        debt = self._post_entry(self.member, -20, "point")
        self._run_in_april(self._create_action())
        self.assertEqual(debt.amount_open, 0)
        self.assertBalance(self.member, 30, "point")

    def test_bonus_points_count_as_earned_until_they_are_taken_back(self):
        earned = self.env["partner.loyalty.metric"].create(
            {"name": "Earned", "source": "ledger", "ledger_unit": "point", "aggregate": "sum"}
        )
        run = self._run_in_april(self._create_action())
        with freeze_time("2026-04-01 10:00:00"):
            window = earned._get_trailing_window(self.program._get_today(), "month")
            self.assertEqual(earned._get_values(self.program, window)[self.member.id], 50)
            run.action_undo()
            self.assertEqual(earned._get_values(self.program, window)[self.member.id], 0)

    # === OTHER EFFECTS ===#

    def _give_tier(self, tier=None, **values):
        """Create an action that gives a tier, and run it in April."""
        effect = {"kind": "tier", "tier_id": (tier or self.gold).id, "tier_months": 6}
        action = self._create_action([effect, {}], name="Rising star", **values)
        return action, self._run_in_april(action)

    def test_a_tier_is_given_from_the_next_day_on_for_so_many_months_with_its_reason(self):
        action, _run = self._give_tier(member_domain="[('partner_id.name', '=', 'Dealer')]")
        self.assertEqual(action.effect_ids[0].summary, "Tier: Gold for 6 months")
        before, given = self.member.tier_period_ids.sorted("date_from")[-2:]
        self.assertRecordValues(before, [{"tier_id": self.silver.id, "date_to": self._day("2026-04-01")}])
        self.assertRecordValues(
            given,
            [
                {
                    "tier_id": self.gold.id,
                    "date_from": self._day("2026-04-02"),
                    "date_to": False,
                    "cause": "override",
                    "override_until": self._day("2026-10-01"),
                    "reason": "Rising star: All of the audience get it",
                }
            ],
        )
        self.assertIn("Rising star", self.member.message_ids[0].body)
        self.assertEqual(self.other.tier_period_ids.tier_id, self.silver)
        self.assertBalance(self.member, 50, "point")

    def test_on_the_last_day_of_a_tier_that_was_given_it_is_decided_what_was_reached(self):
        self._give_tier()
        for day, tier in (("2026-09-30", self.gold), ("2026-10-02", self.silver)):
            with freeze_time(f"{day} 01:00:00"):
                self.program._evaluate_tiers()
                self.program._refresh_tiers()
                self.env.invalidate_all()
                self.assertEqual(self.member.tier_id, tier)

    def test_nobody_falls_by_a_tier_that_is_given_and_the_line_says_so(self):
        platinum = self.env["partner.loyalty.tier"].create(
            {"name": "Platinum", "threshold": 5000, "program_id": self.program.id}
        )
        with freeze_time("2026-03-31 10:00:00"):
            periods = self._as_cron("partner.loyalty.member").browse(self.member.id).tier_period_ids
            periods._get_lasting()._set_by_hand(platinum, self._day("2026-12-31"), "Agreed on")
        before = self.member.tier_period_ids
        action, _run = self._give_tier()
        self.assertEqual(self.member.tier_period_ids, before)
        texts = dict(self._get_lines(action).mapped(lambda line: (line.partner_id, line.reason_text)))
        self.assertEqual(texts[self.dealer], "no other tier: the member has this or a higher one, or has left")
        self.assertEqual(texts[self.referrer], "All of the audience get it")
        count = len(self.other.tier_period_ids)
        again, _run = self._give_tier(schedule="quarter")
        self.assertEqual(len(self.other.tier_period_ids), count, "Who has it already keeps it as it is.")
        self.assertIn("no other tier", self._get_lines(again)[1].reason_text)

    def test_who_has_left_meanwhile_gets_no_tier(self):
        action = self._create_action([{"kind": "tier", "tier_id": self.gold.id}])
        self.member.period_ids.date_to = "2026-03-31"
        self._run_in_april(action)
        self.assertNotIn(self.gold, self.member.tier_period_ids.tier_id)
        self.assertIn(self.gold, self.other.tier_period_ids.tier_id)

    def test_taking_back_leaves_the_tier_until_its_end(self):
        _action, run = self._give_tier()
        with freeze_time("2026-04-05 10:00:00"):
            run.action_undo()
        self.assertBalance(self.member, 0, "point")
        given = self.member.tier_period_ids.sorted("date_from")[-1]
        self.assertRecordValues(given, [{"tier_id": self.gold.id, "override_until": self._day("2026-10-01")}])
        form = self.env["partner.loyalty.bonus.run"].get_view(view_type="form")["arch"]
        self.assertIn("and so do tiers, until their last day", form)

    def _give_reward(self, **values):
        """Give everybody a pen, or what the values say; return the action, its run and the claims."""
        reward = self.env["partner.loyalty.reward"].create(
            {
                "name": "Pen",
                "program_id": self.program.id,
                "product_id": self.thing.id,
                "point_cost": 1000,
                "need_approval": False,
                **values,
            }
        )
        action = self._create_action([{"kind": "reward", "reward_id": reward.id}])
        run = self._run_in_april(action)
        return action, run, self.env["partner.loyalty.claim"].search([("reward_id", "=", reward.id)], order="id")

    def test_a_reward_is_given_without_points_and_waits_to_be_handed_out(self):
        action, _run, claims = self._give_reward()
        self.assertEqual(action.effect_ids.summary, "Reward: Pen")
        self.assertRecordValues(
            claims,
            [
                {"member_id": member.id, "source": "bonus", "state": "approved", "point_amount": 0, "entry_id": False}
                for member in (self.member, self.other)
            ],
        )
        self.assertEqual(claims.bonus_line_id, self._get_lines(action))
        self.assertEqual(claims[0].date_deadline, self._day("2026-04-08"))

    def test_a_reward_that_needs_approval_waits_for_a_manager(self):
        _action, _run, claims = self._give_reward(need_approval=True)
        self.assertEqual(claims.mapped("state"), ["requested", "requested"])
        claims.with_user(self.users["manager"]).action_approve()
        self.assertEqual(claims.mapped("state"), ["approved", "approved"])

    def test_a_reward_that_nobody_has_to_hand_out_is_had_at_once(self):
        badge = self.env["gamification.badge"].sudo().create({"name": "Star"})
        _action, _run, claims = self._give_reward(kind="award", badge_id=badge.id, product_id=False)
        self.assertEqual(claims.mapped("state"), ["fulfilled", "fulfilled"])
        held = self.env["partner.loyalty.badge"].search([("badge_id", "=", badge.id)])
        self.assertEqual(held.member_id, self.member + self.other)

    def test_who_cannot_have_the_reward_does_not_get_it_and_the_line_says_why(self):
        action, _run, claims = self._give_reward(stock=1)
        self.assertEqual(claims.member_id, self.member)
        texts = dict(self._get_lines(action).mapped(lambda line: (line.partner_id, line.reason_text)))
        self.assertEqual(texts[self.dealer], "All of the audience get it")
        self.assertEqual(texts[self.referrer], "no reward: Of “Pen”, 0 are left, and 1 were asked for.")

    def test_taking_back_cancels_rewards_that_members_do_not_have_yet(self):
        action, run, claims = self._give_reward()
        claims[0].action_fulfill()
        run.action_undo()
        self.assertEqual(claims.mapped("state"), ["fulfilled", "canceled"])
        run.action_release()
        self._run_in_april(action)
        self.assertEqual(len(self.env["partner.loyalty.claim"].search([("state", "=", "approved")])), 2)

    def test_an_action_needs_to_know_which_reward_of_its_own_program(self):
        with self.assertRefused("gives a reward: choose which one", ValidationError):
            self._create_action([{"kind": "reward"}])
        program = self._create_program([{}], name="Other")
        reward = self.env["partner.loyalty.reward"].create(
            {"name": "Pen", "program_id": program.id, "product_id": self.thing.id}
        )
        with self.assertRefused("a reward of another program", ValidationError):
            self._create_action([{"kind": "reward", "reward_id": reward.id}])

    def test_a_badge_goes_to_contacts_with_a_login(self):
        badge = self.env["gamification.badge"].sudo().create({"name": "Star", "rule_auth": "nobody"})
        user = new_test_user(self.env, "star", groups="base.group_portal", partner_id=self.dealer_contact.id)
        action = self._create_action([{"kind": "badge", "badge_id": badge.id}])
        self._run_in_april(action)
        given = self.env["gamification.badge.user"].sudo().search([("badge_id", "=", badge.id)])
        self.assertEqual(given.user_id, user)
        texts = dict(self._get_lines(action).mapped(lambda line: (line.partner_id, line.reason_text)))
        self.assertEqual(texts[self.dealer], "All of the audience get it")
        self.assertEqual(texts[self.referrer], "badge for the company alone: none of its contacts has a login")
        held = self.env["partner.loyalty.badge"].search([("badge_id", "=", badge.id)])
        self.assertEqual(held.member_id, self.member + self.other)
        self.assertEqual(held.bonus_line_id, self._get_lines(action))

    def test_an_e_mail_goes_to_the_company_and_waits_for_the_mail_queue(self):
        self.dealer.email = "dealer@example.com"
        template = self.env.ref("partner_loyalty.mail_template_bonus")
        action = self._create_action([{}, {"kind": "mail", "template_id": template.id}], name="Well done")
        with RecordCapturer(self.env["mail.mail"].sudo()) as captured:
            self._run_in_april(action)
        mail = captured.records
        self.assertRecordValues(mail, [{"subject": "Well done", "state": "outgoing", "recipient_ids": self.dealer.ids}])
        self.assertIn("<strong>50 points</strong>", mail.body_html)
        self.assertIn("All of the audience get it", mail.body_html)
        self.assertIn("no e-mail: the company has no address", self._get_lines(action)[1].reason_text)
        self.assertBalance(self.other, 50, "point")

    def test_a_to_do_goes_to_the_account_manager_or_the_responsible_of_the_program(self):
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        self.dealer.user_id = seller
        self.program.user_id = self.users["manager"]
        self._run_in_april(self._create_action([{"kind": "todo", "text": "Call them", "todo_days": 3}]))
        self.assertRecordValues(
            self.member.activity_ids + self.other.activity_ids,
            [
                {"user_id": seller.id, "summary": "Call them", "date_deadline": self._day("2026-04-04")},
                {"user_id": self.users["manager"].id, "summary": "Call them", "date_deadline": self._day("2026-04-04")},
            ],
        )

    def test_a_to_do_is_in_the_language_of_who_has_to_do_it(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman", lang="uk_UA")
        self.dealer.user_id = seller
        action = self._create_action([{"kind": "todo", "text": "Call them"}])
        action.effect_ids.update_field_translations("text", {"uk_UA": "Зателефонуйте"})
        self._run_in_april(action)
        reason = self._get_lines(action)[0].with_context(lang="uk_UA").reason_text
        self.assertNotEqual(reason, self._get_lines(action)[0].with_context(lang="en_US").reason_text)
        self.assertRecordValues(self.member.activity_ids, [{"summary": "Зателефонуйте", "user_id": seller.id}])
        self.assertIn(reason, self.member.activity_ids.note)

    def test_a_to_do_that_nobody_is_responsible_for_says_so(self):
        self.program.user_id = False
        action = self._create_action([{"kind": "todo", "text": "Call them"}])
        self._run_in_april(action)
        self.assertIn("no to-do: nobody is responsible", self._get_lines(action)[0].reason_text)

    def test_a_note_is_written_on_the_membership_as_text(self):
        self._run_in_april(self._create_action([{"kind": "note", "text": "<b>Well done</b>"}]))
        self.assertIn(
            "&lt;b&gt;Well done&lt;/b&gt; (Bonus: All of the audience get it)", self.member.message_ids[0].body
        )


@tagged("post_install", "-at_install")
class TestOnce(BonusCommon):
    """Once for each member and period, whatever happens; and what taking back does."""

    def test_running_again_gives_nothing_more(self):
        action = self._create_action()
        for _time in range(3):
            self._run_in_april(action)
        self.assertEntries(self.member, [50], "point")
        self.assertEqual(len(self._get_runs(action)), 1)

    def test_the_database_refuses_a_second_run_and_a_second_bonus(self):
        action = self._create_action()
        run = self._run_in_april(action)
        values = run.copy_data()[0]
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            run.sudo().create(values)
        line = self._get_lines(action)[:1]
        values = line.copy_data()[0]
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            line.sudo().create(values)

    def test_what_comes_later_changes_nothing_that_was_given(self):
        invoice = self._sell(self.dealer, 100)
        action = self._create_action(condition="value", threshold=100)
        self._run_in_april(action)
        with freeze_time("2026-04-02 10:00:00"):
            self._credit(invoice, date="2026-03-30")
            self._sell(self.referrer, 100, "2026-03-30")
            self._run(action)
        self.assertEqual(self._get_names(action), ["Dealer"])
        self.assertEntries(self.member, [50], "point")

    def test_a_run_that_stopped_half_way_goes_on_where_it_stopped(self):
        action = self._create_action([{}, {"kind": "note", "text": "Well done"}])
        self._enroll_sellers(1, 2, 3)
        give = type(self.env["partner.loyalty.bonus.run"])._give_batch
        apply_note = PartnerLoyaltyBonusEffect._apply_note
        calls = []

        def fail_at_third(effect, lines):
            calls.append(lines)
            if len(calls) == 3:
                raise ValueError("The light went out.")
            return apply_note(effect, lines)

        with (
            freeze_time("2026-04-01 01:00:00"),
            patch.object(PartnerLoyaltyBonusEffect, "_apply_note", fail_at_third),
            patch.object(
                type(self.env["partner.loyalty.bonus.run"]), "_give_batch", lambda run: give(run, batch_size=1)
            ),
            mute_logger(LOGGER),
        ):
            self._run(action)
            self.assertEqual(action.error, "The light went out.")
            self.assertEqual(len(self._get_lines(action)), 2)
            self.assertEqual(self._get_runs(action).state, "running")
            self._run(action)
        self.assertFalse(action.error)
        self.assertEqual(self._get_runs(action).state, "done")
        self.assertEqual(len(self._get_lines(action)), 5)
        for member in self.program.member_ids:
            self.assertEntries(member, [50], "point")
            self.assertEqual(len(member.message_ids.filtered(lambda one: "Well done" in one.body)), 1)

    def test_a_merged_member_and_the_one_it_was_merged_into_get_a_late_bonus_once(self):
        action = self._create_action(schedule="joining", joining_days=80)
        self._sell(self.dealer, 100)
        with freeze_time("2026-03-22 01:00:00"):
            self._run(action)
        self.assertEqual(self._get_names(action), ["Dealer", "Referrer"])
        late = self._enroll(self.program, self.stranger, date_from="2026-01-02")
        self.member._merge_into(late)
        with freeze_time("2026-03-24 01:00:00"):
            self._run(action)
        self.assertEqual(len(self._get_lines(action)), 2, "The new member had it as the one it took over.")
        self.assertBalance(late, 50, "point")

    def test_a_merged_member_gets_nothing_more_of_its_own(self):
        self.member._merge_into(self.other)
        action = self._create_action()
        self._run_in_april(action)
        self.assertEqual(self._get_names(action), ["Referrer"])

    def test_what_was_planned_for_a_member_that_is_merged_goes_on_there(self):
        action = self._create_action()
        with freeze_time("2026-04-01 01:00:00"):
            occasion = action._get_due_occasions()[0]
            self._as_cron("partner.loyalty.bonus.action").browse(action.id)._begin(occasion)
            self.env.invalidate_all()
            self.member._merge_into(self.other)
            self._run(action)
        self.assertEntries(self.other, [50, 50], "point")

    # === TAKING BACK ===#

    def test_taking_back_brings_balances_to_where_they_were(self):
        self._post_entry(self.member, 7, "point")
        action = self._create_action([{}, {"kind": "money", "amount": 5}])
        run = self._run_in_april(action)
        with freeze_time("2026-04-02 10:00:00"):
            run.with_user(self.users["manager"]).action_undo()
        self.assertEntries(self.member, [7, 50, -50], "point")
        self.assertEntries(self.member, [5, -5])
        counter = self._get_entries(self.member)[-1]
        self.assertRecordValues(
            counter,
            [
                {
                    "type": "bonus_undo",
                    "reverses_id": self._get_entries(self.member)[0].id,
                    "amount_open": 0,
                    "date": self._day("2026-04-02"),
                }
            ],
        )
        self.assertRecordValues(run, [{"state": "undone", "undone_by_id": self.users["manager"].id}])
        self.assertEqual(set(run.line_ids.mapped("state")), {"undone"})

    def test_taking_back_takes_the_own_bonus_before_anything_else(self):
        self.program.write({"expiry_kind": "months", "expiry_months": 1})
        run = self._run_in_april(self._create_action())
        self.program.expiry_kind = "never"
        earlier = self._post_entry(self.member, 30, "point", expiry_date="2026-04-10")
        with freeze_time("2026-04-02 10:00:00"):
            run.action_undo()
        self.assertEqual(earlier.amount_open, 30)
        self.assertBalance(self.member, 30, "point")

    def test_taking_back_what_was_spent_leaves_a_debt(self):
        action = self._create_action([{"kind": "money", "amount": 20}])
        run = self._run_in_april(action)
        with freeze_time("2026-04-02 10:00:00"):
            self._submit_payout(self.member, date="2026-04-02")
            run.action_undo()
        self.assertBalance(self.member, -20)
        self._post_entry(self.member, 25)
        self.assertBalance(self.member, 5)

    def test_nobody_owes_what_had_expired(self):
        self.program.write({"expiry_kind": "months", "expiry_months": 1})
        run = self._run_in_april(self._create_action())
        with freeze_time("2026-06-02 10:00:00"):
            self.env["partner.loyalty.entry"]._expire(self.member.account_ids.ids)
            self.assertBalance(self.member, 0, "point")
            run.action_undo()
        self.assertBalance(self.member, 0, "point")
        self.assertEqual(
            self._get_entries(self.member, "point").mapped("type"), ["bonus", "expiry", "bonus_undo", "expiry_return"]
        )

    def test_taking_back_after_a_merge_takes_from_the_member_that_goes_on(self):
        run = self._run_in_april(self._create_action())
        self.member._merge_into(self.other)
        self.assertBalance(self.other, 100, "point")
        run.action_undo()
        self.assertBalance(self.other, 0, "point")
        self.assertBalance(self.member, 0, "point")

    def test_what_was_taken_back_is_not_given_again_by_itself(self):
        action = self._create_action()
        run = self._run_in_april(action)
        run.action_undo()
        self._run_in_april(action)
        self.assertEqual(self._get_runs(action), run)
        self.assertBalance(self.member, 0, "point")
        with self.assertRefused("has given nothing that could be taken back"):
            run.action_undo()

    def test_a_manager_can_let_it_run_again_as_it_is_now(self):
        action = self._create_action()
        run = self._run_in_april(action)
        with self.assertRefused("take it back first"):
            run.action_release()
        run.action_undo()
        action.effect_ids.amount = 20
        run.with_user(self.users["manager"]).action_release()
        self._run_in_april(action)
        self._run_in_april(action)
        self.assertEntries(self.member, [50, -50, 20], "point")
        with self.assertRefused("take it back first"):
            run.action_release()

    def test_events_and_silent_times_that_were_taken_back_are_not_given_again_either(self):
        for values in (
            {"schedule": "joining", "joining_days": 80},
            {"schedule": "day", "condition": "inactive", "silent_days": 78},
        ):
            with self.subTest(**values), self._take_back():
                action = self._create_action(**values)
                with freeze_time("2026-03-22 01:00:00"):
                    self._run(action)
                runs = self._get_runs(action)
                self.assertTrue(self._get_lines(action))
                runs.action_undo()
                with freeze_time("2026-03-25 01:00:00"):
                    self._run(action)
                self.assertFalse(self._get_lines(action))
                self.assertBalance(self.member, 0, "point")

    def test_a_faulty_bonus_on_the_statement_is_found(self):
        action = self._create_action()
        self._run_in_april(action)
        for code, fault in (
            ("I8d", "UPDATE partner_loyalty_bonus_line SET point_amount = point_amount + 1"),
            ("I8d", "UPDATE partner_loyalty_bonus_line SET state = 'undone'"),
            ("I8e", "DELETE FROM partner_loyalty_bonus_line"),
            (
                "I8e",
                "DROP INDEX partner_loyalty_bonus_line_once;"
                "INSERT INTO partner_loyalty_bonus_line (run_id, action_id, program_id, company_id, member_id, state,"
                " is_preview, period_key, date, due_date) SELECT run_id, action_id, program_id, company_id, member_id,"
                " state, is_preview, period_key, date, due_date FROM partner_loyalty_bonus_line",
            ),
        ):
            with self.subTest(fault=fault), self._take_back():
                self.env.flush_all()
                self.env.cr.execute(fault)
                self.env.invalidate_all()
                found = self.env["partner.loyalty.invariant"]._find_violations(self.program)
                self.assertIn(code, {invariant.code for invariant, ids in found if ids})


@tagged("post_install", "-at_install")
class TestActionLife(BonusCommon):
    """Drafts, previews, the nightly job, failures, rights and refusals."""

    roles = ("officer", "manager", "administrator", "accountant", "salesperson")

    # === PREVIEW ===#

    def _preview(self, action, user=None):
        result = action.with_user(user or self.env.user).action_preview()
        return self.env["partner.loyalty.bonus.run"].browse(result["res_id"])

    def test_a_preview_of_a_draft_shows_how_things_stand_and_gives_nothing(self):
        self._sell(self.dealer, 150)
        self._sell(self.referrer, 95)
        action = self._create_action(condition="value", threshold=100, start=False)
        preview = self._preview(action, self.users["officer"])
        self.assertRecordValues(
            preview,
            [
                {
                    "state": "preview",
                    "period_start": self._day("2026-03-01"),
                    "period_end": self._day(TODAY),
                    "given_count": 1,
                    "missed_count": 1,
                    "point_amount": 50,
                }
            ],
        )
        self.assertEqual(
            preview.line_ids.mapped(lambda line: (line.partner_id.name, line.state, line.point_amount)),
            [("Dealer", "preview", 50), ("Referrer", "missed", 0)],
        )
        self.assertEntries(self.member, [], "point")
        self.assertEqual(self._preview(action).exists(), action.run_ids, "An earlier preview goes.")

    def test_a_preview_does_not_stand_in_the_way_of_the_run(self):
        action = self._create_action()
        with freeze_time("2026-04-01 00:30:00"):
            self.assertEqual(self._preview(action).line_ids.mapped("point_amount"), [50, 50])
        self._run_in_april(action)
        self.assertEntries(self.member, [50], "point")

    def test_a_preview_of_several_missed_periods_shows_what_will_be_given(self):
        action = self._create_action(schedule="day", condition="inactive", silent_days=80)
        with freeze_time("2026-04-20 00:30:00"):
            preview = self._preview(action)
            shown = preview.line_ids.mapped(lambda line: (line.state, line.member_id, line.date, line.point_amount))
            self._run(action)
        given = self._get_lines(action)
        self.assertEqual(len(given), 2)
        self.assertEqual(
            [row[1:] for row in shown if row[0] == "preview"],
            given.mapped(lambda line: (line.member_id, line.date, line.point_amount)),
        )

    def test_a_preview_of_events_shows_those_of_the_next_month(self):
        action = self._create_action(schedule="joining", joining_days=90, start=False)
        self._enroll(self.program, self.stranger, date_from="2026-03-01")
        lines = self._preview(action).line_ids
        self.assertEqual(lines.partner_id, self.dealer + self.referrer)
        self.assertEqual(set(lines.mapped("date")), {self._day("2026-04-01")})

    def test_a_preview_sends_and_writes_nothing(self):
        self.dealer.email = "dealer@example.com"
        template = self.env.ref("partner_loyalty.mail_template_bonus")
        action = self._create_action(
            [{"kind": "mail", "template_id": template.id}, {"kind": "note", "text": "Well done"}]
        )
        before = self.member.message_ids
        with RecordCapturer(self.env["mail.mail"].sudo()) as captured, freeze_time("2026-04-01 01:00:00"):
            self.assertEqual(self._preview(action).given_count, 2)
        self.assertFalse(captured.records)
        self.assertEqual(self.member.message_ids, before)

    def test_old_previews_are_cleared_away(self):
        action = self._create_action()
        preview = self._preview(action)
        run = self._run_in_april(action)
        self._as_cron("partner.loyalty.bonus.run")._gc_previews()
        self.assertTrue(preview.exists())
        self.env.flush_all()
        self.env.cr.execute("UPDATE partner_loyalty_bonus_run SET create_date = '2025-01-01'")
        self.env.invalidate_all()
        self._as_cron("partner.loyalty.bonus.run")._gc_previews()
        self.assertEqual((preview + run).exists(), run)

    # === STATES ===#

    def test_only_actions_that_are_running_run(self):
        draft, running, stopped = (self._create_action(name=name, start=name != "A") for name in "ABC")
        stopped.action_stop()
        with freeze_time("2026-04-01 01:00:00"):
            self._run_cron()
        self.assertEqual(self.env["partner.loyalty.bonus.run"].search([]).action_id, running)
        self.assertEqual((draft.state, stopped.state), ("draft", "stopped"))

    def test_when_an_action_runs_stands_while_it_is_running(self):
        action = self._create_action()
        for values in ({"schedule": "day"}, {"date_from": "2026-01-01"}, {"program_id": self.program.id}):
            with self.subTest(**values), self.assertRefused("stop it, change when it runs"):
                action.write(values)
        action.write({"name": "Better", "date_to": "2026-12-31"})
        action.action_stop()
        action.schedule = "day"

    def test_what_was_missed_while_an_action_was_stopped_is_not_made_up_for(self):
        action = self._create_action()
        action.action_stop()
        with freeze_time("2026-05-10 10:00:00"):
            with self.assertRefused("its start has passed"):
                action.action_start()
            action.date_from = "2026-05-10"
            action.action_start()
        with freeze_time("2026-06-01 01:00:00"):
            self._run(action)
        self.assertEqual(self._get_runs(action).mapped("period_start"), [self._day("2026-05-01")])

    def test_an_action_that_has_run_is_not_deleted(self):
        action = self._create_action()
        self._preview(action)
        self.env["partner.loyalty.bonus.action"].browse(action.copy().id).unlink()
        self._run_in_april(action)
        with self.assertRefused("stop it instead"):
            action.unlink()

    def test_a_copy_is_a_draft_with_the_same_effects(self):
        action = self._create_action([{}, {"kind": "note", "text": "Well done"}])
        copy = action.copy()
        self.assertRecordValues(copy, [{"name": "Bonus (copy)", "state": "draft", "run_count": 0}])
        self.assertEqual(copy.effect_ids.mapped("kind"), ["point", "note"])

    def test_a_copy_runs_on_no_day_that_is_over(self):
        over = self._create_action(start=False, schedule="date", date="2026-03-17")
        ahead = self._create_action(start=False, schedule="date", date="2026-04-17")
        self.assertEqual(over.copy().date, self._day(TODAY))
        self.assertEqual(ahead.copy().date, self._day("2026-04-17"))
        self.assertEqual(over.copy({"date": "2026-05-01"}).date, self._day("2026-05-01"))

    # === RUNNING ===#

    def test_the_nightly_job_runs_what_is_due_and_answers_documents_before(self):
        self.program.rule_ids.write({"rate": 10, "unit": "point"})
        earned = self.env["partner.loyalty.metric"].create(
            {"name": "Earned", "source": "ledger", "ledger_unit": "point", "aggregate": "sum"}
        )
        action = self._create_action(condition="value", metric_id=earned.id, threshold=10)
        self._sell(self.dealer, 100)
        with freeze_time("2026-04-01 01:00:00"):
            self._run_cron()
        self.assertFalse(action.error)
        self.assertEntries(self.member, [10, 50], "point")
        self.assertTrue(action.checked_at)

    def test_a_manager_runs_what_is_due_at_once(self):
        action = self._create_action()
        manager = action.with_user(self.users["manager"])
        with self.assertRefused("it runs next on 04/01/2026"):
            manager.action_run()
        with freeze_time("2026-04-01 10:00:00"):
            manager.action_run()
            self.assertEntries(self.member, [50], "point")
            self.assertEqual(self._get_entries(self.member, "point").user_id, self.users["manager"])
            with self.assertRefused("it runs next on 05/01/2026"):
                manager.action_run()
        action.action_stop()
        with self.assertRefused("start it first"):
            manager.action_run()

    def test_an_action_that_fails_stops_nobody_else_and_is_shown_and_tried_again(self):
        broken = self._create_action([{"kind": "note", "text": "Well done"}, {}], name="Broken", sequence=1)
        sound = self._create_action(name="Sound", sequence=2)
        self.assertEqual(self.program.bonus_health.split(", ")[2:], ["runs that wait: 0", "failing: 0"])
        self.env.flush_all()
        # The text of the note goes, past all checks.
        self.env.cr.execute("UPDATE partner_loyalty_bonus_effect SET text = NULL")
        self.env.invalidate_all()
        with freeze_time("2026-04-01 01:00:00"), mute_logger(LOGGER):
            self._run_cron()
            self.assertIn("say what", broken.error)
            self.assertFalse(sound.error)
            self.assertEntries(self.member, [50], "point")
            self.assertEqual(self.program.failing_bonus_ids, broken)
            self.assertIn("runs that wait: 1, failing: 1", self.program.with_user(self.users["officer"]).bonus_health)
            self._run_cron()
            self.assertTrue(broken.error)
            broken.with_user(self.users["manager"]).effect_ids.filtered(
                lambda effect: effect.kind == "note"
            ).text = "Hi"
            self._run_cron()
            self.assertFalse(broken.error)
            self.assertEntries(self.member, [50, 50], "point")
            self.assertIn("runs that wait: 0, failing: 0", self.program.bonus_health)

    def _fail(self, *actions):
        """Have actions fail in the night that ends March."""
        with (
            freeze_time("2026-04-01 01:00:00"),
            mute_logger(LOGGER),
            patch.object(self.registry["partner.loyalty.bonus.action"], "_run", side_effect=UserError("No such thing")),
        ):
            for action in actions:
                self._run(action)
                self.assertEqual(action.error, "No such thing")

    def _get_todos(self, user):
        domain = [("kind", "=", "bonus_error"), ("program_id", "=", self.program.id)]
        return self.env["partner.loyalty.todo"].with_user(user).search(domain)

    def test_an_action_that_fails_is_something_to_do_until_it_is_mended_or_stopped(self):
        mended, stopped, sound = (self._create_action(name=name) for name in ("Mended", "Stopped", "Sound"))
        officer, manager = self.users["officer"], self.users["manager"]
        self.assertFalse(self._get_todos(manager))
        self._fail(mended, stopped)
        todos = self._get_todos(officer)
        self.assertRecordValues(
            todos.sorted("res_id"),
            [
                {
                    "record_name": action.name,
                    "res_model": action._name,
                    "res_id": action.id,
                    "company_id": self.company.id,
                    "date": action.checked_at.date(),
                    "for_manager": True,
                }
                for action in mended + stopped
            ],
        )
        opened = todos[0].action_open()
        self.assertEqual((opened["res_model"], opened["context"]), (mended._name, {"search_default_failing": 1}))
        search = self.env[mended._name].with_user(officer).get_view(view_type="search")["arch"]
        domain = fromstring(search).xpath("//filter[@name='failing']")[0].get("domain")
        failing = self.env[mended._name].search([*safe_eval(domain), ("program_id", "=", self.program.id)])
        self.assertEqual(failing, mended + stopped)
        self.assertNotIn(sound, failing)

        mended.with_user(manager).name = "Corrected"
        stopped.with_user(manager).action_stop()
        self.env.invalidate_all()
        self.assertFalse(self._get_todos(manager))
        # It was running while somebody stopped it.
        self._as_cron(stopped._name).browse(stopped.id)._note_outcome("No such thing")
        self.assertFalse(self._get_todos(manager))

    def test_what_fails_elsewhere_is_nothing_to_do_here(self):
        self._fail(self._create_action())
        company = self.setup_other_company(name="Company B")["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="partner_loyalty.partner_loyalty_group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self._get_todos(stranger))
        with self.assertRefused("", AccessError):
            self._get_todos(self.users["accountant"])

    # === SETTINGS ===#

    def _get_health(self, **context):
        """Return what the settings page tells an administrator of the system who has no part in loyalty."""
        user = self.env["res.users"].search([("login", "=", "system")]) or new_test_user(
            self.env, "system", groups="base.group_system", company_ids=[Command.set(self.env.companies.ids)], tz="UTC"
        )
        Settings = self.env["res.config.settings"].with_user(user).with_context(**context)
        self.env.invalidate_all()
        return Settings.create({}).loyalty_health.split("\n")

    def test_the_settings_tell_how_the_bonus_actions_of_a_company_do(self):
        job = self.env.ref("partner_loyalty.ir_cron_bonus")
        job.lastcall = False
        self.assertEqual(
            self._get_health(),
            [
                "The nightly job of bonus actions has not run yet.",
                "No bonus action is running.",
                "Failing bonus actions: 0, failing rules: 0, programs that they belong to: 0",
            ],
        )
        self._fail(self._create_action())
        self._create_action(name="Draft", start=False)
        self.program.rule_ids.sudo().error = "No such thing"
        with freeze_time("2026-04-01 09:00:00"):
            job.lastcall = "2026-04-01 01:00:00"
            lines = self._get_health()
            self.assertEqual(lines[0], "The nightly job of bonus actions last ran on 04/01/2026 01:00:00 AM.")
            self.assertEqual(
                lines[1], self.program.with_user(self.users["officer"]).with_context(tz="UTC").bonus_health
            )
            self.assertTrue(lines[1].startswith("Bonus actions: 1 running, last run "))
            self.assertTrue(lines[1].endswith(", runs that wait: 1, failing: 1"))
            self.assertEqual(lines[2], "Failing bonus actions: 1, failing rules: 1, programs that they belong to: 1")
        job.active = False
        self.assertIn("is switched off", self._get_health()[0])

    def test_a_filter_that_cannot_be_read_any_more_keeps_nobody_from_the_settings_and_the_program(self):
        action = self._create_action(schedule="joining")
        self.env.flush_all()
        # The field of the filter has gone with the module that it came from.
        self.env.cr.execute(
            "UPDATE partner_loyalty_bonus_action SET member_domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", action.id],
        )
        self.env.invalidate_all()
        with mute_logger(LOGGER):
            self._run(action)
        self.assertIn("no_such_field", action.error)
        self.assertTrue(self._get_health()[1].endswith("runs that wait: 0, failing: 1"))
        self.assertIn("failing: 1", self.program.with_user(self.users["officer"]).bonus_health)

    def test_the_settings_tell_nothing_of_another_company(self):
        company = self.setup_other_company(name="Company B")["company"]
        self._fail(self._create_action())
        self.env.user.company_ids += company
        lines = self._get_health(allowed_company_ids=company.ids)
        self.assertEqual(
            lines[1:],
            [
                "No bonus action is running.",
                "Failing bonus actions: 0, failing rules: 0, programs that they belong to: 0",
            ],
        )

    def test_officers_alone_find_buttons_in_the_settings_and_administrators_the_settings(self):
        system = new_test_user(self.env, "system", groups="base.group_system")
        both = new_test_user(self.env, "both", groups="base.group_system,partner_loyalty.partner_loyalty_group_officer")
        menu = self.env.ref("partner_loyalty.partner_loyalty_config_settings_menu")
        action = self.env.ref("partner_loyalty.partner_loyalty_todo_action")
        for user, has_buttons in ((system, False), (both, True)):
            arch = fromstring(self.env["res.config.settings"].with_user(user).get_view(view_type="form")["arch"])
            self.assertTrue(arch.xpath("//app[@name='partner_loyalty']//field[@name='loyalty_health']"))
            buttons = arch.xpath(f"//app[@name='partner_loyalty']//button[@name='{action.id}']")
            self.assertEqual(bool(buttons), has_buttons)
        self.assertIn(menu.id, self.env["ir.ui.menu"].with_user(both)._visible_menu_ids())
        self.assertNotIn(menu.id, self.env["ir.ui.menu"].with_user(self.users["administrator"])._visible_menu_ids())
        with self.assertRefused("", AccessError):
            self.env["res.config.settings"].with_user(self.users["administrator"]).create({})

    def test_an_action_that_fails_in_the_database_is_noted_and_leaves_nothing(self):
        action = self._create_action([{"amount": 999_999_999_999, "basis": "metric"}], metric_id=self.metric.id)
        self._sell(self.dealer, 5000)
        with freeze_time("2026-04-01 01:00:00"), mute_logger(LOGGER, "odoo.sql_db"):
            self._run(action)
        self.assertTrue(action.error)
        self.assertEntries(self.member, [], "point")
        action.with_user(self.users["manager"]).name = "Corrected"
        self.assertFalse(action.error)

    # === RIGHTS ===#

    def test_officers_read_and_preview_and_managers_write_and_start(self):
        action = self._create_action(start=False)
        officer, manager = action.with_user(self.users["officer"]), action.with_user(self.users["manager"])
        self.assertEqual(officer.read(["name"])[0]["name"], "Bonus")
        self.assertTrue(officer.action_preview())
        for refused in (
            lambda: officer.write({"name": "Mine"}),
            officer.action_start,
            officer.action_stop,
            officer.action_run,
            officer.unlink,
            lambda: officer.effect_ids.write({"amount": 1000}),
        ):
            with self.assertRefused("", AccessError):
                refused()
        manager.name = "Ours"
        manager.action_start()
        self.assertEqual(action.state, "running")
        run = self._run_in_april(action)
        for name in ("action_undo", "action_release"):
            with self.assertRefused("", AccessError):
                getattr(run.with_user(self.users["officer"]), name)()
        run.with_user(self.users["manager"]).action_undo()

    def test_states_and_results_are_set_by_nobody(self):
        action = self._create_action()
        run = self._run_in_april(action)
        manager = self.users["administrator"]
        for values in ({"state": "draft"}, {"error": "x"}, {"checked_at": "2026-01-01"}):
            with self.subTest(**values), self.assertRefused("cannot be set by hand", AccessError):
                action.with_user(manager).write(values)
        with self.assertRefused("cannot be set by hand", AccessError):
            self.env["partner.loyalty.bonus.action"].with_user(manager).create(
                {"name": "Odd", "program_id": self.program.id, "state": "running"}
            )
        for record in (run, run.line_ids[0]):
            with self.assertRefused("", AccessError):
                record.with_user(manager).write({"state": "preview"})
            with self.assertRefused("", AccessError):
                record.with_user(manager).unlink()

    def test_accountants_read_what_was_given_and_nothing_else(self):
        action = self._create_action()
        run = self._run_in_april(action)
        accountant = self.users["accountant"]
        self.assertTrue(run.with_user(accountant).read(["given_count"]))
        self.assertTrue(run.line_ids.with_user(accountant).read(["reason_text"]))
        for refused in (
            action.with_user(accountant).action_preview,
            run.with_user(accountant).action_undo,
            lambda: action.with_user(accountant).read(["name"]),
        ):
            with self.assertRefused("", AccessError):
                refused()

    def test_a_partner_reads_the_reason_on_its_own_statement_alone(self):
        self._sell(self.dealer, 150)
        action = self._create_action(condition="value", threshold=100, name="Good month")
        self._run_in_april(action)
        partner = new_test_user(
            self.env, "partner", groups="base.group_portal", partner_id=self.dealer_contact.id, tz="UTC"
        )
        entry = self._get_entries(self.member, "point").with_user(partner)
        self.env.invalidate_all()
        self.assertEqual(entry.origin_name, "Good month, 03/01/2026 – 03/31/2026")
        self.assertTrue(entry.explanation_text.startswith("Good month: Turnover from 03/01/2026 to 03/31/2026: 150.00"))
        with self.assertRefused("", AccessError):
            self._get_lines(action).with_user(partner).read(["reason_text"])

    def test_nothing_of_another_company_is_seen(self):
        company = self.setup_other_company(name="Company B")["company"]
        action, run = self._create_action(), None
        run = self._run_in_april(action)
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="partner_loyalty.partner_loyalty_group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for records in (action, action.effect_ids, run, run.line_ids):
            with self.subTest(model=records._name):
                self.assertFalse(records.with_user(stranger).search([("id", "in", records.ids)]))
                with self.assertRefused("", AccessError):
                    records.with_user(stranger).read(["id"])
        with self.assertRefused("", AccessError):
            run.with_user(stranger).action_undo()

    # === BUTTONS ===#

    def test_program_and_member_show_their_bonuses(self):
        action = self._create_action()
        self._preview(action)
        run = self._run_in_april(action)
        officer = self.users["officer"]
        self.assertEqual(self.member.with_user(officer).bonus_count, 1)
        lines = self.env["partner.loyalty.bonus.line"].search(self.member.action_view_bonuses()["domain"])
        self.assertEqual(lines.run_id, run)
        self.assertEqual(self.program.with_user(officer).bonus_action_count, 1)
        actions = self.env["partner.loyalty.bonus.action"].search(self.program.action_view_bonus_actions()["domain"])
        self.assertEqual(actions, action)
        self.assertEqual(run.search(action.action_view_runs()["domain"]), run)
        self.assertEqual(lines.search(run.action_view_lines()["domain"]), run.line_ids)

    def test_a_metric_that_an_action_uses_is_not_deleted(self):
        self._create_action(condition="value", threshold=1, name="Good month")
        with self.assertRefused("is used by Good month"):
            self.metric.unlink()


@tagged("post_install", "-at_install")
class TestRefusals(BonusCommon):
    """Bad input: each with a sentence that says what to do."""

    def _assert_not_started(self, words, effects=({},), **values):
        action = self._create_action(effects, start=False, **values)
        with self.assertRefused(words):
            action.action_start()
        self.assertEqual(action.state, "draft")

    def test_a_schedule_in_the_past(self):
        self._assert_not_started("Choose today or a later day", date_from="2026-03-17")
        self._assert_not_started("choose today or a later day", schedule="date", date="2026-03-17")
        self._assert_not_started("choose a later one, or none", date_from="2026-03-01", date_to="2026-03-17")

    def test_an_audience_of_nobody(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Nobody", "partner_domain": "[('name', '=', 'Nobody')]"}
        )
        words = "choose other segments or another filter"
        self._assert_not_started(words, segment_ids=[Command.link(segment.id)])
        self._assert_not_started(words, member_domain="[('partner_id.name', '=', 'Nobody')]")
        # A tier that nobody has yet is no mistake: somebody can reach it.
        self._create_action(tier_ids=self.gold)

    def test_an_action_without_effect(self):
        self._assert_not_started("add what members get", effects=())

    def test_a_program_that_is_not_running(self):
        draft = self._create_program([{}], start=False, name="Draft")
        self._assert_not_started("start the program", program_id=draft.id)

    def _assert_refused(self, words, effects=({},), exception=ValidationError, **values):
        with self.subTest(words=words), self.assertRefused(words, exception):
            self._create_action(effects, start=False, **values)

    def test_effects_that_lack_something(self):
        partner_template = self.env["mail.template"].create(
            {"name": "Contact", "model_id": self.env["ir.model"]._get_id("res.partner")}
        )
        self._assert_refused("choose its template", [{"kind": "mail"}])
        self._assert_refused(
            "is not a template for bonuses: choose", [{"kind": "mail", "template_id": partner_template.id}]
        )
        self._assert_refused("choose which one", [{"kind": "badge"}])
        self._assert_refused("gives a tier: choose which one", [{"kind": "tier"}])
        for months in (0, 37):
            self._assert_refused(
                "for 1 to 36 months", [{"kind": "tier", "tier_id": self.gold.id, "tier_months": months}]
            )
        self._assert_refused("say what", [{"kind": "todo"}])
        self._assert_refused("say what", [{"kind": "note", "text": "  "}])
        self._assert_refused("enter an amount above zero", [{"amount": 0}])
        self._assert_refused("enter an amount above zero", [{"amount": -5}])
        self._assert_refused("enter a number above zero", [{"step": 0}])
        self._assert_refused("due in 0 to 365 days", [{"kind": "todo", "text": "Call", "todo_days": 1000}])

    def test_a_tier_of_another_program(self):
        effect = {"kind": "tier", "tier_id": self.gold.id}
        other = self._create_program([{}], tiers=[("Bronze", 0)], name="Other Club")
        self._assert_refused("is a tier of another program", [{**effect, "tier_id": other.tier_ids.id}])
        action = self._create_action([effect], start=False)
        for record, vals in ((action, {"program_id": other.id}), (action.effect_ids, {"tier_id": other.tier_ids.id})):
            with self.assertRefused("is a tier of another program", ValidationError):
                record.write(vals)

    def test_amounts_that_have_nothing_to_go_by(self):
        self._assert_refused("choose the metric, or a fixed amount", [{"basis": "metric"}])
        self._assert_refused(
            "choose the metric, or a fixed amount",
            [{"basis": "metric"}],
            condition="inactive",
            metric_id=self.metric.id,
        )
        place = Command.create({"rank_from": 1, "rank_to": 1, "amount": 5})
        self._assert_refused("choose a condition on the best", [{"basis": "rank", "rank_ids": [place]}])
        self._assert_refused("enter what each place is worth", [{"basis": "rank"}], condition="top_count")
        action = self._create_action([{"basis": "rank", "rank_ids": [place]}], condition="top_count")
        with self.assertRefused("choose a condition on the best", ValidationError):
            action.condition = "always"

    def test_places_that_are_no_table(self):
        for places, words in (
            ([(0, 1, 5)], "Places count from 1 on"),
            ([(3, 2, 5)], "Places count from 1 on"),
            ([(1, 1, 0)], "enter an amount above zero"),
            ([(1, 3, 5), (3, 4, 2)], "Place 3 is in the table twice"),
        ):
            ranks = [Command.create({"rank_from": a, "rank_to": b, "amount": amount}) for a, b, amount in places]
            self._assert_refused(words, [{"basis": "rank", "rank_ids": ranks}], condition="top_count")

    def test_conditions_that_lack_something(self):
        for condition in ("value", "top_count", "top_share", "streak", "growth"):
            self._assert_refused("choose the metric", condition=condition, metric_id=False)
        growth = self.env["partner.loyalty.metric"].create({"name": "Growth", "is_growth": True})
        self._assert_refused("choose a metric that is added up", condition="growth", metric_id=growth.id)
        self._assert_refused("from 1 on", condition="top_count", top_count=0)
        self._assert_refused("up to 100", condition="top_share", top_share=100.5)
        self._assert_refused("up to 100", condition="top_share", top_share=0)
        self._assert_refused("2 to 36 times", condition="streak", streak_count=1)
        self._assert_refused("1 to 3650 days", condition="inactive", silent_days=0)
        self._assert_refused("0 to 3650", schedule="joining", joining_days=-1)
        self._assert_refused("choose how far back", condition="value", schedule="joining", measured_over="schedule")
        self._assert_refused("compares periods", condition="streak", measured_over="all")
        self._assert_refused("choose another condition", condition="top_count", schedule="anniversary")
        self._assert_refused("possible is", kind="certificate", role="buyer")

    def test_dates_that_are_none(self):
        self._assert_refused("Choose the date", schedule="date")
        self._assert_refused("choose a later end", date_from="2026-04-01", date_to="2026-03-31")
        self._assert_refused("all four digits", date_from="0026-03-01")
        self._assert_refused("all four digits", date_from="9999-03-01")

    def test_audiences_of_others(self):
        other = self._create_program([{}], tiers=[("Bronze", 0)], name="Other Club")
        self._assert_refused("choose one of this program", tier_ids=other.tier_ids)
        for domain in ("[('no_such_field', '=', 1)]", "(" * 5000, "__import__('os')", "{}"):
            self._assert_refused("build it with the filter editor", member_domain=domain)
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.env.user.company_ids += company
        segment = self.env["partner.loyalty.segment"].create({"name": "Theirs", "company_id": company.id})
        self._assert_refused("belongs to", exception=UserError, segment_ids=[Command.link(segment.id)])

    def test_numbers_that_are_none(self):
        for name in ("threshold", "top_count", "top_share", "silent_days"):
            for value in (float("nan"), float("inf"), 1e15, "twelve"):
                self._assert_refused("is not a number", **{name: value})
