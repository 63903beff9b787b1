"""When bonus actions are due, and that it makes no difference how late they run."""

from datetime import date

from odoo.tests import freeze_time, tagged
from odoo.tests.common import BaseCase

from ..tools import schedule as schedules
from .test_bonus_action import BonusCommon


def _day(text):
    return date.fromisoformat(text)


class TestSchedules(BaseCase):
    """Pure calendar: which periods are over, and when they are due."""

    def test_the_periods_that_are_over_by_schedule(self):
        for schedule, since, until, expected in (
            ("day", "2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
            ("day", "2025-12-31", "2026-01-01", ["2025-12-31", "2026-01-01"]),
            # Weeks begin on Monday: the first one has begun in the old year.
            ("week", "2026-01-01", "2026-01-17", ["2025-12-29 2026-01-04", "2026-01-05 2026-01-11"]),
            ("week", "2026-01-05", "2026-01-10", []),
            (
                "month",
                "2024-01-31",
                "2024-03-30",
                ["2024-01-01 2024-01-31", "2024-02-01 2024-02-29"],
            ),
            ("month", "2025-12-15", "2026-01-31", ["2025-12-01 2025-12-31", "2026-01-01 2026-01-31"]),
            ("month", "2026-02-28", "2026-02-28", ["2026-02-01 2026-02-28"]),
            ("quarter", "2025-11-30", "2026-03-31", ["2025-10-01 2025-12-31", "2026-01-01 2026-03-31"]),
            ("quarter", "2026-03-31", "2026-03-30", []),
            ("year", "2024-02-29", "2025-12-31", ["2024-01-01 2024-12-31", "2025-01-01 2025-12-31"]),
            ("year", "2026-12-31", "2026-12-30", []),
        ):
            with self.subTest(schedule=schedule, since=since, until=until):
                found = [
                    str(one.first) if one.first == one.last else f"{one.first} {one.last}"
                    for one in schedules.ended_occasions(schedule, _day(since), _day(until))
                ]
                self.assertEqual(found, expected)

    def test_a_period_is_due_on_the_day_after_it_and_about_its_last_day(self):
        for schedule, day, last, due in (
            ("day", "2024-02-29", "2024-02-29", "2024-03-01"),
            ("week", "2026-03-18", "2026-03-22", "2026-03-23"),
            ("month", "2024-02-10", "2024-02-29", "2024-03-01"),
            ("quarter", "2025-12-31", "2025-12-31", "2026-01-01"),
            ("year", "2026-01-01", "2026-12-31", "2027-01-01"),
        ):
            with self.subTest(schedule=schedule):
                occasion = schedules.calendar_occasion(schedule, _day(day))
                self.assertEqual((occasion.last, occasion.day, occasion.due), (_day(last), _day(last), _day(due)))

    def test_periods_of_different_schedules_are_different_times(self):
        keys = [
            schedules.calendar_occasion(schedule, _day("2026-01-01")).key for schedule in ("month", "quarter", "year")
        ]
        self.assertEqual(len(set(keys)), 3)

    def test_an_event_measures_what_lies_before_it_and_a_first_sale_itself(self):
        event = schedules.event_occasion("anniversary", _day("2026-03-01"))
        self.assertEqual((event.last, event.due), (_day("2026-02-28"), _day("2026-03-01")))
        sale = schedules.event_occasion("first_sale", _day("2026-02-28"))
        self.assertEqual((sale.last, sale.due), (_day("2026-02-28"), _day("2026-03-01")))

    def test_months_back_are_whole_months_where_a_month_is_over(self):
        for last, months, first in (
            ("2026-02-28", 1, "2026-02-01"),
            ("2024-02-29", 12, "2023-03-01"),
            ("2026-04-30", 3, "2026-02-01"),
            ("2026-03-17", 1, "2026-02-18"),
            ("2026-12-31", 12, "2026-01-01"),
        ):
            with self.subTest(last=last, months=months):
                self.assertEqual(schedules.trailing_start(_day(last), months), _day(first))

    def test_the_same_days_a_year_before_end_with_the_month_where_these_do(self):
        for first, last, expected in (
            ("2025-02-01", "2025-02-28", ("2024-02-01", "2024-02-29")),
            ("2024-02-01", "2024-02-29", ("2023-02-01", "2023-02-28")),
            ("2026-01-01", "2026-03-31", ("2025-01-01", "2025-03-31")),
            ("2026-03-09", "2026-03-15", ("2025-03-09", "2025-03-15")),
        ):
            with self.subTest(first=first):
                found = schedules.a_year_before(_day(first), _day(last))
                self.assertEqual(found, tuple(map(_day, expected)))


@tagged("post_install", "-at_install")
class TestDue(BonusCommon):
    """Which runs an action has made by a day, and what each of them is about."""

    def _run_on(self, action, *days):
        """Run an action as the nightly job would on each of some days."""
        for day in days:
            with freeze_time(f"{day} 01:00:00"):
                self._run(action)

    def _get_days(self, action):
        """Return what each run was about and when it was due, the earliest first."""
        runs = self._get_runs(action).sorted("date")
        return runs.mapped(lambda run: f"{run.period_start} {run.period_end} {run.date}")

    def _get_event_days(self, action):
        lines = self._get_runs(action).line_ids.sorted("date")
        return lines.mapped(lambda line: (line.partner_id.name, str(line.date), str(line.due_date)))

    # === CALENDAR ===#

    def test_each_schedule_runs_after_its_periods(self):
        for schedule, days, expected in (
            (
                "day",
                ["2026-03-19", "2026-03-20"],
                ["2026-03-18 2026-03-18 2026-03-19", "2026-03-19 2026-03-19 2026-03-20"],
            ),
            ("week", ["2026-03-22", "2026-03-23"], ["2026-03-16 2026-03-22 2026-03-23"]),
            ("month", ["2026-03-31", "2026-04-01"], ["2026-03-01 2026-03-31 2026-04-01"]),
            ("quarter", ["2026-03-31", "2026-04-01"], ["2026-01-01 2026-03-31 2026-04-01"]),
            ("year", ["2026-12-31", "2027-01-01"], ["2026-01-01 2026-12-31 2027-01-01"]),
        ):
            with self.subTest(schedule=schedule):
                action = self._create_action(schedule=schedule)
                self._run_on(action, *days)
                self.assertEqual(self._get_days(action), expected)
                self.assertEqual(self._get_lines(action).partner_id, self.dealer + self.referrer)

    def test_the_period_of_the_start_counts_as_a_whole(self):
        self._sell(self.dealer, 100, "2026-03-02")
        action = self._create_action(condition="value", threshold=100)
        self._run_on(action, "2026-04-01")
        self.assertEqual(self._get_lines(action).partner_id, self.dealer)

    def test_a_date_runs_once_on_that_day(self):
        action = self._create_action(schedule="date", date="2026-03-20")
        self._run_on(action, "2026-03-19")
        self.assertFalse(self._get_runs(action))
        self._run_on(action, "2026-03-20", "2026-03-21")
        self.assertEqual(self._get_days(action), ["2026-03-20 2026-03-20 2026-03-20"])
        self.assertEqual(set(self._get_entries(self.member, "point").mapped("date")), {self._day("2026-03-20")})

    def test_a_period_that_ends_after_the_end_does_not_count(self):
        action = self._create_action(date_to="2026-04-29")
        self._run_on(action, "2026-05-02")
        self.assertEqual(self._get_days(action), ["2026-03-01 2026-03-31 2026-04-01"])
        self.assertFalse(action.next_date)

    def test_the_next_run_is_announced(self):
        for schedule, expected in (("day", "2026-03-19"), ("month", "2026-04-01"), ("anniversary", None)):
            with self.subTest(schedule=schedule):
                action = self._create_action(schedule=schedule)
                self.assertEqual(action.next_date, bool(expected) and self._day(expected))
        self.assertFalse(self._create_action(schedule="month", date_to="2026-03-20").next_date)

    def test_the_last_period_of_a_program_that_was_closed_is_given(self):
        action = self._create_action()
        with freeze_time("2026-03-31 12:00:00"):
            self.program.action_close()
        self._run_on(action, "2026-04-01", "2026-05-01")
        self.assertEqual(self._get_days(action), ["2026-03-01 2026-03-31 2026-04-01"])

    # === EVENTS ===#

    def test_an_anniversary_comes_every_year_and_on_the_28_february_for_who_joined_on_the_29(self):
        self.program.date_from = "2020-01-01"
        self.member.period_ids.date_from = "2024-02-29"
        self.other.period_ids.date_from = "2025-03-18"
        action = self._create_action(schedule="anniversary")
        self._run_on(action, "2026-03-18", "2027-02-27", "2027-02-28", "2028-03-01")
        self.assertEqual(
            self._get_event_days(action),
            [
                ("Referrer", "2026-03-18", "2026-03-18"),
                ("Dealer", "2027-02-28", "2027-02-28"),
                ("Referrer", "2027-03-18", "2027-03-18"),
                ("Dealer", "2028-02-29", "2028-02-29"),
            ],
        )
        texts = self._get_lines(action).sorted("date").mapped("reason_text")
        self.assertEqual(texts[0], "Years of membership: 1")
        self.assertEqual(texts[-1], "Years of membership: 4")

    def test_days_after_joining_count_for_who_joins_in_the_middle_of_a_period(self):
        action = self._create_action(schedule="joining", joining_days=30)
        late = self._enroll(self.program, self.stranger, date_from="2026-03-10")
        self._run_on(action, "2026-04-08")
        self.assertFalse(self._get_runs(action))
        self._run_on(action, "2026-04-09", "2026-04-10")
        self.assertEqual(self._get_event_days(action), [("Stranger", "2026-04-09", "2026-04-09")])
        self.assertBalance(late, 50, "point")

    def test_an_event_before_the_start_is_none(self):
        self.member.period_ids.date_from = "2026-03-07"
        action = self._create_action(schedule="joining", joining_days=10)
        self._run_on(action, "2026-03-18", "2026-03-30")
        self.assertFalse(self._get_runs(action))

    def test_who_has_left_before_the_day_gets_nothing(self):
        self.member.period_ids.write({"date_from": "2026-03-08", "date_to": "2026-03-17"})
        action = self._create_action(schedule="joining", joining_days=10)
        self._run_on(action, "2026-03-18")
        self.assertFalse(self._get_runs(action))

    def test_a_tier_change_counts_by_its_direction(self):
        for change, expected in (
            ("up", ["2026-04-01"]),
            ("down", ["2027-04-01"]),
            ("any", ["2026-04-01", "2027-04-01"]),
        ):
            with self.subTest(change=change), self._take_back():
                self._sell(self.dealer, 1000, "2026-03-10")
                action = self._create_action(schedule="tier", tier_change=change)
                self._run_on(action, "2026-04-01", "2026-04-02", "2027-04-02")
                self.assertEqual([day for _name, day, _due in self._get_event_days(action)], expected)

    def test_a_tier_change_is_told_by_the_new_tier(self):
        self._sell(self.dealer, 1000, "2026-03-10")
        action = self._create_action(schedule="tier")
        self._run_on(action, "2026-04-01")
        self.assertEqual(self._get_lines(action).reason_text, "New tier: Gold")

    def test_the_first_sale_counts_once_also_where_an_earlier_one_is_entered_later(self):
        action = self._create_action(schedule="first_sale")
        with freeze_time("2026-03-20 12:00:00"):
            self._sell(self.dealer, 100, "2026-03-20")
        self._run_on(action, "2026-03-20")
        self.assertFalse(self._get_runs(action), "The day is not over.")
        self._run_on(action, "2026-03-21")
        self._sell(self.dealer, 100, "2026-03-19")
        self._run_on(action, "2026-03-22")
        self.assertEqual(self._get_event_days(action), [("Dealer", "2026-03-20", "2026-03-21")])

    def test_a_first_sale_that_was_credited_or_made_before_the_start_is_none(self):
        self._sell(self.referrer, 100, "2026-03-01")
        action = self._create_action(schedule="first_sale")
        invoice = self._sell(self.dealer, 100, "2026-03-18")
        self._credit(invoice)
        self._sell(self.referrer, 100, "2026-03-18")
        self._run_on(action, "2026-03-19")
        self.assertFalse(self._get_runs(action))

    def test_an_event_that_misses_the_condition_is_answered_too_and_not_asked_again(self):
        self.member.period_ids.date_from = "2025-03-19"
        action = self._create_action(schedule="anniversary", condition="value", threshold=500, measured_over="year")
        self._sell(self.dealer, 100, "2026-03-10")
        self._run_on(action, "2026-03-19")
        lines = self._get_runs(action).line_ids
        self.assertRecordValues(lines, [{"state": "unmet", "value": 100}])
        self._sell(self.dealer, 500, "2026-03-11")
        self._run_on(action, "2026-03-20")
        self.assertEqual(self._get_runs(action).line_ids, lines)

    # === CATCHING UP ===#

    def _get_ledger(self):
        """Return what the statements say, without when it was posted and in which order."""
        entries = self.env["partner.loyalty.entry"].search([("program_id", "=", self.program.id)])
        return sorted(
            entries.mapped(
                lambda entry: (
                    entry.partner_id.name,
                    entry.type,
                    entry.unit,
                    entry.amount,
                    str(entry.contribution_date),
                    str(entry.date),
                    str(entry.mature_date),
                    str(entry.expiry_date),
                    entry.explanation_text,
                )
            )
        )

    def _play(self, days):
        """Have four weeks of sales and joining, with an action of each kind that runs on some days; take it back.

        :return: the ledger at the end
        """
        with self._take_back():
            self.program.write({"maturity_days": 14, "expiry_kind": "months", "expiry_months": 3})
            self.member.period_ids.date_from = "2025-03-25"
            actions = [
                self._create_action(schedule="week", condition="top_count", top_count=1, name="Best"),
                self._create_action(condition="value", threshold=500, tier_ids=self.gold, name="Gold month"),
                self._create_action(schedule="tier", name="Congratulations"),
                self._create_action(schedule="joining", joining_days=10, name="Welcome"),
                self._create_action(schedule="anniversary", name="Anniversary"),
                self._create_action(schedule="first_sale", name="First"),
                self._create_action(schedule="week", condition="inactive", silent_days=20, name="Silent"),
            ]
            for partner, amount, day in (
                (self.dealer, 1200, "2026-03-20"),
                (self.referrer, 300, "2026-03-27"),
                (self.referrer, 900, "2026-04-02"),
                (self.dealer, 600, "2026-04-14"),
                (self.referrer, 700, "2026-05-03"),
            ):
                with freeze_time(f"{day} 12:00:00"):
                    self._sell(partner, amount, day)
            self._enroll(self.program, self.stranger, date_from="2026-03-24")
            self._answer_marks()
            for day in days:
                with freeze_time(f"{day} 01:00:00"):
                    for action in actions:
                        self._run(action)
            ledger = self._get_ledger()
            self.assertFalse([action.error for action in actions if action.error])
        return ledger

    def test_after_weeks_of_downtime_the_ledger_is_the_same_as_without(self):
        every_day = [
            date.fromordinal(day) for day in range(_day("2026-03-19").toordinal(), _day("2026-05-05").toordinal())
        ]
        daily, late = self._play(every_day), self._play(every_day[-1:])
        bonuses = [line for line in daily if line[1] == "bonus"]
        self.assertGreater(len(bonuses), 12)
        self.assertEqual(
            {line[8].split(":")[0] for line in bonuses},
            {"Best", "Gold month", "Congratulations", "Welcome", "Anniversary", "First", "Silent"},
        )
        self.assertEqual(late, daily)

    def test_each_missed_period_is_taken_as_of_its_own_date(self):
        self._sell(self.dealer, 1000, "2026-03-10")
        action = self._create_action(tier_ids=self.gold)
        for day in ("2026-04-10", "2026-05-10"):
            with freeze_time(f"{day} 12:00:00"):
                self._sell(self.referrer, 2000, day)
        self._run_on(action, "2026-07-02")
        # Who was gold on the last day of the month; the tier of April was decided on the sales up to March.
        names = {str(run.period_start): run.line_ids.partner_id.mapped("name") for run in self._get_runs(action)}
        self.assertEqual(
            names,
            {
                "2026-03-01": [],
                "2026-04-01": ["Dealer"],
                "2026-05-01": ["Dealer", "Referrer"],
                "2026-06-01": ["Dealer", "Referrer"],
            },
        )
        dates = self._get_entries(self.member, "point").mapped("date")
        self.assertEqual(list(map(str, dates)), ["2026-05-01", "2026-06-01", "2026-07-01"])

    def test_a_missed_period_that_is_locked_by_now_is_posted_after_the_lock(self):
        action = self._create_action()
        with freeze_time("2026-04-20 12:00:00"):
            self.program.lock_date = "2026-04-10"
            self._run(action)
        self.assertRecordValues(
            self._get_entries(self.member, "point"),
            [{"date": self._day("2026-04-11"), "contribution_date": self._day("2026-03-31"), "prior_period": True}],
        )
