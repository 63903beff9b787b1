"""What counts because it is the first of something, or because a year has passed."""

from odoo.tests import freeze_time, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestFirst(PartnerLoyaltyCommon):
    roles = ()

    def _create_member(self, partner, **rule):
        program = self._create_program([{"formula": "fixed", "rate": 50, **rule}])
        return self._enroll(program, partner)

    # === NEW CUSTOMERS ===#

    def _bring(self, date, amount=100, **values):
        return self._create_sale_invoice(self.dealer, amount, date=date, loyalty_partner_id=self.referrer.id, **values)

    def test_the_first_invoice_of_a_customer_counts_once(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer")
        self._bring("2026-03-10")
        self._answer_documents()
        self._bring("2026-03-11")
        self.assertFalse(self._answer_documents())
        self.assertEntries(member, [50])
        self.assertInLine(member.program_id)

    def test_a_customer_who_bought_before_is_not_new(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer")
        self._create_sale_invoice(self.dealer, 5, date="2020-01-01")
        self._bring("2026-03-10")
        self._answer_documents()
        self.assertEntries(member, [])

    def test_an_invoice_that_turns_out_to_be_earlier_takes_its_place(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer")
        self._bring("2026-03-10")
        self._answer_documents()
        self._create_sale_invoice(self.dealer, 5, date="2026-03-01")
        self._answer_documents()
        self.assertBalance(member, 0)
        self.assertInLine(member.program_id)

    def test_a_first_invoice_that_is_reset_leaves_its_place_to_the_next(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer", formula="percent", rate=10)
        first = self._bring("2026-03-10", 100)
        self._bring("2026-03-11", 300)
        self._answer_documents()
        self.assertEntries(member, [10])
        first.button_draft()
        self._answer_documents()
        self.assertBalance(member, 30)
        self.assertInLine(member.program_id)

    def test_a_first_invoice_that_is_credited_earns_nothing(self):
        member = self._create_member(self.referrer, kind="new_customer", role="referrer")
        self._credit(self._bring("2026-03-10"))
        self._answer_documents()
        self.assertBalance(member, 0)

    # === REPEAT ORDERS ===#

    def test_orders_after_the_first_count(self):
        member = self._create_member(self.dealer, kind="repeat_order")
        for day in ("10", "11", "12"):
            self._create_order(self.dealer, 100, date=f"2026-03-{day} 10:00:00")
            self._answer_documents()
        self.assertEntries(member, [50, 50])

    def test_when_the_first_order_is_canceled_the_second_is_the_first(self):
        member = self._create_member(self.dealer, kind="repeat_order")
        first = self._create_order(self.dealer, 100, date="2026-03-10 10:00:00")
        self._create_order(self.dealer, 100, date="2026-03-11 10:00:00")
        self._answer_documents()
        self.assertEntries(member, [50])
        first._action_cancel()
        self._answer_documents()
        self.assertBalance(member, 0)
        self.assertInLine(member.program_id)

    # === REFERRALS ===#

    def test_the_first_sale_of_a_member_counts_for_who_brought_it(self):
        program = self._create_program([{"kind": "referral", "role": "referrer", "formula": "fixed", "rate": 50}])
        sponsor, brought = self._enroll(program, self.referrer, self.dealer, date_from="2026-02-01")
        brought.referrer_id = sponsor
        self._create_sale_invoice(self.dealer, 100, date="2026-01-15")
        for day in ("10", "11"):
            self._create_sale_invoice(self.dealer, 100, date=f"2026-03-{day}")
        self._answer_documents()
        self.assertRecordValues(
            self._get_entries(sponsor), [{"amount": 50, "contribution_date": self._day("2026-03-10")}]
        )
        self.assertInLine(program)

    def test_a_referral_counts_in_its_own_program_alone(self):
        rule = {"kind": "referral", "role": "referrer", "formula": "fixed", "rate": 50}
        programs = [self._create_program([rule], name=name) for name in ("One", "Two")]
        sponsor, brought = self._enroll(programs[0], self.referrer, self.dealer)
        other, _not_brought = self._enroll(programs[1], self.referrer, self.dealer)
        brought.referrer_id = sponsor
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(sponsor, [50])
        self.assertEntries(other, [])

    def test_members_do_not_bring_each_other(self):
        program = self._create_program([{}])
        first, second = self._enroll(program, self.referrer, self.dealer)
        first.referrer_id = second
        with self.assertRefused("brought itself"):
            second.referrer_id = first
        other = self._enroll(self._create_program([{}], name="Other"), self.stranger)
        with self.assertRefused("another program"):
            second.referrer_id = other

    # === ANNIVERSARIES ===#

    def test_each_year_of_membership_counts_once(self):
        program = self._create_program(
            [{"kind": "anniversary", "role": "member", "formula": "fixed", "rate": 50}], date_from="2024-01-01"
        )
        member = self._enroll(program, self.dealer, date_from="2024-03-18")
        for day, expected in (
            ("2025-03-17", []),
            ("2025-03-18", [50]),
            ("2025-03-19", [50]),
            ("2026-03-20", [50, 50]),
            ("2026-03-21", [50, 50]),
        ):
            with self.subTest(day=day), freeze_time(f"{day} 10:00:00"):
                self._as_cron("partner.loyalty.member")._cron_mark_anniversaries()
                self._answer_marks()
                self.assertEntries(member, expected)
        self.assertEqual(
            self._get_entries(member).mapped("contribution_date"), [self._day("2025-03-18"), self._day("2026-03-18")]
        )

    def test_a_membership_that_has_ended_has_no_more_anniversaries(self):
        program = self._create_program(
            [{"kind": "anniversary", "role": "member", "formula": "fixed", "rate": 50}], date_from="2024-01-01"
        )
        member = self._enroll(program, self.dealer, date_from="2025-03-10")
        member.period_ids.date_to = "2026-03-01"
        self._as_cron("partner.loyalty.member")._cron_mark_anniversaries()
        self._answer_marks()
        self.assertEntries(member, [])
