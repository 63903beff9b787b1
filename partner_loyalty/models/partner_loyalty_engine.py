from odoo import api, models
from odoo.tools import SQL

from ..const import NO_PERIOD, RECONCILED_TYPES
from ..tools.scope import Scope


class PartnerLoyaltyEngine(models.AbstractModel):
    """Brings the ledger in line with what rules say: target, posted, and the difference appended.

    A formula is a method ``_get_formula_<formula>`` that returns, as SQL over the contributions of one origin, what
    they earn before rounding.
    """

    _name = "partner.loyalty.engine"
    _description = "Loyalty Engine"

    # === SCOPES ===#

    @api.model
    def _get_member_scope(self, root_ids):
        """Return the scope of all documents of members.

        :param root_ids: ids of members that are not merged into others
        :rtype: Scope
        """
        return Scope(root_ids=tuple(root_ids))

    @api.model
    def _get_document_scope(self, model, document_ids):
        """Return the scope of documents, widened to the origins they belong to and all documents of those.

        :param str model: ``sale.order`` or ``account.move``
        :param document_ids: ids of documents, whether or not they still exist
        :rtype: Scope
        """
        if model != "account.move":
            return Scope(model, tuple(document_ids), tuple(document_ids))
        rows = self.env.execute_query(
            SQL(
                """
                WITH origin AS (
                    SELECT DISTINCT COALESCE(parent.reversed_entry_id, parent.id, move.id) AS id
                      FROM account_move move
                 LEFT JOIN account_move parent ON parent.id = move.reversed_entry_id
                     WHERE move.id = ANY(%(ids)s)
                ), credit AS (
                    SELECT move.id FROM account_move move JOIN origin ON move.reversed_entry_id = origin.id
                )
                SELECT id, TRUE FROM origin
                 UNION ALL SELECT id, FALSE FROM credit
                 UNION ALL SELECT move.id, FALSE
                             FROM account_move move JOIN credit ON move.reversed_entry_id = credit.id
                """,
                ids=list(document_ids),
            )
        )
        origin_ids = {row[0] for row in rows if row[1]} | set(document_ids)
        return Scope(model, tuple(origin_ids), tuple(origin_ids | {row[0] for row in rows}))

    # === RECONCILIATION ===#

    def _reconcile(self, scope):
        """Append the difference between what the rule says and what the ledger holds.

        Running it again posts nothing.

        :param Scope scope: the documents or members to look at
        :return: number of entries, and their sum in the unit of the rule
        :rtype: tuple[int, Decimal]
        """
        self.ensure_one()
        rows = self.env["partner.loyalty.entry"]._post(self._get_entry_source(scope))
        self.env["partner.loyalty.allocation"]._settle({account_id for _id, account_id, _amount in rows})
        return len(rows), sum(amount for _id, _account_id, amount in rows)

    def _get_entry_source(self, scope):
        """Return the entries to append, as the source for ``partner.loyalty.entry._post``.

        First postings are dated by the sale, corrections by the day they are made.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT delta.account_id, CASE WHEN delta.amount > 0 THEN 'accrual' ELSE 'clawback' END AS type,
                   delta.amount, %(rule)s AS rule_id, delta.origin_model, delta.origin_id,
                   %(no_period)s::date AS period_start, delta.revision, delta.contribution_date,
                   GREATEST(delta.contribution_date, CASE WHEN delta.revision > 0 THEN %(today)s::date END) AS date,
                   %(mature_date)s AS mature_date,
                   CASE WHEN delta.amount > 0 THEN %(expiry_date)s END AS expiry_date,
                   CASE WHEN delta.amount > 0 THEN %(idle_months)s END AS idle_months,
                   NULL::integer AS reverses_id, NULL::varchar AS external_ref, delta.explanation
              FROM (%(delta)s) delta
            """,
            rule=self.id,
            no_period=NO_PERIOD,
            today=self.program_id._get_today(),
            delta=self._get_delta_query(scope),
            **self._get_terms().get_columns(SQL("delta.contribution_date")),
        )

    def _get_delta_query(self, scope):
        """Return for each member and origin what the ledger lacks: target less posted, where they differ.

        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """
            WITH target AS MATERIALIZED (%(target)s), posted AS MATERIALIZED (%(posted)s)
            SELECT account.id AS account_id,
                   COALESCE(target.origin_model, posted.origin_model) AS origin_model,
                   COALESCE(target.origin_id, posted.origin_id) AS origin_id,
                   COALESCE(target.amount, 0) - COALESCE(posted.amount, 0) AS amount,
                   COALESCE(target.amount, 0) AS target, COALESCE(posted.amount, 0) AS posted,
                   COALESCE(posted.revision, -1) + 1 AS revision,
                   COALESCE(target.contribution_date, posted.contribution_date) AS contribution_date,
                   %(explanation)s AS explanation
              FROM target
         FULL JOIN posted ON posted.root_id = target.root_id AND posted.origin_id = target.origin_id
                         AND posted.origin_model = target.origin_model
              JOIN partner_loyalty_account account
                ON account.member_id = COALESCE(target.root_id, posted.root_id) AND account.unit = %(unit)s
             WHERE COALESCE(target.amount, 0) <> COALESCE(posted.amount, 0)
            """,
            target=self._get_target_query(scope),
            posted=self._get_posted_query(scope),
            explanation=self._get_explanation_object(),
            unit=self.unit,
        )

    def _get_explanation_object(self):
        """Return the explanation of an entry, as JSON over ``target`` and ``posted``; numbers are text, to be exact."""
        return SQL(
            """
            jsonb_strip_nulls(jsonb_build_object(
                'version', %(version)s, 'formula', %(formula)s, 'rounding', %(rounding)s,
                'step', %(step)s::text, 'base', trim_scale(COALESCE(target.base, 0))::text,
                'rate', trim_scale(COALESCE(target.rate, 0))::text, 'whole', trim_scale(target.whole)::text,
                'tier_id', target.tier_id, 'tier', target.tier, 'currency', target.currency,
                'document_base', trim_scale(target.document_base)::text,
                'exchange_rate', trim_scale(target.exchange_rate)::text,
                'cause', CASE WHEN target.root_id IS NULL THEN 'gone'
                              WHEN target.contribution_date > posted.contribution_date
                                OR posted.root_id IS NOT NULL AND target.is_followed THEN 'followed'
                              WHEN posted.root_id IS NOT NULL THEN 'changed' END,
                'target', trim_scale(COALESCE(target.amount, 0))::text,
                'posted', trim_scale(COALESCE(posted.amount, 0))::text))
            """,
            version=self.version,
            formula=self.formula,
            rounding=self._get_rounding(),
            step=str(self.step_amount) if self.formula == "per_amount" else None,
        )

    def _get_target_query(self, scope):
        """Return what each member should have earned for each origin, rounded once per origin.

        Columns: ``root_id, origin_model, origin_id, base, whole, rate, tier_id, tier, contribution_date, amount``, and
        for documents in another currency ``currency, document_base, exchange_rate``; ``is_followed`` where a credit
        note belongs to the origin. The day of the sale decides the rate, and all rows of an origin have that in common.

        :rtype: SQL
        """
        query = self._get_matching_query(scope)
        column = self._get_column(query)
        query.add_join("LEFT JOIN", "tier_period", "partner_loyalty_tier_period", self._get_tier_condition(query))
        query.add_join("LEFT JOIN", "tier", "partner_loyalty_tier", SQL("tier.id = tier_period.tier_id"))
        query.add_join(
            "LEFT JOIN",
            "tier_rate",
            "partner_loyalty_rule_rate",
            SQL("tier_rate.rule_id = %s AND tier_rate.tier_id = tier_period.tier_id", self.id),
        )
        key = SQL("membership.root_id, %s, %s", column("origin_model"), column("origin_id"))
        query.groupby = key
        rate = SQL("MIN(COALESCE(tier_rate.rate, %s::numeric))", str(self.rate))
        base = SQL("ROUND(SUM(%s), 6)", column("amount"))
        whole = SQL("MAX(%s)", column("origin_amount"))
        return query.select(
            key,
            SQL("%s AS base", base),
            SQL("%s AS whole", whole),
            SQL("%s AS rate", rate),
            SQL("MIN(tier.id) AS tier_id"),
            SQL("MIN(tier.name->>'en_US') AS tier"),
            SQL("MAX(%s) AS contribution_date", column("date")),
            SQL("MIN(%(document)s) <> MAX(%(document)s) AS is_followed", document=column("document_id")),
            *self._get_exchange_columns(column),
            SQL("%s AS amount", self._get_rounded(self._get_formula(base, rate, whole))),
        )

    def _get_exchange_columns(self, column):
        """Return what a document in another currency than the company's was worth in its own, and at which rate."""
        is_foreign = SQL("MIN(%s) <> MIN(%s)", column("document_currency_id"), column("currency_id"))
        columns = {
            "currency": SQL("(SELECT name FROM res_currency WHERE id = MIN(%s))", column("document_currency_id")),
            "document_base": SQL("ROUND(SUM(%s), 6)", column("document_amount")),
            "exchange_rate": SQL("MIN(%s)::numeric", column("document_rate")),
        }
        return [
            SQL("CASE WHEN %s THEN %s END AS %s", is_foreign, value, SQL.identifier(name))
            for name, value in columns.items()
        ]

    def _get_matching_query(self, scope):
        """Return the contributions that the rule counts, within ``scope``.

        Rules, programs and memberships apply by their dates, on the day of the sale; whether they are archived,
        closed or suspended today does not matter.

        :rtype: Query
        """
        program = self.program_id
        query = program._get_contribution_query(
            self.kind,
            self.role,
            max(filter(None, (program.date_from, self.date_from))),
            min(filter(None, (program.date_to, self.date_to)), default=None),
            date_field="rate_date",
            domain=self._get_domain(),
        )
        if scope.origin_model:
            query.add_where(
                SQL(
                    "%s = %s AND %s = ANY(%s)",
                    SQL.identifier(query.table, "document_model"),
                    scope.origin_model,
                    SQL.identifier(query.table, "document_id"),
                    list(scope.document_ids),
                )
            )
        else:
            query.add_where(SQL("%s IN %s", SQL.identifier(query.table, "partner_id"), self._get_partner_query(scope)))
        return query

    def _get_partner_query(self, scope):
        """Return the partners whose documents belong to the members of ``scope``."""
        return SQL("(SELECT partner_id FROM partner_loyalty_member WHERE root_id = ANY(%s))", list(scope.root_ids))

    def _get_tier_condition(self, query):
        """Return the join of the tier that was in force on the day of the sale."""
        return SQL(
            """tier_period.member_id = %(member)s AND tier_period.date_from <= %(day)s
               AND (tier_period.date_to IS NULL OR tier_period.date_to >= %(day)s)""",
            member=self._get_tier_member(query),
            day=SQL.identifier(query.table, "rate_date"),
        )

    def _get_tier_member(self, query):
        """Return the member whose tier applies: where members were merged, the one that the document earned first.

        So a merge changes nothing about documents that were answered before it. A document that earned nothing so far
        has the tier of the member that its partner was then, or else of the one that this was merged into.

        :rtype: SQL
        """
        if not self.program_id._has_merged_members():
            return SQL("membership.root_id")
        column = self._get_column(query)
        lookup = SQL(
            """LATERAL (SELECT COALESCE(
                   (SELECT (array_agg(account.member_id ORDER BY answer.id))[1]
                      FROM partner_loyalty_entry answer
                      JOIN partner_loyalty_account account ON account.id = answer.account_id
                      JOIN partner_loyalty_member holder ON holder.id = account.member_id
                     WHERE answer.origin_id = %(origin_id)s AND answer.origin_model = %(origin_model)s
                       AND answer.program_id = %(program)s AND answer.type IN %(types)s
                       AND holder.root_id = membership.root_id),
                   (SELECT own.id
                      FROM partner_loyalty_member own
                      JOIN partner_loyalty_tier_period period ON period.member_id = own.id
                     WHERE own.partner_id = %(partner)s AND own.root_id = membership.root_id
                       AND period.date_from <= %(day)s AND (period.date_to IS NULL OR period.date_to >= %(day)s)
                  ORDER BY own.merged_into_id IS NOT NULL, own.id LIMIT 1),
                   membership.root_id) AS id OFFSET 0)""",
            program=self.program_id.id,
            types=RECONCILED_TYPES,
            origin_id=column("origin_id"),
            origin_model=column("origin_model"),
            partner=column("partner_id"),
            day=column("rate_date"),
        )
        query.add_join("JOIN", "tier_member", lookup, SQL("TRUE"))
        return SQL("tier_member.id")

    def _get_posted_query(self, scope):
        """Return what the ledger holds of the rule, over the accounts of a member and all merged into it.

        Columns: ``root_id, origin_model, origin_id, amount, revision, contribution_date``.

        :rtype: SQL
        """
        if scope.origin_model:
            within = SQL(
                "entry.origin_model = %s AND entry.origin_id = ANY(%s)", scope.origin_model, list(scope.origin_ids)
            )
        else:
            within = SQL("member.root_id = ANY(%s)", list(scope.root_ids))
        return SQL(
            """
            SELECT member.root_id, entry.origin_model, entry.origin_id, SUM(entry.amount) AS amount,
                   MAX(entry.revision) AS revision, MAX(entry.contribution_date) AS contribution_date
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE COALESCE(entry.rule_id, 0) = %(rule)s AND entry.type IN %(types)s AND %(within)s
          GROUP BY member.root_id, entry.origin_model, entry.origin_id
            """,
            rule=self.id,
            types=RECONCILED_TYPES,
            within=within,
        )

    # === FORMULAS ===#

    def _get_formula(self, base, rate, whole):
        """Return what an origin earns before rounding.

        It depends on nothing but what the explanation of the entry keeps, so that it can be worked out again.

        :param SQL base: the sum of the amounts that count
        :param SQL rate: the rate, by the tier of the day of the sale
        :param SQL whole: net amount of the origin, where ``base`` is only what was paid of it; else NULL
        :rtype: SQL
        """
        self.ensure_one()
        return getattr(self, f"_get_formula_{self.formula}")(base, rate, whole)

    def _get_formula_percent(self, base, rate, whole):
        """Per cent of the untaxed amount."""
        return SQL("%s * %s / 100", base, rate)

    def _get_formula_per_amount(self, base, rate, whole):
        """So much for each step of the untaxed amount, in proportion."""
        return SQL("%s * %s / %s::numeric", base, rate, str(self.step_amount))

    def _get_formula_fixed(self, base, rate, whole):
        """A fixed sum for a document whose net amount is above zero; on payment, in proportion to what was paid."""
        return SQL(
            "CASE WHEN %(base)s > 0 THEN %(rate)s * LEAST(1, COALESCE(%(base)s / NULLIF(%(whole)s, 0), 1)) ELSE 0 END",
            base=base,
            rate=rate,
            whole=whole,
        )

    def _get_rounded(self, amount):
        """Return an aggregate in steps of the unit of the rule, half away from zero.

        Shares of payments are quotients with many digits: what is beyond the eighth is noise and is cut off first.
        """
        step = self._get_rounding()
        return SQL("ROUND(ROUND(%s, 8) / %s::numeric) * %s::numeric", amount, step, step)

    @api.model
    def _get_column(self, query):
        """Return a function that gives the SQL of a column of the contributions of ``query``."""
        return lambda name: SQL.identifier(query.table, name)
