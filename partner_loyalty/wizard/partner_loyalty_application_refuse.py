from odoo import fields, models


class PartnerLoyaltyApplicationRefuse(models.TransientModel):
    """Refuses applications; the applicants are told why."""

    _name = "partner.loyalty.application.refuse"
    _description = "Refuse Application"
    _inherit = ["partner.loyalty.refuse.mixin"]
    _refused_field = "application_ids"

    # === FIELDS ===#

    application_ids = fields.Many2many(
        comodel_name="partner.loyalty.application",
        relation="partner_loyalty_application_refuse_rel",
        default=lambda self: self._get_active_records("partner.loyalty.application"),
    )
    reason = fields.Char(help="The applicant reads it in an e-mail.")
