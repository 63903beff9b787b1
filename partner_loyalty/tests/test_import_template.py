"""The files that the import offers to fill in: their columns are fields, and their examples can be read."""

from odoo.fields import Date
from odoo.tests import tagged
from odoo.tools import file_open

from .common import PartnerLoyaltyCommon

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"has_headers": True, "quoting": '"', "separator": "", "float_thousand_separator": ","}
OPTIONS["float_decimal_separator"] = "."


@tagged("post_install", "-at_install")
class TestImportTemplate(PartnerLoyaltyCommon):
    roles = ("officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], name="Dealer Club")
        names = ("Wood Corner", "Ready Mat", "Gemini Furniture")
        # The demo data may know companies of these names as well, and each name has to be that of one.
        cls.env["res.partner"].search([("name", "in", names)]).name = "Another"
        cls.partners = [cls._create_partner(name=name, is_company=True) for name in names]

    def _import_template(self, model, columns, lang="en_US"):
        """Fill in nothing, and import the examples of the file.

        :return: the records made
        """
        records = self.env[model].with_user(self.users["manager"]).with_context(lang=lang)
        template = records.get_import_templates()[0]["template"].lstrip("/")
        with file_open(template, "rb") as file:
            vals = {"res_model": model, "file": file.read(), "file_type": XLSX, "file_name": template}
        dialog = records.env["base_import.import"].create(vals)
        preview = dialog.parse_preview(dict(OPTIONS))
        self.assertNotIn("error", preview)
        self.assertEqual([preview["matches"][index] for index in range(len(columns))], [[name] for name in columns])
        result = dialog.execute_import(columns, preview["headers"], {**preview["options"], **OPTIONS})
        self.assertFalse(result["messages"])
        return records.browse(result["ids"])

    def test_members(self):
        columns = ["program_id", "partner_id", "date_from", "referrer_id", "head_id", "is_named_on_leaderboard"]
        corner, ready, gemini = self._import_template("partner.loyalty.member", columns)
        self.assertEqual([corner.partner_id, ready.partner_id, gemini.partner_id], self.partners)
        self.assertEqual((ready.referrer_id, gemini.head_id), (corner, corner))
        self.assertEqual(corner.date_from, Date.to_date("2026-01-01"))

    def test_special_agreements(self):
        self._enroll(self.program, *self.partners)
        columns = ["name", "member_id", "kind", "rule_id", "rate", "multiplier", "discount", "date_from", "date_to"]
        own, discount = self._import_template("partner.loyalty.agreement", columns)
        self.assertEqual((own.kind, own.multiplier), ("multiplier", 1.5))
        self.assertEqual((discount.kind, discount.discount, discount.date_to), ("discount", 5, False))

    def test_metric_values(self):
        self._enroll(self.program, *self.partners)
        columns = ["metric_id", "member_id", "date", "value", "reference", "reason"]
        values = self._import_template("partner.loyalty.metric.value", columns)
        self.assertEqual(values.mapped("value"), [87, 64])
        self.assertEqual(values.mapped("reference"), ["Audit of March"] * 2)

    def test_metric_values_by_the_english_name_of_the_metric(self):
        self._enroll(self.program, *self.partners)
        self.env["res.lang"]._activate_lang("uk_UA")
        metric = self.env["partner.loyalty.metric"].search([("name", "=", "Audit Score")])
        metric.update_field_translations("name", {"uk_UA": "Оцінка аудиту"})
        columns = ["metric_id", "member_id", "date", "value", "reference", "reason"]
        values = self._import_template("partner.loyalty.metric.value", columns, lang="uk_UA")
        self.assertEqual(values.metric_id, metric)
        self.assertEqual(values.metric_id.display_name, "Оцінка аудиту")
