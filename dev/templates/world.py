"""A new company with its people and partners, and the program that a template makes for it."""

from datetime import date

from company import create_company, get_journal

from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command

START = date(2026, 1, 1)
QUIET = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_notify_force_send": False,
    "no_reset_password": True,
    "lang": "en_US",
}
# How the dealers buy: the chance of each in per cent of the days, its usual amount, and its last day, if any.
DEALERS = {
    "Large": (20, 6500, None),
    "Steady": (12, 900, None),
    "Fading": (6, 250, None),
    "Quiet": (10, 400, date(2026, 2, 20)),
    "Small": (8, 120, None),
}
REFERRERS = ("Architect", "Consultant")
CUSTOMERS = 6


class World:
    """What the year happens in.

    :param cr: a cursor; its transaction is rolled back by the caller
    :param clock: :class:`templates.clock.Clock`
    :param str template: ``service``, ``academy`` or ``live``
    """

    def __init__(self, cr, clock, template):
        self.clock, self.template = clock, template
        with clock.at(START, 8):
            self.company = create_company(Environment(cr, SUPERUSER_ID, QUIET), "A Year", "EUR")
            self.company.partner_id.email = "company@example.com"
            self.env = self.company.env
            self.officer, self.manager, self.other_manager = map(self._create_user, ("officer", "manager", "manager"))
            self.product = self._create_product("Thing", list_price=100)
            self.novelty = self._create_product("Novelty", list_price=500)
            self.bank = get_journal(self.company, "bank")
            self.dealers = {name: self._create_partner(name) for name in DEALERS}
            self.referrers = [self._create_partner(name) for name in REFERRERS]
            self.customers = [self._create_partner(f"Customer {number}") for number in range(CUSTOMERS)]
            self._tell_past()
            self.program = self._create_program()
            self.members = self._enroll()

    def _create_user(self, role):
        groups = self.env.ref(f"partner_loyalty.partner_loyalty_group_{role}") | self.env.ref("base.group_user")
        number = self.env["res.users"].search_count([])
        return self.env["res.users"].create(
            {
                "name": f"{role} {number}",
                "login": f"year_{role}_{number}",
                "email": f"{role}{number}@example.com",
                "tz": "UTC",
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.set(groups.ids)],
            }
        )

    def _create_product(self, name, **vals):
        return self.env["product.product"].create(
            {"name": name, "type": "consu", "taxes_id": False, "invoice_policy": "order", **vals}
        )

    def _create_partner(self, name):
        """Create a company with two contacts."""
        mail = name.lower().replace(" ", ".")
        contacts = [
            Command.create({"name": f"{person} of {name}", "email": f"{person.lower()}@{mail}.example.com"})
            for person in ("Ann", "Bob")
        ]
        vals = {"is_company": True, "email": f"office@{mail}.example.com", "child_ids": contacts}
        return self.env["res.partner"].create({"name": name, **vals})

    def _tell_past(self):
        """Let the dealers have bought a little in the year before, which growth is measured against."""
        for partner in self.dealers.values():
            for month in (2, 5, 8, 11):
                self.sell(partner, 800, date(2025, month, 10))

    def sell(self, partner, amount, day, product=None, **vals):
        """Let a partner order for an amount, and invoice it.

        :return: the invoice
        """
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": (product or self.product).id, "product_uom_qty": 1, "price_unit": amount}
                    )
                ],
                **vals,
            }
        )
        order.action_confirm()
        if day < START:
            order.date_order = day
        invoice = order._create_invoices()
        invoice.invoice_date = day
        invoice.action_post()
        return invoice

    def pay(self, moves, day):
        """Pay each of some invoices or bills in full."""
        for move in moves:
            wizard = self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=move.ids, dont_redirect_to_payments=True
            )
            wizard.create({"payment_date": day, "journal_id": self.bank.id})._create_payments()

    def _create_program(self):
        """Make the program as a manager does, and start it as it is."""
        wizards = self.env["partner.loyalty.template"].with_user(self.manager)
        wizard = wizards.create({"template": self.template, "product_id": self.novelty.id})
        program = self.env["partner.loyalty.program"].browse(wizard.action_create()["res_id"])
        program.with_user(self.manager).write({"tz": "UTC", "user_id": self.officer.id})
        program.with_user(self.manager).action_start()
        return program

    def _enroll(self):
        partners = self.env["res.partner"].union(*self.dealers.values(), *self.referrers)
        members = self.program._enroll(dict.fromkeys(partners, START))
        for member in members if self.program.terms else ():
            self.env["partner.loyalty.acceptance"].create(
                {"member_id": member.id, "contact_id": member.partner_id.child_ids[0].id}
            )
        return members

    def get_member(self, partner):
        """Return the membership of a partner."""
        return self.members.filtered(lambda member: member.partner_id == partner)
