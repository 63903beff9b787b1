from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date, ormcache


class PartnerLoyaltyRelease(models.Model):
    """A product that can be ordered from a day on, and by who has the reward from an earlier one."""

    _name = "partner.loyalty.release"
    _description = "Release of a Product"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "release_date, id"
    _rec_name = "product_tmpl_id"

    # === FIELDS ===#

    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="reward_id.company_id", store=True, index=True)
    product_tmpl_id = fields.Many2one(
        comodel_name="product.template",
        string="Product",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
    )
    early_date = fields.Date(
        string="Early from", required=True, help="Who has the reward can order it from this day on."
    )
    release_date = fields.Date(
        string="For All from", required=True, help="Others are refused when their order is confirmed before this day."
    )

    # === CONSTRAINTS ===#

    _reward_product_unique = models.UniqueIndex(
        "(reward_id, product_tmpl_id)", "A reward names each product once: change the line that is there."
    )
    _dates_order = models.Constraint(
        "CHECK (early_date < release_date)",
        "Early access begins before a product is released for all: enter an earlier day, or a later release.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("product_tmpl_id", "release_date", "company_id")
    def _check_one_release(self):
        for release in self:
            same = [("product_tmpl_id", "=", release.product_tmpl_id.id), ("company_id", "=", release.company_id.id)]
            other = self.search([*same, ("release_date", "!=", release.release_date)], limit=1)
            if other:
                raise ValidationError(
                    self.env._(
                        "“%(reward)s” releases “%(product)s” for all on %(day)s: a product has one day for all.",
                        reward=other.reward_id.name,
                        product=release.product_tmpl_id.name,
                        day=format_date(self.env, other.release_date),
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._forget_unreleased()
        return super().create(vals_list)

    def write(self, vals):
        self._forget_unreleased()
        return super().write(vals)

    def unlink(self):
        self._forget_unreleased()
        return super().unlink()

    # === BUSINESS METHODS ===#

    @api.model
    def _forget_unreleased(self):
        self.env.registry.clear_cache()

    @api.model
    @ormcache("company_id")
    def _get_unreleased(self, company_id):
        """Return what a company has not released yet: cached, since each order that is confirmed asks for it.

        :param int company_id: id of the company
        :return: id of the product template, id of the reward, early day, day for all; some may be over by now
        :rtype: tuple[tuple]
        """
        # Somewhere it is still yesterday.
        yesterday = fields.Date.today() - timedelta(days=1)
        query = SQL(
            """
            SELECT release.product_tmpl_id, release.reward_id, release.early_date, release.release_date
              FROM partner_loyalty_release release
              JOIN partner_loyalty_reward reward ON reward.id = release.reward_id
             WHERE release.company_id = %s AND release.release_date > %s AND reward.active AND reward.kind = 'early'
          ORDER BY release.id
            """,
            company_id,
            yesterday,
        )
        self.flush_model()
        self.env["partner.loyalty.reward"].flush_model(["active", "kind"])
        return tuple(self.env.execute_query(query))

    @api.model
    def _get_refusal_of_order(self, order):
        """Return why an order cannot be confirmed today, in words, or None.

        :param order: ``sale.order``
        """
        unreleased = self._get_unreleased(order.company_id.id)
        # What a reward delivers is not sold.
        if not unreleased or order.loyalty_claim_id:
            return None
        ordered = order.order_line.product_id.product_tmpl_id
        rows = [row for row in unreleased if row[0] in ordered.ids]
        days = self._get_days_to_come(rows, order.loyalty_buyer_id) if rows else {}
        for product in ordered.filtered(lambda product: product.id in days):
            return self.env._(
                "“%(product)s” has not been released yet: %(partner)s can order it from %(day)s on.",
                product=product.name,
                partner=order.loyalty_buyer_id.display_name,
                day=format_date(self.env, days[product.id]),
            )
        return None

    @api.model
    def _get_days_to_come(self, rows, partner):
        """Return from which days on a company can order what it cannot order today.

        :param list rows: see :meth:`_get_unreleased`
        :param partner: ``res.partner``
        :return: day by id of the product template
        :rtype: dict
        """
        # Whoever confirms orders need not see rewards and who has them.
        rewards_sudo = self.env["partner.loyalty.reward"].sudo().browse({row[1] for row in rows})
        rewards_sudo = rewards_sudo.filtered(lambda reward: reward.program_id.state == "running")
        entitled = rewards_sudo._get_with_early_access(partner)
        days = {}
        for product_id, reward_id, early_date, release_date in rows:
            if reward_id in rewards_sudo.ids:
                day = early_date if reward_id in entitled.ids else release_date
                days[product_id] = min(day, days.get(product_id, day))
        # Rewards of one company can have time zones of their own; the first one says what day it is.
        today = rewards_sudo[:1].program_id._get_today() if rewards_sudo else None
        return {product_id: day for product_id, day in days.items() if day > today}
