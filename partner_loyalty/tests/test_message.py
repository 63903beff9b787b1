"""What members are written to about: once for each cause, in their language, and never in the way of money."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import TODAY
from .common_portal import HOSTILE, PortalCommon


class MessageCommon(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dealer.email = "dealer@example.com"
        for right in ("owner", "finance", "sales"):
            cls.users[right].partner_id.email = f"{right}@example.com"
        cls._set_created(cls.member | cls.other_member, "2026-01-01 09:00:00")
        cls.settings = {setting.kind: setting for setting in cls.program.message_setting_ids}
        cls._keep_only()

    @classmethod
    def _keep_only(cls, *kinds):
        for kind, setting in cls.settings.items():
            setting.is_active = False
            setting.is_active = kind in kinds
        cls.env.flush_all()

    @classmethod
    def _set_created(cls, members, moment=f"{TODAY} 09:00:00"):
        """Let members have been created at a moment: the clock of the database does not stand still for tests."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE partner_loyalty_member SET create_date = %s WHERE id = ANY(%s)", [moment, members.ids]
        )
        members.invalidate_recordset(["create_date"])

    def _run(self):
        """Do what the cron does, and return the messages that there are now, oldest first."""
        self._run_cron("ir_cron_send_messages")
        return self._find()

    def _find(self):
        return self.env["partner.loyalty.message"].search([("program_id", "=", self.program.id)], order="id")

    def _get_mails(self):
        domain = [("model", "=", "partner.loyalty.message"), ("res_id", "in", self._find().ids)]
        return self.env["mail.mail"].sudo().search(domain, order="id")

    def _earn(self, amount, unit="money", posted_at=f"{TODAY} 10:00:00"):
        """Post an entry at a moment: the clock of the database does not stand still for tests."""
        entry = self._post_entry(self.member, amount, unit=unit)
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE partner_loyalty_entry DISABLE TRIGGER USER")
        self.env.cr.execute("UPDATE partner_loyalty_entry SET posted_at = %s WHERE id = %s", [posted_at, entry.id])
        self.env.cr.execute("ALTER TABLE partner_loyalty_entry ENABLE TRIGGER USER")
        return entry

    def _reset_clock(self, kind, day):
        """Let a summary have been made up to a day."""
        self.settings[kind].sudo().collected_until = day


@tagged("post_install", "-at_install")
class TestMessage(MessageCommon):
    def test_a_new_program_writes_of_what_matters(self):
        program = self._create_program([{}], name="New")
        active = program.message_setting_ids.filtered("is_active").mapped("kind")
        self.assertEqual(active, ["welcome", "expiring", "claim", "payout", "dispute", "announcement"])
        self.assertTrue(all(program.message_setting_ids.mapped("template_id")))

    def test_an_older_program_gets_its_lines_switched_off_but_of_disputes_it_told_before(self):
        self.program.message_setting_ids.sudo().filtered(lambda setting: setting.kind != "payout").unlink()
        self._run()
        self.assertEqual(len(self.program.message_setting_ids), 9)
        self.assertEqual(self.program.message_setting_ids.filtered("is_active").kind, "dispute")

    def test_a_new_member_is_welcomed_once(self):
        self._keep_only("welcome")
        self.settings["welcome"].sudo().since = "2026-03-01"
        self.stranger.email = "stranger@example.com"
        member = self._enroll(self.program, self.stranger)
        self._set_created(member)
        messages = self._run()
        self.assertRecordValues(messages, [{"member_id": member.id, "kind": "welcome", "state": "sent"}])
        self._run()
        self.assertEqual(len(self._get_mails()), 1)
        self.assertIn("welcome to", self._get_mails().body_html)
        self.assertEqual(self._get_mails().recipient_ids, self.stranger)

    def test_what_was_earned_is_summed_up_by_week(self):
        self._keep_only("earned")
        self._reset_clock("earned", "2026-03-15")
        for amount, unit in ((10, "money"), (5.5, "money"), (7, "point")):
            self._earn(amount, unit)
        self.assertFalse(self._run())
        with freeze_time("2026-03-23 10:00:00"):
            messages = self._run()
            self.assertRecordValues(messages, [{"points": 7, "money": 15.5, "state": "sent"}])
            self.assertEqual(str(messages.date), "2026-03-22")
            self.assertEqual(self._run(), messages)
        with freeze_time("2026-04-20 10:00:00"):
            self.assertEqual(self._run(), messages)
        mail = self._get_mails()
        self.assertIn("7 points", mail.body_html)
        self.assertIn("15.50", mail.body_html)

    def test_a_summary_makes_up_for_weeks_that_were_missed(self):
        self._keep_only("earned")
        self._reset_clock("earned", "2026-03-15")
        self._earn(10)
        with freeze_time("2026-04-20 10:00:00"):
            self.assertRecordValues(self._run(), [{"money": 10, "cause": "2026-04-19"}])

    def test_what_was_earned_before_the_switch_is_not_summed_up(self):
        self._earn(10, posted_at="2026-03-17 10:00:00")
        self._keep_only("earned")
        self._run()
        self._earn(5)
        with freeze_time("2026-03-23 10:00:00"):
            self.assertEqual(self._run().mapped("money"), [5])

    def test_who_sees_no_money_reads_of_none(self):
        self._keep_only("earned")
        self._reset_clock("earned", "2026-03-15")
        self._earn(10)
        with freeze_time("2026-03-23 10:00:00"):
            self._run()
        reached = self._get_mails().recipient_ids
        self.assertIn(self.users["owner"].partner_id, reached)
        self.assertIn(self.users["finance"].partner_id, reached)
        self.assertNotIn(self.users["sales"].partner_id, reached)

    def test_points_alone_are_for_all(self):
        self._keep_only("earned")
        self._reset_clock("earned", "2026-03-15")
        self._earn(10, "point")
        with freeze_time("2026-03-23 10:00:00"):
            self._run()
        self.assertIn(self.users["sales"].partner_id, self._get_mails().recipient_ids)

    def test_what_expires_is_told_a_month_and_a_week_before(self):
        self._keep_only("expiring")
        self._post_entry(self.member, 20, unit="point", expiry_date=fields.Date.to_date("2026-04-15"))
        self._post_entry(self.member, 5, unit="point", expiry_date=fields.Date.to_date("2026-04-16"))
        with freeze_time("2026-03-10 10:00:00"):
            self.assertFalse(self._run())
        for day, count in (("2026-03-18", 1), ("2026-03-30", 1), ("2026-04-09", 2), ("2026-04-10", 2)):
            with self.subTest(day=day), freeze_time(f"{day} 10:00:00"):
                self.assertEqual(len(self._run()), count)
        self.assertEqual(self._find().mapped("points"), [25, 25])
        self.assertEqual(str(self._find()[0].date), "2026-04-15")

    def test_what_became_of_a_payout_is_told(self):
        self._keep_only("payout")
        self._post_entry(self.member, 100)
        payout = self._bill_payout(self.member)
        self.assertEqual(self._run().mapped("title"), ["approved"])
        self._pay(payout.bill_id)
        self.assertEqual(self._run().mapped("title"), ["approved", "paid"])
        self._run()
        mails = self._get_mails()
        self.assertEqual(len(mails), 2)
        self.assertIn("was paid", mails[1].body_html)
        self.assertIn(payout.name, mails[1].subject)
        self.assertNotIn(self.users["sales"].partner_id, mails.recipient_ids)

    def test_a_refused_payout_says_why(self):
        self._keep_only("payout")
        self._post_entry(self.member, 100)
        self._submit_payout(self.member).with_user(self.users["manager"]).action_refuse("Bank <i>unknown</i>")
        self._run()
        self.assertIn("Bank &lt;i&gt;unknown", self._get_mails().body_html)

    def _dispute(self, role="owner"):
        entry = self._post_entry(self.member, 100)
        contact = self.users[role].partner_id
        values = {"kind": "dispute", "entry_id": entry.id, "contact_id": contact.id}
        values |= {"member_id": self.member.id, "name": "Price of March", "text": "It was agreed otherwise."}
        # Portal users ask by the pages alone.
        return self.env["partner.loyalty.inquiry"].sudo().create(values).with_user(self.users["officer"])

    def _get_addressees(self, inquiry):
        """Return who outside was notified by the thread."""
        return inquiry.message_ids.notified_partner_ids.filtered("partner_share")

    def test_an_answered_dispute_is_told_once_to_who_asked(self):
        self._keep_only("dispute")
        inquiry = self._dispute("finance")
        inquiry._explain("It is <b>the price</b> of the list.\nSee page 4.")
        for _round in range(2):
            self._run()
        mail = self._get_mails()
        self.assertEqual(mail.recipient_ids, self.users["finance"].partner_id)
        self.assertIn("the line of your statement stands", mail.body_html)
        self.assertIn("It is &lt;b&gt;the price&lt;/b&gt; of the list.", mail.body_html)
        self.assertIn(f"/my/loyalty/{self.program.id}/inquiries/{inquiry.id}", mail.body_html)
        self.assertFalse(self._get_addressees(inquiry))
        with freeze_time(f"{TODAY} 18:00:00"):
            inquiry.action_reopen()
            adjustment = inquiry._uphold("You were right.", 10)
            self._run()
            self.assertEqual(len(self._get_mails()), 1)
            adjustment.with_user(self.users["manager"]).action_approve()
            self._run()
        self.assertIn("you were right about", self._get_mails()[1].body_html)

    def test_who_switched_disputes_off_reads_the_answer_on_its_page(self):
        self._keep_only("dispute")
        self.member.sudo()._mute(["dispute"])
        inquiry = self._dispute()
        inquiry._explain("It stands.")
        self.assertEqual(self._run().state, "muted")
        self.assertFalse(self._get_mails())
        self.assertFalse(self._get_addressees(inquiry))
        page = self._open(f"/my/loyalty/{self.program.id}/inquiries/{inquiry.id}", "owner")
        self.assertIn("It stands.", page.text_content())
        # What is written besides is a talk of two people, which nobody switches off.
        inquiry.message_post(body="One more thing", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.assertEqual(self._get_addressees(inquiry), self.users["owner"].partner_id)

    def test_what_happened_before_the_switch_is_not_told(self):
        with freeze_time("2026-03-17 10:00:00"):
            self._post_entry(self.member, 100)
            self._approve_payout(self.member, date="2026-03-17")
        self._keep_only("payout")
        self.assertFalse(self._run())

    def test_a_member_that_may_fall_is_warned(self):
        self._keep_only("risk")
        silver, gold = self.program.tier_ids.sorted("threshold")
        values = {"tier_id": gold.id, "risk_tier_id": silver.id, "tier_decision_date": "2026-04-01"}
        self.member.sudo().write(values)
        self._run()
        self._run()
        self.assertEqual(len(self._get_mails()), 1)
        self.assertIn("Silver", self._get_mails().body_html)

    def test_the_statement_of_a_month_is_told_where_there_is_one(self):
        self._keep_only("statement")
        self._reset_clock("statement", "2026-02-28")
        self._post_entry(self.member, 10)
        self.assertFalse(self._run())
        with freeze_time("2026-04-01 10:00:00"):
            self.assertRecordValues(self._run(), [{"cause": "2026-03", "member_id": self.member.id}])

    def test_a_message_is_in_the_language_of_the_partner(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        template = self.settings["welcome"].template_id
        template.with_context(lang="uk_UA").subject = "Вітаємо"
        self.stranger.write({"email": "stranger@example.com", "lang": "uk_UA"})
        self._keep_only("welcome")
        self.settings["welcome"].sudo().since = "2026-03-01"
        self._set_created(self._enroll(self.program, self.stranger))
        self._run()
        self.assertEqual(self._get_mails().subject, "Вітаємо")

    def test_a_template_that_fails_holds_up_nobody_and_nothing(self):
        self._keep_only("welcome", "payout")
        self.settings["welcome"].sudo().since = "2026-03-01"
        self.settings["welcome"].template_id.subject = "{{ object.no_such_thing }}"
        self._set_created(self.member)
        self._post_entry(self.member, 100)
        self._approve_payout(self.member)
        with mute_logger("odoo.addons.mail.models.mail_render_mixin"):
            messages = self._run()
        self.assertEqual({m.kind: m.state for m in messages}, {"welcome": "failed", "payout": "sent"})
        self.settings["welcome"].template_id.subject = "Hello"
        messages.with_user(self.users["officer"]).action_retry()
        self._run()
        self.assertEqual(set(self._find().mapped("state")), {"sent"})

    def test_a_message_without_a_template_says_so_until_there_is_one(self):
        self._keep_only("payout")
        setting = self.settings["payout"].sudo()
        template, setting.template_id = setting.template_id, False
        self._post_entry(self.member, 100)
        self._approve_payout(self.member)
        message = self._run()
        self.assertEqual(message.state, "failed")
        self.assertIn("no e-mail template", message.error)
        setting.template_id = template
        message.with_user(self.users["officer"]).action_retry()
        self.assertEqual(self._run().state, "sent")

    def test_hostile_names_are_text(self):
        self._keep_only("payout")
        for number, text in enumerate(HOSTILE[:-1]):
            with self.subTest(text=text[:20]), freeze_time(f"2026-03-{20 + number} 10:00:00"):
                self.dealer.name = self.program.name = text
                self._post_entry(self.member, 100)
                payout = self._submit_payout(self.member, date=f"2026-03-{20 + number}")
                payout.with_user(self.users["manager"]).action_refuse(text)
                self._run()
                mail = self._get_mails()[-1]
                self.assertNotIn("<script>alert", mail.body_html)
                self.assertNotIn("<img src=x", mail.body_html)
                self.assertNotIn("49", mail.subject.replace(payout.name, ""))

    def test_without_an_address_nobody_is_written_to(self):
        self._keep_only("welcome")
        self.settings["welcome"].sudo().since = "2026-03-01"
        self._set_created(self._enroll(self.program, self.stranger))
        self.assertEqual(self._run().state, "unreachable")

    def test_many_messages_take_no_query_each(self):
        def count(number):
            partners = self.env["res.partner"].create(
                [{"name": f"P{number}-{i}", "email": f"p{number}-{i}@example.com"} for i in range(number)]
            )
            self._set_created(self._enroll(self.program, partners))
            self.env.flush_all()
            self.settings["welcome"].sudo()._collect()
            messages = self._find().filtered(lambda message: message.state == "queued")
            self.env.invalidate_all()
            with self._record_queries() as queries:
                messages.mapped("recipients")
                messages.mapped("subject_name")
            return len(queries)

        self._keep_only("welcome")
        self.settings["welcome"].sudo().since = "2026-03-01"
        self.assertEqual(count(3), count(30))


@tagged("post_install", "-at_install")
class TestAnnouncement(MessageCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_only("announcement")
        cls.stranger.email = "stranger@example.com"
        cls.second = cls._enroll(cls.program, cls.stranger)

    def _announce(self, **values):
        announcements = self.env["partner.loyalty.announcement"].with_user(self.users["officer"])
        return announcements.create(
            {"name": "News", "body": "<p>New prices</p>", "program_id": self.program.id, **values}
        )

    def _send_out(self, announcement):
        announcement.with_user(self.users["manager"]).action_send()

    def test_it_goes_to_all_once_when_a_manager_sends_it(self):
        announcement = self._announce()
        self.assertEqual(announcement.member_count, 2)
        self.assertEqual(
            self.env["partner.loyalty.member"].search(announcement.action_preview()["domain"]),
            self.member | self.second,
        )
        with self.assertRefused("ask a loyalty manager"):
            announcement.action_send()
        self._send_out(announcement)
        with self.assertRefused("was sent"):
            self._send_out(announcement)
        self._run()
        self._run()
        self.assertEqual(announcement.message_count, 2)
        self.assertEqual(len(self._get_mails()), 2)
        self.assertIn("New prices", self._get_mails()[0].body_html)
        self.assertEqual(self._get_mails()[0].subject, "News")
        self.assertEqual(set(self._find().mapped("subject_name")), {"News"})

    def test_it_goes_to_a_segment_and_tier(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "S", "company_id": self.company.id, "partner_domain": "[('name', '=', 'Stranger')]"}
        )
        self.assertEqual(self._announce(segment_ids=segment.ids).member_count, 1)
        self.assertEqual(self._announce(tier_ids=self.program.tier_ids.sorted("threshold")[1].ids).member_count, 0)

    def test_it_is_not_sent_to_too_many_or_nobody_or_without_text(self):
        gold = self.program.tier_ids.sorted("threshold")[1]
        for values, words in (
            ({"most": 1}, "2 members"),
            ({"tier_ids": gold.ids}, "no member"),
            ({"body": "<p></p>"}, "no text"),
        ):
            with self.assertRefused(words):
                self._send_out(self._announce(**values))
        self._keep_only()
        with self.assertRefused("switch them on"):
            self._send_out(self._announce())
        self.assertFalse(self._find())

    def test_what_was_sent_stays(self):
        announcement = self._announce()
        self._send_out(announcement)
        for change in (lambda: announcement.write({"name": "Other"}), announcement.unlink):
            with self.assertRefused("was sent", UserError):
                change()
        with self.assertRefused("by hand", AccessError):
            self._announce().write({"state": "sent"})


@tagged("post_install", "-at_install")
class TestPortalSettings(MessageCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_only("welcome", "payout", "announcement")
        cls.program.is_public = True

    def _open_settings(self, role, **kwargs):
        return self._open(f"/my/loyalty/{self.program.id}/settings", role, **kwargs)

    def test_an_owner_switches_a_message_off_and_on(self):
        page = self._open_settings("owner")
        self.assertEqual(len(page.xpath("//input[@role='switch'][@checked]")), 3)
        path = f"/my/loyalty/{self.program.id}/settings/save"
        page = self._send(path, kind_welcome="1", kind_payout="1", is_named_in_public="1")
        self.assertIn("are saved", self._read(page))
        self.assertEqual(self.member.muted_kinds, ["announcement"])
        self.assertTrue(self.member.is_named_in_public)
        announcement = self.env["partner.loyalty.announcement"].create(
            {"name": "News", "body": "<p>New</p>", "program_id": self.program.id}
        )
        announcement.action_send()
        self.assertEqual(self._run().mapped("state"), ["muted"])
        self._send(path, kind_welcome="1", kind_payout="1", kind_announcement="1")
        self.assertFalse(self.member.muted_kinds)
        self.assertFalse(self.member.is_named_in_public)

    @mute_logger("odoo.http")
    def test_others_read_and_do_not_change(self):
        self.assertFalse(self._open_settings("sales").xpath("//button[text()='Save']"))
        self.assertNotIn("Payout", self._read(self._open_settings("sales"), "o_loyalty_card"))
        path = f"/my/loyalty/{self.program.id}/settings/save"
        for role in ("sales", "finance"):
            self._send(path, role, status=403)
        self._send(path, "other", status=404)
        self._send(path, "owner", token=False, status=400, kind_welcome="1")
        self._open(path, status=405)
        self.assertFalse(self.member.muted_kinds)

    @mute_logger("odoo.http")
    def test_the_settings_are_those_of_the_own_company(self):
        self._open_settings("other", status=404)
        page = self._open(f"/my/loyalty/as/{self.member.id}/settings", "officer")
        self.assertFalse(page.xpath("//button[text()='Save']"))
        self._open(f"/my/loyalty/as/{self.member.id}/settings", "owner", status=404)
