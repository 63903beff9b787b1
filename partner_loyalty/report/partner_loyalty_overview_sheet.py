import io

import xlsxwriter

from odoo import api, models

# Width of the columns of texts and of numbers, in characters.
TEXT_WIDTH, NUMBER_WIDTH = 44, 16


class PartnerLoyaltyOverviewSheet(models.AbstractModel):
    """The overview as a workbook: figures, months, the bridge and the tables, with numbers as numbers.

    Texts are written as texts: nothing that somebody named a member is a formula.
    """

    _name = "partner.loyalty.overview.sheet"
    _description = "Overview of a Program as a Workbook"

    # === BUSINESS METHODS ===#

    @api.model
    def _get_workbook(self, page):
        """Return the workbook of a page.

        :param dict page: see ``get_page`` of the overview
        :return: content of an ``.xlsx`` file
        :rtype: bytes
        """
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
            bold = workbook.add_format({"bold": True})
            for name, rows in self._get_sheets(page):
                self._write_sheet(workbook.add_worksheet(name[:31]), rows, bold)
        return file.getvalue()

    @api.model
    def _write_sheet(self, sheet, rows, bold):
        """Write rows, of which the first one is the heading."""
        sheet.set_column(0, 0, TEXT_WIDTH)
        sheet.set_column(1, 20, NUMBER_WIDTH)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, str(value or ""), bold if number == 0 else None)

    # === GETTERS ===#

    @api.model
    def _get_sheets(self, page):
        """Return the sheets: names, and rows of texts and numbers; a module adds one by extending this.

        :rtype: list[tuple[str, list[list]]]
        """
        return [
            (self.env._("Figures"), self._get_figure_rows(page)),
            (self.env._("Months"), self._get_month_rows(page)),
            (self.env._("Differences"), self._get_bridge_rows(page)),
            (self.env._("Groups"), self._get_group_rows(page)),
            (self.env._("Joining"), self._get_cohort_rows(page)),
        ]

    @api.model
    def _get_figure_rows(self, page):
        heading = [
            page["program"]["name"],
            page["days"],
            page["days_before"],
            self.env._("Unit"),
            self.env._("How it is worked out"),
            self.env._("It does not show"),
        ]
        return [
            heading,
            *(
                [kpi["label"], kpi["value"], kpi["value_before"], kpi["unit"], kpi["formula"], kpi["caveat"]]
                for section in page["sections"]
                for kpi in section["kpis"]
            ),
        ]

    @api.model
    def _get_month_rows(self, page):
        months = page["months"]
        heading = [self.env._("Month"), self.env._("Turnover"), self.env._("Cost"), self.env._("Active Members")]
        columns = (months[name] for name in ("labels", "turnover", "cost", "active"))
        return [[f"{heading[0]} ({months['currency']})", *heading[1:]], *map(list, zip(*columns, strict=True))]

    @api.model
    def _get_bridge_rows(self, page):
        rows = [[self.env._("What Made the Difference"), "", ""]]
        for bridge in page["bridges"]:
            rows.append([bridge["unit"], self.env._("Earned before"), bridge["before"]["value"]])
            rows += [["", step["label"], step["value"]] for step in bridge["steps"]]
            rows.append(["", self.env._("Earned now"), bridge["now"]["value"]])
        return rows

    @api.model
    def _get_group_rows(self, page):
        heading = ["", self.env._("Members"), self.env._("Active"), self.env._("Turnover"), self.env._("Growth")]
        rows = [heading]
        for group in page["groups"]:
            rows.append([group["title"]])
            rows += [[row["name"], row["members"], row["active"], row["value"], row["growth"]] for row in group["rows"]]
        return rows

    @api.model
    def _get_cohort_rows(self, page):
        cohorts = page["cohorts"]
        heading = [self.env._("Month of Joining"), self.env._("Joined"), *cohorts["labels"]]
        return [heading, *([row["name"], row["size"], *row["shares"]] for row in cohorts["rows"])]
