"""Compare the ledger with what :mod:`.recompute` makes of the file: every member, every month, to the cent.

The ledger is read by plain SQL. ``python -m retail.compare --config odoo.conf --database loyalty --file sales.csv.gz``
compares the documents that are in the database; with ``--from`` or ``--to`` it demands all documents of those days, and
no others.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from kit import say
from kit.say import Failure

from . import recompute, sql

SHOWN = 20
UNITS = ("point", "money")

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
    SELECT substr(partner.ref, length('retail-') + 1), to_char(entry.contribution_date, 'YYYY-MM'), account.unit,
           trim_scale(sum(entry.amount))::text, count(*)
      FROM partner_loyalty_entry entry
      JOIN partner_loyalty_account account ON account.id = entry.account_id
      JOIN partner_loyalty_member member ON member.id = account.member_id
      JOIN res_partner partner ON partner.id = member.partner_id
      JOIN account_move move ON move.id = entry.origin_id AND entry.origin_model = 'account.move'
     WHERE entry.program_id = %s AND entry.type IN ('accrual', 'clawback')
       AND move.journal_id = %s AND move.ref IS NOT NULL
  GROUP BY partner.ref, to_char(entry.contribution_date, 'YYYY-MM'), account.unit
"""
ENTRIES = "SELECT count(*) FROM partner_loyalty_entry WHERE program_id = %s"


@dataclass
class Ledger:
    """What the database holds: documents, members with their first day, and sums by customer, month and unit."""

    numbers: set
    joined: dict
    cells: dict
    entries: int
    other_entries: int


@dataclass
class Comparison:
    """The outcome: how much was compared, and a sentence for each difference."""

    documents: int
    members: int
    months: int
    cells: int
    entries: int
    other_entries: int
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
        cr.execute(LEDGER, [program, journal])
        rows = cr.fetchall()
        cr.execute(ENTRIES, [program])
        [(all_entries,)] = cr.fetchall()
    cells = {(customer, month, unit): Decimal(amount) for customer, month, unit, amount, _count in rows}
    entries = sum(count for *_cell, count in rows)
    return Ledger(numbers, joined, cells, entries, all_entries - entries)


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
    cells, joined = recompute.expected(documents.values())
    wanted = {(*key, "point"): points for key, (points, _money) in cells.items()}
    wanted |= {(*key, "money"): money for key, (_points, money) in cells.items()}
    months = {recompute.month_name(recompute.month_of(day)) for _customer, day, _total in documents.values()}
    keys = {(customer, month, unit) for customer in joined for month in months for unit in UNITS}
    keys |= wanted.keys() | ledger.cells.keys()
    differences = _document_differences(documents, ledger) + _member_differences(joined, ledger)
    differences += _cell_differences(sorted(keys), wanted, ledger)
    return Comparison(
        documents=len(documents),
        members=len(joined),
        months=len(months),
        cells=len(keys),
        entries=ledger.entries,
        other_entries=ledger.other_entries,
        differences=differences,
    )


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


def _cell_differences(keys, wanted, ledger):
    """Return a sentence for each customer, month and unit whose sums differ."""
    zero = Decimal(0)
    return [
        f"customer {key[0]}, {key[1]}, {key[2]}: file {wanted.get(key, zero)}, ledger {ledger.cells.get(key, zero)}"
        for key in keys
        if wanted.get(key, zero) != ledger.cells.get(key, zero)
    ]


def report(comparison):
    """Print the outcome; stop on any difference."""
    scope = f"{comparison.members:,} members x {comparison.months:,} months x points and commission"
    say.note(f"{comparison.documents:>14,} documents")
    say.note(f"{comparison.entries:>14,} entries of these documents in the ledger")
    if comparison.other_entries:
        say.note(f"{comparison.other_entries:>14,} entries left out: of documents that were made in Odoo")
    say.note(f"{comparison.cells:>14,} cells compared: {scope}")
    say.note(f"{len(comparison.differences):>14,} differences")
    for difference in comparison.differences[:SHOWN]:
        say.note(f"  {difference}")
    if comparison.differences:
        raise Failure(
            "The ledger differs from the file.",
            "Were documents or members changed in Odoo? If not, this is an error of the app or of the loader.",
        )


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
