from odoo import api, fields, models


class PartnerLoyaltyBadge(models.Model):
    """A badge that a partner company holds; each of its contacts with a login gets the badge of Odoo as well."""

    _name = "partner.loyalty.badge"
    _description = "Badge of a Member"
    _inherit = ["partner.loyalty.protected.mixin", "partner.loyalty.input.mixin", "partner.loyalty.member.owned.mixin"]
    _order = "date desc, id desc"
    _rec_name = "badge_id"
    _protected_fields = frozenset({"bonus_line_id", "claim_id"})

    # === FIELDS ===#

    member_id = fields.Many2one(ondelete="cascade")
    badge_id = fields.Many2one(comodel_name="gamification.badge", required=True, index=True, ondelete="restrict")
    image = fields.Image(related="badge_id.image_128")
    date = fields.Date(string="Since", required=True, default=fields.Date.context_today)
    reason = fields.Char(help="What the member has done for it.")
    bonus_line_id = fields.Many2one(
        comodel_name="partner.loyalty.bonus.line",
        string="Bonus",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        help="The bonus that it came with.",
    )
    claim_id = fields.Many2one(
        comodel_name="partner.loyalty.claim",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        help="The claim of an award that it came with.",
    )

    # === CONSTRAINTS ===#

    _member_badge_date_unique = models.UniqueIndex(
        "(member_id, badge_id, date)", "The member got this badge on that day already: choose another day."
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        badges = super().create(vals_list)
        badges._give_to_contacts()
        return badges

    # === BUSINESS METHODS ===#

    @api.model
    def _award(self, vals_list):
        """Give badges to members, but for those that they got on the same day already.

        :param list vals_list: values of badges, each with ``member_id``, ``badge_id`` and ``date``
        :return: the new ones
        :rtype: recordset of ``partner.loyalty.badge``
        """
        groups = self._read_group(
            [("member_id", "in", [vals["member_id"] for vals in vals_list])], ["member_id", "badge_id", "date:day"]
        )
        known = {(member.id, badge.id, day) for member, badge, day in groups}
        new = {}
        for vals in vals_list:
            key = (vals["member_id"], vals["badge_id"], vals["date"])
            if key not in known:
                new.setdefault(key, vals)
        return self.create(list(new.values()))

    def _give_to_contacts(self):
        """Give each badge to the contacts of the company who have a login, and tell them."""
        users = self._get_contacts_with_login(self.partner_id)
        vals_list = [
            {"user_id": user.id, "badge_id": badge.badge_id.id, "comment": badge.reason}
            for badge in self
            for user in users.get(badge.partner_id, ())
        ]
        # The right to give a badge to the company is enough: who may send one to a colleague is another matter.
        for badge_sudo in self.env["gamification.badge.user"].sudo().create(vals_list):
            badge_sudo._send_badge()

    def _take_back(self):
        """Take badges from companies, and from the contacts who got them at the same moment."""
        for badge in self:
            users = self._get_contacts_with_login(badge.partner_id).get(badge.partner_id, self.env["res.users"])
            # The badges of contacts are given by the program, and so taken by it.
            self.env["gamification.badge.user"].sudo().search(
                [
                    ("badge_id", "=", badge.badge_id.id),
                    ("user_id", "in", users.ids),
                    ("create_date", "=", badge.create_date),
                ]
            ).unlink()
        self.unlink()

    @api.model
    def _get_contacts_with_login(self, partners):
        """Return who of companies has a login, by company.

        :rtype: dict
        """
        # Officers need not see the users of the portal.
        users_sudo = self.env["res.users"].sudo().search([("partner_id.commercial_partner_id", "in", partners.ids)])
        return users_sudo.grouped(lambda user: user.partner_id.commercial_partner_id)
