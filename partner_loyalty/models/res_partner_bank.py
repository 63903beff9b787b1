from odoo import api, models

# What of a bank account decides where money goes.
DECIDING_FIELDS = {"acc_number", "active", "partner_id", "sequence", "company_id"}


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        banks = super().create(vals_list)
        banks._follow_loyalty_payouts(banks.partner_id)
        return banks

    def write(self, vals):
        partners = self.partner_id
        result = super().write(vals)
        if DECIDING_FIELDS & vals.keys():
            self._follow_loyalty_payouts(partners | self.partner_id)
        return result

    def unlink(self):
        partners = self.partner_id
        result = super().unlink()
        self._follow_loyalty_payouts(partners)
        return result

    # === BUSINESS METHODS ===#

    @api.model
    def _follow_loyalty_payouts(self, partners):
        """Let payouts that were approved for another bank account be approved again."""
        self.env["partner.loyalty.payout"]._follow_bank_accounts(partners)
