"""The translations: templates exported from a database, Ukrainian and Russian kept in step with them."""

from . import odoo, paths, postgres, say, setup, state, test_database
from .checks import Check, from_program
from .say import Failure
from .shell import run

LANGUAGES = ("uk", "ru")
EXPORTED = paths.WORK / "i18n"


def update():
    """Update the translation template of each module, and its Ukrainian and Russian files."""
    setup.ensure(for_tests=True)
    with state.only_one("test", "testing"), postgres.using("test"):
        odoo.write_config("test")
        if not test_database.is_current():
            test_database.make()
        _export(test_database.NAME)
    for module in paths.modules():
        say.step(f"Translations of {module}")
        command = _merge("update", module)
        report = run(command, env=odoo.environment(), what="The translations could not be merged.", todo="Mend this:")
        print(report, end="")


def checks(database):
    """Return a check per module: the template is current, and nothing is left to translate."""
    try:
        _export(database)
    except Failure as error:
        return [Check("translations can be exported", f"{error.what}\n{error.todo}")]
    return [
        from_program(f"translations of {module} are complete", _merge("check", module), env=odoo.environment())
        for module in paths.modules()
    ]


def _merge(action, module):
    folder = paths.PROJECT / module / "i18n"
    return [paths.PYTHON, "-m", "kit.pofiles", action, EXPORTED / f"{module}.pot", folder, *LANGUAGES]


def _export(database):
    EXPORTED.mkdir(parents=True, exist_ok=True)
    for module in paths.modules():
        file = EXPORTED / f"{module}.pot"
        file.unlink(missing_ok=True)
        run(
            odoo.command("i18n", "export", "-c", odoo.CONFIG["test"], "-d", database, "-o", file, module),
            env=odoo.environment(),
            cwd=paths.WORK,
            what=f"The texts of {module} could not be exported.",
            todo="Mend what Odoo says:",
        )
