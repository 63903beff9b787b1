from odoo import api, fields, models


class PartnerLoyaltyAttributionMixin(models.AbstractModel):
    """Gives a document the partner who brought it, always a whole company and never one of its contacts."""

    _name = "partner.loyalty.attribution.mixin"
    _description = "Loyalty Attribution"

    # === FIELDS ===#

    loyalty_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Referred by",
        index="btree_not_null",
        domain="[('parent_id', '=', False)]",
        help="The dealer or reseller who brought this business and is rewarded for it. "
        "It is carried from the opportunity to the order and its invoices.",
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._with_commercial_loyalty_partner(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._with_commercial_loyalty_partner(vals))

    # === BUSINESS METHODS ===#

    @api.model
    def _with_commercial_loyalty_partner(self, vals):
        """Return ``vals`` with the referring contact replaced by its company."""
        if not vals.get("loyalty_partner_id"):
            return vals
        partner = self.env["res.partner"].browse(vals["loyalty_partner_id"])
        return {**vals, "loyalty_partner_id": partner.commercial_partner_id.id}
