"""The command: ``python -m figures --config odoo.conf --database loyalty``."""

import argparse
import sys

from kit import say
from kit.say import Failure
from retail.sql import connect

import odoo
from odoo.modules.registry import Registry

from . import compare


def main():
    """Compare the key figures of all programs; return 1 where one differs."""
    parser = argparse.ArgumentParser(prog="figures", description="Work the key figures of all programs out anew.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    arguments = parser.parse_args()
    odoo.tools.config.parse_config(["-c", arguments.config, "--no-http", "--log-level=warn"], setup_logging=True)
    say.step("Working the key figures of all programs out from the tables")
    try:
        with Registry(arguments.database).cursor() as cr:
            env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
            connection = connect(arguments.config, arguments.database)
            compare.report([_compare(env, connection, program) for program in _programs(env)])
    except Failure as error:
        say.failure(error)
        return 1
    return 0


def _programs(env):
    programs = env["partner.loyalty.program"].search([])
    return programs.filtered(lambda program: program.tier_kind != "bill")


def _compare(env, connection, program):
    env = env(context={"allowed_company_ids": program.company_id.ids})
    return compare.compare(env, connection, program, compare.spans_until(_last_day(program)))


def _last_day(program):
    """Return today, or the last day of a program that is over."""
    today = program._get_today()
    return min(today, program.date_to or today)


if __name__ == "__main__":
    sys.exit(main())
