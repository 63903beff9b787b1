from odoo import fields, models

from ..const import LEDGER_DIGITS
from ..tools.trial import CONTROL, TREATMENT


class PartnerLoyaltyPilotMember(models.Model):
    """To which group of a pilot a member was drawn, and what was measured of it before and since."""

    _name = "partner.loyalty.pilot.member"
    _description = "Member in a Pilot"
    _order = "pilot_id desc, arm desc, change desc, id"
    _rec_name = "member_id"
    _allow_sudo_commands = False

    # === FIELDS ===#

    pilot_id = fields.Many2one(
        comodel_name="partner.loyalty.pilot", required=True, index=True, ondelete="restrict", readonly=True
    )
    member_id = fields.Many2one(
        comodel_name="partner.loyalty.member", required=True, index=True, ondelete="restrict", readonly=True
    )
    owner_id = fields.Many2one(
        comodel_name="partner.loyalty.member",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        help="The head of its group at the start. Members of one owner are drawn together, and compared as one.",
    )
    company_id = fields.Many2one(related="pilot_id.company_id", store=True, index=True)
    user_id = fields.Many2one(related="member_id.user_id", string="Account Manager")
    arm = fields.Selection(
        selection=[(TREATMENT, "Has It"), (CONTROL, "Control Group")], string="Group", required=True, readonly=True
    )
    stratum = fields.Char(
        string="Drawn among", readonly=True, help="Members of one tier and size, which gave both groups their share."
    )
    baseline = fields.Float(
        digits=LEDGER_DIGITS, readonly=True, aggregator="avg", help="What it had before, as it was known at the start."
    )
    has_baseline = fields.Boolean(readonly=True)
    value_before = fields.Float(
        string="Before", digits=LEDGER_DIGITS, readonly=True, aggregator="avg", help="Over as many days before."
    )
    value_now = fields.Float(
        string="During the Pilot",
        digits=LEDGER_DIGITS,
        readonly=True,
        aggregator="avg",
        help="Over the days of the pilot so far.",
    )
    change = fields.Float(digits=LEDGER_DIGITS, readonly=True, aggregator="avg")
    is_measured = fields.Boolean(
        string="Compared",
        readonly=True,
        help="There is a value of both times. Who was merged into another member is not compared any more.",
    )

    # === CONSTRAINTS ===#

    _member_unique = models.UniqueIndex("(pilot_id, member_id)")
