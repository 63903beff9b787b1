from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    # === BUSINESS METHODS ===#

    def _action_done(self, feedback=False, attachment_ids=None):
        """Override: an early warning is answered when its to-do is done."""
        of_warnings = self.filtered(lambda activity: activity.res_model == "partner.loyalty.warning")
        # Whoever has the to-do answers by it, without any right to write warnings.
        warnings_sudo = self.env["partner.loyalty.warning"].sudo().browse(of_warnings.mapped("res_id")).exists()
        done = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        warnings_sudo._answer(feedback)
        return done
