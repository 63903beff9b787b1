from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestMember(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "administrator")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.officer = cls.users["officer"]

    def _open_dialog(self, partners, program=None):
        """Open the enrollment dialog as the button of the form and the action of the list do."""
        action = partners.with_user(self.officer).action_enroll_loyalty()
        wizard = Form(self.env[action["res_model"]].with_user(self.officer).with_context(**action["context"]))
        wizard.program_id = program or self.program
        return wizard

    # === ENROLLING ===#

    def test_one_partner_is_enrolled_from_its_form(self):
        action = self._open_dialog(self.dealer).save().action_enroll()
        member = self.env["partner.loyalty.member"].browse(action["res_id"])
        self.assertRecordValues(
            member,
            [
                {
                    "partner_id": self.dealer.id,
                    "program_id": self.program.id,
                    "company_id": self.company.id,
                    "state": "active",
                    "date_from": self._day(TODAY),
                    "date_to": False,
                    "tier_id": self.program.tier_ids[0].id,
                }
            ],
        )
        self.assertRecordValues(
            member.account_ids.sorted("unit"),
            [{"unit": "money", "balance": 0, "version": 0}, {"unit": "point", "balance": 0, "version": 0}],
        )

    def test_many_partners_are_enrolled_from_the_list_as_their_companies(self):
        second_contact = self._create_partner(name="Ann of Dealer", parent_id=self.dealer.id)
        person = self._create_partner(name="Lone trader")
        wizard = self._open_dialog(self.dealer_contact + second_contact + self.referrer + person)
        wizard.date_from = "2026-01-15"
        self.assertEqual(wizard.enroll_count, 3)
        wizard.save().action_enroll()
        self.assertEqual(self.program.member_ids.partner_id, self.dealer + self.referrer + person)
        self.assertEqual(set(self.program.member_ids.mapped("date_from")), {self._day("2026-01-15")})

    def test_the_dialog_opened_by_the_list_takes_the_selected_partners(self):
        context = {"active_model": "res.partner", "active_ids": (self.dealer + self.referrer).ids}
        wizard = Form(self.env["partner.loyalty.enroll"].with_user(self.officer).with_context(**context))
        wizard.program_id = self.program
        self.assertEqual(wizard.enroll_count, 2)

    def test_the_dialog_says_who_cannot_be_enrolled_and_enrolls_the_others(self):
        self._enroll(self.program, self.dealer)
        archived = self._create_partner(name="Archived", active=False)
        other_company = self.setup_other_company()["company"]
        self.officer.company_ids += other_company
        elsewhere = self._create_partner(name="Elsewhere", company_id=other_company.id)
        partners = self.dealer_contact + archived + elsewhere + self.referrer
        wizard = self._open_dialog(partners.with_context(active_test=False)).save()
        reasons = {line.partner_id: line.reason for line in wizard.line_ids}
        self.assertIn("already a member", reasons[self.dealer])
        self.assertIn("belongs to another company", reasons[elsewhere])
        self.assertFalse(reasons[self.referrer])
        self.assertEqual(wizard.enroll_count, 1)
        wizard.action_enroll()
        self.assertEqual(self.program.member_ids.partner_id, self.dealer + self.referrer)

    def test_the_dialog_refuses_where_nobody_can_be_enrolled(self):
        self._enroll(self.program, self.dealer)
        with self.assertRefused("already a member"):
            self._open_dialog(self.dealer).save().action_enroll()
        with self.assertRefused("at least one partner"):
            self._open_dialog(self.env["res.partner"]).save().action_enroll()

    def test_enrolling_is_refused_with_a_reason_and_enrolls_nobody_of_the_batch(self):
        archived = self._create_partner(name="Archived", active=False)
        elsewhere = self._create_partner(name="Elsewhere", company_id=self.setup_other_company()["company"].id)
        for partner, words in (
            (archived, "Archived is archived: restore the contact first"),
            (elsewhere, "belongs to another company"),
            (self.dealer_contact, "enroll the company"),
        ):
            with self.subTest(partner=partner.name), self.assertRefused(words):
                self._enroll(self.program, self.referrer, partner)
        self.assertFalse(self.program.member_ids)

    def test_a_partner_is_enrolled_once_in_a_program(self):
        self._enroll(self.program, self.dealer)
        with self.assertRefused("already a member"):
            self._enroll(self.program, self.dealer)
        with self.assertRefused("already a member of the program"):
            self.env["partner.loyalty.member"].create({"program_id": self.program.id, "partner_id": self.dealer.id})
        other = self._create_program([{}], name="Other")
        self._enroll(other, self.dealer)
        self.assertEqual(self.dealer.loyalty_member_count, 2)

    def test_a_member_created_over_the_api_belongs_to_the_program_from_the_day_given_or_today(self):
        Member = self.env["partner.loyalty.member"].with_user(self.officer)
        values = [
            {"program_id": self.program.id, "partner_id": self.dealer.id, "date_from": "2026-02-01"},
            {"program_id": self.program.id, "partner_id": self.referrer.id},
        ]
        members = Member.create(values)
        self.assertRecordValues(
            members,
            [
                {"date_from": self._day("2026-02-01"), "date_to": False, "state": "active"},
                {"date_from": self._day(TODAY), "date_to": False, "state": "active"},
            ],
        )
        self.assertEqual(len(members.period_ids), 2)

    def test_members_are_imported_with_the_day_they_joined(self):
        Member = self.env["partner.loyalty.member"].with_user(self.officer)
        rows = [[str(self.program.id), str(self.dealer.id), "2026-02-01"]]
        result = Member.load(["program_id/.id", "partner_id/.id", "date_from"], rows)
        self.assertFalse(result["messages"])
        self.assertEqual(Member.browse(result["ids"]).date_from, self._day("2026-02-01"))

    def test_members_created_over_the_api_are_checked_as_well(self):
        Member = self.env["partner.loyalty.member"].with_user(self.officer)
        archived = self._create_partner(name="Archived", active=False)
        elsewhere = self._create_partner(name="Elsewhere", company_id=self.setup_other_company()["company"].id)
        empty = self._create_program(name="No rules")
        closed = self._create_program([{}], name="Closed")
        closed.action_close()
        for program, partner, words in (
            (self.program, self.dealer_contact, "enroll the company"),
            (self.program, elsewhere, "belongs to"),
            (self.program, archived, "is archived"),
            (empty, self.dealer, "has no rule yet"),
            (closed, self.dealer, "is closed"),
        ):
            with self.subTest(words=words), self.assertRefused(words):
                Member.create({"program_id": program.id, "partner_id": partner.id})

    # === MEMBERSHIP ===#

    def test_a_membership_that_begins_later_is_future_until_then(self):
        member = self._enroll(self.program, self.dealer, date_from="2026-03-20")
        self.assertEqual(member.state, "future")
        with self._in_days(1):
            self.program._evaluate_tiers()
            self.assertEqual(member.state, "future")
        with self._in_days(2):
            self.program._evaluate_tiers()
            self.assertEqual(member.state, "active")

    def test_suspending_ends_the_period_and_resuming_begins_another(self):
        member = self._enroll(self.program, self.dealer)
        member.with_user(self.officer).action_suspend()
        self.assertRecordValues(member, [{"state": "suspended", "date_to": self._day(TODAY)}])
        with self._in_days(10):
            member.with_user(self.officer).action_resume()
            self.assertRecordValues(member, [{"state": "active", "date_to": False}])
        self.assertRecordValues(
            member.period_ids.sorted("date_from"),
            [
                {"date_from": self._day("2026-01-01"), "date_to": self._day(TODAY)},
                {"date_from": self._day("2026-03-28"), "date_to": False},
            ],
        )

    def test_resuming_on_the_same_day_leaves_no_gap(self):
        member = self._enroll(self.program, self.dealer)
        member.action_suspend()
        member.action_resume()
        self.assertRecordValues(member.period_ids, [{"date_from": self._day("2026-01-01"), "date_to": False}])

    def test_ending_before_the_start_drops_the_period(self):
        member = self._enroll(self.program, self.dealer, date_from="2026-05-01")
        member.action_end()
        self.assertFalse(member.period_ids)
        self.assertEqual(member.state, "ended")

    def test_an_ended_membership_is_ended_the_day_after(self):
        member = self._enroll(self.program, self.dealer)
        member.action_end()
        with self._in_days(1):
            self.program._evaluate_tiers()
            self.assertEqual(member.state, "ended")

    def test_periods_of_a_member_do_not_overlap_or_run_backwards(self):
        member = self._enroll(self.program, self.dealer)
        with self.assertRefused("overlap"):
            member.period_ids = [Command.create({"date_from": "2026-02-01"})]
        with self.assertRefused("cannot end before it starts"):
            member.period_ids.date_to = "2025-12-31"
        member.period_ids.date_to = "2026-01-31"
        member.period_ids = [Command.create({"date_from": "2026-02-01"})]
        self.assertEqual(len(member.period_ids), 2)

    def test_a_membership_is_never_deleted(self):
        member = self._enroll(self.program, self.dealer)
        with self.assertRefused("end the membership instead"):
            member.sudo().unlink()

    # === MASS ASSIGNMENT ===#

    def test_what_the_program_sets_on_a_member_cannot_be_set_by_hand(self):
        member, other = self._enroll(self.program, self.dealer, self.referrer)
        gold = self.program.tier_ids[1]
        for vals in (
            {"tier_id": gold.id},
            {"suspended": True},
            {"merged_into_id": other.id},
            {"root_id": other.id},
            {"state": "ended"},
            {"partner_id": self.stranger.id},
            {"program_id": self._create_program().id},
        ):
            for role in ("officer", "manager", "administrator"):
                with self.subTest(vals=vals, role=role), self.assertRefused("cannot be set by hand", AccessError):
                    member.with_user(self.users[role]).write(vals)
        Member = self.env["partner.loyalty.member"].with_user(self.officer)
        base = {"program_id": self.program.id, "partner_id": self.stranger.id}
        for vals in ({"tier_id": gold.id}, {"suspended": True}, {"merged_into_id": other.id}):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                Member.create({**base, **vals})
        context = {"default_tier_id": gold.id, "default_suspended": True, "default_merged_into_id": other.id}
        stranger = Member.with_context(**context).create(base)
        self.assertFalse(stranger.suspended)
        self.assertFalse(stranger.merged_into_id)

    # === ON THE PARTNER ===#

    def test_a_contact_shows_the_membership_of_its_company(self):
        self._enroll(self.program, self.dealer)
        self.assertRecordValues(
            self.dealer + self.dealer_contact + self.referrer,
            [
                {"loyalty_member_count": 1, "loyalty_summary": "Dealer Club: Silver"},
                {"loyalty_member_count": 1, "loyalty_summary": "Dealer Club: Silver"},
                {"loyalty_member_count": 0, "loyalty_summary": ""},
            ],
        )
        action = self.dealer_contact.with_user(self.officer).action_view_loyalty_members()
        self.assertEqual(action["res_id"], self.program.member_ids.id)

    def test_members_are_found_by_partner_and_by_balance(self):
        member, other = self._enroll(self.program, self.dealer, self.referrer)
        self._post_entry(member, 12.5)
        self._post_entry(other, 3, unit="point")
        Member = self.env["partner.loyalty.member"]
        self.assertEqual(Member.search([("money_balance", ">", 12)]), member)
        self.assertEqual(Member.search([("point_balance", "=", 3)]), other)
        self.assertEqual([pair[0] for pair in Member.name_search("Referrer")], [other.id])
        self.assertEqual(member.with_context(loyalty_show_program=True).display_name, "Dealer (Dealer Club)")

    # === TAKE-OVER ===#

    def test_what_a_merged_member_earned_counts_as_posted_for_the_one_it_was_merged_into(self):
        member, other = self._enroll(self.program, self.dealer, self.referrer)
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        member.sudo().merged_into_id = other
        self.assertEqual(member.root_id, other)
        self.assertInLine(self.program)
        self._credit(invoice, 40)
        self._answer_documents()
        self.assertBalance(member, 10)
        self.assertBalance(other, -4)
