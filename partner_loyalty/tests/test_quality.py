"""How well members serve their customers: who is asked, whose answers count, and what else makes the score."""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.tests import RecordCapturer, tagged

from .test_metric import YEAR, MetricCommon

LOGGER = "odoo.addons.partner_loyalty.models.partner_loyalty_quality_mixin"
# Asked about today, as the program asks 14 days after the order.
DUE = "2026-03-04 10:00:00"


class QualityCommon(MetricCommon):
    """A program whose members bring customers, who are asked by a survey with a right and a wrong answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.survey = cls._create_survey(cls, certification=False, title="Service")
        cls.program.write({"quality_survey_id": cls.survey.id, "user_id": cls.users["manager"].id})
        cls.users["manager"].email = "manager@example.com"
        cls.quality = cls._get_shipped("service_quality")

    def _create_brought_order(self, customer=None, date=DUE, **values):
        return self._create_order(
            customer or self.customer, 100, date=date, **{"loyalty_partner_id": self.referrer.id, **values}
        )

    def _create_customer(self, number, **values):
        return self._create_partner(name=f"Customer {number}", email=f"customer{number}@example.com", **values)

    def _ask(self):
        """Ask as the scheduled action does."""
        return self.program.with_user(SUPERUSER_ID)._ask_customers().with_env(self.env)

    def _answer(self, invitation, right=True, user=None):
        """Answer the survey as the customer does, who is nobody in particular or logged in."""
        question = self.survey.question_ids
        invitation._save_lines(question, question.suggested_answer_ids[0 if right else 1].id)
        taken_sudo = invitation.with_user(user or self.env.ref("base.public_user")).sudo()
        taken_sudo._mark_done()

    def _let_answer(self, *answers, **values):
        """Let as many customers answer, rightly or not."""
        orders = [self._create_brought_order(self._create_customer(number)) for number, _right in enumerate(answers)]
        invitations = {invitation.loyalty_order_id: invitation for invitation in self._ask()}
        for order, right in zip(orders, answers, strict=True):
            self._answer(invitations[order], right, **values)

    def _create_quality(self, **values):
        return self._create_metric(source="quality", **{"return_weight": 0, "audit_weight": 0, **values})


@tagged("post_install", "-at_install")
class TestQuality(QualityCommon):
    # === WHO IS ASKED ===#

    def test_the_customer_of_an_order_that_a_member_brought_is_asked_once(self):
        order = self._create_brought_order()
        with RecordCapturer(self.env["mail.mail"].sudo()) as capturer:
            answer = self._ask()
            self.assertFalse(self._ask())
        self.assertRecordValues(
            answer,
            [
                {
                    "survey_id": self.survey.id,
                    "partner_id": self.customer.id,
                    "loyalty_order_id": order.id,
                    "loyalty_rated_partner_id": self.referrer.id,
                    "state": "new",
                }
            ],
        )
        mail = capturer.records
        self.assertRecordValues(mail, [{"subject": "How did Referrer serve you?", "recipient_ids": self.customer.ids}])
        self.assertIn(answer.access_token, mail.body_html)
        self.assertIn(order.name, mail.body_html)
        self.assertIn("manager@example.com", mail.email_from)

    def test_who_is_not_asked(self):
        self.dealer.email = "joe@example.com"
        referrers_own = self._create_partner(name="Employee", parent_id=self.referrer.id, email="me@referrer.example")
        same_address = self._create_customer(1)
        same_address.email = "me@referrer.example"
        unwilling = self._create_customer(2)
        self.env["mail.blacklist"].sudo()._add(unwilling.email)
        for why, values in (
            ("nobody brought it", {"loyalty_partner_id": False}),
            ("no member brought it", {"loyalty_partner_id": self._create_customer(3).id}),
            ("the referrer bought itself", {"customer": referrers_own}),
            ("the address is the referrer's", {"customer": same_address}),
            ("there is no address", {"customer": self._create_partner(name="Unknown")}),
            ("the customer wants no mail", {"customer": unwilling}),
            ("the order is a draft", {"confirm": False}),
            ("it is too early", {"date": "2026-03-05 10:00:00"}),
            ("it is too late", {"date": "2026-02-01 10:00:00"}),
        ):
            with self.subTest(why=why):
                self._create_brought_order(**values)
                self.assertFalse(self._ask())
        self.assertFalse(self.program.quality_survey_id.user_input_ids)

    def test_who_left_the_program_before_the_order_is_not_rated(self):
        self.bringer.period_ids.date_to = "2026-03-03"
        self._create_brought_order()
        self.assertFalse(self._ask())

    def test_a_customer_with_many_orders_is_asked_about_one(self):
        self._create_brought_order(date="2026-03-02 10:00:00")
        last = self._create_brought_order()
        other = self._create_brought_order(loyalty_partner_id=self.dealer.id)
        self.assertEqual(self._ask().loyalty_order_id, last | other)
        self.assertFalse(self._ask())

    def test_nobody_is_asked_without_a_survey(self):
        self.program.quality_survey_id = False
        self._create_brought_order()
        self.assertFalse(self._ask())
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_ask_customers").method_direct_trigger()
        self.assertFalse(self.survey.user_input_ids)

    def test_the_scheduled_action_asks(self):
        order = self._create_brought_order()
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_ask_customers").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.survey.user_input_ids.loyalty_order_id, order)

    def test_a_survey_that_was_changed_asks_nobody(self):
        self._create_brought_order()
        self.survey.action_archive()
        with self.assertLogs(LOGGER, "WARNING") as logs:
            self.assertFalse(self._ask())
        self.assertIn("is archived: choose another one", logs.output[0])

    def test_one_customer_who_cannot_be_asked_does_not_keep_the_others(self):
        bad = self._create_brought_order(self._create_customer(1))
        good = self._create_brought_order(self._create_customer(2))
        ask = type(self.program)._ask_customer

        def ask_and_fail(program, order):
            answer = ask(program, order)
            if order == bad:
                raise UserError(order.name)
            return answer

        self.patch(type(self.program), "_ask_customer", ask_and_fail)
        with self.assertLogs(LOGGER, "WARNING") as logs:
            self.assertEqual(self._ask().loyalty_order_id, good)
        self.assertIn(f"The customer of {bad.name} was not asked", logs.output[0])
        self.assertEqual(self.survey.user_input_ids.loyalty_order_id, good)

    # === WHOSE ANSWERS COUNT ===#

    def test_answers_count_from_the_minimum_on(self):
        metric = self._create_quality(minimum_answers=3)
        self._let_answer(True, False)
        self.assertValue(metric, None, self.bringer)
        metric.minimum_answers = 2
        self.assertValue(metric, 50, self.bringer)
        self.assertValue(metric, None)

    def test_only_completed_answers_within_the_period_count(self):
        metric = self._create_quality(minimum_answers=1)
        self._create_brought_order()
        answer = self._ask()
        self.assertValue(metric, None, self.bringer)
        self._answer(answer)
        self.assertValue(metric, 100, self.bringer)
        answer.end_datetime = "2025-03-18 23:59:59"
        self.assertValue(metric, None, self.bringer)
        answer.write({"end_datetime": "2025-03-19 00:00:00", "test_entry": True})
        self.assertValue(metric, None, self.bringer)

    def test_an_answer_of_the_rated_partner_itself_does_not_count(self):
        metric = self._create_quality(minimum_answers=1)
        own = self._create_role_user("portal", "base.group_portal", partner_id=self._create_own_contact().id)
        self._let_answer(True, user=own)
        self.assertValue(metric, None, self.bringer)
        self.assertTrue(self.survey.user_input_ids.loyalty_order_id)
        self.assertFalse(self._ask())

    def test_a_customer_who_becomes_a_contact_of_the_rated_partner_rates_it_no_more(self):
        metric = self._create_quality(minimum_answers=1)
        self._let_answer(True)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        customer = self.survey.user_input_ids.partner_id
        wizard._merge((customer | self.referrer).ids, self.referrer)
        self.env.invalidate_all()
        self.env.add_to_compute(self.env["survey.user_input"]._fields["loyalty_holder_id"], self.survey.user_input_ids)
        self.assertValue(metric, None, self.bringer)

    def _create_own_contact(self):
        return self._create_partner(name="Employee", parent_id=self.referrer.id)

    def test_what_partners_think_of_the_company_is_not_read(self):
        metric = self._create_quality(minimum_answers=1)
        for partner in (self.referrer, self.customer):
            self._take(self.survey, partner)
        self.assertValue(metric, None, self.bringer)

    def test_a_second_attempt_does_not_count(self):
        metric = self._create_quality(minimum_answers=1)
        self._let_answer(False)
        first = self.survey.user_input_ids
        again = self.survey.sudo()._create_answer(partner=first.partner_id, check_attempts=False)
        self._answer(again)
        self.assertValue(metric, 0, self.bringer)

    def test_nobody_says_by_hand_whom_an_answer_is_about(self):
        order = self._create_brought_order()
        manager = self._create_role_user("survey", "survey.group_survey_manager,sales_team.group_sale_manager")
        taken = self._take(self.survey, self.customer).with_user(manager)
        for vals in ({"loyalty_order_id": order.id}, {"loyalty_rated_partner_id": self.referrer.id}):
            with self.subTest(vals=vals):
                with self.assertRefused("cannot be set by hand", AccessError):
                    taken.write(vals)
                with self.assertRefused("cannot be set by hand", AccessError):
                    taken.create({"survey_id": self.survey.id, **vals})

    # === RETURNS, AUDITS, WEIGHTS ===#

    def _sell(self, amount, credited=0, partner=None, **values):
        invoice = self._create_sale_invoice(partner or self.customer, amount, date="2026-03-01", **values)
        if credited:
            self._credit(invoice, credited)

    def test_what_comes_back_lowers_the_score_down_to_nothing(self):
        metric = self._create_quality(survey_weight=0, return_weight=1)
        self.assertValue(metric, None, self.bringer)
        self._sell(300, loyalty_partner_id=self.referrer.id)
        self.assertValue(metric, 100, self.bringer)
        self._sell(100, credited=60, partner=self.referrer)
        self.assertValue(metric, 85, self.bringer)
        self._create_sale_invoice(self.referrer, 1000, move_type="out_refund")
        self.assertValue(metric, 0, self.bringer)

    def test_returns_of_sales_without_the_member_are_not_its_own(self):
        metric = self._create_quality(survey_weight=0, return_weight=1)
        self._sell(100, loyalty_partner_id=self.referrer.id)
        self._sell(100, credited=100, loyalty_partner_id=self.dealer.id)
        self._sell(100, credited=100)
        self.assertValue(metric, 100, self.bringer)
        self.assertValue(metric, 0)

    def test_the_last_audit_counts(self):
        metric = self._create_quality(survey_weight=0, audit_weight=1)
        self._enter(self.bringer, 40, day="2024-03-01")
        self.assertValue(metric, 40, self.bringer)
        self._enter(self.bringer, 90, day="2026-03-01")
        self._enter(self.bringer, 10, day="2026-03-19")
        self.assertValue(metric, 90, self.bringer)

    def test_parts_are_weighed_and_those_without_data_drop_out(self):
        metric = self._create_quality(survey_weight=50, return_weight=30, audit_weight=20, minimum_answers=1)
        self.assertValue(metric, None, self.bringer)
        self._enter(self.bringer, 60)
        self.assertValue(metric, 60, self.bringer)
        self._sell(100, credited=20, loyalty_partner_id=self.referrer.id)
        # (80 × 30 + 60 × 20) / 50
        self.assertValue(metric, 72, self.bringer)
        self._let_answer(True)
        # (100 × 50 + 80 × 30 + 60 × 20) / 100
        self.assertValue(metric, 86, self.bringer)
        metric.survey_weight = 0
        self.assertValue(metric, 72, self.bringer)

    def test_the_quality_of_all_members_is_one_query(self):
        self._let_answer(True, True)
        self._sell(100)
        self.quality._get_values(self.program, YEAR)
        with self._record_queries() as queries:
            self.quality._get_values(self.program, YEAR)
        self.assertEqual(len([query for query in queries if "survey_user_input" in query]), 1)

    def test_quality_of_a_merged_member_counts_for_the_one_that_goes_on(self):
        metric = self._create_quality(minimum_answers=1)
        self._let_answer(True)
        self.bringer._merge_into(self.member)
        self.assertValue(metric, 100)

    # === CHOOSING A SURVEY ===#

    def test_a_survey_that_cannot_ask_customers_is_refused(self):
        for values, words in (
            ({"certification": True}, "is a certification"),
            ({"scoring_type": "no_scoring", "certification": False}, "gives no score: switch on its scoring"),
            ({"certification": False, "users_login_required": True}, "requires a login"),
            ({"certification": False, "active": False}, "is archived"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self.program.quality_survey_id = self._create_survey(**values)
        with self.assertRefused("enter a number in between"):
            self.program.quality_delay_days = 366

    def test_managers_without_surveys_still_change_programs(self):
        program = self.program.with_user(self.users["manager"])
        program.name = "Renamed"
        self.assertEqual(program.web_read({"quality_survey_id": {"fields": {"display_name": {}}}})[0]["id"], program.id)
        with self.assertRefused("", AccessError):
            self.survey.with_user(self.users["officer"]).read(["title"])

    def test_a_copy_of_a_program_asks_by_the_same_survey(self):
        self.assertEqual(self.program.copy().quality_survey_id, self.survey)
