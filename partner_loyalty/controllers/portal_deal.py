from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.portal.controllers import portal

from .portal_form import PartnerLoyaltyPortalForm

DEAL_RIGHTS = ("owner", "sales")

# What of the form goes to the deal as it was typed.
DEAL_TEXTS = ("name", "customer_name", "contact_name", "date_deadline", "description")

DEALS_PER_PAGE = 20


class PartnerLoyaltyPortalDeal(PartnerLoyaltyPortalForm):
    """The deals of a member: who comes first has the customer protected."""

    # === ROUTES ===#

    @http.route(
        [
            "/my/loyalty/<int:program_id>/deals",
            "/my/loyalty/<int:program_id>/deals/page/<int:page>",
            "/my/loyalty/as/<int:member_id>/deals",
            "/my/loyalty/as/<int:member_id>/deals/page/<int:page>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_deals(self, program_id=None, member_id=None, page=1, **_kwargs):
        """Show the deals of a member, page by page."""
        member_sudo = self._get_deal_member(program_id, member_id)
        # Members have no right on deals; these are their own.
        deals_sudo, domain = request.env["partner.loyalty.deal"].sudo(), self._get_deals_domain(member_sudo)
        pager = portal.pager(
            url=f"{self._get_loyalty_base_url(member_sudo)}/deals",
            total=deals_sudo.search_count(domain),
            page=page,
            step=DEALS_PER_PAGE,
        )
        deals_sudo = deals_sudo.search(domain, limit=DEALS_PER_PAGE, offset=pager["offset"])
        values = {"page_name": "deals", "deals": deals_sudo, "pager": pager}
        return self._render_loyalty("partner_loyalty.portal_deals", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/deals/new", "/my/loyalty/as/<int:member_id>/deals/new"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_new_deal(self, program_id=None, member_id=None, **_kwargs):
        """Show the form that registers a deal."""
        member_sudo = self._get_deal_member(program_id, member_id)
        typed = self._pop_loyalty_form("/deals/new")
        values = {"page_name": "deals", "typed": typed, "token": self._make_token()}
        return self._render_loyalty("partner_loyalty.portal_deal_form", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/deals/<int:deal_id>", "/my/loyalty/as/<int:member_id>/deals/<int:deal_id>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_deal(self, deal_id, program_id=None, member_id=None, **_kwargs):
        """Show one deal: how far it is, and until when its customer is protected."""
        member_sudo = self._get_deal_member(program_id, member_id)
        deal_sudo = self._get_loyalty_deal(member_sudo, deal_id)
        values = {
            "page_name": "deals",
            "deal": deal_sudo,
            "can_ask_price": self._can_ask_price(deal_sudo),
            "typed": self._pop_loyalty_form(f"/deals/{deal_sudo.id}"),
        }
        return self._render_loyalty("partner_loyalty.portal_deal", member_sudo, values)

    @http.route("/my/loyalty/<int:program_id>/deals/register", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_register_deal(self, program_id, **form):
        """Register a deal, with the special price that it needs."""
        member_sudo = self._get_deal_member(program_id)

        def register():
            if member_sudo.state != "active":
                raise UserError(request.env._("Your membership is not active: deals can be registered by members."))
            # Members have no right on deals: what they may say is in the form, and a manager decides on it.
            deal_sudo = self._find_sent("partner.loyalty.deal", member_sudo, form)
            if not deal_sudo:
                deal_sudo = deal_sudo.create(self._prepare_deal_vals(member_sudo, form))
                deal_sudo.action_submit()
            message = request.env._("“%s” is registered: we will tell you as soon as it is approved.", deal_sudo.name)
            return message, f"/deals/{deal_sudo.id}"

        return self._answer_loyalty_form(member_sudo, "/deals/new", register, form)

    @http.route(
        "/my/loyalty/<int:program_id>/deals/<int:deal_id>/cancel",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_cancel_deal(self, program_id, deal_id, **form):
        """Withdraw a deal that nobody has approved yet."""
        member_sudo = self._get_deal_member(program_id)
        deal_sudo = self._get_loyalty_deal(member_sudo, deal_id)

        def cancel():
            if deal_sudo.state != "submitted":
                raise UserError(
                    request.env._("“%s” cannot be withdrawn here any more: ask us instead.", deal_sudo.name)
                )
            deal_sudo.action_cancel()
            return request.env._("“%s” is withdrawn.", deal_sudo.name), "/deals"

        return self._answer_loyalty_form(member_sudo, f"/deals/{deal_sudo.id}", cancel, form)

    @http.route(
        "/my/loyalty/<int:program_id>/deals/<int:deal_id>/price",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_ask_price(self, program_id, deal_id, **form):
        """Ask for a special price for a deal that is registered already."""
        member_sudo = self._get_deal_member(program_id)
        deal_sudo = self._get_loyalty_deal(member_sudo, deal_id)

        def ask():
            if not self._can_ask_price(deal_sudo):
                raise UserError(request.env._("A special price of “%s” is being decided on already.", deal_sudo.name))
            deal_sudo.write(self._prepare_price_vals(form))
            if not deal_sudo.price_discount:
                raise UserError(request.env._("Enter how many percent you need."))
            deal_sudo._ask_for_price()
            return request.env._("We will decide on the price and tell you here."), f"/deals/{deal_sudo.id}"

        return self._answer_loyalty_form(member_sudo, f"/deals/{deal_sudo.id}", ask, form)

    # === NAVIGATION ===#

    def _get_loyalty_navigation(self, member_sudo):
        items = super()._get_loyalty_navigation(member_sudo)
        if self._get_loyalty_right() not in DEAL_RIGHTS:
            return items
        return [*items, {"key": "deals", "name": request.env._("Deals"), "url": "/deals", "sequence": 50}]

    # === WHOSE PAGES ===#

    def _get_deal_member(self, program_id=None, member_id=None):
        """Return whose page is asked for, where the contact has to do with deals.

        :raises Forbidden: where it has not
        """
        member_sudo = self._get_loyalty_member(program_id, member_id)
        self._require_right(*DEAL_RIGHTS)
        return member_sudo

    def _get_deals_domain(self, member_sudo):
        """Return which deals a contact sees: those of its company, but for drafts that somebody is still writing.

        :rtype: Domain
        """
        return Domain("member_id.root_id", "=", member_sudo.id) & Domain("state", "!=", "draft")

    def _get_loyalty_deal(self, member_sudo, deal_id):
        """Return a deal of a member.

        :raises NotFound: where there is no such deal
        """
        # Members have no right on deals; this is their own.
        deals_sudo = request.env["partner.loyalty.deal"].sudo()
        deal_sudo = deals_sudo.search(self._get_deals_domain(member_sudo) & Domain("id", "=", deal_id))
        if not deal_sudo:
            raise NotFound
        return deal_sudo

    # === WHAT IS ASKED FOR ===#

    @staticmethod
    def _can_ask_price(deal_sudo):
        """Return whether a special price can be asked for: one that was decided on can be asked for anew."""
        return deal_sudo.state in ("submitted", "approved") and deal_sudo.price_state != "requested"

    def _prepare_deal_vals(self, member_sudo, form):
        """Return the values of a deal that a contact registers: what it may say, and nothing else.

        :param dict form: what was sent
        """
        vals = {name: self._read_text(form, name) or False for name in DEAL_TEXTS}
        return {
            **vals,
            "name": vals["name"] or vals["customer_name"],
            "member_id": member_sudo.id,
            "request_token": self._read_token(form),
            "expected_amount": self._read_number(form, "expected_amount"),
            **self._prepare_price_vals(form),
        }

    def _prepare_price_vals(self, form):
        """Return the values of a special price that is asked for."""
        return {
            "price_discount": self._read_number(form, "price_discount"),
            "price_reason": self._read_text(form, "price_reason") or False,
        }
