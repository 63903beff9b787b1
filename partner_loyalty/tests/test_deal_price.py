"""A special price that a member asks for with a deal, from the request to the quotation."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_deal import DealCommon


@tagged("post_install", "-at_install")
class TestDealPrice(DealCommon):
    roles = ("salesperson", "officer", "manager", "administrator", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = cls.users["salesperson"]
        cls.dealer.user_id = cls.seller

    def _approve_with_price(self, **values):
        return self._approve(price_discount=12, price_reason="A rival offers less", **values)

    def _quote(self, deal, *amounts, **values):
        """Create a quotation of the opportunity of a deal, as the salesperson does."""
        deal.lead_id.user_id = self.seller
        return self._create_order(
            self.stranger, *amounts, confirm=False, opportunity_id=deal.lead_id.id, user_id=self.seller.id, **values
        )

    def test_the_salesperson_writes_it_on_the_quotation(self):
        deal = self._approve_with_price()
        order = self._quote(deal, 100, 50)
        order.order_line[1].discount = 20
        deal.with_user(self.seller).action_approve_price()
        self.assertEqual(order.order_line.mapped("discount"), [12, 20])
        self.assertRecordValues(deal, [{"price_state": "approved", "price_decided_by_id": self.seller.id}])
        self.assertIn("A rival offers less", " ".join(order.message_ids.mapped(lambda one: str(one.body))))

    def test_who_looks_after_the_member_is_asked(self):
        deal = self._submit(price_discount=12, price_reason="A rival offers less")
        self.assertEqual(deal.activity_ids.filtered(lambda one: "special price" in one.summary).user_id, self.seller)
        self.assertEqual(deal.price_state, "requested")

    def test_a_discount_that_leaves_too_little_needs_the_approval_of_a_manager(self):
        self.program.write({"stack_price_floor": 90, "user_id": self.manager.id})
        deal = self._approve_with_price()
        order = self._quote(deal, 100)
        deal.with_user(self.seller).action_approve_price()
        self.assertEqual(order.loyalty_stack_asked_by_id, self.seller)
        with self.assertRefused("90"):
            order.with_user(self.seller).action_confirm()
        self.manager.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        order.with_user(self.manager).action_loyalty_stack_approve()
        order.with_user(self.seller).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_without_a_quotation_it_says_what_to_do(self):
        deal = self._approve_with_price()
        with self.assertRefused("no quotation yet"):
            deal.with_user(self.seller).action_approve_price()
        self.assertEqual(deal.price_state, "requested")

    def test_who_cannot_change_quotations_cannot_give_a_discount(self):
        deal = self._approve_with_price()
        order = self._quote(deal, 100)
        with self.assertRefused("ask the salesperson"):
            deal.with_user(self.officer).action_approve_price()
        with self.assertRefused("officer or a salesperson"):
            deal.with_user(self.users["accountant"]).action_approve_price()
        self.assertEqual(order.order_line.discount, 0)

    def test_salespeople_of_other_partners_decide_nothing(self):
        self.dealer.user_id = self.officer
        deal = self._approve_with_price()
        with self.assertRefused("", AccessError):
            deal.with_user(self.seller).action_approve_price()

    def test_it_waits_for_the_approval_of_the_deal(self):
        deal = self._submit(price_discount=12, price_reason="A rival offers less")
        with self.assertRefused("first"):
            deal.with_user(self.officer).action_refuse_price("No")

    def test_a_refusal_says_why_and_stands(self):
        deal = self._approve_with_price()
        with self.assertRefused("Say why"):
            deal.with_user(self.officer).action_refuse_price(" ")
        dialog = self.env["partner.loyalty.deal.price.refuse"].with_user(self.officer)
        dialog.create({"deal_ids": deal.ids, "reason": "Too low"}).action_refuse()
        self.assertRecordValues(deal, [{"price_state": "refused", "price_refuse_reason": "Too low"}])
        with self.assertRefused("waits for a decision"):
            deal.with_user(self.officer).action_refuse_price("Again")

    def test_a_request_gives_a_reason_and_a_discount_that_there_can_be(self):
        with self.assertRefused("Say why"):
            self._submit(price_discount=12)
        for discount in (-1, 100.5):
            with self.subTest(discount=discount), self.assertRefused("enter 0 to 100"):
                self._create_deal(price_discount=discount)
        with self.assertRefused("number"):
            self._create_deal(price_discount=float("nan"))

    def test_nobody_sets_the_decision_or_changes_the_request_by_hand(self):
        deal = self._approve_with_price()
        for vals, words in (
            ({"price_state": "approved"}, "cannot be set by hand"),
            ({"price_discount": 50}, "cannot be changed any more"),
        ):
            with self.subTest(vals=vals), self.assertRefused(words):
                deal.with_user(self.officer).write(vals)
