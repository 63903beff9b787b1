from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, formatLang

from ..const import LEDGER_DIGITS, UNITS
from .partner_loyalty_bonus_evaluation import RANK_CONDITIONS, SILENCE_CONDITIONS

LINE = "partner.loyalty.bonus.line"
UNIT_KINDS = tuple(unit for unit, _label in UNITS)


class PartnerLoyaltyBonusEffect(models.Model):
    """Something that members get by a bonus action. What is no amount is done by ``_apply_<kind>``, once a line.

    Lines that something could not be done for are returned; they say so with their reason.
    """

    _name = "partner.loyalty.bonus.effect"
    _description = "Effect of a Bonus Action"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "action_id, sequence, id"
    _rec_name = "summary"

    # === FIELDS ===#

    action_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.action", required=True, index=True, ondelete="cascade"
    )
    program_id = fields.Many2one(related="action_id.program_id")
    company_id = fields.Many2one(related="action_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    condition = fields.Selection(related="action_id.condition")
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        selection=[
            *UNITS,
            ("reward", "Reward"),
            ("tier", "Tier"),
            ("badge", "Badge"),
            ("mail", "E-mail"),
            ("todo", "To-do for the Account Manager"),
            ("note", "Note on the Membership"),
        ],
        string="What",
        required=True,
        default="point",
    )
    basis = fields.Selection(
        selection=[("fixed", "A fixed amount"), ("metric", "By what the metric says"), ("rank", "By place")],
        string="How Much",
        required=True,
        default="fixed",
    )
    amount = fields.Float(digits=LEDGER_DIGITS, aggregator=None)
    step = fields.Float(
        string="For Each",
        digits=LEDGER_DIGITS,
        default=1,
        aggregator=None,
        help="The amount is given for each so much of the value, in proportion.",
    )
    rank_ids = fields.One2many(
        comodel_name="partner.loyalty.bonus.rank", inverse_name="effect_id", string="Places", copy=True
    )
    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward",
        domain="[('program_id', '=', program_id)]",
        index="btree_not_null",
        ondelete="restrict",
        help="Members get it without points, as far as they can have it: within its days, tiers, segments and pieces.",
    )
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        domain="[('program_id', '=', program_id)]",
        index="btree_not_null",
        ondelete="restrict",
        help="Members below it are put into it by hand, from the day after they get it; others keep what they have.",
    )
    tier_months = fields.Integer(
        string="For (Months)",
        default=12,
        aggregator=None,
        help="On the last day it is decided again which tier was reached. Until then the tier stays, also where the "
        "bonus is taken back.",
    )
    badge_id = fields.Many2one(
        comodel_name="gamification.badge",
        index="btree_not_null",
        ondelete="restrict",
        help="The member holds it, and each of its contacts who has a login gets it as well.",
    )
    template_id = fields.Many2one(
        comodel_name="mail.template",
        string="E-mail Template",
        domain=[("model", "=", LINE)],
        index="btree_not_null",
        ondelete="restrict",
        help="It goes to the address of the company.",
    )
    text = fields.Char(translate=True, help="What the to-do or the note says; the reason of the bonus is added.")
    todo_days = fields.Integer(string="Due in (Days)", default=7, aggregator=None)
    summary = fields.Char(string="What They Get", compute="_compute_summary")

    # === CONSTRAINTS ===#

    _amount_positive = models.Constraint(
        "CHECK (kind NOT IN ('point', 'money') OR basis = 'rank' OR (amount > 0 AND amount < 1000000000000))",
        "A bonus adds something: enter an amount above zero.",
    )
    _step_positive = models.Constraint(
        "CHECK (step > 0)", "The amount is for each so much of the value: enter a number above zero."
    )
    _tier_months_range = models.Constraint(
        "CHECK (tier_months BETWEEN 1 AND 36)", "A tier is given for 1 to 36 months: enter a number in between."
    )
    _todo_days_range = models.Constraint(
        "CHECK (todo_days BETWEEN 0 AND 365)", "A to-do is due in 0 to 365 days: enter a number in between."
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "kind",
        "basis",
        "amount",
        "step",
        "rank_ids",
        "reward_id",
        "tier_id",
        "tier_months",
        "badge_id",
        "template_id",
        "text",
    )
    @api.depends_context("lang")
    def _compute_summary(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for effect in self:
            detail = {
                "reward": effect.reward_id.name,
                "tier": effect._get_tier_text(),
                "badge": effect.badge_id.display_name,
                "mail": effect.template_id.display_name,
                "todo": effect.text,
                "note": effect.text,
            }.get(effect.kind) or effect._get_amount_text()
            effect.summary = f"{labels.get(effect.kind, '')}: {detail or ''}"

    # === CONSTRAINT METHODS ===#

    @api.constrains("kind", "basis", "rank_ids", "action_id")
    def _check_basis(self):
        for effect in self.filtered(lambda effect: effect.kind in UNIT_KINDS):
            terms = {"action": effect.action_id.name}
            if effect.basis == "rank" and effect.action_id.condition not in RANK_CONDITIONS:
                raise ValidationError(
                    self.env._(
                        "“%(action)s” gives amounts by place, and nobody has a place: choose a condition on the best, "
                        "or a fixed amount.",
                        **terms,
                    )
                )
            if effect.basis == "metric" and not effect._has_metric():
                raise ValidationError(
                    self.env._(
                        "“%(action)s” gives amounts by a metric, and measures none: choose the metric, or a fixed "
                        "amount.",
                        **terms,
                    )
                )

    @api.constrains("kind", "tier_id", "action_id")
    def _check_tier(self):
        self.action_id._check_tiers()

    @api.constrains("kind", "basis", "rank_ids", "reward_id", "tier_id", "template_id", "badge_id", "text")
    def _check_complete(self):
        for effect in self:
            reason = effect._get_missing_text()
            if reason:
                raise ValidationError(reason)

    # === BUSINESS METHODS ===#

    def _has_metric(self):
        """Return whether the value of the action is that of a metric, for each member its own."""
        action = self.action_id
        if action.condition == "goal":
            return action.goal_id.scope == "member"
        return bool(action.metric_id) and action.condition not in ("streak", *SILENCE_CONDITIONS)

    def _get_missing_text(self):
        """Return what is missing for the effect to be possible, in words, or None."""
        self.ensure_one()
        terms = {"action": self.action_id.name}
        if self.kind == "mail" and not self.template_id:
            return self.env._("“%(action)s” sends an e-mail: choose its template.", **terms)
        # Who sets up bonuses need not be able to edit templates.
        if self.kind == "mail" and self.template_id.sudo().model != LINE:
            return self.env._(
                "“%(template)s” is not a template for bonuses: choose one that applies to “%(model)s”.",
                template=self.template_id.display_name,
                model=self.env[LINE]._description,
            )
        if self.kind == "reward":
            return self._get_missing_reward_text()
        if self.kind == "tier" and not self.tier_id:
            return self.env._("“%(action)s” gives a tier: choose which one.", **terms)
        if self.kind == "badge" and not self.badge_id:
            return self.env._("“%(action)s” gives a badge: choose which one.", **terms)
        if self.kind in ("todo", "note") and not (self.text or "").strip():
            return self.env._("“%(action)s” writes something down: say what.", **terms)
        if self.kind in UNIT_KINDS and self.basis == "rank" and not self.rank_ids:
            return self.env._("“%(action)s” gives amounts by place: enter what each place is worth.", **terms)
        return None

    def _get_missing_reward_text(self):
        """Return what is missing for a reward to be given, in words, or None."""
        terms = {"action": self.action_id.name}
        if not self.reward_id:
            return self.env._("“%(action)s” gives a reward: choose which one.", **terms)
        if self.reward_id.program_id != self.program_id:
            return self.env._(
                "“%(action)s” gives “%(reward)s”, a reward of another program: choose one of its own.",
                reward=self.reward_id.name,
                **terms,
            )
        if self.reward_id.kind == "mdf":
            return self.env._(
                "“%(action)s” gives “%(reward)s”, and marketing money is asked for with a plan: choose another reward.",
                reward=self.reward_id.name,
                **terms,
            )
        return None

    def _apply(self, lines):
        """Do what the effect is about for lines that are given now; amounts are posted before.

        :param lines: recordset of ``partner.loyalty.bonus.line``
        """
        self.ensure_one()
        if self.kind in UNIT_KINDS:
            return
        missing = self._get_missing_text()
        if missing:
            raise UserError(missing)
        omitted = getattr(self, f"_apply_{self.kind}")(lines)
        for line in omitted:
            line.reason = {**line.reason, "omitted": [*line.reason.get("omitted", ()), self.kind]}

    def _apply_reward(self, lines):
        """Give a reward to members without points.

        :return: lines whose members cannot have it; they say why
        """
        refused = self.env["partner.loyalty.claim"]._grant(self.reward_id, lines)
        for line, refusal in refused.items():
            line.reason = {**line.reason, "reward_refusal": refusal}
        return lines.browse([line.id for line in refused])

    def _apply_tier(self, lines):
        """Put members into a tier for a time, from tomorrow on, as a manager does by hand; nobody falls by it.

        :return: lines whose members have the tier or a higher one, or have left
        """
        omitted, until = lines.browse(), self._get_tier_end()
        for line in lines:
            member = line.member_id.root_id
            current = member.tier_period_ids._get_lasting()
            if member.state != "ended" and current and current.tier_id._is_below(self.tier_id):
                reason = self.env._("%(bonus)s: %(reason)s", bonus=self.action_id.name, reason=line.reason_text)
                current._set_by_hand(self.tier_id, until, reason)
            else:
                omitted += line
        if lines - omitted:
            self.action_id.program_id._refresh_tiers()
        return omitted

    def _apply_badge(self, lines):
        """Give a badge to the members, and so to their contacts who have a login.

        :return: lines whose members have no such contact
        """
        Badge, today = self.env["partner.loyalty.badge"], self.action_id.program_id._get_today()
        Badge._award(
            [
                {
                    "member_id": line.member_id.root_id.id,
                    "badge_id": self.badge_id.id,
                    "date": today,
                    "reason": line.reason_text,
                    "bonus_line_id": line.id,
                }
                for line in lines
            ]
        )
        known = Badge._get_contacts_with_login(lines.member_id.root_id.partner_id)
        return lines.filtered(lambda line: line.member_id.root_id.partner_id not in known)

    def _apply_mail(self, lines):
        """Send an e-mail to the address of each company, with the next mails that Odoo sends.

        :return: lines whose companies have no address
        """
        reachable = lines.filtered("partner_id.email")
        if reachable:
            mails = self.template_id.send_mail_batch(reachable.ids, force_send=False)
            for mail, line in zip(mails, reachable, strict=True):
                mail.recipient_ids |= line.partner_id
        return lines - reachable

    def _apply_todo(self, lines):
        """Plan a to-do for the account manager of each member, or for the responsible of the program.

        :return: lines that nobody is responsible for
        """
        responsible = self.action_id.program_id.user_id
        todo = self.env.ref("mail.mail_activity_data_todo")
        deadline = self.action_id.program_id._get_today() + timedelta(days=self.todo_days)
        looked_after = lines.filtered(lambda line: line.partner_id.user_id or responsible)
        vals_list = []
        for line in looked_after:
            user = line.partner_id.user_id or responsible
            vals_list.append(
                {
                    "res_model_id": self.env["ir.model"]._get_id(line.member_id._name),
                    "res_id": line.member_id.root_id.id,
                    "activity_type_id": todo.id,
                    "summary": self.with_context(lang=user.lang).text,
                    "note": line.with_context(lang=user.lang).reason_text,
                    "user_id": user.id,
                    "date_deadline": deadline,
                }
            )
        self.env["mail.activity"].create(vals_list)
        return lines - looked_after

    def _apply_note(self, lines):
        """Write a note on each membership."""
        members = lines.member_id
        members._message_log_batch(
            bodies={line.member_id.id: f"{self.text} ({line.action_id.name}: {line.reason_text})" for line in lines}
        )
        return lines.browse()

    # === GETTERS ===#

    def _get_amount(self):
        """Return what a row with ``value`` and ``rank`` gets before rounding.

        :rtype: SQL
        """
        self.ensure_one()
        amount = SQL("%s::numeric", f"{self.amount:.4f}")
        if self.basis == "metric":
            return SQL("GREATEST(0, COALESCE(value, 0)) * %s / %s::numeric", amount, f"{self.step:.4f}")
        if self.basis == "rank":
            places = [
                SQL(
                    "WHEN rank BETWEEN %s AND %s THEN %s::numeric",
                    place.rank_from,
                    place.rank_to,
                    f"{place.amount:.4f}",
                )
                for place in self.rank_ids
            ]
            return SQL("CASE %s ELSE 0 END", SQL(" ").join(places)) if places else SQL("0")
        return amount

    def _get_tier_end(self):
        """Return the last day of a tier that is given now."""
        tomorrow = self.action_id.program_id._get_today() + timedelta(days=1)
        return tomorrow + relativedelta(months=self.tier_months, days=-1)

    def _get_tier_text(self):
        """Return in words which tier the effect gives, and for how long."""
        return self.env._("%(tier)s for %(months)s months", tier=self.tier_id.name or "", months=self.tier_months)

    def _get_amount_text(self):
        """Return in words how much the effect gives."""
        if self.basis == "rank":
            return ", ".join(
                f"{place.rank_from}–{place.rank_to}: {self._format_amount(place.amount)}"
                if place.rank_to > place.rank_from
                else f"{place.rank_from}: {self._format_amount(place.amount)}"
                for place in self.rank_ids.sorted("rank_from")
            )
        if self.basis == "metric":
            return self.env._(
                "%(amount)s for each %(step)s of %(metric)s",
                amount=self._format_amount(self.amount),
                step=self.env[LINE]._format_number(str(self.step)),
                metric=self.action_id._get_metric().name or "",
            )
        return self._format_amount(self.amount)

    def _format_amount(self, amount):
        if self.kind == "money":
            return formatLang(self.env, amount, currency_obj=self.currency_id)
        return self.env[LINE]._format_number(str(amount))
