from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import LEDGER_DIGITS


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
        comodel_name="partner.loyalty.entry", required=True, index=True, ondelete="restrict", readonly=True
    )
    credit_entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry", required=True, index=True, ondelete="restrict", readonly=True
    )
    company_id = fields.Many2one(related="credit_entry_id.company_id")
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
