from odoo import api, fields, models
from odoo.fields import Domain


class PartnerLoyaltyProgramPublic(models.AbstractModel):
    """The page of a program that anybody can read, and apply on."""

    _name = "partner.loyalty.program.public"
    _description = "Public Page of a Program"

    # === FIELDS ===#

    is_public = fields.Boolean(
        string="Public Page", copy=False, help="Anybody who has the address can read the page and apply, without login."
    )
    public_text = fields.Html(translate=True, help="What the program offers, for partners who are not members yet.")
    public_url = fields.Char(string="Address of the Page", compute="_compute_public_url")
    application_ids = fields.One2many(
        comodel_name="partner.loyalty.application",
        inverse_name="program_id",
        string="Applications",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )

    # === COMPUTE METHODS ===#

    @api.depends("name", "is_public")
    def _compute_public_url(self):
        for program in self:
            path = f"/loyalty/{self.env['ir.http']._slug(program)}" if program.id else ""
            program.public_url = f"{program.get_base_url()}{path}" if program.is_public and path else False

    # === ACTION METHODS ===#

    def action_view_public_page(self):
        """Open the public page."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/loyalty/{self.id}", "target": "new"}

    # === GETTERS ===#

    @api.model
    def _get_public(self, key):
        """Return the program with a public page that an address names, or none.

        :param str key: its id, with or without words before it
        :rtype: ``partner.loyalty.program``, sudo
        """
        _words, program_id = self.env["ir.http"]._unslug(str(key)[:200])
        # Strangers have no right on programs; the page shows what was written for them.
        programs_sudo = self.sudo()
        if not program_id or not 0 < program_id < 2**31:
            return programs_sudo.browse()
        return programs_sudo.search([("id", "=", program_id), *self._get_public_domain()])

    @api.model
    def _get_public_domain(self):
        """Return which programs have a public page.

        :rtype: Domain
        """
        return Domain([("is_public", "=", True), ("state", "=", "running")])

    def _get_hall_of_fame(self, limit=30):
        """Return the members who agreed to be named to everybody, those of the highest tiers first.

        :param int limit: so many at most
        :rtype: ``partner.loyalty.member``
        """
        self.ensure_one()
        members = self.env["partner.loyalty.member"].search(
            [
                ("program_id", "=", self.id),
                ("is_named_in_public", "=", True),
                ("state", "=", "active"),
                ("merged_into_id", "=", False),
            ]
        )
        ranks = {tier: rank for rank, tier in enumerate(self.tier_ids.sorted("sequence"))}
        return members.sorted(lambda member: (-ranks.get(member.tier_id, -1), member.partner_id.name))[:limit]

    def _is_open_for_applications(self):
        """Return whether somebody can still become a member.

        :rtype: bool
        """
        self.ensure_one()
        return self.state == "running" and (not self.date_to or self.date_to >= self._get_today())
