"""Two transactions at once, at the isolation that Odoo runs at: nothing is overdrawn, and nothing is done twice.

These tests commit: other transactions have to see what they are about. What they made is taken away at the end, which
takes lifting the guard of the ledger.
"""

from contextlib import contextmanager
from threading import Barrier, Thread

from psycopg2 import errors

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger


class NotEnough(Exception):
    """A spend found less than it needs."""


@tagged("post_install", "-at_install")
class TestConcurrency(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.addClassCleanup(cls._take_away)
        with cls._transaction() as env:
            cls.partner_id = env["res.partner"].create({"name": "Racing Dealer", "is_company": True}).id
            program = env["partner.loyalty.program"].create(
                {
                    "name": "Race",
                    "date_from": "2026-01-01",
                    "tz": "UTC",
                    "rule_ids": [Command.create({"name": "Rule", "rate": 10})],
                }
            )
            program.action_start()
            cls.program_id = program.id
            today = program._get_today()
            cls.member_id = program._enroll({env["res.partner"].browse(cls.partner_id): today}).id

    @classmethod
    @contextmanager
    def _transaction(cls, commit=True):
        """Open a transaction of its own: yields its environment."""
        with cls.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            if not commit:
                cr.rollback()

    @classmethod
    def _take_away(cls):
        with cls._transaction() as env:
            for table in ("entry", "allocation"):
                env.cr.execute(f"ALTER TABLE partner_loyalty_{table} DISABLE TRIGGER USER")
            cls._delete_all(env)
            for table in ("entry", "allocation"):
                env.cr.execute(f"ALTER TABLE partner_loyalty_{table} ENABLE TRIGGER USER")

    @classmethod
    def _delete_all(cls, env):
        members = "SELECT id FROM partner_loyalty_member WHERE program_id = %s"
        entries = "SELECT id FROM partner_loyalty_entry WHERE program_id = %s"
        for query in (
            f"DELETE FROM partner_loyalty_allocation WHERE credit_entry_id IN ({entries})",
            f"UPDATE partner_loyalty_payout SET entry_id = NULL WHERE member_id IN ({members})",
            "DELETE FROM partner_loyalty_entry WHERE program_id = %s",
            f"DELETE FROM partner_loyalty_payout WHERE member_id IN ({members})",
            "DELETE FROM partner_loyalty_chunk WHERE program_id = %s",
            "DELETE FROM partner_loyalty_account WHERE program_id = %s",
            f"DELETE FROM partner_loyalty_member_period WHERE member_id IN ({members})",
            "DELETE FROM partner_loyalty_member WHERE program_id = %s",
            "DELETE FROM partner_loyalty_rule WHERE program_id = %s",
            "DELETE FROM partner_loyalty_program WHERE id = %s",
        ):
            env.cr.execute(query, [cls.program_id])
        env.cr.execute("DELETE FROM res_partner WHERE id = %s", [cls.partner_id])
        env.cr.execute(
            "DELETE FROM mail_message WHERE model LIKE 'partner.loyalty.%%' AND res_id IN (%s, %s)",
            [cls.program_id, cls.member_id],
        )

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clear_account)

    def _clear_account(self):
        """Check the ledger, and bring the balance of the member to zero for the next test."""
        with self._transaction() as env:
            self.assertEqual(env["partner.loyalty.program"]._check_invariants(), [])
            env["partner.loyalty.touch"].search([]).unlink()
            env["partner.loyalty.chunk"].search([]).unlink()
            balance = self._get_account(env).balance
            if balance:
                self._post(env, -balance)

    def _get_account(self, env):
        return env["partner.loyalty.member"].browse(self.member_id)._get_account("money")

    def _post(self, env, amount):
        """Append an entry; each has an origin of its own."""
        Entry = env["partner.loyalty.entry"]
        account = self._get_account(env)
        env.cr.execute("SELECT nextval('res_partner_id_seq')")
        origin = env["res.partner"].browse(env.cr.fetchone()[0])
        entry_type = "accrual" if amount > 0 else "clawback"
        entry = Entry._post_vals([Entry._prepare_entry_vals(account, entry_type, amount, origin)])
        env["partner.loyalty.allocation"]._settle(account.ids)
        return entry

    def _spend(self, env, amount):
        """Spend as a payout does: the debit comes first, and then has to find lots for all of it."""
        entry = self._post(env, -amount)
        if entry.amount_open:
            raise NotEnough

    def _get_balance(self):
        with self._transaction() as env:
            return self._get_account(env).balance

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
        outcomes = []
        barrier = Barrier(12)

        def spend():
            barrier.wait()
            outcomes.append(self._spend_until_decided(10))

        threads = [Thread(target=spend) for _number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcomes), [False] * 7 + [True] * 5)
        self.assertEqual(self._get_balance(), 0)

    def _spend_until_decided(self, amount):
        """Spend in a transaction of its own, which starts over as long as another gets ahead of it."""
        while True:
            try:
                with self._transaction() as env, mute_logger("odoo.sql_db"):
                    self._spend(env, amount)
                return True
            except NotEnough:
                return False
            except errors.SerializationFailure:
                continue

    # === PAYOUTS ===#

    def _create_payout(self):
        with self._transaction() as env:
            self._post(env, 100)
            payouts = env["partner.loyalty.payout"]
            day = env["partner.loyalty.program"].browse(self.program_id)._get_today()
            return payouts.create({"member_id": self.member_id, "date": day}).id

    def test_a_payout_submitted_twice_at_once_is_debited_once(self):
        payout_id = self._create_payout()
        with self._transaction() as first, self._transaction(commit=False) as second:
            payout = first["partner.loyalty.payout"].browse(payout_id)
            late = second["partner.loyalty.payout"].browse(payout_id)
            self.assertEqual(late.decision, "draft")
            payout.action_submit()
            late.action_submit()
            self.assertEqual(late.decision, "draft", "The other one has it; this one leaves it alone.")
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
        env["partner.loyalty.touch"]._mark(env["sale.order"].browse(1))
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
