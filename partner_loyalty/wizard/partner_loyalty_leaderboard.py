from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..const import PERIODS
from ..tools.window import Window


class PartnerLoyaltyLeaderboard(models.TransientModel):
    """Shows who of a program is the best by a metric in a period; staff see all names."""

    _name = "partner.loyalty.leaderboard"
    _description = "Leaderboard"
    _inherit = ["partner.loyalty.ranking.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_metric_id(self):
        return self.env.ref("partner_loyalty.partner_loyalty_metric_points_earned", raise_if_not_found=False)

    # === FIELDS ===#

    metric_id = fields.Many2one(string="Best by", default=lambda self: self._default_metric_id())
    period = fields.Selection(selection=[*PERIODS, ("days", "Other Days")], required=True, default="month")
    date = fields.Date(
        string="With the Day",
        required=True,
        default=fields.Date.context_today,
        help="The month, quarter or year that this day lies in.",
    )
    date_from = fields.Date(string="From", required=True, default=fields.Date.context_today)
    date_to = fields.Date(string="Until", required=True, default=fields.Date.context_today)
    line_ids = fields.One2many(comodel_name="partner.loyalty.leaderboard.line", inverse_name="leaderboard_id")

    # === ACTION METHODS ===#

    def action_show(self):
        """Rank the members and show them.

        :raises UserError: where nobody has anything to be ranked by
        """
        self._check_may_rank()
        window = self._get_window()
        rows = self.program_id._get_leaderboard(self.metric_id, window)
        if not rows:
            raise UserError(
                self.env._(
                    "Nobody in “%(program)s” has a place by “%(metric)s” in this period: "
                    "choose another day, or another metric.",
                    program=self.program_id.name,
                    metric=self.metric_id.name,
                )
            )
        self.line_ids = [Command.clear(), *(Command.create(self._prepare_line_vals(row)) for row in rows)]
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "partner_loyalty.partner_loyalty_leaderboard_line_action"
        )
        return {**action, "name": self._get_title(window), "domain": [("leaderboard_id", "=", self.id)]}

    # === BUSINESS METHODS ===#

    def _get_window(self):
        """Return the days that count, as far as they have come.

        :rtype: Window
        :raises UserError: where they end before they start
        """
        if self.period != "days":
            return self.program_id._get_leaderboard_window(self.date, self.period)
        if self.date_to < self.date_from:
            raise UserError(self.env._("The days end before they start: choose a later end or an earlier start."))
        return Window(self.date_from, max(self.date_from, min(self.date_to, self.program_id._get_today())))

    @api.model
    def _prepare_line_vals(self, row):
        """Return the values of a line; see ``partner.loyalty.program._get_leaderboard``."""
        return {
            "rank": row["rank"],
            "member_id": row["member"].id,
            "value": float(row["value"]),
            "text": row["text"],
        }

    def _get_title(self, window):
        return self.env._(
            "%(program)s: %(metric)s, %(first)s – %(last)s",
            program=self.program_id.name,
            metric=self.metric_id.name,
            first=format_date(self.env, window.first),
            last=format_date(self.env, window.last),
        )


class PartnerLoyaltyLeaderboardLine(models.TransientModel):
    """The place of one member."""

    _name = "partner.loyalty.leaderboard.line"
    _description = "Place on a Leaderboard"
    _inherit = ["partner.loyalty.ranking.line.mixin"]
    _order = "leaderboard_id, rank, id"

    # === FIELDS ===#

    leaderboard_id = fields.Many2one(
        comodel_name="partner.loyalty.leaderboard", required=True, ondelete="cascade", index=True
    )
    is_named_on_leaderboard = fields.Boolean(related="member_id.is_named_on_leaderboard")
    rank = fields.Integer(string="Place")
