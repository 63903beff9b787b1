from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..const import LEDGER_DIGITS

# Lines that one step gives.
BATCH_SIZE = 500

# So long a preview is kept.
PREVIEW_DAYS = 7


class PartnerLoyaltyBonusRun(models.Model):
    """What a bonus action did for one period, or for the events of one day."""

    _name = "partner.loyalty.bonus.run"
    _description = "Bonus Run"
    _order = "date desc, id desc"
    _allow_sudo_commands = False

    # === FIELDS ===#

    name = fields.Char(string="Period", compute="_compute_name")
    action_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.action", required=True, index=True, ondelete="cascade", readonly=True
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        selection=[("preview", "Preview"), ("running", "In Progress"), ("done", "Done"), ("undone", "Taken Back")],
        required=True,
        readonly=True,
    )
    period_key = fields.Char(readonly=True)
    period_start = fields.Date(string="From", required=True, readonly=True)
    period_end = fields.Date(string="Until", required=True, readonly=True)
    date = fields.Date(string="Due on", required=True, readonly=True)
    given_count = fields.Integer(string="Members Who Get It", readonly=True)
    missed_count = fields.Integer(string="Just Missed", readonly=True)
    point_amount = fields.Float(string="Points", digits=LEDGER_DIGITS, readonly=True)
    money_amount = fields.Monetary(string="Money", readonly=True)
    is_released = fields.Boolean(string="To Be Run Again", readonly=True)
    undone_by_id = fields.Many2one(comodel_name="res.users", string="Taken Back by", readonly=True)
    undone_at = fields.Datetime(string="Taken Back on", readonly=True)
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.line", inverse_name="run_id", string="Members", readonly=True
    )

    # === CONSTRAINTS ===#

    _period_once = models.UniqueIndex(
        "(action_id, period_key) WHERE period_key IS NOT NULL AND state <> 'preview' AND is_released IS NOT TRUE"
    )

    # === COMPUTE METHODS ===#

    @api.depends("period_start", "period_end")
    @api.depends_context("lang")
    def _compute_name(self):
        for run in self:
            days = [format_date(self.env, run.period_start), format_date(self.env, run.period_end)]
            run.name = days[0] if days[0] == days[1] else f"{days[0]} – {days[1]}"

    @api.depends("action_id.name", "name")
    def _compute_display_name(self):
        for run in self:
            run.display_name = f"{run.action_id.name}, {run.name}"

    # === ACTION METHODS ===#

    def action_undo(self):
        """Take back the amounts that runs gave, by counter-entries; what was written or sent stays.

        So does a tier: it is a decision, and in force until its last day. Rewards that members do not have yet are
        canceled. Runs that were taken back are not run again by themselves.

        :raises UserError: where one was a preview or taken back before
        """
        self._check_manager()
        for run in self:
            if run.state not in ("running", "done"):
                raise UserError(
                    self.env._("“%(run)s” has given nothing that could be taken back.", run=run.display_name)
                )
        # The ledger and the log of runs are written by the program alone.
        self.sudo()._undo()

    def action_release(self):
        """Let runs that were taken back be run again, as the actions are now.

        :raises UserError: where one was not taken back
        """
        self._check_manager()
        for run in self:
            if run.state != "undone" or run.is_released:
                raise UserError(
                    self.env._("“%(run)s” has not been taken back: take it back first.", run=run.display_name)
                )
        # The log of runs is written by the program alone.
        self.sudo().is_released = True

    def action_view_lines(self):
        """Show the members of the run, to search and group them."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_bonus_line_action"),
            "domain": [("run_id", "=", self.id)],
        }

    # === BUSINESS METHODS ===#

    def _check_manager(self):
        """Check that the user may decide on bonus actions; runs are written by nobody."""
        self.check_access("read")
        self.action_id.check_access("write")

    def _count(self):
        """Note how many members get something, and how much in all."""
        self.ensure_one()
        self.flush_recordset()
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_bonus_run run
                   SET given_count = total.given, missed_count = total.missed, point_amount = total.points,
                       money_amount = total.money
                  FROM (SELECT COUNT(*) FILTER (WHERE state IN ('preview', 'planned')) AS given,
                               COUNT(*) FILTER (WHERE state = 'missed') AS missed,
                               COALESCE(SUM(point_amount), 0) AS points, COALESCE(SUM(money_amount), 0) AS money
                          FROM partner_loyalty_bonus_line WHERE run_id = %(run)s) total
                 WHERE run.id = %(run)s
                """,
                run=self.id,
            )
        )
        self.invalidate_recordset()

    def _give_batch(self, batch_size=BATCH_SIZE):
        """Give the next lines that are planned.

        :return: whether there were any; where there were not the run is done
        :rtype: bool
        """
        self.ensure_one()
        lines = self.env["partner.loyalty.bonus.line"].search(
            [("run_id", "=", self.id), ("state", "=", "planned")], limit=batch_size, order="id"
        )
        if not lines:
            self.state = "done"
            return False
        language = self.program_id.user_id.lang or self.env.lang
        lines.with_company(self.company_id).with_context(lang=language)._give()
        return True

    def _undo(self):
        """Take back what was given, and give nothing more."""
        for run in self:
            if not run.action_id.try_lock_for_update(allow_referencing=True):
                raise UserError(
                    self.env._(
                        "Somebody is running “%(action)s” right now: try it again later.", action=run.action_id.name
                    )
                )
            lines = run.line_ids.filtered(lambda line: line.state in ("planned", "given"))
            if lines:
                lines._undo()
        self.write({"state": "undone", "undone_by_id": self.env.uid, "undone_at": fields.Datetime.now()})

    @api.autovacuum
    def _gc_previews(self):
        """Take away previews that nobody looks at any more."""
        before = fields.Datetime.now() - timedelta(days=PREVIEW_DAYS)
        self.search([("state", "=", "preview"), ("create_date", "<", before)]).unlink()
