from odoo import fields, models
from odoo.fields import Domain

from ..const import PERIODS
from ..tools import periods
from ..tools.window import Window


class PartnerLoyaltyProgramLeaderboard(models.AbstractModel):
    """The leaderboards of a program: who is the best by a metric in a period."""

    _name = "partner.loyalty.program.leaderboard"
    _description = "Leaderboards of a Program"

    # === FIELDS ===#

    leaderboard_metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        string="Leaderboard by",
        index="btree_not_null",
        ondelete="set null",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="Members see on their pages who is ahead by this metric; there is no leaderboard where it is empty.",
    )
    leaderboard_period = fields.Selection(
        selection=PERIODS, string="Leaderboard of the", required=True, default="month"
    )

    # === BUSINESS METHODS ===#

    def _get_leaderboard(self, metric, window, viewer_member=None, limit=None):
        """Return the members by their value of a metric, the best first; equal ones share their place.

        Who has no value has no place, nor has who did nothing of what is added up.

        :param metric: ``partner.loyalty.metric``
        :param Window window: days, see :meth:`_get_leaderboard_window`
        :param viewer_member: the member that looks at it: of the others, it sees the names of those who agreed to be
            named. Staff see all names.
        :param int limit: only so many places, and that of the viewer
        :return: dicts of ``rank``, ``member`` (empty where the viewer may not know which one it is), ``name``,
            ``value``, ``text`` (the value as people read it) and ``is_viewer``
        :rtype: list[dict]
        """
        self.ensure_one()
        values = self._get_leaderboard_values(metric, window)
        # Members see each other's places and nothing else; the names are left out below.
        members_sudo = self.env["partner.loyalty.member"].sudo().search(self._get_leaderboard_domain(window))
        members_sudo = members_sudo.filtered(lambda member: member.id in values)
        sign = 1 if metric.direction == "down" else -1
        viewer_sudo = viewer_member.sudo().turnover_root_id if viewer_member else members_sudo.browse()
        rows, rank, best = [], 0, None
        for place, member_sudo in enumerate(members_sudo.sorted(lambda one: (sign * values[one.id], one.id)), start=1):
            value = values[member_sudo.id]
            rank, best = (rank if rank and value == best else place), value
            if limit is None or place <= limit or member_sudo == viewer_sudo:
                rows.append({"rank": rank, **self._prepare_leaderboard_row(metric, member_sudo, value, viewer_member)})
        return rows

    def _get_honored_members(self, limit=12):
        """Return the members that stand out and agreed to be named: those of the highest tiers, then with most badges.

        :param int limit: so many at most
        :return: dicts of ``name``, ``tier`` (``partner.loyalty.tier``), ``badges`` (recordset of
            ``gamification.badge``) and ``since`` (date)
        :rtype: list[dict]
        """
        self.ensure_one()
        # Whoever looks at it sees what these members agreed to show, and nothing else of them.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        members_sudo = members_sudo.search(
            [("program_id", "=", self.id), ("state", "=", "active"), ("is_named_on_leaderboard", "=", True)]
        )
        order = {tier.id: place for place, tier in enumerate(self.sudo()._get_tiers())}
        best_sudo = members_sudo.filtered(lambda member: member.badge_ids or order.get(member.tier_id.id)).sorted(
            lambda member: (-order.get(member.tier_id.id, -1), -len(member.badge_ids), member.date_from, member.id)
        )
        return [
            {
                "name": member_sudo.partner_id.display_name,
                "tier": member_sudo.tier_id,
                "badges": member_sudo.badge_ids.badge_id,
                "since": member_sudo.date_from,
            }
            for member_sudo in best_sudo[:limit]
        ]

    def _get_leaderboard_values(self, metric, window):
        """Return the values of those who have a place, by id of the member."""
        # Who may see the leaderboard need not be able to open the metric.
        values = metric.sudo()._get_values(self, window)
        is_best_at_zero = metric.direction == "down"
        return {key: value for key, value in values.items() if value is not None and (value or is_best_at_zero)}

    def _prepare_leaderboard_row(self, metric, member_sudo, value, viewer_member):
        """Return what a viewer sees of a member; see :meth:`_get_leaderboard`."""
        # Partners see the places of all and the names of some, and have no right on metrics.
        is_viewer = bool(viewer_member) and member_sudo == viewer_member.sudo().turnover_root_id
        is_named = not viewer_member or is_viewer or member_sudo.is_named_on_leaderboard
        return {
            "member": member_sudo.with_env(self.env) if is_named else member_sudo.browse().with_env(self.env),
            "name": member_sudo.partner_id.display_name if is_named else self.env._("Member"),
            "value": value,
            "text": metric.sudo()._format_value(value, self.sudo().currency_id),
            "is_viewer": is_viewer,
        }

    def _get_leaderboard_window(self, day, period):
        """Return the calendar period that a day lies in, as far as it has come.

        :param date day: any day of it
        :param str period: month, quarter, half or year
        :rtype: Window
        """
        self.ensure_one()
        first = periods.period_start(day, period)
        last = min(periods.period_end(first, period), self._get_today())
        return Window(first, max(first, last), periods.MONTHS_BY_PERIOD[period])

    def _get_leaderboard_domain(self, window):
        """Return who was a member within a window.

        :rtype: Domain
        """
        return Domain(
            [("program_id", "=", self.id), ("merged_into_id", "=", False), ("date_from", "<=", window.last)]
        ) & (Domain("date_to", "=", False) | Domain("date_to", ">=", window.first))
