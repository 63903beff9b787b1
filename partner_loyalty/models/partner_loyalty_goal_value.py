from odoo import fields, models


class PartnerLoyaltyGoalValue(models.Model):
    """A figure from outside, such as the market share: entered or imported with its day and its source."""

    _name = "partner.loyalty.goal.value"
    _description = "Figure from Outside"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _rec_name = "reference"

    # === FIELDS ===#

    goal_id = fields.Many2one(
        comodel_name="partner.loyalty.goal",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('scope', '=', 'outside')]",
    )
    company_id = fields.Many2one(related="goal_id.company_id", store=True, index=True)
    date = fields.Date(required=True, default=fields.Date.context_today, help="The day that the figure is about.")
    value = fields.Float(required=True, digits=(18, 4), aggregator="avg")
    reference = fields.Char(string="Source", required=True, help="Where the figure comes from: a study, a report.")

    # === CONSTRAINTS ===#

    _goal_date_unique = models.UniqueIndex(
        "(goal_id, date, md5(reference))",
        "This goal has a figure for this day from this source already: change that one instead.",
    )
