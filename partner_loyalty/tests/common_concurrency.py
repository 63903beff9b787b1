"""What the tests of two transactions at once share: a member to race for, committed, and taken away at the end."""

from contextlib import contextmanager
from threading import Barrier, Thread

from psycopg2 import errors

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name
from odoo.tools import mute_logger


class NotEnough(Exception):
    """A spend found less than it needs."""


class ConcurrencyCase(BaseCase):
    """A member whose balance each test finds at zero; tests open transactions of their own, which are committed."""

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
            """DELETE FROM mail_message WHERE model = 'partner.loyalty.claim'
                  AND res_id IN (SELECT id FROM partner_loyalty_claim WHERE program_id = %s)""",
            "DELETE FROM partner_loyalty_claim WHERE program_id = %s",
            "DELETE FROM partner_loyalty_reward WHERE program_id = %s",
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

    def _create_payout(self):
        with self._transaction() as env:
            self._post(env, 100)
            payouts = env["partner.loyalty.payout"]
            day = env["partner.loyalty.program"].browse(self.program_id)._get_today()
            return payouts.create({"member_id": self.member_id, "date": day}).id

    def _get_manager(self, env, login="racing_manager"):
        """Return a manager; an earlier run in this database may have made it."""
        users = env["res.users"].with_context(no_reset_password=True, active_test=False)
        manager = users.search([("login", "=", login)])
        if not manager:
            group = env.ref("partner_loyalty.partner_loyalty_group_manager")
            vals = {"name": "Racing Manager", "login": login, "group_ids": [Command.link(group.id)]}
            manager = users.create(vals)
        manager.active = True
        return manager

    def _run_together(self, work, count):
        """Run ``work`` in many threads that start at the same moment; return what they returned."""
        outcomes = []
        barrier = Barrier(count)

        def run():
            barrier.wait()
            outcomes.append(work())

        threads = [Thread(target=run) for _number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes
