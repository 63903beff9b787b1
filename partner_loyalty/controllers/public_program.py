from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

# What the form sends, beside its consent and the trap for robots.
TEXTS = ("company_name", "contact_name", "email", "phone", "vat", "message", "referral_code")
# Nobody types more into one of them; the model says what is too long of it.
LONGEST = 10_000


class PartnerLoyaltyPublicProgram(http.Controller):
    """The page of a program for everybody: what it offers, who is in it, and the form to apply."""

    @http.route(
        ["/loyalty/<string:key>", "/loyalty/join/<string:key>"],
        type="http",
        auth="public",
        website=True,
        readonly=True,
        sitemap=False,
    )
    def program(self, key, ref=None, thanks=None, **_kwargs):
        """Show the page.

        :param str key: id of the program, with or without words before it
        :param str ref: code of the member who sends somebody here
        :param str thanks: anything, once somebody has applied
        """
        program_sudo = self._get_program(key)
        return self._render(program_sudo, {"referral_code": (ref or "")[:50]}, is_sent=bool(thanks))

    @http.route("/loyalty/join/<string:key>/apply", type="http", auth="public", website=True, methods=["POST"])
    def apply(self, key, website_address=None, **post):
        """Take an application.

        :param str key: id of the program, with or without words before it
        :param str website_address: a field that people do not see: what fills it in is no person
        """
        program_sudo = self._get_program(key)
        if not program_sudo._is_open_for_applications():
            raise NotFound
        values = {name: str(post.get(name) or "")[:LONGEST] for name in TEXTS}
        if not website_address:
            try:
                self._apply(program_sudo, values, post)
            except UserError as error:
                return self._render(program_sudo, values, error=str(error), status=422)
        # Whether somebody has applied already, or is known, is nobody's business: the answer is always the same.
        return request.redirect(f"/loyalty/{program_sudo.id}?thanks=1", code=303)

    def _apply(self, program_sudo, values, post):
        consent = {name: post.get(name) for name in ("accepts_terms", "terms_version")}
        with request.env.cr.savepoint():
            request.env["partner.loyalty.application"]._apply(
                program_sudo, {**values, **consent, "lang": request.env.lang}, request.httprequest.remote_addr
            )

    def _get_program(self, key):
        program_sudo = request.env["partner.loyalty.program"]._get_public(key)
        if not program_sudo:
            raise NotFound
        return program_sudo

    def _render(self, program_sudo, form, error=None, is_sent=False, status=200):
        values = {
            "program": program_sudo,
            "tiers": program_sudo.tier_ids.sorted("sequence"),
            "hall_of_fame": program_sudo._get_hall_of_fame(),
            "is_open": program_sudo._is_open_for_applications(),
            "form": form,
            "error": error,
            "is_sent": is_sent,
        }
        return request.render("partner_loyalty.public_program", values, status=status)
