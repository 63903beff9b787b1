from decimal import Decimal

from odoo.fields import Command

from .common import PartnerLoyaltyCommon


class ClaimCommon(PartnerLoyaltyCommon):
    """A program whose dealer has 100 points in two lots, and a gift for 60."""

    roles = ("salesperson", "officer", "manager", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 0}], tiers=[("Silver", 0), ("Gold", 5000)])
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.lots = cls._post_entry(cls.member, 40, unit="point", expiry_date="2026-03-31")
        cls.lots += cls._post_entry(cls.member, 60, unit="point")
        cls.gift = cls._create_reward()

    @classmethod
    def _create_reward(cls, **values):
        """Create a gift for 60 points that needs approval."""
        return cls.env["partner.loyalty.reward"].create(
            {
                "name": "Backpack",
                "program_id": cls.program.id,
                "kind": "product",
                "product_id": cls.thing.id,
                "point_cost": 60,
                "user_id": cls.users["officer"].id,
                **values,
            }
        )

    @classmethod
    def _create_claim(cls, reward=None, member=None, user=None, **values):
        claims = cls.env["partner.loyalty.claim"].with_user(user or cls.users["officer"])
        vals = {"reward_id": (reward or cls.gift).id, "member_id": (member or cls.member).id, **values}
        return claims.create(vals)

    @classmethod
    def _request(cls, reward=None, **values):
        claim = cls._create_claim(reward, **values)
        claim.action_request()
        return claim

    @classmethod
    def _approve(cls, reward=None, **values):
        claim = cls._request(reward, **values)
        claim.with_user(cls.users["manager"]).action_approve()
        return claim

    def assertPoints(self, open_amounts, available):
        """Check what is open on the two lots, and what can be spent."""
        self.env.invalidate_all()
        account = self.member._get_account("point")
        self.assertEqual(self.lots.mapped("amount_open"), open_amounts)
        self.assertEqual(account._get_available().get(account.id, 0), Decimal(available))

    # === SURVEYS ===#

    @classmethod
    def _create_survey(cls, **values):
        """Create a certification with one question, whose first answer is right."""
        answers = [
            Command.create({"value": "A chair", "is_correct": True, "answer_score": 10}),
            Command.create({"value": "A table", "answer_score": 0}),
        ]
        question = {"title": "What is it?", "question_type": "simple_choice", "suggested_answer_ids": answers}
        return cls.env["survey.survey"].create(
            {
                "title": "Product Trainer",
                "access_mode": "token",
                "scoring_type": "scoring_without_answers",
                "certification": True,
                "scoring_success_min": 50,
                "question_and_page_ids": [Command.create(question)],
                **values,
            }
        )

    def _finish(self, answer, right=True):
        """Answer as somebody who has the link, without any login."""
        public = self.env(user=self.env.ref("base.public_user"))
        answer_sudo = answer.with_env(public).sudo()
        question = answer_sudo.survey_id.question_ids
        answer_sudo._save_lines(question, str(question.suggested_answer_ids[0 if right else 1].id))
        answer_sudo._mark_done()
        self.env.invalidate_all()
