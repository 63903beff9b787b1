from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import STAFF_GROUPS, UNITS
from ..tools import periods


class PartnerLoyaltyMember(models.Model):
    """A commercial partner in a program. What it is worth is kept by its accounts, one for points and one for money."""

    _name = "partner.loyalty.member"
    _description = "Loyalty Member"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.member.terms",
        "partner.loyalty.member.outlook",
        "partner.loyalty.member.benefits",
        "partner.loyalty.member.bonus",
        "partner.loyalty.member.message",
        "partner.loyalty.member.payout",
        "partner.loyalty.member.referral",
        "partner.loyalty.member.statement",
        "partner.loyalty.member.portal",
        "partner.loyalty.member.warning",
        "partner.loyalty.member.recognition",
    ]
    _order = "program_id, id desc"
    _rec_names_search = ["partner_id"]
    _protected_fields = frozenset(
        {
            "claimed_pricelist_id",
            "claimed_pricelist_until",
            "keeps_turnover",
            "granted_payment_term_id",
            "granted_pricelist_id",
            "group_root_id",
            "is_quiet",
            "keep_facts",
            "last_sale_date",
            "merged_into_id",
            "muted_kinds",
            "next_tier_id",
            "quiet_reason",
            "quiet_since",
            "recent_count",
            "referral_code",
            "risk_tier_id",
            "root_id",
            "state",
            "suspended",
            "tier_decision_date",
            "tier_id",
            "tier_missing",
            "tier_progress",
            "turnover_into_id",
            "turnover_root_id",
            "usual_count",
            "usual_interval",
            "value_change",
        }
    )
    _protected_after_create_fields = frozenset({"date_from", "partner_id", "program_id"})

    # === FIELDS ===#

    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict")
    partner_id = fields.Many2one(comodel_name="res.partner", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    merged_into_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        help="The member that took over this one; its statement goes on there.",
    )
    root_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        compute="_compute_root_id",
        store=True,
        recursive=True,
        index=True,
        ondelete="restrict",
        help="The member that stands for this one: itself, or the one it was merged into.",
    )
    merged_ids = fields.One2many(
        comodel_name="partner.loyalty.member", inverse_name="merged_into_id", string="Merged Members"
    )
    referrer_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Brought by",
        domain="[('program_id', '=', program_id), ('id', '!=', id), ('merged_into_id', '=', False)]",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="The member who brought this one, and can be rewarded for its first sale.",
    )
    turnover_into_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        help="The member that took over the turnover of this one, whether or not it took over the balance.",
    )
    keeps_turnover = fields.Boolean(
        readonly=True, copy=False, help="The turnover of this member was not taken over with its balance."
    )
    turnover_root_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        compute="_compute_turnover_root_id",
        store=True,
        recursive=True,
        index=True,
        ondelete="restrict",
        help="The member whose tier the turnover of this one counts for.",
    )
    head_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Head of Group",
        domain="[('program_id', '=', program_id), ('id', '!=', id), ('merged_into_id', '=', False),"
        " ('head_id', '=', False)]",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="Members under one head count together for the tier, and all get it; what each earns stays its own.",
    )
    group_member_ids = fields.One2many(
        comodel_name="partner.loyalty.member", inverse_name="head_id", string="Members of the Group"
    )
    group_root_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        compute="_compute_group_root_id",
        store=True,
        recursive=True,
        index=True,
        ondelete="restrict",
        help="The member that the turnover of this one is added up for: the head of its group, or itself.",
    )
    period_ids = fields.One2many(
        comodel_name="partner.loyalty.member.period", inverse_name="member_id", string="Membership"
    )
    # Given on an import, it begins the first period of the membership.
    date_from = fields.Date(string="Member since", compute="_compute_dates", store=True, readonly=False)
    date_to = fields.Date(string="Member until", compute="_compute_dates", store=True)
    suspended = fields.Boolean(readonly=True, copy=False, tracking=True)
    state = fields.Selection(
        selection=[("future", "Future"), ("active", "Active"), ("suspended", "Suspended"), ("ended", "Ended")],
        compute="_compute_state",
        store=True,
    )
    user_id = fields.Many2one(related="partner_id.user_id", string="Account Manager")

    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        group_expand="_group_expand_tier_id",
    )
    tier_color = fields.Integer(related="tier_id.color")
    tier_period_ids = fields.One2many(comodel_name="partner.loyalty.tier.period", inverse_name="member_id")
    account_ids = fields.One2many(comodel_name="partner.loyalty.account", inverse_name="member_id")
    point_balance = fields.Float(
        string="Points", digits=(18, 4), compute="_compute_balances", search="_search_point_balance"
    )
    money_balance = fields.Monetary(string="Money", compute="_compute_balances", search="_search_money_balance")
    point_available = fields.Float(string="Points Available", digits=(18, 4), compute="_compute_balances")
    money_available = fields.Monetary(
        compute="_compute_balances", help="What has matured and can be paid out; the rest is still held back."
    )
    debt_ids = fields.Many2many(comodel_name="partner.loyalty.entry", string="Debts", compute="_compute_debts")
    money_debt = fields.Monetary(
        string="Money Owed by the Member",
        compute="_compute_debts",
        help="What was taken back and is not recovered yet.",
    )
    recovery_schedule = fields.Html(compute="_compute_recovery_schedule", sanitize=False)
    entry_count = fields.Integer(string="Statement Lines", compute="_compute_counts")
    payout_count = fields.Integer(string="Payouts", compute="_compute_counts")
    deal_count = fields.Integer(string="Deals", compute="_compute_request_counts", groups=STAFF_GROUPS)
    claim_ids = fields.One2many(
        comodel_name="partner.loyalty.claim", inverse_name="member_id", string="Claims", groups=STAFF_GROUPS
    )
    participation_ids = fields.One2many(
        comodel_name="partner.loyalty.participation",
        inverse_name="member_id",
        string="Campaigns Joined",
        groups=STAFF_GROUPS,
    )
    entitlement_ids = fields.One2many(related="tier_id.entitlement_ids", string="Rewards of the Tier")
    claim_count = fields.Integer(string="Rewards", compute="_compute_request_counts", groups=STAFF_GROUPS)

    inquiry_count = fields.Integer(
        string="Questions and Disputes", compute="_compute_request_counts", groups=STAFF_GROUPS
    )

    # === CONSTRAINTS ===#

    # An index and no constraint: the contact merge of Odoo deletes rows that hit a constraint.
    _program_partner_unique = models.UniqueIndex(
        "(program_id, partner_id) WHERE merged_into_id IS NULL",
        "This partner is already a member of the program: open its membership instead.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("merged_into_id.root_id")
    def _compute_root_id(self):
        for member in self:
            member.root_id = member.merged_into_id.root_id or member

    @api.depends("merged_into_id.turnover_root_id", "turnover_into_id.turnover_root_id", "keeps_turnover")
    def _compute_turnover_root_id(self):
        for member in self:
            heir = member.turnover_into_id or member.merged_into_id
            member.turnover_root_id = (not member.keeps_turnover and heir.turnover_root_id) or member

    @api.depends("turnover_root_id.head_id.turnover_root_id")
    def _compute_group_root_id(self):
        for member in self:
            root = member.turnover_root_id or member
            member.group_root_id = root.head_id.turnover_root_id or root

    @api.depends("period_ids.date_from", "period_ids.date_to")
    def _compute_dates(self):
        for member in self:
            ends = member.period_ids.mapped("date_to")
            member.date_from = min(member.period_ids.mapped("date_from"), default=False)
            member.date_to = max(ends, default=False) if all(ends) else False

    @api.depends("period_ids.date_from", "period_ids.date_to", "suspended", "merged_into_id")
    def _compute_state(self):
        for member in self:
            today = member.program_id._get_today()
            if member.merged_into_id:
                member.state = "ended"
            elif member.suspended:
                member.state = "suspended"
            elif any(
                period.date_from <= today and (not period.date_to or period.date_to >= today)
                for period in member.period_ids
            ):
                member.state = "active"
            else:
                member.state = "future" if any(p.date_from > today for p in member.period_ids) else "ended"

    def _compute_balances(self):
        accounts = {(account.member_id, account.unit): account for account in self.account_ids}
        for member in self:
            for unit, _label in UNITS:
                account = accounts.get((member, unit), self.env["partner.loyalty.account"])
                member[f"{unit}_balance"] = account.balance
                member[f"{unit}_available"] = account.available

    @api.depends("account_ids.balance")
    def _compute_debts(self):
        debts = self.env["partner.loyalty.entry"].search(
            [("account_id", "in", self.account_ids.ids), ("amount_open", "<", 0)], order="id"
        )
        by_member = debts.grouped("member_id")
        for member in self:
            member.debt_ids = by_member.get(member)
            member.money_debt = -sum(member.debt_ids.mapped("money_open"))

    @api.depends("account_ids.balance")
    def _compute_recovery_schedule(self):
        for member in self:
            rows = member._get_recovery_schedule()
            member.recovery_schedule = rows and self.env["ir.qweb"]._render(
                "partner_loyalty.partner_loyalty_recovery_schedule", {"member": member, "rows": rows}
            )

    def _compute_counts(self):
        entries = self.env["partner.loyalty.account"]._read_group(
            [("member_id", "in", self.ids)], ["member_id"], ["version:sum"]
        )
        payouts = self.env["partner.loyalty.payout"]._read_group(
            [("member_id", "in", self.ids)], ["member_id"], ["__count"]
        )
        entry_counts, payout_counts = dict(entries), dict(payouts)
        for member in self:
            member.entry_count = entry_counts.get(member, 0)
            member.payout_count = payout_counts.get(member, 0)

    def _compute_request_counts(self):
        models_by_field = {
            "claim_count": "partner.loyalty.claim",
            "deal_count": "partner.loyalty.deal",
            "inquiry_count": "partner.loyalty.inquiry",
        }
        for name, model in models_by_field.items():
            rows = self.env[model]._read_group([("member_id", "in", self.ids)], ["member_id"], ["__count"])
            counts = dict(rows)
            for member in self:
                member[name] = counts.get(member, 0)

    @api.depends("partner_id.display_name", "program_id.name")
    @api.depends_context("loyalty_show_program")
    def _compute_display_name(self):
        for member in self:
            name = member.partner_id.display_name
            if self.env.context.get("loyalty_show_program"):
                name = f"{name} ({member.program_id.name})"
            member.display_name = name

    @api.model
    def _group_expand_tier_id(self, tiers, domain):
        """Show the tiers that nobody has, too: of the same programs, or of those that run and have no members."""
        programs = tiers.program_id or self.env["partner.loyalty.program"].search([("state", "=", "running")])
        return programs.tier_ids

    def _search_point_balance(self, operator, value):
        return self._get_balance_domain("point", operator, value)

    def _search_money_balance(self, operator, value):
        return self._get_balance_domain("money", operator, value)

    # === CONSTRAINT METHODS ===#

    @api.constrains("referrer_id")
    def _check_referrer(self):
        for member in self.filtered("referrer_id"):
            terms = {"member": member.partner_id.display_name, "referrer": member.referrer_id.partner_id.display_name}
            if member._has_cycle("referrer_id"):
                raise ValidationError(
                    self.env._("%(member)s cannot have been brought by somebody it brought itself.", **terms)
                )
            if member.referrer_id.program_id != member.program_id:
                raise ValidationError(
                    self.env._("%(referrer)s is a member of another program: choose one of this program.", **terms)
                )

    @api.constrains("head_id")
    def _check_head(self):
        for member in self.filtered("head_id"):
            terms = {"member": member.partner_id.display_name, "head": member.head_id.partner_id.display_name}
            if member.head_id == member or member.head_id.head_id or member.group_member_ids:
                raise ValidationError(
                    self.env._(
                        "A group has one head and members under it: %(head)s cannot be the head of %(member)s, "
                        "as one of them is under a head already or the head of others.",
                        **terms,
                    )
                )
            if member.head_id.program_id != member.program_id:
                raise ValidationError(
                    self.env._("%(head)s is a member of another program: choose one of this program.", **terms)
                )

    @api.constrains("partner_id")
    def _check_partner_active(self):
        for member in self:
            if not member.partner_id.active:
                raise ValidationError(
                    self.env._(
                        "%(partner)s is archived: restore the contact first.", partner=member.partner_id.display_name
                    )
                )

    @api.constrains("partner_id")
    def _check_commercial_partner(self):
        for member in self:
            if member.partner_id != member.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s: enroll the company.",
                        contact=member.partner_id.display_name,
                        company=member.partner_id.commercial_partner_id.display_name,
                    )
                )

    @api.constrains("partner_id", "program_id")
    def _check_partner_company(self):
        for member in self:
            partner_company = member.partner_id.company_id
            if partner_company and partner_company != member.company_id:
                raise ValidationError(
                    self.env._(
                        "%(partner)s belongs to the company %(other)s, and the program to %(company)s: "
                        "choose a program of its own company.",
                        partner=member.partner_id.display_name,
                        other=partner_company.name,
                        company=member.company_id.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model
    def get_import_templates(self):
        """Offer a file to fill in."""
        return [
            {
                "label": self.env._("Import Template for Members"),
                "template": "/partner_loyalty/static/xls/partner_loyalty_member.xlsx",
            }
        ]

    @api.model_create_multi
    def create(self, vals_list):
        members = super().create([self._prepare_first_period(vals) for vals in vals_list])
        members.program_id._check_can_take_members()
        # Nobody has the right to write accounts and tiers by hand; they come with the membership.
        members_sudo = members.sudo()
        members_sudo.account_ids._open(members_sudo)
        members_sudo.tier_period_ids._start(members_sudo)
        members_sudo._refresh_by_date(members_sudo.program_id)
        return members

    @api.model
    def _prepare_first_period(self, vals):
        """Return the values of a member with its first period: on an import, from ``date_from`` or from today on.

        :param dict vals: values as they were given
        """
        date_from = vals.get("date_from")
        vals = {name: value for name, value in vals.items() if name != "date_from"}
        # An enrollment brings the periods of thousands.
        if vals.get("period_ids"):
            return vals
        self._check_input({**vals, "date_from": date_from})
        program_id = vals.get("program_id") or self.env.context.get("default_program_id")
        program = self.env["partner.loyalty.program"].browse(program_id).exists()
        if not program:
            return vals
        first = fields.Command.create({"date_from": date_from or program._get_today()})
        return {**vals, "period_ids": [first]}

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        for member in self:
            raise UserError(
                self.env._(
                    "The membership of %(partner)s holds its statement, which is kept: end the membership instead.",
                    partner=member.partner_id.display_name,
                )
            )

    # === ACTION METHODS ===#

    def action_suspend(self):
        """Interrupt the membership: sales after today earn nothing; what was earned stays."""
        self.check_access("write")
        self._close_membership()
        # Suspension is set by the buttons alone, which move the dates along.
        self.sudo().suspended = True

    def action_resume(self):
        """Take the membership up again from today on."""
        self.check_access("write")
        # Suspension is set by the buttons alone, which move the dates along.
        self.sudo().suspended = False
        for member in self:
            member._reopen_membership()

    def action_end(self):
        """End the membership today; what was earned stays and can be paid out."""
        self.check_access("write")
        self._close_membership()
        # Suspension is set by the buttons alone, which move the dates along.
        self.sudo().suspended = False

    def action_see_as_partner(self):
        """Open the portal pages of the member, as its owner sees them, without being able to change anything."""
        self.ensure_one()
        self.check_access("read")
        return {"type": "ir.actions.act_url", "url": f"/my/loyalty/as/{self.id}", "target": "new"}

    def action_new_quotation(self):
        """Write a quotation for the member."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Quotation"),
            "res_model": "sale.order",
            "view_mode": "form",
            "context": {"default_partner_id": self.partner_id.id, "default_company_id": self.company_id.id},
        }

    def action_view_entries(self):
        """Show the statement lines of the member."""
        return self._get_related_action("partner_loyalty.partner_loyalty_entry_action")

    def action_view_payouts(self):
        """Show the payouts of the member."""
        return self._get_related_action("partner_loyalty.partner_loyalty_payout_action")

    def action_view_deals(self):
        """Show the deals of the member."""
        return self._get_related_action("partner_loyalty.partner_loyalty_deal_action")

    def action_view_claims(self):
        """Show the rewards that the member has claimed."""
        return self._get_related_action("partner_loyalty.partner_loyalty_claim_action")

    def action_view_inquiries(self):
        """Show what the member has asked and disputed."""
        return self._get_related_action("partner_loyalty.partner_loyalty_inquiry_action")

    def action_view_performance(self):
        """Show what the member contributed: of all that it did, what decides its tier."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_contribution_action"),
            "domain": [("partner_id", "=", self.partner_id.id), ("company_id", "=", self.company_id.id)],
            "context": {
                f"search_default_kind_{self.program_id.tier_kind}": 1,
                f"search_default_role_{self.program_id.tier_role}": 1,
            },
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_mark_anniversaries(self, days=31):
        """Let anniversaries of the last days be answered; those that were answered already change nothing."""
        today = fields.Date.today()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member.id
                  FROM partner_loyalty_member member
            CROSS JOIN LATERAL (SELECT date_part('year', age(%(today)s + 1, member.date_from))::integer AS years) lasted
                 WHERE lasted.years > 0 AND member.merged_into_id IS NULL
                   AND member.date_from + make_interval(years => lasted.years) > %(today)s::date - %(days)s
                   AND EXISTS (SELECT 1 FROM partner_loyalty_rule rule
                                WHERE rule.program_id = member.program_id AND rule.kind = 'anniversary')
                """,
                today=SQL("%s::date", today),
                days=days,
            )
        )
        self.env["partner.loyalty.touch"]._mark(self.browse(row[0] for row in rows))

    def _close_membership(self, day=None):
        """End the periods that go on with ``day``, and drop those that begin later.

        :param date day: last day of membership; today by default
        """
        for member in self:
            last = day or member.program_id._get_today()
            for period in member.period_ids:
                if period.date_from > last:
                    period.unlink()
                elif not period.date_to or period.date_to > last:
                    period.date_to = last

    def _reopen_membership(self):
        """Begin a period today, or go on with the one that ends today."""
        self.ensure_one()
        self._check_not_merged()
        today = self.program_id._get_today()
        current = self.period_ids.filtered(lambda period: not period.date_to or period.date_to >= today)
        if current:
            current[-1].date_to = False
        else:
            self.period_ids = [fields.Command.create({"date_from": today})]

    @api.model
    def _refresh_by_date(self, programs):
        """Bring up to date what changes with the calendar alone: the tier in force and the state of membership."""
        self.env.flush_all()
        for program in programs:
            today = program._get_today()
            self.env.execute_query(
                SQL(
                    """
                    UPDATE partner_loyalty_member member
                       SET tier_id = period.tier_id
                      FROM (
                            SELECT own.id, CASE WHEN latest.date_from <= looked_at.day THEN latest.tier_id
                                                ELSE (SELECT CASE WHEN date_to IS NULL OR date_to >= looked_at.day
                                                                  THEN tier_id END
                                                        FROM partner_loyalty_tier_period
                                                       WHERE member_id = own.id AND date_from <= looked_at.day
                                                    ORDER BY date_from DESC LIMIT 1) END AS tier_id
                              FROM partner_loyalty_member own
                        CROSS JOIN LATERAL (SELECT GREATEST(%(today)s, own.date_from) AS day) looked_at
                         -- That of nearly all, and found by an index that their history does not make larger.
                         LEFT JOIN partner_loyalty_tier_period latest
                                ON latest.member_id = own.id AND latest.date_to IS NULL
                             WHERE own.program_id = %(program)s
                         ) period
                     WHERE period.id = member.id AND period.tier_id IS NOT NULL
                       AND member.tier_id IS DISTINCT FROM period.tier_id
                    """,
                    program=program.id,
                    today=today,
                )
            )
            self.env.invalidate_all()
            crossed = self.search(
                Domain("program_id", "=", program.id)
                & (
                    Domain([("state", "=", "future"), ("date_from", "<=", today)])
                    | Domain([("state", "=", "active"), ("date_to", "<", today)])
                )
            )
            self.env.add_to_compute(self._fields["state"], crossed)

    @api.model
    def _get_balance_domain(self, unit, operator, value):
        accounts = self.env["partner.loyalty.account"]._search([("unit", "=", unit), ("balance", operator, value)])
        return Domain("account_ids", "in", accounts)

    def _get_recovery_schedule(self, months=24):
        """Return how the debt in money will be recovered, if the member goes on earning as in the last twelve months.

        :param int months: how far to look ahead at most
        :return: ``{"month": date, "amount": Decimal, "remaining": Decimal}`` for each month to come; empty without a
            debt, and where nothing was earned that could pay it
        :rtype: list[dict]
        """
        self.ensure_one()
        if not self.money_debt:
            # Hardly anybody owes anything: no need to read through what all others earned.
            return []
        remaining, monthly = self._get_debt_and_recovery()
        month, rows = periods.month_start(self.program_id._get_today()), []
        while remaining > 0 and monthly > 0 and len(rows) < months:
            month += relativedelta(months=1)
            amount = min(monthly, remaining)
            remaining -= amount
            rows.append({"month": month, "amount": amount, "remaining": remaining})
        return rows

    def _get_debt_and_recovery(self):
        """Return what the member owes in money, and which part of an average month's earnings pays it.

        :rtype: tuple[Decimal, Decimal]
        """
        account = self._get_account("money")
        since = periods.trailing_months_start(self.program_id._get_today(), 12)
        debt, monthly = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(SUM(-LEAST(entry.amount_open, 0)), 0)::text,
                       ROUND(COALESCE(SUM(entry.amount) FILTER (
                           WHERE entry.type = 'accrual' AND entry.date >= %(since)s), 0) / 12
                           * MIN(program.recovery_share) / 100, MIN(currency.decimal_places))::text
                  FROM partner_loyalty_entry entry
                  JOIN partner_loyalty_program program ON program.id = entry.program_id
                  JOIN res_company company ON company.id = entry.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
                 WHERE entry.account_id = %(account)s
                """,
                since=since,
                account=account.id,
            )
        )[0]
        return Decimal(debt), Decimal(monthly or 0)

    def _get_account(self, unit):
        """Return the account of the member in ``unit``.

        :param str unit: ``point`` or ``money``
        :rtype: ``partner.loyalty.account``
        """
        self.ensure_one()
        return self.account_ids.filtered(lambda account: account.unit == unit)

    def _get_related_action(self, xmlid):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(xmlid),
            "domain": [("member_id", "=", self.id)],
            "context": {"default_member_id": self.id},
        }
