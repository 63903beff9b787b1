"""A dealer is bought by another: what a manager lets go along, and what stays."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import TODAY
from .test_merge import MergeCommon

MOVES = ("balance", "payouts", "turnover", "tier", "agreements", "deals", "users")


@tagged("post_install", "-at_install")
class TestTakeover(MergeCommon):
    def _open_dialog(self, member, partner, *moves, user="manager", **values):
        """Fill in the dialog as the button on the member opens it; only ``moves`` are ticked."""
        context = {"active_model": "partner.loyalty.member", "active_id": member.id}
        dialog = Form(self.env["partner.loyalty.takeover"].with_user(self.users[user]).with_context(**context))
        dialog.target_partner_id = partner
        # Payouts are offered with the balance alone.
        for name in sorted(MOVES, key=lambda name: name != "balance"):
            if name != "payouts" or dialog.move_balance:
                setattr(dialog, f"move_{name}", name in moves)
        for name, value in values.items():
            setattr(dialog, name, value)
        return dialog

    def _take_over(self, member, partner, *moves, **kwargs):
        action = self._open_dialog(member, partner, *moves, **kwargs).save().action_take_over()
        self.env.invalidate_all()
        return self.env["partner.loyalty.member"].browse(action["res_id"])

    # === THE WHOLE ===#

    def test_everything_moves_in_one_step(self):
        member, target = self._enroll_both()
        self.assertEqual(self._take_over(member, self.gold_dealer, *MOVES), target)
        self.assertRecordValues(
            member,
            [{"state": "ended", "date_to": self._day(TODAY), "root_id": target.id, "partner_id": self.dealer.id}],
        )
        self.assertBalance(member, 0)
        self.assertBalance(target, 230)
        self.assertUnmoved(self.program)
        for one in member + target:
            self.assertIn("was taken over by Gold Dealer", str(one.message_ids.mapped("body")))

    def test_nothing_moves_but_the_membership_ends(self):
        member, target = self._enroll_both()
        self._take_over(member, self.gold_dealer)
        self.assertRecordValues(
            member, [{"root_id": member.id, "turnover_root_id": member.id, "date_to": self._day(TODAY)}]
        )
        self.assertBalance(member, 10)
        self.assertBalance(target, 220)
        self.assertUnmoved(self.program)
        with self._in_days(1):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
            self.assertFalse(self._answer_documents())
            self._credit(self.invoice, date="2026-03-19")
            self.assertRecordValues(self._answer_documents(), [{"member_id": member.id, "amount": -10}])

    def test_a_partner_who_is_no_member_yet_is_enrolled(self):
        member = self._enroll(self.program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        dialog = self._open_dialog(member, self.stranger, *MOVES)
        self.assertFalse(dialog.target_id)
        target = self._take_over(member, self.stranger, *MOVES)
        self.assertRecordValues(
            target, [{"partner_id": self.stranger.id, "program_id": self.program.id, "state": "active"}]
        )
        self.assertBalance(target, 10)
        self.assertUnmoved(self.program)

    def test_the_dialog_shows_how_much_there_is(self):
        member, _target = self._enroll_both()
        self._post_entry(member, 3, unit="point")
        payout = self._submit_payout(member)
        self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id, confirm=False)
        lines = self._open_dialog(member, self.gold_dealer, *MOVES).save().line_ids
        self.assertEqual(
            {line.name: (line.amount.replace("\N{NO-BREAK SPACE}", " "), line.moves) for line in lines},
            {
                "Balance": ("Points: 3", True),
                "Unpaid Payouts": (f"{payout.name} over 10.00 €", True),
                "Turnover": ("100.00 € in twelve months", True),
                "Special Agreements": ("None", True),
                "Tier": ("Silver; the other keeps Gold", True),
                "Open Deals": ("Leads: 0, quotations: 1", True),
                "Portal Users": ("None", True),
            },
        )
        self.assertFalse(any(self._open_dialog(member, self.gold_dealer).save().line_ids.mapped("moves")))

    # === EACH CHOICE ===#

    def test_the_balance_moves_alone(self):
        member, target = self._enroll_both()
        self._take_over(member, self.gold_dealer, "balance")
        self.assertBalance(target, 230)
        self.assertEqual(member.turnover_root_id, member)
        self.assertUnmoved(self.program)

    def test_turnover_counts_at_the_next_evaluation_of_the_other_where_it_moves(self):
        for moves, turnover in (((), 0), (("turnover",), 100), (("balance",), 0), (("balance", "turnover"), 100)):
            with self.subTest(moves=moves), self.env.cr.savepoint() as savepoint:
                member = self._enroll(self.program, self.dealer)
                target = self._enroll(self.program, self.stranger)
                self._create_sale_invoice(self.dealer, 100)
                self._answer_documents()
                self._take_over(member, self.stranger, *moves)
                with self._in_days(20):
                    self.program._evaluate_tiers()
                self.assertEqual(target.tier_period_ids.sorted("date_from")[-1].turnover, turnover)
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all()

    def test_the_higher_tier_moves_and_holds_until_the_next_evaluation(self):
        target, member = self._enroll_both()
        self._take_over(member, self.dealer, "tier")
        taken = target.tier_period_ids.sorted("date_from")[-1]
        self.assertRecordValues(
            taken,
            [
                {
                    "tier_id": self.gold.id,
                    "previous_tier_id": self.silver.id,
                    "is_change": True,
                    "date_from": self._day("2026-03-19"),
                    "date_to": False,
                    "evaluation_date": False,
                }
            ],
        )
        self.assertEqual(taken.evidence, {"takeover": {"member_id": member.id, "tier_id": self.gold.id}})
        self.assertUnmoved(self.program)
        with self._in_days(1):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-19")
            self.assertEqual(self._answer_documents().mapped("amount"), [20])
        with self._in_days(20):
            self.program._evaluate_tiers()
            self.assertEqual(target.tier_id, self.silver)

    def test_a_lower_tier_does_not_move_and_no_tier_moves_unasked(self):
        member, target = self._enroll_both()
        before = target.tier_period_ids
        self._take_over(member, self.gold_dealer, "tier")
        self.assertEqual(target.tier_period_ids, before)
        other = self._enroll(self.program, self.stranger)
        self._take_over(target, self.stranger)
        self.assertEqual(other.tier_period_ids.tier_id, self.silver)

    def test_open_deals_move_and_closed_ones_do_not(self):
        member, _target = self._enroll_both()
        lead, lost = self.env["crm.lead"].create(
            [{"name": name, "type": "opportunity", "loyalty_partner_id": self.dealer.id} for name in ("Open", "Lost")]
        )
        lost.action_set_lost()
        quotation = self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id, confirm=False)
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.dealer.id)
        self._take_over(member, self.gold_dealer)
        self.assertEqual((lead + lost).loyalty_partner_id, self.dealer)
        self.assertEqual(quotation.loyalty_partner_id, self.dealer)
        again = self._enroll(self._create_program([{}], name="Other"), self.dealer)
        self._take_over(again, self.gold_dealer, "deals")
        self.assertEqual((lead.loyalty_partner_id, quotation.loyalty_partner_id), (self.gold_dealer, self.gold_dealer))
        self.assertEqual((lost.loyalty_partner_id, order.loyalty_partner_id), (self.dealer, self.dealer))

    def test_unpaid_payouts_move_as_part_of_the_balance(self):
        member, target = self._enroll_both()
        payout = self._submit_payout(member)
        self._take_over(member, self.gold_dealer, "balance", "payouts")
        self.assertEqual(payout.decision, "canceled")
        self.assertBalance(target, 230)

    def test_payouts_on_hold_or_approved_once_move_too(self):
        self.program.payout_limit = 1
        for action, *args in (("action_hold", "Checked first"), ("action_approve",)):
            with self.subTest(action=action), self.env.cr.savepoint() as savepoint:
                member, target = self._enroll_both()
                payout = self._submit_payout(member)
                getattr(payout.with_user(self.users["manager"]), action)(*args)
                self.assertIn(payout.decision, ("held", "second"))
                self._take_over(member, self.gold_dealer, "balance", "payouts")
                self.assertEqual(payout.decision, "canceled")
                self.assertBalance(target, 230)
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all()

    def test_unpaid_payouts_stay_where_they_do_not_move(self):
        for moves in (("balance",), ()):
            with self.subTest(moves=moves), self.env.cr.savepoint() as savepoint:
                member, target = self._enroll_both()
                payout = self._submit_payout(member)
                self._take_over(member, self.gold_dealer, *moves)
                self.assertEqual((payout.decision, payout.partner_id), ("submitted", self.dealer))
                self.assertBalance(target, 220)
                payout.with_user(self.users["manager"]).action_refuse("No")
                self.assertBalance(target, 230 if moves else 220)
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all()

    def test_portal_users_become_contacts_of_the_other(self):
        member, _target = self._enroll_both()
        user = self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id)
        other_contact = self._create_partner(name="No user", parent_id=self.dealer.id)
        again = self._enroll(self._create_program([{}], name="Other"), self.dealer)
        self._take_over(again, self.gold_dealer)
        self.assertEqual(user.commercial_partner_id, self.dealer)
        self._take_over(member, self.gold_dealer, "users", "balance")
        self.assertEqual(user.commercial_partner_id, self.gold_dealer)
        self.assertEqual(other_contact.parent_id, self.dealer)
        self.assertUnmoved(self.program)

    # === DAYS ===#

    def test_the_last_day_may_lie_in_the_past_where_nothing_was_earned_since(self):
        member, _target = self._enroll_both()
        with self.assertRefused("has earned with a sale of 03/02/2026"):
            self._take_over(member, self.gold_dealer, "balance", date="2026-03-01")
        with self.assertRefused("cannot be later than today"):
            self._take_over(member, self.gold_dealer, "balance", date="2026-03-19")
        self._take_over(member, self.gold_dealer, *MOVES, date="2026-03-02")
        self.assertEqual(member.date_to, self._day("2026-03-02"))
        self.assertUnmoved(self.program)

    def test_turnover_that_comes_back_counts_once(self):
        member, target = self._enroll_both()
        self._take_over(member, self.gold_dealer, "turnover")
        self._take_over(target, self.dealer, *MOVES)
        self.assertEqual((member + target).turnover_root_id, member)
        self.assertEqual((member + target).root_id, member)

    # === REFUSED ===#

    def test_a_takeover_that_makes_no_sense_is_refused(self):
        member, _target = self._enroll_both()
        with self.assertRefused("cannot take itself over"):
            self._take_over(member, self.dealer)
        with self.assertRefused("Choose who takes the member over"):
            self.env["partner.loyalty.takeover"].create({"member_id": member.id}).action_take_over()
        self._take_over(member, self.gold_dealer, "balance")
        with self.assertRefused("was merged into Gold Dealer already"):
            self._take_over(member, self.stranger, "balance")
        self.assertNotIn(self.stranger, self.program.member_ids.partner_id)

    def test_officers_take_nobody_over(self):
        member, _target = self._enroll_both()
        with self.assertRefused("", AccessError):
            self._open_dialog(member, self.gold_dealer, user="officer")

    def test_managers_of_another_company_take_nobody_over(self):
        member, target = self._enroll_both()
        other = self.setup_other_company()["company"]
        foreigner = self._create_role_user(
            "foreigner",
            "partner_loyalty.partner_loyalty_group_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        Takeover = self.env["partner.loyalty.takeover"].with_user(foreigner)
        with self.assertRefused("", AccessError):
            Takeover.create({"member_id": member.id, "target_partner_id": self.gold_dealer.id}).action_take_over()
        self.assertEqual(member.root_id, member)
        self.users["manager"].company_ids += other
        self.stranger.company_id = other
        with self.assertRefused("belongs to another company"):
            self._take_over(target, self.stranger)

    def test_nobody_takes_over_for_their_own_company(self):
        member, _target = self._enroll_both()
        self.users["manager"].partner_id.parent_id = self.gold_dealer
        with self.assertRefused("about your own company"):
            self._take_over(member, self.gold_dealer, "balance")
