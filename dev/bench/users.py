"""How long twenty people wait for their orders to be confirmed while the engine goes through all documents.

Each is a process of its own that confirms an order every other second, as in an office: by turns alone and beside a
full run, and once beside a query that reads the same documents without the app, to see what a busy processor does by
itself.
"""

import multiprocessing
import random
import time
from contextlib import contextmanager
from itertools import count

from odoo import sql_db
from odoo.service.model import retrying

from . import accrual, data
from .databases import environment
from .row import Row
from .shop import Shop

USERS, ORDERS = 20, 4
PAUSE = 1.6
PHASES = ("alone", "run", "alone", "run", "query")
TARGET = 10
MISSED = (
    "a run keeps a processor busy, and users share the others: a query that reads the same documents without the app "
    "stands beside it in the table. Where that one costs them as much, it takes one more processor, or PostgreSQL on a "
    "host of its own; where it does not, the run holds something that they wait for."
)
QUERY = """
    SELECT line.product_id, SUM(line.balance * move.id), COUNT(DISTINCT move.commercial_partner_id)
      FROM account_move_line line JOIN account_move move ON move.id = line.move_id GROUP BY line.product_id
"""

fork = multiprocessing.get_context("fork")


def measure(bench):
    """Confirm orders alone and beside a run.

    :rtype: list[Row]
    """
    with bench.copy(bench.lines, "users") as database:
        with environment(database) as env:
            accrual.make_rules(env, data.find_program(env))
        shop = Shop(database, rules=1, customers=USERS)
        waits, failures = _work(shop)
        shop.check()
    alone, run, query = (_get_p95(waits[phase]) for phase in ("alone", "run", "query"))
    work = f"{USERS} users confirming orders during a full run: 95 % within"
    texts = f"{run:.0f} ms", f"{alone:.0f} ms alone, {query:.0f} ms beside a query"
    return [
        Row(work, *texts, run / alone * 100 - 100, TARGET, "% more", missed=MISSED),
        Row("failures of these users", str(failures), "", failures, 0, "failures", missed="see the log."),
    ]


def _work(shop):
    """Let all users work through all phases.

    :return: seconds that each confirmation took, by phase, and how many failed
    """
    # What a process has open must not be used by those that are forked from it.
    sql_db.close_all()
    barrier, results = fork.Barrier(USERS + 1), fork.SimpleQueue()
    users = [fork.Process(target=_use, args=(shop, number, barrier, results)) for number in range(USERS)]
    for user in users:
        user.start()
    for phase in PHASES:
        with _load(shop.database, phase):
            barrier.wait()
            barrier.wait()
    outcomes = [results.get() for _user in users]
    for user in users:
        user.join()
    waits = {phase: [wait for outcome in outcomes for wait in outcome[phase]] for phase in PHASES}
    return waits, sum(outcome["failures"] for outcome in outcomes)


def _use(shop, number, barrier, results):
    """Be a user: make quotations, and confirm some of them in each phase."""
    rhythm, outcome = random.Random(number), {"failures": 0, **{phase: [] for phase in PHASES}}
    order_ids = iter([_make_order(shop, number) for _order in range(ORDERS * len(PHASES) + 1)])
    _confirm(shop, next(order_ids))
    for phase in PHASES:
        barrier.wait()
        for _order in range(ORDERS):
            time.sleep(rhythm.uniform(0, 2 * PAUSE))
            try:
                outcome[phase].append(_confirm(shop, next(order_ids)))
            except Exception:
                outcome["failures"] += 1
        barrier.wait()
    results.put(outcome)


def _make_order(shop, number):
    with shop.work() as env:
        return shop.make_order(env, number).id


def _confirm(shop, order_id):
    """Confirm an order as a click does; return the seconds it took."""
    start = time.perf_counter()
    with shop.work() as env:
        retrying(env["sale.order"].browse(order_id).action_confirm, env)
    return time.perf_counter() - start


@contextmanager
def _load(database, phase):
    """Keep the server busy meanwhile."""
    loads = {"run": _run, "query": _query}
    if phase not in loads:
        yield
        return
    process = fork.Process(target=loads[phase], args=(database,))
    process.start()
    time.sleep(1)
    yield
    process.terminate()
    process.join()


def _run(database):
    with environment(database) as env:
        for _round in count():
            accrual.run_engine(data.find_program(env))


def _query(database):
    with environment(database) as env:
        for _round in count():
            env.cr.execute(QUERY)


def _get_p95(waits):
    """Return within how many milliseconds 95 of 100 were served."""
    return sorted(waits)[int(len(waits) * 0.95)] * 1000
