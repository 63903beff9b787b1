from odoo import api, fields, models


class PartnerLoyaltyTierCriterion(models.Model):
    """What a tier asks for beside turnover: a metric, and the value that it has to reach."""

    _name = "partner.loyalty.tier.criterion"
    _description = "Tier Criterion"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "tier_id, sequence, id"
    _rec_name = "metric_id"

    # === FIELDS ===#

    tier_id = fields.Many2one(comodel_name="partner.loyalty.tier", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    program_id = fields.Many2one(related="tier_id.program_id", store=True, index=True)
    company_id = fields.Many2one(related="tier_id.company_id", store=True)
    metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        required=True,
        index=True,
        ondelete="restrict",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
    )
    minimum = fields.Float(
        string="Value",
        required=True,
        digits=(18, 4),
        aggregator=None,
        help="The least that the metric has to be, or the most where less is better.",
    )
    unit = fields.Selection(related="metric_id.unit")
    direction = fields.Selection(related="metric_id.direction")

    # === CONSTRAINTS ===#

    _tier_metric_unique = models.UniqueIndex(
        "(tier_id, metric_id)", "A tier asks for each metric once: change the line that is there."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("metric_id")
    def _check_metric(self):
        for criterion in self:
            criterion.metric_id._check_usable_for(criterion.tier_id.name, criterion.company_id)
            criterion.metric_id._check_can_reward(criterion.tier_id.name)

    @api.constrains("minimum", "metric_id", "tier_id")
    def _check_rising(self):
        self.tier_id.program_id._check_tiers_rise()
