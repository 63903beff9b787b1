from odoo import api, fields, models

# What of a won opportunity moves what it earns; what may win or lose it is among it.
TOUCHING_FIELDS = {
    "active",
    "company_id",
    "date_closed",
    "expected_revenue",
    "loyalty_partner_id",
    "partner_id",
    "probability",
    "stage_id",
    "team_id",
}


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = [
        "crm.lead",
        "partner.loyalty.attribution.mixin",
        "partner.loyalty.touch.mixin",
        "partner.loyalty.support.mixin",
        "partner.loyalty.protected.mixin",
    ]
    _protected_fields = frozenset({"loyalty_buyer_id"})

    # === FIELDS ===#

    loyalty_buyer_id = fields.Many2one(
        comodel_name="res.partner",
        string="Buying Company",
        compute="_compute_loyalty_buyer_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company that may buy, as it was when the contact was chosen.",
    )
    loyalty_deal_ids = fields.One2many(
        comodel_name="partner.loyalty.deal",
        inverse_name="lead_id",
        string="Deals",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )

    # === CONSTRAINTS ===#

    # What was won is read by the moment it was closed.
    _loyalty_won_idx = models.Index("(date_closed) WHERE won_status = 'won'")

    # === COMPUTE METHODS ===#

    @api.depends("partner_id")
    def _compute_loyalty_buyer_id(self):
        for lead in self:
            lead.loyalty_buyer_id = lead.partner_id.commercial_partner_id

    # === CRUD METHODS ===#

    def write(self, vals):
        # Those that are won by the change are marked where crm handles that: to look at all of them once more would
        # work out their probabilities, one by one where many leads are assigned.
        won = self._get_counting_for_loyalty() if TOUCHING_FIELDS & vals.keys() else self.browse()
        touches = self.env["partner.loyalty.touch"]
        touches._mark(won)
        result = super().write(vals)
        touches._mark(won)
        return result

    def unlink(self):
        self._mark_loyalty()
        return super().unlink()

    # === ACTION METHODS ===#

    def action_view_loyalty_deals(self):
        """Show the deals that this opportunity was registered with."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_deal_action"),
            "domain": [("lead_id", "=", self.id)],
            "context": {},
        }

    # === BUSINESS METHODS ===#

    def _handle_won_lost(self, old_status_by_lead, new_status_by_lead):
        """Override of crm: what was or is won was touched, also where only the moment of closing moved."""
        result = super()._handle_won_lost(old_status_by_lead, new_status_by_lead)
        statuses = (old_status_by_lead, new_status_by_lead)
        self.env["partner.loyalty.touch"]._mark(
            self.filtered(lambda lead: any(status.get(lead.id, {}).get("is_won") for status in statuses))
        )
        return result

    def _get_counting_for_loyalty(self):
        """Return those of the leads that contribute."""
        return self.filtered(lambda lead: lead.won_status == "won")

    def _get_loyalty_standing(self):
        return self.loyalty_buyer_id, self.loyalty_partner_id, self.date_closed

    def _prepare_opportunity_quotation_context(self):
        context = super()._prepare_opportunity_quotation_context()
        if self.loyalty_partner_id:
            context["default_loyalty_partner_id"] = self.loyalty_partner_id.id
        return context

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), "loyalty_partner_id"]

    def _merge_dependences(self, opportunities):
        """Override of crm: the deals of the leads that will be gone belong to the one that stays."""
        # Salespeople merge leads without any right on deals.
        opportunities.sudo().loyalty_deal_ids.lead_id = self
        return super()._merge_dependences(opportunities)
