from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestCheck(PartnerLoyaltyCommon):
    """Every invariant is worked out from nothing: each fault that is planted past the guards is found."""

    roles = ("officer", "manager", "administrator", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{}], tiers=[("Silver", 0), ("Gold", 1000)], expiry_kind="months", expiry_of_money=True
        )
        cls.program.expiry_months = 1
        cls.other_program = cls._create_program([{}], name="Other")
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.other_member = cls._enroll(cls.other_program, cls.dealer)
        cls.program._evaluate_tiers()
        cls.old_invoice = cls._create_sale_invoice(cls.dealer, 500, date="2026-01-10")
        cls.invoice = cls._create_sale_invoice(cls.dealer, 1000)
        cls._answer_marks()
        cls._as_cron("partner.loyalty.entry")._expire(cls.member.account_ids.ids)
        payout = cls.env["partner.loyalty.payout"].create({"member_id": cls.member.id, "date": TODAY})
        payout.action_submit()
        payout.with_user(cls.users["manager"]).action_approve()
        cls.payout = payout
        cls._create_sale_invoice(cls.dealer, 300)
        cls._answer_marks()
        cls._claim_a_reward()
        cls._settle_marketing_money()

    @classmethod
    def _claim_a_reward(cls):
        """Let the dealer have the only piece of a reward for points, approved by a manager."""
        cls._post_entry(cls.member, 10, unit="point")
        reward = cls.env["partner.loyalty.reward"].create(
            {"name": "Pen", "program_id": cls.program.id, "product_id": cls.thing.id, "point_cost": 10, "stock": 1}
        )
        claim = cls.env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": cls.member.id})
        claim.action_request()
        claim.with_user(cls.users["manager"]).action_approve()

    @classmethod
    def _settle_marketing_money(cls):
        """Pay the dealer half of what it has spent, from a fund."""
        values = {"program_id": cls.program.id, "name": "Marketing"}
        days = {"date_from": TODAY, "date_to": TODAY}
        cls.env["partner.loyalty.fund"].create({**values, **days, "budget": 100, "share": 50})
        reward = cls.env["partner.loyalty.reward"].create({**values, "kind": "mdf"})
        plan = {"mdf_plan": "Fair", "mdf_date_from": TODAY, "mdf_date_to": TODAY, "mdf_requested_amount": 60}
        claim = cls.env["partner.loyalty.claim"].create({"reward_id": reward.id, "member_id": cls.member.id, **plan})
        claim.action_request()
        claim.with_user(cls.users["manager"]).action_approve()
        file = {"name": "invoice.pdf", "raw": b"%PDF-1.4", "res_model": claim._name, "res_id": claim.id}
        claim.write({"mdf_spent_amount": 80, "mdf_proof_ids": cls.env["ir.attachment"].create(file).ids})
        claim.action_fulfill()

    def _find(self, fault):
        """Return the codes of what is found after a fault, which is taken back then."""
        with self.env.cr.savepoint() as savepoint:
            self.env.flush_all()
            for table in ("entry", "allocation"):
                self.env.cr.execute(f"ALTER TABLE partner_loyalty_{table} DISABLE TRIGGER USER")
            self.env.cr.execute(fault)
            for table in ("entry", "allocation"):
                self.env.cr.execute(f"ALTER TABLE partner_loyalty_{table} ENABLE TRIGGER USER")
            self.env.invalidate_all()
            found = self.env["partner.loyalty.invariant"]._find_violations(self.program)
            savepoint.rollback()
        self.env.invalidate_all()
        return {invariant.code for invariant, ids in found if ids}

    def test_each_fault_is_found(self):
        for code, fault in {
            "I1": "DROP TRIGGER partner_loyalty_entry_guard_update ON partner_loyalty_entry",
            "I2": "UPDATE partner_loyalty_account SET balance = balance + 1",
            "I3": "UPDATE partner_loyalty_entry SET type = 'transfer' WHERE type = 'expiry'",
            "I4": "DROP INDEX partner_loyalty_entry_key_unique",
            "I5": "UPDATE partner_loyalty_entry SET amount_open = -1 WHERE type = 'payout'",
            "I6": "DELETE FROM partner_loyalty_allocation",
            "I6b": "UPDATE partner_loyalty_entry SET amount_open = -10 WHERE type = 'payout'",
            "I7": """INSERT INTO partner_loyalty_entry (account_id, sequence, program_id, company_id, type, amount,
                            amount_open, origin_model, origin_id, period_start, revision, contribution_date, date,
                            mature_date, prior_period, reverses_id, posted_at, user_id)
                     SELECT account_id, 99, program_id, company_id, 'payout_return', 2 * -amount, 0, origin_model,
                            origin_id, period_start, 7, contribution_date, date, mature_date, false, id, posted_at,
                            user_id FROM partner_loyalty_entry WHERE type = 'payout'""",
            "I8": "UPDATE partner_loyalty_payout SET amount = amount + 1",
            "I8b": "UPDATE account_move SET state = 'posted', amount_untaxed = 1 WHERE loyalty_payout_id IS NOT NULL",
            "I9": "UPDATE partner_loyalty_payout SET decided_by_id = submitted_by_id",
            "I8f": "UPDATE partner_loyalty_claim SET state = 'canceled'",
            "I8g": "UPDATE partner_loyalty_claim SET quantity = 2",
            "I8h": "UPDATE partner_loyalty_claim SET mdf_settled_amount = mdf_settled_amount - 1 WHERE kind = 'mdf'",
            "I8i": "UPDATE partner_loyalty_fund SET budget = 39",
            "I9e": "UPDATE partner_loyalty_claim SET decided_by_id = requested_by_id",
            "I10": "UPDATE partner_loyalty_entry SET sequence = sequence + 10 WHERE type = 'payout'",
            "I12": "UPDATE partner_loyalty_tier_period SET date_to = date_to - 1",
            "I12b": """UPDATE partner_loyalty_tier_period SET evidence = '{"outcome": "deserved", "value": "1"}'""",
            "I13": """UPDATE partner_loyalty_entry SET explanation = explanation || '{"rate": "11"}'
                       WHERE type = 'accrual'""",
            "I14": "UPDATE partner_loyalty_entry SET lock_date = date",
            "I15": "UPDATE partner_loyalty_entry SET amount = amount + 1 WHERE type = 'accrual'",
        }.items():
            with self.subTest(code=code):
                self.assertIn(code, self._find(SQL(fault.replace("%", "%%"))))

    def test_a_line_of_another_program_or_company_is_found(self):
        fault = SQL("UPDATE partner_loyalty_entry SET program_id = %s", self.other_program.id)
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute("ALTER TABLE partner_loyalty_entry DISABLE TRIGGER USER")
            self.env.cr.execute(fault)
            found = self.env["partner.loyalty.invariant"]._find_violations()
            savepoint.rollback()
        self.assertIn("I11", {invariant.code for invariant, ids in found if ids})

    def test_an_earning_whose_document_is_gone_is_found(self):
        fault = SQL(
            "UPDATE partner_loyalty_entry SET origin_id = 2000000000 WHERE type = 'accrual' AND origin_id = %s",
            self.invoice.id,
        )
        self.assertEqual(self._find(fault), {"I16"})

    def test_nothing_is_found_where_nothing_is_wrong(self):
        self.assertEqual(self._find(SQL("SELECT 1")), set())

    # === REPORTS ===#

    def _break(self):
        self.env.cr.execute("UPDATE partner_loyalty_account SET balance = balance + 1")
        self.env.invalidate_all()
        self.addCleanup(self.env.invalidate_all)
        self.addCleanup(self.env.cr.execute, "UPDATE partner_loyalty_account SET balance = balance - 1")

    def _check(self, user):
        action = self.program.with_user(self.users[user]).action_check()
        return self.env["partner.loyalty.check"].browse(action["res_id"])

    def test_the_button_shows_a_report_of_every_invariant(self):
        check = self._check("manager")
        self.assertRecordValues(check, [{"state": "ok", "failed_count": 0, "program_id": self.program.id}])
        self.assertGreaterEqual(len(check.line_ids), 16)
        self.assertFalse(check.activity_ids)

    def test_officers_and_accountants_check_nothing(self):
        for role in ("officer", "accountant"):
            with self.subTest(role=role), self.assertRefused("", AccessError):
                self._check(role)

    def test_what_is_wrong_is_named_and_shown_and_asks_the_administrators(self):
        self._break()
        check = self._check("manager")
        wrong = check.line_ids.filtered("count")
        self.assertEqual(wrong.mapped("code"), ["I2"])
        self.assertEqual(sorted(wrong.res_ids), sorted(self.member.account_ids.ids))
        self.assertEqual(wrong.action_open_records()["domain"], [("id", "in", wrong.res_ids)])
        self.assertIn(self.users["administrator"], check.activity_ids.user_id)
        self.assertNotIn(self.users["manager"], check.activity_ids.user_id)

    def test_a_check_of_one_program_leaves_the_others_out(self):
        self._break()
        accounts = self._check("manager").line_ids.filtered("count").res_ids
        self.assertFalse(set(accounts) & set(self.other_member.account_ids.ids))

    def test_the_nightly_check_covers_all_and_forgets_old_reports(self):
        Check = self._as_cron("partner.loyalty.check")
        old = Check.create({"date": fields.Datetime.now() - timedelta(days=91)})
        Check._cron_check()
        self.assertFalse(old.exists())
        self.assertEqual(Check.search([], limit=1).program_id.ids, [])
