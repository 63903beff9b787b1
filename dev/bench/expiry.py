"""Lots that expire: a line for each account and day, and what it takes from which lot.

Beside it stands one statement written by hand, on the same tables.
"""

import time
from typing import NamedTuple

from odoo.tools import SQL

from . import accrual, data, databases, profile
from .row import Row, compare_seconds

RAW = """
    WITH expired AS MATERIALIZED (
        SELECT id, account_id, amount_open AS amount, expiry_date FROM partner_loyalty_entry
         WHERE program_id = %(program)s AND amount_open > 0 AND expiry_date < %(today)s
    ), line AS (
        SELECT account_id, expiry_date, SUM(amount) AS amount FROM expired GROUP BY account_id, expiry_date
    ), account AS (
        UPDATE partner_loyalty_account account SET balance = balance - change.amount, version = version + change.lines
          FROM (SELECT account_id, SUM(amount) AS amount, COUNT(*) AS lines FROM line GROUP BY account_id) change
         WHERE account.id = change.account_id
     RETURNING account.id, member_id, program_id, company_id, version - change.lines AS last
    ), debit AS (
        INSERT INTO partner_loyalty_entry (
               account_id, sequence, program_id, company_id, type, amount, amount_open, origin_model, origin_id,
               period_start, revision, contribution_date, date, mature_date, prior_period, explanation, posted_at,
               user_id)
        SELECT account.id, account.last + row_number() OVER (PARTITION BY account.id ORDER BY line.expiry_date),
               program_id, company_id, 'expiry', -line.amount, 0, 'partner.loyalty.member', member_id,
               line.expiry_date, 0, line.expiry_date + 1, line.expiry_date + 1, line.expiry_date + 1, FALSE, '{}',
               now() AT TIME ZONE 'UTC', 1
          FROM line JOIN account ON account.id = line.account_id
     RETURNING id, account_id, period_start
    ), allocation AS (
        INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount, date)
        SELECT debit.id, expired.id, expired.amount, expired.expiry_date + 1
          FROM expired
          JOIN debit ON debit.account_id = expired.account_id AND debit.period_start = expired.expiry_date
    )
    UPDATE partner_loyalty_entry entry SET amount_open = 0 FROM expired WHERE entry.id = expired.id
"""
# What is left is the same, whichever way it was done.
OUTCOME = """
    SELECT (SELECT md5(string_agg(concat_ws('|', account_id, period_start, trim_scale(amount), trim_scale(amount_open)),
                                  ',' ORDER BY account_id, period_start))
              FROM partner_loyalty_entry WHERE type = 'expiry'),
           (SELECT md5(string_agg(concat_ws('|', credit_entry_id, trim_scale(amount), date), ','
                                  ORDER BY credit_entry_id)) FROM partner_loyalty_allocation),
           (SELECT md5(string_agg(concat_ws('|', id, trim_scale(balance), version), ',' ORDER BY id))
              FROM partner_loyalty_account),
           (SELECT SUM(amount_open) FROM partner_loyalty_entry), (SELECT COUNT(*) FROM partner_loyalty_allocation)
"""


def measure(bench):
    """Take off what has expired of the largest ledger, and then look once more where nothing is due.

    :rtype: list[Row]
    """
    run = accrual.get_run(bench, bench.lines)
    with databases.environment(run.database) as env:
        program = data.find_program(env)
        raw = _run_raw(env, program)
        data.vacuum(env)
        with profile.watch() as bench.profiles["expiry"]:
            seconds = _time(env["partner.loyalty.entry"]._cron_expire)
        outcome = _read_outcome(env)
        data.vacuum(env)
        idle = min(_time(env["partner.loyalty.entry"]._cron_expire) for _attempt in range(3))
        if outcome != raw.outcome or outcome != _read_outcome(env):
            raise AssertionError(f"What expired differs: {outcome} is not {raw.outcome}.")
    return [
        compare_seconds(
            f"expiry of {outcome[-1]:,} of {run.entries:,} lots",
            seconds,
            raw.seconds,
            1.5,
            missed="what has expired is looked for by account, again for its lines and for what each takes; it would "
            "take one statement for all of it.",
        ),
        Row(
            f"the same where nothing is due, of {run.entries - outcome[-1]:,} open lots",
            f"{1000 * idle:.0f} ms",
            "",
            idle,
            0.2,
            "s",
            missed="programs without lots that expire are looked at as well; it would take a mark on those that have "
            "any.",
        ),
    ]


class Raw(NamedTuple):
    """What the statement by hand took, and what it left."""

    seconds: float
    outcome: tuple


def _run_raw(env, program):
    """Let the statement by hand do it, and take it back."""
    query = SQL(RAW, program=program.id, today=program._get_today())
    seconds = _time(lambda: env.cr.execute(query))
    raw = Raw(seconds, _read_outcome(env))
    env.cr.rollback()
    return raw


def _read_outcome(env):
    return env.execute_query(SQL(OUTCOME))[0]


def _time(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
