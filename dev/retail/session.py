"""A connection of this process to an Odoo database, without a web server."""

import time
from contextlib import contextmanager

from kit.say import Failure
from psycopg2 import errors
from psycopg2.sql import SQL, Identifier

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

from . import sql

LOCK = 0x7265_7461_696C  # "retail"
TRIES = 6
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable, errors.UniqueViolation)
QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
}


class Session:
    """Odoo's models in one database.

    :param str config_file: Odoo's configuration file
    :param str database: the database's name
    """

    def __init__(self, config_file, database):
        arguments = ["--config", str(config_file), "--database", database, "--no-http", "--log-level=error"]
        config.parse_config(arguments, setup_logging=True)
        self.config_file = config_file
        self.database = database
        self.lock = self._take_lock()
        self.registry = Registry(database)

    def has(self, *models):
        """Return whether the database has these models."""
        return all(model in self.registry for model in models)

    @contextmanager
    def env(self, company_id=None):
        """Give an environment with a transaction of its own, committed in the end."""
        context = QUIET | ({"allowed_company_ids": [company_id]} if company_id else {})
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, context)

    def run(self, work, company_id=None):
        """Return what ``work`` returns for an environment, tried again where another transaction was in the way."""
        for attempt in range(1, TRIES + 1):
            try:
                with self.env(company_id) as env:
                    return work(env)
            except CONFLICTS:
                if attempt == TRIES:
                    raise
                time.sleep(0.2 * attempt)

    def analyze(self, *tables):
        """Let the database count tables that were just filled, or it would plan for empty ones."""
        with self.connect() as connection, connection.cursor() as cr:
            for table in tables:
                cr.execute(SQL("ANALYZE {}").format(Identifier(table)))

    def tell_servers(self):
        """Make the running servers forget what they cached of what was changed here."""
        self.registry.signal_changes()

    def disconnect(self):
        """Close all connections, so that a child process does not share them."""
        sql_db.close_all()

    def connect(self):
        """Return a connection of its own for plain SQL."""
        return sql.connect(self.config_file, self.database)

    def _take_lock(self):
        """Return a connection that holds a lock, gone with the process; stop if another loader has it."""
        lock = self.connect()
        with lock, lock.cursor() as cr:
            cr.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cr.fetchone()[0]:
                raise Failure(
                    f"Another 'make retail' is loading into the database {self.database}.",
                    "Wait until it is done, or stop it, and run the command again.",
                )
        return lock
