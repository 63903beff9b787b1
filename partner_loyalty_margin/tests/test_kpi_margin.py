from odoo.tests import tagged

from odoo.addons.partner_loyalty.tools.focus import Focus

from .common import PartnerLoyaltyMarginCommon


@tagged("post_install", "-at_install")
class TestKpiMargin(PartnerLoyaltyMarginCommon):
    def test_the_margin_of_orders_goes_before_the_assumed_one(self):
        """Lines without a cost say nothing, nor does what others order or what was ordered on other days."""
        program = self._create_program([{"kind": "order"}], assumed_margin=10)
        self._enroll(program, self.dealer)
        focus = Focus(program, self._day("2026-03-01"), self._day("2026-03-31"))
        Kpi = self.env["partner.loyalty.kpi"]
        self.assertEqual(Kpi._get_margin_rate(focus), 10)
        self._create_costed_order(self.dealer, (100, 60), (300, 240), (70, 0))
        self._create_costed_order(self.dealer, (100, 1), date="2026-02-10")
        self._create_costed_order(self.stranger, (100, 1))
        self.assertAlmostEqual(Kpi._get_margin_rate(focus), 25)
