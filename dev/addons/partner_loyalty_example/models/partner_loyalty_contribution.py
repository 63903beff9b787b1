from odoo import api, fields, models
from odoo.tools import SQL

VISIT = 20


class PartnerLoyaltyContribution(models.Model):
    _inherit = "partner.loyalty.contribution"

    # === FIELDS ===#

    kind = fields.Selection(selection_add=[("visit", "Visit to the Showroom")])

    _depends = {"partner.loyalty.visit": ["company_id", "date", "name", "partner_id"]}

    # === TABLE QUERY ===#

    @api.model
    def _get_branch_codes(self):
        return {**super()._get_branch_codes(), ("visit", "member"): VISIT}

    @api.model
    def _get_kind_roles(self):
        return {**super()._get_kind_roles(), "visit": ("member",)}

    @api.model
    def _get_contribution_query_visit(self, role):
        """Visits, dated by their day; each counts as one piece and has no amount."""
        return SQL(
            """
            SELECT visit.id::bigint * 32 + %(code)s AS id, 'visit' AS kind, %(role)s AS role,
                   visit.company_id, %(partner)s AS partner_id, NULL::integer AS customer_id,
                   'partner.loyalty.visit' AS origin_model, visit.id AS origin_id,
                   'partner.loyalty.visit' AS document_model, visit.id AS document_id, visit.name AS document_name,
                   visit.date, visit.date AS rate_date,
                   company.currency_id, 0::numeric AS amount,
                   company.currency_id AS document_currency_id, 0::numeric AS document_amount,
                   1::numeric AS document_rate, 1::numeric AS quantity, NULL::integer AS product_id,
                   NULL::integer AS user_id, NULL::integer AS team_id, NULL::integer AS campaign_id,
                   NULL::timestamp AS moment, NULL::numeric AS origin_amount, NULL::integer AS line_id
              FROM partner_loyalty_visit visit
              JOIN res_company company ON company.id = visit.company_id
             WHERE %(has_role)s
            """,
            code=VISIT,
            **self._get_role_terms(role, SQL("visit.partner_id")),
        )
