"""How long the app takes to be installed where there are many documents already, against an empty database.

Both have the Odoo modules that the app stands on; each installation is a process of its own, as somebody would start.
"""

import time

from odoo.tools import SQL

from . import data, databases
from .row import compare_seconds

PARTNERS, ROUNDS = 100, 2
TARGET = 1.5
MODULE = "partner_loyalty"
MISSED = (
    "a new column is filled, or an index built, row by row: see in the log of the installation which table takes long."
)


def measure(bench):
    """Install the app by turns in an empty database and in one with documents.

    :rtype: list[Row]
    """
    seconds = {"empty": [], "full": []}
    lines = bench.lines // 5
    with bench.copy_empty("full", plain=True) as full, bench.copy_empty("empty", plain=True) as empty:
        for database, count in ((full, lines), (empty, 0)):
            _fill(database, count)
        for _round in range(ROUNDS):
            seconds["full"].append(_install(bench, full, lines))
            seconds["empty"].append(_install(bench, empty, 0))
    work = f"installing the app on a database with {lines:,} invoice lines, against an empty one"
    return [compare_seconds(work, min(seconds["full"]), min(seconds["empty"]), TARGET, missed=MISSED)]


def _fill(database, lines):
    """Give a database a company, and so many invoice lines with as many orders as invoices."""
    with databases.environment(database) as env:
        data.make_company(env)
        partners = env["res.partner"].create([{"name": f"Dealer {number}"} for number in range(PARTNERS)])
        if lines:
            count = lines // data.LINES_PER_INVOICE
            data.make_invoices(env, count, partners.ids)
            order = env["sale.order"].create({"partner_id": partners[0].id})
            env.flush_all()
            partner = SQL("(%s::integer[])[1 + number %% %s]", partners.ids, PARTNERS)
            values = {"name": SQL("'BENCH' || number"), "partner_id": partner, "access_token": None}
            data.multiply(env, "sale_order", order.id, count - 1, values)
        data.vacuum(env)


def _install(bench, database, lines):
    """Install the app in a copy of a database; return the seconds it took.

    :raises AssertionError: where an order does not say who bought then
    """
    copy = f"{bench.database}_install"
    databases.copy(database, copy)
    try:
        start = time.perf_counter()
        databases.install(bench.config, copy, MODULE)
        seconds = time.perf_counter() - start
        with databases.environment(copy) as env:
            known = env["sale.order"].search_count([("loyalty_buyer_id", "!=", False)])
        if known != lines // data.LINES_PER_INVOICE:
            raise AssertionError(f"{known} orders say who bought.")
        return seconds
    finally:
        databases.drop(copy)
