"""Goals: what each member or all together are to reach, how far they are, and what is refused."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged

from .common import PartnerLoyaltyCommon
from .test_bonus_action import NARROW_SPACE

# Shipped metrics whose values make up one of all members together.
ADDED_UP = {
    "turnover",
    "orders",
    "repeat_orders",
    "deals_won",
    "new_customers",
    "referrals",
    "certificates",
    "points_earned",
}


class GoalCommon(PartnerLoyaltyCommon):
    """A program with two members since 2025, whose turnover is measured."""

    roles = ("salesperson", "officer", "manager", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 0}], tiers=[("Silver", 0)], date_from="2025-01-01")
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer, date_from="2025-01-01")
        cls.metric = cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover")

    @classmethod
    def _create_goal(cls, **values):
        """Create a goal of 100 euro a member in the first quarter."""
        return cls.env["partner.loyalty.goal"].create(
            {
                "name": "Good quarter",
                "program_id": cls.program.id,
                "metric_id": cls.metric.id,
                "date_from": "2026-01-01",
                "date_to": "2026-03-31",
                "target": 100,
                **values,
            }
        )

    @classmethod
    def _sell(cls, partner, amount, day="2026-03-10", **values):
        return cls._create_sale_invoice(partner, amount, date=day, **values)

    def _get_shipped(self, name):
        return self.env.ref(f"partner_loyalty.partner_loyalty_metric_{name}")

    def assertGoal(self, goal, **expected):
        self.env.invalidate_all()
        self.assertRecordValues(goal, [expected])


@tagged("post_install", "-at_install")
class TestGoal(GoalCommon):
    def test_how_many_members_have_reached_it_one_by_one(self):
        goal = self._create_goal()
        self.assertGoal(goal, actual=0, reached_count=0, member_count=2, progress=0, is_reached=False, baseline=0)
        self._sell(self.dealer, 100)
        self._sell(self.referrer, 99.99)
        self.assertGoal(goal, actual=1, reached_count=1, member_count=2, progress=50, is_reached=False, baseline=0)
        self.assertEqual(goal.summary, f"Turnover at least 100.00{NARROW_SPACE}€: reached by 1 of 2 members")
        self._sell(self.referrer, 0.01)
        self.assertGoal(goal, actual=2, reached_count=2, progress=100, is_reached=True)

    def test_only_the_days_of_the_goal_count(self):
        goal = self._create_goal(date_from="2026-02-01", date_to="2026-02-28")
        for day in ("2026-01-31", "2026-03-01"):
            self._sell(self.dealer, 100, day)
        self.assertGoal(goal, reached_count=0)
        self._sell(self.dealer, 50, "2026-02-01")
        self._sell(self.dealer, 50, "2026-02-28")
        self.assertGoal(goal, reached_count=1)

    def test_what_lies_after_today_does_not_count_yet(self):
        goal = self._create_goal()
        self._sell(self.dealer, 100, "2026-03-19")
        self.assertGoal(goal, reached_count=0)
        with freeze_time("2026-03-19 10:00:00"):
            self.assertGoal(goal, reached_count=1)

    def test_all_members_together_are_compared_with_the_target_and_the_time_before(self):
        self._sell(self.dealer, 300, "2025-09-30")
        self._sell(self.dealer, 50, "2025-10-01")
        self._sell(self.referrer, 20, "2025-12-31")
        goal = self._create_goal(scope="program", target=200)
        self._sell(self.dealer, 90)
        self._sell(self.referrer, 60)
        self.assertGoal(goal, baseline=70, actual=150, progress=75, is_reached=False, reached_count=0, member_count=2)
        self.assertEqual(
            goal.summary,
            f"Turnover of all members together: 150.00{NARROW_SPACE}€, asked for: at least 200.00{NARROW_SPACE}€",
        )
        self._sell(self.referrer, 150)
        self.assertGoal(goal, actual=300, progress=150, is_reached=True)

    def test_a_baseline_can_be_entered_and_is_worked_out_anew_for_other_days(self):
        self._sell(self.dealer, 50, "2025-12-31")
        goal = self._create_goal(scope="program", baseline=70)
        self.assertEqual(goal.baseline, 70)
        goal.name = "Better quarter"
        self.assertEqual(goal.baseline, 70)
        goal.date_to = "2026-01-31"
        self.assertEqual(goal.baseline, 50)
        # Of ten days, those before count, and not the whole month.
        goal.write({"date_from": "2026-01-11", "date_to": "2026-01-20"})
        self.assertEqual(goal.baseline, 0)
        goal.write({"date_from": "2026-01-01", "date_to": "2026-01-31", "scope": "member"})
        self.assertEqual(goal.baseline, 0)

    def test_where_less_is_better_the_target_is_the_most(self):
        recency = self._get_shipped("recency")
        goal = self._create_goal(metric_id=recency.id, target=10)
        self._create_order(self.dealer, 10, date="2026-03-08 10:00:00")
        self.assertGoal(goal, reached_count=1, member_count=2)
        self.assertEqual(goal.summary, "Recency at most 10 days: reached by 1 of 2 members")
        with freeze_time("2026-03-19 10:00:00"):
            self.assertGoal(goal, reached_count=0)

    def test_what_is_to_stay_small_is_reached_until_there_is_too_much(self):
        metric = self.metric.copy({"name": "Returns", "direction": "down"})
        goal = self._create_goal(metric_id=metric.id, scope="program", target=60)
        self.assertGoal(goal, is_reached=True, progress=100)
        self._sell(self.dealer, 120)
        self.assertGoal(goal, is_reached=False, progress=50)
        goal.target = 0
        self.assertGoal(goal, is_reached=False, progress=0)

    def test_nothing_is_reached_before_it_begins(self):
        metric = self.metric.copy({"name": "Returns", "direction": "down"})
        goal = self._create_goal(metric_id=metric.id, date_from="2026-04-01", date_to="2026-06-30")
        self.assertGoal(goal, is_reached=False, reached_count=0, summary="It begins on 04/01/2026.")
        with self.assertRefused("look at it then"):
            goal.action_view_members()

    def test_a_member_that_was_merged_counts_with_the_other_one(self):
        self._sell(self.dealer, 60)
        self._sell(self.referrer, 60)
        each, together = self._create_goal(), self._create_goal(scope="program", target=120)
        self.member._merge_into(self.other)
        self.assertGoal(each, reached_count=1, member_count=1)
        self.assertGoal(together, actual=120, is_reached=True, member_count=1)

    def test_a_member_whose_turnover_another_one_took_over_is_not_asked_for_it(self):
        self._sell(self.dealer, 100)
        goal = self._create_goal()
        self.member.sudo().turnover_into_id = self.other
        self.assertGoal(goal, reached_count=1, member_count=1)
        lines = self._get_listed(goal)
        self.assertEqual(lines.member_id, self.other)

    def test_who_has_left_before_does_not_count_and_who_left_in_between_does(self):
        goal = self._create_goal()
        self.member.period_ids.date_to = "2026-01-15"
        self.other.period_ids.date_to = "2025-12-31"
        self.assertGoal(goal, member_count=1)

    # === MEMBERS ===#

    def _get_listed(self, goal, user="officer"):
        action = goal.with_user(self.users[user]).action_view_members()
        return self.env[action["res_model"]].with_user(self.users[user]).search(action["domain"])

    def test_the_list_says_who_has_reached_it_and_who_is_missing_how_much(self):
        self._sell(self.dealer, 120)
        self._sell(self.referrer, 30)
        lines = self._get_listed(self._create_goal())
        self.assertRecordValues(
            lines.with_env(self.env),
            [
                {"member_id": self.member.id, "rank": 1, "is_reached": True, "gap_text": False},
                {
                    "member_id": self.other.id,
                    "rank": 2,
                    "is_reached": False,
                    "gap_text": f"70.00{NARROW_SPACE}€",
                },
            ],
        )

    def test_of_all_together_the_list_says_what_each_has(self):
        self._sell(self.dealer, 120)
        lines = self._get_listed(self._create_goal(scope="program"))
        self.assertEqual(lines.mapped("value"), [120, 0])
        self.assertFalse(any(lines.mapped("gap_text")))

    # === WHAT CAN BE ADDED UP ===#

    def test_each_shipped_metric_adds_up_or_is_refused_for_all_together(self):
        shipped = self.env["partner.loyalty.metric"].search([("company_id", "=", False)])
        names = {
            data.res_id: data.name.removeprefix("partner_loyalty_metric_")
            for data in self.env["ir.model.data"].search([("model", "=", "partner.loyalty.metric")])
        }
        self.assertGreater(len(shipped), len(ADDED_UP))
        for metric in shipped.filtered(lambda metric: metric.id in names):
            with self.subTest(metric=metric.name):
                if names[metric.id] in ADDED_UP:
                    self._create_goal(metric_id=metric.id, scope="program")
                    continue
                self._create_goal(metric_id=metric.id)
                with self.assertRefused("choose a metric that is added up or counted", ValidationError):
                    self._create_goal(metric_id=metric.id, scope="program")

    def test_what_is_entered_is_added_up_over_members(self):
        metric = self.env["partner.loyalty.metric"].create({"name": "Visits", "source": "entered", "aggregate": "sum"})
        for member, value in ((self.member, 2), (self.member, 3), (self.other, 4)):
            self.env["partner.loyalty.metric.value"].create(
                {
                    "metric_id": metric.id,
                    "member_id": member.id,
                    "value": value,
                    "date": "2026-02-01",
                    "reference": f"Report {value}",
                }
            )
        self.assertGoal(self._create_goal(metric_id=metric.id, scope="program", target=10), actual=9, progress=90)

    def test_a_metric_that_all_together_are_measured_by_stays_one_that_adds_up(self):
        metric = self.metric.copy({"name": "Own"})
        self._create_goal(metric_id=metric.id, scope="program")
        with self.assertRefused("cannot be added up by “Own”", ValidationError):
            metric.aggregate = "average"
        with self.assertRefused("cannot be added up by “Own”", ValidationError):
            metric.is_growth = True

    # === REFUSALS ===#

    def test_goals_that_make_no_sense(self):
        for words, values in (
            ("cannot end before it starts", {"date_to": "2025-12-31"}),
            ("ten years at most", {"date_to": "2206-03-31"}),
            ("ten years at most", {"date_from": "9998-01-01", "date_to": "9999-12-31"}),
            ("all four digits of the year", {"date_from": "0026-01-01"}),
            ("enter the target of “Good quarter”", {"target": 0}),
            ("enter the target of “Good quarter”", {"target": 0.00001}),
            ("is not a number", {"target": float("nan")}),
            ("is not a number", {"target": 1e12}),
        ):
            for scope in ("member", "program"):
                with self.subTest(values=values, scope=scope), self.assertRefused(words, ValidationError):
                    self._create_goal(scope=scope, **values)

    def test_a_form_with_days_that_make_no_sense_does_not_fail_before_it_is_saved(self):
        for first, last in (("2026-01-01", "9999-12-31"), ("2026-04-01", "2026-01-01"), ("1900-01-01", "9000-01-01")):
            with Form(self.env["partner.loyalty.goal"]) as form:
                form.name = "Odd"
                form.program_id = self.program
                form.metric_id = self.metric
                form.scope = "program"
                form.target = 5
                form.date_from, form.date_to = first, last
                self.assertEqual(form.baseline, 0)
                form.date_from, form.date_to = "2026-01-01", "2026-03-31"

    def test_metrics_that_are_archived_or_of_another_company(self):
        archived = self.metric.copy({"name": "Old", "active": False})
        with self.assertRefused("restore the metric, or choose another", ValidationError):
            self._create_goal(metric_id=archived.id)
        company = self.setup_other_company(name="Company B")["company"]
        foreign = self.metric.copy({"name": "Foreign", "company_id": company.id})
        with self.assertRefused("is a metric of Company B", ValidationError):
            self._create_goal(metric_id=foreign.id)

    def test_a_metric_that_a_goal_uses_is_not_deleted(self):
        metric = self.metric.copy({"name": "Own"})
        goal = self._create_goal(metric_id=metric.id)
        with self.assertRefused("is used by Good quarter"):
            metric.unlink()
        goal.unlink()
        metric.unlink()

    def test_a_copy_has_a_name_of_its_own(self):
        self.assertEqual(self._create_goal().copy().name, "Good quarter (copy)")

    # === RIGHTS ===#

    def test_officers_read_and_managers_write(self):
        self._sell(self.dealer, 100)
        goal = self._create_goal()
        officer, manager = goal.with_user(self.users["officer"]), goal.with_user(self.users["manager"])
        self.assertEqual(officer.read(["reached_count"])[0]["reached_count"], 1)
        self.assertTrue(officer.action_view_members())
        for refused in (
            lambda: officer.write({"target": 5}),
            officer.unlink,
            officer.copy,
            lambda: goal.with_user(self.users["salesperson"]).read(["name"]),
            goal.with_user(self.users["salesperson"]).action_view_members,
            goal.with_user(self.users["accountant"]).action_view_members,
        ):
            with self.assertRefused("", AccessError):
                refused()
        manager.target = 200
        self.assertEqual(manager.copy({"scope": "program"}).actual, 100)
        manager.unlink()

    def test_nothing_of_another_company_is_seen(self):
        goal = self._create_goal(scope="program")
        self._sell(self.dealer, 100, "2025-12-31")
        company = self.setup_other_company(name="Company B")["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="partner_loyalty.partner_loyalty_group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        foreign = goal.with_user(stranger)
        self.assertFalse(foreign.search([("id", "in", goal.ids)]))
        for refused in (lambda: foreign.read(["actual"]), foreign.action_view_members, foreign.unlink):
            with self.assertRefused("", AccessError):
                refused()
        values = {name: goal[name].id for name in ("program_id", "metric_id")}
        values |= {"scope": "program", "date_from": "2026-01-01", "date_to": "2026-03-31", "target": 1}
        Goal, spec = self.env["partner.loyalty.goal"], {"baseline": {}, "actual": {}}
        seen = Goal.with_user(self.users["manager"]).onchange(values, list(values), spec)["value"]
        self.assertEqual(seen.get("baseline"), 100)
        try:
            seen = Goal.with_user(stranger).onchange(values, list(values), spec)["value"]
        except AccessError:
            seen = {}
        self.assertFalse(seen.get("baseline") or seen.get("actual"))

    def test_a_draft_program_goes_with_its_goals_and_what_depends_on_them(self):
        program = self._create_program([{}], tiers=[("Silver", 0), ("Gold", 5)], start=False, name="Draft")
        goal = self._create_goal(program_id=program.id)
        tier = {"kind": "tier", "tier_id": program.tier_ids[1].id}
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Bonus",
                "program_id": program.id,
                "condition": "goal",
                "goal_id": goal.id,
                "tier_ids": [Command.set(program.tier_ids[:1].ids)],
                "effect_ids": [Command.create(tier)],
            }
        )
        with self.assertRefused("is used by Bonus: choose another condition there first", UserError):
            goal.unlink()
        program.unlink()
        self.assertFalse(goal.exists() or action.exists())


@tagged("post_install", "-at_install")
class TestGoalOfAFigure(GoalCommon):
    def test_a_key_figure_against_its_baseline(self):
        """What the overview says of the same days, compared with the time just before."""
        self._sell(self.dealer, 1000, "2025-11-10")
        goal = self._create_goal(scope="figure", metric_id=False, kpi="turnover", target=0, target_change=15)
        self.assertGoal(goal, baseline=1000, target=1150, actual=0, trend="behind", unit="money", direction="up")
        self._sell(self.dealer, 575)
        self.assertGoal(goal, actual=575, progress=50, is_reached=False)
        self.assertIn("before: 1,000.00", goal.summary)
        self._sell(self.dealer, 575)
        self.assertGoal(goal, actual=1150, is_reached=True, trend="reached")
        goal.baseline = 2000
        self.assertGoal(goal, target=2300, is_reached=False)

    def test_on_course_is_on_a_straight_line_from_the_baseline(self):
        """On March 18, 77 of 90 days have passed: from 1000 to 1150 that makes 1128.33."""
        self._sell(self.dealer, 1000, "2025-11-10")
        goal = self._create_goal(scope="figure", metric_id=False, kpi="turnover", target=1150)
        self._sell(self.dealer, 1128.32)
        self.assertGoal(goal, trend="behind")
        self._sell(self.dealer, 0.02)
        self.assertGoal(goal, trend="on_course")

    def test_less_is_better(self):
        goal = self._create_goal(scope="figure", metric_id=False, kpi="churn", target=10)
        self.assertGoal(goal, direction="down", is_reached=True, trend="reached")
        self.other.period_ids.date_to = "2026-02-15"
        self.assertGoal(goal, actual=50, is_reached=False, trend="behind")

    def test_a_figure_from_outside_with_its_source(self):
        """The last one of the days counts, the last one before them is the baseline."""
        goal = self._create_goal(scope="outside", metric_id=False, target=20)
        self.assertGoal(goal, actual=0, trend=False, summary="There is no figure of these days yet.")
        figures = [("2025-06-30", 11), ("2025-12-31", 12), ("2026-02-01", 15), ("2026-03-01", 21), ("2026-04-10", 99)]
        goal.value_ids = [
            Command.create({"date": day, "value": value, "reference": "Market study"}) for day, value in figures
        ]
        self.assertGoal(goal, baseline=12, actual=21, is_reached=True, unit="percent")
        with self.assertRefused("for this day from this source already"):
            goal.value_ids = [Command.create({"date": "2026-03-01", "value": 1, "reference": "Market study"})]

    def test_what_a_goal_lacks_is_said(self):
        for values, words in (
            ({"metric_id": False}, "needs a metric"),
            ({"scope": "figure", "kpi": False}, "needs a key figure"),
            ({"target_change": 10}, "for each member"),
            ({"scope": "outside", "is_shown": True}, "cannot be shown to members"),
            ({"weight": -1}, "weighs from 0 to 1000"),
            ({"scope": "program", "target_change": -101}, "100 percent less"),
        ):
            with self.subTest(values), self.assertRefused(words):
                self._create_goal(**values)

    def test_a_change_without_a_baseline_asks_for_one(self):
        goal = self._create_goal(scope="figure", metric_id=False, kpi="turnover", target_change=15)
        self.assertGoal(goal, is_reached=False)
        self.assertIn("enter a baseline", goal.summary)

    def test_it_is_about_the_program_and_lists_no_members(self):
        goal = self._create_goal(scope="outside", metric_id=False)
        with self.assertRefused("about the program as a whole"):
            goal.action_view_members()
        with self.assertRefused("is no goal of members"):
            self.env["partner.loyalty.bonus.action"].create(
                {
                    "name": "For the market share",
                    "program_id": self.program.id,
                    "condition": "goal",
                    "goal_id": goal.id,
                    "effect_ids": [Command.create({"kind": "point", "amount": 5})],
                }
            )

    def test_a_form_asks_for_what_the_goal_is_about(self):
        form = Form(self.env["partner.loyalty.goal"].with_user(self.users["manager"]))
        form.name, form.program_id, form.scope = "Half the market", self.program, "outside"
        form.target = 50
        with form.value_ids.new() as line:
            line.value, line.reference = 12, "Market study"
        goal = form.save()
        self.assertEqual((goal.value_ids.value, goal.unit), (12, "percent"))
