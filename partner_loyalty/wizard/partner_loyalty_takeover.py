from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL, format_date, formatLang

from ..const import RECONCILED_TYPES
from ..tools import periods

# The turnover of so many months is shown.
TURNOVER_MONTHS = 12


class PartnerLoyaltyTakeover(models.TransientModel):
    """One dealer is bought by another: says what goes along, shows how much that is, and moves it at once.

    What can move is a name of :meth:`_get_moves` with a field ``move_<name>``, a method ``_preview_<name>`` that says
    how much there is, and a method ``_move_<name>``. A module adds its own by extending these.
    """

    _name = "partner.loyalty.takeover"
    _description = "Take Over Member"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_member_id(self):
        return self._get_active_records("partner.loyalty.member")[:1]

    # === FIELDS ===#

    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Member Taken Over",
        required=True,
        ondelete="cascade",
        default=lambda self: self._default_member_id(),
    )
    program_id = fields.Many2one(related="member_id.program_id")
    company_id = fields.Many2one(related="member_id.company_id")
    partner_id = fields.Many2one(related="member_id.partner_id", string="Company Taken Over")
    target_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Taken Over by",
        domain="[('id', '!=', partner_id), ('company_id', 'in', (False, company_id)), "
        "'|', ('parent_id', '=', False), ('is_company', '=', True)]",
        help="A member of the same program. A partner who is none yet is enrolled.",
    )
    target_id = fields.Many2one(comodel_name="partner.loyalty.member", string="Member", compute="_compute_target_id")
    date = fields.Date(
        string="Last Day",
        compute="_compute_date",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="The last day on which the company taken over is a member of its own. Its sales up to then earn.",
    )
    move_balance = fields.Boolean(
        string="Balance",
        default=True,
        help="Points and money move, and debts with them; each part still matures and expires on its day. "
        "Later changes of the sales of the member are answered on the other statement. "
        "Where the balance stays, it can still be paid out to the company taken over.",
    )
    move_payouts = fields.Boolean(
        string="Unpaid Payouts",
        default=True,
        help="Payouts that were not approved yet are canceled, so that their money moves with the balance. "
        "Otherwise those waiting for approval are still paid to the company taken over.",
    )
    move_turnover = fields.Boolean(
        string="Turnover",
        default=True,
        help="What the member sold counts for the tier of the other, from the next evaluation on.",
    )
    move_tier = fields.Boolean(
        string="Tier",
        default=True,
        help="The other gets the higher of both tiers from tomorrow on, until the next evaluation decides.",
    )
    move_deals = fields.Boolean(
        string="Open Deals",
        default=True,
        help="Open leads and quotations that the member has brought are counted for the other.",
    )
    move_agreements = fields.Boolean(
        string="Special Agreements",
        default=True,
        help="What was agreed with the member goes on for the other, from the day after the last day until its end.",
    )
    move_users = fields.Boolean(
        string="Portal Users",
        help="Contacts who log in to the portal become contacts of the other company, and see its statement.",
    )
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.takeover.line", inverse_name="wizard_id", compute="_compute_line_ids"
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_date(self):
        for wizard in self.filtered("member_id"):
            wizard.date = wizard.program_id._get_today()

    @api.depends("member_id", "target_partner_id")
    def _compute_target_id(self):
        for wizard in self:
            wizard.target_id = self.env["partner.loyalty.member"].search(
                [
                    ("program_id", "=", wizard.program_id.id),
                    ("partner_id", "=", wizard.target_partner_id.commercial_partner_id.id),
                    ("merged_into_id", "=", False),
                ]
            )

    @api.depends(lambda self: ("member_id", "target_partner_id", *(f"move_{name}" for name in self._get_moves())))
    def _compute_line_ids(self):
        for wizard in self:
            vals_list = wizard._get_line_vals() if wizard.member_id else []
            wizard.line_ids = [Command.clear(), *map(Command.create, vals_list)]

    # === ACTION METHODS ===#

    def action_take_over(self):
        """Take the member over, and show the one that goes on.

        :raises UserError: when the take-over is not possible
        """
        self.ensure_one()
        self.check_access("write")
        self.member_id.check_access("write")
        self._check_can_take_over()
        target = self._get_or_enroll_target()
        # Managers decide what moves; accounts, tiers and documents of others are written by the program alone.
        self.sudo()._take_over(target.sudo())
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_member_action"),
            "views": [(False, "form")],
            "res_id": target.id,
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _get_moves(self):
        """Return the names of what can move, in the order in which it does.

        :rtype: list[str]
        """
        return ["payouts", "tier", "turnover", "agreements", "balance", "deals", "users"]

    def _moves(self, name):
        """Return whether something is to move. Payouts do so only with the balance that they were taken from."""
        return self[f"move_{name}"] and (name != "payouts" or self.move_balance)

    def _take_over(self, target):
        """Move what was chosen, and end the membership that is taken over.

        :param target: the member that goes on
        """
        if self.program_id.state != "draft":
            self.program_id._evaluate_tiers()
        moved = [name for name in self._get_moves() if self._moves(name)]
        texts = [
            f"{self._fields[f'move_{name}']._description_string(self.env)}: {self._preview(name)}" for name in moved
        ]
        for name in moved:
            getattr(self, f"_move_{name}")(target)
        self._end_membership()
        self._log_takeover(target, texts)

    def _end_membership(self):
        """End the membership that is taken over, where it was not merged, and leave it what did not move."""
        if not self.move_turnover:
            self.member_id.keeps_turnover = True
        if not self.member_id.merged_into_id:
            self.member_id._close_membership(self.date)
            self.member_id.suspended = False

    def _log_takeover(self, target, texts):
        """Note on both members what moved.

        :param list texts: what moved, and how much
        """
        body = self.env._(
            "%(member)s was taken over by %(target)s, last day %(date)s. What moved:",
            member=self.partner_id.display_name,
            target=target.partner_id.display_name,
            date=format_date(self.env, self.date),
        )
        items = Markup().join(Markup("<li>%s</li>") % text for text in texts or [self.env._("Nothing")])
        for member in self.member_id + target:
            member.message_post(body=Markup("%s<ul>%s</ul>") % (body, items))

    def _get_or_enroll_target(self):
        """Return the member that goes on; a partner who is none yet becomes one today.

        :rtype: ``partner.loyalty.member``
        """
        if self.target_id:
            return self.target_id
        partner = self.target_partner_id.commercial_partner_id
        return self.program_id._enroll({partner: self.program_id._get_today()})

    # === BUSINESS METHODS - MOVES ===#

    def _move_payouts(self, target):
        """Cancel what was not approved, so that its money moves with the balance."""
        payouts = self._get_unpaid_payouts()
        if payouts:
            payouts.action_cancel()

    def _move_tier(self, target):
        """Give the target the higher tier from tomorrow on; what it sold up to today stands as it was answered."""
        tier, current = self.member_id.tier_id, target.tier_period_ids.filtered(lambda period: not period.date_to)
        if not current or not target.tier_id._is_below(tier):
            return
        current._set_from(
            tier,
            self.program_id._get_today(),
            cause="takeover",
            evidence={"takeover": {"member_id": self.member_id.id, "tier_id": tier.id}},
        )

    def _move_turnover(self, target):
        """Count the turnover for the tier of the target; that of the target counts here no more, where it did."""
        if target.turnover_root_id == self.member_id:
            target.turnover_into_id = False
        self.member_id.write({"turnover_into_id": target.id, "keeps_turnover": False})

    def _move_agreements(self, target):
        """Let agreements go on for the target, where it has none of the kind for the same rule and days."""
        first = self.date + timedelta(days=1)
        for agreement in self._get_agreements():
            begin = max(first, agreement.date_from)
            if not agreement._find_overlapping(target, begin):
                agreement.copy({"member_id": target.id, "date_from": begin})

    def _move_balance(self, target):
        self.member_id._merge_into(target, self.date)

    def _move_deals(self, target):
        for deals in self._get_open_deals():
            deals.loyalty_partner_id = target.partner_id

    def _move_users(self, target):
        self._get_portal_contacts().parent_id = target.partner_id

    # === BUSINESS METHODS - CHECKS ===#

    def _check_can_take_over(self):
        """Check the choice of member, partner and day.

        :raises UserError: where they do not go together
        """
        self.member_id._check_not_merged()
        partner = self.target_partner_id.commercial_partner_id
        if not partner:
            raise UserError(self.env._("Choose who takes the member over."))
        if partner == self.partner_id:
            raise UserError(self.env._("%(member)s cannot take itself over.", member=partner.display_name))
        if self.env.user.partner_id.commercial_partner_id in partner | self.partner_id:
            raise UserError(self.env._("This is about your own company: another manager has to do it."))
        self._check_date()

    def _check_date(self):
        """Check that nothing was earned after the last day, and that it is no day to come.

        :raises ValidationError: where it is
        """
        if self.date > self.program_id._get_today():
            raise ValidationError(self.env._("The last day cannot be later than today."))
        last = self._get_last_earning_date()
        if last and last > self.date:
            raise ValidationError(
                self.env._(
                    "%(member)s has earned with a sale of %(date)s: choose that day or a later one.",
                    member=self.partner_id.display_name,
                    date=format_date(self.env, last),
                )
            )

    def _get_last_earning_date(self):
        """Return the day of the last sale that the member has earned anything with, or None."""
        return self.env.execute_query(
            SQL(
                """SELECT MAX(entry.contribution_date)
                     FROM partner_loyalty_entry entry
                     JOIN partner_loyalty_account account ON account.id = entry.account_id
                    WHERE account.member_id = %s AND entry.type IN %s""",
                self.member_id.id,
                RECONCILED_TYPES,
            )
        )[0][0]

    # === GETTERS ===#

    def _get_line_vals(self):
        """Return a line for all that can move: what, how much, and whether it does.

        :rtype: list[dict]
        """
        return [
            {
                "name": self._fields[f"move_{name}"]._description_string(self.env),
                "amount": self._preview(name),
                "moves": self._moves(name),
            }
            for name in self._get_moves()
        ]

    def _preview(self, name):
        """Say how much there is of something that can move.

        :rtype: str
        """
        return getattr(self, f"_preview_{name}")() or self.env._("None")

    def _preview_payouts(self):
        payouts = self._get_unpaid_payouts()
        return payouts and self.env._(
            "%(payouts)s over %(amount)s",
            payouts=", ".join(payouts.mapped("name")),
            amount=self._format_money(sum(payouts.mapped("amount"))),
        )

    def _preview_tier(self):
        tier, other = self.member_id.tier_id, self.target_id.tier_id
        if not tier or not other:
            return tier.name
        if not other._is_below(tier):
            return self.env._("%(tier)s; the other keeps %(other)s", tier=tier.name, other=other.name)
        return self.env._("%(tier)s, instead of %(other)s", tier=tier.name, other=other.name)

    def _preview_turnover(self):
        amount = self._get_turnover()
        return amount and self.env._("%s in twelve months", self._format_money(amount))

    def _preview_agreements(self):
        return ", ".join(self._get_agreements().mapped("name"))

    def _preview_balance(self):
        member, parts = self.member_id, []
        if member.money_balance:
            parts.append(self._format_money(member.money_balance))
        if member.point_balance:
            parts.append(self.env._("Points: %s", formatLang(self.env, member.point_balance, digits=0)))
        return "; ".join(parts)

    def _preview_deals(self):
        leads, orders = self._get_open_deals()
        if not leads and not orders:
            return ""
        return self.env._("Leads: %(leads)s, quotations: %(orders)s", leads=len(leads), orders=len(orders))

    def _preview_users(self):
        return ", ".join(self._get_portal_contacts().mapped("name"))

    def _format_money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.member_id.currency_id)

    def _get_agreements(self):
        """Return the agreements of the member that go on after the last day."""
        return self.env["partner.loyalty.agreement"].search(
            [("member_id", "=", self.member_id.id), "|", ("date_to", "=", False), ("date_to", ">", self.date)],
            order="id",
        )

    def _get_unpaid_payouts(self):
        """Return the payouts of the member that were not approved yet."""
        return self.env["partner.loyalty.payout"].search(
            [
                ("member_id", "=", self.member_id.id),
                ("decision", "in", ("draft", "submitted", "second", "held")),
            ],
            order="id",
        )

    def _get_turnover(self):
        """Return what counted for the tier of the member in the last twelve months."""
        program, today = self.program_id, self.program_id._get_today()
        start = periods.trailing_months_start(periods.month_end(today), TURNOVER_MONTHS)
        query = program._get_contribution_query(program.tier_kind, program.tier_role, start, today)
        query.add_where(SQL("%s = %s", SQL.identifier(query.table, "partner_id"), self.partner_id.id))
        query.add_where(SQL("membership.root_id = %s", self.member_id.id))
        amount = SQL("COALESCE(SUM(%s), 0)::text", SQL.identifier(query.table, "amount"))
        return float(self.env.execute_query(query.select(amount))[0][0])

    def _get_open_deals(self):
        """Return the open leads and the quotations that the member has brought.

        :rtype: tuple
        """
        partner, company = self.partner_id, self.company_id
        # Managers count the deals of all salespeople; they read no more of them than how many there are.
        leads_sudo = (
            self.env["crm.lead"]
            .sudo()
            .search(
                [
                    ("loyalty_partner_id", "=", partner.id),
                    ("won_status", "=", "pending"),
                    ("company_id", "in", (False, company.id)),
                ]
            )
        )
        orders_sudo = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("loyalty_partner_id", "=", partner.id),
                    ("state", "in", ("draft", "sent")),
                    ("company_id", "=", company.id),
                ]
            )
        )
        return leads_sudo, orders_sudo

    def _get_portal_contacts(self):
        """Return the contacts of the company taken over who log in to the portal.

        :rtype: recordset of ``res.partner``
        """
        # Who may read members need not have any right on users.
        users_sudo = (
            self.env["res.users"].sudo().search([("share", "=", True), ("partner_id", "child_of", self.partner_id.id)])
        )
        return users_sudo.partner_id.filtered(
            lambda contact: contact != self.partner_id and contact.commercial_partner_id == self.partner_id
        )


class PartnerLoyaltyTakeoverLine(models.TransientModel):
    """One thing that can move from one member to the other, and how much of it there is."""

    _name = "partner.loyalty.takeover.line"
    _description = "What a Take-Over Moves"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.takeover", required=True, ondelete="cascade", index=True)
    name = fields.Char(string="What", readonly=True)
    amount = fields.Char(string="How Much", readonly=True)
    moves = fields.Boolean(readonly=True)
