from odoo import fields, models

from .partner_loyalty_claim_consulting import HOUR_DIGITS


class PartnerLoyaltyRewardConsulting(models.AbstractModel):
    """Rewards that are hours of somebody's time: had with the approval, and counted down as they are spent."""

    _name = "partner.loyalty.reward.consulting"
    _description = "Consulting as a Reward"

    # === FIELDS ===#

    hours = fields.Float(digits=HOUR_DIGITS, aggregator=None, help="To be spent on each claim.")

    # === CONSTRAINTS ===#

    _hours_range = models.Constraint(
        "CHECK (hours >= 0 AND hours <= 10000)", "A reward gives up to 10,000 hours: enter how many."
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_consulting(self):
        if not self.hours:
            return self.env._("“%s” gives hours: enter how many.", self.name)
        return None

    def _start_consulting(self, claim):
        """Note how many hours there are, whatever the reward gives later on."""
        # The hours are set by the program alone.
        claim.sudo().hour_amount = self.hours * claim.quantity
