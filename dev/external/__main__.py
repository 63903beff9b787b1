"""``make external``: send orders to a running server over a bad line, and look whether each was rewarded once."""

import argparse
import random
import sys
import time

from kit import paths, say

import odoo

from .line import BadLine, send_all
from .plan import PlannedOrder
from .world import World


def main():
    """Run it; return 1 where any order is missing, doubled, or rewarded otherwise than it has to be."""
    parser = argparse.ArgumentParser(prog="external", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args()
    odoo.tools.config.parse_config(["-c", arguments.config, "--no-http", "--log-level=critical"], setup_logging=True)
    say.step(f"Sending {arguments.orders} orders over a bad line (seed {arguments.seed})")
    world = World(arguments.database)
    luck = random.Random(arguments.seed)
    orders = [PlannedOrder(number, luck, world.codes) for number in range(arguments.orders)]
    figures = send(world, orders, luck, arguments.config)
    say.step("Comparing")
    problems = compare(orders, world.get_result()) + world.get_problems()
    customers, phones = world.count_customers()
    if customers != phones:
        problems.append(f"{customers} contacts for {phones} phone numbers")
    for name, figure in {**figures, "customers": customers, "orders that are wrong": len(problems)}.items():
        say.note(f"{figure:>10}  {name}")
    for problem in problems[:50]:
        say.note(say.paint("31", problem))
    return 1 if problems else 0


def send(world, orders, luck, config):
    """Send the orders; return figures by name."""
    started = time.monotonic()
    with world.serve(config, paths.LOGS / "external.log") as url:
        shop = BadLine(url, world.key, world.database, random=luck, tries=20, pause=0.05)
        messages = send_all(shop, orders, luck)
    return {
        "orders": len(orders),
        "messages, some twice and all shuffled": messages,
        **shop.figures,
        "seconds": round(time.monotonic() - started),
    }


def compare(orders, result):
    """Return where what Odoo has is not what it has to be.

    :rtype: list[str]
    """
    problems = [f"{reference} was never sent" for reference in result.keys() - {order.reference for order in orders}]
    for order in orders:
        names = ("state", "invoiced", "by_order", "by_invoice")
        expected = {**dict(zip(names, order.get_expected(), strict=True)), "code": order.code, "is_settled": True}
        found = result.get(order.reference)
        if found != expected:
            problems.append(f"{order.reference} ({order.fate}): {found} instead of {expected}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
