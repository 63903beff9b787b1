import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..tools import periods

_logger = logging.getLogger(__name__)

# Orders that have waited longer are not asked about any more: nobody remembers.
ASKING_DAYS = 30
# So long after one question the same customer is not asked about the same partner again, and an answer is taken.
ANSWER_DAYS = 30


class PartnerLoyaltyQualityMixin(models.AbstractModel):
    """Asks the customers of a program's members how they were served, by a survey of Odoo."""

    _name = "partner.loyalty.quality.mixin"
    _description = "Survey of Customers"

    # === FIELDS ===#

    quality_survey_id = fields.Many2one(
        comodel_name="survey.survey",
        string="Survey of Customers",
        ondelete="restrict",
        help="Sent to the customer of each order that a member brought; its score is part of the service quality. "
        "Nobody is asked where it is empty.",
    )
    quality_delay_days = fields.Integer(
        string="Asked after (Days)", default=14, help="So many days after the order its customer is asked."
    )

    # === CONSTRAINTS ===#

    _quality_delay_days_range = models.Constraint(
        "CHECK (quality_delay_days BETWEEN 0 AND 365)",
        "Customers are asked 0 to 365 days after the order: enter a number in between.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("quality_survey_id")
    def _check_quality_survey(self):
        for program in self:
            refusal = program._get_refusal_of_survey()
            if refusal:
                raise ValidationError(refusal)

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_ask_customers(self):
        """Ask the customers of orders that are old enough, program by program."""
        programs = self.search([("state", "=", "running"), ("quality_survey_id", "!=", False)])
        self.env["ir.cron"]._commit_progress(remaining=len(programs))
        for program in programs:
            program._ask_customers()
            self.env["ir.cron"]._commit_progress(1)

    def _ask_customers(self):
        """Send the survey to the customers of a program who are to be asked by now.

        :return: the answers to be, one for each customer who was asked
        :rtype: recordset of ``survey.user_input``
        """
        self.ensure_one()
        answers = self.env["survey.user_input"]
        refusal = self._get_refusal_of_survey()
        if refusal:
            # Somebody has changed the survey since it was chosen.
            _logger.warning("No customer was asked: %s", refusal)
            return answers
        for order in self._get_orders_to_ask_about():
            try:
                with self.env.cr.savepoint():
                    answers |= self._ask_customer(order)
            except UserError as error:
                _logger.warning("The customer of %s was not asked: %s", order.name, error)
        return answers

    def _ask_customer(self, order):
        """Invite the customer of an order to the survey, and note whom and which order it is about.

        :rtype: ``survey.user_input``
        """
        # Neither surveys nor their answers are open to who looks after a program.
        survey_sudo = self.quality_survey_id.sudo()
        answer_sudo = survey_sudo._create_answer(partner=order.partner_id, **self._prepare_answer_vals(order))
        # The mail comes from who looks after the program.
        sender = self.user_id or self.env["res.users"].browse(SUPERUSER_ID)
        template_sudo = self.env.ref("partner_loyalty.partner_loyalty_mail_template_quality").with_user(sender).sudo()
        template_sudo.with_context(lang=order.partner_id.lang).send_mail(answer_sudo.id)
        return answer_sudo

    def _prepare_answer_vals(self, order):
        """Return what an answer knows from the start."""
        return {
            "check_attempts": False,
            "deadline": fields.Datetime.now() + timedelta(days=ANSWER_DAYS),
            "loyalty_order_id": order.id,
            "loyalty_rated_partner_id": order.loyalty_partner_id.id,
        }

    def _get_orders_to_ask_about(self):
        """Return the orders whose customers are to be asked, at most one for each customer and partner."""
        self.env.flush_all()
        order_ids = [row[0] for row in self.env.execute_query(self._get_order_to_ask_query())]
        return self.env["sale.order"].browse(order_ids)

    def _get_order_to_ask_query(self):
        """Return the orders that members brought some days ago, of customers who can be asked.

        :rtype: SQL
        """
        last = self._get_today() - timedelta(days=self.quality_delay_days)
        local_day = self.env["partner.loyalty.contribution"].with_context(tz=self.tz)._get_local_day
        return SQL(
            """
            SELECT DISTINCT ON (sale.partner_id, sale.loyalty_partner_id) sale.id
              FROM sale_order sale
              JOIN res_partner customer ON customer.id = sale.partner_id
             WHERE sale.state = 'sale' AND sale.company_id = %(company)s
               AND sale.date_order >= %(start)s AND sale.date_order < %(end)s
               AND sale.loyalty_partner_id <> sale.loyalty_buyer_id
               AND %(can_be_asked)s
               AND NOT EXISTS (SELECT 1 FROM survey_user_input asked
                                WHERE asked.loyalty_order_id = sale.id
                                   OR (asked.loyalty_rated_partner_id = sale.loyalty_partner_id
                                       AND asked.partner_id = sale.partner_id AND asked.create_date > %(since)s))
               AND EXISTS (SELECT 1 FROM partner_loyalty_member member
                             JOIN partner_loyalty_member_period period ON period.member_id = member.id
                            WHERE member.program_id = %(program)s AND member.partner_id = sale.loyalty_partner_id
                              AND period.date_from <= %(day)s
                              AND (period.date_to IS NULL OR period.date_to >= %(day)s))
          ORDER BY sale.partner_id, sale.loyalty_partner_id, sale.date_order DESC, sale.id DESC
            """,
            company=self.company_id.id,
            program=self.id,
            start=periods.utc_day_start(last - timedelta(days=ASKING_DAYS), self.tz),
            end=periods.utc_day_start(last + timedelta(days=1), self.tz),
            since=fields.Datetime.now() - timedelta(days=ANSWER_DAYS),
            day=local_day(SQL("sale.date_order")),
            can_be_asked=self._get_customer_condition(),
        )

    @api.model
    def _get_customer_condition(self):
        """Return whether ``customer`` can be asked about ``sale``: by mail, and not at an address of who is rated.

        :rtype: SQL
        """
        return SQL(
            """customer.active AND customer.email_normalized IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM res_partner own
                                WHERE own.commercial_partner_id = sale.loyalty_partner_id
                                  AND own.email_normalized = customer.email_normalized)
               AND NOT EXISTS (SELECT 1 FROM mail_blacklist blacklist
                                WHERE blacklist.email = customer.email_normalized AND blacklist.active)"""
        )

    # === GETTERS ===#

    def _get_refusal_of_survey(self):
        """Return why customers cannot be asked by the survey of a program, or False."""
        self.ensure_one()
        # Surveys are not open to who looks after a program.
        survey_sudo = self.quality_survey_id.sudo()
        terms = {"survey": survey_sudo.title, "program": self.name}
        if not survey_sudo:
            return False
        if not survey_sudo.active:
            return self.env._("The survey “%(survey)s” is archived: choose another one for “%(program)s”.", **terms)
        if survey_sudo.scoring_type == "no_scoring":
            return self.env._(
                "The survey “%(survey)s” gives no score: switch on its scoring, or choose another one for "
                "“%(program)s”.",
                **terms,
            )
        if survey_sudo.certification:
            return self.env._(
                "The survey “%(survey)s” is a certification: choose one for “%(program)s” that asks customers.", **terms
            )
        if survey_sudo.users_login_required:
            return self.env._(
                "The survey “%(survey)s” requires a login, which customers do not have: allow answers without one, or "
                "choose another survey for “%(program)s”.",
                **terms,
            )
        return False
