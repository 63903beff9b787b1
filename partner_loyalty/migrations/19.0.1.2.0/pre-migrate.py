from odoo.tools import SQL
from odoo.tools.sql import create_column

from odoo.addons.partner_loyalty.hooks import fill_company_columns


def migrate(cr, version):
    """Give documents their company, note which rules have posted, and let rates by tier be for all categories."""
    fill_company_columns(cr)
    create_column(cr, "partner_loyalty_rule", "has_entries", "boolean")
    cr.execute(
        SQL(
            """UPDATE partner_loyalty_rule rule
                  SET has_entries = EXISTS (SELECT 1 FROM partner_loyalty_entry entry
                                             WHERE COALESCE(entry.rule_id, 0) = rule.id)"""
        )
    )
    cr.execute(SQL("DROP INDEX IF EXISTS partner_loyalty_rule_rate_rule_tier_unique"))
