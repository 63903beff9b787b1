from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestMonthEnd(PartnerLoyaltyCommon):
    """May is closed; then its past moves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.region = cls.env["res.country.state"].create(
            {"name": "West", "code": "WST", "country_id": cls.env.ref("base.be").id}
        )
        cls.dealer.write({"country_id": cls.region.country_id.id, "state_id": cls.region.id})
        cls.program = cls._create_program(
            [
                {"kind": "order", "name": "Orders", "rate": 1},
                {"name": "Invoices", "rate": 10},
                {"name": "West", "rate": 2, "domain": f"[('partner_id.state_id', '=', {cls.region.id})]"},
            ]
        )
        cls.member = cls._enroll(cls.program, cls.dealer)
        with freeze_time("2026-05-20 10:00:00"):
            cls.order = cls._create_order(cls.dealer, 500, date="2026-04-15")
            cls.invoice = cls._create_sale_invoice(cls.dealer, 1000, date="2026-05-10")
            cls.untouched = cls._create_sale_invoice(cls.dealer, 300, date="2026-05-12")
            cls._answer_marks()
        with freeze_time("2026-06-02 10:00:00"):
            cls.program.lock_date = "2026-05-31"

    def _get_may(self):
        """Return the statement up to the end of May, as it reads today."""
        lines = self._get_entries(self.member).filtered(lambda entry: entry.date <= self._day("2026-05-31"))
        return [(line.sequence, line.date, line.amount, line.explanation_text) for line in lines]

    def _get_may_liability(self):
        return self.program._get_liability(self._day("2026-05-31"))

    @freeze_time("2026-06-10 10:00:00")
    def test_what_happens_after_the_close_leaves_may_as_it_was(self):
        before, liability = self._get_may(), self._get_may_liability()
        self.assertEqual([line[2] for line in before], [100, 30, 20, 6, 5])

        self.order._action_cancel()
        self.invoice.button_draft()
        self.invoice.invoice_line_ids = [Command.update(self.invoice.invoice_line_ids.id, {"price_unit": 800})]
        self.invoice.action_post()
        self._answer_documents()
        self.dealer.state_id = False
        self.assertFalse(self.env["partner.loyalty.touch"].sudo().search([]), "A region is no document.")

        self.assertEqual(self._get_may(), before)
        self.assertEqual(self._get_may_liability(), liability)

    @freeze_time("2026-06-10 10:00:00")
    def test_june_shows_the_changes_of_documents_as_prior_period_with_their_cause(self):
        self.order._action_cancel()
        self.invoice.button_draft()
        self.invoice.invoice_line_ids = [Command.update(self.invoice.invoice_line_ids.id, {"price_unit": 800})]
        self.invoice.action_post()
        june = self._answer_documents()
        self.assertRecordValues(
            june.sorted(lambda entry: (entry.origin_model, entry.amount)),
            [
                {"amount": -20, "prior_period": True, "date": self._day("2026-06-10"), "lock_date": self._may_end()},
                {"amount": -4, "prior_period": True, "date": self._day("2026-06-10"), "lock_date": self._may_end()},
                {"amount": -5, "prior_period": True, "date": self._day("2026-06-10"), "lock_date": self._may_end()},
            ],
        )
        causes = june.sorted(lambda entry: (entry.origin_model, entry.amount)).mapped("explanation_text")
        self.assertIn("The document was changed", causes[0])
        self.assertIn("The document does not count any more", causes[2])

    def _may_end(self):
        return self._day("2026-05-31")

    @freeze_time("2026-06-10 10:00:00")
    def test_a_change_of_region_posts_nothing_and_waits_where_it_lies_after_the_lock(self):
        june = self._create_sale_invoice(self.dealer, 100, date="2026-06-05")
        self._answer_documents()
        self.dealer.state_id = False
        posted = self._get_entries(self.member)
        differences = self._compare(self.program)
        self.assertEqual(self._get_entries(self.member), posted)
        self.assertRecordValues(
            differences, [{"origin_id": june.id, "amount": -2, "cause": "gone", "posted": 2, "target": 0}]
        )

    @freeze_time("2026-06-10 10:00:00")
    def test_a_document_that_is_touched_after_a_change_of_region_is_answered_and_the_others_are_not(self):
        self.dealer.state_id = False
        self.untouched.button_draft()
        self.untouched.action_post()
        self.assertRecordValues(self._answer_documents(), [{"amount": -6, "prior_period": True}])

    def test_a_line_never_lands_in_a_period_that_is_locked_meanwhile(self):
        entry = self._post_entry(self.member, 10, date="2026-05-20", contribution_date="2026-05-20")
        self.assertRecordValues(entry, [{"date": self._day("2026-06-01"), "prior_period": True}])
