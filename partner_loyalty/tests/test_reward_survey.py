"""Trainings and certifications as rewards: who is invited, when the claim is fulfilled, and what is refused."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Datetime
from odoo.tests import tagged

from .common_claim import ClaimCommon


class SurveyRewardCommon(ClaimCommon):
    roles = ("salesperson", "officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["officer"].email = "officer@example.com"
        cls.dealer_contact.email = "joe@example.com"
        cls.survey = cls._create_survey()
        cls.training = cls._create_reward(name="Basics", kind="training", survey_id=cls.survey.id)
        cls.certification = cls._create_reward(name="Trainer", kind="certification", survey_id=cls.survey.id)

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("survey.group_survey_user")

    def _invite(self, reward, **values):
        return self._approve(reward, contact_id=self.dealer_contact.id, **values)


@tagged("post_install", "-at_install")
class TestRewardSurvey(SurveyRewardCommon):
    # === INVITATION ===#

    def test_the_chosen_contact_is_invited_by_who_sees_to_it(self):
        claim = self._invite(self.training)
        answer = claim.sudo().answer_id
        self.assertRecordValues(claim, [{"state": "approved", "contact_id": self.dealer_contact.id}])
        self.assertRecordValues(answer, [{"survey_id": self.survey.id, "state": "new", "email": "joe@example.com"}])
        mail = self.env["mail.mail"].search([("recipient_ids", "=", self.dealer_contact.id)])
        self.assertIn(answer.access_token, mail.body_html)
        self.assertIn("officer@example.com", mail.email_from)

    def test_the_company_takes_part_where_nobody_is_chosen(self):
        self.dealer.email = "dealer@example.com"
        claim = self._approve(self.training)
        self.assertEqual((claim.contact_id, claim.sudo().answer_id.partner_id), (self.dealer, self.dealer))

    def test_who_has_no_address_is_invited_once_it_is_there(self):
        self.dealer_contact.email = False
        claim = self._invite(self.training)
        self.assertIn("has no e-mail address", claim.message_ids[0].body)
        with self.assertRefused("has no e-mail address and was not invited"):
            claim.action_send_invitation()
        self.dealer_contact.email = "joe@example.com"
        claim.action_send_invitation()
        self.assertTrue(self.env["mail.mail"].search([("recipient_ids", "=", self.dealer_contact.id)]))
        self.assertEqual(len(self.survey.user_input_ids), 1)

    def test_only_what_was_approved_invites(self):
        claim = self._request(self.training)
        self.assertFalse(self.survey.user_input_ids)
        with self.assertRefused("invites nobody"):
            claim.action_send_invitation()
        with self.assertRefused("invites nobody"):
            self._approve(self._create_reward(point_cost=1)).action_send_invitation()
        with self.assertRefused("", AccessError):
            claim.with_user(self.users["salesperson"]).action_send_invitation()

    def test_contacts_of_others_take_no_part(self):
        with self.assertRefused("does not belong to Dealer", ValidationError):
            self._create_claim(self.training, contact_id=self.stranger.id)

    def test_who_takes_part_stands_from_the_request_on(self):
        claim = self._request(self.training)
        with self.assertRefused("cannot be changed any more"):
            claim.contact_id = self.dealer_contact
        with self.assertRefused("use the buttons", AccessError):
            claim.answer_id = self.survey._create_answer(email="me@example.com")

    def test_a_claim_invites_one_contact(self):
        reward = self._create_reward(kind="training", survey_id=self.survey.id, point_cost=1)
        with self.assertRefused("claim it once for each"):
            self._request(reward, quantity=2)

    def test_the_reward_says_what_is_missing(self):
        poll = self._create_survey(certification=False)
        for kind, survey, words in (
            ("training", poll.browse(), "choose its survey"),
            ("certification", poll.browse(), "choose a survey that is one"),
            ("certification", poll, "choose a survey that is one"),
        ):
            with self.subTest(kind=kind, survey=survey), self.assertRefused(words, ValidationError):
                self._create_reward(kind=kind, survey_id=survey.id)

    # === FULFILLMENT ===#

    def test_a_training_is_had_when_it_is_finished(self):
        claim = self._invite(self.training)
        with self.assertRefused("Joe of Dealer has not finished “Product Trainer” yet"):
            claim.action_fulfill()
        self._finish(claim.sudo().answer_id, right=False)
        self.assertEqual(claim.state, "fulfilled")
        self.assertFalse(claim.activity_ids)

    def test_a_certification_is_had_when_it_is_passed(self):
        claim = self._invite(self.certification)
        self._finish(claim.sudo().answer_id, right=False)
        self.assertEqual(claim.state, "approved")
        with self.assertRefused("has not passed"):
            claim.action_fulfill()
        again = self.survey._create_answer(partner=self.dealer_contact, check_attempts=False)
        self._finish(again)
        self.assertEqual((claim.state, claim.sudo().answer_id), ("fulfilled", again))

    def test_an_answer_is_for_the_claim_that_it_was_made_for(self):
        first, second = (self._invite(self._prepare_cheap()) for _number in range(2))
        self._finish(second.sudo().answer_id)
        self.assertEqual((first.state, second.state), ("approved", "fulfilled"))

    def _prepare_cheap(self):
        return self._create_reward(kind="training", survey_id=self.survey.id, point_cost=1)

    def test_tests_and_answers_of_others_fulfill_nothing(self):
        claim = self._invite(self.training)
        self._finish(self.survey._create_answer(partner=self.dealer_contact, check_attempts=False, test_entry=True))
        self._finish(self.survey._create_answer(partner=self.referrer, check_attempts=False))
        self.assertEqual(claim.state, "approved")

    def test_a_canceled_claim_closes_the_invitation(self):
        claim = self._invite(self.training)
        claim.with_user(self.users["manager"]).action_cancel()
        answer = claim.sudo().answer_id
        self.assertLessEqual(answer.deadline, Datetime.now())
        self._finish(answer)
        self.assertEqual(claim.state, "canceled")

    def test_a_bonus_whose_reward_cannot_begin_gives_all_else(self):
        self.survey.active = False
        self.training.need_approval = False
        refused = self.env["partner.loyalty.claim"]._grant(self.training, self._create_bonus_line())
        self.assertIn("archived", next(iter(refused.values())))

    def _create_bonus_line(self):
        action = self.env["partner.loyalty.bonus.action"].create({"name": "Welcome", "program_id": self.program.id})
        run = self.env["partner.loyalty.bonus.run"].browse(action.action_preview()["res_id"])
        return run.line_ids.filtered(lambda line: line.member_id == self.member)

    def test_what_goes_wrong_with_a_reward_keeps_nobody_from_finishing(self):
        claim = self._invite(self.certification)
        self.env.cr.execute("UPDATE partner_loyalty_reward SET survey_id = NULL WHERE id = %s", [claim.reward_id.id])
        self.env.invalidate_all()
        answer = claim.sudo().answer_id
        self._finish(answer)
        self.assertEqual((answer.state, claim.state), ("done", "approved"))
        with self.assertRefused("", UserError):
            claim.action_fulfill()
