from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..const import COST_TYPES, RECOVERY_TYPES

EXPIRY_TYPES = ("expiry", "expiry_return")

# In the order in which they are shown.
PARTS = ("volume", "rate", "tier", "promotion", "one_off", "clawback", "expiry")


class PartnerLoyaltyBridge(models.AbstractModel):
    """Why members earned more or less than in the days before, in parts that add up to the difference exactly.

    What is explained is the sum of all lines that a program costs, and of what expired, by their day on the statement:
    without payouts, what was redeemed, and what was only moved. Each line belongs to one kind. Of what was *taken
    back*, *expired*, was earned by *promotions*, or is *one-off* (bonuses, rewards, adjustments), the part is the sum
    now less the sum before. What standing rules earned, ``A``, is split for each member and rule (all versions
    together) by the basis that it was earned on, ``B``, as the lines explain it::

        volume      = (B now - B before) * A before / B before
        rate, tier  = A now - A before - volume

    The latter is a move between tiers where the last line of these days names another tier than the last one before,
    else a change of rates, bands or limits. Where one of the two has no basis, all is volume.
    """

    _name = "partner.loyalty.bridge"
    _description = "Bridge of Earnings"

    # === BUSINESS METHODS ===#

    @api.model
    def _get_bridge(self, focus, unit):
        """Return what was earned before and now, and what makes the difference.

        :param Focus focus: program, days and members
        :param str unit: ``point`` or ``money``
        :return: ``before``, ``now`` and the ``PARTS``, in the unit
        :rtype: dict[str, Decimal]
        """
        self.env.flush_all()
        [row] = self.env.execute_query_dict(self._get_bridge_query(focus, unit))
        return {name: Decimal(row[name] or 0) for name in ("before", *PARTS, "now")}

    # === QUERIES ===#

    @api.model
    def _get_bridge_query(self, focus, unit):
        """Return the sums and parts as text, which keeps them exact.

        :rtype: SQL
        """
        sums = {"now": SQL("is_now"), "before": SQL("NOT is_now")}
        kinds = ("promotion", "one_off", "clawback", "expiry")
        columns = [
            *(
                SQL("(SELECT SUM(amount)::text FROM line WHERE %s) AS %s", sums[name], SQL.identifier(name))
                for name in sums
            ),
            *(
                SQL(
                    "(SELECT SUM(CASE WHEN is_now THEN amount ELSE -amount END)::text FROM line WHERE kind = %s) AS %s",
                    kind,
                    SQL.identifier(kind),
                )
                for kind in kinds
            ),
            *(
                SQL("(SELECT SUM(%s)::text FROM split) AS %s", SQL.identifier(name), SQL.identifier(name))
                for name in ("volume", "rate", "tier")
            ),
        ]
        return SQL(
            "WITH line AS MATERIALIZED (%s), split AS MATERIALIZED (%s) SELECT %s",
            self._get_line_query(focus, unit),
            self._get_split_query(focus, unit),
            SQL(", ").join(columns),
        )

    @api.model
    def _get_line_query(self, focus, unit):
        """Return the lines of both times: ``(id, root_id, family_id, tier_id, kind, is_now, amount, base)``.

        A line for a document that had one before is about the difference, in proportion to which it shares the basis.
        """
        previous = focus.get_previous()
        return SQL(
            """
            SELECT entry.id, member.root_id, COALESCE(rule.family_id, entry.rule_id, 0) AS family_id,
                   (entry.explanation->>'tier_id')::integer AS tier_id, %(kind)s AS kind,
                   entry.date BETWEEN %(first)s AND %(last)s AS is_now, entry.amount,
                   (entry.explanation->>'base')::numeric * entry.amount
                       / NULLIF((entry.explanation->>'target')::numeric, 0) AS base
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
         LEFT JOIN partner_loyalty_rule rule ON rule.id = entry.rule_id
             WHERE entry.program_id = %(program)s AND account.unit = %(unit)s AND entry.type IN %(types)s
               AND (entry.date BETWEEN %(first)s AND %(last)s OR entry.date BETWEEN %(from)s AND %(to)s)
               AND %(is_meant)s
            """,
            kind=self._get_kind_column(),
            first=focus.first,
            last=focus.last,
            program=focus.program.id,
            unit=unit,
            types=(*COST_TYPES, *EXPIRY_TYPES),
            is_meant=focus.get_member_condition(SQL("member.root_id")),
            **{"from": previous.first, "to": previous.last},
        )

    @api.model
    def _get_kind_column(self):
        """Return which part of the bridge a line belongs to; what standing rules earned is split further."""
        return SQL(
            """CASE WHEN entry.type IN %s THEN 'clawback' WHEN entry.type IN %s THEN 'expiry'
                    WHEN entry.type <> 'accrual' THEN 'one_off' WHEN rule.is_promotion THEN 'promotion'
                    ELSE 'rule' END""",
            RECOVERY_TYPES,
            EXPIRY_TYPES,
        )

    @api.model
    def _get_split_query(self, focus, unit):
        """Return what standing rules earned, in parts: ``(volume, rate, tier)`` for each member and rule."""
        digits = focus.program.currency_id.decimal_places if unit == "money" else focus.program.point_digits
        return SQL(
            """
            SELECT volume,
                   CASE WHEN tier_now IS NOT DISTINCT FROM tier_before THEN difference - volume ELSE 0 END AS rate,
                   CASE WHEN tier_now IS DISTINCT FROM tier_before THEN difference - volume ELSE 0 END AS tier
              FROM (
                SELECT tier_now, tier_before, amount_now - amount_before AS difference,
                       CASE WHEN base_now > 0 AND base_before > 0
                            THEN ROUND((base_now - base_before) * amount_before / base_before, %(digits)s)
                            ELSE amount_now - amount_before END AS volume
                  FROM (
                    SELECT COALESCE(SUM(amount) FILTER (WHERE is_now), 0) AS amount_now,
                           COALESCE(SUM(amount) FILTER (WHERE NOT is_now), 0) AS amount_before,
                           SUM(base) FILTER (WHERE is_now) AS base_now,
                           SUM(base) FILTER (WHERE NOT is_now) AS base_before,
                           (array_agg(tier_id ORDER BY id DESC) FILTER (WHERE is_now))[1] AS tier_now,
                           (array_agg(tier_id ORDER BY id DESC) FILTER (WHERE NOT is_now))[1] AS tier_before
                      FROM line WHERE kind = 'rule' GROUP BY root_id, family_id) summed) based
            """,
            digits=digits,
        )

    # === GETTERS ===#

    @api.model
    def _get_part_labels(self):
        """Return what the parts are called, and what they mean, by name.

        :rtype: dict[str, tuple[str, str]]
        """
        return {
            "volume": (self.env._("Volume"), self.env._("More or less was sold, at the rate of before.")),
            "rate": (self.env._("Rate"), self.env._("Sales earned at other rates, bands or limits.")),
            "tier": (self.env._("Tier Moves"), self.env._("Members had another tier, and its rate.")),
            "promotion": (
                self.env._("Promotions"),
                self.env._("Earned by rules with a campaign, or for a short time."),
            ),
            "one_off": (self.env._("One-Offs"), self.env._("Bonuses, rewards and adjustments.")),
            "clawback": (self.env._("Taken Back"), self.env._("Returns, cancellations, and bonuses taken back.")),
            "expiry": (self.env._("Expired"), self.env._("What nobody used in time, less what was given back of it.")),
        }
