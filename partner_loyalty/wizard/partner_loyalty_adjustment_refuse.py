from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyAdjustmentRefuse(models.TransientModel):
    _name = "partner.loyalty.adjustment.refuse"
    _description = "Refuse Adjustment"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    adjustment_ids = fields.Many2many(
        comodel_name="partner.loyalty.adjustment",
        relation="partner_loyalty_adjustment_refuse_rel",
        default=lambda self: self._get_active_records("partner.loyalty.adjustment"),
    )
    reason = fields.Char(required=True, help="Shown on the adjustment to who asked for it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the adjustments; nothing is posted.

        :raises UserError: when nothing is chosen
        """
        if not self.adjustment_ids:
            raise UserError(self.env._("Choose what to refuse."))
        self.adjustment_ids.action_refuse(self.reason)
