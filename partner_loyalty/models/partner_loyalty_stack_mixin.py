from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import NAMES_IN_MESSAGE

# Set by the program alone.
PROTECTED_FIELDS = {"loyalty_stack_amount", "loyalty_stack_approved_by_id", "loyalty_stack_asked_by_id"}


class PartnerLoyaltyStackMixin(models.AbstractModel):
    """Lets no quotation be confirmed that leaves less than a program asks for, unless a manager has approved it."""

    _name = "partner.loyalty.stack.mixin"
    _description = "Guarded Quotation"

    # === FIELDS ===#

    loyalty_stack_text = fields.Text(string="Too Much Given Away", compute="_compute_loyalty_stack_text")
    loyalty_stack_asked_by_id = fields.Many2one(
        comodel_name="res.users", string="Terms Asked for by", readonly=True, copy=False
    )
    loyalty_stack_approved_by_id = fields.Many2one(
        comodel_name="res.users", string="Terms Approved by", readonly=True, copy=False
    )
    # That of the order; an amount needs to know its currency here as well.
    currency_id = fields.Many2one(comodel_name="res.currency")
    loyalty_stack_amount = fields.Monetary(string="Terms Approved at", readonly=True, copy=False)

    # === COMPUTE METHODS ===#

    # Not by each line: a form that is being edited is weighed when it is saved.
    @api.depends("state", "amount_untaxed", "loyalty_partner_id", "partner_id")
    @api.depends_context("lang")
    def _compute_loyalty_stack_text(self):
        for order in self:
            is_saved = isinstance(order.id, int) and order.state in ("draft", "sent")
            order.loyalty_stack_text = is_saved and order._get_loyalty_stack_text()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_loyalty_stack_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_loyalty_stack_fields(vals)
        result = super().write(vals)
        self._withdraw_loyalty_stack_requests()
        return result

    # === ACTION METHODS ===#

    def action_loyalty_stack_ask(self):
        """Ask the responsible of the program to approve what is given away."""
        self.check_access("write")
        for order in self.filtered("loyalty_stack_text"):
            # The fields are set by the program alone.
            order.sudo().loyalty_stack_asked_by_id = self.env.user
            programs = self.env["partner.loyalty.stack"]._get_programs(order)
            for user in programs.user_id:
                order.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.with_context(lang=user.lang).env._("Approve the terms of this quotation"),
                    user_id=user.id,
                )

    def action_loyalty_stack_approve(self):
        """Approve what is given away with quotations, as they are now.

        :raises UserError: where the user is no loyalty manager, or asked for it
        """
        self.check_access("read")
        for order in self:
            refusal = order._get_loyalty_stack_refusal(self.env.user)
            if refusal:
                raise UserError(refusal)
        # The fields are set by the program alone.
        for order_sudo in self.sudo():
            order_sudo.write(
                {"loyalty_stack_approved_by_id": self.env.uid, "loyalty_stack_amount": order_sudo.amount_untaxed}
            )
            order_sudo.message_post(body=self.env._("%s approved what is given away with it.", self.env.user.name))
            order_sudo.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS ===#

    @api.model
    def _check_loyalty_stack_fields(self, vals):
        if PROTECTED_FIELDS & vals.keys() and not self.env.su:
            raise AccessError(self.env._("The approval of terms cannot be set by hand: use the buttons of the form."))

    def _withdraw_loyalty_stack_requests(self):
        """Withdraw the request to approve quotations that leave what programs ask for by now, as with less discount."""
        asked = self.filtered(lambda order: order.loyalty_stack_asked_by_id and order.state in ("draft", "sent"))
        settled = asked.filtered(lambda order: not self.env["partner.loyalty.stack"]._get_findings(order))
        if settled:
            # The fields are set by the program alone, and the to-do is that of somebody else.
            settled_sudo = settled.sudo()
            settled_sudo.loyalty_stack_asked_by_id = False
            settled_sudo.activity_unlink(["mail.mail_activity_data_todo"])

    def _get_loyalty_stack_text(self):
        """Return where less is left than a program asks for, in words; False where that is approved or nowhere."""
        self.ensure_one()
        if not self.env["partner.loyalty.program"]._get_guarded_ids(self.company_id.id):
            return False
        approved = self.loyalty_stack_approved_by_id
        if approved and not self.currency_id.compare_amounts(self.loyalty_stack_amount, self.amount_untaxed):
            return False
        return "\n".join(self.env["partner.loyalty.stack"]._get_findings(self)[:NAMES_IN_MESSAGE]) or False

    def _get_loyalty_stack_refusal(self, user):
        """Return why a user cannot approve the terms of a quotation, or None."""
        self.ensure_one()
        terms = {"order": self.name}
        if not user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            return self.env._("The terms of %(order)s have to be approved by a loyalty manager.", **terms)
        is_own = user in (self.loyalty_stack_asked_by_id, self.user_id)
        if is_own and not self.company_id._is_single_loyalty_manager(user):
            return self.env._("%(order)s is your own: another manager has to approve its terms.", **terms)
        return None

    def _get_loyalty_stack_error_message(self):
        """Return why a quotation cannot be confirmed, and what to do; False where it can."""
        text = self._get_loyalty_stack_text()
        if not text:
            return False
        return self.env._(
            "%(text)s\nChange the price or click “Ask for Approval”: a loyalty manager can approve it.", text=text
        )
