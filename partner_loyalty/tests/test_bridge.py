"""The bridge from one time to the next: each part by hand, and its sum exactly, over random ledgers."""

import random
from decimal import Decimal

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..const import COST_TYPES
from ..models.partner_loyalty_bridge import EXPIRY_TYPES, PARTS
from ..tools.focus import Focus
from .common import PartnerLoyaltyCommon


class BridgeCommon(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 10}], tiers=[("Silver", 0), ("Gold", 5000)], date_from="2025-01-01")
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer, date_from="2025-01-01")

    def _get_bridge(self, unit="money", **values):
        focus = Focus(self.program, self._day("2026-03-01"), self._day("2026-03-31"))._replace(**values)
        return self.env["partner.loyalty.bridge"]._get_bridge(focus, unit)

    def _add_up(self, month, unit="money"):
        """Return what the statement lines of a month say, one by one."""
        entries = self.env["partner.loyalty.entry"].search([("program_id", "=", self.program.id)])
        return sum(
            Decimal(str(entry.amount))
            for entry in entries
            if entry.unit == unit and entry.type in (*COST_TYPES, *EXPIRY_TYPES) and str(entry.date).startswith(month)
        )

    def assertBridge(self, bridge, **expected):
        """Check the parts, of which those not named are zero, and that they add up."""
        self.assertEqual({name: float(bridge[name]) for name in PARTS}, {**dict.fromkeys(PARTS, 0), **expected})
        self.assertEqual(sum(bridge[name] for name in PARTS), bridge["now"] - bridge["before"])


@tagged("post_install", "-at_install")
@freeze_time("2026-03-31 10:00:00")
class TestBridge(BridgeCommon):
    def _sell(self, *amounts, day="2026-02-10", partner=None):
        for amount in amounts:
            self._create_sale_invoice(partner or self.dealer, amount, date=day)

    def test_more_is_sold(self):
        self._sell(1000)
        self._sell(1500, day="2026-03-10")
        self._answer_documents()
        self.assertBridge(self._get_bridge(), volume=50)

    def test_a_new_rate_and_more_is_sold(self):
        """1000 at 10 percent, then 1500 at 12: 50 for the volume, 30 for the rate."""
        self._sell(1000)
        self._put_into_force(self.program.rule_ids, "2026-03-01", rate=12)
        self._sell(1500, day="2026-03-10")
        self._answer_documents()
        self.assertBridge(self._get_bridge(), volume=50, rate=30)

    def test_a_tier_moves(self):
        """The rate of another tier is no change of the rate."""
        silver, gold = self.program.tier_ids.sorted("threshold")
        rule = self._create_rule(self.program, name="By tier", rate=0)
        rule.tier_rate_ids = [self._tier_rate(silver, 1), self._tier_rate(gold, 3)]
        self._sell(1000)
        with freeze_time("2026-02-28 10:00:00"):
            self.env["partner.loyalty.tier.override"].create(
                {
                    "member_ids": [Command.set(self.member.ids)],
                    "tier_id": gold.id,
                    "date_to": "2026-06-30",
                    "reason": "Promised",
                }
            ).action_apply()
        self._sell(1000, day="2026-03-10")
        self._answer_documents()
        self.assertBridge(self._get_bridge(), tier=20)

    def test_promotions_returns_and_single_gifts(self):
        """Each of them is its own part."""
        self._create_rule(self.program, name="March", rate=5, date_from="2026-03-01", date_to="2026-03-31")
        self._sell(1000)
        self._sell(1000, day="2026-03-10")
        self._answer_documents()
        self._credit(self.env["account.move"].search([("invoice_date", "=", "2026-02-10")]), date="2026-03-20")
        self._answer_documents()
        self._post_entry(self.member, 7, entry_type="adjustment")
        self._post_entry(self.member, -3, entry_type="expiry")
        self.assertBridge(self._get_bridge(), promotion=50, clawback=-100, one_off=7, expiry=-3)

    def test_a_member_who_sold_nothing_before(self):
        self._sell(500, day="2026-03-10", partner=self.referrer)
        self._answer_documents()
        self.assertBridge(self._get_bridge(), volume=50)
        self.assertBridge(self._get_bridge(member_ids=(self.member.id,)))

    def test_nothing_at_all(self):
        self.assertBridge(self._get_bridge())
        self.assertBridge(self._get_bridge("point"))

    def test_payouts_are_no_part(self):
        self._post_entry(self.member, 100)
        self._post_entry(self.member, -60, entry_type="payout")
        self.assertEqual(self._get_bridge()["now"], 100)


@tagged("post_install", "-at_install")
@freeze_time("2026-03-31 10:00:00")
class TestBridgeOfRandomLedgers(BridgeCommon):
    def _assert_invariants(self):
        """What these lines say of themselves is made up: no rule works them out again."""

    def test_the_parts_add_up_exactly(self):
        """Whatever lines there are, in money and points, the parts are the difference to the last digit."""
        chance = random.Random(9)
        self._create_rule(self.program, name="March", date_from="2026-03-01", date_to="2026-03-31")
        Entry = self.env["partner.loyalty.entry"]
        tiers = self.program.tier_ids.ids
        for round_number in range(6):
            vals_list = [self._prepare_line(chance, tiers, round_number * 100 + number) for number in range(60)]
            Entry._post_vals(vals_list)
            self.env["partner.loyalty.allocation"]._settle([vals["account_id"] for vals in vals_list])
            for unit in ("money", "point"):
                bridge = self._get_bridge(unit)
                self.assertEqual(bridge["now"], self._add_up("2026-03", unit))
                self.assertEqual(bridge["before"], self._add_up("2026-02", unit))
                self.assertEqual(sum(bridge[name] for name in PARTS), bridge["now"] - bridge["before"])
        self.assertTrue(all(self._get_bridge()[name] for name in PARTS), "The ledger has something of each part.")

    def _prepare_line(self, chance, tiers, number):
        """Return a line of some kind: mostly what rules earned, at any rate and tier."""
        Entry = self.env["partner.loyalty.entry"]
        unit = chance.choice(("money", "point"))
        amount = Decimal(chance.randint(1, 99999)) / (100 if unit == "money" else 1)
        kind = chance.choice(("accrual",) * 8 + ("bonus", "adjustment", "reward", "clawback", "bonus_undo", "expiry"))
        if kind in ("clawback", "bonus_undo", "expiry"):
            amount = -amount / 50
            amount = amount.quantize(Decimal("0.01") if unit == "money" else Decimal(1)) or Decimal(-1)
        account = chance.choice((self.member, self.other))._get_account(unit)
        values = {"date": chance.choice(("2026-02-05", "2026-02-28", "2026-03-01", "2026-03-30"))}
        if kind == "accrual" and chance.random() < 0.9:
            base = Decimal(chance.randint(1, 999999)) / 7
            values["rule_id"] = chance.choice((None, *self.program.rule_ids.ids))
            values["explanation"] = {
                "base": str(base),
                "target": str(amount * chance.choice((1, 2))),
                "tier_id": chance.choice((*tiers, None)),
            }
        return Entry._prepare_entry_vals(account, kind, amount, self.dealer, revision=number, **values)
