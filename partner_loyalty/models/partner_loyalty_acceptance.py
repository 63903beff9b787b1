from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..const import STAFF_GROUPS


class PartnerLoyaltyAcceptance(models.Model):
    """A member has agreed to the terms of its program, in the version of that day. Kept as it was, word by word."""

    _name = "partner.loyalty.acceptance"
    _description = "Accepted Terms"
    _inherit = ["partner.loyalty.protected.mixin", "partner.loyalty.input.mixin", "partner.loyalty.member.owned.mixin"]
    _order = "date desc, id desc"
    _rec_name = "member_id"
    _protected_fields = frozenset({"company_id", "date", "partner_id", "program_id", "terms", "user_id", "version"})

    # === FIELDS ===#

    member_id = fields.Many2one(ondelete="cascade")
    contact_id = fields.Many2one(
        comodel_name="res.partner",
        string="Accepted by",
        required=True,
        ondelete="restrict",
        domain="[('id', 'child_of', partner_id)]",
        help="The person, or the company itself.",
    )
    version = fields.Integer(readonly=True, aggregator=None)
    terms = fields.Html(readonly=True, help="What was agreed to, as it read then.")
    date = fields.Datetime(string="Accepted on", readonly=True, default=fields.Datetime.now, required=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Recorded by",
        readonly=True,
        required=True,
        default=lambda self: self.env.user,
        help="Who has recorded it: the partner itself on the portal, or somebody for it.",
    )
    note = fields.Char(groups=STAFF_GROUPS, help="Where the signed paper is, for example.")

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        acceptances = super().create(vals_list)
        # Version and text are those of the day, set by the program alone.
        for acceptance_sudo in acceptances.sudo():
            program = acceptance_sudo.program_id
            acceptance_sudo._set_terms(program.terms_version, program.terms)
        return acceptances

    def write(self, vals):
        if not self.env.su:
            raise UserError(self.env._("What was accepted stays as it was: record it anew instead."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What was accepted is kept: record it anew instead."))

    # === BUSINESS METHODS ===#

    def _set_terms(self, version, terms):
        self.write({"version": version, "terms": terms})

    # === GETTERS ===#

    def _get_portal_text(self):
        """Return in words which version was accepted when and by whom, for the member."""
        self.ensure_one()
        return self.env._(
            "Version %(version)s was accepted on %(date)s by %(contact)s.",
            version=self.version,
            date=format_datetime(self.env, self.date, dt_format="short"),
            contact=self.contact_id.name,
        )
