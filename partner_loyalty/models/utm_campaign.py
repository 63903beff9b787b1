from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
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
    loyalty_action_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.action",
        inverse_name="campaign_id",
        string="Bonus Actions",
        groups=OFFICER,
        help="What members get by themselves while the campaign runs, and the e-mails that tell them of it.",
    )
    loyalty_participation_ids = fields.One2many(
        comodel_name="partner.loyalty.participation",
        inverse_name="campaign_id",
        string="Members Who Joined",
        groups=OFFICER,
    )
    loyalty_participation_count = fields.Integer(
        string="Number of Members Who Joined", compute="_compute_loyalty_participation_count", groups=OFFICER
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
        string="Points Given",
        digits=(18, 2),
        compute="_compute_loyalty_result",
        groups=OFFICER,
        help="By promotions and bonus actions together.",
    )
    loyalty_money = fields.Monetary(
        string="Money Given", currency_field="loyalty_currency_id", compute="_compute_loyalty_result", groups=OFFICER
    )

    # === COMPUTE METHODS ===#

    @api.depends("loyalty_rule_ids", "loyalty_action_ids", "company_id")
    @api.depends_context("company")
    def _compute_loyalty_result(self):
        rules = self._get_loyalty_parts("partner.loyalty.rule")
        actions = self._get_loyalty_parts("partner.loyalty.bonus.action")
        figures = self._get_loyalty_figures(
            self.env["partner.loyalty.rule"].union(*rules.values()),
            self.env["partner.loyalty.bonus.action"].union(*actions.values()),
        )
        for campaign in self:
            facts = figures.get(campaign._origin.id, {})
            campaign.loyalty_rule_count = len(rules[campaign])
            campaign.loyalty_currency_id = (campaign.company_id or self.env.company).currency_id
            campaign.loyalty_member_count = facts.get("members", 0)
            campaign.loyalty_turnover = float(facts.get("turnover") or 0)
            campaign.loyalty_points = float(facts.get("points") or 0)
            campaign.loyalty_money = float(facts.get("money") or 0)

    @api.depends("loyalty_participation_ids")
    def _compute_loyalty_participation_count(self):
        counts = dict(
            self.env["partner.loyalty.participation"]._read_group(
                [("campaign_id", "in", self.ids)], ["campaign_id"], ["__count"]
            )
        )
        for campaign in self:
            campaign.loyalty_participation_count = counts.get(campaign._origin, 0)

    # === ACTION METHODS ===#

    def action_view_loyalty_participations(self):
        """Show which members have said that they take part."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_participation_action"),
            "domain": [("campaign_id", "=", self.id)],
            "context": {"default_campaign_id": self.id},
        }

    def action_view_loyalty_result(self):
        """Show the promotions of the campaign, and what came of each."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_promotion_action"),
            "domain": [("campaign_id", "=", self.id)],
            "context": {"active_test": False},
        }

    def action_view_loyalty_leaderboard(self):
        """Ask by what the members are to be ranked over the days of the campaign."""
        self.ensure_one()
        parts = self._get_leading_loyalty_parts()
        first, last = self._get_loyalty_days(parts)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_leaderboard_action"),
            "context": {
                "default_program_id": parts.program_id[:1].id,
                "default_period": "days",
                "default_date_from": first,
                "default_date_to": last,
            },
        }

    def action_announce_loyalty(self):
        """Draft the e-mail that tells members of the promotions, as a bonus action: it is sent once, and logged.

        :return: action that opens the draft, or the drafts where several programs have promotions
        :raises UserError: where there is no promotion that could be announced
        """
        self.ensure_one()
        Action = self.env["partner.loyalty.bonus.action"]
        Action.check_access("create")
        promotions = self._get_loyalty_parts("partner.loyalty.rule")[self].filtered(lambda rule: rule._can_be_earned())
        if not promotions:
            raise UserError(
                self.env._("No promotion of “%s” is running or still to come: add one, then announce it.", self.name)
            )
        drafts = Action.create(
            [
                self._prepare_announcement_vals(program, rules)
                for program, rules in promotions.grouped("program_id").items()
            ]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_bonus_action_action")
        if len(drafts) == 1:
            return {**action, "views": [(False, "form")], "res_id": drafts.id}
        return {**action, "domain": [("id", "in", drafts.ids)], "context": {}}

    # === BUSINESS METHODS ===#

    def _prepare_announcement_vals(self, program, rules):
        """Return the values of the bonus action that tells the members of a program of its promotions.

        It goes to the segments that the promotions are for, on the day when the first of them starts.

        :param rules: the promotions that are running or still to come
        """
        self.ensure_one()
        today = program._get_today()
        template = self.env.ref("partner_loyalty.mail_template_promotion")
        is_for_segments = all(rule.segment_ids for rule in rules)
        return {
            "name": self.title,
            "program_id": program.id,
            "campaign_id": self.id,
            "schedule": "date",
            "date": max(today, min(rule.date_from or today for rule in rules)),
            "segment_ids": [Command.set(rules.segment_ids.ids if is_for_segments else [])],
            "effect_ids": [Command.create({"kind": "mail", "template_id": template.id})],
        }

    # === GETTERS ===#

    def _get_leading_loyalty_parts(self):
        """Return the promotions of one campaign, or its bonus actions where it has no promotion.

        :raises UserError: where it has neither
        """
        self.ensure_one()
        for model in ("partner.loyalty.rule", "partner.loyalty.bonus.action"):
            if parts := self._get_loyalty_parts(model)[self]:
                return parts
        raise UserError(self.env._("Nothing of “%s” is about loyalty yet: add a promotion first.", self.name))

    @api.model
    def _get_loyalty_days(self, parts):
        """Return the first day of all parts and the last one, or today where one has no end.

        :param parts: recordset whose records have a program, and perhaps a start and an end
        :rtype: tuple
        """
        today = parts[0].program_id._get_today()
        first = min(part.date_from or part.program_id.date_from for part in parts)
        ends = [part.date_to or part.program_id.date_to for part in parts]
        last = max(ends) if all(ends) else today
        return first, max(first, last)

    def _get_loyalty_parts(self, model):
        """Return what the campaigns promote, in one currency each: of its company, or else of the current one.

        :param str model: name of a model that has a campaign
        :rtype: dict
        """
        Part = self.env[model].with_context(active_test=False)
        by_campaign = Part.search([("campaign_id", "in", self._origin.ids)]).grouped("campaign_id")
        return {
            campaign: by_campaign.get(campaign._origin, Part).filtered(
                lambda part, company=campaign.company_id or self.env.company: part.company_id == company
            )
            for campaign in self
        }

    @api.model
    def _get_loyalty_figures(self, rules, actions):
        """Return by campaign what came of it: ``members``, ``turnover``, ``points``, ``money``, in one query.

        :param rules: recordset of ``partner.loyalty.rule``
        :param actions: recordset of ``partner.loyalty.bonus.action``
        :rtype: dict[int, dict]
        """
        if not rules and not actions:
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
                ), gain AS (
                    SELECT campaign_id, root_id, unit, amount FROM answer
                     UNION ALL %s
                )
                SELECT gain.campaign_id, turnover.amount::text AS turnover,
                       COUNT(DISTINCT member.partner_id) FILTER (WHERE gain.amount > 0) AS members,
                       (SUM(gain.amount) FILTER (WHERE gain.unit = 'point'))::text AS points,
                       (SUM(gain.amount) FILTER (WHERE gain.unit = 'money'))::text AS money
                  FROM gain
                  JOIN partner_loyalty_member member ON member.id = gain.root_id
             LEFT JOIN turnover ON turnover.campaign_id = gain.campaign_id
              GROUP BY gain.campaign_id, turnover.amount
                """,
                rules._get_promotion_answer_query(),
                self._get_loyalty_bonus_query(actions),
            )
        )
        return {row["campaign_id"]: row for row in rows}

    @api.model
    def _get_loyalty_bonus_query(self, actions):
        """Return what members got by bonus actions, as ``(campaign_id, root_id, unit, amount)``.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT action.campaign_id, member.root_id, bonus.unit, bonus.amount
              FROM partner_loyalty_bonus_line line
              JOIN partner_loyalty_bonus_action action ON action.id = line.action_id
              JOIN partner_loyalty_member member ON member.id = line.member_id
        CROSS JOIN LATERAL (VALUES ('point', line.point_amount), ('money', line.money_amount)) AS bonus(unit, amount)
             WHERE line.action_id = ANY(%s) AND line.state = 'given' AND bonus.amount <> 0
            """,
            list(actions._origin.ids),
        )
