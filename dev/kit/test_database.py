"""The databases of the tests.

Templates hold what our modules depend on, installed once; a test database is a copy of one with our modules on top.
"""

import ast
import hashlib

from . import odoo, odoo_source, paths, say, state
from .shell import answer

NAME = odoo.DATABASE["test"]
DEMO_NAME = "loyalty_demo"
LINT_NAME = "loyalty_lint"
LOG = paths.LOGS / "test-install.log"
DEMO_LOG = paths.LOGS / "demo-install.log"
MARK = "test-database"


def is_current():
    """Return whether the test database is there, and made from the sources as they are now."""
    return state.read(MARK) == [_template_name(False), paths.fingerprints()] and NAME in odoo.Databases("test").names()


def make():
    """Make the test database anew, without demo data; return the warnings of the installation."""
    mark = [_template_name(False), paths.fingerprints()]
    state.forget(MARK)
    _make(NAME, demo=False, log=LOG)
    state.write(MARK, mark)
    return odoo.warnings_in(LOG)


def make_demo():
    """Install our modules with demo data and languages in a database of its own; return the warnings."""
    _make(DEMO_NAME, demo=True, log=DEMO_LOG)
    odoo.Databases("test").drop(DEMO_NAME)
    return odoo.warnings_in(DEMO_LOG)


def copy_for_lint():
    """Make a copy of the test database, for checks that run beside the tests."""
    databases = odoo.Databases("test")
    databases.drop(LINT_NAME)
    databases.copy(NAME, LINT_NAME)


def _make(name, demo, log):
    template = _ensure_template(demo)
    databases = odoo.Databases("test")
    databases.drop(name)
    databases.copy(template, name)
    _announce(demo, f"Installing {', '.join(paths.modules())} in {name}")
    odoo.install("test", name, init=paths.fingerprints(), log=log)


def ensure_demo_template():
    """Return the name of the template with demo data, made if it is missing."""
    return _ensure_template(True)


def ensure_template():
    """Return the name of the template without demo data, made if it is missing."""
    return _ensure_template(False)


def _ensure_template(demo):
    """Return the name of the template, made if it is missing; templates of another Odoo are deleted."""
    name = _template_name(demo)
    databases = odoo.Databases("test")
    if name in databases.names():
        return name
    _announce(demo, f"Installing {', '.join(_foreign_depends())} as the template for test databases")
    prefix, draft = _template_prefix(demo), f"{_template_prefix(demo)}draft"
    for old in databases.names():
        if old.startswith(prefix):
            databases.drop(old)
    more = [f"--load-language={odoo.LANGUAGES}"] if demo else []
    log = paths.LOGS / f"{prefix}install.log"
    odoo.install("test", draft, init=_foreign_depends(), demo=demo, log=log, more=more)
    databases.rename(draft, name)
    return name


def _announce(demo, text):
    """Print a step. Installations with demo data run beside something else that prints already."""
    if not demo:
        say.step(text)


def _template_prefix(demo):
    return "loyalty_base_demo_" if demo else "loyalty_base_bare_"


def _template_name(demo):
    parts = [*_foreign_depends(), _odoo_version()]
    return _template_prefix(demo) + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]


def _foreign_depends():
    """Return the modules outside this project that ours depend on."""
    ours = paths.modules()
    manifests = [ast.literal_eval((paths.PROJECT / name / "__manifest__.py").read_text()) for name in ours]
    return sorted({name for manifest in manifests for name in manifest["depends"]} - set(ours))


def _odoo_version():
    """Return what tells one Odoo from another: the commit of a checkout, or the release."""
    folder = odoo_source.python_path()
    commit = answer(["git", "-C", folder, "rev-parse", "HEAD"]) if (folder / ".git").exists() else ""
    return commit or f"{folder} {(folder / 'odoo/release.py').read_text()}"
