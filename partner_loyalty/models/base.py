from odoo import models

# What a spreadsheet takes for the beginning of a formula; Odoo itself sees to plus and minus, which begin numbers too.
FORMULA_BEGINNINGS = ("=", "@", "\t", "\r")


class Base(models.AbstractModel):
    """Sees to the exports of our models at the one place that all of them have in common.

    Nearly every one shows the name of a partner, also those that no client writes to: a mixin would have to be named by
    all of them, and the one that forgets it would be the leak. Exports of other models are not touched.
    """

    _inherit = "base"

    # === EXPORT ===#

    def export_data(self, fields_to_export):
        """Override: what partners wrote on their pages stays text in a spreadsheet, and becomes no formula there."""
        result = super().export_data(fields_to_export)
        if self._name.startswith("partner.loyalty."):
            result["datas"] = [[as_cell(value) for value in row] for row in result["datas"]]
        return result


def as_cell(value):
    """Return a value as a cell of a spreadsheet can have it; an apostrophe is the usual sign of a text there."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS)
    return f"'{value}" if is_formula else value
