from odoo import api, models
from odoo.exceptions import AccessError


class PartnerLoyaltyProtectedMixin(models.AbstractModel):
    """Keeps fields that only the program sets out of reach of clients, whatever rights on the record they have.

    The code that sets them does so with ``sudo()``, which a client cannot send.
    """

    _name = "partner.loyalty.protected.mixin"
    _description = "Protected Fields"

    _protected_fields = frozenset()
    # These can be given on creation, and not changed afterwards.
    _protected_after_create_fields = frozenset()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_protected_fields(self._protected_fields & vals.keys())
        return super(PartnerLoyaltyProtectedMixin, self._without_protected_defaults()).create(vals_list)

    def write(self, vals):
        self._check_protected_fields((self._protected_fields | self._protected_after_create_fields) & vals.keys())
        return super().write(vals)

    # === BUSINESS METHODS ===#

    def _without_protected_defaults(self):
        """Forget the defaults of protected fields: a client can send any in the context."""
        defaults = {f"default_{name}" for name in self._protected_fields}
        if self.env.su or defaults.isdisjoint(self.env.context):
            return self
        context = {key: value for key, value in self.env.context.items() if key not in defaults}
        return self.with_env(self.env(context=context))

    @api.model
    def _check_protected_fields(self, names):
        """Refuse to set fields.

        :param names: names of protected fields that somebody wants to set
        :raises AccessError: where there are any and a user sets them
        """
        if names and not self.env.su:
            labels = ", ".join(self._fields[name]._description_string(self.env) for name in sorted(names))
            raise AccessError(
                self.env._("%(fields)s cannot be set by hand: use the buttons of the form.", fields=labels)
            )
