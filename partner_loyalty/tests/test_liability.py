from decimal import Decimal

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestLiability(PartnerLoyaltyCommon):
    """What is owed, as of today and as of any past day."""

    roles = ("officer", "manager", "accountant", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{}, {"unit": "point", "formula": "per_amount", "rate": 1, "step_amount": 1}],
            maturity_days=14,
            expiry_kind="months",
            expiry_months=2,
            point_value=0.05,
        )
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.first = cls._create_sale_invoice(cls.dealer, 1000, date="2026-01-10")
        cls.second = cls._create_sale_invoice(cls.dealer, 400, date="2026-03-10")
        cls._answer_marks()

    def _get_figures(self, day, unit):
        return self.program._get_liability(self._day(day))[unit]

    def assertFigures(self, day, unit, **expected):
        figures = self._get_figures(day, unit)
        self.assertEqual({name: figures[name] for name in expected}, expected)

    def test_what_is_held_back_and_what_has_matured_are_told_apart(self):
        self.assertFigures(TODAY, "money", matured=100, pending=40, debt=0, balance=140, liability=140)

    def test_a_past_day_is_shown_as_it_was(self):
        self.assertFigures("2026-01-09", "money", balance=0)
        self.assertFigures("2026-01-20", "money", matured=0, pending=100, balance=100)
        self.assertFigures("2026-02-28", "money", matured=100, pending=0)

    def test_a_payout_counts_from_its_day_on(self):
        self._submit_payout(self.member)
        self.assertFigures("2026-03-17", "money", balance=140)
        self.assertFigures(TODAY, "money", balance=40, matured=0, pending=40)

    def test_a_payout_that_was_refused_had_left_meanwhile(self):
        payout = self._submit_payout(self.member)
        with self._in_days(5):
            payout.with_user(self.users["manager"]).action_refuse("No")
        self.assertFigures("2026-03-20", "money", balance=40)
        self.assertFigures("2026-03-23", "money", balance=140)

    def test_a_debt_is_not_deducted_from_what_is_owed_to_others(self):
        other = self._enroll(self.program, self.referrer)
        self._post_entry(other, -30)
        self.assertFigures(TODAY, "money", matured=100, pending=40, debt=30, balance=110, liability=140)

    def test_what_is_open_is_listed_by_month_of_expiry(self):
        self.program.expiry_kind = "never"
        self._create_sale_invoice(self.dealer, 7, date="2026-03-11")
        self._answer_documents()
        self.assertEqual(
            self._get_figures(TODAY, "point")["by_month"],
            {self._day("2026-03-01"): 1000, self._day("2026-05-01"): 400, None: 7},
        )
        self.assertEqual(self._get_figures(TODAY, "money")["by_month"], {None: Decimal("140.7")})

    def test_points_are_owed_at_their_value_less_what_is_expected_to_expire(self):
        self.assertFigures(TODAY, "point", balance=1400, breakage_rate=0, liability=70)
        account = self.member._get_account("point")
        with self._in_days(-10):
            self._post_entry(self.member, -250, unit="point", entry_type="payout", origin=self.stranger)
        self._as_cron("partner.loyalty.entry")._expire(account.ids)
        # 750 of the 1000 points that have left the account expired.
        self.assertFigures(TODAY, "point", balance=400, breakage_rate=75, breakage=300, liability=5)

    def test_the_balance_is_that_of_the_lines_up_to_the_day(self):
        self._credit(self.first, 300, date="2026-03-01")
        self._answer_documents()
        for day in ("2026-01-31", "2026-02-28", "2026-03-12", TODAY):
            with self.subTest(day=day):
                lines = self._get_entries(self.member).filtered(lambda entry, day=day: entry.date <= self._day(day))
                self.assertFigures(day, "money", balance=sum(lines.mapped("amount")))

    # === REPORT AND ENTRY ===#

    def _open(self, role, **values):
        return (
            self.env["partner.loyalty.liability"]
            .with_user(self.users[role])
            .create({"program_ids": self.program.ids, "date": TODAY, **values})
        )

    def test_the_report_shows_each_unit_and_the_sum_in_money(self):
        wizard = self._open("manager")
        self.assertRecordValues(
            wizard.line_ids,
            [
                {"unit": "point", "balance": 1400, "liability": 70},
                {"unit": "money", "balance": 140, "liability": 140},
            ],
        )
        self.assertEqual(wizard.total, 210)
        report = self.env.ref("partner_loyalty.partner_loyalty_liability_report_action")
        html, _type = report.with_user(self.users["manager"])._render_qweb_html(report.report_name, wizard.ids)
        self.assertIn("210.00", html.decode())

    def test_the_form_keeps_its_lines_once_it_is_saved(self):
        Wizard = self.env["partner.loyalty.liability"].with_user(self.users["accountant"])
        specification = {"total": {}, "line_ids": {"fields": {"liability": {}}}, "expiry_line_ids": {"fields": {}}}
        values = {"program_ids": [Command.set(self.program.ids)], "date": TODAY}
        saved = Wizard.web_save(values, specification)[0]
        self.assertEqual([line["liability"] for line in saved["line_ids"]], [70, 140])
        self.assertTrue(saved["expiry_line_ids"])
        saved = Wizard.browse(saved["id"]).web_save({"date": "2025-01-01"}, specification)[0]
        self.assertEqual((saved["line_ids"], saved["total"]), ([], 0))

    def _set_accounts(self):
        self.program.write(
            {
                "liability_journal_id": self.company_data["default_journal_misc"].id,
                "liability_account_id": self.company_data["default_account_payable"]
                .copy({"code": "480100", "account_type": "liability_current", "reconcile": False})
                .id,
                "liability_expense_account_id": self.company_data["default_account_expense"].id,
            }
        )

    def test_an_accountant_books_it_as_a_draft_that_is_taken_back_the_next_day(self):
        self._set_accounts()
        action = self._open("accountant").action_create_entry()
        moves = self.env["account.move"].search(action["domain"], order="date")
        self.assertRecordValues(
            moves,
            [
                {"state": "draft", "date": self._day(TODAY), "amount_total": 210},
                {"state": "draft", "date": self._day("2026-03-19"), "amount_total": 210},
            ],
        )
        self.assertEqual(
            moves.line_ids.filtered(lambda line: line.account_id == self.program.liability_account_id).mapped(
                "balance"
            ),
            [-210, 210],
        )

    def test_without_accounts_it_says_what_to_choose(self):
        with self.assertRefused("choose a journal and two accounts"):
            self._open("accountant").action_create_entry()

    def test_when_nothing_is_owed_nothing_is_booked(self):
        self._set_accounts()
        with self.assertRefused("nothing to book"):
            self._open("accountant", date="2026-01-01").action_create_entry()

    def test_a_manager_without_accounting_books_nothing_and_others_see_nothing(self):
        self._set_accounts()
        with self.assertRefused("", AccessError):
            self._open("manager").action_create_entry()
        for role in ("officer", "salesperson"):
            with self.subTest(role=role), self.assertRefused("", AccessError):
                self._open(role)
