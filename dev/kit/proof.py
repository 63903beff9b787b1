"""The proofs: random sequences, killed workers, guards that are broken on purpose. Each in databases of its own."""

import os
import random
import subprocess
from contextlib import contextmanager

from . import odoo, paths, postgres, say, server, setup, state, test_database
from .say import Failure
from .shell import which

FIRST = "loyalty_first"
# Debian's package of Odoo leaves this file out, and a missing file is an error on every page.
WITHOUT_MISSING_FILE = """
    INSERT INTO ir_asset (name, bundle, directive, path, sequence, active)
    VALUES ('Missing file', 'web.assets_backend', 'remove',
            'mail/static/lib/selfie_segmentation/selfie_segmentation.js', 16, TRUE)
"""


def fuzz():
    """Play random sequences against a reference model: make fuzz SEQUENCES=1000 [SEED=1 WORKERS=2 EXAMPLES=500]"""
    sequences, workers = _number("SEQUENCES", 200), max(1, _number("WORKERS", 1))
    first = _number("SEED", random.randrange(10**9))
    names = [f"loyalty_fuzz_{number}" for number in range(1, workers + 1)]
    share = -(-sequences // workers)
    with _copies(names):
        processes = [
            subprocess.Popen(
                _command("fuzz", name, sequences=share, seed=first + number * share, examples=_examples(number)),
                env=odoo.environment(),
            )
            for number, name in enumerate(names)
        ]
        return max(process.wait() for process in processes)


def _examples(worker):
    """One worker alone plays the ledger by itself."""
    return 0 if worker else _number("EXAMPLES", 500)


def chaos():
    """Kill workers at random moments, and let many threads spend at once: make chaos KILLS=100 [ROUNDS=20]"""
    with _copies(["loyalty_chaos"]):
        arguments = {"kills": _number("KILLS", 20), "rounds": _number("ROUNDS", 20)}
        return subprocess.call(_command("chaos", "loyalty_chaos", **arguments), env=odoo.environment())


def guards():
    """Break each guard on purpose, and show that tests go red: make guards [ONLY=name]"""
    with _copies([]):
        return subprocess.call([str(paths.PYTHON), "-m", "guards"], env=odoo.environment())


def external():
    """Send orders of a shop over a bad line to a running server, and compare: make external [ORDERS=1000 SEED=1]"""
    with _copies(["loyalty_external"]):
        options = {"orders": _number("ORDERS", 1000)}
        if os.environ.get("SEED"):
            options["seed"] = _number("SEED", 0)
        return subprocess.call(_command("external", "loyalty_external", **options), env=odoo.environment())


def bench():
    """Measure against SQL by hand, and write dev/bench/results.md: make bench [LINES=1000000 ONLY=tiers]"""
    with _copies(["loyalty_bench"], "loyalty_bench_"):
        options = {"members": _number("MEMBERS", 10_000), "lines": _number("LINES", 1_000_000)}
        options["plain"] = test_database.ensure_template()
        if os.environ.get("ONLY"):
            options["only"] = os.environ["ONLY"]
        return subprocess.call(_command("bench", "loyalty_bench", **options), env=odoo.environment())


def templates():
    """Play a year of each program template, without demo data and neighbors: make templates [ONLY=live DAYS=400]"""
    name = "loyalty_templates"
    options = {"days": _number("DAYS", 400)}
    if os.environ.get("ONLY"):
        options["only"] = os.environ["ONLY"]
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        databases = odoo.Databases("test")
        databases.drop(name)
        try:
            say.step("Installing partner_loyalty alone, without demo data")
            odoo.install("test", name, init=["partner_loyalty"], log=paths.LOGS / "templates-install.log")
            return subprocess.call(_command("templates", name, **options), env=odoo.environment())
        finally:
            databases.drop(name)


def first():
    """Install the app in an empty database, and click to the first points, with the clicks counted: make first"""
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        databases = odoo.Databases("test")
        databases.drop(FIRST)
        try:
            odoo.install("test", FIRST, init=["mail"], log=paths.LOGS / "first-install.log")
            databases.query(WITHOUT_MISSING_FILE, FIRST)
            with server.serving("test", FIRST, paths.LOGS / "first.log") as url:
                chromium = which("chromium", "google-chrome", "google-chrome-stable")
                environment = odoo.environment(BASE_URL=url, OUTPUT=str(paths.WORK / "first"), CHROMIUM=chromium)
                return subprocess.call([str(paths.PYTHON), str(paths.DEV / "first.py")], env=environment)
        finally:
            databases.drop(FIRST)


@contextmanager
def _copies(names, prefix=None):
    """Give copies of the test database, which is made first where it is not current.

    :param list names: names of the copies, which are dropped in the end
    :param str prefix: drop those databases as well whose names begin so, which an interrupted run may leave
    """
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        if not test_database.is_current():
            test_database.make()
        databases = odoo.Databases("test")
        try:
            for name in names:
                databases.drop(name)
                databases.copy(test_database.NAME, name)
            yield
        finally:
            left = [name for name in databases.names() if prefix and name.startswith(prefix)]
            for name in [*names, *left]:
                databases.drop(name)


def _command(module, database, **options):
    command = [paths.PYTHON, "-m", module, "--config", odoo.CONFIG["test"], "--database", database]
    for name, value in options.items():
        command += [f"--{name}", value]
    return [str(part) for part in command]


def _number(name, default):
    value = os.environ.get(name)
    if not value:
        return default
    if not value.isdigit():
        raise Failure(f"{name} is “{value}”, which is no number.", f"Say for example: {name}=100")
    return int(value)
