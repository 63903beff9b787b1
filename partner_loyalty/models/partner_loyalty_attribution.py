from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL
from odoo.tools.misc import clean_context

from ..const import ATTRIBUTED_MODELS, NAMES_IN_MESSAGE, RECONCILED_TYPES


class PartnerLoyaltyAttribution(models.Model):
    """Moves documents that count for the wrong referrer to the right one: asked for by one person, approved by another.

    What moves is the referrer alone; who bought is a fact of the document. The preview is worked out by the engine
    itself, on documents that are moved and moved back. Approval only writes the referrer on the documents: the ledger
    follows as it follows any other change of a document.
    """

    _name = "partner.loyalty.attribution"
    _description = "Attribution Change"
    _inherit = ["partner.loyalty.approval.mixin", "partner.loyalty.input.mixin"]
    _order = "id desc"
    _protected_fields = frozenset(
        {
            "decided_at",
            "decided_by_id",
            "is_decided_alone",
            "figure_ids",
            "name",
            "previewed_at",
            "refuse_reason",
            "state",
            "submitted_at",
            "submitted_by_id",
        }
    )
    _protected_after_create_fields = frozenset({"company_id"})
    # What a manager decides on: it stands from the submission on.
    _submitted_fields = frozenset({"line_ids", "partner_id", "reason", "target_partner_id"})
    # A preview of something else is none.
    _previewed_fields = frozenset({"partner_id", "target_partner_id"})

    # === FIELDS ===#

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, index=True, default=lambda self: self.env.company
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Referred so far by",
        index="btree_not_null",
        tracking=True,
        help="Whom the documents are counted for today; empty for documents that nobody has referred.",
    )
    target_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Referred from now on by",
        index="btree_not_null",
        domain="[('parent_id', '=', False), ('company_id', 'in', (False, company_id))]",
        tracking=True,
        help="Whom the documents are counted for after the approval; empty where nobody has referred them. "
        "Only the referrer moves: who bought is a fact of the document, and stays.",
    )
    reason = fields.Char(required=True, tracking=True, help="Noted on each of the documents.")
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.attribution.line", inverse_name="attribution_id", string="Documents", copy=False
    )
    document_count = fields.Integer(string="Number of Documents", compute="_compute_document_count")
    figure_ids = fields.One2many(
        comodel_name="partner.loyalty.attribution.figure",
        inverse_name="attribution_id",
        string="What It Moves",
        readonly=True,
        copy=False,
    )
    previewed_at = fields.Datetime(string="Previewed on", readonly=True, copy=False)
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("submitted", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("canceled", "Canceled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        group_expand=True,
    )
    submitted_by_id = fields.Many2one(comodel_name="res.users", string="Submitted by", readonly=True, copy=False)
    submitted_at = fields.Datetime(string="Submitted on", readonly=True, copy=False)

    # === COMPUTE METHODS ===#

    @api.depends("line_ids")
    def _compute_document_count(self):
        for change in self:
            change.document_count = len(change.line_ids)

    # === CONSTRAINT METHODS ===#

    @api.constrains("reason")
    def _check_reason(self):
        for change in self:
            if not (change.reason or "").strip():
                raise ValidationError(self.env._("It is noted on each document why it moves: enter a reason."))

    # In Python: a contact merge of Odoo deletes rows that hit a constraint of the database.
    @api.constrains("partner_id", "target_partner_id", "company_id")
    def _check_partners(self):
        for change in self:
            problem = change._get_problem_of_partners()
            if problem:
                raise ValidationError(problem)

    @api.constrains("partner_id", "company_id")
    def _check_documents(self):
        for change in self:
            problems = change._get_problems_of_documents()
            if problems:
                raise ValidationError("\n".join(problems[:NAMES_IN_MESSAGE]))

    # === CRUD METHODS ===#

    @api.model
    def default_get(self, fields):
        """Take what was chosen in a list of leads, orders or invoices, and who has referred it."""
        defaults = super().default_get(fields)
        model = self.env.context.get("active_model")
        if "line_ids" not in fields or model not in dict(ATTRIBUTED_MODELS):
            return defaults
        documents = self.env["partner.loyalty.wizard.mixin"]._get_active_records(model)
        # Whoever cannot read documents chooses none of them; a form starts empty then.
        if documents := documents._filtered_access("read"):
            defaults |= {
                "company_id": (documents.company_id[:1] or self.env.company).id,
                "partner_id": documents[0].loyalty_partner_id.id,
                "line_ids": [
                    Command.create({"res_model": model, "res_id": document_id}) for document_id in documents.ids
                ],
            }
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        changes = super().create(vals_list)
        # Numbers are set by the program alone.
        for change_sudo in changes.sudo():
            sequence_sudo = self.env["ir.sequence"].sudo().with_company(change_sudo.company_id)
            change_sudo.name = sequence_sudo.next_by_code(self._name) or "/"
        return changes

    def write(self, vals):
        if not self.env.su and self._submitted_fields & vals.keys():
            self._check_draft()
        if self._previewed_fields & vals.keys():
            self._forget_preview()
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_preview(self):
        """Work out what the change moves, and move nothing."""
        self.check_access("write")
        changes = self._get_in("draft", "submitted")
        for change in changes:
            change._carry_along()
            change._check_ready()
            change._update_figures()

    def action_submit(self):
        """Ask a manager to approve drafts, with their preview; what they say cannot be changed from then on."""
        self.check_access("write")
        changes = self._get_in("draft")
        changes.action_preview()
        changes._set_decision("submitted", submitted_by_id=self.env.uid, submitted_at=fields.Datetime.now())
        changes._notify_approvers()

    def action_approve(self):
        """Approve changes: the documents are counted for the other partner, and the ledger follows.

        :raises UserError: when the user may not approve one of them, or it would move something else than was shown
        """
        changes = self._get_in("submitted")
        changes._check_can_decide()
        for change in changes:
            change._check_ready()
            change._check_preview_stands()
            change._move_documents()
        changes._set_decision("approved", **changes._prepare_decision_vals())
        changes.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS - DOCUMENTS ===#

    def _add_documents(self, documents):
        """Put documents on the list that are not on it yet.

        :param documents: recordset of a model of ``ATTRIBUTED_MODELS``
        :return: the new lines
        """
        self.ensure_one()
        known = self._get_documents()[documents._name]
        return self.env["partner.loyalty.attribution.line"].create(
            [
                {"attribution_id": self.id, "res_model": documents._name, "res_id": document_id}
                for document_id in documents.ids
                if document_id not in known.ids
            ]
        )

    def _get_documents(self, lines=None):
        """Return the documents on the list by model, also of those that do not exist any more.

        :param lines: only these lines
        :rtype: dict
        """
        self.ensure_one()
        ids_by_model = {}
        for line in self.line_ids if lines is None else lines:
            ids_by_model.setdefault(line.res_model, []).append(line.res_id)
        # Officers and managers of loyalty need not have a right on the documents of salespeople.
        return {model: self.env[model].sudo().browse(ids_by_model.get(model, ())) for model, _name in ATTRIBUTED_MODELS}

    def _get_carried_documents(self):
        """Return what comes along with the chosen documents, by model: all of a chain with the same referrer.

        A lead carries its orders, an order its lead and its invoices, an invoice its credit notes.

        :rtype: dict
        """
        self.ensure_one()
        chosen = self._get_documents(self.line_ids.filtered(lambda line: not line.is_carried))
        leads, orders, moves = (chosen[model].exists() for model in ("crm.lead", "sale.order", "account.move"))
        orders |= self._filter_alike(leads.order_ids)
        leads |= self._filter_alike(orders.opportunity_id)
        moves |= self._filter_alike(orders.order_line.invoice_lines.move_id)
        while credit_notes := self._filter_alike(moves.reversal_move_ids) - moves:
            moves |= credit_notes
        return {records._name: records - chosen[records._name] for records in (leads, orders, moves)}

    def _filter_alike(self, documents):
        """Return those of documents that have the referrer of this change, in its company."""
        return documents.filtered(lambda document: not self._get_problem(document))

    def _carry_along(self):
        """Bring the list up to date with what comes along with the chosen documents."""
        new, stale = self._get_changes_of_carried()
        # What comes along is worked out by the program alone.
        stale.sudo().unlink()
        self.env["partner.loyalty.attribution.line"].sudo().create(
            [
                {"attribution_id": self.id, "res_model": model, "res_id": document_id, "is_carried": True}
                for model, document_id in new
            ]
        )

    def _get_changes_of_carried(self):
        """Return what comes along and is not on the list, and what is on it and does not come along any more.

        :return: pairs of model and id, and lines
        :rtype: tuple
        """
        self.ensure_one()
        wanted = {
            (model, document_id)
            for model, documents in self._get_carried_documents().items()
            for document_id in documents.ids
        }
        carried = self.line_ids.filtered("is_carried")
        known = set(carried.mapped(lambda line: (line.res_model, line.res_id)))
        stale = carried.filtered(lambda line: (line.res_model, line.res_id) not in wanted)
        return sorted(wanted - known), stale

    def _move_documents(self):
        """Write the referrer on the documents, and note why."""
        body = Markup("%s<br/>%s") % (
            self.env._(
                "Referred by %(target)s instead of %(partner)s: %(change)s, approved by %(user)s.",
                target=self.target_partner_id.display_name or self.env._("nobody"),
                partner=self.partner_id.display_name or self.env._("nobody"),
                change=self.name,
                user=self.env.user.name,
            ),
            self.reason,
        )
        context = clean_context(self.env.context)
        for documents_sudo in self._get_documents().values():
            documents_sudo.with_context(context).write({"loyalty_partner_id": self.target_partner_id.id})
            documents_sudo._message_log_batch(bodies=dict.fromkeys(documents_sudo.ids, body))

    # === BUSINESS METHODS - PREVIEW ===#

    def _update_figures(self):
        """Store what the change would move today."""
        vals_list = self._get_figures()
        # Figures are set by the program alone.
        change_sudo = self.sudo()
        change_sudo.figure_ids.unlink()
        change_sudo.figure_ids.create([{"attribution_id": self.id, **vals} for vals in vals_list])
        change_sudo.previewed_at = fields.Datetime.now()

    def _forget_preview(self):
        # Figures are set by the program alone.
        change_sudo = self.sudo()
        change_sudo.figure_ids.unlink()
        change_sudo.filtered("previewed_at").previewed_at = False

    def _get_figures(self):
        """Return what the change would move today, for each member and unit; nothing of it stays.

        :return: values of ``partner.loyalty.attribution.figure``
        :rtype: list[dict]
        """
        self.ensure_one()
        with self.env.cr.savepoint() as savepoint:
            vals_list = self._try_out()
            savepoint.rollback()
        self.env.invalidate_all()
        return vals_list

    def _try_out(self):
        """Move the documents, answer them as the engine would, and read what that has posted."""
        last_id = self.env.execute_query(SQL("SELECT COALESCE(MAX(id), 0) FROM partner_loyalty_entry"))[0][0]
        self._move_in_database()
        # As in :meth:`partner.loyalty.touch._answer`. The engine looks past the rights of the user.
        for program_sudo in self.env["partner.loyalty.program"].sudo().search(self._get_program_domain()):
            program_sudo._evaluate_tiers()
        for model, documents in self._get_documents().items():
            if model in self.env["partner.loyalty.touch"]._get_touch_kinds() and documents:
                self._answer(model, documents)
        return self._read_figures(last_id)

    def _get_program_domain(self):
        return [("state", "=", "running"), ("company_id", "=", self.company_id.id)]

    def _move_in_database(self):
        """Write the referrer behind the back of the ORM: a preview must not wake what listens to changes."""
        for documents in self._get_documents().values():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET loyalty_partner_id = %s WHERE id = ANY(%s)",
                    SQL.identifier(documents._table),
                    self.target_partner_id.id or None,
                    list(documents.ids),
                )
            )

    def _answer(self, model, documents):
        """Reconcile the rules for referrers over documents.

        :raises UserError: where a rule fails on them, and no preview would be right
        """
        # Rules and marks of the ledger are looked at whatever the rights of the user.
        rules_sudo = self.env["partner.loyalty.touch"].sudo()._get_rules(model)
        scope = rules_sudo._get_document_scope(model, documents.ids)
        for rule_sudo in rules_sudo.filtered(
            lambda rule: rule.role == "referrer" and rule.company_id == self.company_id
        ):
            if not rule_sudo._run_safely(scope):
                raise UserError(
                    self.env._(
                        "There is no preview while “%(rule)s” fails on these documents: mend the rule first.",
                        rule=rule_sudo.name,
                    )
                )

    @api.model
    def _read_figures(self, last_id):
        """Return what was posted after an entry, by member and unit, beside what the ledger had held before.

        :param int last_id: id of the last entry before
        :rtype: list[dict]
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                WITH answer AS MATERIALIZED (%(answers)s)
                SELECT answer.root_id AS member_id, answer.unit,
                       SUM(held.amount)::text AS amount_posted,
                       SUM(held.amount + answer.amount)::text AS amount_target,
                       SUM(answer.amount)::text AS amount,
                       SUM(answer.locked)::text AS amount_locked,
                       SUM(LEAST(held.paid, GREATEST(-answer.amount, 0)))::text AS amount_paid,
                       SUM(answer.owed)::text AS amount_owed
                  FROM answer
            CROSS JOIN LATERAL (%(held)s) held
              GROUP BY answer.root_id, answer.unit
              ORDER BY SUM(answer.amount), answer.root_id, answer.unit
                """,
                answers=self._get_answer_query(last_id),
                held=self._get_held_query(last_id),
            )
        )
        return [{name: float(row[name]) if name.startswith("amount") else row[name] for name in row} for row in rows]

    @api.model
    def _get_answer_query(self, last_id):
        """Return what was posted after an entry, for each member, rule and origin.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT member.root_id, account.unit, entry.rule_id, entry.origin_model, entry.origin_id,
                   entry.period_start, SUM(entry.amount) AS amount,
                   COALESCE(SUM(entry.amount) FILTER (WHERE entry.prior_period), 0) AS locked,
                   -SUM(LEAST(entry.amount_open, 0)) AS owed
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE entry.id > %s AND entry.type IN %s
          GROUP BY member.root_id, account.unit, entry.rule_id, entry.origin_model, entry.origin_id, entry.period_start
            """,
            last_id,
            RECONCILED_TYPES,
        )

    @api.model
    def _get_held_query(self, last_id):
        """Return what the ledger had held of an ``answer``, and how much of it has been paid out.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT COALESCE(SUM(entry.amount), 0) AS amount, COALESCE(SUM(spent.amount), 0) AS paid
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
         LEFT JOIN LATERAL (
                SELECT SUM(part.amount) AS amount
                  FROM partner_loyalty_allocation part
                  JOIN partner_loyalty_entry debit ON debit.id = part.debit_entry_id
                 WHERE part.credit_entry_id = entry.id AND debit.type = 'payout'
             ) spent ON TRUE
             WHERE entry.id <= %s AND entry.type IN %s AND member.root_id = answer.root_id
               AND account.unit = answer.unit
               AND entry.rule_id = answer.rule_id AND entry.origin_id = answer.origin_id
               AND entry.origin_model = answer.origin_model AND entry.period_start = answer.period_start
            """,
            last_id,
            RECONCILED_TYPES,
        )

    # === BUSINESS METHODS - CHECKS ===#

    def _check_ready(self):
        """Check that there is something to move, and that it can still move there.

        :raises UserError: where there is nothing
        :raises ValidationError: where it cannot
        """
        for change in self:
            if not change.line_ids:
                raise UserError(
                    self.env._("Choose at least one document that %(change)s is about.", change=change.name)
                )
        self._check_partners()
        self._check_documents()

    def _check_preview_stands(self):
        """Check that the change moves today what its preview says.

        :raises UserError: where documents or figures have changed since
        """
        self.ensure_one()
        new, stale = self._get_changes_of_carried()
        if new or stale or self.figure_ids._get_vals_list() != self._get_figures():
            raise UserError(
                self.env._(
                    "What %(change)s moves has changed since its preview: click “Update Preview” and look again.",
                    change=self.name,
                )
            )

    def _get_problem_of_partners(self):
        """Return why documents cannot move between these partners, or False."""
        self.ensure_one()
        target = self.target_partner_id
        terms = {"partner": target.display_name, "company": self.company_id.name}
        if target == self.partner_id:
            return self.env._("The documents are to move to somebody else: choose two different partners.")
        if not target:
            return False
        if not target.active:
            return self.env._("%(partner)s is archived: restore the contact first.", **terms)
        if target != target.commercial_partner_id:
            return self.env._(
                "%(partner)s is a contact of %(parent)s: choose the company.",
                parent=target.commercial_partner_id.display_name,
                **terms,
            )
        if target.company_id and target.company_id != self.company_id:
            return self.env._("%(partner)s belongs to another company than %(company)s: choose another.", **terms)
        return False

    def _get_problems_of_documents(self):
        """Return why documents on the list cannot move.

        :rtype: list[str]
        """
        self.ensure_one()
        problems = []
        for documents in self._get_documents().values():
            existing = documents.exists()
            problems += [
                self.env._("Document %s was deleted: take it off the list, or cancel the change.", document_id)
                for document_id in (documents - existing).ids
            ]
            problems += filter(None, map(self._get_problem, existing))
        return problems

    def _get_problem(self, document):
        """Return why a document cannot move, or False."""
        terms = {
            "document": document.display_name,
            "partner": self.partner_id.display_name or self.env._("nobody"),
            "company": self.company_id.name,
        }
        if document._name == "account.move" and not document.is_sale_document(include_receipts=True):
            return self.env._("%(document)s is no invoice of a customer: take it off the list.", **terms)
        if document.company_id and document.company_id != self.company_id:
            return self.env._("%(document)s does not belong to %(company)s: take it off the list.", **terms)
        if document.loyalty_partner_id != self.partner_id:
            return self.env._(
                "%(document)s is not referred by %(partner)s: take it off the list, or cancel the change.", **terms
            )
        return False

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_refusal(self, user):
        refusal = super()._get_refusal(user)
        if not refusal and user.partner_id.commercial_partner_id == self.target_partner_id:
            return self.env._(
                "%(change)s is for your own company: another manager has to approve it.", change=self.name
            )
        return refusal

    def _notify_approvers(self):
        """Ask who is responsible for a program of one of the partners: each once, for each change."""
        for change in self:
            managers = change._get_programs().user_id.filtered(
                lambda user: user.has_group("partner_loyalty.partner_loyalty_group_manager")
            )
            for user in managers - change._get_requesters():
                summary = change.with_context(lang=user.lang)._get_approval_summary()
                change.activity_schedule("mail.mail_activity_data_todo", summary=summary, user_id=user.id)

    def _get_programs(self):
        """Return the programs in which one of the partners is a member.

        :rtype: recordset of ``partner.loyalty.program``
        """
        partners = self.partner_id | self.target_partner_id
        members = self.env["partner.loyalty.member"].search(
            [("partner_id", "in", partners.ids), ("company_id", "=", self.company_id.id)]
        )
        return members.program_id

    def _get_approval_summary(self):
        return self.env._("Attribution changes to approve: %s", len(self))
