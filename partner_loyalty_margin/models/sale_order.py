from odoo import models

# What of an order decides at which rate the costs of its lines are converted.
RATE_FIELDS = {"date_order", "currency_id"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # === CRUD METHODS ===#

    def write(self, vals):
        # What is confirmed by this has not been invoiced yet, and is touched as an order anyway.
        confirmed = self._get_counting_for_loyalty() if RATE_FIELDS & vals.keys() else self.browse()
        result = super().write(vals)
        confirmed.order_line._mark_loyalty_margins()
        return result
