from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL


class PartnerLoyaltyRewardMdf(models.AbstractModel):
    """Rewards that are marketing money: asked for with a plan, and paid against proof from a fund."""

    _name = "partner.loyalty.reward.mdf"
    _description = "Marketing Money as a Reward"

    # === FIELDS ===#

    proof_days = fields.Integer(
        string="Proof within (Days)",
        default=30,
        aggregator=None,
        help="So many days after the last day of its plan a member has to show what it has spent.",
    )

    # === CONSTRAINTS ===#

    _proof_days_range = models.Constraint(
        "CHECK (proof_days BETWEEN 0 AND 365)", "A proof comes within 0 to 365 days: enter a number in between."
    )
    _mdf_without_points = models.Constraint(
        "CHECK (kind <> 'mdf' OR COALESCE(point_cost, 0) = 0)",
        "Marketing money is asked for with a plan and costs no points: enter zero.",
    )

    # === BUSINESS METHODS ===#

    def _check_request_mdf(self, claim):
        """Check the plan of a claim, and that its fund has as much left as is asked for; take that from the fund.

        :raises UserError: with the reason
        """
        claim.mdf_fund_id._claim_budget()
        claim._check_mdf_request()
        # These are set by the program alone; a manager can approve less.
        vals = {"mdf_approved_amount": claim.mdf_requested_amount, "mdf_share": claim.mdf_fund_id.share}
        # What a tier gives or an invitation offers stays that.
        source = "fund" if claim.source == "points" else claim.source
        claim.sudo().write({"source": source, **vals})

    def _start_mdf(self, claim):
        """Say until when the proof has to be there.

        :raises UserError: where there is nothing that could be paid
        """
        claim._check_mdf_approval()
        last_day = max(claim.mdf_date_to, self.program_id._get_today())
        # The days are set by the program alone.
        claim.sudo().date_deadline = last_day + timedelta(days=self.proof_days)

    def _fulfill_mdf(self, claim):
        """Put what was spent on the balance of the member: the share that was agreed on, up to what was approved.

        :raises UserError: where the proof is missing
        """
        claim._check_mdf_proof()
        claim._settle_mdf()
        self._post_money(self._get_money_source(claim, SQL("claim.mdf_settled_amount")))

    def _get_facts_mdf(self, claim):
        """Return what a statement line says about how much was paid.

        :rtype: dict[str, str]
        """
        return dict(zip(("share", "spent", "most"), map(str, claim._get_mdf_figures()), strict=True))

    def _undo_mdf(self, claim):
        """Take what was settled off the balance; the fund has it again."""
        self._undo_money(claim)
