"""``make fuzz``: play random sequences, and the ledger alone by Hypothesis."""

import argparse
import random
import sys
import traceback
from contextlib import closing

from kit import say
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

import odoo
from odoo.modules.registry import Registry

from . import run

# What is taken back stays in the tables until it is vacuumed: after so many sequences it would slow down the rest.
BATCH = 250


def main():
    """Run it; return 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--examples", type=int, default=500, help="sequences of the ledger alone")
    arguments = parser.parse_args()
    odoo.tools.config.parse_config(["-c", arguments.config, "--no-http", "--log-level=critical"], setup_logging=True)
    first = arguments.seed if arguments.seed is not None else random.randrange(10**9)
    known = run.read_found()
    sequences = [*known, *((seed, None) for seed in range(first, first + arguments.sequences))]
    say.step(f"Playing {arguments.sequences} sequences from seed {first}, after {len(known)} that failed once")
    report = run.Report()
    for start in range(0, len(sequences), BATCH):
        play(arguments.database, sequences[start : start + BATCH], report)
        # At once: a run of hours may be stopped before its end.
        run.keep_found(report.failures)
    code = say_report(report)
    # What is not committed is rolled back.
    with closing(Registry(arguments.database).cursor()) as cr, run.playing(cr) as player:
        return play_ledger(player, arguments.examples) or code


def play(database, sequences, report):
    """Play sequences in a world of their own, and clear away what they leave behind in the tables."""
    with closing(Registry(database).cursor()) as cr, run.playing(cr) as player:
        run.run(player, sequences, report, progress=_say_progress, failed=_say_failure)
    with closing(Registry(database).cursor()) as cr:
        cr.commit()
        cr.connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        cr.execute("VACUUM")


def play_ledger(player, examples):
    """Let Hypothesis play with the ledger alone; return 1 where it finds something."""
    if not examples:
        return 0
    try:
        from . import machine  # the package hypothesis may be missing
    except ImportError:
        say.note("The package hypothesis is not installed: the ledger alone is left out.")
        return 0
    say.note(f"{examples:>9,} sequences of the ledger alone")
    try:
        machine.run(player, examples)
    except Exception:  # Hypothesis has noted on it which sequence it was
        traceback.print_exc()
        return 1
    say.note(f"{0:>9,} violations")
    return 0


def _say_progress(report):
    if report.sequences % 50 == 0:
        say.note(f"{report.sequences:>7,} sequences, {len(report.failures)} failed")


def _say_failure(failure):
    say.note(say.paint("31", f"Seed {failure.seed} failed: {failure.message}"))


def say_report(report):
    """Print the figures and the failures."""
    minutes = report.seconds / 60 or 1
    say.note(f"{report.sequences:>9,} sequences ({report.sequences / minutes:,.0f} a minute)")
    say.note(f"{report.operations:>9,} operations ({report.operations / minutes:,.0f} a minute)")
    say.note(f"{len(report.failures):>9,} violations")
    for failure in report.failures:
        print(f"\nSeed {failure.seed}: {failure.message}\nIt takes these steps:")
        for step in failure.steps:
            print(f"    {step}")
        print("\n".join(failure.trace.splitlines()[-12:]))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
