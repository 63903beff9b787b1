from collections import defaultdict
from datetime import timedelta
from statistics import fmean, stdev

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from ..const import LEDGER_DIGITS
from ..tools import trial
from ..tools.window import Window

# Into so many sizes members are sorted.
SIZES = 3


# What the comparison finds, and nobody else sets.
RESULT_FIELDS = (
    "measured_on",
    "treatment_count",
    "control_count",
    "treatment_owner_count",
    "control_owner_count",
    "treatment_before",
    "treatment_now",
    "control_before",
    "control_now",
    "effect",
    "has_interval",
    "effect_low",
    "effect_high",
    "effect_share",
    "verdict",
)


class PartnerLoyaltyPilotComparison(models.AbstractModel):
    """How the groups of a pilot are drawn and compared, and what that says; the arithmetic is in ``tools/trial.py``.

    What counts is by how much the value of each member changed, from as many days before to the days of the pilot: the
    effect is the mean change of who has it less that of the control group, among members of one tier and size.

    Members of one owner buy for each other and know of each other, so they are drawn together and are one observation:
    the average of them. Counted one by one, they would make the interval narrower than what is known. Source: R. J.
    Hayes and L. H. Moulton, Cluster Randomised Trials, 2nd edition (2017), chapter 10, analysis of cluster summaries.
    """

    _name = "partner.loyalty.pilot.comparison"
    _description = "Comparison of the Groups of a Pilot"

    # === FIELDS ===#

    measured_on = fields.Date(string="As of", readonly=True, copy=False)
    is_provisional = fields.Boolean(compute="_compute_is_provisional")
    treatment_count = fields.Integer(string="Members Who Have It", readonly=True, copy=False, aggregator=None)
    control_count = fields.Integer(string="Members Without", readonly=True, copy=False, aggregator=None)
    treatment_owner_count = fields.Integer(string="Owners Who Have It", readonly=True, copy=False, aggregator=None)
    control_owner_count = fields.Integer(string="Owners Without", readonly=True, copy=False, aggregator=None)
    treatment_before = fields.Float(digits=LEDGER_DIGITS, readonly=True, copy=False, aggregator=None)
    treatment_now = fields.Float(digits=LEDGER_DIGITS, readonly=True, copy=False, aggregator=None)
    control_before = fields.Float(digits=LEDGER_DIGITS, readonly=True, copy=False, aggregator=None)
    control_now = fields.Float(digits=LEDGER_DIGITS, readonly=True, copy=False, aggregator=None)
    effect = fields.Float(
        digits=LEDGER_DIGITS,
        readonly=True,
        copy=False,
        aggregator=None,
        help="By how much the metric of a member who has it changed more than that of one without.",
    )
    has_interval = fields.Boolean(readonly=True, copy=False)
    effect_low = fields.Float(string="Effect from", digits=LEDGER_DIGITS, readonly=True, copy=False, aggregator=None)
    effect_high = fields.Float(
        string="Effect to",
        digits=LEDGER_DIGITS,
        readonly=True,
        copy=False,
        aggregator=None,
        help="Intervals of this kind contain the true effect in 95 of 100 pilots.",
    )
    effect_share = fields.Float(
        string="Effect (%)",
        digits=(16, 1),
        readonly=True,
        copy=False,
        aggregator=None,
        help="In percent of what the control group has in the same days.",
    )
    verdict = fields.Selection(
        selection=[
            ("works", "Works"),
            ("none", "Does Not Work"),
            ("harms", "Harms"),
            ("unclear", "Too Few Partners to Tell"),
        ],
        readonly=True,
        copy=False,
    )
    verdict_text = fields.Text(compute="_compute_verdict_text")
    balance_text = fields.Text(compute="_compute_balance_text")
    outlook_text = fields.Text(compute="_compute_outlook", compute_sudo=False)
    is_too_small = fields.Boolean(compute="_compute_outlook", compute_sudo=False)
    comparison = fields.Html(compute="_compute_comparison", sanitize=False)

    # === COMPUTE METHODS ===#

    @api.depends("measured_on", "date_to")
    def _compute_is_provisional(self):
        for pilot in self:
            pilot.is_provisional = bool(pilot.measured_on) and pilot.measured_on <= pilot.date_to

    @api.depends("measured_on", "verdict", "effect", "effect_low", "effect_high", "assignment")
    @api.depends_context("lang")
    def _compute_verdict_text(self):
        for pilot in self:
            pilot.verdict_text = pilot.measured_on and pilot._get_verdict_text()

    @api.depends("member_ids.baseline", "state")
    @api.depends_context("lang")
    def _compute_balance_text(self):
        for pilot in self:
            pilot.balance_text = pilot.state != "draft" and pilot._get_balance_text()

    @api.depends(
        "program_id",
        "metric_id",
        "tried",
        "rule_id",
        "assignment",
        "segment_ids",
        "share",
        "date_from",
        "date_to",
        "relevant_share",
        "state",
    )
    @api.depends_context("lang")
    def _compute_outlook(self):
        for pilot in self:
            pilot.outlook_text, pilot.is_too_small = pilot._get_outlook() if pilot._can_look_ahead() else (False, False)

    @api.depends("measured_on")
    @api.depends_context("lang")
    def _compute_comparison(self):
        for pilot in self:
            pilot.comparison = pilot.measured_on and self.env["ir.qweb"]._render(
                "partner_loyalty.partner_loyalty_pilot_comparison", {"pilot": pilot, "rows": pilot._get_rows()}
            )

    # === DRAWING ===#

    def _get_candidates(self):
        """Return the members who take part: all active ones but those to whom the rule is guaranteed.

        :rtype: recordset of ``partner.loyalty.member``
        """
        self.ensure_one()
        domain = Domain([("program_id", "=", self.program_id.id), ("state", "=", "active")])
        if self.tried == "rule" and self.family_id:
            domain &= ~Domain(
                "agreement_ids", "any", [("kind", "=", "guarantee"), ("family_id", "=", self.family_id.id)]
            )
        # Who sets up a pilot compares all members, whoever looks after them.
        return self.env["partner.loyalty.member"].sudo().search(domain, order="id")

    def _get_owners(self):
        """Return the owner of each member that takes part: the head of its group, or itself.

        :rtype: dict[int, int]
        """
        return {member.id: member.group_root_id.id or member.id for member in self._get_candidates()}

    def _get_strata(self):
        """Return among which members each is drawn: of one tier and one size; all of one owner among the same.

        :return: key that sorts, the last part of which is its name, by id of the member
        :rtype: dict[int, tuple]
        """
        members = self._get_candidates()
        sizes = self._get_sizes(self._get_owners()) if self.by_size else {}
        labels = (self.env._("large"), self.env._("middle"), self.env._("small"))
        strata = {}
        for member in members:
            owner = member.group_root_id or member
            tier = owner.tier_id if self.by_tier else owner.tier_id.browse()
            size = sizes.get(owner.id)
            names = [*filter(None, [tier.name]), *([] if size is None else [labels[size]])]
            strata[member.id] = (tier.sequence, tier.id or 0, size or 0, ", ".join(names) or self.env._("all"))
        return strata

    def _get_sizes(self, owners):
        """Return the third that each owner belongs to by the turnover of its members in a year: 0 for the largest.

        :param dict owners: see :meth:`_get_owners`
        :rtype: dict[int, int]
        """
        metric = self.env.ref("partner_loyalty.partner_loyalty_metric_turnover", raise_if_not_found=False)
        metric = metric or self.metric_id
        today = self.program_id._get_today()
        values = self._get_values(Window(today - relativedelta(years=1), today - timedelta(days=1)), metric)
        turnover = dict.fromkeys(owners.values(), 0)
        for member_id, owner_id in owners.items():
            turnover[owner_id] += values.get(member_id) or 0
        order = sorted(turnover, key=lambda owner_id: (-turnover[owner_id], owner_id))
        return {owner_id: SIZES * place // len(order) for place, owner_id in enumerate(order)}

    def _draw(self, strata):
        """Return the group of each member: drawn, all members of an owner together, or by its segments.

        :param dict strata: see :meth:`_get_strata`
        :rtype: dict[int, str]
        """
        if self.assignment == "random":
            owners = self._get_owners()
            drawn = trial.assign({owners[key]: strata[key] for key in strata}, self.share / 100, self.seed)
            return {key: drawn[owners[key]] for key in sorted(strata)}
        chosen = set(self._get_chosen().ids)
        return {key: trial.TREATMENT if key in chosen else trial.CONTROL for key in sorted(strata)}

    def _get_chosen(self):
        """Return the members that belong to the segments."""
        partners = Domain.OR([segment._get_partner_domain(self.program_id) for segment in self.segment_ids])
        candidates = self._get_candidates()
        return candidates.search(Domain("id", "in", candidates.ids) & Domain("partner_id", "any", partners))

    def _count_groups(self):
        """Return how many members would have it, and how many not; those of one owner count as one.

        :rtype: tuple[int, int]
        """
        owners = self._get_owners()
        if self.assignment == "random":
            count = len(set(owners.values()))
            with_it = round(count * self.share / 100)
            return with_it, count - with_it
        chosen = set(self._get_chosen().ids)
        groups = [{owners[key] for key in owners if (key in chosen) == is_chosen} for is_chosen in (True, False)]
        return len(groups[0]), len(groups[1])

    # === MEASURING ===#

    def _get_windows(self, last):
        """Return the days of the pilot up to a day, and as many before it.

        :rtype: tuple[Window, Window]
        """
        window = Window(self.date_from, max(self.date_from, min(self.date_to, last)), by="root_id")
        return window, window.get_previous()

    def _get_values(self, window, metric=None):
        """Return what the metric is for each member; None where there is no value.

        :rtype: dict[int, Decimal]
        """
        # Who may see a pilot sees its figures, though not each document behind them.
        metric_sudo = (metric or self.metric_id).sudo()
        return metric_sudo._get_values(self.program_id, window._replace(by="root_id"))

    def _get_baseline(self):
        """Return what members had in as many days before the start as the pilot lasts, as far as is known today."""
        return self._get_values(self._get_windows(self.date_to)[1])

    def _measure(self):
        """Note what the metric is for each member now and was before, and what the comparison says."""
        self.ensure_one()
        today = self.program_id._get_today()
        window, before = self._get_windows(today)
        metric = self.metric_id
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_pilot_member line
                   SET value_before = measured.before, value_now = measured.now,
                       change = measured.now - measured.before,
                       is_measured = measured.now IS NOT NULL AND measured.before IS NOT NULL
                  FROM (SELECT member.id, CASE WHEN member.root_id = member.id THEN COALESCE(before.value, %(zero)s) END
                                   AS before,
                               CASE WHEN member.root_id = member.id THEN COALESCE(now.value, %(zero)s) END AS now
                          FROM partner_loyalty_member member
                     LEFT JOIN (%(before)s) before ON before.root_id = member.id
                     LEFT JOIN (%(now)s) now ON now.root_id = member.id
                         WHERE member.program_id = %(program)s) measured
                 WHERE line.pilot_id = %(pilot)s AND measured.id = line.member_id
                """,
                zero=metric._get_zero(),
                before=metric._get_value_query(self.program_id, before),
                now=metric._get_value_query(self.program_id, window),
                program=self.program_id.id,
                pilot=self.id,
            )
        )
        self.member_ids.invalidate_recordset(flush=False)
        self.write({"measured_on": today, **self._get_result_vals()})

    def _get_result_vals(self):
        """Return what the comparison says of the values that were noted.

        :rtype: dict
        """
        strata = self._get_measured()
        lines = self.member_ids.filtered("is_measured")
        means, counts = {}, {}
        for place, arm in enumerate((trial.TREATMENT, trial.CONTROL)):
            rows = [row for groups in strata for row in groups[place]]
            counts[f"{arm}_count"] = len(lines.filtered(lambda line, arm=arm: line.arm == arm))
            counts[f"{arm}_owner_count"] = len(rows)
            means[f"{arm}_before"] = fmean([before for before, _now in rows] or [0])
            means[f"{arm}_now"] = fmean([now for _before, now in rows] or [0])
        estimate = trial.estimate(
            [tuple([now - before for before, now in rows] for rows in groups) for groups in strata]
        )
        relevant = abs(means["control_before"]) * self.relevant_share / 100
        now = means["control_now"]
        return {
            **counts,
            **means,
            "effect": estimate.effect,
            "has_interval": estimate.low is not None,
            "effect_low": estimate.low or 0,
            "effect_high": estimate.high or 0,
            "effect_share": 100 * estimate.effect / abs(now) if now else 0,
            "verdict": self._get_verdict(estimate, relevant),
        }

    def _get_measured(self):
        """Return the values before and now of each owner that is compared, by what its members were drawn among.

        Who was chosen was drawn among nobody.

        :return: for each stratum, the pairs of those who have it and of the control group
        :rtype: list[tuple[list, list]]
        """
        strata = defaultdict(lambda: ([], []))
        for line in self.member_ids.filtered("is_measured"):
            stratum = line.stratum if self.assignment == "random" else None
            owner = line.owner_id or line.member_id
            strata[stratum][line.arm == trial.CONTROL].append((owner.id, (line.value_before, line.value_now)))
        return [tuple(trial.average_by_owner(rows) for rows in groups) for groups in strata.values()]

    def _get_verdict(self, estimate, relevant):
        """Return what an estimate says.

        :param Estimate estimate: effect and interval
        :param float relevant: the smallest effect that is worth having
        :rtype: str
        """
        if estimate.low is None:
            return "unclear"
        sign = -1 if self.metric_id.direction == "down" else 1
        low, high = sorted((sign * estimate.low, sign * estimate.high))
        if low > 0:
            return "works"
        if high < 0:
            return "harms"
        return "none" if high < relevant else "unclear"

    # === WORDS - BEFORE ===#

    def _can_look_ahead(self):
        """Return whether a draft is complete, and the user may see what it is about."""
        self.ensure_one()
        is_complete = self.program_id and self.metric_id and self.date_from and self.date_to and 0 < self.share < 100
        if self.state != "draft" or not is_complete or not 0 < (self.date_to - self.date_from).days < 1100:
            return False
        if self.assignment == "segment" and not self.segment_ids:
            return False
        return self.program_id.has_access("read") and self.metric_id.has_access("read")

    def _get_outlook(self):
        """Return in words what effect the pilot could show, and whether that is more than what is looked for.

        By how much members differ in their change is taken from as long a time that is over, and the one before it.

        :rtype: tuple[str, bool]
        """
        with_it, without = self._count_groups()
        if min(with_it, without) < 2:
            return self.env._("There are too few members: both groups need two at least."), True
        yesterday = self.program_id._get_today() - timedelta(days=1)
        window = Window(yesterday - (self.date_to - self.date_from), yesterday, by="root_id")
        now, before = self._get_values(window), self._get_values(window.get_previous())
        known = trial.average_by_owner(
            (owner_id, (float(before[key]), float(now[key])))
            for key, owner_id in self._get_owners().items()
            if before.get(key) is not None and now.get(key) is not None
        )
        terms = {"members": with_it + without, "treatment": with_it, "control": without}
        if len(known) < 2 or not stdev([after - prior for prior, after in known]):
            return self.env._(
                "Of %(members)s members, %(treatment)s would have it and %(control)s would not. How much the metric "
                "varies is not known yet, so nobody can say which effect they could show.",
                **terms,
            ), False
        return self._get_outlook_of(known, terms)

    def _get_outlook_of(self, known, terms):
        """Return the outlook where the change of members in the past is known.

        :param list known: pairs of values, before and then
        :param dict terms: numbers of members
        :rtype: tuple[str, bool]
        """
        deviation, mean = stdev([now - before for before, now in known]), fmean(now for _before, now in known)
        smallest = trial.smallest_effect(deviation, terms["treatment"], terms["control"])
        share = 100 * smallest / abs(mean) if mean else None
        text = self.env._(
            "Of %(members)s members, %(treatment)s would have it and %(control)s would not. As their values varied in "
            "the past, so many can show an effect of %(smallest)s for each member, and larger ones; smaller ones would "
            "go unseen more often than in one of five pilots.",
            smallest=self._format(smallest) if share is None else f"{self._format(smallest)} ({share:.0f} %)",
            **terms,
        )
        owners = self._get_owners()
        owner_text = self._get_owner_text(len(owners), len(set(owners.values())))
        if share is None or share <= self.relevant_share:
            return " ".join(filter(None, (text, owner_text))), False
        advice = self.env._(
            "That is more than the %(relevant)s %% that would be worth having: try it longer, on a metric that varies "
            "less, or with more members.",
            relevant=formatLang(self.env, self.relevant_share, digits=0),
        )
        return " ".join(filter(None, (text, advice, owner_text))), True

    # === WORDS - SINCE ===#

    def _get_balance_text(self):
        """Say how alike the groups were at the start.

        :rtype: str
        """
        self.ensure_one()
        lines = self.member_ids.filtered("has_baseline")
        groups = [lines.filtered(lambda line, arm=arm: line.arm == arm) for arm in (trial.TREATMENT, trial.CONTROL)]
        values = [
            [
                value
                for (value,) in trial.average_by_owner(
                    ((line.owner_id or line.member_id).id, (line.baseline,)) for line in group
                )
            ]
            for group in groups
        ]
        difference = trial.standardized_difference(*values)
        text = self.env._(
            "At the start, %(treatment)s members had it and %(control)s had not. Before, each of the former had "
            "%(with_it)s on average, and each of the latter %(without)s: %(difference)s standard deviations apart.",
            treatment=len(self.member_ids.filtered(lambda line: line.arm == trial.TREATMENT)),
            control=len(self.member_ids.filtered(lambda line: line.arm == trial.CONTROL)),
            with_it=self._format(fmean(values[0] or [0])),
            without=self._format(fmean(values[1] or [0])),
            difference=formatLang(self.env, abs(difference), digits=2),
        )
        owners = {(line.arm, (line.owner_id or line.member_id).id) for line in self.member_ids}
        owner_text = self._get_owner_text(len(self.member_ids), len(owners))
        if abs(difference) <= trial.BALANCE_LIMIT:
            return " ".join(filter(None, (text, owner_text)))
        warning = self.env._(
            "That is a lot: they were not alike. Only changes are compared, but large and small members need not "
            "change alike, so read the result with care."
        )
        return " ".join(filter(None, (text, warning, owner_text)))

    def _get_owner_text(self, members, owners):
        """Say that members of one owner count as one, where there are any; nothing else.

        :param int members: number of members
        :param int owners: number of their owners
        :rtype: str
        """
        if owners >= members:
            return ""
        return self.env._(
            "Members of one owner are in one group and count as one, by their average: %(members)s members belong to "
            "%(owners)s owners, and so many are compared.",
            members=members,
            owners=owners,
        )

    def _get_verdict_text(self):
        """Say what came of the pilot, in a sentence, and how far that can be relied on.

        :rtype: str
        """
        self.ensure_one()
        text = getattr(self, f"_get_text_{self.verdict}")(
            {
                "tried": self._get_tried().display_name,
                "metric": self.metric_id.name,
                "effect": self._format_effect(self.effect),
                "low": self._format_effect(self.effect_low),
                "high": self._format_effect(self.effect_high),
                "relevant": formatLang(self.env, self.relevant_share, digits=0),
            }
        )
        return " ".join(filter(None, (self._get_provisional_text(), text, self._get_indication_text())))

    def _get_provisional_text(self):
        if not self.is_provisional:
            return ""
        return self.env._(
            "Provisional, as the pilot lasts until %(day)s; who decides as soon as it looks good is wrong more often.",
            day=format_date(self.env, self.date_to),
        )

    def _get_indication_text(self):
        if self.assignment == "random":
            return ""
        return self.env._("The groups were chosen and not drawn: this is an indication, not proof.")

    def _get_text_works(self, terms):
        return self.env._(
            "“%(tried)s” works: for each member who has it, %(metric)s changed by %(effect)s more than without it "
            "(95 %% interval: %(low)s to %(high)s).",
            **terms,
        )

    def _get_text_harms(self, terms):
        return self.env._(
            "“%(tried)s” harms: for each member who has it, %(metric)s changed by %(effect)s compared with members "
            "without it (95 %% interval: %(low)s to %(high)s).",
            **terms,
        )

    def _get_text_none(self, terms):
        return self.env._(
            "“%(tried)s” does not work: %(metric)s changed by %(effect)s compared with members without it, and an "
            "effect of %(relevant)s %% can be ruled out (95 %% interval: %(low)s to %(high)s).",
            **terms,
        )

    def _get_text_unclear(self, terms):
        if not self.has_interval:
            return self.env._("There are too few partners to tell: nothing can be said of “%(tried)s” yet.", **terms)
        return self.env._(
            "There are too few partners to tell: with “%(tried)s”, %(metric)s changed by %(effect)s compared with "
            "members without it, and anything from %(low)s to %(high)s is possible.",
            **terms,
        )

    def _get_rows(self):
        """Return the lines of the table that compares the groups.

        :return: dicts of ``name, count, before, now, change``, in words
        :rtype: list[dict]
        """
        labels = {trial.TREATMENT: self.env._("With it"), trial.CONTROL: self.env._("Control group")}
        return [
            {
                "name": label,
                "count": self._get_count_text(self[f"{arm}_count"], self[f"{arm}_owner_count"]),
                "before": self._format(self[f"{arm}_before"]),
                "now": self._format(self[f"{arm}_now"]),
                "change": self._format_effect(self[f"{arm}_now"] - self[f"{arm}_before"]),
            }
            for arm, label in labels.items()
        ]

    def _get_count_text(self, members, owners):
        """Return how many members are compared, and of how many owners where they are fewer."""
        if not 0 < owners < members:
            return str(members)
        return self.env._("%(members)s of %(owners)s owners", members=members, owners=owners)

    def _format(self, value):
        """Return a value as people read it, without more decimals than it has a meaning."""
        return self.metric_id._format_value(round(value, 2), self.currency_id)

    def _format_effect(self, value):
        return f"+{self._format(value)}" if round(value, 2) > 0 else self._format(value)
