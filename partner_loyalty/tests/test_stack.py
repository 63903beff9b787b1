"""The guard on quotations: what is left after discount, commission, points and promotions together."""

from decimal import Decimal

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestStack(PartnerLoyaltyCommon):
    roles = ("salesperson", "officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [
                {"rate": 5, "name": "On invoices"},
                {
                    "kind": "order",
                    "unit": "point",
                    "formula": "per_amount",
                    "rate": 1,
                    "step_amount": 1,
                    "name": "Points",
                },
            ],
            point_value=0.01,
            stack_price_floor=80,
        )
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.users["salesperson"].group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def _quote(self, discount, partner=None, **values):
        """Quote one thing of 100 euro at a discount."""
        line = {"product_id": self.thing.id, "product_uom_qty": 1, "price_unit": 100, "discount": discount}
        orders = self.env["sale.order"].with_user(self.users["salesperson"])
        vals = {"partner_id": (partner or self.dealer).id, "order_line": [Command.create(line)], **values}
        return orders.create(vals).sudo(False)

    def test_discount_commission_and_points_count_together(self):
        order = self._quote(10)
        costs = dict(self.env["partner.loyalty.stack"]._get_costs(order))
        self.assertEqual(costs, {"On invoices": Decimal("4.5"), "Points": Decimal("0.9")})
        self.assertFalse(order.loyalty_stack_text, "84.6 of 100 are left.")
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_below_the_floor_a_quotation_is_not_confirmed_and_says_why(self):
        order = self._quote(15)
        self.assertIn("79.9 % of the list price are left; “Dealer Club” asks for 80.0 %", order.loyalty_stack_text)
        with self.assertRefused("79.9 % of the list price are left"):
            order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_weighing_changes_nothing(self):
        order = self._quote(15)
        rules = self.program.rule_ids
        before = order.date_order, order.state, rules.mapped("kind"), self._get_last_entry_id()
        self.assertTrue(order.loyalty_stack_text)
        self.env.invalidate_all()
        self.assertEqual((order.date_order, order.state, rules.mapped("kind"), self._get_last_entry_id()), before)

    def test_a_manager_who_does_not_sell_it_approves_the_terms_as_they_are(self):
        order = self._quote(30)
        order.action_loyalty_stack_ask()
        self.assertEqual(order.loyalty_stack_asked_by_id, self.users["salesperson"])
        self.assertEqual(order.activity_ids.user_id, self.program.user_id)
        for role in ("salesperson", "officer"):
            with self.subTest(role), self.assertRefused("", UserError):
                order.with_user(self.users[role]).action_loyalty_stack_approve()
        manager = self.users["manager"]
        manager.group_ids += self.env.ref("sales_team.group_sale_manager")
        order.with_user(manager).action_loyalty_stack_approve()
        self.assertFalse(order.loyalty_stack_text)
        self.assertFalse(order.activity_ids)
        order.order_line.discount = 31
        self.assertTrue(order.loyalty_stack_text, "Other terms have to be approved anew.")
        order.order_line.discount = 30
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_less_discount_withdraws_the_request(self):
        order = self._quote(30)
        order.action_loyalty_stack_ask()
        todos = self.env["partner.loyalty.todo"].with_user(self.users["manager"])
        waiting = [("kind", "=", "stack_approve"), ("res_id", "=", order.id)]
        line = order.order_line
        order.write({"order_line": [Command.update(line.id, {"discount": 25})]})
        self.assertTrue(todos.search(waiting) and order.activity_ids, "It is too much still.")
        order.write({"order_line": [Command.update(line.id, {"discount": 10})]})
        self.assertFalse(todos.search(waiting) or order.activity_ids or order.loyalty_stack_asked_by_id)
        order.write({"order_line": [Command.update(line.id, {"discount": 30})]})
        self.assertTrue(order.loyalty_stack_text)
        self.assertFalse(todos.search(waiting), "Nobody has asked for this.")

    def test_nobody_approves_their_own_quotation(self):
        manager = self.users["manager"]
        manager.group_ids += self.env.ref("sales_team.group_sale_manager")
        order = self._quote(30, user_id=manager.id)
        with self.assertRefused("is your own"):
            order.with_user(manager).action_loyalty_stack_approve()

    def test_nobody_sets_the_approval_by_hand(self):
        order = self._quote(30)
        for name, value in {"loyalty_stack_approved_by_id": 1, "loyalty_stack_amount": 70}.items():
            with self.assertRefused("use the buttons", AccessError):
                order.write({name: value})
            with self.assertRefused("use the buttons", AccessError):
                self._quote(30, **{name: value})

    def test_other_customers_and_programs_without_a_floor_are_not_looked_at(self):
        self.assertFalse(self._quote(50, self.stranger).loyalty_stack_text)
        self.program.stack_price_floor = 0
        order = self._quote(50)
        self.assertFalse(order.loyalty_stack_text)
        order.action_confirm()

    def test_the_referrer_counts_as_well(self):
        program = self._create_program([{"role": "referrer", "rate": 30}], name="Referrals", stack_price_floor=75)
        self._enroll(program, self.referrer)
        order = self._quote(0, self.stranger, loyalty_partner_id=self.referrer.id)
        self.assertIn("70.0 % of the list price are left; “Referrals” asks for 75.0 %", order.loyalty_stack_text)

    def test_marketing_money_counts_as_it_came_on_what_was_sold(self):
        self._create_sale_invoice(self.dealer, 1000, date="2026-02-01")
        order = self._quote(10)
        self.assertFalse(order.loyalty_stack_text)
        reward = self.env["partner.loyalty.reward"].create(
            {"name": "Pen", "program_id": self.program.id, "product_id": self.thing.id}
        )
        claim = self.env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": self.member.id})
        # What was paid for a fair in spring.
        claim.sudo().write({"state": "fulfilled", "fulfilled_at": "2026-03-01 10:00:00", "mdf_settled_amount": 100})
        costs = dict(self.env["partner.loyalty.stack"]._get_costs(order))
        self.assertEqual(costs["Marketing money"], 9)
        self.env.invalidate_all()
        self.assertIn("75.6 % of the list price", order.loyalty_stack_text)
        # The invariants know of no marketing money without a plan.
        claim.sudo().write({"state": "draft", "mdf_settled_amount": 0})

    def test_an_order_in_another_currency_is_weighed_in_it(self):
        # The list of a product that all companies share is in the currency of the first one.
        self.thing.company_id = self.company
        dollar = self._enable_currency("USD")
        self.env["res.currency.rate"].create(
            {"currency_id": dollar.id, "company_id": self.company.id, "name": "2026-01-01", "rate": 2}
        )
        pricelist = self.env["product.pricelist"].create({"name": "Dollars", "currency_id": dollar.id})
        order = self._quote(15, pricelist_id=pricelist.id)
        order.order_line.price_unit = 200
        self.assertEqual((order.currency_id, order.amount_untaxed), (dollar, 170))
        self.assertIn("79.9 % of the list price", order.loyalty_stack_text or "")

    def test_confirming_takes_no_query_more_where_no_program_has_a_floor(self):
        self.program.stack_price_floor = 0
        orders = [self._quote(0) for _number in range(3)]
        orders[0].action_confirm()
        self.env["partner.loyalty.program"]._get_guarded_ids(self.company.id)
        self.env.flush_all()
        with self.assertQueryCount(0):
            self.assertFalse(orders[1]._get_loyalty_stack_text())
