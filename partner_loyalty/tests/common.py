from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import Form, freeze_time, new_test_user
from odoo.tools import SQL, mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

# The day on which the tests run, unless they say otherwise.
TODAY = "2026-03-18"

# A user for each role: login, and the groups that make the role.
ROLES = {
    "internal": "base.group_user",
    "salesperson": "sales_team.group_sale_salesman",
    "officer": "partner_loyalty.partner_loyalty_group_officer",
    "manager": "partner_loyalty.partner_loyalty_group_manager",
    "administrator": "partner_loyalty.partner_loyalty_group_administrator",
    "accountant": "account.group_account_user",
    "settings": "base.group_system",
}


@freeze_time(f"{TODAY} 10:00:00")
class PartnerLoyaltyCommon(AccountTestInvoicingCommon):
    """A company in euro with a running program, a dealer, a referrer, a user for each role, and factories.

    After each test the invariants of the ledger are recomputed from nothing.
    """

    currency_code = "EUR"
    # The roles that the tests of the class need a user for: each takes a moment to create.
    roles = ("officer", "manager")

    # === SET-UP ===#

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.tz = "UTC"
        cls.thing = cls._create_product(name="Thing", lst_price=100, taxes_id=False, invoice_policy="order")
        cls.bonus_product = cls._create_product(name="Bonus", type="service", supplier_taxes_id=False)
        cls.purchase_journal = cls.company_data["default_journal_purchase"]
        cls.dealer = cls._create_partner(name="Dealer", is_company=True)
        cls.dealer_contact = cls._create_partner(name="Joe of Dealer", parent_id=cls.dealer.id)
        cls.referrer = cls._create_partner(name="Referrer", is_company=True)
        cls.stranger = cls._create_partner(name="Stranger", is_company=True)
        cls.users = {role: cls._create_role_user(role, ROLES[role]) for role in cls.roles}

    @classmethod
    def setup_independent_company(cls, **kwargs):
        return super().setup_independent_company(currency_id=cls._enable_currency(cls.currency_code).id, **kwargs)

    @classmethod
    def get_default_groups(cls):
        """The tests set up documents and programs as somebody who may do all of it."""
        return (
            super().get_default_groups()
            | cls.quick_ref("sales_team.group_sale_manager")
            | cls.quick_ref("partner_loyalty.partner_loyalty_group_administrator")
        )

    @classmethod
    def _create_role_user(cls, role, groups, **values):
        return new_test_user(
            cls.env,
            login=f"loyalty_{role}",
            groups=groups,
            tz="UTC",
            **{"company_id": cls.company.id, "company_ids": [Command.set(cls.company.ids)], **values},
        )

    def setUp(self):
        super().setUp()
        self.addCleanup(self._assert_invariants)

    def _assert_invariants(self):
        self.env.flush_all()
        self.assertEqual(self.env["partner.loyalty.program"]._check_invariants(), [])

    # === FACTORIES - PROGRAM ===#

    @classmethod
    def _create_program(cls, rules=(), tiers=(), start=True, **values):
        """Create a program, and start it where it has rules.

        :param rules: dicts of values that differ from :meth:`_prepare_rule`
        :param tiers: pairs of name and threshold
        """
        program = cls.env["partner.loyalty.program"].create(
            {
                "name": "Dealer Club",
                "date_from": "2026-01-01",
                "tz": "UTC",
                "payout_journal_id": cls.purchase_journal.id,
                "payout_product_id": cls.bonus_product.id,
                "tier_ids": [Command.create({"name": name, "threshold": threshold}) for name, threshold in tiers],
                "rule_ids": [Command.create(cls._prepare_rule(**rule)) for rule in rules],
                **values,
            }
        )
        if rules and start:
            program.action_start()
        return program

    @classmethod
    def _prepare_rule(cls, **values):
        return {"name": "Commission", "kind": "invoice", "role": "buyer", "formula": "percent", "rate": 10, **values}

    @classmethod
    def _create_rule(cls, program, **values):
        return cls.env["partner.loyalty.rule"].create({"program_id": program.id, **cls._prepare_rule(**values)})

    @classmethod
    def _put_into_force(cls, rule, date_from=TODAY, **values):
        """Open the next version of a rule, change it, and put it into force; return it."""
        successor = cls.env["partner.loyalty.rule"].browse(rule.action_new_version()["res_id"])
        successor.write(values)
        versions = cls.env["partner.loyalty.rule.version"]
        versions.create({"rule_id": successor.id, "date_from": date_from}).action_apply()
        return successor

    @classmethod
    def _enroll(cls, program, *partners, date_from="2026-01-01"):
        day = fields.Date.to_date(date_from)
        return program._enroll(dict.fromkeys(cls.env["res.partner"].union(*partners), day))

    @staticmethod
    def _tier_rate(tier, rate):
        """Return the command that gives a rule a rate for a tier."""
        return Command.create({"tier_id": tier.id, "rate": rate})

    # === FACTORIES - DOCUMENTS ===#

    @classmethod
    def _create_order(cls, partner, *amounts, date=TODAY, confirm=True, **values):
        """Create an order with a line for each amount, and confirm it on ``date`` (a day, or a moment in UTC)."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create({"product_id": cls.thing.id, "product_uom_qty": 1, "price_unit": amount})
                    for amount in amounts
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
            order.date_order = date
        return order

    @classmethod
    def _create_sale_invoice(cls, partner, *amounts, date=TODAY, post=True, taxes=(), product=None, **values):
        """Create a customer invoice with a line for each untaxed amount, and post it."""
        invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": date,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": (product or cls.thing).id,
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.set([tax.id for tax in taxes])],
                        }
                    )
                    for amount in amounts
                ],
                **values,
            }
        )
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _pay(cls, invoice, amount=None, date=TODAY, **values):
        """Register a payment of ``amount``, of all that is open by default."""
        if amount is not None:
            values["amount"] = amount
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_date": date, **values})
        )
        return wizard._create_payments()

    @classmethod
    def _credit(cls, invoice, amount=None, date=TODAY, post=True):
        """Make a credit note from an invoice, of ``amount`` untaxed or of all of it, and post it."""
        wizard = (
            cls.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "Returned", "date": date})
        )
        credit_note = cls.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        if amount is not None:
            credit_note.invoice_line_ids[1:].unlink()
            credit_note.invoice_line_ids.write({"quantity": 1, "price_unit": amount})
        if post:
            credit_note.action_post()
        return credit_note

    @classmethod
    def _unreconcile(cls, invoice):
        """Take back what has been matched with the invoice."""
        invoice.line_ids.filtered(lambda line: line.display_type == "payment_term").remove_move_reconcile()

    # === FACTORIES - LEDGER AND PAYOUTS ===#

    @classmethod
    def _post_entry(cls, member, amount, unit="money", entry_type=None, origin=None, **values):
        """Append one entry to the ledger, as an extension of the program would, and settle the account."""
        Entry = cls.env["partner.loyalty.entry"]
        account = member._get_account(unit)
        entry_type = entry_type or ("accrual" if amount > 0 else "clawback")
        origin = origin or cls._create_partner(name="Cause of an entry")
        entry = Entry._post_vals([Entry._prepare_entry_vals(account, entry_type, amount, origin, **values)])
        cls.env["partner.loyalty.allocation"]._settle(account.ids)
        return entry

    def _create_payout(self, member, date=TODAY, user=None):
        user = user or self.users["officer"]
        return self.env["partner.loyalty.payout"].with_user(user).create({"member_id": member.id, "date": date})

    def _submit_payout(self, member, **kwargs):
        payout = self._create_payout(member, **kwargs)
        payout.action_submit()
        return payout

    def _approve_payout(self, member, **kwargs):
        payout = self._submit_payout(member, **kwargs)
        payout.with_user(self.users["manager"]).action_approve()
        return payout.with_user(self.env.user)

    def _bill_payout(self, member, **kwargs):
        """Take a payout to its posted bill."""
        payout = self._approve_payout(member, **kwargs)
        payout.bill_id.action_post()
        return payout

    # === RUNNING THE ENGINE ===#

    def _answer_documents(self):
        """Answer all touched documents, as the cron would after a commit; then again, which must post nothing.

        :return: the entries that the first run posted, oldest first
        """
        before = self._get_last_entry_id()
        touched = self._answer_marks()
        entries = self.env["partner.loyalty.entry"].search([("id", ">", before)], order="id")
        self._as_cron("partner.loyalty.touch").create(
            [{"res_model": model, "res_id": document_id} for model, document_id in touched]
        )
        self._answer_marks()
        self.assertEqual(self._get_last_entry_id(), max([before, *entries.ids]), "A second run has to post nothing.")
        return entries

    @classmethod
    def _answer_marks(cls):
        """Answer the marks that wait, and return the documents they stood for."""
        cls._write_marks()
        marks = cls._as_cron("partner.loyalty.touch").search([])
        touched = set(marks.mapped(lambda mark: (mark.res_model, mark.res_id)))
        marks._answer(marks)
        return touched

    @classmethod
    def _write_marks(cls):
        """Do what happens just before a commit."""
        cls.env.flush_all()
        cls.env.cr.precommit.run()

    @contextmanager
    def _record_queries(self):
        """Record the queries of a transaction, from its first statement to just before its commit."""
        self._write_marks()
        queries = []
        execute = Cursor.execute

        def record(cursor, query, params=None, log_exceptions=True):
            queries.append(query.code if isinstance(query, SQL) else str(query))
            return execute(cursor, query, params, log_exceptions)

        with patch.object(Cursor, "execute", record):
            yield queries
            self._write_marks()

    def _compare(self, program):
        """Run the nightly comparison of a program.

        :return: the differences that wait for a decision
        """
        self._write_marks()
        Chunk = self._as_cron("partner.loyalty.chunk")
        Chunk._plan(program.with_env(Chunk.env))
        for chunk in Chunk.search([]):
            chunk._compare()
            chunk.unlink()
        return self._get_open_differences(program)

    def _run_cron(self, name):
        """Run a scheduled action of the module, and forget what the cache holds."""
        self._write_marks()
        with self.enter_registry_test_mode():
            self.env.ref(f"partner_loyalty.{name}").with_user(SUPERUSER_ID).method_direct_trigger()
        self.env.invalidate_all()

    @classmethod
    def _as_cron(cls, model):
        """Return a model as scheduled actions see it."""
        return cls.env[model].with_user(SUPERUSER_ID)

    @contextmanager
    def _as_worker(self, model):
        """Run code of a scheduled action, which commits, with a cursor of its own: yields the model."""
        self._write_marks()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            yield self.env(cr=cr, user=SUPERUSER_ID)[model]

    def _get_open_differences(self, program):
        return self.env["partner.loyalty.difference"].search(
            [("program_id", "=", program.id), ("state", "=", "open")], order="id"
        )

    def _get_last_entry_id(self):
        return self.env["partner.loyalty.entry"].search([], order="id desc", limit=1).id or 0

    def _get_entries(self, member, unit="money"):
        return self.env["partner.loyalty.entry"].search(
            [("account_id", "=", member._get_account(unit).id)], order="sequence"
        )

    # === SCREENS ===#

    def _get_buttons(self, record, user, dialogs):
        """Return the names of the buttons that a user finds above a record.

        :param dict dialogs: what the actions are called that are done in a dialog, by the external id of the dialog
        :rtype: set[str]
        """
        names = {str(self.env.ref(f"partner_loyalty.{dialog}").id): name for dialog, name in dialogs.items()}
        record = record.with_user(user)
        if not record.has_access("read"):
            return set()
        form = Form(record)
        values = form._get_eval_context()
        return {
            names.get(button.get("name"), button.get("name"))
            for button in form._view["tree"].iterfind("./header/button")
            if not safe_eval(button.get("invisible", "False"), dict(values))
        }

    # === ASSERTIONS ===#

    @contextmanager
    def assertRefused(self, words="", exception=UserError):
        """Check that something is refused with a message for users, and that nothing of it stays.

        :param str words: part of the message
        :param exception: class of the error; one of a database constraint counts as well, by what clients read then
        """
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                if issubclass(exception, AccessError):
                    # What is in the cache already would be read without any check.
                    self.env.invalidate_all()
                yield
                self.env.flush_all()
        except exception as error:
            message = str(error)
        except IntegrityError as error:
            model = next(name for name, model in self.registry.items() if model._table == error.diag.table_name)
            message = self.env[model]._sql_error_to_message(error)
        else:
            self.fail(f"Not refused; expected: {words}")
        self.assertIn(words, message)

    def assertEntries(self, member, expected, unit="money"):
        """Check the amounts on the statement of a member, in their order."""
        self.assertEqual(self._get_entries(member, unit).mapped("amount"), list(expected))

    def assertBalance(self, member, expected, unit="money"):
        self.assertEqual(member._get_account(unit).balance, expected)

    def assertInLine(self, program):
        """Check that the ledger says what the rules say today about all documents, whether touched or not."""
        self.assertEqual(program._apply_to_past(dry_run=True)["entries"], 0)

    @staticmethod
    def _day(text):
        return fields.Date.to_date(text)

    def _in_days(self, days):
        """Go forward in time: a context manager."""
        return freeze_time(fields.Datetime.now() + timedelta(days=days))
