"""A company with many members and invoices; committed, in a database of its own."""

from datetime import timedelta
from random import Random

from fuzz.world import QUIET, Shop

from odoo import SUPERUSER_ID, api
from odoo.fields import Command, Date
from odoo.modules.registry import Registry

MEMBERS, INVOICES = 300, 600
RATE, STEP = 10, 3


class World:
    """What the workers work on.

    :param str database: name of the database
    :param int seed: decides the amounts
    """

    def __init__(self, database, seed):
        self.database, self.random = database, Random(seed)
        with self.transaction() as env:
            shop = Shop(env, "EUR")
            self.company_id, self.program_id = shop.company.id, shop.program.id
            self._set_terms(shop.program)
            partners = env["res.partner"].create(
                [{"name": f"Chaos {number}", "is_company": True} for number in range(MEMBERS)]
            )
            self.start = shop.program.date_from
            shop.program._enroll(dict.fromkeys(partners, self.start))
            template = self._create_template(shop, partners[0])
            self.move_ids = [template.id, *self._copy(env, template, partners.ids)]
            self._mark(env, self.move_ids)

    def transaction(self):
        """Open a transaction that is committed in the end."""
        return transaction(self.database)

    def _set_terms(self, program):
        today = program._get_today()
        program.rule_ids.unlink()
        program.write(
            {
                "name": "Chaos",
                "date_from": today - timedelta(days=120),
                "expiry_kind": "months",
                "expiry_months": 2,
                "recovery_share": 50,
                "tier_ids": [Command.clear()],
                "rule_ids": [
                    Command.create({"name": "Money", "rate": RATE}),
                    Command.create(
                        {"name": "Points", "formula": "per_amount", "unit": "point", "rate": 1, "step_amount": STEP}
                    ),
                ],
            }
        )

    def _create_template(self, shop, partner):
        line = {"product_id": shop.product.id, "quantity": 1, "price_unit": 100, "tax_ids": [Command.clear()]}
        move = shop.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "journal_id": shop.sales.id,
                "invoice_date": Date.today(),
                "invoice_line_ids": [Command.create(line)],
            }
        )
        move.action_post()
        return move

    def _copy(self, env, template, partner_ids):
        """Copy the rows of an invoice, with other partners, days and amounts; return the new ids."""
        env.flush_all()
        values = [
            (
                self.random.choice(partner_ids),
                Date.today() - timedelta(days=self.random.randrange(120)),
                self.random.randrange(100, 100000) / 100,
            )
            for _number in range(INVOICES - 1)
        ]
        ids = []
        for number, (partner_id, day, amount) in enumerate(values):
            move = {"name": f"CHAOS/{number}", "partner_id": partner_id, "commercial_partner_id": partner_id}
            move |= {"invoice_date": day, "date": day, "payment_reference": None, "access_token": None}
            move_id = copy_row(env.cr, "account_move", template.id, move)
            for line in template.line_ids:
                signed = -amount if line.display_type == "product" else amount
                vals = {"move_id": move_id, "balance": signed, "amount_currency": signed, "partner_id": partner_id}
                copy_row(env.cr, "account_move_line", line.id, vals)
            ids.append(move_id)
        return ids

    def disturb(self, count=20):
        """Change, cancel and revive invoices, each with its mark in the same transaction, as documents do."""
        with self.transaction() as env:
            ids = self.random.sample(self.move_ids, count)
            for move_id in ids:
                if self.random.random() < 0.3:
                    query = "UPDATE account_move SET state = CASE state WHEN 'posted' THEN 'cancel' ELSE 'posted' END"
                    env.cr.execute(f"{query} WHERE id = %s", [move_id])
                else:
                    amount = self.random.randrange(100, 100000) / 100
                    env.cr.execute(
                        "UPDATE account_move_line SET balance = %s, amount_currency = %s"
                        " WHERE move_id = %s AND display_type = 'product'",
                        [-amount, -amount, move_id],
                    )
            self._mark(env, ids)

    def _mark(self, env, ids):
        env.cr.execute(
            "INSERT INTO partner_loyalty_touch (res_model, res_id) SELECT 'account.move', unnest(%s)", [list(ids)]
        )


def transaction(database):
    """Open a transaction that is committed in the end; yields its environment."""
    return _Transaction(database)


class _Transaction:
    def __init__(self, database):
        self.cr = Registry(database).cursor()

    def __enter__(self):
        self.cr.__enter__()
        return api.Environment(self.cr, SUPERUSER_ID, QUIET)

    def __exit__(self, *error):
        return self.cr.__exit__(*error)


def copy_row(cr, table, row_id, changes):
    """Copy a row of a table and return the new id."""
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    columns = [name for (name,) in cr.fetchall() if name != "id"]
    parts = ["%s" if name in changes else f'"{name}"' for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    cr.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(parts)} FROM {table} WHERE id = %s RETURNING id",
        [*(changes[name] for name in columns if name in changes), row_id],
    )
    return cr.fetchone()[0]
