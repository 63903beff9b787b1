"""Bad input over the API, as a client sends it: each is refused with a message, and nothing is stored."""

import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import TODAY, PartnerLoyaltyCommon

# As they stand in the body of a request: JSON of Python reads the first four as numbers.
BAD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "1e300",
    "1e15",
    "-1e12",
    '"nan"',
    '"twelve"',
    "[]",
    "{}",
    "true",
)
BAD_INTEGERS = ("NaN", "Infinity", "1e400", "1e15", '"nan"', "[]", "2147483648")
REFUSALS = ("odoo.exceptions.ValidationError", "odoo.exceptions.UserError", "odoo.exceptions.AccessError")


class ApiCommon(PartnerLoyaltyCommon, HttpCase):
    """A manager at the API, and a program that has one of everything."""

    roles = ("officer", "manager", "administrator")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._create_program(
            [{"formula": "per_amount", "step_amount": 10}], tiers=[("Silver", 0), ("Gold", 500)]
        )
        cls.rule, cls.gold = cls.program.rule_ids, cls.program.tier_ids[1]
        cls.rule.tier_rate_ids = [cls._tier_rate(cls.gold, 15)]
        cls.rate = cls.rule.tier_rate_ids
        cls.member = cls._enroll(cls.program, cls.stranger)
        cls.adjustment = cls.env["partner.loyalty.adjustment"].create(
            {"member_id": cls.member.id, "unit": "point", "amount": 5, "reason": "Goodwill"}
        )
        cls.deal = cls.env["partner.loyalty.deal"].create(
            {"member_id": cls.member.id, "name": "Chairs", "customer_name": "Hotel Astoria"}
        )

    def setUp(self):
        super().setUp()
        self.authenticate("loyalty_manager", "loyalty_manager")

    def _call(self, model, method, args, kwargs="{}"):
        """Call a method with arguments that are JSON already, and return the answer."""
        body = f"""{{"jsonrpc": "2.0", "method": "call", "params": {{
            "model": "{model}", "method": "{method}", "args": {args}, "kwargs": {kwargs}}}}}"""
        with mute_logger("odoo.http", "odoo.sql_db"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}", data=body, headers={"Content-Type": "application/json"}
            )
        self.env.invalidate_all()
        return response.json()

    def assertCallRefused(self, *args, words="", **kwargs):
        answer = self._call(*args, **kwargs)
        self.assertIn("error", answer)
        self.assertIn(answer["error"]["data"]["name"], REFUSALS, answer["error"]["data"]["message"])
        self.assertIn(words, answer["error"]["data"]["message"])


@tagged("post_install", "-at_install")
class TestApi(ApiCommon):
    def _get_numeric_fields(self):
        """Return records with the fields for numbers that a client may write, by the numbers that are bad for them."""
        for record, names, numbers in (
            (self.program, ("payout_minimum", "point_value"), BAD_NUMBERS),
            (self.program, ("recovery_share",), (*BAD_NUMBERS, "0", "-1", "100.01")),
            (self.program, ("maturity_days", "point_digits", "expiry_months"), BAD_INTEGERS),
            (self.program, ("deal_protection_days",), (*BAD_INTEGERS, "-1", "3651")),
            (self.gold, ("threshold",), BAD_NUMBERS),
            (self.rule, ("rate", "step_amount"), BAD_NUMBERS),
            (self.rule, ("minimum_amount", "cap_document", "cap_member", "budget"), (*BAD_NUMBERS, "-1")),
            (self.rate, ("rate",), BAD_NUMBERS),
            (self.adjustment, ("amount",), (*BAD_NUMBERS, "0", "0.5", "1.00000001")),
            (self.deal, ("expected_amount",), (*BAD_NUMBERS, "-1")),
        ):
            for name in names:
                for number in numbers:
                    yield record, name, number

    def test_odd_numbers_are_not_written(self):
        for record, name, number in self._get_numeric_fields():
            before = record[name]
            for method, args in (
                ("write", f'[[{record.id}], {{"{name}": {number}}}]'),
                ("web_save", f'[[{record.id}], {{"{name}": {number}}}, {{}}]'),
            ):
                with self.subTest(model=record._name, field=name, number=number, method=method):
                    self.assertCallRefused(record._name, method, args)
                    self.assertEqual(record[name], before)

    def test_odd_numbers_are_not_created(self):
        required = {
            "partner.loyalty.program": {"name": "Odd"},
            "partner.loyalty.tier": {"name": "Odd", "program_id": self.program.id},
            "partner.loyalty.rule": {"name": "Odd", "program_id": self.program.id},
            "partner.loyalty.rule.rate": {"rule_id": self.rule.id, "tier_id": self.program.tier_ids[0].id},
            "partner.loyalty.adjustment": {"member_id": self.member.id, "unit": "point", "reason": "Goodwill"},
            "partner.loyalty.deal": {"member_id": self.member.id, "name": "Odd", "customer_name": "Somebody"},
        }
        for record, name, number in self._get_numeric_fields():
            vals = json.dumps(required[record._name])[:-1] + f', "{name}": {number}}}'
            count = self.env[record._name].search_count([])
            with self.subTest(model=record._name, field=name, number=number):
                self.assertCallRefused(record._name, "create", f"[[{vals}]]")
                self.assertEqual(self.env[record._name].search_count([]), count)

    def test_odd_numbers_are_refused_inside_of_other_records_and_in_the_context(self):
        programs = self.env["partner.loyalty.program"].search_count([])
        for vals in (
            '"tier_ids": [[0, 0, {"name": "Odd", "threshold": NaN}]]',
            '"rule_ids": [[0, 0, {"name": "Odd", "rate": Infinity}]]',
            '"rule_ids": [[0, 0, {"name": "Odd", "rate": 1, "step_amount": 1e400}]]',
        ):
            with self.subTest(vals=vals):
                self.assertCallRefused("partner.loyalty.program", "create", f'[[{{"name": "Odd", {vals}}}]]')
                self.assertCallRefused("partner.loyalty.program", "write", f"[[{self.program.id}], {{{vals}}}]")
        for default in ('"default_payout_minimum": NaN', '"default_maturity_days": 1e400'):
            with self.subTest(default=default):
                context = f'{{"context": {{{default}}}}}'
                self.assertCallRefused("partner.loyalty.program", "create", '[[{"name": "Odd"}]]', context)
        self.assertEqual(self.env["partner.loyalty.program"].search_count([]), programs)
        self.assertEqual(len(self.program.tier_ids), 2)
        self.assertEqual(len(self.program.rule_ids), 1)

    def test_odd_numbers_are_refused_while_a_form_is_filled_in(self):
        for model, name in (
            ("partner.loyalty.rule", "rate"),
            ("partner.loyalty.tier", "threshold"),
            ("partner.loyalty.adjustment", "amount"),
        ):
            for number in ("NaN", "Infinity", "1e400"):
                args = f'[[], {{"{name}": {number}}}, ["{name}"], {{"{name}": {{}}}}]'
                with self.subTest(model=model, number=number):
                    self.assertCallRefused(model, "onchange", args)

    def test_odd_numbers_are_not_imported(self):
        for model, fields, row in (
            ("partner.loyalty.program", ["name", "payout_minimum"], ["Imported"]),
            ("partner.loyalty.tier", ["program_id/.id", "name", "threshold"], [str(self.program.id), "Imported"]),
            ("partner.loyalty.rule", ["program_id/.id", "name", "rate"], [str(self.program.id), "Imported"]),
            (
                "partner.loyalty.adjustment",
                ["member_id/.id", "unit", "reason", "amount"],
                [str(self.member.id), "Points", "Imported"],
            ),
        ):
            count = self.env[model].search_count([])
            for number in ("NaN", "inf", "-Infinity", "1e400", "1e15", "twelve", "=1+1", "@SUM(1)", "1,5x"):
                with self.subTest(model=model, number=number):
                    answer = self._call(model, "load", json.dumps([fields, [[*row, number]]]))
                    self.assertFalse(answer["result"]["ids"])
                    self.assertEqual({message["type"] for message in answer["result"]["messages"]}, {"error"})
                    self.assertEqual(self.env[model].search_count([]), count)

    def test_a_text_that_no_column_can_hold_is_refused(self):
        for model, vals in (
            ("partner.loyalty.program", {"name": "N\0L"}),
            ("partner.loyalty.rule", {"program_id": self.program.id, "name": "N\0L"}),
            ("partner.loyalty.tier", {"program_id": self.program.id, "name": "N\0L"}),
            ("partner.loyalty.adjustment", {"member_id": self.member.id, "amount": 1, "reason": "N\0L"}),
        ):
            with self.subTest(model=model):
                self.assertCallRefused(model, "create", json.dumps([[vals]]), words="no text")

    def test_odd_dates_are_not_written(self):
        for day, words in (("0001-01-01", "four digits"), ("0026-01-01", "four digits"), ("9999-12-31", None)):
            values = f'{{"date_from": "{day}", "date_to": "2026-12-31"}}'
            with self.subTest(day=day):
                args = f"[[{self.program.id}], {values}]"
                self.assertCallRefused("partner.loyalty.program", "write", args, words=words or "cannot end before")
                self.assertEqual(str(self.program.date_from), "2026-01-01")
        for day in ('"2026-02-30"', '"soon"', "12", "[]", "{}"):
            with self.subTest(day=day):
                args = f'[[{self.program.id}], {{"date_from": {day}}}]'
                self.assertIn("error", self._call("partner.loyalty.program", "write", args))
                self.assertEqual(str(self.program.date_from), "2026-01-01")

    def test_a_membership_from_long_before_the_program_is_decided_from_its_start(self):
        member = self._enroll(self.program, self.dealer, date_from="1900-01-01")
        self.program._evaluate_tiers()
        self.assertEqual(
            [str(day) for day in member.tier_period_ids.sorted("date_from").mapped("date_from")],
            ["1900-01-01", "2026-02-01", "2026-03-01"],
        )

    def test_a_program_rule_and_membership_without_end_work(self):
        program = self._create_program([{"kind": "order", "date_to": "9999-12-31"}], date_to="9999-12-31")
        member = self._enroll(program, self.dealer)
        member.period_ids.date_to = "9999-12-31"
        self._create_order(self.dealer, 100)
        self._answer_documents()
        self.assertEntries(member, [10])

    def test_hostile_and_long_names_are_stored_as_they_are(self):
        for name in ("<script>alert(1)</script>", "{{7*7}} ${object}", "=HYPERLINK(1)", "\u202etxt", "x" * 10000, "🎁"):
            with self.subTest(name=name[:20]):
                answer = self._call("partner.loyalty.program", "create", json.dumps([[{"name": name}]]))
                program = self.env["partner.loyalty.program"].browse(answer["result"])
                self.assertEqual(program.name, name)

    def test_members_are_not_enrolled_half(self):
        self.authenticate("loyalty_officer", "loyalty_officer")
        empty = self._create_program(name="No rules")
        archived = self._create_partner(name="Archived", active=False)
        for program, partner, words in (
            (self.program, self.dealer_contact, "enroll the company"),
            (self.program, archived, "is archived"),
            (empty, self.dealer, "has no rule yet"),
        ):
            vals = json.dumps([[{"program_id": program.id, "partner_id": partner.id}]])
            with self.subTest(words=words):
                self.assertCallRefused("partner.loyalty.member", "create", vals, words=words)
        vals = json.dumps([[{"program_id": self.program.id, "partner_id": self.dealer.id}]])
        self.assertIn("result", self._call("partner.loyalty.member", "create", vals))
        self.assertCallRefused("partner.loyalty.member", "create", vals, words="already a member of the program")
        members = self.program.member_ids - self.member
        self.assertEqual(members.partner_id, self.dealer)
        self.assertEqual(len(members.account_ids), 2)

    def test_a_payout_is_neither_decided_nor_changed_by_a_call(self):
        member = self._enroll(self.program, self.dealer)
        self._post_entry(member, 100)
        payout = self._submit_payout(member)
        self.authenticate("loyalty_officer", "loyalty_officer")
        for method, args in (
            ("action_approve", f"[[{payout.id}]]"),
            ("action_refuse", f"[[{payout.id}]]"),
            ("write", f'[[{payout.id}], {{"decision": "approved"}}]'),
            ("write", f'[[{payout.id}], {{"amount": 1000}}]'),
            ("copy", f"[[{payout.id}]]"),
            ("create", f'[[{{"member_id": {member.id}, "date": "{TODAY}", "decision": "approved"}}]]'),
            ("_set_decision", f'[[{payout.id}], "approved"]'),
            ("_create_bill", f"[[{payout.id}]]"),
        ):
            with self.subTest(method=method, args=args):
                self.assertCallRefused("partner.loyalty.payout", method, args)
                self.assertRecordValues(payout, [{"decision": "submitted", "amount": 100, "bill_id": False}])

    def test_an_attribution_change_is_neither_decided_nor_changed_by_a_call(self):
        order = self._create_order(self.stranger, 100, loyalty_partner_id=self.referrer.id)
        vals = {"partner_id": self.referrer.id, "target_partner_id": self.dealer.id, "reason": "Registered"}
        line = {"res_model": "sale.order", "res_id": order.id}
        self.authenticate("loyalty_officer", "loyalty_officer")
        create = json.dumps([[{**vals, "line_ids": [[0, 0, line]]}]])
        change_id = self._call("partner.loyalty.attribution", "create", create)["result"][0]
        self.assertNotIn("error", self._call("partner.loyalty.attribution", "action_submit", f"[[{change_id}]]"))
        change = self.env["partner.loyalty.attribution"].browse(change_id)
        for model, method, args in (
            ("partner.loyalty.attribution", "action_approve", f"[[{change_id}]]"),
            ("partner.loyalty.attribution", "action_refuse", f'[[{change_id}], "No"]'),
            ("partner.loyalty.attribution", "write", f'[[{change_id}], {{"state": "approved"}}]'),
            ("partner.loyalty.attribution", "write", f'[[{change_id}], {{"target_partner_id": false}}]'),
            ("partner.loyalty.attribution", "unlink", f"[[{change_id}]]"),
            ("partner.loyalty.attribution", "_move_documents", f"[[{change_id}]]"),
            ("partner.loyalty.attribution.line", "unlink", f"[{change.line_ids.ids}]"),
            ("partner.loyalty.attribution.line", "create", json.dumps([[{"attribution_id": change_id, **line}]])),
            ("partner.loyalty.attribution.figure", "create", f'[[{{"attribution_id": {change_id}}}]]'),
        ):
            with self.subTest(model=model, method=method):
                self.assertCallRefused(model, method, args)
                self.assertRecordValues(change, [{"state": "submitted", "target_partner_id": self.dealer.id}])
        self.assertEqual(order.loyalty_partner_id, self.referrer)

    def test_the_ledger_cannot_be_written_by_a_call(self):
        member = self._enroll(self.program, self.dealer)
        entry = self._post_entry(member, 100)
        self.authenticate("loyalty_administrator", "loyalty_administrator")
        for model, method, args in (
            ("partner.loyalty.entry", "create", f'[[{{"account_id": {entry.account_id.id}, "amount": 1}}]]'),
            ("partner.loyalty.entry", "write", f'[[{entry.id}], {{"amount": 1000}}]'),
            ("partner.loyalty.entry", "unlink", f"[[{entry.id}]]"),
            ("partner.loyalty.entry", "_post_vals", "[[]]"),
            ("partner.loyalty.account", "write", f'[[{entry.account_id.id}], {{"balance": 1000}}]'),
            ("partner.loyalty.account", "_get_available", f"[[{entry.account_id.id}]]"),
        ):
            with self.subTest(model=model, method=method):
                self.assertCallRefused(model, method, args)
        self.assertEqual(member.money_balance, 100)
