from odoo import fields, models


class PartnerLoyaltyAttributionRefuse(models.TransientModel):
    """Refuses changes of the attribution; the documents stay as they are."""

    _name = "partner.loyalty.attribution.refuse"
    _description = "Refuse Attribution Change"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "attribution_ids"

    # === FIELDS ===#

    attribution_ids = fields.Many2many(
        comodel_name="partner.loyalty.attribution",
        relation="partner_loyalty_attribution_refuse_rel",
        string="Attribution Changes",
        default=lambda self: self._get_active_records("partner.loyalty.attribution"),
    )
    reason = fields.Char(help="Shown on the attribution change to who asked for it.")
