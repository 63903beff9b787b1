"""What a member thinks, said in the portal."""

from odoo import SUPERUSER_ID
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon


@tagged("post_install", "-at_install")
class TestPortalFeedback(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = f"/my/loyalty/{cls.program.id}"

    def _say(self, role="owner", **data):
        before = self.env["partner.loyalty.feedback"].search([])
        self._send(f"{self.base}/feedback", role, **{"subject": "service", "csat": "2", "text": "Slow", **data})
        return self.env["partner.loyalty.feedback"].search([]) - before

    def test_an_opinion_is_said_and_answered(self):
        feedback = self._say()
        self.assertRecordValues(
            feedback,
            [
                {
                    "member_id": self.member.id,
                    "contact_id": self.users["owner"].partner_id.id,
                    "source": "comment",
                    "subject": "service",
                    "csat": 2,
                    "text": "Slow",
                }
            ],
        )
        self.assertIn("satisfied: 2 of 5", self._read(self._open(f"{self.base}/feedback")))
        feedback.with_user(self.users["officer"]).answer = "We have more people now."
        self.assertNotIn("We have more people now.", self._read(self._open(f"{self.base}/feedback")))
        feedback.with_user(self.users["officer"]).action_answer()
        self.assertIn("We have more people now.", self._read(self._open(f"{self.base}/feedback")))

    def test_what_cannot_be_sent_says_why(self):
        for data, words in (({"csat": "", "text": " "}, "Write a comment"), ({"text": "x" * 10001}, "shorten it")):
            data = {"subject": "product", "csat": "1", **data}
            response = self._send(f"{self.base}/feedback", "owner", status=200, **data)
            self.assertIn(words, response.text)
        self.assertFalse(self.env["partner.loyalty.feedback"].search([]))
        self.assertRecordValues(self._say(subject="<b>", csat="99"), [{"subject": "program", "csat": 0}])

    def test_hostile_texts_are_shown_as_text(self):
        for text in HOSTILE:
            self.assertEqual(self._say(text=text).text, text)
        page = self._open(f"{self.base}/feedback")
        for text in HOSTILE:
            self.assertIn(" ".join(text.split()), self._read(page))
        self.assertFalse(page.xpath("//*[contains(@class, 'o_loyalty_portal')]//script | //img[@onerror]"))

    def test_the_owner_reads_all_and_others_their_own(self):
        self._say("sales", text="From sales")
        self._say("owner", text="From the owner")
        text = self._read(self._open(f"{self.base}/feedback"))
        self.assertIn("From sales", text)
        for role, hidden in (("sales", "From the owner"), ("finance", "From sales")):
            self.assertNotIn(hidden, self._read(self._open(f"{self.base}/feedback", role)))

    def test_surveys_to_answer_are_on_the_page_of_who_was_asked(self):
        contacts = {role: self.users[role].partner_id for role in ("owner", "finance", "sales")}
        (contacts["owner"] | contacts["finance"] | self.dealer_contact).email = False
        contacts["sales"].email = "sales@dealer.example"
        self.program.needs_survey_id = self.env.ref("partner_loyalty.survey_needs")
        self._write_marks()
        answer = self.program.with_user(SUPERUSER_ID)._ask_members()
        self.assertEqual(answer.partner_id.with_env(self.env), contacts["sales"])
        start = "//a[contains(@href, '/survey/start/')]/@href"
        [link] = self._open(f"{self.base}/feedback", "sales").xpath(start)
        self.assertIn(answer.access_token, link)
        self.assertTrue(self._open(f"{self.base}/feedback", "owner").xpath(start))
        self.assertFalse(self._open(f"{self.base}/feedback", "finance").xpath(start))
        page = self._open(f"/my/loyalty/as/{self.member.id}/feedback", "officer")
        self.assertFalse(page.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"))
        self.assertFalse(page.xpath(start))
        answer.deadline = "2026-03-17 10:00:00"
        self.env.flush_all()
        self.assertFalse(self._open(f"{self.base}/feedback", "sales").xpath(start))

    @mute_logger("odoo.http")
    def test_nobody_else_reads_or_writes(self):
        self._say()
        self._open(f"{self.base}/feedback", "other", status=404)
        self._send(f"{self.base}/feedback", status=404, subject="service", text="Hi")
        self._send(f"{self.base}/feedback", "owner", status=400, token=False, subject="service", text="Hi")
        self._log_in(None)
        response = self.url_open(f"{self.base}/feedback", allow_redirects=False)
        self.assertIn("/web/login", response.headers["Location"])
        self.assertEqual(len(self.env["partner.loyalty.feedback"].search([])), 1)
