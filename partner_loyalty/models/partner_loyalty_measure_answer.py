from odoo import models
from odoo.tools import SQL


class PartnerLoyaltyMeasureAnswer(models.AbstractModel):
    """How long members waited for the first answer to what they asked and disputed.

    It says how the company serves them, and not what they do: it never pays or promotes.
    """

    _name = "partner.loyalty.measure.answer"
    _description = "Measure of Answers"

    # === BUSINESS METHODS ===#

    def _get_value_query_answer(self, program, window):
        """Measure the median hours from a question or dispute to its first answer, by the day of the question."""
        self.env["partner.loyalty.inquiry"].flush_model(["answered_at", "asked_at", "member_id"])
        contributions = self.env["partner.loyalty.contribution"].with_context(tz=program.tz)
        day = contributions._get_local_day(SQL("inquiry.asked_at"))
        _last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        return SQL(
            """
            SELECT holder.member_id AS root_id,
                   ROUND((EXTRACT(epoch FROM percentile_cont(0.5) WITHIN GROUP (
                       ORDER BY inquiry.answered_at - inquiry.asked_at)) / 3600)::numeric, 4) AS value
              FROM partner_loyalty_inquiry inquiry
              JOIN (%(members)s) holder ON holder.id = inquiry.member_id
              %(spans)s
             WHERE inquiry.answered_at IS NOT NULL AND %(days)s
          GROUP BY holder.member_id
            """,
            members=self._get_member_table(program, window),
            spans=spans,
            days=self._get_day_condition(window, day),
        )
