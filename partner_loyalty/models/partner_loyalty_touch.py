import logging
from itertools import zip_longest

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import TOUCH_KINDS
from ..tools.waking import wake_soon

_logger = logging.getLogger(__name__)

# Documents that one transaction of the engine answers.
BATCH_SIZE = 500


class PartnerLoyaltyTouch(models.Model):
    """A document was touched: what it earned may have changed.

    Marks are inserted in the transaction that touches the document and have no unique key, so that a sale never waits
    for loyalty. The engine deletes the marks it has read, and no others, in the transaction that posts.
    """

    _name = "partner.loyalty.touch"
    _description = "Touched Document"
    _order = "id"
    _log_access = False
    _allow_sudo_commands = False

    # === FIELDS ===#

    res_model = fields.Char(string="Model", required=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", required=True)
    # Where the document stood when it was touched; numbers only, because a mark must not hinder that partners go away.
    buyer_id = fields.Integer()
    referrer_id = fields.Integer()
    day = fields.Date()
    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        ondelete="cascade",
        index="btree_not_null",
        help="Set where this rule alone failed on the document and has to be tried again.",
    )

    # === BUSINESS METHODS - MARKING ===#

    @api.model
    def _mark(self, documents):
        """Note that documents were touched; written once, before the transaction commits.

        :param documents: recordset of a model of :meth:`_get_touch_kinds`
        """
        if not documents.ids:
            return
        precommit = self.env.cr.precommit
        pending = precommit.data.setdefault(self._name, set())
        if not pending:
            precommit.add(self._write_marks)
        pending.update((documents._name, *standing) for standing in self._get_standings(documents))

    @api.model
    def _get_standings(self, documents):
        """Return where documents stand now: ``(id, buyer id, referrer id, day)``, or nothing of it where unknown.

        :param documents: recordset of a model of :meth:`_get_touch_kinds`
        :rtype: list[tuple]
        """
        if hasattr(documents, "_get_loyalty_standings"):
            return documents._get_loyalty_standings()
        return [(document_id, None, None, None) for document_id in documents.ids]

    @api.model
    def _write_marks(self):
        """Insert the marks of this transaction and call the cron, in one statement."""
        pending = list(self.env.cr.precommit.data.pop(self._name, ()))
        if not pending:
            return
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id("partner_loyalty.ir_cron_reconcile_touched")
        models_, ids, buyers, referrers, days = map(
            list, zip(*sorted(pending, key=lambda mark: (*mark[:2], str(mark[2:]))), strict=True)
        )
        self.env.cr.execute(
            SQL(
                """
                WITH mark AS (
                    INSERT INTO partner_loyalty_touch (res_model, res_id, buyer_id, referrer_id, day)
                    SELECT * FROM unnest(%(models)s::varchar[], %(ids)s::integer[], %(buyers)s::integer[],
                                         %(referrers)s::integer[], %(days)s::date[])
                )
                INSERT INTO ir_cron_trigger (cron_id, call_at, create_uid, create_date, write_uid, write_date)
                SELECT id, moment.utc, %(uid)s, moment.utc, %(uid)s, moment.utc
                  FROM ir_cron, (SELECT now() AT TIME ZONE 'UTC' AS utc) moment
                 WHERE id = %(cron)s AND active
                """,
                models=models_,
                ids=ids,
                buyers=buyers,
                referrers=referrers,
                days=days,
                uid=self.env.uid,
                cron=cron_id or 0,
            )
        )
        # Waking the cron workers only sends a notification; salespeople have no right on crons.
        cron_sudo = self.env["ir.cron"].sudo()
        self.env.cr.postcommit.add(lambda: wake_soon(cron_sudo))

    @api.model
    def _merge_contacts(self, sources, destination):
        """Let the marks say of documents that they stood with the contact that stays, where contacts become one.

        :param sources: recordset of ``res.partner`` that will be gone
        :param destination: the ``res.partner`` that stays
        """
        self._write_marks()
        self.env.execute_query(
            SQL(
                """UPDATE partner_loyalty_touch
                      SET buyer_id = CASE WHEN buyer_id = ANY(%(sources)s) THEN %(destination)s ELSE buyer_id END,
                          referrer_id = CASE WHEN referrer_id = ANY(%(sources)s) THEN %(destination)s
                                             ELSE referrer_id END
                    WHERE buyer_id = ANY(%(sources)s) OR referrer_id = ANY(%(sources)s)""",
                sources=list(sources.ids),
                destination=destination.id,
            )
        )
        self.invalidate_model(["buyer_id", "referrer_id"])

    @api.model
    def _retry(self, rules):
        """Try rules again on the documents that they failed on."""
        # Managers mend rules; the marks and the cron are the program's own.
        marks_sudo = self.sudo().search([("rule_id", "in", rules.ids)], limit=1)
        if marks_sudo:
            self.env.ref("partner_loyalty.ir_cron_reconcile_touched").sudo()._trigger()

    # === BUSINESS METHODS - ANSWERING ===#

    @api.model
    def _cron_reconcile_touched(self, batch_size=BATCH_SIZE):
        """Answer touched documents, oldest first, committing batch by batch."""
        todo = Domain("rule_id", "=", False) | Domain("rule_id.error", "=", False)
        last_id = 0
        while marks := self.search(todo & Domain("id", ">", last_id), limit=batch_size, order="id"):
            try:
                processed, newest = len(marks), marks.ids[-1]
                self._answer(marks)
                remaining = self.search_count(todo & Domain("id", ">", newest), limit=10000)
                last_id = newest
                if not self.env["ir.cron"]._commit_progress(processed, remaining=remaining):
                    break
            except psycopg2.extensions.TransactionRollbackError:
                # Odoo does not retry cron code: start over with a smaller batch, that collides less.
                self.env.cr.rollback()
                if batch_size == 1:
                    raise
                batch_size //= 2

    @api.model
    def _answer(self, marks):
        """Reconcile the documents behind ``marks``, and delete the marks.

        A rule that fails keeps marks of its own, which wait until the rule is mended.

        :param marks: recordset of this model
        """
        # A month end that was missed comes first: sales after it are answered by the tier that it decides.
        for program in self.env["partner.loyalty.program"].search([("state", "=", "running")]):
            if program._decide_tiers():
                self.env["partner.loyalty.member"]._refresh_by_date(program)
        for (model, only_rule), group in marks.grouped(lambda mark: (mark.res_model, mark.rule_id)).items():
            scope = group._get_scope(model)
            failed = only_rule.browse(
                rule.id for rule in only_rule or self._get_rules(model) if not rule._run_safely(scope)
            )
            self._keep_for(failed, model, scope)
        marks.unlink()

    def _get_scope(self, model):
        """Return the scope of the documents behind marks, with where they stood when they were touched.

        :param str model: model of the documents
        :rtype: Scope
        """
        standings = {(mark.buyer_id, mark.referrer_id, mark.day) for mark in self if mark.day}
        return self.env["partner.loyalty.rule"]._get_document_scope(model, set(self.mapped("res_id")), standings)

    @api.model
    def _keep_for(self, rules, model, scope):
        """Keep marks for rules that failed: of the origins, and of where their documents stood."""
        marks = [
            (origin_id or scope.origin_ids[0], *(standing or (False, False, False)))
            for origin_id, standing in zip_longest(scope.origin_ids, scope.standings)
        ]
        self.create(
            [
                {
                    "res_model": model,
                    "res_id": origin_id,
                    "buyer_id": buyer_id,
                    "referrer_id": referrer_id,
                    "day": day,
                    "rule_id": rule.id,
                }
                for rule in rules
                for origin_id, buyer_id, referrer_id, day in marks
            ]
        )

    @api.model
    def _get_touch_kinds(self):
        """Return the documents whose change may move contributions, and the kinds that are read from them.

        :rtype: dict[str, tuple]
        """
        return TOUCH_KINDS

    @api.model
    def _get_rules(self, model):
        """Return the rules that documents of ``model`` may concern: of programs that have started, also when closed."""
        kinds = self._get_touch_kinds()[model]
        return (
            self.env["partner.loyalty.rule"]
            .with_context(active_test=False)
            .search([("kind", "in", kinds), ("program_id.state", "!=", "draft"), ("is_draft", "=", False)])
        )
