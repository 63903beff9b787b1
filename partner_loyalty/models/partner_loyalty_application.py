from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize, mute_logger
from odoo.tools.misc import hmac

from ..tools import phones
from .partner_loyalty_approval_mixin import MAX_REASON

# So many applications come from one place in an hour, and no more.
HOURLY_LIMIT = 10
MAX_TEXT = {"company_name": 200, "contact_name": 200, "email": 200, "phone": 50, "vat": 50, "message": 5000}


class PartnerLoyaltyApplication(models.Model):
    """Somebody asks to become a member of a program, on its public page; an officer decides."""

    _name = "partner.loyalty.application"
    _description = "Application"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
    ]
    _order = "id desc"
    _rec_name = "company_name"
    _protected_fields = frozenset(
        {
            "company_id",
            "decided_at",
            "decided_by_id",
            "member_id",
            "refuse_reason",
            "source_key",
            "state",
            "terms",
            "terms_accepted_at",
            "terms_version",
        }
    )
    _protected_after_create_fields = frozenset({"program_id"})

    # === FIELDS ===#

    program_id = fields.Many2one(
        comodel_name="partner.loyalty.program", required=True, index=True, ondelete="restrict", tracking=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, index=True)
    company_name = fields.Char(required=True, tracking=True)
    contact_name = fields.Char(string="Contact Person", required=True)
    email = fields.Char(string="E-mail Address", required=True)
    email_normalized = fields.Char(compute="_compute_email_normalized", store=True, index="btree_not_null")
    phone = fields.Char()
    vat = fields.Char(string="Tax ID")
    message = fields.Text()
    lang = fields.Selection(selection="_get_languages", string="Language")
    referral_code = fields.Char(help="The code that the applicant came with.")
    referrer_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        string="Brought by",
        compute="_compute_referrer_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        help="The member who brought the applicant.",
    )
    state = fields.Selection(
        selection=[("new", "New"), ("approved", "Approved"), ("refused", "Refused")],
        required=True,
        readonly=True,
        default="new",
        copy=False,
        tracking=True,
        group_expand=True,
        index=True,
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        domain="[('parent_id', '=', False)]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="The contact that becomes a member. Where none is chosen, the approval creates one.",
    )
    duplicate_ids = fields.Many2many(
        comodel_name="res.partner",
        string="Known Already",
        compute="_compute_duplicate_ids",
        help="Contacts with the same e-mail address, phone number or tax ID.",
    )
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
    terms_version = fields.Integer(string="Accepted Version of the Terms", readonly=True, copy=False, aggregator=None)
    terms = fields.Html(string="Accepted Terms", readonly=True, copy=False)
    terms_accepted_at = fields.Datetime(string="Accepted on", readonly=True, copy=False)
    decided_by_id = fields.Many2one(comodel_name="res.users", string="Decided by", readonly=True, copy=False)
    decided_at = fields.Datetime(string="Decided on", readonly=True, copy=False)
    refuse_reason = fields.Char(string="Refused because", readonly=True, copy=False, tracking=True)
    source_key = fields.Char(
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=fields.NO_ACCESS,
        help="Where it came from, unreadable.",
    )

    # === CONSTRAINTS ===#

    _waiting_unique = models.UniqueIndex(
        "(program_id, email_normalized) WHERE state = 'new' AND email_normalized IS NOT NULL",
        "Somebody with this e-mail address has applied already: decide on that application.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("email")
    def _compute_email_normalized(self):
        for application in self:
            application.email_normalized = email_normalize(application.email)

    @api.depends("program_id", "referral_code")
    def _compute_referrer_id(self):
        # Who applies knows the code and nothing else of the member.
        members_sudo = self.env["partner.loyalty.member"].sudo()
        for application in self:
            code = (application.referral_code or "").strip().upper()
            found_sudo = members_sudo.search([("referral_code", "=", code)], limit=1).root_id if code else members_sudo
            is_same = found_sudo.program_id == application.program_id
            application.referrer_id = found_sudo.id if is_same else application.referrer_id

    @api.depends("email", "phone", "vat", "state")
    def _compute_duplicate_ids(self):
        for application in self:
            domain = application._get_duplicate_domain() if application.state == "new" else Domain.FALSE
            partners = self.env["res.partner"].search(domain, limit=20) if not domain.is_false() else None
            application.duplicate_ids = partners and partners.commercial_partner_id

    # === CONSTRAINT METHODS ===#

    @api.constrains(*MAX_TEXT)
    def _check_texts(self):
        for application in self:
            for name, most in MAX_TEXT.items():
                if len(application[name] or "") > most:
                    raise ValidationError(
                        self.env._(
                            "“%(field)s” has more than %(most)s characters: shorten it.",
                            field=self._fields[name]._description_string(self.env),
                            most=most,
                        )
                    )
            if not all((application[name] or "").strip() for name in ("company_name", "contact_name")):
                raise ValidationError(self.env._("Enter the name of the company and of a contact person."))
            if not application.email_normalized:
                raise ValidationError(self.env._("The e-mail address cannot be read: correct it."))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        applications = super().create(vals_list)
        for application in applications:
            application._remind_responsible()
        return applications

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        if any(application.state == "approved" for application in self):
            raise UserError(self.env._("Applications that were approved are kept with the membership."))

    # === ACTION METHODS ===#

    def action_approve(self):
        """Make the applicants members: with a partner, its contact, accepted terms, and an invitation to the portal.

        :raises UserError: where one of them cannot become a member
        """
        self.check_access("write")
        for application in self.filtered(lambda application: application.state == "new"):
            # First of all: of two officers at once, the second starts over and finds it decided.
            application._set_decision("approved")
            application._enter()
            application._welcome()

    def action_refuse(self, reason=None):
        """Refuse applications, and tell the applicants why.

        :param str reason: what they are told
        :raises UserError: where no reason is given
        """
        self.check_access("write")
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason or len(reason) > MAX_REASON:
            raise UserError(self.env._("Say why in up to %s characters: the applicant reads it.", MAX_REASON))
        refused = self.filtered(lambda application: application.state == "new")
        refused._set_decision("refused", refuse_reason=reason)
        refused._send_template("partner_loyalty.mail_template_application_refused")

    def action_view_member(self):
        """Open the membership."""
        self.ensure_one()
        return self.member_id._get_records_action(context={})

    # === BUSINESS METHODS - APPLYING ===#

    @api.model
    def _apply(self, program_sudo, values, source):
        """Keep an application that came in on the public page.

        :param program_sudo: a program with a public page
        :param dict values: the texts of the form
        :param str source: where it came from, for the limit
        :return: the application; none where the same one waits already
        :raises UserError: where there were too many from there
        :raises ValidationError: where something is missing or cannot be read
        """
        source_key = self._get_source_key(source)
        self._check_limit(source_key)
        vals = {
            **{name: (values.get(name) or "").strip() for name in (*MAX_TEXT, "referral_code")},
            "program_id": program_sudo.id,
            "lang": values.get("lang"),
        }
        # Strangers have no right on applications: each text is checked like one of a client.
        self._check_input(vals)
        applications_sudo = self.sudo()
        try:
            # Who applies twice is no error of the server.
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return applications_sudo.create(
                    {**vals, "source_key": source_key, **self._prepare_terms_vals(program_sudo, values)}
                )
        except UniqueViolation:
            return applications_sudo.browse()

    @api.model
    def _prepare_terms_vals(self, program_sudo, values):
        """Return which terms were accepted, and when; what they said then stays.

        :rtype: dict
        """
        if not program_sudo.terms:
            return {}
        if not values.get("accepts_terms"):
            raise ValidationError(self.env._("Read the terms and accept them: without them nobody becomes a member."))
        if str(values.get("terms_version")) != str(program_sudo.terms_version):
            raise ValidationError(
                self.env._("The terms have changed since you opened the page: read them again, please.")
            )
        return {
            "terms_version": program_sudo.terms_version,
            "terms": program_sudo.terms,
            "terms_accepted_at": fields.Datetime.now(),
        }

    @api.model
    def _get_source_key(self, source):
        """Return where something came from, so that it can be counted and not be read."""
        # The secret of the database is no business of strangers, and never leaves it.
        return hmac(self.env(su=True), "partner_loyalty_application", source or "")

    @api.model
    def _check_limit(self, source_key):
        """Check that not too many applications have come from one place.

        :raises UserError: where they have
        """
        since = fields.Datetime.now() - timedelta(hours=1)
        domain = [("source_key", "=", source_key), ("create_date", ">=", since)]
        # Strangers have no right on applications; they are only counted.
        if self.sudo().search_count(domain, limit=HOURLY_LIMIT) >= HOURLY_LIMIT:
            raise UserError(self.env._("There were many applications from your network: try again in an hour."))

    def _remind_responsible(self):
        """Give the responsible of the program an activity."""
        self.ensure_one()
        # Strangers apply: they neither see who is responsible nor give anybody a to-do.
        user_sudo = self.sudo().program_id.user_id
        if user_sudo.active and user_sudo.has_group("partner_loyalty.partner_loyalty_group_officer"):
            self.sudo().activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=user_sudo.id,
                summary=self.with_context(lang=user_sudo.lang).env._("Decide on the application"),
            )

    # === BUSINESS METHODS - DECISION ===#

    def _get_duplicate_domain(self):
        """Return which contacts may be the applicant.

        :rtype: Domain
        """
        self.ensure_one()
        country = self.company_id.country_id
        number = phones.normalize(self.phone, country.phone_code)
        domains = []
        if self.email_normalized:
            domains.append(Domain("email_normalized", "=", self.email_normalized))
        if number:
            domains.append(Domain("phone_sanitized", "=", number) | Domain("phone_mobile_search", "=", number))
        if (self.vat or "").strip():
            domains.append(Domain("vat", "in", [self.vat.strip(), self.vat.strip().upper()]))
        return Domain.OR(domains) & Domain("company_id", "in", (False, self.company_id.id)) if domains else Domain.FALSE

    def _set_decision(self, state, **vals):
        # Decisions are set by the buttons alone.
        self.sudo().write({"state": state, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now(), **vals})
        self.flush_recordset()
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def _enter(self):
        """Create what makes the applicant a member: partner, contact, membership and acceptance."""
        self.ensure_one()
        # Officers need no right to create contacts: they decide on this one.
        partner_sudo = self.partner_id.sudo().commercial_partner_id or self.env["res.partner"].sudo().create(
            self._prepare_partner_vals()
        )
        contact_sudo = self._find_contact(partner_sudo) or partner_sudo.create(self._prepare_contact_vals(partner_sudo))
        member = self.program_id._enroll({partner_sudo.sudo(False): self.program_id._get_today()})
        if self.referrer_id and self.referrer_id != member:
            member.referrer_id = self.referrer_id.root_id
        self._accept_terms(member, contact_sudo)
        # These come with the decision.
        self.sudo().write({"partner_id": partner_sudo.id, "member_id": member.id})
        self._invite(contact_sudo)

    def _prepare_partner_vals(self):
        """Return the values of the company.

        :rtype: dict
        """
        return {
            "name": self.company_name,
            "is_company": True,
            "email": self.email,
            "phone": self.phone,
            "vat": self.vat,
            "lang": self.lang,
            "country_id": self.company_id.country_id.id,
        }

    def _prepare_contact_vals(self, partner_sudo):
        """Return the values of the contact person, who sees everything in the portal.

        :rtype: dict
        """
        return {
            "name": self.contact_name,
            "parent_id": partner_sudo.id,
            "email": self.email,
            "phone": self.phone,
            "lang": self.lang,
            "loyalty_portal_right": "owner",
        }

    def _find_contact(self, partner_sudo):
        """Return the contact of the partner that has the e-mail address already."""
        contacts_sudo = partner_sudo.child_ids
        return contacts_sudo.filtered(lambda contact: contact.email_normalized == self.email_normalized)[:1]

    def _accept_terms(self, member, contact_sudo):
        """Record the terms that were accepted with the application, as they read then."""
        if self.terms_accepted_at:
            # Version and day are those of the application, which nobody sets by hand.
            acceptances_sudo = self.env["partner.loyalty.acceptance"].sudo()
            acceptance_sudo = acceptances_sudo.create(
                {"member_id": member.id, "contact_id": contact_sudo.id, "date": self.terms_accepted_at}
            )
            acceptance_sudo._set_terms(self.terms_version, self.terms)

    def _invite(self, contact_sudo):
        """Give the contact a login to the portal, with Odoo's own invitation; say so where it has one already."""
        # Officers invite the contact of an application that they approved, without the right to create users.
        wizard_sudo = self.env["portal.wizard"].sudo().create({"partner_ids": [fields.Command.set(contact_sudo.ids)]})
        user_sudo = wizard_sudo.user_ids[:1]
        if user_sudo.is_portal or user_sudo.is_internal:
            return
        try:
            with self.env.cr.savepoint():
                user_sudo.with_company(self.company_id).action_grant_access()
        except UserError as error:
            self.message_post(body=self.env._("There is no invitation to the portal: %s", error))

    def _welcome(self):
        """Tell a new member that it is one."""
        self._send_template("partner_loyalty.mail_template_application_approved")

    def _send_template(self, xmlid):
        """Queue a mail to each applicant; one that cannot be made is noted, and holds nothing up."""
        # Templates are read by the program, whoever decides.
        template_sudo = self.env.ref(xmlid, raise_if_not_found=False)
        if not template_sudo or not self:
            return
        try:
            with self.env.cr.savepoint():
                template_sudo.sudo().send_mail_batch(self.ids, force_send=False)
        except UserError as error:
            for application in self:
                application.message_post(body=self.env._("The applicant was not told: %s", error))

    # === GETTERS ===#

    @api.model
    def _get_languages(self):
        return self.env["res.lang"].get_installed()
