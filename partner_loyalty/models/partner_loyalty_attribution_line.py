from odoo import api, fields, models

from ..const import ATTRIBUTED_MODELS

# The buyer, the day and the untaxed amount of a document, by model.
FACTS = {
    "crm.lead": ("partner_id", "create_date", "expected_revenue"),
    "sale.order": ("loyalty_buyer_id", "date_order", "amount_untaxed"),
    "account.move": ("commercial_partner_id", "invoice_date", "amount_untaxed_in_currency_signed"),
}


class PartnerLoyaltyAttributionLine(models.Model):
    """A document that an attribution change moves: one that was chosen, or one that comes along with it."""

    _name = "partner.loyalty.attribution.line"
    _description = "Document of an Attribution Change"
    _inherit = ["partner.loyalty.document.mixin", "partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "attribution_id, is_carried, id"
    _rec_name = "document_name"
    _document_fields = ("res_model", "res_id")
    _protected_fields = frozenset({"is_carried"})
    _protected_after_create_fields = frozenset({"attribution_id", "res_id", "res_model"})

    # === FIELDS ===#

    attribution_id = fields.Many2one(
        comodel_name="partner.loyalty.attribution", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="attribution_id.company_id", store=True, index=True)
    res_model = fields.Selection(selection=ATTRIBUTED_MODELS, string="Kind", required=True)
    res_id = fields.Many2oneReference(string="Record", model_field="res_model", required=True)
    is_carried = fields.Boolean(
        string="Comes Along",
        readonly=True,
        help="It is in one chain with a chosen document and has the same referrer: "
        "the lead of an order, the orders of a lead, their invoices, the credit notes of those.",
    )
    document_name = fields.Char(string="Document", compute="_compute_document")
    customer_name = fields.Char(string="Customer", compute="_compute_document")
    date = fields.Date(compute="_compute_document")
    currency_id = fields.Many2one(comodel_name="res.currency", compute="_compute_document")
    amount = fields.Monetary(string="Untaxed Amount", compute="_compute_document")

    # === CONSTRAINTS ===#

    _document_unique = models.UniqueIndex(
        "(attribution_id, res_model, res_id)", "A document is on the list once: take the second one off."
    )

    # === COMPUTE METHODS ===#

    @api.depends("res_model", "res_id")
    @api.depends_context("lang")
    def _compute_document(self):
        for model, lines in self.grouped("res_model").items():
            names = lines._get_names(model)
            for line in lines:
                # What a change moves may be read without any right on the document, as the performance may.
                document_sudo = self.env[model].sudo().browse(line.res_id) if line.res_id in names else None
                line.update(line._prepare_document_vals(document_sudo))
                line.document_name = names.get(line.res_id) or (line.res_id and self.env._("Deleted document"))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        changes = lines.attribution_id
        lines._check_draft()
        changes._check_documents()
        changes._forget_preview()
        if not self.env.su:
            for change in changes:
                change._carry_along()
        return lines

    def write(self, vals):
        self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_of_drafts(self):
        self._check_draft()
        self.attribution_id._forget_preview()

    # === BUSINESS METHODS ===#

    def _check_draft(self):
        # What comes along is brought up to date by the program until the approval.
        if not self.env.su:
            self.attribution_id._check_draft()

    # === GETTERS ===#

    def _get_names(self, model):
        """Return the names of the documents of the lines that still exist, by id.

        Leads are no part of the performance that officers browse: only who may read one sees its name.

        :param str model: the model of all of the lines
        :rtype: dict[int, str]
        """
        if not model:
            return {}
        # Names of orders and invoices may be read without any right on them, as in the performance.
        documents_sudo = self.env[model].sudo().browse(filter(None, self.mapped("res_id"))).exists()
        names = {document.id: document.display_name for document in documents_sudo}
        if model == "crm.lead":
            readable = documents_sudo.with_user(self.env.user)._filtered_access("read")
            names |= {lead_id: self.env._("Lead %s", lead_id) for lead_id in (documents_sudo - readable.sudo()).ids}
        return names

    @api.model
    def _prepare_document_vals(self, document):
        """Return what the list shows of a document.

        :param document: the document, or None where there is none any more
        """
        if not document:
            return {"customer_name": False, "date": False, "currency_id": False, "amount": 0}
        partner, day, amount = FACTS[document._name]
        currency = document.company_currency if document._name == "crm.lead" else document.currency_id
        return {
            "customer_name": document[partner].commercial_partner_id.display_name,
            "date": document[day] and fields.Date.to_date(document[day]),
            "currency_id": currency.id,
            "amount": document[amount],
        }
