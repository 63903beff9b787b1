from odoo.tools import SQL
from odoo.tools.sql import create_column

from odoo.addons.partner_loyalty.tools.migration import unguarded


def migrate(cr, version):
    """Give allocations their day, and lines the lock date that they were posted under."""
    create_column(cr, "partner_loyalty_allocation", "date", "date")
    create_column(cr, "partner_loyalty_entry", "lock_date", "date")
    with unguarded(cr, "partner_loyalty_allocation", "allocations get their day"):
        cr.execute(SQL("UPDATE partner_loyalty_allocation allocation SET date = %s", _get_day()))
    with unguarded(cr, "partner_loyalty_entry", "lines of a prior period get the lock date they were posted under"):
        cr.execute(SQL("UPDATE partner_loyalty_entry SET lock_date = contribution_date WHERE prior_period"))
        # What was paid of a document by then is not known any more, so these do not replay.
        cr.execute(
            SQL(
                """UPDATE partner_loyalty_entry entry SET explanation = explanation || '{"legacy": true}'
                     FROM partner_loyalty_rule rule
                    WHERE rule.id = entry.rule_id AND rule.formula = 'fixed' AND rule.kind = 'payment'"""
            )
        )


def _get_day():
    """Return the day from which an allocation counts: both lines are there; what was given back, since its return."""
    return SQL(
        """(SELECT GREATEST(debit.date, credit.date, CASE WHEN allocation.amount < 0 THEN (
                   SELECT MAX(counter.date)
                     FROM partner_loyalty_entry counter WHERE counter.reverses_id = debit.id) END)
              FROM partner_loyalty_entry debit, partner_loyalty_entry credit
             WHERE debit.id = allocation.debit_entry_id AND credit.id = allocation.credit_entry_id)"""
    )
