"""A ledger in plain Python: lots, debits, debts and expiry. It shares no code with the app on purpose."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from dateutil.relativedelta import relativedelta

ZERO = Decimal(0)
# Debits that may leave a debt.
DEBTS = ("clawback", "bonus_undo", "opening", "transfer")
# Those of them that take back what was earned.
RECOVERIES = ("clawback", "bonus_undo")


def last_sale(entries):
    """Return the day of the last sale that earned anything; None without any."""
    return max(
        (e.contribution_date for e in entries if e.amount > 0 and e.type in ("accrual", "opening")), default=None
    )


def round_to(amount, step):
    """Return ``amount`` in whole steps, half away from zero."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


@dataclass
class Terms:
    """When an earning matures and expires; ``kind`` is never, months, year_end or idle."""

    maturity_days: int = 0
    kind: str = "never"
    months: int = 0

    def expiry(self, day):
        """Return the last day of an earning of ``day``, where the calendar says."""
        if self.kind == "months":
            return day + relativedelta(months=self.months)
        if self.kind == "year_end":
            return date((day + relativedelta(months=self.months)).year, 12, 31)
        return None


@dataclass(eq=False)
class Entry:
    """A line of the ledger."""

    type: str
    amount: Decimal
    cause: tuple  # rule and document that it is about
    contribution_date: date
    date: date
    mature_date: date
    expiry_date: date | None = None
    idle_months: int | None = None
    order: tuple = ()  # among lines that are posted together
    key: tuple = ()  # origin and first day of the period, of what a rule earned
    sequence: int = 0
    number: int = 0  # among all lines of the program
    open: Decimal = ZERO

    def facts(self):
        """Return what can be compared with a line in the database."""
        return (self.type, self.amount, self.date, self.contribution_date, self.mature_date, self.expiry_date)


@dataclass(eq=False)
class Book:
    """What the accounts of a program have in common: the calendar, the lock, and how debts are recovered."""

    today: date
    money_step: Decimal = Decimal("0.01")
    lock_date: date | None = None
    recovery_share: Decimal = Decimal(100)
    posted: int = 0


@dataclass(eq=False)
class Account:
    """The lines of a member in one unit, and which lot paid for what."""

    book: Book
    unit: str = "money"
    owner: object = None  # has ``last_sale()`` for lots that expire after months without sales
    entries: list = field(default_factory=list)
    parts: list = field(default_factory=list)  # [debit, lot, amount]

    @property
    def balance(self):
        """Return the sum of all lines."""
        return sum((entry.amount for entry in self.entries), ZERO)

    def lots(self):
        """Return the open lots, in the order in which they are spent."""
        lots = [entry for entry in self.entries if entry.open > 0]
        return sorted(lots, key=lambda lot: (lot.expiry_date or date.max, lot.mature_date, lot.sequence))

    def debts(self):
        """Return the open debits, oldest first."""
        return [entry for entry in self.entries if entry.open < 0]

    def last_day(self, lot):
        """Return the last day on which a lot can be spent, or None."""
        if lot.idle_months:
            start = self.last_sale() or lot.contribution_date
            if lot.type in ("adjustment", "bonus"):
                start = max(start, lot.contribution_date)
            return max(lot.mature_date, start + relativedelta(months=lot.idle_months))
        return lot.expiry_date

    def last_sale(self):
        """Return the day of the last sale that earned the owner anything; None without any."""
        return self.owner.last_sale() if self.owner else last_sale(self.entries)

    def available(self, day=None):
        """Return what has matured by ``day`` and has not expired."""
        return sum((lot.open for lot in self.live_lots() if lot.mature_date <= (day or self.book.today)), ZERO)

    def live_lots(self):
        """Return the open lots that have not expired."""
        return [lot for lot in self.lots() if (self.last_day(lot) or date.max) >= self.book.today]

    # === Posting ===

    def post(self, *entries):
        """Append lines; none is dated in a locked period, matures before its day or expires before it matures."""
        first_day = self.book.lock_date + timedelta(days=1) if self.book.lock_date else date.min
        for entry in entries:
            entry.date = max(entry.date, first_day)
            if entry.expiry_date:
                entry.expiry_date = max(entry.expiry_date, entry.mature_date, entry.date)
            entry.mature_date = max(entry.mature_date, entry.date)
            entry.open = entry.amount
        for entry in sorted(entries, key=lambda entry: (entry.date, entry.contribution_date, entry.order)):
            self.entries.append(entry)
            entry.sequence = len(self.entries)
            self.book.posted += 1
            entry.number = self.book.posted

    def allocate(self, debit, lot, amount):
        """Let a debit take from a lot, or give back with a negative amount."""
        self.parts.append((debit, lot, amount))
        debit.open += amount
        lot.open -= amount

    def taken(self, debit, lot):
        """Return how much a debit has from a lot."""
        return sum((part[2] for part in self.parts if part[0] is debit and part[1] is lot), ZERO)

    # === Debts ===

    def settle(self):
        """Let debts take from what is open: from the earning of their own document first."""
        self._settle_own()
        if not self.debts():
            return
        self.expire()
        if self._give_back_expired():
            self._settle_own()
        # How much of a lot debts may take is worked out once, before they do.
        capacities = {id(lot): self._recoverable(lot) for lot in self.lots()}
        self._match(self.debts(), self.lots(), capacities)

    def _settle_own(self):
        for cause in {debt.cause for debt in self.debts()}:
            lots = [lot for lot in self.lots() if lot.cause == cause]
            self._match([debt for debt in self.debts() if debt.cause == cause], lots)

    def _match(self, debits, lots, capacities=None):
        room = dict(capacities or {id(lot): lot.open for lot in lots})
        for debit in debits:
            for lot in lots:
                amount = min(-debit.open, room[id(lot)])
                if amount > 0:
                    room[id(lot)] -= amount
                    self.allocate(debit, lot, amount)

    def _recoverable(self, lot):
        if self.book.recovery_share == 100 or self.unit != "money":
            return lot.open
        taken = sum((part[2] for part in self.parts if part[1] is lot and part[0].type in DEBTS), ZERO)
        highest = round_to(lot.amount * self.book.recovery_share / 100, self.book.money_step)
        return min(lot.open, max(ZERO, highest - taken))

    # === Expiry ===

    def expire(self):
        """Take off what has expired: one line for each day of expiry."""
        by_day = {}
        for lot in self.lots():
            day = self.last_day(lot)
            if day and day < self.book.today:
                by_day.setdefault(day, []).append(lot)
        debits = {}
        for day, lots in by_day.items():
            after = day + timedelta(days=1)
            debits[day] = Entry("expiry", -sum(lot.open for lot in lots), ("expiry", day), after, after, after)
        self.post(*debits.values())
        for day, lots in by_day.items():
            for lot in lots:
                self.allocate(debits[day], lot, lot.open)

    def _give_back_expired(self):
        """Give back what had expired of earnings that are taken back, as far as they still owe it."""
        given = False
        for cause in {debt.cause for debt in self.debts() if debt.type in RECOVERIES}:
            owed = -sum(debt.open for debt in self.debts() if debt.cause == cause and debt.type in RECOVERIES)
            pairs = {(part[1].sequence, part[0].sequence): part[:2] for part in self.parts if part[0].type == "expiry"}
            for _key, (debit, lot) in sorted(pairs.items()):
                amount = min(owed, self.taken(debit, lot)) if lot.cause == cause else ZERO
                if amount > 0:
                    owed -= amount
                    given = True
                    self._give_back(debit, lot, amount, self._counter("expiry_return", amount, debit.cause))
        return given

    def _counter(self, entry_type, amount, cause):
        today = self.book.today
        entry = Entry(entry_type, amount, cause, today, today, today)
        self.post(entry)
        return entry

    def _give_back(self, debit, lot, amount, counter):
        self.allocate(debit, lot, -amount)
        self.allocate(debit, counter, amount)

    # === Moving ===

    def move_to(self, target, member):
        """Move what is open to another account: lots with their terms, and debts as one.

        :param Account target: of the same unit
        :param int member: id of who is moved
        """
        today, lots, debts = self.book.today, self.lots(), self.debts()
        terms = {}
        for lot in lots:
            key = (max(lot.mature_date, today), lot.expiry_date, lot.idle_months)
            terms[key] = terms.get(key, ZERO) + lot.open
        keys = sorted(terms, key=lambda key: (key[0], key[1] or date.max, key[2] or 10**6))
        moved = [self._transfer(terms[key], member, number, *key) for number, key in enumerate(keys)]
        owed = sum((debt.open for debt in debts), ZERO)
        if owed:
            moved.append(self._transfer(owed, member, len(keys), today))
        if moved:
            self._close_for_transfer(lots, debts, member)
            target.post(*moved)
            target.settle()

    def _close_for_transfer(self, lots, debts, member):
        for number, side in enumerate((debts, lots)):
            amount = -sum((entry.open for entry in side), ZERO)
            if amount:
                counter = self._transfer(amount, member, number, self.book.today)
                self.post(counter)
                for entry in side:
                    debit, lot = (entry, counter) if amount > 0 else (counter, entry)
                    self.allocate(debit, lot, abs(entry.open))

    def _transfer(self, amount, member, number, mature_date, expiry_date=None, idle_months=None):
        today, cause = self.book.today, ("transfer", member, amount > 0)
        return Entry(
            "transfer", amount, cause, today, today, mature_date, expiry_date, idle_months, order=(member, number)
        )

    # === Adjusting ===

    def can_adjust(self, amount):
        """Return whether an adjustment is covered: what it takes may mature later, and not have expired."""
        return amount >= -sum((lot.open for lot in self.live_lots()), ZERO)

    def adjust(self, entry):
        """Post an adjustment or an opening balance: it pays debts, or takes what it says."""
        self.post(entry)
        self.settle()
        if entry.type == "adjustment" and entry.amount < 0:
            self.expire()
            self._match([entry], self.lots())

    # === Spending ===

    def spend(self, entry_type, amount, cause, mature_by=None):
        """Take ``amount`` from matured lots; return the debit, or None where not all of it is there."""
        today = self.book.today
        mature_by = mature_by or today
        if amount <= 0 or amount > self.available(mature_by):
            return None
        entry = Entry(entry_type, -amount, cause, today, today, today)
        self.post(entry)
        self.expire()
        self._match([entry], [lot for lot in self.lots() if lot.mature_date <= mature_by])
        return entry

    def give_back(self, debit, entry_type):
        """Take a spending back: what it took is in its lots again, and expires if it is past its day."""
        pieces = {}
        for part in self.parts:
            if part[0] is debit:
                pieces[id(part[1])] = (part[1], pieces.get(id(part[1]), (None, ZERO))[1] + part[2])
        counter = self._counter(entry_type, -debit.amount, debit.cause)
        for lot, amount in pieces.values():
            if amount:
                self._give_back(debit, lot, amount, counter)
        self.expire()
        self.settle()
        return counter
