from odoo import fields, models


class PartnerLoyaltyMemberOwnedMixin(models.AbstractModel):
    """Something that belongs to one member: whose it is, in which program and company, and in which currency."""

    _name = "partner.loyalty.member.owned.mixin"
    _description = "Owned by a Member"

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('merged_into_id', '=', False)]",
    )
    # Stored, so that record rules, groups and totals find them without the member.
    program_id = fields.Many2one(related="member_id.program_id", store=True, index=True)
    partner_id = fields.Many2one(related="member_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
