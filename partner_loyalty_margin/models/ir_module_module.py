from odoo import models
from odoo.exceptions import UserError

MODULE = "partner_loyalty_margin"


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    # === ACTION METHODS ===#

    def button_uninstall(self):
        self._check_margins_stay()
        return super().button_uninstall()

    # === BUSINESS METHODS ===#

    def _check_margins_stay(self):
        """Refuse to uninstall the module by which statement lines were worked out, unless these go as well.

        :raises UserError: where a rule has posted by the margin
        """
        names = set((self | self.downstream_dependencies()).mapped("name"))
        if MODULE not in names or "partner_loyalty" in names:
            return
        # Who may uninstall is told of the rules of all companies.
        rules_sudo = self.env["partner.loyalty.rule"].sudo().with_context(active_test=False)
        rule = rules_sudo.search([("formula", "=", "margin"), ("has_entries", "=", True)], limit=1)
        if rule:
            raise UserError(
                self.env._(
                    "“%(rule)s” has posted statement lines by the margin, which nobody could check without this app: "
                    "keep the app, and set an end date on the rule to stop it.",
                    rule=rule.name,
                )
            )
