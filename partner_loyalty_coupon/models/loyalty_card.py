from odoo import api, fields, models
from odoo.tools import SQL


class LoyaltyCard(models.Model):
    """A code that a partner hands to one of its clients, and what became of it."""

    _inherit = "loyalty.card"

    # === FIELDS ===#

    loyalty_claim_id = fields.Many2one(
        comodel_name="partner.loyalty.claim",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The reward by which a partner got the code, to hand it to one of its clients.",
    )
    # Officers see what became of the codes without any right on orders.
    loyalty_outcome = fields.Selection(
        selection=[("unused", "Unused"), ("used", "Used"), ("expired", "Expired"), ("withdrawn", "Withdrawn")],
        string="Outcome",
        compute="_compute_loyalty_outcome",
        compute_sudo=True,
    )
    loyalty_order_id = fields.Many2one(
        comodel_name="sale.order", string="Used on", compute="_compute_loyalty_outcome", compute_sudo=True
    )
    loyalty_client_id = fields.Many2one(
        comodel_name="res.partner", string="Used by", compute="_compute_loyalty_outcome", compute_sudo=True
    )
    loyalty_used_at = fields.Datetime(string="Used at", compute="_compute_loyalty_outcome", compute_sudo=True)

    # === COMPUTE METHODS ===#

    @api.depends("active", "expiration_date", "history_ids.used")
    def _compute_loyalty_outcome(self):
        uses = self._get_loyalty_uses()
        for card in self:
            order_id, client_id, moment = uses.get(card.id, (False, False, False))
            card.loyalty_outcome = card._get_loyalty_outcome(is_used=card.id in uses)
            card.loyalty_order_id, card.loyalty_client_id, card.loyalty_used_at = order_id, client_id, moment

    # === BUSINESS METHODS ===#

    def _get_loyalty_outcome(self, is_used):
        """Return what became of a code.

        :param bool is_used: whether an order has used it
        :rtype: str
        """
        if is_used:
            return "used"
        if not self.active:
            return "withdrawn"
        today = self.loyalty_claim_id.program_id._get_today() if self.loyalty_claim_id else fields.Date.today()
        return "expired" if self.expiration_date and self.expiration_date < today else "unused"

    def _get_loyalty_uses(self):
        """Return on which order each of the cards was used first, by whom and when.

        :return: order, client (none where it was no sales order) and time in UTC, by the id of the card
        :rtype: dict[int, tuple]
        """
        self.env.flush_all()
        query = SQL(
            """
            SELECT DISTINCT ON (history.card_id) history.card_id, sale.id, sale.partner_id,
                   COALESCE(sale.date_order, history.create_date)
              FROM loyalty_history history
         LEFT JOIN sale_order sale ON history.order_model = 'sale.order' AND sale.id = history.order_id
             WHERE history.card_id = ANY(%s) AND history.used > 0 AND history.order_id IS NOT NULL
          ORDER BY history.card_id, history.id
            """,
            list(self.ids),
        )
        return {card_id: facts for card_id, *facts in self.env.execute_query(query)}
