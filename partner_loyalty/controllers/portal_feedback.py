from odoo import fields, http
from odoo.fields import Domain
from odoo.http import request

from ..models.partner_loyalty_feedback import SUBJECTS
from .portal_dialog import PartnerLoyaltyPortalDialog


class PartnerLoyaltyPortalFeedback(PartnerLoyaltyPortalDialog):
    """What a member thinks of us: surveys to answer, comments, and what became of them."""

    # === WHAT EVERY PAGE HAS ===#

    def _get_loyalty_navigation(self, member_sudo):
        return [
            *super()._get_loyalty_navigation(member_sudo),
            {"key": "feedback", "name": request.env._("Your Opinion"), "url": "/feedback", "sequence": 84},
        ]

    # === ROUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/feedback", "/my/loyalty/as/<int:member_id>/feedback"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
        methods=["GET"],
    )
    def loyalty_feedback(self, program_id=None, member_id=None, page=1, **_kwargs):
        """Show what the member was asked, what it said, and what became of that."""
        return self._show_feedback(self._get_loyalty_member(program_id, member_id), page=page)

    @http.route("/my/loyalty/<int:program_id>/feedback", type="http", auth="user", website=True, methods=["POST"])
    def loyalty_feedback_submit(self, program_id, subject=None, csat=None, text=None, **_kwargs):
        """Say what the member thinks."""
        member_sudo = self._get_loyalty_member(program_id)
        values = {"subject": subject, "csat": csat, "text": self._read_words(text)}
        vals = {
            "member_id": member_sudo.id,
            "contact_id": request.env.user.partner_id.id,
            "subject": subject if subject in dict(SUBJECTS) else "program",
            "csat": int(csat) if csat in ("1", "2", "3", "4", "5") else 0,
            "text": values["text"].strip() or False,
            "date": member_sudo.program_id._get_today(),
        }

        def say():
            # Portal users say what they think by this page alone.
            request.env["partner.loyalty.feedback"].sudo().create(vals)
            return request.env._("Thank you. What becomes of it will be said here.")

        return self._answer_loyalty(
            member_sudo, "/feedback", say, lambda error: self._show_feedback(member_sudo, values, error)
        )

    # === PAGES ===#

    def _show_feedback(self, member_sudo, form=None, error=None, page=1):
        domain = Domain("member_id.root_id", "=", member_sudo.id)
        if self._get_loyalty_right() != "owner":
            domain &= Domain("contact_id", "=", request.env.user.partner_id.id)
        # Partners have no right on opinions: the domain says which ones this contact may read.
        records_sudo, pager = self._get_dialog_page(
            request.env["partner.loyalty.feedback"].sudo(), domain, member_sudo, "/feedback", page
        )
        values = {
            "page_name": "feedback",
            "feedback": records_sudo,
            "surveys": self._get_open_surveys(member_sudo),
            "subjects": request.env["partner.loyalty.feedback"]._fields["subject"]._description_selection(request.env),
            "pager": pager,
        }
        return self._show_form("partner_loyalty.portal_feedback", member_sudo, values, form, error)

    def _get_open_surveys(self, member_sudo):
        """Return the surveys that the user can answer: its own, and those of the company for the owner."""
        domain = [
            ("loyalty_member_id", "=", member_sudo.id),
            ("loyalty_purpose", "!=", False),
            ("state", "!=", "done"),
            "|",
            ("deadline", "=", False),
            ("deadline", ">", fields.Datetime.now()),
        ]
        if self._get_loyalty_right() != "owner":
            domain.append(("partner_id", "=", request.env.user.partner_id.id))
        # Whoever was asked may answer, without any right on surveys.
        return request.env["survey.user_input"].sudo().search(domain, order="id desc")
