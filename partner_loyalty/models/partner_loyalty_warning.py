from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..const import AMOUNT_KINDS
from ..tools.window import Window

# A member that sells something within so many days was won back.
ANSWER_DAYS = 90
# So long afterwards, what was posted late still counts for the turnover of these days.
LATE_DAYS = 30
# A tier is at risk only when its decision is near: at the beginning of a year, nobody has reached anything yet.
RISK_DAYS = 45
# So long an account manager has time for the to-do.
TODO_DAYS = 7
UNRESOLVED = ("open", "answered")


class PartnerLoyaltyWarning(models.Model):
    """One time that a member went quiet or came to the edge of its tier, and what became of it.

    Written and resolved by the nightly job; people answer by the to-do, and close what they know better.
    """

    _name = "partner.loyalty.warning"
    _description = "Early Warning"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.warning.reason",
        "partner.loyalty.member.owned.mixin",
    ]
    _order = "date desc, id desc"
    _rec_names_search = ["partner_id"]
    _protected_fields = frozenset(
        {
            "amount",
            "cause",
            "company_id",
            "date",
            "decision_date",
            "facts",
            "member_id",
            "partner_id",
            "program_id",
            "resolved_date",
            "risk_tier_id",
            "state",
            "tier_id",
            "user_id",
        }
    )

    # === FIELDS ===#

    member_id = fields.Many2one(ondelete="cascade", readonly=True)
    cause = fields.Selection(
        selection=[("quiet", "Going Quiet"), ("tier", "Tier at Risk")], string="Warning", required=True, readonly=True
    )
    facts = fields.Json(readonly=True)
    reason_text = fields.Char(string="Why", compute="_compute_reason_text")
    next_step_text = fields.Char(related="member_id.next_step_text")
    date = fields.Date(string="Warned on", required=True, readonly=True)
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        string="Tier Then",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
    )
    risk_tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        string="Falls to",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
    )
    decision_date = fields.Date(readonly=True, help="The day of the decision by which the tier is at risk.")
    user_id = fields.Many2one(
        comodel_name="res.users", string="Account Manager", index="btree_not_null", readonly=True, ondelete="set null"
    )
    state = fields.Selection(
        selection=[
            ("open", "Open"),
            ("answered", "Answered"),
            ("won", "Won Back"),
            ("lost", "Lost"),
            ("closed", "Closed by Hand"),
        ],
        required=True,
        default="open",
        readonly=True,
        tracking=True,
        group_expand=True,
        help="A warning is answered when its to-do is done. A quiet member is won back when it sells as usual again, "
        "and lost after 90 days without any sale; a tier is won back when it is at risk no more, and lost when the "
        "member falls.",
    )
    resolved_date = fields.Date(string="Resolved on", readonly=True)
    amount = fields.Monetary(
        string="Turnover since Then", readonly=True, help="What the member turned over in the 90 days afterwards."
    )
    note = fields.Text(tracking=True, help="What came out of it.")

    # === CONSTRAINTS ===#

    _unresolved_unique = models.UniqueIndex(
        "(member_id, cause) WHERE state IN ('open', 'answered')",
        "There is an open warning about this member already: answer that one.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("cause", "facts", "tier_id.name", "risk_tier_id.name", "decision_date")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for warning in self:
            is_tier = warning.cause == "tier"
            warning.reason_text = warning._get_tier_text() if is_tier else warning._get_quiet_text(warning.facts)

    @api.depends("partner_id.display_name", "cause")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["cause"]._description_selection(self.env))
        for warning in self:
            warning.display_name = f"{warning.partner_id.display_name}: {labels.get(warning.cause, '')}"

    # === ACTION METHODS ===#

    def action_close(self):
        """Close warnings that somebody knows better about.

        :raises UserError: where the note does not say why
        """
        self.check_access("write")
        warnings = self.filtered(lambda warning: warning.state in UNRESOLVED)
        for warning in warnings:
            if not (warning.note or "").strip():
                raise UserError(
                    self.env._("Write into the note of “%s” what came out of it, then close it.", warning.display_name)
                )
        # What became of a warning is set by the program and by this button alone.
        for program, warnings_sudo in warnings.sudo().grouped("program_id").items():
            warnings_sudo.write({"state": "closed", "resolved_date": program._get_today()})
        warnings.sudo()._end_todos()

    # === BUSINESS METHODS ===#

    def _get_tier_text(self):
        """Say which tier the member may lose, and when."""
        self.ensure_one()
        return self.env._(
            "Falls from %(tier)s to %(lower)s after %(date)s, if nothing changes.",
            tier=self.tier_id.name or "",
            lower=self.risk_tier_id.name or "",
            date=format_date(self.env, self.decision_date),
        )

    @api.model
    def _follow_up(self, program):
        """Say what became of the warnings of a program, and warn of members who need attention anew."""
        self._resolve(program)
        if program.warns_managers:
            self._raise_new(program)

    def _answer(self, feedback):
        """Note that somebody did the to-do.

        :param str feedback: what was written about it, or nothing
        """
        for warning in self.filtered(lambda warning: warning.state == "open"):
            warning.write({"state": "answered", "note": "\n".join(filter(None, (warning.note, feedback)))})

    def _end_todos(self):
        """Take away the to-dos of what is resolved."""
        self.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS - NEW WARNINGS ===#

    @api.model
    def _raise_new(self, program):
        """Write a warning for each member that went quiet or came to the edge of its tier since the last time."""
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL("%s UNION ALL %s", self._get_quiet_query(program), self._get_tier_query(program))
        )
        if not rows:
            return
        members = self.env["partner.loyalty.member"].browse(row["member_id"] for row in rows)
        responsible = self._get_responsible(program, members)
        vals_list = [{**row, "date": program._get_today(), "user_id": responsible[row["member_id"]].id} for row in rows]
        quiet = self.with_context(tracking_disable=True, mail_create_nosubscribe=True)
        quiet.create(vals_list).with_context(self.env.context)._plan_todos()

    @api.model
    def _get_quiet_query(self, program):
        """Return the members who are quiet, and were not warned of since they are: values of new warnings."""
        return SQL(
            """
            SELECT member.id AS member_id, 'quiet' AS cause, member.quiet_reason AS facts, member.tier_id,
                   NULL::integer AS risk_tier_id, NULL::date AS decision_date
              FROM partner_loyalty_member member
             WHERE member.program_id = %s AND member.is_quiet AND member.merged_into_id IS NULL
               AND NOT EXISTS (SELECT 1 FROM partner_loyalty_warning known
                                WHERE known.member_id = member.id AND known.cause = 'quiet'
                                  AND (known.state IN %s OR known.date >= member.quiet_since))
            """,
            program.id,
            UNRESOLVED,
        )

    @api.model
    def _get_tier_query(self, program):
        """Return the members whose tier is at risk soon, and were not warned of that: values of new warnings."""
        today = program._get_today()
        return SQL(
            """
            SELECT member.id, 'tier', NULL::jsonb, member.tier_id, member.risk_tier_id, member.tier_decision_date
              FROM partner_loyalty_member member
             WHERE member.program_id = %(program)s AND member.risk_tier_id IS NOT NULL AND member.state = 'active'
               AND member.tier_decision_date BETWEEN %(today)s AND %(last)s
               AND NOT EXISTS (SELECT 1 FROM partner_loyalty_warning known
                                WHERE known.member_id = member.id AND known.cause = 'tier'
                                  AND (known.state IN %(unresolved)s OR (known.state <> 'won'
                                       AND known.decision_date >= member.tier_decision_date)))
            """,
            program=program.id,
            today=today,
            last=today + timedelta(days=RISK_DAYS),
            unresolved=UNRESOLVED,
        )

    @api.model
    def _get_responsible(self, program, members):
        """Return who looks after members: the account manager, or who is responsible for the program.

        :return: users by id of the member; none where nobody who may see the member is responsible
        :rtype: dict
        """
        responsible = {}
        for user, own in members.grouped(lambda member: member.partner_id.user_id).items():
            seen = own.with_user(user)._filtered_access("read") if user.active and not user.share else own.browse()
            for member in own:
                responsible[member.id] = user if member in seen.with_env(self.env) else program.user_id
        return responsible

    def _plan_todos(self):
        """Ask the account managers to answer; many at once come without an e-mail for each."""
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(
            [warning._prepare_todo_vals() for warning in self if warning.user_id]
        )

    def _prepare_todo_vals(self):
        """Return the values of the to-do, in the language of who has to do it."""
        self.ensure_one()
        warning = self.with_context(lang=self.user_id.lang)
        return {
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
            "summary": warning.display_name,
            "note": " ".join(filter(None, (warning.reason_text, warning.next_step_text))),
            "user_id": self.user_id.id,
            "date_deadline": self.date + timedelta(days=TODO_DAYS),
            # Taken away with the warning; see _end_todos.
            "automated": True,
        }

    # === BUSINESS METHODS - WHAT BECAME OF IT ===#

    @api.model
    def _resolve(self, program):
        """Say what became of warnings, and add up what members turned over since then."""
        first = self.search(self._get_unfinished_domain(program), order="date", limit=1).date
        if not first:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_warning warning
                   SET amount = outcome.amount, state = COALESCE(outcome.state, warning.state),
                       resolved_date = COALESCE(warning.resolved_date, CASE outcome.state
                           WHEN 'won' THEN COALESCE(outcome.day, %(today)s) WHEN 'lost' THEN %(today)s
                           WHEN 'closed' THEN %(today)s END)
                  FROM (%(outcomes)s) outcome
                 WHERE warning.id = outcome.id
                   AND (outcome.state IS NOT NULL OR warning.amount IS DISTINCT FROM outcome.amount)
             RETURNING warning.id, outcome.state
                """,
                today=SQL("%s::date", program._get_today()),
                outcomes=self._get_outcome_query(program, first),
            )
        )
        self.env.invalidate_all()
        self.browse(warning_id for warning_id, state in rows if state)._end_todos()

    @api.model
    def _get_unfinished_domain(self, program):
        """Return the warnings whose outcome or turnover can change still."""
        since = program._get_today() - timedelta(days=ANSWER_DAYS + LATE_DAYS)
        return [
            ("program_id", "=", program.id),
            "|",
            ("state", "in", UNRESOLVED),
            "&",
            ("state", "=", "won"),
            ("date", ">=", since),
        ]

    @api.model
    def _get_outcome_query(self, program, first):
        """Return what became of the warnings of a program: ``id, amount, day, state``.

        ``day`` is that of the first sale since then; ``state`` is empty where it stays as it is.

        :param date first: day of the first of the warnings
        :rtype: SQL
        """
        today, metric = program._get_today(), program._get_turnover_metric()
        return SQL(
            """
            SELECT id, amount, day, CASE WHEN state IN %(unresolved)s THEN
                   CASE WHEN merged_into_id IS NOT NULL THEN 'closed'
                        WHEN cause = 'tier' THEN %(tier)s ELSE %(quiet)s END END AS state
              FROM (SELECT warning.id, warning.cause, warning.state, warning.tier_id AS tier_then, member.tier_id,
                           member.merged_into_id, member.is_quiet, member.risk_tier_id, member.state AS membership,
                           warning.date + %(days)s < %(today)s AS is_over,
                           COALESCE(SUM(sale.amount)::numeric, 0) AS amount,
                           MIN(sale.date) FILTER (WHERE %(is_sale)s) AS day
                      FROM partner_loyalty_warning warning
                      JOIN partner_loyalty_member member ON member.id = warning.member_id
                 LEFT JOIN (%(sales)s) sale ON sale.root_id = member.turnover_root_id
                       AND sale.date > warning.date AND sale.date <= warning.date + %(days)s
                     WHERE warning.program_id = %(program)s
                       AND (warning.state IN %(unresolved)s
                            OR (warning.state = 'won' AND warning.date + %(days)s + %(late)s >= %(today)s))
                  GROUP BY warning.id, member.id) AS answer
            """,
            unresolved=UNRESOLVED,
            tier=self._get_tier_outcome(program),
            quiet=self._get_quiet_outcome(),
            days=ANSWER_DAYS,
            late=LATE_DAYS,
            today=SQL("%s::date", today),
            is_sale=SQL("sale.amount > 0") if metric.kind in AMOUNT_KINDS else SQL("sale.root_id IS NOT NULL"),
            sales=metric._get_contribution_rows(program, Window(first, today)),
            program=program.id,
        )

    @api.model
    def _get_tier_outcome(self, program):
        """Return what became of a tier at risk: lost once the member falls, won back when the risk is gone."""
        return SQL(
            """CASE WHEN membership <> 'active'
                      OR array_position(%(tiers)s, tier_id) < array_position(%(tiers)s, tier_then) THEN 'lost'
                    WHEN risk_tier_id IS NULL THEN 'won' END""",
            tiers=SQL("(%s::integer[])", program._get_tiers().ids),
        )

    @api.model
    def _get_quiet_outcome(self):
        """Return what became of a quiet member: one sale alone does not win back who usually has many."""
        return SQL(
            """CASE WHEN day IS NOT NULL AND (is_over OR NOT is_quiet) THEN 'won'
                    WHEN day IS NULL AND is_over THEN 'lost' END"""
        )
