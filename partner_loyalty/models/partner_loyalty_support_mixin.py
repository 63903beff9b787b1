from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

SUPPORT_GROUPS = "sales_team.group_sale_salesman,partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltySupportMixin(models.AbstractModel):
    """Shows on documents that their partner has priority support by a reward."""

    _name = "partner.loyalty.support.mixin"
    _description = "Priority Support"

    # The field with the partner whose company has it.
    _support_field = "partner_id"

    # === FIELDS ===#

    loyalty_support = fields.Char(string="Priority Support", compute="_compute_loyalty_support", groups=SUPPORT_GROUPS)

    # === COMPUTE METHODS ===#

    @api.depends(lambda self: (self._support_field,))
    @api.depends_context("allowed_company_ids", "lang")
    def _compute_loyalty_support(self):
        companies = {record: record[self._support_field].commercial_partner_id._origin for record in self}
        texts = self._get_support_texts(self.env["res.partner"].union(*companies.values()))
        for record, company in companies.items():
            record.loyalty_support = texts.get(company)

    # === BUSINESS METHODS ===#

    @api.model
    def _get_support_texts(self, partners):
        """Return what is shown of companies that have priority support today.

        :param partners: ``res.partner``
        :return: text by partner, without those that have none
        :rtype: dict
        """
        if not partners:
            return {}
        # Whoever serves a partner has to know it, and need not see all claims.
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        valid = Domain("partner_id", "in", partners.ids) & Domain("valid_until", ">=", fields.Date.context_today(self))
        valid &= Domain([("kind", "=", "support"), ("state", "=", "fulfilled")])
        valid &= Domain("company_id", "in", self.env.companies.ids)
        groups = claims_sudo._read_group(
            valid, ["partner_id", "reward_id"], ["valid_until:max"], order="valid_until:max"
        )
        return {
            partner: self.env._("%(label)s until %(day)s", label=reward.support_label, day=format_date(self.env, until))
            for partner, reward, until in groups
        }
