from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import plaintext2html

from .partner_loyalty_inquiry import MAX_SUBJECT, MAX_TEXT

# So many topics of one member wait at once.
MAX_PENDING = 5


class PartnerLoyaltyTopic(models.Model):
    """Something that members of a program talk about with each other, once an officer has let them.

    Members read it on their pages alone: what they write is shown there under a name only where their company agreed
    to be named. So they have no right on the topic or its messages, and do not follow it.
    """

    _name = "partner.loyalty.topic"
    _description = "Discussion"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
    ]
    _order = "last_post_date desc, id desc"
    _protected_fields = frozenset({"company_id", "last_post_date", "published_at", "published_by_id", "state"})
    _protected_after_create_fields = frozenset({"contact_id", "member_id", "program_id"})

    # === FIELDS ===#

    name = fields.Char(string="Title", required=True, tracking=True)
    text = fields.Text(required=True, help="What the discussion begins with.")
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Started by",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        help="The member who began it; the company itself where it is empty.",
    )
    partner_id = fields.Many2one(related="member_id.partner_id", store=True, index="btree_not_null")
    contact_id = fields.Many2one(comodel_name="res.partner", readonly=True)
    state = fields.Selection(
        selection=[
            ("pending", "To Publish"),
            ("published", "Published"),
            ("closed", "Closed"),
            ("refused", "Refused"),
        ],
        required=True,
        default="pending",
        readonly=True,
        copy=False,
        tracking=True,
        group_expand=True,
        help="Published: all members of the program read it and write. Closed: they read it.",
    )
    refuse_reason = fields.Char(string="Refused because", tracking=True, copy=False, help="The member reads it.")
    published_by_id = fields.Many2one(comodel_name="res.users", string="Published by", readonly=True, copy=False)
    published_at = fields.Datetime(string="Published on", readonly=True, copy=False)
    last_post_date = fields.Datetime(
        string="Last Message on", readonly=True, copy=False, default=lambda self: fields.Datetime.now()
    )
    post_ids = fields.One2many(
        comodel_name="mail.message",
        inverse_name="res_id",
        string="Messages of Members",
        domain=lambda self: self._get_post_domain(),
        readonly=True,
    )
    post_count = fields.Integer(string="Number of Messages", compute="_compute_post_count")

    # === COMPUTE METHODS ===#

    def _compute_post_count(self):
        rows = self.env["mail.message"]._read_group(
            self._get_post_domain() & Domain("res_id", "in", self.ids), ["res_id"], ["__count"]
        )
        counts = dict(rows)
        for topic in self:
            topic.post_count = counts.get(topic.id, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("name", "text")
    def _check_texts(self):
        Inquiry = self.env["partner.loyalty.inquiry"]
        for topic in self:
            Inquiry._check_text(topic.name, MAX_SUBJECT)
            Inquiry._check_text(topic.text, MAX_TEXT)

    @api.constrains("member_id", "program_id")
    def _check_member(self):
        for topic in self.filtered("member_id"):
            if topic.member_id.program_id != topic.program_id:
                raise ValidationError(
                    self.env._(
                        "%(member)s is not a member of “%(program)s”: choose one who is.",
                        member=topic.partner_id.display_name,
                        program=topic.program_id.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        topics = super().create(vals_list)
        topics._plan_moderation()
        return topics

    # === ACTION METHODS ===#

    def action_publish(self):
        """Let all members of the program read and answer."""
        self.check_access("write")
        topics = self.filtered(lambda topic: topic.state != "published")
        topics._set_state("published", published_by_id=self.env.uid, published_at=fields.Datetime.now())
        topics.activity_unlink(["mail.mail_activity_data_todo"])

    def action_close(self):
        """Let members read on, and write no more."""
        self.check_access("write")
        self.filtered(lambda topic: topic.state == "published")._set_state("closed")

    def action_refuse(self):
        """Let nobody but its author see a topic, who reads why.

        :raises UserError: where no reason is given
        """
        self.check_access("write")
        topics = self.filtered(lambda topic: topic.state == "pending")
        for topic in topics:
            if not (topic.refuse_reason or "").strip():
                raise UserError(
                    self.env._("Write into “Refused because” what the author of “%s” reads, then refuse.", topic.name)
                )
        topics._set_state("refused")
        topics.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS ===#

    def _set_state(self, state, **vals):
        # The state is set by the program alone; each button has checked who may do so.
        self.sudo().write({"state": state, **vals})

    def _plan_moderation(self):
        """Ask who is responsible for the program to look at what members begin."""
        for topic in self.filtered(lambda topic: topic.member_id and topic.state == "pending"):
            # Whoever begins a topic need not know who looks at it.
            topic_sudo = topic.sudo()
            user_sudo = topic_sudo.program_id.user_id
            if user_sudo:
                topic_sudo.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=topic_sudo.with_context(lang=user_sudo.lang).env._("Publish or refuse: %s", topic.name),
                    user_id=user_sudo.id,
                )

    @api.model
    def _begin(self, member, contact, name, text):
        """Let a member begin a topic.

        :param member: ``partner.loyalty.member``
        :param contact: ``res.partner`` who writes for it
        :rtype: ``partner.loyalty.topic``
        :raises UserError: where it may not, or has begun enough
        """
        self._check_may_write(member)
        if self.search_count([("member_id", "=", member.id), ("state", "=", "pending")]) >= MAX_PENDING:
            raise UserError(self.env._("Some of your topics wait to be published: begin the next one after that."))
        return self.with_context(mail_create_nosubscribe=True).create(
            {
                "name": name,
                "text": text,
                "program_id": member.program_id.id,
                "member_id": member.id,
                "contact_id": contact.id,
            }
        )

    def _write_as(self, member, contact, text):
        """Let a member write into a topic.

        :param member: ``partner.loyalty.member``
        :param contact: ``res.partner`` who writes for it
        :return: the ``mail.message``
        :raises UserError: where it may not, or the topic is not open
        """
        self.ensure_one()
        self._check_may_write(member)
        if self.state != "published":
            raise UserError(self.env._("Nobody writes into “%s” any more.", self.name))
        self.env["partner.loyalty.inquiry"]._check_text(text, MAX_TEXT)
        return self.with_context(mail_post_autofollow_author_skip=True).message_post(
            body=plaintext2html(text),
            author_id=contact.id,
            email_from=contact.email_formatted,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    @api.model
    def _check_may_write(self, member):
        """Check that a membership goes on.

        :raises UserError: where it does not
        """
        if member.state != "active":
            raise UserError(self.env._("Only members talk here, and your membership is not active."))

    def _message_post_after_hook(self, message, msg_values):
        """Override: the topic that somebody wrote into last comes first."""
        result = super()._message_post_after_hook(message, msg_values)
        if message.subtype_id == self.env.ref("mail.mt_comment"):
            # Whoever may write need not be able to change the topic.
            self.sudo().last_post_date = fields.Datetime.now()
        return result

    # === GETTERS ===#

    @api.model
    def _get_post_domain(self):
        """Return the messages of a topic that members may read, and those that were hidden from them.

        :rtype: Domain
        """
        comment = self.env.ref("mail.mt_comment", raise_if_not_found=False)
        return (
            Domain("model", "=", self._name)
            & Domain("message_type", "in", ("comment", "email"))
            & Domain("subtype_id", "=", comment.id if comment else False)
        )

    @api.model
    def _get_visible_domain(self, member):
        """Return the topics that a member reads: those that were published, and its own.

        :param member: ``partner.loyalty.member``
        :rtype: Domain
        """
        return Domain("program_id", "=", member.program_id.id) & (
            Domain("state", "in", ("published", "closed")) | Domain("member_id", "=", member.id)
        )

    def _get_posts(self, member):
        """Return what a member reads of the topic, the oldest first.

        :param member: ``partner.loyalty.member``
        :return: dicts of ``name``, ``date``, ``body`` and ``is_own``
        :rtype: list[dict]
        """
        self.ensure_one()
        names = self._get_author_names(member)
        first = {
            "name": names.get(self.partner_id, self.company_id.name),
            "date": self.create_date,
            "body": plaintext2html(self.text),
            "is_own": bool(self.member_id) and self.member_id == member,
        }
        posts = self.post_ids.filtered(lambda message: not message.is_internal).sorted("id")
        return [first] + [
            {
                "name": self._get_author_name(message.author_id, names),
                "date": message.date,
                "body": message.body,
                "is_own": message.author_id.commercial_partner_id == member.partner_id,
            }
            for message in posts
        ]

    def _get_author_names(self, member):
        """Return under which names a member reads the companies of others, by commercial partner.

        :rtype: dict
        """
        partners = self.post_ids.author_id.commercial_partner_id | self.partner_id
        members = self.env["partner.loyalty.member"].search(
            [
                ("program_id", "=", self.program_id.id),
                ("partner_id", "in", partners.ids),
                ("merged_into_id", "=", False),
            ]
        )
        return {
            one.partner_id: one.partner_id.name
            if one == member or one.is_named_on_leaderboard
            else self.env._("A member")
            for one in members
        }

    def _get_author_name(self, author, names):
        """Return under which name an author is read: staff by that of the company, former members by none."""
        company = author.commercial_partner_id
        if company in names:
            return names[company]
        is_staff = any(not user.share for user in author.with_context(active_test=False).user_ids)
        return self.company_id.name if is_staff else self.env._("A member")
