from odoo import fields, models


class PartnerLoyaltyAdjustmentRefuse(models.TransientModel):
    """Refuses adjustments; nothing is posted."""

    _name = "partner.loyalty.adjustment.refuse"
    _description = "Refuse Adjustment"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "adjustment_ids"

    # === FIELDS ===#

    adjustment_ids = fields.Many2many(
        comodel_name="partner.loyalty.adjustment",
        relation="partner_loyalty_adjustment_refuse_rel",
        default=lambda self: self._get_active_records("partner.loyalty.adjustment"),
    )
    reason = fields.Char(help="Shown on the adjustment to who asked for it.")
