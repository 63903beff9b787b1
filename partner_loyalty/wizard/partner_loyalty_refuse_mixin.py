from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyRefuseMixin(models.AbstractModel):
    """What the dialogs share that ask why something is refused, for who asked for it to read."""

    _name = "partner.loyalty.refuse.mixin"
    _description = "Refusal"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # The field with what is refused; its model follows partner.loyalty.approval.mixin.
    _refused_field = None
    # The method that refuses it, and takes the reason.
    _refusal = "action_refuse"

    # === FIELDS ===#

    reason = fields.Char(required=True)

    # === ACTION METHODS ===#

    def action_refuse(self):
        """Refuse what the dialog was opened for.

        :raises UserError: when nothing is chosen
        """
        refused = self[self._refused_field]
        if not refused:
            raise UserError(self.env._("Choose what to refuse."))
        getattr(refused, self._refusal)(self.reason)
