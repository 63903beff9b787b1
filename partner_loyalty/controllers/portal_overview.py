from odoo import http

from .portal import PartnerLoyaltyPortal


class PartnerLoyaltyPortalOverview(PartnerLoyaltyPortal):
    """The first page of a member: where it stands, what is missing, and what comes and goes when."""

    @http.route(
        ["/my/loyalty/<int:program_id>", "/my/loyalty/as/<int:member_id>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_overview(self, program_id=None, member_id=None, **_kwargs):
        """Show the overview of a member."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        return self._render_loyalty(
            "partner_loyalty.portal_overview", member_sudo, self._prepare_overview_values(member_sudo)
        )

    def _prepare_overview_values(self, member_sudo):
        """Return what the overview shows; an area adds its own by extending it.

        :rtype: dict
        """
        units = self._get_loyalty_units()
        conditions = member_sudo._get_portal_conditions()
        return {
            "page_name": "overview",
            "conditions": conditions,
            "needed_text": member_sudo._get_portal_needed_text(conditions),
            "balances": member_sudo._get_portal_balances(units),
            "bonuses": member_sudo._get_portal_bonuses(units),
            "terms_rows": member_sudo._get_terms_on(member_sudo.program_id._get_today(), units),
            "expected": member_sudo._get_portal_expected(units),
            "unpaid_text": "money" in units and member_sudo._get_portal_unpaid_text(),
            "tiers": member_sudo.program_id._get_tiers(),
        }
