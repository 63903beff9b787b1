"""``make lint``: style, Odoo's own checkers on our folders, and the translations."""

import os

from . import odoo, odoo_source, paths, postgres, pytest_run, say, setup, state, test_database, translations
from .checks import from_program, summarize

# The tests of test_lint that read the registry or the files of modules; the others lint all of Odoo for minutes.
REGISTRY_TESTS = (
    "docstring",
    "dunderinit",
    "i18n",
    "index",
    "jstranslate",
    "manifests",
    "naming",
    "onchange_domains",
    "orm_import",
    "override_signatures",
    "pofile",
    "routes",
    "test_holes",
)
ODOO_CHECKERS = ("gettext", "sql_injection", "unlink_override")
ODOO_MESSAGES = ("sql-injection", "missing-gettext", "gettext-variable", "gettext-placeholders", "gettext-repr")
ODOO_MESSAGES += ("raise-unlink-override",)


def run():
    """Run the checks of style, of Odoo's conventions and of the translations."""
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        checks = source_checks()
        if not test_database.is_current():
            test_database.make()
        say.step("Checking the registry and the translations")
        return summarize(checks + database_checks(test_database.NAME))


def source_checks():
    """Return the checks that only read our files."""
    return [
        _tool("ruff: no mistakes", "ruff", "check", "."),
        _tool("ruff: formatted", "ruff", "format", "--check", "."),
        _tool("pylint-odoo", "pylint", f"--rcfile={paths.PROJECT / '.pylintrc'}", *_folders()),
        _odoo_checkers(),
    ]


def database_checks(database):
    """Return the checks that need our modules installed in ``database``."""
    return [_registry_tests(database), *translations.checks(database)]


def _tool(name, module, *arguments):
    return from_program(name, [paths.PYTHON, "-m", module, *arguments], cwd=paths.PROJECT, env=odoo.environment())


def _folders():
    return [paths.module_folder(name) for name in (*paths.modules(), paths.DEV_MODULE)]


def _test_lint():
    return odoo_source.module_folder("test_lint") / "tests"


def _odoo_checkers():
    plugins = ",".join(f"_odoo_checker_{name}" for name in ODOO_CHECKERS)
    environment = odoo.environment()
    environment["PYTHONPATH"] += f"{os.pathsep}{_test_lint()}"
    command = [paths.PYTHON, "-m", "pylint", f"--rcfile={os.devnull}", f"--load-plugins={plugins}", "--score=n"]
    # Inline comments that name checks of pylint-odoo are none of this run's business.
    command += ["--disable=all,unknown-option-value", f"--enable={','.join(ODOO_MESSAGES)}", *_folders()]
    return from_program("Odoo's pylint checkers: SQL, translations, unlink", command, env=environment)


def _registry_tests(database):
    name = "Odoo's test_lint on our modules"
    results, log = paths.LOGS / "test-lint.xml", paths.LOGS / "test-lint.log"
    files = [_test_lint() / f"test_{test}.py" for test in REGISTRY_TESTS]
    more = ["-p", "kit.only_ours", "--tb=short"]
    command = pytest_run.command(database, log, results, files, more=more)
    environment = odoo.environment(OUR_MODULES=",".join((*paths.modules(), paths.DEV_MODULE)))
    return from_program(name, command, env=environment)
