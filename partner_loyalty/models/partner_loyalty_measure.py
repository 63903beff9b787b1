from odoo import models
from odoo.tools import SQL

from ..const import AMOUNT_KINDS, EARNED_TYPES, MEMBER

# The table that says whom a document counts for, see ``_get_holder_table``.
HOLDER = SQL("holder")

# What is counted once, however often it comes, by the field that names it.
DISTINCT_COLUMNS = {
    "customer": SQL("customer_id"),
    "product": SQL("product_id"),
    "campaign": SQL("campaign_id"),
    "month": SQL("date_trunc('month', date)::date"),
}


# What a row by document says as well as one by line.
DOCUMENT_FIELDS = ("amount", "customer", "campaign", "month")


class PartnerLoyaltyMeasure(models.AbstractModel):
    """How a metric is measured: for all members of a program, or some, in one query.

    A source is one method ``_get_value_query_<source>(program, window)`` that returns ``root_id, value``, one row for
    each member with a value; a module adds a source by adding the method and the selection.
    """

    _name = "partner.loyalty.measure"
    _description = "Loyalty Measure"

    # === VALUES ===#

    def _get_value_query(self, program, window):
        """Return the value of the metric for each member of ``program`` that has one.

        :param program: ``partner.loyalty.program``
        :param Window window: days and members
        :return: ``SELECT`` of ``root_id, value``: the member, as ``window.by`` names it, and a numeric
        :rtype: SQL
        """
        self.ensure_one()
        query = self._get_plain_value_query(program, window)
        if not self.is_growth:
            return query
        if not window.first:
            return SQL("SELECT NULL::integer AS root_id, NULL::numeric AS value WHERE FALSE")
        before = self._get_plain_value_query(program, window.get_previous())
        return SQL(
            """
            SELECT root_id, ROUND(100 * (COALESCE(now.value, 0) - before.value) / before.value, 4) AS value
              FROM (%s) before LEFT JOIN (%s) now USING (root_id) WHERE before.value > 0
            """,
            before,
            query,
        )

    def _get_plain_value_query(self, program, window):
        """Return the values as they are, or as percent of those of another metric."""
        query = getattr(self, f"_get_value_query_{self.source}")(program, window)
        if not self.base_id:
            return query
        return SQL(
            """
            SELECT root_id, ROUND(100 * COALESCE(own.value, 0) / base.value, 4) AS value
              FROM (%s) base LEFT JOIN (%s) own USING (root_id) WHERE base.value > 0
            """,
            self.base_id._get_value_query(program, window),
            query,
        )

    def _get_zero(self):
        """Return the value of a member without a row: zero where things are added up or counted, else none."""
        self.ensure_one()
        counts = self.aggregate in ("sum", "count", "distinct") and self.source in ("contribution", "ledger")
        return SQL("0") if counts and not self.base_id and not self.is_growth else SQL("NULL::numeric")

    def _adds_up(self):
        """Return whether the values of members make up one of all of them together.

        What is a different one for a member need not be for others as well: two may sell the same product. Only who
        buys for the first time does so by one member alone.
        """
        self.ensure_one()
        if self.base_id or self.is_growth or self.source not in ("contribution", "ledger", "entered"):
            return False
        if self.aggregate == "distinct":
            return self.field == "customer" and self.kind in ("new_customer", "referral")
        return self.aggregate in ("sum", "count")

    def _get_values(self, program, window):
        """Return the values by member.

        :return: numbers by id of the member, None where there is no value
        :rtype: dict[int, Decimal]
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member.id, COALESCE(measured.value, %(zero)s)
                  FROM (SELECT DISTINCT %(by)s AS id FROM partner_loyalty_member
                         WHERE program_id = %(program)s AND %(members)s) member
             LEFT JOIN (%(query)s) measured ON measured.root_id = member.id
                """,
                zero=self._get_zero(),
                by=SQL.identifier(window.by),
                program=program.id,
                members=self._get_member_condition(window, SQL.identifier(window.by)),
                query=self._get_value_query(program, window),
            )
        )
        return dict(rows)

    # === SOURCES ===#

    def _get_value_query_contribution(self, program, window):
        """Measure what members did.

        Documents, customers and the like count where something is left of them: what was credited in full does not.
        """
        is_by_document = self._is_measured_by_document()
        program = program.with_context(loyalty_by_document=is_by_document)
        if is_by_document and window.shared is not None and self.aggregate in ("sum", "count", "average"):
            return self._get_document_value_query(program, window)
        rows = self._get_contribution_rows(program, self._get_open_window(window))
        if self.aggregate == "sum":
            return SQL(
                "SELECT root_id, ROUND(SUM(%s)::numeric, 4) AS value FROM (%s) AS contribution GROUP BY root_id",
                SQL.identifier(self.field),
                rows,
            )
        is_sale = self.kind in AMOUNT_KINDS
        # Documents of one kind are of one model.
        key = DISTINCT_COLUMNS[self.field] if self.aggregate == "distinct" else SQL("origin_id")
        parts = SQL(
            """SELECT root_id, SUM(amount) AS amount, SUM(quantity) AS quantity, MIN(last_day) AS last_day,
                      MAX(date) FILTER (WHERE %(is_sale)s) AS day
                 FROM (%(rows)s) AS contribution WHERE %(key)s IS NOT NULL GROUP BY root_id, %(key)s""",
            # A credit note is no sale of its own day.
            is_sale=SQL("amount > 0") if is_sale else SQL("TRUE"),
            rows=rows,
            key=key,
        )
        return self._get_query_of_parts(parts, self.field or "amount", has_to_be_left=is_sale)

    def _is_measured_by_document(self):
        """Return whether the amounts of whole documents say enough, so that their lines need not be read.

        For the last one of something they do not: a credit in an invoice is a line of its own.
        """
        if self.kind != "invoice" or not self._get_filter_domain().is_true():
            return False
        return self.aggregate == "count" or (self.aggregate != "last" and self.field in DOCUMENT_FIELDS)

    def _get_document_value_query(self, program, window):
        """Measure whole documents, where several metrics may do so: what they ask for is worked out for all of them."""
        values = SQL(
            """SELECT root_id, ROUND(SUM(amount)::numeric, 4) AS sum,
                      (COUNT(*) FILTER (WHERE amount > 0))::numeric AS count,
                      ROUND(SUM(amount) FILTER (WHERE amount > 0)::numeric
                            / NULLIF(COUNT(*) FILTER (WHERE amount > 0), 0), 4) AS average
                 FROM (SELECT root_id, SUM(amount) AS amount FROM (%s) AS contribution
                     GROUP BY root_id, origin_id) AS document
             GROUP BY root_id""",
            self._get_contribution_rows(program, window._replace(shared=None)),
        )
        return SQL(
            "SELECT root_id, %s AS value FROM (%s) AS measured WHERE %s",
            SQL.identifier(self.aggregate),
            window.share(values),
            SQL("TRUE") if self.aggregate == "sum" else SQL("count > 0"),
        )

    def _get_contribution_rows(self, program, window):
        """Return what members did within a window, by member.

        :rtype: SQL
        """
        query = program._get_own_contribution_query(
            self.kind, self.role, window.first, window.last, domain=self._get_filter_domain()
        )
        column = self._get_column_of(query)
        self._add_membership(query, program, window)
        if window.member_ids is not None:
            query.add_where(SQL("%s = ANY(%s)", column("partner_id"), self._get_partner_array(program, window)))
            query.add_where(self._get_member_condition(window, SQL("membership.member_id")))
        last_day = self._add_spans(query, window, SQL("membership.member_id"), column("date"))
        names = ("amount", "quantity", "origin_id", "customer_id", "product_id", "campaign_id", "date")
        return window.share(
            query.select(
                SQL("membership.member_id AS root_id"),
                SQL("%s AS last_day", last_day),
                *(column(name) for name in names),
            )
        )

    def _get_value_query_ledger(self, program, window):
        """Measure what members earned, as their statements say, by the day of the sale."""
        window = self._get_open_window(window)
        day = SQL("entry.contribution_date")
        last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        parts = SQL(
            """
            SELECT holder.member_id AS root_id, SUM(entry.amount) AS amount, MIN(%(last_day)s) AS last_day,
                   MAX(%(day)s) FILTER (WHERE entry.amount > 0) AS day
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN (%(members)s) holder ON holder.id = account.member_id
              %(spans)s
             WHERE account.program_id = %(program)s AND account.unit = %(unit)s AND entry.type IN %(types)s
               AND %(days)s
          GROUP BY holder.member_id, entry.origin_model, entry.origin_id,
                   CASE WHEN entry.origin_model = %(member)s THEN entry.period_start END
            """,
            last_day=last_day,
            day=day,
            members=self._get_member_table(program, window),
            spans=spans,
            program=program.id,
            unit=self.ledger_unit,
            types=self._get_earned_types(),
            days=self._get_day_condition(window, day),
            # What is earned for a period as a whole has the member for its document.
            member=MEMBER,
        )
        return self._get_query_of_parts(parts, "amount", has_to_be_left=self.aggregate != "sum")

    def _get_value_query_entered(self, program, window):
        """Measure what somebody entered or imported, by the day that it is about."""
        window = self._get_open_window(window)
        day = SQL("entered.date")
        _last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        value = {
            "sum": SQL("SUM(entered.value)::numeric"),
            "average": SQL("ROUND(AVG(entered.value::numeric), 4)"),
            "last": SQL("(array_agg(entered.value ORDER BY entered.date DESC, entered.id DESC))[1]::numeric"),
        }.get(self.aggregate, SQL("COUNT(*)::numeric"))
        return SQL(
            """
            SELECT holder.member_id AS root_id, %(value)s AS value
              FROM partner_loyalty_metric_value entered
              JOIN (%(members)s) holder ON holder.id = entered.member_id
              %(spans)s
             WHERE entered.metric_id = %(metric)s AND %(days)s
          GROUP BY holder.member_id
            """,
            value=value,
            members=self._get_member_table(program, window),
            spans=spans,
            # One that is being filled in has no values yet.
            metric=self._origin.id or 0,
            days=self._get_day_condition(window, day),
        )

    def _get_value_query_punctuality(self, program, window):
        """Measure which percent of the invoices that fell due were paid in full by then.

        What falls due today can still be paid on time, and what was credited in full was never due.
        """
        day = SQL("move.invoice_date_due")
        _last_day, spans = self._get_span_join(window, SQL("holder.member_id"), day)
        return SQL(
            """
            SELECT holder.member_id AS root_id,
                   ROUND(100.0 * COUNT(*) FILTER (WHERE move.amount_residual = 0 AND paid.day <= %(day)s)
                         / COUNT(*), 4) AS value
              FROM account_move move
              JOIN (%(holders)s) holder ON holder.partner_id = move.commercial_partner_id
        CROSS JOIN LATERAL (
                SELECT MAX(partial.max_date) AS day
                  FROM account_move_line term
                  JOIN account_partial_reconcile partial ON partial.debit_move_id = term.id
                 WHERE term.move_id = move.id AND term.display_type = 'payment_term') paid
              %(spans)s
             WHERE move.move_type = 'out_invoice' AND move.state = 'posted' AND move.payment_state <> 'reversed'
               AND move.amount_total > 0 AND move.company_id = %(company)s AND %(days)s
               AND (%(day)s < %(today)s OR move.amount_residual = 0)
               AND %(is_member)s AND %(membership)s
          GROUP BY holder.member_id
            """,
            day=day,
            spans=spans,
            company=program.company_id.id,
            today=program._get_today(),
            holders=self._get_holder_table(program, window),
            days=self._get_day_condition(window, day),
            is_member=self._get_member_condition(window, SQL("holder.member_id")),
            membership=self._get_membership_condition(SQL("move.invoice_date")),
        )

    # === PARTS OF QUERIES ===#

    def _get_query_of_parts(self, parts, field, has_to_be_left):
        """Return what is made of documents, customers or the like.

        :param SQL parts: ``SELECT`` of ``root_id, amount, quantity, day, last_day``, a row for each of them
        :param str field: what is added up
        :param bool has_to_be_left: whether one counts only where its amount is above zero
        :rtype: SQL
        """
        value = {
            "sum": SQL("SUM(%s)", SQL.identifier(field)),
            "average": SQL("ROUND(SUM(%s)::numeric / COUNT(*), 4)", SQL.identifier(field)),
            "last": SQL("(MIN(last_day) - MAX(day))::numeric"),
        }.get(self.aggregate, SQL("COUNT(*)::numeric"))
        return SQL(
            "SELECT root_id, %s AS value FROM (%s) AS part WHERE %s GROUP BY root_id",
            value,
            parts,
            SQL("amount > 0") if has_to_be_left else SQL("TRUE"),
        )

    def _get_open_window(self, window):
        """Return the window to look at: for the last one of something, it has no beginning."""
        if self.aggregate != "last":
            return window
        return window._replace(first=None, spans=window.spans and self._get_open_spans(window))

    def _get_member_table(self, program, window):
        """Return which member each member of a window counts for: ``(id, member_id)``."""
        by = SQL.identifier(window.by)
        return SQL(
            "SELECT id, %s AS member_id FROM partner_loyalty_member WHERE program_id = %s AND %s",
            by,
            program.id,
            self._get_member_condition(window, by),
        )

    def _get_holder_table(self, program, window):
        """Return which member the documents of a partner count for: ``(partner_id, root_id, member_id)``.

        Of the members that a contact stands for after a merge, it is the one that was not merged.
        """
        return SQL(
            """SELECT DISTINCT ON (partner_id, root_id) partner_id, root_id, %s AS member_id
                 FROM partner_loyalty_member WHERE program_id = %s
             ORDER BY partner_id, root_id, merged_into_id IS NOT NULL, id""",
            SQL.identifier(window.by),
            program.id,
        )

    def _get_membership_condition(self, day, holder=HOLDER):
        """Return whether a partner was a member on a day.

        :param SQL day: column of the day of the sale
        :param SQL holder: table with the ``partner_id`` and ``root_id`` of the member
        :rtype: SQL
        """
        return SQL(
            """EXISTS (SELECT 1 FROM partner_loyalty_member_period period
                         JOIN partner_loyalty_member member ON member.id = period.member_id
                        WHERE member.partner_id = %(holder)s.partner_id AND member.root_id = %(holder)s.root_id
                          AND period.date_from <= %(day)s AND (period.date_to IS NULL OR period.date_to >= %(day)s))""",
            day=day,
            holder=holder,
        )

    def _get_day_condition(self, window, day):
        """Return whether a day lies within a window."""
        if window.first is None:
            return SQL("%s <= %s", day, window.last)
        return SQL("%s BETWEEN %s AND %s", day, window.first, window.last)

    def _get_column_of(self, query):
        """Return a function that gives the SQL of a column of the contributions of ``query``."""
        return lambda name: SQL.identifier(query.table, name)

    def _add_membership(self, query, program, window):
        """Join whom a contribution counts for, as ``membership.member_id``, and keep what lies within a membership.

        All members are read, so the days of each are worked out once: a look at its periods for each of a million lines
        takes several times as long. Only where a membership was interrupted, the periods are looked at.
        """
        partner, day = (self._get_column_of(query)(name) for name in ("partner_id", "rate_date"))
        membership = SQL("(%s)", self._get_membership_table(program, window))
        query.add_join("JOIN", "membership", membership, SQL("membership.partner_id = %s", partner))
        query.add_where(
            SQL(
                """%(day)s BETWEEN membership.first_day AND membership.last_day
                   AND (NOT membership.is_interrupted OR %(within)s)""",
                day=day,
                within=self._get_membership_condition(day, SQL("membership")),
            )
        )

    def _get_membership_table(self, program, window):
        """Return which member the documents of a partner count for, and on which days it was one.

        Of the members that a contact stands for after a merge, it is the one that was not merged.

        :return: ``SELECT`` of ``partner_id, root_id, member_id, first_day, last_day, is_interrupted``
        :rtype: SQL
        """
        return SQL(
            """SELECT member.partner_id, member.root_id,
                      (MIN(ARRAY[(member.merged_into_id IS NOT NULL)::integer, member.id, member.%(by)s]))[3]
                          AS member_id,
                      MIN(period.date_from) AS first_day, MAX(COALESCE(period.date_to, 'infinity')) AS last_day,
                      COUNT(*) > 1 AS is_interrupted
                 FROM partner_loyalty_member member
                 JOIN partner_loyalty_member_period period ON period.member_id = member.id
                WHERE member.program_id = %(program)s AND %(is_looked_at)s
             GROUP BY member.partner_id, member.root_id""",
            by=SQL.identifier(window.by),
            program=program.id,
            is_looked_at=SQL("TRUE")
            if window.member_ids is None
            else SQL("member.partner_id = ANY(%s)", self._get_partner_array(program, window)),
        )

    def _get_partner_array(self, program, window):
        """Return the partners whose documents count for the members of a window; an array reaches their index."""
        return SQL(
            "ARRAY(SELECT partner_id FROM partner_loyalty_member WHERE program_id = %s AND %s)",
            program.id,
            self._get_member_condition(window, SQL.identifier(window.by)),
        )

    def _get_member_condition(self, window, column):
        if window.member_ids is None:
            return SQL("TRUE")
        return SQL("%s = ANY(%s)", column, list(window.member_ids))

    def _add_spans(self, query, window, member, day):
        """Let each member have its own days, where the window says so.

        :return: the last day of the member
        :rtype: SQL
        """
        if window.spans is None:
            return SQL("%s::date", window.last)
        query.add_join("JOIN", "span", SQL("(%s)", window.spans), self._get_span_condition(member, day))
        return SQL("span.last_day")

    def _get_span_join(self, window, member, day):
        """Return the last day of a member, and what to join for it."""
        if window.spans is None:
            return SQL("%s::date", window.last), SQL()
        return SQL("span.last_day"), SQL("JOIN (%s) span ON %s", window.spans, self._get_span_condition(member, day))

    def _get_span_condition(self, member, day):
        return SQL("span.root_id = %s AND %s BETWEEN span.first_day AND span.last_day", member, day)

    def _get_open_spans(self, window):
        """Return the spans of a window without their beginning."""
        return SQL("SELECT root_id, '-infinity'::date AS first_day, last_day FROM (%s) AS open_span", window.spans)

    def _get_earned_types(self):
        """Return the types of entries that earn: whatever is spent or expires was earned all the same."""
        return EARNED_TYPES
