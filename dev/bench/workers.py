"""A run that one worker does, and the same run shared by two: processes of their own, as on two hosts."""

import subprocess
import sys
import time

from odoo.tools import SQL

from . import accrual, databases
from .row import Row

# The same entries, whoever wrote them; only their numbers within an account tell in which order.
LEDGER = """
    SELECT COUNT(*), md5(string_agg(concat_ws('|', account_id, rule_id, origin_id, period_start, amount, explanation),
                                    ',' ORDER BY account_id, rule_id, origin_id, period_start))
      FROM partner_loyalty_entry
"""


def measure(bench):
    """Let one worker and then two bring the ledger in line, and compare what they wrote.

    :rtype: list[Row]
    """
    lines = accrual.get_sizes(bench)[1]
    outcomes = {count: [_run(bench, lines, count) for _attempt in range(2)] for count in (1, 2)}
    ledgers = {ledger for runs in outcomes.values() for _seconds, ledger in runs}
    if len(ledgers) != 1:
        raise AssertionError(f"One worker and two wrote different ledgers: {ledgers}.")
    alone, together = (min(seconds for seconds, _ledger in outcomes[count]) for count in (1, 2))
    return [
        Row(
            f"throughput of two Odoo processes over {lines:,} invoice lines, the same ledger",
            f"{together:.2f} s",
            f"one: {alone:.2f} s",
            alone / together,
            1.6,
            at_least=True,
            missed="two workers, what writes for the database, and whatever else runs have two processors between "
            "them; it would take a third one.",
        )
    ]


def _run(bench, lines, count):
    """Let workers share a run.

    :param int count: number of workers
    :return: seconds from the start signal until the last one is done, and what the ledger holds
    """
    with bench.copy(lines) as database:
        with databases.environment(database) as env:
            accrual.prepare(env)._apply_to_past_in_background()
        databases.disconnect(database)
        workers = [_start(bench, database) for _number in range(count)]
        seconds = _time(workers)
        with databases.environment(database) as env:
            return seconds, _read_ledger(env)


def _start(bench, database):
    """Start a worker, and wait until it is ready."""
    command = [sys.executable, "-m", "bench.worker", "--config", bench.config, "--database", database]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if worker.stdout.readline().strip() != "ready":
        raise AssertionError("A worker did not start.")
    return worker


def _time(workers):
    start = time.perf_counter()
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    codes = [worker.wait() for worker in workers]
    seconds = time.perf_counter() - start
    if any(codes):
        raise AssertionError(f"A worker failed: {codes}.")
    return seconds


def _read_ledger(env):
    ((left,),) = env.execute_query(SQL("SELECT COUNT(*) FROM partner_loyalty_chunk"))
    if left:
        raise AssertionError(f"{left} chunks are left.")
    return env.execute_query(SQL(LEDGER))[0]
