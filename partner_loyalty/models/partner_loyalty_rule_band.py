from odoo import api, fields, models


class PartnerLoyaltyRuleBand(models.Model):
    """From how much on a rule earns which rate; the next band begins where this one ends."""

    _name = "partner.loyalty.rule.band"
    _description = "Band of a Loyalty Rule"
    _inherit = ["partner.loyalty.rule.part.mixin"]
    _order = "rule_id, threshold, id"

    # === FIELDS ===#

    threshold = fields.Float(string="From Amount", digits=(18, 4), required=True, aggregator=None)
    rate = fields.Float(digits=(16, 4), required=True, aggregator=None)

    # === CONSTRAINTS ===#

    _rule_threshold_unique = models.UniqueIndex(
        "(rule_id, threshold)", "Two bands of a rule cannot begin with the same figure: change one of them."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("threshold", "rate", "rule_id")
    def _check_with_rule(self):
        self.rule_id._check_bands()
