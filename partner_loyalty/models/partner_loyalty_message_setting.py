from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import EARNED_TYPES
from ..tools import periods

# What members are written about; who sees no money gets no message of those in MONEY_KINDS.
MESSAGE_KINDS = [
    ("welcome", "Welcome"),
    ("tier", "New Tier"),
    ("risk", "Tier at Risk"),
    ("earned", "Earned"),
    ("expiring", "About to Expire"),
    ("claim", "Reward Decided"),
    ("payout", "Payout Decided and Paid"),
    ("dispute", "Dispute Answered"),
    ("statement", "Monthly Statement"),
    ("announcement", "Announcement"),
]
MONEY_KINDS = ("payout", "statement")
# These change from one day to the next, and not within it.
DAILY_KINDS = ("risk", "expiring")
# New programs write these from the start; the others are switched on.
DEFAULT_KINDS = ("welcome", "expiring", "claim", "payout", "dispute", "announcement")

# A tier at risk is told so many days before the decision; what expires, twice.
RISK_DAYS = 30
DAY = timedelta(days=1)
EXPIRY_DAYS = {"7": 7, "30": 30}


class PartnerLoyaltyMessageSetting(models.Model):
    """Whether a program writes about something, and how.

    What there is to write is looked up from what has happened; nothing that moves points or money knows of messages.
    """

    _name = "partner.loyalty.message.setting"
    _description = "Message of a Program"
    _inherit = ["partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "program_id, id"
    _rec_name = "kind"
    _protected_fields = frozenset({"collected_until", "since"})
    _protected_after_create_fields = frozenset({"kind", "program_id"})

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    kind = fields.Selection(selection=MESSAGE_KINDS, string="About", required=True, readonly=True)
    is_active = fields.Boolean(string="Sent", help="Members can switch off each kind for themselves.")
    period = fields.Selection(
        selection=[("day", "Each Day"), ("week", "Each Week"), ("month", "Each Month")],
        string="How Often",
        help="What was earned is summed up, instead of a message for each line.",
    )
    template_id = fields.Many2one(
        comodel_name="mail.template",
        string="E-mail Template",
        domain="[('model', '=', 'partner.loyalty.message')]",
        index="btree_not_null",
        ondelete="restrict",
    )
    since = fields.Datetime(readonly=True, help="What happened before it was switched on is not written about.")
    collected_until = fields.Date(readonly=True)
    message_count = fields.Integer(string="Messages", compute="_compute_message_count")

    # === CONSTRAINTS ===#

    _program_kind_unique = models.UniqueIndex(
        "(program_id, kind)", "The program has this kind of message already: change that line."
    )

    # === COMPUTE METHODS ===#

    def _compute_message_count(self):
        counts = {
            (program.id, kind): count
            for program, kind, count in self.env["partner.loyalty.message"]._read_group(
                [("program_id", "in", self.program_id.ids)], ["program_id", "kind"], ["__count"]
            )
        }
        for setting in self:
            setting.message_count = counts.get((setting.program_id.id, setting.kind), 0)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        settings = super().create(vals_list)
        settings.filtered("is_active")._begin()
        return settings

    def write(self, vals):
        begun = self.filtered(lambda setting: not setting.is_active) if vals.get("is_active") else self.browse()
        result = super().write(vals)
        begun._begin()
        return result

    # === BUSINESS METHODS ===#

    def _begin(self):
        """Note from when on there is something to write about."""
        # The program notes it, whoever switches it on.
        for setting_sudo in self.sudo():
            yesterday = self._get_last_end(setting_sudo.program_id._get_today(), "day")
            is_daily = setting_sudo.kind in DAILY_KINDS
            setting_sudo.write({"since": fields.Datetime.now(), "collected_until": False if is_daily else yesterday})

    @api.model
    def _prepare_default_vals_list(self, program, active_kinds=DEFAULT_KINDS):
        """Return the values of the settings of a program, one for each kind.

        :param program: ``partner.loyalty.program``
        :param active_kinds: what is sent from the start
        :rtype: list[dict]
        """
        return [
            {
                "program_id": program.id,
                "kind": kind,
                "is_active": kind in active_kinds,
                "period": "week" if kind == "earned" else False,
                "template_id": self._get_default_template_id(kind),
            }
            for kind, _label in MESSAGE_KINDS
            if kind != "tier"
        ]

    @api.model
    def _get_default_template_id(self, kind):
        return self.env["ir.model.data"]._xmlid_to_res_id(f"partner_loyalty.mail_template_message_{kind}")

    def _collect(self):
        """Queue a message for each cause that there is and was not written about yet, once.

        :return: how many messages were queued
        :rtype: int
        """
        count = 0
        for setting in self.filtered(lambda setting: setting.is_active and setting._is_due()):
            query = getattr(setting, f"_get_{setting.kind}_query", lambda: None)()
            count += setting._queue(query) if query else 0
            # Somebody who switches it on in the middle of a week is not told of its first days.
            setting.collected_until = max(setting._get_end(), setting.collected_until or setting._get_end())
        return count

    def _is_due(self):
        """Return whether there is something to look at again: what changes with the day alone is looked at daily."""
        return self.kind not in DAILY_KINDS or not self.collected_until or self.collected_until < self._get_end()

    def _queue(self, source):
        """Queue messages; one that was queued before for the same cause is none.

        :param SQL source: ``member_id, cause, res_id, title, note, points, money, date``
        :return: how many there are of them
        :rtype: int
        """
        self.env.flush_all()
        return len(self.env.execute_query(self._get_queue_query(source)))

    def _get_queue_query(self, source):
        """Return the statement that queues messages; see :meth:`_queue`.

        :rtype: SQL
        """
        return SQL(
            """
            INSERT INTO partner_loyalty_message (
                        member_id, program_id, company_id, kind, cause, res_id, title, note,
                        points, money, date, state, create_uid, create_date, write_uid, write_date)
                 SELECT source.member_id, %(program)s, %(company)s, %(kind)s, source.cause, source.res_id,
                        source.title, source.note, source.points, source.money, source.date,
                        CASE WHEN member.muted_kinds @> to_jsonb(%(kind)s::text) THEN 'muted' ELSE 'queued' END,
                        %(uid)s, %(now)s, %(uid)s, %(now)s
                   FROM (%(source)s) source (member_id, cause, res_id, title, note, points, money, date)
                   JOIN partner_loyalty_member member ON member.id = source.member_id
                  WHERE member.program_id = %(program)s AND member.merged_into_id IS NULL
                    AND NOT EXISTS (SELECT 1 FROM partner_loyalty_message told
                                     WHERE told.member_id = source.member_id AND told.kind = %(kind)s
                                       AND told.cause = source.cause)
            ON CONFLICT (member_id, kind, cause) DO NOTHING
              RETURNING id
            """,
            source=source,
            program=self.program_id.id,
            company=self.company_id.id,
            kind=self.kind,
            uid=self.env.uid,
            now=fields.Datetime.now(),
        )

    # === GETTERS - PERIODS ===#

    def _get_end(self):
        """Return the last day of what is looked at: yesterday, or the end of the last period that is over."""
        return self._get_last_end(self.program_id._get_today(), self._get_rhythm())

    def _get_rhythm(self):
        return {"statement": "month", "earned": self.period or "week"}.get(self.kind, "day")

    @api.model
    def _get_last_end(self, today, rhythm):
        """Return the last day of the last day, week or month that is over."""
        if rhythm == "month":
            return periods.month_start(today) - DAY
        return today - DAY * (today.isoweekday() if rhythm == "week" else 1)

    def _get_window(self):
        """Return the first and last day that were not summed up yet, or None."""
        first, last = (self.collected_until or self._get_end()) + DAY, self._get_end()
        return (first, last) if first <= last else None

    # === GETTERS - WHAT HAPPENED ===#

    def _get_welcome_query(self):
        return SQL(
            """SELECT id, 'welcome', id, NULL, NULL, NULL::numeric, NULL::numeric, date_from
                 FROM partner_loyalty_member
                WHERE program_id = %s AND state = 'active' AND create_date >= %s""",
            self.program_id.id,
            self.since,
        )

    def _get_risk_query(self):
        """Who falls at the next decision, which is near."""
        return SQL(
            """SELECT id, tier_decision_date || ':' || risk_tier_id, risk_tier_id, NULL, NULL, NULL::numeric,
                      NULL::numeric, tier_decision_date
                 FROM partner_loyalty_member
                WHERE program_id = %s AND state = 'active' AND risk_tier_id IS NOT NULL
                  AND tier_decision_date <= %s""",
            self.program_id.id,
            self.program_id._get_today() + DAY * RISK_DAYS,
        )

    def _get_earned_query(self):
        """What was earned since the last sum; nothing where what was taken back outweighs it."""
        window = self._get_window()
        if not window:
            return None
        return SQL(
            """
            SELECT account.member_id, %(last)s::text, NULL::integer, NULL, NULL,
                   SUM(entry.amount) FILTER (WHERE account.unit = 'point'),
                   SUM(entry.amount) FILTER (WHERE account.unit = 'money'), %(last)s::date
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account account ON account.id = entry.account_id
             WHERE entry.program_id = %(program)s AND entry.type = ANY(%(types)s)
               AND entry.posted_at >= %(start)s AND entry.posted_at < %(end)s
          GROUP BY account.member_id
            HAVING SUM(entry.amount) FILTER (WHERE account.unit = 'point') > 0
                OR SUM(entry.amount) FILTER (WHERE account.unit = 'money') > 0
            """,
            program=self.program_id.id,
            types=list(EARNED_TYPES),
            last=window[1],
            start=periods.utc_day_start(window[0], self.program_id.tz),
            end=periods.utc_day_start(window[1] + DAY, self.program_id.tz),
        )

    def _get_expiring_query(self):
        """What expires within a month, and once more what expires within a week; all of a week is one message."""
        today = self.program_id._get_today()
        return SQL(
            """
            SELECT account.member_id,
                   CASE WHEN MIN(lot.expiry_date) <= %(near)s THEN '7:' ELSE '30:' END
                       || date_trunc('week', lot.expiry_date)::date,
                   NULL::integer, NULL, NULL, SUM(lot.amount) FILTER (WHERE account.unit = 'point'),
                   SUM(lot.amount) FILTER (WHERE account.unit = 'money'), MIN(lot.expiry_date)
              FROM (%(lots)s) lot
              JOIN partner_loyalty_account account ON account.id = lot.account_id
             WHERE lot.expiry_date BETWEEN %(today)s AND %(far)s
          GROUP BY account.member_id, date_trunc('week', lot.expiry_date)
            """,
            lots=self.env["partner.loyalty.entry"]._get_lot_query(self.program_id),
            today=today,
            near=today + DAY * EXPIRY_DAYS["7"],
            far=today + DAY * EXPIRY_DAYS["30"],
        )

    def _get_claim_query(self):
        return SQL(
            """
            SELECT claim.member_id, claim.id || ':' || claim.state, claim.id, claim.state, claim.refuse_reason,
                   claim.point_amount, NULL::numeric, COALESCE(claim.fulfilled_at, claim.decided_at)::date
              FROM partner_loyalty_claim claim
             WHERE claim.program_id = %s AND claim.state IN ('approved', 'refused', 'fulfilled')
               AND COALESCE(claim.fulfilled_at, claim.decided_at) >= %s
            """,
            self.program_id.id,
            self.since,
        )

    def _get_payout_query(self):
        return SQL(
            """
            SELECT member_id, id || ':' || stage, id, stage, refuse_reason, NULL::numeric, amount, decided_at::date
              FROM (SELECT *, CASE WHEN state = 'paid' THEN 'paid' ELSE decision END AS stage
                      FROM partner_loyalty_payout) payout
             WHERE program_id = %s AND stage IN ('approved', 'refused', 'paid') AND decided_at >= %s
            """,
            self.program_id.id,
            self.since,
        )

    def _get_dispute_query(self):
        """What was decided on disputes; on one that was reopened, each decision is told."""
        return SQL(
            """
            SELECT member.root_id, inquiry.id || ':' || EXTRACT(epoch FROM inquiry.decided_at)::bigint, inquiry.id,
                   inquiry.decision, inquiry.explanation, NULL::numeric, NULL::numeric, inquiry.decided_at::date
              FROM partner_loyalty_inquiry inquiry
              JOIN partner_loyalty_member member ON member.id = inquiry.member_id
             WHERE inquiry.program_id = %s AND inquiry.decision IS NOT NULL AND inquiry.decided_at >= %s
            """,
            self.program_id.id,
            self.since,
        )

    def _get_statement_query(self):
        """Members with a line in the month that is over."""
        window = self._get_window()
        if not window:
            return None
        return SQL(
            """
            SELECT account.member_id, to_char(%(last)s::date, 'YYYY-MM'), NULL::integer, NULL, NULL, NULL::numeric,
                   NULL::numeric, %(last)s::date
              FROM partner_loyalty_account account
             WHERE account.program_id = %(program)s
               AND EXISTS (SELECT 1 FROM partner_loyalty_entry entry
                            WHERE entry.account_id = account.id
                              AND entry.date BETWEEN date_trunc('month', %(last)s::date)::date AND %(last)s::date)
          GROUP BY account.member_id
            """,
            program=self.program_id.id,
            last=window[1],
        )
