from datetime import datetime, time

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Command


class PartnerLoyaltyTemplateAcademy(models.AbstractModel):
    """*Academy*: points that can be lost when nobody uses them, for sales and for what members learn."""

    _name = "partner.loyalty.template.academy"
    _description = "Template: Academy"

    # === BUSINESS METHODS ===#

    def _prepare_academy_vals(self):
        """Return the values of the program.

        :rtype: dict
        """
        return {
            "name": self._get_name(self.env._("Academy")),
            "tier_ids": self._prepare_academy_tiers(),
            "rule_ids": [Command.create(rule) for rule in self._prepare_academy_rules()],
            "expiry_kind": "year_end",
            # In the second half of a year somebody may have no time to use them.
            "expiry_months": 6,
            "leaderboard_metric_id": self._get_metric("certificates").id,
            "leaderboard_period": "year",
            "public_text": self._prepare_text(
                self.env._("Points for what you sell and for what you learn."),
                self.env._("Trainings and certificates for your people, and new products before anybody else."),
            ),
            "terms": self._prepare_text(
                self.env._("Points are for trainings and events, and are not paid out."),
                self.env._(
                    "Points that are not used expire at the end of a year, and not before half a year has passed."
                ),
                self.env._("We may change these terms, and ask you to accept them anew when we do."),
            ),
        }

    def _prepare_academy_tiers(self):
        """Return the commands of the tiers: key partners know what they sell."""
        commands = self._prepare_tiers(0, 20000, 80000)
        metric = self._get_metric("certificates")
        if metric:
            commands[-1][2]["criterion_ids"] = [Command.create({"metric_id": metric.id, "minimum": 1})]
        return commands

    def _prepare_academy_rules(self):
        return [
            {
                "name": self.env._("Points for sales"),
                "kind": "invoice",
                "formula": "per_amount",
                "step_amount": self._scale(10),
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

    def _prepare_academy_rewards(self, program):
        """Return the values of the rewards.

        :rtype: dict[str, dict]
        """
        return {
            "certification": {
                "name": self.env._("Certification"),
                "kind": "certification",
                "survey_id": self._get_survey("survey_certification").id,
                "need_approval": False,
                "fulfill_days": 60,
                "point_cost": 100,
                "description": self._prepare_text(
                    self.env._("A few questions for one of your people. Who passes is certified.")
                ),
            },
            "training": {
                "name": self.env._("Training"),
                "kind": "training",
                "survey_id": self._get_survey("survey_training").id,
                "need_approval": False,
                "fulfill_days": 60,
                "point_cost": 200,
                "description": self._prepare_text(self.env._("Online, whenever it suits one of your people.")),
            },
            "early": self._prepare_academy_early_access(program),
            "event": {
                "name": self.env._("Partner day"),
                "kind": "event",
                "event_date": datetime.combine(program.date_from + relativedelta(months=9), time(8)),
                "point_cost": 500,
                "need_approval": False,
                "description": self._prepare_text(self.env._("Our news, your questions, and a dinner.")),
            },
        }

    def _prepare_academy_early_access(self, program):
        """Return the values of the reward by which key partners order new products before all others."""
        gold = program.tier_ids.sorted("threshold")[-1]
        return {
            "name": self.env._("New products first"),
            "kind": "early",
            "by_tier": True,
            "tier_ids": [Command.set(gold.ids)],
            "release_ids": self._prepare_academy_releases(program),
            "description": self._prepare_text(
                self.env._("Gold partners with a certificate order new products two months before all others.")
            ),
        }

    def _prepare_academy_releases(self, program):
        """Return the commands of the products that key partners can order first."""
        if not self.product_id:
            return []
        return [
            Command.create(
                {
                    "product_tmpl_id": self.product_id.product_tmpl_id.id,
                    "early_date": program.date_from + relativedelta(months=2),
                    "release_date": program.date_from + relativedelta(months=4),
                }
            )
        ]

    def _prepare_academy_funds(self, program):
        """Return the values of the funds, of which there is none."""
        return []

    def _prepare_academy_entitlements(self, tiers):
        """Return pairs of tier and key of a reward."""
        return [(tiers[0], "certification"), (tiers[1], "training")]

    def _prepare_academy_goals(self):
        return [
            {"name": self.env._("More members are active"), "kpi": "active_share", "target_change": 30},
            {"name": self.env._("92 % are satisfied"), "kpi": "satisfaction", "target": 92},
            *self._keep_possible(
                [
                    {
                        "name": self.env._("Two certificates"),
                        "scope": "member",
                        "metric_id": self._get_metric("certificates").id,
                        "target": 2,
                        "is_shown": True,
                    }
                ]
            ),
        ]

    def _prepare_academy_bonus_actions(self):
        """Return the values of the bonus actions.

        :rtype: list[dict]
        """
        certificates = self._get_metric("certificates").id
        return self._keep_possible(
            [
                {
                    "name": self.env._("Certified within 60 days"),
                    "schedule": "joining",
                    "joining_days": 60,
                    "condition": "value",
                    "metric_id": certificates,
                    "threshold": 1,
                    "measured_over": "all",
                    "effect_ids": [self._prepare_effect("point", amount=300)],
                },
                {
                    "name": self.env._("Certified partner"),
                    "schedule": "quarter",
                    "condition": "value",
                    "metric_id": certificates,
                    "threshold": 1,
                    "effect_ids": self._prepare_badge_effects("badge_certified"),
                },
                {
                    "name": self.env._("A new tier"),
                    "schedule": "tier",
                    "tier_change": "up",
                    "effect_ids": [self._prepare_effect("point", amount=250), self._prepare_effect("mail")],
                },
                self._prepare_quiet_action(90),
            ]
        )
