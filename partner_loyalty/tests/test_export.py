"""What leaves the app as a file: hostile texts stay texts in spreadsheets."""

import csv
import io
import json

import openpyxl

from odoo import http
from odoo.tests import tagged

from .common_portal import HOSTILE, PortalCommon

FORMULAS = ('=HYPERLINK("http://example.com")', "@SUM(1)", "\t=1+1")


@tagged("post_install", "-at_install")
class TestExport(PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["manager"].group_ids |= cls.env.ref("base.group_allow_export")

    def _export(self, records, file_format, *names):
        """Export as the button of a list does, and return the content of the file."""
        self._log_in("manager")
        data = {
            "model": records._name,
            "ids": records.ids,
            "domain": [],
            "groupby": [],
            "fields": [{"name": name, "label": name, "type": records._fields[name].type} for name in names],
            "import_compat": False,
        }
        form = {"data": json.dumps(data), "csrf_token": http.Request.csrf_token(self)}
        response = self.url_open(f"/web/export/{file_format}", data=form)
        self.assertEqual(response.status_code, 200)
        return response.content

    def _export_cells(self, records, *names):
        """Return the texts of the first row in a spreadsheet, after a look whether any cell is a formula."""
        sheet = openpyxl.load_workbook(io.BytesIO(self._export(records, "xlsx", *names))).active
        self.assertFalse([cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"])
        return [cell.value for cell in sheet[2]]

    def _export_row(self, records, *names):
        """Return the first row of a file with commas."""
        return list(csv.reader(io.StringIO(self._export(records, "csv", *names).decode())))[1]

    def test_hostile_names_become_no_formulas(self):
        reward = self.env["partner.loyalty.reward"].create(
            {
                "name": "Help",
                "program_id": self.program.id,
                "kind": "support",
                "support_label": "Hotline",
                "point_cost": 1,
            }
        )
        for text in (*HOSTILE[:-1], *FORMULAS):
            self.dealer.name = reward.name = text
            for record, name in ((self.member, "partner_id"), (reward, "name")):
                shown = self.dealer.display_name if record == self.member else reward.name
                expected = f"'{shown}" if shown.startswith(("=", "@", "\t")) else shown
                with self.subTest(text=text[:20], model=record._name):
                    self.assertEqual(self._export_cells(record, name)[0], expected)
                    self.assertEqual(self._export_row(record, name)[0], expected)

    def test_what_strangers_write_is_text_and_a_telephone_number_stays_one(self):
        application = self.env["partner.loyalty.application"].create(
            {
                "program_id": self.program.id,
                "company_name": FORMULAS[0],
                "contact_name": "Ada",
                "email": "ada@example.com",
                "phone": "+380441234567",
                "message": "=1+1",
            }
        )
        cells = self._export_cells(application, "company_name", "phone", "message")
        self.assertEqual(cells, [f"'{FORMULAS[0]}", "+380441234567", "'=1+1"])

    def test_other_models_are_exported_as_ever(self):
        self.dealer.name = "@SUM(1)"
        self.assertEqual(self._export_row(self.dealer, "name"), ["@SUM(1)"])
