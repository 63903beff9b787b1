from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyAttributionRefuse(models.TransientModel):
    _name = "partner.loyalty.attribution.refuse"
    _description = "Refuse Attribution Change"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    attribution_ids = fields.Many2many(
        comodel_name="partner.loyalty.attribution",
        relation="partner_loyalty_attribution_refuse_rel",
        string="Attribution Changes",
        default=lambda self: self._get_active_records("partner.loyalty.attribution"),
    )
    reason = fields.Char(required=True, help="Shown on the attribution change to who asked for it.")

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse the changes; the documents stay as they are.

        :raises UserError: when nothing is chosen
        """
        if not self.attribution_ids:
            raise UserError(self.env._("Choose what to refuse."))
        self.attribution_ids.action_refuse(self.reason)
