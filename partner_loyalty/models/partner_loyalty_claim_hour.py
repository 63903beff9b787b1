from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .partner_loyalty_claim_consulting import HOUR_DIGITS


class PartnerLoyaltyClaimHour(models.Model):
    """Time that somebody spent on what a member claimed; counted down from the hours that it has."""

    _name = "partner.loyalty.claim.hour"
    _description = "Hours of a Claim"
    _inherit = ["partner.loyalty.claim.line.mixin"]
    _order = "date desc, id desc"

    # === FIELDS ===#

    date = fields.Date(required=True, default=fields.Date.context_today)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="By",
        required=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        index=True,
    )
    hours = fields.Float(digits=HOUR_DIGITS, required=True)
    name = fields.Char(string="What", required=True)

    # === CONSTRAINTS ===#

    _hours_positive = models.Constraint("CHECK (hours > 0)", "Hours that were spent are above zero: enter how many.")

    # === CONSTRAINT METHODS ===#

    @api.constrains("hours", "claim_id")
    def _check_hours(self):
        # Of other claims nothing is entered at all.
        self.claim_id.filtered(lambda claim: claim.state in self._open_states)._check_hours()

    @api.constrains("date")
    def _check_date(self):
        for line in self:
            if line.date > line.claim_id.program_id._get_today():
                raise ValidationError(self.env._("Hours are entered when they were spent: choose a day up to today."))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.claim_id._finish_hours()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self.claim_id._finish_hours()
        return result
