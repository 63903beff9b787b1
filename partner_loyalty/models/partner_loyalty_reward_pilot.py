from odoo import fields, models


class PartnerLoyaltyReward(models.Model):
    """Rewards that are tried are not open to the control group."""

    _inherit = "partner.loyalty.reward"

    # === FIELDS ===#

    pilot_ids = fields.One2many(
        comodel_name="partner.loyalty.pilot",
        inverse_name="reward_id",
        string="Pilots",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )

    # === BUSINESS METHODS - AVAILABILITY ===#

    def _get_refusal_of_audience(self, member, segments):
        """Override: the control group of a pilot cannot have the reward in its days."""
        refusal = super()._get_refusal_of_audience(member, segments)
        if refusal:
            return refusal
        today = self.program_id._get_today()
        # Partners ask for rewards, and cannot see pilots.
        if any(pilot_sudo._is_held_back(member, today) for pilot_sudo in self.sudo().pilot_ids):
            return self.env._(
                "“%(reward)s” is not open to %(member)s yet: choose another reward.",
                reward=self.name,
                member=member.partner_id.display_name,
            )
        return None
