import base64
import re
from urllib.parse import urlencode

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.fields import Domain
from odoo.http import request

from ..const import MAX_INTEGER, UNITS
from .portal import PartnerLoyaltyPortal

# So many inquiries, topics and the like are on one page.
PER_PAGE = 20
MAX_PAGE = 200


class PartnerLoyaltyPortalDialog(PartnerLoyaltyPortal):
    """What a member asks, the lines it disputes, and the threads of both."""

    # === WHAT EVERY PAGE HAS ===#

    def _get_loyalty_navigation(self, member_sudo):
        return [
            *super()._get_loyalty_navigation(member_sudo),
            {"key": "inquiries", "name": request.env._("Questions"), "url": "/inquiries", "sequence": 80},
        ]

    def _render_loyalty(self, template, member_sudo, values):
        """Override: from each page a question can be asked about it."""
        page = request.httprequest.path
        ask_url = f"{self._get_loyalty_base_url(member_sudo)}/ask?{urlencode({'page': page})}"
        return super()._render_loyalty(template, member_sudo, {"ask_url": ask_url, **values})

    # === ROUTES - QUESTIONS AND DISPUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/inquiries", "/my/loyalty/as/<int:member_id>/inquiries"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_inquiries(self, program_id=None, member_id=None, page=1, **_kwargs):
        """List what the member asked, the latest first."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        # Partners have no right on questions: the domain says which ones this contact may read.
        inquiries_sudo = request.env["partner.loyalty.inquiry"].sudo()
        domain = self._get_inquiry_domain(member_sudo)
        records_sudo, pager = self._get_dialog_page(inquiries_sudo, domain, member_sudo, "/inquiries", page)
        values = {"page_name": "inquiries", "inquiries": records_sudo, "pager": pager}
        return self._render_loyalty("partner_loyalty.portal_inquiries", member_sudo, values)

    @http.route(
        [
            "/my/loyalty/<int:program_id>/inquiries/<int:inquiry_id>",
            "/my/loyalty/as/<int:member_id>/inquiries/<int:inquiry_id>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_inquiry(self, inquiry_id, program_id=None, member_id=None, **_kwargs):
        """Show a question or dispute with its thread."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        return self._show_inquiry(member_sudo, self._get_inquiry(member_sudo, inquiry_id))

    @http.route(
        ["/my/loyalty/<int:program_id>/ask", "/my/loyalty/as/<int:member_id>/ask"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
        methods=["GET"],
    )
    def loyalty_ask(self, program_id=None, member_id=None, page=None, **_kwargs):
        """Show the form that a question is asked by."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        return self._show_question(member_sudo, {"page": self._read_page(member_sudo, page)})

    @http.route("/my/loyalty/<int:program_id>/ask", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_ask_submit(self, program_id, subject=None, text=None, page=None, **_kwargs):
        """Ask a question."""
        member_sudo = self._get_loyalty_member(program_id)
        page = self._read_page(member_sudo, page)
        values = {"subject": self._read_words(subject), "text": self._read_words(text), "page": page}
        vals = {**self._prepare_inquiry_vals(member_sudo, values), **self._find_page_subject(member_sudo, page)}
        return self._ask_loyalty(member_sudo, vals, lambda error: self._show_question(member_sudo, values, error))

    @http.route(
        ["/my/loyalty/<int:program_id>/dispute", "/my/loyalty/as/<int:member_id>/dispute"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
        methods=["GET"],
    )
    def loyalty_dispute(self, program_id=None, member_id=None, line=None, unit="money", **_kwargs):
        """Show the form that a line of the statement is disputed by; where it is already, that dispute."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        entry_sudo = self._get_line(member_sudo, line, unit)
        # Whether a line is disputed does not depend on which contact asks.
        disputes_sudo = request.env["partner.loyalty.inquiry"].sudo()
        open_sudo = disputes_sudo.search([("entry_id", "=", entry_sudo.id), ("is_open", "=", True)], limit=1)
        if open_sudo and open_sudo.filtered_domain(self._get_inquiry_domain(member_sudo)):
            return request.redirect(f"{self._get_loyalty_base_url(member_sudo)}/inquiries/{open_sudo.id}")
        return self._show_dispute(member_sudo, entry_sudo, {})

    @http.route("/my/loyalty/<int:program_id>/dispute", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_dispute_submit(self, program_id, line=None, unit="money", subject=None, text=None, **_kwargs):
        """Dispute a line of the statement."""
        member_sudo = self._get_loyalty_member(program_id)
        entry_sudo = self._get_line(member_sudo, line, unit)
        values = {"subject": self._read_words(subject), "text": self._read_words(text)}
        vals = {**self._prepare_inquiry_vals(member_sudo, values), "kind": "dispute", "entry_id": entry_sudo.id}
        return self._ask_loyalty(
            member_sudo, vals, lambda error: self._show_dispute(member_sudo, entry_sudo, values, error)
        )

    @http.route(
        "/my/loyalty/<int:program_id>/inquiries/<int:inquiry_id>/answer",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_inquiry_answer(self, program_id, inquiry_id, text=None, **_kwargs):
        """Write into the thread of a question or dispute."""
        member_sudo = self._get_loyalty_member(program_id)
        inquiry_sudo = self._get_inquiry(member_sudo, inquiry_id)
        text = self._read_words(text)

        def answer():
            inquiry_sudo._write_as(request.env.user.partner_id, text, self._read_files())
            return request.env._("Sent. You will read our answer here and by mail.")

        return self._answer_loyalty(
            member_sudo,
            f"/inquiries/{inquiry_id}",
            answer,
            lambda error: self._show_inquiry(member_sudo, inquiry_sudo, {"text": text}, error),
        )

    @http.route(
        "/my/loyalty/<int:program_id>/inquiries/<int:inquiry_id>/close",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_inquiry_close(self, program_id, inquiry_id, **_kwargs):
        """Say that an answer was what the member needed."""
        member_sudo = self._get_loyalty_member(program_id)
        inquiry_sudo = self._get_inquiry(member_sudo, inquiry_id)

        def close():
            if inquiry_sudo.state == "answered":
                inquiry_sudo._set_state("closed")
            return request.env._("Thank you. Write again if something is left.")

        return self._answer_loyalty(member_sudo, f"/inquiries/{inquiry_id}", close)

    # === PAGES ===#

    def _show_form(self, template, member_sudo, values, form=None, error=None):
        """Show a page with a form, as the user has filled it in where something is wrong with it.

        :param dict form: what was entered
        :param str error: what is wrong with it
        """
        # An error that a form before has left is about something else.
        found = {"error": error} if error else {}
        return self._render_loyalty(template, member_sudo, {**values, "form": form or {}, **found})

    def _show_question(self, member_sudo, form, error=None):
        values = {"page_name": "inquiries", "promise": member_sudo.program_id._get_inquiry_promise()}
        if form.get("page"):
            values["page_text"] = request.env._("We see that you ask from the page %s.", form["page"])
        return self._show_form("partner_loyalty.portal_ask", member_sudo, values, form, error)

    def _show_dispute(self, member_sudo, entry_sudo, form, error=None):
        values = {
            "page_name": "inquiries",
            "entry": entry_sudo,
            "promise": member_sudo.program_id._get_inquiry_promise(entry_sudo),
        }
        return self._show_form("partner_loyalty.portal_dispute", member_sudo, values, form, error)

    def _show_inquiry(self, member_sudo, inquiry_sudo, form=None, error=None):
        values = {"page_name": "inquiries", "inquiry": inquiry_sudo, "posts": inquiry_sudo._get_posts()}
        return self._show_form("partner_loyalty.portal_inquiry", member_sudo, values, form, error)

    def _get_dialog_page(self, records_sudo, domain, member_sudo, url, page):
        """Return the records of one page of a list, and where the pages before and after it are.

        :param records_sudo: model
        :param Domain domain: what the user sees of it
        :param str url: what follows the base URL
        :param page: number of the page as it was sent
        :rtype: tuple
        """
        number = max(1, int(page)) if str(page).isdecimal() and len(str(page)) < 5 else 1
        # One more than is shown says whether there is a next page.
        found_sudo = records_sudo.search(domain, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
        url = f"{self._get_loyalty_base_url(member_sudo)}{url}"
        pager = {
            "newer": number > 1 and f"{url}?page={number - 1}",
            "older": len(found_sudo) > PER_PAGE and f"{url}?page={number + 1}",
        }
        return found_sudo[:PER_PAGE], pager

    # === WHAT IS ASKED FOR ===#

    def _get_inquiry_domain(self, member_sudo):
        """Return which inquiries of a member the user reads: contacts of sales those that they asked themselves.

        :rtype: Domain
        """
        domain = Domain("member_id.root_id", "=", member_sudo.id)
        if not self._sees_loyalty_money():
            domain &= Domain("contact_id", "=", request.env.user.partner_id.id) & (
                Domain("entry_id", "=", False) | Domain("entry_id.account_id.unit", "=", "point")
            )
        return domain

    def _get_inquiry(self, member_sudo, inquiry_id):
        """Return an inquiry of the member.

        :raises NotFound: where there is none that the user reads
        """
        return self._find_own("partner.loyalty.inquiry", self._get_inquiry_domain(member_sudo), inquiry_id)

    def _find_own(self, model, domain, record_id):
        """Return a record within a domain, which is what the member may read of the model.

        :raises NotFound: where there is none
        """
        # Members have no right on these models; the domain leads through the member.
        records_sudo = request.env[model].sudo()
        found_sudo = records_sudo
        if 0 < record_id < MAX_INTEGER:
            found_sudo = records_sudo.search(Domain("id", "=", record_id) & domain, limit=1)
        if not found_sudo:
            raise NotFound
        return found_sudo

    def _get_line(self, member_sudo, line, unit):
        """Return a line of the statement of the member by its number.

        :raises NotFound: where there is none
        :raises Forbidden: where it is about money, and the user does not see any
        """
        if unit not in dict(UNITS) or not str(line).isdecimal() or len(str(line)) > 9:
            raise NotFound
        if unit == "money":
            self._require_money()
        account_sudo = member_sudo._get_account(unit)
        entry_sudo = account_sudo.env["partner.loyalty.entry"].search(
            [("account_id", "=", account_sudo.id), ("sequence", "=", int(line))], limit=1
        )
        if not entry_sudo:
            raise NotFound
        return entry_sudo

    def _find_page_subject(self, member_sudo, page):
        """Return which payout or claim a page is about, as values of an inquiry.

        :rtype: dict
        """
        for name, model in (("payout", "partner.loyalty.payout"), ("claim", "partner.loyalty.claim")):
            match = re.search(rf"/{name}s/(\d{{1,9}})(/|$)", page or "")
            if match:
                domain = Domain("member_id.root_id", "=", member_sudo.id) & Domain("id", "=", int(match[1]))
                # The domain leads through the member.
                return {f"{name}_id": request.env[model].sudo().search(domain, limit=1).id}
        return {}

    # === WHAT WAS SENT ===#

    def _prepare_inquiry_vals(self, member_sudo, values):
        """Return the values of an inquiry of the user.

        :param dict values: ``subject``, ``text``, and ``page`` where there is one
        :rtype: dict
        """
        return {
            "member_id": member_sudo.id,
            "contact_id": request.env.user.partner_id.id,
            "name": values["subject"].strip(),
            "text": values["text"].strip(),
            "page": values.get("page"),
        }

    def _ask_loyalty(self, member_sudo, vals, show):
        """Write an inquiry, and show it; where something is wrong with it, show the form again.

        :param dict vals: of the inquiry
        :param show: takes the error, and shows the form
        """

        def ask():
            # Portal users ask by these pages alone.
            inquiry_sudo = request.env["partner.loyalty.inquiry"].sudo()._ask(vals, self._read_files())
            return request.env._("Sent. You will read our answer here and by mail."), f"/inquiries/{inquiry_sudo.id}"

        return self._answer_loyalty(member_sudo, "/inquiries", ask, show)

    def _read_files(self):
        """Return the files that came with a form.

        :return: pairs of name and bytes in base64
        :rtype: list[tuple]
        """
        uploads = [upload for upload in request.httprequest.files.getlist("files") if upload.filename]
        return [(upload.filename, base64.b64encode(upload.read()).decode()) for upload in uploads]

    def _read_words(self, text):
        """Return a text of a form without what no text holds."""
        return str(text or "").replace("\0", "").replace("\r\n", "\n")

    def _read_page(self, member_sudo, page):
        """Return the page that a question is asked from, where it is one of the member, or None."""
        base = self._get_loyalty_base_url(member_sudo)
        is_own = isinstance(page, str) and re.fullmatch(rf"{re.escape(base)}(/[\w/-]*)?", page)
        return page[:MAX_PAGE] if is_own else None
