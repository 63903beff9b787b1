from odoo import api, fields, models


class PartnerLoyaltyClosingLock(models.TransientModel):
    """Asks before a month is locked, and why where steps are open."""

    _name = "partner.loyalty.closing.lock"
    _description = "Lock Month"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    closing_id = fields.Many2one(
        comodel_name="partner.loyalty.closing",
        required=True,
        ondelete="cascade",
        default=lambda self: self._get_active_records("partner.loyalty.closing")[:1],
    )
    open_step_count = fields.Integer(compute="_compute_open_step_count")
    reason = fields.Char(string="Why They Can Wait")

    # === COMPUTE METHODS ===#

    @api.depends("closing_id")
    def _compute_open_step_count(self):
        for wizard in self:
            wizard.closing_id.action_refresh()
            wizard.open_step_count = wizard.closing_id.open_step_count

    # === ACTION METHODS ===#

    def action_lock(self):
        """Lock the month."""
        self.ensure_one()
        self.closing_id.action_lock(self.reason)
