from odoo.tests import freeze_time, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestTier(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{"rate": 10}], tiers=[("Silver", 0), ("Gold", 500), ("Platinum", 2000)], date_from="2025-01-01"
        )
        cls.silver, cls.gold, cls.platinum = cls.program.tier_ids
        cls.program.rule_ids.tier_rate_ids = [cls._tier_rate(cls.gold, 15)]
        cls.member = cls._enroll(cls.program, cls.dealer, date_from="2025-12-10")

    def _get_history(self, member=None):
        periods = (member or self.member).tier_period_ids.sorted("date_from")
        return [(str(period.date_from), period.tier_id.name, period.turnover) for period in periods]

    def _evaluate(self, program=None):
        self.env.flush_all()
        (program or self.program)._evaluate_tiers()

    # === DECISIONS ===#

    def test_a_new_member_starts_in_the_lowest_tier(self):
        self.assertEqual(self._get_history(), [("2025-12-10", "Silver", 0)])
        self.assertEqual(self.member.tier_id, self.silver)

    def test_each_month_end_is_decided_in_order_on_what_was_dated_up_to_it(self):
        self._create_sale_invoice(self.dealer, 500, date="2026-01-31")
        self._create_sale_invoice(self.dealer, 1600, date="2026-02-01")
        self._create_sale_invoice(self.dealer, 9000, date="2026-03-01")
        self._evaluate()
        self.assertEqual(
            self._get_history(),
            [
                ("2025-12-10", "Silver", 0),
                ("2026-01-01", "Silver", 0),
                ("2026-02-01", "Gold", 500),
                ("2026-03-01", "Platinum", 2100),
            ],
        )
        self.assertEqual(self.member.tier_id, self.platinum)

    def test_a_decision_keeps_its_evidence(self):
        self._create_sale_invoice(self.dealer, 500, date="2026-01-31")
        self._evaluate()
        decided = self.member.tier_period_ids.filtered(lambda period: period.tier_id == self.gold)[-1]
        self.assertRecordValues(
            decided,
            [
                {
                    "date_from": self._day("2026-02-01"),
                    "date_to": self._day("2026-02-28"),
                    "evaluation_date": self._day("2026-01-31"),
                    "previous_tier_id": self.silver.id,
                    "is_change": True,
                    "turnover": 500,
                }
            ],
        )
        self.assertEqual(
            decided.evidence,
            {
                "metric": "turnover",
                "kind": "invoice",
                "role": "buyer",
                "from": "2025-02-01",
                "to": "2026-01-31",
                "value": "500.0000",
                "threshold": "500.00",
                "outcome": "deserved",
                "deserved": self.gold.id,
                "needed": 1,
                "conditions": [
                    {
                        "metric_id": None,
                        "name": "Turnover",
                        "unit": "money",
                        "direction": "up",
                        "value": "500.0000",
                        "minimum": "500.0000",
                        "met": True,
                    }
                ],
            },
        )

    def test_deciding_again_changes_nothing(self):
        self._create_sale_invoice(self.dealer, 500, date="2026-01-31")
        self._evaluate()
        history = self._get_history()
        self._create_sale_invoice(self.dealer, 5000, date="2026-02-01")
        self._evaluate()
        self.assertEqual(self._get_history(), history)

    def test_a_granted_tier_stands_when_its_sale_is_taken_back_and_ends_at_the_next_decision(self):
        invoice = self._create_sale_invoice(self.dealer, 500, date="2026-02-10")
        self._evaluate()
        self.assertEqual(self.member.tier_id, self.gold)
        self._credit(invoice, date="2026-03-18")
        sale = self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
        self._evaluate()
        self.assertEqual(self.member.tier_id, self.gold)
        self._answer_documents()
        entries = self._get_entries(self.member).filtered(lambda entry: entry.origin_id == sale.id)
        self.assertEqual(entries.mapped("amount"), [15])
        with freeze_time("2026-04-01 10:00:00"):
            self._evaluate()
        self.assertEqual(self.member.tier_id, self.silver)
        self.assertEqual(self._get_history()[-2:], [("2026-03-01", "Gold", 500), ("2026-04-01", "Silver", 100)])

    def test_turnover_older_than_twelve_months_does_not_count(self):
        member = self._enroll(self.program, self.referrer, date_from="2025-01-01")
        self._create_sale_invoice(self.referrer, 500, date="2025-02-28")
        self._evaluate()
        tiers = {str(period.evaluation_date): period.tier_id for period in member.tier_period_ids}
        self.assertEqual(tiers["2026-01-31"], self.gold)
        self.assertEqual(tiers["2026-02-28"], self.silver)

    def test_only_turnover_within_the_membership_counts(self):
        self._create_sale_invoice(self.dealer, 500, date="2025-12-09")
        self._evaluate()
        self.assertEqual(self.member.tier_id, self.silver)

    def test_credit_notes_lower_the_turnover_of_their_own_month(self):
        invoice = self._create_sale_invoice(self.dealer, 500, date="2026-01-31")
        self._credit(invoice, 1, date="2026-02-01")
        self._evaluate()
        self.assertEqual(self._get_history()[-2:], [("2026-02-01", "Gold", 500), ("2026-03-01", "Silver", 499)])

    def test_a_suspended_member_is_not_decided_and_goes_on_when_it_comes_back(self):
        self._create_sale_invoice(self.dealer, 500, date="2026-03-10")
        self._evaluate()
        self.member.action_suspend()
        with freeze_time("2026-05-15 10:00:00"):
            self._evaluate()
            self.assertEqual(self._get_history()[-1], ("2026-03-01", "Silver", 0))
            self.member.action_resume()
            self._evaluate()
        self.assertEqual(
            self._get_history()[-3:],
            [("2026-03-01", "Silver", 0), ("2026-04-01", "Gold", 500), ("2026-05-01", "Gold", 500)],
        )

    def test_the_turnover_of_orders_payments_and_referrals_can_decide(self):
        order = self._create_order(self.dealer, 700, loyalty_partner_id=self.referrer.id, date="2026-02-10")
        invoice = order._create_invoices()
        invoice.invoice_date = "2026-02-11"
        invoice.action_post()
        self._pay(invoice, 600, date="2026-02-12")
        for kind, role, partner, turnover in (
            ("order", "buyer", self.dealer, 700),
            ("invoice", "referrer", self.referrer, 700),
            ("payment", "buyer", self.dealer, 600),
            ("payment", "referrer", self.referrer, 600),
            ("order", "referrer", self.dealer, 0),
        ):
            with self.subTest(kind=kind, role=role, partner=partner.name):
                values = {"tier_kind": kind, "tier_role": role, "name": f"{kind} {role} {partner.name}"}
                program = self._create_program([{}], tiers=[("Silver", 0), ("Gold", 600)], **values)
                member = self._enroll(program, partner)
                self._evaluate(program)
                self.assertEqual(self._get_history(member)[-1][2], turnover)
                self.assertEqual(member.tier_id.name, "Gold" if turnover else "Silver")

    def test_the_month_ends_in_the_time_zone_of_the_program(self):
        for zone, decided in (("Pacific/Kiritimati", True), ("UTC", False), ("Pacific/Pago_Pago", False)):
            program = self._create_program([{}], tiers=[("Silver", 0)], tz=zone, name=zone)
            member = self._enroll(program, self.dealer)
            with self.subTest(zone=zone), freeze_time("2026-03-31 11:00:00"):
                self._evaluate(program)
                self.assertEqual("2026-04-01" in [day for day, _tier, _turnover in self._get_history(member)], decided)

    def test_the_turnover_of_orders_is_cut_at_midnight_of_the_time_zone(self):
        program = self._create_program(
            [{"kind": "order"}], tiers=[("Silver", 0), ("Gold", 100)], tz="Pacific/Kiritimati", tier_kind="order"
        )
        member = self._enroll(program, self.dealer)
        self._create_order(self.dealer, 60, date="2026-01-31 09:59:59")
        self._create_order(self.dealer, 70, date="2026-01-31 10:00:00")
        self._evaluate(program)
        self.assertEqual(self._get_history(member)[-2:], [("2026-02-01", "Silver", 60), ("2026-03-01", "Gold", 130)])

    def test_no_tier_is_decided_beyond_the_end_of_the_program(self):
        self.program.date_to = "2026-01-15"
        self._evaluate()
        self.assertEqual(self._get_history()[-1][0], "2026-02-01")

    def test_a_program_that_gets_its_tiers_later_puts_its_members_into_them(self):
        program = self._create_program([{}], name="Tiers later")
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 500, date="2026-02-10")
        program.tier_ids = self.env["partner.loyalty.tier"].create(
            [
                {"program_id": program.id, "name": "Silver", "threshold": 0},
                {"program_id": program.id, "name": "Gold", "threshold": 500},
            ]
        )
        self.assertEqual(member.tier_id.name, "Silver")
        self._evaluate(program)
        with freeze_time("2026-04-01 10:00:00"):
            self._evaluate(program)
        self.assertEqual(self._get_history(member), [("2026-03-18", "Silver", 0), ("2026-04-01", "Gold", 500)])
        self.assertEqual(member.tier_id.name, "Gold")

    # === WHAT A TIER EARNS ===#

    def test_the_rate_is_that_of_the_tier_on_the_day_of_the_sale(self):
        first = self._create_sale_invoice(self.dealer, 500, date="2026-01-31")
        self._evaluate()
        second = self._create_sale_invoice(self.dealer, 100, date="2026-02-01")
        third = self._create_sale_invoice(self.dealer, 100, date="2026-03-01")
        self._answer_documents()
        self.assertEntries(self.member, [50, 15, 15])
        self.assertEqual(
            self._get_entries(self.member).mapped(lambda entry: entry.explanation["tier"]), ["Silver", "Gold", "Gold"]
        )
        self._credit(first, 100)
        self._credit(second, 50)
        self._answer_documents()
        self.assertEntries(self.member, [50, 15, 15, -10, -7.5])
        self.assertIn("tier Gold", self._get_entries(self.member)[-1].explanation_text)
        self.assertTrue(third)

    def test_a_tier_without_a_rate_of_its_own_earns_the_rate_of_the_rule(self):
        self._create_sale_invoice(self.dealer, 2000, date="2026-01-31")
        self._evaluate()
        self.assertEqual(self.member.tier_id, self.platinum)
        self._create_sale_invoice(self.dealer, 100, date="2026-02-01")
        self._answer_documents()
        self.assertEntries(self.member, [200, 10])

    def test_a_payment_earns_by_the_tier_of_the_day_of_the_invoice(self):
        program = self._create_program([{"kind": "payment"}], tiers=[("Silver", 0), ("Gold", 500)], name="Paid")
        program.rule_ids.tier_rate_ids = [self._tier_rate(program.tier_ids[1], 20)]
        member = self._enroll(program, self.dealer)
        old = self._create_sale_invoice(self.dealer, 500, date="2026-02-28")
        new = self._create_sale_invoice(self.dealer, 100, date="2026-03-01")
        self._evaluate(program)
        self._pay(old)
        self._pay(new)
        self._answer_documents()
        self.assertEqual(
            {entry.origin_id: entry.amount for entry in self._get_entries(member)}, {old.id: 50, new.id: 20}
        )

    # === WHAT A TIER REFUSES ===#

    def test_tiers_start_at_zero_and_each_at_another_turnover(self):
        Tier = self.env["partner.loyalty.tier"]
        with self.assertRefused("has to start at zero"):
            self._create_program(tiers=[("Gold", 500)])
        with self.assertRefused("are reached by the same"):
            Tier.create({"program_id": self.program.id, "name": "Other", "threshold": 500})
        with self.assertRefused("zero turnover or above"):
            Tier.create({"program_id": self.program.id, "name": "Other", "threshold": -1})
        with self.assertRefused("has to start at zero"):
            self.silver.threshold = 1

    def test_a_tier_with_history_is_not_deleted(self):
        with self.assertRefused("their history stays"):
            self.silver.unlink()
        self.platinum.unlink()
        self.assertFalse(self.platinum.exists())

    def test_a_tier_counts_its_members(self):
        self._enroll(self.program, self.referrer)
        self.assertRecordValues(self.silver + self.gold, [{"member_count": 2}, {"member_count": 0}])
