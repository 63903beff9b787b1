"""Deals and special prices in the portal."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import HOSTILE, PortalCommon


@tagged("post_install", "-at_install")
class TestPortalDeal(PortalCommon):
    form = {
        "customer_name": "Hotel Astoria",
        "contact_name": "Ann, +380 44 123 4567",
        "name": "200 chairs",
        "expected_amount": "1 200,50",
        "date_deadline": "2026-05-01",
        "description": "They want them by May",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}"
        cls.rival = cls._enroll(cls.program, cls.stranger)
        cls._write_marks()

    def _get_deals(self):
        return self.env["partner.loyalty.deal"].search([("member_id", "=", self.member.id)])

    def _register(self, role="sales", **data):
        """Register a deal; return it, and the page that follows."""
        page = self._send(f"{self.url}/deals/register", role, **{**self.form, **data})
        return self._get_deals()[:1], page

    # === REGISTERING ===#

    def test_the_form_has_all_its_fields(self):
        page = self._open(f"{self.url}/deals/new", "sales")
        fields = page.xpath("//form[contains(@action, '/register')]//*[self::input or self::textarea]/@name")
        self.assertEqual(
            sorted(fields), sorted(["csrf_token", "form_key", *self.form, "price_discount", "price_reason"])
        )

    def test_a_contact_registers_a_deal_and_reads_until_when_it_is_protected(self):
        deal, page = self._register()
        self.assertIn("We decide on it", self._read(page))
        self.assertRecordValues(
            deal,
            [
                {
                    "state": "submitted",
                    "expected_amount": 1200.5,
                    "submitted_by_id": self.users["sales"].id,
                    "contact_name": "Ann, +380 44 123 4567",
                }
            ],
        )
        deal.with_user(self.users["manager"]).action_approve()
        self.assertEqual(deal.lead_id.contact_name, "Ann, +380 44 123 4567")
        text = self._read(self._open(f"{self.url}/deals/{deal.id}"))
        self.assertIn("protected for you until", text)
        self.assertIn("Protected", self._read(self._open(f"{self.url}/deals")))

    def test_a_refusal_is_read_with_its_reason(self):
        deal, _page = self._register()
        deal.with_user(self.users["manager"]).action_refuse("Our own customer")
        self.assertIn("Our own customer", self._read(self._open(f"{self.url}/deals/{deal.id}")))

    def test_what_is_missing_is_said_and_what_was_typed_stays(self):
        for name, value, words in (
            ("customer_name", " ", "customer"),
            ("expected_amount", "much", "not a number"),
            ("expected_amount", "-1", "cannot be negative"),
            ("date_deadline", "soon", "not a day"),
            ("price_discount", "10", "Say why"),
            ("price_discount", "120", "0 to 100"),
            ("description", "x" * 5001, "shorten it"),
        ):
            with self.subTest(name=name, value=value[:10]):
                deal, page = self._register(contact_name="Ann", **{name: value})
                self.assertFalse(deal)
                self.assertIn(words, self._read(page))
                self.assertEqual(page.xpath("//input[@name='contact_name']/@value"), ["Ann"])

    def test_of_the_form_nothing_else_is_written(self):
        deal, _page = self._register(state="approved", member_id=str(self.rival.id), protected_until="2030-01-01")
        self.assertRecordValues(deal, [{"state": "submitted", "member_id": self.member.id, "protected_until": False}])

    def test_who_taps_twice_registers_once(self):
        first, _page = self._register(form_key="a")
        again, page = self._register(form_key="a")
        self.assertEqual((again, len(self._get_deals())), (first, 1))
        self.assertIn("200 chairs", self._read(page))

    def test_it_can_be_withdrawn_until_it_is_approved(self):
        deal, _page = self._register()
        self._send(f"{self.url}/deals/{deal.id}/cancel")
        self.assertEqual(deal.state, "canceled")
        deal, _page = self._register()
        deal.with_user(self.users["manager"]).action_approve()
        self.assertIn("ask us instead", self._read(self._send(f"{self.url}/deals/{deal.id}/cancel")))
        self.assertEqual(deal.state, "approved")

    def test_who_is_no_member_any_more_registers_nothing(self):
        self.member.action_suspend()
        deal, page = self._register()
        self.assertFalse(deal)
        self.assertIn("not active", self._read(page))

    # === SPECIAL PRICES ===#

    def test_a_special_price_comes_with_the_deal(self):
        deal, page = self._register(price_discount="12,5", price_reason="A rival offers less")
        self.assertRecordValues(deal, [{"price_discount": 12.5, "price_state": "requested"}])
        self.assertIn("12.5 %", self._read(page))

    def test_it_is_asked_for_later_and_again_after_a_refusal(self):
        deal, _page = self._register()
        deal.with_user(self.users["manager"]).action_approve()
        price = {"price_discount": "8", "price_reason": "They buy a lot"}
        self._send(f"{self.url}/deals/{deal.id}/price", **price)
        page = self._send(f"{self.url}/deals/{deal.id}/price", **{**price, "price_discount": "50"})
        self.assertIn("decided on already", self._read(page))
        self.assertEqual(deal.price_discount, 8)
        deal.with_user(self.users["officer"]).action_refuse_price("Too low")
        self.assertIn("Too low", self._read(self._open(f"{self.url}/deals/{deal.id}")))
        self._send(f"{self.url}/deals/{deal.id}/price", **{**price, "price_discount": "5"})
        self.assertRecordValues(deal, [{"price_discount": 5, "price_state": "requested", "price_refuse_reason": False}])

    def test_an_empty_request_is_refused(self):
        deal, _page = self._register()
        for data in ({"price_reason": "Please"}, {"price_discount": "0"}, {"price_discount": "nan"}):
            with self.subTest(data=data):
                self._send(f"{self.url}/deals/{deal.id}/price", **data)
                self.assertFalse(deal.price_state)

    # === RIGHTS ===#

    @mute_logger("odoo.http")
    def test_each_right_opens_what_it_may(self):
        deal, _page = self._register()
        for role, status in (("owner", 200), ("sales", 200), ("finance", 403), ("other", 404)):
            self._log_in(role)
            for page in ("deals", "deals/new", f"deals/{deal.id}"):
                with self.subTest(role=role, page=page):
                    self._open(f"{self.url}/{page}", status=status)

    @mute_logger("odoo.http")
    def test_forms_are_refused_to_others_and_without_a_token(self):
        deal, _page = self._register()
        for role, token, status in (("finance", True, 403), ("other", True, 404), ("owner", "wrong", 400)):
            self._log_in(role)
            for form in ("register", f"{deal.id}/cancel", f"{deal.id}/price"):
                with self.subTest(role=role, form=form):
                    self._send(f"{self.url}/deals/{form}", token=token, status=status, **self.form)
        self.assertEqual(self._get_deals(), deal)
        self.assertEqual(deal.state, "submitted")

    @mute_logger("odoo.http")
    def test_deals_of_others_and_drafts_are_not_found(self):
        vals = {"name": "Theirs", "customer_name": "Hotel Ritz"}
        theirs = self.env["partner.loyalty.deal"].create({**vals, "member_id": self.rival.id})
        theirs.action_submit()
        draft = self.env["partner.loyalty.deal"].create({**vals, "member_id": self.member.id})
        self._log_in("owner")
        for number in (theirs.id, draft.id, 0, 2**31, 2**80):
            self._open(f"{self.url}/deals/{number}", status=404)
        self._send(f"{self.url}/deals/{theirs.id}/cancel", status=404)
        self.assertEqual(theirs.state, "submitted")
        self.assertNotIn("Theirs", self._read(self._open(f"{self.url}/deals")))

    def test_an_officer_looks_and_changes_nothing(self):
        deal, _page = self._register()
        self._log_in("officer")
        for page in ("deals", f"deals/{deal.id}"):
            shown = self._open(f"/my/loyalty/as/{self.member.id}/{page}")
            self.assertFalse(shown.xpath("//div[contains(@class, 'o_loyalty_portal')]//form"))

    def test_hostile_texts_are_text(self):
        for text in HOSTILE[:-1]:
            with self.subTest(text=text[:20]):
                deal, page = self._register(name=text, customer_name=text, description=text)
                self.assertTrue(deal)
                self.assertIn(" ".join(text.split()), self._read(page))
                self.assertFalse(page.xpath("//img[@onerror]"))
