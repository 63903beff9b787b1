from odoo import models


class SurveyUserInputLine(models.Model):
    _inherit = "survey.user_input.line"

    # === GETTERS ===#

    def _get_loyalty_number(self):
        """Return the number that somebody gave, of a scale or written.

        :rtype: int
        """
        self.ensure_one()
        return int(self.value_scale if self.answer_type == "scale" else self.value_numerical_box)
