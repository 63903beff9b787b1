from odoo import api, fields, models

# What decides what a contact sees in the portal: record rules remember it.
RIGHT_FIELDS = {"is_company", "loyalty_portal_right", "parent_id"}
# Salespeople see the memberships of their own customers.
READER_GROUPS = "partner_loyalty.partner_loyalty_group_officer,sales_team.group_sale_salesman"
PORTAL_RIGHTS = [("owner", "Owner"), ("finance", "Finance"), ("sales", "Sales")]


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "partner.loyalty.support.mixin"]
    _support_field = "commercial_partner_id"

    # === FIELDS ===#

    loyalty_member_ids = fields.One2many(
        comodel_name="partner.loyalty.member",
        inverse_name="partner_id",
        string="Loyalty Programs",
        groups=READER_GROUPS,
    )
    loyalty_member_count = fields.Integer(compute="_compute_loyalty_summary", groups=READER_GROUPS)
    loyalty_summary = fields.Char(
        string="Loyalty",
        compute="_compute_loyalty_summary",
        groups=READER_GROUPS,
        help="Programs and tiers of the company.",
    )
    loyalty_portal_right = fields.Selection(
        selection=PORTAL_RIGHTS,
        string="Right in the Loyalty Portal",
        # Anybody may duplicate a contact; the other one has no right yet.
        copy=False,
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="Owner: everything, and accepts the terms. Finance: statements, money and payouts. "
        "Sales, as every contact has it at first: points, rewards and deals, and no money.",
    )
    # Record rules ask for it.
    loyalty_sees_money = fields.Boolean(
        compute="_compute_loyalty_sees_money", groups="partner_loyalty.partner_loyalty_group_officer"
    )

    # === COMPUTE METHODS ===#

    @api.depends("commercial_partner_id.loyalty_member_ids.tier_id")
    @api.depends_context("uid")
    def _compute_loyalty_summary(self):
        for partner in self:
            members = partner.commercial_partner_id.loyalty_member_ids._filtered_access("read").filtered(
                lambda member: not member.merged_into_id
            )
            partner.loyalty_member_count = len(members)
            partner.loyalty_summary = ", ".join(
                f"{member.program_id.name}: {member.tier_id.name}" if member.tier_id else member.program_id.name
                for member in members
            )

    @api.depends("loyalty_portal_right", "commercial_partner_id")
    def _compute_loyalty_sees_money(self):
        for partner in self:
            partner.loyalty_sees_money = partner._get_loyalty_right() != "sales"

    # === CRUD METHODS ===#

    def write(self, vals):
        result = super().write(vals)
        if RIGHT_FIELDS & vals.keys() and self._has_login():
            self.env.registry.clear_cache()
        return result

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

    # === GETTERS ===#

    def _has_login(self):
        """Return whether one of the partners or of their contacts logs in."""
        # Who logs in is for others to read than those who change a contact.
        users_sudo = self.env["res.users"].sudo()
        return bool(users_sudo.search_count([("partner_id", "child_of", self.ids)], limit=1))

    def _get_loyalty_right(self):
        """Return what the contact may see and do in the portal for its company: ``owner``, ``finance`` or ``sales``.

        The company itself may do everything; a contact that was given nothing belongs to sales.

        :rtype: str
        """
        self.ensure_one()
        return "owner" if self == self.commercial_partner_id else self.loyalty_portal_right or "sales"
