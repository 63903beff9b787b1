from odoo import fields, models

# What of an invoice moves what it earns. Amounts only change while it is a draft.
TOUCHING_FIELDS = {"state", "partner_id", "loyalty_partner_id", "invoice_date", "reversed_entry_id"}


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "account.move",
        "partner.loyalty.attribution.mixin",
        "partner.loyalty.touch.mixin",
        "partner.loyalty.protected.mixin",
    ]
    # No bill says of itself that a payout is paid by it.
    _protected_fields = frozenset({"loyalty_payout_id"})

    # === FIELDS ===#

    # What a member bought is read by its company.
    commercial_partner_id = fields.Many2one(index=True)
    loyalty_payout_id = fields.Many2one(
        comodel_name="partner.loyalty.payout",
        copy=False,
        readonly=True,
        index="btree_not_null",
    )
    # The way back from the bill of a payout: without it every change of any journal entry would search for payouts.
    loyalty_billed_payout_ids = fields.One2many(
        comodel_name="partner.loyalty.payout", inverse_name="bill_id", groups=fields.NO_ACCESS
    )

    # === CRUD METHODS ===#

    def write(self, vals):
        touching = TOUCHING_FIELDS & vals.keys()
        if touching:
            # A credit note of an invoice that goes away stands alone from then on.
            self._get_counting_for_loyalty().reversal_move_ids._mark_loyalty()
        with self._marking_loyalty(touching):
            return super().write(vals)

    # === BUSINESS METHODS ===#

    def _post(self, soft=True):
        # Accountants post bills without any right on payouts.
        for move_sudo in self.sudo().filtered("loyalty_payout_id"):
            move_sudo.loyalty_payout_id._check_bill_as_approved(move_sudo)
        return super()._post(soft=soft)

    def _mark_loyalty(self):
        """Note that those of the journal entries that contribute were touched, and the invoices they credit."""
        moves = self._get_counting_for_loyalty()
        self.env["partner.loyalty.touch"]._mark(moves | moves.reversed_entry_id)

    def _get_counting_for_loyalty(self):
        """Return those of the journal entries that contribute: posted invoices, bills and credit notes.

        The bill of a payout does not: it is what a partner was paid for.
        """
        return self.filtered(
            lambda move: (
                move.state == "posted" and move.is_invoice(include_receipts=True) and not move.loyalty_payout_id
            )
        )

    def _get_loyalty_standing(self):
        day = self.reversed_entry_id.invoice_date or self.invoice_date
        return self.commercial_partner_id, self.loyalty_partner_id, day
