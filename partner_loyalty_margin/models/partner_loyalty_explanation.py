from decimal import Decimal

from odoo import models


class PartnerLoyaltyExplanation(models.AbstractModel):
    """Of a margin, ``base`` is the margin, ``turnover`` what was sold and ``whole`` the net amount of the document.

    ``unknown_lines`` says how many lines had no known cost, and ``unknown_amount`` for how much these were sold.
    """

    _inherit = "partner.loyalty.explanation"

    # === GETTERS ===#

    def _get_part_text(self, facts, is_whole):
        if facts["formula"] != "margin":
            return super()._get_part_text(facts, is_whole)
        return self.env._(
            "%(rate)s %% of a margin of %(base)s",
            rate=self._format_number(facts["rate"]),
            base=self._get_base_text(facts) if is_whole else self._format_money(facts["base"]),
        )

    def _get_base_text(self, facts):
        """In another currency there is what was sold, and not the margin."""
        if facts["formula"] != "margin" or not facts.get("currency"):
            return super()._get_base_text(facts)
        return self.env._(
            "%(base)s (sold for %(document_base)s %(currency)s at a rate of %(exchange_rate)s)",
            base=self._format_money(facts["base"]),
            document_base=self._format_number(facts["document_base"]),
            currency=facts["currency"],
            exchange_rate=self._format_number(facts["exchange_rate"]),
        )

    def _get_limit_texts(self, facts):
        texts = super()._get_limit_texts(facts)
        return texts + self._get_margin_texts(facts) if facts["formula"] == "margin" else texts

    def _get_margin_texts(self, facts):
        """Return why the margin earns less than the prices suggest: a loss, or costs that are not known.

        :param dict facts: the explanation of the entry
        :rtype: list[str]
        """
        texts = []
        parts, whole = facts.get("parts") or [facts], Decimal(facts.get("whole") or 0)
        if whole >= 0 > sum(Decimal(part["base"]) * Decimal(part["rate"]) for part in parts):
            texts.append(self.env._("a document never earns less than zero"))
        amount = Decimal(facts.get("unknown_amount") or 0)
        if not amount or not facts.get("unknown_lines"):
            return texts
        terms = {"amount": self._format_money(amount), "count": self._format_number(facts["unknown_lines"])}
        if facts["unknown_lines"] == "1":
            return [*texts, self.env._("the cost of one line is not known (%(amount)s)", **terms)]
        return [*texts, self.env._("the cost of %(count)s lines is not known (%(amount)s)", **terms)]
