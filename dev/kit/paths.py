"""Where things are: the project, its ignored work folder and what lies in it."""

import hashlib
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEV = PROJECT / "dev"
DEV_ADDONS = DEV / "addons"
DEV_MODULE = "partner_loyalty_dev"

WORK = Path(os.environ.get("LOYALTY_WORK") or PROJECT / ".work").resolve()
VENV = WORK / "venv"
PYTHON = VENV / "bin" / "python"
LOGS = WORK / "logs"
DATA = WORK / "data"
STATE = WORK / "state"
ODOO_ROOT = WORK / "odoo"
LOCK_FILE = DEV / "requirements.txt"

# Changes in these need no upgrade of the module in a database.
NOT_INSTALLED = {"tests", "static", "__pycache__", "readme"}


def modules():
    """Return the names of the addons of this project, the app first."""
    return sorted(path.parent.name for path in PROJECT.glob("partner_loyalty*/__manifest__.py"))


def module_folder(name):
    """Return the folder of one of our modules, or of the development-only one."""
    return (DEV_ADDONS if name == DEV_MODULE else PROJECT) / name


def fingerprint(module):
    """Return a hash of what a database takes from the sources of ``module``."""
    folder = module_folder(module)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not NOT_INSTALLED & set(inside.parts):
            digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def fingerprints():
    """Return {module: hash} of all modules that our databases get, in the order of installation."""
    return {name: fingerprint(name) for name in (*modules(), DEV_MODULE)}
