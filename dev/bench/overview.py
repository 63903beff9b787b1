"""Opening the overview of a program: all that its page shows, by the one call that the browser makes.

Beside it stand statements written by hand that read the same documents and lines of the statements, each of them once,
for the same figures: what members and others sold in three times, by month, what that cost, and the bridge. The page
shows some forty figures more, which take little where there is little to count.
"""

import json
from datetime import timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo.fields import Command
from odoo.tools import SQL

from . import accrual, data, databases, profile
from .clock import best
from .row import compare_seconds

TARGET = 2
READER = "partner_loyalty.partner_loyalty_group_officer"
MISSED = (
    "by hand the documents are read once for all periods, while the page reads them for the figures of the period, "
    "again for those of the time before, and again for the months. It would take one reading that all of them share."
)

SALES = """
    WITH holder AS (
        SELECT partner_id, id FROM partner_loyalty_member WHERE program_id = %(program)s
    ), sale AS MATERIALIZED (
        SELECT COALESCE(buyer.id, bringer.id) AS member_id, move.commercial_partner_id AS partner_id,
               move.invoice_date AS day, SUM(-line.balance) AS amount
          FROM account_move move
          JOIN account_move_line line ON line.move_id = move.id AND line.display_type = 'product'
     LEFT JOIN holder buyer ON buyer.partner_id = move.commercial_partner_id
     LEFT JOIN holder bringer ON bringer.partner_id = move.loyalty_partner_id
         WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
           AND move.company_id = %(company)s AND move.loyalty_payout_id IS NULL
           AND move.invoice_date BETWEEN %(chart)s AND %(last)s
      GROUP BY COALESCE(buyer.id, bringer.id), move.commercial_partner_id, move.invoice_date, move.id
    ), seller AS (
        SELECT member_id, SUM(amount) FILTER (WHERE day BETWEEN %(first)s AND %(last)s) AS now,
               COUNT(*) FILTER (WHERE amount > 0 AND day BETWEEN %(first)s AND %(last)s) AS documents,
               SUM(amount) FILTER (WHERE day BETWEEN %(first_before)s AND %(last_before)s) AS before,
               SUM(amount) FILTER (WHERE day BETWEEN %(first_earlier)s AND %(last_earlier)s) AS earlier
          FROM sale GROUP BY member_id, CASE WHEN member_id IS NULL THEN partner_id END
    ), monthly AS (
        SELECT date_trunc('month', day)::date AS month, member_id, SUM(amount) AS amount
          FROM sale WHERE member_id IS NOT NULL GROUP BY date_trunc('month', day), member_id
    )
    SELECT 'seller', NULL::date, member_id, now, before, earlier, documents FROM seller
     UNION ALL
    SELECT 'month', month, COUNT(*) FILTER (WHERE amount > 0), SUM(amount), NULL, NULL, NULL FROM monthly GROUP BY month
"""
COST = """
    SELECT date_trunc('month', entry.date)::date,
           SUM(entry.amount * CASE account.unit WHEN 'point' THEN %(value)s ELSE 1 END),
           SUM(entry.amount * CASE account.unit WHEN 'point' THEN %(value)s ELSE 1 END)
               FILTER (WHERE entry.date BETWEEN %(first)s AND %(last)s),
           SUM(entry.amount * CASE account.unit WHEN 'point' THEN %(value)s ELSE 1 END)
               FILTER (WHERE entry.date BETWEEN %(first_before)s AND %(last_before)s)
      FROM partner_loyalty_entry entry
      JOIN partner_loyalty_account account ON account.id = entry.account_id
     WHERE entry.program_id = %(program)s AND entry.date BETWEEN %(chart)s AND %(last)s
       AND entry.type IN ('accrual', 'clawback', 'bonus', 'bonus_undo', 'reward', 'reward_undo', 'adjustment')
  GROUP BY date_trunc('month', entry.date)
"""
BRIDGE = """
    WITH line AS (
        SELECT account.unit, account.member_id, entry.rule_id, entry.id, entry.date >= %(first)s AS is_now,
               entry.amount,
               (entry.explanation->>'base')::numeric * entry.amount
                   / NULLIF((entry.explanation->>'target')::numeric, 0) AS base,
               (entry.explanation->>'tier_id')::integer AS tier_id
          FROM partner_loyalty_entry entry
          JOIN partner_loyalty_account account ON account.id = entry.account_id
         WHERE entry.program_id = %(program)s AND entry.type = 'accrual'
           AND (entry.date BETWEEN %(first)s AND %(last)s OR entry.date BETWEEN %(first_before)s AND %(last_before)s)
    ), summed AS (
        SELECT unit, COALESCE(SUM(amount) FILTER (WHERE is_now), 0) AS now,
               COALESCE(SUM(amount) FILTER (WHERE NOT is_now), 0) AS before,
               SUM(base) FILTER (WHERE is_now) AS base, SUM(base) FILTER (WHERE NOT is_now) AS base_before,
               (array_agg(tier_id ORDER BY id DESC) FILTER (WHERE is_now))[1] AS tier,
               (array_agg(tier_id ORDER BY id DESC) FILTER (WHERE NOT is_now))[1] AS tier_before
          FROM line GROUP BY unit, member_id, rule_id
    ), split AS (
        SELECT *, CASE WHEN base > 0 AND base_before > 0
                       THEN ROUND((base - base_before) * before / base_before, CASE unit WHEN 'money' THEN 2 ELSE 0 END)
                       ELSE now - before END AS volume
          FROM summed
    )
    SELECT unit, SUM(before), SUM(now), SUM(volume),
           SUM(now - before - volume) FILTER (WHERE tier IS NOT DISTINCT FROM tier_before),
           SUM(now - before - volume) FILTER (WHERE tier IS DISTINCT FROM tier_before)
      FROM split GROUP BY unit
"""
RETURNS = """
    SELECT move.commercial_partner_id, SUM(move.amount_untaxed_signed) FILTER (WHERE move.amount_untaxed_signed < 0),
           SUM(move.amount_untaxed_signed) FILTER (WHERE move.amount_untaxed_signed > 0)
      FROM account_move move
     WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
       AND move.company_id = %(company)s AND move.invoice_date BETWEEN %(first_before)s AND %(last)s
  GROUP BY move.commercial_partner_id, move.invoice_date >= %(first)s
"""


def measure(bench):
    """Open the overview where there are most lines, and read the same by hand.

    :rtype: list[Row]
    """
    run = accrual.get_run(bench, bench.lines)
    with databases.environment(run.database) as env:
        user = {"name": "Reader", "login": "overview", "group_ids": [Command.link(env.ref(READER).id)]}
        user_id = env["res.users"].create(user).id
        data.vacuum(env)
    with databases.environment(run.database, user_id, {"lang": "en_US"}) as env:
        program = data.find_program(env)
        terms = _get_terms(program)
        _compare(env, program, terms)
        work = f"opening the overview of a program with {run.entries:,} entries and {bench.lines:,} invoice lines"
        with profile.watch() as bench.profiles[work]:
            _open(env, program)
        seconds = best(env, lambda: _open(env, program))
        raw = best(env, lambda: _read(env, terms))
    return [compare_seconds(work, seconds, raw, TARGET, missed=MISSED)]


def _open(env, program):
    """Return the page as the browser gets it."""
    return json.loads(json.dumps(env["partner.loyalty.overview"].get_page({"program_id": program.id})))


def _read(env, terms):
    """Return what the statements by hand say."""
    return {
        name: env.execute_query(SQL(query, **terms))
        for name, query in (("sales", SALES), ("cost", COST), ("bridge", BRIDGE), ("returns", RETURNS))
    }


def _get_terms(program):
    """Return the days of the page: the last three months, the three before, and the three before those."""
    last = program._get_today()
    first = last.replace(day=1) - relativedelta(months=2)
    terms = {"program": program.id, "company": program.company_id.id, "value": Decimal(str(program.point_value))}
    terms |= {"first": first, "last": last, "chart": last.replace(day=1) - relativedelta(months=11)}
    for name, months in (("before", 3), ("earlier", 6)):
        terms[f"first_{name}"] = first - relativedelta(months=months)
        terms[f"last_{name}"] = min(
            last - relativedelta(months=months), first - relativedelta(months=months - 3) - timedelta(days=1)
        )
    return terms


def _compare(env, program, terms):
    """Check that the page shows what the statements by hand say.

    :raises AssertionError: where it does not
    """
    page, raw = _open(env, program), _read(env, terms)
    figures = {kpi["name"]: kpi for section in page["sections"] for kpi in section["kpis"]}
    sellers = [row for row in raw["sales"] if row[0] == "seller" and row[2]]
    months = {row[1]: row for row in raw["sales"] if row[0] == "month"}
    costs = {month: cost for month, cost, _now, _before in raw["cost"]}
    chart = [terms["chart"] + relativedelta(months=number) for number in range(12)]
    shown = page["months"]
    pairs = [
        ("turnover", figures["turnover"]["value"], sum(row[3] or 0 for row in sellers)),
        ("turnover before", figures["turnover"]["value_before"], sum(row[4] or 0 for row in sellers)),
        ("extra sales before", figures["own_extra"]["value_before"], _add_extra(sellers)),
        ("average", figures["average_order"]["value"], _divide(sellers)),
        ("cost", figures["cost"]["value"], sum(row[2] or 0 for row in raw["cost"])),
        ("cost before", figures["cost"]["value_before"], sum(row[3] or 0 for row in raw["cost"])),
        *((f"turnover of {month}", shown["turnover"][place], months[month][3]) for place, month in enumerate(chart)),
        *((f"active in {month}", shown["active"][place], months[month][2]) for place, month in enumerate(chart)),
        *((f"cost of {month}", shown["cost"][place], costs[month]) for place, month in enumerate(chart)),
        *_pair_bridges(page, raw["bridge"]),
    ]
    wrong = [f"{name}: {one} and {own}" for name, one, own in pairs if abs(float(one) - float(own)) > 0.005]
    if wrong:
        raise AssertionError(f"The page and the statements by hand differ: {'; '.join(wrong)}")


def _add_extra(sellers):
    """Return what members sold more before than in the time before that, of those who sold something then."""
    return sum((row[4] or 0) - row[5] for row in sellers if (row[5] or 0) > 0)


def _divide(sellers):
    return sum(row[3] or 0 for row in sellers) / sum(row[6] for row in sellers)


def _pair_bridges(page, rows):
    """Return what the bridges show beside what was worked out by hand."""
    by_unit = {"Money": "money", "Points": "point"}
    raw = {unit: sums for unit, *sums in rows}
    pairs = []
    for bridge in page["bridges"]:
        sums = raw[by_unit[bridge["unit"]]]
        shown = [bridge["before"]["value"], bridge["now"]["value"], *(step["value"] for step in bridge["steps"][:3])]
        pairs += [(f"bridge of {bridge['unit']}", one, own or 0) for one, own in zip(shown, sums, strict=True)]
    return pairs
