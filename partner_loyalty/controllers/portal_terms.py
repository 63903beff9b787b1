from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .portal import PartnerLoyaltyPortal


class PartnerLoyaltyPortalTerms(PartnerLoyaltyPortal):
    """The terms of a program: what they say, who has accepted them when, and the button to accept them."""

    @http.route(
        ["/my/loyalty/<int:program_id>/terms", "/my/loyalty/as/<int:member_id>/terms"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_terms(self, program_id=None, member_id=None, **_kwargs):
        """Show the terms in force."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        acceptances = member_sudo.acceptance_ids
        values = {
            "page_name": "terms",
            "acceptances": acceptances,
            "acceptance": acceptances[:1],
            "can_accept": self._can_accept_terms(member_sudo),
        }
        return self._render_loyalty("partner_loyalty.portal_terms", member_sudo, values)

    @http.route("/my/loyalty/<int:program_id>/terms/accept", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_accept_terms(self, program_id, version=None, **_kwargs):
        """Accept the terms in the name of the company.

        :param str version: the one that was on the page
        """
        member_sudo = self._get_loyalty_member(program_id)
        self._require_right("owner")
        return self._answer_loyalty(member_sudo, "/terms", lambda: self._accept_terms(member_sudo, version))

    def _can_accept_terms(self, member_sudo):
        """Return whether the user can accept the terms now."""
        is_open = member_sudo.terms_state != "current" and not self._is_read_only(member_sudo)
        return is_open and self._get_loyalty_right() == "owner"

    @staticmethod
    def _accept_terms(member_sudo, version):
        """Record that the user has accepted the terms, and return what the page says then.

        :raises UserError: where the page showed another version
        """
        env = request.env
        if version != str(member_sudo.program_id.terms_version):
            raise UserError(env._("The terms have changed since you opened the page: read them again, please."))
        if member_sudo.terms_state != "current":
            # The company accepts for itself: the program notes text, version and who it was.
            acceptances_sudo = member_sudo.env["partner.loyalty.acceptance"]
            acceptances_sudo.create({"member_id": member_sudo.id, "contact_id": env.user.partner_id.id})
        return env._("Thank you: you have accepted the terms.")
