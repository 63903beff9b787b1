import json
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ..const import ENTRY_TYPES, LEDGER_DIGITS, NO_PERIOD

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
    "prior_period": "boolean",
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
    prior_period = fields.Boolean(
        required=True, readonly=True, help="The sale lies in a locked period; the line was posted after it."
    )
    reverses_id = fields.Many2one(
        comodel_name="partner.loyalty.entry", index="btree_not_null", ondelete="restrict", readonly=True
    )
    external_ref = fields.Char(string="External Reference", readonly=True)
    explanation = fields.Json(readonly=True)
    explanation_text = fields.Char(string="How it was worked out", compute="_compute_explanation_text")
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
    _open_idx = models.Index("(account_id) WHERE amount_open <> 0")
    _debt_idx = models.Index("(account_id) WHERE amount_open < 0")
    _external_ref_unique = models.UniqueIndex("(program_id, external_ref) WHERE external_ref IS NOT NULL")
    _amount_finite = models.Constraint("CHECK (amount <> 0 AND amount <> 'NaN' AND abs(amount) < 1000000000000)")
    _amount_open_within = models.Constraint(
        "CHECK (amount_open = 0 OR (sign(amount_open) = sign(amount) AND abs(amount_open) <= abs(amount)))"
    )

    # === SETUP ===#

    def init(self):
        columns = [name for name, field in self._fields.items() if field.store and name != "amount_open"]
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

    def _compute_origin_name(self):
        for model, entries in self.grouped("origin_model").items():
            # The name of a document on one's own statement may be read without access to the document.
            origins_sudo = self.env[model].sudo().browse(entries.mapped("origin_id")).exists()
            names = {origin.id: origin.display_name for origin in origins_sudo}
            for entry in entries:
                entry.origin_name = names.get(entry.origin_id) or self.env._("Deleted document")

    @api.depends("amount", "amount_open", "unit")
    def _compute_unit_amounts(self):
        for entry in self:
            for name, (unit, column) in UNIT_COLUMNS.items():
                entry[name] = entry[column] if entry.unit == unit else 0

    def _compute_explanation_text(self):
        for entry in self:
            entry.explanation_text = entry._get_explanation_text()

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

    # === ACTION METHODS ===#

    def action_open_origin(self):
        """Open the document that the line answers."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.origin_model,
            "res_id": self.origin_id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS - POSTING ===#

    @api.model
    def _post(self, source):
        """Append entries to the ledger. This is the only way in.

        The accounts are updated before the entries are numbered: a second transaction at the same account gets a
        serialization failure and starts over. New lots then pay open debts, and new debits consume lots.

        :param SQL source: a ``SELECT`` of the columns ``SOURCE_COLUMNS``; it may read the ledger
        :return: ``(id, account_id, amount)`` of the new entries, ordered by id
        :rtype: list[tuple]
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                WITH source AS MATERIALIZED (%(source)s),
                account AS (
                    UPDATE partner_loyalty_account account
                       SET balance = account.balance + change.amount, version = account.version + change.entries
                      FROM (SELECT account_id, SUM(amount) AS amount, COUNT(*) AS entries
                              FROM source GROUP BY account_id) change
                     WHERE account.id = change.account_id
                 RETURNING account.id, account.program_id, account.company_id,
                           account.version - change.entries AS last_sequence
                )
                INSERT INTO partner_loyalty_entry (
                       sequence, program_id, company_id, amount_open, user_id, posted_at, %(columns)s)
                SELECT account.last_sequence + row_number() OVER (
                           PARTITION BY source.account_id
                           ORDER BY source.date, source.contribution_date, source.origin_id, source.revision),
                       account.program_id, account.company_id, source.amount, %(uid)s, now() AT TIME ZONE 'UTC',
                       %(source_columns)s
                  FROM source
                  JOIN account ON account.id = source.account_id
             RETURNING id, account_id, amount
                """,
                source=source,
                columns=SQL(", ").join(SQL.identifier(name) for name in SOURCE_COLUMNS),
                source_columns=SQL(", ").join(SQL.identifier("source", name) for name in SOURCE_COLUMNS),
                uid=self.env.uid,
            )
        )
        self._invalidate_ledger()
        return sorted(rows)

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
        program = account.program_id
        day = max(program._get_today(), program._get_first_open_day() or NO_PERIOD)
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
            "prior_period": False,
            "explanation": {},
            **values,
        }

    # === BUSINESS METHODS - ALLOCATION ===#

    @api.model
    def _settle(self, account_ids, mature_by=None):
        """Allocate open debits of accounts to their open credits.

        A deduction takes from the earning of its own document first. The rest is taken from the lots that expire
        first, the oldest debt first.

        :param account_ids: ids of accounts
        :param date mature_by: take only from lots that have matured by then, as a spend has to
        """
        for partition in (SQL("account_id, COALESCE(rule_id, 0), origin_model, origin_id"), SQL("account_id")):
            indebted = self._get_indebted(account_ids)
            if indebted:
                self._settle_by(indebted, mature_by, partition)
                self._invalidate_ledger()

    @api.model
    def _settle_by(self, account_ids, mature_by, partition):
        """Allocate within each partition: debits and credits are laid end to end, and where they overlap they meet."""
        self.env.execute_query(
            SQL(
                """
                WITH open_entry AS MATERIALIZED (
                    SELECT id, amount_open, expiry_date, mature_date, sequence,
                           dense_rank() OVER (ORDER BY %(partition)s) AS grp
                      FROM partner_loyalty_entry
                     WHERE account_id = ANY(%(accounts)s) AND amount_open <> 0
                ), debit AS (
                    SELECT id, grp, -amount_open AS amount,
                           SUM(-amount_open) OVER (PARTITION BY grp ORDER BY sequence, id) AS upto
                      FROM open_entry WHERE amount_open < 0
                ), credit AS (
                    SELECT id, grp, amount_open AS amount,
                           SUM(amount_open) OVER (
                               PARTITION BY grp
                               ORDER BY expiry_date NULLS LAST, mature_date, sequence, id) AS upto
                      FROM open_entry WHERE amount_open > 0 AND %(is_mature)s
                ), allocation AS (
                    INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount)
                    SELECT debit.id, credit.id,
                           LEAST(debit.upto, credit.upto)
                           - GREATEST(debit.upto - debit.amount, credit.upto - credit.amount)
                      FROM debit
                      JOIN credit ON credit.grp = debit.grp
                       AND debit.upto > credit.upto - credit.amount AND credit.upto > debit.upto - debit.amount
                 RETURNING debit_entry_id, credit_entry_id, amount
                )
                UPDATE partner_loyalty_entry entry
                   SET amount_open = entry.amount_open + change.amount
                  FROM (SELECT id, SUM(amount) AS amount
                          FROM (SELECT debit_entry_id AS id, amount FROM allocation
                                 UNION ALL SELECT credit_entry_id, -amount FROM allocation) part
                      GROUP BY id) change
                 WHERE entry.id = change.id
                """,
                partition=partition,
                accounts=list(account_ids),
                is_mature=SQL("mature_date <= %s", mature_by) if mature_by else SQL("TRUE"),
            )
        )

    @api.model
    def _get_indebted(self, account_ids):
        """Return those of the accounts that have an open debit."""
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT account_id FROM partner_loyalty_entry WHERE amount_open < 0 AND account_id = ANY(%s)",
                list(account_ids),
            )
        )
        return [row[0] for row in rows]

    def _return(self, entry_type, origin, **values):
        """Take a debit back: what it consumed goes back to its lots.

        The counter-entry is closed at once against the debit, so that nothing but the old lots is open again, with
        their own maturity and expiry.

        :param str entry_type: type of the counter-entry
        :param origin: the record that causes it
        :return: the counter-entry
        """
        self.ensure_one()
        entry = self._post_vals(
            [
                self._prepare_entry_vals(
                    self.account_id,
                    entry_type,
                    -self._get_exact_amount(),
                    origin,
                    reverses_id=self.id,
                    revision=self.revision + 1,
                    **values,
                )
            ]
        )
        self.env.execute_query(
            SQL(
                """
                WITH given_back AS (
                    INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount)
                    SELECT debit_entry_id, credit_entry_id, -SUM(amount)
                      FROM partner_loyalty_allocation WHERE debit_entry_id = %(debit)s
                  GROUP BY debit_entry_id, credit_entry_id HAVING SUM(amount) <> 0
                 RETURNING credit_entry_id, -amount AS amount
                ), closed AS (
                    INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount)
                    SELECT %(debit)s, %(credit)s, amount FROM partner_loyalty_entry WHERE id = %(credit)s
                 RETURNING credit_entry_id, -amount AS amount
                )
                UPDATE partner_loyalty_entry entry
                   SET amount_open = entry.amount_open + change.amount
                  FROM (SELECT * FROM given_back UNION ALL SELECT * FROM closed) change
                 WHERE entry.id = change.credit_entry_id
                """,
                debit=self.id,
                credit=entry.id,
            )
        )
        self._settle(self.account_id.ids)
        return entry

    def _get_exact_amount(self):
        """Return the amount as a Decimal, as the ledger holds it."""
        self.ensure_one()
        return self.env.execute_query(SQL("SELECT amount FROM partner_loyalty_entry WHERE id = %s", self.id))[0][0]

    @api.model
    def _invalidate_ledger(self):
        """Forget what the cache holds of the ledger; SQL has changed it."""
        for model in ("partner.loyalty.account", "partner.loyalty.entry", "partner.loyalty.allocation"):
            self.env[model].invalidate_model()
        self.env["partner.loyalty.member"].invalidate_model(
            ["point_balance", "money_balance", "point_available", "money_available", "entry_count"]
        )

    # === GETTERS ===#

    def _get_explanation_text(self):
        """Return in words how the amount came about, in the language of the reader.

        :rtype: str
        """
        self.ensure_one()
        facts = self.explanation or {}
        if "base" not in facts:
            return facts.get("reason") or ""
        parts = [self._get_formula_text(facts)]
        if facts.get("tier"):
            parts.append(self.env._("tier %s", self.env["partner.loyalty.tier"].browse(facts["tier_id"]).name))
        parts.append(self.rule_id.name)
        if Decimal(facts["posted"]):
            parts.append(
                self.env._(
                    "%(target)s in all, of which %(posted)s had been posted",
                    target=self._format_amount(facts["target"]),
                    posted=self._format_amount(facts["posted"]),
                )
            )
        return "; ".join(parts)

    def _get_formula_text(self, facts):
        """Return the formula with its figures.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        if facts.get("gone"):
            return self.env._("The document does not count any more")
        terms = {"rate": self._format_number(facts["rate"]), "base": self._format_money(facts["base"])}
        if facts["formula"] == "percent":
            return self.env._("%(rate)s %% of %(base)s", **terms)
        if facts["formula"] == "fixed":
            return self.env._("%(rate)s for a document of %(base)s", **terms)
        return self.env._(
            "%(rate)s for each %(step)s of %(base)s", **terms, step=self._format_money(facts.get("step") or 1)
        )

    def _format_amount(self, amount):
        """Return an amount in the unit of the account, as the reader writes it."""
        if self.unit == "money":
            return self._format_money(amount)
        return self.env._("Points: %s", self._format_number(amount))

    def _format_money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)

    def _format_number(self, number):
        """Return a number without the zeros at its end."""
        digits = max(0, -Decimal(number).normalize().as_tuple().exponent)
        return formatLang(self.env, float(number), digits=digits)

    @api.model
    def _get_append_only_message(self):
        return self.env._(
            "Statement lines are written by the program alone and never changed. "
            "To correct one, correct its document, or ask for an adjustment."
        )

    @api.model
    def _get_violations(self):
        """Return a sentence for each invariant of the ledger that does not hold.

        :rtype: list[str]
        """
        self.env.flush_all()
        violations = []
        for name, query in self._get_invariant_queries().items():
            rows = self.env.execute_query(query)
            if rows:
                examples = ", ".join(str(row[0]) for row in rows[:5])
                violations.append(
                    self.env._(
                        "%(invariant)s: %(count)s violations, such as %(examples)s.",
                        invariant=name,
                        count=len(rows),
                        examples=examples,
                    )
                )
        return violations

    @api.model
    def _get_invariant_queries(self):
        """Return by invariant the query that selects the ids of what violates it.

        :rtype: dict[str, SQL]
        """
        return {
            self.env._("A balance is the sum of its lines, and of what is open on them"): SQL(
                """SELECT account.id FROM partner_loyalty_account account
                LEFT JOIN partner_loyalty_entry entry ON entry.account_id = account.id
                 GROUP BY account.id
                   HAVING account.balance <> COALESCE(SUM(entry.amount), 0)
                       OR account.balance <> COALESCE(SUM(entry.amount_open), 0)"""
            ),
            self.env._("The lines of an account are numbered without gap"): SQL(
                """SELECT account.id FROM partner_loyalty_account account
                LEFT JOIN partner_loyalty_entry entry ON entry.account_id = account.id
                 GROUP BY account.id
                   HAVING account.version <> COUNT(entry.id) OR account.version <> COALESCE(MAX(entry.sequence), 0)
                       OR MIN(entry.sequence) <> 1"""
            ),
            self.env._("What is open of a line is what has not been allocated"): SQL(
                """SELECT entry.id FROM partner_loyalty_entry entry
                LEFT JOIN LATERAL (SELECT SUM(amount) AS amount FROM partner_loyalty_allocation
                                    WHERE debit_entry_id = entry.id OR credit_entry_id = entry.id) part ON TRUE
                    WHERE abs(entry.amount) - COALESCE(part.amount, 0) <> abs(entry.amount_open)"""
            ),
            self.env._("No earning is open beside a debt"): SQL(
                """SELECT account_id FROM partner_loyalty_entry WHERE amount_open <> 0
                 GROUP BY account_id HAVING MIN(amount_open) < 0 AND MAX(amount_open) > 0"""
            ),
            self.env._("A line is in the company of its member and program"): SQL(
                """SELECT entry.id FROM partner_loyalty_entry entry
                     JOIN partner_loyalty_account account ON account.id = entry.account_id
                     JOIN partner_loyalty_member member ON member.id = account.member_id
                     JOIN partner_loyalty_program program ON program.id = entry.program_id
                    WHERE entry.company_id <> program.company_id OR entry.company_id <> account.company_id
                       OR entry.program_id <> account.program_id OR entry.program_id <> member.program_id"""
            ),
            self.env._("A line replays to its amount"): SQL(
                """SELECT id FROM partner_loyalty_entry
                    WHERE explanation ? 'target'
                      AND (explanation->>'target')::numeric - (explanation->>'posted')::numeric <> amount"""
            ),
            self.env._("A payout is the sum of its lines"): SQL(
                """SELECT payout.id FROM partner_loyalty_payout payout
                LEFT JOIN partner_loyalty_entry entry
                       ON entry.origin_model = 'partner.loyalty.payout' AND entry.origin_id = payout.id
                 GROUP BY payout.id
                   HAVING COALESCE(SUM(entry.amount), 0)
                          <> CASE WHEN payout.decision IN ('submitted', 'approved') THEN -payout.amount ELSE 0 END"""
            ),
            self.env._("Tier periods of a member follow each other without gap or overlap"): SQL(
                """SELECT member_id FROM (
                        SELECT member_id, date_to,
                               lead(date_from) OVER (PARTITION BY member_id ORDER BY date_from) AS next_from
                          FROM partner_loyalty_tier_period) period
                    WHERE next_from IS NOT NULL AND date_to IS DISTINCT FROM next_from - 1"""
            ),
        }
