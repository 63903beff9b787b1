"""What is set by the program alone cannot be sent: by an officer, an administrator, a salesperson or an accountant."""

from contextlib import suppress

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import TODAY
from .test_access import AccessCommon

MAGIC = {"id", "create_uid", "create_date", "write_uid", "write_date"}

# What forms show as readonly and calls may write, each with the reason.
WRITABLE = {
    "partner.loyalty.reward.file.reward_id": "another reward of the company, which managers design anyway",
    "partner.loyalty.release.reward_id": "another reward of the company, which managers design anyway",
    "partner.loyalty.tier.entitlement.tier_id": "another tier of the company, which managers design anyway",
    "partner.loyalty.rule.error": "what went wrong last night; gone with the next change or run",
}
CREATABLE = {
    "partner.loyalty.inquiry.page": "officers write down what was asked elsewhere",
    "partner.loyalty.topic.contact_id": "officers begin a discussion for a contact of the member",
    "partner.loyalty.rule.version": "the next version of a rule is a copy",
    "partner.loyalty.rule.is_draft": "the next version of a rule is a draft",
    "partner.loyalty.rule.error": "what went wrong last night; gone with the next change or run",
}
# A change that was asked for has its documents.
CLOSED = {"partner.loyalty.attribution.line"}
# What salespeople, accountants and others may say on documents of Odoo.
ON_DOCUMENTS = {
    "sale.order": {"loyalty_partner_id"},
    "crm.lead": {"loyalty_partner_id"},
    "account.move": {"loyalty_partner_id"},
}


class AssignmentCommon(AccessCommon):
    def _get_other_value(self, record, field):
        """Return a value that a field does not have, in the form that clients send it in; None where there is none."""
        value = record.sudo()[field.name]
        if field.type in ("integer", "float", "monetary", "many2one_reference"):
            return value + 1
        if field.type == "selection":
            return next((key for key in field.get_values(self.env) if key != value), None)
        if field.type == "many2one":
            return self.env[field.comodel_name].sudo().search([("id", "!=", value.id)], limit=1).id or None
        others = {"boolean": not value, "date": "2026-02-02", "datetime": "2026-02-02 10:00:00", "json": {"sent": 1}}
        return others.get(field.type, "Sent" if field.type in ("char", "text", "html") else None)

    def _is_written(self, record, vals):
        """Return whether a user can write values that are others than the record has; nothing of it stays."""
        self.env.invalidate_all()
        name = next(iter(vals))
        old, is_written = record.sudo()[name], False
        with suppress(Exception), mute_logger("odoo.sql_db"), self.env.cr.savepoint() as savepoint:
            record.write(vals)
            self.env.flush_all()
            self.env.invalidate_all()
            is_written = record.sudo()[name] != old
            savepoint.rollback()
        self.env.invalidate_all()
        return is_written

    def _get_readonly(self, record):
        """Return the stored fields that forms show as readonly, with another value for each."""
        values = {
            name: self._get_other_value(record, field)
            for name, field in record._fields.items()
            if field.store and field.readonly and name not in MAGIC
        }
        return {name: value for name, value in values.items() if value is not None}


@tagged("post_install", "-at_install")
class TestMassAssignment(AssignmentCommon):
    def test_what_forms_show_as_readonly_is_not_written_by_calls(self):
        tried, found = 0, set()
        for model, record in self.records.items():
            for user in (self.users["officer"], self.users["administrator"]):
                if record._transient or not record.with_user(user).has_access("write"):
                    continue
                for name, value in self._get_readonly(record).items():
                    tried += 1
                    if self._is_written(record.with_user(user), {name: value}):
                        found.add(f"{model}.{name}")
        self.assertEqual(found, set(WRITABLE))
        self.assertGreater(tried, 300)

    def test_what_forms_show_as_readonly_is_not_given_with_a_new_record(self):
        tried, found = set(), set()
        for model, record in self.records.items():
            for user in (self.users["officer"], self.users["administrator"]):
                Model = record.browse().with_user(user)
                if record._transient or model in CLOSED or not Model.has_access("create"):
                    continue
                vals = self._prepare_new_vals(record)
                with self.subTest(model=model, user=user.login):
                    self.assertIsNotNone(self._create(Model, vals))
                tried.add(model)
                for name, value in self._get_readonly(record).items():
                    if name not in vals and self._create(Model, {**vals, name: value}, name) == value:
                        found.add(f"{model}.{name}")
        self.assertEqual(found, set(CREATABLE))
        self.assertGreater(len(tried), 30)

    def _prepare_new_vals(self, record):
        """Return values that another record of the model can be created with."""
        protected = getattr(record, "_protected_fields", frozenset())
        copied = {
            name: value
            for name, value in record.sudo().copy_data()[0].items()
            if name not in protected and not record._fields[name].readonly
        }
        return {**copied, **self._get_differences().get(record._name, {})}

    def _get_differences(self):
        """Return what a copy of a record has to differ in, or lacks."""
        gold, campaign = self.program.tier_ids[1], self.env["utm.campaign"].sudo().create({"name": "Autumn"})
        claim = self.records["partner.loyalty.claim.hour"].claim_id
        product = self._create_product(name="Boat").product_tmpl_id
        day = {"date": "2026-03-02"}
        return {
            "partner.loyalty.payout": {"member_id": self.other_program.member_ids.id, "date": TODAY},
            "partner.loyalty.reward.file": {"reward_id": self.records["partner.loyalty.reward.file"].reward_id.id},
            "partner.loyalty.release": {
                "reward_id": self.records["partner.loyalty.release"].reward_id.id,
                "product_tmpl_id": product.id,
            },
            "partner.loyalty.inquiry": {"kind": "question", "entry_id": False},
            "partner.loyalty.closing": {"date": "2026-01-31"},
            "partner.loyalty.claim.hour": {"claim_id": claim.id},
            "partner.loyalty.claim.milestone": {"claim_id": claim.id},
            "partner.loyalty.application": {"email": "bob@example.com"},
            "partner.loyalty.goal.value": day,
            "partner.loyalty.bonus.rank": {"rank_from": 2, "rank_to": 2},
            "partner.loyalty.participation": {"member_id": self.member.id, "campaign_id": campaign.id},
            "partner.loyalty.badge": day,
            "partner.loyalty.tier": {"name": "Platinum", "threshold": 900},
            "partner.loyalty.rule.rate": {"tier_id": gold.id},
            "partner.loyalty.rule.band": {"threshold": 200},
            "partner.loyalty.metric.value": day,
            "partner.loyalty.agreement": {"date_from": "2026-06-01", "date_to": "2026-06-30"},
            "partner.loyalty.member": {"partner_id": self.stranger.id},
            "partner.loyalty.member.period": {"date_from": "2020-01-01", "date_to": "2020-12-31"},
            "partner.loyalty.tier.entitlement": {"tier_id": self.program.tier_ids[0].id},
            "partner.loyalty.tier.criterion": {
                "metric_id": self.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id
            },
        }

    def _create(self, Model, vals, name="id"):
        """Return a field of the record that a user can create, as clients read it; None where it is refused."""
        self.env.invalidate_all()
        value = None
        with suppress(Exception), mute_logger("odoo.sql_db"), self.env.cr.savepoint() as savepoint:
            record = Model.create(vals)
            self.env.flush_all()
            self.env.invalidate_all()
            value = Model._fields[name].convert_to_read(record.sudo()[name], record, use_display_name=False)
            value = fields.Date.to_string(value) if Model._fields[name].type == "date" else value
            savepoint.rollback()
        self.env.invalidate_all()
        return value

    def test_defaults_that_a_client_sends_do_not_say_what_follows_from_something_else(self):
        company = self.env["res.company"].sudo().search([("id", "!=", self.company.id)], limit=1)
        Member = self.env["partner.loyalty.member"].with_user(self.users["officer"])
        Member = Member.with_context(
            default_company_id=company.id, default_state="ended", default_root_id=self.member.id
        )
        member = Member.create({"program_id": self.program.id, "partner_id": self.stranger.id})
        self.assertRecordValues(member, [{"company_id": self.company.id, "state": "active", "root_id": member.id}])


@tagged("post_install", "-at_install")
class TestDocumentAssignment(AssignmentCommon):
    def _create_documents(self):
        order = self._create_order(self.dealer, 100)
        invoice = self._create_sale_invoice(self.dealer, 100)
        lead = self.env["crm.lead"].create({"name": "Hotel", "partner_id": self.dealer.id, "type": "opportunity"})
        campaign = self.env["utm.campaign"].create({"name": "Spring"})
        order.user_id = lead.user_id = invoice.invoice_user_id = self.users["salesperson_own"]
        return [order, order.order_line, invoice, lead, self.dealer, self.dealer_contact, campaign]

    def test_on_documents_and_contacts_only_who_brought_them_is_written(self):
        tried = 0
        for record in self._create_documents():
            for role in ("salesperson_own", "accountant", "internal", "portal_own", "officer"):
                mine = record.with_user(self.users[role])
                if not mine.has_access("write"):
                    continue
                for name, field in record._fields.items():
                    value = name.startswith("loyalty_") and field.store and self._get_other_value(record, field)
                    if value in (False, None) or name in ON_DOCUMENTS.get(record._name, ()):
                        continue
                    tried += 1
                    with self.subTest(model=record._name, field=name, role=role):
                        self.assertFalse(self._is_written(mine, {name: value}))
        self.assertGreater(tried, 15)

    def test_who_brought_a_sale_can_be_written(self):
        for record in self._create_documents():
            for name in ON_DOCUMENTS.get(record._name, ()):
                with self.subTest(model=record._name):
                    role = "accountant" if record._name == "account.move" else "salesperson_own"
                    mine = record.with_user(self.users[role])
                    self.assertTrue(self._is_written(mine, {name: self.referrer.id}))

    def test_an_order_cannot_be_created_as_the_delivery_of_a_reward(self):
        claim = self.records["partner.loyalty.claim"]
        orders = self.env["sale.order"].with_user(self.users["salesperson_own"])
        with self.assertRefused("cannot be set by hand", AccessError):
            orders.create({"partner_id": self.dealer.id, "loyalty_claim_id": claim.id})
        order = orders.with_context(default_loyalty_claim_id=claim.id).create({"partner_id": self.dealer.id})
        self.assertFalse(order.loyalty_claim_id)

    def test_a_bill_cannot_be_created_as_the_one_of_a_payout(self):
        bills = self.env["account.move"].with_user(self.users["accountant"])
        with self.assertRefused("cannot be set by hand", AccessError):
            bills.create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.dealer.id,
                    "loyalty_payout_id": self.records["partner.loyalty.payout"].id,
                }
            )
