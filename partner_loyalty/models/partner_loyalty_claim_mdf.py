from decimal import ROUND_HALF_UP, Decimal
from pathlib import PurePath

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

from ..tools.files import MAX_FILE_SIZE, get_refusal_of_file

# How the names of files end that can be a proof.
PROOF_ENDINGS = frozenset(
    (
        ".csv",
        ".doc",
        ".docx",
        ".eml",
        ".gif",
        ".heic",
        ".jpeg",
        ".jpg",
        ".odp",
        ".ods",
        ".odt",
        ".pdf",
        ".png",
        ".ppt",
        ".pptx",
        ".rtf",
        ".tif",
        ".tiff",
        ".txt",
        ".webp",
        ".xls",
        ".xlsx",
    )
)


class PartnerLoyaltyClaimMdf(models.AbstractModel):
    """Claims of marketing money: a plan and an amount, what was approved of it, its proof, and what is paid.

    A member asks for ``mdf_requested_amount``; a manager approves as much or less. With the proof it says how much it
    has spent, and gets the share of that which the fund paid when it asked, up to what was approved.
    """

    _name = "partner.loyalty.claim.mdf"
    _description = "Marketing Money Claimed"

    # === FIELDS ===#

    # That of the company of the claim; an amount needs to know its currency here as well.
    currency_id = fields.Many2one(comodel_name="res.currency")
    mdf_fund_id = fields.Many2one(
        comodel_name="partner.loyalty.fund",
        string="Fund",
        compute="_compute_mdf_fund_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('program_id', '=', program_id), '|', ('member_id', '=', False), ('member_id', '=', member_id)]",
        tracking=True,
        help="What it is paid from.",
    )
    mdf_plan = fields.Text(string="Plan", help="What the member wants to do, and what it is to bring.")
    mdf_place = fields.Char(string="Where", help="The place, the newspaper, the website and the like.")
    mdf_date_from = fields.Date(string="Begins on")
    mdf_date_to = fields.Date(string="Ends on")
    mdf_requested_amount = fields.Monetary(string="Requested Amount", copy=False, tracking=True)
    mdf_approved_amount = fields.Monetary(
        string="Approved Amount",
        copy=False,
        tracking=True,
        help="At most so much is paid. Who approves can enter less than what was asked for.",
    )
    mdf_share = fields.Float(string="We Pay (%)", digits=(5, 2), copy=False, readonly=True, aggregator=None)
    mdf_spent_amount = fields.Monetary(
        string="Spent",
        copy=False,
        tracking=True,
        help="What the member has spent by its proof, without taxes that it gets back.",
    )
    mdf_proof_ids = fields.Many2many(
        comodel_name="ir.attachment",
        relation="partner_loyalty_claim_mdf_proof_rel",
        column1="claim_id",
        column2="attachment_id",
        string="Proof",
        ondelete="restrict",
        copy=False,
        help="Invoices, pictures and the like: what was done, and what it has cost.",
    )
    mdf_settled_amount = fields.Monetary(string="Settled", copy=False, readonly=True)
    # Members read how much they are paid without access to a fund that they share with others.
    mdf_formula = fields.Char(string="How Much", compute="_compute_mdf_formula", compute_sudo=True)

    # === CONSTRAINTS ===#

    _mdf_amounts_positive = models.Constraint(
        "CHECK (mdf_requested_amount BETWEEN 0 AND 999999999999 AND mdf_approved_amount >= 0 "
        "AND mdf_spent_amount BETWEEN 0 AND 999999999999 AND mdf_settled_amount >= 0)",
        "Marketing money is an amount above zero: enter one below one trillion.",
    )
    _mdf_approved_most = models.Constraint(
        "CHECK (mdf_approved_amount <= mdf_requested_amount)",
        "Nobody gets more marketing money than it has asked for: approve that amount or less.",
    )
    _mdf_settled_most = models.Constraint(
        "CHECK (mdf_settled_amount <= mdf_approved_amount)", "No more marketing money is paid than was approved."
    )
    _mdf_dates_order = models.Constraint(
        "CHECK (mdf_date_to >= mdf_date_from)", "A plan ends after it begins: enter a later last day."
    )

    # === COMPUTE METHODS ===#

    @api.depends("reward_id", "member_id")
    def _compute_mdf_fund_id(self):
        funds = self.env["partner.loyalty.fund"]
        for claim in self:
            if claim.reward_id.kind != "mdf":
                claim.mdf_fund_id = False
            elif claim.member_id and not claim._is_fund_chosen():
                claim.mdf_fund_id = funds._get_in_force(claim.member_id)

    @api.depends("mdf_share", "mdf_fund_id", "mdf_approved_amount", "mdf_spent_amount", "mdf_settled_amount")
    @api.depends_context("lang")
    def _compute_mdf_formula(self):
        for claim in self:
            claim.mdf_formula = claim._get_mdf_formula_text() if claim.mdf_fund_id else False

    def _get_mdf_formula_text(self):
        """Return how much is paid, in words.

        :rtype: str
        """
        terms = {
            "share": f"{self.mdf_share or self.mdf_fund_id.share:g}",
            "most": self._format_mdf(self.mdf_approved_amount or self.mdf_requested_amount),
        }
        if not self.mdf_spent_amount:
            return self.env._("%(share)s %% of what is spent, at most %(most)s", **terms)
        return self.env._(
            "%(share)s %% of %(spent)s spent, at most %(most)s: %(result)s",
            spent=self._format_mdf(self.mdf_spent_amount),
            result=self._format_mdf(self._get_mdf_result()),
            **terms,
        )

    def _is_fund_chosen(self):
        """Return whether a fund is there already that the member can be paid from."""
        fund = self.mdf_fund_id
        return bool(fund) and fund.program_id == self.member_id.program_id and fund._suits(self.member_id)

    # === CONSTRAINT METHODS ===#

    @api.constrains("mdf_spent_amount", "mdf_proof_ids")
    def _check_mdf_proof_time(self):
        for claim in self:
            is_empty = not claim.mdf_spent_amount and not claim.mdf_proof_ids
            if claim.state != "approved" and not (claim.state == "draft" and is_empty):
                raise ValidationError(
                    self.env._(
                        "The proof of %s is entered when it is approved, and stands when it is settled.", claim.name
                    )
                )

    @api.constrains("mdf_proof_ids")
    def _check_mdf_proof_files(self):
        for claim in self:
            for file in claim.mdf_proof_ids:
                refusal = claim._get_refusal_of_proof(file)
                if refusal:
                    raise ValidationError(refusal)

    # === CRUD METHODS ===#

    def write(self, vals):
        if "mdf_approved_amount" in vals and not self.env.su:
            self._check_can_decide()
        return super().write(vals)

    # === BUSINESS METHODS ===#

    def _check_mdf_request(self):
        """Check what is asked for.

        :raises UserError: with what is missing, or why the fund does not pay for it
        """
        refusal = self._get_missing_of_plan() or self.mdf_fund_id._get_refusal(self)
        if refusal:
            raise UserError(refusal)

    def _get_missing_of_plan(self):
        """Return what a plan lacks, in words, or None."""
        terms = {"claim": self.name, "member": self.partner_id.display_name}
        if not self.mdf_fund_id:
            return self.env._(
                "No marketing fund is in force for %(member)s: choose one, or have a manager create it at "
                "Rewards > Marketing Funds.",
                **terms,
            )
        if not (self.mdf_plan or "").strip():
            return self.env._("Write down what is planned with %(claim)s.", **terms)
        if not self.mdf_date_from or not self.mdf_date_to:
            return self.env._("Enter when the plan of %(claim)s begins and ends.", **terms)
        if self.mdf_date_to < self.program_id._get_today():
            return self.env._(
                "The plan of %(claim)s is over: marketing money is asked for before it is spent.", **terms
            )
        if self.currency_id.compare_amounts(self.mdf_requested_amount, 0) <= 0:
            return self.env._("Enter how much is asked for with %(claim)s.", **terms)
        return None

    def _check_mdf_approval(self):
        """Check that there is something to approve.

        :raises UserError: where there is not
        """
        if not self.mdf_fund_id or self.currency_id.compare_amounts(self.mdf_approved_amount, 0) <= 0:
            raise UserError(self.env._("Enter how much of %s is approved, or refuse it.", self.name))

    def _check_mdf_proof(self):
        """Check that it is proved what was spent.

        :raises UserError: where it is not, or where nothing of it is paid
        """
        if not self.mdf_proof_ids:
            raise UserError(self.env._("Attach the proof of %s first: invoices, pictures and the like.", self.name))
        # Their content can be changed without the claim.
        self._check_mdf_proof_files()
        if self.currency_id.compare_amounts(self._get_mdf_result(), 0) <= 0:
            raise UserError(
                self.env._("Enter how much was spent by the proof of %s; where it was nothing, cancel it.", self.name)
            )

    def _get_refusal_of_proof(self, file):
        """Return why a file cannot be the proof of the claim, in words, or None.

        :param file: ``ir.attachment``
        """
        # Of a file that belongs to another record it is said that it does, whoever may see it.
        file_sudo = file.sudo()
        terms = {"file": file_sudo.name}
        if (file_sudo.res_model, file_sudo.res_id) != (self._name, self.id):
            return self.env._("“%(file)s” belongs to something else: upload it to the claim.", **terms)
        if file_sudo.type != "binary" or PurePath(file_sudo.name).suffix.lower() not in PROOF_ENDINGS:
            return self.env._("“%(file)s” is no picture, PDF or office document: upload one of these.", **terms)
        # Of what is too large the beginning is enough.
        content = file_sudo.datas if file_sudo.file_size <= MAX_FILE_SIZE else bytes(file_sudo.file_size * 4 // 3)
        return get_refusal_of_file(self.env, file_sudo.name, content or b"")

    def _settle_mdf(self):
        """Write down what is paid; the rest stays in the fund."""
        # It is worked out by the program alone.
        self.sudo().mdf_settled_amount = self._get_mdf_result()

    def _get_mdf_result(self):
        """Return what is paid of what was spent: the share of it, up to what was approved.

        :rtype: float
        """
        share, spent, most = self._get_mdf_figures()
        step = Decimal(1).scaleb(-self.currency_id.decimal_places)
        return float(min((spent * share / 100).quantize(step, ROUND_HALF_UP), most))

    def _get_mdf_figures(self):
        """Return exactly what part is paid, how much was spent, and how much was approved.

        :rtype: tuple[Decimal, Decimal, Decimal]
        """
        digits = self.currency_id.decimal_places
        amounts = (Decimal(f"{amount:.{digits}f}") for amount in (self.mdf_spent_amount, self.mdf_approved_amount))
        return Decimal(f"{self.mdf_share:.2f}"), *amounts

    def _format_mdf(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)
