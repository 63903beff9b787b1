"""A partner registers a deal: submitted, decided on, protected, and earned by."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from odoo.addons.partner_loyalty.tools.names import normalize

from .common import TODAY, PartnerLoyaltyCommon


class DealCommon(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "administrator", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"kind": "deal", "role": "referrer", "rate": 5}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.rival = cls._enroll(cls.program, cls.referrer)
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]

    def _prepare_deal(self, **values):
        return {
            "name": "200 chairs",
            "member_id": self.member.id,
            "customer_name": "Hotel Astoria",
            "expected_amount": 1000,
            **values,
        }

    def _create_deal(self, user=None, **values):
        vals = {name: value for name, value in self._prepare_deal(**values).items() if value is not None}
        return self.env["partner.loyalty.deal"].with_user(user or self.officer).create(vals)

    def _submit(self, **values):
        deal = self._create_deal(**values)
        deal.action_submit()
        return deal

    def _approve(self, **values):
        deal = self._submit(**values)
        deal.with_user(self.manager).action_approve()
        return deal.with_env(self.env)


@tagged("post_install", "-at_install")
class TestDeal(DealCommon):
    # === APPROVAL ===#

    def test_an_approval_creates_the_opportunity_that_names_the_member(self):
        customer = self._create_partner(name="Astoria", is_company=True)
        contact = self._create_partner(name="Ann", parent_id=customer.id)
        self.dealer.user_id = self.officer
        deal = self._approve(
            customer_id=contact.id, customer_name="Astoria Ltd", date_deadline="2026-05-01", description="Two\nlines"
        )
        self.assertRecordValues(
            deal,
            [
                {
                    "state": "approved",
                    "decided_by_id": self.manager.id,
                    "customer_company_id": customer.id,
                    "protected_until": self._day("2026-06-16"),
                    "is_protected": True,
                }
            ],
        )
        self.assertRecordValues(
            deal.lead_id,
            [
                {
                    "name": "200 chairs",
                    "type": "opportunity",
                    "partner_id": contact.id,
                    "loyalty_buyer_id": customer.id,
                    "loyalty_partner_id": self.dealer.id,
                    "expected_revenue": 1000,
                    "company_id": self.company.id,
                    "date_deadline": self._day("2026-05-01"),
                    "user_id": self.officer.id,
                    "won_status": "pending",
                }
            ],
        )
        self.assertIn("Two<br>lines", deal.lead_id.description)
        self.assertEqual(deal.lead_id.loyalty_deal_ids, deal)
        self.assertEqual(deal.lead_id.action_view_loyalty_deals()["domain"], [("lead_id", "=", deal.lead_id.id)])

    def test_an_address_in_the_words_of_a_member_does_not_become_that_of_the_customer(self):
        """Odoo writes the address of an opportunity to its contact, and members write of whom they like."""
        customer = self._create_partner(name="Astoria", is_company=True, email="desk@astoria.example.com")
        deal = self._approve(customer_id=customer.id, description="Write to me: joe@dealer.example.com")
        self.assertEqual(deal.email_from, "joe@dealer.example.com")
        self.assertEqual(deal.lead_id.email_from, "desk@astoria.example.com")
        self.assertEqual(customer.email, "desk@astoria.example.com")

    def test_an_approval_links_the_opportunity_that_was_chosen(self):
        lead = self.env["crm.lead"].create({"name": "Chairs", "type": "opportunity"})
        deal = self._approve(lead_id=lead.id)
        self.assertEqual((deal.lead_id, lead.loyalty_partner_id), (lead, self.dealer))

    def test_an_opportunity_that_somebody_else_brought_or_registered_is_refused(self):
        lead = self.env["crm.lead"].create(
            {"name": "Chairs", "type": "opportunity", "loyalty_partner_id": self.referrer.id}
        )
        brought = self._submit(lead_id=lead.id).with_user(self.manager)
        with self.assertRefused("was brought by Referrer"):
            brought.action_approve()
        first = self._approve(customer_name="Somebody", name="First")
        second = self._submit(lead_id=first.lead_id.id).with_user(self.manager)
        with self.assertRefused("that of another deal already"):
            second.action_approve()
        second.lead_id = False
        second.action_approve()
        self.assertNotEqual(second.lead_id, first.lead_id)

    def test_an_account_manager_of_another_company_gets_no_opportunity(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.dealer.user_id = self._create_role_user(
            "elsewhere",
            "sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.assertFalse(self._approve().lead_id.user_id)

    def test_nobody_approves_what_they_entered_or_submitted_or_what_is_of_their_own_company(self):
        entered = self._create_deal(user=self.manager)
        entered.with_user(self.officer).action_submit()
        submitted = self._create_deal()
        submitted.with_user(self.manager).action_submit()
        for deal in (entered, submitted):
            mine = deal.with_user(self.manager)
            self.assertFalse(mine.can_approve)
            for action in (mine.action_approve, mine.action_refuse):
                with self.assertRefused("yourself"):
                    action()
        self.manager.partner_id.parent_id = self.dealer
        with self.assertRefused("your own company"):
            self._submit().with_user(self.manager).action_approve()
        (entered | submitted).with_user(self.users["administrator"]).action_approve()
        self.assertEqual(set((entered | submitted).mapped("state")), {"approved"})

    def test_only_managers_decide(self):
        deal = self._submit()
        other = self._create_role_user("officer_2", "partner_loyalty.partner_loyalty_group_officer")
        for action in ("action_approve", "action_refuse"):
            with self.assertRefused("approved by a loyalty manager"):
                getattr(deal.with_user(other), action)()
        self.assertEqual((deal.state, deal.lead_id), ("submitted", self.env["crm.lead"]))

    def test_a_refusal_needs_a_reason_and_keeps_it(self):
        deal = self._submit()
        for reason, words in ((None, "Say why"), (" ", "Say why"), ("x" * 501, "shorten it to 500")):
            with self.subTest(reason=reason), self.assertRefused(words):
                deal.with_user(self.manager).action_refuse(reason)
        context = {"active_model": "partner.loyalty.deal", "active_ids": deal.ids}
        wizard = self.env["partner.loyalty.deal.refuse"].with_user(self.manager).with_context(**context)
        wizard.create({"reason": " Our own customer "}).action_refuse()
        self.assertRecordValues(deal, [{"state": "refused", "refuse_reason": "Our own customer", "lead_id": False}])

    def test_the_responsible_manager_is_asked(self):
        self.program.user_id = self.manager
        deal = self._submit()
        self.assertRecordValues(
            deal.sudo().activity_ids, [{"user_id": self.manager.id, "summary": "Deals to approve: 1"}]
        )
        deal.with_user(self.manager).action_approve()
        self.assertFalse(deal.sudo().activity_ids)

    def test_what_was_submitted_stands(self):
        deal = self._submit()
        for values in ({"expected_amount": 2000}, {"customer_name": "Ritz"}, {"member_id": self.rival.id}):
            for user in (self.officer, self.manager):
                with self.subTest(values=values), self.assertRefused("what was submitted stands"):
                    deal.with_user(user).write(values)
        lead = self.env["crm.lead"].create({"name": "Chairs", "type": "opportunity"})
        with self.assertRefused("what was submitted stands"):
            deal.lead_id = lead
        deal.with_user(self.manager).lead_id = lead
        deal.with_user(self.manager).action_approve()
        with self.assertRefused("what was submitted stands"):
            deal.with_user(self.manager).lead_id = False
        for name in ("state", "protected_until", "decided_by_id", "partner_id"):
            with self.subTest(name=name), self.assertRefused("set by hand", AccessError):
                deal.with_user(self.manager).write({name: False})

    def test_only_drafts_are_deleted_and_only_managers_withdraw_an_approval(self):
        deal = self._approve()
        with self.assertRefused("only drafts can be deleted"):
            deal.with_user(self.manager).unlink()
        with self.assertRefused("only a loyalty manager can withdraw"):
            deal.with_user(self.officer).action_cancel()
        deal.with_user(self.manager).action_cancel()
        self.assertRecordValues(deal, [{"state": "canceled", "is_protected": False}])
        self.assertEqual(deal.lead_id.loyalty_partner_id, self.dealer)
        self._create_deal().unlink()
        submitted = self._submit()
        submitted.action_cancel()
        self.assertEqual(submitted.state, "canceled")

    def test_odd_deals_are_refused(self):
        for values, words in (
            ({"expected_amount": -1}, "cannot be negative"),
            ({"expected_amount": float("nan")}, "is not a number"),
            ({"name": " "}, "needs a title and a customer"),
            ({"customer_name": " "}, "needs a title and a customer"),
            ({"date_deadline": "0026-01-01"}, "four digits"),
        ):
            with self.subTest(values=values), self.assertRefused(words, ValidationError):
                self._create_deal(**values)

    # === PROTECTION ===#

    def assertProtected(self, words, **values):
        rival = self._submit(member_id=self.rival.id, name="Rival", **values).with_user(self.manager)
        self.assertTrue(rival.protecting_deal_id)
        with self.assertRefused(words):
            rival.action_approve()
        rival.action_refuse("Taken")

    def assertNotProtected(self, **values):
        rival = self._submit(**{"member_id": self.rival.id, **values}).with_user(self.manager)
        self.assertFalse(rival.protecting_deal_id)
        rival.action_approve()
        self.assertEqual(rival.state, "approved")
        rival.action_cancel()

    def test_a_customer_is_protected_by_its_name_until_the_day_is_over(self):
        self._approve()
        words = "Hotel Astoria is protected for Dealer until 06/16/2026 by the deal “200 chairs”"
        self.assertProtected(words)
        self.assertProtected("protected for Dealer", customer_name=" HOTEL-astoria. ")
        self.assertNotProtected(customer_name="Hotel Astoria II")
        with self._in_days(90):
            self.assertProtected(words)
        with self._in_days(91):
            self.assertNotProtected()

    def test_a_customer_that_is_a_contact_is_protected_as_a_company(self):
        customer = self._create_partner(name="Astoria", is_company=True)
        contacts = [self._create_partner(name=name, parent_id=customer.id) for name in ("Ann", "Bob")]
        namesake = self._create_partner(name="Astoria", is_company=True)
        deal = self._approve(customer_id=contacts[0].id, customer_name=None)
        self.assertEqual(deal.customer_name, "Astoria")
        self.assertProtected("protected for Dealer", customer_id=contacts[1].id, customer_name="Other name")
        self.assertProtected("protected for Dealer", customer_name="astoria")
        self.assertNotProtected(customer_id=namesake.id, customer_name="Astoria")

    def test_a_customer_known_by_name_is_protected_from_a_contact_of_that_name(self):
        self._approve()
        customer = self._create_partner(name="Hotel Astoria", is_company=True)
        self.assertProtected("protected for Dealer", customer_id=customer.id, customer_name="Hotel Astoria")

    def test_the_partner_that_has_the_protection_registers_more(self):
        self._approve()
        self.assertNotProtected(member_id=self.member.id)

    def test_a_partner_in_another_program_is_kept_out_too_and_one_in_another_company_is_not(self):
        self._approve()
        other_club = self._create_program([{}], name="Other Club")
        stranger = self._enroll(other_club, self.stranger)
        with self.assertRefused("protected for Dealer"):
            self._submit(member_id=stranger.id).with_user(self.manager).action_approve()
        self.assertNotProtected(member_id=self._enroll(other_club, self.dealer).id)
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        for user in (self.env.user, self.officer, self.manager):
            user.sudo().company_ids += company
        elsewhere = self._create_program(
            [{}], company_id=company.id, payout_journal_id=False, payout_product_id=False, name="Elsewhere"
        )
        self.env = self.env(context={**self.env.context, "allowed_company_ids": (self.company + company).ids})
        self.assertNotProtected(member_id=self._enroll(elsewhere, self.referrer).id)

    def test_of_two_approved_together_the_second_is_refused_with_the_first(self):
        deals = self._submit() | self._submit(member_id=self.rival.id, name="Rival")
        with self.assertRefused("is protected for"):
            deals.with_user(self.manager).action_approve()
        self.assertEqual(set(deals.mapped("state")), {"submitted"})

    def test_neither_a_waiting_nor_a_refused_nor_a_withdrawn_deal_protects(self):
        self._submit()
        self._submit().with_user(self.manager).action_refuse("No")
        self._approve().with_user(self.manager).action_cancel()
        self.assertNotProtected()

    def test_a_program_may_protect_nothing(self):
        self.program.deal_protection_days = 0
        deal = self._approve()
        self.assertRecordValues(deal, [{"protected_until": False, "is_protected": False}])
        self.assertNotProtected()

    def test_protected_deals_are_found(self):
        deals = self._approve() | self._submit(name="Waits")
        Deal = self.env["partner.loyalty.deal"]
        for days, protected in ((0, deals[0]), (90, deals[0]), (91, Deal)):
            with self._in_days(days):
                self.env.invalidate_all()
                self.assertEqual(Deal.search([("is_protected", "=", True)]), protected)
                self.assertEqual(Deal.search([("is_protected", "=", False)], order="id"), deals - protected)
                self.assertEqual(deals.filtered("is_protected"), protected)

    # === MERGED MEMBERS ===#

    def test_a_deal_of_a_member_that_was_taken_over_goes_to_the_one_that_goes_on(self):
        deal, approved = self._submit(), self._approve(name="Tables")
        self.member._merge_into(self.rival)
        deal.with_user(self.manager).action_approve()
        deal = deal.with_env(self.env)
        self.assertRecordValues(deal, [{"member_id": self.rival.id, "partner_id": self.referrer.id}])
        self.assertEqual(deal.lead_id.loyalty_partner_id, self.referrer)
        self.assertEqual(approved.member_id, self.member)
        with self.assertRefused("was taken over by Referrer", ValidationError):
            self._create_deal()

    # === OPPORTUNITIES THAT CHANGE ===#

    def test_a_deal_follows_its_opportunity_when_that_is_merged(self):
        deal = self._approve()
        other = self.env["crm.lead"].create({"name": "Same", "type": "opportunity", "probability": 90})
        head = (other | deal.lead_id).merge_opportunity()
        self.assertEqual(deal.lead_id, head)
        self.assertEqual(head.loyalty_partner_id, self.dealer)
        self.assertFalse((other | deal.lead_id).exists() - head)

    # === EARNING ===#

    def test_an_approved_deal_earns_until_it_is_withdrawn(self):
        deal = self._submit()
        self.assertFalse(self._answer_documents())
        deal.with_user(self.manager).action_approve()
        self._answer_documents()
        self.assertEntries(self.member, [50])
        self.assertEqual(self._get_entries(self.member).origin_name, "200 chairs")
        deal.with_user(self.manager).action_cancel()
        self._answer_documents()
        self.assertEntries(self.member, [50, -50])
        self.assertInLine(self.program)

    def test_a_deal_without_an_amount_earns_no_share_and_one_for_oneself_nothing(self):
        self._approve(expected_amount=0)
        self._approve(customer_id=self.dealer_contact.id)
        self.assertFalse(self._answer_documents())

    # === TO DO, COUNTS, RIGHTS ===#

    def test_deals_wait_on_the_to_do_list(self):
        draft, submitted = self._create_deal(), self._submit(name="Waits")
        self._approve(name="Done")
        todos = self.env["partner.loyalty.todo"].search([("res_model", "=", "partner.loyalty.deal")], order="id")
        self.assertRecordValues(
            todos,
            [
                {"kind": "deal_submit", "res_id": draft.id, "for_manager": False, "record_name": "200 chairs"},
                {"kind": "deal_approve", "res_id": submitted.id, "for_manager": True, "record_name": "Waits"},
            ],
        )

    def test_a_member_counts_its_deals(self):
        deals = self._create_deal() | self._approve()
        self._create_deal(member_id=self.rival.id)
        self.assertEqual(self.member.deal_count, 2)
        action = self.member.action_view_deals()
        self.assertEqual(
            self.env["partner.loyalty.deal"].search(action["domain"], order="id"), deals.with_env(self.env)
        )

    def test_accountants_read_and_salespeople_read_those_of_their_own_customers(self):
        deal = self._approve()
        self.assertEqual(deal.with_user(self.users["accountant"]).read(["name"])[0]["name"], "200 chairs")
        with self.assertRefused("", AccessError):
            self._create_deal(user=self.users["accountant"])
        salesperson = self._create_role_user("seller", "sales_team.group_sale_salesman")
        with self.assertRefused("", AccessError):
            deal.with_user(salesperson).read(["name"])
        self.dealer.user_id = salesperson
        self.assertTrue(deal.with_user(salesperson).read(["name"]))
        with self.assertRefused("", AccessError):
            deal.with_user(salesperson).name = "Mine"

    def test_officers_without_any_right_on_opportunities_register_and_managers_approve(self):
        self.assertFalse(self.env["crm.lead"].with_user(self.manager).has_access("read"))
        self.assertTrue(self._approve().lead_id)

    def test_the_checks_find_a_decision_that_was_slipped_in(self):
        deal = self._submit()
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(
                "UPDATE partner_loyalty_deal SET state = 'approved', decided_at = now(), decided_by_id = create_uid"
                " WHERE id = %s",
                [deal.id],
            )
            found = {i.code: ids for i, ids in self.env["partner.loyalty.invariant"]._find_violations(self.program)}
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(found["I9c"], deal.ids)

    # === NAMES ===#

    def test_names_are_the_same_however_they_are_written(self):
        for name in ("Acme Trading GmbH", " ACME-Trading  GmbH. ", "acme_trading gmbh", "ＡＣＭＥ Trading GmbH"):
            with self.subTest(name=name):
                self.assertEqual(normalize(name), "acme trading gmbh")
        self.assertEqual([normalize(name) for name in (None, "", " ", "🎁")], ["", "", "", "🎁"])
        self.assertNotEqual(normalize("Acme 1"), normalize("Acme 2"))

    def test_a_day_of_approval_is_that_of_the_program(self):
        self.program.tz = "Pacific/Kiritimati"
        deal = self._approve()
        self.assertEqual(str(deal.protected_until), "2026-06-17")
        self._answer_documents()
        self.assertEqual(str(self._get_entries(self.member).contribution_date), "2026-03-19")
        self.assertEqual(str(deal.decided_at.date()), TODAY)
