"""What is known of a person is found and can be taken away, and the ledger stays; who may export it."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_access import AccessCommon

NAME, EMAIL = "Zzyzx Trading", "zoe@zzyzx.example.com"


@tagged("post_install", "-at_install")
class TestPrivacy(AccessCommon):
    """Odoo's privacy lookup, which comes with its mail app, on what we keep of a partner."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dealer.write({"name": NAME, "email": EMAIL})
        cls.env["partner.loyalty.application"].create(
            {"program_id": cls.program.id, "company_name": NAME, "contact_name": "Zoe", "email": EMAIL.upper()}
        )
        waiting = cls.records["partner.loyalty.external.order"]
        waiting.sudo().payload = {**waiting.payload, "customer": {"name": "Zoe", "phone": False, "email": EMAIL}}
        deal = cls.records["partner.loyalty.deal"]
        deal.write({"contact_name": f"Ann of {NAME}", "description": f"Ask Zoe ({EMAIL}) of {NAME}."})
        cls.env.flush_all()

    def _find(self):
        wizard = self.env["privacy.lookup.wizard"].sudo().create({"name": NAME, "email": EMAIL})
        wizard.action_lookup()
        return wizard.line_ids

    def _get_rows_with(self, text):
        """Return the records of our tables that hold a text in any column.

        :rtype: set[tuple[str, int]]
        """
        self.env.flush_all()
        found = set()
        for name, model in self.registry.items():
            if name.startswith("partner.loyalty.") and model._auto and not model._abstract and not model._transient:
                query = f"SELECT id FROM {model._table} t WHERE to_jsonb(t)::text ILIKE %s"
                self.env.cr.execute(query, [f"%{text}%"])
                found |= {(name, row_id) for (row_id,) in self.env.cr.fetchall()}
        return found

    def test_whatever_holds_the_address_of_a_person_is_found(self):
        found = {(line.res_model, line.res_id) for line in self._find()}
        held = self._get_rows_with(EMAIL)
        self.assertEqual(
            {model for model, _row_id in held},
            {"partner.loyalty.application", "partner.loyalty.deal", "partner.loyalty.external.order"},
        )
        self.assertEqual(held - found, set())

    def test_whatever_belongs_to_a_company_is_found(self):
        found = self._find()
        for model in ("partner.loyalty.member", "partner.loyalty.claim", "partner.loyalty.acceptance"):
            with self.subTest(model=model):
                ids = found.filtered(lambda line, model=model: line.res_model == model).mapped("res_id")
                self.assertLessEqual(set(self.records[model].ids), set(ids))

    def test_what_was_found_can_be_deleted_or_overwritten_where_it_is_no_account(self):
        lines = self._find().filtered(
            lambda line: line.res_model in ("partner.loyalty.application", "partner.loyalty.external.order")
        )
        lines.action_unlink_all()
        self.records["partner.loyalty.deal"].description = False
        self.assertFalse(self._get_rows_with(EMAIL))

    def test_a_name_that_is_overwritten_is_gone_and_the_ledger_stays(self):
        entries = self._get_entries(self.member)
        before = entries.read(["amount", "amount_open", "type", "date", "sequence"])
        self.assertTrue(before)
        self.records["partner.loyalty.deal"].write({"contact_name": False, "description": False})
        self.dealer.write({"name": "Former Partner", "email": False, "phone": False, "street": False})
        self._find().filtered(
            lambda line: line.res_model in ("partner.loyalty.application", "partner.loyalty.external.order")
        ).action_unlink_all()
        self.assertEqual(self._get_rows_with(NAME), set())
        self.assertEqual(entries.read(["amount", "amount_open", "type", "date", "sequence"]), before)
        self.assertIn("Former Partner", self.member.display_name)

    def test_a_partner_with_an_account_is_not_deleted(self):
        with self.assertRefused("", UserError):
            self.dealer.sudo().unlink()
        with self.assertRefused("", UserError):
            self.member.sudo().unlink()


@tagged("post_install", "-at_install")
class TestExport(AccessCommon):
    """The statement, the members and the payouts leave as a file with who may read them and may export."""

    models = ("partner.loyalty.entry", "partner.loyalty.member", "partner.loyalty.payout")

    def _export(self, model, role):
        """Return how many rows a user exports of all there are."""
        self.env.invalidate_all()
        records = self.env[model].with_user(self.users[role]).search([])
        return len(records.export_data(["id", "program_id/name", "company_id/name"])["datas"])

    def test_who_may_export_takes_what_they_may_read(self):
        export = self.env.ref("base.group_allow_export")
        for role in ("officer", "manager", "accountant", "salesperson_own"):
            self.users[role].group_ids += export
            for model in self.models:
                with self.subTest(role=role, model=model):
                    self.assertGreater(self._export(model, role), 0)
        self.assertEqual(self._export("partner.loyalty.member", "salesperson_own"), 1)

    def test_nobody_else_exports(self):
        export = self.env.ref("base.group_allow_export")
        for role in ("officer", "accountant", "portal_own"):
            self.users[role].group_ids -= export
            for model in self.models:
                with self.subTest(role=role, model=model), self.assertRefused("", UserError):
                    self._export(model, role)
        for role in ("internal", "settings"):
            self.users[role].group_ids += export
            for model in self.models:
                with self.subTest(role=role, model=model), self.assertRefused("", AccessError):
                    self._export(model, role)
