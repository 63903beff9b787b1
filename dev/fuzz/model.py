"""What a program must have earned its members, worked out from documents in plain Python.

Documents, rules, memberships and tiers are small objects; the driver changes them as it changes the database.
:meth:`Program.answer` brings the accounts in line, as the app does for documents that were touched.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from .ledger import ZERO, Account, Book, Entry, last_sale, round_to

EARNINGS = ("accrual", "clawback")


class Mismatch(AssertionError):
    """The database is not as it must be."""


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
    worth: Decimal | None = None  # in company currency, as an invoice was booked
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

    def converted(self, step):
        """Return the worth in company currency, each line rounded, without any sign."""
        return sum((round_to(line / self.rate, step) for line in self.lines), ZERO)

    def value(self, step):
        """Return the worth in company currency, as it was booked."""
        return self.sign * (self.converted(step) if self.worth is None else self.worth)

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


@dataclass(frozen=True)
class Mark:
    """A document was touched, and where it stood then: it may be elsewhere by the time that this is answered."""

    document: Document
    buyer: int
    referrer: int | None
    day: date

    def partner(self, role):
        """Return the partner for whom the document stood in a role."""
        return self.buyer if role == "buyer" else self.referrer

    @property
    def days(self):
        """Return the days that it may have stood on: that of an order is noted in UTC, wherever the program is."""
        return [
            self.day + timedelta(days=shift) for shift in ((-1, 0, 1) if self.document.model == "sale.order" else (0,))
        ]

    def renamed(self, source, destination):
        """Return the mark where one contact has become another."""
        buyer, referrer = (destination if one == source else one for one in (self.buyer, self.referrer))
        return replace(self, buyer=buyer, referrer=referrer)


@dataclass(eq=False)
class Member:
    """A partner in a program, its memberships and tiers as ``[from, to]``, and its accounts.

    Who was merged keeps its accounts, and all that is open on them moves on to its root.
    """

    id: int
    partner: int
    periods: list
    book: Book
    tiers: list = field(default_factory=list)  # [from, to, index of the tier]
    decided: date | None = None
    suspended: bool = False
    merged_into: "Member | None" = None
    merged: list = field(default_factory=list)
    turnover_into: "Member | None" = None
    keeps_turnover: bool = False

    def __post_init__(self):
        self.accounts = {unit: Account(self.book, unit, self) for unit in ("point", "money")}

    @property
    def root(self):
        """Return the member that goes on: itself, or the one it was merged into."""
        return self.merged_into.root if self.merged_into else self

    @property
    def turnover_root(self):
        """Return the member whose tier the turnover counts for."""
        heir = self.turnover_into or self.merged_into
        return heir.turnover_root if heir and not self.keeps_turnover else self

    @property
    def group(self):
        """Return the member and all that became part of it."""
        return [self, *(one for member in self.merged for one in member.group)]

    def entries(self):
        """Yield the lines of the member, and of all that became part of it."""
        for member in self.group:
            for account in member.accounts.values():
                yield from account.entries

    def last_sale(self):
        """Return the day of the last sale that earned anything, in either unit; None without any."""
        return last_sale(self.root.entries())

    @property
    def date_from(self):
        return min(start for start, _end in self.periods)

    @property
    def date_to(self):
        return max(end or date.max for _start, end in self.periods)

    def belongs(self, day):
        """Return whether a day lies within the membership."""
        return any(start <= day <= (end or date.max) for start, end in self.periods)

    def overlaps(self, other):
        """Return whether a day lies within this membership and another."""
        spans = [(start, end or date.max) for start, end in other.periods]
        return any(first <= (end or date.max) and start <= last for start, end in self.periods for first, last in spans)

    def tier_on(self, day):
        """Return the tier in force on a day, or None."""
        return next((tier for start, end, tier in self.tiers if start <= day <= (end or date.max)), None)

    # === Joining and leaving ===

    def close(self, day):
        """End the membership with a day."""
        self.periods = [[start, min(end or day, day)] for start, end in self.periods if start <= day]
        self.suspended = False

    def resume(self, day):
        """Begin a membership, or go on with the one that ends today."""
        self.suspended = False
        if (self.periods[-1][1] or date.max) >= day:
            self.periods[-1][1] = None
        else:
            self.periods.append([day, None])

    def continue_in(self, target, today):
        """Let another go on with the membership, where its own has ended and nobody suspended it."""
        if target.suspended or target.date_to > today:
            return
        first = today + timedelta(days=target.date_to == today)
        ahead = [(start, end) for start, end in self.periods if not end or end > today]
        target.periods += [[max(start, first), end] for start, end in ahead]

    def merge_into(self, target, today):
        """Become part of another; whatever is open moves there."""
        for account in self.accounts.values():
            account.expire()
        self.close(today)
        for tier in self.tiers:
            if not tier[1] and tier[0] <= today:
                tier[1] = today
        self.give_turnover_to(target, only_back=True)
        self.merged_into = target
        target.merged.append(self)
        self.move_balance()

    def give_turnover_to(self, target, only_back=False):
        """Let the turnover count for the tier of another, whose own counts here no more."""
        if target.turnover_root is self:
            target.turnover_into = None
        if not only_back:
            self.turnover_into, self.keeps_turnover = target, False

    def move_balance(self):
        """Move all that is open to the accounts of the root."""
        for unit, account in self.accounts.items():
            account.move_to(self.root.accounts[unit], self.id)

    def take_tier_of(self, other, thresholds, today):
        """Have the tier of another from tomorrow on, where that is higher."""
        tier, own, current = other.tier_on(today), self.tier_on(today), self.tiers[-1]
        if current[1] or tier is None or (own is not None and thresholds[tier] <= thresholds[own]):
            return
        current[1] = max(today, current[0])
        self.tiers.append([current[1] + timedelta(days=1), None, tier])


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
    marks: list = field(default_factory=list)
    differences: dict = field(default_factory=dict)  # (rule, member, key): [state, target]

    # === What should be ===

    @property
    def roots(self):
        """Return the members who were not merged into others."""
        return [member for member in self.members if not member.merged_into]

    def belongs(self, root, partner, day):
        """Return whether a day lies within the membership of a partner, on its own or as part of another."""
        return any(member.partner == partner and member.belongs(day) for member in root.group)

    def rows(self, root, kind, role):
        """Yield ``(document, partner, day, amount)`` of what was contributed within the memberships of a member."""
        for document in self.documents:
            partner = document.buyer if role == "buyer" else document.referrer
            if role == "referrer" and partner == document.buyer:
                continue
            if self.belongs(root, partner, document.origin.day):
                for day, amount in document.contributions(kind, self.step):
                    yield document, partner, day, amount

    def targets(self, rule, root):
        """Return ``{key: (amount, day)}`` that the member should have earned by the rule; see :meth:`Rule.key`."""
        groups = {}
        for document, partner, day, amount in self.counted(rule, root):
            groups.setdefault(rule.key(document.origin), []).append((document.origin, partner, day, amount))
        earned = {key: (self._earned(rule, root, parts), parts[0][0].day) for key, parts in groups.items()}
        left = rule.limit(earned)
        return {key: (left[key], rule.day(parts)) for key, parts in groups.items()}

    def counted(self, rule, root):
        """Yield those of :meth:`rows` that the rule counts: its dates apply to the day of the sale."""
        for row in self.rows(root, rule.kind, rule.role):
            if max(self.date_from, rule.date_from) <= row[0].origin.day <= rule.date_to:
                yield row

    def _earned(self, rule, root, parts):
        base = sum((part[3] for part in parts), ZERO).quantize(Decimal("1e-6"), "ROUND_HALF_UP")
        origin, partner = parts[0][:2]
        rate = rule.rate
        if rule.tier_rates and rule.formula != "bands":
            rate = rule.tier_rates.get(self._tier_holder(root, origin, partner).tier_on(origin.day), rate)
        whole = None
        if rule.kind == "payment" and rule.formula != "bands":
            of_origin = [doc for doc in self.documents if doc.origin is origin and doc.counts]
            whole = sum((document.value(self.step) for document in of_origin), ZERO)
        return rule.earn(base, rate, whole)

    def _tier_holder(self, root, origin, partner):
        """Return whose tier counts: of who was answered first, or else of who the partner was on that day."""
        answers = [
            (entry.number, member.id, member)
            for member in root.group
            for account in member.accounts.values()
            for entry in account.entries
            if entry.type in EARNINGS and entry.cause[1] is origin
        ]
        if answers:
            return min(answers)[2]
        return next(
            (one for one in _by_standing(root.group, partner) if one.tier_on(origin.day) is not None),
            root,
        )

    def deltas(self, rule, member):
        """Return ``{key: (target, delta, day, revision)}`` where the account differs from what should be."""
        posted = {}
        for entry in self._posted(rule, member.group):
            amount, day, revision = posted.get(entry.key, (ZERO, date.min, -1))
            last = max(revision, entry.order[1]), max(day, entry.contribution_date)
            posted[entry.key] = (amount + entry.amount, last[1], last[0])
        targets = self.targets(rule, member)
        deltas = {}
        for key in {*targets, *posted}:
            target, day = targets.get(key, (ZERO, None))
            has, last_day, revision = posted.get(key, (ZERO, None, -1))
            if target != has:
                deltas[key] = (target, target - has, day or last_day, revision + 1)
        return deltas

    def _posted(self, rule, members):
        """Yield what members earned by a rule so far."""
        for member in members:
            for entry in member.accounts[rule.unit].entries:
                if entry.type in EARNINGS and entry.cause[0] == rule.id:
                    yield entry

    def waiting(self):
        """Return how many origins differ."""
        return sum(len(self.deltas(rule, member)) for rule in self.rules for member in self.roots)

    # === What happens ===

    def touch(self, document):
        """Note that a document was changed, and where it stands."""
        self.marks.append(Mark(document, document.buyer, document.referrer, document.origin.day))

    def answer(self):
        """Decide missed tiers, then bring what was touched in line: rule by rule, by what was touched first."""
        self.evaluate_tiers()
        for model in dict.fromkeys(mark.document.model for mark in self.marks):
            marks = [mark for mark in self.marks if mark.document.model == model]
            origins = {mark.document.origin for mark in marks}
            for rule in self.rules:
                if (rule.kind == "order") == (model == "sale.order"):
                    self.reconcile(rule, origins, self.reach(rule, origins) | self._stood(rule, marks))
        self.marks.clear()

    def reconcile(self, rule, origins, periods=()):
        """Post what is missing by one rule for some origins, and for some periods of members."""
        for member in self.roots:
            deltas = self.deltas(rule, member).items()
            deltas = {key: delta for key, delta in deltas if key[0] in origins or (member, key[1]) in periods}
            account = member.accounts[rule.unit]
            account.post(*(self._entry(rule, member, key, *delta) for key, delta in deltas.items()))
            if deltas:
                account.settle()

    def _entry(self, rule, member, key, _target, amount, day, revision):
        origin, start = key
        return Entry(
            type="accrual" if amount > 0 else "clawback",
            amount=amount,
            cause=(rule.id, origin or start),
            contribution_date=day,
            date=max(day, self.book.today) if revision else day,
            mature_date=day + timedelta(days=rule.terms.maturity_days),
            expiry_date=rule.terms.expiry(day) if amount > 0 else None,
            idle_months=rule.terms.months if amount > 0 and rule.terms.kind == "idle" else None,
            order=((origin or member).id, revision),
            key=key,
        )

    # === Periods ===

    def reach(self, rule, origins):
        """Return the ``(member, first day)`` whose sales depend on origins: where they are now and in the ledger."""
        if not rule.reach:
            return set()
        now = {
            (root, rule.start(row[0].origin.day))
            for root in self.roots
            for row in self.counted(rule, root)
            if row[0].origin in origins
        }
        posted = {
            (member.root, entry.key[1])
            for member in self.members
            for entry in self._posted(rule, [member])
            if entry.key[0] in origins
        }
        return now | posted

    def _stood(self, rule, marks):
        """Return the ``(member, first day)`` where documents stood when they were touched."""
        if not rule.reach:
            return set()
        return {
            (member.root, rule.start(day))
            for mark in marks
            for member in self.members
            for day in mark.days
            if member.partner == mark.partner(rule.role)
        }

    # === Differences ===

    def compare(self):
        """List what differs on documents that nobody touched; return how many differences are open."""
        lock = self.book.lock_date or date.min
        found = {}
        for rule in self.rules:
            for member in self.roots:
                for key, (target, _amount, day, _revision) in self.deltas(rule, member).items():
                    found[rule, member, key] = target
                    state, known = self.differences.get((rule, member, key), ("new", None))
                    if day > lock and (state != "dismissed" or known != target):
                        self.differences[rule, member, key] = ["open", target]
        for listed, (state, _target) in list(self.differences.items()):
            if state == "open" and listed not in found:
                del self.differences[listed]
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
        for member in self.roots:
            first = member.decided + timedelta(days=1) if member.decided else max(member.date_from, self.date_from)
            if member.date_to >= month_end(first):
                starts.append(first)
        day = month_end(min(starts)) if starts else date.max
        while day < self.book.today:
            for member in self.roots:
                self._decide(member, day)
            day = month_end(day + timedelta(days=1))

    def _decide(self, member, day):
        current = member.tiers[-1]
        if not (member.date_from <= day <= member.date_to and current[0] <= day and current[1] is None):
            return
        first = day.replace(day=1) - relativedelta(months=11)
        turnover = self._turnover(member, first, day)
        reached = [i for i, threshold in enumerate(self.thresholds) if threshold <= turnover or threshold == 0]
        current[1] = day
        member.tiers.append([day + timedelta(days=1), None, reached[-1]])
        member.decided = day

    def _turnover(self, member, first, last):
        return sum(
            (
                amount
                for root in self.roots
                for _document, partner, day, amount in self.rows(root, "invoice", "buyer")
                if first <= day <= last and _by_standing(root.group, partner)[0].turnover_root is member
            ),
            ZERO,
        )

    # === Contacts ===

    def can_merge(self, *partners):
        """Return whether contacts stand for one member on each day; who was taken over stands for another."""
        ours = [(m.root, m) for m in self.members if m.partner in partners]
        standing = {root for root, member in ours if root is member}
        return not any(
            one.overlaps(other)
            for root, one in ours
            for other_root, other in ours
            if root is not other_root and not {root, other_root} <= standing
        )

    def merge_contacts(self, source, destination):
        """Let a contact become another: the members that they are become one, and all documents are of one."""
        today, partners = self.book.today, (source, destination)
        members = [member for member in self.roots if member.partner in partners]
        members.sort(key=lambda member: (member.partner != destination, member.id))
        for member in members[1:]:
            member.continue_in(members[0], today)
            member.merge_into(members[0], today)
            self.move_differences(member)
        for member in self.members:
            member.partner = destination if member.partner == source else member.partner
        for document in self.documents:
            document.buyer = destination if document.buyer == source else document.buyer
            document.referrer = destination if document.referrer == source else document.referrer
        self.marks = [mark.renamed(source, destination) for mark in self.marks]

    def move_differences(self, member):
        """List differences under the member that answers them from now on."""
        for rule, holder, key in list(self.differences):
            if holder is member:
                self.differences.setdefault((rule, member.root, key), self.differences.pop((rule, holder, key)))


def _by_standing(members, partner):
    """Return those of the members that a partner is: who was not merged first."""
    found = [member for member in members if member.partner == partner]
    return sorted(found, key=lambda member: (member.merged_into is not None, member.id))
