"""Who buys what in the demo data, and when. Nothing here knows of Odoo.

Months are counted from the current one, which is 0; amounts are in thousands of company currency, without taxes.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil
from random import Random
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

SEED = 20
FIRST_MONTH = -14

# From then on there are sales, of the year before as well.
OLDEST_MONTH = -25

# With its end bonus actions start.
BONUS_MONTH = -12

PANELS = ("product_panel_430", "product_panel_580")
HOMES = (*PANELS, "product_inverter_6", "product_battery_5")
ROOFS = (*PANELS, "product_inverter_15")
STORAGE = ("product_panel_580", "product_inverter_15", "product_battery_15")
MOBILITY = ("product_charger_11", "product_load_manager")
PRODUCTS = {*HOMES, *ROOFS, *STORAGE, *MOBILITY}


class Enrollment(NamedTuple):
    program: str
    partner: str
    month: int


class Regular(NamedTuple):
    """Somebody who buys each quarter, from a month on; from the month in which a dealer joins on, more each time."""

    buyer: str
    products: tuple
    first_month: int
    amount: int
    joined: int | None = None
    growth: float = 0


class Project(NamedTuple):
    """A customer that somebody brought."""

    month: int
    referrer: str
    customer: str
    name: str
    amount: int
    products: tuple


class Prospect(NamedTuple):
    """A project that is not won yet, with a quotation where it has products; days until it may be count from today."""

    referrer: str
    customer: str
    name: str
    amount: int
    stage: str
    days: int
    products: tuple = ()


class PlannedAgreement(NamedTuple):
    partner: str
    reason: str
    first_month: int
    last_month: int
    terms: dict


class PlannedDeal(NamedTuple):
    """A deal with a customer that is a contact already, or of which nothing is known but what the title says.

    Days until it may be closed count from today.
    """

    partner: str
    customer: str | None
    name: str
    amount: int
    days: int
    outcome: str


class PlannedClaim(NamedTuple):
    """What a partner claims for points, and how far that gets."""

    reward: str
    partner: str
    outcome: str


class PlannedMarketing(NamedTuple):
    """What a partner wants to do with money of the marketing fund; days count from today."""

    partner: str
    name: str
    place: str
    days: tuple[int, int]
    amount: int
    approved: int | None


class PlannedAdjustment(NamedTuple):
    partner: str
    unit: str
    amount: int
    reason: str
    outcome: str


class PlannedPayout(NamedTuple):
    month: int
    program: str
    partner: str
    outcome: str


# What each dealer buys by month, up to the current one: its first number is the month in which it joins.
DEALERS = {
    # Grows from the first kit to Gold.
    "dealer_karpaty": (HOMES, (2, 3, 3, 4, 5, 6, 8, 9, 10, 13, 16, 19, 21, 22)),
    # Gold by one large roll-out, which drops out of the twelve months.
    "dealer_dnipro": (ROOFS, (62, 38, 10, 3, 3, 3, 2, 3, 3, 3, 3, 3, 3, 4, 3)),
    "dealer_nordlicht": (STORAGE, (10, 9, 11, 10, 12, 9, 10, 12, 11, 10, 9, 12, 14, 15, 16)),
    "dealer_dolyna": (HOMES, (4, 3, 5, 0, 4, 6, 3, 5, 4, 3, 6, 4, 6, 7, 6)),
    "dealer_wisla": (ROOFS, (3, 4, 5, 4, 2, 6, 3, 4, 5, 6, 7, 6)),
    "dealer_baltic": (HOMES, (2, 1, 0, 3, 2, 3, 2, 3, 3)),
    # Silver by an order that it sends back.
    "dealer_waldkirch": (STORAGE, (4, 3, 2, 26, 2, 0, 1, 2, 1, 1)),
    "dealer_lonestar": (HOMES, (6, 5, 7, 3, 6, 5, 8, 4, 6, 7, 5, 11, 12)),
    "dealer_prairie": (HOMES, (3, 2, 4, 3, 0, 2, 3, 2, 1, 0, 0)),
    "dealer_summit": (ROOFS, (4, 3, 3, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0)),
}

# Smaller dealers who have bought for long, and more since they joined; and customers who are no members and whom nobody
# brought, in the middle of their market.
REGULARS = (
    Regular("dealer_bug", HOMES, -25, 8, -13, 0.19),
    Regular("dealer_tatra", ROOFS, -25, 6, -13, 0.17),
    Regular("dealer_hanse", STORAGE, -25, 10, -13, 0.2),
    Regular("dealer_bluebonnet", HOMES, -25, 7, -13, 0.23),
    Regular("dealer_polissia", HOMES, -24, 4, -12, 0.18),
    Regular("dealer_mazury", ROOFS, -24, 5, -12, 0.24),
    Regular("dealer_isar", STORAGE, -24, 11, -12, 0.15),
    Regular("dealer_mesa", ROOFS, -24, 9, -12, 0.2),
    Regular("dealer_podillia", ROOFS, -23, 4, -11, 0.21),
    Regular("dealer_elbe", HOMES, -23, 5, -11, 0.19),
    Regular("dealer_sudety", HOMES, -23, 3, -11, 0.18),
    Regular("dealer_pecan", STORAGE, -23, 9, -11, 0.16),
    Regular("customer_brewery", ROOFS, -25, 9),
    Regular("customer_sawmill", HOMES, -25, 8),
    Regular("customer_nursery", STORAGE, -25, 10),
    Regular("customer_marina", HOMES, -25, 7),
    Regular("customer_printer", ROOFS, -24, 11),
    Regular("customer_greenhouse", STORAGE, -24, 12),
    Regular("customer_museum", HOMES, -24, 6),
    Regular("customer_mill", ROOFS, -24, 8),
    Regular("customer_campsite", HOMES, -23, 7),
    Regular("customer_foundry", ROOFS, -23, 13),
    Regular("customer_laundry", STORAGE, -23, 9),
    Regular("customer_dentist", HOMES, -23, 6),
    Regular("customer_winter", ROOFS, -25, 8),
    Regular("customer_bookshop", HOMES, -25, 6),
    Regular("customer_orchard", STORAGE, -24, 11),
    Regular("customer_garden", ROOFS, -24, 9),
    Regular("customer_theater", ROOFS, -25, 10),
    Regular("customer_workshop", HOMES, -23, 7),
    Regular("customer_kindergarten", STORAGE, -23, 8),
    Regular("customer_cheese", HOMES, -24, 7),
)

# Sales of the promotion; what becomes of it when the load manager changes its category is for a manager to say.
PROMOTED = (
    (-4, "dealer_nordlicht", {"product_charger_11": 14, "product_load_manager": 3}),
    (-4, "dealer_karpaty", {"product_charger_11": 6}),
    (-3, "dealer_wisla", {"product_load_manager": 8}),
    (-3, "dealer_lonestar", {"product_charger_11": 10}),
)

PROJECTS = (
    Project(-13, "referrer_horyzont", "customer_hotel", "Hotel Morska Perlyna: roof, 60 kW", 17, ROOFS),
    Project(-12, "manufacturer_helion", "customer_farm", "Stepovyi Lan: solar field, 90 kW", 24, ROOFS),
    Project(-11, "referrer_horyzont", "customer_clinic", "Zdorova Rodyna: backup power", 14, STORAGE),
    Project(-10, "referrer_dachwerk", "customer_school", "Am Lindenhof: gym roof", 12, ROOFS),
    Project(-9, "manufacturer_voltkern", "customer_dairy", "Hintermoser: cold store, night storage", 22, STORAGE),
    Project(-9, "referrer_desert", "customer_center", "Riverside: carport", 9, ROOFS),
    Project(-8, "referrer_horyzont", "customer_hotel", "Hotel Morska Perlyna: storage", 13, STORAGE),
    Project(-7, "dealer_wisla", "customer_bakery", "Złoty Bochen: bakery roof", 8, ROOFS),
    Project(-6, "manufacturer_helion", "customer_warehouse", "Magazyny Wschód: hall 1", 28, ROOFS),
    Project(-6, "referrer_dachwerk", "customer_garage", "Kontorhaus: parking deck", 16, STORAGE),
    Project(-5, "referrer_horyzont", "customer_clinic", "Zdorova Rodyna: second building", 11, HOMES),
    Project(-5, "referrer_desert", "customer_winery", "Cedar Bend: press house", 18, STORAGE),
    Project(-4, "manufacturer_voltkern", "customer_garage", "Kontorhaus: peak shaving", 15, STORAGE),
    Project(-4, "dealer_wisla", "customer_warehouse", "Magazyny Wschód: office", 6, HOMES),
    Project(-3, "referrer_dachwerk", "customer_school", "Am Lindenhof: main building", 21, ROOFS),
    Project(-3, "manufacturer_helion", "customer_farm", "Stepovyi Lan: grain dryer", 19, ROOFS),
    Project(-2, "referrer_horyzont", "customer_farm", "Stepovyi Lan: farmhouse", 7, HOMES),
    Project(-2, "referrer_desert", "customer_center", "Riverside: storage", 12, STORAGE),
    Project(-1, "manufacturer_helion", "customer_warehouse", "Magazyny Wschód: hall 2", 31, ROOFS),
    Project(-1, "dealer_wisla", "customer_bakery", "Złoty Bochen: second shop", 5, HOMES),
)

PROSPECTS = (
    Prospect(
        "referrer_horyzont", "customer_hotel", "Hotel Morska Perlyna: spa, heat and power", 26, "crm.stage_lead2", 18
    ),
    Prospect("referrer_dachwerk", "customer_garage", "Kontorhaus: facade", 34, "crm.stage_lead3", 9, ROOFS),
    Prospect("referrer_desert", "customer_winery", "Cedar Bend: tasting room", 11, "crm.stage_lead3", 3, HOMES),
    Prospect("manufacturer_voltkern", "customer_dairy", "Hintermoser: second storage", 24, "crm.stage_lead1", 40),
)

# Who gives goods back: when, and how much of them.
RETURNS = {
    ("dealer_waldkirch", -6): (-2, 1.0),
    ("dealer_dolyna", -8): (-7, 0.25),
    ("dealer_nordlicht", -3): (-2, 0.3),
    ("dealer_baltic", -4): (-3, 0.5),
    ("customer_winery", -5): (-3, 0.2),
}

# Whose order of which month is canceled in the month after.
CANCELED = {("dealer_wisla", -5), ("dealer_lonestar", -2)}

ENROLLMENTS = (
    *(Enrollment("program_dealer_club", partner, 1 - len(months)) for partner, (_, months) in DEALERS.items()),
    *(Enrollment("program_dealer_club", each.buyer, each.joined) for each in REGULARS if each.joined is not None),
    Enrollment("program_referral", "referrer_horyzont", -14),
    Enrollment("program_referral", "referrer_dachwerk", -12),
    Enrollment("program_referral", "referrer_desert", -10),
    Enrollment("program_referral", "dealer_wisla", -8),
    Enrollment("program_alliance", "manufacturer_helion", -14),
    Enrollment("program_alliance", "manufacturer_voltkern", -10),
)

# At the end of which month a membership of the dealer club is interrupted or ended.
SUSPENDED = {-3: "dealer_prairie"}
ENDED = {-5: "dealer_summit"}

# The month at whose end the books of the dealer club are closed up to the month given.
LOCKED = {-3: -6}

# What is paid out at the end of a month, and how far that gets.
PAYOUTS = (
    PlannedPayout(-10, "program_dealer_club", "dealer_dnipro", "paid"),
    PlannedPayout(-10, "program_dealer_club", "dealer_nordlicht", "paid"),
    PlannedPayout(-10, "program_referral", "referrer_horyzont", "paid"),
    PlannedPayout(-7, "program_dealer_club", "dealer_dolyna", "paid"),
    PlannedPayout(-7, "program_dealer_club", "dealer_lonestar", "refused"),
    PlannedPayout(-7, "program_dealer_club", "dealer_nordlicht", "paid"),
    PlannedPayout(-4, "program_dealer_club", "dealer_karpaty", "paid"),
    PlannedPayout(-4, "program_dealer_club", "dealer_lonestar", "paid"),
    PlannedPayout(-4, "program_dealer_club", "dealer_waldkirch", "paid"),
    PlannedPayout(-4, "program_referral", "referrer_dachwerk", "paid"),
    PlannedPayout(-1, "program_dealer_club", "dealer_dolyna", "billed"),
    PlannedPayout(0, "program_dealer_club", "dealer_wisla", "approved"),
    PlannedPayout(0, "program_dealer_club", "dealer_nordlicht", "submitted"),
    PlannedPayout(0, "program_dealer_club", "dealer_karpaty", "draft"),
)

# Corrections by hand in the dealer club: one is done, one waits for a manager, one for whoever entered it.
ADJUSTMENTS = (
    PlannedAdjustment("dealer_dnipro", "point", 500, "Speaker at the solar fair in Kyiv", "approved"),
    PlannedAdjustment("dealer_wisla", "money", 75, "Goodwill for the late delivery in spring", "requested"),
    PlannedAdjustment("dealer_lonestar", "point", -120, "Points of a cousin company, credited by mistake", "draft"),
)


# Special terms of dealers: from and up to which month, and what is agreed.
AGREEMENTS = (
    PlannedAgreement("dealer_dolyna", "New showroom in Dolyna", -2, 3, {"kind": "multiplier", "multiplier": 1.5}),
    PlannedAgreement("dealer_baltic", "Exhibition stock", -1, 2, {"kind": "discount", "discount": 5}),
)

# What partners have registered before others did.
DEALS = (
    PlannedDeal(
        "referrer_horyzont", "customer_hotel", "Hotel Morska Perlyna: spa, heat and power", 26000, 18, "approved"
    ),
    PlannedDeal("referrer_desert", None, "Mesa Verde Winery: roof of the press house", 18000, 1, "submitted"),
    PlannedDeal("referrer_dachwerk", "customer_garage", "Kontorhaus: facade", 34000, 9, "approved"),
    PlannedDeal("referrer_desert", "customer_winery", "Cedar Bend: tasting room", 11000, 3, "approved"),
    PlannedDeal("referrer_horyzont", None, "Pekarnia Kolos: chargers for the vans", 9000, 13, "submitted"),
    PlannedDeal("dealer_wisla", None, "Tartak Bór: roof of the saw mill", 22000, -13, "refused"),
    PlannedDeal("referrer_horyzont", None, "Sanatorium Dzherelo: hot water", 16000, -6, "canceled"),
    PlannedDeal("referrer_dachwerk", None, "Kita Sonnenblume: roof with storage", 14000, 45, "draft"),
)

# Who has claimed what for points, and how far that has come.
CLAIMS = (
    PlannedClaim("reward_tool_kit", "dealer_dnipro", "fulfilled"),
    PlannedClaim("reward_tool_kit", "dealer_wisla", "approved"),
    PlannedClaim("reward_credit", "dealer_nordlicht", "requested"),
    PlannedClaim("reward_tool_kit", "dealer_dolyna", "draft"),
    PlannedClaim("reward_consulting", "dealer_dnipro", "approved"),
    PlannedClaim("reward_support", "dealer_nordlicht", "approved"),
)

# Who has asked for marketing money, and how much of it was approved.
MARKETING = (
    PlannedMarketing(
        "dealer_dnipro", "Stand with a working heat pump, two days, leaflets", "Agro Expo", (21, 23), 900, 750
    ),
    PlannedMarketing(
        "dealer_wisla", "Advertising in the trade press, three issues", "Czysta Energia", (14, 60), 600, None
    ),
)


@dataclass(eq=False)
class Sale:
    """An order and what follows from it; days that have not come yet are left out."""

    buyer: str
    month: int
    day: date
    lines: dict
    project: Project | None = None
    invoice_day: date | None = None
    payments: list = field(default_factory=list)
    credit_day: date | None = None
    credit_share: float = 0
    cancel_day: date | None = None


class Plan:
    """All sales up to today. The same day gives the same sales.

    :param date today: the day the story ends
    :param dict prices: price of each product
    """

    def __init__(self, today, prices):
        self.today = today
        self._prices = prices
        self._random = Random(SEED)
        sales = [
            *self._get_dealer_sales(),
            *self._get_promoted_sales(),
            *self._get_project_sales(),
            *self._get_regular_sales(),
        ]
        self.sales = sorted((sale for sale in sales if sale.day <= today), key=lambda sale: sale.day)
        for sale in self.sales:
            self._continue(sale)

    def get_month_start(self, month):
        """Return the first day of a month."""
        return self.today.replace(day=1) + relativedelta(months=month)

    def get_lines(self, products, amount):
        """Return quantities of products that come to about an amount, the cheapest taking up the rest.

        :rtype: dict[str, int]
        """
        by_price = sorted(products, key=self._prices.get, reverse=True)
        lines, rest = {}, amount
        for product in by_price[:-1]:
            quantity = int(rest * self._random.uniform(0.3, 0.7) / self._prices[product])
            if quantity:
                lines[product] = quantity
                rest -= quantity * self._prices[product]
        lines[by_price[-1]] = max(1, round(rest / self._prices[by_price[-1]]))
        return lines

    def _get_dealer_sales(self):
        for buyer, (products, months) in DEALERS.items():
            for month, amount in zip(range(1 - len(months), 1), months, strict=True):
                count = min(3, ceil(amount / 12))
                for day in self._get_days(month, count):
                    yield Sale(buyer, month, day, self.get_lines(products, amount * 1000 / count))

    def _get_promoted_sales(self):
        for month, buyer, lines in PROMOTED:
            yield Sale(buyer, month, *self._get_days(month, 1), lines)

    def _get_project_sales(self):
        for project in PROJECTS:
            lines = self.get_lines(project.products, project.amount * 1000)
            yield Sale(project.customer, project.month, *self._get_days(project.month, 1), lines, project)

    def _get_regular_sales(self):
        for regular in REGULARS:
            day = self._random.randint(1, 22)
            for month in range(regular.first_month, 1, 3):
                quarters = 0 if regular.joined is None else max(0, (month - regular.joined) // 3 + 1)
                amount = regular.amount * 1000 * (1 + regular.growth) ** quarters * self._random.uniform(0.93, 1.07)
                lines = self.get_lines(regular.products, amount)
                yield Sale(regular.buyer, month, self.get_month_start(month) + timedelta(days=day), lines)

    def _get_days(self, month, count):
        """Return days early enough for the invoice to fall into the same month, so that turnover is as planned."""
        days = sorted(self._random.sample(range(1, 23), count))
        return [self.get_month_start(month) + timedelta(days=day) for day in days]

    def _continue(self, sale):
        """Decide what follows from an order."""
        if (sale.buyer, sale.month) in CANCELED:
            sale.cancel_day = self._until_today(self.get_month_start(sale.month + 1) + timedelta(days=4))
            return
        sale.invoice_day = self._until_today(sale.day + timedelta(days=self._random.randint(1, 4)))
        if not sale.invoice_day:
            return
        credit_month, share = RETURNS.get((sale.buyer, sale.month), (None, 0))
        if share:
            sale.credit_day = self.get_month_start(credit_month) + timedelta(days=self._random.randint(9, 20))
            sale.credit_share = share
        sale.payments = [
            (day, share)
            for days, share in self._get_payment_terms()
            if (day := self._until_today(self._get_payment_run(sale.invoice_day + timedelta(days=days))))
        ]

    def _get_payment_terms(self):
        """Return after how many days which share is paid: most pay on time, some in parts, late or not at all."""
        mood = self._random.random()
        days = self._random.randint(10, 28)
        if mood < 0.75:
            return [(days, 1)]
        if mood < 0.83:
            return [(days, 0.4), (days + 35, 1)]
        if mood < 0.9:
            return [(days, 0.4)]
        return [(days + 30, 1)] if mood < 0.97 else []

    def _get_payment_run(self, day):
        """Return the 10th or 25th on or after a day: companies pay all that is due together."""
        return day.replace(day=10 if day.day <= 10 else 25) if day.day <= 25 else day + relativedelta(months=1, day=10)

    def _until_today(self, day):
        return day if day <= self.today else None
