"""Promotions: short rules with dates under one campaign, and what came of them."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import TODAY, PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestPromotion(PartnerLoyaltyCommon):
    roles = ("officer", "manager", "salesperson", "internal")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campaign = cls.env["utm.campaign"].create({"title": "March Sale"})
        cls.program = cls._create_program([{}])
        # Its 18 days so far follow the 18 days from 11 to 28 February.
        cls.promotion = cls._create_promotion()
        cls.buyer, cls.other = cls._enroll(cls.program, cls.dealer, cls.referrer)
        cls.officer = cls.users["officer"]

    @classmethod
    def _create_promotion(cls, program=None, **values):
        dates = {"date_from": "2026-03-01", "date_to": "2026-03-31"}
        return cls._create_rule(
            program or cls.program, **{"name": "March", "rate": 2, "campaign_id": cls.campaign.id, **dates, **values}
        )

    def _sell(self, partner, amount, date, **values):
        invoice = self._create_sale_invoice(partner, amount, date=date, **values)
        self._answer_documents()
        return invoice

    def _read_result(self, rule=None):
        self.env.invalidate_all()
        return (rule or self.promotion).with_user(self.officer)

    # === WHAT A PROMOTION IS ===#

    def test_a_rule_with_a_campaign_or_of_at_most_92_days_is_a_promotion(self):
        for values, expected in (
            ({"campaign_id": self.campaign.id, "date_from": False, "date_to": False}, True),
            ({"campaign_id": False, "date_from": "2026-07-01", "date_to": "2026-09-30"}, True),
            ({"campaign_id": False, "date_from": "2026-07-01", "date_to": "2026-10-01"}, False),
            ({"campaign_id": False, "date_from": False, "date_to": "2026-03-31"}, False),
            ({"campaign_id": False, "date_from": "2026-03-01", "date_to": False}, False),
        ):
            with self.subTest(values=values):
                rule = self._create_promotion(**values)
                self.assertEqual(rule.is_promotion, expected)
                action = self.env["ir.actions.act_window"]._for_xml_id(
                    "partner_loyalty.partner_loyalty_promotion_action"
                )
                domain = self.env["partner.loyalty.rule"].search([("is_promotion", "=", True)])
                self.assertIn("is_promotion", action["domain"])
                self.assertEqual(rule in domain, expected)

    def test_a_frozen_rule_changes_its_campaign_and_a_new_version_keeps_it(self):
        self._sell(self.dealer, 100, "2026-03-02")
        self.assertTrue(self.promotion.has_entries)
        other = self.env["utm.campaign"].create({"title": "Spring"})
        self.promotion.campaign_id = other
        successor_id = self.promotion.action_new_version()["res_id"]
        self.assertEqual(self.promotion.browse(successor_id).campaign_id, other)

    def test_a_campaign_of_another_company_is_refused(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        campaign = self.env["utm.campaign"].create({"title": "Elsewhere", "company_id": company.id})
        with self.assertRefused("belongs to Elsewhere", ValidationError):
            self.promotion.campaign_id = campaign
        self.promotion.campaign_id = self.env["utm.campaign"].create({"title": "All", "company_id": False})

    # === WHAT CAME OF IT ===#

    def test_the_result_counts_who_earned_and_what_it_costs(self):
        self._sell(self.dealer, 1000, "2026-03-02")
        self._sell(self.dealer, 200, "2026-03-03")
        self._sell(self.referrer, 300.5, "2026-03-18")
        self._sell(self.dealer, 5000, "2026-02-28")
        self._sell(self.stranger, 7000, "2026-03-04")
        self.assertRecordValues(
            self._read_result(),
            [
                {
                    "promotion_member_count": 2,
                    "promotion_document_count": 3,
                    "promotion_turnover": 1500.5,
                    "promotion_money": 30.01,
                    "promotion_points": 0,
                    "promotion_cost_share": 2,
                }
            ],
        )

    def test_turnover_is_what_counts_today(self):
        invoice = self._sell(self.dealer, 1000, "2026-03-02")
        gone = self._sell(self.referrer, 100, "2026-03-02")
        self._credit(invoice, 400)
        self._credit(gone)
        self._answer_documents()
        self.assertRecordValues(
            self._read_result(),
            [
                {
                    "promotion_member_count": 1,
                    "promotion_document_count": 1,
                    "promotion_turnover": 600,
                    "promotion_money": 12,
                }
            ],
        )

    def test_points_cost_what_a_point_is_worth(self):
        program = self._create_program(name="Points", point_value=0.05)
        rule = self._create_promotion(program, unit="point", rate=100)
        self._enroll(program, self.dealer)
        program.action_start()
        self._sell(self.dealer, 200, "2026-03-02")
        self.assertRecordValues(
            self._read_result(rule), [{"promotion_points": 200, "promotion_money": 0, "promotion_cost_share": 5}]
        )
        program.point_value = 0
        self.assertRecordValues(self._read_result(rule), [{"promotion_points": 200, "promotion_cost_share": 0}])
        self.assertNotIn("costs", rule.promotion_result)

    # === WHAT WAS BEFORE ===#

    def test_the_same_members_are_compared_over_as_many_days_before(self):
        self._sell(self.dealer, 1000, "2026-03-02")
        self._sell(self.dealer, 300, "2026-02-11")
        self._sell(self.dealer, 200, "2026-02-28")
        # Too early, and of a member who has not earned by the promotion.
        self._sell(self.dealer, 5000, "2026-02-10")
        self._sell(self.referrer, 7000, "2026-02-20")
        result = self._read_result()
        self.assertEqual(result.promotion_prior_turnover, 500)
        for words in ("Turnover in 18 days: 1,000.00", "in the 18 days before", "That is 100.0 % more", "is no proof"):
            self.assertIn(words, result.promotion_result)

    def test_what_members_bought_before_they_joined_is_compared_as_well(self):
        new = self._enroll(self.program, self.stranger, date_from="2026-03-01")
        self._sell(self.stranger, 400, "2026-02-20")
        self._sell(self.stranger, 100, "2026-03-02")
        self.assertTrue(self._get_entries(new))
        result = self._read_result()
        self.assertEqual(result.promotion_prior_turnover, 400)
        self.assertIn("That is 75.0 % less", result.promotion_result)

    def test_only_such_sales_are_compared(self):
        tool = self._create_product(name="Tool")
        self.promotion.domain = f"[('product_id', '=', {tool.id})]"
        self._sell(self.dealer, 100, "2026-02-20", product=tool)
        self._sell(self.dealer, 900, "2026-02-20")
        self._sell(self.dealer, 100, "2026-03-02", product=tool)
        result = self._read_result()
        self.assertEqual(result.promotion_prior_turnover, 100)
        self.assertIn("just as much", result.promotion_result)

    def test_orders_and_payments_and_referrers_are_compared_with_their_like(self):
        order = self._create_promotion(kind="order", role="referrer", rate=1)
        payment = self._create_promotion(kind="payment", rate=1)
        for day, amount in (("2026-02-20", 300), ("2026-03-02", 600)):
            self._create_order(self.stranger, amount, date=f"{day} 12:00:00", loyalty_partner_id=self.referrer.id)
            self._pay(self._create_sale_invoice(self.dealer, amount, date=day), date=day)
        self._answer_documents()
        for rule in (order, payment):
            with self.subTest(kind=rule.kind):
                self.assertRecordValues(
                    self._read_result(rule), [{"promotion_turnover": 600, "promotion_prior_turnover": 300}]
                )

    def test_a_filter_on_campaigns_or_days_compares_with_nothing(self):
        for domain in (f"[('campaign_id', '=', {self.campaign.id})]", "['!', ('date', '<', '2026-03-01')]"):
            rule = self._create_promotion(domain=domain)
            self._sell(self.dealer, 100, "2026-03-02", campaign_id=self.campaign.id)
            with self.subTest(domain=domain):
                result = self._read_result(rule)
                self.assertFalse(result.promotion_prior_turnover)
                self.assertIn("nothing to compare it with", result.promotion_result)

    def test_a_promotion_without_sales_or_to_come_says_so(self):
        self.assertIn("Nobody has earned", self._read_result().promotion_result)
        later = self._create_promotion(date_from="2026-04-01", date_to="2026-04-30")
        self.assertIn("It starts on 04/01/2026", self._read_result(later).promotion_result)
        self.assertFalse(self.env["partner.loyalty.rule"].new({}).promotion_result)

    def test_a_promotion_that_fails_does_not_stop_the_others(self):
        self._sell(self.dealer, 100, "2026-03-02")
        failing = self._create_promotion(name="Failing")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE partner_loyalty_rule SET error = 'Odd', domain = %s WHERE id = %s",
            ['[("odd", "=", 1)]', failing.id],
        )
        results = self._read_result(self.promotion | failing)
        self.assertEqual(results.mapped("promotion_turnover"), [100, 0])

    def test_a_list_of_promotions_takes_two_queries(self):
        self._sell(self.dealer, 100, "2026-03-02")
        promotions = self.promotion
        for _number in range(4):
            promotions |= self._create_promotion()
        promotions = self._read_result(promotions)
        with self._record_queries() as queries:
            promotions.mapped("promotion_turnover")
        self.assertEqual(
            len([query for query in queries if "partner_loyalty_entry entry" in query and "base" in query]), 2
        )

    # === CAMPAIGNS ===#

    def test_a_campaign_adds_its_promotions_up_and_counts_a_sale_once(self):
        points = self._create_promotion(unit="point", rate=100)
        self._create_promotion(campaign_id=False)
        self._sell(self.dealer, 1000, "2026-03-02")
        self._sell(self.referrer, 500, "2026-03-02")
        points.action_archive()
        self.env.invalidate_all()
        self.assertRecordValues(
            self.campaign.with_user(self.officer),
            [
                {
                    "loyalty_rule_count": 2,
                    "loyalty_member_count": 2,
                    "loyalty_turnover": 1500,
                    "loyalty_points": 1500,
                    "loyalty_money": 30,
                    "loyalty_currency_id": self.company.currency_id.id,
                }
            ],
        )
        action = self.campaign.with_user(self.officer).action_view_loyalty_result()
        self.assertEqual(
            self.env["partner.loyalty.rule"].with_context(**action["context"]).search(action["domain"]),
            self.promotion | points,
        )
        empty = self.env["utm.campaign"].create({"title": "Empty"})
        self.assertRecordValues(empty, [{"loyalty_rule_count": 0, "loyalty_turnover": 0, "loyalty_member_count": 0}])

    def test_a_campaign_without_company_adds_up_those_of_the_current_one(self):
        self.campaign.company_id = False
        company = self._create_company(name="Elsewhere")
        program = self._create_program(
            name="Elsewhere", company_id=company.id, payout_journal_id=False, payout_product_id=False
        )
        self._create_promotion(program)
        self._sell(self.dealer, 100, "2026-03-02")
        campaign = self.campaign.with_company(self.company)
        self.assertRecordValues(campaign, [{"loyalty_rule_count": 1, "loyalty_turnover": 100}])
        self.assertRecordValues(self.campaign.with_company(company), [{"loyalty_rule_count": 1, "loyalty_turnover": 0}])

    # === BONUS ACTIONS, LEADERBOARD AND E-MAILS OF A CAMPAIGN ===#

    def _create_bonus(self, **values):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "A gift for all",
                "program_id": self.program.id,
                "campaign_id": self.campaign.id,
                "schedule": "date",
                "date": TODAY,
                "effect_ids": [Command.create({"kind": "money", "amount": 7})],
                **values,
            }
        )
        action.action_start()
        action.action_run()
        return action

    def test_bonus_actions_of_a_campaign_count_in_its_result(self):
        self._sell(self.dealer, 1000, "2026-03-02")
        self._create_bonus()
        points = self._create_bonus(effect_ids=[Command.create({"kind": "point", "amount": 50})])
        self._create_bonus(campaign_id=False)
        taken_back = self._create_bonus()
        taken_back.run_ids.action_undo()
        self.env.invalidate_all()
        self.assertRecordValues(
            self.campaign.with_user(self.officer),
            [{"loyalty_turnover": 1000, "loyalty_money": 34, "loyalty_points": 100, "loyalty_member_count": 2}],
        )
        self.assertRecordValues(
            points.with_user(self.officer), [{"given_member_count": 2, "given_points": 100, "given_money": 0}]
        )
        self.assertRecordValues(taken_back, [{"given_member_count": 0, "given_points": 0, "given_money": 0}])

    def test_a_campaign_of_bonus_actions_alone_has_a_result_too(self):
        campaign = self.env["utm.campaign"].create({"title": "Gifts"})
        self._create_bonus(campaign_id=campaign.id)
        self.env.invalidate_all()
        self.assertRecordValues(
            campaign, [{"loyalty_rule_count": 0, "loyalty_turnover": 0, "loyalty_money": 14, "loyalty_member_count": 2}]
        )

    def test_a_bonus_action_has_no_campaign_of_another_company(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        campaign = self.env["utm.campaign"].create({"title": "Elsewhere", "company_id": company.id})
        with self.assertRefused("belongs to Elsewhere", ValidationError):
            self._create_bonus(campaign_id=campaign.id)

    def test_the_leaderboard_of_a_campaign_is_about_its_days(self):
        self._sell(self.dealer, 100, "2026-03-01")
        self._sell(self.referrer, 300, "2026-03-18")
        self._sell(self.dealer, 900, "2026-02-28")
        action = self.campaign.with_user(self.officer).action_view_loyalty_leaderboard()
        self.assertEqual(
            (action["context"]["default_date_from"], action["context"]["default_date_to"]),
            (self._day("2026-03-01"), self._day("2026-03-31")),
        )
        wizard = self.env[action["res_model"]].with_user(self.officer).with_context(**action["context"]).create({})
        wizard.metric_id = self.env.ref("partner_loyalty.partner_loyalty_metric_turnover")
        wizard.action_show()
        self.assertEqual(wizard.line_ids.mapped("value"), [300, 100])
        wizard.date_to = "2026-02-01"
        with self.assertRefused("end before they start"):
            wizard.action_show()
        with self.assertRefused("add a promotion first"):
            self.env["utm.campaign"].create({"title": "Empty"}).action_view_loyalty_leaderboard()

    def test_a_campaign_is_announced_once_to_those_it_is_for(self):
        self._create_promotion(name="Over", date_from="2026-01-01", date_to="2026-01-31")
        self._create_promotion(name="To come", date_from="2026-03-20", date_to="2026-04-30")
        action = self.campaign.with_user(self.users["manager"]).action_announce_loyalty()
        draft = self.env["partner.loyalty.bonus.action"].browse(action["res_id"])
        self.assertRecordValues(
            draft, [{"state": "draft", "campaign_id": self.campaign.id, "date": self._day(TODAY), "schedule": "date"}]
        )
        self.dealer.email = "dealer@example.com"
        draft.action_start()
        draft.action_run()
        mail = self.env["mail.mail"].search([("subject", "=", f"{self.program.name}: March Sale")])
        self.assertEqual(mail.recipient_ids, self.dealer)
        for words in ("March", "To come", "03/31/2026", "from 03/20/2026"):
            self.assertIn(words, " ".join(mail.body_html.split()))
        self.assertNotIn("Over", mail.body_html)
        with self.assertRefused("is due"):
            draft.action_run()

    def test_an_announcement_goes_to_segments_where_all_promotions_are_for_some(self):
        segment = self.env["partner.loyalty.segment"].create({"name": "North"})
        self.promotion.segment_ids = segment
        draft_id = self.campaign.action_announce_loyalty()["res_id"]
        self.assertEqual(self.env["partner.loyalty.bonus.action"].browse(draft_id).segment_ids, segment)
        self._create_promotion()
        draft_id = self.campaign.action_announce_loyalty()["res_id"]
        self.assertFalse(self.env["partner.loyalty.bonus.action"].browse(draft_id).segment_ids)

    def test_an_announcement_is_drafted_for_each_program_by_managers_alone(self):
        program = self._create_program(name="Second")
        self._create_promotion(program)
        action = self.campaign.action_announce_loyalty()
        drafts = self.env["partner.loyalty.bonus.action"].search(action["domain"])
        self.assertEqual(drafts.program_id, self.program | program)
        with self.assertRefused("", AccessError):
            self.campaign.with_user(self.officer).action_announce_loyalty()
        for rule in self.campaign.loyalty_rule_ids:
            rule.date_to = "2026-03-17"
        with self.assertRefused("running or still to come", UserError):
            self.campaign.action_announce_loyalty()

    # === RIGHTS ===#

    def test_results_are_for_officers_and_campaigns_for_whom_they_were(self):
        self._sell(self.dealer, 100, "2026-03-02")
        for role in ("salesperson", "internal"):
            user = self.users[role]
            for record, name in ((self.promotion, "promotion_turnover"), (self.campaign, "loyalty_turnover")):
                with self.subTest(role=role, field=name), self.assertRefused("", AccessError):
                    record.with_user(user).read([name])
            self.assertTrue(self.campaign.with_user(user).read(["title"]))
            self.assertNotIn("Loyalty Result", self.campaign.with_user(user).get_view(view_type="form")["arch"])
        self.assertEqual(self._read_result().promotion_turnover, 100)
        self.assertIn("Loyalty Result", self.campaign.with_user(self.officer).get_view(view_type="form")["arch"])
        with self.assertRefused("", AccessError):
            self.promotion.with_user(self.officer).campaign_id = False
        with self.assertRefused("", AccessError):
            self.campaign.with_user(self.officer).unlink()

    def test_the_forms_open_for_those_who_may_read_them(self):
        self._sell(self.dealer, 100, "2026-03-02")
        for role in ("officer", "manager", "internal"):
            with self.subTest(role=role):
                Form(self.promotion.with_user(self.users[role]))
                Form(self.campaign.with_user(self.users[role]))
        with Form(self.promotion.with_user(self.users["manager"])) as form:
            form.campaign_id = self.env["utm.campaign"]
        self.assertFalse(self.promotion.campaign_id)

    def test_portal_users_read_rules_without_campaigns(self):
        portal = self._create_role_user("portal", "base.group_portal", partner_id=self.dealer_contact.id)
        self.assertTrue(self.promotion.with_user(portal).read(["name"]))
        for name in ("campaign_id", "promotion_result"):
            with self.subTest(field=name), self.assertRefused("", AccessError):
                self.promotion.with_user(portal).read([name])

    def test_a_promotion_is_imported_with_the_name_of_its_campaign(self):
        columns = ["program_id/.id", "name", "date_from", "date_to", "campaign_id"]
        rows = [[str(self.program.id), "April", "2026-04-01", "2026-04-30", "March Sale"]]
        Rule = self.env["partner.loyalty.rule"].with_user(self.users["manager"])
        result = Rule.load(columns, rows)
        self.assertRecordValues(
            Rule.browse(result["ids"]), [{"campaign_id": self.campaign.id, "is_promotion": True, "name": "April"}]
        )
        self.assertTrue(Rule.load(columns, [[*rows[0][:4], "No Such Campaign"]])["messages"])

    def test_a_rule_of_a_new_program_has_a_campaign_too(self):
        program = self.env["partner.loyalty.program"].create(
            {
                "name": "New",
                "rule_ids": [Command.create(self._prepare_rule(campaign_id=self.campaign.id))],
            }
        )
        self.assertTrue(program.rule_ids.is_promotion)
