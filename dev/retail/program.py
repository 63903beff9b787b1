"""The program *Retail dealers*: who is in it, by what rules, and its application to the loaded past.

A program stands for one state of loading. Decisions on tiers are never taken back, so when more documents come, the
program of before is archived and another is made for all of them. Its rules are in :mod:`.rules`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from kit import say

from odoo.fields import Command

from . import company, rules

XMLID = "program"
NAME = "Retail dealers"
TIERS = [("Dealer", 0, 2), ("Silver dealer", 5000, 3), ("Gold dealer", 20000, 4)]
MONTHS_TO_JOIN = 3
FILLED_TABLES = (
    "account_move",
    "account_move_line",
    "res_partner",
    "partner_loyalty_member",
    "partner_loyalty_member_period",
    "partner_loyalty_account",
    "partner_loyalty_tier_period",
)


@dataclass
class Figures:
    """What the ledger of a program holds."""

    members: int
    contributions: int
    entries: int
    points: Decimal
    money: Decimal


# ---------------------------------------------------------------------------------------------------------------------
# PROGRAM AND MEMBERS
# ---------------------------------------------------------------------------------------------------------------------


def retire(session, books):
    """Archive the program of before, because more documents come: it ends with the last day that it knew."""
    session.run(lambda env: _retire(env, books, "More documents come"), books.company)


def _retire(env, books, reason):
    """Archive the program and its promotion, if there is one, and forget them."""
    program = company.find(env, XMLID)
    if not program:
        return
    last_day = max(day for _customer, day, _amount in _documents(env, books))
    program.date_to = last_day
    program.action_close()
    program.write({"name": f"{NAME} to {last_day}", "active": False})
    for campaign in program.rule_ids.campaign_id:
        campaign.title = f"{campaign.title}, to {last_day}"
    names = [XMLID, *map(rules.xmlid, rules.NAMES)]
    env["ir.model.data"].search([("module", "=", company.MODULE), ("name", "in", names)]).unlink()
    say.note(f"{reason}: the program of before is archived as '{program.name}'.")


def prepare(session, books):
    """Make the program with its members, or find it again.

    :return: the id of the program
    """
    program_id = session.run(lambda env: _find_or_create(env, books).id, books.company)
    session.analyze(*FILLED_TABLES)
    return program_id


def _find_or_create(env, books):
    """Return the program; one that lacks rules, because an older loader made it, is replaced."""
    program = company.find(env, XMLID)
    if program and not all(company.find(env, rules.xmlid(name)) for name in rules.NAMES):
        _retire(env, books, "It lacks rules")
        program = None
    return program or _create(env, books)


def _create(env, books):
    """Create the program and enroll its members; it is a draft until the preview was shown."""
    documents = _documents(env, books)
    days = [day for _customer, day, _amount in documents]
    program = env["partner.loyalty.program"].create(_program_vals(books, min(days), max(days)))
    rules.create(env, program, [rate for _name, _threshold, rate in TIERS], min(days))
    dates = joining_days(documents)
    program._enroll({partner: dates[partner.id] for partner in env["res.partner"].browse(dates)})
    company.remember(env, XMLID, program)
    return program


def _program_vals(books, first_day, last_day):
    """Return the values of the program: it covers the months of the documents.

    Without an end, its tiers would be decided for every month since, on sales that the file does not have.
    """
    return {
        "name": NAME,
        "company_id": books.company,
        "date_from": first_day.replace(day=1),
        "date_to": last_day + relativedelta(day=31),
        "tz": "Europe/London",
        "point_digits": 2,
        "maturity_days": 0,
        "tier_kind": "invoice",
        "tier_role": "buyer",
        "tier_ids": [Command.create({"name": name, "threshold": threshold}) for name, threshold, _rate in TIERS],
    }


def _documents(env, books):
    """Return the customer's contact, day and amount of every loaded document."""
    env.cr.execute(
        """SELECT partner_id, invoice_date, amount_untaxed_signed
             FROM account_move
            WHERE journal_id = %s AND state = 'posted' AND ref IS NOT NULL AND reversed_entry_id IS NULL""",
        [books.journal],
    )
    return env.cr.fetchall()


def joining_days(documents):
    """Return who is a member, from the day of the first positive invoice.

    Members have one in three calendar months, or in one where fewer than three months are loaded.

    :param list documents: customer, day and amount of each
    :rtype: dict
    """
    loaded_months = {(day.year, day.month) for _customer, day, _amount in documents}
    enough = MONTHS_TO_JOIN if len(loaded_months) >= MONTHS_TO_JOIN else 1
    months, first = {}, {}
    for customer, day, amount in documents:
        if amount > 0:
            months.setdefault(customer, set()).add((day.year, day.month))
            first[customer] = min(first.get(customer, date.max), day)
    return {customer: first[customer] for customer in sorted(months) if len(months[customer]) >= enough}


# ---------------------------------------------------------------------------------------------------------------------
# THE PAST
# ---------------------------------------------------------------------------------------------------------------------


def preview(session, books, program_id):
    """Return what applying the program to the past would post."""
    return session.run(lambda env: _apply(env, program_id, dry_run=True), books.company)


def apply(session, books, program_id):
    """Start the program and apply it to the past; what another transaction hindered is tried again."""
    session.run(lambda env: _start(env, program_id), books.company)
    session.run(lambda env: _apply(env, program_id, commit=True), books.company)


def _apply(env, program_id, **how):
    """Call the app."""
    return env["partner.loyalty.program"].browse(program_id)._apply_to_past(**how)


def _start(env, program_id):
    """Start the program unless an earlier run did."""
    program = env["partner.loyalty.program"].browse(program_id)
    if program.state == "draft":
        program.action_start()


FIGURES = """
    SELECT (SELECT count(*) FROM partner_loyalty_member WHERE program_id = %(program)s),
           count(*),
           COALESCE(sum(entry.amount) FILTER (WHERE account.unit = 'point'), 0)::text,
           COALESCE(sum(entry.amount) FILTER (WHERE account.unit = 'money'), 0)::text
      FROM partner_loyalty_entry entry
      JOIN partner_loyalty_account account ON account.id = entry.account_id
     WHERE entry.program_id = %(program)s
"""


def figures(session, books, program_id):
    """Return what the ledger holds.

    :rtype: Figures
    """
    with session.env(books.company) as env:
        env.cr.execute(FIGURES, {"program": program_id})
        members, entries, points, money = env.cr.fetchone()
        program = env["partner.loyalty.program"].browse(program_id)
        query = program._get_contribution_query("invoice", "buyer", program.date_from, None, date_field="rate_date")
        [(contributions,)] = env.execute_query(query.select("count(*)"))
    return Figures(members, contributions, entries, Decimal(points), Decimal(money))
