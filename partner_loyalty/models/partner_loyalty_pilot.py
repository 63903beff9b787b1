import random
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from .partner_loyalty_pilot_comparison import RESULT_FIELDS

# The field that names what is tried, by its kind.
TRIED_FIELDS = {"rule": "rule_id", "bonus": "action_id", "reward": "reward_id"}

# What the drawing and the comparison rest on stands from the start.
FROZEN_FIELDS = {
    "program_id",
    "metric_id",
    "tried",
    *TRIED_FIELDS.values(),
    "assignment",
    "segment_ids",
    "share",
    "by_tier",
    "by_size",
    "date_from",
    "date_to",
    "relevant_share",
}

# While a pilot is in one of these states its control group is left out, and nobody has decided yet.
OPEN_STATES = ("running", "ended")


class PartnerLoyaltyPilot(models.Model):
    """A rule, bonus action or reward that some members have and others have not, to see what comes of it.

    Who belongs to which group is drawn and noted when the pilot starts. Members of the control group are left out from
    the first day of the pilot up to the day before it is rolled out: by these days alone, so that no decision changes
    what was earned before it. How the groups are compared is in ``partner.loyalty.pilot.comparison``.
    """

    _name = "partner.loyalty.pilot"
    _description = "Pilot"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.pilot.comparison",
    ]
    _order = "date_from desc, id desc"
    _check_company_auto = True
    _protected_fields = frozenset({"state", "seed", "rollout_date", "member_ids", *RESULT_FIELDS})

    # === DEFAULT METHODS ===#

    @api.model
    def _default_date_from(self):
        return fields.Date.context_today(self) + timedelta(days=1)

    @api.model
    def _default_date_to(self):
        return fields.Date.context_today(self) + relativedelta(months=3)

    # === FIELDS ===#

    name = fields.Char(required=True, tracking=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Is reminded to decide when the pilot has ended.",
    )
    hypothesis = fields.Text(
        required=True, help="What you expect and why, written down before: afterwards everything looks expected."
    )
    metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        help="The one number that is to change. It is measured for each member over the days of the pilot, and over as "
        "many days before.",
    )
    tried = fields.Selection(
        selection=[("rule", "A Rule"), ("bonus", "A Bonus Action"), ("reward", "A Reward")],
        string="What Is Tried",
        required=True,
        default="rule",
    )
    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        domain="[('program_id', '=', program_id), ('is_draft', '=', False)]",
        index="btree_not_null",
        ondelete="restrict",
    )
    family_id = fields.Many2one(related="rule_id.family_id", string="Rule in All Versions", store=True, index=True)
    action_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.action",
        string="Bonus Action",
        domain="[('program_id', '=', program_id)]",
        index="btree_not_null",
        ondelete="restrict",
    )
    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward",
        domain="[('program_id', '=', program_id)]",
        index="btree_not_null",
        ondelete="restrict",
    )
    assignment = fields.Selection(
        selection=[("random", "Drawn by Chance"), ("segment", "Members of Segments")],
        string="Who Has It",
        required=True,
        default="random",
        help="Only groups that were drawn differ by nothing but chance. Members who were chosen, by region or "
        "otherwise, may differ by what they were chosen for: what comes of that is an indication, not proof.",
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        check_company=True,
        ondelete="restrict",
        help="Members of one of these have it; all others make up the control group.",
    )
    share = fields.Float(
        string="Share That Has It (%)",
        digits=(5, 2),
        default=50,
        aggregator=None,
        help="Halves show the most. With fewer, less is at stake, and less can be shown.",
    )
    by_tier = fields.Boolean(string="Alike in Tiers", default=True, help="Each tier gives both groups its share.")
    by_size = fields.Boolean(
        string="Alike in Size",
        default=True,
        help="Large, middle and small members, by their turnover of a year, give both groups their share.",
    )
    seed = fields.Integer(
        readonly=True,
        copy=False,
        aggregator=None,
        help="The groups are drawn by it: with the same number, the same members draw the same group.",
    )
    date_from = fields.Date(string="Start", required=True, copy=False, default=lambda self: self._default_date_from())
    date_to = fields.Date(string="End", required=True, copy=False, default=lambda self: self._default_date_to())
    relevant_share = fields.Float(
        string="Effect Worth Having (%)",
        digits=(5, 2),
        default=10,
        aggregator=None,
        help="A change by fewer percent would not be worth it. Only where a change as large as that can be ruled out, "
        "it is said that something does not work.",
    )
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("running", "Running"),
            ("ended", "To Be Decided"),
            ("rolled_out", "Rolled Out"),
            ("stopped", "Stopped"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        group_expand=True,
    )
    rollout_date = fields.Date(
        string="For All Members from", readonly=True, copy=False, help="The control group has it from this day on, too."
    )
    member_ids = fields.One2many(
        comodel_name="partner.loyalty.pilot.member", inverse_name="pilot_id", string="Members", readonly=True
    )
    member_count = fields.Integer(string="Number of Members", compute="_compute_member_count")

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to > date_from)", "A pilot lasts for two days at least: choose a later end or an earlier start."
    )
    _dates_plausible = models.Constraint(
        "CHECK (date_from >= '1950-01-01' AND date_to < '9900-01-01' AND date_to - date_from < 1100)",
        "A pilot lasts three years at most: enter all four digits of the years, and choose an earlier end.",
    )
    _share_range = models.Constraint(
        "CHECK (share > 0 AND share < 100)",
        "Both groups need members: enter a share between 0 and 100 percent.",
    )
    _relevant_share_range = models.Constraint(
        "CHECK (relevant_share > 0 AND relevant_share <= 1000)",
        "An effect that is worth having is more than nothing: enter more than 0 percent.",
    )

    # === COMPUTE METHODS ===#

    def _compute_member_count(self):
        counts = dict(
            self.env["partner.loyalty.pilot.member"]._read_group(
                [("pilot_id", "in", self.ids)], ["pilot_id"], ["__count"]
            )
        )
        for pilot in self:
            pilot.member_count = counts.get(pilot, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("tried", "program_id", *TRIED_FIELDS.values())
    def _check_tried(self):
        for pilot in self:
            thing = pilot._get_tried()
            if not thing:
                raise ValidationError(self.env._("“%(pilot)s” tries nothing yet: choose what.", pilot=pilot.name))
            if thing.program_id != pilot.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(tried)s” belongs to another program: choose one of “%(program)s”.",
                        tried=thing.name,
                        program=pilot.program_id.name,
                    )
                )

    @api.constrains("metric_id", "program_id")
    def _check_metric(self):
        for pilot in self:
            pilot.metric_id._check_usable_for(pilot.name, pilot.company_id)

    @api.constrains("assignment", "segment_ids")
    def _check_segments(self):
        for pilot in self:
            if pilot.assignment == "segment" and not pilot.segment_ids:
                raise ValidationError(
                    self.env._(
                        "“%(pilot)s” is for members of segments: choose which, or let the groups be drawn.",
                        pilot=pilot.name,
                    )
                )

    # === CRUD METHODS ===#

    def write(self, vals):
        if FROZEN_FIELDS & vals.keys() and not self.env.su:
            self._check_draft()
        return super().write(vals)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for pilot, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", pilot.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        for pilot in self.filtered(lambda pilot: pilot.state != "draft"):
            raise UserError(
                self.env._(
                    "“%(pilot)s” has started, and its days decide who has earned what: stop it instead of deleting it.",
                    pilot=pilot.name,
                )
            )

    # === ACTION METHODS ===#

    def action_start(self):
        """Draw the groups and note them; from the first day on, the control group is left out.

        :raises UserError: where something is missing, or too few members could be compared
        """
        self.check_access("write")
        for pilot in self:
            pilot._check_can_start()
            # Groups and state are set by the program alone.
            pilot.sudo()._start()

    def action_measure(self):
        """Compare the groups as of today.

        :raises UserError: where there is nothing to compare yet
        """
        self.check_access("write")
        for pilot in self:
            if pilot.state not in OPEN_STATES or pilot.date_from > pilot.program_id._get_today():
                raise UserError(
                    self.env._(
                        "“%(pilot)s” can be measured from %(day)s on until it is decided about.",
                        pilot=pilot.name,
                        day=format_date(self.env, pilot.date_from),
                    )
                )
            # Results are set by the program alone.
            pilot.sudo()._follow()

    def action_roll_out(self):
        """Let all members have from tomorrow on what was tried."""
        self._decide("rolled_out")
        # The day is set by the program alone; the decision has checked who may take it.
        for pilot_sudo in self.sudo():
            tomorrow = pilot_sudo.program_id._get_today() + timedelta(days=1)
            pilot_sudo.rollout_date = max(tomorrow, pilot_sudo.date_from)

    def action_stop(self):
        """End what was tried, for all members; what was earned by it stays."""
        self._decide("stopped")
        for pilot in self:
            thing = pilot._get_tried()
            if pilot.tried == "bonus":
                thing.action_stop()
            elif pilot.tried == "reward":
                thing.action_archive()
            else:
                thing._get_versions().filtered("active").action_archive()

    def action_view_members(self):
        """Show the members of both groups with what was measured of them."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_pilot_member_action"),
            "domain": [("pilot_id", "=", self.id)],
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_measure(self):
        """Compare the groups of all pilots that run, and end those whose last day is over."""
        pilots = self.search([("state", "=", "running")]).filtered(
            lambda pilot: pilot.date_from <= pilot.program_id._get_today()
        )
        self.env["ir.cron"]._commit_progress(remaining=len(pilots))
        for pilot in pilots:
            pilot._follow()
            self.env["ir.cron"]._commit_progress(1)

    def _start(self):
        """Draw the groups and note them with their baseline."""
        self.ensure_one()
        self.seed = random.SystemRandom().randrange(1, 10**9)
        strata, baseline, owners = self._get_strata(), self._get_baseline(), self._get_owners()
        self.env["partner.loyalty.pilot.member"].create(
            [
                {
                    "pilot_id": self.id,
                    "member_id": member_id,
                    "owner_id": owners[member_id],
                    "arm": arm,
                    "stratum": strata[member_id][-1],
                    "baseline": float(baseline.get(member_id) or 0),
                    "has_baseline": baseline.get(member_id) is not None,
                }
                for member_id, arm in self._draw(strata).items()
            ]
        )
        self.state = "running"
        self.message_post(body=self._get_balance_text())

    def _follow(self):
        """Compare the groups as of today, and end the pilot where its last day is over."""
        self.ensure_one()
        self._measure()
        if self.state == "running" and self.date_to < self.program_id._get_today():
            self._end()

    def _end(self):
        """Wait for a decision, and remind the responsible of it."""
        self.state = "ended"
        self.message_post(body=self.verdict_text)
        if self.user_id:
            pilot = self.with_context(lang=self.user_id.lang)
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=pilot.env._("Decide about “%s”: roll it out or stop it", pilot.name),
                user_id=self.user_id.id,
            )

    def _decide(self, state):
        """Take the decision, with what is known today.

        :param str state: ``rolled_out`` or ``stopped``
        """
        self.check_access("write")
        for pilot in self:
            if pilot.state not in OPEN_STATES:
                raise UserError(
                    self.env._("“%(pilot)s” does not wait for a decision: start it first.", pilot=pilot.name)
                )
            # The state is set by the buttons alone.
            pilot_sudo = pilot.sudo()
            if pilot.date_from <= pilot.program_id._get_today():
                pilot_sudo._measure()
            pilot_sudo.state = state
            if pilot.verdict_text:
                pilot.message_post(body=pilot.verdict_text)
            pilot.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS - CHECKS ===#

    def _check_draft(self):
        for pilot in self.filtered(lambda pilot: pilot.state != "draft"):
            raise UserError(
                self.env._(
                    "“%(pilot)s” has started, and its groups are compared as it was set up then: duplicate it to try "
                    "something else.",
                    pilot=pilot.name,
                )
            )

    def _check_can_start(self):
        """Check that a pilot can show something.

        :raises UserError: with what is missing
        """
        self.ensure_one()
        self._check_draft()
        if self.program_id.state != "running":
            raise UserError(
                self.env._("“%(program)s” is not running: start the program first.", program=self.program_id.name)
            )
        self._check_days()
        self._check_alone()
        self._check_given_by_nothing_else()
        counts = self._count_groups()
        if min(counts) < 2:
            raise UserError(
                self.env._(
                    "“%(pilot)s” would have %(treatment)s members with it and %(control)s without, those of one owner "
                    "counted as one: both groups need two at least. Choose another share or other segments.",
                    pilot=self.name,
                    treatment=counts[0],
                    control=counts[1],
                )
            )

    def _check_days(self):
        """Check that nothing that was earned already depends on the groups, and that the rule lasts.

        :raises UserError: where it does
        """
        today = self.program_id._get_today()
        first = today + timedelta(days=1) if self.rule_id.has_entries and self.tried == "rule" else today
        if self.date_from < first:
            raise UserError(
                self.env._(
                    "“%(pilot)s” cannot start before %(day)s: what was sold already has earned without groups.",
                    pilot=self.name,
                    day=format_date(self.env, first),
                )
            )
        if self.tried == "rule" and (
            (self.rule_id.date_from or self.date_from) > self.date_from
            or (self.rule_id.date_to or self.date_to) < self.date_to
        ):
            raise UserError(
                self.env._(
                    "“%(rule)s” is not in force on all days of “%(pilot)s”: change the days of one of them.",
                    rule=self.rule_id.name,
                    pilot=self.name,
                )
            )

    def _check_alone(self):
        """Check that no other pilot tries the same now.

        :raises UserError: where one does
        """
        thing = self._get_tried()
        # Whoever starts a pilot has to know of all others.
        for other_sudo in (thing.family_id if self.tried == "rule" else thing).sudo().pilot_ids - self.sudo():
            if other_sudo.state in OPEN_STATES:
                raise UserError(
                    self.env._(
                        "“%(tried)s” is tried by “%(pilot)s” already: decide about that first.",
                        tried=thing.name,
                        pilot=other_sudo.name,
                    )
                )

    def _check_given_by_nothing_else(self):
        """Check that the control group does not get the reward by another way.

        :raises UserError: where a tier or a bonus action gives it
        """
        if self.tried != "reward":
            return
        entitlements = self.env["partner.loyalty.tier.entitlement"].search([("reward_id", "=", self.reward_id.id)])
        effects = self.env["partner.loyalty.bonus.effect"].search([("reward_id", "=", self.reward_id.id)])
        givers = [*entitlements.tier_id.mapped("name"), *effects.action_id.mapped("name")]
        if givers:
            raise UserError(
                self.env._(
                    "“%(reward)s” is given by %(givers)s as well, whoever the member is: try the bonus action, or "
                    "another reward.",
                    reward=self.reward_id.name,
                    givers=", ".join(givers),
                )
            )

    # === GETTERS ===#

    def _get_tried(self):
        """Return what is tried: a rule, a bonus action or a reward."""
        self.ensure_one()
        return self[TRIED_FIELDS[self.tried or "rule"]]

    def _get_contribution_domain(self):
        """Return what of contributions counts: all but what the control group did in the days of the pilot.

        A partner that became a member of both groups, by a merge, goes on to earn.

        :rtype: Domain
        """
        self.ensure_one()
        partners = SQL(
            """SELECT member.partner_id
                 FROM partner_loyalty_pilot_member line
                 JOIN partner_loyalty_member member ON member.id = line.member_id
                WHERE line.pilot_id = %s
             GROUP BY member.partner_id HAVING bool_and(line.arm = 'control')""",
            self.id,
        )
        held = Domain("partner_id", "any!", partners) & Domain("rate_date", ">=", self.date_from)
        if self.rollout_date:
            held &= Domain("rate_date", "<", self.rollout_date)
        return ~held

    def _is_held_back(self, member, day):
        """Return whether a member is left out on a day.

        :param member: ``partner.loyalty.member``
        :param date day: day of the sale or claim
        """
        self.ensure_one()
        if self.state == "draft" or day < self.date_from or (self.rollout_date and day >= self.rollout_date):
            return False
        lines = self.env["partner.loyalty.pilot.member"].search(
            [("pilot_id", "=", self.id), ("member_id.root_id", "=", member.root_id.id)]
        )
        return set(lines.mapped("arm")) == {"control"}
