"""Questions and disputes in the portal: whose they are, who reads them, and what cannot be sent."""

import io

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon


@tagged("post_install", "-at_install")
class TestPortalInquiry(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = f"/my/loyalty/{cls.program.id}"
        cls.money = cls._post_entry(cls.member, 100)
        cls.points = cls._post_entry(cls.member, 50, unit="point")
        cls._write_marks()

    def _ask(self, role="owner", **data):
        """Ask by the page, and return the inquiry."""
        before = self.env["partner.loyalty.inquiry"].search([])
        self._send(f"{self.base}/ask", role, **{"subject": "Where is March?", "text": "It is missing.", **data})
        return self.env["partner.loyalty.inquiry"].search([]) - before

    def _dispute(self, role="owner", **data):
        before = self.env["partner.loyalty.inquiry"].search([])
        data = {"line": "1", "unit": "money", "subject": "Too little", "text": "It were 200.", **data}
        self._send(f"{self.base}/dispute", role, **data)
        return self.env["partner.loyalty.inquiry"].search([]) - before

    # === ASKING ===#

    def test_each_page_leads_to_a_question_about_it(self):
        page = self._open(self.base, "owner")
        [link] = page.xpath("//p[contains(@class, 'o_loyalty_ask')]/a/@href")
        form = self._open(link)
        self.assertEqual(form.xpath("//input[@name='page']/@value"), [self.base])
        self.assertIn("You will have our answer by 03/25/2026", self._read(form))

    def test_a_question_is_asked_answered_and_closed(self):
        inquiry = self._ask(page=f"{self.base}/payouts")
        self.assertRecordValues(
            inquiry,
            [
                {
                    "member_id": self.member.id,
                    "contact_id": self.users["owner"].partner_id.id,
                    "kind": "question",
                    "state": "new",
                    "page": f"{self.base}/payouts",
                }
            ],
        )
        path = f"{self.base}/inquiries/{inquiry.id}"
        self.assertIn("Our answer comes by 03/25/2026", self._read(self._open(path)))
        inquiry.with_user(self.users["officer"]).message_post(
            body="It comes tomorrow.", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        inquiry.with_user(self.users["officer"]).message_post(body="He always asks", subtype_xmlid="mail.mt_note")
        text = self._read(self._open(path))
        self.assertIn("It comes tomorrow.", text)
        self.assertNotIn("He always asks", text)
        self.assertIn("It did not come.", self._read(self._send(f"{path}/answer", text="It did not come.")))
        self.assertEqual(inquiry.state, "in_progress")
        inquiry.with_user(self.users["officer"]).action_answered()
        self._send(f"{path}/close")
        self.assertEqual(inquiry.state, "closed")

    def test_the_list_shows_what_was_asked(self):
        self.assertIn("Nothing asked yet", self._read(self._open(f"{self.base}/inquiries", "owner")))
        self._ask()
        text = self._read(self._open(f"{self.base}/inquiries"))
        for part in ("Where is March?", "Sent", self.users["owner"].partner_id.name, "by 03/25/2026"):
            self.assertIn(part, text)
        for number in range(20):
            self.env["partner.loyalty.inquiry"].create(
                {"member_id": self.member.id, "name": f"Question {number}", "text": "Why?"}
            )
        page = self._open(f"{self.base}/inquiries")
        self.assertNotIn("Where is March?", self._read(page))
        [older] = page.xpath("//a[@rel='next']/@href")
        self.assertIn("Where is March?", self._read(self._open(older)))
        for number in ("0", "-1", "x", "9" * 30):
            self._open(f"{self.base}/inquiries?page={number}")

    def test_what_cannot_be_sent_says_why_and_keeps_the_text(self):
        for data, words in (
            ({"subject": "  "}, "cannot be empty"),
            ({"text": "x" * 10001}, "shorten it"),
            ({"subject": "x" * 201}, "shorten it"),
        ):
            with self.subTest(words=words):
                data = {"subject": "March", "text": "Missing", **data}
                response = self._send(f"{self.base}/ask", "owner", status=200, **data)
                self.assertIn(words, response.text)
                self.assertIn(f">{data['text'][:50]}", response.text)
        self.assertFalse(self.env["partner.loyalty.inquiry"].search([]))

    def test_files_come_along_and_programs_do_not(self):
        inquiry = self._ask(files={"files": ("invoice.pdf", io.BytesIO(b"%PDF-1.4"))})
        page = self._open(f"{self.base}/inquiries/{inquiry.id}")
        [link] = page.xpath("//a[contains(@href, '/web/content/')]/@href")
        self.assertEqual(self.url_open(link).content, b"%PDF-1.4")
        path = f"{self.base}/inquiries/{inquiry.id}/answer"
        self._send(path, text="And this", files={"files": ("two.txt", io.BytesIO(b"Two"))})
        links = self._open(f"{self.base}/inquiries/{inquiry.id}").xpath("//a[contains(@href, '/web/content/')]")
        self.assertEqual(["".join(link.itertext()) for link in links], ["invoice.pdf", "two.txt"])
        response = self._send(path, status=200, text="This", files={"files": ("run.html", io.BytesIO(b"<html>"))})
        self.assertIn("can run as one", response.text)
        self.assertEqual(self.env["ir.attachment"].search_count([("res_model", "=", inquiry._name)]), 2)

    def test_many_open_questions_are_enough(self):
        self.env["partner.loyalty.inquiry"].create(
            [{"member_id": self.member.id, "name": f"Question {number}", "text": "Why?"} for number in range(20)]
        )
        response = self._send(f"{self.base}/ask", "owner", status=200, subject="Once more", text="Why?")
        self.assertIn("wait for an answer: ask the next one after that", response.text)

    def test_hostile_texts_are_shown_as_text(self):
        for text in HOSTILE:
            inquiry = self._ask(subject=text[:200], text=text)
            self.assertEqual(inquiry.text, text)
            inquiry.sudo()._write_as(self.users["owner"].partner_id, text)
            page = self._open(f"{self.base}/inquiries/{inquiry.id}")
            self.assertEqual(self._read(page, "o_loyalty_post_body").count(" ".join(text.split())), 2)
            self.assertFalse(page.xpath("//*[contains(@class, 'o_loyalty_portal')]//script | //img[@onerror]"))
            self._open(f"{self.base}/inquiries")

    def test_a_page_of_somebody_else_is_not_noted(self):
        for page in ("/web", "https://example.com", f"{self.base}/../x", f"/my/loyalty/{self.other_program.id}"):
            self.assertFalse(self._ask(page=page).page)

    def test_a_question_from_a_payout_is_about_it(self):
        payout = self._submit_payout(self.member)
        self._write_marks()
        self.assertEqual(self._ask(page=f"{self.base}/payouts/{payout.id}").payout_id, payout)
        self.assertFalse(self._ask(page=f"{self.base}/payouts/{payout.id + 1}").payout_id)

    # === DISPUTES ===#

    def test_a_line_is_disputed_and_held_back(self):
        form = self._open(f"{self.base}/dispute?line=1&unit=money", "owner")
        text = self._read(form)
        self.assertIn("100.00", text)
        self.assertIn("Meanwhile the line is not paid out", text)
        statement = self._open(f"{self.base}/statement?unit=money")
        self.assertIn("Something is wrong", self._read(statement))
        self.assertIn(f"{self.base}/dispute?line=1&unit=money", statement.xpath("//a/@href"))
        dispute = self._dispute()
        statement = self._open(f"{self.base}/statement?unit=money")
        self.assertIn("Disputed", self._read(statement))
        self.assertRecordValues(dispute, [{"kind": "dispute", "entry_id": self.money.id, "state": "new"}])
        self.assertIn(
            "Until then the line is not paid out", self._read(self._open(f"{self.base}/inquiries/{dispute.id}"))
        )
        account = self.money.account_id
        self.assertFalse(account._get_available(for_payout=True))
        # Whoever asks once more comes to the dispute that there is.
        response = self.url_open(f"{self.base}/dispute?line=1", allow_redirects=False)
        self.assertTrue(response.headers["Location"].endswith(f"/inquiries/{dispute.id}"))
        response = self._send(
            f"{self.base}/dispute", status=200, line="1", unit="money", subject="Again", text="Still wrong"
        )
        self.assertIn("disputed already", response.text)

    @mute_logger("odoo.http")
    def test_a_line_that_there_is_not_is_not_found(self):
        self._log_in("owner")
        for query in ("", "?line=0", "?line=99", "?line=x", "?line=-1", f"?line={'9' * 30}", "?line=1&unit=gold"):
            with self.subTest(query=query):
                self._open(f"{self.base}/dispute{query}", status=404)

    # === WHO READS WHAT ===#

    @mute_logger("odoo.http")
    def test_sales_see_no_money_and_their_own_questions_alone(self):
        owners = self._ask()
        self._open(f"{self.base}/dispute?line=1&unit=money", "sales", status=403)
        self._send(f"{self.base}/dispute", status=403, line="1", unit="money", subject="Mine", text="Mine")
        self._open(f"{self.base}/inquiries/{owners.id}", status=404)
        self.assertNotIn("Where is March?", self._read(self._open(f"{self.base}/inquiries")))
        self._open(f"{self.base}/dispute?line=1&unit=point")
        own = self._dispute("sales", unit="point")
        self._open(f"{self.base}/inquiries/{own.id}")
        for role in ("owner", "finance"):
            self._open(f"{self.base}/inquiries/{own.id}", role)

    @mute_logger("odoo.http")
    def test_inquiries_of_others_are_not_found(self):
        inquiry = self._ask()
        foreign = self.env["partner.loyalty.inquiry"].create(
            {"member_id": self.other_member.id, "name": "Secret", "text": "Secret"}
        )
        self._write_marks()
        for number in (foreign.id, 0, 2**31, 2**70):
            self._open(f"{self.base}/inquiries/{number}", "owner", status=404)
            self._send(f"{self.base}/inquiries/{number}/answer", status=404, text="Hello")
        self._log_in("other")
        for path in ("inquiries", "ask", "dispute?line=1", f"inquiries/{inquiry.id}"):
            self._open(f"{self.base}/{path}", status=404)
        self._send(f"{self.base}/ask", status=404, subject="Hello", text="Hello")
        self._send(f"{self.base}/inquiries/{inquiry.id}/answer", status=404, text="Hello")
        self.assertEqual(len(self.env["partner.loyalty.inquiry"].search([])), 2)

    @mute_logger("odoo.http")
    def test_forms_need_a_login_and_their_token(self):
        inquiry = self._ask()
        paths = ("ask", "dispute", f"inquiries/{inquiry.id}/answer", f"inquiries/{inquiry.id}/close")
        data = {"subject": "Hello", "text": "Hello", "line": "1"}
        for path in paths:
            self._send(f"{self.base}/{path}", "owner", status=400, token=False, **data)
            self._send(f"{self.base}/{path}", status=400, token="wrong", **data)
        self._log_in(None)
        for path in ("ask", "inquiries", "dispute?line=1", f"inquiries/{inquiry.id}"):
            response = self.url_open(f"{self.base}/{path}", allow_redirects=False)
            self.assertIn("/web/login", response.headers["Location"])
        self.assertEqual(self.env["partner.loyalty.inquiry"].search([]), inquiry)

    @mute_logger("odoo.http")
    def test_an_officer_reads_and_changes_nothing(self):
        inquiry = self._ask()
        base = f"/my/loyalty/as/{self.member.id}"
        self._log_in("officer")
        for path in ("inquiries", "ask", "dispute?line=1", f"inquiries/{inquiry.id}"):
            page = self._open(f"{base}/{path}")
            self.assertFalse(page.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"), path)
        for path in ("ask", "dispute", f"inquiries/{inquiry.id}/answer", f"inquiries/{inquiry.id}/close"):
            data = {"csrf_token": http.Request.csrf_token(self), "subject": "Hello", "text": "Hello"}
            response = self.url_open(f"{base}/{path}", data=data, allow_redirects=False)
            self.assertIn(response.status_code, (404, 405), path)
        self._send(f"{self.base}/ask", status=404, subject="Hello", text="Hello")

    def test_no_page_changes_anything_by_being_opened(self):
        inquiry = self._ask()
        before = inquiry.read()
        for path in ("inquiries", "ask", "dispute?line=1", f"inquiries/{inquiry.id}"):
            self._open(f"{self.base}/{path}", "owner")
        self.env.invalidate_all()
        self.assertEqual(inquiry.read(), before)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_nothing_leaks_by_calls(self):
        inquiry = self._ask()
        owner = self.users["owner"]
        records = inquiry.with_user(owner)
        for name, call in (
            ("read", lambda: records.read(["name"])),
            ("search", lambda: records.search([])),
            ("name_search", lambda: records.name_search("March")),
            ("web_search_read", lambda: records.web_search_read([], {"name": {}})),
            ("formatted_read_group", lambda: records.formatted_read_group([], ["state"], ["__count"])),
            ("write", lambda: records.write({"name": "Mine"})),
            ("unlink", records.unlink),
            ("action_close", records.action_close),
        ):
            with self.subTest(name=name), self.assertRefused("", AccessError):
                call()
