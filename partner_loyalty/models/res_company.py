from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    # === FIELDS ===#

    loyalty_single_manager = fields.Boolean(
        string="One Manager Decides Alone",
        help="Where the company has one loyalty manager only, that one decides on its own requests as well; each such "
        "decision is marked and logged.",
    )
    loyalty_external_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Payments from Elsewhere",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', id)]",
        help="Payments of orders from elsewhere are registered in this journal; else in the first one for payments.",
    )

    loyalty_payout_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Journal of Payouts",
        domain="[('type', '=', 'purchase'), ('company_id', '=', id)]",
        help="New programs begin with this purchase journal, in which approved payouts become draft vendor bills.",
    )
    loyalty_payout_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Product of Payouts",
        check_company=True,
        help="New programs begin with this product on the bills of payouts: it decides the expense account and the "
        "taxes.",
    )

    # === ACTION METHODS ===#

    def action_save_loyalty_payout(self):
        """Save journal and product, also for programs that have none: what the panel of the first steps asks for."""
        for company in self:
            programs = self.env["partner.loyalty.program"].search([("company_id", "=", company.id)])
            for name in ("payout_journal_id", "payout_product_id"):
                value = company[f"loyalty_{name}"]
                if value:
                    programs.filtered(lambda program, name=name: not program[name])[name] = value
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS ===#

    def _is_single_loyalty_manager(self, user):
        """Return whether a user decides alone for the company: it was switched on, and there is no other manager.

        :param user: ``res.users``
        :rtype: bool
        """
        self.ensure_one()
        # Managers need not see the users of the company, nor its settings.
        company_sudo = self.sudo()
        if not company_sudo.loyalty_single_manager:
            return False
        managers_sudo = self.env.ref("partner_loyalty.partner_loyalty_group_manager").sudo().all_user_ids
        others_sudo = managers_sudo.filtered(
            lambda other: other.active and self in other.company_ids and other._is_internal()
        )
        return others_sudo == user.sudo()
