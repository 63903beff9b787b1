from odoo import api, fields, models
from odoo.tools import SQL

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class UtmCampaign(models.Model):
    _inherit = "utm.campaign"

    # === FIELDS ===#

    loyalty_rule_ids = fields.One2many(
        comodel_name="partner.loyalty.rule",
        inverse_name="campaign_id",
        string="Promotions",
        context={"active_test": False},
        groups=OFFICER,
    )
    loyalty_rule_count = fields.Integer(
        string="Number of Promotions", compute="_compute_loyalty_result", groups=OFFICER
    )
    loyalty_currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_loyalty_result", groups=OFFICER
    )
    loyalty_member_count = fields.Integer(
        string="Members Who Took Part", compute="_compute_loyalty_result", groups=OFFICER
    )
    loyalty_turnover = fields.Monetary(
        currency_field="loyalty_currency_id",
        compute="_compute_loyalty_result",
        groups=OFFICER,
        help="The net turnover that has earned. What several promotions reward is counted once, "
        "with the largest part of the document that earns by one of them.",
    )
    loyalty_points = fields.Float(
        string="Points Given", digits=(18, 2), compute="_compute_loyalty_result", groups=OFFICER
    )
    loyalty_money = fields.Monetary(
        string="Money Given", currency_field="loyalty_currency_id", compute="_compute_loyalty_result", groups=OFFICER
    )

    # === COMPUTE METHODS ===#

    @api.depends("loyalty_rule_ids", "company_id")
    @api.depends_context("company")
    def _compute_loyalty_result(self):
        rules = self._get_loyalty_rules()
        figures = self._get_loyalty_figures(self.env["partner.loyalty.rule"].union(*rules.values()))
        for campaign in self:
            facts = figures.get(campaign._origin.id, {})
            campaign.loyalty_rule_count = len(rules[campaign])
            campaign.loyalty_currency_id = (campaign.company_id or self.env.company).currency_id
            campaign.loyalty_member_count = facts.get("members", 0)
            campaign.loyalty_turnover = float(facts.get("turnover") or 0)
            campaign.loyalty_points = float(facts.get("points") or 0)
            campaign.loyalty_money = float(facts.get("money") or 0)

    # === ACTION METHODS ===#

    def action_view_loyalty_result(self):
        """Show the promotions of the campaign, and what came of each."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_promotion_action"),
            "domain": [("campaign_id", "=", self.id)],
            "context": {"active_test": False},
        }

    # === GETTERS ===#

    def _get_loyalty_rules(self):
        """Return the promotions by campaign, in one currency: of its company, or else of the current one.

        :rtype: dict
        """
        Rule = self.env["partner.loyalty.rule"].with_context(active_test=False)
        by_campaign = Rule.search([("campaign_id", "in", self._origin.ids)]).grouped("campaign_id")
        return {
            campaign: by_campaign.get(campaign._origin, Rule).filtered(
                lambda rule, company=campaign.company_id or self.env.company: rule.company_id == company
            )
            for campaign in self
        }

    @api.model
    def _get_loyalty_figures(self, rules):
        """Return by campaign what came of its rules: ``members``, ``turnover``, ``points``, ``money``, in one query.

        :param rules: recordset of ``partner.loyalty.rule``
        :rtype: dict[int, dict]
        """
        if not rules:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """
                WITH answer AS MATERIALIZED (
                    SELECT answer.*, rule.campaign_id, rule.unit
                      FROM (%s) answer
                      JOIN partner_loyalty_rule rule ON rule.id = answer.rule_id
                ), document AS (
                    SELECT campaign_id, MAX(base) AS base FROM answer GROUP BY campaign_id, origin_model, origin_id
                ), turnover AS (
                    SELECT campaign_id, SUM(base) AS amount FROM document GROUP BY campaign_id
                )
                SELECT answer.campaign_id, turnover.amount::text AS turnover,
                       COUNT(DISTINCT member.partner_id) FILTER (WHERE answer.amount > 0) AS members,
                       (SUM(answer.amount) FILTER (WHERE answer.unit = 'point'))::text AS points,
                       (SUM(answer.amount) FILTER (WHERE answer.unit = 'money'))::text AS money
                  FROM answer
                  JOIN turnover ON turnover.campaign_id = answer.campaign_id
                  JOIN partner_loyalty_member member ON member.id = answer.root_id
              GROUP BY answer.campaign_id, turnover.amount
                """,
                rules._get_promotion_answer_query(),
            )
        )
        return {row["campaign_id"]: row for row in rows}
