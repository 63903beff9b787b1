from odoo import models


class PartnerLoyaltyMetric(models.Model):
    """Bonus actions are users of metrics."""

    _inherit = "partner.loyalty.metric"

    # === BUSINESS METHODS ===#

    def _get_users(self):
        """Override: bonus actions cannot be worked out without their metric."""
        # Whoever deletes a metric has to know of actions in other companies, too.
        actions_sudo = self.env["partner.loyalty.bonus.action"].sudo().search([("metric_id", "=", self.id)])
        return [*super()._get_users(), *actions_sudo.mapped("name")]
