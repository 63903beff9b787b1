"""What else partners do that counts: opportunities, deals, certificates and bills."""

import json

from odoo import SUPERUSER_ID
from odoo.exceptions import ValidationError
from odoo.fields import Command, Datetime
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.partner_loyalty.const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, KIND_ROLES, TOUCH_KINDS
from odoo.addons.partner_loyalty.hooks import COMPANY_COLUMNS, pre_init_hook
from odoo.addons.partner_loyalty.models.partner_loyalty_contribution import BRANCH_CODES

from .common import TODAY, PartnerLoyaltyCommon


class KindsCommon(PartnerLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.won = cls.env["crm.stage"].create({"name": "Won here", "is_won": True})
        cls.open = cls.env["crm.stage"].search([("is_won", "=", False)], limit=1)

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("survey.group_survey_manager")

    # === FACTORIES ===#

    def _lose(self, lead):
        lead.stage_id = self.open
        lead.action_set_lost()

    def _create_lead(self, partner=None, revenue=1000, win=True, **values):
        lead = self.env["crm.lead"].create(
            {
                "name": "Chairs",
                "type": "opportunity",
                "partner_id": partner and partner.id,
                "expected_revenue": revenue,
                "company_id": self.company.id,
                **values,
            }
        )
        if win:
            lead.stage_id = self.won
        return lead

    def _create_bill(self, partner, *amounts, **values):
        return self._create_sale_invoice(partner, *amounts, move_type="in_invoice", **values)

    def _create_survey(self, **values):
        return self.env["survey.survey"].create(
            {
                "title": "Product Trainer",
                "scoring_type": "scoring_without_answers",
                "certification": True,
                "scoring_success_min": 50,
                "question_and_page_ids": [
                    Command.create(
                        {
                            "title": "What is it?",
                            "question_type": "simple_choice",
                            "suggested_answer_ids": [
                                Command.create({"value": "A chair", "is_correct": True, "answer_score": 10}),
                                Command.create({"value": "A table", "answer_score": 0}),
                            ],
                        }
                    )
                ],
                **values,
            }
        )

    def _take(self, survey, partner, right=True, done=True, **values):
        """Let somebody take a survey."""
        question = survey.question_ids
        answer = question.suggested_answer_ids[0 if right else 1]
        taken = self.env["survey.user_input"].create(
            {"survey_id": survey.id, "partner_id": partner and partner.id, **values}
        )
        taken._save_lines(question, answer.id)
        if done:
            taken._mark_done()
        return taken

    # === READING ===#

    def _get_contributions(self, document=None, partner=None, tz="UTC", **conditions):
        self.env.flush_all()
        domain = [(name, "=", value) for name, value in conditions.items()]
        if document:
            domain += [("document_model", "=", document._name), ("document_id", "=", document.id)]
        if partner:
            domain += [("partner_id", "=", partner.id)]
        return self.env["partner.loyalty.contribution"].with_context(tz=tz).search(domain, order="kind, role, id")

    def _get_marks(self):
        self._write_marks()
        marks = self._as_cron("partner.loyalty.touch").search([])
        touched = sorted(set(marks.mapped(lambda mark: (mark.res_model, mark.res_id))))
        marks.unlink()
        return touched

    def assertTouches(self, document, change, touches=True):
        """Check that a change of a document leaves a mark, or none."""
        self._get_marks()
        key = (document._name, document.id)
        change()
        self.assertEqual(self._get_marks(), [key] if touches else [])


@tagged("post_install", "-at_install")
class TestKinds(KindsCommon):
    roles = ()

    def test_every_kind_has_roles_branches_and_documents_of_its_own(self):
        kinds, roles = dict(CONTRIBUTION_KINDS), dict(CONTRIBUTION_ROLES)
        self.assertEqual(KIND_ROLES.keys(), kinds.keys())
        self.assertEqual({role for possible in KIND_ROLES.values() for role in possible}, roles.keys())
        self.assertEqual(
            list(BRANCH_CODES), [(kind, role) for kind, possible in KIND_ROLES.items() for role in possible]
        )
        # The branches of payments have a second code each, sixteen higher.
        codes = [*BRANCH_CODES.values(), *(BRANCH_CODES["payment", role] + 16 for role in KIND_ROLES["payment"])]
        self.assertEqual(len(set(codes)), len(codes))
        self.assertLess(max(codes), 32)
        self.assertEqual(sorted(kind for touched in TOUCH_KINDS.values() for kind in touched), sorted(kinds))

    def test_a_rule_rewards_only_roles_that_its_kind_has(self):
        program = self._create_program([{}])
        for kind, possible in KIND_ROLES.items():
            for role, _label in CONTRIBUTION_ROLES:
                with self.subTest(kind=kind, role=role):
                    if role in possible:
                        self._create_rule(program, kind=kind, role=role, name=f"{kind} {role}")
                    else:
                        with self.assertRefused("possible is “", ValidationError):
                            self._create_rule(program, kind=kind, role=role)
        rule = program.rule_ids[0]
        with self.assertRefused(
            "“Commission” cannot reward “Buyer” where “Certificate” counts: possible is “Member Itself”.",
            ValidationError,
        ):
            rule.kind = "certificate"
        rule.write({"kind": "certificate", "role": "member"})
        self.assertRecordValues(rule, [{"kind": "certificate", "role": "member"}])

    def test_tiers_follow_only_roles_that_their_kind_has(self):
        program = self._create_program([{}])
        with self.assertRefused(
            "The tiers of “Dealer Club” cannot follow “Supplier” where “Invoice” counts: "
            "possible is “Buyer”, “Referrer”.",
            ValidationError,
        ):
            program.tier_role = "supplier"
        program.write({"tier_kind": "bill", "tier_role": "supplier"})
        self.assertEqual(program.tier_kind, "bill")

    def test_tiers_can_follow_what_was_bought_from_a_manufacturer(self):
        program = self._create_program(
            [{}], tiers=[("Silver", 0), ("Gold", 500)], tier_kind="bill", tier_role="supplier"
        )
        member = self._enroll(program, self.stranger)
        self._create_bill(self.stranger, 600, date="2026-02-10")
        program._evaluate_tiers()
        self.assertEqual(member.tier_id.name, "Gold")
        action = member.action_view_performance()
        filters = self.env["partner.loyalty.contribution"].get_views([(False, "search")])["views"]["search"]["arch"]
        for name in action["context"]:
            self.assertIn(f'name="{name.removeprefix("search_default_")}"', filters)

    def test_the_rows_of_all_kinds_have_ids_of_their_own_and_columns_that_fit(self):
        self._create_program([{}])
        self._create_lead(self.dealer, loyalty_partner_id=self.referrer.id)
        self._create_bill(self.stranger, 10, 20)
        self._take(self._create_survey(), self.dealer)
        self.env.flush_all()
        Contribution = self.env["partner.loyalty.contribution"]
        ids = [row[0] for row in self.env.execute_query(Contribution._table_query)]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLess(max(ids), 2**53)
        types = []
        for kind, role in BRANCH_CODES:
            self.env.cr.execute(
                SQL("SELECT * FROM (%s) branch LIMIT 0", getattr(Contribution, f"_get_contribution_query_{kind}")(role))
            )
            types.append([(column.name, column.type_code) for column in self.env.cr.description[3:]])
        # The model of a document, and the like, is an untyped constant in some and a text in others.
        self.assertEqual(len({tuple(name for name, _type in columns) for columns in types}), 1)
        for columns in types:
            self.assertEqual(dict(columns)["amount"], 1700)

    # === INDEXES ===#

    def _get_index_conditions(self, kind, role, conditions, date_from=None):
        """Return what indexes are searched for where only one kind is asked for."""
        query = self.program._get_contribution_query(kind, role, date_from, None, domain=conditions)
        plan = self.env.execute_query(SQL("EXPLAIN (FORMAT JSON) %s", query.select()))[0][0]
        found, nodes = [], [(plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]]
        while nodes:
            node = nodes.pop()
            nodes += node.get("Plans", ())
            if "Index Cond" in node:
                found.append(f"{node['Index Name']}: {node['Index Cond']}")
        return found

    def _copy_many(self, record, **values):
        """Insert copies of a record by SQL, of another partner and from long ago.

        :param values: columns in which the copies differ, as SQL over their number ``n``
        """
        differing = SQL(", ").join(SQL("%s, %s", name, value) for name, value in values.items())
        self.env.cr.execute(
            SQL(
                """INSERT INTO %(table)s
                   SELECT copy.*
                     FROM %(table)s model, generate_series(1, 3000) n,
                          LATERAL jsonb_build_object('id', 1000000 + n, %(differing)s) difference,
                          LATERAL jsonb_populate_record(model, difference) copy
                    WHERE model.id = %(id)s""",
                table=SQL.identifier(record._table),
                id=record.id,
                differing=differing,
            )
        )
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(record._table)))

    def _create_many_documents(self):
        """Let the planner have enough to choose, and not read any table from end to end."""
        member = self._enroll(self.program, self.dealer)
        deal = self.env["partner.loyalty.deal"].create(
            {"member_id": member.id, "name": "Chairs", "customer_name": "Hotel"}
        )
        lead, bill = self._create_lead(self.dealer), self._create_bill(self.dealer, 10)
        answer = self._take(self._create_survey(), self.dealer)
        self.env.flush_all()
        other, past, text = SQL("%s::integer", self.stranger.id), SQL("'2020-01-01'::text"), SQL("n::text")
        self._copy_many(lead, loyalty_buyer_id=other, loyalty_partner_id=other, date_closed=past)
        decided = {"decided_by_id": SQL("%s", SUPERUSER_ID), "submitted_by_id": SQL("%s", self.env.uid)}
        decided.update(state=SQL("'approved'::text"), decided_at=past, submitted_at=past)
        self._copy_many(deal, partner_id=other, **decided)
        self._copy_many(answer, loyalty_holder_id=other, end_datetime=past, access_token=text)
        self._copy_many(bill, commercial_partner_id=other, invoice_date=past, name=text)
        self._copy_many(bill.invoice_line_ids, move_id=SQL("1000000 + n"))
        self.env.cr.execute("SET LOCAL enable_seqscan = off")

    def test_a_filter_on_documents_partner_or_date_reaches_an_index(self):
        self.program = self._create_program([{}])
        self._create_many_documents()
        partner = [("partner_id", "=", self.dealer.id)]
        day = self._day(TODAY)
        for kind, role, conditions, date_from, expected in (
            ("opportunity", "buyer", [("document_id", "=", 7)], None, "crm_lead_pkey: (id = 7)"),
            ("opportunity", "buyer", partner, None, "crm_lead__loyalty_buyer_id_index: (loyalty_buyer_id ="),
            ("opportunity", "referrer", partner, None, "crm_lead__loyalty_partner_id_index: (loyalty_partner_id ="),
            ("opportunity", "buyer", [], day, "crm_lead_loyalty_won_idx: (date_closed >="),
            ("deal", "referrer", [("document_id", "=", 7)], None, "partner_loyalty_deal_pkey: (id = 7)"),
            ("deal", "referrer", partner, None, "partner_loyalty_deal__partner_id_index: (partner_id ="),
            ("deal", "referrer", [], day, "partner_loyalty_deal_approved_idx: (decided_at >="),
            ("certificate", "member", [("document_id", "=", 7)], None, "survey_user_input_pkey: (id = 7)"),
            (
                "certificate",
                "member",
                partner,
                None,
                "survey_user_input__loyalty_holder_id_index: (loyalty_holder_id =",
            ),
            ("certificate", "member", [], day, "survey_user_input_loyalty_passed_idx: (end_datetime >="),
            ("bill", "supplier", [("document_id", "=", 7)], None, "account_move_pkey: (id = 7)"),
            ("bill", "supplier", partner, None, "account_move__commercial_partner_id_index: ((commercial_partner_id"),
            ("bill", "supplier", [], day, "account_move__invoice_date_index: (invoice_date >="),
        ):
            with self.subTest(kind=kind, role=role, expected=expected):
                found = self._get_index_conditions(kind, role, conditions, date_from)
                self.assertTrue(any(condition.startswith(expected) for condition in found), found)

    # === COLUMNS FILLED AT INSTALLATION ===#

    def test_installing_fills_the_companies_of_documents_by_sql(self):
        order = self._create_order(self.dealer_contact, 10)
        lead = self._create_lead(self.dealer_contact)
        answer = self._take(self._create_survey(), self.dealer_contact)
        self.env.flush_all()
        for table, column in COMPANY_COLUMNS:
            self.env.cr.execute(SQL("ALTER TABLE %s DROP COLUMN %s", SQL.identifier(table), SQL.identifier(column)))
        with self._record_queries() as queries:
            pre_init_hook(self.env)
            pre_init_hook(self.env)
        self.assertEqual(len([query for query in queries if query.startswith("UPDATE")]), len(COMPANY_COLUMNS))
        self.env.invalidate_all()
        self.assertEqual((order.loyalty_buyer_id, lead.loyalty_buyer_id), (self.dealer, self.dealer))
        self.assertEqual(answer.loyalty_holder_id, self.dealer)


@tagged("post_install", "-at_install")
class TestOpportunity(KindsCommon):
    roles = ()

    def test_a_won_opportunity_counts_for_who_buys_and_who_brought_it(self):
        lead = self._create_lead(self.dealer_contact, loyalty_partner_id=self.referrer.id)
        rows = self._get_contributions(lead)
        self.assertRecordValues(
            rows,
            [
                {
                    "kind": "opportunity",
                    "role": role,
                    "partner_id": partner.id,
                    "customer_id": self.dealer.id,
                    "company_id": self.company.id,
                    "origin_model": "crm.lead",
                    "origin_id": lead.id,
                    "document_name": "Chairs",
                    "date": self._day(TODAY),
                    "rate_date": self._day(TODAY),
                    "amount": 1000,
                    "currency_id": self.company.currency_id.id,
                    "quantity": 1,
                }
                for role, partner in (("buyer", self.dealer), ("referrer", self.referrer))
            ],
        )

    def test_neither_an_open_nor_a_lost_one_counts(self):
        self.assertFalse(self._get_contributions(self._create_lead(self.dealer, win=False)))
        lead = self._create_lead(self.dealer)
        self.assertTrue(self._get_contributions(lead))
        lead.stage_id = self.open
        self.assertFalse(self._get_contributions(lead))
        lead.action_set_lost()
        self.assertFalse(self._get_contributions(lead))

    def test_one_without_a_customer_counts_for_who_brought_it_and_one_for_oneself_does_not(self):
        anonymous = self._create_lead(loyalty_partner_id=self.referrer.id)
        self.assertEqual(self._get_contributions(anonymous).partner_id, self.referrer)
        own = self._create_lead(self.dealer_contact, loyalty_partner_id=self.dealer.id)
        self.assertEqual(self._get_contributions(own).mapped("role"), ["buyer"])

    def test_one_without_a_company_belongs_to_that_of_its_team_or_to_none(self):
        team = self.env["crm.team"].create({"name": "Team", "company_id": self.company.id})
        lead = self._create_lead(self.dealer, team_id=team.id)
        self.env.cr.execute("UPDATE crm_lead SET company_id = NULL WHERE id = %s", [lead.id])
        self.env.invalidate_all()
        self.assertEqual(self._get_contributions(lead).company_id, self.company)
        team.company_id = False
        self.assertFalse(self._get_contributions(lead))

    def test_the_day_is_that_of_the_time_zone(self):
        lead = self._create_lead(self.dealer)
        lead.date_closed = "2026-03-18 23:30:00"
        self.assertEqual(str(self._get_contributions(lead, tz="Europe/Kyiv").date), "2026-03-19")
        self.env.invalidate_all()
        self.assertEqual(str(self._get_contributions(lead).date), "2026-03-18")

    def test_a_contact_that_moves_to_another_company_takes_no_opportunity_along(self):
        lead = self._create_lead(self.dealer_contact)
        self.dealer_contact.parent_id = self.stranger
        self.assertEqual(self._get_contributions(lead).partner_id, self.dealer)

    def test_what_moves_a_won_opportunity_leaves_a_mark_and_nothing_else_does(self):
        lead = self._create_lead(self.dealer, win=False)
        self.assertTouches(lead, lambda: lead.write({"expected_revenue": 10}), touches=False)
        self.assertTouches(lead, lambda: lead.write({"stage_id": self.won.id}))
        for values in (
            {"expected_revenue": 500},
            {"partner_id": self.stranger.id},
            {"loyalty_partner_id": self.referrer.id},
            {"date_closed": "2026-03-01"},
            {"company_id": False},
            {"active": False},
            {"active": True},
        ):
            with self.subTest(values=values):
                self.assertTouches(lead, lambda values=values: lead.write(values))
        self.assertTouches(lead, lambda: lead.write({"name": "Tables"}), touches=False)
        self.assertTouches(lead, lambda: lead.write({"stage_id": self.open.id}))
        self.assertTouches(lead, lambda: lead.write({"stage_id": self.won.id}))
        self.assertTouches(lead, lambda: self._lose(lead))
        lead.action_set_won()
        self.assertTouches(lead, lead.unlink)

    def test_one_that_is_won_from_the_start_leaves_a_mark(self):
        self._get_marks()
        lead = self._create_lead(self.dealer, win=False, stage_id=self.won.id)
        self.assertEqual(self._get_marks(), [("crm.lead", lead.id)])

    def test_a_rule_earns_follows_and_takes_back(self):
        program = self._create_program(
            [{"kind": "opportunity", "role": "referrer"}, {"kind": "opportunity", "rate": 1, "name": "Own"}]
        )
        member, buyer = self._enroll(program, self.referrer), self._enroll(program, self.dealer)
        lead = self._create_lead(self.dealer, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        lead.expected_revenue = 1500
        self._answer_documents()
        self.assertEntries(member, [100, 50])
        self.assertEntries(buyer, [10, 5])
        self._lose(lead)
        self._answer_documents()
        self.assertEntries(member, [100, 50, -150])
        self.assertInLine(program)
        lead.action_set_won()
        self._answer_documents()
        self.assertBalance(member, 150)
        lead.unlink()
        self._answer_documents()
        self.assertBalance(member, 0)
        self.assertBalance(buyer, 0)
        self.assertInLine(program)

    def test_one_that_moves_to_another_company_takes_along_what_it_earned(self):
        program = self._create_program([{"kind": "opportunity"}])
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.env.user.company_ids += company
        elsewhere = self._create_program(
            [{"kind": "opportunity", "rate": 7}],
            company_id=company.id,
            payout_journal_id=False,
            payout_product_id=False,
            name="Elsewhere",
        )
        here, there = self._enroll(program, self.dealer), self._enroll(elsewhere, self.dealer)
        lead = self._create_lead(self.dealer, user_id=False, team_id=False)
        self._answer_documents()
        lead.company_id = company
        self._answer_documents()
        self.assertEntries(here, [100, -100])
        self.assertEntries(there, [70])

    def test_a_program_counts_from_midnight_of_its_time_zone(self):
        program = self._create_program([{"kind": "opportunity"}], tz="Pacific/Kiritimati", date_from="2026-03-19")
        member = self._enroll(program, self.dealer, date_from="2026-03-19")
        for moment in ("2026-03-18 09:59:59", "2026-03-18 10:00:00"):
            self._create_lead(self.dealer).date_closed = moment
        self._answer_documents()
        self.assertEntries(member, [100])
        self.assertInLine(program)

    def test_the_checks_find_earnings_that_were_left_behind(self):
        program = self._create_program([{"kind": "opportunity"}])
        self._enroll(program, self.dealer)
        lead = self._create_lead(self.dealer)
        self._answer_documents()
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        for fault, code in (
            (SQL("UPDATE crm_lead SET company_id = %s WHERE id = %s", other.id, lead.id), "I11b"),
            (SQL("DELETE FROM crm_lead WHERE id = %s", lead.id), "I16"),
        ):
            with self.subTest(code=code), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(fault)
                found = self.env["partner.loyalty.invariant"]._find_violations(program)
                self.assertEqual([invariant.code for invariant, ids in found if ids], [code])
                savepoint.rollback()
            self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCertificate(KindsCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}])

    def test_a_passed_certification_counts_for_the_company_of_who_took_it(self):
        answer = self._take(self._create_survey(), self.dealer_contact)
        self.assertRecordValues(
            self._get_contributions(answer, company_id=self.company.id),
            [
                {
                    "kind": "certificate",
                    "role": "member",
                    "partner_id": self.dealer.id,
                    "origin_model": "survey.user_input",
                    "origin_id": answer.id,
                    "document_name": "Product Trainer",
                    "date": self._day(TODAY),
                    "rate_date": self._day(TODAY),
                    "amount": 0,
                    "quantity": 1,
                }
            ],
        )

    def test_what_is_not_passed_or_no_certification_or_a_test_does_not_count(self):
        survey = self._create_survey()
        for answer in (
            self._take(survey, self.dealer, right=False),
            self._take(survey, self.dealer, done=False),
            self._take(survey, self.dealer, test_entry=True),
            self._take(survey, None),
            self._take(self._create_survey(certification=False), self.dealer),
        ):
            with self.subTest(answer=answer):
                self.assertFalse(self._get_contributions(answer))

    def test_it_counts_in_each_company_that_has_a_program_once(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.env["res.company"].sudo().create({"name": "Without program"})
        self.env.user.company_ids += company
        for name in ("Elsewhere", "Once more"):
            self._create_program(
                [{}], company_id=company.id, payout_journal_id=False, payout_product_id=False, name=name
            )
        answer = self._take(self._create_survey(), self.dealer)
        rows = self._get_contributions(answer, company_id=self.company.id)
        rows += self._get_contributions(answer, company_id=company.id)
        self.assertEqual(rows.company_id, self.company + company)
        self.assertEqual(len(rows), 2)
        self.assertFalse(self._get_contributions(answer) - rows - self._get_rows_of_others(answer))

    def _get_rows_of_others(self, answer):
        """Return what counts in companies that had programs before the test."""
        companies = self.env["partner.loyalty.program"].sudo().search([]).company_id
        return self._get_contributions(answer).filtered(lambda row: row.company_id in companies)

    def test_a_contact_that_moves_to_another_company_takes_no_certificate_along(self):
        answer = self._take(self._create_survey(), self.dealer_contact)
        self.dealer_contact.parent_id = self.stranger
        self.assertEqual(self._get_contributions(answer, company_id=self.company.id).partner_id, self.dealer)

    def test_the_day_is_that_of_the_time_zone(self):
        answer = self._take(self._create_survey(), self.dealer)
        answer.end_datetime = Datetime.to_datetime("2026-03-18 23:30:00")
        for zone, day in (("UTC", "2026-03-18"), ("Europe/Kyiv", "2026-03-19")):
            self.env.invalidate_all()
            row = self._get_contributions(answer, tz=zone, company_id=self.company.id)
            self.assertEqual(str(row.date), day)

    def test_completing_scoring_and_deleting_leave_marks(self):
        survey = self._create_survey()
        self._get_marks()
        answer = self._take(survey, self.dealer, done=False)
        self.assertEqual(self._get_marks(), [])
        self.assertTouches(answer, answer._mark_done)
        self.assertTouches(answer, lambda: answer.user_input_line_ids.write({"answer_score": 0}))
        self.assertFalse(self._get_contributions(answer))
        self.assertTouches(answer, lambda: answer.write({"partner_id": self.stranger.id}))
        self.assertTouches(answer, lambda: answer.write({"test_entry": True}))
        self.assertTouches(answer, lambda: answer.write({"test_entry": False}))
        self.assertTouches(answer, lambda: answer.write({"nickname": "Joe"}), touches=False)
        self.assertTouches(answer, answer.unlink)

    def test_deleting_a_survey_marks_its_answers(self):
        survey = self._create_survey()
        answer = self._take(survey, self.dealer)
        self.assertTouches(answer, survey.unlink)
        self.assertFalse(answer.exists())

    def test_what_is_no_certification_leaves_no_mark(self):
        survey = self._create_survey(certification=False)
        self._get_marks()
        self._take(survey, self.dealer)
        self._take(self._create_survey(), self.dealer, test_entry=True)
        self.assertEqual(self._get_marks(), [])

    def test_the_checks_find_earnings_of_an_answer_that_is_gone(self):
        member = self._enroll(self.program, self.dealer)
        answer = self._take(self._create_survey(), self.dealer)
        entry = self._post_entry(member, 10, origin=answer, rule_id=self.program.rule_ids.id)
        self._get_marks()
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(SQL("DELETE FROM survey_user_input WHERE id = %s", answer.id))
            found = {i.code: ids for i, ids in self.env["partner.loyalty.invariant"]._find_violations(self.program)}
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(found["I16"], entry.ids)


@tagged("post_install", "-at_install")
class TestBill(KindsCommon):
    roles = ("officer", "manager")

    def test_lines_of_a_bill_count_for_the_supplier(self):
        contact = self._create_partner(name="Sales of Stranger", parent_id=self.stranger.id)
        bill = self._create_bill(contact, 100, 50)
        self.assertRecordValues(
            self._get_contributions(bill),
            [
                {
                    "kind": "bill",
                    "role": "supplier",
                    "partner_id": self.stranger.id,
                    "company_id": self.company.id,
                    "origin_model": "account.move",
                    "origin_id": bill.id,
                    "document_name": bill.name,
                    "date": self._day(TODAY),
                    "amount": amount,
                    "quantity": 1,
                    "product_id": self.thing.id,
                }
                for amount in (100, 50)
            ],
        )
        receipt = self._create_sale_invoice(self.stranger, 30, move_type="in_receipt")
        self.assertEqual(self._get_contributions(receipt).mapped("amount"), [30])

    def test_a_credit_note_belongs_to_its_bill_or_stands_alone(self):
        bill = self._create_bill(self.stranger, 100, date="2026-02-10")
        for credit_note, origin, rate_date in (
            (self._credit(bill, 30), bill, "2026-02-10"),
            (self._create_sale_invoice(self.stranger, 30, move_type="in_refund"), None, TODAY),
        ):
            self.assertRecordValues(
                self._get_contributions(credit_note),
                [
                    {
                        "amount": -30,
                        "quantity": -1,
                        "origin_id": (origin or credit_note).id,
                        "rate_date": self._day(rate_date),
                    }
                ],
            )

    def test_neither_drafts_nor_customer_invoices_are_bills(self):
        self.assertFalse(self._get_contributions(self._create_bill(self.stranger, 100, post=False)))
        self.assertFalse(self._get_contributions(self._create_sale_invoice(self.stranger, 100), kind="bill"))
        self.assertFalse(self._get_contributions(self._create_bill(self.stranger, 100), kind="invoice"))

    def test_the_bill_of_a_payout_and_what_reverses_it_never_count(self):
        member = self._enroll(self._create_program([{"kind": "bill", "role": "supplier"}]), self.dealer)
        self._post_entry(member, 100)
        bill = self._bill_payout(member).bill_id
        self._get_marks()
        credit_note = self._credit(bill)
        again = credit_note._reverse_moves([{"invoice_date": TODAY, "date": TODAY}])
        again.action_post()
        for move in (bill, credit_note, again):
            with self.subTest(move=move.name):
                self.assertEqual(move.state, "posted")
                self.assertFalse(self._get_contributions(move))
        entries = self._get_entries(member)
        self._answer_documents()
        self.assertEqual(self._get_entries(member), entries)

    def test_bills_leave_marks_as_invoices_do_and_those_of_payouts_none(self):
        bill = self._create_bill(self.stranger, 100, post=False)
        self.assertTouches(bill, bill.action_post)
        self.assertTouches(bill, lambda: self._pay(bill), touches=False)
        self.assertTouches(bill, bill.button_draft)
        member = self._enroll(self._create_program([{}]), self.dealer)
        self._post_entry(member, 100)
        payout = self._approve_payout(member)
        self.assertTouches(payout.bill_id, payout.bill_id.action_post, touches=False)

    def test_a_rule_earns_follows_and_takes_back(self):
        program = self._create_program([{"kind": "bill", "role": "supplier"}])
        member = self._enroll(program, self.stranger)
        bill = self._create_bill(self.stranger, 100)
        self._answer_documents()
        self._credit(bill, 30)
        self._answer_documents()
        self.assertEntries(member, [10, -3])
        bill.button_draft()
        self._answer_documents()
        bill.invoice_line_ids.price_unit = 200
        bill.action_post()
        self._answer_documents()
        self.assertBalance(member, 17)
        self._credit(bill, 170)
        self._answer_documents()
        self.assertBalance(member, 0)
        self.assertInLine(program)

    def test_a_bill_in_another_currency_counts_in_that_of_the_company(self):
        dollar = self.setup_other_currency("USD", rates=[("2016-01-01", 2)])
        bill = self._create_bill(self.stranger, 100, currency_id=dollar.id)
        self.assertRecordValues(
            self._get_contributions(bill), [{"amount": 50, "document_amount": 100, "document_rate": 2}]
        )
