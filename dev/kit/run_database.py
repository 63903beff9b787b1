"""The database of ``make run``: installed once with demo data, then kept, and updated when our sources change."""

import shutil

from . import odoo, paths, say, state
from .say import Failure

NAME = odoo.DATABASE["run"]
LOG = paths.LOGS / "install.log"
MARK = "run-database"


def ensure():
    """Make the database, or bring it up to date with our sources. The configuration has to be written."""
    with state.only_one("run-database", "installing or updating the database"):
        databases = odoo.Databases("run")
        exists = NAME in databases.names()
        known = state.read(MARK)
        if exists and known == "unfinished":
            say.step("The last installation was interrupted: starting it anew")
            databases.drop(NAME)
            exists = False
        if exists:
            _update(known or {})
        else:
            _install()


def _install():
    say.step(f"Installing {', '.join(paths.modules())} with demo data (six minutes or so)")
    fingerprints = paths.fingerprints()
    shutil.rmtree(odoo.filestore(NAME), ignore_errors=True)
    state.write(MARK, "unfinished")
    odoo.install("run", NAME, init=fingerprints, demo=True, log=LOG, more=[f"--load-language={odoo.LANGUAGES}"])
    _report_warnings()
    state.write(MARK, fingerprints)


def _update(known):
    if not odoo.filestore(NAME).exists():
        raise Failure(
            f"The database {NAME} is on the server, but its attachments are not in {odoo.filestore(NAME)}.",
            "It was made from another work folder, most likely. 'make reset' deletes it, so that it is made anew.",
        )
    now = paths.fingerprints()
    new = [module for module in now if module not in known]
    changed = [module for module in now if module in known and now[module] != known[module]]
    if not new + changed:
        return
    say.step(f"Sources have changed since the last start: updating {', '.join(new + changed)}")
    odoo.install("run", NAME, init=new, update=changed or new, log=LOG, more=["--i18n-overwrite"])
    _report_warnings()
    state.write(MARK, now)


def _report_warnings():
    rows = odoo.warnings_in(LOG)
    if rows:
        say.note(f"Odoo logged {len(rows)} warnings meanwhile (all of the log: {LOG}), such as:")
        for row in rows[:3]:
            say.note(row[:200])


def drop():
    """Delete the database with its attachments."""
    odoo.Databases("run").drop(NAME)
    state.forget(MARK)
