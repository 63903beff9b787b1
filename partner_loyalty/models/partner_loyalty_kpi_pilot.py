from decimal import Decimal
from math import sqrt

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from ..const import RECONCILED_TYPES
from ..tools.kpi import Kpi
from ..tools.trial import TREATMENT
from .partner_loyalty_kpi_sales import TURNOVER_KINDS


class PartnerLoyaltyKpiPilot(models.AbstractModel):
    """What pilots have proven, and what that cost: the one return that is measured against a control group.

    It stands beside the comparison with the market and not in its place: a pilot says what one rule, bonus action or
    reward brought with those who had it, and nothing of all else that a program does.
    """

    _name = "partner.loyalty.kpi.pilot"
    _description = "Pilots behind Key Figures"

    # === FIGURES ===#

    @api.model
    def _get_pilot_kpis(self):
        return [
            Kpi(
                "pilot_sales",
                self.env._("Proven by Pilots"),
                "money",
                "up",
                self.env._(
                    "By pilots whose last day lies in these days: by how much the turnover of a member who had what "
                    "was tried changed more than that of the control group, times the members who had it. Nothing is "
                    "claimed where the 95 % interval includes zero."
                ),
                self.env._(
                    "What was not tried. Pilots that measure something else, were decided about early, or whose groups "
                    "were chosen prove no sales."
                ),
                "pilots",
            ),
            Kpi(
                "pilot_roi",
                self.env._("Return on Pilots"),
                "percent",
                "up",
                self.env._(
                    "Sales proven by pilots at the margin, less what was tried cost in the days of the pilots for "
                    "those who had it, divided by that."
                ),
                self.env._(
                    "How long the effect lasts, what the control group earned by other rules instead, and what the "
                    "rest of the program brings."
                ),
                "pilots",
            ),
        ]

    @api.model
    def _get_kpi_pilot_sales(self, facts):
        effect = facts["control_effect"]
        return Decimal(str(effect[0])) if self._is_told_apart(effect) else None

    @api.model
    def _get_kpi_pilot_roi(self, facts):
        sales, cost = self._get_kpi_pilot_sales(facts), facts["control_cost"]
        if sales is None or not facts["margin_rate"]:
            return None
        return self._divide(sales * Decimal(facts["margin_rate"]) / 100 - cost, cost, 100)

    @api.model
    def _get_pilot_texts(self, facts):
        """Return what pilots that ended in these days say of what they tried; nothing without one."""
        effect = facts["control_effect"]
        if not effect:
            return []
        terms = {
            name: formatLang(self.env, float(amount), currency_obj=facts["currency"])
            for name, amount in zip(("sales", "low", "high", "cost"), (*effect, facts["control_cost"]), strict=True)
        }
        if not self._is_told_apart(effect):
            return [
                self.env._(
                    "Pilots with a control group cannot tell what they tried from chance: it changed the turnover of "
                    "those who had it by %(sales)s in all, with 95 %% certainty by %(low)s to %(high)s.",
                    **terms,
                )
            ]
        return [
            self.env._(
                "Pilots with a control group prove of what they tried: it changed the turnover of those who had it by "
                "%(sales)s in all, with 95 %% certainty by %(low)s to %(high)s, and cost %(cost)s.",
                **terms,
            )
        ]

    # === FACTS ===#

    @api.model
    def _get_pilot_facts(self, focus):
        """Return what pilots have shown whose last day lies within the days: ``control_effect`` and ``control_cost``.

        Nothing is said of some members alone: groups were drawn among all of them.

        :param Focus focus: program, days and members
        :rtype: dict
        """
        pilots_sudo = self._get_finished_pilots_sudo(focus)
        return {
            "control_effect": self._get_control_effect(pilots_sudo),
            "control_cost": self._get_control_cost(pilots_sudo),
        }

    @api.model
    def _get_finished_pilots_sudo(self, focus):
        """Return the pilots that ran to their end and can prove something about turnover.

        :rtype: recordset of ``partner.loyalty.pilot``
        """
        # Who may see the figures of a program need not see how each pilot was set up.
        Pilot_sudo = self.env["partner.loyalty.pilot"].sudo()
        if focus.member_ids is not None:
            return Pilot_sudo
        pilots_sudo = Pilot_sudo.search(self._get_finished_pilot_domain(focus))
        return pilots_sudo.filtered(
            lambda pilot_sudo: pilot_sudo.measured_on > pilot_sudo.date_to and self._is_turnover(pilot_sudo.metric_id)
        )

    @api.model
    def _get_finished_pilot_domain(self, focus):
        """Return which pilots ended in these days, with groups that were drawn and an interval."""
        return Domain(
            [
                ("program_id", "=", focus.program.id),
                ("assignment", "=", "random"),
                ("has_interval", "=", True),
                ("measured_on", "!=", False),
                ("date_to", ">=", focus.first),
                ("date_to", "<=", focus.last),
            ]
        )

    @api.model
    def _is_turnover(self, metric_sudo):
        """Return whether a metric adds up all that members turn over."""
        return (
            metric_sudo.source == "contribution"
            and (metric_sudo.aggregate, metric_sudo.field) == ("sum", "amount")
            and metric_sudo.kind in TURNOVER_KINDS
            and not metric_sudo.base_id
            and not metric_sudo.is_growth
        )

    @api.model
    def _get_control_effect(self, pilots_sudo):
        """Return by how much those who had what was tried turned over more than without it.

        The effect for a member times the members who had it. Pilots err independently of each other, so the squares of
        what they err by add up.

        :return: amount, lower and upper end of its 95 % interval; None without a pilot
        :rtype: tuple[float, float, float] | None
        """
        if not pilots_sudo:
            return None
        sales = sum(pilot_sudo.effect * pilot_sudo.treatment_count for pilot_sudo in pilots_sudo)
        reach = sqrt(
            sum(
                ((pilot_sudo.effect_high - pilot_sudo.effect_low) / 2 * pilot_sudo.treatment_count) ** 2
                for pilot_sudo in pilots_sudo
            )
        )
        return sales, sales - reach, sales + reach

    @api.model
    def _get_control_cost(self, pilots_sudo):
        """Return what was tried cost in the days of the pilots, for those who had it; points at their value.

        :rtype: Decimal
        """
        if not pilots_sudo:
            return Decimal(0)
        self.env.flush_all()
        [[cost]] = self.env.execute_query(self._get_control_cost_query(pilots_sudo))
        return Decimal(cost)

    @api.model
    def _get_control_cost_query(self, pilots_sudo):
        """Return the cost as text, which keeps it exact: what rules earned, bonuses gave, and rewards are said to cost.

        :rtype: SQL
        """
        program = pilots_sudo.program_id
        return SQL(
            """
            WITH had AS (
                SELECT pilot.*, line.member_id
                  FROM partner_loyalty_pilot pilot
                  JOIN partner_loyalty_pilot_member line ON line.pilot_id = pilot.id AND line.arm = %(arm)s
                 WHERE pilot.id IN %(pilots)s
            )
            SELECT COALESCE(SUM(cost), 0)::text FROM (%(earned)s UNION ALL %(given)s UNION ALL %(claimed)s) spent
            """,
            arm=TREATMENT,
            pilots=tuple(pilots_sudo.ids),
            earned=self._get_earned_cost_query(program),
            given=self._get_given_cost_query(program),
            claimed=self._get_claimed_cost_query(program),
        )

    def _get_earned_cost_query(self, program):
        """Return what the members of ``had`` earned by the rules that are tried, as the column ``cost``."""
        return SQL(
            """
                SELECT entry.amount * CASE account.unit WHEN 'point' THEN %(value)s::numeric ELSE 1 END AS cost
                  FROM had
                  JOIN partner_loyalty_rule rule ON rule.family_id = had.family_id
                  JOIN partner_loyalty_account account ON account.member_id = had.member_id
                  JOIN partner_loyalty_entry entry ON entry.account_id = account.id AND entry.rule_id = rule.id
                 WHERE had.tried = 'rule' AND entry.type IN %(types)s
                   AND entry.contribution_date BETWEEN had.date_from AND had.date_to
            """,
            value=Decimal(str(program.point_value)),
            types=RECONCILED_TYPES,
        )

    def _get_given_cost_query(self, program):
        """Return what the bonuses that are tried gave to the members of ``had``."""
        return SQL(
            """
                SELECT line.money_amount + line.point_amount * %(value)s::numeric
                  FROM had
                  JOIN partner_loyalty_bonus_line line
                    ON line.action_id = had.action_id AND line.member_id = had.member_id
                 WHERE had.tried = 'bonus' AND line.state = 'given'
                   AND line.due_date BETWEEN had.date_from AND had.date_to
            """,
            value=Decimal(str(program.point_value)),
        )

    def _get_claimed_cost_query(self, program):
        """Return what the rewards that are tried cost, where members of ``had`` got them."""
        return SQL(
            """
                SELECT claim.quantity * COALESCE(NULLIF(reward.unit_cost, 0), reward.point_cost * %(value)s::numeric)
                  FROM had
                  JOIN partner_loyalty_claim claim
                    ON claim.reward_id = had.reward_id AND claim.member_id = had.member_id
                  JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
                 WHERE had.tried = 'reward' AND claim.state = 'fulfilled'
                   AND %(fulfilled)s BETWEEN had.date_from AND had.date_to
            """,
            value=Decimal(str(program.point_value)),
            fulfilled=SQL("(claim.fulfilled_at AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", program.tz),
        )

    # === DRILL ===#

    @api.model
    def _get_drill_pilots(self, focus):
        return "partner_loyalty_pilot_action", Domain("id", "in", self._get_finished_pilots_sudo(focus).ids)
