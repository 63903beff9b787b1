from odoo import api, models


class PartnerLoyaltyMetric(models.Model):
    """Bonus actions, goals and pilots are users of metrics."""

    _inherit = "partner.loyalty.metric"

    # === CONSTRAINT METHODS ===#

    @api.constrains("source", "kind", "aggregate", "field", "base_id", "is_growth")
    def _check_goals(self):
        # Whoever changes a metric has to know of goals in other companies, too.
        self.env["partner.loyalty.goal"].sudo().search([("metric_id", "in", self.ids)])._check_adds_up()

    # === BUSINESS METHODS ===#

    def _get_rewarding(self):
        """Override: bonus actions give by a metric, or by a goal that is about one."""
        actions = self.env["partner.loyalty.bonus.action"].with_context(active_test=False)
        uses = ["|", ("metric_id", "=", self.id), "&", ("condition", "=", "goal"), ("goal_id.metric_id", "=", self.id)]
        return [*super()._get_rewarding(), *actions.search(uses).mapped("name")]

    def _get_users(self):
        """Override: bonus actions, goals and pilots cannot be worked out without their metric."""
        # Whoever deletes a metric has to know of what uses it in other companies, too.
        uses = [("metric_id", "=", self.id)]
        actions_sudo = self.env["partner.loyalty.bonus.action"].sudo().search(uses)
        goals_sudo = self.env["partner.loyalty.goal"].sudo().search(uses)
        pilots_sudo = self.env["partner.loyalty.pilot"].sudo().search(uses)
        users = [*actions_sudo.mapped("name"), *goals_sudo.mapped("name"), *pilots_sudo.mapped("name")]
        return [*super()._get_users(), *users]
