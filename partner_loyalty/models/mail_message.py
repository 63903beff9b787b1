from odoo import models
from odoo.exceptions import UserError


class MailMessage(models.Model):
    _inherit = "mail.message"

    # === ACTION METHODS ===#

    def action_loyalty_hide(self):
        """Hide messages in a discussion from members, or show them again.

        :raises UserError: where one is no message in a discussion
        """
        for message in self:
            if message.model != "partner.loyalty.topic":
                raise UserError(self.env._("Only messages in discussions of members are hidden here."))
            self.env["partner.loyalty.topic"].browse(message.res_id).check_access("write")
            # Whoever moderates a discussion need not be able to change messages of others.
            message.sudo().is_internal = not message.is_internal
