"""Early access as a reward: who can order what from when on, and what it costs all other orders."""

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestRewardEarly(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bike = cls._create_product(name="Bike", lst_price=100)
        cls.early = cls._create_reward(name="Bike first", kind="early", months=2, release_ids=[cls._release()])

    @classmethod
    def _release(cls, early="2026-03-10", general="2026-05-01", product=None):
        template = (product or cls.bike).product_tmpl_id
        return Command.create({"product_tmpl_id": template.id, "early_date": early, "release_date": general})

    def _order(self, partner, product=None):
        line = {"product_id": (product or self.bike).id, "price_unit": 100}
        order = self.env["sale.order"].create({"partner_id": partner.id, "order_line": [Command.create(line)]})
        return order.with_user(self.users["salesperson"]).sudo(False)

    def _confirm(self, partner, **kwargs):
        order = self._order(partner, **kwargs)
        order.sudo().user_id = self.users["salesperson"]
        order.action_confirm()
        return order.state

    def assertRefusedUntil(self, day, partner):
        words = f"“Bike” has not been released yet: {partner.commercial_partner_id.name} can order it from {day} on"
        with self.assertRefused(words):
            self._confirm(partner)

    def test_before_the_release_only_who_has_claimed_it_orders(self):
        self.assertRefusedUntil("05/01/2026", self.dealer)
        self._approve(self.early)
        self.assertEqual(self._confirm(self.dealer_contact), "sale")
        self.assertRefusedUntil("05/01/2026", self.stranger)

    def test_from_the_release_on_everybody_orders(self):
        with freeze_time("2026-04-30 10:00:00"):
            self.assertRefusedUntil("05/01/2026", self.stranger)
        with freeze_time("2026-05-01 10:00:00"):
            self.assertEqual(self._confirm(self.stranger), "sale")

    def test_nobody_orders_before_the_early_day(self):
        self._approve(self.early)
        self.early.release_ids.early_date = "2026-03-19"
        self.assertRefusedUntil("03/19/2026", self.dealer)

    def test_it_ends_with_its_months_and_when_it_is_taken_back(self):
        claim = self._approve(self.early)
        self.early.release_ids.release_date = "2026-12-01"
        with freeze_time("2026-05-18 10:00:00"):
            self.assertRefusedUntil("12/01/2026", self.dealer)
        claim.with_user(self.users["manager"]).action_take_back("Resold")
        self.assertRefusedUntil("12/01/2026", self.dealer)

    def test_members_of_a_tier_have_it_without_a_claim(self):
        silver, gold = self.program._get_tiers()
        self.early.write({"by_tier": True, "tier_ids": [Command.set(gold.ids)]})
        self.assertRefusedUntil("05/01/2026", self.dealer)
        self.early.tier_ids = silver
        self.assertEqual(self._confirm(self.dealer), "sale")
        self.assertRefusedUntil("05/01/2026", self.stranger)

    def test_the_earliest_day_of_several_rewards_counts(self):
        self._approve(self.early)
        self.early.release_ids.early_date = "2026-04-10"
        by_tier = {"kind": "early", "by_tier": True, "release_ids": [self._release("2026-04-01")]}
        self._create_reward(**by_tier)
        self.assertRefusedUntil("04/01/2026", self.dealer)

    def test_what_is_archived_or_of_another_company_holds_nobody_up(self):
        self.early.active = False
        self.assertEqual(self._confirm(self.stranger), "sale")
        self.early.active = True
        self.assertRefusedUntil("05/01/2026", self.stranger)
        self.early.unlink()
        self.assertEqual(self._confirm(self.stranger), "sale")

    def test_a_program_that_does_not_run_holds_nobody_up(self):
        draft = self._create_program([{}], start=False, name="Secret")
        self.early.copy({"program_id": draft.id})
        self.early.release_ids.unlink()
        self.assertEqual(self._confirm(self.stranger), "sale")
        draft.action_start()
        self.assertRefusedUntil("05/01/2026", self.stranger)

    def test_a_reward_that_is_the_product_is_delivered_early(self):
        claim = self._approve(self._create_reward(product_id=self.bike.id))
        claim.action_fulfill()
        self.assertEqual(claim.order_id.sudo().state, "sale")

    def test_other_orders_cost_no_query_more(self):
        with_releases = self._count_queries_of_confirming()
        self.early.unlink()
        self.assertEqual(with_releases, self._count_queries_of_confirming())

    def _count_queries_of_confirming(self):
        """Return how many queries it takes to confirm an order of something else, once all is in the caches."""
        for _number in range(2):
            order = self._order(self.stranger, self.thing).sudo()
            order.invalidate_model()
            with self._record_queries() as queries:
                order.action_confirm()
        return len(queries)

    def test_a_reward_says_what_is_wrong_with_it(self):
        with self.assertRefused("add at least one product", ValidationError):
            self._create_reward(kind="early")
        for release in (self._release("2026-05-01"), self._release("2026-05-02")):
            with self.assertRefused("begins before a product is released", ValidationError):
                self._create_reward(kind="early", release_ids=[release])
        with self.assertRefused("a product has one day for all", ValidationError):
            self._create_reward(kind="early", release_ids=[self._release(general="2026-06-01")])
        with self.assertRefused("names each product once", ValidationError):
            self.early.release_ids = [self._release()]
