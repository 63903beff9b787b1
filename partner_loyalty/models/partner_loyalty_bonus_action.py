import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, LEDGER_DIGITS
from ..tools import schedule as schedules
from ..tools.domains import check_domain
from .partner_loyalty_bonus_evaluation import RANK_CONDITIONS
from .partner_loyalty_segment import UNREADABLE

_logger = logging.getLogger(__name__)

# What decides for which times an action runs: it stands while the action is running.
SCHEDULE_FIELDS = {"program_id", "schedule", "date", "date_from", "joining_days", "tier_change"}

# Conditions that measure something by a metric.
METRIC_CONDITIONS = ("value", *RANK_CONDITIONS, "streak", "growth")

# How often an action that collides with other transactions starts over before it waits for the next time.
ATTEMPTS = 5


class PartnerLoyaltyBonusAction(models.Model):
    """Something that members get by themselves: when, who, if what, and what then.

    What it gives is a decision that stands. For each period or event it runs once, as of that day, however late.
    """

    _name = "partner.loyalty.bonus.action"
    _description = "Bonus Action"
    _inherit = [
        "mail.thread",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.campaign.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.bonus.event",
        "partner.loyalty.bonus.evaluation",
        "partner.loyalty.bonus.reach",
    ]
    _order = "program_id, sequence, id"
    _check_company_auto = True
    _protected_fields = frozenset({"checked_at", "error", "state"})

    # === FIELDS ===#

    name = fields.Char(
        required=True, translate=True, tracking=True, help="Shown to members on the statement, as the reason."
    )
    sequence = fields.Integer(default=10)
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", tracking=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        selection=[("draft", "Draft"), ("running", "Running"), ("stopped", "Stopped")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )

    schedule = fields.Selection(
        selection=[
            ("day", "Daily"),
            ("week", "Weekly"),
            ("month", "Monthly"),
            ("quarter", "Quarterly"),
            ("year", "Yearly"),
            ("date", "On a Date"),
            ("anniversary", "On Each Membership Anniversary"),
            ("joining", "Some Days after Joining"),
            ("tier", "When the Tier Changes"),
            ("first_sale", "On the First Sale"),
        ],
        required=True,
        default="month",
        tracking=True,
        help="Periods are looked at when they are over, as of their last day.",
    )
    date = fields.Date(help="The day on which it runs, once.")
    joining_days = fields.Integer(string="Days after Joining", default=30, aggregator=None)
    tier_change = fields.Selection(
        selection=[("up", "It Rises"), ("down", "It Falls"), ("any", "It Rises or Falls")], default="up", required=True
    )
    date_from = fields.Date(
        string="Start",
        required=True,
        default=fields.Date.context_today,
        copy=False,
        tracking=True,
        help="The period of this day is the first one that counts, and counts as a whole. Of events, those from this "
        "day on count.",
    )
    date_to = fields.Date(
        string="End", copy=False, tracking=True, help="Periods that end after this day and later events do not count."
    )

    starts_with_program = fields.Boolean(help="It starts by itself when its program is started.")

    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        check_company=True,
        # Without it, an action for a segment that is deleted would be for everybody.
        ondelete="restrict",
        help="Only members of one of these segments; all where empty.",
    )
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        ondelete="restrict",
        help="Only members who have one of these tiers on the day that it is about; all where empty.",
    )
    member_domain = fields.Char(string="Members", required=True, default="[]", help="Only members who match.")

    condition = fields.Selection(
        selection=[
            ("always", "No condition"),
            ("value", "A metric reaches a value"),
            ("goal", "They have reached the target of a goal"),
            ("top_count", "They are among the best"),
            ("top_share", "They are among the best percent"),
            ("streak", "A metric reaches a value several times in a row"),
            ("growth", "A metric has grown"),
            ("inactive", "They have not sold or bought for some time"),
            ("contact", "They have had no meeting or call with us for some time"),
        ],
        required=True,
        default="always",
        tracking=True,
    )
    metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    goal_id = fields.Many2one(
        comodel_name="partner.loyalty.goal",
        domain="[('program_id', '=', program_id), ('scope', 'in', ('member', 'program'))]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="It counts as far as it has come: for each member itself, or for all of the audience once all members "
        "together have reached it.",
    )
    operator = fields.Selection(
        selection=[(">=", "At Least"), (">", "More Than"), ("<=", "At Most"), ("<", "Less Than")],
        required=True,
        default=">=",
    )
    threshold = fields.Float(string="Value", digits=(18, 4), aggregator=None, tracking=True)
    top_count = fields.Integer(
        string="Places", default=3, aggregator=None, help="Who has the same value shares a place."
    )
    top_share = fields.Float(
        string="Best per Cent", digits=(5, 2), default=10, aggregator=None, help="Of the audience, at least one member."
    )
    streak_count = fields.Integer(
        string="Times in a Row",
        default=3,
        aggregator=None,
        help="It is met in each period with which so many periods in a row have reached the value.",
    )
    growth_base = fields.Selection(
        selection=[("previous", "The Period Before"), ("year", "The Same Period a Year Before")],
        string="Compared with",
        default="previous",
        required=True,
    )
    silent_days = fields.Integer(
        string="Days",
        default=60,
        aggregator=None,
        help="Counted from joining where there has been nothing yet. However often it is looked at, it is met once for "
        "each such time.",
    )
    kind = fields.Selection(selection=CONTRIBUTION_KINDS, string="What Counts", required=True, default="invoice")
    role = fields.Selection(selection=CONTRIBUTION_ROLES, string="As", required=True, default="buyer")
    measured_over = fields.Selection(
        selection=[
            ("schedule", "The Period that Is Over"),
            ("month", "The Last Month"),
            ("quarter", "The Last 3 Months"),
            ("half", "The Last 6 Months"),
            ("year", "The Last 12 Months"),
            ("all", "All Time"),
        ],
        compute="_compute_measured_over",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )

    effect_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.effect", inverse_name="action_id", string="What They Get", copy=True
    )
    run_ids = fields.One2many(comodel_name="partner.loyalty.bonus.run", inverse_name="action_id", string="Runs")
    run_count = fields.Integer(string="Number of Runs", compute="_compute_run_count")
    given_member_count = fields.Integer(string="Members Who Got It", compute="_compute_given")
    given_points = fields.Float(string="Points Given", digits=LEDGER_DIGITS, compute="_compute_given")
    given_money = fields.Monetary(string="Money Given", compute="_compute_given")
    next_date = fields.Date(
        string="Next Run", compute="_compute_next_date", help="Events have no date that is known before."
    )
    checked_at = fields.Datetime(string="Looked at Last", readonly=True, copy=False)
    error = fields.Char(
        readonly=True, copy=False, help="Why it failed last. Other actions went on; this one is tried again."
    )

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A bonus action cannot end before it starts: choose a later end or an earlier start.",
    )
    _date_from_plausible = models.Constraint(
        "CHECK (date_from BETWEEN '1900-01-01' AND '9900-01-01' AND COALESCE(date <= '9900-01-01', TRUE))",
        "A bonus action starts in the year 1900 or later: enter all four digits of the year.",
    )
    _date_given = models.Constraint(
        "CHECK (schedule <> 'date' OR date IS NOT NULL)", "Choose the date on which the bonus action runs."
    )
    _joining_days_range = models.Constraint(
        "CHECK (joining_days BETWEEN 0 AND 3650)", "Days after joining are from 0 to 3650: enter a number in between."
    )
    _top_count_range = models.Constraint(
        "CHECK (top_count BETWEEN 1 AND 100000)", "At least one place gets a bonus: enter a number from 1 on."
    )
    _top_share_range = models.Constraint(
        "CHECK (top_share > 0 AND top_share <= 100)",
        "The best percent are above 0 and up to 100: enter a number in between.",
    )
    _streak_count_range = models.Constraint(
        "CHECK (streak_count BETWEEN 2 AND 36)", "A streak is 2 to 36 times in a row: enter a number in between."
    )
    _silent_days_range = models.Constraint(
        "CHECK (silent_days BETWEEN 1 AND 3650)",
        "Something has not happened for 1 to 3650 days: enter a number in between.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("schedule")
    def _compute_measured_over(self):
        for action in self:
            if action.schedule in schedules.CALENDAR_SCHEDULES:
                action.measured_over = action.measured_over or "schedule"
            elif action.measured_over in (False, "schedule"):
                action.measured_over = "year"

    def _compute_run_count(self):
        counts = dict(
            self.env["partner.loyalty.bonus.run"]._read_group(
                [("action_id", "in", self.ids), ("state", "!=", "preview")], ["action_id"], ["__count"]
            )
        )
        for action in self:
            action.run_count = counts.get(action, 0)

    def _compute_given(self):
        rows = self.env["partner.loyalty.bonus.line"]._read_group(
            [("action_id", "in", self.ids), ("state", "=", "given")],
            ["action_id"],
            ["member_id:count_distinct", "point_amount:sum", "money_amount:sum"],
        )
        figures = {action: values for action, *values in rows}
        for action in self:
            members, points, money = figures.get(action, (0, 0, 0))
            action.given_member_count = members
            action.given_points = points
            action.given_money = money

    @api.depends("schedule", "date", "date_from", "date_to", "state", "run_ids.state", "program_id.tz")
    def _compute_next_date(self):
        for action in self:
            action.next_date = action._get_next_date()

    # === CONSTRAINT METHODS ===#

    @api.constrains("condition", "metric_id")
    def _check_metric(self):
        for action in self.filtered(lambda action: action.condition in METRIC_CONDITIONS):
            if not action.metric_id:
                raise ValidationError(
                    self.env._(
                        "“%(action)s” has a condition on a metric: choose the metric, or take off the condition.",
                        action=action.name,
                    )
                )
            if action.condition == "growth" and (action.metric_id.is_growth or action.metric_id.aggregate == "last"):
                raise ValidationError(
                    self.env._(
                        "The growth of “%(metric)s” says nothing: choose a metric that is added up or counted.",
                        metric=action.metric_id.name,
                    )
                )

    @api.constrains("condition", "goal_id", "metric_id")
    def _check_rewards(self):
        for action in self:
            goal = action.goal_id if action.condition == "goal" else action.goal_id.browse()
            for metric in action.metric_id | goal.metric_id:
                metric._check_can_reward(action.name)

    @api.constrains("condition", "goal_id", "program_id")
    def _check_goal(self):
        for action in self.filtered(lambda action: action.condition == "goal"):
            if not action.goal_id:
                raise ValidationError(
                    self.env._("“%(action)s” waits for a goal: choose which one.", action=action.name)
                )
            if not action.goal_id.metric_id:
                raise ValidationError(
                    self.env._(
                        "“%(goal)s” is no goal of members: choose one that is for each of them, or for all together.",
                        goal=action.goal_id.name,
                    )
                )
            if action.goal_id.program_id != action.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(goal)s” is a goal of another program: choose one of this program.", goal=action.goal_id.name
                    )
                )

    @api.constrains("condition", "schedule", "measured_over")
    def _check_measured_over(self):
        for action in self:
            if action.measured_over == "schedule" and action.schedule not in schedules.CALENDAR_SCHEDULES:
                raise ValidationError(
                    self.env._(
                        "“%(action)s” does not run by periods: choose how far back is measured, such as 12 months.",
                        action=action.name,
                    )
                )
            if action.measured_over == "all" and action.condition in ("streak", "growth"):
                raise ValidationError(
                    self.env._(
                        "“%(action)s” compares periods: choose a period to measure in the place of all time.",
                        action=action.name,
                    )
                )
            if action.condition in RANK_CONDITIONS and action.schedule in schedules.EVENT_SCHEDULES:
                raise ValidationError(
                    self.env._(
                        "“%(action)s” looks at each member by itself, and nobody has a place then: let it run by "
                        "periods or on a date, or choose another condition.",
                        action=action.name,
                    )
                )

    @api.constrains("kind", "role")
    def _check_role(self):
        kind_roles = self.env["partner.loyalty.contribution"]._get_kind_roles()
        for action in self:
            if action.role not in kind_roles[action.kind]:
                raise ValidationError(
                    self.env._(
                        "“%(action)s” cannot be about “%(role)s” where “%(kind)s” counts: possible is %(roles)s.",
                        action=action.name,
                        **self.env["partner.loyalty.contribution"]._get_role_labels(action.kind, action.role),
                    )
                )

    @api.constrains("tier_ids", "program_id")
    def _check_tiers(self):
        for action in self:
            given = action.effect_ids.filtered(lambda effect: effect.kind == "tier").tier_id
            tiers = action.tier_ids | given
            for tier in tiers.filtered(lambda tier, action=action: tier.program_id != action.program_id):
                raise ValidationError(
                    self.env._("“%(tier)s” is a tier of another program: choose one of this program.", tier=tier.name)
                )

    @api.constrains("member_domain")
    def _check_member_domain(self):
        for action in self:
            try:
                check_domain(self.env, "partner.loyalty.member", action.member_domain)
            except UNREADABLE as error:
                raise ValidationError(
                    self.env._(
                        "The filter of “%(action)s” cannot be read: build it with the filter editor. (%(error)s)",
                        action=action.name,
                        error=str(error)[:500],
                    )
                ) from error

    @api.constrains("condition", "effect_ids", "metric_id", "goal_id")
    def _check_effects(self):
        self.effect_ids._check_basis()

    # === CRUD METHODS ===#

    def write(self, vals):
        self._check_input(vals)
        if SCHEDULE_FIELDS & vals.keys():
            self._check_not_running()
        result = super().write(vals)
        if not self.env.su:
            # What was corrected is tried again; errors are set by the program alone.
            self.sudo().filtered("error").error = False
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for action, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", action.name)
            if action.date and "date" not in (default or {}):
                # What is over does not come again, and the start of other schedules is today as well.
                vals["date"] = max(action.date, action.program_id._get_today())
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_run(self):
        for action in self.filtered("run_count"):
            raise UserError(
                self.env._("“%(action)s” has run, and what it gave is kept: stop it instead.", action=action.name)
            )

    # === ACTION METHODS ===#

    def action_start(self):
        """Start actions: from now on they run by themselves.

        :raises UserError: where one would look back, gives nothing, or is for nobody
        """
        self.check_access("write")
        for action in self:
            action._check_can_start()
        # The state is set by the buttons alone.
        self.sudo().write({"state": "running", "error": False})

    def action_stop(self):
        """Stop actions: what is due later is not done; what was given stays."""
        self.check_access("write")
        # The state is set by the buttons alone.
        self.sudo().write({"state": "stopped", "error": False})

    def action_run(self):
        """Run what is due now, without waiting for the night.

        :raises UserError: where nothing is due
        """
        self.ensure_one()
        self.check_access("write")
        if self.state != "running":
            raise UserError(self.env._("“%(action)s” is not running: start it first.", action=self.name))
        # The ledger and the log of runs are written by the program alone.
        action_sudo = self.sudo()
        if not action_sudo._get_backlog():
            raise UserError(self._get_nothing_due_text())
        action_sudo._run_safely()
        return False if action_sudo.error else self.action_view_runs()

    def action_preview(self):
        """Show who would get what and why, and who just would not; nothing is given.

        :return: action that opens the preview
        """
        self.ensure_one()
        self.check_access("read")
        self.env["partner.loyalty.bonus.run"].check_access("read")
        # Previews are written by the program alone, for all who may look at the action.
        run_sudo = self.sudo()._preview()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_bonus_run_action"),
            "views": [(False, "form")],
            "res_id": run_sudo.id,
        }

    def action_view_runs(self):
        """Show what the action has done."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_bonus_run_action"),
            "domain": [("action_id", "=", self.id), ("state", "!=", "preview")],
        }

    # === BUSINESS METHODS - CHECKS ===#

    def _check_not_running(self):
        for action in self.filtered(lambda action: action.state == "running"):
            raise UserError(
                self.env._(
                    "“%(action)s” is running: stop it, change when it runs, and start it again.", action=action.name
                )
            )

    def _check_can_start(self):
        """Check that an action has something to do.

        :raises UserError: with what is missing
        """
        self.ensure_one()
        terms = {"action": self.name, "program": self.program_id.name}
        if self.program_id.state != "running":
            raise UserError(self.env._("“%(program)s” is not running: start the program, then “%(action)s”.", **terms))
        if not self.effect_ids:
            raise UserError(
                self.env._("“%(action)s” gives nothing yet: add what members get, such as points.", **terms)
            )
        self.effect_ids._check_complete()
        self._check_schedule_ahead()
        if self._is_for_nobody():
            raise UserError(
                self.env._(
                    "No member of “%(program)s” belongs to the audience of “%(action)s”: choose other segments or "
                    "another filter.",
                    **terms,
                )
            )

    def _check_schedule_ahead(self):
        """Check that an action looks ahead: what is over was not promised to anybody.

        :raises UserError: where it does not
        """
        today = self.program_id._get_today()
        if self.schedule == "date" and self.date < today:
            raise UserError(
                self.env._("The date of “%(action)s” has passed: choose today or a later day.", action=self.name)
            )
        if self.date_to and self.date_to < today:
            raise UserError(
                self.env._("The end of “%(action)s” has passed: choose a later one, or none.", action=self.name)
            )
        if self.schedule != "date" and self.date_from < today:
            raise UserError(
                self.env._(
                    "“%(action)s” would look back: its start has passed. Choose today or a later day.",
                    action=self.name,
                )
            )

    def _is_for_nobody(self):
        """Return whether the filters leave out all members of the program, whatever their tier and membership."""
        # The filters look at all members, whatever the user sees of them.
        members = (
            self.env["partner.loyalty.member"]
            .sudo()
            .search_count([("program_id", "=", self.program_id.id), ("merged_into_id", "=", False)], limit=1)
        )
        return bool(members) and not self.sudo()._get_audience().search_count(self._get_audience_domain(), limit=1)

    # === BUSINESS METHODS - WHEN ===#

    def _get_days(self):
        """Return the first and the last day that events and periods can have.

        :rtype: tuple
        """
        self.ensure_one()
        program = self.program_id
        ends = [program._get_today(), *filter(None, (self.date_to, program.date_to))]
        return max(self.date_from, program.date_from), min(ends)

    def _get_due_occasions(self):
        """Return for which times the action has to run, the earliest first.

        :rtype: list[Occasion]
        """
        self.ensure_one()
        first, last = self._get_days()
        today = self.program_id._get_today()
        if self.schedule in schedules.EVENT_SCHEDULES:
            occasions = [schedules.event_occasion(self.schedule, day) for day in self._get_event_days(first, last)]
            return [occasion for occasion in occasions if occasion.due <= today]
        if self.schedule == "date":
            occasions = [schedules.date_occasion(self.date)] if self.date <= today else []
        else:
            occasions = schedules.ended_occasions(self.schedule, first, min(last, today - schedules.DAY))
        done = self._get_done_keys()
        return [occasion for occasion in occasions if occasion.key not in done]

    def _get_done_keys(self):
        """Return the keys of the times that the action has run for, and that are not to be run again."""
        runs = self.run_ids.filtered(lambda run: run.state != "preview" and not run.is_released)
        return set(runs.mapped("period_key"))

    def _get_preview_occasions(self):
        """Return what a preview shows: what is due, or else how things stand today.

        :rtype: list[Occasion]
        """
        due = self._get_due_occasions() if self.state == "running" else []
        if due:
            return due
        today = self.program_id._get_today()
        if self.schedule in schedules.EVENT_SCHEDULES:
            coming = self._get_event_days(today, today + 30 * schedules.DAY)
            return [schedules.event_occasion(self.schedule, day) for day in coming]
        if self.schedule == "date":
            return [schedules.date_occasion(self.date)._replace(last=min(self.date - schedules.DAY, today))]
        occasion = schedules.calendar_occasion(self.schedule, today)
        return [occasion._replace(last=today, day=today)]

    def _get_next_date(self):
        """Return the day of the next run, as far as the calendar says it."""
        self.ensure_one()
        if self.state == "stopped" or not self.program_id or not self.date_from:
            return False
        if self.schedule == "date":
            return self.date if f"date-{self.date}" not in self._get_done_keys() else False
        if self.schedule in schedules.EVENT_SCHEDULES:
            return False
        due = self._get_due_occasions() if self.state == "running" else []
        if due:
            return due[0].due
        occasion = schedules.calendar_occasion(self.schedule, max(self.date_from, self.program_id._get_today()))
        done = self._get_done_keys()
        while occasion.key in done:
            occasion = schedules.calendar_occasion(self.schedule, occasion.due)
        end = min(filter(None, (self.date_to, self.program_id.date_to)), default=None)
        return occasion.due if not end or occasion.last <= end else False

    # === BUSINESS METHODS - RUN ===#

    @api.model
    def _cron_run(self):
        """Run what is due, action by action, committing each step; what fails is noted and stops nobody else."""
        # Metrics of what members earned read the ledger: it has to know the documents first.
        self.env["partner.loyalty.touch"]._cron_reconcile_touched()
        actions = self.search([("state", "=", "running"), ("program_id.state", "!=", "draft")])
        self.env["ir.cron"]._commit_progress(remaining=len(actions))
        for action in actions:
            if not action._run_patiently() or not self.env["ir.cron"]._commit_progress(1):
                break

    def _run_patiently(self):
        """Run an action, committing each step; where it collides with other transactions, start over.

        :return: whether there is time left
        :rtype: bool
        """
        self.ensure_one()
        for _attempt in range(ATTEMPTS):
            try:
                return self._run_safely(commit=True)
            except psycopg2.extensions.TransactionRollbackError:
                # Odoo does not retry cron code; what was committed is done.
                self.env.cr.rollback()
        self._note_outcome(self.env._("Others were changing the same balances: it is tried again."))
        return True

    def _run_safely(self, commit=False):
        """Run what is due; an error is noted on the action and goes no further.

        Serialization failures are not caught: the caller has to start its transaction over.

        :param bool commit: commit each step
        :return: whether there is time left
        :rtype: bool
        """
        self.ensure_one()
        try:
            in_time = self._run(commit)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception as error:  # an action that fails must not stop the others, whatever the reason
            _logger.info("Bonus action %s failed", self.id, exc_info=True)
            self._note_outcome(str(error)[:500] or type(error).__name__)
            return True
        self._note_outcome(None)
        return in_time

    def _note_outcome(self, error):
        """Note when the action was looked at, and why it failed, if it did."""
        self.env.execute_query(
            SQL(
                """UPDATE partner_loyalty_bonus_action SET checked_at = now() AT TIME ZONE 'UTC', error = %s
                    WHERE id = %s""",
                error,
                self.id,
            )
        )
        self.invalidate_recordset(["checked_at", "error"])

    def _run(self, commit):
        """Finish what was begun, then begin what is due, step by step; see :meth:`_run_safely`."""
        self.ensure_one()
        if not self._work_off(self.run_ids.filtered(lambda run: run.state == "running").sorted("id"), commit):
            return False
        for occasion in self._step(self._find_due_occasions):
            run = self._step(lambda occasion=occasion: self._begin(occasion))
            if not self._go_on(commit) or not self._work_off(run, commit):
                return False
        return True

    def _find_due_occasions(self):
        """Return for which times the action has to run; a tier that was not decided yet is decided before."""
        if self.program_id.state == "running":
            self.program_id._evaluate_tiers()
        return self._get_due_occasions()

    def _work_off(self, runs, commit):
        """Give what is planned, batch by batch; return whether there is time left."""
        for run in runs:
            while self._step(run._give_batch):
                if not self._go_on(commit):
                    return False
        return True

    def _step(self, work):
        """Do one step of a run: all of it or nothing, and nobody else does the same.

        :param work: callable without arguments
        :return: what it returns
        :raises UserError: where somebody else is running the action
        """
        with self.env.cr.savepoint():
            if not self.try_lock_for_update(allow_referencing=True):
                raise UserError(
                    self.env._("Somebody is running “%(action)s” right now: try it again later.", action=self.name)
                )
            return work()

    def _go_on(self, commit):
        """Commit a step that is done, where steps are committed; return whether there is time left."""
        return not commit or self.env["ir.cron"]._commit_progress() > 0

    def _begin(self, occasion):
        """Decide who gets something, and note it; giving it comes afterwards.

        :param Occasion occasion: what the run is about
        :return: the run
        """
        run = self.env["partner.loyalty.bonus.run"].create(self._prepare_run_vals(occasion, "running"))
        self._evaluate(occasion, run)
        run._count()
        return run

    def _preview(self):
        """Work out who would get what; earlier previews of the action go.

        :return: run of the state ``preview``
        """
        self.ensure_one()
        self.run_ids.filtered(lambda run: run.state == "preview").unlink()
        occasions = self._get_preview_occasions()
        today = self.program_id._get_today()
        first = occasions[0] if occasions else schedules.date_occasion(today)
        last = occasions[-1] if occasions else first
        vals = self._prepare_run_vals(first._replace(key=None), "preview")
        vals["period_end"] = self._prepare_run_vals(last, "preview")["period_end"]
        run = self.env["partner.loyalty.bonus.run"].create(vals)
        for occasion in occasions:
            self._evaluate(occasion, run)
        run._count()
        return run

    def _prepare_run_vals(self, occasion, state):
        """Return the values of a run.

        :param Occasion occasion: what it is about
        :param str state: ``running`` or ``preview``
        """
        is_period = self.schedule in schedules.CALENDAR_SCHEDULES
        return {
            "action_id": self.id,
            "program_id": self.program_id.id,
            "company_id": self.company_id.id,
            "state": state,
            "period_key": occasion.key,
            "period_start": occasion.first if is_period else occasion.day,
            "period_end": occasion.last if is_period else occasion.day,
            "date": occasion.due,
        }

    # === GETTERS ===#

    def _get_backlog(self):
        """Return how many runs wait: those that are due, and those that were begun."""
        self.ensure_one()
        begun = self.run_ids.filtered(lambda run: run.state == "running")
        return len(begun) + len(self._get_due_occasions())

    @api.model
    def _get_failing_action(self):
        """Return the window action that lists the actions that fail."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_bonus_action_action"),
            "context": {"search_default_failing": 1},
        }

    def _get_nothing_due_text(self):
        """Return in words that nothing is due, and when something will be."""
        if self.next_date:
            return self.env._(
                "Nothing of “%(action)s” is due: it runs next on %(day)s. Click “Preview” to see how things stand.",
                action=self.name,
                day=format_date(self.env, self.next_date),
            )
        return self.env._(
            "Nothing of “%(action)s” is due right now. Click “Preview” to see how things stand.", action=self.name
        )
