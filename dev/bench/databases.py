"""Databases of the bench: copies that a group may write to and commit, and that are dropped afterwards."""

import shutil
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

CONTEXT = {"tracking_disable": True, "mail_create_nolog": True}


@contextmanager
def environment(database, uid=SUPERUSER_ID, context=CONTEXT):
    """Give an environment on a database, of the superuser by default; what it did is committed, if nothing failed."""
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, uid, context)


def copy(source, target):
    """Make a database a copy of another one that nobody uses, with its attachments."""
    drop(target)
    disconnect(source)
    _execute(SQL("CREATE DATABASE %s TEMPLATE %s", SQL.identifier(target), SQL.identifier(source)))
    with suppress(FileNotFoundError):
        shutil.copytree(config.filestore(source), config.filestore(target))


def drop(database):
    """Delete a database with its attachments, also while somebody is connected.

    PostgreSQL sends its own helpers away, but lets nobody else than its superuser end them by force.
    """
    disconnect(database)
    _execute(
        SQL(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
            database,
        )
    )
    _execute(SQL("DROP DATABASE IF EXISTS %s", SQL.identifier(database)))
    shutil.rmtree(Path(config.filestore(database)), ignore_errors=True)


def install(configuration, database, modules, *options):
    """Install modules in a database, by a process of its own.

    :param str configuration: path of Odoo's configuration file
    :param str modules: their names, with commas
    :param options: more of Odoo's options
    :raises subprocess.CalledProcessError: where Odoo fails
    """
    disconnect(database)
    command = [sys.executable, "-m", "odoo", "-c", configuration, "-d", database, "-i", modules, "--stop-after-init"]
    options = ["--no-http", "--max-cron-threads=0", "--log-level=error", *options]
    subprocess.run([*command, *options], check=True, cwd=config["data_dir"])


def disconnect(database):
    """Close our connections to a database, and forget its models."""
    Registry.delete(database)
    sql_db.close_db(database)


def _execute(query):
    with closing(sql_db.db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        cr.execute(query)
