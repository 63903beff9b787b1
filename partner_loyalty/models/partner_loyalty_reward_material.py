from odoo import fields, models


class PartnerLoyaltyRewardMaterial(models.AbstractModel):
    """Rewards that are files: had at once, with what is added to them later on."""

    _name = "partner.loyalty.reward.material"
    _description = "Marketing Material as a Reward"

    # === FIELDS ===#

    file_ids = fields.One2many(
        comodel_name="partner.loyalty.reward.file", inverse_name="reward_id", string="Files", copy=True
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_material(self):
        if not self.file_ids:
            return self.env._("“%s” gives files: add at least one.", self.name)
        return None
