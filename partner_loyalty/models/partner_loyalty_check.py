from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_datetime

# How long reports of checks are kept.
KEPT_DAYS = 90
# How many of the records that violate an invariant a report remembers.
EXAMPLES = 200


class PartnerLoyaltyCheck(models.Model):
    """What a check of the ledger found: every invariant, worked out from nothing."""

    _name = "partner.loyalty.check"
    _description = "Ledger Check"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "date"

    # === FIELDS ===#

    date = fields.Datetime(string="Checked on", required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one(
        comodel_name="res.users", string="Checked by", readonly=True, default=lambda self: self.env.user
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        readonly=True,
        index=True,
        ondelete="cascade",
        help="The program that was checked; all programs where empty.",
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    line_ids = fields.One2many(comodel_name="partner.loyalty.check.line", inverse_name="check_id", readonly=True)
    failed_count = fields.Integer(string="Violated", compute="_compute_state", store=True, aggregator=None)
    state = fields.Selection(
        selection=[("ok", "All Holds"), ("failed", "Something Is Wrong")], compute="_compute_state", store=True
    )

    # === COMPUTE METHODS ===#

    @api.depends("line_ids.count")
    def _compute_state(self):
        for check in self:
            check.failed_count = len(check.line_ids.filtered("count"))
            check.state = "failed" if check.failed_count else "ok"

    @api.depends("date")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for check in self:
            check.display_name = format_datetime(self.env, check.date)

    # === BUSINESS METHODS ===#

    @api.model
    def _run(self, programs=None):
        """Check the ledger and keep the report; ask the administrators to look where something is wrong.

        :param programs: one program; all by default
        :rtype: recordset of this model
        """
        found = self.env["partner.loyalty.invariant"]._find_violations(programs)
        check = self.create(
            {
                "program_id": programs.id if programs else False,
                "line_ids": [fields.Command.create(self._prepare_line_vals(*finding)) for finding in found],
            }
        )
        if check.state == "failed":
            check._notify_administrators()
        return check

    @api.model
    def _prepare_line_vals(self, invariant, ids):
        """Return the values of the line about an invariant.

        :param Invariant invariant: what was worked out
        :param list ids: what violates it
        :rtype: dict
        """
        return {
            "code": invariant.code,
            "name": invariant.sentence,
            "count": len(ids),
            "res_model": invariant.model,
            "res_ids": ids[:EXAMPLES],
        }

    @api.model
    def _cron_check(self):
        """Check everything, and forget reports that are long past."""
        self.search([("date", "<", fields.Datetime.now() - timedelta(days=KEPT_DAYS))]).unlink()
        self._run()

    def _notify_administrators(self):
        self.ensure_one()
        group = self.env.ref("partner_loyalty.partner_loyalty_group_administrator")
        for user in group.all_user_ids.filtered(lambda user: user.active and not user.share):
            self.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=self.with_context(lang=user.lang).env._("The loyalty ledger has to be looked into"),
                user_id=user.id,
            )


class PartnerLoyaltyCheckLine(models.Model):
    """One invariant in a report, and what violates it."""

    _name = "partner.loyalty.check.line"
    _description = "Ledger Check Result"
    _order = "check_id, id"

    # === FIELDS ===#

    check_id = fields.Many2one(
        comodel_name="partner.loyalty.check", required=True, index=True, ondelete="cascade", readonly=True
    )
    code = fields.Char(required=True, readonly=True)
    name = fields.Char(string="What Must Hold", required=True, readonly=True)
    count = fields.Integer(string="Violations", readonly=True, aggregator="sum")
    res_model = fields.Char(readonly=True)
    res_ids = fields.Json(string="Records", readonly=True)

    # === ACTION METHODS ===#

    def action_open_records(self):
        """Show what violates the invariant, as far as the user may see it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self.res_model,
            "view_mode": "list,form",
            "domain": [("id", "in", self.res_ids or [])],
        }
