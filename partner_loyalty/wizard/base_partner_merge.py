from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    # === BUSINESS METHODS ===#

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Override of base: what the contacts are in loyalty programs becomes one before the keys are rewritten."""
        self.env["partner.loyalty.touch"]._merge_contacts(src_partners, dst_partner)
        self.env["partner.loyalty.member"]._merge_contacts(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
