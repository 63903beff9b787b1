"""What the program *Retail dealers* must have given, worked out from the file alone.

Plain Python with :mod:`decimal`. It shares no code with the loader or the app on purpose, not even the reading of the
file: an error on either side shows up as a difference in :mod:`.compare`.

``python -m retail.recompute FILE [--from DAY --to DAY] [--csv]`` prints the totals, or every member and month.
"""

import argparse
import csv
import gzip
import sys
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")
POINTS = Decimal("0.1")
LOWEST_RATE = Decimal(2)
HIGHER_RATES = [(Decimal(20000), Decimal(4)), (Decimal(5000), Decimal(3))]


def round_half_up(amount):
    """Round to two decimals, half away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def month_of(day):
    """Return the number of the month, counted from the year 0."""
    return day.year * 12 + day.month - 1


def month_name(number):
    """Return the month as ``2010-12``."""
    return f"{number // 12}-{number % 12 + 1:02}"


def read(path, start=None, end=None, numbers=None):
    """Return customer, day and total of each document with a customer, by its number.

    :param pathlib.Path path: the sales file
    :param datetime.date start: the first day that counts, or None
    :param datetime.date end: the last day that counts, or None
    :param numbers: only these documents; all where None
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
    return {number: (customers[number], days[number], totals[number]) for number in totals}


def _open(path):
    """Open the file as text, gzipped or not."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8")


def joining_days(documents):
    """Return the day on which each member joins: that of its first document above zero.

    Members have such documents in three calendar months, or in one where fewer than three months are there at all.
    """
    needed = 3 if len({month_of(day) for _customer, day, _total in documents}) >= 3 else 1
    above_zero = defaultdict(list)
    for customer, day, total in documents:
        if total > 0:
            above_zero[customer].append(day)
    return {
        customer: min(days) for customer, days in above_zero.items() if len({month_of(day) for day in days}) >= needed
    }


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


def expected(documents):
    """Return points and commission of each member and month that has any document.

    :param documents: customer, day and total of each document
    :return: ``{(customer, "2010-12"): (points, commission)}``, and the joining day by member
    """
    documents = list(documents)
    joined = joining_days(documents)
    counted = [(c, month_of(day), total) for c, day, total in documents if c in joined and day >= joined[c]]
    turnover = defaultdict(lambda: defaultdict(Decimal))
    for customer, month, total in counted:
        turnover[customer][month] += total
    cells = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for customer, month, total in counted:
        rate = rate_in(month, month_of(joined[customer]), turnover[customer])
        points, money = cells[customer, month_name(month)]
        points += round_half_up(total * POINTS)
        money += round_half_up(total * rate / 100)
        cells[customer, month_name(month)] = (points, money)
    return dict(cells), joined


def main():
    """Print what is expected."""
    parser = argparse.ArgumentParser(prog="retail.recompute", description="Work out points and commission from a file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--csv", action="store_true", help="every member and month")
    arguments = parser.parse_args()
    documents = read(arguments.file, arguments.start, arguments.end).values()
    cells, joined = expected(documents)
    if arguments.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["customer", "month", "points", "commission"])
        writer.writerows([*key, *amounts] for key, amounts in sorted(cells.items()))
        return
    print(f"{len(documents):>12,} documents")
    print(f"{len(joined):>12,} members")
    print(f"{len(cells):>12,} members and months with documents")
    print(f"{sum(points for points, _money in cells.values()):>12,.2f} points")
    print(f"{sum(money for _points, money in cells.values()):>12,.2f} GBP commission")


if __name__ == "__main__":
    main()
