from odoo import fields, models


class PartnerLoyaltyMetric(models.Model):
    _inherit = "partner.loyalty.metric"

    # === FIELDS ===#

    kind = fields.Selection(
        selection_add=[("visit", "Visit to the Showroom")],
        ondelete={"visit": lambda metrics: metrics.unlink()},
    )
