"""A worker of its own process: ``python -m bench.worker --config odoo.conf --database name``.

Says when it is ready, begins when it is told to, and works off chunks of members until none is left.
"""

import argparse
import sys

from odoo.tools import config

from . import databases


def main():
    """Work as the scheduled action does that shares a run with others."""
    parser = argparse.ArgumentParser(prog="bench.worker")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    arguments = parser.parse_args()
    config.parse_config(["-c", arguments.config, "--no-http", "--log-level=critical"], setup_logging=True)
    with databases.environment(arguments.database) as env:
        env["partner.loyalty.chunk"].search_count([])
        env.cr.commit()
        print("ready", flush=True)
        sys.stdin.readline()
        env["partner.loyalty.chunk"]._cron_compare()


if __name__ == "__main__":
    main()
