"""The example add-on that the README quotes: installed in a copy of the test database, with its tests."""

import subprocess

from . import odoo, paths, postgres, pytest_run, setup, state, test_database
from .checks import Check, summarize
from .say import Failure

MODULE = "partner_loyalty_example"
NAME = "loyalty_example"
INSTALL_LOG = paths.LOGS / "example-install.log"
LOG = paths.LOGS / "example.log"
RESULTS = paths.LOGS / "example.xml"


def run():
    """Install the add-on that the README quotes in a copy of the test database, and run its tests."""
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        if not test_database.is_current():
            test_database.make()
        prepare()
        return summarize(check(), None)


def prepare():
    """Copy the test database, while nobody else is using it."""
    databases = odoo.Databases("test")
    databases.drop(NAME)
    databases.copy(test_database.NAME, NAME)


def check():
    """Install the add-on in the copy, run its tests, and drop the copy.

    :rtype: list[Check]
    """
    try:
        odoo.install("test", NAME, init=[MODULE], log=INSTALL_LOG)
        problem = "\n".join(odoo.warnings_in(INSTALL_LOG)) or _test()
    except Failure as error:
        problem = f"{error.what}\n{error.todo}"
    finally:
        odoo.Databases("test").drop(NAME)
    return [Check("the examples of the README install and work", problem)]


def _test():
    """Return what the tests of the add-on complain about, or nothing."""
    command = pytest_run.command(NAME, LOG, RESULTS, [paths.DEV_ADDONS / MODULE / "tests"])
    result = subprocess.run(command, env=odoo.environment(), capture_output=True, text=True)
    return result.stdout if result.returncode else ""
