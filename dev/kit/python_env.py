"""The Python packages: a virtual environment in the work folder, exactly as the lock file says."""

import hashlib
import shutil
import sys

from . import paths, say, state
from .say import Failure
from .shell import run, succeeds

OLDEST, NEWEST = (3, 10), (3, 13)
LOCK_HEADER = "# Exact versions for requirements.in, made by 'make lock' with the oldest Python. Do not edit.\n"


def ensure():
    """Make the virtual environment, and install the packages of the lock file if it has changed."""
    digest = hashlib.sha256(paths.LOCK_FILE.read_bytes()).hexdigest()
    usable = succeeds([paths.PYTHON, "-c", "pass"])
    if usable and state.read("python-packages") == digest:
        return
    if not usable:
        make(paths.VENV)
    say.step("Installing Python packages (about 150 MB)")
    install(paths.VENV, paths.LOCK_FILE)
    state.write("python-packages", digest)


def make(folder):
    """Make an empty virtual environment with the Python that runs this."""
    check_version()
    shutil.rmtree(folder, ignore_errors=True)
    run(
        [sys.executable, "-m", "venv", folder],
        what="The virtual environment could not be made.",
        todo="Install the Debian package python3-venv, then try again.",
    )


def check_version():
    """Fail with a sentence when Odoo 19 does not work with this Python."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        this = ".".join(map(str, sys.version_info[:2]))
        raise Failure(
            f"This is Python {this}; Odoo 19 needs {_dotted(OLDEST)} to {_dotted(NEWEST)}.",
            "Put a fitting python3 first on the PATH, then try again.",
        )


def install(folder, requirements):
    """Install the packages that a requirements file names into the virtual environment in ``folder``."""
    run(
        [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-qq", "-r", requirements],
        what="The Python packages could not be installed.",
        todo="Check the network (and pip's configuration, if there is one), then try again. pip said:",
    )


def lock():
    """Resolve requirements.in in a fresh environment, and write down what came out."""
    folder = paths.WORK / "venv-lock"
    if sys.version_info[:2] != OLDEST:
        say.note(f"This is not Python {_dotted(OLDEST)}: what is chosen now may be too new for that one.")
    say.step("Resolving dev/requirements.in")
    make(folder)
    install(folder, paths.DEV / "requirements.in")
    frozen = run([folder / "bin/python", "-m", "pip", "freeze", "-l"], what="pip freeze failed.", todo="Try again.")
    paths.LOCK_FILE.write_text(LOCK_HEADER + frozen, encoding="utf-8")
    shutil.rmtree(folder)
    say.step(f"Written: {paths.LOCK_FILE.relative_to(paths.PROJECT)}")


def _dotted(version):
    return ".".join(map(str, version))
