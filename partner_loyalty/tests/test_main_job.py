from odoo.tests import HttpCase, tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestMainJob(PartnerLoyaltyCommon, HttpCase):
    """The whole main job by clicking: an officer, a salesperson who also bills, and a manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(tiers=[("Silver", 0), ("Gold", 5000)], rules=[{"rate": 10}])
        cls.partner = cls._create_partner(name="Browser Dealer", is_company=True)
        cls.order = cls._create_order(cls.partner, 200, confirm=False)
        cls.seller = cls._create_role_user(
            "seller", "sales_team.group_sale_salesman_all_leads,account.group_account_invoice"
        )

    def _start(self, tour, url, user):
        self.start_tour(url, tour, login=user.login)
        self.env.invalidate_all()

    def _call_as(self, user, method, payout):
        """Call a method of a payout as a client would, past all buttons."""
        self.authenticate(user.login, user.login)
        return self.url_open(
            "/web/dataset/call_kw",
            json={"params": {"model": payout._name, "method": method, "args": [payout.ids], "kwargs": {}}},
        ).json()

    def test_enroll_sell_prepare_and_approve_by_clicking(self):
        self._start("partner_loyalty_enroll", f"/odoo/res.partner/{self.partner.id}", self.users["officer"])
        member = self.program.member_ids
        self.assertEqual(member.partner_id, self.partner)

        self._start("partner_loyalty_sell", f"/odoo/sale.order/{self.order.id}", self.seller)
        self.assertEqual(self.order.invoice_ids.state, "posted")
        self._answer_documents()
        self.assertEqual(member.money_available, 20)

        self._start("partner_loyalty_prepare_payout", "/odoo", self.users["officer"])
        payout = self.env["partner.loyalty.payout"].search([("member_id", "=", member.id)])
        self.assertRecordValues(payout, [{"state": "submitted", "amount": 20}])
        answer = self._call_as(self.users["officer"], "action_approve", payout)
        self.assertIn("has to be approved by a loyalty manager", answer["error"]["data"]["message"])
        self.env.invalidate_all()
        self.assertEqual(payout.state, "submitted")

        self._start("partner_loyalty_approve_payout", "/odoo", self.users["manager"])
        self.assertEqual(payout.state, "approved")
        self.assertRecordValues(
            payout.bill_id,
            [{"state": "draft", "move_type": "in_invoice", "partner_id": self.partner.id, "amount_untaxed": 20}],
        )
