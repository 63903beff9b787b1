from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._mark_loyalty_moves()
        return partials

    def unlink(self):
        self._mark_loyalty_moves()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _mark_loyalty_moves(self):
        """Note that the customer invoices and credit notes that the partials match were touched.

        What a bill contributes does not depend on its payment.
        """
        if not self:
            # Odoo takes away the matches of each journal item that changes, mostly none.
            return
        moves = (self.debit_move_id | self.credit_move_id).move_id
        moves.filtered(lambda move: move.is_sale_document(include_receipts=True))._mark_loyalty()
