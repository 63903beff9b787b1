from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class PartnerLoyaltyTier(models.Model):
    _name = "partner.loyalty.tier"
    _description = "Loyalty Tier"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "program_id, threshold, id"

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    threshold = fields.Monetary(
        string="Turnover from",
        required=True,
        help="Turnover of the last twelve calendar months from which a member reaches this tier.",
    )
    color = fields.Integer()
    member_count = fields.Integer(compute="_compute_member_count")

    # === CONSTRAINTS ===#

    _threshold_unique = models.UniqueIndex(
        "(program_id, threshold)", "Two tiers of a program cannot start at the same turnover: change one of them."
    )
    _threshold_positive = models.Constraint(
        "CHECK (threshold >= 0)", "A tier starts at zero turnover or above: enter a positive amount."
    )

    # === COMPUTE METHODS ===#

    def _compute_member_count(self):
        counts = dict(
            self.env["partner.loyalty.member"]._read_group(
                [("tier_id", "in", self.ids), ("merged_into_id", "=", False)], ["tier_id"], ["__count"]
            )
        )
        for tier in self:
            tier.member_count = counts.get(tier, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("threshold", "program_id")
    def _check_lowest_tier(self):
        for program in self.program_id:
            if program.tier_ids and min(program.tier_ids.mapped("threshold")):
                raise ValidationError(
                    self.env._(
                        "The lowest tier of “%(program)s” has to start at zero, so that every member has a tier: "
                        "set its turnover to 0.",
                        program=program.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        # Nobody has the right to write the tier history by hand.
        tiers.sudo().program_id._start_tiers()
        return tiers

    @api.ondelete(at_uninstall=False)
    def _unlink_except_granted(self):
        granted = self.env["partner.loyalty.tier.period"].search([("tier_id", "in", self.ids)], limit=1)
        if granted:
            raise UserError(
                self.env._(
                    "Members have been in the tier “%(tier)s”, and their history stays: "
                    "rename the tier, or raise its turnover.",
                    tier=granted.tier_id.name,
                )
            )
