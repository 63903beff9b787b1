"""Who is the best, who is named, and which badges companies hold."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import TODAY, PartnerLoyaltyCommon

SPACE = "\N{NO-BREAK SPACE}"


@tagged("post_install", "-at_install")
class TestLeaderboard(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"unit": "point"}], tiers=[("Silver", 0)])
        cls.fourth = cls._create_partner(name="Fourth", is_company=True)
        cls.member, cls.other, cls.third, cls.last = cls._enroll(
            cls.program, cls.dealer, cls.referrer, cls.stranger, cls.fourth
        )
        cls.metric = cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover")
        for partner, amount in ((cls.dealer, 100), (cls.referrer, 300), (cls.stranger, 300), (cls.fourth, 50)):
            cls._create_sale_invoice(partner, amount, date="2026-03-05")
        cls._create_sale_invoice(cls.dealer, 900, date="2026-02-05")

    def _get_rows(self, period="month", day=TODAY, metric=None, viewer=None):
        self.env.flush_all()
        window = self.program._get_leaderboard_window(self._day(day), period)
        return self.program._get_leaderboard(metric or self.metric, window, viewer)

    def _get_places(self, **kwargs):
        return [(row["rank"], row["name"], float(row["value"])) for row in self._get_rows(**kwargs)]

    def test_the_best_are_first_and_equal_ones_share_their_place(self):
        self.assertEqual(
            self._get_places(), [(1, "Referrer", 300), (1, "Stranger", 300), (3, "Dealer", 100), (4, "Fourth", 50)]
        )

    def test_the_period_is_the_month_quarter_or_year_that_a_day_lies_in(self):
        self.assertEqual(self._get_places(day="2026-02-01"), [(1, "Dealer", 900)])
        self.assertEqual(self._get_places(period="quarter", day="2026-03-31")[0], (1, "Dealer", 1000))
        self.assertEqual(self._get_places(period="year", day="2026-12-31")[0], (1, "Dealer", 1000))
        self.assertEqual(self._get_places(period="year", day="2025-12-31"), [])
        window = self.program._get_leaderboard_window(self._day("2026-03-31"), "quarter")
        self.assertEqual((window.first, window.last), (self._day("2026-01-01"), self._day(TODAY)))

    def test_of_a_metric_where_less_is_better_the_least_is_first(self):
        recency = self.env["partner.loyalty.metric"].create(
            {"name": "Recency", "kind": "invoice", "aggregate": "last", "field": "amount"}
        )
        self._create_sale_invoice(self.fourth, 1, date=TODAY)
        self.assertEqual(self._get_places(metric=recency)[:2], [(1, "Fourth", 0), (2, "Dealer", 13)])

    def test_points_earned_rank_too(self):
        self._answer_documents()
        points = self.env.ref("partner_loyalty.partner_loyalty_metric_points_earned")
        texts = {row["name"]: row["text"] for row in self._get_rows(metric=points)}
        self.assertEqual((texts["Dealer"], texts["Fourth"]), ("10 points", "5 points"))

    # === WHO IS NAMED ===#

    def test_members_see_the_names_of_those_who_agreed_and_their_own(self):
        self.third.is_named_on_leaderboard = True
        rows = self._get_rows(viewer=self.member)
        self.assertEqual(
            [(row["rank"], row["name"], row["text"], row["is_viewer"]) for row in rows],
            [
                (1, "Member", f"300.00{SPACE}€", False),
                (1, "Stranger", f"300.00{SPACE}€", False),
                (3, "Dealer", f"100.00{SPACE}€", True),
                (4, "Member", f"50.00{SPACE}€", False),
            ],
        )
        self.assertEqual([row["member"].id for row in rows], [False, self.third.id, self.member.id, False])

    def test_nobody_is_named_who_did_not_agree(self):
        self.assertFalse(any(self.program.member_ids.mapped("is_named_on_leaderboard")))
        own = new_test_user(self.env, "own", groups="base.group_portal", partner_id=self.dealer_contact.id)
        program = self.program.with_user(own)
        self.env.flush_all()
        window = program._get_leaderboard_window(self._day(TODAY), "month")
        rows = program._get_leaderboard(self.metric.with_user(own), window, self.member.with_user(own))
        self.assertEqual([row["name"] for row in rows], ["Member", "Member", "Dealer", "Member"])

    def test_an_officer_says_that_a_member_agreed_and_portal_users_do_not(self):
        self.member.with_user(self.users["officer"]).is_named_on_leaderboard = True
        own = new_test_user(self.env, "own", groups="base.group_portal", partner_id=self.dealer_contact.id)
        with self.assertRefused("", AccessError):
            self.member.with_user(own).is_named_on_leaderboard = False

    # === DIALOG ===#

    def _open(self, **values):
        return (
            self.env["partner.loyalty.leaderboard"]
            .with_user(self.users["officer"])
            .create({"program_id": self.program.id, "metric_id": self.metric.id, **values})
        )

    def test_staff_see_all_names(self):
        dialog = self._open(date="2026-03-31")
        action = dialog.action_show()
        lines = self.env[action["res_model"]].with_user(self.users["officer"]).search(action["domain"])
        self.assertEqual(
            lines.mapped(lambda line: (line.rank, line.member_id.display_name, line.text)),
            [
                (1, "Referrer", f"300.00{SPACE}€"),
                (1, "Stranger", f"300.00{SPACE}€"),
                (3, "Dealer", f"100.00{SPACE}€"),
                (4, "Fourth", f"50.00{SPACE}€"),
            ],
        )
        self.assertEqual(action["name"], "Dealer Club: Turnover, 03/01/2026 – 03/18/2026")

    def test_a_period_without_anybody_says_so(self):
        with self.assertRefused("Nobody in “Dealer Club” has a place by “Turnover”"):
            self._open(date="2025-03-31").action_show()

    def test_the_program_of_another_company_is_not_ranked(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.env.user.company_ids += company
        program = self._create_program(
            [{}], company_id=company.id, payout_journal_id=False, payout_product_id=False, name="Elsewhere"
        )
        with self.assertRefused("", AccessError):
            self._open(program_id=program.id).action_show()


@tagged("post_install", "-at_install")
class TestBadge(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0)])
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.star = cls.env["gamification.badge"].sudo().create({"name": "Star", "rule_auth": "nobody"})
        cls.contact = new_test_user(cls.env, "contact", groups="base.group_portal", partner_id=cls.dealer_contact.id)

    def _give(self, member, user="officer", **values):
        vals = {"member_id": member.id, "badge_id": self.star.id, "date": TODAY, "reason": "Best of March", **values}
        return self.env["partner.loyalty.badge"].with_user(self.users[user]).create(vals)

    def _get_core_badges(self):
        return self.env["gamification.badge.user"].sudo().search([("badge_id", "=", self.star.id)])

    def test_the_company_holds_the_badge_and_contacts_with_a_login_get_it_too(self):
        badge = self._give(self.member)
        self.assertEqual(self.member.badge_ids.with_env(self.env), badge.with_env(self.env))
        self.assertRecordValues(self._get_core_badges(), [{"user_id": self.contact.id, "comment": "Best of March"}])
        self.assertEqual(badge.display_name, "Star")
        self.assertEqual(self.member.with_user(self.contact).badge_ids.reason, "Best of March")

    def test_a_company_without_any_login_holds_badges(self):
        self._give(self.other)
        self.assertEqual(self.other.badge_ids.badge_id, self.star)
        self.assertFalse(self._get_core_badges())

    def test_a_member_gets_a_badge_once_a_day(self):
        self._give(self.member)
        with self.assertRefused("got this badge on that day already"):
            self._give(self.member)
        self._give(self.member, date="2026-03-19")
        vals = {"member_id": self.member.id, "badge_id": self.star.id, "date": self._day(TODAY)}
        again = self.env["partner.loyalty.badge"]._award([vals, {**vals, "member_id": self.other.id}])
        self.assertEqual(again.member_id, self.other)
        self.assertEqual(len(self._get_core_badges()), 2)

    def test_officers_give_badges_and_managers_take_them_back(self):
        badge = self._give(self.member)
        for user in (self.users["officer"], self.contact):
            with self.assertRefused("", AccessError):
                badge.with_user(user).unlink()
        with self.assertRefused("", AccessError):
            badge.with_user(self.users["manager"]).reason = "Other"
        badge.with_user(self.users["manager"]).unlink()
        self.assertFalse(self.member.badge_ids)

    def test_nobody_else_gives_or_finds_badges(self):
        self._give(self.other)
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.badge"].with_user(self.contact).create(
                {"member_id": self.member.id, "badge_id": self.star.id}
            )
        self.assertFalse(self.env["partner.loyalty.badge"].with_user(self.contact).search([]))

    def test_officers_of_another_company_find_no_badges(self):
        badge = self._give(self.member)
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        officer = self._create_role_user(
            "abroad",
            "partner_loyalty.partner_loyalty_group_officer",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env["partner.loyalty.badge"].with_user(officer).search([]))
        with self.assertRefused("", AccessError):
            badge.with_user(officer).read(["reason"])
