"""What members talk about: what is published, under which names, and what is hidden."""

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon


@tagged("post_install", "-at_install")
class TestTopic(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = f"/my/loyalty/{cls.program.id}"
        cls.program.user_id = cls.users["officer"]
        cls.second = cls._enroll(cls.program, cls.stranger)
        cls.users["second"] = cls._create_portal_user("second", cls.stranger)
        cls._write_marks()

    def _begin(self, role="owner", **data):
        before = self.env["partner.loyalty.topic"].search([])
        data = {"subject": "Showrooms", "text": "How do you show the range?", **data}
        self._send(f"{self.base}/discussions", role, **data)
        return (self.env["partner.loyalty.topic"].search([]) - before).with_user(self.users["officer"])

    def _read_topic(self, topic, role):
        return self._read(self._open(f"{self.base}/discussions/{topic.id}", role))

    # === PUBLISHING ===#

    @mute_logger("odoo.http")
    def test_a_topic_is_read_by_others_once_it_is_published(self):
        topic = self._begin()
        self.assertRecordValues(topic, [{"state": "pending", "member_id": self.member.id}])
        self.assertEqual(topic.activity_ids.user_id, self.users["officer"])
        self.assertIn("once we have published it", self._read_topic(topic, "owner"))
        self._open(f"{self.base}/discussions/{topic.id}", "second", status=404)
        self._send(f"{self.base}/discussions/{topic.id}", status=404, text="Hello")
        topic.action_publish()
        self.assertFalse(topic.activity_ids)
        self.assertIn("How do you show the range?", self._read_topic(topic, "second"))
        self.assertIn("Showrooms", self._read(self._open(f"{self.base}/discussions")))
        self._send(f"{self.base}/discussions/{topic.id}", text="By color")
        self.assertIn("By color", self._read_topic(topic, "owner"))

    @mute_logger("odoo.http")
    def test_a_refused_topic_says_why_to_its_author_alone(self):
        topic = self._begin()
        with self.assertRefused("Refused because"):
            topic.action_refuse()
        topic.refuse_reason = "It names a customer"
        topic.action_refuse()
        self.assertIn("It names a customer", self._read_topic(topic, "owner"))
        self._open(f"{self.base}/discussions/{topic.id}", "second", status=404)
        with self.assertRefused("Nobody writes into", Exception):
            topic.sudo()._write_as(self.member, self.users["owner"].partner_id, "But")

    def test_a_closed_topic_is_read_and_not_written(self):
        topic = self._begin()
        topic.action_publish()
        topic.action_close()
        page = self._open(f"{self.base}/discussions/{topic.id}", "second")
        self.assertIn("This discussion is closed", self._read(page))
        self.assertFalse(page.xpath("//form[contains(@action, '/discussions/')]"))
        response = self._send(f"{self.base}/discussions/{topic.id}", status=200, text="Too late")
        self.assertIn("Nobody writes into", response.text)

    def test_staff_writes_as_the_company_and_hides_what_should_not_be_there(self):
        topic = self._begin()
        topic.action_publish()
        topic.message_post(body="New shelves come in May.", message_type="comment", subtype_xmlid="mail.mt_comment")
        topic.message_post(body="He sells little", subtype_xmlid="mail.mt_note")
        self._send(f"{self.base}/discussions/{topic.id}", "second", text="Rude words")
        text = self._read_topic(topic, "owner")
        self.assertIn("New shelves come in May.", text)
        self.assertIn(self.company.name, text)
        self.assertNotIn(self.users["officer"].name, text)
        self.assertNotIn("He sells little", text)
        self.assertIn("Rude words", text)
        message = topic.post_ids.filtered(lambda message: "Rude" in message.body)
        message.with_user(self.users["officer"]).action_loyalty_hide()
        self.assertNotIn("Rude words", self._read_topic(topic, "owner"))
        message.with_user(self.users["officer"]).action_loyalty_hide()
        self.assertIn("Rude words", self._read_topic(topic, "owner"))

    # === NAMES ===#

    def test_names_are_read_where_the_company_agreed(self):
        topic = self._begin()
        topic.action_publish()
        self._send(f"{self.base}/discussions/{topic.id}", "second", text="By color")
        self.assertIn(
            self.stranger.name, self._read(self._open(f"{self.base}/discussions/{topic.id}"), "o_loyalty_post_own")
        )
        text = self._read_topic(topic, "owner")
        self.assertNotIn(self.stranger.name, text)
        self.assertIn("A member", text)
        self.assertNotIn(
            "Dealer", self._read(self._open(f"{self.base}/discussions/{topic.id}", "second"), "o_loyalty_post")
        )
        self.second.is_named_on_leaderboard = True
        self.assertIn(self.stranger.name, self._read_topic(topic, "owner"))

    def test_nobody_who_wrote_is_told_by_mail_who_else_writes(self):
        topic = self._begin()
        topic.action_publish()
        self._send(f"{self.base}/discussions/{topic.id}", "second", text="By color")
        partners = topic.message_partner_ids
        self.assertFalse(partners.filtered(lambda one: one.commercial_partner_id in self.dealer | self.stranger))

    # === WHO MAY ===#

    @mute_logger("odoo.http")
    def test_others_find_nothing(self):
        topic = self._begin()
        topic.action_publish()
        foreign = self.env["partner.loyalty.topic"].create(
            {"program_id": self.other_program.id, "name": "Secret", "text": "Secret"}
        )
        foreign.action_publish()
        self._write_marks()
        for number in (foreign.id, 0, 2**31, 2**70):
            self._open(f"{self.base}/discussions/{number}", "owner", status=404)
        self._open(f"{self.base}/discussions/{topic.id}", "other", status=404)
        self._send(f"{self.base}/discussions", status=404, subject="Hi", text="Hi")
        self._send(f"{self.base}/discussions", "owner", status=400, token=False, subject="Hi", text="Hi")
        self._log_in(None)
        response = self.url_open(f"{self.base}/discussions/{topic.id}", allow_redirects=False)
        self.assertIn("/web/login", response.headers["Location"])
        self._log_in("officer")
        page = self._open(f"/my/loyalty/as/{self.member.id}/discussions/{topic.id}")
        self.assertFalse(page.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"))

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_members_read_no_authors_by_calls(self):
        topic = self._begin()
        topic.action_publish()
        self._send(f"{self.base}/discussions/{topic.id}", "second", text="By color")
        message = topic.post_ids
        owner = self.users["owner"]
        for call in (
            lambda: topic.with_user(owner).read(["name"]),
            lambda: topic.with_user(owner).search([]),
            lambda: message.with_user(owner).read(["author_id"]),
            lambda: message.with_user(owner).action_loyalty_hide(),
            topic.with_user(owner).action_publish,
        ):
            with self.assertRefused("", AccessError):
                call()
        found = self.env["mail.message"].with_user(owner).search([("model", "=", "partner.loyalty.topic")])
        self.assertFalse(found)

    def test_who_is_no_member_any_more_reads_and_does_not_write(self):
        topic = self._begin()
        topic.action_publish()
        self.member.sudo().suspended = True
        self._write_marks()
        self.assertEqual(self.member.state, "suspended")
        page = self._open(f"{self.base}/discussions/{topic.id}", "owner")
        self.assertFalse(page.xpath("//form[contains(@action, '/discussions/')]"))
        response = self._send(f"{self.base}/discussions/{topic.id}", status=200, text="Hello")
        self.assertIn("your membership is not active", response.text)

    def test_hostile_texts_are_shown_as_text(self):
        for text in HOSTILE:
            self.env["partner.loyalty.topic"].search([]).action_publish()
            topic = self._begin(subject=text[:200], text=text)
            topic.action_publish()
            self._send(f"{self.base}/discussions/{topic.id}", "owner", text=text)
            page = self._open(f"{self.base}/discussions/{topic.id}")
            self.assertEqual(self._read(page, "o_loyalty_post_body").count(" ".join(text.split())), 2)
            self.assertFalse(page.xpath("//*[contains(@class, 'o_loyalty_portal')]//script | //img[@onerror]"))

    def test_enough_topics_wait(self):
        for _number in range(5):
            self._begin()
        response = self._send(f"{self.base}/discussions", status=200, subject="Sixth", text="Hello")
        self.assertIn("wait to be published", response.text)

    def test_other_messages_are_not_hidden_here(self):
        message = self.member.message_post(body="Hello")
        with self.assertRefused("Only messages in discussions"):
            message.with_user(self.users["officer"]).action_loyalty_hide()
