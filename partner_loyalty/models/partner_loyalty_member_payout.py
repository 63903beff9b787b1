from odoo import fields, models

# What a bill has to say of where a partner is.
ADDRESS = ("street", "city", "country_id")


class PartnerLoyaltyMemberPayout(models.AbstractModel):
    """What a member has to have agreed to and given before it is paid."""

    _name = "partner.loyalty.member.payout"
    _description = "Payment of a Member"

    # === FIELDS ===#

    payout_currency_id = fields.Many2one(
        comodel_name="res.currency",
        string="Paid in",
        help="The currency of its payouts; that of the company where it is empty.",
    )
    acceptance_ids = fields.One2many(
        comodel_name="partner.loyalty.acceptance", inverse_name="member_id", string="Accepted Terms"
    )
    accepted_version = fields.Integer(string="Version Accepted", compute="_compute_accepted_version", aggregator=None)
    terms_state = fields.Selection(
        selection=[("none", "Not Accepted"), ("old", "Earlier Version Accepted"), ("current", "Accepted")],
        string="Terms",
        compute="_compute_accepted_version",
    )

    # === COMPUTE METHODS ===#

    def _compute_accepted_version(self):
        versions = self._get_accepted_versions()
        for member in self:
            accepted = versions.get(member.id, 0)
            member.accepted_version = accepted
            is_current = accepted >= member.program_id.terms_version
            member.terms_state = ("current" if is_current else "old") if accepted else "none"

    # === ACTION METHODS ===#

    def action_accept_terms(self):
        """Record that a member has agreed to the terms in force."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Terms Accepted"),
            "res_model": "partner.loyalty.acceptance",
            "view_mode": "form",
            "target": "new",
            "context": {"default_member_id": self.id, "default_contact_id": self.partner_id.id},
        }

    # === GETTERS ===#

    def _get_accepted_versions(self):
        """Return the latest version of the terms that members have accepted, by id; those that have not are left out.

        :rtype: dict[int, int]
        """
        # Whether terms were accepted decides what may be done with a member, whoever does it.
        rows = (
            self.env["partner.loyalty.acceptance"]
            .sudo()
            ._read_group([("member_id", "in", self.ids)], ["member_id"], ["version:max"])
        )
        return {member.id: version for member, version in rows}

    def _get_payout_refusals(self):
        """Return why members are not paid, whatever they have earned, by member; those that are paid are left out.

        :rtype: dict
        """
        refusals = {}
        for program, members in self.grouped("program_id").items():
            if program.payout_needs_bank:
                text = self.env._("Without bank account: enter that of the partner")
                refusals.update(dict.fromkeys(members._get_without_bank(), text))
            if program.payout_needs_address:
                text = self.env._("Without address: enter street, city and country of the partner")
                refusals.update(dict.fromkeys(members._get_without_address(), text))
            if program.payout_needs_terms:
                text = self.env._("Terms not accepted: record it on the member once the partner has agreed")
                refusals.update(dict.fromkeys(members._get_without_terms(), text))
        return refusals

    def _get_without_terms(self):
        """Return the members that have not accepted the terms in force of their program."""
        versions = self._get_accepted_versions()
        return self.filtered(lambda member: versions.get(member.id, 0) < member.program_id.terms_version)

    def _get_without_address(self):
        """Return the members whose partner has no address that a bill could be written to."""
        return self.filtered(lambda member: not all(member.partner_id[name] for name in ADDRESS))

    def _get_without_bank(self):
        """Return the members whose partner has no bank account."""
        # Bank accounts of partners are read by accountants only; here it counts that there is one.
        banks_sudo = self.env["res.partner.bank"].sudo()
        rows = banks_sudo._read_group([("partner_id", "in", self.partner_id.ids)], ["partner_id"])
        known = {partner.id for (partner,) in rows}
        return self.filtered(lambda member: member.partner_id.id not in known)
