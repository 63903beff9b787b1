"""Payouts of all members: drafted from the lots that have matured, and billed.

Beside the drafts stands one statement written by hand, into a table with the same keys and indexes; beside the bills
as many vendor bills that Odoo makes of the same values, all at once.
"""

from odoo.fields import Command
from odoo.tools import SQL

from . import data, databases
from .clock import best
from .row import compare_seconds

# Lots of money on each account, some of which have not matured yet.
LOTS = 10
# Odoo takes tens of milliseconds for a bill.
BILLS = 100
MISSED = (
    "the preview reads every account with its member and says for each why it is paid or not, in the language of the "
    "user; the drafts themselves are one statement. It would take to say nothing about who is not paid."
)
MISSED_BILLS = "each bill is linked to its payout, which is written once more. It would take bills that know no payout."

RAW = """
    INSERT INTO bench.payout (name, member_id, program_id, partner_id, company_id, date, amount, decision, state,
                              prepared_by_id, create_uid, create_date, write_uid, write_date)
    SELECT 'BENCH/' || account.id, account.member_id, account.program_id, member.partner_id, account.company_id,
           %(today)s, lot.amount, 'draft', 'draft', 1, 1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM (SELECT account_id, SUM(amount_open) AS amount FROM partner_loyalty_entry
             WHERE program_id = %(program)s AND amount_open > 0 AND mature_date <= %(today)s
          GROUP BY account_id) lot
      JOIN partner_loyalty_account account ON account.id = lot.account_id AND account.unit = 'money'
      JOIN partner_loyalty_member member ON member.id = account.member_id
     WHERE lot.amount > 0
"""


def measure(bench):
    """Prepare payouts for all members, and bill some of them.

    :rtype: list[Row]
    """
    with bench.copy(name="payouts") as database:
        with databases.environment(database) as env:
            program = data.find_program(env)
            _earn(env, program)
            env.cr.execute("CREATE SCHEMA IF NOT EXISTS bench")
            data.copy_table(env, "partner_loyalty_payout", "payout")
            data.vacuum(env)
        with databases.environment(database) as env:
            return [_measure_drafts(env, data.find_program(env)), _measure_bills(env, data.find_program(env))]


def _earn(env, program):
    """Put lots of money on each account; the last one of each matures next month."""
    env["partner.loyalty.entry"]._post(
        SQL(
            """
            SELECT account.id AS account_id, 'accrual' AS type, number + 0.25 AS amount, NULL::integer AS rule_id,
                   'res.partner' AS origin_model, number AS origin_id, '1900-01-01'::date AS period_start,
                   0 AS revision,
                   CURRENT_DATE - 30 AS contribution_date, CURRENT_DATE - 30 AS date,
                   CASE WHEN number < %(lots)s THEN CURRENT_DATE - 1 ELSE CURRENT_DATE + 30 END AS mature_date,
                   NULL::date AS expiry_date, NULL::integer AS idle_months, NULL::integer AS reverses_id,
                   NULL::varchar AS external_ref, '{}'::jsonb AS explanation
              FROM partner_loyalty_account account, generate_series(1, %(lots)s) AS number
             WHERE account.program_id = %(program)s AND account.unit = 'money'
            """,
            lots=LOTS,
            program=program.id,
        )
    )


def _prepare(env, program):
    """Prepare payouts as the dialog does."""
    wizard = env["partner.loyalty.payout.prepare"].create({"program_id": program.id, "date": program._get_today()})
    wizard.action_prepare()


def _measure_drafts(env, program):
    values = {"program": program.id, "today": program._get_today()}
    with env.cr.savepoint() as savepoint:
        _prepare(env, program)
        env.cr.execute(RAW, values)
        query = "SELECT COUNT(*), SUM(amount), SUM(amount * member_id) FROM {}"
        own, other = (
            env.execute_query(SQL(query.format(table))) for table in ("partner_loyalty_payout", "bench.payout")
        )
        if own != other or own[0][0] != len(program.member_ids):
            raise AssertionError(f"The payouts differ: {own} and {other}.")
        savepoint.rollback()
    env.invalidate_all()
    return compare_seconds(
        f"preparing payouts for {len(program.member_ids):,} members, each with {LOTS} lots, and saying who gets less",
        best(env, lambda: _prepare(env, program)),
        best(env, lambda: env.cr.execute(RAW, values)),
        3,
        missed=MISSED,
    )


def _measure_bills(env, program):
    """Bill approved payouts together, and make as many bills of the same values without payouts."""
    journal = env["account.journal"].search(
        [("type", "=", "purchase"), ("company_id", "=", program.company_id.id)], limit=1
    )
    product = env["product.product"].create(
        {"name": "Commission", "type": "service", "supplier_taxes_id": [Command.clear()]}
    )
    program.write({"payout_journal_id": journal.id, "payout_product_id": product.id})
    members = program.member_ids[:BILLS]
    payouts = env["partner.loyalty.payout"]._draft(program, program._get_today(), dict.fromkeys(members.ids, 10))
    for payout in payouts:
        payout._set_decision("approved", **payout._prepare_bill_terms())
    vals_list = [{**payout._prepare_bill_vals(), "loyalty_payout_id": False} for payout in payouts]
    return compare_seconds(
        f"bills of {len(payouts)} payouts, against as many bills without payouts",
        best(env, payouts._create_bills),
        best(env, lambda: env["account.move"].create(vals_list)),
        1.5,
        missed=MISSED_BILLS,
    )
