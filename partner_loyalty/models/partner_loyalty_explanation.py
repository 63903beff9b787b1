from decimal import Decimal

from odoo import models
from odoo.tools.misc import format_date, formatLang

from ..tools import periods


class PartnerLoyaltyExplanation(models.AbstractModel):
    """Puts into words how the amount of a statement line came about, in the language of the reader.

    The facts are in ``explanation``, a JSON object with exact numbers as text: ``version`` and ``formula`` of the rule,
    ``base``, ``rate``, ``step``, ``whole`` and ``rounding`` that the formula takes, ``tier``, ``currency``,
    ``document_base`` and ``exchange_rate`` of a document in another currency, ``target`` and ``posted``, whose
    difference is the amount, and ``cause``: why it differs from what was posted before. Where rates differ by product
    ``parts`` has a ``base``, ``rate`` and ``quantity`` for each. Bands keep ``measure``, ``period``, ``band_kind``,
    ``bands`` and for growth ``previous``. Of limits there are ``minimum``, ``cap_document`` and ``cap_member``, what it
    would be without (``uncapped``), what the member had in the period before (``cap_before``), and ``trimmed`` where
    a budget gave out. Lines without a formula have a ``reason``, the facts of a ``bonus``, a ``reward`` with its
    ``reward_id`` and ``quantity``, of marketing money with the ``share`` of what was ``spent`` and how much was paid at
    ``most``, or the name of the member that a balance was ``moved_to`` or ``moved_from``.
    """

    _name = "partner.loyalty.explanation"
    _description = "Explanation of a Statement Line"
    _inherit = ["partner.loyalty.bonus.reason"]

    # === GETTERS ===#

    def _get_explanation_text(self):
        """Return in words how the amount came about, in the language of the reader.

        :rtype: str
        """
        self.ensure_one()
        facts = self.explanation or {}
        if "base" not in facts:
            return self._get_reason_text(facts)
        parts = self._get_cause_texts(facts)
        if facts.get("cause") != "gone":
            parts += [self._get_formula_text(facts), *self._get_limit_texts(facts)]
        if facts.get("tier"):
            parts.append(self.env._("tier %s", self.env["partner.loyalty.tier"].browse(facts["tier_id"]).name))
        if facts.get("agreement"):
            parts.append(self.env._("special agreement: %s", facts["agreement"]))
        parts.append(self._get_rule_text())
        if Decimal(facts["posted"]):
            parts.append(
                self.env._(
                    "%(target)s in all, of which %(posted)s had been posted",
                    target=self._format_amount(facts["target"]),
                    posted=self._format_amount(facts["posted"]),
                )
            )
        return "; ".join(parts)

    def _get_rule_text(self):
        """Return the rule by name; of a later version also since when it is in force."""
        rule = self.rule_id
        if rule.version == 1 or not rule.date_from:
            return rule.name
        return self.env._(
            "%(rule)s, version %(version)s since %(day)s",
            rule=rule.name,
            version=rule.version,
            day=format_date(self.env, rule.date_from),
        )

    def _get_reason_text(self, facts):
        """Return why a line was posted that no rule worked out.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        if facts.get("moved_to"):
            return self.env._("Moved to %s", facts["moved_to"])
        if facts.get("moved_from"):
            return self.env._("Moved from %s", facts["moved_from"])
        if facts.get("reward"):
            return self._get_reward_text(facts)
        if facts.get("bonus"):
            return f"{self._get_bonus_name(facts)}: {self._get_bonus_text(facts)}"
        return facts.get("reason") or ""

    def _get_reward_text(self, facts):
        """Return what a member got; of marketing money, how much of what it has spent.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        name = self._get_reward_name(facts)
        if not facts.get("spent"):
            return self.env._("Reward: %s", name)
        return self.env._(
            "Reward: %(reward)s; %(share)s %% of %(spent)s spent, at most %(most)s",
            reward=name,
            share=self._format_number(facts["share"]),
            spent=self._format_money(facts["spent"]),
            most=self._format_money(facts["most"]),
        )

    def _get_reward_name(self, facts):
        """Return the name of the reward, as it was where it is gone."""
        # Members read the name of a reward on their statement without access to it.
        reward_sudo = self.env["partner.loyalty.reward"].sudo().browse(facts["reward_id"]).exists()
        return reward_sudo.name or facts["reward"]

    def _get_cause_texts(self, facts):
        """Return why a line was posted for a document that had one already; an empty list for the first.

        :param dict facts: the explanation of the entry
        :rtype: list[str]
        """
        if facts.get("formula") == "bands":
            return [self.env._("The sum of the period has changed")] if facts.get("cause") else []
        causes = {
            "gone": self.env._("The document does not count any more"),
            "followed": self.env._("A credit note or a payment followed"),
            "changed": self.env._("The document was changed"),
        }
        return [causes[facts["cause"]]] if facts.get("cause") in causes else []

    def _get_formula_text(self, facts):
        """Return the formula with its figures; where products have rates of their own, part by part.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        if facts["formula"] == "bands":
            return self._get_bands_text(facts)
        parts = facts.get("parts") or [facts]
        return " + ".join(self._get_part_text({**facts, **part}, is_whole=len(parts) == 1) for part in parts)

    def _get_part_text(self, facts, is_whole):
        """Return what one rate makes of an amount.

        :param dict facts: the explanation of the entry, with the figures of the part
        :param bool is_whole: whether the part is all there is
        :rtype: str
        """
        base = self._get_base_text(facts) if is_whole else self._format_money(facts["base"])
        terms = {"rate": self._format_number(facts["rate"]), "base": base}
        if facts["formula"] == "percent":
            return self.env._("%(rate)s %% of %(base)s", **terms)
        if facts["formula"] == "per_unit":
            return self.env._("%(rate)s for each of %(quantity)s units", **terms, quantity=self._get_quantity(facts))
        if facts["formula"] == "fixed":
            if facts.get("each"):
                return self.env._("%(rate)s for each", **terms)
            return self.env._("%(rate)s for a document of %(base)s", **terms)
        return self._get_steps_text(facts, terms)

    def _get_steps_text(self, facts, terms):
        terms = {**terms, "step": self._format_money(facts.get("step") or 1)}
        if facts.get("steps") == "full":
            return self.env._("%(rate)s for each full %(step)s of %(base)s", **terms)
        if facts.get("steps") == "started":
            return self.env._("%(rate)s for each started %(step)s of %(base)s", **terms)
        return self.env._("%(rate)s for each %(step)s of %(base)s", **terms)

    def _get_quantity(self, facts):
        return self._format_number(facts.get("quantity") or "0")

    def _get_bands_text(self, facts):
        """Return what was measured in the period, and the bands that it falls into.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        is_money = facts["measure"] in ("amount", "growth")
        total = (self._format_money if is_money else self._format_number)(facts["base"])
        terms = {"period": self._get_period_text(facts), "total": total, "bands": self._get_band_list(facts, is_money)}
        if facts["measure"] == "growth":
            previous = self._format_money(facts.get("previous") or 0)
            return self.env._(
                "%(period)s: growth of %(total)s over %(previous)s a year before, by bands %(bands)s",
                **terms,
                previous=previous,
            )
        return self.env._("%(period)s: %(total)s in all, by bands %(bands)s", **terms)

    def _get_period_text(self, facts):
        """Return the period that a line is about, such as 01/2026 to 03/2026."""
        last = periods.period_end(self.period_start, facts["period"])
        days = [format_date(self.env, day, date_format="MM/yyyy") for day in (self.period_start, last)]
        return days[0] if days[0] == days[1] else f"{days[0]} – {days[1]}"

    def _get_band_list(self, facts, is_money):
        percent = " %" if is_money and facts["band_kind"] != "sum" else ""
        return ", ".join(
            self.env._(
                "from %(threshold)s: %(rate)s",
                threshold=self._format_number(band["from"]),
                rate=f"{self._format_number(band['rate'])}{percent}",
            )
            for band in facts["bands"]
        )

    def _get_limit_texts(self, facts):
        """Return what kept the amount below what the formula gives; an empty list where nothing did.

        :param dict facts: the explanation of the entry
        :rtype: list[str]
        """
        minimum, base = facts.get("minimum"), facts.get("whole") or facts["base"]
        if minimum and Decimal(base) < Decimal(minimum):
            return [self.env._("documents below %s earn nothing", self._format_money(minimum))]
        if facts.get("trimmed"):
            return [self.env._("the rest of the budget of the rule")]
        if not facts.get("uncapped"):
            return []
        texts = [self.env._("%s without limits", self._format_amount(facts["uncapped"]))]
        if facts.get("cap_document"):
            texts.append(self.env._("at most %s for each document", self._format_amount(facts["cap_document"])))
        if facts.get("cap_member"):
            texts.append(self.env._("at most %s for each member", self._format_amount(facts["cap_member"])))
        return texts

    def _get_base_text(self, facts):
        """Return the amount that counts; of a document in another currency also in that, and the rate."""
        base = self._format_money(facts["base"])
        if not facts.get("currency"):
            return base
        return self.env._(
            "%(base)s (%(document_base)s %(currency)s at a rate of %(exchange_rate)s)",
            base=base,
            document_base=self._format_number(facts["document_base"]),
            currency=facts["currency"],
            exchange_rate=self._format_number(facts["exchange_rate"]),
        )

    def _format_amount(self, amount):
        """Return an amount in the unit of the account, as the reader writes it."""
        if self.unit == "money":
            return self._format_money(amount)
        return self.env._("Points: %s", self._format_number(amount))

    def _format_money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)
