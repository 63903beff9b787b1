from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class PartnerLoyaltyTier(models.Model):
    """A level that members reach by turnover, by other criteria, or by so many of them."""

    _name = "partner.loyalty.tier"
    _description = "Loyalty Tier"
    _inherit = ["image.mixin", "partner.loyalty.input.mixin", "partner.loyalty.pricelist.mixin"]
    _order = "program_id, sequence, threshold, id"

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(default=10, help="Tiers are listed from the lowest to the highest.")
    threshold = fields.Monetary(
        string="Turnover from",
        required=True,
        help="Turnover from which a member reaches this tier; zero where turnover does not matter.",
    )
    criterion_ids = fields.One2many(
        comodel_name="partner.loyalty.tier.criterion", inverse_name="tier_id", string="And Reaches", copy=True
    )
    needed_count = fields.Integer(
        string="Conditions Needed",
        aggregator=None,
        help="So many of the conditions, the turnover among them, have to be met; all of them where it is zero.",
    )
    # Everybody may read what a tier asks for, though not how its metrics are worked out.
    condition_summary = fields.Char(string="Conditions", compute="_compute_condition_summary", compute_sudo=True)
    multiplier = fields.Float(
        digits=(16, 4),
        default=1,
        required=True,
        aggregator=None,
        help="All that members of this tier earn is multiplied by it.",
    )
    rate_ids = fields.One2many(
        comodel_name="partner.loyalty.rule.rate", inverse_name="tier_id", string="Rates of Rules", readonly=True
    )
    pricelist_id = fields.Many2one(
        comodel_name="product.pricelist",
        string="Price List",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        index="btree_not_null",
        ondelete="restrict",
        help="Set on the partner with the tier, and taken back after it, but never over one that somebody chose.",
    )
    payment_term_id = fields.Many2one(
        comodel_name="account.payment.term",
        string="Payment Terms",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        index="btree_not_null",
        ondelete="restrict",
        help="Set on the partner with the tier, and taken back after it, but never over ones that somebody chose.",
    )
    entitlements = fields.Html(translate=True, help="What else members of this tier get; shown on their pages.")
    entitlement_ids = fields.One2many(
        comodel_name="partner.loyalty.tier.entitlement", inverse_name="tier_id", string="Rewards of the Tier"
    )
    color = fields.Integer()
    member_ids = fields.One2many(comodel_name="partner.loyalty.member", inverse_name="tier_id", string="Members")
    member_count = fields.Integer(compute="_compute_member_count")

    # === CONSTRAINTS ===#

    _threshold_positive = models.Constraint(
        "CHECK (threshold >= 0)", "A tier starts at zero turnover or above: enter a positive amount."
    )
    _multiplier_positive = models.Constraint(
        "CHECK (multiplier > 0 AND multiplier <= 1000)",
        "What a tier earns is multiplied by a number above 0: enter 1 to leave it as it is.",
    )
    _needed_count_positive = models.Constraint(
        "CHECK (needed_count IS NULL OR needed_count BETWEEN 0 AND 100)",
        "So many conditions are not there: enter how many of them have to be met, or 0 for all.",
    )

    # === COMPUTE METHODS ===#

    def _compute_member_count(self):
        counts = dict(
            self.env["partner.loyalty.member"]._read_group(
                [("tier_id", "in", self.ids), ("merged_into_id", "=", False)], ["tier_id"], ["__count"]
            )
        )
        for tier in self:
            tier.member_count = counts.get(tier, 0)

    @api.depends("threshold", "criterion_ids.metric_id", "criterion_ids.minimum", "needed_count")
    def _compute_condition_summary(self):
        for tier in self:
            tier.condition_summary = tier._get_condition_summary()

    # === CONSTRAINT METHODS ===#

    @api.constrains("threshold", "sequence", "program_id", "criterion_ids", "needed_count")
    def _check_tiers(self):
        self.program_id._check_tiers_rise()

    @api.constrains("needed_count", "criterion_ids", "threshold")
    def _check_needed_count(self):
        for tier in self:
            count = len(tier._get_conditions())
            if tier.needed_count > count:
                raise ValidationError(
                    self.env._(
                        "“%(tier)s” has %(count)s conditions and asks for %(needed)s of them: "
                        "lower the number, or add conditions.",
                        tier=tier.name,
                        count=count,
                        needed=tier.needed_count,
                    )
                )

    @api.constrains("pricelist_id", "payment_term_id", "program_id")
    def _check_company_of_benefits(self):
        for tier in self:
            for benefit in (tier.pricelist_id, tier.payment_term_id):
                if benefit.company_id and benefit.company_id != tier.company_id:
                    raise ValidationError(
                        self.env._(
                            "“%(benefit)s” belongs to another company than “%(tier)s”: choose one of its own company.",
                            benefit=benefit.display_name,
                            tier=tier.name,
                        )
                    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        # Nobody has the right to write the tier history by hand.
        tiers.sudo().program_id._start_tiers()
        return tiers

    def write(self, vals):
        if "multiplier" in vals:
            self._check_multiplier_is_free(vals["multiplier"])
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_granted(self):
        granted = self.env["partner.loyalty.tier.period"].search([("tier_id", "in", self.ids)], limit=1)
        if granted:
            raise UserError(
                self.env._(
                    "Members have been in the tier “%(tier)s”, and their history stays: "
                    "rename the tier, or raise its turnover.",
                    tier=granted.tier_id.name,
                )
            )
        fields_of_lines = ("tier_id", "proposed_tier_id", "decided_tier_id")
        proposed = Domain.OR(Domain(name, "in", self.ids) for name in fields_of_lines)
        if self.env["partner.loyalty.tier.review.line"].search_count(proposed, limit=1):
            raise UserError(self.env._("Tiers that were proposed to members are kept: rename the tier instead."))

    # === BUSINESS METHODS ===#

    def _check_multiplier_is_free(self, multiplier):
        """Check that nothing was worked out with the multiplier so far.

        :raises UserError: where members of a tier have earned by another one
        """
        for tier in self:
            was_granted = self.env["partner.loyalty.tier.period"].search_count([("tier_id", "=", tier.id)], limit=1)
            earned = [("program_id", "=", tier.program_id.id)]
            if (
                multiplier != tier.multiplier
                and was_granted
                and self.env["partner.loyalty.entry"].search_count(earned, limit=1)
            ):
                raise UserError(
                    self.env._(
                        "Members in the tier “%(tier)s” have earned with its multiplier, and that stays: "
                        "set rates for the tier in the next version of your rules.",
                        tier=tier.name,
                    )
                )

    # === GETTERS ===#

    def _get_conditions(self):
        """Return what the tier asks for.

        :return: pairs of a metric and the value that it has to reach; the metric of the turnover is not stored
        :rtype: list[tuple]
        """
        self.ensure_one()
        turnover = [(self.program_id._get_turnover_metric(), self.threshold)] if self.threshold else []
        return turnover + [(criterion.metric_id, criterion.minimum) for criterion in self.criterion_ids]

    def _get_asked(self):
        """Return what tells the tier from another one: how many of which conditions.

        :rtype: tuple
        """
        conditions = {(metric._origin.id or 0, value) for metric, value in self._get_conditions()}
        return (self._get_needed_count(), conditions)

    def _get_needed_count(self):
        """Return how many of the conditions have to be met."""
        self.ensure_one()
        return self.needed_count or len(self._get_conditions())

    def _get_condition_summary(self):
        """Say what the tier asks for, in words."""
        self.ensure_one()
        conditions = [
            self.env._("%(metric)s: %(value)s", metric=metric.name, value=metric._format_bound(value, self.currency_id))
            for metric, value in self._get_conditions()
        ]
        if not conditions:
            return self.env._("Every member")
        text = "; ".join(conditions)
        if not self.needed_count or self.needed_count == len(conditions):
            return text
        return self.env._("%(needed)s of: %(conditions)s", needed=self.needed_count, conditions=text)

    def _is_below(self, other):
        """Return whether the tier comes before another one of its program."""
        ranks = self.program_id._get_tiers().ids
        return ranks.index(self.id) < ranks.index(other.id)

    def _get_met_condition(self, columns):
        """Return whether the measured values reach the tier.

        :param dict columns: column of the value by id of the metric, None for the turnover
        :rtype: SQL
        """
        met = [self._get_met(metric, value, columns) for metric, value in self._get_conditions()]
        if not met:
            return SQL("TRUE")
        if not self.needed_count:
            return SQL(" AND ").join(met)
        return SQL("%s >= %s", SQL(" + ").join(SQL("(%s)::integer", one) for one in met), self.needed_count)

    @staticmethod
    def _get_met(metric, value, columns):
        """Return whether one condition is met; nobody meets one about which nothing is known."""
        compare = SQL("<=") if metric.direction == "down" else SQL(">=")
        column = columns[metric._origin.id or None]
        return SQL("COALESCE(%s %s %s::numeric, FALSE)", column, compare, f"{value:.4f}")

    def _get_evidence(self, columns):
        """Return what was measured of each condition, as JSON.

        :param dict columns: see :meth:`_get_met_condition`
        :rtype: SQL
        """
        facts = [
            SQL(
                "jsonb_build_object('metric_id', %s::integer, 'name', %s::varchar, 'unit', %s::varchar,"
                " 'direction', %s::varchar, 'value', %s::text, 'minimum', %s::varchar, 'met', %s)",
                metric._origin.id or None,
                metric.name,
                metric.unit,
                metric.direction,
                columns[metric._origin.id or None],
                f"{value:.4f}",
                self._get_met(metric, value, columns),
            )
            for metric, value in self._get_conditions()
        ]
        return SQL("jsonb_build_array(%s)", SQL(", ").join(facts))

    def _get_progress(self, columns):
        """Return which part of the way to the tier is done, from 0 to 1: on average of the conditions closest to it.

        :param dict columns: see :meth:`_get_met_condition`
        :rtype: SQL
        """
        parts = []
        for metric, value in self._get_conditions():
            column, bound = columns[metric._origin.id or None], f"{value:.4f}"
            ratio = SQL("%s / NULLIF(%s::numeric, 0)", column, bound)
            if metric.direction == "down":
                ratio = SQL("%s::numeric / NULLIF(%s, 0)", bound, column)
            met = self._get_met(metric, value, columns)
            parts.append(SQL("CASE WHEN %s THEN 1 ELSE GREATEST(LEAST(COALESCE(%s, 0), 1), 0) END", met, ratio))
        if not parts:
            return SQL("1::numeric")
        return SQL(
            "(SELECT AVG(part) FROM (SELECT part FROM unnest(ARRAY[%s]::numeric[]) part"
            " ORDER BY part DESC LIMIT %s) AS best)",
            SQL(", ").join(parts),
            self._get_needed_count(),
        )
