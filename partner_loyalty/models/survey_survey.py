from odoo import models


class SurveySurvey(models.Model):
    _inherit = "survey.survey"

    # === CRUD METHODS ===#

    def unlink(self):
        # The database deletes the answers along with their survey.
        self.user_input_ids._mark_loyalty()
        return super().unlink()
