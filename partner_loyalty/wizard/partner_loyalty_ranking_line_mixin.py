from odoo import fields, models


class PartnerLoyaltyRankingLineMixin(models.AbstractModel):
    """A member with its rank and value, in a dialog that ranks the members of a program by a metric."""

    _name = "partner.loyalty.ranking.line.mixin"
    _description = "Ranked Member"
    _inherit = ["partner.loyalty.wizard.mixin"]
    _rec_name = "member_id"

    # === FIELDS ===#

    member_id = fields.Many2one(comodel_name="partner.loyalty.member", readonly=True, ondelete="cascade")
    tier_id = fields.Many2one(related="member_id.tier_id")
    user_id = fields.Many2one(related="member_id.user_id")
    rank = fields.Integer(readonly=True, aggregator=None)
    value = fields.Float(digits=(18, 4), readonly=True, aggregator="avg")
    text = fields.Char(string="Value in Words", readonly=True)
