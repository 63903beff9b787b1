from odoo import models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "partner.loyalty.attribution.mixin"]

    # === BUSINESS METHODS ===#

    def _prepare_opportunity_quotation_context(self):
        context = super()._prepare_opportunity_quotation_context()
        if self.loyalty_partner_id:
            context["default_loyalty_partner_id"] = self.loyalty_partner_id.id
        return context

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), "loyalty_partner_id"]
