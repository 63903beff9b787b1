from odoo import models


class SaleOrder(models.Model):
    """An order that uses the code of a partner was brought by it, where nobody else is named."""

    _inherit = "sale.order"

    # === BUSINESS METHODS ===#

    def _action_confirm(self):
        for order in self.filtered(lambda order: not order.loyalty_partner_id and order.order_line.coupon_id):
            order.loyalty_partner_id = order._get_code_giver()
        return super()._action_confirm()

    def _get_code_giver(self):
        """Return the partner that handed out a code which the order uses, if its orders are credited to it.

        :rtype: recordset of ``res.partner``
        """
        self.ensure_one()
        # Salespeople see no rewards of others.
        for claim_sudo in self.sudo().order_line.coupon_id.loyalty_claim_id:
            partner = claim_sudo.member_id.root_id.partner_id
            is_credited = claim_sudo.reward_id.is_code_credited and claim_sudo.company_id == self.company_id
            if is_credited and partner != self.loyalty_buyer_id:
                return partner.with_env(self.env)
        return self.env["res.partner"]
