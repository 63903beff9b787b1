"""Who goes quiet, measured against its own past, who is told, and what becomes of it."""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.fields import Command, Date
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import PartnerLoyaltyCommon

SPACE = "\N{NO-BREAK SPACE}"


class WarningCommon(PartnerLoyaltyCommon):
    """Two members since 2024, one of which has an account manager."""

    roles = ("officer", "manager", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{}], tiers=[("Silver", 0), ("Gold", 500)], date_from="2024-01-01", user_id=cls.users["manager"].id
        )
        cls.silver, cls.gold = cls.program.tier_ids
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer, date_from="2024-01-01")
        cls.seller = cls.users["salesperson"]
        cls.dealer.user_id = cls.seller

    # === FACTORIES ===#

    @classmethod
    def _sell_on(cls, partner, *days, amount=100):
        return [cls._create_sale_invoice(partner, amount, date=day) for day in days]

    @classmethod
    def _sell_every(cls, partner, interval, last, count=5, amount=100):
        """Sell something so many times, the last one on a day."""
        last = Date.to_date(last)
        days = [Date.subtract(last, days=interval * step) for step in range(count)]
        return cls._sell_on(partner, *days, amount=amount)

    def _warn(self, program=None):
        """Do what the nightly jobs do."""
        self._write_marks()
        program = self._as_cron("partner.loyalty.program").browse((program or self.program).id)
        program._evaluate_tiers()
        program._refresh_tiers()
        program._warn()
        self.env.invalidate_all()

    def _get_warnings(self, member=None):
        return self.env["partner.loyalty.warning"].search([("member_id", "=", (member or self.member).id)], order="id")

    def _get_todos(self, warnings):
        return self.env["mail.activity"].sudo().search([("id", "in", warnings.activity_ids.ids)])

    def _go_quiet(self):
        """Let the dealer go quiet, and warn of it."""
        self._sell_every(self.dealer, 21, "2026-01-13")
        self._warn()
        return self._get_warnings()


@tagged("post_install", "-at_install")
class TestQuiet(WarningCommon):
    roles = ("officer", "manager", "salesperson")

    def _assert_quiet(self, member, text):
        self.assertTrue(member.is_quiet)
        self.assertEqual(member.quiet_text, text)

    # === AGAINST ITS OWN PAST ===#

    def test_who_buys_much_later_than_usual_is_quiet(self):
        self._sell_every(self.dealer, 21, "2026-01-13")
        self._warn()
        self._assert_quiet(self.member, "Usually buys every 21 days; the last purchase was 64 days ago.")
        self.assertRecordValues(
            self.member,
            [
                {
                    "usual_interval": 21,
                    "last_sale_date": self._day("2026-01-13"),
                    "quiet_since": self._day("2026-03-18"),
                }
            ],
        )

    def test_who_buys_much_less_often_than_usual_is_quiet(self):
        for month in ("2025-01", "2025-04", "2025-07", "2025-10"):
            self._sell_on(self.dealer, *(f"{month}-{day}" for day in ("05", "12", "19", "26")))
        self._sell_on(self.dealer, "2026-02-20", "2026-03-10", amount=500)
        self._warn()
        self._assert_quiet(self.member, "Bought 2 times in the last three months, usually 4.")
        self.assertEqual((self.member.recent_count, self.member.usual_count), (2, 4))

    def test_who_turns_over_much_less_than_usual_is_quiet(self):
        self._sell_on(self.dealer, "2025-01-15", "2025-04-15", "2025-07-15", "2025-10-15")
        self._sell_on(self.dealer, "2026-01-15", amount=38)
        self._warn()
        self._assert_quiet(self.member, "Turnover of the last three months is 62 % below its own usual.")
        self.assertEqual(self.member.value_change, -62)

    def test_who_returned_more_than_it_bought_has_no_turnover_and_not_less(self):
        self._sell_on(self.dealer, "2025-01-15", "2025-04-15", "2025-07-15")
        invoice = self._create_sale_invoice(self.dealer, 500, date="2025-10-15")
        self._sell_on(self.dealer, "2026-01-15", amount=38)
        self._credit(invoice, date="2026-02-20")
        self._warn()
        self._assert_quiet(self.member, "Turnover of the last three months is 100 % below its own usual.")

    def test_a_big_dealer_who_buys_rarely_is_not_quiet_and_a_small_one_who_buys_weekly_is(self):
        self._sell_on(self.dealer, "2024-04-10", "2024-10-10", "2025-04-10", "2025-10-10", amount=50000)
        self._sell_every(self.referrer, 7, "2026-02-20", amount=10)
        self._warn()
        self.assertFalse(self.member.is_quiet)
        self.assertFalse(self.member.quiet_reason)
        self._assert_quiet(self.other, "Usually buys every 7 days; the last purchase was 26 days ago.")
        self.assertEqual(
            self.env["partner.loyalty.member"].search([("is_quiet", "=", True)]) & self.program.member_ids, self.other
        )

    def test_who_buys_by_season_is_not_quiet_out_of_season(self):
        for year in ("2024", "2025"):
            self._sell_on(self.dealer, *(f"{year}-{day}" for day in ("05-01", "05-08", "05-15", "10-01", "10-08")))
        with freeze_time("2025-09-25 10:00:00"):
            self._warn()
            self.assertFalse(self.member.is_quiet)

    def test_too_little_past_says_nothing(self):
        invoices = self._sell_every(self.dealer, 7, "2025-12-01", count=4)
        self._credit(invoices[1])
        self._sell_every(self.referrer, 7, "2025-12-01", count=3)
        self._warn()
        self.assertFalse(self.member.is_quiet)
        self.assertFalse(self.other.is_quiet)
        self.assertFalse(self.other.usual_interval)

    def test_a_break_of_a_few_days_is_no_silence(self):
        self._sell_every(self.dealer, 1, "2026-03-06", count=8)
        self._warn()
        self.assertFalse(self.member.is_quiet)

    def test_only_members_whose_membership_goes_on_go_quiet(self):
        self._sell_every(self.dealer, 21, "2026-01-13")
        self.member.action_suspend()
        with self._in_days(1):
            self._warn()
            self.assertEqual(self.member.state, "suspended")
            self.assertFalse(self.member.is_quiet)

    def test_a_member_is_quiet_since_the_first_day_and_until_it_buys_again(self):
        self._sell_every(self.dealer, 21, "2026-01-13")
        self._warn()
        with freeze_time("2026-03-25 10:00:00"):
            self._warn()
            self.assertEqual(self.member.quiet_since, self._day("2026-03-18"))
            self.assertIn("71 days ago", self.member.quiet_text)
            self._sell_on(self.dealer, "2026-03-25")
            self._warn()
            self.assertRecordValues(self.member, [{"is_quiet": False, "quiet_since": False, "quiet_reason": False}])
            self.assertFalse(self.member.quiet_text)

    def test_sales_that_are_brought_count_where_tiers_follow_them(self):
        program = self._create_program(
            [{}],
            tiers=[("Silver", 0)],
            date_from="2024-01-01",
            tier_role="referrer",
            tier_kind="order",
            name="Bringers",
        )
        member = self._enroll(program, self.referrer, date_from="2024-01-01")
        for day in ("2025-10-01", "2025-10-21", "2025-11-10", "2025-11-30"):
            self._create_order(self.stranger, 100, date=day, loyalty_partner_id=self.referrer.id)
        self._warn(program)
        self._assert_quiet(member, "Usually has a sale every 20 days; the last one was 108 days ago.")

    def test_each_reason_has_its_sentence(self):
        Warning = self.env["partner.loyalty.warning"]
        facts = {"causes": ["frequency"], "role": "buyer", "usual_count": 7}
        for count, role, sentence in (
            (3, "buyer", "Bought 3 times in the last three months, usually 7."),
            (1, "buyer", "Bought once in the last three months, usually 7 times."),
            (0, "buyer", "Bought nothing in the last three months, usually 7 times."),
            (3, "referrer", "Sales in the last three months: 3, usually 7."),
        ):
            with self.subTest(count=count, role=role):
                self.assertEqual(Warning._get_quiet_text({**facts, "recent_count": count, "role": role}), sentence)
        self.assertEqual(Warning._get_quiet_text({}), "")

    def test_all_members_are_compared_in_the_same_number_of_queries(self):
        Member = self._as_cron("partner.loyalty.member")
        program = self.program.with_env(Member.env)

        def count():
            with self._record_queries() as queries:
                Member._refresh_warnings(program)
            return len(queries)

        self._sell_every(self.dealer, 21, "2026-01-13")
        count()
        before = count()
        partners = [self._create_partner(name=f"Dealer {number}", is_company=True) for number in range(5)]
        members = self._enroll(self.program, *partners, date_from="2024-01-01")
        for partner in partners:
            self._sell_every(partner, 7, "2026-02-01", count=4)
        self.assertEqual(count(), before)
        self.assertEqual(members.mapped("is_quiet"), [True] * 5)

    # === NEXT STEP ===#

    def test_the_cheapest_next_step_reaches_the_next_tier_or_keeps_the_one_that_is_at_risk(self):
        orders = self.env.ref("partner_loyalty.partner_loyalty_metric_orders")
        self.gold.criterion_ids = [Command.create({"metric_id": orders.id, "minimum": 10})]
        self.gold.needed_count = 1
        self._sell_on(self.dealer, "2025-03-10", amount=600)
        self._sell_on(self.dealer, "2026-03-01", amount=450)
        self._sell_on(self.referrer, "2026-03-01", amount=400)
        self._warn()
        self.assertEqual(self.member.risk_tier_id, self.silver)
        self.assertEqual(self.member.next_step_text, f"To keep Gold after 03/31/2026: 50.00{SPACE}€ more (Turnover).")
        self.assertEqual(self.other.next_step_text, f"To reach Gold by 03/31/2026: 100.00{SPACE}€ more (Turnover).")
        for number in range(9):
            self._create_order(self.referrer, 1, date=f"2026-03-0{number + 1}")
        self._sell_on(self.dealer, "2026-03-02", amount=100)
        self._warn()
        self.assertEqual(self.other.next_step_text, "To reach Gold by 03/31/2026: 1 more (Orders).")
        self.assertFalse(self.member.risk_tier_id)
        self.assertFalse(self.member.next_step_text)

    # === RIGHTS ===#

    def test_members_do_not_read_what_is_said_about_them(self):
        self._go_quiet()
        own = new_test_user(self.env, "own", groups="base.group_portal", partner_id=self.dealer_contact.id)
        for name in ("is_quiet", "quiet_reason", "quiet_text", "value_change", "warning_count"):
            with self.subTest(field=name), self.assertRefused("", AccessError):
                self.member.with_user(own).read([name])
        self.assertTrue(self.member.with_user(self.seller).read(["is_quiet", "warning_count"])[0]["is_quiet"])

    def test_nobody_writes_by_hand_who_is_quiet(self):
        with self.assertRefused("use the buttons", AccessError):
            self.member.with_user(self.users["manager"]).is_quiet = True


@tagged("post_install", "-at_install")
class TestWarning(WarningCommon):
    # === WARNING ===#

    def test_the_account_manager_gets_one_to_do_with_the_reason(self):
        warning = self._go_quiet()
        self.assertRecordValues(
            warning,
            [
                {
                    "cause": "quiet",
                    "state": "open",
                    "date": self._day("2026-03-18"),
                    "user_id": self.seller.id,
                    "tier_id": self.gold.id,
                    "reason_text": "Usually buys every 21 days; the last purchase was 64 days ago.",
                }
            ],
        )
        todo = self._get_todos(warning)
        self.assertEqual((todo.user_id, todo.summary), (self.seller, "Dealer: Going Quiet"))
        self.assertIn("64 days ago", todo.note)
        self.assertEqual(self.member.with_user(self.seller).warning_count, 1)
        with self._in_days(1):
            self._warn()
            self.assertEqual(self._get_warnings(), warning)
            self.assertEqual(self._get_todos(warning), todo)

    def test_the_nightly_job_warns(self):
        self._sell_every(self.dealer, 21, "2026-01-13")
        self._write_marks()
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_warn").with_user(SUPERUSER_ID).method_direct_trigger()
        self.assertEqual(self._get_warnings().cause, "quiet")

    def test_where_nobody_looks_after_a_member_the_responsible_of_the_program_is_asked(self):
        blind = new_test_user(self.env, "blind", groups="base.group_user")
        self.dealer.user_id = blind
        self.referrer.user_id = False
        self._sell_every(self.referrer, 21, "2026-01-13")
        warnings = self._go_quiet() + self._get_warnings(self.other)
        self.assertEqual(len(warnings), 2)
        self.assertEqual(warnings.user_id, self.users["manager"])
        self.program.user_id = False
        stranger = self._enroll(self.program, self.stranger, date_from="2024-01-01")
        self._sell_every(self.stranger, 21, "2026-01-13")
        self._warn()
        unattended = self._get_warnings(stranger)
        self.assertEqual((unattended.state, unattended.user_id.id, len(unattended.activity_ids)), ("open", False, 0))

    def test_a_program_that_does_not_warn_flags_members_and_asks_nobody(self):
        self.program.warns_managers = False
        self.assertFalse(self._go_quiet())
        self.assertTrue(self.member.is_quiet)

    def test_a_tier_at_risk_is_warned_of_when_the_decision_is_near(self):
        self._sell_on(self.dealer, "2025-03-10", amount=600)
        self._warn()
        warning = self._get_warnings()
        self.assertRecordValues(
            warning,
            [
                {
                    "cause": "tier",
                    "tier_id": self.gold.id,
                    "decision_date": self._day("2026-03-31"),
                    "reason_text": "Falls from Gold to Silver after 03/31/2026, if nothing changes.",
                    "next_step_text": f"To keep Gold after 03/31/2026: 500.00{SPACE}€ more (Turnover).",
                }
            ],
        )
        self.assertIn("To keep Gold", self._get_todos(warning).note)

    def test_at_the_beginning_of_a_year_no_tier_is_at_risk_yet(self):
        program = self._create_program(
            [{}], tiers=[("Silver", 0), ("Gold", 500)], date_from="2024-01-01", tier_period="year", name="Yearly"
        )
        member = self._enroll(program, self.dealer, date_from="2024-01-01")
        self._sell_on(self.dealer, "2025-06-10", amount=600)
        self._warn(program)
        self.assertEqual(member.risk_tier_id.name, "Silver")
        self.assertFalse(self._get_warnings(member))
        with freeze_time("2026-11-20 10:00:00"):
            self._warn(program)
            self.assertEqual(self._get_warnings(member).mapped("cause"), ["tier"])

    # === WHAT BECAME OF IT ===#

    def test_a_to_do_that_is_done_answers_the_warning(self):
        warning = self._go_quiet()
        todo = self._get_todos(warning).with_user(self.seller)
        todo.action_feedback(feedback="They are moving house.")
        self.assertRecordValues(warning, [{"state": "answered", "note": "They are moving house."}])
        with self._in_days(1):
            self._warn()
            self.assertEqual(self._get_warnings(), warning)
            self.assertFalse(self._get_todos(warning))

    def test_a_member_who_buys_as_usual_again_is_won_back_with_its_turnover(self):
        warning = self._go_quiet()
        with freeze_time("2026-04-10 10:00:00"):
            self._sell_on(self.dealer, "2026-04-08", amount=250)
            self._warn()
            self.assertRecordValues(
                warning, [{"state": "won", "resolved_date": self._day("2026-04-08"), "amount": 250}]
            )
            self.assertFalse(self._get_todos(warning))
        with freeze_time("2026-06-20 10:00:00"):
            self._sell_on(self.dealer, "2026-06-16", amount=50)
            self._sell_on(self.dealer, "2026-06-17", amount=1000)
            self._warn()
            self.assertEqual((warning.state, warning.amount), ("won", 300))

    def test_one_sale_does_not_win_back_who_usually_has_many(self):
        for month in ("2025-01", "2025-04", "2025-07", "2025-10"):
            self._sell_on(self.dealer, *(f"{month}-{day}" for day in ("05", "12", "19", "26")))
        self._sell_on(self.dealer, "2026-03-10", amount=500)
        self._warn()
        warning = self._get_warnings()
        with self._in_days(2):
            self._sell_on(self.dealer, "2026-03-20", amount=10)
            self._warn()
            self.assertEqual((warning.state, warning.amount), ("open", 10))

    def test_a_member_who_buys_nothing_within_ninety_days_is_lost(self):
        warning = self._go_quiet()
        with self._in_days(90):
            self._warn()
            self.assertEqual(warning.state, "open")
        with self._in_days(91):
            self._warn()
            self.assertRecordValues(warning, [{"state": "lost", "amount": 0, "resolved_date": self._day("2026-06-17")}])
            self.assertFalse(self._get_todos(warning))
            self.assertEqual(self._get_warnings(), warning)

    def test_a_member_who_goes_quiet_again_is_warned_of_again(self):
        self._go_quiet()
        with freeze_time("2026-04-10 10:00:00"):
            self._sell_on(self.dealer, "2026-04-08")
            self._warn()
        with freeze_time("2026-09-10 10:00:00"):
            self._warn()
            self.assertEqual(self._get_warnings().mapped("state"), ["won", "open"])

    def test_a_tier_is_won_back_when_the_risk_is_gone_and_lost_when_the_member_falls(self):
        self._sell_on(self.dealer, "2025-03-10", amount=600)
        self._sell_on(self.referrer, "2025-03-10", amount=600)
        self._warn()
        kept, fallen = self._get_warnings(), self._get_warnings(self.other)
        self._sell_on(self.dealer, "2026-03-18", amount=500)
        with self._in_days(1):
            self._warn()
            self.assertEqual((kept.state, fallen.state), ("won", "open"))
        with freeze_time("2026-04-01 10:00:00"):
            self._warn()
            self.assertEqual((self.member.tier_id, self.other.tier_id), (self.gold, self.silver))
            self.assertEqual((kept.state, fallen.state), ("won", "lost"))

    def test_a_warning_about_a_member_that_was_taken_over_is_closed(self):
        warning = self._go_quiet()
        self.member._merge_into(self.other)
        with self._in_days(1):
            self._warn()
            self.assertEqual(warning.state, "closed")

    # === CLOSING, RIGHTS ===#

    def test_an_officer_closes_a_warning_with_a_note_and_it_does_not_come_back(self):
        warning = self._go_quiet()
        mine = warning.with_user(self.users["officer"])
        with self.assertRefused("Write into the note of “Dealer: Going Quiet”"):
            mine.action_close()
        mine.note = "Closed for renovation."
        mine.action_close()
        self.assertRecordValues(warning, [{"state": "closed", "resolved_date": self._day("2026-03-18")}])
        self.assertFalse(self._get_todos(warning))
        with self._in_days(1):
            self._warn()
            self.assertEqual(self._get_warnings(), warning)

    def test_what_the_program_says_is_not_written_by_hand(self):
        warning = self._go_quiet()
        manager = self.users["manager"]
        for name, value in (("state", "won"), ("amount", 5), ("cause", "tier"), ("user_id", manager.id)):
            with self.subTest(field=name), self.assertRefused("use the buttons", AccessError):
                warning.with_user(manager).write({name: value})
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.warning"].with_user(manager).create({"member_id": self.member.id})
        for action in (lambda mine: mine.action_close(), lambda mine: mine.write({"note": "Mine"})):
            with self.assertRefused("", AccessError):
                action(warning.with_user(self.seller))

    def test_salespeople_find_warnings_about_their_own_customers_alone(self):
        self._sell_every(self.referrer, 21, "2026-01-13")
        warning = self._go_quiet()
        found = self.env["partner.loyalty.warning"].with_user(self.seller).search([])
        self.assertEqual(found.with_env(self.env), warning)
        with self.assertRefused("", AccessError):
            self._get_warnings(self.other).with_user(self.seller).read(["state"])

    def test_officers_of_another_company_find_nothing(self):
        warning = self._go_quiet()
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        officer = self._create_role_user(
            "abroad",
            "partner_loyalty.partner_loyalty_group_officer",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env["partner.loyalty.warning"].with_user(officer).search([]))
        with self.assertRefused("", AccessError):
            warning.with_user(officer).read(["state"])

    @mute_logger("odoo.sql_db")
    def test_there_is_one_unresolved_warning_of_a_member_and_cause(self):
        warning = self._go_quiet()
        with self.assertRefused("There is an open warning"):
            warning.sudo().copy()
