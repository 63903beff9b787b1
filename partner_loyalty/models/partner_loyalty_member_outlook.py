from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL, format_date


class PartnerLoyaltyMemberOutlook(models.AbstractModel):
    """How far the next tier is from a member, and whether it will fall, if nothing changes until the next decision."""

    _name = "partner.loyalty.member.outlook"
    _description = "Tier Outlook"

    # === FIELDS ===#

    next_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", index="btree_not_null", ondelete="set null", readonly=True, copy=False
    )
    tier_progress = fields.Float(
        string="Way to the Next Tier (%)", digits=(5, 2), readonly=True, copy=False, aggregator=None
    )
    tier_missing = fields.Json(readonly=True, copy=False)
    tier_decision_date = fields.Date(string="Next Decision", readonly=True, copy=False)
    risk_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        string="Falls to",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        copy=False,
        help="The tier that the member gets at the next decision, if nothing changes until then.",
    )
    outlook_text = fields.Char(string="Tier Outlook", compute="_compute_outlook_text")

    # === COMPUTE METHODS ===#

    @api.depends("tier_missing", "next_tier_id", "risk_tier_id", "tier_decision_date")
    @api.depends_context("lang")
    def _compute_outlook_text(self):
        for member in self:
            member.outlook_text = " ".join(filter(None, (member._get_risk_text(), member._get_missing_text())))

    # === BUSINESS METHODS ===#

    @api.model
    def _refresh_outlook(self, program):
        """Work out for all members of a program what the next tier asks for, and who will fall."""
        self.env.flush_all()
        if not program._get_tiers():
            return
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_member member
                   SET next_tier_id = outlook.next_tier_id, tier_progress = outlook.progress,
                       tier_missing = outlook.missing, tier_decision_date = outlook.decision_date,
                       risk_tier_id = outlook.risk_tier_id
                  FROM (%(outlook)s) outlook
                 WHERE member.id = outlook.member_id
                   AND (member.next_tier_id, member.tier_progress, member.tier_missing, member.tier_decision_date,
                        member.risk_tier_id)
                       IS DISTINCT FROM
                       (outlook.next_tier_id, outlook.progress, outlook.missing, outlook.decision_date,
                        outlook.risk_tier_id)
                """,
                outlook=self._get_outlook_query(program),
            )
        )
        self.env.invalidate_all()

    @api.model
    def _get_outlook_query(self, program, member_ids=None):
        """Return what members can expect of the next decision, with what is known now.

        Columns: ``member_id, next_tier_id, progress`` (percent), ``missing``, ``decision_date`` and
        ``risk_tier_id``, which is empty for who does not fall.

        :param tuple member_ids: holders of what is measured, where they are few
        :rtype: SQL
        """
        Decision = self.env["partner.loyalty.tier.decision"]
        today = program._get_today()
        # Where each member has a year of its own, what lies in it so far counts.
        day = program._get_next_period_end(today) or today
        is_member = SQL("member.date_from <= %(day)s AND COALESCE(member.date_to >= %(day)s, TRUE)", day=day)
        due = Decision._get_due_query(program, is_member, SQL("TRUE"))
        if member_ids is not None:
            due = SQL("SELECT * FROM (%s) AS due WHERE holder_id = ANY(%s)", due, list(member_ids))
        return SQL(
            """
            SELECT decision.member_id, %(tiers)s[array_position(%(tiers)s, decision.tier_id) + 1] AS next_tier_id,
                   ROUND(100 * progress, 2) AS progress, missing, %(decision_date)s AS decision_date,
                   CASE WHEN array_position(%(tiers)s, decided_id) < array_position(%(tiers)s, decision.tier_id)
                        THEN decided_id END AS risk_tier_id
              FROM (%(decision)s) AS decision
              JOIN partner_loyalty_member member ON member.id = decision.member_id
            """,
            decision_date=self._get_decision_date(program, day),
            tiers=SQL("(%s::integer[])", program._get_tiers().ids),
            decision=Decision._get_decision_query(program, day, due, member_ids=member_ids),
        )

    @api.model
    def _get_decision_date(self, program, day):
        """Return the day of the next decision about ``member``."""
        if program.tier_period != "anniversary":
            return SQL("%s::date", day)
        start = program._get_membership_year_start(SQL("member.date_from"), SQL("%s::date", day))
        return SQL("(%s + interval '1 year')::date - 1", start)

    def _get_quotation_text(self, amount):
        """Say how far the next tier is with a quotation that is not confirmed yet.

        :param amount: untaxed amount of the quotation, in the currency of the company
        :return: a sentence, empty where it changes nothing about the tier
        :rtype: str
        """
        self.ensure_one()
        program = self.program_id
        if program.tier_kind not in ("order", "invoice", "payment"):
            return ""
        # As in _get_due_query.
        holder = self.group_root_id if self.turnover_root_id == self else self
        query = self._get_outlook_query(program, (holder.id,))
        rows = self.env.execute_query(
            SQL("SELECT next_tier_id, missing, decision_date FROM (%s) AS outlook WHERE member_id = %s", query, self.id)
        )
        tier_id, facts, day = rows[0] if rows else (None, None, None)
        if not tier_id:
            return ""
        tier = self.env["partner.loyalty.tier"].browse(tier_id)
        facts = [self._add_to_turnover(fact, amount) for fact in facts]
        # Not the display name, which forms of sales ask for with the address.
        terms = {"partner": self.partner_id.name, "tier": tier.name, "program": program.name}
        if sum(fact["met"] for fact in facts) >= tier._get_needed_count():
            return self.env._("With this quotation, %(partner)s reaches %(tier)s in “%(program)s”.", **terms)
        return self.env._(
            "With this quotation, %(partner)s reaches %(tier)s in “%(program)s” by %(date)s with %(missing)s.",
            missing="; ".join(self._get_missing_part(fact) for fact in self._get_missing(facts)),
            date=format_date(self.env, day),
            **terms,
        )

    @api.model
    def _add_to_turnover(self, fact, amount):
        """Return a condition as it is once an amount was sold."""
        if fact["metric_id"]:
            return fact
        value = Decimal(fact["value"] or 0) + Decimal(str(amount))
        return {**fact, "value": str(value), "met": value >= Decimal(fact["minimum"])}

    def _get_missing(self, facts=None):
        """Return what the next tier asks for and is not met yet.

        :param list facts: the conditions; those noted for the member by default
        :return: dicts of ``name, unit, direction`` and the numbers ``value`` (None where there is none), ``minimum``
            and ``missing``
        :rtype: list[dict]
        """
        self.ensure_one()
        missing = []
        for fact in self.tier_missing or () if facts is None else facts:
            if not fact["met"]:
                value = None if fact["value"] is None else Decimal(fact["value"])
                minimum = Decimal(fact["minimum"])
                missing.append({**fact, "value": value, "minimum": minimum, "missing": abs(minimum - (value or 0))})
        return missing

    def _get_missing_text(self):
        """Say what is missing for the next tier, and by when."""
        self.ensure_one()
        if not self.next_tier_id or not self.tier_decision_date:
            return ""
        parts = [self._get_missing_part(fact) for fact in self._get_missing()]
        terms = {"tier": self.next_tier_id.name, "date": format_date(self.env, self.tier_decision_date)}
        if not parts:
            return self.env._("%(tier)s is reached on %(date)s, if it stays as it is.", **terms)
        if self.next_tier_id.needed_count:
            terms["count"] = self.next_tier_id._get_needed_count()
            return self.env._(
                "For %(tier)s by %(date)s, %(count)s conditions have to be met. Open are: %(missing)s.",
                missing="; ".join(parts),
                **terms,
            )
        return self.env._("For %(tier)s by %(date)s: %(missing)s.", missing="; ".join(parts), **terms)

    def _get_missing_part(self, fact):
        """Say what is missing of one condition."""
        metric = self.env["partner.loyalty.metric"].new({"unit": fact["unit"], "direction": fact["direction"]})
        name = metric._get_name_of(fact["metric_id"]) or fact["name"]
        if fact["direction"] == "down" or fact["value"] is None:
            return f"{name} {metric._format_bound(fact['minimum'], self.currency_id)}"
        return self.env._(
            "%(amount)s more (%(metric)s)", metric=name, amount=metric._format_value(fact["missing"], self.currency_id)
        )

    def _get_risk_text(self):
        """Say that the member will fall, and when."""
        self.ensure_one()
        if not self.risk_tier_id:
            return ""
        return self.env._(
            "Falls to %(tier)s after %(date)s, if nothing changes.",
            tier=self.risk_tier_id.name,
            date=format_date(self.env, self.tier_decision_date),
        )
