from odoo import api, fields, models

from odoo.addons.partner_loyalty.models.partner_loyalty_member import PartnerLoyaltyMember as Base


class PartnerLoyaltyMember(models.Model):
    """The level that a partner has by its tier, and the price list that comes with it."""

    _inherit = "partner.loyalty.member"

    _protected_fields = Base._protected_fields | {"granted_grade_id"}

    # === FIELDS ===#

    granted_grade_id = fields.Many2one(
        comodel_name="res.partner.grade",
        string="Partner Level by Tier",
        readonly=True,
        copy=False,
        ondelete="set null",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _get_benefits_map(self):
        """Override: the level as well, and before the price list, which can come with it."""
        return {"grade_id": ("granted_grade_id", "grade_id"), **super()._get_benefits_map()}

    def _get_benefit(self, name):
        """Override: a tier without a price list gives the one of its level, where the partner has that level."""
        benefit = super()._get_benefit(name)
        if name != "pricelist_id" or benefit:
            return benefit
        grade = super()._get_benefit("grade_id")
        if grade != self.partner_id.grade_id:
            return benefit
        return grade.default_pricelist_id.filtered(
            lambda pricelist: not pricelist.company_id or pricelist.company_id == self.company_id
        )

    @api.model
    def _write_benefit(self, partners, name, benefit):
        """Override: a level would bring its price list over one that somebody chose; that is set by itself here."""
        if name != "grade_id":
            return super()._write_benefit(partners, name, benefit)
        by_pricelist = partners.grouped("specific_property_product_pricelist")
        result = super()._write_benefit(partners, name, benefit)
        for pricelist, group in by_pricelist.items():
            moved = group.filtered(lambda one, kept=pricelist: one.specific_property_product_pricelist != kept)
            moved.specific_property_product_pricelist = pricelist
        return result
