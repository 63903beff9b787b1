from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date
from odoo.tools.misc import formatLang

from ..const import RECONCILED_TYPES

# A rule that lasts no longer is a promotion, with or without a campaign: a quarter of a year.
PROMOTION_DAYS = 92

# Conditions on these make sales before the promotion fall through its filter, whoever bought.
INCOMPARABLE_FIELDS = ("campaign_id", "date", "rate_date")

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltyRule(models.Model):
    """A promotion is a short rule with dates, grouped with others under one campaign: what came of it."""

    _inherit = "partner.loyalty.rule"

    # === FIELDS ===#

    is_promotion = fields.Boolean(
        compute="_compute_is_promotion", store=True, help="It has a campaign, or a start and an end within 92 days."
    )
    only_joined = fields.Boolean(
        string="Only Who Has Joined",
        help="Only members who have joined its campaign earn by it, with all sales of its days; of those before they "
        "joined, a manager is asked.",
    )
    # Members and documents can have earned by several promotions: their numbers do not add up.
    promotion_member_count = fields.Integer(
        string="Members Who Earned", compute="_compute_promotion_result", groups=OFFICER, aggregator=None
    )
    promotion_document_count = fields.Integer(
        string="Number of Documents", compute="_compute_promotion_result", groups=OFFICER, aggregator=None
    )
    promotion_turnover = fields.Monetary(
        string="Turnover",
        compute="_compute_promotion_result",
        groups=OFFICER,
        help="The net turnover that has earned by the rule, as its statement lines explain it.",
    )
    promotion_points = fields.Float(
        string="Points Given", digits=(18, 2), compute="_compute_promotion_result", groups=OFFICER
    )
    promotion_money = fields.Monetary(string="Money Given", compute="_compute_promotion_result", groups=OFFICER)
    promotion_cost_share = fields.Float(
        string="Cost of Turnover (%)",
        digits=(16, 2),
        aggregator=None,
        compute="_compute_promotion_result",
        groups=OFFICER,
        help="Money, and points at their value in the program, as a share of the turnover.",
    )
    promotion_prior_turnover = fields.Monetary(
        string="Turnover Before",
        compute="_compute_promotion_result",
        groups=OFFICER,
        help="What the same members turned over with such sales in as many days before the start. It is no proof.",
    )
    promotion_result = fields.Char(string="Result", compute="_compute_promotion_result", groups=OFFICER)

    # === COMPUTE METHODS ===#

    @api.depends("campaign_id", "date_from", "date_to")
    def _compute_is_promotion(self):
        for rule in self:
            is_short = rule.date_from and rule.date_to and (rule.date_to - rule.date_from).days < PROMOTION_DAYS
            rule.is_promotion = bool(rule.campaign_id or is_short)

    @api.depends("date_from", "date_to", "campaign_id")
    @api.depends_context("lang")
    def _compute_promotion_result(self):
        figures, prior = self._get_promotion_figures(), self._get_prior_turnover()
        for rule in self:
            facts = figures.get(rule._origin.id, {"members": 0, "documents": 0, "turnover": "0", "amount": "0"})
            turnover, amount = Decimal(facts["turnover"]), Decimal(facts["amount"])
            before = prior.get(rule._origin.id)
            share = rule._get_cost_share(amount, turnover)
            rule.promotion_member_count = facts["members"]
            rule.promotion_document_count = facts["documents"]
            rule.promotion_turnover = float(turnover)
            rule.promotion_points = float(amount) if rule.unit == "point" else 0
            rule.promotion_money = float(amount) if rule.unit == "money" else 0
            rule.promotion_cost_share = float(share or 0)
            rule.promotion_prior_turnover = float(before or 0)
            rule.promotion_result = rule._get_promotion_text(facts["documents"], turnover, share, before)

    # === CONSTRAINT METHODS ===#

    @api.constrains("only_joined", "campaign_id")
    def _check_campaign_to_join(self):
        for rule in self:
            if rule.only_joined and not rule.campaign_id:
                raise ValidationError(
                    self.env._("“%s” is for who has joined its campaign: choose the campaign.", rule.name)
                )

    # === BUSINESS METHODS - PROMOTIONS ===#

    def _get_own_domain(self):
        """Override: only what members did who have joined, where the rule asks for that."""
        domain = super()._get_own_domain()
        if not self.only_joined:
            return domain
        # By its partner, so that what somebody did who was taken over since has earned as before.
        joined = Domain("participation_ids.campaign_id", "=", self.campaign_id.id)
        return domain & Domain("partner_id.loyalty_member_ids", "any", joined)

    def _is_joined_by(self, partner):
        """Return whether a partner takes part: it has joined the campaign, or the rule does not ask for that.

        :param partner: ``res.partner``
        """
        self.ensure_one()
        # Whoever asks need not see who has joined.
        participations_sudo = partner.sudo().loyalty_member_ids.participation_ids
        return not self.only_joined or self.campaign_id in participations_sudo.campaign_id

    def _get_earned(self, member):
        """Return what a member has earned by rules, in the unit of each; with what was earned before a merger.

        :param member: ``partner.loyalty.member``
        :return: amount by id of the rule, without rules by which nothing was earned
        :rtype: dict[int, Decimal]
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.rule_id, SUM(entry.amount)::text
                  FROM partner_loyalty_entry entry
                 WHERE COALESCE(entry.rule_id, 0) = ANY(%(rules)s) AND entry.type IN %(types)s
                   AND entry.account_id IN (SELECT account.id FROM partner_loyalty_account account
                                              JOIN partner_loyalty_member member ON member.id = account.member_id
                                             WHERE member.root_id = %(member)s)
              GROUP BY entry.rule_id
                """,
                rules=list(self.ids),
                types=RECONCILED_TYPES,
                member=member.id,
            )
        )
        return {rule_id: Decimal(amount) for rule_id, amount in rows}

    def _get_promotion_days(self):
        """Return the first day of the rule and the last one that has come, or None where it has not started.

        :rtype: tuple | None
        """
        self.ensure_one()
        program = self.program_id
        if not program:
            return None
        first = max(filter(None, (program.date_from, self.date_from)))
        last = min(filter(None, (program.date_to, self.date_to, program._get_today())))
        return (first, last) if first <= last else None

    def _can_be_earned(self):
        """Return whether something can be earned by the rule today or later."""
        self.ensure_one()
        end = min(filter(None, (self.date_to, self.program_id.date_to)), default=None)
        return self.active and not self.is_draft and (not end or end >= self.program_id._get_today())

    def _get_cost_share(self, amount, turnover):
        """Return how many percent of the turnover the rule costs, or None where nobody can say.

        :param Decimal amount: what members have earned, in the unit of the rule
        :param Decimal turnover: what they have earned it with
        :rtype: Decimal | None
        """
        self.ensure_one()
        value = Decimal(str(self.program_id.point_value)) if self.unit == "point" else Decimal(1)
        return amount * value * 100 / turnover if turnover > 0 and value else None

    def _get_promotion_text(self, documents, turnover, share, before):
        """Return in plain sentences what came of the promotion.

        :param int documents: number of documents that earn
        :param Decimal turnover: their net turnover
        :param Decimal share: percent of it that the rule costs, or None
        :param Decimal before: turnover of the same members before, or None where it does not compare
        :rtype: str
        """
        self.ensure_one()
        days = self._get_promotion_days()
        if not days:
            start = self.date_from or self.program_id.date_from
            return self.env._("It starts on %s.", format_date(self.env, start)) if start else ""
        if not documents:
            return self.env._("Nobody has earned anything by it so far.")
        count = (days[1] - days[0]).days + 1
        parts = [
            self.env._(
                "Turnover in %(days)s days: %(turnover)s.", days=count, turnover=self._format_promotion_money(turnover)
            )
        ]
        if share is not None:
            parts.append(self.env._("It costs %s %% of that.", self._format_promotion_number(share)))
        return " ".join([*parts, *self._get_comparison_texts(count, turnover, before)])

    def _get_comparison_texts(self, days, turnover, before):
        """Return how the turnover compares with that before, and what that says.

        :param int days: number of days that are compared
        :rtype: list[str]
        """
        if before is None:
            return [
                self.env._(
                    "There is nothing to compare it with: its filter asks for a campaign or for days, "
                    "and no sale before can match that."
                )
            ]
        texts = [
            self.env._(
                "The same members in the %(days)s days before, with such sales: %(turnover)s.",
                days=days,
                turnover=self._format_promotion_money(before),
            )
        ]
        if before > 0:
            change = (turnover - before) * 100 / before
            terms = {"share": self._format_promotion_number(abs(change))}
            more, less = (
                self.env._("That is %(share)s %% more.", **terms),
                self.env._("That is %(share)s %% less.", **terms),
            )
            texts.append(more if change > 0 else less if change < 0 else self.env._("That is just as much."))
        texts.append(
            self.env._(
                "This is no proof: season, prices and other offers play a part, "
                "and only members are compared who have earned, so who has bought."
            )
        )
        return texts

    def _format_promotion_money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)

    def _format_promotion_number(self, number):
        return formatLang(self.env, float(number), digits=1)

    # === GETTERS ===#

    def _get_promotion_figures(self):
        """Return what came of rules: ``members``, ``documents``, ``turnover`` and ``amount`` by id, in one query.

        :rtype: dict[int, dict]
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT rule_id, COUNT(DISTINCT root_id) FILTER (WHERE amount > 0) AS members,
                       COUNT(DISTINCT (origin_model, origin_id)) FILTER (WHERE amount <> 0) AS documents,
                       COALESCE(SUM(base), 0)::text AS turnover, COALESCE(SUM(amount), 0)::text AS amount
                  FROM (%s) answer
              GROUP BY rule_id
                """,
                self._get_promotion_answer_query(),
            )
        )
        return {row["rule_id"]: row for row in rows}

    def _get_promotion_answer_query(self):
        """Return what members have earned by the rules: ``(rule_id, root_id, origin_model, origin_id, amount, base)``.

        ``base`` is the turnover that counts today: each line explains all of its document, so the last one holds.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT entry.rule_id, member.root_id, entry.origin_model, entry.origin_id, entry.period_start,
                   SUM(entry.amount) AS amount,
                   (array_agg(COALESCE(entry.explanation->>'turnover', entry.explanation->>'base')::numeric
                              ORDER BY entry.id DESC))[1] AS base
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE COALESCE(entry.rule_id, 0) = ANY(%s) AND entry.type IN %s
          GROUP BY entry.rule_id, member.root_id, entry.origin_model, entry.origin_id, entry.period_start
            """,
            list(self._origin.ids),
            RECONCILED_TYPES,
        )

    def _get_prior_turnover(self):
        """Return what the members of each rule turned over before it, by id, in one query.

        Rules whose sales before do not compare are left out.

        :rtype: dict[int, Decimal]
        """
        queries = [rule._get_prior_query() for rule in self._origin if rule._is_comparable()]
        if not queries:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(SQL(" UNION ALL ").join(queries))
        return {rule_id: Decimal(turnover) for rule_id, turnover in rows}

    def _is_comparable(self):
        """Return whether sales before the rule could have matched it."""
        self.ensure_one()
        if self.error or not self._get_promotion_days():
            return False
        names = [condition.field_expr for condition in self._get_own_domain().iter_conditions()]
        return not any(name.split(".")[0] in INCOMPARABLE_FIELDS for name in names)

    def _get_prior_query(self):
        """Return the turnover of the members who earned, in as many days before: ``(rule_id, turnover)``.

        It counts whether or not they had been members then.

        :rtype: SQL
        """
        first, last = self._get_promotion_days()
        before = first - timedelta(days=(last - first).days + 1), first - timedelta(days=1)
        program = self.program_id
        # Officers compare the turnover of members with all of their sales, as they see all of the performance.
        contribution_sudo = self.env["partner.loyalty.contribution"].sudo()
        contribution_sudo = contribution_sudo.with_context(
            tz=program.tz, active_test=False, loyalty_branch=(self.kind, self.role)
        )
        query = contribution_sudo._search(
            Domain([("kind", "=", self.kind), ("role", "=", self.role), ("company_id", "=", self.company_id.id)])
            & Domain("rate_date", ">=", before[0])
            & Domain("rate_date", "<=", before[1])
            & self._get_own_domain()
        )
        if self.kind == "order":
            program._add_moment_range(query, *before)
        column = self._get_column(query)
        query.add_where(
            SQL(
                """%s IN (SELECT member.partner_id FROM partner_loyalty_member member
                           WHERE member.root_id IN (SELECT root_id FROM (%s) answer WHERE amount > 0))""",
                column("partner_id"),
                self._get_promotion_answer_query(),
            )
        )
        return query.select(SQL("%s", self.id), SQL("COALESCE(ROUND(SUM(%s), 6), 0)::text", column("amount")))
