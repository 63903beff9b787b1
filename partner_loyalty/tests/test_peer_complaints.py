"""What users of other modules of the kind complain of in public, one test for each."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestPeerComplaints(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def test_a_credit_note_is_settled_once_and_with_the_right_sign(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._credit(invoice, 30)
        self._answer_documents()
        self.program._apply_to_past()
        self.assertEntries(self.member, [10, -3])

    def test_an_invoice_reversed_before_it_was_settled_leaves_neither_side(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._credit(invoice)
        self.assertFalse(self._answer_documents())
        payout = self._create_payout(self.member)
        self.assertEqual(payout.amount, 0)

    def test_one_invoice_of_an_agent_has_one_line_and_one_payout(self):
        invoice = self._create_sale_invoice(self.dealer, 10, 20, 30, 40)
        self._answer_documents()
        self.assertRecordValues(self._get_entries(self.member), [{"amount": 10, "origin_id": invoice.id}])
        self._submit_payout(self.member)
        with self.assertRefused("payout to this member for this day already"):
            self._create_payout(self.member)

    def test_a_rule_that_changes_does_not_rewrite_what_was_settled(self):
        self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._answer_documents()
        rule = self.program.rule_ids
        with self.assertRefused("New Version"):
            rule.rate = 50
        self._put_into_force(rule, rate=50)
        self.assertFalse(self._compare(self.program))
        self.program._apply_to_past()
        self.assertEntries(self.member, [10])

    def test_currencies_are_converted_before_they_are_added_up(self):
        dollar = self.setup_other_currency("USD", rates=[("2016-01-01", 2)])
        self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 100, currency_id=dollar.id)
        self._answer_documents()
        self.assertBalance(self.member, 15)
        self.assertEqual(self._create_payout(self.member).amount, 15)

    def test_nothing_to_settle_says_why(self):
        wizard = self.env["partner.loyalty.payout.prepare"].create({"program_id": self.program.id})
        with self.assertRefused("No member of “Dealer Club” has any money"):
            wizard.action_prepare()
        self._post_entry(self.member, 10, mature_date="2026-12-31")
        with self.assertRefused("Held back"):
            wizard.action_prepare()

    def test_refunds_do_not_keep_their_points(self):
        program = self._create_program([{"unit": "point", "formula": "per_amount", "rate": 1, "step_amount": 10}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._credit(invoice)
        self._answer_documents()
        self.assertEntries(member, [10, -10], unit="point")

    def test_a_retry_grants_nothing_twice(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        scope = self.program.rule_ids._get_document_scope("account.move", invoice.ids)
        for _attempt in range(3):
            self.program.rule_ids._reconcile(scope)
        self.assertEntries(self.member, [10])

    def test_submitting_a_batch_does_not_drive_a_balance_below_zero(self):
        other = self._enroll(self.program, self.referrer)
        self._post_entry(self.member, 100)
        self._post_entry(other, 50)
        payouts = self._create_payout(self.member) | self._create_payout(other)
        self._post_entry(other, -20)
        with self.assertRefused("Update Amount"):
            payouts.action_submit()
        self.assertEqual(payouts.mapped("decision"), ["draft", "draft"])
        self.assertBalance(self.member, 100)
        self.assertBalance(other, 30)

    def test_spends_are_matched_to_lots(self):
        lots = [self._post_entry(self.member, 10, expiry_date=f"2026-0{month}-01") for month in (6, 5, 7)]
        self._post_entry(self.member, -15, entry_type="payout")
        self.assertEqual([lot.amount_open for lot in lots], [5, 0, 10])

    def test_expiry_does_not_collapse_the_balance(self):
        program = self._create_program([{"unit": "point", "formula": "fixed", "rate": 10}], name="Expiring")
        program.write({"expiry_kind": "months", "expiry_months": 1})
        member = self._enroll(program, self.dealer)
        for day in ("2026-01-05", "2026-03-05"):
            self._create_sale_invoice(self.dealer, 100, date=day)
        with self._in_days(-60):
            self._answer_documents()
            self._post_entry(member, -4, unit="point")
        self._as_cron("partner.loyalty.entry")._expire(member._get_account("point").ids)
        self.assertEntries(member, [10, 10, -4, -6], unit="point")

    def test_points_are_not_rounded_by_the_precision_of_the_currency(self):
        values = {"unit": "point", "formula": "per_amount", "rate": 1, "step_amount": 1000}
        program = self._create_program([values], point_digits=4)
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 123.4)
        self._answer_documents()
        self.assertEntries(member, [0.1234], unit="point")
        self.assertEqual(member.point_balance, 0.1234)

    def test_more_programs_do_not_cost_a_sale_more_queries(self):
        counts = []
        for programs in (0, 0, 10):
            for _number in range(programs):
                self._enroll(self._create_program([{}, {"kind": "order"}]), self.dealer)
            order = self._create_order(self.dealer, 100, confirm=False)
            self.env.invalidate_all()
            with self._record_queries() as queries:
                order.action_confirm()
            counts.append(len(queries))
        self.assertEqual(counts[1], counts[2])

    def test_the_tier_follows_what_was_earned_and_not_what_is_left_to_spend(self):
        self._create_sale_invoice(self.dealer, 500, date="2026-02-10")
        self._answer_documents()
        self._submit_payout(self.member)
        self.assertBalance(self.member, 0)
        self.program._evaluate_tiers()
        self.assertEqual(self.member.tier_id.name, "Gold")

    def test_a_filter_on_a_category_includes_its_children(self):
        parent = self.env["product.category"].create({"name": "Machines"})
        child = parent.create({"name": "Drills", "parent_id": parent.id})
        self.thing.categ_id = child
        rule = self._create_rule(self.program, domain=f"[('product_id.categ_id', 'child_of', {parent.id})]", rate=1)
        self._create_sale_invoice(self.dealer, 100)
        self.assertEqual(self._answer_documents().filtered(lambda entry: entry.rule_id == rule).amount, 1)

    def test_a_rebate_of_one_invoice_is_not_lost_when_another_is_billed_with_it(self):
        invoices = [self._create_sale_invoice(self.dealer, amount) for amount in (100, 60)]
        self._pay(invoices[0] + invoices[1], group_payment=True)
        self._answer_documents()
        self.assertEntries(self.member, [10, 6])

    def test_an_order_with_a_discount_line_earns_on_what_is_paid(self):
        self._create_rule(self.program, kind="order", rate=1)
        order = self._create_order(self.dealer, 100)
        order.order_line = [Command.create({"product_id": self.thing.id, "price_unit": -25, "product_uom_qty": 1})]
        self._answer_documents()
        self.assertEntries(self.member, [0.75])

    # === BANDS ===#

    def _create_band_program(self, band_kind, *bands):
        commands = [Command.create({"threshold": threshold, "rate": rate}) for threshold, rate in bands]
        rule = {"formula": "bands", "band_kind": band_kind, "band_ids": commands}
        program = self._create_program([rule], name="Bands")
        return self._enroll(program, self.referrer)

    def test_a_band_on_the_period_is_not_applied_line_by_line(self):
        member = self._create_band_program("marginal", (0, 1), (100, 10))
        self._create_sale_invoice(self.referrer, 60, 60)
        self._create_sale_invoice(self.referrer, 80)
        self._answer_documents()
        self.assertBalance(member, 11)

    def test_an_interim_rebate_is_set_off_when_the_next_band_is_reached(self):
        member = self._create_band_program("total", (0, 1), (100, 10))
        self._create_sale_invoice(self.referrer, 90)
        self._answer_documents()
        self.assertEntries(member, [0.9])
        self._create_sale_invoice(self.referrer, 10)
        self._answer_documents()
        self.assertEntries(member, [0.9, 9.1])
