from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

from ..tools.domains import check_domain, read_domain

UNREADABLE = (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError, AccessError)


class PartnerLoyaltySegment(models.Model):
    """A saved filter over partners and their memberships: who belongs to it is looked up whenever it is asked for."""

    _name = "partner.loyalty.segment"
    _description = "Loyalty Segment"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "sequence, name, id"

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name="res.company", index=True, help="Rules of this company can use it; those of all where empty."
    )
    partner_domain = fields.Char(
        string="Partners",
        required=True,
        default="[]",
        help="Companies that match belong to the segment: by region, tag, size and the like.",
    )
    member_domain = fields.Char(
        string="Members",
        required=True,
        default="[]",
        help="Of these, only those whose membership in the program matches: by tier, account manager and the like.",
    )
    # A partner can be in several.
    partner_count = fields.Integer(compute="_compute_partner_count", aggregator=None)

    # === COMPUTE METHODS ===#

    @api.depends("partner_domain", "member_domain")
    def _compute_partner_count(self):
        for segment in self:
            domain = segment._get_partner_domain() & Domain("parent_id", "=", False)
            segment.partner_count = self.env["res.partner"].search_count(domain)

    # === CONSTRAINT METHODS ===#

    @api.constrains("partner_domain", "member_domain")
    def _check_domains(self):
        for segment in self:
            for model, text in (
                ("res.partner", segment.partner_domain),
                ("partner.loyalty.member", segment.member_domain),
            ):
                try:
                    check_domain(self.env, model, text)
                except UNREADABLE as error:
                    raise ValidationError(
                        self.env._(
                            "The filter of the segment “%(segment)s” cannot be read: build it with the filter editor. "
                            "(%(error)s)",
                            segment=segment.name,
                            error=str(error)[:500],
                        )
                    ) from error

    # === ACTION METHODS ===#

    def action_view_partners(self):
        """Show the companies that belong to the segment."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "res.partner",
            "view_mode": "list,form",
            "domain": list(self._get_partner_domain() & Domain("parent_id", "=", False)),
        }

    # === GETTERS ===#

    def _get_partner_domain(self, program=None):
        """Return who belongs to the segment, as a filter over partners.

        :param program: the program whose memberships have to match; any by default
        :rtype: Domain
        """
        self.ensure_one()
        domain = read_domain(self.env, self.partner_domain)
        members = read_domain(self.env, self.member_domain)
        if members.is_true():
            return domain
        if program:
            members &= Domain("program_id", "=", program.id)
        return domain & Domain("loyalty_member_ids", "any", members & Domain("merged_into_id", "=", False))

    def _get_of_member(self, member):
        """Return those of the segments that a member belongs to.

        :param member: ``partner.loyalty.member``
        """
        # Whoever asks need not see all that a segment looks at.
        partner_sudo = member.partner_id.sudo()
        return self.filtered(
            lambda segment: partner_sudo.filtered_domain(segment._get_partner_domain(member.program_id))
        )

    def _get_contribution_domain(self, program):
        """Return what the partners of any of the segments did, as a filter over contributions.

        :param program: the program whose memberships have to match
        :rtype: Domain
        """
        return Domain.OR(
            [Domain("partner_id", "any", segment._get_partner_domain(program)) for segment in self] or [Domain.TRUE]
        )
