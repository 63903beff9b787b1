"""Compare the ledger with what :mod:`.recompute` makes of the file: every member, every month, to the cent.

The ledger is read by plain SQL, and compared three times, each time finer: by unit, by rule, and by what was rewarded,
which is a document or a month as a whole.

``python -m retail.compare --config odoo.conf --database loyalty --file sales.csv.gz`` compares the documents that are
in the database; with ``--from`` or ``--to`` it demands all documents of those days, and no others.
"""

import argparse
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from kit import say
from kit.say import Failure

from . import recompute, sql

SHOWN = 20
# What a cell is; the finest says for what exactly something was earned.
CELLS = ("customer", "month", "unit")
RULE_CELLS = (*CELLS, "rule")
ANSWERS = (*RULE_CELLS, "origin")

PROGRAM = """
    SELECT program.res_id, journal.res_id
      FROM ir_model_data program, ir_model_data journal
     WHERE program.module = '__retail__' AND program.name = 'program'
       AND journal.module = '__retail__' AND journal.name = 'journal'
"""
NUMBERS = """
    SELECT ref FROM account_move
     WHERE journal_id = %s AND state = 'posted' AND ref IS NOT NULL AND reversed_entry_id IS NULL
"""
MEMBERS = """
    SELECT substr(partner.ref, length('retail-') + 1), member.date_from
      FROM partner_loyalty_member member
      JOIN res_partner partner ON partner.id = member.partner_id
     WHERE member.program_id = %s
"""
LEDGER = """
    SELECT substr(partner.ref, length('retail-') + 1) AS customer,
           to_char(entry.contribution_date, 'YYYY-MM') AS month, account.unit,
           substr(rule.name, length('rule_') + 1) AS rule,
           COALESCE(move.ref, to_char(entry.period_start, 'YYYY-MM')) AS origin,
           trim_scale(sum(entry.amount))::text, count(*)
      FROM partner_loyalty_entry entry
      JOIN ir_model_data rule ON rule.module = '__retail__' AND rule.model = 'partner.loyalty.rule'
                             AND rule.res_id = entry.rule_id
      JOIN partner_loyalty_account account ON account.id = entry.account_id
      JOIN partner_loyalty_member member ON member.id = account.member_id
      JOIN res_partner partner ON partner.id = member.partner_id
 LEFT JOIN account_move move ON move.id = entry.origin_id AND entry.origin_model = 'account.move'
                            AND move.journal_id = %s
     WHERE entry.program_id = %s AND entry.type IN ('accrual', 'clawback')
       AND (move.ref IS NOT NULL OR entry.origin_model = 'partner.loyalty.member')
  GROUP BY 1, 2, 3, 4, 5
"""
ENTRIES = "SELECT count(*) FROM partner_loyalty_entry WHERE program_id = %s"


@dataclass
class Ledger:
    """What the database holds: documents, members with their first day, and sums by what was rewarded."""

    numbers: set
    joined: dict
    amounts: dict
    entries: Counter
    other_entries: int


@dataclass
class Comparison:
    """The outcome: both sides, how many sums were compared at each level, and a sentence for each difference."""

    documents: int
    months: int
    expected: recompute.Expected
    ledger: Ledger
    compared: dict
    differences: list


def read_ledger(connection):
    """Read members and ledger of the program.

    :rtype: Ledger
    """
    with connection, connection.cursor() as cr:
        cr.execute(PROGRAM)
        found = cr.fetchone()
        if not found:
            raise Failure("The database has no program of 'make retail'.", "Run 'make retail FILE=...' first.")
        program, journal = found
        cr.execute(NUMBERS, [journal])
        numbers = {number for (number,) in cr.fetchall()}
        cr.execute(MEMBERS, [program])
        joined = dict(cr.fetchall())
        cr.execute(LEDGER, [journal, program])
        rows = cr.fetchall()
        cr.execute(ENTRIES, [program])
        [(all_entries,)] = cr.fetchall()
    amounts = {tuple(key): Decimal(amount) for *key, amount, _count in rows}
    entries = Counter()
    for _customer, _month, _unit, rule, _origin, _amount, count in rows:
        entries[rule] += count
    return Ledger(numbers, joined, amounts, entries, all_entries - entries.total())


def compare(connection, path, start=None, end=None):
    """Compare the ledger with the file.

    :param connection: a psycopg2 connection
    :param pathlib.Path path: the sales file
    :param datetime.date start: demand all documents from this day on, and no earlier ones
    :param datetime.date end: demand all documents up to this day, and no later ones
    :rtype: Comparison
    """
    ledger = read_ledger(connection)
    documents = recompute.read(path, start, end, None if start or end else ledger.numbers)
    expected = recompute.expected(documents.values())
    months = {recompute.month_name(recompute.month_of(document.day)) for document in documents.values()}
    differences = _document_differences(documents, ledger) + _member_differences(expected.joined, ledger)
    compared, cell_differences = _compare_levels(expected, months, ledger)
    return Comparison(len(documents), len(months), expected, ledger, compared, differences + cell_differences)


def _compare_levels(expected, months, ledger):
    """Compare the sums at each level; return how many there were by level, and a sentence for each that differs."""
    wanted = {
        (answer.customer, answer.month, recompute.UNITS[answer.rule], answer.rule, answer.origin): amount
        for answer, amount in expected.amounts.items()
    }
    grid = _grid(expected.joined, months)
    compared, differences = {}, []
    for level, keys in ((CELLS, {key[: len(CELLS)] for key in grid}), (RULE_CELLS, grid), (ANSWERS, set())):
        compared[level], sentences = _compare_cells(keys, _sums(wanted, level), _sums(ledger.amounts, level))
        differences += sentences
    return compared, differences


def _grid(customers, months):
    """Return a cell for each customer, month and rule, whether or not anything was earned there."""
    rules = recompute.UNITS.items()
    return {(customer, month, unit, rule) for customer in customers for month in months for rule, unit in rules}


def _sums(amounts, level):
    """Return sums by the first parts of the keys.

    :param dict amounts: amounts by all of :data:`ANSWERS`
    :param tuple level: the names of the parts to keep
    """
    sums = defaultdict(Decimal)
    for key, amount in amounts.items():
        sums[key[: len(level)]] += amount
    return sums


def _document_differences(documents, ledger):
    """Return a sentence for each document that only one side has."""
    extra = [f"document {number} is not in the file" for number in sorted(ledger.numbers - documents.keys())]
    return extra + [f"document {number} is not loaded" for number in sorted(documents.keys() - ledger.numbers)]


def _member_differences(joined, ledger):
    """Return a sentence for each member that only one side has, or that joined on another day."""
    return [
        f"customer {customer} joined: file {joined.get(customer)}, database {ledger.joined.get(customer)}"
        for customer in sorted(joined.keys() | ledger.joined.keys())
        if joined.get(customer) != ledger.joined.get(customer)
    ]


def _compare_cells(keys, wanted, found):
    """Compare sums; return how many there were, and a sentence for each that differs.

    :param set keys: cells to compare in any case; those that only one side has are added
    :param dict wanted: what the file says
    :param dict found: what the ledger holds
    """
    keys = keys | wanted.keys() | found.keys()
    zero = Decimal(0)
    return len(keys), [
        f"customer {', '.join(key)}: file {wanted.get(key, zero)}, ledger {found.get(key, zero)}"
        for key in sorted(keys)
        if wanted.get(key, zero) != found.get(key, zero)
    ]


def promotion_differences(wanted, shown):
    """Return a sentence for each figure of the promotion that the app shows otherwise.

    :param recompute.Promotion wanted: what came of it by the file
    :param shown: the same figures as attributes, as the app shows them
    """
    return [
        f"{name} of the promotion: file {value}, app {getattr(shown, name)}"
        for name, value in wanted._asdict().items()
        if getattr(shown, name) != value
    ]


def report(comparison):
    """Print the outcome; stop on any difference."""
    say.note(f"{comparison.documents:>14,} documents")
    _report_entries(comparison.ledger)
    _report_reached(comparison.expected)
    members = f"{len(comparison.expected.joined):,} members x {comparison.months:,} months"
    say.note(f"{comparison.compared[CELLS]:>14,} cells compared: {members} x points and money")
    say.note(f"{comparison.compared[RULE_CELLS]:>14,} cells compared: {members} x {len(recompute.UNITS)} rules")
    say.note(f"{comparison.compared[ANSWERS]:>14,} sums compared: each document and each month, rule by rule")
    say.note(f"{len(comparison.differences):>14,} differences")
    for difference in comparison.differences[:SHOWN]:
        say.note(f"  {difference}")
    if comparison.differences:
        raise Failure(
            "The ledger differs from the file.",
            "Were documents or members changed in Odoo? If not, this is an error of the app or of the loader.",
        )


def _report_entries(ledger):
    """Print what the ledger holds of each rule."""
    totals = defaultdict(Decimal)
    for (_customer, _month, unit, rule, _origin), amount in ledger.amounts.items():
        totals[rule, "points" if unit == "point" else "GBP"] += amount
    for (rule, what), total in sorted(totals.items()):
        say.note(f"{ledger.entries[rule]:>14,} entries with {total:,.2f} {what} by the rule '{rule}'")
    if ledger.other_entries:
        say.note(f"{ledger.other_entries:>14,} entries left out: of documents or rules that were made in Odoo")


def _report_reached(expected):
    """Print how often limit and bands were reached."""
    limit = recompute.MOST_POINTS_IN_MONTH
    say.note(f"{len(expected.capped):>14,} times a member went beyond the limit of {limit} points in a month")
    for threshold, rate in reversed(recompute.BONUS_BANDS):
        say.note(f"{expected.bands[threshold]:>14,} times a member reached the band of {rate} %, from {threshold:,} on")


def main():
    """Run the comparison and return the exit code."""
    parser = argparse.ArgumentParser(prog="retail.compare", description="Compare the ledger with the sales file.")
    parser.add_argument("--config", required=True, type=Path, help="Odoo's configuration file")
    parser.add_argument("--database", required=True)
    parser.add_argument("--file", required=True, type=Path, help="the sales: CSV, gzipped or not")
    parser.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, metavar="DAY")
    arguments = parser.parse_args()
    try:
        connection = sql.connect(arguments.config, arguments.database)
        report(compare(connection, arguments.file, arguments.start, arguments.end))
    except Failure as error:
        say.failure(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
