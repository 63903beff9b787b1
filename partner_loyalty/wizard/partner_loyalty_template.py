from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Command


class PartnerLoyaltyTemplate(models.TransientModel):
    """Creates a whole program in one click; everything in it is a starting point that can be changed.

    A template is a method ``_prepare_<template>_vals`` that returns the values of a program; a module adds one by
    extending the selection.
    """

    _name = "partner.loyalty.template"
    _description = "Program from a Template"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    template = fields.Selection(
        selection=[
            ("service", "Sales & Service: commission by tier, a volume bonus, and new customers"),
            ("academy", "Academy: points for sales and for certificates"),
            ("live", "Live: points with each order, and more for those who come back"),
        ],
        required=True,
        default="service",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, default=lambda self: self.env.company, readonly=True
    )

    # === ACTION METHODS ===#

    def action_create(self):
        """Create the program as a draft, and open it."""
        self.ensure_one()
        program = self.env["partner.loyalty.program"].create(self._prepare_program_vals())
        self._complete(program)
        return program._get_records_action(context={})

    # === BUSINESS METHODS ===#

    def _prepare_program_vals(self):
        """Return the values of the program that the template makes.

        :rtype: dict
        """
        return {"company_id": self.company_id.id, **getattr(self, f"_prepare_{self.template}_vals")()}

    def _complete(self, program):
        """Give the rules of a new program what needs its tiers: the rates by tier, where a rule has some."""
        tiers = program.tier_ids.sorted("threshold")
        for rule in program.rule_ids:
            rates = self._get_tier_rates().get(rule.formula == "percent" and self.template, ())
            rule.tier_rate_ids = [
                Command.create({"tier_id": tier.id, "rate": rate}) for tier, rate in zip(tiers, rates, strict=False)
            ]
        self.env["partner.loyalty.goal"].create(self._prepare_goals(program))

    def _get_tier_rates(self):
        """Return by template which rates its commission has from the lowest tier to the highest."""
        return {"service": (3, 4, 5)}

    def _prepare_goals(self, program):
        """Return the values of the goals of the first year: starting points, and no promises.

        :param program: the new program
        :rtype: list[dict]
        """
        common = {
            "program_id": program.id,
            "scope": "figure",
            "date_from": program.date_from,
            "date_to": program.date_from + relativedelta(years=1, days=-1),
        }
        return [{**common, **vals} for vals in getattr(self, f"_prepare_{self.template}_goals")()]

    def _prepare_service_goals(self):
        return [
            {"name": self.env._("Members sell 25 % more than before"), "kpi": "own_growth", "target": 25},
            {"name": self.env._("15 % less churn"), "kpi": "churn", "target_change": -15},
            {"name": self.env._("20 % more deals"), "kpi": "deals", "target_change": 20},
        ]

    def _prepare_academy_goals(self):
        return [
            {"name": self.env._("30 % more members are active"), "kpi": "active_share", "target_change": 30},
            {"name": self.env._("92 % are satisfied"), "kpi": "satisfaction", "target": 92},
        ]

    def _prepare_live_goals(self):
        return [
            {"name": self.env._("18 % more repeat orders"), "kpi": "repeat_share", "target_change": 18},
            {"name": self.env._("Answers within a day"), "kpi": "answer_hours", "target": 24},
        ]

    def _prepare_tiers(self, *thresholds):
        names = (self.env._("Bronze"), self.env._("Silver"), self.env._("Gold"))
        colors = (2, 4, 3)
        return [
            Command.create({"name": name, "threshold": threshold, "color": color})
            for name, threshold, color in zip(names, thresholds, colors, strict=True)
        ]

    def _prepare_bands(self, *bands):
        return [Command.create({"threshold": threshold, "rate": rate}) for threshold, rate in bands]

    def _prepare_service_vals(self):
        """Return the values of *Sales & Service*: money, paid as customers pay."""
        rules = [
            {"name": self.env._("Commission"), "kind": "payment", "formula": "percent", "rate": 3},
            {
                "name": self.env._("Volume bonus of the quarter"),
                "kind": "payment",
                "formula": "bands",
                "period": "quarter",
                "band_ids": self._prepare_bands((25000, 1), (75000, 2)),
            },
            {
                "name": self.env._("New customer"),
                "kind": "new_customer",
                "role": "referrer",
                "formula": "fixed",
                "rate": 100,
                "minimum_amount": 500,
            },
        ]
        return {
            "name": self.env._("Sales & Service"),
            "tier_ids": self._prepare_tiers(0, 50000, 150000),
            "rule_ids": [Command.create(rule) for rule in rules],
            "maturity_days": 30,
            "payout_minimum": 50,
        }

    def _prepare_academy_vals(self):
        """Return the values of *Academy*: points that can be lost when nobody uses them."""
        rules = [
            {
                "name": self.env._("Points for sales"),
                "kind": "invoice",
                "formula": "per_amount",
                "step_amount": 10,
                "rate": 1,
                "unit": "point",
            },
            {
                "name": self.env._("Certificate"),
                "kind": "certificate",
                "role": "member",
                "formula": "fixed",
                "rate": 500,
                "unit": "point",
            },
        ]
        return {
            "name": self.env._("Academy"),
            "tier_ids": self._prepare_tiers(0, 20000, 80000),
            "rule_ids": [Command.create(rule) for rule in rules],
            "expiry_kind": "year_end",
            "expiry_months": 12,
        }

    def _prepare_live_vals(self):
        """Return the values of *Live*: points at once, so that they are seen at once."""
        rules = [
            {
                "name": self.env._("Points with each order"),
                "kind": "order",
                "formula": "per_amount",
                "step_kind": "full",
                "step_amount": 10,
                "rate": 1,
                "unit": "point",
            },
            {
                "name": self.env._("Coming back"),
                "kind": "repeat_order",
                "formula": "fixed",
                "rate": 50,
                "cap_member": 200,
                "cap_period": "month",
                "unit": "point",
            },
            {
                "name": self.env._("Anniversary"),
                "kind": "anniversary",
                "role": "member",
                "formula": "fixed",
                "rate": 200,
                "unit": "point",
            },
        ]
        return {
            "name": self.env._("Live"),
            "tier_kind": "order",
            "tier_ids": self._prepare_tiers(0, 10000, 40000),
            "rule_ids": [Command.create(rule) for rule in rules],
            "expiry_kind": "idle",
            "expiry_months": 12,
        }
