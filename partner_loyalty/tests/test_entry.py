from unittest.mock import patch

from psycopg2 import Error, errors

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestEntry(PartnerLoyaltyCommon):
    """The ledger: append-only, keyed, numbered, and with lots that say what paid for what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.account = cls.member._get_account("money")

    def _execute(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.env.invalidate_all()

    def assertDatabaseRefuses(self, query, *args, error=errors.RestrictViolation):
        with self.assertRaises(error), mute_logger("odoo.sql_db"):
            self._execute(query, *args)

    def _get_allocations(self, debit):
        allocations = self.env["partner.loyalty.allocation"].search([("debit_entry_id", "=", debit.id)])
        return [(allocation.credit_entry_id, allocation.amount) for allocation in allocations]

    # === APPEND-ONLY ===#

    def test_entries_and_allocations_cannot_be_written_by_the_orm_not_even_by_the_superuser(self):
        credit, _debit = self._post_entry(self.member, 10), self._post_entry(self.member, -4)
        allocation = self.env["partner.loyalty.allocation"].search([("credit_entry_id", "=", credit.id)])
        for records, field in ((credit, "amount"), (credit, "amount_open"), (allocation, "amount")):
            for user in (self.env.user, self.env.ref("base.user_root")):
                refused = records.with_user(user)
                with self.subTest(model=records._name, field=field, user=user.login):
                    with self.assertRefused("never changed"):
                        refused.write({field: 1})
                    with self.assertRefused("never changed"):
                        refused.sudo().unlink()
                    with self.assertRefused("never changed"):
                        refused.sudo().create({"amount": 1})

    def test_assigning_a_field_is_refused_as_well(self):
        entry = self._post_entry(self.member, 10)
        with self.assertRefused("never changed"):
            entry.sudo().amount = 1000

    def test_commands_through_another_record_do_not_reach_the_ledger(self):
        entry = self._post_entry(self.member, 10)
        payout = self._create_payout(self.member).sudo()
        with self.assertRefused("never changed"):
            payout.line_ids = [Command.update(entry.id, {"amount": 1000})]
        officer_env = self.env(user=self.users["officer"])
        with (
            patch.object(self.env.transaction, "default_env", officer_env),
            self.assertRefused("not allowed to modify", AccessError),
        ):
            self.member.sudo().write({"account_ids": [Command.update(self.account.id, {"balance": 1000})]})
        self.assertEqual(self.account.balance, 10)

    def test_the_database_refuses_to_change_or_delete_entries(self):
        entry = self._post_entry(self.member, 10)
        for column, value in (
            ("amount", 1000),
            ("account_id", self.account.id),
            ("sequence", 7),
            ("date", TODAY),
            ("explanation", "{}"),
            ("revision", 5),
            ("type", "payout"),
        ):
            with self.subTest(column=column):
                self.assertDatabaseRefuses(
                    "UPDATE partner_loyalty_entry SET %s = %s WHERE id = %s", SQL.identifier(column), value, entry.id
                )
        self.assertDatabaseRefuses("DELETE FROM partner_loyalty_entry WHERE id = %s", entry.id)
        self.assertDatabaseRefuses("TRUNCATE partner_loyalty_entry CASCADE", error=Error)

    def test_every_stored_column_but_the_open_amount_is_guarded(self):
        self.env.cr.execute(
            """SELECT attribute.attname
                 FROM pg_attribute attribute
                WHERE attribute.attrelid = 'partner_loyalty_entry'::regclass AND attribute.attnum > 0
                  AND NOT attribute.attisdropped
               EXCEPT
               SELECT event_object_column FROM information_schema.triggered_update_columns
                WHERE event_object_table = 'partner_loyalty_entry'"""
        )
        self.assertEqual([row[0] for row in self.env.cr.fetchall()], ["amount_open"])

    def test_the_database_lets_the_open_amount_change_within_the_amount(self):
        entry = self._post_entry(self.member, 10)
        with self.env.cr.savepoint() as savepoint:
            self._execute("UPDATE partner_loyalty_entry SET amount_open = 4 WHERE id = %s", entry.id)
            self.assertEqual(entry.amount_open, 4)
            savepoint.rollback()
        self.env.invalidate_all()
        for amount in (11, -1):
            self.assertDatabaseRefuses(
                "UPDATE partner_loyalty_entry SET amount_open = %s WHERE id = %s",
                amount,
                entry.id,
                error=errors.CheckViolation,
            )

    def test_the_database_refuses_to_change_or_delete_allocations(self):
        self._post_entry(self.member, 10)
        self._post_entry(self.member, -4)
        self.assertDatabaseRefuses("UPDATE partner_loyalty_allocation SET amount = 1")
        self.assertDatabaseRefuses("DELETE FROM partner_loyalty_allocation")
        self.assertDatabaseRefuses("TRUNCATE partner_loyalty_allocation")

    def test_what_the_ledger_refers_to_cannot_be_deleted(self):
        self._post_entry(self.member, 10)
        for record in (self.member, self.program, self.dealer):
            with self.subTest(record=record), self.assertRefused():
                record.sudo().unlink()
        self.assertDatabaseRefuses(
            "DELETE FROM partner_loyalty_account WHERE id = %s", self.account.id, error=errors.ForeignKeyViolation
        )

    # === KEY AND NUMBERS ===#

    def test_the_same_key_is_posted_once(self):
        origin = self._create_partner(name="Cause")
        self._post_entry(self.member, 10, origin=origin)
        with self.assertRaises(errors.UniqueViolation), mute_logger("odoo.sql_db"):
            self._post_entry(self.member, 10, origin=origin)
        self._post_entry(self.member, 5, origin=origin, revision=1)
        self.assertEntries(self.member, [10, 5])

    def test_an_external_reference_is_posted_once_in_a_program(self):
        self._post_entry(self.member, 10, external_ref="A-1")
        with self.assertRaises(errors.UniqueViolation), mute_logger("odoo.sql_db"):
            self._post_entry(self.member, 10, external_ref="A-1")
        self._post_entry(self.member, 3)
        self._post_entry(self.member, 4)
        self.assertEntries(self.member, [10, 3, 4])

    def test_entries_of_an_account_are_numbered_without_gap(self):
        other = self._enroll(self.program, self.referrer)
        for member, amount in ((self.member, 10), (other, 3), (self.member, -2), (self.member, 5), (other, 1)):
            self._post_entry(member, amount)
        self.assertEqual(self._get_entries(self.member).mapped("sequence"), [1, 2, 3])
        self.assertEqual(self._get_entries(other).mapped("sequence"), [1, 2])
        self.assertRecordValues(self.account, [{"balance": 13, "version": 3}])

    def test_several_entries_posted_at_once_are_numbered_by_date(self):
        for day in ("2026-03-05", "2026-03-03", "2026-03-04"):
            self._create_sale_invoice(self.dealer, 100, date=day)
        self._answer_documents()
        entries = self._get_entries(self.member)
        self.assertEqual([str(entry.date) for entry in entries], ["2026-03-03", "2026-03-04", "2026-03-05"])

    def test_amounts_that_are_nothing_not_finite_or_absurd_are_refused_by_the_database(self):
        for amount in ("0", "NaN", "1000000000000"):
            with self.subTest(amount=amount), self.assertRaises(Error), mute_logger("odoo.sql_db"):
                Entry = self.env["partner.loyalty.entry"]
                Entry._post_vals([Entry._prepare_entry_vals(self.account, "accrual", amount, self.dealer)])

    # === LOTS ===#

    def test_a_debit_consumes_the_lot_that_expires_first(self):
        never = self._post_entry(self.member, 10)
        late = self._post_entry(self.member, 10, expiry_date="2026-12-31")
        soon = self._post_entry(self.member, 10, expiry_date="2026-06-30")
        debit = self._post_entry(self.member, -25)
        self.assertEqual(self._get_allocations(debit), [(soon, 10), (late, 10), (never, 5)])
        self.assertRecordValues(
            never + late + soon + debit,
            [{"amount_open": 5}, {"amount_open": 0}, {"amount_open": 0}, {"amount_open": 0}],
        )

    def test_among_lots_that_expire_together_the_one_that_matured_first_is_consumed_first(self):
        late = self._post_entry(self.member, 10, mature_date="2026-03-30")
        early = self._post_entry(self.member, 10, mature_date="2026-03-01")
        debit = self._post_entry(self.member, -12)
        self.assertEqual(self._get_allocations(debit), [(early, 10), (late, 2)])

    def test_a_deduction_takes_from_the_earning_of_its_own_document_first(self):
        soon = self._post_entry(self.member, 10, expiry_date="2026-04-30")
        invoice = self._create_sale_invoice(self.dealer, 100)
        earned = self._answer_documents()
        self._credit(invoice, 30)
        taken = self._answer_documents()
        self.assertEqual(self._get_allocations(taken), [(earned, 3)])
        self.assertEqual((soon.amount_open, earned.amount_open), (10, 7))

    def test_a_deduction_takes_the_rest_from_other_lots(self):
        invoice = self._create_sale_invoice(self.dealer, 100)
        earned = self._answer_documents()
        self._post_entry(self.member, -8)
        other = self._post_entry(self.member, 20)
        self._credit(invoice)
        taken = self._answer_documents()
        self.assertEqual(self._get_allocations(taken), [(earned, 2), (other, 8)])
        self.assertBalance(self.member, 12)

    def test_what_no_lot_covers_is_a_debt_that_later_lots_pay_oldest_first(self):
        first, second = self._post_entry(self.member, -10), self._post_entry(self.member, -5)
        self.assertRecordValues(first + second, [{"amount_open": -10}, {"amount_open": -5}])
        credit = self._post_entry(self.member, 12)
        self.assertEqual(self._get_allocations(first), [(credit, 10)])
        self.assertEqual(self._get_allocations(second), [(credit, 2)])
        self.assertRecordValues(second + credit, [{"amount_open": -3}, {"amount_open": 0}])
        self._post_entry(self.member, 4)
        self.assertBalance(self.member, 1)
        self.assertEqual(self.account.available, 1)

    def test_what_is_available_has_matured_and_is_not_spent(self):
        self._post_entry(self.member, 10)
        self._post_entry(self.member, 7, mature_date="2026-03-19")
        self._post_entry(self.member, -4)
        self.assertRecordValues(self.account, [{"balance": 13, "available": 6}])
        with self._in_days(1):
            self.account.invalidate_recordset()
            self.assertEqual(self.account.available, 13)

    def test_a_return_gives_each_lot_what_was_taken_from_it(self):
        soon = self._post_entry(self.member, 10, expiry_date="2026-06-30")
        late = self._post_entry(self.member, 10, expiry_date="2026-12-31")
        debit = self._post_entry(self.member, -15, entry_type="payout")
        self.assertRecordValues(soon + late, [{"amount_open": 0}, {"amount_open": 5}])
        back = debit._return("payout_return", self.referrer)
        self.assertRecordValues(
            soon + late + debit + back,
            [{"amount_open": 10}, {"amount_open": 10}, {"amount_open": 0}, {"amount_open": 0}],
        )
        self.assertEqual(back.reverses_id, debit)
        self.assertBalance(self.member, 20)

    def test_points_and_money_are_apart(self):
        self._post_entry(self.member, 10)
        self._post_entry(self.member, 3, unit="point")
        self._post_entry(self.member, -5, unit="point")
        self.assertRecordValues(self.member, [{"money_balance": 10, "point_balance": -2}])
        groups = self.env["partner.loyalty.entry"].formatted_read_group(
            [("account_id.member_id", "=", self.member.id)], [], ["point_amount:sum", "money_amount:sum"]
        )
        self.assertEqual([(group["point_amount:sum"], group["money_amount:sum"]) for group in groups], [(-2, 10)])

    def test_amounts_are_exact_to_the_fourth_decimal(self):
        for _number in range(10):
            self._post_entry(self.member, 0.1, unit="point")
        self._post_entry(self.member, 0.0001, unit="point")
        self.env.cr.execute(
            SQL("SELECT balance FROM partner_loyalty_account WHERE member_id = %s AND unit = 'point'", self.member.id)
        )
        self.assertEqual(str(self.env.cr.fetchone()[0]), "1.0001")

    # === EXPLANATION ===#

    def test_a_line_says_how_it_was_worked_out(self):
        invoice = self._create_sale_invoice(self.dealer, 200)
        earned = self._answer_documents()
        self._credit(invoice, 50)
        taken = self._answer_documents()
        self.assertEqual(earned.explanation_text, "10 % of 200.00\N{NO-BREAK SPACE}€; Commission")
        self.assertEqual(
            taken.explanation_text.replace("\N{NO-BREAK SPACE}", " "),
            "A credit note or a payment followed; 10 % of 150.00 €; Commission; "
            "15.00 € in all, of which 20.00 € had been posted",
        )
        self.assertEqual(earned.origin_name, invoice.display_name)
        self.assertEqual(taken.explanation["version"], 1)

    def test_a_line_whose_document_was_deleted_says_so(self):
        invoice = self._create_sale_invoice(self.dealer, 200)
        entry = self._answer_documents()
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        taken = self._answer_documents()
        entry.invalidate_recordset()
        self.assertEqual(entry.origin_name, "Deleted document")
        self.assertIn("The document does not count any more", taken.explanation_text)


@tagged("post_install", "-at_install")
class TestInvariants(PartnerLoyaltyCommon):
    """Each fault that is planted past the guards is found, and nothing is found without one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 1000)])
        cls.other_program = cls._create_program([{}], name="Other")
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.program._evaluate_tiers()
        cls.credit = cls._post_entry(cls.member, 100)
        cls.debit = cls._post_entry(cls.member, -30)
        cls._create_sale_invoice(cls.dealer, 100)
        cls._answer_marks()
        payout = cls.env["partner.loyalty.payout"].create({"member_id": cls.member.id, "date": TODAY})
        payout.action_submit()

    def assertFound(self, name, fault):
        """Run SQL with the triggers lifted, check that the fault is reported by ``name`` alone, and take it back."""
        with self.env.cr.savepoint() as savepoint:
            for table in ("entry", "allocation"):
                self.env.cr.execute(f"ALTER TABLE partner_loyalty_{table} DISABLE TRIGGER USER")
            self.env.cr.execute(fault)
            self.env.invalidate_all()
            violations = self.program._check_invariants()
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertTrue(any(violation.startswith(name) for violation in violations), violations)

    def test_a_changed_amount_is_found(self):
        fault = SQL("UPDATE partner_loyalty_entry SET amount = 99, amount_open = 60 WHERE id = %s", self.credit.id)
        self.assertFound("A balance is the sum of its lines", fault)

    def test_a_changed_balance_is_found(self):
        self.assertFound("A balance is the sum of its lines", SQL("UPDATE partner_loyalty_account SET balance = 1000"))

    def test_a_changed_open_amount_is_found(self):
        fault = SQL("UPDATE partner_loyalty_entry SET amount_open = -1 WHERE id = %s", self.debit.id)
        self.assertFound("What is open of a line", fault)
        self.assertFound("A balance is the sum of its lines", fault)

    def test_a_missing_line_is_found(self):
        fault = SQL(
            "DELETE FROM partner_loyalty_allocation WHERE debit_entry_id = %s;"
            " DELETE FROM partner_loyalty_entry WHERE id = %s",
            self.debit.id,
            self.debit.id,
        )
        self.assertFound("The lines of an account are numbered", fault)

    def test_a_gap_in_the_numbers_is_found(self):
        fault = SQL("UPDATE partner_loyalty_entry SET sequence = 9 WHERE id = %s", self.debit.id)
        self.assertFound("The lines of an account are numbered", fault)

    def test_a_missing_allocation_is_found(self):
        fault = SQL("DELETE FROM partner_loyalty_allocation WHERE debit_entry_id = %s", self.debit.id)
        self.assertFound("What is open of a line", fault)

    def test_an_earning_open_beside_a_debt_is_found(self):
        fault = SQL(
            "UPDATE partner_loyalty_entry SET amount_open = CASE WHEN id = %s THEN -30 ELSE 100 END"
            " WHERE id IN (%s, %s)",
            self.debit.id,
            self.debit.id,
            self.credit.id,
        )
        self.assertFound("No earning is open beside a debt", fault)

    def test_a_line_of_another_program_is_found(self):
        fault = SQL(
            "UPDATE partner_loyalty_entry SET program_id = %s WHERE id = %s", self.other_program.id, self.credit.id
        )
        self.assertFound("A line is in the company of its member", fault)

    def test_an_explanation_that_gives_another_amount_is_found(self):
        fault = SQL(
            """UPDATE partner_loyalty_entry SET explanation = explanation || '{"target": "77"}'
                WHERE explanation ? 'target'"""
        )
        self.assertFound("A line replays to its amount", fault)

    def test_a_payout_that_differs_from_its_lines_is_found(self):
        fault = SQL("UPDATE partner_loyalty_payout SET amount = amount + 1 WHERE decision = 'submitted'")
        self.assertFound("A payout is the sum of its lines", fault)

    def test_a_gap_and_an_overlap_in_the_tiers_of_a_member_are_found(self):
        for days in (-1, 1):
            fault = SQL("UPDATE partner_loyalty_tier_period SET date_to = date_to + %s WHERE date_to IS NOT NULL", days)
            self.assertFound("Tier periods of a member follow", fault)

    def test_nothing_is_found_where_nothing_is_wrong(self):
        self.assertEqual(self.program._check_invariants(), [])
