from decimal import Decimal

from odoo import models
from odoo.tools import formatLang
from odoo.tools.misc import format_date


class PartnerLoyaltyBonusReason(models.AbstractModel):
    """Puts into words why a member gets a bonus, or by how much it just missed it, in the language of the reader.

    The facts are a JSON object with exact numbers as text: ``bonus`` and ``bonus_id`` of the action, its ``schedule``
    and ``condition``; ``years``, ``days`` or ``tier_id`` of an event; ``metric``, ``metric_id`` and ``metric_unit``,
    the days ``from`` and ``to`` that were measured, the ``value``, and what was asked for: ``operator`` and
    ``threshold``, ``times`` in a row, ``silent_days``, a ``goal`` with its ``goal_id`` and ``scope``. Of the best there
    are ``rank`` and ``total``; of who missed it the ``gap``. What could not be done is ``omitted``, with the
    ``reward_refusal`` of a reward; ``undone`` is on the line that takes it back.
    """

    _name = "partner.loyalty.bonus.reason"
    _description = "Reason of a Bonus"

    # === GETTERS ===#

    def _get_bonus_text(self, facts):
        """Return the reason in words.

        :param dict facts: see above
        :rtype: str
        """
        self.ensure_one()
        condition = facts.get("condition", "always")
        parts = [self._get_event_text(facts), getattr(self, f"_get_condition_text_{condition}")(facts)]
        parts += [self._get_gap_text(facts), *self._get_omitted_texts(facts)]
        return "; ".join(filter(None, parts)) or self.env._("All of the audience get it")

    def _get_bonus_name(self, facts):
        """Return the name of the action, as it was where it is gone."""
        # Members read the name of a bonus on their statement without access to the action.
        action_sudo = self.env["partner.loyalty.bonus.action"].sudo().browse(facts.get("bonus_id")).exists()
        return action_sudo.name or facts["bonus"]

    def _get_event_text(self, facts):
        """Return what happened to the member, where the action follows that."""
        if facts.get("schedule") == "anniversary":
            return self.env._("Years of membership: %s", facts["years"])
        if facts.get("schedule") == "joining":
            return self.env._("Days since joining: %s", facts["days"])
        if facts.get("schedule") == "tier":
            # See _get_bonus_name.
            tier_sudo = self.env["partner.loyalty.tier"].sudo().browse(facts["tier_id"]).exists()
            return self.env._("New tier: %s", tier_sudo.name or "")
        return self.env._("First sale") if facts.get("schedule") == "first_sale" else None

    def _get_condition_text_always(self, facts):
        """Without a condition the value only says how much there is."""
        return self._get_measure_text(facts) if facts.get("value") else None

    def _get_condition_text_value(self, facts):
        return self.env._(
            "%(measure)s, asked for: %(goal)s", measure=self._get_measure_text(facts), goal=self._get_goal_text(facts)
        )

    def _get_condition_text_goal(self, facts):
        terms = {"goal": self._get_goal_name(facts), "result": self._get_condition_text_value(facts)}
        if facts["scope"] == "program":
            return self.env._("“%(goal)s”, all members together: %(result)s", **terms)
        return self.env._("“%(goal)s”: %(result)s", **terms)

    def _get_condition_text_growth(self, facts):
        value = self._format_number(facts["value"]) if facts.get("value") else None
        if value is None:
            return self.env._("%s had nothing to grow from", self._get_metric_name(facts))
        return self.env._(
            "%(metric)s has changed by %(value)s %%, asked for: %(goal)s",
            metric=self._get_metric_name(facts),
            value=value,
            goal=self._get_goal_text({**facts, "metric_unit": "percent"}),
        )

    def _get_condition_text_streak(self, facts):
        return self.env._(
            "%(metric)s reached %(goal)s in %(count)s of %(times)s periods in a row",
            metric=self._get_metric_name(facts),
            goal=self._get_goal_text(facts),
            count=self._format_number(facts.get("value") or "0"),
            times=facts["times"],
        )

    def _get_condition_text_top_count(self, facts):
        if not facts.get("rank"):
            return self.env._("No place by %s", self._get_metric_name(facts))
        return self.env._(
            "Place %(rank)s of %(total)s by %(measure)s",
            rank=facts["rank"],
            total=facts["total"],
            measure=self._get_measure_text(facts),
        )

    def _get_condition_text_top_share(self, facts):
        return self._get_condition_text_top_count(facts)

    def _get_condition_text_inactive(self, facts):
        return self.env._(
            "Days without a sale: %(value)s, asked for: %(days)s",
            value=self._format_number(facts.get("value") or "0"),
            days=facts["silent_days"],
        )

    def _get_condition_text_contact(self, facts):
        return self.env._(
            "Days without a meeting or call: %(value)s, asked for: %(days)s",
            value=self._format_number(facts.get("value") or "0"),
            days=facts["silent_days"],
        )

    def _get_gap_text(self, facts):
        """Return by how much a member missed it."""
        if not facts.get("gap"):
            return None
        if facts["condition"] in ("value", "goal", "top_count", "top_share"):
            gap = self._format_measure(facts["gap"], facts)
        elif facts["condition"] == "growth":
            gap = self.env._("%s %%", self._format_number(facts["gap"]))
        else:
            gap = self._format_number(facts["gap"])
        return self.env._("missed by %s", gap)

    def _get_omitted_texts(self, facts):
        """Return what could not be done for the member, and why."""
        texts = {
            "reward": self.env._("no reward: %s", facts.get("reward_refusal") or ""),
            "tier": self.env._("no other tier: the member has this or a higher one, or has left"),
            "badge": self.env._("badge for the company alone: none of its contacts has a login"),
            "mail": self.env._("no e-mail: the company has no address"),
            "todo": self.env._("no to-do: nobody is responsible for the member"),
        }
        return [texts[kind] for kind in facts.get("omitted", ())]

    # === GETTERS - FIGURES ===#

    def _get_metric_name(self, facts):
        """Return the name of the metric, as it was where it is gone."""
        # See _get_bonus_name.
        metric_sudo = self.env["partner.loyalty.metric"].sudo().browse(facts.get("metric_id")).exists()
        return metric_sudo.name or facts.get("metric") or ""

    def _get_goal_name(self, facts):
        """Return the name of the goal, as it was where it is gone."""
        # See _get_bonus_name.
        goal_sudo = self.env["partner.loyalty.goal"].sudo().browse(facts["goal_id"]).exists()
        return goal_sudo.name or facts["goal"]

    def _get_measure_text(self, facts):
        """Return the metric with its value, and the days that it was measured over."""
        terms = {
            "metric": self._get_metric_name(facts),
            "value": self._format_measure(facts["value"], facts) if facts.get("value") else self.env._("no value"),
            "to": format_date(self.env, facts["to"]),
        }
        if not facts.get("from"):
            return self.env._("%(metric)s until %(to)s: %(value)s", **terms)
        return self.env._(
            "%(metric)s from %(first)s to %(to)s: %(value)s", first=format_date(self.env, facts["from"]), **terms
        )

    def _get_goal_text(self, facts):
        """Return what was asked for, such as “at least 10”."""
        goal = self._format_measure(facts["threshold"], facts)
        return {
            ">=": self.env._("at least %s", goal),
            ">": self.env._("more than %s", goal),
            "<=": self.env._("at most %s", goal),
            "<": self.env._("less than %s", goal),
        }[facts["operator"]]

    def _format_measure(self, value, facts):
        """Return a value of the metric as people read it."""
        if facts.get("metric_unit") == "money":
            return formatLang(self.env, float(value), currency_obj=self.currency_id)
        number = self._format_number(value)
        return self.env._("%s %%", number) if facts.get("metric_unit") == "percent" else number

    def _format_number(self, number):
        """Return a number without the zeros at its end."""
        digits = max(0, -Decimal(number).normalize().as_tuple().exponent)
        return formatLang(self.env, float(number), digits=digits)
