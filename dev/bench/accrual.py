"""What members earn for all invoices, by ten rules with filters, rates by tier and caps, chunk by chunk.

Beside it stands one statement written by hand that reads the same documents and inserts the same entries, with their
explanations, into a table with the same keys and indexes. Both results are compared before any time counts.
"""

import time
from typing import NamedTuple

from odoo.fields import Command
from odoo.tools import SQL

from . import data, databases, growth, profile
from .memory import Memory
from .row import Row, compare_seconds

MISSED = (
    "beside the entries the app writes the balance of each account, looks up what the ledger holds already, and "
    "settles debts. It would take accounts without foreign keys, and trust that nothing has been posted before."
)

# So many lots have expired by today, of those of all days.
EXPIRY_MONTHS = 22

RULE_TABLES = """
    CREATE SCHEMA bench;
    CREATE TABLE bench.rule (id int PRIMARY KEY, unit text, formula text, categ_ids int[], product_ids int[],
                             line_minimum numeric, minimum numeric, cap_document numeric, cap_member numeric,
                             is_monthly bool, terms jsonb);
    CREATE TABLE bench.rate (rule_id int, tier_id int, rate numeric, PRIMARY KEY (rule_id, tier_id))
"""

RAW = """
    WITH origin AS (
        SELECT move.id, move.invoice_date AS day, member.id AS member_id, period.tier_id
          FROM account_move move
          JOIN partner_loyalty_member member ON member.partner_id = move.commercial_partner_id
          JOIN partner_loyalty_tier_period period ON period.member_id = member.id
           AND period.date_from <= move.invoice_date
           AND (period.date_to IS NULL OR period.date_to >= move.invoice_date)
         WHERE move.state = 'posted' AND move.move_type = 'out_invoice'
    ), base AS (
        SELECT rule.id AS rule_id, line.move_id, SUM(-line.balance) AS base, SUM(line.quantity) AS quantity
          FROM account_move_line line
          JOIN product_product product ON product.id = line.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
          JOIN bench.rule ON (rule.categ_ids IS NULL OR template.categ_id = ANY(rule.categ_ids))
           AND (rule.product_ids IS NULL OR line.product_id = ANY(rule.product_ids))
           AND (rule.line_minimum IS NULL OR -line.balance >= rule.line_minimum)
         WHERE line.display_type = 'product'
      GROUP BY rule.id, line.move_id
    ), earned AS (
        SELECT origin.*, rule.id AS rule_id, rule.unit, rule.terms, rule.cap_member, base, quantity, rate.rate,
               CASE WHEN rule.is_monthly THEN date_trunc('month', origin.day)::date ELSE '1900-01-01' END AS start,
               ROUND(CASE rule.formula WHEN 'percent' THEN base * rate.rate / 100
                                       WHEN 'per_amount' THEN base / 10 * rate.rate
                                       WHEN 'per_unit' THEN quantity * rate.rate ELSE rate.rate END,
                     CASE rule.unit WHEN 'money' THEN 2 ELSE 0 END) AS amount, rule.cap_document
          FROM base
          JOIN origin ON origin.id = base.move_id
          JOIN bench.rule ON rule.id = base.rule_id
          JOIN bench.rate ON rate.rule_id = rule.id AND rate.tier_id = origin.tier_id
         WHERE base.base >= COALESCE(rule.minimum, 0)
    ), within AS (
        SELECT earned.*, LEAST(amount, cap_document) AS within,
               SUM(LEAST(amount, cap_document)) OVER (PARTITION BY rule_id, member_id, start ORDER BY day, id
                                                      ROWS UNBOUNDED PRECEDING) AS upto
          FROM earned
    ), capped AS (
        SELECT within.*, LEAST(upto, cap_member) - LEAST(upto - within, cap_member) AS final FROM within
    )
    INSERT INTO bench.entry (
           account_id, sequence, program_id, company_id, type, amount, amount_open, rule_id, origin_model, origin_id,
           period_start, revision, contribution_date, date, mature_date, expiry_date, prior_period, explanation,
           posted_at, user_id)
    SELECT account.id, row_number() OVER (PARTITION BY account.id ORDER BY capped.day, capped.id, capped.rule_id),
           account.program_id, account.company_id, 'accrual', capped.final, capped.final, capped.rule_id,
           'account.move', capped.id, capped.start, 0, capped.day, capped.day, capped.day,
           (capped.day + make_interval(months => %(months)s))::date, FALSE,
           %(explanation)s, now() AT TIME ZONE 'UTC', 1
      FROM capped
      JOIN partner_loyalty_account account ON account.member_id = capped.member_id AND account.unit = capped.unit
      JOIN partner_loyalty_tier tier ON tier.id = capped.tier_id
     WHERE capped.final <> 0
"""
EXPLANATION = """jsonb_strip_nulls(capped.terms || jsonb_build_object(
    'base', trim_scale(capped.base)::text, 'rate', trim_scale(capped.rate)::text, 'tier_id', capped.tier_id,
    'tier', tier.name->>'en_US', 'target', trim_scale(capped.final)::text, 'posted', '0',
    'quantity', CASE WHEN capped.terms ? 'each' THEN trim_scale(capped.quantity)::text END,
    'uncapped', CASE WHEN capped.final <> capped.amount THEN trim_scale(capped.amount)::text END,
    'cap_before', CASE WHEN capped.final <> capped.amount THEN trim_scale(capped.upto - capped.within)::text END))"""

DIFFERENCE = """
    SELECT COUNT(*) FROM (
        (SELECT account_id, rule_id, origin_id, period_start, amount, date, expiry_date, explanation FROM bench.entry
         EXCEPT ALL
         SELECT account_id, rule_id, origin_id, period_start, amount, date, expiry_date, explanation
           FROM partner_loyalty_entry)
         UNION ALL
        (SELECT account_id, rule_id, origin_id, period_start, amount, date, expiry_date, explanation
           FROM partner_loyalty_entry
         EXCEPT ALL
         SELECT account_id, rule_id, origin_id, period_start, amount, date, expiry_date, explanation FROM bench.entry)
    ) difference
"""
BALANCES = """
    SELECT COUNT(*) FROM partner_loyalty_account account
LEFT JOIN (SELECT account_id, SUM(amount) AS amount, COUNT(*) AS entries FROM bench.entry GROUP BY account_id) entry
       ON entry.account_id = account.id
    WHERE account.balance <> COALESCE(entry.amount, 0) OR account.version <> COALESCE(entry.entries, 0)
"""


class Run(NamedTuple):
    """A ledger that the engine wrote, and what that took.

    :param str database: where it is
    :param int entries: number of entries
    :param float seconds: what the engine took, at best
    :param float raw: what the statement by hand took, at best
    :param float growth: by how many megabytes the process grew
    """

    database: str
    entries: int
    seconds: float
    raw: float
    growth: float


def measure(bench):
    """Let the engine go through few, some, and all invoices.

    :rtype: list[Row]
    """
    sizes = get_sizes(bench)
    runs = {lines: get_run(bench, lines) for lines in sizes}
    bench.files["growth.svg"] = growth.draw(runs)
    _few, some, many = runs.values()
    return [
        *(
            compare_seconds(
                f"accrual of {lines:,} invoice lines by ten rules: {runs[lines].entries:,} entries",
                runs[lines].seconds,
                runs[lines].raw,
                1.5,
                missed=MISSED,
            )
            for lines in sizes[1:]
        ),
        compare_seconds(
            f"the same for {sizes[2]:,} lines against {sizes[1]:,}",
            many.seconds,
            some.seconds,
            5.5,
            missed="the ledger and its indexes outgrow the memory of the database; more of that is what it takes.",
        ),
        Row(
            f"memory that {sizes[2]:,} lines take, against {sizes[1]:,}",
            f"{many.growth:.0f} MB",
            f"{some.growth:.0f} MB",
            many.growth,
            100,
            "MB",
            missed="the new lines of a chunk are held until their debts are settled; it would take smaller chunks.",
        ),
    ]


def get_sizes(bench):
    """Return how many lines there are where there are few, some, and many."""
    return bench.lines // 50, bench.lines // 5, bench.lines


def get_run(bench, lines):
    """Return a ledger that the engine wrote; made at the first call.

    :param int lines: number of invoice lines
    :rtype: Run
    """
    repeats = 1 if lines == bench.lines else 2
    return bench.once(f"accrual of {lines}", lambda: _run(bench, lines, repeats))


def _run(bench, lines, repeats):
    """Let the engine and the statement by hand do it by turns, and compare."""
    seconds = {"engine": [], "raw": []}
    for attempt in range(repeats):
        database = bench.keep_copy(lines, f"ledger_{lines}")
        with databases.environment(database) as env:
            program = prepare(env)
            memory, grown = Memory(), 0
            for work in sorted(seconds, reverse=bool(attempt % 2)):
                start = time.perf_counter()
                _run_engine(bench, program, lines) if work == "engine" else run_raw(env)
                seconds[work].append(time.perf_counter() - start)
                grown = memory.get_growth() if work == "engine" else grown
            entries = compare(env)
            env.cr.execute("DROP TABLE bench.entry")
            data.vacuum(env)
    run = Run(database, entries, min(seconds["engine"]), min(seconds["raw"]), grown)
    bench.say(f"{lines:,} lines: {run.entries:,} entries in {run.seconds:.2f} s, {run.raw:.2f} s by hand")
    return run


def _run_engine(bench, program, lines):
    """Run the engine; with all lines, it is looked at where the time goes."""
    if lines != bench.lines:
        return run_engine(program)
    with profile.watch() as bench.profiles[f"accrual of {lines:,} invoice lines"]:
        return run_engine(program)


def run_engine(program):
    """Bring the ledger in line with all documents, committing each chunk of members."""
    program._apply_to_past(commit=True)


def run_raw(env):
    """Insert the same entries by one statement."""
    query = SQL(RAW, months=EXPIRY_MONTHS, explanation=SQL(EXPLANATION))
    env.cr.execute(query)
    env.cr.commit()


def compare(env):
    """Check that the engine wrote what the statement by hand did, and that the balances follow.

    :return: number of entries
    :raises AssertionError: where it did not
    """
    ((different,),) = env.execute_query(SQL(DIFFERENCE))
    ((unbalanced,),) = env.execute_query(SQL(BALANCES))
    ((entries,),) = env.execute_query(SQL("SELECT COUNT(*) FROM bench.entry"))
    if different or unbalanced or not entries:
        raise AssertionError(f"Of {entries} entries {different} differ, and {unbalanced} balances.")
    return entries


def prepare(env):
    """Give the program its rules, and the statement by hand its tables.

    :return: the program
    """
    program = data.find_program(env)
    program.write({"expiry_kind": "months", "expiry_months": EXPIRY_MONTHS, "expiry_of_money": True})
    make_rules(env, program)
    env.flush_all()
    for statement in RULE_TABLES.split(";"):
        env.cr.execute(statement)
    for rule in program.rule_ids:
        _write_rule(env, rule)
    data.copy_table(env, "partner_loyalty_entry", "entry")
    data.vacuum(env)
    return program


def make_rules(env, program):
    """Give the program ten rules with filters: two units, four formulas, rates by tier, caps and a minimum."""
    products = env["product.product"].search([("name", "=like", "Panel %")], order="id")
    tiers = program._get_tiers()
    rates = [Command.create({"tier_id": tier.id, "rate": 1 + number / 2}) for number, tier in enumerate(tiers)]
    program.rule_ids.domain = "[('product_id', '!=', False)]"
    money = {"program_id": program.id, "unit": "money", "formula": "percent", "rate": 1}
    points = {"program_id": program.id, "unit": "point", "rate": 1}
    categories = products.categ_id.sorted("id")
    vals_list = [
        {**money, "domain": f"[('product_id.categ_id', '=', {category.id})]", "tier_rate_ids": rates}
        for category in categories
    ]
    vals_list += [
        {**points, "formula": "per_unit", "domain": f"[('product_id', 'in', {products[:3].ids})]", "cap_document": 12},
        {**money, "domain": "[('amount', '>=', 300)]", "minimum_amount": 500},
        {**points, "formula": "fixed", "domain": f"[('product_id.categ_id', 'in', {categories[:2].ids})]", "rate": 5},
        {**money, "domain": f"[('product_id', 'in', {products[5:].ids})]", "cap_member": 40, "tier_rate_ids": rates},
    ]
    env["partner.loyalty.rule"].create([{**vals, "name": vals["domain"]} for vals in vals_list])


def _write_rule(env, rule):
    """Say for the statement by hand what a rule says."""
    categ_ids, product_ids, minimum = None, None, None
    for field, operator, value in rule._get_filter_domain():
        if field == "product_id.categ_id":
            categ_ids = value if operator == "in" else [value]
        elif field == "amount":
            minimum = value
        elif operator == "in":
            product_ids = value
    caps = [rule[name] or "Infinity" for name in ("cap_document", "cap_member")]
    env.cr.execute(
        "INSERT INTO bench.rule VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(rule.id, rule.unit, rule.formula, categ_ids, product_ids, minimum, rule.minimum_amount, *caps),
            *(bool(rule.cap_member), rule._get_explained_terms()),
        ),
    )
    rates = {rate.tier_id: rate.rate for rate in rule.tier_rate_ids}
    for tier in rule.program_id.tier_ids:
        env.cr.execute("INSERT INTO bench.rate VALUES (%s, %s, %s)", (rule.id, tier.id, rates.get(tier, rule.rate)))
