from odoo import api, models
from odoo.tools import SQL


class PartnerLoyaltyContribution(models.Model):
    _inherit = "partner.loyalty.contribution"

    _depends = {"delivery.carrier": ["product_id"]}

    # === TABLE QUERY ===#

    @api.model
    def _get_uncounted_products(self):
        """Override: delivery is no sale of goods, on orders and invoices alike, whoever put the line there."""
        products = SQL("SELECT product_id FROM delivery_carrier")
        others = super()._get_uncounted_products()
        return SQL("(%s UNION ALL SELECT * FROM %s others)", products, others) if others else SQL("(%s)", products)
