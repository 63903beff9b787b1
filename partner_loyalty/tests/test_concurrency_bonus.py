"""The nightly job and people who click, all at once: each member gets a bonus once."""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestConcurrencyBonus(ConcurrencyCase):
    @classmethod
    def _delete_all(cls, env):
        env.cr.execute("DELETE FROM partner_loyalty_bonus_action WHERE program_id = %s", [cls.program_id])
        return super()._delete_all(env)

    def _create_action(self):
        with self._transaction() as env:
            program = env["partner.loyalty.program"].browse(self.program_id)
            action = env["partner.loyalty.bonus.action"].create(
                {
                    "name": "Race Bonus",
                    "program_id": program.id,
                    "schedule": "date",
                    "date": program._get_today(),
                    "effect_ids": [Command.create({"kind": "money", "amount": 5})],
                }
            )
            action.action_start()
            return action.id

    def test_runs_at_the_same_time_give_it_once(self):
        action_id = self._create_action()

        def run():
            with self._transaction() as env, mute_logger("odoo.sql_db"):
                env["partner.loyalty.bonus.action"].browse(action_id)._run_patiently()

        self._run_together(run, 4)
        self.assertEqual(self._get_balance(), 5)
        run()
        self.assertEqual(self._get_balance(), 5)
        with self._transaction() as env:
            action = env["partner.loyalty.bonus.action"].browse(action_id)
            self.assertFalse(action.error)
            self.assertEqual(action.run_ids.mapped("state"), ["done"])
            self.assertEqual(action.run_ids.line_ids.mapped("state"), ["given"])
