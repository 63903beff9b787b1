from odoo import api, fields, models


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    # === FIELDS ===#

    loyalty_entry_count = fields.Integer(compute="_compute_loyalty_entry_count")

    # === COMPUTE METHODS ===#

    @api.depends("module_ids")
    def _compute_loyalty_entry_count(self):
        for wizard in self:
            is_lost = "partner_loyalty" in wizard._get_modules().mapped("name")
            # Who may uninstall is told of all statements, also of other companies.
            entry_sudo = self.env["partner.loyalty.entry"].sudo()
            wizard.loyalty_entry_count = entry_sudo.search_count([]) if is_lost else 0

    # === ACTION METHODS ===#

    def action_view_loyalty_entries(self):
        """Show the statement lines, to be exported before they are deleted."""
        return self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_entry_action")
