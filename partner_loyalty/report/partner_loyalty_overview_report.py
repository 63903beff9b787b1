from odoo import api, models


class PartnerLoyaltyOverviewReport(models.AbstractModel):
    """The overview on paper: of what was chosen on the page, or of the last whole month."""

    _name = "report.partner_loyalty.report_overview"
    _description = "Overview of a Program on Paper"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return what the page shows, for each program.

        :param list docids: ids of programs
        :param dict data: ``options`` of the page, where it was printed from there
        :rtype: dict
        """
        Overview = self.env["partner.loyalty.overview"]
        programs = self.env["partner.loyalty.program"].browse(docids or [])
        options = (data or {}).get("options")
        if isinstance(options, dict):
            # Whether it may be seen is checked with the page.
            programs = programs.browse(options.get("program_id"))
        else:
            options = None
        pages = {
            program.id: Overview.get_page(options or Overview._get_last_month_options(program)) for program in programs
        }
        return {"doc_ids": programs.ids, "doc_model": programs._name, "docs": programs, "pages": pages}
