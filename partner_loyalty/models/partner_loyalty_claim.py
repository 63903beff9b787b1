import json
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from ..const import LEDGER_DIGITS

# Pieces that one claim can be about.
MAX_QUANTITY = 1000

# Claims that one transaction lets expire.
EXPIRY_BATCH = 500


class PartnerLoyaltyClaim(models.Model):
    """A member getting a reward: asked for, approved where the reward says so, and fulfilled.

    What costs points takes them from the balance with the request, and gives them back to where they came from where
    the claim is refused, canceled or expires.
    """

    _name = "partner.loyalty.claim"
    _description = "Reward Claim"
    _inherit = [
        "partner.loyalty.approval.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.claim.award",
        "partner.loyalty.claim.consulting",
        "partner.loyalty.claim.event",
        "partner.loyalty.claim.material",
        "partner.loyalty.claim.mdf",
        "partner.loyalty.claim.project",
        "partner.loyalty.claim.survey",
        "partner.loyalty.member.owned.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True
    _waiting_decisions = ("requested",)
    _cancelable_decisions = ("draft", "requested", "approved")
    _requester_fields = ("create_uid", "requested_by_id")
    _protected_fields = frozenset(
        {
            "answer_id",
            "attendance",
            "bonus_line_id",
            "cancel_reason",
            "company_id",
            "date_deadline",
            "decided_at",
            "decided_by_id",
            "entitlement_id",
            "entitlement_key",
            "entry_id",
            "expiry_date",
            "fulfilled_at",
            "fulfilled_by_id",
            "hour_amount",
            "is_decided_alone",
            "mdf_settled_amount",
            "mdf_share",
            "name",
            "order_id",
            "partner_id",
            "point_amount",
            "program_id",
            "refuse_reason",
            "request_token",
            "requested_at",
            "requested_by_id",
            "source",
            "state",
            "valid_until",
        }
    )
    # What is decided on: it stands from the request on.
    _submitted_fields = frozenset(
        {
            "contact_id",
            "mdf_date_from",
            "mdf_date_to",
            "mdf_fund_id",
            "mdf_place",
            "mdf_plan",
            "mdf_requested_amount",
            "member_id",
            "note",
            "quantity",
            "reward_id",
        }
    )

    # === FIELDS ===#

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    kind = fields.Selection(related="reward_id.kind", store=True)
    event_date = fields.Datetime(related="reward_id.event_date")
    event_place = fields.Char(related="reward_id.event_place")
    member_id = fields.Many2one(tracking=True)
    source = fields.Selection(
        selection=[
            ("points", "Points"),
            ("bonus", "Bonus Action"),
            ("tier", "Tier"),
            ("invitation", "Invitation"),
            ("fund", "Marketing Fund"),
        ],
        string="Got by",
        required=True,
        default="points",
        readonly=True,
        copy=False,
    )
    bonus_line_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.line",
        string="Bonus",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        copy=False,
    )
    entitlement_id = fields.Many2one(
        comodel_name="partner.loyalty.tier.entitlement",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        copy=False,
    )
    entitlement_key = fields.Char(readonly=True, copy=False, help="For which decision or year a tier has given it.")
    quantity = fields.Integer(string="Pieces", default=1, required=True, aggregator="sum", tracking=True)
    point_amount = fields.Float(
        string="Points",
        digits=LEDGER_DIGITS,
        compute="_compute_point_amount",
        store=True,
        help="Taken from the balance with the request, and given back where it comes to nothing.",
    )
    note = fields.Text(string="Wish", help="What the member said about it: size, day, address and the like.")
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("requested", "To Approve"),
            ("approved", "To Fulfill"),
            ("fulfilled", "Fulfilled"),
            ("refused", "Refused"),
            ("canceled", "Canceled"),
            ("expired", "Expired"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        group_expand=True,
    )
    requested_by_id = fields.Many2one(comodel_name="res.users", string="Requested by", readonly=True, copy=False)
    requested_at = fields.Datetime(string="Requested on", readonly=True, copy=False)
    request_token = fields.Char(
        readonly=True, copy=False, help="Of the form that it was asked for by, so that the same form asks for it once."
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="To Be Fulfilled by",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        domain="[('share', '=', False)]",
        index="btree_not_null",
        tracking=True,
        help="Who sees to it that the member gets it.",
    )
    date_deadline = fields.Date(string="Deadline", readonly=True, copy=False)
    is_overdue = fields.Boolean(string="Overdue", compute="_compute_is_overdue", search="_search_is_overdue")
    expiry_date = fields.Date(
        string="To Be Claimed until", readonly=True, copy=False, help="After this day a draft expires."
    )
    cancel_reason = fields.Char(string="Canceled because", readonly=True, copy=False, tracking=True)
    fulfilled_by_id = fields.Many2one(comodel_name="res.users", string="Handed out by", readonly=True, copy=False)
    fulfilled_at = fields.Datetime(string="Fulfilled on", readonly=True, copy=False)
    valid_until = fields.Date(readonly=True, copy=False, help="The last day of what is had for a time.")
    entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        string="Statement Line",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    order_id = fields.Many2one(comodel_name="sale.order", readonly=True, copy=False, index="btree_not_null")
    rating = fields.Selection(
        selection=[
            # The first one is no star.
            ("0", "Not Rated"),
            ("1", "Poor"),
            ("2", "Fair"),
            ("3", "Good"),
            ("4", "Very Good"),
            ("5", "Excellent"),
        ],
        copy=False,
        help="What the member says afterwards.",
    )
    rating_comment = fields.Text(string="Comment on the Rating", copy=False)

    # === CONSTRAINTS ===#

    _quantity_range = models.Constraint(
        f"CHECK (quantity BETWEEN 1 AND {MAX_QUANTITY})",
        f"A claim is about 1 to {MAX_QUANTITY} pieces: enter a number in between.",
    )
    _bonus_once = models.UniqueIndex(
        "(bonus_line_id, reward_id) WHERE bonus_line_id IS NOT NULL AND state <> 'canceled'"
    )
    _entitled_once = models.UniqueIndex(
        "(member_id, reward_id, entitlement_key) WHERE entitlement_key IS NOT NULL",
        "The tier has given this to the member already.",
    )
    _invited_once = models.UniqueIndex(
        "(reward_id, member_id) WHERE source = 'invitation'"
        " AND state IN ('draft', 'requested', 'approved', 'fulfilled')",
        "The member is invited already: open its invitation instead.",
    )
    _request_token_unique = models.UniqueIndex(
        "(member_id, request_token) WHERE request_token IS NOT NULL",
        "This was sent already: look at what you have asked for.",
    )
    _taking_idx = models.Index("(reward_id, member_id) WHERE state IN ('requested', 'approved', 'fulfilled')")
    _expiry_idx = models.Index("(expiry_date) WHERE state = 'draft' AND expiry_date IS NOT NULL")
    _deadline_idx = models.Index("(date_deadline) WHERE state = 'approved'")

    # === COMPUTE METHODS ===#

    @api.depends("reward_id", "quantity", "source")
    def _compute_point_amount(self):
        for claim in self:
            costs = claim.source == "points"
            claim.point_amount = claim.reward_id.point_cost * claim.quantity if costs else 0

    @api.depends("reward_id")
    def _compute_user_id(self):
        for claim in self:
            claim.user_id = claim.reward_id.user_id or claim.reward_id.program_id.user_id

    @api.depends("state", "date_deadline")
    def _compute_is_overdue(self):
        for claim in self:
            today = claim.program_id._get_today() if claim.program_id else fields.Date.context_today(claim)
            claim.is_overdue = claim.state == "approved" and bool(claim.date_deadline) and claim.date_deadline < today

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("state", "=", "approved") & Domain("date_deadline", "<", fields.Date.context_today(self))

    # === CONSTRAINT METHODS ===#

    @api.constrains("member_id", "reward_id")
    def _check_program(self):
        for claim in self:
            if claim.reward_id.program_id != claim.member_id.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(reward)s” is a reward of another program than that of %(member)s.",
                        reward=claim.reward_id.name,
                        member=claim.partner_id.display_name,
                    )
                )

    @api.constrains("rating", "rating_comment")
    def _check_rating(self):
        for claim in self:
            if (claim.rating or claim.rating_comment) and claim.state != "fulfilled":
                raise ValidationError(self.env._("%s can be rated after it was fulfilled.", claim.name))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        claims = super().create(vals_list)
        # The number is set by the program alone.
        for claim_sudo in claims.sudo():
            sequence_sudo = self.env["ir.sequence"].sudo().with_company(claim_sudo.company_id)
            claim_sudo.name = sequence_sudo.next_by_code(self._name) or "/"
        return claims

    def write(self, vals):
        # Before it is looked at in what state the claims are.
        self._check_input(vals)
        if self._submitted_fields & vals.keys() and not self.env.su:
            self.check_access("write")
            self._check_draft()
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_request(self):
        """Ask for rewards: their points are taken now; what needs no approval is on its way at once.

        :raises UserError: where a member cannot have one of them, or lacks the points
        """
        self.check_access("write")
        claims = self._get_in("draft")
        claims.reward_id._claim_stock()
        for claim in claims:
            claim._check_can_have()
            claim._reserve()
            claim._set_decision("requested", requested_by_id=self.env.uid, requested_at=fields.Datetime.now())
        claims._go_on()

    def action_approve(self):
        """Approve claims: what has to be done is planned, and the rest is done at once.

        :raises UserError: when the user may not approve one of them
        """
        claims = self._get_in("requested")
        claims._check_can_decide()
        claims.activity_unlink(["mail.mail_activity_data_todo"])
        claims._start(**claims._prepare_decision_vals())

    def action_fulfill(self):
        """Let members have what was approved.

        :raises UserError: where something is missing for it
        """
        self.check_access("write")
        self._get_in("approved")._fulfill()

    def action_take_back(self, reason=None):
        """Take back what members have got: what the reward did is undone where that is possible, the points go back.

        :param str reason: what to tell who asked for them
        :raises UserError: when the user may not, or gives no reason that can be read
        """
        self.check_access("write")
        claims = self._get_in("fulfilled")
        claims._check_can_take_back()
        reason = claims._read_reason(reason)
        for claim in claims:
            claim.reward_id._undo(claim)
        claims._withdraw()
        claims._set_decision("canceled", cancel_reason=reason, **claims._prepare_decision_vals())

    def action_view_order(self):
        """Open the order by which the reward is delivered."""
        self.ensure_one()
        return self.order_id._get_records_action(context={})

    # === BUSINESS METHODS ===#

    @api.model
    def _grant(self, reward, lines):
        """Give a reward for bonuses: without points, though still within what there is.

        :param reward: ``partner.loyalty.reward``
        :param lines: recordset of ``partner.loyalty.bonus.line``
        :return: why not, by line that got nothing
        :rtype: dict
        """
        reward._claim_stock()
        refused = {}
        for line in lines:
            member = line.member_id.root_id
            refusal = reward._get_refusal(member)
            if refusal:
                refused[line] = refusal
                continue
            try:
                with self.env.cr.savepoint():
                    # Who runs bonus actions has no right on claims, and a bonus is written by the program alone.
                    self.sudo().create(self._prepare_grant_vals(reward, member, line))._begin()
            except UserError as error:
                refused[line] = str(error)
        return refused

    def _begin(self):
        """Ask for rewards that cost nothing, and go on as far as nobody has to decide."""
        self._set_decision("requested", requested_by_id=self.env.uid, requested_at=fields.Datetime.now())
        self._go_on()

    @api.model
    def _prepare_grant_vals(self, reward, member, line):
        """Return the values of a claim that a bonus gives.

        :rtype: dict
        """
        return {"reward_id": reward.id, "member_id": member.id, "source": "bonus", "bonus_line_id": line.id}

    def _go_on(self):
        """Ask for approval where the reward needs it, and start the others."""
        waiting = self.filtered("reward_id.need_approval")
        waiting._notify_approvers()
        (self - waiting)._start()

    def _start(self, **vals):
        """Begin with what is approved: do it, or let somebody see to it by a day.

        :param vals: who decided, where somebody did
        """
        for claim in self:
            reward, today = claim.reward_id, claim.program_id._get_today()
            claim._set_decision("approved", date_deadline=today + timedelta(days=reward.fulfill_days), **vals)
            reward._start(claim)
            if reward.kind in reward._get_immediate_kinds():
                claim._fulfill()
            else:
                claim._plan_fulfillment()

    def _fulfill(self):
        """Let members have what was approved, one after the other."""
        for claim in self:
            claim.reward_id._fulfill(claim)
            claim._set_decision("fulfilled", fulfilled_by_id=self.env.uid, fulfilled_at=fields.Datetime.now())
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def _plan_fulfillment(self):
        """Tell who sees to it by when it has to be done."""
        self.ensure_one()
        if self.user_id:
            claim = self.with_context(lang=self.user_id.lang)
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=claim.env._("Fulfill: %s", claim.reward_id.name),
                user_id=self.user_id.id,
                date_deadline=self.date_deadline,
            )

    def _set_valid_until(self, day):
        # The days are set by the program alone.
        self.sudo().valid_until = day

    # === BUSINESS METHODS - CHECKS ===#

    def _check_can_have(self):
        """Check that the member can have what it claims.

        :raises UserError: with the reason
        """
        self.ensure_one()
        # The cost may have changed since the draft was written.
        self.sudo()._compute_point_amount()
        reward, is_entitled = self.reward_id, self.source == "tier"
        refusal = reward._get_refusal(self.member_id, self.quantity, is_entitled) or self._get_refusal_of_source()
        if refusal:
            raise UserError(refusal)
        reward._check_request(self)

    def _get_refusal_of_source(self):
        """Return why it cannot be had in the way that it is claimed, or None."""
        if self.expiry_date and self.expiry_date < self.program_id._get_today():
            return self.env._(
                "%(claim)s was to be claimed until %(day)s.",
                claim=self.name,
                day=format_date(self.env, self.expiry_date),
            )
        is_free = self.kind in self.reward_id._get_free_kinds()
        if self.source == "points" and not self.reward_id.point_cost and not is_free:
            return self.env._(
                "“%s” cannot be had for points: give it by a bonus action, or enter what it costs.",
                self.reward_id.name,
            )
        return None

    def _check_can_cancel(self):
        """Check that whoever withdraws an approved claim is a manager.

        :raises UserError: where it is somebody else
        """
        approved = self.filtered(lambda claim: claim.state == "approved")
        if (
            approved
            and not self.env.su
            and not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager")
        ):
            raise UserError(
                self.env._(
                    "%(claims)s was approved, so only a loyalty manager can cancel it.", claims=approved._get_names()
                )
            )

    def _check_can_take_back(self):
        """Check that whoever takes back what members have is a manager, and not one of them.

        :raises UserError: where it is somebody else
        """
        if not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            raise UserError(
                self.env._("Members have received %s, so only a loyalty manager can take it back.", self._get_names())
            )
        own = self.filtered(lambda claim: claim.partner_id == self.env.user.partner_id.commercial_partner_id)
        if own:
            raise UserError(
                self.env._("%s is for your own company: another manager has to take it back.", own._get_names())
            )

    # === BUSINESS METHODS - POINTS ===#

    def _reserve(self):
        """Take the points: the debit comes first and then has to find matured lots for all of it.

        :raises UserError: when it does not
        """
        self.ensure_one()
        # Points are taken by the program alone, whoever asks for a reward.
        entries_sudo = self.env["partner.loyalty.entry"].sudo()
        account = self.member_id.sudo()._get_account("point")
        amount = self._get_exact_points()
        if not amount:
            return
        vals = entries_sudo._prepare_entry_vals(
            account, "redemption", -amount, self, explanation=self._get_explanation_facts()
        )
        entry_sudo = entries_sudo._post_vals([vals])
        entry_sudo.env["partner.loyalty.allocation"]._consume(entry_sudo, mature_by=self.program_id._get_today())
        if entry_sudo.amount_open:
            raise UserError(self._get_too_few_points_text(amount + Decimal(str(entry_sudo.amount_open))))
        self.sudo().entry_id = entry_sudo

    def _get_too_few_points_text(self, available):
        return self.env._(
            "“%(reward)s” costs %(cost)s points, and %(member)s has %(available)s to spend: what matures later or has "
            "been spent does not count.",
            reward=self.reward_id.name,
            cost=formatLang(self.env, self.point_amount, digits=self.program_id.point_digits),
            member=self.partner_id.display_name,
            available=formatLang(self.env, float(available), digits=self.program_id.point_digits),
        )

    def _withdraw(self):
        """End what has begun, and give points back to the lots they came from; of a merged member, they move on."""
        for claim in self.filtered(lambda claim: claim.state == "approved"):
            claim.reward_id._stop(claim)
        # The ledger is written by the program alone.
        for claim_sudo in self.sudo().filtered("entry_id"):
            claim_sudo.entry_id._return(
                "redemption_return", claim_sudo, explanation=claim_sudo._get_explanation_facts()
            )
            if claim_sudo.member_id.merged_into_id:
                claim_sudo.member_id._transfer_balance()
        return super()._withdraw()

    def _get_exact_points(self):
        """Return the points as a Decimal."""
        self.ensure_one()
        self.flush_recordset(["point_amount"])
        query = SQL("SELECT COALESCE(point_amount, 0)::text FROM partner_loyalty_claim WHERE id = %s", self.id)
        return Decimal(self.env.execute_query(query)[0][0])

    def _get_explanation_facts(self):
        """Return what a statement line says about the claim.

        :rtype: dict
        """
        reward = self.reward_id
        facts = {"reward": reward.name, "reward_id": reward.id, "quantity": str(self.quantity)}
        return {**facts, **(reward._call_kind("get_facts", self) or {})}

    def _get_explanation_json(self):
        return json.dumps(self._get_explanation_facts())

    # === BUSINESS METHODS - EXPIRY ===#

    @api.model
    def _cron_expire(self):
        """Let drafts expire that were to be claimed until yesterday, and end what is had for a time; commits."""
        for program in self.env["partner.loyalty.program"].search([("state", "!=", "draft")]):
            domain = Domain("program_id", "=", program.id) & Domain("state", "=", "draft")
            domain &= Domain("expiry_date", "<", program._get_today())
            while claims := self.search(domain, limit=EXPIRY_BATCH):
                claims._set_decision("expired")
                self.env["ir.cron"]._commit_progress(len(claims))

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_approval_summary(self):
        return self.env._("Rewards to approve: %s", len(self))
