from werkzeug.exceptions import NotFound

from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import format_date

from ..models.partner_loyalty_claim_survey import SURVEY_KINDS
from .portal_form import PartnerLoyaltyPortalForm

# Who has to do with rewards, and which of them are about money.
REWARD_RIGHTS = ("owner", "sales")
MONEY_KINDS = ("money", "mdf")

# What of a form goes to the claim as it was typed, by kind of reward.
MDF_TEXTS = ("mdf_plan", "mdf_place", "mdf_date_from", "mdf_date_to")

# How a kind is shown where it has no picture.
KIND_ICONS = {
    "award": "fa-trophy",
    "certification": "fa-certificate",
    "consulting": "fa-comments-o",
    "early": "fa-rocket",
    "event": "fa-calendar",
    "material": "fa-files-o",
    "mdf": "fa-bullhorn",
    "money": "fa-money",
    "price": "fa-tags",
    "product": "fa-gift",
    "project": "fa-handshake-o",
    "support": "fa-life-ring",
    "training": "fa-graduation-cap",
}


class PartnerLoyaltyPortalReward(PartnerLoyaltyPortalForm):
    """What a member can have, and the files that it has."""

    # === ROUTES - REWARDS ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/rewards", "/my/loyalty/as/<int:member_id>/rewards"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_rewards(self, program_id=None, member_id=None, **_kwargs):
        """Show what can be had, and what waits for an answer of the member."""
        member_sudo = self._get_reward_member(program_id, member_id)
        return self._render_loyalty(
            "partner_loyalty.portal_rewards", member_sudo, self._prepare_rewards_values(member_sudo)
        )

    @http.route(
        [
            "/my/loyalty/<int:program_id>/rewards/<int:reward_id>",
            "/my/loyalty/as/<int:member_id>/rewards/<int:reward_id>",
        ],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_reward(self, reward_id, program_id=None, member_id=None, **_kwargs):
        """Show one reward, with the form that asks for it."""
        member_sudo = self._get_reward_member(program_id, member_id)
        reward_sudo = self._get_loyalty_reward(member_sudo, reward_id)
        fund_sudo = self._get_fund(member_sudo, reward_sudo)
        values = {
            "page_name": "rewards",
            "offer": self._prepare_offers(member_sudo, reward_sudo)[0],
            "points": self._get_points(member_sudo),
            "contacts": self._get_loyalty_contacts(member_sudo) if reward_sudo.kind in SURVEY_KINDS else (),
            "is_single": reward_sudo.kind in reward_sudo._get_single_kinds(),
            "fund": fund_sudo,
            "fund_text": request.env._("%s %% of what you spend", f"{fund_sudo.share:g}"),
            "token": self._make_token(),
            "typed": self._pop_loyalty_form(f"/rewards/{reward_sudo.id}"),
        }
        return self._render_loyalty("partner_loyalty.portal_reward", member_sudo, values)

    @http.route(
        "/my/loyalty/<int:program_id>/rewards/<int:reward_id>/claim",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_claim_reward(self, program_id, reward_id, **form):
        """Ask for a reward: its points are taken with that."""
        member_sudo = self._get_reward_member(program_id)
        reward_sudo = self._get_loyalty_reward(member_sudo, reward_id)

        def claim():
            # Members have no right on claims: what they may do is checked by the request.
            claim_sudo = self._find_sent("partner.loyalty.claim", member_sudo, form)
            if not claim_sudo:
                claim_sudo = claim_sudo.create(self._prepare_claim_vals(member_sudo, reward_sudo, form))
                claim_sudo.action_request()
            return self._get_requested_text(claim_sudo), f"/claims/{claim_sudo.id}"

        return self._answer_loyalty_form(member_sudo, f"/rewards/{reward_sudo.id}", claim, form)

    # === ROUTES - FILES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/files", "/my/loyalty/as/<int:member_id>/files"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_files(self, program_id=None, member_id=None, **_kwargs):
        """Show the marketing files that the member has, by its tier and language."""
        member_sudo = self._get_reward_member(program_id, member_id)
        files_sudo = self._get_loyalty_files(member_sudo)
        values = {
            "page_name": "files",
            "groups": files_sudo.grouped("reward_id"),
            "offers": [
                offer for offer in self._prepare_offers(member_sudo) if self._is_open_material(offer, files_sudo)
            ],
        }
        return self._render_loyalty("partner_loyalty.portal_files", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/files/<int:file_id>", "/my/loyalty/as/<int:member_id>/files/<int:file_id>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_file(self, file_id, program_id=None, member_id=None, **_kwargs):
        """Download a marketing file."""
        member_sudo = self._get_reward_member(program_id, member_id)
        file_sudo = self._get_loyalty_files(member_sudo).filtered(lambda file: file.id == file_id)
        if not file_sudo:
            raise NotFound
        stream = request.env["ir.binary"]._get_stream_from(file_sudo, "file", filename=file_sudo.file_name)
        return stream.get_response(as_attachment=True)

    # === NAVIGATION ===#

    def _get_loyalty_navigation(self, member_sudo):
        items = super()._get_loyalty_navigation(member_sudo)
        if self._get_loyalty_right() not in REWARD_RIGHTS:
            return items
        return [
            *items,
            {"key": "rewards", "name": request.env._("Rewards"), "url": "/rewards", "sequence": 40},
            {"key": "files", "name": request.env._("Files"), "url": "/files", "sequence": 70},
        ]

    # === WHOSE PAGES ===#

    def _get_reward_member(self, program_id=None, member_id=None):
        """Return whose page is asked for, where the contact has to do with rewards.

        :raises Forbidden: where it has not
        """
        member_sudo = self._get_loyalty_member(program_id, member_id)
        self._require_right(*REWARD_RIGHTS)
        return member_sudo

    def _get_loyalty_reward(self, member_sudo, reward_id):
        """Return a reward that is offered to a member.

        :raises NotFound: where it is not
        """
        reward_sudo = self._get_offered_rewards(member_sudo).filtered(lambda reward: reward.id == reward_id)
        if not reward_sudo:
            raise NotFound
        return reward_sudo

    def _get_loyalty_claim(self, claim_id, program_id=None, member_id=None):
        """Return whose page is asked for, and a claim of that member that the contact may see.

        :return: pair of member and claim
        :rtype: tuple
        :raises NotFound: where there is no such claim
        """
        member_sudo = self._get_reward_member(program_id, member_id)
        domain = self._get_claims_domain(member_sudo) & Domain("id", "=", claim_id)
        # Members have no right on claims; this is their own.
        claim_sudo = request.env["partner.loyalty.claim"].sudo().search(domain)
        if not claim_sudo:
            raise NotFound
        return member_sudo, claim_sudo

    def _get_claims_domain(self, member_sudo):
        """Return which claims a contact sees: those of its company, but for drafts that somebody is still writing.

        :rtype: Domain
        """
        domain = Domain("member_id.root_id", "=", member_sudo.id)
        domain &= Domain("state", "!=", "draft") | Domain("source", "in", ("tier", "invitation"))
        return domain if self._sees_loyalty_money() else domain & Domain("kind", "not in", MONEY_KINDS)

    def _get_loyalty_files(self, member_sudo):
        """Return the files that a member has by what it has claimed, those of its tier and language."""
        domain = self._get_claims_domain(member_sudo) & Domain([("kind", "=", "material"), ("state", "=", "fulfilled")])
        # Members have no right on claims; these are their own.
        return request.env["partner.loyalty.claim"].sudo().search(domain).file_ids

    def _get_loyalty_contacts(self, member_sudo):
        """Return the people of a member who can take part in something."""
        # They are of the company of the contact.
        contacts_sudo = request.env["res.partner"].sudo()
        return contacts_sudo.search(
            [("commercial_partner_id", "=", member_sudo.partner_id.id), ("type", "=", "contact")], limit=100
        )

    # === WHAT CAN BE HAD ===#

    def _get_offered_rewards(self, member_sudo):
        """Return the rewards that a member is to know of: those that it can have today or might have one day."""
        program_sudo = member_sudo.program_id
        domain = Domain("program_id", "=", program_sudo.id)
        domain &= Domain("date_to", "=", False) | Domain("date_to", ">=", program_sudo._get_today())
        if not self._sees_loyalty_money():
            domain &= Domain("kind", "not in", MONEY_KINDS)
        # What a program offers is no secret to its members.
        rewards_sudo = request.env["partner.loyalty.reward"].sudo().with_context(bin_size=True).search(domain)
        own = rewards_sudo.segment_ids._get_of_member(member_sudo)
        given = program_sudo.tier_ids.entitlement_ids.reward_id
        return rewards_sudo.filtered(
            lambda reward: (
                not reward._get_missing_text()
                and (not reward.segment_ids or reward.segment_ids & own)
                and (reward.point_cost or reward in given or self._is_open_without_points(member_sudo, reward))
            )
        )

    def _is_open_without_points(self, member_sudo, reward_sudo):
        """Return whether a reward that costs nothing is to be had by a form, or without one."""
        if reward_sudo.kind == "mdf":
            return bool(self._get_fund(member_sudo, reward_sudo))
        return reward_sudo.kind == "early" and reward_sudo.by_tier

    def _prepare_offers(self, member_sudo, rewards_sudo=None):
        """Return what can be had, with what is missing for it.

        :param rewards_sudo: only these
        :return: dicts of ``reward``, ``icon``, ``refusal`` (why not, in words, or None), ``missing`` (points), ``left``
            (pieces, or None where there is no end of them), ``by_tier`` (it is had without a claim), ``givers`` (names
            of tiers that it comes with) and ``is_open`` (it can be asked for now)
        :rtype: list[dict]
        """
        rewards_sudo = self._get_offered_rewards(member_sudo) if rewards_sudo is None else rewards_sudo
        refusals, taken = rewards_sudo._get_refusals(member_sudo), rewards_sudo._get_taken()
        entitlements_sudo = member_sudo.program_id.tier_ids.entitlement_ids.grouped("reward_id")
        points = self._get_points(member_sudo)
        offers = []
        for reward_sudo in rewards_sudo:
            missing = max(0, reward_sudo.point_cost - points)
            is_free = reward_sudo.kind in reward_sudo._get_free_kinds()
            refusal = refusals[reward_sudo]
            by_tier = reward_sudo.kind == "early" and reward_sudo.by_tier and not refusal
            # What comes with a tier is read through the member, like all of the page.
            givers_sudo = entitlements_sudo.get(reward_sudo, request.env["partner.loyalty.tier.entitlement"].sudo())
            offers.append(
                {
                    "reward": reward_sudo,
                    "icon": KIND_ICONS.get(reward_sudo.kind, "fa-gift"),
                    "refusal": refusal,
                    "missing": missing,
                    "left": max(0, reward_sudo.stock - taken.get(reward_sudo, 0)) if reward_sudo.stock else None,
                    "by_tier": by_tier,
                    "givers": ", ".join(givers_sudo.tier_id.mapped("name")),
                    "is_open": not refusal and not missing and not by_tier and bool(reward_sudo.point_cost or is_free),
                }
            )
        return offers

    @staticmethod
    def _is_open_material(offer, files_sudo):
        """Return whether an offer is of files that the member has not got yet."""
        return offer["reward"].kind == "material" and offer["reward"] not in files_sudo.reward_id

    def _get_points(self, member_sudo):
        """Return how many points a member can spend.

        :rtype: float
        """
        account_sudo = member_sudo._get_account("point")
        return float(account_sudo._get_available().get(account_sudo.id, 0))

    def _get_fund(self, member_sudo, reward_sudo):
        """Return the marketing fund that a claim of a reward would be paid from, if any."""
        # The fund is looked up for this member.
        funds_sudo = request.env["partner.loyalty.fund"].sudo()
        return funds_sudo._get_in_force(member_sudo) if reward_sudo.kind == "mdf" else funds_sudo

    # === WHAT IS ASKED FOR ===#

    def _prepare_rewards_values(self, member_sudo):
        """Return what the page of rewards shows."""
        # Members have no right on claims; these are their own.
        claims_sudo = request.env["partner.loyalty.claim"].sudo()
        domain = self._get_claims_domain(member_sudo)
        return {
            "page_name": "rewards",
            "points": self._get_points(member_sudo),
            "offers": self._prepare_offers(member_sudo),
            "drafts": claims_sudo.search(domain & Domain("state", "=", "draft"), order="expiry_date, id"),
            "claims": claims_sudo.search(domain & Domain("state", "!=", "draft"), limit=5),
            "claim_count": claims_sudo.search_count(domain & Domain("state", "!=", "draft")),
        }

    def _prepare_claim_vals(self, member_sudo, reward_sudo, form):
        """Return the values of a claim that a contact asks for: what it may say, and nothing else.

        :param dict form: what was sent
        """
        vals = {
            "reward_id": reward_sudo.id,
            "member_id": member_sudo.id,
            "note": self._read_text(form, "note"),
            "request_token": self._read_token(form),
        }
        if reward_sudo.kind not in reward_sudo._get_single_kinds():
            vals["quantity"] = self._read_id(form, "quantity") or 1
        if reward_sudo.kind in SURVEY_KINDS:
            contacts_sudo = self._get_loyalty_contacts(member_sudo)
            chosen = contacts_sudo.filtered(lambda contact: contact.id == self._read_id(form, "contact_id"))
            vals["contact_id"] = (chosen or request.env.user.partner_id).id
        if reward_sudo.kind == "mdf":
            vals |= {name: self._read_text(form, name) or False for name in MDF_TEXTS}
            vals["mdf_requested_amount"] = self._read_number(form, "mdf_requested_amount")
        return vals

    def _get_requested_text(self, claim_sudo):
        """Return what a contact reads after it has asked for something."""
        terms = {"reward": claim_sudo.reward_id.name}
        if claim_sudo.state == "requested":
            return request.env._(
                "You have asked for “%(reward)s”: we will tell you as soon as it is approved.", **terms
            )
        if claim_sudo.state == "fulfilled":
            return request.env._("“%(reward)s” is yours.", **terms)
        return request.env._(
            "“%(reward)s” is on its way: you have it by %(day)s.",
            day=format_date(request.env, claim_sudo.date_deadline),
            **terms,
        )
