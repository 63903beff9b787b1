from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # What the untaxed amount of a document has in it beside its products, which hardly any has: turnover is read by
    # document, and these are taken off.
    _loyalty_other_idx = models.Index(
        "(move_id) WHERE display_type IN ('rounding', 'non_deductible_product', 'non_deductible_product_total')"
    )
