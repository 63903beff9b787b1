from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import LEDGER_DIGITS, UNITS


class PartnerLoyaltyAccount(models.Model):
    """The balance of a member in one unit.

    The row is the gate of the ledger: posting updates ``balance`` and ``version`` before anything reads a balance, so
    that of two transactions that meet here one starts over. ``version`` is the number of entries, and the sequence of
    the last one. Written by ``partner.loyalty.entry`` alone.
    """

    _name = "partner.loyalty.account"
    _description = "Loyalty Balance"
    _order = "member_id, unit"
    _log_access = False
    _allow_sudo_commands = False
    _rec_name = "member_id"

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict", readonly=True
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, index=True, ondelete="restrict", readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit = fields.Selection(selection=UNITS, required=True, readonly=True)
    balance = fields.Float(digits=LEDGER_DIGITS, required=True, readonly=True)
    version = fields.Integer(required=True, readonly=True, aggregator="sum")
    available = fields.Float(
        digits=LEDGER_DIGITS,
        compute="_compute_available",
        help="What has matured, is not spent and has not expired.",
    )

    # === CONSTRAINTS ===#

    _member_unit_unique = models.UniqueIndex("(member_id, unit)")

    # === COMPUTE METHODS ===#

    @api.depends("balance")
    def _compute_available(self):
        available = self._get_available()
        for account in self:
            account.available = available.get(account.id, 0)

    # === BUSINESS METHODS ===#

    @api.model
    def _open(self, members):
        """Open the accounts of new members, one for each unit."""
        self.create(
            [
                {
                    "member_id": member.id,
                    "program_id": member.program_id.id,
                    "company_id": member.company_id.id,
                    "unit": unit,
                    "balance": 0,
                    "version": 0,
                }
                for member in members
                for unit, _label in UNITS
            ]
        )

    def _get_available(self, day=None, for_payout=False):
        """Return what can be spent: what is open, has matured, and has not expired.

        :param date day: what has matured by then; today in the program's time zone by default
        :param bool for_payout: leave out what the member disputes
        :return: amount by account id, in the unit of the account, without accounts that have nothing
        :rtype: dict[int, Decimal]
        """
        self.env.flush_all()
        available = {}
        for program, accounts in self.grouped("program_id").items():
            query = accounts._get_available_query(program, day or program._get_today(), for_payout)
            rows = self.env.execute_query(query)
            available.update((account_id, Decimal(amount)) for account_id, amount in rows)
        return available

    def _get_available_query(self, program, day, for_payout=False):
        """Return what can be spent of accounts of a program, where there is anything: ``account_id, amount``.

        It is what is left of the balance without debts, and without the lots that have not matured or have expired:
        they are few, however many lots there are.

        :rtype: SQL
        """
        lots = self.env["partner.loyalty.entry"]._get_lot_query(program, self.ids)
        held = self.env["partner.loyalty.inquiry"]._get_held_query()
        return SQL(
            """
            WITH withheld AS (
                SELECT account_id, amount_open AS amount FROM partner_loyalty_entry
                 WHERE account_id = ANY(%(ids)s) AND amount_open < 0
             UNION ALL
                SELECT account_id, amount_open FROM partner_loyalty_entry
                 WHERE account_id = ANY(%(ids)s) AND amount_open > 0 AND mature_date > %(day)s
             UNION ALL
                SELECT account_id, amount FROM (%(lots)s) lot
                 WHERE mature_date <= %(day)s AND (expiry_date < %(today)s OR %(is_held)s)
            )
            SELECT account.id, (account.balance - COALESCE(withheld.amount, 0))::text
              FROM partner_loyalty_account account
         LEFT JOIN (SELECT account_id, SUM(amount) AS amount FROM withheld GROUP BY account_id) withheld
                ON withheld.account_id = account.id
             WHERE account.id = ANY(%(ids)s) AND account.balance > COALESCE(withheld.amount, 0)
            """,
            ids=list(self.ids),
            day=day,
            today=program._get_today(),
            lots=lots,
            is_held=SQL("id IN (%s)", held) if for_payout else SQL("FALSE"),
        )
