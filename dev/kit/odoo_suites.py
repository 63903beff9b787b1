"""``make test-odoo``: what passes of Odoo's own suites without our modules has to pass with them.

Each suite runs once with our modules. What fails or is skipped there runs again, with our modules and without: so the
hour that a whole run without them takes is spared, and chance is no difference.
"""

import os
import xml.etree.ElementTree as ElementTree
from subprocess import call

from . import odoo, odoo_source, paths, postgres, pytest_run, say, setup, state, test_database
from .checks import Check, Count, summarize
from .say import Failure

SUITES = ("crm", "sale", "account")
WITH, WITHOUT = "loyalty_odoo_with", "loyalty_odoo_without"
LOG = paths.LOGS / "test-odoo.log"
RESULTS = paths.LOGS / "test-odoo.xml"

# Debian's package leaves this file out, and a missing file is an error on every page; our development module removes it
# from the page, and is not there without our modules.
REMOVE_MISSING_ASSET = """
    INSERT INTO ir_asset (name, bundle, directive, path, sequence, active)
    VALUES ('left out', 'web.assets_backend', 'remove', 'mail/static/lib/selfie_segmentation/selfie_segmentation.js',
            1000, true)
"""

# Tests that cannot pass with any module like ours, each with the reason: {"TestClass.test_name": "why"}.
ACCEPTED = {}


def run():
    """Run Odoo's own tests of crm, sale and account with our modules: make test-odoo [ONLY=sale]"""
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        if not test_database.is_current():
            test_database.make()
        databases = odoo.Databases("test")
        try:
            _copy(databases, test_database.NAME, WITH)
            _copy(databases, test_database.ensure_template(), WITHOUT)
            databases.query(REMOVE_MISSING_ASSET, WITHOUT)
            return _compare_all()
        finally:
            for name in (WITH, WITHOUT):
                databases.drop(name)


def _copy(databases, source, target):
    databases.drop(target)
    databases.copy(source, target)


def _compare_all():
    checks, total = [], Count()
    for suite in os.environ.get("ONLY", ",".join(SUITES)).split(","):
        count, check = _compare(suite)
        checks.append(check)
        total = total.plus(count)
        say.note(f"{suite}: {count.passed} passed, {count.failed} failed, {count.skipped} skipped at first")
    return summarize(checks, Count(total.passed, 0, total.skipped + total.failed))


def _compare(suite):
    """Return how a suite went at first, and the :class:`Check` that our modules make no difference."""
    folder = _find_tests(suite)
    say.step(f"Running Odoo's tests of {suite} with our modules (log: {LOG})")
    outcomes = _run(WITH, [folder], suite)
    suspects = [test for test, outcome in outcomes.items() if outcome != "passed"]
    name = f"Odoo's tests of {suite} pass as they do without our modules"
    return _count(outcomes), Check(name, "\n".join(_find_differences(suite, folder, suspects)))


def _find_tests(suite):
    """Return the folder of a module's tests where Python imports them from: Debian has each module twice."""
    folders = [folder / suite / "tests" for folder in reversed(odoo_source.addons_folders())]
    found = next((folder for folder in folders if folder.is_dir()), None)
    if not found:
        raise Failure(
            f"This Odoo has no tests of {suite}.", f"Choose some of {', '.join(SUITES)}: make test-odoo ONLY="
        )
    return found


def _find_differences(suite, folder, suspects):
    """Return what of ``suspects`` does not pass with our modules, once more, but passes without them."""
    found = []
    if suspects:
        nodes = [f"{folder / file}.py::{name}::{test}" for file, name, test in suspects]
        say.step(f"Running {len(nodes)} of them again, with our modules and without")
        again, without = _run(WITH, nodes, f"{suite}-again"), _run(WITHOUT, nodes, f"{suite}-without")
        for test in suspects:
            outcome, name = again.get(test, "passed"), f"{test[1]}.{test[2]}"
            if outcome != "passed" and without.get(test) == "passed" and name not in ACCEPTED:
                found.append(f"{test[0]}.py: {name} {outcome}")
    return found


def _run(database, tests, name):
    """Run tests in a database; return {(file, class, test): "passed", "failed" or "skipped"}."""
    results = RESULTS.with_stem(f"{RESULTS.stem}-{name}")
    results.unlink(missing_ok=True)
    more = ["-p", "kit.standard_only", "--tb=short", "-o", "junit_logging=no"]
    command = pytest_run.command(database, LOG, results, tests, more=more)
    with LOG.with_stem(f"{LOG.stem}-{name}").open("w") as output:
        code = call(command, env=odoo.environment(), stdout=output, stderr=output)
    if code not in (0, 1):
        raise Failure(f"pytest did not get to the end (exit code {code}).", f"See {output.name}.")
    return _read_outcomes(results)


def _read_outcomes(results):
    outcomes = {}
    for case in ElementTree.parse(results).iter("testcase"):
        if not case.get("name"):
            continue
        *_, file, name = case.get("classname").split(".")
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        test = (file, name, case.get("name"))
        # A test with subtests has a row for each of them: the worst counts.
        outcomes[test] = min(outcome, outcomes.get(test, outcome), key=("failed", "skipped", "passed").index)
    return outcomes


def _count(outcomes):
    values = list(outcomes.values())
    return Count(*(values.count(outcome) for outcome in ("passed", "failed", "skipped")))
