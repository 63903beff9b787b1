from odoo import fields, models
from odoo.tools import SQL


class PartnerLoyaltyBenefit(models.Model):
    """What members say that matters to them, against what they really use, by kind of reward."""

    _name = "partner.loyalty.benefit"
    _description = "What Matters and What Is Used"
    _auto = False
    _order = "program_id, wanted_count desc, id"
    _rec_name = "kind"
    _depends = {
        "partner.loyalty.need": ["kind", "member_id"],
        "partner.loyalty.claim": ["member_id", "reward_id", "state"],
        "partner.loyalty.reward": ["kind"],
    }

    # === FIELDS ===#

    program_id = fields.Many2one(comodel_name="partner.loyalty.program", readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    kind = fields.Selection(
        selection=lambda self: self.env["partner.loyalty.reward"]._fields["kind"]._description_selection(self.env),
        string="Kind of Reward",
        readonly=True,
    )
    wanted_count = fields.Integer(string="Matters to", readonly=True, help="Members who said that it matters.")
    used_count = fields.Integer(string="Used by", readonly=True, help="Members who had a reward of the kind.")
    both_count = fields.Integer(string="Matters and Used", readonly=True)
    unmet_count = fields.Integer(
        string="Matters, Not Used", readonly=True, help="Members to whom it matters and who had none yet."
    )
    idle_count = fields.Integer(
        string="Used, Does Not Matter", readonly=True, help="Members who had one, and did not say that it matters."
    )

    # === TABLE QUERY ===#

    @property
    def _table_query(self):
        return SQL(
            """
            WITH wanted AS (
                SELECT DISTINCT member.root_id AS member_id, need.kind
                  FROM partner_loyalty_need need
                  JOIN partner_loyalty_member member ON member.id = need.member_id
                 WHERE need.kind IS NOT NULL
            ), used AS (
                SELECT DISTINCT member.root_id AS member_id, reward.kind
                  FROM partner_loyalty_claim claim
                  JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
                  JOIN partner_loyalty_member member ON member.id = claim.member_id
                 WHERE claim.state = 'fulfilled'
            ), pair AS (
                SELECT COALESCE(wanted.member_id, used.member_id) AS member_id,
                       COALESCE(wanted.kind, used.kind) AS kind,
                       wanted.member_id IS NOT NULL AS is_wanted, used.member_id IS NOT NULL AS is_used
                  FROM wanted FULL JOIN used ON used.member_id = wanted.member_id AND used.kind = wanted.kind
            )
            SELECT row_number() OVER (ORDER BY program.id, pair.kind) AS id, program.id AS program_id,
                   program.company_id, pair.kind,
                   COUNT(*) FILTER (WHERE is_wanted) AS wanted_count,
                   COUNT(*) FILTER (WHERE is_used) AS used_count,
                   COUNT(*) FILTER (WHERE is_wanted AND is_used) AS both_count,
                   COUNT(*) FILTER (WHERE is_wanted AND NOT is_used) AS unmet_count,
                   COUNT(*) FILTER (WHERE is_used AND NOT is_wanted) AS idle_count
              FROM pair
              JOIN partner_loyalty_member member ON member.id = pair.member_id
              JOIN partner_loyalty_program program ON program.id = member.program_id
          GROUP BY program.id, program.company_id, pair.kind
            """
        )
