from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import periods

# More documents than a person looks through are no correction.
MAX_DOCUMENTS = 1000


class PartnerLoyaltyAttributionChoose(models.TransientModel):
    """Looks for what is counted for the wrong referrer, for those who do not see the documents of salespeople."""

    _name = "partner.loyalty.attribution.choose"
    _description = "Choose Documents"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_attribution_id(self):
        return self._get_active_records("partner.loyalty.attribution")[:1]

    # === FIELDS ===#

    attribution_id = fields.Many2one(
        comodel_name="partner.loyalty.attribution",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_attribution_id(),
    )
    partner_id = fields.Many2one(related="attribution_id.partner_id")
    company_id = fields.Many2one(related="attribution_id.company_id")
    customer_id = fields.Many2one(comodel_name="res.partner", help="The company that bought; all where empty.")
    date_from = fields.Date(string="From")
    date_to = fields.Date(string="To")
    with_leads = fields.Boolean(string="Leads", default=True)
    with_orders = fields.Boolean(string="Orders", default=True)
    with_invoices = fields.Boolean(string="Invoices", default=True)
    document_count = fields.Integer(string="Found", compute="_compute_document_count")

    # === COMPUTE METHODS ===#

    @api.depends("attribution_id", "customer_id", "date_from", "date_to", "with_leads", "with_orders", "with_invoices")
    def _compute_document_count(self):
        for wizard in self:
            found = wizard._find_documents() if wizard.attribution_id else []
            wizard.document_count = sum(map(len, found))

    # === ACTION METHODS ===#

    def action_add(self):
        """Put what was found on the list.

        :raises UserError: when nothing was found, or more than anybody looks through
        """
        self.ensure_one()
        self.attribution_id.check_access("write")
        found = self._find_documents()
        if not any(found):
            raise UserError(self.env._("No document was found: choose another customer or a longer period."))
        if any(len(documents) > MAX_DOCUMENTS for documents in found):
            raise UserError(
                self.env._("More than %s documents were found: choose a customer or a shorter period.", MAX_DOCUMENTS)
            )
        for documents in found:
            self.attribution_id._add_documents(documents)

    # === BUSINESS METHODS ===#

    def _find_documents(self):
        """Return the documents that count for the partner and match, model by model; one more than fit at most.

        :rtype: list
        """
        self.ensure_one()
        return [
            # Officers choose from the documents of all salespeople, as they see all of the performance.
            self.env[model].sudo().with_context(active_test=False).search(domain, limit=MAX_DOCUMENTS + 1)
            for model, domain in self._get_domains().items()
        ]

    def _get_domains(self):
        """Return what to look for, by model.

        :rtype: dict
        """
        company, own = self.company_id, Domain("loyalty_partner_id", "=", self.partner_id.id)
        domains = {}
        if self.with_leads:
            domains["crm.lead"] = (
                own
                & Domain("company_id", "in", (False, company.id))
                & self._get_customer_domain("partner_id.commercial_partner_id")
                & self._get_moment_domain("create_date")
            )
        own &= Domain("company_id", "=", company.id) & Domain("state", "!=", "cancel")
        if self.with_orders:
            domains["sale.order"] = (
                own & self._get_customer_domain("loyalty_buyer_id") & self._get_moment_domain("date_order")
            )
        if self.with_invoices:
            domains["account.move"] = (
                own
                & Domain("move_type", "in", ("out_invoice", "out_refund", "out_receipt"))
                & self._get_customer_domain("commercial_partner_id")
                & self._get_day_domain("invoice_date")
            )
        return domains

    def _get_customer_domain(self, field):
        partner = self.customer_id.commercial_partner_id
        return Domain(field, "=", partner.id) if partner else Domain.TRUE

    def _get_day_domain(self, field):
        domain = Domain.TRUE
        if self.date_from:
            domain &= Domain(field, ">=", self.date_from)
        if self.date_to:
            domain &= Domain(field, "<=", self.date_to)
        return domain

    def _get_moment_domain(self, field):
        tz, domain = self.env.user.tz, Domain.TRUE
        if self.date_from:
            domain &= Domain(field, ">=", periods.utc_day_start(self.date_from, tz))
        if self.date_to:
            domain &= Domain(field, "<", periods.utc_day_start(self.date_to + timedelta(days=1), tz))
        return domain
