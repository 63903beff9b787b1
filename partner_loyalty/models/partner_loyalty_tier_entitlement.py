from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# Members that one transaction grants something to.
GRANT_BATCH = 500


class PartnerLoyaltyTierEntitlement(models.Model):
    """A reward that members have by their tier: once when they reach it, or in each year of their membership.

    It is granted as a draft of a claim that costs nothing; who loses the tier keeps what was granted.
    """

    _name = "partner.loyalty.tier.entitlement"
    _description = "Tier Entitlement"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "tier_id, id"
    _rec_name = "reward_id"

    # === FIELDS ===#

    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier", required=True, index=True, ondelete="cascade", readonly=True
    )
    program_id = fields.Many2one(related="tier_id.program_id", store=True, index=True)
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('program_id', '=', program_id)]",
    )
    quantity = fields.Integer(string="Pieces", default=1, required=True, aggregator=None)
    occasion = fields.Selection(
        selection=[("reach", "On Reaching the Tier"), ("year", "Each Year of Membership")],
        string="When",
        required=True,
        default="reach",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=fields.Date.context_today,
        help="Who reaches the tier on this day or later gets it, and who has it then or later in each year.",
    )
    valid_months = fields.Integer(
        string="To Be Claimed within (Months)",
        default=12,
        aggregator=None,
        help="After so many months it expires; never where it is zero.",
    )

    # === CONSTRAINTS ===#

    _quantity_range = models.Constraint(
        "CHECK (quantity BETWEEN 1 AND 100)", "A tier gives 1 to 100 pieces of a reward: enter a number in between."
    )
    _valid_months_range = models.Constraint(
        "CHECK (valid_months BETWEEN 0 AND 120)",
        "What a tier gives can be claimed within 0 to 120 months: enter a number in between.",
    )
    _tier_reward_unique = models.UniqueIndex(
        "(tier_id, reward_id, occasion)", "The tier gives this reward already: change the line that is there."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("tier_id", "reward_id")
    def _check_program(self):
        for entitlement in self:
            if entitlement.reward_id.program_id != entitlement.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(reward)s” is a reward of another program than “%(tier)s”: choose one of its own.",
                        reward=entitlement.reward_id.name,
                        tier=entitlement.tier_id.name,
                    )
                )

    # === BUSINESS METHODS ===#

    @api.model
    def _grant_batch(self, program, batch_size=GRANT_BATCH):
        """Grant what members of a program have by their tiers and have not been granted yet.

        :param program: ``partner.loyalty.program``
        :param int batch_size: to so many members at most
        :return: the new claims; none where all is granted
        :rtype: recordset of ``partner.loyalty.claim``
        """
        if not self.search_count([("program_id", "=", program.id)], limit=1):
            return self.env["partner.loyalty.claim"]
        self.env.flush_all()
        rows = self.env.execute_query(SQL("SELECT * FROM (%s) due LIMIT %s", self._get_due_query(program), batch_size))
        vals_list = [
            {**vals, "entitlement_key": f"{key}:{number}"}
            for entitlement_id, member_id, key, expiry_date in rows
            for number, vals in enumerate(self.browse(entitlement_id)._prepare_claims_vals(member_id, expiry_date), 1)
        ]
        # What is granted is set by the program alone, and nobody is told of each of it.
        claims_sudo = self.env["partner.loyalty.claim"].sudo().with_context(tracking_disable=True)
        return claims_sudo.create(vals_list).with_env(self.env)

    def _prepare_claims_vals(self, member_id, expiry_date):
        """Return the values of the claims by which a member is granted all pieces.

        :rtype: list[dict]
        """
        self.ensure_one()
        single = self.reward_id.kind in self.reward_id._get_single_kinds()
        vals = {
            "reward_id": self.reward_id.id,
            "member_id": member_id,
            "quantity": 1 if single else self.quantity,
            "source": "tier",
            "entitlement_id": self.id,
            "expiry_date": expiry_date,
        }
        return [vals] * (self.quantity if single else 1)

    @api.model
    def _get_due_query(self, program):
        """Return what is to be granted today: ``entitlement_id, member_id, key, expiry_date``.

        The key says for which decision or year it is, and the day of expiry is counted from then, however late this
        runs.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT due.entitlement_id, due.member_id, due.key, expiry.day AS expiry_date
              FROM (%(reached)s UNION ALL %(yearly)s) due
              JOIN partner_loyalty_tier_entitlement entitlement ON entitlement.id = due.entitlement_id
              JOIN partner_loyalty_reward reward ON reward.id = entitlement.reward_id
              JOIN partner_loyalty_member member ON member.id = due.member_id
         LEFT JOIN LATERAL (SELECT (due.since + make_interval(months => entitlement.valid_months))::date - 1 AS day
                             WHERE entitlement.valid_months > 0) expiry ON TRUE
             WHERE entitlement.program_id = %(program)s AND reward.active
               AND member.state = 'active' AND member.merged_into_id IS NULL
               AND COALESCE(expiry.day >= %(today)s, TRUE)
               AND NOT EXISTS (SELECT 1 FROM partner_loyalty_claim claim
                                WHERE claim.member_id = due.member_id AND claim.reward_id = entitlement.reward_id
                                  AND claim.entitlement_key = due.key || ':1')
          ORDER BY due.member_id, due.entitlement_id, due.since
            """,
            reached=self._get_reached_query(program),
            yearly=self._get_yearly_query(program),
            program=program.id,
            today=program._get_today(),
        )

    @api.model
    def _get_reached_query(self, program):
        """Return who has risen into a tier, or joined in it."""
        return SQL(
            """
            SELECT entitlement.id AS entitlement_id, period.member_id, 'reach:' || period.id AS key,
                   period.date_from AS since
              FROM partner_loyalty_tier_entitlement entitlement
              JOIN partner_loyalty_tier_period period
                ON period.tier_id = entitlement.tier_id AND period.is_change
               AND period.date_from BETWEEN entitlement.date_from AND %(today)s
             WHERE entitlement.program_id = %(program)s AND entitlement.occasion = 'reach'
               AND COALESCE(array_position(%(tiers)s, period.previous_tier_id)
                            < array_position(%(tiers)s, period.tier_id), TRUE)
            """,
            program=program.id,
            today=program._get_today(),
            tiers=SQL("(%s::integer[])", program._get_tiers().ids),
        )

    @api.model
    def _get_yearly_query(self, program):
        """Return who has a tier in the year of membership that goes on."""
        today = SQL("%s::date", program._get_today())
        return SQL(
            """
            SELECT entitlement.id AS entitlement_id, member.id AS member_id,
                   'year:' || entitlement.tier_id || ':' || year.start AS key,
                   GREATEST(year.start, entitlement.date_from, reached.day) AS since
              FROM partner_loyalty_tier_entitlement entitlement
              JOIN partner_loyalty_member member
                ON member.tier_id = entitlement.tier_id AND member.date_from <= %(today)s
        CROSS JOIN LATERAL (SELECT %(start)s AS start) year
        CROSS JOIN LATERAL (SELECT MAX(period.date_from) AS day FROM partner_loyalty_tier_period period
                             WHERE period.member_id = member.id AND period.is_change
                               AND period.date_from <= %(today)s) reached
             WHERE entitlement.program_id = %(program)s AND entitlement.occasion = 'year'
               AND entitlement.date_from <= %(today)s
            """,
            program=program.id,
            today=today,
            start=program._get_membership_year_start(SQL("member.date_from"), today),
        )
