"""What the app adds to confirming and invoicing an order: hardly anything, whatever the program says."""

from unittest.mock import patch

from odoo.tests import tagged

from ..tools.waking import wake_soon
from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestOrderCost(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"kind": "order"}])
        cls._enroll(cls.program, cls.dealer)

    def _count(self, step, *documents):
        """Return how many queries a step takes with the last of some documents; the others fill caches."""
        for document in documents:
            self.env.invalidate_all()
            with self._record_queries() as queries:
                step(document)
        return len(queries)

    def _count_sale(self):
        """Return the queries of confirming an order of ten lines, and of creating and posting its invoice."""
        orders = [self._create_order(self.dealer, *[10] * 10, confirm=False) for _number in range(2)]
        return (
            self._count(lambda order: order.action_confirm(), *orders),
            self._count(lambda order: order._create_invoices().action_post(), *orders),
        )

    def test_a_hundred_rules_cost_an_order_as_many_queries_as_one(self):
        one = self._count_sale()
        for number in range(99):
            self._create_rule(self.program, kind=("order", "invoice", "payment")[number % 3], name=f"Rule {number}")
        self.env.flush_all()
        self.assertEqual(self._count_sale(), one)

    def test_a_sale_outside_any_program_costs_no_more(self):
        member = self._count_sale()
        self.dealer = self.stranger
        self.assertEqual(self._count_sale(), member)

    # === WAKING THE WORKERS ===#

    def _patch_waking(self):
        """Note the databases whose workers are woken, instead of waking them."""
        woken = []
        cron = self.registry["ir.cron"]
        self.enterContext(patch.object(cron, "_notifydb", lambda cron: woken.append(cron.env.cr.dbname)))
        return woken

    def test_a_sale_does_not_wait_until_the_workers_are_woken(self):
        woken = self._patch_waking()
        self._create_order(self.dealer, 100)
        self._write_marks()
        self.env.cr.postcommit.run()
        self.assertEqual(woken, [])
        wake_soon(self.env["ir.cron"]).join()
        self.assertEqual(woken, [self.env.cr.dbname])

    def test_calls_that_come_together_wake_the_workers_once(self):
        woken = self._patch_waking()
        waker = wake_soon(self.env["ir.cron"])
        self.assertIs(wake_soon(self.env["ir.cron"]), waker)
        waker.join()
        later = wake_soon(self.env["ir.cron"])
        self.assertIsNot(later, waker)
        later.join()
        self.assertEqual(len(woken), 2)
