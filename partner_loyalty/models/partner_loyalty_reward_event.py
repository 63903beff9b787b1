from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime


class PartnerLoyaltyRewardEvent(models.AbstractModel):
    """Rewards that are seats at an event: asked for, or offered to chosen members, who answer by a day."""

    _name = "partner.loyalty.reward.event"
    _description = "Event as a Reward"

    # === FIELDS ===#

    event_date = fields.Datetime(string="Takes Place on")
    event_place = fields.Char(string="Place", translate=True)

    # === ACTION METHODS ===#

    def action_invite(self):
        """Open the dialog that invites members to the event."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_invite_action"),
            "context": {"default_reward_id": self.id},
        }

    # === BUSINESS METHODS ===#

    def _get_missing_text_event(self):
        if not self.event_date:
            return self.env._("“%s” invites to an event: enter when it takes place.", self.name)
        return None

    def _get_refusal_event(self):
        if self.event_date <= fields.Datetime.now():
            return self.env._("“%(reward)s” took place on %(day)s.", reward=self.name, day=self._format_event_date())
        return None

    def _fulfill_event(self, claim):
        """Note that the member was there, unless it is known that it was not.

        :raises UserError: before the event
        """
        if self.event_date > fields.Datetime.now():
            raise UserError(
                self.env._(
                    "“%(reward)s” takes place on %(day)s: only then it is known who was there.",
                    reward=self.name,
                    day=self._format_event_date(),
                )
            )
        if not claim.attendance:
            # Who was there is set by the buttons alone.
            claim.sudo().attendance = "yes"

    def _format_event_date(self):
        return format_datetime(self.env, self.event_date, tz=self.program_id.tz, dt_format="medium")
