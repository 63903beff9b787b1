from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from ..const import COST_TYPES, UNITS
from ..tools import periods
from .partner_loyalty_bridge import PARTS

# So many rows a table of the page has.
ROWS = 8
# So many days before and after a bonus are compared.
BONUS_DAYS = 30


class PartnerLoyaltyOverviewPart(models.AbstractModel):
    """What the overview of a program consists of: figures, charts and tables, ready to be shown."""

    _name = "partner.loyalty.overview.part"
    _description = "Parts of the Overview"

    # === PARTS ===#

    @api.model
    def _get_parts(self, focus):
        """Return the parts of the page by name; a module adds one by extending this.

        :param Focus focus: program, days and members
        :rtype: dict
        """
        Kpi = self.env["partner.loyalty.kpi"]
        facts, before = Kpi._get_facts(focus), Kpi._get_facts(focus.get_previous())
        level, text = Kpi._get_verdict(facts)
        members = self._get_members(focus)
        months, cohorts = self._read_months(focus)
        return {
            "verdict": {"level": level, "text": text},
            "sections": self._get_section_parts(focus, Kpi._get_values(facts), Kpi._get_values(before)),
            **self._get_goal_parts(focus),
            "pilots": self._get_pilot_parts(focus),
            "months": self._get_month_parts(focus, months),
            "tiers": self._get_tier_parts(focus),
            "bridges": self._get_bridge_parts(focus),
            "groups": self._get_group_parts(focus, members, facts["by_member"]),
            **self._get_rank_parts(focus, members, facts["by_member"]),
            "cohorts": self._get_cohort_parts(focus, cohorts),
            "rewards": self._get_reward_parts(focus),
            "bonuses": self._get_bonus_parts(focus),
        }

    @api.model
    def _get_section_parts(self, focus, values, before):
        """Return the figures by section, with what they were before."""
        return [
            {
                "title": title,
                "kpis": [self._prepare_kpi(focus, kpi, values[kpi.name], before[kpi.name]) for kpi in kpis],
            }
            for title, kpis in self.env["partner.loyalty.kpi"]._get_sections()
        ]

    @api.model
    def _prepare_kpi(self, focus, kpi, value, before):
        """Return a figure as it is shown; ``trend`` is 1 where it changed for the better, -1 for the worse."""
        Kpi = self.env["partner.loyalty.kpi"]
        currency = focus.program.currency_id
        change = Kpi._get_change(kpi, value, before)
        has_turned = kpi.unit not in ("percent", "points") and change and value * before < 0
        sign = {"up": 1, "down": -1}.get(kpi.direction, 0)
        return {
            "name": kpi.name,
            "label": kpi.label,
            "value": None if value is None else float(value),
            "value_before": None if before is None else float(before),
            "unit": currency.name if kpi.unit == "money" else Kpi._get_unit_label(kpi),
            "text": Kpi._format_kpi(kpi, value, currency),
            "before": Kpi._format_kpi(kpi, before, currency),
            # Per cent say nothing where an amount became negative, or was: both are shown, and the trend.
            "change": "" if has_turned else self._get_change_text(kpi, change),
            "trend": 0 if not change else sign * (1 if change > 0 else -1),
            "formula": kpi.formula,
            "caveat": kpi.caveat,
            "has_drill": bool(kpi.drill),
        }

    @api.model
    def _get_change_text(self, kpi, change):
        """Return by how much a figure changed, with its sign."""
        if change is None:
            return ""
        number = f"{'+' if change > 0 else ''}{formatLang(self.env, change, digits=1)}"
        return self.env._("%s pp", number) if kpi.unit in ("percent", "points") else self.env._("%s %%", number)

    @api.model
    def _get_goal_parts(self, focus):
        """Return the goals of the program whose days meet those looked at, and how far all are by their weight."""
        Goal = self.env["partner.loyalty.goal"]
        if not Goal.has_access("read"):
            return {"goals": [], "goal_progress": False}
        goals = Goal.search(
            [
                ("program_id", "=", focus.program.id),
                ("date_from", "<=", focus.last),
                ("date_to", ">=", focus.first),
            ]
        )
        return {
            "goals": [self._prepare_goal(goal) for goal in goals],
            "goal_progress": self._get_goal_progress(goals),
        }

    @api.model
    def _prepare_goal(self, goal):
        labels = dict(goal._fields["trend"]._description_selection(self.env))
        return {
            "id": goal.id,
            "name": goal.name,
            "summary": goal.summary,
            "progress": round(goal.progress, 1),
            "progress_text": self.env._("%s %%", formatLang(self.env, goal.progress, digits=0)),
            "trend": goal.trend or "",
            "trend_text": labels.get(goal.trend, ""),
        }

    @api.model
    def _get_goal_progress(self, goals):
        """Return how far goals are together, each by its weight and none beyond its target; False without weights.

        :return: text in percent
        """
        weight = sum(goals.mapped("weight"))
        if not weight:
            return False
        progress = sum(goal.weight * min(100, max(0, goal.progress)) for goal in goals) / weight
        return self.env._("%s %%", formatLang(self.env, progress, digits=0))

    @api.model
    def _get_pilot_parts(self, focus):
        """Return the pilots whose days meet those looked at, with what they have shown so far."""
        Pilot = self.env["partner.loyalty.pilot"]
        if not Pilot.has_access("read"):
            return []
        pilots = Pilot.search(
            [
                ("program_id", "=", focus.program.id),
                ("state", "!=", "draft"),
                ("date_from", "<=", focus.last),
                ("date_to", ">=", focus.first),
            ]
        )
        waiting = self.env._("Nothing is measured yet.")
        return [{"id": pilot.id, "name": pilot.name, "text": pilot.verdict_text or waiting} for pilot in pilots]

    @api.model
    def _read_months(self, focus):
        """Return what members turned over in each of the twelve months up to the last day, read once for all.

        :return: turnover and members who turned over something by month; and by month of joining, rows of ``(month,
            members who joined, of them who turned over something)``, with no month where nobody ever did
        :rtype: tuple[dict, dict]
        """
        months, cohorts = {}, defaultdict(list)
        for joined, month, turnover, active, size in self.env.execute_query(self._get_month_sums(focus)):
            if joined:
                cohorts[joined].append((month, size, active))
            else:
                months[month] = (turnover, active)
        return months, cohorts

    @api.model
    def _get_month_parts(self, focus, sold):
        """Return what happened month by month in the twelve months up to the last day."""
        first = self._get_chart_first(focus)
        cost = dict(self.env.execute_query(self._get_month_costs(focus, first)))
        months = [first + relativedelta(months=number) for number in range(12)]
        return {
            "labels": [self._format_month(month) for month in months],
            "turnover": [float(sold.get(month, (0, 0))[0]) for month in months],
            "active": [sold.get(month, (0, 0))[1] for month in months],
            "cost": [float(cost.get(month, 0)) for month in months],
            "currency": focus.program.currency_id.name,
        }

    @api.model
    def _get_month_sums(self, focus):
        """Return ``(month of joining, month, turnover, members who turned over something, members who joined)``.

        Without a month of joining, it is about all members.
        """
        first = self._get_chart_first(focus)
        return SQL(
            """
            WITH joined AS (
                SELECT member.root_id, date_trunc('month', MIN(period.date_from))::date AS month
                  FROM partner_loyalty_member member
                  JOIN partner_loyalty_member_period period ON period.member_id = member.id
                 WHERE member.program_id = %(program)s AND %(is_meant)s
              GROUP BY member.root_id HAVING MIN(period.date_from) BETWEEN %(first)s AND %(last)s
            ), sold AS MATERIALIZED (%(sold)s)
            SELECT NULL::date, month, SUM(turnover), COUNT(*) FILTER (WHERE turnover > 0), NULL::bigint
              FROM sold GROUP BY month
         UNION ALL
            SELECT joined.month, sold.month, NULL, COUNT(*) FILTER (WHERE sold.turnover > 0),
                   (SELECT COUNT(*) FROM joined other WHERE other.month = joined.month)
              FROM joined LEFT JOIN sold ON sold.root_id = joined.root_id
          GROUP BY joined.month, sold.month
            """,
            program=focus.program.id,
            first=first,
            last=focus.last,
            is_meant=focus.get_member_condition(SQL("member.root_id")),
            sold=self.env["partner.loyalty.kpi"]._get_month_query(focus, first),
        )

    @api.model
    def _get_month_costs(self, focus, first):
        """Return ``(month, cost)``: what was earned; points at their value."""
        return SQL(
            """
            SELECT date_trunc('month', entry.date)::date,
                   SUM(entry.amount * CASE account.unit WHEN 'point' THEN %(value)s::numeric ELSE 1 END)
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE entry.program_id = %(program)s AND entry.date BETWEEN %(first)s AND %(last)s
               AND entry.type IN %(types)s AND %(is_meant)s
          GROUP BY date_trunc('month', entry.date)
            """,
            value=Decimal(str(focus.program.point_value)),
            program=focus.program.id,
            first=first,
            last=focus.last,
            types=COST_TYPES,
            is_meant=focus.get_member_condition(SQL("member.root_id")),
        )

    @api.model
    def _get_tier_parts(self, focus):
        """Return how many members have which tier on the last day."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT period.tier_id, COUNT(DISTINCT member.root_id)
                  FROM partner_loyalty_tier_period period
                  JOIN partner_loyalty_member member ON member.id = period.member_id
                 WHERE period.program_id = %(program)s AND period.date_from <= %(day)s
                   AND (period.date_to IS NULL OR period.date_to >= %(day)s) AND %(is_meant)s
                   AND EXISTS (SELECT 1 FROM partner_loyalty_member_period membership
                                WHERE membership.member_id = member.id AND membership.date_from <= %(day)s
                                  AND (membership.date_to IS NULL OR membership.date_to >= %(day)s))
              GROUP BY period.tier_id
                """,
                program=focus.program.id,
                day=focus.last,
                is_meant=focus.get_member_condition(SQL("member.root_id")),
            )
        )
        counts = dict(rows)
        tiers = focus.program.tier_ids.sorted("threshold")
        return [{"name": tier.name, "count": counts.get(tier.id, 0)} for tier in tiers]

    @api.model
    def _get_bridge_parts(self, focus):
        """Return the bridge from the time before for each unit in which anything was earned."""
        labels = self.env["partner.loyalty.bridge"]._get_part_labels()
        unit_labels = dict(UNITS)
        bridges = []
        for unit in unit_labels:
            bridge = self.env["partner.loyalty.bridge"]._get_bridge(focus, unit)
            if any(bridge.values()):
                steps = [
                    {
                        "label": labels[name][0],
                        "help": labels[name][1],
                        **self._prepare_amount(focus, unit, bridge[name]),
                    }
                    for name in PARTS
                ]
                bridges.append(
                    {
                        "unit": self.env._("Money") if unit == "money" else self.env._("Points"),
                        "before": self._prepare_amount(focus, unit, bridge["before"]),
                        "now": self._prepare_amount(focus, unit, bridge["now"]),
                        "steps": steps,
                    }
                )
        return bridges

    @api.model
    def _prepare_amount(self, focus, unit, amount):
        """Return an amount of the ledger as number and text."""
        value = float(amount)
        if unit == "money":
            text = formatLang(self.env, value, currency_obj=focus.program.currency_id)
        else:
            text = formatLang(self.env, value, digits=focus.program.point_digits)
        return {"value": value, "text": text}

    @api.model
    def _get_group_parts(self, focus, members, by_member):
        """Return turnover and growth of members by tier, country, account manager and segment."""
        groupings = [
            (self.env._("By Tier"), lambda member: member.tier_id),
            (self.env._("By Country"), lambda member: member.partner_id.country_id),
            (self.env._("By Account Manager"), lambda member: member.partner_id.user_id),
        ]
        groups = [(title, members.grouped(key)) for title, key in groupings]
        segments = self._get_members_by_segment(focus, members)
        if segments:
            groups.append((self.env._("By Segment"), segments))
        return [{"title": title, "rows": self._get_group_rows(focus, records, by_member)} for title, records in groups]

    @api.model
    def _get_members_by_segment(self, focus, members):
        """Return the members of the first segments; one can belong to several of them.

        :rtype: dict[recordset, recordset]
        """
        program = focus.program
        segments = self.env["partner.loyalty.segment"].search(
            [("company_id", "in", (False, program.company_id.id))], limit=ROWS
        )
        partners = {segment: list(segment._get_partner_domain(program)) for segment in segments}
        return {
            segment: members.search(Domain("id", "in", members.ids) & Domain("partner_id", "any", domain))
            for segment, domain in partners.items()
        }

    @api.model
    def _get_group_rows(self, focus, groups, by_member):
        """Return a row for each group, the largest first."""
        rows = []
        for record, members in groups.items():
            sold = [by_member[member.id] for member in members if member.id in by_member]
            turnover = sum(one.turnover for one in sold)
            before = sum(one.turnover_before for one in sold)
            rows.append(
                {
                    "name": record.display_name or self.env._("None"),
                    "members": len(members),
                    "active": sum(1 for one in sold if one.turnover > 0),
                    "value": float(turnover),
                    "turnover": self._format_money(focus, turnover),
                    "growth": self._format_growth(turnover, before),
                }
            )
        return sorted(rows, key=lambda row: -row["value"])[:ROWS]

    @api.model
    def _get_members(self, focus):
        """Return the members of these days, as whoever looks may see them."""
        Member = self.env["partner.loyalty.member"]
        domain = focus.program._get_leaderboard_domain(focus.get_window())
        if focus.member_ids is not None:
            domain &= Domain("id", "in", focus.member_ids)
        members = Member.search_fetch(domain, ["partner_id", "tier_id"])
        members.partner_id.fetch(["country_id", "user_id"])
        return members

    @api.model
    def _get_rank_parts(self, focus, members, by_member):
        """Return who turned over most, and of the members of the last day who turned over least."""
        turnover = {member.id: by_member[member.id].turnover if member.id in by_member else 0 for member in members}
        ranked = sorted(members, key=lambda member: (-turnover[member.id], member.id))
        most = [member for member in ranked[:ROWS] if turnover[member.id] > 0]
        least = [member for member in reversed(ranked) if member not in most][:ROWS]
        return {
            "most": [self._prepare_rank(focus, member, by_member) for member in most],
            "least": [self._prepare_rank(focus, member, by_member) for member in least],
        }

    @api.model
    def _prepare_rank(self, focus, member, by_member):
        """Return a member with what it turned over, and by how much more that is than before."""
        sold = by_member.get(member.id)
        return {
            "id": member.id,
            "name": member.partner_id.display_name,
            "turnover": self._format_money(focus, sold.turnover if sold else 0),
            "growth": self._format_growth(sold.turnover, sold.turnover_before) if sold else "",
        }

    @api.model
    def _get_cohort_parts(self, focus, cohorts):
        """Return of the members who joined in a month which share turned over something in the months after.

        :param dict cohorts: see :meth:`_read_months`
        :return: ``labels`` (months since joining) and ``rows``; no rows where nobody joined
        :rtype: dict
        """
        rows = []
        for joined, sold in sorted(cohorts.items()):
            size = sold[0][1]
            active = {self._count_months(joined, month): count for month, _size, count in sold if month}
            past = self._count_months(joined, periods.month_start(focus.last))
            shares = [round(100 * active.get(number, 0) / size) for number in range(past + 1)]
            rows.append({"name": self._format_month(joined), "size": size, "shares": shares})
        return {"labels": list(range(12)), "rows": rows}

    @api.model
    def _count_months(self, joined, month):
        """Return how many months lie between two first days of months."""
        return (month.year - joined.year) * 12 + month.month - joined.month

    @api.model
    def _get_reward_parts(self, focus):
        """Return which rewards were claimed, rated and wanted, against what a piece costs."""
        claims = self._get_claims(focus).grouped("reward_id")
        wishes = self._get_reward_wishes(focus)
        rows = []
        for reward in self.env["partner.loyalty.reward"].search([("program_id", "=", focus.program.id)]):
            own = claims.get(reward, self.env["partner.loyalty.claim"])
            ratings = [int(claim.rating) for claim in own if claim.rating and claim.rating != "0"]
            cost = self._get_piece_cost(focus, reward)
            rows.append(
                {
                    "id": reward.id,
                    "name": reward.name,
                    "claims": sum(own.mapped("quantity")),
                    "rating": formatLang(self.env, sum(ratings) / len(ratings), digits=1) if ratings else "–",
                    "wishes": wishes.get(reward.kind, "–"),
                    "cost": self._format_money(focus, cost) if cost else "–",
                }
            )
        return sorted(rows, key=lambda row: -row["claims"])[:ROWS]

    @api.model
    def _get_claims(self, focus):
        """Return the claims that were asked for in these days and came to something."""
        program = focus.program
        domain = Domain(
            [
                ("program_id", "=", program.id),
                ("state", "in", ("requested", "approved", "fulfilled")),
                ("requested_at", ">=", periods.utc_day_start(focus.first, program.tz)),
                ("requested_at", "<", periods.utc_day_end(focus.last, program.tz)),
            ]
        )
        if focus.member_ids is not None:
            domain &= Domain("member_id.root_id", "in", focus.member_ids)
        return self.env["partner.loyalty.claim"].search(domain)

    @api.model
    def _get_piece_cost(self, focus, reward):
        """Return what a piece of a reward costs: as stated, else its points at their value."""
        return reward.unit_cost or reward.point_cost * focus.program.point_value

    @api.model
    def _get_reward_wishes(self, focus):
        """Return how many members said that rewards of a kind matter to them, by kind.

        :rtype: dict[str, int]
        """
        # Who may see the figures of a program need not see what each member said.
        need_sudo = self.env["partner.loyalty.need"].sudo()
        domain = Domain("program_id", "=", focus.program.id) & Domain("kind", "!=", False)
        if focus.member_ids is not None:
            domain &= Domain("member_id.root_id", "in", focus.member_ids)
        return dict(need_sudo._read_group(domain, ["kind"], ["member_id:count_distinct"]))

    @api.model
    def _get_bonus_parts(self, focus):
        """Return which bonus was followed by most extra sales of those who got it."""
        rows = self.env.execute_query(self._get_bonus_query(focus))
        # Who may see the figures of a program need not see how its bonuses are set up.
        actions_sudo = self.env["partner.loyalty.bonus.action"].sudo().browse([row[0] for row in rows])
        names = {action_sudo.id: action_sudo.name for action_sudo in actions_sudo}
        return [
            {
                "name": names[action_id],
                "count": count,
                "cost": self._format_money(focus, cost),
                "extra": self._format_money(focus, extra),
            }
            for action_id, count, cost, extra in rows
        ]

    @api.model
    def _get_bonus_query(self, focus):
        """Return ``(action, bonuses given, their cost, turnover in the days after less that in the days before)``.

        Only bonuses whose days after have passed; a sale counts for each bonus that it is near to.
        """
        reach = relativedelta(days=BONUS_DAYS)
        sales = self.env["partner.loyalty.kpi"]._get_sale_query(
            focus, focus.first - reach, focus.last + reach, is_now=True
        )
        return SQL(
            """
            WITH given AS (
                SELECT line.id, line.action_id, member.root_id, line.due_date,
                       line.money_amount + line.point_amount * %(value)s::numeric AS cost
                  FROM partner_loyalty_bonus_line line
                  JOIN partner_loyalty_member member ON member.id = line.member_id
                 WHERE line.program_id = %(program)s AND line.state = 'given' AND %(is_meant)s
                   AND line.due_date BETWEEN %(first)s AND LEAST(%(last)s::date, %(today)s::date - %(days)s)
            ), sale AS MATERIALIZED (
                SELECT root_id, date, SUM(amount) AS amount FROM (%(sales)s) sold
                 WHERE root_id IN (SELECT root_id FROM given) GROUP BY root_id, date
            )
            SELECT given.action_id, COUNT(*), SUM(given.cost), SUM(COALESCE(near.extra, 0)) AS extra
              FROM given
         LEFT JOIN LATERAL (
                SELECT SUM(CASE WHEN sale.date > given.due_date THEN sale.amount ELSE -sale.amount END) AS extra
                  FROM sale WHERE sale.root_id = given.root_id
                   AND sale.date > given.due_date - %(days)s AND sale.date <= given.due_date + %(days)s) near ON TRUE
          GROUP BY given.action_id ORDER BY extra DESC LIMIT %(limit)s
            """,
            value=Decimal(str(focus.program.point_value)),
            program=focus.program.id,
            first=focus.first,
            last=focus.last,
            today=focus.program._get_today(),
            days=BONUS_DAYS,
            is_meant=focus.get_member_condition(SQL("member.root_id")),
            sales=sales,
            limit=ROWS,
        )

    # === IN WORDS ===#

    @api.model
    def _format_money(self, focus, amount):
        return formatLang(self.env, float(amount), currency_obj=focus.program.currency_id)

    @api.model
    def _format_growth(self, now, before):
        """Return by how many percent something is more than before, with its sign; nothing where nothing was."""
        if not before or before < 0:
            return ""
        change = float(100 * (now - before) / before)
        return self.env._("%s %%", f"{'+' if change > 0 else ''}{formatLang(self.env, change, digits=0)}")

    @api.model
    def _format_month(self, day):
        return format_date(self.env, day, date_format="LLL y")

    @api.model
    def _format_day(self, day):
        return format_date(self.env, day)
