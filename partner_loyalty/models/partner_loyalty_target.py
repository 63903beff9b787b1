from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, Query

from ..const import AMOUNT_KINDS, MEMBER, NO_PERIOD, RECONCILED_TYPES

# What the explanation of an entry keeps of the target, as text that is exact.
EXPLAINED_NUMBERS = ("base", "rate", "quantity", "whole", "document_base", "exchange_rate", "uncapped", "cap_before")


class PartnerLoyaltyTarget(models.AbstractModel):
    """What each member should have earned by a rule.

    It is worked out for an origin: for a document, or by bands for the member itself in a period. It is done in steps,
    each a query over the one before: lines that match, with their rate; their sums by origin; what the formula makes of
    these, rounded; what caps leave of it.
    """

    _name = "partner.loyalty.target"
    _description = "Loyalty Target"
    _inherit = ["partner.loyalty.formula"]

    # === TARGET ===#

    def _get_target_query(self, scope):
        """Return what each member should have earned for each origin, rounded once per origin.

        Columns: ``root_id, origin_model, origin_id, period_start, contribution_date, rate_date, is_followed``, those of
        :meth:`_get_explained_columns`, and ``amount``. The day of the sale decides the rate, and all rows of an origin
        have that in common.

        :param Scope scope: as :meth:`_widen` returns it
        :rtype: SQL
        """
        earned = self._get_earned_query(self._get_sum_query(scope))
        if not self.cap_member and not self._has_document_cap():
            return SQL(
                "SELECT earned.*, NULL::numeric AS uncapped, NULL::numeric AS cap_before FROM (%s) earned", earned
            )
        return self._get_capped_query(earned)

    def _get_sum_query(self, scope):
        """Return the sums of each origin that the formula takes, and what explains them.

        :rtype: SQL
        """
        if self.formula == "bands":
            return self._get_period_sum_query(scope)
        part = self._get_part_query(scope)
        if not self._has_category_rates():
            return SQL("SELECT part.*, NULL::jsonb AS parts, NULL::numeric AS previous FROM (%s) part", part)
        return SQL(
            """
            SELECT root_id, origin_model, origin_id, period_start, SUM(base) AS base, SUM(quantity) AS quantity,
                   MAX(whole) AS whole, CASE WHEN COUNT(*) = 1 THEN MIN(rate) END AS rate,
                   MIN(tier_id) AS tier_id, MIN(tier) AS tier, MIN(agreement) AS agreement,
                   MAX(contribution_date) AS contribution_date,
                   MIN(rate_date) AS rate_date, bool_or(is_followed) AS is_followed, MIN(currency) AS currency,
                   SUM(document_base) AS document_base, MIN(exchange_rate) AS exchange_rate,
                   CASE WHEN COUNT(*) > 1 THEN jsonb_agg(jsonb_build_object(
                       'rate', trim_scale(rate)::text, 'base', trim_scale(base)::text,
                       'quantity', trim_scale(quantity)::text) ORDER BY rate DESC) END AS parts,
                   %(more)s NULL::numeric AS previous
              FROM (%(part)s) part
          GROUP BY root_id, origin_model, origin_id, period_start
            """,
            more=SQL("").join(
                SQL("SUM(%(name)s) AS %(name)s,", name=SQL.identifier(name))
                for name in self._get_explained_numbers()
                if name not in EXPLAINED_NUMBERS
            ),
            part=part,
        )

    def _get_part_query(self, scope):
        """Return the sums of the matching lines by member and origin, and by rate where that differs by category.

        The rate depends on nothing but the member and the day of the sale otherwise, so it is looked up once an origin.

        :rtype: SQL
        """
        query = self._get_matching_query(scope)
        column = self._get_column(query)
        has_rates = self._has_category_rates()
        groups = [SQL("membership.root_id"), column("origin_model"), column("origin_id"), SQL("4")]
        columns = [
            *groups[:3],
            SQL("%s AS period_start", self._get_period_start(column("rate_date"))),
            *self._get_sums(query, column),
        ]
        if not has_rates:
            query.groupby = SQL(", ").join(groups)
            return self._get_rated_query(query.select(*columns))
        rate = self._add_rate(query)
        query.groupby = SQL(", ").join([*groups, rate])
        return query.select(*columns, *self._get_rate_columns(rate, lambda value: self._get_first(column, value)))

    def _get_sums(self, query, column):
        """Return the sums of an origin, as aggregates over its lines."""
        return [
            SQL("%s AS partner_id", self._get_first(column, column("partner_id"))),
            SQL("ROUND(SUM(%s), 6) AS base", self._get_base(query)),
            SQL("ROUND(SUM(%s)::numeric, 6) AS quantity", self._get_quantity(column)),
            SQL("%s AS whole", self._get_whole(query)),
            SQL("MAX(%s) AS contribution_date", column("date")),
            SQL("MIN(%s) AS rate_date", column("rate_date")),
            SQL("MIN(%(document)s) <> MAX(%(document)s) AS is_followed", document=column("document_id")),
            *self._get_exchange_columns(column),
            *(SQL("%s AS %s", value, SQL.identifier(name)) for name, value in self._get_more_sums(query).items()),
        ]

    def _get_rated_query(self, sums):
        """Return the sums of each origin with its rate.

        :param SQL sums: see :meth:`_get_sums`
        :rtype: SQL
        """
        query = Query(self.env, "membership", SQL("(%s)", sums))
        return query.select(SQL("membership.*"), *self._get_rate_columns(self._add_rate(query)))

    def _get_rate_columns(self, rate, aggregate=lambda value: value):
        """Return the rate of an origin, and what gave it.

        :param SQL rate: see :meth:`_add_rate`
        :param aggregate: gives one value of all lines, where they are grouped
        """
        agreement = SQL("agreement.name") if self._has_agreements() else SQL("NULL::varchar")
        return [
            SQL("%s AS rate", rate),
            SQL("%s AS tier_id", aggregate(SQL("tier.id"))),
            SQL("%s AS tier", aggregate(SQL("tier.name->>'en_US'"))),
            SQL("%s AS agreement", aggregate(agreement)),
        ]

    def _get_first(self, column, value):
        """Return a value of the document that is the origin itself, as an aggregate of all documents of the origin.

        They differ only where an invoice and its credit note belong to members who were merged since.
        """
        if not self.program_id._has_merged_members():
            return SQL("MIN(%s)", value)
        return SQL(
            "(array_agg(%(value)s ORDER BY %(document)s <> %(origin)s, %(document)s))[1]",
            value=value,
            document=column("document_id"),
            origin=column("origin_id"),
        )

    def _get_base(self, query):
        """Return what is added up as the base of an origin: the amount; a formula of another module may take another.

        :param Query query: over contributions; tables can be joined to it
        :rtype: SQL
        """
        return self._get_column(query)("amount")

    def _get_whole(self, query):
        """Return the net amount of the origin as an aggregate, where the base is not all of it; else NULL.

        :param Query query: over contributions
        :rtype: SQL
        """
        return SQL("MAX(%s)", self._get_column(query)("origin_amount"))

    def _get_more_sums(self, query):
        """Return further sums of an origin, as aggregates by their names among :meth:`_get_explained_numbers`.

        :param Query query: over contributions; tables can be joined to it
        :rtype: dict[str, SQL]
        """
        return {}

    def _get_quantity(self, column):
        """Return the quantity of a contribution that counts: what is given away for nothing is no sale."""
        if self.kind not in AMOUNT_KINDS:
            return column("quantity")
        return SQL("CASE WHEN %s <> 0 THEN %s ELSE 0 END", column("amount"), column("quantity"))

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

    def _get_earned_query(self, sums):
        """Return the sums of each origin with what the formula makes of them, rounded.

        :param SQL sums: see :meth:`_get_sum_query`
        :rtype: SQL
        """
        exact = SQL("COALESCE(%s, 0)", self._get_exact())
        if self.minimum_amount and self.formula != "bands":
            base = SQL("COALESCE(sums.whole, sums.base)")
            exact = SQL("CASE WHEN %s >= %s::numeric THEN %s ELSE 0 END", base, str(self.minimum_amount), exact)
        return SQL("SELECT sums.*, %s AS amount FROM (%s) sums", self._get_rounded(exact), sums)

    def _get_exact(self):
        """Return what an origin earns before rounding, over ``sums``; part by part where rates differ."""
        numbers = [SQL.identifier("sums", name) for name in ("base", "rate", "whole", "quantity")]
        exact = self._get_formula(*numbers)
        if not self._has_category_rates() or self.formula == "bands":
            return exact
        part = self._get_formula(SQL("part.base"), SQL("part.rate"), SQL("sums.whole"), SQL("part.quantity"))
        return SQL(
            """CASE WHEN sums.parts IS NULL THEN %s ELSE (
                   SELECT SUM(%s)
                     FROM jsonb_to_recordset(sums.parts) AS part(rate numeric, base numeric, quantity numeric)) END""",
            exact,
            part,
        )

    def _get_capped_query(self, earned):
        """Return what caps leave: first of each document, then of all in a period, the earliest sale first.

        What a document leaves of the cap of a period is the difference of two capped sums, so that the cap is never
        passed, and a credit note makes room for what comes after.

        :param SQL earned: see :meth:`_get_earned_query`
        :rtype: SQL
        """
        amount = SQL("earned.amount")
        if self._has_document_cap():
            amount = SQL("LEAST(%s, %s::numeric)", amount, self._get_limit("cap_document"))
        cap = SQL("%s::numeric", self._get_limit("cap_member") if self.cap_member else "Infinity")
        return SQL(
            """
            SELECT %(columns)s, LEAST(upto, %(cap)s) - LEAST(upto - within, %(cap)s) AS amount,
                   CASE WHEN %(is_capped)s THEN amount END AS uncapped,
                   CASE WHEN %(is_capped)s THEN upto - within END AS cap_before
              FROM (SELECT within.*, SUM(within) OVER (
                               PARTITION BY root_id, period_start
                               ORDER BY rate_date, origin_id ROWS UNBOUNDED PRECEDING) AS upto
                      FROM (SELECT earned.*, %(amount)s AS within FROM (%(earned)s) earned) within) capped
            """,
            columns=SQL(", ").join(SQL.identifier(name) for name in self._get_target_columns()),
            cap=cap,
            is_capped=SQL("amount <> LEAST(upto, %(cap)s) - LEAST(upto - within, %(cap)s)", cap=cap),
            amount=amount,
            earned=earned,
        )

    def _get_target_columns(self):
        """Return the names of the columns of a target before it is capped, less the amount."""
        own = ["root_id", "origin_model", "origin_id", "period_start", "contribution_date", "rate_date", "is_followed"]
        explained = [name for name in self._get_explained_columns() if name not in ("uncapped", "cap_before")]
        return own + explained

    # === TARGET - MATCHING ===#

    def _get_matching_query(self, scope):
        """Return the contributions that the rule counts, within ``scope``.

        Rules, programs and memberships apply by their dates, on the day of the sale; whether they are archived,
        closed or suspended today does not matter.

        :rtype: Query
        """
        program, guaranteed_to = self.program_id, self._get_guaranteed_to()
        last_day = self.date_to and max(self.date_to, guaranteed_to or self.date_to)
        hypothetical = self.env.context.get("loyalty_hypothetical_days")
        first, last = hypothetical or (
            max(filter(None, (program.date_from, self.date_from))),
            min(filter(None, (program.date_to, last_day)), default=None),
        )
        kind = self.env.context.get("loyalty_hypothetical_kind") or self.kind
        query = program._get_contribution_query(
            kind, self.role, first, last, date_field="rate_date", domain=self._get_full_domain()
        )
        if not hypothetical:
            self._restrict_to_version(query, guaranteed_to)
        if not self.env.context.get("loyalty_reading"):
            self._restrict(query, scope)
        return query

    def _get_reading_query(self, scope):
        """Return what rules of one program, kind and role read of the documents of members, to be read once for all.

        A rule finds it by its name in the context (``loyalty_reading``), in place of the documents.

        :param Scope scope: members
        :rtype: SQL
        """
        program, some = self.program_id, self[0]
        first = min(max(filter(None, (program.date_from, rule.date_from))) for rule in self)
        query = program._get_contribution_query(some.kind, some.role, first, program.date_to, date_field="rate_date")
        some._restrict(query, scope)
        return query.select(SQL("%s.*", SQL.identifier(query.table)), SQL("membership.root_id"))

    def _get_hypothetical_query(self, scope, first, last):
        """Return the target as if the rule had been in force in some days, whatever its own dates are.

        :param Scope scope: members
        :param date first: first day
        :param date last: last day
        :rtype: SQL
        """
        return self.with_context(loyalty_hypothetical_days=(first, last))._get_target_query(scope)

    def _as_if_paid(self):
        """Return rules on payments that look at invoices instead, as if all of them were paid in full.

        :rtype: recordset of ``partner.loyalty.rule``
        """
        return self.with_context(loyalty_hypothetical_kind="invoice")

    def _get_guaranteed_to(self):
        """Return up to which day the rule is guaranteed to some member; None where it is not."""
        rows = self.env.execute_query(
            SQL("SELECT MAX(date_to) FROM partner_loyalty_agreement WHERE kind = 'guarantee' AND rule_id = %s", self.id)
        )
        return rows[0][0]

    def _restrict_to_version(self, query, guaranteed_to):
        """Leave to each version of the rule what its dates say, and to a guaranteed one what was agreed on."""
        column, Agreement = self._get_column(query), self.env["partner.loyalty.agreement"]
        terms = SQL("membership.root_id"), column("partner_id"), column("rate_date")
        if self.date_to and guaranteed_to and guaranteed_to > self.date_to:
            guaranteed = Agreement._get_guaranteed_condition(*terms, self)
            query.add_where(SQL("(%s <= %s OR %s)", column("rate_date"), self.date_to, guaranteed))
        earlier = self._get_earlier_versions()
        if any(rule._get_guaranteed_to() for rule in earlier):
            query.add_where(SQL("NOT %s", Agreement._get_guaranteed_condition(*terms, earlier)))

    def _get_earlier_versions(self):
        """Return the versions of the rule before this one.

        :rtype: recordset of ``partner.loyalty.rule``
        """
        earlier = self.previous_id
        while earlier[-1:].previous_id:
            earlier |= earlier[-1:].previous_id
        return earlier

    def _restrict(self, query, scope, years=0):
        """Let a query read no more than a scope.

        :param Query query: over contributions, with the members joined as ``membership``
        :param Scope scope: what to read
        :param int years: read the periods of the scope so many years earlier
        """
        column = self._get_column(query)
        if scope.origin_model:
            ids = list(scope.document_ids)
            query.add_where(
                SQL(
                    "%s = %s AND %s = ANY(%s)", column("document_model"), scope.origin_model, column("document_id"), ids
                )
            )
        elif scope.periods is None:
            query.add_where(SQL("%s = ANY(%s)", column("partner_id"), self._get_partner_query(scope.root_ids)))
        else:
            self._restrict_to_periods(query, scope.periods, years)

    def _restrict_to_periods(self, query, reaches, years):
        column, shift = self._get_column(query), relativedelta(years=years)
        roots, starts, ends = map(list, zip(*reaches, strict=True)) if reaches else ([], [], [])
        query.add_where(
            SQL(
                """%(partner)s = ANY(%(partners)s) AND EXISTS (
                       SELECT 1 FROM unnest(%(roots)s::integer[], %(starts)s::date[], %(ends)s::date[])
                                  AS reach(root_id, first_day, last_day)
                        WHERE reach.root_id = membership.root_id AND %(day)s BETWEEN first_day AND last_day)""",
                partner=column("partner_id"),
                partners=self._get_partner_query(roots),
                roots=roots,
                starts=[start - shift for start in starts],
                ends=[end - shift for end in ends],
                day=column("rate_date"),
            )
        )

    @api.model
    def _get_partner_query(self, root_ids):
        """Return the partners whose documents belong to members.

        An array reaches the index of the documents; a join to so many tables would be planned after all others.
        """
        return SQL("ARRAY(SELECT partner_id FROM partner_loyalty_member WHERE root_id = ANY(%s))", list(root_ids))

    # === TARGET - RATES ===#

    def _add_rate(self, query):
        """Join what decides the rate of a contribution: tier, product category and special agreement.

        :param Query query: over contributions
        :return: the rate, as SQL
        """
        self._add_tier_period(query)
        query.add_join("LEFT JOIN", "tier", "partner_loyalty_tier", SQL("tier.id = tier_period.tier_id"))
        rates = [self._add_category_rate(query)] if self._has_category_rates() else []
        query.add_join(
            "LEFT JOIN",
            "tier_rate",
            "partner_loyalty_rule_rate",
            SQL(
                "tier_rate.rule_id = %s AND tier_rate.tier_id = tier_period.tier_id AND tier_rate.categ_id IS NULL",
                self.id,
            ),
        )
        rates += [SQL("tier_rate.rate"), SQL("%s::numeric", str(self.rate))]
        usual = SQL("COALESCE(%s)", SQL(", ").join(rates))
        if self._has_multipliers():
            usual = SQL("%s * COALESCE(tier.multiplier, 1)", usual)
        if not self._has_agreements():
            return usual
        self._add_agreement(query, SQL("membership.root_id"), self._get_column(query)("partner_id"))
        return SQL("COALESCE(agreement.rate, %s) * COALESCE(agreement.multiplier, 1)", usual)

    def _has_agreements(self):
        """Return whether any member has agreed on a rate or a multiplier for the rule."""
        return bool(
            self.env.execute_query(
                SQL(
                    """SELECT 1 FROM partner_loyalty_agreement
                        WHERE program_id = %s AND kind IN ('rate', 'multiplier')
                          AND (family_id IS NULL OR family_id = %s) LIMIT 1""",
                    self.program_id.id,
                    self.family_id.id,
                )
            )
        )

    def _add_agreement(self, query, root, partner):
        """Join what the member of a contribution has agreed on for the day of the sale."""
        current = self.env["partner.loyalty.agreement"]._get_current_query(
            self, root, partner, SQL.identifier(query.table, "rate_date")
        )
        query.add_join("LEFT JOIN", "agreement", SQL("LATERAL %s", current), SQL("TRUE"))

    def _add_category_rate(self, query):
        """Join the rate of the product's category: that of the nearest category above it, of the tier before others."""
        column = self._get_column(query)
        query.add_join("LEFT JOIN", "product", "product_product", SQL("product.id = %s", column("product_id")))
        query.add_join("LEFT JOIN", "template", "product_template", SQL("template.id = product.product_tmpl_id"))
        query.add_join(
            "LEFT JOIN",
            "category_rate",
            SQL(
                """(SELECT DISTINCT ON (category.id, tier.id) category.id AS categ_id, tier.id AS tier_id, rate.rate
                      FROM partner_loyalty_rule_rate rate
                      JOIN product_category above ON above.id = rate.categ_id
                      JOIN product_category category ON category.parent_path LIKE above.parent_path || '%%'
                CROSS JOIN (SELECT id FROM partner_loyalty_tier WHERE program_id = %s UNION ALL SELECT 0) tier
                     WHERE rate.rule_id = %s AND COALESCE(rate.tier_id, tier.id) = tier.id
                  ORDER BY category.id, tier.id, length(above.parent_path) DESC, rate.tier_id IS NULL)""",
                self.program_id.id,
                self.id,
            ),
            SQL(
                "category_rate.categ_id = template.categ_id"
                " AND category_rate.tier_id = COALESCE(tier_period.tier_id, 0)"
            ),
        )
        return SQL("category_rate.rate")

    def _add_tier_period(self, query):
        """Join the tier that was in force on the day of the sale: the latest one that began by then, if it lasted."""
        day = SQL.identifier(query.table, "rate_date")
        latest = SQL(
            """LATERAL (SELECT period.tier_id, period.date_to
                          FROM partner_loyalty_tier_period period
                         WHERE period.member_id = %s AND period.date_from <= %s
                      ORDER BY period.date_from DESC LIMIT 1)""",
            self._get_tier_member(query),
            day,
        )
        lasts = SQL("(tier_period.date_to IS NULL OR tier_period.date_to >= %s)", day)
        query.add_join("LEFT JOIN", "tier_period", latest, lasts)

    def _get_tier_member(self, query):
        """Return the member whose tier applies: that of the partner, or else the one that this was merged into.

        Where contacts were merged as well, the partner is several members, and the one that the document earned for
        first is meant. So neither changes anything about documents that were answered before.

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
                       AND holder.root_id = membership.root_id AND holder.partner_id = %(partner)s),
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

    # === TARGET - PERIODS ===#

    def _get_period_sum_query(self, scope):
        """Return what each member contributed in each period, by the measure of the rule.

        :rtype: SQL
        """
        has_agreements = self._has_agreements()
        return SQL(
            """
            SELECT total.root_id, %(model)s AS origin_model, total.root_id AS origin_id, total.period_start,
                   total.base, NULL::numeric AS quantity, NULL::numeric AS whole,
                   %(multiplier)s AS rate, NULL::integer AS tier_id, NULL AS tier, %(agreement)s AS agreement,
                   total.day AS contribution_date,
                   total.period_start AS rate_date, FALSE AS is_followed, NULL AS currency,
                   NULL::numeric AS document_base, NULL::numeric AS exchange_rate, NULL::jsonb AS parts,
                   total.previous
              FROM (%(total)s) total %(agreements)s
            """,
            model=MEMBER,
            multiplier=self._get_period_multiplier(has_agreements),
            agreement=SQL("agreement.name") if has_agreements else SQL("NULL"),
            agreements=self._get_period_agreement() if has_agreements else SQL(),
            total=self._get_period_total_query(scope),
        )

    def _get_period_total_query(self, scope):
        """Return what was measured of each member in each period: ``base``, ``previous``, ``day`` and ``partner_id``.

        What a band is worth comes with the latest sale of the period, but a sum that is given for reaching one comes
        with the sale that reached it: what came afterwards changes nothing of it, so its day stays, whenever it is
        worked out.

        :rtype: SQL
        """
        is_growth = self._is_growth()
        value = SQL(
            """
            SELECT origin.*, %(value)s AS value, %(previous)s AS previous
              FROM (%(origin)s) origin %(last_year)s
            """,
            value=self._get_measure(),
            previous=SQL("last_year.base") if is_growth else SQL("NULL::numeric"),
            origin=self._get_period_origin_query(scope),
            last_year=SQL("JOIN (%s) last_year USING (root_id, period_start)", self._get_last_year_query(scope))
            if is_growth
            else SQL(),
        )
        day = SQL("MAX(day)")
        if self.band_kind == "sum":
            value = self._get_running_query(value)
            # A band from zero on is reached by what comes above zero.
            reached = self._get_reached_threshold(SQL("total"))
            day = SQL("MAX(day) FILTER (WHERE before < %s OR before <= 0)", reached)
        return SQL(
            """
            SELECT root_id, period_start, ROUND(SUM(value) - COALESCE(MIN(previous), 0), 6) AS base,
                   ROUND(MIN(previous), 6) AS previous, %s AS day, MIN(partner_id) AS partner_id
              FROM (%s) value GROUP BY root_id, period_start
            """,
            day,
            value,
        )

    def _get_running_query(self, value):
        """Return the values of origins with the ``total`` of the period, and what was reached ``before`` each of them.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT value.*, ROUND(SUM(value) OVER period - COALESCE(previous, 0), 6) AS total,
                   ROUND(SUM(value) OVER (period ORDER BY day, origin_id ROWS UNBOUNDED PRECEDING)
                         - value - COALESCE(previous, 0), 6) AS before
              FROM (%s) value
            WINDOW period AS (PARTITION BY root_id, period_start)
            """,
            value,
        )

    def _get_period_origin_query(self, scope):
        """Return what each origin contributed, in which period of which member.

        :rtype: SQL
        """
        query = self._get_matching_query(scope)
        column = self._get_column(query)
        query.groupby = SQL("1, 2, 3, 4")
        return query.select(
            SQL("membership.root_id"),
            SQL("%s AS period_start", self._get_period_start(column("rate_date"))),
            SQL("%s AS origin_model", column("origin_model")),
            SQL("%s AS origin_id", column("origin_id")),
            SQL("SUM(%s) AS amount", column("amount")),
            SQL("SUM(%s)::numeric AS quantity", self._get_quantity(column)),
            SQL("MAX(%s) AS day", column("date")),
            SQL("MIN(%s) AS partner_id", column("partner_id")),
        )

    def _has_multipliers(self):
        """Return whether some tier multiplies what is earned."""
        return any(tier.multiplier != 1 for tier in self.program_id.tier_ids)

    def _get_period_multiplier(self, has_agreements):
        """Return what the earning of a period is multiplied by, as agreed on and by the tier on its latest day."""
        agreed = SQL("COALESCE(agreement.multiplier, 1)") if has_agreements else SQL("1::numeric")
        if not self._has_multipliers():
            return agreed
        return SQL(
            """%s * COALESCE((SELECT tier.multiplier FROM partner_loyalty_tier_period period
                           JOIN partner_loyalty_tier tier ON tier.id = period.tier_id
                          WHERE period.member_id = total.root_id AND period.date_from <= total.day
                            AND (period.date_to IS NULL OR period.date_to >= total.day)), 1)""",
            agreed,
        )

    def _get_period_agreement(self):
        """Return the join of what a member has agreed on for the latest day of a period that counts."""
        terms = SQL("total.root_id"), SQL("total.partner_id"), SQL("total.day")
        return SQL(
            "LEFT JOIN LATERAL %s agreement ON TRUE",
            self.env["partner.loyalty.agreement"]._get_current_query(self, *terms),
        )

    def _get_measure(self):
        """Return what is measured of an origin; of all those of a period, it is added up."""
        return {
            "quantity": SQL("quantity"),
            "documents": SQL("(amount > 0)::integer::numeric"),
        }.get(self.measure, SQL("amount"))

    def _get_last_year_query(self, scope):
        """Return what was contributed in the same period of the year before, whether or not it belonged to a member.

        Who sold nothing then does not grow: there is nothing to measure it by.

        :rtype: SQL
        """
        query = self.program_id._get_contribution_query(
            self.kind, self.role, None, None, domain=self._get_full_domain(), within_membership=False
        )
        self._restrict(query, scope, years=1)
        column = self._get_column(query)
        query.groupby = SQL("1, 2")
        year_later = SQL("(%s + interval '1 year')::date", column("rate_date"))
        return SQL(
            "SELECT * FROM (%s) AS last_year WHERE base > 0",
            query.select(
                SQL("membership.root_id"),
                SQL("%s AS period_start", self._get_period_start(year_later)),
                SQL("SUM(%s) AS base", column("amount")),
            ),
        )

    # === GETTERS ===#

    def _get_reach(self):
        """Return the period that one document reaches: what it earns or leaves to others depends on all in it.

        :return: month, quarter, half or year; False where a document stands for itself
        """
        self.ensure_one()
        if self.formula == "bands":
            return self.period
        if self.kind == "anniversary":
            # Of the same membership there is one in each year.
            return "year"
        return bool(self.cap_member) and self.cap_period

    def _is_growth(self):
        """Return whether the rule is about more than the year before, so that it reads that as well."""
        return self.formula == "bands" and self.measure == "growth"

    def _get_period_start(self, day):
        """Return the first day of the period of the rule that ``day`` lies in, as SQL."""
        reach = self._get_reach()
        if reach == "half":
            return SQL(
                "make_date(date_part('year', %(day)s)::integer,"
                " CASE WHEN date_part('month', %(day)s) < 7 THEN 1 ELSE 7 END, 1)",
                day=day,
            )
        return SQL("date_trunc(%s, %s)::date", reach, day) if reach else SQL("%s::date", NO_PERIOD)

    def _get_explained_columns(self):
        """Return the names of the columns of a target that an explanation is made of."""
        return ["tier_id", "tier", "agreement", "currency", "parts", "previous", *self._get_explained_numbers()]

    def _get_explained_numbers(self):
        """Return the names of those that are numbers; a formula of another module may add sums of its own.

        :rtype: tuple[str, ...]
        """
        return EXPLAINED_NUMBERS

    @api.model
    def _get_column(self, query):
        """Return a function that gives the SQL of a column of the contributions of ``query``."""
        return lambda name: SQL.identifier(query.table, name)
