from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..const import FIRST_KINDS, MEMBER, RECONCILED_TYPES
from ..tools import periods
from ..tools.scope import Scope


class PartnerLoyaltyEngine(models.AbstractModel):
    """Brings the ledger in line with what rules say: target, posted, and the difference appended."""

    _name = "partner.loyalty.engine"
    _description = "Loyalty Engine"
    _inherit = ["partner.loyalty.target"]

    # === SCOPES ===#

    @api.model
    def _get_member_scope(self, root_ids):
        """Return the scope of all documents of members.

        :param root_ids: ids of members that are not merged into others
        :rtype: Scope
        """
        return Scope(root_ids=tuple(root_ids))

    @api.model
    def _get_document_scope(self, model, document_ids, standings=()):
        """Return the scope of documents, widened to the origins they belong to and all documents of those.

        :param str model: ``sale.order`` or ``account.move``
        :param document_ids: ids of documents, whether or not they still exist
        :param standings: ``(buyer id, referrer id, day)`` where the documents stood when they were touched
        :rtype: Scope
        """
        standings = tuple(standings)
        if model != "account.move":
            return Scope(model, tuple(document_ids), tuple(document_ids), standings)
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
        return Scope(model, tuple(origin_ids), tuple(origin_ids | {row[0] for row in rows}), standings)

    def _get_origin_scope(self, model, origin_id, period_start):
        """Return the scope of one origin, as the ledger or a difference names it.

        :param str model: model of the origin; that of members where the rule earns by the period
        :param int origin_id: id of the origin
        :param date period_start: first day of the period, where there is one
        :rtype: Scope
        """
        self.ensure_one()
        if model == MEMBER:
            root_id = self.env[MEMBER].browse(origin_id).root_id.id
            return Scope(periods=self._get_reaches([(root_id, period_start)]))
        return self._get_document_scope(model, [origin_id])

    def _widen(self, scope):
        """Widen a scope of documents to all that they reach, where they stand now and where they stood before.

        :param Scope scope: any scope
        :rtype: Scope
        """
        if not scope.origin_model:
            return scope
        if self.kind in FIRST_KINDS:
            scope = self._widen_to_firsts(scope)
        if not self._get_reach():
            return scope
        query = self._get_matching_query(scope)
        day = SQL.identifier(query.table, "rate_date")
        query.groupby = SQL("1, 2")
        now = query.select(SQL("membership.root_id"), self._get_period_start(day))
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT root_id, start FROM (%s UNION ALL %s UNION ALL %s) AS reach(root_id, start)",
                now,
                self._get_stood_query(scope),
                self._get_posted_reach_query(scope),
            )
        )
        return Scope(periods=self._get_reaches(rows))

    def _widen_to_firsts(self, scope):
        """Widen a scope of documents to those of the same customers that are their first now, or were so far.

        :rtype: Scope
        """
        customers = self.env.execute_query(self._get_customer_query(scope))
        ids = [row[0] for row in customers] + [buyer_id for buyer_id, _referrer_id, _day in scope.standings]
        rows = self.env.execute_query(
            SQL("%s UNION %s", self._get_first_query(scope.origin_model, ids), self._get_posted_first_query(scope, ids))
        )
        document_ids = {*scope.origin_ids, *(row[0] for row in rows)}
        return self._get_document_scope(scope.origin_model, document_ids, scope.standings)

    def _get_customer_query(self, scope):
        """Return the customers of the documents of a scope."""
        if scope.origin_model == "sale.order":
            return SQL("SELECT DISTINCT loyalty_buyer_id FROM sale_order WHERE id = ANY(%s)", list(scope.document_ids))
        return SQL(
            "SELECT DISTINCT commercial_partner_id FROM account_move WHERE id = ANY(%s)", list(scope.document_ids)
        )

    def _get_first_query(self, model, customer_ids):
        """Return the first documents of customers: two orders, because the second is the first that repeats.

        Of invoices also the first since the customer is a member.
        """
        if model == "sale.order":
            return SQL(
                """SELECT id FROM (SELECT id, row_number() OVER (
                                              PARTITION BY loyalty_buyer_id ORDER BY date_order, id) AS number
                                     FROM sale_order
                                    WHERE state = 'sale' AND loyalty_claim_id IS NULL
                                      AND loyalty_buyer_id = ANY(%s) AND company_id = %s) ordered
                    WHERE number <= 2""",
                customer_ids,
                self.company_id.id,
            )
        return SQL(
            """(SELECT DISTINCT ON (move.commercial_partner_id) move.id
                  FROM account_move move
             LEFT JOIN partner_loyalty_member member
                    ON member.partner_id = move.commercial_partner_id AND member.program_id = %(program)s
                   AND member.merged_into_id IS NULL
                 WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_receipt')
                   AND move.commercial_partner_id = ANY(%(customers)s) AND move.company_id = %(company)s
                   AND (%(is_ever)s OR move.invoice_date >= member.date_from)
              ORDER BY move.commercial_partner_id, move.invoice_date, move.id)""",
            program=self.program_id.id,
            customers=customer_ids,
            company=self.company_id.id,
            is_ever=self.kind == "new_customer",
        )

    def _get_posted_first_query(self, scope, customer_ids):
        """Return the documents of customers that the rule has posted something for."""
        table, customer = {
            "sale.order": ("sale_order", "loyalty_buyer_id"),
            "account.move": ("account_move", "commercial_partner_id"),
        }[scope.origin_model]
        return SQL(
            """SELECT entry.origin_id FROM partner_loyalty_entry entry
                 JOIN %s document ON document.id = entry.origin_id
                WHERE COALESCE(entry.rule_id, 0) = %s AND entry.origin_model = %s AND %s = ANY(%s)""",
            SQL.identifier(table),
            self.id,
            scope.origin_model,
            SQL.identifier("document", customer),
            customer_ids,
        )

    def _get_reaches(self, rows):
        """Return periods with their last days; for growth those a year later, too, which are measured by them.

        :param rows: pairs of member id and first day
        :return: triples of member id, first and last day
        :rtype: tuple
        """
        starts = {(root_id, start) for root_id, start in rows}
        if self._is_growth():
            starts |= {(root_id, start.replace(year=start.year + 1)) for root_id, start in starts}
        return tuple(
            (root_id, start, periods.period_end(start, self._get_reach())) for root_id, start in sorted(starts)
        )

    def _get_stood_query(self, scope):
        """Return in which periods of which members the documents of a scope stood when they were touched.

        The day of an order is that of UTC, so that its neighbors are looked at as well; that of an invoice is exact.
        """
        is_referrer = self.role == "referrer"
        return SQL(
            """SELECT DISTINCT member.root_id, %(start)s
                 FROM unnest(%(partners)s::integer[], %(days)s::date[]) AS stood(partner_id, day)
                 JOIN partner_loyalty_member member
                   ON member.partner_id = stood.partner_id AND member.program_id = %(program)s
           CROSS JOIN unnest(%(shifts)s) AS shift(days)""",
            start=self._get_period_start(SQL("(stood.day + shift.days)")),
            partners=[(referrer if is_referrer else buyer) or None for buyer, referrer, _day in scope.standings],
            days=[day for _buyer, _referrer, day in scope.standings],
            shifts=[0] if scope.origin_model == "account.move" else [-1, 0, 1],
            program=self.program_id.id,
        )

    def _get_posted_reach_query(self, scope):
        """Return the periods of which members the ledger has something for the origins of a scope."""
        return SQL(
            """SELECT DISTINCT member.root_id, entry.period_start
                 FROM partner_loyalty_entry entry
                 JOIN partner_loyalty_account account ON account.id = entry.account_id
                 JOIN partner_loyalty_member member ON member.id = account.member_id
                WHERE entry.origin_model = %s AND entry.origin_id = ANY(%s) AND COALESCE(entry.rule_id, 0) = %s""",
            scope.origin_model,
            list(scope.origin_ids),
            self.id,
        )

    # === RECONCILIATION ===#

    def _reconcile(self, scope):
        """Append the difference between what rules say and what the ledger holds.

        Running it again posts nothing. All rules are one statement, so that each account is written once; but a rule
        with a budget has one of its own, because its versions share what is left of that.

        :param Scope scope: the documents or members to look at
        :return: ``(id, account_id, amount)`` of the new entries
        :rtype: list[tuple]
        """
        limited = self.filtered("budget")
        return [row for rules in (self - limited, *limited) for row in rules._reconcile_at_once(scope)]

    def _reconcile_at_once(self, scope):
        if not self:
            return []
        self._claim_budget()
        rows = self.env["partner.loyalty.entry"]._post(
            self._get_common_query(scope, lambda rule, own_scope: rule._get_entry_source(own_scope))
        )
        if rows:
            self._freeze()
            self.env["partner.loyalty.allocation"]._settle({account_id for _id, account_id, _amount in rows})
            self._close_where_used_up()
        return rows

    def _get_common_query(self, scope, get_query):
        """Return what a query of each rule returns, of all rules.

        What several of them read of the same members is read once.

        :param Scope scope: the documents or members to look at
        :param get_query: callable of a rule and a scope, as :meth:`_widen` returns it; gives the query of the rule
        :rtype: SQL
        """
        readings, queries = [], []
        for rules in self.grouped(lambda rule: (rule.program_id, rule.kind, rule.role)).values():
            shared = rules.filtered(lambda rule: scope.root_ids and not rule._is_growth())
            if len(shared) > 1:
                name = f"reading_{len(readings)}"
                reading = SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), shared._get_reading_query(scope))
                readings.append(reading)
                queries += [get_query(rule, scope) for rule in shared.with_context(loyalty_reading=name)]
                rules -= shared
            queries += [get_query(rule, rule._widen(scope)) for rule in rules]
        head = SQL("WITH %s", SQL(", ").join(readings)) if readings else SQL()
        return SQL("%s %s", head, SQL(" UNION ALL ").join(queries))

    def _get_entry_source(self, scope):
        """Return the entries to append, as the source for ``partner.loyalty.entry._post``.

        First postings are dated by the sale, corrections by the day they are made.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT delta.account_id, CASE WHEN delta.amount > 0 THEN 'accrual' ELSE 'clawback' END AS type,
                   delta.amount, %(rule)s AS rule_id, delta.origin_model, delta.origin_id,
                   delta.period_start, delta.revision, delta.contribution_date,
                   GREATEST(delta.contribution_date, CASE WHEN delta.revision > 0 THEN %(today)s::date END) AS date,
                   %(mature_date)s AS mature_date,
                   CASE WHEN delta.amount > 0 THEN %(expiry_date)s END AS expiry_date,
                   CASE WHEN delta.amount > 0 THEN %(idle_months)s END AS idle_months,
                   NULL::integer AS reverses_id, NULL::varchar AS external_ref, delta.explanation
              FROM (%(delta)s) delta
            """,
            rule=self.id,
            today=self.program_id._get_today(),
            delta=self._get_delta_query(scope),
            **self._get_terms().get_columns(SQL("delta.contribution_date")),
        )

    def _get_delta_query(self, scope):
        """Return for each member and origin what the ledger lacks: target less posted, where they differ.

        :param Scope scope: as :meth:`_widen` returns it
        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """
            WITH target AS MATERIALIZED (%(target)s), posted AS MATERIALIZED (%(posted)s),
            lacking AS (
                SELECT account.id AS account_id, origin_model, origin_id, period_start,
                       COALESCE(target.amount, 0) - COALESCE(posted.amount, 0) AS amount,
                       COALESCE(posted.amount, 0) AS posted,
                       COALESCE(posted.revision, -1) + 1 AS revision,
                       COALESCE(target.contribution_date, posted.contribution_date) AS contribution_date,
                       target.root_id IS NULL AS is_gone,
                       posted.root_id IS NOT NULL
                       AND (target.contribution_date > posted.contribution_date OR target.is_followed) AS is_followed,
                       target.amount AS target, FALSE AS is_trimmed, %(columns)s
                  FROM target
             FULL JOIN posted USING (root_id, origin_model, origin_id, period_start)
                  JOIN partner_loyalty_account account ON account.member_id = root_id AND account.unit = %(unit)s
                 WHERE COALESCE(target.amount, 0) <> COALESCE(posted.amount, 0)
            )
            SELECT account_id, origin_model, origin_id, period_start, amount, posted + amount AS target, posted,
                   revision, contribution_date, %(explanation)s AS explanation
              FROM %(lacking)s AS lacking
            """,
            target=self._get_target_query(scope),
            posted=self._get_posted_query(scope),
            columns=SQL(", ").join(SQL.identifier("target", name) for name in self._get_explained_columns()),
            explanation=self._get_explanation_object(),
            lacking=self._get_affordable_query() if self.budget else SQL("lacking"),
            unit=self.unit,
        )

    def _get_explanation_object(self):
        """Return the explanation of an entry, as JSON over ``lacking``; numbers are text, to be exact."""
        numbers = [
            SQL("%s, trim_scale(%s)::text", name, SQL.identifier("lacking", name))
            for name in self._get_explained_numbers()[2:]
            if name != "quantity" or self._is_by_quantity()
        ]
        return SQL(
            """
            jsonb_strip_nulls(%(terms)s::jsonb || jsonb_build_object(
                'base', trim_scale(COALESCE(lacking.base, 0))::text,
                'rate', trim_scale(COALESCE(lacking.rate, 0))::text, 'parts', lacking.parts,
                'previous', trim_scale(lacking.previous)::text,
                'tier_id', lacking.tier_id, 'tier', lacking.tier, 'agreement', lacking.agreement,
                'currency', lacking.currency,
                'cause', CASE WHEN lacking.is_gone THEN 'gone'
                              WHEN lacking.is_followed THEN 'followed'
                              WHEN lacking.revision > 0 THEN 'changed' END,
                'trimmed', CASE WHEN lacking.is_trimmed THEN TRUE END,
                'target', trim_scale(lacking.posted + lacking.amount)::text,
                'posted', trim_scale(lacking.posted)::text, %(numbers)s))
            """,
            terms=self._get_explained_terms(),
            numbers=SQL(", ").join(numbers),
        )

    # === POSTED ===#

    def _get_posted_query(self, scope):
        """Return what the ledger holds of the rule, over the accounts of a member and all merged into it.

        Columns: ``root_id, origin_model, origin_id, period_start, amount, revision, contribution_date``.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT member.root_id, entry.origin_model, %(origin)s AS origin_id, entry.period_start,
                   SUM(entry.amount) AS amount, MAX(entry.revision) AS revision,
                   MAX(entry.contribution_date) AS contribution_date
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE COALESCE(entry.rule_id, 0) = %(rule)s AND entry.type IN %(types)s AND %(within)s
          GROUP BY 1, 2, 3, 4
            """,
            # What a merged member earned in a period is part of what its root did.
            origin=SQL("member.root_id") if self.formula == "bands" else SQL("entry.origin_id"),
            rule=self.id,
            types=RECONCILED_TYPES,
            within=self._get_posted_condition(scope),
        )

    def _get_posted_condition(self, scope):
        """Return which entries lie within a scope, over ``entry`` and ``member``."""
        if scope.origin_model:
            return SQL(
                "entry.origin_model = %s AND entry.origin_id = ANY(%s)", scope.origin_model, list(scope.origin_ids)
            )
        if scope.periods is None:
            # An array of accounts reaches the key of the entries, however little the database knows of the table yet.
            return SQL(
                """entry.account_id = ANY(ARRAY(
                       SELECT holding.id FROM partner_loyalty_account holding
                         JOIN partner_loyalty_member holder ON holder.id = holding.member_id
                        WHERE holder.root_id = ANY(%s) AND holding.unit = %s))""",
                list(scope.root_ids),
                self.unit,
            )
        return SQL(
            """(member.root_id, entry.period_start) IN (
                   SELECT * FROM unnest(%s::integer[], %s::date[]) AS reach(root_id, first_day))""",
            [root_id for root_id, _start, _end in scope.periods],
            [start for _root_id, start, _end in scope.periods],
        )

    # === FIRST POSTING AND BUDGET ===#

    def _freeze(self):
        """Note which rules have posted: who changes one at the same time starts over, and is then refused."""
        fresh = self.filtered(lambda rule: not rule.has_entries)
        if not fresh:
            return
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """UPDATE partner_loyalty_rule rule SET has_entries = TRUE
                    WHERE id = ANY(%s) AND has_entries IS NOT TRUE
                      AND EXISTS (SELECT 1 FROM partner_loyalty_entry entry WHERE COALESCE(entry.rule_id, 0) = rule.id)
                """,
                list(fresh.ids),
            )
        )
        fresh.invalidate_recordset(["has_entries"])

    def _claim_budget(self):
        """Write all versions before their budget is read: a second transaction starts over and finds what is left."""
        if self.filtered("budget"):
            self.env.flush_all()
            versions = list(self._get_versions().ids)
            self.env.execute_query(SQL("UPDATE partner_loyalty_rule SET budget = budget WHERE id = ANY(%s)", versions))

    def _get_affordable_query(self):
        """Return what the budget of the rule leaves of ``lacking``: the earliest sale first, the last of them in part.

        Once a budget is used up nothing is added any more, so that nobody's money is shuffled afterwards.

        :rtype: SQL
        """
        left = SQL(
            "GREATEST(0, %s::numeric - COALESCE((SELECT SUM(amount) FROM partner_loyalty_entry"
            " WHERE COALESCE(rule_id, 0) = ANY(%s) AND type IN %s), 0))",
            self._get_limit("budget"),
            self._get_versions().ids,
            RECONCILED_TYPES,
        )
        return SQL(
            """(
                SELECT account_id, origin_model, origin_id, period_start, posted, revision, contribution_date,
                       is_gone, is_followed, affordable AS amount, affordable <> amount AS is_trimmed, %(columns)s,
                       CASE WHEN affordable <> amount THEN COALESCE(uncapped, target)
                            ELSE uncapped END AS uncapped
                  FROM (SELECT lacking.*, CASE WHEN amount > 0 THEN LEAST(amount, GREATEST(0, %(left)s + amount
                                   - SUM(GREATEST(amount, 0)) OVER (
                                         ORDER BY contribution_date, origin_id, account_id)))
                               ELSE amount END AS affordable
                          FROM lacking) afforded
                 WHERE affordable <> 0)""",
            left=SQL("0") if self._is_used_up() else left,
            columns=SQL(", ").join(
                SQL.identifier(name) for name in self._get_explained_columns() if name != "uncapped"
            ),
        )

    def _close_where_used_up(self):
        """Close the rule where its budget is used up, and say so."""
        if not self.filtered("budget") or self._is_used_up():
            return
        rows = self.env.execute_query(
            SQL(
                """SELECT SUM(amount)::text, MAX(contribution_date) FROM partner_loyalty_entry
                    WHERE COALESCE(rule_id, 0) = ANY(%s) AND type IN %s""",
                self._get_versions().ids,
                RECONCILED_TYPES,
            )
        )
        used, day = rows[0]
        if used and Decimal(used) >= Decimal(self._get_limit("budget")):
            # Whoever answers documents need not have any right on rules.
            self.sudo().write({"used_up_on": day})
            self.program_id.sudo().message_post(
                body=self.env._("The budget of “%(rule)s” is used up: sales earn nothing more by it.", rule=self.name)
            )
