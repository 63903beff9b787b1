from odoo import fields, models


class PartnerLoyaltyMemberRecognition(models.AbstractModel):
    """What a member is known for: its badges, and whether others read its name on leaderboards."""

    _name = "partner.loyalty.member.recognition"
    _description = "Recognition of a Member"

    # === FIELDS ===#

    is_named_on_leaderboard = fields.Boolean(
        string="Named on Leaderboards",
        copy=False,
        tracking=True,
        help="Other members see the name of this one on leaderboards. Without it they see its place and value alone.",
    )
    need_ids = fields.One2many(
        comodel_name="partner.loyalty.need",
        inverse_name="member_id",
        string="What Matters to It",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )
    is_named_in_public = fields.Boolean(
        string="Named in Public",
        copy=False,
        tracking=True,
        help="The public page of the program names this member and its tier to everybody.",
    )
    badge_ids = fields.One2many(comodel_name="partner.loyalty.badge", inverse_name="member_id", string="Badges")
