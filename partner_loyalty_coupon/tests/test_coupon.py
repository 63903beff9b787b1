"""Codes as a reward: generated for a partner, handed to its clients, and credited to it when they are used."""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import HttpCase, freeze_time, tagged

from odoo.addons.partner_loyalty.tests.common_claim import ClaimCommon
from odoo.addons.partner_loyalty_coupon.models.partner_loyalty_reward import MAX_CODES


class CouponCommon(ClaimCommon):
    """Three codes for a tenth off, for 10 points."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.coupons = cls._create_coupon_program()
        cls.codes = cls._create_reward(
            name="Codes",
            kind="coupon",
            product_id=False,
            point_cost=10,
            coupon_program_id=cls.coupons.id,
            code_count=3,
            code_days=30,
        )

    @classmethod
    def _create_coupon_program(cls, **values):
        rewards = [Command.create({"discount": 10, "required_points": 1})]
        return cls.env["loyalty.program"].create(
            {
                "name": "A Tenth Off",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "company_id": cls.company.id,
                "rule_ids": [Command.clear()],
                "reward_ids": [Command.clear(), *rewards],
                **values,
            }
        )

    @classmethod
    def _get_codes(cls, **values):
        """Let the dealer have codes; return their cards."""
        return cls._approve(cls.codes, **values).card_ids.with_env(cls.env)

    def _use(self, card, partner=None, confirm=True, **values):
        """Use a code on an order of 200, and confirm that."""
        order = self._create_order(partner or self.stranger, 200, confirm=False, **values)
        for coupon, rewards in order._try_apply_code(card.code).items():
            order._apply_program_reward(rewards, coupon)
        if confirm:
            order.action_confirm()
        self.env.invalidate_all()
        return order


@tagged("post_install", "-at_install")
class TestCoupon(CouponCommon):
    # === CODES ===#

    def test_the_codes_are_there_with_the_approval_for_whoever_gets_them(self):
        claim = self._approve(self.codes, quantity=2)
        self.assertEqual(claim.state, "fulfilled")
        self.assertRecordValues(
            claim.card_ids.sudo(),
            [
                {
                    "program_id": self.coupons.id,
                    "partner_id": False,
                    "points": 1,
                    "expiration_date": Date.to_date("2026-04-17"),
                    "loyalty_outcome": "unused",
                }
            ]
            * 6,
        )
        self.assertEqual(len(set(claim.card_ids.mapped("code"))), 6)
        self.assertEqual(claim.card_text, "0 of 6 used, by 0 clients")

    def test_gift_cards_have_an_amount(self):
        gift_cards = self._create_coupon_program(name="Gift Cards", program_type="gift_card", applies_on="future")
        self.codes.write({"coupon_program_id": gift_cards.id, "code_worth": 25})
        self.assertEqual(self._get_codes().mapped("points"), [25, 25, 25])

    def test_a_bonus_can_give_codes(self):
        refused = self.env["partner.loyalty.claim"]._grant(self.codes, self._create_bonus_line())
        self.assertFalse(refused)
        claim = self.codes.claim_ids
        claim.with_user(self.users["manager"]).action_approve()
        self.assertEqual((claim.state, len(claim.card_ids)), ("fulfilled", 3))

    def _create_bonus_line(self):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Best",
                "program_id": self.program.id,
                "effect_ids": [Command.create({"kind": "reward", "reward_id": self.codes.id})],
            }
        )
        run = self.env["partner.loyalty.bonus.run"].browse(action.action_preview()["res_id"])
        return run.line_ids.filtered(lambda line: line.member_id == self.member)

    def test_a_reward_says_what_is_missing_for_its_codes(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        elsewhere = self.coupons.sudo().copy({"name": "Elsewhere", "company_id": company.id})
        for words, program in {
            "choose their program": self.env["loyalty.program"],
            "has no codes that can be handed on": self._create_coupon_program(program_type="promotion"),
            "is archived": self._create_coupon_program(active=False),
            "belongs to another company": elsewhere,
        }.items():
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                self.codes.coupon_program_id = program

    def test_a_program_that_was_archived_meanwhile_gives_no_codes(self):
        claim = self._request(self.codes)
        self.coupons.action_archive()
        with self.assertRefused("is archived"):
            claim.with_user(self.users["manager"]).action_approve()
        self.assertEqual((claim.state, len(claim.card_ids)), ("requested", 0))

    def test_figures_that_make_no_sense_are_refused(self):
        for words, values in {
            "gives 1 to 1000 codes": {"code_count": 0},
            "is worth something": {"code_worth": 0},
            "up to 3650 days": {"code_days": -1},
        }.items():
            with self.subTest(**values), self.assertRefused(words, ValidationError):
                self.codes.write(values)

    def test_a_claim_is_about_no_more_codes_than_anybody_hands_out(self):
        self.codes.write({"code_count": MAX_CODES, "point_cost": 1})
        with self.assertRefused("is about 2000 codes"):
            self._request(self.codes, quantity=2)
        self.assertEqual(len(self._get_codes()), MAX_CODES)

    def test_without_the_app_nobody_can_claim_codes_any_more(self):
        claim = self._get_codes().loyalty_claim_id
        self.codes._fields["kind"].ondelete["coupon"](self.codes)
        self.assertRecordValues(self.codes, [{"active": False, "kind": "product"}])
        self.assertEqual(claim.state, "fulfilled")

    # === WHAT BECAME OF THEM ===#

    def test_it_is_known_who_used_a_code_on_which_order_and_when(self):
        used, quoted, _unused = cards = self._get_codes()
        order = self._use(used)
        self._use(quoted, confirm=False)
        self.assertRecordValues(
            used,
            [
                {
                    "loyalty_outcome": "used",
                    "loyalty_order_id": order.id,
                    "loyalty_client_id": self.stranger.id,
                    "loyalty_used_at": order.date_order,
                }
            ],
        )
        self.assertEqual(cards.mapped("loyalty_outcome"), ["used", "unused", "unused"])
        claim = cards.loyalty_claim_id
        self.assertEqual(claim.card_text, "1 of 3 used, by 1 clients")
        self.assertEqual(claim._get_unused_cards().ids, cards[1:].ids)

    def test_the_code_of_an_order_that_was_canceled_is_unused_again(self):
        card = self._get_codes()[0]
        order = self._use(card)
        order._action_cancel()
        self.env.invalidate_all()
        self.assertRecordValues(card, [{"loyalty_outcome": "unused", "loyalty_order_id": False}])

    def test_a_code_expires_after_its_last_day(self):
        card = self._get_codes()[0]
        for day, outcome in {"2026-04-17": "unused", "2026-04-18": "expired"}.items():
            with self.subTest(day=day), freeze_time(f"{day} 10:00:00"):
                card.invalidate_recordset()
                self.assertEqual(card.loyalty_outcome, outcome)

    def test_what_became_of_many_codes_is_found_by_one_query(self):
        self.codes.code_count = 50
        cards = self.env["loyalty.card"].browse(self._get_codes().ids)
        self._use(cards[0])
        cards.mapped(lambda card: (card.active, card.expiration_date, card.loyalty_claim_id.program_id.tz))
        with self._record_queries() as queries:
            self.assertEqual(cards.mapped("loyalty_outcome").count("used"), 1)
        self.assertEqual(len([query for query in queries if "loyalty_history" in query]), 1)

    def test_officers_see_what_became_of_them_without_any_right_on_orders(self):
        card = self._get_codes()[0]
        order = self._use(card)
        card = card.with_user(self.users["officer"])
        with self.assertRefused("", AccessError):
            order.with_user(self.users["officer"]).read(["name"])
        facts = card.web_read(
            {"loyalty_outcome": {}, "loyalty_order_id": {"fields": {"display_name": {}}}, "loyalty_used_at": {}}
        )
        self.assertEqual((facts[0]["loyalty_outcome"], facts[0]["loyalty_order_id"]["id"]), ("used", order.id))
        for change in (lambda: card.write({"points": 100}), card.copy, card.unlink):
            with self.assertRefused("", AccessError):
                change()

    def test_codes_that_are_taken_back_are_not_accepted_any_more(self):
        used, withdrawn, _other = cards = self._get_codes()
        self._use(used)
        cards.loyalty_claim_id.with_user(self.users["manager"]).action_take_back("By mistake")
        self.assertEqual(cards.mapped("loyalty_outcome"), ["used", "withdrawn", "withdrawn"])
        order = self._create_order(self.stranger, 200, confirm=False)
        self.assertIn("invalid", order._try_apply_code(withdrawn.code)["error"])

    # === ATTRIBUTION ===#

    def test_an_order_that_uses_a_code_is_credited_to_who_handed_it_out(self):
        program = self._create_program([{"kind": "order", "role": "referrer"}], name="Referrals")
        member = self._enroll(program, self.dealer)
        order = self._use(self._get_codes()[0])
        self.assertEqual(order.loyalty_partner_id, self.dealer)
        self._answer_documents()
        # A tenth of 200 less a tenth.
        self.assertBalance(member, 18)

    def test_a_salesperson_who_sees_no_rewards_confirms_it(self):
        seller = self.users["salesperson"]
        order = self._use(self._get_codes()[0], confirm=False, user_id=seller.id)
        order.with_user(seller).action_confirm()
        self.assertEqual(order.loyalty_partner_id, self.dealer)

    def test_nobody_is_credited_where_somebody_else_is_named_or_buys_with_its_own_code(self):
        first, second, third = self._get_codes()
        named = self._use(first, loyalty_partner_id=self.referrer.id)
        self.assertEqual(named.loyalty_partner_id, self.referrer)
        self.assertFalse(self._use(second, self.dealer_contact).loyalty_partner_id)
        self.codes.is_code_credited = False
        self.assertFalse(self._use(third).loyalty_partner_id)

    def test_an_order_with_a_code_of_the_company_itself_is_nobodys(self):
        card = self.env["loyalty.card"].create({"program_id": self.coupons.id, "points": 1})
        self.assertFalse(self._use(card).loyalty_partner_id)

    def test_of_a_merged_member_the_other_one_is_credited(self):
        card = self._get_codes()[0]
        self.member._merge_into(self.other)
        self.assertEqual(self._use(card).loyalty_partner_id, self.referrer)

    # === PAPER AND MAIL ===#

    def test_the_codes_are_printed_in_the_language_of_the_partner(self):
        cards = self._get_codes()
        self._use(cards[0])
        report = self.env["ir.actions.report"].with_user(self.users["officer"])
        name = "partner_loyalty_coupon.partner_loyalty_claim_report_action"
        html = report._render_qweb_html(name, cards.loyalty_claim_id.ids)[0].decode()
        self.assertNotIn(cards[0].code, html)
        for card in cards[1:]:
            self.assertIn(card.code, html)
        self.assertIn("04/17/2026", html)

    def test_the_codes_are_mailed_to_the_partner(self):
        claim = self._get_codes().loyalty_claim_id.with_user(self.users["officer"])
        action = claim.action_send_codes()
        composer = (
            self.env["mail.compose.message"].with_user(self.users["officer"]).with_context(action["context"]).create({})
        )
        self.assertEqual(composer.partner_ids, self.dealer)
        self.assertIn("Codes: codes for your clients", composer.subject)


@tagged("post_install", "-at_install")
class TestCouponByClicking(CouponCommon, HttpCase):
    def test_approve_by_clicking(self):
        claim = self._request(self.codes)
        self.start_tour(
            f"/odoo/loyalty-claims/{claim.id}",
            "partner_loyalty_coupon_approve",
            login=self.users["manager"].login,
        )
        self.env.invalidate_all()
        self.assertEqual((claim.state, len(claim.card_ids)), ("fulfilled", 3))


@tagged("post_install", "-at_install")
class TestPortalCoupon(CouponCommon, HttpCase):
    def test_a_contact_reads_its_codes_and_what_became_of_them(self):
        cards = self._get_codes()
        self._use(cards[0])
        contact = self._create_partner(name="Ann", parent_id=self.dealer.id)
        user = self._create_role_user("portal_codes", "base.group_portal", partner_id=contact.id)
        self.authenticate(user.login, user.login)
        page = self.url_open(f"/my/loyalty/{self.program.id}/claims/{cards.loyalty_claim_id.id}").text
        for text in (*cards.sudo().mapped("code"), "1 of 3 used", "To hand on"):
            self.assertIn(text, page)
