"""Rewards and claims: points reserved and given back, who may do what, what is refused, and what members really get."""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, freeze_time, tagged

from .common_claim import ClaimCommon

STATES = ("draft", "requested", "approved", "fulfilled", "refused", "canceled", "expired")

# Who may take which step from which state, and where it leads; every other pair is refused.
# The manager is not the one who asked.
TRANSITIONS = {
    ("action_request", "draft"): ({"officer", "manager"}, "requested"),
    ("action_approve", "requested"): ({"manager"}, "approved"),
    ("action_refuse", "requested"): ({"manager"}, "refused"),
    ("action_fulfill", "approved"): ({"officer", "manager"}, "fulfilled"),
    ("action_cancel", "draft"): ({"officer", "manager"}, "canceled"),
    ("action_cancel", "requested"): ({"officer", "manager"}, "canceled"),
    ("action_cancel", "approved"): ({"manager"}, "canceled"),
    ("action_take_back", "fulfilled"): ({"manager"}, "canceled"),
}
ACTIONS = (
    "action_request",
    "action_approve",
    "action_refuse",
    "action_fulfill",
    "action_cancel",
    "action_take_back",
    # These are for events alone.
    "action_attend",
    "action_decline",
    "action_miss",
)
DIALOGS = {
    "partner_loyalty_claim_decline_action": "action_decline",
    "partner_loyalty_claim_refuse_action": "action_refuse",
    "partner_loyalty_claim_take_back_action": "action_take_back",
}
WITH_REASON = ("action_decline", "action_refuse", "action_take_back")


@tagged("post_install", "-at_install")
class TestClaim(ClaimCommon):
    # === POINTS ===#

    def test_the_points_are_taken_with_the_request_what_expires_first_first(self):
        claim = self._create_claim()
        self.assertPoints([40, 60], 100)
        claim.action_request()
        self.assertPoints([0, 40], 40)
        entry = claim.entry_id
        self.assertRecordValues(entry, [{"type": "redemption", "amount": -60, "amount_open": 0, "unit": "point"}])
        self.assertEqual((entry.origin_name, entry.explanation_text), (claim.name, "Reward: Backpack"))

    def test_refused_points_go_back_to_their_lots_with_their_days(self):
        claim = self._request()
        claim.with_user(self.users["manager"]).action_refuse("None left")
        self.assertPoints([40, 60], 100)
        self.assertRecordValues(claim, [{"state": "refused", "refuse_reason": "None left"}])
        self.assertEqual(self.lots[0].expiry_date.isoformat(), "2026-03-31")

    def test_what_has_expired_meanwhile_expires_when_it_is_given_back(self):
        claim = self._request()
        with freeze_time("2026-04-02 10:00:00"):
            claim.action_cancel()
            self.assertPoints([0, 60], 60)

    def test_too_few_points_are_refused_with_both_figures(self):
        self._request()
        claim = self._create_claim()
        with self.assertRefused("costs 60 points, and Dealer has 40 to spend"):
            claim.action_request()
        self.assertEqual(claim.state, "draft")

    def test_points_that_mature_later_do_not_count(self):
        self._post_entry(self.other, 60, unit="point", mature_date="2026-03-19")
        claim = self._create_claim(member=self.other)
        with self.assertRefused("has 0 to spend"):
            claim.action_request()
        with freeze_time("2026-03-19 10:00:00"):
            claim.action_request()
        self.assertEqual(claim.state, "requested")

    def test_several_pieces_cost_several_times_as_much(self):
        claim = self._request(self._create_reward(point_cost=12.5), quantity=3)
        self.assertEqual(claim.entry_id.amount, -37.5)

    def test_a_cost_that_was_changed_counts_as_it_is_when_it_is_asked_for(self):
        claim = self._create_claim()
        self.gift.point_cost = 70
        claim.action_request()
        self.assertEqual((claim.point_amount, claim.entry_id.amount), (70, -70))
        self.gift.point_cost = 10
        self.assertEqual(claim.point_amount, 70)

    def test_points_of_a_merged_member_go_on_to_the_other_one(self):
        claim = self._request()
        self.member._merge_into(self.other)
        claim.with_user(self.users["manager"]).action_refuse("Moved")
        self.assertEqual((self.member.point_balance, self.other.point_balance), (0, 100))

    # === STATES ===#

    def _bring_to(self, state):
        """Return a claim in a state, asked for by the officer."""
        claim = self._create_claim(self._create_reward(point_cost=1))
        manager = claim.with_user(self.users["manager"])
        if state not in ("draft", "expired", "canceled"):
            claim.action_request()
        if state in ("approved", "fulfilled"):
            manager.action_approve()
        if state == "fulfilled":
            claim.action_fulfill()
        if state == "refused":
            manager.action_refuse("No")
        if state in ("canceled", "expired"):
            claim.sudo()._set_decision(state)
        self.assertEqual(claim.state, state)
        return claim

    def _call(self, claim, user, action):
        arguments = ["No"] if action in WITH_REASON else []
        getattr(claim.with_user(user), action)(*arguments)

    def test_every_transition_by_every_role(self):
        tried = 0
        for state in STATES:
            claim = self._bring_to(state)
            for action in ACTIONS:
                allowed, result = TRANSITIONS.get((action, state), (set(), None))
                for role in self.roles:
                    tried += 1
                    with self.subTest(state=state, action=action, role=role):
                        self._try(claim, role, action, result if role in allowed else None)
        self.assertEqual(tried, len(STATES) * len(ACTIONS) * len(self.roles))

    def test_every_role_finds_the_buttons_of_what_it_may_do(self):
        for state in STATES:
            claim = self._bring_to(state)
            for role in self.roles:
                allowed = {action for (action, at), (able, _to) in TRANSITIONS.items() if at == state and role in able}
                with self.subTest(state=state, role=role):
                    buttons = self._get_buttons(claim, self.users[role], DIALOGS)
                    self.assertEqual(buttons & set(ACTIONS), allowed)

    def _try(self, claim, role, action, result):
        before = claim.state
        if not result:
            with self.assertRefused("", UserError):
                self._call(claim, self.users[role], action)
            self.env.invalidate_all()
            self.assertEqual(claim.state, before)
            return
        with self.env.cr.savepoint() as savepoint:
            self._call(claim, self.users[role], action)
            self.assertEqual(claim.state, result)
            savepoint.rollback()
        self.env.invalidate_all()

    def test_who_asked_does_not_approve_nor_does_who_belongs_to_the_partner(self):
        manager = self.users["manager"]
        claim = self._request(user=manager)
        with self.assertRefused("another manager has to approve it"):
            claim.action_approve()
        self.assertFalse(claim.can_approve)
        manager.partner_id.parent_id = self.dealer
        with self.assertRefused("for your own company"):
            self._request(self._create_reward(point_cost=1)).with_user(manager).action_approve()

    def test_a_reward_without_approval_is_on_its_way_at_once(self):
        claim = self._request(self._create_reward(need_approval=False, fulfill_days=3))
        self.assertRecordValues(claim, [{"state": "approved", "decided_by_id": False}])
        self.assertEqual(claim.date_deadline.isoformat(), "2026-03-21")

    def test_whoever_sees_to_it_is_told_and_the_deadline_shows_when_it_is_missed(self):
        claim = self._approve()
        activity = claim.activity_ids
        self.assertEqual(activity.user_id, self.users["officer"])
        self.assertEqual((activity.summary, activity.date_deadline), ("Fulfill: Backpack", claim.date_deadline))
        self.assertFalse(claim.is_overdue)
        with freeze_time("2026-03-26 10:00:00"):
            claim.invalidate_recordset()
            self.assertTrue(claim.is_overdue)
            self.assertEqual(self.env["partner.loyalty.claim"].search([("is_overdue", "=", True)]), claim.sudo(False))
        claim.action_fulfill()
        self.assertFalse(claim.activity_ids)

    def test_what_was_asked_for_is_not_changed_any_more(self):
        claim = self._request()
        for vals in ({"quantity": 2}, {"member_id": self.other.id}, {"reward_id": self._create_reward().id}):
            with self.subTest(**vals), self.assertRefused("cannot be changed any more"):
                claim.write(vals)

    def test_nobody_sets_by_hand_what_the_program_sets(self):
        claim = self._create_claim()
        for name, value in {
            "state": "fulfilled",
            "point_amount": 0,
            "source": "bonus",
            "entry_id": self.lots[0].id,
        }.items():
            with self.subTest(field=name):
                with self.assertRefused("use the buttons", AccessError):
                    claim.write({name: value})
                with self.assertRefused("use the buttons", AccessError):
                    self._create_claim(**{name: value})

    def test_only_drafts_are_deleted(self):
        claim = self._request()
        with self.assertRefused("only drafts can be deleted"):
            claim.unlink()
        with self.assertRefused("archive it, then nobody can"):
            self.gift.unlink()
        self._create_claim().unlink()

    def test_a_claim_is_rated_when_the_member_has_it(self):
        claim = self._approve()
        with self.assertRefused("can be rated after it was fulfilled", ValidationError):
            claim.rating = "5"
        claim.action_fulfill()
        claim.rating = "4"
        self._post_entry(self.member, 60, unit="point")
        for rating in (False, "0"):
            other = self._approve(self.gift if rating else self._create_reward(point_cost=1))
            other.action_fulfill()
            other.rating = rating
        self.assertEqual(self.gift.rating, 4)

    def _run_expiry(self):
        with self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_expire_claims").with_user(SUPERUSER_ID).method_direct_trigger()
        self.env.invalidate_all()

    def test_a_draft_expires_after_its_last_day(self):
        claim, other = self._create_claim(), self._create_claim()
        claim.sudo().expiry_date = "2026-03-18"
        self._run_expiry()
        self.assertEqual(claim.state, "draft")
        with freeze_time("2026-03-19 10:00:00"):
            self._run_expiry()
        self.assertEqual((claim.state, other.state), ("expired", "draft"))

    def test_the_form_asks_for_a_reward_of_the_program_of_the_member(self):
        with Form(self.env["partner.loyalty.claim"].with_user(self.users["officer"])) as form:
            form.member_id = self.member
            form.reward_id = self.gift
            form.quantity = 1
        claim = form.record
        self.assertRecordValues(claim, [{"point_amount": 60, "user_id": self.users["officer"].id, "state": "draft"}])
        program = self._create_program([{}], name="Other")
        stranger = self._enroll(program, self.stranger)
        with self.assertRefused("another program", ValidationError):
            self._create_claim(member=stranger)

    def test_who_sees_to_it_reads_the_to_do_in_its_own_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.users["officer"].lang = "ru_RU"
        self.gift.with_context(lang="ru_RU").name = "Рюкзак"
        claim = self._approve()
        self.assertEqual(claim.activity_ids.summary, "К выдаче: Рюкзак")

    def test_the_to_do_page_names_each_step(self):
        claim = self._create_claim()
        kinds = [self._get_todo(claim)]
        claim.action_request()
        kinds.append(self._get_todo(claim))
        claim.with_user(self.users["manager"]).action_approve()
        kinds.append(self._get_todo(claim))
        claim.action_fulfill()
        kinds.append(self._get_todo(claim))
        self.assertEqual(kinds, ["claim_request", "claim_approve", "claim_fulfill", False])

    def _get_todo(self, claim, *domain):
        self.env.invalidate_all()
        domain = [("res_model", "=", "partner.loyalty.claim"), ("res_id", "=", claim.id), *domain]
        return self.env["partner.loyalty.todo"].search(domain).kind

    def test_the_to_do_page_shows_what_is_overdue(self):
        claim, overdue = self._approve(), ("is_overdue", "=", True)
        self.assertFalse(self._get_todo(claim, overdue))
        with freeze_time("2026-03-26 10:00:00"):
            self.assertEqual(self._get_todo(claim, overdue), "claim_fulfill")
            todo = self.env["partner.loyalty.todo"].search([overdue])
            self.assertEqual((todo.date_deadline, todo.is_overdue), (claim.date_deadline, True))

    # === TAKING BACK ===#

    def test_what_is_taken_back_gives_its_points_back_and_says_why(self):
        claim = self._approve()
        claim.action_fulfill()
        order = claim.order_id.sudo()
        manager = claim.with_user(self.users["manager"])
        with self.assertRefused("Say why"):
            manager.action_take_back()
        manager.action_take_back("Broken on arrival")
        self.assertPoints([40, 60], 100)
        self.assertRecordValues(claim, [{"state": "canceled", "cancel_reason": "Broken on arrival"}])
        self.assertEqual(order.state, "cancel")

    def test_what_was_delivered_has_to_come_back_first(self):
        claim = self._approve()
        claim.action_fulfill()
        claim.order_id.sudo().order_line.qty_delivered = 1
        with self.assertRefused("take the goods back and cancel the order first"):
            claim.with_user(self.users["manager"]).action_take_back("Broken")
        claim.order_id.sudo()._action_cancel()
        claim.with_user(self.users["manager"]).action_take_back("Broken")
        self.assertEqual(claim.state, "canceled")

    def test_nobody_takes_back_for_the_own_company(self):
        claim, manager = self._approve(), self.users["manager"]
        claim.action_fulfill()
        manager.partner_id.parent_id = self.dealer
        with self.assertRefused("for your own company"):
            claim.with_user(manager).action_take_back("Points are better")

    def test_the_dialog_takes_back(self):
        claim, manager = self._approve(), self.users["manager"]
        claim.action_fulfill()
        wizards = self.env["partner.loyalty.claim.take.back"].with_user(manager)
        context = {"active_model": claim._name, "active_ids": claim.ids}
        wizards.with_context(context).create({"reason": "Wrong size"}).action_refuse()
        self.assertEqual((claim.state, claim.cancel_reason), ("canceled", "Wrong size"))


@tagged("post_install", "-at_install")
class TestRewardAvailability(ClaimCommon):
    def assertCannotHave(self, words, reward=None, **values):
        claim = self._create_claim(reward, **values)
        with self.assertRefused(words):
            claim.action_request()

    def test_no_more_pieces_than_there_are(self):
        reward = self._create_reward(stock=3, point_cost=1)
        self._request(reward, quantity=2)
        self.assertCannotHave("1 are left, and 2 were asked for", reward, quantity=2)
        claim = self._request(reward)
        self.assertEqual(reward.taken_count, 3)
        self.assertCannotHave("0 are left", reward)
        claim.action_cancel()
        self._request(reward)
        with self.assertRefused("cannot be fewer pieces", ValidationError):
            reward.stock = 2

    def test_no_more_pieces_for_a_member_than_it_may_have(self):
        reward = self._create_reward(member_limit=2, point_cost=1)
        self._request(reward, quantity=2)
        self.assertCannotHave("Dealer can have 2 of “Backpack”, and has claimed 2 already", reward)
        self._post_entry(self.other, 1, unit="point")
        self._request(reward, member=self.other)

    def test_only_within_its_days(self):
        reward = self._create_reward(date_from="2026-03-19", date_to="2026-03-20")
        self.assertCannotHave("can be had from 03/19/2026 on", reward)
        with freeze_time("2026-03-21 10:00:00"):
            self.assertCannotHave("could be had until 03/20/2026", reward)
        with freeze_time("2026-03-20 10:00:00"):
            self._request(reward)

    def test_only_for_its_tiers(self):
        silver, gold = self.program._get_tiers()
        self.assertCannotHave("is for members of Gold only", self._create_reward(tier_ids=[Command.set(gold.ids)]))
        self._request(self._create_reward(tier_ids=[Command.set((silver + gold).ids)]))

    def test_only_for_its_segments(self):
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Named", "partner_domain": "[('name', '=', 'Referrer')]"}
        )
        reward = self._create_reward(segment_ids=[Command.set(segment.ids)], point_cost=1)
        self.assertCannotHave("other segments than Dealer", reward)
        self._post_entry(self.other, 1, unit="point")
        self._request(reward, member=self.other)

    def test_nobody_gets_what_is_archived_or_costs_no_points(self):
        claim = self._create_claim()
        self.gift.active = False
        with self.assertRefused("is archived"):
            claim.action_request()
        self.assertCannotHave("cannot be had for points", self._create_reward(point_cost=0))

    def test_members_who_have_left_or_are_suspended_get_nothing(self):
        claim = self._create_claim()
        self.member.action_suspend()
        with self.assertRefused("is no active member"):
            claim.action_request()

    def test_a_reward_says_what_is_missing_for_it(self):
        for kind, values, words in (
            ("product", {"product_id": False}, "choose which one"),
            ("price", {}, "choose their price list"),
            ("money", {}, "enter how much"),
            ("award", {}, "choose which one"),
        ):
            with self.subTest(kind=kind), self.assertRefused(words, ValidationError):
                self._create_reward(kind=kind, **values)

    def test_absurd_figures_are_refused(self):
        for values in (
            {"point_cost": -1},
            {"stock": -1},
            {"member_limit": -1},
            {"fulfill_days": 366},
            {"months": 0},
            {"date_from": "2026-03-19", "date_to": "2026-03-18"},
            {"kind": "money", "money_amount": -5},
        ):
            with self.subTest(**values), self.assertRefused("", ValidationError):
                self._create_reward(**values)
        for quantity in (0, -1, 1001):
            with self.subTest(quantity=quantity), self.assertRefused("1 to 1000 pieces", ValidationError):
                self._create_claim(quantity=quantity)


@tagged("post_install", "-at_install")
class TestRewardKinds(ClaimCommon):
    """What members really get."""

    def test_a_product_is_ordered_at_no_price_and_earns_nothing(self):
        rules = [{"kind": "order", "formula": "fixed", "rate": 5}, {"kind": "order", "formula": "per_unit", "rate": 1}]
        program = self._create_program(rules, name="Orders")
        self._enroll(program, self.dealer)
        claim = self._approve()
        claim.action_fulfill()
        order = claim.order_id.sudo()
        self.assertRecordValues(order, [{"state": "sale", "amount_total": 0, "partner_id": self.dealer.id}])
        self.assertRecordValues(
            order.order_line, [{"product_id": self.thing.id, "product_uom_qty": 1, "price_unit": 0}]
        )
        self._answer_documents()
        self.assertFalse(self.env["partner.loyalty.entry"].search([("program_id", "=", program.id)]))
        contributions = self.env["partner.loyalty.contribution"].search([("document_model", "=", "sale.order")])
        self.assertNotIn(order.id, contributions.mapped("document_id"))
        action = claim.action_view_order()
        self.assertEqual((action["res_model"], action["res_id"]), ("sale.order", order.id))

    def test_an_order_that_was_a_gift_makes_no_later_order_a_repeated_one(self):
        self._approve().action_fulfill()
        program = self._create_program([{"kind": "repeat_order", "formula": "fixed", "rate": 5}], name="Repeat")
        member = self._enroll(program, self.dealer)
        for expected in (0, 5):
            self._create_order(self.dealer, 100)
            self._answer_documents()
            self.env.invalidate_all()
            self.assertEqual(member.money_balance, expected)

    def test_special_prices_for_a_time_instead_of_those_of_the_tier(self):
        tier_list, reward_list, own = (
            self.env["product.pricelist"].create({"name": name, "company_id": self.company.id})
            for name in ("Tier", "Reward", "Own")
        )
        self.program.tier_ids[0].pricelist_id = tier_list
        self.program._refresh_tiers()
        price = "specific_property_product_pricelist"
        self.assertEqual(self.dealer[price], tier_list)
        reward = self._create_reward(kind="price", pricelist_id=reward_list.id, months=2, product_id=False)
        claim = self._approve(reward)
        self.assertRecordValues(claim, [{"state": "fulfilled", "valid_until": Date.to_date("2026-05-17")}])
        self.assertEqual(self.dealer[price], reward_list)
        with freeze_time("2026-05-17 10:00:00"):
            self.program._refresh_tiers()
            self.assertEqual(self.dealer[price], reward_list)
        with freeze_time("2026-05-18 10:00:00"):
            self.program._refresh_tiers()
            self.assertEqual(self.dealer[price], tier_list)
        claim.with_user(self.users["manager"]).action_take_back("Not agreed on")
        self.assertEqual(self.dealer[price], tier_list)
        self.dealer[price] = own
        self._approve(self._create_reward(kind="price", pricelist_id=reward_list.id, point_cost=1))
        self.assertEqual(self.dealer[price], own, "Nobody's own choice is overwritten.")

    def test_money_is_put_on_the_balance_with_the_terms_of_the_program(self):
        self.program.maturity_days = 10
        reward = self._create_reward(kind="money", money_amount=12.5)
        claim = self._approve(reward)
        self.assertEqual(claim.state, "fulfilled")
        entry = self.env["partner.loyalty.entry"].search([("type", "=", "reward")])
        self.assertRecordValues(
            entry, [{"amount": 12.5, "unit": "money", "origin_id": claim.id, "origin_model": "partner.loyalty.claim"}]
        )
        self.assertEqual((entry.mature_date, entry.explanation_text), (Date.to_date("2026-03-28"), "Reward: Backpack"))
        claim.with_user(self.users["manager"]).action_take_back("Twice")
        self.assertEntries(self.member, [12.5, -12.5])
        self.assertEqual(entry.amount_open, 0)

    def test_money_that_is_spent_is_owed_when_it_is_taken_back(self):
        claim = self._approve(self._create_reward(kind="money", money_amount=12.5))
        self._submit_payout(self.member)
        claim.with_user(self.users["manager"]).action_take_back("Twice")
        self.assertBalance(self.member, -12.5)
        self.assertEqual(self.member.money_debt, 12.5)

    def test_an_award_is_held_by_the_company(self):
        badge = self.env["gamification.badge"].create({"name": "Partner of the Year"})
        contact = self._create_role_user("joe", "base.group_portal", partner_id=self.dealer_contact.id)
        claim = self._approve(self._create_reward(kind="award", badge_id=badge.id))
        held = self.env["partner.loyalty.badge"].search([("member_id", "=", self.member.id)])
        self.assertRecordValues(held, [{"badge_id": badge.id, "reason": "Backpack"}])
        given = self.env["gamification.badge.user"].search([("badge_id", "=", badge.id)])
        self.assertEqual(given.user_id, contact)
        claim.with_user(self.users["manager"]).action_take_back("Named by mistake")
        self.assertFalse(held.exists() or given.exists())

    def test_an_award_has_a_certificate_in_the_language_of_the_partner(self):
        badge = self.env["gamification.badge"].create({"name": "Partner of the Year"})
        self.env["res.lang"]._activate_lang("de_DE")
        reward = self._create_reward(kind="award", badge_id=badge.id, name="Partner of the Year")
        reward.with_context(lang="de_DE").name = "Partner des Jahres"
        self.dealer.lang = "de_DE"
        claim = self._request(reward)
        with self.assertRefused("is none"):
            claim.action_print_certificate()
        claim.with_user(self.users["manager"]).action_approve()
        self.assertEqual(claim.action_print_certificate()["report_name"], "partner_loyalty.report_claim_certificate")
        report = self.env["ir.actions.report"].with_user(self.users["officer"])
        html, _type = report._render_qweb_html("partner_loyalty.report_claim_certificate", claim.ids)
        for words in ("Dealer", "Partner des Jahres", "18. März 2026", claim.name):
            self.assertIn(words, html.decode())
        with self.allow_pdf_render():
            pdf, _type = report.with_context(force_report_rendering=True)._render_qweb_pdf(
                "partner_loyalty.report_claim_certificate", claim.ids
            )
        self.assertEqual(pdf[:5], b"%PDF-")
        self.assertEqual(pdf.count(b"/Type /Page\n"), 1)
