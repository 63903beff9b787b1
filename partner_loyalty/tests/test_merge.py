"""Contacts that are merged, and what becomes of the members that they are."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon


class MergeCommon(PartnerLoyaltyCommon):
    """Two dealers in a program where gold earns twice as much as silver; ``cls.gold_dealer`` has reached it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 1000)], start=False)
        cls.silver, cls.gold = cls.program.tier_ids
        cls.program.rule_ids.tier_rate_ids = [cls._tier_rate(cls.silver, 10), cls._tier_rate(cls.gold, 20)]
        cls.program.action_start()
        cls.gold_dealer = cls._create_partner(name="Gold Dealer", is_company=True)

    @classmethod
    def _enroll_both(cls):
        """Enroll the dealer, who stays silver, and the other, who is gold since February; both have sold since."""
        member, target = cls._enroll(cls.program, cls.dealer, cls.gold_dealer)
        cls.old_invoice = cls._create_sale_invoice(cls.gold_dealer, 2000, date="2026-01-10")
        cls.program._evaluate_tiers()
        cls.invoice = cls._create_sale_invoice(cls.dealer, 100, date="2026-03-02")
        cls.target_invoice = cls._create_sale_invoice(cls.gold_dealer, 100, date="2026-03-02")
        cls._answer_marks()
        return member, target

    def _merge_contacts(self, destination, *sources):
        partners = destination.union(*sources)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(partners.ids, destination)
        self.env.invalidate_all()

    def _get_lots(self, member, unit="money"):
        """Return amount, days of maturity and expiry, and months of idleness of all that is open."""
        return sorted(
            self._get_entries(member, unit)
            .filtered("amount_open")
            .mapped(
                lambda entry: (entry.amount_open, str(entry.mature_date), str(entry.expiry_date), entry.idle_months)
            )
        )

    def assertUnmoved(self, program):
        """Check that neither the past nor the nightly comparison has anything to say."""
        self.assertInLine(program)
        self.assertFalse(self._compare(program))


@tagged("post_install", "-at_install")
class TestContactMerge(MergeCommon):
    def test_contacts_who_are_no_members_are_merged_as_ever(self):
        self._enroll(self.program, self.dealer)
        self._merge_contacts(self.referrer, self.stranger)
        self.assertFalse(self.stranger.exists())
        self.assertEqual(self.program.member_ids.partner_id, self.dealer)

    def test_the_membership_of_a_source_goes_to_a_destination_that_is_no_member(self):
        member = self._enroll(self.program, self.dealer)
        invoice = self._create_sale_invoice(self.dealer, 100)
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id)
        self._answer_documents()
        self._merge_contacts(self.referrer, self.dealer)
        self.assertRecordValues(member, [{"partner_id": self.referrer.id, "merged_into_id": False, "state": "active"}])
        self.assertEqual(order.loyalty_partner_id, self.referrer)
        self.assertUnmoved(self.program)
        self._credit(invoice, 40)
        self._answer_documents()
        self.assertEntries(member, [10, -4])

    def test_the_member_of_a_source_is_merged_into_that_of_the_destination(self):
        member, target = self._enroll_both()
        self.assertBalance(target, 220)
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertRecordValues(
            member + target,
            [
                {"partner_id": self.gold_dealer.id, "root_id": target.id, "state": "ended"},
                {"partner_id": self.gold_dealer.id, "root_id": target.id, "state": "active"},
            ],
        )
        self.assertEntries(member, [10, -10])
        self.assertEntries(target, [200, 20, 10])
        self.assertEqual(target.tier_id, self.gold)
        self.assertEqual(self.gold_dealer.loyalty_member_count, 1)
        self.assertEqual(self.gold_dealer.action_view_loyalty_members()["res_id"], target.id)
        moved = self._get_entries(target)[-1]
        self.assertEqual((moved.type, moved.explanation_text), ("transfer", "Moved from Dealer"))
        self.assertEqual(self._get_entries(member)[-1].explanation_text, "Moved to Gold Dealer")

    def test_a_merge_of_different_tiers_changes_nothing_that_was_earned(self):
        self._enroll_both()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertUnmoved(self.program)

    def test_later_changes_of_the_documents_of_both_are_answered_on_one_statement(self):
        member, target = self._enroll_both()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self._credit(self.invoice, 40)
        self._credit(self.target_invoice, 40)
        entries = self._answer_documents()
        self.assertEqual(sorted(entries.mapped("amount")), [-8, -4])
        self.assertEqual(entries.account_id.member_id, target)
        self.assertBalance(member, 0)
        self.assertBalance(target, 218)
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.price_unit = 300
        self.invoice.action_post()
        self.assertEqual(self._answer_documents().mapped("amount"), [20])
        self.assertUnmoved(self.program)

    def test_what_is_sold_after_the_merge_earns_the_rate_of_the_one_that_stays(self):
        _member, target = self._enroll_both()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self._create_sale_invoice(self.gold_dealer, 50)
        entries = self._answer_documents()
        self.assertRecordValues(entries, [{"member_id": target.id, "amount": 10}])

    def test_three_contacts_become_one_member(self):
        third = self._create_partner(name="Third", is_company=True)
        member, target = self._enroll_both()
        other = self._enroll(self.program, third)
        self._create_sale_invoice(third, 1000)
        self._answer_documents()
        self._merge_contacts(self.gold_dealer, self.dealer, third)
        self.assertEqual((member + other).root_id, target)
        self.assertBalance(target, 330)
        self.assertEqual(target.merged_ids, member + other)
        self.assertUnmoved(self.program)

    def test_of_several_sources_the_first_member_stays_where_the_destination_is_none(self):
        member, target = self._enroll_both()
        self._merge_contacts(self.stranger, self.dealer, self.gold_dealer)
        self.assertEqual((member + target).partner_id, self.stranger)
        self.assertEqual(target.root_id, member)
        self.assertBalance(member, 230)
        self.assertUnmoved(self.program)

    def test_each_program_is_dealt_with_by_itself(self):
        other_program = self._create_program([{"rate": 1}], name="Other")
        member, target = self._enroll_both()
        only = self._enroll(other_program, self.dealer)
        self._write_marks()
        other_program._apply_to_past()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertEqual(member.root_id, target)
        self.assertRecordValues(only, [{"root_id": only.id, "partner_id": self.gold_dealer.id}])
        self.assertBalance(only, 1)
        self.assertInLine(self.program)

    def test_nobody_needs_loyalty_rights_to_merge_contacts(self):
        member, target = self._enroll_both()
        clerk = self._create_role_user("clerk", "base.group_user,base.group_partner_manager")
        Wizard = self.env["base.partner.merge.automatic.wizard"].with_user(clerk)
        Wizard.create({})._merge((self.dealer + self.gold_dealer).ids, self.gold_dealer.with_user(clerk))
        self.env.invalidate_all()
        self.assertEqual(member.root_id, target)
        self.assertBalance(target, 230)

    # === BALANCE ===#

    def test_each_lot_keeps_its_holdback_and_expiry(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        lots = (
            (10, {"expiry_date": "2026-06-30"}),
            (20, {"expiry_date": "2026-06-30"}),
            (40, {"mature_date": "2026-05-01", "expiry_date": "2026-12-31"}),
            (80, {"idle_months": 6}),
            (160, {}),
        )
        for unit in ("money", "point"):
            for amount, values in lots:
                self._post_entry(member, amount, unit=unit, **values)
            self._post_entry(target, 5, unit=unit)
        member._merge_into(target)
        for unit in ("money", "point"):
            self.assertEqual(
                self._get_lots(target, unit),
                [
                    (5, TODAY, "False", 0),
                    (30, TODAY, "2026-06-30", 0),
                    (40, "2026-05-01", "2026-12-31", 0),
                    (80, TODAY, "False", 6),
                    (160, TODAY, "False", 0),
                ],
            )
            self.assertEqual(target[f"{unit}_available"], 275)
            self.assertEqual(self._get_entries(member, unit)[-1].amount, -310)
            self.assertFalse(self._get_lots(member, unit))

    def test_what_has_expired_stays_behind(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, 10, expiry_date="2026-03-20")
        with self._in_days(5):
            member._merge_into(target)
            self.assertEntries(member, [10, -10])
            self.assertEqual(self._get_entries(member)[-1].type, "expiry")
            self.assertBalance(target, 0)

    def test_a_debt_moves_and_is_paid_by_the_balance_of_the_other(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, -30)
        self._post_entry(target, 100)
        member._merge_into(target)
        self.assertEntries(member, [-30, 30])
        self.assertEntries(target, [100, -30])
        self.assertEqual(self._get_lots(target), [(70, TODAY, "False", 0)])

    def test_a_debt_beside_a_protected_earning_takes_no_more_than_its_share(self):
        self.program.recovery_share = 50
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, -80)
        self._post_entry(member, 100)
        self._post_entry(target, 20)
        self.assertEqual(member._get_account("money").available, 50)
        member._merge_into(target)
        self.assertBalance(member, 0)
        self.assertBalance(target, 40)
        self.assertEqual(target.money_debt, 0)
        self.assertEqual([lot[0] for lot in self._get_lots(target)], [10, 30])

    def test_a_submitted_payout_is_still_paid_and_where_refused_its_money_moves_on(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, 100)
        kept = self._submit_payout(member)
        self._post_entry(member, 50)
        draft = self._create_payout(member, date="2026-03-17")
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertRecordValues(kept + draft, [{"decision": "submitted"}, {"decision": "canceled"}])
        self.assertEqual(kept.partner_id, self.gold_dealer)
        self.assertBalance(target, 50)
        kept.with_user(self.users["manager"]).action_refuse("No")
        self.assertBalance(member, 0)
        self.assertBalance(target, 150)

    def test_a_disputed_line_is_held_back_on_the_statement_that_goes_on(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        disputed, _other = self._post_entry(member, 100), self._post_entry(member, 30)
        inquiry = self.env["partner.loyalty.inquiry"].create(
            {"kind": "dispute", "member_id": member.id, "entry_id": disputed.id, "name": "Price", "text": "Too little."}
        )
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertEqual(self._get_lots(target), [(30, TODAY, "False", 0), (100, TODAY, "False", 0)])
        self.assertEqual(inquiry.held_entry_id.account_id, target._get_account("money"))
        self.assertEqual(self._submit_payout(target).amount, 30)
        third = self._enroll(self.program, self.stranger)
        self._merge_contacts(self.stranger, self.gold_dealer)
        self.assertEqual(inquiry.held_entry_id.account_id, third._get_account("money"))
        self.assertFalse(third._get_account("money")._get_available(for_payout=True))
        inquiry._explain("It was the price of the list.")
        self.assertEqual(self._submit_payout(third).amount, 100)

    def test_an_approved_payout_of_the_merged_member_is_billed_to_the_contact_that_stays(self):
        member, _target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, 100)
        payout = self._submit_payout(member)
        self._merge_contacts(self.gold_dealer, self.dealer)
        payout.with_user(self.users["manager"]).action_approve()
        self.assertEqual(payout.with_user(self.env.user).bill_id.partner_id, self.gold_dealer)

    def test_nobody_prepares_a_payout_for_a_merged_member(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._post_entry(member, 100)
        member._merge_into(target)
        wizard = self.env["partner.loyalty.payout.prepare"].create({"program_id": self.program.id, "date": TODAY})
        self.assertEqual([vals["member_id"] for vals in wizard._get_line_vals()], [target.id])

    def test_a_dismissed_difference_stays_dismissed(self):
        member, target = self._enroll_both()
        invoice = self._create_sale_invoice(self.dealer, 70, date="2026-03-03")
        self.env.cr.precommit.data.pop("partner.loyalty.touch", None)
        difference = self._compare(self.program)
        self.assertEqual(difference.origin_id, invoice.id)
        difference.action_dismiss()
        member._merge_into(target)
        self.assertEqual(difference.member_id, target)
        self.assertFalse(self._compare(self.program))

    def test_dismissed_differences_of_bands_stay_dismissed_period_by_period(self):
        bands = [Command.create({"threshold": 0, "rate": 10})]
        program = self._create_program([{"formula": "bands", "period": "month", "band_ids": bands}])
        member, target = self._enroll(program, self.dealer, self.gold_dealer)
        self._create_sale_invoice(self.dealer, 100, date="2026-02-10")
        self._create_sale_invoice(self.gold_dealer, 100, date="2026-01-10")
        self.env.cr.precommit.data.pop("partner.loyalty.touch", None)
        differences = self._compare(program)
        self.assertEqual(len(differences), 2)
        differences.action_dismiss()
        member._merge_into(target)
        self.assertEqual(differences.member_id, target)
        self.assertEqual(set(differences.mapped("origin_id")), {target.id})
        self.assertFalse(self._compare(program))

    # === MEMBERSHIP AND TIERS ===#

    def test_a_membership_that_goes_on_is_continued_where_that_of_the_destination_has_ended(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        target.action_end()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertEqual(member.date_to, self._day(TODAY))
        self.assertRecordValues(
            target.period_ids.sorted("date_from"),
            [
                {"date_from": self._day("2026-01-01"), "date_to": self._day(TODAY)},
                {"date_from": self._day("2026-03-19"), "date_to": False},
            ],
        )

    def test_a_suspended_destination_stays_suspended(self):
        _member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        target.action_suspend()
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertEqual(target.state, "suspended")
        with self._in_days(1):
            self._create_sale_invoice(self.gold_dealer, 100, date="2026-03-19")
            self.assertFalse(self._answer_documents())

    def test_a_merged_member_is_decided_no_more(self):
        member, target = self._enroll_both()
        member._merge_into(target)
        self.assertIn(self._day(TODAY), member.tier_period_ids.mapped("date_to"))
        with self._in_days(40):
            self.program._evaluate_tiers()
            self.assertFalse(member.tier_period_ids.filtered(lambda period: not period.date_to))
            decided = target.tier_period_ids.filtered("evaluation_date").sorted("date_from")[-1]
            self.assertEqual(decided.turnover, 2200)
            self.assertEqual(self.gold.member_count, 1)
            self.assertEqual(self.silver.member_count, 0)

    # === REFUSED ===#

    def test_merges_that_cannot_be_are_refused(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        stranger = self._enroll(self._create_program([{}], name="Other"), self.dealer)
        with self.assertRefused("cannot be merged into itself"):
            member._merge_into(member)
        with self.assertRefused("members of different programs"):
            member._merge_into(stranger)
        member._merge_into(target)
        with self.assertRefused("was merged into Gold Dealer already"):
            member._merge_into(target)
        with self.assertRefused("cannot be merged into itself"):
            target._merge_into(member)

    def test_a_chain_of_merges_ends_at_the_last(self):
        member, target = self._enroll_both()
        last = self._enroll(self.program, self.stranger)
        member._merge_into(target)
        target._merge_into(last)
        self.assertEqual((member + target + last).root_id, last)
        self.assertEqual((member + target + last).turnover_root_id, last)
        self.assertBalance(last, 230)
        self.assertUnmoved(self.program)
        self._credit(self.invoice)
        self.assertRecordValues(self._answer_documents(), [{"member_id": last.id, "amount": -10}])

    def test_a_member_does_not_become_a_contact_of_another_company(self):
        person = self._create_partner(name="Lone trader")
        member = self._enroll(self.program, person)
        for destination, source in ((self.dealer_contact, person), (person, self.dealer_contact)):
            with self.subTest(destination=destination.name), self.assertRefused("would become a contact of Dealer"):
                self._merge_contacts(destination, source)
        self.assertEqual(member.partner_id, person)

    def test_a_company_merged_into_a_contact_of_another_stays_a_company(self):
        member = self._enroll(self.program, self.referrer)
        self._merge_contacts(self.dealer_contact, self.referrer)
        self.assertEqual(member.partner_id, self.dealer_contact)
        self.assertEqual(self.dealer_contact.commercial_partner_id, self.dealer_contact)

    def test_a_member_does_not_come_to_belong_to_another_of_our_companies(self):
        self._enroll(self.program, self.dealer)
        other = self.setup_other_company()["company"]
        self.stranger.company_id = other
        with self.assertRefused("clear the company of the contacts first"):
            self._merge_contacts(self.stranger, self.dealer)

    def test_a_dealer_taken_over_is_not_merged_with_a_contact_of_a_third_member(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer)
        self._enroll(self.program, self.stranger)
        member._merge_into(target)
        with self.assertRefused("Dealer was taken over by Gold Dealer"):
            self._merge_contacts(self.stranger, self.dealer)
        self._merge_contacts(self.gold_dealer, self.dealer)
        self.assertInLine(self.program)

    def test_a_dealer_taken_over_joins_again_from_a_later_day(self):
        member, target = self._enroll_both()
        member._merge_into(target)
        with self.assertRefused("choose a later day"):
            self._enroll(self.program, self.dealer, date_from="2026-03-01")
        again = self._enroll(self.program, self.dealer, date_from="2026-03-19")
        with self._in_days(1):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
            self.assertRecordValues(self._answer_documents(), [{"member_id": again.id, "amount": 10}])
        self._credit(self.invoice)
        self.assertRecordValues(self._answer_documents(), [{"member_id": target.id, "amount": -10}])

    def test_periods_count_for_the_member_of_their_own_partner(self):
        member, target = self._enroll(self.program, self.dealer, self.gold_dealer, date_from="2026-01-01")
        member.period_ids.date_from = "2026-03-01"
        early = self._create_sale_invoice(self.dealer, 100, date="2026-02-01")
        self._answer_documents()
        member._merge_into(target)
        self.assertUnmoved(self.program)
        early.invoice_line_ids.name = "Thing, again"
        self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
        self.assertFalse(self._answer_documents())

    def test_a_payment_of_the_merged_member_is_answered_at_its_own_rate(self):
        rule = self._create_rule(self.program, kind="payment", name="On payment")
        rule.tier_rate_ids = [Command.create({"tier_id": self.gold.id, "rate": 50})]
        member, target = self._enroll_both()
        self._pay(self.invoice, 60)
        self._answer_documents()
        member._merge_into(target)
        self._pay(self.invoice, 40)
        self.assertRecordValues(self._answer_documents(), [{"member_id": target.id, "amount": 4}])
        self.assertUnmoved(self.program)

    def test_a_credit_note_of_another_referrer_has_the_rate_of_its_invoice(self):
        rule = self._create_rule(self.program, role="referrer", name="Referral")
        rule.tier_rate_ids = [Command.create({"tier_id": self.gold.id, "rate": 50})]
        member, target = self._enroll_both()
        invoice = self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.dealer.id)
        credit_note = self._credit(invoice, 40, post=False)
        credit_note.loyalty_partner_id = self.gold_dealer
        credit_note.action_post()
        self.assertEqual(credit_note.loyalty_partner_id, self.gold_dealer)
        member._merge_into(target)
        self.assertRecordValues(
            self._answer_documents(), [{"member_id": target.id, "origin_id": invoice.id, "amount": 6}]
        )
        self.assertUnmoved(self.program)
