import time
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .common import TODAY, PartnerLoyaltyCommon

# Tours wait while the screen is blocked, and so never read what it says then.
RUN_BUTTON = "document.querySelector('.o_form_statusbar button[name=action_run]')"
RUN = f"""
    {RUN_BUTTON}.click();
    const look = setInterval(() => {{
        const screen = document.querySelector(".o_blockUI");
        if (screen?.textContent.includes("Playing the program over the past")) {{
            clearInterval(look);
            const wait = setInterval(() => {{
                if (!document.querySelector(".o_blockUI")) {{
                    clearInterval(wait);
                    console.log("test successful");
                }}
            }}, 100);
        }}
    }}, 100);
"""


@tagged("post_install", "-at_install")
class TestProgress(PartnerLoyaltyCommon, HttpCase):
    """What takes long says so in the browser."""

    def test_who_waits_for_a_backtest_reads_what_is_being_done(self):
        program = self._create_program([{}])
        self._enroll(program, self.dealer)
        backtest = self.env["partner.loyalty.backtest"].create(
            {"program_id": program.id, "date_from": "2026-01-01", "date_to": TODAY}
        )
        model = self.registry["partner.loyalty.backtest"]
        run = model._run

        def run_slowly(backtest):
            time.sleep(4)
            return run(backtest)

        with patch.object(model, "_run", run_slowly):
            url, login = f"/odoo/loyalty-backtests/{backtest.id}", self.users["manager"].login
            self.browser_js(url, RUN, f"!!{RUN_BUTTON}", login)
        self.assertTrue(backtest.summary)
