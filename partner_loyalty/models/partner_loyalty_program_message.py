from odoo import api, fields, models


class PartnerLoyaltyProgramMessage(models.AbstractModel):
    """What a program writes to its members about."""

    _name = "partner.loyalty.program.message"
    _description = "Messages of a Program"

    # === FIELDS ===#

    message_setting_ids = fields.One2many(
        comodel_name="partner.loyalty.message.setting",
        inverse_name="program_id",
        string="Messages to Members",
        groups="partner_loyalty.partner_loyalty_group_officer",
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        programs = super().create(vals_list)
        # The lines come with the program, and nobody adds any.
        settings_sudo = self.env["partner.loyalty.message.setting"].sudo()
        settings_sudo.create(
            [vals for program in programs for vals in settings_sudo._prepare_default_vals_list(program)]
        )
        return programs

    # === BUSINESS METHODS ===#

    @api.model
    def _complete_message_settings(self):
        """Give programs that are older than a kind of message its line, switched off; of disputes they told before."""
        settings = self.env["partner.loyalty.message.setting"]
        programs = self.env["partner.loyalty.program"].with_context(active_test=False)
        known = dict(settings._read_group([], ["program_id"], ["kind:array_agg"]))
        kinds = {vals["kind"] for vals in settings._prepare_default_vals_list(programs)}
        complete = [program.id for program, its_kinds in known.items() if kinds.issubset(its_kinds)]
        settings.create(
            [
                vals
                for program in programs.search([("id", "not in", complete)])
                for vals in settings._prepare_default_vals_list(program, active_kinds=("dispute",))
                if vals["kind"] not in known.get(program, ())
            ]
        )
