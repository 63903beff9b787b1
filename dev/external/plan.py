"""What a shop sends: orders with what becomes of them, and what that has to come to, worked out in plain Python."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

PRODUCTS = {"EXT-1": Decimal("1250.00"), "EXT-2": Decimal("349.50"), "EXT-3": Decimal("80.00")}
RATE = Decimal(10)
START = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
# What becomes of an order, and how many of a hundred go that way.
FATES = {"open": 20, "paid": 40, "canceled": 15, "returned": 15, "partly": 10}


class PlannedOrder:
    """An order of the shop.

    :param int number: which one it is
    :param random: decides everything
    :param list codes: codes of the partners
    """

    def __init__(self, number, random, codes):
        self.reference = f"EXT-{number:05}"
        self.code = random.choice(codes)
        self.fate = random.choices(list(FATES), FATES.values())[0]
        self.moment = START + timedelta(seconds=number)
        names = random.sample(sorted(PRODUCTS), random.randint(1, len(PRODUCTS)))
        self.lines = [
            {"product": name, "quantity": random.randint(1, 5), "price": float(PRODUCTS[name])} for name in names
        ]
        # A few customers buy again and again.
        self.phone = f"+38067{random.randint(0, 199):07}"

    def get_messages(self):
        """Return what the shop has to say of the order, each as method and arguments.

        :rtype: list[tuple]
        """
        order = {
            "date": self.moment.isoformat(),
            "currency": "UAH",
            "partner_code": self.code,
            "customer": {"name": f"Customer {self.phone}", "phone": self.phone},
            "lines": self.lines,
        }
        return [("send_order", (self.reference, order)), *(("send_state", state) for state in self._get_states())]

    def _get_states(self):
        def state(name, hours, lines=None):
            return self.reference, name, (self.moment + timedelta(hours=hours)).isoformat(), lines

        first = self.lines[0]
        return {
            "open": [],
            "paid": [state("paid", 1)],
            # Paid at first is outdone by what happened later.
            "canceled": [state("canceled", 2)],
            "returned": [state("paid", 1), state("returned", 3)],
            "partly": [state("paid", 1), state("returned", 3, [{"product": first["product"], "quantity": 1}])],
        }[self.fate]

    def get_expected(self):
        """Return the state of the order, what is invoiced after all, and what the partner earned by order and invoice.

        :rtype: tuple
        """
        total = sum(Decimal(line["quantity"]) * PRODUCTS[line["product"]] for line in self.lines)
        invoiced = {"open": 0, "canceled": 0, "returned": 0, "paid": total}.get(
            self.fate, total - PRODUCTS[self.lines[0]["product"]]
        )
        by_order = Decimal(0) if self.fate == "canceled" else total
        return ("cancel" if self.fate == "canceled" else "sale", Decimal(invoiced), _share(by_order), _share(invoiced))


def _share(amount):
    return (Decimal(amount) * RATE / 100).quantize(Decimal("0.01"))
