"""``make chaos``: kill workers, let threads race, and check what is left."""

import argparse
import random
import sys

from kit import say

import odoo

from . import kills, threads
from .verify import verify
from .worker import Worker
from .world import INVOICES, MEMBERS, World


def main():
    """Run it; return 1 where anything is missing, doubled or violated."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args()
    odoo.tools.config.parse_config(["-c", arguments.config, "--no-http", "--log-level=critical"], setup_logging=True)
    say.step(f"Making {MEMBERS} members and {INVOICES} invoices (seed {arguments.seed})")
    world = World(arguments.database, arguments.seed)
    return 1 if kill(world, arguments) + race(world, arguments.rounds) else 0


def kill(world, arguments):
    """Kill workers and check; return how much was wrong."""
    say.step(f"Killing the worker {arguments.kills} times")
    figures = kills.kill_often(world, arguments.kills, random.Random(arguments.seed), _say_progress)
    say.step("Checking")
    checked, problems = verify(world, Worker(world).get_waiting())
    for name, figure in (figures | checked).items():
        say.note(f"{figure:>10}  {name}")
    for problem in problems:
        say.note(say.paint("31", problem))
    return len(problems)


def race(world, rounds):
    """Let threads race; return how many rounds were wrong."""
    if not rounds:
        return 0
    racers, wrong = threads.Race(world), 0
    for count in (32, 60):
        say.step(f"{count} threads spend at once, {rounds} rounds")
        figures = racers.run(count, rounds)
        wrong += figures["wrong rounds"]
        for name, figure in figures.items():
            say.note(f"{figure:>10}  {name}")
    return wrong


def _say_progress(number):
    if number % 20 == 0:
        say.note(f"{number:>10} kills")


if __name__ == "__main__":
    sys.exit(main())
