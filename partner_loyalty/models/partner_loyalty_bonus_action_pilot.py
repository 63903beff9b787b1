from odoo import fields, models
from odoo.tools import SQL


class PartnerLoyaltyBonusAction(models.Model):
    """Bonus actions that are tried leave out the control group."""

    _inherit = "partner.loyalty.bonus.action"

    # === FIELDS ===#

    pilot_ids = fields.One2many(
        comodel_name="partner.loyalty.pilot",
        inverse_name="action_id",
        string="Pilots",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )

    # === AUDIENCE ===#

    def _add_standing(self, query, member, day):
        """Override: the control group of a pilot is not in the audience in its days."""
        # Actions run in the name of people who cannot see pilots.
        for pilot_sudo in self.sudo().pilot_ids.filtered(lambda pilot: pilot.state != "draft"):
            query.add_where(
                SQL(
                    """NOT (%(day)s >= %(first)s AND COALESCE(%(day)s < %(rollout)s::date, TRUE) AND EXISTS (
                           SELECT 1 FROM partner_loyalty_pilot_member line
                            WHERE line.pilot_id = %(pilot)s AND line.member_id = %(member)s AND line.arm = 'control'))
                    """,
                    day=day,
                    first=pilot_sudo.date_from,
                    rollout=pilot_sudo.rollout_date or None,
                    pilot=pilot_sudo.id,
                    member=member,
                )
            )
        return super()._add_standing(query, member, day)
