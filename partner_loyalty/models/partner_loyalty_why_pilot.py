from odoo import api, models
from odoo.tools import format_date


class PartnerLoyaltyWhy(models.AbstractModel):
    """A sale of the control group has its own reason to earn nothing."""

    _inherit = "partner.loyalty.why"

    # === GETTERS ===#

    @api.model
    def _check_lines(self, rule, document, partner):
        """Override: the control group of a pilot is told so."""
        day, member = self._get_day(rule, document), self._get_member(rule, partner)
        for pilot_sudo in rule._get_pilots_sudo():
            if pilot_sudo._is_held_back(member, day):
                return self.env._(
                    "The rule is tried with some members first, and %(partner)s is not among them on %(day)s.",
                    partner=partner.display_name,
                    day=format_date(self.env, day),
                )
        return super()._check_lines(rule, document, partner)
