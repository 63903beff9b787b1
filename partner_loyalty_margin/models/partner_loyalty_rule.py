from odoo import api, fields, models
from odoo.exceptions import ValidationError

# The kinds whose lines have a cost, on their own order line or on the one that they were invoiced from.
MARGIN_KINDS = ("order", "invoice", "payment", "new_customer", "repeat_order", "referral")


class PartnerLoyaltyRule(models.Model):
    _inherit = "partner.loyalty.rule"

    # === FIELDS ===#

    formula = fields.Selection(
        selection_add=[("margin", "Percent of margin"), ("per_amount",)],
        # A rule that has posted keeps the app from being uninstalled, unless all of Partner Loyalty goes.
        ondelete={"margin": lambda rules: rules.filtered(lambda rule: not rule.has_entries).unlink()},
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("formula", "kind")
    def _check_margin_kind(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for rule in self:
            if rule.formula == "margin" and rule.kind not in MARGIN_KINDS:
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” cannot earn by the margin where “%(kind)s” counts, which has no cost: "
                        "choose another formula, or one of %(kinds)s.",
                        rule=rule.name,
                        kind=labels[rule.kind],
                        kinds=", ".join(f"“{labels[kind]}”" for kind in MARGIN_KINDS),
                    )
                )

    # === GETTERS ===#

    def _is_percent(self):
        return self.formula == "margin" or super()._is_percent()

    def _is_by_part(self):
        return self.formula == "margin" or super()._is_by_part()

    # === GETTERS - WORDS ===#

    def _get_rate_text(self, rate):
        if self.formula == "margin":
            return self.env._("%s %% of the margin", self._format_rate(rate))
        return super()._get_rate_text(rate)
