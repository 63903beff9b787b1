"""Many threads at one account or payout, and the lock date that moves while lines are posted."""

from datetime import timedelta

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase

THREADS = 32


@tagged("post_install", "-at_install")
class TestConcurrentSpending(ConcurrencyCase):
    def test_of_many_threads_as_many_spend_as_the_balance_allows(self):
        for _round in range(3):
            with self._transaction() as env:
                self._post(env, 100)
            outcomes = self._run_together(lambda: self._spend_until_decided(10), THREADS)
            self.assertEqual(outcomes.count(True), 10)
            self.assertEqual(len(outcomes), THREADS)
            self.assertEqual(self._get_balance(), 0)

    def test_many_approvals_of_one_payout_make_one_bill(self):
        payout_id, manager_id = self._prepare_approval()
        outcomes = self._run_together(lambda: self._approve(payout_id, manager_id), THREADS)
        with self._transaction() as env:
            payout = env["partner.loyalty.payout"].browse(payout_id)
            bills = env["account.move"].search([("loyalty_payout_id", "=", payout_id)])
            self.assertEqual(payout.decision, "approved")
            self.assertEqual(bills, payout.bill_id, "There is one bill.")
            self.assertIn("approved", outcomes)
            self.assertLessEqual(set(outcomes), {"approved", "refused", "busy"})
            self._take_payout_away(env, payout)

    def test_two_managers_at_once_are_one_first_and_one_second_approval_and_one_bill(self):
        payout_id, manager_id = self._prepare_approval()
        with self._transaction() as env:
            other_id = self._get_manager(env, "racing_manager_2").id
            env["partner.loyalty.program"].browse(self.program_id).payout_limit = 1
        managers = [manager_id, other_id] * (THREADS // 2)
        outcomes = self._run_together(self._take_turns(payout_id, managers), THREADS)
        # Whoever was refused while the other one was about to approve asks again.
        outcomes += [self._approve(payout_id, manager) for manager in (manager_id, other_id)]
        with self._transaction() as env:
            payout = env["partner.loyalty.payout"].browse(payout_id)
            env["partner.loyalty.program"].browse(self.program_id).payout_limit = 0
            bills = env["account.move"].search([("loyalty_payout_id", "=", payout_id)])
            self.assertLessEqual(set(outcomes), {"approved", "refused", "busy"})
            self.assertEqual(payout.decision, "approved")
            self.assertEqual({payout.first_approved_by_id.id, payout.decided_by_id.id}, {manager_id, other_id})
            self.assertEqual(bills, payout.bill_id, "There is one bill.")
            self._take_payout_away(env, payout)

    def _take_turns(self, payout_id, managers):
        """Return what each thread does: approve as the next of the managers, and again where it was busy."""
        turns = list(managers)

        def approve():
            manager_id = turns.pop()
            for _attempt in range(20):
                outcome = self._approve(payout_id, manager_id)
                if outcome != "busy":
                    return outcome
            return outcome

        return approve

    def test_a_lock_date_waits_for_what_is_being_posted(self):
        with self._transaction(commit=False) as posting, self._transaction(commit=False) as closing:
            self._post(posting, 10)
            closing.cr.execute("SET LOCAL lock_timeout = '500ms'")
            program = closing["partner.loyalty.program"].browse(self.program_id)
            with self.assertRaises(errors.LockNotAvailable), mute_logger("odoo.sql_db"):
                program.lock_date = program._get_today() - timedelta(days=1)
                program.flush_recordset()
            # Nothing of it is written by the end of the transaction.
            closing.cr.rollback()
            closing.transaction.clear()

    def _prepare_approval(self):
        """Return a submitted payout and a manager who may approve it, by id."""
        with self._transaction() as env:
            program = env["partner.loyalty.program"].browse(self.program_id)
            program.payout_journal_id = self._get_purchase_journal(env)
            program.payout_product_id = self._get_product(env)
            manager = self._get_manager(env)
        payout_id = self._create_payout()
        with self._transaction() as env:
            env["partner.loyalty.payout"].browse(payout_id).action_submit()
        return payout_id, manager.id

    def _get_product(self, env):
        products = env["product.product"]
        return products.search([("name", "=", "Racing Bonus")], limit=1) or products.create(
            {"name": "Racing Bonus", "type": "service", "taxes_id": False, "supplier_taxes_id": False}
        )

    def _get_purchase_journal(self, env):
        domain = [("type", "=", "purchase"), ("company_id", "=", env.company.id)]
        journal = env["account.journal"].search(domain, limit=1)
        return journal or env["account.journal"].create({"name": "Racing", "code": "RACE", "type": "purchase"})

    def _approve(self, payout_id, manager_id):
        """Approve as a click does, with the retries of a request."""
        try:
            with self._transaction() as env, mute_logger("odoo.sql_db", "odoo.service.model"):
                payout = env(user=manager_id)["partner.loyalty.payout"].browse(payout_id)
                retrying(payout.action_approve, payout.env)
            return "approved"
        except UserError:
            return "refused"
        except errors.OperationalError:
            return "busy"

    def _take_payout_away(self, env, payout):
        """Give the money back, and take away what no other test clears."""
        bill = payout.bill_id
        env.cr.execute(
            "UPDATE partner_loyalty_payout SET decision = 'submitted', bill_id = NULL WHERE id = %s", [payout.id]
        )
        env.invalidate_all()
        bill.with_context(force_delete=True).unlink()
        payout.action_cancel()
        env["res.users"].search([("login", "=like", "racing_manager%")]).active = False
