"""Sales to measure with: one real document of each kind, made by Odoo, and multiplied by SQL.

So thousands of documents look like those that Odoo makes, in a minute rather than a night.
"""

from contextlib import contextmanager

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL, split_every

PROGRAM = "Bench"
LINES_PER_INVOICE = 10

# Invoices are dated over so many days that end today, and are so many times as large as the first one.
DAYS = 1095
SIZES = 7

# Turnover that the tiers ask for; the highest one asks for so many invoices as well.
THRESHOLDS = (0, 20_000, 40_000)
INVOICES = 3

# What is said of each product: its name, price and category.
PRODUCTS = [(f"Panel {number}", 50 + 9.99 * number, f"Category {number % 5}") for number in range(LINES_PER_INVOICE)]

# What grows with an invoice.
GROWING_COLUMNS = {
    "account_move": [
        "amount_untaxed",
        "amount_total",
        "amount_residual",
        "amount_untaxed_signed",
        "amount_untaxed_in_currency_signed",
        "amount_total_signed",
        "amount_total_in_currency_signed",
        "amount_residual_signed",
    ],
    "account_move_line": [
        "quantity",
        "debit",
        "credit",
        "balance",
        "amount_currency",
        "amount_residual",
        "amount_residual_currency",
        "price_subtotal",
        "price_total",
    ],
}


def make_company(env):
    """Give the company a chart of accounts, so that it can invoice."""
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
    return company


def make_program(env):
    """Start a program that gives points for invoices."""
    company = make_company(env)
    program = env["partner.loyalty.program"].create(
        {
            "name": PROGRAM,
            "company_id": company.id,
            "date_from": "2020-01-01",
            "rule_ids": [
                Command.create(
                    {
                        "name": "A point for each 10",
                        "kind": "invoice",
                        "role": "buyer",
                        "unit": "point",
                        "formula": "per_amount",
                        "rate": 1,
                        "step_amount": 10,
                    }
                )
            ],
        }
    )
    _make_tiers(env, program)
    program.action_start()
    return program


def find_program(env):
    """Return the program that :func:`make_program` made.

    :rtype: recordset of ``partner.loyalty.program``
    """
    return env["partner.loyalty.program"].search([("name", "=", PROGRAM)])


def _make_tiers(env, program):
    """Give a program tiers that turnover decides, and the number of invoices for the highest."""
    metric = env["partner.loyalty.metric"].create(
        {"name": "Invoices", "source": "contribution", "kind": "invoice", "role": "buyer", "aggregate": "count"}
    )
    program.tier_ids = [
        Command.create({"name": f"Tier {number}", "threshold": threshold})
        for number, threshold in enumerate(THRESHOLDS, start=1)
    ]
    program._get_tiers()[-1].criterion_ids = [Command.create({"metric_id": metric.id, "minimum": INVOICES})]


def make_members(env, program, count):
    """Enroll partners who have all been customers for long.

    :return: ids of the partners
    :rtype: list[int]
    """
    partner = env["res.partner"].create({"name": "Dealer 0", "is_company": True})
    env.flush_all()
    copies = multiply(
        env,
        "res_partner",
        partner.id,
        count - 1,
        {
            "name": SQL("'Dealer ' || number"),
            "complete_name": SQL("'Dealer ' || number"),
            "commercial_partner_id": SQL("copy_id"),
        },
    )
    partner_ids = [partner.id, *copies]
    env.invalidate_all()
    for chunk in split_every(1000, partner_ids):
        program._enroll(dict.fromkeys(env["res.partner"].browse(chunk), program.date_from))
        env.flush_all()
        env.invalidate_all()
    with bare_table(env, "partner_loyalty_tier_period"):
        _make_tier_history(env, program)
    return partner_ids


def _make_tier_history(env, program):
    """Let each member have been given a tier each month, over all days of the invoices; none is due to be decided."""
    columns = [column for column in _get_columns(env, "partner_loyalty_tier_period") if column != "id"]
    day = SQL("(date_trunc('month', %s::date) - make_interval(months => number))::date", program._get_today())
    months = DAYS // 30 + 1
    values = {
        "tier_id": SQL("(%s::integer[])[1 + (period.member_id + number) %% 3]", program._get_tiers().ids),
        "cause": "evaluation",
        "date_from": day,
        "date_to": SQL("CASE WHEN number > 0 THEN (%s + interval '1 month')::date - 1 END", day),
        "evaluation_date": SQL("%s - 1", day),
    }
    env.cr.execute(
        SQL(
            """WITH history AS (
                   INSERT INTO partner_loyalty_tier_period (%(columns)s)
                   SELECT %(values)s FROM partner_loyalty_tier_period period, generate_series(0, %(months)s) AS number
               )
               UPDATE partner_loyalty_tier_period SET date_to = %(first)s""",
            columns=SQL(", ").join(map(SQL.identifier, columns)),
            values=SQL(", ").join(
                SQL("%s", values[column]) if column in values else SQL.identifier("period", column)
                for column in columns
            ),
            months=months,
            first=program._get_today().replace(day=1) - relativedelta(months=months, days=1),
        )
    )


def make_invoices(env, count, partner_ids=None):
    """Post invoices of ten lines, evenly over the partners and the days, some of them larger than others.

    :param int count: number of invoices
    :param partner_ids: ids of the customers; all members by default
    :return: ids of the invoices
    :rtype: list[int]
    """
    partner_ids = partner_ids or env["partner.loyalty.member"].search([], order="id").partner_id.ids
    invoice = _make_invoice(env, partner_ids[0])
    day = SQL("(CURRENT_DATE - (number * 7919 %% %s)::integer)", DAYS)
    partner = SQL("(%s::integer[])[1 + number %% %s]", partner_ids, len(partner_ids))
    copies = multiply(
        env,
        "account_move",
        invoice.id,
        count - 1,
        {
            "name": SQL("'BENCH/' || number"),
            "sequence_prefix": "BENCH/",
            "sequence_number": SQL("number"),
            "partner_id": partner,
            "commercial_partner_id": partner,
            "partner_shipping_id": partner,
            "date": day,
            "invoice_date": day,
            "invoice_date_due": day,
            "payment_reference": None,
            "access_token": None,
            **{
                column: SQL("%s * (1 + number %% %s)", SQL.identifier("original", column), SIZES)
                for column in GROWING_COLUMNS["account_move"]
            },
        },
    )
    with bare_table(env, "account_move_line"):
        _copy_lines(env, invoice, copies)
    return [invoice.id, *copies]


def _make_invoice(env, partner_id):
    """Post the invoice that the others are copies of."""
    invoice = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": partner_id,
            "invoice_date": fields.Date.today(),
            "invoice_line_ids": [
                Command.create(
                    {"product_id": product.id, "quantity": 1, "price_unit": product.list_price, "tax_ids": []}
                )
                for product in _make_products(env)
            ],
        }
    )
    invoice.action_post()
    env.flush_all()
    return invoice


def _make_products(env):
    """Make a product for each line of an invoice.

    :rtype: recordset of ``product.product``
    """
    names = sorted({category for _name, _price, category in PRODUCTS})
    categories = dict(zip(names, env["product.category"].create([{"name": name} for name in names]), strict=True))
    return env["product.product"].create(
        [
            {"name": name, "list_price": price, "categ_id": categories[category].id, "taxes_id": [Command.clear()]}
            for name, price, category in PRODUCTS
        ]
    )


def vacuum(env):
    """Let PostgreSQL know how much there is now, as it does by itself within minutes; commits."""
    env.flush_all()
    env.cr.commit()
    connection = env.cr._cnx
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.autocommit = False


def copy_table(env, table, name, with_rows=False):
    """Make a table in the schema ``bench`` with the columns, indexes, checks and foreign keys of one of the app.

    :param str table: the table of the app
    :param str name: name of the copy
    :param bool with_rows: copy its rows as well
    """
    env.cr.execute(f"CREATE TABLE bench.{name} (LIKE {table} INCLUDING ALL)")
    if with_rows:
        env.cr.execute(f"INSERT INTO bench.{name} SELECT * FROM {table}")
    for _key, definition in _get_foreign_keys(env, table):
        env.cr.execute(f"ALTER TABLE bench.{name} ADD {definition}")


def multiply(env, table, record_id, count, values):
    """Copy a row many times.

    :param str table: name of the table
    :param int record_id: id of the row
    :param int count: number of copies
    :param dict values: what differs, by column: SQL over ``number`` (from 1) and ``copy_id``, or a value
    :return: ids of the copies
    :rtype: list[int]
    """
    name = SQL.identifier(table)
    columns = [column for column in _get_columns(env, table) if column != "id"]
    ((first,),) = env.execute_query(SQL("SELECT MAX(id) + 1 FROM %s", name))
    env.cr.execute(
        SQL(
            """INSERT INTO %(table)s (id, %(columns)s)
               SELECT copy_id, %(values)s
                 FROM %(table)s AS original,
                      LATERAL (SELECT number, %(first)s + number - 1 AS copy_id
                                 FROM generate_series(1, %(count)s) AS number) AS copy
                WHERE original.id = %(original)s""",
            table=name,
            columns=SQL(", ").join(map(SQL.identifier, columns)),
            values=SQL(", ").join(
                SQL("%s", values[column]) if column in values else SQL.identifier("original", column)
                for column in columns
            ),
            first=first,
            count=count,
            original=record_id,
        )
    )
    _move_sequence(env, table)
    return list(range(first, first + count))


def _copy_lines(env, invoice, copies):
    """Give each copy of an invoice its lines, as large as it is."""
    columns = [column for column in _get_columns(env, "account_move_line") if column != "id"]
    from_move = {"move_id": "id", "partner_id": "partner_id", "date": "date", "invoice_date": "invoice_date"}
    from_move |= {"move_name": "name"}
    values = {column: SQL.identifier("move", source) for column, source in from_move.items()}
    values["date_maturity"] = SQL("CASE WHEN line.display_type = 'payment_term' THEN move.date END")
    size = SQL("(1 + move.sequence_number %% %s)", SIZES)
    for column in GROWING_COLUMNS["account_move_line"]:
        values[column] = SQL("%s * %s", SQL.identifier("line", column), size)
    env.cr.execute(
        SQL(
            """INSERT INTO account_move_line (%(columns)s)
               SELECT %(values)s FROM account_move move, account_move_line line
                WHERE line.move_id = %(original)s AND move.id BETWEEN %(first)s AND %(last)s""",
            columns=SQL(", ").join(map(SQL.identifier, columns)),
            values=SQL(", ").join(values.get(column) or SQL.identifier("line", column) for column in columns),
            original=invoice.id,
            first=copies[0],
            last=copies[-1],
        )
    )


@contextmanager
def bare_table(env, table):
    """Take foreign keys and indexes off a table meanwhile, which is so much faster for a million rows."""
    keys = _get_foreign_keys(env, table)
    indexes = env.execute_query(
        SQL(
            """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
                WHERE indrelid = %s::regclass
                  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)""",
            table,
        )
    )
    for name, _definition in keys:
        env.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(name)))
    for name, _definition in indexes:
        env.cr.execute(SQL("DROP INDEX %s", SQL.identifier(name)))
    yield
    # What PostgreSQL says of them is what it reads.
    for _name, definition in indexes:
        env.cr.execute(definition)
    for name, definition in keys:
        env.cr.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')


def _get_foreign_keys(env, table):
    """Return name and definition of each foreign key of a table."""
    return env.execute_query(
        SQL(
            """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE conrelid = %s::regclass AND contype = 'f'""",
            table,
        )
    )


def _get_columns(env, table):
    rows = env.execute_query(
        SQL(
            """SELECT column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
             ORDER BY ordinal_position""",
            table,
        )
    )
    return [name for (name,) in rows]


def _move_sequence(env, table):
    """Let the next row that Odoo makes follow those that were copied."""
    env.cr.execute(
        SQL("SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT MAX(id) FROM %s))", table, SQL.identifier(table))
    )
