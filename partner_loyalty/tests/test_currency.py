from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestYen(PartnerLoyaltyCommon):
    """A currency without decimals."""

    currency_code = "JPY"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def test_money_is_whole_and_halves_go_away_from_zero(self):
        for amount, expected in ((12345, 1235), (12344, 1234), (4, None), (5, 1)):
            with self.subTest(amount=amount):
                self._create_sale_invoice(self.dealer, amount)
                self.assertEqual(self._answer_documents().mapped("amount"), [expected] if expected else [])

    def test_halves_of_what_is_taken_back_go_away_from_zero_as_well(self):
        self._create_sale_invoice(self.dealer, 5, move_type="out_refund")
        self.assertEqual(self._answer_documents().mapped("amount"), [-1])

    def test_a_share_that_pays_a_debt_is_whole(self):
        self.program.recovery_share = 50
        self._post_entry(self.member, -100)
        self._create_sale_invoice(self.dealer, 150)
        self._answer_documents()
        self.assertEqual(self.member.money_available, 7, "Of 15, half is 8.")

    def test_a_payout_is_whole(self):
        self._create_sale_invoice(self.dealer, 12345)
        self._answer_documents()
        bill = self._bill_payout(self.member).bill_id
        self.assertEqual((bill.amount_untaxed, bill.currency_id.name), (1235, "JPY"))


@tagged("post_install", "-at_install")
class TestDinar(PartnerLoyaltyCommon):
    """A currency with three decimals."""

    currency_code = "KWD"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)

    def test_money_has_three_decimals_down_to_the_bill(self):
        self.env["decimal.precision"].search([("name", "=", "Product Price")]).digits = 3
        invoice = self._create_sale_invoice(self.dealer, 10.005, 0.25)
        self.assertEqual(invoice.amount_untaxed, 10.255)
        self.assertEqual(self._answer_documents().mapped("amount"), [1.026])
        bill = self._bill_payout(self.member).bill_id
        self.assertEqual((bill.amount_untaxed, bill.currency_id.name), (1.026, "KWD"))


@tagged("post_install", "-at_install")
class TestForeignDocument(PartnerLoyaltyCommon):
    """Documents in another currency than the company's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollar = cls.setup_other_currency("USD", rates=[("2016-01-01", 1.25)])
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.invoice = cls._create_sale_invoice(cls.dealer, 125, date="2026-03-10", currency_id=cls.dollar.id)

    def test_the_line_keeps_the_amount_the_currency_and_the_rate_of_the_document(self):
        entry = self._answer_documents()
        self.assertEqual(entry.amount, 10)
        facts = {name: entry.explanation[name] for name in ("base", "currency", "document_base", "exchange_rate")}
        self.assertEqual(facts, {"base": "100", "currency": "USD", "document_base": "125", "exchange_rate": "1.25"})
        text = entry.explanation_text.replace("\N{NO-BREAK SPACE}", " ")
        self.assertIn("10 % of 100.00 € (125 USD at a rate of 1.25)", text)

    def test_a_rate_that_changes_later_changes_nothing(self):
        self._answer_documents()
        self.dollar.rate_ids.rate = 2
        self.env["partner.loyalty.touch"]._mark(self.invoice)
        self.assertFalse(self._answer_documents())
        self.assertFalse(self._compare(self.program))

    def test_a_document_in_the_currency_of_the_company_has_no_rate(self):
        self._answer_documents()
        self._create_sale_invoice(self.dealer, 50)
        self.assertNotIn("currency", self._answer_documents().explanation)


@tagged("post_install", "-at_install")
class TestBranch(PartnerLoyaltyCommon):
    """A branch is a company of its own: what it sells earns in its own programs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.company.id})
        cls.env.user.company_ids += cls.branch
        cls.users["manager"].company_ids += cls.branch
        cls.users["officer"].company_ids += cls.branch
        cls.env.cr.precommit.run()
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": (cls.company + cls.branch).ids})
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.branch_program = cls._create_program([{"rate": 20}], name="Branch Club", company_id=cls.branch.id)
        cls.branch_member = cls._enroll(cls.branch_program, cls.dealer)

    def test_a_sale_of_a_branch_earns_in_the_program_of_the_branch_alone(self):
        self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 100, company_id=self.branch.id)
        self._answer_documents()
        self.assertEntries(self.member, [10])
        self.assertEntries(self.branch_member, [20])
        self.assertEqual(self._get_entries(self.branch_member).company_id, self.branch)

    def test_a_payout_of_a_branch_is_billed_in_the_branch_by_the_journal_of_its_parent(self):
        self._create_sale_invoice(self.dealer, 100, company_id=self.branch.id)
        self._answer_documents()
        bill = self._approve_payout(self.branch_member).bill_id
        self.assertEqual((bill.company_id, bill.amount_untaxed), (self.branch, 20))
