"""Play a year of each program template, and list what happened in it and what never did.

The command: ``python -m templates --config odoo.conf --database loyalty_templates [--only service] [--days 400]``.
Nothing of it stays in the database.
"""

import argparse
import sys

from odoo.tools import config

from .play import DAYS, TEMPLATES, play


def main():
    """Play the templates one after the other.

    :return: exit code, 1 where something never happened or an invariant is violated
    """
    parser = argparse.ArgumentParser(prog="templates")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--only", choices=TEMPLATES)
    parser.add_argument("--days", type=int, default=DAYS)
    arguments = parser.parse_args()
    config.parse_config(["-c", arguments.config, "--no-http", "--log-level=warn"], setup_logging=True)
    problems = 0
    for template in [arguments.only] if arguments.only else TEMPLATES:
        print(f"\n{template}: {arguments.days} days", flush=True)
        counts, violations = play(arguments.database, template, arguments.days, tell_month)
        problems += report(counts, violations)
    return 1 if problems else 0


def tell_month(day):
    """Say that a month is over."""
    print(f"          {day:%B %Y}", file=sys.stderr, flush=True)


def report(counts, violations):
    """Print what happened, and what did not.

    :return: how much is wrong
    :rtype: int
    """
    for (kind, name), count in counts.items():
        print(f"  {count:6}  {kind}: {name}")
    never = [f"{kind}: {name}" for (kind, name), count in counts.items() if not count]
    print(f"  never happened: {', '.join(never) or 'nothing'}")
    print(f"  invariants violated: {len(violations)}", *violations, sep="\n    ")
    return len(never) + len(violations)


if __name__ == "__main__":
    sys.exit(main())
