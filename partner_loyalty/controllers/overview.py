import json

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import content_disposition, request

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class PartnerLoyaltyOverviewExport(http.Controller):
    """The overview as a file, for those who may export."""

    @http.route("/partner_loyalty/overview.xlsx", type="http", auth="user", methods=["POST"], readonly=True)
    def partner_loyalty_overview_export(self, options="{}", **_others):
        """Return the workbook of what was chosen on the page.

        :param str options: JSON of what ``get_page`` takes
        """
        try:
            chosen = self._read_options(options)
            page = self._get_page(chosen)
            if "sections" not in page:
                raise UserError(page["empty"])
        except UserError as error:
            return self._refuse(error)
        content = request.env["partner.loyalty.overview.sheet"]._get_workbook(page)
        name = f"{page['program']['name']} {page['options']['first']} {page['options']['last']}.xlsx"
        headers = [("Content-Type", WORKBOOK), ("Content-Disposition", content_disposition(name))]
        return request.make_response(content, headers)

    def _refuse(self, error):
        """Say in the browser what is wrong, as it says it of any other call."""
        data = {"code": 0, "message": str(error), "data": http.serialize_exception(error)}
        return request.make_json_response(data, status=403)

    def _read_options(self, options):
        """Return what was chosen.

        :raises UserError: where it cannot be read
        """
        try:
            chosen = json.loads(options)
        except ValueError:
            chosen = None
        if not isinstance(chosen, dict):
            raise UserError(request.env._("What was chosen cannot be read: open the overview again."))
        return chosen

    def _get_page(self, chosen):
        """Return the page.

        :raises AccessError: where the user may see or export no such figures
        """
        if not request.env.user.has_group("base.group_allow_export"):
            raise AccessError(request.env._("You may not export: ask an administrator for that right."))
        # Those that are chosen in the browser: a download does not say them by itself.
        company_ids = chosen.pop("company_ids", None)
        allowed = request.env.user.company_ids.ids
        if isinstance(company_ids, list) and company_ids and all(one in allowed for one in company_ids):
            request.update_context(allowed_company_ids=company_ids)
        return request.env["partner.loyalty.overview"].get_page(chosen)
