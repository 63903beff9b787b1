"""Rewards in the portal: what can be had, asked for, answered, proved and rated, and by whom."""

import base64
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon

TEXT_FILE = ("prices.txt", b"1 euro", "text/plain")


class PortalRewardCommon(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}"
        cls._post_entry(cls.member, 100, unit="point")
        cls.gift = cls._create_reward()
        cls._write_marks()

    @classmethod
    def _create_reward(cls, **values):
        return cls.env["partner.loyalty.reward"].create(
            {
                "name": "Backpack",
                "program_id": cls.program.id,
                "product_id": cls.thing.id,
                "point_cost": 60,
                "user_id": cls.users["officer"].id,
                **values,
            }
        )

    def _get_claims(self):
        return self.env["partner.loyalty.claim"].search([("member_id", "=", self.member.id)])

    def _claim(self, reward=None, role="sales", **data):
        """Ask for a reward in the portal; return the claim, and the page that follows."""
        page = self._send(f"{self.url}/rewards/{(reward or self.gift).id}/claim", role, **data)
        return self._get_claims()[:1], page

    def _create_survey(self):
        values = {"title": "Trainer", "access_mode": "token", "user_id": self.env.ref("base.user_admin").id}
        return self.env["survey.survey"].sudo().create(values)

    def _grant(self, reward, **values):
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        return claims_sudo.create({"reward_id": reward.id, "member_id": self.member.id, **values}).with_env(self.env)


@tagged("post_install", "-at_install")
class TestPortalReward(PortalRewardCommon):
    # === WHAT CAN BE HAD ===#

    def test_it_says_what_can_be_had_and_what_is_missing(self):
        self._create_reward(name="Bicycle", point_cost=250)
        self._create_reward(name="Gala", tier_ids=[Command.set(self.program.tier_ids[1].ids)])
        self._create_reward(name="Bygone", date_to="2026-03-01")
        text = self._read(self._open(f"{self.url}/rewards", "sales"))
        for part in (
            "You can spend 100 points",
            "Backpack 60 points You can have it",
            "Missing: 150 points",
            "Gold only",
        ):
            self.assertIn(part, text)
        self.assertNotIn("Bygone", text)

    def test_the_form_has_all_its_fields(self):
        for reward, names in (
            (self.gift, ["quantity", "note"]),
            (self._create_reward(kind="support", support_label="First"), ["note"]),
        ):
            page = self._open(f"{self.url}/rewards/{reward.id}", "sales")
            fields = page.xpath("//form[contains(@action, '/claim')]//*[self::input or self::textarea]/@name")
            self.assertEqual(fields, ["csrf_token", "form_key", *names])

    def test_the_page_takes_the_same_queries_for_many_rewards(self):
        self._log_in("sales")
        self.url_open(f"{self.url}/rewards")
        few = self._count_queries(f"{self.url}/rewards")
        for number in range(20):
            self._create_reward(name=f"Gift {number}", stock=5, member_limit=2)
        self.assertLessEqual(self._count_queries(f"{self.url}/rewards"), few + 3)

    def _count_queries(self, path):
        with self._record_queries() as queries:
            self.assertEqual(self.url_open(path).status_code, 200)
        return len(queries)

    def test_sales_see_no_rewards_that_are_money(self):
        self._create_reward(name="Credit note", kind="money", money_amount=25)
        self.assertNotIn("Credit note", self._read(self._open(f"{self.url}/rewards", "sales")))
        self.assertIn("Credit note", self._read(self._open(f"{self.url}/rewards", "owner")))

    # === ASKING ===#

    def test_a_contact_asks_for_a_reward_and_its_points_are_taken(self):
        claim, page = self._claim(quantity="1", note="Size L")
        self.assertIn("we will tell you as soon as it is approved", self._read(page))
        self.assertRecordValues(
            claim,
            [{"state": "requested", "note": "Size L", "requested_by_id": self.users["sales"].id, "point_amount": 60}],
        )
        self.assertBalance(self.member, 40, unit="point")

    def test_what_cannot_be_had_is_refused_in_a_sentence_and_keeps_what_was_typed(self):
        claim, page = self._claim(quantity="2", note="For both of us")
        self.assertFalse(claim)
        text = self._read(page)
        self.assertIn("costs 120 points", text)
        self.assertIn("For both of us", text)
        self.assertBalance(self.member, 100, unit="point")

    def test_who_taps_twice_asks_once(self):
        self.gift.point_cost = 30
        first, _page = self._claim(quantity="1", form_key="a")
        again, page = self._claim(quantity="1", form_key="a")
        self.assertEqual(again, first)
        self.assertIn(first.name, self._read(page))
        other, _page = self._claim(quantity="1", form_key="b")
        self.assertEqual(len(self._get_claims()), 2)
        with self.assertRefused("sent already"):
            other.sudo().request_token = "a"

    def test_odd_input_is_refused_in_a_sentence(self):
        for quantity in ("-1", "0", "abc", "1e400", "nan", "99999999999999", "٣"):
            with self.subTest(quantity=quantity):
                self._claim(quantity=quantity, note="\0" if quantity == "abc" else "x" * 5001)
                self.assertFalse(self._get_claims())

    def test_of_the_form_nothing_else_is_written(self):
        claim, _page = self._claim(quantity="1", state="fulfilled", member_id=str(self.other_member.id), source="bonus")
        self.assertRecordValues(
            claim, [{"state": "requested", "member_id": self.member.id, "source": "points", "point_amount": 60}]
        )

    def test_files_are_had_at_once_and_downloaded(self):
        file = {"name": "Prices", "file_name": "prices.txt", "file": base64.b64encode(b"1 euro")}
        values = {"kind": "material", "need_approval": False, "file_ids": [Command.create(file)]}
        reward = self._create_reward(name="Price list", **values)
        claim, page = self._claim(reward)
        self.assertEqual(claim.state, "fulfilled")
        self.assertIn("prices.txt", self._read(page))
        self.assertIn("prices.txt", self._read(self._open(f"{self.url}/files")))
        response = self.url_open(f"{self.url}/files/{reward.file_ids.id}")
        self.assertEqual(response.content, b"1 euro")
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self._log_in("other")
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(f"{self.url}/files/{reward.file_ids.id}").status_code, 404)

    # === ANSWERING ===#

    def test_a_claim_can_be_canceled_until_it_is_approved(self):
        claim, _page = self._claim(quantity="1")
        page = self._send(f"{self.url}/claims/{claim.id}/cancel")
        self.assertIn("yours again", self._read(page))
        self.assertBalance(self.member, 100, unit="point")
        again, _page = self._claim(quantity="1")
        again.with_user(self.users["manager"]).action_approve()
        page = self._send(f"{self.url}/claims/{again.id}/cancel")
        self.assertIn("ask us instead", self._read(page))
        self.assertEqual(again.state, "approved")

    def test_what_a_tier_gives_is_taken_or_left_to_lapse(self):
        first, second = (self._grant(self.gift, source="tier", entitlement_key=key) for key in "ab")
        text = self._read(self._open(f"{self.url}/rewards", "sales"))
        self.assertIn("For you to take", text)
        self._send(f"{self.url}/claims/{first.id}/take", note="To the shop")
        self.assertRecordValues(first, [{"state": "requested", "note": "To the shop", "point_amount": 0}])
        self._send(f"{self.url}/claims/{second.id}/decline")
        self.assertEqual(second.state, "canceled")
        self.assertBalance(self.member, 100, unit="point")

    def test_the_first_page_counts_what_waits_for_an_answer(self):
        self._grant(self.gift, source="tier", entitlement_key="a")
        for role, count in (("sales", 1), ("finance", 0), ("other", 0)):
            self._log_in(role)
            with self.subTest(role=role):
                params = {"counters": ["loyalty_claim_count", "loyalty_news_count"]}
                counts = self.make_jsonrpc_request("/my/counters", params)
                self.assertEqual(counts, {"loyalty_claim_count": count, "loyalty_news_count": 0})

    def test_an_invitation_is_accepted_or_declined(self):
        date = fields.Datetime.now() + timedelta(days=30)
        events = [self._create_reward(name=f"Gala {number}", kind="event", event_date=date) for number in range(2)]
        first, second = (self._grant(event, source="invitation", expiry_date="2026-04-01") for event in events)
        self._send(f"{self.url}/claims/{first.id}/take", "sales")
        self._send(f"{self.url}/claims/{second.id}/decline", reason="On holiday")
        self.assertEqual(first.state, "requested")
        self.assertRecordValues(second, [{"state": "canceled", "cancel_reason": "On holiday"}])
        page = self._send(f"{self.url}/claims/{second.id}/decline", reason="Again")
        self.assertIn("answered already", self._read(page))

    def test_drafts_that_somebody_is_writing_are_not_shown(self):
        draft = self._grant(self.gift)
        with mute_logger("odoo.http"):
            self._open(f"{self.url}/claims/{draft.id}", "owner", status=404)

    def test_what_was_received_is_rated(self):
        claim = self._grant(self.gift, source="tier")
        claim._set_decision("fulfilled")
        page = self._send(f"{self.url}/claims/{claim.id}/rate", "sales", rating="4", comment="Strong straps")
        self.assertIn("Thank you", self._read(page))
        self.assertRecordValues(claim, [{"rating": "4", "rating_comment": "Strong straps"}])
        for rating in ("0", "6", "", "x"):
            with self.subTest(rating=rating):
                page = self._send(f"{self.url}/claims/{claim.id}/rate", rating=rating)
                self.assertIn("one to five stars", self._read(page))
        self.assertEqual(claim.rating, "4")

    def test_what_was_not_received_is_not_rated(self):
        claim, _page = self._claim(quantity="1")
        page = self._send(f"{self.url}/claims/{claim.id}/rate", rating="1")
        self.assertIn("after it was fulfilled", self._read(page))

    def test_the_certificate_of_an_award_is_printed(self):
        badge = self.env["gamification.badge"].create({"name": "Star"})
        claim = self._grant(self._create_reward(kind="award", badge_id=badge.id), source="tier")
        with mute_logger("odoo.http"):
            self._open(f"{self.url}/claims/{claim.id}/certificate", "sales", status=404)
        claim._set_decision("fulfilled")
        self._log_in("sales")
        response = self.url_open(f"{self.url}/claims/{claim.id}/certificate")
        self.assertEqual(response.headers["Content-Type"], "application/pdf")

    def test_the_contact_begins_a_training_by_its_link(self):
        survey = self._create_survey()
        reward = self._create_reward(kind="training", survey_id=survey.id, need_approval=False)
        contact = self.users["sales"].partner_id
        claim, page = self._claim(reward, contact_id=str(contact.id))
        self.assertEqual(claim.contact_id, contact)
        self.assertIn(claim.sudo().answer_id.access_token, "".join(page.xpath("//a/@href")))
        page = self._open(f"{self.url}/claims/{claim.id}", "owner")
        self.assertNotIn(claim.sudo().answer_id.access_token, "".join(page.xpath("//a/@href")))
        self.assertIn(f"Invited by e-mail: {contact.name}", self._read(page))

    def test_people_of_others_take_no_part(self):
        survey = self._create_survey()
        reward = self._create_reward(kind="training", survey_id=survey.id)
        claim, _page = self._claim(reward, contact_id=str(self.referrer.id))
        self.assertEqual(claim.contact_id, self.users["sales"].partner_id)


@tagged("post_install", "-at_install")
class TestPortalMdf(PortalRewardCommon):
    """Marketing money: the plan, and the proof."""

    plan = {
        "mdf_plan": "A stand at the fair",
        "mdf_date_from": "2026-04-01",
        "mdf_date_to": "2026-04-03",
        "mdf_requested_amount": "300,50",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reward = cls._create_reward(name="Marketing", kind="mdf", point_cost=0)
        cls.fund = cls.env["partner.loyalty.fund"].create(
            {
                "name": "Fairs",
                "program_id": cls.program.id,
                "budget": 500,
                "share": 50,
                "date_from": "2026-01-01",
                "date_to": "2026-12-31",
            }
        )

    def test_contacts_without_money_read_nothing_of_it(self):
        claim, _page = self._claim(self.reward, "owner", **self.plan)
        for role, found in (("owner", claim), ("finance", claim), ("sales", claim.browse())):
            with self.subTest(role=role):
                claims = claim.with_user(self.users[role])
                self.env.invalidate_all()
                self.assertEqual(claims.search([("id", "=", claim.id)]), found)

    def test_it_is_asked_for_with_a_plan_and_proved(self):
        claim, _page = self._claim(self.reward, "owner", **self.plan)
        self.assertRecordValues(
            claim, [{"state": "requested", "mdf_requested_amount": 300.5, "mdf_fund_id": self.fund.id}]
        )
        claim.with_user(self.users["manager"]).action_approve()
        files = [("files", TEXT_FILE)]
        page = self._send(f"{self.url}/claims/{claim.id}/proof", files=files, mdf_spent_amount="400")
        self.assertIn("prices.txt", self._read(page))
        self.assertEqual(claim.mdf_spent_amount, 400)
        self.assertEqual(page.xpath("//input[@name='mdf_spent_amount']/@value"), ["400.00"])
        claim.with_user(self.users["officer"]).action_fulfill()
        self.assertBalance(self.member, 200)

    def test_what_a_plan_lacks_is_said_and_what_was_typed_stays(self):
        for name, value, words in (
            ("mdf_plan", "", "Write down what is planned"),
            ("mdf_date_to", "2026-03-01", "later last day"),
            ("mdf_requested_amount", "600", "are left"),
            ("mdf_requested_amount", "nan", "not a number"),
            ("mdf_date_from", "tomorrow", "not a day"),
        ):
            with self.subTest(name=name, value=value):
                claim, page = self._claim(self.reward, "owner", **{**self.plan, "mdf_place": "Kyiv", name: value})
                self.assertFalse(claim)
                self.assertIn(words, self._read(page))
                self.assertEqual(page.xpath("//input[@name='mdf_place']/@value"), ["Kyiv"])

    def test_a_proof_is_taken_while_it_is_awaited(self):
        claim, _page = self._claim(self.reward, "owner", **self.plan)
        url, sent = f"{self.url}/claims/{claim.id}/proof", {"files": [("files", TEXT_FILE)], "mdf_spent_amount": "400"}
        self.assertIn("waits for no proof", self._read(self._send(url, **sent)))
        claim.with_user(self.users["manager"]).action_refuse("No")
        self.assertIn("waits for no proof", self._read(self._send(url, **sent)))
        self.assertFalse(claim.mdf_proof_ids)

    def test_programs_and_large_files_are_no_proof(self):
        claim, _page = self._claim(self.reward, "owner", **self.plan)
        claim.with_user(self.users["manager"]).action_approve()
        for file, words in (
            (("virus.exe", b"MZ", "application/pdf"), "no picture, PDF or office document"),
            (("page.html", b"<script>alert(1)</script>", "text/html"), "no picture, PDF or office document"),
            (("photo.jpg", b"x" * (25 * 1024 * 1024 + 1), "image/jpeg"), "MB"),
        ):
            with self.subTest(file=file[0]):
                page = self._send(
                    f"{self.url}/claims/{claim.id}/proof", files=[("files", file)], mdf_spent_amount="400"
                )
                self.assertIn(words, self._read(page))
                self.assertFalse(claim.mdf_proof_ids)
        page = self._send(f"{self.url}/claims/{claim.id}/proof", mdf_spent_amount="400")
        self.assertIn("Attach at least one file", self._read(page))

    @mute_logger("odoo.http")
    def test_sales_see_nothing_of_it(self):
        claim, _page = self._claim(self.reward, "owner", **self.plan)
        self._open(f"{self.url}/claims/{claim.id}", "sales", status=404)
        self._open(f"{self.url}/rewards/{self.reward.id}", status=404)
        self._send(f"{self.url}/rewards/{self.reward.id}/claim", status=404, **self.plan)


@tagged("post_install", "-at_install")
class TestPortalRewardRights(PortalRewardCommon):
    """Who gets in: by each way, allowed and refused."""

    def setUp(self):
        super().setUp()
        self.claim = self._grant(self.gift, source="tier", entitlement_key="a")
        self.pages = ("rewards", f"rewards/{self.gift.id}", "claims", f"claims/{self.claim.id}", "files")
        self.forms = (
            f"rewards/{self.gift.id}/claim",
            *(f"claims/{self.claim.id}/{name}" for name in ("take", "decline", "cancel", "rate", "proof")),
        )
        self._write_marks()

    @mute_logger("odoo.http")
    def test_each_right_opens_what_it_may(self):
        for role, status in (("owner", 200), ("sales", 200), ("finance", 403), ("other", 404)):
            self._log_in(role)
            for page in self.pages:
                with self.subTest(role=role, page=page):
                    self._open(f"{self.url}/{page}", status=status)

    @mute_logger("odoo.http")
    def test_forms_are_refused_to_others_and_without_a_token(self):
        for role, token, status in (
            ("finance", True, 403),
            ("other", True, 404),
            ("owner", False, 400),
            ("owner", "wrong", 400),
        ):
            self._log_in(role)
            for form in self.forms:
                with self.subTest(role=role, token=token, form=form):
                    self._send(f"{self.url}/{form}", token=token, status=status, quantity="1", rating="5")
        self.assertEqual(self._get_claims(), self.claim)
        self.assertEqual(self.claim.state, "draft")

    @mute_logger("odoo.http")
    def test_forms_are_no_pages(self):
        self._log_in("owner")
        for form in self.forms:
            with self.subTest(form=form):
                self._open(f"{self.url}/{form}", status=405)

    @mute_logger("odoo.http")
    def test_ids_of_others_are_not_found(self):
        gift = self.env["partner.loyalty.reward"].create(
            {"name": "Theirs", "program_id": self.other_program.id, "product_id": self.thing.id, "point_cost": 1}
        )
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        claim = claims_sudo.create({"reward_id": gift.id, "member_id": self.other_member.id, "source": "tier"})
        self._log_in("owner")
        for path in (f"rewards/{gift.id}", f"claims/{claim.id}", "rewards/0", f"claims/{2**31}", f"files/{2**40}"):
            with self.subTest(path=path):
                self._open(f"{self.url}/{path}", status=404)
        self._send(f"{self.url}/claims/{claim.id}/take", status=404)
        self.assertEqual(claim.state, "draft")

    def test_nobody_gets_in_without_login(self):
        self._log_in(None)
        for page in self.pages:
            response = self.url_open(f"{self.url}/{page}", allow_redirects=False)
            self.assertIn("/web/login", response.headers.get("Location", ""), page)

    @mute_logger("odoo.http")
    def test_an_officer_looks_and_changes_nothing(self):
        self._log_in("officer")
        for page in self.pages:
            with self.subTest(page=page):
                shown = self._open(f"/my/loyalty/as/{self.member.id}/{page}")
                self.assertFalse(shown.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"))
        for form in self.forms:
            with self.subTest(form=form):
                self._send(f"/my/loyalty/as/{self.member.id}/{form}", status=404)
        self.assertEqual(self.claim.state, "draft")

    def test_hostile_texts_are_text(self):
        self._log_in("owner")
        for text in HOSTILE[:-1]:
            self.gift.name = text
            self.claim.sudo().note = text
            for page in self.pages[:-1]:
                with self.subTest(text=text[:20], page=page):
                    shown = self._open(f"{self.url}/{page}")
                    self.assertFalse(shown.xpath("//img[@onerror]"))
                    self.assertIn(" ".join(text.split()), self._read(shown))
