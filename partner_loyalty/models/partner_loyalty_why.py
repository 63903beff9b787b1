from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..const import RECONCILED_TYPES
from ..tools.shares import split

# Where documents have their products; opportunities have none.
PRODUCTS = {
    "sale.order": "order_line.product_id",
    "account.move": "invoice_line_ids.product_id",
    "crm.lead": "order_ids.order_line.product_id",
}


class PartnerLoyaltyWhy(models.AbstractModel):
    """Says what a document earned and by which rule, or why a rule gave nothing for it.

    For each rule that could concern the document the conditions are looked at one by one, in the order in which the
    engine applies them; the first that is not met is the answer.
    """

    _name = "partner.loyalty.why"
    _description = "Why a Document Earns"

    # === ANSWERS ===#

    @api.model
    def _answer(self, document):
        """Return what a document earned and why, or why not; of a quotation what it will earn.

        :param document: a quotation, an order, an invoice or a lead
        :return: dicts as of :meth:`_explain`
        :rtype: list[dict]
        """
        is_quotation = document._name == "sale.order" and document.state in ("draft", "sent")
        return self._forecast(document) if is_quotation else self._explain(document)

    @api.model
    def _explain(self, document):
        """Return the answers of all rules that could concern a document.

        :param document: an order, an invoice or a lead
        :return: dicts of ``rule``, ``partner`` (who could earn), ``amount`` (Decimal, in the unit of the rule),
            ``shares`` of the lines (see :meth:`_get_shares`), and ``text`` in the language of the environment
        :rtype: list[dict]
        """
        document.ensure_one()
        # Whoever asks may see the document; rules, members and their statements are looked up by the program.
        document_sudo = document.sudo()
        answers = []
        for versions in self._get_rules(document_sudo).grouped("family_id").values():
            answers += [self._explain_rule(rule, document_sudo) for rule in self._get_versions(versions, document_sudo)]
        return answers

    @api.model
    def _get_versions(self, versions, document):
        """Return those of the versions of a rule that say something about a document: in force on its day, or posted.

        Of a rule that was not in force then, the latest version says so.
        """
        speaking = versions.filtered(
            lambda rule: (
                not self._check_dates(rule, document, None)
                or self._get_entries(rule, document, self._get_partner(rule, document))
            )
        )
        return speaking or versions.sorted("version")[-1:]

    @api.model
    def _get_rules(self, document):
        """Return the rules of the document's company that are about documents of its model, in force or not."""
        # Whoever may see a document may know what its rules gave, without any right on rules.
        return (
            self.env["partner.loyalty.rule"]
            .sudo()
            .search(
                [
                    ("kind", "in", self.env["partner.loyalty.touch"]._get_touch_kinds().get(document._name, ())),
                    ("program_id.state", "!=", "draft"),
                    ("program_id.active", "=", True),
                    ("is_draft", "=", False),
                    ("company_id", "=", self._get_company(document).id),
                ],
                order="program_id, sequence, id",
            )
        )

    @api.model
    def _get_company(self, document):
        """Return the company that a document counts in; a lead without one counts in that of its team."""
        return document.company_id or (document._name == "crm.lead" and document.team_id.company_id) or self.env.company

    @api.model
    def _explain_rule(self, rule, document):
        partner = self._get_partner(rule, document)
        entries = self._get_entries(rule, document, partner)
        amount = sum((entry._get_exact_amount() for entry in entries), Decimal(0))
        text = entries[-1:]._get_explanation_text() if amount else self._get_reason(rule, document, partner)
        change = self._get_change_text(rule, document, partner, entries[-1:])
        return {
            "rule": rule,
            "partner": partner,
            "amount": amount,
            "shares": self._get_shares(rule, document, amount),
            "text": " ".join(filter(None, (text, change))),
        }

    @api.model
    def _get_partner(self, rule, document):
        """Return the company that would earn by the rule."""
        if rule.role == "referrer":
            return document.loyalty_partner_id
        if document._name == "account.move":
            return document.commercial_partner_id
        return document.loyalty_buyer_id

    @api.model
    def _get_entries(self, rule, document, partner):
        """Return the statement lines that the document, or the period it lies in, has of the rule; oldest first."""
        member = self._get_member(rule, partner)
        scope = rule._get_document_scope(document._name, document.ids)
        origins = Domain([("origin_model", "=", document._name), ("origin_id", "in", scope.origin_ids)])
        if rule.formula == "bands":
            origins = Domain([("origin_id", "in", member.ids), ("period_start", "=", self._get_start(rule, document))])
        domain = origins & Domain([("rule_id", "=", rule.id), ("type", "in", RECONCILED_TYPES)])
        # Only the lines of this document; whoever asks may see it.
        return self.env["partner.loyalty.entry"].sudo().search(domain, order="id")

    @api.model
    def _get_start(self, rule, document):
        day = SQL("%s::date", self._get_day(rule, document))
        return self.env.execute_query(SQL("SELECT %s", rule._get_period_start(day)))[0][0]

    @api.model
    def _get_member(self, rule, partner):
        # Whoever asks may see the document of this partner.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        return members_sudo.search([("program_id", "=", rule.program_id.id), ("partner_id", "=", partner.id)]).root_id[
            :1
        ]

    @api.model
    def _get_day(self, rule, document):
        """Return the day of the sale, as the program counts it."""
        if document._name == "account.move":
            return (document.reversed_entry_id or document).invoice_date or rule.program_id._get_today()
        moment = document.date_closed if document._name == "crm.lead" else document.date_order
        if not moment:
            return rule.program_id._get_today()
        return fields.Datetime.context_timestamp(self.with_context(tz=rule.program_id.tz), moment).date()

    # === REASONS ===#

    @api.model
    def _get_reason(self, rule, document, partner):
        """Return the first condition that a document does not meet, in words.

        :rtype: str
        """
        checks = (
            self._check_partner,
            self._check_state,
            self._check_member,
            self._check_dates,
            self._check_membership,
            self._check_joined,
            self._check_lines,
            self._check_amount,
        )
        reasons = (check(rule, document, partner) for check in checks)
        return next(filter(None, reasons), None) or self._check_waiting(document) or ""

    @api.model
    def _check_waiting(self, document):
        origin = document.reversed_entry_id or document if document._name == "account.move" else document
        # What waits is looked up by the program.
        touches_sudo = self.env["partner.loyalty.touch"].sudo()
        if touches_sudo.search_count([("res_model", "=", document._name), ("res_id", "in", (document | origin).ids)]):
            return self.env._("It has not been answered yet: look again in a moment.")
        return None

    @api.model
    def _check_partner(self, rule, document, partner):
        if partner:
            buyer = document.partner_id.commercial_partner_id
            if rule.role == "referrer" and partner == buyer:
                return self.env._("%s bought it, and the rule is for those who bring others.", partner.display_name)
            return None
        if rule.role == "referrer":
            return self.env._("Nobody is named as the partner who brought it.")
        return self.env._("It has no customer.")

    @api.model
    def _check_state(self, rule, document, partner):
        if document._name == "sale.order" and document.state != "sale":
            return self.env._("The order is not confirmed.")
        if document._name == "account.move" and document.state != "posted":
            return self.env._("It is not posted.")
        if document._name == "crm.lead" and document.won_status != "won":
            return self.env._("The opportunity is not won.")
        return None

    @api.model
    def _check_member(self, rule, document, partner):
        if self._get_member(rule, partner):
            return None
        terms = {"partner": partner.display_name, "program": rule.program_id.name}
        return self.env._("%(partner)s is not a member of %(program)s.", **terms)

    @api.model
    def _check_dates(self, rule, document, partner):
        day, program = self._get_day(rule, document), rule.program_id
        first, last = (
            rule.date_from or program.date_from,
            min(filter(None, (program.date_to, rule.date_to)), default=None),
        )
        if day < max(first, program.date_from):
            return self.env._(
                "It was sold on %(day)s, before the rule began on %(first)s.",
                day=format_date(self.env, day),
                first=format_date(self.env, max(first, program.date_from)),
            )
        if last and day > last:
            return self.env._(
                "It was sold on %(day)s, after the rule had ended on %(last)s.",
                day=format_date(self.env, day),
                last=format_date(self.env, last),
            )
        return None

    @api.model
    def _check_membership(self, rule, document, partner):
        day = self._get_day(rule, document)
        # Whoever asks may see the document of this partner.
        periods_sudo = self.env["partner.loyalty.member.period"].sudo()
        member = self._get_member(rule, partner)
        found = periods_sudo.search_count(
            [
                ("member_id.root_id", "=", member.id),
                ("date_from", "<=", day),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", day),
            ]
        )
        if found:
            return None
        return self.env._(
            "%(partner)s was not a member on %(day)s.", partner=partner.display_name, day=format_date(self.env, day)
        )

    @api.model
    def _check_joined(self, rule, document, partner):
        if rule._is_joined_by(partner):
            return None
        return self.env._(
            "%(partner)s has not joined “%(campaign)s”, and the rule is for who has.",
            partner=partner.display_name,
            # Campaigns are not open to everybody who asks.
            campaign=rule.campaign_id.sudo().display_name,
        )

    @api.model
    def _check_lines(self, rule, document, partner):
        """Look at the filter, the segments and the group of the rule, by counting the lines that each leaves."""
        if not self._count_lines(rule, document, Domain.TRUE):
            if rule.kind == "payment":
                return self.env._("Nothing of it has been paid yet.")
            return self.env._("It has no line that counts.")
        if not self._count_lines(rule, document, rule._get_filter_domain()):
            return self.env._("No line matches the filter of the rule.")
        if not self._count_lines(rule, document, rule._get_own_domain()):
            changed = max([*rule.segment_ids.mapped("write_date"), partner.write_date])
            return self.env._(
                "%(partner)s belongs to none of the segments that the rule is for (last change: %(day)s).",
                partner=partner.display_name,
                day=format_date(self.env, changed.date()),
            )
        if not self._count_lines(rule, document, rule._get_full_domain()):
            return self.env._("Another rule of the group “%s” comes first.", rule.exclusive_group)
        return None

    @api.model
    def _count_lines(self, rule, document, domain):
        scope = rule._get_document_scope(document._name, document.ids)
        query = rule.program_id._get_contribution_query(rule.kind, rule.role, None, None, domain=domain)
        rule._restrict(query, scope)
        return self.env.execute_query(query.select(SQL("COUNT(*)")))[0][0]

    @api.model
    def _check_amount(self, rule, document, partner):
        """Look at what the rule makes of the sums: a minimum, a cap, a budget, or simply nothing."""
        if rule._is_used_up():
            day = max(filter(None, rule._get_versions().mapped("used_up_on")))
            return self.env._("The budget of the rule was used up on %s.", format_date(self.env, day))
        scope = rule._widen(rule._get_document_scope(document._name, document.ids))
        origins = self._get_origin_ids(rule, document, partner)
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT amount::text, uncapped::text, base::text, whole::text"
                " FROM (%s) target WHERE origin_id = ANY(%s)",
                rule._get_target_query(scope),
                origins,
            )
        )
        return self._get_amount_reason(rule, rows[0]) if rows else None

    @api.model
    def _get_origin_ids(self, rule, document, partner):
        """Return the ids of the origins that the ledger has for the document, or for the period it lies in."""
        if rule.formula == "bands":
            return self._get_member(rule, partner).ids
        return list(rule._get_document_scope(document._name, document.ids).origin_ids)

    @api.model
    def _get_amount_reason(self, rule, row):
        if Decimal(row["amount"]):
            return None
        if row["uncapped"] and Decimal(row["uncapped"]):
            return self.env._("The member has earned as much as the rule allows in this period.")
        if rule.minimum_amount and Decimal(row["whole"] or row["base"]) < Decimal(str(rule.minimum_amount)):
            return self.env._("Its net amount is below the minimum of the rule.")
        if rule.formula == "bands":
            return self.env._("The sales of the period have not reached the first band.")
        if Decimal(row["base"]) <= 0:
            return self.env._("Nothing is left of it once credit notes are deducted.")
        return self.env._("The rule makes nothing of it: its rate is zero, or the amount is too small.")

    # === CHANGES SINCE ===#

    @api.model
    def _get_change_text(self, rule, document, partner, entry):
        """Return what a document would earn today where that differs, and what was changed since; else None.

        What was earned stays: a difference that comes from the data of products and partners waits to be confirmed.

        :param entry: the latest statement line of the document, if there is one
        :rtype: str or None
        """
        if self._check_waiting(document):
            return None
        scope = rule._widen(rule._get_document_scope(document._name, document.ids))
        rows = self.env.execute_query(
            SQL(
                "SELECT target::text FROM (%s) delta WHERE origin_id = ANY(%s)",
                rule._get_delta_query(scope),
                self._get_origin_ids(rule, document, partner),
            )
        )
        if not rows:
            return None
        since = entry.posted_at or fields.Datetime.to_datetime(self._get_day(rule, document))
        changes = self._get_changes(rule, document, partner, since)
        return self.env._(
            "Today it would be %(amount)s, because of what was changed since: %(changes)s. "
            "A manager decides about the difference.",
            amount=rule._format_earning(float(rows[0][0])),
            changes=", ".join(changes) or self.env._("terms or data of the past"),
        )

    @api.model
    def _get_changes(self, rule, document, partner, since):
        """Return what was changed since a moment of all that the rule looks at: names and days.

        :param datetime since: the moment of the posting
        :rtype: list[str]
        """
        return [
            f"{record._description} “{record.display_name}” ({format_date(self.env, record.write_date.date())})"
            for records in self._get_influences(rule, document, partner)
            for record in records
            if record.write_date > since
        ]

    @api.model
    def _get_influences(self, rule, document, partner):
        """Return the records whose change can change what a document earns.

        :return: recordsets of several models
        :rtype: list
        """
        products = document.mapped(PRODUCTS[document._name])
        categories = products.categ_id
        while categories.parent_id - categories:
            categories |= categories.parent_id
        member = self._get_member(rule, partner)
        # Only when they were changed is said, and not what they are.
        agreements_sudo = self.env["partner.loyalty.agreement"].sudo().search([("member_id", "=", member.id)])
        return [rule, rule.segment_ids, partner, products, categories, member.period_ids, agreements_sudo]

    # === SHARES ===#

    @api.model
    def _get_shares(self, rule, document, amount):
        """Return how much of an amount each line earned; the shares add up to it, by the largest remainders.

        :param Decimal amount: what the document earned, in the unit of the rule
        :return: pairs of a product and its share; none where a single line or a period as a whole earned it
        :rtype: list[tuple]
        """
        if not amount or rule.formula == "bands":
            return []
        query = rule._get_matching_query(rule._get_document_scope(document._name, document.ids))
        column = rule._get_column(query)
        number = rule._get_quantity(column) if rule._is_by_quantity() else rule._get_base(query)
        weight = SQL("(%s)::numeric * %s", number, rule._add_rate(query))
        query.groupby = SQL("1, 2")
        rows = self.env.execute_query(
            query.select(column("line_id"), column("product_id"), SQL("SUM(%s)::text AS weight", weight))
        )
        if len(rows) < 2:
            return []
        # Products of a document that the user may see.
        products_sudo = self.env["product.product"].sudo()
        shares = split(amount, [Decimal(row[2]) for row in rows], Decimal(rule._get_rounding()))
        return [(products_sudo.browse(row[1]), share) for row, share in zip(rows, shares, strict=True)]

    # === FORECAST ===#

    @api.model
    def _forecast(self, order):
        """Return what a quotation will earn once it is confirmed, as if that happened now; or why not.

        The order is confirmed in the database alone, within a savepoint that is taken back.

        :param order: a quotation
        :return: dicts as of :meth:`_explain`
        :rtype: list[dict]
        """
        order.ensure_one()
        self.env.flush_all()
        # Rules look at all of the order, whoever wrote the quotation.
        order_sudo = order.sudo()
        with self.env.cr.savepoint() as savepoint:
            self.env.execute_query(
                SQL(
                    "UPDATE sale_order SET state = 'sale', date_order = %s WHERE id = %s",
                    fields.Datetime.now(),
                    order.id,
                )
            )
            order_sudo.invalidate_recordset(["state", "date_order"])
            forecasts = [self._forecast_rule(rule, order_sudo) for rule in self._get_rules_in_force(order_sudo)]
            savepoint.rollback()
        return forecasts

    @api.model
    def _get_rules_in_force(self, order):
        """Return the rules that are in force for an order of today."""
        return self._get_rules(order).filtered(lambda rule: not self._check_dates(rule, order, None))

    @api.model
    def _forecast_rule(self, rule, order):
        scope = rule._widen(rule._get_document_scope(order._name, order.ids))
        rows = self.env.execute_query(
            SQL("SELECT SUM(amount)::text FROM (%s) delta WHERE amount > 0", rule._get_delta_query(scope))
        )
        amount, partner = Decimal(rows[0][0] or 0), self._get_partner(rule, order)
        text = self.env._("Once the order is confirmed.") if amount else self._get_reason(rule, order, partner)
        return {"rule": rule, "partner": partner, "amount": amount, "shares": [], "text": text}
