from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

# How many of its lines were decided, and which way: by field, with what is counted.
LINE_COUNTS = {
    "line_count": [],
    "rise_count": [("movement", "=", "rise")],
    "fall_count": [("movement", "=", "fall")],
    "override_count": [("is_override", "=", True)],
    "skipped_count": [("skipped", "!=", False)],
}


class PartnerLoyaltyTierReview(models.Model):
    """Tiers that the program proposes as of a day, for people to look at: nothing moves until they are published."""

    _name = "partner.loyalty.tier.review"
    _description = "Tier Review"
    _inherit = ["partner.loyalty.approval.mixin", "partner.loyalty.input.mixin"]
    _order = "evaluation_date desc, id desc"
    _rec_names_search = ["program_id"]
    _protected_fields = frozenset(
        {
            "company_id",
            "decided_at",
            "decided_by_id",
            "is_decided_alone",
            "evaluation_date",
            "program_id",
            "refuse_reason",
            "reviewed_at",
            "reviewed_by_id",
            "state",
        }
    )
    _waiting_decisions = ("reviewed",)
    _cancelable_decisions = ("draft", "reviewed", "scheduled")
    _requester_fields = ("reviewed_by_id",)

    # === FIELDS ===#

    name = fields.Char(compute="_compute_name")
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    evaluation_date = fields.Date(
        string="Decided as of", required=True, readonly=True, help="The last day that was looked at."
    )
    publish_date = fields.Date(
        string="In Force from",
        required=True,
        tracking=True,
        help="The day on which the tiers are published: e-mails, rates and price lists move then, and not before.",
    )
    state = fields.Selection(
        selection=[
            ("draft", "Proposed"),
            ("reviewed", "Reviewed"),
            ("scheduled", "To Be Published"),
            ("published", "Published"),
            ("canceled", "Canceled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        tracking=True,
    )
    reviewed_by_id = fields.Many2one(comodel_name="res.users", string="Reviewed by", readonly=True, copy=False)
    reviewed_at = fields.Datetime(string="Reviewed on", readonly=True, copy=False)
    # It is posted as a message, which tells who reviewed it as well.
    refuse_reason = fields.Char(string="Sent Back because", tracking=False)
    line_ids = fields.One2many(
        comodel_name="partner.loyalty.tier.review.line", inverse_name="review_id", string="Members"
    )
    line_count = fields.Integer(string="Proposals", compute="_compute_counts")
    rise_count = fields.Integer(string="Rise", compute="_compute_counts")
    fall_count = fields.Integer(string="Fall", compute="_compute_counts")
    override_count = fields.Integer(string="Decided Otherwise", compute="_compute_counts")
    skipped_count = fields.Integer(string="Left out", compute="_compute_counts")

    # === CONSTRAINTS ===#

    _proposed_once = models.UniqueIndex(
        "(program_id, evaluation_date) WHERE state = 'draft'",
        "The tiers of this day are proposed already: open that review.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("program_id.name", "evaluation_date")
    @api.depends_context("lang")
    def _compute_name(self):
        for review in self:
            review.name = self.env._(
                "%(program)s, as of %(date)s",
                program=review.program_id.name or "",
                date=format_date(self.env, review.evaluation_date) if review.evaluation_date else "",
            )

    @api.depends("name")
    def _compute_display_name(self):
        for review in self:
            review.display_name = review.name

    @api.depends("line_ids.movement", "line_ids.is_override", "line_ids.skipped")
    def _compute_counts(self):
        Line = self.env["partner.loyalty.tier.review.line"]
        for name, domain in LINE_COUNTS.items():
            counts = dict(Line._read_group([("review_id", "in", self.ids), *domain], ["review_id"], ["__count"]))
            for review in self:
                review[name] = counts.get(review, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("publish_date", "evaluation_date")
    def _check_publish_date(self):
        for review in self:
            if review.publish_date <= review.evaluation_date:
                raise ValidationError(
                    self.env._(
                        "Tiers that are decided as of %(date)s are in force from a later day: choose one.",
                        date=format_date(self.env, review.evaluation_date),
                    )
                )

    # === CRUD METHODS ===#

    def write(self, vals):
        if "publish_date" in vals:
            self._check_not_decided()
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_review(self):
        """Say that the proposals were looked at, so that a manager can publish them."""
        self.check_access("write")
        reviews = self._get_in("draft")
        reviews._set_decision("reviewed", reviewed_by_id=self.env.uid, reviewed_at=fields.Datetime.now())
        reviews._notify_approvers()

    def action_publish(self):
        """Publish the tiers on the day that they are to be in force from.

        :raises UserError: where the user may not, or that day has come already
        """
        reviews = self._get_in("reviewed")
        reviews._check_can_decide()
        reviews._check_publish_date_to_come()
        reviews._set_decision("scheduled", **reviews._prepare_decision_vals())
        reviews.activity_unlink(["mail.mail_activity_data_todo"])

    def action_refuse(self, reason=None):
        """Send reviews back, so that they are looked at once more.

        :param str reason: what to tell who reviewed them
        :raises UserError: where the user may not, or gives no reason that can be read
        """
        reviews = self._get_in("reviewed", "scheduled")
        reviews._check_is_manager()
        reason = self._read_reason(reason)
        reviews._set_decision("draft", refuse_reason=reason)
        reviews.activity_unlink(["mail.mail_activity_data_todo"])
        for review in reviews:
            review._post_reason()

    def action_view_lines(self):
        """Show the members of the review, to search and group them."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_tier_review_line_action"),
            "domain": [("review_id", "=", self.id)],
        }

    # === BUSINESS METHODS - PROPOSALS ===#

    @api.model
    def _propose(self, program, day, decision):
        """Note what is decided on a day as proposals.

        :param program: ``partner.loyalty.program``
        :param date day: the last day that was looked at
        :param SQL decision: see ``_get_decision_query`` of ``partner.loyalty.tier.decision``
        """
        # Reviews are made by the program alone, whoever has tiers decided.
        review_sudo = self.sudo()._get_proposed(program, day)
        self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_tier_review_line (
                       review_id, program_id, company_id, member_id, period_id, tier_id, proposed_tier_id,
                       decided_tier_id, movement, is_override, outcome, valid_until, grace_until, turnover, evidence,
                       create_uid, create_date, write_uid, write_date)
                SELECT %(review)s, period.program_id, period.company_id, period.member_id, period.id, decision.tier_id,
                       decided_id, decided_id,
                       CASE SIGN(array_position(%(tiers)s, decided_id) - array_position(%(tiers)s, decision.tier_id))
                            WHEN 1 THEN 'rise' WHEN -1 THEN 'fall' ELSE 'same' END,
                       FALSE, decision.outcome, decision.valid_until, decision.grace_until, decision.turnover,
                       decision.evidence,
                       %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM (%(decision)s) AS decision
                  JOIN partner_loyalty_tier_period period
                    ON period.member_id = decision.member_id AND period.date_to IS NULL
                """,
                review=review_sudo.id,
                tiers=SQL("(%s::integer[])", program._get_tiers().ids),
                decision=decision,
                uid=self.env.uid,
            )
        )
        self.env.invalidate_all()

    @api.model
    def _get_proposed(self, program, day):
        """Return the review of a day that nobody has looked at yet, a new one where there is none."""
        proposed = self.search(
            [("program_id", "=", program.id), ("evaluation_date", "=", day), ("state", "=", "draft")], limit=1
        )
        if not proposed:
            proposed = self.create(self._prepare_proposed_vals(program, day))
            self.env.flush_all()
        return proposed

    @api.model
    def _prepare_proposed_vals(self, program, day):
        """Return the values of a new review."""
        return {
            "program_id": program.id,
            "company_id": program.company_id.id,
            "evaluation_date": day,
            "publish_date": max(day, program._get_today()) + timedelta(days=1),
        }

    # === BUSINESS METHODS - PUBLISHING ===#

    @api.model
    def _publish_due(self, program):
        """Publish the reviews of a program whose day has come, in the order of what they looked at."""
        due = self.search(
            [
                ("program_id", "=", program.id),
                ("state", "=", "scheduled"),
                ("publish_date", "<=", program._get_today()),
            ],
            order="evaluation_date, id",
        )
        for review in due:
            # The tier history is written by the program alone.
            review.sudo()._publish()

    def _publish(self):
        """Put the tiers in force from the day of publishing on, but for members whose tier has changed since."""
        self.ensure_one()
        self.env.flush_all()
        self._mark_skipped()
        self._put_in_force()
        self._withdraw_outdated()
        self.env.invalidate_all()
        self._set_decision("published")
        self.message_post(
            body=self.env._(
                "Published: %(count)s members; left out: %(skipped)s.",
                count=self.line_count - self.skipped_count,
                skipped=self.skipped_count,
            )
        )

    def _mark_skipped(self):
        """Note on lines why nothing is published of them."""
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_tier_review_line line SET skipped = judged.skipped
                  FROM (SELECT line.id,
                               CASE WHEN member.merged_into_id IS NOT NULL OR member.date_to < %(day)s THEN 'left'
                                    WHEN period.date_to IS NOT NULL OR period.date_from >= %(day)s THEN 'moved'
                                    WHEN EXISTS (%(later)s) THEN 'again' END AS skipped
                          FROM partner_loyalty_tier_review_line line
                          JOIN partner_loyalty_member member ON member.id = line.member_id
                          JOIN partner_loyalty_tier_period period ON period.id = line.period_id
                         WHERE line.review_id = %(review)s) judged
                 WHERE line.id = judged.id AND judged.skipped IS NOT NULL
                """,
                review=self.id,
                day=self.publish_date,
                later=SQL(
                    """
                    SELECT 1 FROM partner_loyalty_tier_review_line other
                      JOIN partner_loyalty_tier_review review ON review.id = other.review_id
                     WHERE other.member_id = line.member_id AND review.evaluation_date > %s
                       AND review.state IN ('reviewed', 'scheduled')
                    """,
                    self.evaluation_date,
                ),
            )
        )

    def _put_in_force(self):
        """Write the tier history of the lines that were not left out."""
        self.env.execute_query(
            SQL(
                """
                WITH line AS MATERIALIZED (
                    SELECT * FROM partner_loyalty_tier_review_line WHERE review_id = %(review)s AND skipped IS NULL
                ), closed AS (
                    UPDATE partner_loyalty_tier_period period SET date_to = %(day)s::date - 1
                      FROM line WHERE period.id = line.period_id
                )
                INSERT INTO partner_loyalty_tier_period (
                       member_id, program_id, company_id, tier_id, previous_tier_id, is_change, date_from,
                       evaluation_date, turnover, evidence, cause, outcome, valid_until, grace_until, reason, review_id,
                       user_id)
                SELECT member_id, program_id, company_id, decided_tier_id, tier_id, decided_tier_id <> tier_id,
                       %(day)s, %(evaluation_date)s, turnover,
                       CASE WHEN is_override THEN evidence || jsonb_build_object('override', jsonb_build_object(
                            'tier_id', decided_tier_id, 'proposed', proposed_tier_id, 'user_id', line.write_uid))
                            ELSE evidence END,
                       CASE WHEN is_override THEN 'override' ELSE 'evaluation' END,
                       CASE WHEN NOT is_override THEN outcome END,
                       CASE WHEN NOT is_override THEN valid_until END,
                       CASE WHEN NOT is_override THEN grace_until END,
                       CASE WHEN is_override THEN reason END, review_id,
                       CASE WHEN is_override THEN line.write_uid ELSE %(uid)s END
                  FROM line
                """,
                review=self.id,
                day=self.publish_date,
                evaluation_date=self.evaluation_date,
                uid=self.decided_by_id.id or self.env.uid,
            )
        )

    def _withdraw_outdated(self):
        """Take away later proposals that nobody has looked at: they are made anew on the tiers in force now."""
        self.env.execute_query(
            SQL(
                """
                DELETE FROM partner_loyalty_tier_review_line other
                 USING partner_loyalty_tier_review review, partner_loyalty_tier_review_line line
                 WHERE review.id = other.review_id AND review.state = 'draft' AND review.evaluation_date > %(date)s
                   AND line.review_id = %(review)s AND line.member_id = other.member_id AND line.skipped IS NULL
                """,
                review=self.id,
                date=self.evaluation_date,
            )
        )

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_refusal(self, user):
        """Override: a review is about many members, and published by a manager who did not review it."""
        self.ensure_one()
        terms = {"review": self.name}
        if self.state != "reviewed":
            return self.env._("“%(review)s” has not been reviewed, or is decided on already: reload the page.", **terms)
        if not user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            return self.env._("“%(review)s” has to be published by a loyalty manager.", **terms)
        if user in self._get_requesters():
            return self.env._("You reviewed “%(review)s” yourself: another manager has to publish it.", **terms)
        overridden = self.line_ids.filtered("is_override").member_id.partner_id
        if user.partner_id.commercial_partner_id in overridden:
            return self.env._(
                "“%(review)s” decides otherwise about your own company: another manager has to publish it.",
                **terms,
            )
        return False

    def _get_approval_summary(self):
        """Override: name what is to be done."""
        return self.env._("Tier reviews to publish: %s", len(self))

    def _post_reason(self):
        """Post why a review was sent back, and tell who reviewed it."""
        self.ensure_one()
        self.message_post(
            body=self.env._("Sent back: %s", self.refuse_reason), partner_ids=self.reviewed_by_id.partner_id.ids
        )

    def _check_can_cancel(self):
        """Override: what a manager has published is withdrawn by managers."""
        self.filtered(lambda review: review.state == "scheduled")._check_is_manager()

    def _check_is_manager(self):
        """Check that the user is a manager, where there is something to decide.

        :raises UserError: where the user is none
        """
        self.check_access("write")
        if self and not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            raise UserError(self.env._("%(reviews)s: a loyalty manager has to decide that.", reviews=self._get_names()))

    def _check_publish_date_to_come(self):
        """Check that the tiers come in force on a day to come, so that what was sold before keeps its terms.

        :raises UserError: where they do not
        """
        for review in self:
            if review.publish_date <= review.program_id._get_today():
                raise UserError(
                    self.env._(
                        "“%(review)s” was to be in force from %(date)s, and what was sold since keeps its terms: "
                        "choose tomorrow or a later day.",
                        review=review.name,
                        date=format_date(self.env, review.publish_date),
                    )
                )

    def _check_not_decided(self):
        """Check that nobody has published or withdrawn the reviews yet.

        :raises UserError: where somebody has
        """
        decided = self.filtered(lambda review: review.state not in ("draft", "reviewed"))
        if decided:
            raise UserError(
                self.env._(
                    "%(reviews)s cannot be changed any more: send it back first, as long as it is not published.",
                    reviews=decided._get_names(),
                )
            )
