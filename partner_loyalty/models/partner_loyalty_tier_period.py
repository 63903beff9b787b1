from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import periods

TURNOVER_MONTHS = 12


class PartnerLoyaltyTierPeriod(models.Model):
    """Which tier a member had from when to when: one row for each decision, with what it was decided on."""

    _name = "partner.loyalty.tier.period"
    _description = "Tier History"
    _order = "date_from desc, id desc"
    _rec_name = "tier_id"

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", required=True, index=True, ondelete="restrict", readonly=True
    )
    tier_color = fields.Integer(related="tier_id.color", aggregator=None)
    previous_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", string="Tier before", ondelete="restrict", readonly=True
    )
    is_change = fields.Boolean(string="Tier Changed", readonly=True)
    date_from = fields.Date(string="In Force from", required=True, readonly=True)
    date_to = fields.Date(string="In Force until", readonly=True)
    evaluation_date = fields.Date(
        string="Decided as of", readonly=True, help="The end of the month that was evaluated; empty on joining."
    )
    turnover = fields.Monetary(readonly=True, aggregator=None, help="Turnover that the decision was taken on.")
    evidence = fields.Json(readonly=True)

    # === CONSTRAINTS ===#

    _member_date_unique = models.UniqueIndex("(member_id, date_from)")
    _member_date_to_idx = models.Index("(member_id, date_from, date_to)")

    # === BUSINESS METHODS ===#

    @api.model
    def _start(self, members, earliest=None):
        """Put new members into the lowest tier of their program from the first day of their membership.

        :param members: members without any tier so far
        :param date earliest: the first day that tiers can be in force, where that is later
        """
        self.create(
            [
                {
                    "member_id": member.id,
                    "program_id": member.program_id.id,
                    "company_id": member.company_id.id,
                    "tier_id": member.program_id.tier_ids.sorted("threshold")[0].id,
                    "is_change": True,
                    "date_from": max(filter(None, (member.date_from, earliest))),
                }
                for member in members
                if member.program_id.tier_ids and member.date_from
            ]
        )

    @api.model
    def _get_first_undecided_day(self, program):
        """Return the earliest day after which a member of ``program`` has no decision, or None without members."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT MIN(undecided.day)
                  FROM partner_loyalty_member member
                  JOIN partner_loyalty_program program ON program.id = member.program_id
             LEFT JOIN (SELECT member_id, MAX(evaluation_date) AS day
                          FROM partner_loyalty_tier_period WHERE program_id = %(program)s GROUP BY member_id) decided
                    ON decided.member_id = member.id
            CROSS JOIN LATERAL (
                    SELECT COALESCE(decided.day + 1, GREATEST(member.date_from, program.date_from)) AS day
                 ) undecided
                 WHERE member.program_id = %(program)s AND member.merged_into_id IS NULL
                   AND COALESCE(member.date_to >= (date_trunc('month', undecided.day)
                                                   + interval '1 month - 1 day')::date, TRUE)
                """,
                program=program.id,
            )
        )
        return rows[0][0]

    @api.model
    def _decide(self, program, day):
        """Decide the tiers of ``program`` on the month end ``day``, for members without a later decision.

        The tier is the highest whose threshold the turnover reaches, the lowest where it reaches none.
        """
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                WITH turnover AS (%(turnover)s), closed AS (%(close)s)
                INSERT INTO partner_loyalty_tier_period (
                       member_id, program_id, company_id, tier_id, previous_tier_id, is_change, date_from,
                       evaluation_date, turnover, evidence, create_uid, create_date, write_uid, write_date)
                SELECT member.id, member.program_id, member.company_id, tier.id, closed.tier_id,
                       closed.tier_id IS DISTINCT FROM tier.id, %(next_day)s, %(day)s, tier.turnover,
                       jsonb_build_object('metric', 'turnover', 'kind', %(kind)s, 'role', %(role)s,
                                          'from', %(start)s::date, 'to', %(day)s::date, 'value', tier.turnover::text,
                                          'threshold', tier.threshold::text),
                       %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM closed
                  JOIN partner_loyalty_member member ON member.id = closed.member_id
             LEFT JOIN turnover ON turnover.root_id = member.id
            CROSS JOIN LATERAL (%(tier)s) tier
                """,
                turnover=self._get_turnover_query(program, day),
                close=self._get_close_query(program, day),
                tier=self._get_reached_tier_query(program),
                day=day,
                next_day=day + timedelta(days=1),
                start=periods.trailing_months_start(day, TURNOVER_MONTHS),
                kind=program.tier_kind,
                role=program.tier_role,
                uid=self.env.uid,
            )
        )
        self.env.invalidate_all()

    @api.model
    def _get_close_query(self, program, day):
        """Return the statement that ends the tiers of all who are to be decided with ``day``."""
        return SQL(
            """
            UPDATE partner_loyalty_tier_period period
               SET date_to = %(day)s
              FROM partner_loyalty_member member
             WHERE period.program_id = %(program)s AND period.date_to IS NULL
               AND member.id = period.member_id AND %(due)s
         RETURNING period.member_id, period.tier_id
            """,
            program=program.id,
            day=day,
            due=self._get_due_condition(day),
        )

    @api.model
    def _get_reached_tier_query(self, program):
        """Return the highest tier that a row of ``turnover`` reaches, or the lowest."""
        return SQL(
            """
            SELECT tier.id, tier.threshold, COALESCE(turnover.amount, 0) AS turnover
              FROM partner_loyalty_tier tier
             WHERE tier.program_id = %s
               AND (tier.threshold <= COALESCE(turnover.amount, 0) OR tier.threshold = 0)
          ORDER BY tier.threshold DESC LIMIT 1
            """,
            program.id,
        )

    @api.model
    def _get_due_condition(self, day):
        """Members who are to be decided on ``day``: who belong to the program then and whose tier is still open."""
        return SQL(
            "member.merged_into_id IS NULL AND member.date_from <= %(day)s AND period.date_from <= %(day)s"
            " AND COALESCE(member.date_to >= %(day)s, TRUE)",
            day=day,
        )

    @api.model
    def _get_turnover_query(self, program, day):
        """Return the turnover of each member, ``(root_id, amount)``, in the twelve calendar months up to ``day``."""
        start = periods.trailing_months_start(day, TURNOVER_MONTHS)
        query = program._get_contribution_query(program.tier_kind, program.tier_role, start, day)
        # Of the members that a contact stands for after a merge, the one that was not merged decides.
        holder = SQL(
            """(SELECT DISTINCT ON (partner_id, root_id) partner_id, root_id, turnover_root_id
                  FROM partner_loyalty_member WHERE program_id = %s
              ORDER BY partner_id, root_id, merged_into_id IS NOT NULL, id)""",
            program.id,
        )
        query.add_join(
            "JOIN",
            "holder",
            holder,
            SQL("holder.partner_id = membership.partner_id AND holder.root_id = membership.root_id"),
        )
        query.groupby = SQL.identifier("holder", "turnover_root_id")
        return query.select(
            SQL("holder.turnover_root_id AS root_id"),
            SQL("ROUND(SUM(%s), 4) AS amount", SQL.identifier(query.table, "amount")),
        )
