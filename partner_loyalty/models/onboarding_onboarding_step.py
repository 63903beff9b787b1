from odoo import api, models
from odoo.exceptions import UserError


class OnboardingOnboardingStep(models.Model):
    _inherit = "onboarding.onboarding.step"

    # === ACTION METHODS ===#

    @api.model
    def action_open_step_loyalty_payout(self):
        """Choose journal and product of payouts for the company."""
        view = self.env.ref("partner_loyalty.res_company_view_form_onboarding")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal and Product of Payouts"),
            "res_model": "res.company",
            "res_id": self.env.company.id,
            "views": [(view.id, "form")],
            "target": "new",
        }

    @api.model
    def action_open_step_loyalty_program(self):
        """Choose a template, or show the programs where there are some."""
        xmlid = "partner_loyalty_program_action" if self._get_loyalty_programs() else "partner_loyalty_template_action"
        return self.env["ir.actions.act_window"]._for_xml_id(f"partner_loyalty.{xmlid}")

    @api.model
    def action_open_step_loyalty_member(self):
        """Enroll partners in the first program.

        :raises UserError: where there is none
        """
        program = self._get_loyalty_programs().filtered(lambda program: program.state != "closed")[:1]
        if not program:
            raise UserError(self.env._("There is no program to enroll partners in: choose a template first."))
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_enroll_action")
        return {**action, "context": {"default_program_id": program.id}}

    @api.model
    def action_open_step_loyalty_portal(self):
        """Invite contacts of members to the portal, by Odoo's own dialog.

        :raises UserError: where nobody is a member
        """
        partners = self._get_loyalty_members(limit=20).partner_id
        if not partners:
            raise UserError(self.env._("There is no member to invite: enroll partners first."))
        return self.env["portal.wizard"].with_context(active_ids=partners.ids).action_open_wizard()

    # === BUSINESS METHODS ===#

    def _set_partner_loyalty_done(self, done):
        """Note which of the steps are done by now, however that came about.

        :param dict done: see :meth:`_get_partner_loyalty_done`
        """
        for step in self:
            if step.current_step_state == "not_done" and done.get(step.panel_step_open_action_name):
                step.action_set_just_done()

    # === GETTERS ===#

    @api.model
    def _get_partner_loyalty_done(self):
        """Return whether each step is done in the company of the user, by the method that opens it.

        :rtype: dict[str, bool]
        """
        company, programs, members = self.env.company, self._get_loyalty_programs(), self._get_loyalty_members()
        logins = [("share", "=", True), ("partner_id.commercial_partner_id", "in", members.partner_id.ids)]
        can_bill = company.loyalty_payout_journal_id and company.loyalty_payout_product_id
        return {
            "action_open_step_company_data": bool(company.street),
            "action_open_step_loyalty_payout": bool(
                can_bill or programs.filtered(lambda program: program.payout_journal_id and program.payout_product_id)
            ),
            "action_open_step_loyalty_program": bool(programs),
            "action_open_step_loyalty_member": bool(members),
            "action_open_step_loyalty_portal": bool(members) and bool(self.env["res.users"].search(logins, limit=1)),
        }

    @api.model
    def _get_partner_loyalty_allowed(self):
        """Return whether the user may do what a step asks for, by the method that opens it; what is missing is free.

        :rtype: dict[str, bool]
        """
        can_write = self.env.company.has_access("write")
        return {
            "action_open_step_company_data": can_write,
            "action_open_step_loyalty_payout": can_write,
            "action_open_step_loyalty_portal": self.env["portal.wizard"].has_access("create"),
        }

    def _get_partner_loyalty_vals(self):
        """Return what the panel shows of a step, whoever looks at it.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "button": self.button_text,
            "done_text": self.done_text,
            "image": f"/base/static/img/{self.step_image_filename}",
            "method": self.panel_step_open_action_name,
        }

    @api.model
    def _get_loyalty_programs(self):
        return self.env["partner.loyalty.program"].search([("company_id", "=", self.env.company.id)])

    @api.model
    def _get_loyalty_members(self, limit=None):
        members = self.env["partner.loyalty.member"]
        return members.search([("company_id", "=", self.env.company.id), ("merged_into_id", "=", False)], limit=limit)
