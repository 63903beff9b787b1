"""Run other programs, and keep what they print for when they fail."""

import os
import shutil
import subprocess

from .say import Failure


def run(command, *, what, todo, cwd=None, env=None, quiet=True, stdin=None):
    """Run ``command`` and return what it printed.

    :param list command: program and arguments
    :param str what: what went wrong, should it fail
    :param str todo: what to do then
    :raises Failure: when the command fails or is missing; the end of its output is part of the message
    """
    try:
        result = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            text=True,
            input=stdin,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
        )
    except FileNotFoundError:
        raise Failure(what, f"The program {command[0]} is missing. {todo}") from None
    if result.returncode:
        tail = "\n".join((result.stdout or "").strip().splitlines()[-12:])
        raise Failure(what, f"{todo}\n\n{tail}" if tail else todo)
    return result.stdout or ""


def answer(command, cwd=None):
    """Return what ``command`` prints, or an empty string when it fails or is missing."""
    try:
        result = subprocess.run([str(part) for part in command], cwd=cwd, text=True, capture_output=True)
    except (FileNotFoundError, PermissionError):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def is_root():
    """Return whether we may do everything on this machine."""
    return os.geteuid() == 0


def which(*names):
    """Return the path of the first of ``names`` that is installed, or None."""
    return next((path for path in map(shutil.which, names) if path), None)


def succeeds(command):
    """Return whether ``command`` is there and ends well."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True).returncode == 0
    except (FileNotFoundError, PermissionError):
        return False
