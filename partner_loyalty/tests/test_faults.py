"""What goes wrong around the ledger: clocks, servers, time limits, and records that somebody takes away."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import RecordCapturer, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models import ir_actions_report
from odoo.addons.base.models.ir_mail_server import IrMail_Server
from odoo.addons.partner_loyalty.models.partner_loyalty_engine import PartnerLoyaltyEngine

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestFaults(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}, {"name": "Points", "unit": "point"}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    # === CLOCK ===#

    def test_a_clock_that_is_set_back_changes_neither_order_nor_sums(self):
        with freeze_time("2026-03-20 10:00:00"):
            self._create_sale_invoice(self.dealer, 100, date="2026-03-20")
            self._answer_documents()
        with freeze_time("2026-03-15 10:00:00"):
            self._create_sale_invoice(self.dealer, 50, date="2026-03-15")
            self._answer_documents()
        entries = self._get_entries(self.member)
        self.assertRecordValues(
            entries,
            [
                {"sequence": 1, "amount": 10, "date": self._day("2026-03-20")},
                {"sequence": 2, "amount": 5, "date": self._day("2026-03-15")},
            ],
        )
        self.assertInLine(self.program)

    def test_a_sale_on_the_29_february_expires_a_year_later_on_the_28(self):
        self.program.write({"expiry_kind": "months", "expiry_months": 12, "date_from": "2024-01-01"})
        self.member.period_ids.date_from = "2024-01-01"
        with freeze_time("2024-02-29 10:00:00"):
            self._create_sale_invoice(self.dealer, 100, date="2024-02-29")
            self._answer_documents()
        self.assertEqual(self._get_entries(self.member, "point").expiry_date, self._day("2025-02-28"))

    # === SERVERS ===#

    def test_without_a_mail_server_mails_wait_and_the_ledger_stands(self):
        self.dealer.email = "dealer@example.com"
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        with RecordCapturer(self.env["mail.mail"]) as captured:
            payout = self._approve_payout(self.member)
            payout.message_post(body="Approved", partner_ids=self.dealer.ids)
        mails = captured.records
        refused = patch.object(IrMail_Server, "_connect__", side_effect=OSError("No mail server"))
        with refused as connect, mute_logger("odoo.addons.mail.models.mail_mail"):
            mails.send()
        connect.assert_called()
        self.assertEqual(set(mails.mapped("state")), {"exception"})
        self.assertEqual(payout.state, "approved")
        self.assertEntries(self.member, [10, -10])

    def test_without_a_renderer_the_statement_is_refused_with_a_message_and_the_ledger_stands(self):
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        payout = self._submit_payout(self.member)
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        missing = patch.object(ir_actions_report.IrActionsReport, "get_wkhtmltopdf_state", return_value="install")
        with self.allow_pdf_render(), missing, self.assertRaisesRegex(UserError, "Wkhtmltopdf"):
            report._render_qweb_pdf("partner_loyalty.partner_loyalty_payout_report_action", payout.ids)
        self.assertEntries(self.member, [10, -10])

    # === LIMITS ===#

    def test_a_rule_that_runs_into_a_time_limit_is_noted_and_the_others_go_on(self):
        slow = self.program.rule_ids[0]
        reconcile = PartnerLoyaltyEngine._reconcile

        def run_into_limit(rule, scope):
            result = reconcile(rule, scope)
            if rule == slow:
                rule.env.cr.execute("SET LOCAL statement_timeout = 20")
                rule.env.cr.execute("SELECT pg_sleep(2)")
            return result

        invoice = self._create_sale_invoice(self.dealer, 100)
        with (
            patch.object(PartnerLoyaltyEngine, "_reconcile", run_into_limit),
            mute_logger("odoo.sql_db", "odoo.addons.partner_loyalty.models.partner_loyalty_rule"),
        ):
            self._answer_marks()
        self.assertIn("timeout", slow.error)
        self.assertEntries(self.member, [])
        self.assertEntries(self.member, [10], unit="point")
        self.assertRecordValues(
            self._as_cron("partner.loyalty.touch").search([]), [{"res_id": invoice.id, "rule_id": slow.id}]
        )
        slow.error = False
        self._answer_documents()
        self.assertEntries(self.member, [10])

    # === RECORDS TAKEN AWAY ===#

    def test_a_user_whose_postings_stand_is_not_deleted_but_can_be_archived(self):
        user = new_test_user(self.env, "leaving_officer", "partner_loyalty.partner_loyalty_group_officer")
        entry = self.env["partner.loyalty.entry"].with_user(user).sudo()
        vals = entry._prepare_entry_vals(self.member._get_account("money"), "accrual", 3, self.stranger)
        entry._post_vals([vals])
        with self.assertRefused("Statement Line"):
            user.unlink()
        user.active = False
        self.assertEntries(self.member, [3])

    def test_products_archived_after_the_sale_change_nothing(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        self.thing.active = False
        self.assertFalse(self._compare(self.program))
        self._credit(invoice, 40)
        self._answer_documents()
        self.assertEntries(self.member, [10, -4])

    def test_the_sales_of_an_archived_company_are_answered_and_its_balances_expire(self):
        self.program.write({"expiry_kind": "months", "expiry_months": 1, "expiry_of_money": True})
        self._create_sale_invoice(self.dealer, 100)
        other = self.env["res.company"].create({"name": "Goes On"})
        users = self.env["res.users"].with_context(active_test=False).search([("company_id", "=", self.company.id)])
        users.write({"company_ids": [Command.link(other.id)], "company_id": other.id})
        self.company.active = False
        self._answer_marks()
        with self._in_days(60), self.enter_registry_test_mode():
            self.env.ref("partner_loyalty.ir_cron_expire").method_direct_trigger()
        # Users do not see an archived company any more.
        entries = (
            self.env["partner.loyalty.entry"].sudo().search([("member_id", "=", self.member.id)], order="sequence")
        )
        self.assertEqual(entries.filtered(lambda entry: entry.unit == "money").mapped("amount"), [10, -10])

    # === REPLAYS ===#

    def test_the_same_import_a_month_later_adds_nothing(self):
        vals = {
            "member_id": self.member.id,
            "kind": "opening",
            "unit": "point",
            "amount": 50,
            "date": "2026-03-01",
            "reason": "Old system",
            "external_ref": "OLD-1",
        }
        adjustments = self.env["partner.loyalty.adjustment"].with_user(self.users["officer"])
        adjustment = adjustments.create(vals)
        adjustment.action_request()
        adjustment.with_user(self.users["manager"]).action_approve()
        with self._in_days(30):
            self.assertEqual(adjustments.create(vals), adjustment)
        self.assertEntries(self.member, [50], unit="point")
