"""Tiers of all members: turnover and one more metric decide, and each decision is kept with what it was taken on.

Beside it stand two queries written by hand. The *floor* adds points up from a narrow table that has the index for it,
and stores the tier on the member: it reads no documents and keeps no decisions. The *same work* reads the documents
that the app reads, and writes a row for each decision into a table with the same keys and indexes.
"""

from datetime import timedelta

from odoo.tools import SQL

from . import data, databases
from .clock import best
from .row import compare_seconds

MISSED_FLOOR = (
    "the documents themselves are read, and each decision becomes a row with what it was taken on and eight foreign "
    "keys; the query by hand that does so takes several times the floor as well. It would take a table of turnover by "
    "member and month, which each change of a document has to keep right, and decisions that are kept only where a "
    "tier changes. The one could be wrong, and the other would leave members without an answer."
)

FLOOR_TABLES = """
    DROP SCHEMA IF EXISTS bench CASCADE;
    CREATE SCHEMA bench;
    CREATE TABLE bench.tier (id int PRIMARY KEY, threshold numeric NOT NULL, invoices int NOT NULL);
    CREATE TABLE bench.member (id int PRIMARY KEY, partner_id int NOT NULL UNIQUE, tier_id int REFERENCES bench.tier);
    CREATE TABLE bench.sale (id bigserial PRIMARY KEY, member_id int NOT NULL REFERENCES bench.member,
                             date date NOT NULL, amount numeric NOT NULL)
"""
FLOOR_SALES = """
    INSERT INTO bench.member SELECT id, partner_id FROM partner_loyalty_member WHERE program_id = %(program)s;
    INSERT INTO bench.sale (member_id, date, amount)
         SELECT member.id, move.invoice_date, -line.balance
           FROM account_move_line line
           JOIN account_move move ON move.id = line.move_id
           JOIN bench.member member ON member.partner_id = move.commercial_partner_id
          WHERE line.display_type = 'product';
    CREATE INDEX ON bench.sale (member_id, date) INCLUDE (amount)
"""
FLOOR = """
    UPDATE bench.member member SET tier_id = decided.tier_id
      FROM (SELECT member.id, tier.id AS tier_id
              FROM bench.member
         LEFT JOIN (SELECT member_id, SUM(amount) AS amount FROM bench.sale
                     WHERE date BETWEEN %(first)s AND %(last)s GROUP BY member_id) sale ON sale.member_id = member.id
              JOIN LATERAL (SELECT id FROM bench.tier WHERE threshold <= COALESCE(sale.amount, 0)
                          ORDER BY threshold DESC LIMIT 1) tier ON TRUE) decided
     WHERE decided.id = member.id AND member.tier_id IS DISTINCT FROM decided.tier_id
"""
SAME_WORK = """
    WITH decided AS MATERIALIZED (
        SELECT member.id, sale.amount, sale.invoices,
               (SELECT tier.id FROM bench.tier
                 WHERE tier.threshold <= COALESCE(sale.amount, 0) AND tier.invoices <= COALESCE(sale.invoices, 0)
              ORDER BY tier.threshold DESC LIMIT 1) AS tier_id
          FROM partner_loyalty_member member
     LEFT JOIN (SELECT move.commercial_partner_id AS partner_id, SUM(-line.balance) AS amount,
                       COUNT(DISTINCT move.id) AS invoices
                  FROM account_move move
                  JOIN account_move_line line ON line.move_id = move.id
                 WHERE move.invoice_date BETWEEN %(first)s AND %(last)s AND move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                   AND line.display_type = 'product'
              GROUP BY move.commercial_partner_id) sale ON sale.partner_id = member.partner_id
         WHERE member.program_id = %(program)s
    ), closed AS (
        UPDATE bench.history history SET date_to = %(last)s
          FROM decided WHERE history.member_id = decided.id AND history.date_to IS NULL
    )
    INSERT INTO bench.history (
           member_id, program_id, company_id, tier_id, is_change, date_from, evaluation_date, turnover, cause, evidence,
           create_uid, create_date, write_uid, write_date)
    SELECT member.id, member.program_id, member.company_id, decided.tier_id, TRUE, %(last)s + 1, %(last)s,
           decided.amount, 'evaluation', jsonb_build_object('value', decided.amount, 'invoices', decided.invoices),
           1, now(), 1, now()
      FROM decided JOIN partner_loyalty_member member ON member.id = decided.id
"""


def measure(bench):
    """Decide the tiers of all members on the last day of a month.

    :rtype: list[Row]
    """
    with bench.copy(bench.lines) as database, databases.environment(database) as env:
        return _measure(env, data.find_program(env))


def _measure(env, program):
    last = program._get_today().replace(day=1) - timedelta(days=1)
    days = {"first": last.replace(day=1, year=last.year - 1) + timedelta(days=31), "last": last, "program": program.id}
    days["first"] = days["first"].replace(day=1)
    _prepare(env, program, last)
    seconds = {
        "engine": best(env, program._evaluate_tiers),
        "floor": best(env, lambda: env.cr.execute(FLOOR, days)),
        "same": best(env, lambda: env.cr.execute(SAME_WORK, days)),
    }
    _compare(env, program, days)
    members = len(program.member_ids)
    return [
        compare_seconds(
            f"tiers of {members:,} members by turnover and invoices, each decision kept",
            seconds["engine"],
            seconds["same"],
            2,
            missed="the evidence of a decision says more than that by hand; it would take a shorter one.",
        ),
        compare_seconds(
            "the same against an UPDATE from a narrow table without documents or decisions",
            seconds["engine"],
            seconds["floor"],
            2,
            missed=MISSED_FLOOR,
        ),
    ]


def _prepare(env, program, last):
    """Let one decision be due, and build what the queries by hand read and write."""
    env.cr.execute("DELETE FROM partner_loyalty_tier_period WHERE date_from > %s", (last,))
    env.cr.execute("UPDATE partner_loyalty_tier_period SET date_to = NULL WHERE date_to = %s", (last,))
    for statement in FLOOR_TABLES.split(";"):
        env.cr.execute(statement)
    for tier in program._get_tiers():
        invoices = data.INVOICES if tier.criterion_ids else 0
        env.cr.execute("INSERT INTO bench.tier VALUES (%s, %s, %s)", (tier.id, tier.threshold, invoices))
    for statement in FLOOR_SALES.split(";"):
        env.cr.execute(statement, {"program": program.id})
    data.copy_table(env, "partner_loyalty_tier_period", "history", with_rows=True)
    data.vacuum(env)
    env.invalidate_all()


def _compare(env, program, days):
    """Check that the app decides what the query by hand does.

    :raises AssertionError: where it does not
    """
    with env.cr.savepoint() as savepoint:
        program._evaluate_tiers()
        env.cr.execute(SAME_WORK, days)
        rows = env.execute_query(
            SQL(
                """SELECT COUNT(*), COUNT(*) FILTER (WHERE own.tier_id <> other.tier_id)
                     FROM partner_loyalty_tier_period own
                     JOIN bench.history other USING (member_id, date_from)
                    WHERE own.program_id = %s AND own.date_to IS NULL""",
                program.id,
            )
        )
        savepoint.rollback()
    env.invalidate_all()
    if rows[0] != (len(program.member_ids), 0):
        raise AssertionError(f"The tiers differ: {rows[0][1]} of {rows[0][0]} of {len(program.member_ids)} members.")
