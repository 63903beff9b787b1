from odoo import api, fields, models


class PartnerLoyaltyDocumentMixin(models.AbstractModel):
    """Opens the document that a row is about, for those who may read it.

    Who sees what partners did, and what they got for it, need not see all of their orders, leads or certificates.
    """

    _name = "partner.loyalty.document.mixin"
    _description = "Opens Documents"

    # The fields with the model and the id of the document.
    _document_fields = ("origin_model", "origin_id")

    # === FIELDS ===#

    can_open_document = fields.Boolean(compute="_compute_can_open_document")

    # === COMPUTE METHODS ===#

    @api.depends(lambda self: self._document_fields)
    @api.depends_context("allowed_company_ids", "uid")
    def _compute_can_open_document(self):
        model_field, id_field = self._document_fields
        for model, rows in self.grouped(model_field).items():
            ids = set(filter(None, rows.mapped(id_field)))
            readable = set(self.env[model].browse(ids)._filtered_access("read").ids) if ids else ()
            for row in rows:
                row.can_open_document = row[id_field] in readable

    # === ACTION METHODS ===#

    def action_open_document(self):
        """Open the document."""
        self.ensure_one()
        model_field, id_field = self._document_fields
        return self.env[self[model_field]].browse(self[id_field])._get_records_action(context={})
