from odoo import fields, models


class SurveyQuestion(models.Model):
    _inherit = "survey.question"

    # === FIELDS ===#

    loyalty_measure = fields.Selection(
        selection=[
            ("csat", "Satisfaction, from 1 to 5"),
            ("nps", "Would recommend, from 0 to 10"),
            ("need", "What matters"),
            ("comment", "Comment"),
        ],
        string="Loyalty",
        help="What the answer of a loyalty member tells. Comments come with the satisfaction.",
    )


class SurveyQuestionAnswer(models.Model):
    _inherit = "survey.question.answer"

    # === FIELDS ===#

    loyalty_reward_kind = fields.Selection(
        selection=lambda self: self.env["partner.loyalty.reward"]._fields["kind"]._description_selection(self.env),
        string="Loyalty Reward",
        help="The kind of reward that the answer asks for: what matters is compared with what is used.",
    )
