from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === COMPUTE METHODS ===#

    def _compute_purchase_price(self):
        result = super()._compute_purchase_price()
        # Other apps work out costs anew without a write, such as by what was delivered.
        self.filtered("id")._mark_loyalty_margins()
        return result

    # === CRUD METHODS ===#

    def write(self, vals):
        result = super().write(vals)
        if "purchase_price" in vals:
            self._mark_loyalty_margins()
        return result

    # === BUSINESS METHODS ===#

    def _mark_loyalty_margins(self):
        """Note that the confirmed orders of these lines were touched, and so was what has been invoiced of them."""
        self._mark_loyalty_orders()
        # Who may change a cost need not see the invoices.
        self.sudo().invoice_lines.move_id._mark_loyalty()
