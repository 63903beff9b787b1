from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class PartnerLoyaltyNews(models.Model):
    """Something that a company tells the members of a program, on their pages."""

    _name = "partner.loyalty.news"
    _description = "Loyalty News"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True

    # === FIELDS ===#

    name = fields.Char(string="Title", required=True, translate=True)
    active = fields.Boolean(default=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    body = fields.Html(string="Text", translate=True)
    date = fields.Date(
        string="Published on", copy=False, help="Members read it from this day on. It is a draft where it is empty."
    )
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        # Without it, news for a tier that is deleted would be for everybody.
        ondelete="restrict",
        help="Only members of these tiers read it; all where there are none.",
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        check_company=True,
        # As with tiers.
        ondelete="restrict",
        help="Only members of one of these segments read it; all where there are none.",
    )
    read_ids = fields.One2many(comodel_name="partner.loyalty.news.read", inverse_name="news_id", string="Read by")
    read_count = fields.Integer(string="Contacts Who Read It", compute="_compute_read_count")

    # === CONSTRAINTS ===#

    _date_plausible = models.Constraint(
        "CHECK (date BETWEEN '1900-01-01' AND '9900-01-01')",
        "News is published in the year 1900 or later: enter all four digits of the year.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("read_ids")
    def _compute_read_count(self):
        counts = dict(
            self.env["partner.loyalty.news.read"]._read_group([("news_id", "in", self.ids)], ["news_id"], ["__count"])
        )
        for news in self:
            news.read_count = counts.get(news._origin, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("program_id", "tier_ids")
    def _check_tiers(self):
        for news in self:
            if news.tier_ids.program_id - news.program_id:
                raise ValidationError(
                    self.env._("“%s” is for tiers of another program: choose those of its own.", news.name)
                )

    # === ACTION METHODS ===#

    def action_publish(self):
        """Let members read drafts from today on."""
        for news in self.filtered(lambda news: not news.date):
            news.date = news.program_id._get_today()

    def action_withdraw(self):
        """Make drafts of what was published: members do not read it any more."""
        self.date = False

    # === BUSINESS METHODS ===#

    @api.model
    def _get_for_member(self, member, domain=Domain.TRUE):
        """Return what a member can read today, the latest first.

        :param member: ``partner.loyalty.member``
        :param Domain domain: only such news
        :rtype: recordset of ``partner.loyalty.news``
        """
        return self.search(self._get_member_domain(member) & Domain(domain))

    @api.model
    def _get_member_domain(self, member):
        """Return which news are for a member.

        :rtype: Domain
        """
        program = member.program_id
        published = Domain("program_id", "=", program.id) & Domain("date", "<=", program._get_today())
        by_tier = Domain("tier_ids", "=", False) | Domain("tier_ids", "in", member.tier_id.ids)
        segments = self.search(published & Domain("segment_ids", "!=", False)).segment_ids
        own = segments._get_of_member(member)
        return published & by_tier & (Domain("segment_ids", "=", False) | Domain("segment_ids", "in", own.ids))

    def _get_unread(self, contact):
        """Return those of the news that a contact has not read.

        :param contact: ``res.partner``
        """
        read = self.env["partner.loyalty.news.read"].search(
            [("news_id", "in", self.ids), ("contact_id", "=", contact.id)]
        )
        return self - read.news_id

    def _mark_read(self, contact):
        """Note that a contact has read news; once is enough.

        :param contact: ``res.partner``
        """
        self.env.flush_all()
        # Who taps twice says the same twice: that is no error.
        self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_news_read
                       (news_id, company_id, contact_id, create_uid, create_date, write_uid, write_date)
                SELECT news.id, news.company_id, %(contact)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM partner_loyalty_news news
                 WHERE news.id = ANY(%(ids)s)
           ON CONFLICT DO NOTHING
                """,
                contact=contact.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                ids=list(self.ids),
            )
        )
        self.invalidate_recordset(["read_ids", "read_count"])
