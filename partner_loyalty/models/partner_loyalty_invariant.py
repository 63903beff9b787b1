from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..const import ENTRY_TYPES, MEMBER, SPEND_TYPES, TOUCH_KINDS


class Invariant(NamedTuple):
    """Something that must always hold.

    :param code: short and stable name
    :param sentence: what must hold, in words
    :param model: model of the records that the query returns
    :param query: ``SELECT program_id, id`` of what violates it; no program for what concerns the whole database
    """

    code: str
    sentence: str
    model: str
    query: SQL


class PartnerLoyaltyInvariant(models.AbstractModel):
    """What must always hold in the ledger, each as one query that works it out from nothing.

    A module adds its own by extending :meth:`_get_invariants`.
    """

    _name = "partner.loyalty.invariant"
    _description = "Loyalty Invariant"

    # === BUSINESS METHODS ===#

    @api.model
    def _find_violations(self, programs=None):
        """Work out every invariant.

        :param programs: only these programs; all by default
        :return: invariant and the ids that violate it, also where there are none
        :rtype: list[tuple[Invariant, list[int]]]
        """
        self.env.flush_all()
        within = SQL("program_id IS NULL OR program_id = ANY(%s)", programs.ids) if programs else SQL("TRUE")
        found = []
        for invariant in self._get_invariants():
            rows = self.env.execute_query(
                SQL("SELECT DISTINCT id FROM (%s) violation WHERE %s ORDER BY id", invariant.query, within)
            )
            found.append((invariant, [row[0] for row in rows]))
        return found

    @api.model
    def _get_invariants(self):
        """Return all invariants, in the order of their codes.

        :rtype: list[Invariant]
        """
        return [
            *self._get_guard_invariants(),
            *self._get_balance_invariants(),
            *self._get_sum_invariants(),
            *self._get_spend_invariants(),
            *self._get_lot_invariants(),
            *self._get_payout_invariants(),
            *self._get_decision_invariants(),
            *self._get_adjustment_invariants(),
            *self._get_bonus_invariants(),
            *self._get_claim_invariants(),
            *self._get_claim_decision_invariants(),
            *self._get_company_invariants(),
            *self._get_period_invariants(),
            *self._get_tier_invariants(),
            *self._get_explanation_invariants(),
        ]

    # === INVARIANTS ===#

    @api.model
    def _get_guard_invariants(self):
        """Lines cannot be changed or doubled: the guards are in place."""
        return [
            Invariant(
                "I1",
                self.env._("Lines are never changed or deleted: the guards of the tables are in place"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT NULL::integer AS program_id, 0 AS id
                         FROM unnest(ARRAY['entry', 'allocation']) AS name, unnest(ARRAY['update', 'delete']) AS event
                        WHERE NOT EXISTS (
                              SELECT 1 FROM pg_trigger
                               WHERE tgrelid = ('partner_loyalty_' || name)::regclass AND tgenabled IN ('O', 'A')
                                 AND tgname = 'partner_loyalty_' || name || '_guard_' || event)"""
                ),
            ),
            Invariant(
                "I4",
                self.env._("A line is posted once: its key is unique, and so is an external reference"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT NULL::integer AS program_id, 0 AS id
                         FROM unnest(ARRAY['account_sequence_unique', 'key_unique', 'external_ref_unique']) AS name
                        WHERE NOT EXISTS (
                              SELECT 1 FROM pg_index
                               WHERE indexrelid = to_regclass('partner_loyalty_entry_' || name)
                                 AND indisunique AND indisvalid)
                        UNION ALL
                       SELECT MIN(program_id), MIN(id) FROM partner_loyalty_entry
                        GROUP BY COALESCE(rule_id, 0), account_id, origin_model, origin_id, period_start, revision
                       HAVING COUNT(*) > 1"""
                ),
            ),
        ]

    @api.model
    def _get_balance_invariants(self):
        """Balances and numbers of accounts."""
        return [
            Invariant(
                "I2",
                self.env._("A balance is the sum of its lines, and of what is open on them"),
                "partner.loyalty.account",
                SQL(
                    """SELECT account.program_id, account.id FROM partner_loyalty_account account
                    LEFT JOIN partner_loyalty_entry entry ON entry.account_id = account.id
                     GROUP BY account.id
                       HAVING account.balance <> COALESCE(SUM(entry.amount), 0)
                           OR account.balance <> COALESCE(SUM(entry.amount_open), 0)"""
                ),
            ),
            Invariant(
                "I10",
                self.env._("The lines of an account are numbered without gap"),
                "partner.loyalty.account",
                SQL(
                    """SELECT account.program_id, account.id FROM partner_loyalty_account account
                    LEFT JOIN partner_loyalty_entry entry ON entry.account_id = account.id
                     GROUP BY account.id
                       HAVING account.version <> COUNT(entry.id) OR account.version <> COALESCE(MAX(entry.sequence), 0)
                           OR MIN(entry.sequence) <> 1"""
                ),
            ),
        ]

    @api.model
    def _get_sum_invariants(self):
        """What adds up over several accounts."""
        return [
            Invariant(
                "I3",
                self.env._("A transfer takes from one account what it gives to another"),
                "partner.loyalty.member",
                SQL(
                    """SELECT MIN(entry.program_id) AS program_id, entry.origin_id AS id
                         FROM partner_loyalty_entry entry
                         JOIN partner_loyalty_account account ON account.id = entry.account_id
                        WHERE entry.type = 'transfer'
                     GROUP BY entry.origin_id, account.unit HAVING SUM(entry.amount) <> 0"""
                ),
            ),
            Invariant(
                "I15",
                self.env._("What was earned is expired, spent, paid, taken back or open"),
                "partner.loyalty.program",
                SQL(
                    """SELECT entry.program_id, entry.program_id AS id
                         FROM partner_loyalty_entry entry
                         JOIN partner_loyalty_account account ON account.id = entry.account_id
                     GROUP BY entry.program_id, account.unit
                       HAVING SUM(entry.amount) FILTER (WHERE entry.type IN %s) <> SUM(entry.amount_open)""",
                    tuple(name for name, _label in ENTRY_TYPES),
                ),
            ),
        ]

    @api.model
    def _get_spend_invariants(self):
        """Nothing is spent or given back beyond what is there."""
        return [
            Invariant(
                "I5",
                self.env._("Nothing is spent beyond what is there: only deductions leave a debt"),
                "partner.loyalty.entry",
                SQL(
                    "SELECT program_id, id FROM partner_loyalty_entry WHERE amount_open < 0 AND type IN %s", SPEND_TYPES
                ),
            ),
            Invariant(
                "I7",
                self.env._("No more is given back of a line than it took"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT entry.program_id, entry.id FROM partner_loyalty_entry entry
                         JOIN partner_loyalty_entry counter ON counter.reverses_id = entry.id
                     GROUP BY entry.id
                       HAVING SUM(counter.amount) > -entry.amount OR bool_or(counter.account_id <> entry.account_id)"""
                ),
            ),
        ]

    @api.model
    def _get_lot_invariants(self):
        """Who took what from which lot."""
        return [
            Invariant(
                "I6",
                self.env._("What is open of a line is what has not been allocated"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT entry.program_id, entry.id FROM partner_loyalty_entry entry
                    LEFT JOIN (SELECT id, SUM(amount) AS amount
                                 FROM (SELECT debit_entry_id AS id, amount FROM partner_loyalty_allocation
                                        UNION ALL
                                       SELECT credit_entry_id, amount FROM partner_loyalty_allocation) side
                             GROUP BY id) part ON part.id = entry.id
                        WHERE abs(entry.amount) - COALESCE(part.amount, 0) <> abs(entry.amount_open)"""
                ),
            ),
            Invariant(
                "I6b",
                self.env._("No earning is open beside a debt, as far as debts may take from it"),
                "partner.loyalty.account",
                SQL(
                    """SELECT entry.program_id, entry.account_id AS id
                         FROM partner_loyalty_entry entry
                         JOIN partner_loyalty_account account ON account.id = entry.account_id
                         JOIN partner_loyalty_program program ON program.id = entry.program_id
                         JOIN res_company company ON company.id = entry.company_id
                         JOIN res_currency currency ON currency.id = company.currency_id
                        WHERE entry.amount_open > 0
                          AND EXISTS (SELECT 1 FROM partner_loyalty_entry debt
                                       WHERE debt.account_id = entry.account_id AND debt.amount_open < 0)
                          AND %s > 0""",
                    self.env["partner.loyalty.allocation"]._get_recoverable(),
                ),
            ),
        ]

    @api.model
    def _get_payout_invariants(self):
        """Payouts and their bills."""
        return [
            Invariant(
                "I8",
                self.env._("A payout is the sum of its lines"),
                "partner.loyalty.payout",
                SQL(
                    """SELECT payout.program_id, payout.id FROM partner_loyalty_payout payout
                    LEFT JOIN partner_loyalty_entry entry
                           ON entry.origin_model = 'partner.loyalty.payout' AND entry.origin_id = payout.id
                     GROUP BY payout.id
                       HAVING COALESCE(SUM(entry.amount), 0)
                              <> CASE WHEN payout.decision IN ('submitted', 'second', 'held', 'approved')
                                      THEN -payout.amount ELSE 0 END"""
                ),
            ),
            Invariant(
                "I8b",
                self.env._("An approved payout has one bill, of its amount and currency"),
                "partner.loyalty.payout",
                SQL(
                    """SELECT payout.program_id, payout.id FROM partner_loyalty_payout payout
                    LEFT JOIN account_move bill
                           ON bill.loyalty_payout_id = payout.id AND bill.state <> 'cancel'
                          AND bill.payment_state <> 'reversed'
                     GROUP BY payout.id
                       HAVING COUNT(bill.id) > 1
                           OR COUNT(bill.id) > 0 AND payout.decision <> 'approved'
                           OR bool_or(bill.state = 'posted' AND (bill.amount_untaxed <> payout.bill_amount
                                                                 OR bill.currency_id <> payout.bill_currency_id))"""
                ),
            ),
        ]

    @api.model
    def _get_decision_invariants(self):
        """Who decided on what somebody had asked for."""
        return [
            self._get_decision_invariant(
                "I9",
                self.env._("Nobody approves what they prepared, and every decision has a user and a time"),
                "partner.loyalty.payout",
            ),
            Invariant(
                "I9f",
                self.env._("A payout that two managers approve is approved by two of them"),
                "partner.loyalty.payout",
                SQL(
                    """SELECT program_id, id FROM partner_loyalty_payout
                        WHERE first_approved_by_id IS NOT NULL AND is_decided_alone IS NOT TRUE
                          AND (decided_by_id = first_approved_by_id
                               OR first_approved_by_id IN (prepared_by_id, submitted_by_id))"""
                ),
            ),
            self._get_decision_invariant(
                "I9b",
                self.env._(
                    "Nobody approves an adjustment that they asked for, and every decision has a user and a time"
                ),
                "partner.loyalty.adjustment",
            ),
            self._get_decision_invariant(
                "I9c",
                self.env._("Nobody approves a deal that they registered, and every decision has a user and a time"),
                "partner.loyalty.deal",
            ),
            self._get_decision_invariant(
                "I9d",
                self.env._(
                    "Nobody approves an attribution change of their own, and every decision has a user and a time"
                ),
                "partner.loyalty.attribution",
            ),
        ]

    @api.model
    def _get_decision_invariant(self, code, name, model):
        """Return the invariant of who decided on the records of a model that has four eyes.

        :param str code: code of the invariant
        :param str name: what has to hold
        :param str model: a model with ``partner.loyalty.approval.mixin``
        :rtype: Invariant
        """
        records = self.env[model]
        asked_by = records._requester_fields[-1]
        query = SQL(
            """SELECT %(program)s AS program_id, id FROM %(table)s
                WHERE %(decision)s IN ('approved', 'refused')
                  AND (decided_by_id IS NULL OR decided_at IS NULL OR %(asked_by)s IS NULL OR %(asked_at)s IS NULL
                       OR decided_by_id IN (%(requesters)s) AND is_decided_alone IS NOT TRUE)""",
            program=SQL("program_id") if "program_id" in records._fields else SQL("NULL::integer"),
            table=SQL.identifier(records._table),
            decision=SQL.identifier(records._decision_field),
            asked_by=SQL.identifier(asked_by),
            asked_at=SQL.identifier(asked_by.replace("_by_id", "_at")),
            requesters=SQL(", ").join(SQL.identifier(field) for field in records._requester_fields),
        )
        return Invariant(code, name, model, query)

    @api.model
    def _get_adjustment_invariants(self):
        """Adjustments and the statement."""
        return [
            Invariant(
                "I8c",
                self.env._("An approved adjustment is on the statement with its amount, and no other one is"),
                "partner.loyalty.adjustment",
                SQL(
                    """SELECT adjustment.program_id, adjustment.id FROM partner_loyalty_adjustment adjustment
                    LEFT JOIN partner_loyalty_entry entry
                           ON entry.origin_model = 'partner.loyalty.adjustment' AND entry.origin_id = adjustment.id
                     GROUP BY adjustment.id
                       HAVING COALESCE(SUM(entry.amount), 0)
                              <> CASE WHEN adjustment.state = 'approved' THEN adjustment.amount ELSE 0 END"""
                ),
            ),
        ]

    @api.model
    def _get_bonus_invariants(self):
        """Bonuses and the statement."""
        return [
            Invariant(
                "I8d",
                self.env._("A bonus is on the statement with its amounts until it is taken back, and no other one is"),
                "partner.loyalty.bonus.line",
                SQL(
                    """SELECT line.program_id, line.id FROM partner_loyalty_bonus_line line
                    LEFT JOIN (SELECT entry.origin_id,
                                      SUM(entry.amount) FILTER (WHERE account.unit = 'point') AS points,
                                      SUM(entry.amount) FILTER (WHERE account.unit = 'money') AS money
                                 FROM partner_loyalty_entry entry
                                 JOIN partner_loyalty_account account ON account.id = entry.account_id
                                WHERE entry.type IN ('bonus', 'bonus_undo') GROUP BY entry.origin_id) posted
                           ON posted.origin_id = line.id
                        WHERE (COALESCE(points, 0), COALESCE(money, 0)) <> (
                              CASE WHEN line.state = 'given' THEN line.point_amount ELSE 0 END,
                              CASE WHEN line.state = 'given' THEN line.money_amount ELSE 0 END)"""
                ),
            ),
            Invariant(
                "I8e",
                self.env._("A bonus on the statement belongs to a run, and a member gets it once for a period"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT entry.program_id, entry.id FROM partner_loyalty_entry entry
                    LEFT JOIN partner_loyalty_bonus_line line ON line.id = entry.origin_id
                        WHERE entry.type IN ('bonus', 'bonus_undo')
                          AND (entry.origin_model <> 'partner.loyalty.bonus.line' OR line.id IS NULL
                               OR EXISTS (SELECT 1 FROM partner_loyalty_bonus_line other
                                           WHERE other.action_id = line.action_id AND other.member_id = line.member_id
                                             AND other.period_key = line.period_key AND other.id <> line.id
                                             AND other.state = 'given' AND line.state = 'given'))"""
                ),
            ),
        ]

    @api.model
    def _get_claim_invariants(self):
        """Claims and the statement."""
        return [
            Invariant(
                "I8f",
                self.env._("The points of a claim are taken while it goes on, and given back where it came to nothing"),
                "partner.loyalty.claim",
                SQL(
                    """SELECT claim.program_id, claim.id FROM partner_loyalty_claim claim
                    LEFT JOIN partner_loyalty_entry entry
                           ON entry.origin_model = 'partner.loyalty.claim' AND entry.origin_id = claim.id
                          AND entry.type IN ('redemption', 'redemption_return')
                     GROUP BY claim.id
                       HAVING COALESCE(SUM(entry.amount), 0)
                              <> CASE WHEN claim.state IN ('requested', 'approved', 'fulfilled')
                                      THEN -claim.point_amount ELSE 0 END"""
                ),
            ),
            Invariant(
                "I8g",
                self.env._("A reward is not given beyond its pieces"),
                "partner.loyalty.reward",
                SQL(
                    """SELECT reward.program_id, reward.id
                         FROM partner_loyalty_reward reward
                         JOIN partner_loyalty_claim claim ON claim.reward_id = reward.id
                        WHERE reward.stock > 0 AND claim.state IN ('requested', 'approved', 'fulfilled')
                     GROUP BY reward.id HAVING SUM(claim.quantity) > reward.stock"""
                ),
            ),
            *self._get_fund_invariants(),
        ]

    @api.model
    def _get_claim_decision_invariants(self):
        """Who decided on claims; those that need no approval have nobody."""
        return [
            Invariant(
                "I9e",
                self.env._("Nobody approves a claim that they asked for, and every decision has a user and a time"),
                "partner.loyalty.claim",
                SQL(
                    """SELECT program_id, id FROM partner_loyalty_claim
                        WHERE decided_by_id IS NOT NULL AND state IN ('approved', 'fulfilled', 'refused')
                          AND (decided_at IS NULL OR requested_by_id IS NULL OR requested_at IS NULL
                               OR decided_by_id IN (create_uid, requested_by_id) AND is_decided_alone IS NOT TRUE)"""
                ),
            ),
        ]

    @api.model
    def _get_fund_invariants(self):
        """Marketing money, the statement and the budget that it comes from."""
        return [
            Invariant(
                "I8h",
                self.env._(
                    "Marketing money on the statement is what its claim was settled with, within what was approved"
                ),
                "partner.loyalty.claim",
                SQL(
                    """SELECT claim.program_id, claim.id FROM partner_loyalty_claim claim
                    LEFT JOIN partner_loyalty_entry entry
                           ON entry.origin_model = 'partner.loyalty.claim' AND entry.origin_id = claim.id
                          AND entry.type IN ('reward', 'reward_undo')
                        WHERE claim.kind = 'mdf'
                     GROUP BY claim.id
                       HAVING COALESCE(SUM(entry.amount), 0)
                              <> CASE claim.state WHEN 'fulfilled' THEN COALESCE(claim.mdf_settled_amount, 0) ELSE 0 END
                           OR claim.mdf_settled_amount > claim.mdf_approved_amount
                           OR claim.mdf_approved_amount > claim.mdf_requested_amount"""
                ),
            ),
            Invariant(
                "I8i",
                self.env._("A marketing fund gives no more than its budget"),
                "partner.loyalty.fund",
                SQL(
                    """SELECT fund.program_id, fund.id
                         FROM partner_loyalty_fund fund
                         JOIN partner_loyalty_claim claim ON claim.mdf_fund_id = fund.id
                     GROUP BY fund.id
                       HAVING SUM(CASE claim.state WHEN 'requested' THEN claim.mdf_requested_amount
                                                   WHEN 'approved' THEN claim.mdf_approved_amount
                                                   WHEN 'fulfilled' THEN claim.mdf_settled_amount END) > fund.budget"""
                ),
            ),
        ]

    @api.model
    def _get_company_invariants(self):
        """What a line belongs to."""
        return [
            Invariant(
                "I11",
                self.env._("A line is in the company of its member, its program and its document"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT entry.program_id, entry.id FROM partner_loyalty_entry entry
                         JOIN partner_loyalty_account account ON account.id = entry.account_id
                         JOIN partner_loyalty_member member ON member.id = account.member_id
                         JOIN partner_loyalty_program program ON program.id = entry.program_id
                    LEFT JOIN account_move move
                           ON entry.origin_model = 'account.move' AND move.id = entry.origin_id
                    LEFT JOIN sale_order sale
                           ON entry.origin_model = 'sale.order' AND sale.id = entry.origin_id
                    LEFT JOIN partner_loyalty_deal deal
                           ON entry.origin_model = 'partner.loyalty.deal' AND deal.id = entry.origin_id
                        WHERE entry.company_id <> program.company_id OR entry.company_id <> account.company_id
                           OR entry.program_id <> account.program_id OR entry.program_id <> member.program_id
                           OR entry.company_id <> COALESCE(
                              move.company_id, sale.company_id, deal.company_id, entry.company_id)"""
                ),
            ),
            *self._get_lead_invariants(),
        ]

    @api.model
    def _get_lead_invariants(self):
        """What belongs to a company that can change."""
        return [
            Invariant(
                "I11b",
                self.env._("What an opportunity has earned is in its own company: it can move, and takes that along"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT MIN(entry.program_id) AS program_id, MIN(entry.id) AS id
                         FROM partner_loyalty_entry entry
                         JOIN crm_lead lead ON lead.id = entry.origin_id
                    LEFT JOIN crm_team team ON team.id = lead.team_id
                        WHERE entry.rule_id IS NOT NULL AND entry.origin_model = 'crm.lead'
                          AND entry.company_id <> COALESCE(lead.company_id, team.company_id, 0)
                          AND NOT EXISTS (SELECT 1 FROM partner_loyalty_touch touch
                                           WHERE touch.res_model = 'crm.lead' AND touch.res_id = lead.id)
                     GROUP BY entry.rule_id, lead.id HAVING SUM(entry.amount) <> 0"""
                ),
            ),
        ]

    @api.model
    def _get_period_invariants(self):
        """When a line is dated, and what of its document is left."""
        return [
            Invariant(
                "I14",
                self.env._("No line is dated in a period that was locked when it was posted"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT program_id, id FROM partner_loyalty_entry
                        WHERE date <= lock_date OR prior_period <> COALESCE(contribution_date <= lock_date, FALSE)"""
                ),
            ),
            Invariant(
                "I16",
                self.env._("What was earned by a document that has been deleted is taken back"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT MIN(entry.program_id) AS program_id, MIN(entry.id) AS id
                         FROM partner_loyalty_entry entry
                    LEFT JOIN account_move move
                           ON entry.origin_model = 'account.move' AND move.id = entry.origin_id
                    LEFT JOIN sale_order sale
                           ON entry.origin_model = 'sale.order' AND sale.id = entry.origin_id
                    LEFT JOIN crm_lead lead
                           ON entry.origin_model = 'crm.lead' AND lead.id = entry.origin_id
                    LEFT JOIN partner_loyalty_deal deal
                           ON entry.origin_model = 'partner.loyalty.deal' AND deal.id = entry.origin_id
                    LEFT JOIN survey_user_input answer
                           ON entry.origin_model = 'survey.user_input' AND answer.id = entry.origin_id
                        WHERE entry.rule_id IS NOT NULL AND entry.origin_model IN %s
                          AND COALESCE(move.id, sale.id, lead.id, deal.id, answer.id) IS NULL
                          AND NOT EXISTS (SELECT 1 FROM partner_loyalty_touch touch
                                           WHERE touch.res_model = entry.origin_model
                                             AND touch.res_id = entry.origin_id)
                     GROUP BY entry.rule_id, entry.origin_model, entry.origin_id HAVING SUM(entry.amount) <> 0""",
                    tuple(set(TOUCH_KINDS) - {MEMBER}),
                ),
            ),
        ]

    @api.model
    def _get_tier_invariants(self):
        """Tier history."""
        return [
            Invariant(
                "I12",
                self.env._("Tier periods of a member follow each other without gap or overlap"),
                "partner.loyalty.member",
                SQL(
                    """SELECT program_id, member_id AS id FROM (
                            SELECT program_id, member_id, date_to,
                                   lead(date_from) OVER (PARTITION BY member_id ORDER BY date_from) AS next_from
                              FROM partner_loyalty_tier_period) period
                        WHERE next_from IS NOT NULL AND date_to IS DISTINCT FROM next_from - 1"""
                ),
            ),
            Invariant(
                "I12b",
                self.env._("A tier is what the evidence kept with it gives"),
                "partner.loyalty.tier.period",
                SQL(
                    """SELECT program_id, id FROM partner_loyalty_tier_period
                        WHERE evidence ? 'outcome'
                          AND ((evidence->>'value')::numeric <> turnover
                               OR evidence->>'outcome' <> outcome
                               OR jsonb_array_length(jsonb_path_query_array(
                                      evidence, '$.conditions[*] ? (@.met == true)')) < (evidence->>'needed')::integer
                               OR (cause = 'override'
                                   AND (evidence->'override'->>'tier_id')::integer IS DISTINCT FROM tier_id)
                               OR (cause <> 'override' AND outcome IS NULL)
                               OR (outcome = 'deserved' AND (evidence->>'deserved')::integer <> tier_id)
                               OR (outcome NOT IN ('deserved', 'step') AND previous_tier_id <> tier_id))"""
                ),
            ),
        ]

    @api.model
    def _get_explanation_invariants(self):
        """The formulas once more, from what the explanation of a line keeps."""
        return [
            Invariant(
                "I13",
                self.env._("A line replays to its amount"),
                "partner.loyalty.entry",
                SQL(
                    """SELECT program_id, id
                         FROM partner_loyalty_entry entry
                   CROSS JOIN LATERAL jsonb_to_record(explanation) AS fact(
                              formula varchar, rounding numeric, rounding_method varchar, minimum numeric,
                              base numeric, whole numeric, target numeric, posted numeric, trimmed boolean,
                              uncapped numeric, cap_document numeric, cap_member numeric, cap_before numeric)
                   CROSS JOIN LATERAL (SELECT CASE WHEN formula <> 'bands' AND COALESCE(whole, base) < minimum
                              THEN 0 ELSE COALESCE(%(exact)s, 0) END AS exact) replay
                   CROSS JOIN LATERAL (SELECT ROUND(exact, 8) / rounding AS steps) step
                   CROSS JOIN LATERAL (SELECT rounding * CASE rounding_method
                              WHEN 'down' THEN TRUNC(steps) WHEN 'up' THEN SIGN(steps) * CEIL(ABS(steps))
                              ELSE ROUND(steps) END AS rounded) result
                   CROSS JOIN LATERAL (SELECT LEAST(uncapped, cap_document) AS within) cap
                        WHERE type IN ('accrual', 'clawback') AND rule_id IS NOT NULL
                          AND NOT jsonb_exists(explanation, 'legacy')
                          AND (target - posted <> amount OR rounded <> COALESCE(uncapped, target)
                               OR trimmed IS NULL AND uncapped IS NOT NULL AND target <> LEAST(
                                   COALESCE(cap_member, 'Infinity'), cap_before + within)
                                   - LEAST(COALESCE(cap_member, 'Infinity'), cap_before))""",
                    exact=self._get_replayed_formula(),
                ),
            ),
        ]

    @api.model
    def _get_replayed_formula(self):
        """Return what the formula of an entry makes of its facts, written anew and not taken from the engine."""
        return SQL(
            """
            CASE formula
            WHEN 'bands' THEN (
                SELECT COALESCE((explanation->>'rate')::numeric, 1) * CASE explanation->>'band_kind'
                       WHEN 'marginal' THEN SUM(GREATEST(0, LEAST(base, next_from) - low) * rate) / divisor
                       WHEN 'total' THEN base * COALESCE(MAX(rate) FILTER (WHERE is_reached), 0) / divisor
                       ELSE COALESCE(MAX(rate) FILTER (WHERE is_reached), 0) END
                  FROM (SELECT low, rate, COALESCE(next_from, 'Infinity') AS next_from,
                               base > 0 AND base >= low AND base < COALESCE(next_from, 'Infinity') AS is_reached,
                               CASE WHEN explanation->>'measure' IN ('amount', 'growth') THEN 100 ELSE 1 END AS divisor
                          FROM (SELECT band."from" AS low, band.rate,
                                       lead(band."from") OVER (ORDER BY band."from") AS next_from
                                  FROM jsonb_to_recordset(explanation->'bands')
                                           AS band("from" numeric, rate numeric)) listed) band
              GROUP BY divisor)
            WHEN 'fixed' THEN (
                SELECT rate * CASE WHEN jsonb_exists(explanation, 'each') THEN CASE WHEN quantity > 0 THEN 1 ELSE 0 END
                                   WHEN base > 0 THEN LEAST(1, COALESCE(base / NULLIF(whole, 0), 1)) ELSE 0 END
                  FROM jsonb_to_record(explanation) AS part(rate numeric, quantity numeric))
            ELSE (
                SELECT SUM(CASE formula
                       WHEN 'percent' THEN part.base * part.rate / 100
                       WHEN 'per_unit' THEN part.quantity * part.rate
                       WHEN 'per_amount' THEN part.rate * CASE explanation->>'steps'
                            WHEN 'full' THEN TRUNC(part.base / step)
                            WHEN 'started' THEN SIGN(part.base) * CEIL(ABS(part.base / step))
                            ELSE part.base / step END END)
                  FROM jsonb_to_recordset(COALESCE(explanation->'parts', jsonb_build_array(explanation)))
                           AS part(rate numeric, base numeric, quantity numeric),
                       (SELECT (explanation->>'step')::numeric AS step) steps)
            END
            """
        )
