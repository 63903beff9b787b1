"""What members are measured by: each shipped metric, the parts that metrics are made of, and who may make them."""

from datetime import date, timedelta

from lxml.etree import fromstring

from odoo.exceptions import AccessError
from odoo.fields import Command, Datetime
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import SQL

from odoo.addons.partner_loyalty.tools.window import Window

from .common import TODAY
from .test_contribution_kinds import KindsCommon

# A year up to the day on which the tests run.
YEAR = Window(date(2025, 3, 19), date(2026, 3, 18), 12)


class MetricCommon(KindsCommon):
    """A program with three members since 2024."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0)], date_from="2024-01-01")
        cls.member, cls.bringer, cls.idle = cls._enroll(
            cls.program, cls.dealer, cls.referrer, cls.stranger, date_from="2024-01-01"
        )
        cls.customer = cls._create_partner(name="Customer", is_company=True, email="customer@example.com")

    @classmethod
    def _create_metric(cls, **values):
        return cls.env["partner.loyalty.metric"].create({"name": "Measure", **values})

    @classmethod
    def _get_shipped(cls, name):
        return cls.env.ref(f"partner_loyalty.partner_loyalty_metric_{name}")

    @classmethod
    def _enter(cls, member, value, metric=None, day=TODAY, **values):
        return cls.env["partner.loyalty.metric.value"].create(
            {
                "metric_id": (metric or cls._get_shipped("audit")).id,
                "member_id": member.id,
                "date": day,
                "value": value,
                "reference": "Visit",
                **values,
            }
        )

    def _get_value(self, metric, member=None, window=YEAR):
        value = metric._get_values(self.program, window)[(member or self.member).id]
        return value if value is None else float(value)

    def assertValue(self, metric, expected, member=None, window=YEAR):
        self.assertEqual(self._get_value(metric, member, window), expected)


@tagged("post_install", "-at_install")
class TestShippedMetrics(MetricCommon):
    roles = ()

    def _play(self):
        """Let the dealer buy, and the referrer bring others."""
        campaigns = self.env["utm.campaign"].create([{"name": "Spring"}, {"name": "Autumn"}])
        self._create_order(self.dealer, 100, date="2026-01-10 10:00:00")
        self._create_order(self.dealer, 200, date="2026-02-10 10:00:00", campaign_id=campaigns[0].id)
        self._create_order(self.dealer, 300, date="2026-03-08 10:00:00", campaign_id=campaigns[1].id)
        self._create_sale_invoice(self.dealer, 500, date="2024-06-01")
        paid = self._create_sale_invoice(self.dealer, 400, date="2026-01-15", invoice_date_due="2026-01-31")
        self._pay(paid, date="2026-01-20")
        late = self._create_sale_invoice(self.dealer, 600, date="2026-02-15", invoice_date_due="2026-03-01")
        self._credit(late, 100)
        self._take(self._create_survey(), self.dealer_contact)
        self._post_entry(self.member, 70, unit="point")
        self._post_entry(self.member, -20, unit="point")
        self._bring()

    def _ask(self, member, *hours):
        """Let a member ask questions that are answered after so many hours, and one that waits."""
        for took in (*hours, None):
            inquiry = self.env["partner.loyalty.inquiry"].create({"member_id": member.id, "name": "Q", "text": "Why?"})
            inquiry.sudo().write(
                {
                    "asked_at": "2026-03-02 10:00:00",
                    "answered_at": took and Datetime.to_datetime("2026-03-02 10:00:00") + timedelta(hours=took),
                }
            )

    def _bring(self):
        """Let the referrer bring a deal, a customer who stays, one who returns all, and a member."""
        brought = {"loyalty_partner_id": self.referrer.id}
        self._create_lead(self.customer, **brought)
        self._create_lead(self.customer, win=False, **brought)
        self._create_sale_invoice(self.customer, 1000, date="2026-02-01", **brought)
        self._create_sale_invoice(self.customer, 500, date="2026-02-20", **brought)
        leaver = self._create_partner(name="Leaver", is_company=True)
        self._credit(self._create_sale_invoice(leaver, 500, date="2026-02-01", **brought), date="2026-03-01")
        self.idle.referrer_id = self.bringer
        self._create_sale_invoice(self.stranger, 50, date="2026-03-01")
        self._enter(self.bringer, 80)
        self._ask(self.bringer, 2, 5, 48)

    def test_each_shipped_metric_says_what_it_should(self):
        self._play()
        table = {
            "turnover": (self.member, 900),
            "growth": (self.member, 80),
            "orders": (self.member, 3),
            "average_order": (self.member, 200),
            "repeat_orders": (self.member, 2),
            "repeat_rate": (self.member, 66.6667),
            "active_months": (self.member, 3),
            "recency": (self.member, 10),
            "campaigns": (self.member, 2),
            "certificates": (self.member, 1),
            "points_earned": (self.member, 50),
            "paid_on_time": (self.member, 50),
            "deals_won": (self.bringer, 1),
            "new_customers": (self.bringer, 1),
            "referrals": (self.bringer, 1),
            "audit": (self.bringer, 80),
            # Of 2000 brought 500 came back, which weighs 30, and the audit weighs 20; nobody has answered.
            "service_quality": (self.bringer, 77),
            "answer": (self.bringer, 5),
        }
        for name, (member, expected) in table.items():
            with self.subTest(metric=name):
                self.assertValue(self._get_shipped(name), expected, member)
        shipped = self.env["ir.model.data"].search(
            [("module", "=", "partner_loyalty"), ("model", "=", "partner.loyalty.metric")]
        )
        prefix = "partner_loyalty_metric_"
        self.assertEqual(sorted(name.removeprefix(prefix) for name in shipped.mapped("name")), sorted(table))

    def test_a_member_who_did_nothing_has_nothing_or_no_value(self):
        counted = ("turnover", "orders", "repeat_orders", "active_months", "new_customers", "points_earned")
        for name in counted:
            with self.subTest(metric=name):
                self.assertValue(self._get_shipped(name), 0)
        for name in (
            "growth",
            "average_order",
            "repeat_rate",
            "recency",
            "paid_on_time",
            "audit",
            "service_quality",
            "answer",
        ):
            with self.subTest(metric=name):
                self.assertValue(self._get_shipped(name), None)

    def test_each_shipped_metric_is_described_and_reads_as_what_it_is(self):
        for name, unit, direction in (
            ("turnover", "money", "up"),
            ("growth", "percent", "up"),
            ("orders", "number", "up"),
            ("repeat_rate", "percent", "up"),
            ("recency", "days", "down"),
            ("points_earned", "points", "up"),
            ("paid_on_time", "percent", "up"),
            ("audit", "number", "up"),
            ("service_quality", "percent", "up"),
            ("answer", "hours", "down"),
        ):
            with self.subTest(metric=name):
                metric = self._get_shipped(name)
                self.assertEqual((metric.unit, metric.direction), (unit, direction))
                self.assertTrue(
                    metric.description.endswith(".") or ";" in metric.description or ":" in metric.description
                )

    def test_all_members_are_measured_by_one_query_however_many_there_are(self):
        self._play()
        metrics = self.env["partner.loyalty.metric"].search([])
        before = self._count_queries(metrics)
        partners = [self._create_partner(name=f"Partner {number}", is_company=True) for number in range(20)]
        self._enroll(self.program, *partners)
        self.assertEqual(self._count_queries(metrics), before)

    def _count_queries(self, metrics):
        """Return how many queries it takes to measure all members, once what they need of programs was read."""
        for _round in range(2):
            with self._record_queries() as queries:
                for metric in metrics:
                    metric._get_values(self.program, YEAR)
        self.assertEqual(len([query for query in queries if "measured" in query]), len(metrics))
        return len(queries)


@tagged("post_install", "-at_install")
class TestMeasure(MetricCommon):
    roles = ()

    # === WHAT COUNTS ===#

    def test_what_was_credited_in_full_counts_no_more(self):
        kept = self._create_sale_invoice(self.dealer, 100, date="2026-03-02")
        returned = self._create_sale_invoice(self.dealer, 100, date="2026-03-03")
        for aggregate, field, before, after in (
            ("count", "amount", 2, 1),
            ("average", "amount", 100, 60),
            ("last", "amount", 15, 16),
            ("distinct", "month", 1, 1),
        ):
            with self.subTest(aggregate=aggregate), self.env.cr.savepoint() as savepoint:
                metric = self._create_metric(kind="invoice", aggregate=aggregate, field=field)
                self.assertValue(metric, before)
                self._credit(returned)
                self._credit(kept, 40)
                self.assertValue(metric, after)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_filter_leaves_out_what_does_not_match(self):
        other = self._create_product(name="Other", lst_price=1, taxes_id=False)
        self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 30, product=other)
        self.assertValue(self._create_metric(domain=f"[('product_id', '=', {other.id})]"), 30)

    def test_amounts_quantities_and_different_ones_are_told_apart(self):
        other = self._create_product(name="Other", lst_price=1, taxes_id=False)
        invoice = self._create_sale_invoice(self.dealer, 100, 200, post=False)
        invoice.invoice_line_ids[0].quantity = 3
        invoice.action_post()
        self._create_sale_invoice(self.dealer, 40, product=other)
        for aggregate, field, expected in (
            ("sum", "amount", 540),
            ("sum", "quantity", 5),
            ("average", "amount", 270),
            ("average", "quantity", 2.5),
            ("distinct", "product", 2),
            ("distinct", "customer", 1),
        ):
            with self.subTest(aggregate=aggregate, field=field):
                self.assertValue(self._create_metric(aggregate=aggregate, field=field), expected)

    def test_what_was_done_before_joining_does_not_count(self):
        self._create_sale_invoice(self.customer, 100, date="2026-03-01")
        member = self._enroll(self.program, self.customer, date_from="2026-03-05")
        self._create_sale_invoice(self.customer, 7, date="2026-03-05")
        self.assertValue(self._get_shipped("turnover"), 7, member)

    def test_what_was_taken_back_of_a_document_is_not_earned(self):
        count = self._create_metric(source="ledger", aggregate="count")
        last = self._create_metric(source="ledger", aggregate="last")
        average = self._create_metric(source="ledger", aggregate="average")
        self._post_entry(self.member, 30, unit="point", contribution_date=self._day("2026-03-08"))
        self._post_entry(self.member, 10, unit="point", contribution_date=self._day("2026-03-09"))
        self._post_entry(self.member, 500, unit="money", contribution_date=self._day("2026-03-10"))
        origin = self._create_partner(name="Taken back")
        day = self._day("2026-03-15")
        for revision, amount in enumerate((5, -5)):
            self._post_entry(self.member, amount, "point", origin=origin, contribution_date=day, revision=revision)
        for metric, expected in ((count, 2), (last, 9), (average, 20)):
            self.assertValue(metric, expected)

    def test_points_that_were_spent_or_came_from_elsewhere_are_neither_lost_nor_earned(self):
        self._post_entry(self.member, 30, unit="point")
        self._post_entry(self.member, 100, unit="point", entry_type="opening")
        self._post_entry(self.member, -10, unit="point", entry_type="adjustment")
        self.assertValue(self._get_shipped("points_earned"), 30)

    def test_entered_values_are_added_up_averaged_or_the_last_one_counts(self):
        for aggregate, expected in (("sum", 9), ("average", 4.5), ("count", 2), ("last", 6)):
            with self.subTest(aggregate=aggregate):
                metric = self._create_metric(source="entered", aggregate=aggregate)
                self._enter(self.member, 6, metric, "2026-03-02")
                self._enter(self.member, 3, metric, "2026-03-01")
                self._enter(self.member, 50, metric, "2026-03-19")
                self._enter(self.bringer, 70, metric)
                self.assertValue(metric, expected)

    def test_what_falls_due_today_can_still_be_paid_on_time(self):
        metric = self._get_shipped("paid_on_time")
        self._create_sale_invoice(self.dealer, 100, date="2026-03-01", invoice_date_due=TODAY)
        self.assertValue(metric, None)
        late = self._create_sale_invoice(self.dealer, 100, date="2026-03-01", invoice_date_due="2026-03-10")
        self.assertValue(metric, 0)
        self._pay(late, date="2026-03-11")
        self.assertValue(metric, 0)
        good = self._create_sale_invoice(self.dealer, 100, date="2026-03-01", invoice_date_due="2026-03-10")
        self._pay(good, 60, date="2026-03-09")
        self._pay(good, date="2026-03-10")
        self.assertValue(metric, 50)

    def test_an_invoice_that_was_credited_in_full_was_never_due(self):
        invoice = self._create_sale_invoice(self.dealer, 100, date="2026-03-01", invoice_date_due="2026-03-10")
        self._credit(invoice)
        self.assertValue(self._get_shipped("paid_on_time"), None)

    # === WHEN ===#

    def test_the_first_and_the_last_day_of_a_window_count(self):
        for day, amount in (("2026-01-31", 1), ("2026-02-01", 10), ("2026-02-28", 100), ("2026-03-01", 1000)):
            self._create_sale_invoice(self.dealer, amount, date=day)
        february = Window(date(2026, 2, 1), date(2026, 2, 28), 1)
        self.assertValue(self._get_shipped("turnover"), 110, window=february)
        self.assertValue(self._get_shipped("turnover"), 111, window=february._replace(first=None))

    def test_days_are_those_of_the_program(self):
        self.program.tz = "Pacific/Auckland"
        self._create_order(self.dealer, 100, date="2026-01-31 12:00:00")
        february = Window(date(2026, 2, 1), date(2026, 2, 28), 1)
        self.assertValue(self._get_shipped("orders"), 1, window=february)
        self._create_order(self.dealer, 100, date="2026-02-28 12:00:00")
        self.assertValue(self._get_shipped("orders"), 1, window=february)

    def test_the_days_since_the_last_one_look_back_beyond_the_window(self):
        self._create_order(self.dealer, 100, date="2025-12-31 10:00:00")
        self.assertValue(self._get_shipped("recency"), 59, window=Window(date(2026, 2, 1), date(2026, 2, 28), 1))

    def test_members_can_have_days_of_their_own(self):
        for partner in (self.dealer, self.referrer, self.stranger):
            self._create_sale_invoice(partner, 1, date="2026-01-15")
            self._create_sale_invoice(partner, 10, date="2026-02-15")
        spans = SQL(
            "VALUES (%s, '2026-01-01'::date, '2026-01-31'::date), (%s, '2026-02-01', '2026-03-18')",
            self.member.id,
            self.bringer.id,
        )
        spans = SQL("SELECT root_id, first_day, last_day FROM (%s) AS own (root_id, first_day, last_day)", spans)
        window = Window(date(2026, 1, 1), date(2026, 3, 18), 1, spans=spans)
        last = self._create_metric(aggregate="last")
        for member, turnover, days in ((self.member, 1, 16), (self.bringer, 10, 31), (self.idle, 0, None)):
            with self.subTest(member=member.display_name):
                self.assertValue(self._get_shipped("turnover"), turnover, member, window)
                self.assertValue(last, days, member, window)

    def test_each_member_is_compared_with_its_own_days_of_the_period_before(self):
        for day, amount in (("2026-01-01", 20), ("2026-01-31", 20), ("2026-02-28", 50)):
            self._create_sale_invoice(self.dealer, amount, date=day)
        spans = SQL(
            "SELECT %s AS root_id, '2026-02-01'::date AS first_day, '2026-02-28'::date AS last_day", self.member.id
        )
        window = Window(date(2026, 1, 19), date(2026, 3, 18), 1, spans=spans)
        # A whole February is compared with a whole January.
        self.assertValue(self._get_shipped("growth"), 25, window=window)

    # === GROWTH AND SHARE ===#

    def test_growth_compares_with_the_period_before(self):
        growth = self._get_shipped("growth")
        february = Window(date(2026, 2, 1), date(2026, 2, 28), 1)
        self._create_sale_invoice(self.dealer, 150, date="2026-02-15")
        self.assertValue(growth, None, window=february)
        self._create_sale_invoice(self.dealer, 100, date="2026-01-31")
        self.assertValue(growth, 50, window=february)
        self._create_sale_invoice(self.referrer, 10, date="2026-01-02")
        self.assertValue(growth, -100, self.bringer, february)
        self.assertValue(growth, None, window=february._replace(first=None))

    def test_the_period_before_is_as_long_and_ends_the_day_before(self):
        for first, last, months, previous_first, previous_last in (
            ("2026-02-01", "2026-02-28", 1, "2026-01-01", "2026-01-31"),
            ("2026-01-01", "2026-03-31", 3, "2025-10-01", "2025-12-31"),
            ("2025-03-19", "2026-03-18", 12, "2024-03-19", "2025-03-18"),
            ("2026-01-01", "2026-03-18", 12, "2025-01-01", "2025-03-18"),
            ("2026-03-01", "2026-03-10", None, "2026-02-19", "2026-02-28"),
            ("2026-02-28", "2026-03-30", 1, "2026-01-28", "2026-02-27"),
        ):
            with self.subTest(first=first, last=last):
                window = Window(self._day(first), self._day(last), months).get_previous()
                self.assertEqual((window.first, window.last), (self._day(previous_first), self._day(previous_last)))

    def test_the_last_month_is_a_whole_month_at_its_end(self):
        Metric = self.env["partner.loyalty.metric"]
        for last, period, first in (
            ("2026-02-28", "month", "2026-02-01"),
            ("2026-03-31", "quarter", "2026-01-01"),
            (TODAY, "year", "2025-03-19"),
        ):
            with self.subTest(last=last, period=period):
                self.assertEqual(Metric._get_trailing_window(self._day(last), period).first, self._day(first))

    def test_a_share_is_per_cent_of_the_other_metric(self):
        other = self._create_product(name="Other", lst_price=1, taxes_id=False)
        share = self._create_metric(
            base_id=self._get_shipped("turnover").id, domain=f"[('product_id', '=', {other.id})]"
        )
        self.assertEqual(share.unit, "percent")
        self.assertValue(share, None)
        self._create_sale_invoice(self.dealer, 60)
        self.assertValue(share, 0)
        self._create_sale_invoice(self.dealer, 20, product=other)
        self.assertValue(share, 25)

    # === WHOSE ===#

    def test_only_the_members_asked_for_are_measured(self):
        self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.referrer, 10)
        for metric in self.env["partner.loyalty.metric"].search([]):
            with self.subTest(metric=metric.name):
                values = metric._get_values(self.program, YEAR._replace(member_ids=(self.bringer.id,)))
                self.assertEqual(list(values), [self.bringer.id])
        self.assertValue(self._get_shipped("turnover"), 10, self.bringer, YEAR._replace(member_ids=(self.bringer.id,)))

    def test_what_a_merged_member_did_counts_for_the_one_that_goes_on(self):
        self._do_something(self.dealer, self.member)
        self.member._merge_into(self.bringer)
        for name, expected in (("turnover", 100), ("points_earned", 7), ("paid_on_time", 0), ("audit", 60)):
            with self.subTest(metric=name):
                self.assertValue(self._get_shipped(name), expected, self.bringer)
                self.assertNotIn(self.member.id, self._get_shipped(name)._get_values(self.program, YEAR))

    def test_turnover_that_was_not_taken_over_stays_where_it_was(self):
        self._do_something(self.dealer, self.member)
        self.member.sudo().keeps_turnover = True
        self.member._merge_into(self.bringer)
        turnover = self._get_shipped("turnover")
        self.assertValue(turnover, 100)
        self.assertValue(turnover, 0, self.bringer)
        self.assertValue(turnover, 100, self.bringer, YEAR._replace(by="root_id"))
        self.assertEqual(self._get_sum_of_ledger("turnover_root_id"), {self.member.id: 7})
        self.assertEqual(self._get_sum_of_ledger("root_id"), {self.bringer.id: 7})

    def _get_sum_of_ledger(self, by):
        values = self._get_shipped("points_earned")._get_values(self.program, YEAR._replace(by=by))
        return {member_id: float(value) for member_id, value in values.items() if value}

    def test_nothing_counts_twice_after_contacts_were_merged(self):
        self._do_something(self.dealer, self.member)
        self._do_something(self.referrer, self.bringer)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.dealer | self.referrer).ids, self.referrer)
        self.env.invalidate_all()
        for name, expected in (("turnover", 200), ("points_earned", 14)):
            with self.subTest(metric=name):
                self.assertValue(self._get_shipped(name), expected, self.bringer)
        count = self._create_metric(kind="invoice", aggregate="count")
        self.assertValue(count, 2, self.bringer)

    def _do_something(self, partner, member):
        self._create_sale_invoice(partner, 100, date="2026-03-01", invoice_date_due="2026-03-02")
        self._post_entry(member, 7, unit="point")
        self._enter(member, 60)


@tagged("post_install", "-at_install")
class TestMetric(MetricCommon):
    roles = ("officer", "manager", "salesperson", "administrator")

    # === MAKING ONE ===#

    def test_a_manager_makes_a_metric_and_sees_the_value_of_a_partner_at_once(self):
        self._create_sale_invoice(self.dealer, 1234.5)
        self._create_sale_invoice(self.dealer, 100, date="2026-02-01")
        with Form(self.env["partner.loyalty.metric"].with_user(self.users["manager"])) as form:
            form.name = "Invoiced"
            self.assertFalse(form.sample_value)
            form.sample_member_id = self.member
            self.assertIn("1,334.50", form.sample_value)
            form.sample_period = "month"
            self.assertIn("1,234.50", form.sample_value)
            form.aggregate = "count"
            self.assertEqual(form.sample_value, "1")
            form.aggregate = "last"
            self.assertEqual(form.sample_value, "0 days")
            form.source = "entered"
            self.assertEqual(form.sample_value, "no value")
            form.source = "quality"
            self.assertEqual(form.sample_value, "100 %")
            self.assertEqual(form.audit_metric_id, self._get_shipped("audit"))
        self.assertEqual(form.record.unit, "percent")

    def test_half_of_a_metric_has_no_value_yet(self):
        with Form(self.env["partner.loyalty.metric"]) as form:
            form.name = "Referred"
            form.sample_member_id = self.member
            form.kind = "deal"
            self.assertEqual(form.sample_value, "")
            form.role = "referrer"
            self.assertIn("0.00", form.sample_value)
            form.domain = "[('no_such_field', '=', 1)]"
            self.assertEqual(form.sample_value, "")
            form.domain = "[]"

    def test_a_value_is_tried_on_members_and_by_filters_alone_that_the_user_may_see(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        program = self._create_program(
            [{}], company_id=other.id, payout_journal_id=False, payout_product_id=False, name="Elsewhere"
        )
        stranger = self._enroll(program, self.dealer)
        metric = self._get_shipped("orders").with_user(self.users["manager"])
        for member, domain, expected in (
            (self.member, "[]", "0"),
            (stranger, "[]", ""),
            (self.member, "[('partner_id.user_ids.password', 'like', 'x')]", ""),
        ):
            with self.subTest(member=member.display_name, domain=domain):
                result = metric.onchange(
                    {"sample_member_id": member.id, "domain": domain, "sample_period": "year"},
                    ["sample_member_id", "domain"],
                    {"sample_member_id": {}, "domain": {}, "sample_period": {}, "sample_value": {}},
                )
                self.assertEqual(result["value"].get("sample_value", ""), expected)

    def test_what_makes_no_sense_is_refused_with_a_sentence(self):
        turnover = self._get_shipped("turnover")
        for values, words in (
            ({"kind": "invoice", "role": "member"}, "possible is “Buyer”"),
            ({"aggregate": "sum", "field": "customer"}, "choose one of Untaxed amount, Quantity"),
            ({"aggregate": "distinct", "field": "amount"}, "choose one of Customers"),
            ({"source": "ledger", "aggregate": "distinct"}, "choose another calculation"),
            ({"source": "entered", "aggregate": "distinct"}, "choose another calculation"),
            ({"aggregate": "last", "is_growth": True}, "switch off its growth"),
            ({"domain": "[('no_such_field', '=', 1)]"}, "build it with the filter editor"),
            ({"domain": "not a list"}, "build it with the filter editor"),
            ({"source": "quality", "audit_weight": -1}, "enter zero to leave it out"),
            ({"source": "quality", "minimum_answers": 0}, "enter 1 or more"),
            (
                {"source": "quality", "survey_weight": 0, "return_weight": 0, "audit_weight": 0},
                "enter one for answers, returns or audits",
            ),
            ({"source": "quality", "audit_metric_id": turnover.id}, "enter 0 as the weight of audits"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self._create_metric(**values)
        self.assertTrue(self._create_metric(source="quality", audit_weight=0, audit_metric_id=turnover.id))

    def test_what_members_wait_for_neither_pays_nor_promotes(self):
        waiting, orders = self._get_shipped("answer"), self._get_shipped("orders")
        share = self._create_metric(base_id=waiting.id)
        goal = self.env["partner.loyalty.goal"].create(
            {
                "name": "Soon",
                "program_id": self.program.id,
                "scope": "member",
                "metric_id": waiting.id,
                "target": 24,
                "date_from": "2026-01-01",
                "date_to": "2026-12-31",
            }
        )
        self.assertEqual((goal.unit, goal.direction), ("hours", "down"))
        gold = self.env["partner.loyalty.tier"].create(
            {"name": "Gold", "program_id": self.program.id, "threshold": 1000}
        )
        criterion = {"tier_id": gold.id, "minimum": 1}
        action = {"name": "Bonus", "program_id": self.program.id, "kind": "order", "role": "buyer"}
        for metric in (waiting, share):
            with self.subTest(metric=metric.name), self.assertRefused("neither pays nor promotes"):
                self.env["partner.loyalty.tier.criterion"].create({**criterion, "metric_id": metric.id})
            with self.subTest(metric=metric.name), self.assertRefused("choose another metric for “Bonus”"):
                self.env["partner.loyalty.bonus.action"].create(
                    {**action, "condition": "value", "metric_id": metric.id}
                )
        bonus = self.env["partner.loyalty.bonus.action"]
        with self.assertRefused("choose another metric for “Bonus”"):
            bonus.create({**action, "condition": "goal", "goal_id": goal.id})
        goal.metric_id = orders
        bonus.create({**action, "condition": "goal", "goal_id": goal.id})
        with self.assertRefused("neither pays nor promotes"):
            goal.metric_id = waiting
        counted = self._create_metric(kind="order", aggregate="count")
        self.env["partner.loyalty.tier.criterion"].create({**criterion, "metric_id": counted.id})
        for values in ({"source": "answer"}, {"base_id": waiting.id}):
            with self.subTest(values=values), self.assertRefused("choose another metric for “"):
                counted.write(values)

    def test_a_metric_is_no_share_of_itself(self):
        share = self._create_metric(base_id=self._get_shipped("orders").id)
        with self.assertRefused("choose another metric"):
            self._get_shipped("orders").base_id = share

    def test_a_metric_that_another_one_needs_is_not_deleted(self):
        for name, user in (("orders", "Repeat Rate"), ("audit", "Service Quality")):
            with self.subTest(name=name), self.assertRefused(f"is used by {user}: archive it"):
                self._get_shipped(name).unlink()
        self._get_shipped("orders").active = False
        self.assertTrue(self._get_shipped("turnover").unlink())

    def test_a_shipped_metric_can_be_copied_and_changed(self):
        copy = self._get_shipped("orders").copy()
        self.assertEqual(copy.name, "Orders (copy)")
        copy.kind = "invoice"
        self.assertEqual(self._get_shipped("orders").kind, "order")

    def test_a_share_of_a_metric_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        base = self._create_metric(company_id=other.id)
        with self.assertRefused("belongs to"):
            self._create_metric(base_id=base.id, company_id=self.company.id)

    # === ENTERED VALUES ===#

    def test_a_value_is_entered_for_a_metric_of_entered_values_alone(self):
        with self.assertRefused("is worked out and takes no values: choose a metric"):
            self._enter(self.member, 1, self._get_shipped("turnover"))

    def test_a_metric_with_values_stays_one_of_entered_values(self):
        metric = self._create_metric(source="entered", aggregate="last")
        metric.source = "contribution"
        metric.source = "entered"
        self._enter(self.member, 1, metric)
        with self.assertRefused("create another metric"):
            metric.source = "contribution"

    def test_a_score_of_an_audit_is_from_0_to_100(self):
        for score in (-1, 100.5):
            with self.subTest(score=score), self.assertRefused("from 0 to 100"):
                self._enter(self.member, score)
        for number, score in enumerate((0, 100)):
            self.assertTrue(self._enter(self.member, score, reference=str(number)))
        self.assertTrue(self._enter(self.member, 500, self._create_metric(source="entered", aggregate="last")))

    def test_a_value_comes_once_from_a_source(self):
        self._enter(self.member, 10)
        self._enter(self.member, 20, reference="Another visit")
        with self.assertRefused("change that one instead"):
            self._enter(self.member, 30)

    def test_a_value_for_a_member_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        metric = self._create_metric(source="entered", aggregate="last", company_id=other.id)
        with self.assertRefused("belongs to"):
            self._enter(self.member, 10, metric)

    def test_values_are_imported_with_date_and_source(self):
        officer = self.users["officer"]
        Value = self.env["partner.loyalty.metric.value"].with_user(officer)
        columns = ["metric_id", "member_id", "date", "value", "reference"]
        rows = [
            ["Audit Score", "Dealer", "2026-03-01", "70", "Report"],
            ["Audit Score", "Referrer", "2026-03-02", "85.5", "Report"],
        ]
        result = Value.load(columns, rows)
        self.assertFalse(result["messages"])
        self.assertRecordValues(
            Value.browse(result["ids"]),
            [
                {"member_id": self.member.id, "date": self._day("2026-03-01"), "value": 70, "reference": "Report"},
                {"member_id": self.bringer.id, "date": self._day("2026-03-02"), "value": 85.5, "reference": "Report"},
            ],
        )
        self.assertValue(self._get_shipped("audit"), 85.5, self.bringer)
        for row, words in (
            (["Turnover", "Dealer", "2026-03-01", "70", "Report"], "takes no values"),
            (["Audit Score", "Dealer", "2026-03-06", "170", "Report"], "from 0 to 100"),
            (["Audit Score", "Dealer", "soon", "70", "Report"], "date"),
            (["Audit Score", "Dealer", "2026-03-01", "70", "Report"], "already"),
            (["Audit Score", "Dealer", "2026-03-05", "70", ""], "Source"),
        ):
            with self.subTest(row=row):
                result = Value.load(columns, [row])
                self.assertFalse(result["ids"])
                self.assertIn(words, str(result["messages"]))

    # === ALL MEMBERS ===#

    def _read(self, metric, **values):
        """Open the dialog by the button of a metric, and return the lines that it shows."""
        action = metric.with_user(self.users["officer"]).action_view_members()
        dialog = Form(self.env[action["res_model"]].with_user(self.users["officer"]).with_context(**action["context"]))
        dialog.program_id = self.program
        for name, value in values.items():
            setattr(dialog, name, value)
        action = dialog.save().action_read_values()
        return self.env[action["res_model"]].with_user(self.users["officer"]).search(action["domain"])

    def test_an_officer_sees_the_values_of_all_members_the_best_first(self):
        self._create_sale_invoice(self.referrer, 300)
        self._create_sale_invoice(self.dealer, 200)
        self._create_sale_invoice(self.dealer, 500, date="2026-02-01")
        turnover = self._get_shipped("turnover")
        lines = self._read(turnover)
        self.assertRecordValues(
            lines,
            [
                {"rank": 1, "member_id": self.member.id, "value": 700},
                {"rank": 2, "member_id": self.bringer.id, "value": 300},
                {"rank": 3, "member_id": self.idle.id, "value": 0},
            ],
        )
        self.assertIn("700.00", lines[0].text)
        self.assertEqual(self._read(turnover, period="month").member_id[0], self.bringer)
        self.assertEqual(self._read(turnover, period="month", date="2026-02-28").mapped("value"), [500, 0, 0])

    def test_less_is_better_where_a_metric_says_so(self):
        self._create_order(self.dealer, 100, date="2026-03-01 10:00:00")
        self._create_order(self.referrer, 100, date="2026-03-10 10:00:00")
        self.assertRecordValues(
            self._read(self._get_shipped("recency")),
            [
                {"rank": 1, "member_id": self.bringer.id, "text": "8 days"},
                {"rank": 2, "member_id": self.member.id, "text": "17 days"},
                {"rank": 0, "member_id": self.idle.id, "text": "no value"},
            ],
        )

    def test_equal_members_share_a_rank(self):
        for partner in (self.dealer, self.referrer):
            self._create_order(partner, 100)
        self.assertEqual(self._read(self._get_shipped("orders")).mapped("rank"), [1, 1, 3])

    def test_who_was_no_member_then_is_not_shown(self):
        with self.assertRefused("Nobody was a member of “Dealer Club”"):
            self._read(self._get_shipped("orders"), date="2023-12-31")

    # === RIGHTS ===#

    def test_who_may_only_read_metrics_is_shown_no_fields_to_try_them_and_the_button_that_lists_members(self):
        for role, can_try in (("officer", False), ("manager", True)):
            form = self.env["partner.loyalty.metric"].with_user(self.users[role]).get_view(view_type="form")
            arch = fromstring(form["arch"])
            with self.subTest(role=role):
                self.assertEqual(bool(arch.xpath("//field[@name='sample_member_id']")), can_try)
                self.assertTrue(arch.xpath("//header/button[@name='action_view_members']"))

    def test_managers_make_metrics_and_officers_enter_values(self):
        officer, manager = self.users["officer"], self.users["manager"]
        metric = self.env["partner.loyalty.metric"].with_user(manager).create({"name": "Own"})
        metric.write({"source": "entered", "aggregate": "last"})
        value = self._enter(self.member, 3, metric).with_user(officer)
        value.value = 4
        self.assertValue(metric.with_env(self.env), 4)
        with self.assertRefused("", AccessError):
            metric.with_user(officer).name = "Ours"
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.metric"].with_user(officer).create({"name": "Ours"})
        value.unlink()
        metric.unlink()

    def test_salespeople_neither_see_metrics_nor_values(self):
        value = self._enter(self.member, 3)
        for record in (value, value.metric_id):
            with self.subTest(model=record._name), self.assertRefused("", AccessError):
                record.with_user(self.users["salesperson"]).read(["display_name"])
        reading = {"metric_id": value.metric_id.id, "program_id": self.program.id}
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.metric.reading"].with_user(self.users["salesperson"]).create(reading)

    def test_metrics_of_another_company_are_nobody_elses(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        metric = self._create_metric(company_id=other.id)
        found = self.env["partner.loyalty.metric"].with_user(self.users["manager"]).search([])
        self.assertNotIn(metric.id, found.ids)
        self.assertIn(self._get_shipped("turnover").id, found.ids)
        self.users["manager"].company_ids = [Command.link(other.id)]
        both = self.env["partner.loyalty.metric"].with_user(self.users["manager"])
        both = both.with_context(allowed_company_ids=(self.company + other).ids)
        self.assertIn(metric.id, both.search([]).ids)


@tagged("post_install", "-at_install")
class TestMetricForm(MetricCommon, HttpCase):
    """The form as the browser shows it to who may read metrics alone."""

    roles = ("officer",)

    def test_an_officer_opens_a_saved_metric_and_reads_the_values_of_members(self):
        self._create_sale_invoice(self.dealer, 1234.5)
        url = f"/odoo/loyalty-metrics/{self._get_shipped('turnover').id}"
        self.start_tour(url, "partner_loyalty_read_metric", login=self.users["officer"].login)
