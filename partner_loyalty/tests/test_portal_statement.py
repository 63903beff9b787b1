"""The statement of a member in the portal: lines with their causes, found by what they are about, fast and on paper."""

from unittest.mock import patch

from odoo.fields import Date
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from ..const import NO_PERIOD
from .common_portal import HOSTILE, PortalCommon

CONTROLLER = "odoo.addons.partner_loyalty.controllers.portal_statement"


@tagged("post_install", "-at_install")
class TestPortalStatement(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"/my/loyalty/{cls.program.id}/statement"
        cls.env["ir.config_parameter"].sudo().set_param("report.url", "http://127.0.0.1:9")

    def _fill(self, count, member=None, unit="money"):
        """Post so many lines at once, each about a cause of its own."""
        account = (member or self.member)._get_account(unit)
        causes = self.env["res.partner"].create({"name": "Many causes"})
        self.env["partner.loyalty.entry"]._post(
            SQL(
                """
                SELECT %(account)s AS account_id, 'accrual' AS type, 1 AS amount, NULL::integer AS rule_id,
                       'res.partner' AS origin_model, %(cause)s AS origin_id, %(period)s::date AS period_start,
                       number AS revision, %(day)s::date AS contribution_date, %(day)s::date AS date,
                       %(day)s::date AS mature_date, NULL::date AS expiry_date, NULL::integer AS idle_months,
                       NULL::integer AS reverses_id, NULL::varchar AS external_ref,
                       '{"reason": "Fair"}'::jsonb AS explanation
                  FROM generate_series(1, %(count)s) number
                """,
                account=account.id,
                cause=causes.id,
                period=NO_PERIOD,
                day=Date.to_date("2026-03-10"),
                count=count,
            )
        )
        self.env["partner.loyalty.allocation"]._settle(account.ids)

    def _get_lines(self, page):
        return [self._read(line, "o_loyalty_line") for line in page.xpath("//li[contains(@class, 'o_loyalty_line')]")]

    def _find(self, role="owner", **filters):
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self._get_lines(self._open(f"{self.url}?{query}", role))

    # === LINES AND CAUSES ===#

    def test_each_line_says_where_it_comes_from(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._answer_documents()
        page = self._open(self.url, "owner")
        text = self._read(page, "o_loyalty_line")
        for part in (invoice.name, "03/18/2026", "Earned", "10 % of 100.00", "Commission", "+", "10.00"):
            self.assertIn(part, text)
        self.assertIn("10.00", self._read(page, "o_loyalty_balance"))

    def test_what_is_ready_or_expires_later_says_so(self):
        self._post_entry(self.member, 5, mature_date=Date.to_date("2026-04-17"), expiry_date=Date.to_date("2026-12-31"))
        text = self._find()[0]
        self.assertIn("Ready from 04/17/2026", text)
        self.assertIn("Expires after 12/31/2026", text)

    def test_without_lines_it_says_what_will_stand_there(self):
        self.assertIn("Nothing came or went yet", self._read(self._open(self.url, "owner")))

    def test_it_opens_with_the_unit_in_which_something_happened(self):
        self._post_entry(self.member, 7, unit="point")
        self.assertIn("+ 7 points", self._find()[0])

    # === FILTERS ===#

    def test_lines_are_found_by_unit_group_and_days(self):
        with freeze_time("2026-02-10 10:00:00"):
            self._post_entry(self.member, 50)
        self._post_entry(self.member, 60)
        self._post_entry(self.member, -5)
        self._post_entry(self.member, 7, unit="point")
        self.assertEqual(len(self._find()), 3)
        self.assertEqual(len(self._find(unit="point")), 1)
        self.assertEqual(len(self._find(group="earned")), 2)
        self.assertEqual(len(self._find(group="taken")), 1)
        self.assertIn("50.00", self._find(date_to="2026-02-28")[0])
        self.assertEqual(len(self._find(date_from="2026-03-01", group="earned")), 1)
        self.assertEqual(len(self._find(date_from="2026-03-18", date_to="2026-03-18")), 2)

    def test_lines_are_found_by_document_rule_and_reason(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        self._create_sale_invoice(self.dealer, 200)
        self._answer_documents()
        self._fill(1)
        self.assertEqual(len(self._find()), 3)
        self.assertEqual(len(self._find(search=invoice.name)), 1)
        self.assertEqual(len(self._find(search="commISsion")), 2)
        self.assertEqual(len(self._find(search="fair")), 1)
        self.assertFalse(self._find(search="nothing like it"))
        self.assertFalse(self._find(search="%"))

    def test_documents_of_others_are_not_found(self):
        other = self._create_sale_invoice(self.stranger, 100)
        self._fill(3)
        self.assertFalse(self._find(search=other.name))

    def test_nonsense_is_answered_with_a_sentence(self):
        self._fill(2)
        page = self._open(f"{self.url}?date_from=yesterday", "owner")
        self.assertIn("“yesterday” is not a day", self._read(page, "alert-danger"))
        page = self._open(f"{self.url}?date_from=2026-03-02&date_to=2026-03-01")
        self.assertIn("ends after it begins", self._read(page, "alert-danger"))
        for query in (
            "unit=gold",
            "group=nothing",
            "before=abc",
            "after=-1",
            "before=99999999999999999999",
            "date_from=0001-01-01&date_to=9999-12-31",
            "search=%00",
        ):
            with self.subTest(query=query):
                self.assertEqual(len(self._get_lines(self._open(f"{self.url}?{query}"))), 2)

    # === PAGES ===#

    def test_older_and_newer_lines_are_on_pages(self):
        self._fill(45)
        self._log_in("owner")

        def go(page, rel):
            return self._open(page.xpath(f"//nav[@class='o_loyalty_pages']/a[@rel='{rel}']/@href")[0])

        def get_numbers(page):
            ids = page.xpath("//li[contains(@class, 'o_loyalty_line')]/@id")
            return [int(number.removeprefix("line-")) for number in ids]

        first = self._open(self.url)
        second = go(first, "next")
        third = go(second, "next")
        self.assertEqual(get_numbers(first), list(range(45, 25, -1)))
        self.assertEqual(get_numbers(second), list(range(25, 5, -1)))
        self.assertEqual(get_numbers(third), list(range(5, 0, -1)))
        self.assertFalse(first.xpath("//a[@rel='prev']"))
        self.assertFalse(third.xpath("//a[@rel='next']"))
        self.assertEqual(get_numbers(go(third, "prev")), get_numbers(second))
        self.assertEqual(get_numbers(go(go(third, "prev"), "prev")), get_numbers(first))

    def test_a_page_asks_as_little_of_many_lines_as_of_few(self):
        self._fill(30)
        self._log_in("owner")
        self._open(self.url)
        with self._record_queries() as few:
            self._open(self.url)
        self._fill(3000)
        self.env.cr.execute("ANALYZE partner_loyalty_entry")
        self._open(self.url)
        with self._record_queries() as many:
            page = self._open(self.url)
        self.assertEqual(len(self._get_lines(page)), 20)
        self.assertEqual(len(many), len(few))
        Entry = self.env["partner.loyalty.entry"].sudo()
        query = Entry._search(self.member.sudo()._get_statement_lines("money"), order="sequence desc", limit=21)
        plan = self.env.execute_query(SQL("EXPLAIN %s", query.select()))
        text = "\n".join(row[0] for row in plan)
        self.assertIn("account_sequence_unique", text)
        self.assertNotIn("Sort", text)

    # === RIGHTS ===#

    def test_sales_see_points_and_no_money(self):
        self._post_entry(self.member, 12.5)
        self._post_entry(self.member, 7, unit="point")
        page = self._open(f"{self.url}?unit=money", "sales")
        self.assertIn("+ 7 points", self._read(page, "o_loyalty_line"))
        self.assertNotIn("12.50", page.text_content())
        self.assertFalse(page.xpath("//a[contains(@href, 'unit=money')]"))

    def test_finance_sees_both(self):
        self._post_entry(self.member, 12.5)
        self.assertIn("12.50", self._find("finance", unit="money")[0])

    # === PDF ===#

    def _print(self, role="owner", **days):
        query = "&".join(f"{name}={value}" for name, value in days.items())
        self._log_in(role)
        response = self.url_open(f"{self.url}/pdf?{query}", allow_redirects=False)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        return response.text

    def test_the_pdf_is_about_the_days_that_were_chosen(self):
        with freeze_time("2026-02-10 10:00:00"):
            self._post_entry(self.member, 50)
        self._post_entry(self.member, 60.25)
        text = self._print(date_from="2026-03-01", date_to="2026-03-31")
        for part in ("Opening balance", "50.00", "60.25", "110.25"):
            self.assertIn(part, text)
        february = self._print()
        self.assertNotIn("60.25", february)

    def test_the_pdf_of_sales_is_about_points(self):
        self._post_entry(self.member, 60.25)
        self._post_entry(self.member, 7, unit="point")
        text = self._print("sales", date_from="2026-03-01")
        self.assertIn("Points, line by line", text)
        self.assertNotIn("60.25", text)

    def test_too_many_lines_for_a_pdf_are_refused_with_what_to_do(self):
        self._fill(3)
        self._log_in("owner")
        with patch(f"{CONTROLLER}.MAX_PRINTED", 2):
            response = self.url_open(f"{self.url}/pdf?date_from=2026-03-01", allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("choose fewer days", self._read(self._open(self.url), "alert-danger"))
        self.assertFalse(self._read(self._open(self.url), "alert-danger"))

    # === HOSTILE TEXTS ===#

    def test_hostile_texts_are_text(self):
        for text in HOSTILE:
            with self.subTest(text=text[:30]):
                partner = self._create_partner(name=text)
                self._post_entry(self.member, 1, origin=partner, explanation={"reason": text})
                page = self._open(self.url, "owner")
                self.assertIn(" ".join(text.split()), self._find()[0])
                self.assertFalse(page.xpath("//img[@onerror]"))
                self._print(date_from="2026-03-01")
