import time
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .common import TODAY, PartnerLoyaltyCommon

# Tours wait while the screen is blocked, and so never read what it says then.
READ = """
    %(button)s.click();
    const look = setInterval(() => {
        const screen = document.querySelector(".o_blockUI");
        if (screen?.textContent.includes("%(words)s")) {
            clearInterval(look);
            const wait = setInterval(() => {
                if (!document.querySelector(".o_blockUI")) {
                    clearInterval(wait);
                    console.log("test successful");
                }
            }, 100);
        }
    }, 100);
"""


@tagged("post_install", "-at_install")
class TestProgress(PartnerLoyaltyCommon, HttpCase):
    """What takes long says so in the browser."""

    def _read_while(self, model, method, url, button, words):
        """Click on a button of a page as a manager, and read what the screen says while a method takes long."""
        patient = self.registry[model]
        work = getattr(patient, method)

        def work_slowly(record):
            time.sleep(4)
            return work(record)

        button = f"document.querySelector('.o_form_statusbar button{button}')"
        script = READ % {"button": button, "words": words}
        with patch.object(patient, method, work_slowly):
            self.browser_js(url, script, f"!!{button}", self.users["manager"].login)

    def test_who_waits_for_a_backtest_reads_what_is_being_done(self):
        program = self._create_program([{}])
        self._enroll(program, self.dealer)
        backtest = self.env["partner.loyalty.backtest"].create(
            {"program_id": program.id, "date_from": "2026-01-01", "date_to": TODAY}
        )
        url, button = f"/odoo/loyalty-backtests/{backtest.id}", "[name=action_run]"
        self._read_while(backtest._name, "_run", url, button, "Playing the program over the past")
        self.assertTrue(backtest.summary)

    def test_who_waits_for_a_preview_reads_what_is_being_done(self):
        member = self._enroll(self._create_program([{}]), self.dealer)
        url, button = f"/odoo/loyalty-members/{member.id}", "[data-hotkey=t]"
        self._read_while("partner.loyalty.takeover", "_get_line_vals", url, button, "Working out what moves")
