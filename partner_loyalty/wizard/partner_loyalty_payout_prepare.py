from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class PartnerLoyaltyPayoutPrepare(models.TransientModel):
    """Shows which members have matured money, and drafts their payouts."""

    _name = "partner.loyalty.payout.prepare"
    _description = "Prepare Payouts"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        required=True,
        domain="[('state', '!=', 'draft'), ('company_id', 'in', allowed_company_ids)]",
    )
    currency_id = fields.Many2one(related="program_id.currency_id")
    date = fields.Date(
        string="Matured until",
        required=True,
        default=fields.Date.context_today,
        help="Money that has matured by this day is paid out.",
    )
    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        string="Only These Members",
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        help="All members where empty.",
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.payout.prepare.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )
    payable_count = fields.Integer(string="Payouts", compute="_compute_line_ids")
    payable_amount = fields.Monetary(string="Total", compute="_compute_line_ids")

    # === COMPUTE METHODS ===#

    @api.depends("program_id", "date", "member_ids")
    def _compute_line_ids(self):
        for wizard in self:
            lines = wizard._get_line_vals() if wizard.program_id and wizard.date else []
            wizard.line_ids = [Command.clear(), *(Command.create(vals) for vals in lines)]
            payable = [vals["amount"] for vals in lines if not vals["reason"]]
            wizard.payable_count = len(payable)
            wizard.payable_amount = sum(payable)

    # === ACTION METHODS ===#

    def action_prepare(self):
        """Draft the payouts and show them.

        :raises UserError: when nothing can be paid out, with the reasons
        """
        self.ensure_one()
        lines = self._get_line_vals()
        member_ids = [vals["member_id"] for vals in lines if not vals["reason"]]
        if not member_ids:
            raise UserError(self._get_nothing_to_pay_message(lines))
        payouts = self.env["partner.loyalty.payout"].create(
            [{"member_id": member_id, "date": self.date} for member_id in member_ids]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_payout_action")
        if len(payouts) == 1:
            return {**action, "views": [(False, "form")], "res_id": payouts.id}
        return {**action, "domain": [("id", "in", payouts.ids)]}

    # === BUSINESS METHODS ===#

    def _get_line_vals(self):
        """Return for each member with a money balance what could be paid out, or why nothing.

        :rtype: list[dict]
        """
        accounts = self.env["partner.loyalty.account"].search(self._get_account_domain())
        available = accounts._get_available(min(self.date, self.program_id._get_today()))
        blocked = self._get_members_with_payout()
        return [
            {
                "member_id": account.member_id.id,
                "balance": account.balance,
                "amount": available.get(account.id, 0),
                "reason": self._get_reason(account, available.get(account.id, 0), blocked),
            }
            for account in accounts
        ]

    def _get_account_domain(self):
        domain = [("program_id", "=", self.program_id.id), ("unit", "=", "money"), ("balance", "!=", 0)]
        if self.member_ids:
            domain.append(("member_id", "in", self.member_ids.ids))
        return domain

    def _get_members_with_payout(self):
        """Return the members who have a draft, or a payout for this very day."""
        return (
            self.env["partner.loyalty.payout"]
            .search(
                [
                    ("program_id", "=", self.program_id.id),
                    ("decision", "not in", ("refused", "canceled")),
                    "|",
                    ("decision", "=", "draft"),
                    ("date", "=", self.date),
                ]
            )
            .member_id
        )

    def _get_reason(self, account, amount, blocked):
        """Say why a member gets no payout, or return False."""
        if account.balance < 0 and not amount:
            return self.env._("Owes money: more was taken back than is there")
        if account.member_id in blocked:
            return self.env._("Has a payout in progress, or one for this day")
        if not amount:
            return self.env._("Held back: nothing has matured by this day")
        if amount < self.program_id.payout_minimum:
            return self.env._("Below the smallest payout of the program")
        return False

    def _get_nothing_to_pay_message(self, lines):
        if not lines:
            return self.env._("No member of “%(program)s” has any money on its balance.", program=self.program_id.name)
        members = self.env["partner.loyalty.member"]
        return (
            self.env._("Nothing can be paid out:")
            + "\n"
            + "\n".join(f"{members.browse(vals['member_id']).display_name}: {vals['reason']}" for vals in lines[:20])
        )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        members = self._get_active_records("partner.loyalty.member")
        if members:
            values["member_ids"] = [Command.set(members.ids)]
            values["program_id"] = members.program_id[:1].id
        return values


class PartnerLoyaltyPayoutPrepareLine(models.TransientModel):
    """What one member would be paid, or the reason why nothing."""

    _name = "partner.loyalty.payout.prepare.line"
    _description = "Payout to Prepare"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(
        comodel_name="partner.loyalty.payout.prepare", required=True, ondelete="cascade", index=True
    )
    currency_id = fields.Many2one(related="member_id.currency_id")
    member_id = fields.Many2one(comodel_name="partner.loyalty.member", readonly=True)
    balance = fields.Monetary(readonly=True)
    amount = fields.Monetary(string="To Pay", readonly=True)
    reason = fields.Char(string="Why Not", readonly=True)
