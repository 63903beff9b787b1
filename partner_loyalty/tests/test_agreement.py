from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestAgreement(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.rule = cls.program.rule_ids
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)

    def _agree(self, member=None, **values):
        vals = {"name": "Launch", "member_id": (member or self.member).id, "date_from": "2026-03-10"}
        return self.env["partner.loyalty.agreement"].create({**vals, **values})

    def _sell(self, *days, partner=None):
        for day in days:
            self._create_sale_invoice(partner or self.dealer, 100, date=f"2026-03-{day}")
        self._answer_documents()

    # === WHAT IT GIVES ===#

    def test_a_multiplier_applies_to_sales_of_its_days(self):
        self._agree(multiplier=1.5, date_to="2026-03-12")
        self._sell("09", "10", "12", "13")
        self.assertEqual(sorted(self._get_entries(self.member).mapped("amount")), [10, 10, 15, 15])
        self._sell("11", partner=self.referrer)
        self.assertEntries(self.other, [10])
        self.assertInLine(self.program)

    def test_a_rate_of_its_own_comes_before_those_of_tiers(self):
        self.rule.tier_rate_ids = [self._tier_rate(self.program.tier_ids[0], 20)]
        self._agree(kind="rate", rule_id=self.rule.id, rate=3)
        self._sell("09", "10")
        self.assertEntries(self.member, [20, 3])

    def test_a_rate_and_a_multiplier_apply_together(self):
        self._agree(kind="rate", rule_id=self.rule.id, rate=3)
        self._agree(multiplier=2)
        self._sell("10")
        self.assertEntries(self.member, [6])

    def test_what_is_agreed_for_one_rule_comes_before_what_is_agreed_for_all(self):
        self._agree(multiplier=2)
        self._agree(name="Tools", multiplier=3, rule_id=self.rule.id)
        self._sell("10")
        self.assertEntries(self.member, [30])

    def test_a_multiplier_applies_to_bands(self):
        bands = [Command.create({"threshold": 0, "rate": 5})]
        program = self._create_program([{"formula": "bands", "band_ids": bands}], name="Bands")
        member = self._enroll(program, self.dealer)
        self._agree(member, multiplier=2)
        self._sell("10", "11")
        self.assertBalance(member, 20)
        self.assertInLine(program)

    def test_the_statement_names_the_agreement(self):
        self._agree(multiplier=2)
        self._sell("10")
        self.assertIn("special agreement: Launch", self._get_entries(self.member).explanation_text)

    def test_an_agreement_for_the_past_posts_nothing_by_itself(self):
        self._sell("10")
        self._agree(multiplier=2)
        self.assertRecordValues(self._compare(self.program), [{"posted": 10, "target": 20}])
        self.assertEntries(self.member, [10])

    # === GUARANTEES ===#

    def test_guaranteed_terms_stay_when_the_rule_has_a_new_version(self):
        self._sell("09")
        self._agree(kind="guarantee", rule_id=self.rule.id, date_to="2026-03-16")
        successor = self._put_into_force(self.rule, "2026-03-12", rate=4)
        self._sell("11", "12", "16", "17")
        self._sell("12", partner=self.referrer)
        entries = self._get_entries(self.member).sorted("contribution_date")
        self.assertEqual(entries.mapped("amount"), [10, 10, 10, 10, 4])
        self.assertEqual(entries.rule_id, self.rule + successor)
        self.assertEntries(self.other, [4])
        self.assertInLine(self.program)

    def test_a_guarantee_ends_and_is_about_one_rule(self):
        with self.assertRefused("choose both"):
            self._agree(kind="guarantee", rule_id=self.rule.id)
        with self.assertRefused("choose both"):
            self._agree(kind="guarantee", date_to="2026-12-31")

    # === DISCOUNTS ===#

    def test_a_discount_is_given_on_quotations_of_its_days(self):
        self._agree(kind="discount", discount=7.5, date_to="2026-03-20")
        order = self._create_order(self.dealer_contact, 100, 50, confirm=False)
        self.assertEqual(order.order_line.mapped("discount"), [7.5, 7.5])
        for partner, day in ((self.referrer, "2026-03-18"), (self.dealer, "2026-03-21"), (self.dealer, "2026-03-09")):
            with self.subTest(partner=partner.name, day=day):
                order = self._create_order(partner, 100, confirm=False, date_order=day)
                self.assertFalse(order.order_line.discount)

    def test_discounts_do_not_add_up_and_can_be_changed_by_hand(self):
        self._agree(kind="discount", discount=5)
        order = self._create_order(self.dealer, 100, confirm=False)
        order.order_line.discount = 2
        order.order_line.name = "Changed"
        self.assertEqual(order.order_line.discount, 2)
        line = order.order_line.create({"order_id": order.id, "product_id": self.thing.id, "discount": 12})
        self.assertEqual(line.discount, 12)

    def test_salespeople_give_it_without_seeing_agreements(self):
        self._agree(kind="discount", discount=5)
        seller = self._create_role_user("seller", "sales_team.group_sale_salesman")
        order = self._create_order(self.dealer, 100, confirm=False, user_id=seller.id)
        line = order.with_user(seller).order_line.create({"order_id": order.id, "product_id": self.thing.id})
        self.assertEqual(line.discount, 5)

    # === WHAT APPLIES ===#

    def test_what_applies_on_a_day_is_one_answer(self):
        self.rule.tier_rate_ids = [self._tier_rate(self.program.tier_ids[0], 20)]
        self._agree(multiplier=1.5, date_to="2026-03-12")
        self.assertEqual(
            self.member._get_terms_on(self._day("2026-03-11")),
            [
                {
                    "rule": "Commission",
                    "terms": "30 % of the untaxed amount",
                    "agreement": "Launch",
                    "until": self._day("2026-03-12"),
                }
            ],
        )
        self.assertEqual(self.member._get_terms_on(self._day("2026-03-13"))[0]["terms"], "20 % of the untaxed amount")
        self.assertFalse(self.member._get_terms_on(self._day("2025-12-31")))

    def test_a_discount_is_among_what_applies(self):
        self._agree(kind="discount", discount=5, date_to="2026-03-20")
        row = self.member._get_terms_on(self._day("2026-03-18"))[-1]
        self.assertEqual((row["terms"], row["until"]), ("5.00 % at least", self._day("2026-03-20")))

    def test_officers_see_it_on_the_member(self):
        self._agree(multiplier=2)
        member = self.member.with_user(self.users["officer"])
        self.assertIn("20 % of the untaxed amount", member.terms_in_force)
        self.assertIn("Launch", member.terms_in_force)

    # === WHAT CANNOT BE ===#

    def test_agreements_that_make_no_sense_are_refused(self):
        other_rule = self._create_program([{}], name="Other").rule_ids
        self._agree(multiplier=2, date_to="2026-03-20")
        for values, words in (
            ({"multiplier": 3, "date_from": "2026-03-20"}, "on some of these days"),
            ({"date_from": "2026-04-01", "date_to": "2026-03-31"}, "end before it starts"),
            ({"kind": "rate", "rate": 5}, "choose it"),
            ({"kind": "rate", "rate": 101, "rule_id": self.rule.id}, "at most 100 percent"),
            ({"kind": "rate", "rate": 1, "rule_id": other_rule.id}, "another program"),
            ({"multiplier": -1, "date_from": "2027-01-01"}, "cannot be negative"),
            ({"kind": "discount", "discount": 0}, "above 0 and at most 100"),
            ({"kind": "discount", "discount": 101}, "above 0 and at most 100"),
            ({"kind": "discount", "discount": 5, "rule_id": self.rule.id}, "for no rule"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self._agree(**values)

    def test_managers_agree_and_officers_only_read(self):
        agreement = self._agree(multiplier=2)
        agreement.with_user(self.users["manager"]).multiplier = 3
        self.assertEqual(agreement.with_user(self.users["officer"]).multiplier, 3)
        with self.assertRefused("", AccessError):
            agreement.with_user(self.users["officer"]).multiplier = 4
