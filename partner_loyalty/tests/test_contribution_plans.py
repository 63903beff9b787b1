"""How PostgreSQL reads contributions, as the engine asks for them: by index and never through a whole table.

Small tables are read whole whatever indexes there are. So what was created is multiplied in SQL first, with numbers of
its own for each copy: where a table is then still read through, there is no index that serves the question.
"""

import re
from contextlib import closing

from odoo.sql_db import db_connect
from odoo.tests import get_db_name, tagged
from odoo.tools import SQL

from odoo.addons.partner_loyalty.const import FIRST_KINDS, KIND_ROLES, TOUCH_KINDS
from odoo.addons.partner_loyalty.models.partner_loyalty_contribution import BRANCH_CODES
from odoo.addons.partner_loyalty.tools.scope import Scope

from .test_contribution_kinds import KindsCommon

COPIES = 800
# More than any number that a test database has given out; so often as there are copies it is still an integer.
SHIFT = 1_000_000

# The tables that grow with the business: the columns of each that a copy has numbers of its own in, and texts.
TABLES = {
    "res_partner": (("id", "commercial_partner_id"), ()),
    "sale_order": (("id", "partner_id", "loyalty_buyer_id", "loyalty_partner_id"), ("name",)),
    "sale_order_line": (("id", "order_id"), ()),
    "account_move": (
        ("id", "partner_id", "commercial_partner_id", "loyalty_partner_id", "reversed_entry_id"),
        ("name",),
    ),
    "account_move_line": (("id", "move_id", "partner_id"), ()),
    "account_partial_reconcile": (("id", "debit_move_id", "credit_move_id"), ()),
    "crm_lead": (("id", "partner_id", "loyalty_buyer_id", "loyalty_partner_id"), ()),
    "survey_user_input": (("id", "partner_id", "loyalty_holder_id"), ("access_token",)),
    "partner_loyalty_member": (("id", "root_id", "partner_id", "referrer_id"), ("referral_code",)),
    "partner_loyalty_member_period": (("id", "member_id"), ()),
    "partner_loyalty_deal": (("id", "member_id", "partner_id", "customer_id", "customer_company_id"), ()),
    "partner_loyalty_account": (("id", "member_id"), ()),
    "partner_loyalty_entry": (("id", "account_id", "origin_id"), ()),
}
# What all documents of a company, or the members of a program, have in common leaves too many of them.
COMMON_COLUMNS = {"company_id", "display_type", "kind", "move_type", "program_id", "rule_id", "state", "won_status"}


@tagged("post_install", "-at_install")
class TestContributionPlans(KindsCommon):
    @classmethod
    def setUpClass(cls):
        # Runs last, when all is rolled back: what is left of the copies would mislead the plans of other tests.
        cls.addClassCleanup(cls._vacuum)
        super().setUpClass()

    @classmethod
    def _vacuum(cls):
        with closing(db_connect(get_db_name()).cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute(SQL("VACUUM %s", SQL(", ").join(map(SQL.identifier, TABLES))))

    def setUp(self):
        super().setUp()
        self.program = self._create_program()
        for kind, roles in KIND_ROLES.items():
            for role in roles:
                # A fixed sum, so that what has no amount earns as well and each rule has lines to look up.
                self._create_rule(self.program, name=f"{kind} {role}", kind=kind, role=role, formula="fixed")
        self.program.action_start()
        self.member, sponsor = self._enroll(self.program, self.dealer, self.referrer, date_from="2025-01-01")
        self.member.referrer_id = sponsor
        self.documents = self._create_documents()
        self.env["partner.loyalty.touch"]._mark(self.member)
        self._answer_marks()
        self.assertEqual(len(self.program.rule_ids.filtered("has_entries")), len(BRANCH_CODES))
        partners = self.dealer | self.referrer
        for table, columns in TABLES.items():
            self._multiply(table, *columns, ids=partners.ids if table == "res_partner" else None)

    def _create_documents(self):
        """Create what counts by each kind of contribution; return a record of each model."""
        values = {"loyalty_partner_id": self.referrer.id}
        self._create_order(self.dealer, 100, date="2026-03-01", **values)
        order = self._create_order(self.dealer, 100, **values)
        invoice = self._create_sale_invoice(self.dealer, 100, **values)
        self._pay(invoice, 40)
        self._credit(invoice, 70)
        self._create_bill(self.dealer, 100)
        lead = self._create_lead(self.dealer, **values)
        answer = self._take(self._create_survey(), self.dealer)
        deals = self.env["partner.loyalty.deal"].with_user(self.users["officer"])
        deal = deals.create({"name": "Chairs", "member_id": self.member.id, "customer_name": "Astoria"})
        deal.action_submit()
        deal.with_user(self.users["manager"]).action_approve()
        return {record._name: record for record in (order, invoice, lead, answer, deal, self.member)}

    def _multiply(self, table, numbers, texts, ids=None):
        """Copy the rows of a table, so often that it pays to read it by index, and tell the planner.

        :param ids: only these rows; all by default
        """
        values = [SQL("%s, row.%s + copy.number * %s", name, SQL.identifier(name), SHIFT) for name in numbers]
        values += [SQL("%s, row.%s || '/' || copy.number", name, SQL.identifier(name)) for name in texts]
        self.env.cr.execute(
            SQL(
                """INSERT INTO %(table)s
                   SELECT (jsonb_populate_record(row, jsonb_build_object(%(values)s))).*
                     FROM %(table)s AS row, generate_series(1, %(copies)s) AS copy(number)
                    WHERE row.id < %(shift)s AND (%(ids)s::integer[] IS NULL OR row.id = ANY(%(ids)s))""",
                table=SQL.identifier(table),
                values=SQL(", ").join(values),
                copies=COPIES,
                shift=SHIFT,
                ids=ids,
            )
        )
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))

    # === PLANS ===#

    def test_rules_of_every_kind_and_role_read_by_index(self):
        month = Scope(periods=((self.member.id, self._day("2026-03-01"), self._day("2026-03-31")),))
        for rule in self.program.rule_ids:
            scopes = {"document": self._get_document_scope(rule), "month": month}
            # What has no documents is a matter of members alone, which PostgreSQL takes to last for centuries.
            if rule.kind != "anniversary":
                scopes["member"] = rule._get_member_scope(self.member.ids)
            for name, scope in scopes.items():
                with self.subTest(rule=rule.name, scope=name):
                    self.assertReadsByIndex(rule._get_delta_query(scope))
            if rule.kind in FIRST_KINDS:
                with self.subTest(rule=rule.name, scope="first documents"):
                    scope, customers = scopes["document"], self.dealer.ids
                    self.assertReadsByIndex(rule._get_customer_query(scope))
                    self.assertReadsByIndex(rule._get_first_query(scope.origin_model, customers))
                    self.assertReadsByIndex(rule._get_posted_first_query(scope, customers))

    def assertReadsByIndex(self, query):
        """Check that the plan of a query has no scan that reads through all of a table."""
        self.env.flush_all()
        self.env.cr.execute(SQL("EXPLAIN (FORMAT JSON) %s", query))
        whole = [
            f"{node['Node Type']} on {node['Relation Name']}: {node.get('Index Cond')}, {node.get('Filter')}"
            for node in self._get_nodes(self.env.cr.fetchone()[0][0]["Plan"])
            if node.get("Relation Name") in TABLES and not self._is_narrow(node)
        ]
        self.assertEqual(whole, [])

    def _get_document_scope(self, rule):
        model = next(model for model, kinds in TOUCH_KINDS.items() if rule.kind in kinds)
        return rule._get_document_scope(model, self.documents[model].ids)

    def _get_nodes(self, node):
        """Return a node of a plan and all nodes below it; what reads by a bitmap has the conditions of that."""
        children = node.get("Plans", [])
        if node["Node Type"] == "Bitmap Heap Scan":
            node = {**node, "Index Cond": node.get("Recheck Cond")}
        return [node, *(inner for child in children for inner in self._get_nodes(child))]

    def _is_narrow(self, node):
        """Return whether a scan is led by an index, and by more than what most rows have in common."""
        columns = set(re.findall(r"\b([a-z_]+)\b\)?(?:::\w+)? (?:=|<|>|IS)", node.get("Index Cond") or ""))
        return bool(columns - COMMON_COLUMNS)
