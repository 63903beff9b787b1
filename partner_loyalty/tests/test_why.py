from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestWhy(PartnerLoyaltyCommon):
    roles = ("officer", "salesperson")

    def _create(self, partner=None, **rule):
        program = self._create_program([rule])
        return self._enroll(program, partner or self.dealer)

    def _explain(self, document):
        self._answer_documents()
        answers = self.env["partner.loyalty.why"]._explain(document)
        self.assertEqual(len(answers), 1)
        return answers[0]

    def assertWhy(self, document, words, amount=0):
        answer = self._explain(document)
        self.assertIn(words, answer["text"])
        self.assertEqual(answer["amount"], amount)

    # === WHY ===#

    def test_what_it_earned_and_how(self):
        self._create()
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "10 % of", amount=10)

    def test_what_a_credit_note_left(self):
        self._create()
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        credit_note = self._credit(invoice, 40)
        self.assertWhy(credit_note, "A credit note or a payment followed", amount=6)

    def test_what_the_period_earned(self):
        self._create(formula="bands", band_ids=[Command.create({"threshold": 150, "rate": 10})])
        self._create_sale_invoice(self.dealer, 100)
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "from 150: 10 %", amount=5)

    # === WHY NOT ===#

    def test_nobody_brought_it(self):
        self._create(self.referrer, role="referrer")
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "Nobody is named")
        invoice = self._create_sale_invoice(self.dealer, 100, loyalty_partner_id=self.dealer.id)
        self.assertWhy(invoice, "for those who bring others")

    def test_it_is_not_confirmed_or_posted(self):
        self._create(kind="order")
        self.assertWhy(self._create_order(self.dealer, 100, confirm=False), "not confirmed")
        self.env["partner.loyalty.rule"].search([("kind", "=", "order")]).kind = "invoice"
        self.assertWhy(self._create_sale_invoice(self.dealer, 100, post=False), "not posted")

    def test_the_partner_is_no_member_or_was_none_then(self):
        member = self._create()
        self.assertWhy(self._create_sale_invoice(self.stranger, 100), "Stranger is not a member of Dealer Club")
        member.period_ids.date_from = "2026-03-12"
        self.assertWhy(self._create_sale_invoice(self.dealer, 100, date="2026-03-11"), "was not a member on")

    def test_it_was_sold_before_or_after_the_rule(self):
        self._create(date_from="2026-03-05", date_to="2026-03-10")
        self.assertWhy(self._create_sale_invoice(self.dealer, 100, date="2026-03-04"), "before the rule began")
        self.assertWhy(self._create_sale_invoice(self.dealer, 100, date="2026-03-11"), "after the rule had ended")

    def test_it_has_no_line_that_counts(self):
        self._create(kind="order")
        note = Command.create({"display_type": "line_note", "name": "Call first"})
        order = self.env["sale.order"].create({"partner_id": self.dealer.id, "order_line": [note]})
        order.action_confirm()
        self.assertWhy(order, "It has no line that counts")

    def test_the_filter_the_segment_or_the_group_leaves_it_out(self):
        member = self._create(domain="[('quantity', '>', 5)]")
        rule = member.program_id.rule_ids
        invoice = self._create_sale_invoice(self.dealer, 100)
        self.assertWhy(invoice, "No line matches the filter")
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "None", "partner_domain": "[('name', '=', 'Nobody')]"}
        )
        rule.write({"domain": "[]", "segment_ids": [Command.link(segment.id)]})
        self.assertWhy(invoice, "none of the segments")
        rule.write({"segment_ids": [Command.clear()], "exclusive_group": "A", "sequence": 20})
        self._create_rule(member.program_id, rate=0, exclusive_group="A", sequence=1)
        answers = self.env["partner.loyalty.why"]._explain(invoice)
        self.assertIn("comes first", next(one["text"] for one in answers if one["rule"] == rule))

    def test_nothing_was_paid(self):
        self._create(kind="payment")
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "Nothing of it has been paid")

    def test_it_is_too_small_or_nothing_is_left(self):
        member = self._create(minimum_amount=100)
        invoice = self._create_sale_invoice(self.dealer, 99)
        self.assertWhy(invoice, "below the minimum")
        member.program_id.rule_ids.write({"minimum_amount": 0, "rate": 0})
        self.assertWhy(invoice, "rate is zero")
        self._credit(invoice)
        self.assertWhy(invoice, "Nothing is left of it")

    def test_the_member_or_the_budget_has_had_all_there_is(self):
        member = self._create(cap_member=10)
        self._create_sale_invoice(self.dealer, 100)
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "as much as the rule allows")
        rule = member.program_id.rule_ids
        rule.budget = 10
        self._create_sale_invoice(self.referrer, 1)
        rule.sudo().used_up_on = "2026-03-10"
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "budget of the rule was used up")

    def test_the_first_band_is_not_reached(self):
        self._create(formula="bands", band_ids=[Command.create({"threshold": 150, "rate": 10})])
        self.assertWhy(self._create_sale_invoice(self.dealer, 100), "not reached the first band")

    # === LEADS ===#

    def test_what_an_opportunity_earned_or_why_not(self):
        self._create(self.referrer, kind="opportunity", role="referrer", rate=5)
        lead = self.env["crm.lead"].create(
            {
                "name": "New hall",
                "type": "opportunity",
                "partner_id": self.dealer.id,
                "loyalty_partner_id": self.referrer.id,
                "expected_revenue": 200,
                "company_id": self.company.id,
            }
        )
        self.assertWhy(lead, "is not won")
        lead.action_set_won()
        self.assertWhy(lead, "5 % of", amount=10)

    # === CHANGES SINCE ===#

    def _date_change(self, *records, day="2026-05-15"):
        """Let records be changed on a day: within a test they have the time of its transaction."""
        self.env.flush_all()
        for record in records:
            record._cr.execute(
                SQL("UPDATE %s SET write_date = %s WHERE id = %s", SQL.identifier(record._table), day, record.id)
            )
            record.invalidate_recordset()

    def _date_posting(self, member, day):
        # Nothing of what is posted is ever written again, but for a test that travels in time.
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE partner_loyalty_entry DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE partner_loyalty_entry SET posted_at = %s WHERE account_id IN %s",
            [day, tuple(member.account_ids.ids)],
        )
        self.env.cr.execute("ALTER TABLE partner_loyalty_entry ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def _get_texts(self, invoice):
        return {answer["rule"].name: answer["text"] for answer in self.env["partner.loyalty.why"]._explain(invoice)}

    def test_what_changes_on_15_may_leaves_what_was_sold_before_and_is_named_with_its_day(self):
        Category = self.env["product.category"]
        tools, saws = Category.create([{"name": "Tools"}, {"name": "Saws"}])
        saws.parent_id = tools
        self.thing.categ_id = saws
        tag = self.env["res.partner.category"].create({"name": "Key"})
        self.dealer.category_id = tag
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Key dealers", "partner_domain": f"[('category_id', '=', {tag.id})]"}
        )
        program = self._create_program(
            [
                {"name": "Segment", "segment_ids": [Command.link(segment.id)]},
                {
                    "name": "Category",
                    "rate": 1,
                    "tier_rate_ids": [Command.create({"categ_id": tools.id, "rate": 3})],
                },
                {"name": "Tier", "rate": 5},
            ],
            tiers=[("Silver", 0)],
        )
        rules = {rule.name: rule for rule in program.rule_ids}
        member = self._enroll(program, self.dealer)
        with freeze_time("2026-05-10 10:00:00"):
            before = self._create_sale_invoice(self.dealer, 100, date="2026-05-10")
            self._answer_documents()
        self._date_posting(member, "2026-05-10")
        self._date_change(self.dealer, segment, tools, saws, self.thing, self.thing.product_tmpl_id, day="2026-05-01")

        with freeze_time("2026-05-15 10:00:00"):
            self.dealer.category_id = False
            saws.parent_id = False
            self._put_into_force(rules["Tier"], "2026-05-15", tier_rate_ids=[self._tier_rate(program.tier_ids, 7)])
        self._date_change(self.dealer, saws)

        with freeze_time("2026-05-20 10:00:00"):
            self.assertEqual(sorted(self._compare(program).mapped("target")), [0, 1])
            self.assertEntries(member, [10, 3, 5])
            texts = self._get_texts(before)
            self.assertIn("“Dealer” (05/15/2026)", texts["Segment"])
            self.assertIn("Product Category “Saws” (05/15/2026)", texts["Category"])
            self.assertIn("5 % of", texts["Tier"])
            self.assertNotIn("05/15/2026", texts["Tier"])

            after = self._create_sale_invoice(self.dealer, 100, date="2026-05-20")
            self._answer_documents()
            self.assertEntries(member, [10, 3, 5, 1, 7])
            texts = self._get_texts(after)
            self.assertIn("none of the segments that the rule is for (last change: 05/15/2026)", texts["Segment"])
            self.assertIn("version 2 since 05/15/2026", texts["Tier"])

    # === SHARES ===#

    def test_the_shares_of_lines_add_up_to_what_was_earned(self):
        self._create(rate=10)
        invoice = self._create_sale_invoice(self.dealer, 3.35, 3.35, 3.35)
        shares = self._explain(invoice)["shares"]
        self.assertEqual([float(share) for _product, share in shares], [0.34, 0.34, 0.33])
        self._credit(invoice)
        self.assertFalse(self._explain(invoice)["shares"])

    def test_shares_follow_the_rates_of_categories_and_quantities(self):
        tools = self.env["product.category"].create({"name": "Tools"})
        saw = self._create_product(name="Saw", taxes_id=False, categ_id=tools.id)
        self._create(rate=1, tier_rate_ids=[Command.create({"categ_id": tools.id, "rate": 3})])
        invoice = self._create_sale_invoice(self.dealer, 100, post=False)
        invoice.invoice_line_ids = [Command.create({"product_id": saw.id, "price_unit": 100, "tax_ids": False})]
        invoice.action_post()
        shares = self._explain(invoice)["shares"]
        self.assertEqual([(product, float(share)) for product, share in shares], [(self.thing, 1), (saw, 3)])

    # === BEFORE IT IS SENT ===#

    def test_a_quotation_says_what_it_will_earn_and_stays_a_quotation(self):
        self._create(kind="order")
        order = self._create_order(self.dealer, 100, 50, confirm=False)
        date_order = order.date_order
        forecasts = self.env["partner.loyalty.why"]._forecast(order)
        self.assertEqual([(one["partner"], one["amount"]) for one in forecasts], [(self.dealer, 15)])
        order.invalidate_recordset()
        self.assertRecordValues(order, [{"state": "draft", "date_order": date_order}])
        self.assertFalse(self._answer_documents())

    def test_a_quotation_counts_what_the_period_has_so_far(self):
        self._create(
            kind="order", formula="bands", band_kind="total", band_ids=[Command.create({"threshold": 150, "rate": 10})]
        )
        self._create_order(self.dealer, 100)
        self._answer_documents()
        order = self._create_order(self.dealer, 100, confirm=False)
        self.assertEqual([one["amount"] for one in self.env["partner.loyalty.why"]._forecast(order)], [20])

    def test_a_quotation_says_why_it_will_earn_nothing(self):
        self._create(kind="order", domain="[('quantity', '>', 5)]")
        for partner, words in ((self.dealer, "No line matches"), (self.stranger, "is not a member")):
            with self.subTest(partner=partner.name):
                order = self._create_order(partner, 100, confirm=False)
                answers = self.env["partner.loyalty.why"]._answer(order)
                self.assertEqual(len(answers), 1)
                self.assertIn(words, answers[0]["text"])

    # === THE DIALOG ===#

    def test_a_salesperson_sees_what_a_quotation_will_earn(self):
        self._create(kind="order")
        seller = self.users["salesperson"]
        order = self._create_order(self.dealer, 100, confirm=False, user_id=seller.id)
        dialog = self.env["partner.loyalty.explain"].with_user(seller)
        dialog = dialog.with_context(active_model="sale.order", active_ids=order.ids).create({})
        self.assertRecordValues(dialog.line_ids, [{"rule_name": "Commission", "amount": 10, "unit": "money"}])

    def test_the_answer_is_written_to_the_partner_in_its_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.dealer.lang = "uk_UA"
        self._create()
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        dialog = self.env["partner.loyalty.explain"].with_context(active_model="account.move", active_ids=invoice.ids)
        action = dialog.create({}).action_write_message()
        self.assertEqual(action["context"]["default_partner_ids"], self.dealer.ids)
        self.assertIn("Commission", action["context"]["default_body"])
        self.assertNotIn(" of $", action["context"]["default_body"])

    def test_there_is_nobody_to_write_to(self):
        self._create(self.referrer, role="referrer")
        invoice = self._create_sale_invoice(self.dealer, 100)
        dialog = self.env["partner.loyalty.explain"].with_context(active_model="account.move", active_ids=invoice.ids)
        with self.assertRefused("nobody to write to"):
            dialog.create({}).action_write_message()
