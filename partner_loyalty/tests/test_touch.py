"""Documents leave marks, and the scheduled actions answer them, decide tiers and compare at night."""

from unittest.mock import patch

from psycopg2 import errors

from odoo.tests import freeze_time, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestTouch(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}, {"kind": "order", "rate": 1}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def _get_marks(self):
        self._write_marks()
        marks = self._as_cron("partner.loyalty.touch").search([])
        return sorted(marks.mapped(lambda mark: (mark.res_model, mark.res_id)))

    # === MARKS ===#

    def test_a_transaction_writes_its_marks_in_one_statement(self):
        with self._record_queries() as queries:
            first, second = self._create_order(self.dealer, 100), self._create_order(self.stranger, 50)
            first.order_line.price_unit = 70
            invoice = first._create_invoices()
            invoice.action_post()
            self._pay(invoice)
        self.assertEqual(len([query for query in queries if "INSERT INTO partner_loyalty_touch" in query]), 1)
        self.assertEqual(
            self._get_marks(),
            [("account.move", invoice.id), ("sale.order", first.id), ("sale.order", second.id)],
        )

    def test_a_mark_calls_the_scheduled_action(self):
        triggers = [("cron_id", "=", self.env.ref("partner_loyalty.ir_cron_reconcile_touched").id)]
        before = self._as_cron("ir.cron.trigger").search_count(triggers)
        self._create_order(self.dealer, 100)
        self._write_marks()
        self.assertEqual(self._as_cron("ir.cron.trigger").search_count(triggers), before + 1)

    def test_what_earns_nothing_leaves_no_mark(self):
        order = self._create_order(self.dealer, 100, confirm=False)
        order.order_line.price_unit = 70
        order.client_order_ref = "Ours"
        invoice = self._create_sale_invoice(self.dealer, 100, post=False)
        invoice.invoice_line_ids.price_unit = 70
        self._create_sale_invoice(self.dealer, 100, move_type="in_invoice", post=False)
        self.assertEqual(self._get_marks(), [])

    def test_fields_that_move_nothing_leave_no_mark(self):
        order, invoice = self._create_order(self.dealer, 100), self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        order.client_order_ref = "Ours"
        invoice.ref = "Ours"
        self.assertEqual(self._get_marks(), [])

    def _count_cost(self, step, documents):
        """Return how many queries a step takes on its own, and with marks."""
        counts = []
        for document, marking in zip(documents, (True, False, True), strict=True):
            self.env.invalidate_all()
            Touch = self.registry["partner.loyalty.touch"]
            mark = Touch._mark if marking else lambda self, documents: None
            with patch.object(Touch, "_mark", mark), self._record_queries() as queries:
                step(document)
            counts.append(len(queries))
        # The first one filled caches that live as long as the process.
        return counts[1:]

    def test_confirming_and_posting_cost_at_most_two_more_queries(self):
        orders = [self._create_order(self.dealer, *[10] * 10, confirm=False) for _number in range(3)]
        plain, marked = self._count_cost(lambda order: order.action_confirm(), orders)
        self.assertGreater(marked, plain)
        self.assertLessEqual(marked, plain + 2)
        invoices = [self._create_sale_invoice(self.dealer, *[10] * 10, post=False) for _number in range(3)]
        plain, marked = self._count_cost(lambda invoice: invoice.action_post(), invoices)
        self.assertGreater(marked, plain)
        self.assertLessEqual(marked, plain + 2)

    def test_the_engine_deletes_only_the_marks_it_has_read(self):
        self._create_order(self.dealer, 100)
        self._write_marks()
        read = self._as_cron("partner.loyalty.touch").search([])
        later = read.create({"res_model": "sale.order", "res_id": read.res_id})
        read._answer(read)
        self.assertEqual(self._as_cron("partner.loyalty.touch").search([]), later)
        later._answer(later)
        self.assertEntries(self.member, [1])

    def test_a_mark_of_a_document_that_was_never_there_is_answered_with_nothing(self):
        Touch = self._as_cron("partner.loyalty.touch")
        marks = Touch.create([{"res_model": model, "res_id": 2**31 - 1} for model in ("sale.order", "account.move")])
        marks._answer(marks)
        self.assertFalse(marks.exists())
        self.assertEntries(self.member, [])

    # === SCHEDULED ACTIONS ===#

    def test_the_scheduled_action_answers_touched_documents(self):
        self._create_order(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 100)
        self._run_cron("ir_cron_reconcile_touched")
        self.assertBalance(self.member, 11)
        self.assertEqual(self._get_marks(), [])
        self._run_cron("ir_cron_reconcile_touched")
        self.assertBalance(self.member, 11)

    def test_documents_are_answered_in_batches(self):
        for amount in (100, 200, 300):
            self._create_order(self.dealer, amount)
        batches = []
        answer = self.registry["partner.loyalty.touch"]._answer

        def record(touch, marks):
            batches.append(len(marks))
            return answer(touch, marks)

        with (
            patch.object(self.registry["partner.loyalty.touch"], "_answer", record),
            self._as_worker("partner.loyalty.touch") as Touch,
        ):
            Touch._cron_reconcile_touched(batch_size=2)
        self.assertEqual(batches, [2, 1])
        self.assertEntries(self.member, [1, 2, 3])

    def test_a_batch_that_collides_is_halved_and_tried_again(self):
        for amount in (100, 200, 300):
            self._create_order(self.dealer, amount)
        batches = []
        answer = self.registry["partner.loyalty.touch"]._answer

        def collide(touch, marks):
            batches.append(len(marks))
            if len(marks) > 1:
                raise errors.SerializationFailure
            return answer(touch, marks)

        with (
            patch.object(self.registry["partner.loyalty.touch"], "_answer", collide),
            self._as_worker("partner.loyalty.touch") as Touch,
        ):
            Touch._cron_reconcile_touched(batch_size=4)
        self.assertEqual(batches, [3, 2, 1, 1, 1])
        self.assertEntries(self.member, [1, 2, 3])

    def test_a_rule_does_not_swallow_a_serialization_failure(self):
        self._create_order(self.dealer, 100)
        with (
            patch.object(self.registry["partner.loyalty.rule"], "_reconcile", side_effect=errors.SerializationFailure),
            self.assertRaises(errors.SerializationFailure),
        ):
            self._answer_marks()
        self.assertFalse(self.program.failing_rule_ids)

    def test_the_nightly_run_lists_differences_and_posts_nothing(self):
        self._create_sale_invoice(self.referrer, 100)
        self._answer_documents()
        self._enroll(self.program, self.referrer)
        before = self._get_last_entry_id()
        self._run_cron("ir_cron_compare_plan")
        self.assertTrue(self._as_cron("partner.loyalty.chunk").search([]))
        self._run_cron("ir_cron_compare_1")
        self.assertFalse(self._as_cron("partner.loyalty.chunk").search([]))
        self.assertEqual(self._get_open_differences(self.program).mapped("amount"), [10])
        self.assertEqual(self._get_last_entry_id(), before)

    def test_either_worker_compares(self):
        self._create_sale_invoice(self.referrer, 100)
        self._answer_documents()
        self._enroll(self.program, self.referrer)
        self._run_cron("ir_cron_compare_plan")
        self._run_cron("ir_cron_compare_2")
        self.assertEqual(self._get_open_differences(self.program).mapped("amount"), [10])

    def test_a_plan_is_laid_out_once_while_the_last_is_not_done(self):
        Chunk = self._as_cron("partner.loyalty.chunk")
        program = self.program.with_env(Chunk.env)
        self._enroll(self.program, self.referrer, self.stranger)
        Chunk._plan(program, size=2)
        chunks = Chunk.search([("program_id", "=", program.id)])
        self.assertEqual([len(chunk._get_roots()) for chunk in chunks], [2, 1])
        Chunk._plan(program, size=2)
        self.assertEqual(Chunk.search([("program_id", "=", program.id)]), chunks)

    def test_a_chunk_that_collides_is_halved_and_tried_again(self):
        self._create_sale_invoice(self.referrer, 100)
        self._create_sale_invoice(self.stranger, 200)
        self._answer_documents()
        self._enroll(self.program, self.referrer, self.stranger)
        self._run_cron("ir_cron_compare_plan")
        self._as_cron("partner.loyalty.chunk").search([("program_id", "!=", self.program.id)]).unlink()
        sizes = []
        compare = self.registry["partner.loyalty.chunk"]._compare

        def collide(chunk):
            sizes.append(len(chunk._get_roots()))
            if sizes[-1] > 1:
                raise errors.SerializationFailure
            return compare(chunk)

        with (
            patch.object(self.registry["partner.loyalty.chunk"], "_compare", collide),
            self._as_worker("partner.loyalty.chunk") as Chunk,
        ):
            Chunk._cron_compare()
        self.assertEqual(sorted(sizes), [1, 1, 1, 2, 3])
        self.assertEqual(sorted(self._get_open_differences(self.program).mapped("amount")), [10, 20])
        self.assertFalse(self._as_cron("partner.loyalty.chunk").search([]))

    def test_the_plan_tries_failed_rules_again(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        rule = self.program.rule_ids[0]
        with patch.object(type(rule), "_get_formula_percent", side_effect=ValueError("planted")):
            self._answer_marks()
        self.assertEqual(rule.error, "planted")
        self._run_cron("ir_cron_reconcile_touched")
        self.assertEntries(self.member, [])
        self.assertEqual(self._get_marks(), [("account.move", invoice.id)])
        self._run_cron("ir_cron_compare_plan")
        self._run_cron("ir_cron_reconcile_touched")
        self.assertEntries(self.member, [10])
        self.assertFalse(rule.error)

    def test_the_scheduled_action_decides_tiers(self):
        program = self._create_program([{}], tiers=[("Silver", 0), ("Gold", 100)], name="With tiers")
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        self._run_cron("ir_cron_evaluate_tiers")
        self.assertEqual(member.tier_id.name, "Silver")
        with freeze_time("2026-04-01 00:30:00"):
            self._run_cron("ir_cron_evaluate_tiers")
        self.assertEqual(member.tier_id.name, "Gold")
        self.assertEqual(len(member.tier_period_ids), 4)
