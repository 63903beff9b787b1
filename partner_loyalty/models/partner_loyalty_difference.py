from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from ..const import LEDGER_DIGITS, NO_PERIOD


class PartnerLoyaltyDifference(models.Model):
    """A document that nobody touched would earn differently today. A manager posts the difference or dismisses it."""

    _name = "partner.loyalty.difference"
    _description = "Difference to Confirm"
    _inherit = ["partner.loyalty.document.mixin", "partner.loyalty.protected.mixin"]
    _order = "contribution_date desc, id desc"
    _rec_name = "origin_name"
    _allow_sudo_commands = False
    _protected_fields = frozenset(
        {
            "account_id",
            "amount",
            "cause",
            "company_id",
            "contribution_date",
            "decided_at",
            "decided_by_id",
            "origin_id",
            "origin_model",
            "period_start",
            "posted",
            "program_id",
            "rule_id",
            "state",
            "target",
        }
    )

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, index=True, ondelete="cascade", readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule", required=True, index=True, ondelete="cascade", readonly=True
    )
    account_id = fields.Many2one(
        comodel_name="partner.loyalty.account", required=True, index=True, ondelete="cascade", readonly=True
    )
    member_id = fields.Many2one(related="account_id.member_id")
    unit = fields.Selection(related="account_id.unit")
    origin_model = fields.Char(required=True, readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", required=True, readonly=True, aggregator=None)
    period_start = fields.Date(
        required=True, readonly=True, default=NO_PERIOD, help="First day of the period, where a rule adds one up."
    )
    origin_name = fields.Char(string="Document", compute="_compute_origin_name")
    contribution_date = fields.Date(string="Date of Sale", readonly=True)
    posted = fields.Float(digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    target = fields.Float(string="Would Be", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    amount = fields.Float(string="Difference", digits=LEDGER_DIGITS, readonly=True, aggregator=None)
    # As people read them: money with its currency, points as such.
    posted_text = fields.Char(string="Posted Amount", compute="_compute_texts")
    target_text = fields.Char(string="Amount Today", compute="_compute_texts")
    amount_text = fields.Char(string="Change", compute="_compute_texts")
    cause = fields.Selection(
        selection=[
            ("new", "Nothing was posted so far: a membership, a rule or an imported document lies in the past"),
            ("gone", "It no longer counts: product, customer or filter changed since it was posted"),
            ("changed", "It counts for another amount: a tier, a rate or the data of a product or customer changed"),
        ],
        string="Likely Cause",
        readonly=True,
    )
    state = fields.Selection(
        selection=[("open", "To Confirm"), ("posted", "Posted"), ("dismissed", "Dismissed")],
        required=True,
        default="open",
        readonly=True,
    )
    decided_by_id = fields.Many2one(comodel_name="res.users", string="Decided by", readonly=True)
    decided_at = fields.Datetime(string="Decided on", readonly=True)

    # === CONSTRAINTS ===#

    _key_unique = models.UniqueIndex("(rule_id, account_id, origin_model, origin_id, period_start)")

    # === COMPUTE METHODS ===#

    @api.depends("posted", "target", "amount", "unit")
    @api.depends_context("lang")
    def _compute_texts(self):
        for difference in self:
            for name in ("posted", "target", "amount"):
                difference[f"{name}_text"] = difference._format(difference[name])

    @api.depends_context("lang")
    def _compute_origin_name(self):
        for model, differences in self.grouped("origin_model").items():
            # Managers confirm by the name of a document that they may not be allowed to open.
            origins_sudo = self.env[model].sudo().browse(differences.mapped("origin_id")).exists()
            names = {origin.id: origin.display_name for origin in origins_sudo}
            for difference in differences:
                difference.origin_name = names.get(difference.origin_id) or self.env._("Deleted document")

    @api.depends("origin_model", "origin_id", "rule_id.name")
    def _compute_display_name(self):
        for difference in self:
            difference.display_name = f"{difference.origin_name}: {difference.rule_id.name}"

    # === ACTION METHODS ===#

    def action_post(self):
        """Post the differences: the ledger then says what the documents would earn today."""
        self._check_can_decide()
        for difference in self._get_open():
            rule, origin = difference.rule_id, (difference.origin_model, difference.origin_id)
            rule._reconcile(rule._get_origin_scope(*origin, difference.period_start))
        self._decide("posted")

    def action_dismiss(self):
        """Leave the ledger as it is, until the documents would earn yet another amount."""
        self._check_can_decide()
        self._decide("dismissed")

    # === BUSINESS METHODS ===#

    def _format(self, amount):
        """Return an amount in the unit of the account, as the reader writes it."""
        if self.unit == "money":
            return formatLang(self.env, amount, currency_obj=self.currency_id)
        return self.env._("%s points", formatLang(self.env, amount, digits=self.program_id.point_digits))

    def _check_can_decide(self):
        """Check that the user may write differences; only managers may.

        :raises AccessError: for anybody else
        """
        self.check_access("write")

    def _get_open(self):
        return self.filtered(lambda difference: difference.state == "open")

    def _decide(self, state):
        # The decision is recorded by the buttons alone.
        self._get_open().sudo().write(
            {"state": state, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()}
        )

    @api.model
    def _find(self, rules, scope):
        """List where ``rules`` and the ledger differ on documents that nobody touched, within ``scope``.

        What differs no longer is taken off the list. What was dismissed stays so until it would be another amount.
        Documents before the lock date are left alone, and those that wait to be answered anyway.

        :param rules: rules of one program
        :param Scope scope: members to compare
        """
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                WITH delta AS MATERIALIZED (%(delta)s),
                vanished AS (%(vanish)s)
                INSERT INTO partner_loyalty_difference AS known (
                       program_id, company_id, rule_id, account_id, origin_model, origin_id, period_start,
                       contribution_date, posted, target, amount, cause, state, create_uid, create_date, write_uid,
                       write_date)
                SELECT account.program_id, account.company_id, delta.rule_id, delta.account_id, delta.origin_model,
                       delta.origin_id, delta.period_start, delta.contribution_date, posted, target, delta.amount,
                       CASE WHEN delta.revision = 0 THEN 'new' WHEN delta.target = 0 THEN 'gone' ELSE 'changed' END,
                       'open', %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM delta
                  JOIN partner_loyalty_account account ON account.id = delta.account_id
                 WHERE delta.contribution_date > COALESCE(%(lock)s::date, '-infinity') AND NOT delta.waits
           ON CONFLICT (rule_id, account_id, origin_model, origin_id, period_start) DO UPDATE
                   SET posted = EXCLUDED.posted, target = EXCLUDED.target, amount = EXCLUDED.amount,
                       cause = EXCLUDED.cause, contribution_date = EXCLUDED.contribution_date, state = 'open',
                       write_date = EXCLUDED.write_date, write_uid = EXCLUDED.write_uid
                 WHERE known.target <> EXCLUDED.target OR known.state <> 'dismissed'
                """,
                delta=rules._get_common_query(scope, self._get_delta_query),
                vanish=self._get_vanish_query(rules, scope),
                lock=rules.program_id.lock_date or None,
                uid=self.env.uid,
            )
        )
        self.invalidate_model()

    @api.model
    def _get_delta_query(self, rule, scope):
        """Return where a rule and the ledger differ, and whether a row waits to be answered anyway (``waits``).

        What a period adds up to is not known before all that waits has been answered.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT %(rule)s AS rule_id, delta.account_id, delta.origin_model, delta.origin_id, delta.period_start,
                   delta.contribution_date, delta.posted, delta.target, delta.amount, delta.revision,
                   EXISTS (SELECT 1 FROM partner_loyalty_touch touch
                            WHERE touch.res_model = delta.origin_model AND touch.res_id = delta.origin_id
                               OR %(is_of_period)s AND touch.res_model <> delta.origin_model) AS waits
              FROM (%(delta)s) delta
            """,
            rule=rule.id,
            is_of_period=rule.formula == "bands",
            delta=rule._get_delta_query(scope),
        )

    @api.model
    def _get_vanish_query(self, rules, scope):
        """Return the statement that takes off the list what is not in ``delta`` any more."""
        return SQL(
            """
            DELETE FROM partner_loyalty_difference difference
             USING partner_loyalty_account account, partner_loyalty_member member
             WHERE account.id = difference.account_id AND member.id = account.member_id
               AND member.root_id = ANY(%s) AND difference.rule_id = ANY(%s) AND difference.state = 'open'
               AND NOT EXISTS (
                   SELECT 1 FROM delta
                    WHERE delta.rule_id = difference.rule_id AND delta.account_id = difference.account_id
                      AND delta.origin_id = difference.origin_id
                      AND delta.origin_model = difference.origin_model
                      AND delta.period_start = difference.period_start)
            """,
            list(scope.root_ids),
            list(rules.ids),
        )
