"""The public page of a program: what strangers see, how they apply, and how an officer decides."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.partner_loyalty_application import HOURLY_LIMIT
from .common_portal import HOSTILE, PortalCommon


class ApplicationCommon(PortalCommon):
    roles = ("officer", "manager", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write({"is_public": True, "public_text": "<p>Come in</p>", "terms": "<p>Be fair</p>"})
        cls.applications = cls.env["partner.loyalty.application"]

    def _prepare_form(self, **values):
        return {
            "company_name": "Lumber Inc",
            "contact_name": "Ada Lum",
            "email": "ada@lumber.example",
            "phone": "",
            "vat": "",
            "message": "Hello",
            "accepts_terms": "1",
            "terms_version": str(self.program.terms_version),
            **values,
        }

    def _apply(self, status=303, token=True, **values):
        return self._send(
            f"/loyalty/join/{self.program.id}/apply", status=status, token=token, **self._prepare_form(**values)
        )

    def _find(self):
        return self.applications.search([("program_id", "=", self.program.id)])

    def _create(self, **values):
        vals = {"company_name": "Lumber Inc", "contact_name": "Ada Lum", "email": "ada@lumber.example"}
        return self.applications.create({"program_id": self.program.id, **vals, **values})


@tagged("post_install", "-at_install")
class TestPublicPage(ApplicationCommon):
    def setUp(self):
        super().setUp()
        self._log_in(None)

    def test_everybody_reads_the_page(self):
        self.member.is_named_in_public = True
        for path in (f"/loyalty/{self.program.id}", f"/loyalty/dealer-club-{self.program.id}"):
            text = self._read(self._open(path), "o_loyalty_public")
            for part in ("Dealer Club", "Come in", "Silver", "Gold", "Be fair", "Members Dealer", "Apply"):
                self.assertIn(part, text)

    def test_nobody_is_named_without_consent(self):
        self.assertNotIn("Members", self._read(self._open(f"/loyalty/{self.program.id}"), "o_loyalty_public"))

    @mute_logger("odoo.http")
    def test_only_running_programs_with_a_public_page_have_one(self):
        for key in (self.other_program.id, 0, -1, 2**31, 2**80, "abc", "join", "x" * 500):
            self._open(f"/loyalty/{key}", status=404)
            self._send(f"/loyalty/join/{key}/apply", status=404, **self._prepare_form())
        self.program.is_public = False
        self._open(f"/loyalty/{self.program.id}", status=404)
        self.program.is_public = True
        self.program.action_close()
        self._open(f"/loyalty/{self.program.id}", status=404)

    def test_the_link_of_a_member_fills_in_its_code(self):
        page = self._open(f"/loyalty/join/{self.program.id}?ref={self.member.referral_code}")
        self.assertEqual(page.xpath("//input[@name='referral_code']/@value"), [self.member.referral_code])
        self.assertEqual(len(page.xpath("//textarea[@name='message']")), 1)

    def test_somebody_applies(self):
        page = self._apply(referral_code=self.member.referral_code.lower())
        self.assertIn("We will look at your application", self._read(page, "o_loyalty_public"))
        application = self._find()
        self.assertRecordValues(
            application,
            [
                {
                    "company_name": "Lumber Inc",
                    "state": "new",
                    "referrer_id": self.member.id,
                    "terms_version": self.program.terms_version,
                    "phone": "",
                }
            ],
        )
        self.assertIn("Be fair", application.terms)
        self.assertEqual(application.activity_ids.user_id, self.program.user_id)

    def test_the_answer_does_not_say_who_is_known(self):
        self.dealer.email = "ada@lumber.example"
        first, second = self._apply(), self._apply()
        self.assertEqual(self._read(first, "o_loyalty_public"), self._read(second, "o_loyalty_public"))
        self.assertEqual(len(self._find()), 1)

    def test_bad_input_is_answered_with_a_sentence_and_what_was_typed(self):
        for values, words in (
            ({"email": "ada"}, "e-mail address cannot be read"),
            ({"email": "a@b.example, c@d.example"}, "e-mail address cannot be read"),
            ({"company_name": "  "}, "name of the company"),
            ({"contact_name": ""}, "name of the company"),
            ({"company_name": "x" * 201}, "more than 200"),
            ({"message": "x" * 5001}, "more than 5000"),
            ({"company_name": "N\0L"}, "no text"),
            ({"accepts_terms": ""}, "accept them"),
            ({"terms_version": "0"}, "have changed"),
        ):
            with self.subTest(words=words):
                response = self._apply(status=422, **values)
                self.assertIn(words, response.text)
                self.assertFalse(self._find())
        self.assertIn("Lumber Inc", self._apply(status=422, email="ada").text)

    @mute_logger("odoo.http")
    def test_a_form_without_token_or_over_get_is_not_taken(self):
        self._apply(status=400, token=False)
        self._apply(status=400, token="wrong")
        self._open(f"/loyalty/join/{self.program.id}/apply", status=405)
        self.assertFalse(self._find())

    def test_a_robot_is_thanked_and_forgotten(self):
        page = self._apply(website_address="http://spam.example")
        self.assertIn("Thank you", self._read(page, "o_loyalty_public"))
        self.assertFalse(self._find())

    def test_there_is_a_limit_for_each_place(self):
        for number in range(HOURLY_LIMIT):
            self._apply(email=f"{number}@lumber.example")
        self.assertIn("try again in an hour", self._apply(status=422, email="more@lumber.example").text)
        self.assertEqual(len(self._find()), HOURLY_LIMIT)
        self.assertNotIn("127.0.0.1", "".join(self._find().sudo().mapped("source_key")))

    def test_hostile_texts_are_text(self):
        for number, text in enumerate(HOSTILE[:-1]):
            self._apply(company_name=text, message=text, contact_name=text, email=f"{number}@lumber.example")
            application = self._find()[0]
            self.assertEqual(application.company_name, text)
            response = self._apply(status=422, company_name=text, email="bad")
            self.assertNotIn("<script>alert", response.text)
            self.assertNotIn("<img src=x", response.text)
            application.with_user(self.users["officer"]).action_approve()
            self.assertEqual(application.partner_id.name, text)


@tagged("post_install", "-at_install")
class TestApplication(ApplicationCommon):
    def _approve(self, application):
        application.with_user(self.users["officer"]).action_approve()
        self.env.invalidate_all()
        return application

    def test_an_officer_makes_the_applicant_a_member_with_a_login(self):
        application = self._create(referral_code=self.member.referral_code, vat="UA123", lang="en_US", message="Hello")
        application.sudo().write(
            {"terms_version": 1, "terms": "<p>Old</p>", "terms_accepted_at": "2026-03-10 08:00:00"}
        )
        self._approve(application)
        member = application.member_id
        self.assertRecordValues(
            member.partner_id, [{"name": "Lumber Inc", "is_company": True, "vat": "UA123", "lang": "en_US"}]
        )
        self.assertEqual((member.program_id, member.referrer_id), (self.program, self.member))
        contact = member.partner_id.child_ids
        self.assertRecordValues(contact, [{"name": "Ada Lum", "loyalty_portal_right": "owner"}])
        self.assertTrue(contact.user_ids._is_portal())
        acceptance = member.acceptance_ids
        self.assertRecordValues(acceptance, [{"version": 1, "contact_id": contact.id}])
        self.assertEqual(str(acceptance.date), "2026-03-10 08:00:00")
        self.assertIn("Old", acceptance.terms)
        mails = self.env["mail.mail"].sudo().search([("email_to", "ilike", "ada@lumber.example")])
        self.assertTrue(any("you are a member" in mail.subject for mail in mails))
        self.assertEqual(application.decided_by_id, self.users["officer"])

    def test_approving_twice_makes_one_member(self):
        application = self._create()
        self._approve(application)
        member = application.member_id
        self._approve(application)
        self.assertEqual(application.member_id, member)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Lumber Inc")]), 1)

    def test_who_is_known_already_is_shown_and_taken(self):
        known = self._create_partner(name="Lumber", is_company=True, vat="UA123", phone="+380671234567")
        other = self._create_partner(name="Other", is_company=True)
        contact = self._create_partner(name="Ada", parent_id=other.id, email="Ada@Lumber.example")
        application = self._create(vat="ua123", phone="00380 67 123 45 67")
        self.assertEqual(application.duplicate_ids, known | other)
        application.partner_id = other
        self._approve(application)
        self.assertEqual(application.member_id.partner_id, other)
        self.assertEqual(other.child_ids, contact)

    def test_a_login_with_that_address_is_not_taken_over(self):
        self.users["sales"].login = "ada@lumber.example"
        application = self._approve(self._create())
        self.assertEqual(application.state, "approved")
        self.assertFalse(application.member_id.partner_id.child_ids.user_ids)
        self.assertIn("no invitation", "".join(application.message_ids.mapped("body")))

    def test_a_member_does_not_become_one_twice(self):
        application = self._create(partner_id=self.dealer.id)
        with self.assertRefused("already a member"):
            self._approve(application)
        self.assertEqual(application.state, "new")

    def test_a_refusal_says_why(self):
        application = self._create()
        officer = application.with_user(self.users["officer"])
        for reason in (None, " ", "x" * 501, 5):
            with self.assertRefused("Say why", UserError):
                officer.action_refuse(reason)
        wizards = self.env["partner.loyalty.application.refuse"].with_user(self.users["officer"])
        wizards = wizards.with_context(active_model=application._name, active_ids=application.ids)
        wizards.create({"reason": "Only <b>shops</b>"}).action_refuse()
        self.assertRecordValues(application, [{"state": "refused", "refuse_reason": "Only <b>shops</b>"}])
        mail = self.env["mail.mail"].sudo().search([("email_to", "ilike", "ada@lumber.example")])
        self.assertIn("Only &lt;b&gt;shops", mail.body_html)
        self._approve(application)
        self.assertEqual(application.state, "refused")
        self.assertTrue(self._create())

    def test_a_mail_that_cannot_be_made_holds_up_no_decision(self):
        self.env.ref("partner_loyalty.mail_template_application_refused").subject = "{{ object.no_such_thing }}"
        application = self._create()
        with mute_logger("odoo.addons.mail.models.mail_render_mixin"):
            application.with_user(self.users["officer"]).action_refuse("Only shops")
        self.assertEqual(application.state, "refused")
        self.assertIn("The applicant was not told", "".join(application.message_ids.mapped("body")))

    def test_only_officers_decide(self):
        application = self._create()
        for role in ("salesperson", "owner"):
            for action in ("action_approve", "action_refuse"):
                with self.assertRefused("", AccessError):
                    getattr(application.with_user(self.users[role]), action)()
        with self.assertRefused("by hand", AccessError):
            application.with_user(self.users["officer"]).write({"state": "approved"})
        todo = self.env["partner.loyalty.todo"].with_user(self.users["officer"])
        self.assertEqual(todo.search([("kind", "=", "application")]).mapped("record_name"), ["Lumber Inc"])
        self._approve(application)
        self.assertFalse(todo.search([("kind", "=", "application")]))
        with self.assertRefused("are kept", UserError):
            application.with_user(self.users["manager"]).unlink()

    def test_one_application_of_an_address_waits_at_a_time(self):
        self._create()
        with self.assertRefused("applied already", ValidationError):
            self._create(email="ADA@lumber.example")

    def test_a_code_of_another_program_brings_nobody(self):
        self.assertFalse(self._create(referral_code=self.other_member.referral_code).referrer_id)
