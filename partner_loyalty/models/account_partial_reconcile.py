from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._get_loyalty_moves()._mark_loyalty()
        return partials

    def unlink(self):
        self._get_loyalty_moves()._mark_loyalty()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _get_loyalty_moves(self):
        """Return the journal entries that the partials match."""
        return (self.debit_move_id | self.credit_move_id).move_id
