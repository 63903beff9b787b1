from odoo import api, models

from ..const import MAX_INTEGER


class PartnerLoyaltyWizardMixin(models.AbstractModel):
    """What the dialogs share: they refuse what no field can hold, and open for what a list or form names."""

    _name = "partner.loyalty.wizard.mixin"
    _description = "Loyalty Dialog"
    _inherit = ["partner.loyalty.input.mixin"]

    # Some dialogs look at the day after the one that is entered.
    _last_year = 9998

    # === GETTERS ===#

    @api.model
    def _get_active_records(self, model):
        """Return what the dialog was opened for.

        :param str model: whose records they have to be
        :return: existing records; none where the context is about another model, or names no records
        """
        records = self.env[model]
        ids = self.env.context.get("active_ids") or [self.env.context.get("active_id")]
        if self.env.context.get("active_model") != model or not isinstance(ids, (list, tuple)):
            return records
        return records.browse([one for one in ids if type(one) is int and 0 < one < MAX_INTEGER]).exists()
