from odoo import models
from odoo.tools import SQL

# What an explanation keeps beside the margin: what was sold, and how many lines of it had no known cost, and their sum.
MARGIN_NUMBERS = ("turnover", "unknown_lines", "unknown_amount")

# The cost of an order line in company currency for one unit. What is zero, or no number at all, is not known.
ORDER_COST = SQL("order_line.purchase_price::numeric / NULLIF(sale.currency_rate, 0)")
IS_KNOWN = SQL("order_line.purchase_price > 0 AND order_line.purchase_price < 'Infinity'")


class PartnerLoyaltyTarget(models.AbstractModel):
    """The margin as the base of a rule.

    The margin of a line is its amount less its quantity times the cost on the order line: that of the line itself, or
    of the one that it was invoiced from. Five rules decide what is not as plain as that:

    * A cost of zero is not known. What was sold without a known cost counts as if it had no margin, in either
      direction: it earns nothing, and nothing is taken back when it is credited.
    * A negative price without a cost is a discount: it costs nothing, and is deducted from the margin in full.
    * A down payment has no margin; the goods have theirs when they are invoiced.
    * A credit note gives back cost in the proportion in which it gives back the price of the invoice: to make something
      cheaper afterwards adds no margin.
    * Lines that were sold at a loss are deducted from the others, but a document as a whole never earns below zero. A
      credit note or a returning order that stands alone takes back what it would have earned as a sale.
    """

    _inherit = "partner.loyalty.target"

    # === TARGET ===#

    def _get_exact(self):
        """A document is limited as a whole, when all of its parts are added up: some of them may be a loss."""
        exact = super()._get_exact()
        if self.formula != "margin":
            return exact
        return SQL("CASE WHEN sums.whole < 0 THEN LEAST(0, %(exact)s) ELSE GREATEST(0, %(exact)s) END", exact=exact)

    def _get_base(self, query):
        if self.formula != "margin":
            return super()._get_base(query)
        column, cost = self._get_column(query), self._add_cost(query)
        return SQL(
            """CASE WHEN %(cost)s.is_down_payment THEN 0
                    WHEN %(cost)s.unit_cost IS NOT NULL
                    THEN %(amount)s - %(quantity)s * %(cost)s.unit_cost * %(share)s
                    WHEN %(amount)s * %(quantity)s < 0 THEN %(amount)s
                    ELSE 0 END""",
            cost=cost,
            share=self._get_counted_share(query),
            amount=column("amount"),
            quantity=column("quantity"),
        )

    def _get_whole(self, query):
        """The minimum is about the net amount, also where it is the margin that earns."""
        whole = super()._get_whole(query)
        if self.formula != "margin":
            return whole
        column = self._get_column(query)
        return SQL(
            "COALESCE(%s, ROUND(SUM(SUM(%s)) OVER (PARTITION BY membership.root_id, %s, %s), 6))",
            whole,
            column("amount"),
            column("origin_model"),
            column("origin_id"),
        )

    def _get_more_sums(self, query):
        sums = super()._get_more_sums(query)
        if self.formula != "margin":
            return sums
        column, is_unknown = self._get_column(query), self._get_unknown_condition(query)
        amount = column("amount")
        # A line that is credited or paid in parts is one line.
        sold = SQL("FILTER (WHERE %s AND %s > 0)", is_unknown, amount)
        return {
            **sums,
            "turnover": SQL("ROUND(SUM(%s), 6)", amount),
            "unknown_lines": SQL("NULLIF(COUNT(DISTINCT %s) %s, 0)::numeric", column("line_id"), sold),
            "unknown_amount": SQL("ROUND(SUM(%s) FILTER (WHERE %s), 6)", amount, is_unknown),
        }

    def _get_unknown_condition(self, query):
        """Return whether a contribution was sold, or credited, without a known cost.

        :param Query query: over contributions
        :rtype: SQL
        """
        column = self._get_column(query)
        return SQL(
            "(%(cost)s.is_down_payment IS NOT TRUE AND %(cost)s.unit_cost IS NULL AND %(amount)s * %(quantity)s > 0)",
            cost=self._add_cost(query),
            amount=column("amount"),
            quantity=column("quantity"),
        )

    # === TARGET - COSTS ===#

    def _add_cost(self, query):
        """Join what a line cost: ``unit_cost``, NULL where it is not known, and ``is_down_payment``.

        :param Query query: over contributions; joining it once more changes nothing
        :return: the alias of the join
        :rtype: SQL
        """
        # A cost may have been entered in this transaction.
        price = self.env["sale.order.line"]._fields["purchase_price"]
        line_id = SQL("%s", self._get_column(query)("line_id"), to_flush=price)
        costs = self._get_order_cost_query if self._is_of_orders() else self._get_invoice_cost_query
        query.add_join("LEFT JOIN", "cost", SQL("LATERAL (%s)", costs(line_id)), SQL("TRUE"))
        return SQL.identifier("cost")

    def _get_order_cost_query(self, line_id):
        """Return what an order line cost.

        :param SQL line_id: id of the order line
        :rtype: SQL
        """
        return SQL(
            """SELECT %(cost)s AS unit_cost, FALSE AS is_down_payment
                 FROM sale_order_line order_line
                 JOIN sale_order sale ON sale.id = order_line.order_id
                WHERE order_line.id = %(line_id)s AND %(is_known)s""",
            cost=ORDER_COST,
            line_id=line_id,
            is_known=IS_KNOWN,
        )

    def _get_invoice_cost_query(self, line_id):
        """Return what an invoice line cost in its own unit: where it has several order lines, their average.

        :param SQL line_id: id of the line of an invoice or credit note
        :rtype: SQL
        """
        return SQL(
            """SELECT CASE WHEN bool_and(%(is_known)s)
                           THEN AVG(%(cost)s * COALESCE(unit.factor, order_unit.factor, 1)
                                    / COALESCE(order_unit.factor, unit.factor, 1)) END AS unit_cost,
                      bool_or(order_line.is_downpayment) AS is_down_payment, MIN(unit.factor) AS unit_factor
                 FROM sale_order_line_invoice_rel link
                 JOIN sale_order_line order_line ON order_line.id = link.order_line_id
                 JOIN sale_order sale ON sale.id = order_line.order_id
                 JOIN account_move_line line ON line.id = link.invoice_line_id
            LEFT JOIN uom_uom order_unit ON order_unit.id = order_line.product_uom_id
            LEFT JOIN uom_uom unit ON unit.id = line.product_uom_id
                WHERE link.invoice_line_id = %(line_id)s""",
            cost=ORDER_COST,
            line_id=line_id,
            is_known=IS_KNOWN,
        )

    def _get_counted_share(self, query):
        """Return how much of its cost a line counts: all, but of a credit note below the price of its invoice a share.

        :param Query query: over contributions
        :rtype: SQL
        """
        if self._is_of_orders():
            return SQL("1")
        column, cost = self._get_column(query), self._add_cost(query)
        query.add_join("LEFT JOIN", "sold", SQL("LATERAL (%s)", self._get_sold_price_query(query)), SQL("TRUE"))
        return SQL(
            """COALESCE(LEAST(1, %(amount)s / NULLIF(
                   %(quantity)s * COALESCE(%(cost)s.unit_factor, 1) * sold.price, 0)), 1)""",
            amount=column("document_amount"),
            quantity=column("quantity"),
            cost=cost,
        )

    def _get_sold_price_query(self, query):
        """Return at which price the invoice sold what a line of its credit note is about, in the smallest unit.

        :param Query query: over contributions
        :rtype: SQL
        """
        column = self._get_column(query)
        return SQL(
            """SELECT SUM(line.price_subtotal) / NULLIF(SUM(line.quantity * COALESCE(unit.factor, 1)), 0) AS price
                 FROM account_move_line line
            LEFT JOIN uom_uom unit ON unit.id = line.product_uom_id
                WHERE line.move_id = %(origin)s AND %(document)s <> %(origin)s AND line.currency_id = %(currency)s
                  AND EXISTS (SELECT 1 FROM sale_order_line_invoice_rel own
                                JOIN sale_order_line_invoice_rel credited USING (order_line_id)
                               WHERE own.invoice_line_id = line.id AND credited.invoice_line_id = %(line_id)s)""",
            origin=column("origin_id"),
            document=column("document_id"),
            currency=column("document_currency_id"),
            line_id=column("line_id"),
        )

    # === GETTERS ===#

    def _is_of_orders(self):
        """Return whether the rule counts lines of orders, and not those of invoices."""
        return self.kind in ("order", "repeat_order")

    def _get_explained_numbers(self):
        numbers = super()._get_explained_numbers()
        return (*numbers, *MARGIN_NUMBERS) if self.formula == "margin" else numbers
