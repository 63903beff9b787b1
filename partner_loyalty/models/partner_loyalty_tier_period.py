from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..const import STAFF_GROUPS
from .partner_loyalty_tier_decision import FEW_MEMBERS

# Why a member has the tier that was decided, see ``_get_outcome``.
OUTCOMES = [
    ("deserved", "Reached"),
    ("valid", "Still valid"),
    ("grace", "Not reached: a grace period begins"),
    ("in_grace", "Not reached: in the grace period"),
    ("step", "Not reached: one tier down"),
    ("never", "Not reached: kept, since nobody falls"),
]


class PartnerLoyaltyTierPeriod(models.Model):
    """Which tier a member had from when to when: one row for each decision, with what it was decided on."""

    _name = "partner.loyalty.tier.period"
    _description = "Tier History"
    _inherit = ["partner.loyalty.tier.decision"]
    _order = "date_from desc, id desc"
    _rec_name = "tier_id"
    # The days of a decision say when, and only people are named who made one: programs decide by thousands.
    _log_access = False

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, ondelete="restrict", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    tier_id = fields.Many2one(comodel_name="partner.loyalty.tier", required=True, ondelete="restrict", readonly=True)
    tier_color = fields.Integer(related="tier_id.color", aggregator=None)
    previous_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", string="Tier before", ondelete="restrict", readonly=True
    )
    is_change = fields.Boolean(string="Tier Changed", readonly=True)
    date_from = fields.Date(string="In Force from", required=True, readonly=True)
    date_to = fields.Date(string="In Force until", readonly=True)
    evaluation_date = fields.Date(
        string="Decided as of", readonly=True, help="The last day that was looked at; empty on joining."
    )
    cause = fields.Selection(
        selection=[
            ("joining", "Joining"),
            ("evaluation", "Decision"),
            ("override", "Set by Hand"),
            ("takeover", "Take-Over"),
        ],
        required=True,
        default="evaluation",
        readonly=True,
    )
    outcome = fields.Selection(selection=OUTCOMES, readonly=True)
    valid_until = fields.Date(readonly=True, help="The tier is kept up to this day at least.")
    grace_until = fields.Date(
        string="Grace until", readonly=True, help="The tier is kept up to this day, and has to be reached by then."
    )
    override_until = fields.Date(string="By Hand until", readonly=True)
    reason = fields.Char(readonly=True, groups=STAFF_GROUPS, help="Why somebody set the tier by hand.")
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Set by",
        ondelete="restrict",
        readonly=True,
        groups=STAFF_GROUPS,
        help="Who set the tier by hand, or published it.",
    )
    turnover = fields.Monetary(readonly=True, aggregator=None, help="Turnover that the decision was taken on.")
    evidence = fields.Json(readonly=True)
    review_id = fields.Many2one(
        comodel_name="partner.loyalty.tier.review",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        groups="partner_loyalty.partner_loyalty_group_officer",
        help="The review that published the tier, where people looked at it first.",
    )
    is_told = fields.Boolean(
        string="Looked at for E-mails", readonly=True, help="Whether the member was told of the tier, or need not be."
    )

    evidence_text = fields.Html(string="Decided on", compute="_compute_evidence_text")
    recipients = fields.Char(compute="_compute_recipients", help="Ids of the contacts who are told, for the template.")

    # === CONSTRAINTS ===#

    _member_date_unique = models.UniqueIndex("(member_id, date_from)")
    # One row a member, of as many as there were decisions: what is in force, and what a decision closes.
    _open_idx = models.Index("(member_id) WHERE date_to IS NULL")
    # What is looked for by program is who rose and fell; of the many decisions that left a tier as it was, none.
    _change_idx = models.Index("(program_id) WHERE is_change")

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_recipients(self):
        reachable_sudo = self.member_id._get_reachable()
        # Whom a tier is told is no secret of the tier.
        for period_sudo in self.sudo():
            reached_sudo = reachable_sudo[period_sudo.member_id.partner_id]
            period_sudo.recipients = ",".join(map(str, reached_sudo.ids)) or False

    @api.depends("evidence")
    @api.depends_context("lang")
    def _compute_evidence_text(self):
        for period in self:
            lines = period._get_evidence_texts(period.evidence)
            period.evidence_text = (
                Markup("<ul>%s</ul>") % Markup("").join(Markup("<li>%s</li>") % line for line in lines)
                if lines
                else False
            )

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
                    "tier_id": member.program_id._get_tiers()[0].id,
                    "cause": "joining",
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
             LEFT JOIN partner_loyalty_tier_period period ON period.member_id = member.id AND period.date_to IS NULL
             LEFT JOIN (SELECT line.member_id, MAX(review.evaluation_date) AS day
                          FROM partner_loyalty_tier_review_line line
                          JOIN partner_loyalty_tier_review review ON review.id = line.review_id
                         WHERE line.program_id = %(program)s AND review.state <> 'canceled'
                      GROUP BY line.member_id) proposed
                    ON proposed.member_id = member.id
            CROSS JOIN LATERAL (
                    SELECT GREATEST(proposed.day, COALESCE(period.evaluation_date, (
                               SELECT MAX(known.evaluation_date) FROM partner_loyalty_tier_period known
                                WHERE known.member_id = member.id))) AS day
                 ) decided
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
    def _get_own_decision_day(self, program, first, last):
        """Return the first day of a time on which something of a member ends; None without one.

        That is a time of grace, a tier that was set by hand, or a year of membership where that is measured.
        """
        queries = [
            SQL(
                "SELECT %s AS day FROM partner_loyalty_tier_period WHERE program_id = %s AND date_to IS NULL",
                end,
                program.id,
            )
            for end in (SQL("grace_until"), SQL("override_until"))
        ]
        if program.tier_period == "anniversary":
            queries.append(
                SQL(
                    """SELECT (date_from + make_interval(years => years))::date - 1 AS day
                         FROM partner_loyalty_member, generate_series(1, 100) AS years
                        WHERE program_id = %s AND merged_into_id IS NULL""",
                    program.id,
                )
            )
        rows = self.env.execute_query(
            SQL(
                "SELECT MIN(day) FROM (%s) AS own WHERE day BETWEEN %s AND %s",
                SQL(" UNION ALL ").join(queries),
                first,
                last,
            )
        )
        return rows[0][0]

    @api.model
    def _decide(self, program, day):
        """Decide the tiers of ``program`` on ``day``, for members without a later decision.

        Whose period ends then gets a whole decision, and so does whose time of grace or tier by hand ends. Where
        members rise at once, all others can do so.
        """
        self.env.flush_all()
        ends = self._get_period_end_condition(program, day)
        own = SQL("(period.grace_until = %s::date OR period.override_until = %s::date)", day, day)
        can_rise = SQL("(%s OR %s)", ends, SQL("%s", program.tier_upgrade == "at_once"))
        self._decide_due(program, day, SQL("%s AND (%s IS NOT TRUE OR %s)", can_rise, own, ends), ends)
        self._decide_due(program, day, SQL("%s AND NOT %s", own, ends), SQL("TRUE"), is_trailing=True)
        self.env.invalidate_all()

    @api.model
    def _decide_due(self, program, day, condition, is_full, is_trailing=False):
        """Decide for those who are due, or propose it; see :meth:`_get_decision_query`."""
        condition = SQL("%s AND %s", self._get_due_condition(program, day), condition)
        due = self._get_due_query(program, condition, is_full)
        holders = self.env.execute_query(SQL("SELECT holder_id FROM (%s) AS due LIMIT %s", due, FEW_MEMBERS))
        if not holders:
            return
        few = tuple({row[0] for row in holders}) if len(holders) < FEW_MEMBERS else None
        decision = self._get_decision_query(program, day, due, is_trailing, few)
        if program.tier_mode == "review":
            self.env["partner.loyalty.tier.review"]._propose(program, day, decision)
        else:
            self._put_in_force(program, day, decision)

    @api.model
    def _put_in_force(self, program, day, decision):
        """Write what is decided on a day into the tier history.

        :param SQL decision: see :meth:`_get_decision_query`
        """
        self.env.execute_query(
            SQL(
                """
                WITH decision AS MATERIALIZED (
                    SELECT member_id, tier_id, decided_id, turnover, evidence, outcome, valid_until, grace_until
                      FROM (%(decision)s) AS decision
                     WHERE is_full OR array_position(%(tiers)s, decided_id) > array_position(%(tiers)s, tier_id)
                ), closed AS (
                    UPDATE partner_loyalty_tier_period period SET date_to = %(day)s
                      FROM decision WHERE period.member_id = decision.member_id AND period.date_to IS NULL
                )
                INSERT INTO partner_loyalty_tier_period (
                       member_id, program_id, company_id, tier_id, previous_tier_id, is_change, date_from,
                       evaluation_date, turnover, evidence, cause, outcome, valid_until, grace_until)
                SELECT member.id, member.program_id, member.company_id, decided_id, decision.tier_id,
                       decided_id <> decision.tier_id, %(next_day)s, %(day)s, turnover, evidence, 'evaluation',
                       outcome, valid_until, grace_until
                  FROM decision JOIN partner_loyalty_member member ON member.id = decision.member_id
                """,
                decision=decision,
                tiers=SQL("(%s::integer[])", program._get_tiers().ids),
                day=day,
                next_day=day + timedelta(days=1),
            )
        )

    @api.model
    def _get_due_condition(self, program, day):
        """Members who can be decided on ``day``: who belong to the program then, with a tier that goes on.

        What was proposed for a day or a later one is not decided again. A tier that was published may be in force from
        a later day than the next one that is looked at.
        """
        since = SQL("period.date_from")
        if program.tier_mode == "review":
            since = SQL("COALESCE(period.evaluation_date + 1, period.date_from)")
        return SQL(
            """%(since)s <= %(day)s AND member.date_from <= %(day)s
               AND COALESCE(member.date_to >= %(day)s, TRUE) AND COALESCE(period.override_until <= %(day)s, TRUE)
               AND NOT EXISTS (SELECT 1 FROM partner_loyalty_tier_review_line line
                                 JOIN partner_loyalty_tier_review review ON review.id = line.review_id
                                WHERE line.member_id = member.id AND review.evaluation_date >= %(day)s
                                  AND review.state <> 'canceled')""",
            since=since,
            day=SQL("%s::date", day),
        )

    @api.model
    def _get_period_end_condition(self, program, day):
        """Return whether the period that is measured ends on ``day``, for ``member``."""
        if program.tier_period != "anniversary":
            return SQL("%s", program._get_next_period_end(day) == day)
        next_day = SQL("%s::date", day + timedelta(days=1))
        start = program._get_membership_year_start(SQL("member.date_from"), next_day)
        return SQL("%s = %s", start, next_day)

    @api.model
    def _queue_mails(self, program):
        """Tell the members whose tier is another one since this was done last, where the program does so at all."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                WITH told AS (
                    UPDATE partner_loyalty_tier_period SET is_told = TRUE
                     WHERE program_id = %(program)s AND is_change AND is_told IS NOT TRUE AND date_from <= %(today)s
                 RETURNING id, member_id, tier_id, previous_tier_id, cause, date_from
                )
                SELECT (array_agg(told.id ORDER BY told.date_from DESC))[1]
                  FROM told JOIN partner_loyalty_member member ON member.id = told.member_id
                 WHERE told.cause <> 'joining' AND member.state = 'active'
              GROUP BY member.id
                HAVING (array_agg(told.tier_id ORDER BY told.date_from DESC))[1]
                       <> (array_agg(told.previous_tier_id ORDER BY told.date_from))[1]
                """,
                program=program.id,
                today=program._get_today(),
            )
        )
        self.env.invalidate_all()
        if program.tier_mails and rows:
            self.browse(row[0] for row in rows)._send_mails()

    def _send_mails(self):
        """Queue an e-mail to each member that has an address, with the next mails that Odoo sends.

        A template that cannot be filled in is noted on the program, and holds no tier up.
        """
        # Templates and partners are read by the program, whoever publishes a tier.
        template = self.env.ref("partner_loyalty.mail_template_tier_change", raise_if_not_found=False)
        reachable_sudo = self.sudo().filtered(lambda period: period.recipients and period.member_id._hears_of("tier"))
        if not template or not reachable_sudo:
            return
        template_sudo = template.sudo()
        try:
            with self.env.cr.savepoint():
                template_sudo.send_mail_batch(reachable_sudo.ids, force_send=False)
        except UserError as error:
            reachable_sudo.program_id.message_post(
                body=self.env._(
                    "%(count)s members were not told of their new tier, since the e-mail could not be made: "
                    "correct the template “%(template)s”. %(error)s",
                    count=len(reachable_sudo),
                    template=template_sudo.name,
                    error=error,
                )
            )

    def _get_evidence_texts(self, evidence):
        """Say what was measured of each condition.

        :param dict evidence: what was kept of a decision
        :rtype: list[str]
        """
        self.ensure_one()
        return [self._get_evidence_line(fact) for fact in (evidence or {}).get("conditions", ())]

    def _get_evidence_line(self, fact):
        """Say what was measured of a condition, and what was asked for.

        :param dict fact: one of the conditions in the evidence
        :rtype: str
        """
        self.ensure_one()
        metric = self.env["partner.loyalty.metric"].new({"unit": fact["unit"], "direction": fact["direction"]})
        terms = {
            "metric": self.env["partner.loyalty.metric"]._get_name_of(fact["metric_id"]) or fact["name"],
            "value": metric._format_value(fact["value"] and Decimal(fact["value"]), self.currency_id),
            "bound": metric._format_bound(Decimal(fact["minimum"]), self.currency_id),
        }
        if fact["met"]:
            return self.env._("%(metric)s: %(value)s, asked for: %(bound)s", **terms)
        return self.env._("%(metric)s: %(value)s, not met: %(bound)s", **terms)

    def _get_lasting(self):
        """Return the tiers that go on: of each member its latest one."""
        return self.filtered(lambda period: not period.date_to)

    def _set_by_hand(self, tier, until, reason):
        """Put the members of tiers that go on into another one from tomorrow on, whatever they reach, and tell why.

        What follows from tiers is brought up to date by who calls this; see ``program._refresh_tiers``.

        :param tier: ``partner.loyalty.tier``
        :param date until: its last day; on that day it is decided again which tier was reached
        :param str reason: kept in the history, and noted on the membership
        :return: the new tiers
        :rtype: recordset of ``partner.loyalty.tier.period``
        """
        created = self._set_from(
            tier,
            tier.program_id._get_today(),
            cause="override",
            evidence={"override": {"user_id": self.env.uid}},
            override_until=until,
            reason=reason,
            user_id=self.env.uid,
        )
        for period in created:
            period.member_id.message_post(body=period._get_override_note())
        return created

    def _get_override_note(self):
        """Return what is noted on the membership about a tier that was set by hand."""
        return self.env._(
            "Tier set by hand: %(tier)s from tomorrow until %(date)s. %(reason)s",
            tier=self.tier_id.name,
            date=format_date(self.env, self.override_until),
            reason=self.reason,
        )

    def _set_from(self, tier, day, **values):
        """Put the members of tiers that go on into another one, after today or after the tier so far began.

        :param tier: ``partner.loyalty.tier``
        :param date day: the last day of the tier so far
        :return: the new tiers
        :rtype: recordset of ``partner.loyalty.tier.period``
        """
        created = self.browse()
        for period in self:
            last = max(day, period.date_from)
            period.date_to = last
            created += period.copy(
                {
                    "tier_id": tier.id,
                    "previous_tier_id": period.tier_id.id,
                    "is_change": tier != period.tier_id,
                    "date_from": last + timedelta(days=1),
                    "date_to": False,
                    "evaluation_date": False,
                    "turnover": 0,
                    "evidence": False,
                    "outcome": False,
                    "valid_until": False,
                    "grace_until": False,
                    "override_until": False,
                    "reason": False,
                    "user_id": False,
                    "review_id": False,
                    "is_told": False,
                    **values,
                }
            )
        return created
