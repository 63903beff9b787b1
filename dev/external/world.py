"""A company in hryvnia with partners, a salesperson with a key, and a server on a port of its own."""

import subprocess
import time
import urllib.request
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from chaos.world import transaction
from company import create_company
from kit import odoo as kit_odoo
from kit import ports

from odoo.fields import Command, Date, Datetime

from .plan import PRODUCTS, RATE, START

PARTNERS = 20
KINDS = {"order": "sale.order", "invoice": "account.move"}


class World:
    """What the orders arrive in.

    :param str database: name of the database
    """

    def __init__(self, database):
        self.database = database
        with transaction(database) as env:
            company = create_company(env, "Shop", "UAH", country_id=env.ref("base.ua").id)
            self.company_id, env = company.id, company.env
            self._create_products(env)
            program = self._create_program(env)
            partners = env["res.partner"].create(
                [{"name": f"Partner {number}", "is_company": True} for number in range(PARTNERS)]
            )
            members = program._enroll(dict.fromkeys(partners, program.date_from))
            self.program_id, self.codes = program.id, members.mapped("referral_code")
            self.key = self._create_key(env)

    def _create_products(self, env):
        env["product.product"].create(
            [
                {"name": name, "default_code": name, "list_price": float(price), "taxes_id": False}
                for name, price in PRODUCTS.items()
            ]
        )

    def _create_program(self, env):
        rules = [{"name": kind, "kind": kind, "role": "referrer", "rate": float(RATE)} for kind in KINDS]
        program = env["partner.loyalty.program"].create(
            {
                "name": "Shop",
                "company_id": self.company_id,
                "date_from": Date.to_date(START) - timedelta(days=30),
                "tz": "UTC",
                "rule_ids": [Command.create(rule) for rule in rules],
            }
        )
        program.action_start()
        return program

    def _create_key(self, env):
        user = env["res.users"].create(
            {
                "name": "Shop",
                "login": "shop",
                "company_id": self.company_id,
                "company_ids": [Command.set([self.company_id])],
                "group_ids": [Command.set(env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
        keys = env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "Shop", Datetime.now() + timedelta(days=2))

    @contextmanager
    def serve(self, config, log):
        """Run a server on the database; yields its address."""
        port = ports.next_free(8170)
        options = ["-c", config, "-d", self.database, "--db-filter", f"^{self.database}$", "--http-port", port]
        with log.open("w") as file:
            process = subprocess.Popen(
                kit_odoo.command(*options, "--max-cron-threads=0"),
                env=kit_odoo.environment(),
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            url = f"http://{ports.HOST}:{port}"
            _wait(url)
            yield url
        finally:
            process.terminate()
            process.wait()

    def get_result(self):
        """Answer the documents, and return what became of the orders.

        :return: by reference: how many orders, state, what is invoiced after all, partner code, earned by order and
            invoice, how many invoices and credit notes
        :rtype: dict
        """
        with transaction(self.database) as env:
            env["partner.loyalty.touch"]._cron_reconcile_touched()
        with transaction(self.database) as env:
            orders = env["sale.order"].search([("loyalty_external_ref", "!=", False)])
            codes = {
                member.partner_id: member.referral_code
                for member in env["partner.loyalty.member"].search([("program_id", "=", self.program_id)])
            }
            earned = self._get_earned(env)
            return {
                order.loyalty_external_ref: {
                    "state": order.state,
                    "invoiced": _exact(sum(order.invoice_ids.mapped("amount_untaxed_signed"))),
                    "code": codes.get(order.loyalty_partner_id),
                    "by_order": earned.get(("sale.order", order.id), Decimal(0)),
                    "by_invoice": sum(earned.get(("account.move", move.id), 0) for move in order.invoice_ids),
                    "is_settled": not any(order.invoice_ids.mapped("amount_residual")),
                }
                for order in orders
            }

    def get_problems(self):
        """Return what the queue still holds, and what violates the ledger.

        :rtype: list[str]
        """
        with transaction(self.database) as env:
            queue = env["partner.loyalty.external.order"].search([("state", "!=", "done")])
            left = [f"{external.external_ref} {external.state}: {external.reason}" for external in queue]
            return left + env["partner.loyalty.program"]._check_invariants()

    def count_customers(self):
        """Return how many contacts the orders have, and how many phone numbers these.

        :rtype: tuple
        """
        with transaction(self.database) as env:
            customers = env["sale.order"].search([("loyalty_external_ref", "!=", False)]).partner_id
            return len(customers), len(set(customers.mapped("phone")))

    def _get_earned(self, env):
        entries = env["partner.loyalty.entry"].search([("program_id", "=", self.program_id)])
        earned = {}
        for entry in entries:
            key = entry.origin_model, entry.origin_id
            earned[key] = earned.get(key, Decimal(0)) + _exact(entry.amount)
        return earned


def _exact(amount):
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def _wait(url, seconds=120):
    for _second in range(seconds):
        try:
            return urllib.request.urlopen(f"{url}/web/health", timeout=5).read()
        except OSError:
            time.sleep(1)
    raise TimeoutError(f"The server at {url} does not answer.")
