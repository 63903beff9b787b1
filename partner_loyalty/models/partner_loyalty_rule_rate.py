from odoo import api, fields, models


class PartnerLoyaltyRuleRate(models.Model):
    """The rate of a rule for members in one tier."""

    _name = "partner.loyalty.rule.rate"
    _description = "Rate by Tier"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "tier_id"

    # === FIELDS ===#

    rule_id = fields.Many2one(comodel_name="partner.loyalty.rule", required=True, index=True, ondelete="cascade")
    program_id = fields.Many2one(related="rule_id.program_id")
    company_id = fields.Many2one(related="rule_id.company_id", store=True)
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('program_id', '=', program_id)]",
    )
    rate = fields.Float(digits=(16, 4), required=True)

    # === CONSTRAINTS ===#

    _rule_tier_unique = models.UniqueIndex(
        "(rule_id, tier_id)", "A rule has one rate for each tier: change the one that is there."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("rate", "tier_id", "rule_id")
    def _check_with_rule(self):
        self.rule_id._check_rates()
        self.rule_id._check_tiers_of_program()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        rates.rule_id._check_not_frozen()
        return rates

    def write(self, vals):
        self.rule_id._check_not_frozen()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_frozen(self):
        self.rule_id._check_not_frozen()
