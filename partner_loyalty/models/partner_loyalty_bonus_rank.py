from itertools import pairwise

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import LEDGER_DIGITS


class PartnerLoyaltyBonusRank(models.Model):
    """What a place among the best is worth."""

    _name = "partner.loyalty.bonus.rank"
    _description = "Bonus by Place"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "effect_id, rank_from, id"

    # === FIELDS ===#

    effect_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.effect", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="effect_id.company_id", store=True)
    rank_from = fields.Integer(string="From Place", required=True, default=1, aggregator=None)
    rank_to = fields.Integer(string="To Place", required=True, default=1, aggregator=None)
    amount = fields.Float(digits=LEDGER_DIGITS, required=True, aggregator=None)

    # === CONSTRAINTS ===#

    _places_ordered = models.Constraint(
        "CHECK (rank_from >= 1 AND rank_to >= rank_from)",
        "Places count from 1 on, and the last one is not before the first: correct the places.",
    )
    _amount_positive = models.Constraint(
        "CHECK (amount > 0 AND amount < 1000000000000)",
        "A place is worth more than nothing: enter an amount above zero.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("rank_from", "rank_to", "effect_id")
    def _check_overlap(self):
        for effect in self.effect_id:
            ranks = effect.rank_ids.sorted("rank_from")
            for rank, following in pairwise(ranks):
                if following.rank_from <= rank.rank_to:
                    raise ValidationError(
                        self.env._(
                            "Place %(place)s is in the table twice: correct the places.", place=following.rank_from
                        )
                    )
