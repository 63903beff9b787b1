from math import floor, log10

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tools.translate import code_translations

# The amounts of templates are meant for partners of this turnover in a year, in euro.
TURNOVER = 50000
# Programs are made in English, and their texts then said in every language that is installed.
SOURCE = "en_US"
# The fields that hold words of a template.
TEXTS = ("name", "description", "entitlements", "event_place", "public_text", "support_label", "terms", "text")


class PartnerLoyaltyTemplate(models.TransientModel):
    """Creates a whole program in one click; everything in it is a starting point that can be changed.

    A template is a method ``_prepare_<template>_vals()`` that returns the values of a program, and one for each of its
    other parts: ``_prepare_<template>_rewards(program)`` (by key), ``_funds(program)``, ``_entitlements(tiers)`` (pairs
    of tier and key of a reward), ``_goals()`` and ``_bonus_actions()``. A module adds one by extending the selection.
    """

    _name = "partner.loyalty.template"
    _description = "Program from a Template"
    _inherit = [
        "partner.loyalty.wizard.mixin",
        "partner.loyalty.template.service",
        "partner.loyalty.template.academy",
        "partner.loyalty.template.live",
    ]
    _check_company_auto = True

    # === DEFAULT METHODS ===#

    @api.model
    def _default_turnover(self):
        """Return the turnover that amounts are meant for, in the currency of the company as far as a rate is known."""
        euro, currency = self.env.ref("base.EUR", raise_if_not_found=False), self.env.company.currency_id
        if not euro:
            return TURNOVER
        return round_to_two(euro._convert(TURNOVER, currency, self.env.company, fields.Date.context_today(self)))

    # === FIELDS ===#

    template = fields.Selection(
        selection=[
            ("service", "Sales & Service: commission by tier, a volume bonus, and well-served customers"),
            ("academy", "Academy: points for sales and for certificates, and new products first"),
            ("live", "Live: points with each order, and more for those who come back"),
        ],
        required=True,
        default="service",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, default=lambda self: self.env.company, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    turnover = fields.Monetary(
        string="Turnover of a Partner",
        required=True,
        default=lambda self: self._default_turnover(),
        help="What a partner of middle size buys in a year. Tiers, bonuses and rewards are made for it.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        check_company=True,
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
        help="Academy lets key partners order it first, Live gives it for points. Without one, that reward waits in "
        "the archive until you choose a product there.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("turnover")
    def _check_turnover(self):
        for template in self:
            if not 1 <= template.turnover < 10**9:
                raise ValidationError(
                    self.env._(
                        "Tiers cannot be made for a turnover of less than 1 or of a billion: enter what a partner of "
                        "middle size buys in a year."
                    )
                )

    # === ACTION METHODS ===#

    def action_create(self):
        """Create the program as a draft, and open it."""
        self.ensure_one()
        source = self.with_company(self.company_id).with_context(lang=SOURCE, mail_create_nolog=True)
        program = source.env["partner.loyalty.program"].create(source._prepare_program_vals())
        source._complete(program)
        program = program.with_env(self.env)
        program._message_log(body=program._creation_message())
        self._translate(self._get_created(program))
        self._note_what_is_missing(program)
        return program._get_records_action(context={})

    def action_create_and_start(self):
        """Create the program, start it as it is, and open it."""
        action = self.action_create()
        self.env["partner.loyalty.program"].browse(action["res_id"]).action_start()
        return action

    # === BUSINESS METHODS - WHAT IS CREATED ===#

    def _prepare_program_vals(self):
        """Return the values of the program that the template makes.

        :rtype: dict
        """
        return {
            "company_id": self.company_id.id,
            "tier_mails": True,
            **self._prepare_survey_vals(),
            **self._call_template("vals"),
        }

    def _prepare_survey_vals(self):
        """Return the surveys that members are asked by: those that come with the app, as long as they are there.

        :rtype: dict
        """
        surveys = {"needs_survey_id": "survey_needs", "satisfaction_survey_id": "survey_satisfaction"}
        return {name: self._get_survey(survey).id for name, survey in surveys.items()}

    def _prepare_payout_vals(self):
        """Return what payouts need to be billed, as far as the company has it.

        :rtype: dict
        """
        # Who designs programs need not see journals.
        journals_sudo = self.env["account.journal"].sudo()
        company = self.company_id
        domain = [("type", "=", "purchase"), ("company_id", "=", company.id)]
        return {
            "payout_journal_id": (company.loyalty_payout_journal_id or journals_sudo.search(domain, limit=1)).id,
            "payout_product_id": (company.loyalty_payout_product_id or self._get_payout_product()).id,
            "payout_needs_terms": True,
        }

    def _prepare_tiers(self, *thresholds):
        names = (self.env._("Bronze"), self.env._("Silver"), self.env._("Gold"))
        colors = (2, 4, 3)
        return [
            Command.create({"name": name, "threshold": self._scale(threshold), "color": color})
            for name, threshold, color in zip(names, thresholds, colors, strict=True)
        ]

    def _prepare_bands(self, *bands):
        return [Command.create({"threshold": self._scale(threshold), "rate": rate}) for threshold, rate in bands]

    def _prepare_ranks(self, *amounts):
        """Return the commands of what the places among the best are worth, from the first on."""
        return [
            Command.create({"rank_from": place, "rank_to": place, "amount": amount})
            for place, amount in enumerate(amounts, 1)
        ]

    def _prepare_text(self, *sentences):
        """Return sentences as paragraphs, which are translated one by one."""
        return Markup().join(Markup("<p>%s</p>") % sentence for sentence in sentences)

    def _complete(self, program):
        """Give a new program what needs it: rates by tier, rewards, goals, bonus actions and messages."""
        tiers = program.tier_ids.sorted("threshold")
        for rule in program.rule_ids:
            rates = self._get_tier_rates().get(rule.formula == "percent" and self.template, ())
            rule.tier_rate_ids = [
                Command.create({"tier_id": tier.id, "rate": rate}) for tier, rate in zip(tiers, rates, strict=False)
            ]
        rewards = self._create_rewards(program)
        self.env["partner.loyalty.fund"].create(self._call_template("funds", program))
        self._create_entitlements(tiers, rewards)
        self._create_goals(program)
        for vals in self._call_template("bonus_actions"):
            self.env["partner.loyalty.bonus.action"].create(
                {"program_id": program.id, "starts_with_program": True, **vals}
            )
        for setting in program.message_setting_ids:
            setting.is_active = setting.kind not in self._get_silent_kinds().get(self.template, ())

    def _create_rewards(self, program):
        """Create the rewards of the template; one that lacks a product waits in the archive.

        :return: ``partner.loyalty.reward`` by the keys of the template
        :rtype: dict
        """
        rewards = {}
        for key, vals in self._call_template("rewards", program).items():
            reward = self.env["partner.loyalty.reward"].create({"program_id": program.id, "active": False, **vals})
            reward.active = not reward._get_missing_text()
            rewards[key] = reward
        return rewards

    def _create_entitlements(self, tiers, rewards):
        """Create what members have by their tiers."""
        for tier, key in self._call_template("entitlements", tiers):
            self.env["partner.loyalty.tier.entitlement"].create({"tier_id": tier.id, "reward_id": rewards[key].id})

    def _create_goals(self, program):
        """Create the goals of the first year.

        A change against the past is no target where there is no past, so the target takes its place then.
        """
        goals = self.env["partner.loyalty.goal"].create(self._prepare_goals(program))
        targets = self._get_targets()
        for goal in goals.filtered(lambda goal: goal.target_change and not goal.baseline):
            goal.write({"target_change": 0, "target": targets[goal.kpi]})

    def _prepare_goals(self, program):
        """Return the values of the goals of the first year: starting points, and no promises.

        :param program: the new program
        :rtype: list[dict]
        """
        common = {
            "program_id": program.id,
            "scope": "figure",
            "date_from": program.date_from,
            "date_to": program.date_from + relativedelta(years=1, days=-1),
        }
        return [{**common, **vals} for vals in self._call_template("goals")]

    def _call_template(self, part, *arguments):
        """Return what the template has for a part of the program."""
        return getattr(self, f"_prepare_{self.template}_{part}")(*arguments)

    # === BUSINESS METHODS - WORDS ===#

    def _get_created(self, program):
        """Return all that was created, by model.

        :rtype: list of recordsets
        """
        domain = [("program_id", "=", program.id)]
        actions = program.bonus_action_ids
        return [
            program,
            program.tier_ids,
            program.rule_ids,
            self.env["partner.loyalty.reward"].with_context(active_test=False).search(domain),
            self.env["partner.loyalty.fund"].search(domain),
            self.env["partner.loyalty.goal"].search(domain),
            actions,
            actions.effect_ids,
        ]

    def _translate(self, records_by_model):
        """Say the words of new records in all languages; what has one language only, in that of the user."""
        languages = [code for code, _name in self.env["res.lang"].get_installed() if code != SOURCE]
        # The words of templates are those of our code.
        words = {lang: code_translations.get_python_translations("partner_loyalty", lang) for lang in languages}
        for records in records_by_model:
            for name in records._fields.keys() & set(TEXTS):
                for record in records.with_context(lang=SOURCE).filtered(name):
                    self._translate_field(record, name, words)

    def _translate_field(self, record, name, words):
        """Translate a field of a record.

        :param dict words: by language, what each text is called in it
        """
        field, value = record._fields[name], record[name]
        if not field.translate:
            record[name] = words.get(self.env.lang, {}).get(value, value)
            return
        terms = [value] if field.translate is True else field.get_trans_terms(value)
        for lang, texts in words.items():
            known = {term: texts[term] for term in terms if texts.get(term)}
            if known:
                record.update_field_translations(name, {lang: known[value] if field.translate is True else known})

    def _note_what_is_missing(self, program):
        """Write into the discussion of a program what is to be done before all of it works."""
        todo = self._get_missing_texts(program)
        if todo:
            body = Markup("<p>%s</p><ul>%s</ul>") % (
                self.env._("Before all of the program works:"),
                Markup().join(Markup("<li>%s</li>") % text for text in todo),
            )
            program._message_log(body=body)

    def _get_missing_texts(self, program):
        """Return what is to be done before all of a program works, in sentences.

        :rtype: list[str]
        """
        texts = []
        if program.payout_product_id and not program.payout_journal_id:
            texts.append(
                self.env._(
                    "%s has no purchase journal: choose one under “Payouts” as soon as there is one. Until then "
                    "payouts can be approved, and not billed.",
                    self.company_id.name,
                )
            )
        rewards = self.env["partner.loyalty.reward"].with_context(active_test=False)
        for reward in rewards.search([("program_id", "=", program.id), ("active", "=", False)]):
            texts.append(
                self.env._(
                    "%s Until then it waits in the archive of the rewards: restore it there.",
                    reward._get_missing_text(),
                )
            )
        return texts

    # === GETTERS ===#

    def _scale(self, amount):
        """Return an amount that is meant for a partner of ``TURNOVER``, for one of the turnover that was entered.

        :rtype: float
        """
        return max(round_to_two(amount * self.turnover / TURNOVER), self.currency_id.rounding) if amount else 0

    def _get_tier_rates(self):
        """Return by template which rates its commission has from the lowest tier to the highest."""
        return {"service": (3, 4, 5)}

    def _get_silent_kinds(self):
        """Return by template what there is nothing to write about: money does not expire, and points are not paid."""
        return {"service": {"expiring"}, "academy": {"payout"}, "live": set()}

    def _get_targets(self):
        """Return what is aimed at where nothing is known of the time before, by key figure."""
        return {"churn": 10, "deals": 20, "active_share": 60, "repeat_share": 50}

    def _get_name(self, name):
        """Return the name of a program: that of the template, with a number from the second one on."""
        names = {
            program.name
            for program in self.env["partner.loyalty.program"]
            .with_context(active_test=False)
            .search([("company_id", "=", self.company_id.id)])
        }
        number = next(number for number in range(1, len(names) + 2) if self._get_numbered(name, number) not in names)
        return self._get_numbered(name, number)

    @api.model
    def _get_numbered(self, name, number):
        return name if number == 1 else f"{name} {number}"

    def _get_payout_product(self):
        """Return the product of the bills of payouts: that of the last program of the company, or else a new one."""
        product = (
            self.env["partner.loyalty.program"]
            .search([("company_id", "=", self.company_id.id), ("payout_product_id", "!=", False)], limit=1)
            .payout_product_id
        )
        if product:
            return product
        # Who designs programs need not have the right to create products.
        products_sudo = self.env["product.product"].sudo()
        product_sudo = products_sudo.create(self._prepare_payout_product_vals())
        self._translate([product_sudo])
        return product_sudo.sudo(False)

    def _prepare_payout_product_vals(self):
        return {
            "name": self.env._("Partner Commission"),
            "type": "service",
            "sale_ok": False,
            "purchase_ok": True,
            "company_id": self.company_id.id,
        }

    @api.model
    def _get_survey(self, name):
        """Return a survey that comes with the app; none where somebody has archived or deleted it."""
        survey = self.env.ref(f"partner_loyalty.{name}", raise_if_not_found=False)
        # Surveys are not open to who designs programs.
        return survey if survey and survey.sudo().active else self.env["survey.survey"]

    @api.model
    def _get_metric(self, name):
        """Return a metric that comes with the app; none where somebody has deleted it."""
        metric = self.env.ref(f"partner_loyalty.partner_loyalty_metric_{name}", raise_if_not_found=False)
        return metric or self.env["partner.loyalty.metric"]

    @api.model
    def _prepare_effect(self, kind, **vals):
        """Return the command of something that a bonus action gives."""
        if kind == "mail":
            vals["template_id"] = self.env.ref("partner_loyalty.mail_template_bonus").id
        return Command.create({"kind": kind, **vals})

    @api.model
    def _prepare_badge_effects(self, name):
        """Return the command of a badge that comes with the app, in a list; none where somebody has deleted it."""
        badge = self.env.ref(f"partner_loyalty.{name}", raise_if_not_found=False)
        return [self._prepare_effect("badge", badge_id=badge.id)] if badge else []

    @api.model
    def _prepare_quiet_action(self, days):
        """Return the values of a bonus action that has members called who have not bought for some days."""
        return {
            "name": self.env._("Gone quiet"),
            "schedule": "month",
            "condition": "inactive",
            "silent_days": days,
            "kind": "order",
            "effect_ids": [self._prepare_effect("todo", text=self.env._("Call and ask how business is"))],
        }

    @api.model
    def _keep_possible(self, vals_list):
        """Return what can be created: nothing that asks for a metric or gives a badge that somebody has deleted."""
        return [vals for vals in vals_list if vals.get("metric_id", True) and vals.get("effect_ids", True)]


def round_to_two(number):
    """Return a number with two digits that matter, as people choose amounts: 43,217 is 43,000."""
    return round(number, 1 - floor(log10(number))) if number > 0 else number
