from decimal import Decimal

from odoo import api, models
from odoo.tools import formatLang

from ..tools.kpi import Kpi

# Percent of a growth beside which the largest member stands out.
GIANT_SHARE = 50


class PartnerLoyaltyKpi(models.AbstractModel):
    """The key figures of a program over some days: each with its formula in words, and what it cannot show.

    A figure is an entry of a list (``_get_<section>_kpis``) and a method ``_get_kpi_<name>(facts)`` that returns its
    value, or None where there is none; a module adds one by both. The facts are read by a few queries for all figures
    together; a module adds facts by extending :meth:`_get_facts`.
    """

    _name = "partner.loyalty.kpi"
    _description = "Key Figures"
    _inherit = [
        "partner.loyalty.kpi.sales",
        "partner.loyalty.kpi.source",
        "partner.loyalty.kpi.pilot",
        "partner.loyalty.kpi.drill",
    ]

    # === WHICH FIGURES THERE ARE ===#

    @api.model
    def _get_sections(self):
        """Return which figures there are, in the order in which they are shown.

        :return: pairs of title and figures
        :rtype: list[tuple[str, list[Kpi]]]
        """
        return [
            (
                self.env._("What it costs and brings"),
                [*self._get_cost_kpis(), *self._get_return_kpis(), *self._get_pilot_kpis()],
            ),
            (self.env._("Growth"), [*self._get_growth_kpis(), *self._get_sum_kpis()]),
            (self.env._("Sales"), [*self._get_sales_kpis(), *self._get_deal_kpis(), *self._get_customer_kpis()]),
            (self.env._("Members"), [*self._get_member_kpis(), *self._get_loyalty_kpis()]),
            (self.env._("Service"), [*self._get_service_kpis(), *self._get_time_kpis()]),
        ]

    @api.model
    def _get_cost_kpis(self):
        return [
            Kpi(
                "cost",
                self.env._("Cost of Rewards"),
                "money",
                "",
                self.env._(
                    "Money and points that members earned or were given, less what was taken back, by the day on the "
                    "statement; points at the value of a point. Rewards had without points at their stated cost."
                ),
                self.env._("The work of your staff, and rewards whose cost is not stated."),
                "cost",
            ),
            Kpi(
                "cost_share",
                self.env._("Cost as Share of Turnover"),
                "percent",
                "down",
                self.env._("Cost of rewards divided by turnover through members."),
                self.env._(
                    "A sale of one month can earn in the next: over a short time the two need not belong together."
                ),
                "cost",
            ),
            Kpi(
                "breakage",
                self.env._("Breakage"),
                "money",
                "",
                self.env._("What expired, less what was given back of it; points at the value of a point."),
                self.env._("What will still expire: see the liability report."),
                "breakage",
            ),
        ]

    @api.model
    def _get_return_kpis(self):
        return [
            Kpi(
                "extra_sales",
                self.env._("Sales above the Market"),
                "money",
                "up",
                self.env._(
                    "What members sold in the time before, times the points by which the median growth of members lies "
                    "above that of other customers. Nothing is claimed where the 95 % interval includes zero."
                ),
                self.env._(
                    "Why: those who join may have grown faster anyway, which only a pilot with a control group "
                    "excludes. Members without sales before are left out."
                ),
                "turnover",
            ),
            Kpi(
                "roi",
                self.env._("Return on Cost"),
                "percent",
                "up",
                self.env._(
                    "Sales above the market at the margin, known from orders or as assumed in the program, less cost, "
                    "divided by cost."
                ),
                self.env._("What a growth that cannot be told from the market would bring: then no return is given."),
                "cost",
            ),
            Kpi(
                "break_even",
                self.env._("Pays for Itself from"),
                "points",
                "down",
                self.env._(
                    "Cost divided by the margin on sales before: members have to outgrow the market by so many points."
                ),
                self.env._("Whether they do."),
            ),
        ]

    @api.model
    def _get_growth_kpis(self):
        return [
            Kpi(
                "growth",
                self.env._("Growth of the Typical Member"),
                "percent",
                "up",
                self.env._(
                    "The median over members who sold something in the time before: half of them grew faster. Sales "
                    "before they joined count."
                ),
                self.env._("How much of it is the market's: compare it with other customers."),
                "turnover",
            ),
            Kpi(
                "market_growth",
                self.env._("Growth of the Typical Other Customer"),
                "percent",
                "",
                self.env._("The median over customers who are no members and bought something in the time before."),
                self.env._("Customers who stopped before, and those who are new."),
            ),
            Kpi(
                "effect",
                self.env._("Members above the Market"),
                "points",
                "up",
                self.env._("Growth of the typical member less that of the typical other customer."),
                self.env._("Chance: the sentence above says whether the two can be told apart."),
            ),
        ]

    @api.model
    def _get_sum_kpis(self):
        return [
            Kpi(
                "own_growth",
                self.env._("Growth in Sum"),
                "percent",
                "up",
                self.env._("Sales of all members who sold something in the time before, against that."),
                self.env._("One large member can make it on its own: see the share of the largest."),
                "turnover",
            ),
            Kpi(
                "own_extra",
                self.env._("Sales above Own Past"),
                "money",
                "up",
                self.env._("Sales of members less what they sold in the time before."),
                self.env._("It contains what the market gave to everybody: it is no effect of the program."),
                "turnover",
            ),
            Kpi(
                "largest_share",
                self.env._("Share of the Largest"),
                "percent",
                "",
                self.env._("Turnover of the largest member divided by that of all who turned over something."),
                self.env._("Members who belong to one owner and are no group here."),
                "turnover",
            ),
        ]

    @api.model
    def _get_sales_kpis(self):
        return [
            Kpi(
                "turnover",
                self.env._("Turnover through Members"),
                "money",
                "up",
                self.env._(
                    "What members bought within their membership, and what they brought from customers who are none; "
                    "untaxed, less credit notes, at the event that the program counts turnover by."
                ),
                self.env._("What they would have bought without the program."),
                "turnover",
            ),
            Kpi(
                "average_order",
                self.env._("Average Sale"),
                "money",
                "up",
                self.env._("Turnover through members divided by the documents of which something is left."),
                self.env._("A few large sales raise it."),
                "turnover",
            ),
            Kpi(
                "orders_per_member",
                self.env._("Orders per Member"),
                "number",
                "up",
                self.env._("Confirmed orders that members made or brought, divided by those who were members."),
                self.env._("How they are spread: see the most and least active below."),
                "orders",
            ),
        ]

    @api.model
    def _get_deal_kpis(self):
        return [
            Kpi(
                "repeat_share",
                self.env._("Repeat Orders"),
                "percent",
                "up",
                self.env._(
                    "Orders of customers who had ordered before, as a share of all that members made or brought."
                ),
                self.env._("Customers who ordered elsewhere before."),
                "repeat_orders",
            ),
            Kpi(
                "deals",
                self.env._("New Deals"),
                "number",
                "up",
                self.env._("Deals of members that were approved."),
                self.env._("Whether they are won."),
                "deals",
            ),
            Kpi(
                "deals_per_member",
                self.env._("Deals per Member"),
                "number",
                "up",
                self.env._("Approved deals divided by those who were members."),
                self.env._("How they are spread."),
                "deals",
            ),
        ]

    @api.model
    def _get_customer_kpis(self):
        return [
            Kpi(
                "new_customers",
                self.env._("New Customers through Members"),
                "number",
                "up",
                self.env._("Customers who were invoiced for the first time, brought by a member."),
                self.env._("Whether they would have come by themselves."),
                "new_customers",
            ),
        ]

    @api.model
    def _get_member_kpis(self):
        return [
            Kpi(
                "members",
                self.env._("Members"),
                "number",
                "up",
                self.env._("Members on the last day."),
                self.env._("Whether they do anything: see the active share."),
                "members",
            ),
            Kpi(
                "new_members",
                self.env._("New Members"),
                "number",
                "up",
                self.env._("Members whose first day lies within these days."),
                self.env._("Whether they were customers before."),
                "new_members",
            ),
            Kpi(
                "active_share",
                self.env._("Active Share"),
                "percent",
                "up",
                self.env._("Members who turned over something, as a share of all who were members in these days."),
                self.env._("How much: one small order is enough."),
                "turnover",
            ),
        ]

    @api.model
    def _get_loyalty_kpis(self):
        return [
            Kpi(
                "retention",
                self.env._("Retention"),
                "percent",
                "up",
                self.env._("Of the members who turned over something in the time before, the share that did so again."),
                self.env._("Who buys less often than the period is long seems to be lost."),
                "turnover",
            ),
            Kpi(
                "churn",
                self.env._("Churn"),
                "percent",
                "down",
                self.env._("Members of the first day whose membership had ended by the last, as a share of them."),
                self.env._("Who stays a member and stops buying: see retention."),
                "left_members",
            ),
            Kpi(
                "certificates",
                self.env._("Certificates"),
                "number",
                "up",
                self.env._("Certifications that people of members passed."),
                self.env._("Whether what was learned is used."),
                "certificates",
            ),
        ]

    @api.model
    def _get_service_kpis(self):
        return [
            Kpi(
                "satisfaction",
                self.env._("Satisfaction"),
                "percent",
                "up",
                self.env._("Of the members who answered how satisfied they are, the share that gave 4 or 5 of 5."),
                self.env._("What those think who did not answer."),
                "feedback",
            ),
            Kpi(
                "quality",
                self.env._("Service Quality"),
                "percent",
                "up",
                self.env._("The average over members of how they serve their customers: answers, returns and audits."),
                self.env._("Members of whom too little is known."),
            ),
        ]

    @api.model
    def _get_time_kpis(self):
        return [
            Kpi(
                "answer_hours",
                self.env._("Time to Answer"),
                "hours",
                "down",
                self.env._("Half of the inquiries of these days were answered faster."),
                self.env._("Those that are still waiting."),
                "inquiries",
            ),
            Kpi(
                "approve_days",
                self.env._("Time to Approve"),
                "days",
                "down",
                self.env._("Half of the payouts that were decided took less from submission to approval."),
                self.env._("Those that are still waiting."),
                "payouts",
            ),
            Kpi(
                "pay_days",
                self.env._("Time to Pay"),
                "days",
                "down",
                self.env._("Half of the payouts that were paid took less from approval to the last payment."),
                self.env._("Those that are still waiting."),
                "payouts",
            ),
        ]

    # === VALUES ===#

    @api.model
    def _get_facts(self, focus):
        """Return what the figures are worked out from.

        :param Focus focus: program, days and members
        :rtype: dict
        """
        return {
            "currency": focus.program.currency_id,
            "point_value": self._get_point_value(focus.program),
            **self._get_sales_facts(focus),
            **self._get_member_facts(focus),
            **self._get_count_facts(focus),
            **self._get_cost_facts(focus),
            **self._get_service_facts(focus),
            **self._get_pilot_facts(focus),
        }

    @api.model
    def _get_values(self, facts):
        """Return the values of all figures by name, None where there is none.

        :param dict facts: see :meth:`_get_facts`
        :rtype: dict
        """
        return {
            kpi.name: getattr(self, f"_get_kpi_{kpi.name}")(facts)
            for _title, kpis in self._get_sections()
            for kpi in kpis
        }

    @api.model
    def _get_point_value(self, program):
        """Return what a point is worth in the currency of the company, exactly."""
        return Decimal(str(program.point_value))

    @api.model
    def _divide(self, part, whole, factor=1):
        """Return a part of a whole, exactly; None where the whole is zero or less.

        :rtype: Decimal | None
        """
        return factor * Decimal(part) / Decimal(whole) if whole > 0 else None

    # What it costs and brings.

    @api.model
    def _get_kpi_cost(self, facts):
        return facts["cost_money"] + facts["cost_points"] * facts["point_value"] + facts["cost_claims"]

    @api.model
    def _get_kpi_cost_share(self, facts):
        return self._divide(self._get_kpi_cost(facts), facts["turnover"], 100)

    @api.model
    def _get_kpi_extra_sales(self, facts):
        effect = facts["effect"]
        if not self._is_told_apart(effect):
            return None
        return facts["own_before"] * Decimal(effect[0]) / 100

    @api.model
    def _get_kpi_roi(self, facts):
        sales, cost = self._get_kpi_extra_sales(facts), self._get_kpi_cost(facts)
        if sales is None or not facts["margin_rate"]:
            return None
        return self._divide(sales * Decimal(facts["margin_rate"]) / 100 - cost, cost, 100)

    @api.model
    def _get_kpi_break_even(self, facts):
        margin = facts["own_before"] * Decimal(facts["margin_rate"] or 0) / 100
        return self._divide(self._get_kpi_cost(facts), margin, 100)

    @api.model
    def _get_kpi_breakage(self, facts):
        return facts["expired_money"] + facts["expired_points"] * facts["point_value"]

    # Growth.

    @api.model
    def _get_kpi_growth(self, facts):
        return facts["growth"]

    @api.model
    def _get_kpi_market_growth(self, facts):
        return facts["market_growth"]

    @api.model
    def _get_kpi_effect(self, facts):
        return facts["effect"] and facts["effect"][0]

    @api.model
    def _get_kpi_own_growth(self, facts):
        return self._divide(facts["own"] - facts["own_before"], facts["own_before"], 100)

    @api.model
    def _get_kpi_own_extra(self, facts):
        return facts["own"] - facts["own_before"]

    @api.model
    def _get_kpi_largest_share(self, facts):
        return self._divide(facts["largest"], facts["gross"], 100)

    # Sales.

    @api.model
    def _get_kpi_turnover(self, facts):
        return facts["turnover"]

    @api.model
    def _get_kpi_average_order(self, facts):
        return self._divide(facts["turnover"], facts["documents"])

    @api.model
    def _get_kpi_orders_per_member(self, facts):
        return self._divide(self._get_orders(facts), facts["members_during"])

    @api.model
    def _get_kpi_repeat_share(self, facts):
        return self._divide(facts["repeat_bought"] + facts["repeat_brought"], self._get_orders(facts), 100)

    @api.model
    def _get_orders(self, facts):
        return facts["orders_bought"] + facts["orders_brought"]

    @api.model
    def _get_kpi_deals(self, facts):
        return facts["deals"]

    @api.model
    def _get_kpi_deals_per_member(self, facts):
        return self._divide(facts["deals"], facts["members_during"])

    @api.model
    def _get_kpi_new_customers(self, facts):
        return facts["new_customers"]

    # Members.

    @api.model
    def _get_kpi_members(self, facts):
        return facts["members_end"]

    @api.model
    def _get_kpi_new_members(self, facts):
        return facts["members_joined"]

    @api.model
    def _get_kpi_active_share(self, facts):
        return self._divide(facts["active"], facts["members_during"], 100)

    @api.model
    def _get_kpi_retention(self, facts):
        return self._divide(facts["bought_again"], facts["bought_before"], 100)

    @api.model
    def _get_kpi_churn(self, facts):
        return self._divide(facts["members_left"], facts["members_start"], 100)

    @api.model
    def _get_kpi_certificates(self, facts):
        return facts["certificates"]

    # Service.

    @api.model
    def _get_kpi_satisfaction(self, facts):
        return facts["satisfaction"]

    @api.model
    def _get_kpi_quality(self, facts):
        return facts["quality"]

    @api.model
    def _get_kpi_answer_hours(self, facts):
        return facts["answer_hours"]

    @api.model
    def _get_kpi_approve_days(self, facts):
        return facts["approve_days"]

    @api.model
    def _get_kpi_pay_days(self, facts):
        return facts["pay_days"]

    # === VERDICT ===#

    @api.model
    def _is_told_apart(self, effect):
        """Return whether an effect is more, or less, than chance: its interval does not include zero.

        :param tuple effect: value, lower and upper bound; None where there are too few to tell
        """
        return bool(effect) and (effect[1] > 0 or effect[2] < 0)

    @api.model
    def _get_verdict(self, facts):
        """Return in a sentence whether the program can be said to work, and how that is to be taken.

        What pilots have proven is said besides: it is about what was tried, and not about the program as a whole.

        :return: level (``success``, ``warning``, ``danger`` or ``info``) and text
        :rtype: tuple[str, str]
        """
        level, texts = self._get_market_verdict(facts)
        return level, " ".join([*texts, *self._get_pilot_texts(facts)])

    @api.model
    def _get_market_verdict(self, facts):
        """Return what the comparison with other customers says: level and sentences."""
        effect = facts["effect"]
        if not effect:
            text = self.env._(
                "Too few members or other customers sold something in both periods to tell whether the program works: "
                "look at a longer period."
            )
            return "info", [text]
        texts = self._get_effect_texts(facts, effect)
        if not self._is_told_apart(effect):
            return "warning", [*texts, self.env._("That can be chance: no effect of the program is seen.")]
        if effect[0] < 0:
            return "danger", [*texts, self.env._("Members do worse than others: look at what is rewarded.")]
        covers_cost = (self._get_kpi_roi(facts) or 0) >= 0
        return "success" if covers_cost else "warning", [*texts, self._get_success_text(facts)]

    @api.model
    def _get_effect_texts(self, facts, effect):
        """Return what was seen: the growth of both, by how much they differ, and whether one member stands out."""
        texts = []
        if facts["growth"] is not None and facts["market_growth"] is not None:
            texts.append(
                self.env._(
                    "The typical member grew by %(growth)s %%, the typical other customer by %(market)s %%.",
                    growth=self._format_number(facts["growth"]),
                    market=self._format_number(facts["market_growth"]),
                )
            )
        texts.append(
            self.env._(
                "The difference is %(effect)s points, with 95 %% certainty between %(low)s and %(high)s.",
                **{
                    name: self._format_number(value)
                    for name, value in zip(("effect", "low", "high"), effect, strict=True)
                },
            )
        )
        share = self._get_kpi_largest_share(facts)
        if share and share >= GIANT_SHARE:
            texts.append(
                self.env._("One member makes %s %% of the turnover: sums say little.", self._format_number(share))
            )
        return texts

    @api.model
    def _get_success_text(self, facts):
        """Return what members who grow more than the market are worth."""
        roi = self._get_kpi_roi(facts)
        text = self.env._("Who joins may have grown faster anyway: a pilot with a control group would prove it.")
        if roi is None:
            return text
        if roi < 0:
            return self.env._("It does not cover the cost. %s", text)
        return self.env._("It covers the cost. %s", text)

    # === IN WORDS ===#

    @api.model
    def _format_kpi(self, kpi, value, currency):
        """Return the value of a figure in words, a dash where there is none.

        :param Kpi kpi: which figure
        :param value: number or None
        :param currency: ``res.currency``
        :rtype: str
        """
        if value is None:
            return "–"
        if kpi.unit == "money":
            return formatLang(self.env, float(value), currency_obj=currency)
        whole = kpi.unit == "number" and value == int(value)
        number = self._format_number(value, 0 if whole else 1)
        texts = {
            "percent": lambda: self.env._("%s %%", number),
            "points": lambda: self.env._("%s pp", number),
            "days": lambda: self.env._("%s days", number),
            "hours": lambda: self.env._("%s h", number),
        }
        return texts[kpi.unit]() if kpi.unit in texts else number

    @api.model
    def _get_unit_label(self, kpi):
        """Return the unit of a figure that is no money, as it stands in the heading of a column."""
        labels = {
            "percent": "%",
            "points": self.env._("percentage points"),
            "days": self.env._("days"),
            "hours": self.env._("hours"),
        }
        return labels.get(kpi.unit, "")

    @api.model
    def _format_number(self, value, digits=1):
        # Zero has no sign, whichever side it was rounded from.
        return formatLang(self.env, round(float(value), digits) + 0.0, digits=digits)

    @api.model
    def _get_change(self, kpi, value, before):
        """Return by how much a figure changed: percent of an amount or number, points of what is percent already.

        :return: number, or None where it cannot be said
        """
        if value is None or before is None:
            return None
        if kpi.unit in ("percent", "points"):
            return float(value) - float(before)
        return 100 * (float(value) - float(before)) / abs(float(before)) if before else None
