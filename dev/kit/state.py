"""What the commands remember between two runs: one small JSON file per fact, in the work folder."""

import contextlib
import fcntl
import json

from . import paths, say
from .say import Failure


def read(name, default=None):
    """Return what was remembered under ``name``."""
    try:
        return json.loads((paths.STATE / f"{name}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return default


def write(name, value):
    """Remember ``value`` under ``name``; the old one stays whole if we are killed in between."""
    paths.STATE.mkdir(parents=True, exist_ok=True)
    draft = paths.STATE / f"{name}.draft"
    draft.write_text(json.dumps(value, indent=1), encoding="utf-8")
    draft.replace(paths.STATE / f"{name}.json")


def forget(name):
    """Forget what was remembered under ``name``."""
    (paths.STATE / f"{name}.json").unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(name, doing, wait=True):
    """Let one process at a time do ``doing``.

    :param bool wait: whether to wait for the other one, or to fail at once
    """
    paths.STATE.mkdir(parents=True, exist_ok=True)
    with (paths.STATE / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise Failure(f"Another command is {doing}.", "Wait until it has finished.") from None
            say.step(f"Waiting: another command is {doing}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def shared(name):
    """Use something together with other commands; yields a function that says whether nobody else does any more."""
    paths.STATE.mkdir(parents=True, exist_ok=True)
    with (paths.STATE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)

        def nobody_else():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield nobody_else
