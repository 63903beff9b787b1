from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestExpiry(PartnerLoyaltyCommon):
    roles = ("officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{"unit": "point", "formula": "per_amount", "rate": 1, "step_amount": 1}],
            expiry_kind="months",
            expiry_months=1,
        )
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.account = cls.member._get_account("point")

    def _sell(self, amount, date):
        """Post an invoice that earns as many points, and return it with its line."""
        invoice = self._create_sale_invoice(self.dealer, amount, date=date)
        return invoice, self._answer_documents()

    def _expire(self):
        self._as_cron("partner.loyalty.entry")._expire(self.account.ids)

    def _get_expired(self):
        return self._get_entries(self.member, "point").filtered(lambda entry: entry.type == "expiry")

    # === TERMS ===#

    def test_the_terms_of_the_program_decide_when_a_lot_expires(self):
        for kind, months, expected in (
            ("never", 12, False),
            ("months", 1, "2026-03-28"),
            ("months", 12, "2027-02-28"),
            ("year_end", 0, "2026-12-31"),
            ("year_end", 12, "2027-12-31"),
            ("idle", 6, False),
        ):
            with self.subTest(kind=kind, months=months):
                self.program.write({"expiry_kind": kind, "expiry_months": months})
                _invoice, entry = self._sell(10, "2026-02-28")
                self.assertEqual(entry.expiry_date, expected and self._day(expected))
                self.assertEqual(entry.idle_months, 6 if kind == "idle" else 0)

    def test_a_month_that_is_too_short_ends_with_its_last_day(self):
        _invoice, entry = self._sell(10, "2026-01-31")
        self.assertEqual(entry.expiry_date, self._day("2026-02-28"))

    def test_what_is_earned_keeps_the_terms_it_was_earned_on(self):
        _invoice, entry = self._sell(10, "2026-03-10")
        self.program.expiry_kind = "never"
        _invoice, later = self._sell(20, "2026-03-10")
        self.assertEqual(entry.expiry_date, self._day("2026-04-10"))
        self.assertFalse(later.expiry_date)

    def test_a_rule_can_have_terms_of_its_own(self):
        self.program.rule_ids.write({"has_own_terms": True, "expiry_kind": "never", "maturity_days": 5})
        _invoice, entry = self._sell(10, "2026-03-10")
        self.assertFalse(entry.expiry_date)
        self.assertEqual(entry.mature_date, self._day("2026-03-15"))

    def test_money_expires_only_where_the_program_says_so(self):
        self._create_rule(self.program, rate=10)
        _invoice, entries = self._sell(100, "2026-03-10")
        self.assertEqual(entries.filtered(lambda entry: entry.unit == "money").mapped("expiry_date"), [False])
        self.program.expiry_of_money = True
        _invoice, entries = self._sell(100, "2026-03-11")
        self.assertEqual(set(entries.mapped("expiry_date")), {self._day("2026-04-11")})

    def test_nothing_expires_before_it_could_be_spent(self):
        self.program.maturity_days = 60
        _invoice, entry = self._sell(10, "2026-03-10")
        self.assertEqual((entry.mature_date, entry.expiry_date), (self._day("2026-05-09"), self._day("2026-05-09")))

    def test_a_late_difference_expires_by_its_sale_and_never_before_it_is_posted(self):
        invoice, _entry = self._sell(10, "2026-03-10")
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 30
        invoice.action_post()
        with self._in_days(10):
            self.assertEqual(self._answer_documents().expiry_date, self._day("2026-04-10"))
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 50
        invoice.action_post()
        with self._in_days(60):
            late = self._answer_documents()
            self.assertEqual((late.amount, late.date, late.expiry_date), (20, late.date, late.date))

    def test_an_expiry_after_no_time_is_refused(self):
        for values, words in (
            ({"expiry_months": 0}, "expires after no time at all"),
            ({"expiry_months": -1}, "from 0 to 240 months"),
            ({"expiry_months": 999}, "from 0 to 240 months"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self.program.write(values)

    # === TAKING OFF ===#

    def test_what_has_expired_is_taken_off_once_and_dated_by_the_day_after(self):
        self._sell(10, "2026-01-10")
        self._sell(7, "2026-03-10")
        self._expire()
        self._expire()
        self.assertRecordValues(
            self._get_expired(),
            [{"amount": -10, "date": self._day("2026-02-11"), "amount_open": 0, "prior_period": False}],
        )
        self.assertEqual(self.account.balance, 7)

    def test_what_expires_today_can_still_be_spent(self):
        self._sell(10, "2026-02-18")
        self._expire()
        self.assertEqual(self.account.available, 10)
        with self._in_days(1):
            self.account.invalidate_recordset()
            self.assertEqual(self.account.available, 0, "It has expired, whether or not the nightly run has come by.")
            self._expire()
            self.assertEqual(self.account.balance, 0)

    def test_only_what_is_left_of_a_lot_expires(self):
        """Complaint: expiry collapses the balance because spends were not matched to lots."""
        self._sell(10, "2026-01-10")
        self._sell(10, "2026-03-10")
        with self._in_days(-45):
            self._post_entry(self.member, -4, unit="point", origin=self.stranger)
        self._expire()
        self.assertEqual(self._get_expired().mapped("amount"), [-6])
        self.assertEqual(self.account.balance, 10)

    def test_lots_that_expire_on_the_same_day_are_one_line(self):
        self._sell(10, "2026-01-10")
        self._sell(5, "2026-01-10")
        self._sell(3, "2026-01-11")
        self._expire()
        self.assertEqual(self._get_expired().mapped("amount"), [-15, -3])

    def test_the_nightly_run_takes_off_every_account_of_every_program(self):
        other = self._enroll(self.program, self.referrer)
        self._sell(10, "2026-01-10")
        self._create_sale_invoice(self.referrer, 6, date="2026-01-10")
        self._answer_documents()
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_expire").method_direct_trigger()
        self.assertEqual(self.account.balance, 0)
        self.assertEqual(other._get_account("point").balance, 0)

    def test_accounts_that_collide_are_tried_again_in_smaller_batches(self):
        other = self._enroll(self.program, self.referrer)
        self._sell(10, "2026-01-10")
        self._create_sale_invoice(self.referrer, 6, date="2026-01-10")
        self._answer_documents()
        batches, expire = [], self.registry["partner.loyalty.entry"]._expire

        def collide(entries, account_ids):
            batches.append(len(account_ids))
            if len(account_ids) > 1:
                raise errors.SerializationFailure
            return expire(entries, account_ids)

        with (
            patch.object(self.registry["partner.loyalty.entry"], "_expire", collide),
            self._as_worker("partner.loyalty.entry") as Entry,
        ):
            Entry._cron_expire(batch_size=2)
        self.assertEqual(batches, [2, 1, 1])
        self.assertEqual((self.account.balance, other._get_account("point").balance), (0, 0))

    def test_an_expiry_in_a_locked_period_is_dated_after_it(self):
        self._sell(10, "2026-01-10")
        self.program.lock_date = "2026-02-28"
        self._expire()
        self.assertRecordValues(self._get_expired(), [{"date": self._day("2026-03-01"), "prior_period": True}])

    # === MONTHS WITHOUT SALES ===#

    def test_what_expires_without_sales_lives_on_with_each_sale(self):
        self.program.write({"expiry_kind": "idle", "expiry_months": 1})
        _invoice, entry = self._sell(10, "2026-01-10")
        self._sell(5, "2026-02-25")
        self._expire()
        self.assertFalse(self._get_expired())
        self.assertEqual(entry.expires_on, self._day("2026-03-25"))
        with self._in_days(8):
            self._expire()
            self.assertEqual(self._get_expired().mapped("amount"), [-15])

    # === TAKEN BACK ===#

    def test_what_had_expired_is_given_back_before_it_is_taken_back(self):
        """Nobody owes what they never used."""
        invoice, _entry = self._sell(10, "2026-01-10")
        self._expire()
        self._credit(invoice)
        self._answer_documents()
        self.assertEqual(
            [(entry.type, entry.amount, entry.amount_open) for entry in self._get_entries(self.member, "point")],
            [("accrual", 10, 0), ("expiry", -10, 0), ("clawback", -10, 0), ("expiry_return", 10, 0)],
        )
        self.assertEqual(self.account.balance, 0)

    def test_only_what_is_taken_back_of_an_expired_lot_is_given_back(self):
        invoice, _entry = self._sell(10, "2026-01-10")
        other, _entry = self._sell(20, "2026-03-10")
        self._expire()
        self._credit(invoice, 4)
        self._answer_documents()
        self.assertEqual(self.account.balance, 20)
        self._credit(invoice, 6)
        self._answer_documents()
        self.assertEqual(self.account.balance, 20, "The other lot pays nothing of it.")
        self._credit(other, 5)
        self._answer_documents()
        self.assertEqual(self.account.balance, 15)

    def test_what_was_spent_before_it_expired_is_owed(self):
        invoice, _entry = self._sell(10, "2026-01-10")
        with self._in_days(-45):
            self._post_entry(self.member, -4, unit="point", origin=self.stranger)
        self._expire()
        self._credit(invoice)
        self._answer_documents()
        self.assertEqual(self.account.balance, -4)

    def test_what_a_refusal_gives_back_expires_at_once_where_its_day_has_passed(self):
        program = self._create_program([{}], name="Money", expiry_kind="months", expiry_of_money=True)
        program.expiry_months = 1
        member = self._enroll(program, self.referrer)
        self._create_sale_invoice(self.referrer, 100, date=TODAY)
        self._answer_documents()
        payout = self._submit_payout(member)
        with self._in_days(60):
            payout.with_user(self.users["manager"]).action_refuse("Too late")
            self.assertEqual(self._get_entries(member).mapped("type"), ["accrual", "payout", "payout_return", "expiry"])
            self.assertBalance(member, 0)

    # === WHAT EXPIRES NEXT ===#

    def test_what_expires_in_the_next_days_is_one_search(self):
        entries = self.env["partner.loyalty.entry"]
        for date in ("2026-02-20", "2026-03-10"):
            _invoice, entry = self._sell(10, date)
            entries |= entry
        self.program.write({"expiry_kind": "idle", "expiry_months": 2})
        _invoice, idle = self._sell(5, "2026-03-15")
        Entry = self.env["partner.loyalty.entry"]
        own = [("account_id", "=", self.account.id)]
        self.env["partner.loyalty.program"].search([])
        for days, expected in ((10, entries[0]), (30, entries), (60, entries + idle)):
            limit = self._day(TODAY) + timedelta(days=days)
            # The programs, and what is asked for.
            with self.subTest(days=days), self.assertQueryCount(2):
                found = Entry.search([*own, ("expires_on", "<=", limit)], order="id")
            self.assertEqual(found, expected)
