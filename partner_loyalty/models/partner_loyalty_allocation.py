from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import DEBT_TYPES, LEDGER_DIGITS, MEMBER

# Columns of an entry that say which document it is about, and by which rule; what a member earned for a period is
# about that one. A debt that was moved here from another member is about none: it is paid as any other, and not by what
# was moved along with it.
OWN_DOCUMENT = SQL(
    "entry.account_id, COALESCE(entry.rule_id, 0), entry.origin_model, entry.origin_id,"
    " CASE WHEN entry.origin_model = %s THEN entry.period_start END, entry.type = 'transfer' AND entry.amount < 0",
    MEMBER,
)


class PartnerLoyaltyAllocation(models.Model):
    """How much of a debit came out of which credit; appended by the ledger, never changed.

    A negative amount gives back: where a debit is returned, its lots are open again.
    """

    _name = "partner.loyalty.allocation"
    _description = "Loyalty Allocation"
    _order = "id"
    _log_access = False
    _allow_sudo_commands = False

    # === FIELDS ===#

    debit_entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        string="Spent by",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
    )
    credit_entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        string="Taken from",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
    )
    company_id = fields.Many2one(related="credit_entry_id.company_id")
    date = fields.Date(
        required=True, readonly=True, help="From this day on it counts: both lines are on the statement by then."
    )
    amount = fields.Float(digits=LEDGER_DIGITS, required=True, readonly=True)

    # === SETUP ===#

    def init(self):
        self.env["partner.loyalty.entry"]._install_guard(self._table, [])

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(self.env["partner.loyalty.entry"]._get_append_only_message())

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env["partner.loyalty.entry"]._get_append_only_message())

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env["partner.loyalty.entry"]._get_append_only_message())

    # === BUSINESS METHODS - DEBTS ===#

    @api.model
    def _settle(self, account_ids):
        """Let the debts of accounts take from what is open.

        A deduction takes from the earning of its own document first; what of that has expired is given back before,
        so that nobody owes what they never used. The rest is taken from the lots that expire first, the oldest debt
        first: all of a lot, or the highest share of it that the program recovers.

        :param account_ids: ids of accounts
        """
        Entry = self.env["partner.loyalty.entry"]
        self._settle_own(account_ids)
        indebted = self._get_indebted(account_ids)
        if not indebted:
            return
        Entry._expire(indebted)
        if Entry._give_back_expired(indebted):
            self._settle_own(indebted)
        self._allocate(indebted, SQL("entry.account_id"), capacity=self._get_recoverable())

    @api.model
    def _settle_own(self, account_ids):
        """Let deductions take from the earnings of their own documents."""
        indebted = self._get_indebted(account_ids)
        if indebted:
            self._allocate(indebted, OWN_DOCUMENT)

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

    @api.model
    def _get_recoverable(self):
        """Return how much of an open lot debts may take: of money, up to the program's share of the whole lot."""
        return SQL(
            """CASE WHEN program.recovery_share < 100 AND account.unit = 'money' THEN
                   LEAST(entry.amount_open, GREATEST(0,
                       ROUND(entry.amount * program.recovery_share / 100, currency.decimal_places)
                       - COALESCE((SELECT SUM(taken.amount)
                                     FROM partner_loyalty_allocation taken
                                     JOIN partner_loyalty_entry debt ON debt.id = taken.debit_entry_id
                                    WHERE taken.credit_entry_id = entry.id AND debt.type IN %s), 0)))
               ELSE entry.amount_open END""",
            DEBT_TYPES,
        )

    # === BUSINESS METHODS - SPENDING ===#

    @api.model
    def _consume(self, entries, mature_by=None, for_payout=False):
        """Let debits take from what is open: what expires first, first; the oldest debit of an account first.

        :param entries: open debits
        :param date mature_by: take only from lots that have matured by then; from all by default
        :param bool for_payout: leave out what the member disputes
        """
        held = self.env["partner.loyalty.inquiry"]._get_held_query()
        self.env["partner.loyalty.entry"]._expire(entries.account_id.ids)
        self._allocate(
            entries.account_id.ids,
            SQL("entry.account_id"),
            debit=SQL("id = ANY(%s)", list(entries.ids)),
            credit=SQL(
                "%s AND %s",
                SQL("mature_date <= %s", mature_by) if mature_by else SQL("TRUE"),
                SQL("id NOT IN (%s)", held) if for_payout else SQL("TRUE"),
            ),
        )

    @api.model
    def _allocate(self, account_ids, partition, capacity=None, debit=None, credit=None):
        """Allocate within each partition: debits and credits are laid end to end, and where they overlap they meet.

        :param account_ids: ids of accounts
        :param SQL partition: expressions over ``entry``; only what agrees in all of them meets
        :param SQL capacity: how much of a credit may be taken; what is open by default
        :param SQL debit: condition on the debits
        :param SQL credit: condition on the credits
        """
        self._allocate_lots(
            SQL(
                """
                WITH open_entry AS MATERIALIZED (%(open_entries)s),
                debit AS (
                    SELECT id, grp, date, -amount_open AS amount,
                           SUM(-amount_open) OVER (PARTITION BY grp ORDER BY sequence, id) AS upto
                      FROM open_entry WHERE amount_open < 0 AND %(debit)s
                ), credit AS (
                    SELECT id, grp, date, first_open_day, capacity AS amount,
                           SUM(capacity) OVER (
                               PARTITION BY grp
                               ORDER BY expiry_date NULLS LAST, mature_date, sequence, id) AS upto
                      FROM open_entry WHERE capacity > 0 AND %(credit)s
                )
                SELECT debit.id AS debit_id, credit.id AS lot_id,
                       LEAST(debit.upto, credit.upto)
                       - GREATEST(debit.upto - debit.amount, credit.upto - credit.amount) AS amount,
                       GREATEST(debit.date, credit.date, credit.first_open_day) AS date
                  FROM debit
                  JOIN credit ON credit.grp = debit.grp
                   AND debit.upto > credit.upto - credit.amount AND credit.upto > debit.upto - debit.amount
                """,
                open_entries=self._get_open_query(account_ids, partition, capacity or SQL("entry.amount_open")),
                debit=debit or SQL("TRUE"),
                credit=credit or SQL("TRUE"),
            )
        )

    @api.model
    def _get_open_query(self, account_ids, partition, capacity):
        """Return what is open on accounts, with the group of each entry (``grp``) and what may be taken of a credit."""
        return SQL(
            """
            SELECT entry.id, entry.amount_open, entry.date, entry.expiry_date, entry.mature_date, entry.sequence,
                   program.lock_date + 1 AS first_open_day,
                   CASE WHEN entry.amount_open > 0 THEN %(capacity)s END AS capacity,
                   dense_rank() OVER (ORDER BY %(partition)s) AS grp
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_program program ON program.id = entry.program_id
              JOIN res_company company ON company.id = entry.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
             WHERE entry.account_id = ANY(%(accounts)s) AND entry.amount_open <> 0
            """,
            partition=partition,
            accounts=list(account_ids),
            capacity=capacity,
        )

    @api.model
    def _allocate_lots(self, lots, of_closed=False):
        """Write allocations, and take them off the open amounts on either side.

        :param SQL lots: a ``SELECT`` of ``debit_id, lot_id, amount, date``; a negative amount gives back
        :param bool of_closed: whether the debits were posted closed, so that only lots have an open amount
        """
        self.env.execute_query(
            SQL(
                """
                WITH allocation AS (
                    INSERT INTO partner_loyalty_allocation (debit_entry_id, credit_entry_id, amount, date)
                    SELECT debit_id, lot_id, amount, date FROM (%s) lot
                 RETURNING debit_entry_id, credit_entry_id, amount
                )
                UPDATE partner_loyalty_entry entry
                   SET amount_open = entry.amount_open + change.amount
                  FROM (SELECT id, SUM(amount) AS amount
                          FROM (SELECT debit_entry_id AS id, amount FROM allocation WHERE NOT %s
                                 UNION ALL SELECT credit_entry_id, -amount FROM allocation) part
                      GROUP BY id) change
                 WHERE entry.id = change.id AND change.amount <> 0
                """,
                lots,
                of_closed,
            )
        )
        self.env["partner.loyalty.entry"]._invalidate_ledger()

    @api.model
    def _give_back(self, pieces):
        """Open lots again that a debit has consumed; the debit is then settled by its counter-entry instead.

        :param SQL pieces: a ``SELECT`` of ``debit_id, lot_id, return_id, amount, date``
        """
        self._allocate_lots(
            SQL(
                """
                SELECT debit_id, lot_id, -amount AS amount, date FROM (%(pieces)s) piece
             UNION ALL SELECT debit_id, return_id, SUM(amount), date FROM (%(pieces)s) piece
              GROUP BY debit_id, return_id, date
                """,
                pieces=pieces,
            )
        )
