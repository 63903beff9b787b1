"""The nightly comparison where nothing changed, and the answer where one document of a hundred did.

Both are measured by the first run over the same documents.
"""

import time

from odoo.tools import SQL

from . import accrual, data, databases
from .row import Row

# One document of so many was touched.
SHARE = 100

# What makes a document worth more, as somebody would who adds to all of its lines.
CHANGE = """
    UPDATE account_move_line SET balance = balance * 2, amount_currency = amount_currency * 2, quantity = quantity * 2
     WHERE move_id = ANY(%(ids)s) AND display_type = 'product'
"""
EXPECTED = """
    SELECT COUNT(*) FROM (
        SELECT account_id, rule_id, origin_id, period_start, SUM(amount) AS amount FROM bench.entry GROUP BY 1, 2, 3, 4
    ) expected FULL JOIN (
        SELECT account_id, rule_id, origin_id, period_start, SUM(amount) AS amount
          FROM partner_loyalty_entry GROUP BY 1, 2, 3, 4
    ) posted USING (account_id, rule_id, origin_id, period_start)
     WHERE COALESCE(expected.amount, 0) <> COALESCE(posted.amount, 0)
"""


def measure(bench):
    """Compare all members with their documents, and answer those that were touched.

    :rtype: list[Row]
    """
    lines = accrual.get_sizes(bench)[1]
    run = accrual.get_run(bench, lines)
    with databases.environment(run.database) as env:
        program = data.find_program(env)
        compared = min(_compare_all(env, program) for _attempt in range(2))
        answered = [_answer_some(env, program, attempt) for attempt in range(2)]
        _check(env)
    first = f"first run: {run.seconds:.2f} s"
    documents, seconds = min(answered, key=lambda answer: answer[1])
    return [
        Row(
            f"nightly comparison of {lines:,} lines where nothing changed",
            f"{compared:.2f} s, 0 rows",
            first,
            compared / run.seconds,
            0.4,
            missed="all documents are read again, because what they would earn also follows from data that nobody "
            "touches them for: products, categories, contacts. Less would take marks on all of these.",
        ),
        Row(
            f"{documents:,} of {documents * SHARE:,} documents touched and answered",
            f"{seconds:.2f} s",
            first,
            100 * seconds / run.seconds,
            5,
            "%",
            missed="each rule looks up its documents by itself, so that one that fails keeps no other from answering, "
            "and those of the whole month where it has a cap; it would take one statement for all rules.",
        ),
    ]


def _compare_all(env, program):
    """Run the nightly comparison.

    :return: seconds
    :raises AssertionError: where it finds anything
    """
    chunks = env["partner.loyalty.chunk"]
    chunks._plan(program)
    env.cr.commit()
    start = time.perf_counter()
    chunks._cron_compare()
    seconds = time.perf_counter() - start
    found = env["partner.loyalty.difference"].search_count([])
    if found or chunks.search_count([]):
        raise AssertionError(f"Nothing changed, and {found} differences were found.")
    return seconds


def _answer_some(env, program, attempt):
    """Change some documents, and answer them.

    :return: number of documents, and seconds
    """
    moves = env["account.move"].search([("move_type", "=", "out_invoice")], order="id").ids[attempt::SHARE]
    env.execute_query(SQL(CHANGE + " RETURNING id", ids=moves))
    env["partner.loyalty.touch"]._mark(env["account.move"].browse(moves))
    env.cr.commit()
    start = time.perf_counter()
    env["partner.loyalty.touch"]._cron_reconcile_touched()
    return len(moves), time.perf_counter() - start


def _check(env):
    """Check that the ledger says what the documents do by now.

    :raises AssertionError: where it does not
    """
    env.cr.execute("CREATE TABLE bench.entry (LIKE partner_loyalty_entry INCLUDING DEFAULTS)")
    accrual.run_raw(env)
    ((different,),) = env.execute_query(SQL(EXPECTED))
    if different or env["partner.loyalty.touch"].search_count([]):
        raise AssertionError(f"{different} sums of the ledger differ from those of the documents.")
