"""Each kind of reward by clicking, by the users who do it."""

import base64

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestRewardBrowser(ClaimCommon, HttpCase):
    roles = ("salesperson", "officer", "manager")

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("survey.group_survey_user")

    def _start(self, name, record, role):
        path = {"partner.loyalty.claim": "loyalty-claims", "partner.loyalty.reward": "loyalty-rewards"}
        url = f"/odoo/{path.get(record._name, record._name)}/{record.id}"
        self.start_tour(url, f"partner_loyalty_reward_{name}", login=self.users[role].login)
        self.env.invalidate_all()

    def _decide(self, kind, **values):
        """Let a manager approve what an officer has asked for; return the claim."""
        claim = self._request(self._create_reward(kind=kind, **values))
        self._start(kind, claim, "manager")
        self.assertEqual(claim.state, "fulfilled")
        return claim

    # === WITH THE APPROVAL ===#

    def test_price(self):
        pricelist = self.env["product.pricelist"].create({"name": "Season", "company_id": self.company.id})
        self._decide("price", pricelist_id=pricelist.id)
        self.assertEqual(self.dealer.specific_property_product_pricelist, pricelist)

    def test_money(self):
        self._decide("money", money_amount=25)
        self.assertBalance(self.member, 25)

    def test_award(self):
        self._decide("award", badge_id=self.env["gamification.badge"].create({"name": "Star"}).id)

    def test_material(self):
        file = {"name": "Price list", "file_name": "prices.txt", "file": base64.b64encode(b"1 euro")}
        self._decide("material", file_ids=[Command.create(file)])

    def test_support(self):
        self._decide("support", support_label="Answer within a day")
        order = self._create_order(self.dealer, 100, confirm=False, user_id=self.users["salesperson"].id)
        self._start("support_seen", order, "salesperson")

    def test_early(self):
        template = self.thing.product_tmpl_id
        release = {"product_tmpl_id": template.id, "early_date": "2026-03-10", "release_date": "2026-05-01"}
        self._decide("early", release_ids=[Command.create(release)])
        seller = {"confirm": False, "user_id": self.users["salesperson"].id}
        refused, confirmed = (self._create_order(partner, 100, **seller) for partner in (self.stranger, self.dealer))
        self._start("early_refused", refused, "salesperson")
        self._start("early_confirmed", confirmed, "salesperson")
        self.assertEqual((refused.state, confirmed.state), ("draft", "sale"))

    # === SEEN TO BY AN OFFICER ===#

    def test_product(self):
        claim = self._approve()
        self._start("product", claim, "officer")
        self.assertEqual(claim.order_id.sudo().state, "sale")

    def test_training(self):
        self.dealer_contact.email = "joe@example.com"
        reward = self._create_reward(kind="training", survey_id=self._create_survey().id)
        claim = self._approve(reward, contact_id=self.dealer_contact.id)
        self._start("training", claim, "officer")
        self._finish(claim.sudo().answer_id)
        self.assertEqual(claim.state, "fulfilled")

    def test_certification(self):
        reward = self._create_reward(kind="certification", survey_id=self._create_survey().id)
        claim = self._approve(reward, contact_id=self.dealer_contact.id)
        self._finish(claim.sudo().answer_id)
        self._start("certification", claim, "officer")

    def test_consulting(self):
        claim = self._approve(self._create_reward(kind="consulting", hours=8))
        self._start("consulting", claim, "officer")
        self.assertRecordValues(claim, [{"state": "fulfilled", "hour_left": 3.5}])

    def test_project(self):
        milestone = Command.create({"name": "Interview"})
        reward = self._create_reward(kind="project")
        claim = self._approve(reward, note="A case study", milestone_ids=[milestone])
        self._start("project", claim, "officer")
        self.assertRecordValues(claim, [{"state": "fulfilled", "result": "Published in May"}])

    def test_event(self):
        reward = self._create_reward(kind="event", name="Gala", event_date="2026-05-02 18:00:00", point_cost=0)
        self._start("event", reward, "officer")
        self.assertEqual(sorted(reward.claim_ids.mapped("state")), ["draft", "requested"])
