from odoo import api, fields, models, tools

from ..const import STAFF_GROUPS

# What of a program decides whether orders are looked at.
GUARD_FIELDS = {"active", "company_id", "stack_margin_floor", "stack_price_floor", "state"}


class PartnerLoyaltyStackPolicy(models.AbstractModel):
    """How much of a price or margin has to be left after all that is given away together."""

    _name = "partner.loyalty.stack.policy"
    _description = "Stacking Guard"

    # === FIELDS ===#

    stack_price_floor = fields.Float(
        string="Of the List Price (%)",
        digits=(5, 2),
        aggregator=None,
        groups=STAFF_GROUPS,
        help="So much of the list price has to be left of a quotation line after discounts, commission, promotions and "
        "marketing money together. Below it a manager approves. Zero: it is not looked at.",
    )
    stack_margin_floor = fields.Float(
        string="As Margin (%)",
        digits=(5, 2),
        aggregator=None,
        groups=STAFF_GROUPS,
        help="So much of what is sold has to be left as margin, where the cost of the line is known. Zero: it is not "
        "looked at.",
    )

    # === CONSTRAINTS ===#

    _stack_floor_range = models.Constraint(
        "CHECK (stack_price_floor BETWEEN 0 AND 100 AND stack_margin_floor BETWEEN 0 AND 100)",
        "What has to be left is a share: enter 0 to 100 percent.",
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        programs = super().create(vals_list)
        programs._forget_guarded()
        return programs

    def write(self, vals):
        if not GUARD_FIELDS & vals.keys():
            return super().write(vals)
        self._forget_guarded()
        result = super().write(vals)
        self._forget_guarded()
        return result

    # === BUSINESS METHODS ===#

    def _forget_guarded(self):
        """Forget which programs look at quotations, where one of these may be among them: caches are dear to refill."""
        if any(program.stack_price_floor or program.stack_margin_floor for program in self):
            self.env.registry.clear_cache()

    # === GETTERS ===#

    @api.model
    @tools.ormcache("company_id")
    def _get_guarded_ids(self, company_id):
        """Return the ids of the programs of a company that look at quotations; no order of another one is slowed.

        :param int company_id: id of the company
        :rtype: tuple[int]
        """
        # Whoever sells need not see the programs.
        programs_sudo = self.sudo().search(
            [
                ("company_id", "=", company_id),
                ("state", "=", "running"),
                "|",
                ("stack_price_floor", ">", 0),
                ("stack_margin_floor", ">", 0),
            ]
        )
        return programs_sudo._ids
