from contextlib import contextmanager
from datetime import datetime

from odoo import models


class PartnerLoyaltyTouchMixin(models.AbstractModel):
    """A document whose changes may move what it earns: it is marked before and after them, with where it stands."""

    _name = "partner.loyalty.touch.mixin"
    _description = "Document That Earns"

    # === BUSINESS METHODS ===#

    @contextmanager
    def _marking_loyalty(self, is_touching):
        """Mark documents before and after they are changed: it may be elsewhere that they stand then.

        :param is_touching: whether the change can move what they earn
        """
        if is_touching:
            self._mark_loyalty()
        yield
        if is_touching:
            self._mark_loyalty()

    def _mark_loyalty(self):
        """Note that those of the documents that contribute were touched, and where they stand."""
        self.env["partner.loyalty.touch"]._mark(self._get_counting_for_loyalty())

    # === GETTERS ===#

    def _get_counting_for_loyalty(self):
        """Return those of the documents that contribute.

        :rtype: recordset of the same model
        """
        return self

    def _get_loyalty_standing(self):
        """Return where a document stands: the buyer, the referrer, and the day or moment of the sale.

        :return: two recordsets of ``res.partner``, which may be empty, and a date, a datetime or False
        :rtype: tuple
        """
        self.ensure_one()
        no_partner = self.env["res.partner"]
        return no_partner, no_partner, False

    def _get_loyalty_standings(self):
        """Return where documents stand, as ``partner.loyalty.touch`` notes it.

        :return: tuples of id, buyer id, referrer id and day; None for what is not known
        :rtype: list[tuple]
        """
        standings = []
        for document in self:
            buyer, referrer, day = document._get_loyalty_standing()
            day = day.date() if isinstance(day, datetime) else day
            standings.append((document.id, buyer.id or None, referrer.id or None, day or None))
        return standings
