from contextlib import suppress

from odoo import api, fields, models
from odoo.tools import format_datetime

from .partner_loyalty_segment import UNREADABLE

OFFICER = "partner_loyalty.partner_loyalty_group_officer"


class PartnerLoyaltyProgramBonus(models.AbstractModel):
    """The bonus actions of a program, and whether they do well."""

    _name = "partner.loyalty.program.bonus"
    _description = "Bonuses of a Program"

    # === FIELDS ===#

    bonus_action_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.action", inverse_name="program_id", string="Bonus Actions", groups=OFFICER
    )
    bonus_action_count = fields.Integer(string="Bonuses", compute="_compute_bonus_health", groups=OFFICER)
    failing_bonus_ids = fields.Many2many(
        comodel_name="partner.loyalty.bonus.action", compute="_compute_bonus_health", groups=OFFICER
    )
    bonus_health = fields.Char(
        compute="_compute_bonus_health",
        groups=OFFICER,
        help="When bonus actions were looked at last, how many runs wait, and how many actions fail.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("bonus_action_ids.state", "bonus_action_ids.error", "bonus_action_ids.checked_at")
    @api.depends_context("lang", "tz")
    def _compute_bonus_health(self):
        for program in self:
            actions = program.bonus_action_ids
            running = actions.filtered(lambda action: action.state == "running")
            program.bonus_action_count = len(actions)
            program.failing_bonus_ids = running.filtered("error")
            program.bonus_health = program._get_bonus_health_text(running) if running else False

    # === CRUD METHODS ===#

    def unlink(self):
        """Override: bonus actions go first, or the database would keep the tiers and goals that they name."""
        self.check_access("unlink")
        # Who may delete a program need not be allowed to see its bonus actions; those of members stay as they do.
        self.filtered(lambda program: not program.member_ids).sudo().bonus_action_ids.unlink()
        return super().unlink()

    # === ACTION METHODS ===#

    def action_view_bonus_actions(self):
        """Show the bonus actions of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_bonus_action_action")

    # === BUSINESS METHODS ===#

    def _start_waiting_bonus_actions(self):
        """Start the bonus actions that are to begin with their program, from today on.

        :raises UserError: where one of them is not complete
        """
        waiting = self.bonus_action_ids.filtered(lambda action: action.state == "draft" and action.starts_with_program)
        for action in waiting:
            action.date_from = max(action.date_from, action.program_id._get_today())
        waiting.action_start()

    # === GETTERS ===#

    @api.model
    def _get_company_health_text(self, company):
        """Return in words how what the programs of a company do by themselves does, a line for each thing.

        :param company: ``res.company``
        :rtype: str
        """
        running = self.env["partner.loyalty.bonus.action"].search(
            [("company_id", "=", company.id), ("state", "=", "running")]
        )
        return "\n".join(
            [
                self._get_bonus_job_text(),
                self._get_bonus_health_text(running) if running else self.env._("No bonus action is running."),
                self._get_failing_text(company),
            ]
        )

    @api.model
    def _get_bonus_job_text(self):
        """Return in words when the nightly job of bonus actions ran last, whatever it found."""
        # Only administrators of the system read scheduled actions, and nothing else of it is told here.
        job_sudo = self.sudo().env.ref("partner_loyalty.ir_cron_bonus", raise_if_not_found=False)
        if not job_sudo or not job_sudo.active:
            return self.env._(
                "The nightly job of bonus actions is switched off: switch it on among the scheduled actions."
            )
        if not job_sudo.lastcall:
            return self.env._("The nightly job of bonus actions has not run yet.")
        return self.env._(
            "The nightly job of bonus actions last ran on %s.", format_datetime(self.env, job_sudo.lastcall)
        )

    @api.model
    def _get_failing_text(self, company):
        """Return in words how much of a company fails, as the to-do list has it."""
        domain = [("company_id", "=", company.id), ("kind", "in", ("bonus_error", "rule_error"))]
        Todo = self.env["partner.loyalty.todo"]
        counts = dict(Todo._read_group(domain, ["kind"], ["__count"]))
        [(programs,)] = Todo._read_group(domain, [], ["program_id:count_distinct"])
        return self.env._(
            "Failing bonus actions: %(actions)s, failing rules: %(rules)s, programs that they belong to: %(programs)s",
            actions=counts.get("bonus_error", 0),
            rules=counts.get("rule_error", 0),
            programs=programs,
        )

    @api.model
    def _count_waiting_runs(self, actions):
        """Return how many runs of bonus actions wait.

        Nothing is due of an action whose filter cannot be read any more: it fails each night, and is told of as that.
        """
        waiting = 0
        # Whether something is due depends on figures that not everybody who sees the program may see.
        for action_sudo in actions.sudo():
            with suppress(*UNREADABLE):
                waiting += action_sudo._get_backlog()
        return waiting

    @api.model
    def _get_bonus_health_text(self, actions):
        """Return in words how the bonus actions that are running do.

        :param actions: recordset of ``partner.loyalty.bonus.action``
        :rtype: str
        """
        checked = max(filter(None, actions.mapped("checked_at")), default=None)
        return self.env._(
            "Bonus actions: %(running)s running, last run %(day)s, runs that wait: %(waiting)s, failing: %(failing)s",
            running=len(actions),
            day=format_datetime(self.env, checked) if checked else self.env._("never"),
            waiting=self._count_waiting_runs(actions),
            failing=len(actions.filtered("error")),
        )
