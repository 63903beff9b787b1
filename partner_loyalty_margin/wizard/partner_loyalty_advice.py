from odoo import models
from odoo.tools import SQL

from ..models.partner_loyalty_target import IS_KNOWN, ORDER_COST


class PartnerLoyaltyAdvice(models.TransientModel):
    _inherit = "partner.loyalty.advice"

    # === CHECKS ===#

    def _get_margin_query(self):
        """Override: the margin of the orders of members, as buyers and as referrers; none where a cost is not known.

        A negative price without a cost is a discount, as in the margin that rules take.
        """
        first, last = self._get_terms()["first"], self._get_terms()["today"]
        return SQL(
            """
            SELECT member.root_id,
                   ROUND(SUM((order_line.price_subtotal / NULLIF(sale.currency_rate, 0))::numeric
                             - CASE WHEN %(is_known)s THEN order_line.product_uom_qty::numeric * %(cost)s
                                    ELSE 0 END), 2) AS amount
              FROM sale_order sale
              JOIN sale_order_line order_line ON order_line.order_id = sale.id
              JOIN partner_loyalty_member member
                ON member.program_id = %(program)s
               AND member.partner_id IN (sale.loyalty_buyer_id, sale.loyalty_partner_id)
             WHERE sale.state = 'sale' AND sale.company_id = %(company)s AND sale.loyalty_claim_id IS NULL
               AND sale.date_order >= %(first)s AND sale.date_order < %(last)s::date + 1
               AND order_line.display_type IS NULL AND order_line.is_downpayment IS NOT TRUE
          GROUP BY member.root_id
            HAVING bool_and(%(is_known)s OR order_line.price_subtotal <= 0)
            """,
            is_known=IS_KNOWN,
            cost=ORDER_COST,
            program=self.program_id.id,
            company=self.company_id.id,
            first=first,
            last=last,
        )
