from odoo import api, fields, models

# What of an order moves what it earns, beside its lines.
TOUCHING_FIELDS = {"state", "partner_id", "loyalty_partner_id", "date_order", "currency_id", "company_id"}


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = [
        "sale.order",
        "partner.loyalty.attribution.mixin",
        "partner.loyalty.stack.mixin",
        "partner.loyalty.support.mixin",
        "partner.loyalty.touch.mixin",
        "partner.loyalty.protected.mixin",
    ]
    # Whoever may write an order says who brought it, but not who bought it, and not that a reward is delivered by it.
    _protected_fields = frozenset({"loyalty_buyer_id", "loyalty_claim_id"})
    _protected_after_create_fields = frozenset({"loyalty_external_ref"})

    # === FIELDS ===#

    loyalty_partner_id = fields.Many2one(
        compute="_compute_loyalty_partner_id", store=True, readonly=False, precompute=True
    )
    loyalty_buyer_id = fields.Many2one(
        comodel_name="res.partner",
        string="Buying Company",
        compute="_compute_loyalty_buyer_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company that bought, as it was then: a contact that moves to another company takes no orders along.",
    )

    loyalty_claim_id = fields.Many2one(
        comodel_name="partner.loyalty.claim",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The reward that the order delivers: it earns nothing.",
    )
    loyalty_outlook = fields.Char(compute="_compute_loyalty_outlook")
    loyalty_external_ref = fields.Char(
        string="External Reference",
        readonly=True,
        copy=False,
        help="What the order is called in the shop or system that it came from.",
    )

    # === CONSTRAINTS ===#

    _loyalty_external_ref_unique = models.UniqueIndex(
        "(company_id, loyalty_external_ref) WHERE loyalty_external_ref IS NOT NULL",
        "There is an order with this external reference already: open it instead.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("partner_id")
    def _compute_loyalty_buyer_id(self):
        for order in self:
            order.loyalty_buyer_id = order.partner_id.commercial_partner_id

    @api.depends("opportunity_id")
    def _compute_loyalty_partner_id(self):
        for order in self:
            order.loyalty_partner_id = order.opportunity_id.loyalty_partner_id or order.loyalty_partner_id

    # Not by the amount, or each line that somebody edits would look at all that the partner has bought.
    @api.depends("partner_id", "loyalty_partner_id", "state")
    @api.depends_context("lang")
    def _compute_loyalty_outlook(self):
        for order in self:
            is_open = order.state in ("draft", "sent")
            order.loyalty_outlook = order._get_loyalty_outlook() if is_open else False

    # === CRUD METHODS ===#

    def write(self, vals):
        # By the state and not by the buttons: an order can also be confirmed by an import or another app.
        with self._marking_loyalty(TOUCHING_FIELDS & vals.keys()):
            return super().write(vals)

    # === ACTION METHODS ===#

    @api.model
    def loyalty_import_order(self, external_ref, values):
        """Enter an order that was made elsewhere; for other systems, over Odoo's external API.

        Sent again, it changes nothing. An order with an unknown partner code waits for a loyalty officer.

        :param str external_ref: what the other system calls the order; there is one of it in the company
        :param dict values: ``date`` (with a time zone, or in UTC), ``customer`` (``name``, ``phone``, ``email``),
            ``lines`` (``product``: reference, barcode or name; ``quantity``; ``price`` of one; ``name``: other text),
            ``partner_code`` (of the member who brought it, if any) and ``currency`` (that of the company by default)
        :return: ``external_ref``, ``state`` (``done``, ``waiting``, ``failed``), ``reason`` and ``order`` (its number)
        :rtype: dict
        :raises ValidationError: where something is missing or cannot be
        :raises AccessError: where the user may not enter orders, or the order was sent by somebody else
        """
        return self.env["partner.loyalty.external.order"]._take_order(external_ref, values)

    @api.model
    def loyalty_update_state(self, external_ref, state, occurred_at, lines=None):
        """Say what became of an order that was made elsewhere; for other systems, over Odoo's external API.

        States may come twice, out of order, and before the order itself: the one of the latest date stands.

        :param str external_ref: what the other system calls the order
        :param str state: ``paid``, ``canceled`` or ``returned``
        :param str occurred_at: when it happened, with a time zone or in UTC
        :param list lines: what was returned (``product``, ``quantity``); everything by default
        :return: as :meth:`loyalty_import_order`
        :rtype: dict
        :raises ValidationError: where something is missing or cannot be
        :raises AccessError: where the user may not enter orders, or the order was sent by somebody else
        """
        queue = self.env["partner.loyalty.external.order"]
        return queue._take_event(external_ref, queue._read_event(state, occurred_at, lines))

    # === BUSINESS METHODS ===#

    def _confirmation_error_message(self):
        return (
            super()._confirmation_error_message()
            or self.env["partner.loyalty.release"]._get_refusal_of_order(self)
            or self._get_loyalty_stack_error_message()
        )

    def _get_counting_for_loyalty(self):
        """Return those of the orders that contribute."""
        return self.filtered(lambda order: order.state == "sale" and not order.loyalty_claim_id)

    def _get_loyalty_outlook(self):
        """Say how far the next tier is from who buys or brought it, with this quotation.

        :rtype: str
        """
        self.ensure_one()
        # Salespeople see how far a tier is, though not all that it was worked out from.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        members_sudo = members_sudo.search(
            [
                ("partner_id", "in", (self.loyalty_buyer_id | self.loyalty_partner_id).ids),
                ("company_id", "=", self.company_id.id),
                ("program_id.state", "=", "running"),
                ("state", "=", "active"),
                ("tier_id", "!=", False),
            ],
            order="program_id, id",
        )
        amount = self.currency_id._convert(
            self.amount_untaxed, self.company_id.currency_id, self.company_id, self.date_order
        )
        partners = {"buyer": self.loyalty_buyer_id, "referrer": self.loyalty_partner_id}
        return " ".join(
            member_sudo._get_quotation_text(amount)
            for member_sudo in members_sudo
            if partners.get(member_sudo.program_id.tier_role) == member_sudo.partner_id
        )

    def _get_loyalty_standing(self):
        return self.loyalty_buyer_id, self.loyalty_partner_id, self.date_order

    def _prepare_invoice(self):
        return {**super()._prepare_invoice(), "loyalty_partner_id": self.loyalty_partner_id.id}

    def _get_invoice_grouping_keys(self):
        return [*super()._get_invoice_grouping_keys(), "loyalty_partner_id"]
