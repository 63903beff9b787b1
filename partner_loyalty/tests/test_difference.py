"""What the nightly run does about documents nobody touched, and what a manager makes of it."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestDifference(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "accountant", "salesperson", "internal")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["product.tag"].create({"name": "Rewarded"})
        cls.thing.product_tag_ids = cls.tag
        cls.program = cls._create_program([{"domain": f"[('product_id.product_tag_ids', '=', {cls.tag.id})]"}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.manager = cls.users["manager"]
        cls.invoice = cls._create_sale_invoice(cls.dealer, 100)
        cls._answer_marks()

    def _retag(self):
        """Let the product count no longer; nobody touches the invoice."""
        self.thing.product_tag_ids = False
        return self._compare(self.program)

    # === LISTED, NOT POSTED ===#

    def test_a_retagged_product_is_listed_and_posts_nothing(self):
        difference = self._retag()
        self.assertRecordValues(
            difference,
            [
                {
                    "program_id": self.program.id,
                    "company_id": self.company.id,
                    "rule_id": self.program.rule_ids.id,
                    "member_id": self.member.id,
                    "origin_id": self.invoice.id,
                    "posted": 10,
                    "target": 0,
                    "amount": -10,
                    "cause": "gone",
                    "state": "open",
                }
            ],
        )
        self.assertEqual(difference.origin_name, self.invoice.display_name)
        self.assertEntries(self.member, [10])
        self.assertEqual(self.program.difference_count, 1)

    def test_comparing_again_lists_nothing_twice(self):
        first = self._retag()
        self.assertEqual(self._compare(self.program), first)
        self.assertEntries(self.member, [10])

    def test_nothing_is_listed_where_nothing_differs(self):
        self.assertFalse(self._compare(self.program))

    def test_a_product_moved_to_another_category_is_listed_by_its_new_amount(self):
        counted, other = self.env["product.category"].create([{"name": "Counted"}, {"name": "Other"}])
        self.thing.categ_id = other
        rule = self._create_rule(self.program, domain=f"[('product_id.categ_id', '=', {counted.id})]", rate=5)
        self.assertFalse(self._compare(self.program))
        self.thing.categ_id = counted
        difference = self._compare(self.program)
        self.assertRecordValues(difference, [{"rule_id": rule.id, "amount": 5, "cause": "new"}])
        self.assertEntries(self.member, [10])

    def test_a_difference_that_went_away_by_itself_is_taken_off_the_list(self):
        difference = self._retag()
        self.thing.product_tag_ids = self.tag
        self.assertFalse(self._compare(self.program))
        self.assertFalse(difference.exists())

    def test_a_difference_whose_document_is_touched_is_answered_and_taken_off_the_list(self):
        self._retag()
        self._pay(self.invoice)
        self._answer_documents()
        self.assertEntries(self.member, [10, -10])
        self.assertFalse(self._compare(self.program))

    def test_a_document_that_waits_to_be_answered_is_not_listed(self):
        self._create_sale_invoice(self.dealer, 50)
        self.assertFalse(self._compare(self.program))

    def test_what_lies_before_the_lock_date_is_not_listed(self):
        self._create_sale_invoice(self.dealer, 50, date="2026-02-10")
        self._answer_documents()
        self.program.lock_date = "2026-02-28"
        difference = self._retag()
        self.assertEqual(difference.origin_id, self.invoice.id)

    def test_a_member_with_a_past_date_is_listed_and_not_posted(self):
        self._create_sale_invoice(self.referrer, 70)
        self._answer_documents()
        member = self._enroll(self.program, self.referrer)
        difference = self._compare(self.program)
        self.assertRecordValues(difference, [{"member_id": member.id, "amount": 7, "cause": "new", "posted": 0}])
        self.assertEntries(member, [])

    def test_a_rule_with_a_past_date_is_listed_and_not_posted(self):
        rule = self._create_rule(self.program, rate=2, date_from="2026-01-01")
        difference = self._compare(self.program)
        self.assertRecordValues(difference, [{"rule_id": rule.id, "amount": 2, "cause": "new"}])
        self.assertEntries(self.member, [10])

    def test_a_membership_moved_into_the_past_is_listed_and_not_posted(self):
        self._create_sale_invoice(self.dealer, 50, date="2026-01-20")
        self._answer_documents()
        self.member.period_ids.date_from = "2026-02-01"
        self.assertRecordValues(self._compare(self.program), [{"amount": -5, "cause": "gone"}])
        self.assertEntries(self.member, [10, 5])

    def test_a_changed_tier_is_listed_as_changed(self):
        program = self._create_program([{}], tiers=[("Silver", 0)], name="With tiers")
        member = self._enroll(program, self.dealer)
        program._apply_to_past()
        self.assertBalance(member, 10)
        rate = self.env["partner.loyalty.rule.rate"]
        self.env.cr.execute(
            "INSERT INTO partner_loyalty_rule_rate (rule_id, tier_id, rate, company_id) VALUES (%s, %s, 12, %s)",
            (program.rule_ids.id, program.tier_ids.id, self.company.id),
        )
        rate.invalidate_model()
        self.assertRecordValues(self._compare(program), [{"posted": 10, "target": 12, "amount": 2, "cause": "changed"}])

    # === DECIDED ===#

    def test_a_manager_posts_a_difference(self):
        difference = self._retag()
        difference.with_user(self.manager).action_post()
        self.assertEntries(self.member, [10, -10])
        self.assertRecordValues(difference, [{"state": "posted", "decided_by_id": self.manager.id}])
        self.assertTrue(difference.decided_at)
        self.assertEqual(self._get_entries(self.member)[-1].user_id, self.manager)
        self.assertFalse(self._compare(self.program))
        difference.with_user(self.manager).action_post()
        self.assertEntries(self.member, [10, -10])

    def test_a_posted_difference_can_differ_again(self):
        difference = self._retag()
        difference.with_user(self.manager).action_post()
        self.thing.product_tag_ids = self.tag
        self.assertRecordValues(self._compare(self.program), [{"id": difference.id, "amount": 10, "cause": "changed"}])
        self.assertEntries(self.member, [10, -10])

    def test_a_dismissed_difference_stays_dismissed_until_it_would_be_another_amount(self):
        difference = self._retag()
        difference.with_user(self.manager).action_dismiss()
        self.assertEqual(difference.state, "dismissed")
        self.assertFalse(self._compare(self.program))
        self.thing.product_tag_ids = self.tag
        self.assertFalse(self._compare(self.program))
        self.thing.product_tag_ids = False
        self.assertFalse(self._compare(self.program), "It is the same amount again.")
        self.assertEntries(self.member, [10])

        other = self._create_product(name="Other", taxes_id=False)
        other.product_tag_ids = self.tag
        self.env.cr.execute(
            "UPDATE account_move_line SET product_id = %s, balance = -60 WHERE move_id = %s AND product_id = %s",
            (other.id, self.invoice.id, self.thing.id),
        )
        self.env.invalidate_all()
        self.assertRecordValues(self._compare(self.program), [{"id": difference.id, "target": 6, "amount": -4}])

    def test_several_differences_are_decided_at_once_and_decided_ones_are_left_alone(self):
        self._create_sale_invoice(self.dealer, 50)
        self._answer_documents()
        first, second = self._retag()
        first.with_user(self.manager).action_dismiss()
        (first + second).with_user(self.manager).action_post()
        self.assertEqual((first.state, second.state), ("dismissed", "posted"))
        self.assertEqual(sum(self._get_entries(self.member).mapped("amount")), first.posted)

    def test_only_managers_decide(self):
        difference = self._retag()
        for role in ("officer", "accountant", "salesperson", "internal"):
            refused = difference.with_user(self.users[role])
            for action in (refused.action_post, refused.action_dismiss):
                with self.subTest(role=role, action=action.__name__), self.assertRefused("", AccessError):
                    action()
        self.assertEqual(difference.state, "open")
        self.assertEntries(self.member, [10])

    def test_a_difference_cannot_be_decided_or_changed_by_writing(self):
        difference = self._retag()
        for vals in (
            {"state": "posted"},
            {"target": 50},
            {"posted": 0},
            {"decided_by_id": self.manager.id},
            {"rule_id": self.program.rule_ids.id},
            {"account_id": self.member.account_ids[0].id},
        ):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                difference.with_user(self.manager).write(vals)

    def test_a_difference_posts_what_is_right_when_it_is_posted(self):
        difference = self._retag()
        self.thing.product_tag_ids = self.tag
        difference.with_user(self.manager).action_post()
        self.assertEntries(self.member, [10])
