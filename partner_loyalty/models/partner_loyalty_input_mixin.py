import math
from datetime import date

from odoo import api, models
from odoo.api import NewId
from odoo.exceptions import ValidationError
from odoo.fields import Command, Date, Datetime

from ..const import MAX_AMOUNT, MAX_INTEGER

# The method that tells whether a client may send a value for a field, by the type of the field.
CHECKS_BY_TYPE = {
    "boolean": "_is_switch",
    "char": "_is_text",
    "date": "_is_day",
    "datetime": "_is_day",
    "float": "_is_amount",
    "html": "_is_text",
    "integer": "_is_whole_number",
    "many2many": "_is_list_of_commands",
    "many2one": "_is_record",
    "many2one_reference": "_is_record",
    "monetary": "_is_amount",
    "one2many": "_is_list_of_commands",
    "selection": "_is_option",
    "text": "_is_text",
}
DAY_TYPES = ("date", "datetime")
NUMBER_TYPES = ("float", "monetary", "integer")
TEXT_TYPES = ("char", "text", "html")

# Before it, somebody has left out digits of the year.
FIRST_YEAR = 1900


class PartnerLoyaltyInputMixin(models.AbstractModel):
    """Refuses what no field can hold, before the field converts it: NaN, absurd sizes, NUL in a text, wrong types.

    What follows from other fields, such as the company of a record, is not taken from clients: the ORM would keep it.
    """

    _name = "partner.loyalty.input.mixin"
    _description = "Checked Input"

    # A term without end is often given as the last day that there is.
    _last_year = 9999

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._check_input(self._get_defaults_in_context())
        for vals in vals_list:
            self._check_field_names(vals)
            self._check_input(vals)
        vals_list = [self._leave_out_what_follows(vals) for vals in vals_list]
        return super(PartnerLoyaltyInputMixin, self._without_defaults_that_follow()).create(vals_list)

    def write(self, vals):
        self._check_field_names(vals)
        self._check_input(vals)
        return super().write(self._leave_out_what_follows(vals))

    # === ONCHANGE METHODS ===#

    def onchange(self, values, field_names, fields_spec):
        sent = {**self._get_defaults_in_context(), **values}
        self._check_input({name: sent[name] for name in sent if not self._is_unsaved(name, sent[name])})
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
    def _follows(self, name):
        """Return whether a field is worked out from others, stored, and for nobody to enter."""
        field = self._fields.get(name)
        return bool(field and field.store and field.compute and field.readonly)

    @api.model
    def _leave_out_what_follows(self, vals):
        """Return field values without those that a user cannot decide; the program itself may set them.

        :param dict vals: field values
        :rtype: dict
        """
        return vals if self.env.su else {name: value for name, value in vals.items() if not self._follows(name)}

    @api.model
    def _without_defaults_that_follow(self):
        """Return the model without the defaults of such fields: a client can send any in the context."""
        defaults = {f"default_{name}" for name in self._get_defaults_in_context() if self._follows(name)}
        if self.env.su or not defaults:
            return self
        context = {key: value for key, value in self.env.context.items() if key not in defaults}
        return self.with_env(self.env(context=context))

    @api.model
    def _is_unsaved(self, name, value):
        """Return whether a form sends a record that is not saved yet, as the values that it has so far."""
        return isinstance(value, dict) and name in self._fields and self._fields[name].type == "many2one"

    @api.model
    def _check_input(self, vals):
        """Check ``vals`` as a client sent them.

        :param dict vals: field values
        :raises ValidationError: where a field is given something that it cannot hold
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or name == "id" or value is None or value is False:
                continue
            check = CHECKS_BY_TYPE.get(field.type)
            if check and not getattr(self, check)(field, value):
                raise ValidationError(self._get_refusal_of_value(field, value))
            if field.type in ("one2many", "many2many") and not isinstance(value, models.BaseModel):
                self._check_commands(self.env[field.comodel_name], value)

    @api.model
    def _check_commands(self, comodel, commands):
        """Check what is created or changed on the way: the ORM may convert it before the other model sees it.

        :param comodel: the model of the records that the commands are about
        :param list commands: as :class:`odoo.fields.Command` makes them, or ids
        :raises ValidationError: as :meth:`_check_input`
        """
        if not hasattr(comodel, "_check_input"):
            return
        for command in commands:
            if isinstance(command, (list, tuple)) and command[0] in (Command.CREATE, Command.UPDATE):
                comodel._check_input(command[2])

    @api.model
    def _check_field_names(self, vals):
        """Check that a client names fields that there are.

        :raises ValidationError: where it does not
        """
        for name in vals.keys() - self._fields.keys():
            raise ValidationError(
                self.env._("“%(model)s” has no field “%(name)s”.", model=self._description, name=name[:100])
            )

    @api.model
    def _get_refusal_of_value(self, field, value):
        terms = {"value": str(value)[:100].replace("\0", ""), "field": field._description_string(self.env)}
        if field.type in NUMBER_TYPES:
            return self.env._(
                "“%(value)s” is not a number that “%(field)s” can hold: enter an amount below one trillion.", **terms
            )
        if field.type in TEXT_TYPES:
            return self.env._("“%(field)s” contains a character that is no text: type it anew.", **terms)
        if field.type in DAY_TYPES:
            return self.env._(
                "“%(value)s” is not a day that “%(field)s” can hold: enter a date with all four digits of the year.",
                **terms,
            )
        return self.env._("“%(value)s” is nothing that “%(field)s” can hold: choose or enter it anew.", **terms)

    # === BUSINESS METHODS - TYPES ===#

    @api.model
    def _is_amount(self, _field, value):
        return self._is_finite_number(value, MAX_AMOUNT)

    @api.model
    def _is_whole_number(self, _field, value):
        return self._is_finite_number(value, MAX_INTEGER)

    @api.model
    def _is_finite_number(self, value, limit):
        if isinstance(value, bool):
            return False
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return False
        return math.isfinite(number) and abs(number) < limit

    @api.model
    def _is_switch(self, _field, value):
        return isinstance(value, int) and value in (0, 1)

    @api.model
    def _is_text(self, _field, value):
        if isinstance(value, bool):
            return False
        return "\0" not in value if isinstance(value, str) else self._is_finite_number(value, math.inf)

    @api.model
    def _is_option(self, field, value):
        return isinstance(value, str) and (not value or value in field.get_values(self.env))

    @api.model
    def _is_day(self, field, value):
        if not isinstance(value, (str, date)):
            return False
        try:
            day = (Datetime.to_datetime if field.type == "datetime" else Date.to_date)(value)
        except ValueError:
            return False
        return not day or FIRST_YEAR <= day.year <= self._last_year

    @api.model
    def _is_record(self, _field, value):
        return isinstance(value, (models.BaseModel, NewId)) or self._is_id(value)

    @api.model
    def _is_id(self, value):
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_INTEGER

    @api.model
    def _is_list_of_commands(self, field, value):
        if isinstance(value, models.BaseModel):
            return True
        return isinstance(value, (list, tuple)) and all(self._is_command(field, command) for command in value)

    @api.model
    def _is_command(self, field, command):
        if not isinstance(command, (list, tuple)):
            return self._is_id(command)
        code, key, vals = (*command, None, None, None)[:3]
        if code in (Command.CREATE, Command.UPDATE):
            return isinstance(vals, dict) and vals.keys() <= self.env[field.comodel_name]._fields.keys()
        if code == Command.SET:
            return isinstance(vals, (list, tuple)) and all(map(self._is_id, vals))
        return code == Command.CLEAR or (code in (Command.DELETE, Command.UNLINK, Command.LINK) and self._is_key(key))

    @api.model
    def _is_key(self, key):
        """Return whether something names a record: by its id, or as a form names one that is not saved yet."""
        return self._is_id(key) or isinstance(key, NewId)
