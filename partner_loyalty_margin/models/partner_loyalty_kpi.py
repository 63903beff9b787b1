from odoo import api, models
from odoo.tools import SQL


class PartnerLoyaltyKpi(models.AbstractModel):
    _inherit = "partner.loyalty.kpi"

    # === HOOKS ===#

    @api.model
    def _get_margin_rate(self, focus):
        """Return the margin of the orders of members whose cost is known; as assumed where none is."""
        known = self._get_known_margin_rate(focus)
        return super()._get_margin_rate(focus) if known is None else known

    @api.model
    def _get_known_margin_rate(self, focus):
        """Return the margin in percent of what members ordered or brought, over lines with a cost.

        :rtype: float | None
        """
        self.env.flush_all()
        [[rate]] = self.env.execute_query(
            SQL(
                """
                SELECT 100 * SUM(line.margin / COALESCE(NULLIF(sale.currency_rate, 0), 1))
                           / NULLIF(SUM(line.price_subtotal / COALESCE(NULLIF(sale.currency_rate, 0), 1)), 0)
                  FROM sale_order_line line
                  JOIN sale_order sale ON sale.id = line.order_id
                 WHERE sale.state = 'sale' AND sale.company_id = %(company)s AND line.purchase_price <> 0
                   AND sale.loyalty_claim_id IS NULL
                   AND %(day)s BETWEEN %(first)s AND %(last)s
                   AND EXISTS (SELECT 1 FROM partner_loyalty_member member
                                WHERE member.program_id = %(program)s AND %(is_meant)s
                                  AND member.partner_id IN (sale.loyalty_buyer_id, sale.loyalty_partner_id))
                """,
                company=focus.program.company_id.id,
                day=self._get_local_day(focus, SQL("sale.date_order")),
                first=focus.first,
                last=focus.last,
                program=focus.program.id,
                is_meant=focus.get_member_condition(SQL("member.root_id")),
            )
        )
        return None if rate is None else float(rate)
