from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestSegment(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "Key Dealer"})
        cls.segment = cls.env["partner.loyalty.segment"].create(
            {"name": "Key dealers", "partner_domain": f"[('category_id', 'in', [{cls.tag.id}])]"}
        )
        cls.program = cls._create_program(
            [{"segment_ids": [Command.link(cls.segment.id)]}], tiers=[("Silver", 0), ("Gold", 500)]
        )
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)

    def test_only_partners_of_the_segment_earn(self):
        self.dealer.category_id = self.tag
        for partner in (self.dealer, self.referrer):
            self._create_sale_invoice(partner, 100)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertEntries(self.other, [])

    def test_a_segment_can_be_about_the_membership(self):
        gold = self.program.tier_ids[1]
        self.segment.write({"partner_domain": "[]", "member_domain": f"[('tier_id', '=', {gold.id})]"})
        self.program._evaluate_tiers()
        current = self.member.tier_period_ids.filtered(lambda period: not period.date_to)
        current.sudo()._set_from(gold, self._day("2026-03-17"), cause="override", override_until="2026-12-31")
        self.env["partner.loyalty.member"]._refresh_by_date(self.program)
        for partner in (self.dealer, self.referrer):
            self._create_sale_invoice(partner, 100)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertEntries(self.other, [])

    def test_any_of_several_segments_will_do(self):
        named = self.env["partner.loyalty.segment"].create(
            {"name": "Referrer", "partner_domain": "[('name', '=', 'Referrer')]"}
        )
        self.program.rule_ids.segment_ids += named
        self._create_sale_invoice(self.referrer, 100)
        self._answer_documents()
        self.assertEntries(self.other, [10])

    def test_who_leaves_the_segment_keeps_what_was_earned_and_earns_no_more(self):
        self.dealer.category_id = self.tag
        self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._answer_documents()
        self.dealer.category_id = False
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertRecordValues(self._compare(self.program), [{"posted": 10, "target": 0, "cause": "gone"}])
        self.assertEntries(self.member, [10])

    def test_the_first_of_a_group_leaves_its_segment_out_of_the_second(self):
        self.program.rule_ids.write({"exclusive_group": "A", "sequence": 1})
        self._create_rule(self.program, rate=1, exclusive_group="A", sequence=2)
        self.dealer.category_id = self.tag
        for partner in (self.dealer, self.referrer):
            self._create_sale_invoice(partner, 100)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertEntries(self.other, [1])

    def test_partners_are_counted_and_shown(self):
        self.dealer.category_id = self.tag
        self.assertEqual(self.segment.partner_count, 1)
        action = self.segment.action_view_partners()
        self.assertEqual(self.env["res.partner"].search(action["domain"]), self.dealer)

    def test_filters_that_cannot_be_read_are_refused(self):
        for field in ("partner_domain", "member_domain"):
            for domain in (
                "[('no_such_field', '=', 1)]",
                "[('partner_id.user_ids.password', '=', 'x')]"
                if field == "member_domain"
                else "[('user_ids.password', '=', 'x')]",
                "not a list",
                "{'a': 1}",
                "__import__('os').system('true')",
                "(9**9)**9",
                str([("name", "=", "x")] * 1001),
            ):
                with self.subTest(field=field, domain=domain[:60]), self.assertRefused("cannot be read"):
                    self.segment.with_user(self.users["manager"]).write({field: domain})

    def test_officers_make_segments_and_do_not_delete_them(self):
        segment = self.segment.with_user(self.users["officer"])
        segment.name = "Renamed"
        with self.assertRefused("", AccessError):
            segment.unlink()
