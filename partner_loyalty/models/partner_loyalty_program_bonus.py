from odoo import api, fields, models
from odoo.tools import format_datetime

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
            program.bonus_health = running and program._get_bonus_health_text(running)

    # === ACTION METHODS ===#

    def action_view_bonus_actions(self):
        """Show the bonus actions of the program."""
        return self._get_related_action("partner_loyalty.partner_loyalty_bonus_action_action")

    # === GETTERS ===#

    def _get_bonus_health_text(self, actions):
        """Return in words how the bonus actions that are running do.

        :param actions: recordset of ``partner.loyalty.bonus.action``
        :rtype: str
        """
        checked = max(filter(None, actions.mapped("checked_at")), default=None)
        # Whether something is due depends on figures that not everybody who sees the program may see.
        waiting = sum(action_sudo._get_backlog() for action_sudo in actions.sudo())
        return self.env._(
            "Bonus actions: %(running)s running, last run %(day)s, runs that wait: %(waiting)s, failing: %(failing)s",
            running=len(actions),
            day=format_datetime(self.env, checked) if checked else self.env._("never"),
            waiting=waiting,
            failing=len(actions.filtered("error")),
        )
