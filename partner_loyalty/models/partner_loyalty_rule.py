import logging
from datetime import date
from decimal import Decimal

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, PERIODS, STAFF_GROUPS, UNITS
from ..tools.domains import check_domain, read_domain
from .partner_loyalty_segment import UNREADABLE

_logger = logging.getLogger(__name__)

# What a rule that has posted must not change, because its statement lines were worked out by it.
FROZEN_FIELDS = {
    "program_id",
    "kind",
    "role",
    "domain",
    "formula",
    "unit",
    "rate",
    "step_amount",
    "step_kind",
    "tier_rate_ids",
    "date_from",
    "minimum_amount",
    "cap_document",
    "cap_member",
    "cap_period",
    "period",
    "measure",
    "band_kind",
    "band_ids",
    "segment_ids",
    "only_joined",
    "exclusive_group",
}

# Formulas that can be worked out for a part of a document, so that each product can have a rate of its own.
FORMULAS_BY_PART = ("percent", "per_amount", "per_unit")


class PartnerLoyaltyRule(models.Model):
    """What a kind of contribution is worth to the member. How the ledger follows is in ``partner.loyalty.engine``."""

    _name = "partner.loyalty.rule"
    _description = "Loyalty Rule"
    _inherit = [
        "partner.loyalty.engine",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.campaign.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.term.mixin",
    ]
    _order = "program_id, sequence, id"
    _protected_fields = frozenset({"has_entries", "used_up_on"})
    # A draft can be entered or copied; what puts it into force is a button.
    _protected_after_create_fields = frozenset({"is_draft", "previous_id", "version"})

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        selection=CONTRIBUTION_KINDS,
        string="Credited at",
        required=True,
        default="invoice",
        help="When the member earns: when the order is confirmed, when it is invoiced, "
        "or as the customer pays, in proportion to what was paid.",
    )
    role = fields.Selection(
        selection=CONTRIBUTION_ROLES,
        string="Who Earns",
        required=True,
        default="buyer",
        help="The partner who buys, or the partner who brought the customer.",
    )
    domain = fields.Char(
        string="Applies to",
        required=True,
        default="[]",
        help="Only sales that match earn; empty for all. It looks at lines: product, customer, salesperson, campaign.",
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Only for Segments",
        groups="base.group_user",
        help="Only partners of one of these segments earn; all where empty.",
    )
    formula = fields.Selection(
        selection=[
            ("percent", "Percent of untaxed amount"),
            ("per_amount", "So much per amount"),
            ("per_unit", "So much per unit"),
            ("fixed", "Fixed for each document"),
            ("bands", "By bands over a period"),
        ],
        required=True,
        default="percent",
    )
    unit = fields.Selection(selection=UNITS, string="Earns", required=True, default="money")
    rate = fields.Float(
        digits=(16, 4),
        aggregator=None,
        help="The percent, the points or the sum that a member earns; a tier can have a rate of its own below.",
    )
    step_amount = fields.Monetary(
        string="Per Amount", default=1, help="With 10 here and a rate of 1, each 10.00 of turnover earns one point."
    )
    step_kind = fields.Selection(
        selection=[("part", "In proportion"), ("full", "For each full amount"), ("started", "For each started amount")],
        string="Parts of an Amount",
        required=True,
        default="part",
        help="What 25.00 earn at 1 point per 10.00: in proportion 2.5, for full amounts 2, for started ones 3.",
    )
    tier_rate_ids = fields.One2many(
        comodel_name="partner.loyalty.rule.rate", inverse_name="rule_id", string="Rates by Tier and Category", copy=True
    )
    period = fields.Selection(
        selection=PERIODS, required=True, default="month", help="The calendar period whose sales are added up."
    )
    measure = fields.Selection(
        selection=[
            ("amount", "Turnover"),
            ("quantity", "Quantity"),
            ("documents", "Number of documents"),
            ("growth", "Growth against the year before"),
        ],
        required=True,
        default="amount",
        help="What the bands are about. Growth is turnover less that of the same period a year before; "
        "who sold nothing then does not grow.",
    )
    band_kind = fields.Selection(
        selection=[
            ("marginal", "Each band its own rate"),
            ("total", "From the first unit"),
            ("sum", "A sum for reaching it"),
        ],
        string="Bands",
        required=True,
        default="marginal",
        help="Whether a rate is for what lies within its band, or for all once the band is reached; "
        "or whether reaching the band earns a sum.",
    )
    band_ids = fields.One2many(comodel_name="partner.loyalty.rule.band", inverse_name="rule_id", copy=True)
    minimum_amount = fields.Monetary(
        string="Minimum of a Document", aggregator=None, help="Documents with a smaller net amount earn nothing."
    )
    cap_document = fields.Float(
        string="At Most for Each Document", digits=(16, 4), aggregator=None, help="No limit where it is zero."
    )
    cap_member = fields.Float(
        string="At Most for Each Member", digits=(16, 4), aggregator=None, help="No limit where it is zero."
    )
    cap_period = fields.Selection(selection=PERIODS, string="Within a", required=True, default="month")
    budget = fields.Float(
        digits=(16, 4),
        aggregator=None,
        groups=STAFF_GROUPS,
        help="All that members can earn by the rule together. When it is used up, sales earn nothing more by it. "
        "No limit where it is zero.",
    )
    used_up_on = fields.Date(
        string="Budget Used Up on", readonly=True, copy=False, help="The day of the last sale that the budget was for."
    )
    exclusive_group = fields.Char(
        string="First of Group",
        help="Of the rules with the same word here, a sale earns by the first one only whose filter it matches.",
    )
    date_from = fields.Date(
        string="Start", help="The first day whose sales earn by this rule; the start of the program where empty."
    )
    date_to = fields.Date(string="End", help="The last day whose sales earn by this rule.")
    has_own_terms = fields.Boolean(
        string="Own Holdback and Expiry", help="Earnings of this rule mature and expire by its own terms."
    )
    version = fields.Integer(default=1, readonly=True, copy=False, aggregator=None)
    previous_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        string="Previous Version",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    is_draft = fields.Boolean(
        string="Draft", readonly=True, help="The next version of a rule, which nothing earns by yet."
    )
    family_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        compute="_compute_family_id",
        store=True,
        recursive=True,
        index=True,
        help="The first version of the rule, which all its versions have in common.",
    )
    has_entries = fields.Boolean(
        string="Has Posted", readonly=True, copy=False, help="Statement lines were worked out by it."
    )
    pilot_ids = fields.One2many(
        comodel_name="partner.loyalty.pilot",
        inverse_name="family_id",
        string="Pilots",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )
    is_piloted = fields.Boolean(
        compute="_compute_is_piloted", store=True, help="Rules without a pilot need not look for its groups."
    )
    error = fields.Char(
        readonly=True, copy=False, help="Why the last run of this rule failed. Other rules went on; it is tried again."
    )

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_from IS NULL OR date_to >= date_from)",
        "A rule cannot end before it starts: choose a later end or an earlier start.",
    )
    _limits_positive = models.Constraint(
        "CHECK (minimum_amount >= 0 AND cap_document >= 0 AND cap_member >= 0 AND budget >= 0)",
        "Minimum, limits and budget of a rule cannot be negative: enter zero or more.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("previous_id.family_id")
    def _compute_family_id(self):
        for rule in self:
            rule.family_id = rule.previous_id.family_id or rule

    @api.depends("family_id.pilot_ids.state")
    def _compute_is_piloted(self):
        for rule in self:
            rule.is_piloted = any(pilot.state != "draft" for pilot in rule.family_id.pilot_ids)

    # === CONSTRAINT METHODS ===#

    @api.constrains("rate", "formula", "step_amount", "tier_rate_ids")
    def _check_rates(self):
        for rule in self:
            rates = [rule.rate, *rule.tier_rate_ids.mapped("rate")]
            highest = 100 if rule._is_percent() else None
            if min(rates) < 0 or (highest and max(rates) > highest):
                raise ValidationError(
                    self.env._(
                        "A rate of “%(rule)s” is out of range: percent go from 0 to 100, other rates from 0 up.",
                        rule=rule.name,
                    )
                )
            if rule.formula == "per_amount" and rule.step_amount <= 0:
                raise ValidationError(
                    self.env._("“%(rule)s” needs an amount above zero to earn its rate by.", rule=rule.name)
                )

    @api.constrains("formula", "tier_rate_ids")
    def _check_category_rates(self):
        for rule in self:
            if (rule._has_category_rates() and not rule._is_by_part()) or rule._has_stepped_categories():
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” cannot have rates by product category, because it earns for a document or a period "
                        "as a whole: remove these rates, or earn in proportion to amounts or units.",
                        rule=rule.name,
                    )
                )

    @api.constrains("formula", "band_ids", "band_kind", "measure")
    def _check_bands(self):
        for rule in self.filtered(lambda rule: rule.formula == "bands"):
            bands, is_percent = rule.band_ids, rule._is_percent_of_band()
            if not bands:
                raise ValidationError(self.env._("“%(rule)s” needs at least one band: add one.", rule=rule.name))
            if min(bands.mapped("threshold")) < 0 or min(bands.mapped("rate")) < 0:
                raise ValidationError(
                    self.env._("Bands of “%(rule)s” begin at zero or above, and so do rates.", rule=rule.name)
                )
            if is_percent and max(bands.mapped("rate")) > 100:
                raise ValidationError(
                    self.env._("A band of “%(rule)s” earns more than 100 percent: lower its rate.", rule=rule.name)
                )

    @api.constrains("exclusive_group", "kind", "role", "formula")
    def _check_group(self):
        for rule in self.filtered("exclusive_group"):
            for other in rule._get_group():
                if (rule.kind, rule.role) != (other.kind, other.role):
                    raise ValidationError(
                        self.env._(
                            "“%(rule)s” and “%(other)s” are in one group, so both have to be credited at the same "
                            "event and to the same partner: choose another group, or change one of them.",
                            rule=rule.name,
                            other=other.name,
                        )
                    )

    @api.constrains("date_from", "date_to", "is_draft", "previous_id")
    def _check_versions_apart(self):
        for rule in self:
            others = (rule._get_versions() - rule).filtered(lambda other: not other.is_draft)
            overlapping = others.filtered(rule._overlaps)
            if overlapping and not rule.is_draft:
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” is in force by version %(other)s on some of the days of version %(version)s: "
                        "choose days that follow each other.",
                        rule=rule.name,
                        other=overlapping[0].version,
                        version=rule.version,
                    )
                )

    @api.constrains("tier_rate_ids", "program_id")
    def _check_tiers_of_program(self):
        for rule in self:
            if rule.tier_rate_ids.tier_id.program_id - rule.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” has a rate for a tier of another program: choose tiers of %(program)s.",
                        rule=rule.name,
                        program=rule.program_id.name,
                    )
                )

    @api.constrains("kind", "role")
    def _check_role(self):
        kind_roles = self.env["partner.loyalty.contribution"]._get_kind_roles()
        for rule in self:
            if rule.role not in kind_roles[rule.kind]:
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” cannot reward “%(role)s” where “%(kind)s” counts: possible is %(roles)s.",
                        rule=rule.name,
                        **self.env["partner.loyalty.contribution"]._get_role_labels(rule.kind, rule.role),
                    )
                )

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                check_domain(self.env, "partner.loyalty.contribution", rule.domain)
            except UNREADABLE as error:
                raise ValidationError(
                    self.env._(
                        "The filter of “%(rule)s” cannot be read: build it with the filter editor. (%(error)s)",
                        rule=rule.name,
                        error=str(error)[:500],
                    )
                ) from error

    # === CRUD METHODS ===#

    def write(self, vals):
        # Before the values are compared with the old ones, which converts them.
        self._check_input(vals)
        if FROZEN_FIELDS & vals.keys():
            self._check_not_frozen(vals)
        result = super().write({**vals, "error": False} if "error" not in vals else vals)
        if "budget" in vals:
            # Nobody sets by hand on which day a budget was used up; another budget is not used up yet.
            self.sudo().used_up_on = False
        self.env["partner.loyalty.touch"]._retry(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_posted(self):
        for rule in self.filtered("has_entries"):
            raise UserError(
                self.env._("“%(rule)s” has posted statement lines: archive it, or set an end date.", rule=rule.name)
            )

    # === ACTION METHODS ===#

    def action_archive(self):
        """Archive rules: sales after today earn nothing by them; what they earned stays."""
        for rule in self:
            today = max(rule.program_id._get_today(), rule.date_from or rule.program_id.date_from)
            if not rule.date_to or rule.date_to > today:
                rule.date_to = today
        return super().action_archive()

    def action_new_version(self):
        """Open the draft of the next version: a copy that can be changed, and put into force from a day on.

        :raises UserError: where the rule has ended, or is a draft itself
        """
        self.ensure_one()
        self.check_access("write")
        if self.is_draft:
            raise UserError(self.env._("“%(rule)s” is a draft: change it as it is.", rule=self.name))
        if self.date_to and self.date_to < self.program_id._get_today():
            raise UserError(self.env._("“%(rule)s” ended already: duplicate it and choose new dates.", rule=self.name))
        drafts = self.search([("previous_id", "=", self.id), ("is_draft", "=", True)], limit=1)
        return (drafts or self.copy(self._prepare_successor_vals()))._get_records_action(context={})

    # === BUSINESS METHODS ===#

    def _prepare_successor_vals(self):
        """Return the values in which the next version of the rule differs from it."""
        return {
            "name": self.name,
            "version": self.version + 1,
            "previous_id": self.id,
            "date_from": False,
            "date_to": self.date_to,
            "is_draft": True,
        }

    def _check_not_frozen(self, vals=None):
        """Refuse to change what statement lines were worked out by.

        :param dict vals: the change, or None where any would be refused
        :raises UserError: where a rule has posted and the change is a real one
        """
        for rule in self:
            changed = vals is None or any(rule._is_changed(name, vals[name]) for name in FROZEN_FIELDS & vals.keys())
            if changed and rule.has_entries:
                raise UserError(
                    self.env._(
                        "“%(rule)s” has posted statement lines, which stay as they are: "
                        "use “New Version” to change it from today on.",
                        rule=rule.name,
                    )
                )
        if vals is None:
            # What changes is in another table: of two transactions, one that changes and one that posts, the second
            # has to meet the first at the rule.
            self.env.execute_query(
                SQL("UPDATE partner_loyalty_rule SET has_entries = has_entries WHERE id = ANY(%s)", list(self.ids))
            )

    def _is_changed(self, name, value):
        field = self._fields[name]
        if field.type == "one2many":
            return any(isinstance(command, int) or command[0] != fields.Command.LINK for command in value or [])
        return field.convert_to_write(self[name], self) != field.convert_to_write(
            field.convert_to_record(field.convert_to_cache(value, self), self), self
        )

    def _run_all_safely(self, scope, work):
        """Run rules at once; where that fails, one by one, so that those are found and noted that fail by themselves.

        :param Scope scope: what to look at
        :param work: callable of rules and scope
        """
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                work(self, scope)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception:  # whatever the reason is, it is logged and noted for the rule that has it
            for rule in self:
                rule._run_safely(scope, work)

    def _run_safely(self, scope, work=None):
        """Run one rule; where it fails, note it on the rule and let the others go on.

        Serialization failures are not caught: the caller has to start its transaction over.

        :param Scope scope: what to look at
        :param work: callable of rule and scope; reconciles by default
        :return: whether it went through
        :rtype: bool
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                work(self, scope) if work else self._reconcile(scope)
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception as error:  # a rule that fails must not stop the others, whatever the reason
            _logger.info("Loyalty rule %s failed", self.id, exc_info=True)
            self.env.cr.execute(
                SQL("UPDATE partner_loyalty_rule SET error = %s WHERE id = %s", str(error)[:500], self.id)
            )
            self.invalidate_recordset(["error"])
            return False
        return True

    # === GETTERS ===#

    def _get_filter_domain(self):
        """Return the filter of the rule over contributions.

        :rtype: Domain
        """
        self.ensure_one()
        return read_domain(self.env, self.domain)

    def _get_own_domain(self):
        """Return the filter of the rule over contributions, with its segments.

        :rtype: Domain
        """
        domain = self._get_filter_domain()
        return domain & self.segment_ids._get_contribution_domain(self.program_id) if self.segment_ids else domain

    def _get_open_domain(self):
        """Return the filter and segments of the rule, less what the control groups of its pilots do.

        :rtype: Domain
        """
        domain = self._get_own_domain()
        for pilot_sudo in self._get_pilots_sudo():
            domain &= pilot_sudo._get_contribution_domain()
        return domain

    def _get_pilots_sudo(self):
        """Return the pilots that have started with the rule, in whichever version.

        :rtype: recordset of ``partner.loyalty.pilot``
        """
        if not self.is_piloted:
            return self.env["partner.loyalty.pilot"]
        # Sales are answered in the name of people who cannot see pilots.
        return self.family_id.sudo().pilot_ids.filtered(lambda pilot: pilot.state != "draft")

    def _get_full_domain(self):
        """Return what the rule counts of contributions: its filter, less what rules before it in its group count.

        :rtype: Domain
        """
        self.ensure_one()
        domain = self._get_open_domain()
        for earlier in self._get_group():
            if (earlier.sequence, earlier.id) < (self.sequence, self.id):
                domain &= ~earlier._get_dated_domain()
        return domain

    def _get_dated_domain(self):
        """Return the filter of the rule together with its dates, as others of its group have to leave it out.

        :rtype: Domain
        """
        domain = self._get_open_domain()
        if self.date_from:
            domain &= Domain("rate_date", ">=", self.date_from)
        if self.date_to:
            domain &= Domain("rate_date", "<=", self.date_to)
        return domain

    def _get_group(self):
        """Return the other rules of the same group and program, archived ones as well.

        :rtype: recordset of ``partner.loyalty.rule``
        """
        self.ensure_one()
        if not self.exclusive_group:
            return self.browse()
        rules = self.program_id._get_rules_in_force() - self
        return rules.filtered(lambda rule: rule.exclusive_group == self.exclusive_group)

    def _get_versions(self):
        """Return all versions of the rule, which share its budget.

        :rtype: recordset of ``partner.loyalty.rule``
        """
        self.ensure_one()
        return self.with_context(active_test=False).search([("family_id", "=", self.family_id.id)])

    def _overlaps(self, other):
        """Return whether two rules are in force on the same day."""
        self.ensure_one()
        ends = [rule.date_to or date.max for rule in (self, other)]
        starts = [rule.date_from or rule.program_id.date_from for rule in (self, other)]
        return max(starts) <= min(ends)

    def _is_used_up(self):
        """Return whether the budget was used up once, by this version or another one with a budget as large."""
        if not self.budget:
            return False
        return any(version.used_up_on and version.budget >= self.budget for version in self._get_versions())

    def _get_bands(self):
        """Return the bands, lowest first.

        :rtype: recordset of ``partner.loyalty.rule.band``
        """
        return self.band_ids.sorted("threshold")

    def _is_percent(self):
        """Return whether the rate is percent."""
        return self.formula == "percent"

    def _is_by_part(self):
        """Return whether the formula can be worked out for a part of a document, as rates by category need it."""
        return self.formula in FORMULAS_BY_PART

    def _is_percent_of_band(self):
        """Return whether the rates of bands are percent of an amount."""
        return self.band_kind != "sum" and self.measure in ("amount", "growth")

    def _has_category_rates(self):
        """Return whether products have rates of their own."""
        return bool(self.tier_rate_ids.categ_id)

    def _has_stepped_categories(self):
        """Return whether products have rates of their own, and whole steps of the document count."""
        return self._has_category_rates() and self.formula == "per_amount" and self.step_kind != "part"

    def _has_document_cap(self):
        """Return whether what a document earns is limited; a period is limited as a whole."""
        return bool(self.cap_document) and self.formula != "bands"

    def _get_terms(self):
        """Return when what the rule earns matures and expires.

        :rtype: Terms
        """
        self.ensure_one()
        return self._get_own_terms() if self.has_own_terms else self.program_id._get_terms(self.unit)

    def _get_rounding(self):
        """Return the smallest step of the unit of the rule, as text that SQL reads exactly: ``"0.01"``."""
        self.ensure_one()
        if self.unit == "point":
            return format(Decimal(1).scaleb(-self.program_id.point_digits), "f")
        return f"{self.currency_id.rounding:.6f}"

    def _get_limit(self, name):
        """Return a limit in whole steps of the unit, as text: what is left of it has to be something to be paid.

        :param str name: field of the limit
        """
        step = Decimal(self._get_rounding())
        return format(Decimal(str(self[name])) // step * step, "f")

    def _get_rounding_method(self):
        """Return how amounts are brought to the smallest step: half, down or up."""
        self.ensure_one()
        return self.program_id.point_rounding if self.unit == "point" else "half"

    # === GETTERS - WORDS ===#

    def _get_rate_text(self, rate):
        """Return in words what a rate of the rule gives, such as “10 % of the untaxed amount”.

        :param float rate: in the unit of the rule, or percent
        :rtype: str
        """
        self.ensure_one()
        if self.formula == "percent":
            return self.env._("%s %% of the untaxed amount", self._format_rate(rate))
        terms = {"rate": self._format_earning(rate)}
        if self.formula == "per_unit":
            return self.env._("%(rate)s for each unit", **terms)
        if self.formula == "fixed":
            return self.env._("%(rate)s for each document", **terms)
        step = formatLang(self.env, self.step_amount, currency_obj=self.currency_id)
        return self.env._("%(rate)s for each %(step)s", **terms, step=step)

    def _get_band_text(self):
        """Return the bands in words, such as “from 1,000: 5 %, from 5,000: 8 %”.

        :rtype: str
        """
        self.ensure_one()
        is_percent = self._is_percent_of_band()
        return ", ".join(
            self.env._(
                "from %(threshold)s: %(rate)s",
                threshold=self._format_rate(band.threshold),
                rate=f"{self._format_rate(band.rate)} %" if is_percent else self._format_earning(band.rate),
            )
            for band in self._get_bands()
        )

    def _format_earning(self, amount):
        if self.unit == "money":
            return formatLang(self.env, amount, currency_obj=self.currency_id)
        return self.env._("Points: %s", self._format_rate(amount))

    def _format_rate(self, number):
        """Return a number without the zeros at its end."""
        digits = max(0, -Decimal(str(number)).normalize().as_tuple().exponent)
        return formatLang(self.env, number, digits=digits)
