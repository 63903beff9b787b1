from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class PartnerLoyaltyPayoutApprove(models.TransientModel):
    """Sums up what is about to be approved, and says what of it somebody else has to decide on."""

    _name = "partner.loyalty.payout.approve"
    _description = "Approve Payouts"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    payout_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout",
        default=lambda self: self._get_active_records("partner.loyalty.payout"),
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.payout.approve.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )
    approvable_count = fields.Integer(string="Approved Now", compute="_compute_line_ids")
    second_count = fields.Integer(string="Waiting for a Second Manager", compute="_compute_line_ids")
    refused_ids = fields.Many2many(
        comodel_name="partner.loyalty.payout", string="Not by You", compute="_compute_line_ids"
    )
    refused_text = fields.Text(string="Why Not", compute="_compute_line_ids")

    # === COMPUTE METHODS ===#

    @api.depends("payout_ids")
    def _compute_line_ids(self):
        for wizard in self:
            refusals = wizard.payout_ids._get_cannot_approve_reason()
            refused = wizard.payout_ids.filtered(lambda payout, refusals=refusals: refusals[payout.id])
            approvable = wizard.payout_ids - refused
            wizard.refused_ids = refused
            wizard.refused_text = "\n".join(refusals[payout.id] for payout in refused)
            wizard.approvable_count = len(approvable)
            wizard.second_count = len(approvable.filtered(lambda payout: payout._needs_second_approval()))
            wizard.line_ids = [Command.clear(), *map(Command.create, wizard._get_line_vals(approvable))]

    # === ACTION METHODS ===#

    def action_approve(self):
        """Approve what the user may approve, and leave the rest.

        :raises UserError: where that is nothing
        """
        self.ensure_one()
        approvable = self.payout_ids - self.refused_ids
        if not approvable:
            raise UserError(self.refused_text or self.env._("Choose what to approve."))
        approvable.action_approve()

    # === BUSINESS METHODS ===#

    @api.model
    def _get_line_vals(self, payouts):
        """Return how much is approved, by program: amounts of several currencies are never added up.

        :param payouts: recordset of ``partner.loyalty.payout``
        :rtype: list[dict]
        """
        return [
            {"program_id": program.id, "payout_count": len(group), "amount": sum(group.mapped("amount"))}
            for program, group in payouts.grouped("program_id").items()
        ]


class PartnerLoyaltyPayoutApproveLine(models.TransientModel):
    """What is about to be approved in a program."""

    _name = "partner.loyalty.payout.approve.line"
    _description = "Payouts to Approve"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(
        comodel_name="partner.loyalty.payout.approve", required=True, ondelete="cascade", index=True
    )
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    payout_count = fields.Integer(string="Payouts", readonly=True)
    amount = fields.Monetary(readonly=True)
