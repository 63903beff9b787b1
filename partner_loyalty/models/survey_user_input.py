from odoo import api, fields, models

# What of a completed certification moves what it earns, beside its score.
TOUCHING_FIELDS = {"end_datetime", "partner_id", "state", "survey_id", "test_entry"}


class SurveyUserInput(models.Model):
    _name = "survey.user_input"
    _inherit = ["survey.user_input", "partner.loyalty.touch.mixin"]

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

    # === CONSTRAINTS ===#

    # What was passed is read by the moment it was completed.
    _loyalty_passed_idx = models.Index("(end_datetime) WHERE state = 'done' AND scoring_success")

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

    def _get_counting_for_loyalty(self):
        """Return the completed certifications, passed or not: a score that changes is not known as it was."""
        return self.filtered(
            lambda answer: answer.state == "done" and not answer.test_entry and answer.survey_id.sudo().certification
        )

    def _get_loyalty_standing(self):
        return self.loyalty_holder_id, self.env["res.partner"], self.end_datetime
