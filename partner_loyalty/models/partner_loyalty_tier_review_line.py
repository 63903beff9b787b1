from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .partner_loyalty_tier_period import OUTCOMES


class PartnerLoyaltyTierReviewLine(models.Model):
    """The tier that is proposed for one member, and the one that people decide on."""

    _name = "partner.loyalty.tier.review.line"
    _description = "Tier Proposal"
    _inherit = ["partner.loyalty.protected.mixin", "partner.loyalty.input.mixin"]
    _order = "review_id desc, movement, id"
    _rec_name = "member_id"
    _protected_fields = frozenset(
        {
            "company_id",
            "evidence",
            "grace_until",
            "is_override",
            "member_id",
            "movement",
            "outcome",
            "period_id",
            "program_id",
            "proposed_tier_id",
            "review_id",
            "skipped",
            "tier_id",
            "turnover",
            "valid_until",
        }
    )

    # === FIELDS ===#

    review_id = fields.Many2one(
        comodel_name="partner.loyalty.tier.review", required=True, index=True, ondelete="cascade", readonly=True
    )
    state = fields.Selection(related="review_id.state")
    evaluation_date = fields.Date(related="review_id.evaluation_date")
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    period_id = fields.Many2one(
        comodel_name="partner.loyalty.tier.period",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
        help="The tier that was in force when this was proposed: where it has changed since, nothing is published.",
    )
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", string="Tier so far", required=True, ondelete="restrict", readonly=True
    )
    proposed_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", string="Proposed", required=True, ondelete="restrict", readonly=True
    )
    decided_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('program_id', '=', program_id)]",
    )
    tier_color = fields.Integer(related="decided_tier_id.color", aggregator=None)
    reason = fields.Char(help="Why it is another tier than the proposed one; kept in the tier history.")
    movement = fields.Selection(
        selection=[("rise", "Rises"), ("fall", "Falls"), ("same", "Stays")],
        compute="_compute_movement",
        store=True,
    )
    is_override = fields.Boolean(string="Decided Otherwise", compute="_compute_movement", store=True)
    outcome = fields.Selection(selection=OUTCOMES, string="Why Proposed", readonly=True)
    valid_until = fields.Date(readonly=True, help="The tier is kept up to this day at least.")
    grace_until = fields.Date(
        string="Grace until", readonly=True, help="The tier is kept up to this day, and has to be reached by then."
    )
    turnover = fields.Monetary(readonly=True, aggregator=None, help="Turnover that the proposal was made on.")
    evidence = fields.Json(readonly=True)
    evidence_text = fields.Html(string="Proposal Based on", compute="_compute_evidence_text")
    skipped = fields.Selection(
        selection=[
            ("left", "No member any more"),
            ("moved", "The tier was changed since"),
            ("again", "Proposed again since"),
        ],
        string="Left out",
        readonly=True,
        help="Why nothing was published of this line.",
    )

    # === CONSTRAINTS ===#

    _review_member_unique = models.UniqueIndex("(review_id, member_id)")

    # === COMPUTE METHODS ===#

    @api.depends("decided_tier_id", "proposed_tier_id", "tier_id")
    def _compute_movement(self):
        for line in self:
            ranks = line.program_id._get_tiers().ids if line.program_id else []
            known = line.decided_tier_id.id in ranks and line.tier_id.id in ranks
            steps = ranks.index(line.decided_tier_id.id) - ranks.index(line.tier_id.id) if known else 0
            line.movement = "rise" if steps > 0 else "fall" if steps < 0 else "same"
            line.is_override = line.decided_tier_id != line.proposed_tier_id

    @api.depends("evidence")
    @api.depends_context("lang")
    def _compute_evidence_text(self):
        for line in self:
            texts = line.period_id._get_evidence_texts(line.evidence)
            line.evidence_text = texts and Markup("<ul>%s</ul>") % Markup("").join(
                Markup("<li>%s</li>") % text for text in texts
            )

    # === CONSTRAINT METHODS ===#

    @api.constrains("decided_tier_id", "reason")
    def _check_decided_tier(self):
        for line in self:
            terms = {"member": line.member_id.partner_id.display_name, "tier": line.decided_tier_id.name}
            if line.decided_tier_id.program_id != line.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(tier)s” is a tier of another program: choose one of “%(program)s” for %(member)s.",
                        program=line.program_id.name,
                        **terms,
                    )
                )
            if line.decided_tier_id != line.proposed_tier_id and not (line.reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "%(member)s gets “%(tier)s” instead of “%(proposed)s”: say why, the reason is kept.",
                        proposed=line.proposed_tier_id.name,
                        **terms,
                    )
                )

    # === CRUD METHODS ===#

    def write(self, vals):
        if not self.env.su and vals.keys() & {"decided_tier_id", "reason"}:
            self._check_can_change()
        return super().write(vals)

    # === BUSINESS METHODS ===#

    def _check_can_change(self):
        """Check that the proposals are still looked at, and are not about the company of the user.

        :raises UserError: where somebody has said that they were looked at, or they are the user's own
        """
        own = self.env.user.partner_id.commercial_partner_id
        for line in self:
            if line.state != "draft":
                raise UserError(
                    self.env._(
                        "“%(review)s” was reviewed already: a manager has to send it back before it can be changed.",
                        review=line.review_id.name,
                    )
                )
            if line.member_id.partner_id == own:
                raise UserError(self.env._("This is about your own company: somebody else has to do it."))
