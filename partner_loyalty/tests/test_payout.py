from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestPayout(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "administrator")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], maturity_days=14, payout_minimum=5)
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]
        # These mature on 15 March and on 1 April.
        cls.matured_invoice = cls._create_sale_invoice(cls.dealer, 1000, date="2026-03-01")
        cls._create_sale_invoice(cls.dealer, 500, date=TODAY)
        cls._answer_marks()

    def _prepare_payouts(self, **values):
        wizard = Form(self.env["partner.loyalty.payout.prepare"].with_user(self.officer))
        wizard.program_id = self.program
        for name, value in values.items():
            wizard[name] = value
        return wizard.save()

    def _get_lots(self):
        return self._get_entries(self.member).filtered(lambda entry: entry.amount > 0).mapped("amount_open")

    # === PREPARING ===#

    def test_only_matured_money_is_paid_out(self):
        self.assertRecordValues(self.member, [{"money_balance": 150, "money_available": 100}])
        payout = self._create_payout(self.member)
        self.assertRecordValues(payout, [{"amount": 100, "state": "draft", "prepared_by_id": self.officer.id}])
        self.assertTrue(payout.name.startswith("PAYOUT/2026/"))

    def test_a_day_to_come_does_not_pay_what_has_not_matured(self):
        payout = self._create_payout(self.member, date="2026-12-31")
        self.assertEqual(payout.amount, 100)
        payout.action_submit()
        self.assertEqual(self._get_lots(), [0, 50])

    def test_the_wizard_drafts_a_payout_for_each_member_with_matured_money(self):
        other_member = self._enroll(self.program, self.referrer)
        self._create_sale_invoice(self.referrer, 70.5, date="2026-03-01")
        self._answer_documents()
        wizard = self._prepare_payouts()
        self.assertRecordValues(wizard, [{"payable_count": 2, "payable_amount": 107.05}])
        action = wizard.action_prepare()
        payouts = self.env["partner.loyalty.payout"].search(action["domain"])
        self.assertEqual(
            {payout.member_id: payout.amount for payout in payouts}, {self.member: 100, other_member: 7.05}
        )

    def test_the_wizard_says_why_a_member_gets_nothing(self):
        small, debtor, waiting, busy = (self._create_partner(name=name, is_company=True) for name in "ABCD")
        members = self._enroll(self.program, small, debtor, waiting, busy)
        for member, amount, day in zip(members, (4.99, -3, 40, 60), ("03-01", "03-01", "03-17", "03-01"), strict=True):
            self._post_entry(member, amount, mature_date=f"2026-{day}" if amount != 40 else "2026-03-31")
        self._create_payout(members[3])
        wizard = self._prepare_payouts(member_ids=members)
        reasons = {line.member_id: line.reason for line in wizard.line_ids}
        for member, word in zip(members, ("smallest payout", "Owes money", "Held back", "in progress"), strict=True):
            self.assertIn(word, reasons[member])
        with self.assertRefused("Nothing can be paid out"):
            wizard.action_prepare()

    def test_the_wizard_says_so_where_nobody_has_money(self):
        empty = self._create_program([{}], name="Empty")
        wizard = self._prepare_payouts(program_id=empty)
        with self.assertRefused("No member"):
            wizard.action_prepare()

    def test_a_second_draft_and_a_second_payout_for_the_same_day_are_refused(self):
        payout = self._create_payout(self.member)
        with self.assertRefused("draft payout to this member already"):
            self._create_payout(self.member, date="2026-03-17")
        payout.action_submit()
        with self.assertRefused("payout to this member for this day already"):
            self._create_payout(self.member)

    def test_a_draft_reserves_nothing(self):
        payout = self._create_payout(self.member)
        self.assertBalance(self.member, 150)
        self.assertEqual(self._get_lots(), [100, 50])
        payout.unlink()
        self.assertFalse(payout.exists())

    def test_a_draft_can_be_brought_up_to_date(self):
        payout = self._create_payout(self.member)
        self._create_sale_invoice(self.dealer, 20, date="2026-03-02")
        self._answer_documents()
        self.assertEqual(payout.amount, 100)
        payout.action_recompute()
        self.assertEqual(payout.amount, 102)

    # === SUBMITTING ===#

    def test_submitting_takes_the_money_off_its_lots(self):
        payout = self._submit_payout(self.member)
        self.assertRecordValues(payout, [{"state": "submitted", "submitted_by_id": self.officer.id, "amount": 100}])
        self.assertRecordValues(
            payout.entry_id,
            [{"type": "payout", "amount": -100, "amount_open": 0, "origin_id": payout.id, "user_id": self.officer.id}],
        )
        self.assertBalance(self.member, 50)
        self.assertEqual(self._get_lots(), [0, 50])

    def test_submitting_twice_is_refused_and_takes_the_money_once(self):
        payout = self._submit_payout(self.member)
        with self.assertRefused("cannot be changed this way any more"):
            payout.action_submit()
        self.assertBalance(self.member, 50)

    def test_submitting_after_something_was_taken_back_asks_to_update_the_amount(self):
        payout = self._create_payout(self.member)
        self._credit(self.matured_invoice, 100)
        self._answer_documents()
        with self.assertRefused("Update Amount"):
            payout.action_submit()
        self.assertRecordValues(payout, [{"state": "draft", "entry_id": False}])
        payout.action_recompute()
        payout.action_submit()
        self.assertRecordValues(payout, [{"state": "submitted", "amount": 90}])
        self.assertBalance(self.member, 50)

    def test_a_payout_of_nothing_is_refused(self):
        member = self._enroll(self.program, self.referrer)
        payout = self._create_payout(member)
        self.assertEqual(payout.amount, 0)
        with self.assertRefused("nothing is available"):
            payout.action_submit()

    def test_two_payouts_one_after_the_other_take_what_has_matured_in_between(self):
        first = self._submit_payout(self.member)
        with self._in_days(14):
            second = self._submit_payout(self.member, date="2026-04-01")
        self.assertEqual((first.amount, second.amount), (100, 50))
        self.assertBalance(self.member, 0)

    def test_a_withdrawn_payout_gives_the_money_back_to_its_lots(self):
        payout = self._submit_payout(self.member)
        payout.action_cancel()
        self.assertEqual(payout.state, "canceled")
        self.assertEqual(self._get_lots(), [100, 50, 0])
        self.assertEqual(self._submit_payout(self.member).amount, 100)

    def test_a_submitted_payout_cannot_be_deleted(self):
        payout = self._submit_payout(self.member)
        with self.assertRefused("only drafts can be deleted"):
            payout.unlink()

    # === DECIDING ===#

    def test_a_manager_approves_what_somebody_else_prepared(self):
        payout = self._submit_payout(self.member).with_user(self.manager)
        self.assertTrue(payout.can_approve)
        payout.action_approve()
        self.assertRecordValues(payout, [{"state": "approved", "decided_by_id": self.manager.id}])
        self.assertTrue(payout.decided_at)
        self.assertBalance(self.member, 50)

    def test_nobody_approves_what_they_prepared_or_submitted(self):
        prepared = self._create_payout(self.member, user=self.manager)
        prepared.action_submit()
        self.assertFalse(prepared.can_approve)
        with self.assertRefused("yourself"):
            prepared.action_approve()
        with self.assertRefused("yourself"):
            prepared.action_refuse("No")
        prepared.with_user(self.users["administrator"]).action_refuse("Too early")

        drafted = self._create_payout(self.member)
        drafted.with_user(self.manager).action_submit()
        with self.assertRefused("yourself"):
            drafted.with_user(self.manager).action_approve()
        drafted.with_user(self.users["administrator"]).action_approve()
        self.assertEqual(drafted.state, "approved")

    def test_nobody_approves_for_their_own_company(self):
        self.manager.partner_id.parent_id = self.dealer
        payout = self._submit_payout(self.member).with_user(self.manager)
        self.assertFalse(payout.can_approve)
        with self.assertRefused("your own company"):
            payout.action_approve()

    def test_only_managers_approve_and_refuse(self):
        payout = self._submit_payout(self.member)
        other_officer = self._create_role_user("officer_2", "partner_loyalty.partner_loyalty_group_officer")
        for user in (self.officer, other_officer):
            self.assertFalse(payout.with_user(user).can_approve)
            with self.assertRefused("approved by a loyalty manager"):
                payout.with_user(user).action_approve()
            with self.assertRefused("approved by a loyalty manager"):
                payout.with_user(user).action_refuse("No")
        self.assertEqual(payout.decision, "submitted")

    def test_approving_twice_makes_one_bill(self):
        payout = self._approve_payout(self.member)
        with self.assertRefused("cannot be changed this way any more"):
            payout.with_user(self.manager).action_approve()
        self.assertEqual(self.env["account.move"].search([("loyalty_payout_id", "=", payout.id)]), payout.bill_id)

    def test_a_draft_cannot_be_approved_or_refused(self):
        payout = self._create_payout(self.member).with_user(self.manager)
        for action in (payout.action_approve, payout.action_refuse):
            with self.assertRefused():
                action()
        self.assertEqual(payout.decision, "draft")

    def test_a_refused_payout_gives_the_money_back_and_keeps_the_reason(self):
        payout = self._submit_payout(self.member)
        wizard = (
            self.env["partner.loyalty.payout.refuse"]
            .with_user(self.manager)
            .with_context(active_ids=payout.ids, active_model="partner.loyalty.payout")
            .create({"reason": "Returns expected"})
        )
        wizard.action_refuse()
        self.assertRecordValues(
            payout, [{"state": "refused", "refuse_reason": "Returns expected", "decided_by_id": self.manager.id}]
        )
        self.assertBalance(self.member, 150)
        self.assertEqual(self._get_lots(), [100, 50, 0])
        self.assertEqual(self._submit_payout(self.member).amount, 100)

    def test_a_refused_payout_pays_the_debt_that_arose_meanwhile_first(self):
        payout = self._submit_payout(self.member)
        self._credit(self.matured_invoice)
        self._answer_documents()
        self.assertBalance(self.member, -50)
        payout.with_user(self.manager).action_refuse("No")
        self.assertBalance(self.member, 50)
        self.assertEqual(sum(self._get_lots()), 50)

    def test_an_approved_payout_can_neither_be_refused_nor_withdrawn(self):
        payout = self._approve_payout(self.member)
        with self.assertRefused():
            payout.with_user(self.users["administrator"]).action_refuse("No")
        with self.assertRefused():
            payout.with_user(self.officer).action_cancel()
        self.assertBalance(self.member, 50)

    def test_a_batch_with_one_payout_that_may_not_be_approved_approves_none(self):
        own_company = self._enroll(self.program, self.referrer)
        self._post_entry(own_company, 30)
        self.manager.partner_id.parent_id = self.referrer
        payouts = self._submit_payout(self.member) | self._submit_payout(own_company)
        with self.assertRefused("your own company"):
            payouts.with_user(self.manager).action_approve()
        self.assertEqual(payouts.mapped("decision"), ["submitted", "submitted"])
        self.assertFalse(payouts.bill_id)

    def test_the_responsible_manager_is_asked_to_approve(self):
        self.program.user_id = self.manager
        payout = self._submit_payout(self.member)
        self.assertEqual(payout.sudo().activity_ids.user_id, self.manager)
        payout.with_user(self.manager).action_approve()
        self.assertFalse(payout.sudo().activity_ids)

    def test_without_a_responsible_nobody_is_asked(self):
        self.program.user_id = False
        self.assertFalse(self._submit_payout(self.member).sudo().activity_ids)

    # === BILL ===#

    def test_approval_makes_a_draft_vendor_bill(self):
        payout = self._approve_payout(self.member)
        self.assertRecordValues(
            payout.bill_id,
            [
                {
                    "move_type": "in_invoice",
                    "state": "draft",
                    "partner_id": self.dealer.id,
                    "journal_id": self.purchase_journal.id,
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "amount_untaxed": 100,
                    "ref": payout.name,
                }
            ],
        )
        self.assertRecordValues(payout.bill_id.invoice_line_ids, [{"product_id": self.bonus_product.id, "quantity": 1}])

    def test_the_state_follows_the_bill_and_its_payment_and_back(self):
        payout = self._approve_payout(self.member)
        bill = payout.bill_id
        bill.action_post()
        self.assertEqual(payout.state, "billed")
        self._pay(bill)
        self.assertEqual(payout.state, "paid")
        self._unreconcile(bill)
        self.assertEqual(payout.state, "billed")
        bill.button_draft()
        self.assertEqual(payout.state, "approved")
        self.assertBalance(self.member, 50)

    def test_a_payout_that_cannot_be_billed_is_not_approved(self):
        self.program.payout_product_id = False
        payout = self._submit_payout(self.member)
        with self.assertRefused("choose a bill journal and a bill product"):
            payout.with_user(self.manager).action_approve()
        self.assertRecordValues(payout, [{"decision": "submitted", "bill_id": False}])

    def test_the_bill_of_a_payout_and_its_refund_contribute_nothing(self):
        bill = self._bill_payout(self.member).bill_id
        self._pay(bill)
        self.assertFalse(self._answer_documents())
        domain = [("document_model", "=", "account.move"), ("document_id", "=", bill.id)]
        self.assertFalse(self.env["partner.loyalty.contribution"].search_count(domain))

    # === STATEMENT ===#

    def test_the_statement_of_a_payout_adds_up_and_the_next_goes_on_from_it(self):
        first = self._submit_payout(self.member).with_user(self.env.user)
        self.assertEqual(first.line_ids.mapped("amount"), [100, 50, -100])
        self.assertRecordValues(first, [{"opening_balance": 0, "closing_balance": 50}])
        self._create_sale_invoice(self.dealer, 80, date="2026-03-02")
        self._answer_documents()
        with self._in_days(14):
            second = self._submit_payout(self.member, date="2026-04-01").with_user(self.env.user)
        self.assertEqual(second.line_ids.mapped("amount"), [8, -58])
        self.assertRecordValues(second, [{"amount": 58, "opening_balance": 50, "closing_balance": 0}])
        self.assertEqual(first.line_ids.mapped("amount"), [100, 50, -100], "An old statement stays as it is.")

    def test_the_statement_after_a_refusal_shows_both_lines(self):
        refused = self._submit_payout(self.member)
        refused.with_user(self.manager).action_refuse("No")
        payout = self._submit_payout(self.member).with_user(self.env.user)
        self.assertEqual(payout.line_ids.mapped("amount"), [100, 50, -100, 100, -100])
        self.assertRecordValues(payout, [{"opening_balance": 0, "closing_balance": 50}])

    def test_the_statement_of_a_draft_shows_what_is_on_the_account(self):
        payout = self._create_payout(self.member)
        self.assertEqual(payout.line_ids.mapped("amount"), [100, 50])
        self.assertEqual(payout.closing_balance, 150)

    # === MASS ASSIGNMENT ===#

    def test_a_payout_cannot_be_created_decided_or_with_an_amount(self):
        Payout = self.env["partner.loyalty.payout"].with_user(self.officer)
        base = {"member_id": self.member.id, "date": TODAY}
        for vals in (
            {"decision": "approved"},
            {"state": "paid"},
            {"amount": 10**6},
            {"prepared_by_id": self.manager.id},
            {"submitted_by_id": self.manager.id},
            {"entry_id": self._get_entries(self.member)[0].id},
            {"name": "PAYOUT/1"},
        ):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                Payout.create({**base, **vals})
            defaults = {f"default_{name}": value for name, value in vals.items()}
            with self.subTest(defaults=defaults):
                payout = Payout.with_context(**defaults).create(base)
                self.assertRecordValues(
                    payout, [{"decision": "draft", "amount": 100, "prepared_by_id": self.officer.id}]
                )
                payout.unlink()

    def test_the_fields_of_a_payout_that_the_program_sets_cannot_be_written(self):
        payout = self._create_payout(self.member)
        bill = self._create_sale_invoice(self.dealer, 10, post=False, move_type="in_invoice")
        for vals in (
            {"decision": "approved"},
            {"state": "approved"},
            {"amount": 1},
            {"prepared_by_id": self.manager.id},
            {"decided_by_id": self.manager.id},
            {"bill_id": bill.id},
            {"entry_id": False},
            {"date": "2026-01-31"},
            {"member_id": self.member.id},
            {"refuse_reason": "x"},
        ):
            for user in (self.officer, self.manager):
                with self.subTest(vals=vals, user=user.login), self.assertRefused("cannot be set by hand", AccessError):
                    payout.with_user(user).write(vals)
