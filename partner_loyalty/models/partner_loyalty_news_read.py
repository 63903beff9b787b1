from odoo import fields, models


class PartnerLoyaltyNewsRead(models.Model):
    """A contact that has read something."""

    _name = "partner.loyalty.news.read"
    _description = "News Read"
    _order = "id desc"
    _rec_name = "contact_id"

    # === FIELDS ===#

    news_id = fields.Many2one(comodel_name="partner.loyalty.news", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="news_id.company_id", store=True, index=True)
    contact_id = fields.Many2one(comodel_name="res.partner", required=True, index=True, ondelete="cascade")

    # === CONSTRAINTS ===#

    # A constraint and no index: where two contacts are merged, one mark is enough and Odoo deletes the other.
    _contact_once = models.Constraint("UNIQUE (news_id, contact_id)", "This contact has read it already.")
