from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang


class PartnerLoyaltyMemberTerms(models.AbstractModel):
    """What applies to a member on a day: one question with one answer."""

    _name = "partner.loyalty.member.terms"
    _description = "Terms of a Member"

    # === FIELDS ===#

    agreement_ids = fields.One2many(
        comodel_name="partner.loyalty.agreement",
        inverse_name="member_id",
        string="Special Agreements",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )
    terms_in_force = fields.Html(
        compute="_compute_terms_in_force",
        sanitize=False,
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="Which rules apply to sales of today, and at which rate.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("program_id.rule_ids", "tier_id", "agreement_ids.date_from", "agreement_ids.date_to")
    def _compute_terms_in_force(self):
        for member in self:
            rows = member._get_terms_on(member.program_id._get_today())
            member.terms_in_force = self.env["ir.qweb"]._render(
                "partner_loyalty.partner_loyalty_terms_in_force", {"rows": rows}
            )

    # === GETTERS ===#

    def _get_terms_on(self, day, units=None):
        """Return what applies to sales of a day, rule by rule.

        :param date day: day of the sale
        :param units: rules that earn ``point``, ``money``, or both as by default
        :return: dicts of ``rule`` (name), ``terms`` (words), ``agreement`` (name, or None), ``until`` (date, or None)
        :rtype: list[dict]
        """
        self.ensure_one()
        rules = self.program_id._get_rules_in_force().filtered(lambda rule: self._applies_on(rule, day))
        if units is not None:
            rules = rules.filtered(lambda rule: rule.unit in units)
        return [*(self._prepare_terms_row(rule, day) for rule in rules), *self._prepare_discount_rows(day)]

    def _prepare_discount_rows(self, day):
        """Return the discount that the member has on a day, as a row of the terms; an empty list without one."""
        discounts = self._get_agreements_on(day).filtered(lambda one: one.kind == "discount")
        return [
            {
                "rule": self.env._("Discount on Orders"),
                "terms": self.env._("%s %% at least", formatLang(self.env, one.discount, digits=2)),
                "agreement": one.name,
                "until": one.date_to or None,
            }
            for one in discounts
        ]

    def _applies_on(self, rule, day):
        """Return whether sales of a day earn by a version of a rule, pilots and special agreements considered."""
        if any(pilot_sudo._is_held_back(self, day) for pilot_sudo in rule._get_pilots_sudo()):
            return False
        guarantees = self._get_agreements_on(day, rule).filtered(lambda one: one.kind == "guarantee")
        if guarantees:
            return rule in guarantees.rule_id
        first = rule.date_from or self.program_id.date_from
        is_in_force = first <= day and (not rule.date_to or day <= rule.date_to)
        return is_in_force and self._is_in_segments(rule) and rule._is_joined_by(self.partner_id)

    def _is_in_segments(self, rule):
        """Return whether the partner belongs to one of the segments that a rule is for."""
        if not rule.segment_ids:
            return True
        domain = Domain.OR([segment._get_partner_domain(self.program_id) for segment in rule.segment_ids])
        return bool(self.partner_id.filtered_domain(domain))

    def _get_agreements_on(self, day, rule=None):
        """Return the agreements of the member on a day, or those that concern a rule."""
        agreements = self.agreement_ids.filtered(
            lambda one: one.date_from <= day and (not one.date_to or day <= one.date_to)
        )
        if rule is None:
            return agreements
        return agreements.filtered(
            lambda one: one.kind != "discount" and one.family_id in (rule.family_id, rule.browse())
        )

    def _prepare_terms_row(self, rule, day):
        agreements = self._get_agreements_on(day, rule)
        ends = [*filter(None, agreements.mapped("date_to")), *filter(None, [rule.date_to])]
        return {
            "rule": rule.name,
            "terms": self._get_terms_text(rule, day),
            "agreement": ", ".join(agreements.sorted("id").mapped("name")) or None,
            "until": min(ends, default=None),
        }

    def _get_terms_text(self, rule, day):
        """Return in words what a rule gives the member for a sale of a day."""
        if rule.formula == "bands":
            label = dict(rule._fields["band_kind"]._description_selection(self.env))[rule.band_kind]
            return f"{rule._get_band_text()} ({label})"
        rate, multiplier = self._get_rate_on(rule, day)
        texts = [rule._get_rate_text(rate * multiplier)]
        for line in rule.tier_rate_ids.filtered("categ_id"):
            if not line.tier_id or line.tier_id == self._get_tier_on(day):
                texts.append(f"{line.categ_id.display_name}: {rule._get_rate_text(line.rate * multiplier)}")
        return "; ".join(texts)

    def _get_rate_on(self, rule, day):
        """Return the rate of a rule for the member on a day, and the multiplier that was agreed on.

        :rtype: tuple[float, float]
        """
        agreements = self._get_agreements_on(day, rule).sorted(lambda one: (not one.family_id, one.id))
        own = agreements.filtered(lambda one: one.kind == "rate")[:1]
        tier = self._get_tier_on(day)
        by_tier = rule.tier_rate_ids.filtered(lambda line: not line.categ_id and line.tier_id == tier)[:1]
        rate = own.rate if own else by_tier.rate if by_tier else rule.rate
        return rate, agreements.filtered(lambda one: one.kind == "multiplier")[:1].multiplier or 1

    def _get_tier_on(self, day):
        """Return the tier that the member has on a day."""
        periods = self.tier_period_ids.filtered(
            lambda period: period.date_from <= day and (not period.date_to or day <= period.date_to)
        )
        return periods[:1].tier_id
