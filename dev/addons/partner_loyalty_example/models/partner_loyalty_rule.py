from odoo import fields, models


class PartnerLoyaltyRule(models.Model):
    _inherit = "partner.loyalty.rule"

    # === FIELDS ===#

    kind = fields.Selection(
        selection_add=[("visit", "Visit to the Showroom")],
        # What a rule has posted stays; it just earns nothing any more.
        ondelete={"visit": lambda rules: rules.write({"active": False, "kind": "deal", "role": "referrer"})},
    )
