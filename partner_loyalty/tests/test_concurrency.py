"""Two transactions at once, at the isolation that Odoo runs at: nothing is overdrawn, and nothing is done twice.

These tests commit: other transactions have to see what they are about. What they made is taken away at the end, which
takes lifting the guard of the ledger.
"""

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase, NotEnough


@tagged("post_install", "-at_install")
class TestConcurrency(ConcurrencyCase):
    # === SPENDING ===#

    def test_of_two_transactions_at_one_account_the_second_starts_over_and_sees_the_first(self):
        with self._transaction() as env:
            self._post(env, 100)
        with self._transaction() as first, self._transaction(commit=False) as second:
            self.assertEqual(self._get_account(second).balance, 100, "Its snapshot is older than what comes.")
            self._spend(first, 60)
            first.cr.commit()
            with self.assertRaises(errors.SerializationFailure), mute_logger("odoo.sql_db"):
                self._spend(second, 60)
            second.cr.rollback()
            second.invalidate_all()
            with self.assertRaises(NotEnough):
                self._spend(second, 60)
            second.cr.rollback()
        self.assertEqual(self._get_balance(), 40)

    def test_a_transaction_that_takes_its_word_back_leaves_the_other_its_turn(self):
        with self._transaction() as env:
            self._post(env, 100)
        with self._transaction(commit=False) as first, self._transaction() as second:
            self._spend(first, 60)
            first.cr.rollback()
            self._spend(second, 60)
        self.assertEqual(self._get_balance(), 40)

    def test_accounts_apart_do_not_hinder_each_other(self):
        with self._transaction() as first, self._transaction() as second:
            self._post(first, 10)
            member = second["partner.loyalty.member"].browse(self.member_id)
            points = member._get_account("point")
            Entry = second["partner.loyalty.entry"]
            second.cr.execute("SET LOCAL lock_timeout = '2s'")
            entry = Entry._post_vals([Entry._prepare_entry_vals(points, "accrual", 5, member.partner_id)])
            self.assertEqual(entry.amount, 5)
            second.cr.rollback()
        self.assertEqual(self._get_balance(), 10)

    def test_many_spends_at_once_never_overdraw(self):
        with self._transaction() as env:
            self._post(env, 50)
        outcomes = self._run_together(lambda: self._spend_until_decided(10), 12)
        self.assertEqual(sorted(outcomes), [False] * 7 + [True] * 5)
        self.assertEqual(self._get_balance(), 0)

    # === PAYOUTS ===#

    def test_a_payout_submitted_twice_at_once_is_debited_once(self):
        payout_id = self._create_payout()
        with self._transaction() as first, self._transaction(commit=False) as second:
            payout = first["partner.loyalty.payout"].browse(payout_id)
            late = second["partner.loyalty.payout"].browse(payout_id)
            self.assertEqual(late.decision, "draft")
            payout.action_submit()
            with self.assertRaisesRegex(UserError, "reload the page"):
                late.action_submit()
            second.cr.rollback()
            second.invalidate_all()
            self.assertEqual(late.decision, "draft")
            first.cr.commit()
            with self.assertRaises(errors.SerializationFailure), mute_logger("odoo.sql_db"):
                late.action_submit()
            second.cr.rollback()
            second.invalidate_all()
            with self.assertRaises(UserError):
                late.action_submit()
        self.assertEqual(self._get_balance(), 0)
        with self._transaction() as env:
            env["partner.loyalty.payout"].browse(payout_id).action_cancel()

    # === MARKS AND CHUNKS ===#

    def _touch(self, env):
        env["partner.loyalty.touch"]._mark(env["partner.loyalty.member"].browse(1))
        env.cr.precommit.run()

    def test_two_transactions_at_one_document_do_not_wait_for_each_other(self):
        with self._transaction() as first, self._transaction() as second:
            second.cr.execute("SET LOCAL lock_timeout = '2s'")
            self._touch(first)
            self._touch(second)
        with self._transaction() as env:
            self.assertEqual(env["partner.loyalty.touch"].search_count([("res_id", "=", 1)]), 2)

    def test_a_document_touched_while_it_is_answered_is_answered_again(self):
        with self._transaction() as env:
            self._touch(env)
        with self._transaction() as engine:
            marks = engine["partner.loyalty.touch"].search([])
            with self._transaction() as sale:
                self._touch(sale)
            marks._answer(marks)
        with self._transaction() as env:
            self.assertEqual(env["partner.loyalty.touch"].search_count([]), 1)

    def test_workers_of_the_nightly_run_claim_different_chunks(self):
        with self._transaction() as env:
            chunk = {"program_id": self.program_id, "first_member_id": 1, "last_member_id": 2}
            created = env["partner.loyalty.chunk"].create([chunk, chunk]).ids
        with (
            self._transaction(commit=False) as first,
            self._transaction(commit=False) as second,
            self._transaction(commit=False) as third,
        ):
            claimed = [env["partner.loyalty.chunk"]._claim().ids for env in (first, second, third)]
        self.assertEqual(claimed, [created[:1], created[1:], []])
