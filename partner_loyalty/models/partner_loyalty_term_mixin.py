from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.terms import Terms


class PartnerLoyaltyTermMixin(models.AbstractModel):
    """When an earning can be spent, and when it is gone."""

    _name = "partner.loyalty.term.mixin"
    _description = "Holdback and Expiry"

    # === FIELDS ===#

    maturity_days = fields.Integer(
        string="Holdback (Days)",
        default=0,
        help="So many days after the sale an earning can be paid out or spent. Long enough for returns to come in.",
    )
    expiry_kind = fields.Selection(
        selection=[
            ("never", "Never"),
            ("months", "Some months after the sale"),
            ("year_end", "At the end of a year"),
            ("idle", "After some months without sales"),
        ],
        string="Expires",
        required=True,
        default="never",
        help="What is not spent by then is taken off. What is earned keeps the terms it was earned on.",
    )
    expiry_months = fields.Integer(
        string="Months until Expiry",
        default=12,
        help="With the end of a year: of the year in which these months are over, so 0 is the year of the sale.",
    )

    # === CONSTRAINTS ===#

    _maturity_days_range = models.Constraint(
        "CHECK (maturity_days BETWEEN 0 AND 3650)",
        "The holdback is a number of days from 0 to 3650: enter a number in between.",
    )
    _expiry_months_range = models.Constraint(
        "CHECK (expiry_months BETWEEN 0 AND 240)", "Expiry is from 0 to 240 months away: enter a number in between."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("expiry_kind", "expiry_months")
    def _check_expiry_months(self):
        for record in self:
            if record.expiry_kind in ("months", "idle") and not record.expiry_months:
                raise ValidationError(
                    self.env._("“%(name)s” expires after no time at all: enter a number of months.", name=record.name)
                )

    # === GETTERS ===#

    def _get_own_terms(self):
        """Return the terms as they are set on this record.

        :rtype: Terms
        """
        self.ensure_one()
        return Terms(self.maturity_days, self.expiry_kind, self.expiry_months)
