from odoo import fields, models


class PartnerLoyaltyParticipation(models.Model):
    """A member that has said it takes part in a campaign.

    What it earns is said by the promotions alone: each can be for all, or only for who has joined.
    """

    _name = "partner.loyalty.participation"
    _description = "Campaign Joined"
    _inherit = ["partner.loyalty.protected.mixin", "partner.loyalty.input.mixin", "partner.loyalty.member.owned.mixin"]
    _order = "id desc"
    _rec_name = "campaign_id"
    _protected_after_create_fields = frozenset({"campaign_id", "member_id"})

    # === FIELDS ===#

    campaign_id = fields.Many2one(comodel_name="utm.campaign", required=True, index=True, ondelete="cascade")
    member_id = fields.Many2one(ondelete="cascade", readonly=True)
    contact_id = fields.Many2one(comodel_name="res.partner", index="btree_not_null", help="Who has said so.")
    date = fields.Date(string="Since", required=True, default=fields.Date.context_today)

    # === CONSTRAINTS ===#

    _campaign_member_unique = models.UniqueIndex(
        "(campaign_id, member_id)", "The member takes part in this campaign already."
    )
