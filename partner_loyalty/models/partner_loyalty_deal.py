from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, clean_context, format_date, plaintext2html
from odoo.tools.mail import email_re

from ..tools import names

# What of an approved deal moves what it earns.
TOUCHING_FIELDS = {"customer_id", "decided_at", "expected_amount", "member_id", "state"}


class PartnerLoyaltyDeal(models.Model):
    """An opportunity that a member registers with us: whoever comes first has the customer protected for a while.

    From the approval on the opportunity names the member as its referrer, so that the sale is attributed by the
    document itself, as any other is.
    """

    _name = "partner.loyalty.deal"
    _description = "Deal"
    _inherit = [
        "partner.loyalty.approval.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.touch.mixin",
        "partner.loyalty.deal.price",
        "partner.loyalty.member.owned.mixin",
    ]
    _cancelable_decisions = ("draft", "submitted", "approved")
    _order = "id desc"
    _check_company_auto = True
    _protected_fields = frozenset(
        {
            "company_id",
            "customer_company_id",
            "customer_key",
            "decided_at",
            "decided_by_id",
            "is_decided_alone",
            "partner_id",
            "price_decided_at",
            "price_decided_by_id",
            "price_refuse_reason",
            "price_state",
            "program_id",
            "protected_until",
            "refuse_reason",
            "request_token",
            "state",
            "submitted_at",
            "submitted_by_id",
        }
    )
    # What a manager decides on: it stands from the submission on. Whom to talk to and how far that is goes on.
    _submitted_fields = frozenset(
        {
            "customer_id",
            "customer_name",
            "date_deadline",
            "expected_amount",
            "member_id",
            "name",
            "price_discount",
            "price_reason",
        }
    )

    # === FIELDS ===#

    name = fields.Char(string="Title", required=True, tracking=True)
    member_id = fields.Many2one(tracking=True)
    customer_id = fields.Many2one(
        comodel_name="res.partner",
        index="btree_not_null",
        check_company=True,
        tracking=True,
        help="The contact of the customer, where there is one already.",
    )
    customer_company_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_customer_company_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="The company of the customer, as it was when it was entered.",
    )
    customer_name = fields.Char(
        string="Customer's Name",
        compute="_compute_customer_name",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        tracking=True,
        help="Who may buy. A customer that is no contact yet is known again by this name.",
    )
    contact_name = fields.Char(
        string="Contact Person", help="Whom to talk to, with a phone number or an e-mail address."
    )
    # By it Odoo's privacy lookup finds whom a member wrote of.
    email_from = fields.Char(string="E-mail of the Contact", compute="_compute_email_from", store=True)
    customer_key = fields.Char(compute="_compute_customer_key", store=True, precompute=True, index=True)
    description = fields.Text(help="What the customer needs, and how far the talks are.")
    expected_amount = fields.Monetary(tracking=True, help="What the sale is expected to bring, without taxes.")
    date_deadline = fields.Date(string="Expected Closing", tracking=True)
    lead_id = fields.Many2one(
        comodel_name="crm.lead",
        string="Opportunity",
        copy=False,
        index="btree_not_null",
        check_company=True,
        domain="[('won_status', '=', 'pending'), ('company_id', 'in', (False, company_id))]",
        tracking=True,
        help="The opportunity that the deal is about. Where none is chosen, the approval creates one.",
    )
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("submitted", "To Approve"),
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
    submitted_by_id = fields.Many2one(comodel_name="res.users", string="Submitted by", readonly=True, copy=False)
    submitted_at = fields.Datetime(string="Submitted on", readonly=True, copy=False)
    request_token = fields.Char(
        readonly=True, copy=False, help="Of the form that it was registered by, so that the same form does so once."
    )
    protected_until = fields.Date(
        readonly=True,
        copy=False,
        tracking=True,
        help="Up to this day, no other partner's deal with the same customer is approved.",
    )
    is_protected = fields.Boolean(string="Protected", compute="_compute_is_protected", search="_search_is_protected")
    protecting_deal_id = fields.Many2one(
        comodel_name="partner.loyalty.deal",
        string="Protected by",
        compute="_compute_protecting_deal_id",
        help="The approved deal of another partner that has the customer protected.",
    )

    # === CONSTRAINTS ===#

    _expected_amount_finite = models.Constraint(
        "CHECK (expected_amount >= 0 AND expected_amount <> 'NaN')",
        "What a deal is expected to bring cannot be negative: enter zero or more.",
    )
    _request_token_unique = models.UniqueIndex(
        "(member_id, request_token) WHERE request_token IS NOT NULL", "This was sent already: look at your deals."
    )
    # What was approved is read by the moment of the approval.
    _approved_idx = models.Index("(decided_at) WHERE state = 'approved'")

    # === COMPUTE METHODS ===#

    @api.depends("customer_id")
    def _compute_customer_company_id(self):
        for deal in self:
            deal.customer_company_id = deal.customer_id.commercial_partner_id

    @api.depends("customer_id")
    def _compute_customer_name(self):
        for deal in self:
            company = deal.customer_id.commercial_partner_id
            deal.customer_name = company.name or deal.customer_id.name or deal.customer_name

    @api.depends("contact_name", "description")
    def _compute_email_from(self):
        for deal in self:
            text = f"{deal.contact_name or ''}\n{deal.description or ''}"
            deal.email_from = ", ".join(dict.fromkeys(email_re.findall(text))) or False

    @api.depends("customer_name")
    def _compute_customer_key(self):
        for deal in self:
            deal.customer_key = self._get_customer_key(deal.customer_name)

    @api.depends("state", "protected_until")
    def _compute_is_protected(self):
        for deal in self:
            today = deal.program_id._get_today() if deal.program_id else fields.Date.context_today(deal)
            until = deal.protected_until
            deal.is_protected = deal.state == "approved" and bool(until) and until >= today

    @api.depends("customer_id", "customer_name", "member_id", "state")
    def _compute_protecting_deal_id(self):
        for deal in self:
            waits = deal.state in ("draft", "submitted")
            deal.protecting_deal_id = waits and deal._get_protecting_deals()[:1]

    def _search_is_protected(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("state", "=", "approved") & Domain("protected_until", ">=", fields.Date.context_today(self))

    # === CONSTRAINT METHODS ===#

    @api.constrains("name", "customer_name")
    def _check_names(self):
        for deal in self:
            if not (deal.name or "").strip() or not deal.customer_key:
                raise ValidationError(
                    self.env._("A deal needs a title and a customer: say what it is about, and who buys.")
                )

    @api.constrains("member_id")
    def _check_member_not_merged(self):
        for deal in self.filtered("member_id.merged_into_id"):
            raise ValidationError(
                self.env._(
                    "%(member)s was taken over by %(target)s: register the deal for that one.",
                    member=deal.partner_id.display_name,
                    target=deal.member_id.root_id.partner_id.display_name,
                )
            )

    # === CRUD METHODS ===#

    def write(self, vals):
        # Before it is looked at in what state the deals are.
        self._check_input(vals)
        if not self.env.su:
            self.check_access("write")
            self._check_changeable(vals)
        with self._marking_loyalty(TOUCHING_FIELDS & vals.keys()):
            return super().write(vals)

    # === ACTION METHODS ===#

    def action_submit(self):
        """Ask a manager to approve drafts; what they say cannot be changed from then on."""
        self.check_access("write")
        deals = self._get_in("draft")
        deals.filtered("price_discount")._ask_for_price()
        deals._set_decision("submitted", submitted_by_id=self.env.uid, submitted_at=fields.Datetime.now())
        deals._notify_approvers()

    def action_approve(self):
        """Approve deals: each gets its opportunity, which names the member, and has its customer protected.

        :raises UserError: when the user may not approve one of them, or the customer is protected for somebody else
        """
        deals = self._get_in("submitted")
        deals._check_can_decide()
        deals._claim_customers()
        for deal in deals:
            deal._follow_merge()
            deal._check_not_protected()
            deal._set_decision("approved", **deal._prepare_approval_vals())
        deals.activity_unlink(["mail.mail_activity_data_todo"])

    def action_cancel(self):
        """Withdraw deals; one that was approved earns nothing any more, and only a manager withdraws it.

        Its opportunity keeps the partner who is named there: who brought a sale is said by the document alone.
        """
        return super().action_cancel()

    def action_view_lead(self):
        """Open the opportunity."""
        self.ensure_one()
        return self.lead_id._get_records_action(context={})

    # === BUSINESS METHODS - OPPORTUNITY ===#

    def _prepare_approval_vals(self):
        """Return what the approval sets, with the opportunity that it links or creates.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "lead_id": self._attribute_lead().id,
            "protected_until": self._get_protection_end(),
            **self._prepare_decision_vals(),
        }

    def _attribute_lead(self):
        """Name the member on the chosen opportunity, or create one that does.

        :raises UserError: where the chosen one is that of somebody else
        :rtype: ``crm.lead``
        """
        self.ensure_one()
        # Loyalty managers need not have any right on opportunities.
        context = {**clean_context(self.env.context), "allowed_company_ids": self.company_id.ids}
        lead_sudo = self.lead_id.sudo().with_context(context)
        if not lead_sudo:
            return lead_sudo.create(self._prepare_lead_vals())
        self._check_lead(lead_sudo)
        lead_sudo.loyalty_partner_id = self.partner_id
        return lead_sudo

    def _prepare_lead_vals(self):
        """Return the values of the opportunity that an approval creates.

        :rtype: dict
        """
        self.ensure_one()
        # The account manager of the member takes the opportunity, where that is somebody of the same company.
        user_sudo = self.partner_id.sudo().user_id
        return {
            "type": "opportunity",
            "name": self.name,
            "company_id": self.company_id.id,
            "partner_id": self.customer_id.id,
            "partner_name": self.customer_name,
            "loyalty_partner_id": self.partner_id.id,
            "expected_revenue": self.expected_amount,
            "date_deadline": self.date_deadline,
            "description": plaintext2html(self.description) if self.description else False,
            "user_id": user_sudo.id if self.company_id in user_sudo.company_ids else False,
            # Where it is not known, the opportunity takes it from the contact.
            **({"contact_name": self.contact_name} if self.contact_name else {}),
        }

    def _check_lead(self, lead):
        """Check that an opportunity was brought by nobody else, and is the only one of this deal.

        :param lead: ``crm.lead``
        :raises UserError: where it is not
        """
        self.ensure_one()
        terms = {"deal": self.name, "lead": lead.name}
        if lead.loyalty_partner_id and lead.loyalty_partner_id != self.partner_id:
            raise UserError(
                self.env._(
                    "The opportunity “%(lead)s” of “%(deal)s” was brought by %(partner)s: "
                    "choose another one, or none to create it.",
                    partner=lead.loyalty_partner_id.display_name,
                    **terms,
                )
            )
        others = Domain("lead_id", "=", lead.id) & Domain("state", "=", "approved") & Domain("id", "!=", self.id)
        if self.search_count(others, limit=1):
            raise UserError(
                self.env._(
                    "The opportunity “%(lead)s” of “%(deal)s” is that of another deal already: "
                    "choose another one, or none to create it.",
                    **terms,
                )
            )

    # === BUSINESS METHODS - PROTECTION ===#

    def _claim_customers(self):
        """Write the programs, so that of two approvals at once the second starts over and finds the first."""
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                "UPDATE partner_loyalty_program SET company_id = company_id WHERE company_id = ANY(%s)",
                list(self.company_id.ids),
            )
        )

    def _follow_merge(self):
        """Let a deal whose member was taken over meanwhile be that of the member that goes on."""
        self.ensure_one()
        if self.member_id.merged_into_id:
            # Who registered it cannot know, and who approves it has no right to change it.
            self.sudo().member_id = self.member_id.root_id

    def _check_not_protected(self):
        """Check that no other partner has the customer protected.

        :raises UserError: with who has, and until when
        """
        self.ensure_one()
        protecting = self._get_protecting_deals()[:1]
        if protecting:
            raise UserError(
                self.env._(
                    "%(customer)s is protected for %(holder)s until %(date)s by the deal “%(other)s”: "
                    "refuse “%(deal)s”, or approve it after that day.",
                    customer=self.customer_name,
                    holder=protecting.partner_id.display_name,
                    date=format_date(self.env, protecting.protected_until),
                    other=protecting.name,
                    deal=self.name,
                )
            )

    def _get_protecting_deals(self):
        """Return the approved deals of other partners that have the customer protected, those for longest first."""
        self.ensure_one()
        if not self.member_id or not (self.customer_company_id or self.customer_key):
            return self.browse()
        return self.search(self._get_protecting_deals_domain(), order="protected_until desc, id")

    def _get_protecting_deals_domain(self):
        """Return which deals have the customer protected for somebody else, in any program of the company.

        The same customer is the same company; where one of the two deals knows no contact yet, the same name.

        :rtype: Domain
        """
        self.ensure_one()
        same_name = Domain("customer_key", "=", self.customer_key)
        same_customer = same_name
        if self.customer_company_id:
            same_company = Domain("customer_company_id", "=", self.customer_company_id.id)
            same_customer = same_company | (Domain("customer_company_id", "=", False) & same_name)
        return (
            same_customer
            & Domain("state", "=", "approved")
            & Domain("protected_until", ">=", self.program_id._get_today())
            & Domain("company_id", "=", self.company_id.id)
            & Domain("member_id.root_id.partner_id", "!=", self.member_id.root_id.partner_id.id)
        )

    def _get_protection_end(self):
        """Return the last day on which the customer is protected, or False where deals are not protected."""
        self.ensure_one()
        days = self.program_id.deal_protection_days
        return self.program_id._get_today() + timedelta(days=days) if days else False

    @api.model
    def _get_customer_key(self, name):
        """Return by what a customer that is no contact yet is known again.

        :param str name: name of the customer as it was entered
        :rtype: str
        """
        return names.normalize(name)

    # === BUSINESS METHODS - CHECKS ===#

    def _check_changeable(self, vals):
        """Check that what was submitted is not changed behind the back of who decides on it.

        The opportunity alone can still be chosen by who decides.

        :param dict vals: what somebody wants to change
        :raises UserError: where it stands already
        """
        fixed = self.filtered(lambda deal: deal.state != "draft")
        if "lead_id" in vals and not self._submitted_fields & vals.keys():
            fixed = fixed.filtered(lambda deal: not deal.can_approve)
        if (self._submitted_fields | {"lead_id"}) & vals.keys():
            fixed._check_draft()

    def _check_can_cancel(self):
        """Check that whoever withdraws an approved deal is a manager.

        :raises UserError: where it is somebody else
        """
        approved = self._get_counting_for_loyalty()
        if approved and not self.env.user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            raise UserError(
                self.env._(
                    "%(deals)s was approved, so only a loyalty manager can withdraw it.", deals=approved._get_names()
                )
            )

    # === BUSINESS METHODS - APPROVAL ===#

    def _get_counting_for_loyalty(self):
        """Return those of the deals that contribute."""
        return self.filtered(lambda deal: deal.state == "approved")

    def _get_loyalty_standing(self):
        return self.customer_company_id, self.partner_id, self.decided_at

    def _get_approval_summary(self):
        return self.env._("Deals to approve: %s", len(self))
