from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import STAFF_GROUPS
from ..tools import periods


class PartnerLoyaltyPayoutPolicy(models.AbstractModel):
    """How a program pays out: when, from which amount on, what has to be there, and by which document."""

    _name = "partner.loyalty.payout.policy"
    _description = "Payout Policy"
    _inherit = ["analytic.mixin"]

    # === FIELDS ===#

    # That of the company of the program; an amount needs to know its currency here as well.
    currency_id = fields.Many2one(comodel_name="res.currency")
    analytic_distribution = fields.Json(groups=STAFF_GROUPS)
    analytic_precision = fields.Integer(groups=STAFF_GROUPS)
    distribution_analytic_account_ids = fields.Many2many(groups=STAFF_GROUPS)
    payout_schedule = fields.Selection(
        selection=[("request", "When they are prepared"), ("month", "Monthly"), ("quarter", "Quarterly")],
        string="Payouts",
        required=True,
        default="request",
        help="Monthly and quarterly, each member gets one payout for each period, however often they are prepared.",
    )
    payout_prepared_until = fields.Date(
        string="Payouts Prepared until", readonly=True, copy=False, help="The last day of the last period prepared."
    )
    payout_minimum = fields.Monetary(help="A smaller balance waits for the next payout.")
    payout_limit = fields.Monetary(
        string="Second Approval from",
        groups=STAFF_GROUPS,
        help="A payout of so much is approved by two managers, neither of whom prepared it. Zero: one is enough.",
    )
    payout_needs_terms = fields.Boolean(
        string="Only with Accepted Terms", help="Members who have not accepted the terms in force are not paid."
    )
    payout_needs_bank = fields.Boolean(
        string="Only with Bank Account", help="Members without a bank account are not paid."
    )
    payout_needs_address = fields.Boolean(
        string="Only with Address",
        help="Members whose address lacks street, city or country are not paid: a bill that is written for them has to "
        "say where they are.",
    )
    payout_settlement = fields.Selection(
        selection=[("bill", "Vendor bill"), ("refund", "Credit note to the customer")],
        string="Settled by",
        required=True,
        default="bill",
        help="A credit note is deducted from what the partner owes for what it bought.",
    )
    payout_document = fields.Selection(
        selection=[("self", "Us (self-billing)"), ("own", "The partner, who sends an invoice")],
        string="Bill Written by",
        required=True,
        default="self",
        help="An invoice of the partner is checked against the payout before it becomes a bill.",
    )
    payout_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Bill Journal",
        domain="[('type', '=', 'purchase')]",
        check_company=True,
        groups=STAFF_GROUPS,
        help="Approved payouts become draft vendor bills in this purchase journal.",
    )
    payout_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Bill Product",
        check_company=True,
        groups=STAFF_GROUPS,
        help="The product on the vendor bill. It decides the expense account and the taxes.",
    )

    # === CONSTRAINTS ===#

    _payout_minimum_positive = models.Constraint(
        "CHECK (payout_minimum >= 0 AND payout_limit >= 0)",
        "The smallest payout and the one that two managers approve cannot be negative: enter zero or more.",
    )

    # === ONCHANGE METHODS ===#

    @api.onchange("payout_settlement")
    def _onchange_payout_settlement(self):
        if self.payout_settlement == "refund":
            self.payout_document = "self"

    # === BUSINESS METHODS ===#

    def _get_payout_day(self):
        """Return up to which day payouts are prepared now: the end of the last period, or today without a schedule.

        :rtype: date
        """
        self.ensure_one()
        today = self._get_today()
        if self.payout_schedule == "request":
            return today
        return periods.period_start(today, self.payout_schedule) - timedelta(days=1)

    def _get_payout_period_start(self, day):
        """Return the first day of the period that a payout of a day is for, or False without a schedule.

        :param date day: up to which day something had matured
        """
        self.ensure_one()
        return self.payout_schedule != "request" and periods.period_start(day, self.payout_schedule)

    def _is_payout_due(self):
        """Return whether a period has ended whose payouts nobody has prepared."""
        self.ensure_one()
        day = self._get_payout_day()
        last = self.payout_prepared_until
        return self.payout_schedule != "request" and day >= self.date_from and (not last or last < day)

    def _note_payouts_prepared(self, day):
        """Note up to which day payouts were prepared.

        :param date day: the day of the payouts
        """
        self.ensure_one()
        last = self.payout_prepared_until
        if self.payout_schedule != "request" and (not last or last < day):
            # Officers prepare payouts without any right on programs.
            self.sudo().payout_prepared_until = day

    def _check_can_bill(self):
        """Check that payouts of the programs can be billed.

        :raises UserError: where a journal or a product is missing
        """
        for program in self:
            lacks_journal = program.payout_settlement == "bill" and not program.payout_journal_id
            if lacks_journal or not program.payout_product_id:
                raise UserError(
                    self.env._(
                        "Payouts of “%(program)s” cannot be billed yet: "
                        "choose a bill journal and a bill product on the program.",
                        program=program.name,
                    )
                )
