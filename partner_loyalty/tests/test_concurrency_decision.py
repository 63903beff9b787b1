"""Merges, approvals, imports and lock dates in two transactions at once: nothing is lost, and nothing is done twice."""

from datetime import timedelta

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase

THREADS = 8
LOGGERS = ("odoo.sql_db", "odoo.service.model")


@tagged("post_install", "-at_install")
class TestConcurrentDecisions(ConcurrencyCase):
    @classmethod
    def setUpClass(cls):
        cls.partner_ids = []
        super().setUpClass()

    @classmethod
    def _delete_all(cls, env):
        members = "SELECT id FROM partner_loyalty_member WHERE program_id = %s"
        for query in (
            "DELETE FROM partner_loyalty_adjustment WHERE program_id = %s",
            f"UPDATE partner_loyalty_member SET merged_into_id = NULL, root_id = NULL WHERE id IN ({members})",
            f"DELETE FROM mail_message WHERE model = 'partner.loyalty.member' AND res_id IN ({members})",
        ):
            env.cr.execute(query, [cls.program_id])
        result = super()._delete_all(env)
        env.cr.execute("DELETE FROM res_partner WHERE id = ANY(%s)", [cls.partner_ids])
        return result

    # === MERGE ===#

    def test_a_merge_waits_for_a_posting_at_either_member_and_takes_it_along(self):
        for at_source, amount in ((True, 0), (True, 5), (False, 5)):
            with self.subTest(at_source=at_source, amount=amount):
                source_id, before = self._enroll_another(amount), self._get_balance()
                with self._transaction() as posting, self._transaction(commit=False) as merging:
                    self._post_at(posting, source_id if at_source else self.member_id, 10)
                    merging.cr.execute("SET LOCAL lock_timeout = '500ms'")
                    with self.assertRaises(errors.LockNotAvailable), mute_logger(*LOGGERS):
                        self._merge(merging, source_id)
                    merging.cr.rollback()
                    merging.transaction.clear()
                with self._transaction() as merging:
                    self._merge(merging, source_id)
                self.assertEqual(self._get_balances(source_id), (0, before + amount + 10))

    def test_a_posting_that_began_before_a_merge_starts_over_and_counts_once(self):
        for at_source, amount in ((True, 0), (True, 5), (False, 5)):
            with self.subTest(at_source=at_source, amount=amount):
                source_id, before = self._enroll_another(amount), self._get_balance()
                member_id = source_id if at_source else self.member_id
                with self._transaction() as merging, self._transaction() as posting:
                    self.assertTrue(posting["partner.loyalty.member"].browse(member_id).partner_id.name)
                    self._merge(merging, source_id)
                    merging.cr.commit()
                    with self.assertRaises(errors.SerializationFailure), mute_logger(*LOGGERS):
                        self._post_at(posting, member_id, 10)
                    posting.cr.rollback()
                    posting.transaction.clear()
                    self._post_at(posting, member_id, 10)
                self.assertEqual(self._get_balances(source_id), (0, before + amount + 10))

    def test_two_merges_of_one_member_move_its_balance_once(self):
        source_id, before = self._enroll_another(5), self._get_balance()
        outcomes = self._run_together(lambda: self._decide(lambda env: self._merge(env, source_id)), 4)
        self.assertEqual(outcomes.count("done"), 1)
        self.assertLessEqual(set(outcomes), {"done", "refused", "busy"})
        self.assertEqual(self._get_balances(source_id), (0, before + 5))

    # === ADJUSTMENTS ===#

    def test_many_approvals_of_one_adjustment_make_one_entry(self):
        adjustment_id, manager_id = self._request(amount=7)
        outcomes = self._run_together(
            lambda: self._decide(lambda env: self._approve(env, adjustment_id, manager_id)), THREADS
        )
        self.assertIn("done", outcomes)
        self.assertLessEqual(set(outcomes), {"done", "refused", "busy"})
        self.assertEqual(self._count_entries(adjustment_id), 1)
        self.assertEqual(self._get_balance(), 7)

    def test_files_with_one_reference_imported_at_once_make_one_adjustment(self):
        columns = ["member_id/.id", "unit", "amount", "reason", "external_ref"]
        row = [str(self.member_id), "Money", "3", "Imported", "RACE-1"]
        load = lambda env: env["partner.loyalty.adjustment"].load(columns, [row])  # noqa: E731
        self._run_together(lambda: self._decide(load), THREADS)
        self.assertEqual(self._decide(load), "done")
        with self._transaction() as env:
            self.assertEqual(env["partner.loyalty.adjustment"].search_count([("external_ref", "=", "RACE-1")]), 1)

    def test_a_lock_date_waits_for_an_approval(self):
        adjustment_id, manager_id = self._request(amount=7)
        with self._transaction() as approving, self._transaction(commit=False) as closing:
            self._approve(approving, adjustment_id, manager_id)
            approving.flush_all()
            closing.cr.execute("SET LOCAL lock_timeout = '500ms'")
            with self.assertRaises(errors.LockNotAvailable), mute_logger(*LOGGERS):
                self._close(closing)
            closing.cr.rollback()
            closing.transaction.clear()
        self.assertEqual(self._count_entries(adjustment_id), 1)

    def test_an_approval_that_began_before_a_lock_date_starts_over_and_is_dated_after_it(self):
        adjustment_id, manager_id = self._request(amount=7, days_ago=3)
        with self._transaction() as closing, self._transaction() as approving:
            self.assertEqual(approving["partner.loyalty.adjustment"].browse(adjustment_id).state, "requested")
            self._close(closing)
            closing.cr.commit()
            with self.assertRaises(errors.SerializationFailure), mute_logger(*LOGGERS):
                self._approve(approving, adjustment_id, manager_id)
            approving.cr.rollback()
            approving.transaction.clear()
            self._approve(approving, adjustment_id, manager_id)
            entry = approving["partner.loyalty.adjustment"].browse(adjustment_id).entry_id
            self.assertTrue(entry.prior_period)
            self.assertGreater(entry.date, entry.program_id.lock_date)
        with self._transaction() as env:
            env.cr.execute("UPDATE partner_loyalty_program SET lock_date = NULL WHERE id = %s", [self.program_id])

    # === HELPERS ===#

    def _decide(self, work):
        """Do something as a click does, with the retries of a request; return how it ended."""
        try:
            with self._transaction() as env, mute_logger(*LOGGERS):
                retrying(lambda: work(env), env)
            return "done"
        except UserError:
            return "refused"
        except errors.OperationalError:
            return "busy"

    def _enroll_another(self, amount):
        """Enroll another partner and give it a balance; return the id of its membership."""
        with self._transaction() as env:
            partner = env["res.partner"].create({"name": "Merging Dealer", "is_company": True})
            self.partner_ids.append(partner.id)
            program = env["partner.loyalty.program"].browse(self.program_id)
            member = program._enroll({partner: program._get_today()})
            if amount:
                self._post_at(env, member.id, amount)
            return member.id

    def _post_at(self, env, member_id, amount):
        """Append an entry for a member, where its statement goes on."""
        Entry = env["partner.loyalty.entry"]
        account = env["partner.loyalty.member"].browse(member_id).root_id._get_account("money")
        env.cr.execute("SELECT nextval('res_partner_id_seq')")
        origin = env["res.partner"].browse(env.cr.fetchone()[0])
        Entry._post_vals([Entry._prepare_entry_vals(account, "accrual", amount, origin)])
        env["partner.loyalty.allocation"]._settle(account.ids)

    def _merge(self, env, source_id):
        members = env["partner.loyalty.member"]
        members.browse(source_id)._merge_into(members.browse(self.member_id))
        env.flush_all()

    def _request(self, amount, days_ago=0):
        """Return a requested adjustment and a manager who may approve it, by id."""
        with self._transaction() as env:
            today = env["partner.loyalty.program"].browse(self.program_id)._get_today()
            vals = {"member_id": self.member_id, "unit": "money", "amount": amount, "reason": "Race"}
            day = today - timedelta(days=days_ago)
            adjustment = env["partner.loyalty.adjustment"].create({**vals, "date": day})
            adjustment.action_request()
            return adjustment.id, self._get_manager(env).id

    def _approve(self, env, adjustment_id, manager_id):
        env(user=manager_id)["partner.loyalty.adjustment"].browse(adjustment_id).action_approve()

    def _close(self, env):
        program = env["partner.loyalty.program"].browse(self.program_id)
        program.lock_date = program._get_today() - timedelta(days=1)
        env.flush_all()

    def _count_entries(self, adjustment_id):
        with self._transaction() as env:
            domain = [("origin_model", "=", "partner.loyalty.adjustment"), ("origin_id", "=", adjustment_id)]
            return env["partner.loyalty.entry"].search_count(domain)

    def _get_balances(self, source_id):
        """Return the balance of the merged member and that of the one that goes on."""
        with self._transaction() as env:
            own = env["partner.loyalty.member"].browse(source_id)._get_account("money").balance
            return own, self._get_account(env).balance
