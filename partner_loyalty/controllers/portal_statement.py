from dateutil.relativedelta import relativedelta
from werkzeug.urls import url_encode

from odoo import fields, http
from odoo.fields import Domain
from odoo.http import request

from ..models.partner_loyalty_member_statement import STATEMENT_GROUPS
from ..tools import periods
from .portal import PartnerLoyaltyPortal

# Lines on a page, and in a PDF: the printer takes minutes for more.
PAGE_SIZE = 20
MAX_PRINTED = 5000
# So much of a search term is looked for.
MAX_TEXT = 100
PDF = "partner_loyalty.partner_loyalty_member_statement_report_action"


class PartnerLoyaltyPortalStatement(PartnerLoyaltyPortal):
    """The statement of a member, line by line with the cause of each, and as PDF.

    Pages are asked for by the number of a line: the next ones are found as fast after a hundred thousand lines as
    after a hundred.
    """

    # === ROUTES ===#

    @http.route(
        ["/my/loyalty/<int:program_id>/statement", "/my/loyalty/as/<int:member_id>/statement"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_statement(self, program_id=None, member_id=None, **filters):
        """Show lines of the statement, the latest first.

        :param filters: ``unit``, ``group``, ``date_from``, ``date_to``, ``search``; ``before`` or ``after`` a line
        """
        member_sudo = self._get_loyalty_member(program_id, member_id)
        filters = self._read_statement_filters(member_sudo, filters)
        values = {"page_name": "statement", **filters, **self._prepare_statement_values(member_sudo, filters)}
        return self._render_loyalty("partner_loyalty.portal_statement", member_sudo, values)

    @http.route(
        ["/my/loyalty/<int:program_id>/statement/pdf", "/my/loyalty/as/<int:member_id>/statement/pdf"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def loyalty_statement_pdf(self, program_id=None, member_id=None, **filters):
        """Print the statement over some days, by default the last month."""
        member_sudo = self._get_loyalty_member(program_id, member_id)
        filters = self._read_statement_filters(member_sudo, filters)
        today = member_sudo.program_id._get_today()
        last = filters["date_to"] or (
            today if filters["date_from"] else periods.month_start(today) - relativedelta(days=1)
        )
        first = filters["date_from"] or periods.month_start(last)
        refusal = filters["refusal"] or self._get_print_refusal(member_sudo, first, last)
        if refusal:
            return self._refuse_loyalty(member_sudo, "/statement", refusal)
        return self._print_statement(member_sudo, first, last)

    # === FILTERS ===#

    def _read_statement_filters(self, member_sudo, filters):
        """Return what is asked for, as far as it makes sense, and what does not, in words.

        :rtype: dict
        """
        units = self._get_loyalty_units()
        values = {
            "unit": filters.get("unit") if filters.get("unit") in units else self._get_first_unit(member_sudo, units),
            "group": filters.get("group") if filters.get("group") in STATEMENT_GROUPS else None,
            "search": (filters.get("search") or "").replace("\0", "").strip()[:MAX_TEXT],
            "before": self._read_line_number(filters.get("before")),
            "after": self._read_line_number(filters.get("after")),
            "refusal": None,
        }
        for name in ("date_from", "date_to"):
            values[name], refusal = self._read_day(filters.get(name))
            values["refusal"] = values["refusal"] or refusal
        first, last = values["date_from"], values["date_to"]
        if first and last and last < first:
            values["refusal"] = request.env._("A statement ends after it begins: choose a later last day.")
        return values

    @staticmethod
    def _get_first_unit(member_sudo, units):
        """Return the unit that a statement opens with: the first in which anything came or went."""
        used = member_sudo.account_ids.filtered("version").mapped("unit")
        return next((unit for unit in units if unit in used), units[0])

    @staticmethod
    def _read_line_number(text):
        """Return the number of a line, or None where it is none."""
        return int(text) if text and text.isdecimal() and len(text) < 10 else None

    @staticmethod
    def _read_day(text):
        """Return a day, and why it is none, in words.

        :rtype: tuple
        """
        try:
            return (fields.Date.to_date(text) if text else None), None
        except ValueError:
            return None, request.env._("“%s” is not a day: choose one from the calendar.", text[:MAX_TEXT])

    # === LINES ===#

    def _prepare_statement_values(self, member_sudo, filters):
        """Return what the page of the statement shows.

        :rtype: dict
        """
        lines = self._find_statement_lines(member_sudo, filters)
        query = {name: filters[name] for name in ("unit", "group", "date_from", "date_to", "search") if filters[name]}
        return {
            "lines": lines,
            "units": self._get_loyalty_units(),
            "groups": member_sudo._get_statement_labels(),
            "is_filtered": bool(filters["group"] or filters["date_from"] or filters["date_to"] or filters["search"]),
            "account": member_sudo._get_account(filters["unit"]),
            "today": member_sudo.program_id._get_today(),
            "query": url_encode(query),
            **self._get_statement_pages(lines, filters, query),
        }

    def _find_statement_lines(self, member_sudo, filters):
        """Return the lines of a page and one more, where there are more of them in the direction that is gone."""
        domain = self._get_statement_domain(member_sudo, filters)
        Entry = member_sudo.env["partner.loyalty.entry"]
        if filters["refusal"]:
            return Entry
        if filters["after"] is not None:
            domain &= Domain("sequence", ">", filters["after"])
            return Entry.search(domain, order="sequence", limit=PAGE_SIZE + 1)[::-1]
        if filters["before"] is not None:
            domain &= Domain("sequence", "<", filters["before"])
        return Entry.search(domain, order="sequence desc", limit=PAGE_SIZE + 1)

    @staticmethod
    def _get_statement_domain(member_sudo, filters):
        return member_sudo._get_statement_lines(
            filters["unit"], filters["group"], filters["date_from"], filters["date_to"], filters["search"]
        )

    @staticmethod
    def _get_statement_pages(lines, filters, query):
        """Return the lines that are shown, and where newer and older ones are.

        :rtype: dict
        """
        is_more = len(lines) > PAGE_SIZE
        goes_up = filters["after"] is not None
        shown = lines[-PAGE_SIZE:] if goes_up else lines[:PAGE_SIZE]
        newer = shown and (is_more if goes_up else filters["before"] is not None)
        older = shown and (goes_up or is_more)
        return {
            "lines": shown,
            "newer_query": url_encode({**query, "after": shown[0].sequence}) if newer else None,
            "older_query": url_encode({**query, "before": shown[-1].sequence}) if older else None,
        }

    # === PDF ===#

    def _get_print_refusal(self, member_sudo, first, last):
        """Return why a statement cannot be printed, in words, or None."""
        Entry = member_sudo.env["partner.loyalty.entry"]
        count = sum(
            Entry.search_count(member_sudo._get_statement_lines(unit, None, first, last), limit=MAX_PRINTED + 1)
            for unit in self._get_loyalty_units()
        )
        if count <= MAX_PRINTED:
            return None
        return request.env._("More than %s lines are too many for one PDF: choose fewer days.", MAX_PRINTED)

    def _print_statement(self, member_sudo, first, last):
        """Return the PDF."""
        data = {"date_from": first, "date_to": last, "units": self._get_loyalty_units()}
        name = request.env._("Statement %(first)s–%(last)s", first=first, last=last)
        return self._print_loyalty(member_sudo, "/statement", PDF, member_sudo, name, data)
