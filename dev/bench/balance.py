"""What it takes to open a member and the list of members, with few lines on the statement and with very many.

Three kinds of members: one with a hundred lines, all of them open; one with a million, that spent all but the last
hundred; one with a million that spent nothing. The first one is also read where the program has nobody else's lines.
"""

import time
from contextlib import contextmanager

from lxml import etree

from odoo.fields import Command

from . import data
from .databases import environment
from .row import Row
from .shop import Shop

FEW, MANY = 100, 1_000_000
ROUNDS = 25
TARGET = 1.2
MEMBERS = 80
READER = "partner_loyalty.partner_loyalty_group_officer"
QUERIES = "queries more"
MISSED = "something is added up line by line: look for the query that takes long."

ENTRIES = """
    INSERT INTO partner_loyalty_entry (
           account_id, sequence, program_id, company_id, type, amount, amount_open, rule_id, origin_model, origin_id,
           period_start, revision, contribution_date, date, mature_date, expiry_date, prior_period, explanation,
           posted_at, user_id)
    SELECT account.id, number, account.program_id, account.company_id,
           CASE sign WHEN 1 THEN 'accrual' ELSE 'payout' END, 10 * sign, CASE WHEN is_open THEN 10 ELSE 0 END, rule.id,
           'account.move', number, '1900-01-01', 0, day, day, day, day + 3000, FALSE, '{"base": "100", "rate": "10"}',
           now() AT TIME ZONE 'UTC', 1
      FROM partner_loyalty_account account
      JOIN partner_loyalty_rule rule ON rule.program_id = account.program_id,
           generate_series(1, %(lines)s) AS number,
           LATERAL (SELECT number > %(lines)s - %(open)s AS is_open,
                           CURRENT_DATE - ((%(lines)s - number)::bigint * 1000 / %(lines)s)::integer AS day) line,
           LATERAL (SELECT CASE WHEN is_open OR number %% 2 = 1 THEN 1 ELSE -1 END AS sign) direction
     WHERE account.id = %(account)s
"""
ALLOCATIONS = """
    INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount, date)
    SELECT debit.id, credit.id, 10, debit.date
      FROM partner_loyalty_entry debit
      JOIN partner_loyalty_entry credit
        ON credit.account_id = debit.account_id AND credit.sequence = debit.sequence - 1
     WHERE debit.account_id = %(account)s AND debit.amount < 0
"""
BALANCE = "UPDATE partner_loyalty_account SET balance = 10 * %(open)s, version = %(lines)s WHERE id = %(account)s"


def measure(bench):
    """Read members and their list by turns, where there are few lines and where there are many.

    :rtype: list[Row]
    """
    many = max(MANY * bench.lines // 1_000_000, 10 * FEW)
    with bench.copy_empty("few") as few_database, bench.copy_empty("many") as many_database:
        few = _Reader(few_database, {"few": (FEW, FEW)})
        full = _Reader(many_database, {"few": (FEW, FEW), "spent": (many, FEW), "open": (many, many)})
        reads = {
            "few": few.read_form("few"),
            "list": few.read_list(),
            "few among many": full.read_form("few"),
            "spent": full.read_form("spent"),
            "open": full.read_form("open"),
            "long list": full.read_list(),
        }
        for _round in range(ROUNDS):
            for read in reads.values():
                read.measure()
    works = [
        (f"a member with {FEW} lines, in a program with {2 * many:,}", "few among many", "few"),
        (f"a member with {many:,} lines, {FEW} of them open", "spent", "few"),
        (f"a member with {many:,} lines, all of them open", "open", "few"),
        (f"the list of members of a program with {2 * many:,} lines", "long list", "list"),
    ]
    return [row for work, name, reference in works for row in _get_rows(work, reads[name], reads[reference])]


def _get_rows(work, read, reference):
    """Return the rows of queries and time of something that is read."""
    ours, theirs = min(read.seconds), min(reference.seconds)
    texts = (f"{seconds * 1000:.1f} ms" for seconds in (ours, theirs))
    return [
        Row(
            work,
            f"{read.queries} queries",
            f"{reference.queries} queries",
            read.queries - reference.queries,
            0,
            QUERIES,
        ),
        Row(work, *texts, ours / theirs, TARGET, missed=MISSED),
    ]


class _Reader:
    """An officer who opens members, as the web client does.

    :param str database: name of the database
    :param dict statements: lines of a statement, and how many of the last ones are open, by the name of the member
    """

    def __init__(self, database, statements):
        self.database, self.statements = database, statements
        self.shop = Shop(database, rules=1, customers=MEMBERS)
        with environment(database) as env:
            program = env["partner.loyalty.program"].browse(self.shop.program_id)
            self.member_ids = dict(zip(statements, program.member_ids.ids, strict=False))
            user = {"name": "Officer", "login": "officer", "group_ids": [Command.link(env.ref(READER).id)]}
            self.user_id = env["res.users"].create(user).id
            with data.bare_table(env, "partner_loyalty_entry"), data.bare_table(env, "partner_loyalty_allocation"):
                for name, lines in statements.items():
                    _write_statement(env, env["partner.loyalty.member"].browse(self.member_ids[name]), *lines)
            data.vacuum(env)

    @contextmanager
    def _work(self):
        with environment(self.database, self.user_id, {"lang": "en_US"}) as env:
            yield env["partner.loyalty.member"]

    def read_form(self, name):
        """Return what opens a member; what the form says is checked."""
        with self._work() as members:
            fields = _get_specification(members, etree.fromstring(members.get_view(view_type="form")["arch"]))
        read = _Read(self._work, lambda members: members.browse(self.member_ids[name]).web_read(fields))
        lines, still_open = self.statements[name]
        (values,) = read.measure()
        expected = {"entry_count": lines, "money_balance": 10 * still_open, "money_available": 10 * still_open}
        if values | expected != values:
            raise AssertionError(f"The member has {values['entry_count']} lines and {values['money_balance']}.")
        return read

    def read_list(self):
        """Return what opens the list of the members."""
        with self._work() as members:
            fields = _get_specification(members, etree.fromstring(members.get_view(view_type="list")["arch"]))
        domain = [("program_id", "=", self.shop.program_id)]
        return _Read(self._work, lambda members: members.web_search_read(domain, fields, limit=MEMBERS))


class _Read:
    """Something that is read again and again, each time in a transaction of its own.

    :param work: gives the model in a transaction
    :param read: called with the model
    """

    def __init__(self, work, read):
        self.work, self.read = work, read
        self.queries, self.seconds = 0, []
        self.measure()
        self.seconds.clear()

    def measure(self):
        """Read once; return what was read."""
        with self.work() as model:
            before, start = model.env.cr.sql_log_count, time.perf_counter()
            values = self.read(model)
            self.seconds.append(time.perf_counter() - start)
            self.queries = model.env.cr.sql_log_count - before
        return values


def _get_specification(model, node):
    """Return the fields that the web client asks for to show a view.

    :param node: element of the view
    :rtype: dict
    """
    specification = {}
    for child in node:
        field = model._fields.get(child.get("name")) if child.tag == "field" else None
        if not field:
            specification |= _get_specification(model, child)
        elif field.relational:
            fields = _get_specification(model.env[field.comodel_name], child) or {"display_name": {}}
            specification[field.name] = {"fields": fields, **({} if field.type == "many2one" else {"limit": 40})}
        else:
            specification[field.name] = {}
    return specification


def _write_statement(env, member, lines, still_open):
    """Write the statement of a member: it earned and spent by turns, and then earned what is open.

    :param int lines: number of lines
    :param int still_open: how many of the last ones are open
    """
    account = member._get_account("money")
    values = {"account": account.id, "lines": lines, "open": still_open}
    # Without statistics PostgreSQL looks for the line before each line in a way that takes hours.
    for query in (ENTRIES, "ANALYZE partner_loyalty_entry", ALLOCATIONS, BALANCE):
        env.cr.execute(query, values)
    env.invalidate_all()
