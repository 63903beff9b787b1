"""``make test``: the tests of every module, the checks, and one closing summary."""

import os
from concurrent.futures import ThreadPoolExecutor
from subprocess import call

from . import coverage_run, example, lint, odoo, paths, postgres, pytest_run, say, setup, state, test_database
from .checks import Check, Count, summarize
from .say import Failure

RESULTS = paths.LOGS / "pytest.xml"
LOG = paths.LOGS / "test.log"
NO_TESTS_FOUND = 5
# What Odoo logs while the tests run, and is no mistake of anybody's.
EXPECTED = (
    # A test that opens the browser twice.
    "HTTPCase is already in test mode",
    # Debian's build of it; statements read well without headers.
    "wkhtmltopdf: The switch",
    # The log of what a browser is refused, as a test wants it to be.
    " odoo.http: ",
    # The tests of what happens at once mute it, but not each in the same instant.
    "could not serialize access",
    # What the database refuses, as a test tries it; users read it in words.
    ' constraint "partner_loyalty_',
    'of relation "partner_loyalty_',
)


def run():
    """Run everything the project promises; T=expression runs the tests whose names match it, COVERAGE=1 measures."""
    expression = os.environ.get("T")
    setup.ensure(for_tests=True)
    try:
        with state.only_one("test", "testing"), postgres.using("test"):
            odoo.write_config("test")
            return _run_part(expression) if expression else _run_all()
    finally:
        if os.environ.get("CI"):
            postgres.remove_outside()


def _run_part(expression):
    if not test_database.is_current():
        test_database.make()
    return summarize([], _run_tests(expression))


def _run_all():
    """Run the tests in the foreground, and beside them what needs no browser."""
    say.step("Checking the sources and the installation with demo data, beside what follows")
    with ThreadPoolExecutor(1) as beside:
        others = [beside.submit(_independent_checks)]
        checks = [_install_check("the modules install without a warning", test_database.make)]
        tests = None
        if test_database.is_current():
            test_database.copy_for_lint()
            example.prepare()
            others.append(beside.submit(lint.database_checks, test_database.LINT_NAME))
            others.append(beside.submit(example.check))
            tests = _run_tests()
            complaints = "\n".join(odoo.complaints_in(LOG, EXPECTED))
            checks.append(Check("the tests run without a warning in Odoo's log", complaints))
        else:
            # No test has run: that is not a success, whatever the reason.
            problem = "The modules were not installed, or their sources changed meanwhile: try again."
            checks.append(Check("the tests run", problem))
        if not others[-1].done():
            say.step("Waiting for the checks that run beside the tests")
        checks += [check for other in others for check in other.result()]
    return summarize(checks, tests)


def _independent_checks():
    demo = "the modules install with demo data and all languages without a warning"
    return [*lint.source_checks(), _install_check(demo, test_database.make_demo)]


def _install_check(name, make):
    """Return the check that ``make`` gives no warnings; an installation that fails is a problem too."""
    try:
        return Check(name, "\n".join(make()))
    except Failure as error:
        return Check(name, f"{error.what}\n{error.todo}")


def _run_tests(expression=None):
    say.step(f"Running the tests{f' that match {expression!r}' if expression else ''} (log: {LOG})")
    RESULTS.unlink(missing_ok=True)
    LOG.unlink(missing_ok=True)
    # A few tests are through before a second process has started.
    more = (*coverage_run.options(), *(() if expression else pytest_run.SHARED))
    command = pytest_run.command(test_database.NAME, LOG, RESULTS, pytest_run.folders(), expression, more=more)
    code = call(command, env=pytest_run.environment() | coverage_run.environment(), cwd=paths.PROJECT)
    coverage_run.report()
    if code == NO_TESTS_FOUND and expression:
        raise Failure(f"No test matches {expression!r}.", "T takes part of a test's name, or an expression of them.")
    if code not in (0, 1):
        print(f"pytest did not get to the end (exit code {code}): it was stopped, or could not read a test file.")
    tests = pytest_run.count(RESULTS)
    return Count(tests.passed, tests.failed or 1, tests.skipped) if code else tests
