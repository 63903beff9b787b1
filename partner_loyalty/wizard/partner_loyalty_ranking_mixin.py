from odoo import api, fields, models


class PartnerLoyaltyRankingMixin(models.AbstractModel):
    """What the dialogs share that rank the members of a program by a metric; see the mixin of their lines as well."""

    _name = "partner.loyalty.ranking.mixin"
    _description = "Ranking of Members"
    _inherit = ["partner.loyalty.wizard.mixin"]
    _rec_name = "metric_id"

    # === DEFAULT METHODS ===#

    @api.model
    def _default_program_id(self):
        return self.env["partner.loyalty.program"].search([("state", "=", "running")], limit=1)

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        ondelete="cascade",
        domain="[('company_id', 'in', allowed_company_ids)]",
        default=lambda self: self._default_program_id(),
    )
    metric_id = fields.Many2one(comodel_name="partner.loyalty.metric", required=True, ondelete="cascade")

    # === BUSINESS METHODS ===#

    def _check_may_rank(self):
        """Check that the user may see what is ranked: the figures are read by SQL.

        :raises AccessError: where it may not
        """
        self.ensure_one()
        self.check_access("write")
        self.program_id.check_access("read")
        self.metric_id.check_access("read")
