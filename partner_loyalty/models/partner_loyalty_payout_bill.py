import base64
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import clean_context, split_every

from ..const import STAFF_GROUPS
from ..tools.files import get_refusal_of_file

_logger = logging.getLogger(__name__)

# So many bills are made with the click that approves; more of them are made in the background, and committed by so
# many.
BILL_BATCH = 50

# What can be entered of the invoice that a partner sends.
MAX_INVOICE_SIZE = 10 * 1024 * 1024
INVOICE_FIELDS = {"invoice_amount", "invoice_date", "invoice_file", "invoice_filename", "invoice_number"}


class PartnerLoyaltyPayoutBill(models.AbstractModel):
    """How an approved payout leaves: by a vendor bill or a credit note, in the currency of the partner."""

    _name = "partner.loyalty.payout.bill"
    _description = "Bill of a Payout"

    # === FIELDS ===#

    bill_id = fields.Many2one(
        comodel_name="account.move",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    bill_is_void = fields.Boolean(string="Bill Canceled or Reversed", compute="_compute_bill_is_void")
    is_bill_pending = fields.Boolean(string="To Be Billed", readonly=True, copy=False)
    bill_error = fields.Char(string="Not Billed because", readonly=True, copy=False, groups=STAFF_GROUPS)
    bill_currency_id = fields.Many2one(
        comodel_name="res.currency", string="Paid in", readonly=True, copy=False, help="The currency of the partner."
    )
    bill_rate = fields.Float(
        string="Exchange Rate",
        digits=(16, 6),
        readonly=True,
        copy=False,
        aggregator=None,
        help="So much of that currency is one of the company's, as of the approval.",
    )
    bill_amount = fields.Monetary(string="To Pay", currency_field="bill_currency_id", readonly=True, copy=False)
    bank_account = fields.Char(
        readonly=True, copy=False, help="The bank account of the partner, as it was when the payout was approved."
    )
    invoice_number = fields.Char(string="Partner's Invoice", copy=False, help="The number on the partner's invoice.")
    invoice_date = fields.Date(copy=False)
    invoice_amount = fields.Monetary(
        string="Amount without Taxes", currency_field="bill_currency_id", copy=False, aggregator=None
    )
    invoice_file = fields.Binary(string="Invoice as File", attachment=True, copy=False)
    invoice_filename = fields.Char(copy=False)

    # === COMPUTE METHODS ===#

    @api.depends("bill_id.state", "bill_id.payment_state")
    def _compute_bill_is_void(self):
        for payout in self:
            payout.bill_is_void = bool(payout.bill_id) and not payout._get_live_bill()

    # === CONSTRAINT METHODS ===#

    @api.constrains("invoice_amount", "invoice_date", "invoice_number")
    def _check_invoice(self):
        for payout in self.filtered("invoice_amount"):
            if payout.bill_currency_id and payout.bill_currency_id.compare_amounts(
                payout.invoice_amount, payout.bill_amount
            ):
                raise ValidationError(
                    self.env._(
                        "The invoice is about %(invoiced)s without taxes, and %(payout)s about %(amount)s: "
                        "ask the partner for a correct one.",
                        invoiced=payout.bill_currency_id.format(payout.invoice_amount),
                        payout=payout.name,
                        amount=payout.bill_currency_id.format(payout.bill_amount),
                    )
                )
            if payout.invoice_date and payout.invoice_date > payout.program_id._get_today():
                raise ValidationError(
                    self.env._("The invoice for %s has a date that is still to come: check it.", payout.name)
                )

    # === ACTION METHODS ===#

    def action_bill(self):
        """Make the bills of approved payouts that have none; officers do so once the partner's invoice is there.

        :raises UserError: where one cannot be billed, with what is missing
        """
        self.check_access("write")
        payouts = self._get_in("approved").filtered(lambda payout: not payout._get_live_bill())
        if not payouts:
            raise UserError(self.env._("These payouts have been billed already: open the bill."))
        payouts._check_can_bill()
        payouts._create_bills()

    def action_view_bill(self):
        """Open the bill."""
        self.ensure_one()
        return self.bill_id._get_records_action(context={})

    # === BUSINESS METHODS ===#

    def _get_live_bill(self):
        """Return the bill, unless it was canceled or reversed.

        :rtype: ``account.move``
        """
        self.ensure_one()
        # Who decides on payouts need not have any right on bills.
        bill_sudo = self.bill_id.sudo()
        is_void = bill_sudo.state == "cancel" or bill_sudo.payment_state == "reversed"
        return bill_sudo.browse() if is_void else bill_sudo

    def _prepare_bill_terms(self):
        """Return what the approval notes about the bill: currency, rate, amount and bank account.

        :rtype: dict
        """
        self.ensure_one()
        company, currency = self.company_id, self.member_id.payout_currency_id or self.company_id.currency_id
        today = self.program_id._get_today()
        rate = self.env["res.currency"]._get_conversion_rate(company.currency_id, currency, company, today)
        return {
            "bill_currency_id": currency.id,
            "bill_rate": rate,
            "bill_amount": currency.round(self.amount * rate),
            "bank_account": self._get_bank_account(),
            "is_bill_pending": True,
            "bill_error": False,
        }

    def _get_bank_account(self):
        """Return the number of the bank account that a bill of the partner is paid to."""
        self.ensure_one()
        # Bank accounts of partners are read by accountants only; here it is noted whether it changes.
        bank_sudo = self.partner_id.sudo().bank_ids.filtered(
            lambda bank: not bank.company_id or bank.company_id == self.company_id
        )[:1]
        return bank_sudo.sanitized_acc_number or ""

    def _bill_soon(self):
        """Bill what was approved just now: at once where it is not much, else in the background."""
        ready = self.filtered(lambda payout: not payout._get_missing_invoice_text())
        if len(ready) <= BILL_BATCH:
            ready._create_bills()
            return
        # Sales managers have no right on scheduled actions.
        self.env.ref("partner_loyalty.ir_cron_bill_payouts").sudo()._trigger()

    @api.model
    def _cron_bill(self):
        """Make the bills that wait, committing batch by batch; one that fails says why, and stops no other."""
        domain = Domain("decision", "=", "approved") & Domain("is_bill_pending", "=", True)
        domain &= Domain("bill_error", "=", False)
        waiting = self.search(domain).filtered(lambda payout: not payout._get_missing_invoice_text())
        for ids in split_every(BILL_BATCH, waiting.ids):
            self.browse(ids)._bill_safely()
            if not self.env["ir.cron"]._commit_progress(len(ids)):
                break

    def _bill_safely(self):
        """Bill payouts together; where that fails one by one, noting what is wrong with which."""
        try:
            with self.env.cr.savepoint():
                self._create_bills()
        except (UserError, ValidationError) as error:
            if len(self) > 1:
                for payout in self:
                    payout._bill_safely()
                return
            _logger.warning("Payout %s could not be billed: %s", self.name, error)
            self.bill_error = str(error)

    def _check_can_bill(self):
        """Check that there is what bills are made of.

        :raises UserError: where something is missing
        """
        self.program_id._check_can_bill()
        missing = list(filter(None, (payout._get_missing_invoice_text() for payout in self)))
        if missing:
            raise UserError("\n".join(missing[:10]))

    def _get_missing_invoice_text(self):
        """Return what is missing of the partner's own invoice, in words, or None where it is not needed."""
        self.ensure_one()
        if self.payout_document != "own" or (self.invoice_number and self.invoice_date and self.invoice_amount):
            return None
        return self.env._(
            "%(payout)s waits for the invoice of %(partner)s: enter its number, date and amount.",
            payout=self.name,
            partner=self.partner_id.display_name,
        )

    # === BUSINESS METHODS - THE PARTNER'S INVOICE ===#

    def _waits_for_partner_invoice(self):
        """Return whether the partner has to send its invoice now."""
        self.ensure_one()
        is_due = self.decision == "approved" and not self._get_live_bill()
        return is_due and bool(self._get_missing_invoice_text())

    def _takes_partner_invoice(self):
        """Return whether the partner can send its invoice now, or a better one."""
        self.ensure_one()
        return self.decision == "approved" and self.payout_document == "own" and not self._get_live_bill()

    def _take_partner_invoice(self, number, day, amount, filename, content):
        """Take the invoice that the partner sends by itself, and tell who makes the bill.

        :param str number: of the invoice
        :param date day: of the invoice
        :param Decimal amount: without taxes
        :param str filename: of the PDF; empty where the one that is there already stays
        :param bytes content: the PDF
        :raises UserError: where something of it cannot be right, with what to do
        """
        self.ensure_one()
        refusal = self._get_refusal_of_partner_invoice(number, day, amount)
        if not refusal and (filename or not self.invoice_file):
            refusal = self._get_refusal_of_invoice_file(filename, content)
        if refusal:
            raise UserError(refusal)
        vals = {"invoice_number": number, "invoice_date": day, "invoice_amount": float(amount)}
        if filename:
            vals.update(invoice_file=base64.b64encode(content), invoice_filename=filename)
        self.write(vals)
        self._tell_partner_invoice()

    def _get_refusal_of_partner_invoice(self, number, day, amount):
        """Return why the figures of an invoice of the partner cannot be right, in words for it, or None."""
        currency, terms = self.bill_currency_id, {"payout": self.name}
        if not self._takes_partner_invoice():
            return self.env._("%(payout)s takes no invoice of yours now: nothing is left to do for you.", **terms)
        if not number or not day or not amount:
            return self.env._("Enter number, date and amount of your invoice for %(payout)s.", **terms)
        if day > self.program_id._get_today() or day.year < 1900:
            return self.env._("Your invoice cannot have this date: enter the one that is on it.")
        if currency.compare_amounts(float(amount), self.bill_amount):
            return self.env._(
                "%(payout)s is about %(amount)s without taxes, and you entered %(invoiced)s: "
                "send an invoice about the amount of the payout.",
                amount=currency.format(self.bill_amount),
                invoiced=currency.format(float(amount)),
                **terms,
            )
        return None

    def _get_refusal_of_invoice_file(self, filename, content):
        """Return why a file cannot be taken as an invoice, in words for the partner, or None."""
        if not filename or not content:
            return self.env._("Choose the PDF of your invoice.")
        if len(content) > MAX_INVOICE_SIZE:
            return self.env._("“%s” is larger than 10 MB: send a smaller PDF.", filename)
        if not filename.lower().endswith(".pdf") or not content.startswith(b"%PDF-"):
            return self.env._("“%s” is no PDF: send your invoice as one.", filename)
        return get_refusal_of_file(self.env, filename, base64.b64encode(content))

    def _tell_partner_invoice(self):
        """Note that the invoice has come, and leave a to-do to who prepared the payout."""
        # They read it, and not who has sent it.
        reader = self.with_context(lang=self.prepared_by_id.lang)
        text = reader.env._("The partner has sent its invoice %s: create the bill.", self.invoice_number)
        self.message_post(body=text, author_id=self.env.user.partner_id.id)
        if self.prepared_by_id.active:
            self.activity_schedule("mail.mail_activity_data_todo", summary=text, user_id=self.prepared_by_id.id)

    def _get_portal_invoice_text(self):
        """Return in words what the invoice of the partner is about, for the partner."""
        self.ensure_one()
        return self.env._(
            "It is about %s without taxes; enter number, date and amount as they are on the invoice.",
            self.bill_currency_id.format(self.bill_amount),
        )

    def _get_portal_text(self):
        """Return in words what has become of the payout, for the partner."""
        self.ensure_one()
        checked = self.env._("The money is reserved for you. A manager checks the payout.")
        back = self.env._("It was not paid out: the money is back on your balance.")
        if self._waits_for_partner_invoice():
            return self.env._("It is approved. Send us your invoice below, and it will be paid.")
        return {
            "submitted": checked,
            "second": checked,
            "held": self.env._("The money is reserved for you. We are clarifying something before it is paid."),
            "approved": self.env._("It is approved, and on its way into our books."),
            "billed": self.env._("It is in our books, and will be paid next."),
            "partial": self.env._("A part of it was paid; the rest follows."),
            "paid": self.env._("It was paid."),
            "refused": back,
            "canceled": back,
        }.get(self.state, "")

    # === BUSINESS METHODS - BILLS ===#

    def _create_bills(self):
        """Make the draft bills of approved payouts, all of a company at once.

        :raises UserError: when a program lacks a journal or a product
        """
        self.program_id._check_can_bill()
        for company, payouts in self.grouped("company_id").items():
            # The approver is a sales manager without accounting rights; the bill is a draft for the accountant to
            # check.
            context = clean_context(self.env.context)
            moves_sudo = self.env["account.move"].sudo().with_company(company).with_context(context)
            bills_sudo = moves_sudo.create([payout._prepare_bill_vals() for payout in payouts])
            payouts._link_bills(bills_sudo)

    def _link_bills(self, bills_sudo):
        """Note which bill is whose, and attach what partners have sent.

        :param bills_sudo: ``account.move``, in the order of the payouts
        """
        # The links are set by the program alone.
        payouts_sudo = self.sudo()
        for payout_sudo, bill_sudo in zip(payouts_sudo, bills_sudo, strict=True):
            payout_sudo.bill_id = bill_sudo
            if payout_sudo.invoice_number:
                payout_sudo._attach_invoice(bill_sudo)
        payouts_sudo.write({"is_bill_pending": False, "bill_error": False})

    def _prepare_bill_vals(self):
        """Return the values of the vendor bill or credit note.

        :rtype: dict
        """
        self.ensure_one()
        vals = {
            "move_type": "in_invoice",
            # The journal may be that of a parent company.
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "journal_id": self.program_id.payout_journal_id.id,
            "currency_id": self.bill_currency_id.id,
            "invoice_date": self.invoice_date or self.program_id._get_today(),
            "ref": self.invoice_number or self.name,
            "invoice_origin": self.name,
            "loyalty_payout_id": self.id,
            "invoice_line_ids": [Command.create(self._prepare_bill_line_vals())],
        }
        if self.bill_currency_id != self.company_id.currency_id:
            vals["invoice_currency_rate"] = self.bill_rate
        if self.program_id.payout_settlement == "refund":
            # It goes into the usual journal for what is sold.
            del vals["journal_id"]
            vals["move_type"] = "out_refund"
        return vals

    def _prepare_bill_line_vals(self):
        """Return the values of the line of the bill.

        :rtype: dict
        """
        return {
            "product_id": self.program_id.payout_product_id.id,
            "name": self.env._("%(program)s, payout %(payout)s", program=self.program_id.name, payout=self.name),
            "quantity": 1,
            "price_unit": self.bill_amount,
            "analytic_distribution": self.program_id.analytic_distribution,
        }

    def _attach_invoice(self, bill_sudo):
        """Attach the file of the partner's invoice to the bill.

        :param bill_sudo: ``account.move``
        """
        self.ensure_one()
        if self.invoice_file:
            attachments_sudo = bill_sudo.env["ir.attachment"]
            attachments_sudo.create(
                {
                    "name": self.invoice_filename or self.invoice_number,
                    "datas": self.invoice_file,
                    "res_model": bill_sudo._name,
                    "res_id": bill_sudo.id,
                }
            )

    # === BUSINESS METHODS - AFTER THE APPROVAL ===#

    def _check_bill_as_approved(self, bill_sudo):
        """Check that a bill says what was approved, before it is posted.

        :param bill_sudo: ``account.move``
        :raises UserError: where it does not
        """
        self.ensure_one()
        terms = {"payout": self.name, "bill": bill_sudo.display_name}
        if self.decision != "approved" or self.bill_id != bill_sudo:
            raise UserError(
                self.env._("“%(bill)s” is no longer the bill of %(payout)s, which is not approved.", **terms)
            )
        currency = self.bill_currency_id
        if bill_sudo.currency_id != currency or currency.compare_amounts(bill_sudo.amount_untaxed, self.bill_amount):
            raise UserError(
                self.env._(
                    "%(payout)s was approved for %(amount)s without taxes, and its bill says otherwise: "
                    "correct the bill, or click “Ask for Approval Again” on the payout.",
                    amount=currency.format(self.bill_amount),
                    **terms,
                )
            )
        if self.bank_account != self._get_bank_account():
            raise UserError(
                self.env._(
                    "The bank account of %(partner)s has changed since %(payout)s was approved: "
                    "click “Ask for Approval Again” on the payout.",
                    partner=self.partner_id.display_name,
                    **terms,
                )
            )

    @api.model
    def _follow_bank_accounts(self, partners):
        """Ask for approval again where the bank account of a partner has changed, and nothing is posted yet.

        :param partners: recordset of ``res.partner``
        """
        # Whoever maintains bank accounts need not see payouts.
        approved_sudo = self.sudo().search(
            [("partner_id", "in", partners.commercial_partner_id.ids), ("decision", "in", ("second", "approved"))]
        )
        changed_sudo = approved_sudo.filtered(
            lambda payout: payout.state not in ("paid", "partial") and payout.bank_account != payout._get_bank_account()
        )
        reason = self.env._("The bank account of the partner was changed.")
        for payout_sudo in changed_sudo:
            if payout_sudo._get_live_bill().state == "posted":
                payout_sudo._warn_of_bank_account()
            else:
                payout_sudo._ask_again(reason)

    def _warn_of_bank_account(self):
        """Tell who approved a payout whose bill is posted that the bank account is another one by now."""
        self.ensure_one()
        # Whoever has changed it: it is said to who approved the payout.
        reader = self.with_context(lang=self.decided_by_id.lang or self.env.lang)
        text = reader.env._(
            "The bank account of the partner was changed after the bill was posted: check before paying."
        )
        self.message_post(body=text)
        self.bill_id.message_post(body=text)
        if self.decided_by_id:
            self.activity_schedule("mail.mail_activity_data_todo", summary=text, user_id=self.decided_by_id.id)
