"""How far a long step is: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time

from kit import say

WIDTH = 30
SECONDS_BETWEEN_LINES = 5


class Progress:
    """Progress of one step, to be used in a ``with`` statement.

    :param str label: what is counted
    :param int total: how much there is
    """

    def __init__(self, label, total):
        self.label = label
        self.total = total
        self.done = 0
        self.bar = sys.stdout.isatty()
        self.started = self.shown = time.monotonic()

    def __enter__(self):
        self._show()
        return self

    def __exit__(self, *_error):
        if self.bar:
            print(flush=True)

    def add(self, count):
        """Say that ``count`` more are done."""
        self.done += count
        finished = self.done >= self.total
        if self.bar or finished or time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self._show()

    def _show(self):
        """Print the state."""
        self.shown = time.monotonic()
        text = f"{self.done:,} of {self.total:,} {self.label}{self._left()}"
        if not self.bar:
            say.note(text)
            return
        filled = WIDTH * self.done // max(self.total, 1)
        print(f"\r\033[K          {'█' * filled}{'░' * (WIDTH - filled)} {text}", end="", flush=True)

    def _left(self):
        """Return an estimate of the time left."""
        seconds = self.shown - self.started
        if not self.done or self.done >= self.total or seconds < 3:
            return ""
        return f", about {seconds / self.done * (self.total - self.done):,.0f} s left"
