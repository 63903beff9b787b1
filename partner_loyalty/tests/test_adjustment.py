from contextlib import contextmanager
from datetime import date

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open

from .common import TODAY, PartnerLoyaltyCommon

COLUMNS = ["program_id", "partner_id", "kind", "unit", "amount", "reason", "external_ref", "date", "expiry_date"]


@tagged("post_install", "-at_install")
class TestAdjustment(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "administrator", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], maturity_days=14)
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]

    def _prepare_adjustment(self, **values):
        return {"member_id": self.member.id, "unit": "money", "amount": 20, "reason": "Goodwill", **values}

    def _create_adjustment(self, user=None, **values):
        Adjustment = self.env["partner.loyalty.adjustment"].with_user(user or self.officer)
        return Adjustment.create(self._prepare_adjustment(**values))

    def _request(self, *args, **values):
        adjustment = self._create_adjustment(*args, **values)
        adjustment.action_request()
        return adjustment

    def _approve(self, *args, **values):
        adjustment = self._request(*args, **values)
        adjustment.with_user(self.manager).action_approve()
        return adjustment

    def _load(self, *rows):
        """Import rows as the import dialog does; each lacks the program and the kind, which come first."""
        Adjustment = self.env["partner.loyalty.adjustment"].with_user(self.officer)
        return Adjustment.load(COLUMNS, [["Dealer Club", row[0], "Opening Balance", *row[1:]] for row in rows])

    @contextmanager
    def _assert_nothing_new(self):
        before = self.env["partner.loyalty.adjustment"].search_count([])
        yield
        self.assertEqual(self.env["partner.loyalty.adjustment"].search_count([]), before)

    # === LIFE ===#

    def test_a_draft_and_a_request_leave_the_balance_alone(self):
        adjustment = self._create_adjustment()
        self.assertTrue(adjustment.name.startswith("ADJ/2026/"))
        self.assertRecordValues(
            adjustment,
            [
                {
                    "state": "draft",
                    "date": self._day(TODAY),
                    "program_id": self.program.id,
                    "partner_id": self.dealer.id,
                    "company_id": self.company.id,
                    "money_amount": 20,
                    "point_amount": 0,
                }
            ],
        )
        adjustment.action_request()
        self.assertRecordValues(adjustment, [{"state": "requested", "requested_by_id": self.officer.id}])
        self.assertEntries(self.member, [])

    def test_approval_puts_it_on_the_statement_with_its_reason_and_it_can_be_spent_at_once(self):
        adjustment = self._approve(external_ref=" T-1 ")
        self.assertRecordValues(
            adjustment, [{"state": "approved", "decided_by_id": self.manager.id, "external_ref": "T-1"}]
        )
        self.assertRecordValues(
            adjustment.entry_id,
            [
                {
                    "type": "adjustment",
                    "amount": 20,
                    "origin_model": "partner.loyalty.adjustment",
                    "origin_id": adjustment.id,
                    "origin_name": adjustment.name,
                    "explanation_text": "Goodwill",
                    "external_ref": "T-1",
                    "mature_date": self._day(TODAY),
                    "expiry_date": False,
                    "user_id": self.manager.id,
                }
            ],
        )
        self.assertRecordValues(self.member, [{"money_balance": 20, "money_available": 20}])

    def test_points_go_on_the_account_for_points(self):
        self._approve(unit="point", amount=7)
        self.assertRecordValues(self.member, [{"money_balance": 0, "point_balance": 7}])

    def test_a_deduction_takes_from_what_is_there(self):
        lot = self._post_entry(self.member, 50)
        self._approve(amount=-30)
        self.assertBalance(self.member, 20)
        self.assertEqual(lot.amount_open, 20)

    def test_a_deduction_of_more_than_is_there_is_refused(self):
        self._post_entry(self.member, 10)
        adjustment = self._request(amount=-30)
        with self.assertRefused("takes more than Dealer has: 20.00"):
            adjustment.with_user(self.manager).action_approve()
        self.assertRecordValues(adjustment, [{"state": "requested", "entry_id": False}])
        self.assertBalance(self.member, 10)

    def test_a_deduction_beside_a_debt_is_refused(self):
        self._post_entry(self.member, -5)
        self._post_entry(self.member, 30)
        adjustment = self._request(amount=-26)
        with self.assertRefused("takes more than"):
            adjustment.with_user(self.manager).action_approve()
        self._approve(amount=-25)
        self.assertBalance(self.member, 0)

    def test_an_addition_pays_debts_first(self):
        debt = self._post_entry(self.member, -15)
        entry = self._approve(amount=20).entry_id
        self.assertEqual((debt.amount_open, entry.amount_open), (0, 5))

    def test_an_opening_debt_is_paid_by_what_is_earned_later(self):
        opening = self._approve(kind="opening", amount=-8)
        self.assertRecordValues(opening.entry_id, [{"type": "opening", "amount_open": -8}])
        self.assertBalance(self.member, -8)
        self._create_sale_invoice(self.dealer, 100)
        earned = self._answer_documents()
        self.assertBalance(self.member, 2)
        self.assertEqual((opening.entry_id.amount_open, earned.amount_open), (0, 2))

    def test_a_withdrawn_adjustment_cannot_be_requested_or_approved(self):
        adjustment = self._request()
        adjustment.action_cancel()
        for action in (adjustment.action_request, adjustment.with_user(self.manager).action_approve):
            with self.assertRefused("cannot be changed this way any more"):
                action()
        self.assertEntries(self.member, [])

    def test_an_approved_adjustment_can_neither_be_refused_withdrawn_nor_deleted(self):
        adjustment = self._approve()
        with self.assertRefused("any more"):
            adjustment.with_user(self.users["administrator"]).action_refuse("No")
        with self.assertRefused("any more"):
            adjustment.action_cancel()
        with self.assertRefused("only drafts can be deleted"):
            adjustment.unlink()
        self._create_adjustment().unlink()

    # === DAYS ===#

    def test_a_day_in_a_locked_period_moves_to_the_first_open_day(self):
        self.program.lock_date = "2026-02-28"
        entry = self._approve(date="2026-02-10").entry_id
        self.assertRecordValues(
            entry,
            [
                {
                    "date": self._day("2026-03-01"),
                    "mature_date": self._day("2026-03-01"),
                    "contribution_date": self._day("2026-02-10"),
                    "prior_period": True,
                }
            ],
        )

    def test_a_day_to_come_is_approved_when_it_has_come(self):
        adjustment = self._request(date="2026-03-20")
        with self.assertRefused("counts from a day to come"):
            adjustment.with_user(self.manager).action_approve()
        with self._in_days(2):
            adjustment.with_user(self.manager).action_approve()
        self.assertEqual(adjustment.entry_id.date, self._day("2026-03-20"))

    def test_it_expires_as_the_program_says_or_as_it_says_itself(self):
        program = self._create_program([{}], name="Short", expiry_kind="months", expiry_months=6)
        member = self._enroll(program, self.dealer)
        vals = {"member_id": member.id, "unit": "point", "date": "2026-01-31"}
        by_program = self._approve(**vals)
        by_itself = self._approve(**vals, expiry_date="2026-03-31")
        self.assertEqual(by_program.entry_id.expiry_date, self._day("2026-07-31"))
        self.assertEqual(by_itself.entry_id.expiry_date, self._day("2026-03-31"))
        with self._in_days(14):
            self.env["partner.loyalty.entry"]._expire(member.account_ids.ids)
            self.assertEntries(member, [20, 20, -20], unit="point")
        self.assertFalse(self._approve(member_id=member.id).entry_id.expiry_date, "Money does not expire here.")

    def test_it_expires_without_sales_counted_from_its_own_day(self):
        program = self._create_program([{}], name="Idle", expiry_kind="idle", expiry_months=3)
        member = self._enroll(program, self.dealer)
        entry = self._approve(member_id=member.id, unit="point").entry_id
        self.assertEqual(entry.expires_on, self._day("2026-06-18"))
        self.assertEqual(member.point_available, 20)
        self._post_entry(member, 5, unit="point", contribution_date="2026-01-02", idle_months=3)
        self.env.invalidate_all()
        self.assertEqual(entry.expires_on, self._day("2026-06-18"), "An old sale does not shorten it.")
        self._post_entry(member, 5, unit="point", contribution_date="2026-05-02", idle_months=3)
        self.env.invalidate_all()
        self.assertEqual(entry.expires_on, self._day("2026-08-02"), "A later sale extends it.")

    def test_odd_days_are_refused(self):
        for values, words in (
            ({"date": "0026-01-01"}, "four digits"),
            ({"expiry_date": "2026-03-17"}, "cannot expire before it counts"),
            ({"expiry_date": "2026-12-31", "amount": -5}, "does not expire"),
        ):
            with self.subTest(values=values), self.assertRefused(words, ValidationError):
                self._create_adjustment(**values)

    # === FIGURES ===#

    def test_amounts_that_are_none_or_too_fine_are_refused(self):
        for values, words in (
            ({"amount": 0}, "other than zero"),
            ({"amount": float("nan")}, "is not a number"),
            ({"amount": float("inf")}, "is not a number"),
            ({"amount": 10**12}, "is not a number"),
            ({"amount": 1.234}, "steps of 0.01"),
            ({"amount": 1.00001}, "steps of 0.01"),
            ({"amount": 1.5, "unit": "point"}, "steps of 1"),
            ({"reason": " "}, "needs a reason"),
        ):
            with self.subTest(values=values), self._assert_nothing_new(), self.assertRefused(words, ValidationError):
                self._create_adjustment(**values)
        adjustment = self._create_adjustment(amount=0.1 + 0.2)
        self.assertEqual(adjustment.amount, 0.3)
        with self.assertRefused("steps of 0.01", ValidationError):
            adjustment.amount = 0.305
        with self.assertRefused("steps of 1", ValidationError):
            adjustment.unit = "point"

    def test_points_are_as_fine_as_the_program_says(self):
        self.program.point_digits = 2
        self.assertEqual(self._approve(unit="point", amount=1.25).entry_id.amount, 1.25)
        with self.assertRefused("steps of 0.01", ValidationError):
            self._create_adjustment(unit="point", amount=1.125)

    # === APPROVAL ===#

    def test_nobody_approves_what_they_entered_or_requested(self):
        entered = self._create_adjustment(user=self.manager)
        entered.with_user(self.officer).action_request()
        requested = self._create_adjustment()
        requested.with_user(self.manager).action_request()
        for adjustment in (entered, requested):
            mine = adjustment.with_user(self.manager)
            self.assertFalse(mine.can_approve)
            with self.assertRefused("yourself"):
                mine.action_approve()
            with self.assertRefused("yourself"):
                mine.action_refuse("No")
        (entered | requested).with_user(self.users["administrator"]).action_approve()
        self.assertBalance(self.member, 40)

    def test_nobody_approves_for_their_own_company(self):
        self.manager.partner_id.parent_id = self.dealer
        adjustment = self._request().with_user(self.manager)
        self.assertFalse(adjustment.can_approve)
        with self.assertRefused("your own company"):
            adjustment.action_approve()

    def test_only_managers_approve_and_refuse(self):
        adjustment = self._request()
        other_officer = self._create_role_user("officer_2", "partner_loyalty.partner_loyalty_group_officer")
        for user in (self.officer, other_officer):
            self.assertFalse(adjustment.with_user(user).can_approve)
            with self.assertRefused("approved by a loyalty manager"):
                adjustment.with_user(user).action_approve()
            with self.assertRefused("approved by a loyalty manager"):
                adjustment.with_user(user).action_refuse("No")
        self.assertEqual(adjustment.state, "requested")

    def test_accountants_read_and_salespeople_do_not(self):
        adjustment = self._approve()
        self.assertEqual(adjustment.with_user(self.users["accountant"]).read(["amount"])[0]["amount"], 20)
        with self.assertRefused("", AccessError):
            self._create_adjustment(user=self.users["accountant"])
        salesperson = self._create_role_user("seller", "sales_team.group_sale_salesman")
        with self.assertRefused("", AccessError):
            adjustment.with_user(salesperson).read(["amount"])

    def test_a_refusal_needs_a_reason_and_keeps_it(self):
        adjustment = self._request()
        with self.assertRefused("Say why"):
            adjustment.with_user(self.manager).action_refuse()
        wizard = (
            self.env["partner.loyalty.adjustment.refuse"]
            .with_user(self.manager)
            .with_context(active_ids=adjustment.ids, active_model="partner.loyalty.adjustment")
            .create({"reason": "No letter"})
        )
        wizard.action_refuse()
        self.assertRecordValues(
            adjustment, [{"state": "refused", "refuse_reason": "No letter", "decided_by_id": self.manager.id}]
        )
        self.assertEntries(self.member, [])

    def test_many_are_approved_in_one_posting(self):
        other = self._enroll(self.program, self.referrer)
        adjustments = (
            self._request()
            | self._request(amount=-5)
            | self._request(unit="point", amount=100)
            | self._request(member_id=other.id, amount=-3, kind="opening")
        )
        with self._record_queries() as queries:
            adjustments.with_user(self.manager).action_approve()
        postings = [query for query in queries if "FROM partner_loyalty_adjustment adjustment" in query]
        self.assertEqual(len(postings), 1)
        self.assertIn("INSERT INTO partner_loyalty_entry", postings[0])
        self.assertRecordValues(self.member, [{"money_balance": 15, "point_balance": 100}])
        self.assertBalance(other, -3)

    def test_approving_twice_posts_once(self):
        adjustments = self._request() | self._request()
        adjustments[0].with_user(self.manager).action_approve()
        adjustments.with_user(self.manager).action_approve()
        with self.assertRefused("cannot be changed this way any more"):
            adjustments.with_user(self.manager).action_approve()
        self.assertEntries(self.member, [20, 20])

    def test_of_many_either_all_are_approved_or_none(self):
        self.manager.partner_id.parent_id = self.referrer
        own = self._request(member_id=self._enroll(self.program, self.referrer).id)
        too_much = self._request(amount=-1000)
        for bad, words in ((own, "your own company"), (too_much, "takes more than")):
            with self.assertRefused(words):
                (self._request() | bad).with_user(self.manager).action_approve()
        self.assertEntries(self.member, [])

    def test_the_responsible_manager_is_asked_once_for_all_of_them(self):
        self.program.user_id = self.manager
        adjustments = self._create_adjustment() | self._create_adjustment()
        adjustments.action_request()
        activity = adjustments.sudo().activity_ids
        self.assertRecordValues(activity, [{"user_id": self.manager.id, "summary": "Adjustments to approve: 2"}])
        adjustments.with_user(self.manager).action_approve()
        self.assertFalse(adjustments.sudo().activity_ids)

    # === EXTERNAL REFERENCE ===#

    def test_the_same_reference_with_the_same_figures_is_the_same_adjustment(self):
        first = self._approve(external_ref="OLD-1")
        self.assertEqual(self._create_adjustment(external_ref="OLD-1 ", reason="Again"), first)
        self.assertEqual(first.reason, "Goodwill")
        drafts = self.env["partner.loyalty.adjustment"].create(
            [self._prepare_adjustment(external_ref=ref) for ref in ("OLD-1", "OLD-2", False, "OLD-2", "")]
        )
        self.assertEqual(drafts[0].id, first.id)
        self.assertEqual(drafts[1], drafts[3])
        self.assertEqual(len(set(drafts.ids)), 4)

    def test_the_same_reference_with_other_figures_is_refused(self):
        first = self._create_adjustment(external_ref="OLD-1")
        other = self._enroll(self.program, self.referrer)
        for values in ({"amount": 21}, {"unit": "point"}, {"member_id": other.id}, {"amount": -20}):
            with self.subTest(values=values), self.assertRefused(first.name, ValidationError):
                self._create_adjustment(external_ref="OLD-1", **values)
        draft = self._create_adjustment()
        with self.assertRefused("external reference in the program already", ValidationError):
            draft.external_ref = "OLD-1"

    def test_the_same_reference_may_stand_in_another_program(self):
        first = self._approve(external_ref="OLD-1")
        other = self._enroll(self._create_program([{}], name="Other Club"), self.dealer)
        second = self._approve(external_ref="OLD-1", member_id=other.id)
        self.assertNotEqual(first, second)
        self.assertBalance(other, 20)

    def test_what_was_refused_or_withdrawn_frees_its_reference(self):
        refused = self._request(external_ref="OLD-1")
        refused.with_user(self.manager).action_refuse("Wrong amount")
        withdrawn = self._create_adjustment(external_ref="OLD-1", amount=25)
        withdrawn.action_cancel()
        third = self._approve(external_ref="OLD-1", amount=30)
        self.assertEqual(len(refused | withdrawn | third), 3)
        self.assertEntries(self.member, [30])

    # === IMPORT ===#

    def test_an_import_drafts_them_and_again_changes_nothing(self):
        self._enroll(self.program, self.referrer)
        rows = [
            ["Dealer", "Points", "1250", "Moved", "A1", "2026-01-01", "2026-12-31"],
            ["Dealer", "Money", "-31.50", "Moved", "A2", "2026-01-01", ""],
            ["Referrer", "Money", "8", "Moved", "A3", "", ""],
        ]
        first = self._load(*rows)
        self.assertFalse(first["messages"])
        adjustments = self.env["partner.loyalty.adjustment"].with_user(self.officer).browse(first["ids"])
        self.assertRecordValues(
            adjustments,
            [
                {"member_id": self.member.id, "amount": 1250, "kind": "opening", "date": date(2026, 1, 1)},
                {"member_id": self.member.id, "amount": -31.5, "kind": "opening", "date": date(2026, 1, 1)},
                {"member_id": adjustments[2].member_id.id, "amount": 8, "kind": "opening", "date": self._day(TODAY)},
            ],
        )
        self.assertEqual(set(adjustments.mapped("state")), {"draft"})
        adjustments.action_request()
        adjustments.with_user(self.manager).action_approve()
        with self._assert_nothing_new():
            again = self._load(*rows, rows[0])
        self.assertEqual(again["ids"], [*first["ids"], first["ids"][0]])
        self.assertRecordValues(self.member, [{"point_balance": 1250, "money_balance": -31.5}])

    def test_a_file_that_contradicts_itself_is_not_imported(self):
        row = ["Dealer", "Points", "10", "Moved", "A1", "", ""]
        with self._assert_nothing_new():
            result = self._load(row, ["Dealer", "Points", "11", "Moved", "A1", "", ""])
        self.assertFalse(result["ids"])
        self.assertIn("is about another member, unit or amount", result["messages"][0]["message"])

    def test_an_import_says_who_is_no_member(self):
        with self._assert_nothing_new():
            result = self._load(["Stranger", "Points", "10", "Moved", "A1", "", ""])
        self.assertIn("Stranger is not a member of Dealer Club: enroll it", result["messages"][0]["message"])

    def test_a_partner_names_the_member_where_it_is_in_one_program(self):
        Adjustment = self.env["partner.loyalty.adjustment"].with_user(self.officer)
        base = {"unit": "money", "amount": 1, "reason": "Gift"}
        self.assertEqual(Adjustment.create({**base, "partner_id": self.dealer_contact.id}).member_id, self.member)
        other = self._enroll(self._create_program([{}], name="Other Club"), self.dealer)
        for values, words in (
            ({}, "choose a member"),
            ({"program_id": self.program.id}, "choose a member"),
            ({"partner_id": self.dealer.id}, "in several programs"),
            ({"member_id": other.id, "program_id": self.program.id, "partner_id": self.dealer.id}, "not a member"),
            ({"member_id": other.id, "partner_id": self.referrer.id}, "not a member"),
        ):
            with self.subTest(values=values), self.assertRefused(words, ValidationError):
                Adjustment.create({**base, **values})

    def test_the_shipped_template_fits_the_fields(self):
        template = self.env["partner.loyalty.adjustment"].get_import_templates()[0]["template"]
        with file_open(template.lstrip("/"), "rb") as file:
            content = file.read()
        dialog = (
            self.env["base_import.import"]
            .with_user(self.officer)
            .create(
                {
                    "res_model": "partner.loyalty.adjustment",
                    "file": content,
                    "file_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                    "file_name": "partner_loyalty_adjustment.xlsx",
                }
            )
        )
        options = {"has_headers": True, "quoting": '"', "separator": "", "float_thousand_separator": ","}
        preview = dialog.parse_preview({**options, "float_decimal_separator": "."})
        self.assertEqual([preview["matches"][index] for index in range(len(COLUMNS))], [[name] for name in COLUMNS])

    # === FORM AND MASS ASSIGNMENT ===#

    def test_the_form_asks_for_what_it_needs(self):
        Adjustment = self.env["partner.loyalty.adjustment"].with_user(self.officer)
        form = Form(Adjustment.with_context(default_member_id=self.member.id))
        self.assertEqual((form.program_id, str(form.date)), (self.program, TODAY))
        form.unit, form.amount, form.reason = "money", 3, "Gift"
        adjustment = form.save()
        adjustment.action_request()
        for name, value in (("amount", 4), ("reason", "Other")):
            with self.subTest(name=name), self.assertRaises(AssertionError):
                setattr(Form(adjustment), name, value)

    def test_what_was_requested_stands(self):
        adjustment = self._request(external_ref="A1")
        other = self._enroll(self.program, self.referrer)
        for vals in (
            {"amount": 100},
            {"reason": "Other"},
            {"member_id": other.id},
            {"unit": "point"},
            {"kind": "opening"},
            {"date": "2026-01-01"},
            {"expiry_date": "2027-01-01"},
            {"external_ref": False},
        ):
            for user in (self.officer, self.manager, self.users["administrator"]):
                with self.subTest(vals=vals, user=user.login), self.assertRefused("what was submitted stands"):
                    adjustment.with_user(user).write(vals)

    def test_the_fields_that_the_program_sets_cannot_be_set_by_hand(self):
        Adjustment = self.env["partner.loyalty.adjustment"].with_user(self.officer)
        entry = self._post_entry(self.member, 1)
        for vals in (
            {"state": "approved"},
            {"requested_by_id": self.manager.id},
            {"decided_by_id": self.manager.id},
            {"entry_id": entry.id},
            {"name": "ADJ/1"},
            {"company_id": self.company.id},
            {"money_amount": 1000},
            {"refuse_reason": "x"},
        ):
            with self.subTest(vals=vals):
                with self.assertRefused("cannot be set by hand", AccessError):
                    Adjustment.create(self._prepare_adjustment(**vals))
                defaults = {f"default_{name}": value for name, value in vals.items()}
                adjustment = Adjustment.with_context(**defaults).create(self._prepare_adjustment())
                self.assertRecordValues(adjustment, [{"state": "draft", "requested_by_id": False, "entry_id": False}])
                with self.assertRefused("cannot be set by hand", AccessError):
                    adjustment.write(vals)
        other = self._create_program([{}], name="Other Club")
        adjustment = Adjustment.with_context(default_program_id=other.id).create(self._prepare_adjustment())
        self.assertEqual(adjustment.program_id, self.program)
        for vals in ({"program_id": other.id}, {"partner_id": self.referrer.id}):
            with self.subTest(vals=vals), self.assertRefused("cannot be set by hand", AccessError):
                adjustment.write(vals)

    def test_a_copy_is_a_new_draft_without_the_reference(self):
        copy = self._approve(external_ref="A1").copy()
        self.assertRecordValues(
            copy, [{"state": "draft", "amount": 20, "external_ref": False, "requested_by_id": False, "entry_id": False}]
        )

    # === TO-DO AND CHECKS ===#

    def test_drafts_and_requests_are_in_the_to_do_list(self):
        draft, requested = self._create_adjustment(), self._request(unit="point")
        todos = self.env["partner.loyalty.todo"].search([("res_model", "=", "partner.loyalty.adjustment")])
        self.assertRecordValues(
            todos.sorted("res_id"),
            [
                {
                    "kind": "adjustment_request",
                    "res_id": draft.id,
                    "record_name": draft.name,
                    "amount": 20,
                    "for_manager": False,
                    "user_id": self.officer.id,
                },
                {
                    "kind": "adjustment_approve",
                    "res_id": requested.id,
                    "record_name": requested.name,
                    "amount": 0,
                    "for_manager": True,
                    "user_id": self.officer.id,
                },
            ],
        )

    def test_the_checks_find_what_was_slipped_in(self):
        adjustment = self._request()
        Invariant = self.env["partner.loyalty.invariant"]
        for query, code in (
            ("UPDATE partner_loyalty_adjustment SET state = 'approved' WHERE id = %s", "I8c"),
            (
                "UPDATE partner_loyalty_adjustment SET state = 'refused', decided_by_id = create_uid WHERE id = %s",
                "I9b",
            ),
        ):
            with self.subTest(code=code), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(query, [adjustment.id])
                found = {invariant.code: ids for invariant, ids in Invariant._find_violations(self.program)}
                self.assertEqual(found[code], adjustment.ids)
                savepoint.rollback()
        self.env.invalidate_all()
