import math
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import MAX_AMOUNT

# What becomes of an order elsewhere; of states at the same moment the later in this list stands.
EXTERNAL_STATES = ("paid", "canceled", "returned")

MAX_TEXT = 500
MAX_LINES = 500


class PartnerLoyaltyExternalMixin(models.AbstractModel):
    """Reads what other systems send, and says in a sentence what is wrong with it; nothing of it is trusted."""

    _name = "partner.loyalty.external.mixin"
    _description = "Input from Elsewhere"

    # === BUSINESS METHODS ===#

    @api.model
    def _read_order(self, values):
        """Return an order as it was sent, checked and in one form.

        :param dict values: see ``sale.order.loyalty_import_order``
        :return: ``partner_code``, ``date`` (a moment in UTC as text), ``currency``, ``customer`` (``name``, ``phone``,
            ``email``) and ``lines`` (``product``, ``name``, ``quantity``, ``price``)
        :rtype: dict
        :raises ValidationError: where something is missing or cannot be
        """
        self._check_mapping(values, "values")
        lines = values.get("lines")
        if not isinstance(lines, (list, tuple)) or not 0 < len(lines) <= MAX_LINES:
            raise ValidationError(self.env._("An order has from 1 to %s lines: send them as a list.", MAX_LINES))
        return {
            "partner_code": self._read_text(values, "partner_code"),
            "date": self._read_moment(values.get("date"), "date"),
            "currency": (self._read_text(values, "currency") or self.env.company.currency_id.name).upper(),
            "customer": self._read_customer(values.get("customer")),
            "lines": [self._read_line(line) for line in lines],
        }

    @api.model
    def _read_customer(self, customer):
        self._check_mapping(customer, "customer")
        read = {name: self._read_text(customer, name) for name in ("name", "phone", "email")}
        if not read["phone"] and not read["email"]:
            raise ValidationError(
                self.env._("The customer is known again by phone or e-mail: send at least one of them.")
            )
        return read

    @api.model
    def _read_line(self, line):
        self._check_mapping(line, "line")
        return {
            "product": self._read_text(line, "product", required=True),
            "name": self._read_text(line, "name"),
            "quantity": self._read_number(line.get("quantity", 1), "quantity", least=0),
            "price": self._read_number(line.get("price"), "price"),
        }

    @api.model
    def _read_event(self, state, occurred_at, lines):
        """Return what became of an order, checked and in one form.

        :param str state: one of ``EXTERNAL_STATES``
        :param str occurred_at: the moment
        :param list lines: what came back (``product``, ``quantity``); everything where it is empty
        :rtype: dict
        :raises ValidationError: where something is missing or cannot be
        """
        if state not in EXTERNAL_STATES:
            raise ValidationError(
                self.env._(
                    "“%(state)s” is no state of an order: send one of %(states)s.",
                    state=str(state)[:50],
                    states=", ".join(EXTERNAL_STATES),
                )
            )
        if lines and state != "returned":
            raise ValidationError(self.env._("Only what is returned can be less than the order: leave out the lines."))
        if not isinstance(lines or [], (list, tuple)) or len(lines or []) > MAX_LINES:
            raise ValidationError(self.env._("Send what came back as a list of at most %s lines.", MAX_LINES))
        return {
            "state": state,
            "occurred_at": self._read_moment(occurred_at, "occurred_at"),
            "lines": [self._read_returned_line(line) for line in lines or []],
        }

    @api.model
    def _read_returned_line(self, line):
        self._check_mapping(line, "line")
        return {
            "product": self._read_text(line, "product", required=True),
            "quantity": self._read_number(line.get("quantity"), "quantity", least=0),
        }

    @api.model
    def _check_mapping(self, value, name):
        if not isinstance(value, dict):
            raise ValidationError(self.env._("Send “%s” as an object with named values.", name))

    @api.model
    def _read_text(self, values, name, required=False):
        """Return a text without the spaces around it, or False where there is none."""
        text = values.get(name) or ""
        if isinstance(text, (int, float)) and not isinstance(text, bool):
            text = str(text)
        if not isinstance(text, str) or "\0" in text or len(text) > MAX_TEXT:
            raise ValidationError(
                self.env._("“%(name)s” is no text of at most %(most)s characters.", name=name, most=MAX_TEXT)
            )
        text = text.strip()
        if required and not text:
            raise ValidationError(self.env._("“%s” is missing: send it with the order.", name))
        return text or False

    @api.model
    def _read_number(self, value, name, least=-MAX_AMOUNT):
        """Return a number that is above ``least``."""
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or not least < number < MAX_AMOUNT:
            raise ValidationError(
                self.env._(
                    "“%(value)s” is no “%(name)s”: send a number that is possible.", value=str(value)[:50], name=name
                )
            )
        return number

    @api.model
    def _read_moment(self, value, name):
        """Return a moment in UTC as text; one without a time zone is in UTC already."""
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo:
                moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
        except (TypeError, ValueError, OverflowError):
            moment = None
        if not moment or moment.year < 2000 or moment > fields.Datetime.now() + timedelta(days=1):
            raise ValidationError(
                self.env._(
                    "“%(value)s” is no “%(name)s”: send a moment that has passed, such as 2026-03-18T09:30:00Z.",
                    value=str(value)[:50],
                    name=name,
                )
            )
        return fields.Datetime.to_string(moment)
