from odoo import api, models
from odoo.tools import SQL


class PartnerLoyaltyInvariant(models.AbstractModel):
    _inherit = "partner.loyalty.invariant"

    # === INVARIANTS ===#

    @api.model
    def _get_replayed_formula(self):
        """A margin once more, from what the explanation of a line keeps."""
        return SQL(
            """
            CASE formula
            WHEN 'margin' THEN (
                SELECT CASE WHEN whole < 0 AND sum > 0 OR COALESCE(whole, 0) >= 0 AND sum < 0 THEN 0 ELSE sum END
                  FROM (SELECT SUM(part.base * part.rate / 100) AS sum
                          FROM jsonb_to_recordset(COALESCE(explanation->'parts', jsonb_build_array(explanation)))
                                   AS part(rate numeric, base numeric)) margin)
            ELSE %s END
            """,
            super()._get_replayed_formula(),
        )
