"""The command: ``python -m bench --config odoo.conf --database bench [--members 10000 --lines 1000000]``.

Says how long the app takes for a work, in relation to what SQL written by hand takes for the same in the same run.
Times belong to the machine, so the ratios are what counts.
"""

import argparse
import os
import sys
import time
from datetime import date
from pathlib import Path

import odoo
from odoo.tools import config

from . import data, tiers

RESULTS = Path(__file__).parent / "results.md"
# Where more processors than ours are busy, times say little.
NOISE = 1.2


def main():
    """Build the data, measure, and write the table.

    :return: exit code, 1 where a target was missed
    """
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    arguments = parser.parse_args()
    config.parse_config(["-c", arguments.config, "--no-http", "--log-level=warn"], setup_logging=True)
    registry = odoo.modules.registry.Registry(arguments.database)
    load = os.getloadavg()[0]
    with registry.cursor() as cr:
        env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {"tracking_disable": True, "mail_create_nolog": True})
        program = build(env, arguments.members, arguments.lines)
        rows = tiers.measure(env, program)
    text = report(rows, arguments, load)
    print(text)
    RESULTS.write_text(text)
    return 1 if any(row["seconds"] / row["raw"] > row["target"] for row in rows) else 0


def build(env, members, lines):
    """Make the program, its members and their invoices.

    :return: the program
    """
    program = data.make_program(env)
    tiers.make_tiers(env, program)
    start = time.perf_counter()
    partner_ids = data.make_members(env, program, members)
    say(f"{members:,} members enrolled in {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    data.make_invoices(env, partner_ids, lines // data.LINES_PER_INVOICE)
    say(f"{lines:,} invoice lines made in {time.perf_counter() - start:.0f} s")
    data.vacuum(env)
    return program


def report(rows, arguments, load):
    """Return the table of results, as Markdown."""
    lines = [
        "# Results of `make bench`",
        "",
        f"{date.today():%d %B %Y}, {os.cpu_count()} processors, {arguments.members:,} members, "
        f"{arguments.lines:,} invoice lines. Best of several runs each; ratios count, times belong to the machine.",
        "",
        "| work | app | SQL by hand | ratio | to reach | |",
        "|---|---|---|---|---|---|",
    ]
    missed = []
    for row in rows:
        ratio = row["seconds"] / row["raw"]
        verdict = "reached" if ratio <= row["target"] else "missed"
        lines.append(
            f"| {row['work']} | {row['seconds']:.2f} s | {row['raw']:.2f} s | {ratio:.1f}× "
            f"| ≤ {row['target']}× | {verdict} |"
        )
        if ratio > row["target"]:
            missed.append(f"Missed: {row['missed']}")
    lines += [line for text in missed for line in ("", text)]
    if load > NOISE:
        lines += ["", f"The machine was busy with other work (load {load:.1f}) when this began: measure again."]
    return "\n".join(lines) + "\n"


def say(text):
    """Say how far it is."""
    print(f"          {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
