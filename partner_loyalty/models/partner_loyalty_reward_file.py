from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.files import get_refusal_of_file


class PartnerLoyaltyRewardFile(models.Model):
    """A file that members get by a reward: all of them, or those of some tiers or of one language."""

    _name = "partner.loyalty.reward.file"
    _description = "File of a Reward"
    _inherit = ["partner.loyalty.input.mixin"]
    _order = "reward_id, sequence, id"

    # === FIELDS ===#

    reward_id = fields.Many2one(
        comodel_name="partner.loyalty.reward", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="reward_id.company_id", store=True, index=True)
    program_id = fields.Many2one(related="reward_id.program_id")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    file = fields.Binary(required=True, attachment=True)
    file_name = fields.Char(required=True)
    lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="Only members of this language get it; all where it is empty.",
    )
    tier_ids = fields.Many2many(
        comodel_name="partner.loyalty.tier",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        help="Only members of these tiers get it; all where there are none.",
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_file(vals)
        return super().create(vals_list)

    def write(self, vals):
        for line in self:
            line._check_file({"file_name": line.file_name, **vals})
        return super().write(vals)

    # === BUSINESS METHODS ===#

    @api.model
    def _check_file(self, vals):
        """Check that a file can be taken, before it is stored.

        :param dict vals: values of a file, with its name
        :raises ValidationError: where it cannot
        """
        refusal = get_refusal_of_file(self.env, vals.get("file_name"), vals.get("file") or b"")
        if refusal:
            raise ValidationError(refusal)

    def _get_suiting(self, member):
        """Return those of the files that a member gets, by its tier and language.

        :param member: ``partner.loyalty.member``
        """
        return self.filtered(
            lambda file: (
                (not file.lang or file.lang == member.partner_id.lang)
                and (not file.tier_ids or member.tier_id in file.tier_ids)
            )
        )
