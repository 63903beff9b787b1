from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Claims that stand for an invitation that was answered or still can be.
STANDING_STATES = ("draft", "requested", "approved", "fulfilled")


class PartnerLoyaltyInvite(models.TransientModel):
    """Invites members to an event: each gets a draft of a claim that costs nothing, to be answered by a day."""

    _name = "partner.loyalty.invite"
    _description = "Invite Members"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === DEFAULT METHODS ===#

    @api.model
    def _default_reward_id(self):
        return self._get_active_records("partner.loyalty.reward")[:1]

    # === FIELDS ===#

    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward",
        string="Event",
        required=True,
        domain="[('kind', '=', 'event')]",
        default=lambda self: self._default_reward_id(),
    )
    program_id = fields.Many2one(related="reward_id.program_id")
    company_id = fields.Many2one(related="reward_id.company_id")
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier", string="Tiers", domain="[('program_id', '=', program_id)]"
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        domain="[('company_id', 'in', (False, company_id))]",
    )
    answer_date = fields.Date(
        string="Answer until",
        required=True,
        compute="_compute_answer_date",
        store=True,
        readonly=False,
        help="Who has not answered after this day is not invited any more.",
    )
    has_mail = fields.Boolean(string="Send an E-mail", default=True)
    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        string="Members",
        compute="_compute_member_ids",
        store=True,
        readonly=False,
        domain="[('program_id', '=', program_id), ('state', '=', 'active'), ('merged_into_id', '=', False)]",
        help="Those of the tiers and segments who were not invited yet; add or remove some.",
    )
    member_count = fields.Integer(string="Members Invited", compute="_compute_member_count")

    # === COMPUTE METHODS ===#

    @api.depends("reward_id")
    def _compute_answer_date(self):
        for wizard in self:
            event_date, today = wizard.reward_id.event_date, fields.Date.context_today(wizard)
            # A week to prepare for those who come, where there is still time.
            wizard.answer_date = max(today, event_date.date() - timedelta(days=7)) if event_date else today

    @api.depends("reward_id", "tier_ids", "segment_ids")
    def _compute_member_ids(self):
        for wizard in self:
            wizard.member_ids = wizard.member_ids.search(wizard._get_member_domain())

    @api.depends("member_ids")
    def _compute_member_count(self):
        for wizard in self:
            wizard.member_count = len(wizard.member_ids)

    # === ACTION METHODS ===#

    def action_invite(self):
        """Invite the members, and show the list of invitations.

        :raises UserError: where nobody is left to invite, or the days do not fit
        """
        self.ensure_one()
        self._check_event()
        members = self.member_ids.filtered_domain(self._get_invitable_domain())
        if not members:
            raise UserError(self.env._("Everybody who was chosen is invited already: choose other tiers or segments."))
        self.env["partner.loyalty.claim"].check_access("create")
        # An invitation and its day are set by the program alone.
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        claims_sudo = claims_sudo.create([self._prepare_claim_vals(member) for member in members])
        if self.has_mail:
            claims_sudo._send_event_invitations()
        return {
            **self.reward_id.action_view_claims(),
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
        }

    # === BUSINESS METHODS ===#

    def _check_event(self):
        """Check that there is time to answer before the event.

        :raises UserError: where there is not
        """
        reward = self.reward_id
        if reward.kind != "event":
            raise UserError(self.env._("“%s” is no event: choose one to invite members to.", reward.name))
        refusal = reward._get_refusal_of_reward()
        if refusal:
            raise UserError(refusal)
        today = self.program_id._get_today()
        if not today <= self.answer_date <= fields.Date.to_date(reward.event_date):
            raise UserError(
                self.env._("Members answer from today until the day of the event: choose a day in between.")
            )

    def _get_member_domain(self):
        """Return who is invited: of the tiers and segments that were chosen, and that the event is for.

        :rtype: Domain
        """
        domain = self._get_invitable_domain()
        for tiers in filter(None, (self.tier_ids, self.reward_id.tier_ids)):
            domain &= Domain("tier_id", "in", tiers.ids)
        for segments in filter(None, (self.segment_ids, self.reward_id.segment_ids)):
            matches = Domain.OR(segment._get_partner_domain(self.program_id) for segment in segments)
            domain &= Domain("partner_id", "any", matches)
        return domain

    def _get_invitable_domain(self):
        """Return who can be invited: active members who have not been so far.

        :rtype: Domain
        """
        invited = Domain("reward_id", "in", self.reward_id.ids) & Domain("state", "in", STANDING_STATES)
        members = self.env["partner.loyalty.claim"].search(invited).member_id.root_id
        return Domain(
            [
                ("program_id", "in", self.program_id.ids),
                ("state", "=", "active"),
                ("merged_into_id", "=", False),
                ("id", "not in", members.ids),
            ]
        )

    def _prepare_claim_vals(self, member):
        """Return the values of an invitation.

        :rtype: dict
        """
        return {
            "reward_id": self.reward_id.id,
            "member_id": member.id,
            "source": "invitation",
            "expiry_date": self.answer_date,
        }
