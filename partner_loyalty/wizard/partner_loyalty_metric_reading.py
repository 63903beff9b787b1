from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..const import PERIODS


class PartnerLoyaltyMetricReading(models.TransientModel):
    """Lists the values that all members of a program have of a metric, the best first."""

    _name = "partner.loyalty.metric.reading"
    _description = "Values of All Members"
    _inherit = ["partner.loyalty.ranking.mixin"]

    # === FIELDS ===#

    period = fields.Selection(selection=PERIODS, string="Over the Last", required=True, default="year")
    date = fields.Date(
        string="Up to", required=True, default=fields.Date.context_today, help="The last day of the period."
    )
    goal_id = fields.Many2one(
        comodel_name="partner.loyalty.goal",
        ondelete="cascade",
        readonly=True,
        help="What the members are to reach, over its own days.",
    )
    line_ids = fields.One2many(comodel_name="partner.loyalty.metric.reading.line", inverse_name="wizard_id")

    # === ACTION METHODS ===#

    def action_read_values(self):
        """Work out the values and show them.

        :raises UserError: where nobody was a member then
        """
        self._check_may_rank()
        lines = self._get_line_vals()
        if not lines:
            raise UserError(
                self.env._(
                    "Nobody was a member of “%(program)s” in this period: choose a later day, or another program.",
                    program=self.program_id.name,
                )
            )
        self.line_ids = [Command.clear(), *map(Command.create, lines)]
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "partner_loyalty.partner_loyalty_metric_reading_line_action"
            ),
            "name": self._get_title(),
            "domain": [("wizard_id", "=", self.id)],
            "context": {"has_goal": self.goal_id.scope == "member"},
        }

    # === BUSINESS METHODS ===#

    def _get_line_vals(self):
        """Return the values of the members in their order, those without a value last.

        :rtype: list[dict]
        """
        metric, window = self.metric_id, self._get_window()
        values = metric._get_values(self.program_id, window)
        members = self.env["partner.loyalty.member"].search(self._get_member_domain(window))
        # What counts for another member, which took it over, is in the value of that one.
        member_ids = [member_id for member_id in members.ids if member_id in values]
        rank_by_value = self._get_rank_by_value([values[member_id] for member_id in member_ids])
        lines = [
            {
                "member_id": member_id,
                "rank": rank_by_value[values[member_id]],
                "value": float(values[member_id] or 0),
                "text": metric._format_value(values[member_id], self.program_id.currency_id),
                **self._prepare_goal_vals(values[member_id]),
            }
            for member_id in member_ids
        ]
        return sorted(lines, key=lambda line: line["rank"] or len(lines) + 1)

    def _prepare_goal_vals(self, value):
        """Return how far a value is from the goal of each member, where the dialog is about one."""
        goal = self.goal_id
        if goal.scope != "member":
            return {}
        return {"is_reached": goal._is_reached_by(value), "gap_text": goal._get_gap_text(value)}

    def _get_rank_by_value(self, values):
        """Return which rank a value has; equal ones share it, and no value has none."""
        ranks = {None: 0}
        known = [value for value in values if value is not None]
        for rank, value in enumerate(sorted(known, reverse=self.metric_id.direction == "up"), start=1):
            ranks.setdefault(value, rank)
        return ranks

    def _get_window(self):
        if self.goal_id:
            return self.goal_id._get_window(self.date)
        return self.metric_id._get_trailing_window(self.date, self.period)

    def _get_member_domain(self, window):
        """Return who was a member within a window."""
        return [
            ("program_id", "=", self.program_id.id),
            ("merged_into_id", "=", False),
            ("date_from", "<=", window.last),
            "|",
            ("date_to", "=", False),
            ("date_to", ">=", window.first),
        ]

    def _get_title(self):
        if self.goal_id:
            return self.goal_id.name
        return self.env._(
            "%(metric)s in “%(program)s”", metric=self.metric_id.name, program=self.program_id.display_name
        )


class PartnerLoyaltyMetricReadingLine(models.TransientModel):
    """The value of one member."""

    _name = "partner.loyalty.metric.reading.line"
    _description = "Value of a Member"
    _inherit = ["partner.loyalty.ranking.line.mixin"]
    _order = "wizard_id, id"

    # === FIELDS ===#

    wizard_id = fields.Many2one(
        comodel_name="partner.loyalty.metric.reading", required=True, ondelete="cascade", index=True
    )
    is_reached = fields.Boolean(string="Reached", readonly=True)
    gap_text = fields.Char(string="Missing", readonly=True)
