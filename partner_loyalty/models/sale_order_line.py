from odoo import api, models

# What of a line moves what its order earns.
TOUCHING_FIELDS = {
    "product_id",
    "product_uom_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "tax_ids",
    "display_type",
}


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._mark_loyalty_orders()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if TOUCHING_FIELDS & vals.keys():
            self._mark_loyalty_orders()
        return result

    def unlink(self):
        self._mark_loyalty_orders()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _mark_loyalty_orders(self):
        """Note that the confirmed orders of these lines were touched."""
        self.env["partner.loyalty.touch"]._mark(self.order_id._get_counting_for_loyalty())
