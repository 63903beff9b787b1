import ast
import logging
from datetime import timedelta
from decimal import Decimal

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, UNITS

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
    "tier_rate_ids",
    "date_from",
}


class PartnerLoyaltyRule(models.Model):
    """What a kind of contribution is worth to the member. How the ledger follows is in ``partner.loyalty.engine``."""

    _name = "partner.loyalty.rule"
    _description = "Loyalty Rule"
    _inherit = ["partner.loyalty.engine", "partner.loyalty.input.mixin", "partner.loyalty.term.mixin"]
    _order = "program_id, sequence, id"

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
    formula = fields.Selection(
        selection=[
            ("percent", "Percent of untaxed amount"),
            ("per_amount", "So much per amount"),
            ("fixed", "Fixed for each document"),
        ],
        required=True,
        default="percent",
    )
    unit = fields.Selection(selection=UNITS, string="Earns", required=True, default="money")
    rate = fields.Float(
        digits=(16, 4),
        aggregator=None,
        help="The per cent, the points or the sum that a member earns; a tier can have a rate of its own below.",
    )
    step_amount = fields.Monetary(
        string="Per Amount", default=1, help="With 10 here and a rate of 1, each 10.00 of turnover earns one point."
    )
    tier_rate_ids = fields.One2many(
        comodel_name="partner.loyalty.rule.rate", inverse_name="rule_id", string="Rates by Tier", copy=True
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
    has_entries = fields.Boolean(compute="_compute_has_entries")
    error = fields.Char(
        readonly=True, copy=False, help="Why the last run of this rule failed. Other rules went on; it is tried again."
    )

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_from IS NULL OR date_to >= date_from)",
        "A rule cannot end before it starts: choose a later end or an earlier start.",
    )

    # === COMPUTE METHODS ===#

    def _compute_has_entries(self):
        rows = self.env.execute_query(
            SQL(
                """SELECT rule.id FROM partner_loyalty_rule rule
                    WHERE rule.id = ANY(%s)
                      AND EXISTS (SELECT 1 FROM partner_loyalty_entry entry
                                   WHERE COALESCE(entry.rule_id, 0) = rule.id)""",
                list(self.ids),
            )
        )
        with_entries = {row[0] for row in rows}
        for rule in self:
            rule.has_entries = rule.id in with_entries

    # === CONSTRAINT METHODS ===#

    @api.constrains("rate", "formula", "step_amount", "tier_rate_ids")
    def _check_rates(self):
        for rule in self:
            rates = [rule.rate, *rule.tier_rate_ids.mapped("rate")]
            highest = 100 if rule.formula == "percent" else None
            if min(rates) < 0 or (highest and max(rates) > highest):
                raise ValidationError(
                    self.env._(
                        "A rate of “%(rule)s” is out of range: per cent go from 0 to 100, other rates from 0 up.",
                        rule=rule.name,
                    )
                )
            if rule.formula == "per_amount" and rule.step_amount <= 0:
                raise ValidationError(
                    self.env._("“%(rule)s” needs an amount above zero to earn its rate by.", rule=rule.name)
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

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                rule.program_id._get_contribution_query("invoice", "buyer", None, None, domain=rule._get_domain())
            except (ValueError, TypeError, SyntaxError, KeyError, RecursionError) as error:
                raise ValidationError(
                    self.env._(
                        "The filter of “%(rule)s” cannot be read: build it with the filter editor. (%(error)s)",
                        rule=rule.name,
                        error=error,
                    )
                ) from error

    # === CRUD METHODS ===#

    def write(self, vals):
        # Before the values are compared with the old ones, which converts them.
        self._check_input(vals)
        if FROZEN_FIELDS & vals.keys():
            self._check_not_frozen(vals)
        result = super().write({**vals, "error": False} if "error" not in vals else vals)
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
        """Close the rule with yesterday's sales and open its successor, to be changed, from today on."""
        self.ensure_one()
        today = self.program_id._get_today()
        if self.date_to and self.date_to < today:
            raise UserError(self.env._("“%(rule)s” ended already: duplicate it and choose new dates.", rule=self.name))
        if (self.date_from or self.program_id.date_from) >= today:
            raise UserError(
                self.env._(
                    "“%(rule)s” starts today or later: correct it as it is, or archive it and create another.",
                    rule=self.name,
                )
            )
        successor = self.copy({**self._prepare_successor_vals(), "date_from": today})
        self.date_to = today - timedelta(days=1)
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": successor.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS ===#

    def _prepare_successor_vals(self):
        """Return the values in which the next version of the rule differs from it."""
        return {"name": self.name, "version": self.version + 1, "previous_id": self.id, "date_to": self.date_to}

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

    def _is_changed(self, name, value):
        field = self._fields[name]
        if field.type == "one2many":
            return any(isinstance(command, int) or command[0] != fields.Command.LINK for command in value or [])
        return field.convert_to_write(self[name], self) != field.convert_to_write(
            field.convert_to_record(field.convert_to_cache(value, self), self), self
        )

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

    def _get_domain(self):
        """Return the filter of the rule over contributions.

        :rtype: Domain
        :raises ValueError: where the text is no list of conditions
        """
        self.ensure_one()
        conditions = ast.literal_eval(self.domain or "[]")
        if not isinstance(conditions, list):
            raise ValueError(self.env._("it is not a list of conditions"))
        return Domain(conditions)

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
