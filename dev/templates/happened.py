"""Tells what of a program happened, how often, and what never did."""

from collections import Counter

from odoo.fields import Domain

EARLY = "early"
# What a goal does: it says something, and is reached some day.
LOOKS = ("measured", "reached")


class Happened:
    """Counts what happened in a world.

    :param world: :class:`templates.world.World`
    """

    def __init__(self, world):
        self.world, self.env, self.program = world, world.env, world.program
        self.goals = Counter()

    def look(self):
        """Look at what does not leave a record behind: whether goals are measured, and whether they are reached."""
        for goal in self._get_goals():
            is_own = goal.scope == "member"
            self.goals[goal, "measured"] += bool(goal.member_count if is_own else goal.actual or goal.is_reached)
            self.goals[goal, "reached"] += bool(goal.reached_count if is_own else goal.is_reached)

    def tell(self):
        """Return how often each part of the program happened, by its kind and name.

        :rtype: dict[tuple[str, str], int]
        """
        return {
            **self._tell("rule", self._get_rules(), self._count_entries),
            **self._tell("bonus action", self.program.bonus_action_ids, self._count_given),
            **self._tell("reward", self._get_rewards(), self._count_had),
            **self._tell("reward of a tier", self._get_entitlements(), self._count_granted),
            **{
                ("goal", f"{goal.name} ({what})"): self.goals[goal, what]
                for goal in self._get_goals()
                for what in LOOKS
            },
            **self._tell_messages(),
            ("e-mail", "New Tier"): self._count_mails("partner.loyalty.tier.period"),
            **self._tell_bonus_mails(),
            **self._tell_surveys(),
        }

    def _tell(self, kind, records, count):
        return {(kind, record.display_name): count(record) for record in records}

    # === RECORDS ===#

    def _get_rules(self):
        return self.program.rule_ids

    def _get_goals(self):
        goals = self.env["partner.loyalty.goal"].search([("program_id", "=", self.program.id)])
        goals.invalidate_recordset()
        return goals

    def _get_rewards(self):
        return self._search("partner.loyalty.reward", [], active_test=False)

    def _get_entitlements(self):
        return self._search("partner.loyalty.tier.entitlement", [])

    def _search(self, model, domain, **context):
        records = self.env[model].with_context(**context)
        return records.search(Domain("program_id", "=", self.program.id) & Domain(domain))

    # === COUNTS ===#

    def _count_entries(self, rule):
        return len(self._search("partner.loyalty.entry", [("rule_id", "=", rule.id), ("amount", ">", 0)]))

    def _count_given(self, action):
        """Count what was given with all of its effects."""
        lines = self.env["partner.loyalty.bonus.line"].search([("action_id", "=", action.id), ("state", "=", "given")])
        return len(lines)

    def _count_had(self, reward):
        if reward.kind == EARLY:
            return self._count_early(reward)
        return len(self._search("partner.loyalty.claim", [("reward_id", "=", reward.id), ("state", "=", "fulfilled")]))

    def _count_early(self, reward):
        """Count the orders of products that only some could order."""
        return sum(
            self.env["sale.order.line"].search_count(
                [
                    ("product_id.product_tmpl_id", "=", release.product_tmpl_id.id),
                    ("state", "=", "sale"),
                    ("order_id.date_order", "<", release.release_date),
                ]
            )
            for release in reward.release_ids
        )

    def _count_granted(self, entitlement):
        domain = [("entitlement_id", "=", entitlement.id), ("state", "=", "fulfilled")]
        return len(self._search("partner.loyalty.claim", domain))

    def _count_messages(self, setting):
        return len(self._search("partner.loyalty.message", [("kind", "=", setting.kind), ("state", "=", "sent")]))

    def _count_mails(self, model):
        return self.env["mail.mail"].search_count([("model", "=", model)])

    def _tell_messages(self):
        labels = dict(self.env["partner.loyalty.message"]._fields["kind"]._description_selection(self.env))
        settings = self.program.message_setting_ids.filtered("is_active")
        return {("e-mail", labels[setting.kind]): self._count_messages(setting) for setting in settings}

    def _tell_bonus_mails(self):
        has_mail = "mail" in self.program.bonus_action_ids.effect_ids.mapped("kind")
        return {("e-mail", "Bonus"): self._count_mails("partner.loyalty.bonus.line")} if has_mail else {}

    def _tell_surveys(self):
        """Count the answers to the surveys that the program asks by."""
        asked = {
            "needs_survey_id": [("loyalty_purpose", "=", "needs")],
            "satisfaction_survey_id": [("loyalty_purpose", "=", "satisfaction")],
            "quality_survey_id": [("loyalty_order_id", "!=", False)],
        }
        return {
            ("survey", self.program[name].title): self.env["survey.user_input"].search_count(
                [("survey_id", "=", self.program[name].id), ("state", "=", "done"), *domain]
            )
            for name, domain in asked.items()
            if self.program[name]
        }
