from odoo import api, fields, models
from odoo.exceptions import ValidationError


class PartnerLoyaltyMetricValue(models.Model):
    """A value of a metric that somebody found out and entered or imported, with the day it is about and its source."""

    _name = "partner.loyalty.metric.value"
    _description = "Metric Value"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _rec_name = "metric_id"
    _check_company_auto = True

    # === FIELDS ===#

    metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('source', '=', 'entered')]",
        check_company=True,
    )
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('merged_into_id', '=', False)]",
    )
    program_id = fields.Many2one(related="member_id.program_id", store=True, index=True)
    company_id = fields.Many2one(related="member_id.company_id", store=True, index=True)
    date = fields.Date(required=True, default=fields.Date.context_today, help="The day that the value is about.")
    value = fields.Float(required=True, digits=(18, 4), aggregator="avg")
    reference = fields.Char(string="Source", required=True, help="Where the value comes from: a report, an audit.")
    reason = fields.Text(help="Why it is this value, where that is worth telling.")

    # === CONSTRAINTS ===#

    _metric_member_date_unique = models.UniqueIndex(
        "(metric_id, member_id, date, md5(reference))",
        "This metric has a value of the member for this day from this source already: change that one instead.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("metric_id")
    def _check_metric_is_entered(self):
        for value in self:
            if value.metric_id.source != "entered":
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” is worked out and takes no values: choose a metric of entered values.",
                        metric=value.metric_id.name,
                    )
                )

    @api.constrains("metric_id", "value")
    def _check_score(self):
        for value in self:
            if not 0 <= value.value <= 100 and value.metric_id._is_audit_score():
                raise ValidationError(
                    self.env._(
                        "A score of “%(metric)s” is from 0 to 100, and cannot be %(value)s: enter a number in between.",
                        metric=value.metric_id.name,
                        value=value.value,
                    )
                )

    # === CRUD METHODS ===#

    @api.model
    def get_import_templates(self):
        """Offer a file to fill in."""
        return [
            {
                "label": self.env._("Import Template for Metric Values"),
                "template": "/partner_loyalty/static/xls/partner_loyalty_metric_value.xlsx",
            }
        ]
