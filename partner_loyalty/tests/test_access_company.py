"""Somebody with every right in one company, and none in another: finds, reads, changes and starts nothing there."""

from contextlib import suppress

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_access import CallsCommon

# What belongs to no company, and is the same for all.
SHARED = {
    "partner.loyalty.touch": "what waits in the queue: ids, for administrators",
    "partner.loyalty.chunk": "what waits in the queue: ids, for administrators",
    "partner.loyalty.benefit": "a list of kinds",
    "partner.loyalty.metric": "those that come with the app",
}
EVERY_RIGHT = (
    "partner_loyalty.partner_loyalty_group_administrator,sales_team.group_sale_manager,"
    "account.group_account_manager,survey.group_survey_manager,base.group_erp_manager"
)


@tagged("post_install", "-at_install")
class TestOtherCompany(CallsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company_b = cls.setup_other_company(name="Company B")["company"]
        cls.foreigner = cls._create_role_user(
            "foreigner", EVERY_RIGHT, company_id=company_b.id, company_ids=[Command.set(company_b.ids)]
        )
        cls.foreign_records = {
            model: record.with_user(cls.foreigner) for model, record in cls.records.items() if model not in SHARED
        }

    def test_nothing_is_found_in_any_way(self):
        for model, record in self.foreign_records.items():
            domain = [("id", "in", record.ids)]
            Model = record.browse()
            with self.subTest(model=model):
                self.assertFalse(Model.search(domain))
                self.assertEqual(Model.search_count(domain), 0)
                self.assertFalse(Model.name_search("", domain))
                self.assertFalse(Model.search_read(domain, ["id"]))
                self.assertEqual(Model.formatted_read_group(domain, [], ["__count"])[0]["__count"], 0)
                self.assertFalse(Model.web_search_read(domain, {"id": {}})["records"])

    def test_nothing_is_read_by_its_id(self):
        for model, record in self.foreign_records.items():
            with self.subTest(model=model):
                self.env.invalidate_all()
                # What a query without a table does not find is left out, and not refused.
                with suppress(AccessError):
                    self.assertFalse(record.read())
                self.env.invalidate_all()
                with suppress(AccessError):
                    self.assertFalse(any(row.get("display_name") for row in record.web_read({"display_name": {}})))

    def test_nothing_is_changed_copied_or_deleted(self):
        before = self._get_state()
        for model, record in self.foreign_records.items():
            for name, args in (
                ("write", ({"company_id": self.foreigner.company_id.id},)),
                ("copy", ()),
                ("unlink", ()),
            ):
                with self.subTest(model=model, method=name):
                    self._call_generic(record, name, args, before)

    def test_no_button_has_any_effect(self):
        before = self._get_state()
        called = 0
        for model, record in self.foreign_records.items():
            for name in sorted(self._get_public_methods(model)):
                called += 1
                with self.subTest(model=model, method=name):
                    self._call_generic(record, name, (), before)
        self.assertGreater(called, 150)

    def test_no_record_is_created_for_a_member_or_program_of_the_other_company(self):
        before = self._get_state()
        ids = {"member_id": self.member.id, "program_id": self.program.id}
        created = 0
        for model, record in self.foreign_records.items():
            if record._transient or not record.browse().has_access("create"):
                continue
            vals = {name: value for name, value in ids.items() if name in record._fields}
            if not vals:
                continue
            created += 1
            vals = {**self._prepare_copy(record), **vals}
            with self.subTest(model=model):
                self.env.invalidate_all()
                with suppress(Exception), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    record.create(vals)
                    self.env.flush_all()
                self.assertUnchanged(before)
        self.assertGreater(created, 10)

    def _prepare_copy(self, record):
        values = record.sudo().with_context(active_test=False).copy_data()[0]
        protected = getattr(record, "_protected_fields", frozenset())
        return {name: value for name, value in values.items() if name not in protected}
