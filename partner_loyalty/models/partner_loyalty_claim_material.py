from odoo import api, fields, models


class PartnerLoyaltyClaimMaterial(models.AbstractModel):
    """Claims that are files: those of the reward that suit the member today."""

    _name = "partner.loyalty.claim.material"
    _description = "Marketing Material Claimed"

    # === FIELDS ===#

    file_ids = fields.Many2many(comodel_name="partner.loyalty.reward.file", string="Files", compute="_compute_file_ids")

    # === COMPUTE METHODS ===#

    @api.depends("state", "reward_id.file_ids", "member_id.root_id.tier_id", "partner_id.lang")
    def _compute_file_ids(self):
        for claim in self:
            files = claim.reward_id.file_ids if claim.state == "fulfilled" else claim.reward_id.file_ids.browse()
            claim.file_ids = files._get_suiting(claim.member_id.root_id)
