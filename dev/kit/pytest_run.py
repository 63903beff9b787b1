"""How pytest is called, and how its results are counted."""

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from . import odoo, paths, postgres
from .checks import Count

# Two processes share the files, each with a copy of the database: one works while the other waits for PostgreSQL or
# for the browser.
SHARED = ("-n", "2", "--dist", "loadfile", "-p", "kit.own_filestore")


def folders():
    """Return the folders that hold tests: those of our modules, and of the tools."""
    ours = [paths.PROJECT / module / "tests" for module in paths.modules()]
    return [folder for folder in (*ours, paths.DEV / "tests") if folder.is_dir()]


def command(database, log, results, files, expression=None, more=()):
    """Return the command line that runs test files on ``database``; the browser has a server to talk to."""
    parts = [paths.PYTHON, "-m", "pytest", "-qq", f"--rootdir={paths.PROJECT}", f"--junitxml={results}"]
    parts += ["-o", f"cache_dir={paths.WORK / 'pytest_cache'}", "--log-level=WARNING", "-p", "kit.real_clock"]
    parts += ["--durations=15", "--durations-min=2", *more]
    parts += [f"--odoo-config={odoo.CONFIG['test']}", f"--odoo-database={database}", "--odoo-http"]
    parts += ["--odoo-log-level=info", f"--odoo-extra=logfile={log}", f"--odoo-extra=db-filter=^{database}$"]
    if expression:
        parts += ["-k", expression]
    return [str(part) for part in (*parts, *files)]


def environment():
    """Return the environment for :func:`command`: with the programs of PostgreSQL, by which databases are copied."""
    programs = os.pathsep.join([str(Path(postgres.program("createdb")).parent), os.environ["PATH"]])
    return odoo.environment(**postgres.connect("test").environment(), PATH=programs)


def count(file):
    """Return the :class:`Count` of a file of results in JUnit's format."""
    if not file.exists():
        return Count(failed=1)
    outcomes = {}
    for case in ElementTree.parse(file).iter("testcase"):
        # A test with subtests has a row for each of them, and an interruption one without a name.
        if case.get("name"):
            outcomes.setdefault((case.get("classname"), case.get("name")), set()).update(child.tag for child in case)
    failed = sum(bool(tags & {"failure", "error"}) for tags in outcomes.values())
    skipped = sum("skipped" in tags and not tags & {"failure", "error"} for tags in outcomes.values())
    return Count(len(outcomes) - failed - skipped, failed, skipped)
