from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..tools import periods
from ..tools.window import Window

# The days that a goal can have; the first and the last one are in the constraint as well.
FIRST_YEAR = 1900
LAST_YEAR = 9899
MAX_DAYS = 3660


class PartnerLoyaltyGoal(models.Model):
    """What members are to reach by a day, each of them or all together, and how far they have come."""

    _name = "partner.loyalty.goal"
    _description = "Loyalty Goal"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "date_to desc, id desc"

    # === DEFAULT METHODS ===#

    @api.model
    def _default_date_from(self):
        return periods.period_start(fields.Date.context_today(self), "quarter")

    @api.model
    def _default_date_to(self):
        return periods.period_end(self._default_date_from(), "quarter")

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        index=True,
        ondelete="restrict",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
    )
    unit = fields.Selection(
        selection=[
            ("money", "Money"),
            ("number", "Plain Number"),
            ("percent", "Percent"),
            ("days", "Days"),
            ("hours", "Hours"),
            ("points", "Points"),
        ],
        compute="_compute_kind_of_value",
        compute_sudo=True,
    )
    direction = fields.Selection(
        selection=[("up", "More is better"), ("down", "Less is better")],
        compute="_compute_kind_of_value",
        compute_sudo=True,
    )
    scope = fields.Selection(
        selection=[("member", "Each Member"), ("program", "All Members Together")],
        string="For",
        required=True,
        default="member",
        help="All members together have what each of them has, added up.",
    )
    date_from = fields.Date(string="Start", required=True, default=lambda self: self._default_date_from())
    date_to = fields.Date(string="End", required=True, default=lambda self: self._default_date_to())
    target = fields.Float(
        required=True,
        digits=(18, 4),
        aggregator=None,
        help="The least that the metric has to be over these days, or the most where less is better.",
    )
    # Not as superuser: a form asks for it, and says something about the sales of a program.
    baseline = fields.Float(
        digits=(18, 4),
        compute="_compute_baseline",
        compute_sudo=False,
        store=True,
        readonly=False,
        aggregator=None,
        help="What all members together had in the same time just before. It is worked out anew when the metric or the "
        "days change, and only compared with.",
    )
    actual = fields.Float(
        digits=(18, 4),
        compute="_compute_progress",
        aggregator=None,
        help="What all members together have up to today, or how many members have reached the target.",
    )
    member_count = fields.Integer(string="Number of Members", compute="_compute_progress")
    reached_count = fields.Integer(string="Members Who Reached It", compute="_compute_progress")
    progress = fields.Float(string="Progress (%)", digits=(16, 1), compute="_compute_progress", aggregator=None)
    is_reached = fields.Boolean(
        string="Reached", compute="_compute_progress", help="As of today, by all members together or by each of them."
    )
    summary = fields.Char(compute="_compute_progress")
    is_shown = fields.Boolean(
        string="Shown to Members", help="Members read it on their pages, with how far they have come themselves."
    )
    action_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.action", inverse_name="goal_id", string="Bonus Actions", readonly=True
    )

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to >= date_from)",
        "A goal cannot end before it starts: choose a later end or an earlier start.",
    )
    _dates_plausible = models.Constraint(
        "CHECK (date_from >= '1900-01-01' AND date_to < '9900-01-01' AND date_to - date_from < 3660)",
        "A goal lasts ten years at most: enter all four digits of the years, and choose an earlier end.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("metric_id.unit", "metric_id.direction")
    def _compute_kind_of_value(self):
        for goal in self:
            goal.unit = goal.metric_id.unit
            goal.direction = goal.metric_id.direction

    @api.depends("program_id", "metric_id", "scope", "date_from", "date_to")
    def _compute_baseline(self):
        for goal in self:
            goal.baseline = goal._get_baseline()

    @api.depends("program_id", "metric_id", "metric_id.direction", "scope", "date_from", "date_to", "target")
    @api.depends_context("lang")
    def _compute_progress(self):
        for goal in self:
            goal.update(goal._get_progress_vals())

    # === CONSTRAINT METHODS ===#

    @api.constrains("metric_id", "program_id")
    def _check_metric(self):
        for goal in self.filtered("metric_id"):
            goal.metric_id._check_usable_for(goal.name, goal.company_id)

    @api.constrains("metric_id", "scope")
    def _check_adds_up(self):
        for goal in self:
            if goal.scope == "program" and goal.metric_id and not goal.metric_id._adds_up():
                raise ValidationError(
                    self.env._(
                        "The values of members cannot be added up by “%(metric)s”: let “%(goal)s” be for each member, "
                        "or choose a metric that is added up or counted.",
                        metric=goal.metric_id.name,
                        goal=goal.name,
                    )
                )

    @api.constrains("target", "metric_id")
    def _check_target(self):
        for goal in self:
            if goal.direction == "up" and not goal.target_change and not round(goal.target, 4):
                raise ValidationError(
                    self.env._(
                        "Zero is reached without doing anything: enter the target of “%(goal)s”.", goal=goal.name
                    )
                )

    @api.constrains("program_id", "scope", "metric_id")
    def _check_actions(self):
        # Whoever changes a goal has to know what else depends on it.
        actions_sudo = self.sudo().action_ids
        actions_sudo._check_goal()
        actions_sudo._check_rewards()
        actions_sudo._check_effects()

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for goal, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", goal.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for goal in self:
            # See _check_actions.
            actions_sudo = goal.sudo().action_ids
            if actions_sudo:
                raise UserError(
                    self.env._(
                        "“%(goal)s” is used by %(actions)s: choose another condition there first.",
                        goal=goal.name,
                        actions=", ".join(actions_sudo.mapped("name")),
                    )
                )

    # === ACTION METHODS ===#

    def action_view_members(self):
        """List the members with their values: who has reached the target, and who is missing how much.

        :raises UserError: where there is nothing to see yet
        """
        self.ensure_one()
        self.check_access("read")
        if not self._has_begun():
            raise UserError(
                self.env._(
                    "“%(goal)s” begins on %(day)s, and nothing is measured before: look at it then.",
                    goal=self.name,
                    day=format_date(self.env, self.date_from),
                )
            )
        reading = self.env["partner.loyalty.metric.reading"].create(self._prepare_reading_vals())
        return reading.action_read_values()

    # === BUSINESS METHODS ===#

    def _is_measurable(self):
        """Return whether enough is filled in, with days that make sense, and the user may see what is measured."""
        self.ensure_one()
        if not (self.metric_id and self.program_id and self._has_plausible_days()):
            return False
        if not (self.program_id.has_access("read") and self.metric_id.has_access("read")):
            return False
        return self.scope == "member" or self.metric_id._adds_up()

    def _has_plausible_days(self):
        """Return whether the days are such as can be saved."""
        return (
            bool(self.date_from and self.date_to)
            and self.date_from.year >= FIRST_YEAR
            and self.date_to.year <= LAST_YEAR
            and 0 <= (self.date_to - self.date_from).days < MAX_DAYS
        )

    def _has_begun(self):
        """Return whether there is something to measure."""
        self.ensure_one()
        return self.date_from <= self.program_id._get_today()

    def _is_reached_by(self, value):
        """Return whether a value is good enough; nothing is known of who has none.

        :param value: number, or None where there is none
        """
        self.ensure_one()
        if value is None:
            return False
        gap = self._get_gap(value)
        return gap >= 0 if self.direction == "down" else gap <= 0

    def _prepare_reading_vals(self):
        """Return the values of the dialog that lists the members."""
        return {
            "metric_id": self.metric_id.id,
            "program_id": self.program_id.id,
            "goal_id": self.id,
            "date": self._get_window(self.program_id._get_today()).last,
        }

    # === GETTERS ===#

    def _get_window(self, day):
        """Return the days of the goal, as far as they have come on a day.

        :rtype: Window
        """
        self.ensure_one()
        last = max(self.date_from, min(self.date_to, day))
        return Window(self.date_from, last, periods.whole_months(self.date_from, self.date_to))

    def _get_values(self, window):
        """Return the values of the members over some days, by id of the member that they count for.

        :rtype: dict
        """
        # Who may see a goal sees its figures, though not each document behind them.
        return self.metric_id.sudo()._get_values(self.program_id, window)

    def _get_total(self, values):
        """Return what all members together have.

        :param dict values: see :meth:`_get_values`
        :rtype: Decimal
        """
        return sum((self._get_exact(value) for value in values.values() if value), Decimal(0))

    @api.model
    def _get_exact(self, number):
        """Return a number as it was before the database handed it over as a float: with four decimals."""
        return Decimal(f"{number:.4f}")

    def _get_gap(self, value):
        """Return what has to come to a value for it to be the target.

        :rtype: Decimal
        """
        return self._get_exact(self.target) - self._get_exact(value)

    def _get_baseline(self):
        """Return what all members together had in the same time just before; nothing where each counts for itself."""
        if self.scope != "program" or not self._is_measurable():
            return 0
        return float(self._get_total(self._get_values(self._get_window(self.date_to).get_previous())))

    def _get_progress_vals(self):
        """Return how far the goal is today.

        :rtype: dict
        """
        vals = {
            "actual": 0,
            "member_count": 0,
            "reached_count": 0,
            "progress": 0,
            "is_reached": False,
            "summary": False,
        }
        if not self._is_measurable():
            return vals
        if not self._has_begun():
            return {**vals, "summary": self.env._("It begins on %s.", format_date(self.env, self.date_from))}
        window = self._get_window(self.program_id._get_today())
        values = self._get_values(window)
        vals |= self._get_counts(values, window)
        return vals | (self._get_total_vals(values) if self.scope == "program" else self._get_count_vals(vals))

    def _get_counts(self, values, window):
        """Return how many members there are, and how many of them have reached the target.

        :param dict values: see :meth:`_get_values`
        """
        # See _get_values.
        members_sudo = self.env["partner.loyalty.member"].sudo().search(self.program_id._get_leaderboard_domain(window))
        # What counts for another member is not asked for twice.
        own = [values[member_id] for member_id in members_sudo.ids if member_id in values]
        return {"member_count": len(own), "reached_count": sum(map(self._is_reached_by, own))}

    def _get_total_vals(self, values):
        """Return how far all members together are."""
        total = self._get_total(values)
        return {
            "actual": float(total),
            "is_reached": self._is_reached_by(total),
            "progress": self._get_share(total),
            "summary": self.env._(
                "%(metric)s of all members together: %(value)s, asked for: %(bound)s",
                metric=self.metric_id.name,
                value=self.metric_id._format_value(total, self.currency_id),
                bound=self._get_bound_text(),
            ),
        }

    def _get_count_vals(self, counts):
        """Return how far the members are, one by one."""
        reached, members = counts["reached_count"], counts["member_count"]
        return {
            "actual": reached,
            "is_reached": bool(members) and reached == members,
            "progress": 100 * reached / members if members else 0,
            "summary": self.env._(
                "%(metric)s %(bound)s: reached by %(reached)s of %(members)s members",
                metric=self.metric_id.name,
                bound=self._get_bound_text(),
                reached=reached,
                members=members,
            ),
        }

    def _get_share(self, value):
        """Return how far a value is, in percent of the target.

        Where less is better there is no more than all of it, and what is beyond the target leaves less of it.
        """
        value, target = float(value), self.target
        if self._is_reached_by(value):
            return 100 * value / target if self.direction == "up" and target > 0 else 100
        return 100 * min(value / target, target / value) if value * target > 0 else 0

    def _get_bound_text(self):
        return self.metric_id._format_bound(self.target, self.currency_id)

    def _get_gap_text(self, value):
        """Return how much is missing to the target, in words; nothing where it is reached.

        :param value: see :meth:`_is_reached_by`
        """
        if self._is_reached_by(value):
            return False
        gap = None if value is None else abs(self._get_gap(value))
        return self.metric_id._format_value(gap, self.currency_id)

    def _get_member_progress(self, member):
        """Return how far a member is, or all members together where the goal is for them.

        :param member: ``partner.loyalty.member``
        :return: ``value`` (None where there is none), and as people read them ``text``, ``bound`` and ``gap`` (False
            where it is reached); ``share`` in percent of the target, and ``is_reached``
        :rtype: dict
        """
        self.ensure_one()
        window = self._get_window(self.program_id._get_today())
        if self.scope == "program":
            value = self._get_total(self._get_values(window))
        else:
            holder = member.turnover_root_id
            value = self._get_values(window._replace(member_ids=(holder.id,))).get(holder.id)
        return {
            "value": value,
            "text": self.metric_id._format_value(value, self.currency_id),
            "bound": self._get_bound_text(),
            "gap": self._get_gap_text(value),
            "share": min(100, self._get_share(value)) if value is not None else 0,
            "is_reached": self._is_reached_by(value),
        }
