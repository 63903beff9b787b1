from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """Say why each member got its tier, and let two tiers start at the same turnover where they ask for more."""
    cr.execute(SQL("DROP INDEX IF EXISTS partner_loyalty_tier_threshold_unique"))
    create_column(cr, "partner_loyalty_tier_period", "cause", "varchar")
    cr.execute(
        SQL(
            """UPDATE partner_loyalty_tier_period
                  SET cause = CASE WHEN evidence ? 'takeover' THEN 'takeover'
                                   WHEN evaluation_date IS NULL THEN 'joining' ELSE 'evaluation' END"""
        )
    )
    # Whoever has a tier by now knows it.
    create_column(cr, "partner_loyalty_tier_period", "is_told", "boolean")
    cr.execute(SQL("UPDATE partner_loyalty_tier_period SET is_told = TRUE"))
    # Older versions counted nobody together: the ORM works it out for them.
    if column_exists(cr, "partner_loyalty_member", "turnover_root_id"):
        create_column(cr, "partner_loyalty_member", "group_root_id", "int4")
        cr.execute(SQL("UPDATE partner_loyalty_member SET group_root_id = turnover_root_id"))
