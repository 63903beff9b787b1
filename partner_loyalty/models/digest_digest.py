from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools.focus import Focus
from .partner_loyalty_overview import GROUPS

# A figure of the overview for each field of the digest.
KPI_FIELDS = {
    "kpi_loyalty_turnover": "turnover",
    "kpi_loyalty_cost": "cost",
    "kpi_loyalty_new_members": "new_members",
}


class DigestDigest(models.Model):
    _inherit = "digest.digest"

    # === FIELDS ===#

    kpi_loyalty_turnover = fields.Boolean(string="Turnover through Members")
    kpi_loyalty_turnover_value = fields.Monetary(compute="_compute_kpi_loyalty_turnover_value")
    kpi_loyalty_cost = fields.Boolean(string="Cost of Rewards")
    kpi_loyalty_cost_value = fields.Monetary(compute="_compute_kpi_loyalty_cost_value")
    kpi_loyalty_new_members = fields.Boolean(string="New Members")
    kpi_loyalty_new_members_value = fields.Integer(compute="_compute_kpi_loyalty_new_members_value")

    # === COMPUTE METHODS ===#

    def _compute_kpi_loyalty_turnover_value(self):
        self._compute_loyalty_value("kpi_loyalty_turnover")

    def _compute_kpi_loyalty_cost_value(self):
        self._compute_loyalty_value("kpi_loyalty_cost")

    def _compute_kpi_loyalty_new_members_value(self):
        self._compute_loyalty_value("kpi_loyalty_new_members")

    def _compute_kpis_actions(self, company, user):
        menu = self.env.ref("partner_loyalty.partner_loyalty_menu_root").id
        action = f"partner_loyalty.partner_loyalty_overview_action?menu_id={menu}"
        return {**super()._compute_kpis_actions(company, user), **dict.fromkeys(KPI_FIELDS, action)}

    # === BUSINESS METHODS ===#

    def _compute_loyalty_value(self, field):
        """Work out a figure over all running programs of the company of each digest.

        :raises AccessError: where the user gets none of it; the digest leaves it out then
        """
        if not any(self.env.user.has_group(group) for group in GROUPS):
            raise AccessError(self.env._("The figures of loyalty programs are for loyalty officers and accountants."))
        for digest in self:
            company = digest.company_id or self.env.company
            digest[f"{field}_value"] = sum(
                self._get_loyalty_value(KPI_FIELDS[field], program) for program in self._get_loyalty_programs(company)
            )

    @api.model
    def _get_loyalty_programs(self, company):
        return self.env["partner.loyalty.program"].search([("company_id", "=", company.id), ("state", "=", "running")])

    def _get_loyalty_value(self, name, program):
        """Return the value of a figure of a program over the days of the digest."""
        Kpi = self.env["partner.loyalty.kpi"]
        focus = self._get_loyalty_focus(program)
        readers = {"turnover": Kpi._get_sales_facts, "cost": Kpi._get_cost_facts, "new_members": Kpi._get_member_facts}
        facts = {"point_value": Kpi._get_point_value(program), **readers[name](focus)}
        return getattr(Kpi, f"_get_kpi_{name}")(facts)

    def _get_loyalty_focus(self, program):
        """Return the days of the digest; its end is the first moment that does not belong to it any more."""
        start, end, _companies = self._get_kpi_compute_parameters()
        first = fields.Datetime.to_datetime(start).date() if start else program._get_today()
        last = (fields.Datetime.to_datetime(end) - timedelta(seconds=1)).date() if end else first
        return Focus(program, first, max(first, last))
