from odoo import models
from odoo.tools import format_date

from ..const import MEMBER


class PartnerLoyaltyEntryPortal(models.AbstractModel):
    """What the portal says about a statement line, besides how its amount came about."""

    _name = "partner.loyalty.entry.portal"
    _description = "Statement Line in the Portal"

    # === GETTERS ===#

    def _get_portal_title(self):
        """Return what the line is about, for the member: the document, or the rule where it is about a period."""
        self.ensure_one()
        if self.origin_model == MEMBER:
            return self.rule_id.name or dict(self._fields["type"]._description_selection(self.env))[self.type]
        return self.origin_name

    def _get_portal_notes(self, today):
        """Return what else a member has to know about the line.

        :param date today: in the time zone of the program
        :return: pairs of the name of an icon and a sentence
        :rtype: list[tuple[str, str]]
        """
        self.ensure_one()
        notes = []
        if self.amount_open > 0 and self.mature_date > today:
            notes.append(("fa-clock-o", self.env._("Ready from %s", format_date(self.env, self.mature_date))))
        if self.amount_open > 0 and self.expiry_date:
            text = self.env._("Expires after %s", format_date(self.env, self.expiry_date))
            notes.append(("fa-hourglass-half", text))
        if self.prior_period:
            day = format_date(self.env, self.contribution_date)
            notes.append(("fa-history", self.env._("About a sale of %s, whose month was closed already", day)))
        return notes

    def _get_portal_number(self):
        """Return which line of the statement it is, in words."""
        self.ensure_one()
        return self.env._("Line %s of the Statement", self.sequence)

    def _get_portal_dispute_label(self):
        """Return what leads to the dispute of the line, for who listens to the page instead of seeing it."""
        self.ensure_one()
        if self.is_disputed:
            return self.env._("Disputed: line %s", self.sequence)
        return self.env._("Something is wrong with line %s", self.sequence)
