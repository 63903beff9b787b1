"""Recompute the invariants of the ledger, and print what does not hold."""

import argparse
import sys

import odoo
from odoo.modules.registry import Registry


def main():
    """Check one database; return 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    arguments = parser.parse_args()
    odoo.tools.config.parse_config(["-c", arguments.config, "--no-http", "--log-level=warn"], setup_logging=True)
    with Registry(arguments.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
        problems = env["partner.loyalty.program"]._check_invariants()
    print("\n".join(problems) or "All invariants hold.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
