from decimal import Decimal

from odoo import models
from odoo.tools.misc import formatLang


class PartnerLoyaltyExplanation(models.AbstractModel):
    """Puts into words how the amount of a statement line came about, in the language of the reader.

    The facts are in ``explanation``, a JSON object with exact numbers as text: ``version`` and ``formula`` of the rule,
    ``base``, ``rate``, ``step``, ``whole`` and ``rounding`` that the formula takes, ``tier``, ``currency``,
    ``document_base`` and ``exchange_rate`` of a document in another currency, ``target`` and ``posted``, whose
    difference is the amount, and ``cause``: why it differs from what was posted before. Lines without a formula have
    a ``reason``, or the name of the member that a balance was ``moved_to`` or ``moved_from``.
    """

    _name = "partner.loyalty.explanation"
    _description = "Explanation of a Statement Line"

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
            parts.append(self._get_formula_text(facts))
        if facts.get("tier"):
            parts.append(self.env._("tier %s", self.env["partner.loyalty.tier"].browse(facts["tier_id"]).name))
        parts.append(self.rule_id.name)
        if Decimal(facts["posted"]):
            parts.append(
                self.env._(
                    "%(target)s in all, of which %(posted)s had been posted",
                    target=self._format_amount(facts["target"]),
                    posted=self._format_amount(facts["posted"]),
                )
            )
        return "; ".join(parts)

    def _get_reason_text(self, facts):
        """Return why a line was posted that no rule worked out.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        if facts.get("moved_to"):
            return self.env._("Moved to %s", facts["moved_to"])
        if facts.get("moved_from"):
            return self.env._("Moved from %s", facts["moved_from"])
        return facts.get("reason") or ""

    def _get_cause_texts(self, facts):
        """Return why a line was posted for a document that had one already; an empty list for the first.

        :param dict facts: the explanation of the entry
        :rtype: list[str]
        """
        causes = {
            "gone": self.env._("The document does not count any more"),
            "followed": self.env._("A credit note or a payment followed"),
            "changed": self.env._("The document was changed"),
        }
        return [causes[facts["cause"]]] if facts.get("cause") in causes else []

    def _get_formula_text(self, facts):
        """Return the formula with its figures.

        :param dict facts: the explanation of the entry
        :rtype: str
        """
        terms = {"rate": self._format_number(facts["rate"]), "base": self._get_base_text(facts)}
        if facts["formula"] == "percent":
            return self.env._("%(rate)s %% of %(base)s", **terms)
        if facts["formula"] == "fixed":
            return self.env._("%(rate)s for a document of %(base)s", **terms)
        return self.env._(
            "%(rate)s for each %(step)s of %(base)s", **terms, step=self._format_money(facts.get("step") or 1)
        )

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

    def _format_number(self, number):
        """Return a number without the zeros at its end."""
        digits = max(0, -Decimal(number).normalize().as_tuple().exponent)
        return formatLang(self.env, float(number), digits=digits)
