from odoo import fields, models

from ..const import LEDGER_DIGITS, UNITS

# What a figure says, as the preview works it out.
FIGURES = ("amount_posted", "amount_target", "amount", "amount_locked", "amount_paid", "amount_owed")


class PartnerLoyaltyAttributionFigure(models.Model):
    """What an attribution change moves on the statement of one member, in one unit; written by the preview alone."""

    _name = "partner.loyalty.attribution.figure"
    _description = "Figure of an Attribution Change"
    _order = "attribution_id, id"
    _rec_name = "member_id"

    # === FIELDS ===#

    attribution_id = fields.Many2one(
        comodel_name="partner.loyalty.attribution", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="attribution_id.company_id", store=True, index=True)
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="cascade", readonly=True
    )
    program_id = fields.Many2one(related="member_id.program_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit = fields.Selection(selection=UNITS, required=True, readonly=True)
    amount_posted = fields.Float(
        string="Posted Now",
        digits=LEDGER_DIGITS,
        readonly=True,
        aggregator=None,
        help="What the statement holds today for what changes.",
    )
    amount_target = fields.Float(string="Would Be", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    amount = fields.Float(string="Difference", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    amount_locked = fields.Float(
        string="In Locked Periods",
        digits=LEDGER_DIGITS,
        readonly=True,
        aggregator=None,
        help="How much of the difference is about sales in a locked period. "
        "It is posted on the first open day, and marked.",
    )
    amount_paid = fields.Float(
        string="Paid Out Already",
        digits=LEDGER_DIGITS,
        readonly=True,
        aggregator=None,
        help="How much of what is taken back has gone into payouts.",
    )
    amount_owed = fields.Float(
        string="Would Be Owed",
        digits=LEDGER_DIGITS,
        readonly=True,
        aggregator=None,
        help="How much of what is taken back is not there any more. The member owes it, and later earnings pay it.",
    )

    # === GETTERS ===#

    def _get_vals_list(self):
        """Return what the figures say, as the preview works it out.

        :rtype: list[dict]
        """
        return [
            {"member_id": figure.member_id.id, "unit": figure.unit, **{name: figure[name] for name in FIGURES}}
            for figure in self
        ]
