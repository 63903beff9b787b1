from odoo import fields, models


class PartnerLoyaltyClosingException(models.Model):
    """A member who is not paid in a month, or not yet, and why."""

    _name = "partner.loyalty.closing.exception"
    _description = "Exception in a Month Closing"
    _order = "closing_id, reason, id"
    _rec_name = "member_id"
    _log_access = False

    # === FIELDS ===#

    closing_id = fields.Many2one(
        comodel_name="partner.loyalty.closing", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="closing_id.company_id", store=True)
    currency_id = fields.Many2one(related="closing_id.currency_id")
    member_id = fields.Many2one(comodel_name="partner.loyalty.member", required=True, ondelete="cascade", readonly=True)
    payout_id = fields.Many2one(comodel_name="partner.loyalty.payout", ondelete="cascade", readonly=True)
    amount = fields.Monetary(readonly=True)
    reason = fields.Char(string="Why", readonly=True, translate=True)
