import json

from odoo import models
from odoo.tools import SQL

from ..const import AMOUNT_KINDS
from ..tools.rounding import get_rounded


class PartnerLoyaltyFormula(models.AbstractModel):
    """What a rule makes of the sums of one origin.

    A formula is a method ``_get_formula_<formula>`` that returns, as SQL over these sums, what they earn before
    rounding.
    """

    _name = "partner.loyalty.formula"
    _description = "Loyalty Formula"

    # === FORMULAS ===#

    def _get_formula(self, base, rate, whole, quantity):
        """Return what an origin earns before rounding.

        It depends on nothing but what the explanation of the entry keeps, so that it can be worked out again.

        :param SQL base: the sum of the amounts that count; for bands, what was measured in the period
        :param SQL rate: the rate, by the tier of the day of the sale and the category of the product
        :param SQL whole: net amount of the origin, where ``base`` is only what was paid of it; else NULL
        :param SQL quantity: the sum of the quantities that count
        :rtype: SQL
        """
        self.ensure_one()
        return getattr(self, f"_get_formula_{self.formula}")(base, rate, whole, quantity)

    def _get_formula_percent(self, base, rate, whole, quantity):
        """Percent of the untaxed amount."""
        return SQL("%s * %s / 100", base, rate)

    def _get_formula_per_amount(self, base, rate, whole, quantity):
        """So much for each step of the untaxed amount: in proportion, for full steps, or for started ones, too."""
        steps = SQL("%s / %s::numeric", base, str(self.step_amount))
        if self.step_kind == "full":
            steps = SQL("TRUNC(%s)", steps)
        elif self.step_kind == "started":
            steps = SQL("SIGN(%(base)s) * CEIL(ABS(%(steps)s))", base=base, steps=steps)
        return SQL("%s * %s", steps, rate)

    def _get_formula_per_unit(self, base, rate, whole, quantity):
        """So much for each unit sold."""
        return SQL("%s * %s", quantity, rate)

    def _get_formula_fixed(self, base, rate, whole, quantity):
        """A fixed sum for a document whose net amount is above zero; on payment, in proportion to what was paid.

        What is no sale, such as a certificate, has no amount and counts as it is.
        """
        if self.kind not in AMOUNT_KINDS:
            return SQL("CASE WHEN %s > 0 THEN %s ELSE 0 END", quantity, rate)
        return SQL(
            "CASE WHEN %(base)s > 0 THEN %(rate)s * LEAST(1, COALESCE(%(base)s / NULLIF(%(whole)s, 0), 1)) ELSE 0 END",
            base=base,
            rate=rate,
            whole=whole,
        )

    def _get_formula_bands(self, base, rate, whole, quantity):
        """By the band that the sum of the period reaches: a rate for what lies in it, for all, or a fixed sum.

        ``rate`` is a multiplier that the member has agreed on, or 1.
        """
        divisor = SQL("100") if self.measure in ("amount", "growth") else SQL("1")
        bands = self._get_bands()
        if self.band_kind == "marginal":
            tops = [*(str(band.threshold) for band in bands[1:]), "Infinity"]
            parts = [
                SQL(
                    "GREATEST(0, LEAST(%s, %s::numeric) - %s::numeric) * %s::numeric / %s",
                    base,
                    top,
                    str(band.threshold),
                    str(band.rate),
                    divisor,
                )
                for band, top in zip(bands, tops, strict=True)
            ]
            return SQL("(%s) * %s", SQL(" + ").join(parts), rate)
        reached = self._get_by_reached_band(base, "rate", "0")
        if self.band_kind == "sum":
            return SQL("%s * %s", reached, rate)
        return SQL("%s * %s / %s * %s", base, reached, divisor, rate)

    def _get_reached_threshold(self, total):
        """Return where the band begins that a total reaches, and infinity where it reaches none.

        :param SQL total: what was measured in the period
        :rtype: SQL
        """
        return self._get_by_reached_band(total, "threshold", "Infinity")

    def _get_by_reached_band(self, total, name, otherwise):
        """Return a number of the highest band that a total reaches.

        :param SQL total: what was measured in the period
        :param str name: name of the field of the band
        :param str otherwise: the number where no band is reached
        :rtype: SQL
        """
        whens = [
            SQL("WHEN %s >= %s::numeric THEN %s::numeric", total, str(band.threshold), str(band[name]))
            for band in reversed(self._get_bands())
        ]
        return SQL(
            "(CASE WHEN %(total)s <= 0 THEN %(otherwise)s::numeric %(whens)s ELSE %(otherwise)s::numeric END)",
            total=total,
            otherwise=otherwise,
            whens=SQL(" ").join(whens),
        )

    def _get_rounded(self, amount):
        """Return an amount in steps of the unit of the rule, by the method of the program."""
        return get_rounded(amount, self._get_rounding(), self._get_rounding_method())

    def _is_by_quantity(self):
        """Return whether the formula takes the quantity of an origin, and not only its amount."""
        return self.formula == "per_unit" or (self.formula == "fixed" and self.kind not in AMOUNT_KINDS)

    def _get_explained_terms(self):
        """Return the terms of the rule that its formula takes, as JSON; what does not apply is left out.

        :rtype: str
        """
        terms = {
            "version": self.version,
            "formula": self.formula,
            "rounding": self._get_rounding(),
            "rounding_method": self._get_rounding_method() if self._get_rounding_method() != "half" else None,
            "step": str(self.step_amount) if self.formula == "per_amount" else None,
            "steps": self.step_kind if self.formula == "per_amount" and self.step_kind != "part" else None,
            "minimum": str(self.minimum_amount) if self.minimum_amount else None,
            "cap_document": self._get_limit("cap_document") if self._has_document_cap() else None,
            "cap_member": self._get_limit("cap_member") if self.cap_member else None,
        }
        if self.formula == "bands":
            terms |= {"measure": self.measure, "band_kind": self.band_kind, "period": self.period}
            terms["bands"] = [{"from": str(band.threshold), "rate": str(band.rate)} for band in self._get_bands()]
        elif self._is_by_quantity():
            terms["each"] = "1"
        return json.dumps({name: value for name, value in terms.items() if value is not None})
