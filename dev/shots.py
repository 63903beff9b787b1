"""Take screenshots of the running app with its demo data: what a newcomer sees first.

Reads ``BASE_URL`` (the server), ``OUTPUT`` (the folder to write to) and ``CHROMIUM`` (the browser) from the
environment. 'make shots' sets all three.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

from playwright.sync_api import Error, sync_playwright

BASE_URL = os.environ["BASE_URL"].rstrip("/")
OUTPUT = Path(os.environ["OUTPUT"])
CHROMIUM = os.environ["CHROMIUM"]

# The browser shall look nothing up and start without a first-run page.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
VIEW = ".o_view_controller"
MODAL = ".modal .o_form_view"


def main():
    """Take all screenshots, role by role.

    :return: exit code, 1 where a screen could not be taken
    """
    OUTPUT.mkdir(parents=True, exist_ok=True)
    failed = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for login, size, screens in PLAN:
            page = log_in(browser, login, size)
            failed += [name for name, take in screens.items() if not attempt(page, name, take)]
            page.context.close()
        browser.close()
    print(f"Screenshots are in {OUTPUT}" + (f"; not taken: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def attempt(page, name, take):
    """Take one screen; where it fails, say so and go on with the others.

    :return: whether it went through
    """
    try:
        take(page)
        refuse_errors(page)
        page.screenshot(path=OUTPUT / f"{name}.png")
    except (Error, AssertionError, OSError, subprocess.CalledProcessError) as error:
        print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
        return False
    print(f"{name}.png")
    return True


def refuse_errors(page):
    """Fail where Odoo shows an error instead of the screen."""
    dialog = page.locator(".o_error_dialog, .modal:has-text('Access Error')")
    if dialog.count():
        raise AssertionError(" ".join(dialog.first.inner_text().split())[:200])


# --- Getting there ---


def log_in(browser, login, size):
    """Open the web client as one of the users of the demo data, whose passwords are their logins."""
    context = browser.new_context(viewport=size, is_mobile=size is PHONE, has_touch=size is PHONE)
    page = context.new_page()
    page.goto(f"{BASE_URL}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("form.oe_login_form button[type=submit]")
    page.wait_for_selector(".o_main_navbar", timeout=120_000)
    return page


def call(page, model, method, *args, **kwargs):
    """Call a method of a model as the user of a page; return what it returns."""
    response = page.request.post(
        f"{BASE_URL}/web/dataset/call_kw/{model}/{method}",
        data={"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}},
    ).json()
    if "error" in response:
        raise AssertionError(response["error"]["data"]["message"])
    return response.get("result")


def settle(page, selector=VIEW):
    """Wait until a view is there and has stopped loading."""
    page.wait_for_selector(selector, timeout=60_000)
    page.wait_for_timeout(700)
    page.wait_for_selector(".o_loading_indicator", state="hidden", timeout=60_000)
    page.wait_for_timeout(700)


def open_path(page, path):
    """Open an action by the path in its address."""
    page.goto(f"{BASE_URL}/odoo/{path}")
    settle(page)


def switch_view(page, view):
    """Show the open action as another view."""
    page.click(f".o_switch_view.o_{view}")
    settle(page)
    # A pointer that rests on the button would show its tooltip.
    page.mouse.move(700, 850)
    page.wait_for_timeout(300)


def open_first(page, text=None):
    """Open the first record of a list or kanban, or the first that has the text."""
    records = page.locator(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)")
    record = (records.filter(has_text=text) if text else records).first
    cell = record.locator("td.o_data_cell:not(:has(.o_row_handle))").first
    (cell if cell.count() else record).click()
    settle(page, ".o_form_view")


# --- The screens ---


def apps(page):
    """The app among those that an administrator can install.

    The administrator comes first: the server learns its own address, from which printed pages fetch their styles,
    as one logs in.
    """
    page.goto(f"{BASE_URL}/odoo/apps")
    settle(page)
    page.fill(".o_searchview_input", "Partner Loyalty")
    page.keyboard.press("Enter")
    settle(page)


def app_menu(page):
    """The menu of apps, open over the app."""
    open_path(page, "loyalty-members")
    page.click(".o_navbar_apps_menu button")
    page.wait_for_timeout(500)


def view_of(path, view=None):
    """Return a screen that shows an action, in its first view or another."""

    def take(page):
        open_path(page, path)
        if view:
            switch_view(page, view)

    return take


def record_of(path, text=None, view="list"):
    """Return a screen that shows a record of an action: the first one, or the first that has the text."""

    def take(page):
        open_path(page, path)
        if view and page.locator(f".o_switch_view.o_{view}").count():
            switch_view(page, view)
        open_first(page, text)

    return take


def member_form(page):
    """The member with the largest money balance on the first page."""
    open_path(page, "loyalty-members")
    if page.locator(".o_switch_view.o_list").count():
        switch_view(page, "list")
        rows = page.locator(".o_data_row")
        balances = [parse_amount(text) for text in rows.locator("td[name=money_balance]").all_inner_texts()]
        rows.nth(balances.index(max(balances))).locator("td[name=partner_id]").click()
        settle(page, ".o_form_view")
    else:
        open_first(page)


def parse_amount(text):
    """Read an amount as it is shown in English, such as ``$ 1,234.50``."""
    return float(re.sub(r"[^0-9.-]", "", text) or 0)


def partner_form(page):
    """The page of a member on the form of the partner."""
    member_form(page)
    page.click(".o_form_view h1 .o_field_widget a, .o_form_view h1 [name=partner_id] a")
    page.wait_for_selector(".o_form_view .o_notebook a[name=loyalty]")
    page.click(".o_notebook a[name=loyalty]")
    settle(page, ".o_form_view")


def enroll_dialog(page):
    """The dialog that enrolls many partners at once, with the reasons why some cannot be."""
    open_path(page, "contacts")
    switch_view(page, "list")
    for number in range(8):
        page.locator(".o_data_row .o_list_record_selector input").nth(number).click()
    page.click(".o_cp_action_menus button:has-text('Actions')")
    page.click(".o-dropdown-item:has-text('Enroll in a Loyalty Program')")
    settle(page, MODAL)
    page.click(".modal div[name=program_id] input")
    page.locator(".o-autocomplete--dropdown-item").first.click()
    settle(page, MODAL)


def statement_pdf(page):
    """The statement of a payout, as it is printed: the PDF itself, and its first page as the picture."""
    open_path(page, "loyalty-payouts")
    paid = page.locator(".o_data_row").filter(has_text="Paid")
    open_first(page, "Paid" if paid.count() else None)
    payout_id = re.search(r"/(\d+)(?:\?|$)", page.url).group(1)
    response = page.request.get(f"{BASE_URL}/report/pdf/partner_loyalty.report_payout/{payout_id}")
    if not response.ok:
        raise AssertionError(f"the statement of payout {payout_id} could not be printed: HTTP {response.status}")
    file = OUTPUT / "statement.pdf"
    file.write_bytes(response.body())
    show_pdf(page, file)


def show_pdf(page, file):
    """Show the first page of a PDF file in the browser, where there is a program to draw it."""
    if not which("pdftoppm"):
        return
    picture = file.with_suffix("")
    subprocess.run(["pdftoppm", "-singlefile", "-r", "110", "-png", str(file), str(picture)], check=True)
    page.goto(picture.with_suffix(".png").as_uri())
    page.set_viewport_size(
        page.evaluate("({width: document.images[0].naturalWidth, height: document.images[0].naturalHeight})")
    )


def debts(page):
    """What a member owes, and how it will be recovered."""
    open_path(page, "loyalty-members")
    switch_view(page, "list")
    page.locator(".o_data_row:has(.text-danger)").first.locator("td[name=partner_id]").click()
    settle(page, ".o_form_view")
    page.click(".o_notebook a[name=debts]")
    settle(page, ".o_form_view")


def take_over_dialog(page):
    """The dialog that hands a member over to another company, with the preview of what moves."""
    open_path(page, "loyalty-members")
    switch_view(page, "list")
    open_first(page, "Gold")
    page.click("button:has-text('Take Over')")
    settle(page, MODAL)
    page.click(".modal div[name=target_partner_id] input")
    page.locator(".o-autocomplete--dropdown-item").first.click()
    settle(page, MODAL)


def expiry_terms(page):
    """When what a program gives expires."""
    record_of("loyalty-programs", view=None)(page)
    page.click(".o_notebook a[name=expiry]")
    settle(page, ".o_form_view")


def ledger_check(page):
    """The report of a check of the ledger."""
    record_of("loyalty-programs", view=None)(page)
    page.click("button[name=action_check]")
    page.wait_for_selector(".o_form_view .o_field_widget[name=line_ids]")
    settle(page, ".o_form_view")


def choose(page, field, text=""):
    """Choose a record in a field: the first one, or the first that has the text."""
    page.click(f"div[name={field}] input")
    page.fill(f"div[name={field}] input", text)
    page.wait_for_timeout(700)
    page.locator(".o-autocomplete--dropdown-item").first.click()
    page.wait_for_timeout(500)


def backtest(page):
    """A program tried out over the past."""
    open_path(page, "loyalty-backtests")
    page.click(".o_list_button_add, .o_control_panel_main_buttons button:has-text('New')")
    settle(page, ".o_form_view")
    choose(page, "program_id", "Dealer Club")
    page.click("button[name=action_run]")
    page.wait_for_selector(".o_form_view .alert [name=summary]:visible", timeout=120_000)
    settle(page, ".o_form_view")


def backtest_by_month(page):
    """What the program that was tried out would have cost, month by month."""
    record_of("loyalty-backtests")(page)
    page.click("button[name=action_view_by_month]")
    settle(page)


def version_dialog(page):
    """The next version of a rule, with the members for whom it makes a difference."""
    record_of("loyalty-rules", "Commission on purchases")(page)
    page.click("button[name=action_new_version]")
    page.wait_for_selector(".o_form_view :text('draft of the next version')")
    page.fill("div[name=rate] input", "2.5")
    page.click(".o_form_button_save")
    settle(page, ".o_form_view")
    page.click("button:has-text('Put into Force')")
    settle(page, MODAL)


def answer_of(action, text=None):
    """Return a screen that says what a document earns, and why."""

    def take(page):
        record_of(action, text)(page)
        page.click(".o_form_view button:has-text('Loyalty')")
        settle(page, MODAL)

    return take


def template_dialog(page):
    """The programs that can be set up with one click."""
    open_path(page, "loyalty-programs")
    page.click("button:has-text('From a Template')")
    settle(page, MODAL)


def terms_in_force(page):
    """What applies to a member who has a special agreement."""
    record_of("loyalty-members", "«")(page)
    page.click(".o_notebook a[name=terms]")
    settle(page, ".o_form_view")


def program_tiers(page):
    """The tiers of a program, and how it decides on them."""
    record_of("loyalty-programs", "Dealer Club", view=None)(page)
    page.click(".o_notebook a[name=tiers]")
    settle(page, ".o_form_view")


def tier_form(page):
    """What the highest tier asks for."""
    program_tiers(page)
    page.locator("div[name=tier_ids] .o_data_row .o_list_record_open_form_view").last.click()
    settle(page, ".o_form_view")


def bonus_preview(page):
    """Who would get a bonus, and who just misses it."""
    record_of("loyalty-bonus-actions", "Best three")(page)
    page.click("button[name=action_preview]")
    page.wait_for_selector(".o_form_view :text('nothing has been given')")
    settle(page, ".o_form_view")


def bonus_run(page):
    """Who got a bonus, and why."""
    record_of("loyalty-bonus-actions", "Best three")(page)
    page.click("button[name=action_view_runs]")
    settle(page)
    open_first(page, "Done")


PLAN = [
    (
        "admin",
        DESKTOP,
        {
            "00_apps": apps,
            "80_why": answer_of("action-account.action_move_out_invoice_type", "Karpaty"),
            "81_forecast": answer_of("action-sale.action_quotations", "Quotation Sent"),
        },
    ),
    (
        "loyalty_manager",
        DESKTOP,
        {
            "01_app_menu": app_menu,
            "02_todo": view_of("loyalty-todo"),
            "03_programs": view_of("loyalty-programs"),
            "04_program": record_of("loyalty-programs", view=None),
            "05_rule": record_of("loyalty-rules"),
            "06_differences": view_of("loyalty-differences"),
            "07_payouts": view_of("loyalty-payouts"),
            "08_payout": record_of("loyalty-payouts", "To Approve"),
            "09_rewards": view_of("loyalty-rewards"),
            "09a_reward": record_of("loyalty-rewards", "Early Access"),
            "09b_claims": view_of("loyalty-claims"),
            "09c_claim": record_of("loyalty-claims", "To Approve"),
            "09d_closing": record_of("loyalty-closings"),
            "50_expiry": expiry_terms,
            "51_debts": debts,
            "52_adjustments": view_of("loyalty-adjustments"),
            "53_take_over": take_over_dialog,
            "54_liability": view_of("loyalty-liability"),
            "55_ledger_check": ledger_check,
            "60_bands": record_of("loyalty-rules", "Quarterly target"),
            "61_segment": record_of("loyalty-segments"),
            "62_agreements": view_of("loyalty-agreements"),
            "63_deals": view_of("loyalty-deals"),
            "64_deal": record_of("loyalty-deals", "To Approve"),
            "65_promotions": view_of("loyalty-promotions"),
            "66_promotion": record_of("loyalty-promotions"),
            "67_backtest": backtest,
            "68_backtest_by_month": backtest_by_month,
            "69_version": version_dialog,
            "70_templates": template_dialog,
            "71_terms_in_force": terms_in_force,
            "90_tiers": program_tiers,
            "91_tier": tier_form,
            "92_metrics": view_of("loyalty-metrics"),
            "93_metric": record_of("loyalty-metrics", "Repeat Rate"),
            "94_bonus_actions": view_of("loyalty-bonus-actions"),
            "95_bonus_action": record_of("loyalty-bonus-actions", "Best three"),
            "96_bonus_preview": bonus_preview,
            "97_bonus_run": bonus_run,
            "98_about_to_rise": record_of("loyalty-members", "Lone Star"),
        },
    ),
    (
        "loyalty_officer",
        DESKTOP,
        {
            "10_todo_officer": view_of("loyalty-todo"),
            "11_members_kanban": view_of("loyalty-members", "kanban"),
            "12_members_list": view_of("loyalty-members"),
            "13_member": member_form,
            "14_partner": partner_form,
            "15_enroll": enroll_dialog,
            "16_statement_lines": view_of("loyalty-statement"),
            "17_statement_line": record_of("loyalty-statement", "Earned"),
            "18_statement_graph": view_of("loyalty-statement", "graph"),
            "19_performance": view_of("loyalty-performance"),
            "20_performance_pivot": view_of("loyalty-performance", "pivot"),
            "21_tier_history": view_of("loyalty-tier-history"),
        },
    ),
    (
        "loyalty_accountant",
        DESKTOP,
        {"30_payouts_accountant": view_of("loyalty-payouts"), "31_statement": statement_pdf},
    ),
    (
        "loyalty_manager",
        PHONE,
        {
            "40_phone_todo": view_of("loyalty-todo"),
            "41_phone_member": member_form,
            "42_phone_payout": record_of("loyalty-payouts", view=None),
            "43_phone_rewards": view_of("loyalty-rewards"),
            "44_phone_claims": view_of("loyalty-claims"),
        },
    ),
]

if __name__ == "__main__":
    sys.exit(main())
