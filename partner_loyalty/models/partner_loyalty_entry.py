import json
from datetime import timedelta
from decimal import Decimal

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import ENTRY_TYPES, LEDGER_DIGITS, MEMBER, NO_PERIOD, RECOVERY_TYPES, STAFF_GROUPS

# Accounts whose lots one transaction takes off.
EXPIRY_BATCH = 5000

# What a source of entries has to select, with the types that a posting from Python is read with.
SOURCE_COLUMNS = {
    "account_id": "integer",
    "type": "varchar",
    "amount": "numeric",
    "rule_id": "integer",
    "origin_model": "varchar",
    "origin_id": "integer",
    "period_start": "date",
    "revision": "integer",
    "contribution_date": "date",
    "date": "date",
    "mature_date": "date",
    "expiry_date": "date",
    "idle_months": "integer",
    "reverses_id": "integer",
    "external_ref": "varchar",
    "explanation": "jsonb",
}

# Which unit and column of the ledger a column for one unit shows.
UNIT_COLUMNS = {
    "point_amount": ("point", "amount"),
    "money_amount": ("money", "amount"),
    "point_open": ("point", "amount_open"),
    "money_open": ("money", "amount_open"),
}


class PartnerLoyaltyEntry(models.Model):
    """A line of a member's statement. Appended by :meth:`_post`, never updated, never deleted.

    Positive entries are lots: debits consume them, the earliest expiry first. What a debit finds no lot for stays open
    as a debt that later lots pay first. ``amount_open`` is the part that is not allocated; over an account it adds up
    to the balance.

    The table holds no partner: a contact merge of Odoo must not rewrite it.
    """

    _name = "partner.loyalty.entry"
    _description = "Statement Line"
    _inherit = ["partner.loyalty.document.mixin", "partner.loyalty.explanation", "partner.loyalty.entry.portal"]
    _order = "id desc"
    _log_access = False
    _allow_sudo_commands = False
    _rec_name = "origin_name"

    # === FIELDS ===#

    account_id = fields.Many2one(
        comodel_name="partner.loyalty.account", required=True, ondelete="restrict", readonly=True
    )
    sequence = fields.Integer(
        string="No.", required=True, readonly=True, aggregator=None, help="Number of the line on its account, gapless."
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict", readonly=True
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, index=True, ondelete="restrict", readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit = fields.Selection(related="account_id.unit")
    member_id = fields.Many2one(related="account_id.member_id")
    partner_id = fields.Many2one(related="account_id.member_id.partner_id")
    type = fields.Selection(selection=ENTRY_TYPES, required=True, readonly=True)
    amount = fields.Float(digits=LEDGER_DIGITS, required=True, readonly=True, aggregator=None)
    amount_open = fields.Float(
        string="Open Amount",
        digits=LEDGER_DIGITS,
        required=True,
        readonly=True,
        aggregator=None,
        help="What is left of an earning, or what is still owed of a deduction.",
    )
    # The amounts once more with a column for each unit, so that no total of a view adds points to money.
    point_amount = fields.Float(string="Points", digits=(18, 2), compute="_compute_unit_amounts", aggregator="sum")
    money_amount = fields.Monetary(string="Money", compute="_compute_unit_amounts", aggregator="sum")
    point_open = fields.Float(string="Open Points", digits=(18, 2), compute="_compute_unit_amounts", aggregator="sum")
    money_open = fields.Monetary(string="Open Money", compute="_compute_unit_amounts", aggregator="sum")
    rule_id = fields.Many2one(comodel_name="partner.loyalty.rule", ondelete="restrict", readonly=True)
    origin_model = fields.Char(required=True, readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", required=True, readonly=True, aggregator=None)
    origin_name = fields.Char(string="Document", compute="_compute_origin_name")
    period_start = fields.Date(required=True, readonly=True)
    revision = fields.Integer(required=True, readonly=True, aggregator=None)
    contribution_date = fields.Date(
        string="Date of Sale", required=True, readonly=True, help="The day of the document that the line answers."
    )
    date = fields.Date(required=True, readonly=True, help="The day the line counts on the statement.")
    mature_date = fields.Date(string="Available from", required=True, readonly=True)
    expiry_date = fields.Date(string="Expires on", readonly=True)
    idle_months = fields.Integer(
        string="Expires after Months without Sales", readonly=True, aggregator=None, help="Counted from the last sale."
    )
    lock_date = fields.Date(
        string="Locked until", readonly=True, help="Up to which day the program was locked when the line was posted."
    )
    expires_on = fields.Date(
        compute="_compute_expires_on",
        search="_search_expires_on",
        help="The last day on which what is open can be spent; with sales it may move on.",
    )
    spending_ids = fields.One2many(
        comodel_name="partner.loyalty.allocation",
        inverse_name="credit_entry_id",
        string="Used by",
        groups=STAFF_GROUPS,
    )
    source_ids = fields.One2many(
        comodel_name="partner.loyalty.allocation",
        inverse_name="debit_entry_id",
        string="Taken from",
        groups=STAFF_GROUPS,
    )
    prior_period = fields.Boolean(
        required=True, readonly=True, help="The sale lies in a locked period; the line was posted after it."
    )
    reverses_id = fields.Many2one(
        comodel_name="partner.loyalty.entry", index="btree_not_null", ondelete="restrict", readonly=True
    )
    external_ref = fields.Char(string="External Reference", readonly=True)
    explanation = fields.Json(readonly=True)
    explanation_text = fields.Char(string="How it was worked out", compute="_compute_explanation_text")
    is_disputed = fields.Boolean(
        string="Disputed", compute="_compute_is_disputed", help="The member does not agree, and nobody has decided yet."
    )
    posted_at = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users", string="Posted by", required=True, ondelete="restrict", readonly=True
    )

    # === CONSTRAINTS ===#

    _account_sequence_unique = models.UniqueIndex("(account_id, sequence)")
    # A rule that is not set takes the place of a number, because NULL would defeat uniqueness.
    _key_unique = models.UniqueIndex(
        "(COALESCE(rule_id, 0), account_id, origin_model, origin_id, period_start, revision)"
    )
    _origin_idx = models.Index("(origin_id, origin_model)")
    _open_idx = models.Index("(account_id, mature_date) WHERE amount_open <> 0")
    _debt_idx = models.Index("(account_id) WHERE amount_open < 0")
    _expiry_idx = models.Index("(program_id, expiry_date) WHERE amount_open > 0 AND expiry_date IS NOT NULL")
    _idle_idx = models.Index("(program_id) WHERE amount_open > 0 AND idle_months IS NOT NULL")
    _external_ref_unique = models.UniqueIndex("(program_id, external_ref) WHERE external_ref IS NOT NULL")
    _amount_finite = models.Constraint("CHECK (amount <> 0 AND amount <> 'NaN' AND abs(amount) < 1000000000000)")
    _amount_open_within = models.Constraint(
        "CHECK (amount_open = 0 OR (sign(amount_open) = sign(amount) AND abs(amount_open) <= abs(amount)))"
    )

    # === SETUP ===#

    def init(self):
        stored = {name for name, field in self._fields.items() if field.store and field.column_type}
        columns = sorted(stored - {"amount_open"})
        self._install_guard(self._table, columns)

    @api.model
    def _install_guard(self, table, columns):
        """Make a table append-only in the database, too.

        :param str table: name of the table
        :param list columns: columns that never change; all where the list is empty
        """
        name = f"{table}_guard"
        of_columns = SQL(" OF %s", SQL(", ").join(map(SQL.identifier, columns))) if columns else SQL()
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION partner_loyalty_append_only() RETURNS trigger AS $$
                BEGIN
                    RAISE EXCEPTION 'The loyalty ledger is append-only: %% on %% refused, post a counter-entry.',
                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
                END $$ LANGUAGE plpgsql;
                DROP TRIGGER IF EXISTS %(update)s ON %(table)s;
                DROP TRIGGER IF EXISTS %(delete)s ON %(table)s;
                CREATE TRIGGER %(update)s BEFORE UPDATE%(of_columns)s ON %(table)s
                    FOR EACH ROW EXECUTE FUNCTION partner_loyalty_append_only();
                CREATE TRIGGER %(delete)s BEFORE DELETE OR TRUNCATE ON %(table)s
                    FOR EACH STATEMENT EXECUTE FUNCTION partner_loyalty_append_only();
                """,
                update=SQL.identifier(f"{name}_update"),
                delete=SQL.identifier(f"{name}_delete"),
                table=SQL.identifier(table),
                of_columns=of_columns,
            )
        )

    # === COMPUTE METHODS ===#

    @api.depends_context("lang")
    def _compute_origin_name(self):
        for model, entries in self.grouped("origin_model").items():
            # The name of a document on one's own statement may be read without access to the document.
            origins_sudo = self.env[model].sudo().browse(entries.mapped("origin_id")).exists()
            names = {origin.id: origin.display_name for origin in origins_sudo}
            for entry in entries:
                entry.origin_name = names.get(entry.origin_id) or self.env._("Deleted document")

    @api.depends("amount_open")
    def _compute_expires_on(self):
        days = {}
        for program, entries in self.grouped("program_id").items():
            query = self._get_lot_query(program, entries.account_id.ids)
            days.update(
                self.env.execute_query(
                    SQL("SELECT id, expiry_date FROM (%s) lot WHERE id = ANY(%s)", query, list(entries.ids))
                )
            )
        for entry in self:
            entry.expires_on = days.get(entry.id)

    def _search_expires_on(self, operator, value):
        programs = self._get_programs_with_lots()
        if operator not in ("<", "<=", ">", ">=") or not programs:
            return NotImplemented
        condition = SQL("lot.expiry_date %s %s", SQL(operator), value)  # pylint: disable=sql-injection
        lots = SQL(" UNION ALL ").join(self._get_lot_query(program) for program in programs)
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (SELECT lot.id FROM (%s) lot WHERE %s)", SQL.identifier(alias, "id"), lots, condition
            )
        )

    @api.depends("amount", "amount_open", "unit")
    def _compute_unit_amounts(self):
        for entry in self:
            for name, (unit, column) in UNIT_COLUMNS.items():
                entry[name] = entry[column] if entry.unit == unit else 0

    @api.depends_context("lang")
    def _compute_explanation_text(self):
        for entry in self:
            entry.explanation_text = entry._get_explanation_text()

    def _compute_is_disputed(self):
        # Whoever reads a line reads that it is disputed, and nothing else of the dispute.
        disputes_sudo = self.env["partner.loyalty.inquiry"].sudo()
        disputed_sudo = disputes_sudo.search([("entry_id", "in", self.ids), ("is_open", "=", True)]).entry_id
        for entry in self:
            entry.is_disputed = entry in disputed_sudo.with_env(self.env)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Read the columns of one unit in SQL, to sort by and sum them."""
        if field_expr not in UNIT_COLUMNS:
            return super()._field_to_sql(alias, field_expr, query)
        unit, column = UNIT_COLUMNS[field_expr]
        return SQL(
            "CASE WHEN %s = %s THEN %s ELSE 0 END",
            super()._field_to_sql(alias, "unit", query),
            unit,
            super()._field_to_sql(alias, column, query),
        )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(self._get_append_only_message())

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self._get_append_only_message())

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self._get_append_only_message())

    # === BUSINESS METHODS - POSTING ===#

    @api.model
    def _post(self, source, is_open=True):
        """Append entries to the ledger. This is the only way in.

        The accounts are updated before the entries are numbered: a second transaction at the same account gets a
        serialization failure and starts over. The lock date of the program is read with a lock of its own, for the
        same reason: an entry never lands in a period that is being closed. Nothing is dated before the first open
        day, matures before it is posted, or expires before it could be spent.

        New entries are open; the caller settles them, see ``partner.loyalty.allocation``.

        :param SQL source: a ``SELECT`` of the columns ``SOURCE_COLUMNS``; it may read the ledger
        :param bool is_open: False where the caller allocates all of each entry at once
        :return: ``(id, account_id, amount)`` of the new entries, ordered by id
        :rtype: list[tuple]
        """
        self.env.flush_all()
        rows = self.env.execute_query(self._get_posting_query(source, is_open))
        self._invalidate_ledger()
        rows = sorted((entry_id, account_id, Decimal(amount)) for entry_id, account_id, amount in rows)
        self.env["partner.loyalty.live"]._note([entry_id for entry_id, _account_id, _amount in rows])
        return rows

    @api.model
    def _get_posting_query(self, source, is_open):
        """Return the statement that updates the accounts and appends the entries; see :meth:`_post`."""
        return SQL(
            """
            WITH source AS MATERIALIZED (%s),
            account AS (
                UPDATE partner_loyalty_account account
                   SET balance = account.balance + change.amount, version = account.version + change.entries
                  FROM (SELECT account_id, SUM(amount) AS amount, COUNT(*) AS entries
                          FROM source GROUP BY account_id) change
                 WHERE account.id = change.account_id
             RETURNING account.id, account.program_id, account.company_id,
                       account.version - change.entries AS last_sequence
            ), program AS MATERIALIZED (
                SELECT id, lock_date FROM partner_loyalty_program
                 WHERE id IN (SELECT program_id FROM account) FOR SHARE
            )
            %s
            """,
            source,
            self._get_insert_query(is_open),
        )

    @api.model
    def _get_insert_query(self, is_open):
        """Return the statement that numbers and dates the entries of ``source`` and appends them; see :meth:`_post`."""
        stored = [name for name in SOURCE_COLUMNS if name not in ("date", "mature_date", "expiry_date")]
        return SQL(
            """
            INSERT INTO partner_loyalty_entry (
                   sequence, program_id, company_id, amount_open, user_id, posted_at, lock_date, prior_period,
                   date, mature_date, expiry_date, %(columns)s)
            SELECT account.last_sequence + row_number() OVER (
                       PARTITION BY source.account_id
                       ORDER BY day.date, source.contribution_date, source.origin_id, source.revision,
                                source.rule_id),
                   account.program_id, account.company_id, %(open)s, %(uid)s, now() AT TIME ZONE 'UTC',
                   program.lock_date, COALESCE(source.contribution_date <= program.lock_date, FALSE),
                   day.date, GREATEST(source.mature_date, day.date),
                   CASE WHEN source.expiry_date IS NOT NULL
                        THEN GREATEST(source.expiry_date, source.mature_date, day.date) END,
                   %(source_columns)s
              FROM source
              JOIN account ON account.id = source.account_id
              JOIN program ON program.id = account.program_id
        CROSS JOIN LATERAL (SELECT GREATEST(source.date, program.lock_date + 1) AS date) day
         RETURNING id, account_id, amount::text
            """,
            open=SQL("source.amount") if is_open else SQL("0"),
            columns=SQL(", ").join(SQL.identifier(name) for name in stored),
            source_columns=SQL(", ").join(SQL.identifier("source", name) for name in stored),
            uid=self.env.uid,
        )

    @api.model
    def _post_vals(self, vals_list):
        """Append single entries, with all of :meth:`_post`.

        :param list vals_list: dicts made by :meth:`_prepare_entry_vals`
        :rtype: recordset of ``partner.loyalty.entry``
        """
        types = SQL(", ").join(
            SQL("%s %s", SQL.identifier(name), SQL(column_type))  # pylint: disable=sql-injection
            for name, column_type in SOURCE_COLUMNS.items()
        )
        source = SQL(
            "SELECT * FROM jsonb_to_recordset(%s::jsonb) AS posting(%s)", json.dumps(vals_list, default=str), types
        )
        return self.browse([row[0] for row in self._post(source)])

    @api.model
    def _prepare_entry_vals(self, account, entry_type, amount, origin, **values):
        """Return the values of an entry that a person causes, for :meth:`_post_vals`.

        :param account: the ``partner.loyalty.account``
        :param str entry_type: one of ``ENTRY_TYPES``
        :param Decimal amount: negative for a debit, in the unit of the account
        :param origin: the record that causes the entry
        :param values: further columns of ``SOURCE_COLUMNS``
        :rtype: dict
        """
        day = account.program_id._get_today()
        return {
            "account_id": account.id,
            "type": entry_type,
            "amount": amount,
            "origin_model": origin._name,
            "origin_id": origin.id,
            "period_start": NO_PERIOD,
            "revision": 0,
            "contribution_date": day,
            "date": day,
            "mature_date": day,
            "explanation": {},
            **values,
        }

    # === BUSINESS METHODS - RETURNS ===#

    def _return(self, entry_type, origin, **values):
        """Take a debit back: what it consumed goes back to its lots.

        The counter-entry is closed at once against the debit, so that nothing but the old lots is open again, with
        their own maturity and expiry; what has expired by now expires at once.

        :param str entry_type: type of the counter-entry
        :param origin: the record that causes it
        :return: the counter-entry
        """
        self.ensure_one()
        vals = self._prepare_entry_vals(
            self.account_id,
            entry_type,
            -self._get_exact_amount(),
            origin,
            reverses_id=self.id,
            revision=self.revision + 1,
            **values,
        )
        entry = self._post_vals([vals])
        Allocation = self.env["partner.loyalty.allocation"]
        Allocation._give_back(
            SQL(
                """
                SELECT part.debit_entry_id AS debit_id, part.credit_entry_id AS lot_id, counter.id AS return_id,
                       SUM(part.amount) AS amount, counter.date
                  FROM partner_loyalty_allocation part
                  JOIN partner_loyalty_entry counter ON counter.id = %s
                 WHERE part.debit_entry_id = %s
              GROUP BY part.debit_entry_id, part.credit_entry_id, counter.id, counter.date
                HAVING SUM(part.amount) <> 0
                """,
                entry.id,
                self.id,
            )
        )
        self._expire(self.account_id.ids)
        Allocation._settle(self.account_id.ids)
        return entry

    # === BUSINESS METHODS - EXPIRY ===#

    @api.model
    def _cron_expire(self, batch_size=EXPIRY_BATCH):
        """Take off what has expired, program by program, committing each batch of accounts."""
        for program in self._get_programs_with_lots():
            while account_ids := self._get_accounts_to_expire(program, batch_size):
                try:
                    self._expire(account_ids)
                    if not self.env["ir.cron"]._commit_progress(len(account_ids), remaining=1):
                        return
                except psycopg2.extensions.TransactionRollbackError:
                    # Odoo does not retry cron code: start over with a smaller batch, that collides less.
                    self.env.cr.rollback()
                    if batch_size == 1:
                        raise
                    batch_size //= 2
        self.env["ir.cron"]._commit_progress(remaining=0)

    @api.model
    def _get_programs_with_lots(self):
        """Return the programs that may hold something: all that have members, archived ones as well."""
        programs = self.env["partner.loyalty.program"].with_context(active_test=False)
        return programs.search([("member_ids", "!=", False)])

    @api.model
    def _get_accounts_to_expire(self, program, limit):
        """Return ids of accounts that hold something expired, at most ``limit`` of them."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT account_id FROM (%s) lot ORDER BY account_id LIMIT %s",
                self._get_expired_query(program),
                limit,
            )
        )
        return [row[0] for row in rows]

    @api.model
    def _expire(self, account_ids):
        """Take off what has expired on accounts: one line for each account and day of expiry.

        The line is dated by the day after, however late this runs; it neither waits for a cron nor depends on it.

        :param account_ids: ids of accounts
        """
        account_ids = self._get_accounts_that_may_expire(account_ids)
        for program, accounts in self.env["partner.loyalty.account"].browse(account_ids).grouped("program_id").items():
            expired = self._get_expired_query(program, accounts.ids)
            # The lines are used up by the lots they take off: to open and to close them would write each twice.
            rows = self._post(self._get_expiry_source(expired), is_open=False)
            if rows:
                self.env["partner.loyalty.allocation"]._allocate_lots(
                    SQL(
                        """
                        SELECT debit.id AS debit_id, lot.id AS lot_id, lot.amount, debit.date
                          FROM (%s) lot
                          JOIN partner_loyalty_entry debit
                            ON debit.account_id = lot.account_id AND debit.period_start = lot.expiry_date
                         WHERE debit.id = ANY(%s)
                        """,
                        expired,
                        [row[0] for row in rows],
                    ),
                    of_closed=True,
                )

    @api.model
    def _get_accounts_that_may_expire(self, account_ids):
        """Return those of some accounts that hold a lot of a day gone by anywhere, or one that expires without sales.

        The others, which are nearly all of those that somebody spends from, need no closer look.

        :rtype: list[int]
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT account_id FROM partner_loyalty_entry
                    WHERE account_id = ANY(%s) AND amount_open > 0
                      AND (expiry_date < %s OR idle_months IS NOT NULL)
                 ORDER BY account_id""",
                list(account_ids),
                fields.Date.today() + timedelta(days=1),
            )
        )
        return [row[0] for row in rows]

    @api.model
    def _get_expiry_source(self, expired):
        """Return the entries that take off expired lots, as a source for :meth:`_post`.

        :param SQL expired: see :meth:`_get_expired_query`
        :rtype: SQL
        """
        return SQL(
            """
            SELECT lot.account_id, 'expiry' AS type, -SUM(lot.amount) AS amount, NULL::integer AS rule_id,
                   'partner.loyalty.member' AS origin_model, account.member_id AS origin_id,
                   lot.expiry_date AS period_start, %(revision)s AS revision,
                   lot.expiry_date + 1 AS contribution_date, lot.expiry_date + 1 AS date,
                   lot.expiry_date + 1 AS mature_date, NULL::date AS expiry_date, NULL::integer AS idle_months,
                   NULL::integer AS reverses_id, NULL::varchar AS external_ref, '{}'::jsonb AS explanation
              FROM (%(expired)s) lot
              JOIN partner_loyalty_account account ON account.id = lot.account_id
          GROUP BY lot.account_id, account.member_id, lot.expiry_date
            """,
            expired=expired,
            revision=self._get_next_revision(SQL("lot.account_id"), SQL("account.member_id"), SQL("lot.expiry_date")),
        )

    @api.model
    def _get_next_revision(self, account, member, period_start):
        """Return the next free number of the key of lines about a member and a day."""
        return SQL(
            """COALESCE((SELECT MAX(known.revision) + 1
                           FROM partner_loyalty_entry known
                          WHERE COALESCE(known.rule_id, 0) = 0 AND known.account_id = %s
                            AND known.origin_model = 'partner.loyalty.member' AND known.origin_id = %s
                            AND known.period_start = %s), 0)""",
            account,
            member,
            period_start,
        )

    @api.model
    def _get_expired_query(self, program, account_ids=None):
        """Return the lots of a program that have expired and are still open; columns of :meth:`_get_lot_query`."""
        return SQL(
            "SELECT * FROM (%s) lot WHERE lot.expiry_date < %s",
            self._get_lot_query(program, account_ids),
            program._get_today(),
        )

    @api.model
    def _get_lot_query(self, program, account_ids=None):
        """Return the open lots of a program, with the day on which each expires.

        A lot that expires after months without sales does so counted from the last sale that earned the member
        anything, in either unit; an adjustment or a bonus at the earliest counted from its own day.

        Columns: ``id, account_id, amount, date, mature_date, expiry_date``; the last day of validity, or NULL.

        :param program: the program
        :param account_ids: only these accounts
        :rtype: SQL
        """
        accounts = SQL("AND entry.account_id = ANY(%s)", list(account_ids)) if account_ids is not None else SQL()
        return SQL(
            """
            SELECT entry.id, entry.account_id, entry.amount_open AS amount, entry.date, entry.mature_date,
                   entry.expiry_date
              FROM partner_loyalty_entry entry
             WHERE entry.program_id = %(program)s AND entry.amount_open > 0 AND entry.idle_months IS NULL %(accounts)s
         UNION ALL
            SELECT entry.id, entry.account_id, entry.amount_open, entry.date, entry.mature_date,
                   GREATEST(entry.mature_date,
                            (GREATEST(COALESCE(activity.day, entry.contribution_date),
                                      CASE WHEN entry.type IN ('adjustment', 'bonus') THEN entry.contribution_date END)
                             + make_interval(months => entry.idle_months))::date)
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
         LEFT JOIN (%(activity)s) activity ON activity.root_id = member.root_id
             WHERE entry.program_id = %(program)s AND entry.amount_open > 0 AND entry.idle_months IS NOT NULL
                   %(accounts)s
            """,
            program=program.id,
            accounts=accounts,
            activity=self._get_activity_query(program, account_ids),
        )

    @api.model
    def _get_activity_query(self, program, account_ids=None):
        """Return by member when it last earned anything: ``(root_id, day)``, of members who hold idle lots."""
        accounts = SQL("AND lot.account_id = ANY(%s)", list(account_ids)) if account_ids is not None else SQL()
        return SQL(
            """
            SELECT member.root_id, MAX(earned.contribution_date) AS day
              FROM partner_loyalty_entry earned
              JOIN partner_loyalty_account account ON account.id = earned.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE earned.amount > 0 AND earned.type IN ('accrual', 'opening') AND member.root_id IN (
                   SELECT holder.root_id
                     FROM partner_loyalty_entry lot
                     JOIN partner_loyalty_account own ON own.id = lot.account_id
                     JOIN partner_loyalty_member holder ON holder.id = own.member_id
                    WHERE lot.program_id = %(program)s AND lot.amount_open > 0 AND lot.idle_months IS NOT NULL
                          %(accounts)s)
          GROUP BY member.root_id
            """,
            program=program.id,
            accounts=accounts,
        )

    @api.model
    def _give_back_expired(self, account_ids):
        """Give back what had expired of earnings that are taken back now, as far as they still owe it.

        :param account_ids: ids of accounts
        :return: whether anything was given back
        :rtype: bool
        """
        rows = []
        for program, accounts in self.env["partner.loyalty.account"].browse(account_ids).grouped("program_id").items():
            rows += self._post(self._get_give_back_source(accounts.ids, program._get_today()))
        if rows:
            self.env["partner.loyalty.allocation"]._give_back(
                SQL(
                    """
                    SELECT counter.reverses_id AS debit_id, (counter.explanation->>'lot')::integer AS lot_id,
                           counter.id AS return_id, counter.amount, counter.date
                      FROM partner_loyalty_entry counter WHERE counter.id = ANY(%s)
                    """,
                    [row[0] for row in rows],
                )
            )
        return bool(rows)

    @api.model
    def _get_give_back_source(self, account_ids, day):
        """Return a counter-entry for each expired part of a lot whose document is taken back.

        :param account_ids: ids of accounts of one program
        :param date day: the day of the entries
        :rtype: SQL
        """
        return SQL(
            """
            SELECT debit.account_id, 'expiry_return' AS type, piece.back AS amount, NULL::integer AS rule_id,
                   debit.origin_model, debit.origin_id, debit.period_start,
                   %(revision)s + row_number() OVER (PARTITION BY debit.account_id, debit.period_start
                                                     ORDER BY piece.lot_id, piece.debit_id) - 1 AS revision,
                   %(day)s AS contribution_date, %(day)s AS date, %(day)s AS mature_date,
                   NULL::date AS expiry_date, NULL::integer AS idle_months, debit.id AS reverses_id,
                   NULL::varchar AS external_ref, jsonb_build_object('lot', piece.lot_id) AS explanation
              FROM (%(pieces)s) piece
              JOIN partner_loyalty_entry debit ON debit.id = piece.debit_id
             WHERE piece.back > 0
            """,
            pieces=self._get_expired_pieces_query(account_ids),
            revision=self._get_next_revision(
                SQL("debit.account_id"), SQL("debit.origin_id"), SQL("debit.period_start")
            ),
            day=SQL("%s::date", day),
        )

    @api.model
    def _get_expired_pieces_query(self, account_ids):
        """Return what had expired of the lots of deductions that are still owed: ``(debit_id, lot_id, back)``.

        ``back`` is how much of it has to be given back, lot by lot, until nothing is owed.

        :rtype: SQL
        """
        return SQL(
            """
            WITH owed AS (
                SELECT account_id, COALESCE(rule_id, 0) AS rule, origin_model, origin_id,
                       CASE WHEN origin_model = %(member)s THEN period_start END AS period_start,
                       SUM(-amount_open) AS amount
                  FROM partner_loyalty_entry
                 WHERE amount_open < 0 AND type IN %(types)s AND account_id = ANY(%(accounts)s)
              GROUP BY 1, 2, 3, 4, 5
            ), expired AS (
                SELECT owed.account_id, owed.rule, owed.origin_model, owed.origin_id, owed.period_start,
                       owed.amount AS owed, debit.id AS debit_id, lot.id AS lot_id, SUM(part.amount) AS amount
                  FROM owed
                  JOIN partner_loyalty_entry lot
                    ON lot.account_id = owed.account_id AND COALESCE(lot.rule_id, 0) = owed.rule
                   AND lot.origin_model = owed.origin_model AND lot.origin_id = owed.origin_id AND lot.amount > 0
                   AND COALESCE(owed.period_start, lot.period_start) = lot.period_start
                  JOIN partner_loyalty_allocation part ON part.credit_entry_id = lot.id
                  JOIN partner_loyalty_entry debit ON debit.id = part.debit_entry_id AND debit.type = 'expiry'
              GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
                HAVING SUM(part.amount) > 0
            )
            SELECT debit_id, lot_id, LEAST(amount, owed + amount - SUM(amount) OVER (
                       PARTITION BY account_id, rule, origin_model, origin_id, period_start
                           ORDER BY lot_id, debit_id)) AS back
              FROM expired
            """,
            member=MEMBER,
            types=RECOVERY_TYPES,
            accounts=list(account_ids),
        )

    def _get_exact_amount(self):
        """Return the amount as a Decimal, as the ledger holds it."""
        self.ensure_one()
        query = SQL("SELECT amount::text FROM partner_loyalty_entry WHERE id = %s", self.id)
        return Decimal(self.env.execute_query(query)[0][0])

    @api.model
    def _invalidate_ledger(self):
        """Forget what the cache holds of the ledger and may have changed; SQL has changed it."""
        self.env["partner.loyalty.account"].invalidate_model(["balance", "version", "available"])
        self.invalidate_model(["amount_open", "point_open", "money_open", "expires_on", "spending_ids", "source_ids"])
        self.env["partner.loyalty.member"].invalidate_model(
            ["point_balance", "money_balance", "point_available", "money_available", "entry_count"]
        )

    # === GETTERS ===#

    @api.model
    def _get_append_only_message(self):
        return self.env._(
            "Statement lines are written by the program alone and never changed. "
            "To correct one, correct its document, or ask for an adjustment."
        )
