from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column


def pre_init_hook(env):
    """Fill the buying company of all orders in one statement, where the ORM would compute it order by order."""
    if column_exists(env.cr, "sale_order", "loyalty_buyer_id"):
        return
    create_column(env.cr, "sale_order", "loyalty_buyer_id", "int4")
    create_column(env.cr, "sale_order", "loyalty_partner_id", "int4")
    env.cr.execute(
        SQL(
            """UPDATE sale_order SET loyalty_buyer_id = partner.commercial_partner_id
                 FROM res_partner partner WHERE partner.id = sale_order.partner_id"""
        )
    )


def uninstall_hook(env):
    """Drop the function behind the append-only tables; the tables take their triggers with them."""
    env.cr.execute(SQL("DROP FUNCTION IF EXISTS partner_loyalty_append_only() CASCADE"))
