"""Rules in two transactions at once: a budget is never overdrawn, and nothing goes by terms that changed meanwhile.

Each sale is to another member, so that the transactions meet at the rule and not at an account.
"""

from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase

LOGGERS = ("odoo.sql_db", "odoo.addons.partner_loyalty.models.partner_loyalty_rule")
BUYERS = 6


class RuleRaceCase(ConcurrencyCase):
    """Orders of 100 that are committed and wait to be answered, and rules of a test's own, of ten percent."""

    @classmethod
    def setUpClass(cls):
        cls.buyer_ids, cls.category_id, cls.product_id = [], None, None
        super().setUpClass()
        with cls._transaction() as env:
            buyers = env["res.partner"].create([{"name": f"Racer {n}", "is_company": True} for n in range(BUYERS)])
            program = env["partner.loyalty.program"].browse(cls.program_id)
            program._enroll(dict.fromkeys(buyers, program._get_today() - timedelta(days=30)))
            category = env["product.category"].create({"name": "Races"})
            product = env["product.product"].create(
                {"name": "Racing Thing", "taxes_id": False, "categ_id": category.id}
            )
            cls.buyer_ids, cls.category_id, cls.product_id = buyers.ids, category.id, product.id

    @classmethod
    def _delete_all(cls, env):
        members = "SELECT id FROM partner_loyalty_member WHERE program_id = %s"
        messages = "DELETE FROM mail_message WHERE model = 'partner.loyalty.member' AND res_id IN"
        env.cr.execute(f"{messages} ({members})", [cls.program_id])
        result = super()._delete_all(env)
        env.cr.execute("DELETE FROM res_partner WHERE id = ANY(%s)", [cls.buyer_ids])
        env["product.product"].browse(cls.product_id).product_tmpl_id.unlink()
        env["product.category"].browse(cls.category_id).unlink()
        env["partner.loyalty.segment"].search([("name", "=", "Nobody in the Race")]).unlink()
        return result

    def setUp(self):
        super().setUp()
        self.order_ids = []
        self.addCleanup(self._take_sales_back)

    def _take_sales_back(self):
        """Take the orders of a test away, with what they earned, and its rules out of force."""
        with self._transaction() as env:
            env["sale.order"].browse(self.order_ids)._action_cancel()
        with self._transaction() as env:
            marks = env["partner.loyalty.touch"].search([])
            marks._answer(marks)
            env["sale.order"].browse(self.order_ids).unlink()
            env.cr.execute(
                "UPDATE partner_loyalty_rule SET is_draft = TRUE WHERE program_id = %s AND kind = 'order'",
                [self.program_id],
            )
        self.order_ids = []

    # === HELPERS ===#

    def _start_rule(self, **values):
        with self._transaction() as env:
            vals = {"name": "Racing Rule", "program_id": self.program_id, "kind": "order", "rate": 10, **values}
            return env["partner.loyalty.rule"].create(vals).id

    def _start_posted_rule(self, **values):
        """Start a rule that has given 10 already, so that no first posting writes it any more."""
        rule_id = self._start_rule(**values)
        self._answer_alone(*self._sell(1, days_ago=2))
        return rule_id

    def _sell(self, count, days_ago=0):
        """Confirm orders, each of another member; return their ids."""
        with self._transaction() as env:
            line = {"product_id": self.product_id, "product_uom_qty": 1, "price_unit": 100}
            first = len(self.order_ids)
            orders = env["sale.order"].create(
                [
                    {"partner_id": buyer_id, "order_line": [Command.create(line)]}
                    for buyer_id in self.buyer_ids[first : first + count]
                ]
            )
            orders.action_confirm()
            orders.date_order = fields.Datetime.now() - timedelta(days=days_ago)
            self.order_ids += orders.ids
            return orders.ids

    def _look(self, env):
        """Let the snapshot of a transaction be taken: what others commit from now on it does not see."""
        env.cr.execute("SELECT")

    def _answer(self, env, order_id):
        marks = env["partner.loyalty.touch"].search([("res_model", "=", "sale.order"), ("res_id", "=", order_id)])
        marks._answer(marks)

    def _leave_marks(self, env, order_ids):
        """Leave one mark for each of some orders, in their order, and no others."""
        marks = env["partner.loyalty.touch"].search([])
        marks.unlink()
        marks.create([{"res_model": "sale.order", "res_id": order_id} for order_id in order_ids])
        env.cr.commit()

    def _answer_alone(self, order_id):
        """Answer an order in a transaction of its own, which starts over as long as another gets ahead of it."""
        while True:
            try:
                with self._transaction() as env, mute_logger(*LOGGERS):
                    self._answer(env, order_id)
                return
            except (errors.SerializationFailure, errors.DeadlockDetected):
                continue

    def _put_into_force(self, env, rule_id, days_ahead=0, **values):
        """Put the next version of a rule into force, as the buttons do."""
        rules = env["partner.loyalty.rule"]
        successor = rules.browse(rules.browse(rule_id).action_new_version()["res_id"])
        successor.write(values)
        day = successor.program_id._get_today() + timedelta(days=days_ahead)
        env["partner.loyalty.rule.version"].create({"rule_id": successor.id, "date_from": day}).action_apply()
        env.flush_all()
        return successor.id

    def assertStartsOver(self, env, work):
        """Check that a transaction has come too late, and roll it back."""
        with self.assertRaises(errors.SerializationFailure), mute_logger(*LOGGERS):
            work()
            env.flush_all()
        env.cr.rollback()

    def assertWaits(self, work):
        """Check that a transaction waits for another one."""
        with self._transaction(commit=False) as env:
            env.cr.execute("SET LOCAL lock_timeout = '500ms'")
            with self.assertRaises(errors.LockNotAvailable), mute_logger(*LOGGERS):
                work(env)
                env.flush_all()
            env.cr.rollback()

    def assertEarned(self, expected):
        """Check what the buyers of the orders of the test have earned; each has one order."""
        with self._transaction() as env:
            buyers = env["sale.order"].browse(self.order_ids).partner_id
            entries = env["partner.loyalty.entry"].search([("program_id", "=", self.program_id)])
            earned = entries.grouped("partner_id")
            self.assertEqual([sum(earned.get(buyer, entries[:0]).mapped("amount")) for buyer in buyers], expected)
            self.assertFalse(env["partner.loyalty.program"].browse(self.program_id).failing_rule_ids.mapped("error"))

    def assertInLine(self):
        with self._transaction(commit=False) as env:
            program = env["partner.loyalty.program"].browse(self.program_id)
            self.assertEqual(program._apply_to_past(dry_run=True)["entries"], 0)


@tagged("post_install", "-at_install")
class TestConcurrentBudget(RuleRaceCase):
    def test_of_two_sales_at_one_budget_the_second_starts_over_and_gets_what_is_left(self):
        self._start_posted_rule(budget=25)
        one, other = self._sell(2)
        with self._transaction() as first, self._transaction() as second:
            self._look(second)
            self._answer(first, one)
            first.cr.commit()
            self.assertStartsOver(second, lambda: self._answer(second, other))
            self._answer(second, other)
        self.assertEarned([10, 10, 5])
        self.assertInLine()

    def test_a_sale_waits_for_the_budget_and_has_it_where_the_other_takes_its_word_back(self):
        self._start_posted_rule(budget=25)
        one, other = self._sell(2)
        with self._transaction(commit=False) as first:
            self._answer(first, one)
            self.assertWaits(lambda env: self._answer(env, other))
        self._answer_alone(other)
        self._answer_alone(one)
        self.assertEarned([10, 5, 10])
        self.assertInLine()

    def test_versions_of_a_rule_that_post_at_once_do_not_overdraw_the_budget_they_share(self):
        old_id = self._start_rule(budget=15)
        (by_old,), (by_new,) = self._sell(1, days_ago=2), self._sell(1)
        with self._transaction() as env:
            new_id = self._put_into_force(env, old_id)
        with self._transaction() as first, self._transaction() as second:
            self._look(second)
            self._post_alone(first, old_id, by_old)
            first.cr.commit()
            self.assertStartsOver(second, lambda: self._post_alone(second, new_id, by_new))
            self._post_alone(second, new_id, by_new)
        self.assertEarned([10, 5])
        self.assertInLine()

    def _post_alone(self, env, rule_id, order_id):
        """Bring one rule in line, as the posting of a difference does."""
        rule = env["partner.loyalty.rule"].browse(rule_id)
        rule._reconcile(rule._get_document_scope("sale.order", [order_id]))

    def test_of_many_sales_at_once_as_many_earn_as_the_budget_allows(self):
        rule_id = self._start_posted_rule(budget=35)
        waiting = self._sell(BUYERS - 1)
        self._run_together(lambda: self._answer_alone(waiting.pop()), BUYERS - 1)
        with self._transaction() as env:
            entries = env["partner.loyalty.entry"].search([("rule_id", "=", rule_id)])
            self.assertEqual(sorted(entries.mapped("amount")), [5, 10, 10, 10])
            self.assertEqual(entries.rule_id.used_up_on, fields.Date.today())
        self.assertInLine()

    def test_the_cron_starts_over_where_another_was_first_at_the_budget(self):
        rule_id = self._start_posted_rule(budget=25)
        one, other = self._sell(2)
        with self._transaction() as env:
            self._leave_marks(env, [other])
            Touch = type(env["partner.loyalty.touch"])
            answer = Touch._answer

            def answer_late(touch, marks):
                Touch._answer = answer
                with self._transaction() as first:
                    self._post_alone(first, rule_id, one)
                return answer(touch, marks)

            with patch.object(Touch, "_answer", answer_late), mute_logger(*LOGGERS):
                env["partner.loyalty.touch"]._cron_reconcile_touched()
        self.assertEarned([10, 10, 5])
        self.assertInLine()


@tagged("post_install", "-at_install")
class TestConcurrentChange(RuleRaceCase):
    # === WHAT IS FROZEN ===#

    def _get_changes(self):
        """Return changes of rules that give an order 10: values of the rule, the change, and what it gives then."""
        band = {"formula": "bands", "band_ids": [Command.create({"threshold": 0, "rate": 10})]}
        bands = {"formula": "bands", "band_ids": [Command.create({"threshold": t, "rate": t / 5 + 5}) for t in (0, 50)]}
        rates = {"rate": 30, "tier_rate_ids": [Command.create({"categ_id": self.category_id, "rate": 10})]}
        new_band, new_rate = {"threshold": 50, "rate": 20}, {"categ_id": self.category_id, "rate": 20}
        nobody = {"name": "Nobody in the Race", "partner_domain": "[('id', '=', 0)]"}
        return {
            "rate": ({}, lambda rule: rule.write({"rate": 20}), 20),
            "band": (band, lambda rule: rule.band_ids.write({"rate": 20}), 20),
            "new band": (band, lambda rule: rule.band_ids.create({"rule_id": rule.id, **new_band}), 15),
            "band of the rule": (band, lambda rule: rule.write({"band_ids": [Command.create(new_band)]}), 15),
            "band less": (bands, lambda rule: rule.band_ids[1].unlink(), 5),
            "category rate": (rates, lambda rule: rule.tier_rate_ids.write({"rate": 20}), 20),
            "new category rate": ({}, lambda rule: rule.tier_rate_ids.create({"rule_id": rule.id, **new_rate}), 20),
            "category rate less": (rates, lambda rule: rule.tier_rate_ids.unlink(), 30),
            "segment": ({}, lambda rule: rule.write({"segment_ids": [Command.create(nobody)]}), 0),
        }

    def _race(self, race):
        """Let a change of a rule and its first posting race, for each kind of change.

        :param race: callable of the change, the order, and what it earns after the change
        """
        for name, (values, change, earned) in self._get_changes().items():
            with self.subTest(change=name):
                rule_id, (order_id,) = self._start_rule(**values), self._sell(1)

                def change_rule(env, rule_id=rule_id, change=change):
                    change(env["partner.loyalty.rule"].browse(rule_id))

                race(change_rule, order_id, earned)
                self.assertInLine()
            self._take_sales_back()

    def test_who_changes_a_rule_while_it_posts_for_the_first_time_starts_over_and_is_refused(self):
        self._race(self._change_late)

    def _change_late(self, change, order_id, earned):
        with self._transaction() as engine, self._transaction(commit=False) as editor:
            self._look(editor)
            self._answer(engine, order_id)
            engine.cr.commit()
            self.assertStartsOver(editor, lambda: change(editor))
            with self.assertRaisesRegex(UserError, "use “New Version”"):
                change(editor)
            editor.cr.rollback()
        self.assertEarned([10])

    def test_who_changes_a_rule_waits_for_a_posting_that_is_not_committed_yet(self):
        self._race(self._change_meanwhile)

    def _change_meanwhile(self, change, order_id, earned):
        with self._transaction() as engine:
            self._answer(engine, order_id)
            self.assertWaits(change)
        self.assertEarned([10])

    def test_a_run_that_began_before_a_rule_was_changed_starts_over_and_goes_by_the_new_terms(self):
        self._race(self._post_late)

    def _post_late(self, change, order_id, earned):
        with self._transaction() as engine, self._transaction() as editor:
            self._look(engine)
            change(editor)
            editor.cr.commit()
            self.assertStartsOver(engine, lambda: self._answer(engine, order_id))
            self._answer(engine, order_id)
        self.assertEarned([earned])

    def test_a_rule_is_not_deleted_by_who_has_not_seen_that_it_posted(self):
        rule_id, (order_id,) = self._start_rule(), self._sell(1)
        with self._transaction() as engine, self._transaction(commit=False) as editor:
            rule = editor["partner.loyalty.rule"].browse(rule_id)
            self.assertFalse(rule.has_entries)
            self._answer(engine, order_id)
            engine.cr.commit()
            self.assertStartsOver(editor, rule.unlink)
            with self.assertRaisesRegex(UserError, "archive it"):
                rule.unlink()
            editor.cr.rollback()
        self.assertEarned([10])
        self.assertInLine()

    # === VERSIONS ===#

    def test_a_run_goes_by_one_version_though_the_next_is_put_into_force_meanwhile(self):
        """What the run answered stays with the version that it saw, until somebody confirms the differences."""
        rule_id, orders = self._start_posted_rule(), self._sell(2)
        with self._transaction() as engine:
            self._answer(engine, orders[0])
            with self._transaction() as editor:
                self._put_into_force(editor, rule_id, rate=20)
            self._answer(engine, orders[1])
        self.assertEarned([10, 10, 10])
        with self._transaction() as env:
            program = env["partner.loyalty.program"].browse(self.program_id)
            env["partner.loyalty.chunk"]._plan(program)
            env["partner.loyalty.chunk"].search([])._compare()
            differences = env["partner.loyalty.difference"].search([("program_id", "=", self.program_id)])
            self.assertEqual(sorted(differences.mapped("amount")), [-10, -10, 20, 20])
            differences.action_post()
        self.assertEarned([10, 20, 20])
        self.assertInLine()

    def test_a_version_for_tomorrow_leaves_a_run_of_today_in_line(self):
        rule_id, orders = self._start_posted_rule(), self._sell(2)
        with self._transaction() as engine:
            self._answer(engine, orders[0])
            with self._transaction() as editor:
                self._put_into_force(editor, rule_id, days_ahead=1, rate=20)
            self._answer(engine, orders[1])
        self.assertEarned([10, 10, 10])
        self.assertInLine()

    def test_each_batch_of_the_cron_goes_by_the_version_that_is_in_force_when_it_begins(self):
        rule_id, orders = self._start_posted_rule(), self._sell(2)
        with self._transaction() as env:
            Cron, changed = type(env["ir.cron"]), []
            commit_progress = Cron._commit_progress

            def commit_progress_and_change(cron, *args, **kwargs):
                left = commit_progress(cron, *args, **kwargs)
                if not changed:
                    with self._transaction() as editor:
                        changed.append(self._put_into_force(editor, rule_id, rate=20))
                return left

            with patch.object(Cron, "_commit_progress", commit_progress_and_change):
                self._leave_marks(env, orders)
                env["partner.loyalty.touch"]._cron_reconcile_touched(batch_size=1)
        self.assertEarned([10, 10, 20])

    def test_archiving_a_rule_while_it_posts_takes_nothing_from_the_sales_of_the_day(self):
        rule_id, orders = self._start_posted_rule(), self._sell(2)
        with self._transaction() as engine:
            self._answer(engine, orders[0])
            with self._transaction() as editor:
                editor["partner.loyalty.rule"].browse(rule_id).action_archive()
            self._answer(engine, orders[1])
        self.assertEarned([10, 10, 10])
        self.assertInLine()
