from odoo import api, fields, models
from odoo.fields import Domain

# What a tier sets on the partner, and where the member notes what was set: by field of the tier.
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
    def _refresh_benefits(self, program):
        """Set on partners what their tier gives, and take back what it gives no more."""
        domain = Domain("program_id", "=", program.id) & Domain.OR(
            Domain(f"tier_id.{name}", "!=", False) | Domain(granted, "!=", False)
            for name, (granted, _field) in BENEFITS.items()
        )
        # Price lists and terms of partners are set by the program, whoever changes a tier.
        members_sudo = self.sudo().search(domain)
        for member_sudo in members_sudo.filtered(lambda member: member._is_benefit_due()):
            member_sudo._set_benefits()

    def _is_benefit_due(self):
        """Return whether a tier gives something else than the member has by it."""
        self.ensure_one()
        return any(self._get_benefit(name) != self[granted] for name, (granted, _field) in BENEFITS.items())

    def _get_benefit(self, name):
        """Return what the tier in force gives; nothing where the membership does not go on."""
        self.ensure_one()
        tier = self.tier_id if self.state == "active" and not self.merged_into_id else self.tier_id.browse()
        return tier[name]

    def _set_benefits(self):
        """Bring the partner in line with the tier, as far as nobody chose otherwise."""
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        for name, (granted, field) in BENEFITS.items():
            benefit = self._get_benefit(name)
            usual = partner._fields[field].get_company_dependent_fallback(partner)
            is_ours = not partner[field] or partner[field] in (self[granted], usual)
            if benefit != self[granted] and is_ours:
                partner[field] = benefit or usual
                self[granted] = benefit
            elif self[granted] and partner[field] != self[granted]:
                # Somebody chose another one since.
                self[granted] = False
