"""News, promotions, goals, the leaderboard and referrals in the portal."""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import TODAY
from .common_portal import HOSTILE, PortalCommon


@tagged("post_install", "-at_install")
class TestPortalNews(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}"
        cls.news = cls._create_news("Season", body="<p>It begins</p>")
        cls._write_marks()

    @classmethod
    def _create_news(cls, name, program=None, **values):
        vals = {"name": name, "program_id": (program or cls.program).id, "date": TODAY, **values}
        return cls.env["partner.loyalty.news"].create(vals)

    def test_each_contact_reads_with_marks_of_its_own(self):
        for role in ("owner", "finance", "sales"):
            with self.subTest(role=role):
                page = self._open(f"{self.url}/news", role)
                self.assertIn("Season 03/18/2026 New", self._read(page))
                self.assertEqual(self._read(page, "o_loyalty_nav_count"), "1")
                self.assertFalse(self.news._get_unread(self.env["res.partner"]) - self.news)
                page = self._send(f"{self.url}/news/{self.news.id}/read")
                self.assertIn("It begins", self._read(page))
                self.assertNotIn("New", self._read(self._open(f"{self.url}/news"), "o_loyalty_list"))
        self.assertEqual(self.news.read_count, 3)

    def test_the_first_page_counts_what_is_new(self):
        self._log_in("finance")
        for count in (1, 0):
            counts = self.make_jsonrpc_request("/my/counters", {"counters": ["loyalty_news_count"]})
            self.assertEqual(counts, {"loyalty_news_count": count})
            self._send(f"{self.url}/news/read")

    def test_to_look_at_it_marks_nothing(self):
        self._open(f"{self.url}/news/{self.news.id}", "owner")
        self.env.invalidate_all()
        self.assertEqual(self.news.read_count, 0)

    def test_all_are_marked_at_once(self):
        self._create_news("Second")
        self._send(f"{self.url}/news/read", "owner")
        self._send(f"{self.url}/news/read")
        self.assertEqual(self.env["partner.loyalty.news.read"].search_count([]), 2)

    @mute_logger("odoo.http")
    def test_others_read_nothing(self):
        theirs = self._create_news("Theirs", self.other_program)
        draft = self._create_news("Draft", date=False)
        gold = self._create_news("Gold", tier_ids=[Command.set(self.program.tier_ids[1].ids)])
        self._log_in("owner")
        for news in (theirs, draft, gold):
            self._open(f"{self.url}/news/{news.id}", status=404)
            self._send(f"{self.url}/news/{news.id}/read", status=404)
            self.assertNotIn(news.name, self._read(self._open(f"{self.url}/news"), "o_loyalty_list"))
        self._send(f"{self.url}/news/{self.news.id}/read", token="wrong", status=400)
        self._open(f"{self.url}/news", "other", status=404)
        self._log_in(None)
        self.assertIn("/web/login", self.url_open(f"{self.url}/news", allow_redirects=False).headers["Location"])

    def test_an_officer_looks_and_marks_nothing(self):
        self._open(f"/my/loyalty/as/{self.member.id}/news", "officer")
        page = self._open(f"/my/loyalty/as/{self.member.id}/news/{self.news.id}")
        self.assertFalse(page.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"))

    def test_hostile_titles_are_text(self):
        self._log_in("owner")
        for text in HOSTILE[:-1]:
            self.news.name = text
            with self.subTest(text=text[:20]):
                self.assertIn(" ".join(text.split()), self._read(self._open(f"{self.url}/news")))


@tagged("post_install", "-at_install")
class TestPortalPromotion(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}"
        cls.campaign = cls.env["utm.campaign"].create({"title": "Spring"})
        cls.promotion = cls._create_rule(
            cls.program,
            name="Spring points",
            unit="point",
            date_from="2026-03-01",
            date_to="2026-03-31",
            campaign_id=cls.campaign.id,
            only_joined=True,
        )
        cls._write_marks()

    # === PROMOTIONS ===#

    def test_only_who_has_joined_earns_and_reads_how_much(self):
        page = self._open(f"{self.url}/promotions", "sales")
        text = self._read(page)
        for part in ("Spring points", "days left: 13", "Only who has joined", "0 points"):
            self.assertIn(part, text)
        page = self._send(f"{self.url}/promotions/{self.campaign.id}/join")
        self.assertIn("You take part", self._read(page))
        self.assertEqual(self.member.participation_ids.contact_id, self.users["sales"].partner_id)
        self._enroll(self.program, self.stranger)
        invoices = [self._create_sale_invoice(partner, 200) for partner in (self.dealer, self.stranger)]
        self._answer_documents()
        self.assertEqual(self.promotion._get_earned(self.member), {self.promotion.id: 20})
        self.assertIn("20 points", self._read(self._open(f"{self.url}/promotions")))
        Why = self.env["partner.loyalty.why"]
        self.assertFalse(Why._check_joined(self.promotion, invoices[0], self.dealer))
        self.assertIn("has not joined", Why._check_joined(self.promotion, invoices[1], self.stranger))

    def test_to_join_twice_is_to_join_once(self):
        for _time in range(2):
            self._send(f"{self.url}/promotions/{self.campaign.id}/join", "owner")
        self.assertEqual(len(self.member.participation_ids), 1)

    @mute_logger("odoo.http")
    def test_campaigns_of_others_and_past_ones_are_not_joined(self):
        past = self.env["utm.campaign"].create({"title": "Winter"})
        self._create_rule(self.program, date_from="2026-01-01", date_to="2026-01-31", campaign_id=past.id)
        theirs = self.env["utm.campaign"].create({"title": "Theirs"})
        self._create_rule(self.other_program, campaign_id=theirs.id)
        self._log_in("owner")
        for number in (past.id, theirs.id, 0, 2**31):
            self._send(f"{self.url}/promotions/{number}/join", status=404)
        self._send(f"{self.url}/promotions/{self.campaign.id}/join", token="wrong", status=400)
        self._send(f"{self.url}/promotions/{self.campaign.id}/join", "other", status=404)
        self._send(f"{self.url}/promotions/{self.campaign.id}/join", "finance", status=403)
        self.assertFalse(self.env["partner.loyalty.participation"].search([]))

    def test_sales_see_no_promotions_in_money(self):
        self._create_rule(self.program, name="Cash", date_from="2026-03-01", date_to="2026-03-31")
        self.assertNotIn("Cash", self._read(self._open(f"{self.url}/promotions", "sales")))
        self.assertIn("Cash", self._read(self._open(f"{self.url}/promotions", "owner")))

    def test_a_rule_for_who_has_joined_needs_a_campaign(self):
        with self.assertRefused("choose the campaign"):
            self._create_rule(self.program, only_joined=True)

    # === GOALS ===#

    def test_goals_are_shown_with_the_own_progress(self):
        vals = {"program_id": self.program.id, "date_from": "2026-03-01", "date_to": "2026-03-31", "target": 4}
        orders = self.env.ref("partner_loyalty.partner_loyalty_metric_orders").id
        turnover = self.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id
        goals = self.env["partner.loyalty.goal"]
        goals.create({**vals, "name": "Four orders", "metric_id": orders, "is_shown": True})
        goals.create({**vals, "name": "Sell", "metric_id": turnover, "is_shown": True, "target": 1000})
        goals.create({**vals, "name": "Secret", "metric_id": orders})
        self._create_order(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 250)
        page = self._open(f"{self.url}/promotions", "sales")
        self.assertIn("Four orders", self._read(page))
        self.assertEqual(page.xpath("//div[@role='progressbar']/@aria-valuenow"), ["25"])
        for name in ("Sell", "Secret"):
            self.assertNotIn(name, self._read(page))
        self.assertIn("750", self._read(self._open(f"{self.url}/promotions", "owner")))

    # === LEADERBOARD ===#

    def _open_leaderboard(self, role="sales"):
        return self._read(self._open(f"{self.url}/leaderboard", role))

    def test_others_are_named_where_they_agreed_and_the_owner_decides(self):
        self.program.leaderboard_metric_id = self.env.ref("partner_loyalty.partner_loyalty_metric_points_earned")
        rival = self._enroll(self.program, self.stranger)
        self._post_entry(rival, 50, unit="point")
        self._post_entry(self.member, 20, unit="point")
        text = self._open_leaderboard()
        self.assertIn("1 Member 50 points", text)
        self.assertIn("2 Dealer (you) 20 points", text)
        rival.is_named_on_leaderboard = True
        self.assertIn("1 Stranger 50 points", self._open_leaderboard())
        self._send(f"{self.url}/leaderboard/name", "owner", named="yes")
        self.assertTrue(self.member.is_named_on_leaderboard)
        self._send(f"{self.url}/leaderboard/name", named="no")
        self.assertFalse(self.member.is_named_on_leaderboard)
        with mute_logger("odoo.http"):
            self._send(f"{self.url}/leaderboard/name", "sales", named="yes", status=403)
            self._send(f"{self.url}/leaderboard/name", "owner", named="yes", token=False, status=400)
        self.assertFalse(self.member.is_named_on_leaderboard)

    def test_a_leaderboard_in_money_is_not_for_sales(self):
        self.program.leaderboard_metric_id = self.env.ref("partner_loyalty.partner_loyalty_metric_turnover")
        self._create_sale_invoice(self.dealer, 777)
        self.assertNotIn("777", self._open_leaderboard("sales"))
        self.assertIn("777", self._open_leaderboard("owner"))

    def test_the_page_is_short_however_many_members_there_are(self):
        self.program.leaderboard_metric_id = self.env.ref("partner_loyalty.partner_loyalty_metric_points_earned")
        partners = [self._create_partner(name=f"Rival {number}", is_company=True) for number in range(12)]
        for place, member in enumerate(self._enroll(self.program, *partners)):
            self._post_entry(member, 100 + place, unit="point")
        self._post_entry(self.member, 1, unit="point")
        page = self._open(f"{self.url}/leaderboard", "sales")
        self.assertEqual(len(page.xpath("//ol[contains(@class, 'o_loyalty_list')]/li")), 11)
        self.assertIn("13 Dealer (you) 1 points", self._read(page))

    def test_the_hall_of_fame_names_who_agreed(self):
        self.member.sudo().tier_id = self.program.tier_ids[1]
        self.assertEqual(self.program._get_honored_members(), [])
        self.member.is_named_on_leaderboard = True
        self.assertEqual([row["name"] for row in self.program._get_honored_members()], ["Dealer"])

    # === REFERRALS ===#

    def test_the_link_is_passed_on_and_says_who_came(self):
        self.program.is_public = True
        came = self._enroll(self.program, self.stranger)
        came.referrer_id = self.member
        page = self._open(f"{self.url}/referrals", "sales")
        links = page.xpath("//a/@href")
        ending = f"/loyalty/join/{self.program.id}?ref={self.member.referral_code}"
        self.assertTrue(any(link.endswith(ending) for link in links))
        for start in ("https://wa.me/?text=", "https://t.me/share/url?url=", "viber://forward?text=", "mailto:?"):
            self.assertTrue(any(link.startswith(start) for link in links), start)
        self.assertIn("Stranger", self._read(page))
        self.assertFalse([src for src in page.xpath("//script/@src") if not src.startswith("/web/assets/")])

    def test_without_a_public_page_there_is_the_code_alone(self):
        page = self._open(f"{self.url}/referrals", "sales")
        self.assertIn(self.member.referral_code, self._read(page))
        self.assertFalse([link for link in page.xpath("//a/@href") if "/loyalty/join/" in link])

    def test_a_button_copies_the_link_and_says_so(self):
        self.program.is_public = True
        self._write_marks()
        code = """
            const click = setInterval(() => {
                document.querySelector(".o_loyalty_copy").click();
                if (document.querySelector(".o_loyalty_copied:not(.d-none)")) {
                    clearInterval(click);
                    console.log("test successful");
                }
            }, 200);
        """
        self.browser_js(f"{self.url}/referrals", code, login=self.users["sales"].login)

    @mute_logger("odoo.http")
    def test_finance_and_others_do_not_recommend(self):
        self._open(f"{self.url}/referrals", "finance", status=403)
        self._open(f"{self.url}/referrals", "other", status=404)
        for page in ("promotions", "leaderboard"):
            self._open(f"{self.url}/{page}", "finance", status=403)
            self._open(f"{self.url}/{page}", "other", status=404)
            self._open(f"/my/loyalty/as/{self.member.id}/{page}", "officer")
