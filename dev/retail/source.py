"""Read the sales file: check every line before anything is loaded, and group the lines to documents.

A document is one ``InvoiceNo``: one customer, one day (its lines may differ by minutes). The amount of a line is
quantity times price, rounded half up to the penny. The sign of its total makes a document an invoice or a credit note,
because Odoo posts neither with a negative total; in the file that is the same as having a number without or with ``C``.
Only a total of zero leaves it to the number.
"""

import csv
import gzip
import re
import sys
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import NamedTuple

from kit.say import Failure

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
PENNY = Decimal("0.01")
SHOWN_PROBLEMS = 10

INVOICE_NUMBER = re.compile(r"[A-Z]?\d{1,9}")
WHOLE_NUMBER = re.compile(r"-?\d{1,9}")
PRICE = re.compile(r"-?\d{1,9}(\.\d{1,6})?")
CUSTOMER = re.compile(r"(\d{1,12})(\.0)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Line(NamedTuple):
    """One line of a document."""

    code: str
    description: str
    quantity: int
    price: Decimal
    amount: Decimal


class Row(NamedTuple):
    """One line of the file, every field understood."""

    invoice: str
    day: date
    customer: str
    country: str
    line: Line


@dataclass
class Document:
    """An invoice or a credit note."""

    number: str
    customer: str
    country: str
    day: date
    first_line: int
    lines: list = field(default_factory=list)

    @cached_property
    def total(self):
        """The amount with its sign: negative on a credit note."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def is_credit_note(self):
        """Whether Odoo gets it as a credit note."""
        return self.total < 0 or (not self.total and self.number.startswith("C"))

    @property
    def sign(self):
        """What the quantities are multiplied with to make the total positive."""
        return -1 if self.is_credit_note else 1


@dataclass
class Sales:
    """What was read: the documents to load, and what became of every line of the file."""

    documents: list
    lines: int
    no_customer: int
    outside: int
    first_day: date
    last_day: date

    @cached_property
    def taken(self):
        """The number of lines in the documents."""
        return sum(len(document.lines) for document in self.documents)


def read(path, start=None, end=None):
    """Read the file, check all of it, and return the documents between two days.

    :param pathlib.Path path: a CSV file, gzipped or not
    :param datetime.date start: the first day to take, or None
    :param datetime.date end: the last day to take, or None
    :rtype: Sales
    :raises Failure: when the file cannot be read or has malformed lines, or nothing is left to load
    """
    reading = _Reading(start, end)
    try:
        with path.open("rb") as plain:
            zipped = plain.peek(2)[:2] == b"\x1f\x8b"
            reading.run(gzip.GzipFile(fileobj=plain) if zipped else plain)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Failure(f"{path} is damaged: {error}.", "Get the file again; nothing was loaded.") from error
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.", "Give the path of the sales file.") from error
    reading.raise_problems(path)
    return reading.sales(path)


class _Reading:
    """One pass over the file, collecting documents and problems."""

    def __init__(self, start, end):
        self.start = start
        self.end = end
        self.problems = []
        self.documents = {}
        self.lines = self.no_customer = self.outside = 0
        self.first_day, self.last_day = date.max, date.min

    def run(self, stream):
        """Read all lines of a binary stream."""
        reader = csv.reader(self._decode(stream), strict=True)
        rows = self._rows(reader)
        _number, header = next(rows, (1, []))
        if [name.strip() for name in header] != COLUMNS:
            self.problems.append((1, f"the header must be {','.join(COLUMNS)}"))
            return
        for number, cells in rows:
            self._take(number, cells)

    def _decode(self, stream):
        """Yield the lines as text; what is no UTF-8 is a problem, and is read on with a replacement character."""
        for number, line in enumerate(stream, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                self.problems.append((number, "it is not UTF-8 text"))
                yield line.decode("utf-8", "replace")

    def _rows(self, reader):
        """Yield the number of its first line and the cells of each record."""
        while True:
            number = reader.line_num + 1
            try:
                yield number, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.problems.append((number, f"it is no CSV line: is a quotation mark missing? ({error})"))

    def _take(self, number, cells):
        """Put one line where it belongs."""
        self.lines += 1
        try:
            row = parse(cells)
        except ValueError as error:
            self.problems.append((number, str(error)))
            return
        self.first_day = min(self.first_day, row.day)
        self.last_day = max(self.last_day, row.day)
        if not row.customer:
            self.no_customer += 1
        elif (self.start and row.day < self.start) or (self.end and row.day > self.end):
            self.outside += 1
        else:
            self._add(number, row)

    def _add(self, number, row):
        """Add a line to its document."""
        document = self.documents.get(row.invoice)
        if document is None:
            document = Document(row.invoice, row.customer, row.country, row.day, number)
            self.documents[row.invoice] = document
        if (document.customer, document.day) != (row.customer, row.day):
            self.problems.append(
                (number, f"invoice {row.invoice} has another customer or day than on line {document.first_line}")
            )
        document.lines.append(row.line)

    def raise_problems(self, path):
        """Stop if there were malformed lines."""
        if not self.problems:
            return
        self.problems.sort()
        shown = "".join(f"\n  line {number}: {what}" for number, what in self.problems[:SHOWN_PROBLEMS])
        more = len(self.problems) - SHOWN_PROBLEMS
        raise Failure(
            f"{path} has malformed lines:{shown}" + (f"\n  and {more} more" if more > 0 else ""),
            "Correct or delete these lines and run the command again; nothing was loaded.",
        )

    def sales(self, path):
        """Return the result."""
        if not self.documents:
            if not self.lines:
                raise Failure(f"{path} has no lines below its header.", "Give a file with sales.")
            raise Failure(
                f"No line of {path} has a customer and lies between these dates.",
                f"The file covers {self.first_day} to {self.last_day}: choose FROM and TO within that, or neither.",
            )
        documents = sorted(self.documents.values(), key=lambda document: (document.day, document.number))
        return Sales(documents, self.lines, self.no_customer, self.outside, self.first_day, self.last_day)


def parse(cells):
    """Understand the cells of one line.

    :rtype: Row
    :raises ValueError: saying what is wrong with the line
    """
    if not cells:
        raise ValueError("it is empty")
    if len(cells) != len(COLUMNS):
        raise ValueError(f"it has {len(cells)} columns instead of {len(COLUMNS)}")
    if any("\0" in cell for cell in cells):
        raise ValueError("it has a NUL character")
    invoice, code, description, quantity, moment, price, customer, country = map(str.strip, cells)
    _expect(INVOICE_NUMBER, "InvoiceNo", invoice, "digits, or a letter and digits")
    if not code:
        raise ValueError("StockCode is empty")
    _expect(WHOLE_NUMBER, "Quantity", quantity, "a whole number")
    _expect(PRICE, "UnitPrice", price, "a number with a point and up to six decimals")
    line = _line(code, description, int(quantity), Decimal(price))
    return Row(invoice, _day(moment), _customer(customer), sys.intern(country), line)


def _expect(pattern, column, text, wanted):
    """Raise unless ``text`` has the form of ``pattern``."""
    if not pattern.fullmatch(text):
        raise ValueError(f"{column} must be {wanted}, but is {text[:40]!r}")


def _day(text):
    """Return the day of ``InvoiceDate``."""
    try:
        _expect(MOMENT, "InvoiceDate", text, "like 2010-12-31 23:59:00")
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise ValueError(f"InvoiceDate must be like 2010-12-31 23:59:00, but is {text[:40]!r}") from error


def _customer(text):
    """Return the customer's number without the ``.0`` that a spreadsheet gave it, or an empty string."""
    if not text:
        return ""
    _expect(CUSTOMER, "CustomerID", text, "empty or a whole number")
    return sys.intern(CUSTOMER.fullmatch(text)[1])


def _line(code, description, quantity, price):
    """Return the line with its amount."""
    amount = (quantity * price).quantize(PENNY, ROUND_HALF_UP)
    return Line(sys.intern(code), sys.intern(description or code), quantity, price, amount)
