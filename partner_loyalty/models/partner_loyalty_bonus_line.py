from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from ..const import LEDGER_DIGITS, NO_PERIOD, UNITS


class PartnerLoyaltyBonusLine(models.Model):
    """A member in a run of a bonus action: what it got and why, or by how much it just missed it.

    Written by ``partner.loyalty.bonus.evaluation`` in one go.
    """

    _name = "partner.loyalty.bonus.line"
    _description = "Bonus"
    _inherit = ["partner.loyalty.bonus.reason"]
    _order = "run_id desc, id"
    _log_access = False
    _allow_sudo_commands = False

    # === FIELDS ===#

    run_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.run", required=True, index=True, ondelete="cascade", readonly=True
    )
    action_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.action", required=True, index=True, ondelete="cascade", readonly=True
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    state = fields.Selection(
        selection=[
            ("preview", "Would Get It"),
            ("planned", "Gets It Soon"),
            ("given", "Given"),
            ("missed", "Just Missed"),
            ("unmet", "Not Met"),
            ("undone", "Taken Back"),
        ],
        required=True,
        readonly=True,
    )
    is_preview = fields.Boolean(required=True, readonly=True, help="It shows how things stood, and is no bonus.")
    period_key = fields.Char(required=True, readonly=True)
    date = fields.Date(string="As of", required=True, readonly=True)
    due_date = fields.Date(string="Day on the Statement", required=True, readonly=True)
    value = fields.Float(digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    rank = fields.Integer(string="Place", readonly=True, aggregator=None)
    gap = fields.Float(string="Missed by", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    point_amount = fields.Float(string="Points", digits=LEDGER_DIGITS, readonly=True)
    money_amount = fields.Monetary(string="Money", readonly=True)
    amount_text = fields.Char(string="What", compute="_compute_amount_text")
    reason = fields.Json(readonly=True)
    reason_text = fields.Char(string="Why", compute="_compute_reason_text")

    # === CONSTRAINTS ===#

    # A bonus that was taken back can be given again, where a manager says so.
    _once = models.UniqueIndex("(action_id, member_id, period_key) WHERE state IN ('planned', 'given')")
    _known_idx = models.Index("(action_id, period_key, member_id)")
    _planned_idx = models.Index("(run_id) WHERE state = 'planned'")

    # === COMPUTE METHODS ===#

    @api.depends("point_amount", "money_amount", "action_id.effect_ids.reward_id.name", "reason")
    @api.depends_context("lang")
    def _compute_amount_text(self):
        for line in self:
            texts = []
            if line.point_amount:
                texts.append(self.env._("%s points", line._format_number(str(line.point_amount))))
            if line.money_amount:
                texts.append(formatLang(self.env, line.money_amount, currency_obj=line.currency_id))
            if "reward" not in (line.reason or {}).get("omitted", ()):
                # Who reads about a bonus need not see all rewards.
                texts += line.action_id.sudo().effect_ids.reward_id.mapped("name")
            line.amount_text = ", ".join(texts)

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for line in self:
            line.reason_text = line._get_bonus_text(line.reason or {})

    @api.depends("action_id.name", "run_id.name")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.action_id.name}, {line.run_id.name}"

    # === BUSINESS METHODS ===#

    def _give(self):
        """Put what is planned on the statements, and do all else that the action is about.

        What was merged into another member goes on there.
        """
        rows = self.env["partner.loyalty.entry"]._post(self._get_entry_source())
        self.env["partner.loyalty.allocation"]._settle({row[1] for row in rows})
        self.write({"state": "given"})
        for effect in self.action_id.effect_ids:
            effect._apply(self)

    def _get_entry_source(self):
        """Return the entries of lines of one program, as a source for ``partner.loyalty.entry._post``.

        They are dated by the day on which they were due, however late they are posted.

        :rtype: SQL
        """
        return SQL(" UNION ALL ").join(self._get_unit_source(unit) for unit, _label in UNITS)

    def _get_unit_source(self, unit):
        """Return the entries of one unit.

        :param str unit: ``point`` or ``money``
        :rtype: SQL
        """
        columns = self.program_id._get_terms(unit).get_columns(SQL("line.date"))
        return SQL(
            """
            SELECT account.id AS account_id, 'bonus' AS type, %(amount)s AS amount, NULL::integer AS rule_id,
                   %(model)s AS origin_model, line.id AS origin_id, %(no_period)s::date AS period_start,
                   0 AS revision, line.date AS contribution_date, line.due_date AS date,
                   %(mature_date)s AS mature_date, %(expiry_date)s AS expiry_date, %(idle_months)s AS idle_months,
                   NULL::integer AS reverses_id, NULL::varchar AS external_ref, line.reason AS explanation
              FROM partner_loyalty_bonus_line line
              JOIN partner_loyalty_member member ON member.id = line.member_id
              JOIN partner_loyalty_account account ON account.member_id = member.root_id AND account.unit = %(unit)s
             WHERE line.id = ANY(%(lines)s) AND %(amount)s > 0
            """,
            amount=SQL.identifier("line", f"{unit}_amount"),
            model=self._name,
            no_period=NO_PERIOD,
            unit=unit,
            lines=list(self.ids),
            **columns,
        )

    def _undo(self):
        """Take back what lines gave, by counter-entries that take from those earnings first.

        Rewards that members do not have yet are canceled.
        """
        Claim = self.env["partner.loyalty.claim"]
        open_claims = Claim.search([("bonus_line_id", "in", self.ids), ("state", "in", Claim._cancelable_decisions)])
        if open_claims:
            open_claims.action_cancel()
        rows = self.env["partner.loyalty.entry"]._post(self._get_undo_source())
        self.env["partner.loyalty.allocation"]._settle({row[1] for row in rows})
        self.write({"state": "undone"})

    def _get_undo_source(self):
        """Return the counter-entries of lines, as a source for ``partner.loyalty.entry._post``.

        What was merged into another member is taken back there.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.id AS account_id, 'bonus_undo' AS type, -entry.amount AS amount, NULL::integer AS rule_id,
                   entry.origin_model, entry.origin_id, entry.period_start, entry.revision + 1 AS revision,
                   entry.contribution_date, %(today)s::date AS date, %(today)s::date AS mature_date,
                   NULL::date AS expiry_date, NULL::integer AS idle_months,
                   CASE WHEN account.id = entry.account_id THEN entry.id END AS reverses_id,
                   NULL::varchar AS external_ref, entry.explanation || '{"undone": true}'::jsonb AS explanation
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account own ON own.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = own.member_id
              JOIN partner_loyalty_account account ON account.member_id = member.root_id AND account.unit = own.unit
             WHERE entry.origin_model = %(model)s AND entry.origin_id = ANY(%(lines)s) AND entry.type = 'bonus'
            """,
            today=self.program_id._get_today(),
            model=self._name,
            lines=list(self.ids),
        )
