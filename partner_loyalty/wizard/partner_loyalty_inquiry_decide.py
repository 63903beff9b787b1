from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import LEDGER_DIGITS
from ..models.partner_loyalty_inquiry import MAX_TEXT


class PartnerLoyaltyInquiryDecide(models.TransientModel):
    """Decides on a dispute: the line is made up for by an adjustment, or explained."""

    _name = "partner.loyalty.inquiry.decide"
    _description = "Decide on Dispute"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    inquiry_id = fields.Many2one(
        comodel_name="partner.loyalty.inquiry",
        string="Dispute",
        required=True,
        readonly=True,
        ondelete="cascade",
        default=lambda self: self._get_active_records("partner.loyalty.inquiry")[:1],
    )
    entry_id = fields.Many2one(related="inquiry_id.entry_id")
    entry_text = fields.Char(related="inquiry_id.entry_text")
    unit = fields.Selection(related="entry_id.unit")
    decision = fields.Selection(
        selection=[("explained", "The line stands, and is explained"), ("upheld", "The line is wrong")],
        required=True,
        default="explained",
    )
    amount = fields.Float(
        string="Correction",
        digits=LEDGER_DIGITS,
        help="What is added to the balance; with a minus sign, what is taken off it. A manager approves it.",
    )
    text = fields.Text(
        string="Answer",
        compute="_compute_text",
        store=True,
        readonly=False,
        required=True,
        help="What the member reads, at once or with the approval of the correction.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("inquiry_id")
    def _compute_text(self):
        for wizard in self:
            # In the language of who reads it.
            inquiry = wizard.inquiry_id.with_context(lang=wizard.inquiry_id.contact_id.lang)
            wizard.text = wizard.text or inquiry.entry_text

    # === ACTION METHODS ===#

    def action_decide(self):
        """Decide as chosen.

        :raises UserError: where nothing is said, or a correction has no amount
        """
        self.ensure_one()
        self.inquiry_id._check_text(self.text, MAX_TEXT)
        if self.decision == "explained":
            self.inquiry_id._explain(self.text)
            return
        if not self.amount:
            raise UserError(self.env._("Say what makes up for the line: enter an amount other than zero."))
        self.inquiry_id._uphold(self.text, self.amount)
