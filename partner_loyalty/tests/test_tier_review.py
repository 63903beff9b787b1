"""Tiers that people look at before they are in force: proposed, reviewed, published on a day."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .test_tier_policy import MONTH, TierPolicyCommon

REVIEW = {"tier_mode": "review", **MONTH}


@tagged("post_install", "-at_install")
class TestTierReview(TierPolicyCommon):
    roles = ("administrator", "manager", "officer", "salesperson", "accountant")

    # === HELPERS ===#

    def _run_cron(self, program, day):
        """Do what the scheduled action does for a program on a day."""
        with freeze_time(f"{day} 12:00:00"):
            self.env.flush_all()
            self.env["partner.loyalty.tier.review"]._publish_due(program)
            program._evaluate_tiers()
            program._refresh_tiers()

    def _get_review(self, program, day="2025-01-31"):
        review = self.env["partner.loyalty.tier.review"].search(
            [("program_id", "=", program.id), ("evaluation_date", "=", day), ("state", "!=", "canceled")]
        )
        self.assertEqual(len(review), 1)
        return review

    def _get_line(self, review, member):
        line = review.line_ids.filtered(lambda line: line.member_id == member)
        self.assertEqual(len(line), 1)
        return line

    def _propose(self, sales=None, **policy):
        """Return a program, its member and the tiers that are proposed on 1 February 2025."""
        program, member = self._create_tiers(**{**REVIEW, **policy})
        self._buy(member, {"2025-01-10": 500} if sales is None else sales)
        self._run_cron(program, "2025-02-01")
        return program, member, self._get_review(program)

    def _publish(self, review, publish_date=None, day="2025-02-01"):
        """Have a review looked at by an officer, and published by a manager."""
        with freeze_time(f"{day} 13:00:00"):
            if review.state == "draft":
                review.with_user(self.users["officer"]).action_review()
            if publish_date:
                review.with_user(self.users["manager"]).publish_date = publish_date
            review.with_user(self.users["manager"]).action_publish()

    # === THE WHOLE WAY ===#

    def test_twenty_proposals_two_of_them_overridden_move_nothing_before_the_day_they_are_published(self):
        program, member = self._create_tiers(**REVIEW, tier_mails=True)
        silver, gold, platinum = program.tier_ids
        gold.pricelist_id = self.env["product.pricelist"].create({"name": "For gold"})
        program.rule_ids.tier_rate_ids = [self._tier_rate(gold, 20)]
        partners = self.env["res.partner"].create(
            [{"name": f"Dealer {i}", "is_company": True, "email": f"dealer{i}@example.com"} for i in range(19)]
        )
        member.partner_id.email = "buyer@example.com"
        members = member + self._enroll(program, partners, date_from="2025-01-01")
        order_of_january = self._create_sale_invoice(member.partner_id, 500, date="2025-01-10")
        for one in members[1:]:
            self._buy(one, {"2025-01-20": 500})
        self._run_cron(program, "2025-02-01")
        review = self._get_review(program)
        self.assertRecordValues(
            review,
            [{"state": "draft", "line_count": 20, "rise_count": 20, "publish_date": self._day("2025-02-02")}],
        )
        higher, lower = members[1:3]
        with freeze_time("2025-02-01 12:30:00"), Form(review.with_user(self.users["officer"])) as form:
            for one, tier in ((higher, platinum), (lower, silver)):
                number = review.line_ids.ids.index(self._get_line(review, one).id)
                with form.line_ids.edit(number) as line:
                    line.decided_tier_id = tier
                    line.reason = f"Agreed with {one.partner_id.name}"
        self.assertRecordValues(review, [{"rise_count": 19, "override_count": 2}])
        self._publish(review)
        self.assertEqual(review.state, "scheduled")

        # Nothing has moved.
        mails = self.env["mail.mail"].sudo().search([("subject", "ilike", "your tier is")])
        self.assertFalse(mails)
        self.assertEqual(members.tier_id, silver)
        self.assertFalse(members.tier_period_ids.filtered("date_to"))
        self.assertFalse(members.partner_id.specific_property_product_pricelist)
        self._run_cron(program, "2025-02-01")
        self.assertEqual(members.tier_id, silver)

        self._run_cron(program, "2025-02-02")
        self.assertEqual(review.state, "published")
        self.assertEqual([higher.tier_id, lower.tier_id, (members - higher - lower).tier_id], [platinum, silver, gold])
        self.assertEqual(self._get_changes(member), "Gold 2025-02-02")
        self.assertEqual((members - higher - lower).partner_id.specific_property_product_pricelist, gold.pricelist_id)
        self.assertFalse((higher + lower).partner_id.specific_property_product_pricelist)
        by_hand = members.tier_period_ids.filtered(lambda period: period.cause == "override")
        self.assertRecordValues(
            by_hand.sorted("id"),
            [
                {"member_id": one.id, "reason": f"Agreed with {one.partner_id.name}", "outcome": False}
                for one in by_hand.sorted("id").member_id
            ],
        )
        self.assertEqual(by_hand.member_id, higher + lower)
        self.assertEqual(by_hand.user_id, self.users["officer"])
        mails = self.env["mail.mail"].sudo().search([("subject", "ilike", "your tier is")])
        self.assertEqual(len(mails), 19, "Whose tier is the same is not told anything.")

        # What is sold from that day on has the new rate, and what was sold before the old one.
        for day in ("2025-02-01", "2025-02-02"):
            self._create_sale_invoice(partners[5], 100, date=day)
        self._answer_documents()
        account = members.filtered(lambda one: one.partner_id == partners[5])
        self.assertEqual(sorted(self._get_entries(account).mapped("amount")), [10, 20, 50])

        # A cancellation changes nothing about January, and counts at the next evaluation.
        order_of_january.button_draft()
        order_of_january.button_cancel()
        self._run_cron(program, "2025-02-20")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-02")
        self.assertEqual(self._get_line(review, member).turnover, 500)
        self._run_cron(program, "2025-03-01")
        self.assertEqual(self._get_line(self._get_review(program, "2025-02-28"), member).proposed_tier_id, silver)

    def test_a_cancellation_before_the_next_evaluation_counts_then_over_a_longer_time(self):
        program, member = self._create_tiers(**{**REVIEW, "tier_months": 12})
        invoice = self._create_sale_invoice(member.partner_id, 500, date="2025-01-10")
        self._run_cron(program, "2025-02-01")
        self._publish(self._get_review(program))
        self._run_cron(program, "2025-02-02")
        invoice.button_draft()
        invoice.button_cancel()
        self._run_cron(program, "2025-03-01")
        self.assertEqual(member.tier_id.name, "Gold")
        line = self._get_line(self._get_review(program, "2025-02-28"), member)
        self.assertRecordValues(line, [{"turnover": 0, "movement": "fall"}])
        self.assertEqual(line.proposed_tier_id.name, "Silver")

    # === PROPOSALS ===#

    def test_what_was_proposed_is_not_proposed_again(self):
        program, member, review = self._propose()
        for day in ("2025-02-01", "2025-02-10", "2025-02-28"):
            self._run_cron(program, day)
        self.assertEqual(program.tier_review_ids, review)
        self.assertEqual(len(review.line_ids), 1)
        self.assertEqual(member.tier_id.name, "Silver")

    def test_who_is_enrolled_later_is_added_to_what_nobody_has_looked_at(self):
        program, _member, review = self._propose()
        late = self._enroll(program, self.stranger, date_from="2025-01-15")
        self._run_cron(program, "2025-02-05")
        self.assertEqual(self._get_review(program), review)
        self.assertIn(late, review.line_ids.member_id)

    def test_the_next_evaluation_works_on_what_is_in_force_then(self):
        program, member, january = self._propose()
        self._run_cron(program, "2025-03-01")
        february = self._get_review(program, "2025-02-28")
        self.assertRecordValues(self._get_line(february, member), [{"movement": "same", "turnover": 0}])
        self._publish(january, "2025-03-06", day="2025-03-05")
        self._run_cron(program, "2025-03-06")
        self.assertEqual(self._get_changes(member), "Gold 2025-03-06")
        line = self._get_line(self._get_review(program, "2025-02-28"), member)
        self.assertRecordValues(line, [{"movement": "fall", "tier_id": program.tier_ids[1].id, "skipped": False}])
        self._publish(february, "2025-03-10", day="2025-03-08")
        self._run_cron(program, "2025-03-10")
        self.assertEqual(self._get_changes(member), "Gold 2025-03-06, Silver 2025-03-10")

    def test_an_older_review_gives_way_to_one_that_was_looked_at(self):
        program, member, january = self._propose()
        self._run_cron(program, "2025-03-01")
        february = self._get_review(program, "2025-02-28")
        self._publish(february, "2025-03-09", day="2025-03-08")
        self._publish(january, "2025-03-09", day="2025-03-08")
        self._run_cron(program, "2025-03-09")
        self.assertEqual(self._get_line(january, member).skipped, "again")
        self.assertEqual(self._get_changes(member), "")

    def test_a_time_of_grace_is_proposed_and_ends_with_another_review(self):
        program, member, review = self._propose(tier_grace_months=1)
        self._publish(review)
        self._run_cron(program, "2025-03-01")
        february = self._get_review(program, "2025-02-28")
        self.assertRecordValues(
            february.line_ids, [{"outcome": "grace", "movement": "same", "grace_until": self._day("2025-03-31")}]
        )
        self._publish(february, day="2025-03-01")
        self._run_cron(program, "2025-04-01")
        march = self._get_review(program, "2025-03-31")
        self.assertRecordValues(march.line_ids, [{"outcome": "deserved", "movement": "fall"}])
        self._publish(march, day="2025-04-01")
        self._run_cron(program, "2025-04-02")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-02, Silver 2025-04-02")

    def test_a_year_of_membership_ends_with_a_review(self):
        program, member = self._create_tiers(joined="2025-03-15", tier_mode="review", tier_period="anniversary")
        self._buy(member, {"2025-04-01": 500})
        self._run_cron(program, "2026-03-20")
        self._publish(self._get_review(program, "2026-03-14"), day="2026-03-20")
        self._run_cron(program, "2026-03-21")
        self.assertEqual(self._get_changes(member), "Gold 2026-03-21")

    def test_a_program_that_goes_back_to_deciding_automatically_decides_nothing_twice(self):
        program, member, review = self._propose()
        program.tier_mode = "auto"
        self._run_cron(program, "2025-02-10")
        self.assertEqual(self._get_changes(member), "")
        self._publish(review, "2025-02-11", day="2025-02-10")
        self._run_cron(program, "2025-03-01")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-11, Silver 2025-03-01")

    # === PUBLISHING ===#

    def test_tiers_are_in_force_from_the_day_given_even_where_the_program_comes_late(self):
        program, member, review = self._propose()
        self._publish(review, "2025-02-10")
        self._run_cron(program, "2025-02-09")
        self.assertEqual(self._get_changes(member), "")
        self._run_cron(program, "2025-02-14")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-10")
        self.assertEqual(member.tier_period_ids.sorted("date_from")[-1].review_id, review)

    def test_who_left_or_was_moved_since_is_left_out_with_a_note(self):
        program, member = self._create_tiers(**REVIEW)
        partners = self._create_partner(name="Ended", is_company=True) + self.dealer + self.stranger
        ended, moved, merged = (self._enroll(program, partner, date_from="2025-01-01") for partner in partners)
        members = member + ended + moved + merged
        for one in members:
            self._buy(one, {"2025-01-10": 500})
        self._run_cron(program, "2025-02-01")
        review = self._get_review(program)
        self._publish(review, "2025-02-10")
        with freeze_time("2025-02-05 12:00:00"):
            ended.action_end()
            wizard = self.env["partner.loyalty.tier.override"].with_user(self.users["manager"])
            wizard = wizard.with_context(active_model=moved._name, active_ids=moved.ids)
            values = {"tier_id": program.tier_ids[2].id, "date_to": "2025-12-31", "reason": "Promised"}
            wizard.create(values).action_apply()
            merged._merge_into(member)
        self._run_cron(program, "2025-02-10")
        self.assertEqual([self._get_line(review, one).skipped for one in members], [False, "left", "moved", "left"])
        self.assertEqual(self._get_changes(member), "Gold 2025-02-10")
        self.assertEqual(self._get_changes(moved), "Platinum 2025-02-06")
        self.assertEqual(review.skipped_count, 3)
        self.assertIn("Published: 1 members; left out: 3.", str(review.message_ids.mapped("body")))

    def test_a_canceled_review_moves_nothing_and_is_proposed_anew(self):
        program, member, review = self._propose()
        self._publish(review)
        with freeze_time("2025-02-01 14:00:00"):
            with self.assertRefused("a loyalty manager has to decide that"):
                review.with_user(self.users["officer"]).action_cancel()
            review.with_user(self.users["manager"]).action_cancel()
        self._buy(member, {"2025-01-12": 1500})
        self._run_cron(program, "2025-02-03")
        self.assertEqual(self._get_changes(member), "")
        again = self._get_review(program)
        self.assertNotEqual(again, review)
        self.assertEqual(again.line_ids.proposed_tier_id.name, "Platinum")

    def test_a_tier_that_was_decided_otherwise_stands_until_the_next_decision(self):
        program, member, review = self._propose(sales={}, tier_validity_months=6)
        line = review.line_ids.with_user(self.users["officer"])
        line.write({"decided_tier_id": program.tier_ids[1].id, "reason": "Opens a branch"})
        self._publish(review)
        self._run_cron(program, "2025-03-01")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-02")
        period = member.tier_period_ids.sorted("date_from")[-1]
        self.assertRecordValues(period, [{"cause": "override", "valid_until": False, "override_until": False}])
        self.assertEqual(period.evidence["override"]["proposed"], program.tier_ids[0].id)
        self.assertEqual(
            self._get_line(self._get_review(program, "2025-02-28"), member).proposed_tier_id, program.tier_ids[0]
        )

    def test_an_invariant_finds_a_tier_that_is_not_what_people_decided(self):
        program, member, review = self._propose(sales={})
        review.line_ids.write({"decided_tier_id": program.tier_ids[1].id, "reason": "Opens a branch"})
        self._publish(review)
        self._run_cron(program, "2025-02-02")
        period = member.tier_period_ids.sorted("date_from")[-1]
        period.sudo().tier_id = program.tier_ids[2]
        found = self.env["partner.loyalty.invariant"]._find_violations(program)
        self.assertEqual({invariant.code: ids for invariant, ids in found if ids}, {"I12b": period.ids})
        period.sudo().tier_id = program.tier_ids[1]

    # === E-MAILS ===#

    def _get_mails(self, member):
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "partner.loyalty.tier.period")])
            .filtered(lambda mail: member.partner_id in mail.recipient_ids)
        )

    def test_members_are_told_once_of_each_change_and_not_of_joining(self):
        program, member = self._create_tiers(**MONTH, tier_mails=True)
        member.partner_id.write({"email": "buyer@example.com"})
        self._run_cron(program, "2025-01-15")
        self.assertFalse(self._get_mails(member))
        self._buy(member, {"2025-01-20": 500, "2025-02-10": 500})
        self._run_cron(program, "2025-02-01")
        self.assertEqual(self._get_mails(member).mapped("subject"), ["Dealer Club: your tier is Gold"])
        self.assertEqual(self._get_mails(member).state, "outgoing")
        for day in ("2025-02-01", "2025-02-02", "2025-03-01"):
            self._run_cron(program, day)
        self.assertEqual(len(self._get_mails(member)), 1)
        self._run_cron(program, "2025-04-01")
        self.assertEqual(len(self._get_mails(member)), 2)

    def test_members_are_told_nothing_where_the_program_does_not_say_so(self):
        program, member = self._create_tiers(**MONTH)
        member.partner_id.email = "buyer@example.com"
        self._buy(member, {"2025-01-20": 500})
        self._run_cron(program, "2025-02-01")
        program.tier_mails = True
        self._run_cron(program, "2025-02-02")
        self.assertFalse(self._get_mails(member), "What happened before is no news.")

    def test_a_member_that_rose_and_fell_since_and_one_without_an_address_are_told_nothing(self):
        program, member = self._create_tiers(**MONTH, tier_mails=True)
        silent = self._enroll(program, self.dealer, date_from="2025-01-01")
        self.dealer.email = False
        member.partner_id.email = "buyer@example.com"
        self._buy(member, {"2025-01-20": 500})
        self._buy(silent, {"2025-03-20": 500})
        self._run_cron(program, "2025-04-15")
        self.assertEqual(self._get_changes(member), "Gold 2025-02-01, Silver 2025-03-01")
        self.assertEqual(silent.tier_id.name, "Gold")
        self.assertFalse(self._get_mails(member) + self._get_mails(silent))

    def test_members_are_told_in_their_language(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        program, member = self._create_tiers(**MONTH, tier_mails=True)
        program.tier_ids[1].with_context(lang="uk_UA").name = "Золото"
        member.partner_id.write({"email": "buyer@example.com", "lang": "uk_UA"})
        self._buy(member, {"2025-01-20": 500})
        self._run_cron(program, "2025-02-01")
        self.assertIn("Золото", self._get_mails(member).subject)

    def test_a_template_that_cannot_be_filled_in_holds_no_tier_up(self):
        program, member = self._create_tiers(**MONTH, tier_mails=True)
        member.partner_id.email = "buyer@example.com"
        self._buy(member, {"2025-01-20": 500})
        failure = UserError("No such field")
        with patch.object(self.registry["mail.template"], "send_mail_batch", side_effect=failure):
            self._run_cron(program, "2025-02-01")
        self.assertEqual(member.tier_id.name, "Gold")
        self.assertFalse(self._get_mails(member))
        self.assertIn("correct the template", str(program.message_ids.mapped("body")))

    # === RIGHTS ===#

    def test_officers_review_and_another_manager_publishes(self):
        _program, _member, review = self._propose()
        officer, manager = (review.with_user(self.users[role]) for role in ("officer", "manager"))
        with freeze_time("2025-02-01 12:00:00"):
            with self.assertRefused("cannot be changed this way any more"):
                manager.action_publish()
            officer.action_review()
            self.assertFalse(officer.can_approve)
            self.assertTrue(manager.can_approve)
            with self.assertRefused("has to be published by a loyalty manager"):
                officer.action_publish()
            with self.assertRefused("a loyalty manager has to decide that"):
                officer.action_refuse()
            manager.action_refuse("Look at the turnover of the first one")
            self.assertRecordValues(
                review, [{"state": "draft", "refuse_reason": "Look at the turnover of the first one"}]
            )
            manager.action_review()
            with self.assertRefused("another manager has to publish it"):
                manager.action_publish()
            review.with_user(self.users["administrator"]).action_publish()
        self.assertEqual(review.state, "scheduled")
        self.assertEqual(review.decided_by_id, self.users["administrator"])

    def _send_back(self, review, reason, role="manager"):
        """Send a review back as the dialog does."""
        dialog = self.env["partner.loyalty.tier.review.refuse"].with_user(self.users[role])
        dialog = dialog.with_context(active_model=review._name, active_ids=review.ids)
        dialog.create({"reason": reason}).action_refuse()

    def test_who_sends_a_review_back_says_why_and_who_reviewed_it_is_told(self):
        _program, _member, review = self._propose()
        for day, publish in (("2025-02-02", False), ("2025-02-03", True)):
            with freeze_time(f"{day} 12:00:00"):
                review.with_user(self.users["officer"]).action_review()
                if publish:
                    review.with_user(self.users["manager"]).publish_date = "2025-02-10"
                    review.with_user(self.users["manager"]).action_publish()
                with self.subTest(state=review.state):
                    self._send_back(review, f"  Look at <b>Dealer</b> on {day} ")
            self.assertRecordValues(review, [{"state": "draft", "refuse_reason": f"Look at <b>Dealer</b> on {day}"}])
            message = review.message_ids.sorted("id")[-1]
            self.assertIn(f"Sent back: Look at &lt;b&gt;Dealer&lt;/b&gt; on {day}", message.body)
            self.assertEqual(message.author_id, self.users["manager"].partner_id)
            self.assertEqual(message.notified_partner_ids, self.users["officer"].partner_id)

    def test_a_review_is_not_sent_back_without_a_reason_that_can_be_read(self):
        _program, _member, review = self._propose()
        with freeze_time("2025-02-01 12:00:00"):
            review.with_user(self.users["officer"]).action_review()
            for reason, words in (
                (" ", "Say why"),
                ("x" * 501, "The reason has 501 characters: shorten it to 500"),
            ):
                with self.subTest(reason=reason), self.assertRefused(words):
                    self._send_back(review, reason)
            for reason in (None, False, "", 5, ["x"]):
                with self.subTest(reason=reason), self.assertRefused("Say why"):
                    review.with_user(self.users["manager"]).action_refuse(reason)
            self.assertRecordValues(review, [{"state": "reviewed", "refuse_reason": False}])
            self._send_back(review, f" {'x' * 500} ")
        self.assertEqual(review.refuse_reason, "x" * 500)

    def test_officers_do_not_send_back_and_nothing_is_sent_back_twice(self):
        _program, _member, review = self._propose()
        with freeze_time("2025-02-01 12:00:00"):
            with self.assertRefused("cannot be changed this way any more"):
                self._send_back(review, "Look again")
            review.with_user(self.users["officer"]).action_review()
            with self.assertRefused("", AccessError):
                self._send_back(review, "Look again", role="officer")
            with self.assertRefused("a loyalty manager has to decide that"):
                review.with_user(self.users["officer"]).action_refuse("Look again")
            with self.assertRefused("", AccessError):
                review.with_user(self.users["salesperson"]).action_refuse("Look again")
            self.assertRecordValues(review, [{"state": "reviewed", "refuse_reason": False}])

    def test_nobody_decides_otherwise_about_the_own_company(self):
        program, member, review = self._propose()
        user = self._create_role_user("insider", "partner_loyalty.partner_loyalty_group_manager")
        user.partner_id.parent_id = member.partner_id
        change = {"decided_tier_id": program.tier_ids[2].id, "reason": "Ours"}
        with self.assertRefused("your own company: somebody else"):
            review.line_ids.with_user(user).write(change)
        review.line_ids.with_user(self.users["officer"]).write(change)
        with freeze_time("2025-02-01 12:00:00"):
            review.with_user(self.users["officer"]).action_review()
            with self.assertRefused("about your own company: another manager"):
                review.with_user(user).action_publish()

    def test_only_what_is_decided_can_be_written_and_only_while_it_is_looked_at(self):
        program, member, review = self._propose()
        line = review.line_ids.with_user(self.users["manager"])
        for values in (
            {"proposed_tier_id": program.tier_ids[2].id},
            {"turnover": 5000},
            {"evidence": {}},
            {"is_override": False},
            {"skipped": "left"},
        ):
            with self.assertRefused("cannot be set by hand", AccessError):
                line.write(values)
        for values in ({"state": "published"}, {"reviewed_by_id": False}, {"evaluation_date": "2025-01-01"}):
            with self.assertRefused("cannot be set by hand", AccessError):
                review.with_user(self.users["manager"]).write(values)
        for role in ("salesperson", "accountant"):
            with self.assertRefused("", AccessError):
                review.with_user(self.users[role]).read(["state"])
            with self.assertRefused("", AccessError):
                review.line_ids.with_user(self.users[role]).reason = "Mine"
        with self.assertRefused("", AccessError):
            review.with_user(self.users["manager"]).unlink()
        with self.assertRefused("", AccessError):
            review.with_user(self.users["manager"]).line_ids = [Command.create({"member_id": member.id})]
        self._publish(review)
        with self.assertRefused("was reviewed already"):
            line.reason = "Too late"
        with self.assertRefused("send it back first"):
            review.with_user(self.users["manager"]).publish_date = "2025-05-01"

    def test_users_of_another_company_see_no_review(self):
        _program, _member, review = self._propose()
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        groups = "partner_loyalty.partner_loyalty_group_administrator"
        other = self._create_role_user(
            "elsewhere", groups, company_id=company.id, company_ids=[Command.set(company.ids)]
        )
        for records in (review, review.line_ids):
            self.assertFalse(records.with_user(other).search([]) & records)
            with self.assertRefused("", AccessError):
                records.with_user(other).read(["company_id"])

    # === BAD INPUT ===#

    def test_what_cannot_be_decided_is_refused_with_a_sentence(self):
        program, _member, review = self._propose()
        other_program, _other = self._create_tiers()
        line = review.line_ids.with_user(self.users["officer"])
        for values, words in (
            ({"decided_tier_id": program.tier_ids[2].id}, "say why, the reason is kept"),
            ({"decided_tier_id": program.tier_ids[2].id, "reason": " "}, "say why, the reason is kept"),
            ({"decided_tier_id": other_program.tier_ids[2].id, "reason": "Why"}, "is a tier of another program"),
            ({"reason": "N\0L"}, "contains a character that is no text"),
            ({"decided_tier_id": "gold"}, "is nothing that “Decided Tier” can hold"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                line.write(values)
        for day, words in (
            ("soon", "is not a day"),
            ("0026-01-01", "is not a day"),
            ("2025-01-31", "in force from a later day"),
        ):
            with self.subTest(day=day), self.assertRefused(words):
                review.with_user(self.users["officer"]).write({"publish_date": day})

    def test_a_day_that_has_come_is_refused_on_publishing(self):
        _program, _member, review = self._propose()
        review.with_user(self.users["officer"]).action_review()
        with freeze_time("2025-02-02 08:00:00"), self.assertRefused("choose tomorrow or a later day"):
            review.with_user(self.users["manager"]).action_publish()

    def test_rising_at_once_cannot_be_reviewed(self):
        program, _member = self._create_tiers()
        with self.assertRefused("cannot let members rise at once where people review tiers first"):
            program.write({"tier_mode": "review", "tier_upgrade": "at_once"})

    def test_a_tier_that_was_proposed_cannot_be_deleted(self):
        program, _member, _review = self._propose()
        with self.assertRefused("rename the tier instead"):
            program.tier_ids[1].unlink()

    # === WHERE TO FIND IT ===#

    def test_reviews_wait_in_the_to_do_list_and_on_the_program(self):
        program, _member, review = self._propose()
        self.assertEqual(program.with_user(self.users["officer"]).tier_review_count, 1)
        domain = program.action_view_tier_reviews()["domain"]
        self.assertEqual(self.env["partner.loyalty.tier.review"].search(domain), review)
        Todo = self.env["partner.loyalty.todo"]
        domain = [("res_model", "=", review._name), ("program_id", "=", program.id)]
        self.assertRecordValues(Todo.search(domain), [{"kind": "tier_review", "for_manager": False}])
        with freeze_time("2025-02-01 12:00:00"):
            review.with_user(self.users["officer"]).action_review()
            self.env.invalidate_all()
            todo = Todo.search(domain)
            self.assertRecordValues(
                todo,
                [{"kind": "tier_publish", "for_manager": True, "user_id": self.users["officer"].id}],
            )
            self.assertEqual(todo.record_name, "Dealer Club, as of 01/31/2025")
            review.with_user(self.users["manager"]).action_publish()
        self.env.invalidate_all()
        self.assertFalse(Todo.search(domain))

    def test_the_scheduled_action_proposes_and_publishes(self):
        program, member = self._create_tiers(**REVIEW)
        self._buy(member, {"2025-01-10": 500})
        cron = self.env.ref("partner_loyalty.ir_cron_evaluate_tiers")
        with self.enter_registry_test_mode():
            with freeze_time("2025-02-01 00:30:00"):
                cron.method_direct_trigger()
            self._publish(self._get_review(program))
            with freeze_time("2025-02-02 00:30:00"):
                cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(member.tier_id.name, "Gold")
