from odoo import models
from odoo.tools import SQL


class PartnerLoyaltyMeasureQuality(models.AbstractModel):
    """How well members served their customers, from 0 to 100: what customers answered, what came back, audits.

    What members think of the company itself is read nowhere.
    """

    _name = "partner.loyalty.measure.quality"
    _description = "Measure of Service Quality"

    # === BUSINESS METHODS ===#

    def _get_value_query_quality(self, program, window):
        """Measure the service quality; parts without data drop out, and the weights of the others are scaled."""
        parts = [
            SQL("SELECT root_id, value, %s AS weight FROM (%s) AS scored", weight, query)
            for weight, query in self._get_quality_parts(program, window)
        ]
        return SQL(
            """
            SELECT root_id, ROUND((SUM(value * weight) / SUM(weight))::numeric, 4) AS value
              FROM (%s) AS part WHERE value IS NOT NULL GROUP BY root_id
            """,
            SQL(" UNION ALL ").join(parts or [SQL("SELECT 0 AS root_id, NULL::numeric AS value, 1 AS weight")]),
        )

    def _get_quality_parts(self, program, window):
        """Return what the quality is made of; modules add parts of their own.

        :return: pairs of weight and ``SELECT`` of ``root_id, value`` from 0 to 100
        :rtype: list[tuple[float, SQL]]
        """
        parts = []
        if self.survey_weight > 0:
            parts.append((self.survey_weight, self._get_answer_query(program, window)))
        if self.return_weight > 0:
            parts.append((self.return_weight, self._get_return_query(program, window)))
        if self.audit_weight > 0 and self.audit_metric_id:
            parts.append((self.audit_weight, self._get_audit_query(program, window)))
        return parts

    def _get_answer_query(self, program, window):
        """Return the average score that customers gave, where enough of them did; nobody rates itself."""
        contributions = self.env["partner.loyalty.contribution"].with_context(tz=program.tz)
        day = contributions._get_local_day(SQL("answer.end_datetime"))
        _last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        return SQL(
            """
            SELECT holder.member_id AS root_id, AVG(answer.scoring_percentage)::numeric AS value
              FROM survey_user_input answer
              JOIN sale_order sale ON sale.id = answer.loyalty_order_id
              JOIN (%(holders)s) holder ON holder.partner_id = answer.loyalty_rated_partner_id
              %(spans)s
             WHERE answer.state = 'done' AND answer.test_entry IS NOT TRUE
               AND answer.loyalty_holder_id IS DISTINCT FROM answer.loyalty_rated_partner_id
               AND sale.company_id = %(company)s AND %(days)s AND %(is_member)s AND %(membership)s
          GROUP BY holder.member_id HAVING COUNT(*) >= %(minimum)s
            """,
            holders=self._get_holder_table(program, window),
            spans=spans,
            company=program.company_id.id,
            days=self._get_day_condition(window, day),
            is_member=self._get_member_condition(window, SQL("holder.member_id")),
            membership=self._get_membership_condition(contributions._get_local_day(SQL("sale.date_order"))),
            minimum=self.minimum_answers,
        )

    def _get_return_query(self, program, window):
        """Return 100 less the percent of what was invoiced that was credited, of what members bought or brought."""
        day = SQL("sold.day")
        _last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        return SQL(
            """
            SELECT holder.member_id AS root_id,
                   100 - LEAST(100, 100 * COALESCE(-SUM(sold.amount) FILTER (WHERE sold.amount < 0), 0)
                                    / SUM(sold.amount) FILTER (WHERE sold.amount > 0)) AS value
              FROM (%(sold)s) sold
              JOIN (%(holders)s) holder ON holder.partner_id = sold.partner_id
              %(spans)s
             WHERE %(days)s AND %(is_member)s AND %(membership)s
          GROUP BY holder.member_id HAVING SUM(sold.amount) FILTER (WHERE sold.amount > 0) > 0
            """,
            sold=SQL(" UNION ALL ").join(
                [
                    self._get_sold_query(program, SQL("move.commercial_partner_id"), SQL("TRUE")),
                    self._get_sold_query(
                        program,
                        SQL("move.loyalty_partner_id"),
                        SQL("move.loyalty_partner_id <> move.commercial_partner_id"),
                    ),
                ]
            ),
            holders=self._get_holder_table(program, window),
            spans=spans,
            days=self._get_day_condition(window, day),
            is_member=self._get_member_condition(window, SQL("holder.member_id")),
            membership=self._get_membership_condition(SQL("sold.rate_day")),
        )

    def _get_sold_query(self, program, partner, condition):
        """Return the invoices and credit notes that a partner has part in: ``(partner_id, day, rate_day, amount)``.

        :param SQL partner: column of the partner
        :param SQL condition: on ``move``
        :rtype: SQL
        """
        return SQL(
            """
            SELECT %(partner)s AS partner_id, move.invoice_date AS day,
                   COALESCE(origin.invoice_date, move.invoice_date) AS rate_day,
                   move.amount_untaxed_signed AS amount
              FROM account_move move
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
             WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
               AND move.company_id = %(company)s AND %(condition)s
            """,
            partner=partner,
            company=program.company_id.id,
            condition=condition,
        )

    def _get_audit_query(self, program, window):
        """Return the scores of audits, as officers entered them."""
        return SQL(
            "SELECT root_id, LEAST(100, GREATEST(0, value)) AS value FROM (%s) AS audit",
            self.audit_metric_id._get_value_query(program, window),
        )
