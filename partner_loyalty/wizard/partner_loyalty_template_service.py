from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Command


class PartnerLoyaltyTemplateService(models.AbstractModel):
    """*Sales & Service*: money, paid as customers pay, and more of it for those who serve their customers well."""

    _name = "partner.loyalty.template.service"
    _description = "Template: Service"

    # === BUSINESS METHODS ===#

    def _prepare_service_vals(self):
        """Return the values of the program.

        :rtype: dict
        """
        return {
            "name": self._get_name(self.env._("Sales & Service")),
            "tier_ids": self._prepare_tiers(0, 50000, 150000),
            "rule_ids": [Command.create(rule) for rule in self._prepare_service_rules()],
            "maturity_days": 30,
            "inquiry_days": 3,
            "payout_schedule": "month",
            "payout_minimum": self._scale(50),
            "quality_survey_id": self._get_survey("survey_quality").id,
            "leaderboard_metric_id": self._get_metric("turnover").id,
            "leaderboard_period": "quarter",
            **self._prepare_payout_vals(),
            "public_text": self._prepare_text(
                self.env._(
                    "Commission on all that you buy and on all that your customers buy, more of it with each tier."
                ),
                self.env._("A bonus on the volume of each quarter, and money for your marketing."),
            ),
            "terms": self._prepare_text(
                self.env._("You earn as customers pay. What is returned or credited is taken back."),
                self.env._("What you have earned is paid out monthly, 30 days after the payment that it is for."),
                self.env._("We may change these terms, and ask you to accept them anew when we do."),
            ),
        }

    def _prepare_service_rules(self):
        return [
            {"name": self.env._("Commission"), "kind": "payment", "formula": "percent", "rate": 3},
            {
                "name": self.env._("Commission on your customers"),
                "kind": "payment",
                "role": "referrer",
                "formula": "percent",
                "rate": 3,
            },
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
                "rate": self._scale(100),
                "minimum_amount": self._scale(500),
            },
        ]

    def _prepare_service_rewards(self, program):
        """Return the values of the rewards, which all come with a tier or are asked for.

        :rtype: dict[str, dict]
        """
        return {
            "consulting": {
                "name": self.env._("A day with our sales engineer"),
                "kind": "consulting",
                "hours": 8,
                "fulfill_days": 90,
                "description": self._prepare_text(
                    self.env._("At your place or that of a customer: for an offer, a plan, or your team.")
                ),
            },
            "support": {
                "name": self.env._("You are answered first"),
                "kind": "support",
                "support_label": self.env._("Answer within a day"),
                "months": 12,
                "need_approval": False,
                "description": self._prepare_text(self.env._("Our people see that you come first, and answer so.")),
            },
            "mdf": {
                "name": self.env._("Money for your marketing"),
                "kind": "mdf",
                "tier_ids": [Command.set(program.tier_ids.sorted("threshold")[1:].ids)],
                "description": self._prepare_text(
                    self.env._("Send us your plan. We pay half of what you spend, against proof.")
                ),
            },
        }

    def _prepare_service_funds(self, program):
        """Return the values of the fund that marketing money is paid from in the first year, in a list."""
        return [
            {
                "name": self.env._("Marketing of the first year"),
                "program_id": program.id,
                "tier_ids": [Command.set(program.tier_ids.sorted("threshold")[1:].ids)],
                "date_from": program.date_from,
                "date_to": program.date_from + relativedelta(years=1, days=-1),
                "budget": self._scale(10000),
                "share": 50,
            }
        ]

    def _prepare_service_entitlements(self, tiers):
        """Return pairs of tier and key of a reward."""
        return [(tiers[1], "consulting"), (tiers[2], "support")]

    def _prepare_service_goals(self):
        return [
            {"name": self.env._("Members sell 25 % more than before"), "kpi": "own_growth", "target": 25},
            {"name": self.env._("Fewer members leave"), "kpi": "churn", "target_change": -15},
            {"name": self.env._("More deals"), "kpi": "deals", "target_change": 20},
            *self._keep_possible(
                [
                    {
                        "name": self.env._("Customers are served well"),
                        "scope": "member",
                        "metric_id": self._get_metric("service_quality").id,
                        "target": 85,
                        "is_shown": True,
                    }
                ]
            ),
        ]

    def _prepare_service_bonus_actions(self):
        """Return the values of the bonus actions.

        :rtype: list[dict]
        """
        return self._keep_possible(
            [
                self._prepare_best_action(),
                {
                    "name": self.env._("Customers were served well"),
                    "schedule": "quarter",
                    "condition": "value",
                    "metric_id": self._get_metric("service_quality").id,
                    "threshold": 85,
                    "effect_ids": [
                        self._prepare_effect("money", amount=self._scale(150)),
                        *self._prepare_badge_effects("badge_service"),
                    ],
                },
                self._prepare_quiet_action(60),
                self._prepare_anniversary_action(),
            ]
        )

    def _prepare_best_action(self):
        """Return the values of the bonus for the best of each quarter."""
        return {
            "name": self.env._("Best three of the quarter"),
            "schedule": "quarter",
            "condition": "top_count",
            "top_count": 3,
            "metric_id": self._get_metric("turnover").id,
            "effect_ids": [
                self._prepare_effect(
                    "money",
                    basis="rank",
                    rank_ids=self._prepare_ranks(*(self._scale(amount) for amount in (500, 300, 200))),
                ),
                self._prepare_effect("mail"),
            ],
        }

    def _prepare_anniversary_action(self):
        """Return the values of the bonus for each year of membership."""
        return {
            "name": self.env._("A year together"),
            "schedule": "anniversary",
            "effect_ids": [
                self._prepare_effect("money", amount=self._scale(100)),
                self._prepare_effect("mail"),
            ],
        }
