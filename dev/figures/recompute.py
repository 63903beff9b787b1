"""Every key figure, worked out from the rows one by one, with :mod:`decimal` where it is money.

It shares no code with the app on purpose, and none of its queries: an error on either side shows up as a difference.
"""

from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from math import comb, sqrt
from statistics import NormalDist, mean, median
from typing import NamedTuple

from .books import group, is_between

CENT = Decimal("0.01")
COSTS = {"accrual", "clawback", "bonus", "bonus_undo", "reward", "reward_undo", "adjustment"}
EXPIRIES = {"expiry", "expiry_return"}
# What such a reward costs is on the statement of the member.
ON_STATEMENT = {"money", "mdf"}
FEWEST = 8


class Days(NamedTuple):
    """Days that figures are about, and those that they are compared with."""

    first: object
    last: object
    first_before: object
    last_before: object

    def has(self, day):
        """Return whether a day is one of those that figures are about."""
        return is_between(day, self.first, self.last)


class Sale(NamedTuple):
    """A line that counts, or a part of it: whose, when, under the terms of which day, of which document, how much."""

    buyer: int
    referrer: int | None
    day: object
    rate_day: object
    origin: int
    amount: Decimal


class Recompute:
    """The key figures of one program over some days.

    :param books.Books books: the rows
    :param Days days: what the figures are about
    :param set roots: only these members; all where None
    """

    def __init__(self, books, days, roots=None):
        self.books, self.days, self.roots = books, days, roots
        self.program, self.rows = books.program, books.rows
        self.parents = {member: merged for member, _partner, merged in self.rows["members"]}
        self.partner_of = {member: partner for member, partner, _merged in self.rows["members"]}
        self.periods = group(self.rows["periods"])
        self.members_of = group(self.rows["members"], 1)
        self.invoices = {row[0]: row for row in self.rows["invoices"]}
        # There are many sales and few partners.
        self.root_of_partner, self.is_current = cache(self.root_of_partner), cache(self.is_current)

    # --- Members ---

    def root(self, member):
        """Return the member that another one was merged into, in the end."""
        while self.parents.get(member):
            member = self.parents[member]
        return member

    def is_meant(self, member):
        """Return whether the figures are about a member."""
        return self.roots is None or self.root(member) in self.roots

    def root_of_partner(self, partner):
        """Return which member a partner is by the last day; None where it is none."""
        members = [
            (merged is not None, member)
            for member, _partner, merged in self.members_of.get(partner, [])
            if any(first <= self.days.last for _member, first, _last in self.periods[member])
        ]
        return self.root(min(members)[1]) if members else None

    def was_member(self, partner, day):
        """Return whether a partner was a member on a day."""
        return any(
            is_between(day, first, last)
            for member, _partner, _merged in self.members_of.get(partner, [])
            for _member, first, last in self.periods[member]
        )

    def is_current(self, partner):
        """Return whether a partner was a member on one of the days."""
        return any(
            first <= self.days.last and (last is None or last >= self.days.first)
            for member, _partner, _merged in self.members_of.get(partner, [])
            for _member, first, last in self.periods[member]
        )

    def member_counts(self):
        """Return how many members there were at the start, at the end, joined, left, and at all."""
        spans = defaultdict(list)
        for member, periods in self.periods.items():
            if self.is_meant(member):
                spans[self.root(member)] += [(first, last) for _member, first, last in periods]
        counts = Counter()
        for periods in spans.values():
            periods = [(first, last) for first, last in periods if first <= self.days.last]
            if not periods:
                continue
            at_start = any(is_between(self.days.first, first, last) for first, last in periods)
            at_end = any(last is None or last >= self.days.last for _first, last in periods)
            counts["start"] += at_start
            counts["end"] += at_end
            counts["joined"] += min(first for first, _last in periods) >= self.days.first
            counts["left"] += at_start and not at_end
            counts["during"] += any(last is None or last >= self.days.first for _first, last in periods)
        return counts

    # --- Sales ---

    def sales(self, kind):
        """Return all sales of a kind."""
        return {"order": self.order_sales, "invoice": self.invoice_sales, "payment": self.payment_sales}[kind]()

    def invoice_sales(self):
        """Return the lines of invoices and credit notes."""
        return [sale for _move, sale in self.counted_lines()]

    def counted_lines(self):
        """Return each line that counts, with the document that it is on.

        :return: pairs of document and :class:`Sale`
        """
        for move_id, product, amount in self.rows["invoice_lines"]:
            move = self.invoices[move_id]
            origin = self.origin(move)
            if product in self.books.left_out or move[6] or (origin and origin[6]):
                continue
            first = (origin and origin[5]) or (origin and origin[0]) or move_id
            yield move, Sale(move[3], move[4], move[2], origin[2] if origin else move[2], first, amount)

    def origin(self, move):
        """Return the invoice that a document credits, or None."""
        return self.invoices.get(move[5])

    def payment_sales(self):
        """Return the lines of invoices in the share that was paid, a part for each payment."""
        partials = group(self.rows["partials"])
        sales = []
        for move, sale in self.counted_lines():
            refund_of = move[5]
            if move[1] == "out_refund" and refund_of:
                share = self.paid_back_share(move, partials)
                if share > 0:
                    sales.append(sale._replace(amount=sale.amount * share))
                continue
            for partial in partials.get(move[0], []):
                if self.is_payment(move, partial) and move[7]:
                    share = partial[3] / move[7] * self.without_write_off(partial)
                    sales.append(sale._replace(day=partial[2], amount=sale.amount * share))
        return sales

    def is_payment(self, move, partial):
        """Return whether money, or the document of another sale, settles a document."""
        _move, _other, _day, _amount, move_type, reverses, payment, statement_line, *_rest = partial
        if payment or statement_line:
            return True
        return move_type in ("out_invoice", "out_refund", "out_receipt") and reverses != move[0]

    def without_write_off(self, partial):
        """Return which part of what a payment settles was money."""
        amount, is_same_currency, settled = partial[8:11]
        if not is_same_currency or not settled:
            return 1
        return min(Decimal(1), amount / abs(settled))

    def paid_back_share(self, move, partials):
        """Return which part of a credit note goes beyond what its invoice left open."""
        origin = self.invoices.get(move[5])
        own = [partial for partial in partials.get(move[0], []) if partial[1] == move[5]]
        if not origin or not move[7]:
            return 0
        return (move[7] - origin[8] - sum(partial[3] for partial in own)) / move[7]

    def order_sales(self, only=None):
        """Return the lines of confirmed orders.

        :param set only: of these orders; of all where None
        """
        orders = {row[0]: row for row in self.rows["orders"]}
        sales = []
        for order_id, product, amount, _margin, _cost, display, is_down in self.rows["order_lines"]:
            if display or is_down or product in self.books.left_out or (only is not None and order_id not in only):
                continue
            _id, moment, buyer, referrer, rate = orders[order_id]
            day = self.books.day(moment)
            if buyer and rate:
                amount = (amount / Decimal(str(rate))).quantize(CENT, ROUND_HALF_UP)
                sales.append(Sale(buyer, referrer, day, day, order_id, amount))
        return sales

    def sold(self):
        """Return what members and others sold, over both times.

        :return: by member and by other customer, ``now``, ``before``, and within membership by document
        """
        kind = self.program.kind if self.program.kind in ("order", "invoice", "payment") else "invoice"
        members, others = defaultdict(_Sold), defaultdict(_Sold)
        for sale in self.sales(kind):
            is_now = self.days.has(sale.day)
            if not is_now and not is_between(sale.day, self.days.first_before, self.days.last_before):
                continue
            buyer = self.root_of_partner(sale.buyer)
            seller = buyer or (sale.referrer and sale.referrer != sale.buyer and self.root_of_partner(sale.referrer))
            if not seller:
                others[sale.buyer].add(sale, is_now, is_within=False)
            elif self.is_meant(seller):
                partner = sale.buyer if buyer else sale.referrer
                members[seller].add(sale, is_now, is_within=self.was_member(partner, sale.rate_day))
                members[seller].is_current |= self.is_current(partner)
        return members, others

    def sales_figures(self):
        """Return the figures of turnover and growth."""
        members, others = self.sold()
        turnovers = {root: sold.turnover(True) for root, sold in members.items()}
        active = {root for root, turnover in turnovers.items() if turnover > 0}
        before = {root for root, sold in members.items() if sold.turnover(False) > 0}
        grown = [sold for sold in members.values() if sold.is_current and sold.amount(False) > 0]
        own, own_before = (sum((sold.amount(now) for sold in grown), Decimal(0)) for now in (True, False))
        growths = [sold.growth() for sold in grown]
        market = [sold.growth() for sold in others.values() if sold.amount(False) > 0]
        turnover = sum(turnovers.values(), Decimal(0))
        documents = sum(sold.count_documents() for sold in members.values())
        return {
            "turnover": turnover,
            "average_order": _divide(turnover, documents),
            "largest_share": _divide(max(turnovers.values(), default=0), sum(turnovers[root] for root in active), 100),
            "own_growth": _divide(own - own_before, own_before, 100),
            "own_extra": own - own_before,
            "growth": median(growths) if growths else None,
            "market_growth": median(market) if market else None,
            "retention": _divide(len(before & active), len(before), 100),
            "active": len(active),
            "own_before": own_before,
            "interval": interval(growths, market),
        }

    # --- What members did ---

    def count(self, sales, role):
        """Return how many documents members bought or brought, of which something is left, within membership."""
        left = defaultdict(Decimal)
        for sale in sales:
            partner = sale.buyer if role == "buyer" else sale.referrer
            if not partner or (role == "referrer" and partner == sale.buyer) or not self.days.has(sale.day):
                continue
            root = self.root_anytime(partner)
            if root and self.is_meant(root) and self.was_member(partner, sale.rate_day):
                left[root, sale.origin] += sale.amount
        return sum(1 for amount in left.values() if amount > 0)

    def root_anytime(self, partner):
        """Return which member a partner is or will be."""
        members = [(merged is not None, member) for member, _partner, merged in self.members_of.get(partner, [])]
        return self.root(min(members)[1]) if members else None

    def count_certificates_or_deals(self, rows):
        """Return how many of pairs of partner and moment lie within the days and a membership."""
        return sum(
            1
            for partner, moment in rows
            if (root := self.root_anytime(partner))
            and self.is_meant(root)
            and self.days.has(day := self.books.day(moment))
            and self.was_member(partner, day)
        )

    def count_new_customers(self):
        """Return how many customers were invoiced for the first time, brought by a member, with something left."""
        firsts = {}
        for move in sorted(self.rows["invoices"], key=lambda move: (move[2], move[0])):
            if move[1] in ("out_invoice", "out_receipt") and not move[5]:
                firsts.setdefault(move[3], move[0])
        left = defaultdict(Decimal)
        for move, sale in self.counted_lines():
            is_first = firsts.get(sale.buyer, sale.origin) == sale.origin
            if not is_first or (move[1] == "out_refund" and not move[5]) or not self.days.has(sale.day):
                continue
            partner = sale.referrer
            root = partner and partner != sale.buyer and self.root_anytime(partner)
            if root and self.is_meant(root) and self.was_member(partner, sale.rate_day):
                left[root, sale.buyer] += sale.amount
        return sum(1 for amount in left.values() if amount > 0)

    def activity_figures(self, members_during):
        """Return the figures of orders, deals, customers and certificates."""
        repeated = self.repeated_orders()
        orders = sum(self.count(self.order_sales(), role) for role in ("buyer", "referrer"))
        repeats = sum(self.count(self.order_sales(repeated), role) for role in ("buyer", "referrer"))
        deals = self.count_certificates_or_deals(
            (partner, moment) for _id, partner, customer, moment in self.rows["deals"] if partner != customer
        )
        return {
            "orders_per_member": _divide(orders, members_during),
            "repeat_share": _divide(repeats, orders, 100),
            "deals": deals,
            "deals_per_member": _divide(deals, members_during),
            "new_customers": self.count_new_customers(),
            "certificates": self.count_certificates_or_deals(row[1:] for row in self.rows["certificates"]),
        }

    def repeated_orders(self):
        """Return the orders of customers who had ordered before."""
        known, repeated = set(), set()
        for order_id, _moment, buyer, *_rest in sorted(self.rows["orders"], key=lambda row: (row[1], row[0])):
            if buyer in known:
                repeated.add(order_id)
            if buyer:
                known.add(buyer)
        return repeated

    # --- What it costs and brings ---

    def cost_figures(self):
        """Return cost and breakage."""
        sums = defaultdict(Decimal)
        for member, unit, kind, day, amount in self.rows["entries"]:
            if self.days.has(day) and self.is_meant(member):
                worth = amount * (self.program.point_value if unit == "point" else 1)
                sums["cost"] += worth if kind in COSTS else 0
                sums["breakage"] -= worth if kind in EXPIRIES else 0
        for member, moment, quantity, points, kind, unit_cost in self.rows["claims"]:
            is_stated = not points and kind not in ON_STATEMENT
            if is_stated and moment and self.days.has(self.books.day(moment)) and self.is_meant(member):
                sums["cost"] += Decimal(str(quantity)) * Decimal(str(unit_cost or 0))
        return {name: sums[name] for name in ("cost", "breakage")}

    def margin_rate(self):
        """Return the margin in percent: of orders whose cost is known, else as assumed; None where neither is."""
        orders = {row[0]: row for row in self.rows["orders"]}
        margins = amounts = Decimal(0)
        for order_id, _product, amount, margin, cost, *_rest in self.rows["order_lines"]:
            _id, moment, buyer, referrer, rate = orders[order_id]
            partners = {buyer, referrer}
            is_ours = any(
                partner in partners and self.is_meant(member) for member, partner in self.partner_of.items() if partner
            )
            if is_ours and cost and Decimal(cost) and self.days.has(self.books.day(moment)):
                margins += Decimal(margin or 0) / (Decimal(str(rate or 0)) or 1)
                amounts += amount / (Decimal(str(rate or 0)) or 1)
        return 100 * margins / amounts if amounts else self.program.assumed_margin or None

    def return_figures(self, cost, sales):
        """Return what the figures against the market say."""
        margin = self.margin_rate()
        effect, low, high = sales["interval"] or (None, None, None)
        is_told = effect is not None and (low > 0 or high < 0)
        extra = sales["own_before"] * Decimal(effect) / 100 if is_told else None
        earned = extra * Decimal(margin) / 100 if is_told and margin else None
        return {
            "cost_share": _divide(cost, sales["turnover"], 100),
            "effect": effect,
            "extra_sales": extra,
            "roi": _divide(earned - cost, cost, 100) if earned is not None else None,
            "break_even": _divide(cost, sales["own_before"] * Decimal(margin or 0) / 100, 100),
        }

    def pilot_figures(self):
        """Return what pilots that ended in these days prove: sales, and what is left of them for what they cost."""
        pilots = [pilot for pilot in self.rows["pilots"] if self.roots is None and self.days.has(pilot[6])]
        treated = group(self.rows["treated"])
        effects = [[Decimal(str(number)) * pilot[10] for number in pilot[7:10]] for pilot in pilots]
        sales = sum((effect for effect, _low, _high in effects), Decimal(0))
        reach = sum((((high - low) / 2) ** 2 for _effect, low, high in effects), Decimal(0)).sqrt()
        if not effects or sales - reach <= 0 <= sales + reach:
            return {"pilot_sales": None, "pilot_roi": None}
        cost = sum(self.pilot_cost(pilot, {row[1] for row in treated.get(pilot[0], [])}) for pilot in pilots)
        margin = self.margin_rate()
        earned = sales * Decimal(margin) / 100 if margin else None
        return {"pilot_sales": sales, "pilot_roi": _divide(earned - cost, cost, 100) if margin else None}

    def pilot_cost(self, pilot, members):
        """Return what was tried cost in the days of a pilot for those who had it."""
        _id, tried, family, action, reward, first, last, *_results = pilot
        value = self.program.point_value
        costs = []
        if tried == "rule":
            costs = [
                amount * (value if unit == "point" else 1)
                for rule_family, member, day, unit, amount in self.rows["earned"]
                if rule_family == family and member in members and is_between(day, first, last)
            ]
        elif tried == "bonus":
            costs = [
                Decimal(str(money or 0)) + Decimal(str(points or 0)) * value
                for given, member, day, money, points in self.rows["bonuses"]
                if given == action and member in members and is_between(day, first, last)
            ]
        else:
            costs = [
                Decimal(str(quantity)) * (Decimal(str(cost or 0)) or Decimal(str(points or 0)) * value)
                for had, member, moment, quantity, cost, points in self.rows["rewarded"]
                if had == reward and member in members and moment and is_between(self.books.day(moment), first, last)
            ]
        return sum(costs, Decimal(0))

    # --- Service ---

    def service_figures(self):
        """Return satisfaction, quality and times."""
        answers = [
            csat >= 4 for member, day, csat in self.rows["feedback"] if self.days.has(day) and self.is_meant(member)
        ]
        waits = [
            (answered - asked).total_seconds() / 3600
            for member, asked, answered in self.rows["inquiries"]
            if answered and self.days.has(self.books.day(asked)) and self.is_meant(member)
        ]
        approvals, payments = [], []
        for member, state, submitted, decided, paid in self.rows["payouts"]:
            if not self.is_meant(member):
                continue
            approvals += self.wait_until(decided, submitted)
            if state == "paid" and paid:
                payments += self.wait_until(_end_of(paid), decided)
        return {
            "satisfaction": 100 * mean(answers) if answers else None,
            "quality": self.quality(),
            "answer_hours": median(waits) if waits else None,
            "approve_days": median(approvals) if approvals else None,
            "pay_days": median(payments) if payments else None,
        }

    def wait_until(self, end, start):
        """Return the days from one moment to another that lies within the days, in a list; an empty one otherwise."""
        if not start or not end or end < start or not self.days.has(self.books.day(end)):
            return []
        return [(end - start).total_seconds() / 86400]

    def quality(self):
        """Return the average quality of those members of whom something is known."""
        scores = defaultdict(list)
        for survey, returns, audit, minimum, metric in self.rows["quality"]:
            parts = [(survey, self.ratings(minimum)), (returns, self.returns()), (audit, self.audits(metric))]
            for weight, values in parts:
                for root, value in values.items():
                    if weight and weight > 0 and self.is_meant(root):
                        scores[root].append((Decimal(str(weight)), value))
        known = [
            (sum(weight * value for weight, value in parts) / sum(weight for weight, _value in parts)).quantize(
                Decimal("0.0001"), ROUND_HALF_UP
            )
            for parts in scores.values()
        ]
        return mean(known) if known else None

    def ratings(self, minimum):
        """Return the average that customers gave each member, where enough of them did."""
        scores = defaultdict(list)
        for partner, moment, ordered, score, rater in self.rows["ratings"]:
            root = self.root_anytime(partner)
            is_answered = root and rater != partner and moment and self.days.has(self.books.day(moment))
            if is_answered and self.was_member(partner, self.books.day(ordered)):
                scores[root].append(Decimal(str(score)))
        return {root: mean(values) for root, values in scores.items() if len(values) >= minimum}

    def returns(self):
        """Return 100 less the percent that came back of what each member bought or brought."""
        sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for move in self.rows["invoices"]:
            origin = self.origin(move)
            for partner in {move[3], move[4]} - {None}:
                root = self.root_anytime(partner)
                rate_day = origin[2] if origin else move[2]
                if root and self.days.has(move[2]) and self.was_member(partner, rate_day):
                    sums[root][move[9] < 0] += abs(move[9])
        return {root: 100 - min(Decimal(100), 100 * back / out) for root, (out, back) in sums.items() if out}

    def audits(self, metric):
        """Return the last score of each member."""
        scores = {}
        for _id, metric_id, member, day, value in self.rows["audits"]:
            if metric_id == metric and member in self.partner_of and day <= self.days.last:
                scores[self.root(member)] = min(Decimal(100), max(Decimal(0), Decimal(str(value))))
        return scores

    # --- All ---

    def figures(self):
        """Return all key figures by name, None where there is none.

        :rtype: dict
        """
        counts, sales, cost = self.member_counts(), self.sales_figures(), self.cost_figures()
        return {
            **{name: value for name, value in sales.items() if name not in ("active", "own_before", "interval")},
            **cost,
            **self.return_figures(cost["cost"], sales),
            **self.pilot_figures(),
            **self.activity_figures(counts["during"]),
            **self.service_figures(),
            "members": counts["end"],
            "new_members": counts["joined"],
            "active_share": _divide(sales["active"], counts["during"], 100),
            "churn": _divide(counts["left"], counts["start"], 100),
        }


class _Sold:
    """What somebody sold now and before, by document; and within membership."""

    def __init__(self):
        self.amounts = {True: defaultdict(Decimal), False: defaultdict(Decimal)}
        self.within = {True: defaultdict(Decimal), False: defaultdict(Decimal)}
        self.is_current = False

    def add(self, sale, is_now, is_within):
        self.amounts[is_now][sale.origin] += sale.amount
        if is_within:
            # Each buyer of what somebody brought is in the key by its document.
            self.within[is_now][sale.origin] += sale.amount

    def amount(self, is_now):
        return _round(sum(self.amounts[is_now].values(), Decimal(0)))

    def turnover(self, is_now):
        return _round(sum(self.within[is_now].values(), Decimal(0)))

    def growth(self):
        return float(100 * (self.amount(True) - self.amount(False)) / self.amount(False))

    def count_documents(self):
        return sum(1 for amount in self.within[True].values() if amount > 0)


def _round(amount):
    return amount.quantize(CENT, ROUND_HALF_UP)


def _divide(part, whole, factor=1):
    return factor * Decimal(part) / Decimal(whole) if whole > 0 else None


def _end_of(day):
    """Return the moment at which a day is over, in UTC."""
    return datetime.combine(day, time()) + timedelta(days=1)


def interval(ours, theirs):
    """Return by how much the median of some is above that of others, with its ends; None where there are too few.

    Price and Bonett (2002): the standard error of a median is the distance of two order statistics divided by twice the
    normal quantile that belongs to them; of a difference, the root of the sum of squares.
    """
    if min(len(ours), len(theirs)) < FEWEST:
        return None
    middle = median(ours) - median(theirs)
    reach = NormalDist().inv_cdf(0.975) * sqrt(sum(median_variance(sorted(values)) for values in (ours, theirs)))
    return middle, middle - reach, middle + reach


def median_variance(ordered):
    """Return the variance of the median of numbers in their order."""
    count = len(ordered)
    place = max(1, round((count + 1) / 2 - sqrt(count)))
    tail = sum(comb(count, fewer) for fewer in range(place)) / 2**count
    # With very many of them the quantile is two, as near as makes no difference.
    quantile = NormalDist().inv_cdf(1 - tail) if count <= 200 else 2
    return ((ordered[-place] - ordered[place - 1]) / (2 * quantile)) ** 2
