from odoo import models
from odoo.fields import Command


class PartnerLoyaltyTemplateLive(models.AbstractModel):
    """*Live*: points at once, so that they are seen at once, and quick answers."""

    _name = "partner.loyalty.template.live"
    _description = "Template: Live"

    # === BUSINESS METHODS ===#

    def _prepare_live_vals(self):
        """Return the values of the program.

        :rtype: dict
        """
        return {
            "name": self._get_name(self.env._("Live")),
            "tier_kind": "order",
            "tier_upgrade": "at_once",
            "tier_ids": self._prepare_tiers(0, 10000, 40000),
            "rule_ids": [Command.create(rule) for rule in self._prepare_live_rules()],
            "expiry_kind": "idle",
            "expiry_months": 6,
            "inquiry_days": 1,
            "satisfaction_months": 3,
            "leaderboard_metric_id": self._get_metric("points_earned").id,
            **self._prepare_payout_vals(),
            "payout_minimum": self._scale(25),
            "public_text": self._prepare_text(
                self.env._("Points with each order, on your phone in the moment you order."),
                self.env._("More of them for those who come back, and an answer within a day."),
            ),
            "terms": self._prepare_text(
                self.env._("Points come with each order, and are taken back where it is canceled or changed."),
                self.env._("Points expire after six months without an order."),
                self.env._("We may change these terms, and ask you to accept them anew when we do."),
            ),
        }

    def _prepare_live_rules(self):
        return [
            {
                "name": self.env._("Points with each order"),
                "kind": "order",
                "formula": "per_amount",
                "step_kind": "full",
                "step_amount": self._scale(10),
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

    def _prepare_live_rewards(self, program):
        """Return the values of the rewards, which are had for points.

        :rtype: dict[str, dict]
        """
        return {
            "gift": {
                "name": self.env._("A gift for your team"),
                "kind": "product",
                "product_id": self.product_id.id,
                "point_cost": 300,
                "need_approval": False,
                "description": self._prepare_text(self.env._("We send it with your next delivery.")),
            },
            "money": {
                "name": self.env._("Money on your balance"),
                "kind": "money",
                "money_amount": self._scale(25),
                "point_cost": 500,
                "description": self._prepare_text(self.env._("Points become money, and leave with the next payout.")),
            },
            "consulting": {
                "name": self.env._("Two hours of advice"),
                "kind": "consulting",
                "hours": 2,
                "point_cost": 400,
                "description": self._prepare_text(self.env._("By phone or video, about whatever helps you to sell.")),
            },
        }

    def _prepare_live_funds(self, program):
        """Return the values of the funds, of which there is none."""
        return []

    def _prepare_live_entitlements(self, tiers):
        """Return pairs of tier and key of a reward."""
        return [(tiers[2], "consulting")]

    def _prepare_live_goals(self):
        return [
            {"name": self.env._("More orders are repeat orders"), "kpi": "repeat_share", "target_change": 18},
            {"name": self.env._("Answers within a day"), "kpi": "answer_hours", "target": 24},
            *self._keep_possible(
                [
                    {
                        "name": self.env._("An order in ten months of the year"),
                        "scope": "member",
                        "metric_id": self._get_metric("active_months").id,
                        "target": 10,
                        "is_shown": True,
                    }
                ]
            ),
        ]

    def _prepare_live_bonus_actions(self):
        """Return the values of the bonus actions.

        :rtype: list[dict]
        """
        return self._keep_possible(
            [
                {
                    "name": self.env._("Welcome"),
                    "schedule": "joining",
                    "joining_days": 0,
                    "effect_ids": [self._prepare_effect("point", amount=100)],
                },
                {
                    "name": self.env._("First order"),
                    "schedule": "first_sale",
                    "kind": "order",
                    "effect_ids": [self._prepare_effect("point", amount=100), self._prepare_effect("mail")],
                },
                *self._prepare_order_actions(self._get_metric("orders")),
                self._prepare_quiet_action(45),
            ]
        )

    def _prepare_order_actions(self, metric):
        """Return the values of the bonuses for who orders month by month, and most often.

        :param metric: ``partner.loyalty.metric`` of the orders
        :rtype: list[dict]
        """
        return [
            {
                "name": self.env._("Three months in a row"),
                "schedule": "month",
                "condition": "streak",
                "metric_id": metric.id,
                "threshold": 1,
                "streak_count": 3,
                "effect_ids": [self._prepare_effect("point", amount=150)],
            },
            {
                "name": self.env._("Best three of the month"),
                "schedule": "month",
                "condition": "top_count",
                "top_count": 3,
                "metric_id": metric.id,
                "effect_ids": [
                    self._prepare_effect("point", basis="rank", rank_ids=self._prepare_ranks(300, 200, 100))
                ],
            },
        ]
