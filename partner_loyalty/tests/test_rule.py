from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import RecordCapturer, tagged
from odoo.tools import SQL, mute_logger

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestRule(PartnerLoyaltyCommon):
    roles = ("salesperson",)

    def _earn(self, amounts=(100,), date="2026-03-10", program_values=None, **rule):
        """Return what a rule earns on one invoice."""
        program = self._create_program([rule], **(program_values or {}))
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, *amounts, date=date)
        self._answer_documents()
        return sum(self._get_entries(member, rule.get("unit", "money")).mapped("amount"))

    # === FORMULAS ===#

    def test_percent_of_the_amount(self):
        self.assertEqual(self._earn((99.99,), rate=7.5), 7.5)

    def test_so_much_for_each_step_in_proportion(self):
        self.assertEqual(self._earn((255,), formula="per_amount", unit="point", rate=3, step_amount=10), 77)
        self.assertEqual(self._earn((255,), formula="per_amount", rate=3, step_amount=10), 76.5)

    def test_a_fixed_sum_for_each_document(self):
        self.assertEqual(self._earn((10, 20, 30), formula="fixed", rate=25), 25)

    def test_a_fixed_sum_stays_until_the_document_is_credited_in_full(self):
        program = self._create_program([{"formula": "fixed", "rate": 25}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._credit(invoice, 60)
        self.assertFalse(self._answer_documents())
        self._credit(invoice, 40)
        self._answer_documents()
        self.assertEntries(member, [25, -25])

    def test_a_fixed_sum_on_payment_is_earned_as_the_customer_pays(self):
        program = self._create_program([{"kind": "payment", "formula": "fixed", "rate": 30}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 50, 50)
        for amount in (20, 30, 50):
            self._pay(invoice, amount)
            self._answer_documents()
        self.assertEntries(member, [6, 9, 15])

    def test_a_fixed_sum_on_payment_follows_what_is_left_of_a_credited_invoice(self):
        program = self._create_program([{"kind": "payment", "formula": "fixed", "rate": 30}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._pay(invoice, 40)
        self._answer_documents()
        self._credit(invoice, 60)
        self._answer_documents()
        self.assertEntries(member, [12, 18])

    def test_the_amount_is_rounded_once_for_a_document(self):
        self.assertEqual(self._earn((1, 1, 1), rate=33.33), 1)
        self.assertEqual(self._earn((0.1, 0.1, 0.1, 0.1, 0.1), rate=1), 0.01)

    def test_halves_are_rounded_away_from_zero(self):
        self.assertEqual(self._earn((0.5,), rate=1), 0.01)
        program = self._create_program([{"rate": 1}], name="Negative")
        member = self._enroll(program, self.referrer)
        self._create_sale_invoice(self.referrer, 0.5, move_type="out_refund")
        self._answer_documents()
        self.assertEntries(member, [-0.01])

    def test_points_are_rounded_to_the_decimals_of_the_program(self):
        for digits, expected in ((0, 12), (1, 12.3), (2, 12.35), (4, 12.3457)):
            with self.subTest(digits=digits):
                values = {"point_digits": digits, "name": f"{digits} decimals"}
                earned = self._earn((123.457,), program_values=values, unit="point", rate=10)
                self.assertEqual(earned, {4: 12.346}.get(digits, expected))

    def test_a_rate_of_zero_earns_nothing(self):
        self.assertEqual(self._earn(rate=0), 0)

    # === DATES ===#

    def test_sales_before_and_after_the_rule_earn_nothing(self):
        program = self._create_program([{"date_from": "2026-03-05", "date_to": "2026-03-10"}])
        member = self._enroll(program, self.dealer)
        for day in ("04", "05", "10", "11"):
            self._create_sale_invoice(self.dealer, 100, date=f"2026-03-{day}")
        self._answer_documents()
        self.assertEqual(self._get_entries(member).mapped(lambda entry: entry.date.day), [5, 10])

    def test_sales_before_and_after_the_program_earn_nothing(self):
        values = {"date_from": "2026-03-05", "date_to": "2026-03-10"}
        program = self._create_program([{"date_from": "2026-01-01", "date_to": "2026-12-31"}], **values)
        member = self._enroll(program, self.dealer)
        for day in ("04", "05", "10", "11"):
            self._create_sale_invoice(self.dealer, 100, date=f"2026-03-{day}")
        self._answer_documents()
        self.assertEqual(self._get_entries(member).mapped(lambda entry: entry.date.day), [5, 10])

    def test_a_credit_note_after_the_end_of_the_rule_is_answered_by_it(self):
        program = self._create_program([{"date_to": "2026-03-10"}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._credit(invoice, 30, date="2026-03-15")
        self._answer_documents()
        self.assertEntries(member, [7])

    def test_a_draft_program_earns_nothing(self):
        program = self._create_program([{}], start=False)
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        self.assertFalse(self._answer_documents())
        self.assertEntries(member, [])

    # === FILTER ===#

    def test_only_lines_that_match_the_filter_earn(self):
        other = self._create_product(name="Other", taxes_id=False)
        program = self._create_program([{"domain": f"[('product_id', '=', {other.id})]"}])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100, post=False)
        invoice.invoice_line_ids = [
            Command.create({"product_id": other.id, "quantity": 2, "price_unit": 15, "tax_ids": [Command.clear()]})
        ]
        invoice.action_post()
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(member, [3])

    def test_the_filter_reads_customers_salespeople_and_campaigns(self):
        campaign = self.env["utm.campaign"].create({"name": "Spring"})
        seller = self.users["salesperson"]
        for domain in (
            f"[('customer_id', '=', {self.dealer.id})]",
            f"[('user_id', '=', {seller.id})]",
            "[('campaign_id.name', '=', 'Spring')]",
            "[('customer_id.name', 'ilike', 'deal'), ('amount', '>', 40)]",
        ):
            with self.subTest(domain=domain):
                program = self._create_program([{"kind": "order", "domain": domain}], name=domain)
                member = self._enroll(program, self.dealer)
                self._create_order(self.dealer, 50, user_id=seller.id, campaign_id=campaign.id)
                self._answer_documents()
                self.assertEntries(member, [5])

    def test_a_filter_that_cannot_be_read_is_refused(self):
        program = self._create_program([{}])
        for domain in (
            "[('no_such_field', '=', 1)]",
            "[('product_id.no_such_field', '=', 1)]",
            "[('product_id', 'no such operator', 1)]",
            "not a list",
            "{'a': 1}",
            "[1, 2]",
            "[('product_id', '=', 1)",
            "__import__('os').system('true')",
            "(9**9)**9",
            "[('user_ids.password', '=', 'x')]",
        ):
            with self.subTest(domain=domain), self.assertRefused("cannot be read"):
                program.rule_ids.domain = domain
        self.assertEqual(program.rule_ids.domain, "[]")

    # === RATES ===#

    def test_rates_out_of_range_are_refused(self):
        program = self._create_program([{}, {"formula": "fixed"}], tiers=[("Silver", 0)])
        percent, fixed = program.rule_ids
        silver = program.tier_ids
        for rule, values in (
            (percent, {"rate": -0.01}),
            (percent, {"rate": 100.01}),
            (fixed, {"rate": -1}),
            (percent, {"tier_rate_ids": [self._tier_rate(silver, 101)]}),
            (percent, {"tier_rate_ids": [self._tier_rate(silver, -1)]}),
            (fixed, {"tier_rate_ids": [self._tier_rate(silver, -1)]}),
        ):
            with self.subTest(values=values), self.assertRefused("out of range"):
                rule.write(values)
        fixed.write({"rate": 101, "tier_rate_ids": [self._tier_rate(silver, 5000)]})
        with self.assertRefused("out of range"):
            fixed.formula = "percent"

    def test_rate_lines_written_past_the_rule_are_checked_as_well(self):
        program = self._create_program([{}], tiers=[("Silver", 0)])
        other_tier = self._create_program(tiers=[("Silver", 0)], name="Other").tier_ids
        Rate = self.env["partner.loyalty.rule.rate"]
        values = {"rule_id": program.rule_ids.id, "tier_id": program.tier_ids.id}
        with self.assertRefused("out of range"):
            Rate.create({**values, "rate": 150})
        with self.assertRefused("tier of another program"):
            Rate.create({**values, "tier_id": other_tier.id, "rate": 5})
        rate = Rate.create({**values, "rate": 50})
        with self.assertRefused("out of range"):
            rate.rate = -1
        with self.assertRefused("one rate for each tier"):
            Rate.create({**values, "rate": 60})

    def test_steps_of_nothing_and_dates_that_run_backwards_are_refused(self):
        program = self._create_program([{}])
        for step in (0, -10):
            with self.subTest(step=step), self.assertRefused("amount above zero"):
                program.rule_ids.write({"formula": "per_amount", "step_amount": step})
        with self.assertRefused("cannot end before it starts"):
            program.rule_ids.write({"date_from": "2026-03-02", "date_to": "2026-03-01"})

    # === VERSIONS ===#

    def _create_posted_rule(self, **values):
        program = self._create_program([values], tiers=[("Silver", 0), ("Gold", 500)])
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._answer_documents()
        return program.rule_ids, member

    def test_a_rule_that_has_posted_is_frozen(self):
        rule, _member = self._create_posted_rule()
        gold = rule.program_id.tier_ids[1]
        for values in (
            {"rate": 11},
            {"domain": "[('amount', '>', 5)]"},
            {"kind": "order"},
            {"role": "referrer"},
            {"formula": "fixed"},
            {"unit": "point"},
            {"step_amount": 3},
            {"date_from": "2026-02-01"},
            {"program_id": self._create_program().id},
            {"tier_rate_ids": [self._tier_rate(gold, 15)]},
        ):
            with self.subTest(values=values), self.assertRefused("use “New Version”"):
                rule.write(values)

    def test_the_rates_of_a_rule_that_has_posted_are_frozen(self):
        program = self._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        silver, gold = program.tier_ids
        program.rule_ids.tier_rate_ids = [self._tier_rate(silver, 15)]
        self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        rate = program.rule_ids.tier_rate_ids
        with self.assertRefused("use “New Version”"):
            rate.rate = 16
        with self.assertRefused("use “New Version”"):
            rate.unlink()
        with self.assertRefused("use “New Version”"):
            rate.create({"rule_id": program.rule_ids.id, "tier_id": gold.id, "rate": 1})

    def test_a_rule_that_has_posted_can_be_renamed_moved_and_ended(self):
        rule, _member = self._create_posted_rule()
        rule.write({"name": "Renamed", "sequence": 3, "date_to": "2026-12-31", "rate": 10, "kind": "invoice"})
        self.assertEqual(rule.name, "Renamed")

    def test_a_rule_that_has_posted_is_not_deleted(self):
        rule, _member = self._create_posted_rule()
        with self.assertRefused("archive it"):
            rule.unlink()
        fresh = self._create_rule(rule.program_id)
        fresh.unlink()
        self.assertFalse(fresh.exists())

    def test_a_new_version_is_a_draft_until_it_is_put_into_force(self):
        rule, member = self._create_posted_rule(date_to="2026-12-31")
        successor = self.env["partner.loyalty.rule"].browse(rule.action_new_version()["res_id"])
        self.assertEqual(rule.action_new_version()["res_id"], successor.id)
        successor.rate = 50
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(member, [10, 10])
        self.assertFalse(self._compare(rule.program_id))
        with self.assertRefused("is a draft"):
            successor.action_new_version()

    def test_a_new_version_takes_over_from_its_day_on(self):
        rule, member = self._create_posted_rule(date_to="2026-12-31")
        successor = self._put_into_force(rule, "2026-03-18", rate=20)
        self.assertRecordValues(
            rule + successor,
            [
                {
                    "version": 1,
                    "date_from": False,
                    "date_to": self._day("2026-03-17"),
                    "previous_id": False,
                    "is_draft": False,
                },
                {
                    "version": 2,
                    "date_from": self._day("2026-03-18"),
                    "date_to": self._day("2026-12-31"),
                    "previous_id": rule.id,
                    "is_draft": False,
                },
            ],
        )
        self.assertEqual(successor.family_id, rule)
        self._create_sale_invoice(self.dealer, 100, date="2026-03-17")
        self._create_sale_invoice(self.dealer, 100, date="2026-03-18")
        self._answer_documents()
        self.assertEntries(member, [10, 10, 20])
        self.assertInLine(rule.program_id)

    def test_a_new_version_keeps_the_rates_by_tier_and_the_bands(self):
        program = self._create_program([{}], tiers=[("Silver", 0)])
        program.rule_ids.tier_rate_ids = [self._tier_rate(program.tier_ids, 15)]
        program.rule_ids.band_ids = [Command.create({"threshold": 10, "rate": 5})]
        program.rule_ids.action_new_version()
        old, new = program.rule_ids.sorted("version")
        self.assertRecordValues(new.tier_rate_ids, [{"tier_id": program.tier_ids.id, "rate": 15}])
        self.assertRecordValues(new.band_ids, [{"threshold": 10, "rate": 5}])
        self.assertEqual(old.tier_rate_ids.rate, 15)

    def test_before_it_is_put_into_force_members_are_listed_whose_result_changes(self):
        program = self._create_program([{}])
        small, large = self._enroll(program, self.dealer, self.referrer)
        self._create_sale_invoice(self.dealer, 10, date="2026-03-10")
        self._create_sale_invoice(self.referrer, 1000, date="2026-03-10")
        self._answer_documents()
        successor = self.env["partner.loyalty.rule"].browse(program.rule_ids.action_new_version()["res_id"])
        successor.rate = 12
        wizard = self.env["partner.loyalty.rule.version"].create({"rule_id": successor.id, "threshold": 5})
        self.assertRecordValues(
            wizard.line_ids, [{"member_id": large.id, "amount_before": 100, "amount_after": 120, "difference": 20}]
        )
        self.assertAlmostEqual(wizard.total, 20.2)
        wizard.threshold = 0
        self.assertEqual(wizard.line_ids.member_id, large + small)
        self.assertEntries(large, [100])

    def test_a_version_is_put_into_force_on_a_day_that_makes_sense(self):
        rule, _member = self._create_posted_rule(date_to="2026-12-31")
        rule.program_id.lock_date = "2026-03-15"
        successor = self.env["partner.loyalty.rule"].browse(rule.action_new_version()["res_id"])
        versions = self.env["partner.loyalty.rule.version"]
        for day, words in (
            ("2026-01-01", "starts on that day or later"),
            ("2026-03-15", "locked up to"),
            ("2027-01-01", "ends before that day"),
        ):
            with self.subTest(day=day), self.assertRefused(words):
                versions.create({"rule_id": successor.id, "date_from": day}).action_apply()
        wizard = versions.create({"rule_id": successor.id, "date_from": "2026-03-20"})
        wizard.action_apply()
        with self.assertRefused("in force already"):
            wizard.action_apply()
        with self.assertRefused("ended already"):
            program = self._create_program([{"date_to": "2026-03-17"}])
            program.rule_ids.action_new_version()

    def test_two_versions_are_never_in_force_on_one_day(self):
        rule, _member = self._create_posted_rule()
        successor = self._put_into_force(rule, "2026-03-18", rate=20)
        for version, values in (
            (rule, {"date_to": False}),
            (rule, {"date_to": "2026-03-18"}),
            (successor, {"date_from": "2026-03-17"}),
        ):
            with self.subTest(version=version.version, values=values), self.assertRefused("follow each other"):
                version.write(values)
        rule.date_to = "2026-03-15"
        self.assertInLine(rule.program_id)

    def test_versions_share_their_budget(self):
        program = self._create_program([{"budget": 15}])
        member = self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._answer_documents()
        self._put_into_force(program.rule_ids, "2026-03-11")
        self._create_sale_invoice(self.dealer, 100, date="2026-03-12")
        self._answer_documents()
        self.assertEntries(member, [10, 5])

    # === WHERE A SALE STOOD ===#

    def _create_band_rule(self, **values):
        bands = [Command.create({"threshold": 150, "rate": 10})]
        program = self._create_program([{"formula": "bands", "band_kind": "total", "band_ids": bands, **values}])
        return program, *self._enroll(program, self.dealer, self.referrer)

    def test_a_sale_that_becomes_that_of_another_takes_its_part_of_the_period_along(self):
        program, dealer, other = self._create_band_rule()
        self._create_sale_invoice(self.dealer, 100)
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.referrer, 100)
        self._answer_documents()
        self.assertBalance(dealer, 20)
        invoice.button_draft()
        invoice.partner_id = self.referrer
        invoice.action_post()
        self._answer_documents()
        self.assertBalance(dealer, 0)
        self.assertBalance(other, 20)
        self.assertInLine(program)

    def test_an_order_that_moves_to_another_partner_day_or_referrer_leaves_its_period(self):
        program, dealer, other = self._create_band_rule(kind="order", role="referrer")
        first = self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id)
        second = self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id)
        self._answer_documents()
        self.assertBalance(dealer, 20)
        second.date_order = "2026-02-10"
        self._answer_documents()
        self.assertBalance(dealer, 0)
        second.date_order = "2026-03-10"
        (first + second).loyalty_partner_id = self.referrer
        self._answer_documents()
        self.assertBalance(dealer, 0)
        self.assertBalance(other, 20)
        self.assertInLine(program)

    def test_what_stood_with_a_contact_that_became_another_is_answered_with_that_one(self):
        program, _dealer, other = self._create_band_rule()
        invoice = self._create_sale_invoice(self.dealer, 200)
        self._answer_documents()
        invoice.button_draft()
        self._write_marks()
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.dealer + self.referrer).ids, self.referrer)
        self._answer_documents()
        self.assertBalance(other, 0)
        self.assertInLine(program)

    # === BUDGET ===#

    def test_a_budget_that_is_used_up_closes_the_rule_and_a_higher_one_opens_it_again(self):
        program = self._create_program([{"budget": 15}])
        rule, member = program.rule_ids, self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 200, date="2026-03-10")
        self._answer_documents()
        self.assertEqual(rule.used_up_on, self._day("2026-03-10"))
        self.assertIn("used up", program.message_ids[0].body)
        rule.budget = 100
        self.assertFalse(rule.used_up_on)
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(member, [15, 10])
        self.assertRecordValues(self._compare(program), [{"posted": 15, "target": 20, "amount": 5}])

    def test_who_has_posted_and_when_a_budget_was_used_up_is_not_set_by_hand(self):
        rule, _member = self._create_posted_rule()
        rule = rule.with_user(self._create_role_user("ruler", "partner_loyalty.partner_loyalty_group_manager"))
        for values in ({"has_entries": False}, {"used_up_on": "2026-01-01"}):
            with self.subTest(values=values), self.assertRefused("cannot be set by hand", AccessError):
                rule.write(values)

    # === WHAT CANNOT BE ===#

    def test_bands_that_make_no_sense_are_refused(self):
        program = self._create_program([{}])
        for values, words in (
            ({"formula": "bands"}, "at least one band"),
            ({"formula": "bands", "band_ids": [Command.create({"threshold": -1, "rate": 1})]}, "begin at zero"),
            ({"formula": "bands", "band_ids": [Command.create({"threshold": 0, "rate": 101})]}, "more than 100"),
            ({"band_ids": [Command.create({"threshold": 5, "rate": rate}) for rate in (1, 2)]}, "same figure"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                program.rule_ids.write(values)

    def test_rates_by_category_are_refused_where_a_document_earns_as_a_whole(self):
        category = self.env["product.category"].create({"name": "Tools"})
        rates = [Command.create({"categ_id": category.id, "rate": 1})]
        for values in (
            {"formula": "fixed"},
            {"formula": "per_amount", "step_kind": "full"},
            {"formula": "bands", "band_ids": [Command.create({"threshold": 0, "rate": 1})]},
        ):
            with self.subTest(values=values), self.assertRefused("by product category"):
                self._create_rule(self._create_program(), tier_rate_ids=rates, **values)

    def test_rules_of_a_group_are_about_the_same_sales(self):
        program = self._create_program([{"exclusive_group": "A"}])
        for values in ({"kind": "order"}, {"role": "referrer"}):
            with self.subTest(values=values), self.assertRefused("in one group"):
                self._create_rule(program, exclusive_group="A", **values)
        with self.assertRefused("cannot be negative"):
            program.rule_ids.cap_member = -1

    # === FAILING RULES ===#

    def _fail(self, rule, failure):
        """Make a rule fail: a context manager."""
        original = type(rule)._get_formula_percent

        def get_formula_percent(self, *columns):
            return failure() if self == rule else original(self, *columns)

        return patch.object(type(rule), "_get_formula_percent", get_formula_percent)

    def _divide_by_zero(self):
        return SQL("1 / 0")

    def _raise(self):
        raise ValueError("planted")

    def test_a_rule_that_fails_is_reported_and_the_others_go_on(self):
        for failure, message in ((self._raise, "planted"), (self._divide_by_zero, "division by zero")):
            with self.subTest(failure=message):
                program = self._create_program([{"rate": 10}, {"rate": 1}], name=message)
                bad, good = program.rule_ids
                partner = self._create_partner(name=message, is_company=True)
                member = self._enroll(program, partner)
                invoice = self._create_sale_invoice(partner, 100)
                with self._fail(bad, failure), mute_logger("odoo.sql_db"):
                    self._answer_marks()
                self.assertIn(message, bad.error)
                self.assertFalse(good.error)
                self.assertEqual(program.failing_rule_ids, bad)
                self.assertEntries(member, [1])
                marks = self._as_cron("partner.loyalty.touch").search([])
                self.assertEqual(marks.mapped(lambda mark: (mark.rule_id.id, mark.res_id)), [(bad.id, invoice.id)])
                todo = self.env["partner.loyalty.todo"].search([("program_id", "=", program.id)])
                self.assertRecordValues(todo, [{"kind": "rule_error", "res_id": bad.id}])

                bad.write({"name": "Mended"})
                self.assertFalse(bad.error)
                self._answer_documents()
                self.assertEntries(member, [1, 10])
                self.assertInLine(program)

    def test_a_mended_rule_calls_the_cron(self):
        program = self._create_program([{}])
        self._enroll(program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        with self._fail(program.rule_ids, self._raise):
            self._answer_marks()
        cron = self.env.ref("partner_loyalty.ir_cron_reconcile_touched")
        with RecordCapturer(self._as_cron("ir.cron.trigger"), [("cron_id", "=", cron.id)]) as captured:
            program.rule_ids.write({"name": "Mended"})
        self.assertTrue(captured.records)

    def test_a_rule_that_fails_does_not_stop_the_nightly_comparison(self):
        program = self._create_program([{"rate": 10}, {"rate": 1}])
        bad, good = program.rule_ids
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self._enroll(program, self.dealer)
        with self._fail(bad, self._raise):
            differences = self._compare(program)
        self.assertEqual(differences.rule_id, good)
        self.assertIn("planted", bad.error)

    # === DAY OF A TARGET ===#

    TARGET = {
        "formula": "bands",
        "band_kind": "sum",
        "period": "quarter",
        "band_ids": [Command.create({"threshold": 1000, "rate": 50}), Command.create({"threshold": 3000, "rate": 200})],
    }

    def _reach(self, *steps, **rule):
        """Return the day of what a target earns on sales, answered at once or all together at the end."""
        days = []
        for at_once in (True, False):
            with self.env.cr.savepoint() as savepoint:
                program = self._create_program([{**self.TARGET, **rule}])
                member = self._enroll(program, self.dealer)
                for amount, day in steps:
                    self._create_sale_invoice(self.dealer, amount, date=day)
                    if at_once:
                        self._answer_documents()
                self._answer_documents()
                days.append([str(entry.contribution_date) for entry in self._get_entries(member)])
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertEqual(*days, "It depends on when it is worked out.")
        return days[0]

    def test_a_target_has_the_day_on_which_it_was_reached(self):
        steps = (600, "2026-01-10"), (400, "2026-01-20"), (1999, "2026-03-10")
        self.assertEqual(self._reach(*steps), ["2026-01-20"])

    def test_a_target_of_growth_has_the_day_on_which_it_was_reached(self):
        self._create_sale_invoice(self.dealer, 500, date="2025-02-10")
        steps = (1400, "2026-01-10"), (100, "2026-01-20"), (900, "2026-03-10")
        self.assertEqual(self._reach(*steps, measure="growth"), ["2026-01-20"])

    def test_a_target_that_was_lost_in_between_has_the_day_on_which_it_was_reached_for_good(self):
        program = self._create_program([self.TARGET])
        member = self._enroll(program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 1000, date="2026-01-10")
        self._credit(invoice, 300, date="2026-01-15")
        self._create_sale_invoice(self.dealer, 300, date="2026-02-10")
        self._create_sale_invoice(self.dealer, 100, date="2026-03-10")
        self._answer_documents()
        self.assertEqual(self._get_entries(member).mapped(lambda entry: str(entry.contribution_date)), ["2026-02-10"])

    def test_what_depends_on_all_that_is_sold_has_the_day_of_the_latest_sale(self):
        bands = [Command.create({"threshold": 1000, "rate": 5})]
        program = self._create_program([{**self.TARGET, "band_kind": "total", "band_ids": bands}])
        member = self._enroll(program, self.dealer)
        for amount, day in ((1000, "2026-01-10"), (100, "2026-03-10")):
            self._create_sale_invoice(self.dealer, amount, date=day)
        self._answer_documents()
        self.assertEqual(self._get_entries(member).mapped(lambda entry: str(entry.contribution_date)), ["2026-03-10"])
