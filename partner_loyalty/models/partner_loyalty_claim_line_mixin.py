from odoo import api, fields, models
from odoo.exceptions import UserError


class PartnerLoyaltyClaimLineMixin(models.AbstractModel):
    """What is noted below a claim while it goes on: hours, milestones. What was fulfilled stands."""

    _name = "partner.loyalty.claim.line.mixin"
    _description = "Line of a Claim"
    _inherit = ["partner.loyalty.input.mixin"]

    # The states of a claim in which its lines can be written.
    _open_states = ("approved",)

    # === FIELDS ===#

    claim_id = fields.Many2one(
        comodel_name="partner.loyalty.claim", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="claim_id.partner_id", store=True, index=True)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_open()
        return lines

    def write(self, vals):
        self._check_open()
        result = super().write(vals)
        self._check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_open(self):
        self._check_open()

    # === BUSINESS METHODS ===#

    def _check_open(self):
        """Check that the claims are in a state in which their lines can be written.

        :raises UserError: where one is not
        """
        for claim in self.claim_id:
            if claim.state not in self._open_states:
                raise UserError(self._get_closed_text(claim))

    @api.model
    def _get_closed_text(self, claim):
        """Return why nothing can be noted below a claim, in words."""
        return self.env._(
            "%(claim)s is “%(state)s”, and what is noted on it stands: nothing can be changed any more.",
            claim=claim.name,
            state=dict(claim._fields["state"]._description_selection(self.env))[claim.state],
        )
