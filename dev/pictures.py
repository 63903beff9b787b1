"""Take the pictures of the README and of the Apps page anew, from the running app with its demo data.

They are kept in the repository, so they are small: few colors, no more pixels than a page shows. Reads ``BASE_URL``
and ``CHROMIUM`` from the environment, and ``OUTPUT`` for what is only needed on the way; 'make pictures' sets them.
"""

import base64
import io
import sys

from kit import paths
from PIL import Image
from playwright.sync_api import Error, sync_playwright
from shots import (
    ARGUMENTS,
    BASE_URL,
    CHROMIUM,
    OUTPUT,
    bonus_preview,
    log_in,
    record_of,
    refuse_errors,
    settle,
    view_of,
)

DESCRIPTION = paths.PROJECT / "partner_loyalty/static/description"
WIDE = {"width": 1200, "height": 750}
PHONE = {"width": 390, "height": 844}
BANNER = {"width": 1120, "height": 560}
ICON = {"width": 256, "height": 256}
COLORS = 256
FONTS = "font-family: Inter, 'Helvetica Neue', 'DejaVu Sans', sans-serif;"


def overview(page):
    """What a program costs and brings, over the year that the demo data tells."""
    record_of("loyalty-programs", "Dealer Club", view=None)(page)
    page.click(".o_form_view button:has-text('Overview')")
    settle(page, ".o_loyalty_overview")
    page.select_option(".o_loyalty_overview select[name=period], select[name=period]", "months_12")
    page.wait_for_timeout(2500)


def portal(path):
    """Return a screen that shows a page of the portal, below the program that the dealer is in."""

    def take(page):
        page.goto(f"{BASE_URL}/my/loyalty")
        page.wait_for_load_state("load")
        if path:
            page.goto(page.url.split("?")[0].rstrip("/") + path)
            page.wait_for_load_state("load")
        page.wait_for_timeout(800)

    return take


PLAN = [
    (
        "loyalty_manager",
        WIDE,
        {
            "overview": overview,
            "bonus": bonus_preview,
            "rewards": view_of("loyalty-rewards"),
            "closing": record_of("loyalty-closings"),
        },
    ),
    (
        "loyalty_officer",
        WIDE,
        {
            "members": view_of("loyalty-members", "kanban"),
            "why": record_of("loyalty-statement", "Earned"),
        },
    ),
]
PHONES = {"phone_home": portal(""), "phone_statement": portal("/statement"), "phone_rewards": portal("/rewards")}


class Photographer:
    """Takes pictures, and puts them together.

    :param browser: browser of Playwright
    """

    def __init__(self, browser):
        self.browser, self.failed = browser, []

    def take(self, page, name, screen, folder=DESCRIPTION):
        """Keep a screen as a picture; where it fails, say so and go on with the others."""
        try:
            screen(page)
            refuse_errors(page)
            page.mouse.move(5, 740)
            save(page.screenshot(), folder / f"{name}.png")
        except (Error, AssertionError) as error:
            self.failed.append(name)
            print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)

    def take_screens(self):
        """The screens of those who run a program."""
        for login, size, screens in PLAN:
            page = log_in(self.browser, login, size)
            for name, screen in screens.items():
                self.take(page, name, screen)
            page.context.close()

    def take_phones(self):
        """The pages of a partner, on a phone; three of them side by side are one picture."""
        context = self.browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
        page = context.new_page()
        page.goto(f"{BASE_URL}/web/login")
        page.fill("input[name=login]", "loyalty_dealer")
        page.fill("input[name=password]", "loyalty_dealer")
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for_url("**/my**")
        for name, screen in PHONES.items():
            self.take(page, name, screen, OUTPUT)
        context.close()
        shown = "".join(f'<img src="{embed(OUTPUT / f"{name}.png")}" style="{PHONE_STYLE}">' for name in PHONES)
        self.draw("portal", f'<body style="{ROW_STYLE}">{shown}</body>', WIDE)

    def draw(self, name, html, size, folder=DESCRIPTION, **options):
        """Keep a page of our own as a picture."""
        page = self.browser.new_page(viewport=size)
        page.set_content(f"<style>* {{ box-sizing: border-box; margin: 0 }}</style>{html}")
        page.wait_for_timeout(300)
        save(page.screenshot(**options), folder / f"{name}.png", colors=None if options else COLORS)
        page.close()

    def draw_icons(self):
        """The icon of each module, from its drawing."""
        for drawing in sorted(paths.PROJECT.glob("partner_loyalty*/static/description/icon.svg")):
            html = f'<img src="{embed(drawing)}" width="256" height="256">'
            self.draw("icon", html, ICON, drawing.parent, omit_background=True)

    def draw_banner(self):
        """The picture of the app in the list of apps: its icon, its name, and what it looks like."""
        html = BANNER_HTML.format(
            icon=embed(DESCRIPTION / "icon.svg"),
            screen=embed(DESCRIPTION / "members.png"),
            phone=embed(OUTPUT / "phone_home.png"),
        )
        self.draw("banner", html, BANNER)


PHONE_STYLE = "height: 690px; border-radius: 28px; border: 7px solid #2b2b3a; box-shadow: 0 12px 30px #0004;"
ROW_STYLE = "height: 100vh; display: flex; justify-content: space-evenly; align-items: center; background: #f1eef5;"
BANNER_HTML = f"""
<body style="width: 1120px; height: 560px; overflow: hidden; position: relative; {FONTS}
             background: linear-gradient(120deg, #4b3a5a 0%, #714b67 55%, #985184 100%); color: white">
  <div style="position: absolute; left: 56px; top: 96px; width: 380px">
    <img src="{{icon}}" width="104" height="104">
    <h1 style="font-size: 46px; line-height: 1.1; margin-top: 24px">Partner Loyalty</h1>
    <p style="font-size: 21px; line-height: 1.45; margin-top: 18px; color: #f2e9f1">
      Tiers, points and commission for dealers, resellers and manufacturers, kept like a bank account</p>
    <p style="font-size: 16px; margin-top: 26px; color: #ffd58a">Works on your orders, invoices and opportunities</p>
  </div>
  <img src="{{screen}}" style="position: absolute; left: 470px; top: 62px; width: 760px; border-radius: 10px;
                               box-shadow: 0 20px 50px #0007">
  <img src="{{phone}}" style="position: absolute; left: 896px; top: 150px; height: 390px; border-radius: 18px;
                              border: 5px solid #2b2b3a; box-shadow: 0 16px 40px #0009">
</body>
"""


def embed(file):
    """Return a picture as an address that holds all of it."""
    kind = "svg+xml" if file.suffix == ".svg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def save(png, file, colors=COLORS):
    """Write a picture as small as it can be without that one sees it.

    :param int colors: so many colors are enough; None keeps all, and what is transparent
    """
    picture = Image.open(io.BytesIO(png))
    if colors:
        picture = picture.convert("RGB").quantize(colors, dither=Image.Dither.NONE)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, optimize=True)
    print(
        f"{file.relative_to(paths.PROJECT) if paths.PROJECT in file.parents else file.name}: "
        f"{file.stat().st_size / 1000:.0f} kB"
    )


def main():
    """Take all pictures.

    :return: exit code, 1 where one could not be taken
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        photographer = Photographer(browser)
        photographer.draw_icons()
        photographer.take_screens()
        photographer.take_phones()
        photographer.draw_banner()
        browser.close()
    return 1 if photographer.failed else 0


if __name__ == "__main__":
    sys.exit(main())
