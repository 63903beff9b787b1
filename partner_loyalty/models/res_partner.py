from odoo import api, fields, models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "partner.loyalty.support.mixin"]
    _support_field = "commercial_partner_id"

    # === FIELDS ===#

    loyalty_member_ids = fields.One2many(
        comodel_name="partner.loyalty.member",
        inverse_name="partner_id",
        string="Loyalty Programs",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )
    loyalty_member_count = fields.Integer(
        compute="_compute_loyalty_summary", groups="partner_loyalty.partner_loyalty_group_officer"
    )
    loyalty_summary = fields.Char(
        string="Loyalty",
        compute="_compute_loyalty_summary",
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="Programs and tiers of the company.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("commercial_partner_id.loyalty_member_ids.tier_id")
    def _compute_loyalty_summary(self):
        for partner in self:
            members = partner.commercial_partner_id.loyalty_member_ids.filtered(
                lambda member: not member.merged_into_id
            )
            partner.loyalty_member_count = len(members)
            partner.loyalty_summary = ", ".join(
                f"{member.program_id.name}: {member.tier_id.name}" if member.tier_id else member.program_id.name
                for member in members
            )

    # === ACTION METHODS ===#

    def action_view_loyalty_members(self):
        """Show the memberships of the company."""
        self.ensure_one()
        members = self.commercial_partner_id.loyalty_member_ids
        members = members.filtered(lambda member: not member.merged_into_id) or members
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_member_action")
        if len(members) == 1:
            return {**action, "views": [(False, "form")], "res_id": members.id}
        return {**action, "domain": [("id", "in", members.ids)], "context": {"loyalty_show_program": True}}

    def action_enroll_loyalty(self):
        """Open the dialog that makes these partners members of a program."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_enroll_action"),
            "context": {"default_partner_ids": self.ids},
        }
