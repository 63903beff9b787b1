"""Install the app from the list of apps of an empty Odoo, and click on until the first member has its first points.

Every click of the mouse is counted, and the time is taken. Reads ``BASE_URL``, ``OUTPUT`` and ``CHROMIUM`` from the
environment, as the screenshots do. 'make first' sets them, on a database of its own without demo data.
"""

import sys
import time

from playwright.sync_api import sync_playwright
from shots import ARGUMENTS, BASE_URL, CHROMIUM, DESKTOP, OUTPUT, call, log_in, settle

CLICKS = 12
INSTALL_MINUTES = 15
PARTNER, PRODUCT = "Harbor Trading", "Espresso Machine"
COUNT = "addEventListener('click', event => event.isTrusted && event.detail && noteClick(), {capture: true})"
PANEL = ".o_partner_loyalty_onboarding"


class FirstRun:
    """The way of a new administrator, click by click."""

    def __init__(self, browser):
        self.page = log_in(browser, "admin", DESKTOP)
        self.clicks, self.pictures = 0, 0
        self.page.expose_function("noteClick", self.note_click)
        self.page.add_init_script(COUNT)

    def note_click(self):
        """Count a click, however it came about."""
        self.clicks += 1

    def click(self, selector):
        """Click on something, as soon as it is there; keep a picture of what was clicked on."""
        target = self.page.locator(selector).first
        target.wait_for(timeout=60_000)
        self.look()
        target.click()

    def look(self):
        """Keep a picture of the page."""
        self.pictures += 1
        self.page.screenshot(path=OUTPUT / f"{self.pictures:02}.png")

    def choose(self, selector, text):
        """Write into the field that has the focus, and click on what is offered."""
        self.page.wait_for_function("selector => document.activeElement.matches(selector)", arg=selector)
        self.page.keyboard.type(text, delay=20)
        self.click(f".o-autocomplete--dropdown-item a:has-text('{text}')")

    def install(self):
        """Find the app among the others, and install it; Odoo then opens the first steps by itself."""
        self.page.goto(f"{BASE_URL}/odoo/apps")
        settle(self.page)
        self.page.keyboard.type("Partner Loyalty")
        self.page.keyboard.press("Enter")
        settle(self.page)
        self.click(".o_kanban_record:has-text('Partner Loyalty') button[name=button_immediate_install]")
        self.page.wait_for_selector(PANEL, timeout=INSTALL_MINUTES * 60_000)

    def start(self):
        """Take a program from a template, and start it."""
        self.click(f"{PANEL} [data-method=action_open_step_loyalty_program] button")
        self.click(".modal .o_field_widget[name=template] input[data-value=live]")
        self.click(".modal button[name=action_create_and_start]")

    def enroll(self):
        """Enroll a partner that nobody has entered yet."""
        self.click(".o_form_statusbar button.o_loyalty_enroll")
        self.choose(".modal [name=partner_ids] input", PARTNER)
        self.click(".modal button[name=action_enroll]:visible")

    def sell(self):
        """Confirm an order of the new member about a product that nobody has entered yet."""
        self.click(".o_form_statusbar button[name=action_new_quotation]")
        self.click("[name=order_line] .o_field_x2many_list_row_add a")
        self.choose(".o_selected_row [name^=product] input", PRODUCT)
        self.page.locator(".o_selected_row .oi-arrow-right").wait_for(timeout=30_000)
        self.set_price("250")
        self.click(".o_form_statusbar button[name=action_confirm]")
        self.page.locator(".o_arrow_button_current[data-value=sale]").wait_for(timeout=60_000)

    def set_price(self, price):
        """Go to the price with the tabulator, as one does who enters many lines, and write it."""
        price_input = self.page.locator(".o_selected_row [name=price_unit] input:focus")
        for _step in range(6):
            self.page.keyboard.press("Tab")
            self.page.wait_for_timeout(500)
            if price_input.count():
                break
        self.page.keyboard.type(price)
        self.page.keyboard.press("Tab")
        self.page.wait_for_timeout(500)

    def wait_for_points(self, seconds=120):
        """Wait until the order was answered.

        :return: the points that the member has
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            (member,) = call(self.page, "partner.loyalty.member", "search_read", [], ["point_balance"], limit=1)
            if member["point_balance"]:
                return member["point_balance"]
            time.sleep(0.5)
        return 0


def main():
    """Run it.

    :return: exit code, 1 where it takes too many clicks, or nothing is earned
    """
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        run = FirstRun(browser)
        started = time.monotonic()
        run.install()
        installed = time.monotonic()
        run.start()
        run.enroll()
        run.sell()
        points = run.wait_for_points()
        ended = time.monotonic()
        run.page.goto(f"{BASE_URL}/odoo/loyalty-members")
        settle(run.page)
        run.look()
        browser.close()
    print(f"{run.clicks} clicks from the list of apps to {points:g} points (at most {CLICKS} are allowed)")
    print(f"{ended - started:.0f} seconds, {installed - started:.0f} of them for the installation")
    print(f"Pictures of each step are in {OUTPUT}")
    return 0 if points and run.clicks <= CLICKS else 1


if __name__ == "__main__":
    sys.exit(main())
