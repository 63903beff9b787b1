from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

# The columns that hold the company of a document's contact, as it was then: table, column.
COMPANY_COLUMNS = (
    ("sale_order", "loyalty_buyer_id"),
    ("crm_lead", "loyalty_buyer_id"),
    ("survey_user_input", "loyalty_holder_id"),
)


def pre_init_hook(env):
    """Fill the companies of all documents there are in one statement each, where the ORM would go one by one."""
    if not column_exists(env.cr, "sale_order", "loyalty_partner_id"):
        create_column(env.cr, "sale_order", "loyalty_partner_id", "int4")
    fill_company_columns(env.cr)


def fill_company_columns(cr):
    """Create the columns of ``COMPANY_COLUMNS`` that are not there yet, and fill them."""
    for table, column in COMPANY_COLUMNS:
        if column_exists(cr, table, column):
            continue
        create_column(cr, table, column, "int4")
        cr.execute(
            SQL(
                """UPDATE %(table)s document SET %(column)s = partner.commercial_partner_id
                     FROM res_partner partner WHERE partner.id = document.partner_id""",
                table=SQL.identifier(table),
                column=SQL.identifier(column),
            )
        )


def uninstall_hook(env):
    """Drop the function behind the append-only tables, which take their triggers with them, and what ties all of ours.

    They are dropped in a moment. Before that, Odoo deletes what came with the data files record by record, and would
    log an error for each that one of ours names.
    """
    env.cr.execute(SQL("DROP FUNCTION IF EXISTS partner_loyalty_append_only() CASCADE"))
    for table, constraint in _get_references(env):
        env.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(constraint)))


def _get_references(env):
    """Return the foreign keys that lead to a table of ours, or from one to another table.

    :return: table and constraint of each
    :rtype: list[tuple[str, str]]
    """
    models = [model for name, model in env.registry.items() if name.startswith("partner.loyalty.")]
    tables = tuple(model._table for model in models if model._auto and not model._abstract)
    return env.execute_query(
        SQL(
            """SELECT source.relname, foreign_key.conname
                 FROM pg_constraint foreign_key
                 JOIN pg_class source ON source.oid = foreign_key.conrelid
                 JOIN pg_class target ON target.oid = foreign_key.confrelid
                WHERE foreign_key.contype = 'f' AND (source.relname IN %(tables)s OR target.relname IN %(tables)s)
                  AND source.relnamespace = current_schema::regnamespace""",
            tables=tables,
        )
    )
