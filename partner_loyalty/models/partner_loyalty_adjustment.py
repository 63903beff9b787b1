from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, float_compare

from ..const import LEDGER_DIGITS, NAMES_IN_MESSAGE, NO_PERIOD, UNITS

# In these states an adjustment leaves its external reference to another one.
WITHDRAWN_STATES = ("refused", "canceled")


class PartnerLoyaltyAdjustment(models.Model):
    """A correction of a balance by hand, or what a member brings along: asked for by one person, approved by another.

    Nothing is on the statement before the approval. Where an external reference is given again with the same figures,
    the record that has it is returned: a file that is imported twice counts once.
    """

    _name = "partner.loyalty.adjustment"
    _description = "Loyalty Adjustment"
    _inherit = ["partner.loyalty.approval.mixin", "partner.loyalty.input.mixin"]
    _order = "id desc"
    _waiting_decisions = ("requested",)
    _cancelable_decisions = ("draft", "requested")
    _requester_fields = ("create_uid", "requested_by_id")
    _protected_fields = frozenset(
        {
            "company_id",
            "decided_at",
            "decided_by_id",
            "is_decided_alone",
            "entry_id",
            "money_amount",
            "name",
            "partner_id",
            "point_amount",
            "program_id",
            "refuse_reason",
            "requested_at",
            "requested_by_id",
            "state",
        }
    )
    # What a manager decides on: it stands from the request on.
    _requested_fields = frozenset(
        {"amount", "date", "expiry_date", "external_ref", "kind", "member_id", "reason", "unit"}
    )

    # === FIELDS ===#

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('merged_into_id', '=', False)]",
        tracking=True,
    )
    # These two can be given in place of the member on creation, as an import does; they follow the member.
    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program",
        compute="_compute_program_and_partner",
        store=True,
        precompute=True,
        readonly=False,
        index=True,
        copy=False,
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_program_and_partner",
        store=True,
        precompute=True,
        readonly=False,
        index=True,
        copy=False,
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        selection=[("adjustment", "Adjustment"), ("opening", "Opening Balance")],
        required=True,
        default="adjustment",
        help="An adjustment takes no more than is there. A negative opening balance is a debt that earnings pay later.",
    )
    unit = fields.Selection(selection=UNITS, required=True)
    amount = fields.Float(
        digits=LEDGER_DIGITS,
        required=True,
        aggregator=None,
        tracking=True,
        help="What is added to the balance; with a minus sign, what is taken off it.",
    )
    # The amount once more with a column for each unit, so that no total of a view adds points to money.
    point_amount = fields.Float(string="Points", digits=(18, 2), compute="_compute_unit_amounts", store=True)
    money_amount = fields.Monetary(string="Money", compute="_compute_unit_amounts", store=True)
    reason = fields.Char(required=True, tracking=True, help="Shown to the member on the statement.")
    external_ref = fields.Char(
        string="External Reference",
        copy=False,
        help="Number of the record in the system it comes from. Nothing with the same reference is entered twice.",
    )
    date = fields.Date(
        string="Counts from",
        compute="_compute_date",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        copy=False,
        help="The day it counts on the statement. In a locked period, the first day after it.",
    )
    expiry_date = fields.Date(
        string="Expires on", copy=False, help="Last day on which it can be spent; as the program says where left empty."
    )
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("requested", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("canceled", "Canceled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        group_expand=True,
    )
    requested_by_id = fields.Many2one(comodel_name="res.users", string="Requested by", readonly=True, copy=False)
    requested_at = fields.Datetime(string="Requested on", readonly=True, copy=False)
    entry_id = fields.Many2one(
        comodel_name="partner.loyalty.entry",
        string="Statement Line",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    # === CONSTRAINTS ===#

    _external_ref_unique = models.UniqueIndex(
        "(program_id, external_ref) WHERE external_ref IS NOT NULL AND state NOT IN ('refused', 'canceled')",
        "There is an adjustment with this external reference in the program already: open that one.",
    )
    _amount_finite = models.Constraint(
        "CHECK (amount <> 0 AND amount <> 'NaN' AND abs(amount) < 1000000000000)",
        "An adjustment adds something or takes something off: enter an amount other than zero, below one trillion.",
    )
    _date_plausible = models.Constraint(
        "CHECK (date BETWEEN '1900-01-02' AND '9999-01-01')",
        "An adjustment counts from a day after the year 1900: enter all four digits of the year.",
    )
    _expiry_after_date = models.Constraint(
        "CHECK (expiry_date IS NULL OR expiry_date >= date)",
        "It cannot expire before it counts: enter a later day of expiry.",
    )
    _only_credit_expires = models.Constraint(
        "CHECK (expiry_date IS NULL OR amount > 0)", "What is taken off does not expire: leave the day of expiry empty."
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_id.program_id", "member_id.partner_id")
    def _compute_program_and_partner(self):
        for adjustment in self:
            adjustment.program_id = adjustment.member_id.program_id
            adjustment.partner_id = adjustment.member_id.partner_id

    @api.depends("member_id")
    def _compute_date(self):
        for adjustment in self:
            program = adjustment.member_id.program_id
            today = program._get_today() if program else fields.Date.context_today(self)
            adjustment.date = adjustment.date or today

    @api.depends("amount", "unit")
    def _compute_unit_amounts(self):
        for adjustment in self:
            for unit, _label in UNITS:
                adjustment[f"{unit}_amount"] = adjustment.amount if adjustment.unit == unit else 0

    # === CONSTRAINT METHODS ===#

    @api.constrains("reason")
    def _check_reason(self):
        for adjustment in self:
            if not (adjustment.reason or "").strip():
                raise ValidationError(self.env._("The statement needs a reason: say why the balance changes."))

    @api.constrains("amount", "unit", "member_id")
    def _check_stored_decimals(self):
        for adjustment in self:
            adjustment._check_decimals(adjustment.amount)

    # === CRUD METHODS ===#

    @api.model
    def get_import_templates(self):
        """Offer a file to fill in."""
        return [
            {
                "label": self.env._("Import Template for Adjustments and Opening Balances"),
                "template": "/partner_loyalty/static/xls/partner_loyalty_adjustment.xlsx",
            }
        ]

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        for vals in (self._get_defaults_in_context(), *vals_list):
            self._check_input(vals)
        vals_list = self._prepare_create_vals_list(vals_list)
        keys = [self._get_reference_key(vals) for vals in vals_list]
        known = self._find_by_reference(keys)
        firsts = {key: index for index, key in reversed(list(enumerate(keys)))}
        fresh = [i for i, key in enumerate(keys) if not key or (key not in known and firsts[key] == i)]
        created = super().create([vals_list[i] for i in fresh])
        created._complete([vals_list[i] for i in fresh])
        records = dict(zip(fresh, created, strict=True))
        known.update({keys[i]: record for i, record in records.items() if keys[i]})
        for i, vals in enumerate(vals_list):
            if i not in records:
                known[keys[i]]._check_same_figures(vals)
                records[i] = known[keys[i]]
        return self.browse([records[i].id for i in range(len(vals_list))])

    def write(self, vals):
        if not self.env.su and self._requested_fields & vals.keys():
            self._check_draft()
        self._check_input(vals)
        result = super().write(self._clean_vals(vals))
        if "amount" in vals:
            for adjustment in self:
                adjustment._check_decimals(vals["amount"])
        return result

    # === ACTION METHODS ===#

    def action_request(self):
        """Ask a manager to approve drafts; what they say cannot be changed from then on."""
        self.check_access("write")
        adjustments = self._get_in("draft")
        adjustments._check_stored_decimals()
        adjustments._set_decision("requested", requested_by_id=self.env.uid, requested_at=fields.Datetime.now())
        adjustments._notify_approvers()

    def action_approve(self):
        """Approve adjustments and put them on the statements, all in one posting.

        :raises UserError: when the user may not approve one of them, or one takes more than is there
        """
        adjustments = self._get_in("requested")
        adjustments._check_can_decide()
        adjustments._post_to_ledger()
        adjustments._set_decision("approved", **adjustments._prepare_decision_vals())
        adjustments.activity_unlink(["mail.mail_activity_data_todo"])

    def action_view_entry(self):
        """Open the statement line."""
        self.ensure_one()
        return self.entry_id._get_records_action(context={})

    # === BUSINESS METHODS - CREATION ===#

    @api.model
    def _prepare_create_vals_list(self, vals_list):
        """Return the values with the member in them, however it was named, and without blanks.

        :rtype: list[dict]
        """
        defaults = self.default_get(["member_id", "unit", "external_ref"])
        vals_list = [self._clean_vals({**defaults, **vals}) for vals in vals_list]
        partners = self.env["res.partner"].browse({vals["partner_id"] for vals in vals_list if vals.get("partner_id")})
        members = self.env["partner.loyalty.member"].search(
            [("partner_id", "in", partners.commercial_partner_id.ids), ("merged_into_id", "=", False)]
        )
        by_partner = members.grouped("partner_id")
        for vals in vals_list:
            vals["member_id"] = self._get_member(vals, by_partner).id
            vals.pop("program_id", None)
            vals.pop("partner_id", None)
            if not vals.get("date"):
                vals.pop("date", None)
        return vals_list

    @api.model
    def _get_member(self, vals, by_partner):
        """Return the member that values of an adjustment are about.

        :param dict vals: values with the member, or its partner, or its partner and program
        :param dict by_partner: members by commercial partner
        :raises ValidationError: where it is not exactly one
        """
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        program = self.env["partner.loyalty.program"].browse(vals.get("program_id"))
        if not partner and not vals.get("member_id"):
            raise ValidationError(
                self.env._("Say whose balance changes: choose a member, or a program and one of its partners.")
            )
        members = self.env["partner.loyalty.member"].browse(vals.get("member_id"))
        found = members or by_partner.get(partner.commercial_partner_id, members)
        if partner:
            found = found.filtered(lambda member: member.partner_id == partner.commercial_partner_id)
        if program:
            found = found.filtered(lambda member: member.program_id == program)
        if len(found) == 1:
            return found
        terms = {
            "partner": (partner or members.partner_id).display_name,
            "program": program.name or self.env._("any program"),
        }
        if found:
            raise ValidationError(self.env._("%(partner)s is in several programs: say in which one.", **terms))
        raise ValidationError(self.env._("%(partner)s is not a member of %(program)s: enroll it first.", **terms))

    @api.model
    def _clean_vals(self, vals):
        """Return values without blanks around the external reference; an empty one is none."""
        if "external_ref" not in vals:
            return vals
        return {**vals, "external_ref": str(vals["external_ref"] or "").strip() or False}

    def _complete(self, vals_list):
        """Check the amounts of new adjustments as they were entered, and number them.

        :param list vals_list: the values that the records were created with, in their order
        """
        for adjustment, vals in zip(self, vals_list, strict=True):
            adjustment._check_decimals(vals.get("amount"))
        # Numbers are set by the program alone.
        for adjustment_sudo in self.sudo():
            sequence_sudo = self.env["ir.sequence"].sudo().with_company(adjustment_sudo.company_id)
            adjustment_sudo.name = sequence_sudo.next_by_code(self._name) or "/"

    # === BUSINESS METHODS - EXTERNAL REFERENCES ===#

    @api.model
    def _get_reference_key(self, vals):
        """Return program and external reference, by which an adjustment is known again; None without a reference."""
        if not vals.get("external_ref"):
            return None
        return self.env["partner.loyalty.member"].browse(vals["member_id"]).program_id, vals["external_ref"]

    @api.model
    def _find_by_reference(self, keys):
        """Return the adjustments that have one of the references, by program and reference.

        :param list keys: see :meth:`_get_reference_key`
        :rtype: dict
        """
        references = [reference for _program, reference in filter(None, keys)]
        if not references:
            return {}
        adjustments = self.search([("external_ref", "in", references), ("state", "not in", WITHDRAWN_STATES)])
        return {(adjustment.program_id, adjustment.external_ref): adjustment for adjustment in adjustments}

    def _check_same_figures(self, vals):
        """Check that values with the external reference of this adjustment say the same as it does.

        :raises ValidationError: where they are about another member, unit or amount
        """
        self.ensure_one()
        member = self.env["partner.loyalty.member"].browse(vals["member_id"])
        if (
            member.root_id == self.member_id.root_id
            and vals.get("unit") == self.unit
            and not float_compare(float(vals.get("amount") or 0), self.amount, precision_digits=LEDGER_DIGITS[1])
        ):
            return
        raise ValidationError(
            self.env._(
                "The external reference “%(reference)s” is that of %(adjustment)s, which is about another member, "
                "unit or amount: give this one a reference of its own, or cancel that one.",
                reference=self.external_ref,
                adjustment=self.name,
            )
        )

    # === BUSINESS METHODS - CHECKS ===#

    def _check_decimals(self, amount):
        """Check that an amount has no more decimals than its unit, before any field rounds it.

        :param amount: as a client sent it
        :raises ValidationError: where it has
        """
        self.ensure_one()
        step = Decimal(str(self._get_rounding()))
        # A number has at most fifteen digits that mean something; the rest comes from how computers add.
        if Decimal(f"{float(amount or 0):.15g}") % step:
            raise ValidationError(
                self.env._(
                    "%(amount)s has too many decimals: here, amounts are in steps of %(step)s.",
                    amount=amount,
                    step=step.normalize(),
                )
            )

    def _get_rounding(self):
        """Return the smallest step of the unit: of points by the program, of money by the currency."""
        self.ensure_one()
        return self.currency_id.rounding if self.unit == "money" else Decimal(10) ** -self.program_id.point_digits

    # === BUSINESS METHODS - LEDGER ===#

    def _post_to_ledger(self):
        """Post adjustments: what is added pays debts, and what is taken off has to be there.

        :raises UserError: when one takes more than is there, or counts from a day to come
        """
        self._check_days()
        Entry = self.env["partner.loyalty.entry"]
        Allocation = self.env["partner.loyalty.allocation"]
        rows = Entry._post(self._get_entry_source())
        entries = Entry.browse([row[0] for row in rows])
        Allocation._settle({row[1] for row in rows})
        debits = entries.filtered(lambda entry: entry.type == "adjustment" and entry.amount < 0)
        if debits:
            Allocation._consume(debits)
        # The link is set by the program alone.
        by_id_sudo = {adjustment_sudo.id: adjustment_sudo for adjustment_sudo in self.sudo()}
        for entry in entries:
            by_id_sudo[entry.origin_id].entry_id = entry
        self._check_covered()

    def _get_entry_source(self):
        """Return the entries of adjustments, as a source for ``partner.loyalty.entry._post``.

        :rtype: SQL
        """
        groups = self.grouped(lambda adjustment: (adjustment.program_id, adjustment.unit))
        return SQL(" UNION ALL ").join(
            adjustments._get_entry_query(program._get_terms(unit)) for (program, unit), adjustments in groups.items()
        )

    def _get_entry_query(self, terms):
        """Return the entries of adjustments that share the terms of their program.

        They are available at once. What was merged into another member goes on there.

        :param Terms terms: when they expire, where they do not say themselves
        :rtype: SQL
        """
        columns = terms.get_columns(SQL("adjustment.date"))
        return SQL(
            """
            SELECT account.id AS account_id, adjustment.kind AS type, adjustment.amount, NULL::integer AS rule_id,
                   %(model)s AS origin_model, adjustment.id AS origin_id, %(no_period)s::date AS period_start,
                   0 AS revision, adjustment.date AS contribution_date, adjustment.date AS date,
                   adjustment.date AS mature_date,
                   CASE WHEN adjustment.amount > 0
                        THEN COALESCE(adjustment.expiry_date, %(expiry_date)s) END AS expiry_date,
                   CASE WHEN adjustment.amount > 0 AND adjustment.expiry_date IS NULL
                        THEN %(idle_months)s END AS idle_months,
                   NULL::integer AS reverses_id, adjustment.external_ref,
                   jsonb_build_object('reason', adjustment.reason) AS explanation
              FROM partner_loyalty_adjustment adjustment
              JOIN partner_loyalty_member member ON member.id = adjustment.member_id
              JOIN partner_loyalty_account account
                ON account.member_id = member.root_id AND account.unit = adjustment.unit
             WHERE adjustment.id = ANY(%(adjustments)s)
            """,
            model=self._name,
            no_period=NO_PERIOD,
            expiry_date=columns["expiry_date"],
            idle_months=columns["idle_months"],
            adjustments=list(self.ids),
        )

    def _check_days(self):
        """Check that no adjustment counts from a day to come: a balance holds what is there today.

        :raises UserError: where one does
        """
        early = self.filtered(lambda adjustment: adjustment.date > adjustment.program_id._get_today())
        if early:
            raise UserError(
                self.env._(
                    "%(adjustments)s counts from a day to come: approve it from that day on.",
                    adjustments=early._get_names(),
                )
            )

    def _check_covered(self):
        """Check that all that was taken off was there.

        :raises UserError: where it was not
        """
        lacking = self.filtered(
            lambda adjustment: adjustment.kind == "adjustment" and adjustment.entry_id.amount_open < 0
        )
        if lacking:
            raise UserError(
                "\n".join(
                    self.env._(
                        "%(adjustment)s takes more than %(member)s has: %(missing)s is not there. "
                        "Refuse it and ask for less, or approve it when more has been earned.",
                        adjustment=adjustment.name,
                        member=adjustment.partner_id.display_name,
                        missing=adjustment.entry_id._format_amount(str(-adjustment.entry_id.amount_open)),
                    )
                    for adjustment in lacking[:NAMES_IN_MESSAGE]
                )
            )

    # === BUSINESS METHODS - APPROVAL ===#

    def _set_decision(self, decision, **vals):
        """Override: the disputes that an adjustment makes up for are over with it, or wait anew."""
        result = super()._set_decision(decision, **vals)
        if decision in ("approved", *WITHDRAWN_STATES):
            # Managers who decide on adjustments answer disputes by that, whatever rights they have on them.
            inquiries_sudo = self.env["partner.loyalty.inquiry"].sudo().search([("adjustment_id", "in", self.ids)])
            inquiries_sudo._follow_adjustment(decision)
        return result

    def _get_approval_summary(self):
        return self.env._("Adjustments to approve: %s", len(self))
