"""What the machine has to have: Debian packages, room on the disk. As root the missing packages are installed."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from . import paths, postgres, say
from .say import Failure
from .shell import is_root, run, which

NEEDED_DISK_GB = 4
CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.d")


class Need(NamedTuple):
    """A Debian package, how to see that it is there, and what does not work without it."""

    package: str
    is_there: object
    purpose: str
    is_vital: bool = True


def _has(*programs):
    return lambda: which(*programs)


def _has_server():
    return postgres.find_program("postgres") and postgres.find_program("psql")


def _has_fonts():
    return any(Path("/usr/share/fonts").rglob("*.[to]tf"))


def _has_magic():
    return any(Path("/usr/lib").glob("*/libmagic.so.1")) or any(Path("/usr/lib").glob("libmagic.so.1"))


def needs(for_tests):
    """Return all :class:`Need` of the commands; tests cannot do without the browser, for example."""
    server = (
        Need("postgresql-client", lambda: postgres.find_program("psql"), "the database")
        if postgres.is_external()
        else Need("postgresql", _has_server, "the database")
    )
    return [
        server,
        Need("wkhtmltopdf", _has("wkhtmltopdf"), "printing PDF files", for_tests),
        Need("chromium", _has("chromium", "google-chrome", "google-chrome-stable"), "tests in a browser", for_tests),
        Need("poppler-utils", _has("pdftotext"), "tests that read PDF files", for_tests),
        Need("fonts-dejavu-core", _has_fonts, "letters in PDF files and screenshots", for_tests),
        Need("libmagic1", _has_magic, "telling file types apart", False),
        Need("make", _has("make"), "the short commands ('dev/start run' instead of 'make run')", False),
    ]


def ensure(for_tests=False):
    """Check the disk, and make sure of the Debian packages."""
    _check_disk()
    missing = [need for need in needs(for_tests) if not need.is_there()]
    if not missing:
        return
    if is_root() and which("apt-get"):
        _install(missing)
    else:
        _report(missing)


def _check_disk():
    """The first start needs room for Odoo and the databases; the next ones need little."""
    paths.WORK.mkdir(parents=True, exist_ok=True)
    needed = 1 if (paths.ODOO_ROOT / ".complete").exists() else NEEDED_DISK_GB
    free = shutil.disk_usage(paths.WORK).free / 1e9
    if free < needed:
        raise Failure(
            f"Only {free:.1f} GB are free where {paths.WORK} is; about {needed} GB are needed.",
            "Free some disk space, or set LOYALTY_WORK to a folder on a bigger disk.",
        )


def _report(missing):
    """Say what an ordinary user has to ask for."""
    command = "apt-get install --no-install-recommends " + " ".join(need.package for need in missing)
    purposes = ", ".join(f"{need.package} ({need.purpose})" for need in missing)
    if any(need.is_vital for need in missing):
        raise Failure(f"Missing on this machine: {purposes}.", f"Ask an administrator to run: {command}")
    say.note(f"Missing on this machine: {purposes}. To have it, let an administrator run: {command}")


def _install(missing):
    packages = [need.package for need in missing]
    say.step(f"Installing Debian packages: {', '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    todo = "Check the network and the package sources in /etc/apt, then try again."
    run(["apt-get", "-q", "update"], env=quiet, what="The package lists of Debian could not be read.", todo=todo)
    with _no_system_cluster():
        run(
            ["apt-get", "-qy", "install", "--no-install-recommends", *packages],
            env=quiet,
            what="The Debian packages could not be installed.",
            todo=todo,
        )
    still = [need.package for need in missing if need.is_vital and not need.is_there()]
    if still:
        raise Failure(f"Still missing after the installation: {', '.join(still)}.", "Install them by hand.")


@contextlib.contextmanager
def _no_system_cluster():
    """Keep Debian's package from making and starting a PostgreSQL cluster of the system while it is installed."""
    setting = CREATE_CLUSTER / "partner_loyalty.conf"
    new_folders = [folder for folder in (CREATE_CLUSTER.parent, CREATE_CLUSTER) if not folder.exists()]
    CREATE_CLUSTER.mkdir(parents=True, exist_ok=True)
    setting.write_text("create_main_cluster = false\n")
    try:
        yield
    finally:
        setting.unlink()
        for folder in reversed(new_folders):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
