from odoo import api, fields, models

# What of an order moves what it earns, beside its lines.
TOUCHING_FIELDS = {"state", "partner_id", "loyalty_partner_id", "date_order", "currency_id", "company_id"}


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "partner.loyalty.attribution.mixin", "partner.loyalty.touch.mixin"]

    # === FIELDS ===#

    loyalty_partner_id = fields.Many2one(
        compute="_compute_loyalty_partner_id", store=True, readonly=False, precompute=True
    )
    loyalty_buyer_id = fields.Many2one(
        comodel_name="res.partner",
        string="Buying Company",
        compute="_compute_loyalty_buyer_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company that bought, as it was then: a contact that moves to another company takes no orders along.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("partner_id")
    def _compute_loyalty_buyer_id(self):
        for order in self:
            order.loyalty_buyer_id = order.partner_id.commercial_partner_id

    @api.depends("opportunity_id")
    def _compute_loyalty_partner_id(self):
        for order in self:
            order.loyalty_partner_id = order.opportunity_id.loyalty_partner_id or order.loyalty_partner_id

    # === CRUD METHODS ===#

    def write(self, vals):
        # By the state and not by the buttons: an order can also be confirmed by an import or another app.
        with self._marking_loyalty(TOUCHING_FIELDS & vals.keys()):
            return super().write(vals)

    # === BUSINESS METHODS ===#

    def _get_counting_for_loyalty(self):
        """Return those of the orders that contribute."""
        return self.filtered(lambda order: order.state == "sale")

    def _get_loyalty_standing(self):
        return self.loyalty_buyer_id, self.loyalty_partner_id, self.date_order

    def _prepare_invoice(self):
        return {**super()._prepare_invoice(), "loyalty_partner_id": self.loyalty_partner_id.id}

    def _get_invoice_grouping_keys(self):
        return [*super()._get_invoice_grouping_keys(), "loyalty_partner_id"]
