from decimal import Decimal

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

# So many days with something to come, and so many bonuses, are shown at a glance.
GLANCE = 3


class PartnerLoyaltyMemberPortal(models.AbstractModel):
    """What the portal tells a member at a glance: where it stands, what is missing, and what comes and goes when."""

    _name = "partner.loyalty.member.portal"
    _description = "Pages of a Member"

    # === GETTERS - TIER ===#

    def _get_portal_conditions(self):
        """Return what the next tier asks for, and how far the member is.

        :return: dicts of ``name``, ``value`` and ``bound`` (in words), ``missing`` (in words; None where that is not a
            matter of more), ``progress`` (whole percent) and ``met``
        :rtype: list[dict]
        """
        self.ensure_one()
        facts = self.tier_missing or () if self.next_tier_id else ()
        return [self._prepare_portal_condition(fact) for fact in facts]

    def _get_portal_way_text(self):
        """Return where the member is going, and by when."""
        self.ensure_one()
        terms = {"tier": self.next_tier_id.name}
        if not self.tier_decision_date:
            return self.env._("On the way to %(tier)s", **terms)
        day = format_date(self.env, self.tier_decision_date)
        return self.env._("On the way to %(tier)s, by %(date)s", date=day, **terms)

    def _get_portal_needed_text(self, conditions):
        """Return how many of the conditions have to be met, where not all of them."""
        self.ensure_one()
        count = self.next_tier_id.needed_count
        if not count or count >= len(conditions):
            return None
        return self.env._("%(count)s of these %(total)s have to be met.", count=count, total=len(conditions))

    def _prepare_portal_condition(self, fact):
        """Return one condition of the next tier; see :meth:`_get_portal_conditions`."""
        # How a metric is worked out stays with the company; its name and unit are on the page of every member.
        metric_sudo = self.env["partner.loyalty.metric"].sudo()
        metric_sudo = metric_sudo.new({"unit": fact["unit"], "direction": fact["direction"]})
        value = None if fact["value"] is None else Decimal(fact["value"])
        lacks = not fact["met"] and fact["direction"] != "down" and value is not None
        return {
            "name": metric_sudo._get_name_of(fact["metric_id"]) or fact["name"],
            "value": metric_sudo._format_value(value, self.currency_id),
            "bound": metric_sudo._format_bound(Decimal(fact["minimum"]), self.currency_id),
            "missing": metric_sudo._format_value(Decimal(fact["minimum"]) - value, self.currency_id) if lacks else None,
            "progress": self._get_portal_progress(value, Decimal(fact["minimum"]), fact["met"], fact["direction"]),
            "met": fact["met"],
        }

    @staticmethod
    def _get_portal_progress(value, bound, is_met, direction="up"):
        """Return how much of what is asked for is there, in whole percent; 100 is what is met, and nothing else."""
        if is_met:
            return 100
        if not value or value < 0 or (direction == "down" and bound <= 0):
            return 0
        share = bound / value if direction == "down" else value / bound if bound > 0 else 0
        return max(0, min(99, int(100 * share)))

    # === GETTERS - BALANCES ===#

    def _get_portal_balances(self, units):
        """Return what the member has, what of it comes later, and what goes.

        :param units: ``point`` and ``money``, or one of them
        :return: for each unit ``unit``, ``balance``, ``available``, ``debt`` and, as sums with the first days, their
            amounts and what they are called, ``pending`` and ``expiring``:
            ``{"total": Decimal, "days": [(date, Decimal, str)]}``
        :rtype: list[dict]
        """
        self.ensure_one()
        accounts = self.account_ids.filtered(lambda account: account.unit in units)
        queries = self._get_portal_balance_queries(accounts)
        pending, expiring, debts = (
            self._group_portal_rows(self.env.execute_query(query), get_name)
            for query, get_name in zip(queries, (self._name_coming_day, self._name_last_day, None), strict=True)
        )
        nothing = {"total": Decimal(0), "days": []}
        return [
            {
                "unit": account.unit,
                "balance": account.balance,
                "available": account.available,
                "debt": debts.get(account.id, nothing)["total"],
                "pending": pending.get(account.id, nothing),
                "expiring": expiring.get(account.id, nothing),
            }
            for account in accounts.sorted(lambda account: units.index(account.unit))
        ]

    def _get_portal_balance_queries(self, accounts):
        """Return what matures when, what expires when, and what is owed: ``account_id, day, amount``, by day."""
        self.env.flush_all()
        today, ids = self.program_id._get_today(), list(accounts.ids)
        pending = SQL(
            """SELECT account_id, mature_date AS day, SUM(amount_open)::text AS amount FROM partner_loyalty_entry
                WHERE account_id = ANY(%s) AND amount_open > 0 AND mature_date > %s GROUP BY 1, 2 ORDER BY 2""",
            ids,
            today,
        )
        lots = accounts.env["partner.loyalty.entry"]._get_lot_query(self.program_id, ids)
        expiring = SQL(
            """SELECT account_id, expiry_date, SUM(amount)::text FROM (%s) lot WHERE expiry_date >= %s
             GROUP BY 1, 2 ORDER BY 2""",
            lots,
            today,
        )
        debts = SQL(
            """SELECT account_id, NULL::date, SUM(-amount_open)::text FROM partner_loyalty_entry
                WHERE account_id = ANY(%s) AND amount_open < 0 GROUP BY 1""",
            ids,
        )
        return pending, expiring, debts

    def _name_coming_day(self, day):
        return self.env._("on %s", format_date(self.env, day))

    def _name_last_day(self, day):
        return self.env._("after %s", format_date(self.env, day))

    @staticmethod
    def _group_portal_rows(rows, get_name):
        """Return sums by account, with the first days; see :meth:`_get_portal_balances`."""
        groups = {}
        for account_id, day, amount in rows:
            group = groups.setdefault(account_id, {"total": Decimal(0), "days": []})
            group["total"] += Decimal(amount)
            if get_name and len(group["days"]) < GLANCE:
                group["days"].append((day, Decimal(amount), get_name(day)))
        return groups

    def _get_portal_unpaid_text(self):
        """Return in words which invoices will earn once they are paid, or None where nothing waits for a payment."""
        self.ensure_one()
        today = self.program_id._get_today()
        rules = self._get_portal_payment_rules().filtered(lambda rule: self._applies_on(rule, today))
        domain = self._get_portal_unpaid_domain(set(rules.mapped("role")))
        # Which of its sales are open is told to the member by number and sum alone.
        moves_sudo = self.env["account.move"].sudo()
        count, amount = moves_sudo._read_group(domain, [], ["__count", "amount_residual_signed:sum"])[0]
        if not count:
            return None
        return self.env._(
            "Invoices that are not paid yet: %(count)s, with %(amount)s to pay. What they earn comes with the payment.",
            count=count,
            amount=self.currency_id.format(amount),
        )

    def _get_portal_payment_rules(self):
        """Return the rules of the program that credit at the payment, in all their versions."""
        return self.program_id._get_rules_in_force().filtered(lambda rule: rule.kind == "payment")

    def _get_portal_expected(self, units):
        """Return what the open invoices will earn once they are paid in full, as the engine would post it.

        What bands make of a period is known when it ends, and left out.

        :param units: ``point`` and ``money``, or one of them
        :return: amounts by unit, of those that something comes of
        :rtype: dict[str, Decimal]
        """
        self.ensure_one()
        rules = self._get_portal_payment_rules()
        rules = rules.filtered(lambda rule: rule.unit in units and rule.formula != "bands")._as_if_paid()
        # See _get_portal_unpaid_text.
        moves_sudo = self.env["account.move"].sudo()
        moves_sudo = moves_sudo.search(self._get_portal_unpaid_domain(set(rules.mapped("role"))))
        expected = dict.fromkeys(units, Decimal(0))
        for rule in rules if moves_sudo else ():
            expected[rule.unit] += self._get_portal_expected_of(rule, moves_sudo)
        return {unit: amount for unit, amount in expected.items() if amount > 0}

    def _get_portal_expected_of(self, rule, moves):
        """Return what the member still gets for invoices by a rule, see :meth:`_get_portal_expected`."""
        scope = rule._widen(rule._get_document_scope("account.move", moves.ids))
        query = SQL(
            "SELECT COALESCE(SUM(amount), 0)::text FROM (%s) delta WHERE account_id = ANY(%s)",
            rule._get_delta_query(scope),
            list(self.account_ids.ids),
        )
        return Decimal(self.env.execute_query(query)[0][0])

    def _get_portal_unpaid_domain(self, roles):
        """Return the open invoices of which the member has one of the roles.

        :param set roles: of rules that credit at the payment
        :rtype: Domain
        """
        owners = {"buyer": "commercial_partner_id", "referrer": "loyalty_partner_id"}
        domain = Domain.OR(Domain(owners[role], "=", self.partner_id.id) for role in roles & owners.keys())
        domain &= Domain("company_id", "=", self.company_id.id) & Domain("state", "=", "posted")
        domain &= Domain("move_type", "=", "out_invoice") & Domain("payment_state", "in", ("not_paid", "partial"))
        return domain & Domain("invoice_date", ">=", self.date_from)

    # === GETTERS - BONUSES ===#

    def _get_portal_bonuses(self, units):
        """Return the bonuses within reach, the nearest first: a metric has to reach a value by a day.

        :param units: only those that give something in these units, or what is no amount
        :return: dicts as of ``partner.loyalty.bonus.action._get_reach``
        :rtype: list[dict]
        """
        self.ensure_one()
        if self.state != "active":
            return []
        # Members may read which bonuses they can reach, and not how these are set up.
        actions_sudo = self.env["partner.loyalty.bonus.action"].sudo()
        reaches = [action._get_reach(self, units) for action in actions_sudo._get_reachable(self)]
        return sorted(filter(None, reaches), key=lambda reach: (reach["is_reached"], -reach["progress"]))[:GLANCE]

    # === GETTERS - SEE AS PARTNER ===#

    def _get_portal_as_text(self):
        """Return what an officer has to know who looks at the pages of the member."""
        self.ensure_one()
        return self.env._(
            "You see the pages of %s as its owner does. Nothing can be changed here.", self.partner_id.display_name
        )
