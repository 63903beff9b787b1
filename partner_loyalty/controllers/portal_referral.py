from werkzeug.urls import url_encode

from odoo import http
from odoo.http import request

from .portal_form import PartnerLoyaltyPortalForm

REFERRAL_RIGHTS = ("owner", "sales")

# Members who came that one page shows.
REFERRED_SHOWN = 200


class PartnerLoyaltyPortalReferral(PartnerLoyaltyPortalForm):
    """The link by which a member brings others, and who came by it."""

    # === ROUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/referrals", "/my/loyalty/as/<int:member_id>/referrals"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_referrals(self, program_id=None, member_id=None, **_kwargs):
        """Show link and code, and who came."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        self._require_right(*REFERRAL_RIGHTS)
        url = self._get_referral_url(member_sudo)
        values = {
            "page_name": "referrals",
            "url": url,
            "shares": self._prepare_shares(member_sudo, url) if url else [],
            "referred": member_sudo.referred_ids.filtered(lambda member: not member.merged_into_id).sorted(
                "date_from", reverse=True
            )[:REFERRED_SHOWN],
        }
        return self._render_loyalty("partner_loyalty.portal_referrals", member_sudo, values)

    # === NAVIGATION ===#

    def _get_loyalty_navigation(self, member_sudo):
        items = super()._get_loyalty_navigation(member_sudo)
        if self._get_loyalty_right() not in REFERRAL_RIGHTS:
            return items
        return [*items, {"key": "referrals", "name": request.env._("Recommend"), "url": "/referrals", "sequence": 60}]

    # === LINK ===#

    def _get_referral_url(self, member_sudo):
        """Return the address that a member passes on; None where strangers read nothing of the program."""
        if not member_sudo.program_id.is_public:
            return None
        code = url_encode({"ref": member_sudo.referral_code})
        return f"{member_sudo.get_base_url()}/loyalty/join/{member_sudo.program_id.id}?{code}"

    def _prepare_shares(self, member_sudo, url):
        """Return how the link can be passed on, by links alone: nobody else runs anything on our page.

        :return: dicts of ``name``, ``icon`` and ``url``
        :rtype: list[dict]
        """
        program = member_sudo.program_id.name
        text = request.env._("Join “%(program)s” with us: %(url)s", program=program, url=url)
        subject = request.env._("Join “%s” with us", program)
        telegram = url_encode({"url": url, "text": subject})
        mail = url_encode({"subject": subject, "body": text}).replace("+", "%20")
        return [
            {"name": "WhatsApp", "icon": "fa-whatsapp", "url": f"https://wa.me/?{url_encode({'text': text})}"},
            {"name": "Telegram", "icon": "fa-telegram", "url": f"https://t.me/share/url?{telegram}"},
            {"name": "Viber", "icon": "fa-phone", "url": f"viber://forward?{url_encode({'text': text})}"},
            {"name": request.env._("E-mail"), "icon": "fa-envelope-o", "url": f"mailto:?{mail}"},
        ]
