"""Play the year after the demo data day by day, twice: with the server on all the time, and off for random weeks.

The command: ``python -m year --config odoo.conf --database loyalty [--seed 1]``. Both times partners buy and
return the same on the same days. What the nightly jobs make of it has to be the same, nobody gets anything twice, and
the log of the bonus actions is printed. Nothing of it stays in the database.
"""

import argparse
import random
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta

from freezegun import freeze_time

import odoo
from odoo.tools import config

DAYS = 365
# On so many of a hundred days each member buys something.
BUYING_DAYS = 8
# The server is off for so many weeks.
OFF_WEEKS = 10


def main():
    """Play both years and compare them.

    :return: exit code, 1 where they differ or somebody got something twice
    """
    parser = argparse.ArgumentParser(prog="year")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    config.parse_config(["-c", arguments.config, "--no-http", "--log-level=error"], setup_logging=True)
    registry = odoo.modules.registry.Registry(arguments.database)
    with registry.cursor() as cr:
        env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {"tracking_disable": True})
        # Both begin on the same day, also where midnight passes in between.
        first = date.today() + timedelta(days=1)
        steady = play(env, arguments.seed, first, off=())
        weeks = random.Random(arguments.seed).sample(range(DAYS // 7), OFF_WEEKS)
        broken = play(env, arguments.seed, first, off=weeks)
    return report(steady, broken, weeks)


def play(env, seed, first, off):
    """Play a year inside a savepoint, and take it back.

    :param date first: its first day
    :param set off: numbers of the weeks in which no job runs
    :return: what was posted, which tiers were decided, and the log of the bonus actions
    :rtype: dict
    """
    chance = random.Random(seed)
    with env.cr.savepoint() as savepoint:
        env.cr.execute("SELECT COALESCE(MAX(id), 0) FROM partner_loyalty_entry")
        before = env.cr.fetchone()[0]
        for number in range(DAYS):
            day = first + timedelta(days=number)
            with freeze_time(datetime.combine(day, time(9))):
                live(env, day, chance)
            with freeze_time(datetime.combine(day, time(22))):
                if number // 7 not in off or number == DAYS - 1:
                    work_by_night(env)
            if number % 30 == 0:
                print(f"          {day}", file=sys.stderr, flush=True)
        with freeze_time(datetime.combine(day, time(23))):
            year = read(env, before)
        savepoint.rollback()
    env.invalidate_all()
    return year


def live(env, day, chance):
    """Let members buy, and some goods come back."""
    product = env.ref("partner_loyalty.product_load_manager")
    members = env["partner.loyalty.member"].search(
        [("state", "=", "active"), ("program_id.name", "=", "Dealer Club")], order="id"
    )
    for member in members:
        if chance.randrange(100) >= BUYING_DAYS:
            continue
        order = env["sale.order"].create(
            {
                "partner_id": member.partner_id.id,
                "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": chance.randint(1, 40)})],
            }
        )
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.invoice_date = day
        invoice.action_post()
        if chance.randrange(100) < 5:
            wizard = env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
            wizard = wizard.create({"journal_id": invoice.journal_id.id, "date": day})
            env["account.move"].browse(wizard.reverse_moves()["res_id"]).action_post()
    env.flush_all()
    env.cr.precommit.run()


def work_by_night(env):
    """Do what the scheduled actions do, without their commits."""
    touch = env["partner.loyalty.touch"]
    env["partner.loyalty.entry"]._expire(env["partner.loyalty.account"].search([]).ids)
    programs = env["partner.loyalty.program"].search([("state", "=", "running")])
    for program in programs:
        program._evaluate_tiers()
    touch._answer(touch.search([]))
    for action in env["partner.loyalty.bonus.action"].search([("state", "=", "running")], order="id"):
        action._run_safely()
    programs._refresh_tiers()
    env.flush_all()


def read(env, before):
    """Return what the year left behind, in words that do not depend on ids."""
    env.cr.execute(
        """SELECT partner.name, account.unit, entry.type, entry.contribution_date::text,
                  COALESCE(move.name, sale.name, (action.name->>'en_US') || ' ' || line.period_key, ''),
                  entry.amount::text
             FROM partner_loyalty_entry entry
             JOIN partner_loyalty_account account ON account.id = entry.account_id
             JOIN partner_loyalty_member member ON member.id = account.member_id
             JOIN res_partner partner ON partner.id = member.partner_id
        LEFT JOIN account_move move ON entry.origin_model = 'account.move' AND move.id = entry.origin_id
        LEFT JOIN sale_order sale ON entry.origin_model = 'sale.order' AND sale.id = entry.origin_id
        LEFT JOIN partner_loyalty_bonus_line line
               ON entry.origin_model = 'partner.loyalty.bonus.line' AND line.id = entry.origin_id
        LEFT JOIN partner_loyalty_bonus_action action ON action.id = line.action_id
            WHERE entry.id > %s AND entry.type NOT LIKE 'expiry%%'""",
        (before,),
    )
    entries = Counter()
    for *key, amount in env.cr.fetchall():
        # Document numbers are drawn anew in each year; the day and the amount tell sales apart.
        name = key.pop()
        entries[(*key, name if key[2].startswith("bonus") else "", amount)] += 1
    env.cr.execute(
        """SELECT partner.name, tier.name->>'en_US', period.date_from::text
             FROM partner_loyalty_tier_period period
             JOIN partner_loyalty_tier tier ON tier.id = period.tier_id
             JOIN partner_loyalty_member member ON member.id = period.member_id
             JOIN res_partner partner ON partner.id = member.partner_id ORDER BY 3, 1"""
    )
    tiers = env.cr.fetchall()
    lines = env["partner.loyalty.bonus.line"].search([("state", "=", "given")], order="date, id")
    story = [
        f"{line.date}  {line.action_id.name}: {line.member_id.partner_id.name}  {line.reason_text}" for line in lines
    ]
    twice = Counter((line.action_id.name, line.member_id.partner_id.name, line.period_key) for line in lines)
    return {
        "entries": entries,
        "tiers": tiers,
        "story": story,
        "twice": [key for key, count in twice.items() if count > 1],
        "violations": env["partner.loyalty.program"]._check_invariants(),
    }


def report(steady, broken, weeks):
    """Print the story and what differs.

    :return: exit code
    """
    print("\n".join(steady["story"]))
    missing = steady["entries"] - broken["entries"]
    extra = broken["entries"] - steady["entries"]
    print(
        f"\n{sum(steady['entries'].values())} statement lines, {len(steady['tiers'])} tier decisions, "
        f"{len(steady['story'])} bonuses; the server was off in the weeks {sorted(weeks)}."
    )
    for sign, entries in (("-", missing), ("+", extra)):
        for key in list(entries)[:20]:
            print(sign, *key)
    problems = {
        "statement lines that differ": sum(missing.values()) + sum(extra.values()),
        "tier decisions that differ": len(set(steady["tiers"]) ^ set(broken["tiers"])),
        "bonuses given twice": len(steady["twice"]) + len(broken["twice"]),
        "invariants violated": len(steady["violations"]) + len(broken["violations"]),
    }
    for name, count in problems.items():
        print(f"{count} {name}")
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
