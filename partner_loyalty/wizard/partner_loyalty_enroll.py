from odoo import api, fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyEnroll(models.TransientModel):
    _name = "partner.loyalty.enroll"
    _description = "Enroll Partners"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_partner_ids(self):
        return self._get_active_records("res.partner")

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        domain="[('state', '!=', 'closed'), ('company_id', 'in', allowed_company_ids)]",
    )
    date_from = fields.Date(
        string="Member since",
        required=True,
        default=fields.Date.context_today,
        help="Sales from this day on earn. For a day in the past, apply the program to the past afterwards.",
    )
    partner_ids = fields.Many2many(
        comodel_name="res.partner", string="Partners", default=lambda self: self._default_partner_ids()
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.enroll.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )
    enroll_count = fields.Integer(compute="_compute_line_ids")

    # === COMPUTE METHODS ===#

    @api.depends("program_id", "partner_ids")
    def _compute_line_ids(self):
        for wizard in self:
            companies = wizard.partner_ids._origin.commercial_partner_id
            reasons = wizard.program_id._get_cannot_enroll_reason(companies) if wizard.program_id else {}
            wizard.line_ids = [
                fields.Command.clear(),
                *(
                    fields.Command.create({"partner_id": company.id, "reason": reasons.get(company)})
                    for company in companies
                ),
            ]
            wizard.enroll_count = len(companies) - len(reasons)

    # === ACTION METHODS ===#

    def action_enroll(self):
        """Enroll those of the partners who can be, and show their memberships.

        :raises UserError: when none of them can
        """
        self.ensure_one()
        companies = self.partner_ids.commercial_partner_id
        if not companies:
            raise UserError(self.env._("Choose at least one partner to enroll."))
        reasons = self.program_id._get_cannot_enroll_reason(companies)
        able = companies.filtered(lambda company: company not in reasons)
        if not able:
            raise UserError("\n".join(reasons.values()))
        members = self.program_id._enroll(dict.fromkeys(able, self.date_from))
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_member_action")
        if len(members) == 1:
            return {**action, "views": [(False, "form")], "res_id": members.id}
        return {**action, "domain": [("id", "in", members.ids)]}


class PartnerLoyaltyEnrollLine(models.TransientModel):
    """One company that is about to be enrolled, or the reason why not."""

    _name = "partner.loyalty.enroll.line"
    _description = "Partner to Enroll"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.enroll", required=True, ondelete="cascade", index=True)
    partner_id = fields.Many2one(comodel_name="res.partner", string="Company", readonly=True)
    reason = fields.Char(string="Cannot Be Enrolled", readonly=True)
