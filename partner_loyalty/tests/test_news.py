"""News: who can read them, from when on, and who has."""

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


class NewsCommon(PartnerLoyaltyCommon):
    roles = ("officer",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.member, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.silver, cls.gold = cls.program.tier_ids

    @classmethod
    def _create_news(cls, name="Season", date=TODAY, **values):
        news = cls.env["partner.loyalty.news"].with_user(cls.users["officer"])
        return news.create({"name": name, "program_id": cls.program.id, "date": date, **values}).with_env(cls.env)


@tagged("post_install", "-at_install")
class TestNews(NewsCommon):
    def _get_names(self, member=None):
        return self.env["partner.loyalty.news"]._get_for_member(member or self.member).mapped("name")

    def test_members_read_what_is_published(self):
        self._create_news("Draft", date=False)
        self._create_news("To come", date="2026-03-19")
        self._create_news("First", date="2026-03-17")
        self._create_news("Last")
        self._create_news("Old", active=False)
        self.assertEqual(self._get_names(), ["Last", "First"])
        with self._in_days(1):
            self.assertEqual(self._get_names()[0], "To come")

    def test_news_are_for_tiers_and_segments(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Referrers", "partner_domain": "[('name', '=', 'Referrer')]"}
        )
        self._create_news("Gold", tier_ids=[Command.set(self.gold.ids)])
        self._create_news("Silver", tier_ids=[Command.set(self.silver.ids)])
        self._create_news("Segment", segment_ids=[Command.set(segment.ids)])
        self.assertEqual(self._get_names(), ["Silver"])
        self.assertEqual(self._get_names(self.other), ["Segment", "Silver"])

    def test_members_of_other_programs_read_nothing(self):
        self._create_news()
        stranger = self._enroll(self._create_program([{}], name="Other"), self.stranger)
        self.assertEqual(self._get_names(stranger), [])

    def test_each_contact_has_its_own_mark_and_a_second_one_changes_nothing(self):
        news = self._create_news()
        colleague = self._create_partner(name="Ann of Dealer", parent_id=self.dealer.id)
        news._mark_read(self.dealer_contact)
        news._mark_read(self.dealer_contact)
        self.assertEqual(news.read_count, 1)
        self.assertFalse(news._get_unread(self.dealer_contact))
        self.assertEqual(news._get_unread(colleague), news)

    def test_contacts_who_have_both_read_it_can_be_merged(self):
        news = self._create_news()
        colleague = self._create_partner(name="Joe again", parent_id=self.dealer.id)
        news._mark_read(self.dealer_contact)
        news._mark_read(colleague)
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.dealer_contact | colleague).ids, self.dealer_contact)
        self.env.invalidate_all()
        self.assertEqual(news.read_ids.contact_id, self.dealer_contact)

    def test_it_is_published_and_withdrawn_by_buttons(self):
        news = self._create_news(date=False)
        news.with_user(self.users["officer"]).action_publish()
        self.assertEqual(news.date, self._day(TODAY))
        news.with_user(self.users["officer"]).action_withdraw()
        self.assertEqual(self._get_names(), [])

    def test_tiers_of_other_programs_are_refused(self):
        tier = self._create_program([{}], tiers=[("Bronze", 0)], name="Other").tier_ids
        with self.assertRefused("tiers of another program", ValidationError):
            self._create_news(tier_ids=[Command.set(tier.ids)])

    def test_scripts_are_taken_out_of_the_text(self):
        news = self._create_news(body="<p onclick='x()'>Hello</p><script>alert(1)</script>")
        self.assertEqual(news.body, "<p>Hello</p>")


@tagged("post_install", "-at_install")
class TestReferralCode(PartnerLoyaltyCommon):
    def test_each_member_has_a_code_that_can_be_read_out(self):
        program = self._create_program([{}])
        members = self._enroll(program, self.dealer, self.referrer)
        codes = members.mapped("referral_code")
        self.assertEqual(len(set(codes)), 2)
        for code in codes:
            self.assertRegex(code, "^[2-9A-HJ-NP-Z]{10}$")

    def test_members_that_were_there_before_get_codes_of_their_own(self):
        program = self._create_program([{}])
        members = self._enroll(program, self.dealer, self.referrer)
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE partner_loyalty_member ALTER referral_code DROP NOT NULL")
        self.env.cr.execute("UPDATE partner_loyalty_member SET referral_code = NULL")
        members._init_column("referral_code")
        self.env.invalidate_all()
        codes = members.mapped("referral_code")
        self.assertEqual(len({*codes, False}), 3)

    def test_nobody_chooses_a_code(self):
        member = self._enroll(self._create_program([{}]), self.dealer)
        with self.assertRefused("cannot be set by hand"):
            member.with_user(self.users["manager"]).referral_code = "MINE"
