"""Many threads spend from one account at the same moment."""

import time
from threading import Barrier, Thread

from psycopg2 import errors

from odoo.tools import mute_logger

BALANCE, AMOUNT = 100, 10


class NotEnough(Exception):
    """A spend found less than it needs."""


class Race:
    """One member of the world, whose balance is brought to 100 and spent in tens.

    :param World world: the database and its program
    """

    def __init__(self, world):
        self.world = world
        self.number = 10**8
        with world.transaction() as env:
            partner = env["res.partner"].create({"name": "Racer", "is_company": True})
            program = env["partner.loyalty.program"].browse(world.program_id)
            member = program._enroll({partner: program._get_today()})
            self.account_id = member._get_account("point").id

    def run(self, threads, rounds):
        """Race; return figures, and how many rounds ended otherwise than they should have."""
        wrong, latencies = 0, []
        for _round in range(rounds):
            self._post(BALANCE)
            outcomes = self._race(threads, latencies)
            spent = outcomes.count(True)
            wrong += spent != min(threads, BALANCE // AMOUNT) or len(outcomes) != threads or self._get_balance() != 0
        latencies.sort()
        p95 = latencies[int(len(latencies) * 0.95)] if latencies else 0
        return {f"{threads} threads, rounds": rounds, "seconds of a spend, p95": round(p95, 2), "wrong rounds": wrong}

    def _race(self, threads, latencies):
        outcomes, barrier = [], Barrier(threads)

        def spend():
            barrier.wait()
            started = time.monotonic()
            outcomes.append(self._spend_until_decided())
            latencies.append(time.monotonic() - started)

        running = [Thread(target=spend) for _number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return outcomes

    def _spend_until_decided(self):
        while True:
            try:
                with mute_logger("odoo.sql_db"):
                    self._post(-AMOUNT)
                return True
            except NotEnough:
                return False
            except errors.SerializationFailure:
                continue

    def _post(self, amount):
        with self.world.transaction() as env:
            entries, account = env["partner.loyalty.entry"], env["partner.loyalty.account"].browse(self.account_id)
            env.cr.execute("SELECT nextval('res_partner_id_seq')")
            origin = env["res.partner"].browse(env.cr.fetchone()[0])
            entry_type = "opening" if amount > 0 else "payout"
            entry = entries._post_vals([entries._prepare_entry_vals(account, entry_type, amount, origin)])
            if amount < 0:
                env["partner.loyalty.allocation"]._consume(entry, account.program_id._get_today())
                if entry.amount_open:
                    raise NotEnough

    def _get_balance(self):
        with self.world.transaction() as env:
            return env["partner.loyalty.account"].browse(self.account_id).balance
