"""The backtest: what a program would have cost, which is exactly what it costs when it is really applied."""

from collections import Counter
from datetime import date
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import TODAY, PartnerLoyaltyCommon

NBSP = "\N{NO-BREAK SPACE}"


class BacktestCommon(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "accountant", "salesperson", "internal")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]

    def _create_backtest(self, program, user=None, **values):
        Backtest = self.env["partner.loyalty.backtest"].with_user(user or self.officer)
        return Backtest.create({"program_id": program.id, "date_from": "2026-01-01", "date_to": TODAY, **values})

    def _run(self, program, **values):
        backtest = self._create_backtest(program, **values)
        backtest.action_run()
        return backtest

    def _get_tried(self, backtest):
        """Return what each partner would have got, by rule and document."""
        return Counter(
            {
                (line.partner_id, line.rule_id, line.origin_model, line.origin_id): (
                    line.money_amount,
                    line.point_amount,
                )
                for line in backtest.with_env(self.env).line_ids
                if line.money_amount or line.point_amount
            }
        )

    def _get_posted(self, program):
        """Return the same of what the ledger really holds."""
        posted = Counter()
        for entry in self.env["partner.loyalty.entry"].search([("program_id", "=", program.id)]):
            key = (entry.partner_id, entry.rule_id, entry.origin_model, entry.origin_id)
            money, points = posted[key] or (0, 0)
            posted[key] = (money + entry.money_amount, points + entry.point_amount)
        return posted


@tagged("post_install", "-at_install")
class TestBacktestIsExact(BacktestCommon):
    """Really applied, the program posts what the backtest said: origin by origin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls._create_program([{"rate": 5}], name="Club of Old")
        cls._enroll(cls.reference, cls.dealer, cls.referrer, cls.stranger, date_from="2025-11-01")
        cls.program = cls._create_program(
            [
                {"name": "Percent", "rate": 10},
                {"name": "Points", "unit": "point", "formula": "per_amount", "step_amount": 7, "rate": 1},
                {"name": "Paid", "kind": "payment", "rate": 3},
                {"name": "Order", "kind": "order", "formula": "fixed", "unit": "point", "rate": 25},
                {"name": "Brought", "role": "referrer", "rate": 4},
                {"name": "Promotion", "rate": 1, "date_from": "2026-02-01", "date_to": "2026-02-10"},
            ],
            tiers=[("Silver", 0), ("Gold", 500), ("Platinum", 2000)],
            start=False,
            name="Club of Tomorrow",
            point_digits=2,
            point_value=0.033,
        )
        silver, gold, platinum = cls.program.tier_ids
        cls.program.rule_ids[0].tier_rate_ids = [cls._tier_rate(gold, 12.5), cls._tier_rate(platinum, 15)]
        cls.program.rule_ids[2].tier_rate_ids = [cls._tier_rate(silver, 1), cls._tier_rate(gold, 2)]
        cls._sell()

    @classmethod
    def _sell(cls):
        """Half a year of documents, some of them before the period."""
        dollar = cls.setup_other_currency("USD", rates=[("2025-01-01", 1.25), ("2026-02-01", 1.6)])
        create = cls._create_sale_invoice
        create(cls.dealer, 900, date="2025-12-20")
        cls.bought = create(cls.dealer, 333.33, 266.67, date="2026-01-05")
        create(cls.referrer, 99.99, date="2026-01-31")
        brought = create(cls.stranger, 1234.56, date="2026-01-15", loyalty_partner_id=cls.referrer.id)
        in_dollars = create(cls.dealer, 777.77, date="2026-02-03", currency_id=dollar.id)
        create(cls.dealer, 1600, date="2026-02-10")
        create(cls.dealer, 100, date="2026-03-02")
        returned = create(cls.referrer, 500, date="2026-02-15")
        create(cls.stranger, 50, date="2026-02-20", move_type="out_refund")
        cls._create_order(cls.dealer, 100, date="2026-01-10 23:30:00", loyalty_partner_id=cls.referrer.id)
        cls._create_order(cls.stranger, 80, date="2026-02-28 12:00:00")
        cls._pay(cls.bought, 100, date="2026-01-20")
        cls._pay(cls.bought, 77.7, date="2026-03-01")
        cls._pay(in_dollars, date="2026-02-20")
        cls._pay(brought, 1000, date="2026-03-05")
        cls._credit(brought, 234.56, date="2026-02-01")
        cls._credit(returned, date="2026-03-10")
        cls._credit(in_dollars, 77.77, date="2026-03-11")
        cls._write_marks()
        cls.env["partner.loyalty.touch"].sudo().search([]).unlink()

    def _apply(self, date_from, date_to):
        """Really do what the backtest tries."""
        self.program.write({"date_from": date_from, "date_to": date_to})
        self._enroll(self.program, self.dealer, self.referrer, self.stranger, date_from=date_from)
        self.program.action_start()
        self.program._apply_to_past()

    def _check_period(self, date_from, date_to, expected_rules):
        backtest = self._run(self.program, date_from=date_from, date_to=date_to)
        tried = self._get_tried(backtest)
        self._apply(date_from, date_to)
        posted = self._get_posted(self.program)
        self.assertEqual(tried, posted)
        self.assertEqual({key[1].name for key in posted}, expected_rules)
        return backtest

    def test_over_the_whole_period_it_is_what_is_posted_origin_by_origin(self):
        rules = {"Percent", "Points", "Paid", "Order", "Brought", "Promotion"}
        backtest = self._check_period("2026-01-01", TODAY, rules)
        self.assertEqual(
            set(backtest.line_ids.tier_id.mapped("name")), {"Silver", "Gold", "Platinum"}, "All tiers have had a part."
        )
        self.assertEqual(backtest.money_amount, sum(self.program.member_ids.mapped("money_balance")))
        self.assertAlmostEqual(backtest.point_amount, sum(self.program.member_ids.mapped("point_balance")), 4)

    def test_over_a_part_of_it_too(self):
        self._check_period("2026-01-12", "2026-02-09", {"Percent", "Points", "Paid", "Brought", "Promotion"})

    def test_the_tiers_are_those_that_are_really_decided(self):
        backtest = self._run(self.program)
        self._apply("2026-01-01", TODAY)
        changes = self.env["partner.loyalty.tier.period"].search(
            [("program_id", "=", self.program.id), ("is_change", "=", True), ("previous_tier_id", "!=", False)]
        )
        self.assertEqual(backtest.tier_up_count + backtest.tier_down_count, len(changes))
        self.assertGreater(backtest.tier_up_count, 2)
        members = {member.partner_id: member.tier_id for member in self.program.member_ids}
        self.assertEqual({line.partner_id: line.tier_id for line in backtest.with_env(self.env).member_ids}, members)

    def test_a_program_that_was_applied_already_is_replayed_with_its_own_members_alone(self):
        self._apply("2026-01-01", TODAY)
        posted = self._get_posted(self.program)
        self._enroll(self.reference, self._create_partner(name="Of the other"))
        backtest = self._run(self.program, reference_program_id=self.program.id)
        self.assertEqual(self._get_tried(backtest), posted)
        self.assertEqual(backtest.member_count, 3)
        self.assertRecordValues(backtest, [{"difference": 0, "winner_count": 0, "loser_count": 0, "same_count": 3}])
        for line in backtest.line_ids:
            self.assertEqual(line.total, line.reference_total)

    def test_what_was_posted_counts_by_the_day_of_the_sale(self):
        self._apply("2026-01-01", TODAY)
        backtest = self._run(self.program, reference_program_id=self.program.id, date_to="2026-01-31")
        late = self.env["partner.loyalty.entry"].search(
            [("program_id", "=", self.program.id), ("contribution_date", ">", "2026-01-31")]
        )
        self.assertIn(self.bought.id, late.mapped("origin_id"), "The payment of March is one of a sale of January.")
        lines = backtest.line_ids.filtered(
            lambda line: line.origin_id == self.bought.id and line.rule_id.name == "Paid"
        )
        self.assertEqual(lines.mapped("date"), [date(2026, 1, 5)])
        self.assertEqual(backtest.difference, 0)
        self.assertGreater(backtest.reference_total, 0)

    def test_rules_that_are_archived_by_now_count_on_their_days(self):
        promotion = self.program.rule_ids[-1]
        promotion.action_archive()
        self.assertFalse(promotion.active)
        backtest = self._run(self.program)
        self.assertIn(promotion, backtest.line_ids.rule_id.with_env(self.env))

    def test_members_that_were_merged_stand_for_one(self):
        self._apply("2026-01-01", TODAY)
        members = self.program.member_ids.grouped("partner_id")
        members[self.stranger]._merge_into(members[self.dealer])
        backtest = self._run(self.program, reference_program_id=self.program.id)
        self.assertEqual(backtest.member_ids.partner_id.with_env(self.env), self.dealer + self.referrer)
        origins = self.env["account.move"].search([("partner_id", "=", self.stranger.id)])
        lines = backtest.with_env(self.env).line_ids.filtered(
            lambda line: line.origin_model == "account.move" and line.origin_id in origins.ids and line.total
        )
        self.assertTrue(lines)
        self.assertEqual(set(lines.filtered(lambda line: line.rule_id.role == "buyer").partner_id), {self.dealer})


@tagged("post_install", "-at_install")
class TestBacktest(BacktestCommon):
    """A program of 10 percent, compared with one that really gave 5."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls._create_program([{"rate": 5}], tiers=[("Silver", 0)], name="Club of Old")
        cls.dealer_member, cls.other_member = cls._enroll(cls.reference, cls.dealer, cls.referrer)
        cls.program = cls._create_program([{}], start=False, name="Club of Tomorrow")
        cls.rule = cls.program.rule_ids
        cls.rule.domain = f"[('partner_id', '!=', {cls.referrer.id})]"
        cls._create_sale_invoice(cls.dealer, 1000, date="2026-01-20")
        cls._create_sale_invoice(cls.dealer, 200, date="2026-02-20")
        cls._create_sale_invoice(cls.referrer, 400, date="2026-02-20")
        cls._create_sale_invoice(cls.stranger, 5000, date="2026-02-20")
        cls._answer_marks()

    # === FIGURES ===#

    def test_the_figures(self):
        backtest = self._run(self.program)
        self.assertEqual(backtest.reference_program_id, self.reference)
        self.assertRecordValues(
            backtest,
            [
                {
                    "total": 120,
                    "money_amount": 120,
                    "point_amount": 0,
                    "reference_total": 80,
                    "reference_money_amount": 80,
                    "difference": 40,
                    "turnover": 1600,
                    "cost_share": 7.5,
                    "reference_cost_share": 5,
                    "member_count": 2,
                    "earner_count": 1,
                    "winner_count": 1,
                    "loser_count": 1,
                    "same_count": 0,
                    "has_unvalued_points": False,
                }
            ],
        )
        self.assertTrue(backtest.run_date)

    def test_the_sentence(self):
        self.assertEqual(
            self._run(self.program).summary,
            f"Costs 40.00{NBSP}€ more than “Club of Old” from 01/01/2026 to 03/18/2026 "
            "(7.5 % of turnover instead of 5.0 %): 1 win, 1 lose, 0 stay as they are. "
            f"The largest winner is Dealer with 60.00{NBSP}€ more. "
            f"The largest loser is Referrer with 20.00{NBSP}€ less.",
        )

    def test_the_sentence_where_it_costs_less_or_as_much(self):
        self.rule.write({"rate": 5, "domain": "[]"})
        self.assertEqual(
            self._run(self.program).summary,
            "Costs as much as “Club of Old” from 01/01/2026 to 03/18/2026 (5.0 % of turnover): "
            "0 win, 0 lose, 2 stay as they are.",
        )
        self.rule.rate = 1
        self.assertEqual(
            self._run(self.program).summary,
            f"Costs 64.00{NBSP}€ less than “Club of Old” from 01/01/2026 to 03/18/2026 "
            "(1.0 % of turnover instead of 5.0 %): 0 win, 2 lose, 0 stay as they are. "
            f"The largest loser is Dealer with 48.00{NBSP}€ less.",
        )

    def test_winners_and_losers_by_name(self):
        backtest = self._run(self.program)
        winner, loser = backtest.with_env(self.env).member_ids
        self.assertRecordValues(
            winner + loser,
            [
                {
                    "partner_id": self.dealer.id,
                    "outcome": "winner",
                    "total": 120,
                    "reference_total": 60,
                    "difference": 60,
                    "turnover": 1200,
                    "tier_id": False,
                    "reference_tier_id": self.reference.tier_ids.id,
                },
                {
                    "partner_id": self.referrer.id,
                    "outcome": "loser",
                    "total": 0,
                    "reference_total": 20,
                    "difference": -20,
                    "turnover": 400,
                    "tier_id": False,
                    "reference_tier_id": self.reference.tier_ids.id,
                },
            ],
        )
        for name, expected in (("winners", winner), ("losers", loser), ("members", winner + loser)):
            with self.subTest(name=name):
                action = getattr(backtest, f"action_view_{name}")()
                self.assertEqual(self._search_as_shown(action), expected)

    def _search_as_shown(self, action):
        """Return what an action shows with the filters that it sets."""
        view = self.env["ir.ui.view"].search([("model", "=", action["res_model"]), ("type", "=", "search")])
        domain = list(action["domain"])
        for key in action["context"]:
            node = view._get_combined_arch().find(f".//filter[@name='{key.removeprefix('search_default_')}']")
            if node.get("domain"):
                domain += [("outcome", "=", key.removeprefix("search_default_")[:-1])]
                self.assertIn(domain[-1][2], node.get("domain"))
        return self.env[action["res_model"]].search(domain)

    def test_rules_and_tiers_of_the_same_name_stand_side_by_side(self):
        silver = self.env["partner.loyalty.tier"].create(
            {"name": "Silver", "threshold": 0, "program_id": self.program.id}
        )
        lines = self._run(self.program).line_ids.sorted("date")
        self.assertEqual(lines.rule_id.with_env(self.env), self.rule)
        self.assertEqual(lines.tier_id.with_env(self.env), silver)
        self.assertEqual(
            sorted(lines.mapped(lambda line: (line.total, line.reference_total, line.difference))),
            [(0, 20, -20), (20, 10, 10), (100, 50, 50)],
        )
        self.rule.name = "Another"
        lines = self._run(self.program).line_ids.with_env(self.env)
        self.assertEqual(lines.rule_id, self.rule + self.reference.rule_ids)
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines.tier_id, silver, "It is the tier of the tried program for what the other posted, too.")

    def test_each_view_of_the_lines_opens_first(self):
        backtest = self._run(self.program)
        for name, kind in (("lines", "list"), ("by_tier", "pivot"), ("by_month", "graph"), ("by_rule", "pivot")):
            with self.subTest(name=name):
                action = getattr(backtest, f"action_view_{name}")()
                self.assertEqual(action["views"][0][1], kind)
                self.assertEqual(self.env[action["res_model"]].search_count(action["domain"]), 3)

    def test_the_cost_by_segment_and_who_belongs_to_several_counts_in_each(self):
        Segment = self.env["partner.loyalty.segment"].sudo()
        Segment.search([]).active = False
        everybody, buyers, _strangers = Segment.create(
            [
                {"name": "All"},
                {
                    "name": "Silver here",
                    "partner_domain": f"[('id', '=', {self.dealer.id})]",
                    "member_domain": "[('tier_id.name', '=', 'Silver')]",
                },
                {"name": "Strangers", "partner_domain": f"[('id', '=', {self.stranger.id})]"},
            ]
        )
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        Segment.create({"name": "Elsewhere", "company_id": elsewhere.id})
        backtest = self._run(self.program)
        action = backtest.action_view_by_segment()
        self.assertEqual(action["views"][0][1], "pivot")
        groups = self.env["partner.loyalty.backtest.member"]._read_group(
            action["domain"], ["segment_ids"], ["turnover:sum", "total:sum", "reference_total:sum"]
        )
        self.assertEqual(
            {segment.sudo(): tuple(figures) for segment, *figures in groups},
            {everybody: (1600, 120, 80), buyers: (1200, 120, 60)},
        )

    def test_a_segment_that_cannot_be_read_any_more_is_named(self):
        segment = self.env["partner.loyalty.segment"].sudo().create({"name": "Broken"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE partner_loyalty_segment SET partner_domain = %s WHERE id = %s", ("[('x_gone', '=', 1)]", segment.id)
        )
        self.env.invalidate_all()
        backtest = self._create_backtest(self.program)
        with self.assertRefused("“Broken” cannot be read: correct or archive the segment"):
            backtest.action_run()
        segment.active = False
        backtest.action_run()
        self.assertTrue(backtest.run_date)

    def test_lines_add_up_by_month_and_name_their_documents(self):
        backtest = self._run(self.program)
        groups = self.env["partner.loyalty.backtest.line"]._read_group(
            [("backtest_id", "=", backtest.id)], ["date:month"], ["total:sum", "reference_total:sum"]
        )
        self.assertEqual(groups, [(date(2026, 1, 1), 100, 50), (date(2026, 2, 1), 20, 30)])
        line = backtest.line_ids.sorted("date")[0]
        invoice = self.env["account.move"].browse(line.origin_id)
        self.assertEqual(line.origin_name, invoice.name)
        self.assertEqual(line.action_open_document()["res_id"], invoice.id)

    def test_points_count_with_their_value(self):
        self.program.point_value = 0.0125
        self.rule.write({"unit": "point", "rate": 100, "domain": "[]"})
        backtest = self._run(self.program)
        self.assertRecordValues(backtest, [{"point_amount": 1600, "money_amount": 0, "total": 20, "difference": -60}])
        self.program.point_value = 0
        self.assertTrue(backtest.has_unvalued_points, "The form says that points are counted as nothing.")
        backtest.action_run()
        self.assertRecordValues(backtest, [{"point_amount": 1600, "total": 0}])

    # === WHO IS TRIED ===#

    def test_without_a_comparison_all_customers_are_tried(self):
        self._create_partner(name="Buys nothing", is_company=True)
        archived = self._create_partner(name="Archived", is_company=True)
        self._create_sale_invoice(archived, 10, date="2026-02-20")
        archived.active = False
        backtest = self._run(self.program, reference_program_id=False)
        self.assertRecordValues(
            backtest,
            [
                {
                    "reference_program_id": False,
                    "total": 620,
                    "difference": 620,
                    "member_count": 3,
                    "earner_count": 2,
                    "winner_count": 0,
                    "summary": f"Would have cost 620.00{NBSP}€ from 01/01/2026 to 03/18/2026 (9.4 % of turnover): "
                    f"2 of 3 members earn something. The largest earner is Stranger with 500.00{NBSP}€.",
                }
            ],
        )
        self.assertEqual(backtest.member_ids.partner_id.with_env(self.env), self.stranger + self.dealer + self.referrer)

    def test_customers_are_those_with_a_document_of_the_period_that_a_rule_looks_at(self):
        self.rule.write({"kind": "order", "domain": "[]"})
        self._create_order(self.referrer, 300, date="2026-02-28 23:30:00")
        self._create_order(self.stranger, 300, date="2026-03-01 00:30:00")
        backtest = self._run(self.program, reference_program_id=False, date_to="2026-02-28")
        self.assertEqual(backtest.member_ids.partner_id.with_env(self.env), self.referrer)
        self.assertEqual(backtest.total, 30)

    def test_drafts_of_rules_are_tried_in_the_place_of_the_versions_so_far(self):
        program = self._create_program([{"rate": 10, "sequence": 20}, {"name": "Other", "rate": 1, "sequence": 10}])
        partner = self._create_partner(name="Drafter", is_company=True)
        self._enroll(program, partner)
        self._create_sale_invoice(partner, 100, date="2026-02-10")
        self._answer_documents()
        first = program.rule_ids.filtered(lambda rule: rule.rate == 10)
        second = self._put_into_force(first, "2026-03-01", rate=15)
        self.env["partner.loyalty.rule"].browse(second.action_new_version()["res_id"]).rate = 20
        backtest = self._run(program)
        self.assertTrue(backtest.has_drafts)
        self.assertEqual(backtest.total, 21)
        backtest.uses_drafts = False
        self.assertFalse(backtest.run_date)
        backtest.action_run()
        self.assertEqual(backtest.total, 11)
        self.assertEqual(program.rule_ids.mapped("is_draft").count(True), 1)

    def test_members_keep_their_agreements_sponsors_and_budgets(self):
        program = self._create_program(
            [
                {"rate": 10, "budget": 25},
                {"name": "Referral", "kind": "referral", "role": "referrer", "formula": "fixed", "rate": 7},
            ]
        )
        partners = [self._create_partner(name=name, is_company=True) for name in ("Sponsor", "Newcomer")]
        dealer, brought = self._enroll(program, *partners)
        brought.referrer_id = dealer
        self.env["partner.loyalty.agreement"].create(
            {
                "name": "Launch",
                "member_id": dealer.id,
                "rule_id": program.rule_ids[0].id,
                "kind": "multiplier",
                "multiplier": 2,
                "date_from": "2026-01-01",
            }
        )
        for partner in partners:
            self._create_sale_invoice(partner, 100, date="2026-02-10")
        self._answer_documents()
        self.assertBalance(dealer, 27)
        self.assertBalance(brought, 5)
        backtest = self._run(program)
        self.assertEqual(self._get_tried(backtest), self._get_posted(program))

    def test_memberships_are_cut_to_the_period(self):
        self.dealer_member.period_ids.date_to = "2026-02-01"
        self.other_member.period_ids.write({"date_from": "2026-03-01"})
        self.rule.domain = "[]"
        backtest = self._run(self.program)
        self.assertEqual(backtest.total, 100, "What either bought outside of its membership does not count.")
        self.assertEqual(backtest.turnover, 1000)
        backtest = self._run(self.program, date_to="2026-02-28")
        self.assertEqual(backtest.with_env(self.env).member_ids.filtered("turnover").partner_id, self.dealer)
        self.assertEqual(backtest.member_count, 1)

    def test_the_program_with_most_members_is_suggested(self):
        largest = self._create_program([{}], name="Large")
        self._enroll(largest, self.dealer, self.referrer, self.stranger)
        closed = self._create_program([{}], name="Closed")
        self._enroll(closed, self.dealer, self.referrer, self.stranger, self._create_partner(name="Fourth"))
        closed.action_close()
        form = Form(self.env["partner.loyalty.backtest"].with_user(self.officer))
        form.program_id = self.program
        self.assertEqual(form.reference_program_id, largest.with_user(self.officer))
        self.assertEqual((form.date_from, form.date_to), (date(2025, 3, 1), date(2026, 2, 28)))
        backtest = form.save()
        self.assertEqual(backtest.name, "Club of Tomorrow, 03/01/2025 to 02/28/2026")
        self.assertFalse(backtest.summary)

    def test_thousands_of_members_take_no_more_queries_than_a_few(self):
        self._run(self.program)
        few = self._count_queries()
        partners = self.env["res.partner"].create([{"name": f"Dealer {number}"} for number in range(30)])
        self._enroll(self.reference, partners)
        for partner in partners[:5]:
            self._create_sale_invoice(partner, 100, date="2026-02-20")
        again = self._count_queries()
        self.assertEqual(len(again), len(few), [query for query in again if query not in few])

    def _count_queries(self):
        backtest = self._create_backtest(self.program)
        self.env.invalidate_all()
        with self._record_queries() as queries:
            backtest.action_run()
        # Without it, the queries over thousands of members are planned as if there were none.
        self.assertIn('ANALYZE "partner_loyalty_member"', queries)
        # What the cache has of users and partners depends on the tests before, and does not grow with members.
        return [query for query in queries if "partner_loyalty" in query]

    # === NOTHING REMAINS ===#

    def _get_state(self):
        """Return all that our tables hold, and what anybody would be told by."""
        self._write_marks()
        self.env.cr.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'partner\\_loyalty\\_%' OR tablename LIKE 'mail\\_%'"
            " OR tablename IN ('ir_cron_trigger', 'bus_bus') ORDER BY tablename"
        )
        state = {}
        for (table,) in self.env.cr.fetchall():
            if not table.startswith("partner_loyalty_backtest"):
                self.env.cr.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
                state[table] = self.env.cr.fetchall()
        return state

    def test_nothing_of_it_remains(self):
        self.program.write({"tier_ids": [Command.create({"name": "Silver", "threshold": 0})]})
        self.program.user_id = self.manager
        backtest = self._create_backtest(self.program)
        before = self._get_state()
        self.assertIn("partner_loyalty_entry", before)
        self.assertIn("mail_message", before)
        backtest.action_run()
        self.assertEqual(len(backtest.line_ids), 3)
        for table, rows in self._get_state().items():
            with self.subTest(table=table):
                self.assertEqual(rows, before[table])
        self.assertEqual(self.program.state, "draft")
        self.assertFalse(self.program.member_ids)

    def test_nothing_remains_where_it_fails(self):
        self.program.rule_ids.unlink()
        backtest = self._create_backtest(self.program)
        before = self._get_state()
        with self.assertRefused("has no rule yet"):
            backtest.action_run()
        self.assertEqual(self._get_state(), before)
        self.assertFalse(backtest.run_date)

    def test_a_second_run_takes_the_place_of_the_first(self):
        backtest = self._run(self.program)
        self.rule.rate = 20
        backtest.action_run()
        self.assertEqual((len(backtest.line_ids), len(backtest.member_ids)), (3, 2))
        self.assertEqual(backtest.total, 240)

    def test_it_is_not_run_twice_at_once(self):
        backtest = self._create_backtest(self.program)
        nobody = backtest.browse()
        with (
            patch.object(type(backtest), "try_lock_for_update", lambda backtests: nobody),
            self.assertRefused("Somebody is running"),
        ):
            backtest.action_run()
        self.assertFalse(backtest.run_date)

    def test_results_of_other_choices_are_forgotten(self):
        for vals in ({"date_to": "2026-02-28"}, {"reference_program_id": False}, {"date_from": "2025-12-01"}):
            backtest = self._run(self.program)
            with self.subTest(vals=vals):
                backtest.write(vals)
                self.assertFalse(backtest.line_ids or backtest.member_ids)
                self.assertRecordValues(backtest, [{"run_date": False, "total": 0, "turnover": 0, "summary": False}])
        backtest = self._run(self.program)
        backtest.name = "Kept"
        self.assertEqual(backtest.total, 120)

    def test_a_copy_has_to_be_run_itself(self):
        copy = self._run(self.program).copy()
        self.assertRecordValues(copy, [{"run_date": False, "total": 0, "line_ids": [], "member_ids": []}])

    # === RIGHTS ===#

    def test_officers_and_managers_run_backtests_and_others_do_not(self):
        backtest = self._create_backtest(self.program, user=self.manager)
        for role in ("officer", "manager"):
            with self.subTest(role=role):
                backtest.with_user(self.users[role]).action_run()
                self.assertEqual(backtest.total, 120)
        for role in ("accountant", "salesperson", "internal"):
            with self.subTest(role=role):
                with self.assertRefused("", AccessError):
                    backtest.with_user(self.users[role]).action_run()
                with self.assertRefused("", AccessError):
                    backtest.with_user(self.users[role]).read(["summary"])
                with self.assertRefused("", AccessError):
                    self._create_backtest(self.program, user=self.users[role])

    def test_managers_delete_backtests_and_officers_do_not(self):
        backtest = self._run(self.program)
        with self.assertRefused("", AccessError):
            backtest.unlink()
        lines, members = backtest.line_ids, backtest.member_ids
        backtest.with_user(self.manager).unlink()
        self.assertFalse(lines.exists() or members.exists())

    def test_results_are_not_written_by_hand(self):
        backtest = self._run(self.program)
        for vals in ({"total": 1}, {"run_date": "2026-01-01 00:00:00"}, {"winner_count": 5}):
            with self.subTest(vals=vals), self.assertRefused("", AccessError):
                backtest.with_user(self.manager).write(vals)
        for record in (backtest.line_ids[0], backtest.member_ids[0]):
            with self.subTest(record=record), self.assertRefused("", AccessError):
                record.with_user(self.manager).write({"total": 1})
        self.assertEqual(backtest.total, 120)

    # === BAD INPUT ===#

    def test_periods_that_cannot_be_are_refused(self):
        for vals, words in (
            ({"date_from": "2026-02-01", "date_to": "2026-01-31"}, "cannot end before it starts"),
            ({"date_to": "2026-03-19"}, "ends today at the latest"),
            ({"date_from": "1899-12-31"}, "four digits"),
            ({"date_from": "0026-01-01"}, "four digits"),
            ({"date_from": "9999-12-31", "date_to": "9999-12-31"}, "ends today at the latest"),
        ):
            with self.subTest(vals=vals), self.assertRefused(words):
                self._create_backtest(self.program, **vals)
        self.assertTrue(self._create_backtest(self.program, date_from=TODAY, date_to=TODAY))

    def test_a_period_without_anybody_is_refused(self):
        for vals, words in (
            ({}, "Nobody was a member of “Club of Old” in this period"),
            ({"reference_program_id": False}, "Nobody bought anything in this period"),
        ):
            backtest = self._create_backtest(self.program, date_from="2024-01-01", date_to="2024-12-31", **vals)
            with self.subTest(vals=vals), self.assertRefused(words):
                backtest.action_run()

    def test_a_comparison_without_members_is_refused(self):
        empty = self._create_program([{}], name="Empty")
        with self.assertRefused("Nobody was a member of “Empty”"):
            self._run(self.program, reference_program_id=empty.id)


@tagged("post_install", "-at_install")
class TestBacktestOfCompanies(BacktestCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b = cls.setup_other_company(name="Company B")["company"]
        cls.program = cls._create_program([{}])
        cls._enroll(cls.program, cls.dealer)
        cls.program_b = cls._create_program(
            [{}], name="Club of B", company_id=cls.company_b.id, payout_journal_id=False, payout_product_id=False
        )
        cls._enroll(cls.program_b, cls.dealer)
        cls._create_sale_invoice(cls.dealer, 100, date="2026-02-20")

    def test_a_program_of_another_company_is_no_comparison(self):
        with self.assertRefused("compan"):
            self._create_backtest(self.program, user=self.env.user, reference_program_id=self.program_b.id)

    def test_officers_of_another_company_see_and_run_none(self):
        backtest = self._run(self.program)
        officer_b = self._create_role_user(
            "officer_b",
            "partner_loyalty.partner_loyalty_group_officer",
            company_id=self.company_b.id,
            company_ids=[Command.set(self.company_b.ids)],
        )
        for record in (backtest, backtest.line_ids, backtest.member_ids):
            with self.subTest(model=record._name):
                self.assertTrue(record)
                self.assertFalse(self.env[record._name].with_user(officer_b).search([]))
        with self.assertRefused("", AccessError):
            backtest.with_user(officer_b).action_run()
        with self.assertRefused("", AccessError):
            self._create_backtest(self.program, user=officer_b)
