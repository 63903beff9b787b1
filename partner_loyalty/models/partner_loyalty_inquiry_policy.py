from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL, format_date

# Over so many days the time to answer is told.
ANSWER_TIME_DAYS = 90


class PartnerLoyaltyInquiryPolicy(models.AbstractModel):
    """Until when a program answers its members, and how long that takes in fact."""

    _name = "partner.loyalty.inquiry.policy"
    _description = "Answers to Members"

    # === FIELDS ===#

    inquiry_days = fields.Integer(
        string="Answered within (Days)",
        default=5,
        help="So many working days after a question or dispute the member has an answer; by the working hours of the "
        "company, where it has any.",
    )
    open_inquiry_count = fields.Integer(string="Open Inquiries", compute="_compute_inquiry_figures")
    answer_hours = fields.Float(
        string="Time to Answer (Hours)",
        digits=(16, 1),
        compute="_compute_inquiry_figures",
        help="Half of the inquiries of the last 90 days were answered faster.",
    )
    has_answers = fields.Boolean(compute="_compute_inquiry_figures")

    # === CONSTRAINTS ===#

    _inquiry_days_range = models.Constraint(
        "CHECK (inquiry_days BETWEEN 1 AND 90)",
        "Members are answered within 1 to 90 working days: enter a number in between.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_ids")
    def _compute_inquiry_figures(self):
        Inquiry = self.env["partner.loyalty.inquiry"]
        counts = dict(
            Inquiry._read_group([("program_id", "in", self.ids), ("is_open", "=", True)], ["program_id"], ["__count"])
            if Inquiry.has_access("read")
            else []
        )
        medians = self._get_median_answer_hours() if Inquiry.has_access("read") else {}
        for program in self:
            program.open_inquiry_count = counts.get(program, 0)
            program.answer_hours = medians.get(program.id, 0)
            program.has_answers = program.id in medians

    # === ACTION METHODS ===#

    def action_view_inquiries(self):
        """Show the questions and disputes of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_inquiry_action")

    # === GETTERS ===#

    def _get_inquiry_deadline(self):
        """Return the day by which a member who asks now has an answer.

        :rtype: date
        """
        self.ensure_one()
        zone = pytz.timezone(self.tz)
        now = fields.Datetime.now().replace(tzinfo=pytz.utc).astimezone(zone)
        # The working hours of a company say nothing of anybody; who asks need not be able to read them.
        calendar_sudo = self.sudo().company_id.resource_calendar_id
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        last = calendar_sudo.plan_days(self.inquiry_days, tomorrow, compute_leaves=True) if calendar_sudo else False
        return last.date() if last else self._get_weekday_after(now.date(), self.inquiry_days)

    def _get_inquiry_promise(self, entry=None):
        """Return by when a member has an answer who asks now, in words.

        :param entry: ``partner.loyalty.entry`` that it disputes, if any
        :rtype: str
        """
        self.ensure_one()
        day = format_date(self.env, self._get_inquiry_deadline())
        if entry and entry.unit == "money":
            return self.env._(
                "You will have our answer by %s. Meanwhile the line is not paid out, and all the rest is.", day
            )
        return self.env._("You will have our answer by %s, here and by mail.", day)

    @api.model
    def _get_weekday_after(self, day, count):
        """Return the day that so many weekdays, from Monday to Friday, lie after another.

        :rtype: date
        """
        while count > 0:
            day += timedelta(days=1)
            count -= day.weekday() < 5
        return day

    def _get_median_answer_hours(self, first=None, last=None):
        """Return the median time to the first answer of inquiries that were asked within some days.

        :param date first: the first day; 90 days ago by default
        :param date last: the last day; today by default
        :return: hours by id of the program, of those that answered any
        :rtype: dict[int, float]
        """
        self.env["partner.loyalty.inquiry"].flush_model(["answered_at", "asked_at", "program_id"])
        first = first or fields.Date.today() - timedelta(days=ANSWER_TIME_DAYS)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT inquiry.program_id,
                       percentile_cont(0.5) WITHIN GROUP (
                           ORDER BY EXTRACT(epoch FROM inquiry.answered_at - inquiry.asked_at) / 3600)
                  FROM partner_loyalty_inquiry inquiry
                  JOIN partner_loyalty_program program ON program.id = inquiry.program_id
                 WHERE inquiry.program_id = ANY(%(programs)s) AND inquiry.answered_at IS NOT NULL
                   AND (inquiry.asked_at AT TIME ZONE 'UTC' AT TIME ZONE program.tz)::date
                       BETWEEN %(first)s AND %(last)s
              GROUP BY inquiry.program_id
                """,
                programs=list(self.ids),
                first=first,
                last=last or fields.Date.today() + timedelta(days=1),
            )
        )
        return {program_id: float(hours) for program_id, hours in rows}
