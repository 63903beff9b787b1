from odoo import fields, models

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltyMemberBonus(models.AbstractModel):
    """The bonuses of a member."""

    _name = "partner.loyalty.member.bonus"
    _description = "Bonuses of a Member"

    # === FIELDS ===#

    bonus_count = fields.Integer(string="Bonuses", compute="_compute_bonus_count", groups=OFFICER)

    # === COMPUTE METHODS ===#

    def _compute_bonus_count(self):
        counts = dict(
            self.env["partner.loyalty.bonus.line"]._read_group(
                [("member_id", "in", self.ids), ("state", "=", "given")], ["member_id"], ["__count"]
            )
        )
        for member in self:
            member.bonus_count = counts.get(member, 0)

    # === ACTION METHODS ===#

    def action_view_bonuses(self):
        """Show what the member got by bonus actions, and what it just missed."""
        action = self._get_related_action("partner_loyalty.partner_loyalty_bonus_line_action")
        return {**action, "domain": [*action["domain"], ("is_preview", "=", False)]}
