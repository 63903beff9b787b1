import math

from odoo import api, models
from odoo.exceptions import ValidationError

from ..const import MAX_AMOUNT, MAX_INTEGER


class PartnerLoyaltyNumberMixin(models.AbstractModel):
    """Refuses what no column can hold, before a field converts it: NaN, infinities, absurd sizes, NUL in a text."""

    _name = "partner.loyalty.number.mixin"
    _description = "Finite Numbers"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in (self._get_defaults_in_context(), *vals_list):
            self._check_finite_numbers(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_finite_numbers(vals)
        return super().write(vals)

    # === ONCHANGE METHODS ===#

    def onchange(self, values, field_names, fields_spec):
        self._check_finite_numbers({**self._get_defaults_in_context(), **values})
        return super().onchange(values, field_names, fields_spec)

    # === BUSINESS METHODS ===#

    @api.model
    def _get_defaults_in_context(self):
        return {
            name.removeprefix("default_"): value
            for name, value in self.env.context.items()
            if name.startswith("default_")
        }

    @api.model
    def _check_finite_numbers(self, vals):
        """Check the numbers among ``vals``, as a client sent them.

        :param dict vals: field values
        :raises ValidationError: where a numeric field is given something that is no number, not finite or too large
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is not None and isinstance(value, str) and "\0" in value:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” contains a character that is no text: type it anew.",
                        field=field._description_string(self.env),
                    )
                )
            if field is None or field.type not in ("float", "monetary", "integer") or value in (None, False):
                continue
            if not self._is_finite_number(value, MAX_INTEGER if field.type == "integer" else MAX_AMOUNT):
                raise ValidationError(
                    self.env._(
                        "“%(value)s” is not a number that “%(field)s” can hold: enter an amount below one trillion.",
                        value=value,
                        field=field._description_string(self.env),
                    )
                )

    @api.model
    def _is_finite_number(self, value, limit):
        if isinstance(value, bool):
            return False
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return False
        return math.isfinite(number) and abs(number) < limit
