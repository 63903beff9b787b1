from odoo import api, fields, models
from odoo.fields import Domain

# See _get_benefits_map.
BENEFITS = {
    "pricelist_id": ("granted_pricelist_id", "specific_property_product_pricelist"),
    "payment_term_id": ("granted_payment_term_id", "property_payment_term_id"),
}


class PartnerLoyaltyMemberBenefits(models.AbstractModel):
    """The price list and payment terms that a partner has by its tier.

    They are set on the partner and taken back, never over what somebody chose by hand: the member notes what was set,
    and only that is changed.
    """

    _name = "partner.loyalty.member.benefits"
    _description = "Tier Benefits"

    # === FIELDS ===#

    granted_pricelist_id = fields.Many2one(
        comodel_name="product.pricelist", string="Price List by Tier", readonly=True, copy=False, ondelete="set null"
    )
    granted_payment_term_id = fields.Many2one(
        comodel_name="account.payment.term",
        string="Payment Terms by Tier",
        readonly=True,
        copy=False,
        ondelete="set null",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _get_benefits_map(self):
        """Return what a tier sets on the partner; a module adds a benefit by extending it.

        :return: by field of the tier, the field of the member that notes what was set, and the field of the partner
        :rtype: dict[str, tuple[str, str]]
        """
        return BENEFITS

    @api.model
    def _refresh_benefits(self, program):
        """Set on partners what their tier gives, and take back what it gives no more."""
        domain = Domain("program_id", "=", program.id) & Domain.OR(
            Domain(f"tier_id.{name}", "!=", False) | Domain(granted, "!=", False)
            for name, (granted, _field) in self._get_benefits_map().items()
        )
        # Price lists and terms of partners are set by the program, whoever changes a tier.
        members_sudo = self.sudo().search(domain)
        for member_sudo in members_sudo.filtered(lambda member: member._is_benefit_due()):
            member_sudo._set_benefits()

    def _is_benefit_due(self):
        """Return whether a tier gives something else than the member has by it."""
        self.ensure_one()
        benefits = self._get_benefits_map()
        return any(self._get_benefit(name) != self[granted] for name, (granted, _field) in benefits.items())

    def _get_benefit(self, name):
        """Return what the tier in force gives; nothing where the membership does not go on."""
        self.ensure_one()
        tier = self.tier_id if self.state == "active" and not self.merged_into_id else self.tier_id.browse()
        return tier[name]

    def _set_benefits(self):
        """Bring the partner in line with the tier, as far as nobody chose otherwise."""
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        for name, (granted, field) in self._get_benefits_map().items():
            benefit = self._get_benefit(name)
            usual = self._get_usual(partner, field)
            is_ours = not partner[field] or partner[field] in (self[granted], usual)
            if benefit != self[granted] and is_ours:
                self._write_benefit(partner, field, benefit or usual)
                self[granted] = benefit
            elif self[granted] and partner[field] != self[granted]:
                # Somebody chose another one since.
                self[granted] = False

    @api.model
    def _write_benefit(self, partner, name, benefit):
        """Set one thing on the partner, and nothing else of it."""
        partner[name] = benefit

    @api.model
    def _get_usual(self, partner, name):
        """Return what a partner has in a field where nobody chose anything."""
        field = partner._fields[name]
        return field.get_company_dependent_fallback(partner) if field.company_dependent else partner[name].browse()
