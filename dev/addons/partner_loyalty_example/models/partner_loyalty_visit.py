from odoo import api, fields, models


class PartnerLoyaltyVisit(models.Model):
    """A client whom a partner brought to our showroom: a document that can earn, because its changes are noted."""

    _name = "partner.loyalty.visit"
    _description = "Visit to the Showroom"
    _inherit = ["partner.loyalty.touch.mixin"]

    # === FIELDS ===#

    name = fields.Char(string="Client", required=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner", required=True, index=True, domain="[('is_company', '=', True)]"
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, default=lambda self: self.env.company)
    date = fields.Date(required=True, default=fields.Date.context_today)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        visits = super().create(vals_list)
        visits._mark_loyalty()
        return visits

    def write(self, vals):
        with self._marking_loyalty(True):
            return super().write(vals)

    def unlink(self):
        self._mark_loyalty()
        return super().unlink()

    # === GETTERS ===#

    def _get_loyalty_standing(self):
        return self.partner_id, self.env["res.partner"], self.date
