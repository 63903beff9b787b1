"""Walk through the portal of the running app as people do, in a browser of the size of a phone.

A stranger follows the link of a dealer, applies, is let in, chooses a password, accepts the terms, sees the first
points arrive, asks a question and reads the answer: all in Ukrainian. Then each page is opened by each right, on a
phone and on a wide screen, and tried with axe-core, which finds what people with impairments could not use.

Reads ``BASE_URL``, ``OUTPUT`` and ``CHROMIUM`` from the environment, as the screenshots do. 'make walk' sets them.
"""

import re
import sys
import time

from axe_playwright_python.sync_playwright import Axe
from letterbox import Mailbox
from playwright.sync_api import sync_playwright
from shots import ARGUMENTS, BASE_URL, CHROMIUM, DESKTOP, OUTPUT, PHONE, call, settle

PASSWORD = "correct horse battery"
SERIOUS = ("serious", "critical")
# What the walk needs of the database, it does by the external API, as the administrator of the demo data.
ADMINISTRATOR = ("admin", "admin")
# The link to a deal that is registered.
A_DEAL = "a[href*='/deals/']:not([href$='/new'])"
RIGHTS = ("owner", "finance", "sales")
UKRAINIAN = re.compile("[а-яіїєґ]", re.IGNORECASE)


class Walk:
    """A walk, and what was wrong on the way.

    :param browser: browser of Playwright
    :param Mailbox mailbox: where the app sends its mail to meanwhile
    """

    def __init__(self, browser, mailbox):
        self.browser, self.mailbox, self.findings = browser, mailbox, []
        self.pages, self.done, self.refused = 0, 0, 0
        self.admin = self.open_page(DESKTOP)
        log_in(self.admin, *ADMINISTRATOR)

    def open_page(self, size, language="en-US"):
        """Return a page of somebody of whom the server knows nothing."""
        is_phone = size is PHONE
        context = self.browser.new_context(viewport=size, is_mobile=is_phone, has_touch=is_phone, locale=language)
        page = context.new_page()
        # What the server refuses, the walk compares with what it expects.
        page.on(
            "console",
            lambda message: (
                message.type == "error" and "status of 40" not in message.text and self.note(page, message.text)
            ),
        )
        page.on("pageerror", lambda error: self.note(page, str(error)))
        return page

    def note(self, page, text):
        """Note something that is wrong on a page."""
        self.findings.append(f"{page.url.removeprefix(BASE_URL)}: {text.splitlines()[0][:300]}")

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model as the administrator; return what it returns."""
        return call(self.admin, model, method, *args, **kwargs)

    def visit(self, page, path, status=200):
        """Open a page, look whether it fits the screen, and let axe look at it."""
        response = page.goto(f"{BASE_URL}{path}")
        page.wait_for_timeout(500)
        if response.status != status:
            self.note(page, f"answered {response.status}, not {status}")
        if response.status == 200:
            self.look(page, re.sub(r"\W+", "_", path.strip("/")))

    def look(self, page, name):
        """Keep a picture of a page, and note what is wrong with it."""
        self.pages += 1
        width = page.viewport_size["width"]
        page.screenshot(path=OUTPUT / f"walk_{width}_{name}.png", full_page=True)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            self.note(page, "is wider than the screen")
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in SERIOUS:
                where = violation["nodes"][0]["html"][:120]
                self.note(page, f"axe: {violation['id']} ({violation['impact']}), at {where}")

    # --- The stranger ---

    def follow_a_stranger(self):
        """Let somebody become a member, earn, and ask."""
        program = self.call("partner.loyalty.program", "search", [("is_public", "=", True)], limit=1)[0]
        dealers = self.call("partner.loyalty.member", "search_read", [("program_id", "=", program)], ["referral_code"])
        code = dealers[0]["referral_code"]
        page = self.open_page(PHONE, "uk-UA")
        email = f"stranger{int(time.time())}@example.com"
        self.apply(page, program, code, email)
        application = self.decide(email)
        self.choose_password(page, email)
        base = f"/uk/my/loyalty/{program}"
        self.accept_terms(page, base)
        self.earn(page, base, application)
        self.ask(page, base)
        self.invite_salesperson(base, application)

    def apply(self, page, program, code, email):
        """Follow a link with a code, and apply."""
        self.visit(page, f"/uk/loyalty/join/{program}?ref={code}")
        self.expect_ukrainian(page)
        for name, value in {
            "company_name": "Сонце і Вітер",
            "contact_name": "Оксана Коваль",
            "email": email,
            "phone": "+380441234567",
            "message": "Ставимо сонячні станції на дахах.",
        }.items():
            page.fill(f"[name={name}]", value)
        self.expect(page, page.input_value("[name=referral_code]") == code, "the code of the link is in the form")
        accepts = page.locator("[name=accepts_terms]")
        if accepts.count():
            accepts.check()
        page.click(".o_loyalty_public_form button[type=submit]")
        page.wait_for_timeout(1500)
        self.look(page, "applied")
        self.expect_ukrainian(page)

    def decide(self, email):
        """Let an officer approve the application by clicking; return it."""
        application = self.call("partner.loyalty.application", "search_read", [("email", "=", email)], ["id"])[0]
        page = self.open_page(DESKTOP)
        log_in(page, "loyalty_officer", "loyalty_officer")
        page.goto(f"{BASE_URL}/odoo/loyalty-applications/{application['id']}")
        settle(page)
        page.click("button[name=action_approve]")
        page.click(".modal .btn-primary")
        page.wait_for_timeout(3000)
        fields = ["state", "partner_id"]
        application = self.call("partner.loyalty.application", "read", [application["id"]], fields)[0]
        self.expect(page, application["state"] == "approved", "the application is approved")
        return application

    def choose_password(self, page, email):
        """Follow the link of the invitation, and choose a password."""
        page.goto(BASE_URL + self.mailbox.find_link(email, r"/web/(?:signup|reset_password)[^\"\s]*"))
        page.fill("[name=password]", PASSWORD)
        page.fill("[name=confirm_password]", PASSWORD)
        page.click("form button[type=submit]")
        page.wait_for_timeout(3000)
        self.expect(page, "/my" in page.url, "the password lets the stranger in")

    def accept_terms(self, page, base):
        """Read the terms, and accept them where that has not been done with the application."""
        self.visit(page, f"{base}/terms")
        button = page.locator("form[action$='/terms/accept'] button[type=submit]")
        if button.count():
            button.click()
            page.wait_for_timeout(1500)
        self.expect_ukrainian(page)

    def earn(self, page, base, application):
        """Buy something while the page is open: what it earned appears without loading the page again."""
        self.visit(page, base)
        page.wait_for_timeout(4000)
        product = self.call("product.product", "search", [("sale_ok", "=", True), ("list_price", ">", 100)], limit=1)[0]
        lines = [(0, 0, {"product_id": product, "product_uom_qty": 10})]
        order = self.call("sale.order", "create", {"partner_id": application["partner_id"][0], "order_line": lines})
        self.call("sale.order", "action_confirm", [order])
        page.wait_for_selector(".o_loyalty_live", timeout=90_000)
        self.look(page, "earned")
        self.expect_ukrainian(page)
        self.visit(page, f"{base}/statement?unit=point")

    def ask(self, page, base):
        """Ask a question, let an officer answer, and read the answer."""
        self.visit(page, f"{base}/ask")
        page.fill("[name=subject]", "Коли виплата?")
        page.fill("form[action$='/ask'] textarea", "Коли прийдуть перші гроші?")
        page.click("form[action$='/ask'] button[type=submit]")
        page.wait_for_timeout(2000)
        self.look(page, "asked")
        inquiry = self.call(
            "partner.loyalty.inquiry", "search", [("name", "=", "Коли виплата?")], limit=1, order="id desc"
        )
        post = {"body": "Щомісяця, першого числа.", "message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
        self.call("partner.loyalty.inquiry", "message_post", inquiry, **post)
        self.visit(page, f"{base}/inquiries/{inquiry[0]}")
        self.expect(page, "Щомісяця" in page.inner_text("body"), "the answer is read")

    def invite_salesperson(self, base, application):
        """Let a colleague in who sells: points, and no money."""
        page = self.open_page(PHONE, "uk-UA")
        log_in(page, self.create_login(application["partner_id"][0], "sales", lang="uk_UA"), PASSWORD)
        self.visit(page, base)
        self.expect(page, page.locator("[data-loyalty-balance=point]").count(), "sales read their points")
        self.expect(page, not page.locator("[data-loyalty-balance=money]").count(), "sales read no money")
        self.visit(page, f"{base}/payouts", status=403)

    def create_login(self, partner, right, **values):
        """Give a company a contact with a right in the portal; return the login."""
        login = f"{right}{time.time_ns()}@example.com"
        group = self.call("ir.model.data", "check_object_reference", "base", "group_portal")[1]
        values = {"name": "Петро Сірко", "parent_id": partner, "email": login, "loyalty_portal_right": right, **values}
        contact = self.call("res.partner", "create", values)
        user = {"partner_id": contact, "login": login, "password": PASSWORD, "group_ids": [(6, 0, [group])]}
        self.call("res.users", "create", user)
        return login

    # --- A dealer ---

    def find_logins(self):
        """Return the login and password of each right in the portal of the dealer of the demo data."""
        (dealer,) = self.call("res.users", "search_read", [("login", "=", "loyalty_dealer")], ["commercial_partner_id"])
        logins = {"owner": ("loyalty_dealer", "loyalty_dealer")}
        for right in ("finance", "sales"):
            logins[right] = (self.create_login(dealer["commercial_partner_id"][0], right), PASSWORD)
        return logins

    def act_by_each_right(self, logins):
        """Send each form that a right has, by tapping and by clicking, and try those that it has not."""
        for size in (PHONE, DESKTOP):
            sent = {}
            for right, login in logins.items():
                self.answer_all()
                page = self.open_page(size)
                log_in(page, *login)
                page.goto(f"{BASE_URL}/my/loyalty")
                page.wait_for_timeout(1000)
                base = page.url.removeprefix(BASE_URL).split("?")[0].rstrip("/")
                for path, link, action, rights, values in get_forms(str(time.time_ns())):
                    self.go_to_form(page, f"{base}/{path}", link)
                    if right in rights:
                        sent[action] = self.submit(page, action, values) or sent.get(action)
                    else:
                        # Forms that are not about a record have the same address for all.
                        general = f"{base}{action}" if action.count("/") > 1 else None
                        self.be_refused(page, right, action, sent.get(action) or general)

    def answer_all(self):
        """Answer what was asked, and publish what was begun: of both, only so much of a member waits at once."""
        domain = [("is_open", "=", True), ("adjustment_id", "=", False)]
        waiting = self.call("partner.loyalty.inquiry", "search_read", domain, ["kind"])
        for inquiry in waiting:
            if inquiry["kind"] == "dispute":
                decision = {"inquiry_id": inquiry["id"], "decision": "explained", "text": "It is as agreed on."}
                (wizard,) = self.call("partner.loyalty.inquiry.decide", "create", [decision])
                self.call("partner.loyalty.inquiry.decide", "action_decide", [wizard])
            else:
                self.call("partner.loyalty.inquiry", "action_close", [inquiry["id"]])
        topics = self.call("partner.loyalty.topic", "search", [("state", "=", "pending")])
        self.call("partner.loyalty.topic", "action_publish", topics)

    def go_to_form(self, page, path, link):
        """Open a page, or what its first link of a kind leads to."""
        page.goto(f"{BASE_URL}{path}")
        if link and page.locator(link).count():
            page.goto(f"{BASE_URL}{page.locator(link).first.get_attribute('href')}")

    def be_refused(self, page, right, action, address):
        """Expect that a right is not offered a form, and that it is not taken if it is sent all the same.

        :param str address: where others have sent it, or None where nobody has
        """
        # Settings are read by all in the form in which the owner changes them.
        is_offered = page.locator(f"form[method=post][action$='{action}'] [type=submit]:enabled").count()
        self.expect(page, not is_offered, f"{action} is not offered to {right}")
        if address:
            page.goto(f"{BASE_URL}/my")
            token = page.evaluate("odoo.csrf_token")
            response = page.request.post(f"{BASE_URL}{address}", form={"csrf_token": token}, max_redirects=0)
            self.expect(page, response.status in (403, 404), f"{action} of {right} is refused: {response.status}")
            self.refused += 1

    def submit(self, page, action, values):
        """Fill in a form and send it; where there is none, such as for a promotion that was joined, go on.

        :return: where it was sent to, or None
        """
        form = page.locator(f"form[method=post][action$='{action}']")
        if not form.count():
            return None
        address = form.first.get_attribute("action")
        for summary in page.locator("details:not([open]) summary").all():
            summary.click()
        for name, value in values.items():
            field = form.locator(f"[name={name}]")
            if field.count():
                field.first.fill(value)
        form.locator("[type=submit]").first.click()
        page.wait_for_timeout(1500)
        name = re.sub(r"\W+", "_", action.strip("/"))
        self.look(page, f"did_{name}")
        is_taken = page.locator(".alert-success").count() or not page.locator(f"form[action$='{action}']").count()
        self.expect(page, is_taken, f"{action} is taken")
        self.done += 1
        return address

    # --- Every page ---

    def open_pages_by_each_right(self, logins):
        """Open what the portal leads to for an owner, and for contacts of its company with other rights."""
        for login, password in logins.values():
            for size in (PHONE, DESKTOP):
                self.open_every_page(size, login, password)

    def open_every_page(self, size, login, password):
        """Open each page that the portal leads somebody to."""
        page = self.open_page(size)
        log_in(page, login, password)
        page.goto(f"{BASE_URL}/my/loyalty")
        page.wait_for_timeout(1000)
        waiting, kinds = get_links(page), set()
        while waiting:
            link = waiting.pop(0)
            # A page of a kind is enough: the first statement line, the first reward.
            kind = re.sub(r"\d+", "#", link.split("?")[0])
            if kind not in kinds:
                kinds.add(kind)
                self.visit(page, link)
                waiting += get_links(page)

    # --- Finding fault ---

    def expect(self, page, is_so, what):
        """Note what is not as it should be."""
        if not is_so:
            self.note(page, f"not so: {what}")

    def expect_ukrainian(self, page):
        """Expect a page that somebody who knows no English can read, but for what the company wrote itself."""
        text = page.evaluate(
            """() => {
                const copy = document.querySelector("main").cloneNode(true);
                copy.querySelectorAll(".o_loyalty_html, script, style").forEach((written) => written.remove());
                return copy.textContent;
            }"""
        )
        words = re.findall(r"[^\W\d_]{3,}", text)
        foreign = [word for word in words if not UKRAINIAN.search(word)]
        if len(foreign) > len(words) / 3:
            self.note(page, f"is not in Ukrainian: {' '.join(foreign[:12])}")


def get_forms(number):
    """Return the forms of the portal: page, link on it, end of the address, who may send it, and what is filled in.

    :param str number: what tells the texts of one time from those of others
    """
    return [
        ("rewards", "a[href*='/rewards/']", "/claim", ("owner", "sales"), {}),
        ("claims", "a[href*='/claims/']", "/cancel", ("owner", "sales"), {}),
        ("promotions", None, "/join", ("owner", "sales"), {}),
        ("leaderboard", None, "/leaderboard/name", ("owner",), {}),
        ("leaderboard", None, "/leaderboard/name", ("owner",), {}),
        (
            "deals/new",
            None,
            "/deals/register",
            ("owner", "sales"),
            {"customer_name": f"School {number}", "name": "Roof of the school"},
        ),
        ("deals", A_DEAL, "/price", ("owner", "sales"), {"price_discount": "5", "price_reason": "A rival"}),
        ("deals", A_DEAL, "/cancel", ("owner", "sales"), {}),
        ("news", None, "/news/read", RIGHTS, {}),
        (
            "statement",
            "a[href*='/dispute']:has-text('Something is wrong')",
            "/dispute",
            RIGHTS,
            {"subject": "Price", "text": "This price was agreed otherwise."},
        ),
        ("ask", None, "/ask", RIGHTS, {"subject": "Training", "text": "When is the next one?"}),
        ("feedback", None, "/feedback", RIGHTS, {"text": "The new catalog reads well."}),
        ("discussions", None, "/discussions", RIGHTS, {"subject": f"Winter {number}", "text": "Who sells in winter?"}),
        ("terms", None, "/terms/accept", ("owner",), {}),
        ("settings", None, "/settings/save", ("owner",), {}),
    ]


def log_in(page, login, password):
    """Log in by the form."""
    page.goto(f"{BASE_URL}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("form.oe_login_form button[type=submit]")
    page.wait_for_timeout(2500)


def get_links(page):
    """Return where the portal leads to from a page, without files and other languages."""
    links = page.eval_on_selector_all("main a[href]", "all => all.map(one => one.getAttribute('href'))")
    paths = {link.split("#")[0] for link in links if link.startswith("/my/loyalty/")}
    return sorted(path for path in paths if not re.search(r"pdf|download|certificate|print", path))


def main():
    """Walk, and say what was wrong.

    :return: exit code, 1 where something was
    """
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with Mailbox() as mailbox, sync_playwright() as playwright:
        walk = Walk(playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS), mailbox)
        server = {"name": "Walk", "smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "sequence": 0}
        server = walk.call("ir.mail_server", "create", server)
        try:
            walk.follow_a_stranger()
            logins = walk.find_logins()
            walk.open_pages_by_each_right(logins)
            walk.act_by_each_right(logins)
        finally:
            walk.call("ir.mail_server", "unlink", [server])
    for finding in dict.fromkeys(walk.findings):
        print(finding)
    counts = f"{walk.pages} pages seen, {walk.done} forms sent, {walk.refused} refused, {len(walk.findings)} findings"
    print(f"{counts}; pictures are in {OUTPUT}")
    return 1 if walk.findings else 0


if __name__ == "__main__":
    sys.exit(main())
