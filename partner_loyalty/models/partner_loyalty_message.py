from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import formatLang

from .partner_loyalty_message_setting import MESSAGE_KINDS, MONEY_KINDS

BATCH_SIZE = 100
# The kinds that are about a record: its model, and what of it is named.
NAMED_BY = {
    "announcement": ("partner.loyalty.announcement", "name"),
    "claim": ("partner.loyalty.claim", "reward_id"),
    "dispute": ("partner.loyalty.inquiry", "name"),
    "payout": ("partner.loyalty.payout", "name"),
    "risk": ("partner.loyalty.tier", "name"),
}


class PartnerLoyaltyMessage(models.Model):
    """Something that a member is told by e-mail: one for each cause, whatever is tried again."""

    _name = "partner.loyalty.message"
    _description = "Message to a Member"
    _order = "id desc"
    _rec_name = "member_id"

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, readonly=True, index=True, ondelete="cascade"
    )
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(related="member_id.partner_id")
    kind = fields.Selection(selection=MESSAGE_KINDS, string="About", required=True, readonly=True)
    cause = fields.Char(required=True, readonly=True, help="What it is about: of each there is one message.")
    res_id = fields.Integer(string="Record", readonly=True, aggregator=None)
    title = fields.Char(readonly=True)
    note = fields.Text(readonly=True)
    points = fields.Float(digits=(18, 4), readonly=True)
    points_text = fields.Char(compute="_compute_points_text")
    money = fields.Monetary(readonly=True)
    date = fields.Date(string="Day", readonly=True)
    state = fields.Selection(
        selection=[
            ("queued", "To Send"),
            ("sent", "Sent"),
            ("muted", "Switched Off"),
            ("unreachable", "No Address"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="queued",
        index=True,
    )
    error = fields.Text(readonly=True)
    announcement_id = fields.Many2one(comodel_name="partner.loyalty.announcement", compute="_compute_announcement_id")
    subject_name = fields.Char(string="Subject", compute="_compute_subject_name")
    recipients = fields.Char(compute="_compute_recipients", help="Ids of the contacts who get it, for the template.")

    # === CONSTRAINTS ===#

    _cause_unique = models.UniqueIndex("(member_id, kind, cause)", "The member was told of this already.")

    # === COMPUTE METHODS ===#

    @api.depends("kind", "res_id")
    @api.depends_context("lang")
    def _compute_subject_name(self):
        for kind, messages in self.grouped("kind").items():
            names = self._get_names(kind, messages.mapped("res_id"))
            for message in messages:
                message.subject_name = names.get(message.res_id) or message.title

    @api.depends("points")
    @api.depends_context("lang")
    def _compute_points_text(self):
        for message in self:
            message.points_text = formatLang(self.env, message.points, digits=message.program_id.point_digits)

    @api.depends("kind", "res_id")
    def _compute_announcement_id(self):
        for message in self:
            message.announcement_id = message.kind == "announcement" and message.res_id

    @api.depends("member_id", "kind")
    def _compute_recipients(self):
        reachable_sudo = self.member_id._get_reachable()
        # What a message is about says who is written to, whoever looks at it.
        for message_sudo in self.sudo():
            reached_sudo = message_sudo._get_reached(reachable_sudo)
            message_sudo.recipients = ",".join(map(str, reached_sudo.ids)) or False

    # === ACTION METHODS ===#

    def action_retry(self):
        """Send again what failed."""
        failed = self.filtered(lambda message: message.state in ("failed", "unreachable"))
        # Messages are written by the program alone.
        failed.sudo().write({"state": "queued", "error": False})
        self._trigger()

    # === BUSINESS METHODS ===#

    @api.model
    def _get_failed_action(self, program):
        """Return the window action that lists what could not be sent to members of a program."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_message_action"),
            "context": {"search_default_unsent": 1},
            "domain": [("program_id", "=", program.id)],
        }

    @api.model
    def _get_names(self, kind, ids):
        """Return what the records are called that a kind of message is about.

        :rtype: dict
        """
        if kind not in NAMED_BY:
            return {}
        model, name = NAMED_BY[kind]
        # What a member is told of is its own, whoever looks at the message.
        records_sudo = self.env[model].sudo().browse(ids).exists()
        return {
            record.id: record[name] if isinstance(record[name], str) else record[name].display_name
            for record in records_sudo
        }

    def _get_reached(self, reachable):
        """Return who gets the message: who disputed a line, or all contacts who may read it.

        :param dict reachable: see ``partner.loyalty.member._get_reachable``
        :rtype: ``res.partner``
        """
        self.ensure_one()
        if self.kind == "dispute":
            inquiry = self.env["partner.loyalty.inquiry"].browse(self.res_id).exists()
            return inquiry.contact_id.filtered("email")
        return reachable[self.partner_id].filtered(self._is_for)

    def _is_for(self, contact):
        """Return whether a contact may read the message: amounts of money are not for sales."""
        has_money = self.kind in MONEY_KINDS or self.money
        return not has_money or contact._get_loyalty_right() != "sales"

    @api.model
    def _trigger(self):
        """Let messages be sent soon."""
        # Waking a cron is no right of officers.
        self.env.ref("partner_loyalty.ir_cron_send_messages").sudo()._trigger()

    @api.model
    def _cron_send(self, batch_size=BATCH_SIZE):
        """Look up what there is to tell, and queue the mails, committing batch by batch."""
        self.env["partner.loyalty.program"]._complete_message_settings()
        programs = self.env["partner.loyalty.program"].search([("state", "!=", "draft")])
        for program in programs:
            program.message_setting_ids._collect()
            self.env["ir.cron"]._commit_progress()
        last_id, todo = 0, Domain("state", "=", "queued")
        while messages := self.search(todo & Domain("id", ">", last_id), limit=batch_size, order="id"):
            last_id = messages.ids[-1]
            messages._send()
            remaining = self.search_count(todo & Domain("id", ">", last_id), limit=10000)
            if not self.env["ir.cron"]._commit_progress(len(messages), remaining=remaining):
                break

    def _send(self):
        """Queue the mails of messages; what cannot be made is noted, and holds nobody else up."""
        unreachable = self.filtered(lambda message: not message.recipients)
        unreachable.state = "unreachable"
        settings = {
            (setting.program_id, setting.kind): setting
            for setting in self.env["partner.loyalty.message.setting"].search(
                [("program_id", "in", self.program_id.ids)]
            )
        }
        for key, messages in (self - unreachable).grouped(lambda message: (message.program_id, message.kind)).items():
            setting = settings.get(key)
            if not setting.is_active:
                messages.state = "muted"
            elif error := messages._send_by(setting.template_id):
                messages._send_one_by_one(setting.template_id, error)

    def _send_one_by_one(self, template, error):
        for message in self:
            error = message._send_by(template) if len(self) > 1 else error
            if error:
                message.write({"state": "failed", "error": error})

    def _send_by(self, template):
        """Queue the mails of a template, and return what is wrong with it, or None."""
        if not template:
            return self.env._("There is no e-mail template: choose one on the program.")
        try:
            with self.env.cr.savepoint():
                template.send_mail_batch(self.ids, force_send=False)
                self.state = "sent"
                self.flush_recordset()
        except UserError as error:
            return str(error)
        return None
