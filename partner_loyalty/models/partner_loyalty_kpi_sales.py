from decimal import Decimal
from statistics import median
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..tools.medians import difference_of_medians

ONE = SQL("1")

# Where turnover can be read from; a program that counts something else takes invoices.
TURNOVER_KINDS = ("order", "invoice", "payment", "bill")


class Sold(NamedTuple):
    """What a member, or a customer who is none, bought or brought; the other days are those compared with.

    ``amount`` and ``amount_before`` count whether or not it was a member then, ``turnover``, ``documents`` and
    ``turnover_before`` only within its membership.
    """

    root_id: int | None
    is_current: bool
    amount: Decimal
    amount_before: Decimal
    turnover: Decimal
    turnover_before: Decimal
    documents: int


class PartnerLoyaltyKpiSales(models.AbstractModel):
    """What members bought and brought, and what all others bought: the ground that key figures stand on.

    A sale counts once: for the buyer where it is a member, else for the member who brought it. What neither is true of
    is the market that members are compared with.
    """

    _name = "partner.loyalty.kpi.sales"
    _description = "Sales behind Key Figures"

    # === FACTS ===#

    @api.model
    def _get_sales_facts(self, focus):
        """Return what was sold.

        ``turnover``, ``documents`` and ``active`` (members who turned over something, together ``gross`` and at most
        ``largest``) lie within a membership. Growth
        is of those who are members in these days and sold something before, against that, whether or not they were
        members then: ``own``, ``own_before``, ``growths`` by member; ``market``, ``market_before`` and
        ``market_growths`` are of customers who are no members. ``effect`` is by how many points of percent the median
        growth of members lies above that of the others, with its 95 % interval.

        :param Focus focus: program, days and members
        :rtype: dict
        """
        members, others = self._read_sold(focus)
        grown = [sold for sold in members if sold.is_current and sold.amount_before > 0]
        market = [sold for sold in others if sold.amount_before > 0]
        growths, market_growths = self._get_growths(grown), self._get_growths(market)
        turnovers = [sold.turnover for sold in members if sold.turnover > 0]
        before = {sold.root_id for sold in members if sold.turnover_before > 0}
        active = {sold.root_id for sold in members if sold.turnover > 0}
        return {
            "turnover": sum((sold.turnover for sold in members), Decimal(0)),
            "documents": sum(sold.documents for sold in members),
            "active": len(active),
            "bought_before": len(before),
            "bought_again": len(before & active),
            "largest": max(turnovers, default=0),
            "gross": sum(turnovers, Decimal(0)),
            "own": sum((sold.amount for sold in grown), Decimal(0)),
            "own_before": sum((sold.amount_before for sold in grown), Decimal(0)),
            "market": sum((sold.amount for sold in others), Decimal(0)),
            "market_before": sum((sold.amount_before for sold in others), Decimal(0)),
            "growth": median(growths) if growths else None,
            "market_growth": median(market_growths) if market_growths else None,
            "effect": difference_of_medians(growths, market_growths),
            "by_member": {sold.root_id: sold for sold in members},
        }

    @api.model
    def _get_growths(self, sold):
        """Return by how many percent each sold more than before."""
        return [float(100 * (one.amount - one.amount_before) / one.amount_before) for one in sold]

    @api.model
    def _read_sold(self, focus):
        """Return what members sold, and what others bought.

        :rtype: tuple[list[Sold], list[Sold]]
        """
        self.env.flush_all()
        rows = [
            Sold(root_id, is_current, *map(Decimal, amounts), documents)
            for root_id, is_current, *amounts, documents in self.env.execute_query(self._get_sold_query(focus))
        ]
        return [row for row in rows if row.root_id], [row for row in rows if not row.root_id]

    # === QUERIES ===#

    @api.model
    def _get_sold_query(self, focus):
        """Return a row for each member, and for each other customer, as :class:`Sold`; amounts as text: it is exact.

        :rtype: SQL
        """
        return SQL(
            """
            WITH sale AS (%(now)s UNION ALL %(before)s),
            part AS (
                SELECT root_id, partner_id, is_now, bool_or(is_current) AS is_current, SUM(amount) AS amount,
                       COALESCE(SUM(amount) FILTER (WHERE is_within), 0) AS turnover
                  FROM sale GROUP BY root_id, partner_id, is_now, origin_id
            )
            SELECT root_id, bool_or(is_current),
                   %(amount_now)s::text, %(amount_before)s::text,
                   %(turnover_now)s::text, %(turnover_before)s::text,
                   COUNT(*) FILTER (WHERE is_now AND turnover > 0)
              FROM part WHERE %(is_meant)s
          GROUP BY root_id, CASE WHEN root_id IS NULL THEN partner_id END
            """,
            now=self._get_sale_query(focus, focus.first, focus.last, is_now=True),
            before=self._get_sale_query(focus, *focus.get_previous()[1:3], is_now=False),
            is_meant=self._get_meant_condition(focus),
            amount_now=self._get_rounded_sum(focus, SQL("amount"), SQL("is_now")),
            amount_before=self._get_rounded_sum(focus, SQL("amount"), SQL("NOT is_now")),
            turnover_now=self._get_rounded_sum(focus, SQL("turnover"), SQL("is_now")),
            turnover_before=self._get_rounded_sum(focus, SQL("turnover"), SQL("NOT is_now")),
        )

    @api.model
    def _get_month_query(self, focus, first):
        """Return what each member turned over in each month: ``(root_id, month, turnover)``.

        :param date first: first day
        :rtype: SQL
        """
        return SQL(
            """
            SELECT root_id, date_trunc('month', date)::date AS month, %(turnover)s AS turnover
              FROM (%(sale)s) sale WHERE is_within AND root_id IS NOT NULL AND %(is_meant)s
          GROUP BY root_id, date_trunc('month', date)
            """,
            turnover=self._get_rounded_sum(focus, SQL("amount"), SQL("TRUE")),
            sale=self._get_sale_query(focus, first, focus.last, is_now=True),
            is_meant=focus.get_member_condition(SQL("root_id")),
        )

    @api.model
    def _get_sale_query(self, focus, first, last, is_now):
        """Return each line that counts, once: ``(root_id, partner_id, date, origin_id, amount, is_within, ...)``.

        What a member brought from a customer who is none is taken from that customer by a line of its own.

        :param date first: first day
        :param date last: last day
        :param bool is_now: whether the days are those that the figures are about
        :rtype: SQL
        """
        kind, role = self._get_turnover_source(focus.program)
        queries = [self._get_own_sale_query(focus, kind, role, first, last, is_now)]
        if role == "buyer":
            queries.append(self._get_brought_sale_query(focus, kind, first, last, is_now))
        return SQL(" UNION ALL ").join(queries)

    @api.model
    def _get_own_sale_query(self, focus, kind, role, first, last, is_now):
        """Return what everybody bought, and which member it is, if any."""
        query = focus.program._get_own_contribution_query(kind, role, first, last)
        partner = SQL.identifier(query.table, "partner_id")
        query.add_join("LEFT JOIN", "holder", self._get_holder_query(focus), SQL("holder.partner_id = %s", partner))
        return self._select_sales(query, focus, root=SQL("holder.root_id"), partner=partner, is_now=is_now)

    @api.model
    def _get_brought_sale_query(self, focus, kind, first, last, is_now):
        """Return what members brought from customers who are none, and once more what that takes from the market."""
        query = focus.program._get_own_contribution_query(kind, "referrer", first, last)
        partner, customer = (SQL.identifier(query.table, name) for name in ("partner_id", "customer_id"))
        holders = self._get_holder_query(focus)
        query.add_join("JOIN", "holder", holders, SQL("holder.partner_id = %s", partner))
        query.add_join("LEFT JOIN", "customer", holders, SQL("customer.partner_id = %s", customer))
        query.add_join("JOIN", "side", SQL("(VALUES (TRUE), (FALSE))"), SQL("customer.root_id IS NULL"))
        root = SQL("CASE WHEN side.column1 THEN holder.root_id END")
        who = SQL("CASE WHEN side.column1 THEN %s ELSE %s END", partner, customer)
        sign = SQL("CASE WHEN side.column1 THEN 1 ELSE -1 END")
        return self._select_sales(query, focus, root=root, partner=who, is_now=is_now, sign=sign)

    @api.model
    def _select_sales(self, query, focus, *, root, partner, is_now, sign=ONE):
        """Return the columns of :meth:`_get_sale_query` of one query."""
        day = SQL.identifier(query.table, "rate_date")
        return query.select(
            SQL("%s AS root_id", root),
            SQL("%s AS partner_id", partner),
            SQL("%s AS date", SQL.identifier(query.table, "date")),
            SQL("%s AS origin_id", SQL.identifier(query.table, "origin_id")),
            SQL("%s * %s AS amount", sign, SQL.identifier(query.table, "amount")),
            SQL("COALESCE(%s, FALSE) AS is_within", self._get_within_condition(focus, day)),
            SQL("COALESCE(holder.is_current, FALSE) AS is_current"),
            SQL("%s AS is_now", is_now),
        )

    @api.model
    def _get_holder_query(self, focus):
        """Return which member a partner is, and on which days it was one.

        Who joins after the days that the figures are about belongs to the market.

        :return: ``(partner_id, root_id, first_day, last_day, is_interrupted, is_current)`` in parentheses
        :rtype: SQL
        """
        return SQL(
            """(SELECT member.partner_id,
                       (array_agg(member.root_id ORDER BY member.merged_into_id IS NOT NULL, member.id))[1] AS root_id,
                       MIN(period.date_from) AS first_day, MAX(COALESCE(period.date_to, 'infinity')) AS last_day,
                       COUNT(*) > 1 AS is_interrupted,
                       bool_or(period.date_to IS NULL OR period.date_to >= %(first)s) AS is_current
                  FROM partner_loyalty_member member
                  JOIN partner_loyalty_member_period period ON period.member_id = member.id
                 WHERE member.program_id = %(program)s AND period.date_from <= %(last)s
              GROUP BY member.partner_id)""",
            program=focus.program.id,
            first=focus.first,
            last=focus.last,
        )

    @api.model
    def _get_within_condition(self, focus, day):
        """Return whether a day lies within the membership of the holder; see ``_add_membership`` of measures."""
        return SQL(
            """(%(day)s BETWEEN holder.first_day AND holder.last_day AND (NOT holder.is_interrupted OR EXISTS (
                   SELECT 1 FROM partner_loyalty_member member
                     JOIN partner_loyalty_member_period period ON period.member_id = member.id
                    WHERE member.program_id = %(program)s AND member.partner_id = holder.partner_id
                      AND period.date_from <= %(day)s AND (period.date_to IS NULL OR period.date_to >= %(day)s))))""",
            day=day,
            program=focus.program.id,
        )

    @api.model
    def _get_meant_condition(self, focus):
        """Return whether a member, or a customer who is none, is meant."""
        customers = SQL("TRUE") if focus.customers is None else SQL("partner_id IN (%s)", focus.customers)
        return SQL(
            "CASE WHEN root_id IS NULL THEN %s ELSE %s END", customers, focus.get_member_condition(SQL("root_id"))
        )

    # === GETTERS ===#

    @api.model
    def _get_turnover_source(self, program):
        """Return from which kind and role the turnover of a program is read, as its tiers do where that is a sale.

        :rtype: tuple[str, str]
        """
        kind = program.tier_kind if program.tier_kind in TURNOVER_KINDS else "invoice"
        return kind, "supplier" if kind == "bill" else "buyer"

    @api.model
    def _get_rounded_sum(self, focus, column, condition):
        """Return a sum of money, rounded once."""
        digits = focus.program.currency_id.decimal_places
        return SQL("COALESCE(ROUND((SUM(%s) FILTER (WHERE %s))::numeric, %s), 0)", column, condition, digits)
