from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    # === FIELDS ===#

    loyalty_single_manager = fields.Boolean(related="company_id.loyalty_single_manager", readonly=False)
    loyalty_external_journal_id = fields.Many2one(
        related="company_id.loyalty_external_journal_id",
        readonly=False,
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
    )
    loyalty_payout_journal_id = fields.Many2one(
        related="company_id.loyalty_payout_journal_id",
        readonly=False,
        domain="[('type', '=', 'purchase'), ('company_id', '=', company_id)]",
    )
    loyalty_payout_product_id = fields.Many2one(related="company_id.loyalty_payout_product_id", readonly=False)
    loyalty_health = fields.Text(string="Nightly Work", compute="_compute_loyalty_health")

    # === COMPUTE METHODS ===#

    @api.depends("company_id")
    @api.depends_context("lang", "tz")
    def _compute_loyalty_health(self):
        # Who administers the system need not be a loyalty officer, and reads no more than when and how many.
        programs_sudo = self.env["partner.loyalty.program"].sudo()
        for settings in self:
            settings.loyalty_health = programs_sudo._get_company_health_text(settings.company_id)

    # === ACTION METHODS ===#

    def action_show_loyalty_panel(self):
        """Bring the panel of the first steps back, and open the page that it is on."""
        return self.env["onboarding.onboarding"].action_show_panel_partner_loyalty()
