"""Who sells: a company with customers, a salesperson and ten products, with a program or without."""

from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal

from odoo.fields import Command, Date

from . import data
from .databases import environment

LINES = 10
# Nobody pays here: rules on payments have nothing to give.
KINDS = {"order": "sale_order", "invoice": "account_move", "payment": None}
SELLER = ("sales_team.group_sale_salesman", "account.group_account_invoice")


class Shop:
    """A company in a database of its own.

    :param str database: name of the database
    :param int rules: how many rules the program has; no program where there are none
    :param int customers: how many companies buy
    """

    def __init__(self, database, rules=0, customers=1):
        self.database = database
        with environment(database) as env:
            data.make_company(env)
            groups = [Command.link(env.ref(name).id) for name in SELLER]
            self.user_id = env["res.users"].create({"name": "Seller", "login": "seller", "group_ids": groups}).id
            buyer = {"is_company": True, "user_id": self.user_id}
            self.partner_ids = (
                env["res.partner"].create([{"name": f"Buyer {number}", **buyer} for number in range(customers)]).ids
            )
            goods = {"type": "service", "invoice_policy": "order"}
            products = [{"name": f"Goods {number}", "list_price": 10 + number, **goods} for number in range(LINES)]
            self.product_ids = env["product.product"].create(products).ids
            self.program_id = self._make_program(env, rules) if rules else None

    def _make_program(self, env, count):
        rules = [
            {"name": f"Rule {number}", "kind": list(KINDS)[number % len(KINDS)], "rate": 1 + number % 5}
            for number in range(count)
        ]
        vals = {"name": "Shop", "date_from": "2020-01-01", "rule_ids": [Command.create(rule) for rule in rules]}
        program = env["partner.loyalty.program"].create(vals)
        program.action_start()
        program._enroll(dict.fromkeys(env["res.partner"].browse(self.partner_ids), program.date_from))
        return program.id

    @contextmanager
    def work(self):
        """Open a transaction of the salesperson, that is committed in the end; yields its environment."""
        with environment(self.database, self.user_id, {"lang": "en_US"}) as env:
            yield env

    def make_order(self, env, number=0):
        """Return a quotation of ten lines, for one of the customers."""
        lines = [Command.create({"product_id": product_id, "product_uom_qty": 2}) for product_id in self.product_ids]
        partner_id = self.partner_ids[number % len(self.partner_ids)]
        return env["sale.order"].create({"partner_id": partner_id, "order_line": lines})

    def make_invoice(self, order):
        """Create the invoice of an order and post it."""
        invoice = order._create_invoices()
        invoice.invoice_date = Date.context_today(order)
        invoice.action_post()
        return invoice

    def check(self):
        """Answer all that was sold, and check the statement of each customer against plain arithmetic.

        :raises AssertionError: where it says something else
        """
        with environment(self.database) as env:
            env["partner.loyalty.touch"]._cron_reconcile_touched()
            program = env["partner.loyalty.program"].browse(self.program_id)
            for member in program.member_ids:
                earned = sum(self._get_earned(rule, member.partner_id) for rule in program.rule_ids)
                balance = Decimal(str(member._get_account("money").balance))
                if not earned or balance != earned:
                    raise AssertionError(f"{member.partner_id.name} has {balance}; {earned} was earned.")

    def _get_earned(self, rule, partner):
        """Return what a customer earned by a rule: a percentage of each document, rounded by itself."""
        table = KINDS[rule.kind]
        if not table:
            return 0
        sold = "state = 'sale'" if table == "sale_order" else "state = 'posted' AND move_type = 'out_invoice'"
        rule.env.cr.execute(f"SELECT amount_untaxed::text FROM {table} WHERE {sold} AND partner_id = %s", [partner.id])
        share = Decimal(str(rule.rate)) / 100
        return sum(
            (Decimal(amount) * share).quantize(Decimal("0.01"), ROUND_HALF_UP) for (amount,) in rule.env.cr.fetchall()
        )
