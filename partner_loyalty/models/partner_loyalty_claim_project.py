from odoo import api, fields, models
from odoo.exceptions import ValidationError


class PartnerLoyaltyClaimProject(models.AbstractModel):
    """Claims that are projects: their milestones, and what came of them. The brief is the text of the claim."""

    _name = "partner.loyalty.claim.project"
    _description = "Joint Project Claimed"

    # === FIELDS ===#

    milestone_ids = fields.One2many(
        comodel_name="partner.loyalty.claim.milestone", inverse_name="claim_id", string="Milestones"
    )
    result = fields.Text(copy=False, help="What came of the project, for the member to read.")

    # === CONSTRAINT METHODS ===#

    @api.constrains("result")
    def _check_result(self):
        for claim in self:
            if claim.state == "fulfilled":
                raise ValidationError(self.env._("%s was fulfilled with its result, and that stands.", claim.name))
