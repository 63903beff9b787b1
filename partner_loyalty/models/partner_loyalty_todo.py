from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# What was promised by a day, by the model that knows it.
PROMISED = {
    "partner.loyalty.claim": ("claim_fulfill",),
    "partner.loyalty.inquiry": ("inquiry_answer", "inquiry_decide"),
}


class PartnerLoyaltyTodo(models.Model):
    """What waits for somebody, from every model that has something to do; each branch is one kind of work.

    A branch selects ``id, kind, res_model, res_id, program_id, company_id, partner_id, user_id, amount, date,
    for_manager``; ``for_manager`` says whether it takes a manager, and ``id`` is 32 times that of a record, plus a
    number of the branch. A module adds work by extending :meth:`_get_branches` and the selection.
    """

    _name = "partner.loyalty.todo"
    _description = "Loyalty To-do"
    _auto = False
    _order = "date, id"
    _rec_name = "kind"

    # === FIELDS ===#

    kind = fields.Selection(
        selection=[
            ("payout_submit", "Submit payout"),
            ("payout_approve", "Approve payout"),
            ("payout_release", "Decide on payout on hold"),
            ("payout_bill", "Bill payout"),
            ("payout_prepare", "Prepare payouts"),
            ("adjustment_request", "Request adjustment"),
            ("adjustment_approve", "Approve adjustment"),
            ("deal_submit", "Submit deal"),
            ("deal_approve", "Approve deal"),
            ("deal_price", "Decide on special price"),
            ("stack_approve", "Approve terms of quotation"),
            ("attribution_approve", "Approve attribution change"),
            ("tier_review", "Review tiers"),
            ("tier_publish", "Publish tiers"),
            ("difference", "Confirm difference"),
            ("rule_error", "Mend rule"),
            ("bonus_error", "Mend bonus action"),
            ("message_error", "Send messages again"),
            ("check_error", "Look into the ledger"),
            ("pilot_decide", "Decide on pilot"),
            ("claim_request", "Request reward"),
            ("claim_approve", "Approve reward"),
            ("claim_fulfill", "Fulfill reward"),
            ("inquiry_answer", "Answer question"),
            ("inquiry_decide", "Decide on dispute"),
            ("external_order", "Help with order from elsewhere"),
            ("feedback_answer", "Answer feedback"),
            ("topic_publish", "Publish discussion"),
            ("application", "Decide on application"),
        ],
        string="Task",
        readonly=True,
    )
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(string="Record ID", model_field="res_model", readonly=True, aggregator=None)
    record_name = fields.Char(string="Record", compute="_compute_record_name")
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(comodel_name="res.partner", readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users", string="Asked by", readonly=True, help="Who has done the step before this one."
    )
    amount = fields.Monetary(readonly=True)
    date = fields.Date(string="Waiting since", readonly=True)
    for_manager = fields.Boolean(readonly=True, help="Only a manager can do this.")
    date_deadline = fields.Date(string="Deadline", compute="_compute_date_deadline")
    is_overdue = fields.Boolean(string="Overdue", compute="_compute_date_deadline", search="_search_is_overdue")

    _depends = {
        "partner.loyalty.payout": [
            "amount",
            "create_date",
            "decided_at",
            "decided_by_id",
            "decision",
            "first_approved_at",
            "first_approved_by_id",
            "is_bill_pending",
            "prepared_by_id",
            "submitted_at",
            "submitted_by_id",
        ],
        "partner.loyalty.program": ["active", "date_from", "payout_prepared_until", "payout_schedule", "state", "tz"],
        "partner.loyalty.adjustment": [
            "amount",
            "create_date",
            "create_uid",
            "member_id",
            "requested_at",
            "requested_by_id",
            "state",
            "unit",
        ],
        "partner.loyalty.deal": [
            "create_date",
            "create_uid",
            "expected_amount",
            "member_id",
            "price_state",
            "state",
            "submitted_at",
            "submitted_by_id",
            "write_date",
        ],
        "sale.order": [
            "amount_untaxed",
            "company_id",
            "loyalty_stack_amount",
            "loyalty_stack_approved_by_id",
            "loyalty_stack_asked_by_id",
            "partner_id",
            "state",
            "write_date",
        ],
        "partner.loyalty.message": ["company_id", "program_id", "state", "write_date"],
        "partner.loyalty.check": ["date", "program_id", "state"],
        "partner.loyalty.pilot": ["company_id", "date_to", "program_id", "state"],
        "partner.loyalty.attribution": ["partner_id", "state", "submitted_at", "submitted_by_id", "target_partner_id"],
        "partner.loyalty.application": ["company_id", "create_date", "partner_id", "program_id", "state"],
        "partner.loyalty.external.order": [
            "company_id",
            "create_date",
            "order_id",
            "partner_id",
            "payload",
            "state",
            "user_id",
        ],
        "partner.loyalty.difference": ["amount", "create_date", "state"],
        "partner.loyalty.rule": ["error", "write_date"],
        "partner.loyalty.bonus.action": ["checked_at", "error", "program_id", "state"],
        "partner.loyalty.tier.review": ["create_date", "program_id", "reviewed_at", "reviewed_by_id", "state"],
        "partner.loyalty.feedback": ["company_id", "date", "partner_id", "program_id", "state"],
        "partner.loyalty.topic": ["company_id", "last_post_date", "partner_id", "program_id", "state"],
        "partner.loyalty.inquiry": [
            "adjustment_id",
            "asked_at",
            "company_id",
            "kind",
            "partner_id",
            "program_id",
            "state",
        ],
        "partner.loyalty.claim": [
            "company_id",
            "create_date",
            "create_uid",
            "decided_at",
            "decided_by_id",
            "partner_id",
            "program_id",
            "requested_at",
            "requested_by_id",
            "source",
            "state",
        ],
    }

    # === TABLE QUERY ===#

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(self._get_branches())

    @api.model
    def _get_branches(self):
        """Return the ``SELECT`` of each kind of work.

        :rtype: list[SQL]
        """
        return [
            self._get_payout_query(),
            self._get_payout_due_query(),
            self._get_adjustment_query(),
            self._get_deal_query(),
            self._get_deal_price_query(),
            self._get_stack_query(),
            self._get_attribution_query(),
            self._get_difference_query(),
            self._get_rule_query(),
            self._get_bonus_query(),
            self._get_message_query(),
            self._get_check_query(),
            self._get_pilot_query(),
            self._get_tier_review_query(),
            self._get_claim_query(),
            self._get_inquiry_query(),
            self._get_external_order_query(),
            self._get_feedback_query(),
            self._get_topic_query(),
            self._get_application_query(),
        ]

    @api.model
    def _get_payout_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 AS id,
                   CASE decision WHEN 'draft' THEN 'payout_submit' WHEN 'held' THEN 'payout_release'
                                 WHEN 'approved' THEN 'payout_bill' ELSE 'payout_approve' END AS kind,
                   'partner.loyalty.payout' AS res_model, id AS res_id, program_id, company_id, partner_id,
                   COALESCE(decided_by_id, first_approved_by_id, submitted_by_id, prepared_by_id) AS user_id, amount,
                   COALESCE(decided_at, first_approved_at, submitted_at, create_date)::date AS date,
                   decision IN ('submitted', 'second', 'held') AS for_manager
              FROM partner_loyalty_payout
             WHERE decision IN ('draft', 'submitted', 'second', 'held') OR is_bill_pending
            """
        )

    @api.model
    def _get_payout_due_query(self):
        """Programs with a schedule, a period of which has ended without that its payouts were prepared."""
        return SQL(
            """
            SELECT program.id::bigint * 32 + 9, 'payout_prepare', 'partner.loyalty.program', program.id, program.id,
                   program.company_id, NULL::integer, NULL::integer, NULL::numeric, due.day + 1, FALSE
              FROM partner_loyalty_program program
        CROSS JOIN LATERAL (
                SELECT (date_trunc(CASE payout_schedule WHEN 'quarter' THEN 'quarter' ELSE 'month' END,
                                   %s::timestamp AT TIME ZONE 'UTC' AT TIME ZONE tz) - interval '1 day')::date AS day
             ) due
             WHERE program.state = 'running' AND program.active AND program.payout_schedule <> 'request'
               AND due.day >= program.date_from AND COALESCE(program.payout_prepared_until < due.day, TRUE)
            """,
            fields.Datetime.now(),
        )

    @api.model
    def _get_adjustment_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 3,
                   CASE state WHEN 'draft' THEN 'adjustment_request' ELSE 'adjustment_approve' END,
                   'partner.loyalty.adjustment', id, program_id, company_id, partner_id,
                   COALESCE(requested_by_id, create_uid), CASE unit WHEN 'money' THEN amount END,
                   COALESCE(requested_at, create_date)::date, state = 'requested'
              FROM partner_loyalty_adjustment WHERE state IN ('draft', 'requested')
            """
        )

    @api.model
    def _get_deal_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 4,
                   CASE state WHEN 'draft' THEN 'deal_submit' ELSE 'deal_approve' END,
                   'partner.loyalty.deal', id, program_id, company_id, partner_id,
                   COALESCE(submitted_by_id, create_uid), expected_amount,
                   COALESCE(submitted_at, create_date)::date, state = 'submitted'
              FROM partner_loyalty_deal WHERE state IN ('draft', 'submitted')
            """
        )

    @api.model
    def _get_deal_price_query(self):
        """Special prices can be written on a quotation once the deal is approved."""
        return SQL(
            """
            SELECT id::bigint * 32 + 15, 'deal_price', 'partner.loyalty.deal', id, program_id, company_id, partner_id,
                   submitted_by_id, expected_amount, write_date::date, FALSE
              FROM partner_loyalty_deal WHERE state = 'approved' AND price_state = 'requested'
            """
        )

    @api.model
    def _get_stack_query(self):
        """Quotations whose terms a manager was asked to approve, and has not approved as they are now."""
        return SQL(
            """
            SELECT quotation.id::bigint * 32 + 16, 'stack_approve', 'sale.order', quotation.id, NULL::integer,
                   quotation.company_id, partner.commercial_partner_id, quotation.loyalty_stack_asked_by_id,
                   NULL::numeric, quotation.write_date::date, TRUE
              FROM sale_order quotation
              JOIN res_partner partner ON partner.id = quotation.partner_id
             WHERE quotation.loyalty_stack_asked_by_id IS NOT NULL AND quotation.state IN ('draft', 'sent')
               AND (quotation.loyalty_stack_approved_by_id IS NULL
                    OR quotation.loyalty_stack_amount IS DISTINCT FROM quotation.amount_untaxed)
            """
        )

    @api.model
    def _get_attribution_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 5, 'attribution_approve', 'partner.loyalty.attribution', id, NULL::integer,
                   company_id, COALESCE(target_partner_id, partner_id), submitted_by_id, NULL::numeric,
                   submitted_at::date, TRUE
              FROM partner_loyalty_attribution WHERE state = 'submitted'
            """
        )

    @api.model
    def _get_difference_query(self):
        return SQL(
            """
            SELECT difference.id::bigint * 32 + 1, 'difference', 'partner.loyalty.difference', difference.id,
                   difference.program_id, difference.company_id, member.partner_id, NULL::integer,
                   CASE account.unit WHEN 'money' THEN difference.amount END,
                   difference.create_date::date, TRUE
              FROM partner_loyalty_difference difference
              JOIN partner_loyalty_account account ON account.id = difference.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE difference.state = 'open'
            """
        )

    @api.model
    def _get_rule_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 2, 'rule_error', 'partner.loyalty.rule', id, program_id, company_id, NULL::integer,
                   NULL::integer, NULL::numeric, write_date::date, TRUE
              FROM partner_loyalty_rule WHERE error IS NOT NULL
            """
        )

    @api.model
    def _get_bonus_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 7, 'bonus_error', 'partner.loyalty.bonus.action', id, program_id, company_id,
                   NULL::integer, NULL::integer, NULL::numeric, checked_at::date, TRUE
              FROM partner_loyalty_bonus_action WHERE error IS NOT NULL AND state <> 'stopped'
            """
        )

    @api.model
    def _get_message_query(self):
        """One for each program: where the mail server is down, all of its messages fail."""
        return SQL(
            """
            SELECT program_id::bigint * 32 + 17, 'message_error', 'partner.loyalty.program', program_id, program_id,
                   MIN(company_id), NULL::integer, NULL::integer, NULL::numeric, MIN(write_date)::date, FALSE
              FROM partner_loyalty_message WHERE state = 'failed' GROUP BY program_id
            """
        )

    @api.model
    def _get_check_query(self):
        """The last check of the ledger, where it found something: of one program, or of all in each company."""
        return SQL(
            """
            SELECT company_id::bigint * 32 + 18, 'check_error', 'partner.loyalty.check', id, program_id, company_id,
                   NULL::integer, NULL::integer, NULL::numeric, date::date, TRUE
              FROM (SELECT DISTINCT ON (program.company_id) program.company_id, report.program_id, report.id,
                           report.date, report.state
                      FROM partner_loyalty_program program
                      JOIN partner_loyalty_check report ON COALESCE(report.program_id, program.id) = program.id
                  ORDER BY program.company_id, report.id DESC) last_check
             WHERE state = 'failed'
            """
        )

    @api.model
    def _get_pilot_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 19, 'pilot_decide', 'partner.loyalty.pilot', id, program_id, company_id,
                   NULL::integer, NULL::integer, NULL::numeric, date_to, TRUE
              FROM partner_loyalty_pilot WHERE state = 'ended'
            """
        )

    @api.model
    def _get_tier_review_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 6, CASE state WHEN 'draft' THEN 'tier_review' ELSE 'tier_publish' END,
                   'partner.loyalty.tier.review', id, program_id, company_id, NULL::integer, reviewed_by_id,
                   NULL::numeric, COALESCE(reviewed_at, create_date)::date, state = 'reviewed'
              FROM partner_loyalty_tier_review WHERE state IN ('draft', 'reviewed')
            """
        )

    @api.model
    def _get_claim_query(self):
        """Drafts that members have by a tier or an invitation wait for them, and for nobody else."""
        return SQL(
            """
            SELECT id::bigint * 32 + 8,
                   CASE state WHEN 'draft' THEN 'claim_request' WHEN 'requested' THEN 'claim_approve'
                              ELSE 'claim_fulfill' END,
                   'partner.loyalty.claim', id, program_id, company_id, partner_id,
                   COALESCE(decided_by_id, requested_by_id, create_uid), NULL::numeric,
                   COALESCE(decided_at, requested_at, create_date)::date, state = 'requested'
              FROM partner_loyalty_claim
             WHERE state IN ('requested', 'approved') OR (state = 'draft' AND source IN ('points', 'bonus'))
            """
        )

    @api.model
    def _get_inquiry_query(self):
        """What members asked; a dispute that waits for the approval of an adjustment is among those."""
        return SQL(
            """
            SELECT id::bigint * 32 + 10, CASE kind WHEN 'dispute' THEN 'inquiry_decide' ELSE 'inquiry_answer' END,
                   'partner.loyalty.inquiry', id, program_id, company_id, partner_id, NULL::integer, NULL::numeric,
                   asked_at::date, FALSE
              FROM partner_loyalty_inquiry WHERE state IN ('new', 'in_progress') AND adjustment_id IS NULL
            """
        )

    @api.model
    def _get_application_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 14, 'application', 'partner.loyalty.application', id, program_id, company_id,
                   partner_id, NULL::integer, NULL::numeric, create_date::date, FALSE
              FROM partner_loyalty_application WHERE state = 'new'
            """
        )

    @api.model
    def _get_external_order_query(self):
        """Orders whose partner nobody knows, or that could not be entered; others wait for a further message alone."""
        return SQL(
            """
            SELECT id::bigint * 32 + 12, 'external_order', 'partner.loyalty.external.order', id, NULL::integer,
                   company_id, partner_id, user_id, NULL::numeric, create_date::date, FALSE
              FROM partner_loyalty_external_order
             WHERE state = 'failed' OR (state = 'waiting' AND payload IS NOT NULL AND order_id IS NULL)
            """
        )

    @api.model
    def _get_feedback_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 11, 'feedback_answer', 'partner.loyalty.feedback', id, program_id, company_id,
                   partner_id, NULL::integer, NULL::numeric, date, FALSE
              FROM partner_loyalty_feedback WHERE state <> 'done'
            """
        )

    @api.model
    def _get_topic_query(self):
        return SQL(
            """
            SELECT id::bigint * 32 + 13, 'topic_publish', 'partner.loyalty.topic', id, program_id, company_id,
                   partner_id, NULL::integer, NULL::numeric, last_post_date::date, FALSE
              FROM partner_loyalty_topic WHERE state = 'pending'
            """
        )

    # === COMPUTE METHODS ===#

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for todo in self:
            todo.display_name = kinds.get(todo.kind)

    def _compute_record_name(self):
        for model, todos in self.grouped("res_model").items():
            # Not everybody who sees that there is something to do may read it, such as quotations of other teams.
            records = self.env[model].browse(todos.mapped("res_id"))._filtered_access("read")
            names = {record.id: record.display_name for record in records}
            for todo in todos:
                todo.record_name = names.get(todo.res_id)

    @api.depends("res_model", "res_id")
    def _compute_date_deadline(self):
        self.update({"date_deadline": False, "is_overdue": False})
        for model, kinds in PROMISED.items():
            promised = self.filtered(lambda todo, kinds=kinds: todo.kind in kinds)
            records = self.env[model].browse(promised.mapped("res_id"))
            for todo, record in zip(promised, records, strict=True):
                todo.date_deadline = record.date_deadline
                todo.is_overdue = record.is_overdue

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("kind", "in", kinds) & Domain("res_id", "in", self.env[model]._search([("is_overdue", "in", value)]))
            for model, kinds in PROMISED.items()
        )

    # === ACTION METHODS ===#

    def action_open(self):
        """Open what is to be done; of bonus actions and messages, all that fail, with what is wrong side by side."""
        self.ensure_one()
        if self.kind == "bonus_error":
            return self.env["partner.loyalty.bonus.action"]._get_failing_action()
        if self.kind == "message_error":
            return self.env["partner.loyalty.message"]._get_failed_action(self.program_id)
        return self.env[self.res_model].browse(self.res_id)._get_records_action(context={})
