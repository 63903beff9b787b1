from dateutil.relativedelta import relativedelta
from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import format_date

from .portal_form import PartnerLoyaltyPortalForm

PROMOTION_RIGHTS = ("owner", "sales")

# Places of the leaderboard that members see, beside their own.
LEADERBOARD_PLACES = 10


class PartnerLoyaltyPortalPromotion(PartnerLoyaltyPortalForm):
    """What is going on: promotions to join, goals, badges, and who is ahead."""

    # === ROUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/promotions", "/my/loyalty/as/<int:member_id>/promotions"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_promotions(self, program_id=None, member_id=None, **_kwargs):
        """Show promotions and goals, with how far the member has come."""
        member_sudo = self._get_promotion_member(program_id, member_id)
        values = {
            "page_name": "promotions",
            "promotions": self._prepare_promotions(member_sudo),
            "goals": self._prepare_goals(member_sudo),
        }
        return self._render_loyalty("partner_loyalty.portal_promotions", member_sudo, values)

    @http.route(
        "/my/loyalty/<int:program_id>/promotions/<int:campaign_id>/join",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def loyalty_join(self, program_id, campaign_id, **form):
        """Take part in a campaign."""
        member_sudo = self._get_promotion_member(program_id)
        campaign_sudo = self._get_promotions(member_sudo).campaign_id.filtered(lambda one: one.id == campaign_id)
        if not campaign_sudo:
            raise NotFound

        def join():
            if member_sudo.state != "active":
                raise UserError(request.env._("Your membership is not active: members can join."))
            if campaign_sudo not in member_sudo.participation_ids.campaign_id:
                # Members have no right on what they join.
                request.env["partner.loyalty.participation"].sudo().create(
                    {
                        "campaign_id": campaign_sudo.id,
                        "member_id": member_sudo.id,
                        "contact_id": request.env.user.partner_id.id,
                        "date": member_sudo.program_id._get_today(),
                    }
                )
            return request.env._("You take part in “%s”.", campaign_sudo.title), "/promotions"

        return self._answer_loyalty_form(member_sudo, "/promotions", join, form)

    @http.route(
        ["/my/loyalty/<int:program_id>/leaderboard", "/my/loyalty/as/<int:member_id>/leaderboard"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_leaderboard(self, program_id=None, member_id=None, **_kwargs):
        """Show who is ahead, and what the member is known for."""
        member_sudo = self._get_promotion_member(program_id, member_id)
        values = {
            "page_name": "leaderboard",
            "leaderboard": self._prepare_leaderboard(member_sudo),
            "badges": member_sudo.badge_ids,
            "next_badges": self._get_next_badges(member_sudo),
            "fame": member_sudo.program_id._get_honored_members(),
        }
        return self._render_loyalty("partner_loyalty.portal_leaderboard", member_sudo, values)

    @http.route(
        "/my/loyalty/<int:program_id>/leaderboard/name", type="http", auth="user", website=True, methods=["POST"]
    )
    def loyalty_be_named(self, program_id, **form):
        """Say whether other members read the name of this one."""
        member_sudo = self._get_promotion_member(program_id)
        self._require_right("owner")

        def choose():
            is_named = form.get("named") == "yes"
            member_sudo.is_named_on_leaderboard = is_named
            if is_named:
                return request.env._("Other members read your name now."), "/leaderboard"
            return request.env._("Other members do not read your name any more."), "/leaderboard"

        return self._answer_loyalty_form(member_sudo, "/leaderboard", choose, form)

    # === NAVIGATION ===#

    def _get_loyalty_navigation(self, member_sudo):
        items = super()._get_loyalty_navigation(member_sudo)
        if self._get_loyalty_right() not in PROMOTION_RIGHTS:
            return items
        return [
            *items,
            {"key": "promotions", "name": request.env._("Promotions"), "url": "/promotions", "sequence": 45},
            {"key": "leaderboard", "name": request.env._("Leaderboard"), "url": "/leaderboard", "sequence": 80},
        ]

    # === WHOSE PAGES ===#

    def _get_promotion_member(self, program_id=None, member_id=None):
        """Return whose page is asked for, where the contact has to do with promotions.

        :raises Forbidden: where it has not
        """
        member_sudo = self._get_loyalty_member(program_id, member_id)
        self._require_right(*PROMOTION_RIGHTS)
        return member_sudo

    # === PROMOTIONS AND GOALS ===#

    def _get_promotions(self, member_sudo):
        """Return the promotions that a member can earn by today or later, or could if it joined."""
        domain = [("program_id", "=", member_sudo.program_id.id), ("is_promotion", "=", True), ("is_draft", "=", False)]
        # What a program gives is no secret to its members.
        rules_sudo = request.env["partner.loyalty.rule"].sudo().search(domain, order="date_to, id")
        own = rules_sudo.segment_ids._get_of_member(member_sudo)
        return rules_sudo.filtered(
            lambda rule: (
                rule._can_be_earned()
                and (not rule.segment_ids or rule.segment_ids & own)
                and (rule.unit == "point" or self._sees_loyalty_money())
            )
        )

    def _prepare_promotions(self, member_sudo):
        """Return the promotions, with what the member has earned by each.

        :return: dicts of ``rule``, ``terms`` (words), ``earned`` (in the unit of the rule), ``days`` (left, or None),
            ``starts`` (date, where it is still to come), ``campaign`` and ``is_joined``
        :rtype: list[dict]
        """
        rules_sudo, today = self._get_promotions(member_sudo), member_sudo.program_id._get_today()
        earned, joined = rules_sudo._get_earned(member_sudo), member_sudo.participation_ids.campaign_id
        rows = []
        for rule_sudo in rules_sudo:
            is_to_come = rule_sudo.date_from and rule_sudo.date_from > today
            rows.append(
                {
                    "rule": rule_sudo,
                    "terms": member_sudo._get_terms_text(rule_sudo, today),
                    "earned": earned.get(rule_sudo.id, 0),
                    "days": (rule_sudo.date_to - today).days if rule_sudo.date_to else None,
                    "starts": is_to_come and rule_sudo.date_from,
                    "campaign": rule_sudo.campaign_id,
                    "is_joined": rule_sudo.campaign_id in joined,
                }
            )
        return rows

    def _prepare_goals(self, member_sudo):
        """Return the goals that members are shown, those of today and those that ended within a month.

        :return: dicts as ``partner.loyalty.goal._get_member_progress`` returns them, with ``goal``
        :rtype: list[dict]
        """
        today = member_sudo.program_id._get_today()
        # Goals are set by the company; those that are shown are for its members.
        goals_sudo = request.env["partner.loyalty.goal"].sudo()
        goals_sudo = goals_sudo.search(
            [
                ("program_id", "=", member_sudo.program_id.id),
                ("is_shown", "=", True),
                ("date_from", "<=", today),
                ("date_to", ">=", today - relativedelta(months=1)),
            ],
            order="date_to, id",
        )
        if not self._sees_loyalty_money():
            goals_sudo = goals_sudo.filtered(lambda goal: goal.unit != "money")
        return [{"goal": goal_sudo, **goal_sudo._get_member_progress(member_sudo)} for goal_sudo in goals_sudo]

    # === RECOGNITION ===#

    def _prepare_leaderboard(self, member_sudo):
        """Return who is ahead in the period that goes on: ``metric``, ``rows``, ``first`` and ``last``; None without.

        :rtype: dict | None
        """
        program_sudo = member_sudo.program_id
        metric_sudo = program_sudo.leaderboard_metric_id
        if not metric_sudo or (metric_sudo.unit == "money" and not self._sees_loyalty_money()):
            return None
        window = program_sudo._get_leaderboard_window(program_sudo._get_today(), program_sudo.leaderboard_period)
        return {
            "metric": metric_sudo,
            "rows": program_sudo._get_leaderboard(metric_sudo, window, member_sudo, LEADERBOARD_PLACES),
            "first": format_date(request.env, window.first),
            "last": format_date(request.env, window.last),
        }

    def _get_next_badges(self, member_sudo):
        """Return the effects of bonus actions that give badges which a member does not hold."""
        # What a program gives is no secret to its members.
        effects_sudo = request.env["partner.loyalty.bonus.effect"].sudo()
        domain = Domain([("kind", "=", "badge"), ("action_id.state", "=", "running")])
        domain &= Domain("action_id.program_id", "=", member_sudo.program_id.id)
        domain &= Domain("badge_id", "not in", member_sudo.badge_ids.badge_id.ids)
        return effects_sudo.search(domain, limit=6)
