"""What a program must have earned its members, worked out from documents in plain Python.

Documents, rules, memberships and tiers are small objects; the driver changes them as it changes the database.
:meth:`Program.answer` brings the accounts in line, as the app does for documents that were touched.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from .ledger import ZERO, Account, Book, Entry, Terms, round_to

EARNINGS = ("accrual", "clawback")


def month_end(day):
    """Return the last day of a month."""
    return day + relativedelta(day=31)


@dataclass(eq=False)
class Document:
    """An order, an invoice or a credit note, in its own currency.

    ``lines`` are untaxed amounts; ``rate`` is how much of the currency one unit of the company's is worth.
    """

    model: str
    id: int
    buyer: int
    day: date
    lines: list
    rate: Decimal
    referrer: int | None = None
    counts: bool = False  # confirmed, or posted
    reversed: "Document | None" = None
    is_refund: bool = False
    payments: list = field(default_factory=list)  # (day, amount) in document currency
    matched: dict = field(default_factory=dict)  # credit notes made from it, and how much of each nets it
    credits: list = field(default_factory=list)

    @property
    def origin(self):
        """Return the document that the reward belongs to."""
        return self.reversed or self

    @property
    def sign(self):
        return -1 if self.is_refund else 1

    @property
    def total(self):
        return sum(self.lines, ZERO)

    @property
    def residual(self):
        """Return what is still to be paid."""
        return self.total - sum((amount for _day, amount in self.payments), ZERO) - sum(self.matched.values(), ZERO)

    def value(self, step):
        """Return the worth in company currency, each line rounded."""
        return self.sign * sum((round_to(line / self.rate, step) for line in self.lines), ZERO)

    def contributions(self, kind, step):
        """Yield ``(day, amount)`` for a kind of contribution."""
        if not self.counts or (self.model == "sale.order") != (kind == "order"):
            return
        if kind != "payment":
            yield self.day, self.value(step)
        elif not self.reversed:
            for day, amount in self.payments:
                yield day, self.value(step) * amount / self.total
        else:
            # It nets what the invoice leaves open, and counts as paid back in what goes beyond.
            back = self.total - self.reversed.residual - self.reversed.matched.get(self, ZERO)
            if back > 0:
                yield self.day, self.value(step) * back / self.total


@dataclass(eq=False)
class Rule:
    """What sales are worth; ``tier_rates`` are rates by index of the tier."""

    id: int
    kind: str
    role: str
    formula: str
    unit: str
    rate: Decimal
    terms: Terms
    rounding: Decimal
    step: Decimal = Decimal(1)
    tier_rates: dict = field(default_factory=dict)
    date_from: date = date.min
    date_to: date = date.max

    def earn(self, base, rate, whole):
        """Return what an origin earns."""
        if self.formula == "percent":
            exact = base * rate / 100
        elif self.formula == "per_amount":
            exact = base * rate / self.step
        elif base <= 0:
            exact = ZERO
        else:
            exact = rate * min(Decimal(1), base / whole if whole else Decimal(1))
        return round_to(round_to(exact, Decimal("1e-8")), self.rounding)


@dataclass(eq=False)
class Member:
    """A partner in a program, its memberships and tiers as ``[from, to]``, and its accounts."""

    id: int
    partner: int
    periods: list
    book: Book
    tiers: list = field(default_factory=list)  # [from, to, index of the tier]
    decided: date | None = None

    def __post_init__(self):
        self.accounts = {unit: Account(self.book, unit, self) for unit in ("point", "money")}

    def last_sale(self):
        """Return the day of the last sale that earned anything, in either unit."""
        entries = [entry for account in self.accounts.values() for entry in account.entries]
        return max(e.contribution_date for e in entries if e.amount > 0 and e.type in ("accrual", "opening"))

    @property
    def date_from(self):
        return min(start for start, _end in self.periods)

    @property
    def date_to(self):
        return max(end or date.max for _start, end in self.periods)

    def belongs(self, day):
        """Return whether a day lies within the membership."""
        return any(start <= day <= (end or date.max) for start, end in self.periods)

    def tier_on(self, day):
        """Return the tier in force on a day, or None."""
        return next((tier for start, end, tier in self.tiers if start <= day <= (end or date.max)), None)


@dataclass(eq=False)
class Program:
    """A program with all that its members did."""

    book: Book
    date_from: date
    step: Decimal  # smallest unit of the company's currency
    rules: list = field(default_factory=list)
    members: list = field(default_factory=list)
    documents: list = field(default_factory=list)
    thresholds: list = field(default_factory=list)
    touched: set = field(default_factory=set)
    differences: dict = field(default_factory=dict)  # (rule, member, origin): [state, target]

    # === What should be ===

    def rows(self, member, kind, role):
        """Yield ``(document, day, amount)`` of what a member contributed within its membership."""
        for document in self.documents:
            partner = document.buyer if role == "buyer" else document.referrer
            if role == "referrer" and partner == document.buyer:
                partner = None
            if partner == member.partner and member.belongs(document.origin.day):
                for day, amount in document.contributions(kind, self.step):
                    yield document, day, amount

    def targets(self, rule, member):
        """Return ``{origin: (amount, day)}`` that the member should have earned by the rule."""
        groups = {}
        for document, day, amount in self.rows(member, rule.kind, rule.role):
            if max(self.date_from, rule.date_from) <= document.origin.day <= rule.date_to:
                groups.setdefault(document.origin, []).append((day, amount))
        return {
            origin: (self._earned(rule, member, origin, parts), max(day for day, _amount in parts))
            for origin, parts in groups.items()
        }

    def _earned(self, rule, member, origin, parts):
        base = sum((amount for _day, amount in parts), ZERO).quantize(Decimal("1e-6"), "ROUND_HALF_UP")
        rate = rule.tier_rates.get(member.tier_on(origin.day), rule.rate)
        whole = None
        if rule.kind == "payment":
            of_origin = [doc for doc in self.documents if doc.origin is origin and doc.counts]
            whole = sum((document.value(self.step) for document in of_origin), ZERO)
        return rule.earn(base, rate, whole)

    def deltas(self, rule, member):
        """Return ``{origin: (target, delta, day, revision)}`` where the account differs from what should be."""
        posted = {}
        for entry in member.accounts[rule.unit].entries:
            if entry.type in EARNINGS and entry.cause[0] == rule.id:
                amount, day, revision = posted.get(entry.cause[1], (ZERO, date.min, -1))
                posted[entry.cause[1]] = (amount + entry.amount, max(day, entry.contribution_date), revision + 1)
        targets = self.targets(rule, member)
        deltas = {}
        for origin in {*targets, *posted}:
            target, day = targets.get(origin, (ZERO, None))
            has, last_day, revision = posted.get(origin, (ZERO, None, -1))
            if target != has:
                deltas[origin] = (target, target - has, day or last_day, revision + 1)
        return deltas

    def waiting(self):
        """Return how many origins differ."""
        return sum(len(self.deltas(rule, member)) for rule in self.rules for member in self.members)

    # === What happens ===

    def touch(self, document):
        """Note that a document was changed."""
        self.touched |= {document.origin, document}

    def answer(self):
        """Decide missed tiers, then bring all touched documents in line: invoices first, rule by rule."""
        self.evaluate_tiers()
        for model in ("account.move", "sale.order"):
            origins = {document for document in self.touched if document.model == model}
            for rule in self.rules:
                if origins and (rule.kind == "order") == (model == "sale.order"):
                    self.reconcile(rule, origins)
        self.touched.clear()

    def reconcile(self, rule, origins):
        """Post what is missing for some origins by one rule."""
        for member in self.members:
            deltas = {o: d for o, d in self.deltas(rule, member).items() if o in origins}
            account = member.accounts[rule.unit]
            account.post(*(self._entry(rule, origin, *delta) for origin, delta in deltas.items()))
            if deltas:
                account.settle()

    def _entry(self, rule, origin, _target, amount, day, revision):
        return Entry(
            type="accrual" if amount > 0 else "clawback",
            amount=amount,
            cause=(rule.id, origin),
            contribution_date=day,
            date=max(day, self.book.today) if revision else day,
            mature_date=day + timedelta(days=rule.terms.maturity_days),
            expiry_date=rule.terms.expiry(day) if amount > 0 else None,
            idle_months=rule.terms.months if amount > 0 and rule.terms.kind == "idle" else None,
            order=(origin.id, revision),
        )

    def compare(self):
        """List what differs on documents that nobody touched; return how many differences are open."""
        lock = self.book.lock_date or date.min
        found = {}
        for rule in self.rules:
            for member in self.members:
                for origin, (target, _amount, day, _revision) in self.deltas(rule, member).items():
                    found[rule, member, origin] = target
                    state, known = self.differences.get((rule, member, origin), ("new", None))
                    if day > lock and (state != "dismissed" or known != target):
                        self.differences[rule, member, origin] = ["open", target]
        for key, (state, _target) in list(self.differences.items()):
            if state == "open" and key not in found:
                del self.differences[key]
        return len(self.open_differences())

    def open_differences(self):
        """Return the keys of the differences that wait for a decision."""
        return [key for key, (state, _target) in self.differences.items() if state == "open"]

    # === Tiers ===

    def enroll(self, member):
        """Take a member in, in the lowest tier."""
        self.members.append(member)
        if self.thresholds:
            member.tiers.append([member.date_from, None, 0])

    def evaluate_tiers(self):
        """Decide the tiers of the month ends that were missed, in order."""
        if not self.thresholds:
            return
        starts = []
        for member in self.members:
            first = member.decided + timedelta(days=1) if member.decided else max(member.date_from, self.date_from)
            if member.date_to >= month_end(first):
                starts.append(first)
        day = month_end(min(starts)) if starts else date.max
        while day < self.book.today:
            for member in self.members:
                self._decide(member, day)
            day = month_end(day + timedelta(days=1))

    def _decide(self, member, day):
        current = member.tiers[-1]
        if not (member.date_from <= day <= member.date_to and current[0] <= day and current[1] is None):
            return
        first = day.replace(day=1) - relativedelta(months=11)
        turnover = sum((a for _doc, d, a in self.rows(member, "invoice", "buyer") if first <= d <= day), ZERO)
        reached = [i for i, threshold in enumerate(self.thresholds) if threshold <= turnover or threshold == 0]
        current[1] = day
        member.tiers.append([day + timedelta(days=1), None, reached[-1]])
        member.decided = day
