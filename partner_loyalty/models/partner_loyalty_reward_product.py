from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context


class PartnerLoyaltyRewardProduct(models.AbstractModel):
    """Rewards that are goods: delivered by an order at no price, which earns nothing."""

    _name = "partner.loyalty.reward.product"
    _description = "Product as a Reward"

    # === FIELDS ===#

    product_id = fields.Many2one(
        comodel_name="product.product",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
        help="It is ordered for the member at no price as soon as the claim is fulfilled.",
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_product(self):
        if not self.product_id:
            return self.env._("“%s” gives a product: choose which one.", self.name)
        return None

    def _fulfill_product(self, claim):
        """Order the product for the member and confirm the order."""
        # Officers hand out rewards without any right on orders.
        context = {**clean_context(self.env.context), "allowed_company_ids": self.company_id.ids}
        order_sudo = self.env["sale.order"].sudo().with_context(context).create(self._prepare_order_vals(claim))
        order_sudo.action_confirm()
        # The link is set by the program alone.
        claim.sudo().order_id = order_sudo

    def _undo_product(self, claim):
        """Cancel the order, unless something of it was delivered already: that has to come back by itself.

        :raises UserError: where the order cannot be canceled
        """
        # Managers of rewards need no right on orders.
        order_sudo = claim.sudo().order_id
        if order_sudo.state != "sale":
            return
        if any(order_sudo.order_line.mapped("qty_delivered")):
            raise UserError(
                self.env._("%s has been delivered: take the goods back and cancel the order first.", order_sudo.name)
            )
        order_sudo.locked = False
        order_sudo._action_cancel()

    def _prepare_order_vals(self, claim):
        """Return the values of the order by which a product is delivered.

        :param claim: ``partner.loyalty.claim``
        :rtype: dict
        """
        return {
            "partner_id": claim.member_id.root_id.partner_id.id,
            "company_id": self.company_id.id,
            "user_id": claim.user_id.id,
            "origin": claim.name,
            "loyalty_claim_id": claim.id,
            "order_line": [
                Command.create({"product_id": self.product_id.id, "product_uom_qty": claim.quantity, "price_unit": 0})
            ],
        }
