"""Questions and disputes: who answers by when, what a dispute holds back, and how it is decided."""

import base64
from decimal import Decimal

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Date, Datetime
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import TODAY, PartnerLoyaltyCommon

MTK = "mail.mt_comment"


@tagged("post_install", "-at_install")
class InquiryCommon(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 10}], user_id=cls.users["officer"].id)
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.dealer_contact.email = "joe@dealer.example"
        cls.entry = cls._post_entry(cls.member, 100)
        cls.other_entry = cls._post_entry(cls.member, 30)

    def _ask(self, **values):
        inquiries = self.env["partner.loyalty.inquiry"].sudo()
        values = {
            "member_id": self.member.id,
            "contact_id": self.dealer_contact.id,
            "name": "Where is March?",
            "text": "An invoice is missing.",
            **values,
        }
        return inquiries.create(values).with_user(self.users["officer"])

    def _dispute(self, **values):
        return self._ask(kind="dispute", entry_id=self.entry.id, **values)

    def _decide(self, inquiry, **values):
        wizards = self.env["partner.loyalty.inquiry.decide"].with_user(self.users["officer"])
        wizard = wizards.with_context(active_model=inquiry._name, active_ids=inquiry.ids).create(values)
        wizard.action_decide()
        return wizard

    def _get_preview(self):
        wizard = self.env["partner.loyalty.payout.prepare"].with_user(self.users["officer"])
        return wizard.create({"program_id": self.program.id, "date": TODAY})


@tagged("post_install", "-at_install")
class TestInquiry(InquiryCommon):
    # === ASKING AND ANSWERING ===#

    def test_a_question_has_a_responsible_a_deadline_and_a_to_do(self):
        inquiry = self._ask()
        self.assertRecordValues(
            inquiry,
            [
                {
                    "state": "new",
                    "user_id": self.users["officer"].id,
                    "partner_id": self.dealer.id,
                    # The 18th is a Wednesday: five working days later.
                    "date_deadline": Date.to_date("2026-03-25"),
                    "is_overdue": False,
                }
            ],
        )
        self.assertRecordValues(
            inquiry.activity_ids,
            [{"user_id": self.users["officer"].id, "date_deadline": Date.to_date("2026-03-25")}],
        )
        self.assertIn(self.dealer_contact, inquiry.message_partner_ids)
        todo = self.env["partner.loyalty.todo"].search([("kind", "=", "inquiry_answer")])
        self.assertRecordValues(todo, [{"res_id": inquiry.id, "date_deadline": inquiry.date_deadline}])

    def test_the_account_manager_answers_where_that_is_an_officer(self):
        other = self._create_role_user("officer_2", "partner_loyalty.partner_loyalty_group_officer")
        self.dealer.user_id = other
        self.assertEqual(self._ask().user_id, other)
        self.dealer.user_id = self._create_role_user("seller", "sales_team.group_sale_salesman")
        self.assertEqual(self._ask().user_id, self.users["officer"])

    def test_without_working_hours_weekdays_count(self):
        self.company.sudo().resource_calendar_id = False
        self.program.inquiry_days = 3
        self.assertEqual(self._ask().date_deadline, Date.to_date("2026-03-23"))
        with self.assertRefused("enter a number in between"):
            self.program.inquiry_days = 0

    def test_a_message_of_staff_answers_and_one_of_the_member_asks_anew(self):
        inquiry = self._ask()
        with freeze_time(f"{TODAY} 16:00:00"):
            inquiry.message_post(body="It comes tomorrow.", message_type="comment", subtype_xmlid=MTK)
        self.assertRecordValues(inquiry, [{"state": "answered", "answer_hours": 6}])
        self.assertFalse(inquiry.activity_ids)
        with freeze_time("2026-03-20 10:00:00"):
            inquiry.sudo()._write_as(self.dealer_contact, "It did not come.")
        self.assertRecordValues(
            inquiry,
            # The time to answer is that of the first answer.
            [{"state": "in_progress", "answer_hours": 6, "date_deadline": Date.to_date("2026-03-27")}],
        )
        self.assertEqual(len(inquiry.activity_ids), 1)

    def test_notes_answer_nothing(self):
        inquiry = self._ask()
        inquiry.message_post(body="Ask the warehouse", message_type="comment", subtype_xmlid="mail.mt_note")
        self.assertEqual(inquiry.state, "new")

    def test_the_buttons_of_a_question(self):
        inquiry = self._ask()
        inquiry.with_user(self.users["manager"]).action_take()
        self.assertRecordValues(inquiry, [{"state": "in_progress", "user_id": self.users["manager"].id}])
        self.assertEqual(inquiry.activity_ids.user_id, self.users["manager"])
        inquiry.action_answered()
        self.assertTrue(inquiry.answered_at)
        inquiry.action_close()
        self.assertEqual(inquiry.state, "closed")
        inquiry.action_reopen()
        self.assertEqual(inquiry.state, "in_progress")
        with self.assertRefused("What members asked is kept"):
            inquiry.sudo().unlink()

    def test_an_overdue_question_is_found(self):
        inquiry, answered = self._ask(), self._ask()
        answered.action_answered()
        with freeze_time("2026-03-26 10:00:00"):
            self.env.invalidate_all()
            inquiries = self.env["partner.loyalty.inquiry"]
            self.assertEqual(inquiries.search([("is_overdue", "=", True)]), inquiry.with_env(self.env))
            self.assertTrue(inquiry.is_overdue)
            self.assertFalse(answered.is_overdue)
            overdue = self.env["partner.loyalty.todo"].search([("is_overdue", "=", True)])
            self.assertEqual(overdue.mapped("res_id"), inquiry.ids)

    def test_what_is_written_has_to_say_something(self):
        for values, words in (
            ({"name": " "}, "cannot be empty"),
            ({"text": "\n"}, "cannot be empty"),
            ({"text": "x" * 10001}, "shorten it"),
            ({"name": "x" * 201}, "shorten it"),
            ({"contact_id": self.stranger.id}, "choose one of its contacts"),
            ({"text": "a\0b"}, "is no text"),
        ):
            with self.subTest(values=values), self.assertRefused(words, ValidationError):
                self._ask(**values)

    def test_files_are_checked(self):
        inquiry = self._ask().sudo()
        good = base64.b64encode(b"%PDF-1.4 invoice").decode()
        message = inquiry._write_as(self.dealer_contact, "See the file", [("invoice.pdf", good)])
        self.assertEqual(message.attachment_ids.mapped("name"), ["invoice.pdf"])
        self.assertTrue(message.attachment_ids.access_token)
        for files, words in (
            ([("page.html", good)], "can run as one"),
            ([("tool.pdf", base64.b64encode(b"MZ tool").decode())], "can run as one"),
            ([("a.pdf", good)] * 6, "Attach up to 5 files"),
        ):
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                inquiry._write_as(self.dealer_contact, "Once more", files)

    def test_the_answer_goes_to_who_asked_by_mail_with_a_link(self):
        inquiry = self._ask()
        self.assertEqual(inquiry.access_url, f"/my/loyalty/{self.program.id}/inquiries/{inquiry.id}")
        self.assertEqual(inquiry._mail_get_partners()[inquiry.id], self.dealer_contact)
        message = inquiry.message_post(body="Tomorrow", message_type="comment", subtype_xmlid=MTK)
        self.assertIn(self.dealer_contact, message.notified_partner_ids)

    def test_half_of_the_answers_were_faster(self):
        for hours in (1, 2, 30):
            inquiry = self._ask()
            inquiry.sudo().write(
                {"answered_at": Datetime.now(), "asked_at": Datetime.subtract(Datetime.now(), hours=hours)}
            )
        self._ask(asked_at="2025-01-01", answered_at="2025-03-01")
        self.env.invalidate_all()
        program = self.program.with_user(self.users["officer"])
        self.assertRecordValues(program, [{"answer_hours": 2, "has_answers": True, "open_inquiry_count": 4}])
        medians = program._get_median_answer_hours(Date.to_date("2025-01-01"), Date.to_date("2025-12-31"))
        self.assertEqual(medians, {program.id: 59 * 24})

    # === DISPUTES ===#

    def test_a_disputed_line_is_held_back_from_payouts(self):
        self.assertEqual(self._get_preview().line_ids.amount, 130)
        self._dispute()
        line = self._get_preview().line_ids
        self.assertRecordValues(line, [{"amount": 30, "balance": 130, "reason": False}])
        self.assertEqual(line.note, "100.00\N{NO-BREAK SPACE}€ is disputed")
        payout = self._submit_payout(self.member)
        self.assertEqual(payout.amount, 30)
        self.assertEqual(self.entry.amount_open, 100)

    def test_where_all_is_disputed_the_preview_says_so(self):
        self._dispute()
        self._ask(kind="dispute", entry_id=self.other_entry.id)
        line = self._get_preview().line_ids
        self.assertEqual(line.amount, 0)
        self.assertIn("Disputed: ", line.reason)
        closing = self.env["partner.loyalty.closing"].create({"program_id": self.program.id, "date": "2026-02-28"})
        step = closing.step_ids.filtered(lambda step: step.code == "dispute")
        self.assertRecordValues(step, [{"count": 2, "text": "Disputes that nobody has decided: 2", "is_open": True}])
        self.assertEqual(step.action_open()["res_model"], "partner.loyalty.inquiry")

    def test_a_draft_payout_follows_a_dispute(self):
        payout = self._create_payout(self.member)
        self._dispute()
        with self.assertRefused("only part of that is available by now"):
            payout.action_submit()
        payout.action_recompute()
        self.assertEqual(payout.amount, 30)
        payout.action_submit()
        self.assertEqual(payout.decision, "submitted")

    def test_points_are_spent_and_debts_paid_past_a_dispute(self):
        self._dispute()
        available = self.entry.account_id._get_available()
        self.assertEqual(available[self.entry.account_id.id], Decimal(130))
        self._post_entry(self.member, -120)
        self.assertBalance(self.member, 10)

    def test_an_explained_line_is_paid(self):
        inquiry = self._dispute()
        with self.assertRefused("decide on it with the button", UserError):
            inquiry.action_answered()
        wizard = self._decide(inquiry, text="It was credited in April.")
        self.assertEqual(wizard.entry_id, self.entry)
        self.assertRecordValues(
            inquiry,
            [
                {
                    "state": "answered",
                    "decision": "explained",
                    "explanation": "It was credited in April.",
                    "decided_by_id": self.users["officer"].id,
                }
            ],
        )
        self.assertIn("It was credited in April.", inquiry.message_ids[0].body)
        self.assertEqual(self._get_preview().line_ids.amount, 130)
        with self.assertRefused("waits for no decision"):
            self._decide(inquiry, text="Again")

    def test_an_upheld_line_is_made_up_for_once_a_manager_approves(self):
        inquiry = self._dispute()
        with self.assertRefused("other than zero"):
            self._decide(inquiry, decision="upheld", text="You are right.")
        self._decide(inquiry, decision="upheld", text="You are right.", amount=25)
        adjustment = inquiry.adjustment_id
        self.assertRecordValues(adjustment, [{"state": "requested", "amount": 25, "unit": "money"}])
        self.assertRecordValues(inquiry, [{"state": "in_progress", "answered_at": False}])
        self.assertEqual(self._get_preview().line_ids.amount, 30)
        self.assertFalse(self.env["partner.loyalty.todo"].search([("kind", "=", "inquiry_decide")]))
        with self.assertRefused("approved by a loyalty manager"):
            adjustment.action_approve()
        adjustment.with_user(self.users["manager"]).action_approve()
        self.assertRecordValues(inquiry, [{"state": "answered", "decision": "upheld"}])
        self.assertIn("You are right.", inquiry.message_ids[0].body)
        self.assertEqual(self._get_preview().line_ids.amount, 155)

    def test_the_line_is_explained_to_each_in_their_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.dealer_contact.lang = "uk_UA"
        self._create_sale_invoice(self.dealer, 200)
        inquiry = self._ask(kind="dispute", entry_id=self._answer_documents().id)
        wizards = self.env["partner.loyalty.inquiry.decide"].with_user(self.users["officer"])
        context = {"active_model": inquiry._name, "active_ids": inquiry.ids, "lang": "en_US"}
        wizard = wizards.with_context(**context).new({})
        self.assertIn("10 % of", wizard.entry_text)
        self.assertIn("10 % від", wizard.text)

    def test_a_refused_correction_is_decided_on_anew(self):
        inquiry = self._dispute()
        self._decide(inquiry, decision="upheld", text="You are right.", amount=25)
        with self.assertRefused("have a manager approve or refuse that first"):
            inquiry.action_close()
        inquiry.adjustment_id.with_user(self.users["manager"]).action_refuse("Too much")
        self.assertRecordValues(inquiry, [{"state": "in_progress", "decision": False, "adjustment_id": False}])
        self.assertNotIn("You are right.", " ".join(inquiry.message_ids.mapped(lambda message: message.body or "")))
        self._decide(inquiry, text="It stands.")
        self.assertEqual(inquiry.decision, "explained")

    def test_who_objects_to_a_decision_has_the_line_held_back_again(self):
        inquiry = self._dispute()
        self._decide(inquiry, text="It stands.")
        inquiry.sudo()._write_as(self.dealer_contact, "It does not.")
        self.assertRecordValues(inquiry, [{"state": "in_progress", "decision": False}])
        self.assertEqual(self._get_preview().line_ids.amount, 30)

    def test_an_old_dispute_is_not_reopened_beside_a_new_one(self):
        inquiry = self._dispute()
        self._decide(inquiry, text="It stands.")
        self._dispute()
        with self.assertRefused("disputed already"):
            inquiry.action_reopen()

    def test_a_line_is_disputed_once_at_a_time_and_by_its_member_alone(self):
        inquiry = self._dispute()
        with self.assertRefused("disputed already"):
            self._dispute()
        self._decide(inquiry, text="It stands.")
        other = self._enroll(self.program, self.referrer)
        with self.assertRefused("something of another member", ValidationError):
            self._dispute(member_id=other.id, contact_id=self.referrer.id)
        with self.assertRefused("about one line of the statement", ValidationError):
            self._ask(kind="dispute")
        self._dispute()

    def test_nobody_decides_for_the_own_company(self):
        self.users["officer"].partner_id.parent_id = self.dealer
        with self.assertRefused("of your own company"):
            self._decide(self._dispute(), text="It stands.")

    # === RIGHTS ===#

    def test_states_and_decisions_are_set_by_buttons_alone(self):
        inquiry = self._dispute()
        for vals in ({"state": "answered"}, {"decision": "explained"}, {"entry_id": False}, {"answered_at": TODAY}):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                inquiry.write(vals)

    def test_each_button_in_each_state_by_each_role(self):
        roles = {
            "portal": self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id),
            "internal": self._create_role_user("internal", "base.group_user"),
            "seller": self._create_role_user("seller", "sales_team.group_sale_salesman"),
        }
        self.dealer.user_id = roles["seller"]
        buttons = ("action_take", "action_answered", "action_close", "action_reopen")
        for state in ("new", "in_progress", "answered", "closed"):
            for role, user in roles.items():
                for name in buttons:
                    inquiry = self._ask()
                    inquiry.sudo().state = state
                    with self.subTest(state=state, role=role, button=name), self.assertRefused("", AccessError):
                        getattr(inquiry.with_user(user), name)()
                    self.assertEqual(inquiry.state, state)
        expected = {
            "new": ("in_progress", "answered", "closed", "new"),
            "in_progress": ("in_progress", "answered", "closed", "in_progress"),
            "answered": ("answered", "answered", "closed", "in_progress"),
            "closed": ("closed", "closed", "closed", "in_progress"),
        }
        for state, results in expected.items():
            for name, result in zip(buttons, results, strict=True):
                inquiry = self._ask()
                inquiry.sudo().state = state
                with self.subTest(state=state, button=name):
                    getattr(inquiry, name)()
                    self.assertEqual(inquiry.state, result)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_portal_users_read_nothing_past_their_pages(self):
        portal = self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id)
        inquiry = self._ask()
        with self.assertRefused("", AccessError):
            inquiry.with_user(portal).read(["text"])
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.inquiry"].with_user(portal).create(
                {"member_id": self.member.id, "name": "Hi", "text": "Hi"}
            )
