from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

# Over so many months of the past the two versions are compared.
COMPARED_MONTHS = 12


class PartnerLoyaltyRuleVersion(models.TransientModel):
    """Brings the draft of the next version of a rule into force, after showing for whom it makes a difference."""

    _name = "partner.loyalty.rule.version"
    _description = "Next Version of a Rule"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_rule_id(self):
        return self._get_active_records("partner.loyalty.rule")[:1]

    # === FIELDS ===#

    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        string="Next Version",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_rule_id(),
    )
    previous_id = fields.Many2one(related="rule_id.previous_id")
    unit = fields.Selection(related="rule_id.unit")
    currency_id = fields.Many2one(related="rule_id.currency_id")
    date_from = fields.Date(
        string="In Force from",
        required=True,
        default=lambda self: fields.Date.context_today(self) + relativedelta(days=1),
        help="The first day whose sales earn by the new version; up to the day before it is the old one.",
    )
    threshold = fields.Float(
        string="Show Changes above", digits=(16, 4), help="Members whose result changes by more than this are listed."
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.rule.version.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )
    total = fields.Float(string="Difference in All", digits=(18, 4), compute="_compute_line_ids")

    # === COMPUTE METHODS ===#

    @api.depends("rule_id", "threshold")
    def _compute_line_ids(self):
        for wizard in self:
            rows = wizard._get_rows() if wizard.previous_id else []
            listed = [row for row in rows if abs(row["amount_after"] - row["amount_before"]) > wizard.threshold]
            wizard.total = sum(row["amount_after"] - row["amount_before"] for row in rows)
            wizard.line_ids = [Command.clear(), *(Command.create(row) for row in listed)]

    # === ACTION METHODS ===#

    def action_apply(self):
        """End the version so far and put the next one into force.

        :raises UserError: where the day is not after the start of the version so far, or lies in a locked period
        """
        self.ensure_one()
        self.rule_id.check_access("write")
        self._check_date()
        self.previous_id.date_to = self.date_from - relativedelta(days=1)
        # Whether it is a draft nobody sets by hand.
        self.rule_id.sudo().write({"is_draft": False, "date_from": self.date_from})
        return self.rule_id._get_records_action(context={})

    # === BUSINESS METHODS ===#

    def _check_date(self):
        previous, program = self.previous_id, self.rule_id.program_id
        terms = {"rule": self.rule_id.name}
        if not self.rule_id.is_draft:
            raise UserError(self.env._("“%(rule)s” is in force already: reload the page.", **terms))
        if self.date_from <= (previous.date_from or program.date_from):
            raise UserError(
                self.env._("The version of “%(rule)s” so far starts on that day or later: choose a later day.", **terms)
            )
        if program.lock_date and self.date_from <= program.lock_date:
            raise UserError(
                self.env._(
                    "“%(program)s” is locked up to %(date)s: choose a later day.",
                    program=program.name,
                    date=program.lock_date,
                )
            )
        if previous.date_to and self.date_from > previous.date_to:
            raise UserError(
                self.env._("The version of “%(rule)s” so far ends before that day: choose an earlier one.", **terms)
            )

    def _get_rows(self):
        """Return what each member earned by the version so far, and would have by the next one.

        Both are worked out over the last twelve months as if they had been in force all the time.

        :return: dicts of ``member_id``, ``amount_before`` and ``amount_after``, the largest difference first
        :rtype: list[dict]
        """
        rule = self.rule_id
        today = rule.program_id._get_today()
        first = max(rule.program_id.date_from, today - relativedelta(months=COMPARED_MONTHS))
        scope = rule._get_member_scope(rule.program_id.member_ids.root_id.ids)
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT root_id AS member_id, COALESCE(SUM(amount) FILTER (WHERE NOT is_new), 0)::float AS amount_before,
                       COALESCE(SUM(amount) FILTER (WHERE is_new), 0)::float AS amount_after
                  FROM (SELECT root_id, amount, FALSE AS is_new FROM (%s) old
                         UNION ALL SELECT root_id, amount, TRUE FROM (%s) new) both_versions
              GROUP BY root_id
                """,
                self.previous_id._get_hypothetical_query(scope, first, today),
                rule._get_hypothetical_query(scope, first, today),
            )
        )
        return sorted(rows, key=lambda row: -abs(row["amount_after"] - row["amount_before"]))


class PartnerLoyaltyRuleVersionLine(models.TransientModel):
    """What the next version changes for one member."""

    _name = "partner.loyalty.rule.version.line"
    _description = "Change for a Member"

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.rule.version", required=True, ondelete="cascade")
    member_id = fields.Many2one(comodel_name="partner.loyalty.member", required=True, ondelete="cascade")
    amount_before = fields.Float(string="So Far", digits=(18, 4))
    amount_after = fields.Float(string="Then", digits=(18, 4))
    difference = fields.Float(digits=(18, 4), compute="_compute_difference")

    # === COMPUTE METHODS ===#

    @api.depends("amount_before", "amount_after")
    def _compute_difference(self):
        for line in self:
            line.difference = line.amount_after - line.amount_before
