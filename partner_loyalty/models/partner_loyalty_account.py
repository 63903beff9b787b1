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

    def _get_available(self, day=None):
        """Return what can be spent: what is open, has matured, and has not expired.

        :param date day: what has matured by then; today in the program's time zone by default
        :return: amount by account id, in the unit of the account, without accounts that have nothing
        :rtype: dict[int, Decimal]
        """
        self.env.flush_all()
        available = {}
        for program, accounts in self.grouped("program_id").items():
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT account_id, SUM(amount)::text
                      FROM (%s) lot
                     WHERE mature_date <= %s AND (expiry_date IS NULL OR expiry_date >= %s)
                  GROUP BY account_id
                    """,
                    self.env["partner.loyalty.entry"]._get_lot_query(program, accounts.ids),
                    day or program._get_today(),
                    program._get_today(),
                )
            )
            available.update((account_id, Decimal(amount)) for account_id, amount in rows)
        return available
