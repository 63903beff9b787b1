from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import COST_TYPES
from ..tools.focus import Focus

# Keeps the months of a member apart in the id of a row.
MONTHS = 2**15


class PartnerLoyaltyMemberMonth(models.Model):
    """What each member turned over, earned and cost in each month, for pivots and graphs."""

    _name = "partner.loyalty.member.month"
    _description = "Month of a Member"
    _auto = False
    _order = "month desc, turnover desc, id desc"
    _rec_name = "member_id"

    # === FIELDS ===#

    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)
    member_id = fields.Many2one(comodel_name="partner.loyalty.member", readonly=True)
    partner_id = fields.Many2one(comodel_name="res.partner", readonly=True)
    tier_id = fields.Many2one(comodel_name="partner.loyalty.tier", string="Tier Today", readonly=True)
    country_id = fields.Many2one(comodel_name="res.country", readonly=True)
    user_id = fields.Many2one(comodel_name="res.users", string="Account Manager", readonly=True)
    month = fields.Date(readonly=True)
    turnover = fields.Monetary(
        readonly=True, help="Untaxed, within the membership, as the program counts it; less credit notes."
    )
    money_earned = fields.Monetary(readonly=True, help="Less what was taken back, by the day on the statement.")
    point_earned = fields.Float(string="Points Earned", digits=(18, 2), readonly=True)
    cost = fields.Monetary(readonly=True, help="Money, and points at their value in the program.")

    _depends = {
        "partner.loyalty.account": ["member_id", "unit"],
        "partner.loyalty.entry": ["account_id", "amount", "date", "program_id", "type"],
        "partner.loyalty.member": ["merged_into_id", "partner_id", "program_id", "root_id", "tier_id"],
        "partner.loyalty.member.period": ["date_from", "date_to", "member_id"],
        "partner.loyalty.program": ["company_id", "point_value", "tier_kind", "tz"],
        "partner.loyalty.contribution": ["amount", "date"],
        "res.partner": ["country_id", "user_id"],
    }

    # === TABLE QUERY ===#

    @property
    def _table_query(self):
        # Which rows may be read is up to the rules of this model.
        programs_sudo = self.env["partner.loyalty.program"].sudo().with_context(active_test=False)
        programs_sudo = programs_sudo.search([("company_id", "in", self.env.companies.ids)])
        parts = [self._get_earned_query(programs_sudo), *map(self._get_turnover_query, programs_sudo)]
        return SQL(
            """
            SELECT member.id::bigint * %(months)s + EXTRACT(year FROM part.month)::bigint * 12
                       + EXTRACT(month FROM part.month)::bigint AS id,
                   member.program_id, member.company_id, company.currency_id, member.id AS member_id, member.partner_id,
                   member.tier_id, partner.country_id, partner.user_id, part.month,
                   SUM(part.turnover) AS turnover, SUM(part.money) AS money_earned, SUM(part.points) AS point_earned,
                   SUM(part.money) + SUM(part.points) * COALESCE(program.point_value, 0) AS cost
              FROM (%(parts)s) part
              JOIN partner_loyalty_member member ON member.id = part.root_id
              JOIN partner_loyalty_program program ON program.id = member.program_id
              JOIN res_company company ON company.id = member.company_id
              JOIN res_partner partner ON partner.id = member.partner_id
          GROUP BY member.id, program.id, company.id, partner.id, part.month
            """,
            months=MONTHS,
            parts=SQL(" UNION ALL ").join(parts),
        )

    @api.model
    def _get_turnover_query(self, program):
        """Return what members turned over: ``(root_id, month, turnover, money, points)``."""
        focus = Focus(program, date(1900, 1, 1), date.max)
        return SQL(
            "SELECT root_id, month, turnover, 0::numeric AS money, 0::numeric AS points FROM (%s) AS sold",
            self.env["partner.loyalty.kpi"]._get_month_query(focus, None),
        )

    @api.model
    def _get_earned_query(self, programs):
        """Return what members earned, with the same columns."""
        return SQL(
            """
            SELECT member.root_id, date_trunc('month', entry.date)::date AS month, 0::numeric AS turnover,
                   SUM(CASE account.unit WHEN 'money' THEN entry.amount ELSE 0 END) AS money,
                   SUM(CASE account.unit WHEN 'point' THEN entry.amount ELSE 0 END) AS points
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
             WHERE entry.program_id = ANY(%s) AND entry.type IN %s
          GROUP BY member.root_id, date_trunc('month', entry.date)
            """,
            programs.ids,
            COST_TYPES,
        )
