import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# So long an invitation can be answered, and so long a member is asked nothing else, whatever is due or changed.
ANSWER_DAYS = 30
# So many members are asked in a night: nobody reads thousands of answers at once.
ASKED_AT_ONCE = 500
# Over so many days the satisfaction is told.
SATISFACTION_DAYS = 365

# What members are asked for, with the fields of the program that say by which survey, and after how many months again.
PURPOSES = {
    "needs": ("needs_survey_id", "needs_months"),
    "satisfaction": ("satisfaction_survey_id", "satisfaction_months"),
}


class PartnerLoyaltyFeedbackPolicy(models.AbstractModel):
    """Asks members what matters to them, and how satisfied they are, by surveys of Odoo.

    What they think of the company pays and promotes nobody: no metric reads it.
    """

    _name = "partner.loyalty.feedback.policy"
    _description = "Surveys of Members"

    # === FIELDS ===#

    needs_survey_id = fields.Many2one(
        comodel_name="survey.survey",
        string="Survey of Needs",
        ondelete="restrict",
        help="Sent to each new member, and again after so many months. Nobody is asked where it is empty.",
    )
    needs_months = fields.Integer(string="Needs Asked Every (Months)", default=12)
    satisfaction_survey_id = fields.Many2one(
        comodel_name="survey.survey",
        string="Survey of Satisfaction",
        ondelete="restrict",
        help="Sent to each member every so many months, counted from its joining. Nobody is asked where it is empty.",
    )
    satisfaction_months = fields.Integer(string="Satisfaction Asked Every (Months)", default=6)
    feedback_count = fields.Integer(string="Feedback to Answer", compute="_compute_satisfaction")
    csat = fields.Float(
        string="Satisfied (%)",
        digits=(16, 0),
        compute="_compute_satisfaction",
        help="Of those who said how satisfied they were in the last year, so many percent gave 4 or 5 of 5.",
    )
    nps = fields.Float(
        string="Net Promoter Score",
        digits=(16, 0),
        compute="_compute_satisfaction",
        help="Of those who said in the last year whether they would recommend us: the percent who gave 9 or 10, less "
        "those who gave 6 or less.",
    )
    has_csat = fields.Boolean(compute="_compute_satisfaction")
    has_nps = fields.Boolean(compute="_compute_satisfaction")

    # === CONSTRAINTS ===#

    _feedback_months_range = models.Constraint(
        "CHECK (needs_months BETWEEN 1 AND 120 AND satisfaction_months BETWEEN 1 AND 120)",
        "Members are asked again after 1 to 120 months: enter a number in between.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_ids")
    def _compute_satisfaction(self):
        Feedback = self.env["partner.loyalty.feedback"]
        can_read = Feedback.has_access("read")
        figures = self._get_satisfaction() if can_read else {}
        domain = [("program_id", "in", self.ids), ("state", "!=", "done")]
        counts = dict(Feedback._read_group(domain, ["program_id"], ["__count"]) if can_read else [])
        for program in self:
            csat, nps = figures.get(program.id, (None, None))
            program.feedback_count = counts.get(program, 0)
            program.csat, program.has_csat = csat or 0, csat is not None
            program.nps, program.has_nps = nps or 0, nps is not None

    # === CONSTRAINT METHODS ===#

    @api.constrains("needs_survey_id", "satisfaction_survey_id")
    def _check_feedback_surveys(self):
        for program in self:
            for purpose in PURPOSES:
                refusal = program._get_refusal_to_ask(purpose)
                if refusal:
                    raise ValidationError(refusal)

    # === ACTION METHODS ===#

    def action_view_feedback(self):
        """Show what members of the program think."""
        return self._get_related_action("partner_loyalty.partner_loyalty_feedback_action")

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_ask_members(self):
        """Ask the members who are to be asked by now, program by program."""
        programs = self.search(
            [("state", "=", "running"), "|", ("needs_survey_id", "!=", False), ("satisfaction_survey_id", "!=", False)]
        )
        self.env["ir.cron"]._commit_progress(remaining=len(programs))
        for program in programs:
            program._ask_members()
            self.env["ir.cron"]._commit_progress(1)

    def _ask_members(self):
        """Invite the members of a program to the surveys that are due.

        :return: the answers to be, one for each member and survey
        :rtype: recordset of ``survey.user_input``
        """
        self.ensure_one()
        answers = self.env["survey.user_input"]
        for purpose in PURPOSES:
            refusal = self._get_refusal_to_ask(purpose)
            if refusal:
                # Somebody has changed the survey since it was chosen.
                _logger.warning("No member was asked: %s", refusal)
                continue
            for member, contact, due_date in self._get_members_to_ask(purpose):
                try:
                    with self.env.cr.savepoint():
                        answers |= self._ask_member(purpose, member, contact, due_date)
                except UserError as error:
                    _logger.warning("%s was not asked: %s", member.display_name, error)
        return answers

    def _ask_member(self, purpose, member, contact, due_date):
        """Invite a contact of a member to a survey, in its language.

        :param str purpose: one of ``PURPOSES``
        :param member: ``partner.loyalty.member``
        :param contact: ``res.partner`` who is asked
        :param date due_date: the day from which on it was to be asked
        :rtype: ``survey.user_input``
        """
        # Neither surveys nor their answers are open to who looks after a program.
        survey_sudo = self[PURPOSES[purpose][0]].sudo()
        answer_sudo = survey_sudo._create_answer(
            partner=contact,
            check_attempts=False,
            deadline=fields.Datetime.now() + timedelta(days=ANSWER_DAYS),
            loyalty_member_id=member.id,
            loyalty_purpose=purpose,
            loyalty_due_date=due_date,
        )
        # Invitations are sent by the program.
        template_sudo = self.env.ref("partner_loyalty.mail_template_survey").with_user(SUPERUSER_ID)
        template_sudo.send_mail(answer_sudo.id)
        return answer_sudo

    def _get_members_to_ask(self, purpose):
        """Return who is to be asked by now.

        :param str purpose: one of ``PURPOSES``
        :return: member, contact and the day it is due since
        :rtype: list[tuple]
        """
        self.ensure_one()
        survey_field, _months = PURPOSES[purpose]
        if not self[survey_field]:
            return []
        self.env.flush_all()
        rows = self.env.execute_query(self._get_member_to_ask_query(purpose))
        members, contacts = self.env["partner.loyalty.member"], self.env["res.partner"]
        return [(members.browse(member), contacts.browse(contact), day) for member, contact, day in rows]

    def _get_member_to_ask_query(self, purpose):
        """Return the members whose month has come, counted from their joining: ``(member_id, contact_id, due_date)``.

        The company is asked at its own address, or else the first of its contacts that has one. What was missed is
        not made up for: of several months that have gone by, the last one counts.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT member.id, contact.id, due.day
              FROM partner_loyalty_member member
        CROSS JOIN LATERAL (
                SELECT ((EXTRACT(year FROM age(%(today)s, member.date_from)) * 12
                         + EXTRACT(month FROM age(%(today)s, member.date_from)))::integer / %(months)s) AS number
             ) period
        CROSS JOIN LATERAL (
                SELECT (member.date_from + make_interval(months => period.number * %(months)s))::date AS day
             ) due
        CROSS JOIN LATERAL (%(contact)s) contact
             WHERE member.program_id = %(program)s AND member.state = 'active' AND member.merged_into_id IS NULL
               AND period.number >= %(first)s
               AND NOT EXISTS (SELECT 1 FROM survey_user_input asked
                                WHERE asked.loyalty_member_id = member.id
                                  AND (asked.create_date > %(since)s
                                       OR asked.loyalty_purpose = %(purpose)s AND asked.loyalty_due_date >= due.day))
          ORDER BY due.day, member.id LIMIT %(limit)s
            """,
            today=SQL("%s::date", self._get_today()),
            months=self[PURPOSES[purpose][1]],
            contact=self._get_contact_to_ask_query(),
            program=self.id,
            # Who has just joined knows what it needs, and not yet how satisfied it is.
            first=int(purpose == "satisfaction"),
            purpose=purpose,
            since=fields.Datetime.now() - timedelta(days=ANSWER_DAYS),
            limit=ASKED_AT_ONCE,
        )

    @api.model
    def _get_contact_to_ask_query(self):
        """Return who of ``member`` can be written to: the company itself, or else the first of its contacts.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT partner.id FROM res_partner partner
             WHERE partner.commercial_partner_id = member.partner_id AND partner.active
               AND partner.email_normalized IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM mail_blacklist blacklist
                                WHERE blacklist.email = partner.email_normalized AND blacklist.active)
          ORDER BY partner.id <> member.partner_id, partner.id LIMIT 1
            """
        )

    # === GETTERS ===#

    def _get_refusal_to_ask(self, purpose):
        """Return why members cannot be asked by the survey of a program, or False.

        :param str purpose: one of ``PURPOSES``
        """
        self.ensure_one()
        # Surveys are not open to who looks after a program.
        survey_sudo = self[PURPOSES[purpose][0]].sudo()
        terms = {"survey": survey_sudo.title, "program": self.name}
        if not survey_sudo:
            return False
        if not survey_sudo.active:
            return self.env._("The survey “%(survey)s” is archived: choose another one for “%(program)s”.", **terms)
        if survey_sudo.certification:
            return self.env._(
                "The survey “%(survey)s” is a certification: choose one for “%(program)s” that asks members.", **terms
            )
        measures = {"need"} if purpose == "needs" else {"csat", "nps"}
        if measures.isdisjoint(survey_sudo.question_ids.mapped("loyalty_measure")):
            return self.env._(
                "No question of “%(survey)s” says what it tells of members: choose that under “Loyalty” on a question, "
                "or choose another survey for “%(program)s”.",
                **terms,
            )
        return False

    def _get_satisfaction(self, first=None, last=None):
        """Return how satisfied members said they were.

        :param date first: the first day; a year ago by default
        :param date last: the last day; today by default
        :return: CSAT in percent and NPS from -100 to 100 by id of the program, None where nobody said
        :rtype: dict[int, tuple]
        """
        self.env["partner.loyalty.feedback"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT program_id, 100.0 * AVG(CASE WHEN csat > 0 THEN (csat >= 4)::integer END),
                       100.0 * AVG(CASE nps_group WHEN 'promoter' THEN 1 WHEN 'passive' THEN 0
                                                  WHEN 'detractor' THEN -1 END)
                  FROM partner_loyalty_feedback
                 WHERE program_id = ANY(%s) AND source = 'survey' AND date BETWEEN %s AND %s
              GROUP BY program_id
                """,
                list(self.ids),
                first or fields.Date.today() - timedelta(days=SATISFACTION_DAYS),
                last or fields.Date.today() + timedelta(days=1),
            )
        )
        return {
            program_id: (None if csat is None else float(csat), None if nps is None else float(nps))
            for program_id, csat, nps in rows
        }
