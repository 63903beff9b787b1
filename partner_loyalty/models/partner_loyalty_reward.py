from collections import defaultdict
from statistics import fmean

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..const import LEDGER_DIGITS, STAFF_GROUPS

# The states in which a claim takes a piece of the stock and of what a member may have.
TAKING_STATES = ("requested", "approved", "fulfilled")


class PartnerLoyaltyReward(models.Model):
    """Something that a member can get besides points and commission: for points, by its tier or by a bonus action.

    What a kind of reward does is said by hooks that end with its name; a module adds a kind by adding to the selection
    and defining the hooks it needs: ``_get_missing_text_<kind>()`` returns what is missing for it to be possible,
    ``_get_refusal_<kind>()`` why nobody can have it any more, ``_check_request_<kind>(claim)`` raises where a claim
    lacks something, ``_start_<kind>(claim)`` begins with the approval, ``_stop_<kind>(claim)`` ends that where an
    approved claim is canceled, ``_fulfill_<kind>(claim)`` does what the member gets, and ``_undo_<kind>(claim)`` takes
    it back.
    """

    _name = "partner.loyalty.reward"
    _description = "Reward"
    _inherit = [
        "image.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.reward.award",
        "partner.loyalty.reward.consulting",
        "partner.loyalty.reward.early",
        "partner.loyalty.reward.event",
        "partner.loyalty.reward.material",
        "partner.loyalty.reward.mdf",
        "partner.loyalty.reward.money",
        "partner.loyalty.reward.price",
        "partner.loyalty.reward.product",
        "partner.loyalty.reward.project",
        "partner.loyalty.reward.support",
        "partner.loyalty.reward.survey",
    ]
    _order = "program_id, sequence, point_cost, id"
    _check_company_auto = True

    # === FIELDS ===#

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        selection=[
            ("product", "Product or Gift"),
            ("price", "Special Prices"),
            ("money", "Money"),
            ("award", "Award"),
            ("training", "Training"),
            ("certification", "Certification"),
            ("consulting", "Consulting"),
            ("project", "Joint Project"),
            ("material", "Marketing Material"),
            ("support", "Priority Support"),
            ("early", "Early Access"),
            ("event", "Event"),
            ("mdf", "Marketing Money"),
        ],
        required=True,
        default="product",
    )
    description = fields.Html(translate=True, help="What members read about it.")
    point_cost = fields.Float(
        string="Costs Points",
        digits=LEDGER_DIGITS,
        aggregator=None,
        help="For so many points a member can have it. Zero where it cannot be had for points.",
    )
    unit_cost = fields.Monetary(
        string="Cost of a Piece",
        aggregator=None,
        help="What a piece costs your company, for the overview of the program; members do not see it.",
        groups=STAFF_GROUPS,
    )
    stock = fields.Integer(
        string="Pieces in All",
        aggregator=None,
        help="So many can be had over all members; as many as are asked for where it is zero.",
    )
    taken_count = fields.Integer(string="Pieces Taken", compute="_compute_taken_count")
    member_limit = fields.Integer(
        string="Pieces for Each Member",
        aggregator=None,
        help="So many a member can have; as many as it asks for where it is zero.",
    )
    date_from = fields.Date(string="From")
    date_to = fields.Date(string="Until")
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        help="Only members of these tiers can have it; all where there are none.",
    )
    segment_ids = fields.Many2many(
        comodel_name="partner.loyalty.segment",
        string="Segments",
        domain="[('company_id', 'in', (False, company_id))]",
        help="Only members of one of these segments can have it; all where there are none.",
    )
    need_approval = fields.Boolean(
        string="Needs Approval", default=True, help="A manager decides on each claim; otherwise the request is enough."
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="To Be Fulfilled by",
        domain="[('share', '=', False)]",
        index="btree_not_null",
        help="Who sees to it that members get it; the responsible of the program where it is empty.",
    )
    fulfill_days = fields.Integer(string="Within (Days)", default=7, aggregator=None)
    claim_ids = fields.One2many(comodel_name="partner.loyalty.claim", inverse_name="reward_id", string="Claims")
    claim_count = fields.Integer(compute="_compute_claim_figures")
    rating = fields.Float(string="Average Rating", compute="_compute_claim_figures", digits=(2, 1), aggregator="avg")

    # === CONSTRAINTS ===#

    _point_cost_positive = models.Constraint(
        "CHECK (point_cost >= 0 AND point_cost < 1000000000000)",
        "A reward costs points or nothing: enter zero or more.",
    )
    _unit_cost_positive = models.Constraint(
        "CHECK (unit_cost >= 0 AND unit_cost < 1000000000000)",
        "A reward cannot cost less than nothing: enter zero or more.",
    )
    _stock_positive = models.Constraint(
        "CHECK (stock >= 0 AND member_limit >= 0)",
        "So many pieces cannot be had: enter a number of pieces, or zero for as many as are asked for.",
    )
    _fulfill_days_range = models.Constraint(
        "CHECK (fulfill_days BETWEEN 0 AND 365)",
        "A reward is fulfilled within 0 to 365 days: enter a number in between.",
    )
    _dates_order = models.Constraint(
        "CHECK (date_to >= date_from)", "A reward ends after it begins: enter a later last day."
    )

    # === COMPUTE METHODS ===#

    def _compute_taken_count(self):
        taken = self._get_taken()
        for reward in self:
            reward.taken_count = taken.get(reward, 0)

    def _compute_claim_figures(self):
        Claim, domain = self.env["partner.loyalty.claim"], Domain("reward_id", "in", self.ids)
        counts = dict(Claim._read_group(domain, ["reward_id"], ["__count"]))
        ratings = defaultdict(list)
        for reward, rating, count in Claim._read_group(
            domain & Domain("rating", "not in", (False, "0")), ["reward_id", "rating"], ["__count"]
        ):
            ratings[reward] += [int(rating)] * count
        for reward in self:
            reward.claim_count = counts.get(reward, 0)
            reward.rating = fmean(ratings[reward] or [0])

    # === CONSTRAINT METHODS ===#

    @api.constrains(lambda self: ("kind", "active", *self._get_kind_fields()))
    def _check_complete(self):
        for reward in self.filtered("active"):
            reason = reward._get_missing_text()
            if reason:
                raise ValidationError(reason)

    @api.constrains("program_id", "tier_ids")
    def _check_tiers(self):
        for reward in self:
            for tier in reward.tier_ids.filtered(lambda tier, reward=reward: tier.program_id != reward.program_id):
                raise ValidationError(
                    self.env._(
                        "“%(tier)s” is a tier of another program than “%(reward)s”: choose those of its own.",
                        tier=tier.name,
                        reward=reward.name,
                    )
                )

    @api.constrains("stock")
    def _check_stock(self):
        taken = self._get_taken()
        for reward in self:
            if 0 < reward.stock < taken.get(reward, 0):
                raise ValidationError(
                    self.env._(
                        "Members have claimed %(taken)s of “%(reward)s” already: "
                        "there cannot be fewer pieces than that.",
                        taken=taken[reward],
                        reward=reward.name,
                    )
                )

    @api.constrains("program_id")
    def _check_program_stays(self):
        for reward in self:
            if reward.claim_ids.program_id - reward.program_id:
                raise ValidationError(
                    self.env._(
                        "“%s” has been claimed in its program: create a new reward for another one.", reward.name
                    )
                )

    # === CRUD METHODS ===#

    @api.ondelete(at_uninstall=False)
    def _unlink_except_claimed(self):
        for reward in self:
            if reward.claim_ids:
                raise UserError(
                    self.env._("Members have claimed “%s”: archive it, then nobody can any more.", reward.name)
                )

    # === ACTION METHODS ===#

    def action_view_claims(self):
        """Show who has claimed the reward."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_claim_action"),
            "domain": [("reward_id", "=", self.id)],
            "context": {"default_reward_id": self.id},
        }

    # === BUSINESS METHODS - KINDS ===#

    @api.model
    def _get_kind_fields(self):
        """Return the fields that kinds of rewards need, each checked by its kind.

        :rtype: list[str]
        """
        return [
            "badge_id",
            "event_date",
            "file_ids",
            "hours",
            "money_amount",
            "months",
            "pricelist_id",
            "product_id",
            "release_ids",
            "support_label",
            "survey_id",
        ]

    @api.model
    def _get_immediate_kinds(self):
        """Return the kinds that members get with the approval, without that anybody does something.

        :rtype: set[str]
        """
        return {"award", "early", "material", "money", "price", "support"}

    @api.model
    def _get_single_kinds(self):
        """Return the kinds of which a claim is about one piece.

        :rtype: set[str]
        """
        return {"certification", "early", "event", "material", "mdf", "project", "support", "training"}

    @api.model
    def _get_free_kinds(self):
        """Return the kinds that cost no points, and are asked for nevertheless.

        :rtype: set[str]
        """
        return {"mdf"}

    def _get_missing_text(self):
        """Return what is missing for the reward to be possible, in words, or None."""
        self.ensure_one()
        return self._call_kind("get_missing_text")

    def _check_request(self, claim):
        """Check that a claim says all that has to be decided on.

        :raises UserError: where it does not
        """
        self._call_kind("check_request", claim)

    def _start(self, claim):
        """Do what begins with the approval of a claim."""
        self._call_kind("start", claim)

    def _stop(self, claim):
        """End what began with the approval of a claim that is canceled now."""
        self._call_kind("stop", claim)

    def _undo(self, claim):
        """Take back what the member got by a claim, as far as that is possible."""
        self._call_kind("undo", claim)

    def _fulfill(self, claim):
        """Let the member have what was claimed.

        :raises UserError: where that is not possible (yet), with what is to be done
        """
        missing = self._get_missing_text()
        if missing:
            raise UserError(missing)
        self._call_kind("fulfill", claim)

    def _call_kind(self, hook, *arguments):
        """Call a hook of the kind of the reward, where it has that."""
        self.ensure_one()
        method = getattr(self, f"_{hook}_{self.kind}", None)
        return method(*arguments) if method else None

    # === BUSINESS METHODS - AVAILABILITY ===#

    def _claim_stock(self):
        """Write the rewards, so that of two requests at once the second starts over and finds the first."""
        self.env.flush_all()
        self.env.execute_query(
            SQL("UPDATE partner_loyalty_reward SET sequence = sequence WHERE id = ANY(%s)", list(self.ids))
        )

    def _get_refusal(self, member, quantity=1, is_entitled=False):
        """Return why a member cannot have so many pieces, in words, or None; points are another matter.

        :param member: ``partner.loyalty.member``
        :param int quantity: number of pieces
        :param bool is_entitled: its tier has given it, and it keeps that whatever its tier is now
        """
        return self._get_refusals(member, quantity, is_entitled)[self]

    def _get_refusals(self, member, quantity=1, is_entitled=False):
        """Return why a member cannot have each of the rewards, as :meth:`_get_refusal` does.

        :return: words or None, by reward
        :rtype: dict
        """
        taken, own_taken = self._get_taken(), self._get_taken(Domain("member_id.root_id", "=", member.root_id.id))
        segments = self.segment_ids._get_of_member(member)
        return {
            reward: reward._get_refusal_of_reward()
            or reward._get_refusal_of_member(member)
            or (None if is_entitled else reward._get_refusal_of_audience(member, segments))
            or reward._get_refusal_of_stock(member, quantity, taken.get(reward, 0), own_taken.get(reward, 0))
            for reward in self
        }

    def _get_refusal_of_reward(self):
        """Return why nobody can have the reward today, or None."""
        today = self.program_id._get_today()
        terms = {"reward": self.name}
        if not self.active:
            return self.env._("“%(reward)s” is archived: choose another reward.", **terms)
        if self.program_id.state == "draft":
            return self.env._("The program of “%(reward)s” has not started yet: start it first.", **terms)
        if self.date_from and today < self.date_from:
            return self.env._(
                "“%(reward)s” can be had from %(day)s on.", day=format_date(self.env, self.date_from), **terms
            )
        if self.date_to and today > self.date_to:
            return self.env._(
                "“%(reward)s” could be had until %(day)s: choose another reward.",
                day=format_date(self.env, self.date_to),
                **terms,
            )
        return self._get_missing_text() or self._call_kind("get_refusal")

    def _get_refusal_of_member(self, member):
        """Return why this member cannot have the reward, or None."""
        terms = {"reward": self.name, "member": member.partner_id.display_name}
        if member.program_id != self.program_id:
            return self.env._("“%(reward)s” is a reward of another program than that of %(member)s.", **terms)
        if member.state != "active":
            return self.env._("%(member)s is no active member, and gets no rewards.", **terms)
        return None

    def _get_refusal_of_audience(self, member, segments):
        """Return why the reward is for others than this member, who belongs to these segments, or None."""
        terms = {"reward": self.name, "member": member.partner_id.display_name}
        if self.tier_ids and member.tier_id not in self.tier_ids:
            tiers = ", ".join(self.tier_ids.mapped("name"))
            return self.env._("“%(reward)s” is for members of %(tiers)s only.", tiers=tiers, **terms)
        if self.segment_ids and not self.segment_ids & segments:
            return self.env._("“%(reward)s” is for members of other segments than %(member)s.", **terms)
        return None

    def _get_refusal_of_stock(self, member, quantity, taken, own_taken):
        """Return why there are not so many pieces, with those that members have taken and this one has, or None."""
        terms = {"reward": self.name, "quantity": quantity}
        if quantity > 1 and self.kind in self._get_single_kinds():
            return self.env._("Each claim of “%(reward)s” is about one piece: claim it once for each.", **terms)
        left = self.stock - taken
        if self.stock and left < quantity:
            return self.env._(
                "Of “%(reward)s”, %(left)s are left, and %(quantity)s were asked for.", left=max(left, 0), **terms
            )
        if self.member_limit and own_taken + quantity > self.member_limit:
            return self.env._(
                "%(member)s can have %(limit)s of “%(reward)s”, and has claimed %(taken)s already.",
                member=member.partner_id.display_name,
                limit=self.member_limit,
                taken=own_taken,
                **terms,
            )
        return None

    def _get_taken(self, domain=Domain.TRUE):
        """Return how many pieces have been taken.

        :param Domain domain: only by such claims
        :return: number by reward, without those that nobody has claimed
        :rtype: dict
        """
        # How many are left depends on claims that the user may not see.
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        taken = Domain("reward_id", "in", self.ids) & Domain("state", "in", TAKING_STATES)
        rows = claims_sudo._read_group(taken & domain, ["reward_id"], ["quantity:sum"])
        return {self.browse(reward.id): quantity for reward, quantity in rows}
