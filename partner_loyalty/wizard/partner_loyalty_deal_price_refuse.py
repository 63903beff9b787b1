from odoo import fields, models


class PartnerLoyaltyDealPriceRefuse(models.TransientModel):
    """Refuses special prices; their deals stay as they are."""

    _name = "partner.loyalty.deal.price.refuse"
    _description = "Refuse Special Price"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "deal_ids"
    _refusal = "action_refuse_price"

    # === FIELDS ===#

    deal_ids = fields.Many2many(
        comodel_name="partner.loyalty.deal",
        default=lambda self: self._get_active_records("partner.loyalty.deal"),
    )
    reason = fields.Char(help="Shown to the member with the deal.")
