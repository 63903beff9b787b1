import base64

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.http import request
from odoo.tools import formatLang

from odoo.addons.portal.controllers import portal

from ..tools.files import MAX_FILE_SIZE
from .portal_reward import KIND_ICONS, REWARD_RIGHTS, PartnerLoyaltyPortalReward

# Claims on one page.
CLAIMS_PER_PAGE = 20


class PartnerLoyaltyPortalClaim(PartnerLoyaltyPortalReward):
    """What a member has asked for or was given: how far it is, and what it answers."""

    # === ROUTES ===#

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "loyalty_claim_count" in counters:
            values["loyalty_claim_count"] = self._count_waiting_claims()
        return values

    @http.route(
        [
            "/my/loyalty/<int:program_id>/claims",
            "/my/loyalty/<int:program_id>/claims/page/<int:page>",
            "/my/loyalty/as/<int:member_id>/claims",
            "/my/loyalty/as/<int:member_id>/claims/page/<int:page>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_claims(self, program_id=None, member_id=None, page=1, **_kwargs):
        """Show what the member has asked for and got, page by page."""
        member_sudo = self._get_reward_member(program_id, member_id)
        # Members have no right on claims; these are their own.
        claims_sudo, domain = request.env["partner.loyalty.claim"].sudo(), self._get_claims_domain(member_sudo)
        pager = portal.pager(
            url=f"{self._get_loyalty_base_url(member_sudo)}/claims",
            total=claims_sudo.search_count(domain),
            page=page,
            step=CLAIMS_PER_PAGE,
        )
        claims_sudo = claims_sudo.search(domain, limit=CLAIMS_PER_PAGE, offset=pager["offset"])
        values = {"page_name": "rewards", "claims": claims_sudo, "pager": pager}
        return self._render_loyalty("partner_loyalty.portal_claims", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/claims/<int:claim_id>", "/my/loyalty/as/<int:member_id>/claims/<int:claim_id>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_claim(self, claim_id, program_id=None, member_id=None, **_kwargs):
        """Show one claim: how far it is, and what the member can do about it."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id, member_id)
        return self._render_loyalty(
            "partner_loyalty.portal_claim", member_sudo, self._prepare_claim_values(member_sudo, claim_sudo)
        )

    @http.route(
        "/my/loyalty/<int:program_id>/claims/<int:claim_id>/take",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_take(self, program_id, claim_id, **form):
        """Take what a tier has given, or accept an invitation."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id)

        def take():
            note = self._read_text(form, "note")
            if note and claim_sudo.state == "draft":
                claim_sudo.note = note
            claim_sudo.action_request()
            return self._get_requested_text(claim_sudo), f"/claims/{claim_sudo.id}"

        return self._answer_loyalty_form(member_sudo, f"/claims/{claim_sudo.id}", take, form)

    @http.route(
        "/my/loyalty/<int:program_id>/claims/<int:claim_id>/decline",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_decline(self, program_id, claim_id, **form):
        """Decline an invitation, or let lapse what a tier has given."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id)

        def decline():
            if claim_sudo.state != "draft":
                raise UserError(request.env._("%s was answered already.", claim_sudo.name))
            if claim_sudo.source == "invitation":
                claim_sudo.action_decline(self._read_text(form, "reason") or request.env._("Declined on the portal"))
                return request.env._("Thank you for letting us know that you do not come."), "/rewards"
            claim_sudo.action_cancel()
            return request.env._("You have let “%s” lapse.", claim_sudo.reward_id.name), "/rewards"

        return self._answer_loyalty_form(member_sudo, f"/claims/{claim_sudo.id}", decline, form)

    @http.route(
        "/my/loyalty/<int:program_id>/claims/<int:claim_id>/cancel",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_cancel_claim(self, program_id, claim_id, **form):
        """Withdraw a claim that nobody has approved yet: its points come back."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id)

        def cancel():
            if claim_sudo.state != "requested":
                raise UserError(request.env._("%s cannot be canceled here any more: ask us instead.", claim_sudo.name))
            claim_sudo.action_cancel()
            return request.env._("%s is canceled; its points are yours again.", claim_sudo.name), "/rewards"

        return self._answer_loyalty_form(member_sudo, f"/claims/{claim_sudo.id}", cancel, form)

    @http.route(
        "/my/loyalty/<int:program_id>/claims/<int:claim_id>/rate",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_rate_claim(self, program_id, claim_id, **form):
        """Say how good a reward was that the member has got."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id)

        def rate():
            if form.get("rating") not in ("1", "2", "3", "4", "5"):
                raise UserError(request.env._("Choose one to five stars."))
            claim_sudo.write({"rating": form["rating"], "rating_comment": self._read_text(form, "comment")})
            return request.env._("Thank you for your rating."), f"/claims/{claim_sudo.id}"

        return self._answer_loyalty_form(member_sudo, f"/claims/{claim_sudo.id}", rate, form)

    @http.route(
        "/my/loyalty/<int:program_id>/claims/<int:claim_id>/proof",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_prove(self, program_id, claim_id, **form):
        """Take the proof of marketing money: what was spent, and the files that show it."""
        member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id)

        def prove():
            if claim_sudo.kind != "mdf" or claim_sudo.state != "approved":
                raise UserError(request.env._("%s waits for no proof.", claim_sudo.name))
            files = request.httprequest.files.getlist("files")
            vals_list = [self._prepare_proof_vals(claim_sudo, file) for file in files if file.filename]
            if not vals_list and not claim_sudo.mdf_proof_ids:
                raise UserError(request.env._("Attach at least one file that shows what you have spent."))
            # Members have no right on files of claims; what they are is checked as they are linked.
            proofs_sudo = request.env["ir.attachment"].sudo().create(vals_list)
            claim_sudo.write(
                {
                    "mdf_spent_amount": self._read_number(form, "mdf_spent_amount"),
                    "mdf_proof_ids": [Command.link(proof_sudo.id) for proof_sudo in proofs_sudo],
                }
            )
            return request.env._("Thank you: we will look at your proof and settle it."), f"/claims/{claim_sudo.id}"

        return self._answer_loyalty_form(member_sudo, f"/claims/{claim_sudo.id}", prove, form)

    @http.route(
        [
            "/my/loyalty/<int:program_id>/claims/<int:claim_id>/certificate",
            "/my/loyalty/as/<int:member_id>/claims/<int:claim_id>/certificate",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_certificate(self, claim_id, program_id=None, member_id=None, **_kwargs):
        """Print the certificate of an award."""
        _member_sudo, claim_sudo = self._get_loyalty_claim(claim_id, program_id, member_id)
        if claim_sudo.kind != "award" or claim_sudo.state != "fulfilled":
            raise NotFound
        report = "partner_loyalty.partner_loyalty_claim_certificate_action"
        return self._show_report(model=claim_sudo, report_type="pdf", report_ref=report, download=True)

    # === WHAT PAGES SHOW ===#

    def _count_waiting_claims(self):
        """Return how many rewards and invitations of all programs wait for an answer of the contact."""
        if self._get_loyalty_right() not in REWARD_RIGHTS:
            return 0
        # Members have no right on claims; these are their own.
        claims_sudo = request.env["partner.loyalty.claim"].sudo()
        own = Domain.OR(self._get_claims_domain(member_sudo) for member_sudo in self._get_loyalty_members())
        return claims_sudo.search_count(own & Domain("state", "=", "draft"))

    def _prepare_claim_values(self, member_sudo, claim_sudo):
        """Return what the page of a claim shows."""
        return {
            "page_name": "rewards",
            "claim": claim_sudo,
            "icon": KIND_ICONS.get(claim_sudo.kind, "fa-gift"),
            "survey_url": self._get_survey_url(claim_sudo),
            "rating_names": dict(claim_sudo._fields["rating"]._description_selection(request.env)),
            "typed": self._pop_loyalty_form(f"/claims/{claim_sudo.id}"),
            "spent_text": self._get_spent_text(claim_sudo),
        }

    def _get_spent_text(self, claim_sudo):
        """Return what was spent so far as the form takes it, with the decimals of the currency."""
        if not claim_sudo.mdf_spent_amount:
            return ""
        digits = claim_sudo.currency_id.decimal_places
        return formatLang(request.env, claim_sudo.mdf_spent_amount, digits=digits, grouping=False)

    def _get_survey_url(self, claim_sudo):
        """Return where the contact takes part in a training or certification; None where it is somebody else."""
        is_own = claim_sudo.contact_id in (request.env.user.partner_id, claim_sudo.partner_id)
        if claim_sudo.state != "approved" or not claim_sudo.answer_id or not is_own:
            return None
        return claim_sudo.answer_id.get_start_url()

    # === WHAT IS SENT ===#

    def _prepare_proof_vals(self, claim_sudo, file):
        """Return the values of a file that was uploaded as proof.

        :param file: as it came with the form
        """
        # One byte more than it may have is enough to refuse it.
        content = file.read(MAX_FILE_SIZE + 1)
        return {
            "name": file.filename,
            "res_model": claim_sudo._name,
            "res_id": claim_sudo.id,
            "datas": base64.b64encode(content),
        }
