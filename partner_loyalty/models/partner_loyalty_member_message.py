from odoo import fields, models


class PartnerLoyaltyMemberMessage(models.AbstractModel):
    """What a member is written to about, and what it has switched off."""

    _name = "partner.loyalty.member.message"
    _description = "Messages to a Member"

    # === FIELDS ===#

    muted_kinds = fields.Json(
        readonly=True,
        copy=False,
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="Kinds of messages that the member has switched off.",
    )

    # === BUSINESS METHODS ===#

    def _mute(self, kinds):
        """Set what the member does not want to be written about.

        :param kinds: values of ``partner.loyalty.message.setting.kind``
        """
        self.muted_kinds = sorted(set(kinds)) or False

    def _get_reachable(self):
        """Return who of each member can be written to: the company, and its contacts who log in, with an address.

        :return: ``res.partner`` by the partner of the member, sudo
        :rtype: dict
        """
        # Who has a login, and which right, is no secret of what is written.
        partners_sudo = self.sudo().partner_id
        users_sudo = partners_sudo.env["res.users"].search(
            [("share", "=", True), ("partner_id.commercial_partner_id", "in", partners_sudo.ids)]
        )
        (partners_sudo | users_sudo.partner_id).fetch(["email", "commercial_partner_id", "loyalty_portal_right"])
        contacts = users_sudo.partner_id.grouped("commercial_partner_id")
        return {
            partner: (partner | contacts.get(partner, partner.browse())).filtered("email") for partner in partners_sudo
        }

    def _hears_of(self, kind):
        """Return those who have not switched a kind of message off."""
        return self.filtered(lambda member: kind not in (member.muted_kinds or ()))
