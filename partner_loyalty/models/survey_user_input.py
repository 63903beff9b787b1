import logging

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

# What of a completed certification moves what it earns, beside its score.
TOUCHING_FIELDS = {"end_datetime", "partner_id", "state", "survey_id", "test_entry"}


class SurveyUserInput(models.Model):
    _name = "survey.user_input"
    _inherit = ["survey.user_input", "partner.loyalty.touch.mixin", "partner.loyalty.protected.mixin"]
    # Only who was asked rates a partner, and once.
    _protected_fields = frozenset(
        {"loyalty_due_date", "loyalty_member_id", "loyalty_order_id", "loyalty_purpose", "loyalty_rated_partner_id"}
    )

    # === FIELDS ===#

    loyalty_holder_id = fields.Many2one(
        comodel_name="res.partner",
        string="Certified Company",
        compute="_compute_loyalty_holder_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company whose contact took part, as it was then: who moves to another company takes nothing along.",
    )

    loyalty_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="About the Order",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="The order whose customer was asked how it was served.",
    )
    loyalty_rated_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Rated Partner",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The partner whose service the answer is about: who brought the order when its customer was asked.",
    )

    loyalty_member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Asked as Member",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The loyalty member that was asked what matters to it, or how satisfied it is.",
    )
    loyalty_purpose = fields.Selection(
        selection=[("needs", "What Matters"), ("satisfaction", "Satisfaction")],
        string="Asked about",
        readonly=True,
        copy=False,
    )
    loyalty_due_date = fields.Date(string="Due since", readonly=True, copy=False)

    # === CONSTRAINTS ===#

    # What was passed is read by the moment it was completed.
    _loyalty_passed_idx = models.Index("(end_datetime) WHERE state = 'done' AND scoring_success")

    # A customer is asked about an order once.
    _loyalty_order_unique = models.UniqueIndex("(loyalty_order_id) WHERE loyalty_order_id IS NOT NULL")

    # A member is asked the same once in a period.
    _loyalty_period_unique = models.UniqueIndex(
        "(loyalty_member_id, loyalty_purpose, loyalty_due_date) WHERE loyalty_member_id IS NOT NULL"
    )

    # === COMPUTE METHODS ===#

    @api.depends("partner_id")
    def _compute_loyalty_holder_id(self):
        for answer in self:
            answer.loyalty_holder_id = answer.partner_id.commercial_partner_id

    def _compute_scoring_success(self):
        result = super()._compute_scoring_success()
        self._mark_loyalty()
        return result

    # === CRUD METHODS ===#

    def write(self, vals):
        with self._marking_loyalty(TOUCHING_FIELDS & vals.keys()):
            return super().write(vals)

    def unlink(self):
        self._mark_loyalty()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _mark_done(self):
        self._forget_own_ratings()
        result = super()._mark_done()
        self._fulfill_loyalty_claims()
        self._tell_loyalty_opinions()
        return result

    def _tell_loyalty_opinions(self):
        """Note what members said that matters to them, and how satisfied they are."""
        models_by_purpose = {"needs": "partner.loyalty.need", "satisfaction": "partner.loyalty.feedback"}
        # Who answers has no right on what is made of it; what goes wrong with that keeps nobody from finishing.
        env_sudo = self.env(user=SUPERUSER_ID)
        for answer_sudo in self.filtered(lambda answer: not answer.test_entry).with_env(env_sudo):
            if not answer_sudo.loyalty_member_id or not answer_sudo.loyalty_purpose:
                continue
            try:
                with self.env.cr.savepoint():
                    env_sudo[models_by_purpose[answer_sudo.loyalty_purpose]]._take_answer(answer_sudo)
            except UserError as error:
                _logger.warning("Answer %s was not taken as an opinion: %s", answer_sudo.id, error)

    def _fulfill_loyalty_claims(self):
        """Let members have the trainings and certifications that their contacts have done now."""
        # Who takes part need not know of rewards; what goes wrong with one keeps nobody from finishing.
        claims_sudo = self.env["partner.loyalty.claim"].with_user(SUPERUSER_ID)
        for answer_sudo in self.filtered(lambda answer: not answer.test_entry).with_env(claims_sudo.env):
            try:
                with self.env.cr.savepoint():
                    claims_sudo._take_answer(answer_sudo)
            except UserError as error:
                _logger.warning("A claim was not fulfilled by answer %s: %s", answer_sudo.id, error)

    def _forget_own_ratings(self):
        """Let answers not count that the rated partner gives itself, by the link that its customer was sent."""
        company = self.env.user.partner_id.commercial_partner_id
        own = self.filtered(lambda answer: answer.loyalty_rated_partner_id == company)
        # The order stays, so that nobody is asked about it again.
        own_sudo = own.sudo()
        own_sudo.loyalty_rated_partner_id = False

    def _get_counting_for_loyalty(self):
        """Return the completed certifications, passed or not: a score that changes is not known as it was."""
        # Who answers a survey need not see how it is set up.
        return self.filtered(
            lambda answer: answer.state == "done" and not answer.test_entry and answer.survey_id.sudo().certification
        )

    def _get_loyalty_standing(self):
        return self.loyalty_holder_id, self.env["res.partner"], self.end_datetime
