from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class PartnerLoyaltyTierOverride(models.TransientModel):
    """Puts members into a tier by hand for some time, with a reason."""

    _name = "partner.loyalty.tier.override"
    _description = "Set a Tier by Hand"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        default=lambda self: self._get_active_records("partner.loyalty.member"),
    )
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", compute="_compute_program_id")
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", required=True, domain="[('program_id', '=', program_id)]"
    )
    date_to = fields.Date(
        string="Until",
        required=True,
        help="The last day of the tier. On that day it is decided again which tier was reached.",
    )
    reason = fields.Char(required=True, help="Kept in the tier history.")

    # === COMPUTE METHODS ===#

    @api.depends("member_ids")
    def _compute_program_id(self):
        for wizard in self:
            wizard.program_id = wizard.member_ids.program_id[:1]

    # === ACTION METHODS ===#

    def action_apply(self):
        """Put the members into the tier from tomorrow on.

        :raises UserError: where the user may not, or a member cannot have the tier
        :raises ValidationError: where the tier would end before it begins
        """
        self.ensure_one()
        self._check_can_apply()
        # Nobody writes the tier history by hand, but for this.
        periods_sudo = self.member_ids.sudo().tier_period_ids
        periods_sudo._get_lasting()._set_by_hand(self.tier_id, self.date_to, self.reason)
        self.program_id._refresh_tiers()

    # === BUSINESS METHODS ===#

    def _check_can_apply(self):
        """Check who asks, for whom, and the dates.

        :raises UserError: where members are missing, of several programs, of one's own company, or have no tier
        :raises ValidationError: where the last day is not after today
        """
        self.member_ids.check_access("write")
        if not self.member_ids:
            raise UserError(self.env._("Choose the members whose tier you want to set."))
        if len(self.member_ids.program_id) > 1 or self.tier_id.program_id != self.member_ids.program_id:
            raise UserError(self.env._("Choose members and a tier of one program."))
        if self.env.user.partner_id.commercial_partner_id in self.member_ids.partner_id:
            raise UserError(self.env._("This is about your own company: another manager has to do it."))
        if self.date_to <= self.program_id._get_today():
            raise ValidationError(self.env._("The tier is in force from tomorrow on: choose a later last day."))
        for member in self.member_ids:
            if not member.tier_id or member.state == "ended":
                raise UserError(
                    self.env._(
                        "%(member)s is no member any more, or its program has no tiers.",
                        member=member.partner_id.display_name,
                    )
                )
