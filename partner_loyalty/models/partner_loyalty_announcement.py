from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, is_html_empty


class PartnerLoyaltyAnnouncement(models.Model):
    """Something that the members of a program, or some of them, are told by e-mail; each in its own language."""

    _name = "partner.loyalty.announcement"
    _description = "Announcement"
    _inherit = ["mail.thread", "partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "id desc"
    _protected_fields = frozenset({"company_id", "sent_at", "sent_by_id", "state"})

    # === FIELDS ===#

    name = fields.Char(string="Subject", required=True, translate=True)
    body = fields.Html(string="Text", translate=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        help="Members of any of these segments; all members where there is none.",
    )
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        help="Members of any of these tiers; of all tiers where there is none.",
    )
    most = fields.Integer(
        string="At Most",
        default=500,
        required=True,
        aggregator=None,
        help="Where more members than this would get it, nothing is sent: the filter may be wrong.",
    )
    state = fields.Selection(
        selection=[("draft", "Draft"), ("sent", "Sent")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    sent_at = fields.Datetime(string="Sent on", readonly=True, copy=False)
    sent_by_id = fields.Many2one(comodel_name="res.users", string="Sent by", readonly=True, copy=False)
    member_count = fields.Integer(string="Members", compute="_compute_member_count")
    message_count = fields.Integer(string="Messages Sent", compute="_compute_message_count")

    # === CONSTRAINTS ===#

    _most_range = models.Constraint(
        "CHECK (most BETWEEN 1 AND 1000000)", "An announcement goes to 1 member or more: enter how many at most."
    )

    # === COMPUTE METHODS ===#

    @api.depends("program_id", "segment_ids", "tier_ids")
    def _compute_member_count(self):
        for announcement in self:
            domain = announcement._get_member_domain()
            announcement.member_count = self.env["partner.loyalty.member"].search_count(domain)

    def _compute_message_count(self):
        groups = self.env["partner.loyalty.message"]._read_group(
            [("kind", "=", "announcement"), ("res_id", "in", self.ids)], ["res_id"], ["__count"]
        )
        counts = dict(groups)
        for announcement in self:
            announcement.message_count = counts.get(announcement.id, 0)

    # === CRUD METHODS ===#

    def write(self, vals):
        if not self.env.su:
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        self._check_draft()

    # === ACTION METHODS ===#

    def action_preview(self):
        """Show who would get it."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_member_action"),
            "domain": list(self._get_member_domain()),
            "context": {},
        }

    def action_view_messages(self):
        """Show who has got it."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_message_action"),
            "domain": [("kind", "=", "announcement"), ("res_id", "=", self.id)],
            "context": {},
        }

    def action_send(self):
        """Send it to all members that the filter finds, once.

        :raises UserError: where the user is no loyalty manager, or it is empty, or goes to nobody or to too many
        """
        self.check_access("write")
        for announcement in self:
            announcement._check_can_send()
            # Before anything else: of two clicks at once, the second starts over and finds it sent.
            announcement.sudo().write({"state": "sent", "sent_at": fields.Datetime.now(), "sent_by_id": self.env.uid})
            announcement.flush_recordset()
            announcement._queue()
        self.env["partner.loyalty.message"]._trigger()

    # === BUSINESS METHODS ===#

    def _check_draft(self):
        sent = self.filtered(lambda announcement: announcement.state == "sent")
        if sent:
            raise UserError(self.env._("“%s” was sent: duplicate it to send something else.", sent[0].name))

    def _check_can_send(self):
        self._check_draft()
        if not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            raise UserError(self.env._("“%s” is ready: ask a loyalty manager to send it.", self.name))
        if is_html_empty(self.body):
            raise UserError(self.env._("“%s” has no text yet: write one.", self.name))
        if not self.member_count:
            raise UserError(self.env._("“%s” would reach no member: choose other segments or tiers.", self.name))
        if self.member_count > self.most:
            raise UserError(
                self.env._(
                    "“%(announcement)s” would reach %(count)s members, and %(most)s at most are set: "
                    "check the filter with the preview, then raise the number.",
                    announcement=self.name,
                    count=self.member_count,
                    most=self.most,
                )
            )
        if self.program_id.state == "draft":
            raise UserError(self.env._("“%s” has not started: start the program first.", self.program_id.name))

    def _queue(self):
        """Queue a message for each member."""
        # Messages are written by the program alone.
        setting_sudo = self.program_id.sudo().message_setting_ids.filtered(lambda one: one.kind == "announcement")
        if not setting_sudo.is_active:
            raise UserError(
                self.env._(
                    "“%s” sends no announcements: switch them on under “Messages” on the program.",
                    self.program_id.name,
                )
            )
        query = self.env["partner.loyalty.member"]._search(self._get_member_domain())
        columns = SQL(
            "%s, %s, %s::integer, NULL::varchar, NULL::text, NULL::numeric, NULL::numeric, NULL::date",
            SQL.identifier(query.table, "id"),
            f"announcement:{self.id}",
            self.id,
        )
        setting_sudo._queue(query.select(columns))

    def _get_member_domain(self):
        """Return who gets it.

        :rtype: Domain
        """
        self.ensure_one()
        domain = Domain(
            [("program_id", "=", self.program_id.id), ("state", "=", "active"), ("merged_into_id", "=", False)]
        )
        if self.tier_ids:
            domain &= Domain("tier_id", "in", self.tier_ids.ids)
        if self.segment_ids:
            domain &= Domain.OR(
                Domain("partner_id", "any", segment._get_partner_domain(self.program_id))
                for segment in self.segment_ids
            )
        return domain
