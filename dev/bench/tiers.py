"""Tiers of all members: turnover and one more metric decide, and each decision is kept with what it was taken on.

Beside it stand two queries written by hand. The *update* adds points up from a narrow ledger whose index holds all that
it reads, and stores the tier on the member: it reads no documents and keeps no decisions. The *same work* reads the
documents that the app reads, stores the tier on the app's own members, and writes a row for each decision into a table
with the same keys and indexes.

Two nights are measured: the one after a period has ended, when each member is decided, and any other, when members who
have reached a higher tier rise and nobody else is written.
"""

from datetime import timedelta
from unittest.mock import patch

from odoo.tools import SQL

from . import data, databases
from .clock import best
from .row import compare_seconds

# So many members of a hundred rise in a night.
PER_CENT = 1

MISSED_SAME = "the evidence of a decision says more than that by hand; it would take a shorter one."
MISSED_UPDATE = (
    "after the end of a period each member gets a row of its own with what was decided and on what, and the row before "
    "it is closed: that alone takes longer than the update by hand, which overwrites a number and keeps nothing. With "
    "neither foreign keys nor indexes on the history it would still be three times as long. It would take decisions "
    "that leave no trace where nobody's tier changes, and then members could not be told what was measured."
)
MISSED_NIGHT = "documents are read, of which each row is ten times as wide as one of the narrow ledger."

TABLES = """
    DROP SCHEMA IF EXISTS bench CASCADE;
    CREATE SCHEMA bench;
    CREATE TABLE bench.tier (id int PRIMARY KEY, threshold numeric NOT NULL, invoices int NOT NULL);
    CREATE TABLE bench.membership (id int PRIMARY KEY, partner_id int NOT NULL, tier_id int REFERENCES bench.tier,
                                   balance numeric NOT NULL DEFAULT 0);
    CREATE UNIQUE INDEX ON bench.membership (partner_id, id);
    CREATE TABLE bench.ledger (id bigserial PRIMARY KEY, membership_id int NOT NULL REFERENCES bench.membership,
                               date date NOT NULL, points numeric NOT NULL);
    CREATE INDEX ON bench.ledger (membership_id, date) INCLUDE (points)
"""
ROWS = """
    INSERT INTO bench.membership SELECT id, partner_id FROM partner_loyalty_member WHERE program_id = %(program)s;
    INSERT INTO bench.ledger (membership_id, date, points)
         SELECT membership.id, move.invoice_date, -line.balance
           FROM account_move_line line
           JOIN account_move move ON move.id = line.move_id
           JOIN bench.membership ON membership.partner_id = move.commercial_partner_id
          WHERE line.display_type = 'product' ORDER BY line.id
"""
UPDATE = """
    UPDATE bench.membership m SET tier_id = x.tier FROM (
      SELECT m.id, t.id AS tier FROM bench.membership m
      LEFT JOIN (SELECT membership_id, sum(points) p FROM bench.ledger
                 WHERE date BETWEEN %(first)s AND %(last)s AND points > 0 GROUP BY membership_id) e
             ON e.membership_id = m.id
      JOIN LATERAL (SELECT id FROM bench.tier WHERE threshold <= coalesce(e.p, 0) ORDER BY threshold DESC LIMIT 1) t
             ON true
    ) x WHERE x.id = m.id AND m.tier_id IS DISTINCT FROM x.tier
"""
SAME_WORK = """
    WITH decided AS MATERIALIZED (
        SELECT member.id, sale.amount, sale.invoices,
               (SELECT tier.id FROM bench.tier
                 WHERE tier.threshold <= COALESCE(sale.amount, 0) AND tier.invoices <= COALESCE(sale.invoices, 0)
              ORDER BY tier.threshold DESC LIMIT 1) AS tier_id
          FROM partner_loyalty_member member
     LEFT JOIN (SELECT move.commercial_partner_id AS partner_id, SUM(move.amount_untaxed_signed) AS amount,
                       COUNT(*) AS invoices
                  FROM account_move move
                 WHERE move.invoice_date BETWEEN %(first)s AND %(last)s AND move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
              GROUP BY move.commercial_partner_id) sale ON sale.partner_id = member.partner_id
         WHERE member.program_id = %(program)s
    ), closed AS (
        UPDATE bench.history history SET date_to = %(last)s
          FROM decided WHERE history.member_id = decided.id AND history.date_to IS NULL
    ), moved AS (
        UPDATE partner_loyalty_member member SET tier_id = decided.tier_id
          FROM decided WHERE member.id = decided.id AND member.tier_id IS DISTINCT FROM decided.tier_id
    )
    INSERT INTO bench.history (
           member_id, program_id, company_id, tier_id, is_change, date_from, evaluation_date, turnover, cause, evidence)
    SELECT member.id, member.program_id, member.company_id, decided.tier_id, TRUE, %(last)s + 1, %(last)s,
           decided.amount, 'evaluation', jsonb_build_object('value', decided.amount, 'invoices', decided.invoices)
      FROM decided JOIN partner_loyalty_member member ON member.id = decided.id
"""
# Each member is in another tier than the one that is decided.
LET_ALL_MOVE = """
    UPDATE partner_loyalty_tier_period before
       SET date_to = NULL,
           tier_id = (%(tiers)s::integer[])[1 + array_position(%(tiers)s::integer[], decided.tier_id)
                                                %% array_length(%(tiers)s::integer[], 1)]
      FROM partner_loyalty_tier_period decided
     WHERE decided.member_id = before.member_id AND decided.date_from = %(last)s + 1 AND before.date_to = %(last)s;
    DELETE FROM partner_loyalty_tier_period WHERE date_from > %(last)s;
    UPDATE partner_loyalty_member member SET tier_id = period.tier_id
      FROM partner_loyalty_tier_period period WHERE period.member_id = member.id AND period.date_to IS NULL
"""
# Some members are in the lowest tier although they have reached a higher one, as the statement by hand found.
LET_SOME_RISE = """
    UPDATE partner_loyalty_tier_period SET tier_id = (%(tiers)s::integer[])[1]
     WHERE id IN (SELECT period.id FROM partner_loyalty_tier_period period
                    JOIN bench.membership ON membership.id = period.member_id
                   WHERE period.date_to IS NULL AND period.date_from <= %(last)s
                     AND membership.tier_id <> (%(tiers)s::integer[])[1] ORDER BY membership.id LIMIT %(count)s);
    UPDATE bench.membership SET tier_id = (%(tiers)s::integer[])[1]
     WHERE id IN (SELECT id FROM bench.membership
                   WHERE tier_id <> (%(tiers)s::integer[])[1] ORDER BY id LIMIT %(count)s)
"""
RISEN = "SELECT COUNT(*) FROM partner_loyalty_tier_period WHERE program_id = %(program)s AND date_from = %(last)s + 1"


def measure(bench):
    """Decide the tiers of all members after the end of a month, and on another day.

    :rtype: list[Row]
    """
    with bench.copy(bench.lines) as database, databases.environment(database) as env:
        program = data.find_program(env)
        return [*_measure_month_end(env, program), *_measure_nights(env, program)]


def _measure_month_end(env, program):
    """Return the rows of a night in which each member is decided, and moves to another tier."""
    last = program._get_today().replace(day=1) - timedelta(days=1)
    values = _get_values(program, last)
    _prepare(env, program, values)
    seconds = {
        "engine": best(env, program._evaluate_tiers),
        "update": best(env, lambda: env.cr.execute(UPDATE, values)),
        "same": best(env, lambda: env.cr.execute(SAME_WORK, values)),
    }
    _compare(env, program, values)
    work = f"tiers of {len(program.member_ids):,} members who all move, by turnover and invoices, each decision kept"
    return [
        compare_seconds(work, seconds["engine"], seconds["same"], 2, missed=MISSED_SAME),
        compare_seconds(
            "the same against an UPDATE from a narrow ledger without documents or decisions",
            seconds["engine"],
            seconds["update"],
            2,
            missed=MISSED_UPDATE,
        ),
    ]


def _measure_nights(env, program):
    """Return the rows of a night between two ends of a month: nobody rises, or some do."""
    program._evaluate_tiers()
    today = program._get_today().replace(day=15)
    values = _get_values(program, today - timedelta(days=1))
    values["count"] = len(program.member_ids) * PER_CENT // 100
    rows = []
    with patch.object(type(program), "_get_today", lambda _program: today):
        program.tier_upgrade = "at_once"
        program._evaluate_tiers()
        for work, changes in (("nobody rises", 0), (f"{values['count']} rise", values["count"])):
            if changes:
                _execute(env, LET_SOME_RISE, values)
            else:
                env.cr.execute(UPDATE, values)
            program.tier_checked_to = today - timedelta(days=2)
            data.vacuum(env)
            env.invalidate_all()
            _check_changes(env, program, values, changes)
            rows.append(
                compare_seconds(
                    f"a night in which {work}, against an UPDATE that changes as many",
                    best(env, program._evaluate_tiers),
                    best(env, lambda: env.cr.execute(UPDATE, values)),
                    2,
                    missed=MISSED_NIGHT,
                )
            )
    return rows


def _get_values(program, last):
    """Return what the statements by hand are about: the program, and the days that are measured on ``last``."""
    window = program._get_tier_window(last)
    return {"first": window.first, "last": last, "program": program.id, "tiers": program._get_tiers().ids}


def _prepare(env, program, values):
    """Let one decision be due that gives each member another tier, and build what is read and written by hand."""
    env.cr.execute("DELETE FROM partner_loyalty_tier_period WHERE date_from > %(last)s", values)
    env.cr.execute("UPDATE partner_loyalty_tier_period SET date_to = NULL WHERE date_to = %(last)s", values)
    env.invalidate_all()
    program._evaluate_tiers()
    _execute(env, LET_ALL_MOVE, values)
    _execute(env, TABLES, values)
    for tier in program._get_tiers():
        invoices = data.INVOICES if tier.criterion_ids else 0
        env.cr.execute("INSERT INTO bench.tier VALUES (%s, %s, %s)", (tier.id, tier.threshold, invoices))
    _execute(env, ROWS, values)
    data.copy_table(env, "partner_loyalty_tier_period", "history", with_rows=True)
    data.vacuum(env)
    env.invalidate_all()


def _execute(env, statements, values):
    env.flush_all()
    for statement in statements.split(";"):
        env.cr.execute(statement, values)


def _compare(env, program, values):
    """Check that the app decides what the query by hand does, and that each member moves.

    :raises AssertionError: where it does not
    """
    members = len(program.member_ids)
    with env.cr.savepoint() as savepoint:
        program._evaluate_tiers()
        env.cr.execute(SAME_WORK, values)
        rows = env.execute_query(
            SQL(
                """SELECT COUNT(*), COUNT(*) FILTER (WHERE own.tier_id = other.tier_id AND own.is_change)
                     FROM partner_loyalty_tier_period own
                     JOIN bench.history other USING (member_id, date_from)
                    WHERE own.program_id = %s AND own.date_to IS NULL""",
                program.id,
            )
        )
        savepoint.rollback()
    env.invalidate_all()
    if rows[0] != (members, members):
        raise AssertionError(f"The tiers differ: {rows[0][1]} of {rows[0][0]} of {members} members move alike.")


def _check_changes(env, program, values, changes):
    """Check that as many members rise as the statement by hand changes.

    :raises AssertionError: where there are others
    """
    counts = []
    with env.cr.savepoint() as savepoint:
        for _when in ("before", "after"):
            env.cr.execute(RISEN, values)
            counts.append(env.cr.fetchone()[0])
            program._evaluate_tiers()
        env.cr.execute(UPDATE, values)
        updated = env.cr.rowcount
        savepoint.rollback()
    env.invalidate_all()
    risen = counts[1] - counts[0]
    if (risen, updated) != (changes, changes):
        raise AssertionError(f"{risen} members rise, {updated} are updated: not {changes} each.")
