from odoo import fields, models


class PartnerLoyaltyBacktestMember(models.Model):
    """What a backtest means for a partner: how much more or less it would have got, and in which tier it would be.

    Inserted by ``partner.loyalty.backtest`` in one go.
    """

    _name = "partner.loyalty.backtest.member"
    _description = "Backtest Member"
    _order = "difference desc, total desc, id"
    _log_access = False
    _rec_name = "partner_id"

    # === FIELDS ===#

    backtest_id = fields.Many2one(
        comodel_name="partner.loyalty.backtest", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Member", index="btree_not_null", ondelete="set null", readonly=True
    )
    turnover = fields.Monetary(readonly=True)
    total = fields.Monetary(string="Would Get", readonly=True)
    reference_total = fields.Monetary(string="Has Got", readonly=True)
    difference = fields.Monetary(readonly=True)
    outcome = fields.Selection(
        selection=[("winner", "Winner"), ("loser", "Loser"), ("same", "As It Is")], readonly=True
    )
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        string="Tier at the End",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
    )
    reference_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        string="Actual Tier",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        relation="partner_loyalty_backtest_member_segment_rel",
        string="Segments",
        readonly=True,
        help="The segments that it belonged to when the backtest was run. Who belongs to several counts in each.",
    )
