from werkzeug.exceptions import NotFound

from odoo import fields, http
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..models.partner_loyalty_payout_bill import MAX_INVOICE_SIZE
from .portal import PartnerLoyaltyPortal

PAGE_SIZE = 20
# So many lines of a payout are on its page; all are in the PDF.
MAX_LINES = 50
MAX_TEXT = 64
PDF = "partner_loyalty.partner_loyalty_payout_report_action"


class PartnerLoyaltyPortalPayout(PartnerLoyaltyPortal):
    """The payouts of a member, for contacts who see money: where each one is, what it is made of, and its invoice."""

    # === ROUTES ===#

    @http.route(
        [
            "/my/loyalty/<int:program_id>/payouts",
            "/my/loyalty/<int:program_id>/payouts/page/<int:page>",
            "/my/loyalty/as/<int:member_id>/payouts",
            "/my/loyalty/as/<int:member_id>/payouts/page/<int:page>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_payouts(self, program_id=None, member_id=None, page=1, **_kwargs):
        """Show the payouts of a member, the latest first."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        self._require_money()
        payouts_sudo = self._get_loyalty_payouts(member_sudo)
        base_url = self._get_loyalty_base_url(member_sudo)
        pager = portal_pager(f"{base_url}/payouts", len(payouts_sudo), page=page, step=PAGE_SIZE)
        values = {
            "page_name": "payouts",
            "payouts": payouts_sudo[pager["offset"] : pager["offset"] + PAGE_SIZE],
            "pager": pager,
            "available": member_sudo.money_available,
        }
        return self._render_loyalty("partner_loyalty.portal_payouts", member_sudo, values)

    @http.route(
        [
            "/my/loyalty/<int:program_id>/payouts/<int:payout_id>",
            "/my/loyalty/as/<int:member_id>/payouts/<int:payout_id>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_payout(self, payout_id, program_id=None, member_id=None, **_kwargs):
        """Show a payout with its lines."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        payout_sudo = self._get_loyalty_payout(member_sudo, payout_id)
        values = {"page_name": "payouts", **self._prepare_payout_values(member_sudo, payout_sudo)}
        return self._render_loyalty("partner_loyalty.portal_payout", member_sudo, values)

    @http.route(
        [
            "/my/loyalty/<int:program_id>/payouts/<int:payout_id>/pdf",
            "/my/loyalty/as/<int:member_id>/payouts/<int:payout_id>/pdf",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_payout_pdf(self, payout_id, program_id=None, member_id=None, **_kwargs):
        """Print a payout."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        payout_sudo = self._get_loyalty_payout(member_sudo, payout_id)
        name = payout_sudo._get_report_base_filename()
        return self._print_loyalty(member_sudo, f"/payouts/{payout_id}", PDF, payout_sudo, name)

    @http.route(
        "/my/loyalty/<int:program_id>/payouts/<int:payout_id>/invoice",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_payout_invoice(self, program_id, payout_id, **form):
        """Take the invoice of the partner for a payout.

        :param form: ``invoice_number``, ``invoice_date``, ``invoice_amount`` and the file ``invoice_file``
        """
        member_sudo = self._get_loyalty_member(program_id)
        payout_sudo = self._get_loyalty_payout(member_sudo, payout_id)
        page = f"/payouts/{payout_id}"
        return self._answer_loyalty(member_sudo, page, lambda: self._take_invoice(payout_sudo, form))

    # === PAYOUTS ===#

    def _get_loyalty_payouts(self, member_sudo):
        """Return the payouts of a member that were submitted, the latest first."""
        return member_sudo.env["partner.loyalty.payout"].search(
            [("member_id", "=", member_sudo.id), ("decision", "!=", "draft")]
        )

    def _get_loyalty_payout(self, member_sudo, payout_id):
        """Return a payout of a member, for a user who sees money.

        :raises NotFound: where the member has no such payout
        :raises Forbidden: where the user sees no money
        """
        self._require_money()
        payout_sudo = self._get_loyalty_payouts(member_sudo).filtered(lambda payout: payout.id == payout_id)
        if not payout_sudo:
            raise NotFound
        return payout_sudo

    def _prepare_payout_values(self, member_sudo, payout_sudo):
        """Return what the page of a payout shows.

        :rtype: dict
        """
        account, first, last = payout_sudo._get_statement_range()
        lines = member_sudo.env["partner.loyalty.entry"].search(
            [("account_id", "=", account.id), ("sequence", ">", first), ("sequence", "<=", last)],
            order="sequence desc",
            limit=MAX_LINES + 1,
        )
        number = payout_sudo.bank_account or ""
        return {
            "payout": payout_sudo,
            "lines": lines[:MAX_LINES],
            "is_more": len(lines) > MAX_LINES,
            "today": member_sudo.program_id._get_today(),
            # Enough to know which account it is, and no more.
            "hidden_account": f"…{number[-4:]}",
            "takes_invoice": payout_sudo._takes_partner_invoice() and not self._is_read_only(member_sudo),
        }

    def _take_invoice(self, payout_sudo, form):
        """Take the invoice as the form says, and return what the page says then."""
        try:
            day = fields.Date.to_date(form.get("invoice_date") or None)
        except ValueError:
            day = None
        upload = form.get("invoice_file")
        filename = getattr(upload, "filename", "") or ""
        # What is too large is not read to its end.
        content = upload.read(MAX_INVOICE_SIZE + 1) if filename else b""
        payout_sudo._take_partner_invoice(
            (form.get("invoice_number") or "").replace("\0", "").strip()[:MAX_TEXT],
            day,
            self._read_amount(form.get("invoice_amount")),
            filename.replace("\0", ""),
            content,
        )
        return request.env._("Thank you: your invoice has arrived.")
