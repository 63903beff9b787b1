from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column, index_exists

TABLE = "partner_loyalty_tier_period"
# Odoo keeps those of a model that does not log any more.
COLUMNS = ("create_uid", "create_date", "write_uid", "write_date")
INDEXES = (f"{TABLE}__program_id_index", f"{TABLE}__tier_id_index")


def migrate(cr, version):
    """Name who set a tier by hand or published it, in place of who wrote a row, and drop what no decision needs."""
    create_column(cr, TABLE, "user_id", "int4")
    cr.execute(SQL("UPDATE partner_loyalty_tier_period SET user_id = create_uid WHERE cause = 'override'"))
    # The first versions had no reviews.
    if column_exists(cr, TABLE, "review_id"):
        cr.execute(SQL("UPDATE partner_loyalty_tier_period SET user_id = create_uid WHERE review_id IS NOT NULL"))
    for column in COLUMNS:
        cr.execute(SQL("ALTER TABLE %s DROP COLUMN %s", SQL.identifier(TABLE), SQL.identifier(column)))
    for index in INDEXES:
        if index_exists(cr, index):
            cr.execute(SQL("DROP INDEX %s", SQL.identifier(index)))
