from odoo import api, fields, models


class PartnerLoyaltyRuleRate(models.Model):
    """The rate of a rule for members in one tier, for products of one category, or for these in that tier."""

    _name = "partner.loyalty.rule.rate"
    _description = "Rate by Tier or Category"
    _inherit = ["partner.loyalty.rule.part.mixin"]
    _order = "tier_id"

    # === FIELDS ===#

    program_id = fields.Many2one(related="rule_id.program_id")
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('program_id', '=', program_id)]",
        help="All tiers where empty.",
    )
    categ_id = fields.Many2one(
        comodel_name="product.category",
        string="Product Category",
        index="btree_not_null",
        ondelete="restrict",
        help="Products of this category and those below it; all products where empty. The nearest category counts.",
    )
    rate = fields.Float(digits=(16, 4), required=True)

    # === CONSTRAINTS ===#

    _rule_tier_unique = models.UniqueIndex(
        "(rule_id, COALESCE(tier_id, 0), COALESCE(categ_id, 0))",
        "A rule has one rate for each tier and category: change the one that is there.",
    )
    _tier_or_category = models.Constraint(
        "CHECK (tier_id IS NOT NULL OR categ_id IS NOT NULL)",
        "A rate is for a tier, a product category or both: choose one of them.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("rate", "tier_id", "categ_id", "rule_id")
    def _check_with_rule(self):
        self.rule_id._check_rates()
        self.rule_id._check_category_rates()
        self.rule_id._check_tiers_of_program()
