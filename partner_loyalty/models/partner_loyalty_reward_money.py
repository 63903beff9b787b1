from odoo import fields, models
from odoo.tools import SQL

from ..const import NO_PERIOD


class PartnerLoyaltyRewardMoney(models.AbstractModel):
    """Rewards that are money: put on the balance, and paid out with it."""

    _name = "partner.loyalty.reward.money"
    _description = "Money as a Reward"

    # === FIELDS ===#

    # That of the company of the reward; an amount needs to know its currency here as well.
    currency_id = fields.Many2one(comodel_name="res.currency")
    money_amount = fields.Monetary(string="Amount", aggregator=None)

    # === CONSTRAINTS ===#

    _money_amount_positive = models.Constraint(
        "CHECK (money_amount >= 0 AND money_amount < 1000000000000)",
        "A reward adds something: enter an amount above zero.",
    )

    # === BUSINESS METHODS ===#

    def _get_missing_text_money(self):
        if not self.money_amount:
            return self.env._("“%s” gives money: enter how much.", self.name)
        return None

    def _fulfill_money(self, claim):
        """Put the amount on the balance of the member."""
        self._post_money(self._get_money_source(claim))

    def _undo_money(self, claim):
        """Take the amount off the balance by a counter-entry; what is spent already is owed."""
        self._post_money(self._get_money_undo_source(claim))

    def _post_money(self, source):
        # Nobody posts to a statement by hand, whoever hands out rewards.
        entries_sudo = self.env["partner.loyalty.entry"].sudo()
        rows = entries_sudo._post(source)
        entries_sudo.env["partner.loyalty.allocation"]._settle({row[1] for row in rows})

    def _get_money_undo_source(self, claim):
        """Return the counter-entry of a claim, as a source for ``partner.loyalty.entry._post``.

        Of a merged member it is posted where the balance is now.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.id AS account_id, 'reward_undo' AS type, -entry.amount AS amount, NULL::integer AS rule_id,
                   entry.origin_model, entry.origin_id, entry.period_start, 1 AS revision, entry.contribution_date,
                   %(today)s::date AS date, %(today)s::date AS mature_date, NULL::date AS expiry_date,
                   NULL::integer AS idle_months,
                   CASE WHEN account.id = entry.account_id THEN entry.id END AS reverses_id,
                   NULL::varchar AS external_ref, entry.explanation
              FROM partner_loyalty_entry entry
              JOIN partner_loyalty_account own ON own.id = entry.account_id
              JOIN partner_loyalty_member member ON member.id = own.member_id
              JOIN partner_loyalty_account account ON account.member_id = member.root_id AND account.unit = own.unit
             WHERE entry.origin_model = 'partner.loyalty.claim' AND entry.origin_id = %(claim)s
               AND entry.type = 'reward'
            """,
            claim=claim.id,
            today=self.program_id._get_today(),
        )

    def _get_money_source(self, claim, amount=None):
        """Return the entry of a claim, as a source for ``partner.loyalty.entry._post``.

        It matures and expires like all money of the program.

        :param claim: ``partner.loyalty.claim``
        :param SQL amount: expression over ``claim``; by default, what the reward gives for each piece
        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.id AS account_id, 'reward' AS type,
                   ROUND(%(amount)s, currency.decimal_places) AS amount,
                   NULL::integer AS rule_id, 'partner.loyalty.claim' AS origin_model, claim.id AS origin_id,
                   %(no_period)s::date AS period_start, 0 AS revision, %(today)s::date AS contribution_date,
                   %(today)s::date AS date, %(mature_date)s AS mature_date, %(expiry_date)s AS expiry_date,
                   %(idle_months)s AS idle_months, NULL::integer AS reverses_id, NULL::varchar AS external_ref,
                   %(explanation)s::jsonb AS explanation
              FROM partner_loyalty_claim claim
              JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
              JOIN partner_loyalty_member member ON member.id = claim.member_id
              JOIN partner_loyalty_account account ON account.member_id = member.root_id AND account.unit = 'money'
              JOIN res_company company ON company.id = account.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
             WHERE claim.id = %(claim)s
            """,
            claim=claim.id,
            amount=amount or SQL("reward.money_amount * claim.quantity"),
            no_period=NO_PERIOD,
            today=self.program_id._get_today(),
            explanation=claim._get_explanation_json(),
            **self.program_id._get_terms("money").get_columns(SQL("%s::date", self.program_id._get_today())),
        )
