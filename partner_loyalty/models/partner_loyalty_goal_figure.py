from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

from ..tools.focus import Focus

# A goal of these is about members, and measured by a metric; of the others it is one figure of the program.
METRIC_SCOPES = ("member", "program")

# What makes a target of a change be worked out anew.
CHANGING_FIELDS = {"baseline", "date_from", "date_to", "kpi", "metric_id", "program_id", "scope", "target_change"}


class PartnerLoyaltyGoal(models.Model):
    """A goal about a key figure of the program, or about a figure from outside; and how much each goal weighs."""

    _inherit = "partner.loyalty.goal"

    # === FIELDS ===#

    scope = fields.Selection(
        selection_add=[("figure", "Key Figure of the Program"), ("outside", "Figure from Outside")],
        ondelete={"figure": "cascade", "outside": "cascade"},
    )
    kpi = fields.Selection(
        selection=lambda self: self._get_kpi_selection(),
        string="Key Figure",
        help="As the overview of the program works it out.",
    )
    outside_unit = fields.Selection(
        selection=[("percent", "Percent"), ("number", "Plain Number"), ("money", "Money")],
        string="Unit of the Figure",
        default="percent",
        required=True,
    )
    outside_direction = fields.Selection(
        selection=[("up", "More is better"), ("down", "Less is better")],
        string="What Is Better",
        default="up",
        required=True,
    )
    value_ids = fields.One2many(
        comodel_name="partner.loyalty.goal.value", inverse_name="goal_id", string="Figures", copy=False
    )
    target_change = fields.Float(
        string="Change against the Baseline (%)",
        digits=(16, 2),
        aggregator=None,
        help="The target is then the baseline with so many percent more, or less; enter zero for a target of its own.",
    )
    weight = fields.Float(
        digits=(16, 2), default=1, aggregator=None, help="How much the goal counts among the goals of its program."
    )
    trend = fields.Selection(
        selection=[("reached", "Reached"), ("on_course", "On Course"), ("behind", "Behind")],
        compute="_compute_progress",
        help="On course: as far as one has to be by today, on a straight line up to the last day.",
    )

    # === CONSTRAINTS ===#

    _weight_range = models.Constraint(
        "CHECK (weight >= 0 AND weight <= 1000)", "A goal weighs from 0 to 1000: enter a number in between."
    )
    _target_change_range = models.Constraint(
        "CHECK (target_change >= -100 AND target_change <= 10000)",
        "A target is from 100 percent less to 10000 percent more than the baseline: enter a change in between.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("kpi", "value_ids.date", "value_ids.value")
    def _compute_baseline(self):
        return super()._compute_baseline()

    @api.depends("kpi", "outside_direction", "outside_unit", "target_change", "value_ids.date", "value_ids.value")
    def _compute_progress(self):
        return super()._compute_progress()

    @api.depends("kpi", "outside_direction", "outside_unit", "scope")
    def _compute_kind_of_value(self):
        figures = self.filtered(lambda goal: goal.scope not in METRIC_SCOPES)
        result = super(PartnerLoyaltyGoal, self - figures)._compute_kind_of_value()
        for goal in figures:
            kpi = goal._get_kpi()
            # Points of percent are percent here, as points are something else.
            unit = {"points": "percent"}.get(kpi.unit, kpi.unit) if kpi else goal.outside_unit
            goal.unit = unit if goal.scope == "outside" or kpi else False
            goal.direction = (kpi.direction or "up") if kpi else goal.outside_direction
        return result

    # === CONSTRAINT METHODS ===#

    @api.constrains("scope", "metric_id", "kpi")
    def _check_has_figure(self):
        for goal in self:
            if goal.scope in METRIC_SCOPES and not goal.metric_id:
                raise ValidationError(self.env._("“%s” needs a metric: choose what is measured.", goal.name))
            if goal.scope == "figure" and not goal.kpi:
                raise ValidationError(self.env._("“%s” needs a key figure: choose one.", goal.name))

    @api.constrains("scope", "is_shown")
    def _check_shown(self):
        for goal in self:
            if goal.is_shown and goal.scope not in METRIC_SCOPES:
                raise ValidationError(
                    self.env._("“%s” is about the program as a whole: it cannot be shown to members.", goal.name)
                )

    @api.constrains("scope", "target_change")
    def _check_change(self):
        for goal in self:
            if goal.target_change and goal.scope == "member":
                raise ValidationError(
                    self.env._(
                        "“%s” is for each member, who have no baseline together: enter a target instead of a change.",
                        goal.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        goals = super().create([{"target": 0, **vals} if vals.get("target_change") else vals for vals in vals_list])
        goals._follow_baseline()
        return goals

    def write(self, vals):
        result = super().write(vals)
        if CHANGING_FIELDS & vals.keys():
            self._follow_baseline()
        return result

    # === ACTION METHODS ===#

    def action_view_members(self):
        """List the members with their values.

        :raises UserError: where the goal is about the program as a whole
        """
        self.ensure_one()
        if self.scope not in METRIC_SCOPES:
            raise UserError(
                self.env._(
                    "“%s” is about the program as a whole: open its overview to see what is behind it.", self.name
                )
            )
        return super().action_view_members()

    # === BUSINESS METHODS ===#

    def _follow_baseline(self):
        """Set the target of goals that ask for a change."""
        for goal in self.filtered("target_change"):
            target = goal.baseline * (1 + goal.target_change / 100)
            if round(target - goal.target, 4):
                goal.target = target

    def _is_measurable(self):
        if self.scope in METRIC_SCOPES:
            return super()._is_measurable()
        is_chosen = self.scope == "outside" or self._get_kpi()
        return bool(is_chosen and self.program_id and self._has_plausible_days() and self.program_id.has_access("read"))

    # === GETTERS ===#

    @api.model
    def _get_kpi_selection(self):
        """Return the key figures that a goal can be about."""
        sections = self.env["partner.loyalty.kpi"]._get_sections()
        return [(kpi.name, kpi.label) for _title, kpis in sections for kpi in kpis]

    def _get_kpi(self):
        """Return the key figure that the goal is about; None where it is about something else."""
        if self.scope != "figure":
            return None
        sections = self.env["partner.loyalty.kpi"]._get_sections()
        return next((kpi for _title, kpis in sections for kpi in kpis if kpi.name == self.kpi), None)

    def _get_figure(self, window):
        """Return the figure over some days.

        :return: number, None where there is none
        """
        if self.scope == "outside":
            values = self.value_ids.filtered(lambda value: window.first <= value.date <= window.last)
            return values.sorted(lambda value: (value.date, value.id or 0))[-1:].value if values else None
        Kpi = self.env["partner.loyalty.kpi"]
        return getattr(Kpi, f"_get_kpi_{self.kpi}")(Kpi._get_facts(Focus(self.program_id, window.first, window.last)))

    def _get_baseline(self):
        """Return the figure of the time just before; of one from outside, the last one before the start."""
        if self.scope in METRIC_SCOPES or not self._is_measurable():
            return super()._get_baseline()
        if self.scope == "outside":
            earlier = self.value_ids.filtered(lambda value: value.date and value.date < self.date_from)
            return earlier.sorted(lambda value: (value.date, value.id or 0))[-1:].value
        return float(self._get_figure(self._get_window(self.date_to).get_previous()) or 0)

    def _get_progress_vals(self):
        if self.scope in METRIC_SCOPES or not self._is_measurable() or not self._has_begun():
            vals = super()._get_progress_vals()
        else:
            vals = {"actual": 0, "member_count": 0, "reached_count": 0, "progress": 0, "is_reached": False}
            vals |= self._get_figure_vals()
        return {"trend": self._get_trend(vals), **vals}

    def _get_figure_vals(self):
        """Return how far the figure is today."""
        value = self._get_figure(self._get_window(self.program_id._get_today()))
        if value is None:
            return {"summary": self.env._("There is no figure of these days yet."), "trend": False}
        if self.target_change and not self.baseline:
            text = self.env._("There is nothing to compare with: enter a baseline.")
            return {"actual": float(value), "summary": text, "trend": False}
        value = Decimal(str(value))
        return {
            "actual": float(value),
            "is_reached": self._is_reached_by(value),
            "progress": self._get_share(value),
            "summary": self.env._(
                "%(figure)s: %(value)s, asked for: %(bound)s, before: %(baseline)s",
                figure=self._get_kpi().label if self.kpi and self.scope == "figure" else self.name,
                value=self._format_figure(value),
                bound=self._get_bound_text(),
                baseline=self._format_figure(self.baseline),
            ),
        }

    def _get_trend(self, vals):
        """Return whether the goal is reached, or as far as it has to be by today.

        :param dict vals: what was worked out about its progress
        """
        if not self._is_measurable() or not vals.get("summary") or not self._has_begun():
            return False
        if vals["is_reached"]:
            return "reached"
        elapsed = self._get_elapsed_share()
        if self.scope in METRIC_SCOPES:
            return "on_course" if vals["progress"] >= 100 * elapsed else "behind"
        expected = self.baseline + (self.target - self.baseline) * elapsed
        if self.direction == "down":
            return "on_course" if vals["actual"] <= expected else "behind"
        return "on_course" if vals["actual"] >= expected else "behind"

    def _get_elapsed_share(self):
        """Return which part of the days of the goal has passed."""
        today = self.program_id._get_today()
        days = (self.date_to - self.date_from).days + 1
        return min(1, max(0, ((today - self.date_from).days + 1) / days))

    def _get_bound_text(self):
        if self.scope in METRIC_SCOPES:
            return super()._get_bound_text()
        text = self._format_figure(self.target)
        return self.env._("at most %s", text) if self.direction == "down" else self.env._("at least %s", text)

    def _format_figure(self, value):
        """Return a figure as people read it."""
        kpi = self._get_kpi()
        if kpi:
            return self.env["partner.loyalty.kpi"]._format_kpi(kpi, value, self.currency_id)
        if self.outside_unit == "money":
            return formatLang(self.env, float(value), currency_obj=self.currency_id)
        number = formatLang(self.env, float(value), digits=1)
        return self.env._("%s %%", number) if self.outside_unit == "percent" else number
