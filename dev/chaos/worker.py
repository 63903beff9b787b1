"""What the scheduled actions and an officer do, in small committed pieces; it says when a piece is done."""

from odoo.exceptions import UserError


class Worker:
    """Works off everything that waits.

    :param World world: the database and its program
    :param say: called after each committed piece
    :param int first: which part it begins with, so that kills hit all of them
    """

    def __init__(self, world, say=lambda: None, first=0):
        self.world, self.say = world, say
        parts = [self._answer, self._expire, self._pay_out, self._compare]
        self.parts = parts[first % 4 :] + parts[: first % 4]

    def work(self):
        """Answer documents, take off what expired, pay out, and compare; each piece is committed by itself."""
        for part in self.parts:
            with self.world.transaction() as env:
                # Each commit is a piece that a kill must neither lose nor double.
                self._say_commits(env.cr)
                part(env)

    def _say_commits(self, cr):
        commit = cr.commit

        def commit_and_say():
            commit()
            self.say()

        cr.commit = commit_and_say

    def _answer(self, env):
        env["partner.loyalty.touch"]._cron_reconcile_touched(batch_size=4)

    def _expire(self, env):
        env["partner.loyalty.entry"]._cron_expire(batch_size=4)

    def _compare(self, env):
        chunks = env["partner.loyalty.chunk"]
        chunks._plan(env["partner.loyalty.program"].browse(self.world.program_id), size=50)
        env.cr.commit()
        chunks._cron_compare()

    def _pay_out(self, env):
        """Prepare and submit payouts, batch by batch."""
        payouts = env["partner.loyalty.payout"]
        program = env["partner.loyalty.program"].browse(self.world.program_id)
        today = program._get_today()
        payouts.search([("program_id", "=", program.id), ("decision", "=", "draft")]).unlink()
        accounts = env["partner.loyalty.account"].search([("program_id", "=", program.id), ("unit", "=", "money")])
        for account in accounts.browse(list(accounts._get_available())):
            known = [("member_id", "=", account.member_id.id), ("date", "=", today)]
            if payouts.search_count([*known, ("decision", "in", ("submitted", "approved"))], limit=1):
                continue
            self._pay(env, payouts.create({"member_id": account.member_id.id, "date": today}))

    def _pay(self, env, payout):
        env.cr.commit()
        try:
            with env.cr.savepoint():
                payout.action_submit()
        except UserError:
            # Nothing is available any more: the draft goes.
            payout.unlink()
        env.cr.commit()

    def get_waiting(self):
        """Return how much work is left."""
        with self.world.transaction() as env:
            program = env["partner.loyalty.program"].browse(self.world.program_id)
            expired = env["partner.loyalty.entry"]._get_accounts_to_expire(program, 10000)
            return env["partner.loyalty.touch"].search_count([]) + len(expired)
