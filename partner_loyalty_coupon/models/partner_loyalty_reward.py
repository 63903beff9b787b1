from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

# The types of Odoo's programs whose codes are written on cards and can be handed on.
CODE_TYPES = ("coupons", "gift_card")

# Codes that one claim can be about.
MAX_CODES = 1000


class PartnerLoyaltyReward(models.Model):
    """A reward can be codes that a partner hands to its own clients: coupons or gift cards of Odoo."""

    _inherit = "partner.loyalty.reward"

    # === FIELDS ===#

    kind = fields.Selection(
        selection_add=[("coupon", "Coupon Codes")],
        # What was given stays with its claims; nobody can claim it any more.
        ondelete={"coupon": lambda rewards: rewards.write({"active": False, "kind": "product"})},
    )
    coupon_program_id = fields.Many2one(
        comodel_name="loyalty.program",
        index="btree_not_null",
        ondelete="restrict",
        domain=f"[('program_type', 'in', {CODE_TYPES}), ('company_id', 'in', (False, company_id))]",
        help="What a code gives is said by this program of coupons or gift cards.",
    )
    code_count = fields.Integer(string="Codes for Each Piece", default=10, aggregator=None)
    code_worth = fields.Float(
        string="Worth of Each Code",
        default=1,
        aggregator=None,
        help="The points of a coupon, or the amount of a gift card.",
    )
    code_days = fields.Integer(
        string="Codes Are Valid for (Days)", aggregator=None, help="Without end where it is zero."
    )
    is_code_credited = fields.Boolean(
        string="Credit Orders to the Member",
        default=True,
        help="Orders of other companies that use a code are credited to the member, where nobody else is named.",
    )

    # === CONSTRAINTS ===#

    _code_count_range = models.Constraint(
        f"CHECK (code_count BETWEEN 1 AND {MAX_CODES})",
        f"A reward gives 1 to {MAX_CODES} codes: enter a number in between.",
    )
    _code_worth_positive = models.Constraint(
        "CHECK (code_worth > 0 AND code_worth < 1000000000)", "A code is worth something: enter a number above zero."
    )
    _code_days_range = models.Constraint(
        "CHECK (code_days BETWEEN 0 AND 3650)",
        "A code is valid for up to 3650 days: enter a number in between, or zero.",
    )

    # === BUSINESS METHODS ===#

    def _get_kind_fields(self):
        return [*super()._get_kind_fields(), "coupon_program_id"]

    def _get_immediate_kinds(self):
        return super()._get_immediate_kinds() | {"coupon"}

    def _get_missing_text_coupon(self):
        # Who claims a reward need not see the programs of coupons.
        program_sudo = self.coupon_program_id.sudo()
        terms = {"reward": self.name, "program": program_sudo.name}
        if not program_sudo:
            return self.env._("“%(reward)s” gives coupon codes: choose their program.", **terms)
        if program_sudo.program_type not in CODE_TYPES:
            return self.env._(
                "“%(program)s” has no codes that can be handed on: choose a program of coupons or gift cards.", **terms
            )
        if not program_sudo.active:
            return self.env._(
                "“%(program)s” is archived, so that its codes are not accepted: choose another one.", **terms
            )
        if program_sudo.company_id and program_sudo.company_id != self.company_id:
            return self.env._(
                "“%(program)s” belongs to another company than “%(reward)s”: choose one of its own company.", **terms
            )
        return None

    def _check_request_coupon(self, claim):
        """Check that no more codes are asked for than anybody hands out.

        :raises UserError: where it is more
        """
        count = claim.quantity * self.code_count
        if count > MAX_CODES:
            raise UserError(
                self.env._(
                    "%(claim)s is about %(count)s codes, and one claim can have %(most)s: claim fewer pieces.",
                    claim=claim.name,
                    count=count,
                    most=MAX_CODES,
                )
            )

    def _fulfill_coupon(self, claim):
        """Generate the codes, as Odoo does for its own customers, reserved for nobody."""
        self._check_request_coupon(claim)
        context = {**clean_context(self.env.context), "allowed_company_ids": self.company_id.ids}
        # Officers hand out rewards without any right on coupons.
        wizard_sudo = self.env["loyalty.generate.wizard"].sudo().with_context(context)
        cards_sudo = wizard_sudo.create(self._prepare_code_vals(claim)).generate_coupons()
        cards_sudo.loyalty_claim_id = claim

    def _prepare_code_vals(self, claim):
        """Return the values by which codes are generated.

        :param claim: ``partner.loyalty.claim``
        :rtype: dict
        """
        today = self.program_id._get_today()
        return {
            "program_id": self.coupon_program_id.id,
            "mode": "anonymous",
            "coupon_qty": claim.quantity * self.code_count,
            "points_granted": self.code_worth,
            "valid_until": today + timedelta(days=self.code_days) if self.code_days else False,
            "description": self.env._("Reward for %s", claim.partner_id.display_name),
        }

    def _undo_coupon(self, claim):
        """Withdraw the codes that nobody has used."""
        # Managers of rewards need no right on coupons.
        cards_sudo = claim.sudo().card_ids
        cards_sudo.filtered(lambda card: card.loyalty_outcome == "unused").action_archive()
