"""Close a month of the running app by clicks alone, in Russian: an officer, a manager and an accountant, each at work.

The officer looks up what is open, prepares payouts and answers disputes; the manager decides what nobody may decide
alone, and locks; the accountant posts the bills and pays them. A picture of each step is kept. What on it reads like
English is listed, but for what the records of the demo data say. Reads ``BASE_URL``, ``OUTPUT`` and ``CHROMIUM`` from
the environment, as the screenshots do.
"""

import ast
import re
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright
from shots import ARGUMENTS, BASE_URL, CHROMIUM, DESKTOP, OUTPUT, call, settle

LANGUAGE = "ru_RU"
OFFICER, MANAGER, ACCOUNTANT = "loyalty_officer", "loyalty_manager", "loyalty_accountant"
PROGRAM = "Dealer Club"
# Three words of lower case in a row are no name of a company, product or document.
ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]{2,}(?: [a-z]{2,}){2,}\b")
MODAL = ".modal:not(.o_inactive_modal)"
DEMO = Path(__file__).parent.parent / "partner_loyalty/demo"


class Month:
    """The closing of a month, and what was wrong on the way.

    :param browser: browser of Playwright
    """

    def __init__(self, browser):
        self.browser, self.findings, self.number = browser, [], 0
        self.admin = self._log_in("admin")
        self.said = f"{read_demo_texts()}\n{self._read_todos()}"
        self._speak(LANGUAGE)
        self.pages = {login: self._log_in(login) for login in (OFFICER, MANAGER, ACCOUNTANT)}

    def close(self):
        """Close the month step by step; where one cannot be done, say so and go on with the others."""
        self.begin()
        for step in (
            self.confirm_differences,
            self.decide_disputes,
            self.publish_tiers,
            self.release,
            self.prepare_payouts,
            self.approve_payouts,
            self.bill_and_pay,
            self.look_at_liability,
            self.send_statements,
            self.lock,
        ):
            try:
                step()
            except (Error, AssertionError) as error:
                self.findings.append(f"{step.__name__}: {str(error)[:300]}")

    def restore(self):
        """Let everybody read English again."""
        self._speak("en_US")

    # === STEPS ===#

    def begin(self):
        """Open the month, and look up what is open."""
        page = self.pages[OFFICER]
        self._open(page, "loyalty-closings")
        self._keep(page, "closings")
        self._open_month(page)
        if not page.locator("button[name=action_refresh]:visible").count():
            raise AssertionError("This month is locked already: 'make reset' begins anew.")
        self._press(page, "action_refresh")
        self._keep(page, "month")
        self._check_ledger()

    def _check_ledger(self):
        """Have the ledger checked, where nobody has since the month ended."""
        page = self.pages[MANAGER]
        self._open(page, "loyalty-programs")
        page.locator(".o_kanban_record, .o_data_row").filter(has_text=PROGRAM).first.click()
        settle(page, ".o_form_view")
        self._keep(page, "program")
        self._press(page, "action_check")
        self._keep(page, "check")

    def confirm_differences(self):
        """Open the differences from the month, and post them."""
        page = self.pages[MANAGER]
        self._open_step(page, 1)
        self._keep(page, "differences")
        if self._select_all(page):
            self._press(page, "action_post")
            self._accept(page, "differences_ask")
            self._keep(page, "differences_posted")

    def decide_disputes(self):
        """Answer each dispute with an explanation."""
        page = self.pages[MANAGER]
        self._open_step(page, 2)
        self._keep(page, "disputes")
        if self._has_rows(page):
            page.locator(".o_data_row td.o_data_cell").first.click()
            settle(page, ".o_form_view")
            self._keep(page, "dispute")
            self._press_text(page, "Решить")
            settle(page, MODAL)
            self._keep(page, "dispute_decide")
            page.locator(f"{MODAL} [name=text] textarea, {MODAL} [name=text] input").first.fill(
                "Скидка по проекту учтена в цене заказа."
            )
            page.locator(f"{MODAL} .modal-footer button[name=action_decide]:visible").first.click()
            settle(page, ".o_form_view")
            self._keep(page, "dispute_decided")

    def publish_tiers(self):
        """Look at the tiers that wait."""
        page = self.pages[MANAGER]
        self._open_step(page, 3)
        self._keep(page, "tier_reviews")

    def release(self):
        """Release what is on hold."""
        page = self.pages[MANAGER]
        self._open_step(page, 4)
        self._keep(page, "held")
        if self._has_rows(page):
            page.locator(".o_data_row td.o_data_cell").first.click()
            settle(page, ".o_form_view")
            self._keep(page, "held_payout")
            self._press(page, "action_release")
            self._keep(page, "released")

    def prepare_payouts(self):
        """Prepare the payouts of the month and submit them."""
        page = self.pages[OFFICER]
        self._open_step(page, 5)
        self._keep(page, "payouts")
        self._press_text(page, "Подготовить выплаты")
        settle(page, MODAL)
        self._choose(page, "program_id", PROGRAM)
        self._keep(page, "prepare")
        page.locator(f"{MODAL} button[name=action_prepare]").click()
        page.wait_for_timeout(4000)
        self._keep(page, "prepared")
        if page.locator(".o_list_view").count():
            self._select_all(page)
        self._press(page, "action_submit")
        self._accept(page, "submit_ask")
        self._keep(page, "submitted")

    def approve_payouts(self):
        """Approve them as somebody who did not prepare them."""
        page = self.pages[MANAGER]
        self._open_step(page, 5)
        self._keep(page, "to_approve")
        if self._select_all(page):
            self._press_text(page, "Одобрить")
            settle(page, MODAL)
            self._keep(page, "approve")
            page.locator(f"{MODAL} button[name=action_approve]").click()
            page.wait_for_timeout(6000)
            self._keep(page, "approved")

    def bill_and_pay(self):
        """Post the bill of a payout and pay it."""
        page = self.pages[ACCOUNTANT]
        self._open(page, "loyalty-payouts")
        self._keep(page, "accountant_payouts")
        page.locator(".o_data_row", has_text="Одобрено").first.locator("td.o_data_cell").first.click()
        settle(page, ".o_form_view")
        self._keep(page, "payout")
        self._press(page, "action_view_bill")
        self._keep(page, "bill")
        day = page.locator("[name=invoice_date] input, [name=invoice_date] button").first
        if day.count():
            day.click()
            page.locator(".o_today").first.click()
        self._press(page, "action_post")
        self._keep(page, "bill_posted")
        self._press(page, "action_register_payment")
        self._keep(page, "pay")
        page.locator(f"{MODAL} button[name=action_create_payments]").first.click()
        page.wait_for_timeout(4000)
        self._keep(page, "bill_paid")
        self._open(page, "loyalty-payouts")
        self._keep(page, "paid_payouts")

    def look_at_liability(self):
        """Look at what is owed, and tick the step."""
        page = self.pages[MANAGER]
        self._open_step(page, 6)
        self._keep(page, "liability")
        self._tick(page, 6, "liability_ticked")

    def send_statements(self):
        """Open the statements of all members, and tick the step."""
        page = self.pages[MANAGER]
        self._open_step(page, 7)
        self._keep(page, "statements")
        self._tick(page, 7, "statements_ticked")

    def lock(self):
        """Lock the month, with a reason for what can wait."""
        page = self.pages[MANAGER]
        self._open(page, "loyalty-closings")
        self._open_month(page)
        self._press(page, "action_refresh")
        self._keep(page, "before_lock")
        self._press_text(page, "Заблокировать")
        settle(page, MODAL)
        reason = page.locator(f"{MODAL} [name=reason] input")
        if reason.count():
            reason.fill("Остальное — в следующем месяце")
        self._keep(page, "lock")
        page.locator(f"{MODAL} button[name=action_lock]").click()
        page.wait_for_timeout(3000)
        self._keep(page, "locked")

    # === CLICKS ===#

    def _open(self, page, path):
        page.goto(f"{BASE_URL}/odoo/{path}")
        settle(page)

    def _open_month(self, page):
        page.locator(".o_data_row").filter(has_text=PROGRAM).first.locator("td.o_data_cell").first.click()
        settle(page, ".o_form_view")

    def _open_step(self, page, number):
        """Open what a step of the month is about, by its icon."""
        self._open(page, "loyalty-closings")
        self._open_month(page)
        page.locator("[name=step_ids] .o_data_row").nth(number).locator("button[name=action_open]").click()
        page.wait_for_timeout(2500)

    def _tick(self, page, number, name):
        self._open(page, "loyalty-closings")
        self._open_month(page)
        row = page.locator("[name=step_ids] .o_data_row").nth(number)
        if row.locator("button[name=action_tick]").count():
            row.locator("button[name=action_tick]").click()
            settle(page, ".o_form_view")
        self._keep(page, name)

    def _press(self, page, name):
        page.locator(f"button[name={name}]:visible").first.click()
        page.wait_for_timeout(2500)

    def _press_text(self, page, text):
        """Press the button that says exactly this."""
        page.locator("button:visible").filter(has_text=re.compile(rf"^\s*{text}\s*$")).first.click()
        page.wait_for_timeout(1500)

    def _accept(self, page, name):
        """Confirm what a dialog asks, if one does."""
        dialog = page.locator(".modal-dialog")
        if dialog.count():
            self._keep(page, name)
            dialog.locator(".modal-footer .btn-primary").first.click()
            page.wait_for_timeout(2500)

    def _select_all(self, page):
        """Tick all records of a list; return whether there are any."""
        if not self._has_rows(page):
            return False
        page.locator("thead .o_list_record_selector input").first.click()
        page.wait_for_timeout(700)
        return True

    def _has_rows(self, page):
        """Return whether a list has records; what is faded behind the words of an empty one are none."""
        return bool(page.locator(".o_data_row").count()) and not page.locator(".o_view_sample_data").count()

    def _choose(self, page, field, text):
        box = page.locator(f"{MODAL} [name={field}] input").first
        if text in box.input_value():
            return
        box.fill(text)
        page.locator(".o-autocomplete--dropdown-item", has_text=text).first.click()
        page.wait_for_timeout(1500)

    # === LOOKING ===#

    def _keep(self, page, name):
        """Keep a picture, and note what on it reads like English or went wrong."""
        self.number += 1
        page.wait_for_timeout(500)
        page.screenshot(path=OUTPUT / f"{self.number:02}_{name}.png", full_page=True)
        text = page.locator("body").inner_text()
        for words in sorted(set(ENGLISH.findall(text))):
            if words not in self.said:
                self.findings.append(f"{self.number:02}_{name}: {words}")
        errors = page.locator(".o_error_dialog")
        if errors.count():
            raise AssertionError(f"{name}: {errors.first.inner_text()[:300]}")
        print(f"{self.number:02}_{name}.png", flush=True)

    # === SETTING UP ===#

    def _log_in(self, login):
        context = self.browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(f"{BASE_URL}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", login)
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for_selector(".o_main_navbar", timeout=120_000)
        return page

    def _read_todos(self):
        """Return what to-dos from before say: they are in the language that their user read on that day."""
        todos = call(self.admin, "mail.activity", "search_read", [], ["summary", "note"])
        return "\n".join(todo[name] for todo in todos for name in ("summary", "note") if todo[name])

    def _speak(self, lang):
        """Let the three read a language."""
        users = call(self.admin, "res.users", "search", [("login", "in", [OFFICER, MANAGER, ACCOUNTANT])])
        call(self.admin, "res.users", "write", users, {"lang": lang})


def read_demo_texts():
    """Return what is written in the demo data.

    :rtype: str
    """
    texts = [" ".join(path.read_text(encoding="utf-8").split()) for path in DEMO.glob("*.xml")]
    for path in DEMO.glob("*.py"):
        parts = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts += [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return "\n".join(texts)


def main():
    """Close the month; exit code 1 where something on the way is in English."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        month = Month(browser)
        try:
            month.close()
        finally:
            month.restore()
            browser.close()
    print("\n".join(month.findings) or "Nothing reads like English.")
    return 1 if month.findings else 0


if __name__ == "__main__":
    sys.exit(main())
