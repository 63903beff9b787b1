"""The world that all sequences share: two companies, three currencies, partners, programs. Never committed."""

from datetime import date
from decimal import Decimal

from company import create_company, get_currency, get_journal

from odoo import SUPERUSER_ID, api
from odoo.fields import Command

TODAY = date(2026, 3, 10)
START = date(2026, 1, 1)
QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "mail_activity_automation_skip": True,
    "no_reset_password": True,
    "lang": "en_US",
}
# Units of the currency for one euro; quotients of them have few digits, so that they can be worked out exactly.
RATES = {"EUR": Decimal(1), "JPY": Decimal(160), "KWD": Decimal("0.32")}
COMPANIES = ("EUR", "KWD")
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
THRESHOLDS = (Decimal(0), Decimal(400))
RULES = {
    "EUR": [
        {"kind": "invoice", "role": "buyer", "formula": "percent", "unit": "money", "rate": 10, "gold": 12.5},
        {"kind": "invoice", "role": "buyer", "formula": "per_amount", "unit": "point", "rate": 1, "step_amount": 3},
        {"kind": "payment", "role": "buyer", "formula": "percent", "unit": "money", "rate": 3},
        {"kind": "payment", "role": "referrer", "formula": "fixed", "unit": "money", "rate": 7, "gold": 9},
        {"kind": "order", "role": "referrer", "formula": "percent", "unit": "point", "rate": 4},
    ],
    "KWD": [
        {"kind": "invoice", "role": "buyer", "formula": "percent", "unit": "money", "rate": 5},
        {"kind": "invoice", "role": "referrer", "formula": "fixed", "unit": "point", "rate": 20},
        {"kind": "order", "role": "buyer", "formula": "per_amount", "unit": "point", "rate": 2, "step_amount": 1},
    ],
}
# Bands that a rule can have, by their kind: from how much on, and percent or a sum.
BANDS = {
    "marginal": [(Decimal(0), Decimal(2)), (Decimal(120), Decimal("5.5")), (Decimal(400), Decimal(8))],
    "total": [(Decimal(50), Decimal(1)), (Decimal(250), Decimal(4))],
    "sum": [(Decimal(80), Decimal(5)), (Decimal(300), Decimal("12.5"))],
}


class Shop:
    """A company with its program.

    :param env: environment of the superuser
    :param str currency: name of the company's currency
    """

    def __init__(self, env, currency):
        self.currency = currency
        self.company = create_company(env(context=QUIET), f"Fuzz {currency}", currency)
        self.env = self.company.env
        self._set_rates()
        self.sales, self.bank = get_journal(self.company, "sale"), get_journal(self.company, "bank")
        self.product = self._create_product("Thing", invoice_policy="order")
        self.pricelists = {
            name: self.env["product.pricelist"].create({"name": name, "currency_id": get_currency(env, name).id}).id
            for name in RATES
        }
        self.program = self._create_program()

    def rate(self, currency):
        """Return how many units of a currency one unit of the company's is worth."""
        return RATES[currency] / RATES[self.currency]

    def _set_rates(self):
        for name in RATES:
            self.env["res.currency.rate"].create(
                {
                    "name": "2020-01-01",
                    "currency_id": get_currency(self.env, name).id,
                    "company_id": self.company.id,
                    "rate": float(self.rate(name)),
                }
            )

    def _create_product(self, name, **values):
        return self.env["product.product"].create(
            {"name": name, "type": "service", "taxes_id": False, "supplier_taxes_id": False, **values}
        )

    def _create_program(self):
        program = self.env["partner.loyalty.program"].create(
            {
                "name": f"Fuzz {self.currency}",
                "company_id": self.company.id,
                "date_from": START,
                "tz": "UTC",
                "user_id": False,
                "payout_journal_id": get_journal(self.company, "purchase").id,
                "payout_product_id": self._create_product("Bonus").id,
                "expiry_of_money": True,
                "tier_ids": [
                    Command.create({"name": f"Tier {number}", "threshold": float(threshold)})
                    for number, threshold in enumerate(THRESHOLDS)
                ],
            }
        )
        for number, vals in enumerate(RULES[self.currency]):
            gold = vals.get("gold")
            rates = [Command.create({"tier_id": program.tier_ids.sorted("threshold")[1].id, "rate": gold})]
            self.env["partner.loyalty.rule"].create(
                {
                    "program_id": program.id,
                    "name": f"Rule {number}",
                    **{name: value for name, value in vals.items() if name != "gold"},
                    "tier_rate_ids": rates if gold else [],
                }
            )
        program.action_start()
        return program


class World:
    """Everything that is made once.

    :param cr: a cursor; its transaction is rolled back by the caller
    """

    def __init__(self, cr):
        self.env = api.Environment(cr, SUPERUSER_ID, QUIET)
        for name in RATES:
            get_currency(self.env, name).active = True
        self.shops = [Shop(self.env, currency) for currency in COMPANIES]
        self.partners = self.env["res.partner"].create(
            [{"name": f"Fuzz partner {number}", "is_company": True} for number in range(4)]
        )
        self.officer, self.manager = (self._create_user(role) for role in ("officer", "manager"))
        self.env.flush_all()

    def _create_user(self, role):
        companies = self.env["res.company"].union(*(shop.company for shop in self.shops))
        groups = self.env.ref(f"partner_loyalty.partner_loyalty_group_{role}")
        groups |= self.env.ref("base.group_user")
        return self.env["res.users"].create(
            {
                "name": f"Fuzz {role}",
                "login": f"fuzz_{role}",
                "company_id": companies[0].id,
                "company_ids": [Command.set(companies.ids)],
                "group_ids": [Command.set(groups.ids)],
            }
        )
