"""Wrong attribution is mended: documents move from one referrer to another, after a preview and an approval."""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import SQL

from .common import PartnerLoyaltyCommon


class AttributionChangeCommon(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "administrator", "accountant", "salesperson")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{"role": "referrer"}, {"role": "referrer", "kind": "order", "unit": "point", "rate": 1}]
        )
        cls.right = cls._create_partner(name="Right", is_company=True)
        cls.wrong_member, cls.right_member = cls._enroll(cls.program, cls.referrer, cls.right)
        cls.officer, cls.manager = cls.users["officer"], cls.users["manager"]

    def _sell(self, amount=100, **values):
        """Create an invoice that the wrong partner has referred, and answer it."""
        invoice = self._create_sale_invoice(self.stranger, amount, loyalty_partner_id=self.referrer.id, **values)
        self._answer_documents()
        return invoice

    def _prepare_change(self, *documents, **values):
        return {
            "partner_id": self.referrer.id,
            "target_partner_id": self.right.id,
            "reason": "Registered by the other dealer",
            "line_ids": [
                Command.create({"res_model": document._name, "res_id": document.id}) for document in documents
            ],
            **values,
        }

    def _create_change(self, *documents, user=None, **values):
        Attribution = self.env["partner.loyalty.attribution"].with_user(user or self.officer)
        return Attribution.create(self._prepare_change(*documents, **values))

    def _submit(self, *documents, **values):
        change = self._create_change(*documents, **values)
        change.action_submit()
        return change

    def _approve(self, *documents, **values):
        change = self._submit(*documents, **values)
        change.with_user(self.manager).action_approve()
        return change

    def _create_chain(self):
        """Return a lead with an order, a posted invoice and a credit note, all of the wrong partner and answered."""
        lead = self.env["crm.lead"].create(
            {"name": "Deal", "partner_id": self.stranger.id, "loyalty_partner_id": self.referrer.id}
        )
        order = self._create_order(self.stranger, 200, opportunity_id=lead.id)
        invoice = order._create_invoices()
        invoice.action_post()
        credit_note = self._credit(invoice, 50)
        self._answer_documents()
        return lead, order, invoice, credit_note

    def _get_listed(self, change, carried):
        lines = change.line_ids.filtered(lambda line: line.is_carried == carried)
        return {(line.res_model, line.res_id) for line in lines}

    def _get_state(self):
        """Return all that a preview could leave behind."""
        self._write_marks()
        tables = (
            "sale_order",
            "account_move",
            "crm_lead",
            "partner_loyalty_entry",
            "partner_loyalty_allocation",
            "partner_loyalty_account",
            "partner_loyalty_tier_period",
            "partner_loyalty_member",
            "partner_loyalty_touch",
            "mail_message",
        )
        return {
            table: self.env.execute_query(
                SQL("SELECT to_jsonb(t) - 'write_date' - 'write_uid' FROM %s t ORDER BY id", SQL.identifier(table))
            )
            for table in tables
        }


@tagged("post_install", "-at_install")
class TestAttributionChange(AttributionChangeCommon):
    # === WHAT MOVES ===#

    def test_what_was_earned_moves_to_the_cent_and_nothing_before_the_approval(self):
        invoice = self._sell(123.45)
        other = self._sell(10)
        change = self._submit(invoice)
        self.assertTrue(change.name.startswith("ATT/2026/"))
        self.assertFalse(self._answer_documents())
        self.assertEqual(invoice.loyalty_partner_id, self.referrer)
        change.with_user(self.manager).action_approve()
        self.assertRecordValues(change, [{"state": "approved", "decided_by_id": self.manager.id}])
        self.assertEqual((invoice.loyalty_partner_id, other.loyalty_partner_id), (self.right, self.referrer))
        self._answer_documents()
        self.assertEntries(self.wrong_member, [12.35, 1, -12.35])
        self.assertEntries(self.right_member, [12.35])
        self.assertInLine(self.program)

    def test_the_preview_shows_both_members_and_units_and_equals_the_result(self):
        _lead, order, _invoice, _credit_note = self._create_chain()
        change = self._submit(order)
        expected = {
            (self.wrong_member, "money"): (15, 0, -15),
            (self.wrong_member, "point"): (2, 0, -2),
            (self.right_member, "money"): (0, 15, 15),
            (self.right_member, "point"): (0, 2, 2),
        }
        shown = {
            (figure.member_id, figure.unit): (figure.amount_posted, figure.amount_target, figure.amount)
            for figure in change.figure_ids.with_user(self.env.user)
        }
        self.assertEqual(shown, expected)
        self.assertEqual(change.figure_ids.program_id, self.program)
        before = {key: key[0]._get_account(key[1]).balance for key in expected}
        change.with_user(self.manager).action_approve()
        self._answer_documents()
        for key, (_posted, _target, amount) in expected.items():
            with self.subTest(member=key[0].partner_id.name, unit=key[1]):
                self.assertBalance(key[0], before[key] + amount, unit=key[1])

    def test_the_preview_leaves_nothing_behind(self):
        _lead, order, _invoice, _credit_note = self._create_chain()
        gold = self._create_program([{"role": "referrer"}], tiers=[("Silver", 0), ("Gold", 50)], name="Tiers")
        self._enroll(gold, self.right)
        self._answer_documents()
        change = self._create_change(order)
        before = self._get_state()
        change.action_preview()
        self.assertTrue(change.figure_ids)
        self.assertEqual(self._get_state(), before)
        self.assertFalse(self._answer_documents())

    def test_the_preview_keeps_marks_that_wait(self):
        invoice = self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        change = self._create_change(invoice)
        change.action_preview()
        self.assertRecordValues(
            change.figure_ids, [{"member_id": self.right_member.id, "amount_posted": 0, "amount": 10}]
        )
        self._answer_documents()
        self.assertEntries(self.wrong_member, [10])

    def test_the_preview_takes_a_tier_that_is_due_as_the_answer_will(self):
        program = self._create_program(
            [{"role": "referrer", "rate": 1}],
            tiers=[("Silver", 0), ("Gold", 50)],
            name="Tiers",
            tier_role="referrer",
            tier_kind="invoice",
        )
        program.rule_ids.tier_rate_ids = [self._tier_rate(program.tier_ids[1], 2)]
        member = self._enroll(program, self.right)
        invoice = self._sell(date="2026-03-20")
        big = self._sell(1000, date="2026-02-20")
        change = self._submit(invoice, big)
        figure = change.figure_ids.filtered(lambda figure: figure.member_id == member)
        change.with_user(self.manager).action_approve()
        self._answer_documents()
        self.assertEqual(figure.amount, member.money_balance)

    # === LOCKED AND PAID OUT ===#

    def test_what_was_paid_out_becomes_a_debt(self):
        invoice = self._sell()
        self._bill_payout(self.wrong_member)
        self.assertBalance(self.wrong_member, 0)
        change = self._submit(invoice)
        self.assertRecordValues(
            change.figure_ids,
            [
                {
                    "member_id": self.wrong_member.id,
                    "amount_posted": 10,
                    "amount_target": 0,
                    "amount": -10,
                    "amount_paid": 10,
                    "amount_owed": 10,
                    "amount_locked": 0,
                },
                {
                    "member_id": self.right_member.id,
                    "amount_posted": 0,
                    "amount_target": 10,
                    "amount": 10,
                    "amount_paid": 0,
                    "amount_owed": 0,
                    "amount_locked": 0,
                },
            ],
        )
        change.with_user(self.manager).action_approve()
        self._answer_documents()
        self.assertRecordValues(self.wrong_member, [{"money_balance": -10, "money_debt": 10}])
        self.assertBalance(self.right_member, 10)
        self._sell(300)
        self.assertRecordValues(self.wrong_member, [{"money_balance": 20, "money_debt": 0}])

    def test_a_payout_that_was_refused_counts_as_not_paid(self):
        invoice = self._sell()
        self._submit_payout(self.wrong_member).with_user(self.manager).action_refuse("No")
        change = self._submit(invoice)
        self.assertRecordValues(change.figure_ids[0], [{"amount": -10, "amount_paid": 0, "amount_owed": 0}])

    def test_a_locked_period_is_answered_on_the_first_open_day_and_marked(self):
        locked, opened = self._sell(date="2026-02-10"), self._sell(50, date="2026-03-10")
        self.program.lock_date = "2026-02-28"
        change = self._submit(locked, opened)
        self.assertRecordValues(
            change.figure_ids, [{"amount": -15, "amount_locked": -10}, {"amount": 15, "amount_locked": 10}]
        )
        change.with_user(self.manager).action_approve()
        entries = self._answer_documents()
        self.assertRecordValues(
            entries.filtered(lambda entry: entry.origin_id == locked.id).sorted("amount"),
            [
                {"amount": -10, "prior_period": True, "date": self._day("2026-03-18")},
                {"amount": 10, "prior_period": True, "date": self._day("2026-03-01")},
            ],
        )
        self.assertFalse(any(entries.filtered(lambda entry: entry.origin_id == opened.id).mapped("prior_period")))
        self.assertGreaterEqual(min(entries.mapped("date")), self._day("2026-03-01"))

    # === NOBODY ===#

    def test_a_referrer_is_removed_and_given_where_there_was_none(self):
        invoice = self._sell()
        removed = self._approve(invoice, target_partner_id=False)
        self.assertFalse(invoice.loyalty_partner_id)
        self._answer_documents()
        self.assertEntries(self.wrong_member, [10, -10])
        self.assertEqual(removed.figure_ids.member_id, self.wrong_member)
        self._approve(invoice, partner_id=False)
        self._answer_documents()
        self.assertEntries(self.right_member, [10])

    def test_a_partner_who_is_no_member_neither_gains_nor_loses(self):
        invoice = self._sell()
        change = self._approve(invoice, target_partner_id=self.dealer.id)
        self.assertEqual(change.figure_ids.member_id, self.wrong_member)
        self._answer_documents()
        self.assertEntries(self.wrong_member, [10, -10])

    def test_the_buyer_stays_and_earns_nothing_as_its_own_referrer(self):
        buyer = self._enroll(self.program, self.stranger)
        invoice = self._sell()
        self._approve(invoice, target_partner_id=self.stranger.id)
        self.assertEqual(invoice.commercial_partner_id, self.stranger)
        self._answer_documents()
        self.assertEntries(buyer, [])
        self.assertBalance(self.wrong_member, 0)

    # === THE CHAIN ===#

    def test_an_order_carries_its_lead_its_invoices_and_their_credit_notes(self):
        lead, order, invoice, credit_note = self._create_chain()
        change = self._create_change(order)
        self.assertEqual(self._get_listed(change, False), {("sale.order", order.id)})
        self.assertEqual(
            self._get_listed(change, True),
            {("crm.lead", lead.id), ("account.move", invoice.id), ("account.move", credit_note.id)},
        )
        change.action_submit()
        change.with_user(self.manager).action_approve()
        for document in (lead, order, invoice, credit_note):
            self.assertEqual(document.loyalty_partner_id, self.right)
            note = document.message_ids[0]
            self.assertIn("Referred by Right instead of Referrer", note.body)
            self.assertIn("Registered by the other dealer", note.body)
            self.assertEqual(note.author_id, self.manager.partner_id)
        self._answer_documents()
        self.assertBalance(self.wrong_member, 0)
        self.assertBalance(self.right_member, 15)
        self.assertBalance(self.right_member, 2, unit="point")

    def test_a_lead_carries_all_of_its_orders_and_an_order_no_other_of_its_lead(self):
        lead, order, invoice, credit_note = self._create_chain()
        other = self._create_order(self.stranger, 10, opportunity_id=lead.id, confirm=False)
        self.assertEqual(
            self._get_listed(self._create_change(lead), True),
            {
                ("sale.order", order.id),
                ("sale.order", other.id),
                ("account.move", invoice.id),
                ("account.move", credit_note.id),
            },
        )
        self.assertNotIn(("sale.order", other.id), self._get_listed(self._create_change(order), True))
        self.assertEqual(self._get_listed(self._create_change(invoice), True), {("account.move", credit_note.id)})

    def test_documents_of_another_referrer_do_not_come_along(self):
        lead, order, invoice, credit_note = self._create_chain()
        lead.loyalty_partner_id = self.dealer
        invoice.loyalty_partner_id = False
        self._answer_documents()
        # The invoice stays; its credit note hangs on the order by its lines as well.
        self.assertEqual(self._get_listed(self._create_change(order), True), {("account.move", credit_note.id)})

    def test_what_comes_along_cannot_be_left_behind(self):
        lead, order, _invoice, _credit_note = self._create_chain()
        change = self._create_change(order)
        change.line_ids.filtered(lambda line: line.res_model == "crm.lead").unlink()
        change.action_preview()
        self.assertIn(("crm.lead", lead.id), self._get_listed(change, True))
        change.line_ids.filtered(lambda line: not line.is_carried).unlink()
        self.assertFalse(change.previewed_at)
        with self.assertRefused("Choose at least one document"):
            change.action_submit()

    # === THE PREVIEW STANDS ===#

    def test_an_approval_moves_what_was_shown_and_nothing_else(self):
        _lead, order, invoice, _credit_note = self._create_chain()
        change = self._submit(order)
        mine = change.with_user(self.manager)
        self._credit(invoice, 20)
        with self.assertRefused("has changed since its preview"):
            mine.action_approve()
        mine.action_preview()
        with self.assertRefused("has changed since its preview"):
            self._answer_documents()
            mine.action_approve()
        self.assertEqual(order.loyalty_partner_id, self.referrer)
        self._answer_documents()
        mine.action_preview()
        mine.action_approve()
        self._answer_documents()
        self.assertBalance(self.right_member, 13)

    def test_a_preview_of_other_partners_is_none(self):
        change = self._create_change(self._sell())
        change.action_preview()
        self.assertTrue(change.figure_ids)
        change.target_partner_id = self.dealer
        self.assertRecordValues(change, [{"previewed_at": False, "figure_ids": []}])

    def test_documents_that_moved_or_went_meanwhile_are_not_moved(self):
        moved, draft = self._sell(), self._create_order(self.stranger, 10, loyalty_partner_id=self.referrer.id)
        change = self._submit(moved, draft)
        moved.loyalty_partner_id = self.dealer
        with self.assertRefused("is not referred by Referrer"):
            change.with_user(self.manager).action_approve()
        moved.loyalty_partner_id = self.referrer
        draft._action_cancel()
        draft.unlink()
        with self.assertRefused("was deleted"):
            change.with_user(self.manager).action_approve()
        self.assertEqual(moved.loyalty_partner_id, self.referrer)
        change.action_cancel()
        self.assertEqual(change.line_ids.mapped("document_name"), [moved.display_name, "Deleted document"])

    def test_a_rule_that_fails_is_named_and_nothing_is_moved(self):
        invoice = self._sell()
        self.env.flush_all()
        rule = self.program.rule_ids[0]
        self.env.cr.execute("UPDATE partner_loyalty_rule SET domain = %s WHERE id = %s", ['[("odd", "=", 1)]', rule.id])
        self.env.invalidate_all()
        change = self._create_change(invoice)
        with self.assertRefused("“Commission” fails on these documents"):
            change.action_preview()
        self.assertFalse(rule.error)
        self.env.cr.execute("UPDATE partner_loyalty_rule SET domain = '[]' WHERE id = %s", [rule.id])
        self.env.invalidate_all()

    # === APPROVAL ===#

    def test_approving_twice_moves_once(self):
        invoice = self._sell()
        change = self._approve(invoice)
        with self.assertRefused("cannot be changed this way any more"):
            change.with_user(self.users["administrator"]).action_approve()
        self._answer_documents()
        self.assertEntries(self.right_member, [10])

    def test_nobody_approves_what_they_asked_for(self):
        entered = self._create_change(self._sell(), user=self.manager)
        entered.with_user(self.officer).action_submit()
        submitted = self._create_change(self._sell())
        submitted.with_user(self.manager).action_submit()
        for change in (entered, submitted):
            mine = change.with_user(self.manager)
            self.assertFalse(mine.can_approve)
            for decide in (mine.action_approve, lambda mine=mine: mine.action_refuse("No")):
                with self.assertRefused("yourself"):
                    decide()
        (entered | submitted).with_user(self.users["administrator"]).action_approve()
        self._answer_documents()
        self.assertBalance(self.right_member, 20)

    def test_nobody_approves_for_their_own_company_on_either_side(self):
        change = self._submit(self._sell())
        for partner in (self.referrer, self.right):
            self.manager.partner_id.parent_id = partner
            self.env.invalidate_all()
            mine = change.with_user(self.manager)
            self.assertFalse(mine.can_approve)
            with self.subTest(partner=partner.name), self.assertRefused("your own company"):
                mine.action_approve()

    def test_officers_ask_and_only_managers_decide(self):
        change = self._submit(self._sell())
        other_officer = self._create_role_user("officer_2", "partner_loyalty.partner_loyalty_group_officer")
        for user in (self.officer, other_officer):
            theirs = change.with_user(user)
            self.assertFalse(theirs.can_approve)
            for decide in (theirs.action_approve, lambda theirs=theirs: theirs.action_refuse("No")):
                with self.assertRefused("approved by a loyalty manager"):
                    decide()
        self.assertEqual(change.state, "submitted")

    def test_salespeople_see_nothing_of_it_and_accountants_change_nothing(self):
        change = self._submit(self._sell())
        for record in (change, change.line_ids, change.figure_ids):
            with self.subTest(model=record._name), self.assertRefused("", AccessError):
                record.with_user(self.users["salesperson"]).read(["display_name"])
        with self.assertRefused("", AccessError):
            self._create_change(user=self.users["salesperson"])
        accountant = self.users["accountant"]
        self.assertEqual(len(change.with_user(accountant).figure_ids.read(["amount"])), 2)
        for refused in (
            change.with_user(accountant).action_preview,
            change.with_user(accountant).action_cancel,
            lambda: self._create_change(user=accountant),
        ):
            with self.assertRefused("", AccessError):
                refused()

    def test_a_manager_without_rights_on_sales_documents_moves_them(self):
        lead, order, invoice, _credit_note = self._create_chain()
        for document in (lead, order, invoice):
            with self.assertRefused("", AccessError):
                document.with_user(self.manager).read(["loyalty_partner_id"])
        change = self._approve(order)
        names = dict(change.line_ids.with_user(self.manager).mapped(lambda line: (line.res_model, line.document_name)))
        self.assertEqual((names["sale.order"], names["crm.lead"]), (order.name, f"Lead {lead.id}"))
        self.assertEqual(order.loyalty_partner_id, self.right)

    def test_a_refusal_needs_a_reason_and_moves_nothing(self):
        invoice = self._sell()
        change = self._submit(invoice)
        with self.assertRefused("Say why"):
            change.with_user(self.manager).action_refuse(" ")
        wizard = (
            self.env["partner.loyalty.attribution.refuse"]
            .with_user(self.manager)
            .with_context(active_model=change._name, active_ids=change.ids)
            .create({"reason": "It was theirs"})
        )
        wizard.action_refuse()
        self.assertRecordValues(
            change, [{"state": "refused", "refuse_reason": "It was theirs", "decided_by_id": self.manager.id}]
        )
        self.assertEqual(invoice.loyalty_partner_id, self.referrer)
        with self.assertRefused("any more"):
            change.with_user(self.users["administrator"]).action_approve()

    def test_a_change_of_another_company_is_out_of_reach(self):
        change = self._submit(self._sell())
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        elsewhere = self._create_role_user(
            "elsewhere",
            "partner_loyalty.partner_loyalty_group_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for record in (change, change.line_ids, change.figure_ids):
            self.assertFalse(self.env[record._name].with_user(elsewhere).search([("id", "in", record.ids)]))
        with self.assertRefused("", AccessError):
            change.with_user(elsewhere).action_approve()

    def test_what_was_submitted_stands(self):
        change = self._submit(self._sell())
        for values in (
            {"reason": "Another"},
            {"target_partner_id": self.dealer.id},
            {"line_ids": [Command.clear()]},
        ):
            with self.subTest(values=values), self.assertRefused("cannot be changed any more"):
                change.write(values)
        with self.assertRefused("cannot be changed any more"):
            change.line_ids.unlink()
        with self.assertRefused("cannot be changed any more"):
            change._add_documents(self._sell())
        with self.assertRefused("only drafts can be deleted"):
            change.unlink()
        self._create_change().unlink()

    def test_what_the_program_sets_is_set_by_nobody_else(self):
        change = self._create_change(self._sell())
        for values in (
            {"state": "approved"},
            {"submitted_by_id": self.manager.id},
            {"figure_ids": [Command.clear()]},
            {"company_id": self.company.id},
        ):
            with self.subTest(values=values), self.assertRefused("cannot be set by hand", AccessError):
                change.write(values)
        with self.assertRefused("cannot be set by hand", AccessError):
            change.line_ids.res_id = 1
        with self.assertRefused("cannot be set by hand", AccessError):
            change.line_ids.is_carried = True

    # === BAD INPUT ===#

    def test_what_makes_no_sense_is_refused(self):
        invoice = self._sell()
        archived = self._create_partner(name="Archived", active=False)
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        foreign = self._create_partner(name="Foreign", company_id=company.id)
        bill = self._create_sale_invoice(self.stranger, 5, post=False, move_type="in_invoice")
        for documents, values, words in (
            ([invoice], {"target_partner_id": self.referrer.id}, "two different partners"),
            ([], {"partner_id": False, "target_partner_id": False}, "two different partners"),
            ([invoice], {"target_partner_id": archived.id}, "is archived"),
            ([invoice], {"target_partner_id": foreign.id}, "belongs to another company"),
            ([invoice], {"target_partner_id": self.dealer_contact.id}, "choose the company"),
            ([invoice], {"reason": " "}, "enter a reason"),
            ([invoice], {"partner_id": self.dealer.id}, "is not referred by Dealer"),
            ([invoice, invoice], {}, "on the list once"),
            ([bill], {"partner_id": False}, "is no invoice of a customer"),
            ([invoice.browse(999999999)], {}, "was deleted"),
        ):
            with self.subTest(words=words), self.assertRefused(words, ValidationError):
                self._create_change(*documents, **values)
        with self.assertRefused("Choose at least one document"):
            self._submit()

    def test_documents_of_another_company_are_refused(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.officer.company_ids += company
        self.env.user.company_ids += company
        invoice = self._sell()
        with self.assertRefused("does not belong to Elsewhere", ValidationError):
            self._create_change(invoice, company_id=company.id)

    def test_a_partner_who_was_archived_meanwhile_gets_nothing(self):
        change = self._submit(self._sell())
        self.right.active = False
        with self.assertRefused("is archived"):
            change.with_user(self.manager).action_approve()

    # === CHOOSING ===#

    def test_the_action_menu_opens_a_draft_with_what_was_chosen(self):
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        user = self._create_role_user(
            "both", "partner_loyalty.partner_loyalty_group_officer,sales_team.group_sale_salesman_all_leads"
        )
        Attribution = (
            self.env["partner.loyalty.attribution"]
            .with_user(user)
            .with_context(active_model="sale.order", active_ids=order.ids)
        )
        with Form(Attribution) as form:
            self.assertEqual(form.partner_id, self.referrer)
            form.target_partner_id = self.right
            form.reason = "Registered"
        self.assertEqual(self._get_listed(form.record, False), {("sale.order", order.id)})
        for role in ("officer", "manager"):
            with self.subTest(role=role):
                blind = Attribution.with_user(self.users[role])
                self.assertFalse(blind.default_get(["line_ids", "partner_id"]).get("line_ids"))

    def test_the_dialog_finds_documents_by_customer_and_period(self):
        lead, order, invoice, credit_note = self._create_chain()
        self._sell(date="2026-01-10")
        change = self._create_change()
        Wizard = self.env["partner.loyalty.attribution.choose"].with_user(self.officer)
        Wizard = Wizard.with_context(active_model=change._name, active_ids=change.ids)
        self.assertEqual(Wizard.create({}).document_count, 5)
        with self.assertRefused("No document was found"):
            Wizard.create({"customer_id": self.dealer.id}).action_add()
        with self.assertRefused("four digits", ValidationError):
            Wizard.create({"date_to": "9999-12-31"})
        Wizard.create({"date_from": "2026-03-01", "date_to": "2026-03-31", "with_leads": False}).action_add()
        self.assertEqual(
            self._get_listed(change, False) | self._get_listed(change, True),
            {(document._name, document.id) for document in (lead, order, invoice, credit_note)},
        )
        Wizard.create({}).action_add()
        self.assertEqual(change.document_count, 5)

    # === TO-DO AND CHECKS ===#

    def test_a_submitted_change_waits_for_managers(self):
        self.program.user_id = self.manager
        draft, change = self._create_change(), self._submit(self._sell())
        todo = self.env["partner.loyalty.todo"].search([("res_model", "=", change._name)])
        self.assertRecordValues(
            todo,
            [
                {
                    "kind": "attribution_approve",
                    "res_id": change.id,
                    "record_name": change.name,
                    "partner_id": self.right.id,
                    "user_id": self.officer.id,
                    "for_manager": True,
                }
            ],
        )
        self.assertEqual(change.activity_ids.user_id, self.manager)
        self.assertFalse(draft.activity_ids)
        change.with_user(self.manager).action_approve()
        self.assertFalse(change.activity_ids)

    def test_the_checks_find_what_was_slipped_in(self):
        change = self._submit(self._sell())
        Invariant = self.env["partner.loyalty.invariant"]
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(
                "UPDATE partner_loyalty_attribution SET state = 'approved', decided_by_id = create_uid,"
                " decided_at = now() WHERE id = %s",
                [change.id],
            )
            found = {invariant.code: ids for invariant, ids in Invariant._find_violations()}
            self.assertEqual(found["I9d"], change.ids)
            savepoint.rollback()
        self.env.invalidate_all()
