"""Closing a month on one page: what is open, who has ticked what, who is not paid and why, and the lock."""

from decimal import Decimal

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import SQL

from .common import PartnerLoyaltyCommon

FEBRUARY = "2026-02-28"


@tagged("post_install", "-at_install")
class TestClosing(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 10}], tiers=[("Silver", 0)])
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        with freeze_time("2026-02-10 10:00:00"):
            cls._post_entry(cls.member, 100)

    def _open(self, role="officer", program=None, **values):
        closings = self.env["partner.loyalty.closing"].with_user(self.users[role])
        return closings.create({"program_id": (program or self.program).id, **values})

    def _get_step(self, closing, code):
        self.env.invalidate_all()
        return closing.step_ids.filtered(lambda step: step.code == code)

    def _finish(self, closing):
        """Do all that is open in the program of the test."""
        payout = self._create_payout(self.member, date=FEBRUARY)
        payout.action_submit()
        payout.with_user(self.users["manager"]).action_approve()
        self.env["partner.loyalty.check"].sudo()._run(self.program)
        self._as_cron("partner.loyalty.touch").search([]).unlink()
        closing.action_refresh()
        closing.step_ids.filtered(lambda step: step.code in ("liability", "statement")).action_tick()

    def test_the_page_says_what_is_open_step_by_step(self):
        closing = self._open()
        self.assertEqual(closing.date, Date.to_date(FEBRUARY))
        self.assertIn("ledger was not checked", self._get_step(closing, "health").text)
        self.assertEqual(self._get_step(closing, "payout").text, "Members to prepare a payout for: 1")
        self.assertTrue(self._get_step(closing, "liability").is_open)
        self.assertFalse(self._get_step(closing, "difference").is_open)
        self.assertIn("100.00\N{NO-BREAK SPACE}€ on the balances, 0 points", closing.owed_text)
        self._finish(closing)
        self.env.invalidate_all()
        self.assertEqual(closing.open_step_count, 0)
        self.assertIn("Approved payouts: 1, ", closing.paid_text)

    def test_each_reads_in_its_own_language_what_somebody_else_has_looked_up(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        closing = self._open()
        russian = closing.with_context(lang="ru_RU")
        self.assertIn("ledger was not checked", self._get_step(closing, "health").text)
        self.assertIn("учёт", self._get_step(russian, "health").text)
        self.assertRegex(self._get_step(russian, "dispute").text, "[а-я]{4}")
        self.assertIn("100,00", russian.owed_text)
        self.assertNotEqual(russian.paid_text, closing.paid_text)
        self.assertEqual(closing.display_name, f"{self.program.name}, February 2026")
        self.assertEqual(russian.display_name, f"{self.program.name}, февраль 2026")

    def test_who_is_not_paid_reads_why_in_each_language_once(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self._submit_payout(self.member, date=FEBRUARY).with_user(self.users["manager"]).action_hold("Checked first")
        closing = self._open()
        closing.action_refresh()
        held = closing.exception_ids.filtered("payout_id")
        self.assertEqual(held.mapped("reason"), ["On hold: Checked first"])
        self.assertIn("Checked first", held.with_context(lang="ru_RU").reason)
        self.assertNotIn("On hold", held.with_context(lang="ru_RU").reason)

    def test_payouts_that_are_prepared_from_a_month_are_for_it(self):
        closing = self._open()
        context = self._get_step(closing, "payout").action_open()["context"]
        wizards = self.env["partner.loyalty.payout.prepare"].with_user(self.users["officer"])
        wizard = wizards.with_context(**context).create({})
        self.assertEqual((wizard.program_id, wizard.date), (self.program, closing.date))
        for closing_id in (0, -1, 2**40, "1", None, closing.id + 1000):
            form = Form(wizards.with_context(loyalty_closing_id=closing_id))
            self.assertFalse(form.program_id)

    def test_a_closing_that_was_begun_before_a_step_came_gets_it(self):
        closing = self._open()
        self._get_step(closing, "dispute").sudo().unlink()
        closing.action_refresh()
        self.assertEqual(self._get_step(closing, "dispute").count, 0)
        self.assertEqual(len(closing.step_ids), len(set(closing.step_ids.mapped("code"))))

    def test_differences_tiers_holds_and_waiting_payouts_are_open_steps(self):
        closing = self._open()
        payout = self._submit_payout(self.member, date=FEBRUARY)
        closing.action_refresh()
        self.assertEqual(self._get_step(closing, "payout").text, "Payouts to submit or approve: 1")
        payout.with_user(self.users["manager"]).action_hold("Checked first")
        values = {"program_id": self.program.id, "company_id": self.company.id}
        self.env["partner.loyalty.difference"].sudo().create(
            {
                **values,
                "rule_id": self.program.rule_ids.id,
                "account_id": payout.member_id._get_account("money").id,
                "origin_model": "account.move",
                "origin_id": 1,
                "amount": 1,
            }
        )
        self.env["partner.loyalty.tier.review"].sudo().create(
            {**values, "evaluation_date": FEBRUARY, "publish_date": "2026-03-20"}
        )
        closing.action_refresh()
        for code, words in {
            "hold": "1 payouts on hold",
            "difference": "nobody has posted or dismissed: 1",
            "tier": "proposed and not published: 1",
        }.items():
            with self.subTest(code):
                self.assertIn(words, self._get_step(closing, code).text)
                self.assertTrue(self._get_step(closing, code).is_open)
                self.assertTrue(self._get_step(closing, code).action_open()["res_model"])

    def test_what_fails_by_night_is_open_until_it_is_mended(self):
        closing = self._open()
        self._finish(closing)
        self.program.rule_ids.sudo().error = "Broken"
        violated = Command.create({"code": "I1", "name": "The balance is what the lines add up to", "count": 1})
        self.env["partner.loyalty.check"].sudo().create({"program_id": self.program.id, "line_ids": [violated]})
        closing.action_refresh()
        step = self._get_step(closing, "health")
        self.assertIn("Rules or bonus actions fail: 1", step.text)
        self.assertIn("The last check of the ledger found something wrong", step.text)
        self.program.rule_ids.sudo().error = False
        self.env["partner.loyalty.check"].sudo()._run(self.program)
        closing.action_refresh()
        self.assertFalse(self._get_step(closing, "health").is_open)

    def test_each_opens_what_it_may_read_of_the_steps(self):
        closing = self._open()
        for role, closed in {"manager": set(), "officer": {"liability"}, "accountant": {"health", "tier"}}.items():
            steps = closing.with_user(self.users[role]).step_ids
            with self.subTest(role=role):
                self.assertEqual(set(steps.filtered(lambda step: not step.can_open).mapped("code")), closed)
        form = closing.with_user(self.users["accountant"]).get_view(view_type="form")["arch"]
        self.assertNotIn("action_refresh", form)

    def test_what_is_owed_is_opened_as_of_the_end_of_the_month(self):
        closing = self._open("manager")
        action = self._get_step(closing, "liability").action_open()
        liability = self.env[action["res_model"]].with_user(self.users["manager"]).with_context(action["context"])
        self.assertRecordValues(liability.create({}), [{"date": closing.date, "program_ids": self.program.ids}])
        self.assertEqual(Form(liability).date, closing.date)

    def test_who_is_not_paid_is_named_with_the_reason(self):
        self.program.write({"payout_minimum": 200, "payout_needs_terms": True})
        self._post_entry(self.other, -5)
        closing = self._open()
        reasons = {line.member_id: line.reason for line in closing.exception_ids}
        self.assertIn("Below the smallest payout", reasons[self.member])
        self.assertIn("Owes money", reasons[self.other])
        self.program.payout_minimum = 0
        closing.action_refresh()
        self.assertIn("Terms not accepted", closing.exception_ids.filtered(lambda e: e.member_id == self.member).reason)

    def test_steps_are_ticked_by_name_and_time(self):
        closing = self._open()
        step = self._get_step(closing, "statement")
        step.action_tick()
        self.assertRecordValues(step, [{"done_by_id": self.users["officer"].id, "is_open": False}])
        self.assertTrue(step.done_at)
        step.action_untick()
        self.assertRecordValues(step, [{"done_by_id": False, "done_at": False, "is_open": True}])
        with self.assertRefused("", UserError):
            step.with_user(self.users["accountant"]).action_tick()
        with self.assertRefused("", AccessError):
            step.write({"count": 0})

    def test_a_manager_locks_a_month_in_which_nothing_is_open(self):
        closing = self._open()
        self._finish(closing)
        with self.assertRefused("", AccessError):
            closing.action_lock()
        wizard = (
            self.env["partner.loyalty.closing.lock"]
            .with_user(self.users["manager"])
            .with_context(active_model="partner.loyalty.closing", active_ids=closing.ids)
            .create({})
        )
        self.assertEqual(wizard.open_step_count, 0)
        wizard.action_lock()
        self.assertEqual(self.program.lock_date, Date.to_date(FEBRUARY))
        self.assertRecordValues(closing, [{"state": "locked", "locked_by_id": self.users["manager"].id}])
        with self.assertRefused("is locked already"):
            closing.with_user(self.users["manager"]).action_lock()
        with self.assertRefused("is locked already"):
            closing.step_ids[0].action_untick()
        with self.assertRefused("only open ones can be deleted"):
            closing.with_user(self.users["manager"]).unlink()

    def test_it_is_not_locked_past_an_open_step_without_a_reason(self):
        closing = self._open("manager")
        for reason in (None, "  "):
            with self.assertRefused("These steps are open: Nightly Work and Ledger, Payouts, What Is Owed, Statements"):
                closing.action_lock(reason)
        self.assertFalse(self.program.lock_date)
        closing.action_lock("Paid with March")
        self.assertRecordValues(closing, [{"state": "locked", "lock_reason": "Paid with March"}])
        self.assertEqual(self.program.lock_date, Date.to_date(FEBRUARY))

    def test_a_lock_that_is_further_on_already_stays(self):
        closing = self._open("manager", date="2026-01-31")
        self.program.lock_date = FEBRUARY
        closing.action_lock("Late")
        self.assertEqual(self.program.lock_date, Date.to_date(FEBRUARY))

    def test_what_was_locked_reads_as_it_did_then(self):
        closing = self._open("manager")
        closing.action_lock("Later")
        before = closing.step_ids.mapped("text"), closing.owed_text
        self._submit_payout(self.member, date=FEBRUARY)
        closing.action_refresh()
        self.assertEqual((closing.step_ids.mapped("text"), closing.owed_text), before)

    def test_only_a_whole_month_that_is_over_and_once(self):
        with self.assertRefused("with its last day", ValidationError):
            self._open(date="2026-02-27")
        with self.assertRefused("not over yet", ValidationError):
            self._open(date="2026-03-31")
        self._open()
        with self.assertRefused("being closed already", UserError):
            self._open()

    def test_statements_of_all_members_are_printed_from_the_page(self):
        action = self._get_step(self._open(), "statement").action_open()
        self.assertEqual(action["context"]["default_member_ids"], self.member.ids)
        self.assertEqual(str(action["context"]["default_date_from"]), "2026-02-01")

    def test_a_month_end_with_three_hundred_partners_and_every_kind_of_exception_adds_up(self):
        """Σ statements = ledger = what is owed, and Σ bills = Σ payouts; each exception is explained on the page."""
        members = self._enroll_many(300)
        bankless, termless, indebted, held, missing = (
            members[first:last] for first, last in ((0, 3), (3, 7), (7, 9), (9, 21), (21, 26))
        )
        payouts = self._pay_out_many()
        self.assertEqual(payouts.member_id, members - bankless - termless - indebted)
        on_hold = payouts.filtered(lambda payout: payout.member_id in held)
        on_hold.with_user(self.users["manager"]).action_hold("Return is checked")
        approved = payouts - on_hold
        approved.with_user(self.users["manager"]).action_approve()
        self._bill_many(approved.filtered(lambda payout: payout.member_id not in missing))
        closing = self._open()
        reasons = {exception.member_id: exception.reason for exception in closing.exception_ids}
        for words, expected in {
            "On hold: Return is checked": held,
            "Without bank account": bankless,
            "Terms not accepted": termless,
            "Owes money": indebted,
            "Waits for the partner's own invoice": missing,
        }.items():
            with self.subTest(words):
                self.assertEqual({member for member in reasons if words in reasons[member]}, set(expected))
        self.assertEqual(len(reasons), 3 + 4 + 2 + 12 + 5)
        self._assert_adds_up(members + self.member, approved.filtered("bill_id"))

    def _enroll_many(self, count):
        """Enroll partners who have earned something; the first of them lack a bank account, terms, or owe money."""
        self.program.write({"payout_needs_terms": True, "payout_needs_bank": True, "payout_document": "own"})
        partners = self.env["res.partner"].create(
            [{"name": f"Partner {number}", "is_company": True} for number in range(count)]
        )
        members = self._enroll(self.program, *partners)
        Entry = self.env["partner.loyalty.entry"]
        with freeze_time("2026-02-20 10:00:00"):
            Entry._post_vals(
                [
                    Entry._prepare_entry_vals(member._get_account("money"), "accrual", 10 + number, member)
                    for number, member in enumerate(members)
                ]
            )
        self.env["res.partner.bank"].create(
            [{"acc_number": f"DE{member.id}", "partner_id": member.partner_id.id} for member in members[3:]]
        )
        self.env["partner.loyalty.acceptance"].create(
            [{"member_id": member.id, "contact_id": member.partner_id.id} for member in members - members[3:7]]
        )
        for member in members[7:9]:
            self._post_entry(member, -500)
        # The dealer of the other tests is paid elsewhere.
        self._post_entry(self.member, -100)
        return members

    def _pay_out_many(self):
        """Prepare and submit the payouts of all, as the officer does."""
        officer = self.users["officer"]
        prepare = self.env["partner.loyalty.payout.prepare"].with_user(officer)
        wizard = prepare.create({"program_id": self.program.id, "date": FEBRUARY})
        payouts = self.env["partner.loyalty.payout"].search(wizard.action_prepare()["domain"], order="id")
        payouts.with_user(officer).action_submit()
        return payouts

    def _bill_many(self, payouts):
        """Enter the invoices of the partners, and bill them."""
        for payout in payouts.with_user(self.users["officer"]):
            payout.write(
                {
                    "invoice_number": f"R-{payout.id}",
                    "invoice_date": FEBRUARY,
                    "invoice_amount": payout.bill_amount,
                }
            )
        payouts.with_user(self.users["officer"]).action_bill()

    def _assert_adds_up(self, members, payouts):
        first, last = Date.to_date("2026-02-01"), Date.to_date("2026-03-18")
        statements = sum(
            (section["closing"] for member in members for section in member._get_statement(first, last)["units"]),
            Decimal(0),
        )
        owed = self.program._get_liability(last)
        self.env.flush_all()
        query = SQL("SELECT SUM(amount)::text FROM partner_loyalty_entry WHERE program_id = %s", self.program.id)
        ledger = Decimal(self.env.execute_query(query)[0][0])
        self.assertEqual(statements, ledger)
        self.assertEqual(owed["money"]["balance"], ledger)
        self.assertAlmostEqual(sum(payouts.bill_id.mapped("amount_untaxed")), sum(payouts.mapped("amount")))
        self.assertEqual(len(payouts.bill_id), len(payouts))
