from odoo import api, fields, models


class PartnerLoyaltyNeed(models.Model):
    """What matters to a member, as it said the last time it was asked."""

    _name = "partner.loyalty.need"
    _description = "Need of a Member"
    _inherit = ["partner.loyalty.member.owned.mixin"]
    _order = "date desc, id"

    # === FIELDS ===#

    member_id = fields.Many2one(ondelete="cascade", readonly=True)
    name = fields.Char(string="What Matters", required=True, readonly=True, translate=True)
    kind = fields.Selection(
        selection=lambda self: self.env["partner.loyalty.reward"]._fields["kind"]._description_selection(self.env),
        string="Kind of Reward",
        readonly=True,
        help="Empty where no kind of reward answers it.",
    )
    date = fields.Date(string="Said on", required=True, readonly=True)

    # === BUSINESS METHODS ===#

    @api.model
    def _take_answer(self, answer):
        """Note what matters to a member by a finished answer, in the place of what it said before.

        :param answer: ``survey.user_input``
        """
        member = answer.loyalty_member_id.root_id
        self.search([("member_id", "=", member.id)]).unlink()
        lines = answer.user_input_line_ids.filtered(
            lambda line: not line.skipped and line.question_id.loyalty_measure == "need"
        )
        day = member.program_id._get_today()
        for line in lines:
            choice = line.suggested_answer_id
            text = choice.value if choice else line.value_char_box or line.value_text_box
            if not text:
                continue
            need = self.create({"member_id": member.id, "name": text, "kind": choice.loyalty_reward_kind, "date": day})
            need._translate_like(choice)

    def _translate_like(self, choice):
        """Say what matters in each language as the choice of the survey says it.

        :param choice: ``survey.question.answer``, or none where the member wrote it
        """
        for lang, _name in self.env["res.lang"].get_installed() if choice else ():
            self.with_context(lang=lang).name = choice.with_context(lang=lang).value
