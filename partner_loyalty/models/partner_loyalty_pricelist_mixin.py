from odoo import api, models


class PartnerLoyaltyPricelistMixin(models.AbstractModel):
    """What gives members a price list, by a field ``pricelist_id``, switches price lists on in Odoo.

    Where they are off, Odoo looks at none of them: members would have one, and pay the usual prices.
    """

    _name = "partner.loyalty.pricelist.mixin"
    _description = "Gives a Price List"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._enable_pricelists()
        return records

    def write(self, vals):
        result = super().write(vals)
        if vals.get("pricelist_id"):
            self._enable_pricelists()
        return result

    # === BUSINESS METHODS ===#

    def _enable_pricelists(self):
        """Switch price lists on for all users where one of the records gives one, as a second currency does as well."""
        group = "product.group_product_pricelist"
        if not self.pricelist_id or self.env["res.groups"]._is_feature_enabled(group):
            return
        # Who may give a price list need not be an administrator.
        users_sudo = self.env.ref("base.group_user").sudo()
        users_sudo._apply_group(self.env.ref(group))
        self.env["res.company"]._activate_or_create_pricelists()
