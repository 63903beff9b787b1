"""What happens to a document ends in the ledger: confirm, invoice, pay, cancel, refund, edit.

Each call of ``_answer_documents`` runs the engine twice, and fails where the second run posts anything.
"""

from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestLifecycle(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [
                {"name": "At order", "kind": "order", "rate": 1},
                {"name": "At invoice", "kind": "invoice", "rate": 10},
                {"name": "At payment", "kind": "payment", "rate": 20},
                {"name": "Brought", "kind": "invoice", "role": "referrer", "rate": 5},
            ]
        )
        cls.order_rule, cls.invoice_rule, cls.payment_rule, cls.referrer_rule = cls.program.rule_ids
        cls.member, cls.referrer_member = cls._enroll(cls.program, cls.dealer, cls.referrer)

    def assertEarned(self, order=0, invoice=0, payment=0, member=None):
        """Check what each rule has earned a member so far, and that nothing is left to post."""
        member = member or self.member
        sums = dict.fromkeys(self.program.with_context(active_test=False).rule_ids, 0)
        for entry in self._get_entries(member):
            sums[entry.rule_id] += entry.amount
        self.assertEqual(
            (sums[self.order_rule], sums[self.invoice_rule], sums[self.payment_rule]), (order, invoice, payment)
        )
        self.assertInLine(self.program)

    # === ORDERS ===#

    def test_order_invoice_and_payment_each_earn_by_their_rule(self):
        order = self._create_order(self.dealer_contact, 100, 50, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        self.assertEarned(order=1.5)
        invoice = order._create_invoices()
        self.assertFalse(self._answer_documents(), "A draft invoice earns nothing.")
        invoice.action_post()
        self._answer_documents()
        self.assertEarned(order=1.5, invoice=15)
        self.assertEntries(self.referrer_member, [7.5])
        self._pay(invoice, 60)
        self._answer_documents()
        self.assertEarned(order=1.5, invoice=15, payment=12)
        self._pay(invoice)
        self._answer_documents()
        self.assertEarned(order=1.5, invoice=15, payment=30)

    def test_a_quotation_earns_nothing(self):
        self._create_order(self.dealer, 100, confirm=False)
        self.assertFalse(self._answer_documents())
        self.assertEarned()

    def test_a_cancelled_order_is_taken_back_to_zero(self):
        order = self._create_order(self.dealer, 100)
        earned = self._answer_documents()
        order._action_cancel()
        taken = self._answer_documents()
        self.assertRecordValues(
            earned + taken,
            [
                {"type": "accrual", "amount": 1, "revision": 0, "origin_id": order.id},
                {"type": "clawback", "amount": -1, "revision": 1, "origin_id": order.id},
            ],
        )
        self.assertEarned()

    def test_an_order_cancelled_and_confirmed_again_earns_once(self):
        order = self._create_order(self.dealer, 100)
        self._answer_documents()
        order._action_cancel()
        self._answer_documents()
        order.action_draft()
        self.assertFalse(self._answer_documents())
        order.action_confirm()
        self._answer_documents()
        self.assertEntries(self.member, [1, -1, 1])

    def test_an_order_confirmed_and_cancelled_before_the_engine_runs_posts_nothing(self):
        order = self._create_order(self.dealer, 100)
        order._action_cancel()
        self.assertFalse(self._answer_documents())

    def test_price_quantity_and_new_lines_of_a_confirmed_order_post_the_difference(self):
        order = self._create_order(self.dealer, 100)
        self._answer_documents()
        order.order_line.price_unit = 250
        self._answer_documents()
        order.order_line.product_uom_qty = 2
        self._answer_documents()
        order.order_line = [Command.create({"product_id": self.thing.id, "product_uom_qty": 1, "price_unit": 300})]
        self._answer_documents()
        order.order_line[0].discount = 50
        self._answer_documents()
        self.assertEntries(self.member, [1, 1.5, 2.5, 3, -2.5])
        self.assertEarned(order=5.5)

    def test_an_order_moved_to_another_customer_changes_hands(self):
        order = self._create_order(self.dealer, 100)
        self._answer_documents()
        order.partner_id = self.referrer
        self._answer_documents()
        self.assertEntries(self.member, [1, -1])
        self.assertEntries(self.referrer_member, [1])

    def test_an_order_of_nobody_enrolled_posts_nothing(self):
        self._create_order(self.stranger, 100)
        self.assertFalse(self._answer_documents())

    def test_a_section_a_note_and_a_line_at_full_discount_earn_nothing(self):
        order = self._create_order(self.dealer, 100, 80)
        order.order_line[1].discount = 100
        order.order_line = [
            Command.create({"display_type": "line_section", "name": "Section"}),
            Command.create({"display_type": "line_note", "name": "Note"}),
        ]
        self._answer_documents()
        self.assertEarned(order=1)

    # === INVOICES AND CREDIT NOTES ===#

    def test_a_full_credit_note_brings_the_invoice_to_zero(self):
        invoice = self._create_sale_invoice(self.dealer, 100, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        self._credit(invoice)
        taken = self._answer_documents()
        self.assertEqual(taken.mapped("origin_id"), [invoice.id, invoice.id], "It belongs to the invoice.")
        self.assertEntries(self.member, [10, -10])
        self.assertEntries(self.referrer_member, [5, -5])
        self.assertEarned()

    def test_a_partial_credit_note_takes_back_its_part(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._credit(invoice, 30)
        self._answer_documents()
        self.assertEntries(self.member, [10, -3])
        self._credit(invoice, 70)
        self._answer_documents()
        self.assertEntries(self.member, [10, -3, -7])
        self.assertEarned()

    def test_an_invoice_credited_before_the_engine_runs_posts_only_the_net_amount(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._credit(invoice, 30)
        self._answer_documents()
        self.assertEntries(self.member, [7])

    def test_a_draft_credit_note_takes_nothing_back(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._credit(invoice, post=False)
        self.assertFalse(self._answer_documents())
        self.assertEarned(invoice=10)

    def test_a_credit_note_reset_and_deleted_at_once_gives_back_what_it_took(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        credit_note = self._credit(invoice, 30)
        self._answer_documents()
        credit_note.button_draft()
        credit_note.with_context(force_delete=True).unlink()
        self._answer_documents()
        self.assertEntries(self.member, [7, 3])
        self.assertEarned(invoice=10)

    def test_a_credit_note_that_stands_alone_is_a_debt_of_its_own(self):
        credit_note = self._create_sale_invoice(self.dealer, 40, move_type="out_refund")
        entry = self._answer_documents()
        self.assertRecordValues(entry, [{"type": "clawback", "amount": -4, "origin_id": credit_note.id}])
        self.assertEarned(invoice=-4)

    def test_a_changed_price_on_a_draft_reset_invoice_posts_the_difference(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 80
        invoice.action_post()
        self._answer_documents()
        self.assertEntries(self.member, [10, -2])
        self.assertEarned(invoice=8)

    def test_an_invoice_answered_while_it_is_a_draft_goes_to_zero_and_comes_back(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        invoice.button_draft()
        self._answer_documents()
        self.assertEarned()
        invoice.invoice_line_ids.price_unit = 80
        invoice.action_post()
        self._answer_documents()
        self.assertEntries(self.member, [10, -10, 8])
        self.assertEarned(invoice=8)

    def test_a_cancelled_and_a_deleted_invoice_are_taken_back(self):
        cancelled, deleted = self._create_sale_invoice(self.dealer, 100), self._create_sale_invoice(self.dealer, 30)
        self._answer_documents()
        (cancelled + deleted).button_draft()
        cancelled.button_cancel()
        deleted.with_context(force_delete=True).unlink()
        self._answer_documents()
        self.assertEntries(self.member, [10, 3, -10, -3])
        self.assertEarned()

    def test_a_draft_reset_invoice_for_another_customer_changes_hands(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        invoice.button_draft()
        invoice.partner_id = self.referrer
        invoice.action_post()
        self._answer_documents()
        self.assertEntries(self.member, [10, -10])
        self.assertEntries(self.referrer_member, [10])

    def test_taxes_do_not_earn(self):
        self._create_sale_invoice(self.dealer, 100, taxes=self.tax_sale_a)
        self._answer_documents()
        self.assertEarned(invoice=10)

    def test_a_vendor_bill_and_a_journal_entry_earn_nothing(self):
        self._create_sale_invoice(self.dealer, 100, move_type="in_invoice")
        account = self.company_data["default_account_receivable"]
        self.env["account.move"].create(
            {
                "move_type": "entry",
                "partner_id": self.dealer.id,
                "line_ids": [
                    Command.create({"account_id": account.id, "partner_id": self.dealer.id, "debit": 100}),
                    Command.create({"account_id": self.company_data["default_account_revenue"].id, "credit": 100}),
                ],
            }
        ).action_post()
        self.assertFalse(self._answer_documents())
        self.assertEarned()

    # === PAYMENTS ===#

    def test_an_unreconciled_payment_is_taken_back(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._pay(invoice, 40)
        self._answer_documents()
        self.assertEarned(invoice=10, payment=8)
        self._unreconcile(invoice)
        self._answer_documents()
        self.assertEarned(invoice=10)
        self.assertEntries(self.member, [10, 8, -8])

    def test_a_cancelled_payment_is_taken_back(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        payment = self._pay(invoice)
        self._answer_documents()
        payment.action_draft()
        payment.action_cancel()
        self._answer_documents()
        self.assertEarned(invoice=10)

    def test_a_payment_of_two_invoices_is_split_between_them(self):
        first, second = self._create_sale_invoice(self.dealer, 100), self._create_sale_invoice(self.dealer, 60)
        self._pay(first + second, group_payment=True)
        entries = self._answer_documents().filtered(lambda entry: entry.rule_id == self.payment_rule)
        self.assertEqual({entry.origin_id: entry.amount for entry in entries}, {first.id: 20, second.id: 12})

    def test_a_bank_statement_line_counts_as_payment(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self.pay_with_statement_line(invoice, self.company_data["default_journal_bank"].id, TODAY, 100)
        self._answer_documents()
        self.assertEarned(invoice=10, payment=20)

    def test_an_overpaid_invoice_earns_as_if_it_were_paid(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._pay(invoice, 150)
        self._answer_documents()
        self.assertEarned(invoice=10, payment=20)

    def test_taxes_paid_do_not_earn(self):
        invoice = self._create_sale_invoice(self.dealer, 100, taxes=self.tax_sale_a)
        self._pay(invoice, invoice.amount_total / 4)
        self._answer_documents()
        self.assertEarned(invoice=10, payment=5)

    # === RULES, MEMBERS AND CONTACTS THAT CHANGE AFTERWARDS ===#

    def test_an_archived_rule_keeps_what_it_earned_and_earns_nothing_more(self):
        order = self._create_order(self.dealer, 100)
        self._answer_documents()
        self.order_rule.action_archive()
        order.order_line.product_uom_qty = 2
        self._answer_documents()
        self.assertEarned(order=2)
        with self._in_days(1):
            self._create_order(self.dealer, 100, date="2026-03-19")
            self.assertFalse(self._answer_documents())
            order._action_cancel()
            self._answer_documents()
            self.assertEarned()

    def test_a_suspended_member_keeps_what_it_earned_and_earns_nothing_more(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.member.action_suspend()
        self.assertEqual(self.member.state, "suspended")
        with self._in_days(5):
            self._create_sale_invoice(self.dealer, 500, date="2026-03-20")
            self._pay(invoice, date="2026-03-23")
            self._answer_documents()
            self.assertEntries(self.member, [10, 20])
            self.member.action_resume()
        with self._in_days(6):
            self._create_sale_invoice(self.dealer, 50, date="2026-03-24")
            self._answer_documents()
            self.assertEntries(self.member, [10, 20, 5])
            self.assertInLine(self.program)

    def test_an_ended_membership_keeps_what_it_earned(self):
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.member.action_end()
        with self._in_days(1):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
            self.assertFalse(self._answer_documents())
            self.assertEarned(invoice=10)

    def test_a_closed_program_keeps_what_was_earned_and_answers_its_documents(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.program.action_close()
        with self._in_days(1):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
            self.assertFalse(self._answer_documents())
            self._credit(invoice, 50, date="2026-03-19")
            self._answer_documents()
            self.assertEntries(self.member, [10, -5])

    def test_a_contact_moved_to_another_company_takes_no_documents_along(self):
        order = self._create_order(self.dealer_contact, 100)
        invoice = self._create_sale_invoice(self.dealer_contact, 100)
        self._answer_documents()
        self.dealer_contact.parent_id = self.referrer
        self.assertFalse(self._answer_documents())
        self.assertInLine(self.program)

        order.order_line.product_uom_qty = 2
        self._pay(invoice)
        self._answer_documents()
        self.assertEarned(order=2, invoice=10, payment=20)
        self._create_sale_invoice(self.dealer_contact, 70)
        self._answer_documents()
        self.assertEntries(self.referrer_member, [7])
        self.assertEarned(order=2, invoice=10, payment=20)

    def test_all_that_happens_to_one_sale_ends_at_what_is_left_of_it(self):
        order = self._create_order(self.dealer, 200, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        order.order_line.price_unit = 220
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice, 110)
        self._answer_documents()
        self.assertEarned(order=2.2, invoice=22, payment=22)
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 200
        invoice.action_post()
        self._pay(invoice, 100)
        self._answer_documents()
        self.assertEarned(order=2.2, invoice=20, payment=20)
        self._credit(invoice)
        order._action_cancel()
        self._answer_documents()
        self.assertEarned()
        self.assertEarned(member=self.referrer_member)
