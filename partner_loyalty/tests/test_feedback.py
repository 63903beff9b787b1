"""What members say: who is asked when, what becomes of it, and that it pays nobody."""

from datetime import date

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.tests import RecordCapturer, freeze_time, tagged

from .common import PartnerLoyaltyCommon

LOGGER = "odoo.addons.partner_loyalty.models.partner_loyalty_feedback_policy"


class FeedbackCommon(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.needs = cls.env.ref("partner_loyalty.survey_needs")
        cls.satisfaction = cls.env.ref("partner_loyalty.survey_satisfaction")
        cls.program = cls._create_program([{"rate": 10}], user_id=cls.users["officer"].id)
        cls.users["officer"].email = "officer@example.com"
        cls.dealer.email = "dealer@example.com"
        cls.member = cls._enroll(cls.program, cls.dealer)

    def _ask(self, **surveys):
        """Ask as the scheduled action does."""
        self.program.sudo().write(surveys)
        return self.program.with_user(SUPERUSER_ID)._ask_members().with_env(self.env)

    def _ask_needs(self):
        return self._ask(needs_survey_id=self.needs.id)

    def _ask_satisfaction(self):
        """Ask half a year after the dealer has joined."""
        with freeze_time("2026-07-02 10:00:00"):
            return self._ask(satisfaction_survey_id=self.satisfaction.id)

    def _answer(self, invitation, values):
        """Answer as somebody does who has followed the link.

        :param dict values: answers by the last part of the id of the question
        """
        invitation_sudo = invitation.sudo()
        for name, value in values.items():
            question = self.env.ref(f"partner_loyalty.survey_{name}").sudo()
            # As a browser sends it.
            invitation_sudo._save_lines(question, value if isinstance(value, list) else str(value))
        invitation_sudo.with_user(self.env.ref("base.public_user")).sudo()._mark_done()

    def _say_satisfied(self, csat, nps, text=""):
        answers = self._ask_satisfaction()
        values = {"satisfaction_csat": csat, "satisfaction_nps": nps, "satisfaction_comment": text}
        self._answer(answers, {name: value for name, value in values.items() if value != ""})
        return self.env["partner.loyalty.feedback"].search([])

    def _comment(self, **values):
        feedback = self.env["partner.loyalty.feedback"].sudo()
        return feedback.create({"member_id": self.member.id, **values}).with_user(self.users["officer"])


# Why something is refused by a test.
REASON = "No"


@tagged("post_install", "-at_install")
class TestAskMembers(FeedbackCommon):
    def test_a_new_member_is_asked_once_what_matters(self):
        with RecordCapturer(self.env["mail.mail"].sudo()) as capturer:
            answer = self._ask_needs()
            self.assertFalse(self._ask_needs())
        self.assertRecordValues(
            answer,
            [
                {
                    "survey_id": self.needs.id,
                    "partner_id": self.dealer.id,
                    "loyalty_member_id": self.member.id,
                    "loyalty_purpose": "needs",
                    "loyalty_due_date": date(2026, 1, 1),
                }
            ],
        )
        mail = capturer.records
        self.assertEqual(mail.recipient_ids, self.dealer)
        self.assertIn(answer.access_token, mail.body_html)
        self.assertIn("officer@example.com", mail.email_from)

    def test_each_year_members_are_asked_again_and_once(self):
        self._ask_needs()
        with freeze_time("2026-12-31 10:00:00"):
            self.assertFalse(self._ask_needs())
        with freeze_time("2028-05-01 10:00:00"):
            # A year was missed, and is not made up for.
            self.assertEqual(self._ask_needs().loyalty_due_date, date(2028, 1, 1))
            self.assertFalse(self._ask_needs())

    def test_satisfaction_is_asked_half_a_year_after_joining(self):
        self.assertFalse(self._ask(satisfaction_survey_id=self.satisfaction.id))
        self.assertEqual(self._ask_satisfaction().loyalty_due_date, date(2026, 7, 1))
        self.assertFalse(self._ask_satisfaction())

    def test_who_is_asked_one_thing_is_not_asked_another_in_the_same_month(self):
        surveys = {"needs_survey_id": self.needs.id, "satisfaction_survey_id": self.satisfaction.id}
        with freeze_time("2026-07-02 10:00:00"):
            self.assertEqual(self._ask(**surveys).loyalty_purpose, "needs")
            self.assertFalse(self._ask())
            self.env.flush_all()
            self.env.cr.execute("UPDATE survey_user_input SET create_date = '2026-06-01 10:00:00'")
            self.assertEqual(self._ask().loyalty_purpose, "satisfaction")

    def test_a_shorter_rhythm_asks_nobody_twice_in_a_month(self):
        self._ask_satisfaction()
        self.program.satisfaction_months = 1
        with freeze_time("2026-08-01 08:00:00"):
            # It is due again, though the mail is a month old by an hour less.
            self.assertFalse(self._ask())

    def test_who_is_not_asked(self):
        for why, change in (
            ("it has no address", lambda: self.dealer.write({"email": False})),
            ("it wants no mail", lambda: self.env["mail.blacklist"].sudo()._add(self.dealer.email)),
            ("it was suspended", lambda: self.member.sudo().write({"suspended": True})),
            ("it has left", lambda: self.member.period_ids.write({"date_to": "2026-03-01"})),
            ("it is archived", lambda: self.dealer.write({"active": False})),
        ):
            with self.subTest(why=why), self.env.cr.savepoint() as savepoint:
                change()
                self.assertFalse(self._ask_needs())
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_contact_is_asked_where_the_company_has_no_address(self):
        self.dealer.email = False
        self.dealer_contact.email = "joe@dealer.example"
        self.assertEqual(self._ask_needs().partner_id, self.dealer_contact)

    def test_the_scheduled_action_asks(self):
        self.program.sudo().needs_survey_id = self.needs
        self._run_cron("ir_cron_ask_members")
        self.assertEqual(self.needs.sudo().user_input_ids.loyalty_member_id, self.member)

    def test_one_member_who_cannot_be_asked_does_not_keep_the_others(self):
        self.referrer.email = "referrer@example.com"
        other = self._enroll(self.program, self.referrer)
        ask = type(self.program)._ask_member

        def ask_and_fail(program, purpose, member, contact, due_date):
            answer = ask(program, purpose, member, contact, due_date)
            if member == self.member:
                raise UserError(REASON)
            return answer

        self.patch(type(self.program), "_ask_member", ask_and_fail)
        with self.assertLogs(LOGGER, "WARNING"):
            self.assertEqual(self._ask_needs().loyalty_member_id, other)

    def test_a_survey_that_tells_nothing_is_refused(self):
        program = self.program.sudo()
        with self.assertRefused("No question of"):
            program.needs_survey_id = self.satisfaction
        with self.assertRefused("No question of"):
            program.satisfaction_survey_id = self.needs
        with self.assertRefused("is archived"):
            self.needs.sudo().action_archive()
            program.needs_survey_id = self.needs
        with self.assertRefused("enter a number in between"):
            program.needs_months = 0

    def test_a_survey_that_was_archived_since_it_was_chosen_asks_nobody(self):
        self.program.sudo().needs_survey_id = self.needs
        self.needs.sudo().action_archive()
        with self.assertLogs("odoo.addons.partner_loyalty.models.partner_loyalty_feedback_policy", "WARNING") as logs:
            self.assertFalse(self._ask())
        self.assertIn("is archived", logs.output[0])
        self.needs.sudo().action_unarchive()
        self.assertEqual(self._ask().loyalty_member_id, self.member)

    def test_nobody_says_by_hand_whom_an_answer_is_of(self):
        answer = self._ask_needs()
        manager = self._create_role_user("survey", "survey.group_survey_manager")
        for vals in ({"loyalty_member_id": False}, {"loyalty_purpose": "satisfaction"}):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                answer.with_user(manager).write(vals)


@tagged("post_install", "-at_install")
class TestNeed(FeedbackCommon):
    def _say_needs(self, *kinds, other=""):
        question = self.env.ref("partner_loyalty.survey_needs_benefits").sudo()
        choices = question.suggested_answer_ids.filtered(lambda choice: choice.loyalty_reward_kind in kinds)
        answers = {"needs_benefits": [str(choice.id) for choice in choices]}
        self._answer(self._ask_needs(), {**answers, **({"needs_other": other} if other else {})})

    def test_what_matters_is_noted_and_replaced(self):
        self._say_needs("training", "price", other="A local warehouse")
        needs = self.member.need_ids
        self.assertEqual(
            sorted(needs.mapped(lambda need: (need.name, need.kind))),
            [("A local warehouse", False), ("Special prices", "price"), ("Training for our people", "training")],
        )
        with freeze_time("2027-01-02 10:00:00"):
            self._say_needs("event")
        self.assertEqual(self.member.need_ids.mapped("kind"), ["event"])

    def test_what_matters_is_read_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        choice = self.env.ref("partner_loyalty.survey_needs_benefits_training").sudo()
        choice.with_context(lang="uk_UA").value = "Навчання"
        self._say_needs("training")
        need = self.member.need_ids
        self.assertEqual(need.name, "Training for our people")
        self.assertEqual(need.with_context(lang="uk_UA").name, "Навчання")

    def test_segments_go_by_what_matters(self):
        self._enroll(self.program, self.referrer)
        self._say_needs("training")
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Want training", "member_domain": "[('need_ids.kind', '=', 'training')]"}
        )
        partners = self.env["res.partner"].search(segment._get_partner_domain(self.program))
        self.assertEqual(partners, self.dealer)

    def test_what_matters_stands_beside_what_is_used(self):
        self._say_needs("training", "price")
        for kind, values in (("training", {}), ("consulting", {"hours": 5})):
            survey = {"survey_id": self.needs.id} if kind == "training" else {}
            reward = (
                self.env["partner.loyalty.reward"]
                .sudo()
                .create({"name": kind, "program_id": self.program.id, "kind": kind, **values, **survey})
            )
            claim = (
                self.env["partner.loyalty.claim"].sudo().create({"reward_id": reward.id, "member_id": self.member.id})
            )
            claim._set_decision("fulfilled")
        rows = self.env["partner.loyalty.benefit"].with_user(self.users["officer"]).search([])
        figures = {row.kind: (row.wanted_count, row.used_count, row.unmet_count, row.idle_count) for row in rows}
        self.assertEqual(figures, {"training": (1, 1, 0, 0), "price": (1, 0, 1, 0), "consulting": (0, 1, 0, 1)})


@tagged("post_install", "-at_install")
class TestFeedback(FeedbackCommon):
    def test_who_is_not_satisfied_is_a_to_do(self):
        feedback = self._say_satisfied(2, 3, "Deliveries are late")
        self.assertRecordValues(
            feedback,
            [
                {
                    "member_id": self.member.id,
                    "source": "survey",
                    "csat": 2,
                    "nps": 3,
                    "nps_group": "detractor",
                    "text": "Deliveries are late",
                    "is_low": True,
                    "state": "new",
                    "user_id": self.users["officer"].id,
                }
            ],
        )
        self.assertIn("Dealer is not satisfied", feedback.activity_ids.summary)
        todo = self.env["partner.loyalty.todo"].search([("kind", "=", "feedback_answer")])
        self.assertEqual(todo.res_id, feedback.id)

    def test_praise_without_a_word_is_done(self):
        feedback = self._say_satisfied(5, 9)
        self.assertRecordValues(feedback, [{"nps_group": "promoter", "is_low": False, "state": "done"}])
        self.assertFalse(feedback.activity_ids)

    def test_praise_with_a_word_waits_for_an_answer(self):
        feedback = self._say_satisfied(4, 8, "More colors, please")
        self.assertRecordValues(feedback, [{"nps_group": "passive", "is_low": False, "state": "new"}])

    def test_the_program_tells_csat_and_nps(self):
        partners = [
            self._create_partner(name=f"P{number}", is_company=True, email=f"p{number}@x.example")
            for number in range(3)
        ]
        self._enroll(self.program, *partners)
        answers = self._ask_satisfaction().sorted("loyalty_member_id")
        with freeze_time("2026-07-03 10:00:00"):
            for answer, (csat, nps) in zip(answers, ((5, 10), (4, 9), (3, 7), (1, 0)), strict=True):
                self._answer(answer, {"satisfaction_csat": csat, "satisfaction_nps": nps})
            self.env.invalidate_all()
            program = self.program.with_user(self.users["officer"])
            self.assertRecordValues(
                program, [{"csat": 50, "nps": 25, "has_csat": True, "has_nps": True, "feedback_count": 1}]
            )
            # A comment is no answer of a survey.
            self._comment(csat=1)
            self.assertEqual(program._get_satisfaction(), {program.id: (50, 25)})
        self.assertFalse(program._get_satisfaction(date(2026, 7, 4), date(2026, 7, 5)))

    def test_the_member_reads_what_became_of_it(self):
        feedback = self._comment(subject="service", csat=2, text="Nobody answers the phone")
        with self.assertRefused("What Became of It"):
            feedback.action_answer()
        feedback.action_take()
        self.assertRecordValues(feedback, [{"state": "in_progress", "user_id": self.users["officer"].id}])
        feedback.answer = "There is a second line now."
        with RecordCapturer(self.env["mail.mail"].sudo()) as capturer:
            feedback.action_answer()
        self.assertEqual(feedback.state, "done")
        self.assertTrue(feedback.answered_at)
        self.assertFalse(feedback.activity_ids)
        self.assertIn(self.dealer, capturer.records.recipient_ids)
        self.assertIn("There is a second line now.", capturer.records.body_html)

    def test_a_comment_says_something(self):
        for values, words in (
            ({}, "Write a comment"),
            ({"csat": 6}, "Satisfaction is from 1 to 5"),
            ({"csat": -1}, "Satisfaction is from 1 to 5"),
            ({"text": "x" * 10001}, "shorten it"),
            ({"csat": 1, "contact_id": self.stranger.id}, "choose one of its contacts"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self._comment(**values)

    def test_each_button_in_each_state_by_each_role(self):
        seller = self._create_role_user("seller", "sales_team.group_sale_salesman")
        portal = self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id)
        self.dealer.user_id = seller
        expected = {
            "new": {"action_take": "in_progress", "action_answer": "done", "action_finish": "done"},
            "in_progress": {"action_take": "in_progress", "action_answer": "done", "action_finish": "done"},
            "done": {"action_take": "done", "action_answer": "done", "action_finish": "done"},
        }
        for state, results in expected.items():
            for name, result in results.items():
                feedback = self._comment(csat=1, answer="We looked into it")
                feedback.sudo().state = state
                for user in (seller, portal):
                    with self.subTest(state=state, name=name, user=user.login), self.assertRefused("", AccessError):
                        getattr(feedback.with_user(user), name)()
                with self.subTest(state=state, name=name):
                    getattr(feedback, name)()
                    self.assertEqual(feedback.state, result)
        form = self.env["partner.loyalty.feedback"].with_user(seller).get_view(view_type="form")["arch"]
        for name in expected["new"]:
            self.assertNotIn(name, form)

    def test_states_and_sources_are_set_by_the_program_alone(self):
        feedback = self._comment(csat=1)
        for vals in ({"state": "done"}, {"source": "survey"}, {"csat": 5}, {"text": "Fine"}, {"nps_group": "promoter"}):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                feedback.write(vals)
        with self.assertRefused("cannot be set by hand", AccessError):
            feedback.create({"member_id": self.member.id, "csat": 5, "source": "survey"})

    def test_what_members_think_pays_nobody(self):
        before = {metric: metric._get_sample_value() for metric in self.env["partner.loyalty.metric"].search([])}
        self._say_satisfied(5, 10, "Perfect")
        self._comment(csat=5)
        self.env.invalidate_all()
        self._answer_documents()
        self.assertEqual({metric: metric._get_sample_value() for metric in before}, before)
        self.assertBalance(self.member, 0)
        self.assertBalance(self.member, 0, unit="point")

    def test_an_answer_that_cannot_be_taken_keeps_nobody_from_finishing(self):
        answers = self._ask_satisfaction()

        def fail(_feedback, _answer):
            raise UserError(REASON)

        self.patch(type(self.env["partner.loyalty.feedback"]), "_take_answer", fail)
        with self.assertLogs("odoo.addons.partner_loyalty.models.survey_user_input", "WARNING"):
            self._answer(answers, {"satisfaction_csat": 5})
        self.assertEqual(answers.sudo().state, "done")
