"""How long after an order is confirmed its line is on the statement, where the server has nothing else to do.

The server is a process of its own, with one thread for scheduled actions.
"""

import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median

from odoo.tools import config

from .databases import environment
from .row import Row
from .shop import Shop

ORDERS = 10
TARGET = 5
LONGEST_START, LONGEST_ANSWER = 120, 70
MISSED = (
    "the scheduled action is woken a tenth of a second after the commit and answers what waits; see whether the "
    "workers hear notifications, or look for calls once a minute only."
)


def measure(bench):
    """Confirm orders, one after the other, and wait for each line.

    :rtype: list[Row]
    """
    with bench.copy_empty("latency") as database:
        shop = Shop(database, rules=1)
        _postpone_others(database)
        with _server(bench.config, database):
            _wait_for_server(shop)
            seconds = [_wait_for_line(shop, LONGEST_ANSWER) or LONGEST_ANSWER for _number in range(ORDERS)]
        shop.check()
    text = f"{max(seconds):.2f} s, median {median(seconds):.2f} s"
    work = f"from confirmation to the line in the statement, idle server, slowest of {ORDERS}"
    return [Row(work, text, "", max(seconds), TARGET, "s", missed=MISSED)]


def _postpone_others(database):
    """Let no scheduled action be due: the server of a new database would be busy with all of them first."""
    with environment(database) as env:
        env.cr.execute("UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day'")
        env.cr.execute("DELETE FROM ir_cron_trigger")


@contextmanager
def _server(configuration, database):
    options = ["-c", configuration, "-d", database, "--no-http", "--max-cron-threads=1", "--log-level=warn"]
    process = subprocess.Popen([sys.executable, "-m", "odoo", *options], cwd=config["data_dir"])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_server(shop):
    """Sell until a sale is answered: what was sold before the server listened waits for a minute."""
    deadline = time.monotonic() + LONGEST_START
    while _wait_for_line(shop, 2) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"The server answered nothing within {LONGEST_START} seconds.")
    time.sleep(1)


def _wait_for_line(shop, longest):
    """Confirm an order; return the seconds until its line is there, or None where it takes longer."""
    with shop.work() as env:
        order = shop.make_order(env)
        order.action_confirm()
    start = time.monotonic()
    while time.monotonic() < start + longest:
        if _has_line(shop, order.id):
            return time.monotonic() - start
        time.sleep(0.02)
    return None


def _has_line(shop, order_id):
    with environment(shop.database) as env:
        env.cr.execute(
            "SELECT TRUE FROM partner_loyalty_entry WHERE origin_model = 'sale.order' AND origin_id = %s", [order_id]
        )
        return bool(env.cr.fetchall())
