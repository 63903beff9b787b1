from werkzeug.exceptions import NotFound

from odoo import http
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.portal.controllers import portal

from .portal_form import PartnerLoyaltyPortalForm

NEWS_PER_PAGE = 20


class PartnerLoyaltyPortalNews(PartnerLoyaltyPortalForm):
    """What a company tells the members of a program; each contact has its own marks of what it has read."""

    # === ROUTES ===#

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "loyalty_news_count" in counters:
            values["loyalty_news_count"] = sum(
                len(self._get_unread(self._get_news_model().search(self._get_news_domain(member_sudo))))
                for member_sudo in self._get_loyalty_members()
            )
        return values

    @http.route(
        [
            "/my/loyalty/<int:program_id>/news",
            "/my/loyalty/<int:program_id>/news/page/<int:page>",
            "/my/loyalty/as/<int:member_id>/news",
            "/my/loyalty/as/<int:member_id>/news/page/<int:page>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_news_list(self, program_id=None, member_id=None, page=1, **_kwargs):
        """Show the news, the latest first."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        news_sudo, domain = self._get_news_model(), self._get_news_domain(member_sudo)
        pager = portal.pager(
            url=f"{self._get_loyalty_base_url(member_sudo)}/news",
            total=news_sudo.search_count(domain),
            page=page,
            step=NEWS_PER_PAGE,
        )
        news_sudo = news_sudo.search(domain, limit=NEWS_PER_PAGE, offset=pager["offset"])
        values = {
            "page_name": "news",
            "news": news_sudo,
            "unread": self._get_unread(news_sudo),
            "pager": pager,
        }
        return self._render_loyalty("partner_loyalty.portal_news_list", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/news/<int:news_id>", "/my/loyalty/as/<int:member_id>/news/<int:news_id>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_news(self, news_id, program_id=None, member_id=None, **_kwargs):
        """Show one of the news."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        news_sudo = self._get_loyalty_news(member_sudo, news_id)
        values = {"page_name": "news", "item": news_sudo, "unread": self._get_unread(news_sudo)}
        return self._render_loyalty("partner_loyalty.portal_news", member_sudo, values)

    @http.route(
        "/my/loyalty/<int:program_id>/news/<int:news_id>/read", type="http", auth="user", website=True, methods=["POST"]
    )
    def loyalty_read_news(self, program_id, news_id, **_form):
        """Mark one of the news as read by the contact, and show it."""
        member_sudo = self._get_loyalty_member(program_id)
        self._get_loyalty_news(member_sudo, news_id)._mark_read(request.env.user.partner_id)
        return request.redirect(f"{self._get_loyalty_base_url(member_sudo)}/news/{news_id}", code=303)

    @http.route("/my/loyalty/<int:program_id>/news/read", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_read_all_news(self, program_id, **form):
        """Mark all news as read by the contact."""
        member_sudo = self._get_loyalty_member(program_id)

        def read():
            news_sudo = self._get_news_model().search(self._get_news_domain(member_sudo))
            news_sudo._mark_read(request.env.user.partner_id)
            return None, "/news"

        return self._answer_loyalty_form(member_sudo, "/news", read, form)

    # === NAVIGATION ===#

    def _get_loyalty_navigation(self, member_sudo):
        items = super()._get_loyalty_navigation(member_sudo)
        news_sudo = self._get_news_model().search(self._get_news_domain(member_sudo))
        unread = len(self._get_unread(news_sudo))
        item = {"key": "news", "name": request.env._("News"), "url": "/news", "sequence": 65}
        return [*items, {**item, "count": unread}]

    # === WHOSE PAGES ===#

    def _get_news_model(self):
        # Members have no right on news: which of them they read is said by the domain.
        return request.env["partner.loyalty.news"].sudo()

    def _get_news_domain(self, member_sudo):
        """Return which news a member can read."""
        return self._get_news_model()._get_member_domain(member_sudo)

    def _get_loyalty_news(self, member_sudo, news_id):
        """Return one of the news that a member can read.

        :raises NotFound: where it cannot
        """
        domain = self._get_news_domain(member_sudo) & Domain("id", "=", news_id)
        news_sudo = self._get_news_model().search(domain)
        if not news_sudo:
            raise NotFound
        return news_sudo

    def _get_unread(self, news_sudo):
        """Return what the contact has not read; officers who look as the member does have read nothing."""
        return news_sudo._get_unread(request.env.user.partner_id)
