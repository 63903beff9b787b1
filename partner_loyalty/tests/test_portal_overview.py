"""The overview in the portal: tier and what is missing, balances and what comes and goes, bonuses, terms in force."""

from odoo.fields import Command, Date
from odoo.tests import tagged

from .common import TODAY
from .common_portal import PortalCommon


@tagged("post_install", "-at_install")
class TestPortalOverview(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}"

    def _look(self, role="owner", selector="o_loyalty_card"):
        return self._read(self._open(self.url, role), selector)

    # === TIER ===#

    def test_it_says_what_is_missing_for_the_next_tier(self):
        self._create_sale_invoice(self.dealer, 200)
        self.env["partner.loyalty.member"]._refresh_outlook(self.program)
        page = self._open(self.url, "owner")
        text = self._read(page, "o_loyalty_card_tier")
        for part in ("Silver", "On the way to Gold, by", "Turnover", "200.00", "at least 500.00", "Missing: 300.00"):
            self.assertIn(part, text)
        self.assertEqual(page.xpath("//*[@role='progressbar']/@aria-valuenow"), ["40"])

    def test_the_progress_is_full_only_where_it_is_met(self):
        get = self.member._get_portal_progress
        self.assertEqual(get(1, 3, False), 33)
        self.assertEqual(get(2999, 3000, False), 99)
        self.assertEqual(get(5000, 3000, True), 100)
        self.assertEqual(get(None, 3, False), 0)
        self.assertEqual(get(-5, 3, False), 0)
        self.assertEqual(get(0, 0, False), 0)
        self.assertEqual(get(20, 10, False, "down"), 50)

    # === BALANCES ===#

    def test_it_says_what_is_ready_and_what_comes_when(self):
        self._post_entry(self.member, 10)
        self._post_entry(self.member, 5, mature_date=Date.to_date("2026-04-17"))
        self._post_entry(self.member, 7, mature_date=Date.to_date("2026-05-01"))
        text = self._look(selector="o_loyalty_card_money")
        self.assertIn("22.00", text)
        for part in (
            "Ready to be paid out 10.00",
            "Earned, and ready later 12.00",
            "on 04/17/2026 5.00",
            "on 05/01/2026 7.00",
        ):
            self.assertIn(part, text)

    def test_it_says_what_expires_when(self):
        for month, amount in ((4, 10), (5, 20), (6, 30), (7, 40)):
            self._post_entry(self.member, amount, unit="point", expiry_date=Date.to_date(f"2026-{month:02}-30"))
        text = self._look(selector="o_loyalty_card_point")
        for part in (
            "Expires unless it is spent",
            "100 points",
            "after 04/30/2026",
            "after 06/30/2026",
            "Later 40 points",
        ):
            self.assertIn(part, text)
        self.assertNotIn("07/30/2026", text)

    def test_it_says_what_is_owed(self):
        self._post_entry(self.member, -15)
        self.assertIn("Taken back", self._look(selector="o_loyalty_card_money"))
        self.assertIn("15.00", self._look(selector="o_loyalty_card_money"))

    def test_it_says_what_will_earn_once_it_is_paid(self):
        self._create_sale_invoice(self.dealer, 300)
        self.assertNotIn("not paid yet", self._look())
        self._create_rule(self.program, name="On payment", kind="payment")
        self._create_sale_invoice(self.stranger, 1000, loyalty_partner_id=self.dealer.id)
        paid = self._create_sale_invoice(self.dealer, 500)
        self._pay(paid)
        self.assertIn("Invoices that are not paid yet: 1, with 300.00", self._look())
        self.assertNotIn("not paid yet", self._look("sales"))

    def test_it_says_how_much_comes_once_all_is_paid_and_so_much_comes(self):
        silver = self.program.tier_ids[0]
        self._create_rule(self.program, name="Bought", kind="payment", tier_rate_ids=[self._tier_rate(silver, 3)])
        self._create_rule(self.program, name="Brought", kind="payment", role="referrer", rate=2, cap_document=15)
        self._create_rule(self.program, name="Points", kind="payment", unit="point", rate=10)
        self._create_rule(self.program, name="Over", kind="payment", rate=50, date_to="2026-02-28")
        bought = self._create_sale_invoice(self.dealer, 300)
        brought = self._create_sale_invoice(self.stranger, 1000, loyalty_partner_id=self.dealer.id)
        self._credit(bought, 100)
        self._pay(bought, 50)
        self._answer_marks()
        before = {unit: self.member._get_account(unit).balance for unit in ("money", "point")}
        expected = self.member._get_portal_expected(("money", "point"))
        money, points = self._look(selector="o_loyalty_card_money"), self._look(selector="o_loyalty_card_point")
        self.assertIn(f"Expected, once open invoices are paid {expected['money']:.2f}", money)
        self.assertIn(f"Expected, once open invoices are paid {expected['point']:.0f} points", points)
        self.assertEqual(self.member._get_portal_expected(("point",)).keys(), {"point"})
        self.assertIn("Expected", self._look("sales", "o_loyalty_card_point"))
        for invoice in (bought, brought):
            self._pay(invoice)
        self._answer_marks()
        self.env.invalidate_all()
        for unit, balance in before.items():
            with self.subTest(unit=unit):
                earned = self.member._get_account(unit).balance - balance
                self.assertAlmostEqual(earned, float(expected[unit]))
        self.assertFalse(self.member._get_portal_expected(("money", "point")))
        self.assertNotIn("Expected", self._look())

    def test_sales_see_points_alone(self):
        self._post_entry(self.member, 12.5)
        self._post_entry(self.member, 7, unit="point")
        page = self._open(self.url, "sales")
        self.assertFalse(page.xpath("//*[contains(@class, 'o_loyalty_card_money')]"))
        self.assertNotIn("12.50", page.text_content())
        self.assertIn("7 points", self._read(page, "o_loyalty_card_point"))

    # === BONUSES ===#

    def _create_bonus(self, threshold=1000, effects=({"kind": "point", "amount": 50},), **values):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Strong month",
                "program_id": self.program.id,
                "schedule": "month",
                "date_from": TODAY,
                "condition": "value",
                "metric_id": self.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                "threshold": threshold,
                "effect_ids": [Command.create(effect) for effect in effects],
                **values,
            }
        )
        action.action_start()
        return action

    def test_it_shows_the_nearest_bonuses(self):
        self._create_sale_invoice(self.dealer, 600)
        self._create_bonus()
        self._create_bonus(name="Big month", threshold=6000)
        text = self._look(selector="o_loyalty_cards")
        self.assertIn("Bonuses within reach Strong month Points: 50", text)
        self.assertIn("Missing: 400.00", text)
        self.assertIn("by 03/31/2026", text)
        self.assertLess(text.index("Strong month"), text.index("Big month"))

    def test_a_bonus_that_is_reached_says_so(self):
        self._create_sale_invoice(self.dealer, 1600)
        self._create_bonus()
        self.assertIn("Reached, if it stays so until 03/31/2026", self._look(selector="o_loyalty_cards"))

    def test_bonuses_for_others_or_between_us_are_not_shown(self):
        self._enroll(self.program, self.stranger)
        self._create_bonus(tier_ids=[Command.set(self.program.tier_ids[1].ids)])
        self._create_bonus(member_domain="[('partner_id.name', '=', 'Stranger')]")
        self._create_bonus(effects=[{"kind": "note", "text": "Call them"}])
        self._create_bonus(date_from="2026-04-01")
        self._create_bonus(date_to="2026-03-25")
        self._create_bonus().action_stop()
        self.assertNotIn("Bonuses within reach", self._look())

    def test_sales_read_no_amounts_of_money(self):
        self._create_bonus(effects=[{"kind": "money", "amount": 75}])
        self.assertIn("75.00", self._look())
        self.assertNotIn("Bonuses within reach", self._look("sales"))

    # === TERMS IN FORCE ===#

    def test_it_says_what_is_earned_today(self):
        self.env["partner.loyalty.agreement"].create(
            {
                "name": "Launch",
                "member_id": self.member.id,
                "multiplier": 2,
                "date_from": "2026-03-01",
                "date_to": "2026-06-30",
            }
        )
        text = self._look()
        for part in ("What you earn today", "Commission", "20 % of the untaxed amount", "06/30/2026", "Launch"):
            self.assertIn(part, text)
        self.assertNotIn("Commission", self._look("sales"))

    # === FAST ===#

    def test_it_asks_as_little_of_many_lines_as_of_few(self):
        for number in range(3):
            self._post_entry(self.member, 1 + number)
        self._open(self.url, "owner")
        with self._record_queries() as few:
            self._open(self.url)
        for number in range(40):
            self._post_entry(self.member, 1 + number)
        self._open(self.url)
        with self._record_queries() as many:
            self._open(self.url)
        self.assertEqual(len(many), len(few))
