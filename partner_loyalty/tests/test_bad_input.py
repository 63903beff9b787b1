"""What no field of a model or dialog can hold, by every way in: refused with a sentence, and nothing is stored."""

import json

from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import TODAY
from .test_api import ApiCommon

UNKNOWN_ID = 999999999

NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "1e300", "1e15", '"nan"', '"twelve"', "[]", "[1]", "{}", "true")
DAYS = (
    '"soon"',
    '"2026-02-30"',
    '"18.03.2026"',
    '"0000-01-01"',
    '"0001-01-01"',
    '"0026-01-01"',
    '"10000-01-01"',
    '"\\u0000"',
    "12",
    "1.5",
    "NaN",
    "[1]",
    '{"a": 1}',
    "true",
)
TEXTS = ('"N\\u0000L"', '["x"]', '{"en_US": "x"}', "true", "NaN")
COMMANDS = (
    '"abc"',
    "12",
    "NaN",
    "true",
    '{"a": 1}',
    '["a"]',
    "[null]",
    "[2147483648]",
    "[[9]]",
    "[[3]]",
    "[[6]]",
    '[["x"]]',
    "[[0, 0, []]]",
    '[[0, 0, {"no_such_field": 1}]]',
    '[[4, "a"]]',
    "[[4, [1]]]",
    "[[6, 0, 5]]",
    '[[6, 0, ["a"]]]',
)
# As they stand in the body of a request, by the type of the field.
BAD_VALUES = {
    "boolean": ("[1]", '{"a": 1}', '"abc"', "NaN", "7"),
    "char": TEXTS,
    "date": DAYS,
    "float": NUMBERS,
    "html": TEXTS,
    "integer": NUMBERS,
    "many2many": COMMANDS,
    "many2one": ('"abc"', "[1, 2]", '{"a": 1}', "true", "NaN", "-1", "1.5", "2147483648", "1e400", str(UNKNOWN_ID)),
    "many2one_reference": (
        '"abc"',
        "[1, 2]",
        '{"a": 1}',
        "true",
        "NaN",
        "-1",
        "1.5",
        "2147483648",
        "1e400",
        str(UNKNOWN_ID),
    ),
    "monetary": NUMBERS,
    "one2many": COMMANDS,
    "selection": ('"odd"', "12", "[1]", '{"a": 1}', "true", "NaN", '"\\u0000"'),
}
HOSTILE = ("<script>alert(1)</script>", "{{7*7}} ${object}", "=HYPERLINK(1)", "'; DROP TABLE x; --", "\u202etxt", "🎁")
# What a client can put into the context as the records that a list or form has chosen.
BAD_SELECTIONS = ("abc", 5, True, {"a": 1}, [None], ["a"], [[1]], [-1], [2**31], [2**63], [UNKNOWN_ID])


@tagged("post_install", "-at_install")
class TestBadInput(ApiCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program, member = {"program_id": cls.program.id}, {"member_id": cls.member.id}
        cls.order, cls.change = cls._create_attribution_change()
        cls.bonus = cls.env["partner.loyalty.bonus.action"].create(
            {"name": "Bonus", **program, "effect_ids": [Command.create({"kind": "note", "text": "Well done"})]}
        )
        cls.vals_by_model = {
            "partner.loyalty.program": {"name": "Odd"},
            "partner.loyalty.tier": {"name": "Odd", "threshold": 77, **program},
            "partner.loyalty.rule": {"name": "Odd", **program},
            "partner.loyalty.rule.rate": {"rule_id": cls.rule.id, "tier_id": cls.program.tier_ids[0].id, "rate": 1},
            "partner.loyalty.segment": {"name": "Odd"},
            "partner.loyalty.metric": {"name": "Odd"},
            "partner.loyalty.metric.value": {
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_audit").id,
                "value": 7,
                "date": TODAY,
                "reference": "Odd",
                **member,
            },
            "partner.loyalty.metric.reading": {
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_audit").id,
                **program,
            },
            "partner.loyalty.leaderboard": {
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                **program,
            },
            "partner.loyalty.goal": {
                "name": "Odd",
                "metric_id": cls.env.ref("partner_loyalty.partner_loyalty_metric_turnover").id,
                "target": 7,
                **program,
            },
            "partner.loyalty.badge": {
                "badge_id": cls.env["gamification.badge"].sudo().create({"name": "Odd"}).id,
                "date": TODAY,
                **member,
            },
            "partner.loyalty.agreement": {"name": "Odd", "multiplier": 2, "date_from": "2027-01-01", **member},
            "partner.loyalty.rule.band": {"rule_id": cls.rule.id, "threshold": 1, "rate": 1},
            "partner.loyalty.member": {"partner_id": cls.referrer.id, **program},
            "partner.loyalty.member.period": {"date_from": "2025-01-01", "date_to": "2025-02-01", **member},
            "partner.loyalty.payout": {"date": TODAY, **member},
            "partner.loyalty.adjustment": {"unit": "point", "amount": 3, "reason": "Goodwill", **member},
            "partner.loyalty.deal": {"name": "Odd", "customer_name": "Somebody", **member},
            "partner.loyalty.backtest": {"name": "Odd", "date_from": "2026-01-01", "date_to": TODAY, **program},
            "partner.loyalty.attribution": {"partner_id": cls.referrer.id, "reason": "Registered"},
            "partner.loyalty.bonus.action": {"name": "Odd", **program},
            "partner.loyalty.bonus.effect": {"action_id": cls.bonus.id, "kind": "note", "text": "Odd"},
            "partner.loyalty.bonus.rank": {
                "effect_id": cls.bonus.effect_ids.id,
                "rank_from": 5,
                "rank_to": 6,
                "amount": 1,
            },
            "partner.loyalty.attribution.line": {
                "attribution_id": cls.change.id,
                "res_model": "sale.order",
                "res_id": cls.order.id,
            },
            "partner.loyalty.attribution.choose": {"attribution_id": cls.change.id},
            "partner.loyalty.attribution.refuse": {"reason": "No"},
            "partner.loyalty.payout.prepare": {"date": TODAY, **program},
            "partner.loyalty.apply.past": program,
            "partner.loyalty.enroll": program,
            "partner.loyalty.takeover": member,
            "partner.loyalty.liability": {},
            "partner.loyalty.adjustment.refuse": {"reason": "No"},
            "partner.loyalty.deal.refuse": {"reason": "No"},
            "partner.loyalty.payout.refuse": {"reason": "No"},
            "partner.loyalty.tier.review.refuse": {"reason": "No"},
        }

    @classmethod
    def _create_attribution_change(cls):
        """Return an order of the referrer, and a draft that is to be about it."""
        order = cls._create_order(cls.stranger, 100, loyalty_partner_id=cls.referrer.id)
        change = cls.env["partner.loyalty.attribution"].create({"partner_id": cls.referrer.id, "reason": "Registered"})
        return order, change

    def _get_fields(self, model):
        """Return the fields of a model that a client may write, by name."""
        return {
            name: field
            for name, field in self.env[model]._fields.items()
            if not field.readonly and field.type in BAD_VALUES and "partner_loyalty" in field._modules
        }

    def _get_vals(self, model, name, value):
        """Return JSON of values that would do, but for one."""
        vals = {key: vals for key, vals in self.vals_by_model[model].items() if key != name}
        return f'{json.dumps(vals)[:-1]}{", " if vals else ""}"{name}": {value}}}'

    def _find_unclean(self, model, name, values, call):
        """Return the values that do not end in a sentence for the user.

        :param call: callable of the model, the name of a field and a value
        """
        outcomes = {value: self._get_outcome(call(model, name, value)) for value in values}
        return {value: outcome for value, outcome in outcomes.items() if outcome != "refused"}

    @staticmethod
    def _get_outcome(answer):
        data = answer.get("error", {}).get("data") or answer
        if "name" not in data:
            return "accepted"
        return "refused" if data["name"].startswith("odoo.exceptions.") else f"{data['name']}: {data['message']}"

    def _count(self):
        return {model: self.env[model].search_count([]) for model in self.vals_by_model}

    # === THE WAYS IN ===#

    def _create(self, model, name, value):
        return self._call(model, "create", f"[[{self._get_vals(model, name, value)}]]")

    def _write(self, model, name, value):
        return self._call(model, "web_save", f'[[{self.records[model].id}], {{"{name}": {value}}}, {{}}]')

    def _fill_in(self, model, name, value):
        return self._call(
            model, "onchange", f'[[], {self._get_vals(model, name, value)}, ["{name}"], {{"{name}": {{}}}}]'
        )

    def _create_by_default(self, model, name, value):
        vals = {key: vals for key, vals in self.vals_by_model[model].items() if key != name}
        return self._call(model, "create", json.dumps([[vals]]), f'{{"context": {{"default_{name}": {value}}}}}')

    def _post_json2(self, model, name, value):
        body = f'{{"vals_list": [{self._get_vals(model, name, value)}]}}'
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_key}"}
        with mute_logger("odoo.http", "odoo.sql_db"):
            response = self.url_open(f"/json/2/{model}/create", data=body, headers=headers)
        return response.json() if isinstance(response.json(), dict) else {"created": response.json()}

    # === WRONG TYPES ===#

    def test_nothing_that_a_field_cannot_hold_is_created(self):
        before = self._count()
        for model in self.vals_by_model:
            for name, field in self._get_fields(model).items():
                with self.subTest(model=model, field=name):
                    self.assertEqual(self._find_unclean(model, name, BAD_VALUES[field.type], self._create), {})
        self.assertEqual(self._count(), before)

    def test_nothing_that_a_field_cannot_hold_is_written(self):
        self.records = self._create_records()
        for model, record in self.records.items():
            fields = self._get_fields(model)
            before = record.read(fields)
            for name, field in fields.items():
                with self.subTest(model=model, field=name):
                    self.assertEqual(self._find_unclean(model, name, BAD_VALUES[field.type], self._write), {})
            self.assertEqual(record.read(fields), before)

    def test_nothing_of_it_passes_by_a_form_a_default_or_the_newer_api(self):
        manager = self.users["manager"]
        self.api_key = self.env["res.users.apikeys"].with_user(manager).sudo()._generate("rpc", "Bad input", False)
        before = self._count()
        for model in self.vals_by_model:
            for field in {field.type: field for field in self._get_fields(model).values()}.values():
                values = BAD_VALUES[field.type]
                for call in (self._fill_in, self._create_by_default, self._post_json2):
                    if not self._reaches_field(call, model, field):
                        continue
                    with self.subTest(model=model, field=field.name, way=call.__name__):
                        self.assertEqual(self._find_unclean(model, field.name, values, call), {})
        self.assertEqual(self._count(), before)

    def _reaches_field(self, call, model, field):
        """A form shows what it is sent as a record, and defaults of protected fields are forgotten."""
        if call == self._fill_in:
            return field.type not in ("many2one", "many2one_reference")
        return call != self._create_by_default or field.name not in getattr(self.env[model], "_protected_fields", ())

    def _create_records(self):
        records = {record._name: record for record in (self.member, self.adjustment, self.rate)}
        for model, vals in self.vals_by_model.items():
            if model not in records:
                records[model] = self.env[model].create(vals)
        self.env.flush_all()
        return records

    # === IMPORT AND FORM ===#

    def test_nothing_that_a_field_cannot_hold_is_imported(self):
        program, member = str(self.program.id), str(self.member.id)
        for model, columns, row, column, values in (
            ("partner.loyalty.program", ["name"], ["Odd"], "date_from", ("soon", "0001-01-01", "2026-02-30")),
            ("partner.loyalty.program", ["name"], ["Odd"], "tz", ("Mars/Olympus",)),
            ("partner.loyalty.program", [], [], "name", ("N\0L", "")),
            ("partner.loyalty.tier", ["name", "threshold"], ["Odd", "7"], "program_id/.id", ("0", "abc", "2147483648")),
            ("partner.loyalty.rule", ["name", "program_id/.id"], ["Odd", program], "kind", ("odd", "[]")),
            (
                "partner.loyalty.rule",
                ["name", "program_id/.id"],
                ["Odd", program],
                "domain",
                ("__import__('os')", "[1]"),
            ),
            ("partner.loyalty.member", ["program_id/.id"], [program], "partner_id/.id", ("abc", "-1", str(UNKNOWN_ID))),
            ("partner.loyalty.member.period", ["member_id/.id"], [member], "date_from", ("soon", "0026-01-01")),
            ("partner.loyalty.payout", ["member_id/.id"], [member], "date", ("", "18.13.2026", "0001-01-01")),
            ("partner.loyalty.adjustment", ["member_id/.id", "amount"], [member, "3"], "unit", ("", "odd")),
            (
                "partner.loyalty.backtest",
                ["program_id/.id"],
                [program],
                "date_from",
                ("soon", "0026-01-01", "9999-01-01"),
            ),
            (
                "partner.loyalty.bonus.action",
                ["name", "program_id/.id"],
                ["Odd", program],
                "schedule",
                ("odd", "[]", "date"),
            ),
            ("partner.loyalty.attribution", ["partner_id/.id"], [str(self.referrer.id)], "reason", ("", " ", "N\0L")),
        ):
            before = self._count()
            for value in values:
                with self.subTest(model=model, column=column, value=value):
                    args = json.dumps([[*columns, column], [[*row, value]]])
                    result = self._call(model, "load", args)["result"]
                    self.assertFalse(result["ids"])
                    self.assertEqual({message["type"] for message in result["messages"]}, {"error"})
                    self.assertEqual(self._count(), before)

    def test_a_form_refuses_what_its_fields_cannot_hold(self):
        adjustment = {"member_id": self.member, "unit": "point", "amount": 3, "reason": "Goodwill"}
        for model, vals, name, value in (
            ("partner.loyalty.program", {"name": "Odd"}, "date_from", "0001-01-01"),
            ("partner.loyalty.program", {"name": "Odd"}, "name", "N\0L"),
            ("partner.loyalty.program", {"name": "Odd"}, "payout_minimum", float("nan")),
            ("partner.loyalty.adjustment", adjustment, "amount", float("inf")),
            ("partner.loyalty.adjustment", adjustment, "date", "soon"),
            ("partner.loyalty.backtest", {"program_id": self.program}, "date_from", "0001-01-01"),
            ("partner.loyalty.enroll", {"program_id": self.program}, "date_from", "0001-01-01"),
            ("partner.loyalty.payout.prepare", {"program_id": self.program}, "date", "9999-12-31"),
            ("partner.loyalty.liability", {}, "date", "9999-12-31"),
            ("partner.loyalty.attribution", {"partner_id": self.referrer}, "reason", "N\0L"),
        ):
            before = self._count()
            with self.subTest(model=model, field=name), self.assertRefused("”"), Form(self.env[model]) as form:
                for key, good in {**vals, name: value}.items():
                    form[key] = good
            self.assertEqual(self._count(), before)

    # === IDS, SELECTIONS, CONTEXT ===#

    def test_records_of_other_companies_are_out_of_reach(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.env.user.company_ids += company
        program = self._create_program(
            [{}], company_id=company.id, payout_journal_id=False, payout_product_id=False, name="Elsewhere"
        )
        member = self._enroll(program, self.dealer)
        before = self._count()
        for model, vals in (
            ("partner.loyalty.tier", {"name": "Odd", "program_id": program.id}),
            ("partner.loyalty.rule", {"name": "Odd", "program_id": program.id}),
            ("partner.loyalty.member", {"program_id": program.id, "partner_id": self.referrer.id}),
            ("partner.loyalty.member.period", {"member_id": member.id, "date_from": "2020-01-01"}),
            ("partner.loyalty.payout", {"member_id": member.id, "date": TODAY}),
            ("partner.loyalty.adjustment", {"member_id": member.id, "unit": "point", "amount": 3, "reason": "No"}),
            ("partner.loyalty.deal", {"member_id": member.id, "name": "Odd", "customer_name": "Somebody"}),
            ("partner.loyalty.backtest", {"program_id": program.id}),
            ("partner.loyalty.bonus.action", {"name": "Odd", "program_id": program.id}),
            ("partner.loyalty.goal", {**self.vals_by_model["partner.loyalty.goal"], "program_id": program.id}),
            ("partner.loyalty.badge", {**self.vals_by_model["partner.loyalty.badge"], "member_id": member.id}),
            ("partner.loyalty.backtest", {"program_id": self.program.id, "reference_program_id": program.id}),
            (
                "partner.loyalty.attribution",
                {"company_id": company.id, "partner_id": self.referrer.id, "reason": "No"},
            ),
        ):
            with self.subTest(model=model):
                self.assertCallRefused(model, "create", json.dumps([[vals]]))
        self.assertEqual(self._count(), before)
        for model, vals, method in (
            ("partner.loyalty.enroll", {"partner_ids": [self.referrer.id], "program_id": program.id}, "action_enroll"),
            ("partner.loyalty.payout.prepare", {"program_id": program.id}, "action_prepare"),
            ("partner.loyalty.apply.past", {"program_id": program.id}, "action_preview"),
            ("partner.loyalty.takeover", {"member_id": member.id}, "action_take_over"),
            ("partner.loyalty.liability", {"company_id": company.id}, "action_create_entry"),
        ):
            with self.subTest(model=model):
                answer = self._call(model, "create", json.dumps([vals]))
                if "result" in answer:
                    answer = self._call(model, method, json.dumps([answer["result"]]))
                self.assertEqual(self._get_outcome(answer), "refused")
        self.assertEqual(program.member_ids, member)

    def test_a_selection_that_names_no_records_opens_an_empty_dialog(self):
        for model, active_model, name in (
            ("partner.loyalty.enroll", "res.partner", "partner_ids"),
            ("partner.loyalty.payout.prepare", "partner.loyalty.member", "member_ids"),
            ("partner.loyalty.takeover", "partner.loyalty.member", "member_id"),
            ("partner.loyalty.adjustment.refuse", "partner.loyalty.adjustment", "adjustment_ids"),
            ("partner.loyalty.deal.refuse", "partner.loyalty.deal", "deal_ids"),
            ("partner.loyalty.payout.refuse", "partner.loyalty.payout", "payout_ids"),
            ("partner.loyalty.attribution.refuse", "partner.loyalty.attribution", "attribution_ids"),
            ("partner.loyalty.tier.review.refuse", "partner.loyalty.tier.review", "review_ids"),
            ("partner.loyalty.attribution.choose", "partner.loyalty.attribution", "attribution_id"),
            ("partner.loyalty.attribution", "sale.order", "line_ids"),
            ("partner.loyalty.attribution", "account.move", "line_ids"),
            ("partner.loyalty.attribution", "crm.lead", "line_ids"),
        ):
            for selection in BAD_SELECTIONS:
                with self.subTest(model=model, selection=selection):
                    first = selection[0] if isinstance(selection, list) else selection
                    context = {"active_model": active_model, "active_ids": selection, "active_id": first}
                    kwargs = json.dumps({"context": context})
                    answer = self._call(model, "onchange", f'[[], {{}}, [], {{"{name}": {{}}}}]', kwargs)
                    self.assertFalse(answer["result"]["value"].get(name))

    def test_a_dialog_without_a_choice_says_so(self):
        for model, vals, method, words in (
            ("partner.loyalty.enroll", {"program_id": self.program.id}, "action_enroll", "Choose at least one partner"),
            ("partner.loyalty.takeover", {"member_id": self.member.id}, "action_take_over", "Choose who takes"),
            ("partner.loyalty.payout.refuse", {"reason": "No"}, "action_refuse", "Choose what to refuse"),
            ("partner.loyalty.adjustment.refuse", {"reason": "No"}, "action_refuse", "Choose what to refuse"),
            ("partner.loyalty.deal.refuse", {"reason": "No"}, "action_refuse", "Choose what to refuse"),
            ("partner.loyalty.attribution.refuse", {"reason": "No"}, "action_refuse", "Choose what to refuse"),
            ("partner.loyalty.tier.review.refuse", {"reason": "No"}, "action_refuse", "Choose what to refuse"),
            ("partner.loyalty.liability", {}, "action_create_entry", "Nothing is owed"),
            ("partner.loyalty.apply.past", {"program_id": self.program.id}, "action_apply", "Preview"),
        ):
            with self.subTest(model=model):
                wizard_id = self._call(model, "create", json.dumps([vals]))["result"]
                self.assertCallRefused(model, method, json.dumps([wizard_id]), words=words)

    def test_defaults_of_protected_fields_are_forgotten(self):
        for model, name, value in (
            ("partner.loyalty.payout", "decision", "approved"),
            ("partner.loyalty.payout", "amount", 1000),
            ("partner.loyalty.adjustment", "state", "approved"),
            ("partner.loyalty.deal", "state", "approved"),
            ("partner.loyalty.attribution", "state", "approved"),
            ("partner.loyalty.member", "suspended", True),
            ("partner.loyalty.backtest", "total", 1000),
            ("partner.loyalty.bonus.action", "state", "running"),
        ):
            with self.subTest(model=model, field=name):
                kwargs = json.dumps({"context": {f"default_{name}": value}})
                answer = self._call(model, "create", json.dumps([self.vals_by_model[model]]), kwargs)
                record = self.env[model].browse(answer["result"])
                self.assertNotEqual(record[name], value)
                if model == "partner.loyalty.payout":
                    record.action_cancel()

    def test_what_others_report_is_not_written(self):
        check = self.env["partner.loyalty.check"].sudo()._run(self.program)
        difference = self._create_difference()
        for record, vals in (
            (check, {"state": "ok"}),
            (check.line_ids[0], {"count": 0}),
            (difference, {"origin_model": "res.users"}),
            (difference, {"origin_id": self.env.uid}),
            (difference, {"amount": 1000}),
            (difference, {"state": "posted"}),
            (self.program, {"lock_date": "0001-01-01"}),
            (self.program, {"lock_date": "9999-12-31"}),
            (self.program, {"no_such_field": 1}),
        ):
            with self.subTest(model=record._name, vals=vals):
                self.assertCallRefused(record._name, "write", json.dumps([record.ids, vals]))
        self.assertEqual(difference.origin_model, "account.move")

    def _create_difference(self):
        member = self._enroll(self.program, self.dealer)
        self._create_sale_invoice(self.dealer, 100)
        self.env["partner.loyalty.touch"].sudo().search([]).unlink()
        self._write_marks()
        self._as_cron("partner.loyalty.touch").search([]).unlink()
        difference = self._compare(self.program)
        self.assertEqual(difference.account_id.member_id, member)
        return difference

    # === FILTERS AND TEXTS ===#

    def test_a_filter_that_would_stop_the_server_is_refused(self):
        for domain in ("(" * 5000, "[" * 5000, "[('no_such_field', '=', 1)]", "\0", "[('id', '=', float('nan'))]"):
            with self.subTest(domain=domain[:20]):
                args = json.dumps([self.rule.ids, {"domain": domain}])
                self.assertCallRefused("partner.loyalty.rule", "write", args)
        self.assertEqual(self.rule.domain, "[]")

    def test_hostile_texts_are_stored_as_they_are(self):
        for model, name in (
            ("partner.loyalty.tier", "name"),
            ("partner.loyalty.rule", "name"),
            ("partner.loyalty.adjustment", "reason"),
            ("partner.loyalty.adjustment", "external_ref"),
            ("partner.loyalty.deal", "name"),
            ("partner.loyalty.deal", "description"),
            ("partner.loyalty.backtest", "name"),
            ("partner.loyalty.attribution", "reason"),
            ("partner.loyalty.metric", "name"),
            ("partner.loyalty.metric", "description"),
            ("partner.loyalty.metric.value", "reference"),
            ("partner.loyalty.goal", "name"),
            ("partner.loyalty.bonus.action", "name"),
            ("partner.loyalty.bonus.effect", "text"),
        ):
            for number, text in enumerate((*HOSTILE, "x" * 10000)):
                if name == "external_ref" and len(text) > 1000:
                    continue
                with self.subTest(model=model, field=name, text=text[:20]):
                    vals = {**self.vals_by_model[model], name: text}
                    if model == "partner.loyalty.tier":
                        vals["threshold"] = 1000 + number
                    record = self.env[model].browse(self._call(model, "create", json.dumps([vals]))["result"])
                    self.assertEqual(record[name], text)
