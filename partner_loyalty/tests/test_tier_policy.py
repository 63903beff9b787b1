"""How tiers are decided: over which time, when, and how members rise and fall, case by case."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .common import PartnerLoyaltyCommon

TIERS = [("Silver", 0), ("Gold", 500), ("Platinum", 2000)]
MONTH = {"tier_months": 1}
ONCE = {"tier_upgrade": "at_once"}
QUARTER = {"tier_period": "quarter"}
YEAR = {"tier_period": "year"}
ANNIVERSARY = {"tier_period": "anniversary"}
STEP = {"tier_downgrade": "step"}
NEVER = {"tier_downgrade": "never"}

# What it is about, how the program decides, what the member bought (amount by day), the last day that is looked at,
# and the tiers from when on. Where it does not say otherwise the member joined on 1 January 2025.
CASES = [
    ("rolling: in force from the next month", {}, {"2025-01-31": 500}, "2025-03-15", "Gold 2025-02-01"),
    ("rolling: one cent is missing", {}, {"2025-01-31": 499.99}, "2025-03-15", ""),
    ("rolling: sold on the first of the next month", {}, {"2025-02-01": 500}, "2025-02-15", ""),
    (
        "rolling: what is older than twelve months counts no more",
        {},
        {"2025-01-15": 500},
        "2026-03-15",
        "Gold 2025-02-01, Silver 2026-02-01",
    ),
    (
        "rolling: three months",
        {"tier_months": 3},
        {"2025-01-15": 500},
        "2025-06-15",
        "Gold 2025-02-01, Silver 2025-05-01",
    ),
    (
        "rolling: one month",
        MONTH,
        {"2025-01-15": 500, "2025-02-10": 499},
        "2025-03-15",
        "Gold 2025-02-01, Silver 2025-03-01",
    ),
    ("rolling: two tiers at once", MONTH, {"2025-01-15": 2000}, "2025-02-15", "Platinum 2025-02-01"),
    ("quarter: decided at its end", QUARTER, {"2025-01-15": 500}, "2025-08-01", "Gold 2025-04-01, Silver 2025-07-01"),
    ("quarter: not before its end", QUARTER, {"2025-01-15": 500}, "2025-03-31", ""),
    ("quarter: its last day counts", QUARTER, {"2025-03-31": 500}, "2025-04-15", "Gold 2025-04-01"),
    ("quarter: the first day of the next does not", QUARTER, {"2025-04-01": 500}, "2025-07-15", "Gold 2025-07-01"),
    ("year: decided at its end", YEAR, {"2025-06-01": 500}, "2026-02-01", "Gold 2026-01-01"),
    ("year: its last day counts", YEAR, {"2025-12-31": 500}, "2026-02-01", "Gold 2026-01-01"),
    ("year: the first day of the next does not", YEAR, {"2026-01-01": 500}, "2026-02-01", ""),
    ("year: each has to be earned anew", YEAR, {"2025-06-01": 500}, "2027-02-01", "Gold 2026-01-01, Silver 2027-01-01"),
    ("at once: from the next day on", ONCE, {"2025-01-10": 500}, "2025-01-20", "Gold 2025-01-11"),
    ("at once: on the last day of a month", ONCE, {"2025-01-31": 500}, "2025-02-15", "Gold 2025-02-01"),
    (
        "at once: twice in a month",
        ONCE,
        {"2025-01-10": 500, "2025-01-20": 1500},
        "2025-01-31",
        "Gold 2025-01-11, Platinum 2025-01-21",
    ),
    (
        "at once: nobody falls before the end",
        MONTH | ONCE,
        {"2025-01-10": 500},
        "2025-03-15",
        "Gold 2025-01-11, Silver 2025-03-01",
    ),
    (
        "at once: within a quarter",
        QUARTER | ONCE,
        {"2025-02-10": 500},
        "2025-07-15",
        "Gold 2025-02-11, Silver 2025-07-01",
    ),
    ("at once: within a year", YEAR | ONCE, {"2025-02-10": 500}, "2025-12-31", "Gold 2025-02-11"),
    ("never falls", MONTH | NEVER, {"2025-01-10": 500}, "2025-06-15", "Gold 2025-02-01"),
    (
        "never falls, but rises",
        MONTH | NEVER,
        {"2025-01-10": 500, "2025-03-10": 2000},
        "2025-06-15",
        "Gold 2025-02-01, Platinum 2025-04-01",
    ),
    ("falls to what is reached", MONTH, {"2025-01-10": 2000}, "2025-03-15", "Platinum 2025-02-01, Silver 2025-03-01"),
    (
        "one tier at a time",
        MONTH | STEP,
        {"2025-01-10": 2000},
        "2025-05-15",
        "Platinum 2025-02-01, Gold 2025-03-01, Silver 2025-04-01",
    ),
    (
        "one tier at a time, and no further than what is reached",
        MONTH | STEP,
        {"2025-01-10": 2000, "2025-03-10": 500},
        "2025-05-15",
        "Platinum 2025-02-01, Gold 2025-03-01, Silver 2025-05-01",
    ),
    (
        "grace: falls after it",
        MONTH | {"tier_grace_months": 2},
        {"2025-01-10": 500},
        "2025-05-15",
        "Gold 2025-02-01, Silver 2025-05-01",
    ),
    ("grace: not during it", MONTH | {"tier_grace_months": 2}, {"2025-01-10": 500}, "2025-04-30", "Gold 2025-02-01"),
    (
        "grace: reached in its last month",
        MONTH | {"tier_grace_months": 2},
        {"2025-01-10": 500, "2025-04-10": 500},
        "2025-06-15",
        "Gold 2025-02-01",
    ),
    (
        "grace: reached in between, so that another one begins",
        MONTH | {"tier_grace_months": 2},
        {"2025-01-10": 500, "2025-03-10": 500},
        "2025-07-15",
        "Gold 2025-02-01, Silver 2025-07-01",
    ),
    (
        "grace: ends within a quarter",
        QUARTER | {"tier_grace_months": 1},
        {"2025-01-15": 500},
        "2025-08-15",
        "Gold 2025-04-01, Silver 2025-08-01",
    ),
    (
        "grace: reached by its end, within a quarter",
        QUARTER | {"tier_grace_months": 1},
        {"2025-01-15": 500, "2025-07-20": 500},
        "2025-08-15",
        "Gold 2025-04-01",
    ),
    (
        "grace: three months after a year",
        YEAR | {"tier_grace_months": 3},
        {"2025-06-01": 500},
        "2027-04-15",
        "Gold 2026-01-01, Silver 2027-04-01",
    ),
    (
        "grace, then one tier down",
        MONTH | STEP | {"tier_grace_months": 1},
        {"2025-01-10": 2000},
        "2025-04-15",
        "Platinum 2025-02-01, Gold 2025-04-01",
    ),
    (
        "valid for six months",
        MONTH | {"tier_validity_months": 6},
        {"2025-01-10": 500},
        "2025-08-15",
        "Gold 2025-02-01, Silver 2025-08-01",
    ),
    (
        "valid longer where it is reached again",
        MONTH | {"tier_validity_months": 6},
        {"2025-01-10": 500, "2025-03-10": 500},
        "2025-10-15",
        "Gold 2025-02-01, Silver 2025-10-01",
    ),
    (
        "valid, and rises all the same",
        MONTH | {"tier_validity_months": 6},
        {"2025-01-10": 500, "2025-03-10": 2000},
        "2025-05-15",
        "Gold 2025-02-01, Platinum 2025-04-01",
    ),
    (
        "valid, then one tier at a time",
        MONTH | STEP | {"tier_validity_months": 2},
        {"2025-01-10": 2000},
        "2025-05-15",
        "Platinum 2025-02-01, Gold 2025-04-01, Silver 2025-05-01",
    ),
    (
        "valid, then a grace period",
        MONTH | {"tier_validity_months": 2, "tier_grace_months": 1},
        {"2025-01-10": 500},
        "2025-05-15",
        "Gold 2025-02-01, Silver 2025-05-01",
    ),
    (
        "joined in mid-month: what was bought before does not count",
        {"joined": "2025-01-20"},
        {"2025-01-10": 500},
        "2025-02-15",
        "",
    ),
    (
        "joined in mid-month: what was bought since does",
        {"joined": "2025-01-20"},
        {"2025-01-25": 500},
        "2025-02-15",
        "Gold 2025-02-01",
    ),
    (
        "joined on the last day of a month",
        {"joined": "2025-01-31"},
        {"2025-01-31": 500},
        "2025-02-15",
        "Gold 2025-02-01",
    ),
    (
        "joined in mid-quarter",
        QUARTER | {"joined": "2025-02-20"},
        {"2025-02-19": 400, "2025-02-20": 500},
        "2025-04-15",
        "Gold 2025-04-01",
    ),
    (
        "anniversary: decided on its eve",
        ANNIVERSARY | {"joined": "2025-03-15"},
        {"2025-04-01": 500},
        "2026-04-01",
        "Gold 2026-03-15",
    ),
    (
        "anniversary: its day is in the next year",
        ANNIVERSARY | {"joined": "2025-03-15"},
        {"2026-03-15": 500},
        "2026-04-01",
        "",
    ),
    (
        "anniversary: each year anew",
        ANNIVERSARY | {"joined": "2025-03-15"},
        {"2025-04-01": 500},
        "2027-04-01",
        "Gold 2026-03-15, Silver 2027-03-15",
    ),
    (
        "anniversary: at once",
        ANNIVERSARY | ONCE | {"joined": "2025-03-15"},
        {"2025-04-01": 500},
        "2025-05-01",
        "Gold 2025-04-02",
    ),
    (
        "anniversary: a grace period",
        ANNIVERSARY | {"joined": "2025-03-15", "tier_grace_months": 2},
        {"2025-04-01": 500},
        "2027-06-01",
        "Gold 2026-03-15, Silver 2027-05-15",
    ),
    (
        "29 February: the year ends on 27 February",
        ANNIVERSARY | {"joined": "2024-02-29"},
        {"2025-02-27": 500},
        "2025-03-15",
        "Gold 2025-02-28",
    ),
    (
        "29 February: 28 February is in the next year",
        ANNIVERSARY | {"joined": "2024-02-29"},
        {"2025-02-28": 500},
        "2026-03-10",
        "Gold 2026-02-28",
    ),
    (
        "29 February: in a leap year it is the day",
        ANNIVERSARY | {"joined": "2024-02-29"},
        {"2028-02-28": 500},
        "2028-03-10",
        "Gold 2028-02-29",
    ),
    (
        "29 February: it is the end of a month",
        MONTH | {"joined": "2024-02-01"},
        {"2024-02-29": 500},
        "2024-03-15",
        "Gold 2024-03-01",
    ),
]


class TierPolicyCommon(PartnerLoyaltyCommon):
    def _create_tiers(self, joined="2025-01-01", **policy):
        """Create a program with three tiers whose member buys under its own name."""
        program = self._create_program([{}], tiers=TIERS, date_from="2024-01-01", **policy)
        partner = self._create_partner(name="Buyer", is_company=True)
        return program, self._enroll(program, partner, date_from=joined)

    def _buy(self, member, sales):
        for day, amount in sales.items():
            self._create_sale_invoice(member.partner_id, amount, date=day)

    def _evaluate(self, program, day):
        with freeze_time(f"{day} 12:00:00"):
            self.env.flush_all()
            program._evaluate_tiers()
            program._refresh_tiers()

    def _get_changes(self, member):
        """Return the tiers of a member after the first one, and from when on it had them."""
        changes = member.tier_period_ids.sorted("date_from").filtered("is_change")[1:]
        return ", ".join(f"{period.tier_id.name} {period.date_from}" for period in changes)

    def _create_metric(self, **values):
        return self.env["partner.loyalty.metric"].create(
            {"name": "Invoices", "kind": "invoice", "role": "buyer", "aggregate": "count", **values}
        )


@tagged("post_install", "-at_install")
class TestTierPolicy(TierPolicyCommon):
    roles = ("manager", "officer", "salesperson")

    # === EACH WAY TO DECIDE ===#

    def test_what_each_policy_decides(self):
        for name, policy, sales, day, expected in CASES:
            with self.subTest(name):
                program, member = self._create_tiers(**policy)
                self._buy(member, sales)
                self._evaluate(program, day)
                self.assertEqual(self._get_changes(member), expected)

    def test_it_does_not_matter_on_how_many_days_it_is_decided(self):
        for name, policy, sales, day, expected in CASES:
            if policy.get("tier_upgrade") != "at_once" and not policy.get("tier_grace_months"):
                continue
            with self.subTest(name):
                program, member = self._create_tiers(**policy)
                self._buy(member, sales)
                for between in ("2025-01-12", "2025-02-01", "2025-02-20", "2025-04-03", "2025-07-31"):
                    if between < day:
                        self._evaluate(program, between)
                self._evaluate(program, day)
                self.assertEqual(self._get_changes(member), expected)

    def test_midnight_is_that_of_the_time_zone_of_the_program(self):
        for zone, moment, expected in (
            ("Pacific/Kiritimati", "2025-01-31 09:59:00", "Gold 2025-02-01"),
            ("Pacific/Kiritimati", "2025-01-31 10:01:00", ""),
            ("Pacific/Pago_Pago", "2025-02-01 10:59:00", "Gold 2025-02-01"),
            ("Pacific/Pago_Pago", "2025-02-01 11:01:00", ""),
        ):
            with self.subTest(f"{zone} {moment}"):
                program, member = self._create_tiers(tz=zone, tier_kind="order", **MONTH)
                self._create_order(member.partner_id, 500, date=moment)
                self._evaluate(program, "2025-02-15")
                self.assertEqual(self._get_changes(member), expected)

    # === CRITERIA ===#

    def test_all_conditions_have_to_be_met_or_as_many_as_the_tier_says(self):
        for name, threshold, minimum, needed, sales, expected in (
            ("both are met", 500, 2, 0, {"2025-01-10": 490, "2025-01-11": 10}, "Gold 2025-02-01"),
            ("the turnover alone", 500, 2, 0, {"2025-01-10": 500}, ""),
            ("the invoices alone", 500, 2, 0, {"2025-01-10": 10, "2025-01-11": 10}, ""),
            ("one of two: the turnover", 500, 2, 1, {"2025-01-10": 500}, "Gold 2025-02-01"),
            ("one of two: the invoices", 500, 2, 1, {"2025-01-10": 10, "2025-01-11": 10}, "Gold 2025-02-01"),
            ("one of two: neither", 500, 2, 1, {"2025-01-10": 10}, ""),
            ("without turnover", 0, 2, 0, {"2025-01-10": 1, "2025-01-11": 1}, "Gold 2025-02-01"),
        ):
            with self.subTest(name):
                program, member = self._create_tiers(**MONTH)
                program.tier_ids.filtered(lambda tier: tier.name == "Platinum").unlink()
                criterion = Command.create({"metric_id": self._create_metric().id, "minimum": minimum})
                program.tier_ids[1].write(
                    {"threshold": threshold, "sequence": 20, "criterion_ids": [criterion], "needed_count": needed}
                )
                self._buy(member, sales)
                self._evaluate(program, "2025-02-15")
                self.assertEqual(self._get_changes(member), expected)

    def test_a_metric_of_which_less_is_better_is_met_by_less_and_never_by_nothing(self):
        recency = self._create_metric(name="Recency", aggregate="last")
        self.assertEqual(recency.direction, "down")
        program, member = self._create_tiers(**MONTH)
        program.tier_ids[1].write(
            {
                "threshold": 0,
                "criterion_ids": [Command.create({"metric_id": recency.id, "minimum": 10})],
                "sequence": 20,
            }
        )
        program.tier_ids.filtered("threshold").sequence = 30
        silent = self._enroll(program, self.stranger, date_from="2025-01-01")
        self._buy(member, {"2025-01-25": 10})
        self._evaluate(program, "2025-03-15")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-01, Silver 2025-03-01")
        self.assertEqual(self._get_changes(silent), "")

    def test_a_tier_that_gives_points_and_asks_for_points_is_decided_once_and_in_force_from_the_next_day(self):
        points = self._create_metric(name="Points", source="ledger", aggregate="sum", ledger_unit="point")
        program = self._create_program(
            [{"unit": "point", "formula": "percent", "rate": 10}], tiers=[("Silver", 0), ("Gold", 1)], **MONTH
        )
        _silver, gold = program.tier_ids
        gold.write(
            {"threshold": 0, "sequence": 20, "criterion_ids": [Command.create({"metric_id": points.id, "minimum": 50})]}
        )
        program.rule_ids.tier_rate_ids = [self._tier_rate(gold, 30)]
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 500, date="2026-01-10")
        with freeze_time("2026-01-20 12:00:00"):
            self._answer_documents()
        second = self._create_sale_invoice(self.dealer, 100, date="2026-02-01")
        self._evaluate(program, "2026-02-15")
        self.assertEqual(self._get_changes(member), "Gold 2026-02-01")
        self.assertRecordValues(self._answer_documents(), [{"origin_id": second.id, "amount": 30}])
        self.assertEqual(sum(self._get_entries(member, "point").mapped("amount")), 80)
        self.assertFalse(self._compare(program), "What was sold before is not earned anew by the tier that it reached.")

    # === GROUPS ===#

    def test_members_of_a_group_count_together_and_their_money_stays_apart(self):
        program, head = self._create_tiers(**MONTH)
        branch, other = (
            self._enroll(program, partner, date_from="2025-01-01") for partner in self.dealer + self.stranger
        )
        branch.head_id = head
        self._buy(head, {"2025-01-10": 300})
        self._buy(branch, {"2025-01-11": 200})
        self._buy(other, {"2025-01-11": 499})
        self._evaluate(program, "2025-02-15")
        self.assertEqual(
            [self._get_changes(member) for member in (head, branch, other)], ["Gold 2025-02-01", "Gold 2025-02-01", ""]
        )
        branch.head_id = False
        self._evaluate(program, "2025-03-15")
        self.assertEqual(branch.tier_id.name, "Silver")
        self._answer_documents()
        self.assertEqual([member.money_balance for member in (head, branch, other)], [30, 20, 49.9])

    def test_groups_have_one_level(self):
        program, head = self._create_tiers()
        branch, third = (
            self._enroll(program, partner, date_from="2025-01-01") for partner in self.dealer + self.stranger
        )
        branch.head_id = head
        for member, value in ((third, branch), (head, third), (head, head)):
            with self.assertRefused("one head and members under it"):
                member.head_id = value
        _other_program, stranger = self._create_tiers()
        with self.assertRefused("member of another program"):
            third.head_id = stranger

    # === BY HAND ===#

    def _set_tier(self, member, tier, date_to, user="manager", reason="Opening of the branch"):
        wizard = self.env["partner.loyalty.tier.override"].with_user(self.users[user])
        wizard = wizard.with_context(active_model=member._name, active_ids=member.ids)
        return wizard.create({"tier_id": tier.id, "date_to": date_to, "reason": reason}).action_apply()

    def test_a_tier_set_by_hand_begins_tomorrow_stands_and_ends_with_what_was_reached(self):
        program, member = self._create_tiers(**MONTH)
        gold, platinum = program.tier_ids[1:]
        self._evaluate(program, "2026-03-18")
        self._set_tier(member, platinum, "2026-05-15")
        self.assertEqual(member.tier_id.name, "Silver", "What is sold today keeps its terms.")
        self.assertFalse(member.risk_tier_id, "Nothing is decided before it ends.")
        self._buy(member, {"2026-05-10": 500})
        self._evaluate(program, "2026-05-15")
        self.assertEqual(member.tier_id, platinum)
        self._evaluate(program, "2026-05-20")
        self.assertEqual(member.tier_id, gold)
        self.assertEqual(self._get_changes(member), "Platinum 2026-03-19, Gold 2026-05-16")
        by_hand = member.tier_period_ids.filtered(lambda period: period.cause == "override")
        self.assertRecordValues(by_hand, [{"reason": "Opening of the branch", "user_id": self.users["manager"].id}])
        self.assertIn("Opening of the branch", str(member.message_ids.mapped("body")))

    def test_who_may_set_a_tier_by_hand_and_when(self):
        program, member = self._create_tiers()
        gold = program.tier_ids[1]
        for user in ("officer", "salesperson"):
            with self.assertRaises(AccessError):
                self._set_tier(member, gold, "2026-05-15", user=user)
        with self.assertRefused("later last day"):
            self._set_tier(member, gold, "2026-03-18")
        other_program, _other = self._create_tiers()
        with self.assertRefused("of one program"):
            self._set_tier(member, other_program.tier_ids[1], "2026-05-15")
        with self.assertRefused("Choose the members"):
            self._set_tier(member.browse(), gold, "2026-05-15")
        self.users["manager"].partner_id.commercial_partner_id = member.partner_id
        self.users["manager"].partner_id.parent_id = member.partner_id
        with self.assertRefused("your own company"):
            self._set_tier(member, gold, "2026-05-15")

    # === WHAT A TIER GIVES ===#

    def test_price_list_of_a_tier_is_sold_by_where_price_lists_were_off(self):
        group = self.env.ref("product.group_product_pricelist")
        self.env.ref("base.group_user")._remove_group(group)
        half = Command.create({"applied_on": "3_global", "compute_price": "percentage", "percent_price": 50})
        pricelist = self.env["product.pricelist"].create({"name": "For gold", "item_ids": [half]})
        program, _member = self._create_tiers(**MONTH)
        self._enroll(program, self.dealer, date_from="2025-01-01")
        self.assertFalse(self.env.user.has_group("product.group_product_pricelist"))
        program.tier_ids[0].with_user(self.users["manager"]).pricelist_id = pricelist
        program._refresh_tiers()
        product = self.env["product.product"].create({"name": "Panel", "list_price": 80})
        order = self.env["sale.order"].create(
            {"partner_id": self.dealer.id, "order_line": [Command.create({"product_id": product.id})]}
        )
        self.assertEqual((order.pricelist_id, order.amount_untaxed), (pricelist, 40))

    def test_price_list_and_terms_come_and_go_with_the_tier_and_never_replace_a_choice(self):
        pricelist, chosen = self.env["product.pricelist"].create([{"name": "For gold"}, {"name": "By hand"}])
        term = self.env["account.payment.term"].create({"name": "60 days"})
        program, member = self._create_tiers(**MONTH)
        stubborn = self._enroll(program, self.dealer, date_from="2025-01-01")
        program.tier_ids[1].write({"pricelist_id": pricelist.id, "payment_term_id": term.id})
        self.dealer.specific_property_product_pricelist = chosen
        for one in member + stubborn:
            self._buy(one, {"2025-01-10": 500})
        self._evaluate(program, "2025-02-15")
        self.assertEqual(member.partner_id.specific_property_product_pricelist, pricelist)
        self.assertEqual(member.partner_id.property_payment_term_id, term)
        self.assertEqual(self.dealer.specific_property_product_pricelist, chosen)
        self.assertEqual(self.dealer.property_payment_term_id, term)
        member.partner_id.property_payment_term_id = self.env["account.payment.term"].create({"name": "7 days"})
        self._evaluate(program, "2025-03-15")
        self.assertFalse(member.partner_id.specific_property_product_pricelist)
        self.assertEqual(member.partner_id.property_payment_term_id.name, "7 days")
        self.assertEqual(self.dealer.specific_property_product_pricelist, chosen)
        self.assertFalse(self.dealer.property_payment_term_id)

    def _enroll_many(self, program, count):
        partners = [self._create_partner(name=f"Partner {number}", is_company=True) for number in range(count)]
        return self._enroll(program, *partners, date_from="2025-01-01")

    def _count_writes_of_benefits(self, program):
        """Return how often partners are written to give members what their tiers give."""
        Partner = self.registry["res.partner"]
        with patch.object(Partner, "write", autospec=True, side_effect=Partner.write) as write:
            self.env["partner.loyalty.member"]._refresh_benefits(program)
        return write.call_count

    def test_price_lists_are_set_by_one_write_however_many_members_get_them(self):
        program, member = self._create_tiers()
        chosen, *given = self.env["product.pricelist"].create([{"name": f"List {number}"} for number in range(3)])
        terms = self.env["account.payment.term"].create([{"name": f"{number}0 days"} for number in range(2)])
        members = member
        for count, pricelist, term in zip((1, 5), given, terms, strict=True):
            members += self._enroll_many(program, count)
            program.tier_ids[0].write({"pricelist_id": pricelist.id, "payment_term_id": term.id})
            members[-1].partner_id.specific_property_product_pricelist = chosen
            self.assertEqual(self._count_writes_of_benefits(program), 2, "One for the price list, one for the terms.")
            others = members.filtered(lambda one: one.partner_id.specific_property_product_pricelist != chosen)
            self.assertEqual(others.partner_id.specific_property_product_pricelist, pricelist)
            self.assertEqual(others.granted_pricelist_id, pricelist)
            self.assertEqual(members.partner_id.property_payment_term_id, term)
            self.assertIn(members[-1], members - others, "Who has one that somebody chose keeps it.")
            self.assertFalse((members - others).granted_pricelist_id)
        self.assertEqual(len(members - others), 2)
        self.assertEqual(self._count_writes_of_benefits(program), 0, "A second time changes nothing.")

    def test_what_somebody_chose_since_is_left_where_others_lose_what_the_tier_gave(self):
        program, member = self._create_tiers()
        other, third = self._enroll_many(program, 2)
        pricelist, chosen = self.env["product.pricelist"].create([{"name": "By tier"}, {"name": "By hand"}])
        program.tier_ids[0].pricelist_id = pricelist
        self._evaluate(program, "2025-01-15")
        self.assertEqual((member + other + third).granted_pricelist_id, pricelist)
        other.partner_id.specific_property_product_pricelist = chosen
        program.tier_ids[0].pricelist_id = False
        self._evaluate(program, "2025-01-16")
        self.assertFalse((member + third).partner_id.specific_property_product_pricelist)
        self.assertEqual(other.partner_id.specific_property_product_pricelist, chosen)
        self.assertFalse((member + other + third).granted_pricelist_id)

    def test_the_multiplier_of_a_tier_applies_to_what_is_sold_in_it(self):
        program, member = self._create_tiers(**MONTH)
        program.tier_ids[1].multiplier = 1.5
        band = Command.create({"threshold": 0, "rate": 1})
        self._create_rule(program, name="Bands", formula="bands", period="month", band_ids=[band])
        self._buy(member, {"2025-01-10": 500})
        self._evaluate(program, "2025-02-15")
        self._buy(member, {"2025-02-10": 100})
        entries = self._answer_documents()
        self.assertEqual(sorted(entries.mapped("amount")), [1.5, 5, 15, 50])
        with self.assertRefused("next version of your rules"):
            program.tier_ids[1].multiplier = 2

    # === WHAT LIES AHEAD ===#

    def test_a_member_knows_what_the_next_tier_asks_for_and_when_it_falls(self):
        program, member = self._create_tiers(**MONTH)
        self._buy(member, {"2025-01-10": 400})
        self._evaluate(program, "2025-01-20")
        self.assertRecordValues(
            member,
            [{"next_tier_id": program.tier_ids[1].id, "tier_progress": 80, "risk_tier_id": False}],
        )
        self.assertEqual(member.outlook_text, "For Gold by 01/31/2025: 100.00\xa0€ more (Turnover).")
        self._buy(member, {"2025-01-25": 100})
        self._evaluate(program, "2025-01-28")
        self.assertEqual(member.outlook_text, "Gold is reached on 01/31/2025, if it stays as it is.")
        self._evaluate(program, "2025-02-10")
        self.assertRecordValues(
            member, [{"next_tier_id": program.tier_ids[2].id, "risk_tier_id": program.tier_ids[0].id}]
        )
        self.assertIn("Falls to Silver after 02/28/2025, if nothing changes.", member.outlook_text)
        self.assertEqual(self.env["partner.loyalty.member"].search([("risk_tier_id", "!=", False)]) & member, member)

    def test_a_quotation_says_how_far_the_next_tier_is(self):
        _program, member = self._create_tiers(**MONTH)
        order = self._create_order(member.partner_id, 400, confirm=False)
        self.assertEqual(
            order.with_user(self.users["salesperson"]).loyalty_outlook,
            "With this quotation, Buyer reaches Gold in “Dealer Club” by 03/31/2026 with 100.00\xa0€ more (Turnover).",
        )
        member.partner_id.street = "Sunny Street 1"
        order.invalidate_recordset()
        self.assertNotIn("Sunny Street", order.with_context(show_address=True).loyalty_outlook)
        self._create_sale_invoice(member.partner_id, 100)
        order.invalidate_recordset()
        self.assertEqual(order.loyalty_outlook, "With this quotation, Buyer reaches Gold in “Dealer Club”.")
        order.action_confirm()
        self.assertFalse(order.loyalty_outlook)
        self.assertFalse(self._create_order(self.stranger, 400, confirm=False).loyalty_outlook)

    # === BAD INPUT ===#

    def test_tiers_that_cannot_be_are_refused(self):
        program, _member = self._create_tiers()
        silver, gold, platinum = program.tier_ids
        metric = self._create_metric()
        with self.assertRefused("asks for less of “Turnover”"):
            gold.sequence = 30
        with self.assertRefused("are reached by the same"):
            platinum.threshold = 500
        with self.assertRefused("has to start at zero"):
            silver.threshold = 10
        with self.assertRefused("lower the number, or add conditions"):
            gold.needed_count = 2
        gold.criterion_ids = [Command.create({"metric_id": metric.id, "minimum": 5})]
        with self.assertRefused("asks for less of “Invoices”"):
            platinum.criterion_ids = [Command.create({"metric_id": metric.id, "minimum": 4})]
        with self.assertRefused("is used by"):
            metric.unlink()
        archived = self._create_metric(name="Old", active=False)
        with self.assertRefused("“Old” is archived, so “Gold” cannot be measured by it"):
            gold.criterion_ids = [Command.create({"metric_id": archived.id, "minimum": 5})]
        with self.assertRefused("multiplied by a number above 0"):
            gold.multiplier = 0
        for values in ({"tier_months": 0}, {"tier_validity_months": -1}, {"tier_grace_months": 25}):
            with self.assertRefused("choose a number in between"):
                program.write(values)

    def test_managers_set_up_tiers_in_the_form(self):
        program, _member = self._create_tiers()
        form = Form(program.tier_ids[1].with_user(self.users["manager"]))
        with form.criterion_ids.new() as line:
            line.metric_id = self._create_metric()
            line.minimum = 3
        tier = form.save()
        self.assertEqual(tier.condition_summary, "Turnover: at least 500.00\xa0€; Invoices: at least 3")
        self.assertEqual(program.tier_ids[0].condition_summary, "Every member")
        for user in ("officer", "salesperson"):
            with self.assertRaises(AccessError):
                tier.with_user(self.users[user]).threshold = 1
