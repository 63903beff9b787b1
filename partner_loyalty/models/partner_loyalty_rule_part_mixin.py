from odoo import api, fields, models


class PartnerLoyaltyRulePartMixin(models.AbstractModel):
    """A line of the terms of a rule: it stands still, as the rule does, once statement lines were worked out by it."""

    _name = "partner.loyalty.rule.part.mixin"
    _description = "Part of a Loyalty Rule"
    _inherit = ["partner.loyalty.input.mixin"]

    # === FIELDS ===#

    rule_id = fields.Many2one(comodel_name="partner.loyalty.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts.rule_id._check_not_frozen()
        return parts

    def write(self, vals):
        self.rule_id._check_not_frozen()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_frozen(self):
        self.rule_id._check_not_frozen()
