from datetime import timedelta

from odoo import fields, models


class PartnerLoyaltyReward(models.Model):
    _inherit = "partner.loyalty.reward"

    # === FIELDS ===#

    kind = fields.Selection(
        selection_add=[("loan", "Demonstration Unit on Loan")],
        # What was given stays with its claims; nobody can claim it any more.
        ondelete={"loan": lambda rewards: rewards.write({"active": False, "kind": "product"})},
    )
    loan_days = fields.Integer(string="Days of the Loan", aggregator=None)

    # === BUSINESS METHODS ===#

    def _get_kind_fields(self):
        return [*super()._get_kind_fields(), "loan_days"]

    def _get_missing_text_loan(self):
        if self.loan_days <= 0:
            return self.env._("“%s” is lent: enter for how many days.", self.name)
        return None

    def _fulfill_loan(self, claim):
        """Note until when the member has the unit."""
        claim._set_valid_until(self.program_id._get_today() + timedelta(days=self.loan_days))
