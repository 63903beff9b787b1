from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import periods
from ..tools.focus import Focus

# Who may see what a program costs and brings.
GROUPS = (
    "partner_loyalty.partner_loyalty_group_officer",
    "account.group_account_invoice",
    "account.group_account_readonly",
)

# The filters over members, and the field of the member that each is about.
MEMBER_FILTERS = {"tier_id": "tier_id", "country_id": "partner_id.country_id", "user_id": "partner_id.user_id"}

DEFAULT_PERIOD = "months_3"
# How long the periods are that go on today: they are compared with the same days of the one before.
PERIOD_MONTHS = {"month": 1, "quarter": 3, "year": 12, "months_3": 3, "months_12": 12}

# Longer times are for the pivots.
MOST_DAYS = 3660


class PartnerLoyaltyOverview(models.AbstractModel):
    """One page that says what a program costs, what it brings, who carries it, and what made the difference.

    The page and the printed report show what :meth:`get_page` returns; a module adds to it by extending
    :meth:`_get_parts`.
    """

    _name = "partner.loyalty.overview"
    _description = "Overview of a Program"
    _inherit = ["partner.loyalty.overview.part"]

    # === PAGE ===#

    @api.model
    @api.readonly
    def get_page(self, options=None):
        """Return all that the page shows.

        :param dict options: what was chosen: ``program_id``, ``period`` (see :meth:`_get_period_days`), ``first`` and
            ``last`` of a ``custom`` one, ``compare``, ``segment_id``, ``tier_id``, ``country_id`` and ``user_id``
        :return: texts and numbers, ready to be shown; ``empty`` is what to do where there is no program, or none of the
            parts because nobody is a member
        :rtype: dict
        :raises AccessError: where the user may not see such figures
        :raises UserError: where something was chosen that does not exist
        """
        self._check_can_see()
        options = dict(options or {})
        programs = self._get_programs()
        if not programs:
            return {"empty": self.env._("There is no program yet: create one, and start it."), "programs": []}
        focus = self._get_focus(options, programs)
        empty = self._get_empty_text(focus.program)
        return {
            "options": self._prepare_options(options, focus),
            "choices": self._get_choices(focus, programs),
            "program": {"id": focus.program.id, "name": focus.program.name},
            "days": self._get_days_text(focus),
            "days_before": self._get_days_text(focus.get_previous()),
            "empty": empty,
            "can_advise": self.env["partner.loyalty.advice"].has_access("create"),
            "can_export": self.env.user.has_group("base.group_allow_export"),
            **({} if empty else self._get_parts(focus)),
        }

    @api.model
    def get_drill(self, options, name):
        """Return the action that lists what is behind a figure.

        :param dict options: see :meth:`get_page`
        :param str name: name of the figure
        :rtype: dict
        """
        self._check_can_see()
        kpi = self._get_kpi(name)
        focus = self._get_focus(dict(options or {}), self._get_programs())
        return {**self.env["partner.loyalty.kpi"]._get_drill(kpi.drill, focus), "name": kpi.label}

    @api.model
    def get_report(self, options):
        """Return the action that prints the page.

        :param dict options: see :meth:`get_page`
        :rtype: dict
        """
        self._check_can_see()
        focus = self._get_focus(dict(options or {}), self._get_programs())
        report = self.env.ref("partner_loyalty.partner_loyalty_overview_report_action")
        return report.report_action(focus.program, data={"options": self._prepare_options(options, focus)})

    # === CHECKS ===#

    @api.model
    def _check_can_see(self):
        """Check that the user may see figures of programs as a whole.

        :raises AccessError: where not
        """
        if not any(self.env.user.has_group(group) for group in GROUPS):
            raise AccessError(
                self.env._("The overview is for loyalty officers and accountants: ask an administrator for that right.")
            )

    @api.model
    def _get_kpi(self, name):
        """Return the figure of a name.

        :raises UserError: where there is none, or nothing is listed behind it
        """
        for _title, kpis in self.env["partner.loyalty.kpi"]._get_sections():
            for kpi in kpis:
                if kpi.name == name and kpi.drill:
                    return kpi
        raise UserError(self.env._("There is nothing to list behind this figure: choose another one."))

    # === WHAT IS CHOSEN ===#

    @api.model
    def _get_programs(self):
        """Return the programs that can be looked at, those that run first."""
        programs = self.env["partner.loyalty.program"].search([("company_id", "in", self.env.companies.ids)])
        return programs.sorted(lambda program: program.state != "running")

    @api.model
    def _get_focus(self, options, programs):
        """Return what the figures are about.

        :param dict options: see :meth:`get_page`
        :param programs: those that can be looked at
        :rtype: Focus
        """
        program_id = options.get("program_id")
        program = programs.filtered(lambda program: program.id == program_id) if program_id else programs[:1]
        if not program:
            raise UserError(self.env._("This program is not among those of your companies: choose another one."))
        first, last = self._get_period_days(options, program._get_today())
        compare = "year" if options.get("compare") == "year" else "previous"
        focus = Focus(program, first, last, compare, months=self._get_months(options))
        domain, partners = self._get_filters(options, program)
        if domain.is_true():
            return focus
        roots = self.env["partner.loyalty.member"].search(
            domain & Domain([("program_id", "=", program.id), ("merged_into_id", "=", False)])
        )
        # Only ids come out of it: whom members are compared with need not be readable one by one.
        customers_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        customers = None if partners.is_true() else customers_sudo._search(partners).select()
        return focus._replace(member_ids=tuple(roots.ids), customers=customers)

    @api.model
    def _get_filters(self, options, program):
        """Return the filters over members, and over the customers that they are compared with.

        A tier is nothing that other customers have; they are compared by the rest.

        :rtype: tuple[Domain, Domain]
        """
        members, partners = Domain.TRUE, Domain.TRUE
        for name, path in MEMBER_FILTERS.items():
            chosen = self._get_chosen_id(options, name)
            if chosen:
                members &= Domain(path, "=", chosen)
                if path.startswith("partner_id."):
                    partners &= Domain(path.removeprefix("partner_id."), "=", chosen)
        segment = self.env["partner.loyalty.segment"].browse(self._get_chosen_id(options, "segment_id")).exists()
        if segment:
            members &= Domain("partner_id", "any", list(segment._get_partner_domain(program)))
        return members, partners

    @api.model
    def _get_chosen_id(self, options, name):
        """Return the id that was chosen, or nothing.

        :raises UserError: where it is no id
        """
        value = options.get(name) or 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise UserError(self.env._("What was chosen cannot be read: choose it from the list."))
        return value

    @api.model
    def _get_periods(self):
        """Return which times can be chosen, and what they are called.

        :rtype: dict[str, str]
        """
        return {
            "month": self.env._("This Month"),
            "last_month": self.env._("Last Month"),
            "months_3": self.env._("The Last 3 Months"),
            "quarter": self.env._("This Quarter"),
            "last_quarter": self.env._("Last Quarter"),
            "year": self.env._("This Year"),
            "months_12": self.env._("The Last 12 Months"),
            "custom": self.env._("Other Days"),
        }

    @api.model
    def _get_period_days(self, options, today):
        """Return the first and the last day of the chosen time; nothing after today is looked at.

        :param dict options: see :meth:`get_page`
        :param date today: day in the time zone of the program
        :rtype: tuple[date, date]
        """
        period = options.get("period") or DEFAULT_PERIOD
        if period == "custom":
            return self._get_custom_days(options, today)
        if period in ("last_month", "last_quarter"):
            last = periods.period_start(today, period.removeprefix("last_")) - timedelta(days=1)
            return periods.period_start(last, period.removeprefix("last_")), last
        if period in ("month", "quarter", "year"):
            return periods.period_start(today, period), today
        if period in ("months_3", "months_12"):
            return periods.trailing_months_start(today, int(period.removeprefix("months_"))), today
        raise UserError(self.env._("There is no such period: choose one from the list."))

    @api.model
    def _get_months(self, options):
        """Return how long the calendar period is that goes on today; nothing for other days."""
        return PERIOD_MONTHS.get(options.get("period") or DEFAULT_PERIOD)

    @api.model
    def _get_custom_days(self, options, today):
        """Return the days that somebody entered.

        :raises UserError: where they make no sense
        """
        try:
            first, last = (fields.Date.to_date(options.get(name)) for name in ("first", "last"))
        except (ValueError, TypeError, OverflowError):
            first = last = None
        if not first or not last:
            raise UserError(self.env._("Enter the first and the last day."))
        if last < first or (last - first).days >= MOST_DAYS or first < date(1900, 1, 1):
            raise UserError(self.env._("The last day comes after the first, within ten years: enter other days."))
        return first, max(first, min(last, today))

    @api.model
    def _prepare_options(self, options, focus):
        """Return what is chosen, complete, as the page and the report send it back."""
        return {
            "program_id": focus.program.id,
            "period": (options or {}).get("period") or DEFAULT_PERIOD,
            "first": str(focus.first),
            "last": str(focus.last),
            "compare": focus.compare,
            **{name: (options or {}).get(name) or False for name in ("segment_id", *MEMBER_FILTERS)},
        }

    @api.model
    def _get_choices(self, focus, programs):
        """Return what can be chosen: pairs of id and name by filter."""
        countries, users = self._get_countries_and_users(focus.program)
        segments = self.env["partner.loyalty.segment"].search(
            [("company_id", "in", (False, focus.program.company_id.id))]
        )
        many = len(programs.company_id) > 1
        return {
            "program_id": [[one.id, f"{one.name} ({one.company_id.name})" if many else one.name] for one in programs],
            "period": [[key, label] for key, label in self._get_periods().items()],
            "compare": [
                ["previous", self.env._("The Period Just Before")],
                ["year", self.env._("The Year Before")],
            ],
            "segment_id": self._get_names(segments),
            "tier_id": self._get_names(focus.program.tier_ids.sorted("threshold")),
            "country_id": self._get_names(countries),
            "user_id": self._get_names(users),
        }

    @api.model
    def _get_countries_and_users(self, program):
        """Return where members are, and who looks after them."""
        [[country_ids, user_ids]] = self.env.execute_query(
            SQL(
                """
                SELECT array_agg(DISTINCT partner.country_id), array_agg(DISTINCT partner.user_id)
                  FROM partner_loyalty_member member
                  JOIN res_partner partner ON partner.id = member.partner_id
                 WHERE member.program_id = %s
                """,
                program.id,
            )
        )
        Country, User = self.env["res.country"], self.env["res.users"].with_context(active_test=False)
        return Country.search([("id", "in", country_ids or [])]), User.search([("id", "in", user_ids or [])])

    @api.model
    def _get_names(self, records):
        return [[record.id, record.display_name] for record in records]

    # === IN WORDS ===#

    @api.model
    def _get_days_text(self, focus):
        """Return the days in words, those of whole months by their names."""
        first, last = focus.first, focus.last
        if first.day == 1 and last == periods.month_end(last):
            texts = [self._format_month(day) for day in (first, last)]
        else:
            texts = [self._format_day(day) for day in (first, last)]
        return texts[0] if texts[0] == texts[1] else " – ".join(texts)

    @api.model
    def _get_empty_text(self, program):
        """Return what to do where there is nothing to see yet; nothing where there is."""
        if not program.member_count:
            return self.env._("“%s” has no members yet: enroll partners, and their sales appear here.", program.name)
        return False

    # === REPORT ===#

    @api.model
    def _get_last_month_options(self, program):
        """Return what the monthly report is about where nothing else was chosen: the last whole month."""
        last = periods.month_start(program._get_today()) - timedelta(days=1)
        return {
            "program_id": program.id,
            "period": "custom",
            "first": str(last.replace(day=1)),
            "last": str(last),
        }

    @api.model
    def _get_chart_first(self, focus):
        """Return the first day of the twelve months that charts show."""
        return periods.month_start(focus.last) - relativedelta(months=11)
