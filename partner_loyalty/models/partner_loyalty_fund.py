from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

# The states of a claim in which it takes something from a fund, and the amount that it takes then.
TAKING_AMOUNTS = {
    "requested": "mdf_requested_amount",
    "approved": "mdf_approved_amount",
    "fulfilled": "mdf_settled_amount",
}


class PartnerLoyaltyFund(models.Model):
    """Money for the marketing that members do themselves: they ask for a part of it with a plan, and are paid against
    proof.

    What is asked for, approved or settled is taken from the budget; what is refused, canceled or not used stays in it.
    """

    _name = "partner.loyalty.fund"
    _description = "Marketing Fund"
    _inherit = ["mail.thread", "partner.loyalty.input.mixin"]
    _order = "program_id, date_to desc, name, id"
    _check_company_auto = True

    # === FIELDS ===#

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        tracking=True,
        help="Only this member is paid from it; all members of the program share it where there is none.",
    )
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        help="Only members of these tiers are paid from it; all where there are none.",
    )
    date_from = fields.Date(string="From", required=True, tracking=True)
    date_to = fields.Date(string="Until", required=True, tracking=True)
    budget = fields.Monetary(required=True, aggregator="sum", tracking=True)
    share = fields.Float(
        string="We Pay (%)",
        digits=(5, 2),
        default=100,
        required=True,
        aggregator=None,
        tracking=True,
        help="This part of what a member spends is paid, up to what was approved.",
    )
    claim_ids = fields.One2many(comodel_name="partner.loyalty.claim", inverse_name="mdf_fund_id", string="Claims")
    claim_count = fields.Integer(compute="_compute_amounts")
    requested_amount = fields.Monetary(string="Requested", compute="_compute_amounts", help="Waits for a decision.")
    approved_amount = fields.Monetary(string="Approved", compute="_compute_amounts", help="Waits for its proof.")
    settled_amount = fields.Monetary(
        string="Settled", compute="_compute_amounts", help="Put on the balances of members."
    )
    left_amount = fields.Monetary(string="Left", compute="_compute_amounts", help="Can still be asked for.")

    # === CONSTRAINTS ===#

    _budget_positive = models.Constraint(
        "CHECK (budget > 0 AND budget < 1000000000000)", "A fund has something to give: enter a budget above zero."
    )
    _share_range = models.Constraint(
        "CHECK (share > 0 AND share <= 100)", "A fund pays a part of what is spent: enter more than 0 and up to 100 %."
    )
    _dates_order = models.Constraint(
        "CHECK (date_to >= date_from)", "A fund ends after it begins: enter a later last day."
    )
    _name_unique = models.UniqueIndex(
        "(program_id, name) WHERE active",
        "The program has a fund of this name already: choose another name, or archive the other one.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("budget", "claim_ids.state", *(f"claim_ids.{name}" for name in TAKING_AMOUNTS.values()))
    def _compute_amounts(self):
        taken = self._get_taken()
        for fund in self:
            amounts = taken.get(fund, {})
            fund.claim_count = amounts.get("count", 0)
            fund.requested_amount = amounts.get("requested", 0)
            fund.approved_amount = amounts.get("approved", 0)
            fund.settled_amount = amounts.get("fulfilled", 0)
            fund.left_amount = fund.budget - sum(amounts.get(state, 0) for state in TAKING_AMOUNTS)

    # === CONSTRAINT METHODS ===#

    @api.constrains("program_id", "member_id", "tier_ids")
    def _check_program(self):
        for fund in self:
            if (fund.member_id.program_id | fund.tier_ids.program_id) - fund.program_id:
                raise ValidationError(
                    self.env._("“%s” is for a member or a tier of another program: choose those of its own.", fund.name)
                )
            if fund.claim_ids.program_id - fund.program_id:
                raise ValidationError(
                    self.env._("Members have asked for money of “%s” already: it stays in its program.", fund.name)
                )

    @api.constrains("budget")
    def _check_budget(self):
        for fund in self:
            if fund.currency_id.compare_amounts(fund.left_amount, 0) < 0:
                raise ValidationError(
                    self.env._(
                        "%(taken)s of “%(fund)s” are requested, approved or settled: the budget cannot be below that.",
                        taken=fund._format(fund.budget - fund.left_amount),
                        fund=fund.name,
                    )
                )

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for fund, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", fund.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_claimed(self):
        for fund in self:
            if fund.claim_ids:
                raise UserError(
                    self.env._("Members have asked for money of “%s”: archive it, then nobody can any more.", fund.name)
                )

    # === ACTION METHODS ===#

    def action_view_claims(self):
        """Show who has asked for money of the fund."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_claim_action"),
            "domain": [("mdf_fund_id", "=", self.id)],
            "context": {"default_mdf_fund_id": self.id},
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _get_in_force(self, member):
        """Return the fund that a member is paid from today, if any: its own before that of its tier or of all.

        :param member: ``partner.loyalty.member``
        """
        today = member.program_id._get_today()
        funds = self.search(
            [
                ("program_id", "=", member.program_id.id),
                ("date_from", "<=", today),
                ("date_to", ">=", today),
            ]
        ).filtered(lambda fund: fund._suits(member))
        return funds.sorted(lambda fund: (not fund.member_id, not fund.tier_ids, fund.date_to, fund.id))[:1]

    def _suits(self, member):
        """Return whether a member is one of those that the fund is for."""
        self.ensure_one()
        root = member.root_id
        return (not self.member_id or self.member_id.root_id == root) and (
            not self.tier_ids or root.tier_id in self.tier_ids
        )

    def _claim_budget(self):
        """Write the funds, so that of two requests at once the second starts over and finds the first."""
        self.env.flush_all()
        self.env.execute_query(
            SQL("UPDATE partner_loyalty_fund SET budget = budget WHERE id = ANY(%s)", list(self.ids))
        )

    def _get_refusal(self, claim):
        """Return why a claim cannot be paid from the fund, in words, or None.

        :param claim: ``partner.loyalty.claim`` that has asked for nothing yet
        """
        self.ensure_one()
        terms = {"fund": self.name, "member": claim.partner_id.display_name}
        if not self.active:
            return self.env._("“%(fund)s” is archived: choose another fund.", **terms)
        if self.program_id != claim.program_id or not self._suits(claim.member_id):
            return self.env._("“%(fund)s” is not for %(member)s: choose another fund.", **terms)
        if claim.mdf_date_from < self.date_from or claim.mdf_date_to > self.date_to:
            return self.env._(
                "“%(fund)s” is for what is done from %(first)s to %(last)s: change the days, or choose another fund.",
                first=format_date(self.env, self.date_from),
                last=format_date(self.env, self.date_to),
                **terms,
            )
        if self.currency_id.compare_amounts(claim.mdf_requested_amount, self.left_amount) > 0:
            return self.env._(
                "Of “%(fund)s”, %(left)s are left, and %(amount)s were asked for.",
                left=self._format(self.left_amount),
                amount=self._format(claim.mdf_requested_amount),
                **terms,
            )
        return None

    def _get_taken(self):
        """Return what claims take from the funds: by fund, the amount for each state, and how many claims there are.

        :rtype: dict[recordset, dict[str, float]]
        """
        # How much is left depends on claims that the user may not see.
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        rows = claims_sudo._read_group(
            Domain("mdf_fund_id", "in", self.ids),
            ["mdf_fund_id", "state"],
            ["__count", *(f"{name}:sum" for name in TAKING_AMOUNTS.values())],
        )
        taken = {}
        for fund, state, count, *amounts in rows:
            figures = taken.setdefault(self.browse(fund.id), {"count": 0})
            figures["count"] += count
            if state in TAKING_AMOUNTS:
                figures[state] = dict(zip(TAKING_AMOUNTS, amounts, strict=True))[state]
        return taken

    def _format(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)
