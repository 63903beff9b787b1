from odoo import api, fields, models
from odoo.exceptions import ValidationError


class PartnerLoyaltyTier(models.Model):
    """A tier can set the level of the partner; the price list of that level is the one of the tier, if it has none."""

    _inherit = "partner.loyalty.tier"

    # === FIELDS ===#

    grade_id = fields.Many2one(
        comodel_name="res.partner.grade",
        string="Partner Level",
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        index="btree_not_null",
        ondelete="restrict",
        help="Set on the partner with the tier, and taken back after it, but never over one that somebody chose.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("grade_id", "program_id")
    def _check_company_of_grade(self):
        for tier in self:
            if tier.grade_id.company_id and tier.grade_id.company_id != tier.company_id:
                raise ValidationError(
                    self.env._(
                        "“%(grade)s” is a level of another company than “%(tier)s”: choose one of its own company.",
                        grade=tier.grade_id.name,
                        tier=tier.name,
                    )
                )
