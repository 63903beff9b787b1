"""The command: ``python -m retail --config odoo.conf --database loyalty --file sales.csv.gz [--from DAY --to DAY]``."""

import argparse
import os
import sys
import time
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from kit import say
from kit.say import Failure

from . import source

INTERRUPTED = 130


def main():
    """Run the command and return its exit code."""
    try:
        _run(_arguments())
    except Failure as error:
        say.failure(error)
        return 1
    except KeyboardInterrupt:
        say.failure(Failure("Interrupted.", "Run the command again: it goes on where it stopped."))
        return INTERRUPTED
    return 0


def _arguments():
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="retail", description="Load real wholesale sales into Odoo.")
    parser.add_argument("--config", required=True, type=Path, help="Odoo's configuration file")
    parser.add_argument("--database", required=True)
    parser.add_argument("--file", required=True, type=Path, help="the sales: CSV, gzipped or not")
    parser.add_argument("--from", dest="start", default="", metavar="DAY", help="the first day to load (2010-12-01)")
    parser.add_argument("--to", dest="end", default="", metavar="DAY", help="the last day to load (2010-12-31)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="processes that load documents")
    arguments = parser.parse_args()
    arguments.start = _day("FROM", arguments.start)
    arguments.end = _day("TO", arguments.end)
    if arguments.start and arguments.end and arguments.start > arguments.end:
        raise Failure("FROM is later than TO.", "Give the earlier day as FROM and the later one as TO.")
    return arguments


def _day(name, text):
    """Return the day of an argument, or None."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Failure(f"{name} is no day: {text}", "Write it like 2010-12-31.") from error


class Steps:
    """The steps with their times."""

    def __init__(self):
        self.times = {}

    @contextmanager
    def step(self, name):
        """Announce a step and time it."""
        say.step(name)
        started = time.monotonic()
        yield
        self.times[name] = time.monotonic() - started

    def report(self):
        """Print the time of each step."""
        say.step("Time of each step")
        for name, seconds in self.times.items():
            say.note(f"{seconds:7.1f} s  {name}")
        say.note(f"{sum(self.times.values()):7.1f} s  in all")


def _run(arguments):
    """Do all steps."""
    steps = Steps()
    with steps.step(f"Reading {arguments.file.name}"):
        sales = source.read(arguments.file, arguments.start, arguments.end)
        _report_source(sales)
    with steps.step("Starting Odoo"):
        # Imported late, with Odoo: a malformed file is reported at once.
        from .session import Session

        session = Session(arguments.config, arguments.database)
    books = _load(steps, session, sales, max(arguments.jobs, 1))
    if not session.has("partner.loyalty.program"):
        raise Failure(
            f"The database {arguments.database} has the sales now, but not the app partner_loyalty.",
            "Install the app and run the command again.",
        )
    _apply_program(steps, session, books)
    _compare(steps, session, books, arguments.file)
    _compare_figures(steps, session, books)
    steps.report()


def _load(steps, session, sales, jobs):
    """Load what is missing and check all of it; return the books."""
    from . import company, load, program

    with steps.step("Company, customers and products"):
        books = company.prepare(session, sales)
        missing = load.missing(session, books, sales.documents)
        if missing:
            program.retire(session, books)
    with steps.step("Invoices and credit notes"):
        load.load(session, books, missing, jobs)
    with steps.step("Checking every document against the file"):
        wrong = load.check(session, books, sales.documents)
    _report_load(sales, len(missing), wrong)
    return books


def _apply_program(steps, session, books):
    """Make the program and apply it to the past, with a preview."""
    from . import program

    with steps.step(f"Program '{program.NAME}' and its members"):
        program_id = program.prepare(session, books)
    with steps.step("Preview: what applying it to the past would post"):
        preview = program.preview(session, books, program_id)
        say.note(f"{preview['entries']:>14,} entries")
        say.note(f"{preview['points']:>14,.2f} points")
        say.note(f"{preview['money']:>14,.2f} GBP")
    with steps.step("Applying it to the past"):
        program.apply(session, books, program_id)
    figures = program.figures(session, books, program_id)
    say.step(f"Account of the program '{program.NAME}'")
    say.note(f"{figures.members:>14,} members")
    say.note(f"{figures.contributions:>14,} contributions: lines of their invoices and credit notes")
    say.note(f"{figures.entries:>14,} entries")
    say.note(f"{figures.points:>14,.2f} points")
    say.note(f"{figures.money:>14,.2f} GBP commission and bonus")


def _compare(steps, session, books, file):
    """Compare the ledger, and what came of the promotion, with an independent computation."""
    from . import compare, rules

    with steps.step("What the app shows of the promotion"):
        promotion = rules.promotion(session, books)
        say.note(f"{promotion.members:>14,} members earned by it")
        say.note(f"{promotion.documents:>14,} documents, {promotion.turnover:,.2f} GBP")
        say.note(f"{promotion.points:>14,.2f} points")
        say.note(promotion.sentence)
    with steps.step("Comparing the ledger with plain Python's account of the file"):
        comparison = compare.compare(session.connect(), file)
        comparison.differences += compare.promotion_differences(comparison.expected.promotion, promotion)
        compare.report(comparison)


def _compare_figures(steps, session, books):
    """Compare the key figures of the program with those worked out anew from the tables."""
    from figures import compare

    from . import company, program

    with steps.step("Comparing the key figures with those worked out from the tables"):
        with session.env(books.company) as env:
            record = company.find(env, program.XMLID)
            spans = compare.spans_until(record.date_to + timedelta(days=1))
            comparison = compare.compare(env, session.connect(), record, spans)
        compare.report([comparison])


def _report_source(sales):
    """Say what the file has."""
    say.note(f"{sales.lines:,} lines from {sales.first_day} to {sales.last_day}, all well-formed.")
    say.note(f"{len(sales.documents):,} documents with {sales.taken:,} lines to load.")


def _report_load(sales, loaded, wrong):
    """Print the account of documents and lines; stop if a document differs from the file."""
    notes = [document for document in sales.documents if document.is_credit_note]
    invoiced = sum((document.total for document in sales.documents if not document.is_credit_note), Decimal(0))
    credited = sum((document.total for document in notes), Decimal(0))
    say.step("Account of the file")
    say.note(f"{sales.lines:>9,} lines in the file")
    say.note(f"{sales.no_customer:>9,} left out: no customer")
    say.note(f"{sales.outside:>9,} left out: outside the dates")
    say.note(f"{sales.taken:>9,} taken")
    before = len(sales.documents) - loaded
    say.note(f"{len(sales.documents):>9,} documents: {loaded:,} loaded now, {before:,} there before")
    say.note(f"{len(sales.documents) - len(notes):>9,} invoices, {invoiced:,.2f} GBP")
    say.note(f"{len(notes):>9,} credit notes, {credited:,.2f} GBP")
    say.note(f"{len(sales.documents) - len(wrong):>9,} documents equal the file to the penny, {len(wrong):,} differ")
    if wrong:
        raise Failure(
            f"Documents differ from the file: {', '.join(wrong[:10])}.",
            "Somebody changed them in Odoo: put them right, or start over with 'make reset'.",
        )


if __name__ == "__main__":
    sys.exit(main())
