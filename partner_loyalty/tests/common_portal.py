from lxml import html

from odoo import http
from odoo.tests import HttpCase

from .common import PartnerLoyaltyCommon

# What must never take effect on a page, a mail or a PDF: it is text, however long, and whichever way it reads.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}} ${7*7} <t t-out='7*7'/>",
    '=HYPERLINK("http://example.com")',
    "\N{RIGHT-TO-LEFT OVERRIDE}gnihtemos\N{POP DIRECTIONAL FORMATTING}",
    "x" * 10_000,
)


class PortalCommon(PartnerLoyaltyCommon, HttpCase):
    """A dealer whose contacts log in to the portal, one with each right; a referrer of another program; an officer."""

    roles = ("officer", "manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program([{}], tiers=[("Silver", 0), ("Gold", 500)])
        cls.member = cls._enroll(cls.program, cls.dealer)
        cls.other_program = cls._create_program([{}], name="Other Club")
        cls.other_member = cls._enroll(cls.other_program, cls.referrer)
        for right in ("owner", "finance", "sales"):
            contact = cls._create_partner(
                name=f"{right.title()} of Dealer",
                parent_id=cls.dealer.id,
                loyalty_portal_right=right != "sales" and right,
            )
            cls.users[right] = cls._create_portal_user(right, contact)
        cls.users["other"] = cls._create_portal_user("other", cls.referrer)
        cls._write_marks()

    @classmethod
    def _create_portal_user(cls, name, partner):
        return cls._create_role_user(f"portal_{name}", "base.group_portal", partner_id=partner.id)

    def _log_in(self, role):
        """Go on as the user of a role, or without login where it is None."""
        login = role and self.users[role].login
        self.authenticate(login, login)

    def _open(self, path, role=None, status=200):
        """Open a page, as the user of a role where one is given, and return it.

        :return: lxml element of the page
        """
        if role:
            self._log_in(role)
        response = self.url_open(path, allow_redirects=False)
        self.assertEqual(response.status_code, status, f"{path}: {response.status_code}")
        return html.fromstring(response.text) if response.text else None

    def _send(self, path, role=None, status=303, token=True, files=None, **data):
        """Send a form, with its token, and return the page that the answer leads to, or the answer.

        :param bool token: False leaves the token out, a text takes its place
        """
        if role:
            self._log_in(role)
        if token:
            data["csrf_token"] = http.Request.csrf_token(self) if token is True else token
        response = self.url_open(path, data=data, files=files, allow_redirects=False)
        self.assertEqual(response.status_code, status, f"{path}: {response.status_code}")
        self.env.invalidate_all()
        return self._open(response.headers["Location"]) if status == 303 else response

    @staticmethod
    def _read(page, selector="o_loyalty_portal"):
        """Return the text of a page, or of what has a class, with single spaces."""
        parts = page.xpath(f"//*[contains(concat(' ', @class, ' '), ' {selector} ')]")
        return " ".join(" ".join(part.text_content() for part in parts).split())
