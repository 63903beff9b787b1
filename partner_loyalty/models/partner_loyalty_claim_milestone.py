from odoo import fields, models


class PartnerLoyaltyClaimMilestone(models.Model):
    """A step of a joint project, to be done by a day."""

    _name = "partner.loyalty.claim.milestone"
    _description = "Milestone of a Claim"
    _inherit = ["partner.loyalty.claim.line.mixin", "partner.loyalty.protected.mixin"]
    _order = "claim_id, date_deadline, id"
    _open_states = ("draft", "requested", "approved")
    _protected_fields = frozenset({"done_at", "done_by_id", "is_done"})

    # === FIELDS ===#

    name = fields.Char(string="Milestone", required=True)
    date_deadline = fields.Date(string="Deadline")
    is_done = fields.Boolean(string="Done", readonly=True, copy=False)
    done_by_id = fields.Many2one(comodel_name="res.users", string="Done by", readonly=True, copy=False)
    done_at = fields.Datetime(string="Done on", readonly=True, copy=False)

    # === ACTION METHODS ===#

    def action_done(self):
        """Note that milestones are reached, by whom and when."""
        self._set_done(is_done=True, done_by_id=self.env.uid, done_at=fields.Datetime.now())

    def action_reopen(self):
        """Note that milestones are not reached after all."""
        self._set_done(is_done=False, done_by_id=False, done_at=False)

    # === BUSINESS METHODS ===#

    def _set_done(self, **vals):
        self.check_access("write")
        # Who says so is set by the buttons alone.
        self.sudo().write(vals)
