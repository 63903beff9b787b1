import re
from decimal import Decimal

from psycopg2 import IntegrityError
from werkzeug.exceptions import Forbidden, NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal

# An amount, once its separators are points; twelve digits before them are more than anything costs.
AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?|\.\d{1,6}")
MAX_AMOUNT_LENGTH = 30

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltyPortal(CustomerPortal):
    """The pages of a member, and what all of them need: whose they are, what the contact may see, and how they look.

    A page has two addresses: ``/my/loyalty/<program_id>/<page>`` for the contacts of the member, and
    ``/my/loyalty/as/<member_id>/<page>`` for officers, who look at it as the member does and can change nothing. What
    changes something is a POST to an address of the first form.
    """

    # === ROUTES ===#

    @http.route()
    def home(self, **kwargs):
        response = super().home(**kwargs)
        if response.is_qweb:
            response.qcontext.update(
                loyalty_members=self._get_loyalty_members(), loyalty_sees_money=self._sees_loyalty_money()
            )
        return response

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "loyalty_terms_count" in counters:
            values["loyalty_terms_count"] = len(self._get_members_to_accept_terms())
        if "loyalty_invoice_count" in counters:
            values["loyalty_invoice_count"] = len(self._get_payouts_to_invoice())
        return values

    @http.route("/my/loyalty", type="http", auth="user", website=True, readonly=True)
    def loyalty_programs(self, **_kwargs):
        """Show the programs that the company is a member of; where it is only one, go straight to it."""
        members_sudo = self._get_loyalty_members()
        if len(members_sudo) == 1:
            return request.redirect(self._get_loyalty_base_url(members_sudo))
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "loyalty_programs",
            "members": members_sudo,
            "sees_money": self._sees_loyalty_money(),
        }
        return request.render("partner_loyalty.portal_programs", values)

    # === WHOSE PAGES ===#

    def _get_loyalty_members(self):
        """Return the memberships of the user's company, ended ones as well, in programs that have left the draft.

        :rtype: ``partner.loyalty.member``, sudo
        """
        partner_sudo = request.env.user.partner_id.commercial_partner_id
        # A company sees all of its own memberships: which fields of them is up to the pages.
        members_sudo = request.env["partner.loyalty.member"].sudo()
        if not partner_sudo.active:
            return members_sudo
        return members_sudo.search(
            [
                ("partner_id", "=", partner_sudo.id),
                ("merged_into_id", "=", False),
                ("program_id.state", "!=", "draft"),
                ("program_id.active", "=", True),
            ]
        )

    def _get_loyalty_member(self, program_id=None, member_id=None):
        """Return whose page is asked for.

        :param int program_id: the member is that of the user's company in this program
        :param int member_id: the member that an officer looks at, without changing anything
        :rtype: ``partner.loyalty.member``, sudo
        :raises NotFound: where there is no such member, or the user may not see it
        """
        if member_id is not None:
            return self._get_loyalty_member_as(member_id)
        member_sudo = self._get_loyalty_members().filtered(lambda member: member.program_id.id == program_id)
        if not member_sudo:
            raise NotFound
        return member_sudo

    def _get_loyalty_member_as(self, member_id):
        """Return the member whose pages an officer looks at; see :meth:`_get_loyalty_member`."""
        member = request.env["partner.loyalty.member"].browse(member_id)
        if not request.env.user.has_group(OFFICER) or not member.exists() or not member.has_access("read"):
            raise NotFound
        if member.merged_into_id:
            raise NotFound
        # The officer may see the member, and looks at what the member sees.
        return member.with_context(loyalty_read_only=True).sudo()

    # === WHAT WAITS FOR THE PARTNER ===#

    def _get_members_to_accept_terms(self):
        """Return the memberships that are not paid until the user accepts the terms."""
        members_sudo = self._get_loyalty_members()
        return members_sudo.filtered(self._needs_terms) if self._get_loyalty_right() == "owner" else members_sudo[:0]

    def _get_payouts_to_invoice(self):
        """Return the payouts that wait for the invoice of the user's company."""
        # They are found through the user's own memberships; contacts who see no money get none.
        payouts_sudo = request.env["partner.loyalty.payout"].sudo()
        if not self._sees_loyalty_money():
            return payouts_sudo
        approved_sudo = payouts_sudo.search(
            [("member_id", "in", self._get_loyalty_members().ids), ("decision", "=", "approved")]
        )
        return approved_sudo.filtered(lambda payout: payout._waits_for_partner_invoice())

    # === RIGHTS ===#

    def _get_loyalty_right(self):
        """Return what the user may see: ``owner``, ``finance`` or ``sales``; officers look as the owner does.

        :rtype: str
        """
        user = request.env.user
        return "owner" if user.has_group(OFFICER) else user.partner_id._get_loyalty_right()

    def _sees_loyalty_money(self):
        """Return whether the user sees amounts of money, payouts and statements in money."""
        return self._get_loyalty_right() != "sales"

    def _get_loyalty_units(self):
        """Return the units that the user sees amounts of, the one that matters most first."""
        return ("money", "point") if self._sees_loyalty_money() else ("point",)

    def _require_right(self, *rights):
        """Let nobody go on but contacts with one of these rights.

        :param str rights: of ``owner``, ``finance`` and ``sales``
        :raises Forbidden: for all others
        """
        if self._get_loyalty_right() not in rights:
            raise Forbidden

    def _require_money(self):
        """Let nobody go on who does not see money.

        :raises Forbidden: for contacts of sales
        """
        self._require_right("owner", "finance")

    # === PAGES ===#

    def _get_loyalty_base_url(self, member_sudo):
        """Return where the pages of a member begin, without a slash at the end."""
        if self._is_read_only(member_sudo):
            return f"/my/loyalty/as/{member_sudo.id}"
        return f"/my/loyalty/{member_sudo.program_id.id}"

    @staticmethod
    def _is_read_only(member_sudo):
        """Return whether an officer looks at the pages of a member."""
        return bool(member_sudo.env.context.get("loyalty_read_only"))

    def _get_loyalty_navigation(self, member_sudo):
        """Return the pages that the user can go to; an area adds its own by extending it.

        :param member_sudo: whose pages they are
        :return: dicts of ``key`` (as ``page_name`` of the page), ``name`` (translated), ``url`` (what follows the base
            URL, beginning with a slash; empty for the first page) and ``sequence``
        :rtype: list[dict]
        """
        env = request.env
        items = [
            {"key": "overview", "name": env._("Overview"), "url": "", "sequence": 10},
            {"key": "statement", "name": env._("Statement"), "url": "/statement", "sequence": 20},
            {"key": "terms", "name": env._("Terms"), "url": "/terms", "sequence": 90},
        ]
        if self._sees_loyalty_money():
            items.append({"key": "payouts", "name": env._("Payouts"), "url": "/payouts", "sequence": 30})
        return items

    def _render_loyalty(self, template, member_sudo, values):
        """Show a page of a member.

        :param str template: one that calls ``partner_loyalty.portal_layout``
        :param member_sudo: whose page it is
        :param dict values: of the page; ``page_name`` is its key in the navigation
        """
        navigation = sorted(self._get_loyalty_navigation(member_sudo), key=lambda item: item["sequence"])
        page = values.get("page_name")
        return request.render(
            template,
            {
                **self._prepare_portal_layout_values(),
                "member": member_sudo,
                "program": member_sudo.program_id,
                "base_url": self._get_loyalty_base_url(member_sudo),
                "is_read_only": self._is_read_only(member_sudo),
                "needs_terms": self._needs_terms(member_sudo),
                "sees_money": self._sees_loyalty_money(),
                "right": self._get_loyalty_right(),
                "navigation": navigation,
                "page_title": next((item["name"] for item in navigation if item["key"] == page), None),
                "message": request.session.pop("loyalty_message", None),
                "error": request.session.pop("loyalty_error", None),
                **values,
                # Odoo has names of its own for its pages.
                "page_name": f"loyalty_{page}",
                "page_key": page,
            },
        )

    def _print_loyalty(self, member_sudo, page, report, record_sudo, name, data=None):
        """Print something of a member, or go to a page that says why that is not possible.

        :param member_sudo: whose it is
        :param str page: what follows the base URL
        :param str report: XML id of the report
        :param record_sudo: what is printed
        :param str name: of the file, without its ending
        :param dict data: what else the report needs
        """
        try:
            # Whose it is has been looked up; reports themselves are for employees.
            reports_sudo = record_sudo.env["ir.actions.report"]
            content, _type = reports_sudo._render_qweb_pdf(report, record_sudo.ids, data=data)
        except UserError as error:
            return self._refuse_loyalty(member_sudo, page, str(error))
        # A number may have slashes, which no name of a file has.
        name = name.replace("/", "-")
        headers = [
            ("Content-Type", "application/pdf"),
            ("Content-Length", len(content)),
            ("Content-Disposition", content_disposition(f"{name}.pdf")),
        ]
        return request.make_response(content, headers)

    def _refuse_loyalty(self, member_sudo, page, text):
        """Go to a page that says why something is not possible.

        :param str page: what follows the base URL
        :param str text: a sentence for the user
        """
        request.session["loyalty_error"] = text
        return request.redirect(f"{self._get_loyalty_base_url(member_sudo)}{page}", code=303)

    def _get_refusal_text(self, error):
        """Return an error in words; that of a constraint of the database as its model says it."""
        if isinstance(error, UserError):
            return str(error)
        names = (name for name, model in request.env.registry.items() if model._table == error.diag.table_name)
        return request.env[next(names, "base")]._sql_error_to_message(error)

    @staticmethod
    def _needs_terms(member_sudo):
        """Return whether a member is not paid until somebody of it accepts the terms."""
        return member_sudo.program_id.payout_needs_terms and member_sudo.terms_state != "current"

    # === ANSWERS TO FORMS ===#

    @staticmethod
    def _read_amount(text):
        """Return an amount as people write it, with a comma or a point, or None where it is none.

        :rtype: Decimal
        """
        digits = "".join(str(text or "").split())[:MAX_AMOUNT_LENGTH]
        whole, _separator, decimals = digits.replace(",", ".").rpartition(".")
        number = f"{whole.replace('.', '')}.{decimals}" if whole else digits.replace(",", ".")
        if not AMOUNT.fullmatch(number):
            return None
        return Decimal(number)

    def _answer_loyalty(self, member_sudo, page, action, show=None):
        """Do what a form asks for, and go to a page that says what came of it.

        :param member_sudo: whose page it is
        :param str page: what follows the base URL, such as ``/payouts/7``
        :param action: does it, and returns a sentence for the user, or None; with it the page to go to, where that is
            another one; what is refused is undone
        :param show: takes the reason of a refusal and answers with it; the page says it by default
        """
        try:
            with request.env.cr.savepoint():
                done = action()
        except (UserError, IntegrityError) as error:
            reason = self._get_refusal_text(error)
            return show(reason) if show else self._refuse_loyalty(member_sudo, page, reason)
        message, target = done if isinstance(done, tuple) else (done, page)
        request.session["loyalty_message"] = message
        return request.redirect(f"{self._get_loyalty_base_url(member_sudo)}{target}", code=303)
