"""How a program pays out: schedule, approvals, hold, terms, bank account, document, currency, and what follows."""

import base64

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import TODAY, PartnerLoyaltyCommon

DECISIONS = ("draft", "submitted", "second", "held", "approved", "refused", "canceled")

# Who may take which step from which decision, and where it leads; every other one is refused. The officer has prepared
# the payout, the first manager has approved it once where it is approved once, the second one has not touched it.
TRANSITIONS = {
    ("action_submit", "draft"): ({"officer", "manager", "second"}, "submitted"),
    ("action_approve", "submitted"): ({"manager", "second"}, "second"),
    ("action_approve", "second"): ({"second"}, "approved"),
    ("action_refuse", "submitted"): ({"manager", "second"}, "refused"),
    ("action_refuse", "second"): ({"second"}, "refused"),
    ("action_hold", "submitted"): ({"manager", "second"}, "held"),
    ("action_hold", "second"): ({"manager", "second"}, "held"),
    ("action_release", "held"): ({"manager", "second"}, "submitted"),
    ("action_ask_again", "second"): ({"officer", "manager", "second"}, "submitted"),
    ("action_ask_again", "approved"): ({"officer", "manager", "second"}, "submitted"),
    ("action_cancel", "draft"): ({"officer", "manager", "second"}, "canceled"),
    ("action_cancel", "submitted"): ({"officer", "manager", "second"}, "canceled"),
    ("action_cancel", "second"): ({"manager", "second"}, "canceled"),
    ("action_cancel", "held"): ({"manager", "second"}, "canceled"),
}
ACTIONS = ("submit", "approve", "refuse", "hold", "release", "ask_again", "cancel", "bill")
DIALOGS = {
    "partner_loyalty_payout_hold_action": "action_hold",
    "partner_loyalty_payout_refuse_action": "action_refuse",
}
REASONED = ("action_refuse", "action_hold")


class PayoutPolicyCommon(PartnerLoyaltyCommon):
    """A program whose dealer has 100 euro that have matured."""

    roles = ("salesperson", "officer", "manager", "administrator", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 0}])
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls._post_entry(cls.member, 100)
        cls.users["second"] = cls._create_role_user("manager_2", "partner_loyalty.partner_loyalty_group_manager")
        # Nobody but the managers of the test counts.
        cls.users["administrator"].group_ids -= cls.env.ref("partner_loyalty.partner_loyalty_group_administrator")

    def _prepare_payouts(self, program=None, **values):
        wizard = Form(self.env["partner.loyalty.payout.prepare"].with_user(self.users["officer"]))
        wizard.program_id = program or self.program
        for name, value in values.items():
            wizard[name] = value
        return wizard.save()

    def _get_reasons(self, **values):
        lines = self._prepare_payouts(**values).line_ids
        return {line.member_id: line.reason or line.note or "" for line in lines}

    def _as(self, role, payout):
        return payout.with_user(self.users[role])

    def _create_bank(self, number, partner=None):
        return self.env["res.partner.bank"].create({"acc_number": number, "partner_id": (partner or self.dealer).id})


@tagged("post_install", "-at_install")
class TestPayoutStates(PayoutPolicyCommon):
    """The states of a payout as a table: every transition allowed is allowed, and every other one refused."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.payout_limit = 50

    def _bring_to(self, decision):
        """Return a payout of 100 euro in a state."""
        payout = self._create_payout(self.member)
        steps = {
            "submitted": ["action_submit"],
            "second": ["action_submit", "action_approve"],
            "held": ["action_submit", "action_hold"],
            "approved": ["action_submit", "action_approve", "second"],
            "refused": ["action_submit", "action_refuse"],
            "canceled": ["action_cancel"],
        }
        for step in steps.get(decision, []):
            user = {"action_submit": "officer", "action_cancel": "officer", "second": "second"}.get(step, "manager")
            self._call(payout, user, "action_approve" if step == "second" else step)
        self.assertEqual(payout.decision, decision)
        return payout

    def _call(self, payout, role, action):
        getattr(self._as(role, payout), action)(*(["No"] if action in REASONED else []))

    def test_every_transition_by_every_role(self):
        roles = ("salesperson", "officer", "manager", "second", "accountant")
        for decision in DECISIONS:
            with self.env.cr.savepoint() as savepoint:
                payout = self._bring_to(decision)
                for action in map("action_{}".format, ACTIONS):
                    allowed, result = TRANSITIONS.get((action, decision), (set(), None))
                    for role in roles:
                        with self.subTest(decision=decision, action=action, role=role):
                            self._try(payout, role, action, result if role in allowed else None)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_every_role_finds_the_buttons_of_what_it_may_do(self):
        roles = ("salesperson", "officer", "manager", "second", "accountant")
        for decision in DECISIONS:
            with self.env.cr.savepoint() as savepoint:
                payout = self._bring_to(decision)
                for role in roles:
                    allowed = {
                        action for (action, at), (able, _to) in TRANSITIONS.items() if at == decision and role in able
                    }
                    with self.subTest(decision=decision, role=role):
                        buttons = self._get_buttons(payout, self.users[role], DIALOGS)
                        self.assertEqual(buttons & set(map("action_{}".format, ACTIONS)), allowed)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_program_counts_what_is_in_progress(self):
        for decision in DECISIONS:
            with self.subTest(decision=decision), self.env.cr.savepoint() as savepoint:
                payout = self._bring_to(decision)
                self.assertEqual(self._count_in_progress(), int(decision not in ("refused", "canceled")))
                if decision == "approved":
                    bill = payout.bill_id.with_env(self.env)
                    bill.action_post()
                    self._pay(bill, 40)
                    self.assertEqual((payout.state, self._count_in_progress()), ("partial", 1))
                    self._pay(bill)
                    self.assertEqual((payout.state, self._count_in_progress()), ("paid", 0))
                savepoint.rollback()
            self.env.invalidate_all()

    def _count_in_progress(self):
        self.program.invalidate_recordset(["payout_todo_count"])
        return self.program.payout_todo_count

    def _try(self, payout, role, action, result):
        before = payout.decision
        with self.env.cr.savepoint() as savepoint:
            if result:
                self._call(payout, role, action)
                self.assertEqual(payout.decision, result)
            else:
                with self.assertRefused("", UserError):
                    self._call(payout, role, action)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(payout.decision, before)

    def test_nobody_sets_by_hand_what_the_program_sets(self):
        payout = self._create_payout(self.member)
        for name, value in {
            "decision": "approved",
            "amount": 1,
            "bank_account": "X",
            "bill_amount": 1,
            "first_approved_by_id": self.users["manager"].id,
            "is_decided_alone": True,
            "period_start": TODAY,
            "hold_reason": "X",
        }.items():
            with self.subTest(field=name), self.assertRefused("use the buttons", AccessError):
                payout.write({name: value})


@tagged("post_install", "-at_install")
class TestPayoutApproval(PayoutPolicyCommon):
    # === TWO MANAGERS ===#

    def test_a_large_payout_is_approved_by_two_managers_who_did_not_prepare_it(self):
        self.program.payout_limit = 100
        payout = self._submit_payout(self.member)
        self._as("manager", payout).action_approve()
        self.assertRecordValues(payout, [{"state": "second", "first_approved_by_id": self.users["manager"].id}])
        self.assertFalse(payout.bill_id)
        with self.assertRefused("You approved"):
            self._as("manager", payout).action_approve()
        self._as("second", payout).action_approve()
        self.assertRecordValues(payout, [{"state": "approved", "decided_by_id": self.users["second"].id}])
        self.assertTrue(payout.bill_id)

    def test_below_the_limit_one_manager_is_enough(self):
        self.program.payout_limit = 100.01
        self.assertEqual(self._approve_payout(self.member).state, "approved")

    def test_who_prepared_it_is_neither_the_first_nor_the_second(self):
        self.program.payout_limit = 50
        payout = self._create_payout(self.member, user=self.users["second"])
        payout.action_submit()
        self._as("manager", payout).action_approve()
        with self.assertRefused("yourself"):
            self._as("second", payout).action_approve()

    # === ONE MANAGER ===#

    def _leave_alone(self, manager):
        """Let a manager be the only one."""
        group = self.env.ref("partner_loyalty.partner_loyalty_group_manager").with_user(SUPERUSER_ID)
        (group.all_user_ids - manager).active = False

    def test_the_only_manager_of_a_company_decides_alone_where_that_is_switched_on_and_it_is_logged(self):
        manager = self.users["manager"]
        payout = self._create_payout(self.member, user=manager)
        payout.action_submit()
        self.company.loyalty_single_manager = True
        with self.assertRefused("yourself"):
            payout.action_approve()
        self._leave_alone(manager)
        self.company.loyalty_single_manager = False
        with self.assertRefused("yourself"):
            payout.action_approve()
        self.company.loyalty_single_manager = True
        payout.action_approve()
        self.assertRecordValues(payout, [{"state": "approved", "is_decided_alone": True}])
        self.assertTrue(payout.sudo().message_ids.filtered(lambda message: "as the only loyalty" in message.body))

    def test_the_only_manager_still_does_not_approve_for_its_own_company(self):
        manager = self.users["manager"]
        manager.partner_id.parent_id = self.dealer
        self._leave_alone(manager)
        self.company.loyalty_single_manager = True
        payout = self._submit_payout(self.member)
        with self.assertRefused("your own company"):
            self._as("manager", payout).action_approve()

    # === HOLD ===#

    def test_a_payout_on_hold_keeps_its_money_and_its_reason_and_starts_over(self):
        self.program.payout_limit = 50
        payout = self._submit_payout(self.member)
        self._as("manager", payout).action_approve()
        wizard = (
            self.env["partner.loyalty.payout.hold"]
            .with_user(self.users["manager"])
            .with_context(active_ids=payout.ids, active_model="partner.loyalty.payout")
            .create({"reason": "A return is being checked"})
        )
        wizard.action_hold()
        self.assertRecordValues(
            payout, [{"state": "held", "hold_reason": "A return is being checked", "first_approved_by_id": False}]
        )
        self.assertBalance(self.member, 0)
        self.assertIn("On hold", self._get_reasons(member_ids=self.member)[self.member])
        self._as("second", payout).action_release()
        self.assertEqual(payout.state, "submitted")
        self._as("manager", payout).action_approve()
        self.assertEqual(payout.state, "second", "Both managers have to approve it anew.")

    def test_the_dialog_asks_what_to_put_on_hold(self):
        wizard = self.env["partner.loyalty.payout.hold"].with_user(self.users["manager"]).create({"reason": "Why not"})
        with self.assertRefused("Choose what to put on hold"):
            wizard.action_hold()

    def test_a_hold_needs_a_reason(self):
        payout = self._submit_payout(self.member)
        for reason in (None, "  ", "x" * 501):
            with self.subTest(reason=reason), self.assertRefused():
                self._as("manager", payout).action_hold(reason)

    # === MANY ===#

    def test_payouts_are_numbered_as_the_company_has_chosen(self):
        sequence = self.env.ref("partner_loyalty.ir_sequence_payout").sudo()
        sequence = sequence.copy({"company_id": self.company.id, "implementation": "no_gap", "prefix": "P-"})
        self._post_entry(self.other, 100)
        self._prepare_payouts().action_prepare()
        payouts = self.env["partner.loyalty.payout"].search([("program_id", "=", self.program.id)])
        self.assertEqual(sorted(payouts.mapped("name")), ["P-00001", "P-00002"])
        self.assertEqual(sequence.number_next_actual, 3)

    def test_approving_many_sums_up_and_leaves_what_somebody_else_has_to_decide_on(self):
        self._post_entry(self.other, 40)
        own = self._create_payout(self.other, user=self.users["manager"])
        own.action_submit()
        payouts = self._submit_payout(self.member) | own.with_user(self.users["officer"])
        wizard = (
            self.env["partner.loyalty.payout.approve"]
            .with_user(self.users["manager"])
            .with_context(active_ids=payouts.ids, active_model="partner.loyalty.payout")
            .create({})
        )
        self.assertRecordValues(wizard, [{"approvable_count": 1, "second_count": 0, "refused_ids": own.ids}])
        self.assertRecordValues(wizard.line_ids, [{"payout_count": 1, "amount": 100, "program_id": self.program.id}])
        self.assertIn("yourself", wizard.refused_text)
        wizard.action_approve()
        self.assertEqual(payouts.mapped("decision"), ["approved", "submitted"])
        with self.assertRefused("yourself"):
            wizard.action_approve()

    def test_more_bills_than_a_click_makes_are_made_in_the_background(self):
        self.patch(self.env.registry["partner.loyalty.payout"], "_bill_soon", lambda payouts: None)
        payout = self._approve_payout(self.member)
        self.assertRecordValues(payout, [{"state": "approved", "bill_id": False, "is_bill_pending": True}])
        self.program.payout_product_id = False
        with mute_logger("odoo.addons.partner_loyalty.models.partner_loyalty_payout_bill"):
            self._run_cron("ir_cron_bill_payouts")
        self.assertFalse(payout.bill_id)
        self.assertIn("choose a bill journal", payout.bill_error)
        self.program.payout_product_id = self.bonus_product
        self._as("officer", payout).action_bill()
        self.assertRecordValues(payout, [{"is_bill_pending": False, "bill_error": False}])
        self.assertEqual(payout.bill_id.amount_untaxed, 100)
        with self.assertRefused("billed already"):
            self._as("officer", payout).action_bill()

    def test_the_background_bills_what_waits(self):
        self.patch(self.env.registry["partner.loyalty.payout"], "_bill_soon", lambda payouts: None)
        payout = self._approve_payout(self.member)
        self._run_cron("ir_cron_bill_payouts")
        self.assertEqual(payout.bill_id.amount_untaxed, 100)
        self._run_cron("ir_cron_bill_payouts")
        self.assertEqual(self.env["account.move"].search_count([("loyalty_payout_id", "=", payout.id)]), 1)

    def _run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"partner_loyalty.{name}").with_user(SUPERUSER_ID).method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestPayoutBill(PayoutPolicyCommon):
    # === WHAT WAS APPROVED STANDS ===#

    def test_another_bank_account_asks_for_approval_again(self):
        bank = self._create_bank("DE11 1111")
        payout = self._approve_payout(self.member)
        bill = payout.bill_id
        self.assertEqual(payout.bank_account, "DE111111")
        bank.acc_number = "DE22 2222"
        self.assertRecordValues(payout, [{"state": "submitted", "decided_by_id": False, "bill_id": False}])
        self.assertFalse(bill.exists())
        self.assertBalance(self.member, 0)
        self._as("second", payout).action_approve()
        self.assertEqual(payout.bank_account, "DE222222")

    def test_another_bank_account_between_two_approvals_starts_over(self):
        self.program.payout_limit = 50
        payout = self._submit_payout(self.member)
        self._as("manager", payout).action_approve()
        self._create_bank("DE11 1111")
        self.assertRecordValues(payout, [{"state": "submitted", "first_approved_by_id": False}])

    def test_another_bank_account_after_the_bill_was_posted_warns_who_approved_it(self):
        payout = self._approve_payout(self.member)
        payout.bill_id.action_post()
        self._create_bank("DE11 1111")
        self.assertEqual(payout.state, "billed")
        self.assertEqual(payout.sudo().activity_ids.user_id, self.users["manager"])
        self.assertIn("check before paying", payout.bill_id.message_ids[0].body)

    def test_the_bank_account_of_somebody_else_changes_nothing(self):
        payout = self._approve_payout(self.member)
        self._create_bank("DE11 1111", self.stranger)
        self.assertEqual(payout.state, "approved")

    def test_a_bill_that_says_otherwise_than_was_approved_is_not_posted(self):
        payout = self._approve_payout(self.member)
        payout.bill_id.invoice_line_ids.price_unit = 100.01
        with self.assertRefused("was approved for"):
            payout.bill_id.action_post()
        payout.bill_id.invoice_line_ids.price_unit = 100
        payout.bill_id.action_post()
        self.assertEqual(payout.state, "billed")

    def test_a_posted_bill_keeps_the_approval(self):
        payout = self._approve_payout(self.member)
        payout.bill_id.action_post()
        with self.assertRefused("is posted: reset or reverse it first"):
            self._as("officer", payout).action_ask_again()
        payout.bill_id.button_draft()
        self._as("officer", payout).action_ask_again()
        self.assertRecordValues(payout, [{"state": "submitted", "bill_id": False}])

    # === WHAT HAPPENS TO THE BILL ===#

    def test_a_bill_that_is_deleted_canceled_or_reversed_reopens_the_payout(self):
        for name in ("delete", "cancel", "reverse"):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                payout = self._approve_payout(self.member)
                getattr(self, f"_{name}_bill")(payout.bill_id)
                self.env.invalidate_all()
                self.assertEqual(payout.state, "approved")
                self.assertFalse(payout._get_live_bill())
                self.assertBalance(self.member, 0)
                self._as("officer", payout).action_bill()
                payout.bill_id.action_post()
                self._pay(payout.bill_id)
                self.assertEqual(payout.state, "paid")
                self._assert_invariants()
                savepoint.rollback()
            self.env.invalidate_all()

    def _delete_bill(self, bill):
        bill.unlink()

    def _cancel_bill(self, bill):
        bill.button_cancel()

    def _reverse_bill(self, bill):
        bill.action_post()
        self._credit(bill)

    def test_an_approved_payout_without_a_bill_is_canceled_by_a_manager_and_the_money_returns(self):
        payout = self._approve_payout(self.member)
        with self.assertRefused("has the bill"):
            self._as("manager", payout).action_cancel()
        payout.bill_id.button_cancel()
        with self.assertRefused("only a loyalty manager"):
            self._as("officer", payout).action_cancel()
        self._as("manager", payout).action_cancel()
        self.assertEqual(payout.state, "canceled")
        self.assertBalance(self.member, 100)

    def test_paid_follows_the_bill_partly_paid_too(self):
        payout = self._approve_payout(self.member)
        payout.bill_id.action_post()
        self._pay(payout.bill_id, 40)
        self.assertEqual(payout.state, "partial")
        self._pay(payout.bill_id)
        self.assertEqual(payout.state, "paid")

    def test_a_refund_after_the_payout_is_a_debt_and_not_another_bill(self):
        payout = self._approve_payout(self.member)
        payout.bill_id.action_post()
        self._pay(payout.bill_id)
        self._post_entry(self.member, -30)
        self.assertBalance(self.member, -30)
        self.assertEqual(self.member.money_debt, 30)
        self.assertRecordValues(payout, [{"state": "paid", "amount": 100}])

    # === HOW IT LEAVES ===#

    def test_a_credit_note_to_the_customer_instead_of_a_bill(self):
        self.program.write({"payout_settlement": "refund", "payout_journal_id": False})
        self.bonus_product.taxes_id = False
        payout = self._approve_payout(self.member)
        refund = payout.bill_id
        self.assertRecordValues(
            refund, [{"move_type": "out_refund", "amount_untaxed": 100, "partner_id": self.dealer.id}]
        )
        refund.action_post()
        self.assertEqual(payout.state, "billed")
        invoice = self._create_sale_invoice(self.dealer, 100)
        (refund | invoice).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ).reconcile()
        self.assertEqual(payout.state, "paid")
        self._answer_documents()
        contributions = self.env["partner.loyalty.contribution"].search([("document_id", "=", refund.id)])
        self.assertFalse(contributions.filtered(lambda row: row.document_model == "account.move"))

    def test_taxes_follow_the_product_and_the_fiscal_position_of_the_partner(self):
        tax, other = self.tax_purchase_a, self.tax_purchase_b
        self.bonus_product.supplier_taxes_id = [Command.set(tax.ids)]
        position = self.env["account.fiscal.position"].create({"name": "Abroad", "company_id": self.company.id})
        other.write({"fiscal_position_ids": [Command.set(position.ids)], "original_tax_ids": [Command.set(tax.ids)]})
        self.dealer.property_account_position_id = position
        bill = self._approve_payout(self.member).bill_id
        self.assertEqual(bill.invoice_line_ids.tax_ids, other)
        self.assertEqual(bill.amount_untaxed, 100)
        bill.action_post()

    def test_it_is_paid_in_the_currency_of_the_partner_at_the_rate_of_the_approval(self):
        zloty = self._enable_currency("PLN")
        self.env["res.currency.rate"].create(
            {"currency_id": zloty.id, "company_id": self.company.id, "name": TODAY, "rate": 4.25}
        )
        self.member.payout_currency_id = zloty
        payout = self._approve_payout(self.member)
        self.assertRecordValues(payout, [{"bill_currency_id": zloty.id, "bill_rate": 4.25, "bill_amount": 425}])
        bill = payout.bill_id
        self.assertRecordValues(bill, [{"currency_id": zloty.id, "amount_untaxed": 425, "amount_untaxed_signed": -100}])
        self.env["res.currency.rate"].search([("currency_id", "=", zloty.id)]).rate = 5
        bill.action_post()
        self.assertEqual((bill.amount_untaxed, bill.amount_untaxed_signed, payout.state), (425, -100, "billed"))

    def test_the_analytic_distribution_of_the_program_is_on_the_bill(self):
        plan = self.env["account.analytic.plan"].create({"name": "Channel"})
        account = self.env["account.analytic.account"].create({"name": "Dealers", "plan_id": plan.id})
        self.program.analytic_distribution = {str(account.id): 100}
        line = self._approve_payout(self.member).bill_id.invoice_line_ids
        self.assertEqual(line.analytic_distribution, {str(account.id): 100})

    # === THE PARTNER'S OWN INVOICE ===#

    def test_the_bill_waits_for_the_invoice_of_the_partner_and_takes_its_number_and_date(self):
        self.program.payout_document = "own"
        payout = self._approve_payout(self.member).with_user(self.users["officer"])
        self.assertRecordValues(payout, [{"state": "approved", "bill_id": False}])
        with self.assertRefused("waits for the invoice of Dealer"):
            payout.action_bill()
        with self.assertRefused("is about", ValidationError):
            payout.write({"invoice_number": "R-7", "invoice_date": "2026-03-17", "invoice_amount": 99})
        with self.assertRefused("still to come", ValidationError):
            payout.write({"invoice_number": "R-7", "invoice_date": "2026-03-19", "invoice_amount": 100})
        payout.write(
            {
                "invoice_number": "R-7",
                "invoice_date": "2026-03-17",
                "invoice_amount": 100,
                "invoice_file": base64.b64encode(b"%PDF-1.4"),
                "invoice_filename": "R-7.pdf",
            }
        )
        payout.action_bill()
        bill = payout.sudo().bill_id
        self.assertRecordValues(
            bill, [{"ref": "R-7", "invoice_date": Date.to_date("2026-03-17"), "amount_untaxed": 100}]
        )
        attachment = self.env["ir.attachment"].search([("res_model", "=", "account.move"), ("res_id", "=", bill.id)])
        self.assertEqual(attachment.name, "R-7.pdf")
        with self.assertRefused("after the approval, and before the bill"):
            payout.invoice_number = "R-8"

    def test_an_invoice_is_not_entered_before_the_approval(self):
        self.program.payout_document = "own"
        payout = self._submit_payout(self.member)
        with self.assertRefused("after the approval"):
            payout.invoice_number = "R-7"


@tagged("post_install", "-at_install")
class TestPayoutPreview(PayoutPolicyCommon):
    """What is paid out when, and why less or nothing: it is always said."""

    def test_a_schedule_gives_one_payout_for_each_member_and_period_however_often_it_is_prepared(self):
        self.program.payout_schedule = "month"
        with freeze_time("2026-04-02 10:00:00"):
            wizard = self._prepare_payouts()
            self.assertEqual(wizard.date, Date.to_date("2026-03-31"))
            wizard.action_prepare()
            payout = self.env["partner.loyalty.payout"].search([("program_id", "=", self.program.id)])
            self.assertRecordValues(payout, [{"period_start": Date.to_date("2026-03-01"), "amount": 100}])
            self.assertEqual(self.program.payout_prepared_until, Date.to_date("2026-03-31"))
            with self.assertRefused("in progress"):
                self._prepare_payouts().action_prepare()
            payout.action_submit()
            self._post_entry(self.member, 20)
            with self.assertRefused("or one for this day"):
                self._prepare_payouts().action_prepare()
            with self.assertRefused("for this period already", UserError):
                self._create_payout(self.member, date="2026-03-30")
        with freeze_time("2026-05-02 10:00:00"):
            self._prepare_payouts().action_prepare()
        payouts = self.env["partner.loyalty.payout"].search([("program_id", "=", self.program.id)], order="id")
        self.assertEqual(payouts.mapped("amount"), [100, 20])

    def test_nothing_is_warned_of_before_a_program_is_chosen(self):
        wizard = Form(self.env["partner.loyalty.payout.prepare"].with_user(self.users["officer"]))
        self.assertFalse(wizard.date_warning)
        self.assertFalse(wizard.payable_count)

    def test_with_a_schedule_the_last_day_of_a_period_is_chosen(self):
        self.program.payout_schedule = "quarter"
        wizard = self._prepare_payouts()
        self.assertEqual(wizard.date, Date.to_date("2025-12-31"))
        wizard.date = "2026-03-18"
        self.assertIn("choose its last day, such as 12/31/2025", wizard.date_warning)
        self.assertFalse(wizard.line_ids)
        with self.assertRefused("choose its last day"):
            wizard.action_prepare()

    def test_the_to_do_page_says_when_a_period_is_over(self):
        todos = self.env["partner.loyalty.todo"]
        domain = [("kind", "=", "payout_prepare"), ("program_id", "=", self.program.id)]
        self.assertFalse(todos.search(domain))
        self.program.payout_schedule = "month"
        todo = todos.search(domain)
        self.assertRecordValues(todo, [{"date": Date.to_date("2026-03-01"), "res_id": self.program.id}])
        with freeze_time("2026-03-19 10:00:00"):
            self._prepare_payouts(date=Date.to_date("2026-02-28"))
            self.program._note_payouts_prepared(Date.to_date("2026-02-28"))
        self.assertFalse(todos.search(domain))

    def test_many_drafts_are_the_same_as_one_by_one(self):
        amounts = {self.member.id: 100, self.other.id: 12.34}
        payouts = self.env["partner.loyalty.payout"].with_user(self.users["officer"])
        drafted = payouts._draft(self.program, Date.to_date(TODAY), amounts)
        single = self._create_payout(self._enroll(self.program, self.stranger))
        self.assertEqual(drafted.mapped("amount"), [100, 12.34])
        for name in ("state", "decision", "prepared_by_id", "company_id", "date", "period_start", "create_uid"):
            for payout in drafted:
                with self.subTest(field=name):
                    self.assertEqual(payout[name], single[name])
        numbers = [int(name.rsplit("/")[-1]) for name in (drafted + single).mapped("name")]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))
        self.assertEqual(drafted.partner_id, self.dealer + self.referrer)
        self.assertEqual(drafted.member_id, self.member + self.other)

    def test_an_accountant_prepares_nothing(self):
        payouts = self.env["partner.loyalty.payout"].with_user(self.users["accountant"])
        with self.assertRefused("", AccessError):
            payouts._draft(self.program, Date.to_date(TODAY), {self.member.id: 1})

    def test_why_a_member_gets_nothing_or_less(self):
        self.program.write({"payout_needs_terms": True, "payout_needs_bank": True, "payout_minimum": 5})
        names = ["bank", "terms", "part", "debt", "held", "small", "nothing", "paid"]
        partners = [self._create_partner(name=name, is_company=True) for name in names]
        members = dict(zip(names, self._enroll(self.program, *partners), strict=True))
        for name, member in members.items():
            if name != "bank":
                self._create_bank(f"DE {name}", member.partner_id)
            if name != "terms":
                self._accept(member)
        for name, amount in (("bank", 10), ("terms", 10), ("part", 10), ("debt", -3), ("small", 4), ("paid", 10)):
            self._post_entry(members[name], amount)
        self._post_entry(members["part"], 7, mature_date="2026-04-01")
        self._post_entry(members["held"], 7, mature_date="2026-04-01")
        paid = self._approve_payout(members["paid"])
        paid.bill_id.action_post()
        self._post_entry(members["paid"], 10)
        everybody = self.env["partner.loyalty.member"].union(*members.values())
        reasons = self._get_reasons(member_ids=everybody)
        for name, words in {
            "bank": "Without bank account",
            "terms": "Terms not accepted",
            "part": "7.00\N{NO-BREAK SPACE}€ matures later",
            "debt": "Owes money",
            "held": "Held back: nothing has matured",
            "small": "Below the smallest payout",
            "nothing": "Nothing is on its balance",
            "paid": f"Paid out already: {paid.name}",
        }.items():
            with self.subTest(name):
                self.assertIn(words, reasons[members[name]])

    def test_a_partner_without_address_is_paid_unless_the_program_asks_for_one(self):
        words = "Without address: enter street, city and country of the partner"
        self.assertNotIn(words, self._get_reasons(member_ids=self.member)[self.member])
        self.program.payout_needs_address = True
        self.assertIn(words, self._get_reasons(member_ids=self.member)[self.member])
        payout = self._create_payout(self.member)
        with self.assertRefused(f"Dealer: {words}"):
            payout.action_submit()
        self.dealer.write({"street": "Port Road 1", "city": "Odesa", "country_id": self.env.ref("base.ua").id})
        payout.action_submit()
        self.assertEqual(payout.state, "submitted")

    def test_a_bill_of_a_closed_period_is_dated_in_the_first_open_one(self):
        self.company.purchase_lock_date = "2026-03-31"
        payout = self._approve_payout(self.member)
        with freeze_time("2026-04-05 10:00:00"):
            payout.bill_id.action_post()
        self.assertRecordValues(payout.bill_id, [{"state": "posted", "date": Date.to_date("2026-04-01")}])
        self.assertEqual(payout.state, "billed")

    def _accept(self, member):
        self.env["partner.loyalty.acceptance"].with_user(self.users["officer"]).create(
            {"member_id": member.id, "contact_id": member.partner_id.id}
        )

    def test_members_of_another_program_are_named_and_left_out(self):
        program = self._create_program([{}], name="Other program")
        stranger = self._enroll(program, self.stranger)
        wizard = (
            self.env["partner.loyalty.payout.prepare"]
            .with_user(self.users["officer"])
            .with_context(active_model="partner.loyalty.member", active_ids=(self.member + stranger).ids)
            .create({})
        )
        self.assertRecordValues(wizard, [{"member_ids": self.member.ids, "other_count": 1}])

    # === TERMS ===#

    def test_no_payment_without_accepted_terms(self):
        self.program.write({"payout_needs_terms": True, "terms": "<p>Two percent</p>"})
        payout = self._create_payout(self.member)
        with self.assertRefused("Terms not accepted"):
            payout.action_submit()
        self._accept(self.member)
        acceptance = self.member.acceptance_ids
        self.assertRecordValues(acceptance, [{"version": 1, "user_id": self.users["officer"].id}])
        self.assertIn("Two percent", acceptance.terms)
        self.assertEqual(self.member.terms_state, "current")
        payout.action_submit()
        self.assertEqual(payout.state, "submitted")

    def test_new_terms_have_to_be_accepted_anew_and_the_old_ones_are_kept(self):
        self.program.terms = "<p>Two percent</p>"
        self.assertEqual(self.program.terms_version, 1, "Nobody has accepted them yet.")
        self._accept(self.member)
        self.program.terms = "<p>Three percent</p>"
        self.program.terms = "<p>Four percent</p>"
        self.assertEqual(self.program.terms_version, 2)
        self.env.invalidate_all()
        self.assertEqual((self.member.terms_state, self.other.terms_state), ("old", "none"))
        self.assertIn("Two percent", self.member.acceptance_ids.terms)
        self._accept(self.member)
        self.env.invalidate_all()
        self.assertRecordValues(self.member, [{"terms_state": "current", "accepted_version": 2}])

    def test_what_was_accepted_is_neither_changed_nor_deleted_nor_made_up(self):
        self._accept(self.member)
        acceptance = self.member.acceptance_ids
        for user in (self.users["officer"], self.users["manager"]):
            with self.assertRefused("", UserError):
                acceptance.with_user(user).write({"note": "x"})
            with self.assertRefused("", UserError):
                acceptance.with_user(user).unlink()
        acceptances = self.env["partner.loyalty.acceptance"].with_user(self.users["officer"])
        for name, value in {"date": "2020-01-01", "version": 9, "terms": "x", "user_id": 1}.items():
            with self.subTest(field=name), self.assertRefused("cannot be set by hand", AccessError):
                acceptances.create({"member_id": self.member.id, "contact_id": self.dealer.id, name: value})
