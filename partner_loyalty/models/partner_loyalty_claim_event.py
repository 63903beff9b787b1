from odoo import fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyClaimEvent(models.AbstractModel):
    """Claims that are seats at an event: whether an invitation is declined, and who was there."""

    _name = "partner.loyalty.claim.event"
    _description = "Event Claimed"

    # === FIELDS ===#

    attendance = fields.Selection(selection=[("yes", "Attended"), ("no", "Did Not Attend")], readonly=True, copy=False)

    # === ACTION METHODS ===#

    def action_decline(self, reason=None):
        """Note that members do not come to what they were invited to.

        :param str reason: what they said
        :raises UserError: where somebody was not invited, or has answered already
        """
        self.check_access("write")
        invitations = self._get_in("draft")
        asked = invitations.filtered(lambda claim: claim.source != "invitation")
        if asked:
            raise UserError(
                self.env._("%s is no invitation that could be declined: cancel it instead.", asked._get_names())
            )
        reason = invitations._read_reason(reason)
        invitations._set_decision("canceled", cancel_reason=reason, **invitations._prepare_decision_vals())

    def action_attend(self):
        """Note that members were at the event."""
        self._set_attendance("yes")

    def action_miss(self):
        """Note that members were not at the event; the seat was theirs all the same."""
        self._set_attendance("no")

    # === BUSINESS METHODS ===#

    def _send_event_invitations(self):
        """Send an e-mail to the company of each member that has an address, with the next mails that Odoo sends."""
        # Templates and partners are read by the program, whoever invites.
        reachable_sudo = self.sudo().filtered("partner_id.email")
        template = self.env.ref("partner_loyalty.mail_template_invitation", raise_if_not_found=False)
        if template and reachable_sudo:
            template.sudo().send_mail_batch(reachable_sudo.ids, force_send=False)

    def _set_attendance(self, attendance):
        self.check_access("write")
        claims = self._get_in("approved")
        others = claims.filtered(lambda claim: claim.kind != "event")
        if others:
            raise UserError(self.env._("%s is no seat at an event: fulfill it instead.", others._get_names()))
        # Who was there is set by the buttons alone.
        claims.sudo().attendance = attendance
        claims._fulfill()
