"""What pilots have proven, against what they cost: the return that has a control group."""

from decimal import Decimal

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..tools.focus import Focus
from .test_pilot import END, START, PilotCommon


@tagged("post_install", "-at_install")
class TestPilotKpi(PilotCommon):
    """What a pilot that ended in the second quarter says of the return."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.assumed_margin = 50

    def _measure(self, **values):
        """Let those who have it buy for 30 more than the others, and measure after the last day."""
        pilot, _with_it, _without = self._start_pilot(by_size=False, **values)
        self._sell_before_and_since(pilot, 40, 10)
        with freeze_time("2026-07-01 10:00:00"):
            self._answer_documents()
            self._run_cron("ir_cron_measure_pilots")
        return pilot

    def _get_figures(self, first="2026-04-01", last="2026-06-30", **values):
        Kpi = self.env["partner.loyalty.kpi"]
        facts = Kpi._get_facts(Focus(self.program, self._day(first), self._day(last), **values))
        figures = Kpi._get_values(facts)
        return facts, figures["pilot_sales"], figures["pilot_roi"]

    def test_what_a_pilot_proves_against_what_it_cost(self):
        """Four had it, for 30 more each; ten percent of their 572 was the cost, and half of the sales is margin."""
        pilot = self._measure()
        facts, sales, roi = self._get_figures()
        self.assertEqual(facts["control_cost"], Decimal("57.2"))
        self.assertAlmostEqual(float(sales), 120, places=6)
        self.assertAlmostEqual(float(roi), 100 * (60 - 57.2) / 57.2, places=6)
        self.assertAlmostEqual(facts["control_effect"][2], 4 * pilot.effect_high, places=6)
        action = self.env["partner.loyalty.kpi"]._get_drill(
            "pilots", Focus(self.program, pilot.date_from, pilot.date_to)
        )
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), pilot)

    def test_pilots_of_other_days_and_of_some_members_prove_nothing(self):
        self._measure()
        for values in ({"last": "2026-06-29"}, {"first": "2026-07-01"}, {"member_ids": tuple(self.members[:2].ids)}):
            with self.subTest(**values):
                facts, sales, roi = self._get_figures(**values)
                self.assertEqual((facts["control_effect"], sales, roi), (None, None, None))

    def test_a_pilot_that_was_decided_early_or_measures_something_else_proves_nothing(self):
        pilot = self._measure()
        pilot.sudo().measured_on = pilot.date_to
        self.assertIsNone(self._get_figures()[0]["control_effect"])
        segment = self.env["partner.loyalty.segment"].create({"name": "All"})
        pilot.sudo().write(
            {"measured_on": "2026-07-01", "assignment": "segment", "segment_ids": [Command.set(segment.ids)]}
        )
        self.assertIsNone(self._get_figures()[0]["control_effect"])
        orders = self.env.ref("partner_loyalty.partner_loyalty_metric_recency")
        pilot.sudo().write({"assignment": "random", "metric_id": orders.id})
        self.assertIsNone(self._get_figures()[0]["control_effect"])

    def test_what_a_bonus_action_gave_those_who_had_it_is_its_cost(self):
        action = self.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Thanks",
                "program_id": self.program.id,
                "schedule": "month",
                "date_from": "2026-03-01",
                "effect_ids": [Command.create({"kind": "money", "amount": 5})],
            }
        )
        action.sudo().state = "running"
        self._start_pilot(tried="bonus", rule_id=False, action_id=action.id)
        with freeze_time("2026-07-02 10:00:00"):
            self._as_cron(action._name).browse(action.id)._run_safely()
            self.env.invalidate_all()
        pilots_sudo = self.env["partner.loyalty.pilot"].sudo().search([("program_id", "=", self.program.id)])
        # For April and May, and for June, whose bonus is due on its last day.
        given = self.env["partner.loyalty.bonus.line"].search([("action_id", "=", action.id), ("state", "=", "given")])
        due = given.filtered(lambda line: str(line.due_date) >= START and str(line.due_date) <= END)
        treated = due.filtered(lambda line: line.member_id in self._get_arm(pilots_sudo, "treatment"))
        self.assertTrue(treated)
        self.assertEqual(self.env["partner.loyalty.kpi"]._get_control_cost(pilots_sudo), 5 * len(treated))
