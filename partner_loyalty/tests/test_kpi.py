"""Key figures: each against plain Python over the documents, and no claim of success where there is none."""

from collections import defaultdict
from decimal import Decimal
from statistics import median

from odoo import fields
from odoo.tests import freeze_time, tagged

from ..const import COST_TYPES
from ..tools.focus import Focus
from ..tools.medians import difference_of_medians, median_error
from .common import PartnerLoyaltyCommon


class KpiCommon(PartnerLoyaltyCommon):
    """Looks at the first quarter of 2026, compared with the quarter before."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Kpi = cls.env["partner.loyalty.kpi"]
        # No cost is known: the margin is as assumed.
        cls.thing.standard_price = 0
        cls.program = cls._create_program(
            [{"rate": 10}, {"rate": 2, "formula": "per_amount", "step_amount": 10, "unit": "point"}],
            date_from="2025-01-01",
            point_value=0.05,
            assumed_margin=30,
        )

    @classmethod
    def _get_focus(cls, **values):
        return Focus(cls.program, cls._day("2026-01-01"), cls._day("2026-03-31"))._replace(**values)

    def _get_values(self, **values):
        facts = self.Kpi._get_facts(self._get_focus(**values))
        return self.Kpi._get_values(facts)

    def _enroll_many(self, count, date_from="2026-01-01"):
        partners = self.env["res.partner"].create(
            [{"name": f"Member {number}", "is_company": True} for number in range(count)]
        )
        return self._enroll(self.program, *partners, date_from=date_from)

    def _create_customers(self, count):
        return self.env["res.partner"].create(
            [{"name": f"Customer {number}", "is_company": True} for number in range(count)]
        )

    def _sell(self, partner, before, now, **values):
        """Invoice a partner in the quarter before and in this one."""
        for amount, day in ((before, "2025-11-10"), (now, "2026-02-10")):
            if amount:
                self._create_sale_invoice(partner, amount, date=day, **values)


@tagged("post_install", "-at_install")
@freeze_time("2026-03-31 18:00:00")
class TestKpi(KpiCommon):
    # === AGAINST PLAIN PYTHON ===#

    def test_all_figures_equal_plain_python(self):
        """Every figure over a small history with returns, brought sales and a member of the middle of it."""
        self._play_history()
        values, expected = self._get_values(), self._recompute()
        self.assertEqual(set(expected) - set(values), set())
        for name, value in expected.items():
            with self.subTest(name):
                if value is None:
                    self.assertIsNone(values[name])
                else:
                    self.assertAlmostEqual(float(values[name]), float(value), places=6)

    def _play_history(self):
        """Let members buy, return and bring, and others buy."""
        self.old, self.silent = self._enroll(self.program, self.dealer, self._new("Silent"), date_from="2025-01-01")
        self.new = self._enroll(self.program, self.referrer, date_from="2026-02-01")
        self.left = self._enroll(self.program, self._new("Left"), date_from="2025-01-01")
        self._sell(self.dealer, 1000, 1500)
        returned = self._create_sale_invoice(self.dealer_contact, 400, date="2026-01-20")
        self._credit(returned, date="2026-02-20")
        # Before it joined, and after; and what it brought from a stranger.
        self._create_sale_invoice(self.referrer, 300, date="2026-01-10")
        self._create_sale_invoice(self.referrer, 200, date="2025-10-10")
        self._create_sale_invoice(self.referrer, 700, date="2026-03-10")
        self._create_sale_invoice(self.stranger, 250, date="2026-03-12", loyalty_partner_id=self.referrer.id)
        self._create_sale_invoice(self.stranger, 900, date="2025-12-12")
        self._create_sale_invoice(self.stranger, 990, date="2026-01-12")
        # What a member buys is its own, whoever brought it.
        self._create_sale_invoice(self.dealer, 60, date="2026-03-13", loyalty_partner_id=self.referrer.id)
        self._sell(self.left.partner_id, 500, 0)
        self.left.period_ids.date_to = "2026-02-15"
        for day in ("2025-12-01", "2026-01-15", "2026-02-15"):
            self._create_order(self.dealer, 100, date=day)
        self._create_order(self.stranger, 100, date="2026-02-16", loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        self._post_entry(self.old, 40, unit="point", entry_type="adjustment")
        self._post_entry(self.old, -15, unit="point", entry_type="expiry")

    def _new(self, name):
        return self._create_partner(name=name, is_company=True)

    def _recompute(self):
        """Work the figures out from the documents, one by one."""
        now, before = ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")
        sold, sold_before = self._add_up(now), self._add_up(before)
        within, within_before = self._add_up(now, within=True), self._add_up(before, within=True)
        own = {partner for partner in self.program.member_ids.partner_id if sold_before.get(partner, 0) > 0}
        growths = [100 * (sold.get(one, 0) - sold_before[one]) / sold_before[one] for one in own]
        turnover, cost = sum(within.values()), self._add_up_cost()
        own_before = sum(sold_before[one] for one in own)
        own_now = sum(sold.get(one, 0) for one in own)
        orders = self._get_orders()
        repeated = [order for order in orders if self._is_repeated(order)]
        return {
            "turnover": turnover,
            "cost": cost,
            "cost_share": 100 * cost / turnover,
            "break_even": 100 * cost / (own_before * Decimal("0.3")),
            "breakage": Decimal("0.75"),
            "growth": median(growths),
            "own_growth": 100 * (own_now - own_before) / own_before,
            "own_extra": own_now - own_before,
            "market_growth": 100 * (Decimal(990) - 900) / 900,
            "largest_share": 100 * max(within.values()) / sum(amount for amount in within.values() if amount > 0),
            # A credit in full leaves nothing of its invoice: 1500 and 60 of the dealer, 700 and 250 of the referrer.
            "average_order": turnover / 4,
            "orders_per_member": Decimal(len(orders)) / 4,
            "repeat_share": 100 * Decimal(len(repeated)) / len(orders),
            "deals": 0,
            "deals_per_member": 0,
            "new_customers": 0,
            "members": 3,
            "new_members": 1,
            "active_share": 100 * Decimal(sum(1 for amount in within.values() if amount > 0)) / 4,
            "retention": 100 * Decimal(len(set(within) & set(within_before))) / len(within_before),
            "churn": Decimal(100) / 3,
            "certificates": 0,
            "effect": None,
            "extra_sales": None,
            "roi": None,
            "satisfaction": None,
            "answer_hours": None,
            "approve_days": None,
            "pay_days": None,
        }

    def _add_up(self, days, within=False):
        """Return what each member bought or brought, by partner."""
        sums = defaultdict(Decimal)
        members = {member.partner_id: member for member in self.program.member_ids}
        for move in self.env["account.move"].search(
            [
                ("state", "=", "posted"),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("invoice_date", ">=", days[0]),
                ("invoice_date", "<=", days[1]),
                ("company_id", "=", self.company.id),
            ]
        ):
            holder = members.get(move.commercial_partner_id) or members.get(move.loyalty_partner_id)
            day = (move.reversed_entry_id or move).invoice_date
            if holder and (not within or self._was_member(holder, day)):
                sums[holder.partner_id] += Decimal(str(move.amount_untaxed_signed))
        return sums

    def _was_member(self, member, day):
        return any(
            period.date_from <= day and (not period.date_to or day <= period.date_to) for period in member.period_ids
        )

    def _add_up_cost(self):
        cost = Decimal(0)
        for entry in self.env["partner.loyalty.entry"].search([("program_id", "=", self.program.id)]):
            if entry.type in COST_TYPES and "2026-01-01" <= str(entry.date) <= "2026-03-31":
                cost += Decimal(str(entry.amount)) * (Decimal("0.05") if entry.unit == "point" else 1)
        return cost

    def _get_orders(self):
        members = self.program.member_ids.partner_id
        orders = self.env["sale.order"].search([("state", "=", "sale"), ("date_order", ">=", "2026-01-01")])
        return orders.filtered(lambda order: order.partner_id in members or order.loyalty_partner_id in members)

    def _is_repeated(self, order):
        return any(
            other.partner_id == order.partner_id and other.date_order < order.date_order
            for other in self.env["sale.order"].search([("state", "=", "sale")])
        )

    def test_every_figure_says_how_and_what_not(self):
        """Each has a formula and a caveat, a value, and what is listed behind it opens."""
        self._play_history()
        values, focus = self._get_values(), self._get_focus()
        officer = self.Kpi.with_user(self.users["officer"])
        for _title, kpis in self.Kpi._get_sections():
            for kpi in kpis:
                with self.subTest(kpi.name):
                    self.assertTrue(kpi.formula and kpi.caveat and kpi.label)
                    self.assertTrue(self.Kpi._format_kpi(kpi, values[kpi.name], self.company.currency_id))
                    if kpi.drill:
                        action = officer._get_drill(kpi.drill, focus)
                        officer.env[action["res_model"]].search(action["domain"])

    def test_documents_behind_turnover(self):
        """The documents behind the turnover of members add up to it, where nobody brought anything."""
        member = self._enroll(self.program, self.dealer, date_from="2025-01-01")
        self._sell(self.dealer, 1000, 1500)
        self._create_sale_invoice(self.stranger, 70, date="2026-02-01")
        action = self.Kpi._get_drill("turnover", self._get_focus())
        rows = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(sum(rows.mapped("amount")), self._get_values()["turnover"])
        self.assertEqual(self._get_values(member_ids=(member.id,))["turnover"], 1500)
        self.assertEqual(self._get_values(member_ids=())["turnover"], 0)

    def test_an_empty_program(self):
        """Nothing is divided by zero, and nothing is claimed."""
        facts = self.Kpi._get_facts(self._get_focus())
        values = self.Kpi._get_values(facts)
        self.assertEqual(values["turnover"], 0)
        self.assertIsNone(values["roi"])
        self.assertEqual(self.Kpi._get_verdict(facts)[0], "info")

    # === TIMES ===#

    def test_times_of_payouts(self):
        member = self._enroll(self.program, self.dealer, date_from="2025-01-01")
        with freeze_time("2026-03-20 10:00:00"):
            self._post_entry(member, 100)
            payout = self._submit_payout(member, date="2026-03-20")
        with freeze_time("2026-03-22 10:00:00"):
            payout.with_user(self.users["manager"]).action_approve()
        values = self._get_values()
        self.assertAlmostEqual(values["approve_days"], 2)
        self.assertIsNone(values["pay_days"])

    def test_time_to_pay(self):
        """From the approval to the end of the day of the last payment."""
        member = self._enroll(self.program, self.dealer, date_from="2025-01-01")
        with freeze_time("2026-03-20 10:00:00"):
            self._post_entry(member, 100)
            payout = self._bill_payout(member, date="2026-03-20")
        self.assertIsNone(self._get_values()["pay_days"])
        with freeze_time("2026-03-25 10:00:00"):
            self._pay(payout.bill_id, date="2026-03-25")
        self.assertAlmostEqual(self._get_values()["pay_days"], 5 + 14 / 24, places=3)

    # === SERVICE ===#

    def test_satisfaction_is_what_members_answered(self):
        """Comments and other days do not count; 4 and 5 of 5 do."""
        member, other = self._enroll(self.program, self.dealer, self.referrer, date_from="2025-01-01")
        answers = [(member, 5, "survey"), (member, 4, "survey"), (other, 2, "survey"), (other, 1, "comment")]
        feedback_sudo = self.env["partner.loyalty.feedback"].sudo()
        feedback_sudo.create(
            [
                {"member_id": who.id, "csat": csat, "source": source, "date": "2026-02-10", "text": "So it is."}
                for who, csat, source in answers
            ]
        )
        feedback_sudo.create({"member_id": other.id, "csat": 1, "source": "survey", "date": "2025-12-31"})
        self.assertAlmostEqual(float(self._get_values()["satisfaction"]), 200 / 3)
        self.assertAlmostEqual(float(self._get_values(member_ids=(other.id,))["satisfaction"]), 0)

    def test_half_of_the_inquiries_were_answered_faster(self):
        member = self._enroll(self.program, self.dealer, date_from="2025-01-01")
        asked = [("2026-02-02 08:00:00", hours) for hours in (1, 3, 20)] + [("2025-12-30 08:00:00", 100)]
        self.env["partner.loyalty.inquiry"].sudo().create(
            [
                {
                    "name": "Where is March?",
                    "text": "An invoice is missing.",
                    "member_id": member.id,
                    "contact_id": self.dealer_contact.id,
                    "asked_at": moment,
                    "answered_at": fields.Datetime.add(fields.Datetime.to_datetime(moment), hours=hours),
                }
                for moment, hours in asked
            ]
        )
        self.assertAlmostEqual(self._get_values()["answer_hours"], 3)

    def test_new_customers_are_those_whom_a_member_brought(self):
        """Who was invoiced before is none, whoever brings it now."""
        self._enroll(self.program, self.referrer, date_from="2025-01-01")
        for customer in self._create_customers(2):
            self._create_sale_invoice(customer, 100, date="2026-02-10", loyalty_partner_id=self.referrer.id)
        self._create_sale_invoice(self.stranger, 100, date="2025-12-10")
        self._create_sale_invoice(self.stranger, 100, date="2026-02-10", loyalty_partner_id=self.referrer.id)
        values = self._get_values()
        self.assertEqual(values["new_customers"], 2)
        self.assertEqual(values["turnover"], 300)

    # === PLANTED DATA ===#

    def _plant(self, effect, giant=True):
        """Let the market grow by 15 %, members by the effect on top, and one giant dealer double by itself."""
        wobbles = (-6, -3, -1, 0, 1, 3, 6, -4, 4, -2, 2, 0)
        members = self._enroll_many(len(wobbles))
        for member, wobble in zip(members, wobbles, strict=True):
            self._sell(member.partner_id, 1000, 1000 * (115 + wobble) / 100 * (1 + effect / 100))
        for customer, wobble in zip(self._create_customers(len(wobbles)), wobbles, strict=True):
            self._sell(customer, 1000, 1000 * (115 + wobble) / 100)
        if giant:
            self._sell(self._enroll(self.program, self.dealer).partner_id, 50000, 100000)
        self._answer_documents()
        return self.Kpi._get_facts(self._get_focus())

    def test_no_claim_of_success_without_effect(self):
        """The market is up, one giant dealer doubles: sums look splendid, and nothing is claimed."""
        facts = self._plant(effect=0)
        values = self.Kpi._get_values(facts)
        self.assertGreater(values["own_growth"], 80)
        level, text = self.Kpi._get_verdict(facts)
        self.assertEqual(level, "warning")
        self.assertIn("no effect of the program is seen", text)
        self.assertIn("One member makes", text)
        self.assertIsNone(values["roi"])
        self.assertIsNone(values["extra_sales"])
        self.assertLess(abs(values["effect"]), 2)

    def test_a_planted_effect_is_found(self):
        """With 10 % on top members grow by 26.5 %, the market by 15 %."""
        facts = self._plant(effect=10, giant=False)
        values = self.Kpi._get_values(facts)
        self.assertAlmostEqual(values["effect"], 11.5, places=6)
        self.assertAlmostEqual(float(values["extra_sales"]), 12000 * 0.115, places=2)
        cost = float(values["cost"])
        self.assertAlmostEqual(float(values["roi"]), 100 * (12000 * 0.115 * 0.3 - cost) / cost, places=4)

    def test_an_effect_is_a_success_where_it_covers_the_cost(self):
        self._plant(effect=60, giant=False)
        for margin, expected, words in ((90, "success", "It covers"), (0.1, "warning", "It does not cover")):
            with self.subTest(margin=margin):
                self.program.assumed_margin = margin
                level, text = self.Kpi._get_verdict(self.Kpi._get_facts(self._get_focus()))
                self.assertEqual(level, expected)
                self.assertIn(words, text)

    def test_members_who_do_worse_than_others_are_a_warning(self):
        level, text = self.Kpi._get_verdict(self._plant(effect=-60, giant=False))
        self.assertEqual(level, "danger")
        self.assertIn("Members do worse than others", text)

    def test_zero_has_no_sign(self):
        self.assertEqual([self.Kpi._format_number(value) for value in (-0.04, 0, -0.06)], ["0.0", "0.0", "-0.1"])

    def test_what_pilots_prove_is_said_besides_and_changes_no_verdict(self):
        """What was tried is not the program as a whole: one tried rule does not make it a success."""
        facts = {**self._plant(effect=0), "control_effect": (500.0, 100.0, 900.0), "control_cost": Decimal(50)}
        level, text = self.Kpi._get_verdict(facts)
        self.assertEqual(level, "warning")
        self.assertIn("prove of what they tried", text)
        values = self.Kpi._get_values(facts)
        self.assertIsNone(values["roi"])
        self.assertEqual((values["pilot_sales"], values["pilot_roi"]), (500, 200))
        facts["control_effect"] = (500.0, -100.0, 1100.0)
        self.assertIn("cannot tell what they tried from chance", self.Kpi._get_verdict(facts)[1])
        self.assertIsNone(self.Kpi._get_values(facts)["pilot_sales"])

    # === ARITHMETIC ===#

    def test_difference_of_medians(self):
        """Too few say nothing; what does not vary has no error; shifted samples are told apart."""
        self.assertIsNone(difference_of_medians([1.0] * 7, [1.0] * 100))
        self.assertEqual(difference_of_medians([3.0] * 8, [1.0] * 8), (2.0, 2.0, 2.0))
        spread = [float(number) for number in range(101)]
        # The error of the median of many uniform numbers is about (range / 2) / sqrt(n).
        self.assertAlmostEqual(median_error(spread), 5, delta=0.7)
        _difference, low, high = difference_of_medians(spread, [number + 30 for number in spread])
        self.assertTrue(low < high < 0)

    def test_the_year_before(self):
        focus = self._get_focus(compare="year").get_previous()
        self.assertEqual((focus.first, focus.last), (self._day("2025-01-01"), self._day("2025-03-31")))
        february = self._get_focus(first=self._day("2025-02-01"), last=self._day("2025-02-28"), compare="year")
        self.assertEqual(february.get_previous().last, self._day("2024-02-29"))
