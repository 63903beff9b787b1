from odoo import models


class PartnerLoyaltyProgramAdvice(models.AbstractModel):
    """A program can be looked through for what to change."""

    _name = "partner.loyalty.program.advice"
    _description = "Self-Check of a Program"

    # === ACTION METHODS ===#

    def action_advise(self):
        """Look through the program, and show what was found with where to change it."""
        self.ensure_one()
        advice = self.env["partner.loyalty.advice"]._advise(self)
        return {
            "type": "ir.actions.act_window",
            "name": advice.display_name,
            "res_model": advice._name,
            "res_id": advice.id,
            "view_mode": "form",
        }
