"""What the developer commands print: short lines, and failures that say what to do."""

import os
import sys
import time

COLOR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
STARTED = time.monotonic()


class Failure(Exception):
    """Something a person has to mend: what went wrong and what to do about it.

    :param str what: what went wrong, one sentence
    :param str todo: what to do now, one or more sentences
    """

    def __init__(self, what, todo):
        super().__init__(what)
        self.what = what
        self.todo = todo


def paint(code, text):
    """Return ``text`` in a colour, on terminals."""
    return f"\033[{code}m{text}\033[0m" if COLOR else text


def step(text):
    """Announce the next step, with the seconds since the command started."""
    print(f"{paint('36', f'[{time.monotonic() - STARTED:5.0f} s]')} {text}", flush=True)


def note(text):
    """Print a remark that belongs to the last step."""
    print(f"          {text}", flush=True)


def failure(error):
    """Print a :class:`Failure` on the error stream."""
    print(f"\n{paint('31', 'Stopped:')} {error.what}\n{paint('33', 'What to do:')} {error.todo}\n", file=sys.stderr)
