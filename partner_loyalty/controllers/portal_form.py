import uuid

from odoo.exceptions import UserError
from odoo.http import request

from .portal import PartnerLoyaltyPortal

# Characters that tell a form from all others.
TOKEN_LENGTH = 32

# Characters that a text of a form can have: it is read by people.
MAX_TEXT = 5000


class PartnerLoyaltyPortalForm(PartnerLoyaltyPortal):
    """What pages with forms share: what is refused is shown again, with the reason and all that was typed."""

    def _answer_loyalty_form(self, member_sudo, page, action, form):
        """Do what a form asks for, and go to a page that says what came of it; back to the form where it is refused,
        with all that was typed.

        :param member_sudo: whose page it is
        :param str page: of the form, as what follows the base URL
        :param action: does it, and returns a sentence for the user and the page to go to
        :param dict form: what was sent
        """

        def show(reason):
            typed = {name: value[:MAX_TEXT] for name, value in form.items() if isinstance(value, str)}
            request.session["loyalty_form"] = {"page": page, "typed": typed}
            return self._refuse_loyalty(member_sudo, page, reason)

        return self._answer_loyalty(member_sudo, page, action, show)

    def _pop_loyalty_form(self, page):
        """Return what was typed into the form of a page that was refused just now, once.

        :param str page: of the form, as what follows the base URL
        :rtype: dict[str, str]
        """
        form = request.session.pop("loyalty_form", None) or {}
        return form["typed"] if form.get("page") == page else {}

    @staticmethod
    def _make_token():
        """Return what tells a form from all others, so that who taps twice sends it once."""
        return uuid.uuid4().hex

    def _read_token(self, form):
        """Return what tells the form that was sent from others, or False."""
        token = form.get("form_key") or ""
        return token if token.isalnum() and len(token) <= TOKEN_LENGTH else False

    def _find_sent(self, model, member_sudo, form):
        """Return what the same form has created already.

        :param str model: name of a model with a token
        """
        token = self._read_token(form)
        # Members have no right on these models; it is their own.
        records_sudo = request.env[model].sudo()
        domain = [("member_id", "=", member_sudo.id), ("request_token", "=", token)]
        return records_sudo.search(domain) if token else records_sudo

    def _read_text(self, form, name):
        """Return a text of a form, without the spaces around it.

        :raises UserError: where nobody would read all of it
        """
        text = (form.get(name) or "").strip()
        if len(text) > MAX_TEXT:
            raise UserError(
                request.env._(
                    "A text has %(length)s characters: shorten it to %(most)s or fewer.",
                    length=len(text),
                    most=MAX_TEXT,
                )
            )
        return text

    def _read_number(self, form, name):
        """Return an amount of a form; what is none as it was typed, for the field to refuse it."""
        text = (form.get(name) or "").strip()
        amount = self._read_amount(text)
        return text or 0 if amount is None else float(amount)

    def _read_id(self, form, name):
        """Return an id of a form; 0 where there is none."""
        value = form.get(name) or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
