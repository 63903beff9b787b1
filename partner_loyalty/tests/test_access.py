"""Who may do what: each role, on each model, allowed and refused; and what clients can call."""

import base64
import inspect
from contextlib import suppress

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ROLES, TODAY, PartnerLoyaltyCommon

OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}

NOBODY = {
    "public": "",
    "portal_own": "",
    "portal_other": "",
    "internal": "",
    "salesperson": "",
    "salesperson_own": "",
    "officer": "",
    "manager": "",
    "administrator": "",
    "accountant": "",
    "settings": "",
}
EVERY_EMPLOYEE = {role: "r" for role in NOBODY if role not in ("public", "portal_own", "portal_other")}
STAFF = {"officer": "r", "manager": "r", "administrator": "r", "accountant": "r"}
STATEMENT = {**STAFF, "portal_own": "r", "salesperson_own": "r"}
OFFICERS_DIALOG = {"officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"}
MANAGERS_DIALOG = {"manager": "rwcd", "administrator": "rwcd"}
BONUS = {"officer": "r", "manager": "rwcd", "administrator": "rwcd"}
TERMS = {**EVERY_EMPLOYEE, "portal_own": "r", "manager": "rwcd", "administrator": "rwcd"}
REWARD = {
    **STAFF,
    "salesperson": "r",
    "salesperson_own": "r",
    "portal_own": "r",
    "manager": "rwcd",
    "administrator": "rwcd",
}

# What each role may do with a record about the dealer; a role that is not named may do nothing.
# "own" is a user of the dealer in the portal, or the salesperson who looks after the dealer.
RIGHTS = {
    "partner.loyalty.program": {**TERMS, "manager": "rwc"},
    "partner.loyalty.tier": TERMS,
    "partner.loyalty.rule": TERMS,
    "partner.loyalty.rule.rate": TERMS,
    "partner.loyalty.tier.criterion": TERMS,
    "partner.loyalty.tier.entitlement": TERMS,
    "partner.loyalty.rule.band": TERMS,
    "partner.loyalty.segment": {**EVERY_EMPLOYEE, "officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.metric": {"officer": "r", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.metric.value": OFFICERS_DIALOG,
    "partner.loyalty.agreement": {**STAFF, "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.member": {**STATEMENT, "officer": "rwc", "manager": "rwc", "administrator": "rwc"},
    "partner.loyalty.member.period": {**STATEMENT, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.tier.period": STATEMENT,
    "partner.loyalty.tier.review": {"officer": "rw", "manager": "rw", "administrator": "rw"},
    "partner.loyalty.tier.review.line": {"officer": "rw", "manager": "rw", "administrator": "rw"},
    "partner.loyalty.account": STATEMENT,
    "partner.loyalty.entry": STATEMENT,
    "partner.loyalty.allocation": STAFF,
    "partner.loyalty.contribution": STAFF,
    "partner.loyalty.member.month": STAFF,
    "partner.loyalty.difference": {**STAFF, "manager": "rw", "administrator": "rw"},
    "partner.loyalty.payout": {**STATEMENT, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.inquiry": {
        **STAFF,
        "salesperson_own": "r",
        "officer": "rwc",
        "manager": "rwc",
        "administrator": "rwc",
    },
    "partner.loyalty.inquiry.decide": OFFICERS_DIALOG,
    "partner.loyalty.feedback": {"salesperson_own": "r", "officer": "rwc", "manager": "rwc", "administrator": "rwc"},
    "partner.loyalty.topic": {"officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.need": {"salesperson_own": "r", "officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.benefit": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.adjustment": {**STAFF, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.deal": {
        **STAFF,
        "salesperson_own": "r",
        "officer": "rwcd",
        "manager": "rwcd",
        "administrator": "rwcd",
    },
    "partner.loyalty.closing": {**STAFF, "officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.closing.step": STAFF,
    "partner.loyalty.closing.exception": STAFF,
    "partner.loyalty.acceptance": {**STAFF, "portal_own": "r", "officer": "rc", "manager": "rc", "administrator": "rc"},
    "partner.loyalty.reward": REWARD,
    "partner.loyalty.reward.file": REWARD,
    "partner.loyalty.release": REWARD,
    "partner.loyalty.claim": {**STATEMENT, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.fund": {**STATEMENT, "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.claim.hour": {**STATEMENT, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.claim.milestone": {**STATEMENT, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.attribution": {**STAFF, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.attribution.line": {**STAFF, "officer": "rwcd", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.attribution.figure": STAFF,
    "partner.loyalty.application": {"officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.application.refuse": OFFICERS_DIALOG,
    "partner.loyalty.message": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.message.setting": {"officer": "r", "manager": "rw", "administrator": "rw"},
    "partner.loyalty.announcement": OFFICERS_DIALOG,
    "partner.loyalty.external.order": {"officer": "rw", "manager": "rwd", "administrator": "rwd"},
    "partner.loyalty.todo": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.backtest": {"officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.backtest.line": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.backtest.member": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.goal": BONUS,
    "partner.loyalty.goal.value": {"officer": "rwc", "manager": "rwcd", "administrator": "rwcd"},
    "partner.loyalty.pilot": BONUS,
    "partner.loyalty.pilot.member": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.bonus.action": BONUS,
    "partner.loyalty.bonus.effect": BONUS,
    "partner.loyalty.bonus.rank": BONUS,
    "partner.loyalty.bonus.run": STAFF,
    "partner.loyalty.bonus.line": STAFF,
    "partner.loyalty.warning": {"salesperson_own": "r", "officer": "rw", "manager": "rw", "administrator": "rw"},
    "partner.loyalty.badge": {**STATEMENT, "officer": "rc", "manager": "rcd", "administrator": "rcd"},
    "partner.loyalty.news": OFFICERS_DIALOG,
    "partner.loyalty.news.read": {"officer": "r", "manager": "r", "administrator": "r"},
    "partner.loyalty.participation": OFFICERS_DIALOG,
    "partner.loyalty.touch": {"administrator": "r"},
    "partner.loyalty.chunk": {"administrator": "r"},
    "partner.loyalty.check": {"manager": "r", "administrator": "r"},
    "partner.loyalty.check.line": {"manager": "r", "administrator": "r"},
    "partner.loyalty.advice": OFFICERS_DIALOG,
    "partner.loyalty.advice.line": OFFICERS_DIALOG,
    "partner.loyalty.enroll": OFFICERS_DIALOG,
    "partner.loyalty.enroll.line": OFFICERS_DIALOG,
    "partner.loyalty.payout.prepare": OFFICERS_DIALOG,
    "partner.loyalty.payout.prepare.line": OFFICERS_DIALOG,
    "partner.loyalty.portal.right": OFFICERS_DIALOG,
    "partner.loyalty.portal.right.line": OFFICERS_DIALOG,
    "partner.loyalty.metric.reading": OFFICERS_DIALOG,
    "partner.loyalty.metric.reading.line": OFFICERS_DIALOG,
    "partner.loyalty.leaderboard": OFFICERS_DIALOG,
    "partner.loyalty.leaderboard.line": OFFICERS_DIALOG,
    "partner.loyalty.rule.version": MANAGERS_DIALOG,
    "partner.loyalty.template": MANAGERS_DIALOG,
    "partner.loyalty.rule.version.line": MANAGERS_DIALOG,
    "partner.loyalty.explain": {**OFFICERS_DIALOG, "salesperson": "rwcd", "salesperson_own": "rwcd"},
    "partner.loyalty.explain.line": {**OFFICERS_DIALOG, "salesperson": "rwcd", "salesperson_own": "rwcd"},
    "partner.loyalty.payout.refuse": MANAGERS_DIALOG,
    "partner.loyalty.statement": {**OFFICERS_DIALOG, "accountant": "rwcd"},
    "partner.loyalty.payout.hold": MANAGERS_DIALOG,
    "partner.loyalty.closing.lock": MANAGERS_DIALOG,
    "partner.loyalty.payout.approve": MANAGERS_DIALOG,
    "partner.loyalty.payout.approve.line": MANAGERS_DIALOG,
    "partner.loyalty.adjustment.refuse": MANAGERS_DIALOG,
    "partner.loyalty.deal.price.refuse": {**OFFICERS_DIALOG, "salesperson": "rwcd", "salesperson_own": "rwcd"},
    "partner.loyalty.deal.refuse": MANAGERS_DIALOG,
    "partner.loyalty.claim.refuse": MANAGERS_DIALOG,
    "partner.loyalty.claim.take.back": MANAGERS_DIALOG,
    "partner.loyalty.claim.decline": OFFICERS_DIALOG,
    "partner.loyalty.invite": OFFICERS_DIALOG,
    "partner.loyalty.attribution.choose": OFFICERS_DIALOG,
    "partner.loyalty.attribution.refuse": MANAGERS_DIALOG,
    "partner.loyalty.apply.past": MANAGERS_DIALOG,
    "partner.loyalty.takeover": MANAGERS_DIALOG,
    "partner.loyalty.tier.override": MANAGERS_DIALOG,
    "partner.loyalty.tier.review.refuse": MANAGERS_DIALOG,
    "partner.loyalty.takeover.line": MANAGERS_DIALOG,
    "partner.loyalty.liability": {**MANAGERS_DIALOG, "accountant": "rwcd"},
    "partner.loyalty.liability.line": {**MANAGERS_DIALOG, "accountant": "rwcd"},
    "partner.loyalty.liability.expiry.line": {**MANAGERS_DIALOG, "accountant": "rwcd"},
}

# What other systems call, over Odoo's external API.
API_METHODS = {
    "onboarding.onboarding": {"get_partner_loyalty_panel"},
    "partner.loyalty.overview": {"get_drill", "get_page", "get_report"},
    "sale.order": {"loyalty_import_order", "loyalty_update_state"},
}

# What officers do by buttons, as the records of these tests are; all others are for managers, or only show something.
OFFICERS_BUTTONS = {
    "partner.loyalty.adjustment.action_cancel",
    "partner.loyalty.application.action_approve",
    "partner.loyalty.attribution.action_cancel",
    "partner.loyalty.attribution.action_preview",
    "partner.loyalty.backtest.action_run",
    "partner.loyalty.bonus.action.action_preview",
    "partner.loyalty.claim.action_cancel",
    "partner.loyalty.claim.milestone.action_done",
    "partner.loyalty.claim.milestone.action_reopen",
    "partner.loyalty.closing.action_refresh",
    "partner.loyalty.closing.step.action_tick",
    "partner.loyalty.deal.action_cancel",
    "partner.loyalty.external.order.action_retry",
    "partner.loyalty.feedback.action_finish",
    "partner.loyalty.feedback.action_take",
    "partner.loyalty.goal.action_view_members",
    "partner.loyalty.inquiry.action_take",
    "partner.loyalty.member.action_end",
    "partner.loyalty.member.action_resume",
    "partner.loyalty.member.action_suspend",
    "partner.loyalty.news.action_withdraw",
    "partner.loyalty.payout.action_cancel",
    "partner.loyalty.program.action_advise",
    "partner.loyalty.tier.review.action_cancel",
    "partner.loyalty.topic.action_publish",
}

CORE_MODELS = (
    "res.partner",
    "crm.lead",
    "sale.order",
    "sale.order.line",
    "account.move",
    "account.partial.reconcile",
    "onboarding.onboarding",
    "onboarding.onboarding.step",
    "survey.survey",
    "survey.user_input",
    "utm.campaign",
)


class AccessCommon(PartnerLoyaltyCommon):
    """A dealer with something in every model, and a user for each role."""

    roles = tuple(ROLES)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.program.rule_ids.tier_rate_ids = [cls._tier_rate(cls.program.tier_ids[0], 10)]
        cls.program.rule_ids.band_ids = [Command.create({"threshold": 100, "rate": 5})]
        cls.other_program = cls._create_program([{}], name="Other Club")
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls._enroll(cls.other_program, cls.referrer)
        cls.users.update(
            public=cls.env.ref("base.public_user"),
            portal_own=cls._create_portal_user("own", cls._create_owner()),
            portal_other=cls._create_portal_user("other", cls.referrer),
            salesperson_own=cls._create_role_user("salesperson_own", "sales_team.group_sale_salesman"),
        )
        cls.dealer.user_id = cls.users["salesperson_own"]
        cls.records = cls._create_records()
        cls._write_marks()

    @classmethod
    def _create_owner(cls):
        return cls._create_partner(name="Ann", parent_id=cls.dealer.id, loyalty_portal_right="owner")

    @classmethod
    def _create_portal_user(cls, name, partner):
        return cls._create_role_user(f"portal_{name}", "base.group_portal", partner_id=partner.id)

    @classmethod
    def _create_records(cls):
        """Return a record about the dealer for each model."""
        records = {
            **cls._create_ledger_records(),
            **cls._create_requests(),
            **cls._create_internal_records(),
            **cls._create_dialogs(),
            **cls._create_bonus_records(),
            **cls._create_tier_review(),
            **cls._create_recognition_records(),
            **cls._create_pilot(),
            "partner.loyalty.program": cls.program,
            "partner.loyalty.tier": cls.program.tier_ids[0],
            "partner.loyalty.rule": cls.program.rule_ids,
            "partner.loyalty.rule.rate": cls.program.rule_ids.tier_rate_ids,
            "partner.loyalty.rule.band": cls.program.rule_ids.band_ids,
            "partner.loyalty.segment": cls.env["partner.loyalty.segment"].create(
                {"name": "Dealers", "company_id": cls.company.id}
            ),
            "partner.loyalty.metric": cls.env.ref("partner_loyalty.partner_loyalty_metric_audit"),
            "partner.loyalty.metric.value": cls.env["partner.loyalty.metric.value"].create(
                {
                    "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_audit").id,
                    "member_id": cls.member.id,
                    "value": 80,
                    "reference": "Visit",
                }
            ),
            "partner.loyalty.agreement": cls.env["partner.loyalty.agreement"].create(
                {"name": "Launch", "member_id": cls.member.id, "multiplier": 2, "date_from": "2027-01-01"}
            ),
            "partner.loyalty.member": cls.member,
            "partner.loyalty.member.period": cls.member.period_ids,
            "partner.loyalty.tier.period": cls.member.tier_period_ids[0],
            "partner.loyalty.tier.entitlement": cls.env["partner.loyalty.tier.entitlement"].create(
                {
                    "tier_id": cls.program.tier_ids[1].id,
                    "reward_id": cls._find_reward().id,
                }
            ),
            "partner.loyalty.tier.criterion": cls.env["partner.loyalty.tier.criterion"].create(
                {
                    "tier_id": cls.program.tier_ids[1].id,
                    "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_orders").id,
                    "minimum": 3,
                }
            ),
        }
        return {model: record.with_env(cls.env) for model, record in records.items()}

    @classmethod
    def _create_ledger_records(cls):
        credit, debit = cls._post_entry(cls.member, 100), cls._post_entry(cls.member, -10)
        cls._create_sale_invoice(cls.dealer, 100)
        cls.env.flush_all()
        sudo = cls.env(su=True)
        return {
            "partner.loyalty.account": credit.account_id,
            "partner.loyalty.entry": credit,
            "partner.loyalty.allocation": sudo["partner.loyalty.allocation"].search(
                [("debit_entry_id", "=", debit.id)]
            ),
            "partner.loyalty.contribution": sudo["partner.loyalty.contribution"].search(
                [("partner_id", "=", cls.dealer.id)], limit=1
            ),
            "partner.loyalty.member.month": sudo["partner.loyalty.member.month"].search(
                [("member_id", "=", cls.member.id)], limit=1
            ),
            "partner.loyalty.difference": sudo["partner.loyalty.difference"].create(
                {
                    "program_id": cls.program.id,
                    "company_id": cls.company.id,
                    "rule_id": cls.program.rule_ids.id,
                    "account_id": credit.account_id.id,
                    "origin_model": "account.move",
                    "origin_id": 1,
                    "amount": 1,
                }
            ),
        }

    @classmethod
    def _create_bonus_records(cls):
        place = Command.create({"rank_from": 1, "rank_to": 1, "amount": 5})
        metric_sudo = cls.env["partner.loyalty.metric"].sudo().create({"name": "Turnover"})
        action = cls.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Best",
                "program_id": cls.program.id,
                "condition": "top_count",
                "metric_id": metric_sudo.id,
                "effect_ids": [Command.create({"kind": "point", "basis": "rank", "rank_ids": [place]})],
            }
        )
        run = cls.env["partner.loyalty.bonus.run"].browse(action.action_preview()["res_id"])
        goal = cls.env["partner.loyalty.goal"].create(
            {"name": "Good quarter", "program_id": cls.program.id, "metric_id": metric_sudo.id, "target": 100}
        )
        return {
            "partner.loyalty.goal": goal,
            "partner.loyalty.goal.value": cls.env["partner.loyalty.goal.value"].create(
                {"goal_id": goal.id, "value": 7, "reference": "Study"}
            ),
            "partner.loyalty.bonus.action": action,
            "partner.loyalty.bonus.effect": action.effect_ids,
            "partner.loyalty.bonus.rank": action.effect_ids.rank_ids,
            "partner.loyalty.bonus.run": run,
            "partner.loyalty.bonus.line": run.line_ids,
        }

    @classmethod
    def _create_tier_review(cls):
        """Propose a tier to the dealer, as reviewed by nobody who tries anything here."""
        period = cls.member.tier_period_ids[0]
        values = {"program_id": cls.program.id, "company_id": cls.company.id}
        line = {
            **values,
            "member_id": cls.member.id,
            "period_id": period.id,
            **dict.fromkeys(("tier_id", "proposed_tier_id", "decided_tier_id"), period.tier_id.id),
        }
        review_sudo = cls.env["partner.loyalty.tier.review"].sudo()
        review = review_sudo.create(
            {
                **values,
                "evaluation_date": TODAY,
                "publish_date": "2026-03-20",
                "state": "reviewed",
                "line_ids": [Command.create(line)],
            }
        )
        return {review._name: review, review.line_ids._name: review.line_ids}

    @classmethod
    def _create_pilot(cls):
        """Try a rule with the dealer."""
        pilot = cls.env["partner.loyalty.pilot"].create(
            {
                "name": "Trial",
                "program_id": cls.program.id,
                "hypothesis": "It helps",
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_orders").id,
                "rule_id": cls.program.rule_ids[0].id,
            }
        )
        line_sudo = cls.env["partner.loyalty.pilot.member"].sudo()
        line = line_sudo.create({"pilot_id": pilot.id, "member_id": cls.member.id, "arm": "treatment"})
        return {pilot._name: pilot, line._name: line}

    @classmethod
    def _create_recognition_records(cls):
        sudo = cls.env(su=True)
        badge = sudo["gamification.badge"].create({"name": "Star"})
        vals = {"member_id": cls.member.id, "date": TODAY}
        news = cls.env["partner.loyalty.news"].create({"name": "Season", "program_id": cls.program.id, "date": TODAY})
        news._mark_read(cls.dealer_contact)
        campaign = sudo["utm.campaign"].create({"name": "Spring"})
        participation = {"campaign_id": campaign.id, "member_id": cls.member.id}
        return {
            "partner.loyalty.news": news,
            "partner.loyalty.news.read": news.read_ids,
            "partner.loyalty.participation": cls.env["partner.loyalty.participation"].create(participation),
            "partner.loyalty.warning": sudo["partner.loyalty.warning"].create({**vals, "cause": "quiet", "facts": {}}),
            "partner.loyalty.badge": sudo["partner.loyalty.badge"].create({**vals, "badge_id": badge.id}),
        }

    @classmethod
    def _create_requests(cls):
        payout = cls.env["partner.loyalty.payout"].create({"member_id": cls.member.id, "date": TODAY})
        payout.action_submit()
        adjustment = cls.env["partner.loyalty.adjustment"].create(
            {"member_id": cls.member.id, "unit": "money", "amount": 5, "reason": "Goodwill"}
        )
        adjustment.action_request()
        deal = cls.env["partner.loyalty.deal"].create(
            {"member_id": cls.member.id, "name": "Chairs", "customer_name": "Hotel Astoria", "expected_amount": 5}
        )
        deal.action_submit()
        claim = cls._create_claim()
        goes_on = cls._create_claim_that_goes_on()
        attribution = cls._create_attribution_change()
        todo_sudo = cls.env["partner.loyalty.todo"].sudo().search([("program_id", "=", cls.program.id)], limit=1)
        return {
            "partner.loyalty.payout": payout,
            "partner.loyalty.adjustment": adjustment,
            "partner.loyalty.deal": deal,
            "partner.loyalty.reward": claim.reward_id,
            "partner.loyalty.reward.file": cls._create_material(),
            "partner.loyalty.release": cls._create_release(),
            "partner.loyalty.fund": cls._create_fund(),
            "partner.loyalty.claim": claim,
            **cls._create_inquiry(),
            **cls._create_closing(),
            "partner.loyalty.acceptance": cls.env["partner.loyalty.acceptance"].create(
                {"member_id": cls.member.id, "contact_id": cls.dealer.id}
            ),
            "partner.loyalty.claim.hour": goes_on.hour_ids,
            "partner.loyalty.claim.milestone": goes_on.milestone_ids,
            "partner.loyalty.attribution": attribution,
            "partner.loyalty.attribution.line": attribution.line_ids,
            "partner.loyalty.attribution.figure": attribution.figure_ids,
            "partner.loyalty.todo": todo_sudo,
            "partner.loyalty.external.order": cls._create_external_order(),
            **cls._create_messages(),
            "partner.loyalty.application": cls.env["partner.loyalty.application"].create(
                {
                    "program_id": cls.program.id,
                    "company_name": "Lumber Inc",
                    "contact_name": "Ada",
                    "email": "ada@example.com",
                }
            ),
        }

    @classmethod
    def _create_messages(cls):
        vals = {"member_id": cls.member.id, "program_id": cls.program.id, "company_id": cls.company.id}
        return {
            "partner.loyalty.message": cls.env["partner.loyalty.message"]
            .sudo()
            .create({**vals, "kind": "welcome", "cause": "welcome"}),
            "partner.loyalty.message.setting": cls.program.message_setting_ids[0],
            "partner.loyalty.announcement": cls.env["partner.loyalty.announcement"].create(
                {"name": "News", "program_id": cls.program.id}
            ),
        }

    @classmethod
    def _create_external_order(cls):
        """Have an order from elsewhere wait for its partner."""
        payload = {
            "date": "2026-03-18 09:00:00",
            "currency": "EUR",
            "partner_code": "NOBODY",
            "customer": {"name": "Ann", "phone": False, "email": "ann@example.com"},
            "lines": [{"product": "Thing", "name": False, "quantity": 1, "price": 10}],
        }
        external = cls.env["partner.loyalty.external.order"].sudo()
        return external.create(
            {
                "external_ref": "A-1",
                "company_id": cls.company.id,
                "user_id": cls.users["salesperson"].id,
                "partner_id": False,
                "partner_code": "NOBODY",
                "payload": payload,
            }
        )

    @classmethod
    def _create_closing(cls):
        """Begin to close February, with an exception."""
        closing = cls.env["partner.loyalty.closing"].create({"program_id": cls.program.id, "date": "2026-02-28"})
        exception_sudo = cls.env["partner.loyalty.closing.exception"].sudo()
        return {
            "partner.loyalty.closing": closing,
            "partner.loyalty.closing.step": closing.step_ids[0],
            "partner.loyalty.closing.exception": exception_sudo.create(
                {"closing_id": closing.id, "member_id": cls.member.id, "reason": "Owes money"}
            ),
        }

    @classmethod
    def _create_inquiry(cls):
        """Have the dealer dispute a line."""
        entry = cls.env["partner.loyalty.entry"].search(
            [("account_id", "=", cls.member._get_account("money").id)], limit=1
        )
        inquiry = cls.env["partner.loyalty.inquiry"].create(
            {"member_id": cls.member.id, "kind": "dispute", "entry_id": entry.id, "name": "Line", "text": "Is wrong"}
        )
        wizards = cls.env["partner.loyalty.inquiry.decide"]
        wizard = wizards.create({"inquiry_id": inquiry.id, "text": "It stands", "decision": "explained"})
        sudo = cls.env(su=True)
        need = sudo["partner.loyalty.need"].create(
            {"member_id": cls.member.id, "name": "Files", "kind": "material", "date": TODAY}
        )
        feedback = cls.env["partner.loyalty.feedback"].create({"member_id": cls.member.id, "csat": 1, "text": "Slow"})
        benefit = sudo["partner.loyalty.benefit"].search([("kind", "=", "material")])
        topic = cls.env["partner.loyalty.topic"].create(
            {
                "program_id": cls.program.id,
                "member_id": cls.member.id,
                "name": "Showrooms",
                "text": "How do you show it?",
            }
        )
        return {record._name: record for record in (inquiry, wizard, need, feedback, benefit, topic)}

    @classmethod
    def _create_claim(cls):
        """Ask for something that the dealer has the points for."""
        cls._post_entry(cls.member, 20, unit="point")
        reward = cls.env["partner.loyalty.reward"].create(
            {"name": "Thing", "program_id": cls.program.id, "product_id": cls.thing.id, "point_cost": 20}
        )
        claim = cls.env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": cls.member.id})
        claim.action_request()
        return claim

    @classmethod
    def _find_reward(cls):
        return cls.env["partner.loyalty.reward"].search([("program_id", "=", cls.program.id)], limit=1)

    @classmethod
    def _create_release(cls):
        product = cls._create_product(name="Bike").product_tmpl_id
        values = {"product_tmpl_id": product.id, "early_date": "2026-05-01", "release_date": "2026-06-01"}
        reward = {
            "name": "First",
            "program_id": cls.program.id,
            "kind": "early",
            "release_ids": [Command.create(values)],
        }
        return cls.env["partner.loyalty.reward"].create(reward).release_ids

    @classmethod
    def _create_fund(cls):
        """Have marketing money for the dealer."""
        days = {"date_from": TODAY, "date_to": "2026-12-31"}
        return cls.env["partner.loyalty.fund"].create(
            {"name": "Fairs", "program_id": cls.program.id, "member_id": cls.member.id, "budget": 500, **days}
        )

    @classmethod
    def _create_material(cls):
        """Give the dealer a file."""
        file = Command.create({"name": "Prices", "file_name": "prices.txt", "file": base64.b64encode(b"1 euro")})
        values = {"name": "Files", "program_id": cls.program.id, "kind": "material", "file_ids": [file]}
        reward = cls.env["partner.loyalty.reward"].create(values)
        claim = cls.env["partner.loyalty.claim"].sudo().create({"reward_id": reward.id, "member_id": cls.member.id})
        claim._set_decision("fulfilled")
        return reward.file_ids

    @classmethod
    def _create_claim_that_goes_on(cls):
        """Give the dealer hours, of which some are spent, and a milestone."""
        values = {"name": "Hours", "program_id": cls.program.id, "kind": "consulting", "hours": 8}
        reward = cls.env["partner.loyalty.reward"].create(values)
        claim = cls.env["partner.loyalty.claim"].sudo().create({"reward_id": reward.id, "member_id": cls.member.id})
        claim._set_decision("approved", hour_amount=8)
        claim.hour_ids = [Command.create({"name": "Workshop", "hours": 2})]
        claim.milestone_ids = [Command.create({"name": "Text"})]
        return claim

    @classmethod
    def _create_attribution_change(cls):
        """Ask for a change that takes a sale from the dealer."""
        cls._create_rule(cls.other_program, role="referrer", kind="order")
        order = cls._create_order(cls.stranger, 100, loyalty_partner_id=cls.dealer.id)
        attribution = cls.env["partner.loyalty.attribution"].create(
            {
                "partner_id": cls.dealer.id,
                "target_partner_id": cls.referrer.id,
                "reason": "Registered by the other",
                "line_ids": [Command.create({"res_model": "sale.order", "res_id": order.id})],
            }
        )
        attribution.action_submit()
        return attribution

    @classmethod
    def _create_internal_records(cls):
        sudo = cls.env(su=True)
        check = sudo["partner.loyalty.check"]._run(cls.program)
        backtest = cls.env["partner.loyalty.backtest"].create(
            {"program_id": cls.program.id, "date_from": "2026-01-01", "date_to": TODAY}
        )
        backtest.action_run()
        chunk = {"program_id": cls.program.id, "first_member_id": 1, "last_member_id": 1}
        return {
            "partner.loyalty.backtest": backtest,
            "partner.loyalty.backtest.line": backtest.line_ids[0],
            "partner.loyalty.backtest.member": backtest.member_ids[0],
            "partner.loyalty.check": check,
            "partner.loyalty.check.line": check.line_ids[0],
            "partner.loyalty.touch": sudo["partner.loyalty.touch"].create({"res_model": "sale.order", "res_id": 1}),
            "partner.loyalty.chunk": sudo["partner.loyalty.chunk"].create(chunk),
        }

    @classmethod
    def _create_dialogs(cls):
        vals = {
            "partner.loyalty.advice": {"program_id": cls.program.id},
            "partner.loyalty.enroll": {"program_id": cls.program.id},
            "partner.loyalty.payout.prepare": {"program_id": cls.program.id},
            "partner.loyalty.payout.refuse": {"reason": "No"},
            "partner.loyalty.payout.hold": {"reason": "No"},
            "partner.loyalty.closing.lock": {"closing_id": cls.env["partner.loyalty.closing"].search([], limit=1).id},
            "partner.loyalty.statement": {"member_ids": [Command.set(cls.member.ids)]},
            "partner.loyalty.payout.approve": {},
            "partner.loyalty.adjustment.refuse": {"reason": "No"},
            "partner.loyalty.deal.price.refuse": {"reason": "No"},
            "partner.loyalty.deal.refuse": {"reason": "No"},
            "partner.loyalty.application.refuse": {"reason": "No"},
            "partner.loyalty.claim.refuse": {"reason": "No"},
            "partner.loyalty.claim.take.back": {"reason": "No"},
            "partner.loyalty.claim.decline": {"reason": "No"},
            "partner.loyalty.invite": {
                "reward_id": cls._find_reward().id,
                "answer_date": TODAY,
            },
            "partner.loyalty.apply.past": {"program_id": cls.program.id},
            "partner.loyalty.takeover": {"member_id": cls.member.id},
            "partner.loyalty.portal.right": {"member_id": cls.member.id},
            "partner.loyalty.tier.override": {
                "tier_id": cls.program.tier_ids[1].id,
                "date_to": "2026-12-31",
                "reason": "Agreed on",
            },
            "partner.loyalty.tier.review.refuse": {"reason": "No"},
            "partner.loyalty.metric.reading": {
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                "program_id": cls.program.id,
            },
            "partner.loyalty.leaderboard": {
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                "program_id": cls.program.id,
            },
            "partner.loyalty.attribution.choose": {
                "attribution_id": cls.env["partner.loyalty.attribution"].search([], limit=1).id
            },
            "partner.loyalty.attribution.refuse": {"reason": "No"},
        }
        return {model: cls.env[model].sudo().create(values) for model, values in vals.items()}


@tagged("post_install", "-at_install")
class TestRights(AccessCommon):
    def _get_rights(self, user, model):
        is_dialog = self.registry[model]._transient
        records = (self.env[model] if is_dialog else self.records[model]).with_user(user)
        self.env.invalidate_all()
        # A right to create does not depend on a record, nor does one on dialogs, which each user has for itself.
        return "".join(
            letter
            for letter, operation in OPERATIONS.items()
            if (records.browse() if operation == "create" else records).has_access(operation)
        )

    def _get_models(self):
        return [
            name for name, model in self.registry.items() if name.startswith("partner.loyalty.") and not model._abstract
        ]

    def test_each_role_may_do_what_it_should_and_nothing_else(self):
        for model, rights in RIGHTS.items():
            for role, expected in {**NOBODY, **rights}.items():
                with self.subTest(model=model, role=role):
                    self.assertEqual(self._get_rights(self.users[role], model), expected)

    def test_each_model_has_its_row_in_the_table(self):
        self.assertEqual(sorted(self._get_models()), sorted(RIGHTS))

    def test_each_dialog_is_for_who_opened_it_alone(self):
        for model in self._get_models():
            if not self.registry[model]._transient:
                continue
            rules = self.env["ir.rule"].sudo().search([("model_id.model", "=", model), ("groups", "=", False)])
            with self.subTest(model=model):
                message = "Add a rule to security/partner_loyalty_dialog_security.xml"
                self.assertEqual(rules.mapped("domain_force"), ["[('create_uid', '=', user.id)]"], message)

    def test_nobody_reads_the_dialog_of_somebody_else(self):
        for model, record in self.records.items():
            role = next((role for role, rights in RIGHTS[model].items() if "r" in rights), None)
            if not record._transient or not role:
                continue
            with self.subTest(model=model, role=role):
                others = record.with_user(self.users[role])
                self.assertFalse(others.search([("id", "in", record.ids)]))
                with self.assertRefused("", AccessError):
                    others.read()

    def test_each_model_with_a_company_is_guarded_by_a_rule_for_companies(self):
        for model in self._get_models():
            if self.registry[model]._transient or "company_id" not in self.env[model]._fields:
                continue
            rules = self.env["ir.rule"].sudo().search([("model_id.model", "=", model), ("groups", "=", False)])
            with self.subTest(model=model):
                self.assertIn("'company_id', 'in', company_ids", " ".join(rules.mapped("domain_force")))

    def test_portal_users_find_what_is_of_their_own_company_and_nothing_else(self):
        self._post_entry(self.other_program.member_ids, 5)
        own, other = self.users["portal_own"], self.users["portal_other"]
        for model, record in self.records.items():
            if "r" not in RIGHTS[model].get("portal_own", ""):
                continue
            with self.subTest(model=model):
                found = self.env[model].with_user(own).search([])
                self.assertIn(record, found.with_env(self.env))
                self.assertNotIn(record, self.env[model].with_user(other).search([]).with_env(self.env))
                self.assertFalse(found.sudo().program_id - self.program if "program_id" in found else False)

    def test_portal_users_read_their_statement_with_its_causes(self):
        self._answer_documents()
        own = self.users["portal_own"]
        entries = self.env["partner.loyalty.entry"].with_user(own).search([], order="id")
        self.assertEqual(entries.sudo().account_id.member_id, self.member)
        texts = entries.mapped(lambda entry: (entry.origin_name, entry.explanation_text, entry.amount))
        self.assertIn(("INV/2026/00001", "10 % of 100.00\N{NO-BREAK SPACE}€; tier Silver; Commission", 10), texts)
        groups = entries.formatted_read_group([], ["type"], ["money_amount:sum"])
        self.assertEqual(sum(group["money_amount:sum"] for group in groups), self.member.money_balance)
        self.assertEqual(self.member.with_user(own).read(["money_balance"])[0]["money_balance"], 10)

    def test_other_portal_users_read_nothing_of_a_statement_by_its_ids(self):
        other = self.users["portal_other"]
        for model, record in self.records.items():
            if self.registry[model]._transient:
                continue
            refused = record.with_user(other)
            with self.subTest(model=model):
                with self.assertRefused("", AccessError):
                    refused.read()
                with self.assertRefused("", AccessError):
                    refused.web_read({"id": {}, "display_name": {}})

    def test_portal_users_do_not_see_draft_payouts_and_programs(self):
        own = self.users["portal_own"]
        draft = self._create_program([{}], start=False, name="Secret")
        member = self._enroll(draft, self.dealer)
        self._post_entry(member, 10)
        payout = self._create_payout(member)
        for record in (draft, draft.rule_ids, payout):
            with self.subTest(record=record), self.assertRefused("", AccessError):
                record.with_user(own).read(["display_name"])

    def test_the_figures_on_a_partner_are_for_officers_and_its_salesperson(self):
        for role in ("internal", "portal_own"):
            with self.subTest(role=role), self.assertRefused("", AccessError):
                self.dealer.with_user(self.users[role]).read(["loyalty_member_ids"])
        for role in ("officer", "salesperson_own"):
            with self.subTest(role=role):
                self.assertEqual(self.dealer.with_user(self.users[role]).loyalty_member_count, 1)
        self.assertEqual(self.dealer.with_user(self.users["salesperson"]).loyalty_member_count, 0)


@tagged("post_install", "-at_install")
class TestSalesperson(AccessCommon):
    """Selling goes on as ever for people who know nothing of loyalty."""

    def test_whoever_may_duplicate_a_contact_or_a_document_goes_on_doing_so(self):
        self.dealer_contact.loyalty_portal_right = "owner"
        contact = self.dealer_contact.with_user(self.users["salesperson_own"]).copy()
        self.assertFalse(contact.sudo().loyalty_portal_right)
        order = self._create_order(self.dealer, 100)
        order.user_id = self.users["salesperson_own"]
        self.assertTrue(order.with_user(self.users["salesperson_own"]).copy())
        invoice = self._create_sale_invoice(self.dealer, 100)
        self.assertTrue(invoice.with_user(self.users["accountant"]).copy())

    def test_no_field_of_ours_that_few_may_read_is_copied_with_something_of_odoo(self):
        for model in CORE_MODELS:
            for name, field in self.env[model]._fields.items():
                if field.groups and field._module and field._module.startswith("partner_loyalty"):
                    with self.subTest(model=model, field=name):
                        self.assertFalse(field.copy)

    def test_a_salesperson_without_any_right_confirms_invoices_and_cancels(self):
        seller = self.users["salesperson"]
        program = self._create_program([{"kind": "order"}, {"role": "referrer"}])
        self._enroll(program, self.stranger, self.referrer)
        order = (
            self.env["sale.order"]
            .with_user(seller)
            .create(
                {
                    "partner_id": self.stranger.id,
                    "loyalty_partner_id": self.referrer.id,
                    "order_line": [Command.create({"product_id": self.thing.id, "price_unit": 100})],
                }
            )
        )
        order.action_confirm()
        order.order_line.price_unit = 150
        invoice = order._create_invoices()
        invoice.sudo().action_post()
        self._answer_documents()
        order.with_user(seller)._action_cancel()
        entries = self._answer_documents()
        self.assertEqual(entries.filtered(lambda entry: entry.program_id == program).mapped("amount"), [-15])

    def test_a_document_is_opened_from_the_statement_by_who_may_read_it(self):
        seller = self.users["salesperson_own"]
        self._enroll(self._create_program([{"kind": "order"}], name="Order Club"), self.dealer)
        order = self._create_order(self.dealer, 100)
        entry = self._answer_documents().filtered(lambda entry: entry.origin_id == order.id)
        for user, can_open in ((seller, True), (self.users["salesperson"], False)):
            order.user_id = user
            self.env.invalidate_all()
            with self.subTest(user=user.name):
                self.assertEqual(entry.with_user(seller).can_open_document, can_open)

    def test_an_accountant_opens_documents_but_no_leads_from_the_performance(self):
        Contribution = self.env["partner.loyalty.contribution"].with_user(self.users["accountant"])
        self._create_sale_invoice(self.dealer, 100)
        self.env["crm.lead"].create({"name": "Deal", "partner_id": self.dealer.id}).action_set_won()
        for kind, can_open in (("invoice", True), ("opportunity", False)):
            with self.subTest(kind=kind):
                row = Contribution.search([("kind", "=", kind), ("partner_id", "=", self.dealer.id)], limit=1)
                self.assertTrue(row)
                self.assertEqual(row.can_open_document, can_open)

    def test_the_form_of_an_invoice_counts_payments_for_who_may_read_them(self):
        for role, may_read in (("salesperson", False), ("accountant", True)):
            Move = self.env["account.move"].with_user(self.users[role])
            form = Move.get_view(self.env.ref("account.view_move_form").id, "form")["arch"]
            with self.subTest(role=role):
                self.assertEqual("payment_count" in form, may_read)

    def test_a_salesperson_writes_the_referrer_on_leads_orders_and_sees_it(self):
        seller = self.users["salesperson"]
        lead = self.env["crm.lead"].with_user(seller).create({"name": "Deal", "loyalty_partner_id": self.referrer.id})
        self.assertEqual(lead.read(["loyalty_partner_id"])[0]["loyalty_partner_id"][0], self.referrer.id)

    def test_an_accountant_posts_pays_and_credits_without_loyalty_rights(self):
        accountant = self.users["accountant"]
        invoice = self._create_sale_invoice(self.dealer, 100, post=False).with_user(accountant)
        invoice.action_post()
        payment = (
            self.env["account.payment.register"]
            .with_user(accountant)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_date": TODAY})
            ._create_payments()
        )
        self.assertTrue(payment)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertFalse(
            self._answer_documents().filtered(lambda entry: entry.origin_id == invoice.id and entry.amount)
        )

    def test_an_accountant_handles_the_bill_of_a_payout_without_loyalty_rights(self):
        accountant = self.users["accountant"]
        payout = self.records["partner.loyalty.payout"]
        payout.with_user(self.users["manager"]).action_approve()
        bill = payout.bill_id.with_user(accountant)
        bill.action_post()
        self.assertEqual(payout.state, "billed")
        wizard = self.env["account.payment.register"].with_user(accountant)
        wizard.with_context(active_model="account.move", active_ids=bill.ids).create({})._create_payments()
        self.assertEqual(payout.state, "paid")


class CallsCommon(AccessCommon):
    """Helpers to call whatever clients can call, and to see whether that has had any effect."""

    def _get_public_methods(self, model):
        """Return the methods that our code adds to what clients can call on a model."""
        cls = self.registry[model]
        inherited = set(dir(models.BaseModel)) | set(dir(self.registry["mail.thread"]))
        inherited |= set(dir(self.registry["mail.activity.mixin"]))
        return {
            name
            for name, method in inspect.getmembers(cls, inspect.isfunction)
            if not name.startswith("_")
            and name not in inherited
            and method.__module__.startswith("odoo.addons.partner_loyalty")
            and not getattr(method, "_api_private", False)
        }

    def _get_loyalty_models(self):
        return [name for name in self.registry if name.startswith("partner.loyalty.")]

    def _get_state(self):
        """Return all that our tables hold."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'partner\\_loyalty\\_%' ORDER BY tablename"
        )
        state = {}
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(f"SELECT to_jsonb(t) - 'write_date' - 'write_uid' FROM {table} t ORDER BY 1")
            state[table] = self.env.cr.fetchall()
        return state

    def _call_and_expect_no_effect(self, record, name, before):
        self.env.invalidate_all()
        with suppress(UserError), self.env.cr.savepoint():
            getattr(record, name)()
            self.env.flush_all()
        self.assertUnchanged(before)

    def _call_generic(self, record, name, args, before):
        """Call a method of the ORM, which may be refused in any way, and check that it has had no effect."""
        self.env.invalidate_all()
        with suppress(Exception), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            getattr(record, name)(*args)
            self.env.flush_all()
        self.assertUnchanged(before)

    def assertUnchanged(self, before):
        """Check that our tables hold what they did; name those that do not."""
        self.env.invalidate_all()
        state = self._get_state()
        self.assertEqual([table for table in before if state[table] != before[table]], [])


@tagged("post_install", "-at_install")
class TestCalls(CallsCommon):
    """What clients can call: buttons, and nothing else."""

    def test_only_buttons_are_public(self):
        found = 0
        for model in (*self._get_loyalty_models(), *CORE_MODELS):
            methods = self._get_public_methods(model)
            found += len(methods)
            with self.subTest(model=model):
                others = {name for name in methods if not name.startswith("action_")}
                self.assertEqual(others, API_METHODS.get(model, set()))
        self.assertGreater(found, 20)

    def test_the_methods_that_write_the_ledger_are_private(self):
        from odoo.service.model import get_public_method

        for model, name in (
            ("partner.loyalty.entry", "_post"),
            ("partner.loyalty.entry", "_post_vals"),
            ("partner.loyalty.entry", "_settle"),
            ("partner.loyalty.rule", "_reconcile"),
            ("partner.loyalty.touch", "_answer"),
            ("partner.loyalty.touch", "_cron_reconcile_touched"),
            ("partner.loyalty.program", "_apply_to_past"),
            ("partner.loyalty.payout", "_set_decision"),
            ("partner.loyalty.member", "_merge_into"),
            ("partner.loyalty.adjustment", "_set_decision"),
            ("partner.loyalty.adjustment", "_post_to_ledger"),
            ("partner.loyalty.deal", "_set_decision"),
            ("partner.loyalty.deal", "_attribute_lead"),
            ("partner.loyalty.deal", "_decide_on_price"),
            ("partner.loyalty.deal", "_give_price"),
            ("partner.loyalty.news", "_mark_read"),
            ("partner.loyalty.claim", "_set_decision"),
            ("partner.loyalty.claim", "_grant"),
            ("partner.loyalty.claim", "_fulfill"),
            ("partner.loyalty.claim", "_take_answer"),
            ("partner.loyalty.tier.entitlement", "_grant_batch"),
            ("partner.loyalty.reward", "_fulfill"),
            ("partner.loyalty.backtest", "_run"),
            ("partner.loyalty.backtest", "_play"),
            ("partner.loyalty.backtest", "_insert_rows"),
            ("partner.loyalty.attribution", "_set_decision"),
            ("partner.loyalty.attribution", "_move_documents"),
            ("partner.loyalty.bonus.action", "_run_safely"),
            ("partner.loyalty.bonus.run", "_undo"),
            ("partner.loyalty.bonus.line", "_give"),
            ("partner.loyalty.tier.review", "_propose"),
            ("partner.loyalty.tier.review", "_publish"),
            ("partner.loyalty.tier.review", "_set_decision"),
            ("partner.loyalty.badge", "_award"),
            ("partner.loyalty.warning", "_answer"),
            ("partner.loyalty.program", "_get_leaderboard"),
            ("partner.loyalty.application", "_apply"),
            ("partner.loyalty.message", "_cron_send"),
            ("partner.loyalty.announcement", "_queue"),
            ("partner.loyalty.external.order", "_take_order"),
            ("partner.loyalty.external.order", "_process"),
        ):
            with self.subTest(name=name), self.assertRefused("", AccessError):
                get_public_method(self.env[model], name)

    def test_users_without_rights_call_no_button_with_any_effect(self):
        for role in ("public", "portal_own", "portal_other", "internal", "salesperson_own", "accountant", "settings"):
            before = self._get_state()
            called = 0
            for model, record in self.records.items():
                for name in sorted(self._get_public_methods(model)):
                    called += 1
                    with self.subTest(role=role, model=model, method=name):
                        self._call_and_expect_no_effect(record.with_user(self.users[role]), name, before)
            self.assertGreater(called, 15)

    def test_users_without_rights_have_no_effect_by_what_documents_and_contacts_can_do(self):
        documents = [
            self._create_order(self.dealer, 100),
            self._create_sale_invoice(self.dealer, 100),
            self.env["crm.lead"].create({"name": "Hotel", "partner_id": self.dealer.id}),
            self.env["utm.campaign"].create({"name": "Spring"}),
            self.dealer,
        ]
        self._write_marks()
        called, before = set(), self._get_state()
        for role in ("public", "portal_own", "portal_other", "internal", "settings"):
            for document in documents:
                for name in self._get_public_methods(document._name) - API_METHODS.get(document._name, set()):
                    called.add((document._name, name))
                    with self.subTest(role=role, model=document._name, method=name):
                        self._call_and_expect_no_effect(document.with_user(self.users[role]), name, before)
        self.assertGreater(len(called), 8)

    def test_officers_have_an_effect_by_their_own_buttons_alone(self):
        officer, before, found = self.users["officer"], self._get_state(), set()
        for model, record in self.records.items():
            for name in sorted(self._get_public_methods(model)):
                with suppress(UserError), mute_logger("odoo.sql_db"), self.env.cr.savepoint() as savepoint:
                    self.env.invalidate_all()
                    getattr(record.with_user(officer), name)()
                    self.env.flush_all()
                    if self._get_state() != before:
                        found.add(f"{model}.{name}")
                    savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(found, OFFICERS_BUTTONS)

    def test_generic_methods_do_not_let_a_portal_user_write(self):
        own = self.users["portal_own"]
        before = self._get_state()
        for model, record in self.records.items():
            mine = record.with_user(own)
            for name, args in (
                ("write", ({"name": "Mine"},)),
                ("write", ({"amount": 1},)),
                ("write", ({"date_from": "2020-01-01"},)),
                ("unlink", ()),
                ("copy", ()),
                ("action_archive", ()),
                ("message_post", ()),
                ("web_save", ({"display_name": "x"}, {})),
            ):
                if not hasattr(mine, name):
                    continue
                with self.subTest(model=model, method=name):
                    self._call_generic(mine, name, args, before)
