from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..tools import periods


class PartnerLoyaltyStatement(models.TransientModel):
    """Shows and prints the statements of members over some days, by default the last month."""

    _name = "partner.loyalty.statement"
    _description = "Member Statement"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        string="Members",
        required=True,
        default=lambda self: self._get_active_records("partner.loyalty.member"),
    )
    date_from = fields.Date(string="From", required=True, default=lambda self: self._get_last_month())
    date_to = fields.Date(string="Until", required=True, default=lambda self: periods.month_end(self._get_last_month()))
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    # === COMPUTE METHODS ===#

    @api.depends("member_ids", "date_from", "date_to")
    @api.depends_context("lang")
    def _compute_preview(self):
        for statement in self:
            members = statement.member_ids._origin
            is_complete = len(members) == 1 and statement.date_from and statement.date_to
            statement.preview = is_complete and self.env["ir.qweb"]._render(
                "partner_loyalty.statement_body", statement._get_rendering_values(members)
            )

    # === ACTION METHODS ===#

    def action_print(self):
        """Print the statements as one PDF, each on pages of its own and in the language of the partner.

        :raises UserError: where the days are the wrong way round, or nobody is chosen
        """
        self.ensure_one()
        if not self.member_ids:
            raise UserError(self.env._("Choose the members whose statements you want to print."))
        if self.date_to < self.date_from:
            raise UserError(self.env._("A statement ends after it begins: choose a later last day."))
        return self.env.ref("partner_loyalty.partner_loyalty_statement_report_action").report_action(self)

    # === GETTERS ===#

    @api.model
    def _get_last_month(self):
        """Return the first day of the last month."""
        return periods.month_start(fields.Date.context_today(self)) - relativedelta(months=1)

    def _get_rendering_values(self, member):
        """Return what the template of a statement needs.

        :param member: ``partner.loyalty.member``
        :rtype: dict
        """
        self.ensure_one()
        return {
            "member": member,
            "statement": member._get_statement(self.date_from, self.date_to),
            "labels": member._get_statement_labels(),
            "date_from": self.date_from,
            "date_to": self.date_to,
        }

    def _get_report_base_filename(self):
        """Return the file name of the statements."""
        self.ensure_one()
        days = [format_date(self.env, day) for day in (self.date_from, self.date_to)]
        who = self.member_ids.partner_id.name if len(self.member_ids) == 1 else self.env._("Members")
        return self.env._("Statement %(who)s %(first)s–%(last)s", who=who, first=days[0], last=days[1])
