"""Checks: named things that pass or fail, and the summary of them."""

import subprocess
from typing import NamedTuple

from . import say


class Check(NamedTuple):
    """The outcome of one check.

    :param str name: what was promised, as a sentence
    :param str problem: what was found instead; empty when the promise is kept
    """

    name: str
    problem: str = ""


class Count(NamedTuple):
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other):
        """Return the sum of two counts."""
        return Count(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def from_program(name, command, **options):
    """Return the :class:`Check` that ``command`` ends well; what it prints is the problem otherwise."""
    result = subprocess.run(
        [str(part) for part in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    return Check(name, (result.stdout.strip() or f"exit code {result.returncode}") if result.returncode else "")


def summarize(checks, tests=None):
    """Print the closing summary; return the exit code.

    :param list checks: the checks made
    :param Count tests: how the tests went, if there were any
    """
    for check in checks:
        if check.problem:
            print(f"\n{say.paint('31', check.name)}\n{check.problem}")
    print("\nSummary")
    total = Count(sum(not check.problem for check in checks), sum(bool(check.problem) for check in checks))
    if tests:
        outcome = f"{tests.passed} passed, {tests.failed} failed, {tests.skipped} skipped"
        print(f"  {_mark(not tests.failed)} tests: {outcome}")
        total = total.plus(tests)
    for check in checks:
        print(f"  {_mark(not check.problem)} {check.name}")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"\n{total.passed} passed, {total.failed} failed{skipped}", flush=True)
    return 1 if total.failed or not total.passed else 0


def _mark(good):
    return say.paint("32", "ok    ") if good else say.paint("31", "FAILED")
