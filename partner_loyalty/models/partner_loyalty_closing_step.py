from odoo import api, fields, models
from odoo.exceptions import UserError

from .partner_loyalty_closing import MANUAL_STEPS, STEPS

# What a step opens, by its code: an action, and what the list is filtered by.
OPENED = {
    "health": ("partner_loyalty.partner_loyalty_todo_action", None),
    "difference": ("partner_loyalty.partner_loyalty_difference_action", [("state", "=", "open")]),
    "dispute": ("partner_loyalty.partner_loyalty_inquiry_action", [("kind", "=", "dispute"), ("is_open", "=", True)]),
    "tier": ("partner_loyalty.partner_loyalty_tier_review_action", [("state", "in", ("draft", "reviewed"))]),
    "hold": ("partner_loyalty.partner_loyalty_payout_action", [("decision", "=", "held")]),
    "payout": ("partner_loyalty.partner_loyalty_payout_action", []),
    "liability": ("partner_loyalty.partner_loyalty_liability_action", None),
    "statement": ("partner_loyalty.partner_loyalty_statement_action", None),
}


class PartnerLoyaltyClosingStep(models.Model):
    """A step of a month end: what is open, and who has said that it is done."""

    _name = "partner.loyalty.closing.step"
    _description = "Step of a Month Closing"
    _order = "closing_id, sequence, id"
    _rec_name = "code"

    # === FIELDS ===#

    closing_id = fields.Many2one(
        comodel_name="partner.loyalty.closing", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="closing_id.company_id", store=True)
    state = fields.Selection(related="closing_id.state")
    sequence = fields.Integer(readonly=True)
    code = fields.Selection(selection=STEPS, string="Step", required=True, readonly=True)
    count = fields.Integer(string="Open", readonly=True, aggregator=None)
    text = fields.Char(string="What Is Open", readonly=True, translate=True)
    is_open = fields.Boolean(compute="_compute_is_open")
    can_open = fields.Boolean(compute="_compute_can_open")
    done_by_id = fields.Many2one(comodel_name="res.users", string="Ticked by", readonly=True)
    done_at = fields.Datetime(string="Ticked on", readonly=True)

    # === COMPUTE METHODS ===#

    @api.depends("count", "code", "done_by_id")
    def _compute_is_open(self):
        for step in self:
            step.is_open = step.count > 0 or (step.code in MANUAL_STEPS and not step.done_by_id)

    @api.depends("code")
    @api.depends_context("uid")
    def _compute_can_open(self):
        """Accountants see how far a month is, and not all that is to be done."""
        for step in self:
            step.can_open = self.env[step._get_opened_action()["res_model"]].has_access("read")

    # === ACTION METHODS ===#

    def action_tick(self):
        """Say that steps were looked at, by name and time.

        :raises UserError: where the user is no officer, or the month is locked
        """
        self._tick({"done_by_id": self.env.uid, "done_at": fields.Datetime.now()})

    def action_untick(self):
        """Take that back."""
        self._tick({"done_by_id": False, "done_at": False})

    def action_open(self):
        """Open what is to be done."""
        self.ensure_one()
        if self.code == "statement":
            return self.closing_id.action_print_statements()
        closing, action, domain = self.closing_id, self._get_opened_action(), OPENED[self.code][1]
        if self.code == "liability":
            # As of the end of the month, as the step says it, and not as of today.
            context = {"default_date": closing.date, "default_program_ids": closing.program_id.ids}
            return {**action, "context": context}
        if domain is None:
            return action
        domain = [*domain, ("program_id", "=", closing.program_id.id)]
        # Payouts that are prepared from there are for the month.
        return {**action, "domain": domain, "context": {"loyalty_closing_id": closing.id}}

    # === BUSINESS METHODS ===#

    def _tick(self, vals):
        """Note who says what of steps.

        :param dict vals: who and when
        """
        self.check_access("read")
        if not self.env.user.has_group("partner_loyalty.partner_loyalty_group_officer"):
            raise UserError(self.env._("Steps are ticked by loyalty officers and managers."))
        for step in self:
            step.closing_id._check_not_locked()
        # Steps are written by the program alone.
        self.sudo().write(vals)

    # === GETTERS ===#

    def _get_opened_action(self):
        """Return the window that shows what is to be done.

        :rtype: dict
        """
        return self.env["ir.actions.act_window"]._for_xml_id(OPENED[self.code][0])
