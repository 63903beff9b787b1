"""The command: ``python -m bench --config odoo.conf --database bench [--members 10000 --lines 1000000 --only tiers]``.

Says how long the app takes for a work, in relation to what SQL written by hand, or Odoo without the app, takes for the
same in the same run. Times belong to the machine, so the ratios are what counts.
"""

import argparse
import os
import sys
import time
from datetime import date
from importlib import import_module
from pathlib import Path

from odoo.tools import config

from . import profile
from .noise import Noise
from .session import Bench

FOLDER = Path(__file__).parent

# Each is a module with a function ``measure``, that takes a ``Bench`` and returns rows.
GROUPS = [
    "accrual",
    "nightly",
    "expiry",
    "workers",
    "tiers",
    "orders",
    "latency",
    "users",
    "balance",
    "overview",
    "spending",
    "payouts",
    "install",
    "peers",
]


def main():
    """Measure, print the table, and write it beside this file where all of it was measured.

    :return: exit code, 1 where a target was missed
    """
    arguments = read_arguments()
    config.parse_config(["-c", arguments.config, "--no-http", "--log-level=warn"], setup_logging=True)
    bench = Bench(arguments.config, arguments.database, arguments.plain, arguments.members, arguments.lines)
    noise = Noise()
    try:
        rows = measure(bench, arguments.only or GROUPS, noise)
    finally:
        bench.drop()
    text = report(rows, bench, noise)
    print(text)
    if not arguments.only:
        for name, content in {"results.md": text, **bench.files}.items():
            (FOLDER / name).write_text(content)
    return 0 if all(row.is_reached for row in rows) else 1


def read_arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--plain", required=True, help="name of a database without our modules")
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of groups, with commas")
    arguments = parser.parse_args()
    if unknown := set(arguments.only or ()) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; choose of {', '.join(GROUPS)}")
    return arguments


def measure(bench, groups, noise):
    """Return the rows of groups, one group after the other."""
    rows = []
    for name in groups:
        noise.listen()
        start = time.perf_counter()
        measured = import_module(f".{name}", __package__).measure(bench)
        bench.say(f"{name} measured in {time.perf_counter() - start:.0f} s")
        for row in measured:
            bench.say(row.to_markdown())
        rows += measured
    noise.listen()
    return rows


def report(rows, bench, noise):
    """Return the table of results, as Markdown."""
    lines = [
        "# Results of `make bench`",
        "",
        f"{date.today():%d %B %Y}, {os.cpu_count()} processors, {bench.members:,} members, "
        f"{bench.lines:,} invoice lines. Best of several runs each; ratios count, times belong to the machine.",
        "",
        "| work | app | measured by | result | to reach | |",
        "|---|---|---|---|---|---|",
        *(row.to_markdown() for row in rows),
    ]
    for row in rows:
        if not row.is_reached:
            lines += ["", f"Missed, {row.work}: {row.missed}"]
    for title, parts in bench.profiles.items():
        lines += profile.to_markdown(title, parts)
    warnings = noise.get_warnings()
    if warnings:
        lines += ["", f"{' '.join(warnings)} Measure again when it is quiet."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
