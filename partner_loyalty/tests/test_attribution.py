from odoo.fields import Command
from odoo.tests import tagged

from .common import PartnerLoyaltyCommon


@tagged("post_install", "-at_install")
class TestAttribution(PartnerLoyaltyCommon):
    roles = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{"role": "referrer"}, {"role": "referrer", "kind": "order", "rate": 1}])
        cls.member = cls._enroll(cls.program, cls.referrer)
        cls.referrer_contact = cls._create_partner(name="Rita of Referrer", parent_id=cls.referrer.id)

    # === FROM DOCUMENT TO DOCUMENT ===#

    def test_the_referrer_goes_from_the_lead_to_the_order_to_the_invoice_and_its_credit_note(self):
        lead = self.env["crm.lead"].create({"name": "Big deal", "type": "opportunity", "partner_id": self.stranger.id})
        lead.loyalty_partner_id = self.referrer
        action = lead.action_sale_quotations_new()
        order = (
            self.env["sale.order"]
            .with_context(**action["context"])
            .create({"order_line": [Command.create({"product_id": self.thing.id, "price_unit": 100})]})
        )
        self.assertRecordValues(order, [{"opportunity_id": lead.id, "loyalty_partner_id": self.referrer.id}])
        order.action_confirm()
        self._answer_documents()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.loyalty_partner_id, self.referrer)
        self._answer_documents()
        self.assertEntries(self.member, [1, 10])
        credit_note = self._credit(invoice)
        self.assertEqual(credit_note.loyalty_partner_id, self.referrer)
        self._answer_documents()
        self.assertEntries(self.member, [1, 10, -10])

    def test_a_contact_is_stored_as_its_company(self):
        lead = self.env["crm.lead"].create({"name": "Deal", "loyalty_partner_id": self.referrer_contact.id})
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.referrer_contact.id)
        invoice = self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer_contact.id)
        for document in (lead, order, invoice):
            self.assertEqual(document.loyalty_partner_id, self.referrer)
        order.loyalty_partner_id = False
        order.loyalty_partner_id = self.referrer_contact
        self.assertEqual(order.loyalty_partner_id, self.referrer)

    def test_a_referrer_whose_contact_moves_away_keeps_its_documents(self):
        self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer_contact.id)
        self._answer_documents()
        self.referrer_contact.parent_id = self.dealer
        self.assertInLine(self.program)

    def test_a_referrer_chosen_on_the_order_stays_when_the_opportunity_has_none(self):
        lead = self.env["crm.lead"].create({"name": "Deal", "type": "opportunity", "partner_id": self.stranger.id})
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.referrer.id, confirm=False)
        order.opportunity_id = lead
        self.assertEqual(order.loyalty_partner_id, self.referrer)

    def test_merged_leads_keep_their_referrer(self):
        leads = self.env["crm.lead"].create([{"name": "First"}, {"name": "Second"}])
        leads[1].loyalty_partner_id = self.referrer
        self.assertEqual(leads.merge_opportunity().loyalty_partner_id, self.referrer)

    # === GROUPING ===#

    def test_orders_of_different_referrers_are_not_billed_together(self):
        orders = self.env["sale.order"].union(
            *(
                self._create_order(self.stranger, 100, loyalty_partner_id=partner.id)
                for partner in (self.referrer, self.dealer, self.referrer, self.env["res.partner"])
            )
        )
        invoices = orders._create_invoices()
        self.assertEqual(
            sorted((invoice.loyalty_partner_id.name or "", invoice.amount_untaxed) for invoice in invoices),
            [("", 100), ("Dealer", 100), ("Referrer", 200)],
        )

    # === WHO EARNS ===#

    def test_a_referrer_who_is_the_buyer_earns_nothing_as_referrer(self):
        self._create_order(self.referrer_contact, 100, loyalty_partner_id=self.referrer.id)
        self._create_sale_invoice(self.referrer_contact, 100, loyalty_partner_id=self.referrer.id)
        self.assertFalse(self._answer_documents())

    def test_a_rule_for_referrers_does_not_reward_buyers(self):
        self._create_sale_invoice(self.referrer, 100, loyalty_partner_id=self.dealer.id)
        self.assertFalse(self._answer_documents())

    def test_another_referrer_on_a_posted_invoice_moves_what_was_earned(self):
        other = self._enroll(self.program, self.dealer)
        invoice = self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        invoice.loyalty_partner_id = self.dealer
        self._answer_documents()
        self.assertEntries(self.member, [10, -10])
        self.assertEntries(other, [10])
        invoice.loyalty_partner_id = False
        self._answer_documents()
        self.assertBalance(other, 0)
        self.assertInLine(self.program)

    def test_another_referrer_on_a_credited_invoice_moves_the_net_amount(self):
        other = self._enroll(self.program, self.dealer)
        invoice = self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        credit_note = self._credit(invoice, 40)
        self._answer_documents()
        (invoice + credit_note).loyalty_partner_id = self.dealer
        self._answer_documents()
        self.assertBalance(self.member, 0)
        self.assertBalance(other, 6)

    def test_another_referrer_on_a_confirmed_order_moves_what_was_earned(self):
        other = self._enroll(self.program, self.dealer)
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        order.loyalty_partner_id = self.dealer
        self._answer_documents()
        self.assertEntries(self.member, [1, -1])
        self.assertEntries(other, [1])

    def test_the_same_sale_rewards_the_buyer_and_the_referrer_apart(self):
        self._create_rule(self.program, rate=3)
        buyer = self._enroll(self.program, self.stranger)
        self._create_sale_invoice(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        self._answer_documents()
        self.assertEntries(buyer, [3])
        self.assertEntries(self.member, [10])
