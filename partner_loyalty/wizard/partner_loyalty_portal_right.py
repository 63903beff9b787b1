from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..models.res_partner import PORTAL_RIGHTS


class PartnerLoyaltyPortalRight(models.TransientModel):
    """Says what each contact of a member sees in the portal; officers need no right to change contacts for it."""

    _name = "partner.loyalty.portal.right"
    _description = "Rights in the Portal"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        required=True,
        ondelete="cascade",
        default=lambda self: self._get_active_records("partner.loyalty.member")[:1],
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.portal.right.line",
        inverse_name="wizard_id",
        string="Contacts",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_line_ids(self):
        for wizard in self:
            contacts = wizard._get_contacts()
            wizard.line_ids = [Command.clear(), *(Command.create({"contact_id": one.id}) for one in contacts)]

    # === ACTION METHODS ===#

    def action_apply(self):
        """Give the contacts their rights.

        :raises ValidationError: where one is of another company
        """
        self.ensure_one()
        self.member_id.check_access("read")
        for line in self.line_ids:
            line._apply()

    # === GETTERS ===#

    def _get_contacts(self):
        """Return the people of the member: the company itself is its owner.

        :rtype: ``res.partner``
        """
        partner = self.member_id.partner_id
        if not partner:
            return partner
        return partner.search(
            [("commercial_partner_id", "=", partner.id), ("id", "!=", partner.id), ("type", "=", "contact")]
        )


class PartnerLoyaltyPortalRightLine(models.TransientModel):
    """What one contact of a member sees in the portal."""

    _name = "partner.loyalty.portal.right.line"
    _description = "Right in the Portal"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(
        comodel_name="partner.loyalty.portal.right", required=True, index=True, ondelete="cascade"
    )
    contact_id = fields.Many2one(comodel_name="res.partner", required=True, ondelete="cascade")
    email = fields.Char(related="contact_id.email")
    has_login = fields.Boolean(string="Logs In", compute="_compute_has_login")
    right = fields.Selection(
        selection=PORTAL_RIGHTS,
        required=True,
        compute="_compute_right",
        store=True,
        readonly=False,
        precompute=True,
        help="Owner: everything, and accepts the terms. Finance: statements, money and payouts. Sales: points, rewards "
        "and deals, and no money.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("contact_id")
    def _compute_right(self):
        for line in self:
            line.right = line.contact_id.loyalty_portal_right or "sales"

    @api.depends("contact_id")
    def _compute_has_login(self):
        for line in self:
            line.has_login = line.contact_id._has_login()

    # === BUSINESS METHODS ===#

    def _apply(self):
        """Give the contact its right.

        :raises ValidationError: where it is of another company
        """
        self.ensure_one()
        member, contact = self.wizard_id.member_id, self.contact_id
        if contact.commercial_partner_id != member.partner_id or contact == member.partner_id:
            raise ValidationError(
                self.env._(
                    "%(contact)s is no contact of %(member)s: choose one of its contacts.",
                    contact=contact.display_name,
                    member=member.partner_id.display_name,
                )
            )
        if (contact.loyalty_portal_right or "sales") == self.right:
            return
        # What contacts see in the portal is for officers to say, who need not be able to change contacts otherwise.
        contact_sudo = contact.sudo()
        contact_sudo.loyalty_portal_right = self.right
        member._message_log(
            body=self.env._(
                "%(contact)s has the right “%(right)s” in the portal.",
                contact=contact.display_name,
                right=dict(self._fields["right"]._description_selection(self.env))[self.right],
            )
        )
