from odoo import api, fields, models
from odoo.exceptions import ValidationError


class PartnerLoyaltyCampaignMixin(models.AbstractModel):
    """Something of a program that can be promoted under a campaign, together with others."""

    _name = "partner.loyalty.campaign.mixin"
    _description = "Part of a Campaign"

    # === FIELDS ===#

    campaign_id = fields.Many2one(
        comodel_name="utm.campaign",
        string="Promotion Campaign",
        index="btree_not_null",
        groups="base.group_user",
        help="What this promotes, together with others. It changes nothing of what members earn.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("campaign_id", "program_id")
    def _check_campaign_company(self):
        for record in self:
            company = record.campaign_id.company_id
            if company and company != record.company_id:
                raise ValidationError(
                    self.env._(
                        "The campaign “%(campaign)s” belongs to %(other)s, and “%(name)s” to %(company)s: "
                        "choose a campaign of its own company.",
                        campaign=record.campaign_id.display_name,
                        other=company.name,
                        name=record.display_name,
                        company=record.company_id.name,
                    )
                )
