from odoo import api, fields, models
from odoo.exceptions import UserError

# Who selling is left to decides on prices, too; both see the deal only where it is their business.
DECIDING_GROUPS = ("partner_loyalty.partner_loyalty_group_officer", "sales_team.group_sale_salesman")


class PartnerLoyaltyDealPrice(models.AbstractModel):
    """A special price that a member asks for with a deal.

    The approval writes it on the open quotations of the deal's opportunity, by the right of who approves: nobody gives
    a discount by it who could not enter it there. What is then left of price and margin is looked at as on any other
    quotation.
    """

    _name = "partner.loyalty.deal.price"
    _description = "Special Price of a Deal"

    # === FIELDS ===#

    price_discount = fields.Float(
        string="Special Discount (%)",
        digits=(5, 2),
        copy=False,
        aggregator=None,
        tracking=True,
        help="What the member asks for to win the deal; zero where it asks for nothing.",
    )
    price_reason = fields.Text(string="Why", copy=False, help="Why the usual price does not do.")
    price_state = fields.Selection(
        selection=[("requested", "Requested"), ("approved", "Approved"), ("refused", "Refused")],
        string="Special Price",
        readonly=True,
        copy=False,
        tracking=True,
    )
    price_decided_by_id = fields.Many2one(
        comodel_name="res.users", string="Price Decided by", readonly=True, copy=False
    )
    price_decided_at = fields.Datetime(string="Price Decided on", readonly=True, copy=False)
    price_refuse_reason = fields.Char(string="Price Refused because", readonly=True, copy=False, tracking=True)
    can_decide_price = fields.Boolean(compute="_compute_can_decide_price")

    # === CONSTRAINTS ===#

    _price_discount_range = models.Constraint(
        "CHECK (price_discount >= 0 AND price_discount <= 100)",
        "A discount is a share of the price: enter 0 to 100 percent.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("price_state", "state")
    @api.depends_context("uid")
    def _compute_can_decide_price(self):
        for deal in self:
            deal.can_decide_price = not deal._get_price_refusal(self.env.user)

    # === ACTION METHODS ===#

    def action_approve_price(self):
        """Write special prices on the open quotations of their opportunities.

        :raises UserError: where the user may not, or there is no quotation yet
        """
        for deal in self:
            deal._check_can_decide_price()
            orders = deal._get_open_quotations()
            for order in orders:
                deal._give_price(order)
            deal._decide_on_price("approved")

    def action_refuse_price(self, reason=None):
        """Refuse special prices.

        :param str reason: what to tell the member
        :raises UserError: where the user may not, or gives no reason that can be read
        """
        for deal in self:
            deal._check_can_decide_price()
            deal._decide_on_price("refused", price_refuse_reason=deal._read_reason(reason))

    # === BUSINESS METHODS - SPECIAL PRICE ===#

    def _ask_for_price(self):
        """Let special prices wait for a decision, and tell who looks after the member."""
        for deal in self:
            if not (deal.price_reason or "").strip():
                raise UserError(self.env._("Say why “%s” needs a special price.", deal.name))
            # The state is set by the program alone.
            deal.sudo().write({"price_state": "requested", "price_refuse_reason": False})
            user = deal._get_price_user()
            if user:
                deal.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.with_context(lang=user.lang).env._("Decide on a special price: %s", deal.name),
                    user_id=user.id,
                )

    def _get_price_user(self):
        """Return who is asked to decide: who looks after the member, or is responsible for the program."""
        self.ensure_one()
        # The member need not see who looks after it.
        deal_sudo = self.sudo()
        return deal_sudo.partner_id.user_id or deal_sudo.program_id.user_id

    def _get_price_refusal(self, user):
        """Return why a user cannot decide on a special price, in words, or None."""
        self.ensure_one()
        terms = {"deal": self.name}
        if self.price_state != "requested":
            return self.env._("No special price of “%(deal)s” waits for a decision.", **terms)
        if self.state != "approved":
            return self.env._("Approve “%(deal)s” first: its price is written on a quotation then.", **terms)
        if not any(user.has_group(group) for group in DECIDING_GROUPS):
            return self.env._(
                "The price of “%(deal)s” is decided on by a loyalty officer or a salesperson: ask one of them.", **terms
            )
        if user.partner_id.commercial_partner_id == self.partner_id:
            return self.env._("“%(deal)s” is that of your own company: somebody else has to decide.", **terms)
        return None

    def _check_can_decide_price(self):
        """Check that the user may decide on a special price.

        :raises UserError: where it may not
        """
        self.check_access("read")
        refusal = self._get_price_refusal(self.env.user)
        if refusal:
            raise UserError(refusal)

    def _get_open_quotations(self):
        """Return the quotations of the opportunity that the user can change.

        :raises UserError: where there is none
        :rtype: ``sale.order``
        """
        self.ensure_one()
        Order, terms = self.env["sale.order"], {"deal": self.name}
        if not Order.has_access("write"):
            raise UserError(
                self.env._(
                    "You cannot change quotations: ask the salesperson of “%(deal)s” to approve its price.", **terms
                )
            )
        # The user need not see the opportunity; the quotations are those that the user sees.
        orders = Order.search([("opportunity_id", "=", self.sudo().lead_id.id), ("state", "in", ("draft", "sent"))])
        if not orders:
            raise UserError(
                self.env._("“%(deal)s” has no quotation yet: create one from its opportunity first.", **terms)
            )
        return orders

    def _give_price(self, order):
        """Give the discount on all lines of a quotation that have less, and ask for approval where that is too much.

        :param order: ``sale.order``
        """
        for line in order.order_line.filtered(lambda line: not line.display_type):
            line.discount = max(line.discount, self.price_discount)
        order.message_post(
            body=self.env._(
                "%(discount)s %% off for the deal “%(deal)s” of %(partner)s: %(reason)s",
                discount=f"{self.price_discount:g}",
                deal=self.name,
                partner=self.partner_id.display_name,
                reason=self.price_reason,
            )
        )
        order.action_loyalty_stack_ask()

    def _decide_on_price(self, state, **vals):
        # It is set by the program alone.
        self.sudo().write(
            {
                "price_state": state,
                "price_decided_by_id": self.env.uid,
                "price_decided_at": fields.Datetime.now(),
                **vals,
            }
        )
        self.sudo().activity_unlink(["mail.mail_activity_data_todo"])
