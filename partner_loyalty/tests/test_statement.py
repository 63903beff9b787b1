"""The statement of a member over some days: figures that add up, causes, language, paper."""

import io
from decimal import Decimal

from lxml import html
from pypdf import PdfReader

from odoo.exceptions import UserError
from odoo.fields import Command, Date
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from ..const import ENTRY_TYPES
from ..models.partner_loyalty_member_statement import STATEMENT_GROUPS
from .common import PartnerLoyaltyCommon
from .common_portal import HOSTILE

FIRST, LAST = Date.to_date("2026-03-01"), Date.to_date("2026-03-31")


@tagged("post_install", "-at_install")
class TestStatement(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "accountant", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"rate": 10}], tiers=[("Silver", 0)])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.env["ir.config_parameter"].sudo().set_param("report.url", "http://127.0.0.1:9")

    def _fill(self):
        """February leaves 50; March brings 100, takes back 20, corrects by 5, and pays 40 out."""
        with freeze_time("2026-02-10 10:00:00"):
            self._post_entry(self.member, 50)
        with freeze_time("2026-03-05 10:00:00"):
            self._post_entry(self.member, 100)
            self._post_entry(self.member, -20)
            self._post_entry(self.member, 5, entry_type="adjustment")
            self._post_entry(self.member, 30, unit="point")
        with freeze_time("2026-03-31 10:00:00"):
            payout = self._create_payout(self.member, date="2026-03-31")
            payout.action_submit()
        with freeze_time("2026-04-01 10:00:00"):
            self._post_entry(self.member, 7)
        return payout

    def _get_unit(self, unit="money", first=FIRST, last=LAST):
        units = {section["unit"]: section for section in self.member._get_statement(first, last)["units"]}
        return units.get(unit)

    def test_every_type_of_line_is_in_one_group(self):
        grouped = [name for types in STATEMENT_GROUPS.values() for name in types]
        self.assertEqual(sorted(grouped), sorted(name for name, _label in ENTRY_TYPES))
        self.assertEqual(set(STATEMENT_GROUPS), set(self.member._get_statement_labels()))

    def test_opening_groups_and_closing_add_up_and_so_do_the_lines(self):
        payout = self._fill()
        money = self._get_unit()
        self.assertEqual(money["opening"], 50)
        self.assertEqual(
            money["groups"], [("earned", 100), ("taken", -20), ("corrected", 5), ("paid", -Decimal(str(payout.amount)))]
        )
        self.assertEqual(money["closing"], 0)
        self.assertEqual(float(money["opening"]) + sum(money["lines"].mapped("amount")), money["closing"])
        self.assertEqual(self._get_unit("point")["closing"], 30)

    def test_the_next_statement_opens_with_what_the_last_one_closed_with(self):
        self._fill()
        february = self._get_unit(first=Date.to_date("2026-02-01"), last=Date.to_date("2026-02-28"))
        april = self._get_unit(first=Date.to_date("2026-04-01"), last=Date.to_date("2026-04-30"))
        self.assertEqual((february["opening"], february["closing"]), (0, 50))
        self.assertEqual((april["opening"], april["closing"]), (self._get_unit()["closing"], 7))

    def test_what_is_open_without_a_line_in_these_days_is_shown_and_nothing_else(self):
        self._fill()
        units = self.member._get_statement(Date.to_date("2026-05-01"), Date.to_date("2026-05-31"))["units"]
        self.assertEqual([(section["unit"], section["closing"]) for section in units], [("point", 30), ("money", 7)])

    def test_rewards_that_were_asked_for_or_are_still_to_be_had_are_named(self):
        self._post_entry(self.member, 30, unit="point")
        reward = self.env["partner.loyalty.reward"].create(
            {"name": "Pen", "program_id": self.program.id, "product_id": self.thing.id, "point_cost": 10}
        )
        claims = self.env["partner.loyalty.claim"].create([{"reward_id": reward.id, "member_id": self.member.id}] * 3)
        claims[:2].action_request()
        claims[0].action_cancel()
        self.assertEqual(self.member._get_statement(FIRST, LAST)["claims"], claims[:2])
        later = self.member._get_statement(Date.to_date("2026-06-01"), Date.to_date("2026-06-30"))["claims"]
        self.assertEqual(later, claims[1])

    def _open(self, user="officer", **values):
        statements = self.env["partner.loyalty.statement"].with_user(self.users[user])
        values = {"member_ids": [Command.set(self.member.ids)], "date_from": FIRST, "date_to": LAST, **values}
        return statements.create(values)

    def _print(self, statement):
        report = self.env["ir.actions.report"].with_user(statement.env.user).with_context(force_report_rendering=True)
        with self.allow_pdf_render():
            pdf, kind = report._render_qweb_pdf(
                "partner_loyalty.partner_loyalty_statement_report_action", statement.ids
            )
        self.assertEqual(kind, "pdf")
        return PdfReader(io.BytesIO(pdf))

    def _read(self, pdf):
        return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())

    def test_hostile_names_are_text_on_paper(self):
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        statement, report = self._open(), self.env["ir.actions.report"].with_user(self.users["officer"])
        for name in HOSTILE[:-1]:
            with self.subTest(name=name):
                self.dealer.name = self.program.name = name
                content, _kind = report._render_qweb_html(
                    "partner_loyalty.partner_loyalty_statement_report_action", statement.ids
                )
                page = html.fromstring(content)
                self.assertIn(" ".join(name.split()), " ".join(page.text_content().split()))
                self.assertFalse(page.xpath("//img[@onerror]"))
                self.assertNotIn("alert(1)", " ".join(page.xpath("//script/text()")))

    def test_on_paper_with_the_cause_of_each_line(self):
        self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        text = self._read(self._print(self._open()))
        for words in (
            "Dealer",
            "Dealer Club",
            "Opening balance",
            "Earned",
            "Closing balance",
            "10.00",
            "10 % of 100.00",
        ):
            with self.subTest(words=words):
                self.assertIn(words, text)

    def test_in_the_language_of_the_partner_on_the_paper_of_the_company(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        self.env["ir.module.module"]._load_module_terms(["partner_loyalty"], ["uk_UA"])
        self.dealer.lang = "uk_UA"
        self._fill()
        for name, width in (("base.paperformat_euro", 595), ("base.paperformat_us", 612)):
            self.company.paperformat_id = self.env.ref(name)
            pdf = self._print(self._open())
            with self.subTest(name):
                self.assertEqual(round(float(pdf.pages[0].mediabox.width)), width)
                self.assertIn("Початковий", self._read(pdf))

    def test_the_statements_of_many_are_printed_together_each_on_its_own_pages(self):
        other = self._enroll(self.program, self.referrer)
        self._fill()
        self._post_entry(other, 3)
        statement = self._open(member_ids=[Command.set((self.member + other).ids)])
        self.assertFalse(statement.preview)
        pdf = self._print(statement)
        self.assertGreaterEqual(len(pdf.pages), 2)
        self.assertNotIn("Referrer", pdf.pages[0].extract_text())

    def test_the_dialog_shows_the_same_figures(self):
        self._fill()
        preview = self._open("accountant").preview
        self.assertIn("Closing balance", preview)
        self.assertIn("Cause of an entry", preview)

    def test_days_the_wrong_way_round_and_nobody_are_refused(self):
        with self.assertRefused("choose a later last day"):
            self._open(date_from=LAST, date_to=FIRST).action_print()
        with self.assertRefused("Choose the members"):
            self._open(member_ids=[Command.clear()]).action_print()

    def test_a_salesperson_prints_nothing(self):
        with self.assertRefused("", UserError):
            self._open("salesperson")

    def test_the_statements_of_all_add_up_to_the_ledger(self):
        others = self._enroll(self.program, self.referrer, self.stranger)
        self._fill()
        for member, amount in zip(others, (12.34, -5), strict=True):
            self._post_entry(member, amount)
        total = Decimal(0)
        for member in self.member + others:
            total += sum(section["closing"] for section in member._get_statement(FIRST, LAST)["units"])
        self.env.flush_all()
        ledger = self.env.execute_query(
            SQL(
                "SELECT SUM(amount)::text FROM partner_loyalty_entry WHERE program_id = %s AND date <= %s",
                self.program.id,
                LAST,
            )
        )
        self.assertEqual(total, Decimal(ledger[0][0]))
