from decimal import Decimal
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import NO_PERIOD, RECONCILED_TYPES, UNITS
from ..tools.posting import Posting

# What an enrollment fills.
ENROLLED_MODELS = (
    "partner.loyalty.member",
    "partner.loyalty.member.period",
    "partner.loyalty.account",
    "partner.loyalty.tier.period",
)

# The copy of the program is gone before anybody could read what was said about it.
QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True, "mail_notrack": True}


class Replay(NamedTuple):
    """What a replay found, by partner where not said otherwise.

    :param postings: list of ``Posting``
    :param turnover: Decimal, of all who were members in the period
    :param tiers: id of the tier on the last day
    :param moves: list of ``(partner id, whether it rose)``, one for each change of a tier
    """

    postings: list
    turnover: dict
    tiers: dict
    moves: list


class PartnerLoyaltyReplay(models.AbstractModel):
    """Plays a program over a past period with the documents that there are, and leaves nothing behind.

    Inside a savepoint the program is copied, enrolls members, decides tiers and posts, all by the code that does so
    at other times; what it has posted is read, and everything is rolled back. So a replay cannot differ from what the
    program would really have posted. That it is a copy keeps what the program has posted already out of it.

    Whoever inherits this has the fields ``program_id``, ``reference_program_id``, ``date_from``, ``date_to`` and
    ``uses_drafts``.
    """

    _name = "partner.loyalty.replay"
    _description = "Replay of a Program"

    # === BUSINESS METHODS - REPLAY ===#

    def _replay(self):
        """Play the program over the period.

        :rtype: Replay
        :raises UserError: where the program has no rule, or nobody could be its member in the period
        """
        self.ensure_one()
        with self.env.cr.savepoint() as savepoint:
            replay = self._play(self._copy_program())
            savepoint.rollback()
        self.env.invalidate_all()
        return replay

    def _copy_program(self):
        """Return a copy of the program that runs during the period, with the rules that are archived by now.

        :rtype: ``partner.loyalty.program``
        """
        program = self.program_id.with_context(active_test=False, **QUIET)
        copy = program.copy({"date_from": self.date_from, "date_to": self.date_to})
        if self.uses_drafts:
            self._apply_drafts(copy)
        copy.action_start()
        return copy

    def _apply_drafts(self, copy):
        """Put drafts into force over the whole period, and all versions before them out of force."""
        for draft in copy.rule_ids.filtered("is_draft"):
            draft._get_earlier_versions().is_draft = True
            draft.write({"is_draft": False, "date_from": False})

    def _play(self, copy):
        """Enroll members into the copy of the program, bring it in line with the documents, and read what it holds."""
        self._enroll_replayed(copy)
        rules, tiers = self._get_originals(copy)
        self._copy_agreements(copy, rules)
        copy._reconcile_members()
        return Replay(
            postings=self._get_postings(copy, rules, tiers),
            turnover=self._get_turnover_by_partner(copy),
            tiers={partner_id: tiers[tier_id] for partner_id, tier_id in self._get_last_tiers(copy).items()},
            moves=self._get_tier_moves(copy),
        )

    def _get_originals(self, copy):
        """Return the ids of the rules and tiers of the program by those of its copy."""
        program = self.program_id.with_context(active_test=False)
        return tuple(
            {new.id: original.id for original, new in program._get_copies(copy, name).items()}
            for name in ("rule_ids", "tier_ids")
        )

    # === BUSINESS METHODS - ENROLLMENT ===#

    def _enroll_replayed(self, copy):
        """Enroll whom the replay is about: the members of the program, else those it is compared with, else customers.

        It is done in one statement: there may be thousands, and nobody is there to be told about them.

        :raises UserError: where there is nobody
        """
        self.env.flush_all()
        ((count,),) = self.env.execute_query(self._get_enroll_query(copy, *self._get_source_queries(copy)))
        self.env.invalidate_all()
        if not count:
            raise UserError(self._get_nobody_message())
        self._count_enrolled()

    def _copy_agreements(self, copy, rules):
        """Let members of the program keep their special agreements.

        :param dict rules: ids of the rules of the program by those of its copy
        """
        self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_agreement (
                       name, member_id, program_id, company_id, rule_id, family_id, kind, rate, multiplier, discount,
                       date_from, date_to)
                SELECT agreement.name, member.id, member.program_id, member.company_id, rule.id, rule.family_id,
                       agreement.kind, agreement.rate, agreement.multiplier, agreement.discount, agreement.date_from,
                       agreement.date_to
                  FROM partner_loyalty_agreement agreement
                  JOIN partner_loyalty_member original ON original.id = agreement.member_id
                  JOIN partner_loyalty_member member
                    ON member.program_id = %(copy)s AND member.partner_id = original.partner_id
                   AND (member.merged_into_id IS NULL) = (original.merged_into_id IS NULL)
             LEFT JOIN unnest(%(copies)s::integer[], %(originals)s::integer[]) AS pair(copy_id, original_id)
                    ON pair.original_id = agreement.rule_id
             LEFT JOIN partner_loyalty_rule rule ON rule.id = pair.copy_id
                 WHERE agreement.program_id = %(program)s
                """,
                copy=copy.id,
                program=self.program_id.id,
                copies=list(rules),
                originals=list(rules.values()),
            )
        )

    def _count_enrolled(self):
        """Let PostgreSQL count who is there now.

        It would go on to think that the copy has no members, and look for the documents of thousands one by one: that
        takes many times as long. Two backtests at once wait here for each other.
        """
        for model in ENROLLED_MODELS:
            self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(self.env[model]._table)))

    def _get_nobody_message(self):
        source = self._get_source_program()
        if not source:
            return self.env._("Nobody bought anything in this period: choose another one.")
        return self.env._(
            "Nobody was a member of “%(program)s” in this period: choose another period or program to compare with.",
            program=source.name,
        )

    def _get_source_program(self):
        """Return the program whose members are enrolled; none where all customers are.

        :rtype: ``partner.loyalty.program``
        """
        return next(
            (program for program in (self.program_id, self.reference_program_id) if program.member_ids),
            self.reference_program_id,
        )

    def _get_source_queries(self, copy):
        """Return who is enrolled, and from when to when each of them was a member.

        :return: ``SELECT`` of ``key, partner_id, merged_into, root, turnover_root, referrer, keeps_turnover,
            group_root``, where all but the partner and the turnover that is kept name other keys; and of
            ``key, date_from, date_to``
        :rtype: tuple[SQL, SQL]
        """
        source = self._get_source_program()
        if source:
            return self._get_member_queries(source)
        customers = self._get_customer_query(copy)
        return customers, SQL(
            "SELECT key, %s::date AS date_from, %s::date AS date_to FROM source", self.date_from, self.date_to
        )

    def _get_member_queries(self, source):
        """Enroll the members of a program, with those that were merged into them."""
        return (
            SQL(
                """SELECT id AS key, partner_id, merged_into_id AS merged_into, root_id AS root,
                          turnover_root_id AS turnover_root, referrer_id AS referrer, keeps_turnover,
                          group_root_id AS group_root
                     FROM partner_loyalty_member WHERE program_id = %s""",
                source.id,
            ),
            SQL(
                """SELECT period.member_id AS key, period.date_from, period.date_to
                     FROM partner_loyalty_member_period period
                     JOIN source ON source.key = period.member_id"""
            ),
        )

    def _get_customer_query(self, copy):
        """Enroll all whose documents of the period could earn something by a rule of the program."""
        pairs = {(rule.kind, rule.role) for rule in copy.rule_ids}
        return SQL(
            """
            SELECT partner.id AS key, partner.id AS partner_id, NULL::integer AS merged_into, partner.id AS root,
                   partner.id AS turnover_root, NULL::integer AS referrer, FALSE AS keeps_turnover,
                   partner.id AS group_root
              FROM res_partner partner
             WHERE partner.id IN (%(partners)s) AND partner.active
               AND COALESCE(partner.company_id = %(company)s, TRUE)
            """,
            partners=SQL(" UNION ").join(self._get_partner_query_of(copy, *pair) for pair in sorted(pairs)),
            company=copy.company_id.id,
        )

    def _get_partner_query_of(self, copy, kind, role):
        # The engine looks past the sale record rules, and the query returns nothing but partners.
        contribution_sudo = self.env["partner.loyalty.contribution"].sudo()
        query = contribution_sudo.with_context(tz=copy.tz, active_test=False, loyalty_branch=(kind, role))._search(
            Domain([("kind", "=", kind), ("role", "=", role), ("company_id", "=", copy.company_id.id)])
            & Domain([("rate_date", ">=", self.date_from), ("rate_date", "<=", self.date_to)])
        )
        if kind == "order":
            copy._add_moment_range(query, self.date_from, self.date_to)
        return query.select(SQL.identifier(query.table, "partner_id"))

    def _get_enroll_query(self, copy, source, periods):
        """Return the statement that enrolls; it returns how many members there are, without those merged into others.

        Memberships are cut to the period. Tiers start with the first day of a member, or of one merged into it.
        """
        return SQL(
            """
            WITH source AS MATERIALIZED (
                SELECT nextval('partner_loyalty_member_id_seq')::integer AS id, source.* FROM (%(source)s) source
            ), span AS MATERIALIZED (
                SELECT source.id AS member_id, root.id AS root_id, GREATEST(period.date_from, %(from)s) AS date_from,
                       LEAST(period.date_to, %(to)s) AS date_to
                  FROM (%(periods)s) period
                  JOIN source ON source.key = period.key
                  JOIN source root ON root.key = source.root
                 WHERE period.date_from <= %(to)s AND COALESCE(period.date_to >= %(from)s, TRUE)
            ), root AS MATERIALIZED (
                SELECT root_id AS id, MIN(date_from) AS date_from, MAX(date_to) AS date_to FROM span GROUP BY root_id
            ), %(inserts)s
            SELECT COUNT(*) FROM root
            """,
            source=source,
            periods=periods,
            inserts=self._get_enroll_inserts(copy),
            **{"from": self.date_from, "to": self.date_to},
        )

    def _get_enroll_inserts(self, copy):
        """Return the parts that write what comes with a membership, see ``create`` of members."""
        return SQL(
            """
            member AS (
                INSERT INTO partner_loyalty_member (
                       id, program_id, company_id, partner_id, merged_into_id, root_id, turnover_root_id,
                       group_root_id, referrer_id, keeps_turnover, suspended, date_from, date_to, state)
                SELECT source.id, %(program)s, %(company)s, source.partner_id, heir.id, head.id,
                       COALESCE(turnover.id, source.id),
                       COALESCE(leader.id, turnover.id, source.id), sponsor.id, source.keeps_turnover, FALSE,
                       root.date_from,
                       root.date_to, 'ended'
                  FROM source
                  JOIN source head ON head.key = source.root
             LEFT JOIN source heir ON heir.key = source.merged_into
             LEFT JOIN source sponsor ON sponsor.key = source.referrer
             LEFT JOIN source turnover ON turnover.key = source.turnover_root
             LEFT JOIN source leader ON leader.key = source.group_root
             LEFT JOIN root ON root.id = source.id
            ), member_period AS (
                INSERT INTO partner_loyalty_member_period (member_id, company_id, date_from, date_to)
                SELECT member_id, %(company)s, date_from, date_to FROM span
            ), account AS (
                INSERT INTO partner_loyalty_account (member_id, program_id, company_id, unit, balance, version)
                SELECT source.id, %(program)s, %(company)s, unit, 0, 0 FROM source, unnest(%(units)s) unit
            ), tier_period AS (
                INSERT INTO partner_loyalty_tier_period (
                       member_id, program_id, company_id, tier_id, cause, is_change, date_from)
                SELECT root.id, %(program)s, %(company)s, %(lowest)s, 'joining', TRUE, root.date_from
                  FROM root WHERE %(lowest)s IS NOT NULL
            )
            """,
            program=copy.id,
            company=copy.company_id.id,
            lowest=SQL("%s::integer", copy._get_tiers()[:1].id or None),
            units=[unit for unit, _label in UNITS],
        )

    # === GETTERS ===#

    def _get_postings(self, program, rules=None, tiers=None):
        """Return what a program has posted for sales of the period.

        :param dict rules: ids to give instead of those of the rules
        :param dict tiers: ids to give instead of those of the tiers
        :rtype: list[Posting]
        """
        rules, tiers = rules or {}, tiers or {}
        origins = self._get_origins(program, rules)
        postings = []
        for row in self.env.execute_query(self._get_posting_query(program)):
            posting = Posting(*row)
            model, record_id = origins.get((posting.origin_model, posting.origin_id), posting[2:4])
            postings.append(
                posting._replace(
                    rule_id=rules.get(posting.rule_id, posting.rule_id),
                    tier_id=tiers.get(posting.tier_id, posting.tier_id),
                    origin_model=model,
                    origin_id=record_id,
                    amount=Decimal(posting.amount),
                )
            )
        return postings

    def _get_origins(self, program, rules):
        """Return what stands for origins that are part of a program: the partner for a member, the rule for a copy."""
        members = self.env.execute_query(
            SQL("SELECT id, partner_id FROM partner_loyalty_member WHERE program_id = %s", program.id)
        )
        origins = {("partner.loyalty.rule", copy_id): ("partner.loyalty.rule", rules[copy_id]) for copy_id in rules}
        origins.update(
            (("partner.loyalty.member", member_id), ("res.partner", partner_id)) for member_id, partner_id in members
        )
        return origins

    def _get_posting_query(self, program):
        """Return the columns of ``Posting``, over the accounts of a member and all merged into it.

        A sale belongs to the day of its document, also where a credit note or payment came later: it is this day that
        decides whether a program applies.

        :rtype: SQL
        """
        contribution = self.env["partner.loyalty.contribution"].with_context(tz=program.tz)
        return SQL(
            """
            SELECT root.partner_id, entry.rule_id, entry.origin_model, entry.origin_id, entry.period_start,
                   (array_agg(entry.explanation->>'tier_id' ORDER BY entry.id DESC)
                       FILTER (WHERE entry.explanation->>'tier_id' IS NOT NULL))[1]::integer AS tier_id,
                   MIN(COALESCE(move.invoice_date, %(order_day)s, NULLIF(entry.period_start, %(no_period)s),
                                entry.contribution_date)) AS day,
                   account.unit, SUM(entry.amount)::text AS amount
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
              JOIN partner_loyalty_member root ON root.id = member.root_id
         LEFT JOIN account_move move ON entry.origin_model = 'account.move' AND move.id = entry.origin_id
         LEFT JOIN sale_order sale ON entry.origin_model = 'sale.order' AND sale.id = entry.origin_id
             WHERE entry.program_id = %(program)s AND entry.type IN %(types)s
          GROUP BY root.partner_id, entry.rule_id, entry.origin_model, entry.origin_id, entry.period_start,
                   account.unit
            HAVING SUM(entry.amount) <> 0
               AND MIN(COALESCE(move.invoice_date, %(order_day)s, NULLIF(entry.period_start, %(no_period)s),
                                entry.contribution_date)) BETWEEN %(from)s AND %(to)s
            """,
            order_day=contribution._get_local_day(SQL("sale.date_order")),
            no_period=NO_PERIOD,
            program=program.id,
            types=RECONCILED_TYPES,
            **{"from": self.date_from, "to": self.date_to},
        )

    def _get_turnover_by_partner(self, copy):
        """Return the turnover of all members in the period, as the program counts it; zero for those without any.

        :rtype: dict[int, Decimal]
        """
        query = copy._get_contribution_query(copy.tier_kind, copy.tier_role, self.date_from, self.date_to)
        query.groupby = SQL.identifier("membership", "root_id")
        amount = SQL("SUM(%s) AS amount", SQL.identifier(query.table, "amount"))
        rows = self.env.execute_query(
            SQL(
                """SELECT member.partner_id, COALESCE(ROUND(turnover.amount, %s), 0)::text
                     FROM partner_loyalty_member member
                LEFT JOIN (%s) turnover ON turnover.root_id = member.id
                    WHERE member.program_id = %s AND member.root_id = member.id AND member.date_from IS NOT NULL""",
                copy.currency_id.decimal_places,
                query.select(SQL("membership.root_id"), amount),
                copy.id,
            )
        )
        return {partner_id: Decimal(amount) for partner_id, amount in rows}

    def _get_last_tiers(self, program):
        """Return the tier that each partner had on the last day of the period.

        :rtype: dict[int, int]
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT member.partner_id, period.tier_id
                         FROM partner_loyalty_tier_period period
                         JOIN partner_loyalty_member member ON member.id = period.member_id
                        WHERE period.program_id = %(program)s AND member.root_id = member.id
                          AND period.date_from <= %(day)s AND COALESCE(period.date_to >= %(day)s, TRUE)""",
                    program=program.id,
                    day=self.date_to,
                )
            )
        )

    def _get_tier_moves(self, program):
        """Return each change of a tier that came into force in the period: partner, and whether it rose.

        :rtype: list[tuple[int, bool]]
        """
        return self.env.execute_query(
            SQL(
                """SELECT member.partner_id,
                          array_position(%(tiers)s, period.tier_id)
                              > array_position(%(tiers)s, period.previous_tier_id)
                     FROM partner_loyalty_tier_period period
                     JOIN partner_loyalty_member member ON member.id = period.member_id
                    WHERE period.program_id = %(program)s AND period.is_change AND period.previous_tier_id IS NOT NULL
                      AND period.date_from BETWEEN %(from)s AND %(to)s""",
                tiers=SQL("(%s::integer[])", program._get_tiers().ids),
                program=program.id,
                **{"from": self.date_from, "to": self.date_to},
            )
        )
