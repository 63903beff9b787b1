"""What migrations need."""

import logging
from contextlib import contextmanager

from odoo.tools import SQL

_logger = logging.getLogger(__name__)


@contextmanager
def unguarded(cr, table, why):
    """Lift the guard of an append-only table meanwhile, and log it.

    For migrations alone: amounts, keys and dates of the ledger are not theirs to change either.

    :param cr: cursor
    :param str table: ``partner_loyalty_entry`` or ``partner_loyalty_allocation``
    :param str why: what for, for the log
    """
    _logger.warning("The guard of %s is lifted: %s", table, why)
    cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
    yield
    cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
    _logger.info("The guard of %s is back", table)
