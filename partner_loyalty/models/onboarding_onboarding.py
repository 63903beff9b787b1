from odoo import api, models
from odoo.exceptions import AccessError

MANAGER = "partner_loyalty.partner_loyalty_group_manager"


class OnboardingOnboarding(models.Model):
    _inherit = "onboarding.onboarding"

    # === ACTION METHODS ===#

    @api.model
    def action_close_panel_partner_loyalty(self):
        """Close the panel of the first steps; the settings bring it back."""
        self._get_partner_loyalty_sudo()._search_or_create_progress().action_close()

    @api.model
    def action_show_panel_partner_loyalty(self):
        """Bring the panel of the first steps back, and open the page that it is on."""
        self._get_partner_loyalty_sudo()._search_or_create_progress().is_onboarding_closed = False
        return self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_todo_action")

    # === BUSINESS METHODS ===#

    @api.model
    def get_partner_loyalty_panel(self):
        """Return what the panel of the first steps shows, or False for who is no manager or has closed it.

        :return: the ``steps``, and ``completed``: what to say where all were done just now
        :rtype: dict | bool
        """
        if not self.env.user.has_group(MANAGER):
            return False
        panel_sudo = self._get_partner_loyalty_sudo()
        is_first_look = not panel_sudo.current_progress_id
        progress_sudo = panel_sudo._search_or_create_progress()
        if progress_sudo.is_onboarding_closed:
            return False
        steps = self.env["onboarding.onboarding.step"]
        done, allowed = steps._get_partner_loyalty_done(), steps._get_partner_loyalty_allowed()
        panel_sudo.step_ids._set_partner_loyalty_done(done)
        states = panel_sudo._prepare_rendering_values()["state"]
        is_completed = states.get("onboarding_state") == "just_done"
        if is_completed:
            # It is said once, and then the panel stays away; who has set up everything already need not be told.
            progress_sudo.action_close()
            if is_first_look:
                return False
        return {
            "steps": [
                {
                    **step_sudo._get_partner_loyalty_vals(),
                    "state": states[step_sudo.id],
                    "is_allowed": allowed.get(step_sudo.panel_step_open_action_name, True),
                }
                for step_sudo in panel_sudo.step_ids
            ],
            "completed": is_completed and panel_sudo.text_completed,
        }

    # === GETTERS ===#

    @api.model
    def _get_partner_loyalty_sudo(self):
        """Return the panel of the first steps as the administrator, who alone has rights on panels.

        :raises AccessError: for who is no manager of loyalty programs
        """
        if not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("The first steps are for loyalty managers: ask an administrator to make you one.")
            )
        # Odoo lets administrators of the system alone read panels; nothing of them is secret.
        return self.sudo().env.ref("partner_loyalty.onboarding_panel")
