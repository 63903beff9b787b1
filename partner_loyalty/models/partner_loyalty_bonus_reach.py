from decimal import Decimal

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

from ..const import UNITS
from ..tools import schedule as schedules

# What members get; to-dos, notes and e-mails are between us.
SHOWN_KINDS = (*(unit for unit, _label in UNITS), "reward", "tier", "badge")
# A page measures no more actions than these.
MAX_ACTIONS = 10


class PartnerLoyaltyBonusReach(models.AbstractModel):
    """How far a member is from a bonus that it can still reach: one whose condition is a value of a metric."""

    _name = "partner.loyalty.bonus.reach"
    _description = "Bonus within Reach"

    # === GETTERS ===#

    @api.model
    def _get_reachable(self, member):
        """Return the running actions that a member belongs to the audience of, and that ask for a value.

        :param member: ``partner.loyalty.member``
        :rtype: recordset of ``partner.loyalty.bonus.action``
        """
        domain = Domain([("program_id", "=", member.program_id.id), ("state", "=", "running")])
        domain &= Domain("condition", "=", "value") & Domain("operator", "in", (">=", ">"))
        domain &= Domain("schedule", "in", (*schedules.CALENDAR_SCHEDULES, "date"))
        domain &= Domain("tier_ids", "=", False) | Domain("tier_ids", "in", member.tier_id.ids)
        domain &= Domain("effect_ids.kind", "in", SHOWN_KINDS)
        actions = self.search(domain, limit=MAX_ACTIONS)
        return actions.filtered(lambda action: action._is_open() and action._is_for(member))

    def _is_open(self):
        """Return whether the period that goes on now counts."""
        self.ensure_one()
        occasion, today = self._get_current_occasion(), self.program_id._get_today()
        ends = [*filter(None, (self.date_to, self.program_id.date_to))]
        return today <= occasion.last and occasion.last >= self.date_from and all(occasion.last <= end for end in ends)

    def _is_for(self, member):
        """Return whether a member passes the filters of the audience."""
        self.ensure_one()
        domain = self._get_audience_domain() & Domain("id", "=", member.id)
        return bool(self._get_audience().search_count(domain))

    def _get_current_occasion(self):
        """Return what the action will run for next.

        :rtype: Occasion
        """
        self.ensure_one()
        if self.schedule == "date":
            return schedules.date_occasion(self.date)
        return schedules.calendar_occasion(self.schedule, self.program_id._get_today())

    def _get_reach(self, member, units):
        """Return what a member would get, what is asked for, and how far it is.

        :param member: ``partner.loyalty.member``
        :param units: units of amounts that may be named
        :return: ``name``, ``gift``, ``goal`` and ``text`` (what is missing by when) in words, ``progress`` in whole per
            cent and ``is_reached``; None where nothing of it may be named
        :rtype: dict
        """
        self.ensure_one()
        effects = self.effect_ids.filtered(
            lambda effect: effect.kind in SHOWN_KINDS and (effect.kind in units or effect.kind not in dict(UNITS))
        )
        if not effects:
            return None
        occasion = self._get_current_occasion()
        value = self._measure(member, occasion)
        bound = Decimal(f"{self.threshold:.4f}")
        is_reached = value is not None and (value > bound if self.operator == ">" else value >= bound)
        metric = self.metric_id
        return {
            "name": self.name,
            "gift": ", ".join(effects.mapped("summary")),
            "goal": f"{metric.name}: {metric._format_value(bound, self.currency_id)}",
            "text": self._get_reach_text(occasion, is_reached, bound - (value or 0)),
            "progress": member._get_portal_progress(value, bound, is_reached),
            "is_reached": is_reached,
        }

    def _get_reach_text(self, occasion, is_reached, gap):
        """Return what is missing by when, or that nothing is."""
        day = format_date(self.env, occasion.last)
        if is_reached:
            return self.env._("Reached, if it stays so until %s", day)
        missing = self.metric_id._format_value(max(gap, Decimal(0)), self.currency_id)
        return self.env._("Missing: %(missing)s by %(date)s", missing=missing, date=day)

    def _measure(self, member, occasion):
        """Return the value of a member so far."""
        so_far = occasion._replace(last=min(occasion.last, self.program_id._get_today()))
        window = self._get_window(so_far)._replace(member_ids=(member.id,))
        value = self.metric_id._get_values(self.program_id, window).get(member.id)
        return None if value is None else Decimal(f"{value:.4f}")
