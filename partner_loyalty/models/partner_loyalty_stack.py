from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, formatLang

# Rules of these kinds say what an order will cost; by the period nobody knows it yet.
COSTLY_KINDS = ("order", "repeat_order", "invoice", "payment")


class PartnerLoyaltyStack(models.AbstractModel):
    """Weighs a quotation: what is left of price and margin after all that is given away together."""

    _name = "partner.loyalty.stack"
    _description = "Stacked Benefits"

    # === BUSINESS METHODS ===#

    @api.model
    def _get_findings(self, order):
        """Return where less is left than a program asks for, in words.

        :param order: ``sale.order`` that is saved and not confirmed
        :rtype: list[str]
        """
        programs = self._get_programs(order)
        if not programs:
            return []
        costs = self._get_costs(order)
        total = sum(order.order_line.mapped("price_subtotal"))
        findings = []
        for line in order.order_line.filtered(lambda line: line.product_id and line.price_subtotal > 0):
            share = line.price_subtotal / total if total else 0
            cost = sum(float(amount) for _label, amount in costs) * share
            findings += [text for program in programs for text in self._get_line_findings(program, line, cost) if text]
        return findings

    @api.model
    def _get_programs(self, order):
        """Return the programs that look at quotations, of which the buyer or the referrer is a member."""
        guarded_ids = self.env["partner.loyalty.program"]._get_guarded_ids(order.company_id.id)
        if not guarded_ids:
            return self.env["partner.loyalty.program"]
        # Whoever sells need not see members.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        partners = order.loyalty_buyer_id | order.loyalty_partner_id
        return members_sudo.search(
            [("program_id", "in", guarded_ids), ("partner_id", "in", partners.ids), ("state", "=", "active")]
        ).program_id

    @api.model
    def _get_line_findings(self, program, line, cost):
        """Return what a program finds too little of a line: of its price, of its margin.

        :param float cost: what members will get for the line, in the currency of the order
        :rtype: list[str]
        """
        left, listed = line.price_subtotal - cost, self._get_listed(line)
        terms = {
            "product": line.product_id.display_name,
            "program": program.name,
            "cost": formatLang(self.env, cost, currency_obj=line.currency_id),
        }
        texts = []
        if program.stack_price_floor and listed > 0 and 100 * left / listed < program.stack_price_floor:
            texts.append(
                self.env._(
                    "“%(product)s”: after the discount and %(cost)s for members, "
                    "%(left)s %% of the list price are left; “%(program)s” asks for %(floor)s %%.",
                    left=self._format(100 * left / listed),
                    floor=self._format(program.stack_price_floor),
                    **terms,
                )
            )
        margin = self._get_margin(line)
        if program.stack_margin_floor and margin is not None:
            share = 100 * (margin - cost) / line.price_subtotal
            if share < program.stack_margin_floor:
                texts.append(
                    self.env._(
                        "“%(product)s”: after the discount and %(cost)s for members, a margin of %(left)s %% is left; "
                        "“%(program)s” asks for %(floor)s %%.",
                        left=self._format(share),
                        floor=self._format(program.stack_margin_floor),
                        **terms,
                    )
                )
        return texts

    @api.model
    def _format(self, number):
        return formatLang(self.env, number, digits=1)

    @api.model
    def _get_listed(self, line):
        """Return what a line would cost by the list, in the currency of the order."""
        product = line.product_id
        price = product.uom_id._compute_price(product.lst_price, line.product_uom_id)
        order = line.order_id
        day = order.date_order or self.env.cr.now()
        return line.product_uom_qty * product.currency_id._convert(
            price, line.currency_id, order.company_id, day, round=False
        )

    @api.model
    def _get_margin(self, line):
        """Return the margin of a line in the currency of the order, or None where its cost is not known."""
        return None

    @api.model
    def _get_costs(self, order):
        """Return what members will get for a quotation once it is confirmed, invoiced and paid.

        A module adds a cost by extending it.

        :return: pairs of a label and an amount in the currency of the order
        :rtype: list[tuple[str, Decimal]]
        """
        costs = [(rule.name, amount) for rule, amount in self._forecast_rules(order)]
        marketing = self._get_marketing_cost(order)
        return [*costs, (self.env._("Marketing money"), marketing)] if marketing else costs

    @api.model
    def _get_marketing_cost(self, order):
        """Return how much marketing money comes on a quotation, as it did on what was invoiced in the last year.

        :return: amount in the currency of the order
        :rtype: Decimal
        """
        buyer, company = order.loyalty_buyer_id, order.company_id
        since = fields.Date.today() - relativedelta(years=1)
        # Whoever sells need not see marketing money, nor all invoices.
        claims_sudo, moves_sudo = self.env["partner.loyalty.claim"].sudo(), self.env["account.move"].sudo()
        settled = claims_sudo._read_group(
            [("partner_id", "=", buyer.id), ("company_id", "=", company.id), ("fulfilled_at", ">=", since)],
            [],
            ["mdf_settled_amount:sum"],
        )[0][0]
        if not settled:
            return Decimal(0)
        sold = moves_sudo._read_group(
            [
                ("commercial_partner_id", "=", buyer.id),
                ("company_id", "=", company.id),
                ("state", "=", "posted"),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("invoice_date", ">=", since),
            ],
            [],
            ["amount_untaxed_signed:sum"],
        )[0][0]
        share = min(Decimal(1), Decimal(str(settled)) / Decimal(str(sold))) if sold > 0 else Decimal(0)
        return share * Decimal(str(order.amount_untaxed))

    @api.model
    def _forecast_rules(self, order):
        """Return what the rules in force will give for a quotation, as if all of it was an order of today.

        :return: pairs of a rule and an amount in the currency of the order; points at their value
        :rtype: list[tuple]
        """
        self.env.flush_all()
        # Rules look at all of the order, whoever wrote the quotation.
        Why, order_sudo = self.env["partner.loyalty.why"], order.sudo()
        rules = self._get_rules(order_sudo)
        rate = Decimal(str(order.currency_rate or 1))
        with self.env.cr.savepoint() as savepoint:
            self._pretend(order_sudo, rules)
            found = [(rule, Why._forecast_rule(rule, order_sudo)["amount"]) for rule in rules]
            savepoint.rollback()
        rules.invalidate_recordset(["kind"])
        order_sudo.invalidate_recordset(["state", "date_order"])
        return [
            (rule, amount * (Decimal(str(rule.program_id.point_value)) if rule.unit == "point" else 1) * rate)
            for rule, amount in found
            if amount
        ]

    @api.model
    def _get_rules(self, order):
        """Return the rules that will give something for an order of today; bands are known at the end of the period."""
        Why = self.env["partner.loyalty.why"]
        # Whoever sells need not see the rules.
        rules_sudo = (
            self.env["partner.loyalty.rule"]
            .sudo()
            .search(
                [
                    ("kind", "in", COSTLY_KINDS),
                    ("formula", "!=", "bands"),
                    ("program_id.state", "=", "running"),
                    ("is_draft", "=", False),
                    ("company_id", "=", order.company_id.id),
                ]
            )
        )
        return rules_sudo.filtered(lambda rule: not Why._check_dates(rule, order, None))

    @api.model
    def _pretend(self, order, rules):
        """Confirm the order in the database alone, and let rules on invoices and payments look at it as well."""
        self.env.execute_query(
            SQL("UPDATE sale_order SET state = 'sale', date_order = %s WHERE id = %s", self.env.cr.now(), order.id)
        )
        self.env.execute_query(
            SQL(
                "UPDATE partner_loyalty_rule SET kind = 'order' WHERE id = ANY(%s) AND kind IN ('invoice', 'payment')",
                list(rules.ids),
            )
        )
        rules.invalidate_recordset(["kind"])
        order.invalidate_recordset(["state", "date_order"])
