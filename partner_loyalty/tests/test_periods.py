from datetime import date, datetime
from itertools import pairwise

from odoo.tests import BaseCase, tagged

from odoo.addons.partner_loyalty.tools import periods


@tagged("post_install", "-at_install")
class TestPeriods(BaseCase):
    def test_the_end_of_a_month_is_its_last_day(self):
        for day, end in (
            (date(2026, 1, 1), date(2026, 1, 31)),
            (date(2026, 4, 30), date(2026, 4, 30)),
            (date(2026, 2, 10), date(2026, 2, 28)),
            (date(2028, 2, 10), date(2028, 2, 29)),
            (date(2100, 2, 1), date(2100, 2, 28)),
            (date(2026, 12, 31), date(2026, 12, 31)),
        ):
            with self.subTest(day=day):
                self.assertEqual(periods.month_end(day), end)
                self.assertEqual(periods.month_start(day), day.replace(day=1))

    def test_trailing_months_end_with_the_month_of_the_day(self):
        self.assertEqual(periods.trailing_months_start(date(2026, 3, 31), 12), date(2025, 4, 1))
        self.assertEqual(periods.trailing_months_start(date(2028, 2, 29), 12), date(2027, 3, 1))
        self.assertEqual(periods.trailing_months_start(date(2026, 3, 5), 1), date(2026, 3, 1))

    def test_a_day_starts_at_midnight_of_the_time_zone(self):
        for zone, start in (
            ("UTC", datetime(2026, 3, 18)),
            ("Pacific/Kiritimati", datetime(2026, 3, 17, 10)),
            ("Pacific/Pago_Pago", datetime(2026, 3, 18, 11)),
            ("Asia/Kathmandu", datetime(2026, 3, 17, 18, 15)),
            (False, datetime(2026, 3, 18)),
        ):
            with self.subTest(zone=zone):
                self.assertEqual(periods.utc_day_start(date(2026, 3, 18), zone), start)

    def test_a_day_whose_midnight_is_skipped_starts_with_its_first_moment(self):
        self.assertEqual(periods.utc_day_start(date(2018, 11, 4), "America/Sao_Paulo"), datetime(2018, 11, 4, 3))
        self.assertEqual(periods.utc_day_start(date(2026, 3, 29), "Asia/Beirut"), datetime(2026, 3, 28, 22))

    def test_a_day_whose_midnight_comes_twice_starts_with_the_first(self):
        # In Sao Paulo 23:00 to midnight came twice, so midnight itself is unique; in Beirut midnight comes twice.
        self.assertEqual(periods.utc_day_start(date(2018, 2, 18), "America/Sao_Paulo"), datetime(2018, 2, 18, 3))
        self.assertEqual(periods.utc_day_start(date(2026, 10, 25), "Asia/Beirut"), datetime(2026, 10, 24, 22))
        self.assertEqual(periods.utc_day_start(date(2025, 11, 2), "America/Havana"), datetime(2025, 11, 2, 4))

    def test_days_follow_each_other_without_gap_over_a_year_of_clock_changes(self):
        for zone in ("America/Sao_Paulo", "Asia/Beirut", "Europe/Kyiv", "America/Havana"):
            days = [date(2018, 1, 1).fromordinal(date(2018, 1, 1).toordinal() + number) for number in range(366)]
            starts = [periods.utc_day_start(day, zone) for day in days]
            hours = {int((later - earlier).total_seconds() / 3600) for earlier, later in pairwise(starts)}
            with self.subTest(zone=zone):
                self.assertEqual(hours, {23, 24, 25})
