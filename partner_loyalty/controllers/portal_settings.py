from odoo import http
from odoo.http import request

from ..models.partner_loyalty_message_setting import MONEY_KINDS
from .portal import PartnerLoyaltyPortal


class PartnerLoyaltyPortalSettings(PartnerLoyaltyPortal):
    """What a member is written to about, and who reads its name."""

    @http.route(
        ["/my/loyalty/<int:program_id>/settings", "/my/loyalty/as/<int:member_id>/settings"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_settings(self, program_id=None, member_id=None, **_kwargs):
        """Show the switches."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        values = {
            "page_name": "settings",
            "kinds": self._get_message_kinds(member_sudo),
            "can_change": not self._is_read_only(member_sudo) and self._get_loyalty_right() == "owner",
        }
        return self._render_loyalty("partner_loyalty.portal_settings", member_sudo, values)

    @http.route("/my/loyalty/<int:program_id>/settings/save", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_save_settings(self, program_id, is_named_in_public=None, **post):
        """Set the switches: for each kind that is written about, whether the member wants it.

        :param str is_named_in_public: anything, where everybody may read the name
        """
        member_sudo = self._get_loyalty_member(program_id)
        self._require_right("owner")
        wanted = {kind["key"] for kind in self._get_message_kinds(member_sudo) if post.get(f"kind_{kind['key']}")}
        is_named = bool(is_named_in_public)
        return self._answer_loyalty(
            member_sudo, "/settings", lambda: self._save_settings(member_sudo, wanted, is_named)
        )

    def _save_settings(self, member_sudo, wanted, is_named):
        shown = {kind["key"] for kind in self._get_message_kinds(member_sudo)}
        kept = {kind for kind in member_sudo.muted_kinds or () if kind not in shown}
        member_sudo._mute(kept | (shown - wanted))
        if member_sudo.program_id.is_public and member_sudo.is_named_in_public != is_named:
            member_sudo.is_named_in_public = is_named
        return request.env._("Your settings are saved.")

    def _get_message_kinds(self, member_sudo):
        """Return what the program writes about and the user may read: ``key``, ``name`` and ``is_on``.

        :rtype: list[dict]
        """
        program_sudo = member_sudo.program_id
        settings_sudo = program_sudo.message_setting_ids.filtered("is_active")
        labels = dict(settings_sudo._fields["kind"]._description_selection(request.env))
        keys = [*settings_sudo.mapped("kind"), *(["tier"] if program_sudo.tier_mails else [])]
        return [
            {"key": key, "name": labels[key], "is_on": key not in (member_sudo.muted_kinds or ())}
            for key in keys
            if self._sees_loyalty_money() or key not in MONEY_KINDS
        ]

    def _get_loyalty_navigation(self, member_sudo):
        item = {"key": "settings", "name": request.env._("Settings"), "url": "/settings", "sequence": 100}
        return [*super()._get_loyalty_navigation(member_sudo), item]
