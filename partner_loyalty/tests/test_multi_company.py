from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon

NOT_FOR_ACCOUNTANTS = ("partner.loyalty.todo", "partner.loyalty.metric", "partner.loyalty.metric.value")


@tagged("post_install", "-at_install")
class TestMultiCompany(PartnerLoyaltyCommon):
    """Company A (with everybody's rights) and company B, whose figures are nobody's business in A."""

    roles = ("officer", "manager", "administrator", "accountant", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data_b = cls.setup_other_company(name="Company B")
        cls.company_b = cls.data_b["company"]
        cls.program = cls._create_program([{}, {"kind": "order", "rate": 1}], tiers=[("Silver", 0)])
        cls.program_b = cls._create_program(
            [{"rate": 20}, {"kind": "order", "rate": 2}],
            tiers=[("Silver", 0)],
            name="Club of B",
            company_id=cls.company_b.id,
            payout_journal_id=cls.data_b["default_journal_purchase"].id,
        )
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.member_b = cls._enroll(cls.program_b, cls.dealer)
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]
        cls.thing.with_company(cls.company_b).property_account_income_id = cls.data_b["default_account_revenue"]

    def _sell_in_b(self, amount, **values):
        journal = self.data_b["default_journal_sale"]
        return self._create_sale_invoice(self.dealer, amount, journal_id=journal.id, **values)

    def _get_records_of_b(self):
        self._sell_in_b(100)
        self._answer_documents()
        payout = self.env["partner.loyalty.payout"].create({"member_id": self.member_b.id, "date": TODAY})
        self._create_rule(self.program_b, rate=1, date_from="2026-01-01")
        difference = self._compare(self.program_b)
        self.assertTrue(difference)
        self.env.flush_all()
        entry = self._get_entries(self.member_b)
        contributions = self.env["partner.loyalty.contribution"].search([("company_id", "=", self.company_b.id)])
        return [
            self.program_b,
            self.program_b.tier_ids,
            self.program_b.rule_ids,
            self.member_b,
            self.member_b.period_ids,
            self.member_b.tier_period_ids,
            self.member_b.account_ids,
            entry,
            payout,
            difference,
            contributions,
            self.env["partner.loyalty.todo"].search([("company_id", "=", self.company_b.id)]),
            *self._create_metric_of_b(),
        ]

    def _create_metric_of_b(self):
        metric = self.env["partner.loyalty.metric"].create(
            {"name": "Visit", "source": "entered", "aggregate": "last", "company_id": self.company_b.id}
        )
        value = {"metric_id": metric.id, "member_id": self.member_b.id, "value": 80, "reference": "Report"}
        return metric, self.env["partner.loyalty.metric.value"].create(value)

    def test_users_of_one_company_find_and_read_nothing_of_another(self):
        for records in self._get_records_of_b():
            model = records._name
            self.assertTrue(records, model)
            for user in (self.officer, self.manager, self.users["administrator"], self.users["accountant"]):
                if model in NOT_FOR_ACCOUNTANTS and user == self.users["accountant"]:
                    continue
                Model = self.env[model].with_user(user)
                with self.subTest(model=model, user=user.login):
                    self.assertFalse(Model.search([("id", "in", records.ids)]))
                    self.assertEqual(Model.search_count([("id", "in", records.ids)]), 0)
                    self.assertFalse(Model.name_search("", [("id", "in", records.ids)]))
                    groups = Model.formatted_read_group([("id", "in", records.ids)], ["company_id"], ["__count"])
                    self.assertFalse(groups)
                    with self.assertRefused("", AccessError):
                        records.with_user(user).read(["id", "company_id"])

    def test_users_of_both_companies_find_both(self):
        self.officer.company_ids += self.company_b
        programs = self.env["partner.loyalty.program"].with_user(self.officer)
        both = programs.with_context(allowed_company_ids=(self.company + self.company_b).ids).search([])
        self.assertEqual(both & (self.program + self.program_b), self.program + self.program_b)
        only = programs.with_context(allowed_company_ids=self.company_b.ids).search([])
        self.assertEqual(only & (self.program + self.program_b), self.program_b)

    def test_a_sale_earns_in_the_program_of_its_company_alone(self):
        self._create_sale_invoice(self.dealer, 100)
        self._sell_in_b(100)
        order = self._create_order(self.dealer, 100, company_id=self.company_b.id)
        self.assertEqual(order.company_id, self.company_b)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertEqual(sorted(self._get_entries(self.member_b).mapped("amount")), [2, 20])
        self.assertEqual(set(self._get_entries(self.member_b).company_id), {self.company_b})
        self.assertInLine(self.program)
        self.assertInLine(self.program_b)

    def test_a_salesperson_of_one_company_sells_to_a_member_of_another_without_an_error(self):
        seller = self.users["salesperson"]
        order = (
            self.env["sale.order"]
            .with_user(seller)
            .create(
                {
                    "partner_id": self.dealer.id,
                    "order_line": [Command.create({"product_id": self.thing.id, "price_unit": 100})],
                }
            )
        )
        order.action_confirm()
        order._create_invoices().sudo().action_post()
        self._answer_documents()
        self.assertEntries(self.member_b, [])

    def test_the_figures_of_a_member_do_not_add_up_companies(self):
        self._create_sale_invoice(self.dealer, 100)
        self._sell_in_b(100)
        self._answer_documents()
        officer_member = self.member.with_user(self.officer)
        self.assertEqual(officer_member.money_balance, 10)
        self.assertEqual(self.dealer.with_user(self.officer).loyalty_member_count, 1)
        self.assertEqual(self.dealer.with_user(self.officer).loyalty_summary, "Dealer Club: Silver")

    def test_nobody_enrolls_pays_or_decides_in_another_company(self):
        self._sell_in_b(100)
        self._answer_documents()
        payout = self.env["partner.loyalty.payout"].create({"member_id": self.member_b.id, "date": TODAY})
        payout.action_submit()
        enroll = self.env["partner.loyalty.enroll"].with_user(self.officer)
        prepare = self.env["partner.loyalty.payout.prepare"].with_user(self.officer)
        actions = (
            lambda: enroll.create(
                {"program_id": self.program_b.id, "partner_ids": [Command.set(self.referrer.ids)]}
            ).action_enroll(),
            lambda: prepare.create({"program_id": self.program_b.id}).action_prepare(),
            lambda: self._create_payout(self.member_b),
            lambda: payout.with_user(self.manager).action_approve(),
            lambda: payout.with_user(self.manager).action_refuse("No"),
            lambda: self.member_b.with_user(self.officer).action_suspend(),
            lambda: self.program_b.with_user(self.manager).write({"name": "Ours"}),
            lambda: self.program_b.rule_ids[0].with_user(self.manager).copy(),
        )
        for number, action in enumerate(actions):
            with self.subTest(number=number), self.assertRefused("", AccessError):
                action()
        self.assertEqual(payout.decision, "submitted")
        self.assertFalse(self.referrer.loyalty_member_ids)

    def test_the_bill_of_a_payout_is_in_the_company_of_its_program(self):
        self._sell_in_b(100)
        self._answer_documents()
        payout = self.env["partner.loyalty.payout"].create({"member_id": self.member_b.id, "date": TODAY})
        payout.action_submit()
        self.manager.company_ids += self.company_b
        payout.with_user(self.manager).action_approve()
        self.assertRecordValues(
            payout.bill_id,
            [
                {
                    "company_id": self.company_b.id,
                    "journal_id": self.data_b["default_journal_purchase"].id,
                    "currency_id": self.company_b.currency_id.id,
                    "amount_untaxed": 20,
                }
            ],
        )

    def test_a_journal_and_a_product_of_another_company_are_refused(self):
        with self.assertRefused("belongs to"):
            self.program.payout_journal_id = self.data_b["default_journal_purchase"]
        self.bonus_product.company_id = self.company
        with self.assertRefused("belongs to"):
            self.program_b.payout_product_id = self.bonus_product

    def test_what_a_new_record_takes_its_company_from_can_be_chosen(self):
        """Odoo offers nothing for a field that is checked against a company which that field itself has to give."""
        tried = 0
        for name, model in self.registry.items():
            field = model._fields.get("company_id")
            while name.startswith("partner.loyalty.") and field and field.related:
                field = model._fields[field.related.split(".")[0]]
                with self.subTest(model=name, field=field.name):
                    tried += 1
                    self.assertFalse(getattr(field, "check_company", False))
        self.assertGreater(tried, 20)

    def test_scheduled_actions_serve_all_companies(self):
        self._sell_in_b(100, date="2026-02-10")
        self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        for program in self._as_cron("partner.loyalty.program").search([("state", "=", "running")]):
            program._evaluate_tiers()
        self.assertEqual(self.member.tier_period_ids[0].turnover, 100)
        self.assertEqual(self.member_b.tier_period_ids[0].turnover, 100)
