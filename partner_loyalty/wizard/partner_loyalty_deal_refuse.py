from odoo import fields, models


class PartnerLoyaltyDealRefuse(models.TransientModel):
    """Refuses deals; their customers are not protected."""

    _name = "partner.loyalty.deal.refuse"
    _description = "Refuse Deal"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "deal_ids"

    # === FIELDS ===#

    deal_ids = fields.Many2many(
        comodel_name="partner.loyalty.deal",
        default=lambda self: self._get_active_records("partner.loyalty.deal"),
    )
    reason = fields.Char(help="Shown on the deal to who registered it.")
