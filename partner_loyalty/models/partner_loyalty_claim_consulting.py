from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, float_compare, formatLang

HOUR_DIGITS = (16, 2)


class PartnerLoyaltyClaimConsulting(models.AbstractModel):
    """Claims that are hours: how many there are, and how many are left."""

    _name = "partner.loyalty.claim.consulting"
    _description = "Consulting Claimed"

    # === FIELDS ===#

    hour_amount = fields.Float(
        string="Hours", digits=HOUR_DIGITS, readonly=True, copy=False, aggregator=None, help="To be had in all."
    )
    hour_ids = fields.One2many(comodel_name="partner.loyalty.claim.hour", inverse_name="claim_id", string="Hours Spent")
    hour_left = fields.Float(string="Hours Left", digits=HOUR_DIGITS, compute="_compute_hour_left")
    hour_text = fields.Char(string="Left", compute="_compute_hour_left")

    # === COMPUTE METHODS ===#

    @api.depends("hour_amount", "hour_ids.hours")
    @api.depends_context("lang")
    def _compute_hour_left(self):
        for claim in self:
            claim.hour_left = claim.hour_amount - sum(claim.hour_ids.mapped("hours"))
            claim.hour_text = claim._get_hour_text() if claim.hour_amount else False

    # === BUSINESS METHODS ===#

    def _check_hours(self):
        """Check that no more hours are spent than there are, however many people enter some at once.

        :raises ValidationError: where they are
        """
        self._count_hours()
        for claim in self:
            if float_compare(claim.hour_left, 0, precision_digits=HOUR_DIGITS[1]) < 0:
                raise ValidationError(
                    self.env._(
                        "Of %(claim)s there are %(hours)s hours, and these would be %(over)s too many: enter fewer.",
                        claim=claim.name,
                        hours=self._format_hours(claim.hour_amount),
                        over=self._format_hours(-claim.hour_left),
                    )
                )

    def _count_hours(self):
        """Write the claims, so that of two entries at once the second starts over and finds the first."""
        self.env.flush_all()
        self.env.execute_query(SQL("UPDATE partner_loyalty_claim SET name = name WHERE id = ANY(%s)", list(self.ids)))
        self.invalidate_recordset(["hour_left", "hour_text"])

    def _finish_hours(self):
        """Fulfill the claims whose hours are used up."""
        used_up = self.filtered(
            lambda claim: (
                claim.state == "approved"
                and claim.hour_amount
                and float_compare(claim.hour_left, 0, precision_digits=HOUR_DIGITS[1]) <= 0
            )
        )
        used_up._fulfill()

    def _get_hour_text(self):
        """Return in words how many hours are left."""
        self.ensure_one()
        return self.env._(
            "%(left)s of %(hours)s hours left",
            left=self._format_hours(self.hour_left),
            hours=self._format_hours(self.hour_amount),
        )

    @api.model
    def _format_hours(self, hours):
        text = formatLang(self.env, hours, digits=HOUR_DIGITS[1])
        return text.rstrip("0").rstrip(".,") if any(sign in text for sign in ".,") else text
