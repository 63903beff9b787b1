"""The life of a database with our app: an older version, its upgrade, the removal of the app, and its return."""

import os
import shutil
import subprocess

from . import odoo, paths, postgres, say, setup, test_database
from .say import Failure

NAME = "loyalty_lifecycle"
PREVIOUS = paths.WORK / "previous"
MODULE = "partner_loyalty"
LOG = paths.LOGS / "lifecycle.log"
EXPECTED = (
    # Migrations say when they lift the guard of the ledger, and why.
    "The guard of ",
    # Odoo tries to delete each record of the demo data, also partners, products and users of documents that stay.
    'is still referenced from table "account_',
    'is still referenced from table "res_users"',
)

# What no upgrade may change.
CHECKSUM = """
    SELECT COUNT(*) || ' lines, ' || COALESCE(md5(string_agg(line, E'\\n' ORDER BY id)), 'none')
      FROM (SELECT id, concat_ws('|', account_id, sequence, type, amount, amount_open, rule_id, origin_model,
                                 origin_id, revision, contribution_date, date, mature_date, expiry_date, posted_at,
                                 user_id) AS line
              FROM partner_loyalty_entry) entry
"""
ALLOCATIONS = """
    SELECT COUNT(*) || ' allocations, ' || COALESCE(md5(string_agg(
               concat_ws('|', id, debit_entry_id, credit_entry_id, amount), E'\\n' ORDER BY id)), 'none')
      FROM partner_loyalty_allocation
"""
# Everything that carries our name in the catalogs of PostgreSQL and of Odoo. Odoo keeps contacts, users and products of
# the demo data, because documents refer to them.
LEFTOVERS = """
    SELECT 'table ' || relname FROM pg_class WHERE relname LIKE 'partner_loyalty%'
     UNION ALL SELECT 'column ' || table_name || '.' || column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name LIKE 'loyalty%'
        -- Those between models of Odoo's own loyalty app, which a neighbor of ours needs.
        AND table_name NOT LIKE 'loyalty%_rel'
     UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE 'partner_loyalty%'
     UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE 'partner_loyalty%'
     UNION ALL SELECT 'external id ' || name FROM ir_model_data
      WHERE module = 'partner_loyalty' AND name NOT LIKE 'module_%'
        AND model NOT IN ('res.partner', 'res.users', 'product.product', 'product.template')
     UNION ALL SELECT 'model ' || model FROM ir_model WHERE model LIKE 'partner.loyalty%'
     UNION ALL SELECT 'cron ' || cron_name FROM ir_cron WHERE cron_name LIKE 'Loyalty:%'
     UNION ALL SELECT 'view ' || name FROM ir_ui_view WHERE name LIKE 'partner.loyalty%' OR key LIKE 'partner_loyalty.%'
     UNION ALL SELECT 'menu ' || id FROM ir_ui_menu WHERE web_icon LIKE 'partner_loyalty%'
     UNION ALL SELECT 'sequence ' || code FROM ir_sequence WHERE code LIKE 'partner.loyalty%'
     UNION ALL SELECT 'message on ' || model FROM mail_message WHERE model LIKE 'partner.loyalty%'
     UNION ALL SELECT 'activity on ' || res_model FROM mail_activity WHERE res_model LIKE 'partner.loyalty%'
     UNION ALL SELECT 'template ' || model FROM mail_template WHERE model LIKE 'partner.loyalty%'
     UNION ALL SELECT 'attachment of ' || res_model FROM ir_attachment WHERE res_model LIKE 'partner.loyalty%'
"""


def run():
    """Upgrade an older version with its data, remove the app, bring it back: make lifecycle [FROM=commit or first]"""
    setup.ensure(for_tests=True)
    commit = os.environ.get("FROM") or _find_previous()
    if commit == "first":
        commit = _find_first()
    with postgres.using("test"):
        odoo.write_config("test")
        databases = odoo.Databases("test")
        try:
            ledger = _install_previous(databases, commit)
            _upgrade(databases, ledger)
            _remove(databases)
            _bring_back(databases)
        finally:
            databases.drop(NAME)
            shutil.rmtree(PREVIOUS, ignore_errors=True)
    say.step("All of it went well")
    return 0


def _find_previous():
    """Return the last commit whose version of the module is another than today's."""
    manifest = f"{MODULE}/__manifest__.py"
    today = _version_in((paths.PROJECT / manifest).read_text())
    for commit in _git("log", "--format=%H", "--", manifest).split():
        if _version_in(_git("show", f"{commit}:{manifest}")) != today:
            return commit
    raise Failure("There is no older version of the module.", "Name a commit: make lifecycle FROM=...")


def _find_first():
    """Return the last commit of the first version that there ever was."""
    manifest = f"{MODULE}/__manifest__.py"
    commits = _git("log", "--format=%H", "--", manifest).split()
    versions = [_version_in(_git("show", f"{commit}:{manifest}")) for commit in commits]
    return commits[versions.index(versions[-1])]


def _version_in(manifest):
    return next(line.split('"')[3] for line in manifest.splitlines() if '"version"' in line)


def _git(*arguments):
    try:
        return subprocess.check_output(["git", "-C", paths.PROJECT, *arguments], text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure("The older version cannot be read from git.", "Is this a clone with its history?") from error


def _install_previous(databases, commit):
    """Install the older version with its demo data; return what its ledger holds."""
    say.step(f"Installing the version of {_git('log', '-1', '--format=%h, %cs', commit).strip()} with demo data")
    shutil.rmtree(PREVIOUS, ignore_errors=True)
    PREVIOUS.mkdir(parents=True)
    with subprocess.Popen(["git", "-C", paths.PROJECT, "archive", commit, MODULE], stdout=subprocess.PIPE) as archive:
        subprocess.check_call(["tar", "-x", "-C", PREVIOUS], stdin=archive.stdout)
    databases.drop(NAME)
    databases.copy(test_database.ensure_demo_template(), NAME)
    addons = [*_read_addons_path()]
    addons[addons.index(str(paths.PROJECT))] = str(PREVIOUS)
    _install(init=[MODULE], demo=True, more=[f"--addons-path={','.join(addons)}"])
    return _read_ledger(databases)


def _read_addons_path():
    rows = odoo.CONFIG["test"].read_text().splitlines()
    return next(row for row in rows if row.startswith("addons_path")).split(" = ")[1].split(",")


def _upgrade(databases, ledger):
    say.step(f"Upgrading it; the ledger holds {ledger[0].split(',')[0]}")
    _install(update=[MODULE])
    _check_log("The upgrade")
    after = _read_ledger(databases)
    if after != ledger:
        raise Failure("The upgrade changed the ledger.", f"Before: {ledger}; after: {after}.")
    say.step("The ledger is the same; checking its invariants")
    script = [paths.PYTHON, paths.DEV / "check.py", "--config", odoo.CONFIG["test"], "--database", NAME]
    if subprocess.call(list(map(str, script)), env=odoo.environment()):
        raise Failure("The upgraded ledger violates an invariant.", "See above.")


def _read_ledger(databases):
    return [databases.query(query, NAME).strip() for query in (CHECKSUM, ALLOCATIONS)]


def _remove(databases):
    say.step("Removing the app")
    command = odoo.command("module", "uninstall", "-c", odoo.CONFIG["test"], "-d", NAME, MODULE)
    with LOG.open("w") as log:
        if subprocess.call(command, env=odoo.environment(), stdout=log, stderr=log):
            raise Failure("The app could not be removed.", f"See {LOG}.")
    _check_log("The removal")
    left = databases.query(LEFTOVERS, NAME).split("\n")
    if any(left):
        raise Failure("Something of the app is left.", "\n".join(filter(None, left)))
    bills = databases.query("SELECT COUNT(*) FROM account_move WHERE ref LIKE 'PAYOUT/%'", NAME).strip()
    say.note(f"Nothing of it is left; {bills} vendor bills of payouts stay")


def _bring_back(databases):
    say.step("Installing it again")
    _install(init=[MODULE])
    if MODULE not in databases.installed(NAME):
        raise Failure("The app could not be installed again.", f"See {LOG}.")
    _check_log("The installation")


def _check_log(what):
    """Check that Odoo had nothing to complain about while it did ``what``."""
    warnings = odoo.complaints_in(LOG, EXPECTED)
    if warnings:
        raise Failure(f"{what} logged {len(warnings)} warnings.", "\n".join(warnings[:20]))


def _install(**options):
    odoo.install("test", NAME, log=LOG, **options)
