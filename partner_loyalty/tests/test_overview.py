"""The overview page: what it shows, what can be chosen, who sees it, and the report."""

import io
import json

import openpyxl

from odoo import fields, http
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PartnerLoyaltyCommon


class OverviewCommon(PartnerLoyaltyCommon):
    roles = ("internal", "salesperson", "officer", "manager", "accountant")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{"rate": 10}], tiers=[("Silver", 0), ("Gold", 5000)], date_from="2025-01-01", point_value=1
        )
        cls.member = cls._enroll(cls.program, cls.dealer, date_from="2025-06-01")
        cls.other = cls._enroll(cls.program, cls.referrer, date_from="2026-02-01")
        cls.Overview = cls.env["partner.loyalty.overview"].with_user(cls.users["officer"])

    def _sell(self):
        self._create_sale_invoice(self.dealer, 1000, date="2025-12-10")
        self._create_sale_invoice(self.dealer, 1500, date="2026-02-10")
        self._create_sale_invoice(self.referrer, 500, date="2026-03-10")
        self._answer_documents()

    def _get_page(self, **options):
        return self.Overview.get_page({"program_id": self.program.id, **options})

    def _get_kpi(self, page, name):
        return next(kpi for section in page["sections"] for kpi in section["kpis"] if kpi["name"] == name)


@tagged("post_install", "-at_install")
class TestOverview(OverviewCommon):
    # === WHAT IT SHOWS ===#

    def test_a_page_as_a_browser_gets_it(self):
        """All of it can be sent; figures have a value, what it was before, and by how much that changed."""
        self._sell()
        page = json.loads(json.dumps(self._get_page()))
        turnover = self._get_kpi(page, "turnover")
        self.assertEqual(turnover["value"], 2000)
        # From January 1 to March 18, and from October 1 to December 18.
        self.assertEqual((page["options"]["first"], page["options"]["last"]), ("2026-01-01", "2026-03-18"))
        self.assertEqual(turnover["change"], "+100.0 %")
        self.assertEqual(turnover["trend"], 1)
        self.assertEqual(page["months"]["turnover"][-4:], [1000, 0, 1500, 500])
        self.assertEqual(page["months"]["cost"][-4:], [100, 0, 150, 50])
        self.assertEqual(page["months"]["active"][-4:], [1, 0, 1, 1])
        self.assertEqual([row["count"] for row in page["tiers"]], [2, 0])
        self.assertEqual([row["name"] for row in page["most"]], ["Dealer", "Referrer"])
        self.assertFalse(page["empty"])

    def test_no_per_cent_are_said_of_what_became_negative(self):
        invoice = self._create_sale_invoice(self.dealer, 1000, date="2025-12-10")
        self._credit(invoice, 300, date="2026-02-10")
        turnover = self._get_kpi(self._get_page(), "turnover")
        self.assertEqual((turnover["value"], turnover["value_before"]), (-300, 1000))
        self.assertEqual((turnover["change"], turnover["trend"]), ("", -1))

    def test_sales_by_segment(self):
        """Nobody is missing who is in one, and who is in two counts in both."""
        self._sell()
        self.env["partner.loyalty.segment"].create(
            [
                {"name": "Those who bring", "partner_domain": f"[('id', '=', {self.referrer.id})]", "sequence": -2},
                {"name": "All of them", "sequence": -1},
            ]
        )
        group = next(group for group in self._get_page()["groups"] if group["title"] == "By Segment")
        rows = {row["name"]: (row["members"], row["active"], row["value"]) for row in group["rows"]}
        self.assertEqual((rows["Those who bring"], rows["All of them"]), ((1, 1, 500), (2, 2, 2000)))

    def test_who_stays_after_joining(self):
        self._sell()
        [early, row] = self._get_page()["cohorts"]["rows"]
        self.assertEqual((early["size"], early["shares"]), (1, [0, 0, 0, 0, 0, 0, 100, 0, 100, 0]))
        self.assertEqual((row["size"], row["shares"]), (1, [0, 100]))

    def test_the_bridge_adds_up_on_the_page(self):
        self._sell()
        [bridge] = self._get_page(period="month")["bridges"]
        steps = sum(step["value"] for step in bridge["steps"])
        self.assertAlmostEqual(bridge["before"]["value"] + steps, bridge["now"]["value"])

    def test_goals_count_by_their_weight(self):
        """One at half of its target with four times the weight of one that is far beyond it."""
        self._sell()
        common = {
            "program_id": self.program.id,
            "scope": "figure",
            "kpi": "turnover",
            "date_from": "2026-01-01",
            "date_to": "2026-03-31",
        }
        self.env["partner.loyalty.goal"].create(
            [
                {**common, "name": "Half", "target": 4000, "weight": 4},
                {**common, "name": "Twice", "target": 1000, "weight": 1},
            ]
        )
        page = self._get_page()
        self.assertEqual({goal["name"]: goal["progress"] for goal in page["goals"]}, {"Half": 50, "Twice": 200})
        self.assertEqual(page["goal_progress"], "60 %")

    def test_pilots_say_what_they_have_shown(self):
        """Only those of these days, and none that has not started."""
        common = {
            "program_id": self.program.id,
            "hypothesis": "More is sold.",
            "metric_id": self.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
            "rule_id": self.program.rule_ids.id,
            "date_from": "2026-03-01",
            "date_to": "2026-05-31",
        }
        pilots = self.env["partner.loyalty.pilot"].create([{**common, "name": "Draft"}, {**common, "name": "Running"}])
        pilots[1].sudo().state = "running"
        self.assertEqual(
            [(pilot["name"], pilot["text"]) for pilot in self._get_page()["pilots"]],
            [("Running", "Nothing is measured yet.")],
        )
        self.assertFalse(self._get_page(period="last_quarter")["pilots"])
        accountant = self.Overview.with_user(self.users["accountant"])
        self.assertFalse(accountant.get_page({"program_id": self.program.id})["pilots"])
        pilots.sudo().state = "draft"

    def test_rewards_and_what_they_cost(self):
        """What was had without points is a cost, as it is stated."""
        reward = self.env["partner.loyalty.reward"].create(
            {
                "name": "Hot line",
                "program_id": self.program.id,
                "kind": "support",
                "support_label": "Answer within a day",
                "need_approval": False,
                "unit_cost": 12,
            }
        )
        lowest = self.program.tier_ids.sorted("threshold")[:1]
        self.env["partner.loyalty.tier.entitlement"].create(
            {"tier_id": lowest.id, "reward_id": reward.id, "date_from": "2026-01-01"}
        )
        self._run_cron("ir_cron_evaluate_tiers")
        claim = self.other.claim_ids.with_user(self.users["officer"])
        claim.action_request()
        self.assertEqual(claim.state, "fulfilled")
        page = self._get_page()
        [row] = page["rewards"]
        self.assertIn("12.00", row["cost"])
        self.assertEqual((row["claims"], row["rating"], row["wishes"]), (1, "–", "–"))
        self.assertEqual(self._get_kpi(page, "cost")["value"], 12)

    def test_bonuses_and_what_was_sold_after_them(self):
        """500 in the 30 days after, 1000 in the 30 days before; accountants read it, too."""
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Good start",
                "program_id": self.program.id,
                "effect_ids": [Command.create({"kind": "money", "amount": 20})],
            }
        )
        self._create_sale_invoice(self.dealer, 1000, date="2026-01-20")
        self._create_sale_invoice(self.dealer, 500, date="2026-02-05")
        self._create_sale_invoice(self.dealer, 7, date="2026-03-15")
        run = self.env["partner.loyalty.bonus.run"].browse(action.action_preview()["res_id"])
        line = run.line_ids.filtered(lambda line: line.member_id == self.member)
        line.sudo().write(
            {"state": "given", "due_date": "2026-02-01", "date": "2026-02-01", "money_amount": 20, "is_preview": False}
        )
        for role in ("officer", "accountant"):
            with self.subTest(role):
                page = self.Overview.with_user(self.users[role]).get_page({"program_id": self.program.id})
                [row] = page["bonuses"]
                self.assertEqual((row["name"], row["count"]), ("Good start", 1))
                self.assertIn("-500.00", row["extra"].replace("\N{MINUS SIGN}", "-"))
        # Nothing was posted for it.
        line.sudo().write({"state": "preview", "is_preview": True})

    def test_nothing_to_see_says_what_to_do(self):
        empty = self._create_program([{"rate": 1}], name="Empty Club")
        page = self._get_page(program_id=empty.id)
        self.assertIn("enroll partners", page["empty"])

    def test_no_program_at_all(self):
        company = self.env["res.company"].create({"name": "Other company"})
        user = new_test_user(
            self.env,
            "loyalty_elsewhere",
            "partner_loyalty.partner_loyalty_group_officer",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        page = self.Overview.with_user(user).with_context(allowed_company_ids=company.ids).get_page({})
        self.assertIn("no program yet", page["empty"])

    # === WHAT IS CHOSEN ===#

    def test_members_are_chosen_by_country_tier_and_person(self):
        self._sell()
        self.dealer.country_id = self.env.ref("base.be")
        self.referrer.user_id = self.users["salesperson"]
        by_country = self._get_page(country_id=self.env.ref("base.be").id)
        self.assertEqual(self._get_kpi(by_country, "turnover")["value"], 1500)
        by_person = self._get_page(user_id=self.users["salesperson"].id)
        self.assertEqual(self._get_kpi(by_person, "turnover")["value"], 500)
        gold = self.program.tier_ids.filtered(lambda tier: tier.name == "Gold")
        self.assertEqual(self._get_kpi(self._get_page(tier_id=gold.id), "turnover")["value"], 0)
        segment = self.env["partner.loyalty.segment"].create(
            {"name": "Dealers", "partner_domain": "[('name', '=', 'Dealer')]"}
        )
        self.assertEqual(self._get_kpi(self._get_page(segment_id=segment.id), "turnover")["value"], 1500)

    def test_the_time_is_chosen(self):
        days = {
            "month": ("2026-03-01", "2026-03-18"),
            "last_month": ("2026-02-01", "2026-02-28"),
            "quarter": ("2026-01-01", "2026-03-18"),
            "last_quarter": ("2025-10-01", "2025-12-31"),
            "year": ("2026-01-01", "2026-03-18"),
            "months_12": ("2025-04-01", "2026-03-18"),
        }
        for period, (first, last) in days.items():
            with self.subTest(period):
                options = self._get_page(period=period)["options"]
                self.assertEqual((options["first"], options["last"]), (first, last))
        options = self._get_page(period="custom", first="2026-01-05", last="2027-01-01")["options"]
        self.assertEqual((options["first"], options["last"]), ("2026-01-05", "2026-03-18"))

    def test_a_month_that_goes_on_is_compared_with_the_same_days_of_the_one_before(self):
        self._create_sale_invoice(self.dealer, 100, date="2026-02-18")
        self._create_sale_invoice(self.dealer, 1000, date="2026-02-19")
        page = self._get_page(period="month")
        self.assertIn("100.00", self._get_kpi(page, "turnover")["before"])

    def test_what_makes_no_sense_is_refused_in_a_sentence(self):
        for options, words in (
            ({"period": "century"}, "no such period"),
            ({"period": "custom"}, "Enter the first and the last day"),
            ({"period": "custom", "first": "today", "last": "2026-13-45"}, "Enter the first and the last day"),
            ({"period": "custom", "first": "2026-03-01", "last": "2026-02-01"}, "comes after the first"),
            ({"period": "custom", "first": "1000-01-01", "last": "2026-02-01"}, "comes after the first"),
            ({"tier_id": "1 OR TRUE"}, "cannot be read"),
            ({"user_id": 2**40}, "cannot be read"),
            ({"program_id": 0.5}, "not among those"),
            ({"program_id": 99999999}, "not among those"),
        ):
            with self.subTest(options=options), self.assertRefused(words):
                self._get_page(**options)

    # === BEHIND A FIGURE ===#

    def test_what_is_behind_a_figure(self):
        self._sell()
        action = self.Overview.get_drill({"program_id": self.program.id}, "cost")
        entries = self.env[action["res_model"]].with_user(self.users["officer"]).search(action["domain"])
        self.assertEqual(sum(entries.mapped("amount")), 200)
        for name in ("break_even", "__class__", "nonsense", None):
            with self.subTest(name), self.assertRefused("nothing to list"):
                self.Overview.get_drill({"program_id": self.program.id}, name)

    # === WHO ===#

    def test_officers_and_accountants_see_it_and_nobody_else(self):
        for role in ("officer", "manager", "accountant"):
            with self.subTest(role):
                self.assertTrue(self.Overview.with_user(self.users[role]).get_page({})["sections"])
        for role in ("internal", "salesperson"):
            Overview = self.Overview.with_user(self.users[role])
            for call in (
                lambda Overview=Overview: Overview.get_page({}),
                lambda Overview=Overview: Overview.get_drill({}, "cost"),
                lambda Overview=Overview: Overview.get_report({}),
            ):
                with self.subTest(role), self.assertRefused("for loyalty officers", AccessError):
                    call()

    def test_a_program_of_another_company_is_not_shown(self):
        company = self.env["res.company"].create({"name": "Other company"})
        other = self.env["partner.loyalty.program"].sudo().create({"name": "Theirs", "company_id": company.id})
        with self.assertRefused("not among those"):
            self._get_page(program_id=other.id)
        with self.assertRefused("not among those"):
            self.Overview.get_drill({"program_id": other.id}, "cost")
        self.assertNotIn(other.id, [row[0] for row in self._get_page()["choices"]["program_id"]])

    # === BY MONTH ===#

    def test_members_by_month(self):
        """Pivots add up to what the page says."""
        self._sell()
        Month = self.env["partner.loyalty.member.month"].with_user(self.users["officer"])
        rows = Month.search([("program_id", "=", self.program.id), ("turnover", "!=", 0)])
        self.assertEqual(
            sorted((str(row.month), row.member_id.id, row.turnover, row.cost) for row in rows),
            [
                ("2025-12-01", self.member.id, 1000, 100),
                ("2026-02-01", self.member.id, 1500, 150),
                ("2026-03-01", self.other.id, 500, 50),
            ],
        )
        self.assertEqual(len(set(rows.ids)), 3)

    # === ON PAPER ===#

    def test_the_report_of_the_last_month(self):
        self._sell()
        html = self._print(self.program)
        self.assertIn("Dealer Club", html)
        self.assertIn("Feb 2026", html)
        self.assertIn("Turnover through Members", html)

    def test_the_report_of_what_was_chosen(self):
        self._sell()
        action = self.Overview.get_report({"program_id": self.program.id, "period": "last_quarter"})
        html = self._print(self.program.browse(), action["data"])
        self.assertIn("Oct 2025", html)

    def test_the_report_is_for_those_who_see_the_page(self):
        values = self.env["report.partner_loyalty.report_overview"].with_user(self.users["salesperson"])
        with self.assertRefused("for loyalty officers", AccessError):
            values._get_report_values(self.program.ids)

    def _print(self, programs, data=None):
        report = self.env["ir.actions.report"].with_user(self.users["officer"])
        html, _kind = report._render_qweb_html("partner_loyalty.report_overview", programs.ids, data=data)
        return html.decode()


@tagged("post_install", "-at_install")
class TestOverviewInBrowser(OverviewCommon, HttpCase):
    def test_the_page_opens(self):
        """Figures, an explanation and what is behind one, with the browser; its Back button keeps what was chosen."""
        self._sell()
        self.browser_js(
            f"/odoo/action-partner_loyalty.partner_loyalty_overview_action?active_id={self.program.id}",
            """
            (async () => {
                const when = async (find, what) => {
                    for (let turn = 0; turn < 200; turn++) {
                        const found = find();
                        if (found) { return found; }
                        await new Promise((resolve) => setTimeout(resolve, 100));
                    }
                    throw new Error(`Not found: ${what}`);
                };
                const until = (selector) => when(() => document.querySelector(selector), selector);
                await until(".o_loyalty_chart canvas");
                const period = await until("select[name=period]");
                period.value = "year";
                period.dispatchEvent(new Event("change"));
                await until(".o_loyalty_overview .container-fluid:not([aria-busy])");
                const tile = await until(".o_loyalty_tile[data-name=turnover]");
                tile.querySelector(".o_loyalty_tile_help").click();
                await until(".o_loyalty_tile[data-name=turnover] + .o_loyalty_tile_text");
                tile.querySelector(".o_loyalty_tile_value").click();
                await until(".o_list_view");
                await when(() => !location.pathname.endsWith("overview"), "the address of the list");
                history.back();
                await until(".o_loyalty_tile[data-name=turnover]");
                const year = document.querySelector("select[name=period]").value;
                if (year !== "year") { throw new Error(`The page forgot what was chosen: ${year}`); }
                console.log("test successful");
            })();
            """,
            login=self.users["officer"].login,
        )


@tagged("post_install", "-at_install")
class TestOverviewExport(OverviewCommon, HttpCase):
    """The overview as a workbook, for those who see it and may export."""

    def _export(self, role="officer", may_export=True, **options):
        user = self.users[role]
        group = self.env.ref("base.group_allow_export")
        user.group_ids = [Command.link(group.id) if may_export else Command.unlink(group.id)]
        self.authenticate(user.login, user.login)
        chosen = {"program_id": self.program.id, "company_ids": self.company.ids, **options}
        return self._post(json.dumps(chosen))

    def _post(self, options):
        data = {"csrf_token": http.Request.csrf_token(self), "options": options}
        return self.url_open("/partner_loyalty/overview.xlsx", data=data)

    def _read(self, response):
        """Return the sheets: the values of their cells, by name."""
        workbook = openpyxl.load_workbook(io.BytesIO(response.content))
        return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in workbook}

    def test_numbers_are_numbers_and_those_of_the_page(self):
        self._sell()
        response = self._export(period="custom", first="2026-01-01", last="2026-03-31")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Dealer%20Club", response.headers["Content-Disposition"])
        sheets = self._read(response)
        figures = {row[0]: row[1:4] for row in sheets["Figures"][1:]}
        self.assertEqual(figures["Turnover through Members"], [2000, 1000, self.company.currency_id.name])
        self.assertEqual([row[1] for row in sheets["Months"][-4:]], [1000, 0, 1500, 500])
        self.assertEqual(sheets["Differences"][1][1:], ["Earned before", 100])

    def test_no_name_is_a_formula(self):
        self.program.name = "=1+1"
        workbook = openpyxl.load_workbook(io.BytesIO(self._export().content))
        cell = workbook["Figures"]["A1"]
        self.assertEqual((cell.value, cell.data_type), ("=1+1", "s"))

    def test_who_may_not_see_or_export_is_told_so(self):
        for role, may_export, words in (
            ("officer", False, "may not export"),
            ("salesperson", True, "for loyalty officers and accountants"),
        ):
            with self.subTest(role):
                response = self._export(role, may_export)
                self.assertEqual(response.status_code, 403)
                self.assertIn(words, response.json()["message"])

    def test_what_cannot_be_read_is_told_so(self):
        self._export()
        for options in ("", "nonsense", "[]", '{"program_id": -1}', '{"company_ids": [0], "period": "century"}'):
            with self.subTest(options=options):
                self.assertEqual(self._post(options).status_code, 403)

    def test_nobody_exports_without_login(self):
        self.authenticate(None, None)
        response = self._post("{}")
        self.assertNotIn("spreadsheet", response.headers["Content-Type"])


@tagged("post_install", "-at_install")
class TestDigest(OverviewCommon):
    def _get_values(self, user="officer"):
        digest = self.env["digest.digest"].create({"name": "Weekly", "company_id": self.company.id})
        digest = digest.with_user(self.users[user]).sudo(False)
        return digest.with_context(start_datetime=self._moment("2026-03-01"), end_datetime=self._moment("2026-03-15"))

    def _moment(self, day):
        return fields.Datetime.to_datetime(f"{day} 00:00:00")

    def test_the_figures_of_the_days_of_the_digest(self):
        self._sell()
        digest = self._get_values()
        self.assertEqual(digest.kpi_loyalty_turnover_value, 500)
        self.assertEqual(digest.kpi_loyalty_cost_value, 50)
        self.assertEqual(digest.kpi_loyalty_new_members_value, 0)

    def test_who_may_not_see_them_gets_the_digest_without(self):
        with self.assertRefused("officers and accountants", AccessError):
            self._get_values("salesperson").kpi_loyalty_cost_value  # noqa: B018
