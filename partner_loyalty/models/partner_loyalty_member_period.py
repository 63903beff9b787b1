from itertools import pairwise

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class PartnerLoyaltyMemberPeriod(models.Model):
    """From when to when a member belongs to its program; what it sells in between counts."""

    _name = "partner.loyalty.member.period"
    _description = "Membership Period"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "date_from"

    # === FIELDS ===#

    member_id = fields.Many2one(comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="member_id.company_id", store=True)
    date_from = fields.Date(string="From", required=True)
    date_to = fields.Date(string="Until", help="The last day of membership; empty while it goes on.")

    # === CONSTRAINTS ===#

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A membership cannot end before it starts: choose a later end or an earlier start.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("date_from", "date_to", "member_id")
    def _check_not_taken_over(self):
        """The days that a partner belonged to the program as a member that was taken over are not counted twice."""
        for member in self.member_id:
            earlier = self.env["partner.loyalty.member"].search(
                [
                    ("program_id", "=", member.program_id.id),
                    ("partner_id", "=", member.partner_id.id),
                    ("root_id", "!=", member.root_id.id),
                ]
            )
            if member.period_ids._overlaps(earlier.period_ids):
                raise ValidationError(
                    self.env._(
                        "%(member)s was taken over by %(target)s and belonged to the program up to %(date)s: "
                        "choose a later day.",
                        member=member.partner_id.display_name,
                        target=earlier.root_id[:1].partner_id.display_name,
                        date=max(filter(None, earlier.mapped("date_to")), default=""),
                    )
                )

    @api.constrains("date_from", "date_to", "member_id")
    def _check_no_overlap(self):
        for member in self.member_id:
            spans = member.period_ids.sorted("date_from")
            for earlier, later in pairwise(spans):
                if not earlier.date_to or earlier.date_to >= later.date_from:
                    raise ValidationError(
                        self.env._(
                            "Two membership periods of %(member)s overlap: end the first before the second starts.",
                            member=member.partner_id.display_name,
                        )
                    )

    # === BUSINESS METHODS ===#

    def _overlaps(self, others):
        """Return whether any of these periods has a day in common with any of the others.

        :param others: recordset of ``partner.loyalty.member.period``
        :rtype: bool
        """
        return any(
            (not other.date_to or period.date_from <= other.date_to)
            and (not period.date_to or other.date_from <= period.date_to)
            for period in self
            for other in others
        )
