from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.partner_loyalty.const import NAMES_IN_MESSAGE

LINE_MODELS = {"sale.order": "sale.order.line", "account.move": "account.move.line"}


class PartnerLoyaltyWhy(models.AbstractModel):
    _inherit = "partner.loyalty.why"

    # === REASONS ===#

    @api.model
    def _check_amount(self, rule, document, partner):
        """Before anything is made of a margin it has to be known."""
        is_margin = rule.formula == "margin" and not rule._is_used_up()
        reason = self._get_cost_reason(rule, document) if is_margin else None
        return reason or super()._check_amount(rule, document, partner)

    @api.model
    def _get_amount_reason(self, rule, row):
        reason = super()._get_amount_reason(rule, row)
        if reason and rule.formula == "margin" and not self._has_other_reason(rule, row):
            return self.env._(
                "It has no margin: the costs on the order lines are as high as what they were sold for. "
                "Check these costs."
            )
        return reason

    @api.model
    def _has_other_reason(self, rule, row):
        """Return whether it is not for want of a margin: nothing is left of the sale, or too little."""
        whole = Decimal(row["whole"] or 0)
        return Decimal(row["base"]) > 0 or whole <= 0 or whole < Decimal(str(rule.minimum_amount))

    @api.model
    def _get_cost_reason(self, rule, document):
        """Return that nothing was earned because costs are not known, where it is so.

        :rtype: str or None
        """
        rows = self._get_cost_rows(rule, document)
        if sum(row["base"] for row in rows) > 0:
            return None
        if rows and all(row["is_down_payment"] for row in rows):
            return self.env._("It is a down payment, which has no margin: the invoice of the goods will earn.")
        # Whoever asks may see the document, and so what was sold by it.
        lines_sudo = self.env[LINE_MODELS[document._name]].sudo()
        lines_sudo = lines_sudo.browse(row["line_id"] for row in rows if row["is_unknown"])
        ordered_sudo = lines_sudo.filtered("sale_line_ids") if document._name == "account.move" else lines_sudo
        if not lines_sudo:
            return None
        if ordered_sudo:
            return self.env._(
                "The cost of %(products)s is not known: enter it on the order line.",
                products=self._get_product_names(ordered_sudo),
            )
        return self.env._(
            "The cost of %(products)s is not known, because it was invoiced without an order: "
            "only what is invoiced from an order earns by its margin.",
            products=self._get_product_names(lines_sudo),
        )

    @api.model
    def _get_cost_rows(self, rule, document):
        """Return the margin of each line that the rule counts, and whether its cost is known.

        :rtype: list[dict]
        """
        domain = rule._get_full_domain()
        query = rule.program_id._get_contribution_query(rule.kind, rule.role, None, None, domain=domain)
        rule._restrict(query, rule._get_document_scope(document._name, document.ids))
        base, is_unknown = rule._get_base(query), rule._get_unknown_condition(query)
        query.groupby = SQL("1")
        return self.env.execute_query_dict(
            query.select(
                rule._get_column(query)("line_id"),
                SQL("SUM(%s) AS base", base),
                SQL("bool_or(%s) AS is_unknown", is_unknown),
                SQL("COALESCE(bool_or(cost.is_down_payment), FALSE) AS is_down_payment"),
            )
        )

    @api.model
    def _get_product_names(self, lines):
        """Return the names of what was sold, each once."""
        names = dict.fromkeys(line.product_id.display_name or line.name or "" for line in lines)
        return ", ".join(list(names)[:NAMES_IN_MESSAGE])
