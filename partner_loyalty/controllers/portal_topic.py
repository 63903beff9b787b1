from odoo import http
from odoo.http import request

from .portal_dialog import PartnerLoyaltyPortalDialog


class PartnerLoyaltyPortalTopic(PartnerLoyaltyPortalDialog):
    """What members talk about with each other."""

    # === WHAT EVERY PAGE HAS ===#

    def _get_loyalty_navigation(self, member_sudo):
        return [
            *super()._get_loyalty_navigation(member_sudo),
            {"key": "topics", "name": request.env._("Discussions"), "url": "/discussions", "sequence": 88},
        ]

    # === ROUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/discussions", "/my/loyalty/as/<int:member_id>/discussions"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
        methods=["GET"],
    )
    def loyalty_topics(self, program_id=None, member_id=None, page=1, **_kwargs):
        """List what members talk about, the latest first."""
        return self._show_topics(self._get_loyalty_member(program_id, member_id), page=page)

    @http.route("/my/loyalty/<int:program_id>/discussions", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_topic_submit(self, program_id, subject=None, text=None, **_kwargs):
        """Begin a topic, which an officer publishes."""
        member_sudo = self._get_loyalty_member(program_id)
        values = {"subject": self._read_words(subject), "text": self._read_words(text)}

        def begin():
            # Portal users write by these pages alone, so that nobody is named who did not agree.
            topics_sudo = request.env["partner.loyalty.topic"].sudo()
            topics_sudo._begin(member_sudo, request.env.user.partner_id, values["subject"], values["text"])
            return request.env._("Sent. Others read it once we have published it.")

        return self._answer_loyalty(
            member_sudo, "/discussions", begin, lambda error: self._show_topics(member_sudo, values, error)
        )

    @http.route(
        [
            "/my/loyalty/<int:program_id>/discussions/<int:topic_id>",
            "/my/loyalty/as/<int:member_id>/discussions/<int:topic_id>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
        methods=["GET"],
    )
    def loyalty_topic(self, topic_id, program_id=None, member_id=None, **_kwargs):
        """Show a topic with what members wrote."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        return self._show_topic(member_sudo, self._get_topic(member_sudo, topic_id))

    @http.route(
        "/my/loyalty/<int:program_id>/discussions/<int:topic_id>",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_topic_answer(self, program_id, topic_id, text=None, **_kwargs):
        """Write into a topic."""
        member_sudo = self._get_loyalty_member(program_id)
        topic_sudo = self._get_topic(member_sudo, topic_id)
        text = self._read_words(text)

        def answer():
            topic_sudo._write_as(member_sudo, request.env.user.partner_id, text)

        return self._answer_loyalty(
            member_sudo,
            f"/discussions/{topic_id}",
            answer,
            lambda error: self._show_topic(member_sudo, topic_sudo, {"text": text}, error),
        )

    # === PAGES ===#

    def _show_topics(self, member_sudo, form=None, error=None, page=1):
        # Partners have no right on discussions: the domain says which ones this member may read.
        topics_sudo = request.env["partner.loyalty.topic"].sudo()
        domain = topics_sudo._get_visible_domain(member_sudo)
        records_sudo, pager = self._get_dialog_page(topics_sudo, domain, member_sudo, "/discussions", page)
        values = {"page_name": "topics", "topics": records_sudo, "pager": pager}
        return self._show_form("partner_loyalty.portal_topics", member_sudo, values, form, error)

    def _show_topic(self, member_sudo, topic_sudo, form=None, error=None):
        values = {"page_name": "topics", "topic": topic_sudo, "posts": topic_sudo._get_posts(member_sudo)}
        return self._show_form("partner_loyalty.portal_topic", member_sudo, values, form, error)

    def _get_topic(self, member_sudo, topic_id):
        """Return a topic that the member reads.

        :raises NotFound: where there is none
        """
        domain = request.env["partner.loyalty.topic"]._get_visible_domain(member_sudo)
        return self._find_own("partner.loyalty.topic", domain, topic_id)
