from datetime import timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, PERIODS, UNITS
from ..tools import periods
from ..tools.domains import check_domain, read_domain
from ..tools.window import Window
from .partner_loyalty_segment import UNREADABLE

# The fields that each aggregate can be made of.
AGGREGATE_FIELDS = {
    "sum": ("amount", "quantity"),
    "average": ("amount", "quantity"),
    "distinct": ("customer", "product", "campaign", "month"),
}

QUALITY_WEIGHTS = ("survey_weight", "return_weight", "audit_weight")


class PartnerLoyaltyMetric(models.Model):
    """A measure with a name: how well a member does, in one number, over any time and for all members at once."""

    _name = "partner.loyalty.metric"
    _description = "Loyalty Metric"
    _inherit = [
        "partner.loyalty.input.mixin",
        "partner.loyalty.measure",
        "partner.loyalty.measure.quality",
        "partner.loyalty.measure.answer",
    ]
    _order = "sequence, name, id"
    _check_company_auto = True

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True, help="What the number says, in a sentence that partners understand.")
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name="res.company", index=True, help="Programs of this company can use it; those of all where empty."
    )
    source = fields.Selection(
        selection=[
            ("contribution", "What members did"),
            ("ledger", "What members earned"),
            ("punctuality", "Whether members paid on time"),
            ("quality", "How well members served customers"),
            ("answer", "How soon members were answered"),
            ("entered", "Entered or imported values"),
        ],
        required=True,
        default="contribution",
    )
    kind = fields.Selection(selection=CONTRIBUTION_KINDS, default="invoice", help="What counts, and when.")
    role = fields.Selection(selection=CONTRIBUTION_ROLES, default="buyer", help="The part that the member has in it.")
    domain = fields.Char(string="Filter", default="[]", help="Only what matches counts.")
    ledger_unit = fields.Selection(selection=UNITS, string="Earned in", default="point")
    aggregate = fields.Selection(
        selection=[
            ("sum", "Added up"),
            ("count", "Number of documents"),
            ("distinct", "Number of different ones"),
            ("average", "Average of a document"),
            ("last", "The last one"),
        ],
        string="Calculation",
        required=True,
        default="sum",
        help="Of what members did or earned, the last one counts the days since then; of what was entered, it is the "
        "latest value.",
    )
    field = fields.Selection(
        selection=[
            ("amount", "Untaxed amount"),
            ("quantity", "Quantity"),
            ("customer", "Customers"),
            ("product", "Products"),
            ("campaign", "Campaigns"),
            ("month", "Months"),
        ],
        string="Of",
        default="amount",
    )
    base_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        string="As Share of",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The value is then percent of that of the other metric over the same time.",
    )
    is_growth = fields.Boolean(
        string="Growth", help="The value is by how many percent it is more than in the same period before."
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
        string="Unit of the Value",
        compute="_compute_unit",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    direction = fields.Selection(
        selection=[("up", "More is better"), ("down", "Less is better")],
        compute="_compute_direction",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    survey_weight = fields.Float(
        string="Weight of Answers",
        digits=(5, 2),
        default=50,
        help="How much the answers of customers to the survey of the program count. Parts without any data drop out, "
        "and the others make up the whole.",
    )
    return_weight = fields.Float(
        string="Weight of Returns", digits=(5, 2), default=30, help="How much it counts that little is credited."
    )
    audit_weight = fields.Float(
        string="Weight of Audits", digits=(5, 2), default=20, help="How much the last score of an audit counts."
    )
    minimum_answers = fields.Integer(
        default=5, help="With fewer answers in the period, those of customers do not count yet."
    )
    audit_metric_id = fields.Many2one(
        comodel_name="partner.loyalty.metric",
        string="Audit Scores",
        domain="[('source', '=', 'entered')]",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        compute="_compute_audit_metric_id",
        store=True,
        readonly=False,
        precompute=True,
        help="The metric that officers enter the scores of audits for, from 0 to 100.",
    )
    value_ids = fields.One2many(comodel_name="partner.loyalty.metric.value", inverse_name="metric_id", string="Values")
    value_count = fields.Integer(compute="_compute_value_count")

    # Read only for all but the form, which asks for a value by them: they are stored nowhere.
    sample_member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Value for",
        store=False,
        readonly=True,
        help="Try the metric on a member.",
    )
    sample_period = fields.Selection(
        selection=PERIODS, string="Over the Last", store=False, readonly=True, default="year"
    )
    sample_value = fields.Char(string="Value", compute="_compute_sample_value")

    # === CONSTRAINTS ===#

    _weights_positive = models.Constraint(
        "CHECK (survey_weight >= 0 AND return_weight >= 0 AND audit_weight >= 0)",
        "A part of service quality cannot weigh less than nothing: enter zero to leave it out.",
    )
    _minimum_answers_range = models.Constraint(
        "CHECK (minimum_answers BETWEEN 1 AND 1000000)",
        "At least one answer makes a score: enter 1 or more.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("source", "aggregate", "field", "base_id", "is_growth", "ledger_unit")
    def _compute_unit(self):
        for metric in self:
            metric.unit = metric._get_natural_unit()

    @api.depends("aggregate", "source", "is_growth", "base_id")
    def _compute_direction(self):
        for metric in self:
            is_recency = metric.aggregate == "last" and metric.source in ("contribution", "ledger")
            is_recency &= not metric.is_growth and not metric.base_id
            metric.direction = "down" if is_recency or metric.source == "answer" else "up"

    @api.depends("source")
    def _compute_audit_metric_id(self):
        shipped = self.env.ref("partner_loyalty.partner_loyalty_metric_audit", raise_if_not_found=False)
        for metric in self:
            metric.audit_metric_id = metric.source == "quality" and (metric.audit_metric_id or shipped)

    @api.depends("value_ids")
    def _compute_value_count(self):
        counts = dict(
            self.env["partner.loyalty.metric.value"]._read_group(
                [("metric_id", "in", self.ids)], ["metric_id"], ["__count"]
            )
        )
        for metric in self:
            metric.value_count = counts.get(metric, 0)

    @api.depends(
        "source",
        "kind",
        "role",
        "domain",
        "ledger_unit",
        "aggregate",
        "field",
        "base_id",
        "is_growth",
        "unit",
        "survey_weight",
        "return_weight",
        "audit_weight",
        "minimum_answers",
        "audit_metric_id",
        "sample_member_id",
        "sample_period",
    )
    def _compute_sample_value(self):
        for metric in self:
            metric.sample_value = metric._get_sample_value()

    # === CONSTRAINT METHODS ===#

    @api.constrains("source", "kind", "role")
    def _check_role(self):
        kind_roles = self.env["partner.loyalty.contribution"]._get_kind_roles()
        for metric in self.filtered(lambda metric: metric.source == "contribution"):
            if not metric.kind or metric.role not in kind_roles[metric.kind]:
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” cannot be about “%(role)s” where “%(kind)s” counts: possible is %(roles)s.",
                        metric=metric.name,
                        **self.env["partner.loyalty.contribution"]._get_role_labels(
                            metric.kind or "invoice", metric.role
                        ),
                    )
                )

    @api.constrains("source", "aggregate", "field")
    def _check_field(self):
        labels = dict(self._fields["field"]._description_selection(self.env))
        for metric in self.filtered(lambda metric: metric.source == "contribution"):
            possible = AGGREGATE_FIELDS.get(metric.aggregate)
            if possible and metric.field not in possible:
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” cannot be made of “%(field)s”: choose one of %(possible)s.",
                        metric=metric.name,
                        field=labels.get(metric.field, ""),
                        possible=", ".join(labels[name] for name in possible),
                    )
                )

    @api.constrains("source", "aggregate", "base_id", "is_growth")
    def _check_aggregate(self):
        for metric in self:
            if metric.source in ("ledger", "entered") and metric.aggregate == "distinct":
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” can count different ones of what members did alone: choose another calculation.",
                        metric=metric.name,
                    )
                )
            if metric.is_growth and metric.aggregate == "last" and metric.source != "entered":
                raise ValidationError(
                    self.env._(
                        "The days since the last one of “%(metric)s” do not grow by percent: switch off its growth.",
                        metric=metric.name,
                    )
                )

    @api.constrains("source")
    def _check_source(self):
        for metric in self:
            # Values of other companies count as well.
            if metric.source != "entered" and metric.sudo().value_ids:
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” has values that were entered, which would count no more: create another metric.",
                        metric=metric.name,
                    )
                )

    @api.constrains("source", "base_id")
    def _check_rewards_nothing(self):
        # Whoever changes a metric has to know of what others reward by it, too.
        metrics_sudo = self.sudo().filtered(lambda metric: not metric._has_cycle("base_id") and metric._is_about_us())
        for metric_sudo in metrics_sudo:
            if users := metric_sudo._get_rewarding():
                metric_sudo._check_can_reward(", ".join(users))

    @api.constrains("source", "survey_weight", "return_weight", "audit_weight", "audit_metric_id")
    def _check_quality(self):
        for metric in self.filtered(lambda metric: metric.source == "quality"):
            if not any(metric[name] for name in QUALITY_WEIGHTS):
                raise ValidationError(
                    self.env._(
                        "Nothing of “%(metric)s” has any weight: enter one for answers, returns or audits.",
                        metric=metric.name,
                    )
                )
            if metric.audit_weight and metric.audit_metric_id.source != "entered":
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” lacks the metric that audit scores are entered for: choose one whose values are "
                        "entered, or enter 0 as the weight of audits.",
                        metric=metric.name,
                    )
                )

    @api.constrains("domain")
    def _check_domain(self):
        for metric in self:
            try:
                metric._check_filter()
            except UNREADABLE as error:
                raise ValidationError(
                    self.env._(
                        "The filter of “%(metric)s” cannot be read: build it with the filter editor. (%(error)s)",
                        metric=metric.name,
                        error=str(error)[:500],
                    )
                ) from error

    @api.constrains("base_id")
    def _check_base(self):
        for metric in self:
            if metric._has_cycle("base_id"):
                raise ValidationError(
                    self.env._("“%(metric)s” would be a share of itself: choose another metric.", metric=metric.name)
                )

    # === CRUD METHODS ===#

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Override: files name a metric in English as well, as that to fill in does."""
        found = super().name_search(name, domain, operator, limit)
        if found or operator != "=" or (self.env.lang or "en_US") == "en_US":
            return found
        return self.with_context(lang="en_US").name_search(name, domain, operator, limit)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for metric in self:
            users = metric._get_users()
            if users:
                raise UserError(
                    self.env._(
                        "“%(metric)s” is used by %(users)s: archive it, or choose another metric there first.",
                        metric=metric.name,
                        users=", ".join(users),
                    )
                )

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for metric, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", metric.name)
        return vals_list

    # === ACTION METHODS ===#

    def action_view_members(self):
        """Open the dialog that lists the values of all members."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_metric_reading_action"),
            "context": {"default_metric_id": self.id},
        }

    def action_view_values(self):
        """Show the values that were entered or imported."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_metric_value_action"),
            "domain": [("metric_id", "=", self.id)],
            "context": {"default_metric_id": self.id},
        }

    # === BUSINESS METHODS ===#

    def _check_usable_for(self, name, company):
        """Check that a tier, a goal or the like can be measured by the metric.

        :param str name: of what is to be measured by it
        :param company: ``res.company`` that this belongs to
        :raises ValidationError: where the metric is archived, or of another company
        """
        self.ensure_one()
        terms = {"metric": self.name, "name": name, "company": company.name}
        if not self.active:
            raise ValidationError(
                self.env._(
                    "“%(metric)s” is archived, so “%(name)s” cannot be measured by it: restore the metric, or choose "
                    "another.",
                    **terms,
                )
            )
        if self.company_id and self.company_id != company:
            raise ValidationError(
                self.env._(
                    "“%(metric)s” is a metric of %(other)s, and “%(name)s” belongs to %(company)s: choose another "
                    "metric.",
                    other=self.company_id.name,
                    **terms,
                )
            )

    def _is_about_us(self):
        """Return whether the metric says how the company serves members, or is worked out from one that does."""
        self.ensure_one()
        return self.source == "answer" or bool(self.base_id and self.base_id._is_about_us())

    def _check_can_reward(self, name):
        """Check that the metric says what members do: what they wait for neither pays nor promotes anybody.

        :param str name: of what is to pay or promote by the metric
        :raises ValidationError: where it is about the company
        """
        self.ensure_one()
        if self._is_about_us():
            raise ValidationError(
                self.env._(
                    "“%(metric)s” says how the company serves members, and not what they do, so it neither pays nor "
                    "promotes: choose another metric for “%(name)s”.",
                    metric=self.name,
                    name=name,
                )
            )

    def _get_rewarding(self):
        """Return the names of what pays or promotes by the metric, or by one that is a share of it.

        :rtype: list[str]
        """
        self.ensure_one()
        metrics = self.with_context(active_test=False)
        shares = metrics.search([("base_id", "=", self.id)])
        criteria = metrics.env["partner.loyalty.tier.criterion"].search([("metric_id", "=", self.id)])
        return criteria.tier_id.mapped("display_name") + [name for share in shares for name in share._get_rewarding()]

    def _get_users(self):
        """Return the names of what could not be worked out without the metric; modules that use metrics add theirs.

        :rtype: list[str]
        """
        self.ensure_one()
        # What another company works out goes on as well.
        metric_sudo = self.sudo().with_context(active_test=False)
        metrics_sudo = metric_sudo.search(["|", ("base_id", "=", self.id), ("audit_metric_id", "=", self.id)])
        criteria_sudo = metric_sudo.env["partner.loyalty.tier.criterion"].search([("metric_id", "=", self.id)])
        return metrics_sudo.mapped("name") + criteria_sudo.tier_id.mapped("display_name")

    def _is_audit_score(self):
        """Return whether what is entered for the metric is a part of service quality."""
        self.ensure_one()
        # A metric of another company may use it as well.
        metric_sudo = self.sudo().with_context(active_test=False)
        return bool(metric_sudo.search_count([("audit_metric_id", "=", self.id), ("source", "=", "quality")], limit=1))

    def _check_filter(self):
        """Check that who writes the metric can read its filter.

        :raises: one of ``UNREADABLE`` where not
        """
        self.ensure_one()
        check_domain(self.env, "partner.loyalty.contribution", self.domain)

    def _get_sample_value(self):
        """Return the value of the member that the metric is tried on, as text."""
        self.ensure_one()
        if not self._can_be_tried():
            return ""
        # Who may open metrics sees the figure of a member, though not each document behind it.
        metric_sudo, member_sudo = self.sudo(), self.sample_member_id.sudo()
        program = member_sudo.program_id
        window = self._get_trailing_window(program._get_today(), self.sample_period)
        holder = member_sudo.turnover_root_id
        value = metric_sudo._get_values(program, window._replace(member_ids=(holder.id,)))[holder.id]
        return metric_sudo._format_value(value, program.currency_id)

    def _can_be_tried(self):
        """Return whether the metric is complete, and the user may see what it is tried on and by which filter."""
        self.ensure_one()
        if not (self.sample_member_id and self.sample_period and self.sample_member_id.has_access("read")):
            return False
        try:
            self._check_filter()
        except UNREADABLE:
            return False
        return self._is_complete()

    def _is_complete(self):
        """Return whether enough of the metric is filled in to measure something."""
        self.ensure_one()
        if self.source != "contribution":
            return bool(self.source and self.aggregate)
        return (
            self.role in self.env["partner.loyalty.contribution"]._get_kind_roles().get(self.kind, ())
            and bool(self.aggregate)
            and self.field in AGGREGATE_FIELDS.get(self.aggregate, [self.field])
        )

    @api.model
    def _get_trailing_window(self, last, period):
        """Return the month, quarter, half or whole year that ends with a day.

        :param date last: its last day
        :param str period: month, quarter, half or year
        :rtype: Window
        """
        months = periods.MONTHS_BY_PERIOD[period]
        return Window(last + timedelta(days=1) - relativedelta(months=months), last, months)

    def _get_filter_domain(self):
        """Return the filter over contributions.

        :rtype: Domain
        """
        self.ensure_one()
        return read_domain(self.env, self.domain)

    def _get_natural_unit(self):
        """Return the unit that the value has by the way it is calculated."""
        self.ensure_one()
        if self.is_growth or self.base_id or self.source in ("punctuality", "quality"):
            return "percent"
        if self.source == "answer":
            return "hours"
        if self.source == "entered":
            return self.unit or "number"
        if self.aggregate == "last":
            return "days"
        if self.aggregate not in ("sum", "average"):
            return "number"
        if self.source == "ledger":
            return "points" if self.ledger_unit == "point" else "money"
        return "money" if self.field == "amount" else "number"

    @api.model
    def _get_name_of(self, metric_id):
        """Return the name of a metric that was noted somewhere; none where there is no such metric any more.

        :param int metric_id: id of the metric, or None for the turnover that tiers follow
        :rtype: str
        """
        if not metric_id:
            return self.env._("Turnover")
        # Whoever may see a figure may read what it is about.
        metric_sudo = self.sudo().browse(metric_id).exists()
        return metric_sudo.name

    def _format_bound(self, value, currency):
        """Return the least or the most that a value has to be, as people read it.

        :rtype: str
        """
        text = self._format_value(value, currency)
        return self.env._("at most %s", text) if self.direction == "down" else self.env._("at least %s", text)

    def _format_value(self, value, currency):
        """Return a value as people read it.

        :param value: number, or None where there is no value
        :param currency: of the program
        :rtype: str
        """
        self.ensure_one()
        if value is None:
            return self.env._("no value")
        if self.unit == "money":
            return formatLang(self.env, float(value), currency_obj=currency)
        digits = 0 if value == Decimal(value).to_integral_value() else 2
        number = formatLang(self.env, float(value), digits=digits)
        return {
            "percent": self.env._("%s %%", number),
            "days": self.env._("%s days", number),
            "hours": self.env._("%s h", number),
            "points": self.env._("%s points", number),
        }.get(self.unit, number)
