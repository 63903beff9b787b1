"""Run Odoo: its configuration files, and its commands as child processes in the right environment."""

import os
import re
import shutil
import subprocess

from . import odoo_source, paths, ports, postgres
from .say import Failure

HTTP_PORT = 8069
DATABASE = {"run": "loyalty", "test": "loyalty_test"}
CONFIG = {"run": paths.WORK / "odoo.conf", "test": paths.WORK / "test.conf"}
# The first one is the language of new users.
LANGUAGES = "en_US,uk_UA,ru_RU"

# PG* and ODOO_RC would override the configuration files.
OVERRIDING = {"ODOO_RC", "OPENERP_SERVER"}


def write_config(name, http_port=HTTP_PORT):
    """Write the configuration for ``name`` ("run" or "test"), with its database server started; return the file."""
    connection = postgres.connect(name)
    paths.DATA.mkdir(parents=True, exist_ok=True)
    folders = [*odoo_source.addons_folders(), paths.PROJECT, paths.DEV_ADDONS]
    options = {
        "db_host": connection.host or False,
        "db_port": connection.port or False,
        "db_user": connection.user or False,
        "db_password": connection.password or False,
        "db_name": DATABASE[name],
        "dbfilter": f"^{DATABASE[name]}$",
        "list_db": False,
        "addons_path": ",".join(map(str, folders)),
        "data_dir": paths.DATA,
        "http_interface": ports.HOST,
        "http_port": http_port,
        "workers": 0,
        "max_cron_threads": 2 if name == "run" else 0,
        "publisher_warranty_url": f"http://{ports.HOST}:9/",
        "screenshots": paths.LOGS / "screenshots",
    }
    text = "[options]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
    file = CONFIG[name]
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return file


def environment(**more):
    """Return the environment for Odoo and our scripts that use it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG") and key not in OVERRIDING}
    python_path = os.pathsep.join([str(odoo_source.python_path()), str(paths.DEV)])
    return clean | {"PYTHONPATH": python_path, "PYTHONUNBUFFERED": "1"} | more


def command(*arguments):
    """Return the command line that runs Odoo's command line with ``arguments``."""
    return [str(paths.PYTHON), "-m", "odoo", *map(str, arguments)]


def install(name, database, *, init=(), update=(), demo=False, log, more=()):
    """Install and update modules in ``database``, which is made first if it is missing.

    :param str name: the configuration, "run" or "test"
    :param pathlib.Path log: the file that gets Odoo's log
    :raises Failure: when Odoo fails
    """
    arguments = ["-c", CONFIG[name], "-d", database, "--stop-after-init", "--no-http", "--max-cron-threads=0", *more]
    for option, modules in (("-i", init), ("-u", update)):
        if modules:
            arguments += [option, ",".join(modules)]
    if demo:
        arguments.append("--with-demo")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        code = subprocess.call(command(*arguments), env=environment(), stdout=file, stderr=file, cwd=paths.WORK)
    missing = set(init) - Databases(name).installed(database) if not code else set()
    if code or missing:
        left_out = f" Not installed: {', '.join(sorted(missing))}." if missing else ""
        raise Failure(
            f"Odoo could not install or update the modules in the database {database}.{left_out}\n{log_end(log)}",
            f"The whole log is in {log}. Mend what it says and try again.",
        )


def log_end(log, lines=25):
    """Return the end of a log file without the chatter, from its last traceback on if there is one."""
    rows = log.read_text(errors="replace").splitlines() if log.exists() else []
    rows = [row for row in rows if " INFO " not in row[:60]] or rows
    start = max((number for number, row in enumerate(rows) if row.startswith("Traceback")), default=len(rows) - lines)
    return "\n".join(rows[max(start, len(rows) - 80, 0) :])


def warnings_in(log):
    """Return the lines of a log that are warnings or worse."""
    rows = log.read_text(errors="replace").splitlines()
    return [row for row in rows if len(words := row.split(" ", 4)) > 3 and words[3] in ("WARNING", "ERROR", "CRITICAL")]


def complaints_in(log, expected=()):
    """Return the warnings and errors of a log, each with its lines, without those that hold an expected text."""
    records = []
    for row in log.read_text(errors="replace").splitlines() if log.exists() else []:
        if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ [A-Z]+ ", row):
            records.append(row)
        elif records:
            records[-1] += f"\n{row}"
    complaints = [record for record in records if record.split(" ", 4)[3] in ("WARNING", "ERROR", "CRITICAL")]
    return [complaint for complaint in complaints if not any(text in complaint for text in expected)]


def filestore(database):
    """Return the folder where Odoo keeps the attachments of ``database``."""
    return paths.DATA / "filestore" / database


class Databases:
    """The databases on the server of one configuration.

    :param str name: "run" or "test"
    """

    def __init__(self, name):
        self.environment = postgres.connect(name).environment()

    def names(self):
        """Return the names of all databases on the server."""
        return self.query("SELECT datname FROM pg_database").split()

    def query(self, sql, database="postgres"):
        """Return what psql prints for ``sql``."""
        return postgres.run(
            [postgres.program("psql"), "-XAtd", database, "-c", sql],
            env=self.environment,
            what="The database server refused a command.",
            todo="Is the role allowed to create databases? Then try again.",
        )

    def installed(self, database):
        """Return the names of the modules that are installed in ``database``."""
        return set(self.query("SELECT name FROM ir_module_module WHERE state = 'installed'", database).split())

    def drop(self, database):
        """Delete ``database`` and its attachments, also while somebody is connected.

        PostgreSQL sends its own helpers away, but lets nobody else than its superuser end them by force.
        """
        ours = f"datname = '{database}' AND usename = current_user"
        self.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
        self.query(f'DROP DATABASE IF EXISTS "{database}"')
        shutil.rmtree(filestore(database), ignore_errors=True)

    def copy(self, source, target):
        """Make ``target`` a copy of ``source``, attachments included."""
        self.query(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
        if filestore(source).exists():
            shutil.copytree(filestore(source), filestore(target))

    def rename(self, source, target):
        """Rename a database, attachments included."""
        shutil.rmtree(filestore(target), ignore_errors=True)
        self.query(f'ALTER DATABASE "{source}" RENAME TO "{target}"')
        if filestore(source).exists():
            filestore(source).rename(filestore(target))
