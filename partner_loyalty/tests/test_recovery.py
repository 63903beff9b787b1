from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestRecovery(PartnerLoyaltyCommon):
    """What a member owes is recovered from later earnings, all at once or in shares."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.account = cls.member._get_account("money")

    def _owe(self, amount):
        """Let the member owe: what it was paid for is taken back."""
        invoice = self._create_sale_invoice(self.dealer, amount * 10, date="2026-02-01")
        self._answer_documents()
        self._bill_payout(self.member)
        self._credit(invoice, date="2026-03-01")
        self._answer_documents()
        self.assertBalance(self.member, -amount)

    def _earn(self, amount):
        self._create_sale_invoice(self.dealer, amount * 10, date=TODAY)
        return self._answer_documents()

    def test_all_of_later_earnings_pays_a_debt_by_default(self):
        self._owe(100)
        self._earn(60)
        self.assertEqual(self.account.available, 0)
        self._earn(60)
        self.assertEqual(self.account.available, 20)

    def test_a_share_of_each_later_earning_pays_a_debt(self):
        self.program.recovery_share = 50
        self._owe(100)
        self._earn(60)
        self.account.invalidate_recordset()
        self.assertRecordValues(self.account, [{"balance": -40, "available": 30}])
        self._earn(200)
        self.account.invalidate_recordset()
        self.assertRecordValues(self.account, [{"balance": 160, "available": 160}])
        self.assertFalse(self.member.debt_ids, "30 and 70 have paid it.")

    def test_a_payout_takes_what_the_debt_leaves_while_there_is_a_debt(self):
        self.program.recovery_share = 25
        self._owe(100)
        self._earn(60)
        # There is a payout for today already.
        with self._in_days(1):
            wizard = self.env["partner.loyalty.payout.prepare"].create(
                {"program_id": self.program.id, "date": "2026-03-19"}
            )
            self.assertRecordValues(wizard.line_ids, [{"balance": -40, "amount": 45, "reason": False}])
            payout = self._submit_payout(self.member, date="2026-03-19")
        self.assertEqual(payout.amount, 45)
        self.assertBalance(self.member, -85)
        self.assertEqual(self.member.debt_ids.mapped("amount_open"), [-85])

    def test_another_period_pays_a_share_as_any_other_earning_does(self):
        self.program.rule_ids.write(
            {"formula": "bands", "band_ids": [Command.create({"threshold": 0, "rate": 10})], "period": "month"}
        )
        self.program.recovery_share = 50
        self._owe(100)
        self._earn(60)
        self.account.invalidate_recordset()
        self.assertRecordValues(self.account, [{"balance": -40, "available": 30}])

    def test_shares_are_rounded_by_the_currency(self):
        self.program.recovery_share = 33.33
        self._owe(100)
        self._earn(10)
        self.assertEqual(self.account.available, 6.67)

    def test_a_higher_share_takes_from_what_is_open_at_once_and_a_lower_gives_nothing_back(self):
        self.program.recovery_share = 50
        self._owe(100)
        self._earn(60)
        self.program.recovery_share = 75
        self.account.invalidate_recordset()
        self.assertEqual(self.account.available, 15)
        self.program.recovery_share = 10
        self.account.invalidate_recordset()
        self.assertEqual(self.account.available, 15)

    def test_the_own_document_pays_all_of_its_deduction_whatever_the_share(self):
        self.program.recovery_share = 10
        invoice = self._create_sale_invoice(self.dealer, 1000)
        self._answer_documents()
        self._credit(invoice, 400)
        self._answer_documents()
        self.assertFalse(self.member.debt_ids)
        self.assertEqual(self.account.available, 60)

    def test_points_are_recovered_whole_whatever_the_share(self):
        self.program.recovery_share = 10
        self._post_entry(self.member, -50, unit="point")
        self._post_entry(self.member, 70, unit="point")
        self.assertEqual(self.member._get_account("point").available, 20)

    def test_a_share_of_nothing_or_of_more_than_all_is_refused(self):
        for share in (0, -5, 101):
            with self.subTest(share=share), self.assertRefused("above 0 and up to 100"):
                self.program.recovery_share = share

    def test_the_schedule_says_when_a_debt_will_be_recovered(self):
        self.program.recovery_share = 50
        self._owe(100)
        self._earn(20)
        self.assertEqual(self.member.money_debt, 90)
        # 120 were earned in twelve months: 10 a month, of which half.
        rows = self.member._get_recovery_schedule()
        self.assertEqual(len(rows), 18)
        self.assertEqual((str(rows[0]["month"]), rows[0]["amount"], rows[0]["remaining"]), ("2026-04-01", 5, 85))
        self.assertEqual(rows[-1]["remaining"], 0)
        self.assertIn("April 2026", self.member.recovery_schedule)

    def test_without_a_debt_there_is_no_schedule(self):
        self._earn(20)
        # What was earned in a year is only added up for who owes something.
        with patch.object(self.registry["partner.loyalty.member"], "_get_debt_and_recovery") as read:
            self.assertEqual(self.member._get_recovery_schedule(), [])
            self.assertFalse(self.member.recovery_schedule)
        read.assert_not_called()

    def test_without_earnings_there_is_a_sentence_instead_of_a_schedule(self):
        self._post_entry(self.member, -10)
        self.assertEqual(self.member._get_recovery_schedule(), [])
        self.assertEqual(self.member.money_debt, 10)
