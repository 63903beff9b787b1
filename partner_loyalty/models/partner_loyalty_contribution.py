from odoo import api, fields, models
from odoo.tools import SQL

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES

# Keeps the ids of the branches apart.
BRANCH_CODES = {
    ("order", "buyer"): 1,
    ("order", "referrer"): 2,
    ("invoice", "buyer"): 3,
    ("invoice", "referrer"): 4,
    ("payment", "buyer"): 5,
    ("payment", "referrer"): 6,
}


class PartnerLoyaltyContribution(models.Model):
    """What partners did that can count: one row for each document line and role, read from the documents.

    A kind is one method ``_get_contribution_query_<kind>(role)`` that returns a ``SELECT`` with the columns of
    the other branches, in their order; a module adds a kind by extending :meth:`_get_branches` and the selection.
    Each branch reads its base tables without any grouping, so that a filter on documents, partner or date reaches
    their indexes. Beside the fields a branch has three columns that only the engine reads: ``moment`` (the raw
    UTC datetime behind ``date``, where there is one, for range filters), ``origin_amount`` (untaxed net amount of the
    origin, where ``amount`` is only a part of it) and ``line_id``.

    Dates are local to the time zone in the context (``tz``); the engine puts the program's there.
    """

    _name = "partner.loyalty.contribution"
    _description = "Performance"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "document_name"

    # === FIELDS ===#

    kind = fields.Selection(selection=CONTRIBUTION_KINDS, readonly=True)
    role = fields.Selection(selection=CONTRIBUTION_ROLES, readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    partner_id = fields.Many2one(comodel_name="res.partner", readonly=True)
    customer_id = fields.Many2one(comodel_name="res.partner", readonly=True)
    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(
        model_field="origin_model",
        readonly=True,
        aggregator=None,
        help="The document that the reward belongs to: a credit note belongs to the invoice it was made from.",
    )
    document_model = fields.Char(readonly=True)
    document_id = fields.Many2oneReference(model_field="document_model", readonly=True, aggregator=None)
    document_name = fields.Char(string="Document Number", readonly=True)
    date = fields.Date(readonly=True)
    rate_date = fields.Date(
        string="Terms as of",
        readonly=True,
        help="The day whose terms apply: that of the sale, also for its payments and credit notes.",
    )
    currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)
    amount = fields.Monetary(
        string="Untaxed Amount",
        readonly=True,
        help="In the currency of the company, without taxes; credit notes are negative.",
    )
    document_currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)
    document_amount = fields.Monetary(
        string="Amount in Currency", currency_field="document_currency_id", readonly=True, aggregator=None
    )
    document_rate = fields.Float(string="Exchange Rate", digits=(16, 8), readonly=True, aggregator=None)
    quantity = fields.Float(readonly=True)
    product_id = fields.Many2one(comodel_name="product.product", readonly=True)
    user_id = fields.Many2one(comodel_name="res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one(comodel_name="crm.team", string="Sales Team", readonly=True)
    campaign_id = fields.Many2one(comodel_name="utm.campaign", readonly=True)

    _depends = {
        "account.move": [
            "amount_residual",
            "amount_total",
            "amount_untaxed_signed",
            "campaign_id",
            "commercial_partner_id",
            "company_id",
            "currency_id",
            "invoice_currency_rate",
            "invoice_date",
            "invoice_user_id",
            "loyalty_partner_id",
            "move_type",
            "name",
            "reversed_entry_id",
            "state",
            "team_id",
        ],
        "account.move.line": [
            "amount_currency",
            "balance",
            "display_type",
            "move_id",
            "price_subtotal",
            "product_id",
            "quantity",
        ],
        "account.partial.reconcile": [
            "credit_amount_currency",
            "credit_move_id",
            "debit_amount_currency",
            "debit_move_id",
            "max_date",
        ],
        "sale.order": [
            "campaign_id",
            "company_id",
            "currency_id",
            "currency_rate",
            "date_order",
            "loyalty_buyer_id",
            "loyalty_partner_id",
            "name",
            "state",
            "team_id",
            "user_id",
        ],
        "sale.order.line": [
            "display_type",
            "is_downpayment",
            "order_id",
            "price_subtotal",
            "product_id",
            "product_uom_qty",
        ],
    }

    # === TABLE QUERY ===#

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(self._get_branches())

    @api.model
    def _get_branches(self):
        """Return the ``SELECT`` of each kind and role, or only of the one in the context (``loyalty_branch``).

        PostgreSQL drops branches of other kinds by itself, but only after it has planned the joins of all of them,
        which takes far longer than to answer a document.

        :rtype: list[SQL]
        """
        branches = list(BRANCH_CODES)
        only = self.env.context.get("loyalty_branch")
        return [
            getattr(self, f"_get_contribution_query_{kind}")(role)
            for kind, role in ([only] if only in branches else branches)
        ]

    @api.model
    def _get_contribution_query_order(self, role):
        """Lines of confirmed orders, dated by the order; down payment lines repeat what other lines say."""
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, 'order' AS kind, %(role)s AS role,
                   sale.company_id, %(partner)s AS partner_id, sale.loyalty_buyer_id AS customer_id,
                   'sale.order' AS origin_model, sale.id AS origin_id,
                   'sale.order' AS document_model, sale.id AS document_id, sale.name AS document_name,
                   %(day)s AS date, %(day)s AS rate_date,
                   company.currency_id,
                   round(line.price_subtotal / NULLIF(sale.currency_rate, 0), currency.decimal_places) AS amount,
                   sale.currency_id AS document_currency_id, line.price_subtotal AS document_amount,
                   sale.currency_rate AS document_rate, line.product_uom_qty AS quantity, line.product_id,
                   sale.user_id, sale.team_id, sale.campaign_id,
                   sale.date_order AS moment, NULL::numeric AS origin_amount, line.id AS line_id
              FROM sale_order_line line
              JOIN sale_order sale ON sale.id = line.order_id
              JOIN res_company company ON company.id = sale.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
             WHERE sale.state = 'sale' AND line.display_type IS NULL
               AND line.is_downpayment IS NOT TRUE AND %(has_role)s
            """,
            code=BRANCH_CODES["order", role],
            day=self._get_local_day(SQL("sale.date_order")),
            **self._get_role_terms(role, SQL("sale.loyalty_buyer_id"), SQL("sale.loyalty_partner_id")),
        )

    @api.model
    def _get_contribution_query_invoice(self, role):
        """Product lines of posted customer invoices and credit notes, with the sign of the sale."""
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, 'invoice' AS kind, %(role)s AS role, %(head)s,
                   move.invoice_date AS date, %(rate_date)s AS rate_date,
                   company.currency_id, -line.balance AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency AS document_amount,
                   move.invoice_currency_rate AS document_rate, line.quantity * %(sign)s AS quantity, line.product_id,
                   move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
              JOIN res_company company ON company.id = move.company_id
             WHERE %(counts)s AND %(has_role)s
            """,
            code=BRANCH_CODES["invoice", role],
            **self._get_invoice_terms(role),
        )

    @api.model
    def _get_contribution_query_payment(self, role):
        """Product lines of customer invoices, in the share that has been paid.

        A row for each line and partial reconciliation with a payment, a bank statement line or the credit note of
        another sale, in the proportion of the partial to the total of the invoice, both in its currency. Write-offs
        do not count. A credit note made from the invoice first nets what the invoice leaves open, and counts as paid
        back in what it goes beyond that.
        """
        return SQL(
            "%s UNION ALL %s UNION ALL %s",
            self._get_payment_query(role, "debit"),
            self._get_payment_query(role, "credit"),
            self._get_paid_back_query(role),
        )

    @api.model
    def _get_payment_query(self, role, side):
        """Shares of document lines settled by partial reconciliations.

        :param str side: ``debit`` for invoices, ``credit`` for credit notes that stand alone
        """
        own, other = ("debit", "credit") if side == "debit" else ("credit", "debit")
        documents = {
            "debit": SQL("move.move_type IN ('out_invoice', 'out_receipt')"),
            "credit": SQL("move.move_type = 'out_refund' AND move.reversed_entry_id IS NULL"),
        }
        return SQL(
            """
            SELECT ('x' || substr(md5(partial.id || '-' || line.id), 1, 12))::bit(48)::bigint * 32 + %(code)s AS id,
                   'payment' AS kind, %(role)s AS role, %(head)s,
                   partial.max_date AS date, %(rate_date)s AS rate_date,
                   company.currency_id, -line.balance * %(share)s AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency * %(share)s AS document_amount,
                   move.invoice_currency_rate AS document_rate, line.quantity * %(share)s * %(sign)s AS quantity,
                   line.product_id, move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, %(origin_amount)s AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
              JOIN res_company company ON company.id = move.company_id
              JOIN account_move_line term ON term.move_id = move.id AND term.display_type = 'payment_term'
              JOIN account_partial_reconcile partial ON %(own_line)s = term.id
              JOIN account_move_line settling ON settling.id = %(other_line)s
              JOIN account_move settlement ON settlement.id = settling.move_id
         LEFT JOIN account_payment payment ON payment.id = settlement.origin_payment_id
             WHERE %(counts)s AND %(documents)s AND %(settles)s AND %(has_role)s
            """,
            code=BRANCH_CODES["payment", role],
            documents=documents[side],
            own_line=SQL.identifier("partial", f"{own}_move_id"),
            other_line=SQL.identifier("partial", f"{other}_move_id"),
            share=self._get_paid_share(SQL.identifier("partial", f"{own}_amount_currency")),
            settles=self._get_settlement_condition(),
            origin_amount=self._get_origin_amount(),
            **self._get_invoice_terms(role),
        )

    @api.model
    def _get_paid_back_query(self, role):
        """Lines of credit notes made from an invoice, in the share that goes beyond what the invoice leaves open."""
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, 'payment' AS kind, %(role)s AS role, %(head)s,
                   move.invoice_date AS date, %(rate_date)s AS rate_date,
                   company.currency_id, -line.balance * paid_back.share AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency * paid_back.share AS document_amount,
                   move.invoice_currency_rate AS document_rate, -line.quantity * paid_back.share AS quantity,
                   line.product_id, move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, %(origin_amount)s AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_move origin ON origin.id = move.reversed_entry_id
              JOIN res_company company ON company.id = move.company_id
        CROSS JOIN LATERAL (
                SELECT (move.amount_total - origin.amount_residual - COALESCE(SUM(partial.credit_amount_currency), 0))
                       / NULLIF(move.amount_total, 0) AS share
                  FROM account_move_line term
                  JOIN account_partial_reconcile partial ON partial.credit_move_id = term.id
                  JOIN account_move_line settled ON settled.id = partial.debit_move_id
                 WHERE term.move_id = move.id AND term.display_type = 'payment_term'
                   AND settled.move_id = origin.id
             ) paid_back
             WHERE %(counts)s AND move.move_type = 'out_refund' AND paid_back.share > 0 AND %(has_role)s
            """,
            code=BRANCH_CODES["payment", role] + 16,
            origin_amount=self._get_origin_amount(),
            **self._get_invoice_terms(role),
        )

    @api.model
    def _get_role_terms(self, role, buyer, referrer):
        """Return the partner column and the condition of a role.

        :param SQL buyer: column of the buyer's commercial partner
        :param SQL referrer: column of the partner who brought the sale
        :rtype: dict[str, SQL]
        """
        if role == "buyer":
            return {"role": SQL("'buyer'"), "partner": buyer, "has_role": SQL("%s IS NOT NULL", buyer)}
        return {"role": SQL("'referrer'"), "partner": referrer, "has_role": SQL("%s <> %s", referrer, buyer)}

    @api.model
    def _get_invoice_terms(self, role):
        """Return the parts that the branches over invoices share.

        :rtype: dict[str, SQL]
        """
        terms = self._get_role_terms(role, SQL("move.commercial_partner_id"), SQL("move.loyalty_partner_id"))
        head = SQL(
            """move.company_id, %s AS partner_id, move.commercial_partner_id AS customer_id,
               'account.move' AS origin_model, COALESCE(origin.reversed_entry_id, origin.id, move.id) AS origin_id,
               'account.move' AS document_model, move.id AS document_id, move.name AS document_name""",
            terms["partner"],
        )
        return {
            "role": terms["role"],
            "has_role": terms["has_role"],
            "head": head,
            "rate_date": SQL("COALESCE(origin.invoice_date, move.invoice_date)"),
            "sign": SQL("CASE WHEN move.move_type = 'out_refund' THEN -1 ELSE 1 END"),
            "counts": SQL(
                "move.state = 'posted' AND line.display_type = 'product'"
                " AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')"
            ),
        }

    @api.model
    def _get_paid_share(self, amount):
        """Return which part of a document a partial settles, without what a payment only wrote off."""
        return SQL(
            """(%s / NULLIF(move.amount_total, 0)
                * CASE WHEN payment.currency_id = settling.currency_id
                       THEN LEAST(1, payment.amount / NULLIF(abs(settling.amount_currency), 0)) ELSE 1 END)""",
            amount,
        )

    @api.model
    def _get_settlement_condition(self):
        """Return what settles a document as paid: money, or the document of another sale; no write-off."""
        return SQL(
            """(settlement.origin_payment_id IS NOT NULL OR settlement.statement_line_id IS NOT NULL
                OR (settlement.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                    AND settlement.reversed_entry_id IS DISTINCT FROM move.id))"""
        )

    @api.model
    def _get_origin_amount(self):
        """Return the untaxed amount of the origin in company currency, its posted credit notes deducted."""
        return SQL(
            """(SELECT SUM(part.amount_untaxed_signed)
                  FROM account_move part
                 WHERE part.state = 'posted'
                   AND (part.id = COALESCE(origin.id, move.id)
                        OR part.reversed_entry_id = COALESCE(origin.id, move.id)))"""
        )

    @api.model
    def _get_local_day(self, column):
        """Return the day of a UTC datetime column in the time zone of the context."""
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", column, self.env.context.get("tz") or "UTC")

    # === ACTION METHODS ===#

    def action_open_document(self):
        """Open the order, invoice or credit note behind this row."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.document_model,
            "res_id": self.document_id,
            "view_mode": "form",
        }
