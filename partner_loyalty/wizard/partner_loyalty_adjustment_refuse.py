from odoo import fields, models


class PartnerLoyaltyAdjustmentRefuse(models.TransientModel):
    _name = "partner.loyalty.adjustment.refuse"
    _description = "Refuse Adjustment"

    # === FIELDS ===#

    adjustment_ids = fields.Many2many(
        comodel_name="partner.loyalty.adjustment",
        relation="partner_loyalty_adjustment_refuse_rel",
        default=lambda self: self.env.context.get("active_ids"),
    )
    reason = fields.Char(required=True, help="Shown on the adjustment to who asked for it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the adjustments; nothing is posted."""
        self.adjustment_ids.action_refuse(self.reason)
