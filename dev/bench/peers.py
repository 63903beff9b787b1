"""What other apps of the kind take: OCA's commission and Odoo's own loyalty, measured as ours is.

The modules of OCA are downloaded from the Python package index, as anybody would; where that is not possible, the table
says so.
"""

import subprocess
import sys
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from odoo.fields import Command, Date
from odoo.tools import config

import odoo.addons

from . import data, databases
from .clock import best
from .row import Row
from .sales import Sales
from .shop import Shop

MODULES = ("commission_oca", "account_commission_oca", "sale_commission_oca")
LINES, AGENTS, ROUNDS = 5000, 7, 10
PROGRAMS = {"loyalty": 1, "loyalties": 100}
STEPS = {"confirm": "confirming an order", "invoice": "creating and posting its invoice"}
NAMES = {
    "commission": "OCA commission",
    "loyalty": "Odoo's loyalty with a program",
    "loyalties": "Odoo's loyalty with 100 programs",
}

AGENT_LINES = """
    INSERT INTO account_invoice_line_agent (
           object_id, agent_id, commission_id, invoice_id, company_id, invoice_date, amount, settled,
           create_uid, create_date, write_uid, write_date)
    SELECT line.id, (%(agents)s::integer[])[1 + move.id %% %(count)s], %(commission)s, move.id, line.company_id,
           move.invoice_date, ROUND(line.price_subtotal * 0.05, 2), FALSE, 1, now(), 1, now()
      FROM account_move_line line JOIN account_move move ON move.id = line.move_id
     WHERE line.display_type = 'product'
"""
SETTLE = """
    WITH line AS MATERIALIZED (
        SELECT agent.*, item.currency_id, date_trunc('month', agent.invoice_date)::date AS month
          FROM account_invoice_line_agent agent
          JOIN account_move_line item ON item.id = agent.object_id
          JOIN account_move move ON move.id = agent.invoice_id AND move.state = 'posted'
         WHERE NOT agent.settled AND agent.invoice_date < date_trunc('month', CURRENT_DATE)
    ), settlement AS (
        INSERT INTO commission_settlement (
               agent_id, currency_id, company_id, settlement_type, state, date_from, date_to, can_edit, total,
               create_uid, create_date, write_uid, write_date)
        SELECT agent_id, currency_id, company_id, 'sale_invoice', 'settled', month,
               (month + interval '1 month')::date - 1, FALSE, SUM(amount), 1, now(), 1, now()
          FROM line GROUP BY agent_id, currency_id, company_id, month
     RETURNING id, agent_id, currency_id, company_id, date_from
    ), settled AS (
        UPDATE account_invoice_line_agent agent SET settled = TRUE FROM line WHERE line.id = agent.id
    )
    INSERT INTO commission_settlement_line (
           settlement_id, agent_id, currency_id, commission_id, company_id, date, settled_amount,
           invoice_agent_line_id, invoice_line_id, create_uid, create_date, write_uid, write_date)
    SELECT settlement.id, line.agent_id, line.currency_id, line.commission_id, line.company_id, line.invoice_date,
           line.amount, line.id, line.object_id, 1, now(), 1, now()
      FROM line
      JOIN settlement ON settlement.agent_id = line.agent_id AND settlement.currency_id = line.currency_id
       AND settlement.company_id = line.company_id AND settlement.date_from = line.month
"""


def measure(bench):
    """Sell and settle with the other apps.

    :rtype: list[Row]
    """
    with ExitStack() as stack:
        shops = {"plain": Shop(stack.enter_context(bench.copy_empty("plain", plain=True)))}
        addons = stack.enter_context(_download())
        rows = []
        if addons:
            database = stack.enter_context(_install(bench, "commission", ",".join(MODULES), addons))
            shops["commission"] = _make_commission_shop(database)
            rows.append(_measure_settlement(database))
        else:
            rows.append(Row("OCA commission, whose modules could not be downloaded", "", "", 0, None))
        for label, count in PROGRAMS.items():
            database = stack.enter_context(_install(bench, label, "sale_loyalty"))
            shops[label] = _make_loyalty_shop(database, count)
        sales = Sales(shops)
        sales.run(ROUNDS)
    compared = [(label, "confirm") for label in shops if label != "plain"]
    if addons:
        compared.append(("commission", "invoice"))
    return rows + [
        compare(f"{NAMES[label]}: {STEPS[step]}", step, label, "plain")
        for label, step in compared
        for compare in (sales.compare_queries, sales.compare_time)
    ]


@contextmanager
def _download():
    """Fetch the modules of OCA; gives the folder they are in, or None."""
    packages = [f"odoo-addon-{name.replace('_', '-')}==19.*" for name in MODULES]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-qqq", "--no-deps", "-d", folder, *packages]
        if subprocess.run(command, check=False).returncode:
            yield None
            return
        for file in Path(folder).glob("*.whl"):
            zipfile.ZipFile(file).extractall(folder)
        addons = str(Path(folder) / "odoo/addons")
        odoo.addons.__path__.append(addons)
        yield addons


@contextmanager
def _install(bench, label, modules, *addons):
    """Give a database with modules of others."""
    with bench.copy_empty(label, plain=True) as database:
        databases.install(
            bench.config, database, modules, f"--addons-path={','.join([*config['addons_path'], *addons])}"
        )
        yield database


def _make_commission_shop(database):
    """Return a shop whose customer was brought by an agent."""
    shop = Shop(database)
    with databases.environment(database) as env:
        commission = env["commission"].create({"name": "5 %", "commission_type": "fixed", "fix_qty": 5})
        terms = {"agent": True, "commission_id": commission.id, "settlement": "monthly"}
        agents = env["res.partner"].create([{"name": f"Agent {number}", **terms} for number in range(AGENTS)])
        env["res.partner"].browse(shop.partner_ids).commission_agent_ids = agents[0]
    return shop


def _make_loyalty_shop(database, programs):
    """Return a shop with so many programs that give points for what is bought."""
    shop = Shop(database)
    with databases.environment(database) as env:
        env["loyalty.program"].search([]).active = False
        vals = {
            "program_type": "loyalty",
            "applies_on": "both",
            "trigger": "auto",
            "rule_ids": [Command.create({"reward_point_mode": "money", "reward_point_amount": 1})],
            "reward_ids": [Command.create({"required_points": 1_000_000, "discount": 5})],
        }
        env["loyalty.program"].create([{"name": f"Program {number}", **vals} for number in range(programs)])
    return shop


def _measure_settlement(database):
    """Return the row of settling what agents are owed, against the same by one statement."""
    with databases.environment(database) as env:
        agents = env["res.partner"].search([("agent", "=", True)])
        customers = env["res.partner"].create([{"name": f"Customer {number}"} for number in range(AGENTS)])
        data.make_invoices(env, LINES // data.LINES_PER_INVOICE, customers.ids)
        values = {"agents": agents.ids, "count": len(agents), "commission": agents[0].commission_id.id}
        env.cr.execute(AGENT_LINES, values)
        data.vacuum(env)
        env.invalidate_all()
        settled = []
        seconds = best(env, lambda: settled.append(_settle(env, agents)), repeats=2)
        raw = best(env, lambda: settled.append(_settle_by_hand(env)), repeats=2)
    if len(set(settled)) != 1:
        raise AssertionError(f"Settled otherwise: {settled}")
    work = f"{NAMES['commission']}: settling {settled[0][0]:,} lines"
    return Row(work, f"{seconds:.2f} s", f"{raw:.2f} s", seconds / raw, None)


def _settle(env, agents):
    vals = {"date_to": Date.today(), "settlement_type": "sale_invoice", "agent_ids": [Command.set(agents.ids)]}
    env["commission.make.settle"].create(vals).action_settle()
    env.flush_all()
    return _get_settled(env)


def _settle_by_hand(env):
    env.cr.execute(SETTLE)
    return _get_settled(env)


def _get_settled(env):
    """Return how many lines were settled, and their sum."""
    env.cr.execute("SELECT COUNT(*), ROUND(SUM(settled_amount::numeric), 2)::text FROM commission_settlement_line")
    return env.cr.fetchone()
