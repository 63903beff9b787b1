from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import SQL

from .common import PartnerLoyaltyMarginCommon


@tagged("post_install", "-at_install")
class TestMargin(PartnerLoyaltyMarginCommon):
    def _create_member(self, partner=None, **rule):
        return self._enroll(self._create_program([rule]), partner or self.dealer)

    def _sell(self, *lines, **values):
        order = self._create_costed_order(self.dealer, *lines, **values)
        self._answer_documents()
        return order

    def _read_text(self, member):
        return self._get_entries(member)[-1:]._get_explanation_text().replace("\N{NO-BREAK SPACE}", " ")

    def _create_pricelist(self):
        dollar = self.setup_other_currency("USD", rates=[("2016-01-01", 2), ("2026-03-15", 4)])
        return self.env["product.pricelist"].create({"name": "Dollar", "currency_id": dollar.id})

    # === WHAT A STATEMENT LINE SAYS ===#

    def test_a_statement_line_names_the_margin(self):
        member = self._create_member(kind="order")
        self._sell((100, 60))
        self.assertIn("10 % of a margin of 40.00", self._read_text(member))
        facts = self._get_entries(member).explanation
        self.assertEqual([facts[name] for name in ("base", "turnover", "whole", "rate")], ["40", "100", "100", "10"])
        self.assertNotIn("unknown_lines", facts)

    def test_a_statement_line_names_the_margin_of_each_category(self):
        category = self.env["product.category"].create({"name": "Tools"})
        saw = self._create_product(name="Saw", categ_id=category.id)
        rate = Command.create({"categ_id": category.id, "rate": 20})
        member = self._create_member(kind="order", tier_rate_ids=[rate])
        self._sell((100, 60), {"product_id": saw.id, "price_unit": 50, "purchase_price": 20})
        text = self._read_text(member)
        self.assertIn("20 % of a margin of ", text)
        self.assertIn(" + 10 % of a margin of ", text)
        self.assertEntries(member, [10])

    def test_a_statement_line_in_another_currency_says_what_was_sold(self):
        member = self._create_member(kind="order")
        self._sell((200, 120), pricelist_id=self._create_pricelist().id)
        self.assertIn("(sold for 200 USD at a rate of 2)", self._read_text(member))

    def test_a_statement_line_says_how_many_costs_are_not_known(self):
        member = self._create_member(kind="order")
        self._sell((100, 60), (30, 0))
        self.assertIn("the cost of one line is not known", self._read_text(member))
        self.assertIn("30.00", self._read_text(member))
        self._sell((100, 60), (30, 0), (20, 0))
        self.assertIn("the cost of 2 lines is not known", self._read_text(member))
        self.assertIn("50.00", self._read_text(member))
        facts = self._get_entries(member)[-1].explanation
        self.assertEqual([facts["unknown_lines"], facts["unknown_amount"]], ["2", "50"])

    def test_discounts_and_gifts_are_no_unknown_costs(self):
        member = self._create_member(kind="order")
        self._sell((100, 60), (-10, 0), (0, 0))
        self.assertFalse({"unknown_lines", "unknown_amount"} & self._get_entries(member).explanation.keys())

    def test_unknown_costs_of_several_categories_are_counted_together(self):
        category = self.env["product.category"].create({"name": "Tools"})
        saw = self._create_product(name="Saw", categ_id=category.id)
        rate = Command.create({"categ_id": category.id, "rate": 20})
        member = self._create_member(kind="order", tier_rate_ids=[rate])
        self._sell((100, 60), (30, 0), {"product_id": saw.id, "price_unit": 50, "purchase_price": 0})
        self.assertIn("the cost of 2 lines is not known", self._read_text(member))

    def test_a_line_paid_in_parts_and_credited_is_one_line_without_a_cost(self):
        member = self._create_member(kind="payment")
        invoice = self._invoice_order(self._sell((60, 20), (40, 0)))
        self._pay(invoice, 50)
        self._pay(invoice, 25)
        self._answer_documents()
        self.assertIn("the cost of one line is not known", self._read_text(member))
        self.assertIn("30.00", self._read_text(member))

    def test_a_statement_line_says_that_a_loss_earns_nothing(self):
        member = self._create_member(kind="order")
        order = self._sell((100, 60))
        order.order_line.purchase_price = 130
        self._answer_documents()
        self.assertEntries(member, [4, -4])
        self.assertIn("a document never earns less than zero", self._read_text(member))

    def test_what_is_returned_at_a_loss_takes_nothing_back(self):
        member = self._create_member(kind="order")
        order = self._sell((70, 50, -1))
        order.order_line.purchase_price = 90
        self._answer_documents()
        self.assertEntries(member, [-2, 2])

    def test_the_terms_of_a_member_name_the_margin(self):
        member = self._create_member(kind="order")
        terms = member._get_terms_text(member.program_id.rule_ids, self._day("2026-03-10"))
        self.assertEqual(terms, "10 % of the margin")

    # === COSTS THAT CHANGE ===#

    def test_a_cost_that_is_entered_later_is_answered_on_the_order_and_its_invoices(self):
        first, second = (self._create_member(kind=kind) for kind in ("order", "invoice"))
        order = self._sell((100, 0))
        self._invoice_order(order)
        self.assertFalse(self._answer_documents())
        order.order_line.purchase_price = 60
        self._answer_documents()
        self.assertEntries(first, [4])
        self.assertEntries(second, [4])

    def test_a_cost_that_another_app_works_out_anew_is_answered(self):
        member = self._create_member()
        order = self._sell((100, 0))
        self._invoice_order(order)
        self._answer_documents()
        self.thing.standard_price = 60
        line = order.order_line
        self.env.add_to_compute(line._fields["purchase_price"], line)
        self._answer_documents()
        self.assertEntries(member, [4])

    def test_another_day_of_an_order_converts_the_costs_of_its_invoices_anew(self):
        member = self._create_member()
        order = self._sell((200, 120), pricelist_id=self._create_pricelist().id)
        self._invoice_order(order)
        self._answer_documents()
        order.date_order = "2026-03-16"
        self._answer_documents()
        # 100 in euro less 120 / 4 instead of 120 / 2.
        self.assertEntries(member, [4, 3])
        self.assertInLine(member.program_id)

    def test_the_cost_of_a_quotation_touches_nothing(self):
        self._create_member(kind="order")
        order = self._sell((100, 60), confirm=False)
        order.order_line.purchase_price = 70
        self._write_marks()
        self.assertFalse(self.env["partner.loyalty.touch"].sudo().search([("res_model", "=", "sale.order")]))

    def test_a_salesperson_who_sees_no_invoices_can_enter_a_cost(self):
        seller = self._create_role_user("salesperson", "sales_team.group_sale_salesman")
        member = self._create_member()
        order = self._sell((100, 0), user_id=seller.id)
        invoice = self._invoice_order(order)
        invoice.invoice_user_id = self.env.user
        self._answer_documents()
        # What others have read stays in the cache.
        self.env.invalidate_all()
        order.with_user(seller).order_line.purchase_price = 60
        self._answer_documents()
        self.assertEntries(member, [4])

    def test_a_cost_that_is_no_number_is_not_known(self):
        member = self._create_member(kind="order")
        order = self._create_costed_order(self.dealer, (100, 60), (50, 20))
        self.env.flush_all()
        query = SQL("UPDATE sale_order_line SET purchase_price = 'NaN' WHERE id = %s", order.order_line[0].id)
        self.env.cr.execute(query)
        self._answer_documents()
        self.assertEntries(member, [3])

    # === WHAT IT WORKS TOGETHER WITH ===#

    def test_a_down_payment_has_no_margin_and_the_goods_have_all_of_it(self):
        first, second = (self._create_member(kind=kind) for kind in ("invoice", "payment"))
        order = self._sell((100, 60))
        down_payment, final = (self._invoice_advance(order, method) for method in ("percentage", "delivered"))
        self.assertEqual([down_payment.amount_untaxed, final.amount_untaxed], [30, 70])
        self._pay(down_payment)
        self._pay(final)
        self._answer_documents()
        self.assertEntries(first, [4])
        self.assertEntries(second, [4])
        self.assertFalse({"unknown_lines", "unknown_amount"} & self._get_entries(first).explanation.keys())

    def _invoice_advance(self, order, method):
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids)
        invoice = wizard.create({"advance_payment_method": method, "amount": 30})._create_invoices(order)
        invoice.invoice_date = "2026-03-10"
        invoice.action_post()
        return invoice

    def test_an_agreement_applies_to_the_margin(self):
        member = self._create_member(kind="order")
        agreement = {"name": "Launch", "member_id": member.id, "date_from": "2026-03-01"}
        self.env["partner.loyalty.agreement"].create({**agreement, "multiplier": 1.5})
        self._sell((100, 60))
        self.assertEntries(member, [6])

    def test_only_members_of_a_segment_earn_by_the_margin(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "None", "partner_domain": "[('name', '=', 'Nobody')]"}
        )
        member = self._create_member(kind="order", segment_ids=[Command.link(segment.id)])
        self._sell((100, 60))
        self.assertEntries(member, [])

    def test_the_first_invoice_of_a_new_customer_earns_by_its_margin(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer")
        for _sale in range(2):
            self._invoice_order(self._sell((100, 60), loyalty_partner_id=self.referrer.id))
            self._answer_documents()
        self.assertEntries(member, [4])

    def test_the_first_invoice_of_a_referred_member_earns_by_its_margin(self):
        program = self._create_program([{"kind": "referral", "role": "referrer"}])
        sponsor, member = self._enroll(program, self.referrer, self.dealer)
        member.referrer_id = sponsor
        self._invoice_order(self._sell((100, 60)))
        self._answer_documents()
        self.assertEntries(sponsor, [4])

    def test_a_quotation_says_what_its_margin_will_earn(self):
        self._create_member(kind="order")
        order = self._create_costed_order(self.dealer, (100, 60), confirm=False)
        forecasts = self.env["partner.loyalty.why"]._forecast(order)
        self.assertEqual([one["amount"] for one in forecasts], [4])

    def test_the_turnover_of_a_promotion_is_what_was_sold_and_not_its_margin(self):
        member = self._create_member(kind="order", date_from="2026-03-01", date_to="2026-03-31")
        self._sell((100, 60))
        self.assertEqual(member.program_id.rule_ids.promotion_turnover, 100)

    # === WHY AND WHY NOT ===#

    def assertWhy(self, document, words, amount=0):
        self._answer_documents()
        (answer,) = self.env["partner.loyalty.why"]._explain(document)
        self.assertIn(words, answer["text"])
        self.assertEqual(answer["amount"], amount)

    def test_it_earned_by_its_margin(self):
        self._create_member(kind="order")
        self.assertWhy(self._sell((100, 60), (20, 0)), "10 % of a margin of", amount=4)

    def test_each_line_has_its_share_by_its_own_margin(self):
        self._create_member(kind="order")
        order = self._sell((100, 60), {"product_id": self.bonus_product.id, "price_unit": 50, "purchase_price": 40})
        (answer,) = self.env["partner.loyalty.why"]._explain(order)
        self.assertEqual(answer["shares"], [(self.thing, 4), (self.bonus_product, 1)])

    def test_its_cost_is_not_known(self):
        self._create_member(kind="order")
        words = "The cost of Thing is not known: enter it on the order line."
        self.assertWhy(self._sell((100, 0)), words)
        self.assertWhy(self._sell((100, 0), (30, 50)), words)

    def test_the_cost_of_an_invoice_is_not_known(self):
        self._create_member()
        words = "The cost of Thing is not known: enter it on the order line."
        invoice = self._invoice_order(self._sell((100, 0)))
        self.assertWhy(invoice, words)
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "because it was invoiced without an order")

    def test_it_is_a_down_payment(self):
        self._create_member()
        order = self._sell((100, 60))
        self.assertWhy(self._invoice_advance(order, "percentage"), "It is a down payment")

    def test_it_has_no_margin(self):
        self._create_member(kind="order")
        self.assertWhy(self._sell((50, 70)), "It has no margin")
        self.assertWhy(self._sell((50, 50)), "It has no margin")

    def test_what_is_no_matter_of_margins_comes_as_before(self):
        member = self._create_member(minimum_amount=50, cap_member=4)
        rule = member.program_id.rule_ids
        self.assertWhy(self._invoice_order(self._sell((49, 20))), "below the minimum")
        self._invoice_order(self._sell((100, 60)))
        invoice = self._invoice_order(self._sell((100, 60)))
        self.assertWhy(invoice, "as much as the rule allows")
        self._credit(invoice)
        self.assertWhy(invoice, "below the minimum")
        rule.budget = 4
        rule.sudo().used_up_on = "2026-03-10"
        self.assertWhy(self._invoice_order(self._sell((100, 0))), "budget of the rule was used up")

    def test_nothing_is_left_once_it_is_credited(self):
        self._create_member()
        invoice = self._invoice_order(self._sell((100, 60)))
        self._answer_documents()
        self._credit(invoice)
        self.assertWhy(invoice, "Nothing is left of it")

    # === THE RULE ===#

    def test_kinds_without_a_cost_are_refused(self):
        program = self._create_program([{}])
        for kind, role in (("bill", "supplier"), ("opportunity", "buyer"), ("certificate", "member")):
            with self.subTest(kind=kind), self.assertRefused("which has no cost", ValidationError):
                self._create_rule(program, kind=kind, role=role)

    def test_more_than_the_whole_margin_is_refused(self):
        member = self._create_member()
        with self.assertRefused("out of range", ValidationError):
            member.program_id.rule_ids.rate = 101
        with self.assertRefused("at most 100 percent", ValidationError):
            self.env["partner.loyalty.agreement"].create(
                {
                    "name": "Launch",
                    "member_id": member.id,
                    "date_from": "2026-03-01",
                    "kind": "rate",
                    "rule_id": member.program_id.rule_ids.id,
                    "rate": 101,
                }
            )

    def test_a_rule_by_the_margin_is_made_in_its_form(self):
        program = self._create_program([{}])
        form = Form(self.env["partner.loyalty.rule"])
        form.name, form.program_id, form.formula, form.rate = "Margin", program, "margin", 15
        self.assertRecordValues(form.save(), [{"formula": "margin", "rate": 15, "kind": "invoice"}])

    # === THE APP ===#

    def test_the_app_installs_itself_beside_the_margins_of_orders(self):
        module = self.env.ref("base.module_partner_loyalty_margin")
        self.assertRecordValues(module, [{"auto_install": True, "state": "installed"}])
        self.assertEqual(
            set(module.dependencies_id.filtered("auto_install_required").mapped("name")),
            {"partner_loyalty", "sale_margin"},
        )

    def test_the_app_stays_while_statement_lines_need_it(self):
        self._create_member(kind="order", name="Margins of dealers")
        # Uninstalling is for administrators.
        modules_sudo = self.env["ir.module.module"].sudo()
        names = ("partner_loyalty_margin", "sale_margin", "partner_loyalty")
        own, costs, app = (modules_sudo.search([("name", "=", name)]) for name in names)
        with self.env.cr.savepoint() as savepoint:
            own.button_uninstall()
            self.assertEqual(own.state, "to remove")
            savepoint.rollback()
        self._sell((100, 60))
        self.env.invalidate_all()
        for module in (own, costs):
            with self.assertRefused("“Margins of dealers” has posted statement lines by the margin"):
                module.button_uninstall()
        with self.env.cr.savepoint() as savepoint:
            app.button_uninstall()
            self.assertEqual(own.state, "to remove")
            savepoint.rollback()

    def test_uninstalling_the_app_deletes_rules_that_have_not_posted(self):
        rules = (
            self._create_program([{"kind": "order"}]).rule_ids | self._create_member(kind="order").program_id.rule_ids
        )
        self._sell((100, 60))
        rules._fields["formula"].ondelete["margin"](rules)
        self.assertEqual(rules.exists().mapped("has_entries"), [True])


@tagged("post_install", "-at_install")
class TestMarginAdvice(PartnerLoyaltyMarginCommon):
    """Advice on members who earn more than there is of margin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"formula": "percent", "rate": 30, "kind": "order"}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def _get_findings(self):
        self._answer_documents()
        advice = self.env["partner.loyalty.advice"]._advise(self.program)
        return advice.line_ids.filtered(lambda line: line.kind == "margin")

    def test_members_who_earn_more_than_their_margin_are_named(self):
        self._create_costed_order(self.dealer, (100, 80))
        finding = self._get_findings()
        self.assertEqual(finding.res_ids, self.member.ids)
        self.assertIn("Dealer (30.00\N{NO-BREAK SPACE}€ of 20.00\N{NO-BREAK SPACE}€)", finding.name)
        self._create_costed_order(self.dealer, (100, 50))
        self.assertFalse(self._get_findings())

    def test_where_a_cost_is_not_known_nothing_is_said(self):
        self._create_costed_order(self.dealer, (100, 80), (100, 0))
        self.assertFalse(self._get_findings())

    def test_points_cost_what_they_are_worth(self):
        self._create_rule(self.program, name="Points", formula="per_amount", unit="point", rate=1, kind="order")
        self._create_costed_order(self.dealer, (100, 65))
        self.assertFalse(self._get_findings())
        self.program.point_value = 0.1
        self.assertEqual(self._get_findings().count, 1)
