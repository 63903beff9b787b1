from dateutil.relativedelta import relativedelta

from odoo import fields, models


class PartnerLoyaltyRewardPrice(models.AbstractModel):
    """Rewards that are special prices: a price list of the partner, for a time."""

    _name = "partner.loyalty.reward.price"
    _description = "Special Prices as a Reward"
    _inherit = ["partner.loyalty.pricelist.mixin"]

    # === FIELDS ===#

    pricelist_id = fields.Many2one(
        comodel_name="product.pricelist",
        string="Price List",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('company_id', 'in', (False, company_id))]",
        help="Set on the partner instead of that of its tier, and taken back after it; never over one that somebody "
        "chose by hand.",
    )
    months = fields.Integer(string="For (Months)", default=3, aggregator=None, help="Counted from the approval on.")

    # === CONSTRAINTS ===#

    _months_range = models.Constraint(
        "CHECK (months BETWEEN 1 AND 120)",
        "What is had for a time is had for 1 to 120 months: enter a number in between.",
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_price(self):
        if not self.pricelist_id:
            return self.env._("“%s” gives special prices: choose their price list.", self.name)
        if self.pricelist_id.company_id and self.pricelist_id.company_id != self.company_id:
            return self.env._(
                "“%(pricelist)s” belongs to another company than “%(reward)s”: choose one of its own company.",
                pricelist=self.pricelist_id.display_name,
                reward=self.name,
            )
        return None

    def _fulfill_price(self, claim):
        """Set the price list on the partner for its months."""
        until = self._get_end()
        claim._set_valid_until(until)
        # Price lists of partners are set by the program, whoever hands out the reward.
        claim.member_id.root_id.sudo()._claim_pricelist(self.pricelist_id, until)

    def _undo_price(self, claim):
        """Give the partner the price list of its tier again, where it still has that of the claim."""
        # Price lists of partners are set by the program, whoever takes back the reward.
        member_sudo = claim.member_id.root_id.sudo()
        given = (member_sudo.claimed_pricelist_id, member_sudo.claimed_pricelist_until)
        if given == (self.pricelist_id, claim.valid_until):
            member_sudo._claim_pricelist(self.pricelist_id.browse(), False)

    def _get_end(self):
        """Return the last day of what is had for a time from today on."""
        return self.program_id._get_today() + relativedelta(months=self.months, days=-1)
