from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL, format_date, formatLang

from ..const import EARNED_TYPES
from ..tools import periods
from ..tools.scope import Scope

# The checks, in the order in which they are worth looking at; each is a method ``_find_<name>`` of the advice.
CHECKS = [
    ("margin", "Paid More than the Margin"),
    ("rule", "Rules That Nobody Meets"),
    ("reward", "Rewards That Nobody Claims"),
    ("bonus", "Bonus Actions That Reach Nobody"),
    ("tier", "Tiers with Nobody in"),
    ("near", "Just below a Threshold"),
    ("terms", "Terms Not Accepted"),
    ("login", "Members without Login"),
]

# What is younger than this is not judged yet.
DAYS_OF_GRACE = 30
# Who has so much of what a threshold asks for is just below it.
NEAR_SHARE = 90
NAMES_IN_SENTENCE = 3


class PartnerLoyaltyAdvice(models.TransientModel):
    """Looks through a program for what does nothing, costs too much or misses people by little, and where to change it.

    A module adds a check by adding to ``CHECKS`` of the lines and defining ``_find_<name>()``, which returns a list of
    what :meth:`_prepare_line_vals` returns.
    """

    _name = "partner.loyalty.advice"
    _description = "Advice on a Program"

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="program_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(string="As of", readonly=True)
    date_from = fields.Date(string="Since", readonly=True, help="The first day of what was looked at.")
    line_ids = fields.One2many(comodel_name="partner.loyalty.advice.line", inverse_name="advice_id", readonly=True)

    # === COMPUTE METHODS ===#

    @api.depends("program_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for advice in self:
            advice.display_name = self.env._("Advice on “%s”", advice.program_id.name)

    # === ACTION METHODS ===#

    def action_look_again(self):
        """Look through the program again, after something was changed."""
        self.ensure_one()
        return self.program_id.action_advise()

    # === BUSINESS METHODS ===#

    @api.model
    def _advise(self, program):
        """Look through a program.

        :param program: ``partner.loyalty.program``
        :return: the advice, with a line for each finding
        """
        program.check_access("read")
        today = program._get_today()
        first = max(program.date_from, today - relativedelta(years=1) + timedelta(days=1))
        advice = self.create({"program_id": program.id, "date": today, "date_from": first})
        self.env.flush_all()
        # Who may look at a program reads how many members something is about, whoever looks after them.
        advice_sudo = advice.sudo()
        advice.line_ids = [
            Command.create({**vals, "kind": kind, "sequence": place})
            for place, (kind, _label) in enumerate(advice_sudo.line_ids._fields["kind"].selection)
            for vals in getattr(advice_sudo, f"_find_{kind}")()
        ]
        return advice

    @api.model
    def _prepare_line_vals(self, text, count, model, ids):
        """Return a finding.

        :param str text: sentence that says what was found, and what can be done
        :param int count: how many members or the like it is about
        :param str model: of what is to be changed or looked at
        :param ids: of its records
        """
        return {"name": text, "count": count, "res_model": model, "res_ids": list(ids)}

    # === CHECKS - WHAT DOES NOTHING ===#

    def _find_rule(self):
        """Find rules in force that nobody has earned by."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rule.id, GREATEST(%(first)s::date, rule.date_from)
                  FROM partner_loyalty_rule rule
                 WHERE rule.program_id = %(program)s AND rule.active AND rule.is_draft IS NOT TRUE
                   AND COALESCE(rule.date_from, %(first)s::date) <= %(recent)s AND %(recent)s >= %(first)s
                   AND COALESCE(rule.date_to >= %(today)s, TRUE)
                   AND NOT EXISTS (SELECT 1 FROM partner_loyalty_entry entry
                                    WHERE COALESCE(entry.rule_id, 0) = rule.id AND entry.type = 'accrual'
                                      AND entry.contribution_date >= %(first)s)
              ORDER BY rule.sequence, rule.id
                """,
                **self._get_terms(),
            )
        )
        days = dict(rows)
        return [
            self._prepare_line_vals(
                self.env._(
                    "Nobody has earned by “%(rule)s” since %(day)s. Widen its filter or lower its minimum, or "
                    "archive it.",
                    rule=rule.display_name,
                    day=format_date(self.env, days[rule.id]),
                ),
                0,
                rule._name,
                rule.ids,
            )
            for rule in self.env["partner.loyalty.rule"].browse(days)
        ]

    def _find_reward(self):
        """Find rewards that nobody has claimed, and say how many could pay for them."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT reward.id, GREATEST(%(first)s::date, COALESCE(reward.date_from, reward.create_date::date)),
                       (SELECT COUNT(*) FROM partner_loyalty_account account
                         WHERE account.program_id = %(program)s AND account.unit = 'point'
                           AND account.balance >= reward.point_cost)
                  FROM partner_loyalty_reward reward
                 WHERE reward.program_id = %(program)s AND reward.active
                   AND COALESCE(reward.date_from, reward.create_date::date) <= %(recent)s
                   AND COALESCE(reward.date_to >= %(today)s, TRUE)
                   AND NOT EXISTS (SELECT 1 FROM partner_loyalty_claim claim
                                    WHERE claim.reward_id = reward.id AND claim.create_date >= %(first)s)
              ORDER BY reward.sequence, reward.id
                """,
                **self._get_terms(),
            )
        )
        return [
            self._prepare_line_vals(
                self._get_reward_text(self.env["partner.loyalty.reward"].browse(reward_id), day, able),
                able,
                "partner.loyalty.reward",
                [reward_id],
            )
            for reward_id, day, able in rows
        ]

    def _get_reward_text(self, reward, day, able):
        terms = {"reward": reward.name, "day": format_date(self.env, day), "count": able}
        if not reward.point_cost:
            return self.env._(
                "Nobody has had “%(reward)s” since %(day)s. Let a tier or a bonus action give it, or archive it.",
                **terms,
            )
        if not able:
            return self.env._(
                "Nobody has claimed “%(reward)s” since %(day)s, and no member has the points for it. Let it cost less.",
                **terms,
            )
        return self.env._(
            "Nobody has claimed “%(reward)s” since %(day)s. Members who have the points for it: %(count)s. Tell them, "
            "or offer something else.",
            **terms,
        )

    def _find_bonus(self):
        """Find bonus actions that run and have given nobody anything."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT action.id, COUNT(run.id)
                  FROM partner_loyalty_bonus_action action
             LEFT JOIN partner_loyalty_bonus_run run ON run.action_id = action.id AND run.state <> 'preview'
                 WHERE action.program_id = %(program)s AND action.state = 'running' AND action.date_from <= %(recent)s
                   AND NOT EXISTS (SELECT 1 FROM partner_loyalty_bonus_line line
                                    WHERE line.action_id = action.id AND line.state IN ('planned', 'given'))
              GROUP BY action.id
              ORDER BY action.id
                """,
                **self._get_terms(),
            )
        )
        runs = dict(rows)
        return [
            self._prepare_line_vals(
                self.env._(
                    "“%(action)s” has reached nobody since %(day)s (runs: %(count)s). Lower what it asks for, or "
                    "stop it.",
                    action=action.name,
                    day=format_date(self.env, action.date_from),
                    count=runs[action.id],
                ),
                0,
                action._name,
                action.ids,
            )
            for action in self.env["partner.loyalty.bonus.action"].browse(runs)
        ]

    def _find_tier(self):
        """Find tiers that no active member has, and say how many are on their way."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT tier.id, COUNT(near.id), COALESCE(MAX(near.tier_progress), 0)
                  FROM partner_loyalty_tier tier
             LEFT JOIN partner_loyalty_member near ON near.next_tier_id = tier.id AND near.state = 'active'
                 WHERE tier.program_id = %(program)s
                   AND NOT EXISTS (SELECT 1 FROM partner_loyalty_member member
                                    WHERE member.tier_id = tier.id AND member.state = 'active')
              GROUP BY tier.id
              ORDER BY tier.sequence, tier.id
                """,
                **self._get_terms(),
            )
        )
        Tier = self.env["partner.loyalty.tier"]
        return [
            self._prepare_line_vals(
                self._get_tier_text(Tier.browse(tier_id), count, progress), count, Tier._name, [tier_id]
            )
            for tier_id, count, progress in rows
        ]

    def _get_tier_text(self, tier, count, progress):
        if not count:
            return self.env._("Nobody has the tier “%(tier)s”. Look at what it asks for.", tier=tier.name)
        return self.env._(
            "Nobody has the tier “%(tier)s”. Members for whom it is the next one: %(count)s; the first of them is at "
            "%(progress)s %%. Look at what it asks for.",
            tier=tier.name,
            count=count,
            progress=formatLang(self.env, progress, digits=0),
        )

    # === CHECKS - WHAT COSTS TOO MUCH ===#

    def _find_margin(self):
        """Find members who earned more than there was of margin in what they sold and bought, where it is known."""
        margins = self._get_margin_query()
        if not margins:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT cost.root_id, cost.amount, margin.amount
                  FROM (SELECT member.root_id,
                               SUM(entry.amount * CASE account.unit WHEN 'money' THEN 1 ELSE %(value)s::numeric END)
                                   AS amount
                          FROM partner_loyalty_entry entry
                          JOIN partner_loyalty_account account ON account.id = entry.account_id
                          JOIN partner_loyalty_member member ON member.id = account.member_id
                         WHERE entry.program_id = %(program)s AND entry.type IN %(types)s
                           AND entry.contribution_date BETWEEN %(first)s AND %(today)s
                      GROUP BY member.root_id) cost
                  JOIN (%(margins)s) margin USING (root_id)
                 WHERE cost.amount > 0 AND cost.amount > margin.amount
              ORDER BY margin.amount - cost.amount, cost.root_id
                """,
                value=str(self.program_id.point_value),
                types=EARNED_TYPES,
                margins=margins,
                **self._get_terms(),
            )
        )
        return [self._get_margin_line(rows)] if rows else []

    def _get_margin_query(self):
        """Return the margin of what each member sold or bought since ``date_from``, where the cost of all is known.

        Here no cost is known; a module that knows it returns a query.

        :return: ``SELECT`` of ``root_id, amount`` in the currency of the company, or None
        :rtype: SQL or None
        """
        return None

    def _get_margin_line(self, rows):
        members = self.env["partner.loyalty.member"].browse([root_id for root_id, _cost, _margin in rows])
        examples = [
            self.env._(
                "%(member)s (%(cost)s of %(margin)s)",
                member=member.partner_id.display_name,
                cost=formatLang(self.env, cost, currency_obj=self.currency_id),
                margin=formatLang(self.env, margin, currency_obj=self.currency_id),
            )
            for member, (_root_id, cost, margin) in zip(members[:NAMES_IN_SENTENCE], rows, strict=False)
        ]
        return self._prepare_line_vals(
            self.env._(
                "Members who earned more than the whole margin of their sales since %(day)s: %(examples)s. Lower "
                "rates, or earn by the margin.",
                day=format_date(self.env, self.date_from),
                examples=", ".join(examples),
            ),
            len(members),
            members._name,
            members.ids,
        )

    # === CHECKS - WHO MISSES IT BY LITTLE ===#

    def _find_near(self):
        """Find members who lack less than a tenth for a tier, a band or a bonus."""
        return [*self._find_near_tiers(), *self._find_near_bands(), *self._find_near_bonuses()]

    def _find_near_tiers(self):
        rows = self.env["partner.loyalty.member"]._read_group(
            [
                ("program_id", "=", self.program_id.id),
                ("state", "=", "active"),
                ("next_tier_id", "!=", False),
                ("tier_progress", ">=", NEAR_SHARE),
            ],
            ["next_tier_id"],
            ["id:recordset"],
        )
        return [
            self._prepare_line_vals(
                self.env._(
                    "Members who lack less than a tenth for “%(tier)s”: %(count)s. Tell them how little it is.",
                    count=len(members),
                    tier=tier.name,
                ),
                len(members),
                members._name,
                members.ids,
            )
            for tier, members in rows
        ]

    def _find_near_bands(self):
        today, lines = self.date, []
        rules = self.program_id._get_rules_in_force().filtered(
            lambda rule: (
                rule.active
                and rule.formula == "bands"
                and (rule.date_from or today) <= today <= (rule.date_to or today)
            )
        )
        for rule in rules:
            for threshold, member_ids in self.env.execute_query(self._get_near_band_query(rule)):
                text = self.env._(
                    "Members who lack less than a tenth for the band from %(threshold)s of “%(rule)s” now: %(count)s. "
                    "Tell them how little it is.",
                    count=len(member_ids),
                    threshold=formatLang(self.env, threshold, digits=2),
                    rule=rule.display_name,
                )
                lines.append(
                    self._prepare_line_vals(text, len(member_ids), "partner.loyalty.member", sorted(member_ids))
                )
        return lines

    def _get_near_band_query(self, rule):
        """Return who is just below which band of a rule in the period that lasts: ``(threshold, member ids)``.

        :rtype: SQL
        """
        start = periods.period_start(self.date, rule.period)
        end = periods.period_end(start, rule.period)
        roots = self.env["partner.loyalty.member"].search(
            [("program_id", "=", self.program_id.id), ("state", "=", "active")]
        )
        return SQL(
            """
            SELECT band.threshold, array_agg(total.root_id)
              FROM (%(totals)s) total
              JOIN partner_loyalty_rule_band band
                ON band.rule_id = %(rule)s AND total.base < band.threshold
               AND total.base >= band.threshold * %(share)s / 100
             WHERE total.period_start = %(start)s
          GROUP BY band.threshold
          ORDER BY band.threshold
            """,
            totals=rule._get_period_sum_query(Scope(periods=tuple((root_id, start, end) for root_id in roots.ids))),
            rule=rule.id,
            share=NEAR_SHARE,
            start=start,
        )

    def _find_near_bonuses(self):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT action.id, array_agg(line.id)
                  FROM partner_loyalty_bonus_action action
                  JOIN LATERAL (SELECT id FROM partner_loyalty_bonus_run run
                                 WHERE run.action_id = action.id AND run.state <> 'preview'
                              ORDER BY id DESC LIMIT 1) latest ON TRUE
                  JOIN partner_loyalty_bonus_line line ON line.run_id = latest.id AND line.state = 'missed'
                 WHERE action.program_id = %(program)s AND action.state = 'running'
              GROUP BY action.id
              ORDER BY action.id
                """,
                **self._get_terms(),
            )
        )
        return [
            self._prepare_line_vals(
                self.env._(
                    "Members who just missed “%(action)s” in its last run: %(count)s. Tell them before the next one.",
                    count=len(line_ids),
                    action=self.env["partner.loyalty.bonus.action"].browse(action_id).name,
                ),
                len(line_ids),
                "partner.loyalty.bonus.line",
                sorted(line_ids),
            )
            for action_id, line_ids in rows
        ]

    # === CHECKS - WHO IS NOT THERE YET ===#

    def _find_terms(self):
        """Find active members who have not accepted the terms in force."""
        if not self.program_id.terms:
            return []
        members = self._find_members(
            SQL(
                """NOT EXISTS (SELECT 1 FROM partner_loyalty_acceptance acceptance
                                WHERE acceptance.member_id = member.id AND acceptance.version >= %s)""",
                self.program_id.terms_version,
            )
        )
        if not members:
            return []
        text = self.env._(
            "Members who have not accepted the terms in force: %(count)s. Ask them, or note what they have signed.",
            count=len(members),
        )
        if self.program_id.payout_needs_terms:
            unpaid = self.env._("Until then they are paid nothing.")
            text = f"{text} {unpaid}"
        return [self._prepare_line_vals(text, len(members), members._name, members.ids)]

    def _find_login(self):
        """Find active members of whom nobody can log in."""
        members = self._find_members(
            SQL(
                """NOT EXISTS (SELECT 1 FROM res_users login
                                 JOIN res_partner contact ON contact.id = login.partner_id
                                WHERE login.active AND contact.commercial_partner_id = member.partner_id)"""
            )
        )
        if not members:
            return []
        text = self.env._(
            "Members of whom nobody can log in and see what they have earned: %(count)s. Open their contacts and grant "
            "them portal access.",
            count=len(members),
        )
        return [self._prepare_line_vals(text, len(members), "res.partner", members.partner_id.ids)]

    def _find_members(self, condition):
        """Return the active members that a condition holds for.

        :param SQL condition: over ``member``
        :rtype: recordset of ``partner.loyalty.member``
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT member.id FROM partner_loyalty_member member
                    WHERE member.program_id = %s AND member.state = 'active' AND %s ORDER BY member.id""",
                self.program_id.id,
                condition,
            )
        )
        return self.env["partner.loyalty.member"].browse([member_id for (member_id,) in rows])

    def _get_terms(self):
        """Return what the queries have in common.

        :rtype: dict
        """
        return {
            "program": self.program_id.id,
            "first": self.date_from,
            "today": self.date,
            "recent": self.date - timedelta(days=DAYS_OF_GRACE),
        }


class PartnerLoyaltyAdviceLine(models.TransientModel):
    """One finding, and where to change it."""

    _name = "partner.loyalty.advice.line"
    _description = "Finding of an Advice"
    _order = "sequence, id"

    # === FIELDS ===#

    advice_id = fields.Many2one(
        comodel_name="partner.loyalty.advice", required=True, index=True, ondelete="cascade", readonly=True
    )
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(selection=CHECKS, string="What", required=True, readonly=True)
    name = fields.Char(string="Finding", required=True, readonly=True)
    count = fields.Integer(string="Members", readonly=True)
    res_model = fields.Char(readonly=True)
    res_ids = fields.Json(readonly=True)

    # === ACTION METHODS ===#

    def action_open(self):
        """Open what the finding is about."""
        self.ensure_one()
        action = {"type": "ir.actions.act_window", "name": self.name, "res_model": self.res_model}
        if len(self.res_ids) == 1:
            return {**action, "view_mode": "form", "res_id": self.res_ids[0]}
        return {**action, "view_mode": "list,form", "domain": [("id", "in", self.res_ids)]}
