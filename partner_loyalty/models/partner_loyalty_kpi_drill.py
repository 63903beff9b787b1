from odoo import api, models
from odoo.fields import Domain

from ..const import COST_TYPES
from ..tools import periods


class PartnerLoyaltyKpiDrill(models.AbstractModel):
    """What is behind a key figure: entries, documents or members; a module adds one as ``_get_drill_<name>``.

    Lists open as whoever looks may see them: what it may not see is in the figure all the same.
    """

    _name = "partner.loyalty.kpi.drill"
    _description = "Documents behind Key Figures"

    # === BUSINESS METHODS ===#

    @api.model
    def _get_drill(self, name, focus):
        """Return the action that lists what is behind a figure.

        :param str name: name of the list
        :param Focus focus: program, days and members
        :return: a window action
        :rtype: dict
        """
        xmlid, domain = getattr(self, f"_get_drill_{name}")(focus)
        action = self.env["ir.actions.act_window"]._for_xml_id(f"partner_loyalty.{xmlid}")
        views = [view for view in action["views"] if view[1] in ("list", "form", "pivot", "graph")]
        views.sort(key=lambda view: view[1] != "list")
        return {**action, "domain": list(domain), "context": {}, "views": views}

    @api.model
    def _get_drill_turnover(self, focus):
        kind, role = self._get_turnover_source(focus.program)
        roles = (role, "referrer") if role == "buyer" else (role,)
        return self._get_contribution_drill(focus, kind, roles)

    @api.model
    def _get_drill_orders(self, focus):
        return self._get_contribution_drill(focus, "order", ("buyer", "referrer"))

    @api.model
    def _get_drill_repeat_orders(self, focus):
        return self._get_contribution_drill(focus, "repeat_order", ("buyer", "referrer"))

    @api.model
    def _get_drill_new_customers(self, focus):
        return self._get_contribution_drill(focus, "new_customer", ("referrer",))

    @api.model
    def _get_drill_certificates(self, focus):
        return self._get_contribution_drill(focus, "certificate", ("member",))

    @api.model
    def _get_drill_deals(self, focus):
        return self._get_contribution_drill(focus, "deal", ("referrer",))

    @api.model
    def _get_drill_cost(self, focus):
        return self._get_entry_drill(focus, COST_TYPES)

    @api.model
    def _get_drill_breakage(self, focus):
        return self._get_entry_drill(focus, ("expiry", "expiry_return"))

    @api.model
    def _get_drill_members(self, focus):
        domain = Domain("date_from", "<=", focus.last)
        ended = Domain("date_to", "=", False) | Domain("date_to", ">=", focus.last)
        return "partner_loyalty_member_action", self._get_member_domain(focus) & domain & ended

    @api.model
    def _get_drill_new_members(self, focus):
        days = Domain("date_from", ">=", focus.first) & Domain("date_from", "<=", focus.last)
        return "partner_loyalty_member_action", self._get_member_domain(focus) & days

    @api.model
    def _get_drill_left_members(self, focus):
        days = Domain("date_to", ">=", focus.first) & Domain("date_to", "<", focus.last)
        return "partner_loyalty_member_action", self._get_member_domain(focus) & days

    @api.model
    def _get_drill_inquiries(self, focus):
        return "partner_loyalty_inquiry_action", self._get_dialog_domain(focus, "asked_at")

    @api.model
    def _get_drill_feedback(self, focus):
        days = Domain("date", ">=", focus.first) & Domain("date", "<=", focus.last) & Domain("source", "=", "survey")
        members = list(self._get_member_domain(focus, merged=True))
        return "partner_loyalty_feedback_action", days & Domain("member_id", "any", members)

    @api.model
    def _get_drill_payouts(self, focus):
        return "partner_loyalty_payout_action", self._get_dialog_domain(focus, "decided_at")

    # === GETTERS ===#

    @api.model
    def _get_contribution_drill(self, focus, kind, roles):
        """Return the documents of one kind that members have part in."""
        days = Domain("date", ">=", focus.first) & Domain("date", "<=", focus.last)
        members = self._get_member_domain(focus, merged=True)
        return "partner_loyalty_contribution_action", Domain(
            [("kind", "=", kind), ("role", "in", roles), ("company_id", "=", focus.program.company_id.id)]
        ) & days & Domain("partner_id.loyalty_member_ids", "any", list(members))

    @api.model
    def _get_entry_drill(self, focus, types):
        """Return the statement lines of some types."""
        domain = Domain(
            [
                ("program_id", "=", focus.program.id),
                ("type", "in", types),
                ("date", ">=", focus.first),
                ("date", "<=", focus.last),
            ]
        )
        if focus.member_ids is not None:
            domain &= Domain("account_id.member_id.root_id", "in", focus.member_ids)
        return "partner_loyalty_entry_action", domain

    @api.model
    def _get_member_domain(self, focus, merged=False):
        """Return which members are meant."""
        domain = Domain("program_id", "=", focus.program.id)
        if not merged:
            domain &= Domain("merged_into_id", "=", False)
        return domain if focus.member_ids is None else domain & Domain("root_id", "in", focus.member_ids)

    @api.model
    def _get_dialog_domain(self, focus, moment):
        """Return what happened at a moment in these days."""
        program = focus.program
        return Domain(
            [
                ("member_id", "any", list(self._get_member_domain(focus, merged=True))),
                (moment, ">=", periods.utc_day_start(focus.first, program.tz)),
                (moment, "<", periods.utc_day_end(focus.last, program.tz)),
            ]
        )
