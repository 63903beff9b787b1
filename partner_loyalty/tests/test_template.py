from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import TODAY, PartnerLoyaltyCommon

TEMPLATES = ("service", "academy", "live")
# What each writes nothing about: money that does not expire, points that are not paid out.
SILENT = {"service": ["expiring"], "academy": ["payout"], "live": []}


@tagged("post_install", "-at_install")
class TestTemplate(PartnerLoyaltyCommon):
    roles = ("officer", "manager")

    def _create_from(self, template, **vals):
        """Return the program that a manager makes from a template."""
        wizard = self.env["partner.loyalty.template"].with_user(self.users["manager"])
        wizard = wizard.create({"template": template, **vals})
        return self.env["partner.loyalty.program"].browse(wizard.action_create()["res_id"])

    def _start_from(self, template, **vals):
        program = self._create_from(template, **vals)
        program.write({"date_from": "2026-01-01", "tz": "UTC"})
        program.with_user(self.users["manager"]).action_start()
        return program

    def _get_rewards(self, program):
        return (
            self.env["partner.loyalty.reward"].with_context(active_test=False).search([("program_id", "=", program.id)])
        )

    def _get_log(self, program):
        return " ".join(program.message_ids.mapped("body"))

    # === WHAT IS IN IT ===#

    def test_each_template_makes_a_whole_program(self):
        for template in TEMPLATES:
            with self.subTest(template=template):
                program = self._create_from(template, product_id=self.thing.id)
                self.assertEqual((program.state, len(program.tier_ids)), ("draft", 3))
                self.assertGreaterEqual(len(program.rule_ids), 2)
                self.assertGreaterEqual(len(program.bonus_action_ids), 4)
                self.assertTrue(all(action.effect_ids for action in program.bonus_action_ids))
                self.assertGreaterEqual(len(self._get_rewards(program).filtered("active")), 3)
                goals = self.env["partner.loyalty.goal"].search([("program_id", "=", program.id)])
                self.assertGreaterEqual(len(goals), 3)
                self.assertNotIn(False, goals.mapped("summary"))
                silent = program.message_setting_ids.filtered(lambda setting: not setting.is_active).mapped("kind")
                self.assertEqual((silent, program.tier_mails), (SILENT[template], True))
                self.assertTrue(program.needs_survey_id and program.satisfaction_survey_id)
                self.assertTrue(program.terms and program.public_text)

    def test_nothing_has_to_be_changed_before_the_start(self):
        for template in TEMPLATES:
            with self.subTest(template=template):
                program = self._start_from(template)
                self.assertEqual(program.state, "running")
                self.assertEqual(set(program.bonus_action_ids.mapped("state")), {"running"})
                self.assertEqual(set(program.bonus_action_ids.mapped("date_from")), {program._get_today()})

    def test_a_draft_that_does_not_wait_for_its_program_stays_one(self):
        program = self._create_from("live")
        action = program.bonus_action_ids[0]
        action.starts_with_program = False
        program.action_start()
        self.assertEqual(action.state, "draft")
        self.assertEqual(set((program.bonus_action_ids - action).mapped("state")), {"running"})

    def test_sales_and_service_pays_as_customers_pay_by_tier(self):
        program = self._start_from("service")
        member = self._enroll(program, self.dealer)
        self._pay(self._create_sale_invoice(self.dealer, 30000))
        self._answer_documents()
        self.assertEqual(sorted(self._get_entries(member).mapped("amount")), [50, 900])

    def test_sales_and_service_pays_for_customers_that_a_member_brought(self):
        program = self._start_from("service")
        member = self._enroll(program, self.referrer)
        self._pay(self._create_sale_invoice(self.stranger, 1000, loyalty_partner_id=self.referrer.id))
        self._answer_documents()
        self.assertEqual(sorted(self._get_entries(member).mapped("amount")), [30, 100])

    def test_live_gives_points_for_coming_back(self):
        program = self._start_from("live")
        member = self._enroll(program, self.dealer)
        for day in ("10", "11"):
            self._create_order(self.dealer, 105, date=f"2026-03-{day} 10:00:00")
        self._answer_documents()
        self.assertBalance(member, 70, unit="point")

    def test_gold_of_the_academy_asks_for_a_certificate_too(self):
        program = self._create_from("academy")
        gold = program.tier_ids.sorted("threshold")[-1]
        certificates = self.env.ref("partner_loyalty.partner_loyalty_metric_certificates")
        self.assertEqual(gold.criterion_ids.mapped(lambda one: (one.metric_id, one.minimum)), [(certificates, 1)])

    def test_who_joins_the_academy_is_given_the_certification(self):
        program = self._start_from("academy")
        member = self._enroll(program, self.dealer, date_from=TODAY)
        self.env["partner.loyalty.tier.entitlement"].sudo()._grant_batch(program)
        claims = self.env["partner.loyalty.claim"].search([("member_id", "=", member.id)])
        self.assertEqual(claims.mapped(lambda claim: (claim.reward_id.kind, claim.source)), [("certification", "tier")])

    def test_a_change_against_the_past_is_aimed_at_only_where_there_is_a_past(self):
        program = self._create_from("live")
        goal = self.env["partner.loyalty.goal"].search([("program_id", "=", program.id), ("kpi", "=", "repeat_share")])
        self.assertEqual((goal.target_change, goal.target, goal.is_reached), (0, 50, False))

    # === BY THE COMPANY ===#

    def test_amounts_follow_the_turnover_of_a_partner(self):
        program = self._create_from("service", turnover=2_161_000)
        self.assertEqual(program.tier_ids.sorted("threshold").mapped("threshold"), [0, 2_200_000, 6_500_000])
        self.assertEqual(program.payout_minimum, 2200)
        self.assertEqual(self._create_from("service").payout_minimum, 50)

    def test_the_turnover_is_offered_in_the_currency_of_the_company(self):
        currency = self._enable_currency("JPY")
        self.env["res.currency.rate"].create({"currency_id": currency.id, "rate": 160, "name": "2026-01-01"})
        company = self.env["res.company"].create({"name": "Tokyo Office", "currency_id": currency.id})
        self.env.user.company_ids += company
        rates = {"currency_id": self.env.ref("base.EUR").id, "company_id": company.id, "name": "2026-01-01"}
        self.env["res.currency.rate"].create({**rates, "rate": 1 / 160})
        wizard = self.env["partner.loyalty.template"].with_company(company).create({"template": "live"})
        self.assertEqual((wizard.currency_id, wizard.turnover), (currency, 8_000_000))
        program = self.env["partner.loyalty.program"].browse(wizard.action_create()["res_id"])
        self.assertEqual(program.tier_ids.sorted("threshold").mapped("threshold"), [0, 1_600_000, 6_400_000])

    def test_a_turnover_that_makes_no_tiers_is_refused(self):
        for turnover in (0, -1, 0.5, 10**9, float("nan")):
            with self.subTest(turnover=turnover), self.assertRefused("", ValidationError):
                self._create_from("service", turnover=turnover)

    def test_a_product_of_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        product = self.env["product.product"].sudo().create({"name": "Theirs", "company_id": other.id})
        with self.assertRefused("Theirs"):
            self._create_from("live", product_id=product.id)

    def test_without_a_purchase_journal_the_program_says_what_is_missing(self):
        self.env["account.journal"].search([("type", "=", "purchase")]).active = False
        program = self._create_from("service")
        self.assertFalse(program.payout_journal_id)
        self.assertIn("has no purchase journal", self._get_log(program))
        program.action_start()
        self.assertEqual(program.state, "running")

    def test_a_reward_without_its_product_waits_in_the_archive(self):
        for template, kind in (("academy", "early"), ("live", "product")):
            with self.subTest(template=template):
                program = self._create_from(template)
                archived = self._get_rewards(program).filtered(lambda reward: not reward.active)
                self.assertEqual(archived.mapped("kind"), [kind])
                self.assertIn("restore it there", self._get_log(program))

    def test_what_is_whole_says_nothing(self):
        for template in TEMPLATES:
            with self.subTest(template=template):
                program = self._create_from(template, product_id=self.thing.id)
                self.assertNotIn("Before all of the program works", self._get_log(program))

    def test_a_second_program_has_a_name_of_its_own_and_the_same_product_of_payouts(self):
        first, second = self._create_from("service"), self._create_from("service")
        self.assertEqual((first.name, second.name), ("Sales & Service", "Sales & Service 2"))
        self.assertEqual(first.payout_product_id, second.payout_product_id)

    def test_what_somebody_has_deleted_or_archived_is_left_out(self):
        self.env.ref("partner_loyalty.survey_needs").sudo().active = False
        self.env["ir.model.data"].search(
            [("module", "=", "partner_loyalty"), ("name", "in", ("badge_service", "partner_loyalty_metric_turnover"))]
        ).unlink()
        program = self._create_from("service")
        self.assertFalse(program.needs_survey_id)
        self.assertNotIn("top_count", program.bonus_action_ids.mapped("condition"))
        self.assertEqual(set(program.bonus_action_ids.effect_ids.mapped("kind")), {"money", "mail", "todo"})

    # === WORDS ===#

    def test_names_are_said_in_all_languages(self):
        for lang in ("uk_UA", "ru_RU"):
            self.env["res.lang"]._activate_lang(lang)
        self.users["manager"].lang = "ru_RU"
        program = self._create_from("service")
        gold = program.tier_ids.sorted("threshold")[-1]
        self.assertEqual(
            [gold.with_context(lang=lang).name for lang in ("en_US", "uk_UA", "ru_RU")], ["Gold", "Золото", "Золотой"]
        )
        self.assertRegex(self._get_log(program), "[а-я]{4}")
        rule = program.rule_ids[0]
        self.assertEqual([rule.with_context(lang=lang).name for lang in ("en_US", "ru_RU")], ["Commission", "Комиссия"])

    # === WHO MAY ===#

    def test_only_managers_create_programs(self):
        with self.assertRefused("", AccessError):
            self.env["partner.loyalty.template"].with_user(self.users["officer"]).create({"template": "live"})
