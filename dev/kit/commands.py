"""The commands and what each is for."""

import os
import subprocess

from . import (
    example,
    lifecycle,
    lint,
    odoo,
    odoo_suites,
    paths,
    postgres,
    proof,
    python_env,
    run_database,
    say,
    server,
    setup,
    state,
    suite,
    translations,
)
from .say import Failure
from .shell import which


def help_():
    """List the commands."""
    print("Commands, each as 'make NAME' or 'dev/start NAME':\n")
    for name, function in COMMANDS.items():
        print(f"  {name:10} {function.__doc__.splitlines()[0]}")


def db():
    """Start the database servers, write the configuration files, and leave the servers running."""
    setup.ensure()
    state.write("postgres-keep", True)
    for name in ("run", "test"):
        say.step(f"Database server for '{name}' is up; configuration: {odoo.write_config(name)}")


def odoo_(*arguments):
    """Odoo's own command line: dev/start odoo shell -d loyalty; dev/start odoo -d other -i partner_loyalty"""
    setup.ensure()
    with postgres.using("run"):
        environment = odoo.environment(ODOO_RC=str(odoo.write_config("run")))
        return subprocess.call(odoo.command(*arguments), env=environment)


def shots():
    """Take screenshots of the running app into .work/shots."""
    return _browse("shots.py", "shots")


def pictures():
    """Take the pictures of the README and of the Apps page anew, from the running app"""
    return _browse("pictures.py", "pictures")


def _browse(script, folder):
    """Run a script that opens the running app in a browser, and leaves pictures in a folder of the work folder."""
    setup.ensure(for_tests=True)
    with postgres.using("run"):
        process = None if server.url() else server.start()
        try:
            return _script(
                paths.DEV / script,
                BASE_URL=server.url(),
                OUTPUT=str(paths.WORK / folder),
                CHROMIUM=which("chromium", "google-chrome", "google-chrome-stable"),
            )
        finally:
            if process:
                process.terminate()
                process.wait()


def walk():
    """Walk through the portal of the running app as a stranger and as a partner, with pictures in .work/walk"""
    return _browse("walk.py", "walk")


def month():
    """Close the last month of the running app by clicks, in Russian, with pictures in .work/month"""
    return _browse("month.py", "month")


def tour():
    """Look at every screen of the running app as each role in each language: make tour [ROLE=manager LOCALE=uk_UA]"""
    return _browse("tour.py", "tour")


def retail():
    """Load real sales into the database of 'make run': make retail FILE=sales.csv [FROM=2025-01-01 TO=2025-12-31]"""
    file = os.environ.get("FILE")
    if not file:
        raise Failure("No file is given.", "Say which: make retail FILE=path/to/sales.csv")
    arguments = ["-m", "retail", "--config", odoo.CONFIG["run"], "--database", run_database.NAME, "--file", file]
    for option in ("FROM", "TO"):
        if os.environ.get(option):
            arguments += [f"--{option.lower()}", os.environ[option]]
    return _with_run_database(*arguments)


def year():
    """Play the year after the demo data, also with the server off for weeks, and compare: make year [SEED=1]"""
    arguments = ["-m", "year", "--config", odoo.CONFIG["run"], "--database", run_database.NAME]
    if os.environ.get("SEED"):
        arguments += ["--seed", os.environ["SEED"]]
    return _with_run_database(*arguments)


def check():
    """Recompute the invariants of the ledger in the database of 'make run'."""
    return _with_run_database(paths.DEV / "check.py", "--config", odoo.CONFIG["run"], "--database", run_database.NAME)


def figures():
    """Work all key figures of the database of 'make run' out anew from its tables, and compare"""
    return _with_run_database("-m", "figures", "--config", odoo.CONFIG["run"], "--database", run_database.NAME)


def _with_run_database(*arguments):
    """Run one of our scripts on the database of ``make run``, made first if it is missing."""
    setup.ensure()
    with postgres.using("run"):
        if not server.url():
            odoo.write_config("run")
            run_database.ensure()
        return _script(*arguments)


def _script(*arguments, **environment):
    return subprocess.call([str(part) for part in (paths.PYTHON, *arguments)], env=odoo.environment(**environment))


COMMANDS = {
    "run": server.run,
    "stop": server.stop,
    "logs": server.logs,
    "reset": server.reset,
    "test": suite.run,
    "test-odoo": odoo_suites.run,
    "lint": lint.run,
    "i18n": translations.update,
    "check": check,
    "figures": figures,
    "fuzz": proof.fuzz,
    "bench": proof.bench,
    "chaos": proof.chaos,
    "guards": proof.guards,
    "example": example.run,
    "first": proof.first,
    "external": proof.external,
    "lifecycle": lifecycle.run,
    "shots": shots,
    "walk": walk,
    "month": month,
    "pictures": pictures,
    "tour": tour,
    "retail": retail,
    "year": year,
    "templates": proof.templates,
    "db": db,
    "odoo": odoo_,
    "lock": python_env.lock,
    "help": help_,
}
