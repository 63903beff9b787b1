from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

# Measured for so few members by themselves, the others need not be read.
FEW_MEMBERS = 500


class PartnerLoyaltyTierDecision(models.AbstractModel):
    """How the tier of each member is decided on a day: for all members of a program in one query.

    It is done in steps, each a query over the one before: who is due, what each of them measures, the highest tier
    that this reaches, and what the policy of the program makes of it.
    """

    _name = "partner.loyalty.tier.decision"
    _description = "Tier Decision"

    # === DECISION ===#

    @api.model
    def _get_decision_query(self, program, day, due, is_trailing=False, member_ids=None):
        """Return what is decided on a day.

        Columns: ``member_id, tier_id`` (the tier so far), ``deserved_id`` (the highest that was reached),
        ``decided_id``, ``outcome`` (why it is that one, see :meth:`_get_outcome`), ``valid_until``, ``grace_until``,
        ``is_full``, ``turnover``, ``progress`` (towards the tier after the one so far), ``missing`` (what that asks
        for) and ``evidence``.

        :param program: ``partner.loyalty.program``
        :param date day: the day
        :param SQL due: see :meth:`_get_due_query`
        :param bool is_trailing: measure a whole period up to the day
        :param list member_ids: holders of what is measured, where they are few
        :rtype: SQL
        """
        tiers = program._get_tiers()
        window = program._get_tier_window(day, is_trailing)._replace(member_ids=member_ids)
        metrics = program._get_tier_metrics()
        columns = {metric._origin.id or None: SQL.identifier(f"value_{i}") for i, metric in enumerate(metrics)}
        measured = self._get_measured_query(program, window, due, metrics)
        return SQL(
            """
            SELECT member_id, tier_id, %(tiers)s[deserved] AS deserved_id, %(tiers)s[decided] AS decided_id, outcome,
                   is_full, %(turnover)s AS turnover, %(valid)s AS valid_until, %(grace)s AS grace_until,
                   %(evidence)s AS evidence, %(progress)s::numeric AS progress, %(missing)s::jsonb AS missing
              FROM (SELECT judged.*, %(decided)s AS decided
                      FROM (SELECT reached.*, %(outcome)s AS outcome FROM (%(reached)s) reached) judged) decided
            """,
            tiers=self._get_tier_array(tiers),
            turnover=columns[None],
            valid=self._get_valid_until(program, day),
            grace=self._get_grace_until(program, day),
            evidence=self._get_evidence(program, window, tiers, columns),
            progress=self._get_by_rank("rank", [tier._get_progress(columns) for tier in tiers[1:]]),
            missing=self._get_by_rank("rank", [tier._get_evidence(columns) for tier in tiers[1:]]),
            decided=self._get_decided_rank(),
            outcome=self._get_outcome(program, day),
            reached=self._get_reached_query(tiers, columns, measured),
        )

    @api.model
    def _get_reached_query(self, tiers, columns, measured):
        """Return what was measured with the rank of the tier so far, and that of the tier that is reached."""
        return SQL(
            "SELECT measured.*, array_position(%s, tier_id) AS rank, %s AS deserved FROM (%s) measured",
            self._get_tier_array(tiers),
            self._get_reached_rank(tiers, columns),
            measured,
        )

    @api.model
    def _get_tier_array(self, tiers):
        """Return the tiers from the lowest to the highest, so that the place of one is its rank."""
        return SQL("(%s::integer[])", tiers.ids)

    @api.model
    def _get_decided_rank(self):
        """Return the rank that follows from the outcome."""
        return SQL(
            "CASE outcome WHEN 'deserved' THEN deserved WHEN 'step' THEN GREATEST(rank - 1, deserved) ELSE rank END"
        )

    @api.model
    def _get_due_query(self, program, condition, is_full):
        """Return whose tiers are to be decided: members with a tier that goes on.

        What a member measures is measured of its group, or of it alone where another one took over its turnover.

        :param SQL condition: over ``member`` and ``period``, the tier that goes on
        :param SQL is_full: whether the decision is a whole one; else a member can only rise
        :rtype: SQL
        """
        return SQL(
            """
            SELECT member.id AS member_id, period.tier_id, period.valid_until, period.grace_until,
                   period.override_until, %(is_full)s AS is_full,
                   CASE WHEN member.turnover_root_id = member.id THEN member.group_root_id
                        ELSE member.id END AS holder_id
              FROM partner_loyalty_tier_period period
              JOIN partner_loyalty_member member ON member.id = period.member_id
             WHERE period.program_id = %(program)s AND period.date_to IS NULL AND member.merged_into_id IS NULL
               AND %(condition)s
            """,
            is_full=is_full,
            program=program.id,
            condition=condition,
        )

    @api.model
    def _get_measured_query(self, program, window, due, metrics):
        """Return who is due with the value of each metric: ``value_0`` is the turnover."""
        # Turnover and the number of orders, say, are read from the same documents.
        window = window._replace(shared={})
        joins, values = [], []
        for number, metric in enumerate(metrics):
            alias = SQL.identifier(f"metric_{number}")
            joins.append(
                SQL(
                    "LEFT JOIN (%(query)s) AS %(alias)s ON %(alias)s.root_id = due.holder_id",
                    query=metric._get_value_query(program, window),
                    alias=alias,
                )
            )
            values.append(
                SQL("COALESCE(%s.value, %s) AS %s", alias, metric._get_zero(), SQL.identifier(f"value_{number}"))
            )
        first = SQL("%s::date AS first_day", window.first)
        if window.spans is not None:
            first = SQL("span.first_day")
            joins.append(SQL("LEFT JOIN (%s) AS span ON span.root_id = due.member_id", window.spans))
        return SQL(
            "%s SELECT due.*, %s, %s FROM (%s) AS due %s",
            window.get_shared(),
            first,
            SQL(", ").join(values),
            due,
            SQL(" ").join(joins),
        )

    @api.model
    def _get_reached_rank(self, tiers, columns):
        """Return the rank of the highest tier that the values reach; the lowest is 1 and reached by all."""
        cases = [
            SQL("WHEN %s THEN %s", tier._get_met_condition(columns), rank)
            for rank, tier in reversed(list(enumerate(tiers, start=1)))
            if rank > 1
        ]
        return SQL("CASE %s ELSE 1 END", SQL(" ").join(cases)) if cases else SQL("1")

    @api.model
    def _get_outcome(self, program, day):
        """Return why a member has the tier that is decided.

        ``deserved``: it is the one that was reached. ``valid``: the one so far is valid still. ``never``: nobody falls.
        ``grace``: a time of grace begins, ``in_grace``: it goes on. ``step``: it falls by one tier.
        ``by_hand``: it was set by hand for longer, which only who looks ahead comes across.
        """
        return SQL(
            """
            CASE WHEN override_until > %(day)s THEN 'by_hand'
                 WHEN override_until <= %(day)s OR deserved >= rank THEN 'deserved'
                 WHEN valid_until > %(day)s THEN 'valid'
                 WHEN %(is_never)s THEN 'never'
                 WHEN grace_until > %(day)s THEN 'in_grace'
                 WHEN grace_until IS NULL AND %(grace)s > 0 THEN 'grace'
                 WHEN %(is_step)s THEN 'step'
                 ELSE 'deserved' END
            """,
            day=day,
            is_never=program.tier_downgrade == "never",
            grace=program.tier_grace_months or 0,
            is_step=program.tier_downgrade == "step",
        )

    @api.model
    def _get_valid_until(self, program, day):
        months = program.tier_validity_months
        if not months:
            return SQL("NULL::date")
        return SQL(
            "CASE outcome WHEN 'deserved' THEN %s WHEN 'valid' THEN valid_until END",
            self._get_months_later(day, months),
        )

    @api.model
    def _get_grace_until(self, program, day):
        months = program.tier_grace_months
        if not months:
            return SQL("NULL::date")
        return SQL(
            "CASE outcome WHEN 'grace' THEN %s WHEN 'in_grace' THEN grace_until END",
            self._get_months_later(day, months),
        )

    @api.model
    def _get_months_later(self, day, months):
        """Return the last of so many months that begin on the day after ``day``; of a month's end it is one as well."""
        next_day = day + timedelta(days=1)
        return SQL("(%s::date + make_interval(months => %s))::date - 1", next_day, months)

    @api.model
    def _get_evidence(self, program, window, tiers, columns):
        """Return what a decision was taken on, as JSON: the values, and what the tier that was reached asks for."""
        return SQL(
            """
            jsonb_build_object(
                'metric', 'turnover', 'kind', %(kind)s::varchar, 'role', %(role)s::varchar, 'from', first_day,
                'to', %(to)s::date, 'value', %(turnover)s::text, 'threshold', %(threshold)s, 'outcome', outcome,
                'deserved', %(tiers)s[deserved], 'needed', %(needed)s, 'conditions', %(conditions)s)
            """,
            kind=program.tier_kind,
            role=program.tier_role,
            to=window.last,
            turnover=columns[None],
            threshold=self._get_by_rank("deserved", [SQL("%s::text", f"{tier.threshold:.2f}") for tier in tiers], 1),
            tiers=self._get_tier_array(tiers),
            needed=self._get_by_rank("deserved", [SQL("%s", tier._get_needed_count()) for tier in tiers], 1),
            conditions=self._get_by_rank("deserved", [tier._get_evidence(columns) for tier in tiers], 1),
        )

    @api.model
    def _get_by_rank(self, column, values, first=1):
        """Return one of several values, by a rank that counts from ``first``; NULL for any other."""
        if not values:
            return SQL("NULL")
        cases = [SQL("WHEN %s THEN %s", rank, value) for rank, value in enumerate(values, start=first)]
        return SQL("CASE %s %s END", SQL.identifier(column), SQL(" ").join(cases))
