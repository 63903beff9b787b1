"""Get Odoo 19: the checkout that ODOO_PATH names, or Debian's package, unpacked into the work folder.

Debian carries Odoo in its suite ``sid``. The package and the fonts and scripts that its addons link to are
architecture-independent: unpacked into one folder they work on Debian 12, and nothing is installed on the system.
"""

import os
import re
import shutil
from pathlib import Path

from . import paths, say
from .say import Failure
from .shell import answer, run

SID_PACKAGES = (
    "odoo-19",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-ocr-b",
    "libjs-jquery",
    "libjs-underscore",
    "libjs-jquery-form",
)
# In sid the files of these lie elsewhere than where the links of Odoo point to.
RELEASE_PACKAGES = ("fonts-font-awesome", "fonts-inconsolata")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNPACKED = paths.ODOO_ROOT / "usr/lib/python3/dist-packages"
DONE = paths.ODOO_ROOT / ".complete"


def python_path():
    """Return the folder to put on PYTHONPATH, so that ``import odoo`` finds Odoo 19."""
    given = os.environ.get("ODOO_PATH")
    if not given:
        return UNPACKED
    folder = Path(given).expanduser().resolve()
    if not (folder / "odoo/release.py").exists():
        raise Failure(
            f"ODOO_PATH is {given}, but there is no odoo/release.py in it.",
            "Point ODOO_PATH at the folder of an Odoo 19 checkout (odoo-bin is in it), or leave it out.",
        )
    if not re.search(r"^version_info = \(19,", (folder / "odoo/release.py").read_text(), re.MULTILINE):
        todo = "Switch it to the branch 19.0, or leave ODOO_PATH out."
        raise Failure(f"The checkout in {given} is not Odoo 19.", todo)
    return folder


def addons_folders():
    """Return Odoo's own addons folders, for the configuration."""
    root = python_path()
    return [folder for folder in (root / "addons", root / "odoo/addons") if folder.is_dir()]


def module_folder(name):
    """Return the folder of one of Odoo's own modules."""
    for folder in addons_folders():
        if (folder / name / "__manifest__.py").exists():
            return folder / name
    todo = "Point ODOO_PATH at a whole checkout of Odoo 19, or leave it out."
    raise Failure(f"This Odoo has no module {name}.", todo)


def ensure():
    """Fetch and unpack Odoo if it is not there."""
    if os.environ.get("ODOO_PATH"):
        python_path()
        return
    if DONE.exists():
        return
    say.step("Fetching Odoo 19 from Debian (about 125 MB)")
    shutil.rmtree(paths.ODOO_ROOT, ignore_errors=True)
    downloads = paths.WORK / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    _download(downloads)
    say.step("Unpacking Odoo 19")
    for package in sorted(downloads.glob("*.deb")):
        run(
            ["dpkg-deb", "-x", package, paths.ODOO_ROOT],
            what=f"{package.name} could not be unpacked.",
            todo="Free some disk space, or delete .work/downloads and try again.",
        )
    _check_links()
    shutil.rmtree(downloads, ignore_errors=True)
    DONE.touch()


def _download(folder):
    options = _apt_options()
    run(
        ["apt-get", *options, "update"],
        what="The package lists of Debian could not be read.",
        todo="Check the network, then try again; or use an Odoo 19 checkout: ODOO_PATH=/path/to/odoo make run",
    )
    names = answer(["apt-cache", *options, "policy", "odoo-19"])
    if "odoo-19" not in names or "(none)" in names.split("Candidate:", 1)[-1].splitlines()[0]:
        raise Failure(
            "The Debian mirror of this machine does not carry the suite sid with odoo-19.",
            "Use a mirror with sid in the system's package sources, or set ODOO_PATH to an Odoo 19 checkout.",
        )
    for suite, packages in (("sid", SID_PACKAGES), (_release(), RELEASE_PACKAGES)):
        run(
            ["apt-get", *options, "download", *(f"{package}/{suite}" for package in packages)],
            cwd=folder,
            what="Odoo 19 could not be downloaded.",
            todo="Check the network and the free disk space, then try again: the download starts anew.",
        )


def _apt_options():
    """Return options that make apt work in folders of our own, on the machine's mirror, with sid beside the release."""
    site, release = _mirror(), _release()
    apt = paths.WORK / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    sources = apt / "debian.sources"
    sources.write_text(
        f"Types: deb\nURIs: {site}\nSuites: {release} sid\nComponents: main\nSigned-By: {KEYRING}\n", encoding="utf-8"
    )
    settings = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _mirror():
    rows = answer(["apt-get", "indextargets", "--format", "$(RELEASE) $(SITE)"]).splitlines()
    release = _release()
    sites = [row.split(" ", 1)[1] for row in rows if row.startswith(f"{release} ")]
    if not sites:
        raise Failure(
            f"No Debian mirror for {release} is set up on this machine.",
            "Run 'apt-get update' as root once (or set up /etc/apt), or set ODOO_PATH to an Odoo 19 checkout.",
        )
    return sites[0]


def _release():
    words = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line.count("=") == 1
    )
    return words.get("VERSION_CODENAME", "").strip('"')


def _check_links():
    """A dangling link of the package shows up as an error 500 on the login page: find it now."""
    broken = [path for path in UNPACKED.rglob("*") if path.is_symlink() and not path.exists()]
    if broken:
        names = "\n".join(str(path.relative_to(UNPACKED)) for path in broken[:5])
        raise Failure(
            f"{len(broken)} links of the Odoo package lead nowhere, such as:\n{names}",
            "A package it links to has moved in Debian: find it with 'apt-file search', add it in odoo_source.py.",
        )
