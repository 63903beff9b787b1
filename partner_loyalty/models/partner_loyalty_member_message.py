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

    def _hears_of(self, kind):
        """Return those who have not switched a kind of message off."""
        return self.filtered(lambda member: kind not in (member.muted_kinds or ()))
