"""Plays sequences one after the other, and finds the few steps that a failure takes."""

import json
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from freezegun.api import freeze_time

from .driver import Driver, make_steps
from .world import TODAY, World

# The sequences that failed once, a JSON object each.
FOUND = Path(__file__).parent / "found.jsonl"


@dataclass
class Failure:
    """A sequence that ended otherwise than it should have."""

    seed: int
    steps: list
    message: str
    trace: str = ""


@dataclass
class Report:
    """What was played, and what went wrong."""

    sequences: int = 0
    operations: int = 0
    seconds: float = 0
    failures: list = field(default_factory=list)


class Player:
    """Plays sequences in one database, within a transaction that is never committed.

    :param cr: cursor of a database that has the app
    """

    def __init__(self, cr, clock):
        self.clock = clock
        self.world = World(cr)
        self.cr = cr

    def play(self, seed, steps):
        """Play steps by the terms of a seed and take them back; return the :class:`Failure`, or None."""
        with self.taken_back():
            try:
                Driver(self.world, self.clock, seed).play(steps)
            except Exception as error:  # whatever it is, it must not happen
                return Failure(seed, steps, f"{type(error).__name__}: {error}", traceback.format_exc())
        return None

    @contextmanager
    def taken_back(self):
        """Take back what happens within."""
        env = self.world.env
        savepoint = self.cr.savepoint()
        try:
            yield
        finally:
            env.transaction.clear()
            self.cr.precommit.clear()
            self.cr.postcommit.clear()
            savepoint.rollback()
            savepoint.close(rollback=False)
            env.transaction.clear()

    def shrink(self, failure):
        """Drop steps one by one while it still fails; return the failure with what is left."""
        number = len(failure.steps) - 1
        while number >= 0:
            fewer = failure.steps[:number] + failure.steps[number + 1 :]
            found = self.play(failure.seed, fewer)
            if found:
                failure = found
            number = min(number, len(failure.steps)) - 1
        return failure


def _now():
    """Return the seconds of a clock that is not frozen."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


@contextmanager
def playing(cr):
    """Give a :class:`Player` in a frozen time.

    :param cr: cursor; the caller rolls it back
    """
    with freeze_time(f"{TODAY} 10:00:00", ignore=["_pytest."]) as clock:
        yield Player(cr, clock)


def read_found():
    """Return the sequences that failed once, as ``(seed, steps)``; the steps are kept, because generators change."""
    lines = FOUND.read_text().splitlines() if FOUND.exists() else []
    return [(found["seed"], [tuple(step) for step in found["steps"]]) for found in map(json.loads, lines)]


def keep_found(failures):
    """Keep those of the sequences that failed which are not kept yet, for all later runs."""
    known = read_found()
    new = [failure for failure in failures if (failure.seed, failure.steps) not in known]
    if new:
        lines = [json.dumps({"seed": failure.seed, "steps": failure.steps}) + "\n" for failure in new]
        with FOUND.open("a") as file:
            file.writelines(lines)


def run(player, sequences, report, progress=lambda report: None, failed=lambda failure: None):
    """Play sequences.

    :param Player player: plays them
    :param sequences: ``(seed, steps)``, or ``(seed, None)`` for the steps that the seed gives
    :param Report report: what was played so far; it is added to
    :param progress: called with the report so far
    :param failed: called with each failure, before its steps are dropped one by one
    :rtype: Report
    """
    started = _now() - report.seconds
    for seed, known_steps in sequences:
        steps = known_steps or make_steps(seed)
        failure = player.play(seed, steps)
        report.sequences += 1
        report.operations += len(steps)
        report.seconds = _now() - started
        if failure:
            failed(failure)
            report.failures.append(player.shrink(failure))
        progress(report)
    return report
