"""What the ledger must hold, recomputed from the documents by plain SQL that shares nothing with the app."""

from .world import RATE, STEP

EXPECTED = """
    SELECT move.commercial_partner_id AS partner_id, move.id AS origin_id, unit.name AS unit,
           CASE unit.name WHEN 'money' THEN round(SUM(-line.balance) * %(rate)s / 100, 2)
                          ELSE round(SUM(-line.balance) / %(step)s, 0) END AS amount
      FROM account_move move
      JOIN account_move_line line ON line.move_id = move.id AND line.display_type = 'product'
CROSS JOIN (VALUES ('money'), ('point')) unit(name)
     WHERE move.id = ANY(%(moves)s) AND move.state = 'posted'
  GROUP BY move.id, unit.name
"""
POSTED = """
    SELECT member.partner_id, entry.origin_id, account.unit, SUM(entry.amount) AS amount
      FROM partner_loyalty_entry entry
      JOIN partner_loyalty_account account ON account.id = entry.account_id
      JOIN partner_loyalty_member member ON member.id = account.member_id
     WHERE entry.program_id = %(program)s AND entry.type IN ('accrual', 'clawback')
  GROUP BY member.partner_id, entry.origin_id, account.unit
"""
DIFFERENT = f"""
    SELECT COUNT(*) FILTER (WHERE COALESCE(posted.amount, 0) < COALESCE(expected.amount, 0)),
           COUNT(*) FILTER (WHERE COALESCE(posted.amount, 0) > COALESCE(expected.amount, 0)),
           COUNT(*)
      FROM ({EXPECTED}) expected
 FULL JOIN ({POSTED}) posted USING (partner_id, origin_id, unit)
"""
DOUBLED_PAYOUTS = """
    SELECT COUNT(*) FROM (
        SELECT payout.id FROM partner_loyalty_payout payout
     LEFT JOIN partner_loyalty_entry entry
            ON entry.origin_model = 'partner.loyalty.payout' AND entry.origin_id = payout.id
         WHERE payout.program_id = %(program)s AND payout.decision = 'submitted'
      GROUP BY payout.id HAVING COUNT(entry.id) <> 1 OR SUM(-entry.amount) <> payout.amount) wrong
"""
BALANCES = """
    SELECT COUNT(*) FROM (
        SELECT account.id FROM partner_loyalty_account account
     LEFT JOIN partner_loyalty_entry entry ON entry.account_id = account.id
         WHERE account.program_id = %(program)s
      GROUP BY account.id
        HAVING account.balance <> COALESCE(SUM(entry.amount), 0) OR account.version <> COUNT(entry.id)) wrong
"""


def verify(world, waiting):
    """Check everything.

    :param World world: what was worked on
    :param int waiting: what a worker still finds to do
    :return: figures by name, and a sentence for each violation
    """
    terms = {"moves": world.move_ids, "program": world.program_id, "rate": RATE, "step": STEP}
    with world.transaction() as env:
        cr = env.cr
        cr.execute(DIFFERENT, terms)
        missing, doubled, compared = cr.fetchone()
        figures = {"sums compared with the documents": compared, "missing": missing, "doubled": doubled}
        for name, query in (("payouts debited otherwise than once", DOUBLED_PAYOUTS), ("wrong balances", BALANCES)):
            cr.execute(query, terms)
            figures[name] = cr.fetchone()[0]
        figures["left to do"] = waiting
        program = env["partner.loyalty.program"].browse(world.program_id)
        found = program._apply_to_past(dry_run=True)["entries"]
        open_differences = env["partner.loyalty.difference"].search_count([("program_id", "=", program.id)])
        figures |= {"differences the app finds itself": found, "differences listed": open_differences}
        problems = program._check_invariants()
        figures["violated invariants"] = len(problems)
        for table in ("entry", "payout"):
            cr.execute(f"SELECT COUNT(*) FROM partner_loyalty_{table} WHERE program_id = %s", [world.program_id])
            problems += [] if cr.rowcount else ["nothing"]
            figures[f"{table} rows"] = cr.fetchone()[0]
    harmless = {"sums compared with the documents", "entry rows", "payout rows"}
    problems += [f"{name}: {count}" for name, count in figures.items() if count and name not in harmless]
    return figures, problems
