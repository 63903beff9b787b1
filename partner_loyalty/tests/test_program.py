from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestProgram(PartnerLoyaltyCommon):
    # === WHAT A PROGRAM REFUSES ===#

    def test_a_program_without_rules_does_not_start_and_enrolls_nobody(self):
        program = self._create_program()
        with self.assertRefused("has no rule yet"):
            program.action_start()
        with self.assertRefused("has no rule yet"):
            program.state = "running"
        with self.assertRefused("has no rule yet"):
            self._enroll(program, self.dealer)
        self.assertRecordValues(program, [{"state": "draft", "member_count": 0}])

    def test_a_program_whose_rules_are_all_archived_does_not_start(self):
        program = self._create_program([{}], start=False)
        program.rule_ids.action_archive()
        with self.assertRefused("has no rule yet"):
            program.action_start()

    def test_an_end_before_the_start_is_refused(self):
        with self.assertRefused("cannot end before it starts"):
            self._create_program(date_from="2026-03-01", date_to="2026-02-28")
        program = self._create_program(date_from="2026-03-01", date_to="2026-03-01")
        with self.assertRefused("cannot end before it starts"):
            program.date_to = "2026-02-28"

    def test_odd_settings_are_refused(self):
        for values, words in (
            ({"point_digits": -1}, "0 to 4 decimals"),
            ({"point_digits": 5}, "0 to 4 decimals"),
            ({"maturity_days": -1}, "0 to 3650"),
            ({"maturity_days": 4000}, "0 to 3650"),
            ({"payout_minimum": -0.01}, "cannot be negative"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self._create_program(**values)

    def test_a_program_with_members_keeps_its_company_and_is_not_deleted(self):
        program = self._create_program([{}])
        self._enroll(program, self.dealer)
        other = self.setup_other_company(name="Other")["company"]
        program.payout_journal_id = False
        with self.assertRefused("has members already"):
            program.company_id = other
        with self.assertRefused("close or archive it instead"):
            program.unlink()

    def test_a_program_without_members_can_be_deleted(self):
        program = self._create_program([{}], tiers=[("Silver", 0)])
        program.unlink()
        self.assertFalse(program.exists())

    # === CLOSING AND LOCKING ===#

    def test_closing_sets_the_last_day(self):
        program = self._create_program([{}])
        program.action_close()
        self.assertRecordValues(program, [{"state": "closed", "date_to": self._day(TODAY)}])
        ended = self._create_program([{}], date_to="2026-02-28")
        ended.action_close()
        self.assertEqual(str(ended.date_to), "2026-02-28")
        with self.assertRefused("is closed"):
            self._enroll(program, self.dealer)

    def test_the_lock_date_lies_in_the_past_and_moves_forward_only(self):
        program = self._create_program([{}])
        for day in (TODAY, "2026-12-31"):
            with self.subTest(day=day), self.assertRefused("up to yesterday at most"):
                program.lock_date = day
        program.lock_date = "2026-02-28"
        program.lock_date = "2026-03-17"
        for day in ("2026-03-16", False):
            with self.subTest(day=day), self.assertRefused("only moves forward"):
                program.lock_date = day
        self.assertEqual(str(program.lock_date), "2026-03-17")

    def test_a_late_difference_is_posted_on_the_first_open_day_and_marked(self):
        program = self._create_program([{}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        self._answer_documents()
        program.lock_date = "2026-02-28"
        self._credit(invoice, 40, date="2026-03-05")
        late = self._create_sale_invoice(self.dealer, 50, date="2026-02-20")
        self._answer_documents()
        self.assertRecordValues(
            self._get_entries(member),
            [
                {"amount": 10, "date": self._day("2026-02-10"), "prior_period": False, "origin_id": invoice.id},
                {"amount": 5, "date": self._day("2026-03-01"), "prior_period": True, "origin_id": late.id},
                {"amount": -4, "date": self._day(TODAY), "prior_period": False, "origin_id": invoice.id},
            ],
        )

    def test_a_sale_in_the_locked_period_that_is_taken_back_leaves_the_locked_part_as_it_is(self):
        program = self._create_program([{}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        self._answer_documents()
        program.lock_date = "2026-02-28"
        invoice.button_draft()
        invoice.button_cancel()
        self._answer_documents()
        entries = self._get_entries(member)
        self.assertEqual(entries.mapped("amount"), [10, -10])
        self.assertEqual(entries.mapped("prior_period"), [False, True])
        locked = entries.filtered(lambda entry: entry.date <= program.lock_date)
        self.assertEqual(sum(locked.mapped("amount")), 10)

    def test_a_payout_after_the_lock_is_dated_after_it(self):
        program = self._create_program([{}], tz="Pacific/Pago_Pago")
        member = self._enroll(program, self.dealer)
        self._post_entry(member, 10)
        program.lock_date = "2026-03-16"
        payout = self._submit_payout(member)
        self.assertGreater(payout.entry_id.date, program.lock_date)

    # === FIGURES ===#

    def test_a_program_counts_what_it_has(self):
        program = self._create_program([{}, {"unit": "point", "rate": 1}])
        other = self._create_program([{}], name="Other")
        member = self._enroll(program, self.dealer, self.referrer)[0]
        self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.referrer, 50)
        self._answer_documents()
        self._create_payout(member)
        program.invalidate_recordset()
        self.assertRecordValues(
            program + other,
            [
                {
                    "member_count": 2,
                    "payout_todo_count": 1,
                    "difference_count": 0,
                    "money_balance": 15,
                    "point_balance": 2,
                },
                {
                    "member_count": 0,
                    "payout_todo_count": 0,
                    "difference_count": 0,
                    "money_balance": 0,
                    "point_balance": 0,
                },
            ],
        )

    def test_a_copied_program_is_a_draft_with_the_same_rules_and_tiers_and_no_members(self):
        program = self._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        gold = program.tier_ids[1]
        program.rule_ids.tier_rate_ids = [self._tier_rate(gold, 15)]
        self._enroll(program, self.dealer)
        copy = program.copy()
        self.assertRecordValues(copy, [{"state": "draft", "member_count": 0}])
        self.assertEqual(copy.tier_ids.mapped("name"), ["Silver", "Gold"])
        self.assertRecordValues(copy.rule_ids, [{"rate": 10, "formula": "percent"}])
        self.assertFalse(copy.rule_ids.tier_rate_ids.tier_id & program.tier_ids)

    def test_rules_of_a_copied_program_keep_their_own_rates_in_whichever_order_they_are(self):
        program = self._create_program(
            [{"name": "Last", "sequence": 20}, {"name": "First", "sequence": 10}], tiers=[("Silver", 0), ("Gold", 500)]
        )
        gold = program.tier_ids[1]
        for rule in program.rule_ids:
            rule.tier_rate_ids = [self._tier_rate(gold, 15 if rule.name == "Last" else 30)]
        copy = program.copy()
        self.assertEqual({rule.name: rule.tier_rate_ids.rate for rule in copy.rule_ids}, {"Last": 15, "First": 30})
