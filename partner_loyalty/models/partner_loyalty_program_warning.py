from odoo import api, fields, models


class PartnerLoyaltyProgramWarning(models.AbstractModel):
    """The early warnings of a program."""

    _name = "partner.loyalty.program.warning"
    _description = "Early Warnings of a Program"

    # === FIELDS ===#

    warns_managers = fields.Boolean(
        string="Warn Account Managers",
        default=True,
        help="Account managers get a to-do when a member of theirs goes quiet, or is about to lose its tier.",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_warn(self):
        """Compare members with their own past, and warn of those who need attention, program by program."""
        programs = self.search([("state", "=", "running")])
        self.env["ir.cron"]._commit_progress(remaining=len(programs))
        for program in programs:
            program._warn()
            self.env["ir.cron"]._commit_progress(1)

    def _warn(self):
        """Find out who goes quiet, what became of earlier warnings, and whom to warn of anew."""
        self.ensure_one()
        self.env["partner.loyalty.member"]._refresh_warnings(self)
        self.env["partner.loyalty.warning"]._follow_up(self)
