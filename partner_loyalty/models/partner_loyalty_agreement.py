from datetime import date

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL


class PartnerLoyaltyAgreement(models.Model):
    """Special terms of one member for some time: a rate of its own, a multiplier, a discount, or terms guaranteed.

    They apply to sales of these days, by all versions of a rule; a guarantee keeps one version in force for the member.
    A discount is given on the lines of its quotations, where these have no higher one.
    """

    _name = "partner.loyalty.agreement"
    _description = "Special Agreement"
    _inherit = ["mail.thread", "partner.loyalty.input.mixin"]
    _order = "date_from desc, id desc"

    # === FIELDS ===#

    name = fields.Char(
        string="Reason", required=True, tracking=True, help="Why the member has it; shown on its statement."
    )
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", tracking=True
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    program_id = fields.Many2one(related="member_id.program_id", store=True, index=True)
    company_id = fields.Many2one(related="member_id.company_id", store=True, index=True)
    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        domain="[('program_id', '=', program_id)]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="With all its versions; all rules of the program where empty.",
    )
    family_id = fields.Many2one(related="rule_id.family_id", store=True, index=True)
    kind = fields.Selection(
        selection=[
            ("rate", "A rate of its own"),
            ("multiplier", "A multiple of the usual"),
            ("discount", "A discount on what it buys"),
            ("guarantee", "The terms of the rule are guaranteed"),
        ],
        required=True,
        default="multiplier",
        tracking=True,
        help="A rate takes the place of all rates of the rule. A multiplier applies to whatever the rate is. "
        "A guarantee keeps the version of the rule, also when its successor is in force for others. "
        "A discount is given on new lines of quotations that have no higher one.",
    )
    rate = fields.Float(digits=(16, 4), aggregator=None, tracking=True)
    multiplier = fields.Float(digits=(16, 4), default=1, aggregator=None, tracking=True)
    discount = fields.Float(string="Discount (%)", digits="Discount", aggregator=None, tracking=True)
    date_from = fields.Date(string="Start", required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(string="End", tracking=True, help="The last day whose sales have these terms.")

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "An agreement cannot end before it starts: choose a later end or an earlier start.",
    )
    _numbers_positive = models.Constraint(
        "CHECK (rate >= 0 AND multiplier >= 0)", "Rates and multipliers cannot be negative: enter zero or more."
    )
    _guarantee_ends = models.Constraint(
        "CHECK (kind <> 'guarantee' OR (date_to IS NOT NULL AND rule_id IS NOT NULL))",
        "A guarantee is about one rule and ends on some day: choose both.",
    )
    _rate_has_rule = models.Constraint(
        "CHECK (kind <> 'rate' OR rule_id IS NOT NULL)", "A rate of its own is about one rule: choose it."
    )
    _discount_per_cent = models.Constraint(
        "CHECK (kind <> 'discount' OR (discount > 0 AND discount <= 100 AND rule_id IS NULL))",
        "A discount is above 0 and at most 100 percent, and for no rule: enter the percent and empty the rule.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("member_id", "rule_id", "kind", "date_from", "date_to")
    def _check_overlap(self):
        for agreement in self:
            others = agreement._find_overlapping(agreement.member_id, agreement.date_from) - agreement
            if others:
                raise ValidationError(
                    self.env._(
                        "%(partner)s has “%(other)s” on some of these days: end it first, or choose other days.",
                        partner=agreement.partner_id.display_name,
                        other=others[0].name,
                    )
                )

    @api.constrains("rule_id", "member_id", "rate", "kind")
    def _check_rule(self):
        for agreement in self.filtered("rule_id"):
            rule, terms = agreement.rule_id, {"rule": agreement.rule_id.name}
            if rule.program_id != agreement.program_id:
                raise ValidationError(
                    self.env._("“%(rule)s” is a rule of another program: choose one of this program.", **terms)
                )
            if agreement.kind == "rate" and rule.formula == "bands":
                raise ValidationError(
                    self.env._("“%(rule)s” earns by bands and has no single rate: agree on a multiplier.", **terms)
                )
            if agreement.kind == "rate" and rule._is_percent() and agreement.rate > 100:
                raise ValidationError(self.env._("“%(rule)s” earns at most 100 percent: enter a lower rate.", **terms))

    # === CRUD METHODS ===#

    @api.model
    def get_import_templates(self):
        """Offer a file to fill in."""
        return [
            {
                "label": self.env._("Import Template for Special Agreements"),
                "template": "/partner_loyalty/static/xls/partner_loyalty_agreement.xlsx",
            }
        ]

    # === GETTERS ===#

    @api.model
    def _get_discount(self, partner, company, day):
        """Return the discount that a partner has agreed on for a day, in percent.

        :param partner: commercial partner who buys
        :param company: company that sells
        :param date day: day of the order
        :rtype: float
        """
        domain = [
            ("kind", "=", "discount"),
            ("member_id.partner_id", "=", partner.id),
            ("company_id", "=", company.id),
            ("date_from", "<=", day),
            "|",
            ("date_to", "=", False),
            ("date_to", ">=", day),
        ]
        # Salespeople make quotations without any right on agreements.
        return self.sudo().search(domain, order="discount desc", limit=1).discount if partner else 0.0

    def _find_overlapping(self, member, date_from):
        """Return the agreements of the same kind, for the same rule, that a member has from a day on until the end.

        :param member: the ``partner.loyalty.member``
        :param date date_from: first day
        :rtype: recordset of ``partner.loyalty.agreement``
        """
        self.ensure_one()
        return self.search(
            [
                ("member_id", "=", member.id),
                ("kind", "=", self.kind),
                ("family_id", "=", self.family_id.id),
                ("date_from", "<=", self.date_to or date.max),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", date_from),
            ]
        )

    @api.model
    def _get_current_query(self, rule, root, partner, day):
        """Return what a member has agreed on for a day, as a row: ``rate, multiplier, name``.

        What is agreed for one rule comes before what is agreed for all.

        :param rule: the rule
        :param SQL root: id of the member that goes on
        :param SQL partner: id of the partner, where members were merged
        :param SQL day: day of the sale
        :rtype: SQL
        """
        return SQL(
            """
            (SELECT (array_agg(agreement.rate ORDER BY agreement.family_id IS NULL, agreement.id)
                         FILTER (WHERE agreement.kind = 'rate'))[1] AS rate,
                    (array_agg(agreement.multiplier ORDER BY agreement.family_id IS NULL, agreement.id)
                         FILTER (WHERE agreement.kind = 'multiplier'))[1] AS multiplier,
                    string_agg(agreement.name, ', ' ORDER BY agreement.id) AS name
               FROM partner_loyalty_agreement agreement
               JOIN partner_loyalty_member holder ON holder.id = agreement.member_id
              WHERE holder.root_id = %(root)s AND holder.partner_id = %(partner)s
                AND agreement.kind IN ('rate', 'multiplier')
                AND (agreement.family_id IS NULL OR agreement.family_id = %(family)s)
                AND agreement.date_from <= %(day)s AND COALESCE(agreement.date_to >= %(day)s, TRUE))
            """,
            root=root,
            partner=partner,
            family=rule.family_id.id,
            day=day,
        )

    @api.model
    def _get_guaranteed_condition(self, root, partner, day, rules):
        """Return whether one of some rules is guaranteed to a member on a day, as SQL.

        :param rules: versions of one rule
        """
        return SQL(
            """EXISTS (SELECT 1 FROM partner_loyalty_agreement agreement
                         JOIN partner_loyalty_member holder ON holder.id = agreement.member_id
                        WHERE holder.root_id = %(root)s AND holder.partner_id = %(partner)s
                          AND agreement.kind = 'guarantee' AND agreement.rule_id = ANY(%(rules)s)
                          AND %(day)s BETWEEN agreement.date_from AND agreement.date_to)""",
            root=root,
            partner=partner,
            rules=list(rules.ids),
            day=day,
        )
