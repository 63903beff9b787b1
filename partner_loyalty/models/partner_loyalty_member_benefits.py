from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

# See _get_benefits_map.
BENEFITS = {
    "pricelist_id": ("granted_pricelist_id", "specific_property_product_pricelist"),
    "payment_term_id": ("granted_payment_term_id", "property_payment_term_id"),
}


class PartnerLoyaltyMemberBenefits(models.AbstractModel):
    """The price list and payment terms that a partner has by its tier, or by a reward for a time.

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
    claimed_pricelist_id = fields.Many2one(
        comodel_name="product.pricelist",
        string="Price List by Reward",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="It takes the place of that of the tier up to the day below.",
    )
    claimed_pricelist_until = fields.Date(string="Price List by Reward until", readonly=True, copy=False)

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
        due_sudo = self.sudo().search(domain).filtered(lambda member: member._is_benefit_due())
        while due_sudo:
            # Merged members can have the same partner: each looks at what the one before it has set.
            ids = [members_sudo.ids[0] for members_sudo in due_sudo.grouped("partner_id").values()]
            batch_sudo = due_sudo.browse(ids)
            batch_sudo._set_benefits(program.company_id)
            due_sudo -= batch_sudo

    def _is_benefit_due(self):
        """Return whether a tier gives something else than the member has by it."""
        self.ensure_one()
        benefits = self._get_benefits_map()
        return any(self._get_benefit(name) != self[granted] for name, (granted, _field) in benefits.items())

    def _get_benefit(self, name):
        """Return what a reward or the tier in force gives; nothing where the membership does not go on."""
        self.ensure_one()
        goes_on = self.state == "active" and not self.merged_into_id
        until = self.claimed_pricelist_until
        if name == "pricelist_id" and goes_on and until and until >= self.program_id._get_today():
            return self.claimed_pricelist_id
        return (self.tier_id if goes_on else self.tier_id.browse())[name]

    def _claim_pricelist(self, pricelist, until):
        """Let a partner have a price list by a reward, instead of that of its tier.

        :param pricelist: ``product.pricelist``
        :param date until: the last day
        """
        self.ensure_one()
        self.write({"claimed_pricelist_id": pricelist.id, "claimed_pricelist_until": until})
        self._set_benefits(self.company_id)

    def _set_benefits(self, company):
        """Bring partners in line with the tiers, as far as nobody chose otherwise.

        :param company: ``res.company`` of the members, each of whom has a partner of its own
        """
        members = self.with_company(company)
        # One after the other: what is given can depend on what was set before.
        for name, (granted, field) in self._get_benefits_map().items():
            members._set_benefit(name, granted, field)

    def _set_benefit(self, name, granted, field):
        """Set one thing on the partners of members, by one write for all who get the same.

        :param str name: field of the tier
        :param str granted: field of the member that notes what was set
        :param str field: field of the partner
        """
        usual = self._get_usual(field)
        changed, chosen = defaultdict(list), []
        for member in self:
            current, ours, benefit = member.partner_id[field], member[granted], member._get_benefit(name)
            if benefit != ours and (not current or current in (ours, usual)):
                changed[benefit].append(member.id)
            elif ours and current != ours:
                chosen.append(member.id)
        for benefit, ids in changed.items():
            members = self.browse(ids)
            self._write_benefit(members.partner_id, field, benefit or usual)
            members[granted] = benefit
        # Somebody chose another one since.
        self.browse(chosen)[granted] = False

    @api.model
    def _write_benefit(self, partners, name, benefit):
        """Set one thing on partners, and nothing else of them."""
        partners[name] = benefit

    @api.model
    def _get_usual(self, name):
        """Return what partners have in a field where nobody chose anything."""
        partners = self.env["res.partner"]
        field = partners._fields[name]
        return field.get_company_dependent_fallback(partners) if field.company_dependent else partners[name]
