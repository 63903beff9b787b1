from odoo import api, fields, models
from odoo.exceptions import UserError

# With more members than these, it is left to the workers of the nightly comparison.
BACKGROUND_SIZE = 2000


class PartnerLoyaltyApplyPast(models.TransientModel):
    """Applies a program to documents of the past, after showing what that would post."""

    _name = "partner.loyalty.apply.past"
    _description = "Apply to the Past"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, ondelete="cascade")
    program_state = fields.Selection(related="program_id.state")
    currency_id = fields.Many2one(related="program_id.currency_id")
    member_ids = fields.Many2many(
        comodel_name="partner.loyalty.member",
        string="Only These Members",
        domain="[('program_id', '=', program_id), ('merged_into_id', '=', False)]",
        help="All members where empty.",
    )
    previewed = fields.Boolean(readonly=True)
    entry_count = fields.Integer(string="Statement Lines", readonly=True)
    point_amount = fields.Float(string="Points", digits=(18, 4), readonly=True)
    money_amount = fields.Monetary(string="Money", readonly=True)

    # === CRUD METHODS ===#

    def write(self, vals):
        # What was shown for other members is no preview.
        if {"program_id", "member_ids"} & vals.keys():
            vals = {**vals, "previewed": False}
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_preview(self):
        """Work out what would be posted, and post nothing."""
        self.ensure_one()
        figures = self._apply(dry_run=True)
        self.write(
            {
                "previewed": True,
                "entry_count": figures["entries"],
                "point_amount": figures["points"],
                "money_amount": figures["money"],
            }
        )
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("partner_loyalty.partner_loyalty_apply_past_action"),
            "res_id": self.id,
        }

    def action_apply(self):
        """Post what the preview showed.

        :raises UserError: when there was no preview for these members
        """
        self.ensure_one()
        if not self.previewed:
            raise UserError(self.env._("Click “Preview” first, to see what would be posted for these members."))
        if self._is_large():
            return self._apply_in_background()
        self._apply(dry_run=False)
        return self.program_id.action_view_entries()

    # === BUSINESS METHODS ===#

    def _apply(self, dry_run):
        self.program_id.check_access("write")
        # The ledger is written by the program alone; who may change the program may apply it.
        program_sudo = self.program_id.sudo()
        return program_sudo._apply_to_past(self.member_ids.sudo() or None, dry_run=dry_run)

    def _is_large(self):
        """Return whether there are so many members that nobody should wait for all of them."""
        return not self.member_ids and len(self.program_id.member_ids) > BACKGROUND_SIZE

    def _apply_in_background(self):
        self.program_id.check_access("write")
        # As above.
        self.program_id.sudo()._apply_to_past_in_background()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The lines are posted in the background. This may take some minutes."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    @api.onchange("member_ids")
    def _onchange_member_ids(self):
        self.previewed = False
