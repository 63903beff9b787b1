from odoo import api, fields, models
from odoo.tools import SQL

from ..const import CONTRIBUTION_KINDS, CONTRIBUTION_ROLES, KIND_ROLES

# Keeps the ids of the branches apart.
BRANCH_CODES = {
    ("order", "buyer"): 1,
    ("order", "referrer"): 2,
    ("invoice", "buyer"): 3,
    ("invoice", "referrer"): 4,
    ("payment", "buyer"): 5,
    ("payment", "referrer"): 6,
    ("opportunity", "buyer"): 7,
    ("opportunity", "referrer"): 8,
    ("deal", "referrer"): 9,
    ("certificate", "member"): 10,
    ("bill", "supplier"): 11,
    ("new_customer", "referrer"): 12,
    ("repeat_order", "buyer"): 13,
    ("repeat_order", "referrer"): 14,
    ("referral", "referrer"): 15,
    ("anniversary", "member"): 16,
}

# Over a journal entry and the one that it reverses: the day whose terms apply, and the invoice that both belong to.
RATE_DATE = SQL("COALESCE(origin.invoice_date, move.invoice_date)")
ORIGIN_ID = SQL("COALESCE(origin.reversed_entry_id, origin.id, move.id)")
# The origin of a document that reverses no other one.
NO_ORIGIN = SQL(
    """(SELECT NULL::integer AS id, NULL::date AS invoice_date, NULL::integer AS reversed_entry_id,
               NULL::integer AS loyalty_payout_id)"""
)
# Lines without products that the untaxed amount of a document has in it, see ``account.move._compute_amount``; a tax
# can be rounded as well, which is in no untaxed amount.
OTHER_LINES = ("rounding", "non_deductible_product", "non_deductible_product_total")
IS_TAX = SQL("(line.display_type = 'rounding' AND line.tax_repartition_line_id IS NOT NULL)")
# What a branch has where it adds nothing of its own.
REFERRER = SQL("move.loyalty_partner_id")
ALL = SQL("TRUE")
NONE = SQL()


class PartnerLoyaltyContribution(models.Model):
    """What partners did that can count: one row for each document line and role, read from the documents.

    A kind is one method ``_get_contribution_query_<kind>(role)`` that returns a ``SELECT`` with the columns of
    the other branches, in their order; a module adds a kind by adding it to the selections,
    :meth:`_get_branch_codes` and :meth:`_get_kind_roles`.
    Each branch reads its base tables without any grouping, so that a filter on documents, partner or date reaches
    their indexes. Beside the fields a branch has three columns that only the engine reads: ``moment`` (the raw
    UTC datetime behind ``date``, where there is one, for range filters), ``origin_amount`` (untaxed net amount of the
    origin, where ``amount`` is only a part of it) and ``line_id``.

    Dates are local to the time zone in the context (``tz``); the engine puts the program's there.
    """

    _name = "partner.loyalty.contribution"
    _description = "Performance"
    _inherit = ["partner.loyalty.document.mixin"]
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "document_name"
    _document_fields = ("document_model", "document_id")

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
            "loyalty_payout_id",
            "move_type",
            "name",
            "reversed_entry_id",
            "state",
            "team_id",
        ],
        "account.move.line": [
            "amount_currency",
            "balance",
            "company_currency_id",
            "display_type",
            "move_id",
            "price_subtotal",
            "product_id",
            "quantity",
            "tax_repartition_line_id",
        ],
        "account.partial.reconcile": [
            "credit_amount_currency",
            "credit_move_id",
            "debit_amount_currency",
            "debit_move_id",
            "max_date",
        ],
        "crm.lead": [
            "campaign_id",
            "company_id",
            "date_closed",
            "expected_revenue",
            "loyalty_buyer_id",
            "loyalty_partner_id",
            "name",
            "team_id",
            "user_id",
            "won_status",
        ],
        "crm.team": ["company_id"],
        "partner.loyalty.deal": [
            "company_id",
            "customer_company_id",
            "decided_at",
            "expected_amount",
            "name",
            "partner_id",
            "state",
        ],
        "partner.loyalty.member": [
            "company_id",
            "date_from",
            "merged_into_id",
            "partner_id",
            "program_id",
            "referrer_id",
        ],
        "partner.loyalty.program": ["company_id"],
        "res.partner": ["complete_name"],
        "sale.order": [
            "campaign_id",
            "company_id",
            "currency_id",
            "currency_rate",
            "date_order",
            "loyalty_buyer_id",
            "loyalty_claim_id",
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
        "survey.survey": ["certification", "title"],
        "survey.user_input": [
            "end_datetime",
            "loyalty_holder_id",
            "scoring_success",
            "state",
            "survey_id",
            "test_entry",
        ],
    }

    # === TABLE QUERY ===#

    @property
    def _table_query(self):
        if reading := self.env.context.get("loyalty_reading"):
            # The engine has read the documents already, in the same statement.
            return SQL("SELECT * FROM %s", SQL.identifier(reading))
        return SQL(" UNION ALL ").join(self._get_branches())

    @api.model
    def _get_branches(self):
        """Return the ``SELECT`` of each kind and role, or only of the one in the context (``loyalty_branch``).

        PostgreSQL drops branches of other kinds by itself, but only after it has planned the joins of all of them,
        which takes far longer than to answer a document.

        :rtype: list[SQL]
        """
        branches = list(self._get_branch_codes())
        only = self.env.context.get("loyalty_branch")
        return [
            getattr(self, f"_get_contribution_query_{kind}")(role)
            for kind, role in ([only] if only in branches else branches)
        ]

    @api.model
    def _get_branch_codes(self):
        """Return the number of each kind and role, which keeps the ids of branches apart.

        A module that adds a kind adds its own, from 20 to 31.

        :rtype: dict[tuple, int]
        """
        return BRANCH_CODES

    @api.model
    def _get_kind_roles(self):
        """Return of whom each kind can speak; a module that adds a kind adds it here as well.

        :rtype: dict[str, tuple]
        """
        return KIND_ROLES

    @api.model
    def _get_contribution_query_order(self, role):
        """Lines of confirmed orders, dated by the order; down payment lines repeat what other lines say."""
        return self._get_order_query("order", role)

    @api.model
    def _get_contribution_query_repeat_order(self, role):
        """Lines of confirmed orders of customers who have ordered before."""
        earlier = SQL(
            """EXISTS (SELECT 1 FROM sale_order earlier
                        WHERE earlier.loyalty_buyer_id = sale.loyalty_buyer_id AND earlier.company_id = sale.company_id
                          AND earlier.state = 'sale' AND earlier.loyalty_claim_id IS NULL
                          AND (earlier.date_order, earlier.id) < (sale.date_order, sale.id))"""
        )
        return self._get_order_query("repeat_order", role, earlier)

    @api.model
    def _get_order_query(self, kind, role, condition=ALL):
        """Return the lines of confirmed orders that meet a condition.

        :param str kind: kind of the branch
        :param str role: role of the branch
        :param SQL condition: on ``sale``, the order
        :rtype: SQL
        """
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, %(kind)s AS kind, %(role)s AS role,
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
             WHERE sale.state = 'sale' AND sale.loyalty_claim_id IS NULL AND line.display_type IS NULL
               AND line.is_downpayment IS NOT TRUE AND %(product_counts)s AND %(has_role)s AND %(condition)s
            """,
            code=BRANCH_CODES[kind, role],
            kind=kind,
            product_counts=self._get_product_condition(SQL("line.product_id")),
            condition=condition,
            day=self._get_local_day(SQL("sale.date_order")),
            **self._get_role_terms(role, SQL("sale.loyalty_buyer_id"), SQL("sale.loyalty_partner_id")),
        )

    @api.model
    def _get_contribution_query_invoice(self, role):
        """Product lines of posted customer invoices and credit notes, with the sign of the sale.

        Whoever adds amounts up and asks for nothing that only a line knows can have them by document
        (``loyalty_by_document`` in the context), which is a tenth of the rows.
        """
        if self.env.context.get("loyalty_by_document"):
            return self._get_invoice_total_query(role)
        return self._get_invoice_query("invoice", role)

    @api.model
    def _get_contribution_query_new_customer(self, role):
        """The first invoice ever of a customer, and what credits it, for the partner who brought the customer."""
        return self._get_invoice_query("new_customer", role, condition=self._get_first_condition())

    @api.model
    def _get_contribution_query_referral(self, role):
        """The first invoice of a member since it joined, and what credits it, for the member who brought it.

        Which program is meant is in the context (``loyalty_program_id``); all of them without it.
        """
        program_id = self.env.context.get("loyalty_program_id")
        joins = SQL(
            """JOIN partner_loyalty_member referred
                 ON referred.partner_id = move.commercial_partner_id AND referred.company_id = move.company_id
                AND referred.merged_into_id IS NULL AND %s
               JOIN partner_loyalty_member sponsor ON sponsor.id = referred.referrer_id""",
            SQL("referred.program_id = %s", program_id) if program_id else SQL("TRUE"),
        )
        since = SQL("referred.date_from")
        condition = SQL("%s >= %s AND %s", RATE_DATE, since, self._get_first_condition(since))
        return self._get_invoice_query("referral", role, SQL("sponsor.partner_id"), joins, condition)

    @api.model
    def _get_invoice_query(self, kind, role, referrer=REFERRER, joins=NONE, condition=ALL):
        """Return the product lines of posted customer invoices and credit notes that meet a condition.

        :param str kind: kind of the branch
        :param str role: role of the branch
        :param SQL referrer: column of the partner who is rewarded for it
        :param SQL joins: further tables
        :param SQL condition: on ``move``, the document, and ``origin``, the invoice it credits
        :rtype: SQL
        """
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, %(kind)s AS kind, %(role)s AS role, %(head)s,
                   move.invoice_date AS date, %(rate_date)s AS rate_date,
                   line.company_currency_id AS currency_id, -line.balance AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency AS document_amount,
                   move.invoice_currency_rate AS document_rate, line.quantity * %(sign)s AS quantity, line.product_id,
                   move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
                   %(joins)s
             WHERE %(counts)s AND %(has_role)s AND %(condition)s
            """,
            code=BRANCH_CODES[kind, role],
            kind=kind,
            joins=joins,
            condition=condition,
            **self._get_invoice_terms(role, referrer=referrer),
        )

    @api.model
    def _get_invoice_total_query(self, role):
        """Return what posted customer invoices and credit notes come to, which is what their product lines add up to.

        A row for each document, with the untaxed amount that it has stored, and one for each line that is in that
        amount and counts for nothing, which takes it off again.

        :param str role: role of the branch
        :rtype: SQL
        """
        stands_alone = SQL("account_move move, %s origin", NO_ORIGIN)
        reverses = SQL("account_move move JOIN account_move origin ON origin.id = move.reversed_entry_id")
        amount, is_alone = SQL("move.amount_untaxed_signed"), SQL("move.reversed_entry_id IS NULL")
        rows = [
            # Hardly any reverses another one: apart, the others need not be looked up for it.
            self._get_invoice_total_rows(role, amount, stands_alone, is_alone),
            self._get_invoice_total_rows(role, amount, reverses, ALL),
            self._get_uncounted_line_rows(role, SQL("line.display_type IN %s AND NOT %s", OTHER_LINES, IS_TAX)),
        ]
        if uncounted := self._get_uncounted_products():
            condition = SQL("line.display_type = 'product' AND line.product_id IN %s", uncounted)
            rows.append(self._get_uncounted_line_rows(role, condition))
        return SQL(" UNION ALL ").join(rows)

    @api.model
    def _get_uncounted_line_rows(self, role, condition):
        """Return what takes lines that count for nothing off the amount of their document.

        :param str role: role of the branch
        :param SQL condition: on ``line``
        :rtype: SQL
        """
        lines = SQL(
            """account_move_line line JOIN account_move move ON move.id = line.move_id
               LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id"""
        )
        return self._get_invoice_total_rows(role, SQL("line.balance"), lines, condition)

    @api.model
    def _get_invoice_total_rows(self, role, amount, source, condition):
        """Return the columns of the other branches without those that only a line has.

        :param str role: role of the branch
        :param SQL amount: column with what counts
        :param SQL source: the table ``move``, and ``origin``, the one that it reverses
        :param SQL condition: on these
        :rtype: SQL
        """
        return SQL(
            """
            SELECT move.id::bigint * 32 + %(code)s AS id, 'invoice' AS kind, %(role)s AS role, %(head)s,
                   move.invoice_date AS date, %(rate_date)s AS rate_date,
                   NULL::integer AS currency_id, %(amount)s AS amount,
                   move.currency_id AS document_currency_id, NULL::numeric AS document_amount,
                   move.invoice_currency_rate AS document_rate, NULL::numeric AS quantity, NULL::integer AS product_id,
                   move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM %(source)s
             WHERE %(is_sale)s AND %(has_role)s AND %(condition)s
            """,
            code=BRANCH_CODES["invoice", role],
            amount=amount,
            source=source,
            condition=condition,
            **self._get_invoice_terms(role),
        )

    @api.model
    def _get_first_condition(self, since=None):
        """Return whether the origin of a document is the first invoice of its customer.

        :param SQL since: looks at invoices of this day and later; at all by default
        :rtype: SQL
        """
        return SQL(
            """(move.move_type <> 'out_refund' OR origin.id IS NOT NULL)
               AND NOT EXISTS (
                   SELECT 1 FROM account_move earlier
                    WHERE earlier.commercial_partner_id = move.commercial_partner_id
                      AND earlier.company_id = move.company_id AND earlier.state = 'posted'
                      AND earlier.move_type IN ('out_invoice', 'out_receipt') AND earlier.reversed_entry_id IS NULL
                      AND (earlier.invoice_date, earlier.id) < (%(day)s, %(id)s) AND %(since)s)""",
            day=RATE_DATE,
            id=ORIGIN_ID,
            since=SQL("earlier.invoice_date >= %s", since) if since else SQL("TRUE"),
        )

    @api.model
    def _get_contribution_query_anniversary(self, role):
        """Each year that a membership has lasted, dated by the anniversary of its first day."""
        return SQL(
            """
            SELECT (member.id::bigint * 128 + years.number) * 32 + %(code)s AS id,
                   'anniversary' AS kind, %(role)s AS role,
                   member.company_id, %(partner)s AS partner_id, NULL::integer AS customer_id,
                   'partner.loyalty.member' AS origin_model, member.id AS origin_id,
                   'partner.loyalty.member' AS document_model, member.id AS document_id,
                   holder.complete_name AS document_name, %(day)s AS date, %(day)s AS rate_date,
                   company.currency_id, 0::numeric AS amount,
                   company.currency_id AS document_currency_id, 0::numeric AS document_amount,
                   1::numeric AS document_rate, 1::numeric AS quantity, NULL::integer AS product_id,
                   NULL::integer AS user_id, NULL::integer AS team_id, NULL::integer AS campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM partner_loyalty_member member
              JOIN res_partner holder ON holder.id = member.partner_id
              JOIN res_company company ON company.id = member.company_id
        CROSS JOIN generate_series(1, 127) AS years(number)
             WHERE years.number <= date_part('year', age(%(today)s::date, member.date_from))
               AND %(has_role)s AND %(own)s
            """,
            code=BRANCH_CODES["anniversary", role],
            day=SQL("(member.date_from + make_interval(years => years.number))::date"),
            today=fields.Date.context_today(self),
            own=SQL("member.program_id = %s", self.env.context["loyalty_program_id"])
            if self.env.context.get("loyalty_program_id")
            else SQL("TRUE"),
            **self._get_role_terms(role, SQL("member.partner_id")),
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
                   line.company_currency_id AS currency_id, -line.balance * %(share)s AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency * %(share)s AS document_amount,
                   move.invoice_currency_rate AS document_rate, line.quantity * %(share)s * %(sign)s AS quantity,
                   line.product_id, move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, %(origin_amount)s AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
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
                   line.company_currency_id AS currency_id, -line.balance * paid_back.share AS amount,
                   move.currency_id AS document_currency_id, -line.amount_currency * paid_back.share AS document_amount,
                   move.invoice_currency_rate AS document_rate, -line.quantity * paid_back.share AS quantity,
                   line.product_id, move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, %(origin_amount)s AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_move origin ON origin.id = move.reversed_entry_id
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
    def _get_contribution_query_opportunity(self, role):
        """Won opportunities, dated by when they were closed; one without a company belongs to that of its team.

        The customer of an opportunity need not be a contact yet: whoever brought it counts all the same.
        """
        return SQL(
            """
            SELECT lead.id::bigint * 32 + %(code)s AS id, 'opportunity' AS kind, %(role)s AS role,
                   company.id AS company_id, %(partner)s AS partner_id, lead.loyalty_buyer_id AS customer_id,
                   'crm.lead' AS origin_model, lead.id AS origin_id,
                   'crm.lead' AS document_model, lead.id AS document_id, lead.name AS document_name,
                   %(day)s AS date, %(day)s AS rate_date,
                   company.currency_id, lead.expected_revenue AS amount,
                   company.currency_id AS document_currency_id, lead.expected_revenue AS document_amount,
                   1::numeric AS document_rate, 1::numeric AS quantity, NULL::integer AS product_id,
                   lead.user_id, lead.team_id, lead.campaign_id,
                   lead.date_closed AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM crm_lead lead
         LEFT JOIN crm_team team ON team.id = lead.team_id
              JOIN res_company company ON company.id = COALESCE(lead.company_id, team.company_id)
             WHERE lead.won_status = 'won' AND %(has_role)s
            """,
            code=BRANCH_CODES["opportunity", role],
            day=self._get_local_day(SQL("lead.date_closed")),
            **self._get_role_terms(role, SQL("lead.loyalty_buyer_id"), SQL("lead.loyalty_partner_id"), is_early=True),
        )

    @api.model
    def _get_contribution_query_deal(self, role):
        """Approved deals, dated by their approval."""
        return SQL(
            """
            SELECT deal.id::bigint * 32 + %(code)s AS id, 'deal' AS kind, %(role)s AS role,
                   deal.company_id, %(partner)s AS partner_id, deal.customer_company_id AS customer_id,
                   'partner.loyalty.deal' AS origin_model, deal.id AS origin_id,
                   'partner.loyalty.deal' AS document_model, deal.id AS document_id, deal.name AS document_name,
                   %(day)s AS date, %(day)s AS rate_date,
                   company.currency_id, deal.expected_amount AS amount,
                   company.currency_id AS document_currency_id, deal.expected_amount AS document_amount,
                   1::numeric AS document_rate, 1::numeric AS quantity, NULL::integer AS product_id,
                   NULL::integer AS user_id, NULL::integer AS team_id, NULL::integer AS campaign_id,
                   deal.decided_at AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM partner_loyalty_deal deal
              JOIN res_company company ON company.id = deal.company_id
             WHERE deal.state = 'approved' AND %(has_role)s
            """,
            code=BRANCH_CODES["deal", role],
            day=self._get_local_day(SQL("deal.decided_at")),
            **self._get_role_terms(role, SQL("deal.customer_company_id"), SQL("deal.partner_id"), is_early=True),
        )

    @api.model
    def _get_contribution_query_certificate(self, role):
        """Passed certifications, dated by when they were completed; they count in each company that has a program.

        Surveys belong to no company, so a row has the company in its id as well.
        """
        return SQL(
            """
            SELECT ((company.id::bigint << 32) + answer.id) * 32 + %(code)s AS id,
                   'certificate' AS kind, %(role)s AS role,
                   company.id AS company_id, %(partner)s AS partner_id, NULL::integer AS customer_id,
                   'survey.user_input' AS origin_model, answer.id AS origin_id,
                   'survey.user_input' AS document_model, answer.id AS document_id, %(title)s AS document_name,
                   %(day)s AS date, %(day)s AS rate_date,
                   company.currency_id, 0::numeric AS amount,
                   company.currency_id AS document_currency_id, 0::numeric AS document_amount,
                   1::numeric AS document_rate, 1::numeric AS quantity, NULL::integer AS product_id,
                   NULL::integer AS user_id, NULL::integer AS team_id, NULL::integer AS campaign_id,
                   answer.end_datetime AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM survey_user_input answer
              JOIN survey_survey survey ON survey.id = answer.survey_id
        CROSS JOIN (SELECT DISTINCT company_id FROM partner_loyalty_program) own
              JOIN res_company company ON company.id = own.company_id
             WHERE answer.state = 'done' AND answer.scoring_success AND answer.test_entry IS NOT TRUE
               AND survey.certification AND %(has_role)s
            """,
            code=BRANCH_CODES["certificate", role],
            day=self._get_local_day(SQL("answer.end_datetime")),
            title=SQL("COALESCE(survey.title->>%s, survey.title->>'en_US')::varchar", self.env.lang or "en_US"),
            **self._get_role_terms(role, SQL("answer.loyalty_holder_id")),
        )

    @api.model
    def _get_contribution_query_bill(self, role):
        """Product lines of posted vendor bills and their credit notes: what was bought from a manufacturer.

        The bill of a payout is what a partner was paid for, so neither it nor what reverses it counts.
        """
        return SQL(
            """
            SELECT line.id::bigint * 32 + %(code)s AS id, 'bill' AS kind, %(role)s AS role, %(head)s,
                   move.invoice_date AS date, %(rate_date)s AS rate_date,
                   line.company_currency_id AS currency_id, line.balance AS amount,
                   move.currency_id AS document_currency_id, line.amount_currency AS document_amount,
                   move.invoice_currency_rate AS document_rate, line.quantity * %(sign)s AS quantity, line.product_id,
                   move.invoice_user_id AS user_id, move.team_id, move.campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, line.id AS line_id
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
         LEFT JOIN account_move first ON first.id = origin.reversed_entry_id
             WHERE %(counts)s AND %(has_role)s AND first.loyalty_payout_id IS NULL
            """,
            code=BRANCH_CODES["bill", role],
            **self._get_invoice_terms(role, ("in_invoice", "in_refund", "in_receipt")),
        )

    @api.model
    def _get_role_terms(self, role, own, referrer=None, is_early=False):
        """Return the partner column and the condition of a role.

        :param SQL own: column of the commercial partner that the document is with: buyer, supplier, or the member
        :param SQL referrer: column of the partner who brought the sale, where somebody can
        :param bool is_early: whether the buyer need not be a contact yet; then it is another one than the referrer
        :rtype: dict[str, SQL]
        """
        if role != "referrer":
            return {"role": SQL("%s", role), "partner": own, "has_role": SQL("%s IS NOT NULL", own)}
        buyer = SQL("COALESCE(%s, 0)", own) if is_early else own
        return {"role": SQL("%s", role), "partner": referrer, "has_role": SQL("%s <> %s", referrer, buyer)}

    @api.model
    def _get_invoice_terms(
        self,
        role,
        move_types=("out_invoice", "out_refund", "out_receipt"),
        referrer=REFERRER,
    ):
        """Return the parts that the branches over invoices and bills share.

        :param tuple move_types: types of the journal entries that count
        :param SQL referrer: column of the partner who brought the sale
        :rtype: dict[str, SQL]
        """
        terms = self._get_role_terms(role, SQL("move.commercial_partner_id"), referrer)
        head = SQL(
            """move.company_id, %s AS partner_id, move.commercial_partner_id AS customer_id,
               'account.move' AS origin_model, %s AS origin_id,
               'account.move' AS document_model, move.id AS document_id, move.name AS document_name""",
            terms["partner"],
            ORIGIN_ID,
        )
        is_sale = SQL(
            """move.state = 'posted' AND move.move_type IN %s
               AND move.loyalty_payout_id IS NULL AND origin.loyalty_payout_id IS NULL""",
            move_types,
        )
        return {
            "role": terms["role"],
            "has_role": terms["has_role"],
            "head": head,
            "rate_date": RATE_DATE,
            "sign": SQL("CASE WHEN move.move_type IN ('out_refund', 'in_refund') THEN -1 ELSE 1 END"),
            "is_sale": is_sale,
            "counts": SQL(
                "%s AND line.display_type = 'product' AND %s",
                is_sale,
                self._get_product_condition(SQL("line.product_id")),
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
        """Return what counts of the origin in company currency, its posted credit notes deducted."""
        uncounted = self._get_uncounted_products()
        amount = SQL("part.amount_untaxed_signed")
        if uncounted:
            amount = SQL(
                """part.amount_untaxed_signed + COALESCE((
                       SELECT SUM(other.balance) FROM account_move_line other
                        WHERE other.move_id = part.id AND other.display_type = 'product'
                          AND other.product_id IN %s), 0)""",
                uncounted,
            )
        return SQL(
            """(SELECT SUM(%s)
                  FROM account_move part
                 WHERE part.state = 'posted'
                   AND (part.id = COALESCE(origin.id, move.id)
                        OR part.reversed_entry_id = COALESCE(origin.id, move.id)))""",
            amount,
        )

    @api.model
    def _get_uncounted_products(self):
        """Return the products whose lines never count, as a subquery in parentheses; None where there are none.

        A module adds those that are no sale of goods, such as the delivery of an order.

        :rtype: SQL or None
        """
        return None

    @api.model
    def _get_product_condition(self, product):
        """Return whether a line counts by its product.

        :param SQL product: column of the product
        :rtype: SQL
        """
        uncounted = self._get_uncounted_products()
        return SQL("COALESCE(%s, 0) <> ALL(ARRAY%s)", product, uncounted) if uncounted else ALL

    @api.model
    def _get_local_day(self, column):
        """Return the day of a UTC datetime column in the time zone of the context."""
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", column, self.env.context.get("tz") or "UTC")

    # === GETTERS ===#

    @api.model
    def _get_role_labels(self, kind, role):
        """Return what a message says about a role that a kind does not have: both, and the roles that it has.

        :rtype: dict[str, str]
        """
        labels = {name: dict(self._fields[name]._description_selection(self.env)) for name in ("kind", "role")}
        return {
            "kind": labels["kind"][kind],
            "role": labels["role"][role],
            "roles": ", ".join(f"“{labels['role'][possible]}”" for possible in self._get_kind_roles()[kind]),
        }
