"""Look at each screen of the web client of the running app, as each role and in each language.

Every menu is opened, each kind of view behind it, the pages of the first record, what its smart buttons lead to, and
each dialog that can be closed again without that anything has happened. What is wrong is noted: errors, words that
are still English, text that does not fit. Nothing is changed but the language of the roles, which is put back.

Reads ``BASE_URL``, ``OUTPUT`` and ``CHROMIUM`` from the environment, as the screenshots do, and ``ROLE`` and
``LOCALE``, to look at some of it. 'make tour' sets them.
"""

import os
import re
import sys
from functools import cached_property
from pathlib import Path

import polib
from playwright.sync_api import Error, sync_playwright
from shots import ARGUMENTS, BASE_URL, CHROMIUM, DESKTOP, OUTPUT, refuse_errors, settle
from walk import Walk, log_in

MODULES = Path(__file__).parent.parent.glob("partner_loyalty*")
LANGUAGES = ("en_US", "uk_UA", "ru_RU")
ROLES = ("loyalty_manager", "admin", "loyalty_officer", "loyalty_accountant", "loyalty_sales")
ROOT = "partner_loyalty.partner_loyalty_menu_root"
# Where those meet the app who have no menu of it.
WITHOUT_MENU = {
    "Quotations": "sale.action_quotations",
    "Opportunities": "crm.crm_lead_opportunities",
    "Customers": "base.action_partner_form",
}
VIEW = (
    ".o_action_manager .o_action, .o_loyalty_overview .container-fluid:not([aria-busy]), .modal .o_form_view,"
    " .o_action_manager .o_nocontent_help"
)
# What people give names to that the templates of programs have as well.
NAMED = ("partner.loyalty.tier", "partner.loyalty.reward", "partner.loyalty.bonus.action")
DIALOG = ".modal.o_technical_modal, .modal.d-block"
RECORDS = ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
# Buttons that only show something. Others are clicked where they ask first, and are then told no.
SHOWS = re.compile(r"action_view_\w+$")
# What a page says, without what people have written, and a button and a label that Odoo leaves in English.
READ_TEXTS = """() => {
    const written = ".o_data_cell:not(.o_badge_cell), .o-mail-Chatter, .o_loyalty_html, .o_kanban_record,"
        + " .o_field_widget:not(.o_field_badge):not(.o_field_selection):not(.o_field_statusbar), .o_menu_brand,"
        + " .o_user_menu, .o_breadcrumb, .o_facet_value, .o_group_name, .o_pivot, .o_calendar_renderer, style, script,"
        + " .o_activity_type_cell, .o_activity_record, .o_activity_summary_cell, [name='action_open_reward_wizard'],"
        + " label[for^=grade_id]";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = new Set();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.textContent.replace(/\\s+/g, " ").trim();
        if (text.length > 2 && node.parentElement.checkVisibility() && !node.parentElement.closest(written)) {
            texts.add(text);
        }
    }
    return [...texts];
}"""
# The model of the open view.
READ_MODEL = "() => odoo.__WOWL_DEBUG__.root.env.services.action.currentController?.props.resModel || null"
# What is cut off, of what the program wrote itself.
READ_CUT = """() => [...document.querySelectorAll(
        ".btn, .nav-link, .badge, .o_stat_text, .o_form_label, .o_arrow_button, h1, h2, .o_menu_sections button"
    )].filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 2 && one.clientWidth
        && (one.matches(".badge") || !one.closest(".o_data_row, .o_breadcrumb, .o_kanban_record"))
        && getComputedStyle(one).overflowX !== "visible"
    ).map((one) => one.innerText.replace(/\\s+/g, " ").trim().slice(0, 60))"""


class Tour(Walk):
    """What a role sees in a language, and what is wrong with it."""

    def __init__(self, browser):
        self.language, self.prefix = LANGUAGES[0], ""
        super().__init__(browser, mailbox=None)

    @cached_property
    def words(self):
        """Return, by language, the English texts of the app that read otherwise in it."""
        words = {language: set() for language in LANGUAGES[1:]}
        for module in MODULES:
            for language, known in words.items():
                catalog = polib.pofile(str(module / "i18n" / f"{language[:2]}.po"))
                known.update(entry.msgid for entry in catalog if entry.msgstr and entry.msgstr != entry.msgid)
        # What people named as a template of a program would name it.
        named = {record["name"] for model in NAMED for record in self.call(model, "search_read", [], ["name"])}
        return {language: known - named for language, known in words.items()}

    # --- Going round ---

    def follow(self, login, language):
        """Open all that a role is led to."""
        (user,) = self.call("res.users", "search_read", [("login", "=", login)], ["lang"])
        self.call("res.users", "write", [user["id"]], {"lang": language})
        try:
            self.language, self.prefix = language, f"{login.removeprefix('loyalty_')}_{language[:2]}"
            self.page = self.open_page(DESKTOP, language.replace("_", "-"))
            log_in(self.page, login, login)
            for name, action in self.get_screens().items():
                self.attempt(name, lambda action=action, name=name: self.open_action(name, action))
            self.page.context.close()
        finally:
            self.call("res.users", "write", [user["id"]], {"lang": user["lang"]})

    def get_screens(self):
        """Return the actions behind the menus of the app, by their names; for others, where they meet it."""
        menus = self.page.request.get(f"{BASE_URL}/web/webclient/load_menus").json()
        root = next((menu for menu in menus.values() if menu.get("xmlid") == ROOT), None)
        if not root:
            find = ("ir.model.data", "check_object_reference")
            return {name: self.call(*find, *xmlid.split("."))[1] for name, xmlid in WITHOUT_MENU.items()}
        waiting, found = list(root["children"]), {}
        while waiting:
            menu = menus[str(waiting.pop(0))]
            waiting = list(menu["children"]) + waiting
            name = re.fullmatch(r"partner_loyalty\w*\.partner_loyalty_(\w+)_menu", menu.get("xmlid") or "")
            if name and menu.get("actionID"):
                found[name[1]] = menu["actionID"]
        return found

    def attempt(self, name, look):
        """Look at something; where that fails, note it and go on."""
        try:
            look()
        except (Error, AssertionError) as error:
            self.note(self.page, f"{name}: {error}")

    def open_action(self, name, action):
        """Open an action: each of its views, its first record, and what that leads to."""
        page = self.page
        address = f"{BASE_URL}/odoo/action-{action}"
        page.goto(address)
        settle(page, VIEW)
        self.look(page, f"{name}_0")
        switches = [item.get_attribute("data-tooltip") or "" for item in page.locator(".o_switch_view").all()]
        for number in range(1, len(switches)):
            page.locator(".o_switch_view").nth(number).click()
            settle(page, VIEW)
            page.mouse.move(700, 890)
            self.look(page, f"{name}_{number}")
        if page.url != address:
            page.goto(address)
            settle(page, VIEW)
        if page.locator(".o_switch_view.o_list").count():
            page.click(".o_switch_view.o_list")
            settle(page, VIEW)
        self.open_record(name)

    def open_record(self, name):
        """Open the first record that is not made up, and look at its pages and where they lead."""
        page = self.page
        # What the filters hide that are on at first.
        while page.locator(".o_facet_remove").count() and page.locator(".o_view_nocontent").count():
            page.locator(".o_facet_remove").first.click()
            settle(page, VIEW)
        if page.locator(".o_view_nocontent").count():
            return
        group = page.locator(".o_group_header:not(.o_group_open) .o_group_name").first
        if not page.locator(RECORDS).count() and group.count():
            group.click()
            settle(page, VIEW)
        record = page.locator(RECORDS).first
        if not record.count():
            return
        cell = record.locator("td.o_data_cell:not(:has(.o_row_handle)):not(:has(button)):not(:has(a))").first
        (cell if cell.count() else record).click()
        page.wait_for_timeout(1500)
        if not page.locator(".o_action_manager .o_form_view").count():
            return
        settle(page, ".o_action_manager .o_form_view")
        self.look(page, f"{name}_form")
        for number, tab in enumerate(page.locator(".o_notebook_headers .nav-link:visible").all()[1:], 1):
            tab.click()
            page.wait_for_timeout(400)
            self.look(page, f"{name}_form_tab{number}")
        self.follow_buttons(name)

    def follow_buttons(self, name):
        """Click what leads from a record to others, or opens a dialog that can be closed again."""
        page, address = self.page, self.page.url
        asked = self.get_asking_buttons()
        names = []
        for button in page.locator(".oe_stat_button:visible, .o_statusbar_buttons button:visible").all():
            target = button.get_attribute("name")
            if target and (target.isdigit() or SHOWS.match(target) or target in asked) and target not in names:
                names.append(target)
        for number, target in enumerate(names):
            self.attempt(f"{name} > {target}", lambda number=number, target=target: self.click(name, number, target))
            page.goto(address)
            settle(page, ".o_form_view, .o_view_controller")

    def get_asking_buttons(self):
        """Return the buttons of the open form that ask before they do anything, whenever they are shown."""
        model = self.page.evaluate(READ_MODEL)
        if not model:
            return set()
        arch = self.call(model, "get_views", [[False, "form"]])["views"]["form"]["arch"]
        names = {True: set(), False: set()}
        for button, name in re.findall(r'(<button[^>]*name="(\w+)"[^>]*>)', arch):
            names[" confirm=" in button].add(name)
        return names[True] - names[False]

    def click(self, name, number, target):
        """Click a button, look at what it opens, and close that again."""
        page = self.page
        page.locator(f".o_action_manager button[name='{target}']:visible").first.click()
        page.wait_for_timeout(2000)
        self.look(page, f"{name}_button{number}")
        discard = page.locator(".o_form_button_cancel:visible")
        if page.locator(DIALOG).count():
            page.keyboard.press("Escape")
            page.wait_for_timeout(500)
        elif discard.count():
            # A form that is left keeps what it is filled with.
            discard.first.click()
            page.wait_for_timeout(500)

    # --- Finding fault ---

    def note(self, page, text):
        """Note something, with who saw it where, and say so at once: the way is long."""
        super().note(page, f"[{self.prefix}] {text}")
        if self.findings[-1] not in self.findings[:-1]:
            print(self.findings[-1], flush=True)

    def look(self, page, name):
        """Keep a picture, and note errors, English words, and text that is cut off."""
        self.pages += 1
        page.screenshot(path=OUTPUT / f"{self.prefix}_{name}.png")
        refuse_errors(page)
        if page.locator(".o_notification:has(.bg-danger)").count():
            self.note(page, f"{name}: {page.locator('.o_notification').first.inner_text()}")
        width = page.viewport_size["width"]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            self.note(page, f"{name}: is wider than the screen")
        for text in page.evaluate(READ_CUT):
            self.note(page, f"{name}: cut off: {text}")
        for text in page.evaluate(READ_TEXTS):
            if text in self.words.get(self.language, ()):
                self.note(page, f"{name}: is English: {text}")


def main():
    """Go round, and say what was wrong.

    :return: exit code, 1 where something was
    """
    OUTPUT.mkdir(parents=True, exist_ok=True)
    role, language = os.environ.get("ROLE"), os.environ.get("LOCALE")
    with sync_playwright() as playwright:
        tour = Tour(playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS))
        for one in LANGUAGES:
            for login in ROLES:
                if login.endswith(role or "") and one.startswith(language or ""):
                    tour.follow(login, one)
    print(f"{tour.pages} screens seen, {len(set(tour.findings))} findings; pictures are in {OUTPUT}")
    return 1 if tour.findings else 0


if __name__ == "__main__":
    sys.exit(main())
