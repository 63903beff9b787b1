from odoo import api, fields, models

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

    # === COMPUTE METHODS ===#

    def _compute_discount(self):
        result = super()._compute_discount()
        lines = self.filtered(lambda line: line.product_id and not line.display_type and not line.combo_item_id)
        for order, own in lines.grouped("order_id").items():
            day = fields.Date.context_today(order, order.date_order)
            agreed = self.env["partner.loyalty.agreement"]._get_discount(
                order.partner_id.commercial_partner_id, order.company_id, day
            )
            # Discounts do not add up: the higher one is given.
            for line in own.filtered(lambda line, agreed=agreed: line.discount < agreed):
                line.discount = agreed
        return result

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
        self.order_id._mark_loyalty()
