"""What the program *Retail dealers* must have given, worked out from the file alone.

Plain Python with :mod:`decimal`. It shares no code with the loader or the app on purpose, not even the reading of the
file: an error on either side shows up as a difference in :mod:`.compare`.

``python -m retail.recompute FILE [--from DAY --to DAY] [--csv]`` prints the totals, or all that each member earned.
"""

import argparse
import csv
import gzip
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple

CENT = Decimal("0.01")
# What each rule earns.
UNITS = {"points": "point", "commission": "money", "bonus": "money", "promotion": "point"}

POINTS = Decimal("0.1")
MOST_POINTS_IN_MONTH = Decimal(40)
LOWEST_RATE = Decimal(2)
HIGHER_RATES = [(Decimal(20000), Decimal(4)), (Decimal(5000), Decimal(3))]
# From the highest band down: above how much, and how many percent.
BONUS_BANDS = [(Decimal(10000), Decimal(3)), (Decimal(2000), Decimal(2)), (Decimal(500), Decimal(1))]
# The promotion runs on these days of the first month: five points for each full 50 pounds of a document.
PROMOTION_DAYS = range(6, 13)
PROMOTION_STEP = Decimal(50)
PROMOTION_POINTS = Decimal(5)


class Document(NamedTuple):
    """An invoice, or a credit note with a total below zero."""

    number: str
    customer: str
    day: date
    total: Decimal


class Answer(NamedTuple):
    """For what a member earned something: a rule, and a document or a month as a whole."""

    customer: str
    month: str
    rule: str
    origin: str


class Promotion(NamedTuple):
    """What came of the promotion."""

    members: int
    documents: int
    turnover: Decimal
    points: Decimal


@dataclass
class Expected:
    """What the program must have given: the joining day by member, and amounts by :class:`Answer`.

    ``capped`` are the customers and months that went beyond the limit of points, and ``bands`` counts those whose
    turnover reached each band of the bonus, by where the band begins.
    """

    joined: dict
    amounts: dict
    capped: set
    bands: Counter
    promotion: Promotion


# ---------------------------------------------------------------------------------------------------------------------
# FILE
# ---------------------------------------------------------------------------------------------------------------------


def read(path, start=None, end=None, numbers=None):
    """Return each document with a customer, by its number.

    :param pathlib.Path path: the sales file
    :param datetime.date start: the first day that counts, or None
    :param datetime.date end: the last day that counts, or None
    :param numbers: only these documents; all where None
    :rtype: dict[str, Document]
    """
    customers, days, totals = {}, {}, defaultdict(Decimal)
    with _open(path) as file:
        for row in csv.DictReader(file):
            number, day = row["InvoiceNo"], date.fromisoformat(row["InvoiceDate"][:10])
            if not row["CustomerID"] or (start and day < start) or (end and day > end):
                continue
            if numbers is not None and number not in numbers:
                continue
            customers[number] = row["CustomerID"].partition(".")[0]
            days[number] = day
            totals[number] += round_half_up(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]))
    return {number: Document(number, customers[number], days[number], totals[number]) for number in totals}


def _open(path):
    """Open the file as text, gzipped or not."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8")


def round_half_up(amount):
    """Round to two decimals, half away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def month_of(day):
    """Return the number of the month, counted from the year 0."""
    return day.year * 12 + day.month - 1


def month_name(number):
    """Return the month as ``2010-12``."""
    return f"{number // 12}-{number % 12 + 1:02}"


# ---------------------------------------------------------------------------------------------------------------------
# MEMBERS
# ---------------------------------------------------------------------------------------------------------------------


def joining_days(documents):
    """Return the day on which each member joins: that of its first document above zero.

    Members have such documents in three calendar months, or in one where fewer than three months are there at all.
    """
    needed = 3 if len({month_of(document.day) for document in documents}) >= 3 else 1
    above_zero = defaultdict(list)
    for document in documents:
        if document.total > 0:
            above_zero[document.customer].append(document.day)
    return {
        customer: min(days) for customer, days in above_zero.items() if len({month_of(day) for day in days}) >= needed
    }


def counted_documents(documents, joined):
    """Return the documents of members since they joined, in the order in which they share a limit.

    That is by day and then as they were entered, which is by number.
    """
    counted = [document for document in documents if joined.get(document.customer, date.max) <= document.day]
    return sorted(counted, key=lambda document: (document.day, document.number))


def turnover_by_month(documents):
    """Return the sum of documents by customer and number of the month."""
    turnover = defaultdict(lambda: defaultdict(Decimal))
    for document in documents:
        turnover[document.customer][month_of(document.day)] += document.total
    return turnover


# ---------------------------------------------------------------------------------------------------------------------
# RULES
# ---------------------------------------------------------------------------------------------------------------------


def expected(documents):
    """Return what the program must have given.

    :param documents: all documents that there are
    :rtype: Expected
    """
    documents = list(documents)
    joined = joining_days(documents)
    counted = counted_documents(documents, joined)
    turnover = turnover_by_month(counted)
    points, capped = capped_points(counted)
    first_month = min((month_of(document.day) for document in documents), default=0)
    promoted = promotion_points([document for document in counted if is_promoted(document, first_month)])
    amounts = points | commission(counted, joined, turnover) | bonus(turnover)
    amounts |= {answer_of("promotion", document): amount for document, amount in promoted.items()}
    return Expected(joined, amounts, capped, reached_bands(turnover), promotion_outcome(promoted))


def answer_of(rule, document):
    """Return the key of what a rule gives for a document."""
    return Answer(document.customer, month_name(month_of(document.day)), rule, document.number)


def capped_points(documents):
    """Return the points for documents, and the customers and months that went beyond the limit.

    What a credit note takes makes room for documents that come after it.
    """
    without_limit, answers, capped = defaultdict(Decimal), {}, set()
    for document in documents:
        place = document.customer, month_of(document.day)
        before = min(without_limit[place], MOST_POINTS_IN_MONTH)
        without_limit[place] += round_half_up(document.total * POINTS)
        answers[answer_of("points", document)] = min(without_limit[place], MOST_POINTS_IN_MONTH) - before
        if without_limit[place] > MOST_POINTS_IN_MONTH:
            capped.add(place)
    return answers, capped


def commission(documents, joined, turnover):
    """Return the commission for documents, by the tier of their month."""
    answers = {}
    for document in documents:
        joining_month = month_of(joined[document.customer])
        rate = rate_in(month_of(document.day), joining_month, turnover[document.customer])
        answers[answer_of("commission", document)] = round_half_up(document.total * rate / 100)
    return answers


def rate_in(month, joined, turnover):
    """Return the commission rate of a member in a month.

    :param int month: the month asked for
    :param int joined: the month in which the member joined: the lowest tier holds until its end
    :param dict turnover: counted turnover by month
    """
    if month <= joined:
        return LOWEST_RATE
    last_twelve = sum((turnover.get(past, Decimal(0)) for past in range(month - 12, month)), Decimal(0))
    return next((rate for threshold, rate in HIGHER_RATES if last_twelve >= threshold), LOWEST_RATE)


def bonus(turnover):
    """Return the bonus of each member and month."""
    answers = {}
    for customer, by_month in turnover.items():
        for month, total in by_month.items():
            name = month_name(month)
            answers[Answer(customer, name, "bonus", name)] = bonus_on(total)
    return answers


def bonus_on(total):
    """Return the bonus on the turnover of a month: of each band its own percent."""
    earned, left = Decimal(0), total
    for threshold, rate in BONUS_BANDS:
        if left > threshold:
            earned += (left - threshold) * rate / 100
            left = threshold
    return round_half_up(earned)


def reached_bands(turnover):
    """Return how many members and months have turned over more than where each band begins."""
    totals = [total for by_month in turnover.values() for total in by_month.values()]
    return Counter(threshold for threshold, _rate in BONUS_BANDS for total in totals if total > threshold)


def is_promoted(document, first_month):
    """Return whether a document lies within the days of the promotion."""
    return month_of(document.day) == first_month and document.day.day in PROMOTION_DAYS


def promotion_points(documents):
    """Return the points of the promotion by document; a credit note takes them back for its full amounts, too."""
    return {document: document.total // PROMOTION_STEP * PROMOTION_POINTS for document in documents}


def promotion_outcome(promoted):
    """Return what came of the promotion, of the documents that moved any points.

    :rtype: Promotion
    """
    moved = {document: points for document, points in promoted.items() if points}
    return Promotion(
        members=len({document.customer for document, points in moved.items() if points > 0}),
        documents=len(moved),
        turnover=sum((document.total for document in moved), Decimal(0)),
        points=sum(moved.values(), Decimal(0)),
    )


# ---------------------------------------------------------------------------------------------------------------------
# COMMAND
# ---------------------------------------------------------------------------------------------------------------------


def main():
    """Print what is expected."""
    parser = argparse.ArgumentParser(prog="retail.recompute", description="Work out what members earn from a file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--csv", action="store_true", help="all that each member earned")
    arguments = parser.parse_args()
    documents = read(arguments.file, arguments.start, arguments.end)
    wanted = expected(documents.values())
    if arguments.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow([*Answer._fields, "unit", "amount"])
        writer.writerows([*key, UNITS[key.rule], amount] for key, amount in sorted(wanted.amounts.items()))
        return
    print(f"{len(documents):>12,} documents")
    print(f"{len(wanted.joined):>12,} members")
    for rule, unit in UNITS.items():
        total = sum((amount for answer, amount in wanted.amounts.items() if answer.rule == rule), Decimal(0))
        print(f"{total:>12,.2f} {unit}: {rule}")


if __name__ == "__main__":
    main()
