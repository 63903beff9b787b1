"""Marketing money: a fund, a plan, an approval, a proof, and what is paid of it."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, HttpCase, freeze_time, tagged

from ..tools.files import MAX_FILE_SIZE
from .common_claim import ClaimCommon
from .test_claim import ACTIONS, DIALOGS, STATES, TRANSITIONS

PDF = b"%PDF-1.4 What was spent"


class MdfCommon(ClaimCommon):
    """A fund of 1,000 that pays half of what members spend in spring."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fund = cls._create_fund()
        cls.marketing = cls._create_reward(
            name="Marketing Money", kind="mdf", point_cost=0, product_id=False, proof_days=30
        )

    @classmethod
    def _create_fund(cls, **values):
        return cls.env["partner.loyalty.fund"].create(
            {
                "name": "Spring",
                "program_id": cls.program.id,
                "date_from": "2026-03-01",
                "date_to": "2026-05-31",
                "budget": 1000,
                "share": 50,
                **values,
            }
        )

    @classmethod
    def _plan(cls, amount=400, **values):
        """Write down a plan, as a draft."""
        plan = {
            "mdf_plan": "Stand at the fair",
            "mdf_place": "Kyiv",
            "mdf_date_from": "2026-04-10",
            "mdf_date_to": "2026-04-12",
            "mdf_requested_amount": amount,
        }
        return cls._create_claim(**{"reward": cls.marketing, **plan, **values})

    @classmethod
    def _ask(cls, amount=400, **values):
        claim = cls._plan(amount, **values)
        claim.action_request()
        return claim

    @classmethod
    def _agree(cls, amount=400, **values):
        """Ask for money, and have a manager approve it."""
        claim = cls._ask(amount, **values)
        claim.with_user(cls.users["manager"]).action_approve()
        return claim

    @classmethod
    def _prove(cls, claim, spent, **values):
        """Enter what was spent, with a file."""
        claim.write({"mdf_spent_amount": spent, "mdf_proof_ids": [Command.link(cls._create_file(claim, **values).id)]})
        return claim

    @classmethod
    def _create_file(cls, claim, name="invoice.pdf", content=PDF, **values):
        vals = {"name": name, "raw": content, "res_model": claim._name, "res_id": claim.id, **values}
        return cls.env["ir.attachment"].sudo().create(vals)

    @classmethod
    def _settle(cls, amount=400, spent=500, **values):
        claim = cls._prove(cls._agree(amount, **values), spent)
        claim.action_fulfill()
        return claim

    def assertFund(self, requested=0, approved=0, settled=0, fund=None):
        """Check what is taken from a fund, and that the rest is left."""
        self.env.invalidate_all()
        fund = fund or self.fund
        left = fund.budget - requested - approved - settled
        self.assertRecordValues(
            fund,
            [
                {
                    "requested_amount": requested,
                    "approved_amount": approved,
                    "settled_amount": settled,
                    "left_amount": left,
                }
            ],
        )


@tagged("post_install", "-at_install")
class TestMdf(MdfCommon):
    def test_the_whole_life_by_those_who_do_it(self):
        claim = self._ask(400)
        self.assertEqual(claim.mdf_fund_id, self.fund)
        self.assertFund(requested=400)
        manager = claim.with_user(self.users["manager"])
        manager.mdf_approved_amount = 300
        manager.action_approve()
        self.assertFund(approved=300)
        self.assertRecordValues(claim, [{"state": "approved", "date_deadline": Date.to_date("2026-05-12")}])
        self.assertIn("50 % of what is spent, at most", claim.mdf_formula)
        self._prove(claim, 500)
        claim.action_fulfill()
        self.assertFund(settled=250)
        self.assertRecordValues(claim, [{"state": "fulfilled", "mdf_settled_amount": 250, "source": "fund"}])
        entry = self._get_entries(self.member)
        self.assertRecordValues(
            entry, [{"type": "reward", "amount": 250, "origin_model": claim._name, "origin_id": claim.id}]
        )
        self.assertEqual(self._approve_payout(self.member).amount, 250)

    def test_the_statement_says_how_much_of_what_was_spent_is_paid(self):
        self._settle(400, 500)
        text = self._get_entries(self.member).explanation_text.replace("\xa0", " ")
        self.assertIn("Reward: Marketing Money; 50 % of", text)
        self.assertIn("500.00", text)
        self.assertIn("400.00", text)

    def test_no_more_is_paid_than_was_approved(self):
        claim = self._settle(400, 5000)
        self.assertEqual((claim.mdf_settled_amount, self.member.money_balance), (400, 400))
        self.assertFund(settled=400)

    def test_what_is_paid_is_exact_to_the_cent(self):
        # In hundredths of a percent, in cents, and what is to come out, in cents.
        cases = ((3333, 5, 2), (5000, 1, 1), (5000, 3, 2), (3333, 100, 33), (6667, 10001, 6668), (10000, 12345, 12345))
        for number, (share, spent, result) in enumerate(cases):
            with self.subTest(share=share, spent=spent):
                fund = self._create_fund(name=str(number), share=share / 100)
                claim = self._settle(500, spent / 100, mdf_fund_id=fund.id)
                self.assertEqual(round(claim.mdf_settled_amount * 100), result)
        self.assertBalance(self.member, sum(result for _share, _spent, result in cases) / 100)

    def test_the_share_is_that_of_the_request(self):
        claim = self._ask(400)
        self.fund.share = 10
        claim.with_user(self.users["manager"]).action_approve()
        self._prove(claim, 500)
        claim.action_fulfill()
        self.assertEqual(claim.mdf_settled_amount, 250)

    # === REQUEST ===#

    def test_no_more_is_asked_for_than_is_left(self):
        self._ask(700)
        claim = self._plan(300.01)
        with self.assertRefused("are left, and"):
            claim.action_request()
        self.assertEqual(claim.state, "draft")
        claim.mdf_requested_amount = 300
        claim.action_request()
        self.assertFund(requested=1000)

    def test_of_several_requests_at_once_each_finds_the_others(self):
        claims = self._plan(400) + self._plan(400) + self._plan(400)
        with self.assertRefused("are left, and"):
            claims.action_request()
        claims[:2].action_request()
        self.assertFund(requested=800)

    def test_a_plan_says_what_and_when_and_how_much(self):
        for words, values in {
            "Write down what is planned": {"mdf_plan": "  "},
            "begins and ends": {"mdf_date_from": False},
            "is over": {"mdf_date_from": "2026-03-10", "mdf_date_to": "2026-03-17"},
            "Enter how much is asked for": {"mdf_requested_amount": 0},
            "is for what is done from 03/01/2026 to 05/31/2026": {"mdf_date_to": "2026-06-01"},
            "No marketing fund is in force for Dealer": {"mdf_fund_id": False},
            "is about one piece": {"quantity": 2},
        }.items():
            with self.subTest(words=words), self.assertRefused(words):
                self._ask(**values)
        self.assertFund()

    def test_amounts_and_days_that_make_no_sense_are_refused(self):
        for words, values in {
            "above zero": {"mdf_requested_amount": -1},
            "enter a later last day": {"mdf_date_to": "2026-04-09"},
            "is not a number": {"mdf_requested_amount": 1e13},
        }.items():
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                self._plan(**values)

    def test_marketing_money_costs_no_points_and_is_no_bonus(self):
        with self.assertRefused("costs no points", ValidationError):
            self.marketing.point_cost = 10
        effect = Command.create({"kind": "reward", "reward_id": self.marketing.id})
        with self.assertRefused("is asked for with a plan", ValidationError):
            self.env["partner.loyalty.bonus.action"].create(
                {"name": "Best", "program_id": self.program.id, "effect_ids": [effect]}
            )

    def test_what_a_tier_gives_stays_that(self):
        claim = self._plan()
        claim.sudo().source = "tier"
        claim.action_request()
        self.assertEqual((claim.state, claim.source), ("requested", "tier"))

    def test_a_member_reads_in_the_portal_how_much_it_is_paid_but_not_what_others_get(self):
        claim = self._plan()
        user = self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id)
        self.env.invalidate_all()
        self.assertIn("50 % of what is spent", claim.with_user(user).mdf_formula)
        with self.assertRefused("", AccessError):
            self.fund.with_user(user).read(["budget"])

    def test_without_approval_it_waits_for_its_proof_at_once(self):
        self.marketing.need_approval = False
        claim = self._ask(400)
        self.assertRecordValues(claim, [{"state": "approved", "date_deadline": Date.to_date("2026-05-12")}])
        self.assertFund(approved=400)

    # === APPROVAL ===#

    def test_only_who_decides_says_how_much_is_approved(self):
        manager = self.users["manager"]
        draft, claim, own = self._plan(100), self._ask(100), self._ask(100, user=manager)
        with self.assertRefused("has to be approved by a loyalty manager"):
            claim.mdf_approved_amount = 50
        with self.assertRefused("another manager has to approve it"):
            own.mdf_approved_amount = 50
        with self.assertRefused("is not waiting for approval"):
            draft.with_user(manager).mdf_approved_amount = 50
        claim.with_user(manager).mdf_approved_amount = 50
        claim.with_user(manager).action_approve()
        with self.assertRefused("is not waiting for approval"):
            claim.with_user(manager).mdf_approved_amount = 100

    def test_approved_is_something_and_no_more_than_was_asked_for(self):
        claim = self._ask(100).with_user(self.users["manager"])
        with self.assertRefused("approve that amount or less", ValidationError):
            claim.mdf_approved_amount = 100.01
        claim.mdf_approved_amount = 0
        with self.assertRefused("or refuse it"):
            claim.action_approve()

    def test_what_comes_to_nothing_goes_back_to_the_fund(self):
        manager = self.users["manager"]
        refused, canceled, withdrawn = self._ask(100), self._ask(100), self._agree(100)
        self.assertFund(requested=200, approved=100)
        refused.with_user(manager).action_refuse("No")
        canceled.action_cancel()
        withdrawn.with_user(manager).action_cancel()
        self._plan(100).sudo()._set_decision("expired")
        self.assertFund()

    # === PROOF ===#

    def test_it_is_settled_by_its_proof_alone(self):
        claim = self._agree()
        with self.assertRefused("Attach the proof"):
            claim.action_fulfill()
        self._prove(claim, 0)
        with self.assertRefused("Enter how much was spent"):
            claim.action_fulfill()
        self.assertEqual(claim.state, "approved")

    def test_a_proof_is_a_document_or_a_picture_of_a_size_that_can_be_read(self):
        claim = self._agree()
        too_large = bytes(MAX_FILE_SIZE + 1024 * 1024)
        for words, values in {
            "is no picture, PDF or office document": {"name": "invoice.exe"},
            "is a program": {"content": b"MZ\x90 a program"},
            "has 26 MB": {"content": too_large},
            "upload it to the claim": {"res_model": "res.partner", "res_id": self.dealer.id},
        }.items():
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                self._prove(claim, 500, **values)
        self.assertFalse(claim.mdf_proof_ids)
        for name in ("photo.JPG", "costs.xlsx"):
            self._prove(claim, 500, name=name)
        self.assertEqual(len(claim.mdf_proof_ids), 2)

    def test_a_file_that_was_exchanged_is_looked_at_again(self):
        claim = self._prove(self._agree(), 500)
        claim.mdf_proof_ids.raw = b"MZ\x90 a program"
        with self.assertRefused("is a program", ValidationError):
            claim.action_fulfill()

    def test_the_proof_is_entered_after_the_approval_and_stands_after_the_settlement(self):
        with self.assertRefused("is entered when it is approved", ValidationError):
            self._plan(mdf_spent_amount=500)
        for claim in (self._ask(100), self._settle(100, 200)):
            for vals in ({"mdf_spent_amount": 1}, {"mdf_proof_ids": [Command.clear()]}, {"mdf_spent_amount": 0}):
                with self.subTest(state=claim.state, **vals), self.assertRefused("stands", ValidationError):
                    claim.write(vals)

    def test_a_proof_that_is_late_shows(self):
        claim = self._agree()
        with freeze_time("2026-05-12 10:00:00"):
            claim.invalidate_recordset()
            self.assertFalse(claim.is_overdue)
        with freeze_time("2026-05-13 10:00:00"):
            claim.invalidate_recordset()
            self.assertTrue(claim.is_overdue)

    def test_nothing_is_settled_twice(self):
        claim = self._settle()
        with self.assertRefused("cannot be changed this way any more"):
            claim.action_fulfill()
        self.assertEntries(self.member, [250])

    def test_what_is_taken_back_leaves_the_balance_and_is_in_the_fund_again(self):
        claim = self._settle()
        claim.with_user(self.users["manager"]).action_take_back("The invoice was not paid")
        self.assertEntries(self.member, [250, -250])
        self.assertFund()

    def test_nobody_sets_by_hand_what_the_program_sets(self):
        claim = self._agree()
        for name, value in {"mdf_settled_amount": 100, "mdf_share": 100}.items():
            with self.subTest(field=name), self.assertRefused("use the buttons", AccessError):
                claim.write({name: value})
        for name, value in {"mdf_requested_amount": 500, "mdf_plan": "Another", "mdf_fund_id": False}.items():
            with self.subTest(field=name), self.assertRefused("cannot be changed any more"):
                claim.write({name: value})

    def test_of_a_merged_member_the_other_one_is_paid(self):
        claim = self._agree()
        self.member._merge_into(self.other)
        self._prove(claim, 500)
        claim.action_fulfill()
        self.assertEqual((self.member.money_balance, self.other.money_balance), (0, 250))

    # === STATES ===#

    def test_every_transition_by_every_role(self):
        for state in STATES:
            claim = self._bring_to(state)
            for action in ACTIONS:
                allowed, result = TRANSITIONS.get((action, state), (set(), None))
                for role in self.roles:
                    with self.subTest(state=state, action=action, role=role):
                        self._try(claim, role, action, result if role in allowed else None)

    def test_every_role_finds_the_buttons_of_what_it_may_do(self):
        for state in STATES:
            claim = self._bring_to(state)
            for role in self.roles:
                allowed = {action for (action, at), (able, _to) in TRANSITIONS.items() if at == state and role in able}
                with self.subTest(state=state, role=role):
                    buttons = self._get_buttons(claim, self.users[role], DIALOGS)
                    self.assertEqual(buttons & set(ACTIONS), allowed)

    def _bring_to(self, state):
        """Return a claim in a state, asked for by the officer, with its proof as soon as there can be one."""
        if state in ("approved", "fulfilled"):
            claim = self._prove(self._agree(10), 20)
        else:
            claim = self._plan(10) if state == "draft" else self._ask(10)
        if state == "fulfilled":
            claim.action_fulfill()
        elif state in ("refused", "canceled", "expired"):
            claim.sudo()._set_decision(state)
        self.assertEqual(claim.state, state)
        return claim

    def _try(self, claim, role, action, result):
        arguments = ["No"] if action in ("action_refuse", "action_take_back") else []
        call = getattr(claim.with_user(self.users[role]), action)
        before = claim.state
        if not result:
            with self.assertRefused("", UserError):
                call(*arguments)
        else:
            with self.env.cr.savepoint() as savepoint:
                call(*arguments)
                self.assertEqual(claim.state, result)
                savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(claim.state, before)


@tagged("post_install", "-at_install")
class TestFund(MdfCommon):
    def test_the_own_fund_comes_before_that_of_the_tier_and_of_all(self):
        funds = self.env["partner.loyalty.fund"]
        self.assertEqual(funds._get_in_force(self.member), self.fund)
        tier = self._create_fund(name="Tier", tier_ids=self.member.tier_id.ids)
        self.assertEqual(funds._get_in_force(self.member), tier)
        own = self._create_fund(name="Own", member_id=self.member.id)
        self.assertEqual(funds._get_in_force(self.member), own)
        self.assertEqual(funds._get_in_force(self.other), tier)
        own.date_to = "2026-03-17"
        tier.active = False
        self.assertEqual(funds._get_in_force(self.member), self.fund)

    def test_a_fund_pays_those_that_it_is_for(self):
        gold = self.program._get_tiers()[1]
        for values in ({"member_id": self.other.id}, {"tier_ids": gold.ids}):
            fund = self._create_fund(name=str(values), **values)
            with self.subTest(**values), self.assertRefused("is not for Dealer"):
                self._ask(mdf_fund_id=fund.id)
        self.fund.active = False
        with self.assertRefused("is archived"):
            self._ask(mdf_fund_id=self.fund.id)

    def test_the_fund_follows_the_member_on_the_form(self):
        own = self._create_fund(name="Own", member_id=self.member.id)
        with Form(self.env["partner.loyalty.claim"].with_user(self.users["officer"])) as form:
            form.member_id = self.member
            form.reward_id = self.marketing
            self.assertEqual(form.mdf_fund_id, own)
            form.member_id = self.other
            self.assertEqual(form.mdf_fund_id, self.fund)
            form.mdf_plan = "Fair"
            form.mdf_date_from = form.mdf_date_to = "2026-04-10"
            form.mdf_requested_amount = 100
        self.assertEqual(form.record.mdf_fund_id, self.fund)

    def test_the_budget_stays_above_what_is_taken(self):
        self._ask(400)
        self._settle(400, 600)
        with self.assertRefused("of “Spring” are requested, approved or settled", ValidationError):
            self.fund.budget = 699.99
        self.fund.budget = 700
        self.assertFund(requested=400, settled=300)

    def test_what_makes_no_sense_is_refused(self):
        program = self._create_program([{}], name="Other")
        stranger = self._enroll(program, self.stranger)
        for words, values in {
            "enter a budget above zero": {"budget": 0},
            "more than 0 and up to 100": {"share": 101},
            "enter a later last day": {"date_to": "2026-02-28"},
            "has a fund of this name": {"name": "Spring"},
            "of another program": {"member_id": stranger.id},
        }.items():
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                self._create_fund(**{"name": "Summer", **values})

    def test_a_fund_that_was_asked_stays(self):
        self._plan()
        with self.assertRefused("archive it, then nobody can"):
            self.fund.unlink()
        program = self._create_program([{}], name="Other")
        with self.assertRefused("it stays in its program", ValidationError):
            self.fund.program_id = program
        self._create_fund(name="Summer").unlink()

    def test_a_copy_has_a_name_of_its_own_and_its_whole_budget(self):
        self._ask(400)
        copy = self.fund.copy()
        self.assertRecordValues(copy, [{"name": "Spring (copy)", "budget": 1000, "left_amount": 1000}])

    def test_the_figures_of_many_funds_take_one_query(self):
        funds = self.fund + self._create_fund(name="Summer") + self._create_fund(name="Autumn")
        self._ask(400)
        self.env.flush_all()
        self.env.invalidate_all()
        funds.mapped(lambda fund: (fund.budget, fund.currency_id.rounding))
        with self.assertQueryCount(1):
            self.assertEqual(funds.mapped("left_amount"), [600, 1000, 1000])

    def test_the_button_shows_who_has_asked(self):
        claim = self._ask()
        self.assertEqual(self.fund.claim_count, 1)
        action = self.fund.action_view_claims()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), claim.with_env(self.env))


@tagged("post_install", "-at_install")
class TestMdfByClicking(MdfCommon, HttpCase):
    """The whole life of marketing money by clicking: an officer asks and settles, a manager approves."""

    def _start(self, tour, role, url):
        self.start_tour(url, tour, login=self.users[role].login)
        self.env.invalidate_all()

    def test_request_approve_and_settle_by_clicking(self):
        self._start("partner_loyalty_mdf_request", "officer", "/odoo/loyalty-claims/new")
        claim = self.fund.claim_ids
        self.assertRecordValues(
            claim, [{"state": "requested", "mdf_requested_amount": 400, "mdf_approved_amount": 400}]
        )
        url = f"/odoo/loyalty-claims/{claim.id}"
        self._start("partner_loyalty_mdf_approve", "manager", url)
        self.assertRecordValues(claim, [{"state": "approved", "mdf_approved_amount": 300}])
        self._start("partner_loyalty_mdf_settle", "officer", url)
        self.assertRecordValues(claim, [{"state": "fulfilled", "mdf_settled_amount": 250}])
        self.assertEqual(claim.mdf_proof_ids.name, "invoice.pdf")
        self.assertBalance(self.member, 250)
